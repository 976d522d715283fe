/* fuzz_x12.c - any bytes, cut anywhere: no crash, the same events whole or in pieces, captured values within the input.
 * Byte 0: size of the pieces; byte 1: limits of the reader and of a unit; the rest is the input. */
#include <stdlib.h>

#include "engine/base/capture.h"
#include "standards/x12/reader.h"
#include "tests/support/event_log.h"
#include "tests/support/plan_builder.h"

static const char guides[] =
    "guide 835 005010X221A1 005010X221 HP framed\nST max=1 elements=3\nBPR elements=4 get=1,2.2\nREF key=1:EV|F2 get=2\n"
    "loop 1000A frame max=1\n N1 key=1:PR get=2\nend\n"
    "loop 2000\n LX\n loop 2100 unit\n  CLP elements=3 comp=2 get=1,2.1,3\n  CAS group=2/3/6 get=1,+0,+1\n  BIN binary=1 "
    "elements=2 get=2\n"
    "  loop 2110 frame\n   SVC elements=3 comp=1 get=1.2,2\n   REF group=0/0/0 get=1,2\n   CAS loose group=2/3/6 get=+0\n  end\n "
    "end\nend\nPLB get=1\nSE max=1\n"
    "guide 837 005010X222A2 005010X222 HC\nST\nXYZ binary=2\nSE\n";

static struct plan_builder *builder;

static void check_node(const shunt_plan *plan, const shunt_node *node, const uint8_t *input, size_t size)
{
    const shunt_plan_frame *frame = &plan->frames[node->frame];
    for (unsigned s = 0; s < frame->slot_count; s++) {
        const shunt_captured *slot = &node->slots[s];
        if (!slot->bytes) continue;
        if (slot->length == 0 || slot->length > slot->size || slot->at + slot->size > size) abort();
        if (slot->length == slot->size && memcmp(slot->bytes, input + slot->at, slot->size) != 0) abort();
    }
    for (unsigned c = 0; c < frame->child_count; c++)
        for (const shunt_node *child = node->children[c].first; child; child = child->next) check_node(plan, child, input, size);
}

static void capture(const shunt_plan *plan, const shunt_x12_options *options, const uint8_t *input, size_t size, size_t step,
                    size_t unit_bytes)
{
    shunt_reader  *reader = shunt_x12_reader_new(&shunt_memory_libc, plan, options);
    shunt_capture *c = shunt_capture_new(&shunt_memory_libc, plan, unit_bytes);
    size_t         at = 0;
    if (!reader || !c) abort();
    for (bool over = false; !over;) {
        shunt_event  e;
        shunt_status status = SHUNT_OK;
        switch (reader->ops->next(reader, &e)) {
        case SHUNT_STEP_NEED_INPUT: {
            size_t piece = size - at < step ? size - at : step;
            reader->ops->feed(reader, input + at, piece, at + piece == size);
            at += piece;
            break;
        }
        case SHUNT_STEP_BEGIN:
            if (e.scope == SHUNT_SCOPE_TRANSACTION) status = shunt_capture_begin(c, e.guide, e.place.byte);
            break;
        case SHUNT_STEP_ENTER: status = shunt_capture_enter(c, e.loop, e.place.byte, e.place.segment); break;
        case SHUNT_STEP_SEGMENT: status = shunt_capture_segment(c, e.node, e.segment, &e.delims); break;
        case SHUNT_STEP_LEAVE:
            if (shunt_capture_top(c, e.loop)) check_node(plan, shunt_capture_top(c, e.loop), input, size);
            shunt_capture_leave(c, e.loop, e.end);
            break;
        case SHUNT_STEP_FINISH:
            if (shunt_capture_root(c)) check_node(plan, shunt_capture_root(c), input, size);
            break;
        case SHUNT_STEP_END: over = true; break;
        case SHUNT_STEP_FAILED: abort();
        default: break;
        }
        if (status != SHUNT_OK && status != SHUNT_LIMIT_UNIT_BYTES) abort();
    }
    reader->ops->free(reader);
    shunt_capture_free(c);
}

static uint64_t hash_of(const shunt_plan *plan, const shunt_x12_options *options, const uint8_t *input, size_t size, size_t step)
{
    struct event_log log;
    event_log_run(&log, shunt_x12_reader_new(&shunt_memory_libc, plan, options), plan, input, size, event_log_cut_fixed, &step,
                  EVENT_LOG_PLACES | EVENT_LOG_ELEMENTS, false);
    return log.hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const shunt_x12_options narrow = {
        .max_segment_bytes = 60, .max_elements = 6, .max_binary_bytes = 100, .max_leading_bytes = 40
    };
    if (size < 2) return 0;
    if (!builder) builder = plan_build(guides);
    const shunt_plan        *plan = plan_of(builder);
    const shunt_x12_options *options = data[1] & 1 ? &narrow : NULL;
    size_t                   step = 1 + data[0] % 64, unit_bytes = data[1] & 2 ? 1024 : 0;
    if (hash_of(plan, options, data + 2, size - 2, size) != hash_of(plan, options, data + 2, size - 2, step)) abort();
    capture(plan, options, data + 2, size - 2, step, unit_bytes);
    return 0;
}
