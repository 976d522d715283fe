#include <check.h>
#include <stdlib.h>

#include "standards/registry.h"
#include "tests/support/test_memory.h"

enum {
    X12 = 1u << SHUNT_STANDARD_X12,
    HL7 = 1u << SHUNT_STANDARD_HL7,
    FHIR = 1u << SHUNT_STANDARD_FHIR,
    CSV = 1u << SHUNT_STANDARD_CSV,
    FIXED = 1u << SHUNT_STANDARD_FIXED,
    SEGMENTS = X12 | HL7 | FHIR,
    NONE = -1
};

static const struct {
    const char *input;
    unsigned    among;
    int         standard;
} inputs[] = {
    { "ISA*00*", SEGMENTS, SHUNT_STANDARD_X12 },
    { "ISA*00*", SEGMENTS | CSV, SHUNT_STANDARD_X12 },
    { "ISA*00*", HL7 | FHIR, SHUNT_STANDARD_X12 }, /* found, whoever may read it */
    { "\xef\xbb\xbfISA*", SEGMENTS, SHUNT_STANDARD_X12 },
    { "\r\n \tISA|", SEGMENTS | CSV, SHUNT_STANDARD_X12 },
    { "From: someone\r\n\r\nISA*00*", SEGMENTS, SHUNT_STANDARD_X12 },
    { "VISA*, ISAAC, ISA_1, ISA*", SEGMENTS, SHUNT_STANDARD_X12 },
    { "MSH|^~\\&|", SEGMENTS, SHUNT_STANDARD_HL7 },
    { "MSH$%&!", SEGMENTS | CSV, SHUNT_STANDARD_HL7 },
    { "\x0bMSH|^~\\&|", SEGMENTS, SHUNT_STANDARD_HL7 },
    { "\x0b", SEGMENTS | CSV, SHUNT_STANDARD_HL7 },
    { "FHS|^~\\&|", SEGMENTS, SHUNT_STANDARD_HL7 },
    { "BHS|^~\\&|", SEGMENTS, SHUNT_STANDARD_HL7 },
    { "2025-03-01 12:00 received: MSH|^~", SEGMENTS, SHUNT_STANDARD_HL7 },
    { "\xef\xbb\xbf\n\nMSH|", SEGMENTS, SHUNT_STANDARD_HL7 },
    { "MSHA|", SEGMENTS, NONE },
    { "MSH\r", SEGMENTS, NONE },
    { "{\"resourceType\"", SEGMENTS, SHUNT_STANDARD_FHIR },
    { " \n{", SEGMENTS | CSV, SHUNT_STANDARD_FHIR },
    { "[1]", SEGMENTS, SHUNT_STANDARD_FHIR },
    { "\xef\xbb\xbf<Bundle xmlns=", SEGMENTS, SHUNT_STANDARD_FHIR },
    { "paid,amount\n2025-03-01,10.00\n", SEGMENTS | CSV, SHUNT_STANDARD_CSV },
    { "paid,amount\n2025-03-01,10.00\nISA*", SEGMENTS | CSV, SHUNT_STANDARD_CSV },
    { "101 091000019", SEGMENTS | FIXED, SHUNT_STANDARD_FIXED },
    { "5", CSV | HL7, SHUNT_STANDARD_CSV },
    { "paid,amount\n2025-03-01,10.00\n", SEGMENTS, NONE },
    { "ISA", SEGMENTS, NONE },
    { "", SEGMENTS | CSV, NONE },
    { " \r\n", SEGMENTS | CSV, NONE },
    { "\xef\xbb", SEGMENTS, NONE },
    { "\xef\xbb", SEGMENTS | CSV, SHUNT_STANDARD_CSV },
};

static int sniff(const char *input, size_t size, bool last, unsigned among)
{
    shunt_standard standard = SHUNT_STANDARD_COUNT;
    uint8_t       *exact = malloc(size ? size : 1);
    ck_assert_ptr_nonnull(exact);
    memcpy(exact, input, size);
    shunt_sniffed sniffed = shunt_standard_sniff(exact, size, last, among, &standard);
    free(exact);
    return sniffed == SHUNT_SNIFFED ? (int)standard : sniffed == SHUNT_SNIFFED_MORE ? -2 : NONE;
}

START_TEST(tells_standards)
{
    size_t size = strlen(inputs[_i].input);
    ck_assert_msg(sniff(inputs[_i].input, size, true, inputs[_i].among) == inputs[_i].standard, "%s", inputs[_i].input);
}
END_TEST

/* Byte by byte: asks for more until it says what it says of the whole. */
START_TEST(waits_for_what_it_needs)
{
    size_t size = strlen(inputs[_i].input);
    for (size_t cut = 0; cut <= size; cut++) {
        int said = sniff(inputs[_i].input, cut, false, inputs[_i].among);
        if (said != -2) {
            ck_assert_msg(said == inputs[_i].standard, "%s at %zu: %d", inputs[_i].input, cut, said);
            return;
        }
    }
    ck_assert_int_eq(sniff(inputs[_i].input, size, true, inputs[_i].among), inputs[_i].standard);
}
END_TEST

START_TEST(does_not_wait_for_ever)
{
    char text[SHUNT_SNIFF_BYTES];
    memset(text, ' ', sizeof text);
    ck_assert_int_eq(sniff(text, sizeof text - 1, false, SEGMENTS), -2);
    ck_assert_int_eq(sniff(text, sizeof text, false, SEGMENTS), NONE);
    memset(text, 'x', sizeof text);
    ck_assert_int_eq(sniff(text, sizeof text - 1, false, SEGMENTS), -2);
    ck_assert_int_eq(sniff(text, sizeof text, false, SEGMENTS), NONE);
}
END_TEST

START_TEST(refuses_once)
{
    struct test_memory memory;
    test_memory_init(&memory, 0);
    shunt_reader *reader = shunt_reader_refusing(&memory.memory, SHUNT_TEXT("why"));
    shunt_event   event;
    ck_assert_ptr_nonnull(reader);
    reader->ops->feed(reader, (const uint8_t *)"abc", 3, false);
    ck_assert_int_eq(reader->ops->next(reader, &event), SHUNT_STEP_FAULT);
    ck_assert_int_eq(event.code, SHUNT_INPUT_STANDARD);
    ck_assert_int_eq(event.place.byte, 0);
    ck_assert(shunt_text_is(event.detail, "why"));
    ck_assert_int_eq(reader->ops->next(reader, &event), SHUNT_STEP_NEED_INPUT);
    reader->ops->feed(reader, (const uint8_t *)"def", 3, false);
    ck_assert_int_eq(reader->ops->next(reader, &event), SHUNT_STEP_NEED_INPUT);
    reader->ops->feed(reader, (const uint8_t *)"", 0, true);
    ck_assert_int_eq(reader->ops->next(reader, &event), SHUNT_STEP_END);
    reader->ops->free(reader);
    ck_assert_uint_eq(memory.blocks, 0);
    test_memory_init(&memory, 1);
    ck_assert_ptr_null(shunt_reader_refusing(&memory.memory, SHUNT_TEXT("why")));
}
END_TEST

START_TEST(knows_names)
{
    shunt_standard standard;
    ck_assert(shunt_reader_known(SHUNT_TEXT("X12"), &standard) && standard == SHUNT_STANDARD_X12);
    ck_assert(!shunt_reader_known(SHUNT_TEXT("x12"), &standard) && !shunt_reader_known(SHUNT_TEXT(""), &standard));
    for (int i = 0; i < SHUNT_STANDARD_COUNT; i++) ck_assert_ptr_nonnull(shunt_standard_name((shunt_standard)i));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("registry");
    TCase *tc = tcase_create("registry");
    tcase_add_loop_test(tc, tells_standards, 0, SHUNT_COUNT(inputs));
    tcase_add_loop_test(tc, waits_for_what_it_needs, 0, SHUNT_COUNT(inputs));
    tcase_add_test(tc, does_not_wait_for_ever);
    tcase_add_test(tc, refuses_once);
    tcase_add_test(tc, knows_names);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
