#include "engine/base/walk.h"

#include "engine/base/walk_step.h"

void shunt_walk_begin(shunt_walk *walk, const shunt_plan *plan, uint16_t guide)
{
    memset(walk, 0, sizeof *walk);
    shunt_walk_again(walk, plan, guide);
}

#define HL ((uint64_t)'H' << 56 | (uint64_t)'L' << 48)

static uint32_t find_id(shunt_walk *walk, uint64_t id);

static bool share_key(const shunt_plan *plan, const shunt_plan_node *a, const shunt_plan_node *b)
{
    for (unsigned i = 0; i < a->key_count; i++)
        for (unsigned k = 0; k < b->key_count; k++)
            if (plan->keys[a->key_first + i] == plan->keys[b->key_first + k]) return true;
    return false;
}

/* Is there a loop from which an HL with one qualifier can go to several places? */
static bool levels_are_several(shunt_walk *walk)
{
    const shunt_plan *plan = walk->plan;
    uint32_t          id = find_id(walk, HL);
    for (uint32_t loop = 0; id < walk->guide->id_count && loop < walk->guide->loop_count; loop++) {
        const uint32_t *cell = plan->dispatch + walk->guide->dispatch_first + loop * walk->guide->id_count + id;
        for (uint32_t a = cell[0]; a < cell[1]; a++)
            for (uint32_t b = a + 1; b < cell[1]; b++)
                if (!plan->choices[a].orphan && !plan->choices[b].orphan &&
                    share_key(plan, &plan->nodes[plan->choices[a].node], &plan->nodes[plan->choices[b].node]))
                    return true;
    }
    return false;
}

void shunt_walk_again(shunt_walk *walk, const shunt_plan *plan, uint16_t guide)
{
    if (walk->plan != plan || walk->guide != &plan->guides[guide]) {
        memset(walk, 0, sizeof *walk);
        walk->plan = plan;
        walk->guide = &plan->guides[guide];
        walk->plain = true;
        walk->learned = 1;
        walk->levels = levels_are_several(walk);
    }
    walk->last = SHUNT_WALK_STEPS;
    memset(walk->positions, 0, sizeof walk->positions);
    memset(walk->repeats, 0, sizeof walk->repeats);
    memset(walk->level, 0, sizeof walk->level);
    walk->last_node = SHUNT_NONE;
    walk->last_repeats = 0;
    walk->depth = 1;
    walk->loops[0] = walk->guide->loop_first;
    walk->repeats[0] = 1;
    for (unsigned d = 1; d < SHUNT_WALK_DEPTH; d++) walk->loops[d] = SHUNT_NONE;
}

/* Place of the id among the ids of the guide; id_count where it has none. */
static uint32_t find_id(shunt_walk *walk, uint64_t id)
{
    size_t slot = shunt_walk_place_slot(id);
    if (SHUNT_LIKELY(walk->cache_ids[slot] == id)) return walk->cache_indexes[slot];
    const uint64_t *ids = walk->plan->ids + walk->guide->id_first;
    uint32_t        low = 0, high = walk->guide->id_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (ids[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == walk->guide->id_count || ids[low] != id) low = walk->guide->id_count;
    walk->cache_ids[slot] = id; /* 0 is no id, so a cleared cache answers nothing */
    walk->cache_indexes[slot] = (uint16_t)low;
    return low;
}

/* Up to 8 bytes of the range in a number, line ends of a wrapped file left out. */
static uint64_t pack_range(const shunt_segment *segment, shunt_range range)
{
    if (SHUNT_LIKELY(!segment->line_ends)) return shunt_segment_pack(segment, range);
    uint8_t  kept[8];
    unsigned count = 0;
    for (uint32_t i = range.begin; i < range.end && count < 8; i++)
        if (segment->bytes[i] != '\r' && segment->bytes[i] != '\n') kept[count++] = segment->bytes[i];
    return shunt_pack(kept, count);
}

/* The qualifier of the segment, read once per place that the choices ask for. */
typedef struct qualifier {
    uint64_t value;
    unsigned element, component;
} qualifier;

static bool key_fits(const shunt_plan *plan, const shunt_plan_node *node, const shunt_segment *segment,
                     const shunt_delims *delims, qualifier *q)
{
    if (node->key_count == 0) return true;
    if (q->element != node->key_element || q->component != node->key_component) {
        q->element = node->key_element;
        q->component = node->key_component;
        q->value = pack_range(segment, shunt_segment_value(segment, delims, q->element, q->component));
    }
    const uint64_t *keys = plan->keys + node->key_first;
    for (unsigned i = 0; i < node->key_count; i++)
        if (keys[i] == q->value) return true;
    return false;
}

/* The outermost loop that a trigger starts. */
static uint16_t started_by(const shunt_plan *plan, const shunt_plan_node *node)
{
    uint16_t loop = node->loop;
    for (unsigned inner = node->trigger; inner > 1; inner--) loop = plan->loops[loop].parent;
    return loop;
}

/* The loop in whose body the node stands. */
static uint16_t body_of(const shunt_plan *plan, const shunt_plan_node *node)
{
    return node->trigger ? plan->loops[started_by(plan, node)].parent : node->loop;
}

static bool is_open(const shunt_walk *walk, uint16_t loop)
{
    uint16_t depth = walk->plan->loops[loop].depth;
    return depth < walk->depth && walk->loops[depth] == loop;
}

/* The number that this repeat of the node, or this instance of its loop, would have in a row. */
static uint32_t repeat_of(const shunt_walk *walk, const shunt_plan_node *node, uint16_t index)
{
    if (!node->trigger) return walk->last_node == index ? walk->last_repeats + 1 : 1;
    uint16_t               started = started_by(walk->plan, node);
    const shunt_plan_loop *loop = &walk->plan->loops[started];
    return loop->depth <= walk->depth && walk->loops[loop->depth] == started ? walk->repeats[loop->depth] + 1 : 1;
}

static bool used_up(const shunt_walk *walk, const shunt_plan_node *node, uint16_t index)
{
    uint32_t max = node->trigger ? walk->plan->loops[started_by(walk->plan, node)].max : node->max;
    return max && repeat_of(walk, node, index) > max;
}

/* Opens an instance of the loop in the innermost body. */
static void open_loop(shunt_walk *walk, uint16_t loop, uint32_t repeat, uint16_t start, shunt_landing *landing)
{
    walk->loops[walk->depth] = loop;
    walk->repeats[walk->depth] = repeat;
    walk->positions[walk->depth] = start;
    walk->depth++;
    if (walk->depth < SHUNT_WALK_DEPTH) walk->loops[walk->depth] = SHUNT_NONE;
    landing->enter[landing->enter_count++] = loop;
}

/* Leaves and enters until the body of the node is innermost (of a trigger: its loop), and stands at its position. */
static void move(shunt_walk *walk, uint16_t index, shunt_landing *landing)
{
    const shunt_plan      *plan = walk->plan;
    const shunt_plan_node *node = &plan->nodes[index];
    uint32_t               repeat = repeat_of(walk, node, index);
    uint16_t               body = body_of(plan, node), path[SHUNT_WALK_DEPTH];
    unsigned               missing = 0;
    for (; !is_open(walk, body); body = plan->loops[body].parent) path[missing++] = body;

    landing->node = index;
    landing->leave = (uint16_t)(walk->depth - 1 - plan->loops[body].depth);
    walk->depth = (uint16_t)(plan->loops[body].depth + 1);
    while (missing > 0) {
        uint16_t loop = path[--missing];
        walk->positions[walk->depth - 1] = plan->loops[loop].position;
        open_loop(walk, loop, 1, 0, landing);
    }
    walk->positions[walk->depth - 1] = node->position;
    walk->last_node = index;
    walk->last_repeats = repeat;
    if (!node->trigger) return;
    if (SHUNT_UNLIKELY(node->trigger > 1)) {
        uint16_t loop = node->loop, inner[SHUNT_WALK_DEPTH];
        unsigned count = 0;
        for (unsigned started = node->trigger; started > 1; started--) inner[count++] = loop, loop = plan->loops[loop].parent;
        open_loop(walk, loop, repeat, 0, landing);
        while (count > 0) {
            walk->positions[walk->depth - 1] = plan->loops[inner[--count]].position;
            open_loop(walk, inner[count], 1, 0, landing);
        }
        walk->positions[walk->depth - 1] = node->start;
        return;
    }
    if (SHUNT_UNLIKELY(node->position != plan->loops[node->loop].position) && walk->plain) {
        walk->plain = false; /* where the walk stands no longer follows from the last node */
        memset(walk->steps, 0, sizeof walk->steps);
    }
    open_loop(walk, node->loop, repeat, node->start, landing);
}

/* The open loop whose level this HL says it is in; SHUNT_NONE: none, or nothing is said. */
static uint16_t parent_level(const shunt_walk *walk, const shunt_segment *segment, const shunt_delims *delims)
{
    uint64_t parent = pack_range(segment, shunt_segment_value(segment, delims, 2, 0));
    for (unsigned depth = walk->depth; parent && depth-- > 1;)
        if (walk->level[depth] == parent) return walk->loops[depth];
    return SHUNT_NONE;
}

/* The best choices of each kind; `parent`: only those in its body count, SHUNT_NONE = all. */
typedef struct found {
    uint32_t fits, full, orphan, back;
} found;

static found find_choices(const shunt_walk *walk, const uint32_t *cell, const shunt_segment *segment, const shunt_delims *delims,
                          uint16_t parent)
{
    const shunt_plan *plan = walk->plan;
    found             f = { UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX };
    qualifier         q = { .element = UINT32_MAX, .component = UINT32_MAX };
    for (uint32_t c = cell[0]; c < cell[1]; c++) {
        const shunt_plan_choice *choice = &plan->choices[c];
        const shunt_plan_node   *node = &plan->nodes[choice->node];
        if (choice->orphan && f.orphan != UINT32_MAX) continue;
        if (!key_fits(plan, node, segment, delims, &q)) continue;
        if (choice->orphan) {
            f.orphan = c;
            continue;
        }
        uint16_t               index = body_of(plan, node);
        const shunt_plan_loop *body = &plan->loops[index];
        if (SHUNT_UNLIKELY(parent != SHUNT_NONE) && index != parent) continue;
        if (node->position < walk->positions[body->depth]) {
            if (f.back == UINT32_MAX) f.back = c;
        } else if (used_up(walk, node, choice->node)) {
            if (f.full == UINT32_MAX) f.full = c;
        } else {
            f.fits = c;
            break;
        }
    }
    return f;
}

void shunt_walk_segment(shunt_walk *walk, const shunt_segment *segment, const shunt_delims *delims, shunt_landing *landing)
{
    const shunt_plan *plan = walk->plan;
    walk->last = SHUNT_WALK_STEPS;
    landing->node = SHUNT_NONE;
    landing->leave = 0;
    landing->enter_count = 0;
    landing->out_of_order = landing->orphan = landing->too_many = landing->sure = false;

    uint64_t name = segment->id ? segment->id : pack_range(segment, shunt_segment_element(segment, 0));
    uint32_t id = find_id(walk, name);
    if (id >= walk->guide->id_count) return;
    uint16_t        innermost = walk->loops[walk->depth - 1];
    const uint32_t *cell = plan->dispatch + walk->guide->dispatch_first +
                           (uint32_t)(innermost - walk->guide->loop_first) * walk->guide->id_count + id;
    bool     level = SHUNT_UNLIKELY(walk->levels) && name == HL;
    uint16_t parent = level ? parent_level(walk, segment, delims) : SHUNT_NONE;
    found    f = find_choices(walk, cell, segment, delims, parent);
    if (parent != SHUNT_NONE && f.fits == UINT32_MAX) f = find_choices(walk, cell, segment, delims, SHUNT_NONE);
    uint32_t best = f.fits;
    if (SHUNT_UNLIKELY(best == UINT32_MAX)) {
        best = f.full != UINT32_MAX ? f.full : f.orphan != UINT32_MAX ? f.orphan : f.back;
        if (best == UINT32_MAX) return;
        landing->too_many = used_up(walk, &plan->nodes[plan->choices[best].node], plan->choices[best].node);
        landing->orphan = best == f.orphan;
        landing->out_of_order = best == f.back;
    }
    landing->sure = best == f.fits && f.full == UINT32_MAX && !level;
    move(walk, plan->choices[best].node, landing);
    if (level) walk->level[walk->depth - 1] = pack_range(segment, shunt_segment_value(segment, delims, 1, 0));
}

/* The place that all choices of the id behind the node ask for: that in force for the id where they ask for none; false where
 * they ask for several. */
static bool find_place(shunt_walk *walk, uint64_t id, uint16_t from, shunt_walk_place *place)
{
    const shunt_plan       *plan = walk->plan;
    uint16_t                loop = from == SHUNT_NONE ? walk->guide->loop_first : plan->nodes[from].loop;
    const shunt_walk_place *known = &walk->places[shunt_walk_place_slot(id)];
    const uint32_t         *cell = plan->dispatch + walk->guide->dispatch_first +
                           (uint32_t)(loop - walk->guide->loop_first) * walk->guide->id_count + find_id(walk, id);
    *place = (shunt_walk_place){ .id = id };
    for (uint32_t c = cell[0]; c < cell[1]; c++) {
        const shunt_plan_node *node = &plan->nodes[plan->choices[c].node];
        if (node->key_count == 0) continue;
        if (place->element && (place->element != node->key_element || place->component != node->key_component)) return false;
        place->element = node->key_element;
        place->component = node->key_component;
    }
    if (!place->element && known->id == id) *place = *known;
    return true;
}

/* All guesses are void. */
static void forget_guesses(shunt_walk *walk)
{
    if (++walk->learned) return;
    memset(walk->steps, 0, sizeof walk->steps); /* after 2^32 of them the numbers begin anew */
    walk->learned = 1;
}

void shunt_walk_separators(shunt_walk *walk) { forget_guesses(walk); }

shunt_walk_step *shunt_walk_learn(shunt_walk *walk, uint16_t from, const shunt_segment *segment, const shunt_delims *delims,
                                  const shunt_landing *landing)
{
    shunt_walk_place place;
    if (!walk->plain || landing->node == SHUNT_NONE || !landing->sure || segment->line_ends) return NULL;
    const shunt_plan_node *node = &walk->plan->nodes[landing->node];
    if (node->trigger > 1) return NULL; /* a remembered step starts one loop */
    if (landing->enter_count != node->trigger || !find_place(walk, segment->id, from, &place)) return NULL;
    uint64_t key = shunt_segment_pack_value(segment, delims, place.element, place.component);
    walk->places[shunt_walk_place_slot(place.id)] = place;
    forget_guesses(walk);
    shunt_walk_step *at = &walk->steps[shunt_walk_slot(place.id, key, from)];
    if (at->id) walk->steps[shunt_walk_slot(place.id, key, from) ^ 1] = *at;
    uint16_t max = node->trigger ? walk->plan->loops[node->loop].max : node->max;
    *at = (shunt_walk_step){
        .most = max ? max : UINT32_MAX,
        .again = from == landing->node ? UINT32_MAX : 0,
        .elements = node->elements ? node->elements : UINT16_MAX,
        .node = landing->node,
        .moves = landing->leave || node->trigger,
        .wanted = landing->leave || node->trigger || node->demand_count || node->frame != SHUNT_NONE,
        .composites = node->elements ? node->composites : UINT64_MAX,
        .id = place.id,
        .key = key,
        .from = from,
        .position = node->position,
        .leave = landing->leave,
        .depth = (uint16_t)(walk->depth - node->trigger),
        .enter = node->trigger ? node->loop : SHUNT_NONE,
        .start = node->trigger ? node->start : 0,
        .element = place.element,
        .component = place.component,
    };
    return at;
}
