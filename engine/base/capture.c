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

/* Where the parts of an instance of a frame stand in its block. */
struct layout {
    uint32_t children_at, size;
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
    struct layout      *layouts; /* one a frame */
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
    size_t frames = plan->frame_count ? plan->frame_count : 1;
    c->tallies = shunt_memory_zeroed(memory, frames, sizeof *c->tallies);
    c->layouts = shunt_memory_zeroed(memory, frames, sizeof *c->layouts);
    if (!c->arena || !c->tallies || !c->layouts) {
        shunt_capture_free(c);
        return NULL;
    }
    for (uint32_t i = 0; i < plan->frame_count; i++) {
        const shunt_plan_frame *f = &plan->frames[i];
        c->layouts[i].children_at = (uint32_t)(sizeof(shunt_node) + f->slot_count * sizeof(shunt_captured));
        c->layouts[i].size = c->layouts[i].children_at + (uint32_t)(f->child_count * sizeof(shunt_children));
    }
    return c;
}

void shunt_capture_free(shunt_capture *c)
{
    if (!c) return;
    shunt_arena_free(c->arena);
    shunt_memory_free(c->memory, c->tallies);
    shunt_memory_free(c->memory, c->layouts);
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

static void *take(shunt_capture *c, size_t size_bytes)
{
    void *at = shunt_arena_alloc(c->arena, size_bytes);
    return SHUNT_LIKELY(at != NULL) ? at : short_of(c, size_bytes);
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
    struct layout layout = c->layouts[frame];
    char         *block = take(c, layout.size);
    if (!block) return NULL;
    shunt_node *node = (shunt_node *)(void *)block;
    node->slots = (shunt_captured *)(void *)(node + 1);
    node->children = (shunt_children *)(void *)(block + layout.children_at);
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

/* Values of a wrapped file, one by one, without their line ends. */
static bool fill_joined(shunt_capture *c, const shunt_plan_demand *demands, unsigned count, shunt_node *node, uint32_t group,
                        const shunt_segment *segment, const shunt_delims *delims)
{
    for (unsigned i = 0; i < count; i++) {
        shunt_captured *slot = &node->slots[demands[i].slot];
        shunt_range     range = value_of(&demands[i], group, segment, delims);
        if (!slot->bytes && range.begin < range.end && !store_joined(c, segment, range, slot)) return false;
    }
    return true;
}

enum { DEMANDS_AT_ONCE = 16 };

/* Where the values of some demands of one node stand in a segment without line ends; all of them lie in [begin, end). */
struct cut {
    shunt_range ranges[DEMANDS_AT_ONCE];
    uint32_t    begin, end;
    uint32_t    whole; /* bit i: of demand i it is not known yet where its first repetition ends */
    bool        any;   /* some demand that is counted from the group has a value */
};

/* Demands whose slots are filled need nothing; `slots` NULL: none is. */
static inline void cut_out(const shunt_plan_demand *demands, unsigned count, const shunt_captured *slots, uint32_t group,
                           const shunt_segment *segment, const shunt_delims *delims, struct cut *cut)
{
    const uint32_t *offsets = segment->offsets;
    uint8_t         repeat = delims->repetition ? delims->repetition : delims->element; /* which no value holds */
    uint32_t        begin = UINT32_MAX, end = 0, whole = 0;
    bool            any = false;
    for (unsigned i = 0; i < count; i++) {
        const shunt_plan_demand *d = &demands[i];
        uint32_t                 element = d->element + (d->relative ? group : 0);
        cut->ranges[i] = (shunt_range){ 0, 0 };
        if (element > segment->elements || (slots && slots[d->slot].bytes)) continue;
        shunt_range range = { offsets[element], offsets[element + 1] - 1 };
        if (d->component) range = value_of(d, group, segment, delims);
        if (range.begin >= range.end || segment->bytes[range.begin] == repeat) continue;
        cut->ranges[i] = range;
        if (range.begin < begin) begin = range.begin;
        if (range.end > end) end = range.end;
        whole |= (uint32_t)!d->component << i;
        any |= d->relative;
    }
    cut->begin = begin;
    cut->end = end;
    cut->whole = whole;
    cut->any = any;
}

typedef uint8_t block __attribute__((vector_size(16)));

/* Copies the bytes; true where one of them is `wanted`. */
static inline bool copy_and_find(char *to, const uint8_t *from, uint32_t length, uint8_t wanted)
{
    block    all = wanted - (block){ 0 }, bytes, found = { 0 };
    uint64_t halves[2];
    if (length < sizeof bytes) {
        bool any = false;
        for (uint32_t i = 0; i < length; i++) {
            to[i] = (char)from[i];
            any |= from[i] == wanted;
        }
        return any;
    }
    for (uint32_t at = 0;; at = at + 2 * sizeof bytes < length ? at + (uint32_t)sizeof bytes : length - (uint32_t)sizeof bytes) {
        memcpy(&bytes, from + at, sizeof bytes);
        memcpy(to + at, &bytes, sizeof bytes);
        found |= (block)(bytes == all);
        if (at + sizeof bytes == length) break;
    }
    memcpy(halves, &found, sizeof halves);
    return halves[0] | halves[1];
}

/* Fills empty slots of the node: one copy of all that lies between the first and the last value, into which they point. False: the
 * arena gave nothing. */
static inline bool paste(shunt_capture *c, const shunt_plan_demand *demands, unsigned count, shunt_node *node,
                         const shunt_segment *segment, const shunt_delims *delims, struct cut *cut)
{
    if (cut->begin >= cut->end) return true;
    char *copy = take_bytes(c, cut->end - cut->begin);
    if (!copy) return false;
    bool repeats =
        copy_and_find(copy, segment->bytes + cut->begin, cut->end - cut->begin, delims->repetition) && delims->repetition;
    for (unsigned i = 0; i < count; i++) {
        shunt_captured *slot = &node->slots[demands[i].slot];
        shunt_range     range = cut->ranges[i];
        if (SHUNT_UNLIKELY(repeats) && cut->whole >> i & 1) range = shunt_range_until(segment, range, delims->repetition);
        if (range.begin >= range.end || slot->bytes) continue;
        uint32_t length = range.end - range.begin;
        *slot = (shunt_captured){ copy + (range.begin - cut->begin), length, length, segment->at + range.begin };
    }
    return true;
}

static bool fill(shunt_capture *c, const shunt_plan_node *plan_node, shunt_node *node, uint32_t group,
                 const shunt_segment *segment, const shunt_delims *delims)
{
    const shunt_plan_demand *demands = c->plan->demands + plan_node->demand_first;
    unsigned                 left = plan_node->demand_count;
    if (SHUNT_UNLIKELY(segment->line_ends)) return fill_joined(c, demands, left, node, group, segment, delims);
    for (unsigned some; left; demands += some, left -= some) {
        struct cut cut;
        some = left < DEMANDS_AT_ONCE ? left : DEMANDS_AT_ONCE;
        cut_out(demands, some, node->slots, group, segment, delims, &cut);
        if (!paste(c, demands, some, node, segment, delims, &cut)) return false;
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

static shunt_node *new_instance(shunt_capture *c, const shunt_plan_node *plan_node, const shunt_segment *segment)
{
    shunt_node *node = make_node(c, plan_node->frame, c->levels[c->depth - 1].serial, segment->at, segment->number);
    if (node) node->end = segment->at + segment->length + 1;
    return node;
}

static bool add_instance(shunt_capture *c, const shunt_plan_node *plan_node, shunt_children *list, uint32_t group,
                         const shunt_segment *segment, const shunt_delims *delims)
{
    shunt_node *node = new_instance(c, plan_node, segment);
    if (!node || !fill(c, plan_node, node, group, segment, delims)) return false;
    append(list, node);
    return true;
}

/* An instance where the group holds anything. False: the arena gave nothing. */
static bool capture_group(shunt_capture *c, const shunt_plan_node *plan_node, shunt_children *list, uint32_t group,
                          const shunt_segment *segment, const shunt_delims *delims)
{
    const shunt_plan_demand *demands = c->plan->demands + plan_node->demand_first;
    unsigned                 count = plan_node->demand_count;
    if (SHUNT_UNLIKELY(segment->line_ends || count > DEMANDS_AT_ONCE)) {
        return !group_holds(c->plan, plan_node, group, segment, delims) ||
               add_instance(c, plan_node, list, group, segment, delims);
    }
    struct cut cut;
    cut_out(demands, count, NULL, group, segment, delims, &cut);
    if (!cut.any) return true;
    shunt_node *node = new_instance(c, plan_node, segment);
    if (!node || !paste(c, demands, count, node, segment, delims, &cut)) return false;
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
    uint32_t group = plan_node->group_first;
    if (plan_node->group_stride == 0) return add_instance(c, plan_node, list, group, segment, delims) ? SHUNT_OK : exhausted(c);
    for (unsigned i = 0; i < plan_node->group_count && group <= segment->elements; i++, group += plan_node->group_stride)
        if (!capture_group(c, plan_node, list, group, segment, delims)) return exhausted(c);
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
