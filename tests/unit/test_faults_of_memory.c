/* Every allocation of a compilation and of a run fails once, and once with all that follow: a clear result, nothing leaks, and what
 * had been committed stays a whole transaction. */
#include <check.h>
#include <shunt/shunt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/test_memory.h"

/* One exception of each class: syntax (SE01), structure (order), code set (status 77), balance (C2), reference data (C3), duplicate (C1 with
 * another amount), business (C4), limit (C5). */
static const char rules[] =
    "module t.faults version \"1.0.0\" edition 1\n"
    "source era is X12 835 \"005010X221A1\" { currency: USD }\n"
    "codes {\n"
    "  T_RULE \"value\" queue \"q\"\n"
    "  T_FOOT \"foot\" queue \"q\"\n"
    "}\n"
    "table chart { from \"chart.csv\" key account: text(10) column open: bool }\n"
    "target gl is journal {\n"
    "  date: date\n"
    "  origin: text(8)\n"
    "  column claim: text(38)?\n"
    "  column status: text(2)?\n"
    "  accounts from chart\n"
    "  accepts phi account_number, identifier\n"
    "}\n"
    "map post from era into gl {\n"
    "  correlate by TRN02\n"
    "  on error quarantine T_RULE\n"
    "  tally paid: money(USD) per transaction of c.CLP04 for each c in 2100\n"
    "  for each claim in 2100 {\n"
    "    check CLP03 >= CLP04 else quarantine T_FOOT \"charge {CLP03}\"\n"
    "    journal gl with (claim: CLP01, status: CLP02) {\n"
    "      key TRN02, CLP01\n"
    "      date: BPR16\n"
    "      origin: \"t\"\n"
    "      negatives: flip\n"
    "      debit \"1015\" CLP04\n"
    "      for each a in adjustments(claim) { debit \"4500\" a.amount }\n"
    "      credit (if CLP01 = \"C3\" then \"9999\" else \"1200\") (if CLP01 = \"C2\" then 1.00 USD else CLP03)\n"
    "    }\n"
    "  }\n"
    "}\n";
static const char chart[] = "account,open\n1015,true\n4500,true\n1200,true\n";

#define SET(number, se, paid, cut)                                                                                               \
    "ST*835*000" number "~BPR*I*1*C*ACH************20250301~TRN*1*T1*1999999999~N1*PR*P~N1*PE*Q*XX*1~LX*1~"                      \
    "CLP*C1*77*10*" paid "**12*P1~CAS*CO*45*" cut "~NM1*QC*1*A~DTM*232*20250101~CLP*C2*1*10*10**12*P2~CLP*C3*1*10*10**12*P3~"    \
    "CLP*C4*1*10*20**12*P4~CLP*C5-0123456789012345678901234567890123456789*1*10*10**12*P5~REF*EV*X~SE*" se "*000" number "~"
static const char input[] =
    "ISA*00*          *00*          *ZZ*S              *ZZ*R              *250301*1200*^*00501*000000001*0*T*:~"
    "GS*HP*S*R*20250301*1200*1*X*005010X221A1~" SET("1", "99", "8", "2") SET("2", "15", "7", "3") "GE*2*1~IEA*1*000000001~";

static int read_file(void *context, const shunt_allocator *allocator, const char *path, unsigned char **bytes, size_t *size)
{
    const char *text = strstr(path, "chart.csv") ? chart : rules;
    (void)context;
    *size = strlen(text);
    *bytes = allocator->allocate(allocator->context, *size + 1);
    if (!*bytes) return 12;
    memcpy(*bytes, text, *size);
    return 0;
}

static shunt_allocator allocator_of(struct test_memory *m)
{
    return (shunt_allocator){ m->memory.allocate, m->memory.resize, m->memory.release, m->memory.context };
}

typedef struct seen {
    unsigned open, records, commits, exceptions, lineages;
    char     classes[400];
} seen;
static bool on_begin(void *context)
{
    ((seen *)context)->open = 0;
    return true;
}
static bool on_record(void *context, const shunt_out *record)
{
    (void)record;
    ((seen *)context)->open++;
    return true;
}
static bool on_commit(void *context)
{
    seen *s = context;
    s->commits++;
    s->records += s->open;
    s->open = 0;
    return true;
}
static bool on_exception(void *context, const shunt_exception *exception)
{
    seen *s = context;
    s->exceptions++;
    if (!strstr(s->classes, exception->class_name) &&
        strlen(s->classes) + strlen(exception->class_name) + 2 < sizeof s->classes) {
        strcat(s->classes, exception->class_name);
        strcat(s->classes, ";");
    }
    return true;
}
static bool on_letter(void *context, const shunt_dead_letter *letter)
{
    (void)context, (void)letter;
    return true;
}
static bool on_lineage(void *context, const shunt_origins *lineage)
{
    ((seen *)context)->lineages += lineage->length > 0 && lineage->text_length > 0;
    return true;
}
static bool add(void *context, const void *bytes, size_t size)
{
    (void)bytes;
    *(size_t *)context += size;
    return true;
}

static shunt_result compile(const shunt_allocator *allocator, shunt_program **program)
{
    shunt_compile_options options = { .size = sizeof options, .allocator = allocator, .read_file = read_file };
    shunt_messages       *messages = NULL;
    shunt_result          result = shunt_compile("t.map", &options, program, &messages);
    shunt_messages_free(messages);
    return result;
}

static shunt_result run(const shunt_program *program, const shunt_allocator *allocator, bool lineage, seen *s)
{
    shunt_callbacks   callbacks = { s, on_begin, on_record, on_commit, on_exception, on_letter };
    shunt_run_options options = { .size = sizeof options, .allocator = allocator, .lineage = lineage ? on_lineage : NULL };
    shunt_run        *r = NULL;
    shunt_messages   *messages = NULL;
    size_t            report = 0;
    *s = (seen){ 0 };
    shunt_result result = shunt_run_new(program, &callbacks, &options, &r, &messages);
    shunt_messages_free(messages);
    if (result == SHUNT_DONE) result = shunt_run_begin(r, NULL, "t");
    for (size_t at = 0; result <= SHUNT_INPUT_FAULT && at < sizeof input - 1; at += 100)
        result = shunt_run_feed(r, input + at, sizeof input - 1 - at < 100 ? sizeof input - 1 - at : 100);
    if (result <= SHUNT_INPUT_FAULT) result = shunt_run_end(r);
    if (result <= SHUNT_INPUT_FAULT) result = shunt_run_finish(r);
    if (result <= SHUNT_INPUT_FAULT && shunt_run_report(r, add, &report) != SHUNT_DONE) result = SHUNT_SYSTEM_FAULT;
    shunt_run_free(r);
    return result;
}

START_TEST(all_classes_appear)
{
    shunt_program *program = NULL;
    seen           s;
    ck_assert_int_eq(compile(NULL, &program), SHUNT_DONE);
    ck_assert_int_eq(run(program, NULL, false, &s), SHUNT_INPUT_FAULT);
    static const char *const classes[] = { "syntax",         "structure", "code set", "balance",
                                           "reference data", "duplicate", "business", "limit" };
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        ck_assert_msg(strstr(s.classes, classes[i]) != NULL, "no exception of class %s; seen %s", classes[i], s.classes);
    shunt_release(program);
}
END_TEST

/* _i: 0 = one call fails, 1 = that call and all later ones. */
START_TEST(compiling_survives_every_failure)
{
    for (size_t n = 1;; n++) {
        struct test_memory m;
        test_memory_init(&m, n);
        m.fail_on = _i;
        shunt_allocator allocator = allocator_of(&m);
        shunt_program  *program = NULL;
        shunt_result    result = compile(&allocator, &program);
        ck_assert_msg(result == SHUNT_DONE || result == SHUNT_SYSTEM_FAULT, "call %zu: result %d", n, (int)result);
        ck_assert((program != NULL) == (result == SHUNT_DONE));
        shunt_release(program);
        ck_assert_msg(m.blocks == 0, "call %zu: %zu blocks leak", n, m.blocks);
        if (m.calls < n) break;
    }
}
END_TEST

/* The same for rules of the project, with what they import and their tables; `_i` counts each of them twice. */
static const char *const rule_files[] = { "/rules/x12/remit_gl.map",    "/tests/cases/run/fhir.map",
                                          "/tests/cases/run/rows.map",  "/rules/csv/bai2.map",
                                          "/rules/x12/write_820.map",   "/tests/cases/run/overlay_site.map",
                                          "/tests/cases/run/decide.map" };

START_TEST(compiling_rules_survives_every_failure)
{
    char path[400];
    snprintf(path, sizeof path, "%s%s", SHUNT_ROOT, rule_files[_i / 2]);
    for (size_t n = 1;; n++) {
        struct test_memory m;
        test_memory_init(&m, n);
        m.fail_on = _i % 2;
        shunt_allocator       allocator = allocator_of(&m);
        shunt_compile_options options = { .size = sizeof options, .allocator = &allocator };
        shunt_program        *program = NULL;
        shunt_result          result = shunt_compile(path, &options, &program, NULL);
        ck_assert_msg(result == SHUNT_DONE || result == SHUNT_SYSTEM_FAULT, "call %zu: result %d", n, (int)result);
        ck_assert((program != NULL) == (result == SHUNT_DONE));
        shunt_release(program);
        ck_assert_msg(m.blocks == 0, "call %zu: %zu blocks leak", n, m.blocks);
        if (m.calls < n) break;
    }
}
END_TEST

/* `_i`: bit 0 = all later calls fail too, bit 1 = with lineage. */
START_TEST(running_survives_every_failure)
{
    shunt_program *program = NULL;
    seen           whole, s;
    ck_assert_int_eq(compile(NULL, &program), SHUNT_DONE);
    ck_assert_int_eq(run(program, NULL, _i / 2, &whole), SHUNT_INPUT_FAULT);
    ck_assert_uint_eq(whole.lineages, _i / 2 ? whole.records : 0);
    for (size_t n = 1;; n++) {
        struct test_memory m;
        test_memory_init(&m, n);
        m.fail_on = _i % 2;
        shunt_allocator allocator = allocator_of(&m);
        shunt_result    result = run(program, &allocator, _i / 2, &s);
        ck_assert_msg(result == SHUNT_INPUT_FAULT || result == SHUNT_SYSTEM_FAULT, "call %zu: result %d", n, (int)result);
        ck_assert_msg(m.blocks == 0, "call %zu: %zu blocks leak", n, m.blocks);
        ck_assert_msg(s.records <= whole.records && s.commits <= whole.commits, "call %zu: more than without failure", n);
        if (m.calls < n) break;
    }
    shunt_release(program);
}
END_TEST

/* Rules of the project that write messages or answer them, with their samples; `_i`: bit 0 = all later calls fail too. */
static const char *const writers[][2] = { { "/rules/x12/write_820.map", "/rules/x12/samples/write_820.csv" },
                                          { "/rules/x12/write_999.map", "/rules/x12/samples/write_999.csv" },
                                          { "/rules/x12/claim_ar.map", "/rules/x12/samples/claim_ar.edi" } };
enum { SAMPLE = 1 << 16 };

static shunt_result write_messages(const shunt_program *program, const char *bytes, size_t size, const shunt_allocator *allocator,
                                   seen *s, size_t *answered)
{
    shunt_callbacks   callbacks = { s, on_begin, on_record, on_commit, on_exception, on_letter };
    shunt_run_options options = { .size = sizeof options,
                                  .allocator = allocator,
                                  .token_key = "a key",
                                  .token_key_size = 5,
                                  .received_at = "2025-03-01T12:00:00Z",
                                  .acknowledge = add,
                                  .acknowledge_context = answered };
    shunt_run        *r = NULL;
    *s = (seen){ 0 };
    *answered = 0;
    shunt_result result = shunt_run_new(program, &callbacks, &options, &r, NULL);
    if (result == SHUNT_DONE) result = shunt_run_begin(r, NULL, "t");
    if (result == SHUNT_DONE) result = shunt_run_feed(r, bytes, size);
    if (result == SHUNT_DONE) result = shunt_run_end(r);
    if (result <= SHUNT_INPUT_FAULT) result = shunt_run_finish(r);
    shunt_run_free(r);
    return result;
}

START_TEST(writing_survives_every_failure)
{
    static char    bytes[SAMPLE];
    char           path[400];
    shunt_program *program = NULL;
    seen           whole, s;
    size_t         answered, all_answered;
    snprintf(path, sizeof path, "%s%s", SHUNT_ROOT, writers[_i / 2][1]);
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    snprintf(path, sizeof path, "%s%s", SHUNT_ROOT, writers[_i / 2][0]);
    ck_assert_int_eq(shunt_compile(path, NULL, &program, NULL), SHUNT_DONE);
    shunt_result fine = write_messages(program, bytes, size, NULL, &whole, &all_answered);
    ck_assert_int_le(fine, SHUNT_INPUT_FAULT);
    ck_assert_uint_gt(whole.records, 0);
    ck_assert(!strstr(path, "claim") || all_answered > 0);
    for (size_t n = 1;; n++) {
        struct test_memory m;
        test_memory_init(&m, n);
        m.fail_on = _i % 2;
        shunt_allocator allocator = allocator_of(&m);
        shunt_result    result = write_messages(program, bytes, size, &allocator, &s, &answered);
        ck_assert_msg(result == fine || result == SHUNT_SYSTEM_FAULT, "call %zu: result %d", n, (int)result);
        ck_assert_msg(m.blocks == 0, "call %zu: %zu blocks leak", n, m.blocks);
        ck_assert_msg(s.records <= whole.records && answered <= all_answered, "call %zu: more than without failure", n);
        if (m.calls < n) break;
    }
    shunt_release(program);
}
END_TEST

/* Validation and its answers, of each standard; `_i`: bit 0 = all later calls fail too. */
static const char *const to_validate[] = {
    input,
    "MSH|^~\\&|S|F|R||20250101||DFT^P03^DFT_P03|C1|P|2.5.1\rPID|||||DOE\rFT1|1|||x\rZZZ|1\r",
    "{\"resourceType\":\"Claim\",\"id\":\"1\",\"status\":\"strange\",\"total\":{\"value\":\"x\"},\"item\":[{}]}",
};

static shunt_result validate(const char *message, const shunt_allocator *allocator, size_t *written, size_t *answered)
{
    shunt_validate_options options = {
        .size = sizeof options, .allocator = allocator, .acknowledge = add, .acknowledge_context = answered
    };
    shunt_validator *validator = NULL;
    size_t           size = strlen(message);
    *written = *answered = 0;
    shunt_result result = shunt_validator_new(&options, add, written, &validator, NULL);
    if (result == SHUNT_DONE) result = shunt_validator_feed(validator, message, size / 2, false);
    if (result == SHUNT_DONE) result = shunt_validator_feed(validator, message + size / 2, size - size / 2, true);
    shunt_validator_free(validator);
    return result;
}

START_TEST(validating_survives_every_failure)
{
    const char *message = to_validate[_i / 2];
    size_t      written, answered, all, all_answered;
    ck_assert_int_eq(validate(message, NULL, &all, &all_answered), SHUNT_INPUT_FAULT);
    ck_assert_uint_gt(all_answered, 0);
    for (size_t n = 1;; n++) {
        struct test_memory m;
        test_memory_init(&m, n);
        m.fail_on = _i % 2;
        shunt_allocator allocator = allocator_of(&m);
        shunt_result    result = validate(message, &allocator, &written, &answered);
        ck_assert_msg(result == SHUNT_INPUT_FAULT || result == SHUNT_SYSTEM_FAULT, "call %zu: result %d", n, (int)result);
        ck_assert_msg(m.blocks == 0, "call %zu: %zu blocks leak", n, m.blocks);
        ck_assert_msg(written <= all && answered <= all_answered, "call %zu: more than without failure", n);
        if (m.calls < n) break;
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("faults of memory");
    TCase *tc = tcase_create("every call");
    tcase_set_timeout(tc, 300);
    tcase_add_test(tc, all_classes_appear);
    tcase_add_loop_test(tc, compiling_survives_every_failure, 0, 2);
    tcase_add_loop_test(tc, compiling_rules_survives_every_failure, 0, 2 * (int)(sizeof rule_files / sizeof *rule_files));
    tcase_add_loop_test(tc, running_survives_every_failure, 0, 4);
    tcase_add_loop_test(tc, writing_survives_every_failure, 0, 2 * (int)(sizeof writers / sizeof *writers));
    tcase_add_loop_test(tc, validating_survives_every_failure, 0, 2 * (int)(sizeof to_validate / sizeof *to_validate));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
