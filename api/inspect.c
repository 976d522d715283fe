/* inspect.c - looks at messages without rules: the tree of loops and segments, or the values at a path. It streams: a segment is
 * written when it is met, nothing of the message is kept. */
#include <stdio.h>

#include "api/api.h"
#include "api/path.h"
#include "dsl/plan_maker.h"
#include "standards/registry.h"

enum { GUIDES = 64, DEPTH = 16, INDENT = 2 };

struct shunt_inspector {
    shunt_memory          memory;
    shunt_inspect_options options;
    shunt_arena          *arena;
    shunt_plan            plan;
    shunt_reader         *reader;
    shunt_write           write;
    void                 *context;
    shunt_buffer          out;
    const shunt_guide    *guides[GUIDES];
    const shunt_guide    *guide;        /* of the open transaction, NULL = none */
    const shunt_loop     *loops[DEPTH]; /* open loops, the set first */
    unsigned              depth;
    shunt_text            set, control; /* of the open transaction, copied */
    char                  set_bytes[16], control_bytes[32];
    bool                  path;
    shunt_path            wanted;
    shunt_delims          delims;
    bool                  faults;
};

/* ---- the path ---- */

static bool envelope(shunt_text id)
{
    static const char *const ids[] = { "ISA", "GS", "GE", "IEA" };
    for (size_t i = 0; i < SHUNT_COUNT(ids); i++)
        if (shunt_text_is(id, ids[i])) return true;
    return false;
}

/* True where some guide has this segment (in this loop, with this qualifier). `known` tells of the loop alone. */
static bool in_loop(const shunt_loop *loop, const shunt_path *w)
{
    for (uint16_t i = 0; i < loop->body_count; i++) {
        const shunt_segment_node *node = loop->body[i].segment;
        if (!node) {
            if (in_loop(loop->body[i].loop, w)) return true;
            continue;
        }
        if (w->loop.length && !shunt_text_is(w->loop, loop->id)) continue;
        if (shunt_text_is(w->segment, node->id) && (!w->qualifier.length || shunt_segment_takes(node, w->qualifier)) &&
            w->element <= node->element_count)
            return true;
    }
    return false;
}

static const char *check_path(const shunt_inspector *inspector)
{
    const shunt_path *w = &inspector->wanted;
    if (envelope(w->segment)) return w->loop.length || w->qualifier.length ? "segments of the envelope stand in no loop" : NULL;
    for (uint32_t g = 0; inspector->guides[g]; g++)
        if (in_loop(inspector->guides[g]->body, w)) return NULL;
    return "no guide of the dictionary has that; `shunt dict SET` shows what there is";
}

/* ---- values ---- */

typedef struct value {
    const char *bytes;
    uint32_t    length;
    uint64_t    at;
} value;

/* Part `k` (from 1) of the bytes between `separator`s; false where there are fewer. Without a separator part 1 is all. */
static bool part_of(value whole, uint8_t separator, unsigned k, value *part)
{
    const char *at = whole.bytes, *end = whole.bytes + whole.length;
    for (;; k--) {
        const char *stop = separator ? memchr(at, separator, (size_t)(end - at)) : NULL;
        if (k == 1) {
            *part = (value){ at, (uint32_t)((stop ? stop : end) - at), whole.at + (uint64_t)(at - whole.bytes) };
            return true;
        }
        if (!stop) return false;
        at = stop + 1;
    }
}

static value element_of(const shunt_segment *segment, unsigned k)
{
    const char *bytes = (const char *)segment->bytes;
    if (k == 0) return (value){ bytes, segment->length, segment->at };
    if (k > segment->elements) return (value){ bytes, 0, segment->at };
    uint32_t from = segment->offsets[k];
    return (value){ bytes + from, segment->offsets[k + 1] - 1 - from, segment->at + from };
}

/* Without the line ends of a wrapped file, unless `raw`; unprintable bytes of a terminal are shown as `?` in a tree. */
static void clean(shunt_buffer *out, value v, bool raw, bool tree)
{
    for (uint32_t i = 0; i < v.length; i++) {
        unsigned char c = (unsigned char)v.bytes[i];
        if (!raw && (c == '\r' || c == '\n')) continue;
        shunt_buffer_char(out, tree && (c < ' ' || c == 127) ? '?' : (char)c);
    }
}

static void put_value(shunt_inspector *inspector, value v, const shunt_segment *segment)
{
    shunt_buffer *out = &inspector->out;
    if (!v.length) return;
    if (inspector->options.json) {
        shunt_buffer text;
        shunt_buffer_init(&text, &inspector->memory);
        clean(&text, v, inspector->options.raw, false);
        shunt_buffer_z(out, "{\"value\":");
        shunt_buffer_json(out, (shunt_text){ text.bytes, (uint32_t)text.length });
        shunt_buffer_format(out, ",\"offset\":%llu,\"length\":%u,\"segment\":%u,\"set\":", (unsigned long long)v.at, v.length,
                            segment->number);
        shunt_buffer_json(out, inspector->set);
        shunt_buffer_z(out, ",\"control\":");
        shunt_buffer_json(out, inspector->control);
        shunt_buffer_z(out, "}\n");
        out->failed = out->failed || text.failed;
        shunt_buffer_done(&text);
        return;
    }
    if (inspector->options.with_offset) shunt_buffer_format(out, "%llu+%u\t", (unsigned long long)v.at, v.length);
    clean(out, v, inspector->options.raw, false);
    shunt_buffer_char(out, '\n');
}

/* ---- get ---- */

static bool qualifies(const shunt_segment_node *node, const shunt_segment *segment, uint8_t component, shunt_text qualifier)
{
    value part;
    if (!node->key_element) return false;
    if (!part_of(element_of(segment, node->key_element), node->key_component ? component : 0,
                 node->key_component ? node->key_component : 1, &part))
        return false;
    return shunt_text_equal((shunt_text){ part.bytes, part.length }, qualifier);
}

static void get_segment(shunt_inspector *inspector, const shunt_segment *segment, const shunt_segment_node *node)
{
    const shunt_path *w = &inspector->wanted;
    value             id = element_of(segment, 0);
    id.length = segment->offsets[1] - 1;
    if (!shunt_text_equal((shunt_text){ id.bytes, id.length }, w->segment)) return;
    if (w->loop.length && (!inspector->depth || !shunt_text_is(w->loop, inspector->loops[inspector->depth - 1]->id))) return;
    if (w->qualifier.length && (!node || !qualifies(node, segment, inspector->delims.component, w->qualifier))) return;
    value   whole = element_of(segment, w->element), repetition, part;
    uint8_t repeat = w->element ? inspector->delims.repetition : 0;
    if (envelope(w->segment)) repeat = 0; /* ISA11 is the separator itself */
    for (unsigned r = 1; part_of(whole, repeat, r, &repetition); r++) {
        if (!w->component)
            put_value(inspector, repetition, segment);
        else if (part_of(repetition, inspector->delims.component, w->component, &part))
            put_value(inspector, part, segment);
    }
}

/* ---- inspect ---- */

static void indent(shunt_inspector *inspector, unsigned depth)
{
    shunt_buffer_format(&inspector->out, "%*s", (int)(depth * INDENT), "");
}

static void show_value(shunt_inspector *inspector, value v, uint32_t phi)
{
    if (!phi || inspector->options.show_phi) {
        clean(&inspector->out, v, false, true);
        return;
    }
    const char *before = "[";
    for (int i = 0; i < SHUNT_PHI_INDEX_COUNT; i++) {
        if (!(phi & 1u << i)) continue;
        shunt_buffer_format(&inspector->out, "%s%s", before, shunt_phi_name((shunt_phi_index)i));
        before = " ";
    }
    shunt_buffer_char(&inspector->out, ']');
}

static bool only_of(value v, const char *allowed)
{
    for (uint32_t i = 0; i < v.length; i++)
        if (!v.bytes[i] || !strchr(allowed, v.bytes[i])) return false;
    return true;
}

/* A stray separator moves values into elements of other kinds: what can be no value of this one may be a classed value of another. */
static bool fits(const shunt_element *element, value v)
{
    switch (element->type) {
    case SHUNT_VALUE_AMOUNT:
    case SHUNT_VALUE_DECIMAL:
    case SHUNT_VALUE_IMPLIED:
    case SHUNT_VALUE_INT: return only_of(v, "0123456789.-");
    case SHUNT_VALUE_DATE:
    case SHUNT_VALUE_DATE_BY_QUALIFIER:
    case SHUNT_VALUE_TIME: return only_of(v, "0123456789-");
    case SHUNT_VALUE_CODE:
        if (element->codes && element->codes->complete)
            return shunt_codeset_has(element->codes, (shunt_text){ v.bytes, v.length });
        return element->max_length == 0 || v.length <= element->max_length;
    default: return true;
    }
}

static void show_element(shunt_inspector *inspector, const char *id, const shunt_element *element, value v, unsigned position,
                         unsigned component, unsigned depth)
{
    char name[24];
    if (!v.length) return;
    indent(inspector, depth);
    if (component)
        snprintf(name, sizeof name, "%s%02u-%u", id, position, component);
    else
        snprintf(name, sizeof name, "%s%02u", id, position);
    shunt_buffer_format(&inspector->out, "%-9s %-36s ", name, element ? element->name : "not in this guide");
    if (element && !element->phi && !inspector->options.show_phi && !fits(element, v))
        shunt_buffer_z(&inspector->out, "[does not fit]");
    else
        show_value(inspector, v, element ? element->phi : (uint32_t)SHUNT_PHI_FREE_TEXT);
    shunt_buffer_char(&inspector->out, '\n');
}

static void show_segment(shunt_inspector *inspector, const shunt_segment *segment, const shunt_segment_node *node)
{
    shunt_buffer *out = &inspector->out;
    unsigned      depth = inspector->depth + 2;
    char          id[4] = "";
    memcpy(id, segment->bytes, segment->offsets[1] - 1 < 3 ? segment->offsets[1] - 1 : 3);
    indent(inspector, depth);
    shunt_buffer_format(out, "%s  %s\n", id, node ? node->name : "not in this guide");
    for (unsigned k = 1; k <= segment->elements; k++) {
        const shunt_element *element = node ? shunt_segment_element(node, k, 0) : NULL;
        value                whole = element_of(segment, k), repetition, part;
        for (unsigned r = 1; part_of(whole, inspector->delims.repetition, r, &repetition); r++) {
            if (!element || element->type != SHUNT_VALUE_COMPOSITE) {
                show_element(inspector, id, element, repetition, k, 0, depth + 1);
                continue;
            }
            for (unsigned c = 1; part_of(repetition, inspector->delims.component, c, &part); c++)
                show_element(inspector, id, shunt_segment_element(node, k, c), part, k, c, depth + 1);
        }
    }
}

/* The node of the dictionary that the segment is, in the innermost open loop. */
static const shunt_segment_node *node_of(const shunt_inspector *inspector, const shunt_segment *segment)
{
    const shunt_segment_node *nodes[64];
    value                     part;
    if (!inspector->depth) return NULL;
    shunt_text id = { (const char *)segment->bytes, segment->offsets[1] - 1 };
    uint32_t   count = shunt_loop_segments(inspector->loops[inspector->depth - 1], id, nodes, SHUNT_COUNT(nodes));
    for (uint32_t i = 0; i < count && i < SHUNT_COUNT(nodes); i++) {
        if (!nodes[i]->key_element) return nodes[i];
        if (part_of(element_of(segment, nodes[i]->key_element), nodes[i]->key_component ? inspector->delims.component : 0,
                    nodes[i]->key_component ? nodes[i]->key_component : 1, &part) &&
            shunt_segment_takes(nodes[i], (shunt_text){ part.bytes, part.length }))
            return nodes[i];
    }
    return NULL;
}

static void show_begin(shunt_inspector *inspector, const shunt_event *event)
{
    shunt_buffer *out = &inspector->out;
    switch (event->scope) {
    case SHUNT_SCOPE_INTERCHANGE: shunt_buffer_format(out, "interchange %.*s", SHUNT_TEXT_ARGS(event->control)); break;
    case SHUNT_SCOPE_BATCH:
        shunt_buffer_format(out, "  group %.*s  %.*s", SHUNT_TEXT_ARGS(event->control), SHUNT_TEXT_ARGS(event->version));
        break;
    default:
        shunt_buffer_format(out, "    set %.*s %.*s  %s", SHUNT_TEXT_ARGS(event->set), SHUNT_TEXT_ARGS(event->control),
                            inspector->guide ? inspector->guide->name : "no guide for it: its segments are passed over");
    }
    if (event->sender.length)
        shunt_buffer_format(out, "  from %.*s to %.*s", SHUNT_TEXT_ARGS(event->sender), SHUNT_TEXT_ARGS(event->receiver));
    shunt_buffer_char(out, '\n');
}

/* ---- events ---- */

static shunt_text remember(char *room, size_t size, shunt_text text)
{
    uint32_t length = text.length < size ? text.length : (uint32_t)size;
    if (length) memcpy(room, text.bytes, length);
    return (shunt_text){ room, length };
}

static void begin(shunt_inspector *inspector, const shunt_event *event)
{
    inspector->delims = event->delims;
    if (event->scope == SHUNT_SCOPE_TRANSACTION) {
        inspector->guide = event->guide == SHUNT_NONE ? NULL : inspector->guides[event->guide];
        inspector->set = remember(inspector->set_bytes, sizeof inspector->set_bytes, event->set);
        inspector->control = remember(inspector->control_bytes, sizeof inspector->control_bytes, event->control);
        inspector->depth = inspector->guide ? 1 : 0;
        inspector->loops[0] = inspector->guide ? inspector->guide->body : NULL;
    } else {
        inspector->depth = 0;
    }
    if (!inspector->path)
        show_begin(inspector, event);
    else if (event->segment && event->scope != SHUNT_SCOPE_TRANSACTION)
        get_segment(inspector, event->segment, NULL);
}

static void enter(shunt_inspector *inspector, uint16_t loop)
{
    shunt_text        id = inspector->plan.texts[inspector->plan.loops[loop].id];
    const shunt_loop *open = inspector->loops[inspector->depth - 1];
    const shunt_loop *loops[16];
    const shunt_loop *found = NULL;
    /* The loop of this id below the open one: directly, or anywhere when its parent is missing. */
    uint32_t          count = shunt_guide_loops(inspector->guide, id, loops, SHUNT_COUNT(loops));
    for (uint32_t i = 0; i < count && i < SHUNT_COUNT(loops); i++)
        if (!found || loops[i]->parent == open) found = loops[i];
    if (inspector->depth < DEPTH) inspector->loops[inspector->depth] = found ? found : open;
    inspector->depth += inspector->depth < DEPTH;
    if (inspector->path) return;
    indent(inspector, inspector->depth + 1);
    shunt_buffer_format(&inspector->out, "loop %.*s  %s\n", SHUNT_TEXT_ARGS(id), found ? found->name : "");
}

static void fault(shunt_inspector *inspector, const shunt_event *event)
{
    const struct shunt_status_info *info = &shunt_status_info[event->code];
    if (info->severity == SHUNT_ERROR) inspector->faults = true;
    if (inspector->path) return;
    indent(inspector, inspector->depth + 2);
    shunt_buffer_format(&inspector->out, "! %s %s", info->code, info->meaning);
    if (event->detail.length) shunt_buffer_format(&inspector->out, ": %.*s", SHUNT_TEXT_ARGS(event->detail));
    shunt_buffer_format(&inspector->out, " (byte %llu)\n", (unsigned long long)event->place.byte);
}

static shunt_result drain(shunt_inspector *inspector)
{
    bool fine = !inspector->out.failed;
    if (fine && inspector->out.length) fine = inspector->write(inspector->context, inspector->out.bytes, inspector->out.length);
    inspector->out.length = 0;
    return fine ? SHUNT_DONE : SHUNT_SYSTEM_FAULT;
}

shunt_result shunt_inspector_feed(shunt_inspector *inspector, const void *bytes, size_t size, bool last)
{
    shunt_event event;
    inspector->reader->ops->feed(inspector->reader, bytes, size, last);
    for (;;) {
        if (inspector->out.length > 1u << 16 && drain(inspector) != SHUNT_DONE) return SHUNT_SYSTEM_FAULT;
        switch (inspector->reader->ops->next(inspector->reader, &event)) {
        case SHUNT_STEP_BEGIN: begin(inspector, &event); break;
        case SHUNT_STEP_FINISH:
            if (inspector->path && event.segment && event.scope != SHUNT_SCOPE_TRANSACTION)
                get_segment(inspector, event.segment, NULL);
            if (event.scope == SHUNT_SCOPE_TRANSACTION) inspector->depth = 0;
            break;
        case SHUNT_STEP_ABANDON: inspector->depth = 0; break;
        case SHUNT_STEP_ENTER: enter(inspector, event.loop); break;
        case SHUNT_STEP_LEAVE: inspector->depth -= inspector->depth > 1; break;
        case SHUNT_STEP_SEGMENT: {
            const shunt_segment_node *node = event.node == SHUNT_NONE ? NULL : node_of(inspector, event.segment);
            if (inspector->path)
                get_segment(inspector, event.segment, node);
            else
                show_segment(inspector, event.segment, node);
            break;
        }
        case SHUNT_STEP_VALUE: break;
        case SHUNT_STEP_FAULT: fault(inspector, &event); break;
        case SHUNT_STEP_NEED_INPUT: return drain(inspector);
        case SHUNT_STEP_END:
            return drain(inspector) != SHUNT_DONE ? SHUNT_SYSTEM_FAULT : inspector->faults ? SHUNT_INPUT_FAULT : SHUNT_DONE;
        case SHUNT_STEP_FAILED: return drain(inspector) != SHUNT_DONE ? SHUNT_SYSTEM_FAULT : shunt_result_of(event.code);
        }
    }
}

/* ---- making ---- */

static const char *prepare(shunt_inspector *inspector, const char *path)
{
    uint32_t count = 0;
    for (uint32_t g = 0; count < GUIDES - 1 && shunt_guide_at(g); g++)
        if (shunt_guide_at(g)->standard == SHUNT_STANDARD_X12) inspector->guides[count++] = shunt_guide_at(g);
    if (path) {
        const char *copy = shunt_text_z(inspector->arena, shunt_text_of(path));
        if (!copy) return "no memory";
        const char *wrong = shunt_path_parse(copy, &inspector->wanted);
        if (!wrong) wrong = check_path(inspector);
        if (wrong) return wrong;
        inspector->path = true;
    }
    if (shunt_plan_make(inspector->arena, inspector->guides, count, NULL, 0, &inspector->plan) != SHUNT_OK) return "no memory";
    inspector->reader = shunt_reader_for(SHUNT_STANDARD_X12, &inspector->memory, &inspector->plan);
    return inspector->reader ? NULL : "no memory";
}

shunt_result shunt_inspector_new(const shunt_inspect_options *options, const char *path, shunt_write write, void *context,
                                 shunt_inspector **made, shunt_messages **messages)
{
    shunt_memory     memory = shunt_api_memory(options ? options->allocator : NULL);
    shunt_inspector *inspector = shunt_memory_zeroed(&memory, 1, sizeof *inspector);
    *made = NULL;
    if (messages) *messages = NULL;
    if (!inspector) return SHUNT_SYSTEM_FAULT;
    inspector->memory = memory;
    if (options) inspector->options = *options;
    inspector->write = write;
    inspector->context = context;
    shunt_buffer_init(&inspector->out, &inspector->memory);
    inspector->arena = shunt_arena_new(&inspector->memory, 0);
    const char *wrong = inspector->arena ? prepare(inspector, path) : "no memory";
    if (!wrong) {
        *made = inspector;
        return SHUNT_DONE;
    }
    bool lacking = strcmp(wrong, "no memory") == 0;
    if (!lacking && messages && (*messages = shunt_messages_new(&memory)) != NULL)
        shunt_messages_say(*messages, SHUNT_ERROR, "E0202", "`%s` is not a path: %s", path, wrong);
    shunt_inspector_free(inspector);
    return lacking ? SHUNT_SYSTEM_FAULT : SHUNT_RULES_FAULT;
}

void shunt_inspector_free(shunt_inspector *inspector)
{
    if (!inspector) return;
    shunt_memory memory = inspector->memory;
    if (inspector->reader) inspector->reader->ops->free(inspector->reader);
    shunt_arena_free(inspector->arena);
    shunt_buffer_done(&inspector->out);
    shunt_memory_free(&memory, inspector);
}
