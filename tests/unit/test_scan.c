#include <check.h>
#include <stdlib.h>

#include "standards/scan.h"

enum { MOST = 2000 };

/* The map, made byte by byte as scan.h says it. */
static void expected_index(const uint8_t *bytes, size_t size, const shunt_delims *d, shunt_index *index)
{
    index->end_count = 0;
    for (size_t i = 0; i < size; i++) {
        shunt_scan_word *word = &index->map[i / 64];
        uint8_t          b = bytes[i];
        if (i % 64 == 0) *word = (shunt_scan_word){ 0 };
        if (b == d->element || b == d->terminator)
            word->marks |= UINT64_C(1) << i % 64;
        else if (b == d->component || b == d->repetition || b <= SHUNT_SCAN_ODD)
            word->odds |= UINT64_C(1) << i % 64;
        if (b == d->terminator) index->ends[index->end_count++] = (uint32_t)i;
    }
}

static const shunt_delims delim_sets[] = {
    { .element = '*', .component = ':', .repetition = '^', .terminator = '~' },
    { .element = '*', .component = 0, .terminator = '\n' },
    { .element = '|', .component = '>', .terminator = '\r' },
    { .element = '^', .component = 0xa6, .terminator = 0x1d },
    { .element = 1, .component = '\n', .terminator = 0xff },
    { .element = '\r', .component = ':', .terminator = '~' },
};

static void compare(const uint8_t *bytes, size_t size, const shunt_delims *d, const char *what)
{
    static shunt_scan_word p[SHUNT_SCAN_WORDS(MOST)], q[SHUNT_SCAN_WORDS(MOST) + 1];
    static uint32_t        e[MOST + SHUNT_SCAN_SLACK], f[MOST + 2 * SHUNT_SCAN_SLACK];
    const size_t           words = (size + 63) / 64;
    shunt_index            want = { .map = p, .ends = e };
    expected_index(bytes, size, d, &want);
    for (size_t k = 0; k < shunt_scan_kernel_count; k++) {
        const shunt_scan_kernel *kernel = shunt_scan_kernels[k];
        if (!kernel->usable()) continue;
        /* A block of exactly the size, so that a byte read beyond it is found. */
        uint8_t    *copy = malloc(size ? size : 1);
        shunt_index got = { .map = q, .ends = f };
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, bytes, size);
        memset(q, 0xee, sizeof q);
        memset(f, 0xee, (size + 2 * SHUNT_SCAN_SLACK) * sizeof *f);
        kernel->scan(copy, size, d, &got);
        free(copy);
        ck_assert_msg(got.end_count == want.end_count, "%s, %s, %zu bytes: %u, not %u", kernel->name, what, size, got.end_count,
                      want.end_count);
        if (memcmp(p, q, words * sizeof *p) != 0) ck_abort_msg("%s, %s, %zu bytes: map", kernel->name, what, size);
        if (memcmp(e, f, want.end_count * sizeof *e) != 0) ck_abort_msg("%s, %s, %zu bytes: ends", kernel->name, what, size);
        if (q[words].marks != UINT64_C(0xeeeeeeeeeeeeeeee)) ck_abort_msg("%s wrote word %zu", kernel->name, words);
        for (size_t i = size + SHUNT_SCAN_SLACK; i < size + 2 * SHUNT_SCAN_SLACK; i++)
            if (f[i] != 0xeeeeeeee) ck_abort_msg("%s wrote at %zu of %zu", kernel->name, i, size);
    }
}

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

START_TEST(kernels_agree_on_random_bytes)
{
    uint64_t random = 20250101u + (unsigned)_i;
    uint8_t  bytes[MOST];
    for (int round = 0; round < 400; round++) {
        const shunt_delims *d = &delim_sets[next_random(&random) % SHUNT_COUNT(delim_sets)];
        const uint8_t       pool[] = { d->element, d->component, d->repetition, d->terminator, '\r', '\n', 'A', 0, 0xff };
        size_t              size = next_random(&random) % (round % 4 ? 200 : MOST);
        unsigned            density = 1 + next_random(&random) % 16; /* from nothing but marks to few of them */
        for (size_t i = 0; i < size; i++)
            bytes[i] = next_random(&random) % density == 0 ? pool[next_random(&random) % SHUNT_COUNT(pool)]
                                                           : (uint8_t)next_random(&random);
        compare(bytes, size, d, "random");
    }
}
END_TEST

START_TEST(edges_of_blocks)
{
    uint8_t bytes[260];
    for (size_t size = 0; size <= sizeof bytes; size++) {
        for (size_t at = size > 70 ? size - 70 : 0; at < size; at++) {
            memset(bytes, 'x', sizeof bytes);
            bytes[at] = '~';
            if (at + 1 < size) bytes[at + 1] = '\r';
            if (at + 2 < size) bytes[at + 2] = '\n';
            if (at > 0) bytes[at - 1] = at % 3 ? ':' : '\n';
            bytes[size - 1] = size % 2 ? '~' : bytes[size - 1];
            compare(bytes, size, &delim_sets[0], "edge");
        }
    }
}
END_TEST

START_TEST(all_marks)
{
    uint8_t bytes[300];
    for (size_t size = 0; size <= sizeof bytes; size++) {
        memset(bytes, '~', sizeof bytes);
        compare(bytes, size, &delim_sets[0], "terminators");
        memset(bytes, '*', sizeof bytes);
        compare(bytes, size, &delim_sets[0], "elements");
        memset(bytes, '\n', sizeof bytes);
        compare(bytes, size, &delim_sets[1], "line ends");
        memset(bytes, 0, sizeof bytes);
        compare(bytes, size, &delim_sets[1], "NUL");
    }
}
END_TEST

/* 64 bits from every byte on are those that the bytes there have. */
START_TEST(bits_from_any_byte)
{
    static shunt_scan_word map[SHUNT_SCAN_WORDS(500)];
    static uint32_t        ends[500 + SHUNT_SCAN_SLACK];
    uint8_t                bytes[500];
    uint64_t               random = 64;
    shunt_index            index = { .map = map, .ends = ends };
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t) "*~:\n^AAA"[next_random(&random) % 8];
    shunt_scan_best()->scan(bytes, sizeof bytes, &delim_sets[0], &index);
    for (uint32_t at = 0; at < sizeof bytes; at++) {
        shunt_scan_word bits = shunt_scan_from(map, at);
        for (uint32_t k = 0; k < 64; k++) {
            uint8_t b = at + k < sizeof bytes ? bytes[at + k] : 'A';
            ck_assert_uint_eq(bits.marks >> k & 1, b == '*' || b == '~');
            ck_assert_uint_eq(bits.odds >> k & 1, b == ':' || b == '\n' || b == '^');
            ck_assert_uint_eq(shunt_scan_lowest(bits.marks, k) >> k, 0);
        }
    }
}
END_TEST

START_TEST(bits_are_spread)
{
    uint64_t random = 99;
    for (unsigned round = 0; round < 4000; round++) {
        uint64_t bits = round == 0 ? 0 : round == 1 ? UINT64_MAX : (uint64_t)next_random(&random) << 33 ^ next_random(&random);
        for (unsigned thin = round % 5; thin > 0; thin--) bits &= (uint64_t)next_random(&random) << 32 | next_random(&random);
        uint32_t want[64], found = 0;
        for (uint32_t k = 0; k < 64; k++)
            if (bits >> k & 1) want[found++] = k;
        uint32_t count = found ? next_random(&random) % (found + 1) : 0;
        for (size_t k = 0; k < shunt_scan_kernel_count; k++) {
            uint32_t got[64 + 2 * SHUNT_SCAN_SPREAD];
            if (!shunt_scan_kernels[k]->usable()) continue;
            memset(got, 0xee, sizeof got);
            shunt_scan_kernels[k]->spread(bits, count, got);
            if (memcmp(got, want, count * sizeof *got) != 0) ck_abort_msg("%s: %u bits", shunt_scan_kernels[k]->name, count);
            for (uint32_t i = count + SHUNT_SCAN_SPREAD; i < SHUNT_COUNT(got); i++) ck_assert_uint_eq(got[i], 0xeeeeeeee);
        }
    }
}
END_TEST

START_TEST(best_is_usable)
{
    bool found = false;
    for (size_t k = 0; k < shunt_scan_kernel_count && !found; k++) {
        if (!shunt_scan_kernels[k]->usable()) continue;
        ck_assert_ptr_eq(shunt_scan_best(), shunt_scan_kernels[k]);
        found = true;
    }
    ck_assert(found);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scan");
    TCase *tc = tcase_create("scan");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, kernels_agree_on_random_bytes, 0, 8);
    tcase_add_test(tc, edges_of_blocks);
    tcase_add_test(tc, all_marks);
    tcase_add_test(tc, bits_from_any_byte);
    tcase_add_test(tc, bits_are_spread);
    tcase_add_test(tc, best_is_usable);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
