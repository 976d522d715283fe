/* trace.c - what each instruction means for the origins of values. An instruction that is not named here gives what its operands are made of. */
#include "engine/vm/fuse.h"
#include "engine/vm/trace_state.h"

/* Of the keys that a group goes by; never 0. */
static uint64_t group_hash(const shunt_value *keys, uint32_t count)
{
    uint64_t hash = 0;
    for (uint32_t k = 0; k < count; k++) hash = hash * 31 + shunt_text_hash(keys[k].text);
    return hash | 1;
}

/* ---- life ---- */

static shunt_status make(shunt_vm *vm, shunt_trace *t)
{
    const shunt_program              *p = t->program;
    const struct shunt_program_owner *owner = shunt_program_owner_of(p);
    t->unit = shunt_arena_new(t->memory, 0);
    t->kept = shunt_arena_new(t->memory, 0);
    t->file = shunt_arena_new(t->memory, 0);
    t->plans = shunt_arena_new(t->memory, 0);
    t->flows = shunt_memory_zeroed(t->memory, p->functions_count + 1u, sizeof *t->flows);
    t->registers = shunt_memory_zeroed(t->memory, owner->bounds.registers + 1u, sizeof *t->registers);
    t->globals = shunt_memory_zeroed(t->memory, p->globals_count + 1u, sizeof *t->globals);
    t->global_unit = shunt_memory_zeroed(t->memory, p->globals_count + 1u, sizeof *t->global_unit);
    t->shares = shunt_memory_zeroed(t->memory, p->tallies_count + 1u, sizeof(const shunt_share *));
    t->unit_shares = shunt_memory_zeroed(t->memory, p->tallies_count + 1u, sizeof(const shunt_share *));
    t->set_shares = shunt_memory_zeroed(t->memory, p->tallies_count + 1u, sizeof(const shunt_share *));
    t->batch_shares = shunt_memory_zeroed(t->memory, p->tallies_count + 1u, sizeof(const shunt_share *));
    shunt_instruction *plain = shunt_memory_zeroed(t->memory, p->instructions_count + 1u, sizeof *plain);
    if (!t->unit || !t->kept || !t->file || !t->plans || !t->flows || !t->registers || !t->globals || !t->global_unit ||
        !t->shares || !t->unit_shares || !t->set_shares || !t->batch_shares || !plain) {
        shunt_memory_free(t->memory, plain);
        return SHUNT_NO_MEMORY;
    }
    t->arena = t->unit;
    if (p->instructions_count) memcpy(plain, p->instructions, sizeof *plain * p->instructions_count);
    shunt_memory_free(t->memory, vm->code); /* what runs as several at once would be told as one */
    vm->code = plain;
    vm->program = p;
    return SHUNT_OK;
}

shunt_status shunt_vm_trace(shunt_vm *vm)
{
    shunt_trace *t = shunt_memory_zeroed(vm->memory, 1, sizeof *t);
    if (!t) return SHUNT_NO_MEMORY;
    t->memory = vm->memory;
    t->program = shunt_program_owner_of(vm->program)->written; /* values are followed as the rules are written */
    shunt_status status = make(vm, t);
    if (status == SHUNT_OK)
        vm->trace = t;
    else
        shunt_trace_free(t);
    return status;
}

bool shunt_vm_traced(const shunt_vm *vm) { return vm->trace != NULL; }

static void free_map(shunt_trace *t, shunt_known_map *map)
{
    shunt_memory_free(t->memory, map->keys);
    shunt_memory_free(t->memory, map->items);
}

void shunt_trace_free(shunt_trace *t)
{
    if (!t) return;
    shunt_arena_free(t->unit);
    shunt_arena_free(t->kept);
    shunt_arena_free(t->file);
    shunt_arena_free(t->plans);
    shunt_memory_free(t->memory, t->flows);
    shunt_memory_free(t->memory, t->registers);
    shunt_memory_free(t->memory, t->globals);
    shunt_memory_free(t->memory, t->global_unit);
    shunt_memory_free(t->memory, t->shares);
    shunt_memory_free(t->memory, t->unit_shares);
    shunt_memory_free(t->memory, t->set_shares);
    shunt_memory_free(t->memory, t->batch_shares);
    free_map(t, &t->cells);
    free_map(t, &t->kept_cells);
    free_map(t, &t->occurrences);
    shunt_memory_free(t->memory, t->holding);
    shunt_memory_free(t->memory, t->legs);
    shunt_memory_free(t->memory, t->list);
    shunt_memory_free(t->memory, t->stack);
    shunt_memory_free(t->memory, t);
}

static void copy_shares(const shunt_trace *t, const shunt_share **to, const shunt_share *const *from)
{
    for (uint32_t i = 0; to && from && i < t->program->tallies_count; i++) to[i] = from[i];
}

void shunt_trace_unit(shunt_trace *t)
{
    shunt_arena_reset(t->unit);
    shunt_known_forget(&t->cells);
    for (uint32_t g = 0; g < t->program->globals_count; g++)
        if (t->global_unit[g]) t->globals[g] = (shunt_known){ 0 }, t->global_unit[g] = false;
    t->last_node = NULL;
    t->incomplete = false;
    copy_shares(t, t->unit_shares, t->shares);
}

void shunt_trace_transaction(shunt_trace *t)
{
    shunt_trace_unit(t);
    for (uint32_t i = 0; i < t->program->tallies_count; i++)
        if (t->program->tallies[i].scope == SHUNT_SCOPE_TRANSACTION) t->shares[i] = NULL;
    copy_shares(t, t->unit_shares, t->shares);
    copy_shares(t, t->set_shares, t->shares);
    shunt_arena_reset(t->kept);
    shunt_known_forget(&t->kept_cells);
    shunt_known_forget(&t->occurrences);
    memset(t->globals, 0, sizeof *t->globals * t->program->globals_count);
    t->decided_set = NULL;
}

/* ---- tallies ---- */

static void add_share(shunt_trace *t, uint16_t tally, uint64_t key, shunt_known known)
{
    shunt_arena *arena = t->program->tallies[tally].scope == SHUNT_SCOPE_TRANSACTION ? t->kept : t->file;
    shunt_share *share = SHUNT_NEW(arena, shunt_share);
    if (!share) {
        t->no_memory = true;
        return;
    }
    *share = (shunt_share){ .before = t->shares[tally], .key = key };
    share->known.from = shunt_origin_copy(t, arena, known.from);
    share->known.because = shunt_origin_copy(t, arena, known.because);
    t->shares[tally] = share;
}

/* `key` 0: of all groups. */
static shunt_known shares_of(shunt_trace *t, uint16_t tally, uint64_t key)
{
    shunt_known all = { 0 };
    for (const shunt_share *s = t->shares[tally]; s; s = s->before) {
        if (key && s->key && s->key != key) continue;
        all.from = shunt_origin_join(t, all.from, s->known.from);
        all.because = shunt_origin_join(t, all.because, s->known.because);
    }
    return all;
}

void shunt_vm_trace_tally(shunt_vm *vm, uint16_t tally)
{
    if (vm->trace) add_share(vm->trace, tally, 0, vm->trace->result);
}

void shunt_vm_trace_undo(shunt_vm *vm)
{
    shunt_trace *t = vm->trace;
    if (!t) return;
    for (uint32_t i = 0; i < t->program->tallies_count; i++)
        if (!t->program->tallies[i].declared) t->shares[i] = t->unit_shares[i];
}

void shunt_vm_trace_close(shunt_vm *vm, shunt_scope scope, bool undone)
{
    shunt_trace        *t = vm->trace;
    const shunt_share **before = NULL;
    if (!t) return;
    if (undone && scope == SHUNT_SCOPE_TRANSACTION) before = t->set_shares;
    if (undone && scope == SHUNT_SCOPE_BATCH) before = t->batch_shares;
    for (uint32_t i = 0; i < t->program->tallies_count; i++) {
        if (before && t->program->tallies[i].scope > scope) t->shares[i] = before[i];
        if (t->program->tallies[i].scope <= scope) t->shares[i] = NULL;
    }
    if (scope == SHUNT_SCOPE_FILE) shunt_arena_reset(t->file);
    copy_shares(t, t->unit_shares, t->shares);
    copy_shares(t, t->set_shares, t->shares);
    if (scope >= SHUNT_SCOPE_BATCH) copy_shares(t, t->batch_shares, t->shares);
}

/* ---- conditions ---- */

static shunt_origin *holding_now(const shunt_trace *t)
{
    return t->holding && t->holding_count ? t->holding[t->holding_count - 1].because : NULL;
}

static void hold(shunt_trace *t, uint32_t join, uint32_t frame, shunt_origin *because)
{
    shunt_holding *last = t->holding_count ? &t->holding[t->holding_count - 1] : NULL;
    if (last && last->join == join && last->frame == frame) {
        last->because = shunt_origin_join(t, last->because, because);
        return;
    }
    if (t->holding_count == t->holding_capacity) {
        uint32_t       capacity = t->holding_capacity ? t->holding_capacity * 2 : 32;
        shunt_holding *more = shunt_memory_resize(t->memory, t->holding, capacity * sizeof *more);
        if (!more) {
            t->no_memory = true;
            return;
        }
        t->holding = more;
        t->holding_capacity = capacity;
    }
    because = shunt_origin_join(t, holding_now(t), because);
    t->holding[t->holding_count++] = (shunt_holding){ join, frame, because };
}

static void let_go(shunt_trace *t, uint32_t at, uint32_t frame)
{
    while (t->holding_count) {
        const shunt_holding *last = &t->holding[t->holding_count - 1];
        if (last->frame < frame || (last->frame == frame && last->join != at)) return;
        t->holding_count--;
    }
}

static shunt_origin *whole(shunt_trace *t, shunt_known known) { return shunt_origin_join(t, known.from, known.because); }

/* A condition: what either way writes is so because of it, whichever way is taken. */
static void branch(shunt_trace *t, uint16_t function, uint32_t at, uint32_t frame, shunt_known *known, shunt_origin *because)
{
    if (!because) return;
    if (!t->flows[function]) t->flows[function] = shunt_flow_new(t->plans, t->program, function);
    const shunt_branch *b = t->flows[function] ? shunt_flow_branch(t->plans, t->flows[function], at) : NULL;
    if (!b) {
        t->no_memory = true;
        return;
    }
    for (uint32_t i = 0; i < b->write_count; i++) {
        shunt_flow_write what = b->writes[i];
        switch ((shunt_written_kind)what.kind) {
        case SHUNT_WRITTEN_REGISTER: known[what.index].because = shunt_origin_join(t, known[what.index].because, because); break;
        case SHUNT_WRITTEN_GLOBAL:
            t->globals[what.index].because =
                shunt_origin_join(t, t->globals[what.index].because, t->keep ? shunt_origin_copy(t, t->kept, because) : because);
            t->global_unit[what.index] |= !t->keep;
            break;
        case SHUNT_WRITTEN_TALLY: add_share(t, what.index, 0, (shunt_known){ .because = because }); break;
        case SHUNT_WRITTEN_JOURNAL: t->journal_because = shunt_origin_join(t, t->journal_because, because); break;
        }
    }
    if (b->decides) t->decided = shunt_origin_join(t, t->decided, because);
    hold(t, b->join, frame, because);
}

/* ---- runs ---- */

void shunt_trace_begin(shunt_vm *vm, uint16_t function, bool keep)
{
    shunt_trace *t = vm->trace;
    t->keep = keep;
    t->arena = keep ? t->kept : t->unit;
    t->holding_count = 0;
    t->pending.op = SHUNT_OP_NOP;
    t->decided = t->decided_set;
    t->result = (shunt_known){ 0 };
    t->journal_because = NULL; /* of an earlier unit, whose memory is gone */
    t->last_node = NULL;
    memset(t->registers, 0, sizeof *t->registers * t->program->functions[function].registers);
}

shunt_status shunt_trace_end(shunt_vm *vm)
{
    shunt_trace *t = vm->trace;
    if (t->keep) t->decided_set = t->decided;
    return t->no_memory ? SHUNT_NO_MEMORY : SHUNT_OK;
}

/* ---- what the last instruction gave ---- */

static shunt_known both(shunt_trace *t, shunt_known a, shunt_known b)
{
    return (shunt_known){ shunt_origin_join(t, a.from, b.from), shunt_origin_join(t, a.because, b.because),
                          a.site ? a.site : b.site };
}

/* A list that has moved takes what is known of its items along. */
static void move_items(shunt_trace *t, const shunt_value *from, const shunt_value *to, uint32_t count)
{
    if (from == to) return;
    for (uint32_t i = 0; i < count; i++) shunt_known_cell_put(t, &to[i], shunt_known_cell(t, &from[i]));
}

static void finish(shunt_vm *vm)
{
    shunt_trace         *t = vm->trace;
    shunt_pending        d = t->pending;
    const shunt_value   *r = d.registers;
    const shunt_program *p = t->program;
    t->pending.op = SHUNT_OP_NOP;
    switch ((shunt_op)d.op) {
    case SHUNT_OP_LIST_PUSH:
        if (d.states[d.a] != SHUNT_PRESENT || r[d.a].list.count == d.count) return;
        move_items(t, d.items, r[d.a].list.items, d.count);
        shunt_known_cell_put(t, &r[d.a].list.items[d.count], d.known[d.b]);
        return;
    case SHUNT_OP_KEEP: {
        uint64_t at = (uint64_t)r[d.c].integer - 1;
        if (d.states[d.b] != SHUNT_PRESENT || at >= r[d.b].list.count) return;
        move_items(t, d.items, r[d.b].list.items, d.count);
        shunt_known_cell_put(t, &r[d.b].list.items[at], d.known[d.a]);
        return;
    }
    case SHUNT_OP_ROW_NEW: {
        uint16_t record = p->register_types[d.count].record;
        for (uint32_t f = 0; f < p->records[record].field_count; f++) {
            shunt_known known = d.known[d.b + f];
            if (d.c && known.site)
                known.from = shunt_origin_join(t, known.from, shunt_origin_field(t, record, (uint16_t)f, known.site));
            shunt_known_cell_put(t, &r[d.a].row->fields[f], known);
        }
        return;
    }
    case SHUNT_OP_SUM: d.known[d.a] = both(t, d.known[d.a], t->summed); return;
    case SHUNT_OP_LOOKUP:
        if (d.states[d.a] == SHUNT_PRESENT)
            d.known[d.a].from = shunt_origin_join(t, d.known[d.a].from, shunt_origin_row(t, d.c, r[d.a].row, d.count));
        return;
    case SHUNT_OP_TALLY_GET:
        if (p->tallies[d.b].record == SHUNT_NONE || d.states[d.a] != SHUNT_PRESENT) return;
        for (uint32_t i = 0; i < r[d.a].list.count; i++) {
            const shunt_row   *row = r[d.a].list.items[i].row;
            const shunt_tally *tally = &p->tallies[d.b];
            shunt_known        known = shares_of(t, d.b, group_hash(row->fields, tally->keys));
            for (uint32_t f = 0; f <= tally->keys; f++) shunt_known_cell_put(t, &row->fields[f], known);
            for (uint32_t m = 0; tally->members && m < row->fields[tally->keys + 1].list.count;
                 m++) { /* what the group is made of */
                const shunt_row *member = row->fields[tally->keys + 1].list.items[m].row;
                shunt_known_cell_put(t, &member->fields[0], known);
                shunt_known_cell_put(t, &member->fields[1], known);
            }
        }
        return;
    default: return;
    }
}

/* ---- instructions ---- */

static bool is_register(uint8_t operand) { return operand >= SHUNT_OPERAND_BOOL && operand <= SHUNT_OPERAND_ITEM; }

static shunt_known of_several(shunt_trace *t, const shunt_known *known, uint32_t count)
{
    shunt_known all = { 0 };
    for (uint32_t i = 0; i < count; i++) all = both(t, all, (shunt_known){ known[i].from, known[i].because, 0 });
    return all;
}

static shunt_known of_field(shunt_trace *t, const shunt_value *r, const uint8_t *s, const shunt_known *known, shunt_instruction i)
{
    shunt_known field = known[i.b];
    field.site = 0;
    return s[i.b] == SHUNT_PRESENT ? both(t, field, shunt_known_cell(t, &r[i.b].row->fields[i.c])) : field;
}

static shunt_known of_item(shunt_trace *t, const shunt_value *list, uint8_t state, uint64_t at, shunt_known known)
{
    known.site = 0;
    return state == SHUNT_PRESENT && at < list->list.count ? both(t, known, shunt_known_cell(t, &list->list.items[at])) : known;
}

/* The day that was taken is what it is made of; the others only lost. */
static shunt_known of_earliest(shunt_vm *vm, const shunt_node *node, uint16_t index)
{
    shunt_trace          *t = vm->trace;
    const shunt_program  *p = t->program;
    const shunt_earliest *e = &p->earliests[index];
    shunt_known           known = { 0 };
    shunt_value           least = { 0 };
    bool                  any = false;
    for (uint32_t i = 0; node && i < e->path_count; i++) {
        const shunt_date_path *path = &p->date_paths[e->path_first + i];
        const shunt_node      *child = path->child == SHUNT_NONE ? node : node->children[path->child].first;
        for (; child; child = path->child == SHUNT_NONE ? NULL : child->next) {
            bool              inner = path->child != SHUNT_NONE && path->grandchild != SHUNT_NONE;
            const shunt_node *at = inner ? child->children[path->grandchild].first : child;
            for (; at; at = inner ? at->next : NULL) {
                shunt_value    value;
                uint8_t        state = SHUNT_ABSENT;
                shunt_vm_place place = vm->place;
                if (shunt_vm_get(vm, at, path->slot, false, 0, &value, &state) != SHUNT_OK)
                    vm->place = place, state = SHUNT_ABSENT;
                if (state != SHUNT_PRESENT) continue;
                shunt_origin *origin = shunt_origin_value(t, at, path->slot);
                if (!any || value.integer < least.integer) {
                    known.because = shunt_origin_join(t, known.because, known.from);
                    known.from = origin;
                    least = value;
                    any = true;
                } else {
                    known.because = shunt_origin_join(t, known.because, origin);
                }
            }
        }
    }
    return known;
}

/* Earlier equal calls made the number what it is. */
static shunt_known of_occurrence(shunt_trace *t, const shunt_value *texts, const uint8_t *states, const shunt_known *known,
                                 uint32_t count)
{
    shunt_known all = of_several(t, known, count);
    uint64_t    hash = count;
    for (uint32_t i = 0; i < count; i++) {
        if (states[i] != SHUNT_PRESENT) return all;
        hash = shunt_mix(hash, shunt_text_hash(texts[i].text));
    }
    all = both(t, all, shunt_known_get(&t->occurrences, hash));
    shunt_known copy = { shunt_origin_copy(t, t->kept, all.from), shunt_origin_copy(t, t->kept, all.because), 0 };
    shunt_known_put(t, &t->occurrences, hash, copy);
    return all;
}

static void add_leg(shunt_vm *vm, shunt_known *known, const shunt_value *r, shunt_instruction i, uint32_t site)
{
    shunt_trace *t = vm->trace;
    if (t->leg_count == t->leg_capacity) {
        uint32_t         capacity = t->leg_capacity ? t->leg_capacity * 2 : 16;
        shunt_trace_leg *more = shunt_memory_resize(t->memory, t->legs, capacity * sizeof *more);
        if (!more) {
            t->no_memory = true;
            return;
        }
        t->legs = more;
        t->leg_capacity = capacity;
    }
    uint16_t         line = t->program->targets[vm->journal.target].line;
    uint32_t         columns = line == SHUNT_NONE ? 0 : t->program->records[line].field_count;
    shunt_trace_leg *leg = &t->legs[t->leg_count++];
    bool             remainder = i.b & 2;
    *leg = (shunt_trace_leg){
        .account = known[i.a], .amount = known[i.a + 1], .because = holding_now(t), .site = site, .remainder = remainder
    };
    leg->zero = !remainder && r[i.a + 1].coefficient == 0;
    leg->columns = SHUNT_NEW_N(t->arena, shunt_known, columns + 1u);
    if (!leg->columns) t->no_memory = true;
    for (uint32_t c = 0; c < columns && leg->columns; c++) {
        bool own = c + i.c < columns;
        if (!own && t->common == UINT32_MAX) continue;
        leg->columns[c] = known[(own ? i.a + 2u : t->common) + c];
        if (own) continue;
        leg->columns[c].because = shunt_origin_join(t, leg->columns[c].because, leg->because);
        leg->columns[c].site = site;
    }
}

static void about_to_hand_over(shunt_trace *t, const shunt_known *fields, const shunt_known *keys, bool journal)
{
    t->fields = fields;
    t->keys = keys;
    t->journal = journal;
    t->record_because = shunt_origin_join(t, t->decided, holding_now(t));
}

/* The instruction's own result, where it is not simply made of its operands. False: it is. */
static bool special(shunt_vm *vm, shunt_instruction i, const shunt_value *r, const uint8_t *s, shunt_known *known,
                    shunt_known *result)
{
    shunt_trace         *t = vm->trace;
    const shunt_program *p = t->program;
    *result = (shunt_known){ 0 };
    switch ((shunt_op)i.op) {
    case SHUNT_OP_LOADK:
    case SHUNT_OP_ABSENT:
    case SHUNT_OP_LIST_NEW: return true;
    case SHUNT_OP_GLOBAL_GET: *result = t->globals[i.b]; return true;
    case SHUNT_OP_GET:
    case SHUNT_OP_GET_OPTIONAL:
    case SHUNT_OP_GET_TEXT:
        *result = known[i.b];
        if (s[i.b] == SHUNT_PRESENT) result->from = shunt_origin_join(t, result->from, shunt_origin_value(t, r[i.b].node, i.c));
        return true;
    case SHUNT_OP_POSITION:
        *result = known[i.b];
        if (s[i.b] == SHUNT_PRESENT) result->from = shunt_origin_join(t, result->from, shunt_origin_position(t, r[i.b].node));
        return true;
    case SHUNT_OP_EARLIEST:
        *result = known[i.b];
        if (s[i.b] == SHUNT_PRESENT) *result = both(t, *result, of_earliest(vm, r[i.b].node, i.c));
        return true;
    case SHUNT_OP_SUM: /* and of the amounts, see finish: that there are these is because of the node */
        t->summed = (shunt_known){ 0 };
        *result = (shunt_known){ known[i.b].from, whole(t, known[i.b]), 0 };
        return true;
    case SHUNT_OP_TEXT_JOIN: *result = of_several(t, known + i.b, i.c); return true;
    case SHUNT_OP_LIST_FIRST: *result = of_item(t, &r[i.b], s[i.b], 0, known[i.b]); return true;
    case SHUNT_OP_NEXT:
        *result = of_item(t, &r[i.a], s[i.a], s[i.c] == SHUNT_PRESENT ? (uint64_t)r[i.c].integer : 0, known[i.a]);
        return true;
    case SHUNT_OP_RECALL:
        *result = of_item(t, &r[i.b], s[i.b], s[i.c] == SHUNT_PRESENT ? (uint64_t)r[i.c].integer - 1 : UINT64_MAX, *result);
        return true;
    case SHUNT_OP_ALLOCATE: /* each part is made of the amount and of all weights */
        *result = both(t, known[i.b], known[i.c]);
        for (uint32_t n = 0; s[i.c] == SHUNT_PRESENT && n < r[i.c].list.count; n++)
            *result = both(t, *result, of_item(t, &r[i.c], s[i.c], n, known[i.c]));
        return true;
    case SHUNT_OP_LIST_PUSH: /* that it is there, not what it is */
        *result = (shunt_known){ known[i.a].from, shunt_origin_join(t, known[i.a].because, known[i.b].because), 0 };
        return true;
    case SHUNT_OP_ROW_NEW: return true;
    case SHUNT_OP_FIELD: *result = of_field(t, r, s, known, i); return true;
    case SHUNT_OP_LOOKUP: {
        const shunt_table *table = &p->tables[i.c];
        *result = of_several(t, known + i.b, table->key_count + (table->flags & SHUNT_TABLE_EFFECTIVE ? 1u : 0u));
        return true;
    }
    case SHUNT_OP_DECIDE: *result = of_several(t, known + i.b, p->decisions[i.c].column_count); return true;
    case SHUNT_OP_TALLY_GET: *result = shares_of(t, i.b, 0); return true;
    case SHUNT_OP_OCCURRENCE: *result = of_occurrence(t, r + i.b, s + i.b, known + i.b, i.c); return true;
    case SHUNT_OP_EXTERN: *result = of_several(t, known + i.a, p->externs[i.b].param_count); return true;
    case SHUNT_OP_BUILTIN:
        *result = of_several(t, known + i.a, (uint32_t)(shunt_flow_result(p, i) - i.a));
        if (i.b == SHUNT_BUILTIN_FILE_ID || i.b == SHUNT_BUILTIN_RECEIVED_AT) result->from = shunt_origin_given(t, i.b);
        return true;
    default: return false;
    }
}

/* What has no result. True: this is such an instruction. */
static bool effect(shunt_vm *vm, shunt_instruction i, const shunt_value *r, const uint8_t *s, shunt_known *known, uint32_t site)
{
    shunt_trace *t = vm->trace;
    switch ((shunt_op)i.op) {
    case SHUNT_OP_GLOBAL_SET:
        t->globals[i.b] = known[i.a];
        t->globals[i.b].because = shunt_origin_join(t, known[i.a].because, holding_now(t));
        t->global_unit[i.b] = !t->keep;
        return true;
    case SHUNT_OP_REQUIRE: t->decided = shunt_origin_join(t, t->decided, whole(t, known[i.a])); return true;
    case SHUNT_OP_TALLY_ADD: {
        const shunt_tally *tally = &t->program->tallies[i.a];
        bool               grouped = tally->record != SHUNT_NONE;
        uint32_t           keys = grouped ? tally->keys + (uint32_t)tally->members : 0;
        bool               there = s[i.b] == SHUNT_PRESENT;
        for (uint32_t k = 0; k < keys; k++) there = there && s[i.c + k] == SHUNT_PRESENT;
        if (!there) return true;
        shunt_known share = known[i.b];
        share.because = shunt_origin_join(t, share.because, holding_now(t));
        for (uint32_t k = 0; k < keys; k++) share.because = shunt_origin_join(t, share.because, whole(t, known[i.c + k]));
        add_share(t, i.a, grouped ? group_hash(r + i.c, tally->keys) : 0, share);
        return true;
    }
    case SHUNT_OP_EMIT: about_to_hand_over(t, known + i.b, NULL, false); return true;
    case SHUNT_OP_JOURNAL:
        t->leg_count = 0;
        t->common = i.b & SHUNT_JOURNAL_COLUMNS ? i.c : UINT32_MAX;
        t->journal_because = NULL;
        return true;
    case SHUNT_OP_LINE: add_leg(vm, known, r, i, site); return true;
    case SHUNT_OP_POST: about_to_hand_over(t, known + i.a, known + i.b, true); return true;
    default: return shunt_flow_result(t->program, i) < 0;
    }
}

static bool is_branch(uint16_t op)
{
    return op == SHUNT_OP_JUMP_TRUE || op == SHUNT_OP_JUMP_FALSE || op == SHUNT_OP_JUMP_PRESENT || op == SHUNT_OP_JUMP_ABSENT ||
           op == SHUNT_OP_JUMP_CLEARED || op == SHUNT_OP_NEXT;
}

static void call(shunt_vm *vm, shunt_instruction i, shunt_known *known, uint16_t function)
{
    const shunt_program  *p = vm->program;
    const shunt_function *callee = &p->functions[i.b];
    shunt_known          *registers = known + p->functions[function].registers;
    for (uint32_t n = 0; n < callee->params; n++) registers[n] = known[i.a + n];
    memset(registers + callee->params, 0, sizeof *registers * (callee->registers - callee->params));
}

/* Back to the caller, whose frame lies below. */
static void give_back(shunt_vm *vm, shunt_known result, uint32_t frame)
{
    shunt_trace *t = vm->trace;
    result.because = shunt_origin_join(t, result.because, holding_now(t));
    if (frame == 0) {
        t->result = result;
        return;
    }
    const shunt_vm_frame *caller = &vm->frames[frame - 1];
    shunt_known          *known = t->registers + (caller->registers - vm->stack);
    known[caller->result] = result;
    while (t->holding_count && t->holding[t->holding_count - 1].frame >= frame) t->holding_count--;
}

/* Values that carry a class, and columns of rows that do. */
static bool holds_phi(shunt_trace *t, shunt_origin *from)
{
    const shunt_program *p = t->program;
    if (!shunt_origin_flatten(t, from)) return true;
    for (uint32_t i = 0; i < t->list_count; i++) {
        const shunt_origin *o = t->list[i];
        if (o->kind == SHUNT_ORIGIN_VALUE && p->slots[o->index].masked) return true;
        if (o->kind != SHUNT_ORIGIN_ROW) continue;
        const shunt_record_type *record = &p->records[p->tables[o->index].record];
        for (uint32_t f = 0; f < record->field_count; f++)
            if (p->fields[record->field_first + f].flags & SHUNT_FIELD_MASKED) return true;
        if (o->size) return true;
    }
    return false;
}

/* The keys of a row that lineage does not show, a bit each: what finds the row is equal to them. */
static uint32_t masked_keys(shunt_trace *t, const shunt_table *table, const shunt_known *keys)
{
    uint32_t masked = 0;
    for (uint32_t k = 0; k < table->key_count; k++)
        if (keys[k].from && holds_phi(t, keys[k].from)) masked |= 1u << k;
    return masked;
}

void shunt_trace_step(shunt_vm *vm, uint16_t function, uint32_t at, uint32_t frame, const shunt_value *r, const uint8_t *s)
{
    shunt_trace         *t = vm->trace;
    const shunt_program *p = t->program;
    uint32_t             index = p->functions[function].code_first + at;
    shunt_instruction    i = p->instructions[index];
    shunt_known         *known = t->registers + (r - vm->stack);
    uint32_t             site = p->instruction_sites_count ? p->instruction_sites[index] : 0;
    if (t->pending.op != SHUNT_OP_NOP) finish(vm);
    let_go(t, at, frame);
    shunt_known result;
    bool        has = false;
    if (i.op == SHUNT_OP_CALL) {
        call(vm, i, known, function);
        return;
    }
    if (i.op == SHUNT_OP_RETURN) {
        give_back(vm, known[i.a], frame);
        return;
    }
    if (i.op == SHUNT_OP_NEXT || !is_branch(i.op)) {
        if (!effect(vm, i, r, s, known, site) && !(has = special(vm, i, r, s, known, &result))) {
            const struct shunt_op_info *info = &shunt_op_info[i.op];
            result = (shunt_known){ 0 };
            if (is_register(info->b)) result = both(t, result, (shunt_known){ known[i.b].from, known[i.b].because, 0 });
            if (is_register(info->c)) result = both(t, result, (shunt_known){ known[i.c].from, known[i.c].because, 0 });
            has = true;
        }
    }
    t->pending = (shunt_pending){ .op = i.op, .a = i.a, .b = i.b, .c = i.c, .registers = r, .states = s, .known = known };
    if (i.op == SHUNT_OP_LIST_PUSH && s[i.a] == SHUNT_PRESENT)
        t->pending.items = r[i.a].list.items, t->pending.count = r[i.a].list.count;
    if (i.op == SHUNT_OP_KEEP && s[i.b] == SHUNT_PRESENT)
        t->pending.items = r[i.b].list.items, t->pending.count = r[i.b].list.count;
    if (i.op == SHUNT_OP_LOOKUP) t->pending.count = masked_keys(t, &p->tables[i.c], known + i.b);
    if (i.op == SHUNT_OP_ROW_NEW) t->pending.count = p->functions[function].type_first + i.a;
    if (has) {
        int to = shunt_flow_result(p, i);
        if (i.op == SHUNT_OP_NEXT) to = i.b;
        shunt_origin *condition = i.op == SHUNT_OP_NEXT ? whole(t, known[i.a]) : NULL;
        if (to >= 0) {
            result.because = shunt_origin_join(t, result.because, holding_now(t));
            result.site = site;
            known[to] = result;
        }
        if (condition) branch(t, function, at, frame, known, condition);
    } else if (is_branch(i.op)) {
        branch(t, function, at, frame, known, whole(t, known[i.a]));
    }
}

/* ---- rows of collectors ---- */

static const shunt_captured *captured_of(const shunt_program *p, const shunt_node *node, uint16_t slot)
{
    return &node->slots[slot - p->frames[p->slots[slot].frame].slot_first];
}

/* The first alternative that has a value, and those before it that have none. */
static shunt_known of_first(shunt_trace *t, const shunt_collect_field *field, const shunt_node *outer, const shunt_node *line)
{
    const shunt_alternative *way = t->program->alternatives + field->slot, *end = way + field->child;
    shunt_known              known = { 0 };
    for (; way < end; way++) {
        const shunt_node *node = way->line ? line : outer;
        if (node && way->child != SHUNT_NONE) node = node->children[way->child].first;
        if (!node) continue;
        const shunt_captured *captured = captured_of(t->program, node, way->slot);
        if (captured->bytes && captured->length) {
            known.from = shunt_origin_value(t, node, way->slot);
            return known;
        }
    }
    return known;
}

static shunt_known of_collected(shunt_trace *t, const shunt_collect_field *field, const shunt_node *outer,
                                const shunt_node *group, const shunt_node *line, const shunt_node *inner)
{
    const shunt_program *p = t->program;
    shunt_known          known = { 0 };
    const shunt_node    *node = NULL;
    switch ((shunt_collect_from)field->from) {
    case SHUNT_COLLECT_GROUP: node = group; break;
    case SHUNT_COLLECT_LINE:
        if (line && line->frame == p->slots[field->slot].frame) node = line;
        if (!node && inner && inner->frame == p->slots[field->slot].frame) node = inner;
        break;
    case SHUNT_COLLECT_POSITION:
        if (line || field->slot) known.from = shunt_origin_position(t, line ? line : outer);
        return known;
    case SHUNT_COLLECT_FIRST: return of_first(t, field, outer, line);
    case SHUNT_COLLECT_LEVEL:
    case SHUNT_COLLECT_ORDINAL:
    case SHUNT_COLLECT_UNREAD: return known;
    }
    if (node) known.from = shunt_origin_value(t, node, field->slot);
    return known;
}

void shunt_trace_row(shunt_vm *vm, const shunt_collect *collect, const shunt_row *row, const shunt_node *outer,
                     const shunt_node *group, const shunt_node *line, const shunt_node *inner)
{
    shunt_trace               *t = vm->trace;
    const shunt_program       *p = t->program;
    const shunt_collect_field *from = p->collect_fields + collect->field_first;
    for (uint32_t f = 0; f < p->records[collect->record].field_count; f++)
        shunt_known_cell_put(t, &row->fields[f], of_collected(t, &from[f], outer, group, line, inner));
}

void shunt_trace_sum(shunt_vm *vm, const shunt_value *list, uint16_t field)
{
    shunt_trace *t = vm->trace;
    for (uint32_t i = 0; i < list->list.count; i++)
        t->summed = both(t, t->summed, shunt_known_cell(t, &list->list.items[i].row->fields[field]));
}
