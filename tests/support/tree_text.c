#include "tests/support/tree_text.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/capture.h"

static void put_node(FILE *out, const shunt_plan *plan, const shunt_node *node, int depth)
{
    const shunt_plan_frame *frame = &plan->frames[node->frame];
    fprintf(out, "%*sframe %u\n", depth, "", node->frame);
    for (unsigned s = 0; s < frame->slot_count; s++) {
        if (!node->slots[s].bytes) continue;
        fprintf(out, "%*s %u ", depth, "", s);
        fwrite(node->slots[s].bytes, 1, node->slots[s].length, out);
        fputc('\n', out);
    }
    for (unsigned c = 0; c < frame->child_count; c++)
        for (const shunt_node *child = node->children[c].first; child; child = child->next) put_node(out, plan, child, depth + 1);
}

static void put_faults(FILE *out, unsigned counts[static SHUNT_STATUS_COUNT])
{
    for (int i = 0; i < SHUNT_STATUS_COUNT; i++) {
        if (counts[i]) fprintf(out, "%s %u\n", shunt_status_info[i].symbol, counts[i]);
        counts[i] = 0;
    }
}

char *tree_text(shunt_reader *reader, const shunt_plan *plan, const void *bytes, size_t size)
{
    char          *text = NULL;
    size_t         length = 0;
    FILE          *out = open_memstream(&text, &length);
    shunt_capture *c = shunt_capture_new(&shunt_memory_libc, plan, 0);
    unsigned       counts[SHUNT_STATUS_COUNT] = { 0 };
    bool           taken;
    if (!out || !c) abort();
    reader->ops->feed(reader, bytes, size, true);
    for (bool over = false; !over;) {
        shunt_event e;
        switch (reader->ops->next(reader, &e)) {
        case SHUNT_STEP_BEGIN:
            fprintf(out, "begin %.*s\n", SHUNT_TEXT_ARGS(e.set));
            if (shunt_capture_begin(c, e.guide, e.place.byte) != SHUNT_OK) abort();
            break;
        case SHUNT_STEP_ENTER:
            if (shunt_capture_enter(c, e.loop, e.place.byte, e.place.segment) != SHUNT_OK) abort();
            break;
        case SHUNT_STEP_VALUE:
            if (shunt_capture_value(c, e.slot, e.value, e.cleared, &e.place, &taken) != SHUNT_OK) abort();
            break;
        case SHUNT_STEP_LEAVE: {
            const shunt_node *node = shunt_capture_top(c, e.loop);
            if (node && plan->frames[node->frame].unit) put_node(out, plan, node, 1);
            shunt_capture_leave(c, e.loop, e.end);
            break;
        }
        case SHUNT_STEP_FINISH:
        case SHUNT_STEP_ABANDON:
            if (shunt_capture_root(c)) put_node(out, plan, shunt_capture_root(c), 0);
            put_faults(out, counts);
            fputs(e.step == SHUNT_STEP_FINISH ? "finish\n" : "abandon\n", out);
            break;
        case SHUNT_STEP_FAULT: counts[e.code]++; break;
        case SHUNT_STEP_END: over = true; break;
        case SHUNT_STEP_NEED_INPUT:
        case SHUNT_STEP_FAILED: abort();
        default: break;
        }
    }
    put_faults(out, counts);
    reader->ops->free(reader);
    shunt_capture_free(c);
    if (fclose(out) != 0) abort();
    return text;
}
