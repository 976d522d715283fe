#include "dsl/emit_state.h"

/* A register that holds one value alone can become the one it is handed to (emit_tidy.c), so used ones are taken again only in
 * functions that are long. */
enum { REGISTERS_AT_MOST = 4096, FRESH_REGISTERS = 512 };

/* ---- numbers that must fit ---- */

uint16_t shunt_emit_number(shunt_emitter *e, uint32_t number)
{
    if (number >= SHUNT_NONE) {
        e->too_large = true;
        return 0;
    }
    return (uint16_t)number;
}

void *shunt_emit_more(shunt_emitter *e, void *item, size_t size)
{
    if (item) return item;
    e->no_memory = true;
    return memset(e->spare, 0, size <= sizeof e->spare ? size : sizeof e->spare);
}

bool shunt_emit_failed(const shunt_emitter *e)
{
    return e->no_memory || e->too_large || e->wrong || shunt_plan_maker_status(e->plan) != SHUNT_OK;
}

void shunt_emit_unsupported(shunt_emitter *e, shunt_span span, const char *what)
{
    e->wrong = true;
    shunt_diag_add(e->c->diags, SHUNT_E0001, span, "%s is not in this version", what);
}

/* ---- texts and constants ---- */

shunt_text shunt_emit_made_text(shunt_emitter *e, shunt_text text)
{
    if (!text.bytes) e->no_memory = true;
    return text;
}

uint16_t shunt_emit_text(shunt_emitter *e, shunt_text text)
{
    uint32_t number;
    if (!shunt_intern_add(e->texts, text, &number)) {
        e->no_memory = true;
        return 0;
    }
    return shunt_emit_number(e, number);
}

uint16_t shunt_emit_constant(shunt_emitter *e, shunt_type type, shunt_value value)
{
    struct {
        shunt_type type;
        uint64_t   low, high;
    } key;
    memset(&key, 0, sizeof key);
    key.type = type;
    key.low = (uint64_t)(unsigned __int128)value.coefficient;
    key.high = (uint64_t)((unsigned __int128)value.coefficient >> 64);
    uint32_t number;
    if (!shunt_intern_add(e->constant_keys, (shunt_text){ (const char *)&key, sizeof key }, &number)) {
        e->no_memory = true;
        return 0;
    }
    if (number == e->constants.count) {
        shunt_constant *constant = SHUNT_EMIT_NEW(e, &e->constants);
        constant->type = type;
        constant->value = value;
    }
    return shunt_emit_number(e, number);
}

uint16_t shunt_emit_text_constant(shunt_emitter *e, shunt_text text)
{
    shunt_value value = { 0 };
    value.integer = shunt_emit_text(e, text);
    return shunt_emit_constant(e, (shunt_type){ .kind = SHUNT_KIND_TEXT }, value);
}

/* ---- sites ---- */

/* Line and column, both from 1; the column counts characters. */
static void place_of(shunt_emitter *e, shunt_span span, uint32_t *line, uint32_t *column)
{
    const uint32_t *starts = e->line_starts_of[span.file].items;
    uint32_t        low = 0, high = e->line_starts_of[span.file].count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (starts[middle] <= span.begin)
            low = middle;
        else
            high = middle;
    }
    shunt_text before = { e->c->modules[span.file].source.bytes + starts[low], span.begin - starts[low] };
    *line = low + 1;
    *column = shunt_utf8_count(before) + 1;
}

uint32_t shunt_emit_site(shunt_emitter *e, shunt_span span, uint16_t step)
{
    struct {
        uint32_t file, begin, step;
    } key = { span.file, span.begin, step };
    uint32_t number;
    if (e->no_memory || span.file >= e->c->module_count) return 0;
    if (!shunt_intern_add(e->site_keys, (shunt_text){ (const char *)&key, sizeof key }, &number)) {
        e->no_memory = true;
        return 0;
    }
    if (number + 1 == e->sites.count) { /* new: site 0 is "none" */
        shunt_site *site = SHUNT_EMIT_NEW(e, &e->sites);
        site->file = shunt_emit_text(e, e->c->modules[span.file].file);
        site->step = step;
        place_of(e, span, &site->line, &site->column);
    }
    return number + 1;
}

/* ---- functions ---- */

shunt_emit_fn *shunt_emit_fn_new(shunt_emitter *e, shunt_emit_phase phase)
{
    shunt_emit_fn *f = SHUNT_NEW(e->arena, shunt_emit_fn);
    if (!f) {
        e->no_memory = true;
        return NULL;
    }
    f->e = e;
    f->phase = phase;
    f->least = phase == SHUNT_PHASE_UNIT || phase == SHUNT_PHASE_PURE || phase == SHUNT_PHASE_TALLY ? SHUNT_SCOPE_UNIT
                                                                                                    : SHUNT_SCOPE_TRANSACTION;
    f->node = f->step = f->item = SHUNT_NONE;
    f->read_slot = SHUNT_NONE;
    f->exits_before = e->exits.count;
    return f;
}

uint32_t shunt_emit_op(shunt_emit_fn *f, shunt_op op, uint16_t a, uint16_t b, uint16_t c)
{
    shunt_instruction *instruction = SHUNT_EMIT_NEW(f->e, &f->code);
    *instruction = (shunt_instruction){ (uint16_t)op, a, b, c };
    uint32_t *site = SHUNT_EMIT_NEW(f->e, &f->sites);
    *site = shunt_emit_site(f->e, f->span, f->step);
    return f->code.count ? f->code.count - 1 : 0;
}

bool shunt_emit_same(shunt_type a, shunt_type b)
{
    return a.kind == b.kind && a.element == b.element && a.scale == b.scale && a.record == b.record && a.extra == b.extra;
}

shunt_type shunt_emit_type_of(const shunt_emit_fn *f, uint16_t reg)
{
    return reg < f->regs.count ? f->regs.items[reg].type : (shunt_type){ 0 };
}

static uint16_t new_register(shunt_emit_fn *f, shunt_type type, bool in_run)
{
    if (f->regs.count >= REGISTERS_AT_MOST) {
        f->e->too_large = true;
        return 0;
    }
    shunt_emit_reg *reg = SHUNT_EMIT_NEW(f->e, &f->regs);
    *reg = (shunt_emit_reg){ type, true, in_run };
    return f->regs.count ? (uint16_t)(f->regs.count - 1) : 0;
}

static uint16_t take_register(shunt_emit_fn *f, shunt_type type)
{
    for (uint32_t i = 0; i < f->regs.count && f->regs.count >= FRESH_REGISTERS && !f->e->too_large; i++) {
        shunt_emit_reg *reg = &f->regs.items[i];
        if (reg->busy || reg->in_run || !shunt_emit_same(reg->type, type)) continue;
        reg->busy = true;
        return (uint16_t)i;
    }
    return new_register(f, type, false);
}

uint16_t shunt_emit_param(shunt_emit_fn *f, shunt_type type)
{
    f->params++;
    return new_register(f, type, false);
}

uint16_t shunt_emit_temp(shunt_emit_fn *f, shunt_type type)
{
    uint16_t        reg = take_register(f, type);
    shunt_emit_run *run = SHUNT_EMIT_NEW(f->e, &f->temps);
    *run = (shunt_emit_run){ reg, 1 };
    return reg;
}

uint16_t shunt_emit_kept(shunt_emit_fn *f, shunt_type type)
{
    uint16_t        reg = take_register(f, type);
    shunt_emit_run *run = SHUNT_EMIT_NEW(f->e, &f->kept);
    *run = (shunt_emit_run){ reg, 1 };
    return reg;
}

static bool run_fits(const shunt_emit_fn *f, shunt_emit_run run, const shunt_type *types, uint32_t count)
{
    if (run.count != count) return false;
    for (uint32_t i = 0; i < count; i++)
        if (!shunt_emit_same(f->regs.items[run.first + i].type, types[i])) return false;
    return true;
}

uint16_t shunt_emit_run_of(shunt_emit_fn *f, const shunt_type *types, uint32_t count)
{
    if (count == 0) return 0;
    if (count > REGISTERS_AT_MOST) {
        f->e->too_large = true;
        return 0;
    }
    shunt_emit_run run = { 0, (uint16_t)count };
    bool           found = false;
    for (uint32_t i = 0; i < f->free_runs.count && !found; i++) {
        if (!run_fits(f, f->free_runs.items[i], types, count)) continue;
        run = f->free_runs.items[i];
        found = true;
        f->free_runs.items[i] = f->free_runs.items[--f->free_runs.count];
    }
    if (!found) {
        run.first = new_register(f, types[0], true);
        for (uint32_t i = 1; i < count; i++) new_register(f, types[i], true);
        shunt_emit_run *made = SHUNT_EMIT_NEW(f->e, &f->runs);
        *made = run;
    }
    shunt_emit_run *temp = SHUNT_EMIT_NEW(f->e, &f->temps);
    *temp = run;
    return run.first;
}

/* Does the instruction read register b? Others that are kept read a constant, a global or a tally. */
static bool reads_register(uint16_t op)
{
    return op != SHUNT_OP_LOADK && op != SHUNT_OP_GLOBAL_GET && op != SHUNT_OP_TALLY_GET && op != SHUNT_OP_ABSENT;
}

/* The registers will hold something else: what is known from their old values is known no more. */
static void give_back(shunt_emit_fn *f, shunt_emit_run run)
{
    if (run.first >= f->regs.count) return;
    for (uint32_t i = 0; i < f->known.count; i++) {
        shunt_emit_known *k = &f->known.items[i];
        if (reads_register(k->op) && k->b >= run.first && k->b - run.first < run.count) k->op = SHUNT_OP_NOP;
    }
    if (!f->regs.items[run.first].in_run) {
        f->regs.items[run.first].busy = false;
        return;
    }
    shunt_emit_run *free_run = SHUNT_EMIT_NEW(f->e, &f->free_runs);
    *free_run = run;
}

void shunt_emit_release(shunt_emit_fn *f, uint32_t mark)
{
    while (f->temps.count > mark) give_back(f, f->temps.items[--f->temps.count]);
}

bool shunt_emit_is_temp(const shunt_emit_fn *f, uint16_t reg)
{
    for (uint32_t i = 0; i < f->temps.count; i++)
        if (reg >= f->temps.items[i].first && reg - f->temps.items[i].first < f->temps.items[i].count) return true;
    return false;
}

shunt_emit_region shunt_emit_enter(shunt_emit_fn *f) { return (shunt_emit_region){ f->known.count, f->kept.count }; }

void shunt_emit_leave(shunt_emit_fn *f, shunt_emit_region region)
{
    if (f->known.count > region.known) f->known.count = region.known;
    while (f->kept.count > region.kept) give_back(f, f->kept.items[--f->kept.count]);
}

/* Constants, and what the `let`s of a map gave, are the same in every round of a pass. */
static bool never_changes(const shunt_emit_fn *f, shunt_op op)
{
    return op == SHUNT_OP_LOADK || (op == SHUNT_OP_GLOBAL_GET && (f->phase == SHUNT_PHASE_UNIT || f->phase == SHUNT_PHASE_END));
}

static uint16_t first_of_all(shunt_emit_fn *f, shunt_op op, shunt_type type, uint16_t b)
{
    for (uint32_t i = 0; i < f->first.count; i++) {
        const shunt_emit_known *k = &f->first.items[i];
        if (k->op == op && k->b == b && shunt_emit_same(shunt_emit_type_of(f, k->reg), type)) return k->reg;
    }
    shunt_emit_known *first = SHUNT_EMIT_NEW(f->e, &f->first);
    *first = (shunt_emit_known){ (uint16_t)op, b, 0, new_register(f, type, false) };
    return first->reg;
}

uint16_t shunt_emit_once(shunt_emit_fn *f, shunt_op op, shunt_type type, uint16_t b, uint16_t c)
{
    for (uint32_t i = f->known.count; i > 0 && !f->e->too_large; i--) {
        const shunt_emit_known *k = &f->known.items[i - 1];
        if (k->op == op && k->b == b && k->c == c && shunt_emit_same(shunt_emit_type_of(f, k->reg), type)) return k->reg;
    }
    if (f->depth && never_changes(f, op)) return first_of_all(f, op, type, b);
    uint16_t reg = shunt_emit_kept(f, type);
    shunt_emit_op(f, op, reg, b, c);
    shunt_emit_known *known = SHUNT_EMIT_NEW(f->e, &f->known);
    *known = (shunt_emit_known){ (uint16_t)op, b, c, reg };
    return reg;
}

/* ---- labels ---- */

static void aim(shunt_emit_fn *f, uint32_t jump, uint32_t at)
{
    if (jump >= f->code.count) return;
    f->code.items[jump].b = (uint16_t)(at & 0xffff);
    f->code.items[jump].c = (uint16_t)(at >> 16);
}

void shunt_emit_jump(shunt_emit_fn *f, shunt_op op, uint16_t a, shunt_emit_label *label)
{
    uint32_t at = shunt_emit_op(f, op, a, 0, 0);
    if (label->bound) {
        aim(f, at, label->at);
        return;
    }
    uint32_t *jump = SHUNT_EMIT_NEW(f->e, &label->jumps);
    *jump = at;
}

void shunt_emit_bind(shunt_emit_fn *f, shunt_emit_label *label)
{
    label->bound = true;
    label->at = f->code.count;
    for (uint32_t i = 0; i < label->jumps.count; i++) aim(f, label->jumps.items[i], label->at);
}

/* ---- the end of a function ---- */

static bool is_jump(uint16_t op) { return op >= SHUNT_OP_JUMP && op <= SHUNT_OP_JUMP_CLEARED; }

static uint32_t target_of(shunt_instruction i) { return (uint32_t)i.b | (uint32_t)i.c << 16; }

/* A jump that lands on a jump goes where that one would: on a plain JUMP always, on one with the same question about the same
 * register too. Targets only grow, except on the way back to the NEXT of a loop, where no jump stands; so this ends. */
static void thread_jumps(shunt_emit_fn *f)
{
    for (uint32_t i = 0; i < f->code.count; i++) {
        shunt_instruction *jump = &f->code.items[i];
        if (!is_jump(jump->op)) continue;
        for (uint32_t hops = 0; hops < 64; hops++) {
            uint32_t at = target_of(*jump);
            if (at >= f->code.count || at <= i) break;
            shunt_instruction there = f->code.items[at];
            if (there.op != SHUNT_OP_JUMP && !(there.op == jump->op && there.a == jump->a)) break;
            aim(f, i, target_of(there));
        }
    }
}

uint16_t shunt_emit_fn_done(shunt_emit_fn *f, shunt_text name, shunt_type result, bool pure)
{
    shunt_emitter *e = f->e;
    if (shunt_emit_failed(e)) return 0;
    shunt_emit_tidy(f);
    thread_jumps(f);
    shunt_function *function = SHUNT_EMIT_NEW(e, &e->functions);
    *function = (shunt_function){
        .name = shunt_emit_text(e, name),
        .params = f->params,
        .registers = (uint16_t)f->regs.count,
        .pure = pure,
        .type_first = e->register_types.count,
        .code_first = e->instructions.count,
        .code_count = f->code.count,
        .result = result,
    };
    for (uint32_t i = 0; i < f->regs.count; i++) {
        shunt_type *type = SHUNT_EMIT_NEW(e, &e->register_types);
        *type = f->regs.items[i].type;
    }
    for (uint32_t i = 0; i < f->code.count; i++) {
        shunt_instruction *instruction = SHUNT_EMIT_NEW(e, &e->instructions);
        *instruction = f->code.items[i];
        uint32_t *site = SHUNT_EMIT_NEW(e, &e->instruction_sites);
        *site = f->sites.items[i];
    }
    return shunt_emit_number(e, e->functions.count - 1);
}
