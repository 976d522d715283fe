/* emit_tidy.c - what is done to the instructions of a function when all of them are there:
 *   a collector whose rows are read in part makes only that part;
 *   registers that only hand a value on become the register it is handed to;
 *   what nothing leads to is left out. */
#include "dsl/emit_state.h"
#include "engine/vm/uses.h"

enum { READ = 1, WRITE = 2, PARTLY = 4 /* on some ways what was there stays */ };
enum { BITS_AT_MOST = 1 << 25, WORD = 64 };

/* ---- what an instruction does to registers ---- */

typedef void visitor(void *context, uint16_t *reg, unsigned how);

static uint16_t run_length(const shunt_emit_fn *f, uint16_t first)
{
    uint32_t low = 0, high = f->runs.count; /* they were made in this order */
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (f->runs.items[middle].first == first) return f->runs.items[middle].count;
        if (f->runs.items[middle].first < first)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

static void visit_run(const shunt_emit_fn *f, uint16_t first, bool result, visitor *visit, void *context)
{
    uint16_t count = run_length(f, first);
    for (uint16_t i = 0; i < count; i++) {
        uint16_t reg = (uint16_t)(first + i);
        visit(context, &reg, result && i + 1 == count ? WRITE : READ);
    }
}

static bool is_register(uint8_t operand) { return (operand >= SHUNT_OPERAND_BOOL && operand <= SHUNT_OPERAND_ITEM); }

/* Registers of a run are shown as copies: they never become others. */
static void visit_registers(const shunt_emit_fn *f, shunt_instruction *i, visitor *visit, void *context)
{
    const struct shunt_op_info *info = &shunt_op_info[i->op];
    switch ((shunt_op)i->op) {
    case SHUNT_OP_NEXT:
        visit(context, &i->a, READ);
        visit(context, &i->b, WRITE | PARTLY);
        visit(context, &i->c, READ | WRITE);
        return;
    case SHUNT_OP_LIST_PUSH:
        visit(context, &i->b, READ);
        visit(context, &i->a, READ | WRITE);
        return;
    case SHUNT_OP_KEEP:
        visit(context, &i->a, READ);
        visit(context, &i->c, READ);
        visit(context, &i->b, READ | WRITE);
        return;
    case SHUNT_OP_CALL:
    case SHUNT_OP_EXTERN:
    case SHUNT_OP_BUILTIN: visit_run(f, i->a, true, visit, context); return;
    case SHUNT_OP_CORRELATE:
    case SHUNT_OP_LINE: visit_run(f, i->a, false, visit, context); return;
    case SHUNT_OP_JOURNAL:
        if (i->b & SHUNT_JOURNAL_COLUMNS) visit_run(f, i->c, false, visit, context);
        return;
    case SHUNT_OP_POST: visit_run(f, i->a, false, visit, context); break;
    case SHUNT_OP_TALLY_ADD:
        visit(context, &i->b, READ);
        if (run_length(f, i->c)) /* several keys; one is a register like any other */
            visit_run(f, i->c, false, visit, context);
        else if (i->c)
            visit(context, &i->c, READ);
        return;
    default: break;
    }
    if (info->b == SHUNT_OPERAND_BASE) visit_run(f, i->b, false, visit, context);
    if (is_register(info->b)) visit(context, &i->b, READ);
    if (is_register(info->c)) visit(context, &i->c, READ);
    if (is_register(info->a)) visit(context, &i->a, shunt_op_reads_a(i->op) ? READ : WRITE);
}

/* ---- ways through a function ---- */

static bool ends(uint16_t op)
{
    return op == SHUNT_OP_JUMP || op == SHUNT_OP_RETURN || op == SHUNT_OP_FINISH || op == SHUNT_OP_EXIT ||
           op == SHUNT_OP_UNMATCHED;
}

static uint32_t target_of(shunt_instruction i) { return (uint32_t)i.b | (uint32_t)i.c << 16; }

/* Where instruction `at` may lead; at most three. */
static uint32_t ways_on(const shunt_emit_fn *f, uint32_t at, uint32_t to[static 3])
{
    shunt_instruction i = f->code.items[at];
    uint32_t          count = 0;
    if (shunt_is_jump(i.op)) to[count++] = target_of(i);
    if (!ends(i.op)) to[count++] = at + 1;
    if (i.op == SHUNT_OP_NEXT) to[count++] = at + 2;
    uint32_t inside = 0;
    for (uint32_t k = 0; k < count; k++)
        if (to[k] < f->code.count) to[inside++] = to[k];
    return inside;
}

/* ---- collectors ---- */

typedef struct reader {
    uint16_t reg;
    bool     seen, written;
} reader;

static void look_for(void *context, uint16_t *reg, unsigned how)
{
    reader *r = context;
    if (*reg != r->reg) return;
    if (how & READ) r->seen = true;
    if (how & WRITE) r->written = true;
}

static bool reads(const shunt_emit_fn *f, shunt_instruction i, uint16_t reg)
{
    reader r = { .reg = reg };
    visit_registers(f, &i, look_for, &r);
    return r.seen;
}

/* Adds the fields that a pass reads of its items; false where a whole row goes elsewhere. */
static bool fields_of_pass(const shunt_emit_fn *f, uint32_t next, uint64_t *fields)
{
    uint16_t item = f->code.items[next].b;
    uint32_t end = next + 1 < f->code.count ? target_of(f->code.items[next + 1]) : 0;
    for (uint32_t i = next + 2; i < end && i < f->code.count; i++) {
        shunt_instruction at = f->code.items[i];
        if (!reads(f, at, item)) continue;
        if (at.op != SHUNT_OP_FIELD || at.c >= 64) return false;
        *fields |= UINT64_C(1) << at.c;
    }
    return true;
}

static bool fields_of_list(const shunt_emit_fn *f, uint16_t list, uint64_t *fields)
{
    for (uint32_t i = 0; i < f->code.count; i++) {
        shunt_instruction at = f->code.items[i];
        if (!reads(f, at, list) || at.op == SHUNT_OP_LIST_COUNT) continue;
        if (at.op != SHUNT_OP_NEXT || at.a != list || !fields_of_pass(f, i, fields)) return false;
    }
    return true;
}

/* A value that neither fails nor warns where it is read. */
static bool reads_silently(shunt_emitter *e, shunt_emit_slot at)
{
    const shunt_plan_slot *slot = at.slot == SHUNT_NONE ? NULL : shunt_plan_maker_slot_at(e->plan, at.frame, at.slot);
    return slot && slot->convert == SHUNT_CONVERT_TEXT && slot->codes == SHUNT_NONE;
}

static bool may_be_left_out(shunt_emitter *e, uint32_t index)
{
    const shunt_collect_field *field = &e->collect_fields.items[index];
    switch ((shunt_collect_from)field->from) {
    case SHUNT_COLLECT_LEVEL:
    case SHUNT_COLLECT_POSITION:
    case SHUNT_COLLECT_ORDINAL: return true;
    case SHUNT_COLLECT_GROUP:
    case SHUNT_COLLECT_LINE: return reads_silently(e, e->collect_slots.items[index]);
    case SHUNT_COLLECT_FIRST:
        for (uint32_t k = 0; k < field->child; k++)
            if (!reads_silently(e, e->alternative_slots.items[field->slot + k])) return false;
        return true;
    case SHUNT_COLLECT_UNREAD: break;
    }
    return false;
}

static bool same_fields(const shunt_emitter *e, uint32_t a, uint32_t b, uint32_t count)
{
    for (uint32_t k = 0; k < count; k++)
        if (e->collect_fields.items[a + k].from != e->collect_fields.items[b + k].from) return false;
    return true;
}

/* The collector, with these fields alone: a copy where fields fall away. */
static uint16_t narrowed(shunt_emitter *e, uint16_t number, uint64_t fields)
{
    shunt_collect collect = e->collects.items[number];
    uint32_t      count = e->records.items[collect.record].field_count, first = e->collect_fields.count;
    uint32_t      left_out = 0;
    fields |= collect.twice ? 3 : 0;
    for (uint32_t k = 0; k < count; k++) {
        uint32_t             from = collect.field_first + k;
        bool                 unread = k < 64 && !(fields >> k & 1) && k != collect.needed && may_be_left_out(e, from);
        shunt_collect_field  field = e->collect_fields.items[from];
        shunt_emit_slot      slot = e->collect_slots.items[from];
        shunt_collect_field *made = SHUNT_EMIT_NEW(e, &e->collect_fields);
        shunt_emit_slot     *made_slot = SHUNT_EMIT_NEW(e, &e->collect_slots);
        *made = unread ? (shunt_collect_field){ .from = SHUNT_COLLECT_UNREAD } : field;
        *made_slot = unread ? (shunt_emit_slot){ SHUNT_NONE, SHUNT_NONE } : slot;
        left_out += unread;
    }
    if (shunt_emit_failed(e)) return number;
    collect.field_first = first;
    for (uint32_t k = 0; k < e->collects.count && left_out; k++) {
        shunt_collect like = e->collects.items[k];
        uint32_t      fields_at = like.field_first;
        like.field_first = first;
        if (memcmp(&like, &collect, sizeof like) != 0 || !same_fields(e, fields_at, first, count)) continue;
        e->collect_fields.count = e->collect_slots.count = first;
        return (uint16_t)k;
    }
    if (left_out == 0) {
        e->collect_fields.count = e->collect_slots.count = first;
        return number;
    }
    shunt_collect *made = SHUNT_EMIT_NEW(e, &e->collects);
    *made = collect;
    return shunt_emit_number(e, e->collects.count - 1);
}

static void narrow_collectors(shunt_emit_fn *f)
{
    for (uint32_t i = 0; i < f->code.count; i++) {
        shunt_instruction *at = &f->code.items[i];
        uint64_t           fields = 0;
        if (at->op == SHUNT_OP_SUM) at->c = narrowed(f->e, at->c, 0);
        if (at->op != SHUNT_OP_COLLECT || !fields_of_list(f, at->a, &fields)) continue;
        at->c = narrowed(f->e, at->c, fields);
    }
}

/* ---- registers that hand on ---- */

typedef struct sets {
    shunt_emit_fn *f;
    uint32_t       words;  /* of a set of registers */
    uint64_t      *live;   /* before each instruction */
    uint64_t      *apart;  /* for each register: those that hold something else while it holds something */
    uint64_t      *now;    /* live behind the instruction that is looked at */
    uint16_t      *become; /* for each register */
    uint16_t       moved;  /* source of the MOVE that is looked at; SHUNT_NONE */
} sets;

static bool has(const uint64_t *set, uint32_t n) { return set[n / WORD] >> n % WORD & 1; }
static void add(uint64_t *set, uint32_t n) { set[n / WORD] |= UINT64_C(1) << n % WORD; }

static void leave_live(void *context, uint16_t *reg, unsigned how)
{
    sets *s = context;
    if ((how & WRITE) && !(how & (PARTLY | READ))) s->now[*reg / WORD] &= ~(UINT64_C(1) << *reg % WORD);
}

static void enter_live(void *context, uint16_t *reg, unsigned how)
{
    sets *s = context;
    if (how & READ) add(s->now, *reg);
}

static void behind(const sets *s, uint32_t at)
{
    uint32_t to[3], count = ways_on(s->f, at, to);
    memset(s->now, 0, s->words * sizeof *s->now);
    for (uint32_t k = 0; k < count; k++)
        for (uint32_t w = 0; w < s->words; w++) s->now[w] |= s->live[(size_t)to[k] * s->words + w];
}

/* Backwards until nothing changes: the way back to a NEXT asks for one more time a level. */
static void find_live(sets *s)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t i = s->f->code.count; i > 0; i--) {
            uint64_t *before = s->live + (size_t)(i - 1) * s->words;
            behind(s, i - 1);
            visit_registers(s->f, &s->f->code.items[i - 1], leave_live, s);
            visit_registers(s->f, &s->f->code.items[i - 1], enter_live, s);
            if (memcmp(before, s->now, s->words * sizeof *before) == 0) continue;
            memcpy(before, s->now, s->words * sizeof *before);
            changed = true;
        }
    }
}

static void set_apart(sets *s, uint32_t a, uint32_t b)
{
    add(s->apart + (size_t)a * s->words, b);
    add(s->apart + (size_t)b * s->words, a);
}

static void write_apart(void *context, uint16_t *reg, unsigned how)
{
    sets *s = context;
    if (!(how & WRITE)) return;
    for (uint32_t w = 0; w < s->words; w++) {
        for (uint64_t others = s->now[w]; others; others &= others - 1) {
            uint32_t other = w * WORD + (uint32_t)__builtin_ctzll(others);
            if (other != *reg && other != s->moved) set_apart(s, *reg, other);
        }
    }
}

static void find_apart(sets *s)
{
    const shunt_emit_fn *f = s->f;
    for (uint32_t i = 0; i < f->code.count; i++) {
        shunt_instruction at = f->code.items[i];
        behind(s, i);
        s->moved = at.op == SHUNT_OP_MOVE ? at.b : SHUNT_NONE;
        visit_registers(f, &at, write_apart, s);
        if (at.op == SHUNT_OP_NEXT) set_apart(s, at.b, at.c);
    }
    /* Registers that are read before they are written begin absent, parameters as they were given. */
    for (uint32_t a = 0; a < f->regs.count; a++) {
        if (!has(s->live, a) && a >= f->params) continue;
        for (uint32_t b = 0; b < f->regs.count; b++)
            if (a != b && (has(s->live, b) || b < f->params)) set_apart(s, a, b);
    }
}

static uint16_t now_is(const sets *s, uint16_t reg)
{
    while (s->become[reg] != reg) reg = s->become[reg];
    return reg;
}

static void become(void *context, uint16_t *reg, unsigned how)
{
    (void)how;
    *reg = now_is(context, *reg);
}

static bool stays(const shunt_emit_fn *f, uint16_t reg) { return reg < f->params || f->regs.items[reg].in_run; }

static void join(sets *s, shunt_instruction move)
{
    const shunt_emit_fn *f = s->f;
    uint16_t             a = now_is(s, move.a), b = now_is(s, move.b);
    shunt_type           type = f->regs.items[a].type;
    if (a == b || !shunt_emit_same(type, f->regs.items[b].type) || (stays(f, a) && stays(f, b))) return;
    if (type.kind == SHUNT_KIND_NODE || type.kind == SHUNT_KIND_LIST) return; /* exits name nodes; lists grow in place */
    if (has(s->apart + (size_t)a * s->words, b)) return;
    uint16_t kept = stays(f, b) ? b : a, gone = kept == a ? b : a;
    s->become[gone] = kept;
    for (uint32_t r = 0; r < f->regs.count; r++)
        if (has(s->apart + (size_t)gone * s->words, r)) set_apart(s, kept, now_is(s, (uint16_t)r)), set_apart(s, kept, r);
}

static void join_registers(shunt_emit_fn *f)
{
    sets     s = { .f = f, .words = (f->regs.count + WORD - 1) / WORD };
    uint64_t bits = ((uint64_t)f->code.count + f->regs.count + 1) * s.words * WORD;
    bool     moves = false;
    for (uint32_t i = 0; i < f->code.count; i++) moves = moves || f->code.items[i].op == SHUNT_OP_MOVE;
    if (!moves || bits > BITS_AT_MOST) return;
    const shunt_memory *memory = f->e->c->memory;
    s.live = (uint64_t *)shunt_memory_zeroed(memory, bits / WORD, sizeof *s.live);
    s.become = (uint16_t *)shunt_memory_zeroed(memory, f->regs.count, sizeof *s.become);
    if (s.live && s.become) {
        s.apart = s.live + (size_t)f->code.count * s.words;
        s.now = s.apart + (size_t)f->regs.count * s.words;
        for (uint32_t r = 0; r < f->regs.count; r++) s.become[r] = (uint16_t)r;
        find_live(&s);
        find_apart(&s);
        for (uint32_t i = 0; i < f->code.count; i++)
            if (f->code.items[i].op == SHUNT_OP_MOVE) join(&s, f->code.items[i]);
        for (uint32_t i = 0; i < f->code.count; i++) visit_registers(f, &f->code.items[i], become, &s);
    } else {
        f->e->no_memory = true;
    }
    shunt_memory_free(memory, s.live);
    shunt_memory_free(memory, s.become);
}

/* ---- what is left out ---- */

static void mark_reached(shunt_emit_fn *f, bool *reached)
{
    reached[0] = true;
    for (bool changed = true; changed;) { /* a second time only for what is reached by way back alone */
        changed = false;
        for (uint32_t i = 0; i < f->code.count; i++) {
            uint32_t to[3], count = reached[i] ? ways_on(f, i, to) : 0;
            for (uint32_t k = 0; k < count; k++) {
                if (reached[to[k]]) continue;
                reached[to[k]] = true;
                changed = changed || to[k] < i;
            }
        }
    }
}

static bool is_empty(shunt_instruction i) { return i.op == SHUNT_OP_NOP || (i.op == SHUNT_OP_MOVE && i.a == i.b); }

static void leave_out(shunt_emit_fn *f)
{
    const shunt_memory *memory = f->e->c->memory;
    bool               *reached = (bool *)shunt_memory_zeroed(memory, f->code.count + 1, sizeof *reached);
    uint32_t           *place = (uint32_t *)shunt_memory_zeroed(memory, f->code.count + 1, sizeof *place), kept = 0;
    if (reached && place && f->code.count) {
        mark_reached(f, reached);
        for (uint32_t i = 0; i < f->code.count; i++) {
            place[i] = kept;
            if (reached[i] && !is_empty(f->code.items[i])) kept++;
        }
        for (uint32_t i = 0; i < f->code.count; i++) {
            shunt_instruction at = f->code.items[i];
            if (!reached[i] || is_empty(at)) continue;
            if (shunt_is_jump(at.op)) {
                uint32_t to = place[target_of(at)];
                at.b = (uint16_t)(to & 0xffff);
                at.c = (uint16_t)(to >> 16);
            }
            f->code.items[place[i]] = at;
            f->sites.items[place[i]] = f->sites.items[i];
        }
        f->code.count = f->sites.count = kept;
    } else if (f->code.count) {
        f->e->no_memory = true;
    }
    shunt_memory_free(memory, reached);
    shunt_memory_free(memory, place);
}

/* ---- registers that nothing names any more ---- */

typedef struct numbering {
    uint16_t *number; /* for each register: 1 while it is only known that it is used, then its new number */
} numbering;

static void mark_used(void *context, uint16_t *reg, unsigned how)
{
    const numbering *n = context;
    (void)how;
    n->number[*reg] = 1;
}

static void renumber(void *context, uint16_t *reg, unsigned how)
{
    const numbering *n = context;
    (void)how;
    *reg = n->number[*reg];
}

static bool names_node(const shunt_emitter *e, uint32_t exit) { return e->exit_slots.items[exit].slot != SHUNT_NONE; }

static void number_anew(shunt_emit_fn *f, numbering *n)
{
    shunt_emitter *e = f->e;
    uint16_t       count = 0;
    for (uint32_t r = 0; r < f->regs.count; r++) {
        if (r >= f->params && !n->number[r]) continue;
        n->number[r] = count;
        f->regs.items[count++] = f->regs.items[r];
    }
    for (uint32_t i = 0; i < f->code.count; i++) {
        shunt_instruction *at = &f->code.items[i];
        uint16_t           a = at->a, b = at->b, c = at->c;
        bool               run_a = shunt_op_info[at->op].a == SHUNT_OPERAND_BASE && run_length(f, a),
             run_b = shunt_op_info[at->op].b == SHUNT_OPERAND_BASE && run_length(f, b),
             run_c = shunt_op_info[at->op].c == SHUNT_OPERAND_BASE && run_length(f, c);
        visit_registers(f, at, renumber, n);
        if (run_a) at->a = n->number[a];
        if (run_b) at->b = n->number[b];
        if (run_c) at->c = n->number[c];
    }
    for (uint32_t i = f->exits_before; i < e->exits.count; i++)
        if (names_node(e, i)) e->exits.items[i].node = n->number[e->exits.items[i].node];
    f->regs.count = count;
}

/* Registers of a run are used together or not at all, so it stays in a row. */
static void drop_registers(shunt_emit_fn *f)
{
    numbering n = { .number = (uint16_t *)shunt_memory_zeroed(f->e->c->memory, f->regs.count + 1u, sizeof *n.number) };
    if (!n.number) {
        f->e->no_memory = true;
        return;
    }
    for (uint32_t i = 0; i < f->code.count; i++) visit_registers(f, &f->code.items[i], mark_used, &n);
    for (uint32_t i = f->exits_before; i < f->e->exits.count; i++)
        if (names_node(f->e, i)) n.number[f->e->exits.items[i].node] = 1;
    number_anew(f, &n);
    shunt_memory_free(f->e->c->memory, n.number);
}

/* ---- what comes first ---- */

static void put_first(shunt_emit_fn *f)
{
    uint32_t count = f->first.count, size = f->code.count;
    for (uint32_t i = 0; i < count; i++) shunt_emit_op(f, SHUNT_OP_NOP, 0, 0, 0);
    if (count == 0 || shunt_emit_failed(f->e)) return;
    for (uint32_t i = size; i > 0; i--) {
        shunt_instruction at = f->code.items[i - 1];
        if (shunt_is_jump(at.op)) {
            uint32_t to = target_of(at) + count;
            at.b = (uint16_t)(to & 0xffff);
            at.c = (uint16_t)(to >> 16);
        }
        f->code.items[i - 1 + count] = at;
        f->sites.items[i - 1 + count] = f->sites.items[i - 1];
    }
    for (uint32_t i = 0; i < count; i++) {
        const shunt_emit_known *first = &f->first.items[i];
        f->code.items[i] = (shunt_instruction){ first->op, first->reg, first->b, 0 };
        f->sites.items[i] = f->sites.items[count];
    }
}

void shunt_emit_tidy(shunt_emit_fn *f)
{
    put_first(f);
    if (shunt_emit_failed(f->e)) return;
    narrow_collectors(f);
    join_registers(f);
    leave_out(f);
    if (!shunt_emit_failed(f->e)) drop_registers(f);
}
