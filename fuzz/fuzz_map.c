/* fuzz_map.c - any bytes as rules: the compiler ends in bounded time and memory with messages or with a program; a program that it makes is
 * saved, loaded and run over a small remittance. */
#include <errno.h>
#include <shunt/shunt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char input[] =
    "ISA*00*          *00*          *ZZ*S              *ZZ*R              *250301*1200*^*00501*000000001*0*T*:~"
    "GS*HP*S*R*20250301*1200*1*X*005010X221A1~ST*835*0001~BPR*I*15*C*ACH*CCP*01*1*DA*1*1999999999**01*1*DA*1*20250301~TRN*1*T1*"
    "1999999999~"
    "DTM*405*20250228~N1*PR*P~REF*2U*X~N1*PE*Q*XX*1234567893~LX*1~CLP*C1*1*10*8*1*12*P1*11*1~CAS*CO*45*1~CAS*PR*1*1~NM1*QC*1*A*B*"
    "***MI*M~"
    "NM1*82*1*D****XX*1234567893~MOA***N1~DTM*232*20250101~SVC*HC:99213*10*8**1~DTM*472*20250101~LQ*HE*N2~CLP*C2*22*-10*7**12*P2~"
    "PLB*1234567893*20251231*L6:P1*0~SE*24*0001~GE*1*1~IEA*1*000000001~";

typedef struct source {
    const uint8_t *bytes;
    size_t         size;
} source;

static int read_file(void *context, const shunt_allocator *allocator, const char *path, unsigned char **bytes, size_t *size)
{
    const source     *main_file = context;
    static const char table[] = "a,b\n1,2\n";
    if (strcmp(path, "main.map") != 0 && !strstr(path, ".csv")) return ENOENT;
    const void *from = strstr(path, ".csv") ? (const void *)table : main_file->bytes;
    *size = strstr(path, ".csv") ? sizeof table - 1 : main_file->size;
    *bytes = allocator->allocate(allocator->context, *size + 1);
    if (!*bytes) return ENOMEM;
    if (*size) memcpy(*bytes, from, *size);
    return 0;
}

static bool ignore_mark(void *context)
{
    (void)context;
    return true;
}
static bool ignore_record(void *context, const shunt_out *record)
{
    (void)context, (void)record;
    return true;
}
static bool ignore_exception(void *context, const shunt_exception *exception)
{
    (void)context, (void)exception;
    return true;
}
static bool count(void *context, const void *bytes, size_t size)
{
    (void)bytes;
    *(size_t *)context += size;
    return true;
}

/* A text that grows. */
typedef struct text {
    char  *bytes;
    size_t length;
} text;

static bool append(void *context, const void *bytes, size_t size)
{
    text *t = context;
    char *more = realloc(t->bytes, t->length + size + 1);
    if (!more) return false;
    memcpy(more + t->length, bytes, size);
    t->bytes = more;
    t->length += size;
    return true;
}

/* What can be read can be laid out, and a layout is its own. */
static void lay_out(const uint8_t *data, size_t size)
{
    text         once = { 0 }, twice = { 0 };
    shunt_result result = shunt_format("main.map", data, size, NULL, append, &once, NULL);
    if (result != SHUNT_DONE && result != SHUNT_RULES_FAULT) abort();
    if (result == SHUNT_DONE) {
        if (shunt_format("main.map", once.bytes, once.length, NULL, append, &twice, NULL) != SHUNT_DONE) abort();
        if (once.length != twice.length || memcmp(once.bytes, twice.bytes, once.length) != 0) abort();
    }
    free(once.bytes);
    free(twice.bytes);
}

static bool ignore_origins(void *context, const shunt_origins *origins)
{
    (void)context, (void)origins;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    source                file = { data, size };
    shunt_compile_options options = { .size = sizeof options, .read_file = read_file, .read_context = &file, .lints = true };
    shunt_program        *program = NULL;
    shunt_messages       *messages = NULL;
    size_t                written = 0;
    shunt_result          result = shunt_compile("main.map", &options, &program, &messages);
    if (result == SHUNT_SYSTEM_FAULT) abort();
    lay_out(data, size);
    if ((result == SHUNT_DONE) != (program != NULL) || (result == SHUNT_DONE) != (shunt_messages_errors(messages) == 0)) abort();
    shunt_messages_print(messages, false, count, &written);
    shunt_messages_print(messages, true, count, &written);
    shunt_messages_free(messages);
    if (!program) return 0;
    shunt_callbacks callbacks = {
        .begin = ignore_mark, .record = ignore_record, .commit = ignore_mark, .exception = ignore_exception
    };
    shunt_run_options run_options = { .size = sizeof run_options,
                                      .max_steps_per_unit = 100000,
                                      .max_unit_bytes = 1 << 20,
                                      .token_key = "k",
                                      .token_key_size = 1,
                                      .lineage = size % 2 ? ignore_origins : NULL,
                                      .received_at = "2025-03-01T12:00:00Z" };
    shunt_run        *run = NULL;
    if (shunt_run_new(program, &callbacks, &run_options, &run, NULL) == SHUNT_DONE) {
        shunt_totals totals;
        shunt_run_begin(run, NULL, "fuzz");
        shunt_run_feed(run, input, sizeof input - 1);
        shunt_run_end(run);
        if (shunt_run_finish(run) <= SHUNT_INPUT_FAULT) {
            shunt_run_totals(run, &totals);
            if (totals.in != totals.posted + totals.duplicate + totals.skipped + totals.rejected + totals.quarantined) abort();
            shunt_run_report(run, count, &written);
        }
    }
    shunt_run_free(run);
    shunt_release(program);
    return 0;
}
