#include <check.h>
#include <stdlib.h>

#include "standards/scan.h"

enum { MOST = 2000 };

/* The index, made byte by byte as scan.h says it. */
static void expected_index(const uint8_t *bytes, size_t size, const shunt_delims *d, shunt_index *index)
{
    bool     component = false, line = false;
    unsigned behind = 2; /* bytes of line end seen behind a terminator; 2 = none may follow */
    index->position_count = index->end_count = 0;
    for (size_t i = 0; i < size; i++) {
        uint8_t b = bytes[i];
        if (b == d->element || b == d->terminator) index->positions[index->position_count++] = (uint32_t)i;
        if (b == d->terminator) {
            index->ends[index->end_count++] =
                (index->position_count - 1) | (component ? SHUNT_END_COMPONENT : 0u) | (line ? SHUNT_END_LINE : 0u);
            component = line = false;
            behind = 0;
            continue;
        }
        bool is_line = b != d->element && (b == '\r' || b == '\n');
        if (is_line && behind == 2) line = true;
        behind = is_line && behind < 2 ? behind + 1 : 2;
        if (d->component && b == d->component) component = true;
    }
}

static const shunt_delims delim_sets[] = {
    { .element = '*', .component = ':', .terminator = '~' },  { .element = '*', .component = 0, .terminator = '\n' },
    { .element = '|', .component = '>', .terminator = '\r' }, { .element = '^', .component = 0xa6, .terminator = 0x1d },
    { .element = 1, .component = '\n', .terminator = 0xff },  { .element = '\r', .component = ':', .terminator = '~' },
};

static void compare(const uint8_t *bytes, size_t size, const shunt_delims *d, const char *what)
{
    static uint32_t p[MOST + SHUNT_SCAN_SLACK], e[MOST + SHUNT_SCAN_SLACK], q[MOST + 2 * SHUNT_SCAN_SLACK],
        f[MOST + 2 * SHUNT_SCAN_SLACK];
    shunt_index want = { .positions = p, .ends = e };
    expected_index(bytes, size, d, &want);
    for (size_t k = 0; k < shunt_scan_kernel_count; k++) {
        const shunt_scan_kernel *kernel = shunt_scan_kernels[k];
        if (!kernel->usable()) continue;
        /* A block of exactly the size, so that a byte read beyond it is found. */
        uint8_t    *copy = malloc(size ? size : 1);
        shunt_index got = { .positions = q, .ends = f };
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, bytes, size);
        memset(q, 0xee, (size + 2 * SHUNT_SCAN_SLACK) * sizeof *q);
        memset(f, 0xee, (size + 2 * SHUNT_SCAN_SLACK) * sizeof *f);
        kernel->scan(copy, size, d, &got);
        free(copy);
        ck_assert_msg(got.position_count == want.position_count && got.end_count == want.end_count,
                      "%s, %s, %zu bytes: %u %u, not %u %u", kernel->name, what, size, got.position_count, got.end_count,
                      want.position_count, want.end_count);
        if (memcmp(p, q, want.position_count * sizeof *p) != 0)
            ck_abort_msg("%s, %s, %zu bytes: positions", kernel->name, what, size);
        if (memcmp(e, f, want.end_count * sizeof *e) != 0) ck_abort_msg("%s, %s, %zu bytes: ends", kernel->name, what, size);
        for (size_t i = size + SHUNT_SCAN_SLACK; i < size + 2 * SHUNT_SCAN_SLACK; i++)
            if (q[i] != 0xeeeeeeee || f[i] != 0xeeeeeeee) ck_abort_msg("%s wrote at %zu of %zu", kernel->name, i, size);
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
        const uint8_t       pool[] = { d->element, d->component, d->terminator, '\r', '\n', 'A', 0, 0xff };
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
        compare(bytes, size, &delim_sets[1], "NUL is no component separator");
    }
}
END_TEST

START_TEST(best_is_usable)
{
    bool found = false;
    for (size_t k = 0; k < shunt_scan_kernel_count && !found; k++) {
        if (!shunt_scan_kernels[k]->usable()) continue;
        ck_assert_ptr_eq(shunt_scan_best(), shunt_scan_kernels[k]->scan);
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
    tcase_add_test(tc, best_is_usable);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
