/* Validation and acknowledgements of X12: one good message of each kind, changed in one place; what must be said of it. */
#include <check.h>
#include <shunt/shunt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/findings.h"

#define ISA00501 "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *250301*1200*^*00501*000000031*0*P*:~"
#define CLAIM                                                                                                                    \
    ISA00501 "GS*HC*SENDER*RECEIVER*20250301*1200*31*X*005010X222A1~ST*837*0001*005010X222A1~BHT*0019*00*B31*20250301*1200*CH~"  \
             "NM1*41*2*CLINIC*****46*EX1~PER*IC*DESK*TE*5555550100~NM1*40*2*HEALTH*****46*EX2~HL*1**20*1~"                       \
             "NM1*85*2*CLINIC*****XX*1234567893~N3*1 MAIN STREET~N4*ANYTOWN*OH*45011~REF*EI*999999992~HL*2*1*22*0~"              \
             "SBR*P*18*******CI~NM1*IL*1*DOE*JANE****MI*M0001~N3*2 MAIN STREET~N4*ANYTOWN*OH*45011~DMG*D8*19700228*F~"           \
             "NM1*PR*2*HEALTH*****PI*PAYER1~CLM*A1*100***11:B:1*Y*A*Y*Y~HI*ABK:J109~LX*1~SV1*HC:99213*100*UN*1***1~"             \
             "DTP*472*D8*20250301~SE*23*0001~GE*1*31~IEA*1*000000031~"
#define COORDINATED(further)                                                                                                     \
    "HI*ABK:J109~>HI*ABK:J109~SBR*P*18*******CI~AMT*D*60~OI***Y***Y~NM1*IL*1*DOE*JANE****MI*X1~NM1*PR*2*OTHER*****PI*P2~\n"      \
    "UN*1***1~>UN*1***1~DTP*472*D8*20250301~SVD*P2*60*HC:99213**1~CAS*CO*45*30~CAS*PR*1*10~DTP*573*D8*20250201~\n"               \
    "20250201~DTP*472*D8*20250301~>20250201~\nSBR*P*18*******CI~NM1*IL*1*DOE*JANE****MI*M0001>SBR*S*18*******CI~NM1*IL*1*DOE*"   \
    "JANE****MI*M0001\n"                                                                                                         \
    "SE*23>SE*32\n" further
#define REMIT                                                                                                                    \
    ISA00501                                                                                                                     \
    "GS*HP*SENDER*RECEIVER*20250301*1200*31*X*005010X221A1~ST*835*0001~BPR*I*80*C*ACH*CCP*01*999999992*DA*1*1999999999*"         \
    "*01*999999984*DA*9*20250301~TRN*1*E1*1999999999~N1*PR*HEALTH~N3*1 ROAD~N4*TOWN*OH*45011~PER*BL*DESK*TE*5555550100~"         \
    "N1*PE*CLINIC*XX*1234567893~LX*1~CLP*A1*1*100*80**12*P1~NM1*QC*1*DOE*J~SVC*HC:99213*100*80~DTM*472*20250301~"                \
    "CAS*CO*45*20~SE*15*0001~GE*1*31~IEA*1*000000031~"
#define ORDER                                                                                                                    \
    "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *250301*1200*U*00401*000000031*0*P*:~"                 \
    "GS*PO*SENDER*RECEIVER*20250301*1200*31*X*004010~ST*850*0001~BEG*00*NE*P1**20250301~N1*ST*STORE*92*77~"                      \
    "PO1*1*2*EA*9.5~CTT*1~SE*6*0001~GE*1*31~IEA*1*000000031~"
#define NOTICE                                                                                                                   \
    "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *250301*1200*U*00401*000000031*0*P*:~"                 \
    "GS*SH*SENDER*RECEIVER*20250301*1200*31*X*004010~ST*856*0001~BSN*00*S1*20250301*1200~HL*1**S~HL*2*1*O~PRF*P1~HL*3*2*P~"      \
    "HL*4*3*I~SN1**2*EA~SE*9*0001~GE*1*31~IEA*1*000000031~"

static const struct {
    const char *message, *changes, *snip, *found;
} cases[] = {
    { CLAIM, "", "5", "" },
    { REMIT, "", "5", "" },
    { ORDER, "", "3", "" },
    { NOTICE, "", "5", "" },
    /* values */
    { CLAIM, "19700228>19700230", "2", "X12_DATE DMG2 8" },
    /* days and numbers that are seen at a glance, and those that are not */
    { CLAIM, "19700228>20240229", "2", "" },
    { CLAIM, "19700228>20230229", "2", "X12_DATE DMG2 8" },
    { CLAIM, "19700228>19000229", "2", "X12_DATE DMG2 8" },
    { CLAIM, "19700228>20000229", "2", "" },
    { CLAIM, "19700228>18000101", "2", "" },
    { CLAIM, "19700228>17991231", "2", "X12_DATE DMG2 8" },
    { CLAIM, "19700228>21991231", "2", "" },
    { CLAIM, "19700228>22000101", "2", "X12_DATE DMG2 8" },
    { CLAIM, "19700228>19700431", "2", "X12_DATE DMG2 8" },
    { CLAIM, "19700228>19700001", "2", "X12_DATE DMG2 8" },
    { CLAIM, "19700228>19701301", "2", "X12_DATE DMG2 8" },
    { CLAIM, "19700228>19701701", "2", "X12_DATE DMG2 8" },
    { CLAIM, "19700228>19700100", "2", "X12_DATE DMG2 8" },
    { CLAIM, "19700228>1970022x", "2", "X12_DATE DMG2 8" },
    { CLAIM, "19700228>1970:228", "2", "X12_COMPOSITE DMG2 13; X12_DATE DMG2 8" },
    { CLAIM, "*100*UN>*-100.5*UN", "2", "" },
    { CLAIM, "*100*UN>*.5*UN", "2", "" },
    { CLAIM, "*100*UN>*5.*UN", "2", "" },
    { CLAIM, "*100*UN>*-5*UN", "2", "" },
    { CLAIM, "*100*UN>*1234567890.25*UN", "2", "" },
    { CLAIM, "*100*UN>*.*UN", "2", "X12_CHARACTER SV12 6" },
    { CLAIM, "*100*UN>*-*UN", "2", "X12_CHARACTER SV12 6" },
    { CLAIM, "*100*UN>*-.*UN", "2", "X12_CHARACTER SV12 6" },
    { CLAIM, "*100*UN>*1.0.0*UN", "2", "X12_CHARACTER SV12 6" },
    { CLAIM, "*100*UN>*1-0*UN", "2", "X12_CHARACTER SV12 6" },
    { CLAIM, "*100*UN>*1/0*UN", "2", "X12_CHARACTER SV12 6" },
    { CLAIM, "*100*UN>*12345678901.0.5*UN", "2", "X12_CHARACTER SV12 6" },
    { CLAIM, "*100*UN>*1234567890123456789*UN", "2", "X12_TOO_LONG SV12 5" },
    { CLAIM, "LX*1~>LX*-1~", "2", "" },
    { CLAIM, "LX*1~>LX*1.0~", "2", "X12_CHARACTER LX1 6" },
    { CLAIM, "CLINIC*****46>CLINIC\x7f*****46", "2", "X12_CHARACTER NM13 6" },
    { CLAIM, "CLINIC*****46>CLINIQUE \xc3\xa9L\xc3\xa9GANTE*****46", "2", "" },
    { CLAIM, "A*Y*Y~>A*X*Y~", "2", "X12_CODE CLM8 7" },
    { CLAIM, "A*Y*Y~>A*X*Y~", "1", "" },
    { CLAIM, "*OH*45011~REF>*OHI*45011~REF", "2", "X12_TOO_LONG N42 5" },
    { CLAIM, "ABK:J109>ABK", "2", "X12_ELEMENT_MISSING HI1-2 1" },
    { CLAIM, "UN*1***1~>UN*1x***1~", "2", "X12_CHARACTER SV14 6" },
    { CLAIM, "*1200*CH>*2400*CH", "2", "X12_TIME BHT5 9" },
    { CLAIM, "CLM*A1*100>CLM**100", "2", "X12_ELEMENT_MISSING CLM1 1" },
    { CLAIM, "CLM*A1*100***>CLM*A1*100*1**", "2", "X12_ELEMENT_UNUSED CLM3 I10" },
    { CLAIM, "11:B:1*Y>11:B:1:9*Y", "2", "X12_COMPONENTS CLM5-4 13" },
    { CLAIM, "REF*EI*999999992~>REF*EI~", "2", "X12_ELEMENT_MISSING REF2 1; X12_CONDITION REF2 2" },
    { CLAIM, "NM1*IL*1*DOE*JANE****MI*M0001>NM1*IL*2*DOE COMPANY", "2", "" },
    { CLAIM, "NM1*IL*1*DOE*JANE****MI*M0001>NM1*IL*1*DOE*JANE****MI", "2", "X12_CONDITION NM19 2" },
    { CLAIM, "DMG*D8*19700228*F~>DMG*D8*19700228*F**~", "2", "X12_EMPTY_TAIL DMG5" },
    { CLAIM, "11:B:1*Y>98:B:1*Y", "5", "X12_CODE_SET CLM5-1 7" },
    { CLAIM, "*CI~NM1>*QQ~NM1", "1,2,5", "X12_CODE SBR9 7" },
    { REMIT, "CAS*CO*45>CAS*CO*999", "1,2,5", "X12_CODE_UNLISTED CAS2" },
    { ORDER, "*2*EA*9.5>*2*EA*9,5", "2", "X12_CHARACTER PO14 6" },
    { ORDER, "N1*ST*STORE*92*77>N1*ST*STORE*92", "2", "X12_CONDITION N14 2" },
    { ORDER, "N1*ST*STORE*92*77>N1*ST", "2", "X12_CONDITION N12 2" },
    { ORDER, "N1*ST*STORE*92*77~>TD5*****ROUTE~N1*ST*STORE~\nSE*6>SE*7", "2", "" },
    { CLAIM, "19700228>10010228", "2", "X12_DATE DMG2 8" },
    /* segments and loops */
    { CLAIM, "DMG*D8*19700228*F~>\nSE*23>SE*22", "2", "" },
    { CLAIM, "N3*1 MAIN STREET~>\nSE*23>SE*22", "2", "X12_SEGMENT_MISSING N3 3" },
    { CLAIM, "NM1*40*2*HEALTH*****46*EX2~>\nSE*23>SE*22", "2", "X12_LOOP_MISSING NM1 3" },
    { CLAIM, "HI*ABK:J109~>HI*ABK:J109~ZZZ*1~\nSE*23>SE*24", "2", "X12_UNKNOWN_SEGMENT ZZZ 1" },
    { CLAIM, "HI*ABK:J109~>HI*ABK:J109~BPR*1~\nSE*23>SE*24", "2", "X12_UNKNOWN_SEGMENT BPR 6" },
    /* what the guide alone forbids is not of type 1 */
    { CLAIM, "HI*ABK:J109~>REF*QQ*1~HI*ABK:J109~\nSE*23>SE*24", "1", "" },
    { CLAIM, "HI*ABK:J109~>REF*QQ*1~HI*ABK:J109~\nSE*23>SE*24", "2", "X12_UNKNOWN_SEGMENT REF 2" },
    { REMIT, "CAS*CO*45*20~>DTM*232*20250101~CAS*CO*45*20~\nSE*15>SE*16", "1", "" },
    { REMIT, "CAS*CO*45*20~>DTM*232*20250101~CAS*CO*45*20~\nSE*15>SE*16", "2", "X12_ORDER DTM 7; X12_ORDER CAS 7" },
    { CLAIM, "HI*ABK:J109~>HI*ABK:J109~BHT*0019~\nSE*23>SE*24", "1",
      "X12_ORDER BHT 7; X12_ELEMENT_MISSING BHT2 1; X12_MISSING_PARENT LX" },
    { CLAIM, "BHT*0019*00*B31*20250301*1200*CH~>BHT*0019*00*B31*20250301*1200*CH~BHT*0019*00*B31*20250301*1200*CH~\nSE*23>SE*24",
      "2", "X12_SEGMENT_TOO_OFTEN BHT 5" },
    { CLAIM, "PER*IC*DESK>Nd4*1~PER*IC*DESK\nSE*23>SE*24", "2", "X12_SEGMENT_ID  1" },
    /* levels */
    { CLAIM, "HL*2*1*22>HL*2*7*22", "2", "X12_HL HL2 7" },
    { CLAIM, "HL*2*1*22>HL*1*1*22", "2", "X12_HL HL1 7" },
    { CLAIM, "HL*2*1*22>HL*3*1*22", "2", "X12_HL_LEVEL HL1" },
    { CLAIM, "HL*2*1*22>HL*2*A*22", "2", "X12_HL HL2 7" },
    { CLAIM, "HL*1**20>HL*B**20\nHL*2*1*22>HL*2*B*22", "2", "X12_HL_LEVEL HL1; X12_HL_LEVEL HL1" },
    { CLAIM, "HL*1**20>HL*B**20\nHL*2*1*22>HL*B*B*22", "2", "X12_HL_LEVEL HL1; X12_HL HL1 7" },
    { CLAIM, "HL*1**20>HL*0**20\nHL*2*1*22>HL*1*0*22", "2", "X12_HL_LEVEL HL1" },
    { CLAIM, "HL*1**20>HL*7**20\nHL*2*1*22>HL*8*7*22", "2", "X12_HL_LEVEL HL1" },
    { CLAIM, "HL*1**20>HL*7**20\nHL*2*1*22>HL*8*6*22", "2", "X12_HL_LEVEL HL1; X12_HL HL2 7" },
    { NOTICE, "HL*4*3*I>HL*4*2*I", "2", "" },
    { NOTICE, "HL*4*3*I>HL*4*3*T", "2", "X12_HL_LEVEL HL2" },
    { NOTICE, "HL*4*3*I>HL*4*9*I", "2", "X12_HL HL2 7" },
    /* balancing */
    { CLAIM, "*100*UN>*90*UN", "3", "X12_BALANCE_CHARGE CLM2" },
    { REMIT, "*100*80~DTM>*100*79~DTM", "3", "X12_BALANCE_LINE SVC3" },
    { REMIT, "CLP*A1*1*100*80>CLP*A1*1*100*70", "3", "X12_BALANCE_CLAIM CLP4; X12_BALANCE_PAYMENT BPR2" },
    { REMIT, "SVC*HC:99213*100*80>SVC*HC:99213*90*70", "3", "X12_BALANCE_TIE CLP4" },
    { REMIT, "CAS*CO*45*20~>CAS*CO*45*20~PLB*1234567893*20251231*CS:A1*5~\nSE*15>SE*16", "3", "X12_BALANCE_PAYMENT BPR2" },
    { REMIT, "BPR*I*80>BPR*I*75\nCAS*CO*45*20~>CAS*CO*45*20~PLB*1234567893*20251231*CS:A1*5~\nSE*15>SE*16", "3", "" },
    /* ... with an earlier payer: by line, by what it paid, by claim */
    { CLAIM, COORDINATED(""), "3", "" },
    { CLAIM, COORDINATED("SVD*P2*60>SVD*P2*50"), "3", "X12_BALANCE_PAYER SVD2" },
    { CLAIM, COORDINATED("AMT*D*60>AMT*D*55"), "3", "X12_BALANCE_PAYER SBR" },
    { CLAIM, COORDINATED("CAS*CO*45*30>CAS*CO*45*25"), "3", "X12_BALANCE_PAYER SVD2; X12_BALANCE_PAYER SBR" },
    /* what its lines adjust stands at the claim once more */
    { CLAIM, COORDINATED("AMT*D*60>CAS*CO*45*30~AMT*D*60\nSE*32>SE*33"), "3", "X12_BALANCE_PAYER SBR" },
    /* envelopes */
    { CLAIM, "SE*23>SE*24", "1", "X12_SE01 SE1 4" },
    { CLAIM, "SE*23*0001>SE*23*0002", "1", "X12_SE02 SE2 3" },
    { CLAIM, "GE*1*31>GE*2*32", "1", "X12_GE01 GE1 5; X12_GE02 GE2 4" },
    { CLAIM, "IEA*1*000000031>IEA*2*000000032", "1", "X12_IEA01 IEA1 021; X12_IEA02 IEA2 001" },
    { CLAIM, "IEA*1*000000031>IEA*1*32", "1", "X12_IEA02 IEA2 018" },
    { CLAIM, "GS*HC>GS*HP", "1", "X12_ENVELOPE ST1 1" },
    { CLAIM, "*250301*1200*^>*250301*2500*^", "1", "X12_ENVELOPE ISA10 015" },
    { CLAIM, "ISA*00>ISA*77", "1", "X12_ENVELOPE ISA1 010" },
    { CLAIM, "ST*837*0001>ST*837*1", "1", "X12_ENVELOPE ST2 7; X12_SE02 SE2 3" },
    { CLAIM, "ST*837*0001*005010X222A1>ST*837*0001", "2", "X12_ELEMENT_MISSING ST3 19" },
    { CLAIM, "ST*837*0001*005010X222A1>ST*837*0001*005010X999A1", "1", "X12_UNMAPPED_SET  1" },
    { CLAIM, "SE*23*0001~>SE*23*0001~SE*23*0001~", "1", "X12_MISPLACED  022" },
    { CLAIM, "GE*1*31~>GE*1*31~GE*1*31~", "1", "X12_MISPLACED  022" },
    { CLAIM, "ISA*>ISB*", "1", "X12_NO_ISA " },
    { CLAIM, "ISA*>From: desk ISA*", "1", "X12_LEADING_TEXT " },
    { CLAIM, "ISA*00*          *>ISA*00**", "1", "X12_ISA_LENGTH  022" },
};

START_TEST(finds)
{
    char *message = test_changed(cases[_i].message, cases[_i].changes);
    for (size_t step = 1; step <= 4096; step += 4095) {
        test_text    out = { 0 }, answer = { 0 };
        shunt_result result = test_validate(message, cases[_i].snip, NULL, NULL, step, &out, &answer);
        ck_assert_int_le(result, SHUNT_INPUT_FAULT);
        char *found = test_findings(out.bytes);
        ck_assert_msg(!strcmp(found, cases[_i].found), "%s: found `%s`, not `%s`", cases[_i].changes, found, cases[_i].found);
        free(found), free(out.bytes), free(answer.bytes);
    }
    free(message);
}
END_TEST

#define ANSWER_999 "ISA*00*          *00*          *ZZ*RECEIVER       *ZZ*SENDER         *250302*0800*^*00501*000000031*0*P*:~\n"
#define GROUP_999                                                                                                                \
    "GS*FA*RECEIVER*SENDER*20250302*0800*1*X*005010X231A1~\nST*999*0001*005010X231A1~\nAK1*HC*31*005010X222A1~\nAK2*837*0001*"   \
    "005010X222A1~\n"
#define END_999(n) "SE*" n "*0001~\nGE*1*1~\nIEA*1*000000031~\n"

static const struct {
    const char *message, *changes, *answer;
} answers[] = {
    { CLAIM, "", ANSWER_999 GROUP_999 "IK5*A~\nAK9*A*1*1*1~\n" END_999("6") },
    { CLAIM, "A*Y*Y~>A*X*Y~",
      ANSWER_999 GROUP_999 "IK3*CLM*18**8~\nCTX*CLM01:A1~\nIK4*8*1073*7*X~\nIK5*R*5~\nAK9*R*1*1*0~\n" END_999("9") },
    /* A separator of the answer can not come in by a value. */
    { CLAIM, "A*Y*Y~>A*X:~*Y~", NULL },
    { CLAIM, "*0*P*:~>*1*P*:~",
      "ISA*00*          *00*          *ZZ*RECEIVER       *ZZ*SENDER         *250302*0800*^*00501*000000031*0*P*:~\n"
      "TA1*000000031*250301*1200*A*000~\n" GROUP_999 "IK5*A~\nAK9*A*1*1*1~\n" END_999("6") },
    { CLAIM, "GE*1*31>GE*3*31", ANSWER_999 GROUP_999 "IK5*A~\nAK9*R*3*1*1*5~\n" END_999("6") },
    { ORDER, "BEG*00*NE*P1**20250301>BEG*00*NE***20250301",
      "ISA*00*          *00*          *ZZ*RECEIVER       *ZZ*SENDER         *250302*0800*U*00401*000000031*0*P*:~\n"
      "GS*FA*RECEIVER*SENDER*20250302*0800*1*X*004010~\nST*997*0001~\nAK1*PO*31~\nAK2*850*0001~\nAK3*BEG*2**8~\nAK4*3*324*1~\n"
      "AK5*R*5~\nAK9*R*1*1*0~\nSE*8*0001~\nGE*1*1~\nIEA*1*000000031~\n" },
    /* The input breaks off: the set was not received. */
    { CLAIM, "SE*23*0001~GE*1*31~IEA*1*000000031~>",
      ANSWER_999 "TA1*000000031*250301*1200*R*023~\n" GROUP_999 "IK5*R*2~\nAK9*R*0*0*0*3~\n" END_999("6") },
    /* Acknowledgements are not acknowledged. */
    { ORDER,
      "GS*PO>GS*FA\nST*850*0001~BEG*00*NE*P1**20250301~N1*ST*STORE*92*77~PO1*1*2*EA*9.5~CTT*1~SE*6*0001~>"
      "ST*997*0001~AK1*PO*1~AK9*A*1*1*1~SE*4*0001~",
      "" },
};

START_TEST(answers_it)
{
    char     *message = test_changed(answers[_i].message, answers[_i].changes);
    test_text out = { 0 }, answer = { 0 };
    ck_assert_int_le(test_validate(message, "2", NULL, NULL, 64, &out, &answer), SHUNT_INPUT_FAULT);
    if (answers[_i].answer)
        ck_assert_str_eq(answer.bytes ? answer.bytes : "", answers[_i].answer);
    else /* one line for each terminator: nothing has added a segment */
        for (const char *at = answer.bytes; (at = strchr(at, '~')); at++) ck_assert_int_eq(at[1], '\n');
    free(out.bytes), free(answer.bytes), free(message);
}
END_TEST

/* TA105 of each fault of an interchange; what follows from it is not said instead. */
static const struct {
    const char *changes, *notes;
} interchanges[] = {
    { "ISA*00>ISA*77", "R*010" },
    { "ISA*00*          *00>ISA*00*          *77", "R*012" },
    { "*ZZ*SENDER>*!!*SENDER", "R*005" },
    { "*ZZ*RECEIVER>*!!*RECEIVER", "R*007" },
    { "*250301*1200*^>*251301*1200*^", "R*014" },
    { "*250301*1200*^>*250301*2500*^", "R*015" },
    { "*00501*0>*00999*0", "R*017" },
    { "*000000031*0>*ABC000031*0", "R*018" },
    { "*000000031*0>*000000031*7", "R*019" },
    { "*0*P*:>*0*X*:", "R*020" },
    { "IEA*1*>IEA*2*", "R*021" },
    { "IEA*1*000000031>IEA*1*000000032", "R*001" },
    { "IEA*1*000000031~>", "R*023" },
    { "GS*HC*SENDER*RECEIVER*20250301*1200*31*X*005010X222A1~>", "R*024" },
    { "GE*1*31~IEA>GE*1*31~SE*1*0001~IEA", "R*022" },
    /* a TA1 in a group is passed over */
    { "ST*837>TA1*000000030*250301*1200*A*000~ST*837", "E*022" },
    /* an error comes before the warning that stands before it */
    { "*00501*0>*00503*0", "E*003" },
    { "*00501*0>*00503*0\nIEA*1*000000031>IEA*1*000000032", "R*001" },
    /* a wrong count of groups is no news where something else is wrong */
    { "IEA*1*000000031>IEA*2*000000032", "R*001" },
};

START_TEST(interchange_is_answered)
{
    char     *message = test_changed(CLAIM, interchanges[_i].changes);
    test_text out = { 0 }, answer = { 0 };
    ck_assert_int_le(test_validate(message, "1", NULL, NULL, 64, &out, &answer), SHUNT_INPUT_FAULT);
    const char *ta1 = answer.bytes ? strstr(answer.bytes, "TA1*") : NULL;
    ck_assert_msg(ta1, "%s: no TA1", interchanges[_i].changes);
    const char *end = strchr(ta1, '~');
    ck_assert_ptr_nonnull(end);
    ck_assert_msg(!strncmp(end - 5, interchanges[_i].notes, 5), "%s: %.*s", interchanges[_i].changes, (int)(end - ta1), ta1);
    ck_assert_ptr_null(strstr(end, "TA1*"));
    free(out.bytes), free(answer.bytes), free(message);
}
END_TEST

/* Each interchange has an answer of its own, with its own sender. */
START_TEST(each_interchange_is_answered)
{
    char *second = test_changed(CLAIM, "SENDER  >ANOTHER \n000000031>000000032\n*0*P>*1*P\nIEA*1*000000031>IEA*1*000000032\n");
    char *message = malloc(strlen(CLAIM) + strlen(second) + 1);
    test_text out = { 0 }, answer = { 0 };
    ck_assert_ptr_nonnull(message);
    strcat(strcpy(message, CLAIM), second);
    ck_assert_int_eq(test_validate(message, "1", NULL, NULL, 64, &out, &answer), 0);
    const char *to_first = strstr(answer.bytes, "*ZZ*SENDER "), *to_second = strstr(answer.bytes, "*ZZ*ANOTHER ");
    ck_assert(to_first && to_second && to_first < to_second);
    const char *ta1 = strstr(answer.bytes, "TA1*");
    ck_assert(ta1 && ta1 > to_second && !strncmp(ta1, "TA1*000000032*250301*1200*A*000~", 32));
    const char *ends = strstr(answer.bytes, "IEA*1*000000031~");
    ck_assert(ends && ends < to_second && strstr(ends, "IEA*1*000000032~"));
    free(out.bytes), free(answer.bytes), free(message), free(second);
}
END_TEST

#define OVERLAY "overlay\tX12\t837\t005010X222A1\tacme\n"
static const struct {
    const char *definition, *message, *changes, *found; /* found NULL: the definition is wrong, `changes` says where */
} definitions[] = {
    { OVERLAY "at\t2300\n\tsegment\tCLM\n\t\t05-1\tR\tin=22,23\n", CLAIM, "", "X12_CODE CLM5-1 7" },
    { OVERLAY "at\t2300\n\tsegment\tREF\tR\t1\t01=G1\n", CLAIM, "", "X12_SEGMENT_MISSING REF 3" },
    { OVERLAY "at\t2300\n\tsegment\tHI\tN\t-\t01-1=ABK\n", CLAIM, "", "X12_SEGMENT_UNUSED HI I4" },
    { OVERLAY "at\t2010BA\n\tsegment\tNM1\n\t\t09\tR\tmin=6\tmax=9\n", CLAIM, "", "X12_TOO_SHORT NM19 4" },
    { OVERLAY "at\t2300\n\trequire\tREF\t01=G1\twhen\tCLM05-1\t11\n", CLAIM, "", "X12_SITUATION REF I6" },
    { OVERLAY "at\t2300\n\trequire\tREF\t01=G1\tunless\tCLM05-1\t11\n", CLAIM, "", "" },
    { OVERLAY "at\t2300\n\tforbid\tHI\t01-1=ABK\twhen\tCLM01\n", CLAIM, "", "X12_SITUATION HI I9" },
    { OVERLAY "at\t-\n\tloop\t1000A\tN\n", CLAIM, "", "X12_SEGMENT_UNUSED NM1 I4" },
    { "guide\tX12\t850\t004010\t004010\t004010\tPO\ttrade\tsmall\nsegment\tST\tR\t1\t10\t-\tset\nsegment\tBEG\tR\t1\t20\t-"
      "\torder\n\t01\tR\tin=05\n"
      "\t03\tR\tmax=5\n\t05\tR\nsegment\tN1\tS\t1\t30\t01=BY\tbuyer\nloop\tPO1\tR\t>1\t40\tline\n\tsegment\tPO1\tR\t1\t10\t-"
      "\tline\nsegment\tSE\tR\t1\t50\t-\tend\n",
      ORDER, "", "X12_CODE BEG1 7; X12_ELEMENT_UNUSED BEG2 10; X12_UNKNOWN_SEGMENT N1 2; X12_UNKNOWN_SEGMENT CTT 6" },
    { OVERLAY "at\t9999\n", NULL, ":2: write `at LOOP`", NULL },
    { OVERLAY "at\t2300\n\tsegment\tQQQ\n", NULL, ":3: loop 2300 has no QQQ", NULL },
    { OVERLAY "at\t2300\n\tsegment\tCLM\n\t\t77\tR\n", NULL, ":4: CLM ends at", NULL },
    { OVERLAY "at\t2300\n\t\t02\tR\n", NULL, ":3: element lines", NULL },
    { "overlay\tX12\t837\t005010X999\tacme\n", NULL, ":1: there is no guide", NULL },
    { "guide\tX12\t850\t004010\t004010\t004010\tPO\ttrade\tsmall\nsegment\tBEG\tR\t1\t20\t-\torder\n", NULL,
      "begins with segment ST", NULL },
    { "guide\tX12\t850\t003020\t003020\t003020\tPO\ttrade\tsmall\n", NULL, ":1: there are no layouts", NULL },
    { "", NULL, "nothing in it", NULL },
    { "hello\n", NULL, ":1: a definition begins with", NULL },
};

START_TEST(takes_definitions)
{
    shunt_definitions *d;
    shunt_messages    *messages;
    ck_assert_int_eq(shunt_definitions_new(NULL, &d), SHUNT_DONE);
    const char  *definition = definitions[_i].definition;
    shunt_result result = shunt_definitions_add(d, "site.tsv", definition, strlen(definition), &messages);
    if (!definitions[_i].found) {
        test_text out = { 0 };
        ck_assert_int_eq(result, SHUNT_RULES_FAULT);
        ck_assert_int_eq(shunt_messages_print(messages, false, test_append, &out), SHUNT_DONE);
        ck_assert_msg(strstr(out.bytes, definitions[_i].changes) != NULL, "%s", out.bytes);
        free(out.bytes);
    } else {
        test_text out = { 0 }, answer = { 0 };
        ck_assert_int_eq(result, SHUNT_DONE);
        ck_assert_int_le(test_validate(definitions[_i].message, "4", d, NULL, 64, &out, &answer), SHUNT_INPUT_FAULT);
        char *found = test_findings(out.bytes);
        ck_assert_str_eq(found, definitions[_i].found);
        free(found), free(out.bytes), free(answer.bytes);
    }
    shunt_messages_free(messages);
    shunt_definitions_free(d);
}
END_TEST

#define CLAIMS_HEAD                                                                                                              \
    ISA00501 "GS*HC*SENDER*RECEIVER*20250301*1200*31*X*005010X222A1~ST*837*0001*005010X222A1~BHT*0019*00*B31*20250301*1200*CH~"
#define REMIT_HEAD                                                                                                               \
    ISA00501 "GS*HP*SENDER*RECEIVER*20250301*1200*31*X*005010X221A1~ST*835*0001~BPR*I*80*C*ACH*CCP*01*999999992*DA*1*1999999999" \
             "**01*999999984*DA*9*20250301~TRN*1*E1*1999999999~N1*PR*HEALTH~N3*1 ROAD~N4*TOWN*OH*45011~PER*BL*DESK*TE*"          \
             "5555550100~N1*PE*CLINIC*XX*1234567893~LX*1~"
/* A message with a part many times over: each finding is counted, some are listed. `part` is printed with 5, 7, 9 ... */
static const struct {
    const char *head, *part;
    unsigned    times;
    const char *tail;
    uint32_t    most, listed;
    const char *said, *summary;
} many[] = {
    { REMIT_HEAD, "CLP*A%u*1*1x*80**12*P1~NM1*QC*1*DOE*J~", 1500, "SE*3010*0001~GE*1*31~IEA*1*000000031~", 0, 1000,
      "\"FINDINGS_MORE\",\"severity\":\"information\",\"offset\":39829,\"found\":\"500 more of this set\"",
      "\"errors\":1500,\"warnings\":0,\"notes\":0" },
    { REMIT_HEAD, "CLP*A%u*1*1x*80**12*P1~NM1*QC*1*DOE*J~", 1500, "SE*3010*0001~GE*1*31~IEA*1*000000031~", 1500, 1500, "1x",
      "\"errors\":1500,\"warnings\":0,\"notes\":0" },
    { REMIT_HEAD, "CLP*A%u*1*1x*80**12*P1~NM1*QC*1*DOE*J~", 1500, "SE*3010*0001~GE*1*31~IEA*1*000000031~", 1, 1,
      "\"1499 more of this set\"", "\"errors\":1500,\"warnings\":0,\"notes\":0" },
    /* A hundred lines in all; the first of each code is among them. */
    { ISA00501 "GS*XX*SENDER*RECEIVER*20250301*1200*31*X*005010X221A1~", "ST*999*%04u~SE*1*X1~SE*1*0001~", 300,
      "GE*299*32~IEA*1*000000031~", 1, 0, " more of this input\"", "\"errors\":" },
    { ISA00501 "GS*XX*SENDER*RECEIVER*20250301*1200*31*X*005010X221A1~", "ST*999*%04u~SE*1*X1~SE*1*0001~", 300,
      "GE*299*32~IEA*1*000000031~", 1, 0, "\"X12_GE02\"", "\"errors\":" },
    { REMIT_HEAD, "CLP*A%u*1*1x*80**12*P1~NM1*QC*1*DOE*J~", 1500, "SE*3011*0001~GE*1*31~IEA*1*000000031~", 0, 1001,
      "\"X12_SE01\"", "\"errors\":1501,\"warnings\":0,\"notes\":0" },
    /* Numbers of levels are compared with all that came before; beyond a limit that is said. */
    { CLAIMS_HEAD, "HL*%u**20*1~", 6000, "HL*9005**20*1~SE*6004*0001~GE*1*31~IEA*1*000000031~", 100000, 0,
      "\"segment\":6003,\"id\":\"HL\",\"element\":1,\"loop\":\"2000A\",\"name\":\"level "
      "id\",\"offset\":84674,\"length\":4,\"value\":\"9005\"",
      "\"notes\":0" },
    { CLAIMS_HEAD, "HL*%u**20*1~", 70000, "SE*70003*0001~GE*1*31~IEA*1*000000031~", 1000000, 0,
      "the last HL01 out of sequence that later ones are compared with", "\"notes\":0" },
    { "MSH|^~\\&|HIS|GENERAL|ERP|LEDGER|20250301120000||ADT^A01^ADT_A01|M1|P|2.5.1\rEVN||20250301120000\rPID|1||0^^^GENERAL^MR",
      "~%u^^^GENERAL^MR^^20259901", 900, "||EXAMPLE^ANNA||19700230|F\rPV1|1|I\r", 0, 256,
      "\"645 errors, 0 warnings and 0 notes more of one segment\"", "\"errors\":901,\"warnings\":0,\"notes\":0" },
};

START_TEST(lists_so_many)
{
    size_t room = strlen(many[_i].head) + strlen(many[_i].tail) + many[_i].times * (strlen(many[_i].part) + 10) + 1;
    char  *message = malloc(room);
    ck_assert_ptr_nonnull(message);
    size_t length = (size_t)snprintf(message, room, "%s", many[_i].head);
    for (unsigned i = 0; i < many[_i].times; i++)
        length += (size_t)snprintf(message + length, room - length, many[_i].part, 5 + 2 * i);
    length += (size_t)snprintf(message + length, room - length, "%s", many[_i].tail);

    shunt_validate_options options = { .size = sizeof options, .snip = "1", .json = true, .max_findings = many[_i].most };
    shunt_validator       *v;
    test_text              out = { 0 };
    ck_assert_int_eq(shunt_validator_new(&options, test_append, &out, &v, NULL), SHUNT_DONE);
    ck_assert_int_le(shunt_validator_feed(v, message, length, true), SHUNT_INPUT_FAULT);
    shunt_validator_free(v);
    uint32_t listed = 0;
    /* Line by line: a sanitizer looks at all that is searched, so a search of the rest for each of them would take minutes. */
    for (const char *at = out.bytes, *end; (end = memchr(at, '\n', out.length - (size_t)(at - out.bytes))); at = end + 1) {
        const char *code = memmem(at, (size_t)(end - at), "\"code\":\"", 8);
        listed += code && strncmp(code + 8, "FINDINGS_MORE", 13) != 0;
    }
    ck_assert_msg(strstr(out.bytes, many[_i].said) != NULL, "%.2000s", out.bytes + (out.length > 2000 ? out.length - 2000 : 0));
    ck_assert_ptr_nonnull(strstr(out.bytes, many[_i].summary));
    if (many[_i].listed) ck_assert_uint_eq(listed, many[_i].listed);
    free(message), free(out.bytes);
}
END_TEST

/* Each n-th allocation fails, far apart where there are many: the result says so, nothing is lost or left. */
START_TEST(survives_lack_of_memory)
{
    char *message = test_changed(CLAIM, "A*Y*Y~>A*X*Y~\nUN*1***1~>UN*1x***1~");
    test_validate_without_memory(message, "2", 61);
    free(message);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("validate");
    TCase *tests = tcase_create("validate");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, finds, 0, (int)(sizeof cases / sizeof *cases));
    tcase_add_loop_test(tests, answers_it, 0, (int)(sizeof answers / sizeof *answers));
    tcase_add_loop_test(tests, interchange_is_answered, 0, (int)(sizeof interchanges / sizeof *interchanges));
    tcase_add_test(tests, each_interchange_is_answered);
    tcase_add_loop_test(tests, takes_definitions, 0, (int)(sizeof definitions / sizeof *definitions));
    tcase_add_loop_test(tests, lists_so_many, 0, (int)(sizeof many / sizeof *many));
    tcase_add_test(tests, survives_lack_of_memory);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
