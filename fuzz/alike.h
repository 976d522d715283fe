/* alike.h - for harnesses: a run of a program over an input is the same with machine code of what the optimiser made, in the loop with the code
 * as it is written, and with lineage; whatever else comes of it. Aborts where they differ, and prints both. */
#ifndef SHUNT_FUZZ_ALIKE_H
#define SHUNT_FUZZ_ALIKE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/vm/report.h"
#include "engine/vm/session.h"
#include "standards/registry.h"

enum { ALIKE_NATIVE, ALIKE_LOOP, ALIKE_LINEAGE, ALIKE_WAYS };

struct alike_log {
    shunt_buffer text;
    bool         limits; /* a limit was met: what a run costs is not the same */
};

static shunt_status alike_begin(void *context)
{
    shunt_buffer_z(&((struct alike_log *)context)->text, "begin\n");
    return SHUNT_OK;
}

static shunt_status alike_commit(void *context)
{
    shunt_buffer_z(&((struct alike_log *)context)->text, "commit\n");
    return SHUNT_OK;
}

static shunt_status alike_record(void *context, uint16_t target, const char *bytes, size_t length)
{
    struct alike_log *log = context;
    shunt_buffer_format(&log->text, "%u ", target);
    shunt_buffer_add(&log->text, bytes, length);
    shunt_buffer_char(&log->text, '\n');
    return SHUNT_OK;
}

static shunt_status alike_exception(void *context, const shunt_exception_out *exception)
{
    struct alike_log *log = context;
    log->limits |= exception->cause == SHUNT_LIMIT_STEPS || exception->cause == SHUNT_LIMIT_UNIT_BYTES;
    shunt_buffer_text(&log->text, exception->json);
    shunt_buffer_char(&log->text, '\n');
    return SHUNT_OK;
}

static shunt_status alike_lineage(void *context, const shunt_lineage_out *lineage)
{
    (void)context, (void)lineage;
    return SHUNT_OK;
}

/* No standard of the program: nothing is run. */
static void alike_run(const shunt_program *program, const char *bytes, size_t size, uint64_t steps, int way,
                      struct alike_log *log)
{
    shunt_session_options options = { .memory = &shunt_memory_libc,
                                      .program = program,
                                      .sinks = { log, alike_begin, alike_record, alike_commit, alike_exception, NULL, NULL },
                                      .steps = steps,
                                      .unit_bytes = 1 << 20,
                                      .token_key = (const uint8_t *)"k",
                                      .token_key_length = 1,
                                      .received_at_known = true,
                                      .received_at = { .microseconds = INT64_C(1741000000000000) },
                                      .lineage_sink = way == ALIKE_LINEAGE ? alike_lineage : NULL,
                                      .interpret = way != ALIKE_NATIVE };
    shunt_session        *session;
    shunt_standard        standard;
    char                  why[200];
    if (!program->sources_count || !shunt_reader_known(shunt_program_text(program, program->sources[0].standard), &standard))
        return;
    if (shunt_session_new(&options, &session, why) != SHUNT_OK) return;
    shunt_reader *reader = shunt_reader_for(standard, &shunt_memory_libc, &program->plan);
    shunt_status  status = shunt_session_begin(session, reader, (shunt_text){ 0 }, SHUNT_TEXT("fuzz"));
    if (status == SHUNT_OK) status = shunt_session_feed(session, bytes, size);
    if (status == SHUNT_OK) status = shunt_session_end(session);
    if (status == SHUNT_OK) status = shunt_session_finish(session);
    if (status == SHUNT_FAILURE) abort(); /* the control total does not add up */
    shunt_buffer_format(&log->text, "%s\n", shunt_status_info[status].code);
    shunt_report(session, &log->text);
    shunt_session_free(session);
}

static void run_alike(const shunt_program *program, const char *bytes, size_t size, uint64_t steps)
{
    struct alike_log logs[ALIKE_WAYS] = { 0 };
    for (int way = 0; way < ALIKE_WAYS; way++) {
        shunt_buffer_init(&logs[way].text, &shunt_memory_libc);
        alike_run(program, bytes, size, steps, way, &logs[way]);
        const shunt_buffer *first = &logs[0].text, *other = &logs[way].text;
        if (logs[0].limits || logs[way].limits) continue;
        if (first->length == other->length && (!first->length || memcmp(first->bytes, other->bytes, first->length) == 0))
            continue;
        fprintf(stderr, "with machine code:\n%.*s\n%s:\n%.*s\n", (int)first->length, first->bytes,
                way == ALIKE_LOOP ? "without" : "with lineage", (int)other->length, other->bytes);
        abort();
    }
    for (int way = 0; way < ALIKE_WAYS; way++) shunt_buffer_done(&logs[way].text);
}

#endif
