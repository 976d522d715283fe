/* step.c - instructions that take more than a line, a function each: see step.h. */
#include "engine/vm/step.h"

#include "engine/base/date.h"
#include "engine/base/decimal.h"
#include "engine/vm/decision.h"
#include "engine/vm/ledger.h"

enum {
    LIST_FIRST_CAPACITY = 8,
    KEEP_FIRST_CAPACITY = 8,
    LIST_AT_MOST = 65535,
    TEXT_STEP_BYTES = 64,
    TEXTS_AT_MOST = 64,
    ROOM = 64
};

/* ---- what they are made of ---- */

shunt_vm_place shunt_vm_exit_place(const shunt_vm *vm, uint16_t exit, const shunt_value *r, const uint8_t *s)
{
    const shunt_exit *e = &vm->program->exits[exit];
    if (e->slot == SHUNT_NONE) return (shunt_vm_place){ .slot = SHUNT_NONE };
    return shunt_vm_place_of(vm, e->slot, s[e->node] == SHUNT_PRESENT ? r[e->node].node : NULL);
}

static shunt_status warn(shunt_vm *vm, uint16_t exit, shunt_text message, const shunt_value *r, const uint8_t *s)
{
    return vm->host->warn ? vm->host->warn(vm->host->context, exit, message, shunt_vm_exit_place(vm, exit, r, s)) : SHUNT_OK;
}

static shunt_status join(shunt_vm *vm, const shunt_value *parts, uint32_t count, shunt_text *joined)
{
    uint64_t length = 0;
    for (uint32_t i = 0; i < count; i++) length += parts[i].text.length;
    if (length == 0) {
        *joined = vm->program->texts[0];
        return SHUNT_OK;
    }
    if (length > UINT32_MAX) return SHUNT_LIMIT_UNIT_BYTES;
    SHUNT_TRY(shunt_vm_charge(vm, length / TEXT_STEP_BYTES));
    char *bytes = shunt_arena_bytes(vm->arena, length), *at = bytes;
    if (!bytes) return shunt_vm_full(vm);
    for (uint32_t i = 0; i < count; i++) {
        if (parts[i].text.length) memcpy(at, parts[i].text.bytes, parts[i].text.length);
        at += parts[i].text.length;
    }
    *joined = (shunt_text){ bytes, (uint32_t)length };
    return SHUNT_OK;
}

static shunt_status text_of(shunt_vm *vm, shunt_type type, shunt_value value, shunt_text *text)
{
    char       room[ROOM];
    shunt_text made = shunt_value_text(vm->program, type, value, room);
    if (made.bytes == room) {
        made = shunt_text_copy(vm->arena, made);
        if (!made.bytes) return shunt_vm_full(vm);
    }
    *text = made;
    return SHUNT_OK;
}

/* They are few: one by one is faster than what compilers make of it. */
static inline unsigned states_of(const uint8_t *states, uint32_t count)
{
    unsigned all = 0;
    for (uint32_t i = 0; i < count; i++) {
        all |= states[i];
        SHUNT_ONE_BY_ONE(all);
    }
    return all;
}

/* Copies of a list share its items, so only the one that reaches to the last item in use may grow in place. */
static shunt_status push(shunt_vm *vm, shunt_value *list, uint8_t *state, shunt_value item, uint32_t limit)
{
    uint32_t     count = *state == SHUNT_PRESENT ? list->list.count : 0;
    shunt_value *items = count ? (shunt_value *)(uintptr_t)list->list.items : NULL;
    if (count >= limit) return SHUNT_LIMIT_LIST;
    shunt_list_head *head = items ? (shunt_list_head *)(void *)items - 1 : NULL;
    if (!head || head->used != count || head->used == head->capacity) {
        SHUNT_TRY(shunt_vm_charge(vm, count));
        shunt_value *larger = shunt_list_new(vm, count < LIST_FIRST_CAPACITY / 2 ? LIST_FIRST_CAPACITY : count * 2);
        if (!larger) return shunt_vm_full(vm);
        if (items) memcpy(larger, items, sizeof *items * count);
        items = larger;
        head = (shunt_list_head *)(void *)items - 1;
    }
    items[count] = item;
    head->used = count + 1;
    *list = (shunt_value){ .list = { items, count + 1 } };
    *state = SHUNT_PRESENT;
    return SHUNT_OK;
}

/* Charged for what may be looked at: each part once for each bit of a rest. */
static shunt_status allocate(shunt_vm *vm, shunt_decimal amount, const shunt_value *weights, shunt_value *result)
{
    uint32_t count = weights->list.count;
    if (!count) { /* nothing is made of nothing */
        *result = (shunt_value){ .list = { NULL, 0 } };
        return amount ? SHUNT_ALLOCATE_WEIGHTS : SHUNT_OK;
    }
    SHUNT_TRY(shunt_vm_charge(vm, count * (uint64_t)16));
    shunt_value   *items = shunt_list_new(vm, count);
    shunt_decimal *room = shunt_arena_alloc(vm->arena, sizeof *room * count * 3);
    if (!items || !room) return shunt_vm_full(vm);
    for (uint32_t i = 0; i < count; i++) room[i] = weights->list.items[i].coefficient;
    SHUNT_TRY(shunt_decimal_allocate(amount, room, count, room + count, room + 2 * (size_t)count));
    for (uint32_t i = 0; i < count; i++) items[i].coefficient = room[count + i];
    ((shunt_list_head *)(void *)items - 1)->used = count;
    *result = (shunt_value){ .list = { items, count } };
    return SHUNT_OK;
}

static shunt_list_head *head_of(const shunt_value *items) { return (shunt_list_head *)(uintptr_t)(const void *)items - 1; }

/* Only lists made here are written to in place: no other register holds them, unless it shall see the same. */
static shunt_status keep(shunt_vm *vm, shunt_value *list, uint8_t *state, shunt_value item, uint64_t at)
{
    uint32_t           count = *state == SHUNT_PRESENT ? list->list.count : 0;
    const shunt_value *items = list->list.items;
    if (at >= LIST_AT_MOST) return SHUNT_OK;
    if (at >= count || !head_of(items)->kept) {
        uint32_t capacity = count < KEEP_FIRST_CAPACITY / 2 ? KEEP_FIRST_CAPACITY : count * 2;
        if (capacity <= at) capacity = (uint32_t)at + 1;
        SHUNT_TRY(shunt_vm_charge(vm, capacity));
        shunt_value *larger = shunt_list_new(vm, capacity);
        uint8_t     *kept = SHUNT_NEW_N(vm->arena, uint8_t, capacity);
        if (!larger || !kept) return shunt_vm_full(vm);
        for (uint32_t i = 0; i < capacity; i++) {
            larger[i] = i < count ? items[i] : item;
            kept[i] = i >= count ? SHUNT_ABSENT : head_of(items)->kept ? head_of(items)->kept[i] : SHUNT_PRESENT;
        }
        head_of(larger)->used = capacity;
        head_of(larger)->kept = kept;
        *list = (shunt_value){ .list = { larger, capacity } };
        *state = SHUNT_PRESENT;
    }
    ((shunt_value *)(uintptr_t)list->list.items)[at] = item;
    head_of(list->list.items)->kept[at] = SHUNT_PRESENT;
    return SHUNT_OK;
}

static shunt_status new_row(shunt_vm *vm, uint16_t record, const shunt_value *values, const uint8_t *states, shunt_value *result)
{
    uint32_t count = vm->program->records[record].field_count;
    SHUNT_TRY(shunt_vm_check_fields(vm, record, values, states));
    char *room = shunt_vm_room(vm, sizeof(shunt_row), count);
    if (!room) return shunt_vm_full(vm);
    shunt_row   *row = (shunt_row *)(void *)room;
    shunt_value *fields = (shunt_value *)(void *)(row + 1);
    uint8_t     *marks = (uint8_t *)(fields + count);
    memcpy(fields, values, sizeof *fields * count);
    memcpy(marks, states, count);
    *row = (shunt_row){ marks, fields };
    *result = (shunt_value){ .row = row };
    return SHUNT_OK;
}

/* What the length of texts adds to an instruction that reads them from end to end. */
static uint64_t text_steps(const shunt_type *types, const shunt_value *values, uint32_t count)
{
    uint64_t steps = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (types[i].kind == SHUNT_KIND_TEXT) steps += values[i].text.length / TEXT_STEP_BYTES;
        SHUNT_ONE_BY_ONE(steps);
    }
    return steps;
}

static shunt_status look_up(shunt_vm *vm, uint16_t index, const shunt_type *types, const shunt_value *keys, const uint8_t *states,
                            shunt_value *result, uint8_t *state)
{
    const shunt_table *table = &vm->program->tables[index];
    bool               effective = table->flags & SHUNT_TABLE_EFFECTIVE;
    unsigned           all = states_of(states, table->key_count + (effective ? 1u : 0u));
    if (all) {
        *state = shunt_state_of(all);
        return SHUNT_OK;
    }
    uint64_t         tries = text_steps(types, keys, table->key_count);
    const shunt_row *row =
        shunt_lookup_find(vm->program->lookups[index], keys, effective ? keys[table->key_count].integer : 0, &tries);
    *state = row ? SHUNT_PRESENT : SHUNT_ABSENT;
    if (row) *result = (shunt_value){ .row = row };
    return shunt_vm_charge(vm, tries);
}

/* Several keys as one text that sorts as they do one after the other, see ledger.h. */
static shunt_status join_keys(shunt_vm *vm, const shunt_value *keys, uint32_t count, shunt_text *joined)
{
    if (count == 0) return SHUNT_OK;
    *joined = keys[0].text;
    if (count == 1) return SHUNT_OK;
    size_t room = 0;
    for (uint32_t k = 0; k < count; k++) room += 2 * (size_t)keys[k].text.length + 2;
    if (room > UINT32_MAX) return shunt_vm_full(vm);
    SHUNT_TRY(shunt_vm_charge(vm, room / 64));
    char *out = shunt_arena_bytes(vm->arena, room);
    if (!out) return shunt_vm_full(vm);
    uint32_t length = 0;
    for (uint32_t k = 0; k < count; k++) length += shunt_ledger_put_key(out + length, keys[k].text);
    *joined = (shunt_text){ out, length };
    return SHUNT_OK;
}

/* What a host hands over gets a head like every list. */
static shunt_status tally_get(shunt_vm *vm, uint16_t tally, shunt_value *result, uint8_t *state)
{
    shunt_value value;
    *state = SHUNT_ABSENT;
    if (!vm->host->tally_get) return SHUNT_OK;
    memset(&value, 0, sizeof value);
    SHUNT_TRY(vm->host->tally_get(vm->host->context, tally, vm->arena, &value));
    if (vm->program->tallies[tally].record != SHUNT_NONE && value.list.count) {
        SHUNT_TRY(shunt_vm_charge(vm, value.list.count));
        shunt_value *items = shunt_list_new(vm, value.list.count);
        if (!items) return shunt_vm_full(vm);
        memcpy(items, value.list.items, sizeof *items * value.list.count);
        ((shunt_list_head *)(void *)items - 1)->used = value.list.count;
        value.list.items = items;
    }
    *result = value;
    *state = SHUNT_PRESENT;
    return SHUNT_OK;
}

static shunt_status correlate(shunt_vm *vm, const shunt_value *values, const uint8_t *states, uint32_t count)
{
    shunt_text texts[TEXTS_AT_MOST];
    if (!vm->host->correlate) return SHUNT_OK;
    for (uint32_t i = 0; i < count; i++) texts[i] = states[i] == SHUNT_PRESENT ? values[i].text : vm->program->texts[0];
    return vm->host->correlate(vm->host->context, texts, count);
}

/* ---- the instructions ---- */

#define STEP(name)                                                                                                               \
    static shunt_status step_##name(shunt_vm *vm, shunt_value *r, uint8_t *s, const shunt_instruction *at,                       \
                                    const shunt_type *types, uint32_t site)
/* What most of them begin with: the instruction, and what they may leave unused. */
#define BEGIN                                                                                                                    \
    const shunt_instruction i = *at;                                                                                             \
    (void)vm, (void)r, (void)s, (void)types, (void)site
/* An operand that is not there decides the result. */
#define UNLESS_STATES(states)                                                                                                    \
    do {                                                                                                                         \
        unsigned states_ = (states);                                                                                             \
        if (SHUNT_UNLIKELY(states_ != SHUNT_PRESENT)) {                                                                          \
            s[i.a] = shunt_state_of(states_);                                                                                    \
            return SHUNT_OK;                                                                                                     \
        }                                                                                                                        \
    } while (0)
#define GIVE(member, expression)                                                                                                 \
    do {                                                                                                                         \
        r[i.a].member = (expression);                                                                                            \
        s[i.a] = SHUNT_PRESENT;                                                                                                  \
        return SHUNT_OK;                                                                                                         \
    } while (0)

/* ---- moving, control ---- */

STEP(global_set)
{
    BEGIN;
    vm->globals[i.b] = r[i.a];
    vm->global_states[i.b] = s[i.a];
    vm->global_unit[i.b] = !vm->keep;
    return SHUNT_OK;
}

STEP(warn)
{
    BEGIN;
    return warn(vm, i.a, s[i.b] == SHUNT_PRESENT ? r[i.b].text : (shunt_text){ 0 }, r, s);
}

STEP(note)
{
    BEGIN;
    if (vm->notes[i.a]) return SHUNT_OK;
    vm->notes[i.a] = 1;
    return warn(vm, i.a, (shunt_text){ 0 }, r, s);
}

/* ---- numbers ---- */

STEP(int_mul)
{
    BEGIN;
    int64_t result;
    UNLESS_STATES(s[i.b] | s[i.c]);
    if (__builtin_mul_overflow(r[i.b].integer, r[i.c].integer, &result)) return SHUNT_OVERFLOW;
    GIVE(integer, result);
}

STEP(int_neg)
{
    BEGIN;
    UNLESS_STATES(s[i.b]);
    if (r[i.b].integer == INT64_MIN) return SHUNT_OVERFLOW;
    GIVE(integer, -r[i.b].integer);
}

STEP(int_abs)
{
    BEGIN;
    UNLESS_STATES(s[i.b]);
    if (r[i.b].integer == INT64_MIN) return SHUNT_OVERFLOW;
    GIVE(integer, r[i.b].integer < 0 ? -r[i.b].integer : r[i.b].integer);
}

STEP(int_to_dec)
{
    BEGIN;
    UNLESS_STATES(s[i.b]);
    SHUNT_TRY(shunt_decimal_rescale(r[i.b].integer, 0, types[i.a].scale, SHUNT_EXACT, &r[i.a].coefficient));
    s[i.a] = SHUNT_PRESENT;
    return SHUNT_OK;
}

STEP(dec_mul)
{
    BEGIN;
    UNLESS_STATES(s[i.b] | s[i.c]);
    SHUNT_TRY(shunt_decimal_multiply(r[i.b].coefficient, r[i.c].coefficient, &r[i.a].coefficient));
    s[i.a] = SHUNT_PRESENT;
    return SHUNT_OK;
}

STEP(dec_div)
{
    BEGIN;
    UNLESS_STATES(s[i.b] | s[i.c]);
    SHUNT_TRY(shunt_decimal_divide(r[i.b].coefficient, types[i.b].scale, r[i.c].coefficient, types[i.c].scale, types[i.a].scale,
                                   (shunt_rounding)at[1].c, &r[i.a].coefficient));
    s[i.a] = SHUNT_PRESENT;
    return SHUNT_OK;
}

STEP(dec_neg)
{
    BEGIN;
    UNLESS_STATES(s[i.b]);
    GIVE(coefficient, -r[i.b].coefficient);
}

STEP(dec_abs)
{
    BEGIN;
    UNLESS_STATES(s[i.b]);
    GIVE(coefficient, r[i.b].coefficient < 0 ? -r[i.b].coefficient : r[i.b].coefficient);
}

STEP(dec_rescale)
{
    BEGIN;
    UNLESS_STATES(s[i.b]);
    SHUNT_TRY(
        shunt_decimal_rescale(r[i.b].coefficient, types[i.b].scale, types[i.a].scale, (shunt_rounding)i.c, &r[i.a].coefficient));
    s[i.a] = SHUNT_PRESENT;
    return SHUNT_OK;
}

/* ---- text, dates ---- */

STEP(text_eq)
{
    BEGIN;
    UNLESS_STATES(s[i.b] | s[i.c]);
    SHUNT_TRY(shunt_vm_charge(vm, r[i.b].text.length / TEXT_STEP_BYTES));
    GIVE(integer, shunt_text_equal(r[i.b].text, r[i.c].text));
}

STEP(text_lt)
{
    BEGIN;
    UNLESS_STATES(s[i.b] | s[i.c]);
    SHUNT_TRY(shunt_vm_charge(vm, r[i.b].text.length / TEXT_STEP_BYTES));
    GIVE(integer, shunt_text_compare(r[i.b].text, r[i.c].text) < 0);
}

STEP(text_le)
{
    BEGIN;
    UNLESS_STATES(s[i.b] | s[i.c]);
    SHUNT_TRY(shunt_vm_charge(vm, r[i.b].text.length / TEXT_STEP_BYTES));
    GIVE(integer, shunt_text_compare(r[i.b].text, r[i.c].text) <= 0);
}

STEP(text_join)
{
    BEGIN;
    UNLESS_STATES(states_of(s + i.b, i.c));
    SHUNT_TRY(join(vm, r + i.b, i.c, &r[i.a].text));
    s[i.a] = SHUNT_PRESENT;
    return SHUNT_OK;
}

STEP(text_of)
{
    BEGIN;
    UNLESS_STATES(s[i.b]);
    SHUNT_TRY(text_of(vm, types[i.b], r[i.b], &r[i.a].text));
    s[i.a] = SHUNT_PRESENT;
    return SHUNT_OK;
}

STEP(text_limit)
{
    BEGIN;
    UNLESS_STATES(s[i.b]);
    shunt_text text = r[i.b].text;
    if (SHUNT_UNLIKELY(text.length > i.c)) {
        SHUNT_TRY(shunt_vm_charge(vm, text.length / TEXT_STEP_BYTES));
        if (shunt_utf8_count(text) > i.c) return SHUNT_TEXT_TOO_LONG;
    }
    GIVE(text, text);
}

STEP(date_add)
{
    BEGIN;
    int64_t days;
    UNLESS_STATES(s[i.b] | s[i.c]);
    SHUNT_TRY(shunt_date_add_days(r[i.b].integer, r[i.c].integer, &days));
    GIVE(integer, days);
}

STEP(date_diff)
{
    BEGIN;
    UNLESS_STATES(s[i.b] | s[i.c]);
    GIVE(integer, r[i.b].integer - r[i.c].integer);
}

/* ---- the message ---- */

STEP(get)
{
    BEGIN;
    UNLESS_STATES(s[i.b]);
    if (SHUNT_UNLIKELY(!shunt_vm_read(vm, r[i.b].node, i.c, &r[i.a])))
        return shunt_vm_get(vm, r[i.b].node, i.c, true, site, &r[i.a], &s[i.a]);
    s[i.a] = SHUNT_PRESENT;
    return SHUNT_OK;
}

STEP(get_optional)
{
    BEGIN;
    UNLESS_STATES(s[i.b]);
    if (SHUNT_UNLIKELY(!shunt_vm_read(vm, r[i.b].node, i.c, &r[i.a])))
        return shunt_vm_get(vm, r[i.b].node, i.c, false, site, &r[i.a], &s[i.a]);
    s[i.a] = SHUNT_PRESENT;
    return SHUNT_OK;
}

STEP(get_text)
{
    BEGIN;
    UNLESS_STATES(s[i.b]);
    const shunt_captured *captured = &r[i.b].node->slots[vm->slots[i.c].place];
    if (captured->length == 0) {
        s[i.a] = captured->bytes ? SHUNT_CLEARED : SHUNT_ABSENT;
        return SHUNT_OK;
    }
    GIVE(text, ((shunt_text){ captured->bytes, captured->length }));
}

STEP(ancestor)
{
    BEGIN;
    UNLESS_STATES(s[i.b]);
    const shunt_node *around = r[i.b].node;
    while (around && around->frame != types[i.a].record) around = around->parent;
    if (around) GIVE(node, around);
    s[i.a] = SHUNT_ABSENT;
    return SHUNT_OK;
}

STEP(children)
{
    BEGIN;
    SHUNT_TRY(shunt_vm_children(vm, s[i.b] == SHUNT_PRESENT ? r[i.b].node : NULL, i.c, &r[i.a]));
    s[i.a] = SHUNT_PRESENT;
    return SHUNT_OK;
}

STEP(collect)
{
    BEGIN;
    UNLESS_STATES(s[i.b]);
    SHUNT_TRY(shunt_vm_collect(vm, r[i.b].node, i.c, site, &r[i.a]));
    s[i.a] = SHUNT_PRESENT;
    return SHUNT_OK;
}

/* Of a node that is not there nothing is collected. */
STEP(sum)
{
    BEGIN;
    shunt_decimal sum = 0;
    if (s[i.b] == SHUNT_PRESENT) SHUNT_TRY(shunt_vm_sum(vm, r[i.b].node, i.c, site, &sum));
    r[i.a].coefficient = sum;
    s[i.a] = SHUNT_PRESENT;
    return SHUNT_OK;
}

STEP(earliest)
{
    BEGIN;
    shunt_value date;
    uint8_t     state;
    UNLESS_STATES(s[i.b]);
    SHUNT_TRY(shunt_vm_earliest(vm, r[i.b].node, i.c, &date, &state));
    if (state == SHUNT_PRESENT) GIVE(integer, date.integer);
    s[i.a] = state;
    return SHUNT_OK;
}

/* ---- lists and rows ---- */

STEP(list_new)
{
    BEGIN;
    r[i.a] = (shunt_value){ .list = { NULL, 0 } };
    s[i.a] = SHUNT_PRESENT;
    return SHUNT_OK;
}

/* Lists hold no absent items. */
STEP(list_push)
{
    BEGIN;
    return s[i.b] == SHUNT_PRESENT ? push(vm, &r[i.a], &s[i.a], r[i.b], i.c ? i.c : LIST_AT_MOST) : SHUNT_OK;
}

STEP(keep)
{
    BEGIN;
    if (s[i.a] != SHUNT_PRESENT || s[i.c] != SHUNT_PRESENT) return SHUNT_OK;
    return keep(vm, &r[i.b], &s[i.b], r[i.a], (uint64_t)r[i.c].integer - 1);
}

STEP(allocate)
{
    BEGIN;
    shunt_value parts;
    UNLESS_STATES(s[i.b] | s[i.c]);
    SHUNT_TRY(allocate(vm, r[i.b].coefficient, &r[i.c], &parts));
    GIVE(list, parts.list);
}

STEP(row_new)
{
    BEGIN;
    shunt_value row;
    SHUNT_TRY(new_row(vm, types[i.a].record, r + i.b, s + i.b, &row));
    GIVE(row, row.row);
}

STEP(lookup)
{
    BEGIN;
    return look_up(vm, i.c, types + i.b, r + i.b, s + i.b, &r[i.a], &s[i.a]);
}

STEP(extern)
{
    BEGIN;
    const shunt_extern *x = &vm->program->externs[i.b];
    uint32_t            result = i.a + x->param_count;
    unsigned            all = states_of(s + i.a, x->param_count);
    s[result] = shunt_state_of(all);
    if (all != SHUNT_PRESENT) return SHUNT_OK;
    SHUNT_TRY(shunt_vm_charge(vm, x->cost));
    if (!vm->host->call_extern) return SHUNT_EXTERN_FAILED;
    return vm->host->call_extern(vm->host->extern_context, i.b, r + i.a, vm->arena, &r[result], &s[result]);
}

STEP(decide)
{
    BEGIN;
    uint64_t steps = 0;
    uint32_t row = shunt_decision_row(vm->program, i.c, r + i.b, s + i.b, &steps);
    SHUNT_TRY(shunt_vm_charge(vm, steps));
    r[i.a].integer = row;
    s[i.a] = row == UINT32_MAX ? SHUNT_ABSENT : SHUNT_PRESENT;
    return SHUNT_OK;
}

/* ---- totals, built-ins ---- */

STEP(tally_add)
{
    BEGIN;
    const shunt_tally *tally = &vm->program->tallies[i.a];
    uint32_t           count = tally->record != SHUNT_NONE ? tally->keys + (uint32_t)tally->members : 0;
    shunt_text         key = { 0 };
    if (s[i.b] != SHUNT_PRESENT || states_of(s + i.c, count) != SHUNT_PRESENT || !vm->host->tally_add) return SHUNT_OK;
    SHUNT_TRY(join_keys(vm, r + i.c, count, &key));
    return vm->host->tally_add(vm->host->context, i.a, r[i.b], key);
}

STEP(tally_get)
{
    BEGIN;
    return tally_get(vm, i.b, &r[i.a], &s[i.a]);
}

STEP(builtin)
{
    static const uint8_t counts[SHUNT_BUILTIN_COUNT] = {
#define SHUNT_BUILTIN(name, arguments, result, effect) sizeof(arguments) - 1,
#include "engine/vm/builtin.def"
    };
    BEGIN;
    uint32_t count = counts[i.b], result = i.a + count;
    unsigned all = states_of(s + i.a, count);
    s[result] = shunt_state_of(all);
    if (all != SHUNT_PRESENT) return SHUNT_OK;
    SHUNT_TRY(shunt_vm_charge(vm, text_steps(types + i.a, r + i.a, count)));
    return shunt_vm_builtin(vm, i.b, r + i.a, types[i.a], types[result], &r[result], &s[result]);
}

STEP(occurrence)
{
    BEGIN;
    int64_t times = 1;
    UNLESS_STATES(states_of(s + i.b, i.c));
    if (vm->host->occurrence) SHUNT_TRY(vm->host->occurrence(vm->host->context, shunt_texts_of(r + i.b), i.c, &times));
    GIVE(integer, times);
}

STEP(correlate)
{
    BEGIN;
    return correlate(vm, r + i.a, s + i.a, i.b);
}

/* ---- records ---- */

STEP(emit)
{
    BEGIN;
    return shunt_vm_emit(vm, i.a, site, r + i.b, s + i.b);
}

STEP(journal)
{
    BEGIN;
    return shunt_vm_journal(vm, i, r + i.c, s + i.c, site);
}

STEP(line)
{
    BEGIN;
    return shunt_vm_line(vm, i, r + i.a, s + i.a, types[i.a + 1], site);
}

STEP(post)
{
    BEGIN;
    return shunt_vm_post(vm, r + i.a, s + i.a, r + i.b, s + i.b, i.c);
}

STEP(cover)
{
    BEGIN;
    if (i.a < vm->covered_count) vm->covered[i.a] = 1;
    return SHUNT_OK;
}

shunt_vm_step *const shunt_vm_steps[SHUNT_OP_COUNT] = {
    [SHUNT_OP_GLOBAL_SET] = step_global_set,
    [SHUNT_OP_WARN] = step_warn,
    [SHUNT_OP_NOTE] = step_note,
    [SHUNT_OP_INT_MUL] = step_int_mul,
    [SHUNT_OP_INT_NEG] = step_int_neg,
    [SHUNT_OP_INT_ABS] = step_int_abs,
    [SHUNT_OP_INT_TO_DEC] = step_int_to_dec,
    [SHUNT_OP_DEC_MUL] = step_dec_mul,
    [SHUNT_OP_DEC_DIV] = step_dec_div,
    [SHUNT_OP_DEC_NEG] = step_dec_neg,
    [SHUNT_OP_DEC_ABS] = step_dec_abs,
    [SHUNT_OP_DEC_RESCALE] = step_dec_rescale,
    [SHUNT_OP_TEXT_EQ] = step_text_eq,
    [SHUNT_OP_TEXT_LT] = step_text_lt,
    [SHUNT_OP_TEXT_LE] = step_text_le,
    [SHUNT_OP_TEXT_JOIN] = step_text_join,
    [SHUNT_OP_TEXT_OF] = step_text_of,
    [SHUNT_OP_TEXT_OF_ENUM] = step_text_of,
    [SHUNT_OP_TEXT_LIMIT] = step_text_limit,
    [SHUNT_OP_DATE_ADD] = step_date_add,
    [SHUNT_OP_DATE_DIFF] = step_date_diff,
    [SHUNT_OP_GET] = step_get,
    [SHUNT_OP_GET_OPTIONAL] = step_get_optional,
    [SHUNT_OP_GET_TEXT] = step_get_text,
    [SHUNT_OP_ANCESTOR] = step_ancestor,
    [SHUNT_OP_CHILDREN] = step_children,
    [SHUNT_OP_COLLECT] = step_collect,
    [SHUNT_OP_SUM] = step_sum,
    [SHUNT_OP_EARLIEST] = step_earliest,
    [SHUNT_OP_LIST_NEW] = step_list_new,
    [SHUNT_OP_LIST_PUSH] = step_list_push,
    [SHUNT_OP_KEEP] = step_keep,
    [SHUNT_OP_ALLOCATE] = step_allocate,
    [SHUNT_OP_ROW_NEW] = step_row_new,
    [SHUNT_OP_LOOKUP] = step_lookup,
    [SHUNT_OP_EXTERN] = step_extern,
    [SHUNT_OP_DECIDE] = step_decide,
    [SHUNT_OP_TALLY_ADD] = step_tally_add,
    [SHUNT_OP_TALLY_GET] = step_tally_get,
    [SHUNT_OP_BUILTIN] = step_builtin,
    [SHUNT_OP_OCCURRENCE] = step_occurrence,
    [SHUNT_OP_CORRELATE] = step_correlate,
    [SHUNT_OP_EMIT] = step_emit,
    [SHUNT_OP_JOURNAL] = step_journal,
    [SHUNT_OP_LINE] = step_line,
    [SHUNT_OP_POST] = step_post,
    [SHUNT_OP_COVER] = step_cover,
};
