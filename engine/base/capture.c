#include "engine/base/capture.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "engine/base/segment.h"
#include "engine/base/walk.h"

/* A function by itself, whatever its arguments are; clang makes no copies of functions and knows no word for it. */
#ifdef __clang__
#define BY_ITSELF __attribute__((noinline))
#else
#define BY_ITSELF __attribute__((noinline, noclone))
#endif

/* How it is fast: everything that the plan settles is worked out once, when the capture is made. A plain segment (event.h) costs the copy
 * of the bytes in which all its demanded values stand, sixteen at a time, and for each value the few words that say where it is in that
 * copy. A node is zeroed in whole lines. The list that it goes to is known by how many levels further out it stands, for as long as
 * the open loops are those that the plan has around each other (`regular`); otherwise it is looked for.
 * Segments that are not plain, and what finds the block of the arena used up, take the careful way to the same values: the usual way makes no
 * call, so that it has no registers to save. */

enum { LINE = 64 };

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

/* Where the parts of an instance of a frame stand in its block, and in how many lines what is behind the node itself is zeroed. */
struct shape {
    uint32_t children_at, size;
    uint32_t lines;
};

enum { PADDING = 15 }; /* at most, before a node */

/* The list that instances of a frame go to: bytes back to its level from that of a loop that is open, NOWHERE = there is none, and bytes
 * from the first list of the node there. */
struct home {
    uint32_t back, child_at;
};

enum { NOWHERE = UINT32_MAX };

/* A loop of the plan, when it is entered and left. */
struct opening {
    uint16_t     frame, parent;
    struct home  home; /* from the loop around it */
    bool         unit;
    struct shape shape; /* of the frame */
};

/* An element that is demanded whole; lists of them ascend and end with one of NO_ELEMENT. */
struct whole {
    uint32_t element;
    uint32_t slot_at; /* bytes from the first slot */
};

enum { NO_ELEMENT = UINT32_MAX };

/* A demand as the plan has it. */
struct item {
    uint16_t element;
    uint8_t  component, relative;
    uint32_t slot_at;
};

static inline uint32_t element_of(const struct item *item, uint32_t group)
{
    return item->element + (item->relative ? group : 0u);
}

/* What a segment of a node does, apart from what only the careful way knows. */
enum way {
    FILL_ONE, /* fills one slot of the frame of its loop by one whole element */
    FILL,     /* fills slots of the frame of its loop */
    MAKE,     /* makes instances of a frame of its own */
};

/* A node of the plan: what is done with its segments. */
struct recipe {
    uint8_t way;
    bool
        smooth; /* plain segments need no care; false: two demands fill the same slot, groups are no runs, or it demands too much */
    bool     parts; /* some demand is of a component */
    uint16_t loop, frame;
    uint32_t low, high;         /* elements that something is demanded of, of groups the first one of any; NO_ELEMENT, 0: none */
    const struct whole *fixed;  /* by number of the element */
    const struct whole *moving; /* from the first element of the group on */
    uint16_t            group, stride; /* first element of the first group, distance of groups */
    uint16_t            groups;        /* how many at most; stride 0: one, whatever it holds */
    uint16_t            far;           /* of a smooth group: its elements from the first one to this one are demanded, whole */
    uint32_t            last_group;    /* first element of the last group that there may be */
    struct home         home;          /* of its groups, from `loop` */
    struct shape        shape;         /* of `frame` */
    const struct item  *items, *items_end; /* all demands, as the plan has them */
};

struct shunt_capture {
    struct level       *top;                    /* innermost open loop; `levels` itself where none is open */
    bool                idle;                   /* nothing is captured at present: `unit_full` or `all_full` */
    uint32_t            node_count, loop_count; /* of the plan */
    shunt_arena        *arena;
    struct recipe      *recipes;  /* one a node of the plan */
    struct whole       *wholes;   /* room for those of all nodes */
    struct item        *items;    /* one a demand of the plan */
    struct opening     *openings; /* one a loop */
    struct tally       *tallies;  /* one a frame */
    const shunt_plan   *plan;
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
    for (uint32_t back = 0; loop != SHUNT_NONE; loop = plan->loops[loop].parent, back += (uint32_t)sizeof(struct level)) {
        if (plan->loops[loop].frame == SHUNT_NONE) continue;
        const shunt_plan_frame *f = &plan->frames[plan->loops[loop].frame];
        for (uint16_t i = 0; i < f->child_count; i++)
            if (plan->children[f->child_first + i] == frame) return (struct home){ back, i * (uint32_t)sizeof(shunt_children) };
    }
    return (struct home){ NOWHERE, 0 };
}

static struct shape shape_of(const shunt_plan_frame *f)
{
    struct shape shape = { .children_at = (uint32_t)(sizeof(shunt_node) + f->slot_count * sizeof(shunt_captured)) };
    shape.size = shape.children_at + (uint32_t)(f->child_count * sizeof(shunt_children));
    shape.lines = (shape.size - (uint32_t)sizeof(shunt_node) + LINE - 1) / LINE;
    return shape;
}

static struct opening opening_of(const shunt_plan *plan, const shunt_plan_loop *loop)
{
    struct opening o = { .frame = loop->frame, .parent = loop->parent };
    if (o.frame == SHUNT_NONE) return o;
    o.home = home_of(plan, loop->parent, loop->frame);
    o.unit = plan->frames[o.frame].unit;
    o.shape = shape_of(&plan->frames[o.frame]);
    return o;
}

/* Puts an element where it belongs in the list; returns the end of the list. */
static struct whole *insert(struct whole *first, struct whole *end, struct whole what)
{
    struct whole *at = end;
    for (; at > first && at[-1].element > what.element; at--) *at = at[-1];
    *at = what;
    return end + 1;
}

/* The list of what `r` demands whole. */
static const struct whole *wholes_of(const struct recipe *r, bool relative, struct whole **room)
{
    struct whole *first = *room, *end = first;
    for (const struct item *item = r->items; item < r->items_end; item++)
        if (!item->component && item->relative == relative)
            end = insert(first, end, (struct whole){ item->element, item->slot_at });
    *end = (struct whole){ NO_ELEMENT, 0 };
    *room = end + 1;
    return first;
}

static bool slots_apart(const struct recipe *r)
{
    for (const struct item *item = r->items; item < r->items_end; item++)
        for (const struct item *other = r->items; other < item; other++)
            if (other->slot_at == item->slot_at) return false;
    return true;
}

/* Lists are made for nodes that demand no more than this, so that a plan costs bounded time. */
enum { SMOOTH_AT_MOST = 64 };

static size_t room_for_wholes(const shunt_plan_node *node)
{
    return node->demand_count <= SMOOTH_AT_MOST ? node->demand_count + (size_t)2 : 0;
}

/* `items` are those of the node, `*room` is for its lists of whole elements. */
static struct recipe recipe_of(const shunt_plan *plan, const shunt_plan_node *node, const struct item *items, struct whole **room)
{
    struct recipe r = { .way = node->frame != SHUNT_NONE ? MAKE : FILL,
                        .loop = node->loop,
                        .frame = node->frame,
                        .low = NO_ELEMENT,
                        .group = node->group_first,
                        .stride = node->group_stride,
                        .groups = node->group_count,
                        .items = items,
                        .items_end = items + node->demand_count };
    for (const struct item *item = items; item < r.items_end; item++) {
        uint32_t element = element_of(item, r.group);
        if (element < r.low) r.low = element;
        if (element > r.high) r.high = element;
        if (item->component) r.parts = true;
        if (item->relative && item->element > r.far) r.far = item->element;
    }
    if (r.way == MAKE) {
        r.high = UINT32_MAX - 1;
        r.home = home_of(plan, r.loop, r.frame);
        r.shape = shape_of(&plan->frames[r.frame]);
    }
    if (!room_for_wholes(node)) return r;
    r.fixed = wholes_of(&r, false, room);
    r.moving = wholes_of(&r, true, room);
    r.smooth = slots_apart(&r);
    if (r.way == FILL && node->demand_count == 1 && !r.parts) r.way = FILL_ONE;
    if (r.way != MAKE) return r;
    if (!r.stride || !r.groups) r.smooth = false;
    for (uint32_t i = 0; r.smooth && i <= r.far; i++) r.smooth = r.moving[i].element == i; /* the end of the list is no element */
    if (r.smooth) r.last_group = r.group + (r.groups - 1u) * r.stride;
    return r;
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
    c->node_count = plan->node_count;
    c->loop_count = plan->loop_count;
    c->max_bytes = max_unit_bytes;
    outside(c);
    c->arena = shunt_arena_new(memory, max_unit_bytes);
    c->tallies = shunt_memory_zeroed(memory, some(plan->frame_count), sizeof *c->tallies);
    c->openings = shunt_memory_zeroed(memory, some(plan->loop_count), sizeof *c->openings);
    c->recipes = shunt_memory_zeroed(memory, some(plan->node_count), sizeof *c->recipes);
    size_t wholes = 0;
    for (uint32_t i = 0; i < plan->node_count; i++) wholes += room_for_wholes(&plan->nodes[i]);
    c->items = shunt_memory_zeroed(memory, some(plan->demand_count), sizeof *c->items);
    c->wholes = shunt_memory_zeroed(memory, some(wholes), sizeof *c->wholes);
    if (!c->arena || !c->tallies || !c->openings || !c->recipes || !c->items || !c->wholes) {
        shunt_capture_free(c);
        return NULL;
    }
    for (uint32_t i = 0; i < plan->loop_count; i++) c->openings[i] = opening_of(plan, &plan->loops[i]);
    for (uint32_t i = 0; i < plan->demand_count; i++) {
        const shunt_plan_demand *d = &plan->demands[i];
        c->items[i] = (struct item){ d->element, d->component, d->relative, d->slot * (uint32_t)sizeof(shunt_captured) };
    }
    struct whole *room = c->wholes;
    for (uint32_t i = 0; i < plan->node_count; i++)
        c->recipes[i] = recipe_of(plan, &plan->nodes[i], c->items + plan->nodes[i].demand_first, &room);
    return c;
}

void shunt_capture_free(shunt_capture *c)
{
    if (!c) return;
    shunt_arena_free(c->arena);
    shunt_memory_free(c->memory, c->tallies);
    shunt_memory_free(c->memory, c->openings);
    shunt_memory_free(c->memory, c->recipes);
    shunt_memory_free(c->memory, c->items);
    shunt_memory_free(c->memory, c->wholes);
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

static char *take_bytes(shunt_capture *c, size_t size_bytes)
{
    char *at = shunt_arena_bytes(c->arena, size_bytes);
    return at ? at : short_of(c, size_bytes);
}

static char *take_node(shunt_capture *c, size_t size_bytes)
{
    char *at = (char *)shunt_arena_raw(c->arena, size_bytes);
    return at ? at : short_of(c, size_bytes);
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

typedef uint8_t block __attribute__((vector_size(16)));

/* The number of the next instance of a frame in the loop instance around it. */
static inline uint32_t count_one(shunt_capture *c, uint16_t frame, uint64_t around)
{
    struct tally *tally = &c->tallies[frame];
    tally->count = (tally->serial == around ? tally->count : 0) + 1;
    tally->serial = around;
    return tally->count;
}

/* An instance of a frame, hanging nowhere yet, at `bytes`, which the arena gave. */
static inline shunt_node *make_node(char *bytes, uint16_t frame, const struct shape *shape, shunt_node *parent, uint64_t at,
                                    uint64_t end, uint32_t segment, uint32_t ordinal)
{
    const block zero = { 0 };
    shunt_node *node = (shunt_node *)(void *)bytes;
    node->parent = parent;
    node->next = NULL;
    node->slots = (shunt_captured *)(void *)(node + 1);
    node->children = (shunt_children *)(void *)(bytes + shape->children_at);
    node->at = at;
    node->end = end;
    node->ordinal = ordinal;
    node->segment = segment;
    node->frame = frame;
    SHUNT_UNPOISON(bytes + shape->size, LINE);
    char *line = bytes + sizeof *node;
    for (uint32_t lines = shape->lines; lines > 0; lines--, line += LINE) {
        memcpy(line, &zero, sizeof zero);
        memcpy(line + 16, &zero, sizeof zero);
        memcpy(line + 32, &zero, sizeof zero);
        memcpy(line + 48, &zero, sizeof zero);
        SHUNT_ONE_BY_ONE(lines); /* a call would take longer */
    }
    SHUNT_POISON(bytes + shape->size, LINE);
    return node;
}
_Static_assert((int)SHUNT_ARENA_SLACK >= LINE, "the last line is zeroed whole");

/* A list, and the level of the node that has it. */
struct place {
    struct level   *owner;
    shunt_children *list; /* NULL: none */
};

/* Where the instances of a frame are kept: the list of the nearest open loop that has one, searched from `level` outwards. */
static __attribute__((noinline)) struct place look_for(const shunt_capture *c, uint16_t frame, struct level *level)
{
    for (; level > c->levels; level--) {
        const shunt_node *node = level->node;
        if (!node) continue;
        const shunt_plan_frame *f = &c->plan->frames[node->frame];
        for (unsigned i = 0; i < f->child_count; i++)
            if (c->plan->children[f->child_first + i] == frame) return (struct place){ level, &node->children[i] };
    }
    return (struct place){ level, NULL };
}

/* The same where it may be known. `level` is of the loop that `home` counts from where `known`. */
static inline struct place place_of(const shunt_capture *c, struct home home, bool known, uint16_t frame, struct level *level)
{
    if (SHUNT_UNLIKELY(!known)) return look_for(c, frame, level);
    if (home.back == NOWHERE) return (struct place){ level, NULL };
    level = (struct level *)(void *)((char *)level - home.back);
    return (struct place){ level, (shunt_children *)(void *)((char *)level->node->children + home.child_at) };
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

/* Levels are opened even when nothing can be captured, so that they stay in step with the loops. */
static inline void open_level(shunt_capture *c, uint16_t loop)
{
    struct level *around = c->top, *level = around + 1;
    shunt_mark    before = shunt_arena_mark(c->arena);
    SHUNT_ONE_BY_ONE(before.next);
    level->before = before;
    level->node = NULL;
    level->near = around->near;
    level->serial = ++c->serial;
    level->loop = loop;
    level->keep = false;
    level->regular = around->regular && c->openings[loop].parent == around->loop;
    c->top = level;
}

static __attribute__((noinline)) shunt_status open_carefully(shunt_capture *c, uint16_t loop, uint64_t at, uint32_t segment)
{
    struct level *around = c->top, *level = around + 1;
    if (around == &c->levels[SHUNT_WALK_DEPTH] || loop >= c->loop_count) return SHUNT_USAGE;
    const struct opening *o = &c->openings[loop];
    open_level(c, loop);
    if (o->frame == SHUNT_NONE) return SHUNT_OK;
    if (o->unit && !c->unit) {
        c->unit = level;
        if (c->max_bytes) set_limit(c, shunt_arena_used(c->arena) + c->max_bytes);
    }
    if (c->idle) return SHUNT_OK;
    uint32_t ordinal = count_one(c, o->frame, around->serial);
    char    *bytes = take_node(c, o->shape.size);
    if (!bytes) {
        level->regular = false;
        return exhausted(c);
    }
    level->node = level->near = make_node(bytes, o->frame, &o->shape, around->near, at, 0, segment, ordinal);
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
    SHUNT_TRY(open_carefully(c, c->plan->guides[guide].loop_first, at, 1));
    c->root = c->top->node;
    return SHUNT_OK;
}

shunt_status shunt_capture_enter(shunt_capture *c, uint16_t loop, uint64_t at, uint32_t segment)
{
    struct level *around = c->top;
    if (around == c->levels) return SHUNT_OK;
    if (SHUNT_UNLIKELY(around == &c->levels[SHUNT_WALK_DEPTH] || loop >= c->loop_count || c->idle))
        return open_carefully(c, loop, at, segment);
    const struct opening *o = &c->openings[loop];
    if (SHUNT_UNLIKELY(o->frame == SHUNT_NONE || o->unit || !shunt_arena_has(c->arena, o->shape.size + (size_t)PADDING)))
        return open_carefully(c, loop, at, segment);
    open_level(c, loop);
    uint32_t    ordinal = count_one(c, o->frame, around->serial);
    char       *bytes = (char *)shunt_arena_cut_aligned(c->arena, o->shape.size);
    shunt_node *node = make_node(bytes, o->frame, &o->shape, around->near, at, 0, segment, ordinal);
    c->top->node = c->top->near = node;
    return SHUNT_OK;
}

const shunt_node *shunt_capture_top(const shunt_capture *c, uint16_t loop) { return c->top->loop == loop ? c->top->node : NULL; }

uint16_t shunt_capture_open(const shunt_capture *c) { return c->top > c->levels + 1 ? c->top->loop : SHUNT_NONE; }

static __attribute__((noinline)) void leave_unit(shunt_capture *c, const struct level *level)
{
    c->unit = NULL;
    c->unit_full = false;
    c->idle = c->all_full;
    set_limit(c, c->max_bytes);
    if (level->node && !level->keep) shunt_arena_release(c->arena, level->before);
}

void shunt_capture_leave(shunt_capture *c, uint16_t loop, uint64_t end)
{
    struct level *level = c->top;
    if (level == c->levels || level->loop != loop) return;
    shunt_node *node = level->node;
    c->top = level - 1;
    if (node) {
        const struct opening *o = &c->openings[loop];
        node->end = end;
        struct place place = place_of(c, o->home, level->regular, o->frame, level - 1);
        if (place.list) {
            append(place.list, node);
            keep_within(place.owner, level);
        }
    }
    if (c->top == c->levels) c->root = NULL;
    if (c->unit == level)
        leave_unit(c, level);
    else if (node && !level->keep)
        shunt_arena_release(c->arena, level->before);
}

const shunt_node *shunt_capture_root(const shunt_capture *c) { return c->root; }

bool shunt_capture_overflowed(const shunt_capture *c) { return c->idle; }

/* ---- values that are cut out of segments ---- */

/* The part of a segment in which all demanded values stand, copied, and where it stood. */
struct part {
    uintptr_t copy; /* where byte 0 of the segment would be */
    uint64_t  at;   /* of that byte in the input */
};

static shunt_range value_of(const struct item *item, uint32_t group, const shunt_segment *segment, const shunt_delims *delims)
{
    return shunt_segment_value(segment, delims, element_of(item, group), item->component);
}

static inline shunt_captured *slot_of(shunt_node *node, uint32_t slot_at)
{
    return (shunt_captured *)(void *)((char *)(node + 1) + slot_at);
}

/* The value fills the slot if that is empty, as all of a `fresh` node are. */
static inline void put(shunt_captured *slot, bool fresh, struct part part, uint32_t begin, uint32_t length)
{
    if (!length || (!fresh && slot->bytes)) return;
    slot->bytes = (const char *)(part.copy + begin);
    slot->length = length;
    SHUNT_ONE_BY_ONE(length); /* two stores: making one of them takes longer */
    slot->size = length;
    slot->at = part.at + begin;
}

/* Elements that are demanded whole, the numbers of those from `offsets` on. */
static inline void put_wholes(const struct whole *whole, shunt_node *node, bool fresh, const uint32_t *offsets, size_t elements,
                              struct part part)
{
    for (size_t element; (element = whole->element) <= elements; whole++) {
        uint32_t begin = offsets[element];
        put(slot_of(node, whole->slot_at), fresh, part, begin, offsets[element + 1] - begin - 1);
    }
}

/* ---- of plain segments ---- */

static inline block load(const void *bytes)
{
    block b;
    memcpy(&b, bytes, sizeof b);
    return b;
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

/* Copies a part of the segment that is not empty, sixteen bytes at a time: so many behind it can be read and written. The arena has room. */
static inline struct part take_part(shunt_capture *c, const shunt_segment *segment, uint32_t begin, size_t length)
{
    const uint8_t *from = segment->bytes + begin;
    char          *to = shunt_arena_cut(c->arena, length);
    size_t         at = 0;
    SHUNT_UNPOISON(to + length, sizeof(block));
    do {
        block bytes = load(from + at);
        memcpy(to + at, &bytes, sizeof bytes);
    } while (SHUNT_UNLIKELY((at += sizeof(block)) < length));
    SHUNT_POISON(to + length, sizeof(block));
    return (struct part){ (uintptr_t)to - begin, segment->at };
}
_Static_assert((int)SHUNT_ARENA_SLACK >= (int)sizeof(block) && (int)SHUNT_SEGMENT_ROOM >= (int)sizeof(block),
               "a block at a time");

static BY_ITSELF shunt_status put_long_components(const struct recipe *r, shunt_node *node, uint32_t group, uintptr_t copy,
                                                  const shunt_segment *segment, const shunt_delims *delims)
{
    for (const struct item *item = r->items; item < r->items_end; item++) {
        shunt_range range = value_of(item, group, segment, delims);
        if (item->component)
            put(slot_of(node, item->slot_at), false, (struct part){ copy, segment->at }, range.begin, range.end - range.begin);
    }
    return SHUNT_OK;
}

/* Components of elements that are not repeated. Most elements are short: then the ends of components, and its own, are bits. Answers OK, so
 * that it can be the last thing done. */
static BY_ITSELF shunt_status put_components(const struct recipe *r, shunt_node *node, uint32_t group, uintptr_t copy,
                                             const shunt_segment *segment, const shunt_delims *delims)
{
    const struct part part = { copy, segment->at };
    const block       separator = delims->component - (block){ 0 };
    for (const struct item *item = r->items, *end = r->items_end; item < end; item++) {
        size_t element = element_of(item, group);
        if (!item->component || element > segment->elements) continue;
        uint32_t begin = segment->offsets[element], length = segment->offsets[element + 1] - 1 - begin, from = 0;
        if (SHUNT_UNLIKELY(length >= sizeof(block) || !delims->component))
            return put_long_components(r, node, group, copy, segment, delims);
        unsigned ends = bits_of((block)(load(segment->bytes + begin) == separator)) | 1u << length;
        for (unsigned number = item->component; number > 1 && from <= length; number--, ends &= ends - 1)
            from = (unsigned)__builtin_ctz(ends) + 1;
        if (from <= length) put(slot_of(node, item->slot_at), false, part, begin + from, (unsigned)__builtin_ctz(ends) - from);
    }
    return SHUNT_OK;
}

/* ---- of the others ---- */

static bool is_line_end(uint8_t byte) { return byte == '\r' || byte == '\n'; }

static bool put_joined(shunt_capture *c, const shunt_segment *segment, shunt_range range, shunt_captured *slot)
{
    char    *copy = take_bytes(c, range.end - range.begin);
    uint32_t length = 0;
    if (!copy) return false;
    for (uint32_t i = range.begin; i < range.end; i++)
        if (!is_line_end(segment->bytes[i])) copy[length++] = (char)segment->bytes[i];
    if (length) *slot = (shunt_captured){ copy, length, range.end - range.begin, segment->at + range.begin, 0 };
    return true;
}

/* The part as above; nothing where lines are wrapped, whose values are copied one by one, without their ends. */
static bool take_part_carefully(shunt_capture *c, const struct recipe *r, const shunt_segment *segment, struct part *part)
{
    uint32_t last = r->high < segment->elements ? r->high : segment->elements;
    *part = (struct part){ .at = segment->at };
    if (segment->line_ends || r->low > last) return true;
    uint32_t begin = segment->offsets[r->low], length = segment->offsets[last + 1] - 1 - begin;
    char    *copy = take_bytes(c, length);
    if (copy && length) memcpy(copy, segment->bytes + begin, length);
    part->copy = (uintptr_t)copy - begin;
    return copy;
}

/* False: the arena gave nothing. */
static bool put_carefully(shunt_capture *c, const struct recipe *r, shunt_node *node, uint32_t group, struct part part,
                          const shunt_segment *segment, const shunt_delims *delims)
{
    for (const struct item *item = r->items; item < r->items_end; item++) {
        shunt_captured *slot = slot_of(node, item->slot_at);
        shunt_range     range = value_of(item, group, segment, delims);
        if (!segment->line_ends)
            put(slot, false, part, range.begin, range.end - range.begin);
        else if (!slot->bytes && range.begin < range.end && !put_joined(c, segment, range, slot))
            return false;
    }
    return true;
}

static bool holds_carefully(const struct recipe *r, uint32_t group, const shunt_segment *segment, const shunt_delims *delims)
{
    for (const struct item *item = r->items; item < r->items_end; item++) {
        if (!item->relative) continue;
        shunt_range range = value_of(item, group, segment, delims);
        for (uint32_t at = range.begin; at < range.end; at++)
            if (!segment->line_ends || !is_line_end(segment->bytes[at])) return true;
    }
    return false;
}

/* ---- segments that fill the frame of their loop ---- */

static __attribute__((noinline)) shunt_status fill_carefully(shunt_capture *c, const struct recipe *r,
                                                             const shunt_segment *segment, const shunt_delims *delims)
{
    struct part part;
    if (take_part_carefully(c, r, segment, &part) && put_carefully(c, r, c->top->node, 0, part, segment, delims)) return SHUNT_OK;
    return exhausted(c);
}

static inline shunt_status fill_one(shunt_capture *c, const struct recipe *r, const shunt_segment *segment,
                                    const shunt_delims *delims)
{
    const struct level *level = c->top;
    const uint32_t     *offsets = segment->offsets;
    size_t              element = r->low;
    if (level->loop != r->loop || !level->node || element > segment->elements) return SHUNT_OK;
    uint32_t begin = offsets[element], length = offsets[element + 1] - begin - 1;
    if (!length) return SHUNT_OK;
    if (SHUNT_UNLIKELY(!segment->plain || !shunt_arena_has(c->arena, length))) return fill_carefully(c, r, segment, delims);
    put(slot_of(level->node, r->fixed->slot_at), false, take_part(c, segment, begin, length), begin, length);
    return SHUNT_OK;
}

static __attribute__((noinline)) shunt_status fill(shunt_capture *c, const struct recipe *r, const shunt_segment *segment,
                                                   const shunt_delims *delims)
{
    const struct level *level = c->top;
    const uint32_t     *offsets = segment->offsets;
    shunt_node         *node = level->node;
    size_t              elements = segment->elements, low = r->low, high = r->high < elements ? r->high : elements;
    if (level->loop != r->loop || !node || low > elements) return SHUNT_OK;
    uint32_t begin = offsets[low], length = offsets[high + 1] - begin - 1;
    if (!length) return SHUNT_OK;
    if (SHUNT_UNLIKELY(!segment->plain || !r->smooth || !shunt_arena_has(c->arena, length)))
        return fill_carefully(c, r, segment, delims);
    struct part part = take_part(c, segment, begin, length);
    put_wholes(r->fixed, node, false, offsets, elements, part);
    return r->parts ? put_components(r, node, 0, part.copy, segment, delims) : SHUNT_OK;
}

/* ---- segments that make instances ---- */

/* Instances are numbered by the tally of their frame, or, where all of the loop instance are in one list, by that: `counted`. */
static inline shunt_node *make_instance(shunt_capture *c, char *bytes, const struct recipe *r, const shunt_children *list,
                                        bool counted, const shunt_segment *segment)
{
    const struct level *level = c->top;
    uint64_t            at = segment->at, end = at + segment->length + 1;
    uint32_t            ordinal = counted ? list->count + 1 : count_one(c, r->frame, level->serial);
    return make_node(bytes, r->frame, &r->shape, level->near, at, end, segment->number, ordinal);
}

static __attribute__((noinline)) shunt_status make_carefully(shunt_capture *c, const struct recipe *r, shunt_children *list,
                                                             bool counted, const shunt_segment *segment,
                                                             const shunt_delims *delims)
{
    struct part part;
    uint32_t    group = r->group, groups = r->stride ? r->groups : 1;
    if (!take_part_carefully(c, r, segment, &part)) return exhausted(c);
    for (; groups > 0 && (group <= segment->elements || !r->stride); groups--, group += r->stride) {
        if (r->stride && !holds_carefully(r, group, segment, delims)) continue;
        char *bytes = take_node(c, r->shape.size);
        if (!bytes) return exhausted(c);
        shunt_node *node = make_instance(c, bytes, r, list, counted, segment);
        if (!put_carefully(c, r, node, group, part, segment, delims)) return exhausted(c);
        append(list, node);
    }
    return SHUNT_OK;
}

/* One instance a segment, or one for each group of elements that holds any of what is demanded from groups. Where that is a run of whole
 * elements, it does where there is more than their separators between its ends. */
static __attribute__((noinline)) shunt_status make(shunt_capture *c, const struct recipe *r, const shunt_segment *segment,
                                                   const shunt_delims *delims)
{
    struct level   *level = c->top;
    struct place    place = place_of(c, r->home, level->regular && level->loop == r->loop, r->frame, level);
    shunt_children *list = place.list;
    bool            counted = place.owner == level;
    if (!list) return SHUNT_OK;
    if (!counted) keep_within(place.owner, level);
    const uint32_t *offsets = segment->offsets;
    size_t          group = r->group, elements = segment->elements, low = r->low, stride = r->stride;
    if (SHUNT_UNLIKELY(!segment->plain || !r->smooth)) return make_carefully(c, r, list, counted, segment, delims);
    if (low > elements) return SHUNT_OK;
    uint32_t begin = offsets[low], length = offsets[elements + 1] - begin - 1, groups = elements < group + stride ? 1 : r->groups;
    size_t   last_group = r->last_group < elements ? r->last_group : elements;
    if (!length) return SHUNT_OK;
    if (!shunt_arena_has(c->arena, length + groups * (r->shape.size + (size_t)PADDING)))
        return make_carefully(c, r, list, counted, segment, delims);
    struct part part = take_part(c, segment, begin, length);
    for (; group <= last_group; group += stride) {
        size_t last = group + r->far < elements ? group + r->far : elements;
        if (offsets[last + 1] - offsets[group] == last + 1 - group) continue;
        char       *bytes = (char *)shunt_arena_cut_aligned(c->arena, r->shape.size);
        shunt_node *node = make_instance(c, bytes, r, list, counted, segment);
        put_wholes(r->fixed, node, true, offsets, elements, part);
        put_wholes(r->moving, node, true, offsets + group, elements - group, part);
        if (r->parts) put_components(r, node, (uint32_t)group, part.copy, segment, delims);
        append(list, node);
    }
    return SHUNT_OK;
}

shunt_status shunt_capture_segment(shunt_capture *c, uint16_t node, const shunt_segment *segment, const shunt_delims *delims)
{
    if (SHUNT_UNLIKELY(node >= c->node_count || c->idle)) return SHUNT_OK;
    const struct recipe *r = &c->recipes[node];
    if (r->way == FILL_ONE) return fill_one(c, r, segment, delims);
    return r->way == FILL ? fill(c, r, segment, delims) : make(c, r, segment, delims);
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
