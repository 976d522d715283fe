#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "engine/vm/pending.h"
#include "tests/support/test_memory.h"

static uint64_t state = 88172645463325252u;
static uint64_t roll(uint64_t below)
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state % below;
}

enum { MOST = 4000 };

/* What is to wait: pieces one behind the other, and the mark before each. */
struct model {
    char     bytes[MOST * 40];
    size_t   begin[MOST + 1];
    uint32_t tag[MOST];
    uint64_t mark[MOST + 1];
    uint32_t count, seen;
};

static shunt_status see(void *context, uint32_t tag, const char *bytes, size_t length)
{
    struct model *m = context;
    ck_assert_uint_lt(m->seen, m->count);
    ck_assert_uint_eq(tag, m->tag[m->seen]);
    ck_assert_uint_eq(length, m->begin[m->seen + 1] - m->begin[m->seen]);
    ck_assert_mem_eq(bytes, m->bytes + m->begin[m->seen], length);
    m->seen++;
    return SHUNT_OK;
}

/* First what the spool has, then what is in memory. */
static void compare(struct model *m, const shunt_pending *p, const shunt_spool *spool)
{
    shunt_buffer carry;
    shunt_buffer_init(&carry, &shunt_memory_libc);
    m->seen = 0;
    ck_assert_int_eq(shunt_parcel_replay(spool, 0, spool->mark(spool->context), &carry, see, m), SHUNT_OK);
    const char *at = p->out.bytes;
    for (uint32_t i = 0; i < p->count; at += p->pieces[i++].length) see(m, p->pieces[i].tag, at, p->pieces[i].length);
    ck_assert_uint_eq(m->seen, m->count);
    ck_assert_uint_eq(shunt_pending_mark(p), m->mark[m->count]);
    shunt_buffer_done(&carry);
}

static void put(struct model *m, shunt_pending *p)
{
    size_t begin = p->out.length, length = roll(8) ? roll(40) : 0;
    char  *at = m->bytes + m->begin[m->count];
    for (size_t i = 0; i < length; i++) at[i] = (char)roll(256);
    shunt_buffer_add(&p->out, at, length);
    m->tag[m->count] = (uint32_t)roll(UINT32_MAX);
    ck_assert(shunt_pending_seal(p, begin, m->tag[m->count]));
    m->begin[m->count + 1] = m->begin[m->count] + length;
    m->mark[m->count + 1] = m->mark[m->count] + length + SHUNT_PARCEL_HEAD;
    m->count++;
}

static const size_t sizes[] = { 0, 1, 100, 1000, 1 << 20 };

START_TEST(as_a_list)
{
    struct model *m = calloc(1, sizeof *m);
    shunt_spool   spool;
    shunt_pending p;
    ck_assert_ptr_nonnull(m);
    ck_assert_int_eq(shunt_spool_file_new(&shunt_memory_libc, NULL, 64, &spool), SHUNT_OK);
    ck_assert(shunt_pending_init(&p, &shunt_memory_libc, &spool, sizes[_i]));
    for (unsigned round = 0; round < 3000; round++) {
        if (m->count > MOST - 20) {
            ck_assert_int_eq(shunt_pending_reset(&p), SHUNT_OK);
            m->count = 0;
        }
        /* A unit that is kept, or not. */
        shunt_pending_place here = shunt_pending_here(&p);
        uint32_t            before = m->count;
        for (uint64_t more = roll(10); more; more--) put(m, &p);
        if (roll(3)) {
            ck_assert_int_eq(shunt_pending_keep(&p), SHUNT_OK);
        } else {
            shunt_pending_back(&p, here);
            m->count = before;
        }
        if (roll(20) == 0) { /* a scope is undone, of any length */
            m->count -= (uint32_t)roll(roll(2) ? 10 : m->count + 1) % (m->count + 1);
            ck_assert_int_eq(shunt_pending_truncate(&p, m->mark[m->count]), SHUNT_OK);
        }
        ck_assert_int_eq(shunt_pending_truncate(&p, m->mark[m->count] + 1), SHUNT_USAGE);
        if (roll(50) == 0) compare(m, &p, &spool);
    }
    compare(m, &p, &spool);
    shunt_pending_done(&p);
    spool.free(spool.context);
    free(m);
}
END_TEST

START_TEST(memory_that_fails)
{
    bool all = false;
    for (size_t n = 1; !all; n++) {
        struct test_memory t;
        shunt_spool        spool;
        shunt_pending      p;
        test_memory_init(&t, n);
        ck_assert_int_eq(shunt_spool_file_new(&shunt_memory_libc, NULL, 64, &spool), SHUNT_OK);
        bool fine = shunt_pending_init(&p, &t.memory, &spool, 300);
        for (unsigned i = 0; fine && i < 100; i++) {
            size_t begin = p.out.length;
            shunt_buffer_z(&p.out, "a record");
            fine = shunt_pending_seal(&p, begin, i) && (i % 10 || shunt_pending_keep(&p) == SHUNT_OK);
        }
        all = t.calls < n;
        ck_assert_int_eq(fine, all);
        shunt_pending_done(&p);
        spool.free(spool.context);
        ck_assert_uint_eq(t.blocks, 0);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pending");
    TCase *tc = tcase_create("pending");
    tcase_add_loop_test(tc, as_a_list, 0, SHUNT_COUNT(sizes));
    tcase_add_test(tc, memory_that_fails);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
