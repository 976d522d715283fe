#include <check.h>
#include <stdlib.h>

#include "engine/base/diag.h"
#include "tests/support/test_memory.h"

static shunt_span at(uint32_t file, uint32_t begin, uint32_t end) { return (shunt_span){ begin, end, file }; }

START_TEST(statuses_are_complete)
{
    shunt_status found;
    for (int i = 0; i < SHUNT_STATUS_COUNT; i++) {
        const struct shunt_status_info *info = &shunt_status_info[i];
        ck_assert_msg(info->code && info->symbol && info->meaning && *info->meaning, "status %d", i);
        ck_assert_msg(shunt_status_find(info->code, &found) && found == (shunt_status)i, "%s is there twice", info->code);
    }
    ck_assert(!shunt_status_find("E9999", &found) && !shunt_status_find("", &found));
    ck_assert_str_eq(shunt_status_info[SHUNT_E0203].code, "E0203");
    ck_assert_int_eq(shunt_status_info[SHUNT_W0201].severity, SHUNT_WARNING);
    ck_assert_int_eq(shunt_status_info[SHUNT_X12_SE01].class, SHUNT_CLASS_SYNTAX);
}
END_TEST

START_TEST(names_differ)
{
    for (int i = 0; i <= SHUNT_CLASS_INTERNAL; i++)
        for (int k = 0; k < i; k++) ck_assert_str_ne(shunt_class_name((shunt_class)i), shunt_class_name((shunt_class)k));
    ck_assert_str_eq(shunt_severity_name(SHUNT_WARNING), "warning");
    ck_assert_str_eq(shunt_severity_name(SHUNT_ERROR), "error");
    ck_assert_str_eq(shunt_severity_name(SHUNT_INFORMATION), "information");
    ck_assert_str_eq(shunt_class_name(SHUNT_CLASS_CODESET), "code set");
}
END_TEST

START_TEST(keeps_all_parts)
{
    shunt_arena *arena = shunt_arena_new(&shunt_memory_libc, 0);
    shunt_diags  list;
    shunt_diags_init(&list, arena);
    shunt_diag *diag = shunt_diag_add(&list, SHUNT_E0203, at(0, 5, 9), "no element `%s` in %s", "X", "NM1");
    shunt_diag_here(&list, diag, "not %d", 7);
    shunt_diag_also(&list, diag, at(1, 2, 3), "declared here");
    shunt_diag_note(&list, diag, "a note");
    shunt_diag_help(&list, diag, "type `%c`", 'Y');
    ck_assert(diag == &list.items[0] && list.count == 1 && list.errors == 1 && list.warnings == 0);
    ck_assert(diag->code == SHUNT_E0203 && diag->severity == SHUNT_ERROR);
    ck_assert(shunt_text_is(diag->message, "no element `X` in NM1"));
    ck_assert_uint_eq(diag->label_count, 2);
    ck_assert(diag->labels[0].span.begin == 5 && diag->labels[0].span.end == 9 && shunt_text_is(diag->labels[0].text, "not 7"));
    ck_assert(diag->labels[1].span.file == 1 && shunt_text_is(diag->labels[1].text, "declared here"));
    ck_assert_uint_eq(diag->hint_count, 2);
    ck_assert(!diag->hints[0].help && shunt_text_is(diag->hints[0].text, "a note"));
    ck_assert(diag->hints[1].help && shunt_text_is(diag->hints[1].text, "type `Y`"));
    for (int i = 0; i < 20; i++) {
        shunt_diag_also(&list, diag, at(1, 2, 3), "more");
        shunt_diag_note(&list, diag, "more");
    }
    ck_assert_uint_eq(diag->label_count, SHUNT_DIAG_LABELS);
    ck_assert_uint_eq(diag->hint_count, SHUNT_DIAG_HINTS);
    ck_assert(shunt_diag_add(&list, SHUNT_W0201, at(0, 1, 2), "unused") == &list.items[1]);
    ck_assert(list.errors == 1 && list.warnings == 1 && !list.failed);
    shunt_arena_free(arena);
}
END_TEST

START_TEST(same_code_and_span_once)
{
    shunt_arena *arena = shunt_arena_new(&shunt_memory_libc, 0);
    shunt_diags  list;
    shunt_diags_init(&list, arena);
    shunt_diag_add(&list, SHUNT_E0203, at(0, 5, 9), "first");
    shunt_diag *again = shunt_diag_add(&list, SHUNT_E0203, at(0, 5, 9), "second");
    ck_assert_ptr_eq(again, &list.spare);
    shunt_diag_note(&list, again, "goes nowhere");
    shunt_diag_help(&list, again, "goes nowhere");
    shunt_diag_here(&list, again, "goes nowhere");
    shunt_diag_also(&list, again, at(0, 1, 2), "goes nowhere");
    ck_assert(list.count == 1 && list.errors == 1 && list.items[0].hint_count == 0 && list.items[0].label_count == 1);
    shunt_diag_add(&list, SHUNT_E0204, at(0, 5, 9), "other code");
    shunt_diag_add(&list, SHUNT_E0203, at(1, 5, 9), "other file");
    shunt_diag_add(&list, SHUNT_E0203, at(0, 4, 9), "other begin");
    shunt_diag_add(&list, SHUNT_E0203, at(0, 5, 8), "other end");
    ck_assert(list.count == 5 && list.errors == 5);
    shunt_arena_free(arena);
}
END_TEST

START_TEST(sorts_by_place)
{
    shunt_arena *arena = shunt_arena_new(&shunt_memory_libc, 0);
    shunt_diags  list;
    shunt_diags_init(&list, arena);
    for (uint32_t i = 0; i < 200; i++) shunt_diag_add(&list, SHUNT_E0203, at(i % 3, i * 7919 % 50, 60), "%u", i);
    shunt_diag_add(&list, SHUNT_E0202, at(1, 0, 60), "same place, found later");
    shunt_diag_add(&list, SHUNT_E0202, at(1, 0, 10), "same begin, shorter");
    uint32_t count = list.count;
    shunt_diags_sort(&list);
    ck_assert_uint_eq(list.count, count);
    for (uint32_t i = 1; i < list.count; i++) {
        shunt_span a = list.items[i - 1].labels[0].span, b = list.items[i].labels[0].span;
        ck_assert(a.file < b.file || (a.file == b.file && (a.begin < b.begin || (a.begin == b.begin && a.end <= b.end))));
        if (a.file != b.file || a.begin != b.begin || a.end != b.end) continue;
        ck_assert(shunt_text_is(list.items[i].message, "same place, found later"));
    }
    shunt_arena_free(arena);
}
END_TEST

START_TEST(counts_beyond_the_bound)
{
    shunt_arena *arena = shunt_arena_new(&shunt_memory_libc, 0);
    shunt_diags  list;
    shunt_diags_init(&list, arena);
    for (uint32_t i = 0; i < SHUNT_DIAGS_AT_MOST + 50; i++) shunt_diag_add(&list, SHUNT_E0203, at(0, i, i + 1), "x");
    ck_assert_uint_eq(list.count, SHUNT_DIAGS_AT_MOST);
    ck_assert_uint_eq(list.errors, SHUNT_DIAGS_AT_MOST + 50);
    ck_assert(!list.failed);
    shunt_arena_free(arena);
}
END_TEST

START_TEST(survives_every_failure)
{
    size_t fail_at = 2; /* the first one is the arena itself */
    for (bool done = false; !done; fail_at++) {
        struct test_memory m;
        test_memory_init(&m, fail_at);
        m.fail_on = true;
        shunt_arena *arena = shunt_arena_new(&m.memory, 0);
        shunt_diags  list;
        shunt_diags_init(&list, arena);
        for (uint32_t i = 0; i < 100; i++) {
            shunt_diag *diag = shunt_diag_add(&list, SHUNT_E0203, at(0, i, i + 1), "number %u", i);
            ck_assert_ptr_nonnull(diag);
            shunt_diag_note(&list, diag, "a note");
        }
        done = m.calls < fail_at;
        ck_assert_int_eq(list.failed, !done);
        ck_assert_uint_eq(list.errors, 100);
        shunt_diags_sort(&list);
        shunt_arena_free(arena);
        ck_assert_uint_eq(m.blocks, 0);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("diag");
    TCase *tc = tcase_create("diag");
    tcase_add_test(tc, statuses_are_complete);
    tcase_add_test(tc, names_differ);
    tcase_add_test(tc, keeps_all_parts);
    tcase_add_test(tc, same_code_and_span_once);
    tcase_add_test(tc, sorts_by_place);
    tcase_add_test(tc, counts_beyond_the_bound);
    tcase_add_test(tc, survives_every_failure);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
