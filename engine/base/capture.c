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

/* The elements of a segment that a node demands something of; of a node with groups the first one of any. */
struct span {
    uint16_t first, last;
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
    struct span        *spans;   /* one a node of the plan */
    shunt_node         *root;
    uint16_t            depth;      /* open loops */
    uint16_t            unit_depth; /* levels up to and with the open unit, 0 = none is open */
    bool                unit_full;  /* the open unit was dropped */
    bool                all_full;   /* the header holds more than its limit: nothing more is captured in this transaction */
    struct level        levels[SHUNT_WALK_DEPTH];
};

static struct span span_of(const shunt_plan *plan, const shunt_plan_node *node)
{
    struct span span = { UINT16_MAX, 0 };
    for (uint32_t i = 0; i < node->demand_count; i++) {
        const shunt_plan_demand *demand = &plan->demands[node->demand_first + i];
        uint32_t                 element = demand->element + (demand->relative ? node->group_first : 0u);
        if (element < span.first) span.first = (uint16_t)element;
        if (element > span.last) span.last = element < UINT16_MAX ? (uint16_t)element : UINT16_MAX;
    }
    return span;
}

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
    c->spans = shunt_memory_zeroed(memory, plan->node_count ? plan->node_count : 1, sizeof *c->spans);
    if (!c->arena || !c->tallies || !c->layouts || !c->spans) {
        shunt_capture_free(c);
        return NULL;
    }
    for (uint32_t i = 0; i < plan->node_count; i++) c->spans[i] = span_of(plan, &plan->nodes[i]);
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
    shunt_memory_free(c->memory, c->spans);
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
    shunt_mark    before = shunt_arena_mark(c->arena);
    SHUNT_ONE_BY_ONE(before.used);
    *level = (struct level){ .loop = loop, .serial = ++c->serial, .before = before };
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

uint16_t shunt_capture_open(const shunt_capture *c) { return c->depth > 1 ? c->levels[c->depth - 1].loop : SHUNT_NONE; }

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
    if (length) *slot = (shunt_captured){ copy, length, range.end - range.begin, segment->at + range.begin, 0 };
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

typedef uint8_t block __attribute__((vector_size(16)));

/* Less than sixteen bytes, those in the middle twice. */
static inline bool copy_short(char *to, const uint8_t *from, uint32_t length, uint8_t wanted)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t       first, last;
    uint32_t       low, high;
    if (length >= 8) {
        memcpy(&first, from, 8);
        memcpy(&last, from + length - 8, 8);
        memcpy(to, &first, 8);
        memcpy(to + length - 8, &last, 8);
    } else if (length >= 4) {
        memcpy(&low, from, 4);
        memcpy(&high, from + length - 4, 4);
        memcpy(to, &low, 4);
        memcpy(to + length - 4, &high, 4);
        first = last = low | (uint64_t)high << 32;
    } else {
        bool any = false;
        for (uint32_t i = 0; i < length; i++) {
            to[i] = (char)from[i];
            any |= from[i] == wanted;
        }
        return any;
    }
    first ^= ones * wanted;
    last ^= ones * wanted;
    return (((first - ones) & ~first) | ((last - ones) & ~last)) & ones << 7;
}

/* Copies the bytes; true where one of them is `wanted`. */
static inline bool copy_and_find(char *to, const uint8_t *from, uint32_t length, uint8_t wanted)
{
    enum { SIZE = sizeof(block) };
    block    all = wanted - (block){ 0 }, bytes, found = { 0 };
    uint64_t halves[2];
    if (length < SIZE) return copy_short(to, from, length, wanted);
    for (uint32_t at = 0;; at = at + 2 * SIZE < length ? at + SIZE : length - SIZE) {
        memcpy(&bytes, from + at, SIZE);
        memcpy(to + at, &bytes, SIZE);
        found |= (block)(bytes == all);
        if (at + SIZE == length) break;
    }
    memcpy(halves, &found, sizeof halves);
    return halves[0] | halves[1];
}

/* The part of a segment without line ends in which all demanded values stand, copied. */
struct part {
    char    *copy;
    uint32_t begin;
    bool     repeats; /* some element is repeated */
};

/* Elements `first` to `last` of it. False: the arena gave nothing. */
static inline bool take_part(shunt_capture *c, uint32_t first, uint32_t last, const shunt_segment *segment,
                             const shunt_delims *delims, struct part *part)
{
    uint32_t end = segment->offsets[(last < segment->elements ? last : segment->elements) + 1] - 1;
    part->begin = first <= segment->elements ? segment->offsets[first] : end;
    part->copy = take_bytes(c, end - part->begin);
    if (!part->copy) return false;
    part->repeats =
        copy_and_find(part->copy, segment->bytes + part->begin, end - part->begin, delims->repetition) && delims->repetition;
    return true;
}

/* Empty where the demand has no value. */
static inline shunt_range find_value(const shunt_plan_demand *demand, uint32_t group, const struct part *part,
                                     const shunt_segment *segment, const shunt_delims *delims)
{
    uint32_t element = demand->element + (demand->relative ? group : 0u);
    if (element > segment->elements) return (shunt_range){ 0, 0 };
    if (SHUNT_UNLIKELY(part->repeats || demand->component)) return value_of(demand, group, segment, delims);
    return (shunt_range){ segment->offsets[element], segment->offsets[element + 1] - 1 };
}

/* The elements of the part fill the slots that are empty. Most values are whole elements without repetitions. */
static inline void paste(const shunt_plan_demand *demand, unsigned count, shunt_node *node, uint32_t group,
                         const struct part *part, const shunt_segment *segment, const shunt_delims *delims)
{
    const uint32_t *offsets = segment->offsets;
    uint32_t        elements = segment->elements;
    for (const shunt_plan_demand *end = demand + count; demand < end; demand++) {
        uint32_t element = demand->element + (demand->relative ? group : 0u);
        if (element > elements) continue;
        shunt_captured *slot = &node->slots[demand->slot];
        uint32_t        begin = offsets[element], length = offsets[element + 1] - 1 - begin;
        if (SHUNT_UNLIKELY(part->repeats || demand->component)) {
            shunt_range range = value_of(demand, group, segment, delims);
            begin = range.begin;
            length = range.end - range.begin;
        }
        if (!length || slot->bytes) continue;
        slot->bytes = part->copy + (begin - part->begin);
        slot->length = slot->size = length;
        slot->at = segment->at + begin;
    }
}

static bool fill(shunt_capture *c, uint16_t index, shunt_node *node, const shunt_segment *segment, const shunt_delims *delims)
{
    const shunt_plan_node   *plan_node = &c->plan->nodes[index];
    const shunt_plan_demand *demands = c->plan->demands + plan_node->demand_first;
    struct part              part;
    if (SHUNT_UNLIKELY(segment->line_ends)) return fill_joined(c, demands, plan_node->demand_count, node, 0, segment, delims);
    if (!take_part(c, c->spans[index].first, c->spans[index].last, segment, delims, &part)) return false;
    paste(demands, plan_node->demand_count, node, 0, &part, segment, delims);
    return true;
}

/* Does the group hold any of what is demanded from groups? */
static bool group_holds(const shunt_plan *plan, const shunt_plan_node *plan_node, uint32_t group, const struct part *part,
                        const shunt_segment *segment, const shunt_delims *delims)
{
    const shunt_plan_demand *demands = plan->demands + plan_node->demand_first;
    for (unsigned i = 0; i < plan_node->demand_count; i++) {
        if (!demands[i].relative) continue;
        shunt_range range = segment->line_ends ? value_of(&demands[i], group, segment, delims)
                                               : find_value(&demands[i], group, part, segment, delims);
        for (uint32_t at = range.begin; at < range.end; at++)
            if (!segment->line_ends || !is_line_end(segment->bytes[at])) return true;
    }
    return false;
}

/* False: the arena gave nothing. */
static bool add_instance(shunt_capture *c, const shunt_plan_node *plan_node, shunt_children *list, uint32_t group,
                         const struct part *part, const shunt_segment *segment, const shunt_delims *delims)
{
    const shunt_plan_demand *demands = c->plan->demands + plan_node->demand_first;
    shunt_node              *node = make_node(c, plan_node->frame, c->levels[c->depth - 1].serial, segment->at, segment->number);
    if (!node) return false;
    node->end = segment->at + segment->length + 1;
    if (!segment->line_ends)
        paste(demands, plan_node->demand_count, node, group, part, segment, delims);
    else if (!fill_joined(c, demands, plan_node->demand_count, node, group, segment, delims))
        return false;
    append(list, node);
    return true;
}

/* One instance a segment, or one for each group of elements that holds anything. */
static shunt_status capture_groups(shunt_capture *c, uint16_t index, const shunt_segment *segment, const shunt_delims *delims)
{
    const shunt_plan_node *plan_node = &c->plan->nodes[index];
    unsigned               owner = 0;
    shunt_children        *list = list_for(c, plan_node->frame, c->depth, &owner);
    struct part            part = { NULL, 0, false };
    if (!list) return SHUNT_OK;
    for (unsigned d = owner + 1; d < c->depth; d++) c->levels[d].keep = true;
    if (!segment->line_ends && !take_part(c, c->spans[index].first, UINT32_MAX - 1, segment, delims, &part)) return exhausted(c);
    uint32_t group = plan_node->group_first;
    if (plan_node->group_stride == 0)
        return add_instance(c, plan_node, list, group, &part, segment, delims) ? SHUNT_OK : exhausted(c);
    for (unsigned i = 0; i < plan_node->group_count && group <= segment->elements; i++, group += plan_node->group_stride) {
        if (!group_holds(c->plan, plan_node, group, &part, segment, delims)) continue;
        if (!add_instance(c, plan_node, list, group, &part, segment, delims)) return exhausted(c);
    }
    return SHUNT_OK;
}

shunt_status shunt_capture_segment(shunt_capture *c, uint16_t node, const shunt_segment *segment, const shunt_delims *delims)
{
    if (node >= c->plan->node_count || idle(c)) return SHUNT_OK;
    const shunt_plan_node *plan_node = &c->plan->nodes[node];
    if (plan_node->frame != SHUNT_NONE) return capture_groups(c, node, segment, delims);
    if (plan_node->demand_count == 0) return SHUNT_OK;
    struct level *level = &c->levels[c->depth - 1];
    if (level->loop != plan_node->loop || !level->node) return SHUNT_OK;
    return fill(c, node, level->node, segment, delims) ? SHUNT_OK : exhausted(c);
}

shunt_node *shunt_capture_target(shunt_capture *c) { return idle(c) ? NULL : nearest(c); }

char *shunt_capture_room(shunt_capture *c, size_t size_bytes) { return take_bytes(c, size_bytes); }

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
    *into = (shunt_captured){ copy, value.length, place->length, place->byte, 0 };
    *taken = true;
    return SHUNT_OK;
}
