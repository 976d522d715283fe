/* Every instruction and built-in by small programs: source, tree, what the host hears and how it ends. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/vm/state.h"
#include "tests/support/asm.h"
#include "tests/support/test_memory.h"

struct test_case {
    const char *name, *source, *tree, *log;
};

#define F(registers, code)            "function f 0 none : " registers "\n" code
#define RESULT(type, registers, code) "function f 0 " type " : " type " " registers "\n" code "RETURN 0\n"

/* One node of a loop with a value of each conversion, two children. */
#define FRAMES                                                                                                                   \
    "codes status 1 2 22\n"                                                                                                      \
    "frame CAS group group:text reason:text amount:dec2 quantity:dec0\n"                                                         \
    "frame LQ group remark:text\n"                                                                                               \
    "frame 2110 loop SVC01:text DTM:date > CAS LQ\n"                                                                             \
    "frame 2100 loop unit CLP01!:text CLP02=status:text CLP03!:dec2 N2:n2:2 QTY:int DAY:date NOTE:text MOA:text > CAS 2110\n"    \
    "frame 835 set BPR16:date TRN02:text > 2100\n"

static const struct test_case cases[] = {
    /* moving */
    { "NOP", RESULT("int", "", "NOP\nLOADK 0 int:7\n"), NULL, "result 7\n" },
    { "COVER where nobody asks", RESULT("int", "", "COVER 9\nLOADK 0 int:7\n"), NULL, "result 7\n" },
    { "MOVE", RESULT("int", "int", "LOADK 1 int:5\nMOVE 0 1\n"), NULL, "result 5\n" },
    { "MOVE keeps absence", RESULT("int", "int", "LOADK 0 int:5\nMOVE 0 1\n"), NULL, "result absent\n" },
    { "registers begin absent", RESULT("int", "", ""), NULL, "result absent\n" },
    { "LOADK text", RESULT("text", "", "LOADK 0 \"a b\"\n"), NULL, "result a b\n" },
    { "LOADK money", RESULT("usd2", "", "LOADK 0 usd2:-0.05\n"), NULL, "result -0.05\n" },
    { "LOADK date", RESULT("date", "", "LOADK 0 date:2024-02-29\n"), NULL, "result 2024-02-29\n" },
    { "LOADK enum", "enum lane a b c\n" RESULT("enum:lane", "", "LOADK 0 enum:lane:2\n"), NULL, "result c\n" },
    { "ABSENT", RESULT("int", "", "LOADK 0 int:5\nABSENT 0\n"), NULL, "result absent\n" },
    { "RETYPE money to decimal", RESULT("dec2", "usd2", "LOADK 1 usd2:1.50\nRETYPE 0 1\n"), NULL, "result 1.50\n" },
    { "RETYPE enum to number", "enum lane a b c\n" RESULT("int", "enum:lane", "LOADK 1 enum:lane:1\nRETYPE 0 1\n"), NULL,
      "result 1\n" },
    { "globals", "global text\n" RESULT("text", "text", "LOADK 1 \"g\"\nGLOBAL_SET 1 0\nGLOBAL_GET 0 0\n"), NULL, "result g\n" },
    { "global not set", "global text\n" RESULT("text", "", "GLOBAL_GET 0 0\n"), NULL, "result absent\n" },
    /* control */
    { "JUMP", RESULT("int", "", "LOADK 0 int:1\nJUMP @over\nLOADK 0 int:2\nover:\n"), NULL, "result 1\n" },
    { "JUMP_TRUE taken", RESULT("int", "bool", "LOADK 0 int:1\nLOADK 1 bool:1\nJUMP_TRUE 1 @over\nLOADK 0 int:2\nover:\n"), NULL,
      "result 1\n" },
    { "JUMP_TRUE on false", RESULT("int", "bool", "LOADK 0 int:1\nLOADK 1 bool:0\nJUMP_TRUE 1 @over\nLOADK 0 int:2\nover:\n"),
      NULL, "result 2\n" },
    { "JUMP_TRUE on absent", RESULT("int", "bool", "LOADK 0 int:1\nJUMP_TRUE 1 @over\nLOADK 0 int:2\nover:\n"), NULL,
      "result 2\n" },
    { "JUMP_FALSE on false", RESULT("int", "bool", "LOADK 0 int:1\nLOADK 1 bool:0\nJUMP_FALSE 1 @over\nLOADK 0 int:2\nover:\n"),
      NULL, "result 1\n" },
    { "JUMP_FALSE on true", RESULT("int", "bool", "LOADK 0 int:1\nLOADK 1 bool:1\nJUMP_FALSE 1 @over\nLOADK 0 int:2\nover:\n"),
      NULL, "result 2\n" },
    { "JUMP_FALSE on absent", RESULT("int", "bool", "LOADK 0 int:1\nJUMP_FALSE 1 @over\nLOADK 0 int:2\nover:\n"), NULL,
      "result 1\n" },
    { "JUMP_PRESENT", RESULT("int", "text", "LOADK 0 int:1\nLOADK 1 \"\"\nJUMP_PRESENT 1 @over\nLOADK 0 int:2\nover:\n"), NULL,
      "result 1\n" },
    { "JUMP_PRESENT on absent", RESULT("int", "text", "LOADK 0 int:1\nJUMP_PRESENT 1 @over\nLOADK 0 int:2\nover:\n"), NULL,
      "result 2\n" },
    { "JUMP_ABSENT", RESULT("int", "text", "LOADK 0 int:1\nJUMP_ABSENT 1 @over\nLOADK 0 int:2\nover:\n"), NULL, "result 1\n" },
    { "JUMP_ABSENT on present",
      RESULT("int", "text", "LOADK 0 int:1\nLOADK 1 \"x\"\nJUMP_ABSENT 1 @over\nLOADK 0 int:2\nover:\n"), NULL, "result 2\n" },
    { "JUMP_CLEARED on absent", RESULT("int", "text", "LOADK 0 int:1\nJUMP_CLEARED 1 @over\nLOADK 0 int:2\nover:\n"), NULL,
      "result 2\n" },
    { "IS_STATE", RESULT("bool", "text", "IS_STATE 0 1 1\n"), NULL, "result true\n" },
    { "IS_STATE is present", RESULT("bool", "text", "IS_STATE 0 1 0\n"), NULL, "result false\n" },
    { "CALL",
      "function twice 1 int : int int\nINT_ADD 1 0 0\nRETURN 1\n" RESULT("int", "int int",
                                                                         "LOADK 1 int:21\nCALL 1 twice\nMOVE 0 2\n"),
      NULL, "result 42\n" },
    { "CALL passes absence",
      "function same 1 int : int\nRETURN 0\n" RESULT("int", "int int", "LOADK 2 int:1\nCALL 1 same\nMOVE 0 2\n"), NULL,
      "result absent\n" },
    { "CALL leaves what is above alone",
      "function g 0 int : int int int\nLOADK 0 int:1\nLOADK 1 int:2\nLOADK 2 int:3\nRETURN 2\n" RESULT(
          "int", "int int", "LOADK 2 int:9\nCALL 1 g\nINT_ADD 0 1 2\n"),
      NULL, "result 12\n" },
    { "registers of a call begin absent",
      "function g 1 int : int int\nJUMP_PRESENT 1 @old\nMOVE 1 0\nRETURN 1\nold:\nLOADK 1 int:-1\nRETURN 1\n" RESULT(
          "int", "int int int int", "LOADK 1 int:5\nCALL 1 g\nLOADK 3 int:6\nCALL 3 g\nMOVE 0 4\n"),
      NULL, "result 6\n" },
    { "three deep",
      "function a 1 int : int int\nINT_ADD 1 0 0\nRETURN 1\nfunction b 1 int : int int\nCALL 0 a\nCALL 0 a\nRETURN 1\n"
      "function c 1 int : int int int\nCALL 0 b\nINT_ADD 2 0 1\nRETURN 2\n" RESULT("int", "int int",
                                                                                   "LOADK 1 int:3\nCALL 1 c\nMOVE 0 2\n"),
      NULL, "result 9\n" },
    { "FINISH", F("", "FINISH\n"), NULL, "done\n" },
    { "EXIT", "code BAD\nexit reject unit BAD\n" F("text", "LOADK 0 \"why\"\nEXIT 0 0\n"), NULL, "exit BAD \"why\"\n" },
    { "EXIT without a message", "code BAD\nexit quarantine transaction BAD\n" F("text", "EXIT 0 0\n"), NULL, "exit BAD\n" },
    { "EXIT says where",
      FRAMES "code BAD\nexit reject unit BAD CLP03 r0\n"
             "function f 1 none : node:2100 text\nEXIT 0 1\n",
      "2100 CLP03=7.5\n", "exit BAD at CLP03=7.5\n" },
    { "EXIT where a value is missing",
      FRAMES "code BAD\nexit reject unit BAD CLP03 r0\n"
             "function f 1 none : node:2100 text\nEXIT 0 1\n",
      "2100\n", "exit BAD at CLP03\n" },
    { "EXIT skip", "exit skip unit -\n" F("text", "EXIT 0 0\n"), NULL, "exit skip\n" },
    { "EXIT in a call", "code BAD\nexit reject unit BAD\nfunction g 0 int : int text\nEXIT 0 1\n" F("int", "CALL 0 g\nFINISH\n"),
      NULL, "exit BAD\n" },
    { "WARN", "code ODD\nexit warn unit ODD\n" F("text", "LOADK 0 \"m\"\nWARN 0 0\nWARN 0 0\nFINISH\n"), NULL,
      "warn ODD \"m\"\nwarn ODD \"m\"\ndone\n" },
    { "NOTE once", "code ODD\nexit warn unit ODD\n" F("", "NOTE 0\nNOTE 0\nFINISH\n"), NULL, "warn ODD\ndone\n" },
    { "REQUIRE present", F("int", "LOADK 0 int:1\nREQUIRE 0 -\nFINISH\n"), NULL, "done\n" },
    { "REQUIRE absent", F("int", "REQUIRE 0 -\nFINISH\n"), NULL, "fail REQUIRED_MISSING\n" },
    { "REQUIRE says where",
      FRAMES "exit skip unit - CLP03 r0\n"
             "function f 1 none : node:2100 text\nREQUIRE 1 0\nFINISH\n",
      "2100 CLP03=1\n", "fail REQUIRED_MISSING at CLP03=1\n" },
    { "UNMATCHED", F("", "UNMATCHED\n"), NULL, "fail CODE_UNMATCHED\n" },
    /* bool, int */
    { "NOT", RESULT("bool", "bool", "LOADK 1 bool:0\nNOT 0 1\n"), NULL, "result true\n" },
    { "NOT of absent", RESULT("bool", "bool", "NOT 0 1\n"), NULL, "result absent\n" },
    { "BOOL_EQ", RESULT("bool", "bool bool", "LOADK 1 bool:0\nLOADK 2 bool:0\nBOOL_EQ 0 1 2\n"), NULL, "result true\n" },
    { "INT_ADD", RESULT("int", "int int", "LOADK 1 int:2\nLOADK 2 int:-5\nINT_ADD 0 1 2\n"), NULL, "result -3\n" },
    { "INT_ADD overflow", RESULT("int", "int int", "LOADK 1 int:9223372036854775807\nLOADK 2 int:1\nINT_ADD 0 1 2\n"), NULL,
      "fail OVERFLOW\n" },
    { "INT_ADD with absent", RESULT("int", "int int", "LOADK 0 int:1\nLOADK 1 int:2\nINT_ADD 0 1 2\n"), NULL, "result absent\n" },
    { "INT_SUB", RESULT("int", "int int", "LOADK 1 int:2\nLOADK 2 int:5\nINT_SUB 0 1 2\n"), NULL, "result -3\n" },
    { "INT_SUB overflow", RESULT("int", "int int", "LOADK 1 int:-9223372036854775808\nLOADK 2 int:1\nINT_SUB 0 1 2\n"), NULL,
      "fail OVERFLOW\n" },
    { "INT_MUL", RESULT("int", "int int", "LOADK 1 int:-4\nLOADK 2 int:5\nINT_MUL 0 1 2\n"), NULL, "result -20\n" },
    { "INT_MUL overflow", RESULT("int", "int int", "LOADK 1 int:4611686018427387904\nLOADK 2 int:2\nINT_MUL 0 1 2\n"), NULL,
      "fail OVERFLOW\n" },
    { "INT_NEG", RESULT("int", "int", "LOADK 1 int:4\nINT_NEG 0 1\n"), NULL, "result -4\n" },
    { "INT_NEG overflow", RESULT("int", "int", "LOADK 1 int:-9223372036854775808\nINT_NEG 0 1\n"), NULL, "fail OVERFLOW\n" },
    { "INT_ABS", RESULT("int", "int", "LOADK 1 int:-4\nINT_ABS 0 1\n"), NULL, "result 4\n" },
    { "INT_ABS overflow", RESULT("int", "int", "LOADK 1 int:-9223372036854775808\nINT_ABS 0 1\n"), NULL, "fail OVERFLOW\n" },
    { "INT_EQ", RESULT("bool", "int int", "LOADK 1 int:4\nLOADK 2 int:4\nINT_EQ 0 1 2\n"), NULL, "result true\n" },
    { "INT_LT", RESULT("bool", "int int", "LOADK 1 int:-4\nLOADK 2 int:4\nINT_LT 0 1 2\n"), NULL, "result true\n" },
    { "INT_LT of equals", RESULT("bool", "int int", "LOADK 1 int:4\nLOADK 2 int:4\nINT_LT 0 1 2\n"), NULL, "result false\n" },
    { "INT_LE of equals", RESULT("bool", "int int", "LOADK 1 int:4\nLOADK 2 int:4\nINT_LE 0 1 2\n"), NULL, "result true\n" },
    { "INT_TO_DEC", RESULT("usd2", "int", "LOADK 1 int:-4\nINT_TO_DEC 0 1\n"), NULL, "result -4.00\n" },
    { "INT_TO_DEC overflow", RESULT("dec38", "int", "LOADK 1 int:4\nINT_TO_DEC 0 1\n"), NULL, "fail OVERFLOW\n" },
    /* decimals */
    { "DEC_ADD", RESULT("usd2", "usd2 usd2", "LOADK 1 usd2:0.10\nLOADK 2 usd2:0.20\nDEC_ADD 0 1 2\n"), NULL, "result 0.30\n" },
    { "DEC_ADD of wide numbers",
      RESULT("dec0", "dec0 dec0", "LOADK 1 dec0:99999999999999999999999999999999999998\nLOADK 2 dec0:1\nDEC_ADD 0 1 2\n"), NULL,
      "result 99999999999999999999999999999999999999\n" },
    { "DEC_ADD overflow",
      RESULT("dec0", "dec0 dec0", "LOADK 1 dec0:99999999999999999999999999999999999999\nLOADK 2 dec0:1\nDEC_ADD 0 1 2\n"), NULL,
      "fail OVERFLOW\n" },
    { "DEC_SUB", RESULT("usd2", "usd2 usd2", "LOADK 1 usd2:0.10\nLOADK 2 usd2:0.20\nDEC_SUB 0 1 2\n"), NULL, "result -0.10\n" },
    { "DEC_SUB of wide numbers",
      RESULT("dec0", "dec0 dec0", "LOADK 1 dec0:-99999999999999999999999999999999999998\nLOADK 2 dec0:1\nDEC_SUB 0 1 2\n"), NULL,
      "result -99999999999999999999999999999999999999\n" },
    { "DEC_SUB overflow",
      RESULT("dec0", "dec0 dec0", "LOADK 1 dec0:-99999999999999999999999999999999999999\nLOADK 2 dec0:1\nDEC_SUB 0 1 2\n"), NULL,
      "fail OVERFLOW\n" },
    { "DEC_MUL", RESULT("dec5", "usd2 dec3", "LOADK 1 usd2:1.50\nLOADK 2 dec3:0.333\nDEC_MUL 0 1 2\n"), NULL,
      "result 0.49950\n" },
    { "DEC_DIV", RESULT("dec3", "dec2 dec0", "LOADK 1 dec2:2.00\nLOADK 2 dec0:3\nDEC_DIV 0 1 2\nEXTRA half_up\n"), NULL,
      "result 0.667\n" },
    { "DEC_DIV rounds as told", RESULT("dec3", "dec2 dec0", "LOADK 1 dec2:2.00\nLOADK 2 dec0:3\nDEC_DIV 0 1 2\nEXTRA down\n"),
      NULL, "result 0.666\n" },
    { "DEC_DIV by zero", RESULT("dec3", "dec2 dec0", "LOADK 1 dec2:2.00\nLOADK 2 dec0:0\nDEC_DIV 0 1 2\nEXTRA down\n"), NULL,
      "fail DIVISION\n" },
    { "DEC_NEG", RESULT("dec2", "dec2", "LOADK 1 dec2:2.00\nDEC_NEG 0 1\n"), NULL, "result -2.00\n" },
    { "DEC_ABS", RESULT("dec2", "dec2", "LOADK 1 dec2:-2.00\nDEC_ABS 0 1\n"), NULL, "result 2.00\n" },
    { "DEC_RESCALE half even", RESULT("dec1", "dec2", "LOADK 1 dec2:0.25\nDEC_RESCALE 0 1 half_even\n"), NULL, "result 0.2\n" },
    { "DEC_RESCALE wider", RESULT("dec4", "dec2", "LOADK 1 dec2:0.25\nDEC_RESCALE 0 1 exact\n"), NULL, "result 0.2500\n" },
    { "DEC_RESCALE exact loses", RESULT("dec1", "dec2", "LOADK 1 dec2:0.25\nDEC_RESCALE 0 1 exact\n"), NULL,
      "fail DIGITS_LOST\n" },
    { "DEC_EQ", RESULT("bool", "usd2 dec2", "LOADK 1 usd2:0.25\nLOADK 2 dec2:0.25\nDEC_EQ 0 1 2\n"), NULL, "result true\n" },
    { "DEC_LT", RESULT("bool", "dec2 dec2", "LOADK 1 dec2:-0.25\nLOADK 2 dec2:0.25\nDEC_LT 0 1 2\n"), NULL, "result true\n" },
    { "DEC_LE", RESULT("bool", "dec2 dec2", "LOADK 1 dec2:0.26\nLOADK 2 dec2:0.25\nDEC_LE 0 1 2\n"), NULL, "result false\n" },
    /* text */
    { "TEXT_EQ", RESULT("bool", "text text", "LOADK 1 \"a \"\nLOADK 2 \"a\"\nTEXT_EQ 0 1 2\n"), NULL, "result false\n" },
    { "TEXT_LT", RESULT("bool", "text text", "LOADK 1 \"Z\"\nLOADK 2 \"a\"\nTEXT_LT 0 1 2\n"), NULL, "result true\n" },
    { "TEXT_LE", RESULT("bool", "text text", "LOADK 1 \"a\"\nLOADK 2 \"a\"\nTEXT_LE 0 1 2\n"), NULL, "result true\n" },
    { "TEXT_IS", RESULT("bool", "text", "LOADK 1 \"CO\"\nTEXT_IS 0 1 \"CO\"\n"), NULL, "result true\n" },
    { "TEXT_JOIN", RESULT("text", "text text text", "LOADK 1 \"a\"\nLOADK 2 \"\"\nLOADK 3 \"b\"\nTEXT_JOIN 0 1 3\n"), NULL,
      "result ab\n" },
    { "TEXT_JOIN of nothing", RESULT("text", "", "TEXT_JOIN 0 0 0\n"), NULL, "result \n" },
    { "TEXT_JOIN with absent", RESULT("text", "text text", "LOADK 1 \"a\"\nTEXT_JOIN 0 1 2\n"), NULL, "result absent\n" },
    { "TEXT_OF bool", RESULT("text", "bool", "LOADK 1 bool:1\nTEXT_OF 0 1\n"), NULL, "result true\n" },
    { "TEXT_OF int", RESULT("text", "int", "LOADK 1 int:-12\nTEXT_OF 0 1\n"), NULL, "result -12\n" },
    { "TEXT_OF decimal", RESULT("text", "dec3", "LOADK 1 dec3:-.5\nTEXT_OF 0 1\n"), NULL, "result -0.500\n" },
    { "TEXT_OF date", RESULT("text", "date", "LOADK 1 date:0999-12-01\nTEXT_OF 0 1\n"), NULL, "result 0999-12-01\n" },
    { "TEXT_OF moment", RESULT("text", "moment", "LOADK 1 moment:2025-03-31T12:00:00+01:00\nTEXT_OF 0 1\n"), NULL,
      "result 2025-03-31T12:00:00+01:00\n" },
    { "TEXT_OF_ENUM", "enum lane a b c\n" RESULT("text", "enum:lane", "LOADK 1 enum:lane:1\nTEXT_OF_ENUM 0 1\n"), NULL,
      "result b\n" },
    { "TEXT_LIMIT", RESULT("text", "text", "LOADK 1 \"\xc3\xa4\xc3\xb6\"\nTEXT_LIMIT 0 1 2\n"), NULL,
      "result \xc3\xa4\xc3\xb6\n" },
    { "TEXT_LIMIT beyond", RESULT("text", "text", "LOADK 1 \"\xc3\xa4\xc3\xb6\"\nTEXT_LIMIT 0 1 1\n"), NULL,
      "fail TEXT_TOO_LONG\n" },
    /* dates */
    { "DATE_ADD", RESULT("date", "date int", "LOADK 1 date:2024-02-28\nLOADK 2 int:2\nDATE_ADD 0 1 2\n"), NULL,
      "result 2024-03-01\n" },
    { "DATE_ADD out of the calendar",
      RESULT("date", "date int", "LOADK 1 date:2024-02-28\nLOADK 2 int:9000000\nDATE_ADD 0 1 2\n"), NULL, "fail OVERFLOW\n" },
    { "DATE_DIFF", RESULT("int", "date date", "LOADK 1 date:2024-03-01\nLOADK 2 date:2024-02-28\nDATE_DIFF 0 1 2\n"), NULL,
      "result 2\n" },
    { "DATE_EQ", RESULT("bool", "date date", "LOADK 1 date:2024-03-01\nLOADK 2 date:2024-02-28\nDATE_EQ 0 1 2\n"), NULL,
      "result false\n" },
    { "DATE_LT", RESULT("bool", "date date", "LOADK 1 date:2024-03-01\nLOADK 2 date:2024-02-28\nDATE_LT 0 1 2\n"), NULL,
      "result false\n" },
    { "DATE_LE", RESULT("bool", "date date", "LOADK 1 date:2024-02-28\nLOADK 2 date:2024-02-28\nDATE_LE 0 1 2\n"), NULL,
      "result true\n" },
/* the message */
#define MOMENT(convert, result, types, body)                                                                                     \
    "frame U loop unit A:" convert "\nfunction f 1 " result " : node:U moment " types "\nGET 1 0 A\n" body
#define GET(type, slot) FRAMES "function f 1 " type " : node:2100 " type "\nGET 1 0 " slot "\nRETURN 1\n"
    { "GET text", GET("text", "CLP01"), "2100 CLP01=A-1\n", "result A-1\n" },
    { "GET decimal", GET("dec2", "CLP03"), "2100 CLP03=.5\n", "result 0.50\n" },
    { "GET decimal that is none", GET("dec2", "CLP03"), "2100 CLP03=1,000\n", "fail VALUE_INVALID at CLP03=1,000\n" },
    { "GET decimal with too many digits", GET("dec2", "CLP03"), "2100 CLP03=1.005\n", "fail VALUE_INVALID at CLP03=1.005\n" },
    { "GET decimal that overflows", GET("dec2", "CLP03"), "2100 CLP03=99999999999999999999999999999999999999\n",
      "fail OVERFLOW at CLP03=99999999999999999999999999999999999999\n" },
    { "GET implied", GET("dec2", "N2"), "2100 N2=1234\n", "result 12.34\n" },
    { "GET int", GET("int", "QTY"), "2100 QTY=-3\n", "result -3\n" },
    { "GET int beyond 64 bits", GET("int", "QTY"), "2100 QTY=9223372036854775808\n",
      "fail OVERFLOW at QTY=9223372036854775808\n" },
    { "GET int with decimals", GET("int", "QTY"), "2100 QTY=3.5\n", "fail VALUE_INVALID at QTY=3.5\n" },
    { "GET date", GET("date", "DAY"), "2100 DAY=20250131\n", "result 2025-01-31\n" },
    { "GET short date", GET("date", "DAY"), "2100 DAY=690131\n", "result 2069-01-31\n" },
    { "GET first half of a range", GET("date", "DAY"), "2100 DAY=20250101-20250131\n", "result 2025-01-01\n" },
    { "GET second half of a range", "frame U loop unit A:end\nfunction f 1 date : node:U date\nGET 1 0 A\nRETURN 1\n",
      "U A=20250101-20250131\n", "result 2025-01-31\n" },
    { "GET second half of a day", "frame U loop unit A:end\nfunction f 1 date : node:U date\nGET 1 0 A\nRETURN 1\n",
      "U A=250101\n", "result 2025-01-01\n" },
    { "GET no such day", GET("date", "DAY"), "2100 DAY=20250230\n", "fail VALUE_INVALID at DAY=20250230\n" },
#define AS(convert, type) "frame U loop unit A:" convert "\nfunction f 1 " type " : node:U " type "\nGET 1 0 A\nRETURN 1\n"
    { "GET HL7 date", AS("hl7date", "date"), "U A=20240229\n", "result 2024-02-29\n" },
    { "GET HL7 date of a time", AS("hl7date", "date"), "U A=20250301233000-0600\n", "result 2025-03-01\n" },
    { "GET HL7 date of a month", AS("hl7date", "date"), "U A=202503\n", "fail VALUE_INVALID at A=202503\n" },
    { "GET HL7 date that is none", AS("hl7date", "date"), "U A=20250229\n", "fail VALUE_INVALID at A=20250229\n" },
    { "GET HL7 moment", AS("hl7moment", "moment"), "U A=20250301120000.25-0600\n", "result 2025-03-01T12:00:00.25-06:00\n" },
    { "GET HL7 moment without a zone", AS("hl7moment", "moment"), "U A=202503011230\n", "result 2025-03-01T12:30:00\n" },
    { "GET HL7 moment in the zone of the source", "zone America/Chicago -360 -300\n" AS("hl7moment", "moment"),
      "U A=202507011230\n", "result 2025-07-01T12:30:00-05:00\n" },
    { "GET HL7 moment that comes twice is the first", "zone America/Chicago -360 -300\n" AS("hl7moment", "moment"),
      "U A=202511020130\n", "result 2025-11-02T01:30:00-05:00\n" },
    { "GET HL7 moment that never comes", "zone America/Chicago -360 -300\n" AS("hl7moment", "moment"), "U A=202503090230\n",
      "result 2025-03-09T02:30:00-06:00\n" },
    { "GET HL7 moment keeps its zone", "zone America/Chicago -360 -300\n" AS("hl7moment", "moment"), "U A=202507011230+0000\n",
      "result 2025-07-01T12:30:00Z\n" },
    { "GET ISO date", AS("isodate", "date"), "U A=2025-03-01\n", "result 2025-03-01\n" },
    { "GET ISO date of a time", AS("isodate", "date"), "U A=2025-03-01T23:30:00-06:00\n", "result 2025-03-01\n" },
    { "GET ISO date of a year", AS("isodate", "date"), "U A=2025\n", "fail VALUE_INVALID at A=2025\n" },
    { "GET ISO moment of a month", AS("isomoment", "moment"), "U A=2025-03\n", "result 2025-03\n" },
    { "GET date by a format", AS("format/MM/DD/YYYY", "date"), "U A=03/31/2025\n", "result 2025-03-31\n" },
    { "GET date of another format", AS("format/MM/DD/YYYY", "date"), "U A=31/03/2025\n", "fail VALUE_INVALID at A=31/03/2025\n" },
    { "GET bool", AS("bool", "bool"), "U A=true\n", "result true\n" },
    { "GET bool that is false", AS("bool", "bool"), "U A=false\n", "result false\n" },
    { "GET bool that is none", AS("bool", "bool"), "U A=True\n", "fail VALUE_INVALID at A=True\n" },
    { "GET bool by words", AS("bool/yes/no", "bool"), "U A=yes\n", "result true\n" },
    { "GET bool by the other word", AS("bool/yes/no", "bool"), "U A=no\n", "result false\n" },
    { "GET bool by neither word", AS("bool/yes/no", "bool"), "U A=y\n", "fail VALUE_INVALID at A=y\n" },
    { "GET exponent", AS("exp2", "dec2"), "U A=1.5e3\n", "result 1500.00\n" },
    { "GET negative exponent", AS("exp2", "dec2"), "U A=1234500E-5\n", "fail VALUE_INVALID at A=1234500E-5\n" },
    { "GET exponent beyond 38 digits", AS("exp2", "dec2"), "U A=1e37\n", "fail OVERFLOW at A=1e37\n" },
    { "GET cleared", AS("exp2", "dec2"), "U A=\n", "result cleared\n" },
    { "GET_OPTIONAL cleared", "frame U loop unit A!:dec2\nfunction f 1 dec2 : node:U dec2\nGET_OPTIONAL 1 0 A\nRETURN 1\n",
      "U A=\n", "result cleared\n" },
    { "GET_TEXT cleared", "frame U loop unit A:dec2\nfunction f 1 text : node:U text\nGET_TEXT 1 0 A\nRETURN 1\n", "U A=\n",
      "result cleared\n" },
    { "operations on cleared are cleared",
      "frame U loop unit A:dec2 B:dec2\nfunction f 1 dec2 : node:U dec2 dec2 dec2\n"
      "GET 1 0 A\nGET 2 0 B\nDEC_ADD 3 1 2\nRETURN 3\n",
      "U A= B=1\n", "result cleared\n" },
    { "cleared goes before absent",
      "frame U loop unit A:dec2 B:dec2\nfunction f 1 dec2 : node:U dec2 dec2 dec2\n"
      "GET 1 0 A\nGET 2 0 B\nDEC_ADD 3 2 1\nRETURN 3\n",
      "U A=\n", "result cleared\n" },
    { "JUMP_CLEARED on cleared",
      "frame U loop unit A:dec2\nfunction f 1 int : node:U dec2 int\nGET 1 0 A\nLOADK 2 int:1\n"
      "JUMP_CLEARED 1 @over\nLOADK 2 int:2\nover:\nRETURN 2\n",
      "U A=\n", "result 1\n" },
    { "JUMP_ABSENT on cleared",
      "frame U loop unit A:dec2\nfunction f 1 int : node:U dec2 int\nGET 1 0 A\nLOADK 2 int:1\n"
      "JUMP_ABSENT 1 @over\nLOADK 2 int:2\nover:\nRETURN 2\n",
      "U A=\n", "result 2\n" },
    { "earliest passes over what is cleared",
      "frame U loop unit A:date B:date\ndates x U A B\n"
      "function f 1 date : node:U date\nEARLIEST 1 0 x\nRETURN 1\n",
      "U A= B=20250131\n", "result 2025-01-31\n" },
    { "GET cleared date", AS("hl7date", "date"), "U A=\n", "result cleared\n" },
#define PAID "frame U loop unit CUR:text AMT:dec2@CUR\nfunction f 1 dec2 : node:U dec2\nGET 1 0 AMT\nRETURN 1\n"
    { "GET amount in the currency of the source", PAID, "U CUR=USD AMT=1.5\n", "result 1.50\n" },
    { "GET amount without a currency", PAID, "U AMT=1.5\n", "result 1.50\n" },
    { "GET amount whose currency is cleared", PAID, "U CUR= AMT=1.5\n", "result 1.50\n" },
    { "GET amount in another currency", PAID, "U CUR=EUR AMT=1.5\n", "fail CURRENCY_OTHER at CUR=EUR\n" },
    { "GET no amount in another currency", PAID, "U CUR=EUR\n", "result absent\n" },
    { "GET missing", GET("date", "DAY"), "2100\n", "result absent\n" },
    { "GET missing and required", GET("dec2", "CLP03"), "2100\n", "fail REQUIRED_MISSING at CLP03\n" },
    { "GET of no node", GET("dec2", "CLP03"), NULL, "result absent\n" },
    { "GET known code", GET("text", "CLP02"), "2100 CLP02=22\n", "result 22\n" },
    { "GET unknown code", GET("text", "CLP02"), "2100 CLP02=99\n", "fault CODE_UNKNOWN at CLP02=99\nresult 99\n" },
    { "GET unknown code is told once",
      FRAMES "function f 1 text : node:2100 text\nGET 1 0 CLP02\nGET 1 0 CLP02\nGET_OPTIONAL 1 0 CLP02\nRETURN 1\n",
      "2100 CLP02=99\n", "fault CODE_UNKNOWN at CLP02=99\nresult 99\n" },
    { "GET_OPTIONAL missing", FRAMES "function f 1 dec2 : node:2100 dec2\nGET_OPTIONAL 1 0 CLP03\nRETURN 1\n", "2100\n",
      "result absent\n" },
    { "GET_OPTIONAL that is wrong", FRAMES "function f 1 dec2 : node:2100 dec2\nGET_OPTIONAL 1 0 CLP03\nRETURN 1\n",
      "2100 CLP03=x\n", "fail VALUE_INVALID at CLP03=x\n" },
    { "GET_TEXT", FRAMES "function f 1 text : node:2100 text\nGET_TEXT 1 0 CLP03\nRETURN 1\n", "2100 CLP03=1,0\n",
      "result 1,0\n" },
    { "GET_TEXT missing", FRAMES "function f 1 text : node:2100 text\nGET_TEXT 1 0 CLP03\nRETURN 1\n", "2100\n",
      "result absent\n" },
    { "ANCESTOR is the node itself", FRAMES "function f 1 node:2100 : node:2100 node:2100\nANCESTOR 1 0\nRETURN 1\n", "2100\n",
      "result 2100#1\n" },
    { "ANCESTOR outwards",
      FRAMES "function f 1 text : node:835 node:2100 node:2110 node:835 text\nCHILD_FIRST 1 0 0\nCHILD_FIRST 2 1 1\nANCESTOR 3 "
             "2\nGET 4 3 TRN02\nRETURN 4\n",
      "835 TRN02=T\n 2100\n  2110\n", "result T\n" },
    { "ANCESTOR that is not there", FRAMES "function f 1 node:2110 : node:835 node:2110\nANCESTOR 1 0\nRETURN 1\n", "835\n",
      "result absent\n" },
    { "CHILD_FIRST", FRAMES "function f 1 node:2110 : node:2100 node:2110\nCHILD_FIRST 1 0 1\nRETURN 1\n", "2100\n 2110\n 2110\n",
      "result 2110#1\n" },
    { "CHILD_FIRST of none", FRAMES "function f 1 node:2110 : node:2100 node:2110\nCHILD_FIRST 1 0 1\nRETURN 1\n", "2100\n",
      "result absent\n" },
    { "CHILDREN", FRAMES "function f 1 list:node:2110 : node:2100 list:node:2110\nCHILDREN 1 0 1\nRETURN 1\n",
      "2100\n 2110\n 2110\n 2110\n", "result [2110#1, 2110#2, 2110#3]\n" },
    { "CHILDREN of no node", FRAMES "function f 1 list:node:2110 : node:2100 list:node:2110\nCHILDREN 1 0 1\nRETURN 1\n", NULL,
      "result []\n" },
    { "POSITION",
      FRAMES "function f 1 int : node:835 list:node:2100 node:2100 int int\nCHILDREN 1 0 0\nagain:\nNEXT 1 2 3\nJUMP "
             "@end\nPOSITION 4 2\nJUMP @again\nend:\nRETURN 4\n",
      "835\n 2100\n 2100\n", "result 2\n" },
    /* lists and rows */
    { "LIST_COUNT",
      RESULT("int", "list:int int", "LIST_NEW 1\nLOADK 2 int:5\nLIST_PUSH 1 2 0\nLIST_PUSH 1 2 0\nLIST_COUNT 0 1\n"), NULL,
      "result 2\n" },
    { "LIST_COUNT of absent", RESULT("int", "list:int", "LIST_COUNT 0 1\n"), NULL, "result 0\n" },
    { "LIST_FIRST", RESULT("int", "list:int int", "LIST_NEW 1\nLOADK 2 int:5\nLIST_PUSH 1 2 0\nLIST_FIRST 0 1\n"), NULL,
      "result 5\n" },
    { "LIST_FIRST of nothing", RESULT("int", "list:int", "LIST_NEW 1\nLIST_FIRST 0 1\n"), NULL, "result absent\n" },
    { "LIST_PUSH beyond its most",
      RESULT("list:int", "int", "LIST_NEW 0\nLOADK 1 int:5\nLIST_PUSH 0 1 2\nLIST_PUSH 0 1 2\nLIST_PUSH 0 1 2\n"), NULL,
      "fail LIMIT_LIST\n" },
    { "ALLOCATE",
      RESULT("list:usd2", "usd2 list:dec1 dec1",
             "LOADK 1 usd2:-1.00\nLIST_NEW 2\nLOADK 3 dec1:1.5\nLIST_PUSH 2 3 0\nLIST_PUSH 2 3 0\nLIST_PUSH 2 3 0\nALLOCATE 0 1 "
             "2\n"),
      NULL, "result [-0.34, -0.33, -0.33]\n" },
    { "ALLOCATE by nothing",
      RESULT("list:usd2", "usd2 list:dec0 dec0",
             "LOADK 1 usd2:1.00\nLIST_NEW 2\nLOADK 3 dec0:0\nLIST_PUSH 2 3 0\nALLOCATE 0 1 2\n"),
      NULL, "fail ALLOCATE_WEIGHTS\n" },
    { "ALLOCATE to nobody", RESULT("list:usd2", "usd2 list:dec0", "LOADK 1 usd2:1.00\nLIST_NEW 2\nALLOCATE 0 1 2\n"), NULL,
      "fail ALLOCATE_WEIGHTS\n" },
    { "ALLOCATE of nothing to nobody", RESULT("list:usd2", "usd2 list:dec0", "LOADK 1 usd2:0.00\nLIST_NEW 2\nALLOCATE 0 1 2\n"),
      NULL, "result []\n" },
    { "ALLOCATE of absent", RESULT("list:usd2", "usd2 list:dec0", "LIST_NEW 2\nALLOCATE 0 1 2\n"), NULL, "result absent\n" },
    { "LIST_PUSH of absent", RESULT("list:int", "int", "LIST_NEW 0\nLIST_PUSH 0 1 0\n"), NULL, "result []\n" },
    { "LIST_PUSH leaves copies alone",
      RESULT("list:int", "list:int int int",
             "LIST_NEW 0\nLOADK 2 int:1\nLIST_PUSH 0 2 0\nMOVE 1 0\nLOADK 2 int:2\nLIST_PUSH 0 2 0\nLOADK 3 int:3\nLIST_PUSH 1 3 "
             "0\n"),
      NULL, "result [1, 2]\n" },
    { "LIST_PUSH to the copy",
      RESULT("list:int", "list:int int int",
             "LIST_NEW 1\nLOADK 2 int:1\nLIST_PUSH 1 2 0\nMOVE 0 1\nLOADK 2 int:2\nLIST_PUSH 1 2 0\nLOADK 3 int:3\nLIST_PUSH 0 3 "
             "0\n"),
      NULL, "result [1, 3]\n" },
    { "LIST_PUSH grows",
      RESULT("list:int", "int int int bool",
             "LIST_NEW 0\nLOADK 1 int:0\nLOADK 2 int:1\nLIST_PUSH 0 1 20\nINT_ADD 1 1 2\nLIST_PUSH 0 1 20\nINT_ADD 1 1 "
             "2\nLIST_PUSH 0 1 20\nINT_ADD 1 1 2\nLIST_PUSH 0 1 20\n"
             "INT_ADD 1 1 2\nLIST_PUSH 0 1 20\nINT_ADD 1 1 2\nLIST_PUSH 0 1 20\nINT_ADD 1 1 2\nLIST_PUSH 0 1 20\nINT_ADD 1 1 "
             "2\nLIST_PUSH 0 1 20\nINT_ADD 1 1 2\nLIST_PUSH 0 1 20\n"
             "INT_ADD 1 1 2\nLIST_PUSH 0 1 20\n"),
      NULL, "result [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]\n" },
    { "NEXT",
      RESULT("int", "list:int int int int",
             "LOADK 0 int:0\nLIST_NEW 1\nLOADK 2 int:3\nLIST_PUSH 1 2 0\nLOADK 2 int:4\nLIST_PUSH 1 2 0\n"
             "again:\nNEXT 1 3 4\nJUMP @end\nINT_ADD 0 0 3\nJUMP @again\nend:\n"),
      NULL, "result 7\n" },
    { "NEXT over nothing",
      RESULT("int", "list:int int int", "LOADK 0 int:0\nagain:\nNEXT 1 2 3\nJUMP @end\nINT_ADD 0 0 2\nJUMP @again\nend:\n"), NULL,
      "result 0\n" },
    { "ROW_NEW and FIELD",
      "record r a:int b?:text\n" RESULT("row:r", "int text text", "LOADK 1 int:1\nROW_NEW 0 1 0\nFIELD 3 0 1\n"), NULL,
      "result (1, absent)\n" },
    { "ROW_NEW without a field it needs", "record r a:int b?:text\n" RESULT("row:r", "int text", "ROW_NEW 0 1 0\n"), NULL,
      "fail REQUIRED_MISSING\n" },
    { "ROW_NEW with a long text", "record r a:text/3\n" RESULT("row:r", "text", "LOADK 1 \"abcd\"\nROW_NEW 0 1 0\n"), NULL,
      "fail TEXT_TOO_LONG\n" },
    { "RECALL of what was kept", RESULT("text", "list:text text int", "LOADK 2 \"x\"\nLOADK 3 int:3\nKEEP 2 1 3\nRECALL 0 1 3\n"),
      NULL, "result x\n" },
    { "RECALL of another place",
      RESULT("text", "list:text text int int", "LOADK 2 \"x\"\nLOADK 3 int:3\nKEEP 2 1 3\nLOADK 4 int:2\nRECALL 0 1 4\n"), NULL,
      "result absent\n" },
    { "RECALL beyond the end, before the begin and nowhere",
      RESULT("list:text", "list:text text int text",
             "LIST_NEW 0\nLOADK 2 \"x\"\nLOADK 3 int:1\nKEEP 2 1 3\n"
             "LOADK 3 int:400\nRECALL 4 1 3\nLIST_PUSH 0 4 0\nLOADK 3 int:0\nRECALL 4 1 3\nLIST_PUSH 0 4 0\n"
             "ABSENT 3\nRECALL 4 1 3\nLIST_PUSH 0 4 0\nLOADK 3 int:-1\nRECALL 4 1 3\nLIST_PUSH 0 4 0\n"),
      NULL, "result []\n" },
    { "RECALL and KEEP in a pass",
      RESULT("list:int", "list:int list:int int int int",
             "LIST_NEW 0\nLIST_NEW 1\nLOADK 3 int:4\nLIST_PUSH 1 3 0\nLOADK 3 int:5\nLIST_PUSH 1 3 0\n"
             "again:\nNEXT 1 3 4\nJUMP @more\nKEEP 3 2 4\nJUMP @again\nmore:\nLOADK 4 int:0\n"
             "twice:\nNEXT 1 3 4\nJUMP @end\nRECALL 5 2 4\nINT_ADD 5 5 3\nLIST_PUSH 0 5 0\nJUMP @twice\nend:\n"),
      NULL, "result [8, 10]\n" },
    { "RECALL of any list",
      RESULT("int", "list:int int int", "LIST_NEW 1\nLOADK 2 int:5\nLIST_PUSH 1 2 0\nLOADK 3 int:1\nRECALL 0 1 3\n"), NULL,
      "result 5\n" },
    { "RECALL of no list", RESULT("int", "list:int int", "LOADK 2 int:1\nRECALL 0 1 2\n"), NULL, "result absent\n" },
    { "KEEP of absent keeps what was there",
      RESULT("text", "list:text text int", "LOADK 2 \"x\"\nLOADK 3 int:1\nKEEP 2 1 3\nABSENT 2\nKEEP 2 1 3\nRECALL 0 1 3\n"),
      NULL, "result x\n" },
    { "KEEP grows and keeps what it has",
      RESULT("int", "list:int int int int",
             "LOADK 2 int:7\nLOADK 3 int:2\nKEEP 2 1 3\nLOADK 2 int:9\nLOADK 4 int:900\nKEEP 2 1 4\nRECALL 0 1 3\n"),
      NULL, "result 7\n" },
    { "KEEP leaves a list of others alone",
      RESULT("list:int", "list:int int int",
             "LIST_NEW 0\nLOADK 2 int:5\nLIST_PUSH 0 2 0\nMOVE 1 0\nLOADK 2 int:6\nLOADK 3 int:1\nKEEP 2 1 3\n"),
      NULL, "result [5]\n" },
    { "KEEP before the begin and far away does nothing",
      RESULT("int", "list:int int int",
             "LOADK 2 int:5\nLOADK 3 int:0\nKEEP 2 1 3\nLOADK 3 int:70000\nKEEP 2 1 3\nLIST_COUNT 0 1\n"),
      NULL, "result 0\n" },
    { "FIELD", "record r a:int b?:text\n" RESULT("int", "row:r int text", "LOADK 2 int:4\nROW_NEW 1 2 0\nFIELD 0 1 0\n"), NULL,
      "result 4\n" },
    { "FIELD of no row", "record r a:int b?:text\n" RESULT("int", "row:r", "FIELD 0 1 0\n"), NULL, "result absent\n" },
    /* totals, built-ins */
    { "TALLY_ADD", "tally total usd2\n" F("usd2", "LOADK 0 usd2:1.00\nTALLY_ADD total 0 0\nFINISH\n"), NULL, "add 1.00\ndone\n" },
    { "TALLY_ADD of absent", "tally total usd2\n" F("usd2", "TALLY_ADD total 0 0\nFINISH\n"), NULL, "done\n" },
    { "TALLY_ADD to a group",
      "record g key:text total:usd2\ntally total usd2 by=g\n" F(
          "usd2 text", "LOADK 0 usd2:1.00\nLOADK 1 \"k\"\nTALLY_ADD total 0 1\nFINISH\n"),
      NULL, "add 1.00 to k\ndone\n" },
    { "TALLY_GET", "tally total usd2\n" RESULT("usd2", "", "TALLY_GET 0 total\n"), NULL, "result 0.00\n" },
    { "OCCURRENCE", RESULT("int", "text text", "LOADK 1 \"a\"\nLOADK 2 \"b\"\nOCCURRENCE 0 1 2\nOCCURRENCE 0 1 2\n"), NULL,
      "occurrence a b\noccurrence a b\nresult 2\n" },
    { "CORRELATE", F("text text", "LOADK 0 \"x\"\nLOADK 1 \"y\"\nCORRELATE 0 2\nFINISH\n"), NULL, "correlate x y\ndone\n" },
#define BUILTIN(name, result, types, loads, at)                                                                                  \
    "function f 0 " result " : " types " " result "\n" loads "BUILTIN 0 " name "\nRETURN " at "\n"
    { "ADD_MONTHS clamp",
      BUILTIN("ADD_MONTHS", "date", "date int text", "LOADK 0 date:2025-01-31\nLOADK 1 int:1\nLOADK 2 \"clamp\"\n", "3"), NULL,
      "result 2025-02-28\n" },
    { "ADD_MONTHS next",
      BUILTIN("ADD_MONTHS", "date", "date int text", "LOADK 0 date:2025-01-31\nLOADK 1 int:1\nLOADK 2 \"next\"\n", "3"), NULL,
      "result 2025-03-01\n" },
    { "ADD_MONTHS other",
      BUILTIN("ADD_MONTHS", "date", "date int text", "LOADK 0 date:2025-01-31\nLOADK 1 int:1\nLOADK 2 \"last\"\n", "3"), NULL,
      "fail VALUE_INVALID\n" },
    { "ADD_MONTHS with absent",
      BUILTIN("ADD_MONTHS", "date", "date int text", "LOADK 0 date:2025-01-31\nLOADK 2 \"next\"\n", "3"), NULL,
      "result absent\n" },
    { "YEAR_OF", BUILTIN("YEAR_OF", "int", "date", "LOADK 0 date:1969-12-31\n", "1"), NULL, "result 1969\n" },
    { "DATE_FORMAT", BUILTIN("DATE_FORMAT", "date", "text text", "LOADK 0 \"03/31/2025\"\nLOADK 1 \"MM/DD/YYYY\"\n", "2"), NULL,
      "result 2025-03-31\n" },
    { "DATE_FORMAT that does not fit",
      BUILTIN("DATE_FORMAT", "date", "text text", "LOADK 0 \"31/03/2025\"\nLOADK 1 \"MM/DD/YYYY\"\n", "2"), NULL,
      "fail VALUE_INVALID\n" },
    { "DATE_FORMAT with a bad pattern", BUILTIN("DATE_FORMAT", "date", "text text", "LOADK 0 \"x\"\nLOADK 1 \"MM\"\n", "2"), NULL,
      "fail VALUE_INVALID\n" },
    { "TRY_DATE", BUILTIN("TRY_DATE", "date", "text", "LOADK 0 \"20250131\"\n", "1"), NULL, "result 2025-01-31\n" },
    { "TRY_DATE of a range", BUILTIN("TRY_DATE", "date", "text", "LOADK 0 \"20250110-20250131\"\n", "1"), NULL,
      "result 2025-01-10\n" },
    { "TRY_DATE of none", BUILTIN("TRY_DATE", "date", "text", "LOADK 0 \"20250199\"\n", "1"), NULL, "result absent\n" },
    { "TRY_INT", BUILTIN("TRY_INT", "int", "text", "LOADK 0 \"-12\"\n", "1"), NULL, "result -12\n" },
    { "TRY_INT of none", BUILTIN("TRY_INT", "int", "text", "LOADK 0 \"12a\"\n", "1"), NULL, "result absent\n" },
    { "TRY_DECIMAL", BUILTIN("TRY_DECIMAL", "usd2", "text", "LOADK 0 \"1.5\"\n", "1"), NULL, "result 1.50\n" },
    { "TRY_DECIMAL of too many digits", BUILTIN("TRY_DECIMAL", "usd2", "text", "LOADK 0 \"1.555\"\n", "1"), NULL,
      "result absent\n" },
    { "UPPER", BUILTIN("UPPER", "text", "text", "LOADK 0 \"aB\xc3\xa4z\"\n", "1"), NULL, "result AB\xc3\xa4Z\n" },
    { "LOWER", BUILTIN("LOWER", "text", "text", "LOADK 0 \"AbZ[\"\n", "1"), NULL, "result abz[\n" },
    { "TRIM", BUILTIN("TRIM", "text", "text", "LOADK 0 \"  a b \"\n", "1"), NULL, "result a b\n" },
    { "TRIM to nothing", BUILTIN("TRIM", "text", "text", "LOADK 0 \"  \"\n", "1"), NULL, "result absent\n" },
    { "LENGTH", BUILTIN("LENGTH", "int", "text", "LOADK 0 \"\xc3\xa4\xe2\x82\xac\"\n", "1"), NULL, "result 2\n" },
    { "PART",
      BUILTIN("PART", "text", "text int int",
              "LOADK 0 \"a\xc3\xa4"
              "bc\"\nLOADK 1 int:2\nLOADK 2 int:2\n",
              "3"),
      NULL,
      "result \xc3\xa4"
      "b\n" },
    { "PART beyond the end",
      BUILTIN("PART", "text", "text int int", "LOADK 0 \"abc\"\nLOADK 1 int:3\nLOADK 2 int:9223372036854775807\n", "3"), NULL,
      "result c\n" },
    { "PART before the start", BUILTIN("PART", "text", "text int int", "LOADK 0 \"abc\"\nLOADK 1 int:0\nLOADK 2 int:2\n", "3"),
      NULL, "result a\n" },
    { "PART of nothing", BUILTIN("PART", "text", "text int int", "LOADK 0 \"abc\"\nLOADK 1 int:4\nLOADK 2 int:2\n", "3"), NULL,
      "result absent\n" },
    { "PART far out",
      BUILTIN("PART", "text", "text int int",
              "LOADK 0 \"abc\"\nLOADK 1 int:-9223372036854775808\nLOADK 2 int:9223372036854775807\n", "3"),
      NULL, "result absent\n" },
    { "STARTS", BUILTIN("STARTS", "bool", "text text", "LOADK 0 \"abc\"\nLOADK 1 \"ab\"\n", "2"), NULL, "result true\n" },
    { "LAST4", BUILTIN("LAST4", "text", "text", "LOADK 0 \"123456\"\n", "1"), NULL, "result 3456\n" },
    { "LAST4 of three", BUILTIN("LAST4", "text", "text", "LOADK 0 \"123\"\n", "1"), NULL, "result 123\n" },
    { "TOKENIZE", BUILTIN("TOKENIZE", "text", "text", "LOADK 0 \"The quick brown fox jumps over the lazy dog\"\n", "1"), NULL,
      "result f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8\n" }, /* RFC 2104 with key "key" */
    { "PERCENT_CHANGE",
      BUILTIN("PERCENT_CHANGE", "dec4", "usd2 usd2 int text",
              "LOADK 0 usd2:100.00\nLOADK 1 usd2:125.00\nLOADK 2 int:4\nLOADK 3 \"half_up\"\n", "4"),
      NULL, "result 0.2500\n" },
    { "PERCENT_CHANGE rounds",
      BUILTIN("PERCENT_CHANGE", "dec4", "usd2 usd2 int text",
              "LOADK 0 usd2:3.00\nLOADK 1 usd2:2.00\nLOADK 2 int:2\nLOADK 3 \"half_up\"\n", "4"),
      NULL, "result -0.3300\n" },
    { "PERCENT_CHANGE of zero",
      BUILTIN("PERCENT_CHANGE", "dec4", "usd2 usd2 int text",
              "LOADK 0 usd2:0.00\nLOADK 1 usd2:2.00\nLOADK 2 int:2\nLOADK 3 \"half_up\"\n", "4"),
      NULL, "fail DIVISION\n" },
    { "PERCENT_CHANGE of too many places",
      BUILTIN("PERCENT_CHANGE", "dec4", "usd2 usd2 int text",
              "LOADK 0 usd2:1.00\nLOADK 1 usd2:2.00\nLOADK 2 int:5\nLOADK 3 \"half_up\"\n", "4"),
      NULL, "fail VALUE_INVALID\n" },
    { "CONVERT", BUILTIN("CONVERT", "dec6", "dec3 text text", "LOADK 0 dec3:1.500\nLOADK 1 \"DZ\"\nLOADK 2 \"EA\"\n", "3"), NULL,
      "result 18.000000\n" },
    { "CONVERT to a part",
      BUILTIN("CONVERT", "dec6", "dec3 text text", "LOADK 0 dec3:-1.000\nLOADK 1 \"EA\"\nLOADK 2 \"GS\"\n", "3"), NULL,
      "result -0.006944\n" },
    { "CONVERT to itself",
      BUILTIN("CONVERT", "dec6", "dec3 text text", "LOADK 0 dec3:1.500\nLOADK 1 \"?\"\nLOADK 2 \"?\"\n", "3"), NULL,
      "result 1.500000\n" },
    { "CONVERT of what does not",
      BUILTIN("CONVERT", "dec6", "dec3 text text", "LOADK 0 dec3:1.500\nLOADK 1 \"LB\"\nLOADK 2 \"EA\"\n", "3"), NULL,
      "result absent\n" },
    { "FILE_ID", BUILTIN("FILE_ID", "text", "", "", "0"), NULL, "result input-1\n" },
    { "RECEIVED_AT", BUILTIN("RECEIVED_AT", "moment", "", "", "0"), NULL, "result 2025-03-03T11:06:40Z\n" },
    { "DATE_OF", BUILTIN("DATE_OF", "date", "moment", "LOADK 0 moment:1969-12-31T23:59:59Z\n", "1"), NULL,
      "result 1969-12-31\n" },
    { "DATE_OF gives the day as written", BUILTIN("DATE_OF", "date", "moment", "LOADK 0 moment:2025-03-01T23:30:00-06:00\n", "1"),
      NULL, "result 2025-03-01\n" },
    { "DATE_OF of a month", MOMENT("hl7moment", "date", "date", "BUILTIN 1 DATE_OF\nRETURN 2\n"), "U A=202503\n",
      "fail VALUE_INVALID\n" },
    { "LOCAL_DATE",
      "zone America/Chicago -360 -300\n" BUILTIN("LOCAL_DATE", "date", "moment text",
                                                 "LOADK 0 moment:2025-03-02T05:30:00Z\nLOADK 1 \"America/Chicago\"\n", "2"),
      NULL, "result 2025-03-01\n" },
    { "LOCAL_DATE in summer",
      "zone UTC 0\nzone America/Chicago -360 -300\n" BUILTIN(
          "LOCAL_DATE", "date", "moment text", "LOADK 0 moment:2025-07-02T05:30:00Z\nLOADK 1 \"America/Chicago\"\n", "2"),
      NULL, "result 2025-07-02\n" },
    { "LOCAL_DATE of a day",
      "zone Asia/Tokyo 540\n" MOMENT("isomoment", "date", "text date",
                                     "LOADK 2 \"Asia/Tokyo\"\nBUILTIN 1 LOCAL_DATE\nRETURN 3\n"),
      "U A=2025-03-01\n", "result 2025-03-01\n" },
    { "LOCAL_DATE without a zone", MOMENT("hl7moment", "date", "text date", "LOADK 2 \"UTC\"\nBUILTIN 1 LOCAL_DATE\nRETURN 3\n"),
      "U A=20250301120000\n", "fail ZONE_MISSING\n" },
    { "LOCAL_DATE of a day without a zone",
      MOMENT("hl7moment", "date", "text date", "LOADK 2 \"UTC\"\nBUILTIN 1 LOCAL_DATE\nRETURN 3\n"), "U A=20250301\n",
      "result 2025-03-01\n" },
    { "LOCAL_DATE in a zone that the program lacks",
      BUILTIN("LOCAL_DATE", "date", "moment text", "LOADK 0 moment:2025-03-02T05:30:00Z\nLOADK 1 \"Asia/Tokyo\"\n", "2"), NULL,
      "fail VALUE_INVALID\n" },
    { "LOCAL_DATE of absent", BUILTIN("LOCAL_DATE", "date", "moment text", "LOADK 1 \"UTC\"\n", "2"), NULL, "result absent\n" },
    { "INSTANT", BUILTIN("INSTANT", "int", "moment", "LOADK 0 moment:1970-01-01T01:00:00.5+01:00\n", "1"), NULL,
      "result 500000\n" },
    { "INSTANT without a zone", MOMENT("hl7moment", "int", "int", "BUILTIN 1 INSTANT\nRETURN 2\n"), "U A=20250301\n",
      "fail ZONE_MISSING\n" },
    { "INSTANT of a year", "zone UTC 0\n" MOMENT("hl7moment", "int", "int", "BUILTIN 1 INSTANT\nRETURN 2\n"), "U A=2025\n",
      "fail VALUE_INVALID\n" },
    { "INSTANT of a day in the zone of the source",
      "zone X -1\n" MOMENT("isomoment", "int", "int", "BUILTIN 1 INSTANT\nRETURN 2\n"), "U A=1970-01-01\n", "result 60000000\n" },
    /* records */
    { "EMIT",
      "record r a:text b:usd2 c?:date\ntarget out r key=0,1\n" F("text usd2 date",
                                                                 "LOADK 0 \"x\"\nLOADK 1 usd2:1.00\nEMIT out 0\nFINISH\n"),
      NULL, "record out key x|1.00 a=x b=1.00 c=absent\ndone\n" },
    { "EMIT with a long key",
      "record r a:int b:int\ntarget out r key=0,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1\n" F(
          "int int", "LOADK 0 int:1\nLOADK 1 int:-2\nEMIT out 0\nFINISH\n"),
      NULL, "record out key 1|-2|1|-2|1|-2|1|-2|1|-2|1|-2|1|-2|1|-2|1|-2 a=1 b=-2\ndone\n" },
    { "EMIT without what it needs",
      "record r a:text b:usd2 c?:date\ntarget out r key=0,1\n" F("text usd2 date", "LOADK 0 \"x\"\nEMIT out 0\nFINISH\n"), NULL,
      "fail REQUIRED_MISSING\n" },
    { "EMIT with an absent key",
      "record r a:text c?:date\ntarget out r key=0,1\n" F("text date", "LOADK 0 \"x\"\nEMIT out 0\nFINISH\n"), NULL,
      "fail REQUIRED_MISSING\n" },
    { "EMIT with a long text",
      "record r a:text/2\ntarget out r key=0\n" F(
          "text", "LOADK 0 \"\xc3\xa4\xc3\xa4\"\nEMIT out 0\nLOADK 0 \"abc\"\nEMIT out 0\nFINISH\n"),
      NULL, "record out key \xc3\xa4\xc3\xa4 a=\xc3\xa4\xc3\xa4\nfail TEXT_TOO_LONG\n" },
};

/* Three registers for the header, account, amount and column of a line, text of the key. */
#define JOURNAL(options, flip, lines)                                                                                            \
    "record accounts account:text name?:text\ntable chart accounts keys=1\n| cash Cash\n| ar -\n| sales -\n"                     \
    "record head day:date\nrecord columns who?:text\ntarget gl head journal line=columns " options "\n"                          \
    "function f 0 none : date text usd2 text text usd3 text eur2 text\nLOADK 0 date:2025-01-31\n"                                \
    "JOURNAL gl " flip "\n" lines "LOADK 4 \"k1\"\nPOST 0 4 1\nFINISH\n"
#define DEBIT(account, amount)  "LOADK 1 \"" account "\"\nLOADK 2 usd2:" amount "\nLINE 1 0\n"
#define CREDIT(account, amount) "LOADK 1 \"" account "\"\nLOADK 2 usd2:" amount "\nLINE 1 1\n"
#define HEAD                    "journal gl key k1 day=2025-01-31\n"

static const struct test_case journals[] = {
    { "balances", JOURNAL("", "0", DEBIT("cash", "80.00") CREDIT("ar", "80.00")), NULL,
      HEAD " debit cash 80.00 who=absent\n credit ar 80.00 who=absent\ndone\n" },
    { "does not balance", JOURNAL("", "0", DEBIT("cash", "80.00") CREDIT("ar", "79.00")), NULL,
      "fail JOURNAL_UNBALANCED \"debits 80.00 USD, credits 79.00 USD\"\n" },
    { "one side alone", JOURNAL("", "0", DEBIT("cash", "0.01")), NULL,
      "fail JOURNAL_UNBALANCED \"debits 0.01 USD, credits 0.00 USD\"\n" },
    { "zero lines vanish", JOURNAL("", "0", DEBIT("cash", "5.00") DEBIT("ar", "0.00") CREDIT("ar", "5.00")), NULL,
      HEAD " debit cash 5.00 who=absent\n credit ar 5.00 who=absent\ndone\n" },
    { "nothing left", JOURNAL("", "0", DEBIT("cash", "0.00")), NULL, HEAD "done\n" },
    { "negative", JOURNAL("", "0", DEBIT("cash", "-5.00") CREDIT("ar", "-5.00")), NULL, "fail JOURNAL_NEGATIVE\n" },
    { "negatives flip", JOURNAL("", "1", DEBIT("cash", "-5.00") CREDIT("ar", "-5.00")), NULL,
      HEAD " credit cash 5.00 who=absent\n debit ar 5.00 who=absent\ndone\n" },
    { "each line flips for itself", JOURNAL("", "1", DEBIT("cash", "-5.00") DEBIT("ar", "5.00")), NULL,
      HEAD " credit cash 5.00 who=absent\n debit ar 5.00 who=absent\ndone\n" },
    { "columns", JOURNAL("", "0", "LOADK 3 \"a\"\n" DEBIT("cash", "1.00") "LOADK 3 \"b\"\n" CREDIT("ar", "1.00")), NULL,
      HEAD " debit cash 1.00 who=a\n credit ar 1.00 who=b\ndone\n" },
    { "remainder",
      JOURNAL("", "0", DEBIT("cash", "3.00") "LOADK 1 \"ar\"\nLINE 1 3\n" DEBIT("cash", "2.00") CREDIT("ar", "1.50")), NULL,
      HEAD " debit cash 3.00 who=absent\n credit ar 3.50 who=absent\n debit cash 2.00 who=absent\n credit ar 1.50 "
           "who=absent\ndone\n" },
    { "remainder that is negative flips", JOURNAL("", "1", CREDIT("cash", "3.00") "LOADK 1 \"ar\"\nLINE 1 3\n"), NULL,
      HEAD " credit cash 3.00 who=absent\n debit ar 3.00 who=absent\ndone\n" },
    { "remainder before flips", JOURNAL("", "1", DEBIT("cash", "-3.00") "LOADK 1 \"ar\"\nLINE 1 3\n"), NULL,
      HEAD " credit cash 3.00 who=absent\n debit ar 3.00 who=absent\ndone\n" },
    { "remainder of zero vanishes", JOURNAL("", "0", DEBIT("cash", "3.00") CREDIT("ar", "3.00") "LINE 1 3\n"), NULL,
      HEAD " debit cash 3.00 who=absent\n credit ar 3.00 who=absent\ndone\n" },
    { "remainder of its currency",
      JOURNAL("", "0", DEBIT("cash", "3.00") "LOADK 6 \"cash\"\nLOADK 7 eur2:4.00\nLINE 6 0\nLINE 6 3\n" CREDIT("ar", "3.00")),
      NULL,
      HEAD " debit cash 3.00 who=absent\n debit cash 4.00 who=absent\n credit cash 4.00 who=absent\n credit ar 3.00 "
           "who=absent\ndone\n" },
    { "two remainders do not balance", JOURNAL("", "0", DEBIT("cash", "3.00") "LINE 1 3\nLINE 1 3\n"), NULL,
      "fail JOURNAL_UNBALANCED \"debits 3.00 USD, credits 6.00 USD\"\n" },
    { "currencies balance one by one", JOURNAL("", "0", DEBIT("cash", "3.00") "LOADK 6 \"cash\"\nLOADK 7 eur2:3.00\nLINE 6 1\n"),
      NULL, "fail JOURNAL_UNBALANCED \"debits 0.00 EUR, credits 3.00 EUR\"\n" },
    { "scales of one currency", JOURNAL("", "0", DEBIT("cash", "3.00") "LOADK 4 \"ar\"\nLOADK 5 usd3:3.001\nLINE 4 1\n"), NULL,
      "fail JOURNAL_UNBALANCED \"debits 3.000 USD, credits 3.001 USD\"\n" },
    { "narrow scale after a wide one",
      JOURNAL("", "0", "LOADK 4 \"cash\"\nLOADK 5 usd3:3.000\nLINE 4 0\n" DEBIT("cash", "1.00") CREDIT("ar", "4.01")), NULL,
      "fail JOURNAL_UNBALANCED \"debits 4.000 USD, credits 4.010 USD\"\n" },
    { "balance by a number",
      "record head day:date\nrecord columns n?:int\ntarget gl head journal line=columns balance=0\n" F(
          "date text usd2 int", "LOADK 0 date:2025-01-31\nLOADK 1 \"a\"\nLOADK 2 usd2:1.00\nJOURNAL gl 0\nLOADK 3 int:2\nLINE 1 "
                                "0\nLOADK 3 int:1\nLINE 1 0\nLINE 1 1\nABSENT 3\nLINE 1 1\nPOST 0 1 1\nFINISH\n"),
      NULL, "fail JOURNAL_UNBALANCED \"debits 1.00 USD, credits 0.00 USD\"\n" },
    { "balance by an amount",
      "record head day:date\nrecord columns n:dec1\ntarget gl head journal line=columns balance=0\n" F(
          "date text usd2 dec1", "LOADK 0 date:2025-01-31\nLOADK 1 \"a\"\nLOADK 2 usd2:1.00\nJOURNAL gl 0\nLOADK 3 dec1:2\nLINE "
                                 "1 0\nLOADK 3 dec1:-1\nLINE 1 0\nLINE 1 1\nLOADK 3 dec1:2\nLINE 1 1\nPOST 0 1 1\nFINISH\n"),
      NULL,
      "journal gl key a day=2025-01-31\n debit a 1.00 n=2.0\n debit a 1.00 n=-1.0\n credit a 1.00 n=-1.0\n credit a 1.00 "
      "n=2.0\ndone\n" },
    { "balance by a column",
      JOURNAL("balance=0", "0", "LOADK 3 \"a\"\n" DEBIT("cash", "1.00") "LOADK 3 \"b\"\n" CREDIT("ar", "1.00")), NULL,
      "fail JOURNAL_UNBALANCED \"debits 1.00 USD, credits 0.00 USD\"\n" },
    { "balances by a column",
      JOURNAL("balance=0", "0",
              "LOADK 3 \"a\"\n" DEBIT("cash", "1.00") "LOADK 3 \"b\"\n" DEBIT("cash", "2.00") "LOADK 3 \"a\"\n" CREDIT(
                  "ar", "1.00") "LOADK 3 \"b\"\n" CREDIT("ar", "2.00")),
      NULL, HEAD " debit cash 1.00 who=a\n debit cash 2.00 who=b\n credit ar 1.00 who=a\n credit ar 2.00 who=b\ndone\n" },
    { "accounts", JOURNAL("accounts=chart", "0", DEBIT("cash", "1.00") CREDIT("sales", "1.00")), NULL,
      HEAD " debit cash 1.00 who=absent\n credit sales 1.00 who=absent\ndone\n" },
    { "unknown account", JOURNAL("accounts=chart", "0", DEBIT("cash", "1.00") CREDIT("sale", "1.00")), NULL,
      "fail ACCOUNT_UNKNOWN\n" },
    { "line without an amount", JOURNAL("", "0", "LOADK 1 \"cash\"\nLINE 1 0\n"), NULL, "fail REQUIRED_MISSING\n" },
    { "line without an account", JOURNAL("", "0", "LOADK 2 usd2:1.00\nLINE 1 0\n"), NULL, "fail REQUIRED_MISSING\n" },
    { "sums overflow", JOURNAL("", "0", DEBIT("cash", "999999999999999999999999999999999999.99") DEBIT("cash", "0.01")), NULL,
      "fail OVERFLOW\n" },
};

/* Columns: 3 and 4 of the line, 6 and 7 of the journal; key: 5. */
#define COMMON(before, flags, lines)                                                                                             \
    "record head day:date\nrecord columns who:text/3 note?:text/4\ntarget gl head journal line=columns\n"                        \
    "function f 0 none : date text usd2 text text text text text\nLOADK 0 date:2025-01-31\n" before "JOURNAL gl " flags          \
    "\n" lines "LOADK 5 \"k1\"\nPOST 0 5 1\nFINISH\n"
#define LINE(account, amount, flags) "LOADK 1 \"" account "\"\nLOADK 2 usd2:" amount "\nLINE 1 " flags "\n"
#define FOUR(line)                   line line line line
#define WHO(text)                    "LOADK 3 \"" text "\"\n"
#define BOTH                         "LOADK 6 \"w\"\nLOADK 7 \"n\"\n"

static const struct test_case commons[] = {
    { "lines leave columns to the journal",
      COMMON(BOTH, "2 6",
             LINE("a", "3.00", "0 2") "LOADK 6 \"x\"\n" WHO("o") LINE("b", "1.00", "1 1") "LOADK 4 \"p\"\n" LINE("c", "1.00", "1")
                 LINE("d", "1.00", "1 2")),
      NULL,
      HEAD " debit a 3.00 who=w note=n\n credit b 1.00 who=o note=n\n credit c 1.00 who=o note=p\n credit d 1.00 who=w note=n\n"
           "done\n" },
    { "many lines",
      COMMON(BOTH WHO("o"), "2 6", FOUR(FOUR(LINE("a", "1.00", "0 2") LINE("b", "1.00", "0 1"))) LINE("c", "32.00", "1 1")), NULL,
      HEAD FOUR(FOUR(" debit a 1.00 who=w note=n\n debit b 1.00 who=o note=n\n")) " credit c 32.00 who=o note=n\ndone\n" },
    { "a journal without columns has them absent",
      COMMON(BOTH WHO("o"), "0 6", LINE("a", "1.00", "0 1") LINE("b", "1.00", "1 1")), NULL,
      HEAD " debit a 1.00 who=o note=absent\n credit b 1.00 who=o note=absent\ndone\n" },
    { "a column that a line needs, left to a journal without it", COMMON(BOTH, "0 6", LINE("a", "1.00", "0 2")), NULL,
      "fail REQUIRED_MISSING\n" },
    { "a column that the journal lacks and all lines have",
      COMMON("LOADK 7 \"n\"\n" WHO("o"), "2 6", LINE("a", "1.00", "0 1") LINE("b", "1.00", "1 1")), NULL,
      HEAD " debit a 1.00 who=o note=n\n credit b 1.00 who=o note=n\ndone\n" },
    { "a column that the journal lacks and one line needs",
      COMMON("LOADK 7 \"n\"\n" WHO("o"), "2 6", LINE("a", "1.00", "0 1") LINE("b", "1.00", "1 2")), NULL,
      "fail REQUIRED_MISSING\n" },
    { "a column of the journal that is too long", COMMON("LOADK 6 \"w\"\nLOADK 7 \"12345\"\n", "2 6", LINE("a", "1.00", "0 2")),
      NULL, "fail TEXT_TOO_LONG\n" },
    { "a column of the journal that is too long, and that no line takes",
      COMMON("LOADK 6 \"w\"\nLOADK 7 \"12345\"\n" WHO("o") "LOADK 4 \"p\"\n", "2 6",
             LINE("a", "1.00", "0") LINE("b", "1.00", "1")),
      NULL, HEAD " debit a 1.00 who=o note=p\n credit b 1.00 who=o note=p\ndone\n" },
    { "a column of a line that is too long", COMMON(BOTH WHO("1234"), "2 6", LINE("a", "1.00", "0 1")), NULL,
      "fail TEXT_TOO_LONG\n" },
    { "columns are counted in characters",
      COMMON(BOTH WHO("\xc3\xa4\xc3\xa4\xc3\xa4"), "2 6", LINE("a", "1.00", "0 1") LINE("b", "1.00", "1 1")), NULL,
      HEAD " debit a 1.00 who=\xc3\xa4\xc3\xa4\xc3\xa4 note=n\n credit b 1.00 who=\xc3\xa4\xc3\xa4\xc3\xa4 note=n\ndone\n" },
};

#define LOOKUP(table, types, keys) table "function f 0 row:r : row:r " types "\n" keys "LOOKUP 0 1 t\nRETURN 0\n"
#define DAYS                                                                                                                     \
    "record r k:text from?:date to?:date v:int\ntable t r keys=1 effective\n| a 2024-01-01 2024-06-30 1\n| b - - 9\n| a "        \
    "2024-07-01 - 2\n| c 2024-03-01 2024-03-01 3\n"
#define PREFIXES "record r s:text k?:text v:int\ntable t r keys=2 prefix\n| x 12 1\n| x 1 2\n| x - 3\n| x 1234 4\n| y 12 5\n"

#define RANGES   "record r s:text k:usd2 v:int\ntable t r keys=2 range\n| x 15.00 3\n| x -5.00 1\n| x 10.00 2\n| y 0.00 4\n"

static const struct test_case lookups[] = {
    { "exact",
      LOOKUP("record r k:text n:int v:text\ntable t r keys=2\n| a 1 x\n| a 2 y\n| b 1 -\n", "text int",
             "LOADK 1 \"a\"\nLOADK 2 int:2\n"),
      NULL, "result (a, 2, y)\n" },
    { "no such key",
      LOOKUP("record r k:text n:int v:text\ntable t r keys=2\n| a 1 x\n| a 2 y\n| b 1 -\n", "text int",
             "LOADK 1 \"b\"\nLOADK 2 int:2\n"),
      NULL, "result absent\n" },
    { "blank cell",
      LOOKUP("record r k:text n:int v:text\ntable t r keys=2\n| a 1 x\n| a 2 y\n| b 1 -\n", "text int",
             "LOADK 1 \"b\"\nLOADK 2 int:1\n"),
      NULL, "result (b, 1, absent)\n" },
    { "absent key", LOOKUP("record r k:text n:int v:text\ntable t r keys=2\n| a 1 x\n", "text int", "LOADK 1 \"a\"\n"), NULL,
      "result absent\n" },
    { "empty table", LOOKUP("record r k:text v:int\ntable t r keys=1\n", "text", "LOADK 1 \"a\"\n"), NULL, "result absent\n" },
    { "decimal key", LOOKUP("record r k:usd2 v:int\ntable t r keys=1\n| 1.50 1\n| -2.00 2\n", "usd2", "LOADK 1 usd2:-2.00\n"),
      NULL, "result (-2.00, 2)\n" },
    { "first day", LOOKUP(DAYS, "text date", "LOADK 1 \"a\"\nLOADK 2 date:2024-01-01\n"), NULL,
      "result (a, 2024-01-01, 2024-06-30, 1)\n" },
    { "last day", LOOKUP(DAYS, "text date", "LOADK 1 \"a\"\nLOADK 2 date:2024-06-30\n"), NULL,
      "result (a, 2024-01-01, 2024-06-30, 1)\n" },
    { "next day", LOOKUP(DAYS, "text date", "LOADK 1 \"a\"\nLOADK 2 date:2024-07-01\n"), NULL,
      "result (a, 2024-07-01, absent, 2)\n" },
    { "open end", LOOKUP(DAYS, "text date", "LOADK 1 \"a\"\nLOADK 2 date:9999-12-31\n"), NULL,
      "result (a, 2024-07-01, absent, 2)\n" },
    { "before the first", LOOKUP(DAYS, "text date", "LOADK 1 \"a\"\nLOADK 2 date:2023-12-31\n"), NULL, "result absent\n" },
    { "always", LOOKUP(DAYS, "text date", "LOADK 1 \"b\"\nLOADK 2 date:0001-01-01\n"), NULL, "result (b, absent, absent, 9)\n" },
    { "after the last", LOOKUP(DAYS, "text date", "LOADK 1 \"c\"\nLOADK 2 date:2024-03-02\n"), NULL, "result absent\n" },
    { "no day", LOOKUP(DAYS, "text date", "LOADK 1 \"b\"\n"), NULL, "result absent\n" },
    { "longest prefix", LOOKUP(PREFIXES, "text text", "LOADK 1 \"x\"\nLOADK 2 \"1239\"\n"), NULL, "result (x, 12, 1)\n" },
    { "whole prefix", LOOKUP(PREFIXES, "text text", "LOADK 1 \"x\"\nLOADK 2 \"1234\"\n"), NULL, "result (x, 1234, 4)\n" },
    { "short prefix", LOOKUP(PREFIXES, "text text", "LOADK 1 \"x\"\nLOADK 2 \"19\"\n"), NULL, "result (x, 1, 2)\n" },
    { "blank prefix", LOOKUP(PREFIXES, "text text", "LOADK 1 \"x\"\nLOADK 2 \"9\"\n"), NULL, "result (x, absent, 3)\n" },
    { "any", LOOKUP(PREFIXES, "text text", "LOADK 1 \"x\"\nLOADK 2 \"\"\n"), NULL, "result (x, absent, 3)\n" },
    { "prefix of another", LOOKUP(PREFIXES, "text text", "LOADK 1 \"y\"\nLOADK 2 \"19\"\n"), NULL, "result absent\n" },
    { "range", LOOKUP(RANGES, "text usd2", "LOADK 1 \"x\"\nLOADK 2 usd2:14.99\n"), NULL, "result (x, 10.00, 2)\n" },
    { "range from its key on", LOOKUP(RANGES, "text usd2", "LOADK 1 \"x\"\nLOADK 2 usd2:15.00\n"), NULL,
      "result (x, 15.00, 3)\n" },
    { "above all ranges", LOOKUP(RANGES, "text usd2", "LOADK 1 \"x\"\nLOADK 2 usd2:999.00\n"), NULL, "result (x, 15.00, 3)\n" },
    { "below all ranges", LOOKUP(RANGES, "text usd2", "LOADK 1 \"x\"\nLOADK 2 usd2:-5.01\n"), NULL, "result absent\n" },
    { "range of another", LOOKUP(RANGES, "text usd2", "LOADK 1 \"y\"\nLOADK 2 usd2:11.00\n"), NULL, "result (y, 0.00, 4)\n" },
    { "range of none", LOOKUP(RANGES, "text usd2", "LOADK 1 \"z\"\nLOADK 2 usd2:11.00\n"), NULL, "result absent\n" },
    { "one key by range", LOOKUP("record r k:int v:int\ntable t r keys=1 range\n| 5 1\n| 1 2\n", "int", "LOADK 1 int:4\n"), NULL,
      "result (1, 2)\n" },
    { "lower range in force",
      LOOKUP("record r k:int from?:date to?:date v:int\ntable t r keys=1 range effective\n| 12 2024-01-01 - 1\n| 1 - - 2\n"
             "| 12 2022-01-01 2022-12-31 3\n",
             "int date", "LOADK 1 int:13\nLOADK 2 date:2023-01-01\n"),
      NULL, "result (1, absent, absent, 2)\n" },
    { "range in force",
      LOOKUP("record r k:int from?:date to?:date v:int\ntable t r keys=1 range effective\n| 12 2024-01-01 - 1\n| 1 - - 2\n"
             "| 12 2022-01-01 2022-12-31 3\n",
             "int date", "LOADK 1 int:13\nLOADK 2 date:2022-12-31\n"),
      NULL, "result (12, 2022-01-01, 2022-12-31, 3)\n" },
    { "shorter prefix in force",
      LOOKUP("record r k:text from?:date to?:date v:int\ntable t r keys=1 prefix effective\n| 12 2024-01-01 - 1\n| 1 - - 2\n",
             "text date", "LOADK 1 \"123\"\nLOADK 2 date:2023-01-01\n"),
      NULL, "result (1, absent, absent, 2)\n" },
};

/* 0: "CO" with less than 10; 1: "CO" or absent from 10 on; 2: any text with 10. */
#define DECIDED(given)                                                                                                           \
    "decision d 3\n| text 1 - 2 CO=0,1,2\n| int ordered - - 0 10=1,2 1\nfunction f 0 int : int text int\n" given                 \
    "DECIDE 0 1 d\nRETURN 0\n"

static const struct test_case decided[] = {
    { "below", DECIDED("LOADK 1 \"CO\"\nLOADK 2 int:9\n"), NULL, "result 0\n" },
    { "first of two", DECIDED("LOADK 1 \"CO\"\nLOADK 2 int:10\n"), NULL, "result 1\n" },
    { "above", DECIDED("LOADK 1 \"CO\"\nLOADK 2 int:11\n"), NULL, "result 1\n" },
    { "another text", DECIDED("LOADK 1 \"PR\"\nLOADK 2 int:10\n"), NULL, "result 2\n" },
    { "none", DECIDED("LOADK 1 \"PR\"\nLOADK 2 int:11\n"), NULL, "result absent\n" },
    { "absent is a value", DECIDED("ABSENT 1\nLOADK 2 int:11\n"), NULL, "result 1\n" },
    { "nothing fits absence", DECIDED("LOADK 1 \"CO\"\nABSENT 2\n"), NULL, "result absent\n" },
};

#define CALLED(given)                                                                                                            \
    "extern twice lib int text int\nfunction f 0 int : int text int\n" given "LOADK 1 \"x\"\nEXTERN 0 twice\nRETURN 2\n"

static const struct test_case externs[] = {
    { "library", CALLED("LOADK 0 int:21\n"), NULL, "result 42\n" },
    { "library gives nothing", CALLED("LOADK 0 int:0\n"), NULL, "result absent\n" },
    { "library is not asked", CALLED("ABSENT 0\n"), NULL, "result absent\n" },
    { "library fails", CALLED("LOADK 0 int:13\n"), NULL, "fail EXTERN_FAILED\n" },
};

#define ADJUSTMENTS                                                                                                              \
    FRAMES "record adj group:text reason:text remark?:text amount:dec2 level:text line?:int svc?:text n:int\n"                   \
           "collect adjustments 2100 adj group=0 line=1 line_group=0 needed=3\n| group:group group:reason first:1.remark,^.MOA " \
           "group:amount level:claim:line position line:SVC01 ordinal\n"                                                         \
           "function f 1 list:row:adj : node:2100 list:row:adj\nCOLLECT 1 0 adjustments\nRETURN 1\n"
#define PRIOR(options)                                                                                                           \
    "frame CAS group group:text reason:text amount:dec2\nframe 2430 loop SVD03:text > CAS\nframe 2400 loop LX:text > "           \
    "2430\nframe 2300 loop unit CLM:text > CAS 2400\n"                                                                           \
    "record adj group:text reason:text amount:dec2 line?:int svd?:text lx?:text n:int\n"                                         \
    "collect prior 2300 adj group=0 line=1 inner_line=0 inner_group=0 needed=2 " options                                         \
    "\n| group:group group:reason group:amount position line:SVD03 line:LX ordinal\n"                                            \
    "function f 1 list:row:adj : node:2300 list:row:adj\nCOLLECT 1 0 prior\nCOLLECT 1 0 prior\nRETURN 1\n"
/* Over fields of the group alone no rows are made; with others, or where rows may be left out, they are. */
#define SUMMED(options, line)                                                                                                    \
    "frame CAS group group:text reason:text amount:dec2 units:dec2\nframe 2430 loop SVD03:text > CAS\n"                          \
    "frame 2400 loop LX:text > 2430\nframe 2300 loop unit CLM:text > CAS 2400\n"                                                 \
    "record adj group:text reason:text units?:dec2 amount:dec2 line?:text n:int\n"                                               \
    "collect prior 2300 adj group=0 line=1 inner_line=0 inner_group=0 needed=3 " options                                         \
    "\n| group:group group:reason group:units group:amount " line " ordinal\n"                                                   \
    "function f 1 dec2 : node:2300 dec2\nSUM 1 0 prior\nSUM 1 0 prior\nRETURN 1\n"
#define BOTH_WAYS(name, options, tree, log)                                                                                      \
    { name, SUMMED(options, "unread"), tree, log }, { name " of rows", SUMMED(options, "line:LX"), tree, log }
#define DATES                                                                                                                    \
    "frame D group DTM:date\nframe L loop DTM2:date > D\nframe C loop unit DTM3:date > L D\ndates first C DTM3 0.DTM2 0.0.DTM "  \
    "1.DTM\n"                                                                                                                    \
    "function f 1 date : node:C date\nEARLIEST 1 0 first\nRETURN 1\n"

static const struct test_case collects[] = {
    { "claim and lines", ADJUSTMENTS,
      "2100 MOA=M1\n CAS group=CO reason=45 amount=1.00\n CAS group=CO reason=1\n 2110 SVC01=A\n  CAS group=PR reason=2 "
      "amount=2\n  LQ remark=N5\n 2110 SVC01=B\n  CAS group=PR reason=3 amount=3\n",
      "result [(CO, 45, M1, 1.00, claim, absent, absent, 1), (PR, 2, N5, 2.00, line, 1, A, 2), (PR, 3, M1, 3.00, line, 2, B, "
      "3)]\n" },
    { "fields that nothing reads",
      FRAMES "record adj group:text reason:text amount:dec2 n:int\n"
             "collect adjustments 2100 adj group=0 needed=2\n| unread group:reason group:amount unread\n"
             "function f 1 list:row:adj : node:2100 list:row:adj\nCOLLECT 1 0 adjustments\nRETURN 1\n",
      "2100\n CAS group=CO reason=45 amount=1.00\n CAS group=PR reason=2 amount=3\n",
      "result [(absent, 45, 1.00, absent), (absent, 2, 3.00, absent)]\n" },
    { "of one line",
      "frame CAS group amount:dec2\nframe 2110 loop SVC:text > CAS\nframe 2100 loop unit > 2110\nrecord adj amount:dec2 "
      "line:int\n"
      "collect adjustments 2110 adj group=0 needed=0\n| group:amount position:outer\n"
      "function f 1 list:row:adj : node:2100 list:node:2110 node:2110 int list:row:adj\nCHILDREN 1 0 0\nagain:\nNEXT 1 2 3\nJUMP "
      "@end\nCOLLECT 4 2 adjustments\nJUMP @again\nend:\nRETURN 4\n",
      "2100\n 2110\n 2110\n  CAS amount=1\n", "result [(1.00, 2)]\n" },
    { "nothing", ADJUSTMENTS, "2100\n", "result []\n" },
    { "of no node", ADJUSTMENTS, NULL, "result absent\n" },
    { "amount that is none", ADJUSTMENTS, "2100\n CAS group=CO reason=45 amount=x\n", "fail VALUE_INVALID at amount=x\n" },
    { "more rows than it may", PRIOR("max=1"), "2300\n CAS group=CO reason=45 amount=1\n CAS group=CO reason=46 amount=1\n",
      "fail LIMIT_LIST\n" },
    { "a level between", PRIOR(""),
      "2300\n CAS group=CO reason=45 amount=3\n 2400 LX=1\n 2400 LX=2\n  2430 SVD03=S\n   CAS group=CO reason=45 amount=1\n  "
      "2430 SVD03=T\n   CAS group=CO reason=45 amount=2\n",
      "result [(CO, 45, 3.00, absent, absent, absent, 1), (CO, 45, 1.00, 2, S, 2, 2), (CO, 45, 2.00, 2, T, 2, 3)]\n" },
    { "twice", PRIOR("twice"),
      "2300\n CAS group=CO reason=45 amount=3\n CAS group=CO reason=46 amount=5\n 2400 LX=2\n  2430\n   CAS group=CO reason=45 "
      "amount=1\n   CAS group=CO reason=45 amount=2\n"
      "   CAS group=CO reason=46 amount=4\n",
      "fault X12_TWICE\nresult [(CO, 46, 5.00, absent, absent, absent, 1), (CO, 45, 1.00, 1, absent, 2, 2), (CO, 45, 2.00, 1, "
      "absent, 2, 3), (CO, 46, 4.00, 1, absent, 2, 4)]\n" },
    { "twice needs lines", PRIOR("twice"),
      "2300\n CAS group=CO reason=45 amount=0\n 2400\n  2430\n   CAS group=PR reason=45 amount=0\n",
      "result [(CO, 45, 0.00, absent, absent, absent, 1), (PR, 45, 0.00, 1, absent, absent, 2)]\n" },
    BOTH_WAYS("sum", "",
              "2300\n CAS group=CO reason=45 amount=3\n 2400 LX=1\n 2400 LX=2\n  2430\n   CAS amount=-1.5\n  2430\n   CAS "
              "amount=2.25 units=1\n   CAS amount=123456789012.34\n",
              "result 123456789016.09\n"),
    BOTH_WAYS("sum of nothing", "", "2300\n 2400\n  2430\n", "result 0.00\n"),
    BOTH_WAYS("sum of no node", "", NULL, "result 0.00\n"),
    BOTH_WAYS("sum without an amount", "max=1", "2300\n CAS group=CO\n CAS amount=1\n CAS reason=1\n", "result 1.00\n"),
    BOTH_WAYS("sum of more rows than there may be", "max=1", "2300\n CAS amount=1\n CAS amount=1\n", "fail LIMIT_LIST\n"),
    BOTH_WAYS("sum of what is no amount", "", "2300\n CAS amount=1\n CAS amount=1x\n", "fail VALUE_INVALID at amount=1x\n"),
    BOTH_WAYS("sum beside what is no number", "", "2300\n CAS amount=1 units=x\n", "fail VALUE_INVALID at units=x\n"),
    BOTH_WAYS("sum too large", "",
              "2300\n CAS amount=999999999999999999999999999999999999\n CAS amount=999999999999999999999999999999999999\n",
              "fail OVERFLOW\n"),
    BOTH_WAYS("sum without what is there twice", "twice",
              "2300\n CAS group=CO reason=45 amount=3\n CAS group=CO reason=46 amount=5\n 2400\n  2430\n   CAS group=CO "
              "reason=45 amount=3\n   CAS group=CO reason=46 amount=4\n",
              "fault X12_TWICE\nresult 12.00\n"),
    { "earliest", DATES, "C DTM3=20250105\n L DTM2=20250104\n  D DTM=20250103-20250109\n L\n  D DTM=20250108\n D DTM=250106\n",
      "result 2025-01-03\n" },
    { "earliest of none", DATES, "C\n L\n", "result absent\n" },
    { "earliest that is none", DATES, "C\n L DTM2=soon\n", "fail VALUE_INVALID at DTM2=soon\n" },
};

static void check_case(const struct test_case *c)
{
    char *log = asm_run(c->source, "f", c->tree);
    ck_assert_msg(strcmp(log, c->log) == 0, "%s:\nwanted %sgot    %s", c->name, c->log, log);
    free(log);
}

START_TEST(instructions) { check_case(&cases[_i]); }
END_TEST
START_TEST(journal) { check_case(&journals[_i]); }
END_TEST
START_TEST(common) { check_case(&commons[_i]); }
END_TEST
START_TEST(tables) { check_case(&lookups[_i]); }
END_TEST
START_TEST(decisions) { check_case(&decided[_i]); }
END_TEST
START_TEST(libraries) { check_case(&externs[_i]); }
END_TEST
START_TEST(collectors) { check_case(&collects[_i]); }
END_TEST

/* Every instruction stands in at least one of the cases, so that a new one is not forgotten. */
START_TEST(all_instructions_are_tested)
{
    static const struct {
        const struct test_case *cases;
        size_t                  count;
    } all[] = {
        { cases, SHUNT_COUNT(cases) },       { journals, SHUNT_COUNT(journals) }, { commons, SHUNT_COUNT(commons) },
        { lookups, SHUNT_COUNT(lookups) },   { decided, SHUNT_COUNT(decided) },   { externs, SHUNT_COUNT(externs) },
        { collects, SHUNT_COUNT(collects) },
    };
    for (int op = 0; op < SHUNT_OP_COUNT; op++) {
        char needle[40];
        bool found = false;
        snprintf(needle, sizeof needle, "\n%s", shunt_op_info[op].name);
        for (size_t t = 0; t < SHUNT_COUNT(all); t++) {
            for (size_t i = 0; i < all[t].count; i++) {
                for (const char *at = strstr(all[t].cases[i].source, needle); at; at = strstr(at + 1, needle)) {
                    char next = at[strlen(needle)];
                    found = found || next == ' ' || next == '\n';
                }
            }
        }
        ck_assert_msg(found, "%s stands in no test", shunt_op_info[op].name);
    }
    for (int b = 0; b < SHUNT_BUILTIN_COUNT; b++) {
        char needle[40];
        bool found = false;
        snprintf(needle, sizeof needle, "BUILTIN 0 %s\n", shunt_builtin_info[b].name);
        for (size_t i = 0; i < SHUNT_COUNT(cases); i++) found = found || strstr(cases[i].source, needle);
        ck_assert_msg(found, "%s stands in no test", shunt_builtin_info[b].name);
    }
}
END_TEST

/* What is absent makes the result absent, what is cleared makes it cleared, and cleared wins: for every operation that has no
 * rule of its own. Nothing gives a cleared value yet but a global that the test clears. */
START_TEST(states_decide)
{
    static const char *const operations[] = {
        "bool NOT bool",           "bool BOOL_EQ bool bool", "int INT_ADD int int",    "int INT_SUB int int",
        "int INT_MUL int int",     "int INT_NEG int",        "int INT_ABS int",        "bool INT_EQ int int",
        "bool INT_LT int int",     "bool INT_LE int int",    "dec2 INT_TO_DEC int",    "dec2 DEC_ADD dec2 dec2",
        "dec2 DEC_SUB dec2 dec2",  "dec4 DEC_MUL dec2 dec2", "dec2 DEC_NEG dec2",      "dec2 DEC_ABS dec2",
        "bool DEC_EQ dec2 dec2",   "bool DEC_LT dec2 dec2",  "bool DEC_LE dec2 dec2",  "bool TEXT_EQ text text",
        "bool TEXT_LT text text",  "bool TEXT_LE text text", "text TEXT_OF int",       "date DATE_ADD date int",
        "int DATE_DIFF date date", "bool DATE_EQ date date", "bool DATE_LT date date", "bool DATE_LE date date",
    };
    static const char *const loads[] = { "", "LOADK", "CLEAR" };
    for (size_t o = 0; o < SHUNT_COUNT(operations); o++) {
        char result[10], name[20], left[10], right[10] = "";
        int  count = sscanf(operations[o], "%9s %19s %9s %9s", result, name, left, right) - 2;
        for (int a = 0; a < 3; a++) {
            for (int b = 0; b < (count == 2 ? 3 : 1); b++) {
                if (a == 1 && (b == 1 || count == 1)) continue; /* nothing missing */
                char source[1000], types[60];
                snprintf(types, sizeof types, "%s %s %s", result, left, count == 2 ? right : left);
                size_t n = (size_t)snprintf(source, sizeof source, "global %s\nglobal %s\nfunction f 0 %s : %s\n", left,
                                            count == 2 ? right : left, result, types);
                const char *const kinds[] = { left, right };
                const int         how[] = { a, b };
                for (int k = 0; k < count; k++) {
                    const char *constant = strcmp(kinds[k], "text") == 0   ? "\"a\""
                                           : strcmp(kinds[k], "date") == 0 ? "date:2025-01-01"
                                           : strcmp(kinds[k], "bool") == 0 ? "bool:1"
                                           : strcmp(kinds[k], "int") == 0  ? "int:1"
                                                                           : "dec2:1.00";
                    if (how[k] == 1)
                        n += (size_t)snprintf(source + n, sizeof source - n, "%s %d %s\n", loads[1], k + 1, constant);
                    if (how[k] == 2) n += (size_t)snprintf(source + n, sizeof source - n, "GLOBAL_GET %d %d\n", k + 1, k);
                }
                snprintf(source + n, sizeof source - n, count == 2 ? "%s 0 1 2\nRETURN 0\n" : "%s 0 1\nRETURN 0\n", name);
                shunt_program  *p = asm_load(source);
                struct asm_host h;
                asm_host_init(&h, p);
                shunt_vm *vm = shunt_vm_new(&shunt_memory_libc, p, &h.host, 1000, 0);
                ck_assert_ptr_nonnull(vm);
                memset(vm->global_states, SHUNT_CLEARED, p->globals_count);
                shunt_outcome outcome;
                ck_assert_int_eq(shunt_vm_run(vm, 0, NULL, false, &outcome), SHUNT_OK);
                bool cleared = a == 2 || (count == 2 && b == 2);
                ck_assert_msg(outcome.status == SHUNT_OK && outcome.state == (cleared ? SHUNT_CLEARED : SHUNT_ABSENT),
                              "%s with %d %d: %d %d", name, a, b, outcome.status, outcome.state);
                shunt_vm_free(vm);
                asm_host_done(&h);
                shunt_program_free(p);
            }
        }
    }
}
END_TEST

/* ---- a VM over several runs ---- */

struct fixture {
    shunt_program  *program;
    struct asm_host host;
    shunt_vm       *vm;
    shunt_arena    *arena;
};

static struct fixture *fixture(const char *source, uint64_t steps, size_t unit_bytes)
{
    struct fixture *x = calloc(1, sizeof *x);
    ck_assert_ptr_nonnull(x);
    x->program = asm_load(source);
    asm_host_init(&x->host, x->program);
    x->vm = shunt_vm_new(&shunt_memory_libc, x->program, &x->host.host, steps, unit_bytes);
    x->arena = shunt_arena_new(&shunt_memory_libc, 0);
    ck_assert(x->vm && x->arena);
    return x;
}

static void run(struct fixture *x, const char *function, const shunt_node *node, bool keep)
{
    shunt_outcome outcome;
    uint16_t      index = asm_function(x->program, function);
    shunt_status  status = shunt_vm_run(x->vm, index, node, keep, &outcome);
    asm_outcome(&x->host, index, status, &outcome);
}

/* Compares what was heard so far and frees all. */
static void finish(struct fixture *x, const char *log)
{
    shunt_buffer_char(&x->host.log, 0);
    ck_assert_msg(strcmp(x->host.log.bytes, log) == 0, "wanted %.1500s\ngot %.1500s", log, x->host.log.bytes);
    shunt_vm_free(x->vm);
    shunt_arena_free(x->arena);
    asm_host_done(&x->host);
    shunt_program_free(x->program);
    free(x);
}

START_TEST(globals_live_as_long_as_they_may)
{
    struct fixture *x = fixture("global text\nfunction set 0 none : text text text\nLOADK 0 \"a\"\nLOADK 1 \"b\"\nTEXT_JOIN 2 0 "
                                "2\nGLOBAL_SET 2 0\nFINISH\n"
                                "function get 0 text : text\nGLOBAL_GET 0 0\nRETURN 0\n",
                                1000, 0);
    run(x, "set", NULL, true);
    shunt_vm_unit(x->vm);
    run(x, "get", NULL, false);
    shunt_vm_unit(x->vm);
    run(x, "get", NULL, false);
    shunt_vm_begin(x->vm);
    run(x, "get", NULL, false);
    run(x, "set", NULL, false); /* in a unit: its text dies with it */
    run(x, "get", NULL, false);
    shunt_vm_unit(x->vm);
    run(x, "get", NULL, false);
    finish(x, "done\nresult ab\nresult ab\nresult absent\ndone\nresult ab\nresult absent\n");
}
END_TEST

START_TEST(notes_are_told_once_a_unit)
{
    struct fixture *x = fixture("code ODD\nexit warn unit ODD\n" F("", "NOTE 0\nFINISH\n"), 1000, 0);
    run(x, "f", NULL, false);
    run(x, "f", NULL, false);
    shunt_vm_unit(x->vm);
    run(x, "f", NULL, false);
    shunt_vm_begin(x->vm);
    run(x, "f", NULL, false);
    finish(x, "warn ODD\ndone\ndone\nwarn ODD\ndone\nwarn ODD\ndone\n");
}
END_TEST

START_TEST(places_that_are_reached_are_marked)
{
    struct fixture *x = fixture(
        F("bool bool", "COVER 0\nLOADK 0 bool:1\nJUMP_TRUE 0 @over\nCOVER 1\nover:\nCOVER 2\nCOVER 3\nFINISH\n"), 1000, 0);
    uint8_t covered[3] = { 0 };
    shunt_vm_cover(x->vm, covered, 3); /* place 3 is beyond what is asked for */
    run(x, "f", NULL, false);
    ck_assert(covered[0] == 1 && covered[1] == 0 && covered[2] == 1);
    covered[0] = 0;
    shunt_vm_cover(x->vm, NULL, 3);
    run(x, "f", NULL, false);
    ck_assert_uint_eq(covered[0], 0);
    finish(x, "done\ndone\n");
}
END_TEST

START_TEST(unknown_codes_are_told_once)
{
    struct fixture *x = fixture("codes c 1\nframe U loop unit B=c:text\nframe S set A=c:text > U\nfunction unit 1 text : node:U "
                                "node:S text text\nGET 2 0 B\nANCESTOR 1 0\nGET 3 1 A\nRETURN 2\n",
                                1000, 0);
    const shunt_node *set = asm_tree(x->program, x->arena, "S A=x\n U B=y\n U B=y\n"), *first = set->children[0].first;
    run(x, "unit", first, false);
    run(x, "unit", first, false);
    shunt_vm_unit(x->vm);
    run(x, "unit", first->next, false);
    shunt_vm_begin(x->vm);
    run(x, "unit", first, false);
    finish(x, "fault CODE_UNKNOWN at B=y\nfault CODE_UNKNOWN at A=x\nresult y\nresult y\nfault CODE_UNKNOWN at B=y\nresult "
              "y\nfault CODE_UNKNOWN at B=y\nfault CODE_UNKNOWN at A=x\nresult y\n");
}
END_TEST

START_TEST(many_unknown_codes)
{
    struct fixture *x = fixture("codes c 1\nframe G group A=c:text\nframe U loop unit B:text > G\n"
                                "function f 1 int : node:U list:node:G node:G int text int int\nLOADK 5 int:0\nLOADK 6 "
                                "int:1\nCHILDREN 1 0 0\nagain:\nNEXT 1 2 3\nJUMP @end\n"
                                "GET 4 2 A\nINT_ADD 5 5 6\nJUMP @again\nend:\nRETURN 5\n",
                                100000, 0);
    char            tree[4000] = "U\n";
    for (int i = 0; i < 300; i++) strcat(tree, " G A=x\n");
    const shunt_node *unit = asm_tree(x->program, x->arena, tree);
    run(x, "f", unit, false);
    run(x, "f", unit, false);
    char log[20000] = "";
    for (int i = 0; i < 300; i++) strcat(log, "fault CODE_UNKNOWN at A=x\n");
    strcat(log, "result 300\nresult 300\n");
    finish(x, log);
}
END_TEST

/* An endless walk: a list of the most items, walked for each of its items. */
#define WALK                                                                                                                     \
    "function f 1 int : node:U list:node:G node:G int node:G int int int\nLOADK 6 int:0\nLOADK 7 int:1\nCHILDREN 1 0 "           \
    "0\nagain:\nNEXT 1 2 3\nJUMP @end\nLOADK 5 int:0\n"                                                                          \
    "inner:\nNEXT 1 4 5\nJUMP @again\nINT_ADD 6 6 7\nJUMP @inner\nend:\nRETURN 6\n"

START_TEST(steps_are_bounded)
{
    static const struct {
        uint64_t    steps;
        const char *log;
    } at[] = {
        { 0, "fail LIMIT_STEPS\n" },
        { 13, "fail LIMIT_STEPS\n" },
        { 200, "fail LIMIT_STEPS\n" },
        { 10000, "result 100\n" },
    };
    shunt_program *p = asm_load("frame G group A:text\nframe U loop unit B:text > G\n" WALK);
    char           tree[200] = "U\n";
    for (int i = 0; i < 10; i++) strcat(tree, " G\n");
    for (size_t i = 0; i < SHUNT_COUNT(at); i++) {
        char *log = asm_run_program(p, "f", tree, at[i].steps, 0);
        ck_assert_str_eq(log, at[i].log);
        free(log);
    }
    shunt_program_free(p);
}
END_TEST

START_TEST(calls_cost_steps)
{
    char source[4000];
    int  n = snprintf(source, sizeof source, "function g0 0 int : int\nLOADK 0 int:1\nRETURN 0\n");
    for (int i = 1; i < 20; i++) { /* each calls the one below twice */
        n += snprintf(source + n, sizeof source - (size_t)n,
                      "function g%d 0 int : int int int\nCALL 0 g%d\nCALL 1 g%d\nINT_ADD 2 0 1\nRETURN 2\n", i, i - 1, i - 1);
    }
    shunt_program *p = asm_load(source);
    char          *log = asm_run_program(p, "g19", NULL, 100000, 0);
    ck_assert_str_eq(log, "fail LIMIT_STEPS\n");
    free(log);
    log = asm_run_program(p, "g10", NULL, 100000, 0);
    ck_assert_str_eq(log, "result 1024\n");
    free(log);
    shunt_program_free(p);
}
END_TEST

/* Reading a long text again and again costs more than reading a short one. */
START_TEST(long_texts_cost_steps)
{
    static const char *const uses[] = { "BUILTIN 0 LENGTH\n", "TEXT_EQ 2 0 0\n", "LOOKUP 3 0 t\n", "TEXT_LIMIT 0 0 1\n" };
    for (size_t u = 0; u < SHUNT_COUNT(uses); u++) {
        char source[2000] = "record r k:text\ntable t r keys=1\nfunction f 0 none : text int bool row:r text text\nLOADK 4 "
                            "\"0123456789012345\"\n";
        for (int i = 0; i < 12; i++) strcat(source, "MOVE 5 4\nTEXT_JOIN 4 4 2\n"); /* 64 KiB */
        strcat(source, "MOVE 0 4\n");
        strcat(source, uses[u]);
        strcat(source, "FINISH\n");
        shunt_program *p = asm_load(source);
        char          *log = asm_run_program(p, "f", NULL, 3200, 0); /* making it costs 2048, reading it 1024 */
        ck_assert_msg(strcmp(log, u == 3 ? "fail TEXT_TOO_LONG\n" : "done\n") == 0, "%s: %s", uses[u], log);
        free(log);
        log = asm_run_program(p, "f", NULL, 2900, 0);
        ck_assert_msg(strcmp(log, "fail LIMIT_STEPS\n") == 0, "%s: %s", uses[u], log);
        free(log);
        shunt_program_free(p);
    }
}
END_TEST

START_TEST(bytes_are_bounded)
{
    char source[2000] = "function f 0 text : text text\nLOADK 0 \"0123456789\"\nLOADK 1 \"0123456789\"\n";
    for (int i = 0; i < 20; i++) strcat(source, "TEXT_JOIN 0 0 2\nMOVE 1 0\n");
    strcat(source, "RETURN 0\n");
    shunt_program *p = asm_load(source);
    char          *log = asm_run_program(p, "f", NULL, 1000000, 100000);
    ck_assert_str_eq(log, "fail LIMIT_UNIT_BYTES\n");
    free(log);
    shunt_program_free(p);
}
END_TEST

/* Failures of the host: some end the run, the others are failures of the rules. */
START_TEST(what_a_callback_answers)
{
    static const struct {
        shunt_status answer;
        const char  *log;
    } at[] = {
        { SHUNT_CALLBACK, "stop CALLBACK\n" },
        { SHUNT_NO_MEMORY, "stop NO_MEMORY\n" },
        { SHUNT_IO, "stop IO\n" },
        { SHUNT_LIMIT_GROUPS, "fail LIMIT_GROUPS\n" },
    };
    static const char *const sources[] = {
        "record r a:text\ntarget out r key=0\n" F("text", "LOADK 0 \"x\"\nEMIT out 0\nFINISH\n"),
        "code ODD\nexit warn unit ODD\n" F("text", "WARN 0 0\nFINISH\n"),
        F("text", "CORRELATE 0 1\nFINISH\n"),
        F("text int", "LOADK 0 \"x\"\nOCCURRENCE 1 0 1\nFINISH\n"),
        "tally total usd2\n" F("usd2", "LOADK 0 usd2:1.00\nTALLY_ADD total 0 0\nFINISH\n"),
    };
    for (size_t s = 0; s < SHUNT_COUNT(sources); s++) {
        for (size_t i = 0; i < SHUNT_COUNT(at); i++) {
            struct fixture *x = fixture(sources[s], 1000, 0);
            x->host.answer = at[i].answer;
            run(x, "f", NULL, false);
            shunt_buffer_char(&x->host.log, 0);
            const char *last = strstr(x->host.log.bytes, "\n") + 1; /* the first line is what was heard */
            ck_assert_str_eq(last, at[i].log);
            x->host.log.length--;
            char *heard = strdup(x->host.log.bytes);
            finish(x, heard);
            free(heard);
        }
    }
}
END_TEST

START_TEST(a_host_without_ears)
{
    static const shunt_vm_host deaf;
    static const char *const   sources[] = {
          "record r a:text\ntarget out r key=0\n" F("text", "LOADK 0 \"x\"\nEMIT out 0\nFINISH\n"),
          "code ODD\nexit warn unit ODD\n" F("text", "WARN 0 0\nNOTE 0\nFINISH\n"),
          F("text int", "CORRELATE 0 1\nLOADK 0 \"x\"\nOCCURRENCE 1 0 1\nFINISH\n"),
          "tally total usd2\n" F("usd2", "LOADK 0 usd2:1.00\nTALLY_ADD total 0 0\nTALLY_GET 0 total\nFINISH\n"),
          F("text moment text", "BUILTIN 0 FILE_ID\nBUILTIN 1 RECEIVED_AT\nFINISH\n"),
    };
    for (size_t s = 0; s < SHUNT_COUNT(sources); s++) {
        shunt_program *p = asm_load(sources[s]);
        shunt_vm      *vm = shunt_vm_new(&shunt_memory_libc, p, &deaf, 1000, 0);
        shunt_outcome  outcome;
        ck_assert_ptr_nonnull(vm);
        ck_assert_int_eq(shunt_vm_run(vm, 0, NULL, false, &outcome), SHUNT_OK);
        ck_assert_int_eq(outcome.status, SHUNT_OK);
        shunt_vm_free(vm);
        shunt_program_free(p);
    }
}
END_TEST

START_TEST(tokenize_needs_a_key)
{
    struct fixture *x = fixture("function f 0 text : text text\nLOADK 0 \"x\"\nBUILTIN 0 TOKENIZE\nRETURN 1\n", 1000, 0);
    x->host.host.token_key = NULL;
    run(x, "f", NULL, false);
    finish(x, "fail USAGE\n");
}
END_TEST

START_TEST(tallies_are_read)
{
    struct fixture *x =
        fixture("record g key:text total:usd2\ntally total usd2\ntally groups usd2 by=g\nfunction one 0 usd2 : usd2\nTALLY_GET 0 "
                "total\nRETURN 0\n"
                "function all 0 list:row:g : list:row:g row:g\nTALLY_GET 0 groups\nLIST_FIRST 1 0\nLIST_PUSH 0 1 0\nRETURN 0\n",
                1000, 0);
    const uint8_t     states[2] = { 0, 0 };
    const shunt_value fields[2] = { { .text = SHUNT_TEXT("k") }, { .coefficient = 150 } };
    const shunt_row   row = { states, fields };
    const shunt_value items[1] = { { .row = &row } };
    x->host.tally = (shunt_value){ .coefficient = 200 };
    run(x, "one", NULL, false);
    x->host.tally_status = SHUNT_TALLY_UNKNOWN;
    run(x, "one", NULL, false);
    x->host.tally_status = SHUNT_OK;
    x->host.tally = (shunt_value){ .list = { items, 1 } };
    run(x, "all", NULL, false);
    finish(x, "result 2.00\nfail TALLY_UNKNOWN\nresult [(k, 1.50), (k, 1.50)]\n");
}
END_TEST

START_TEST(sites_of_failures)
{
    shunt_buffer bytes;
    shunt_buffer_init(&bytes, &shunt_memory_libc);
    struct fixture *x =
        fixture("code BAD\nexit reject unit BAD\n" F("text int int", "LOADK 1 int:9223372036854775807\nINT_ADD 2 1 1\nFINISH\n"),
                1000, 0);
    shunt_outcome outcome;
    ck_assert_int_eq(shunt_vm_run(x->vm, 0, NULL, false, &outcome), SHUNT_OK);
    ck_assert_int_eq(outcome.status, SHUNT_OVERFLOW);
    ck_assert_uint_eq(outcome.site, 0); /* the program names none */
    shunt_program    p = *x->program;   /* the same with places */
    const shunt_site sites[] = { { 0 }, { 0, SHUNT_NONE, 1, 1 }, { 0, SHUNT_NONE, 2, 5 } };
    const uint32_t   places[] = { 1, 2, 0 };
    p.sites = sites, p.sites_count = 3, p.instruction_sites = places, p.instruction_sites_count = 3;
    ck_assert_int_eq(shunt_program_save(&p, &bytes), SHUNT_OK);
    shunt_program *placed;
    char           why[200];
    ck_assert_int_eq(shunt_program_load(&shunt_memory_libc, (const uint8_t *)bytes.bytes, bytes.length, &placed, why), SHUNT_OK);
    ck_assert(memcmp(placed->code_hash, x->program->code_hash, 32) == 0);
    ck_assert(memcmp(placed->hash, x->program->hash, 32) != 0);
    shunt_vm *vm = shunt_vm_new(&shunt_memory_libc, placed, &x->host.host, 1000, 0);
    ck_assert_ptr_nonnull(vm);
    ck_assert_int_eq(shunt_vm_run(vm, 0, NULL, false, &outcome), SHUNT_OK);
    ck_assert_uint_eq(outcome.site, 2);
    shunt_vm_free(vm);
    shunt_program_free(placed);
    shunt_buffer_done(&bytes);
    finish(x, "");
}
END_TEST

START_TEST(wrong_calls)
{
    struct fixture *x = fixture("frame U loop unit B:text\nframe S set A:text > U\nfunction u 1 none : node:U\nFINISH\nfunction "
                                "two 2 none : node:U node:U\nFINISH\nfunction i 1 none : int\nFINISH\n",
                                1000, 0);
    const shunt_node *set = asm_tree(x->program, x->arena, "S\n");
    shunt_outcome     outcome;
    ck_assert_int_eq(shunt_vm_run(x->vm, 3, NULL, false, &outcome), SHUNT_USAGE);
    ck_assert_int_eq(shunt_vm_run(x->vm, asm_function(x->program, "two"), NULL, false, &outcome), SHUNT_USAGE);
    ck_assert_int_eq(shunt_vm_run(x->vm, asm_function(x->program, "i"), NULL, false, &outcome), SHUNT_USAGE);
    ck_assert_int_eq(shunt_vm_run(x->vm, asm_function(x->program, "u"), set, false, &outcome), SHUNT_USAGE);
    ck_assert_int_eq(shunt_vm_run(x->vm, asm_function(x->program, "u"), set, false, &outcome), SHUNT_USAGE);
    finish(x, "");
}
END_TEST

/* ---- remembered results ---- */

#define MEMO                                                                                                                     \
    "record r k:text d:dec2 v?:text\ntable t r keys=2\n| a 1.00 x\n| b 1.00 -\n"                                                 \
    "function route 2 row:r pure : text dec2 row:r\nLOOKUP 2 0 t\nRETURN 2\n"                                                    \
    "function value 2 text pure : text dec2 row:r text\nCALL 0 route\nFIELD 3 2 2\nRETURN 3\n"                                   \
    "function made 2 text pure : text dec2 row:r text text text\nCALL 0 route\nFIELD 4 2 2\nLOADK 3 \"<\"\nLOADK 5 "             \
    "\">\"\nTEXT_JOIN 3 3 3\nRETURN 3\n"                                                                                         \
    "function half 1 dec2 pure : dec2 dec2 dec0 dec2 dec2\nLOADK 2 dec0:2\nDEC_DIV 1 0 2\nEXTRA "                                \
    "half_up\nNOP\nNOP\nNOP\nNOP\nNOP\nNOP\nNOP\nNOP\nNOP\nNOP\nNOP\nNOP\nRETURN 1\n"                                            \
    "function inverse 1 dec2 pure : dec2 dec2 dec0\nLOADK 2 dec0:1\nDEC_DIV 1 2 0\nEXTRA "                                       \
    "half_up\nNOP\nNOP\nNOP\nNOP\nNOP\nNOP\nNOP\nNOP\nNOP\nNOP\nNOP\nNOP\nRETURN 1\n"

START_TEST(remembered_results_are_the_same)
{
    static const struct {
        const char *function, *load, *log;
    } calls[] = {
        { "value", "LOADK 1 \"a\"\nLOADK 2 dec2:1.00\n", "result x\n" },
        { "value", "LOADK 1 \"b\"\nLOADK 2 dec2:1.00\n", "result absent\n" },
        { "value", "LOADK 1 \"c\"\nLOADK 2 dec2:1.00\n", "result absent\n" },
        { "value", "LOADK 1 \"a\"\nLOADK 2 dec2:1.01\n", "result absent\n" },
        { "value", "LOADK 1 \"a\"\n", "result absent\n" },
        { "value", "LOADK 2 dec2:1.00\n", "result absent\n" },
        { "made", "LOADK 1 \"a\"\nLOADK 2 dec2:1.00\n", "result <x>\n" },
        { "value",
          "LOADK 1 "
          "\"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\"\nLOADK 2 "
          "dec2:1.00\n",
          "result absent\n" },
    };
    char source[6000] = MEMO;
    for (size_t i = 0; i < SHUNT_COUNT(calls); i++) {
        size_t n = strlen(source);
        snprintf(source + n, sizeof source - n, "function f%zu 0 text : text text dec2 text\n%sCALL 1 %s\nMOVE 0 3\nRETURN 0\n",
                 i, calls[i].load, calls[i].function);
    }
    struct fixture *x = fixture(source, 1000, 0);
    char            log[2000] = "";
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < SHUNT_COUNT(calls); i++) {
            char name[10];
            snprintf(name, sizeof name, "f%zu", i);
            run(x, name, NULL, false);
            run(x, name, NULL, false);
            shunt_vm_unit(x->vm);
            strcat(log, calls[i].log);
            strcat(log, calls[i].log);
        }
    }
    finish(x, log);
}
END_TEST

START_TEST(remembered_numbers)
{
    struct fixture *x =
        fixture(MEMO "function f 0 dec2 : dec2 dec2 dec2\nLOADK 1 dec2:3.01\nCALL 1 half\nCALL 1 half\nMOVE 0 2\nRETURN 0\n"
                     "function g 0 dec2 : dec2 dec2\nLOADK 0 dec2:0.00\nCALL 0 inverse\nRETURN 1\n",
                1000, 0);
    run(x, "f", NULL, false);
    run(x, "g", NULL, false);
    run(x, "g", NULL, false); /* a failure is not remembered as anything else */
    run(x, "f", NULL, false);
    finish(x, "result 1.51\nfail DIVISION\nfail DIVISION\nresult 1.51\n");
}
END_TEST

/* Many keys, twice each: entries push each other out, and nothing but the right answer comes back. */
START_TEST(remembered_results_do_not_mix)
{
    struct fixture *x = fixture("frame G group A:text B:int\nframe U loop unit C:text > G\n"
                                "function tag 2 int pure : int text int int int\nBUILTIN 1 LENGTH\nLOADK 3 int:1000\nINT_MUL 4 0 "
                                "3\nNOP\nNOP\nNOP\nNOP\nNOP\nNOP\nNOP\nNOP\nNOP\nNOP\nINT_ADD 4 4 3\nRETURN 4\n"
                                "function f 1 list:int : node:U list:node:G node:G int int text int list:int\nLIST_NEW "
                                "7\nCHILDREN 1 0 0\nagain:\nNEXT 1 2 3\nJUMP @end\n"
                                "GET 5 2 A\nGET 4 2 B\nCALL 4 tag\nLIST_PUSH 7 6 0\nJUMP @again\nend:\nRETURN 7\n",
                                1000000, 0);
    char           *tree = malloc(1 << 16), *log = malloc(1 << 16);
    strcpy(tree, "U\n");
    strcpy(log, "result [");
    for (int i = 0; i < 1200; i++) {
        int n = i * 7 % 600;
        sprintf(tree + strlen(tree), " G A=t%d B=%d\n", n, n);
        sprintf(log + strlen(log), "%s%d", i ? ", " : "", n * 1000 + 1000);
    }
    strcat(log, "]\n");
    run(x, "f", asm_tree(x->program, x->arena, tree), false);
    finish(x, log);
    free(tree);
    free(log);
}
END_TEST

/* ---- memory ---- */

#define EVERYTHING_TREE                                                                                                          \
    "2100 CLP02=9\n CAS group=CO reason=45 amount=1.00\n CAS group=PR reason=1 amount=-2\n 2110\n  CAS group=CO reason=45 "      \
    "amount=1.00\n"

START_TEST(every_allocation_may_fail)
{
    shunt_program *p = asm_load(asm_samples[1]);
    shunt_arena   *arena = shunt_arena_new(&shunt_memory_libc, 0);
    ck_assert_ptr_nonnull(arena);
    const shunt_node *tree = asm_tree(p, arena, EVERYTHING_TREE);
    bool              whole = false;
    size_t            at = 1;
    for (; at < 1000 && !whole; at++) {
        struct test_memory memory;
        struct asm_host    host;
        shunt_outcome      outcome = { 0 };
        test_memory_init(&memory, at);
        asm_host_init(&host, p);
        shunt_vm    *vm = shunt_vm_new(&memory.memory, p, &host.host, 10000, 0);
        shunt_status status = vm ? shunt_vm_run(vm, asm_function(p, "f"), tree, false, &outcome) : SHUNT_NO_MEMORY;
        whole = memory.calls < at;
        /* Without room to remember results a run goes on; otherwise it ends, and says why. */
        ck_assert_msg(status == SHUNT_NO_MEMORY || (status == SHUNT_OK && outcome.status == SHUNT_OK), "call %zu: %d %d", at,
                      status, outcome.status);
        shunt_vm_free(vm);
        ck_assert_uint_eq(memory.blocks, 0);
        asm_host_done(&host);
    }
    ck_assert_msg(whole && at > 12, "%zu", at);
    shunt_arena_free(arena);
    shunt_program_free(p);
}
END_TEST

START_TEST(whole_run)
{
    char *log = asm_run(asm_samples[1], "f", EVERYTHING_TREE);
    ck_assert_str_eq(log, "fault CODE_UNKNOWN at CLP02=9\njournal gl key k d=CO\n debit x 1.00 c=CO\n credit x 1.00 c=CO\n "
                          "credit y 2.00 c=PR\n debit y 2.00 c=PR\n debit x 1.00 c=CO\n"
                          " credit x 1.00 c=CO\nrecord o key ab a=ab b=[(CO, 45, 1.00), (PR, 1, -2.00), (CO, 45, 1.00)]\ndone\n");
    free(log);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vm");
    TCase *tc = tcase_create("vm");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, instructions, 0, SHUNT_COUNT(cases));
    tcase_add_loop_test(tc, journal, 0, SHUNT_COUNT(journals));
    tcase_add_loop_test(tc, common, 0, SHUNT_COUNT(commons));
    tcase_add_loop_test(tc, tables, 0, SHUNT_COUNT(lookups));
    tcase_add_loop_test(tc, decisions, 0, SHUNT_COUNT(decided));
    tcase_add_loop_test(tc, libraries, 0, SHUNT_COUNT(externs));
    tcase_add_loop_test(tc, collectors, 0, SHUNT_COUNT(collects));
    tcase_add_test(tc, all_instructions_are_tested);
    tcase_add_test(tc, states_decide);
    tcase_add_test(tc, globals_live_as_long_as_they_may);
    tcase_add_test(tc, notes_are_told_once_a_unit);
    tcase_add_test(tc, places_that_are_reached_are_marked);
    tcase_add_test(tc, unknown_codes_are_told_once);
    tcase_add_test(tc, many_unknown_codes);
    tcase_add_test(tc, steps_are_bounded);
    tcase_add_test(tc, calls_cost_steps);
    tcase_add_test(tc, long_texts_cost_steps);
    tcase_add_test(tc, bytes_are_bounded);
    tcase_add_test(tc, what_a_callback_answers);
    tcase_add_test(tc, a_host_without_ears);
    tcase_add_test(tc, tokenize_needs_a_key);
    tcase_add_test(tc, tallies_are_read);
    tcase_add_test(tc, sites_of_failures);
    tcase_add_test(tc, wrong_calls);
    tcase_add_test(tc, remembered_results_are_the_same);
    tcase_add_test(tc, remembered_numbers);
    tcase_add_test(tc, remembered_results_do_not_mix);
    tcase_add_test(tc, every_allocation_may_fail);
    tcase_add_test(tc, whole_run);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
