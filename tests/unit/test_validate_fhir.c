/* Validation of FHIR and OperationOutcome: a good resource, changed in one place, in JSON and XML; what must be said of it. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "standards/fhir/forms.h"
#include "tests/support/findings.h"

#define PATIENT                                                                                                                  \
    "{\"resourceType\":\"Patient\",\"id\":\"p1\",\"active\":true,\"name\":[{\"use\":\"official\",\"family\":\"Doe\",\"given\":"  \
    "[\"Jane\"]}],\"gender\":\"female\",\"birthDate\":\"1970-02-28\",\"deceasedBoolean\":false,\"link\":[{\"other\":{"           \
    "\"reference\":\"Patient/p2\"},\"type\":\"seealso\"}]}"
#define PATIENT_XML                                                                                                              \
    "<Patient xmlns=\"http://hl7.org/fhir\"><id value=\"p1\"/><text><status value=\"generated\"/><div "                          \
    "xmlns=\"http://www.w3.org/1999/xhtml\">x</div></text><active value=\"true\"/><name><family value=\"Doe\"/><given "          \
    "value=\"Jane\"/><given value=\"Ann\"/></name><gender value=\"female\"/><birthDate value=\"1970-02-28\"/></Patient>"
#define INVOICES                                                                                                                 \
    "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{\"fullUrl\":\"urn:uuid:0c3151bd-1cbf-4d64-b04d-"           \
    "cd9187a4c6e0\",\"resource\":{\"resourceType\":\"Invoice\",\"status\":\"issued\",\"totalNet\":{\"value\":12.50,"             \
    "\"currency\":\"USD\"}}},{\"resource\":{\"contained\":[{\"id\":\"o\",\"resourceType\":\"Organization\",\"name\":\"N\"}],"    \
    "\"issuer\":{\"reference\":\"#o\"},\"status\":\"draft\",\"resourceType\":\"Invoice\"}}]}"

static const struct {
    const char *message, *changes, *levels, *found;
} cases[] = {
    { PATIENT, "", "5", "" },
    { PATIENT_XML, "", "5", "" },
    { INVOICES, "", "5", "" },
    /* types and elements */
    { PATIENT, "\"Patient\",\"id\">\"Patent\",\"id\"", "2", "FHIR_UNKNOWN_TYPE  not-supported" },
    { PATIENT, "active>activ", "2", "FHIR_UNKNOWN_ELEMENT Patient structure" },
    { PATIENT, "active>activ", "1", "" },
    { PATIENT, "\"family\">\"_use\":{\"id\":\"x\"},\"family\"", "5", "" },
    { PATIENT, "\"family\">\"_period\":{\"id\":\"x\"},\"family\"", "2", "FHIR_UNKNOWN_ELEMENT Patient.name[0] structure" },
    { PATIENT_XML, "active value=\"true\">activ value=\"true\"", "2", "FHIR_UNKNOWN_ELEMENT Patient structure" },
    { PATIENT_XML, "<gender>x<gender color=\"red\"", "2", NULL },
    { INVOICES, "\"Organization\",>\"Organisation\",", "2",
      "FHIR_UNKNOWN_TYPE Bundle.entry[1].resource.contained[0] not-supported; FHIR_LOCAL_REF "
      "Bundle.entry[1].resource.issuer.reference not-found" },
    { INVOICES, "\"resourceType\":\"Organization\",>", "2",
      "FHIR_NO_TYPE Bundle.entry[1].resource.contained[0] structure; FHIR_LOCAL_REF "
      "Bundle.entry[1].resource.issuer.reference not-found" },
    { "{\"id\":\"x\"}", "", "2", "FHIR_NO_TYPE  structure" },
    /* cardinality */
    { PATIENT, ",\"type\":\"seealso\">", "2", "FHIR_REQUIRED Patient.link[0] required" },
    { PATIENT, ",\"type\":\"seealso\">,\"_type\":{\"extension\":[{\"url\":\"u\",\"valueCode\":\"x\"}]}", "2", "" },
    { INVOICES, "\"status\":\"issued\",>", "2", "FHIR_REQUIRED Bundle.entry[0].resource required" },
    { PATIENT_XML, "gender value=\"female\"/>gender value=\"female\"/><gender value=\"male\"/", "2",
      "FHIR_TOO_MANY Patient.gender structure" },
    { PATIENT_XML, "family value=\"Doe\">given value=\"Zoe\"\ngiven value=\"Jane\">family value=\"Doe\"", "2",
      "FHIR_SEQUENCE Patient.name[0].family structure" },
    { PATIENT, "\"deceasedBoolean\":false>\"deceasedBoolean\":false,\"deceasedDateTime\":\"2020\"", "2",
      "FHIR_CHOICE Patient.deceased structure" },
    { PATIENT, "\"active\":true>\"active\":[true]", "1", "FHIR_LIST Patient.active structure" },
    { PATIENT, "[\"Jane\"]>\"Jane\"", "1", "FHIR_LIST Patient.name[0].given[0] structure" },
    { PATIENT, "[{\"use\">{\"use\"\n\"Jane\"]}]>\"Jane\"]}", "1", "FHIR_LIST Patient.name[0] structure" },
    /* values */
    { PATIENT, "\"active\":true>\"active\":\"true\"", "1", "FHIR_KIND Patient.active structure" },
    { PATIENT, "\"active\":true>\"active\":{}", "1", "FHIR_KIND Patient.active structure" },
    { PATIENT, "{\"reference\":\"Patient/p2\"}>\"Patient/p2\"", "1", "FHIR_KIND Patient.link[0].other structure" },
    { INVOICES, "12.50>\"12.50\"", "1", "FHIR_KIND Bundle.entry[0].resource.totalNet.value structure" },
    { PATIENT, "1970-02-28>1970-02-29", "1", "FHIR_FORM Patient.birthDate value" },
    { PATIENT, "1970-02-28>1970-02", "1", "" },
    { PATIENT, "\"p1\">\"p 1\"", "1", "FHIR_FORM Patient.id value" },
    { PATIENT_XML, "value=\"true\">value=\"yes\"", "1", "FHIR_FORM Patient.active value" },
    { PATIENT, "\"family\":\"Doe\">\"family\":\"\"", "1", "FHIR_NO_CONTENT Patient.name[0].family value" },
    { PATIENT, "[\"Jane\"]>[]", "1", "FHIR_NO_CONTENT Patient.name[0].given[0] value" },
    { PATIENT, "{\"reference\":\"Patient/p2\"}>{}", "1", "FHIR_NO_CONTENT Patient.link[0].other value" },
    { PATIENT_XML, "gender value=\"female\"/>gender/", "1", "FHIR_NO_CONTENT Patient.gender value" },
    { PATIENT, "true,>null,", "1", "FHIR_NULL_VALUE Patient.active structure" },
    { PATIENT, "[\"Jane\"]>[\"Jane\",null],\"_given\":[null,{\"id\":\"g\"}]", "1", "" },
    { PATIENT, "\"active\":true>\"active\":true,\"active\":true", "1", "FHIR_KEY_TWICE  structure" },
    { PATIENT, "true,>true", "1", "FHIR_JSON  structure" },
    /* codes */
    { PATIENT, "\"female\">\"f\"", "5", "FHIR_CODE Patient.gender code-invalid" },
    { PATIENT, "\"female\">\"f\"", "2", "" },
    /* references, extensions */
    { PATIENT, "Patient/p2>p2", "2", "FHIR_REFERENCE Patient.link[0].other.reference value" },
    { PATIENT, "Patient/p2>Claim/p2", "2", "FHIR_REF_TYPE Patient.link[0].other.reference value" },
    { PATIENT, "Patient/p2>#p2", "2", "FHIR_LOCAL_REF Patient.link[0].other.reference not-found" },
    { INVOICES, "\"#o\">\"#p\"", "2", "FHIR_LOCAL_REF Bundle.entry[1].resource.issuer.reference not-found" },
    { INVOICES, "\"name\":\"N\">\"contained\":[{\"resourceType\":\"Basic\",\"code\":{\"text\":\"x\"}}]", "2",
      "FHIR_CONTAINED Bundle.entry[1].resource.contained[0].contained[0] invariant" },
    { PATIENT, "\"active\":true>\"extension\":[{\"url\":\"u\"}]", "2", "FHIR_EXTENSION Patient.extension[0] invariant" },
    { PATIENT, "\"active\":true>\"extension\":[{\"valueString\":\"u\"}]", "2", "FHIR_REQUIRED Patient.extension[0] required" },
    /* one resource a line */
    { PATIENT "\n" PATIENT "\n", "\"female\">\"f\"", "5", "FHIR_CODE Patient.gender code-invalid" },
};

START_TEST(finds)
{
    char       *message = cases[_i].found ? test_changed(cases[_i].message, cases[_i].changes)
                                          : test_changed(cases[_i].message, "<gender ><gender color=\"red\" ");
    const char *wanted = cases[_i].found ? cases[_i].found : "FHIR_ATTRIBUTE  structure";
    for (size_t step = 1; step <= 4096; step += 4095) {
        test_text    out = { 0 }, answer = { 0 };
        shunt_result result = test_validate(message, cases[_i].levels, NULL, NULL, step, &out, &answer);
        ck_assert_int_le(result, SHUNT_INPUT_FAULT);
        char *found = test_findings(out.bytes);
        ck_assert_msg(!strcmp(found, wanted), "%s: found `%s`, not `%s`", cases[_i].changes, found, wanted);
        free(found), free(out.bytes), free(answer.bytes);
    }
    free(message);
}
END_TEST

#define FINE "{\"severity\":\"information\",\"code\":\"informational\",\"details\":{\"text\":\"nothing was found\"}}"
#define GOOD "{\"resourceType\":\"OperationOutcome\",\"issue\":[" FINE "]}\n"
static const struct {
    const char *message, *changes, *answer;
} answers[] = {
    { PATIENT, "", GOOD },
    { PATIENT "\n" PATIENT "\n", "\"female\">\"f\"",
      "{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":\"error\",\"code\":\"code-invalid\",\"details\":{\"text\":"
      "\"FHIR_CODE: a code is not in the list of a required binding\"},\"diagnostics\":\"byte 120\",\"expression\":["
      "\"Patient.gender\"]}]}\n" GOOD },
    { PATIENT, "true,>true",
      "{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":\"fatal\",\"code\":\"structure\",\"details\":{\"text\":"
      "\"FHIR_JSON: the text is not well-formed JSON\"},\"diagnostics\":\"parse error: after key and value, inside map, I expect "
      "',' or '}', "
      "byte 51\"}]}\n" },
    { PATIENT_XML, "value=\"true\">value=\"yes\"",
      "<OperationOutcome xmlns=\"http://hl7.org/fhir\"><issue><severity value=\"error\"/><code value=\"value\"/><details><text "
      "value=\"FHIR_FORM: a value has not the form of its data type\"/></details><diagnostics value=\"data type boolean, byte "
      "157\"/><expression value=\"Patient.active\"/></issue></OperationOutcome>\n" },
    { PATIENT_XML, "",
      "<OperationOutcome xmlns=\"http://hl7.org/fhir\"><issue><severity value=\"information\"/><code value=\"informational\"/>"
      "<details><text value=\"nothing was found\"/></details></issue></OperationOutcome>\n" },
};

START_TEST(answers_it)
{
    char     *message = test_changed(answers[_i].message, answers[_i].changes);
    test_text out = { 0 }, answer = { 0 }, again = { 0 }, none = { 0 };
    ck_assert_int_le(test_validate(message, "5", NULL, NULL, 64, &out, &answer), SHUNT_INPUT_FAULT);
    ck_assert_str_eq(answer.bytes ? answer.bytes : "", answers[_i].answer);
    shunt_result result = test_validate(answer.bytes, "5", NULL, NULL, 64, &again, &none); /* it is a good resource itself */
    ck_assert_msg(result == SHUNT_DONE, "%s", again.bytes);
    free(out.bytes), free(answer.bytes), free(message), free(again.bytes), free(none.bytes);
}
END_TEST

static const struct {
    const char *type, *value;
    bool        fits;
} forms[] = {
    { "boolean", "true", true },
    { "boolean", "TRUE", false },
    { "integer", "-1", true },
    { "integer", "+1", false },
    { "integer", "01", false },
    { "integer", "2147483648", false },
    { "integer", "-2147483648", true },
    { "positiveInt", "0", false },
    { "unsignedInt", "0", true },
    { "unsignedInt", "-1", false },
    { "integer64", "9223372036854775807", true },
    { "integer64", "9223372036854775808", false },
    { "decimal", "0.010", true },
    { "decimal", "1.5E-3", true },
    { "decimal", ".5", false },
    { "decimal", "1.", false },
    { "date", "2025", true },
    { "date", "2025-13", false },
    { "date", "2024-02-29", true },
    { "date", "2025-02-29", false },
    { "dateTime", "2025-01-01T10:00:00Z", true },
    { "dateTime", "2025-01-01T10:00:00", false },
    { "dateTime", "2025-01-01T24:00:00Z", false },
    { "dateTime", "2025-01-01T10:00Z", false },
    { "instant", "2025-01-01", false },
    { "instant", "2025-01-01T10:00:00.123+14:00", true },
    { "time", "10:00:00", true },
    { "time", "10:00", false },
    { "code", "a b", true },
    { "code", " a", false },
    { "code", "a  b", false },
    { "id", "a.b-1", true },
    { "id", "", false },
    { "id", "a_b", false },
    { "oid", "urn:oid:1.2.3", true },
    { "oid", "urn:oid:3.1", false },
    { "uuid", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", true },
    { "uuid", "urn:uuid:C757873D-ec9a-4326-a141-556f43239520", false },
    { "uri", "http://a/b", true },
    { "uri", "http://a b", false },
    { "uri", "urn:oid:x", false },
    { "base64Binary", "QUJD", true },
    { "base64Binary", "QUI=", true },
    { "base64Binary", "QUI", false },
    { "string", "x\ty", true },
    { "string", "x\x01", false },
    { "xhtml", "<div>x</div>", true },
    { "xhtml", "x", false },
};

START_TEST(knows_forms)
{
    bool fits = shunt_fhir_form_fits(shunt_fhir_form_of(forms[_i].type), shunt_text_of(forms[_i].value));
    ck_assert_msg(fits == forms[_i].fits, "%s `%s`", forms[_i].type, forms[_i].value);
}
END_TEST

/* Each n-th allocation fails: the result says so, nothing is lost or left. */
START_TEST(survives_lack_of_memory)
{
    static const char *const messages[] = { INVOICES, PATIENT_XML };
    char                    *message = test_changed(messages[_i], _i ? "female>f" : "\"#o\">\"#p\"");
    test_validate_without_memory(message, "5", 1);
    free(message);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("validate_fhir");
    TCase *tests = tcase_create("validate_fhir");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, finds, 0, (int)(sizeof cases / sizeof *cases));
    tcase_add_loop_test(tests, answers_it, 0, (int)(sizeof answers / sizeof *answers));
    tcase_add_loop_test(tests, knows_forms, 0, (int)(sizeof forms / sizeof *forms));
    tcase_add_loop_test(tests, survives_lack_of_memory, 0, 2);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
