#include "engine/vm/ledger.h"

#include <stdlib.h>

#include "engine/base/date.h"
#include "engine/base/decimal.h"
#include "engine/base/hash.h"
#include "engine/base/walk.h"

enum { FIRST = 16, FREE = UINT32_MAX, ADD_LEVELS = SHUNT_LEVEL_RUN /* what rules add to ends with the file */ };

/* One group of a derived tally at one level; an ungrouped tally has one, with an empty key. */
struct group {
    __int128 amount;
    uint64_t hash;
    uint64_t serial; /* of the run of a rule that touched it last */
    size_t   key_at;
    uint32_t key_length;
    uint32_t chain; /* the group before it in its bucket, FREE = none */
    bool     fresh; /* no level further out had it */
};

struct groups {
    struct group *items; /* in order of arrival, so that undoing cuts the tail */
    uint32_t     *buckets;
    uint32_t      count, capacity, bucket_count;
    bool          over; /* more groups came than the limit says, and were left out */
    shunt_buffer  keys;
};

/* What an `add` of the present run changed: a group that was there, or a new one. */
struct change {
    __int128 before;
    uint32_t group;
    uint16_t tally;
    bool     created;
};

struct shunt_ledger {
    const shunt_memory  *memory;
    const shunt_program *program;
    shunt_hash_key       key;
    uint32_t             tally_count;
    unsigned             open; /* units */
    uint64_t             in;
    uint64_t             units[SHUNT_LEVEL_COUNT][SHUNT_FATE_COUNT];
    shunt_sum *sums; /* [level][tally][fate], then [open unit][tally], then [tally] of what arrived; nothing of no open unit */
    struct groups *groups;   /* [level][tally] */
    uint32_t      *distinct; /* [tally]: groups over all levels */
    struct change *changes;
    uint32_t       change_count, change_capacity;
    uint64_t       serial;
};

const char *shunt_fate_name(shunt_fate fate)
{
    static const char *const names[SHUNT_FATE_COUNT] = { "posted", "duplicate", "skipped", "rejected", "quarantined" };
    return names[fate];
}

static size_t level_sums(const shunt_ledger *l) { return (size_t)l->tally_count * SHUNT_FATE_COUNT; }

static shunt_sum *sum_at(const shunt_ledger *l, shunt_level level, uint16_t tally, shunt_fate fate)
{
    return &l->sums[(size_t)level * level_sums(l) + (size_t)tally * SHUNT_FATE_COUNT + fate];
}

static shunt_sum *unit_sum(const shunt_ledger *l, unsigned unit, uint16_t tally)
{
    return &l->sums[SHUNT_LEVEL_COUNT * level_sums(l) + (size_t)unit * l->tally_count + tally];
}

static shunt_sum *arrived(const shunt_ledger *l, uint16_t tally) { return unit_sum(l, SHUNT_WALK_DEPTH, tally); }

shunt_ledger *shunt_ledger_new(const shunt_memory *memory, const shunt_program *program)
{
    shunt_ledger *l = shunt_memory_zeroed(memory, 1, sizeof *l);
    if (!l) return NULL;
    l->memory = memory;
    l->program = program;
    shunt_hash_key_random(&l->key); /* keys of groups are the sender's */
    l->tally_count = program->tallies_count;
    size_t some = l->tally_count ? l->tally_count : 1;
    l->sums = shunt_memory_zeroed(memory, some * (SHUNT_LEVEL_COUNT * SHUNT_FATE_COUNT + SHUNT_WALK_DEPTH + 1), sizeof *l->sums);
    l->groups = shunt_memory_zeroed(memory, some * ADD_LEVELS, sizeof *l->groups);
    l->distinct = shunt_memory_zeroed(memory, some, sizeof *l->distinct);
    for (size_t i = 0; l->groups && i < some * ADD_LEVELS; i++) shunt_buffer_init(&l->groups[i].keys, memory);
    if (l->sums && l->groups && l->distinct) return l;
    shunt_ledger_free(l);
    return NULL;
}

void shunt_ledger_free(shunt_ledger *l)
{
    if (!l) return;
    for (size_t i = 0; l->groups && i < (size_t)l->tally_count * ADD_LEVELS; i++) {
        shunt_memory_free(l->memory, l->groups[i].items);
        shunt_memory_free(l->memory, l->groups[i].buckets);
        shunt_buffer_done(&l->groups[i].keys);
    }
    shunt_memory_free(l->memory, l->groups);
    shunt_memory_free(l->memory, l->sums);
    shunt_memory_free(l->memory, l->distinct);
    shunt_memory_free(l->memory, l->changes);
    shunt_memory_free(l->memory, l);
}

/* ---- declared tallies, units ---- */

static inline void add_amount(shunt_sum *to, __int128 amount)
{
    if (SHUNT_UNLIKELY(shunt_decimal_add(to->amount, amount, &to->amount) != SHUNT_OK)) to->unknown++;
}

static inline void add_sum(shunt_sum *to, const shunt_sum *more)
{
    to->unknown += more->unknown;
    add_amount(to, more->amount);
}

void shunt_ledger_enter(shunt_ledger *l)
{
    l->in++;
    l->open++;
}

void shunt_ledger_unit(shunt_ledger *l, shunt_fate fate)
{
    if (l->open == 0) return;
    l->open--;
    l->units[SHUNT_LEVEL_TRANSACTION][fate]++;
    if (l->open >= SHUNT_WALK_DEPTH) return;
    shunt_sum *sum = unit_sum(l, l->open, 0), *to = sum_at(l, SHUNT_LEVEL_TRANSACTION, 0, fate);
    for (uint32_t t = 0; t < l->tally_count; t++, sum++, to += SHUNT_FATE_COUNT) {
        if (!sum->amount && !sum->unknown) continue;
        add_sum(to, sum);
        *sum = (shunt_sum){ 0 };
    }
}

unsigned shunt_ledger_open_units(const shunt_ledger *l) { return l->open; }

void shunt_ledger_arrive(shunt_ledger *l, uint16_t tally, bool known, shunt_value value, shunt_fate outside)
{
    shunt_sum *all = arrived(l, tally);
    shunt_sum *here = l->open ? unit_sum(l, l->open - 1, tally) : sum_at(l, SHUNT_LEVEL_TRANSACTION, tally, outside);
    if (SHUNT_UNLIKELY(!known)) {
        all->unknown++;
        here->unknown++;
        return;
    }
    __int128 amount = l->program->tallies[tally].type.kind == SHUNT_KIND_INT ? value.integer : value.coefficient;
    add_amount(all, amount);
    add_amount(here, amount);
}

uint64_t shunt_ledger_in(const shunt_ledger *l) { return l->in; }

uint64_t shunt_ledger_units(const shunt_ledger *l, shunt_level level, shunt_fate fate)
{
    uint64_t units = 0;
    for (unsigned i = 0; i <= (unsigned)level; i++) units += l->units[i][fate];
    return units;
}

shunt_sum shunt_ledger_sum(const shunt_ledger *l, shunt_level level, uint16_t tally, shunt_fate fate)
{
    shunt_sum sum = { 0 };
    for (unsigned i = 0; i <= (unsigned)level; i++) add_sum(&sum, sum_at(l, (shunt_level)i, tally, fate));
    return sum;
}

shunt_sum shunt_ledger_arrived(const shunt_ledger *l, uint16_t tally) { return *arrived(l, tally); }

bool shunt_ledger_balanced(const shunt_ledger *l)
{
    uint64_t units = 0;
    for (int fate = 0; fate < SHUNT_FATE_COUNT; fate++) units += shunt_ledger_units(l, SHUNT_LEVEL_RUN, (shunt_fate)fate);
    if (units != l->in || l->open) return false;
    for (uint32_t t = 0; t < l->tally_count; t++) {
        shunt_sum all = { 0 }, in = *arrived(l, (uint16_t)t);
        for (int fate = 0; fate < SHUNT_FATE_COUNT; fate++) {
            shunt_sum part = shunt_ledger_sum(l, SHUNT_LEVEL_RUN, (uint16_t)t, (shunt_fate)fate);
            add_sum(&all, &part);
        }
        /* A sum that overflowed is unknown and proves nothing; the report says so. */
        if (all.unknown == 0 && in.unknown == 0 && all.amount != in.amount) return false;
        if ((all.unknown == 0) != (in.unknown == 0)) return false;
    }
    return true;
}

/* ---- totals that rules add to ---- */

static struct groups *groups_at(const shunt_ledger *l, unsigned level, uint16_t tally)
{
    return &l->groups[(size_t)level * l->tally_count + tally];
}

static shunt_text key_of(const struct groups *g, const struct group *group)
{
    return (shunt_text){ group->key_length ? g->keys.bytes + group->key_at : NULL, group->key_length };
}

static uint32_t find(const struct groups *g, uint64_t hash, shunt_text key)
{
    if (!g->bucket_count) return FREE;
    uint32_t at = g->buckets[hash & (g->bucket_count - 1)];
    while (at != FREE && (g->items[at].hash != hash || !shunt_text_equal(key_of(g, &g->items[at]), key))) at = g->items[at].chain;
    return at;
}

static void link_group(struct groups *g, uint32_t at)
{
    uint32_t *bucket = &g->buckets[g->items[at].hash & (g->bucket_count - 1)];
    g->items[at].chain = *bucket;
    *bucket = at;
}

static bool grow(const shunt_ledger *l, struct groups *g)
{
    if (g->count < g->capacity) return true;
    uint32_t      capacity = g->capacity ? g->capacity * 2 : FIRST;
    struct group *items = shunt_memory_resize(l->memory, g->items, capacity * sizeof *items);
    if (!items) return false;
    g->items = items;
    uint32_t *buckets = shunt_memory_resize(l->memory, g->buckets, (size_t)capacity * sizeof *buckets);
    if (!buckets) return false;
    g->buckets = buckets;
    g->bucket_count = capacity;
    g->capacity = capacity;
    memset(buckets, 0xff, (size_t)capacity * sizeof *buckets);
    for (uint32_t i = 0; i < g->count; i++) link_group(g, i);
    return true;
}

static uint32_t create(const shunt_ledger *l, struct groups *g, uint64_t hash, shunt_text key)
{
    size_t before = g->keys.length;
    if (!grow(l, g)) return FREE;
    if (key.length) shunt_buffer_text(&g->keys, key);
    if (g->keys.failed) {
        g->keys.failed = false;
        g->keys.length = before;
        return FREE;
    }
    g->items[g->count] = (struct group){ .hash = hash, .key_at = before, .key_length = key.length };
    link_group(g, g->count);
    return g->count++;
}

/* The last group that was created: the newest of its bucket. */
static void drop_last(struct groups *g)
{
    const struct group *last = &g->items[g->count - 1];
    g->buckets[last->hash & (g->bucket_count - 1)] = last->chain;
    g->keys.length = last->key_at;
    g->count--;
}

static void forget(shunt_ledger *l, struct groups *g, uint16_t tally, bool fresh_too)
{
    for (uint32_t i = 0; fresh_too && i < g->count; i++) l->distinct[tally] -= g->items[i].fresh;
    for (uint32_t i = 0; i < g->count; i++) g->buckets[g->items[i].hash & (g->bucket_count - 1)] = FREE; /* few of many, often */
    g->count = 0;
    g->over = false;
    g->keys.length = 0;
}

static bool known_further_out(const shunt_ledger *l, uint16_t tally, unsigned level, uint64_t hash, shunt_text key)
{
    for (level++; level < ADD_LEVELS; level++)
        if (find(groups_at(l, level, tally), hash, key) != FREE) return true;
    return false;
}

static bool note_change(shunt_ledger *l, struct change change)
{
    if (l->change_count == l->change_capacity) {
        uint32_t       capacity = l->change_capacity ? l->change_capacity * 2 : FIRST;
        struct change *changes = shunt_memory_resize(l->memory, l->changes, capacity * sizeof *changes);
        if (!changes) return false;
        l->changes = changes;
        l->change_capacity = capacity;
    }
    l->changes[l->change_count++] = change;
    return true;
}

shunt_status shunt_ledger_add(shunt_ledger *l, uint16_t tally, shunt_value value, shunt_text key)
{
    const shunt_tally *t = &l->program->tallies[tally];
    bool               grouped = t->record != SHUNT_NONE;
    struct groups     *g = groups_at(l, SHUNT_LEVEL_TRANSACTION, tally);
    shunt_decimal      sum, more = t->type.kind == SHUNT_KIND_INT ? value.integer : value.coefficient;
    if (!grouped) key = (shunt_text){ 0 };
    uint64_t hash = shunt_hash64(&l->key, key.bytes, key.length);
    uint32_t at = find(g, hash, key);
    if (at == FREE) {
        bool fresh = !known_further_out(l, tally, SHUNT_LEVEL_TRANSACTION, hash, key);
        if (grouped && fresh && l->distinct[tally] >= t->limit) {
            if (t->declared) g->over = true; /* what arrives is no fault of its unit: who reads the tally is told */
            return t->declared ? SHUNT_OK : SHUNT_LIMIT_GROUPS;
        }
        at = create(l, g, hash, key);
        if (at == FREE) return SHUNT_NO_MEMORY;
        if (!note_change(l, (struct change){ .group = at, .tally = tally, .created = true })) {
            drop_last(g);
            return SHUNT_NO_MEMORY;
        }
        g->items[at].fresh = fresh;
        g->items[at].serial = l->serial;
        l->distinct[tally] += fresh;
    } else if (g->items[at].serial != l->serial) {
        if (!note_change(l, (struct change){ .before = g->items[at].amount, .group = at, .tally = tally }))
            return SHUNT_NO_MEMORY;
        g->items[at].serial = l->serial;
    }
    SHUNT_TRY(shunt_decimal_add(g->items[at].amount, more, &sum));
    if (t->type.kind == SHUNT_KIND_INT && (sum > INT64_MAX || sum < INT64_MIN)) return SHUNT_OVERFLOW;
    g->items[at].amount = sum;
    return SHUNT_OK;
}

bool shunt_ledger_summed(const shunt_ledger *l)
{
    for (uint32_t i = 0; i < l->change_count; i++)
        if (l->program->tallies[l->changes[i].tally].record != SHUNT_NONE) return true;
    return false;
}

void shunt_ledger_keep(shunt_ledger *l)
{
    l->change_count = 0;
    l->serial++;
}

void shunt_ledger_undo(shunt_ledger *l)
{
    while (l->change_count) {
        const struct change *c = &l->changes[--l->change_count];
        struct groups       *g = groups_at(l, SHUNT_LEVEL_TRANSACTION, c->tally);
        if (c->created) {
            l->distinct[c->tally] -= g->items[g->count - 1].fresh;
            drop_last(g);
        } else {
            g->items[c->group].amount = c->before;
        }
    }
    l->serial++;
}

static shunt_level level_of(uint8_t scope)
{
    if (scope == SHUNT_SCOPE_FILE || scope == SHUNT_SCOPE_INTERCHANGE) return SHUNT_LEVEL_FILE;
    return scope == SHUNT_SCOPE_BATCH ? SHUNT_LEVEL_BATCH : SHUNT_LEVEL_TRANSACTION;
}

/* What was added at a level goes one further out, where its scope reaches so far. */
static shunt_status hand_on(shunt_ledger *l, unsigned level, uint16_t tally)
{
    struct groups *from = groups_at(l, level, tally), *to = groups_at(l, level + 1, tally);
    to->over = to->over || from->over;
    for (uint32_t i = 0; i < from->count; i++) {
        const struct group *group = &from->items[i];
        shunt_text          key = key_of(from, group);
        uint32_t            at = find(to, group->hash, key);
        if (at == FREE) {
            at = create(l, to, group->hash, key);
            if (at == FREE) return SHUNT_NO_MEMORY;
            to->items[at].fresh = group->fresh;
        }
        SHUNT_TRY(shunt_decimal_add(to->items[at].amount, group->amount, &to->items[at].amount));
    }
    return SHUNT_OK;
}

static void close_sums(shunt_ledger *l, shunt_level level, bool undone, shunt_fate fate)
{
    for (int f = 0; f < SHUNT_FATE_COUNT; f++) {
        shunt_fate to = undone ? fate : (shunt_fate)f;
        l->units[level + 1][to] += l->units[level][f];
        l->units[level][f] = 0;
        for (uint32_t t = 0; t < l->tally_count; t++) {
            shunt_sum *from = sum_at(l, level, (uint16_t)t, (shunt_fate)f);
            add_sum(sum_at(l, (shunt_level)(level + 1), (uint16_t)t, to), from);
            *from = (shunt_sum){ 0 };
        }
    }
}

shunt_status shunt_ledger_close(shunt_ledger *l, shunt_level level, bool undone, shunt_fate fate)
{
    shunt_status status = SHUNT_OK;
    close_sums(l, level, undone, fate);
    shunt_ledger_keep(l);
    for (uint32_t t = 0; t < l->tally_count; t++) {
        bool further = level_of(l->program->tallies[t].scope) > level, lost = undone && !l->program->tallies[t].declared;
        if (!lost && further && status == SHUNT_OK) status = hand_on(l, level, (uint16_t)t);
        forget(l, groups_at(l, level, (uint16_t)t), (uint16_t)t, lost || !further);
    }
    return status;
}

struct sorted {
    shunt_text key;
    uint32_t   at;
};

static int by_key(const void *a, const void *b)
{
    return shunt_text_compare(((const struct sorted *)a)->key, ((const struct sorted *)b)->key);
}

static shunt_status no_room(const shunt_arena *arena)
{
    return shunt_arena_failed(arena) == SHUNT_ARENA_LIMIT ? SHUNT_LIMIT_UNIT_BYTES : SHUNT_NO_MEMORY;
}

static void put_amount(shunt_type type, __int128 amount, shunt_value *value)
{
    if (type.kind == SHUNT_KIND_INT)
        value->integer = (int64_t)amount;
    else
        value->coefficient = amount;
}

/* The next of the joined keys, copied; moves `*at` behind it. */
static bool take_key(shunt_text joined, uint32_t *at, shunt_arena *arena, shunt_text *key)
{
    char    *copy = shunt_arena_bytes(arena, joined.length - *at + (size_t)1);
    uint32_t length = 0;
    if (!copy) return false;
    while (*at + 1 < joined.length && (joined.bytes[*at] != 0 || joined.bytes[*at + 1] != 1)) {
        copy[length++] = joined.bytes[*at];
        *at += joined.bytes[*at] == 0 ? 2 : 1;
    }
    *at += 2;
    *key = (shunt_text){ copy, length };
    return true;
}

/* Bytes of the keys that the rows of a group share. */
static uint32_t shared_length(shunt_text joined, uint32_t keys)
{
    uint32_t at = 0;
    while (keys && at + 1 < joined.length) {
        bool end = joined.bytes[at] == 0 && joined.bytes[at + 1] == 1;
        at += joined.bytes[at] == 0 ? 2 : 1;
        keys -= end;
    }
    return at;
}

static shunt_row *new_row(shunt_arena *arena, uint32_t fields, shunt_value **values)
{
    shunt_row *row = SHUNT_NEW(arena, shunt_row);
    uint8_t   *states = SHUNT_NEW_N(arena, uint8_t, fields);
    *values = SHUNT_NEW_N(arena, shunt_value, fields);
    if (!row || !states || !*values) return NULL;
    *row = (shunt_row){ states, *values };
    return row;
}

/* Lists that the VM meets have a head before their items; an empty one says that nothing can be appended in place. */
static shunt_value *new_items(shunt_arena *arena, uint32_t count)
{
    shunt_value *block = SHUNT_NEW_N(arena, shunt_value, (size_t)count + 1);
    if (!block) return NULL;
    memset(block, 0, sizeof *block);
    return block + 1;
}

struct reading {
    const shunt_ledger  *l;
    const shunt_tally   *t;
    const struct groups *g;
    const struct sorted *order;
    shunt_arena         *arena;
};

/* The groups first .. end, which share all but the last key, as one row with its members. */
static shunt_status read_members(const struct reading *r, uint32_t first, uint32_t end, uint32_t shared, shunt_value *list,
                                 __int128 *total)
{
    shunt_value *items = new_items(r->arena, end - first);
    if (!items) return no_room(r->arena);
    *total = 0;
    for (uint32_t i = first; i < end; i++) {
        shunt_value *fields;
        uint32_t     at = shared;
        __int128     amount = r->g->items[r->order[i].at].amount;
        shunt_row   *row = new_row(r->arena, 2, &fields);
        if (!row || !take_key(r->order[i].key, &at, r->arena, &fields[0].text)) return no_room(r->arena);
        put_amount(r->t->type, amount, &fields[1]);
        items[i - first].row = row;
        SHUNT_TRY(shunt_decimal_add(*total, amount, total));
    }
    list->list.items = items;
    list->list.count = end - first;
    return SHUNT_OK;
}

static shunt_status read_row(const struct reading *r, uint32_t first, uint32_t *end, shunt_value *item)
{
    shunt_value *fields;
    shunt_text   joined = r->order[first].key;
    bool         several = r->t->keys + r->t->members > 1;
    uint32_t     at = 0, shared = r->t->members ? shared_length(joined, r->t->keys) : joined.length;
    __int128     total = r->g->items[r->order[first].at].amount;
    shunt_row   *row = new_row(r->arena, r->t->keys + 1u + r->t->members, &fields);
    if (!row) return no_room(r->arena);
    for (uint32_t k = 0; k < r->t->keys; k++) {
        bool fine = several ? take_key(joined, &at, r->arena, &fields[k].text)
                            : (fields[k].text = shunt_text_copy(r->arena, joined)).bytes != NULL;
        if (!fine) return no_room(r->arena);
    }
    *end = first + 1;
    while (r->t->members && *end < r->g->count && r->order[*end].key.length >= shared &&
           memcmp(r->order[*end].key.bytes, joined.bytes, shared) == 0)
        ++*end;
    if (r->t->members) SHUNT_TRY(read_members(r, first, *end, shared, &fields[r->t->keys + 1], &total));
    if (r->t->type.kind == SHUNT_KIND_INT && (total > INT64_MAX || total < INT64_MIN)) return SHUNT_OVERFLOW;
    put_amount(r->t->type, total, &fields[r->t->keys]);
    item->row = row;
    return SHUNT_OK;
}

static shunt_status read_groups(const shunt_ledger *l, const shunt_tally *t, const struct groups *g, shunt_arena *arena,
                                shunt_value *value)
{
    struct sorted *order = SHUNT_NEW_N(arena, struct sorted, g->count + 1);
    shunt_value   *items = SHUNT_NEW_N(arena, shunt_value, g->count + 1);
    uint32_t       rows = 0;
    if (!order || !items) return no_room(arena);
    for (uint32_t i = 0; i < g->count; i++) order[i] = (struct sorted){ key_of(g, &g->items[i]), i };
    if (g->count) qsort(order, g->count, sizeof *order, by_key);
    struct reading r = { l, t, g, order, arena };
    for (uint32_t first = 0, end; first < g->count; first = end) SHUNT_TRY(read_row(&r, first, &end, &items[rows++]));
    value->list.items = items;
    value->list.count = rows;
    return SHUNT_OK;
}

shunt_status shunt_ledger_read(const shunt_ledger *l, uint16_t tally, shunt_arena *arena, shunt_value *value)
{
    const shunt_tally *t = &l->program->tallies[tally];
    shunt_level        level = level_of(t->scope);
    *value = (shunt_value){ 0 };
    if (t->declared) {
        shunt_sum all = { 0 };
        uint16_t  summed = t->declared == 2 ? (uint16_t)(tally - 1) : tally;
        for (int fate = 0; fate < SHUNT_FATE_COUNT; fate++) add_sum(&all, sum_at(l, level, summed, (shunt_fate)fate));
        if (all.unknown) return SHUNT_TALLY_UNKNOWN;
        if (summed != tally && groups_at(l, level, tally)->over) return SHUNT_LIMIT_GROUPS;
        if (summed != tally) return read_groups(l, t, groups_at(l, level, tally), arena, value);
        if (t->type.kind == SHUNT_KIND_INT && (all.amount > INT64_MAX || all.amount < INT64_MIN)) return SHUNT_OVERFLOW;
        put_amount(t->type, all.amount, value);
        return SHUNT_OK;
    }
    const struct groups *g = groups_at(l, level, tally);
    if (t->record != SHUNT_NONE) return read_groups(l, t, g, arena, value);
    put_amount(t->type, g->count ? g->items[0].amount : 0, value);
    return SHUNT_OK;
}
