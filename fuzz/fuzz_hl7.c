/* fuzz_hl7.c - any bytes, cut anywhere: no crash, the same events whole or in pieces, every BEGIN and ENTER answered, values
 * within the input, memory in proportion. Byte 0: size of the pieces; byte 1: limits of the reader, which plan, display or
 * not; the rest is the input. */
#include <stdlib.h>

#include "engine/base/capture.h"
#include "engine/base/walk.h"
#include "standards/hl7/reader.h"
#include "tests/support/event_log.h"
#include "tests/support/hl7_plan.h"

static const char *const words[] = {
    "guide DFT^P03 2.5.1\nguide ORU^R01 2.5.1\nguide ADT_A01 2.3\nguide ACK 2.4\nwant MSH-2\nwant MSH-3\nwant PID-5.1\nwant "
    "PID-3[2].4.2\nwant "
    "FT1-11.1.1\nwant FT1-6\neach PID-3 .1 .4.2\nrepeat DG1 3.1 6\nrepeat NTE 3\nwant OBX-5\nwant ZZZ-1",
    "source strict absent\nguide DFT^P03 2.3\nwant PID-5\neach PID-5 .1\nrepeat FT1 6 11.1.1\nsource\nguide ORU_R01 2.9\nwant "
    "OBX-3.1",
};

static shunt_plan plans[2];

/* What a reader owes the session, whatever the input. */
static void check(const shunt_plan *plan, const shunt_hl7_options *options, const uint8_t *input, size_t size, size_t step)
{
    shunt_reader  *reader = shunt_hl7_reader_new(&shunt_memory_libc, plan, options);
    shunt_capture *c = shunt_capture_new(&shunt_memory_libc, plan, 4096);
    uint16_t       open[SHUNT_WALK_DEPTH + 4];
    unsigned       depth = 0, scopes[3] = { 0 };
    size_t         at = 0;
    if (!reader || !c) abort();
    for (bool over = false; !over;) {
        shunt_event  e;
        shunt_status status = SHUNT_OK;
        bool         taken;
        switch (reader->ops->next(reader, &e)) {
        case SHUNT_STEP_NEED_INPUT: {
            size_t piece = size - at < step ? size - at : step;
            reader->ops->feed(reader, input + at, piece, at + piece == size);
            at += piece;
            break;
        }
        case SHUNT_STEP_BEGIN:
            if (scopes[e.scope - SHUNT_SCOPE_TRANSACTION]++) abort();
            if (e.scope == SHUNT_SCOPE_TRANSACTION) status = shunt_capture_begin(c, e.guide, e.place.byte), depth = 0;
            break;
        case SHUNT_STEP_FINISH:
        case SHUNT_STEP_ABANDON:
            if (--scopes[e.scope - SHUNT_SCOPE_TRANSACTION]) abort();
            if (e.scope == SHUNT_SCOPE_TRANSACTION && e.step == SHUNT_STEP_FINISH && depth) abort();
            break;
        case SHUNT_STEP_ENTER:
            if (!scopes[0] || depth == SHUNT_COUNT(open) || e.loop >= plan->loop_count) abort();
            open[depth++] = e.loop;
            status = shunt_capture_enter(c, e.loop, e.place.byte, e.place.segment);
            break;
        case SHUNT_STEP_LEAVE:
            if (depth == 0 || open[--depth] != e.loop) abort();
            shunt_capture_leave(c, e.loop, e.end);
            break;
        case SHUNT_STEP_VALUE:
            if (!scopes[0] || e.guide == SHUNT_NONE || (e.value.length == 0) != e.cleared) abort();
            if (e.place.byte + e.place.length > size || e.place.length == 0) abort();
            if (shunt_utf8_bad(e.value.bytes, e.value.length) != e.value.length) abort();
            if (e.value.length > 3 * (size_t)e.place.length) abort();
            if (shunt_capture_innermost(c) && e.slot >= plan->frames[shunt_capture_innermost(c)->frame].slot_count) abort();
            status = shunt_capture_value(c, e.slot, e.value, e.cleared, &e.place, &taken);
            break;
        case SHUNT_STEP_SEGMENT:
            if (!options->display || e.segment->offsets[e.segment->elements + 1] != e.segment->length + 1) abort();
            break;
        case SHUNT_STEP_FAULT:
            if (e.place.byte > size || shunt_utf8_bad(e.detail.bytes, e.detail.length) != e.detail.length) abort();
            break;
        case SHUNT_STEP_END: over = true; break;
        case SHUNT_STEP_FAILED: abort();
        }
        if (status != SHUNT_OK && status != SHUNT_LIMIT_UNIT_BYTES) abort();
    }
    if (scopes[0] || scopes[1] || scopes[2]) abort();
    reader->ops->free(reader);
    shunt_capture_free(c);
}

static uint64_t hash_of(const shunt_plan *plan, const shunt_hl7_options *options, const uint8_t *input, size_t size, size_t step)
{
    struct event_log log;
    event_log_run(&log, shunt_hl7_reader_new(&shunt_memory_libc, plan, options), plan, input, size, event_log_cut_fixed, &step,
                  EVENT_LOG_PLACES | (options->display ? EVENT_LOG_ELEMENTS : 0), false);
    return log.hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    if (!plans[0].guide_count)
        for (unsigned i = 0; i < 2; i++) plans[i] = hl7_plan(shunt_arena_new(&shunt_memory_libc, 0), words[i]);
    const shunt_plan *plan = &plans[data[1] >> 2 & 1];
    shunt_hl7_options options = { .display = data[1] & 1 };
    size_t            step = 1 + data[0] % 64;
    if (data[1] & 2) options.max_segment_bytes = 48, options.max_leading_bytes = 16;
    if (hash_of(plan, &options, data + 2, size - 2, size) != hash_of(plan, &options, data + 2, size - 2, step)) abort();
    check(plan, &options, data + 2, size - 2, step);
    return 0;
}
