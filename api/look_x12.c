/* look_x12.c - X12 as a tree of loops and segments, or the values at a path like `2110.SVC01-2`. */
#include <stdio.h>

#include "api/definitions.h"
#include "api/look.h"
#include "api/path.h"
#include "dsl/plan_maker.h"

enum { GUIDES = 128, DEPTH = 16 };

struct x12 {
    shunt_plan         plan;
    const shunt_guide *guides[GUIDES];
    const shunt_guide *guide;        /* of the open transaction, NULL = none */
    const shunt_loop  *loops[DEPTH]; /* open loops, the set first */
    unsigned           depth;
    shunt_path         wanted;
    shunt_delims       delims;
};

static struct x12 *own(const shunt_inspector *inspector) { return inspector->own[SHUNT_STANDARD_X12]; }

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

static const char *check_path(const struct x12 *x)
{
    const shunt_path *w = &x->wanted;
    if (envelope(w->segment)) return w->loop.length || w->qualifier.length ? "segments of the envelope stand in no loop" : NULL;
    for (uint32_t g = 0; x->guides[g]; g++)
        if (in_loop(x->guides[g]->body, w)) return NULL;
    return "no guide of the dictionary has that; `shunt dict SET` shows what there is";
}

/* ---- get ---- */

static bool qualifies(const shunt_segment_node *node, const shunt_segment *segment, uint8_t component, shunt_text qualifier)
{
    look_value part;
    if (!node->key_element) return false;
    if (!look_part(look_element(segment, node->key_element), node->key_component ? component : 0,
                   node->key_component ? node->key_component : 1, &part))
        return false;
    return shunt_text_equal((shunt_text){ part.bytes, part.length }, qualifier);
}

static void get_segment(shunt_inspector *inspector, const shunt_segment *segment, const shunt_segment_node *node)
{
    struct x12       *x = own(inspector);
    const shunt_path *w = &x->wanted;
    look_value        id = look_element(segment, 0);
    id.length = segment->offsets[1] - 1;
    if (!shunt_text_equal((shunt_text){ id.bytes, id.length }, w->segment)) return;
    if (w->loop.length && (!x->depth || !shunt_text_is(w->loop, x->loops[x->depth - 1]->id))) return;
    if (w->qualifier.length && (!node || !qualifies(node, segment, x->delims.component, w->qualifier))) return;
    look_value whole = look_element(segment, w->element), repetition, part;
    uint8_t    repeat = w->element ? x->delims.repetition : 0;
    if (envelope(w->segment)) repeat = 0; /* ISA11 is the separator itself */
    for (look_parts parts = look_split(whole, repeat); look_next(&parts, &repetition);) {
        if (!w->component)
            look_put(inspector, repetition, segment->number);
        else if (look_part(repetition, x->delims.component, w->component, &part))
            look_put(inspector, part, segment->number);
    }
}

/* ---- inspect ---- */

static void show_element(shunt_inspector *inspector, const char *id, const shunt_element *element, look_value v,
                         unsigned position, unsigned component, unsigned depth)
{
    char name[24];
    if (!v.length) return;
    look_indent(inspector, depth);
    if (component)
        snprintf(name, sizeof name, "%s%02u-%u", id, position, component);
    else
        snprintf(name, sizeof name, "%s%02u", id, position);
    shunt_buffer_format(&inspector->out, "%-9s %-36s ", name, element ? element->name : "not in this guide");
    if (element && !element->phi && !inspector->options.show_phi && !look_fits(element, v))
        shunt_buffer_z(&inspector->out, "[does not fit]");
    else
        look_show(inspector, v, element ? element->phi : (uint32_t)SHUNT_PHI_FREE_TEXT);
    shunt_buffer_char(&inspector->out, '\n');
}

static void show_segment(shunt_inspector *inspector, const shunt_segment *segment, const shunt_segment_node *node)
{
    struct x12   *x = own(inspector);
    shunt_buffer *out = &inspector->out;
    unsigned      depth = x->depth + 2;
    char          id[4] = "";
    memcpy(id, segment->bytes, segment->offsets[1] - 1 < 3 ? segment->offsets[1] - 1 : 3); /* letters and digits: the reader */
    look_indent(inspector, depth);
    shunt_buffer_format(out, "%s  %s\n", id, node ? node->name : "not in this guide");
    for (unsigned k = 1; k <= segment->elements; k++) {
        const shunt_element *element = node ? shunt_node_element(node, k, 0) : NULL;
        look_value           whole = look_element(segment, k), repetition, part;
        for (look_parts parts = look_split(whole, x->delims.repetition); look_next(&parts, &repetition);) {
            if (!element || element->type != SHUNT_VALUE_COMPOSITE) {
                show_element(inspector, id, element, repetition, k, 0, depth + 1);
                continue;
            }
            look_parts components = look_split(repetition, x->delims.component);
            for (unsigned c = 1; look_next(&components, &part); c++)
                show_element(inspector, id, shunt_node_element(node, k, c), part, k, c, depth + 1);
        }
    }
}

/* The node of the dictionary that the segment is, in the innermost open loop. */
static const shunt_segment_node *node_of(const shunt_inspector *inspector, const shunt_segment *segment)
{
    struct x12               *x = own(inspector);
    const shunt_segment_node *nodes[64];
    look_value                part;
    if (!x->depth) return NULL;
    shunt_text id = { (const char *)segment->bytes, segment->offsets[1] - 1 };
    uint32_t   count = shunt_loop_segments(x->loops[x->depth - 1], id, nodes, SHUNT_COUNT(nodes));
    for (uint32_t i = 0; i < count && i < SHUNT_COUNT(nodes); i++) {
        if (!nodes[i]->key_element) return nodes[i];
        if (look_part(look_element(segment, nodes[i]->key_element), nodes[i]->key_component ? x->delims.component : 0,
                      nodes[i]->key_component ? nodes[i]->key_component : 1, &part) &&
            shunt_segment_takes(nodes[i], (shunt_text){ part.bytes, part.length }))
            return nodes[i];
    }
    return NULL;
}

static void show_begin(shunt_inspector *inspector, const shunt_event *event)
{
    struct x12   *x = own(inspector);
    shunt_buffer *out = &inspector->out;
    switch (event->scope) {
    case SHUNT_SCOPE_INTERCHANGE:
        shunt_buffer_z(out, "interchange ");
        look_text(inspector, event->control);
        break;
    case SHUNT_SCOPE_BATCH:
        shunt_buffer_z(out, "  group ");
        look_text(inspector, event->control);
        shunt_buffer_z(out, "  ");
        look_text(inspector, event->version);
        break;
    default:
        shunt_buffer_z(out, "    set ");
        look_text(inspector, event->set);
        shunt_buffer_char(out, ' ');
        look_text(inspector, event->control);
        shunt_buffer_z(out, "  ");
        shunt_buffer_z(out, x->guide ? x->guide->name : "no guide for it: its segments are passed over");
    }
    if (event->sender.length) {
        shunt_buffer_z(out, "  from ");
        look_text(inspector, event->sender);
        shunt_buffer_z(out, " to ");
        look_text(inspector, event->receiver);
    }
    shunt_buffer_char(out, '\n');
}

/* ---- events ---- */

static void begin(shunt_inspector *inspector, const shunt_event *event)
{
    struct x12 *x = own(inspector);
    x->delims = event->delims;
    x->depth = 0;
    if (event->scope == SHUNT_SCOPE_TRANSACTION) {
        look_begin(inspector, event);
        x->guide = event->guide == SHUNT_NONE ? NULL : x->guides[event->guide];
        x->depth = x->guide ? 1 : 0;
        x->loops[0] = x->guide ? x->guide->body : NULL;
    }
    if (!inspector->path)
        show_begin(inspector, event);
    else if (event->segment && event->scope != SHUNT_SCOPE_TRANSACTION)
        get_segment(inspector, event->segment, NULL);
}

static void enter(shunt_inspector *inspector, uint16_t loop)
{
    struct x12       *x = own(inspector);
    shunt_text        id = x->plan.texts[x->plan.loops[loop].id];
    const shunt_loop *open = x->loops[x->depth - 1];
    const shunt_loop *loops[16];
    const shunt_loop *found = NULL;
    /* The loop of this id below the open one: directly, or anywhere when its parent is missing. */
    uint32_t          count = shunt_guide_loops(x->guide, id, loops, SHUNT_COUNT(loops));
    for (uint32_t i = 0; i < count && i < SHUNT_COUNT(loops); i++)
        if (!found || loops[i]->parent == open) found = loops[i];
    if (x->depth < DEPTH) x->loops[x->depth] = found ? found : open;
    x->depth += x->depth < DEPTH;
    if (inspector->path) return;
    look_indent(inspector, x->depth + 1);
    shunt_buffer_format(&inspector->out, "loop %.*s  %s\n", SHUNT_TEXT_ARGS(id), found ? found->name : "");
}

static void event(shunt_inspector *inspector, const shunt_event *event)
{
    struct x12 *x = own(inspector);
    switch (event->step) {
    case SHUNT_STEP_BEGIN: begin(inspector, event); break;
    case SHUNT_STEP_FINISH:
        if (inspector->path && event->segment && event->scope != SHUNT_SCOPE_TRANSACTION)
            get_segment(inspector, event->segment, NULL);
        if (event->scope == SHUNT_SCOPE_TRANSACTION) x->depth = 0;
        break;
    case SHUNT_STEP_ABANDON: x->depth = 0; break;
    case SHUNT_STEP_ENTER: enter(inspector, event->loop); break;
    case SHUNT_STEP_LEAVE: x->depth -= x->depth > 1; break;
    case SHUNT_STEP_SEGMENT: {
        const shunt_segment_node *node = event->node == SHUNT_NONE ? NULL : node_of(inspector, event->segment);
        if (inspector->path)
            get_segment(inspector, event->segment, node);
        else
            show_segment(inspector, event->segment, node);
        break;
    }
    case SHUNT_STEP_FAULT: look_fault(inspector, event, x->depth + 2); break;
    default: break;
    }
}

/* ---- making ---- */

static struct x12 *make(shunt_inspector *inspector)
{
    struct x12 *x = SHUNT_NEW(inspector->arena, struct x12);
    uint32_t    count = 0;
    if (!x) return NULL;
    const shunt_definition_set *site = shunt_definitions_set(inspector->options.definitions);
    const shunt_guide          *guide;
    for (uint32_t g = 0; count < GUIDES - 1 && (guide = shunt_definition_guide_at(site, g)) != NULL; g++)
        if (guide->standard == SHUNT_STANDARD_X12) x->guides[count++] = guide;
    return inspector->own[SHUNT_STANDARD_X12] = x;
}

static const char *parse(shunt_inspector *inspector, const char *path)
{
    struct x12 *x = make(inspector);
    if (!x) return "no memory";
    const char *wrong = shunt_path_parse(path, &x->wanted);
    return wrong ? wrong : check_path(x);
}

static const char *open(shunt_inspector *inspector, shunt_text bytes, bool whole)
{
    struct x12 *x = own(inspector) ? own(inspector) : make(inspector);
    uint32_t    count = 0;
    (void)bytes, (void)whole;
    if (!x) return "no memory";
    while (x->guides[count]) count++;
    if (shunt_plan_make(inspector->arena, x->guides, count, NULL, 0, &x->plan) != SHUNT_OK) return "no memory";
    inspector->reader = shunt_reader_for(SHUNT_STANDARD_X12, &inspector->memory, &x->plan);
    return inspector->reader ? NULL : "no memory";
}

const look_ops look_x12 = { parse, open, event, NULL };
