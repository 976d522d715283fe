#include "standards/hl7/structure.h"

#include "engine/base/plan.h"

enum {
    DEPTH = 16,      /* open groups */
    WORDS = 4,       /* of 64 ids each: different segments of one structure */
    TABLE_BITS = 12, /* structures kept, by their bodies, which guides share */
    TABLE = 1 << TABLE_BITS,
    MISSING = 256,   /* told of one segment */
    COST_INSIDE = 1, /* begins a group by another segment than its first one */
    COST_FULL = 32,  /* too often is likelier than passed over */
    COST_MISSING = 64,
};

/* An entry of a body. */
typedef struct item {
    const shunt_entry *of;
    uint16_t           body; /* of a group */
    uint16_t           max, position;
    bool               required;                    /* something must stand there */
    uint64_t           starts[WORDS], holds[WORDS]; /* ids that may come first, and all of them */
} item;

typedef struct body {
    const shunt_loop *loop;
    uint32_t          first; /* into items */
    uint16_t          count;
} body;

typedef struct structure {
    const shunt_loop *message;
    body             *bodies;
    item             *items;
    uint64_t         *ids; /* ascending */
    uint32_t          body_count, item_count, id_count;
    uint16_t          largest; /* body */
} structure;

typedef struct tally {
    uint32_t count, segment; /* segment: the one that passed by without it, 0 = none */
    uint64_t byte;
} tally;

typedef struct frame {
    const body *body;
    uint16_t    at; /* the item that came last */
} frame;

struct shunt_hl7_counter {
    const shunt_memory *memory;
    structure         **table; /* open addressing */
    const structure    *open;  /* NULL: no message */
    frame               frames[DEPTH];
    unsigned            depth;
    tally              *tallies; /* `room` for each frame */
    uint32_t            room;
    shunt_hl7_missing   missing[MISSING];
    uint32_t            missing_count;
};
typedef shunt_hl7_counter counter;

/* ---- structures ---- */

static void measure(const shunt_loop *loop, structure *s)
{
    s->body_count++;
    s->item_count += loop->body_count;
    if (loop->body_count > s->largest) s->largest = loop->body_count;
    for (uint16_t i = 0; i < loop->body_count; i++)
        if (loop->body[i].loop) measure(loop->body[i].loop, s);
}

static void add_id(structure *s, uint64_t id)
{
    uint32_t at = s->id_count;
    while (at > 0 && s->ids[at - 1] >= id) {
        if (s->ids[at - 1] == id) return;
        at--;
    }
    if (s->id_count == WORDS * 64) return; /* the rest is unknown to the message; no structure has so many */
    memmove(s->ids + at + 1, s->ids + at, (s->id_count - at) * sizeof *s->ids);
    s->ids[at] = id;
    s->id_count++;
}

static uint64_t packed(const char *id) { return shunt_pack((const uint8_t *)id, strlen(id)); }

static void collect(const shunt_loop *loop, structure *s)
{
    for (uint16_t i = 0; i < loop->body_count; i++)
        if (loop->body[i].loop)
            collect(loop->body[i].loop, s);
        else
            add_id(s, packed(loop->body[i].segment->id));
}

/* Number of an id, -1: the structure does not have it. */
static int number_of(const structure *s, uint64_t id)
{
    uint32_t low = 0, high = s->id_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (s->ids[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->id_count && s->ids[low] == id ? (int)low : -1;
}

static bool has(const uint64_t set[WORDS], unsigned id) { return (set[id / 64] >> id % 64 & 1) != 0; }

static void join(uint64_t set[WORDS], const uint64_t more[WORDS])
{
    for (unsigned i = 0; i < WORDS; i++) set[i] |= more[i];
}

static uint16_t lay_out(const shunt_loop *loop, structure *s);

static void lay_out_item(const shunt_entry *entry, structure *s, item *it)
{
    *it = (item){ .of = entry };
    if (entry->segment) {
        int id = number_of(s, packed(entry->segment->id));
        it->max = entry->segment->max;
        it->position = entry->segment->position;
        it->required = entry->segment->usage == SHUNT_REQUIRED;
        if (id >= 0) it->starts[id / 64] = it->holds[id / 64] = UINT64_C(1) << id % 64;
        return;
    }
    it->body = lay_out(entry->loop, s);
    it->max = entry->loop->max;
    it->position = entry->loop->position;
    const body *b = &s->bodies[it->body];
    bool        begun = false; /* a required entry was met: what is behind it begins nothing */
    for (uint16_t i = 0; i < b->count; i++) {
        const item *inner = &s->items[b->first + i];
        if (!begun) join(it->starts, inner->starts);
        join(it->holds, inner->holds);
        begun = begun || inner->required;
    }
    it->required = entry->loop->usage == SHUNT_REQUIRED && begun;
}

/* The body of a loop behind those that were laid out; gives its number. */
static uint16_t lay_out(const shunt_loop *loop, structure *s)
{
    uint16_t number = (uint16_t)s->body_count++;
    uint32_t first = s->item_count;
    s->item_count += loop->body_count;
    s->bodies[number] = (body){ loop, first, loop->body_count };
    for (uint16_t i = 0; i < loop->body_count; i++) lay_out_item(&loop->body[i], s, &s->items[first + i]);
    return number;
}

static void structure_free(const shunt_memory *memory, structure *s)
{
    if (!s) return;
    shunt_memory_free(memory, s->bodies);
    shunt_memory_free(memory, s->items);
    shunt_memory_free(memory, s->ids);
    shunt_memory_free(memory, s);
}

static structure *structure_new(const shunt_memory *memory, const shunt_loop *message)
{
    structure *s = shunt_memory_zeroed(memory, 1, sizeof *s);
    if (!s) return NULL;
    s->message = message;
    measure(message, s);
    s->bodies = shunt_memory_zeroed(memory, s->body_count, sizeof *s->bodies);
    s->items = shunt_memory_zeroed(memory, s->item_count + 1u, sizeof *s->items);
    s->ids = shunt_memory_zeroed(memory, WORDS * 64, sizeof *s->ids);
    if (!s->bodies || !s->items || !s->ids) {
        structure_free(memory, s);
        return NULL;
    }
    s->body_count = s->item_count = 0;
    collect(message, s);
    lay_out(message, s);
    return s;
}

static structure *structure_of(counter *c, const shunt_loop *message)
{
    uint32_t at = (uint32_t)((uintptr_t)message >> 4) * 2654435761u >> (32 - TABLE_BITS), looked = 0;
    while (c->table[at] && c->table[at]->message != message && ++looked < TABLE) at = (at + 1) % TABLE;
    if (c->table[at] && c->table[at]->message == message) return c->table[at];
    structure_free(c->memory, c->table[at]);
    return c->table[at] = structure_new(c->memory, message);
}

/* ---- groups ---- */

static tally *tallies_of(const counter *c, unsigned depth) { return c->tallies + (size_t)depth * c->room; }

static const item *item_at(const counter *c, const frame *f, uint16_t index) { return &c->open->items[f->body->first + index]; }

static void open_frame(counter *c, uint16_t number)
{
    frame *f = &c->frames[c->depth];
    f->body = &c->open->bodies[number];
    f->at = 0;
    memset(tallies_of(c, c->depth), 0, f->body->count * sizeof(tally));
    c->depth++;
}

/* The innermost group is over: what it lacks is missing. */
static void close_frame(counter *c, uint32_t number, uint64_t byte)
{
    unsigned     depth = --c->depth;
    const frame *f = &c->frames[depth];
    const tally *t = tallies_of(c, depth);
    for (uint16_t i = 0; i < f->body->count; i++) {
        const item *it = item_at(c, f, i);
        if (!it->required || t[i].count || c->missing_count == MISSING) continue;
        c->missing[c->missing_count++] = (shunt_hl7_missing){ .entry = it->of,
                                                              .group = f->body->loop,
                                                              .segment = t[i].segment ? t[i].segment : number,
                                                              .byte = t[i].segment ? t[i].byte : byte };
    }
}

/* Items before this one of the frame have been passed by. */
static void move_to(counter *c, unsigned depth, uint16_t index, uint32_t number, uint64_t byte)
{
    frame *f = &c->frames[depth];
    tally *t = tallies_of(c, depth);
    for (uint16_t i = f->at; i < index; i++)
        if (!t[i].count && !t[i].segment) t[i].segment = number, t[i].byte = byte;
    f->at = index;
}

/* ---- places ---- */

typedef struct choice {
    unsigned depth; /* of the frame */
    uint16_t index; /* of its item */
    uint32_t cost;
    bool     found;
} choice;

/* The first item of the frame that may still come: alternatives stand at one position, in any order. */
static uint16_t from_here(const counter *c, const frame *f)
{
    uint16_t at = f->at;
    while (at > 0 && item_at(c, f, at - 1)->position == item_at(c, f, f->at)->position) at--;
    return at;
}

/* Which item of a body a segment goes to that begins it. */
static uint16_t entry_for(const counter *c, const body *b, unsigned id)
{
    const item *items = c->open->items + b->first;
    for (uint16_t i = 0; i < b->count; i++)
        if (has(items[i].starts, id)) return i;
    for (uint16_t i = 0; i < b->count; i++)
        if (has(items[i].holds, id)) return i;
    return b->count;
}

/* Where several groups may begin with a segment, the one whose first segment it is is meant. */
static uint32_t cost_inside(const counter *c, const item *it, unsigned id)
{
    uint32_t cost = 0;
    for (unsigned depth = 0; depth < DEPTH && !it->of->segment; depth++) {
        const body *b = &c->open->bodies[it->body];
        uint16_t    index = entry_for(c, b, id);
        if (index == b->count) break;
        cost += index > 0 ? COST_INSIDE : 0;
        it = &c->open->items[b->first + index];
    }
    return cost;
}

/* Looks on in one frame. `deep`: also for what stands inside of groups behind segments that are missing. `*cost`: of leaving the frame. */
static void look_on(const counter *c, unsigned depth, unsigned id, bool deep, uint32_t closed, choice *best, uint32_t *cost)
{
    const frame *f = &c->frames[depth];
    const tally *t = tallies_of(c, depth);
    uint32_t     passed = 0, beside = 0; /* beside: required ones at the position at hand */
    for (uint16_t i = from_here(c, f); i < f->body->count; i++) {
        const item *it = item_at(c, f, i);
        if (i > 0 && it->position != item_at(c, f, i - 1)->position) {
            passed += beside;
            beside = 0;
        }
        if (has(it->starts, id) || (deep && has(it->holds, id))) {
            uint32_t here = closed + passed + (it->max && t[i].count >= it->max ? COST_FULL : 0) + cost_inside(c, it, id);
            if (!best->found || here < best->cost) *best = (choice){ depth, i, here, true };
            if (best->cost == 0) return;
        }
        if (it->required && !t[i].count) beside += COST_MISSING;
    }
    *cost = closed + passed + beside;
}

/* An item that was passed by, of the innermost group that has one. */
static void look_back(const counter *c, unsigned id, choice *best)
{
    for (unsigned depth = c->depth; depth-- > 0;) {
        const frame *f = &c->frames[depth];
        for (uint16_t i = from_here(c, f); i-- > 0;) {
            if (!has(item_at(c, f, i)->holds, id)) continue;
            *best = (choice){ depth, i, 0, true };
            return;
        }
    }
}

static choice choose(const counter *c, unsigned id, bool *late)
{
    choice best = { 0 };
    *late = false;
    for (int deep = 0; deep < 2 && !best.found; deep++) {
        uint32_t closed = 0;
        for (unsigned depth = c->depth; depth-- > 0 && !(best.found && best.cost == 0);)
            look_on(c, depth, id, deep != 0, closed, &best, &closed);
    }
    if (!best.found) {
        look_back(c, id, &best);
        *late = best.found;
    }
    return best;
}

void shunt_hl7_counter_segment(counter *c, uint64_t packed_id, uint32_t number, uint64_t byte, shunt_hl7_landing *landing)
{
    *landing = (shunt_hl7_landing){ 0 };
    c->missing_count = 0;
    int id = c->open ? number_of(c->open, packed_id) : -1;
    if (id < 0) return;
    bool   late;
    choice best = choose(c, (unsigned)id, &late);
    if (!best.found) return;
    while (c->depth > best.depth + 1) close_frame(c, number, byte);
    landing->late = late;
    if (!late) move_to(c, best.depth, best.index, number, byte);
    for (uint16_t index = best.index;;) {
        frame      *f = &c->frames[c->depth - 1];
        const item *it = item_at(c, f, index);
        tally      *t = &tallies_of(c, c->depth - 1)[index];
        bool        full = it->max && t->count >= it->max;
        t->count++;
        if (it->of->segment) {
            landing->node = it->of->segment;
            landing->group = f->body->loop;
            landing->too_often = full;
            return;
        }
        if (full && !landing->too_many) landing->too_many = it->of->loop;
        if (c->depth == DEPTH) return;
        open_frame(c, it->body);
        f = &c->frames[c->depth - 1];
        index = entry_for(c, f->body, (unsigned)id);
        if (index == f->body->count) return;
        move_to(c, c->depth - 1, index, number, byte);
    }
}

/* ---- messages ---- */

shunt_status shunt_hl7_counter_begin(counter *c, const shunt_guide *guide)
{
    c->depth = c->missing_count = 0;
    c->open = structure_of(c, guide->body);
    if (!c->open) return SHUNT_NO_MEMORY;
    if (c->open->largest > c->room) {
        tally *grown = shunt_memory_resize(c->memory, c->tallies, (size_t)c->open->largest * DEPTH * sizeof *grown);
        if (!grown) {
            c->open = NULL;
            return SHUNT_NO_MEMORY;
        }
        c->tallies = grown;
        c->room = c->open->largest;
    }
    open_frame(c, 0);
    return SHUNT_OK;
}

void shunt_hl7_counter_end(counter *c, uint32_t number, uint64_t byte)
{
    c->missing_count = 0;
    while (c->open && c->depth) close_frame(c, number, byte);
    c->open = NULL;
}

const shunt_hl7_missing *shunt_hl7_counter_missing(const counter *c, uint32_t *count)
{
    *count = c->missing_count;
    return c->missing;
}

const shunt_loop *shunt_hl7_counter_group(const counter *c)
{
    return c->open && c->depth ? c->frames[c->depth - 1].body->loop : NULL;
}

counter *shunt_hl7_counter_new(const shunt_memory *memory)
{
    counter *c = shunt_memory_zeroed(memory, 1, sizeof *c);
    if (!c) return NULL;
    c->memory = memory;
    c->table = shunt_memory_zeroed(memory, TABLE, sizeof(structure *));
    if (c->table) return c;
    shunt_memory_free(memory, c);
    return NULL;
}

void shunt_hl7_counter_free(counter *c)
{
    if (!c) return;
    for (uint32_t i = 0; i < TABLE; i++) structure_free(c->memory, c->table[i]);
    shunt_memory_free(c->memory, c->table);
    shunt_memory_free(c->memory, c->tallies);
    shunt_memory_free(c->memory, c);
}
