/* table.c - rows of a table sorted by key and start, found by a hash of the key.
 * Rows of one key stand together in order of their start and never overlap, so the row in force is the last that has started. Of a table
 * whose last key is matched by range, the rows that share the keys before it stand together in order of that key. */
#include "engine/vm/table.h"

#include <stdio.h>

struct group {
    uint64_t hash;
    uint32_t first, count; /* rows; count 0 = free */
};

struct shunt_lookup {
    const shunt_row *rows; /* sorted */
    uint32_t         row_count;
    uint32_t         key_count;
    uint32_t         flags;
    uint32_t         group_mask;
    struct group    *groups;
    uint32_t        *lengths; /* of the prefixes, longest first */
    uint32_t         length_count;
    uint8_t          kinds[16]; /* of the keys */
};

static uint64_t mix_key(uint64_t hash, uint8_t kind, shunt_value key)
{
    switch (kind) {
    case SHUNT_KIND_TEXT: return shunt_mix_text(hash, key.text);
    case SHUNT_KIND_DECIMAL: return shunt_mix(shunt_mix(hash, (uint64_t)key.coefficient), (uint64_t)(key.coefficient >> 64));
    default: return shunt_mix(hash, (uint64_t)key.integer);
    }
}

static int compare_key(uint8_t kind, shunt_value a, shunt_value b)
{
    switch (kind) {
    case SHUNT_KIND_TEXT: return shunt_text_compare(a.text, b.text);
    case SHUNT_KIND_DECIMAL: return (a.coefficient > b.coefficient) - (a.coefficient < b.coefficient);
    default: return (a.integer > b.integer) - (a.integer < b.integer);
    }
}

static bool same_key(uint8_t kind, shunt_value a, shunt_value b)
{
    return kind == SHUNT_KIND_TEXT ? shunt_text_equal_short(a.text, b.text) : compare_key(kind, a, b) == 0;
}

static int64_t starts(const shunt_lookup *l, const shunt_row *row)
{
    return row->states[l->key_count] == SHUNT_PRESENT ? row->fields[l->key_count].integer : INT64_MIN;
}

static int64_t ends(const shunt_lookup *l, const shunt_row *row)
{
    return row->states[l->key_count + 1] == SHUNT_PRESENT ? row->fields[l->key_count + 1].integer : INT64_MAX;
}

static int compare_keys(const shunt_lookup *l, const shunt_row *a, const shunt_row *b, uint32_t count)
{
    for (uint32_t k = 0; k < count; k++) {
        int order = compare_key(l->kinds[k], a->fields[k], b->fields[k]);
        if (order) return order;
    }
    return 0;
}

static int compare_rows(const shunt_lookup *l, const shunt_row *a, const shunt_row *b)
{
    int order = compare_keys(l, a, b, l->key_count);
    if (order || !(l->flags & SHUNT_TABLE_EFFECTIVE)) return order;
    return (starts(l, a) > starts(l, b)) - (starts(l, a) < starts(l, b));
}

/* Bottom-up merge sort: stable, and no more than the second array. Returns the array that holds the result. */
static shunt_row *sort_rows(const shunt_lookup *l, shunt_row *rows, shunt_row *spare, uint32_t count)
{
    for (uint64_t width = 1; width < count; width *= 2) {
        for (uint64_t left = 0; left < count; left += 2 * width) {
            uint64_t middle = left + width < count ? left + width : count,
                     right = left + 2 * width < count ? left + 2 * width : count;
            for (uint64_t a = left, b = middle, to = left; to < right; to++) {
                bool from_a = a < middle && (b >= right || compare_rows(l, &rows[a], &rows[b]) <= 0);
                spare[to] = from_a ? rows[a++] : rows[b++];
            }
        }
        shunt_row *swap = rows;
        rows = spare;
        spare = swap;
    }
    return rows;
}

/* Keys that the rows of a group share. */
static uint32_t group_keys(const shunt_lookup *l) { return l->flags & SHUNT_TABLE_RANGE ? l->key_count - 1 : l->key_count; }

static uint64_t hash_keys(const shunt_lookup *l, const shunt_value *keys)
{
    uint64_t hash = 0;
    for (uint32_t k = 0; k < group_keys(l); k++) hash = mix_key(hash, l->kinds[k], keys[k]);
    return hash;
}

static const struct group *find_group(const shunt_lookup *l, uint64_t hash, const shunt_value *keys, shunt_value last)
{
    for (uint32_t at = (uint32_t)hash & l->group_mask; l->groups[at].count; at = (at + 1) & l->group_mask) {
        if (l->groups[at].hash != hash) continue;
        const shunt_row *row = &l->rows[l->groups[at].first];
        uint32_t         k = 0;
        while (k + 1 < l->key_count && same_key(l->kinds[k], keys[k], row->fields[k])) k++;
        if (k + 1 == l->key_count && (group_keys(l) == k || same_key(l->kinds[k], last, row->fields[k]))) return &l->groups[at];
    }
    return NULL;
}

/* Distinct lengths of the last key, longest first. Counted in an array of marks would cost the longest text; a sorted insert
 * costs the number of distinct lengths, of which there are few. */
static void add_length(shunt_lookup *l, uint32_t length)
{
    uint32_t low = 0, high = l->length_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (l->lengths[middle] == length) return;
        if (l->lengths[middle] > length)
            low = middle + 1;
        else
            high = middle;
    }
    memmove(l->lengths + low + 1, l->lengths + low, sizeof *l->lengths * (l->length_count - low));
    l->lengths[low] = length;
    l->length_count++;
}

static shunt_status index_rows(shunt_lookup *l, shunt_text name, char why[static 200])
{
    bool effective = l->flags & SHUNT_TABLE_EFFECTIVE;
    for (uint32_t first = 0, end; first < l->row_count; first = end) {
        for (end = first + 1; end < l->row_count && compare_keys(l, &l->rows[first], &l->rows[end], group_keys(l)) == 0; end++) {
            if (compare_keys(l, &l->rows[end - 1], &l->rows[end], l->key_count) != 0) continue;
            if (effective && ends(l, &l->rows[end - 1]) < starts(l, &l->rows[end])) continue;
            snprintf(why, 200, "table %.*s: two rows have the same key%s", (int)(name.length < 60 ? name.length : 60), name.bytes,
                     effective ? " on the same day" : "");
            return SHUNT_PROGRAM_BAD;
        }
        uint64_t hash = hash_keys(l, l->rows[first].fields);
        uint32_t at = (uint32_t)hash & l->group_mask;
        while (l->groups[at].count) at = (at + 1) & l->group_mask;
        l->groups[at] = (struct group){ hash, first, end - first };
        if (l->flags & SHUNT_TABLE_PREFIX) add_length(l, l->rows[first].fields[l->key_count - 1].text.length);
    }
    for (uint32_t i = 0; effective && i < l->row_count; i++) {
        if (starts(l, &l->rows[i]) > ends(l, &l->rows[i])) {
            snprintf(why, 200, "table %.*s: a row ends before it starts", (int)(name.length < 60 ? name.length : 60), name.bytes);
            return SHUNT_PROGRAM_BAD;
        }
    }
    return SHUNT_OK;
}

shunt_status shunt_lookup_new(const shunt_memory *memory, const shunt_program *program, uint32_t index, shunt_lookup **lookup,
                              char why[static 200])
{
    const shunt_table       *table = &program->tables[index];
    const shunt_record_type *record = &program->records[table->record];
    const shunt_field       *fields = program->fields + record->field_first;
    const shunt_cell        *cells = program->cells + table->cell_first;
    uint64_t                 count = (uint64_t)table->row_count * record->field_count, slots = 8;
    while (slots < (uint64_t)table->row_count * 2) slots *= 2;

    uint64_t values_at = (sizeof(shunt_lookup) + 15) / 16 * 16, rows_at = values_at + sizeof(shunt_value) * count;
    uint64_t spare_at = rows_at + sizeof(shunt_row) * table->row_count,
             groups_at = spare_at + sizeof(shunt_row) * table->row_count;
    uint64_t lengths_at = groups_at + sizeof(struct group) * slots;
    uint64_t states_at = lengths_at + (table->flags & SHUNT_TABLE_PREFIX ? sizeof(uint32_t) * (uint64_t)table->row_count : 0);
    char    *block = (char *)shunt_memory_zeroed(memory, 1, states_at + count);
    if (!block) return SHUNT_NO_MEMORY;

    shunt_lookup *l = (shunt_lookup *)(void *)block;
    shunt_value  *values = (shunt_value *)(void *)(block + values_at);
    shunt_row    *rows = (shunt_row *)(void *)(block + rows_at);
    uint8_t      *states = (uint8_t *)block + states_at;
    *l = (shunt_lookup){ .row_count = table->row_count,
                         .key_count = table->key_count,
                         .flags = table->flags,
                         .group_mask = (uint32_t)(slots - 1),
                         .groups = (struct group *)(void *)(block + groups_at),
                         .lengths = (uint32_t *)(void *)(block + lengths_at) };
    for (uint32_t k = 0; k < table->key_count; k++) l->kinds[k] = fields[k].type.kind;
    for (uint64_t i = 0; i < count; i++) {
        states[i] = (uint8_t)cells[i].state;
        values[i] = cells[i].value;
        if (fields[i % record->field_count].type.kind != SHUNT_KIND_TEXT) continue;
        values[i] =
            (shunt_value){ .text = cells[i].state == SHUNT_PRESENT ? program->table_texts[cells[i].text] : (shunt_text){ 0 } };
    }
    for (uint32_t i = 0; i < table->row_count; i++) {
        rows[i] = (shunt_row){ states + (uint64_t)i * record->field_count, values + (uint64_t)i * record->field_count };
    }
    l->rows = sort_rows(l, rows, (shunt_row *)(void *)(block + spare_at), table->row_count);
    shunt_status status = index_rows(l, shunt_program_text(program, table->name), why);
    if (status != SHUNT_OK)
        shunt_memory_free(memory, block);
    else
        *lookup = l;
    return status;
}

void shunt_lookup_free(const shunt_memory *memory, shunt_lookup *lookup) { shunt_memory_free(memory, lookup); }

static const shunt_row *in_force(const shunt_lookup *l, const struct group *group, int64_t day)
{
    const shunt_row *rows = l->rows + group->first;
    if (!(l->flags & SHUNT_TABLE_EFFECTIVE)) return rows;
    uint32_t low = 0, high = group->count; /* the first row that starts after the day */
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (starts(l, &rows[middle]) <= day)
            low = middle + 1;
        else
            high = middle;
    }
    return low && ends(l, &rows[low - 1]) >= day ? &rows[low - 1] : NULL;
}

/* The row with the greatest last key that is not above the one given, and is in force: a key whose rows have ended or not yet begun is
 * passed over. */
static const shunt_row *in_range(const shunt_lookup *l, const struct group *group, shunt_value key, int64_t day, uint64_t *tries)
{
    const shunt_row *rows = l->rows + group->first;
    uint32_t         last = l->key_count - 1, low = 0, high = group->count; /* the first row whose key is above */
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (compare_key(l->kinds[last], rows[middle].fields[last], key) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low > 0; low--) {
        if (!(l->flags & SHUNT_TABLE_EFFECTIVE) || (starts(l, &rows[low - 1]) <= day && ends(l, &rows[low - 1]) >= day))
            return &rows[low - 1];
        ++*tries;
    }
    return NULL;
}

const shunt_row *shunt_lookup_find(const shunt_lookup *l, const shunt_value *keys, int64_t day, uint64_t *tries)
{
    uint32_t last = l->key_count - 1;
    uint64_t hash = 0;
    for (uint32_t k = 0; k < last; k++) hash = mix_key(hash, l->kinds[k], keys[k]);
    if (l->flags & SHUNT_TABLE_RANGE) {
        const struct group *group = find_group(l, hash, keys, keys[last]);
        return group ? in_range(l, group, keys[last], day, tries) : NULL;
    }
    if (!(l->flags & SHUNT_TABLE_PREFIX)) {
        const struct group *group = find_group(l, mix_key(hash, l->kinds[last], keys[last]), keys, keys[last]);
        return group ? in_force(l, group, day) : NULL;
    }
    for (uint32_t i = 0; i < l->length_count; i++) {
        if (l->lengths[i] > keys[last].text.length) continue;
        shunt_value prefix = { .text = { keys[last].text.bytes, l->lengths[i] } };
        *tries += 1 + prefix.text.length / 64;
        const struct group *group = find_group(l, mix_key(hash, SHUNT_KIND_TEXT, prefix), keys, prefix);
        const shunt_row    *row = group ? in_force(l, group, day) : NULL;
        if (row) return row;
    }
    return NULL;
}

bool shunt_lookup_has(const shunt_lookup *l, shunt_text key)
{
    shunt_value value = { .text = key };
    return find_group(l, shunt_mix_text(0, key), &value, value) != NULL;
}

bool shunt_lookup_holds(const shunt_lookup *l, const shunt_row *row)
{
    uintptr_t at = (uintptr_t)row, first = (uintptr_t)l->rows;
    return at >= first && at < first + sizeof(shunt_row) * (uint64_t)l->row_count;
}
