/* collect.c - rows made of groups: the adjustments of a claim and of its lines.
 * What a row holds is settled when the VM is made (shunt_vm_collector): the fields of the group itself, those that are alike for all
 * groups of a line, and those that number the rows. What is alike is worked out once a line, for no row yet, and copied into each; one
 * block holds the list and all its rows. A sum that only goes over the rows makes none of them. */
#include "engine/base/decimal.h"
#include "engine/vm/state.h"
#include "engine/vm/trace.h"

enum { STATES_AT_ONCE = 16 };

/* ---- once a VM ---- */

/* How many alternatives from this one on stand in the outer node itself, side by side: they are looked at in one go. */
static uint16_t side_by_side(const shunt_program *p, uint32_t alternative)
{
    const shunt_alternative *first = p->alternatives + alternative, *end = p->alternatives + p->alternatives_count, *way = first;
    while (way < end && !way->line && way->child == SHUNT_NONE && way->slot - first->slot == way - first) way++;
    return (uint16_t)(way - first < UINT16_MAX ? way - first : UINT16_MAX);
}

static uint32_t padded_states(uint32_t fields) { return (fields + STATES_AT_ONCE - 1) / STATES_AT_ONCE * STATES_AT_ONCE; }

static bool is_alike(uint16_t from)
{
    return from != SHUNT_COLLECT_GROUP && from != SHUNT_COLLECT_UNREAD && from != SHUNT_COLLECT_ORDINAL;
}

/* The kinds of fields, one behind the other; those that nobody reads are none of them. Texts come first: they are read without more ado,
 * so that nobody can tell. */
static void plan_collector(const shunt_vm *vm, const shunt_collect *k, shunt_vm_collector *made)
{
    const shunt_program       *p = vm->program;
    const shunt_collect_field *from = p->collect_fields + k->field_first;
    uint32_t                   count = 0;
    for (uint32_t turn = 0; turn < 4; turn++) {
        for (uint16_t f = 0; f < made->fields; f++) {
            bool          own = from[f].from == SHUNT_COLLECT_GROUP, named = own || from[f].from == SHUNT_COLLECT_LINE;
            bool          text = own && vm->slots[from[f].slot].way == SHUNT_WAY_TEXT;
            bool          now = turn == 0   ? text
                                : turn == 1 ? own && !text
                                : turn == 2 ? is_alike(from[f].from)
                                            : from[f].from == SHUNT_COLLECT_ORDINAL;
            shunt_vm_slot none = { 0 };
            if (now) made->picks[count++] = (shunt_vm_pick){ f, from[f].slot, named ? vm->slots[from[f].slot] : none };
        }
        made->ends[turn] = count;
    }
    for (uint32_t f = 0; f < made->fields; f++)
        made->alike_states[f] = from[f].from == SHUNT_COLLECT_ORDINAL ? SHUNT_PRESENT : SHUNT_ABSENT;
    made->line_frame = k->line == SHUNT_NONE ? SHUNT_NONE : p->children[p->frames[k->frame].child_first + k->line];
}

struct shunt_vm_collectors {
    uint16_t          *runs; /* one an alternative, see `side_by_side` */
    shunt_vm_collector each[];
};

/* One block: the collectors, the values that are alike, the picks, the runs, the states. */
shunt_vm_collectors *shunt_vm_collectors_new(const shunt_vm *vm)
{
    const shunt_program *p = vm->program;
    uint64_t             fields = 0, states = 0;
    for (uint32_t i = 0; i < p->collects_count; i++) {
        uint32_t count = p->records[p->collects[i].record].field_count;
        fields += count;
        states += padded_states(count);
    }
    uint64_t head = sizeof(shunt_vm_collectors) + p->collects_count * sizeof(shunt_vm_collector);
    uint64_t values_at = (head + sizeof(shunt_value) - 1) / sizeof(shunt_value) * sizeof(shunt_value);
    uint64_t picks_at = values_at + fields * sizeof(shunt_value), runs_at = picks_at + fields * sizeof(shunt_vm_pick);
    uint64_t states_at = runs_at + p->alternatives_count * sizeof(uint16_t), size = states_at + states;
    char    *block = size <= SIZE_MAX ? (char *)shunt_memory_zeroed(vm->memory, 1, (size_t)size) : NULL;
    if (!block) return NULL;
    shunt_vm_collectors *made = (shunt_vm_collectors *)(void *)block;
    shunt_value         *values = (shunt_value *)(void *)(block + values_at);
    shunt_vm_pick       *picks = (shunt_vm_pick *)(void *)(block + picks_at);
    uint8_t             *marks = (uint8_t *)(block + states_at);
    made->runs = (uint16_t *)(void *)(block + runs_at);
    for (uint32_t i = 0; i < p->alternatives_count; i++) made->runs[i] = side_by_side(p, i);
    for (uint32_t i = 0; i < p->collects_count; i++) {
        shunt_vm_collector *c = &made->each[i];
        c->fields = p->records[p->collects[i].record].field_count;
        c->row_size = sizeof(shunt_row) + sizeof(shunt_value) * (size_t)c->fields + padded_states(c->fields);
        c->picks = picks;
        c->alike_values = values;
        c->alike_states = marks;
        plan_collector(vm, &p->collects[i], c);
        picks += c->fields;
        values += c->fields;
        marks += padded_states(c->fields);
    }
    return made;
}

/* ---- what stands around the groups ---- */

struct collecting {
    const shunt_collect       *collect;
    const shunt_vm_collector  *plan;
    const shunt_collect_field *from;
    const shunt_node          *outer;
    uint32_t                   site;
    uint32_t                   count;  /* rows that stay */
    shunt_value               *rows;   /* items of the list */
    char                      *next;   /* where the next row comes to stand */
    const shunt_alternative   *looked; /* from there on all ways lead to the outer node; `missing`: to nothing */
    bool                       missing;
};

_Static_assert(offsetof(shunt_captured, bytes) == offsetof(shunt_value, text.bytes) &&
                   offsetof(shunt_captured, length) == offsetof(shunt_value, text.length) && SHUNT_PRESENT == 0 &&
                   1 << 0 == SHUNT_ABSENT && 1 << 1 == SHUNT_CLEARED,
               "see take_text");

/* As it was captured. */
static inline uint8_t take_text(const shunt_captured *captured, shunt_value *value)
{
    memcpy(value, captured, sizeof *value);
    return (uint8_t)((captured->length == 0) << (captured->bytes != NULL));
}

/* A value that may be missing. */
static inline shunt_status read_own(shunt_vm *vm, const shunt_node *node, const shunt_vm_pick *pick, uint32_t site,
                                    shunt_value *value, uint8_t *state)
{
    shunt_captured *captured = &node->slots[pick->at.place];
    *state = SHUNT_ABSENT;
    if (!captured->bytes) return SHUNT_OK;
    if (pick->at.way == SHUNT_WAY_TEXT) {
        *state = take_text(captured, value);
        return SHUNT_OK;
    }
    if (SHUNT_UNLIKELY(!shunt_vm_number(captured, pick->at, value)))
        return shunt_vm_get(vm, node, pick->slot, false, site, value, state);
    *state = SHUNT_PRESENT;
    return SHUNT_OK;
}

static inline const shunt_captured *behind(const shunt_vm *vm, const struct collecting *c, const shunt_alternative *way,
                                           const shunt_node *line, const shunt_node **node)
{
    *node = way->line ? line : c->outer;
    if (*node && way->child != SHUNT_NONE) *node = (*node)->children[way->child].first;
    return *node ? &(*node)->slots[vm->slots[way->slot].place] : NULL;
}

static bool all_missing(const shunt_vm *vm, const struct collecting *c, const shunt_alternative *way,
                        const shunt_alternative *end)
{
    while (way < end) {
        uint32_t run = vm->collectors->runs[way - vm->program->alternatives];
        if (run > (uint32_t)(end - way)) run = (uint32_t)(end - way);
        if (run) {
            const shunt_captured *captured = &c->outer->slots[vm->slots[way->slot].place];
            uintptr_t             any = 0;
            for (uint32_t i = 0; i < run; i++) any |= (uintptr_t)captured[i].bytes;
            if (any) return false;
            way += run;
        } else {
            const shunt_node     *node;
            const shunt_captured *captured = behind(vm, c, way, NULL, &node);
            if (way->line || (captured && captured->bytes)) return false;
            way++;
        }
    }
    return true;
}

/* Do the ways from this one on lead to the outer node and find nothing there? The same for all rows, so it is looked at once. */
static inline bool nothing_further(const shunt_vm *vm, struct collecting *c, const shunt_alternative *way,
                                   const shunt_alternative *end)
{
    if (SHUNT_LIKELY(c->looked == way)) return c->missing;
    c->looked = way;
    return c->missing = all_missing(vm, c, way, end);
}

static inline shunt_status first_of(shunt_vm *vm, struct collecting *c, const shunt_collect_field *field, const shunt_node *line,
                                    shunt_value *value, uint8_t *state)
{
    const shunt_alternative *way = vm->program->alternatives + field->slot, *end = way + field->child;
    for (; way < end; way++) {
        if (!way->line && nothing_further(vm, c, way, end)) return SHUNT_OK;
        const shunt_node     *node;
        const shunt_captured *captured = behind(vm, c, way, line, &node);
        if (!captured || !captured->bytes) continue;
        SHUNT_TRY(read_own(vm, node, &(shunt_vm_pick){ 0, way->slot, vm->slots[way->slot] }, c->site, value, state));
        if (*state == SHUNT_PRESENT) return SHUNT_OK;
    }
    return SHUNT_OK;
}

/* What is alike for all groups of a line; `line` NULL: for those of the outer node. */
static shunt_status fill_alike(shunt_vm *vm, struct collecting *c, const shunt_node *line, const shunt_node *inner)
{
    const shunt_program      *p = vm->program;
    const shunt_vm_collector *plan = c->plan;
    const shunt_vm_pick      *pick = plan->picks + plan->ends[SHUNT_PICK_OWN], *end = plan->picks + plan->ends[SHUNT_PICK_ALIKE];
    for (; pick < end; pick++) {
        uint32_t                   f = pick->field;
        const shunt_collect_field *field = &c->from[f];
        shunt_value               *value = &plan->alike_values[f];
        uint8_t                    state = SHUNT_ABSENT;
        if (field->from == SHUNT_COLLECT_LINE) {
            const shunt_node *node = p->slots[field->slot].frame == plan->line_frame ? line : inner;
            if (node) SHUNT_TRY(read_own(vm, node, pick, c->site, value, &state));
        } else if (field->from == SHUNT_COLLECT_LEVEL) {
            value->text = p->texts[line ? field->child : field->slot];
            state = SHUNT_PRESENT;
        } else if (field->from == SHUNT_COLLECT_FIRST) {
            SHUNT_TRY(first_of(vm, c, field, line, value, &state));
        } else if (line || field->slot) { /* SHUNT_COLLECT_POSITION */
            value->integer = line ? line->ordinal : c->outer->ordinal;
            state = SHUNT_PRESENT;
        }
        plan->alike_states[f] = state;
    }
    return SHUNT_OK;
}

/* ---- groups ---- */

static inline shunt_status collect_groups(shunt_vm *vm, struct collecting *c, const shunt_node *node, uint16_t child,
                                          const shunt_node *line, const shunt_node *inner)
{
    const shunt_vm_collector *plan = c->plan;
    const shunt_node         *group = child == SHUNT_NONE ? NULL : node->children[child].first;
    const shunt_vm_pick      *texts_end = plan->picks + plan->ends[SHUNT_PICK_TEXTS],
                        *own_end = plan->picks + plan->ends[SHUNT_PICK_OWN],
                        *alike_end = plan->picks + plan->ends[SHUNT_PICK_ALIKE],
                        *end = plan->picks + plan->ends[SHUNT_PICK_ORDINALS];
    bool alike = own_end == alike_end;
    for (; group; group = group->next) {
        shunt_row           *row = (shunt_row *)(void *)c->next;
        shunt_value         *values = (shunt_value *)(void *)(row + 1);
        uint8_t             *states = (uint8_t *)(values + plan->fields);
        const shunt_vm_pick *pick = plan->picks;
        SHUNT_TRY(shunt_vm_charge(vm, plan->fields));
        if (!alike) SHUNT_TRY(fill_alike(vm, c, line, inner));
        alike = true;
        memcpy(states, plan->alike_states, STATES_AT_ONCE);
        for (uint32_t i = STATES_AT_ONCE; SHUNT_UNLIKELY(i < plan->fields); i += STATES_AT_ONCE)
            memcpy(states + i, plan->alike_states + i, STATES_AT_ONCE);
        for (; pick < texts_end; pick++) states[pick->field] = take_text(&group->slots[pick->at.place], &values[pick->field]);
        for (; pick < own_end; pick++) SHUNT_TRY(read_own(vm, group, pick, c->site, &values[pick->field], &states[pick->field]));
        for (; pick < alike_end; pick++) values[pick->field] = plan->alike_values[pick->field];
        for (; pick < end; pick++) values[pick->field].integer = c->count + 1;
        row->states = states;
        row->fields = values;
        if (SHUNT_UNLIKELY(vm->trace)) shunt_trace_row(vm, c->collect, row, c->outer, group, line, inner);
        if (states[c->collect->needed] != SHUNT_PRESENT) continue;
        if (c->count == c->collect->max) return SHUNT_LIMIT_LIST;
        c->rows[c->count++].row = row;
        c->next += plan->row_size;
    }
    return SHUNT_OK;
}

static uint64_t groups_in(const shunt_node *node, uint16_t child)
{
    return child == SHUNT_NONE ? 0 : node->children[child].count;
}

/* What the collector may find below the node. */
static uint64_t groups_below(const shunt_collect *k, const shunt_node *node)
{
    uint64_t          count = groups_in(node, k->group);
    const shunt_node *line = k->line == SHUNT_NONE ? NULL : node->children[k->line].first;
    for (; line; line = line->next) {
        count += groups_in(line, k->line_group);
        const shunt_node *inner = k->inner_line == SHUNT_NONE ? NULL : line->children[k->inner_line].first;
        for (; inner; inner = inner->next) count += groups_in(inner, k->inner_group);
    }
    return count;
}

/* Room for all rows that there may be, and for one more than there may be: it is made before it is known to be one too many. */
static shunt_status make_room(shunt_vm *vm, struct collecting *c, uint64_t groups)
{
    enum { ALIGN = sizeof(shunt_value) };
    uint64_t most = c->collect->max + UINT64_C(1), capacity = groups < most ? groups : most;
    uint64_t size = ALIGN - 1 + sizeof(shunt_list_head) + capacity * (sizeof(shunt_value) + c->plan->row_size);
    if (size > SIZE_MAX) return SHUNT_LIMIT_UNIT_BYTES;
    char *at = shunt_arena_bytes(vm->arena, (size_t)size);
    if (!at) return shunt_vm_full(vm);
    shunt_list_head *head = (shunt_list_head *)(void *)(at + (-(uintptr_t)at & (ALIGN - 1)));
    *head = (shunt_list_head){ .capacity = (uint32_t)capacity };
    c->rows = (shunt_value *)(void *)(head + 1);
    c->next = (char *)(c->rows + capacity);
    return SHUNT_OK;
}

static bool same_text(const shunt_row *a, const shunt_row *b, uint32_t field)
{
    if (a->states[field] != b->states[field]) return false;
    return a->states[field] != SHUNT_PRESENT || shunt_text_equal(a->fields[field].text, b->fields[field].text);
}

/* Some senders repeat at the claim what they send for its lines; both together would count the money twice. */
static shunt_status leave_out_twice(shunt_vm *vm, struct collecting *c, uint32_t outer_count)
{
    uint16_t needed = c->collect->needed;
    uint32_t kept = 0, lines = c->count - outer_count;
    SHUNT_TRY(shunt_vm_charge(vm, (uint64_t)outer_count * lines));
    for (uint32_t i = 0; i < c->count; i++) {
        const shunt_row *row = c->rows[i].row;
        bool             twice = false;
        if (i < outer_count) {
            shunt_decimal sum = 0;
            for (uint32_t k = outer_count; k < c->count; k++) {
                if (!same_text(row, c->rows[k].row, 0) || !same_text(row, c->rows[k].row, 1)) continue;
                SHUNT_TRY(shunt_decimal_add(sum, c->rows[k].row->fields[needed].coefficient, &sum));
                twice = true;
            }
            twice = twice && sum == row->fields[needed].coefficient;
        }
        if (!twice) c->rows[kept++] = c->rows[i];
    }
    if (kept == c->count) return SHUNT_OK;
    c->count = kept;
    for (uint32_t i = 0; i < kept; i++) { /* numbered anew */
        shunt_value *values = (shunt_value *)(uintptr_t)c->rows[i].row->fields;
        for (uint32_t pick = c->plan->ends[SHUNT_PICK_ALIKE]; pick < c->plan->ends[SHUNT_PICK_ORDINALS]; pick++)
            values[c->plan->picks[pick].field].integer = i + 1;
    }
    shunt_vm_place place = { .slot = SHUNT_NONE, .node = c->outer };
    return shunt_vm_fault_once(vm, SHUNT_X12_TWICE, c->outer->at, SHUNT_NONE - 1, c->site, place);
}

shunt_status shunt_vm_collect(shunt_vm *vm, const shunt_node *node, uint16_t index, uint32_t site, shunt_value *list)
{
    const shunt_program *p = vm->program;
    const shunt_collect *k = &p->collects[index];
    uint64_t             groups = groups_below(k, node);
    struct collecting    c = { .collect = k,
                               .plan = &vm->collectors->each[index],
                               .from = p->collect_fields + k->field_first,
                               .outer = node,
                               .site = site };
    if (groups) SHUNT_TRY(make_room(vm, &c, groups));
    SHUNT_TRY(collect_groups(vm, &c, node, k->group, NULL, NULL));
    uint32_t outer_count = c.count;
    for (const shunt_node *line = k->line == SHUNT_NONE ? NULL : node->children[k->line].first; line; line = line->next) {
        SHUNT_TRY(shunt_vm_charge(vm, 1));
        SHUNT_TRY(collect_groups(vm, &c, line, k->line_group, line, NULL));
        if (k->inner_line == SHUNT_NONE) continue;
        for (const shunt_node *inner = line->children[k->inner_line].first; inner; inner = inner->next) {
            SHUNT_TRY(shunt_vm_charge(vm, 1));
            SHUNT_TRY(collect_groups(vm, &c, inner, k->inner_group, line, inner));
        }
    }
    if (k->twice && outer_count && c.count > outer_count) SHUNT_TRY(leave_out_twice(vm, &c, outer_count));
    shunt_list_give(c.rows, c.count, list);
    return SHUNT_OK;
}

/* ---- sums ---- */

struct summing {
    const shunt_vm_collector *plan;
    uint16_t                  needed, max;
    uint32_t                  site, count;
    shunt_decimal             sum;
};

/* All that the rows would read is read, since it may be no value. */
static inline shunt_status sum_groups(shunt_vm *vm, struct summing *s, const shunt_node *node, uint16_t child)
{
    const shunt_vm_collector *plan = s->plan;
    const shunt_node         *group = child == SHUNT_NONE ? NULL : node->children[child].first;
    const shunt_vm_pick      *first = plan->picks + plan->ends[SHUNT_PICK_TEXTS], *end = plan->picks + plan->ends[SHUNT_PICK_OWN];
    for (; group; group = group->next) {
        SHUNT_TRY(shunt_vm_charge(vm, plan->fields));
        for (const shunt_vm_pick *pick = first; pick < end; pick++) {
            shunt_value value;
            uint8_t     state;
            SHUNT_TRY(read_own(vm, group, pick, s->site, &value, &state));
            if (pick->field != s->needed || state != SHUNT_PRESENT) continue;
            if (s->count++ == s->max) return SHUNT_LIMIT_LIST;
            SHUNT_TRY(shunt_decimal_add(s->sum, value.coefficient, &s->sum));
        }
    }
    return SHUNT_OK;
}

/* Where rows are left out, or lineage asks what they are made of, they are made. */
static shunt_status sum_rows(shunt_vm *vm, const shunt_node *node, uint16_t index, uint32_t site, shunt_decimal *sum)
{
    uint16_t    needed = vm->program->collects[index].needed;
    shunt_value list;
    SHUNT_TRY(shunt_vm_collect(vm, node, index, site, &list));
    for (uint32_t i = 0; i < list.list.count; i++)
        SHUNT_TRY(shunt_decimal_add(*sum, list.list.items[i].row->fields[needed].coefficient, sum));
    if (vm->trace) shunt_trace_sum(vm, &list, needed);
    return SHUNT_OK;
}

shunt_status shunt_vm_sum(shunt_vm *vm, const shunt_node *node, uint16_t index, uint32_t site, shunt_decimal *sum)
{
    const shunt_collect      *k = &vm->program->collects[index];
    const shunt_vm_collector *plan = &vm->collectors->each[index];
    struct summing            s = { .plan = plan, .needed = k->needed, .max = k->max, .site = site };
    *sum = 0;
    if (SHUNT_UNLIKELY(vm->trace || k->twice || plan->ends[SHUNT_PICK_OWN] != plan->ends[SHUNT_PICK_ALIKE]))
        return sum_rows(vm, node, index, site, sum);
    SHUNT_TRY(sum_groups(vm, &s, node, k->group));
    for (const shunt_node *line = k->line == SHUNT_NONE ? NULL : node->children[k->line].first; line; line = line->next) {
        SHUNT_TRY(shunt_vm_charge(vm, 1));
        SHUNT_TRY(sum_groups(vm, &s, line, k->line_group));
        if (k->inner_line == SHUNT_NONE) continue;
        for (const shunt_node *inner = line->children[k->inner_line].first; inner; inner = inner->next) {
            SHUNT_TRY(shunt_vm_charge(vm, 1));
            SHUNT_TRY(sum_groups(vm, &s, inner, k->inner_group));
        }
    }
    *sum = s.sum;
    return SHUNT_OK;
}
