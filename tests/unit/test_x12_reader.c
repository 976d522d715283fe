/* Events of small interchanges, the same at every cut; the real files where they are at hand. */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "engine/base/hash.h"
#include "standards/x12/envelope.h"
#include "standards/x12/reader.h"
#include "tests/support/event_log.h"
#include "tests/support/plan_builder.h"
#include "tests/support/test_memory.h"

static const char guides[] =
    "guide 835 005010X221A1 005010X221 HP\nST max=1 elements=3\nBPR elements=4\nloop 2100\n CLP elements=3 comp=2\n BIN binary=1 "
    "elements=2\n"
    " XYZ binary=2 elements=3\n loop 2110 max=2\n  SVC elements=3 comp=1\n end\nend\nPLB\nSE max=1 elements=2\n"
    "guide 835 004010X091A1 004010X091 HP\nST\nSE\n"
    "guide 837 005010X222A2 005010X222 HC\nST\nSE\nguide 837 005010X223A3 005010X223 HC\nST\nSE\n"
    "guide 850 004010 004010 PO\nST\nBEG\nSE\n"
    "guide 860 004010 004010 PC\nST\nREF key=1.2:X comp=1\nSE\n";

/* An ISA with every part that the tests change: element separator, ISA11, ISA12, control number, what stands from ISA16 on. */
#define ISA_OF(e, rep, version, control, end)                                                                                    \
    "ISA" e "00" e "          " e "00" e "          " e "ZZ" e "SENDER         " e "ZZ" e "RECEIVER       " e "250101" e         \
    "1200" e rep e version e control e "0" e "P" e end
#define ISA    ISA_OF("*", "^", "00501", "000000001", ":~")
#define GS     "GS*HP*S*R*20250101*1200*7*X*005010X221A1~"
#define ST     "ST*835*0001~"
#define SE     "SE*2*0001~"
#define GE     "GE*1*7~"
#define IEA    "IEA*1*000000001~"
#define TAIL   SE GE IEA

/* Begin and end of the log of a whole interchange. */
#define L_ISA  "begin interchange 00501 #000000001 SENDER>RECEIVER 2a 3a 5e 7e\n"
#define L_GS   "begin batch 005010X221A1 #7 S>R\n"
#define L_ST   "begin transaction 835 guide 0 005010X221A1 #0001\nsegment ST\n"
#define L_HEAD L_ISA L_GS L_ST
#define L_SE   "segment SE\nfinish transaction\n"
#define L_GE   "finish batch\n"
#define L_IEA  "finish interchange\n"
#define L_END  "end\n"
#define L_CLP  "leave 2100\nenter 2100\nsegment CLP\n"
#define L_TAIL L_SE L_GE L_IEA L_END

static const struct {
    const char *name, *input, *log;
} cases[] = {
    { "whole", ISA GS ST TAIL, L_HEAD L_TAIL },
    { "loops and places in them", ISA GS ST "BPR*I~CLP*1~SVC*1~CLP*2~PLB*1~SE*7*0001~" GE IEA,
      L_HEAD "segment BPR\nenter 2100\nsegment CLP\nenter 2110\nsegment SVC\nleave 2110\nleave 2100\nenter 2100\nsegment "
             "CLP\nleave 2100\nsegment PLB\n" L_TAIL },
    { "loops left at the trailer", ISA GS ST "CLP*1~SVC*1~SE*4*0001~" GE IEA,
      L_HEAD "enter 2100\nsegment CLP\nenter 2110\nsegment SVC\nleave 2110\nleave 2100\n" L_TAIL },
    { "line ends and indentation behind terminators",
      "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *250101*1200*^*00501*000000001*0*P*:~\r\n  "
      "GS*HP*S*R*20250101*1200*7*X*005010X221A1~\r\n\r\n\tST*835*0001~\n    SE*2*0001~ \nGE*1*7~\n\n" IEA "\r\n \t\n",
      L_HEAD L_TAIL },
    { "empty segments", ISA GS "~~" ST "~ ~\n~" TAIL "~~~", L_HEAD L_TAIL },
    { "other delimiters",
      ISA_OF("|", "!", "00501", "000000001",
             ">\n") "GS|HP|S|R|20250101|1200|7|X|005010X221A1\nST|835|0001\n\nSE|2|0001\r\nGE|1|7\nIEA|1|000000001\n",
      "begin interchange 00501 #000000001 SENDER>RECEIVER 7c 3e 21 0a\n" L_GS L_ST
      "segment lines SE\nfinish transaction\n" L_GE L_IEA                     L_END },
    { "terminator CR, line feed is decoration, ~ is ISA16",
      ISA_OF("*", "U", "00401", "000000001",
             "~\r\n") "GS*HP*S*R*20250101*1200*7*X*005010X221A1\r\nST*835*0001\r\nSE*2*0001\r\nGE*1*7\r\nIEA*1*000000001\r\n",
      "begin interchange 00401 #000000001 SENDER>RECEIVER 2a 7e 00 0d\n" L_GS L_ST L_TAIL },
    { "terminator at the head of the next line",
      ISA_OF("|", "U", "00401", "000000001",
             "^\n~") "GS|HP|S|R|20250101|1200|7|X|005010X221A1\n~ST|835|0001\n~SE|2|0001\n~GE|1|7\n~IEA|1|000000001\n~",
      "begin interchange 00401 #000000001 SENDER>RECEIVER 7c 5e 00 7e\nbegin batch 005010X221A1 #7 S>R\nbegin transaction 835 "
      "guide 0 005010X221A1 #0001\n"
      "segment lines ST\nsegment lines SE\nfinish transaction\n" L_GE L_IEA L_END },
    { "byte order mark", "\xef\xbb\xbf" ISA GS ST TAIL, "fault X12_LEADING_TEXT (byte order mark)\n" L_HEAD L_TAIL },
    { "half a byte order mark is text", "\xef\xbb" ISA GS ST TAIL, "fault X12_LEADING_TEXT\n" L_HEAD L_TAIL },
    { "blank lines before", "\r\n  \n" ISA GS ST TAIL, L_HEAD L_TAIL },
    { "text before", "Example 1 - VISA claim, ISAAC's ISA segment and ISA* here\n" ISA GS ST TAIL,
      "fault X12_LEADING_TEXT\n" L_HEAD L_TAIL },
    { "no ISA", GS ST TAIL, "fault X12_NO_ISA\nend\n" },
    { "nothing", "", "fault X12_NO_ISA\nend\n" },
    { "blanks alone", " \n\t\r\n", "fault X12_NO_ISA\nend\n" },
    { "ISA of another length", "ISA*00**00**ZZ*SENDER*ZZ*RECEIVER*250101*1200*^*00501*000000001*0*P*:~" GS ST TAIL,
      L_ISA "fault X12_ISA_LENGTH (70 bytes)\n" L_GS L_ST L_TAIL },
    { "ISA16 missing, its separator stands", ISA_OF("*", "U", "00401", "000000001", "~") GS ST TAIL,
      "begin interchange 00401 #000000001 SENDER>RECEIVER 2a 00 00 7e\nfault X12_ISA16\n" L_GS L_ST L_TAIL },
    { "the same with line ends", ISA_OF("*", "U", "00401", "000000001", "~\r\n") GS "\r\n" ST "\r\n" TAIL,
      "begin interchange 00401 #000000001 SENDER>RECEIVER 2a 00 00 7e\nfault X12_ISA16\n" L_GS L_ST L_TAIL },
    { "ISA16 and its separator missing",
      "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *250101*1200*U*00401*000000001*0*P~\n" GS
      "\n" ST                                                                                       TAIL,
      "begin interchange 00401 #000000001 SENDER>RECEIVER 2a 00 00 7e\nfault X12_ISA16\n" L_GS L_ST L_TAIL },
    { "ISA16 is a blank", ISA_OF("*", "U", "00401", "000000001", " ~") GS ST TAIL,
      "begin interchange 00401 #000000001 SENDER>RECEIVER 2a 00 00 7e\nfault X12_ISA16\n" L_GS L_ST L_TAIL },
    { "ISA11 of an old version separates nothing", ISA_OF("*", "^", "00401", "000000001", ":~") GS ST TAIL,
      "begin interchange 00401 #000000001 SENDER>RECEIVER 2a 3a 00 7e\n" L_GS L_ST L_TAIL },
    { "ISA11 is U in a new one", ISA_OF("*", "U", "00501", "000000001", ":~") GS ST TAIL,
      "begin interchange 00501 #000000001 SENDER>RECEIVER 2a 3a 00 7e\n" L_GS L_ST L_TAIL },
    { "repetition separator used twice", ISA_OF("*", ":", "00501", "000000001", ":~") GS ST TAIL,
      "begin interchange 00501 #000000001 SENDER>RECEIVER 2a 3a 00 7e\nfault X12_DELIMITERS 11 (repetition separator is used "
      "twice; repetitions are not told apart)\n" L_GS L_ST L_TAIL },
    { "component separator is the element separator", ISA_OF("*", "^", "00501", "000000001", "*~") GS ST TAIL,
      "fault X12_DELIMITERS 16\nend\n" },
    { "terminator is the element separator", ISA_OF("*", "^", "00501", "000000001", ":*") GS ST TAIL,
      "fault X12_DELIMITERS\nend\n" },
    { "terminator is a letter", ISA_OF("*", "^", "00501", "000000001", "AB") GS ST TAIL, "fault X12_DELIMITERS\nend\n" },
    { "wide component separator", ISA_OF("*", "^", "00501", "000000001", "\xc2\xa6~") GS ST TAIL,
      "fault X12_DELIMITER_WIDE 16\nend\n" },
    { "wide terminator", ISA_OF("*", "^", "00501", "000000001", ":\xe2\x80\xa6") GS ST TAIL,
      "fault X12_DELIMITER_WIDE 16\nend\n" },
    { "wide element separator",
      "ISA\xe2\x9c\xbd"
      "00\xe2\x9c\xbd   ",
      "fault X12_DELIMITER_WIDE\nend\n" },
    { "wide repetition separator", ISA_OF("*", "\xc2\xa6", "00501", "000000001", ":~") GS ST TAIL,
      "fault X12_DELIMITER_WIDE 11\nend\n" },
    { "a byte of an 8-bit set as component separator", ISA_OF("*", "^", "00501", "000000001", "\xa6~") GS ST TAIL,
      "begin interchange 00501 #000000001 SENDER>RECEIVER 2a a6 5e 7e\n" L_GS L_ST L_TAIL },
    { "a good interchange behind one that can not be read",
      ISA_OF("*", "^", "00501", "000000009", "*~") GS ST TAIL ISA GS ST TAIL, "fault X12_DELIMITERS 16\n" L_HEAD L_TAIL },
    { "several interchanges, other delimiters, one control number twice",
      ISA GS ST TAIL "\n" ISA_OF("|", "^", "00501", "000000002",
                                 ">!") "GS|HP|S|R|20250101|1200|7|X|005010X221A1!GE|0|7!IEA|1|000000002!" ISA GS ST TAIL,
      L_HEAD L_SE L_GE L_IEA "begin interchange 00501 #000000002 SENDER>RECEIVER 7c 3e 5e 21\n" L_GS L_GE L_IEA L_ISA
                             "fault X12_CONTROL_TWICE 13 (ISA13 is 000000001 again)\n" L_GS L_ST                L_TAIL },
    { "several groups and sets",
      ISA GS ST SE "ST*835*0002~SE*2*0002~GE*2*7~GS*HP*S*R*20250101*1200*8*X*005010X221A1~GE*0*8~IEA*2*1~",
      L_HEAD L_SE "begin transaction 835 guide 0 005010X221A1 #0002\nsegment ST\n" L_SE L_GE
                  "begin batch 005010X221A1 #8 S>R\n" L_GE L_IEA                        L_END },
    { "control numbers twice", ISA GS ST SE ST SE "GE*2*7~" GS ST SE GE "IEA*2*000000001~",
      L_HEAD L_SE
      "begin transaction 835 guide 0 005010X221A1 #0001\nfault X12_CONTROL_TWICE 2 (ST02 is 0001 again)\nsegment ST\n" L_SE L_GE
          L_GS "fault X12_CONTROL_TWICE 6 (GS06 is 7 again)\n" L_ST L_TAIL },
    { "text behind the IEA", ISA GS ST TAIL "\n-- end of file --\n", L_HEAD L_SE L_GE L_IEA "fault X12_TRAILING_TEXT\nend\n" },
    { "text between interchanges", ISA GS ST TAIL "next:\n" ISA_OF("*", "^", "00501", "000000002", ":~") "IEA*0*2~",
      L_HEAD L_SE L_GE                                                                                  L_IEA
      "fault X12_TRAILING_TEXT\nbegin interchange 00501 #000000002 SENDER>RECEIVER 2a 3a 5e 7e\n" L_IEA L_END },
    { "counts and control numbers", ISA GS ST "SE*3*0002~GE*x*8~IEA**000000002~",
      L_HEAD
      "segment SE\nfault X12_SE01 1 (SE01 is 3, read 2)\nfault X12_SE02 2 (SE02 is 0002, ST02 is 0001)\nfinish transaction\n"
      "fault X12_GE01 1 (GE01 is ?, read 1)\nfault X12_GE02 2 (GE02 is 8, GS06 is 7)\nfinish batch\n"
      "fault X12_IEA01 1 (IEA01 is -, read 1)\nfault X12_IEA02 2 (IEA02 is 000000002, ISA13 is 000000001)\nfinish "
      "interchange\nend\n" },
    { "numbers are compared as numbers, SE02 as text", ISA GS ST "SE*02*001~GE*01*007~IEA* 1 *1~",
      L_HEAD
      "segment SE\nfault X12_SE02 2 (SE02 is 001, ST02 is 0001)\nfinish transaction\nfinish batch\nfinish interchange\nend\n" },
    { "what is no control number is not shown", ISA GS ST "SE*2*DOE, JANE 1970~GE*1*7~IEA*1*1~",
      L_HEAD
      "segment SE\nfault X12_SE02 2 (SE02 is ?, ST02 is 0001)\nfinish transaction\nfinish batch\nfinish interchange\nend\n" },
    { "missing SE before ST, GE, IEA", ISA GS ST ST "GE*2*7~" GS ST "IEA*2*1~",
      L_HEAD "fault X12_NO_SE\nabandon transaction\nbegin transaction 835 guide 0 005010X221A1 #0001\nfault X12_CONTROL_TWICE 2 "
             "(ST02 is 0001 again)\nsegment ST\n"
             "fault X12_NO_SE\nabandon transaction\nfinish batch\n" L_GS "fault X12_CONTROL_TWICE 6 (GS06 is 7 again)\n" L_ST
             "fault X12_NO_SE\nabandon transaction\nfault X12_NO_GE\nabandon batch\nfinish interchange\nend\n" },
    { "missing GE before GS", ISA GS "GS*HP*S*R*20250101*1200*8*X*005010X221A1~GE*0*8~IEA*2*1~",
      L_ISA L_GS "fault X12_NO_GE\nabandon batch\nbegin batch 005010X221A1 #8 S>R\n" L_GE L_IEA L_END },
    { "missing IEA before ISA", ISA GS ST ISA_OF("|", "^", "00501", "000000002", ">!") "IEA|0|2!",
      L_HEAD "fault X12_NO_SE\nabandon transaction\nfault X12_NO_GE\nabandon batch\nfault X12_NO_IEA\nabandon interchange\n"
             "begin interchange 00501 #000000002 SENDER>RECEIVER 7c 3e 5e 21\n" L_IEA L_END },
    { "set outside a group", ISA "ST*835*0001*005010X221A1~" SE "IEA*0*1~",
      L_ISA "begin transaction 835 guide 0 005010X221A1 #0001\nfault X12_NO_GS\nsegment ST\n" L_SE L_IEA L_END },
    { "segments that stand nowhere, a run of them",
      ISA "BPR*1~CLP*1~TA1*1~" GS "CLP*2~CLP*3~SE*1*1~" ST                                   SE "GE*1*7~GE*1*7~IEA*1*1~",
      L_ISA "fault X12_STRAY\n" L_GS "fault X12_STRAY\nfault X12_MISPLACED (SE)\n" L_ST L_SE L_GE
            "fault X12_MISPLACED (GE)\n" L_IEA                                               L_END },
    { "acknowledgement and interconnect segments", ISA "ISB*1~TA1*000000001*250101*1200*A*000~TA3*1~ISE*1~IEA*0*1~",
      L_ISA L_IEA L_END },
    { "input ends inside the set", ISA GS ST "CLP*1~",
      L_HEAD "enter 2100\nsegment CLP\nfault X12_TRUNCATED\nabandon transaction\nabandon batch\nabandon interchange\nend\n" },
    { "input ends inside a segment", ISA GS "ST*835*00",
      L_ISA L_GS "fault X12_TRUNCATED\nabandon batch\nabandon interchange\nend\n" },
    { "input ends inside the group, the interchange", ISA GS ST SE,
      L_HEAD L_SE "fault X12_NO_GE\nabandon batch\nfault X12_NO_IEA\nabandon interchange\nend\n" },
    { "input ends inside the ISA", "ISA*00*          *00*   ", "fault X12_TRUNCATED 4\nend\n" },
    { "ISA alone", ISA, L_ISA "fault X12_NO_IEA\nabandon interchange\nend\n" },
    { "IEA without terminator", ISA GS ST SE GE "IEA*1*000000001", L_HEAD L_SE L_GE "fault X12_NO_TERMINATOR\n" L_IEA L_END },
    { "IEA without terminator, with a line end", ISA GS ST SE GE "IEA*1*000000001\r\n",
      L_HEAD L_SE L_GE "fault X12_NO_TERMINATOR\n" L_IEA L_END },
    { "bad segment ids", ISA GS ST "clp*1~N*1~CLAIM*1~C P*1~*1~\xc3\x84Z*1~SE*8*0001~" GE IEA,
      L_HEAD "fault X12_SEGMENT_ID\nfault X12_SEGMENT_ID\nfault X12_SEGMENT_ID\nfault X12_SEGMENT_ID\nfault "
             "X12_SEGMENT_ID\nfault X12_SEGMENT_ID\n" L_TAIL },
    { "segment of no guide", ISA GS ST "ZZ1*1~SE*3*0001~" GE IEA, L_HEAD "fault X12_UNKNOWN_SEGMENT\nsegment ZZ1 ?\n" L_TAIL },
    { "order, parents, repeats", ISA GS ST "PLB*1~BPR*1~SVC*1~SVC*1~SVC*1~SE*7*0001~" GE IEA,
      L_HEAD "segment PLB\nfault X12_ORDER\nsegment BPR\nenter 2100\nenter 2110\nfault X12_MISSING_PARENT\nsegment SVC\nleave "
             "2110\nenter 2110\nsegment SVC\n"
             "leave 2110\nenter 2110\nfault X12_REPEATS\nsegment SVC\nleave 2110\nleave 2100\n" L_TAIL },
    { "elements and components", ISA GS ST "BPR*1*2*3*4***~BPR*1*2*3*4**6~BPR*1*a:b~CLP*1*a:b*c~CLP*1*a*b:~SE*7*0001~" GE IEA,
      L_HEAD "segment BPR\nfault X12_TOO_MANY_ELEMENTS 6 (6 elements, the guide has 4)\nsegment BPR\nfault X12_COMPOSITE "
             "2\nsegment BPR\nenter 2100\nsegment CLP\n"
             "leave 2100\nenter 2100\nfault X12_COMPOSITE 3\nsegment CLP\nleave 2100\n" L_TAIL },
    { "what was a segment is none under other separators",
      ISA GS ST "CLP*1~CLP*1~CLP*1~CLP*1~CLP*1~SE*7*0001~" GE IEA ISA_OF(
          "|", "^", "00501", "000000002",
          ">!") "GS|HP|S|R|20250101|1200|7|X|005010X221A1!ST|835|0001!CLP|1!CLP|1!CLP|1!CLP*1!SE|6|0001!GE|1|7!IEA|1|000000002!",
      L_HEAD "enter 2100\nsegment CLP\n" L_CLP L_CLP L_CLP L_CLP "leave 2100\n" L_SE L_GE L_IEA
             "begin interchange 00501 #000000002 SENDER>RECEIVER 7c 3e 5e 21\n" L_GS L_ST "enter 2100\nsegment CLP\n" L_CLP L_CLP
             "fault X12_SEGMENT_ID\nleave 2100\n" L_TAIL },
    { "what was a segment is none with another qualifier behind the same beginning",
      ISA "GS*PC*S*R*20250101*1200*7*X*004010~ST*860*0001~REF*A:X~REF*A:X~REF*A:X~REF*A:X~REF*A:Y~SE*7*0001~" GE IEA,
      L_ISA "begin batch 004010 #7 S>R\nbegin transaction 860 guide 5 004010 #0001\nsegment ST\nsegment REF\nsegment "
            "REF\nsegment REF\nsegment REF\nfault X12_UNKNOWN_SEGMENT\nsegment REF ?\n" L_TAIL },
    { "wrapped segments", ISA GS "ST*83\n5*00\r\n01~CL\nP*1~SE*3*0001~" GE IEA,
      L_ISA L_GS "begin transaction 835 guide 0 005010X221A1 #0001\nsegment lines ST\nenter 2100\nsegment lines CL\nP\nleave "
                 "2100\n" L_TAIL },
    { "binary segment", ISA GS ST "CLP*1~BIN*9*a~b*c:\nSE~SE*4*0001~" GE IEA,
      L_HEAD "enter 2100\nsegment CLP\nsegment BIN\nleave 2100\n" L_TAIL },
    { "binary segment that the guide names", ISA GS ST "CLP*1~XYZ*a*5*~~~~~~SE*4*0001~" GE IEA,
      L_HEAD "enter 2100\nsegment CLP\nsegment XYZ\nleave 2100\n" L_TAIL },
    { "binary segments of a set that is not mapped",
      ISA "GS*HP*S*R*20250101*1200*7*X*005010X999~" ST "BIN*4*~SE*~BDS*ASC*3*~~~~SE*4*0001~" GE IEA,
      L_ISA "begin batch 005010X999 #7 S>R\nbegin transaction 835 guide -1 005010X999 #0001\nfault X12_UNMAPPED_SET\nfinish "
            "transaction\n" L_GE L_IEA L_END },
    { "length of a binary segment is too short, too long, no number",
      ISA GS ST "CLP*1~BIN*2*abc~BIN*x*abc~BIN~BIN*5~BIN*9999999999999999999*a~BIN*0*~SE*9*0001~" GE IEA,
      L_HEAD "enter 2100\nsegment CLP\nfault X12_BIN 1 (element 1 is 2, the data has 3 bytes)\nsegment BIN\n"
             "fault X12_BIN (element 1 is no length within the limit)\nsegment BIN\nfault X12_BIN (element 1 is no length within "
             "the limit)\nsegment BIN\n"
             "fault X12_BIN (element 1 is no length within the limit)\nsegment BIN\nfault X12_BIN (element 1 is no length within "
             "the limit)\nsegment BIN\nsegment BIN\nleave 2100\n" L_TAIL },
    { "input ends inside a binary segment", ISA GS ST "BIN*99*abc~",
      L_HEAD "fault X12_TRUNCATED\nabandon transaction\nabandon batch\nabandon interchange\nend\n" },
    { "set that no source lists", ISA "GS*IN*S*R*20250101*1200*7*X*004010~ST*810*0001~BIG*1~xx~ZZZZ*1~SE*5*0001~GE*1*7~" IEA,
      L_ISA "begin batch 004010 #7 S>R\nbegin transaction 810 guide -1 004010 #0001\nfault X12_UNMAPPED_SET\nfault "
            "X12_SEGMENT_ID\nfault X12_SEGMENT_ID\n"
            "finish transaction\n" L_GE L_IEA L_END },
    { "guide by family, by ST03, by release",
      ISA "GS*HP*S*R*20250101*1200*7*X*005010X221~" ST SE
          "ST*835*0002*004010X091~SE*2*0002~ST*835*0003*005010X222~SE*2*0003~GE*3*7~" IEA,
      L_ISA "begin batch 005010X221 #7 S>R\nbegin transaction 835 guide 0 005010X221 #0001\nsegment ST\n" L_SE
            "begin transaction 835 guide 1 004010X091 #0002\nsegment ST\n" L_SE
            "begin transaction 835 guide -1 005010X222 #0003\nfault X12_UNMAPPED_SET\nfinish transaction\n" L_GE L_IEA L_END },
    { "bare release: one guide fits", ISA "GS*HP*S*R*20250101*1200*7*X*005010~" ST TAIL,
      L_ISA "begin batch 005010 #7 S>R\nbegin transaction 835 guide 0 005010 #0001\nfault X12_GUIDE_ASSUMED (read as "
            "005010X221A1)\nsegment ST\n" L_TAIL },
    { "bare release: two fit; wrong functional id",
      ISA "GS*HC*S*R*20250101*1200*7*X*005010~ST*837*0001~SE*2*0001~ST*835*0002~SE*2*0002~GE*2*7~" IEA,
      L_ISA "begin batch 005010 #7 S>R\nbegin transaction 837 guide -1 005010 #0001\nfault X12_UNMAPPED_SET\nfinish transaction\n"
            "begin transaction 835 guide -1 005010 #0002\nfault X12_UNMAPPED_SET\nfinish transaction\n" L_GE L_IEA L_END },
    { "a guide whose version is a bare release", ISA "GS*PO*S*R*20250101*1200*7*X*004010~ST*850*0001~BEG*1~SE*3*0001~GE*1*7~" IEA,
      L_ISA "begin batch 004010 #7 S>R\nbegin transaction 850 guide 4 004010 #0001\nsegment ST\nsegment BEG\n" L_TAIL },
    { "release with the name of an industry", ISA "GS*PO*S*R*20250101*1200*7*X*004010VICS~ST*850*0001~SE*2*0001~GE*1*7~" IEA,
      L_ISA "begin batch 004010VICS #7 S>R\nbegin transaction 850 guide 4 004010VICS #0001\nfault X12_GUIDE_ASSUMED (read as "
            "004010)\nsegment ST\n" L_TAIL },
    { "a count that is none could be anything, and is not repeated", ISA GS ST "CLP*1~SE*SMITH*0001~" GE IEA,
      L_HEAD
      "enter 2100\nsegment CLP\nleave 2100\nsegment SE\nfault X12_SE01 1 (SE01 is ?, read 3)\nfinish transaction\n" L_GE L_IEA
          L_END },
    { "SE is not in the guide's place: loops end all the same", ISA GS ST "CLP*1~SE~" GE IEA,
      L_HEAD "enter 2100\nsegment CLP\nleave 2100\nsegment SE\nfault X12_SE01 (SE01 is -, read 3)\nfault X12_SE02 (SE02 is -, "
             "ST02 is 0001)\nfinish transaction\n" L_GE L_IEA L_END },
};

static struct event_log log_of(const shunt_plan *plan, const char *input, size_t size, size_t step, unsigned flags,
                               const shunt_x12_options *options)
{
    struct event_log log;
    event_log_run(&log, shunt_x12_reader_new(&shunt_memory_libc, plan, options), plan, input, size, event_log_cut_fixed, &step,
                  flags, true);
    return log;
}

START_TEST(same_events_at_every_cut)
{
    struct plan_builder *b = plan_build(guides);
    size_t               size = strlen(cases[_i].input);
    struct event_log     whole = log_of(plan_of(b), cases[_i].input, size, size + 1, EVENT_LOG_PLACES | EVENT_LOG_ELEMENTS, NULL);
    for (size_t step = 1; step <= size + 1; step++) {
        struct event_log log = log_of(plan_of(b), cases[_i].input, size, step, 0, NULL);
        ck_assert_msg(strcmp(log.text, cases[_i].log) == 0, "%s, step %zu:\n%s", cases[_i].name, step, log.text);
        event_log_done(&log);
        log = log_of(plan_of(b), cases[_i].input, size, step, EVENT_LOG_PLACES | EVENT_LOG_ELEMENTS, NULL);
        ck_assert_msg(strcmp(log.text, whole.text) == 0, "%s, step %zu:\n%s", cases[_i].name, step, log.text);
        event_log_done(&log);
    }
    event_log_done(&whole);
    plan_free(b);
}
END_TEST

/* Two pieces, cut at each place. */
static size_t cut_once(void *at, size_t left)
{
    size_t first = *(size_t *)at;
    *(size_t *)at = left;
    return first ? first : left;
}

START_TEST(same_events_for_two_pieces)
{
    struct plan_builder *b = plan_build(guides);
    size_t               size = strlen(cases[_i].input);
    for (size_t at = 1; at < size; at++) {
        struct event_log log;
        size_t           context = at;
        event_log_run(&log, shunt_x12_reader_new(&shunt_memory_libc, plan_of(b), NULL), plan_of(b), cases[_i].input, size,
                      cut_once, &context, 0, true);
        ck_assert_msg(strcmp(log.text, cases[_i].log) == 0, "%s, cut at %zu:\n%s", cases[_i].name, at, log.text);
        event_log_done(&log);
    }
    plan_free(b);
}
END_TEST

/* ---- places ---- */

START_TEST(places)
{
    static const char input[] = "x\n" ISA GS "\n" ST "CLP*1*a~\n SVC*HC:1~SE*9*0001~" GE IEA;
    static const char    want[] = "fault X12_LEADING_TEXT @0+2/0..2\n"
                                  "begin interchange 00501 #000000001 SENDER>RECEIVER 2a 3a 5e 7e @2+105/0..108\n"
                                  "begin batch 005010X221A1 #7 S>R @108+40/0..149\n"
                                  "begin transaction 835 guide 0 005010X221A1 #0001 @150+11/1..162\n"
                                  "segment ST node 0 @150+11/1..162\n"
                                  "enter 2100 @162+7/2..170\n"
                                  "segment CLP node 2 @162+7/2..170\n"
                                  "enter 2110 @172+8/3..181\n"
                                  "segment SVC node 5 @172+8/3..181\n"
                                  "leave 2110 @181+9/4..181\n"
                                  "leave 2100 @181+9/4..181\n"
                                  "segment SE node 7 @181+9/4..191\n"
                                  "fault X12_SE01 1 (SE01 is 9, read 4) @184+1/4..191\n"
                                  "finish transaction @181+9/4..191\n"
                                  "finish batch @191+6/0..198\n"
                                  "finish interchange @198+15/0..214\n"
                                  "end @214+0/0..214\n";
    struct plan_builder *b = plan_build(guides);
    struct event_log     log = log_of(plan_of(b), input, strlen(input), 11, EVENT_LOG_PLACES, NULL);
    ck_assert_str_eq(log.text, want);
    event_log_done(&log);
    plan_free(b);
}
END_TEST

/* ---- limits ---- */

static const struct {
    const char *name, *input, *log;
} limited[] = {
    { "a long segment is passed over and counted",
      ISA GS ST "CLP*0123456789012345678901234567890123456789012345678901234567890123456789~BPR*1~SE*4*0001~" GE IEA,
      L_HEAD "fault X12_SEGMENT_LENGTH (the limit is 64 bytes)\nsegment BPR\n" L_TAIL },
    { "one of just the limit is not",
      ISA GS ST "BPR*012345678901234567890123456789012345678901234567890123456789~SE*3*0001~" GE IEA,
      L_HEAD "segment BPR\n" L_TAIL },
    { "input ends in a long segment", ISA GS ST "CLP*0123456789012345678901234567890123456789012345678901234567890123456789",
      L_HEAD "fault X12_SEGMENT_LENGTH (the limit is 64 bytes)\nfault X12_TRUNCATED\nabandon transaction\nabandon batch\nabandon "
             "interchange\nend\n" },
    { "too many elements", ISA GS ST "BPR*1*2*3*4*5*6*7*8*9*A*B*C*D*E*F*G*H~BPR*~SE*4*0001~" GE IEA,
      L_HEAD "fault X12_ELEMENTS (17, the limit is 16)\nsegment BPR\n" L_TAIL },
    { "long binary data is passed over",
      ISA GS                                                                                                              ST
      "CLP*1~BIN*80*~SE*SE~6789012345678901234567890123456789012345678901234567890123456789012345678901234~SE*4*0001~" GE IEA,
      L_HEAD "enter 2100\nsegment CLP\nfault X12_SEGMENT_LENGTH (the limit is 64 bytes)\nleave 2100\n" L_TAIL },
    { "a binary length beyond its limit", ISA GS ST "CLP*1~BIN*101*~SE*4*0001~" GE IEA,
      L_HEAD
      "enter 2100\nsegment CLP\nfault X12_BIN (element 1 is no length within the limit)\nsegment BIN\nleave 2100\n" L_TAIL },
    { "an ISA too far in the input", "0123456789012345678901234567890123456789 " ISA GS ST TAIL, "fault X12_NO_ISA\nend\n" },
    { "an ISA just near enough", "012345678901234567890123456789\n\n" ISA GS ST TAIL, "fault X12_LEADING_TEXT\n" L_HEAD L_TAIL },
    { "blanks before a segment are no part of it",
      ISA GS ST "                                                                          BPR*1~SE*3*0001~" GE IEA,
      L_HEAD "segment BPR\n" L_TAIL },
};

START_TEST(limits)
{
    static const shunt_x12_options options = {
        .max_segment_bytes = 64, .max_elements = 16, .max_binary_bytes = 100, .max_leading_bytes = 32
    };
    struct plan_builder *b = plan_build(guides);
    size_t               size = strlen(limited[_i].input);
    for (size_t step = 1; step <= size + 1; step++) {
        struct event_log log = log_of(plan_of(b), limited[_i].input, size, step, 0, &options);
        ck_assert_msg(strcmp(log.text, limited[_i].log) == 0, "%s, step %zu:\n%s", limited[_i].name, step, log.text);
        event_log_done(&log);
    }
    plan_free(b);
}
END_TEST

/* Segments longer than the window of the index, and more of them than a window holds. */
START_TEST(large_segments_and_many)
{
    struct plan_builder *b = plan_build(guides);
    enum { LONG = 100000, MANY = 30000 };
    char *input = malloc(2 * LONG + MANY * 16 + 4096), *at = input;
    ck_assert_ptr_nonnull(input);
    at += sprintf(at, "%s%s%sCLP*", ISA, GS, ST);
    for (int i = 0; i < LONG / 10; i++) at += sprintf(at, "%s", i % 1000 ? "012345678\n" : "01234567:*");
    at += sprintf(at, "~BIN*%d*", LONG);
    memset(at, '~', LONG);
    at += LONG;
    at += sprintf(at, "~");
    for (int i = 0; i < MANY; i++) at += sprintf(at, "BPR*%d*x~\r\n", i);
    at += sprintf(at, "SE*%d*0001~%s%s", MANY + 4, GE, IEA);
    struct event_log whole =
        log_of(plan_of(b), input, (size_t)(at - input), 1 << 20, EVENT_LOG_PLACES | EVENT_LOG_ELEMENTS, NULL);
    ck_assert_ptr_null(strstr(whole.text, "SE01"));
    ck_assert_ptr_nonnull(strstr(whole.text, "segment lines CLP|01234567:|012345678\n012345678\n"));
    ck_assert_ptr_nonnull(strstr(whole.text, "segment BPR|29999|x node 1"));
    ck_assert_ptr_nonnull(strstr(whole.text, "finish interchange"));
    static const size_t steps[] = { 7, 511, 4096, 32767, 32768, 32769, 65536, 131072 };
    for (size_t i = 0; i < SHUNT_COUNT(steps); i++) {
        struct event_log log =
            log_of(plan_of(b), input, (size_t)(at - input), steps[i], EVENT_LOG_PLACES | EVENT_LOG_ELEMENTS, NULL);
        ck_assert_msg(log.hash == whole.hash, "step %zu", steps[i]);
        event_log_done(&log);
    }
    event_log_done(&whole);
    free(input);
    plan_free(b);
}
END_TEST

/* An endless segment, endless text: memory stays where the limit is. */
START_TEST(memory_is_bounded)
{
    struct plan_builder *b = plan_build(guides);
    for (int kind = 0; kind < 3; kind++) {
        struct test_memory m;
        char               piece[4096];
        shunt_event        e;
        test_memory_init(&m, 0);
        shunt_reader *reader = shunt_x12_reader_new(&m.memory, plan_of(b), NULL);
        const char   *head = kind == 0 ? ISA GS ST "CLP*" : kind == 1 ? ISA GS ST TAIL : ISA GS ST "BIN*60000000*";
        memset(piece, kind == 1 ? 'I' : 'x', sizeof piece);
        reader->ops->feed(reader, (const uint8_t *)head, strlen(head), false);
        for (int i = 0; i < 5000;) {
            shunt_step step = reader->ops->next(reader, &e);
            ck_assert_int_ne(step, SHUNT_STEP_FAILED);
            if (step != SHUNT_STEP_NEED_INPUT) continue;
            reader->ops->feed(reader, (const uint8_t *)piece, sizeof piece, false);
            i++;
        }
        ck_assert_uint_lt(m.peak_bytes, 4 << 20);
        reader->ops->free(reader);
        ck_assert_uint_eq(m.blocks, 0);
    }
    plan_free(b);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    struct plan_builder *b = plan_build(guides);
    char                 input[16384] = ISA, *at = input + strlen(input);
    for (int g = 0; g < 40; g++) {
        at += sprintf(at, "GS*HP*S*R*20250101*1200*%d*X*005010X221A1~", g);
        for (int s = 0; s < (g ? 1 : 40); s++) at += sprintf(at, "ST*835*%d~CLP*1*%0*d~SE*3*%d~", s, s * 4 + 1, 0, s);
        at += sprintf(at, "GE*1*%d~", g);
    }
    at += sprintf(at, "IEA*40*1~");
    size_t failures = 0;
    for (size_t n = 1;; n++) {
        struct test_memory m;
        struct event_log   log;
        size_t             step = 37;
        test_memory_init(&m, n);
        shunt_reader *reader = shunt_x12_reader_new(&m.memory, plan_of(b), NULL);
        bool          failed = !reader;
        if (reader) {
            event_log_run(&log, reader, plan_of(b), input, (size_t)(at - input), event_log_cut_fixed, &step, 0, true);
            failed = strstr(log.text, "failed NO_MEMORY\n") != NULL;
            ck_assert(failed || strstr(log.text, "finish interchange\nend\n"));
            event_log_done(&log);
        }
        ck_assert_uint_eq(m.blocks, 0);
        failures += failed;
        if (!failed) break;
    }
    ck_assert_uint_gt(failures, 6);
    plan_free(b);
}
END_TEST

/* Past the end the answer stays, and what is fed is not looked at. */
START_TEST(end_is_the_end)
{
    struct plan_builder *b = plan_build(guides);
    shunt_reader        *reader = shunt_x12_reader_new(&shunt_memory_libc, plan_of(b), NULL);
    shunt_event          e;
    ck_assert_str_eq(reader->ops->name, "x12");
    ck_assert_int_eq(reader->ops->next(reader, &e), SHUNT_STEP_NEED_INPUT);
    ck_assert_int_eq(reader->ops->next(reader, &e), SHUNT_STEP_NEED_INPUT);
    reader->ops->feed(reader, NULL, 0, false);
    ck_assert_int_eq(reader->ops->next(reader, &e), SHUNT_STEP_NEED_INPUT);
    reader->ops->feed(reader, (const uint8_t *)"", 0, true);
    ck_assert_int_eq(reader->ops->next(reader, &e), SHUNT_STEP_FAULT);
    ck_assert_int_eq(reader->ops->next(reader, &e), SHUNT_STEP_END);
    reader->ops->feed(reader, (const uint8_t *)ISA, strlen(ISA), true);
    ck_assert_int_eq(reader->ops->next(reader, &e), SHUNT_STEP_END);
    reader->ops->free(reader);
    plan_free(b);
}
END_TEST

/* ---- random bytes made of what matters ---- */

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

static size_t cut_random(void *state, size_t left)
{
    uint32_t r = next_random(state);
    return r % 5 == 0 ? left : 1 + r % (r % 3 ? 9 : 300);
}

START_TEST(random_mixtures_are_the_same_at_every_cut)
{
    static const char *const       parts[] = { ISA,
                                               GS,
                                               ST,
                                               SE,
                                               GE,
                                               IEA,
                                               "CLP*1~",
                                               "SVC*A:B*1~",
                                               "BIN*3*~~~~",
                                               "BIN*30*",
                                               "~",
                                               "\n",
                                               "\r\n",
                                               "*",
                                               ":",
                                               "^",
                                               "x",
                                               "ISA",
                                               "ISA*",
                                               "\xef\xbb\xbf",
                                               "IEA*1",
                                               "  ",
                                               ISA_OF("|", "!", "00501", "000000002", ">\r"),
                                               "GS|HP|1|2|3|4|5|6|005010X221A1\r",
                                               "ST|835|1\r",
                                               "SE|2|1\r",
                                               "0123456789",
                                               "\xc2",
                                               "\xa6",
                                               "PLB*1*2*3~",
                                               "XYZ*1*2*~~~" };
    struct plan_builder           *b = plan_build(guides);
    static const shunt_x12_options small = {
        .max_segment_bytes = 48, .max_elements = 5, .max_binary_bytes = 99, .max_leading_bytes = 20
    };
    uint64_t random = 500u + (unsigned)_i;
    for (int round = 0; round < 300; round++) {
        char   input[4096];
        size_t size = 0, count = next_random(&random) % 40;
        for (size_t i = 0; i < count; i++) {
            const char *part = parts[round % 2 && i < 3 ? i : next_random(&random) % SHUNT_COUNT(parts)];
            size_t      length = strlen(part);
            if (length > 10 && next_random(&random) % 4 == 0) length -= next_random(&random) % length; /* damaged */
            memcpy(input + size, part, length);
            size += length;
        }
        const shunt_x12_options *options = round % 3 ? NULL : &small;
        struct event_log         whole = log_of(plan_of(b), input, size, size + 1, 3, options);
        for (int i = 0; i < 6; i++) {
            struct event_log log;
            event_log_run(&log, shunt_x12_reader_new(&shunt_memory_libc, plan_of(b), options), plan_of(b), input, size,
                          cut_random, &random, 3, true);
            ck_assert_msg(log.hash == whole.hash, "%.*s\nwhole:\n%s\nin pieces:\n%s", (int)size, input, whole.text, log.text);
            event_log_done(&log);
        }
        event_log_done(&whole);
    }
    plan_free(b);
}
END_TEST

/* ---- real files, where they are at hand ---- */

static const struct plan_builder *corpus_plan;
static size_t                     corpus_files;

static void check_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s", path);
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(size + 1);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(fread(bytes, 1, size, file), size);
    fclose(file);
    struct event_log  whole, log;
    uint64_t          random = size;
    size_t            all = size + 1;
    const shunt_plan *plan = plan_of(corpus_plan);
    event_log_run(&whole, shunt_x12_reader_new(&shunt_memory_libc, plan, NULL), plan, bytes, size, event_log_cut_fixed, &all, 3,
                  false);
    for (int i = 0; i < 4; i++) {
        event_log_run(&log, shunt_x12_reader_new(&shunt_memory_libc, plan, NULL), plan, bytes, size, cut_random, &random, 3,
                      false);
        ck_assert_msg(log.hash == whole.hash && log.events == whole.events, "%s: other events when cut", path);
    }
    free(bytes);
    corpus_files++;
}

static void check_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    if (!dir) return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        char        path[1024];
        struct stat info;
        if (entry->d_name[0] == '.' || strstr(entry->d_name, ".json") || strcmp(entry->d_name, "INDEX.tsv") == 0) continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (stat(path, &info) != 0) continue;
        if (S_ISDIR(info.st_mode))
            check_folder(path);
        else
            check_file(path);
    }
    closedir(dir);
}

START_TEST(real_files_at_random_cuts)
{
    const char *shared = getenv("SHUNT_SHARED");
    char        folder[1024];
    if (!shared || !*shared) {
        fprintf(stderr, "SKIPPED: real_files_at_random_cuts: SHUNT_SHARED does not say where the corpus is\n");
        return;
    }
    struct plan_builder *b = plan_build(guides);
    corpus_plan = b;
    snprintf(folder, sizeof folder, "%s/corpus/x12", shared);
    check_folder(folder);
    ck_assert_msg(corpus_files > 0, "no files in %s", folder);
    plan_free(b);
}
END_TEST

/* Numbers that count up are known by their ends, others by their hash: together they tell each repetition. */
START_TEST(control_numbers_out_of_turn)
{
    static const struct {
        const char *number;
        bool        again;
    } steps[] = { { "0001", false }, { "0002", false }, { "0005", false }, { "0003", false }, { "0005", true }, { "0004", false },
                  { "0002", true },  { "0003", true },  { "0004", true },  { "2", false },    { "2", true },    { "A1", false },
                  { "A1", true },    { "0005", true },  { "0006", false }, { "0006", true } };
    static const uint8_t seed[16] = { 7 };
    shunt_hash_key       key;
    shunt_x12_seen       seen = { 0 };
    shunt_hash_key_init(&key, seed);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < SHUNT_COUNT(steps); i++) {
            bool       again = false;
            shunt_text number = shunt_text_of(steps[i].number);
            if (!shunt_x12_seen_counting(&seen, number, &again))
                ck_assert_int_eq(
                    shunt_x12_seen_add(&seen, &shunt_memory_libc, shunt_hash64(&key, number.bytes, number.length), &again),
                    SHUNT_OK);
            ck_assert_msg(again == steps[i].again, "%zu: %s", i, steps[i].number);
        }
        shunt_x12_seen_clear(&seen, &shunt_memory_libc);
    }
    shunt_x12_seen_done(&seen, &shunt_memory_libc);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("x12_reader");
    TCase *tc = tcase_create("x12_reader");
    tcase_set_timeout(tc, 300);
    tcase_add_loop_test(tc, same_events_at_every_cut, 0, SHUNT_COUNT(cases));
    tcase_add_loop_test(tc, same_events_for_two_pieces, 0, SHUNT_COUNT(cases));
    tcase_add_test(tc, places);
    tcase_add_test(tc, control_numbers_out_of_turn);
    tcase_add_loop_test(tc, limits, 0, SHUNT_COUNT(limited));
    tcase_add_test(tc, large_segments_and_many);
    tcase_add_test(tc, memory_is_bounded);
    tcase_add_test(tc, every_allocation_may_fail);
    tcase_add_test(tc, end_is_the_end);
    tcase_add_loop_test(tc, random_mixtures_are_the_same_at_every_cut, 0, 8);
    tcase_add_test(tc, real_files_at_random_cuts);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
