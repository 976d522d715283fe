/* collect.c - rows made of groups: the adjustments of a claim and of its lines.
 * What a row holds is settled when the VM is made: the fields of the group itself, those that are alike for all groups of a line, and
 * those that number the rows, each with the bytes where it is found and where it goes. What is alike is worked out in the first
 * row of a line and copied to its others; one block holds the list and all its rows. A sum that only goes over the rows makes none of them. */
#include "engine/base/decimal.h"
#include "engine/vm/state.h"
#include "engine/vm/trace.h"

enum { STATES_AT_ONCE = 16 };

/* A field that is filled. */
struct pick {
    uint32_t      from; /* byte in the captured values of its node */
    uint32_t      to;   /* byte in the fields of a row */
    uint16_t      field, slot;
    shunt_vm_slot at;    /* of `slot` */
    uint16_t      kind;  /* shunt_collect_from */
    bool          inner; /* LINE: of the inner line, not of the line */
};

/* One alternative of a FIRST. */
struct way {
    uint32_t      from;
    uint16_t      child, slot;
    shunt_vm_slot at;
    uint16_t      run; /* so many from this one on stand in the outer node itself, side by side: they are looked at in one go */
    bool          line;
};

/* The picks stand in this order: texts of the group that nothing checks, what else comes from it, what is alike for all groups of a
 * line, numbers of rows. What nobody reads is not among them. */
struct collector {
    struct pick *texts, *numbers, *alike, *ordinals, *end;
    uint32_t     fields;   /* of a row */
    size_t       row_size; /* with its fields and states */
    uint8_t     *states;   /* as they are unless the line or the group has others */
};

struct shunt_vm_collectors {
    struct way      *ways; /* one an alternative */
    struct collector each[];
};

/* ---- once a VM ---- */

static void plan_way(const shunt_vm *vm, uint32_t alternative, struct way *made)
{
    const shunt_program     *p = vm->program;
    const shunt_alternative *first = p->alternatives + alternative, *end = p->alternatives + p->alternatives_count, *a = first;
    while (a < end && !a->line && a->child == SHUNT_NONE && a->slot - first->slot == a - first) a++;
    *made = (struct way){ .child = first->child, .slot = first->slot, .at = vm->slots[first->slot], .line = first->line };
    made->from = made->at.place * (uint32_t)sizeof(shunt_captured);
    made->run = (uint16_t)(a - first < UINT16_MAX ? a - first : UINT16_MAX);
}

static uint32_t padded_states(uint32_t fields) { return (fields + STATES_AT_ONCE - 1) / STATES_AT_ONCE * STATES_AT_ONCE; }

/* Which of the four a field is among; texts come first, since they are read without more ado. */
static uint32_t turn_of(const shunt_vm *vm, const shunt_collect_field *field)
{
    enum { TEXT, NUMBER, ALIKE, ORDINAL, NONE };
    switch ((shunt_collect_from)field->from) {
    case SHUNT_COLLECT_GROUP: return vm->slots[field->slot].way == SHUNT_WAY_TEXT ? TEXT : NUMBER;
    case SHUNT_COLLECT_ORDINAL: return ORDINAL;
    case SHUNT_COLLECT_UNREAD: return NONE;
    case SHUNT_COLLECT_LINE:
    case SHUNT_COLLECT_LEVEL:
    case SHUNT_COLLECT_POSITION:
    case SHUNT_COLLECT_FIRST: break;
    }
    return ALIKE;
}

static void plan_collector(const shunt_vm *vm, const shunt_collect *k, struct collector *made)
{
    const shunt_program       *p = vm->program;
    const shunt_collect_field *from = p->collect_fields + k->field_first;
    uint16_t     line_frame = k->line == SHUNT_NONE ? SHUNT_NONE : p->children[p->frames[k->frame].child_first + k->line];
    struct pick *next = made->texts, **begins[] = { &made->texts, &made->numbers, &made->alike, &made->ordinals };
    for (uint32_t turn = 0; turn < SHUNT_COUNT(begins); turn++) {
        *begins[turn] = next;
        for (uint32_t f = 0; f < made->fields; f++) {
            if (turn_of(vm, &from[f]) != turn) continue;
            *next = (struct pick){ .to = f * (uint32_t)sizeof(shunt_value), .field = (uint16_t)f, .kind = from[f].from };
            if (from[f].from == SHUNT_COLLECT_GROUP || from[f].from == SHUNT_COLLECT_LINE) {
                next->slot = from[f].slot;
                next->at = vm->slots[from[f].slot];
                next->from = next->at.place * (uint32_t)sizeof(shunt_captured);
                next->inner = p->slots[from[f].slot].frame != line_frame;
            }
            next++;
        }
    }
    made->end = next;
    for (uint32_t f = 0; f < made->fields; f++)
        made->states[f] = from[f].from == SHUNT_COLLECT_UNREAD ? SHUNT_ABSENT : SHUNT_PRESENT;
}

/* One block: the collectors, the picks, the ways, the states. */
shunt_vm_collectors *shunt_vm_collectors_new(const shunt_vm *vm)
{
    const shunt_program *p = vm->program;
    uint64_t             fields = 0, states = 0;
    for (uint32_t i = 0; i < p->collects_count; i++) {
        uint32_t count = p->records[p->collects[i].record].field_count;
        fields += count;
        states += padded_states(count);
    }
    uint64_t head = sizeof(shunt_vm_collectors) + p->collects_count * sizeof(struct collector);
    uint64_t ways_at = head + fields * sizeof(struct pick);
    uint64_t states_at = ways_at + p->alternatives_count * sizeof(struct way), size = states_at + states;
    char    *block = size <= SIZE_MAX ? (char *)shunt_memory_zeroed(vm->memory, 1, (size_t)size) : NULL;
    if (!block) return NULL;
    shunt_vm_collectors *made = (shunt_vm_collectors *)(void *)block;
    struct pick         *picks = (struct pick *)(void *)(block + head);
    uint8_t             *marks = (uint8_t *)(block + states_at);
    made->ways = (struct way *)(void *)(block + ways_at);
    for (uint32_t i = 0; i < p->alternatives_count; i++) plan_way(vm, i, &made->ways[i]);
    for (uint32_t i = 0; i < p->collects_count; i++) {
        struct collector *c = &made->each[i];
        c->fields = p->records[p->collects[i].record].field_count;
        c->row_size = sizeof(shunt_row) + sizeof(shunt_value) * (size_t)c->fields + padded_states(c->fields);
        c->texts = picks;
        c->states = marks;
        plan_collector(vm, &p->collects[i], c);
        picks += c->fields;
        marks += padded_states(c->fields);
    }
    return made;
}

/* ---- values ---- */

static inline shunt_captured *captured_at(const shunt_node *node, uint32_t from)
{
    return (shunt_captured *)(void *)((char *)node->slots + from);
}

static inline shunt_value *value_at(char *values, uint32_t to) { return (shunt_value *)(void *)(values + to); }

_Static_assert(offsetof(shunt_captured, bytes) == offsetof(shunt_value, text.bytes) &&
                   offsetof(shunt_captured, length) == offsetof(shunt_value, text.length),
               "a text is taken as it was captured");

/* A value that is there. */
static inline shunt_status read_value(shunt_vm *vm, const shunt_node *node, shunt_captured *captured, uint16_t slot,
                                      shunt_vm_slot at, uint32_t site, shunt_value *value, uint8_t *state)
{
    if (at.way == SHUNT_WAY_TEXT) {
        memcpy(value, captured, sizeof *value);
        *state = captured->length ? SHUNT_PRESENT : SHUNT_CLEARED;
        return SHUNT_OK;
    }
    if (SHUNT_UNLIKELY(!shunt_vm_number(captured, at, value))) return shunt_vm_get(vm, node, slot, false, site, value, state);
    *state = SHUNT_PRESENT;
    return SHUNT_OK;
}

/* ---- what stands around the groups ---- */

struct collecting {
    const shunt_collect       *collect;
    const struct collector    *plan;
    const shunt_collect_field *from;
    const struct way          *ways;
    const shunt_node          *outer;
    uint32_t                   site;
    uint32_t                   count;  /* rows that stay */
    shunt_value               *rows;   /* items of the list */
    char                      *next;   /* where the next row comes to stand */
    const struct way          *looked; /* from there on all ways lead to the outer node; `missing`: to nothing */
    bool                       missing;
};

static bool all_missing(const struct collecting *c, const struct way *way, const struct way *end)
{
    while (way < end) {
        uintptr_t any = 0;
        uint32_t  count = way->run < end - way ? way->run : (uint32_t)(end - way);
        if (way->line) return false;
        for (uint32_t i = 0; i < count; i++) any |= (uintptr_t)captured_at(c->outer, way->from)[i].bytes;
        if (!way->run) {
            const shunt_node *node = c->outer->children[way->child].first;
            any = node && captured_at(node, way->from)->bytes;
            count = 1;
        }
        if (any) return false;
        way += count;
    }
    return true;
}

/* Do the ways from this one on lead to the outer node and find nothing there? The same for all rows, so it is looked at once. */
static inline bool nothing_further(struct collecting *c, const struct way *way, const struct way *end)
{
    if (SHUNT_LIKELY(c->looked == way)) return c->missing;
    c->looked = way;
    return c->missing = all_missing(c, way, end);
}

static inline shunt_status first_of(shunt_vm *vm, struct collecting *c, const shunt_collect_field *field, const shunt_node *line,
                                    shunt_value *value, uint8_t *state)
{
    const struct way *way = c->ways + field->slot, *end = way + field->child;
    for (; way < end; way++) {
        if (!way->line && nothing_further(c, way, end)) return SHUNT_OK;
        const shunt_node *node = way->line ? line : c->outer;
        if (node && way->child != SHUNT_NONE) node = node->children[way->child].first;
        shunt_captured *captured = node ? captured_at(node, way->from) : NULL;
        if (!captured || !captured->bytes) continue;
        SHUNT_TRY(read_value(vm, node, captured, way->slot, way->at, c->site, value, state));
        if (*state == SHUNT_PRESENT) return SHUNT_OK;
    }
    return SHUNT_OK;
}

/* What is alike for all groups of a line, into the first row of it; `line` NULL: for those of the outer node. */
static shunt_status fill_alike(shunt_vm *vm, struct collecting *c, const shunt_node *line, const shunt_node *inner, char *values,
                               uint8_t *states)
{
    const struct collector *plan = c->plan;
    for (const struct pick *pick = plan->alike; pick < plan->ordinals; pick++) {
        const shunt_collect_field *field = &c->from[pick->field];
        shunt_value               *value = value_at(values, pick->to);
        uint8_t                    state = SHUNT_ABSENT;
        if (pick->kind == SHUNT_COLLECT_LINE) {
            const shunt_node *node = pick->inner ? inner : line;
            shunt_captured   *captured = node ? captured_at(node, pick->from) : NULL;
            if (captured && captured->bytes)
                SHUNT_TRY(read_value(vm, node, captured, pick->slot, pick->at, c->site, value, &state));
        } else if (pick->kind == SHUNT_COLLECT_FIRST) {
            SHUNT_TRY(first_of(vm, c, field, line, value, &state));
        } else if (pick->kind == SHUNT_COLLECT_LEVEL) {
            memcpy(value, &vm->program->texts[line ? field->child : field->slot], sizeof *value);
            state = SHUNT_PRESENT;
        } else if (line || field->slot) { /* SHUNT_COLLECT_POSITION */
            value->integer = line ? line->ordinal : c->outer->ordinal;
            state = SHUNT_PRESENT;
        }
        states[pick->field] = state;
    }
    return SHUNT_OK;
}

/* ---- rows ---- */

static inline const shunt_node *first_child(const shunt_node *node, uint16_t child)
{
    return child == SHUNT_NONE ? NULL : node->children[child].first;
}

/* The way through what holds groups: the outer node, each line, each inner line of it. */
struct walk {
    const shunt_node *line, *inner;           /* where it stands; NULL and NULL: at the outer node */
    const shunt_node *next_line, *next_inner; /* what comes then */
    const shunt_node *group;                  /* first one of the groups here */
};

static inline struct walk walk_from(const shunt_collect *k, const shunt_node *outer)
{
    return (struct walk){ .next_line = first_child(outer, k->line), .group = first_child(outer, k->group) };
}

/* False: that was all. */
static inline bool walk_on(const shunt_collect *k, struct walk *w)
{
    if (w->next_inner) {
        w->inner = w->next_inner;
        w->next_inner = w->inner->next;
        w->group = first_child(w->inner, k->inner_group);
    } else if (w->next_line) {
        w->line = w->next_line;
        w->inner = NULL;
        w->next_line = w->line->next;
        w->next_inner = first_child(w->line, k->inner_line);
        w->group = first_child(w->line, k->line_group);
    } else {
        return false;
    }
    return true;
}

static inline void copy_states(uint8_t *states, const uint8_t *from, uint32_t fields)
{
    memcpy(states, from, STATES_AT_ONCE);
    for (uint32_t i = STATES_AT_ONCE; SHUNT_UNLIKELY(i < fields); i += STATES_AT_ONCE)
        memcpy(states + i, from + i, STATES_AT_ONCE);
}

/* In halves, as they may have been stored just now: a load of both would wait for that. */
static inline void copy_value(shunt_value *to, const shunt_value *from)
{
    uint64_t halves[2];
    memcpy(halves, from, sizeof halves);
    SHUNT_ONE_BY_ONE(halves[0]);
    SHUNT_ONE_BY_ONE(halves[1]);
    memcpy(to, halves, sizeof *to);
}

/* What the group itself has, but for its texts. */
static inline shunt_status read_number(shunt_vm *vm, const shunt_node *group, const struct pick *pick, uint32_t site,
                                       shunt_value *value, uint8_t *state)
{
    shunt_captured *captured = captured_at(group, pick->from);
    if (captured->bytes && SHUNT_LIKELY(shunt_vm_number(captured, pick->at, value))) return SHUNT_OK;
    *state = SHUNT_ABSENT;
    return captured->bytes ? shunt_vm_get(vm, group, pick->slot, false, site, value, state) : SHUNT_OK;
}

/* How many groups the collector may find below the node. */
static uint64_t groups_below(const shunt_collect *k, const shunt_node *node)
{
    uint64_t count = k->group == SHUNT_NONE ? 0 : node->children[k->group].count;
    for (const shunt_node *line = first_child(node, k->line); line; line = line->next) {
        if (k->line_group != SHUNT_NONE) count += line->children[k->line_group].count;
        for (const shunt_node *inner = first_child(line, k->inner_line); inner; inner = inner->next)
            if (k->inner_group != SHUNT_NONE) count += inner->children[k->inner_group].count;
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
        for (const struct pick *pick = c->plan->ordinals; pick < c->plan->end; pick++) values[pick->field].integer = i + 1;
    }
    shunt_vm_place place = { .slot = SHUNT_NONE, .node = c->outer };
    return shunt_vm_fault_once(vm, SHUNT_X12_TWICE, c->outer->at, SHUNT_NONE - 1, c->site, place);
}

/* All rows; `*outer_count` of them are of the outer node. */
static shunt_status make_rows(shunt_vm *vm, struct collecting *c, uint32_t *outer_count)
{
    const shunt_collect    *k = c->collect;
    const struct collector *plan = c->plan;
    const uint32_t          fields = plan->fields;
    struct walk             w = walk_from(k, c->outer);
    uint32_t                count = 0;
    char                   *next = c->next;
    do {
        const shunt_row *like = NULL; /* the first row of this line */
        for (const shunt_node *group = w.group; group; group = group->next) {
            shunt_row         *row = (shunt_row *)(void *)next;
            char              *values = (char *)(row + 1);
            uint8_t           *states = (uint8_t *)values + fields * sizeof(shunt_value);
            const struct pick *pick;
            SHUNT_TRY(shunt_vm_charge(vm, fields));
            copy_states(states, plan->states, fields);
            if (!like) {
                SHUNT_TRY(fill_alike(vm, c, w.line, w.inner, values, states));
                like = row;
            } else {
                for (pick = plan->alike; pick < plan->ordinals; pick++) {
                    copy_value(value_at(values, pick->to), &like->fields[pick->field]);
                    states[pick->field] = like->states[pick->field];
                }
            }
            for (pick = plan->texts; pick < plan->numbers; pick++) {
                const shunt_captured *captured = captured_at(group, pick->from);
                memcpy(values + pick->to, captured, sizeof(shunt_value));
                if (SHUNT_UNLIKELY(!captured->length)) states[pick->field] = captured->bytes ? SHUNT_CLEARED : SHUNT_ABSENT;
            }
            for (; pick < plan->alike; pick++)
                SHUNT_TRY(read_number(vm, group, pick, c->site, value_at(values, pick->to), &states[pick->field]));
            for (pick = plan->ordinals; pick < plan->end; pick++) value_at(values, pick->to)->integer = count + 1;
            *row = (shunt_row){ states, (shunt_value *)(void *)values };
            if (SHUNT_UNLIKELY(vm->trace)) shunt_trace_row(vm, k, row, c->outer, group, w.line, w.inner);
            if (SHUNT_UNLIKELY(states[k->needed] != SHUNT_PRESENT)) { /* the next one takes its place */
                if (like == row) like = NULL;
                continue;
            }
            if (count == k->max) return SHUNT_LIMIT_LIST;
            c->rows[count++].row = row;
            next += plan->row_size;
        }
        if (!w.line) *outer_count = count;
        if (!walk_on(k, &w)) break;
        SHUNT_TRY(shunt_vm_charge(vm, 1));
    } while (true);
    c->count = count;
    return SHUNT_OK;
}

/* Without groups nothing comes of it but its steps. */
static shunt_status pass_by(shunt_vm *vm, const shunt_collect *k, const shunt_node *outer)
{
    struct walk w = walk_from(k, outer);
    while (walk_on(k, &w)) SHUNT_TRY(shunt_vm_charge(vm, 1));
    return SHUNT_OK;
}

shunt_status shunt_vm_collect(shunt_vm *vm, const shunt_node *node, uint16_t index, uint32_t site, shunt_value *list)
{
    const shunt_program *p = vm->program;
    const shunt_collect *k = &p->collects[index];
    uint64_t             groups = groups_below(k, node);
    uint32_t             outer_count = 0;
    struct collecting    c = { .collect = k, .plan = &vm->collectors->each[index], .outer = node, .site = site };
    c.from = p->collect_fields + k->field_first;
    c.ways = vm->collectors->ways;
    if (!groups) {
        SHUNT_TRY(pass_by(vm, k, node));
        shunt_list_give(NULL, 0, list);
        return SHUNT_OK;
    }
    SHUNT_TRY(make_room(vm, &c, groups));
    SHUNT_TRY(make_rows(vm, &c, &outer_count));
    if (k->twice && outer_count && c.count > outer_count) SHUNT_TRY(leave_out_twice(vm, &c, outer_count));
    shunt_list_give(c.rows, c.count, list);
    return SHUNT_OK;
}

/* ---- sums ---- */

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

/* All that the rows would read is read, since it may be no value. */
shunt_status shunt_vm_sum(shunt_vm *vm, const shunt_node *node, uint16_t index, uint32_t site, shunt_decimal *result)
{
    const shunt_collect    *k = &vm->program->collects[index];
    const struct collector *plan = &vm->collectors->each[index];
    const struct pick      *numbers = plan->numbers, *end = plan->alike;
    const uint32_t          fields = plan->fields;
    *result = 0;
    if (SHUNT_UNLIKELY(vm->trace || k->twice || end != plan->ordinals)) return sum_rows(vm, node, index, site, result);
    struct walk   w = walk_from(k, node);
    uint32_t      count = 0;
    shunt_decimal sum = 0;
    do {
        for (const shunt_node *group = w.group; group; group = group->next) {
            SHUNT_TRY(shunt_vm_charge(vm, fields));
            for (const struct pick *pick = numbers; pick < end; pick++) {
                shunt_value value;
                uint8_t     state = SHUNT_PRESENT;
                SHUNT_TRY(read_number(vm, group, pick, site, &value, &state));
                if (pick->field != k->needed || state != SHUNT_PRESENT) continue;
                if (count++ == k->max) return SHUNT_LIMIT_LIST;
                SHUNT_TRY(shunt_decimal_add(sum, value.coefficient, &sum));
            }
        }
        if (!walk_on(k, &w)) break;
        SHUNT_TRY(shunt_vm_charge(vm, 1));
    } while (true);
    uint64_t low = (uint64_t)sum, high = (uint64_t)(sum >> 64); /* see copy_value */
    SHUNT_ONE_BY_ONE(low);
    SHUNT_ONE_BY_ONE(high);
    *result = (shunt_decimal)((unsigned __int128)high << 64 | low);
    return SHUNT_OK;
}
