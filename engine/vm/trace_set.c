/* trace_set.c - sets of origins: a union costs one node, whatever its size; laid flat only when a record is written. */
#include <stdlib.h>

#include "engine/vm/trace_state.h"

enum { UNIT_BYTES_AT_MOST = 256 << 20, LIST_FIRST = 64, MAP_FIRST = 256 };

/* ---- members ---- */

static shunt_origin *new_origin(shunt_trace *t, shunt_arena *arena)
{
    if (shunt_arena_used(arena) > UNIT_BYTES_AT_MOST) {
        t->incomplete = true;
        return NULL;
    }
    shunt_origin *origin = SHUNT_NEW(arena, shunt_origin);
    if (!origin) t->no_memory = true;
    return origin;
}

shunt_origin *shunt_origin_join(shunt_trace *t, shunt_origin *a, shunt_origin *b)
{
    if (!a || a == b) return b;
    if (!b) return a;
    /* What a loop adds over and over is there already. */
    if (a->kind == SHUNT_ORIGIN_BOTH && (a->left == b || a->right == b)) return a;
    if (b->kind == SHUNT_ORIGIN_BOTH && (b->left == a || b->right == a)) return b;
    shunt_origin *both = new_origin(t, t->arena);
    if (!both) return a;
    *both = (shunt_origin){ .kind = SHUNT_ORIGIN_BOTH, .left = a, .right = b };
    return both;
}

static const shunt_where *where_of(shunt_trace *t, const shunt_node *node)
{
    shunt_where *first = NULL, **last = &first;
    if (node == t->last_node) return t->last_where;
    for (const shunt_node *n = node; n; n = n->parent) {
        shunt_where *where = SHUNT_NEW(t->arena, shunt_where);
        if (!where) {
            t->no_memory = true;
            return NULL;
        }
        *where = (shunt_where){ .at = n->at, .ordinal = n->ordinal, .frame = n->frame };
        *last = where;
        last = (shunt_where **)(uintptr_t)&where->outer;
    }
    t->last_node = node;
    t->last_where = first;
    return first;
}

shunt_origin *shunt_origin_value(shunt_trace *t, const shunt_node *node, uint16_t slot)
{
    const shunt_program  *p = t->program;
    const shunt_captured *captured = &node->slots[slot - p->frames[p->slots[slot].frame].slot_first];
    const shunt_where    *where = where_of(t, node);
    shunt_origin         *origin = new_origin(t, t->arena);
    if (!origin) return NULL;
    bool there = captured->bytes != NULL;
    *origin = (shunt_origin){ .kind = there ? SHUNT_ORIGIN_VALUE : SHUNT_ORIGIN_MISSING, .index = slot };
    origin->size = there ? captured->size : 0;
    origin->where = where;
    origin->at = there ? captured->at : node->at;
    return origin;
}

shunt_origin *shunt_origin_position(shunt_trace *t, const shunt_node *node)
{
    const shunt_where *where = where_of(t, node);
    shunt_origin      *origin = new_origin(t, t->arena);
    if (!origin) return NULL;
    *origin = (shunt_origin){ .kind = SHUNT_ORIGIN_POSITION };
    origin->where = where;
    origin->at = node->at;
    return origin;
}

shunt_origin *shunt_origin_row(shunt_trace *t, uint16_t table, const shunt_row *row, uint32_t masked)
{
    shunt_origin *origin = new_origin(t, t->arena);
    if (!origin) return NULL;
    *origin = (shunt_origin){ .kind = SHUNT_ORIGIN_ROW, .index = table, .size = masked };
    origin->row = row;
    return origin;
}

shunt_origin *shunt_origin_given(shunt_trace *t, uint16_t builtin)
{
    shunt_origin *origin = new_origin(t, t->arena);
    if (origin) *origin = (shunt_origin){ .kind = SHUNT_ORIGIN_GIVEN, .index = builtin };
    return origin;
}

shunt_origin *shunt_origin_field(shunt_trace *t, uint16_t record, uint16_t field, uint32_t site)
{
    shunt_origin *origin = new_origin(t, t->arena);
    if (!origin) return NULL;
    *origin = (shunt_origin){ .kind = SHUNT_ORIGIN_FIELD, .index = field, .size = site };
    origin->record = record;
    return origin;
}

/* ---- laid flat ---- */

static bool room_for(shunt_trace *t, shunt_origin ***items, uint32_t *capacity, uint32_t count)
{
    if (count < *capacity) return true;
    uint32_t       more = *capacity ? *capacity * 2 : LIST_FIRST;
    shunt_origin **larger = shunt_memory_resize(t->memory, *items, more * sizeof **items);
    if (!larger) {
        t->no_memory = true;
        return false;
    }
    *items = larger;
    *capacity = more;
    return true;
}

int shunt_origin_compare(const shunt_origin *a, const shunt_origin *b)
{
    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    if (a->kind == SHUNT_ORIGIN_ROW && a->row != b->row) return (uintptr_t)a->row < (uintptr_t)b->row ? -1 : 1;
    if (a->kind < SHUNT_ORIGIN_ROW && a->at != b->at) return a->at < b->at ? -1 : 1;
    if (a->kind == SHUNT_ORIGIN_FIELD && a->record != b->record) return a->record < b->record ? -1 : 1;
    if (a->size != b->size) return a->size < b->size ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

static int by_place(const void *a, const void *b)
{
    return shunt_origin_compare(*(shunt_origin *const *)a, *(shunt_origin *const *)b);
}

bool shunt_origin_flatten(shunt_trace *t, shunt_origin *set)
{
    uint32_t depth = 0;
    t->list_count = 0;
    t->stamp++;
    if (set && !room_for(t, &t->stack, &t->stack_capacity, depth)) return false;
    if (set) t->stack[depth++] = set;
    while (depth) {
        shunt_origin *origin = t->stack[--depth];
        if (origin->seen == t->stamp) continue;
        origin->seen = t->stamp;
        if (origin->kind == SHUNT_ORIGIN_BOTH) {
            if (!room_for(t, &t->stack, &t->stack_capacity, depth + 1)) return false;
            t->stack[depth++] = origin->left;
            t->stack[depth++] = origin->right;
        } else {
            if (!room_for(t, &t->list, &t->list_capacity, t->list_count)) return false;
            t->list[t->list_count++] = origin;
        }
    }
    uint32_t kept = 0;
    if (t->list_count > 1) qsort(t->list, t->list_count, sizeof(shunt_origin *), by_place);
    for (uint32_t i = 0; i < t->list_count; i++)
        if (kept == 0 || shunt_origin_compare(t->list[kept - 1], t->list[i]) != 0) t->list[kept++] = t->list[i];
    t->list_count = kept;
    return true;
}

static shunt_where *copy_where(shunt_trace *t, shunt_arena *arena, const shunt_where *where)
{
    shunt_where *first = NULL, **last = &first;
    for (; where; where = where->outer) {
        shunt_where *copy = SHUNT_NEW(arena, shunt_where);
        if (!copy) {
            t->no_memory = true;
            return first;
        }
        *copy = *where;
        copy->outer = NULL;
        *last = copy;
        last = (shunt_where **)(uintptr_t)&copy->outer;
    }
    return first;
}

shunt_origin *shunt_origin_copy(shunt_trace *t, shunt_arena *arena, shunt_origin *set)
{
    shunt_origin *all = NULL;
    if (!shunt_origin_flatten(t, set)) return NULL;
    for (uint32_t i = 0; i < t->list_count; i++) {
        shunt_origin *copy = new_origin(t, arena), *both = all ? new_origin(t, arena) : NULL;
        if (!copy || (all && !both)) return all;
        *copy = *t->list[i];
        copy->seen = 0;
        if (copy->kind < SHUNT_ORIGIN_ROW) copy->where = copy_where(t, arena, copy->where);
        if (both) *both = (shunt_origin){ .kind = SHUNT_ORIGIN_BOTH, .left = all, .right = copy };
        all = both ? both : copy;
    }
    return all;
}

/* ---- maps ---- */

static uint32_t place_of(const shunt_known_map *map, uint64_t key)
{
    uint32_t at = (uint32_t)shunt_mix(0, key) & (map->capacity - 1);
    while (map->keys[at] && map->keys[at] != key) at = (at + 1) & (map->capacity - 1);
    return at;
}

static bool grow_map(shunt_trace *t, shunt_known_map *map)
{
    shunt_known_map larger = { .count = map->count, .capacity = map->capacity ? map->capacity * 2 : MAP_FIRST };
    larger.keys = shunt_memory_zeroed(t->memory, larger.capacity, sizeof *larger.keys);
    larger.items = shunt_memory_zeroed(t->memory, larger.capacity, sizeof *larger.items);
    if (!larger.keys || !larger.items) {
        shunt_memory_free(t->memory, larger.keys);
        shunt_memory_free(t->memory, larger.items);
        t->no_memory = true;
        return false;
    }
    for (uint32_t i = 0; i < map->capacity; i++) {
        if (!map->keys[i]) continue;
        uint32_t at = place_of(&larger, map->keys[i]);
        larger.keys[at] = map->keys[i];
        larger.items[at] = map->items[i];
    }
    shunt_memory_free(t->memory, map->keys);
    shunt_memory_free(t->memory, map->items);
    *map = larger;
    return true;
}

void shunt_known_put(shunt_trace *t, shunt_known_map *map, uint64_t key, shunt_known known)
{
    key += !key;
    if (map->count * 2 >= map->capacity && !grow_map(t, map)) return;
    uint32_t at = place_of(map, key);
    map->count += !map->keys[at];
    map->keys[at] = key;
    map->items[at] = known;
}

shunt_known shunt_known_get(const shunt_known_map *map, uint64_t key)
{
    key += !key;
    uint32_t at = map->capacity ? place_of(map, key) : 0;
    return map->capacity && map->keys[at] ? map->items[at] : (shunt_known){ 0 };
}

void shunt_known_forget(shunt_known_map *map)
{
    if (map->count) memset(map->keys, 0, sizeof *map->keys * map->capacity);
    map->count = 0;
}
