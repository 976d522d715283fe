#include "standards/hl7/wants.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    const shunt_hl7_want *x = a, *y = b;
    if (x->field != y->field) return x->field < y->field ? -1 : 1;
    if (x->repetition != y->repetition) return x->repetition < y->repetition ? -1 : 1;
    if (x->component != y->component) return x->component < y->component ? -1 : 1;
    if (x->subcomponent != y->subcomponent) return x->subcomponent < y->subcomponent ? -1 : 1;
    return x->slot < y->slot ? -1 : x->slot > y->slot;
}

/* Copies the demands of a node, sorted. */
static void add_wants(shunt_hl7_wants *w, const shunt_plan *plan, const shunt_plan_node *node, uint32_t *used)
{
    uint32_t first = *used;
    for (uint32_t i = 0; i < node->demand_count; i++) {
        const shunt_plan_demand *d = &plan->demands[node->demand_first + i];
        w->wants[(*used)++] = (shunt_hl7_want){ .field = d->element,
                                                .slot = d->slot,
                                                .repetition = d->repetition ? d->repetition : 1,
                                                .component = d->component,
                                                .subcomponent = d->subcomponent,
                                                .only = d->repetition == 0,
                                                .first = d->repetition <= 1 && d->component <= 1 && d->subcomponent <= 1 };
    }
    if (*used - first > 1) qsort(w->wants + first, *used - first, sizeof *w->wants, compare);
}

static bool has_child(const shunt_plan *plan, uint16_t frame, uint16_t child)
{
    if (frame == SHUNT_NONE) return false;
    for (uint32_t i = 0; i < plan->frames[frame].child_count; i++)
        if (plan->children[plan->frames[frame].child_first + i] == child) return true;
    return false;
}

/* A trigger of repetitions, by the node of its segment. */
typedef struct trigger {
    uint16_t of, node;
} trigger;

static int compare_triggers(const void *a, const void *b)
{
    const trigger *x = a, *y = b;
    if (x->of != y->of) return x->of < y->of ? -1 : 1;
    return x->node < y->node ? -1 : x->node > y->node;
}

/* Being filled: the triggers of the segment at hand are list[0..count). */
typedef struct work {
    shunt_hl7_wants  *w;
    const shunt_plan *plan;
    const trigger    *list;
    uint32_t          count, takes, wants;
} work;

static void take(work *k, shunt_hl7_kind kind, uint16_t loop, uint16_t field, uint32_t first)
{
    k->w->takes[k->takes++] = (shunt_hl7_take){ (uint8_t)kind, loop, field, first, k->wants - first };
}

static uint16_t frame_of(const work *k, uint32_t i) { return k->plan->loops[k->plan->nodes[k->list[i].node].loop].frame; }

/* Does the loop belong into a loop of the repeats of its segment? */
static bool belongs_inside(const work *k, uint16_t frame)
{
    for (uint32_t i = 0; i < k->count; i++)
        if (k->plan->nodes[k->list[i].node].field == 0 && has_child(k->plan, frame_of(k, i), frame)) return true;
    return false;
}

/* Loops of the fields whose instances belong into `frame`; SHUNT_NONE: those that belong into no loop of repeats. */
static void add_fields(work *k, uint16_t frame, shunt_hl7_node *n)
{
    for (uint32_t i = 0; i < k->count; i++) {
        const shunt_plan_node *node = &k->plan->nodes[k->list[i].node];
        if (node->field == 0) continue;
        if (frame == SHUNT_NONE ? belongs_inside(k, frame_of(k, i)) : !has_child(k->plan, frame, frame_of(k, i))) continue;
        uint32_t first = k->wants;
        add_wants(k->w, k->plan, node, &k->wants);
        take(k, HL7_TAKE_EACH, node->loop, node->field, first);
        if (node->field > n->last) n->last = node->field;
    }
}

static void add_values(work *k, const shunt_plan_node *node, shunt_hl7_node *n)
{
    uint32_t first = k->wants;
    add_wants(k->w, k->plan, node, &k->wants);
    if (k->wants == first) return;
    if (k->w->wants[k->wants - 1].field > n->last) n->last = k->w->wants[k->wants - 1].field;
    take(k, HL7_TAKE_VALUES, SHUNT_NONE, 0, first);
}

/* Takes of the first node of a segment at its place. */
static void add_takes(work *k, uint16_t of, shunt_hl7_node *n)
{
    n->take_first = k->takes;
    add_values(k, &k->plan->nodes[of], n);
    add_fields(k, SHUNT_NONE, n);
    for (uint32_t i = 0; i < k->count; i++) {
        const shunt_plan_node *node = &k->plan->nodes[k->list[i].node];
        if (node->field) continue;
        take(k, HL7_TAKE_ENTER, node->loop, 0, k->wants);
        add_values(k, node, n);
        if (frame_of(k, i) != SHUNT_NONE) add_fields(k, frame_of(k, i), n);
        take(k, HL7_TAKE_LEAVE, node->loop, 0, k->wants);
    }
    n->take_count = k->takes - n->take_first;
}

/* Room that is enough: a loop of a field may stand in each loop of the repeats of its segment, and beside them. */
static void count_all(const shunt_plan *plan, const trigger *list, uint32_t count, uint64_t *takes, uint64_t *wants)
{
    for (uint32_t i = 0; i < plan->node_count; i++) {
        *takes += plan->nodes[i].of == SHUNT_NONE && plan->nodes[i].demand_count;
        *wants += plan->nodes[i].of == SHUNT_NONE ? plan->nodes[i].demand_count : 0;
    }
    for (uint32_t first = 0, end; first < count; first = end) {
        uint64_t segments = 0;
        for (end = first; end < count && list[end].of == list[first].of; end++)
            segments += plan->nodes[list[end].node].field == 0;
        for (uint32_t i = first; i < end; i++) {
            const shunt_plan_node *node = &plan->nodes[list[i].node];
            *takes += node->field ? segments + 1 : 3;
            *wants += (node->field ? segments + 1 : 1) * node->demand_count;
        }
    }
}

/* The triggers of the plan in the order of their segments; NULL without memory. */
static trigger *list_triggers(const shunt_memory *memory, const shunt_plan *plan, uint32_t *count)
{
    *count = 0;
    for (uint32_t i = 0; i < plan->node_count; i++) *count += plan->nodes[i].of != SHUNT_NONE;
    trigger *list = shunt_memory_zeroed(memory, *count ? *count : 1, sizeof *list);
    if (!list) return NULL;
    for (uint32_t i = 0, at = 0; i < plan->node_count; i++)
        if (plan->nodes[i].of != SHUNT_NONE) list[at++] = (trigger){ plan->nodes[i].of, (uint16_t)i };
    if (*count > 1) qsort(list, *count, sizeof *list, compare_triggers);
    return list;
}

enum { MOST = 1 << 24 /* takes or wants */ };

static bool fill(shunt_hl7_wants *w, const shunt_memory *memory, const shunt_plan *plan, const trigger *list, uint32_t count)
{
    uint64_t takes = 0, wants = 0;
    count_all(plan, list, count, &takes, &wants);
    if (takes > MOST || wants > MOST) return false;
    w->wants = shunt_memory_zeroed(memory, wants ? (size_t)wants : 1, sizeof *w->wants);
    w->takes = shunt_memory_zeroed(memory, takes ? (size_t)takes : 1, sizeof *w->takes);
    w->nodes = shunt_memory_zeroed(memory, plan->node_count ? plan->node_count : 1, sizeof *w->nodes);
    if (!w->wants || !w->takes || !w->nodes) return false;
    work k = { .w = w, .plan = plan };
    for (uint32_t i = 0, at = 0; i < plan->node_count; i++) {
        const shunt_plan_node *node = &plan->nodes[i];
        k.list = list + at;
        for (k.count = 0; at < count && list[at].of == i; at++) k.count++;
        if (node->of != SHUNT_NONE) continue;
        if (node->back == 0)
            add_takes(&k, (uint16_t)i, &w->nodes[i]);
        else
            w->nodes[i] = w->nodes[i - node->back];
        if (w->nodes[i].last > w->last) w->last = w->nodes[i].last;
    }
    return true;
}

bool shunt_hl7_wants_init(shunt_hl7_wants *w, const shunt_memory *memory, const shunt_plan *plan)
{
    uint32_t count;
    *w = (shunt_hl7_wants){ 0 };
    trigger *list = list_triggers(memory, plan, &count);
    if (!list) return false;
    bool filled = fill(w, memory, plan, list, count);
    shunt_memory_free(memory, list);
    return filled;
}

void shunt_hl7_wants_done(shunt_hl7_wants *w, const shunt_memory *memory)
{
    shunt_memory_free(memory, w->wants);
    shunt_memory_free(memory, w->takes);
    shunt_memory_free(memory, w->nodes);
}
