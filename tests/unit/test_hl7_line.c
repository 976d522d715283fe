/* The kernels of line.h against what it says, byte by byte. */
#include <check.h>
#include <stdlib.h>

#include "standards/hl7/line.h"

enum { MOST = SHUNT_HL7_LINE, WORDS = SHUNT_HL7_LINE / 64 };

static bool is_odd(uint8_t c, const shunt_hl7_signs *s)
{
    return c == s->component || c == s->repetition || c == s->escape || c == s->subcomponent || c >= 0x80;
}

static void expect_marks(const uint8_t *bytes, uint32_t from, uint32_t to, const shunt_hl7_signs *s, shunt_hl7_marks *m)
{
    m->count = 0;
    m->repeated = false;
    memset(m->odd, 0, WORDS * sizeof *m->odd);
    for (m->end = from; m->end < to && bytes[m->end] >= s->stop; m->end++) {
        uint8_t c = bytes[m->end];
        if (c == s->field) m->offsets[m->count++] = m->end + 1;
        if (is_odd(c, s)) m->odd[(m->end - from) / 64] |= UINT64_C(1) << (m->end - from) % 64;
        m->repeated |= c == s->repetition;
    }
}

/* Bits that count: of bytes before the end. */
static bool same_bits(const uint64_t *a, const uint64_t *b, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if ((a[i / 64] ^ b[i / 64]) >> i % 64 & 1) return false;
    return true;
}

static void compare(const uint8_t *bytes, uint32_t from, uint32_t to, const shunt_hl7_signs *signs, const char *what)
{
    static uint32_t p[MOST + SHUNT_HL7_LINE_SLACK], q[MOST + 2 * SHUNT_HL7_LINE_SLACK];
    uint64_t        o[WORDS], r[WORDS + 1];
    shunt_hl7_marks want = { .offsets = p, .odd = o };
    expect_marks(bytes, from, to, signs, &want);
    for (size_t k = 0; k < shunt_hl7_line_kernel_count; k++) {
        const shunt_hl7_line_kernel *kernel = shunt_hl7_line_kernels[k];
        if (!kernel->usable()) continue;
        /* A block of exactly the size, so that a byte read beyond it is found. */
        uint8_t        *copy = malloc(to ? to : 1);
        shunt_hl7_marks got = { .offsets = q, .odd = r };
        uint32_t        words = (to - from + 63) / 64, room = to - from + SHUNT_HL7_LINE_SLACK;
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, bytes, to);
        memset(q, 0xee, sizeof q);
        memset(r, 0xee, sizeof r);
        kernel->mark(copy, from, to, signs, &got);
        size_t control = from;
        while (control < to && bytes[control] >= ' ') control++;
        size_t found = kernel->control(copy, from, to);
        free(copy);
        ck_assert_msg(found == control, "%s, %s, %u to %u: control at %zu, not %zu", kernel->name, what, from, to, found,
                      control);
        ck_assert_msg(got.count == want.count && got.end == want.end && got.repeated == want.repeated,
                      "%s, %s, %u to %u: %u fields to %u, not %u to %u", kernel->name, what, from, to, got.count, got.end,
                      want.count, want.end);
        if (memcmp(p, q, want.count * sizeof *p) != 0) ck_abort_msg("%s, %s, %u to %u: offsets", kernel->name, what, from, to);
        if (!same_bits(o, r, want.end - from)) ck_abort_msg("%s, %s, %u to %u: odd bytes", kernel->name, what, from, to);
        ck_assert_uint_eq(r[words], UINT64_C(0xeeeeeeeeeeeeeeee));
        for (uint32_t i = room; i < SHUNT_COUNT(q); i++)
            if (q[i] != 0xeeeeeeee) ck_abort_msg("%s wrote at %u of %u", kernel->name, i, room);
    }
}

static const shunt_hl7_signs sign_sets[] = {
    { '|', '^', '~', '\\', '&', ' ' },  { '|', '^', '~', '\\', '&', 0 },   { '*', ':', '!', '@', '>', ' ' },
    { '|', '|', '|', '|', '|', ' ' },   { 0xa6, '^', 0xff, '\\', '&', 0 }, { '|', '^', '~', '\\', '&', 1 },
    { '|', '^', '~', '\\', '&', 0xff },
};

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

START_TEST(kernels_agree_on_random_bytes)
{
    uint64_t random = 20250101u + (unsigned)_i;
    uint8_t  bytes[MOST + 128];
    for (int round = 0; round < 300; round++) {
        const shunt_hl7_signs *s = &sign_sets[next_random(&random) % SHUNT_COUNT(sign_sets)];
        const uint8_t pool[] = { s->field, s->component, s->repetition, s->escape, s->subcomponent, 0x80, 0xff, s->field };
        uint32_t      from = 64 * (next_random(&random) % 3), size = next_random(&random) % (round % 4 ? 300 : MOST);
        unsigned      density = 1 + next_random(&random) % 16, ends = next_random(&random) % 300;
        for (uint32_t i = 0; i < from + size; i++) {
            bytes[i] = (uint8_t)(' ' + next_random(&random) % 90);
            if (next_random(&random) % density == 0) bytes[i] = pool[next_random(&random) % SHUNT_COUNT(pool)];
            if (ends && next_random(&random) % ends == 0) bytes[i] = (uint8_t)(next_random(&random) % ' ');
        }
        compare(bytes, from, from + size, s, "random");
    }
}
END_TEST

START_TEST(edges_of_blocks)
{
    uint8_t bytes[260];
    for (uint32_t size = 0; size <= sizeof bytes; size++) {
        for (uint32_t at = size > 70 ? size - 70 : 0; at < size; at++) {
            memset(bytes, 'x', sizeof bytes);
            bytes[at] = '\r';
            if (at > 0) bytes[at - 1] = at % 3 ? '|' : '~';
            if (at + 1 < size) bytes[at + 1] = '|';
            if (at + 2 < size) bytes[at + 2] = '~';
            compare(bytes, 0, size, &sign_sets[size % 2], "edge");
        }
    }
}
END_TEST

START_TEST(all_of_one)
{
    static const uint8_t each[] = { '|', '^', '~', '\\', '&', 0, '\r', ' ', 0x1f, 0x7f, 0x80, 0xff, 'x' };
    uint8_t              bytes[MOST];
    for (size_t i = 0; i < SHUNT_COUNT(each); i++) {
        memset(bytes, each[i], sizeof bytes);
        for (uint32_t size = 0; size <= 200; size++)
            compare(bytes, 0, size, &sign_sets[size % SHUNT_COUNT(sign_sets)], "one byte");
        compare(bytes, 0, MOST, &sign_sets[0], "one byte");
    }
}
END_TEST

START_TEST(best_is_usable)
{
    bool found = false;
    for (size_t k = 0; k < shunt_hl7_line_kernel_count && !found; k++) {
        if (!shunt_hl7_line_kernels[k]->usable()) continue;
        ck_assert_ptr_eq(shunt_hl7_line_best(), shunt_hl7_line_kernels[k]);
        found = true;
    }
    ck_assert(found);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hl7_line");
    TCase *tc = tcase_create("hl7_line");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, kernels_agree_on_random_bytes, 0, 8);
    tcase_add_test(tc, edges_of_blocks);
    tcase_add_test(tc, all_of_one);
    tcase_add_test(tc, best_is_usable);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
