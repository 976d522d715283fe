/* emit_decide.c - decisions: their sets go into the program, their results into a function.
 * Of a decision with rows that leave there are two functions: one gives the number of the row, so that the caller can leave, and one
 * gives the value of that row. */
#include "dsl/decide.h"
#include "dsl/emit_state.h"
#include "engine/vm/decision.h"

_Static_assert((int)SHUNT_DECIDE_ROWS == (int)SHUNT_DECISION_ROWS, "what is checked can be run");

static const shunt_type int_type = { .kind = SHUNT_KIND_INT };

/* ---- sets ---- */

static uint32_t bits_of(shunt_emitter *e, const shunt_decide *d, uint32_t column, uint32_t set, shunt_intern *known,
                        uint32_t first)
{
    const uint64_t *bits = shunt_decide_set(d, column, set);
    uint32_t        number, words = d->words;
    if (!words) return first;
    if (!shunt_intern_add(known, (shunt_text){ (const char *)bits, words * (uint32_t)sizeof *bits }, &number)) {
        e->no_memory = true;
        return 0;
    }
    if (first + number * words == e->decision_bits.count)
        for (uint32_t w = 0; w < words; w++) {
            uint64_t *word = SHUNT_EMIT_NEW(e, &e->decision_bits);
            *word = bits[w];
        }
    return first + number * words;
}

static void add_column(shunt_emitter *e, const shunt_decide *d, uint32_t column, shunt_intern *known, uint32_t first)
{
    const shunt_decide_column *c = &d->columns[column];
    shunt_decision_column      made = { .type = shunt_emit_type(e, &c->param->type),
                                        .point_first = e->decision_points.count,
                                        .point_count = c->point_count,
                                        .set_first = e->decision_sets.count,
                                        .ordered = c->ordered };
    for (uint32_t i = 0; i < c->point_count; i++) {
        shunt_value *point = SHUNT_EMIT_NEW(e, &e->decision_points);
        memset(point, 0, sizeof *point);
        if (c->textual)
            point->integer = shunt_emit_text(e, c->points[i].text);
        else if (made.type.kind == SHUNT_KIND_DECIMAL)
            point->coefficient = c->points[i].number;
        else
            point->integer = (int64_t)c->points[i].number;
    }
    for (uint32_t i = 0; i < c->set_count; i++) {
        uint32_t  at = bits_of(e, d, column, i, known, first);
        uint32_t *set = SHUNT_EMIT_NEW(e, &e->decision_sets);
        *set = at;
    }
    shunt_decision_column *out = SHUNT_EMIT_NEW(e, &e->decision_columns);
    *out = made;
}

static uint16_t add_decision(shunt_emitter *e, const shunt_decide *d)
{
    shunt_intern  *known = shunt_intern_new(e->arena);
    uint32_t       first = e->decision_bits.count;
    shunt_decision made = { .name = shunt_emit_text(e, d->function->name),
                            .column_count = (uint16_t)d->column_count,
                            .column_first = e->decision_columns.count,
                            .row_count = d->row_count };
    if (!known) {
        e->no_memory = true;
        return 0;
    }
    for (uint32_t i = 0; i < d->column_count && !e->no_memory; i++) add_column(e, d, i, known, first);
    shunt_decision *out = SHUNT_EMIT_NEW(e, &e->decisions);
    *out = made;
    return shunt_emit_number(e, e->decisions.count - 1);
}

/* ---- results ---- */

static void give(shunt_emit_fn *f, shunt_ast *row, shunt_type result)
{
    shunt_emit_region region = shunt_emit_enter(f);
    uint32_t          mark = f->temps.count;
    uint16_t          reg = shunt_emit_temp(f, result);
    shunt_ast        *value = row ? row->kids[SHUNT_ROW_result] : NULL;
    f->span = row ? row->span : f->span;
    if (value && value->kind != SHUNT_AST_EXIT) shunt_emit_cover(f, SHUNT_COVER_ROW, row);
    if (!value)
        shunt_emit_op(f, SHUNT_OP_UNMATCHED, 0, 0, 0);
    else if (value->kind == SHUNT_AST_EXIT)
        shunt_emit_op(f, SHUNT_OP_ABSENT, reg, 0, 0); /* who calls has left before */
    else
        shunt_emit_into(f, value, reg);
    if (value) shunt_emit_op(f, SHUNT_OP_RETURN, reg, 0, 0);
    shunt_emit_release(f, mark);
    shunt_emit_leave(f, region);
}

/* The rows first .. last, of which one is in `row`: by halves. */
static void choose(shunt_emit_fn *f, shunt_ast *const *rows, uint32_t first, uint32_t last, uint16_t row, shunt_type result)
{
    if (first == last) {
        give(f, rows[first], result);
        return;
    }
    uint32_t         middle = first + (last - first) / 2;
    shunt_emit_label above = { 0 };
    uint32_t         mark = f->temps.count;
    uint16_t         limit = shunt_emit_temp(f, int_type), below = shunt_emit_temp(f, (shunt_type){ .kind = SHUNT_KIND_BOOL });
    shunt_emit_op(f, SHUNT_OP_LOADK, limit, shunt_emit_constant(f->e, int_type, (shunt_value){ .integer = middle }), 0);
    shunt_emit_op(f, SHUNT_OP_INT_LE, below, row, limit);
    shunt_emit_release(f, mark);
    shunt_emit_jump(f, SHUNT_OP_JUMP_FALSE, below, &above);
    choose(f, rows, first, middle, row, result);
    shunt_emit_bind(f, &above);
    choose(f, rows, middle + 1, last, row, result);
}

static shunt_emit_fn *begin(shunt_emitter *e, shunt_symbol *symbol)
{
    shunt_emit_fn *f = shunt_emit_fn_new(e, SHUNT_PHASE_PURE);
    if (!f) return NULL;
    f->span = symbol->span;
    for (uint32_t i = 0; i < symbol->as.function.count; i++)
        shunt_emit_bind_local(f, symbol->as.function.params[i],
                              shunt_emit_param(f, shunt_emit_type(e, &symbol->as.function.params[i]->type)));
    return f;
}

/* All rows that can answer, with their numbers: those of the decision, then those of each overlay with its `else`. The `else` of the
 * decision itself has none: the number is absent. */
typedef struct numbered {
    shunt_ast **rows;
    uint32_t    count;
} numbered;

static numbered number_rows(shunt_emitter *e, const shunt_symbol *symbol)
{
    const shunt_decide *d = symbol->as.function.decide;
    numbered            all = { .count = d->row_count };
    for (const shunt_replacement *r = symbol->replaced; r; r = r->next) all.count += r->decide->row_count + 1;
    all.rows = SHUNT_NEW_N(e->arena, shunt_ast *, all.count + (size_t)1);
    if (!all.rows) {
        e->no_memory = true;
        return (numbered){ 0 };
    }
    uint32_t at = d->row_count;
    if (at) memcpy(all.rows, d->rows, at * sizeof *d->rows);
    for (const shunt_replacement *r = symbol->replaced; r; r = r->next) {
        if (r->decide->row_count) memcpy(all.rows + at, r->decide->rows, r->decide->row_count * sizeof *d->rows);
        at += r->decide->row_count;
        all.rows[at++] = r->decide->otherwise; /* NULL: nothing leads to it */
    }
    return all;
}

static void set_number(shunt_emit_fn *f, uint16_t row, uint32_t number)
{
    shunt_emit_op(f, SHUNT_OP_LOADK, row, shunt_emit_constant(f->e, int_type, (shunt_value){ .integer = number }), 0);
}

/* The number of the row that the arguments fit, in `row`: of the overlays that are active first. */
static void find_row(shunt_emit_fn *f, const shunt_symbol *symbol, uint16_t row)
{
    const shunt_decide *d = symbol->as.function.decide;
    shunt_emit_label    found = { 0 };
    uint32_t            first = d->row_count;
    for (const shunt_replacement *r = symbol->replaced; r; r = r->next) {
        shunt_emit_label past = { 0 }, none = { 0 };
        uint32_t         mark = f->temps.count;
        uint16_t         offset = shunt_emit_temp(f, int_type);
        shunt_emit_jump(f, SHUNT_OP_JUMP_FALSE, shunt_emit_active(f, r->overlay), &past);
        shunt_emit_op(f, SHUNT_OP_DECIDE, row, 0, add_decision(f->e, r->decide));
        shunt_emit_jump(f, SHUNT_OP_JUMP_ABSENT, row, r->exceptions ? &past : &none);
        set_number(f, offset, first);
        shunt_emit_op(f, SHUNT_OP_INT_ADD, row, row, offset);
        shunt_emit_jump(f, SHUNT_OP_JUMP, 0, &found);
        if (!r->exceptions) {
            shunt_emit_bind(f, &none);
            set_number(f, row, first + r->decide->row_count);
            shunt_emit_jump(f, SHUNT_OP_JUMP, 0, &found);
        }
        shunt_emit_bind(f, &past);
        shunt_emit_release(f, mark);
        first += r->decide->row_count + 1;
    }
    shunt_emit_op(f, SHUNT_OP_DECIDE, row, 0, add_decision(f->e, d));
    shunt_emit_bind(f, &found);
}

static void results(shunt_emit_fn *f, const shunt_symbol *symbol, uint16_t row, shunt_type result)
{
    const shunt_decide *d = symbol->as.function.decide;
    numbered            all = number_rows(f->e, symbol);
    shunt_emit_label    otherwise = { 0 };
    if (all.count) {
        shunt_emit_jump(f, SHUNT_OP_JUMP_ABSENT, row, &otherwise);
        choose(f, all.rows, 0, all.count - 1, row, result);
        shunt_emit_bind(f, &otherwise);
    }
    give(f, d->otherwise, result);
}

uint16_t shunt_emit_decide(shunt_emitter *e, shunt_symbol *symbol)
{
    shunt_type     result = shunt_emit_type(e, &symbol->type);
    shunt_emit_fn *f = begin(e, symbol);
    if (!f) return 0;
    uint16_t row = shunt_emit_temp(f, int_type);
    find_row(f, symbol, row);
    if (!symbol->as.function.exits) {
        results(f, symbol, row, result);
        return shunt_emit_fn_done(f, symbol->name, result, !f->impure);
    }
    shunt_emit_op(f, SHUNT_OP_RETURN, row, 0, 0);
    symbol->as.function.row_function = shunt_emit_fn_done(f, symbol->name, int_type, !f->impure);
    f = begin(e, symbol);
    if (!f) return 0;
    row = shunt_emit_param(f, int_type);
    results(f, symbol, row, result);
    return shunt_emit_fn_done(f, symbol->name, result, !f->impure);
}

/* ---- calls ---- */

/* Leaves with the exit of the row, if the row in `row` has one. Parameters are read where the arguments stand. */
static void leave(shunt_emit_fn *f, const shunt_symbol *symbol, uint16_t run, uint16_t row)
{
    const shunt_decide *d = symbol->as.function.decide;
    shunt_emit_label    past = { 0 }, otherwise = { 0 };
    for (uint32_t i = 0; i < symbol->as.function.count; i++)
        shunt_emit_bind_local(f, symbol->as.function.params[i], (uint16_t)(run + i));
    uint32_t mark = f->temps.count;
    uint16_t number = shunt_emit_temp(f, int_type), equal = shunt_emit_temp(f, (shunt_type){ .kind = SHUNT_KIND_BOOL });
    shunt_emit_jump(f, SHUNT_OP_JUMP_ABSENT, row, &otherwise);
    numbered all = number_rows(f->e, symbol);
    for (uint32_t i = 0; i < all.count; i++) {
        shunt_ast *exit = all.rows[i] ? all.rows[i]->kids[SHUNT_ROW_result] : NULL;
        if (!exit || exit->kind != SHUNT_AST_EXIT) continue;
        shunt_emit_label next = { 0 };
        shunt_emit_op(f, SHUNT_OP_LOADK, number, shunt_emit_constant(f->e, int_type, (shunt_value){ .integer = i }), 0);
        shunt_emit_op(f, SHUNT_OP_INT_EQ, equal, row, number);
        shunt_emit_jump(f, SHUNT_OP_JUMP_FALSE, equal, &next);
        shunt_emit_region region = shunt_emit_enter(f);
        shunt_emit_cover(f, SHUNT_COVER_ROW, all.rows[i]);
        shunt_emit_exit(f, exit);
        shunt_emit_leave(f, region);
        shunt_emit_bind(f, &next);
    }
    shunt_emit_jump(f, SHUNT_OP_JUMP, 0, &past);
    shunt_emit_bind(f, &otherwise);
    if (d->otherwise && d->otherwise->kids[SHUNT_ROW_result]->kind == SHUNT_AST_EXIT) {
        shunt_emit_region region = shunt_emit_enter(f);
        shunt_emit_cover(f, SHUNT_COVER_ROW, d->otherwise);
        shunt_emit_exit(f, d->otherwise->kids[SHUNT_ROW_result]);
        shunt_emit_leave(f, region);
    }
    shunt_emit_bind(f, &past);
    shunt_emit_release(f, mark);
}

uint16_t shunt_emit_decide_call(shunt_emit_fn *f, shunt_ast *node, const shunt_symbol *symbol)
{
    shunt_emitter *e = f->e;
    uint32_t       count = symbol->as.function.count;
    shunt_type    *types = SHUNT_NEW_N(e->arena, shunt_type, count + 2);
    if (!types) {
        e->no_memory = true;
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) types[i] = shunt_emit_type(e, &symbol->as.function.params[i]->type);
    types[count] = int_type;
    types[count + 1] = shunt_emit_type(e, &symbol->type);
    uint16_t asked = shunt_emit_run_of(f, types, count + 1), run = shunt_emit_run_of(f, types, count + 2);
    for (uint32_t i = 0; i < count; i++) {
        shunt_ast *value = shunt_emit_argument(node, i, symbol->as.function.params[i]->name);
        if (!value) continue;
        shunt_emit_into(f, value, (uint16_t)(asked + i));
        shunt_emit_op(f, SHUNT_OP_MOVE, (uint16_t)(run + i), (uint16_t)(asked + i), 0);
    }
    shunt_emit_op(f, SHUNT_OP_CALL, asked, symbol->as.function.row_function, 0);
    shunt_emit_op(f, SHUNT_OP_MOVE, (uint16_t)(run + count), (uint16_t)(asked + count), 0);
    leave(f, symbol, run, (uint16_t)(asked + count));
    shunt_emit_op(f, SHUNT_OP_CALL, run, (uint16_t)symbol->number, 0);
    if (!e->functions.items[symbol->as.function.row_function].pure || !e->functions.items[symbol->number].pure) f->impure = true;
    return (uint16_t)(run + count + 1);
}
