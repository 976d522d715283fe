#include "engine/base/capture.h"

#include "engine/base/segment.h"
#include "engine/base/walk.h"

/* An open loop. */
struct level {
    shunt_node *node;   /* NULL: its loop has no frame, or its unit was dropped */
    shunt_mark  before; /* the arena before its node */
    uint64_t    serial; /* number of this loop instance in the transaction */
    uint16_t    loop;
    bool        keep; /* something captured inside hangs in a list further out */
};

/* Instances of a frame so far in the loop instance around it. */
struct tally {
    uint64_t serial;
    uint32_t count;
};

struct shunt_capture {
    const shunt_memory *memory;
    const shunt_plan   *plan;
    shunt_arena        *arena;
    size_t              max_bytes;
    size_t              limit;    /* of the arena at present */
    shunt_status        shortage; /* why the arena gave nothing the last time */
    uint64_t            serial;
    struct tally       *tallies; /* one a frame */
    shunt_node         *root;
    uint16_t            depth;      /* open loops */
    uint16_t            unit_depth; /* levels up to and with the open unit, 0 = none is open */
    bool                unit_full;  /* the open unit was dropped */
    bool                all_full;   /* the header holds more than its limit: nothing more is captured in this transaction */
    struct level        levels[SHUNT_WALK_DEPTH];
};

shunt_capture *shunt_capture_new(const shunt_memory *memory, const shunt_plan *plan, size_t max_unit_bytes)
{
    shunt_capture *c = shunt_memory_zeroed(memory, 1, sizeof *c);
    if (!c) return NULL;
    c->memory = memory;
    c->plan = plan;
    c->max_bytes = max_unit_bytes;
    c->arena = shunt_arena_new(memory, max_unit_bytes);
    c->tallies = shunt_memory_zeroed(memory, plan->frame_count ? plan->frame_count : 1, sizeof *c->tallies);
    if (c->arena && c->tallies) return c;
    shunt_capture_free(c);
    return NULL;
}

void shunt_capture_free(shunt_capture *c)
{
    if (!c) return;
    shunt_arena_free(c->arena);
    shunt_memory_free(c->memory, c->tallies);
    shunt_memory_free(c->memory, c);
}

static void set_limit(shunt_capture *c, size_t limit)
{
    c->limit = limit;
    shunt_arena_set_limit(c->arena, limit);
}

/* The fault that the arena keeps is the first one only; which limit it was this time is told here. */
static void *short_of(shunt_capture *c, size_t size_bytes)
{
    size_t used = shunt_arena_used(c->arena);
    c->shortage = c->limit && (used > c->limit || size_bytes + 16 > c->limit - used) ? SHUNT_LIMIT_UNIT_BYTES : SHUNT_NO_MEMORY;
    return NULL;
}

static void *take(shunt_capture *c, size_t count, size_t size_bytes)
{
    void *at = shunt_arena_alloc(c->arena, count * size_bytes);
    return SHUNT_LIKELY(at != NULL) ? at : short_of(c, count * size_bytes);
}

static char *take_bytes(shunt_capture *c, size_t size_bytes)
{
    char *at = shunt_arena_bytes(c->arena, size_bytes);
    return SHUNT_LIKELY(at != NULL) ? at : short_of(c, size_bytes);
}

static bool idle(const shunt_capture *c) { return c->all_full || c->unit_full || c->depth == 0; }

/* The arena gave nothing: its limit, or no memory. What the limit meets is dropped. */
static shunt_status exhausted(shunt_capture *c)
{
    if (c->shortage != SHUNT_LIMIT_UNIT_BYTES) return c->shortage;
    if (!c->unit_depth) {
        c->all_full = true;
        return SHUNT_LIMIT_UNIT_BYTES;
    }
    struct level *unit = &c->levels[c->unit_depth - 1];
    c->unit_full = true;
    for (unsigned d = c->unit_depth - 1u; d < c->depth; d++) c->levels[d].node = NULL;
    if (!unit->keep) shunt_arena_release(c->arena, unit->before);
    return SHUNT_LIMIT_UNIT_BYTES;
}

static shunt_node *nearest(const shunt_capture *c)
{
    for (unsigned d = c->depth; d > 0; d--)
        if (c->levels[d - 1].node) return c->levels[d - 1].node;
    return NULL;
}

/* An instance of the frame, hanging nowhere yet. NULL: the arena gave nothing. */
static shunt_node *make_node(shunt_capture *c, uint16_t frame, uint64_t around, uint64_t at, uint32_t segment)
{
    const shunt_plan_frame *f = &c->plan->frames[frame];
    shunt_node             *node = take(c, 1, sizeof *node);
    if (!node) return NULL;
    if (f->slot_count && !(node->slots = take(c, f->slot_count, sizeof *node->slots))) return NULL;
    if (f->child_count && !(node->children = take(c, f->child_count, sizeof *node->children))) return NULL;
    struct tally *tally = &c->tallies[frame];
    if (tally->serial != around) *tally = (struct tally){ around, 0 };
    node->ordinal = ++tally->count;
    node->parent = nearest(c);
    node->frame = frame;
    node->at = at;
    node->segment = segment;
    return node;
}

/* Where the instances of a frame are kept: the list of the nearest open loop that has one, searched from `depth` levels
 * outwards. */
static shunt_children *list_for(const shunt_capture *c, uint16_t frame, unsigned depth, unsigned *owner)
{
    for (unsigned d = depth; d > 0; d--) {
        const shunt_node *node = c->levels[d - 1].node;
        if (!node) continue;
        const shunt_plan_frame *f = &c->plan->frames[node->frame];
        for (unsigned i = 0; i < f->child_count; i++) {
            if (c->plan->children[f->child_first + i] != frame) continue;
            *owner = d - 1;
            return &node->children[i];
        }
    }
    return NULL;
}

static void append(shunt_children *list, shunt_node *node)
{
    if (list->last)
        list->last->next = node;
    else
        list->first = node;
    list->last = node;
    list->count++;
}

/* Opens the level even when nothing can be captured, so that levels stay in step with the loops. */
static shunt_status open_level(shunt_capture *c, uint16_t loop, uint64_t at, uint32_t segment)
{
    if (c->depth >= SHUNT_WALK_DEPTH || loop >= c->plan->loop_count) return SHUNT_USAGE;
    uint64_t      around = c->depth ? c->levels[c->depth - 1].serial : ++c->serial;
    struct level *level = &c->levels[c->depth];
    bool          dropped = c->all_full || c->unit_full;
    *level = (struct level){ .loop = loop, .serial = ++c->serial, .before = shunt_arena_mark(c->arena) };
    uint16_t frame = c->plan->loops[loop].frame;
    if (frame != SHUNT_NONE && c->plan->frames[frame].unit && !c->unit_depth) {
        c->unit_depth = (uint16_t)(c->depth + 1);
        if (c->max_bytes) set_limit(c, shunt_arena_used(c->arena) + c->max_bytes);
    }
    shunt_node *node = frame != SHUNT_NONE && !dropped ? make_node(c, frame, around, at, segment) : NULL;
    c->depth++;
    level->node = node;
    return frame != SHUNT_NONE && !dropped && !node ? exhausted(c) : SHUNT_OK;
}

shunt_status shunt_capture_begin(shunt_capture *c, uint16_t guide, uint64_t at)
{
    shunt_arena_reset(c->arena);
    set_limit(c, c->max_bytes);
    c->depth = c->unit_depth = 0;
    c->unit_full = c->all_full = false;
    c->root = NULL;
    if (guide >= c->plan->guide_count) return SHUNT_OK; /* no source lists the set: nothing is captured */
    SHUNT_TRY(open_level(c, c->plan->guides[guide].loop_first, at, 1));
    c->root = c->levels[0].node;
    return SHUNT_OK;
}

shunt_status shunt_capture_enter(shunt_capture *c, uint16_t loop, uint64_t at, uint32_t segment)
{
    return c->depth ? open_level(c, loop, at, segment) : SHUNT_OK;
}

const shunt_node *shunt_capture_top(const shunt_capture *c, uint16_t loop)
{
    return c->depth && c->levels[c->depth - 1].loop == loop ? c->levels[c->depth - 1].node : NULL;
}

void shunt_capture_leave(shunt_capture *c, uint16_t loop, uint64_t end)
{
    if (c->depth == 0 || c->levels[c->depth - 1].loop != loop) return;
    struct level   *level = &c->levels[c->depth - 1];
    unsigned        owner = 0;
    shunt_children *list = NULL;
    if (level->node) {
        level->node->end = end;
        list = list_for(c, level->node->frame, c->depth - 1u, &owner);
    }
    if (list) {
        append(list, level->node);
        for (unsigned d = owner + 1; d < c->depth; d++) c->levels[d].keep = true;
    }
    if (c->unit_depth == c->depth) {
        c->unit_depth = 0;
        c->unit_full = false;
        set_limit(c, c->max_bytes);
    }
    if (level->node && !level->keep) shunt_arena_release(c->arena, level->before);
    if (c->depth == 1) c->root = NULL;
    c->depth--;
}

const shunt_node *shunt_capture_root(const shunt_capture *c) { return c->root; }

bool shunt_capture_overflowed(const shunt_capture *c) { return c->unit_full || c->all_full; }

static bool is_line_end(uint8_t byte) { return byte == '\r' || byte == '\n'; }

static shunt_range value_of(const shunt_plan_demand *demand, uint32_t group, const shunt_segment *segment,
                            const shunt_delims *delims)
{
    return shunt_segment_value(segment, delims, demand->element + (demand->relative ? group : 0u), demand->component);
}

static bool store_joined(shunt_capture *c, const shunt_segment *segment, shunt_range range, shunt_captured *slot)
{
    char    *copy = take_bytes(c, range.end - range.begin);
    uint32_t length = 0;
    if (!copy) return false;
    for (uint32_t i = range.begin; i < range.end; i++)
        if (!is_line_end(segment->bytes[i])) copy[length++] = (char)segment->bytes[i];
    if (length) *slot = (shunt_captured){ copy, length, range.end - range.begin, segment->at + range.begin };
    return true;
}

enum { DEMANDS_AT_ONCE = 16 };

/* Fills the empty slots of the node by some of its demands: one copy of all that lies between the first and the last value, into which
 * the slots point. Values of a wrapped file are copied one by one, without their line ends. False: the arena gave nothing. */
static bool fill_some(shunt_capture *c, const shunt_plan_demand *demands, unsigned count, shunt_node *node, uint32_t group,
                      const shunt_segment *segment, const shunt_delims *delims)
{
    shunt_range ranges[DEMANDS_AT_ONCE];
    uint32_t    begin = UINT32_MAX, end = 0;
    for (unsigned i = 0; i < count; i++) {
        ranges[i] = (shunt_range){ 0, 0 };
        if (node->slots[demands[i].slot].bytes) continue;
        shunt_range range = value_of(&demands[i], group, segment, delims);
        if (range.begin >= range.end) continue;
        if (SHUNT_UNLIKELY(segment->line_ends)) {
            if (!store_joined(c, segment, range, &node->slots[demands[i].slot])) return false;
            continue;
        }
        ranges[i] = range;
        if (range.begin < begin) begin = range.begin;
        if (range.end > end) end = range.end;
    }
    if (begin >= end) return true;
    char *copy = take_bytes(c, end - begin);
    if (!copy) return false;
    memcpy(copy, segment->bytes + begin, end - begin);
    for (unsigned i = 0; i < count; i++) {
        shunt_captured *slot = &node->slots[demands[i].slot];
        uint32_t        length = ranges[i].end - ranges[i].begin;
        if (length && !slot->bytes)
            *slot = (shunt_captured){ copy + (ranges[i].begin - begin), length, length, segment->at + ranges[i].begin };
    }
    return true;
}

static bool fill(shunt_capture *c, const shunt_plan_node *plan_node, shunt_node *node, uint32_t group,
                 const shunt_segment *segment, const shunt_delims *delims)
{
    const shunt_plan_demand *demands = c->plan->demands + plan_node->demand_first;
    for (unsigned done = 0; done < plan_node->demand_count; done += DEMANDS_AT_ONCE) {
        unsigned left = plan_node->demand_count - done;
        if (!fill_some(c, demands + done, left < DEMANDS_AT_ONCE ? left : DEMANDS_AT_ONCE, node, group, segment, delims))
            return false;
    }
    return true;
}

/* Does the group hold any of what is demanded from groups? */
static bool group_holds(const shunt_plan *plan, const shunt_plan_node *plan_node, uint32_t group, const shunt_segment *segment,
                        const shunt_delims *delims)
{
    const shunt_plan_demand *demands = plan->demands + plan_node->demand_first;
    for (unsigned i = 0; i < plan_node->demand_count; i++) {
        if (!demands[i].relative) continue;
        shunt_range range = value_of(&demands[i], group, segment, delims);
        for (uint32_t at = range.begin; at < range.end; at++)
            if (!segment->line_ends || !is_line_end(segment->bytes[at])) return true;
    }
    return false;
}

static bool add_instance(shunt_capture *c, const shunt_plan_node *plan_node, shunt_children *list, uint32_t group,
                         const shunt_segment *segment, const shunt_delims *delims)
{
    shunt_node *node = make_node(c, plan_node->frame, c->levels[c->depth - 1].serial, segment->at, segment->number);
    if (!node || !fill(c, plan_node, node, group, segment, delims)) return false;
    node->end = segment->at + segment->length + 1;
    append(list, node);
    return true;
}

/* One instance a segment, or one for each group of elements. */
static shunt_status capture_groups(shunt_capture *c, const shunt_plan_node *plan_node, const shunt_segment *segment,
                                   const shunt_delims *delims)
{
    unsigned        owner = 0;
    shunt_children *list = list_for(c, plan_node->frame, c->depth, &owner);
    if (!list) return SHUNT_OK;
    for (unsigned d = owner + 1; d < c->depth; d++) c->levels[d].keep = true;
    if (plan_node->group_stride == 0)
        return add_instance(c, plan_node, list, plan_node->group_first, segment, delims) ? SHUNT_OK : exhausted(c);
    uint32_t group = plan_node->group_first;
    for (unsigned i = 0; i < plan_node->group_count && group <= segment->elements; i++, group += plan_node->group_stride) {
        if (!group_holds(c->plan, plan_node, group, segment, delims)) continue;
        if (!add_instance(c, plan_node, list, group, segment, delims)) return exhausted(c);
    }
    return SHUNT_OK;
}

shunt_status shunt_capture_segment(shunt_capture *c, uint16_t node, const shunt_segment *segment, const shunt_delims *delims)
{
    if (node >= c->plan->node_count || idle(c)) return SHUNT_OK;
    const shunt_plan_node *plan_node = &c->plan->nodes[node];
    if (plan_node->frame != SHUNT_NONE) return capture_groups(c, plan_node, segment, delims);
    if (plan_node->demand_count == 0) return SHUNT_OK;
    struct level *level = &c->levels[c->depth - 1];
    if (level->loop != plan_node->loop || !level->node) return SHUNT_OK;
    return fill(c, plan_node, level->node, 0, segment, delims) ? SHUNT_OK : exhausted(c);
}

const shunt_node *shunt_capture_innermost(const shunt_capture *c) { return idle(c) ? NULL : nearest(c); }

shunt_status shunt_capture_value(shunt_capture *c, uint16_t slot, shunt_text value, bool cleared, const shunt_place *place,
                                 bool *taken)
{
    *taken = false;
    shunt_node *node = idle(c) ? NULL : nearest(c);
    if (!node || slot >= c->plan->frames[node->frame].slot_count) return SHUNT_OK;
    shunt_captured *into = &node->slots[slot];
    if (into->bytes || (!value.length && !cleared)) return SHUNT_OK;
    char *copy = take_bytes(c, value.length ? value.length : 1);
    if (!copy) return exhausted(c);
    if (value.length) memcpy(copy, value.bytes, value.length);
    *into = (shunt_captured){ copy, value.length, place->length, place->byte };
    *taken = true;
    return SHUNT_OK;
}
