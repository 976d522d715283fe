#include "dsl/plan_maker.h"

#include <stdlib.h>

#include "dsl/grow.h"
#include "engine/base/walk.h"
#include "standards/csv/shape.h"

/* What repeats of a segment become. */
typedef struct binding {
    shunt_text       qualifier;
    uint16_t         frame;
    shunt_plan_group group;
} binding;

typedef struct wish {
    shunt_text        qualifier;
    uint16_t          frame;
    shunt_plan_demand demand;
} wish;

/* A segment of the dictionary at its place. It becomes one node of the plan, or several where single qualifiers are wanted. */
typedef struct place {
    const shunt_loop         *in; /* the loop it belongs to; a trigger belongs to the loop that it starts */
    const shunt_segment_node *segment;
    uint16_t                  loop; /* number in the plan */
    bool                      trigger;
    uint8_t                   level_first, level_last; /* loops that its nodes start: a node for each number */
    SHUNT_LIST(binding) bindings;
    SHUNT_LIST(wish) wishes;
    uint32_t node_first, node_count;
} place;

/* A field of a segment whose repetitions are instances of a frame (field 0: the repeats of the segment): a loop behind those of all
 * guides, which no segment leads to. */
typedef struct repeated {
    uint32_t place;
    uint16_t field, frame;
    SHUNT_LIST(shunt_plan_demand) demands;
} repeated;

typedef struct leaf { /* a value of a branch */
    uint16_t   branch, slot;
    bool       item; /* the value of an item of a list of primitives */
    shunt_text name;
} leaf;

typedef struct body { /* a loop of the plan */
    const shunt_loop *loop;
    bool              branch; /* of a tree of names: no segment starts it */
    shunt_text        only;
    uint16_t          parent, depth, frame;
    uint16_t          height;                   /* loops inside each other below it, at most */
    uint32_t          place_first, place_count; /* of its own segments, its trigger first */
    uint32_t          kid_first, kid_count;     /* entries of its body in order, into kids */
    bool              repeats;                  /* HL7: of one segment that repeats, whose id ends its own */
} body;

typedef struct kid { /* one entry of a body: a place, or a loop by its trigger */
    uint32_t place;
    uint16_t loop; /* SHUNT_NONE for a segment */
} kid;

typedef struct guide {
    const shunt_guide *guide;
    uint16_t           source;
    uint32_t           loop_first, loop_count, place_first, place_count;
} guide;

typedef struct frame {
    shunt_plan_frame frame;
    SHUNT_LIST(shunt_plan_slot) slots;
    SHUNT_LIST(uint16_t) children;
} frame;

struct shunt_plan_maker {
    shunt_arena  *arena;
    shunt_intern *texts;
    bool          names;
    bool          no_memory, too_large;
    SHUNT_LIST(shunt_plan_source) sources;
    SHUNT_LIST(guide) guides;
    SHUNT_LIST(body) loops;
    SHUNT_LIST(place) places;
    SHUNT_LIST(kid) kids;
    SHUNT_LIST(frame) frames;
    SHUNT_LIST(repeated) repeated;
    SHUNT_LIST(leaf) leaves;
    /* written by finish */
    SHUNT_LIST(shunt_plan_node) nodes;
    SHUNT_LIST(shunt_plan_demand) demands;
    SHUNT_LIST(uint64_t) keys;
    SHUNT_LIST(uint64_t) ids;
    SHUNT_LIST(uint32_t) dispatch;
    SHUNT_LIST(shunt_plan_choice) choices;
    SHUNT_LIST(shunt_plan_layout) layouts;
    SHUNT_LIST(shunt_plan_row) rows;
    SHUNT_LIST(shunt_plan_column) columns;
    SHUNT_LIST(uint16_t) row_keys;
};

shunt_plan_maker *shunt_plan_maker_new(shunt_arena *arena, shunt_intern *texts, bool names)
{
    shunt_plan_maker *m = SHUNT_NEW(arena, shunt_plan_maker);
    if (!m) return NULL;
    m->arena = arena;
    m->texts = texts;
    m->names = names;
    return m;
}

static uint16_t text_number(shunt_plan_maker *m, shunt_text text)
{
    uint32_t number;
    if (!shunt_intern_add(m->texts, text, &number)) {
        m->no_memory = true;
        return 0;
    }
    if (number >= SHUNT_NONE) m->too_large = true;
    return (uint16_t)number;
}

static uint16_t small(shunt_plan_maker *m, uint32_t number)
{
    if (number >= SHUNT_NONE) m->too_large = true;
    return (uint16_t)number;
}

/* ---- guides ---- */

static bool add_place(shunt_plan_maker *m, const shunt_loop *in, uint16_t loop, const shunt_segment_node *segment, bool trigger)
{
    place *p = SHUNT_PUSH(m->arena, &m->places);
    if (!p) return false;
    p->in = in;
    p->segment = segment;
    p->loop = loop;
    p->trigger = trigger;
    p->level_first = p->level_last = trigger;
    return true;
}

/* May the entry come first in the body? It may when nothing that is required stands before it. */
static bool may_start(const shunt_loop *loop, uint32_t entry)
{
    for (uint32_t i = 0; i < entry; i++)
        if ((loop->body[i].segment ? loop->body[i].segment->usage : loop->body[i].loop->usage) == SHUNT_REQUIRED) return false;
    return true;
}

/* HL7: a segment that may come first in its group starts it, and the groups around it as far as each may come first in turn. The node
 * within the group is left out where it could never be taken. */
static void set_levels(shunt_plan_maker *m, place *p, uint32_t entry)
{
    const shunt_loop *loop = p->in;
    uint8_t           level = 0;
    for (bool starts = may_start(loop, entry); starts && loop->parent; loop = loop->parent) {
        uint32_t at = 0;
        level++;
        while (loop->parent->body[at].loop != loop) at++;
        starts = may_start(loop->parent, at);
    }
    p->level_last = level;
    p->level_first = level > 0 && entry == 0 && p->segment->max == 1;
    if (level >= SHUNT_WALK_DEPTH) m->too_large = true;
}

/* Adds a loop and all below it; dictionaries are a few levels deep, the limit of the walk is checked first. */
static bool add_loop(shunt_plan_maker *m, shunt_standard standard, const shunt_loop *loop, uint16_t parent, uint16_t depth)
{
    bool     first_starts = standard != SHUNT_STANDARD_HL7 && depth > 0; /* a loop begins with its first segment and no other */
    uint32_t number = m->loops.count;
    if (depth >= SHUNT_WALK_DEPTH || number >= SHUNT_NONE) {
        m->too_large = true;
        return false;
    }
    body *b = SHUNT_PUSH(m->arena, &m->loops);
    if (!b) return false;
    *b = (body){ .loop = loop, .parent = parent, .depth = depth, .frame = SHUNT_NONE, .place_first = m->places.count };
    for (uint16_t i = 0; i < loop->body_count; i++)
        if (loop->body[i].segment) {
            if (!add_place(m, loop, (uint16_t)number, loop->body[i].segment, i == 0 && first_starts)) return false;
            if (standard == SHUNT_STANDARD_HL7) set_levels(m, &m->places.items[m->places.count - 1], i);
        }
    m->loops.items[number].place_count = m->places.count - m->loops.items[number].place_first;

    uint32_t at = m->loops.items[number].place_first;
    uint16_t subloops[1024] = { 0 };
    uint32_t subloop_count = 0;
    for (uint16_t i = 0; i < loop->body_count; i++) {
        if (!loop->body[i].loop) continue;
        if (subloop_count == SHUNT_COUNT(subloops)) {
            m->too_large = true;
            return false;
        }
        subloops[subloop_count++] = (uint16_t)m->loops.count;
        if (!add_loop(m, standard, loop->body[i].loop, (uint16_t)number, (uint16_t)(depth + 1))) return false;
    }
    m->loops.items[number].kid_first = m->kids.count;
    for (uint32_t i = 0, sub = 0; i < loop->body_count; i++) {
        if (i == 0 && first_starts) {
            at++;
            continue;
        }
        kid *k = SHUNT_PUSH(m->arena, &m->kids);
        if (!k) return false;
        if (loop->body[i].segment)
            *k = (kid){ at++, SHUNT_NONE };
        else
            *k = (kid){ m->loops.items[subloops[sub]].place_first, subloops[sub] }, sub++;
    }
    m->loops.items[number].kid_count = m->kids.count - m->loops.items[number].kid_first;
    return true;
}

bool shunt_plan_maker_source(shunt_plan_maker *m, const shunt_plan_source *source)
{
    shunt_plan_source *s = SHUNT_PUSH(m->arena, &m->sources);
    if (s)
        *s = *source;
    else
        m->no_memory = true;
    return s != NULL;
}

/* The rules see a repeated segment of HL7 as a loop (check_hl7.c); where its group is missing it is no more than a segment. */
static bool is_repeated_segment(const shunt_loop *loop)
{
    const shunt_segment_node *first = loop->parent && loop->body_count ? loop->body[0].segment : NULL;
    if (!first) return false;
    size_t whole = strlen(loop->id), own = strlen(first->id);
    return whole >= own && strcmp(loop->id + whole - own, first->id) == 0;
}

uint16_t shunt_plan_maker_guide(shunt_plan_maker *m, const shunt_guide *from, uint16_t source)
{
    for (uint32_t i = 0; i < m->guides.count; i++)
        if (m->guides.items[i].guide == from && m->guides.items[i].source == source) return (uint16_t)i;
    guide *g = SHUNT_PUSH(m->arena, &m->guides);
    if (!g) {
        m->no_memory = true;
        return SHUNT_NONE;
    }
    uint16_t number = small(m, m->guides.count - 1);
    *g = (guide){ .guide = from, .source = source, .loop_first = m->loops.count, .place_first = m->places.count };
    if (from->standard == SHUNT_STANDARD_FHIR) return number; /* its loops are branches */
    if (!add_loop(m, (shunt_standard)from->standard, from->body, SHUNT_NONE, 0)) {
        m->no_memory = !m->too_large;
        return SHUNT_NONE;
    }
    g = &m->guides.items[number];
    g->loop_count = m->loops.count - g->loop_first;
    for (uint32_t i = 0; i < g->loop_count && from->standard == SHUNT_STANDARD_HL7; i++)
        m->loops.items[g->loop_first + i].repeats = is_repeated_segment(m->loops.items[g->loop_first + i].loop);
    g->place_count = m->places.count - g->place_first;
    return number;
}

static body *find_loop(const shunt_plan_maker *m, shunt_plan_spot spot)
{
    if (spot.guide >= m->guides.count) return NULL;
    const guide *g = &m->guides.items[spot.guide];
    for (uint32_t i = 0; i < g->loop_count; i++)
        if (m->loops.items[g->loop_first + i].loop == spot.loop) return &m->loops.items[g->loop_first + i];
    return NULL;
}

static place *find_place(const shunt_plan_maker *m, shunt_plan_spot spot)
{
    const body *b = find_loop(m, spot);
    if (!b) return NULL;
    for (uint32_t i = 0; i < b->place_count; i++)
        if (m->places.items[b->place_first + i].segment == spot.segment) return &m->places.items[b->place_first + i];
    return NULL;
}

/* ---- frames ---- */

uint16_t shunt_plan_maker_frame(shunt_plan_maker *m, shunt_frame_kind kind, shunt_text id, uint16_t source)
{
    frame *f = SHUNT_PUSH(m->arena, &m->frames);
    if (!f) {
        m->no_memory = true;
        return SHUNT_NONE;
    }
    f->frame.id = text_number(m, id);
    f->frame.kind = (uint8_t)kind;
    f->frame.source = source;
    return small(m, m->frames.count - 1);
}

void shunt_plan_maker_unit(shunt_plan_maker *m, uint16_t number)
{
    if (number < m->frames.count) m->frames.items[number].frame.unit = 1;
}

static bool overlap(shunt_text a, shunt_text b) { return a.length == 0 || b.length == 0 || shunt_text_equal(a, b); }

bool shunt_plan_maker_bind(shunt_plan_maker *m, uint16_t number, shunt_plan_spot spot, shunt_text qualifier,
                           shunt_plan_group group)
{
    if (!spot.segment) {
        body *b = find_loop(m, spot);
        if (!b || (b->frame != SHUNT_NONE && b->frame != number)) return false;
        b->frame = number;
        return true;
    }
    place *p = find_place(m, spot);
    if (!p) return false;
    if (m->guides.items[spot.guide].guide->standard == SHUNT_STANDARD_HL7 && number < m->frames.count) {
        /* Its reader decodes the values and hands them over one by one: a repeat is a loop that is entered and left. */
        m->frames.items[number].frame.kind = SHUNT_FRAME_LOOP;
        return shunt_plan_maker_repeat(m, number, spot, 0);
    }
    for (uint32_t i = 0; i < p->bindings.count; i++) {
        const binding *b = &p->bindings.items[i];
        if (!overlap(b->qualifier, qualifier)) continue;
        return b->frame == number && shunt_text_equal(b->qualifier, qualifier) && b->group.stride == group.stride;
    }
    binding *b = SHUNT_PUSH(m->arena, &p->bindings);
    if (!b) {
        m->no_memory = true;
        return true;
    }
    *b = (binding){ qualifier, number, group };
    return true;
}

uint16_t shunt_plan_maker_group(const shunt_plan_maker *m, shunt_plan_spot spot, shunt_text qualifier, bool *exact)
{
    const place *p = find_place(m, spot);
    *exact = false;
    if (!p) return SHUNT_NONE;
    for (uint32_t i = 0; i < p->bindings.count; i++) {
        const binding *bound = &p->bindings.items[i];
        if (!overlap(bound->qualifier, qualifier)) continue;
        *exact = bound->group.stride == 0 && shunt_text_equal(bound->qualifier, qualifier);
        return bound->frame;
    }
    return SHUNT_NONE;
}

uint16_t shunt_plan_maker_slot(shunt_plan_maker *m, uint16_t number, const shunt_plan_slot *like)
{
    if (number >= m->frames.count) return SHUNT_NONE;
    frame           *f = &m->frames.items[number];
    shunt_plan_slot *slot = SHUNT_PUSH(m->arena, &f->slots);
    if (!slot) {
        m->no_memory = true;
        return SHUNT_NONE;
    }
    *slot = *like;
    slot->frame = number;
    return small(m, f->slots.count - 1);
}

shunt_plan_slot *shunt_plan_maker_slot_at(shunt_plan_maker *m, uint16_t number, uint16_t slot)
{
    return number < m->frames.count && slot < m->frames.items[number].slots.count ? &m->frames.items[number].slots.items[slot]
                                                                                  : NULL;
}

uint16_t shunt_plan_maker_child(shunt_plan_maker *m, uint16_t number, uint16_t child)
{
    if (number >= m->frames.count) return SHUNT_NONE;
    frame *f = &m->frames.items[number];
    for (uint32_t i = 0; i < f->children.count; i++)
        if (f->children.items[i] == child) return (uint16_t)i;
    uint16_t *slot = SHUNT_PUSH(m->arena, &f->children);
    if (!slot) {
        m->no_memory = true;
        return SHUNT_NONE;
    }
    *slot = child;
    return small(m, f->children.count - 1);
}

static repeated *find_repeated(const shunt_plan_maker *m, const place *p, uint16_t field, uint16_t number)
{
    for (uint32_t i = 0; i < m->repeated.count; i++) {
        repeated *r = &m->repeated.items[i];
        if (&m->places.items[r->place] == p && r->field == field && r->frame == number) return r;
    }
    return NULL;
}

bool shunt_plan_maker_repeat(shunt_plan_maker *m, uint16_t number, shunt_plan_spot spot, uint16_t field)
{
    const place *p = find_place(m, spot);
    if (!p || number >= m->frames.count) return false;
    if (find_repeated(m, p, field, number)) return true;
    repeated *r = SHUNT_PUSH(m->arena, &m->repeated);
    if (!r) {
        m->no_memory = true;
        return true;
    }
    r->place = (uint32_t)(p - m->places.items);
    r->field = field;
    r->frame = number;
    return true;
}

void shunt_plan_maker_want(shunt_plan_maker *m, uint16_t number, uint16_t slot, shunt_plan_spot spot, shunt_text qualifier,
                           uint16_t field, const shunt_plan_demand *demand)
{
    place *p = find_place(m, spot);
    if (!p || slot == SHUNT_NONE) return;
    shunt_plan_demand wanted = *demand;
    wanted.slot = slot;
    repeated *r = find_repeated(m, p, field, number);
    if (field || r) {
        shunt_plan_demand *d = r ? SHUNT_PUSH(m->arena, &r->demands) : NULL;
        if (d)
            *d = wanted;
        else
            m->no_memory = m->no_memory || r;
        return;
    }
    wish *w = SHUNT_PUSH(m->arena, &p->wishes);
    if (w)
        *w = (wish){ qualifier, number, wanted };
    else
        m->no_memory = true;
}

void shunt_plan_maker_demand(shunt_plan_maker *m, uint16_t number, uint16_t slot, shunt_plan_spot spot, shunt_text qualifier,
                             uint16_t element, uint16_t component, bool relative)
{
    if (component > UINT8_MAX) {
        m->too_large = true;
        return;
    }
    shunt_plan_demand demand = { .element = element, .component = (uint8_t)component, .relative = relative };
    shunt_plan_maker_want(m, number, slot, spot, qualifier, 0, &demand);
}

/* ---- trees of names ---- */

uint16_t shunt_plan_maker_branch(shunt_plan_maker *m, uint16_t number, uint16_t parent, shunt_text name, shunt_text only,
                                 uint16_t max, uint16_t into)
{
    shunt_loop *loop = SHUNT_NEW(m->arena, shunt_loop);
    char       *id = shunt_arena_bytes(m->arena, (size_t)name.length + 1);
    uint16_t    depth = parent == SHUNT_NONE ? 0 : (uint16_t)(m->loops.items[parent].depth + 1);
    body       *b = loop && id ? SHUNT_PUSH(m->arena, &m->loops) : NULL;
    if (depth >= SHUNT_WALK_DEPTH) m->too_large = true;
    if (!b || number >= m->guides.count) {
        m->no_memory = true;
        return 0;
    }
    memcpy(id, name.bytes ? name.bytes : "", name.length);
    id[name.length] = 0;
    guide *g = &m->guides.items[number];
    if (parent == SHUNT_NONE) g->loop_first = m->loops.count - 1;
    *loop = (shunt_loop){ .id = id, .name = "", .max = max };
    *b = (body){ .loop = loop, .branch = true, .only = only, .parent = parent, .depth = depth, .frame = into };
    b->place_first = m->places.count;
    g->loop_count = m->loops.count - g->loop_first;
    return small(m, m->loops.count - 1);
}

void shunt_plan_maker_leaf(shunt_plan_maker *m, uint16_t branch, shunt_text name, uint16_t slot, bool item)
{
    leaf *l = SHUNT_PUSH(m->arena, &m->leaves);
    if (l)
        *l = (leaf){ branch, slot, item, name };
    else
        m->no_memory = true;
}

uint16_t shunt_plan_maker_absolute(const shunt_plan_maker *m, uint16_t number, uint16_t slot)
{
    return number < m->frames.count ? (uint16_t)(m->frames.items[number].frame.slot_first + slot) : SHUNT_NONE;
}

/* ---- writing the automaton ---- */

static void push_key(shunt_plan_maker *m, const char *bytes, size_t length)
{
    uint64_t *key = SHUNT_PUSH(m->arena, &m->keys);
    if (!key)
        m->no_memory = true;
    else
        *key = shunt_pack((const uint8_t *)bytes, length);
}

static bool wanted_apart(const place *p, const char *qualifier)
{
    for (uint32_t i = 0; i < p->bindings.count; i++)
        if (shunt_text_is(p->bindings.items[i].qualifier, qualifier)) return true;
    for (uint32_t i = 0; i < p->wishes.count; i++)
        if (shunt_text_is(p->wishes.items[i].qualifier, qualifier)) return true;
    return false;
}

/* One node: of a single qualifier (`only`), or of all those that nobody wants apart; starting `level` loops. */
static void write_node(shunt_plan_maker *m, const place *p, const char *only, uint8_t level)
{
    const shunt_segment_node *s = p->segment;
    shunt_plan_node          *n = SHUNT_PUSH(m->arena, &m->nodes);
    if (!n) {
        m->no_memory = true;
        return;
    }
    const body *b = &m->loops.items[p->loop];
    n->id = shunt_pack((const uint8_t *)s->id, strlen(s->id));
    n->loop = p->loop;
    n->position = s->position;
    const shunt_loop *started = b->loop;
    for (uint8_t inner = 1; inner < level; inner++) started = started->parent;
    if (level) n->position = started->position;
    n->max = s->max;
    n->trigger = level;
    /* Behind a segment of HL7 that starts its group only later ones are of the same instance, or its own repeats. */
    if (level && !p->trigger) n->start = (uint16_t)(s->position + (s->max == 1));
    n->required = s->usage == SHUNT_REQUIRED;
    n->key_element = s->key && s->key->count ? s->key_element : 0;
    n->key_component = n->key_element ? s->key_component : 0;
    n->elements = s->element_count;
    n->frame = SHUNT_NONE;
    n->of = SHUNT_NONE;
    n->name = m->names ? text_number(m, shunt_text_of(s->name)) : SHUNT_NONE;
    for (uint16_t i = 0; i < s->element_count; i++) {
        if (s->elements[i].components && s->elements[i].position < 64) n->composites |= UINT64_C(1) << s->elements[i].position;
        if (s->elements[i].type == SHUNT_VALUE_BINARY && s->elements[i].position > 1)
            n->binary = (uint16_t)(s->elements[i].position - 1);
    }
    n->key_first = small(m, m->keys.count);
    if (only)
        push_key(m, only, strlen(only));
    else if (n->key_element)
        for (uint32_t i = 0; i < s->key->count; i++)
            if (!wanted_apart(p, s->key->values[i])) push_key(m, s->key->values[i], strlen(s->key->values[i]));
    n->key_count = small(m, m->keys.count - n->key_first);

    for (uint32_t i = 0; i < p->bindings.count; i++) {
        const binding *bound = &p->bindings.items[i];
        if (bound->qualifier.length && !(only && shunt_text_is(bound->qualifier, only))) continue;
        n->frame = bound->frame;
        n->group_first = bound->group.first;
        n->group_stride = bound->group.stride;
        n->group_count = bound->group.count;
    }
    uint16_t into = n->frame != SHUNT_NONE ? n->frame : b->frame;
    n->demand_first = small(m, m->demands.count);
    for (uint32_t i = 0; i < p->wishes.count; i++) {
        const wish *w = &p->wishes.items[i];
        if (w->frame != into || (w->qualifier.length && !(only && shunt_text_is(w->qualifier, only)))) continue;
        shunt_plan_demand *d = SHUNT_PUSH(m->arena, &m->demands);
        if (!d) {
            m->no_memory = true;
            return;
        }
        *d = w->demand;
    }
    n->demand_count = small(m, m->demands.count - n->demand_first);
}

static void write_nodes(shunt_plan_maker *m)
{
    for (uint32_t i = 0; i < m->places.count; i++) {
        place               *p = &m->places.items[i];
        const shunt_codeset *key = p->segment->key;
        uint32_t             apart = 0, keys = key ? key->count : 0;
        p->node_first = m->nodes.count;
        for (uint8_t level = p->level_first; level <= p->level_last; level++) {
            uint32_t before = m->nodes.count;
            for (uint32_t k = apart = 0; k < keys && keys > 1; k++) {
                if (!wanted_apart(p, key->values[k])) continue;
                apart++;
                write_node(m, p, key->values[k], level);
            }
            if (apart < keys || keys == 0) write_node(m, p, keys == 1 ? key->values[0] : NULL, level);
            if (level == p->level_first || m->no_memory) continue;
            for (uint32_t n = before; n < m->nodes.count; n++) m->nodes.items[n].back = (uint16_t)(before - p->node_first);
        }
        p->node_count = m->nodes.count - p->node_first;
    }
    small(m, m->nodes.count);
}

static bool same_leaf(const leaf *a, const leaf *b) { return a->branch == b->branch && shunt_text_equal(a->name, b->name); }

/* A node for each name, with a demand for each slot that is filled from it. Leaves of a branch stand in a row. */
static void write_leaves(shunt_plan_maker *m)
{
    for (uint32_t i = 0, first = 0; i < m->leaves.count && !m->no_memory; i++) {
        const leaf *l = &m->leaves.items[i];
        bool        again = false;
        if (m->leaves.items[first].branch != l->branch) first = i;
        for (uint32_t k = first; k < i; k++) again = again || same_leaf(&m->leaves.items[k], l);
        if (again) continue;
        shunt_plan_node *n = SHUNT_PUSH(m->arena, &m->nodes);
        if (!n) {
            m->no_memory = true;
            return;
        }
        *n = (shunt_plan_node){ .id = shunt_pack((const uint8_t *)l->name.bytes, l->name.length),
                                .loop = l->branch,
                                .frame = SHUNT_NONE,
                                .of = SHUNT_NONE,
                                .name = text_number(m, l->name),
                                .required = l->item,
                                .key_first = small(m, m->keys.count),
                                .demand_first = small(m, m->demands.count) };
        for (uint32_t k = i; k < m->leaves.count && m->leaves.items[k].branch == l->branch; k++) {
            if (!same_leaf(&m->leaves.items[k], l)) continue;
            shunt_plan_demand *d = SHUNT_PUSH(m->arena, &m->demands);
            if (!d) {
                m->no_memory = true;
                return;
            }
            *d = (shunt_plan_demand){ .slot = m->leaves.items[k].slot };
            n->demand_count++;
        }
    }
    small(m, m->nodes.count);
}

/* Triggers of the loops of repetitions, and those loops behind all others. */
static void write_repeated(shunt_plan_maker *m)
{
    for (uint32_t i = 0; i < m->repeated.count && !m->no_memory; i++) {
        const repeated  *r = &m->repeated.items[i];
        const place     *p = &m->places.items[r->place];
        shunt_plan_node *n = SHUNT_PUSH(m->arena, &m->nodes);
        if (!n) {
            m->no_memory = true;
            return;
        }
        n->id = shunt_pack((const uint8_t *)p->segment->id, strlen(p->segment->id));
        n->loop = small(m, m->loops.count + i);
        n->trigger = 1;
        n->frame = n->name = SHUNT_NONE;
        n->of = small(m, p->node_first);
        n->field = r->field;
        n->key_first = small(m, m->keys.count);
        n->demand_first = small(m, m->demands.count);
        n->demand_count = small(m, r->demands.count);
        for (uint32_t d = 0; d < r->demands.count; d++) {
            shunt_plan_demand *demand = SHUNT_PUSH(m->arena, &m->demands);
            if (!demand) {
                m->no_memory = true;
                return;
            }
            *demand = r->demands.items[d];
        }
    }
    small(m, m->nodes.count);
    small(m, m->loops.count + m->repeated.count);
}

static void write_repeated_loops(shunt_plan_maker *m, shunt_plan_loop *out)
{
    uint32_t first = m->nodes.count - m->repeated.count;
    for (uint32_t i = 0; i < m->repeated.count; i++) {
        const repeated *r = &m->repeated.items[i];
        const place    *p = &m->places.items[r->place];
        shunt_text id = r->field ? shunt_text_format(m->arena, "%s-%u", p->segment->id, r->field) : shunt_text_of(p->segment->id);
        uint16_t   depth = (uint16_t)(m->loops.items[p->loop].depth + 1);
        if (!id.bytes) m->no_memory = true;
        if (depth >= SHUNT_WALK_DEPTH) m->too_large = true;
        out[i] = (shunt_plan_loop){ .id = text_number(m, id),
                                    .parent = p->loop,
                                    .depth = depth,
                                    .frame = r->frame,
                                    .trigger = small(m, first + i),
                                    .name = SHUNT_NONE,
                                    .type = SHUNT_NONE };
    }
}

/* Choices of one open loop, in the order they are tried, before they are sorted by segment id. */
typedef struct candidate {
    uint32_t place;
    uint8_t  level;
    bool     orphan;
} candidate;
typedef SHUNT_LIST(candidate) candidates;

static void add_candidate(shunt_plan_maker *m, candidates *list, uint32_t at, uint8_t level, bool orphan)
{
    const place *p = &m->places.items[at];
    if (level < p->level_first || level > p->level_last) return;
    candidate *c = SHUNT_PUSH(m->arena, list);
    if (!c)
        m->no_memory = true;
    else
        *c = (candidate){ at, level, orphan };
}

/* Segments that start the loop, and with it `level` - 1 others around it; in the order of its body. */
static void add_starters(shunt_plan_maker *m, candidates *list, kid k, uint8_t level)
{
    const body *b = &m->loops.items[k.loop];
    if (m->places.items[k.place].trigger && m->places.items[k.place].loop == k.loop) {
        add_candidate(m, list, k.place, level, false);
        return;
    }
    for (uint32_t i = 0; i < b->kid_count; i++) {
        kid inner = m->kids.items[b->kid_first + i];
        if (inner.loop == SHUNT_NONE)
            add_candidate(m, list, inner.place, level, false);
        else
            add_starters(m, list, inner, (uint8_t)(level + 1));
    }
}

/* Loops `levels` below the loop, past `open` (which was looked at from inside). */
static void add_orphans(shunt_plan_maker *m, candidates *list, uint16_t loop, uint16_t open, unsigned levels)
{
    const body *b = &m->loops.items[loop];
    for (uint32_t i = 0; i < b->kid_count; i++) {
        kid k = m->kids.items[b->kid_first + i];
        if (k.loop == SHUNT_NONE || k.loop == open || m->loops.items[k.loop].repeats) continue;
        if (m->loops.items[k.loop].height + 1u < levels) continue;
        if (levels > 1) {
            add_orphans(m, list, k.loop, SHUNT_NONE, levels - 1);
            continue;
        }
        const body *kid_body = &m->loops.items[k.loop];
        for (uint32_t p = 0; p < kid_body->place_count; p++) add_candidate(m, list, kid_body->place_first + p, 1, true);
    }
}

static void collect_candidates(shunt_plan_maker *m, uint16_t loop, candidates *list)
{
    list->count = 0;
    for (uint16_t at = loop; at != SHUNT_NONE; at = m->loops.items[at].parent) {
        const body *b = &m->loops.items[at];
        for (uint32_t i = 0; i < b->kid_count; i++) {
            kid k = m->kids.items[b->kid_first + i];
            if (k.loop == SHUNT_NONE)
                add_candidate(m, list, k.place, 0, false);
            else
                add_starters(m, list, k, 1);
        }
    }
    uint16_t open = SHUNT_NONE;
    for (uint16_t at = loop; at != SHUNT_NONE; open = at, at = m->loops.items[at].parent)
        for (unsigned levels = 2; levels < SHUNT_WALK_DEPTH && levels <= m->loops.items[at].height; levels++)
            add_orphans(m, list, at, open, levels);
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static uint16_t id_index(const uint64_t *ids, uint32_t count, uint64_t id)
{
    uint32_t low = 0, high = count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (ids[middle] <= id)
            low = middle;
        else
            high = middle;
    }
    return (uint16_t)low;
}

/* Distinct segment ids of the guide, ascending. */
static uint16_t write_ids(shunt_plan_maker *m, const guide *g)
{
    uint32_t first = m->ids.count;
    for (uint32_t i = 0; i < g->place_count; i++) {
        const char *id = m->places.items[g->place_first + i].segment->id;
        uint64_t   *slot = SHUNT_PUSH(m->arena, &m->ids);
        if (!slot) {
            m->no_memory = true;
            return 0;
        }
        *slot = shunt_pack((const uint8_t *)id, strlen(id));
    }
    if (m->ids.count == first) return 0;
    qsort(m->ids.items + first, m->ids.count - first, sizeof *m->ids.items, compare_ids);
    uint32_t kept = first;
    for (uint32_t i = first; i < m->ids.count; i++)
        if (i == first || m->ids.items[i] != m->ids.items[kept - 1]) m->ids.items[kept++] = m->ids.items[i];
    m->ids.count = kept;
    return small(m, kept - first);
}

/* Loops come behind those around them. */
static void note_heights(shunt_plan_maker *m, const guide *g)
{
    for (uint32_t i = g->loop_first; i < g->loop_first + g->loop_count; i++) m->loops.items[i].height = 0;
    for (uint32_t i = g->loop_first + g->loop_count; i-- > g->loop_first;) {
        const body *b = &m->loops.items[i];
        if (b->parent != SHUNT_NONE && m->loops.items[b->parent].height < b->height + 1u)
            m->loops.items[b->parent].height = (uint16_t)(b->height + 1u);
    }
}

static void write_choices(shunt_plan_maker *m, const guide *g, uint32_t id_first, uint16_t id_count)
{
    candidates list = { 0 };
    uint16_t  *of_place = SHUNT_NEW_N(m->arena, uint16_t, g->place_count ? g->place_count : 1);
    if (!of_place) {
        m->no_memory = true;
        return;
    }
    for (uint32_t i = 0; i < g->place_count; i++) {
        const char *id = m->places.items[g->place_first + i].segment->id;
        of_place[i] = id_index(id_count ? m->ids.items + id_first : NULL, id_count, shunt_pack((const uint8_t *)id, strlen(id)));
    }
    note_heights(m, g);
    uint32_t *starts = SHUNT_NEW_N(m->arena, uint32_t, id_count + 2u);
    uint32_t *sorted = NULL, room = 0;
    if (!starts) {
        m->no_memory = true;
        return;
    }
    for (uint32_t loop = 0; loop < g->loop_count && !m->no_memory; loop++) {
        collect_candidates(m, (uint16_t)(g->loop_first + loop), &list);
        if (list.count > room) {
            room = list.count * 2;
            sorted = SHUNT_NEW_N(m->arena, uint32_t, room);
            if (!sorted) {
                m->no_memory = true;
                return;
            }
        }
        /* By id, those of one id in the order in which they are tried. */
        memset(starts, 0, (id_count + 2u) * sizeof *starts);
        for (uint32_t i = 0; i < list.count; i++) starts[of_place[list.items[i].place - g->place_first] + 2]++;
        for (uint32_t id = 2; id < id_count + 2u; id++) starts[id] += starts[id - 1];
        for (uint32_t i = 0; i < list.count; i++) sorted[starts[of_place[list.items[i].place - g->place_first] + 1]++] = i;
        for (uint16_t id = 0; id < id_count; id++) {
            uint32_t *at = SHUNT_PUSH(m->arena, &m->dispatch);
            if (!at) {
                m->no_memory = true;
                return;
            }
            *at = m->choices.count;
            for (uint32_t i = starts[id]; i < starts[id + 1]; i++) {
                const candidate *c = &list.items[sorted[i]];
                const place     *p = &m->places.items[c->place];
                uint32_t         nodes = p->node_count / (p->level_last - p->level_first + 1u);
                uint32_t         first = p->node_first + nodes * (c->level - p->level_first);
                for (uint32_t n = 0; n < nodes; n++) {
                    shunt_plan_choice *choice = SHUNT_PUSH(m->arena, &m->choices);
                    if (!choice) {
                        m->no_memory = true;
                        return;
                    }
                    *choice = (shunt_plan_choice){ (uint16_t)(first + n), c->orphan };
                }
            }
        }
    }
    uint32_t *end = SHUNT_PUSH(m->arena, &m->dispatch);
    if (!end)
        m->no_memory = true;
    else
        *end = m->choices.count;
}

static void write_guides(shunt_plan_maker *m, shunt_plan_guide *out)
{
    for (uint32_t i = 0; i < m->guides.count && !m->no_memory; i++) {
        const guide *g = &m->guides.items[i];
        uint32_t     id_first = m->ids.count, dispatch_first = m->dispatch.count;
        out[i] = (shunt_plan_guide){
            .source = g->source,
            .set = text_number(m, shunt_text_of(g->guide->set)),
            .version = text_number(m, shunt_text_of(g->guide->version)),
            .family = text_number(m, shunt_text_of(g->guide->family)),
            .functional_id = text_number(m, shunt_text_of(g->guide->functional_id)),
            .loop_first = (uint16_t)g->loop_first,
            .loop_count = (uint16_t)g->loop_count,
            .id_first = id_first,
            .dispatch_first = dispatch_first,
        };
        out[i].id_count = write_ids(m, g);
        write_choices(m, g, id_first, out[i].id_count);
    }
}

/* The first node that starts the loop and no other inside it. */
static uint16_t trigger_of(const shunt_plan_maker *m, const body *b)
{
    for (uint32_t i = 0; i < b->place_count; i++) {
        const place *p = &m->places.items[b->place_first + i];
        if (b->depth == 0 || p->level_last == 0) continue;
        return (uint16_t)(p->node_first + (p->level_first ? 0 : p->node_count / (p->level_last + 1u)));
    }
    return SHUNT_NONE;
}

static void write_loops(shunt_plan_maker *m, shunt_plan_loop *out)
{
    for (uint32_t i = 0; i < m->loops.count; i++) {
        const body *b = &m->loops.items[i];
        out[i] = (shunt_plan_loop){
            .id = text_number(m, shunt_text_of(b->loop->id)),
            .parent = b->parent,
            .depth = b->depth,
            .position = b->loop->position,
            .max = b->loop->max,
            .frame = b->frame,
            .trigger = b->branch ? SHUNT_NONE : trigger_of(m, b),
            .name = m->names ? text_number(m, shunt_text_of(b->loop->name)) : SHUNT_NONE,
            .type = b->only.length ? text_number(m, b->only) : SHUNT_NONE,
        };
    }
}

/* ---- layouts of sources of rows ---- */

static uint16_t loop_number(const shunt_plan_maker *m, uint32_t number, const shunt_loop *loop)
{
    const body *b = loop ? find_loop(m, (shunt_plan_spot){ (uint16_t)number, loop, NULL }) : NULL;
    return b ? (uint16_t)(b - m->loops.items) : SHUNT_NONE;
}

static uint16_t node_number(const shunt_plan_maker *m, uint32_t number, const shunt_shape_row *row)
{
    const place *p = row->loop ? find_place(m, (shunt_plan_spot){ (uint16_t)number, row->loop, row->segment }) : NULL;
    return p ? (uint16_t)p->node_first : SHUNT_NONE;
}

static void write_columns(shunt_plan_maker *m, uint32_t number, const shunt_shape_row *row)
{
    for (uint16_t i = 0; i < row->column_count; i++) {
        const shunt_shape_column *from = &row->columns[i];
        shunt_plan_column        *column = SHUNT_PUSH(m->arena, &m->columns);
        if (!column) {
            m->no_memory = true;
            return;
        }
        *column = (shunt_plan_column){ .heading = text_number(m, from->heading),
                                       .from = from->from,
                                       .to = from->to,
                                       .rest = from->rest ? loop_number(m, number, from->cells) : SHUNT_NONE,
                                       .length = from->length,
                                       .max = from->max,
                                       .trim = from->trim };
    }
}

static void write_rows(shunt_plan_maker *m, uint32_t number, const shunt_csv_shape *shape)
{
    for (uint16_t i = 0; i < shape->row_count; i++) {
        const shunt_shape_row *from = &shape->rows[i];
        shunt_plan_row         made = { .name = text_number(m, from->name),
                                        .loop = loop_number(m, number, from->loop),
                                        .node = node_number(m, number, from),
                                        .parent = from->parent == SHUNT_SHAPE_NONE ? SHUNT_NONE : from->parent,
                                        .key_first = small(m, m->row_keys.count),
                                        .key_count = from->key_count,
                                        .column_first = small(m, m->columns.count),
                                        .column_count = from->column_count,
                                        .once = from->once,
                                        .trailer = from->trailer };
        for (uint16_t k = 0; k < from->key_count; k++) {
            uint16_t *key = SHUNT_PUSH(m->arena, &m->row_keys);
            if (key) *key = text_number(m, from->keys[k]);
            m->no_memory |= !key;
        }
        write_columns(m, number, from);
        shunt_plan_row *row = SHUNT_PUSH(m->arena, &m->rows);
        if (!row) {
            m->no_memory = true;
            return;
        }
        *row = made;
    }
}

static void write_layouts(shunt_plan_maker *m)
{
    for (uint32_t g = 0; g < m->guides.count && !m->no_memory; g++) {
        const shunt_csv_shape *shape = shunt_guide_shape(m->guides.items[g].guide);
        shunt_plan_layout     *layout = shape ? SHUNT_PUSH(m->arena, &m->layouts) : NULL;
        if (!shape) continue;
        if (!layout) {
            m->no_memory = true;
            return;
        }
        *layout = (shunt_plan_layout){
            .guide = (uint16_t)g,
            .encoding = shape->encoding.length ? text_number(m, shape->encoding) : SHUNT_NONE,
            .continuation = shape->continuation.length ? text_number(m, shape->continuation) : SHUNT_NONE,
            .transaction = shape->transaction == SHUNT_SHAPE_NONE ? SHUNT_NONE : shape->transaction,
            .row_first = small(m, m->rows.count),
            .row_count = shape->row_count,
            .key_from = shape->key_from,
            .key_to = shape->key_to,
            .length = shape->length,
            .separator = shape->separator,
            .quote = shape->quote,
            .terminator = shape->terminator,
            .lines = shape->lines,
            .header = shape->header,
        };
        write_rows(m, g, shape);
    }
    small(m, m->columns.count);
    small(m, m->row_keys.count);
}

shunt_status shunt_plan_maker_status(const shunt_plan_maker *m)
{
    return m->no_memory ? SHUNT_NO_MEMORY : m->too_large ? SHUNT_LIMIT : SHUNT_OK;
}

shunt_status shunt_plan_maker_finish(shunt_plan_maker *m, shunt_plan *plan)
{
    uint32_t slot_count = 0, child_count = 0;
    for (uint32_t i = 0; i < m->frames.count; i++) {
        frame *f = &m->frames.items[i];
        f->frame.slot_first = small(m, slot_count);
        f->frame.slot_count = (uint16_t)f->slots.count;
        f->frame.child_first = small(m, child_count);
        f->frame.child_count = (uint16_t)f->children.count;
        slot_count += f->slots.count;
        child_count += f->children.count;
    }
    small(m, slot_count);
    small(m, child_count);
    shunt_plan_guide *guides = SHUNT_NEW_N(m->arena, shunt_plan_guide, m->guides.count + 1);
    shunt_plan_loop  *loops = SHUNT_NEW_N(m->arena, shunt_plan_loop, m->loops.count + m->repeated.count + 1);
    shunt_plan_frame *frames = SHUNT_NEW_N(m->arena, shunt_plan_frame, m->frames.count + 1);
    shunt_plan_slot  *slots = SHUNT_NEW_N(m->arena, shunt_plan_slot, slot_count + 1);
    uint16_t         *children = SHUNT_NEW_N(m->arena, uint16_t, child_count + 1);
    if (!guides || !loops || !frames || !slots || !children) return SHUNT_NO_MEMORY;
    if (!m->no_memory && !m->too_large) write_nodes(m);
    if (!m->no_memory && !m->too_large) write_leaves(m);
    if (!m->no_memory && !m->too_large) write_repeated(m);
    if (!m->no_memory && !m->too_large) write_guides(m, guides);
    if (!m->no_memory && !m->too_large) write_loops(m, loops);
    if (!m->no_memory && !m->too_large) write_repeated_loops(m, loops + m->loops.count);
    if (!m->no_memory && !m->too_large) write_layouts(m);
    if (m->no_memory) return SHUNT_NO_MEMORY;
    for (uint32_t i = 0; i < m->frames.count; i++) {
        const frame *f = &m->frames.items[i];
        frames[i] = f->frame;
        if (f->slots.count) memcpy(slots + f->frame.slot_first, f->slots.items, f->slots.count * sizeof *slots);
        if (f->children.count) memcpy(children + f->frame.child_first, f->children.items, f->children.count * sizeof *children);
    }
    uint32_t    text_count = shunt_intern_count(m->texts);
    shunt_text *texts = SHUNT_NEW_N(m->arena, shunt_text, text_count + 1);
    if (!texts) return SHUNT_NO_MEMORY;
    if (m->too_large || text_count >= SHUNT_NONE) return SHUNT_LIMIT;
    for (uint32_t i = 0; i < text_count; i++) texts[i] = shunt_intern_text(m->texts, i);
    *plan = (shunt_plan){
        .sources = m->sources.items,
        .source_count = m->sources.count,
        .guides = guides,
        .guide_count = m->guides.count,
        .loops = loops,
        .loop_count = m->loops.count + m->repeated.count,
        .nodes = m->nodes.items,
        .node_count = m->nodes.count,
        .keys = m->keys.items,
        .key_count = m->keys.count,
        .ids = m->ids.items,
        .id_count = m->ids.count,
        .dispatch = m->dispatch.items,
        .dispatch_count = m->dispatch.count,
        .choices = m->choices.items,
        .choice_count = m->choices.count,
        .frames = frames,
        .frame_count = m->frames.count,
        .children = children,
        .child_count = child_count,
        .slots = slots,
        .slot_count = slot_count,
        .demands = m->demands.items,
        .demand_count = m->demands.count,
        .layouts = m->layouts.items,
        .layout_count = m->layouts.count,
        .rows = m->rows.items,
        .row_count = m->rows.count,
        .columns = m->columns.items,
        .column_count = m->columns.count,
        .row_keys = m->row_keys.items,
        .row_key_count = m->row_keys.count,
        .texts = texts,
        .text_count = text_count,
    };
    return SHUNT_OK;
}

/* ---- without rules ---- */

shunt_text shunt_phi_mask(shunt_arena *arena, uint32_t phi)
{
    for (unsigned i = 0; i < SHUNT_PHI_INDEX_COUNT; i++)
        if (phi & (1u << i)) return shunt_text_format(arena, "[%s]", shunt_phi_name((shunt_phi_index)i));
    return (shunt_text){ 0 };
}

/* The frame of the loop, made when it is first wanted. */
static uint16_t frame_for(shunt_plan_maker *m, shunt_plan_spot spot)
{
    body *b = find_loop(m, spot);
    if (!b) return SHUNT_NONE;
    if (b->frame != SHUNT_NONE) return b->frame;
    uint16_t number = shunt_plan_maker_frame(m, b->depth ? SHUNT_FRAME_LOOP : SHUNT_FRAME_SET, shunt_text_of(spot.loop->id),
                                             m->guides.items[spot.guide].source);
    b->frame = number;
    return number;
}

shunt_status shunt_plan_make(shunt_arena *arena, const shunt_guide *const *guides, uint32_t guide_count,
                             const shunt_plan_want *wants, uint32_t want_count, shunt_plan *plan)
{
    uint32_t          empty;
    shunt_intern     *texts = shunt_intern_new(arena);
    shunt_plan_maker *m =
        texts && shunt_intern_add(texts, (shunt_text){ "", 0 }, &empty) ? shunt_plan_maker_new(arena, texts, true) : NULL;
    if (!m) return SHUNT_NO_MEMORY;
    if (!shunt_plan_maker_source(m, &(shunt_plan_source){ .standard = guide_count ? guides[0]->standard : 0 }))
        return SHUNT_NO_MEMORY;
    for (uint32_t i = 0; i < guide_count; i++)
        if (shunt_plan_maker_guide(m, guides[i], 0) == SHUNT_NONE) return shunt_plan_maker_status(m);
    for (uint32_t i = 0; i < want_count; i++) {
        const shunt_plan_want *w = &wants[i];
        uint16_t               into = frame_for(m, (shunt_plan_spot){ w->spot.guide, w->spot.loop, NULL });
        shunt_plan_slot        like = { .codes = SHUNT_NONE,
                                        .mask = SHUNT_NONE,
                                        .format = SHUNT_NONE,
                                        .currency = SHUNT_NONE,
                                        .path = text_number(m, w->shown),
                                        .element = w->element,
                                        .component = w->component };
        if (w->phi) {
            like.masked = 1;
            like.mask = text_number(m, shunt_phi_mask(arena, w->phi));
        }
        uint16_t slot = shunt_plan_maker_slot(m, into, &like);
        shunt_plan_maker_demand(m, into, slot, w->spot, w->qualifier, w->element, w->component, false);
    }
    return shunt_plan_maker_finish(m, plan);
}
