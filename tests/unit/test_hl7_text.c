/* Separators of headers, escape sequences, character sets. */
#include <check.h>
#include <stdlib.h>

#include "standards/hl7/delims.h"
#include "standards/hl7/text.h"

static const struct {
    const char *header, *roles; /* component, repetition, escape, subcomponent, truncation; "" = the header can not be read */
    bool        broken;
} headers[] = {
    { "MSH|^~\\&|A", "|^~\\&", false },
    { "MSH|^~\\&#|A", "|^~\\&#", false },
    { "MSH|^~\\&", "|^~\\&", false },
    { "MSH*:@!>*A", "*:@!>", false },
    { "MSH#@!?%#A", "#@!?%", false },
    { "MSH|@~&#\\|", "|@~&#\\", false },
    { "MSH|^~&|A", "|^~\\&", true },
    { "MSH|^&~\\|A", "|^&~\\", false },
    { "MSH|^&~|A", "|^~\\&", true },
    { "MSH|^~\\\\&|A", "|^~\\&", true },
    { "MSH|^~\\$|A", "|^~\\$", false },
    { "MSH|~\\&|A", "|^~\\&", true },
    { "MSH|^~|A", "|^~\\&", true },
    { "MSH||A", "|^~\\&", true },
    { "MSH|", "|^~\\&", true },
    { "MSH^^~\\&^A", "^", true }, /* nothing stands between the field separators: the usual component is taken */
    { "MSH|^~\\&ABC|A", "|^~\\&", true },
    { "MSH|ABCD|", "|^~\\&", true },
    { "MSH|^~^&|", "|^~\\&", true },
    { "MSH", "", false },
    { "MSHA^~\\&A", "", false },
    { "MSH ^~\\& A", "", false },
    { "MSH\x01^~\\&", "", false },
    { "MSH\xc3\xa4^~", "", false },
};

START_TEST(reads_separators)
{
    shunt_delims d = { 0 };
    bool         broken = false;
    const char  *header = headers[_i].header, *roles = headers[_i].roles;
    bool         read = shunt_hl7_delims_read((const uint8_t *)header, strlen(header), &d, &broken);
    ck_assert_msg(read == (*roles != 0), "%s", header);
    if (!read) return;
    ck_assert_msg(broken == headers[_i].broken, "%s", header);
    const uint8_t got[] = { d.element, d.component, d.repetition, d.escape, d.subcomponent, d.truncation };
    if (strlen(roles) == 1) {
        ck_assert_int_eq(got[0], roles[0]);
        ck_assert_int_eq(got[1], 0); /* nothing is used twice */
        return;
    }
    for (size_t i = 0; i < strlen(roles); i++) ck_assert_msg(got[i] == (uint8_t)roles[i], "%s: %zu is %c", header, i, got[i]);
    ck_assert_msg(strlen(roles) == 6 || got[5] == 0, "%s: truncation %c", header, got[5]);
}
END_TEST

static const shunt_delims usual = { .element = '|', .component = '^', .repetition = '~', .escape = '\\', .subcomponent = '&' };

static const struct {
    const char *raw, *value, *separators; /* field, component, repetition, escape, subcomponent; NULL: the usual ones */
    const char *set;
    int         decoded;
} values[] = {
    { "plain", "plain", NULL, "", HL7_DECODED },
    { "a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f", "a|b^c&d~e\\f", NULL, "", HL7_DECODED },
    { "\\P\\", "#", NULL, "", HL7_DECODED },
    { "a\\F\\b\\S\\", "a*b$", "*$%\\@", "", HL7_DECODED },
    { "Escape this #F# please", "Escape this ^ please", "^!@#$", "", HL7_DECODED },
    { "\\E\\F\\E\\", "\\F\\", NULL, "", HL7_DECODED }, /* what a sequence gives begins no other one */
    { "\\X41\\", "A", NULL, "", HL7_DECODED },
    { "\\X414243\\\\X0a\\", "ABC\n", NULL, "", HL7_DECODED },
    { "\\X4\\", "\\X4\\", NULL, "", HL7_DECODED },
    { "\\X\\", "\\X\\", NULL, "", HL7_DECODED },
    { "\\XGG\\", "\\XGG\\", NULL, "", HL7_DECODED },
    { "one\\.br\\two", "one\ntwo", NULL, "", HL7_DECODED },
    { "\\.sp3\\", "\\.sp3\\", NULL, "", HL7_DECODED },
    { "\\H\\high\\N\\", "\\H\\high\\N\\", NULL, "", HL7_DECODED },
    { "\\Z1234\\", "\\Z1234\\", NULL, "", HL7_DECODED },
    { "\\C2842\\\\M824041\\", "\\C2842\\\\M824041\\", NULL, "", HL7_DECODED },
    { "a\\b", "a\\b", NULL, "", HL7_DECODED },
    { "a\\", "a\\", NULL, "", HL7_DECODED },
    { "\\\\", "\\\\", NULL, "", HL7_DECODED },
    { "\\ABC\\Value\\T\\", "\\ABC\\Value&", NULL, "", HL7_DECODED },
    { "\xc3\xa4", "\xc3\xa4", NULL, "", HL7_DECODED },
    { "\xe4", "\xc3\xa4", NULL, "", HL7_DECODED_ASSUMED },
    { "\xe4\\S\\", "\xc3\xa4^", NULL, "", HL7_DECODED_ASSUMED },
    { "\\Xe4\\", "\xc3\xa4", NULL, "", HL7_DECODED_ASSUMED },
    { "\\XC3A4\\", "\xc3\xa4", NULL, "UNICODE UTF-8", HL7_DECODED },
    { "\xe4", NULL, NULL, "UNICODE UTF-8", HL7_DECODED_BAD },
    { "\xc3\xa4", "\xc3\xa4", NULL, "ASCII", HL7_DECODED_ASSUMED },
    { "\xe4", "\xc3\xa4", NULL, "ASCII", HL7_DECODED_ASSUMED },
    { "\xa4", "\xc2\xa4", NULL, "8859/1", HL7_DECODED },
    { "\xa4", "\xe2\x82\xac", NULL, "8859/15", HL7_DECODED },
    { "\xb1", "\xc4\x85", NULL, "8859/2", HL7_DECODED },
    { "\xdf\xe1", "\xd0\xbf\xd1\x81", NULL, "8859/5", HL7_DECODED },
    { "\xc1", "\xce\x91", NULL, "8859/7", HL7_DECODED },
    { "\xe0", "\xd7\x90", NULL, "8859/8", HL7_DECODED },
    { "\xfd", "\xc4\xb1", NULL, "8859/9", HL7_DECODED },
    { "\x85", "\xc2\x85", NULL, "8859/2", HL7_DECODED },
    { "\xa5", NULL, NULL, "8859/3", HL7_DECODED_BAD },
    { "\xa1", NULL, NULL, "8859/6", HL7_DECODED_BAD },
};

START_TEST(decodes_values)
{
    shunt_buffer buffer;
    shunt_text   value = { 0 };
    shunt_delims d = usual;
    const char  *s = values[_i].separators;
    if (s)
        d = (shunt_delims){ .element = (uint8_t)s[0],
                            .component = (uint8_t)s[1],
                            .repetition = (uint8_t)s[2],
                            .escape = (uint8_t)s[3],
                            .subcomponent = (uint8_t)s[4] };
    shunt_buffer_init(&buffer, &shunt_memory_libc);
    shunt_hl7_decoded decoded = shunt_hl7_decode((const uint8_t *)values[_i].raw, (uint32_t)strlen(values[_i].raw), &d,
                                                 shunt_hl7_charset_find(shunt_text_of(values[_i].set)), &buffer, &value);
    ck_assert_msg((int)decoded == values[_i].decoded, "%s", values[_i].raw);
    if (values[_i].value)
        ck_assert_msg(shunt_text_is(value, values[_i].value), "%s: %.*s", values[_i].raw, SHUNT_TEXT_ARGS(value));
    shunt_buffer_done(&buffer);
}
END_TEST

static const struct {
    const char *name;
    int         set, part;
    bool        loose;
} sets[] = {
    { "", HL7_SET_NONE, 0, false },
    { "\"\"", HL7_SET_NONE, 0, false },
    { "ASCII", HL7_SET_ASCII, 0, false },
    { "8859/1", HL7_SET_LATIN, 1, false },
    { "8859/9", HL7_SET_LATIN, 9, false },
    { "8859/15", HL7_SET_LATIN, 15, false },
    { "UNICODE", HL7_SET_UTF8, 0, false },
    { "UNICODE UTF-8", HL7_SET_UTF8, 0, false },
    { "UTF-8", HL7_SET_UTF8, 0, true },
    { "utf-8", HL7_SET_UTF8, 0, true },
    { "unicode utf-8", HL7_SET_UTF8, 0, true },
    { "8859/10", HL7_SET_REFUSED, 0, false },
    { "UNICODE UTF-16", HL7_SET_REFUSED, 0, false },
    { "BIG-5", HL7_SET_REFUSED, 0, false },
    { "random", HL7_SET_REFUSED, 0, false },
};

START_TEST(knows_sets)
{
    shunt_hl7_charset found = shunt_hl7_charset_find(shunt_text_of(sets[_i].name));
    ck_assert_int_eq(found.set, sets[_i].set);
    ck_assert_int_eq(found.part, sets[_i].part);
    ck_assert_int_eq(found.loose, sets[_i].loose);
}
END_TEST

/* Time grows with the length alone, whatever the sequences look like. */
START_TEST(many_escapes_are_read_once)
{
    static const char *const patterns[] = { "\\", "\\F\\", "\\\\F", "\\X", "\\H", "\\ab" };
    for (size_t p = 0; p < sizeof patterns / sizeof *patterns; p++) {
        enum { SIZE = 3000000 };
        shunt_buffer buffer;
        shunt_text   value;
        char        *raw = malloc(SIZE);
        ck_assert_ptr_nonnull(raw);
        for (size_t i = 0; i < SIZE; i++) raw[i] = patterns[p][i % strlen(patterns[p])];
        shunt_buffer_init(&buffer, &shunt_memory_libc);
        ck_assert_int_eq(shunt_hl7_decode((const uint8_t *)raw, SIZE, &usual, (shunt_hl7_charset){ 0 }, &buffer, &value),
                         HL7_DECODED);
        ck_assert_uint_gt(value.length, 0);
        shunt_buffer_done(&buffer);
        free(raw);
    }
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof *(array))

int main(void)
{
    Suite *suite = suite_create("hl7_text");
    TCase *tc = tcase_create("text");
    tcase_add_loop_test(tc, reads_separators, 0, COUNT(headers));
    tcase_add_loop_test(tc, decodes_values, 0, COUNT(values));
    tcase_add_loop_test(tc, knows_sets, 0, COUNT(sets));
    tcase_add_test(tc, many_escapes_are_read_once);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
