/* Validation and answers of HL7 v2: one good message of each kind, changed in one place; what must be said of it. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/findings.h"

#define ADMIT                                                                                                                    \
    "MSH|^~\\&|HIS|GENERAL|ERP|LEDGER|20250301120000||ADT^A01^ADT_A01|M1|P|2.5.1\rEVN||20250301120000\r"                         \
    "PID|1||7^^^GEN^MR||DOE^JANE||19700228|F\rPV1|1|I\rDG1|1||I10^HTN^I10|||W\r"
#define RESULT                                                                                                                   \
    "MSH|^~\\&|LAB|GENERAL|ERP|LEDGER|20250301120000||ORU^R01^ORU_R01|M2|P|2.5.1\rPID|1||7^^^GEN^MR||DOE^JANE\rORC|RE|O1\r"      \
    "OBR|1|O1|F1|85025^CBC^LN|||20250301\rOBX|1|NM|718-7^HGB^LN||13.5|g/dL|||||F\rOBR|2|O1|F1|80053^CMP^LN|||20250301\r"         \
    "OBX|1|NM|2345-7^GLU^LN||98|mg/dL|||||F\rNTE|1|L|fasting\r"
#define CHARGE                                                                                                                   \
    "MSH|^~\\&|HIS|GENERAL|ERP|LEDGER|20250301||DFT^P03|M3|P|2.3\rEVN|P03|20250301\rPID|||7||DOE^JANE\rFT1|1|||20250301||CG|"    \
    "99284"                                                                                                                      \
    "|||1|100.00\r"
#define OLD                                                                                                                      \
    "MSH|^~\\&|HIS|GENERAL|ERP|LEDGER|19900301||ADT^A01|M4|P|2.1\rEVN|A01|19900301\rPID|||7||DOE^JANE\rNK1|1|DOE^JOHN\r"         \
    "PV1||I|W-1\r"

static const struct {
    const char *message, *changes, *levels, *found;
} cases[] = {
    { ADMIT, "", "5", "" },
    { RESULT, "", "5", "" },
    { CHARGE, "", "5", "" },
    { OLD, "", "2", "" },
    /* headers */
    { ADMIT, "ADT^A01^ADT_A01>XYZ^A01^XYZ_A01", "1", "HL7_MESSAGE_TYPE MSH-9 200" },
    { ADMIT, "ADT^A01^ADT_A01>ADT^Q99", "1", "HL7_EVENT MSH-9 201" },
    { ADMIT, "ADT^A01^ADT_A01>ADT^A04^ADT_A01", "2", "" },
    { ADMIT, "ADT^A01^ADT_A01>ADT^A01^ADT_A04", "2", "HL7_STRUCTURE_ID MSH-9.3" },
    { ADMIT, "ADT^A01^ADT_A01>ADT^A01", "2", "" },
    { ADMIT, "|P|2.5.1>|X|2.5.1", "1", "HL7_PROCESSING_ID MSH-11 202" },
    { ADMIT, "|P|2.5.1>|N|2.5.1", "1", "HL7_PROCESSING_ID MSH-11 202" },
    { ADMIT, "|P|2.5.1>|P|2.5.9", "1", "HL7_VERSION_ID MSH-12 203" },
    { ADMIT, "|P|2.5.1>|P|2.5.1^USA", "2", "" },
    { ADMIT, "|P|2.5.1>|P|", "2", "HL7_FIELD_MISSING MSH-12 101" },
    { ADMIT, "|M1|>||", "2", "HL7_FIELD_MISSING MSH-10 101" },
    { ADMIT, "|ADT^A01^ADT_A01|>||", "2", "HL7_NO_TYPE  200; HL7_FIELD_MISSING MSH-9 101" },
    { ADMIT, "|P|2.5.1>|P|2.5.1||||||ISO IR87", "1", "HL7_CHARSET MSH-18 207" },
    { ADMIT, "|P|2.5.1>|P|2.5.1||||||UTF-8", "1", "HL7_CHARSET_NAME MSH-18" },
    { ADMIT,
      "DOE^J>D\xd6"
      "E^J",
      "1", "HL7_CHARSET_ASSUMED PID" },
    { ADMIT,
      "|P|2.5.1>|P|2.5.1||||||UNICODE UTF-8\nDOE^J>D\xd6"
      "E^J",
      "1", "HL7_BYTES PID 102" },
    { OLD, "ADT^A01|M4>ADT^A60|M4", "1", "" },
    { OLD, "ADT^A01|M4>ADT^A60|M4", "2", "HL7_NOT_IN_VERSION MSH-9; HL7_SEGMENT_UNEXPECTED NK1 100" },
    /* structure */
    { ADMIT, "PV1|1|I\r>", "2", "HL7_SEGMENT_MISSING PV1 100" },
    { ADMIT, "PV1|1|I\r>", "1", "" },
    { ADMIT, "PID|1||7^^^GEN^MR||DOE^JANE||19700228|F\r>", "2", "HL7_SEGMENT_MISSING PID 100" },
    { ADMIT, "PV1|1|I\r>PV1|1|I\rPID|1||7^^^GEN^MR||DOE^JANE\r", "2", "HL7_SEQUENCE PID 100; HL7_SEGMENT_TOO_OFTEN PID 100" },
    { ADMIT, "PV1|1|I\r>PV1|1|I\rPV1|1|I\r", "2", "HL7_SEGMENT_TOO_OFTEN PV1 100" },
    { ADMIT, "DG1|1>OBR|1|A|B|X\rDG1|1", "2", "HL7_SEGMENT_UNEXPECTED OBR 100" },
    { ADMIT, "DG1|1>ABC|1\rDG1|1", "2", "HL7_SEGMENT_UNEXPECTED ABC 100" },
    { ADMIT, "DG1|1>ZPV|1|x\rDG1|1", "5", "" },
    { ADMIT, "DG1|1>D!1|1\rDG1|1", "2", "HL7_SEGMENT_ID  100" },
    { RESULT, "PID|1||7^^^GEN^MR||DOE^JANE\rORC|RE|O1\r>", "2", "" },
    { RESULT, "OBR|2|O1|F1|80053^CMP^LN|||20250301\r>ORC|RE|O1\r", "2", "HL7_SEGMENT_MISSING OBR 100" },
    { RESULT,
      "ORC|RE|O1\rOBR|1|O1|F1|85025^CBC^LN|||20250301\rOBX|1|NM|718-7^HGB^LN||13.5|g/dL|||||F\r"
      "OBR|2|O1|F1|80053^CMP^LN|||20250301\rOBX|1|NM|2345-7^GLU^LN||98|mg/dL|||||F\rNTE|1|L|fasting\r>",
      "2", "HL7_GROUP_MISSING ORC 100" },
    { CHARGE, "FT1|1|||20250301||CG|99284|||1|100.00\r>", "2", "HL7_GROUP_MISSING FT1 100" },
    /* fields */
    { ADMIT, "|1||7^^^GEN^MR|>|1|||", "2", "HL7_FIELD_MISSING PID-3 101" },
    { ADMIT, "|1||7^^^GEN^MR|>|1||\"\"|", "2", "" },
    { ADMIT, "19700228>19700230", "1", "HL7_DATE PID-7.1 102" },
    { ADMIT, "19700228>1970", "1", "" },
    { ADMIT, "19700228>197002281", "1", "HL7_DATE PID-7.1 102" },
    { ADMIT, "19700228>19700228120000.1234-0600", "1", "" },
    { ADMIT, "19700228>19700228120000.12345-0600", "1", "HL7_DATE PID-7.1 102" },
    { ADMIT, "19700228>19700228-2400", "1", "HL7_DATE PID-7.1 102" },
    { ADMIT, "19700228>\"\"", "1", "" },
    { ADMIT, "PV1|1|>PV1|one|", "1", "HL7_NUMBER PV1-1 102" },
    { RESULT, "||13.5|>||13,5|", "1", "HL7_NUMBER OBX-5 102" },
    { RESULT, "||13.5|>||13.5~high|", "1", "HL7_NUMBER OBX-5[2] 102" },
    { RESULT, "|NM|718-7>|DT|718-7", "1", "HL7_DATE OBX-5 102" },
    { RESULT, "|NM|718-7>|ST|718-7", "1", "" },
    { ADMIT, "|F\r>|F~M\r", "2", "HL7_REPETITIONS PID-8[2]" },
    { ADMIT, "PV1|1|I\r>PV1|1|I^E\r", "2", "HL7_COMPONENTS PV1-2.2" },
    { ADMIT, "20250301120000\rPID>20250301120000|||||||||x\rPID", "2", "HL7_TOO_MANY_FIELDS EVN-11" },
    { ADMIT, "7^^^GEN^MR>7^^^GEN", "2", "" },
    { ADMIT, "|P|2.5.1>|P|2.7\n7^^^GEN^MR>7^^^GEN", "2", "HL7_COMPONENT_MISSING PID-3.5 101" },
    { ADMIT, "|W\r>|WWW\r", "1", "HL7_TOO_LONG DG1-6" },
    { CHARGE, "|100.00>|1OO", "1", "HL7_NUMBER FT1-11.1.1 102" },
    { CHARGE, "|100.00>|100.00&USD", "2", "" },
    { RESULT, "P|2.5.1>P|2.8\nNTE|1|L>NTE|1|LATERAL", "1", "HL7_TOO_LONG NTE-2 104" },
    /* tables */
    { RESULT, "|L|fasting>|Q|fasting", "5", "HL7_CODE NTE-2 103" },
    { RESULT, "|L|fasting>|Q|fasting", "2", "" },
    { ADMIT, "|F\r>|Q\r", "5", "HL7_CODE_UNLISTED PID-8" },
    { ADMIT, "GEN^MR>GEN^QQ", "5", "HL7_CODE PID-3.5 103" },
    { ADMIT, "GEN^MR>GEN^\"\"", "5", "" },
    /* batches */
    { "BHS|^~\\&|HIS\r" ADMIT "BTS|2\r", "", "1", "HL7_BTS01 " },
    { "\x0b" ADMIT "\x1c\r", "", "5", "" },
    { "\x0b" ADMIT, "", "2", "HL7_TRUNCATED  100" },
};

START_TEST(finds)
{
    char *message = test_changed(cases[_i].message, cases[_i].changes);
    for (size_t step = 1; step <= 4096; step += 4095) {
        test_text    out = { 0 }, answer = { 0 };
        shunt_result result = test_validate(message, cases[_i].levels, NULL, NULL, step, &out, &answer);
        ck_assert_int_le(result, SHUNT_INPUT_FAULT);
        char *found = test_findings(out.bytes);
        ck_assert_msg(!strcmp(found, cases[_i].found), "%s: found `%s`, not `%s`", cases[_i].changes, found, cases[_i].found);
        free(found), free(out.bytes), free(answer.bytes);
    }
    free(message);
}
END_TEST

#define ANSWER "MSH|^~\\&|ERP|LEDGER|HIS|GENERAL|20250302080000+0000||ACK^A01^ACK|25030208000000000001|P|2.5.1"
#define BAD    "102^data type error^HL70357|E|HL7_DATE^value is no date or time of its data type^L||data type DTM\r"

static const struct {
    const char *message, *changes, *answer;
} answers[] = {
    { ADMIT, "", ANSWER "\rMSA|AA|M1\r" },
    { ADMIT, "19700228>19700230", ANSWER "\rMSA|AE|M1\rERR||PID^1^7^1^1|" BAD },
    { ADMIT, "PV1|1|I\r>",
      ANSWER
      "\rMSA|AE|M1\rERR||PV1^1|100^segment sequence error^HL70357|E|HL7_SEGMENT_MISSING^a required segment is missing^L\r" },
    { ADMIT, "DG1|1>ABC|1\rDG1|1",
      ANSWER
      "\rMSA|AA|M1\rERR||ABC^1|100^segment sequence error^HL70357|W|HL7_SEGMENT_UNEXPECTED^the message has no such segment^L"
      "||ADT\\S\\A01 2.5.1 has no such segment in any message\r" },
    { ADMIT, "|P|2.5.1>|X|2.5.1",
      "MSH|^~\\&|ERP|LEDGER|HIS|GENERAL|20250302080000+0000||ACK^A01^ACK|25030208000000000001|X|2.5.1\rMSA|AR|M1\r"
      "ERR||MSH^1^11|202^unsupported processing id^HL70357|E|HL7_PROCESSING_ID^processing id is none of P, T, D^L\r" },
    /* enhanced mode: MSH-15 and MSH-16 */
    { ADMIT, "|2.5.1>|2.5.1|||AL|NE", ANSWER "\rMSA|CA|M1\r" },
    { ADMIT, "|2.5.1>|2.5.1|||AL", ANSWER "\rMSA|CA|M1\r" },
    { ADMIT, "|2.5.1>|2.5.1|||NE|NE", "" },
    { ADMIT, "|2.5.1>|2.5.1|||ER|ER", "" },
    { ADMIT, "|2.5.1>|2.5.1|||NE|AL", ANSWER "|||NE|NE\rMSA|AA|M1\r" },
    { ADMIT, "|2.5.1>|2.5.1||||SU", ANSWER "|||NE|NE\rMSA|AA|M1\r" },
    { ADMIT, "|2.5.1>|2.5.1|||SU|ER\n19700228>19700230",
      ANSWER "\rMSA|CA|M1\r"
             "MSH|^~\\&|ERP|LEDGER|HIS|GENERAL|20250302080000+0000||ACK^A01^ACK|25030208000000000002|P|2.5.1|||NE|NE\rMSA|AE|M1\r"
             "ERR||PID^1^7^1^1|" BAD },
    { ADMIT, "|P|2.5.1>|X|2.5.1|||AL|AL",
      "MSH|^~\\&|ERP|LEDGER|HIS|GENERAL|20250302080000+0000||ACK^A01^ACK|25030208000000000001|X|2.5.1\rMSA|CR|M1\r"
      "ERR||MSH^1^11|202^unsupported processing id^HL70357|E|HL7_PROCESSING_ID^processing id is none of P, T, D^L\r" },
    { ADMIT, "|2.5.1>|2.5.1|||AL|AL\nDG1|1>D!1|1",
      ANSWER
      "\rMSA|CE|M1\rERR|||100^segment sequence error^HL70357|E|HL7_SEGMENT_ID^line of a message does not begin with a segment "
      "id^L\r" },
    /* older versions: ERR-1, no third component */
    { CHARGE, "|20250301||CG>|2025031||CG",
      "MSH|^~\\&|ERP|LEDGER|HIS|GENERAL|20250302080000+0000||ACK|25030208000000000001|P|2.3\rMSA|AE|M3|data type error\r"
      "ERR|FT1^1^4^102&data type error&HL70357\r" },
    { CHARGE, "|20250301||CG>|2025031||CG\nP|2.3>P|2.3.1\n99284|>|",
      "MSH|^~\\&|ERP|LEDGER|HIS|GENERAL|20250302080000+0000||ACK^P03|25030208000000000001|P|2.3.1\rMSA|AE|M3|data type error\r"
      "ERR|FT1^1^4^102&data type error&HL70357~FT1^1^7^101&required field missing&HL70357\r" },
    { OLD, "|ADT^A01|M4|>|ADT^A01||",
      "MSH|^~\\&|ERP|LEDGER|HIS|GENERAL|20250302080000+0000||ACK|25030208000000000001|P|2.1\rMSA|AE||required field missing\r"
      "ERR|MSH^1^10^101&required field missing&HL70357\r" },
    /* separators, escapes and character sets are those of the message */
    { "MSH#*+\\!#HIS*A#GEN#ERP#LED#20250301##ADT*A04#M\\T\\1*x#P#2.4######8859/1\rEVN##20250301\rPID###7##D\\F\\E*J\r"
      "PV1##I\r",
      "",
      "MSH#*+\\!#ERP#LED#HIS*A#GEN#20250302080000+0000##ACK*A04*ACK#25030208000000000001#P#2.4######8859/1\rMSA#AA#M\\T\\1*x\r" },
    { ADMIT, "|M1|>|M\x01\x1b|",
      "MSH|^~\\&|ERP|LEDGER|HIS|GENERAL|20250302080000+0000||ACK^A01^ACK|25030208000000000001|P|2.5.1\rMSA|AA|M??\r" },
    /* answers are not answered, but for what MSH-15 asks */
    { "MSH|^~\\&|A|B|C|D|20250301||ACK^A01^ACK|9|P|2.5.1\rMSA|AA|M1\r", "", "" },
    { "MSH|^~\\&|A|B|C|D|20250301||ACK^A01^ACK|9|P|2.5.1|||AL|AL\rMSA|AA|M1\r", "",
      "MSH|^~\\&|C|D|A|B|20250302080000+0000||ACK^A01^ACK|25030208000000000001|P|2.5.1\rMSA|CA|9\r" },
    /* batches */
    { "FHS|^~\\&|HIS|GEN|ERP|LED|||||F7\rBHS|^~\\&|HIS|GEN|ERP|LED|||||B7\r" ADMIT RESULT "BTS|2\rFTS|1\r",
      "DOE^JANE\rORC>DOE^JANE~\rORC",
      "FHS|^~\\&|ERP|LED|HIS|GEN|20250302080000+0000||||25030208000000000001|F7\r"
      "BHS|^~\\&|ERP|LED|HIS|GEN|20250302080000+0000||||25030208000000000002|B7\r"
      "MSH|^~\\&|ERP|LEDGER|HIS|GENERAL|20250302080000+0000||ACK^A01^ACK|25030208000000000003|P|2.5.1\rMSA|AA|M1\r"
      "MSH|^~\\&|ERP|LEDGER|LAB|GENERAL|20250302080000+0000||ACK^R01^ACK|25030208000000000004|P|2.5.1\rMSA|AA|M2\r"
      "BTS|2\rFTS|1\r" },
    { "BHS|^~\\&|HIS|GEN|ERP|LED|||||B7\rBTS|0\r", "",
      "BHS|^~\\&|ERP|LED|HIS|GEN|20250302080000+0000||||25030208000000000001|B7\rBTS|0\r" },
};

START_TEST(answers_it)
{
    char     *message = test_changed(answers[_i].message, answers[_i].changes);
    test_text out = { 0 }, answer = { 0 };
    ck_assert_int_le(test_validate(message, "2", NULL, NULL, 64, &out, &answer), SHUNT_INPUT_FAULT);
    ck_assert_str_eq(answer.bytes ? answer.bytes : "", answers[_i].answer);
    free(out.bytes), free(answer.bytes), free(message);
}
END_TEST

/* What an answer says can be read again, and is a good message itself. */
START_TEST(answers_are_messages)
{
    char     *message = test_changed(answers[_i].message, answers[_i].changes);
    test_text out = { 0 }, answer = { 0 }, again = { 0 }, none = { 0 };
    ck_assert_int_le(test_validate(message, "2", NULL, NULL, 64, &out, &answer), SHUNT_INPUT_FAULT);
    if (answer.bytes && !strstr(message, "|M4|") && !strstr(message, "||P|2.1") && !strstr(message, "|X|")) {
        shunt_result result = test_validate(answer.bytes, "5", NULL, NULL, 64, &again, &none);
        ck_assert_msg(result == SHUNT_DONE, "%s", again.bytes);
    }
    free(out.bytes), free(answer.bytes), free(message), free(again.bytes), free(none.bytes);
}
END_TEST

/* Whatever stands in a value, the answer has the segments and fields that it has without. */
START_TEST(nothing_is_added)
{
    static const char signs[] = "^~\\&|#\x01\x0b\x1c\t\"X0D0a.$";
    unsigned          seed = (unsigned)_i * 2654435761u + 1;
    char              value[24];
    for (size_t i = 0; i < sizeof value - 1; i++) {
        seed = seed * 1103515245u + 12345u;
        value[i] = signs[(seed >> 16) % (sizeof signs - 1)];
        if (value[i] == '|') value[i] = '\\'; /* that would be two fields of the message itself */
    }
    value[sizeof value - 1] = 0;
    char message[600];
    snprintf(message, sizeof message,
             "MSH|^~\\&|%s|%s|E%s|F|20250301||ADT^A0%s|%s|P|2.5.1\rEVN||20250301\rPID|1||7^^^G^MR||%s\rPV1|1|I\r", value, value,
             value, value, value, value);
    test_text out = { 0 }, answer = { 0 };
    ck_assert_int_le(test_validate(message, "5", NULL, NULL, 7, &out, &answer), SHUNT_INPUT_FAULT);
    size_t fields = 0, segments = 0;
    bool   header = true;
    for (const char *at = answer.bytes; at && *at; at++) {
        segments += *at == '\r';
        fields += header && *at == '|';
        header = header && *at != '\r';
        if (*at == '\r' && at[1]) ck_assert_msg(!strncmp(at + 1, "MSA|", 4) || !strncmp(at + 1, "ERR|", 4), "%s", at + 1);
        ck_assert(*at == '\r' || (unsigned char)*at >= ' ');
    }
    ck_assert_uint_eq(fields, 11);
    ck_assert_uint_ge(segments, 2);
    free(out.bytes), free(answer.bytes);
}
END_TEST

/* Each n-th allocation fails: the result says so, nothing is lost or left. */
START_TEST(survives_lack_of_memory)
{
    char *message = test_changed(ADMIT RESULT, "19700228>19700230");
    test_validate_without_memory(message, "5", 1);
    free(message);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("validate_hl7");
    TCase *tests = tcase_create("validate_hl7");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, finds, 0, (int)(sizeof cases / sizeof *cases));
    tcase_add_loop_test(tests, answers_it, 0, (int)(sizeof answers / sizeof *answers));
    tcase_add_loop_test(tests, answers_are_messages, 0, (int)(sizeof answers / sizeof *answers));
    tcase_add_loop_test(tests, nothing_is_added, 0, 200);
    tcase_add_test(tests, survives_lack_of_memory);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
