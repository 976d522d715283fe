/* fuzz_csv.c - any bytes, cut anywhere: no crash, the same events whole or in pieces, values within the input, memory bounded.
 * Byte 0: size of the pieces; byte 1: the layout, and limits of the reader and of a unit; the rest is the input. */
#include <stdlib.h>

#include "engine/base/capture.h"
#include "standards/csv/reader.h"
#include "standards/csv/shape.h"
#include "tests/support/csv_plan.h"
#include "tests/support/event_log.h"

static const char *const layouts[] = {
    "csv\nrow rows unit\ncol a\ncol b trim\ncol c len=3\n",
    "csv noheader\nrow rows unit\ncol a\ncol r rest=3\n",
    "csv noheader sep=| quote=none enc=ISO-8859-1\nrow rows unit\ncol a\ncol b\n",
    "csv noheader term=~\nrow rows unit\ncol a\ncol b at=3\n",
    ("csv key=1 term=/ lines cont=88 quote=none tx=g\nrow f keys=1\ncol a at=2\nrow g keys=2\ncol a at=2\nrow a in=g keys=3\ncol "
     "a "
     "at=2\nrow e in=a keys=4|5 unit\ncol a at=2\ncol r at=3 rest=4\nrow z in=a keys=6 once\ncol a at=2\nrow y in=g keys=7 "
     "once\n"),
    "csv key=2 cont=c\nrow a keys=a unit\ncol x at=1\nrow b in=a keys=b\ncol y at=3 len=2\n",
    ("fixed 4 key=1-1 tx=b\nrow h keys=1\nrow b keys=2\ncol a at=2-3\nrow e in=b keys=3 unit\ncol a at=2-4 len=2\nrow d in=e "
     "keys=4\ncol a at=1-4\nrow z in=b keys=5 once\ncol a at=2-2\n"),
    "fixed 3\nrow rows unit\ncol a at=1-2\ncol b at=3-3\n",
};
enum { LAYOUTS = sizeof layouts / sizeof *layouts };

static struct csv_plan *plans[LAYOUTS];

static void check_node(const shunt_plan *plan, const shunt_node *node, size_t size)
{
    const shunt_plan_frame *frame = &plan->frames[node->frame];
    for (unsigned s = 0; s < frame->slot_count; s++) {
        const shunt_captured *slot = &node->slots[s];
        if (!slot->bytes) continue;
        if (slot->length == 0 || slot->at > size || slot->size > size - slot->at) abort();
        if (shunt_utf8_bad(slot->bytes, slot->length) != slot->length) abort();
    }
    for (unsigned c = 0; c < frame->child_count; c++)
        for (const shunt_node *child = node->children[c].first; child; child = child->next) check_node(plan, child, size);
}

/* What a session does with the events, every scope and loop closed in its order. */
static void capture(const struct csv_plan *of, const shunt_csv_options *options, const uint8_t *input, size_t size, size_t step,
                    size_t unit_bytes)
{
    const shunt_plan *plan = csv_plan_of(of);
    shunt_reader     *reader = shunt_csv_reader_new(&shunt_memory_libc, plan, csv_plan_standard(of), options);
    shunt_capture    *c = shunt_capture_new(&shunt_memory_libc, plan, unit_bytes);
    size_t            at = 0, depth = 0;
    uint64_t          end = 0;
    uint16_t          open[64];
    bool              inside = false, taken;
    if (!reader || !c) abort();
    for (bool over = false; !over;) {
        shunt_event  e;
        shunt_status status = SHUNT_OK;
        switch (reader->ops->next(reader, &e)) {
        case SHUNT_STEP_NEED_INPUT: {
            size_t piece = size - at < step ? size - at : step;
            reader->ops->feed(reader, input + at, piece, at + piece == size);
            at += piece;
            continue;
        }
        case SHUNT_STEP_BEGIN:
            if (inside) abort();
            inside = true;
            status = shunt_capture_begin(c, e.guide, e.place.byte);
            break;
        case SHUNT_STEP_ENTER:
            if (!inside || depth == SHUNT_COUNT(open)) abort();
            open[depth++] = e.loop;
            status = shunt_capture_enter(c, e.loop, e.place.byte, e.place.segment);
            break;
        case SHUNT_STEP_VALUE:
            if (!inside || !e.value.length || e.place.byte + e.place.length > size) abort();
            status = shunt_capture_value(c, e.slot, e.value, e.cleared, &e.place, &taken);
            break;
        case SHUNT_STEP_LEAVE:
            if (!depth || open[--depth] != e.loop) abort();
            if (shunt_capture_top(c, e.loop)) check_node(plan, shunt_capture_top(c, e.loop), size);
            shunt_capture_leave(c, e.loop, e.end);
            break;
        case SHUNT_STEP_FINISH:
            if (!inside || depth) abort();
            inside = false;
            if (shunt_capture_root(c)) check_node(plan, shunt_capture_root(c), size);
            break;
        case SHUNT_STEP_FAULT:
            if (e.place.byte > size) abort();
            break;
        case SHUNT_STEP_END:
            if (inside) abort();
            over = true;
            break;
        default: abort();
        }
        if (e.end < end || e.end > size) abort();
        end = e.end;
        if (status != SHUNT_OK && status != SHUNT_LIMIT_UNIT_BYTES) abort();
    }
    reader->ops->free(reader);
    shunt_capture_free(c);
}

static uint64_t hash_of(const struct csv_plan *of, const shunt_csv_options *options, const uint8_t *input, size_t size,
                        size_t step)
{
    struct event_log  log;
    const shunt_plan *plan = csv_plan_of(of);
    event_log_run(&log, shunt_csv_reader_new(&shunt_memory_libc, plan, csv_plan_standard(of), options), plan, input, size,
                  event_log_cut_fixed, &step, EVENT_LOG_PLACES, false);
    return log.hash;
}

static void sniff(const uint8_t *input, size_t size)
{
    shunt_arena *arena = shunt_arena_new(&shunt_memory_libc, 0);
    bool         known;
    if (!arena) abort();
    shunt_csv_shape *shape = shunt_csv_sniff(arena, (shunt_text){ (const char *)input, (uint32_t)size }, true, &known);
    if (!shape || (known && !shunt_csv_guide(arena, shape))) abort();
    shunt_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const shunt_csv_options narrow = { .max_row_bytes = 24, .max_cells = 5 };
    if (size < 2) return 0;
    unsigned which = data[1] % LAYOUTS;
    if (!plans[which]) plans[which] = csv_plan_new(layouts[which]);
    const shunt_csv_options *options = data[1] & 0x40 ? &narrow : NULL;
    size_t                   step = 1 + data[0] % 64, unit_bytes = data[1] & 0x80 ? 1024 : 0;
    if (hash_of(plans[which], options, data + 2, size - 2, size) != hash_of(plans[which], options, data + 2, size - 2, step))
        abort();
    capture(plans[which], options, data + 2, size - 2, step, unit_bytes);
    sniff(data + 2, size - 2);
    return 0;
}
