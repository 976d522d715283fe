#include <check.h>
#include <shunt/shunt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/only.h"
#include "tests/support/remit.h"
#include "tests/support/test_memory.h"

/* ---- a host ---- */

struct host {
    shunt_buffer log, letter, units, spool;
    size_t       spool_calls, spool_fails; /* the call of the spool that fails, 0 = none */
    bool         open;                     /* between begin and commit */
};

static bool on_begin(void *context)
{
    struct host *h = context;
    ck_assert(!h->open);
    h->open = true;
    return true;
}

static bool on_record(void *context, const shunt_out *record)
{
    struct host *h = context;
    ck_assert(h->open && record->length > 2 && record->json[0] == '{' && record->json[record->length - 1] == '}');
    ck_assert(!memchr(record->json, '\n', record->length));
    shunt_buffer_format(&h->log, "%s ", record->target);
    return true;
}

static bool on_commit(void *context)
{
    struct host *h = context;
    ck_assert(h->open);
    h->open = false;
    shunt_buffer_z(&h->log, "commit ");
    return true;
}

static bool on_exception(void *context, const shunt_exception *e)
{
    struct host *h = context;
    ck_assert(e->json[0] == '{' && e->json[e->length - 1] == '}' && e->text_length > 0);
    shunt_buffer_format(&h->log, "%s:%s:%s:%s ", e->code, e->severity, e->class_name, e->queue ? e->queue : "-");
    return true;
}

static bool on_letter(void *context, const shunt_dead_letter *letter)
{
    struct host *h = context;
    if (letter->first) h->letter.length = h->units.length = 0;
    shunt_buffer_add(&h->letter, letter->bytes, letter->size);
    shunt_buffer_add(&h->units, letter->units, letter->units_length);
    if (letter->last) shunt_buffer_format(&h->log, "letter-%s ", letter->name);
    return true;
}

static bool spool_call(struct host *h) { return ++h->spool_calls != h->spool_fails; }

static bool spool_append(void *context, const void *bytes, size_t size)
{
    struct host *h = context;
    if (!spool_call(h)) return false;
    shunt_buffer_add(&h->spool, bytes, size);
    return true;
}

static bool spool_truncate(void *context, uint64_t size)
{
    struct host *h = context;
    ck_assert(size <= h->spool.length);
    if (!spool_call(h)) return false;
    h->spool.length = (size_t)size;
    return true;
}

/* In pieces of three bytes, so that no record comes whole. */
static bool spool_replay(void *context, uint64_t from, uint64_t to, shunt_write write, void *write_context)
{
    struct host *h = context;
    ck_assert(from <= to && to <= h->spool.length);
    if (!spool_call(h)) return false;
    for (uint64_t at = from; at < to; at += 3)
        if (!write(write_context, h->spool.bytes + at, to - at < 3 ? (size_t)(to - at) : 3)) return false;
    return true;
}

static void host_init(struct host *h)
{
    *h = (struct host){ .open = false };
    shunt_buffer *buffers[] = { &h->log, &h->letter, &h->units, &h->spool };
    for (size_t i = 0; i < SHUNT_COUNT(buffers); i++) shunt_buffer_init(buffers[i], &shunt_memory_libc);
}

static void host_done(struct host *h)
{
    shunt_buffer *buffers[] = { &h->log, &h->letter, &h->units, &h->spool };
    for (size_t i = 0; i < SHUNT_COUNT(buffers); i++) shunt_buffer_done(buffers[i]);
}

static shunt_program *load(unsigned flags)
{
    shunt_buffer   bytes;
    shunt_program *program;
    shunt_buffer_init(&bytes, &shunt_memory_libc);
    remit_save(flags, &bytes);
    ck_assert_int_eq(shunt_load(bytes.bytes, bytes.length, NULL, &program, NULL), SHUNT_DONE);
    shunt_buffer_done(&bytes);
    return program;
}

static shunt_result run(struct host *h, const shunt_program *program, const shunt_run_options *options, const char *bytes,
                        size_t size, shunt_totals *totals)
{
    shunt_callbacks callbacks = { h, on_begin, on_record, on_commit, on_exception, on_letter };
    shunt_run      *made;
    shunt_result    result = shunt_run_new(program, &callbacks, options, &made, NULL);
    if (result == SHUNT_DONE) result = shunt_run_begin(made, "in-1", "x.edi");
    if (result == SHUNT_DONE) result = shunt_run_feed(made, bytes, size / 2);
    if (result == SHUNT_DONE) result = shunt_run_feed(made, bytes + size / 2, size - size / 2);
    if (result == SHUNT_DONE) result = shunt_run_end(made);
    if (result <= SHUNT_INPUT_FAULT) result = shunt_run_finish(made);
    if (totals && made) shunt_run_totals(made, totals);
    shunt_run_free(made);
    return result;
}

static const char *const mixed[] = { "claim A 1 1\nclaim B Q 2\nclaim C W 4\n", "claim D J 8\nclaim E R 3\n", "" };
static const char *const fine[] = { "claim A 1 1\nclaim C W 4\n", "" };

START_TEST(results_and_totals)
{
    shunt_program *program = load(0);
    struct host    h;
    shunt_totals   totals;
    char          *message = remit_message(mixed);
    host_init(&h);
    ck_assert_int_eq(run(&h, program, NULL, message, strlen(message), &totals), SHUNT_INPUT_FAULT);
    shunt_buffer_char(&h.log, 0);
    ck_assert_str_eq(h.log.bytes,
                     "Q_CODE:quarantine:business:work-list W_CODE:warning:business:work-list letter-1-1 work work commit "
                     "R_CODE:reject:business:- letter-1-2 gl commit ");
    ck_assert_uint_eq(totals.in, 5);
    ck_assert_uint_eq(totals.posted, 3);
    ck_assert_uint_eq(totals.quarantined, 1);
    ck_assert_uint_eq(totals.rejected, 1);
    ck_assert_uint_eq(totals.records, 3);
    ck_assert_uint_eq(totals.exceptions, 2);
    ck_assert_uint_eq(totals.warnings, 1);
    ck_assert_uint_eq(totals.sets_mapped, 2);
    ck_assert_uint_eq(totals.bytes, strlen(message));
    host_done(&h);
    free(message);
    /* Warnings alone are no fault. */
    message = remit_message(fine);
    host_init(&h);
    ck_assert_int_eq(run(&h, program, NULL, message, strlen(message), NULL), SHUNT_DONE);
    host_done(&h);
    free(message);
    shunt_release(program);
}
END_TEST

static bool take(void *context, const void *bytes, size_t size)
{
    shunt_buffer_add(context, bytes, size);
    return true;
}

/* The hash of an input stands in the report alone, so a host that wants none pays for none. */
START_TEST(a_run_without_report)
{
    shunt_program    *program = load(0);
    char             *message = remit_message(fine);
    shunt_run_options options = { .size = sizeof options };
    for (int no_report = 0; no_report < 2; no_report++) {
        shunt_run   *made;
        shunt_buffer report;
        shunt_buffer_init(&report, &shunt_memory_libc);
        options.no_report = no_report;
        ck_assert_int_eq(shunt_run_new(program, NULL, &options, &made, NULL), SHUNT_DONE);
        ck_assert_int_eq(shunt_run_begin(made, NULL, NULL), SHUNT_DONE);
        ck_assert_int_eq(shunt_run_feed(made, message, strlen(message)), SHUNT_DONE);
        ck_assert_int_eq(shunt_run_end(made), SHUNT_DONE);
        ck_assert_int_eq(shunt_run_finish(made), SHUNT_DONE);
        ck_assert_int_eq(shunt_run_report(made, take, &report), no_report ? SHUNT_RULES_FAULT : SHUNT_DONE);
        ck_assert_uint_eq(report.length == 0, no_report);
        shunt_buffer_done(&report);
        shunt_run_free(made);
    }
    free(message);
    shunt_release(program);
}
END_TEST

START_TEST(spool_of_the_host)
{
    shunt_program *program = load(_i ? REMIT_FILE : 0);
    char          *message = remit_message(mixed);
    struct host    own, lent;
    host_init(&own);
    ck_assert_int_eq(run(&own, program, NULL, message, strlen(message), NULL), SHUNT_INPUT_FAULT);
    for (size_t n = 0;; n++) {
        host_init(&lent);
        lent.spool_fails = n;
        shunt_spool_interface spool = { &lent, spool_append, spool_truncate, spool_replay };
        shunt_run_options     options = { .size = sizeof options, .spool = &spool };
        shunt_result          result = run(&lent, program, &options, message, strlen(message), NULL);
        bool                  all = n == 0 || lent.spool_calls < n;
        ck_assert_int_eq(result, all ? SHUNT_INPUT_FAULT : SHUNT_SYSTEM_FAULT);
        if (all) ck_assert(lent.log.length == own.log.length && memcmp(lent.log.bytes, own.log.bytes, own.log.length) == 0);
        host_done(&lent);
        if (n && all) break;
    }
    host_done(&own);
    free(message);
    shunt_release(program);
}
END_TEST

/* The units of a letter select what its second run commits. */
START_TEST(only_the_units_of_a_letter)
{
    shunt_program *program = load(0);
    char          *message = remit_message(mixed);
    struct host    first, again;
    shunt_totals   totals;
    host_init(&first);
    host_init(&again);
    const char *const one[] = { mixed[0], "" };
    free(message);
    message = remit_message(one);
    ck_assert_int_eq(run(&first, program, NULL, message, strlen(message), NULL), SHUNT_INPUT_FAULT);
    ck_assert(first.units.length > 0);
    char *repaired = strstr(first.letter.bytes, "CLP*B*Q");
    repaired[6] = 'J';
    shunt_run_options options = { .size = sizeof options, .only = first.units.bytes, .only_length = first.units.length };
    ck_assert_int_eq(run(&again, program, &options, first.letter.bytes, first.letter.length, &totals), SHUNT_DONE);
    shunt_buffer_char(&again.log, 0);
    ck_assert_str_eq(again.log.bytes, "gl commit ");
    ck_assert_uint_eq(totals.posted, 1);
    ck_assert_uint_eq(totals.skipped, 2);
    host_done(&first);
    host_done(&again);
    free(message);
    shunt_release(program);
}
END_TEST

/* A transaction that was undone whole comes back whole. */
START_TEST(a_whole_letter)
{
    static const char *const sets[] = { "claim A 1 1\nclaim B T 2\n", "" };
    shunt_program           *program = load(0);
    char                    *message = remit_message(sets);
    struct host              first, again;
    shunt_totals             totals;
    host_init(&first);
    host_init(&again);
    ck_assert_int_eq(run(&first, program, NULL, message, strlen(message), NULL), SHUNT_INPUT_FAULT);
    char *repaired = strstr(first.letter.bytes, "CLP*B*T");
    repaired[6] = '1';
    shunt_run_options options = { .size = sizeof options, .only = first.units.bytes, .only_length = first.units.length };
    ck_assert_int_eq(run(&again, program, &options, first.letter.bytes, first.letter.length, &totals), SHUNT_DONE);
    ck_assert_uint_eq(totals.posted, 2);
    host_done(&first);
    host_done(&again);
    free(message);
    shunt_release(program);
}
END_TEST

static const struct {
    const char *received_at, *only, *says;
} bad_options[] = {
    { "2025-03-01", NULL, "time of arrival" },
    { "noon", NULL, "time of arrival" },
    { NULL, "", "list of units" },
    { NULL, "{}", "list of units" },
    { NULL, "{\"units\":[{\"begin\":1}]}", "list of units" },
    { NULL, "{\"units\":[{\"ordinal\":99999999999999999999999}]}", "list of units" },
    { NULL, "{\"units\":[]} x", "list of units" },
};

static bool keep(void *context, const void *bytes, size_t size)
{
    shunt_buffer_add(context, bytes, size);
    return true;
}

START_TEST(no_program)
{
    shunt_run      *made;
    shunt_messages *messages;
    ck_assert_int_eq(shunt_run_new(NULL, NULL, NULL, &made, &messages), SHUNT_RULES_FAULT);
    ck_assert(!made && messages && shunt_messages_errors(messages) == 1);
    shunt_messages_free(messages);
    ck_assert_int_eq(shunt_messages_print(NULL, false, keep, NULL), SHUNT_DONE);
}
END_TEST

START_TEST(options_that_are_wrong)
{
    shunt_program    *program = load(0);
    shunt_run        *made;
    shunt_messages   *messages;
    shunt_buffer      text;
    shunt_run_options options = { .size = sizeof options,
                                  .received_at = bad_options[_i].received_at,
                                  .only = bad_options[_i].only,
                                  .only_length = bad_options[_i].only ? strlen(bad_options[_i].only) : 0 };
    shunt_buffer_init(&text, &shunt_memory_libc);
    ck_assert_int_eq(shunt_run_new(program, NULL, &options, &made, &messages), SHUNT_RULES_FAULT);
    ck_assert(!made && messages && shunt_messages_errors(messages) == 1);
    ck_assert_int_eq(shunt_messages_print(messages, false, keep, &text), SHUNT_DONE);
    shunt_buffer_char(&text, 0);
    ck_assert_msg(strstr(text.bytes, bad_options[_i].says) != NULL, "%s", text.bytes);
    shunt_messages_free(messages);
    shunt_buffer_done(&text);
    shunt_release(program);
}
END_TEST

/* Units as letters list them, and everything that is cut off from that. */
START_TEST(lists_of_units)
{
    static const char list[] =
        "{\"input\":\"a \\\" "
        "b\",\"transaction\":1,\"x\":[1,-2.5e3,{\"y\":null}],\"units\":[{\"ordinal\":7,\"code\":\"Q\"},{\"ordinal\":3},"
        "{\"ordinal\":7}]}\n";
    char       why[200];
    shunt_only only = { 0 };
    ck_assert_int_eq(shunt_only_read(&shunt_memory_libc, list, sizeof list - 1, &only, why), SHUNT_OK);
    ck_assert(!only.whole && only.count == 2 && only.ordinals[0] == 3 && only.ordinals[1] == 7);
    shunt_only_done(&shunt_memory_libc, &only);
    for (size_t length = 0; length < sizeof list - 2; length++) {
        char *cut = malloc(length + 1); /* of its own size, so that a byte too far is found */
        ck_assert(cut);
        memcpy(cut, list, length);
        ck_assert_int_eq(shunt_only_read(&shunt_memory_libc, cut, length, &only, why), SHUNT_USAGE);
        shunt_only_done(&shunt_memory_libc, &only);
        free(cut);
    }
    struct test_memory memory;
    test_memory_init(&memory, 1);
    ck_assert_int_eq(shunt_only_read(&memory.memory, list, sizeof list - 1, &only, why), SHUNT_NO_MEMORY);
    shunt_only_done(&memory.memory, &only);
    ck_assert_uint_eq(memory.blocks, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("run");
    TCase *tc = tcase_create("run");
    tcase_add_test(tc, results_and_totals);
    tcase_add_test(tc, a_run_without_report);
    tcase_add_loop_test(tc, spool_of_the_host, 0, 2);
    tcase_add_test(tc, only_the_units_of_a_letter);
    tcase_add_test(tc, a_whole_letter);
    tcase_add_test(tc, no_program);
    tcase_add_loop_test(tc, options_that_are_wrong, 0, SHUNT_COUNT(bad_options));
    tcase_add_test(tc, lists_of_units);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
