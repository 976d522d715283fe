#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "engine/base/index.h"
#include "tests/support/test_memory.h"

static uint64_t state = 88172645463325252u;
static uint64_t roll(void)
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state;
}

static shunt_hash_key test_key(void)
{
    static const uint8_t seed[16] = { 1, 2, 3 };
    shunt_hash_key       key;
    shunt_hash_key_init(&key, seed);
    return key;
}

/* How a number becomes a key: as in the engine, or so unevenly that the table and the searches meet their worst. */
enum spread { HASHED, SEQUENTIAL, CROWDED_AT_THE_END, LOW_WORD_ONLY };

static shunt_hash key_of(enum spread spread, const shunt_hash_key *key, uint64_t number)
{
    switch (spread) {
    case HASHED: return shunt_hash128(key, &number, sizeof number);
    case SEQUENTIAL: return (shunt_hash){ number, 0 };
    case CROWDED_AT_THE_END: return (shunt_hash){ UINT64_MAX - number, number };
    case LOW_WORD_ONLY: return (shunt_hash){ 0, number };
    }
    abort();
}

static const struct {
    size_t      slots;
    uint64_t    numbers; /* keys are drawn from these */
    unsigned    operations;
    enum spread spread;
} loads[] = {
    { 64, 60000, 200000, HASHED },                                        /* runs of 48 keys: three levels */
    { 256, 100000, 200000, HASHED },      { 1024, 5000, 200000, HASHED }, /* mostly replacing */
    { 8192, 100000, 200000, HASHED },                                     /* grows first */
    { 0, 100000, 200000, HASHED },                                        /* never spills */
    { 256, 20000, 60000, SEQUENTIAL },    { 256, 20000, 60000, CROWDED_AT_THE_END },
    { 256, 20000, 60000, LOW_WORD_ONLY },
};

START_TEST(agrees_with_an_array)
{
    struct test_memory m;
    test_memory_init(&m, 0);
    shunt_hash_key key = test_key();
    uint64_t       numbers = loads[_i].numbers, count = 0;
    shunt_payload *model = calloc(numbers, sizeof *model);
    bool          *known = calloc(numbers, sizeof *known);
    shunt_index   *index = shunt_index_new(&m.memory, NULL, loads[_i].slots);
    ck_assert(index && model && known);
    for (unsigned i = 0; i < loads[_i].operations; i++) {
        uint64_t   number = roll() % numbers;
        shunt_hash hash = key_of(loads[_i].spread, &key, number);
        if (roll() % 2) {
            shunt_payload payload = { { roll(), roll() } };
            if (shunt_index_put(index, hash, payload) != SHUNT_OK) ck_abort_msg("put %u", i);
            count += !known[number];
            known[number] = true;
            model[number] = payload;
        } else {
            shunt_payload payload = { { 1, 2 } };
            bool          found;
            if (shunt_index_get(index, hash, &payload, &found) != SHUNT_OK) ck_abort_msg("get %u", i);
            if (found != known[number]) ck_abort_msg("operation %u: found %d", i, found);
            if (found && memcmp(&payload, &model[number], sizeof payload) != 0) ck_abort_msg("operation %u: payload", i);
            if (!found && (payload.words[0] != 1 || payload.words[1] != 2)) ck_abort_msg("operation %u: written", i);
        }
    }
    ck_assert_uint_eq(shunt_index_count(index), count);
    for (uint64_t number = 0; number < numbers; number++) {
        shunt_payload payload;
        bool          found;
        shunt_status  status = shunt_index_get(index, key_of(loads[_i].spread, &key, number), &payload, &found);
        if (status != SHUNT_OK || found != known[number]) ck_abort_msg("number %u", (unsigned)number);
        if (found && memcmp(&payload, &model[number], sizeof payload) != 0) ck_abort_msg("payload of %u", (unsigned)number);
    }
    ck_assert_uint_eq(shunt_index_memory(index), m.bytes);

    shunt_index_clear(index);
    ck_assert_uint_eq(shunt_index_count(index), 0);
    for (uint64_t number = 0; number < 1000; number++) {
        shunt_payload payload;
        bool          found;
        ck_assert_int_eq(shunt_index_get(index, key_of(loads[_i].spread, &key, number), &payload, &found), SHUNT_OK);
        ck_assert(!found);
    }
    shunt_index_free(index);
    ck_assert_uint_eq(m.blocks, 0);
    free(model);
    free(known);
}
END_TEST

/* Puts numbers until one fails; then all before must be there, and it must go on when there is room again. */
static uint64_t put_until_failure(shunt_index *index, const shunt_hash_key *key, uint64_t most, shunt_status *status)
{
    *status = SHUNT_OK;
    for (uint64_t i = 0; i < most; i++) {
        *status = shunt_index_put(index, key_of(HASHED, key, i), (shunt_payload){ { i, i } });
        if (*status != SHUNT_OK) return i;
    }
    return most;
}

static void expect_all(shunt_index *index, const shunt_hash_key *key, uint64_t count)
{
    ck_assert_uint_eq(shunt_index_count(index), count);
    for (uint64_t i = 0; i <= count; i++) {
        shunt_payload payload;
        bool          found;
        if (shunt_index_get(index, key_of(HASHED, key, i), &payload, &found) != SHUNT_OK) ck_abort_msg("get %u", (unsigned)i);
        if (found != (i < count) || (found && payload.words[1] != i)) ck_abort_msg("%u of %u", (unsigned)i, (unsigned)count);
    }
}

START_TEST(memory_stays_bounded)
{
    enum { KEYS = 400000, SLOTS = 4096 };
    struct test_memory m;
    test_memory_init(&m, 0);
    shunt_hash_key key = test_key();
    shunt_index   *index = shunt_index_new(&m.memory, NULL, SLOTS);
    for (uint64_t i = 0; i < KEYS; i++)
        if (shunt_index_put(index, key_of(HASHED, &key, i), (shunt_payload){ { i, i } }) != SHUNT_OK) ck_abort_msg("put");
    /* The table, 10 bits a key (twice while the largest runs merge), and what a merge reads ahead. */
    ck_assert_uint_lt(m.peak_bytes, SLOTS * 33 + KEYS * 10 / 8 * 2 + 300000);
    expect_all(index, &key, KEYS);
    shunt_index_free(index);
    shunt_index_free(NULL);
}
END_TEST

START_TEST(survives_every_failure)
{
    enum { KEYS = 3000 }; /* growing, spilling and merging once */
    shunt_hash_key key = test_key();
    size_t         fail_at = 1;
    for (bool done = false; !done; fail_at++) {
        struct test_memory m;
        shunt_status       status;
        test_memory_init(&m, fail_at);
        shunt_index *index = shunt_index_new(&m.memory, NULL, 128);
        if (index) {
            uint64_t count = put_until_failure(index, &key, KEYS, &status);
            if (count < KEYS) ck_assert_int_eq(status, SHUNT_NO_MEMORY);
            expect_all(index, &key, count);
            ck_assert_uint_eq(put_until_failure(index, &key, KEYS, &status), KEYS);
            expect_all(index, &key, KEYS);
        }
        done = m.calls < fail_at;
        shunt_index_free(index);
        ck_assert_uint_eq(m.blocks, 0);
    }
    ck_assert_uint_gt(fail_at, 20);
}
END_TEST

START_TEST(full_disk_loses_nothing)
{
    enum { KEYS = 20000 };
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    struct rlimit  small = { 20000, limit.rlim_max }; /* room for runs of 96 keys, not for sixteen of them merged */
    shunt_hash_key key = test_key();
    shunt_status   status;
    shunt_index   *index = shunt_index_new(&shunt_memory_libc, NULL, 128);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    uint64_t count = put_until_failure(index, &key, KEYS, &status); /* no assertion in here: Check writes a file at each */
    setrlimit(RLIMIT_FSIZE, &limit);
    ck_assert_uint_lt(count, KEYS);
    ck_assert_int_eq(status, SHUNT_IO);
    expect_all(index, &key, count);
    ck_assert_uint_eq(put_until_failure(index, &key, KEYS, &status), KEYS);
    expect_all(index, &key, KEYS);
    shunt_index_free(index);
}
END_TEST

START_TEST(no_directory_is_reported)
{
    shunt_hash_key key = test_key();
    shunt_status   status;
    shunt_index   *index = shunt_index_new(&shunt_memory_libc, "/nonexistent/directory", 64);
    uint64_t       count = put_until_failure(index, &key, 1000, &status);
    ck_assert_uint_eq(count, 48);
    ck_assert_int_eq(status, SHUNT_IO);
    expect_all(index, &key, count);
    shunt_index_free(index);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("index");
    TCase *tc = tcase_create("index");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, agrees_with_an_array, 0, SHUNT_COUNT(loads));
    tcase_add_test(tc, memory_stays_bounded);
    tcase_add_test(tc, survives_every_failure);
    tcase_add_test(tc, full_disk_loses_nothing);
    tcase_add_test(tc, no_directory_is_reported);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
