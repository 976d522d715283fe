#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/decimal.h"
#include "engine/vm/parcel.h"
#include "engine/vm/report.h"
#include "engine/vm/session.h"
#include "standards/registry.h"
#include "tests/support/asm.h"
#include "tests/support/remit.h"
#include "tests/support/test_memory.h"

/* ---- a host that writes down what it gets ---- */

struct host {
    shunt_buffer log, letter, units; /* log: a line each; letter, units: of the last one */
    shunt_buffer lines;              /* records as a file holds them */
    size_t       calls, fail_at;     /* the call that fails, 0 = none */
    bool         with_letters;
};

static shunt_status answer(struct host *h) { return ++h->calls == h->fail_at ? SHUNT_CALLBACK : SHUNT_OK; }

static shunt_status on_begin(void *context)
{
    struct host *h = context;
    shunt_buffer_z(&h->log, "begin\n");
    return answer(h);
}

static shunt_status on_commit(void *context)
{
    struct host *h = context;
    shunt_buffer_z(&h->log, "commit\n");
    return answer(h);
}

static const char *find_bytes(const char *bytes, size_t length, const char *wanted)
{
    return memmem(bytes, length, wanted, strlen(wanted));
}

/* target, key, amount of the record, or the whole record of a journal */
static shunt_status on_record(void *context, uint16_t target, const char *bytes, size_t length)
{
    struct host *h = context;
    const char  *key = find_bytes(bytes, length, "\"key\":"), *correlate = find_bytes(bytes, length, ",\"correlate\":");
    const char  *record = find_bytes(bytes, length, ",\"record\":"), *meta = find_bytes(bytes, length, ",\"meta\":");
    ck_assert(key && record && meta);
    shunt_buffer_format(&h->log, "record %u %.*s %.*s\n", target, (int)((correlate ? correlate : record) - key - 6), key + 6,
                        (int)(meta - record - 10), record + 10);
    shunt_buffer_add(&h->lines, bytes, length);
    shunt_buffer_char(&h->lines, '\n');
    return answer(h);
}

static shunt_status on_records(void *context, const char *bytes, size_t length)
{
    struct host *h = context;
    ck_assert_uint_gt(length, 0);
    shunt_buffer_add(&h->lines, bytes, length);
    return answer(h);
}

static void put_member(shunt_buffer *log, shunt_text json, const char *name)
{
    char quoted[40];
    snprintf(quoted, sizeof quoted, "\"%s\":\"", name);
    const char *at = find_bytes(json.bytes, json.length, quoted);
    if (!at) return;
    at += strlen(quoted);
    shunt_buffer_char(log, ' ');
    shunt_buffer_add(log, at, strcspn(at, "\""));
}

static shunt_status on_exception(void *context, const shunt_exception_out *e)
{
    struct host *h = context;
    shunt_buffer_z(&h->log, "exception");
    put_member(&h->log, e->json, "code");
    put_member(&h->log, e->json, "cause");
    put_member(&h->log, e->json, "severity");
    put_member(&h->log, e->json, "scope");
    put_member(&h->log, e->json, "outcome");
    shunt_buffer_char(&h->log, '\n');
    ck_assert(e->json.length && e->json.bytes[e->json.length - 1] == '}');
    ck_assert(e->text.length && !memchr(e->text.bytes, 0x1b, e->text.length));
    return answer(h);
}

static shunt_status on_letter(void *context, const shunt_letter_piece *piece)
{
    struct host *h = context;
    if (piece->first) h->letter.length = h->units.length = 0;
    shunt_buffer_add(&h->letter, piece->bytes, piece->size);
    shunt_buffer_add(&h->units, piece->units, piece->units_size);
    if (!piece->last) return answer(h);
    shunt_buffer_format(&h->log, "letter %s", piece->name);
    const char *whole = find_bytes(h->units.bytes, h->units.length, "\"whole\":{");
    if (whole) put_member(&h->log, (shunt_text){ whole, (uint32_t)(h->units.bytes + h->units.length - whole) }, "code");
    for (const char *at = h->units.bytes, *end = at + h->units.length; (at = find_bytes(at, (size_t)(end - at), "{\"ordinal\":"));
         at += 11)
        shunt_buffer_format(&h->log, " %d", atoi(at + 11));
    shunt_buffer_char(&h->log, '\n');
    return answer(h);
}

static void host_init(struct host *h, bool with_letters)
{
    *h = (struct host){ .with_letters = with_letters };
    shunt_buffer_init(&h->log, &shunt_memory_libc);
    shunt_buffer_init(&h->letter, &shunt_memory_libc);
    shunt_buffer_init(&h->units, &shunt_memory_libc);
    shunt_buffer_init(&h->lines, &shunt_memory_libc);
}

static void host_done(struct host *h)
{
    shunt_buffer_done(&h->log);
    shunt_buffer_done(&h->letter);
    shunt_buffer_done(&h->units);
    shunt_buffer_done(&h->lines);
}

static shunt_session_options options_for(struct host *h, const shunt_program *program, const shunt_memory *memory)
{
    return (
        shunt_session_options){ .memory = memory,
                                .program = program,
                                .sinks = { h, on_begin, on_record, on_commit, on_exception, h->with_letters ? on_letter : NULL },
                                .seed = { 1, 2, 3 } };
}

/* One input in pieces of `step` bytes, each in a block of its own size. */
static shunt_status run_input(shunt_session *session, const shunt_program *program, const shunt_memory *memory, const char *bytes,
                              size_t size, size_t step)
{
    shunt_reader *reader = shunt_reader_for(SHUNT_STANDARD_X12, memory, &program->plan);
    shunt_status  status = shunt_session_begin(session, reader, (shunt_text){ 0 }, SHUNT_TEXT("test.edi"));
    for (size_t at = 0; at < size && status == SHUNT_OK; at += step) {
        size_t length = size - at < step ? size - at : step;
        char  *piece = malloc(length);
        ck_assert(piece);
        memcpy(piece, bytes + at, length);
        status = shunt_session_feed(session, piece, length);
        memset(piece, '~', length);
        free(piece);
    }
    return status == SHUNT_OK ? shunt_session_end(session) : status;
}

static void put_totals(shunt_buffer *log, const shunt_session *session)
{
    const shunt_ledger *ledger = shunt_session_ledger(session);
    shunt_buffer_format(log, "in %llu:", (unsigned long long)shunt_ledger_in(ledger));
    for (int fate = 0; fate < SHUNT_FATE_COUNT; fate++) {
        char      text[SHUNT_DECIMAL_TEXT];
        uint64_t  units = shunt_ledger_units(ledger, SHUNT_LEVEL_RUN, (shunt_fate)fate);
        shunt_sum sum = shunt_ledger_sum(ledger, SHUNT_LEVEL_RUN, 0, (shunt_fate)fate);
        if (units)
            shunt_buffer_format(log, " %s %llu of %.*s", shunt_fate_name((shunt_fate)fate), (unsigned long long)units,
                                (int)shunt_decimal_print(sum.amount, 2, text), text);
    }
    shunt_buffer_char(log, '\n');
}

static shunt_status run_once(struct host *h, const shunt_session_options *options, const char *bytes, size_t size, size_t step)
{
    shunt_session *session = NULL;
    char           why[200] = "";
    shunt_status   status = shunt_session_new(options, &session, why);
    if (status != SHUNT_OK) return status;
    status = run_input(session, options->program, options->memory, bytes, size, step);
    if (status == SHUNT_OK) status = shunt_session_finish(session);
    if (status == SHUNT_OK)
        put_totals(&h->log, session);
    else
        ck_assert_int_eq(shunt_session_feed(session, "x", 1), status); /* it stays stopped */
    shunt_session_free(session);
    return status;
}

/* ---- what becomes of units, transactions, batches, files ---- */

static const struct {
    const char *name;
    unsigned    flags;
    const char *sets[6];
    const char *log;
} cases[] = {
    { "records in order of their units",
      0,
      { "claim A 1 10\nclaim B J 7.5\nclaim C 1 0.05\n", "" },
      "begin\n"
      "record 0 [\"A\",\"1\"] {\"claim\":\"A\",\"amount\":\"10.00\",\"currency\":\"USD\",\"nth\":1}\n"
      "record 1 [\"B\"] "
      "{\"origin\":\"835\",\"lines\":[{\"side\":\"debit\",\"account\":\"1015\",\"amount\":\"7.50\",\"currency\":\"USD\"},"
      "{\"side\":\"credit\",\"account\":\"1200\",\"amount\":\"7.50\",\"currency\":\"USD\",\"reason\":\"45\"}]}\n"
      "record 0 [\"C\",\"1\"] {\"claim\":\"C\",\"amount\":\"0.05\",\"currency\":\"USD\",\"nth\":1}\n"
      "commit\n"
      "in 3: posted 3 of 17.55\n" },
    { "a negative amount flips",
      0,
      { "claim A J -8\n", "" },
      "begin\n"
      "record 1 [\"A\"] "
      "{\"origin\":\"835\",\"lines\":[{\"side\":\"credit\",\"account\":\"1015\",\"amount\":\"8.00\",\"currency\":\"USD\"},"
      "{\"side\":\"debit\",\"account\":\"1200\",\"amount\":\"8.00\",\"currency\":\"USD\",\"reason\":\"45\"}]}\n"
      "commit\n"
      "in 1: posted 1 of -8.00\n" },
    { "exits of units leave their neighbours alone",
      0,
      { "claim A S 1\nclaim B R 2\nclaim C Q 4\nclaim D 1 8\n", "" },
      "exception R_CODE reject unit rejected\n"
      "exception Q_CODE quarantine unit quarantined\n"
      "letter 1-1 2 3\n"
      "begin\n"
      "record 0 [\"D\",\"1\"] {\"claim\":\"D\",\"amount\":\"8.00\",\"currency\":\"USD\",\"nth\":1}\n"
      "commit\n"
      "in 4: posted 1 of 8.00 skipped 1 of 1.00 rejected 1 of 2.00 quarantined 1 of 4.00\n" },
    { "warnings are marked with what becomes of their unit",
      0,
      { "claim A W 1\nclaim B X 2\n", "" },
      "exception W_CODE warning unit posted\n"
      "exception W_CODE warning unit quarantined\n"
      "exception Q_CODE quarantine unit quarantined\n"
      "letter 1-1 2\n"
      "begin\n"
      "record 0 [\"A\",\"1\"] {\"claim\":\"A\",\"amount\":\"1.00\",\"currency\":\"USD\",\"nth\":1}\n"
      "commit\n"
      "in 2: posted 1 of 1.00 quarantined 1 of 2.00\n" },
    { "nothing done is a failure, a journal of zeros is not",
      0,
      { "claim A N 1\nclaim B Z 2\n", "" },
      "exception E_RULE UNIT_SILENT quarantine unit quarantined\n"
      "letter 1-1 1\n"
      "begin\n"
      "commit\n"
      "in 2: posted 1 of 2.00 quarantined 1 of 1.00\n" },
    { "without on error the engine's code stands",
      REMIT_NO_EXITS,
      { "claim A N 1\nclaim B 1 2\n", "" },
      "exception UNIT_SILENT quarantine unit quarantined\n"
      "letter 1-1 1\n"
      "begin\n"
      "record 0 [\"B\",\"1\"] {\"claim\":\"B\",\"amount\":\"2.00\",\"currency\":\"USD\",\"nth\":1}\n"
      "commit\n"
      "in 2: posted 1 of 2.00 quarantined 1 of 1.00\n" },
    { "an amount that is none: its unit fails, and a tally that is not known holds the transaction",
      0,
      { "BPR*I*1~TRN*1*T1~LX*1~\nclaim A 1 1\nclaim B 1 1.5x\n", "" },
      "exception E_RULE VALUE_INVALID quarantine unit quarantined\n"
      "exception E_RULE TALLY_UNKNOWN quarantine transaction\n"
      "letter 1-1 E_RULE\n"
      "in 2: quarantined 2 of 1.00\n" },
    { "whole transaction: units before, in and after",
      0,
      { "claim A 1 1\nclaim B T 2\nclaim C Q 4\n", "claim D 1 8\n", "" },
      "exception T_CODE quarantine transaction quarantined\n"
      "letter 1-1 T_CODE\n"
      "begin\n"
      "record 0 [\"D\",\"1\"] {\"claim\":\"D\",\"amount\":\"8.00\",\"currency\":\"USD\",\"nth\":1}\n"
      "commit\n"
      "in 4: posted 1 of 8.00 quarantined 3 of 7.00\n" },
    { "at end: a payment that is not its claims",
      0,
      { "BPR*I*9~TRN*1*T1~LX*1~\nclaim A 1 1\nclaim B R 2\n", "" },
      "exception R_CODE reject unit rejected\n"
      "exception TOTAL quarantine transaction\n"
      "letter 1-1 TOTAL\n"
      "in 2: quarantined 2 of 3.00\n" },
    { "a wider exit than the program waits for ends with the transaction",
      0,
      { "claim A 1 1\n", "claim B F 2\n", "" },
      "begin\n"
      "record 0 [\"A\",\"1\"] {\"claim\":\"A\",\"amount\":\"1.00\",\"currency\":\"USD\",\"nth\":1}\n"
      "commit\n"
      "exception F_CODE quarantine transaction quarantined\n"
      "letter 1-2 F_CODE\n"
      "in 2: posted 1 of 1.00 quarantined 1 of 2.00\n" },
    { "whole batch",
      REMIT_BATCH,
      { "claim A 1 1\n", "claim B B 2\n", "claim C 1 4\n", "" },
      "exception B_CODE quarantine batch quarantined\n"
      "letter 1-1 B_CODE\n"
      "letter 1-2 B_CODE\n"
      "letter 1-3 B_CODE\n"
      "in 3: quarantined 3 of 7.00\n" },
    { "a batch that is fine is handed out in one",
      REMIT_BATCH,
      { "claim A 1 1\n", "claim B T 2\n", "claim C R 4\n", "" },
      "exception T_CODE quarantine transaction quarantined\n"
      "exception R_CODE reject unit rejected\n"
      "letter 1-2 T_CODE\n"
      "letter 1-3 1\n"
      "begin\n"
      "record 0 [\"A\",\"1\"] {\"claim\":\"A\",\"amount\":\"1.00\",\"currency\":\"USD\",\"nth\":1}\n"
      "commit\n"
      "in 3: posted 1 of 1.00 rejected 1 of 4.00 quarantined 1 of 2.00\n" },
    { "whole file: complete transactions included",
      REMIT_FILE,
      { "claim A 1 1\nclaim B S 2\n", "claim C F 4\n", "claim D 1 8\n", "" },
      "exception F_CODE quarantine file quarantined\n"
      "letter 1-1 F_CODE\n"
      "letter 1-2 F_CODE\n"
      "letter 1-3 F_CODE\n"
      "in 4: quarantined 4 of 15.00\n" },
    { "whole batch where the file could be undone",
      REMIT_FILE,
      { "claim A B 1\n", "claim C 1 4\n", "" },
      "exception B_CODE quarantine batch quarantined\n"
      "letter 1-1 B_CODE\n"
      "letter 1-2 B_CODE\n"
      "begin\n"
      "commit\n"
      "in 2: quarantined 2 of 5.00\n" },
    { "a file that is fine is handed out in one",
      REMIT_FILE,
      { "claim A 1 1\n", "claim B Q 2\n", "" },
      "exception Q_CODE quarantine unit quarantined\n"
      "letter 1-2 1\n"
      "begin\n"
      "record 0 [\"A\",\"1\"] {\"claim\":\"A\",\"amount\":\"1.00\",\"currency\":\"USD\",\"nth\":1}\n"
      "commit\n"
      "in 2: posted 1 of 1.00 quarantined 1 of 2.00\n" },
    { "one key twice in a transaction",
      0,
      { "claim A 1 1\nclaim A 1 1\nclaim B 1 2\n", "" },
      "exception KEY_REPEATED quarantine transaction quarantined\n"
      "letter 1-1 KEY_REPEATED\n"
      "in 3: quarantined 3 of 4.00\n" },
    { "one key twice in a unit",
      0,
      { "claim A K 1\n", "" },
      "exception KEY_REPEATED quarantine transaction quarantined\n"
      "letter 1-1 KEY_REPEATED\n"
      "in 1: quarantined 1 of 1.00\n" },
    { "occurrences tell them apart, in each transaction anew",
      0,
      { "claim A O 1\nclaim A O 1\n", "claim A O 1\nclaim A O 5\n", "" },
      "begin\n"
      "record 0 [\"A\",\"1\"] {\"claim\":\"A\",\"amount\":\"1.00\",\"currency\":\"USD\",\"nth\":1}\n"
      "record 0 [\"A\",\"2\"] {\"claim\":\"A\",\"amount\":\"1.00\",\"currency\":\"USD\",\"nth\":2}\n"
      "commit\n"
      "exception KEY_CONFLICT quarantine unit quarantined\n"
      "letter 1-2 2\n"
      "begin\n"
      "commit\n"
      "in 4: posted 2 of 2.00 duplicate 1 of 1.00 quarantined 1 of 5.00\n" },
    { "a duplicate among the records of a unit is dropped alone",
      0,
      { "claim A 1 1\n", "claim A A 1\nCAS*CO*45*3~\n", "" },
      "begin\n"
      "record 0 [\"A\",\"1\"] {\"claim\":\"A\",\"amount\":\"1.00\",\"currency\":\"USD\",\"nth\":1}\n"
      "commit\n"
      "begin\n"
      "record 0 [\"A\",\"99\"] {\"claim\":\"A\",\"amount\":\"3.00\",\"currency\":\"USD\",\"nth\":99,\"note\":\"45\"}\n"
      "commit\n"
      "in 2: posted 2 of 2.00\n" },
    { "what was undone leaves no key behind",
      0,
      { "claim A 1 1\nclaim B T 2\n", "claim A 1 5\n", "" },
      "exception T_CODE quarantine transaction quarantined\n"
      "letter 1-1 T_CODE\n"
      "begin\n"
      "record 0 [\"A\",\"1\"] {\"claim\":\"A\",\"amount\":\"5.00\",\"currency\":\"USD\",\"nth\":1}\n"
      "commit\n"
      "in 3: posted 1 of 5.00 quarantined 2 of 3.00\n" },
    { "a header value after the rules that read it",
      0,
      { "BPR*I*1~\nLX*1~\nclaim A 1 1\nTRN*1*T1~\n", "" },
      "exception X12_ORDER warning unit\n"
      "exception X12_LATE quarantine transaction\n"
      "letter 1-1 X12_LATE\n"
      "in 1: quarantined 1 of 1.00\n" },
    { "a transaction without units", 0, { "BPR*I*0~TRN*1*T1~\n", "" }, "begin\ncommit\nin 0:\n" },
};

static const char *without_letters(const char *log, shunt_buffer *out)
{
    out->length = 0;
    for (const char *line = log; *line; line += strcspn(line, "\n") + 1)
        if (strncmp(line, "letter", 6) != 0) shunt_buffer_add(out, line, strcspn(line, "\n") + 1);
    shunt_buffer_char(out, 0);
    return out->bytes;
}

START_TEST(units_and_scopes)
{
    shunt_program *program = remit_program(cases[_i].flags);
    char          *message = remit_message(cases[_i].sets);
    size_t         size = strlen(message);
    shunt_buffer   plain;
    shunt_buffer_init(&plain, &shunt_memory_libc);
    for (int letters = 0; letters < 2; letters++) {
        for (size_t step = 1; step <= size; step += step < 40 ? 1 : 61) {
            struct host h;
            host_init(&h, letters);
            shunt_session_options options = options_for(&h, program, &shunt_memory_libc);
            ck_assert_int_eq(run_once(&h, &options, message, size, step == 1 && !letters ? size : step), SHUNT_OK);
            shunt_buffer_char(&h.log, 0);
            const char *wanted = letters ? cases[_i].log : without_letters(cases[_i].log, &plain);
            ck_assert_msg(strcmp(h.log.bytes, wanted) == 0, "%s, step %zu:\n%s\nwanted:\n%s", cases[_i].name, step, h.log.bytes,
                          wanted);
            host_done(&h);
        }
    }
    shunt_buffer_done(&plain);
    free(message);
    shunt_program_free(program);
}
END_TEST

static const char *const mixed[] = { "claim A 1 1\nclaim B Q 2\nclaim C W 4\nclaim D J 8\nclaim E S 16\n",
                                     "claim F T 1\nclaim G 1 1\n", "claim A 1 1\nclaim H O 2\nclaim I R 3\n", "" };

/* All at once a host gets what it gets one by one, with memory for the records and without. */
START_TEST(records_in_large_pieces)
{
    shunt_program *program = remit_program(cases[_i].flags);
    char          *message = remit_message(cases[_i].sets);
    struct host    each;
    host_init(&each, true);
    shunt_session_options options = options_for(&each, program, &shunt_memory_libc);
    ck_assert_int_eq(run_once(&each, &options, message, strlen(message), 50), SHUNT_OK);
    for (int spooled = 0; spooled < 2; spooled++) {
        struct host h;
        shunt_spool spool;
        host_init(&h, true);
        options = options_for(&h, program, &shunt_memory_libc);
        options.sinks.records = on_records;
        ck_assert_int_eq(shunt_spool_file_new(&shunt_memory_libc, NULL, 64, &spool), SHUNT_OK);
        if (spooled) options.spool = &spool;
        ck_assert_int_eq(run_once(&h, &options, message, strlen(message), 50), SHUNT_OK);
        ck_assert_uint_eq(h.lines.length, each.lines.length);
        if (h.lines.length) ck_assert_mem_eq(h.lines.bytes, each.lines.bytes, h.lines.length);
        spool.free(spool.context);
        host_done(&h);
    }
    host_done(&each);
    free(message);
    shunt_program_free(program);
}
END_TEST

/* Wherever the input ends: units add up, and a transaction without its end posts nothing. */
START_TEST(every_end_of_the_input)
{
    shunt_program *program = remit_program(0);
    char          *message = remit_message(mixed);
    for (size_t size = 0; size < strlen(message); size++) {
        struct host h;
        host_init(&h, true);
        shunt_session_options options = options_for(&h, program, &shunt_memory_libc);
        ck_assert_msg(run_once(&h, &options, message, size, 7) == SHUNT_OK, "size %zu", size);
        shunt_buffer_char(&h.log, 0);
        unsigned commits = 0, ends = 0;
        for (const char *at = h.log.bytes; (at = strstr(at, "commit\n")); at++) commits++;
        for (const char *at = message; (at = strstr(at, "SE*")) && at < message + size; at++) {
            const char *end = strchr(at, '~');
            ends += end && end < message + size;
        }
        unsigned wanted = ends == 0 ? 0 : ends < 3 ? 1 : 2; /* the second one leaves as a whole */
        ck_assert_msg(commits == wanted, "size %zu: %u commits, %u transactions\n%s", size, commits, ends, h.log.bytes);
        host_done(&h);
    }
    free(message);
    shunt_program_free(program);
}
END_TEST

/* What stands between a begin and the end of a log that has no commit for it was not committed. */
static bool is_beginning_of(const char *log, size_t length, const char *whole)
{
    return length == 0 || (length <= strlen(whole) && memcmp(log, whole, length) == 0);
}

START_TEST(memory_that_fails)
{
    shunt_program *program = remit_program(_i ? REMIT_FILE : 0);
    char          *message = remit_message(mixed);
    struct host    fine;
    host_init(&fine, true);
    shunt_session_options options = options_for(&fine, program, &shunt_memory_libc);
    ck_assert_int_eq(run_once(&fine, &options, message, strlen(message), 50), SHUNT_OK);
    shunt_buffer_char(&fine.log, 0);
    for (size_t n = 1;; n++) {
        struct host        h;
        struct test_memory memory;
        host_init(&h, true);
        test_memory_init(&memory, n);
        options = options_for(&h, program, &memory.memory);
        shunt_status status = run_once(&h, &options, message, strlen(message), 50);
        bool         all = memory.calls < n;
        ck_assert_msg(memory.blocks == 0, "call %zu: %zu blocks left", n, memory.blocks);
        ck_assert_msg(status == (all ? SHUNT_OK : SHUNT_NO_MEMORY), "call %zu: %s", n, shunt_status_info[status].code);
        ck_assert_msg(is_beginning_of(h.log.bytes, h.log.length, fine.log.bytes), "call %zu:\n%.*s", n, (int)h.log.length,
                      h.log.bytes);
        host_done(&h);
        if (all) break;
    }
    host_done(&fine);
    free(message);
    shunt_program_free(program);
}
END_TEST

START_TEST(callbacks_that_fail)
{
    shunt_program *program = remit_program(_i ? REMIT_FILE : 0);
    char          *message = remit_message(mixed);
    for (size_t n = 1;; n++) {
        struct host        h;
        struct test_memory memory;
        host_init(&h, true);
        test_memory_init(&memory, 0);
        h.fail_at = n;
        shunt_session_options options = options_for(&h, program, &memory.memory);
        shunt_status          status = run_once(&h, &options, message, strlen(message), 50);
        bool                  all = h.calls < n;
        ck_assert_int_eq(status, all ? SHUNT_OK : SHUNT_CALLBACK);
        ck_assert(h.calls == n || all); /* no call after the one that failed */
        ck_assert_uint_eq(memory.blocks, 0);
        host_done(&h);
        if (all) break;
    }
    free(message);
    shunt_program_free(program);
}
END_TEST

/* A spool whose n-th call fails. */
struct faulty {
    shunt_spool inner;
    size_t      calls, fail_at;
};

static bool faulty_now(void *context)
{
    struct faulty *f = context;
    return ++f->calls == f->fail_at;
}

static shunt_status faulty_append(void *context, const void *bytes, size_t length)
{
    struct faulty *f = context;
    return faulty_now(f) ? SHUNT_IO : f->inner.append(f->inner.context, bytes, length);
}

static uint64_t faulty_mark(void *context)
{
    struct faulty *f = context;
    return f->inner.mark(f->inner.context);
}

static shunt_status faulty_truncate(void *context, uint64_t offset)
{
    struct faulty *f = context;
    return faulty_now(f) ? SHUNT_IO : f->inner.truncate(f->inner.context, offset);
}

static shunt_status faulty_replay(void *context, uint64_t from, uint64_t to, shunt_spool_sink *sink, void *sink_context)
{
    struct faulty *f = context;
    return faulty_now(f) ? SHUNT_IO : f->inner.replay(f->inner.context, from, to, sink, sink_context);
}

static shunt_status faulty_reset(void *context)
{
    struct faulty *f = context;
    return faulty_now(f) ? SHUNT_IO : f->inner.reset(f->inner.context);
}

static void faulty_free(void *context) { (void)context; }

START_TEST(spool_that_fails)
{
    shunt_program *program = remit_program(_i ? REMIT_FILE : 0);
    char          *message = remit_message(mixed);
    for (size_t n = 1;; n++) {
        struct host   h;
        struct faulty faulty = { .fail_at = n };
        shunt_spool   spool = { faulty_append, faulty_mark, faulty_truncate, faulty_replay, faulty_reset, faulty_free, &faulty };
        host_init(&h, false);
        ck_assert_int_eq(shunt_spool_file_new(&shunt_memory_libc, NULL, 64, &faulty.inner), SHUNT_OK);
        shunt_session_options options = options_for(&h, program, &shunt_memory_libc);
        options.spool = &spool;
        shunt_status status = run_once(&h, &options, message, strlen(message), 50);
        bool         all = faulty.calls < n;
        ck_assert_int_eq(status, all ? SHUNT_OK : SHUNT_IO);
        faulty.inner.free(faulty.inner.context);
        host_done(&h);
        if (all) break;
    }
    free(message);
    shunt_program_free(program);
}
END_TEST

/* ---- faults of the reader ---- */

static const struct {
    const char *name;
    unsigned    flags;
    const char *input; /* behind ISA and GS */
    const char *log;
} fault_cases[] = {
    { "truncated", 0, "ST*835*0001~BPR*I*1~TRN*1*T~LX*1~CLP*A*1*1*1~CLP*B*1*1",
      "exception E_SYNTAX X12_TRUNCATED quarantine transaction quarantined\nletter 1-1 E_SYNTAX\nin 1: quarantined 1 of 1.00\n" },
    { "truncated, no exit of the source", REMIT_NO_EXITS, "ST*835*0001~BPR*I*1~TRN*1*T~LX*1~CLP*A*1*1*1~CLP*B*1*1",
      "exception X12_TRUNCATED quarantine transaction quarantined\nletter 1-1 X12_TRUNCATED\nin 1: quarantined 1 of 1.00\n" },
    { "a fault in a unit, answered by an exit of the unit", REMIT_UNIT_SYNTAX,
      "ST*835*0001~BPR*I*2~TRN*1*T~LX*1~CLP*A*1*1*1~C?S*1~CLP*B*1*1*1~SE*8*0001~GE*1*1~IEA*1*000000001~",
      "exception R_CODE X12_SEGMENT_ID reject unit rejected\nletter 1-1 1\nbegin\n"
      "record 0 [\"B\",\"1\"] {\"claim\":\"B\",\"amount\":\"1.00\",\"currency\":\"USD\",\"nth\":1}\ncommit\nin 2: posted 1 of "
      "1.00 rejected 1 of 1.00\n" },
    { "a fault before units is one of the transaction", REMIT_UNIT_SYNTAX,
      "ST*835*0001~B?R*I*1~TRN*1*T~LX*1~CLP*A*1*1*1~SE*6*0001~GE*1*1~IEA*1*000000001~",
      "exception R_CODE X12_SEGMENT_ID reject transaction\nletter 1-1 R_CODE\nin 1: rejected 1 of 1.00\n" },
    { "a fault outside of transactions undoes the file where the source says so", REMIT_FILE | REMIT_FILE_SYNTAX,
      "ST*835*0001~BPR*I*1~TRN*1*T~LX*1~CLP*A*1*1*1~SE*6*0001~IEA*1*000000001~",
      "exception F_CODE X12_NO_GE quarantine file\nletter 1-1 F_CODE\nin 1: quarantined 1 of 1.00\n" },
    { "wrong counts are warnings", 0, "ST*835*0001~BPR*I*1~TRN*1*T~LX*1~CLP*A*1*1*1~SE*9*0001~GE*1*1~IEA*1*000000001~",
      "exception X12_SE01 warning unit\nbegin\nrecord 0 [\"A\",\"1\"] "
      "{\"claim\":\"A\",\"amount\":\"1.00\",\"currency\":\"USD\",\"nth\":1}\ncommit\n"
      "in 1: posted 1 of 1.00\n" },
    { "a set that no source lists", 0,
      "ST*999*0001~AK1*HP*1~SE*3*0001~ST*835*0002~BPR*I*1~TRN*1*T~LX*1~CLP*A*Q*1*1~SE*6*0002~GE*2*1~IEA*1*000000001~",
      "exception X12_UNMAPPED_SET warning unit\nexception Q_CODE quarantine unit quarantined\nletter 1-2 1\nbegin\ncommit\nin 1: "
      "quarantined 1 of 1.00\n" },
};

static const char envelope[] =
    "ISA*00*          *00*          *ZZ*PAYER          *ZZ*CLINIC         *250301*1200*^*00501*000000001*0*T*:~"
    "GS*HP*PAYER*CLINIC*20250301*1200*1*X*005010X221A1~";

START_TEST(faults_of_the_reader)
{
    shunt_program *program = remit_program(fault_cases[_i].flags);
    char           message[1000];
    size_t         size = (size_t)snprintf(message, sizeof message, "%s%s", envelope, fault_cases[_i].input);
    for (size_t step = 1; step <= size; step++) {
        struct host h;
        host_init(&h, true);
        shunt_session_options options = options_for(&h, program, &shunt_memory_libc);
        ck_assert_int_eq(run_once(&h, &options, message, size, step), SHUNT_OK);
        shunt_buffer_char(&h.log, 0);
        ck_assert_msg(strcmp(h.log.bytes, fault_cases[_i].log) == 0, "%s, step %zu:\n%s\nwanted:\n%s", fault_cases[_i].name, step,
                      h.log.bytes, fault_cases[_i].log);
        host_done(&h);
    }
    shunt_program_free(program);
}
END_TEST

/* ---- dead letters ---- */

START_TEST(a_letter_runs_again)
{
    static const char *const sets[] = { "claim A 1 1\n", "claim B 1 2\nclaim C Q 4\nclaim D 1 8\nclaim E R 16\n", "" };
    shunt_program           *program = remit_program(0);
    char                    *message = remit_message(sets);
    struct host              first, again;
    host_init(&first, true);
    host_init(&again, true);
    shunt_session_options options = options_for(&first, program, &shunt_memory_libc);
    ck_assert_int_eq(run_once(&first, &options, message, strlen(message), 33), SHUNT_OK);
    shunt_buffer_char(&first.letter, 0);
    /* As received: headers, the set, and trailers that fit. */
    char *set = strstr(message, "ST*835*0002"), wanted[1000];
    snprintf(wanted, sizeof wanted, "%s%.*sGE*1*1~IEA*1*000000001~", envelope, (int)(strstr(set, "GE*") - set), set);
    ck_assert_str_eq(first.letter.bytes, wanted);
    /* Byte ranges, in both. */
    shunt_buffer_char(&first.units, 0);
    const char *unit = strstr(first.units.bytes, "{\"ordinal\":2");
    unsigned    begin, end, input_begin, input_end;
    ck_assert(unit && sscanf(strstr(unit, "\"begin\":"), "\"begin\":%u,\"end\":%u,\"input_begin\":%u,\"input_end\":%u", &begin,
                             &end, &input_begin, &input_end) == 4);
    ck_assert_msg(strncmp(first.letter.bytes + begin, "CLP*C*Q*100*4~", end - begin) == 0 && end - begin == 14, "%s", unit);
    ck_assert_msg(strncmp(message + input_begin, "CLP*C*Q*100*4~", input_end - input_begin) == 0, "%s", unit);
    /* Repaired and run again: the whole set foots, its other units are skipped. */
    char *status = strstr(first.letter.bytes, "CLP*C*Q");
    status[6] = '1';
    const uint64_t only[] = { 2, 4 };
    options = options_for(&again, program, &shunt_memory_libc);
    options.only = only;
    options.only_count = 2;
    ck_assert_int_eq(run_once(&again, &options, first.letter.bytes, strlen(first.letter.bytes), 20), SHUNT_OK);
    shunt_buffer_char(&again.log, 0);
    ck_assert_str_eq(again.log.bytes,
                     "exception R_CODE reject unit rejected\nletter 1-1 4\nbegin\n"
                     "record 0 [\"C\",\"1\"] {\"claim\":\"C\",\"amount\":\"4.00\",\"currency\":\"USD\",\"nth\":1}\ncommit\n"
                     "in 4: posted 1 of 4.00 skipped 2 of 10.00 rejected 1 of 16.00\n");
    host_done(&first);
    host_done(&again);
    free(message);
    shunt_program_free(program);
}
END_TEST

/* ---- memory ---- */

/* A transaction of many units, all of which fail and warn: what is held does not grow with them. */
static size_t peak_of(const shunt_program *program, unsigned units)
{
    struct test_memory memory;
    struct host        h;
    char              *body = malloc(units * 40 + 1), *at = body;
    ck_assert(body);
    for (unsigned i = 0; i < units; i++) at += sprintf(at, "claim PATIENT%u %c 1\n", i, i % 2 ? 'X' : '1');
    const char *const sets[] = { body, "" };
    char             *message = remit_message(sets);
    test_memory_init(&memory, 0);
    host_init(&h, true);
    shunt_session_options options = options_for(&h, program, &memory.memory);
    ck_assert_int_eq(run_once(&h, &options, message, strlen(message), 4096), SHUNT_OK);
    ck_assert_uint_eq(memory.blocks, 0);
    host_done(&h);
    free(message);
    free(body);
    return memory.peak_bytes;
}

START_TEST(memory_does_not_grow)
{
    shunt_program *program = remit_program(_i ? REMIT_FILE : 0);
    size_t         few = peak_of(program, 70000), many = peak_of(program, 130000);
    /* The indexes of keys have their table in full at 70,000; the rest is the same for any number. */
    ck_assert_msg(many <= few + (18 << 20) && many < (64 << 20), "%zu, then %zu", few, many);
    shunt_program_free(program);
}
END_TEST

/* A list of units beyond a mebibyte comes in pieces, and they join up. */
START_TEST(a_long_list_of_units)
{
    enum { UNITS = 12000 };
    shunt_program *program = remit_program(0);
    char          *body = malloc(UNITS * 32), *at = body;
    struct host    h;
    ck_assert(body);
    for (unsigned i = 1; i <= UNITS; i++) at += sprintf(at, "claim PATIENT%u Q 1\n", i);
    const char *const sets[] = { body, "" };
    char             *message = remit_message(sets);
    host_init(&h, true);
    shunt_session_options options = options_for(&h, program, &shunt_memory_libc);
    ck_assert_int_eq(run_once(&h, &options, message, strlen(message), 100000), SHUNT_OK);
    ck_assert_uint_gt(h.units.length, SHUNT_LETTER_UNITS);
    shunt_buffer_char(&h.units, 0);
    unsigned listed = 0;
    for (const char *unit = h.units.bytes; (unit = strstr(unit, "{\"ordinal\":")); unit++)
        ck_assert_int_eq(atoi(unit + 11), (int)++listed);
    ck_assert_uint_eq(listed, UNITS);
    ck_assert(strcmp(h.units.bytes + h.units.length - 5, "}]}\n") == 0);
    host_done(&h);
    free(message);
    free(body);
    shunt_program_free(program);
}
END_TEST

START_TEST(a_unit_that_is_too_large)
{
    static const char *const sets[] = { "claim A 1 "
                                        "1\nCAS*CO*45*3~CAS*CO*45*3~CAS*CO*45*3~CAS*CO*45*3~CAS*CO*45*3~CAS*CO*45*3~CAS*CO*45*3~"
                                        "CAS*CO*45*3~CAS*CO*45*3~\nclaim B 1 2\n",
                                        "" };
    shunt_program           *program = remit_program(0);
    char                    *message = remit_message(sets);
    struct host              h;
    host_init(&h, true);
    shunt_session_options options = options_for(&h, program, &shunt_memory_libc);
    options.unit_bytes = 1000;
    ck_assert_int_eq(run_once(&h, &options, message, strlen(message), 10), SHUNT_OK);
    shunt_buffer_char(&h.log, 0);
    ck_assert_str_eq(h.log.bytes, "exception E_RULE LIMIT_UNIT_BYTES quarantine unit quarantined\nexception E_RULE TALLY_UNKNOWN "
                                  "quarantine transaction\nletter 1-1 E_RULE\n"
                                  "in 2: quarantined 2 of 2.00\n");
    host_done(&h);
    free(message);
    shunt_program_free(program);
}
END_TEST

/* ---- options, order of calls ---- */

START_TEST(calls_out_of_order)
{
    shunt_program *program = remit_program(0);
    struct host    h;
    char           why[200] = "";
    shunt_session *session;
    host_init(&h, false);
    shunt_session_options options = options_for(&h, program, &shunt_memory_libc);
    ck_assert_int_eq(shunt_session_new(&options, &session, why), SHUNT_OK);
    ck_assert_int_eq(shunt_session_feed(session, "x", 1), SHUNT_USAGE);
    ck_assert_int_eq(shunt_session_end(session), SHUNT_USAGE);
    ck_assert_int_eq(shunt_session_begin(session, shunt_reader_for(SHUNT_STANDARD_X12, &shunt_memory_libc, &program->plan),
                                         SHUNT_TEXT("in"), SHUNT_TEXT("")),
                     SHUNT_OK);
    ck_assert_int_eq(shunt_session_begin(session, shunt_reader_for(SHUNT_STANDARD_X12, &shunt_memory_libc, &program->plan),
                                         SHUNT_TEXT("in"), SHUNT_TEXT("")),
                     SHUNT_USAGE);
    ck_assert_int_eq(shunt_session_finish(session), SHUNT_USAGE);
    ck_assert_int_eq(shunt_session_end(session), SHUNT_OK);
    ck_assert_int_eq(shunt_session_finish(session), SHUNT_OK);
    shunt_session_free(session);
    host_done(&h);
    shunt_program_free(program);
}
END_TEST

START_TEST(options_that_rules_need)
{
    static const struct {
        const char *code, *why;
    } needs[] = {
        { "function f 0 none : text text\n LOADK 0 \"a\"\n BUILTIN 0 TOKENIZE\n FINISH\n",
          "the rules use `tokenize`, so the run needs a token key" },
        { "function f 0 none : moment\n BUILTIN 0 RECEIVED_AT\n FINISH\n",
          "the rules read `received_at`, so the run needs the time of arrival" },
    };
    shunt_program *program = asm_load(needs[_i].code);
    struct host    h;
    char           why[200] = "";
    shunt_session *session;
    host_init(&h, false);
    shunt_session_options options = options_for(&h, program, &shunt_memory_libc);
    ck_assert_int_eq(shunt_session_new(&options, &session, why), SHUNT_USAGE);
    ck_assert_str_eq(why, needs[_i].why);
    options.token_key = (const uint8_t *)"k";
    options.token_key_length = 1;
    options.received_at_known = true;
    ck_assert_int_eq(shunt_session_new(&options, &session, why), SHUNT_OK);
    shunt_session_free(session);
    host_done(&h);
    shunt_program_free(program);
}
END_TEST

/* Two inputs: a duplicate across them, and ids. */
START_TEST(inputs_one_after_the_other)
{
    static const char *const sets[] = { "claim A 1 1\n", "" };
    shunt_program           *program = remit_program(0);
    char                    *message = remit_message(sets);
    struct host              h;
    char                     why[200] = "";
    shunt_session           *session;
    host_init(&h, false);
    shunt_session_options options = options_for(&h, program, &shunt_memory_libc);
    ck_assert_int_eq(shunt_session_new(&options, &session, why), SHUNT_OK);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(run_input(session, program, &shunt_memory_libc, message, strlen(message), 100), SHUNT_OK);
    ck_assert_int_eq(shunt_session_finish(session), SHUNT_OK);
    put_totals(&h.log, session);
    shunt_buffer_char(&h.log, 0);
    ck_assert_str_eq(h.log.bytes, "begin\nrecord 0 [\"A\",\"1\"] "
                                  "{\"claim\":\"A\",\"amount\":\"1.00\",\"currency\":\"USD\",\"nth\":1}\ncommit\nbegin\ncommit\n"
                                  "in 2: posted 1 of 1.00 duplicate 1 of 1.00\n");
    ck_assert(shunt_text_is(shunt_session_input(session, 0)->id, "1") && shunt_text_is(shunt_session_input(session, 1)->id, "2"));
    ck_assert_uint_eq(shunt_session_input(session, 1)->bytes, strlen(message));
    ck_assert(memcmp(shunt_session_input(session, 0)->sha256, shunt_session_input(session, 1)->sha256, 32) == 0);
    ck_assert(!shunt_session_at_fault(session));
    shunt_buffer report;
    shunt_buffer_init(&report, &shunt_memory_libc);
    shunt_report(session, &report);
    shunt_buffer_char(&report, 0);
    ck_assert(strstr(report.bytes, "\"units\": {\n    \"in\": 2,\n    \"posted\": 1,\n    \"duplicate\": 1,"));
    ck_assert(strstr(report.bytes, "\"records\": {\n    \"work\": 1,\n    \"gl\": 0\n  }"));
    ck_assert(strstr(report.bytes, "\"name\": \"paid_total\",\n      \"currency\": \"USD\",\n      \"in\": \"2.00\",\n      "
                                   "\"posted\": \"1.00\",\n      \"duplicate\": \"1.00\","));
    ck_assert(
        strstr(report.bytes,
               "\"name\": \"payment\",\n      \"currency\": \"USD\",\n      \"in\": \"2.00\",\n      \"posted\": \"2.00\","));
    ck_assert(strstr(report.bytes, "\"balanced\": true\n}\n"));
    shunt_buffer_done(&report);
    shunt_session_free(session);
    host_done(&h);
    free(message);
    shunt_program_free(program);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session");
    TCase *tc = tcase_create("session");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, units_and_scopes, 0, SHUNT_COUNT(cases));
    tcase_add_loop_test(tc, records_in_large_pieces, 0, SHUNT_COUNT(cases));
    tcase_add_test(tc, every_end_of_the_input);
    tcase_add_loop_test(tc, faults_of_the_reader, 0, SHUNT_COUNT(fault_cases));
    tcase_add_test(tc, a_letter_runs_again);
    tcase_add_loop_test(tc, memory_that_fails, 0, 2);
    tcase_add_loop_test(tc, callbacks_that_fail, 0, 2);
    tcase_add_loop_test(tc, spool_that_fails, 0, 2);
    tcase_add_loop_test(tc, memory_does_not_grow, 0, 2);
    tcase_add_test(tc, a_long_list_of_units);
    tcase_add_test(tc, a_unit_that_is_too_large);
    tcase_add_test(tc, calls_out_of_order);
    tcase_add_loop_test(tc, options_that_rules_need, 0, 2);
    tcase_add_test(tc, inputs_one_after_the_other);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
