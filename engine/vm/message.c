/* message.c - values of captured nodes: conversion when they are read, lists of children, rows made of groups, dates. */
#include "engine/base/date.h"
#include "engine/base/decimal.h"
#include "engine/vm/state.h"
#include "engine/vm/trace.h"

enum { SEEN_AT_MOST = 1 << 16 };

/* ---- told once ---- */

void shunt_seen_forget(const shunt_memory *memory, shunt_seen *seen)
{
    enum { KEPT = 1 << 10 }; /* a large table, once needed, is not to be cleared for each small unit that follows */
    if (seen->capacity > KEPT) shunt_seen_done(memory, seen);
    if (seen->count) memset(seen->keys, 0, sizeof *seen->keys * seen->capacity);
    seen->count = 0;
}

void shunt_seen_done(const shunt_memory *memory, shunt_seen *seen)
{
    shunt_memory_free(memory, seen->keys);
    *seen = (shunt_seen){ 0 };
}

static void seen_put(uint64_t *keys, uint32_t capacity, uint64_t key)
{
    uint32_t at = (uint32_t)shunt_mix(0, key) & (capacity - 1);
    while (keys[at]) at = (at + 1) & (capacity - 1);
    keys[at] = key;
}

/* `*fresh`: it was not there. A full set forgets everything: telling twice is better than growing without end. */
static shunt_status seen_add(const shunt_memory *memory, shunt_seen *seen, uint64_t key, bool *fresh)
{
    for (uint32_t at = seen->capacity ? (uint32_t)shunt_mix(0, key) & (seen->capacity - 1) : 0; seen->capacity && seen->keys[at];
         at = (at + 1) & (seen->capacity - 1)) {
        if (seen->keys[at] != key) continue;
        *fresh = false;
        return SHUNT_OK;
    }
    if (seen->count == SEEN_AT_MOST) shunt_seen_forget(memory, seen);
    if (seen->count * 2 >= seen->capacity) {
        uint32_t  capacity = seen->capacity ? seen->capacity * 2 : 32;
        uint64_t *keys = (uint64_t *)shunt_memory_zeroed(memory, capacity, sizeof *keys);
        if (!keys) return SHUNT_NO_MEMORY;
        for (uint32_t i = 0; i < seen->capacity; i++) {
            if (seen->keys[i]) seen_put(keys, capacity, seen->keys[i]);
        }
        shunt_memory_free(memory, seen->keys);
        seen->keys = keys;
        seen->capacity = capacity;
    }
    seen_put(seen->keys, seen->capacity, key);
    seen->count++;
    *fresh = true;
    return SHUNT_OK;
}

/* Values inside a unit are told once in the unit, those around it once in the transaction. */
static shunt_status first_time(shunt_vm *vm, const shunt_node *node, uint64_t at, uint16_t slot, bool *fresh)
{
    shunt_seen *seen = &vm->seen_set;
    for (const shunt_node *n = node; n; n = n->parent) {
        if (vm->program->frames[n->frame].unit) seen = &vm->seen_unit;
    }
    return seen_add(vm->memory, seen, ((at << 16) | slot) + 1, fresh);
}

static shunt_status fault(shunt_vm *vm, shunt_status code, uint32_t site, shunt_vm_place place)
{
    return vm->host->fault ? vm->host->fault(vm->host->context, code, site, place) : SHUNT_OK;
}

/* ---- one value ---- */

static uint16_t slot_first(const shunt_program *p, uint16_t slot) { return p->frames[p->slots[slot].frame].slot_first; }

shunt_vm_place shunt_vm_place_of(const shunt_vm *vm, uint16_t slot, const shunt_node *node)
{
    shunt_vm_place place = { .slot = slot, .node = node };
    if (node && slot != SHUNT_NONE) {
        const shunt_captured *captured = &node->slots[slot - slot_first(vm->program, slot)];
        if (captured->bytes) place.value = captured;
    }
    return place;
}

static bool in_code_list(const shunt_program *p, uint16_t list, shunt_text text)
{
    const uint16_t *values = p->numbers + p->code_lists[list].value_first;
    uint32_t        low = 0, high = p->code_lists[list].value_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int      order = shunt_text_compare(p->texts[values[middle]], text);
        if (order == 0) return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static shunt_status convert_int(shunt_text text, int64_t *integer)
{
    shunt_decimal value;
    SHUNT_TRY(shunt_decimal_parse(text.bytes, text.length, 0, false, &value));
    if (value < INT64_MIN || value > INT64_MAX) return SHUNT_OVERFLOW;
    *integer = (int64_t)value;
    return SHUNT_OK;
}

static shunt_status convert_date(shunt_text text, bool end, int64_t *days)
{
    int64_t other;
    return end ? shunt_date_parse_qualified(text, &other, days) : shunt_date_parse_qualified(text, days, &other);
}

/* The date as written, whatever the zone. */
static shunt_status convert_date_of(shunt_text text, shunt_status (*parse)(shunt_text, shunt_moment *), int64_t *days)
{
    shunt_moment moment;
    SHUNT_TRY(parse(text, &moment));
    return shunt_moment_date(moment, days);
}

/* A moment without offset gets that of the source's zone, if it names one. The last one of a slot is remembered. */
static shunt_status convert_moment(shunt_vm *vm, const shunt_plan_slot *slot, shunt_text text,
                                   shunt_status (*parse)(shunt_text, shunt_moment *), shunt_value *value)
{
    const shunt_program *p = vm->program;
    shunt_vm_moment     *kept = &vm->moments[(size_t)(slot - p->slots) % SHUNT_COUNT(vm->moments)];
    if (kept->slot == slot && kept->length == text.length && memcmp(kept->text, text.bytes, text.length) == 0) {
        *value = (shunt_value){ .moment = kept->moment };
        return SHUNT_OK;
    }
    shunt_moment moment;
    uint16_t     zone = p->sources[p->frames[slot->frame].source].zone;
    SHUNT_TRY(parse(text, &moment));
    if (moment.zoned == SHUNT_ZONED_NOT && zone != SHUNT_NONE) {
        const shunt_zone *z = &p->zones[zone];
        int64_t           seconds = shunt_moment_local_seconds(moment);
        SHUNT_TRY(shunt_moment_assume(&moment, shunt_zone_offset_local(z, p->zone_changes + z->change_first, seconds)));
    }
    if (text.length <= sizeof kept->text) {
        *kept = (shunt_vm_moment){ .slot = slot, .length = text.length, .moment = moment };
        memcpy(kept->text, text.bytes, text.length);
    }
    *value = (shunt_value){ .moment = moment };
    return SHUNT_OK;
}

/* "yes/no": the words for true and for false. */
static shunt_status convert_bool(shunt_text words, shunt_text text, int64_t *integer)
{
    const char *slash = memchr(words.bytes, '/', words.length);
    uint32_t    yes = (uint32_t)(slash - words.bytes);
    bool        is = shunt_text_equal(text, (shunt_text){ words.bytes, yes });
    if (!is && !shunt_text_equal(text, (shunt_text){ slash + 1, words.length - yes - 1 })) return SHUNT_VALUE_INVALID;
    *integer = is;
    return SHUNT_OK;
}

static shunt_status convert(shunt_vm *vm, const shunt_plan_slot *slot, shunt_text text, shunt_value *value)
{
    const shunt_program *p = vm->program;
    shunt_decimal        coefficient = 0;
    int64_t              integer = 0;
    switch ((shunt_convert)slot->convert) {
    case SHUNT_CONVERT_DECIMAL:
    case SHUNT_CONVERT_EXPONENT:
        return shunt_decimal_parse(text.bytes, text.length, slot->scale, slot->convert == SHUNT_CONVERT_EXPONENT,
                                   &value->coefficient);
    case SHUNT_CONVERT_IMPLIED:
        SHUNT_TRY(shunt_decimal_parse_implied(text.bytes, text.length, slot->implied, slot->scale, &coefficient));
        *value = (shunt_value){ .coefficient = coefficient };
        return SHUNT_OK;
    case SHUNT_CONVERT_INT:
        SHUNT_TRY(convert_int(text, &integer));
        *value = (shunt_value){ .integer = integer };
        return SHUNT_OK;
    case SHUNT_CONVERT_DATE:
    case SHUNT_CONVERT_DATE_END:
        SHUNT_TRY(convert_date(text, slot->convert == SHUNT_CONVERT_DATE_END, &integer));
        *value = (shunt_value){ .integer = integer };
        return SHUNT_OK;
    case SHUNT_CONVERT_DATE_HL7:
        SHUNT_TRY(convert_date_of(text, shunt_moment_parse_hl7, &integer));
        *value = (shunt_value){ .integer = integer };
        return SHUNT_OK;
    case SHUNT_CONVERT_DATE_ISO:
        SHUNT_TRY(convert_date_of(text, shunt_moment_parse_iso, &integer));
        *value = (shunt_value){ .integer = integer };
        return SHUNT_OK;
    case SHUNT_CONVERT_MOMENT_HL7: return convert_moment(vm, slot, text, shunt_moment_parse_hl7, value);
    case SHUNT_CONVERT_MOMENT_ISO: return convert_moment(vm, slot, text, shunt_moment_parse_iso, value);
    case SHUNT_CONVERT_DATE_FORMAT:
        SHUNT_TRY(shunt_date_parse_pattern(text, p->texts[slot->format], &integer));
        *value = (shunt_value){ .integer = integer };
        return SHUNT_OK;
    case SHUNT_CONVERT_BOOL:
        SHUNT_TRY(convert_bool(slot->format == SHUNT_NONE ? SHUNT_TEXT("true/false") : p->texts[slot->format], text, &integer));
        *value = (shunt_value){ .integer = integer };
        return SHUNT_OK;
    case SHUNT_CONVERT_TEXT:
    case SHUNT_CONVERT_COUNT: break;
    }
    *value = (shunt_value){ .text = text };
    return SHUNT_OK;
}

/* The currency that stands beside an amount must be the source's; without one it is. */
static shunt_status check_currency(shunt_vm *vm, const shunt_node *node, uint16_t index)
{
    const shunt_program   *p = vm->program;
    const shunt_plan_slot *slot = &p->slots[index];
    const shunt_captured  *currency = &node->slots[slot->currency];
    if (!currency->bytes || currency->length == 0) return SHUNT_OK;
    shunt_text own = p->texts[p->sources[p->frames[slot->frame].source].currency];
    if (shunt_text_equal((shunt_text){ currency->bytes, currency->length }, own)) return SHUNT_OK;
    vm->place = (shunt_vm_place){ .slot = (uint16_t)(p->frames[slot->frame].slot_first + slot->currency),
                                  .value = currency,
                                  .node = node };
    return SHUNT_CURRENCY_OTHER;
}

shunt_status shunt_vm_get(shunt_vm *vm, const shunt_node *node, uint16_t index, bool required, uint32_t site, shunt_value *value,
                          uint8_t *state)
{
    const shunt_plan_slot *slot = &vm->program->slots[index];
    shunt_captured        *captured = &node->slots[vm->slots[index].place];
    if (captured->bytes && captured->length == 0) {
        *state = SHUNT_CLEARED;
        return SHUNT_OK;
    }
    if (!captured->bytes) {
        *state = SHUNT_ABSENT;
        if (!required || !slot->required) return SHUNT_OK;
        vm->place = (shunt_vm_place){ .slot = index, .node = node };
        return SHUNT_REQUIRED_MISSING;
    }
    shunt_text text = { captured->bytes, captured->length };
    if (SHUNT_UNLIKELY(slot->currency != SHUNT_NONE)) SHUNT_TRY(check_currency(vm, node, index));
    shunt_status status = convert(vm, slot, text, value);
    if (SHUNT_UNLIKELY(status != SHUNT_OK)) {
        vm->place = (shunt_vm_place){ .slot = index, .value = captured, .node = node };
        return status;
    }
    *state = SHUNT_PRESENT;
    if (vm->slots[index].way == SHUNT_WAY_NUMBER) shunt_vm_keep(captured, value->integer);
    if (slot->codes != SHUNT_NONE && !in_code_list(vm->program, slot->codes, text)) {
        bool fresh;
        SHUNT_TRY(first_time(vm, node, captured->at, index, &fresh));
        if (fresh)
            SHUNT_TRY(fault(vm, SHUNT_CODE_UNKNOWN, site, (shunt_vm_place){ .slot = index, .value = captured, .node = node }));
    }
    return SHUNT_OK;
}

/* ---- lists ---- */

shunt_value *shunt_list_new(shunt_vm *vm, uint32_t capacity)
{
    enum { ALIGN = sizeof(shunt_value) };
    size_t size = sizeof(shunt_list_head) + sizeof(shunt_value) * (size_t)capacity;
    char  *at = shunt_arena_bytes(vm->arena, size + ALIGN - 1);
    if (!at) return NULL;
    shunt_list_head *head = (shunt_list_head *)(void *)(at + (-(uintptr_t)at & (ALIGN - 1)));
    *head = (shunt_list_head){ .used = 0, .capacity = capacity, .kept = NULL };
    return (shunt_value *)(void *)(head + 1);
}

static inline void give_list(shunt_value *list, const shunt_value *items, uint32_t count)
{
    list->list.items = items;
    list->list.count = count;
}

static void list_seal(shunt_value *items, uint32_t count) { ((shunt_list_head *)(void *)items - 1)->used = count; }

shunt_status shunt_vm_children(shunt_vm *vm, const shunt_node *node, uint16_t child, shunt_value *list)
{
    const shunt_children *children = node ? &node->children[child] : NULL;
    uint32_t              count = children ? children->count : 0, filled = 0;
    if (count == 0) {
        give_list(list, NULL, 0);
        return SHUNT_OK;
    }
    SHUNT_TRY(shunt_vm_charge(vm, count));
    shunt_value *items = shunt_list_new(vm, count);
    if (!items) return shunt_vm_full(vm);
    for (const shunt_node *n = children->first; n && filled < count; n = n->next) items[filled++].node = n;
    list_seal(items, filled);
    give_list(list, items, filled);
    return SHUNT_OK;
}

/* ---- rows of groups ---- */

struct collecting {
    const shunt_collect       *collect;
    const shunt_collect_field *from;
    const shunt_vm_collector  *plan;
    uint32_t                   fields, site;
    const shunt_node          *outer;
    shunt_value               *rows; /* items of a list */
    uint32_t                   count, capacity, outer_count;
    const shunt_row           *last; /* made for these: what does not come from the group is taken over */
    const shunt_node          *last_line, *last_inner;
    const shunt_alternative   *looked; /* from there on all ways lead to the outer node; `missing`: to nothing */
    bool                       missing;
};

/* A value that may be missing. */
static inline shunt_status read_slot(shunt_vm *vm, const shunt_node *node, uint16_t index, uint32_t site, shunt_value *value,
                                     uint8_t *state)
{
    if (shunt_vm_read(vm, node, index, value)) {
        *state = SHUNT_PRESENT;
        return SHUNT_OK;
    }
    *state = SHUNT_ABSENT;
    if (!node->slots[vm->slots[index].place].bytes) return SHUNT_OK;
    return shunt_vm_get(vm, node, index, false, site, value, state);
}

static inline const shunt_captured *behind(const shunt_vm *vm, const struct collecting *c, const shunt_alternative *way,
                                           const shunt_node *line, const shunt_node **node)
{
    *node = way->line ? line : c->outer;
    if (*node && way->child != SHUNT_NONE) *node = (*node)->children[way->child].first;
    return *node ? &(*node)->slots[vm->slots[way->slot].place] : NULL;
}

/* Do the ways from this one on lead to the outer node and find nothing there? The same for all rows, so it is looked at once. */
static inline bool nothing_further(const shunt_vm *vm, struct collecting *c, const shunt_alternative *way,
                                   const shunt_alternative *end)
{
    if (SHUNT_LIKELY(c->looked == way)) return c->missing;
    c->looked = way;
    c->missing = true;
    for (; way < end && c->missing; way++) {
        const shunt_node     *node;
        const shunt_captured *captured = behind(vm, c, way, NULL, &node);
        c->missing = !way->line && !(captured && captured->bytes);
    }
    return c->missing;
}

static shunt_status first_of(shunt_vm *vm, struct collecting *c, const shunt_collect_field *field, const shunt_node *line,
                             shunt_value *value, uint8_t *state)
{
    const shunt_alternative *way = vm->program->alternatives + field->slot, *end = way + field->child;
    for (; way < end; way++) {
        if (!way->line && nothing_further(vm, c, way, end)) return SHUNT_OK;
        const shunt_node     *node;
        const shunt_captured *captured = behind(vm, c, way, line, &node);
        if (!captured || !captured->bytes) continue;
        SHUNT_TRY(read_slot(vm, node, way->slot, c->site, value, state));
        if (*state == SHUNT_PRESENT) return SHUNT_OK;
    }
    return SHUNT_OK;
}

/* A field that does not come from the group. */
static shunt_status collect_field(shunt_vm *vm, struct collecting *c, const shunt_collect_field *field, const shunt_node *line,
                                  const shunt_node *inner, shunt_value *value, uint8_t *state)
{
    const shunt_program *p = vm->program;
    *state = SHUNT_ABSENT;
    switch ((shunt_collect_from)field->from) {
    case SHUNT_COLLECT_LINE: {
        const shunt_node *node = line && line->frame == p->slots[field->slot].frame     ? line
                                 : inner && inner->frame == p->slots[field->slot].frame ? inner
                                                                                        : NULL;
        return node ? read_slot(vm, node, field->slot, c->site, value, state) : SHUNT_OK;
    }
    case SHUNT_COLLECT_LEVEL:
        *value = (shunt_value){ .text = p->texts[line ? field->child : field->slot] };
        *state = SHUNT_PRESENT;
        return SHUNT_OK;
    case SHUNT_COLLECT_POSITION:
        if (!line && !field->slot) return SHUNT_OK;
        *value = (shunt_value){ .integer = line ? line->ordinal : c->outer->ordinal };
        *state = SHUNT_PRESENT;
        return SHUNT_OK;
    case SHUNT_COLLECT_ORDINAL: /* numbered when it is known which rows stay */ *state = SHUNT_PRESENT; return SHUNT_OK;
    case SHUNT_COLLECT_FIRST: return first_of(vm, c, field, line, value, state);
    case SHUNT_COLLECT_GROUP:
    case SHUNT_COLLECT_UNREAD: break;
    }
    return SHUNT_OK;
}

static shunt_status add_row(shunt_vm *vm, struct collecting *c, const shunt_row *row)
{
    if (c->count == c->collect->max) return SHUNT_LIMIT_LIST;
    if (c->count == c->capacity) {
        uint32_t     capacity = c->capacity ? c->capacity * 2 : 16;
        shunt_value *rows = shunt_list_new(vm, capacity);
        if (!rows) return shunt_vm_full(vm);
        if (c->count) memcpy(rows, c->rows, sizeof *rows * c->count);
        c->rows = rows;
        c->capacity = capacity;
    }
    c->rows[c->count++] = (shunt_value){ .row = row };
    return SHUNT_OK;
}

/* A field of the group itself. */
static inline shunt_status read_own(shunt_vm *vm, const struct collecting *c, const shunt_node *group, const shunt_vm_pick *pick,
                                    shunt_value *value, uint8_t *state)
{
    const shunt_captured *captured = &group->slots[pick->at.place];
    if (!captured->bytes) {
        *state = SHUNT_ABSENT;
    } else if (captured->kept) {
        value->coefficient = shunt_vm_kept(captured);
        *state = SHUNT_PRESENT;
    } else if (SHUNT_LIKELY(pick->at.way == SHUNT_WAY_TEXT)) {
        value->text = (shunt_text){ captured->bytes, captured->length };
        *state = captured->length ? SHUNT_PRESENT : SHUNT_CLEARED;
    } else {
        return read_slot(vm, group, pick->slot, c->site, value, state);
    }
    return SHUNT_OK;
}

/* What is alike for all groups of a line, worked out for the first one and taken over by the others. */
static shunt_status fill_alike(shunt_vm *vm, struct collecting *c, const shunt_node *line, const shunt_node *inner,
                               shunt_value *values, uint8_t *states)
{
    const shunt_vm_collector *plan = c->plan;
    bool                      again = c->last && line == c->last_line && inner == c->last_inner;
    for (const shunt_vm_pick *pick = plan->picks + plan->own, *end = plan->picks + plan->count; pick < end; pick++) {
        uint32_t f = pick->field;
        if (again) {
            values[f] = c->last->fields[f];
            states[f] = c->last->states[f];
        } else {
            SHUNT_TRY(collect_field(vm, c, &c->from[f], line, inner, &values[f], &states[f]));
        }
    }
    return SHUNT_OK;
}

static shunt_status collect_row(shunt_vm *vm, struct collecting *c, const shunt_node *group, const shunt_node *line,
                                const shunt_node *inner)
{
    uint32_t fields = c->fields;
    char    *block = shunt_vm_room(vm, sizeof(shunt_row), fields);
    SHUNT_TRY(shunt_vm_charge(vm, fields));
    if (!block) return shunt_vm_full(vm);
    shunt_row   *row = (shunt_row *)(void *)block;
    shunt_value *values = (shunt_value *)(void *)(row + 1);
    uint8_t     *states = (uint8_t *)(values + fields);
    if (c->plan->count < fields) memset(states, SHUNT_ABSENT, fields); /* what nobody reads */
    SHUNT_TRY(fill_alike(vm, c, line, inner, values, states));
    for (const shunt_vm_pick *pick = c->plan->picks, *end = pick + c->plan->own; pick < end; pick++)
        SHUNT_TRY(read_own(vm, c, group, pick, &values[pick->field], &states[pick->field]));
    *row = (shunt_row){ states, values };
    if (SHUNT_UNLIKELY(vm->trace)) shunt_trace_row(vm, c->collect, row, c->outer, group, line, inner);
    c->last = row;
    c->last_line = line;
    c->last_inner = inner;
    return states[c->collect->needed] == SHUNT_PRESENT ? add_row(vm, c, row) : SHUNT_OK;
}

static shunt_status collect_groups(shunt_vm *vm, struct collecting *c, const shunt_node *node, uint16_t child,
                                   const shunt_node *line, const shunt_node *inner)
{
    if (child == SHUNT_NONE) return SHUNT_OK;
    for (const shunt_node *group = node->children[child].first; group; group = group->next)
        SHUNT_TRY(collect_row(vm, c, group, line, inner));
    return SHUNT_OK;
}

static bool same_text(const shunt_row *a, const shunt_row *b, uint32_t field)
{
    if (a->states[field] != b->states[field]) return false;
    return a->states[field] != SHUNT_PRESENT || shunt_text_equal(a->fields[field].text, b->fields[field].text);
}

/* Some senders repeat at the claim what they send for its lines; both together would count the money twice. */
static shunt_status leave_out_twice(shunt_vm *vm, struct collecting *c)
{
    uint16_t needed = c->collect->needed;
    uint32_t kept = 0, lines = c->count - c->outer_count;
    SHUNT_TRY(shunt_vm_charge(vm, (uint64_t)c->outer_count * lines));
    for (uint32_t i = 0; i < c->count; i++) {
        const shunt_row *row = c->rows[i].row;
        bool             twice = false;
        if (i < c->outer_count) {
            shunt_decimal sum = 0;
            for (uint32_t k = c->outer_count; k < c->count; k++) {
                if (!same_text(row, c->rows[k].row, 0) || !same_text(row, c->rows[k].row, 1)) continue;
                SHUNT_TRY(shunt_decimal_add(sum, c->rows[k].row->fields[needed].coefficient, &sum));
                twice = true;
            }
            twice = twice && sum == row->fields[needed].coefficient;
        }
        if (!twice) c->rows[kept++] = c->rows[i];
    }
    bool left_out = kept < c->count, fresh = false;
    c->count = kept;
    if (left_out) SHUNT_TRY(first_time(vm, c->outer, c->outer->at, SHUNT_NONE - 1, &fresh));
    return fresh ? fault(vm, SHUNT_X12_TWICE, c->site, (shunt_vm_place){ .slot = SHUNT_NONE, .node = c->outer }) : SHUNT_OK;
}

shunt_status shunt_vm_collect(shunt_vm *vm, const shunt_node *node, uint16_t index, uint32_t site, shunt_value *list)
{
    const shunt_program       *p = vm->program;
    const shunt_collect       *k = &p->collects[index];
    const shunt_collect_field *from = p->collect_fields + k->field_first;
    struct collecting          c = { .collect = k,
                                     .from = from,
                                     .plan = &vm->collectors[index],
                                     .fields = p->records[k->record].field_count,
                                     .site = site,
                                     .outer = node };
    SHUNT_TRY(collect_groups(vm, &c, node, k->group, NULL, NULL));
    c.outer_count = c.count;
    for (const shunt_node *line = k->line == SHUNT_NONE ? NULL : node->children[k->line].first; line; line = line->next) {
        SHUNT_TRY(shunt_vm_charge(vm, 1));
        SHUNT_TRY(collect_groups(vm, &c, line, k->line_group, line, NULL));
        if (k->inner_line == SHUNT_NONE) continue;
        for (const shunt_node *inner = line->children[k->inner_line].first; inner; inner = inner->next) {
            SHUNT_TRY(shunt_vm_charge(vm, 1));
            SHUNT_TRY(collect_groups(vm, &c, inner, k->inner_group, line, inner));
        }
    }
    if (k->twice && c.outer_count && c.count > c.outer_count) SHUNT_TRY(leave_out_twice(vm, &c));
    if (c.count == 0) {
        give_list(list, NULL, 0);
        return SHUNT_OK;
    }
    for (const shunt_vm_pick *pick = c.plan->picks + c.plan->own, *end = c.plan->picks + c.plan->count; pick < end; pick++) {
        if (from[pick->field].from != SHUNT_COLLECT_ORDINAL) continue;
        for (uint32_t i = 0; i < c.count; i++) ((shunt_value *)(uintptr_t)c.rows[i].row->fields)[pick->field].integer = i + 1;
    }
    list_seal(c.rows, c.count);
    give_list(list, c.rows, c.count);
    return SHUNT_OK;
}

/* ---- the earliest date ---- */

static shunt_status earlier(shunt_vm *vm, const shunt_node *node, uint16_t slot, shunt_value *date, uint8_t *state)
{
    shunt_value value;
    uint8_t     found;
    SHUNT_TRY(shunt_vm_charge(vm, 1));
    SHUNT_TRY(shunt_vm_get(vm, node, slot, false, 0, &value, &found));
    if (found != SHUNT_PRESENT || (*state == SHUNT_PRESENT && date->integer <= value.integer)) return SHUNT_OK;
    *date = (shunt_value){ .integer = value.integer };
    *state = SHUNT_PRESENT;
    return SHUNT_OK;
}

shunt_status shunt_vm_earliest(shunt_vm *vm, const shunt_node *node, uint16_t index, shunt_value *date, uint8_t *state)
{
    const shunt_earliest *e = &vm->program->earliests[index];
    *state = SHUNT_ABSENT;
    for (uint32_t i = 0; i < e->path_count; i++) {
        const shunt_date_path *path = &vm->program->date_paths[e->path_first + i];
        if (path->child == SHUNT_NONE) {
            SHUNT_TRY(earlier(vm, node, path->slot, date, state));
            continue;
        }
        for (const shunt_node *child = node->children[path->child].first; child; child = child->next) {
            if (path->grandchild == SHUNT_NONE) {
                SHUNT_TRY(earlier(vm, child, path->slot, date, state));
                continue;
            }
            for (const shunt_node *grand = child->children[path->grandchild].first; grand; grand = grand->next) {
                SHUNT_TRY(earlier(vm, grand, path->slot, date, state));
            }
        }
    }
    return SHUNT_OK;
}
