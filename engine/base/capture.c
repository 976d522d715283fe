#include "engine/base/capture.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "engine/base/segment.h"
#include "engine/base/walk.h"

/* How it is fast: everything that the plan settles is worked out once, when the capture is made. A segment costs the copy of the bytes
 * in which all its demanded values stand, sixteen at a time, and for each value the few words that say where it is in that copy. A node
 * is zeroed in whole lines. The list that it goes to is known by how many levels further out it stands, for as long as the open
 * loops are those that the plan has around each other (`regular`); otherwise it is looked for.
 * Segments that wrap lines, whose elements are repeated, or behind which the input may end take the careful way to the same values. */

enum { LINE = 64, NOWHERE = UINT8_MAX };

typedef uint8_t block __attribute__((vector_size(16)));

/* An open loop. */
struct level {
    shunt_node *node;   /* NULL: its loop has no frame, or its unit was dropped */
    shunt_node *near;   /* the same, or that of the nearest level further out that has one */
    uint64_t    serial; /* number of this loop instance */
    shunt_mark  before; /* the arena before its node */
    uint16_t    loop;
    bool        keep;    /* something captured inside hangs in a list further out */
    bool        regular; /* the levels further out are of the loops around it in the plan, and have their nodes */
};

/* Instances of a frame so far in the loop instance around it. */
struct tally {
    uint64_t serial;
    uint32_t count;
};

/* Where the parts of an instance of a frame stand in its block. */
struct shape {
    uint32_t children_at, size;
};

/* The list that instances of a frame go to: so many levels outwards from a loop that is open, NOWHERE = none, and which one there. */
struct home {
    uint16_t child;
    uint8_t  out;
};

/* A loop of the plan, when it is entered and left. */
struct opening {
    uint16_t    frame, parent;
    struct home home; /* from the loop around it */
    bool        unit;
};

/* A demand. */
struct item {
    uint16_t element;
    uint8_t  component, relative;
    uint32_t slot_at; /* bytes from the first slot */
};

/* A node of the plan: what is done with its segments. */
struct recipe {
    uint32_t    first, count; /* of its items */
    uint16_t    loop, frame;
    uint16_t    low, high;     /* elements that are demanded something of; of a node with groups `low` is the first one of any */
    uint16_t    near, far;     /* of a group: the elements that are demanded, from its first one on */
    bool        solid;         /* of a group all elements from `near` to `far` are demanded whole */
    struct home home;          /* of its groups, from `loop` */
    uint16_t    group, stride; /* first element of the first group, distance of groups */
    uint16_t    groups;        /* how many at most; stride 0: one, whatever it holds */
};

struct shunt_capture {
    struct level       *top;  /* innermost open loop; `levels` itself where none is open */
    bool                idle; /* nothing is captured at present: `unit_full` or `all_full` */
    const shunt_plan   *plan;
    shunt_arena        *arena;
    struct recipe      *recipes;  /* one a node of the plan */
    struct item        *items;    /* one a demand of the plan */
    struct opening     *openings; /* one a loop */
    struct shape       *shapes;   /* one a frame */
    struct tally       *tallies;  /* one a frame */
    uint64_t            serial;
    struct level       *unit; /* of the open unit, NULL = none is open */
    shunt_node         *root;
    size_t              max_bytes;
    size_t              limit;     /* of the arena at present */
    shunt_status        shortage;  /* why the arena gave nothing the last time */
    bool                unit_full; /* the open unit was dropped */
    bool                all_full;  /* the header holds more than its limit: nothing more is captured in this transaction */
    const shunt_memory *memory;
    struct level        levels[SHUNT_WALK_DEPTH + 1]; /* the first one stands for what is around transactions */
};

/* ---- what the plan settles ---- */

static struct home home_of(const shunt_plan *plan, uint16_t loop, uint16_t frame)
{
    for (uint8_t out = 0; loop != SHUNT_NONE; loop = plan->loops[loop].parent, out++) {
        if (plan->loops[loop].frame == SHUNT_NONE) continue;
        const shunt_plan_frame *f = &plan->frames[plan->loops[loop].frame];
        for (uint16_t i = 0; i < f->child_count; i++)
            if (plan->children[f->child_first + i] == frame) return (struct home){ i, out };
    }
    return (struct home){ 0, NOWHERE };
}

static uint16_t short_of_all(uint32_t element) { return element < UINT16_MAX ? (uint16_t)element : UINT16_MAX; }

static struct recipe recipe_of(const shunt_plan *plan, const shunt_plan_node *node, struct item *items)
{
    struct recipe r = { .first = node->demand_first,
                        .count = node->demand_count,
                        .loop = node->loop,
                        .frame = node->frame,
                        .low = UINT16_MAX,
                        .near = UINT16_MAX,
                        .solid = true,
                        .group = node->group_first,
                        .stride = node->group_stride,
                        .groups = node->group_count };
    for (uint32_t i = 0; i < node->demand_count; i++) {
        const shunt_plan_demand *d = &plan->demands[node->demand_first + i];
        uint32_t                 element = d->element + (d->relative ? node->group_first : 0u);
        items[i] = (struct item){ d->element, d->component, d->relative, d->slot * (uint32_t)sizeof(shunt_captured) };
        if (element < r.low) r.low = (uint16_t)element;
        if (element > r.high) r.high = short_of_all(element);
        if (!d->relative) continue;
        if (d->component) r.solid = false;
        if (d->element < r.near) r.near = d->element;
        if (d->element > r.far) r.far = d->element;
    }
    for (uint32_t element = r.near; r.solid && element <= r.far; element++) {
        r.solid = false;
        for (uint32_t i = 0; i < r.count && !r.solid; i++) r.solid = items[i].relative && items[i].element == element;
    }
    if (r.near > r.far) r.solid = false;
    if (r.frame == SHUNT_NONE) return r;
    r.home = home_of(plan, r.loop, r.frame);
    r.high = UINT16_MAX;
    return r;
}

static struct shape shape_of(const shunt_plan_frame *f)
{
    struct shape shape = { .children_at = (uint32_t)(sizeof(shunt_node) + f->slot_count * sizeof(shunt_captured)) };
    shape.size = shape.children_at + (uint32_t)(f->child_count * sizeof(shunt_children));
    return shape;
}

static struct opening opening_of(const shunt_plan *plan, const shunt_plan_loop *loop)
{
    struct opening o = { .frame = loop->frame, .parent = loop->parent };
    if (o.frame == SHUNT_NONE) return o;
    o.home = home_of(plan, loop->parent, loop->frame);
    o.unit = plan->frames[o.frame].unit;
    return o;
}

static size_t some(size_t count) { return count ? count : 1; }

static void outside(shunt_capture *c)
{
    c->top = c->levels;
    c->levels[0] = (struct level){ .loop = SHUNT_NONE, .serial = ++c->serial, .regular = true };
}

shunt_capture *shunt_capture_new(const shunt_memory *memory, const shunt_plan *plan, size_t max_unit_bytes)
{
    shunt_capture *c = shunt_memory_zeroed(memory, 1, sizeof *c);
    if (!c) return NULL;
    c->memory = memory;
    c->plan = plan;
    c->max_bytes = max_unit_bytes;
    outside(c);
    c->arena = shunt_arena_new(memory, max_unit_bytes);
    c->tallies = shunt_memory_zeroed(memory, some(plan->frame_count), sizeof *c->tallies);
    c->shapes = shunt_memory_zeroed(memory, some(plan->frame_count), sizeof *c->shapes);
    c->openings = shunt_memory_zeroed(memory, some(plan->loop_count), sizeof *c->openings);
    c->recipes = shunt_memory_zeroed(memory, some(plan->node_count), sizeof *c->recipes);
    c->items = shunt_memory_zeroed(memory, some(plan->demand_count), sizeof *c->items);
    if (!c->arena || !c->tallies || !c->shapes || !c->openings || !c->recipes || !c->items) {
        shunt_capture_free(c);
        return NULL;
    }
    for (uint32_t i = 0; i < plan->frame_count; i++) c->shapes[i] = shape_of(&plan->frames[i]);
    for (uint32_t i = 0; i < plan->loop_count; i++) c->openings[i] = opening_of(plan, &plan->loops[i]);
    for (uint32_t i = 0; i < plan->node_count; i++)
        c->recipes[i] = recipe_of(plan, &plan->nodes[i], c->items + plan->nodes[i].demand_first);
    return c;
}

void shunt_capture_free(shunt_capture *c)
{
    if (!c) return;
    shunt_arena_free(c->arena);
    shunt_memory_free(c->memory, c->tallies);
    shunt_memory_free(c->memory, c->shapes);
    shunt_memory_free(c->memory, c->openings);
    shunt_memory_free(c->memory, c->recipes);
    shunt_memory_free(c->memory, c->items);
    shunt_memory_free(c->memory, c);
}

/* ---- memory ---- */

static void set_limit(shunt_capture *c, size_t limit)
{
    c->limit = limit;
    shunt_arena_set_limit(c->arena, limit);
}

/* The fault that the arena keeps is the first one only; which limit it was this time is told here. */
static __attribute__((noinline, cold)) void *short_of(shunt_capture *c, size_t size_bytes)
{
    size_t used = shunt_arena_used(c->arena);
    c->shortage = c->limit && (used > c->limit || size_bytes + 16 > c->limit - used) ? SHUNT_LIMIT_UNIT_BYTES : SHUNT_NO_MEMORY;
    return NULL;
}

static inline char *take_bytes(shunt_capture *c, size_t size_bytes)
{
    char *at = shunt_arena_bytes(c->arena, size_bytes);
    return SHUNT_LIKELY(at != NULL) ? at : short_of(c, size_bytes);
}

/* The arena gave nothing: its limit, or no memory. What the limit meets is dropped. */
static __attribute__((noinline, cold)) shunt_status exhausted(shunt_capture *c)
{
    if (c->shortage != SHUNT_LIMIT_UNIT_BYTES) return c->shortage;
    c->idle = true;
    if (!c->unit) {
        c->all_full = true;
        return SHUNT_LIMIT_UNIT_BYTES;
    }
    c->unit_full = true;
    for (struct level *level = c->unit; level <= c->top; level++) {
        level->node = NULL;
        level->near = c->unit[-1].near;
    }
    if (!c->unit->keep) shunt_arena_release(c->arena, c->unit->before);
    return SHUNT_LIMIT_UNIT_BYTES;
}

/* ---- nodes and their lists ---- */

/* An instance of the frame, hanging nowhere yet. NULL: the arena gave nothing. */
static inline shunt_node *make_node(shunt_capture *c, uint16_t frame, uint64_t around, shunt_node *parent, uint64_t at,
                                    uint32_t segment)
{
    const block  zero = { 0 };
    struct shape shape = c->shapes[frame];
    char        *bytes = shunt_arena_raw(c->arena, shape.size);
    if (SHUNT_UNLIKELY(!bytes)) return short_of(c, shape.size);
    shunt_node *node = (shunt_node *)(void *)bytes;
    node->parent = parent;
    node->next = NULL;
    node->slots = (shunt_captured *)(void *)(node + 1);
    node->children = (shunt_children *)(void *)(bytes + shape.children_at);
    node->at = at;
    node->end = 0;
    struct tally *tally = &c->tallies[frame];
    node->ordinal = tally->count = (tally->serial == around ? tally->count : 0) + 1;
    tally->serial = around;
    node->segment = segment;
    node->frame = frame;
    SHUNT_UNPOISON(bytes + shape.size, LINE);
    for (char *line = bytes + sizeof *node, *end = bytes + shape.size; line < end; line += LINE) {
        memcpy(line, &zero, sizeof zero);
        memcpy(line + 16, &zero, sizeof zero);
        memcpy(line + 32, &zero, sizeof zero);
        memcpy(line + 48, &zero, sizeof zero);
        SHUNT_ONE_BY_ONE(line); /* a call would take longer */
    }
    SHUNT_POISON(bytes + shape.size, LINE);
    return node;
}
_Static_assert((int)SHUNT_ARENA_SLACK >= LINE, "the last line is zeroed whole");

/* Where the instances of a frame are kept: the list of the nearest open loop that has one, searched from `level` outwards. */
static __attribute__((noinline)) shunt_children *look_for(const shunt_capture *c, uint16_t frame, struct level *level,
                                                          struct level **owner)
{
    for (; level > c->levels; level--) {
        const shunt_node *node = level->node;
        if (!node) continue;
        const shunt_plan_frame *f = &c->plan->frames[node->frame];
        for (unsigned i = 0; i < f->child_count; i++) {
            if (c->plan->children[f->child_first + i] != frame) continue;
            *owner = level;
            return &node->children[i];
        }
    }
    return NULL;
}

/* The same where it may be known. `level` is of the loop that `home` counts from where `known`. */
static inline shunt_children *list_for(const shunt_capture *c, struct home home, bool known, uint16_t frame, struct level *level,
                                       struct level **owner)
{
    if (SHUNT_UNLIKELY(!known)) return look_for(c, frame, level, owner);
    if (home.out == NOWHERE) return NULL;
    *owner = level - home.out;
    return &(*owner)->node->children[home.child];
}

/* What hangs in a list of `owner` outlives the levels further in, up to `level`. */
static inline void keep_within(struct level *owner, struct level *level)
{
    while (++owner <= level) owner->keep = true;
}

static inline void append(shunt_children *list, shunt_node *node)
{
    if (list->last)
        list->last->next = node;
    else
        list->first = node;
    list->last = node;
    list->count++;
}

/* ---- loops ---- */

/* Opens the level even when nothing can be captured, so that levels stay in step with the loops. */
static inline shunt_status open_level(shunt_capture *c, uint16_t loop, uint64_t at, uint32_t segment)
{
    struct level *around = c->top, *level = around + 1;
    if (around == &c->levels[SHUNT_WALK_DEPTH] || loop >= c->plan->loop_count) return SHUNT_USAGE;
    const struct opening *o = &c->openings[loop];
    shunt_mark            before = shunt_arena_mark(c->arena);
    SHUNT_ONE_BY_ONE(before.next);
    level->before = before;
    level->node = NULL;
    level->near = around->near;
    level->serial = ++c->serial;
    level->loop = loop;
    level->keep = false;
    level->regular = around->regular && o->parent == around->loop;
    c->top = level;
    if (o->frame == SHUNT_NONE) return SHUNT_OK;
    if (o->unit && !c->unit) {
        c->unit = level;
        if (c->max_bytes) set_limit(c, shunt_arena_used(c->arena) + c->max_bytes);
    }
    if (SHUNT_UNLIKELY(c->idle)) return SHUNT_OK;
    shunt_node *node = make_node(c, o->frame, around->serial, around->near, at, segment);
    if (SHUNT_UNLIKELY(!node)) {
        level->regular = false;
        return exhausted(c);
    }
    level->node = level->near = node;
    return SHUNT_OK;
}

shunt_status shunt_capture_begin(shunt_capture *c, uint16_t guide, uint64_t at)
{
    shunt_arena_reset(c->arena);
    set_limit(c, c->max_bytes);
    outside(c);
    c->unit = NULL;
    c->idle = c->unit_full = c->all_full = false;
    c->root = NULL;
    if (guide >= c->plan->guide_count) return SHUNT_OK; /* no source lists the set: nothing is captured */
    SHUNT_TRY(open_level(c, c->plan->guides[guide].loop_first, at, 1));
    c->root = c->top->node;
    return SHUNT_OK;
}

shunt_status shunt_capture_enter(shunt_capture *c, uint16_t loop, uint64_t at, uint32_t segment)
{
    return c->top > c->levels ? open_level(c, loop, at, segment) : SHUNT_OK;
}

const shunt_node *shunt_capture_top(const shunt_capture *c, uint16_t loop) { return c->top->loop == loop ? c->top->node : NULL; }

uint16_t shunt_capture_open(const shunt_capture *c) { return c->top > c->levels + 1 ? c->top->loop : SHUNT_NONE; }

void shunt_capture_leave(shunt_capture *c, uint16_t loop, uint64_t end)
{
    struct level *level = c->top, *owner;
    if (level == c->levels || level->loop != loop) return;
    shunt_node *node = level->node;
    if (node) {
        const struct opening *o = &c->openings[loop];
        node->end = end;
        shunt_children *list = list_for(c, o->home, level->regular, o->frame, level - 1, &owner);
        if (list) {
            append(list, node);
            keep_within(owner, level);
        }
    }
    if (c->unit == level) {
        c->unit = NULL;
        c->unit_full = false;
        c->idle = c->all_full;
        set_limit(c, c->max_bytes);
    }
    if (node && !level->keep) shunt_arena_release(c->arena, level->before);
    c->top = level - 1;
    if (c->top == c->levels) c->root = NULL;
}

const shunt_node *shunt_capture_root(const shunt_capture *c) { return c->root; }

bool shunt_capture_overflowed(const shunt_capture *c) { return c->idle; }

/* ---- values that are cut out of segments ---- */

static bool is_line_end(uint8_t byte) { return byte == '\r' || byte == '\n'; }

static inline uint32_t element_of(const struct item *item, uint32_t group)
{
    return item->element + (item->relative ? group : 0u);
}

static shunt_range value_of(const struct item *item, uint32_t group, const shunt_segment *segment, const shunt_delims *delims)
{
    return shunt_segment_value(segment, delims, element_of(item, group), item->component);
}

static inline shunt_captured *slot_of(shunt_node *node, const struct item *item)
{
    return (shunt_captured *)(void *)((char *)node->slots + item->slot_at);
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
static __attribute__((noinline, cold)) bool fill_joined(shunt_capture *c, const struct recipe *r, shunt_node *node,
                                                        uint32_t group, const shunt_segment *segment, const shunt_delims *delims)
{
    for (const struct item *item = c->items + r->first, *end = item + r->count; item < end; item++) {
        shunt_captured *slot = slot_of(node, item);
        shunt_range     range = value_of(item, group, segment, delims);
        if (!slot->bytes && range.begin < range.end && !store_joined(c, segment, range, slot)) return false;
    }
    return true;
}

/* Bit k: byte k is all ones, the other bytes are zero. */
static inline unsigned bits_of(block found)
{
#ifdef __SSE2__
    return (unsigned)_mm_movemask_epi8((__m128i)found);
#else
    unsigned bits = 0;
    for (unsigned k = 0; k < sizeof found; k++) bits |= (found[k] & 1u) << k;
    return bits;
#endif
}

static inline block load(const void *bytes)
{
    block b;
    memcpy(&b, bytes, sizeof b);
    return b;
}

/* Copies the bytes, not none, sixteen at a time: so many behind them can be read and written. False: none of them is `wanted`. */
static inline bool copy_and_find(char *to, const uint8_t *from, uint32_t length, uint8_t wanted)
{
    const block all = wanted - (block){ 0 };
    block       found = { 0 };
    uint32_t    at = 0;
    SHUNT_UNPOISON(to + length, sizeof all);
    do {
        block bytes = load(from + at);
        memcpy(to + at, &bytes, sizeof bytes);
        found |= (block)(bytes == all);
        at += (uint32_t)sizeof bytes;
    } while (at < length);
    SHUNT_POISON(to + length, sizeof all);
    return bits_of(found);
}
_Static_assert((int)SHUNT_ARENA_SLACK >= (int)sizeof(block) && (int)SHUNT_SEGMENT_ROOM >= (int)sizeof(block),
               "a block at a time");

/* The part of a segment without line ends in which all demanded values stand, copied. */
struct part {
    const char *copy;
    uint32_t    begin;
    bool        repeats; /* some element may be repeated */
};

/* Elements `first` to `last` of it. False: the arena gave nothing. */
static inline bool take_part(shunt_capture *c, uint32_t first, uint32_t last, const shunt_segment *segment,
                             const shunt_delims *delims, struct part *part)
{
    uint32_t end = segment->offsets[(last < segment->elements ? last : segment->elements) + 1] - 1;
    part->begin = first <= segment->elements ? segment->offsets[first] : end;
    part->copy = "";
    part->repeats = false;
    if (part->begin == end) return true;
    const uint8_t *from = segment->bytes + part->begin;
    char          *copy = take_bytes(c, end - part->begin);
    if (SHUNT_UNLIKELY(!copy)) return false;
    part->copy = copy;
    if (SHUNT_LIKELY(segment->roomy)) {
        part->repeats = copy_and_find(copy, from, end - part->begin, delims->repetition) && delims->repetition;
    } else {
        memcpy(copy, from, end - part->begin);
        part->repeats = delims->repetition && memchr(from, delims->repetition, end - part->begin);
    }
    return true;
}

/* Component `number` of an element that is not repeated. Most are short; then the ends of components, and its own, are bits. */
static inline shunt_range component_of(const shunt_segment *segment, uint32_t element, unsigned number,
                                       const shunt_delims *delims)
{
    uint32_t begin = segment->offsets[element], length = segment->offsets[element + 1] - 1 - begin, from = 0;
    if (SHUNT_UNLIKELY(!segment->roomy || length >= sizeof(block) || !delims->component))
        return shunt_segment_value(segment, delims, element, number);
    unsigned ends = bits_of((block)(load(segment->bytes + begin) == delims->component - (block){ 0 }));
    ends = (ends & ((1u << length) - 1)) | 1u << length;
    for (; number > 1; number--) {
        from = (unsigned)__builtin_ctz(ends) + 1;
        ends &= ends - 1;
        if (!ends) return (shunt_range){ 0, 0 };
    }
    return (shunt_range){ begin + from, begin + (unsigned)__builtin_ctz(ends) };
}

/* Empty where the item has no value. Most values are whole elements without repetitions. */
static inline shunt_range find_value(const struct item *item, uint32_t group, const struct part *part,
                                     const shunt_segment *segment, const shunt_delims *delims)
{
    uint32_t element = element_of(item, group);
    if (element > segment->elements) return (shunt_range){ 0, 0 };
    if (SHUNT_UNLIKELY(part->repeats)) return value_of(item, group, segment, delims);
    if (item->component) return component_of(segment, element, item->component, delims);
    return (shunt_range){ segment->offsets[element], segment->offsets[element + 1] - 1 };
}

/* The values of the part fill the slots that are empty. */
static inline void paste(const shunt_capture *c, const struct recipe *r, shunt_node *node, uint32_t group,
                         const struct part *part, const shunt_segment *segment, const shunt_delims *delims)
{
    for (const struct item *item = c->items + r->first, *end = item + r->count; item < end; item++) {
        shunt_range     range = find_value(item, group, part, segment, delims);
        shunt_captured *slot = slot_of(node, item);
        uint32_t        length = range.end - range.begin;
        if (!length || slot->bytes) continue;
        slot->bytes = part->copy + (range.begin - part->begin);
        slot->length = slot->size = length;
        slot->at = segment->at + range.begin;
    }
}

static inline shunt_status fill(shunt_capture *c, const struct recipe *r, shunt_node *node, const shunt_segment *segment,
                                const shunt_delims *delims)
{
    struct part part;
    if (SHUNT_UNLIKELY(segment->line_ends)) return fill_joined(c, r, node, 0, segment, delims) ? SHUNT_OK : exhausted(c);
    if (SHUNT_UNLIKELY(!take_part(c, r->low, r->high, segment, delims, &part))) return exhausted(c);
    paste(c, r, node, 0, &part, segment, delims);
    return SHUNT_OK;
}

/* Does the group hold any of what is demanded from groups? */
static bool look_into(const shunt_capture *c, const struct recipe *r, uint32_t group, const struct part *part,
                      const shunt_segment *segment, const shunt_delims *delims)
{
    for (const struct item *item = c->items + r->first, *end = item + r->count; item < end; item++) {
        if (!item->relative) continue;
        shunt_range range =
            segment->line_ends ? value_of(item, group, segment, delims) : find_value(item, group, part, segment, delims);
        for (uint32_t at = range.begin; at < range.end; at++)
            if (!segment->line_ends || !is_line_end(segment->bytes[at])) return true;
    }
    return false;
}

/* The same; where it is a run of whole elements, by whether more than their separators is between its ends. */
static inline bool group_holds(const shunt_capture *c, const struct recipe *r, uint32_t group, const struct part *part,
                               const shunt_segment *segment, const shunt_delims *delims)
{
    if (SHUNT_UNLIKELY(!r->solid || part->repeats || segment->line_ends)) return look_into(c, r, group, part, segment, delims);
    uint32_t first = group + r->near, last = group + r->far;
    if (first > segment->elements) return false;
    if (last > segment->elements) last = segment->elements;
    return segment->offsets[last + 1] - segment->offsets[first] > last + 1 - first;
}

/* False: the arena gave nothing. */
static inline bool add_instance(shunt_capture *c, const struct recipe *r, shunt_children *list, uint32_t group,
                                const struct part *part, const shunt_segment *segment, const shunt_delims *delims)
{
    shunt_node *node = make_node(c, r->frame, c->top->serial, c->top->near, segment->at, segment->number);
    if (SHUNT_UNLIKELY(!node)) return false;
    node->end = segment->at + segment->length + 1;
    if (SHUNT_LIKELY(!segment->line_ends))
        paste(c, r, node, group, part, segment, delims);
    else if (!fill_joined(c, r, node, group, segment, delims))
        return false;
    append(list, node);
    return true;
}

/* One instance a segment, or one for each group of elements that holds anything. */
static inline shunt_status capture_groups(shunt_capture *c, const struct recipe *r, const shunt_segment *segment,
                                          const shunt_delims *delims)
{
    struct level   *level = c->top, *owner;
    struct part     part = { "", 0, false };
    uint32_t        group = r->group, groups = r->stride ? r->groups : 1;
    shunt_children *list = list_for(c, r->home, level->regular && level->loop == r->loop, r->frame, level, &owner);
    if (!list) return SHUNT_OK;
    keep_within(owner, level);
    if (SHUNT_LIKELY(!segment->line_ends) && SHUNT_UNLIKELY(!take_part(c, r->low, r->high, segment, delims, &part)))
        return exhausted(c);
    for (; groups > 0 && (group <= segment->elements || !r->stride); groups--, group += r->stride) {
        if (r->stride && !group_holds(c, r, group, &part, segment, delims)) continue;
        if (SHUNT_UNLIKELY(!add_instance(c, r, list, group, &part, segment, delims))) return exhausted(c);
    }
    return SHUNT_OK;
}

shunt_status shunt_capture_segment(shunt_capture *c, uint16_t node, const shunt_segment *segment, const shunt_delims *delims)
{
    if (SHUNT_UNLIKELY(node >= c->plan->node_count || c->idle)) return SHUNT_OK;
    const struct recipe *r = &c->recipes[node];
    if (r->frame != SHUNT_NONE) return capture_groups(c, r, segment, delims);
    if (r->count == 0 || c->top->loop != r->loop || !c->top->node) return SHUNT_OK;
    return fill(c, r, c->top->node, segment, delims);
}

/* ---- values that come by themselves ---- */

shunt_node *shunt_capture_target(shunt_capture *c) { return c->idle ? NULL : c->top->near; }

char *shunt_capture_room(shunt_capture *c, size_t size_bytes) { return take_bytes(c, size_bytes); }

const shunt_node *shunt_capture_innermost(const shunt_capture *c) { return c->idle ? NULL : c->top->near; }

shunt_status shunt_capture_value(shunt_capture *c, uint16_t slot, shunt_text value, bool cleared, const shunt_place *place,
                                 bool *taken)
{
    *taken = false;
    shunt_node *node = c->idle ? NULL : c->top->near;
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
