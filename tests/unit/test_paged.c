#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/paged.h"
#include "tests/support/test_memory.h"

static uint64_t state = 88172645463325252u;
static uint64_t roll(void)
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state;
}

/* Sizes of items and how many: in one page, in those that stand in memory, in more; items that do not fill a page. */
static const struct {
    uint32_t item_bytes, count;
} lists[] = { { 1, 10 }, { 1, SHUNT_PAGE *(SHUNT_PAGES + 3) + 7 }, { 3, 60000 }, { 24, 30000 }, { 100, 9000 }, { 256, 5000 } };

START_TEST(items_are_what_they_were)
{
    uint32_t    size = lists[_i].item_bytes, count = lists[_i].count;
    shunt_paged list;
    char       *model = calloc(count, size), zeros[SHUNT_PAGED_ITEM] = { 0 };
    ck_assert_ptr_nonnull(model);
    shunt_paged_init(&list, &shunt_memory_libc, NULL, size);
    for (int round = 0; round < 2; round++) {
        memset(model, 0, (size_t)count * size);
        for (uint32_t i = 0; i < count; i++) {
            char *item = shunt_paged_add(&list);
            ck_assert_mem_eq(item, zeros, size);
            if (roll() % 8) model[(size_t)i * size] = *item = (char)roll();
        }
        ck_assert_uint_eq(list.count, count);
        for (uint32_t k = 0; k < 20000; k++) {
            uint32_t i = (uint32_t)(roll() % count), end = (uint32_t)(roll() % size);
            ck_assert_mem_eq(shunt_paged_at(&list, i), model + (size_t)i * size, size);
            if (k % 3) continue;
            char *item = shunt_paged_edit(&list, i);
            item[end] = model[(size_t)i * size + end] = (char)roll();
        }
        for (uint32_t i = 0; i < count; i++) ck_assert_mem_eq(shunt_paged_at(&list, i), model + (size_t)i * size, size);
        ck_assert_int_eq(list.status, SHUNT_OK);
        ck_assert((list.file >= 0) == (count > SHUNT_PAGES * list.in_page));
        shunt_paged_clear(&list); /* and once more */
        ck_assert_uint_eq(list.count, 0);
    }
    shunt_paged_done(&list);
    free(model);
}
END_TEST

START_TEST(texts_stay_within_a_page)
{
    enum { TEXTS = 20000 };
    static struct {
        uint32_t at, length;
        char     first;
    } put[TEXTS];
    static char bytes[SHUNT_PAGE];
    shunt_paged list;
    shunt_paged_init(&list, &shunt_memory_libc, NULL, 1);
    for (uint32_t i = 0; i < TEXTS; i++) {
        uint32_t length = i % 1000 ? (uint32_t)(roll() % 100) : SHUNT_PAGE - i % 2;
        put[i].length = length;
        memset(bytes, put[i].first = (char)roll(), length);
        ck_assert(shunt_paged_put(&list, bytes, length, &put[i].at));
    }
    for (uint32_t k = 0; k < TEXTS; k++) {
        uint32_t   i = (uint32_t)(roll() % TEXTS);
        shunt_text text = shunt_paged_text(&list, put[i].at, put[i].length);
        ck_assert_uint_eq(text.length, put[i].length);
        memset(bytes, put[i].first, text.length);
        if (text.length) ck_assert_mem_eq(text.bytes, bytes, text.length);
    }
    ck_assert_int_eq(list.status, SHUNT_OK);
    shunt_paged_done(&list);
}
END_TEST

/* A pointer holds while other pages of its list are asked for, one less than stand in memory. */
START_TEST(a_pointer_holds_for_a_while)
{
    shunt_paged list;
    shunt_paged_init(&list, &shunt_memory_libc, NULL, 4);
    for (uint32_t i = 0; i < list.in_page * 30; i++) memcpy(shunt_paged_add(&list), &i, sizeof i);
    const uint32_t *held = shunt_paged_at(&list, 5);
    for (uint32_t page = 1; page < SHUNT_PAGES; page++)
        ck_assert_uint_eq(*(const uint32_t *)shunt_paged_at(&list, page * 3 * list.in_page), page * 3 * list.in_page);
    ck_assert_uint_eq(*held, 5);
    shunt_paged_done(&list);
}
END_TEST

START_TEST(failures_are_told_and_give_zeros)
{
    char        zeros[SHUNT_PAGED_ITEM] = { 0 };
    uint32_t    at;
    shunt_paged list;
    shunt_paged_init(&list, &shunt_memory_libc, "/there is no such folder", 64);
    for (uint32_t i = 0; i < SHUNT_PAGES * list.in_page; i++) memset(shunt_paged_add(&list), 7, 64);
    ck_assert_int_eq(list.status, SHUNT_OK);
    memset(shunt_paged_add(&list), 7, 64);
    ck_assert_int_eq(list.status, SHUNT_IO);
    ck_assert_mem_eq(shunt_paged_at(&list, 0), zeros, 64);
    ck_assert_mem_eq(shunt_paged_edit(&list, 1), zeros, 64);
    ck_assert(!shunt_paged_put(&list, "x", 1, &at));
    ck_assert_uint_eq(shunt_paged_text(&list, 0, 1).length, 0);
    shunt_paged_clear(&list);
    ck_assert_int_eq(list.status, SHUNT_IO);
    shunt_paged_done(&list);

    struct test_memory failing;
    test_memory_init(&failing, 3);
    shunt_paged_init(&list, &failing.memory, NULL, 64);
    for (uint32_t i = 0; i < 3 * list.in_page; i++) memset(shunt_paged_add(&list), 7, 64);
    ck_assert_int_eq(list.status, SHUNT_NO_MEMORY);
    ck_assert_uint_eq(list.count, 2 * list.in_page);
    shunt_paged_done(&list);
    ck_assert_uint_eq(failing.blocks, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("paged");
    TCase *tcase = tcase_create("paged");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, items_are_what_they_were, 0, SHUNT_COUNT(lists));
    tcase_add_test(tcase, texts_stay_within_a_page);
    tcase_add_test(tcase, a_pointer_holds_for_a_while);
    tcase_add_test(tcase, failures_are_told_and_give_zeros);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
