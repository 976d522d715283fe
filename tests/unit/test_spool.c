#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/base/spool.h"
#include "tests/support/test_memory.h"

static uint64_t state = 88172645463325252u;
static uint64_t roll(void)
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state;
}

/* In place of the C library's: with `most_at_once` they move few bytes and are interrupted in between, as a signal or a
 * network file system makes them. */
static size_t most_at_once;

static bool interrupted(size_t *size)
{
    if (most_at_once == 0) return false;
    if (*size > most_at_once) *size = most_at_once;
    errno = EINTR;
    return roll() % 3 == 0;
}

ssize_t pwrite(int file, const void *bytes, size_t size, off_t offset)
{
    if (interrupted(&size)) return -1;
    return syscall(SYS_pwrite64, file, bytes, size, offset);
}

ssize_t pread(int file, void *bytes, size_t size, off_t offset)
{
    if (interrupted(&size)) return -1;
    return syscall(SYS_pread64, file, bytes, size, offset);
}

struct sink {
    const char *expected;
    size_t      at, length;
    size_t      largest, stop_after;
};

static shunt_status compare(void *context, const char *bytes, size_t length)
{
    struct sink *sink = context;
    if (sink->stop_after && sink->at >= sink->stop_after) return SHUNT_CALLBACK;
    ck_assert_uint_gt(length, 0);
    ck_assert_uint_le(sink->at + length, sink->length);
    ck_assert_mem_eq(bytes, sink->expected + sink->at, length);
    sink->at += length;
    if (length > sink->largest) sink->largest = length;
    return SHUNT_OK;
}

static void expect(const shunt_spool *s, const char *all, uint64_t from, uint64_t to)
{
    struct sink sink = { .expected = all + from, .length = (size_t)(to - from) };
    ck_assert_int_eq(s->replay(s->context, from, to, compare, &sink), SHUNT_OK);
    ck_assert_uint_eq(sink.at, to - from);
}

static const size_t buffers[] = { 1, 7, 100, 4096, 200000, 2000000 };

START_TEST(keeps_what_a_plain_array_keeps)
{
    enum { MOST = 1000000 };
    struct test_memory m;
    test_memory_init(&m, 0);
    shunt_spool s;
    char       *model = malloc(MOST);
    uint64_t    length = 0;
    ck_assert_int_eq(shunt_spool_file_new(&m.memory, NULL, buffers[_i], &s), SHUNT_OK);
    for (int i = 0; i < 3000; i++) {
        uint64_t from = length ? roll() % (length + 1) : 0, to = length ? from + roll() % (length - from + 1) : 0;
        size_t   more = (size_t)(roll() % 50 == 0 ? roll() % 100000 : roll() % 300);
        switch (roll() % 50) {
        case 0: expect(&s, model, from, to); break;
        case 1: expect(&s, model, 0, length); break;
        case 2:
            ck_assert_int_eq(s.truncate(s.context, from), SHUNT_OK);
            length = from;
            break;
        case 3:
            if (roll() % 10) break;
            ck_assert_int_eq(s.reset(s.context), SHUNT_OK);
            length = 0;
            break;
        default:
            if (length + more > MOST) break;
            for (size_t k = 0; k < more; k++) model[length + k] = (char)roll();
            ck_assert_int_eq(s.append(s.context, model + length, more), SHUNT_OK);
            length += more;
        }
        ck_assert_uint_eq(s.mark(s.context), length);
    }
    expect(&s, model, 0, length);
    ck_assert_uint_lt(m.peak_bytes, buffers[_i] + 70000);
    s.free(s.context);
    ck_assert_uint_eq(m.blocks, 0);
    free(model);
}
END_TEST

START_TEST(goes_on_after_short_and_interrupted_calls)
{
    enum { SIZE = 5000 };
    char text[SIZE];
    for (size_t i = 0; i < SIZE; i++) text[i] = (char)roll();
    for (most_at_once = 1; most_at_once < 600; most_at_once = most_at_once * 3 + 1) {
        shunt_spool s;
        ck_assert_int_eq(shunt_spool_file_new(&shunt_memory_libc, NULL, 100, &s), SHUNT_OK);
        for (size_t at = 0; at < SIZE; at += 250) ck_assert_int_eq(s.append(s.context, text + at, 250), SHUNT_OK);
        expect(&s, text, 0, SIZE);
        s.free(s.context);
    }
}
END_TEST

START_TEST(refuses_what_is_not_there)
{
    shunt_spool s;
    struct sink sink = { .expected = "abcdef", .length = 6 };
    ck_assert_int_eq(shunt_spool_file_new(&shunt_memory_libc, NULL, 4, &s), SHUNT_OK);
    ck_assert_int_eq(s.append(s.context, "abcdef", 6), SHUNT_OK);
    ck_assert_int_eq(s.append(s.context, NULL, 0), SHUNT_OK);
    ck_assert_int_eq(s.truncate(s.context, 7), SHUNT_USAGE);
    ck_assert_int_eq(s.replay(s.context, 0, 7, compare, &sink), SHUNT_USAGE);
    ck_assert_int_eq(s.replay(s.context, 3, 2, compare, &sink), SHUNT_USAGE);
    ck_assert_uint_eq(sink.at, 0);
    expect(&s, "abcdef", 0, 6);
    s.free(s.context);
    s.free(NULL);
}
END_TEST

START_TEST(sink_ends_the_replay)
{
    enum { SIZE = 300000 };
    shunt_spool s;
    char       *zeros = calloc(1, SIZE);
    struct sink sink = { .expected = zeros, .length = SIZE, .stop_after = 1 };
    ck_assert_int_eq(shunt_spool_file_new(&shunt_memory_libc, NULL, 10, &s), SHUNT_OK);
    ck_assert_int_eq(s.append(s.context, zeros, SIZE), SHUNT_OK);
    ck_assert_int_eq(s.replay(s.context, 0, SIZE, compare, &sink), SHUNT_CALLBACK);
    ck_assert_uint_gt(sink.at, 0);
    ck_assert_uint_lt(sink.at, SIZE);
    s.free(s.context);
    free(zeros);
}
END_TEST

static int entries_of(const char *directory)
{
    DIR *d = opendir(directory);
    int  count = 0;
    while (readdir(d)) count++;
    closedir(d);
    return count - 2;
}

START_TEST(leaves_no_name_behind)
{
    char directory[] = "/tmp/shunt-test-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(directory));
    shunt_spool s;
    ck_assert_int_eq(shunt_spool_file_new(&shunt_memory_libc, directory, 4, &s), SHUNT_OK);
    ck_assert_int_eq(s.append(s.context, "abcdefgh", 8), SHUNT_OK);
    ck_assert_int_eq(entries_of(directory), 0);
    expect(&s, "abcdefgh", 0, 8);
    s.free(s.context);
    ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

START_TEST(no_directory_is_reported)
{
    shunt_spool s;
    ck_assert_int_eq(shunt_spool_file_new(&shunt_memory_libc, "/nonexistent/directory", 4, &s), SHUNT_OK);
    ck_assert_int_eq(s.append(s.context, "abcd", 4), SHUNT_OK);
    ck_assert_int_eq(s.append(s.context, "e", 1), SHUNT_IO);
    ck_assert_uint_eq(s.mark(s.context), 4);
    expect(&s, "abcd", 0, 4);
    s.free(s.context);
}
END_TEST

/* A limit on the size of files stands for a full disk: writes are cut short, then fail. Check itself writes a file at each
 * assertion, so there is none while the limit holds. */
START_TEST(full_disk_loses_nothing)
{
    enum { LIMIT = 10000, APPENDS = 200, ROOM_AGAIN = 150, SIZE = APPENDS * 300 };
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    struct rlimit small = { LIMIT, limit.rlim_max };
    char         *text = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++) text[i] = (char)roll();
    shunt_spool s;
    ck_assert_int_eq(shunt_spool_file_new(&shunt_memory_libc, NULL, buffers[_i], &s), SHUNT_OK);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    uint64_t length = 0;
    unsigned failures = 0, later_failures = 0, other = 0;
    for (int i = 0; i < APPENDS; i++) {
        if (i == ROOM_AGAIN) setrlimit(RLIMIT_FSIZE, &limit);
        size_t       more = 1 + (size_t)(roll() % 300);
        shunt_status status = s.append(s.context, text + length, more);
        if (status == SHUNT_OK) length += more;
        failures += status == SHUNT_IO;
        later_failures += status != SHUNT_OK && i >= ROOM_AGAIN;
        other += (status != SHUNT_OK && status != SHUNT_IO) || s.mark(s.context) != length;
    }
    ck_assert_int_eq(failures > 0, buffers[_i] < SIZE / 4);
    ck_assert_uint_eq(later_failures, 0);
    ck_assert_uint_eq(other, 0);
    expect(&s, text, 0, length);
    s.free(s.context);
    free(text);
}
END_TEST

START_TEST(survives_every_failure)
{
    size_t fail_at = 1;
    for (bool done = false; !done; fail_at++) {
        struct test_memory m;
        test_memory_init(&m, fail_at);
        shunt_spool  s;
        shunt_status status = shunt_spool_file_new(&m.memory, NULL, 4, &s);
        if (status == SHUNT_OK) {
            status = s.append(s.context, "abcdefgh", 8);
            if (status == SHUNT_OK)
                expect(&s, "abcdefgh", 0, 8);
            else
                ck_assert_uint_eq(s.mark(s.context), 0);
            s.free(s.context);
        }
        done = m.calls < fail_at;
        ck_assert_int_eq(status, done ? SHUNT_OK : SHUNT_NO_MEMORY);
        ck_assert_uint_eq(m.blocks, 0);
    }
    ck_assert_uint_eq(fail_at, 5); /* the spool, its buffer, its reading piece, and once with no failure */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("spool");
    TCase *tc = tcase_create("spool");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, keeps_what_a_plain_array_keeps, 0, SHUNT_COUNT(buffers));
    tcase_add_test(tc, goes_on_after_short_and_interrupted_calls);
    tcase_add_test(tc, refuses_what_is_not_there);
    tcase_add_test(tc, sink_ends_the_replay);
    tcase_add_test(tc, leaves_no_name_behind);
    tcase_add_test(tc, no_directory_is_reported);
    tcase_add_loop_test(tc, full_disk_loses_nothing, 0, SHUNT_COUNT(buffers));
    tcase_add_test(tc, survives_every_failure);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
