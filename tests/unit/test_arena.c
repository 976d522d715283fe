#include <check.h>
#include <stdlib.h>

#include "engine/base/arena.h"
#include "tests/support/test_memory.h"

START_TEST(zeroed_and_aligned)
{
    shunt_arena *arena = shunt_arena_new(&shunt_memory_libc, 0);
    for (int round = 0; round < 3; round++) {
        for (size_t size = 0; size < 3000; size += 7) {
            char *text = shunt_arena_bytes(arena, 3);
            ck_assert_ptr_nonnull(text);
            memset(text, 'x', 3);
            unsigned char *block = shunt_arena_alloc(arena, size);
            ck_assert_ptr_nonnull(block);
            ck_assert_uint_eq((uintptr_t)block % 16, 0);
            for (size_t i = 0; i < size; i++)
                if (block[i] != 0) ck_abort_msg("byte %zu of %zu", i, size);
            memset(block, 0xff, size);
            ck_assert_mem_eq(text, "xxx", 3);
        }
        shunt_arena_reset(arena);
    }
    shunt_arena_free(arena);
}
END_TEST

START_TEST(zero_bytes_are_no_failure)
{
    shunt_arena *arena = shunt_arena_new(&shunt_memory_libc, 0);
    ck_assert_ptr_nonnull(shunt_arena_bytes(arena, 0));
    ck_assert_ptr_nonnull(shunt_arena_alloc(arena, 0));
    ck_assert_int_eq(shunt_arena_failed(arena), SHUNT_ARENA_FINE);
    ck_assert_uint_eq(shunt_arena_used(arena), 0);
    shunt_arena_free(arena);
    shunt_arena_free(NULL);
}
END_TEST

START_TEST(blocks_do_not_overlap)
{
    enum { COUNT = 2000 };
    shunt_arena   *arena = shunt_arena_new(&shunt_memory_libc, 0);
    unsigned char *at[COUNT];
    size_t         size[COUNT];
    unsigned       state = 7;
    for (int i = 0; i < COUNT; i++) {
        state = state * 1103515245 + 12345;
        size[i] = (state >> 8) % 97 == 0 ? (state >> 16) % 90000 : (state >> 16) % 300;
        at[i] = state & 1024 ? (unsigned char *)shunt_arena_bytes(arena, size[i]) : shunt_arena_alloc(arena, size[i]);
        ck_assert_ptr_nonnull(at[i]);
        memset(at[i], i & 0xff, size[i]);
    }
    for (int i = 0; i < COUNT; i++)
        for (size_t k = 0; k < size[i]; k++)
            if (at[i][k] != (i & 0xff)) ck_abort_msg("block %d, byte %zu", i, k);
    shunt_arena_free(arena);
}
END_TEST

START_TEST(reset_keeps_blocks)
{
    struct test_memory m;
    test_memory_init(&m, 0);
    shunt_arena *arena = shunt_arena_new(&m.memory, 0);
    size_t       calls = 0;
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 100; i++) ck_assert_ptr_nonnull(shunt_arena_alloc(arena, (size_t)(i % 10) * 700 + 1));
        ck_assert_ptr_nonnull(shunt_arena_bytes(arena, 100000));
        if (round == 0) calls = m.calls;
        shunt_arena_reset(arena);
        ck_assert_uint_eq(shunt_arena_used(arena), 0);
    }
    ck_assert_uint_eq(m.calls, calls);
    shunt_arena_free(arena);
    ck_assert_uint_eq(m.blocks, 0);
    ck_assert_uint_eq(m.bytes, 0);
}
END_TEST

START_TEST(kept_memory_stays_bounded)
{
    struct test_memory m;
    test_memory_init(&m, 0);
    shunt_arena *arena = shunt_arena_new(&m.memory, 1 << 20);
    for (size_t size = 1; size < 1 << 20; size += 4099) {
        ck_assert_ptr_nonnull(shunt_arena_bytes(arena, size));
        while (shunt_arena_bytes(arena, 5000)) continue;
        shunt_arena_reset(arena);
    }
    ck_assert_uint_lt(m.peak_bytes, 6 << 20);
    shunt_arena_free(arena);
}
END_TEST

START_TEST(limit_is_exact_and_sticky)
{
    static const size_t limits[] = { 1, 16, 100, 4095, 4096, 5000, 100000 };
    for (size_t i = 0; i < SHUNT_COUNT(limits); i++) {
        shunt_arena *arena = shunt_arena_new(&shunt_memory_libc, limits[i]);
        size_t       got = 0;
        while (shunt_arena_bytes(arena, 1)) got++;
        ck_assert_uint_eq(got, limits[i]);
        ck_assert_uint_eq(shunt_arena_used(arena), limits[i]);
        ck_assert_int_eq(shunt_arena_failed(arena), SHUNT_ARENA_LIMIT);
        shunt_arena_set_limit(arena, limits[i] + 5000);
        ck_assert_ptr_nonnull(shunt_arena_bytes(arena, 5000));
        ck_assert_ptr_null(shunt_arena_bytes(arena, 1));
        ck_assert_int_eq(shunt_arena_failed(arena), SHUNT_ARENA_LIMIT);
        shunt_arena_reset(arena);
        ck_assert_int_eq(shunt_arena_failed(arena), SHUNT_ARENA_FINE);
        shunt_arena_set_limit(arena, 10);
        ck_assert_ptr_null(shunt_arena_alloc(arena, 11));
        ck_assert_ptr_nonnull(shunt_arena_alloc(arena, 10));
        shunt_arena_set_limit(arena, 1);
        ck_assert_ptr_null(shunt_arena_bytes(arena, 1));
        shunt_arena_set_limit(arena, 0);
        ck_assert_ptr_nonnull(shunt_arena_alloc(arena, 1 << 20));
        shunt_arena_free(arena);
    }
}
END_TEST

START_TEST(absurd_sizes_fail)
{
    static const size_t sizes[] = { SIZE_MAX, SIZE_MAX - 15, SIZE_MAX / 2, SIZE_MAX / 4 + 1 };
    for (size_t i = 0; i < SHUNT_COUNT(sizes); i++) {
        shunt_arena *arena = shunt_arena_new(&shunt_memory_libc, 0);
        ck_assert_ptr_nonnull(shunt_arena_bytes(arena, 1));
        ck_assert_ptr_null(shunt_arena_alloc(arena, sizes[i]));
        ck_assert_ptr_null(shunt_arena_bytes(arena, sizes[i]));
        ck_assert_int_eq(shunt_arena_failed(arena), SHUNT_ARENA_NO_MEMORY);
        ck_assert_ptr_nonnull(shunt_arena_alloc(arena, 100));
        shunt_arena_free(arena);
    }
    ck_assert_ptr_null(shunt_memory_zeroed(&shunt_memory_libc, SIZE_MAX / 2, 3));
}
END_TEST

START_TEST(release_returns_to_the_mark)
{
    shunt_arena *arena = shunt_arena_new(&shunt_memory_libc, 1 << 20);
    shunt_mark   empty = shunt_arena_mark(arena);
    for (int round = 0; round < 20; round++) {
        char *kept = shunt_arena_bytes(arena, 5);
        memcpy(kept, "kept!", 5);
        shunt_mark mark = shunt_arena_mark(arena);
        size_t     used = shunt_arena_used(arena);
        ck_assert_uint_eq(used, 5);
        char *first = shunt_arena_bytes(arena, 100);
        for (int i = 0; i < 100; i++) ck_assert_ptr_nonnull(shunt_arena_alloc(arena, (size_t)(i * round + 1)));
        shunt_arena_release(arena, mark);
        ck_assert_uint_eq(shunt_arena_used(arena), used);
        ck_assert_ptr_eq(shunt_arena_bytes(arena, 100), first);
        ck_assert_mem_eq(kept, "kept!", 5);
        shunt_arena_release(arena, empty);
        ck_assert_uint_eq(shunt_arena_used(arena), 0);
    }
    shunt_arena_free(arena);
}
END_TEST

START_TEST(survives_every_failure)
{
    for (size_t fail_at = 1;; fail_at++) {
        struct test_memory m;
        test_memory_init(&m, fail_at);
        shunt_arena *arena = shunt_arena_new(&m.memory, 0);
        size_t       failed = 0;
        for (size_t size = 1000; arena && size < 500000; size += size / 2) {
            char *bytes = shunt_arena_bytes(arena, size);
            if (bytes)
                memset(bytes, 1, size);
            else
                failed++;
        }
        if (arena) ck_assert_int_eq(shunt_arena_failed(arena), failed ? SHUNT_ARENA_NO_MEMORY : SHUNT_ARENA_FINE);
        bool done = m.calls < fail_at;
        ck_assert_uint_eq(failed + !arena, !done);
        shunt_arena_free(arena);
        ck_assert_uint_eq(m.blocks, 0);
        if (done) break;
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("arena");
    TCase *tc = tcase_create("arena");
    tcase_add_test(tc, zeroed_and_aligned);
    tcase_add_test(tc, zero_bytes_are_no_failure);
    tcase_add_test(tc, blocks_do_not_overlap);
    tcase_add_test(tc, reset_keeps_blocks);
    tcase_add_test(tc, kept_memory_stays_bounded);
    tcase_add_test(tc, limit_is_exact_and_sticky);
    tcase_add_test(tc, absurd_sizes_fail);
    tcase_add_test(tc, release_returns_to_the_mark);
    tcase_add_test(tc, survives_every_failure);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
