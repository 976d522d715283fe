#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/text.h"
#include "tests/support/test_memory.h"

#define T(literal) SHUNT_TEXT(literal)

START_TEST(compares)
{
    static const char *const rising[] = { "", "a", "ab", "abc", "b", "\x7f", "\x80", "\xff" };
    for (size_t i = 0; i < SHUNT_COUNT(rising); i++)
        for (size_t k = 0; k < SHUNT_COUNT(rising); k++) {
            shunt_text a = shunt_text_of(rising[i]), b = shunt_text_of(rising[k]);
            int        order = shunt_text_compare(a, b);
            ck_assert_int_eq((order > 0) - (order < 0), (i > k) - (i < k));
            ck_assert_int_eq(shunt_text_equal(a, b), i == k);
            ck_assert_int_eq(shunt_text_hash(a) == shunt_text_hash(b), i == k);
        }
    ck_assert(shunt_text_equal((shunt_text){ NULL, 0 }, T("")));
    ck_assert(shunt_text_starts(T("abc"), T("ab")) && shunt_text_starts(T("abc"), (shunt_text){ NULL, 0 }));
    ck_assert(!shunt_text_starts(T("abc"), T("b")) && !shunt_text_starts(T("ab"), T("abc")));
}
END_TEST

START_TEST(copies_and_formats)
{
    shunt_arena *arena = shunt_arena_new(&shunt_memory_libc, 0);
    shunt_text   copy = shunt_text_copy(arena, T("abc"));
    ck_assert(shunt_text_is(copy, "abc"));
    copy = shunt_text_copy(arena, (shunt_text){ NULL, 0 });
    ck_assert(copy.bytes && copy.length == 0);
    ck_assert_str_eq(shunt_text_z(arena, T("xyz")), "xyz");
    ck_assert_str_eq(shunt_text_z(arena, (shunt_text){ NULL, 0 }), "");
    ck_assert(shunt_text_is(shunt_text_format(arena, "%d-%.*s", 7, SHUNT_TEXT_ARGS(T("q"))), "7-q"));
    for (int width = 250; width < 262; width++) {
        shunt_text wide = shunt_text_format(arena, "%*d", width, 5);
        ck_assert_uint_eq(wide.length, (unsigned)width);
        ck_assert_int_eq(wide.bytes[width - 1], '5');
    }
    shunt_arena_set_limit(arena, 1);
    ck_assert_ptr_null(shunt_text_copy(arena, T("abc")).bytes);
    ck_assert_ptr_null(shunt_text_format(arena, "abc").bytes);
    ck_assert_ptr_null(shunt_text_z(arena, T("abc")));
    shunt_arena_free(arena);
}
END_TEST

static const struct {
    const char *text;
    size_t      bad; /* offset of the first bad byte, or the length */
    unsigned    characters;
} utf8[] = {
    { "", 0, 0 },
    { "plain ascii text, longer than a word", 36, 36 },
    { "\xc3\xa4", 2, 1 },
    { "\xe2\x82\xac", 3, 1 },
    { "\xf0\x9f\x98\x80", 4, 1 },
    { "\xf4\x8f\xbf\xbf", 4, 1 },
    { "\xed\x9f\xbf\xee\x80\x80", 6, 2 },
    { "12345678\xc3\xa4"
      "12345678",
      18, 17 },
    { "\x80", 0, 0 },
    { "a\xc0\x80", 1, 0 }, /* overlong */
    { "\xc1\xbf", 0, 0 },
    { "\xe0\x9f\xbf", 0, 0 },
    { "\xf0\x8f\xbf\xbf", 0, 0 },
    { "\xed\xa0\x80", 0, 0 },     /* surrogate */
    { "\xf4\x90\x80\x80", 0, 0 }, /* beyond U+10FFFF */
    { "\xf5\x80\x80\x80", 0, 0 },
    { "abc\xc3", 3, 0 }, /* cut */
    { "abc\xe2\x82", 3, 0 },
    { "abc\xf0\x9f\x98", 3, 0 },
    { "\xe2\x28\xa1", 0, 0 },
    { "1234567\xff"
      "9",
      7, 0 },
};

START_TEST(finds_bad_utf8)
{
    size_t length = strlen(utf8[_i].text);
    char  *exact = malloc(length + 1); /* so that a sanitizer sees a read beyond the end */
    memcpy(exact, utf8[_i].text, length);
    char *tight = realloc(exact, length ? length : 1);
    ck_assert_uint_eq(shunt_utf8_bad(tight, length), utf8[_i].bad);
    if (utf8[_i].bad == length) ck_assert_uint_eq(shunt_utf8_count(shunt_text_of(utf8[_i].text)), utf8[_i].characters);
    free(tight);
}
END_TEST

/* Every sequence of up to four bytes out of the ones where rules change, by the definition of UTF-8. */
static bool well_formed(const uint8_t *at, size_t length)
{
    while (length > 0) {
        size_t   size = at[0] < 0x80 ? 1 : at[0] >= 0xc0 && at[0] < 0xe0 ? 2 : at[0] >= 0xe0 && at[0] < 0xf0 ? 3 : 4;
        uint32_t point = size == 1 ? at[0] : size == 2 ? at[0] & 0x1f : size == 3 ? at[0] & 0x0f : at[0] & 0x07;
        if ((at[0] >= 0x80 && at[0] < 0xc0) || at[0] >= 0xf8 || size > length) return false;
        for (size_t i = 1; i < size; i++) {
            if ((at[i] & 0xc0) != 0x80) return false;
            point = point << 6 | (at[i] & 0x3f);
        }
        static const uint32_t first[] = { 0, 0, 0x80, 0x800, 0x10000 };
        if (point < first[size] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return false;
        at += size, length -= size;
    }
    return true;
}

START_TEST(agrees_with_the_definition)
{
    static const uint8_t edges[] = { 0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf,
                                     0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff };
    enum { EDGES = SHUNT_COUNT(edges) };
    for (unsigned n = 0; n < EDGES * EDGES * EDGES * EDGES; n++) {
        uint8_t text[4];
        for (unsigned i = 0, rest = n; i < 4; i++, rest /= EDGES) text[i] = edges[rest % EDGES];
        for (size_t length = 1; length <= 4; length++)
            if ((shunt_utf8_bad((const char *)text, length) == length) != well_formed(text, length))
                ck_abort_msg("%02x %02x %02x %02x, %zu bytes", text[0], text[1], text[2], text[3], length);
    }
}
END_TEST

START_TEST(counts_characters)
{
    shunt_text            text = T("a\xc3\xa4\xe2\x82\xac"
                                              "b");
    static const uint32_t offsets[] = { 0, 1, 3, 6, 7, 7, 7 };
    for (uint32_t i = 0; i < SHUNT_COUNT(offsets); i++) ck_assert_uint_eq(shunt_utf8_offset(text, i), offsets[i]);
    ck_assert_uint_eq(shunt_utf8_offset(text, UINT32_MAX), 7);
    ck_assert_uint_eq(shunt_utf8_offset((shunt_text){ NULL, 0 }, 3), 0);
}
END_TEST

static const struct {
    const char *a, *b;
    uint32_t    at_most, distance;
} distances[] = {
    { "", "", 3, 0 },
    { "abc", "abc", 0, 0 },
    { "abc", "", 3, 3 },
    { "abc", "abd", 3, 1 },
    { "abc", "acb", 3, 1 },
    { "kitten", "sitting", 5, 3 },
    { "kitten", "sitting", 2, 3 },
    { "claim", "calim", 2, 1 },
    { "remit", "remitt", 1, 1 },
    { "a", "abcdefgh", 2, 3 },
    { "amount", "mount", 2, 1 },
    { "xabc", "yabd", 1, 2 },
};

START_TEST(measures_distance)
{
    shunt_text a = shunt_text_of(distances[_i].a), b = shunt_text_of(distances[_i].b);
    ck_assert_uint_eq(shunt_text_distance(a, b, distances[_i].at_most), distances[_i].distance);
    ck_assert_uint_eq(shunt_text_distance(b, a, distances[_i].at_most), distances[_i].distance);
}
END_TEST

START_TEST(long_texts_are_far)
{
    char a[600], b[600];
    memset(a, 'a', sizeof a);
    memset(b, 'b', sizeof b);
    shunt_text x = { a, 600 }, y = { b, 600 };
    ck_assert_uint_eq(shunt_text_distance(x, x, 2), 0);
    ck_assert_uint_eq(shunt_text_distance(x, y, 700), 701);
    x.length = y.length = 255;
    ck_assert_uint_eq(shunt_text_distance(x, y, 700), 255);
}
END_TEST

START_TEST(buffer_grows)
{
    struct test_memory m;
    test_memory_init(&m, 0);
    shunt_buffer b;
    shunt_buffer_init(&b, &m.memory);
    for (int i = 0; i < 1000; i++) {
        shunt_buffer_char(&b, 'c');
        shunt_buffer_z(&b, "zz");
        shunt_buffer_text(&b, T("text"));
        shunt_buffer_text(&b, (shunt_text){ NULL, 0 });
        shunt_buffer_format(&b, "%03d", i);
    }
    ck_assert(!b.failed);
    ck_assert_uint_eq(b.length, 10000);
    for (int i = 0; i < 1000; i++) {
        char line[32];
        snprintf(line, sizeof line, "czztext%03d", i);
        ck_assert_mem_eq(b.bytes + i * 10, line, 10);
    }
    ck_assert(!shunt_buffer_reserve(&b, SIZE_MAX) && b.failed);
    shunt_buffer_done(&b);
    ck_assert_uint_eq(m.blocks, 0);
    ck_assert(!b.failed);
    shunt_buffer_format(&b, "%s", "again");
    ck_assert_mem_eq(b.bytes, "again", 5);
    shunt_buffer_done(&b);
}
END_TEST

START_TEST(buffer_remembers_failure)
{
    for (size_t fail_at = 1; fail_at < 12; fail_at++) {
        struct test_memory m;
        test_memory_init(&m, fail_at);
        shunt_buffer b;
        shunt_buffer_init(&b, &m.memory);
        for (int i = 0; i < 2000; i++) {
            shunt_buffer_char(&b, 'c');
            shunt_buffer_format(&b, "%d", i);
            shunt_buffer_json(&b, T("a\nb"));
        }
        ck_assert_int_eq(b.failed, m.calls >= fail_at);
        shunt_buffer_done(&b);
        ck_assert_uint_eq(m.blocks, 0);
    }
}
END_TEST

static const struct {
    const char *text;
    uint32_t    length;
    const char *json;
} strings[] = {
#define CASE(text, json)                                                                                                         \
    {                                                                                                                            \
        text, sizeof text - 1, json                                                                                              \
    }
    CASE("", "\"\""),
    CASE("plain", "\"plain\""),
    CASE("a text of more than sixteen plain bytes", "\"a text of more than sixteen plain bytes\""),
    CASE("say \"hi\"", "\"say \\\"hi\\\"\""),
    CASE("back\\slash", "\"back\\\\slash\""),
    CASE("\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""),
    CASE("\0\x01\x1f\x7f", "\"\\u0000\\u0001\\u001f\x7f\""),
    CASE("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\""),
    CASE("0123456789abcde\"", "\"0123456789abcde\\\"\""),
    CASE("0123456789abcdef\"", "\"0123456789abcdef\\\"\""),
    CASE("\xff", "\"\xef\xbf\xbd\""),
    CASE("a\xc3", "\"a\xef\xbf\xbd\""),
    CASE("a\xc3\"", "\"a\xef\xbf\xbd\\\"\""),
    CASE("\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""),
};

START_TEST(escapes_json)
{
    shunt_buffer b;
    shunt_buffer_init(&b, &shunt_memory_libc);
    shunt_buffer_json(&b, (shunt_text){ strings[_i].text, strings[_i].length });
    ck_assert_uint_eq(b.length, strlen(strings[_i].json));
    ck_assert_mem_eq(b.bytes, strings[_i].json, b.length);
    shunt_buffer_done(&b);
}
END_TEST

/* How one byte of a JSON string is written, told apart one by one. */
static const char *written(unsigned byte)
{
    static char out[8];
    switch (byte) {
    case '"': return "\\\"";
    case '\\': return "\\\\";
    case '\b': return "\\b";
    case '\f': return "\\f";
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    }
    if (byte >= 0x80) return "\xef\xbf\xbd";
    snprintf(out, sizeof out, byte < 0x20 ? "\\u%04x" : "%c", byte);
    return out;
}

/* Each byte at each place of texts around the width of a block. */
START_TEST(escapes_json_at_every_place)
{
    static const char plain[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    for (unsigned byte = 0; byte < 256; byte++)
        for (uint32_t length = 1; length < 36; length++)
            for (uint32_t at = 0; at < length; at++) {
                char text[36], expected[80];
                memset(text, 'x', length);
                text[at] = (char)byte;
                snprintf(expected, sizeof expected, "\"%.*s%s%.*s\"", (int)at, plain, written(byte), (int)(length - at - 1),
                         plain);
                shunt_buffer b;
                shunt_buffer_init(&b, &shunt_memory_libc);
                shunt_buffer_json(&b, (shunt_text){ text, length });
                if (b.length != strlen(expected) || memcmp(b.bytes, expected, b.length) != 0)
                    ck_abort_msg("byte %02x at %u of %u", byte, at, length);
                shunt_buffer_done(&b);
            }
}
END_TEST

START_TEST(interns)
{
    enum { COUNT = 5000 };
    shunt_arena  *arena = shunt_arena_new(&shunt_memory_libc, 0);
    shunt_intern *set = shunt_intern_new(arena);
    uint32_t      number;
    char          name[32];
    for (int round = 0; round < 2; round++)
        for (uint32_t i = 0; i < COUNT; i++) {
            uint32_t length = (uint32_t)snprintf(name, sizeof name, "name %u", i);
            ck_assert_int_eq(shunt_intern_find(set, (shunt_text){ name, length }, &number), round == 1);
            ck_assert(shunt_intern_add(set, (shunt_text){ name, length }, &number));
            ck_assert_uint_eq(number, i);
        }
    ck_assert_uint_eq(shunt_intern_count(set), COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "name %u", i);
        ck_assert(shunt_text_is(shunt_intern_text(set, i), name));
    }
    ck_assert(shunt_intern_add(set, (shunt_text){ NULL, 0 }, &number));
    ck_assert_uint_eq(number, COUNT);
    ck_assert(shunt_intern_find(set, T(""), &number));
    ck_assert(!shunt_intern_find(set, T("nobody"), &number));
    ck_assert_ptr_null(shunt_intern_text(set, COUNT + 1).bytes);
    shunt_arena_free(arena);
}
END_TEST

START_TEST(interning_survives_every_failure)
{
    size_t fail_at = 1;
    for (bool done = false; !done; fail_at++) {
        struct test_memory m;
        test_memory_init(&m, fail_at);
        shunt_arena  *arena = shunt_arena_new(&m.memory, 0);
        shunt_intern *set = arena ? shunt_intern_new(arena) : NULL;
        uint32_t      number, refused = 0;
        for (uint32_t i = 0; set && i < 1000; i++) {
            char     name[32];
            uint32_t length = (uint32_t)snprintf(name, sizeof name, "name %u", i);
            if (!shunt_intern_add(set, (shunt_text){ name, length }, &number))
                refused++;
            else
                ck_assert(shunt_intern_find(set, (shunt_text){ name, length }, &number));
        }
        if (set) ck_assert_uint_eq(shunt_intern_count(set) + refused, 1000);
        done = m.calls < fail_at;
        ck_assert_int_eq(!set || refused > 0, !done);
        shunt_arena_free(arena);
        ck_assert_uint_eq(m.blocks, 0);
    }
    ck_assert_uint_gt(fail_at, 4);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("text");
    TCase *tc = tcase_create("text");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, compares);
    tcase_add_test(tc, copies_and_formats);
    tcase_add_loop_test(tc, finds_bad_utf8, 0, SHUNT_COUNT(utf8));
    tcase_add_test(tc, agrees_with_the_definition);
    tcase_add_test(tc, counts_characters);
    tcase_add_loop_test(tc, measures_distance, 0, SHUNT_COUNT(distances));
    tcase_add_test(tc, long_texts_are_far);
    tcase_add_test(tc, buffer_grows);
    tcase_add_test(tc, buffer_remembers_failure);
    tcase_add_loop_test(tc, escapes_json, 0, SHUNT_COUNT(strings));
    tcase_add_test(tc, escapes_json_at_every_place);
    tcase_add_test(tc, interns);
    tcase_add_test(tc, interning_survives_every_failure);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
