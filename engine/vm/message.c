/* message.c - values of captured nodes: conversion when they are read, lists of children, dates. */
#include "engine/base/date.h"
#include "engine/base/decimal.h"
#include "engine/vm/state.h"

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

/* Inside a unit once in the unit, around it once in the transaction. */
shunt_status shunt_vm_fault_once(shunt_vm *vm, shunt_status code, uint64_t at, uint16_t slot, uint32_t site, shunt_vm_place place)
{
    bool        fresh = false;
    shunt_seen *seen = &vm->seen_set;
    for (const shunt_node *n = place.node; n; n = n->parent) {
        if (vm->program->frames[n->frame].unit) seen = &vm->seen_unit;
    }
    SHUNT_TRY(seen_add(vm->memory, seen, ((at << 16) | slot) + 1, &fresh));
    return fresh && vm->host->fault ? vm->host->fault(vm->host->context, code, site, place) : SHUNT_OK;
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
    if (vm->slots[index].way == SHUNT_WAY_DECIMAL) shunt_vm_keep(captured, value->coefficient);
    if (slot->codes != SHUNT_NONE && !in_code_list(vm->program, slot->codes, text)) {
        shunt_vm_place place = { .slot = index, .value = captured, .node = node };
        return shunt_vm_fault_once(vm, SHUNT_CODE_UNKNOWN, captured->at, index, site, place);
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

shunt_status shunt_vm_children(shunt_vm *vm, const shunt_node *node, uint16_t child, shunt_value *list)
{
    const shunt_children *children = node ? &node->children[child] : NULL;
    uint32_t              count = children ? children->count : 0, filled = 0;
    if (count == 0) {
        shunt_list_give(NULL, 0, list);
        return SHUNT_OK;
    }
    SHUNT_TRY(shunt_vm_charge(vm, count));
    shunt_value *items = shunt_list_new(vm, count);
    if (!items) return shunt_vm_full(vm);
    for (const shunt_node *n = children->first; n && filled < count; n = n->next) items[filled++].node = n;
    shunt_list_give(items, filled, list);
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
