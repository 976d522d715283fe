/* emit_expr.c - expressions: each gives a register. `into` is a register of the caller that the result may stand in (SHUNT_NONE:
 * none); it is used where its type is the result's, else the caller converts. */
#include "dsl/emit_state.h"
#include "dsl/fold.h"
#include "engine/base/decimal.h"

static uint16_t eval(shunt_emit_fn *f, shunt_ast *node, uint16_t into);

static const shunt_type bool_type = { .kind = SHUNT_KIND_BOOL }, int_type = { .kind = SHUNT_KIND_INT },
                        text_type = { .kind = SHUNT_KIND_TEXT }, date_type = { .kind = SHUNT_KIND_DATE };

/* ---- helpers ---- */

static const shunt_ty *type_at(const shunt_ast *node) { return &shunt_fact_of(node)->type; }

static bool may_lack(const shunt_ty *type) { return type->optional || type->clearable; }

static bool is_text(const shunt_ty *type)
{
    return type->kind == SHUNT_TY_TEXT || type->kind == SHUNT_TY_CODE || type->kind == SHUNT_TY_TOKEN ||
           type->kind == SHUNT_TY_UNIT || type->kind == SHUNT_TY_ACCOUNT || type->kind == SHUNT_TY_TIME;
}

static uint16_t place_for(shunt_emit_fn *f, shunt_type type, uint16_t into)
{
    if (into != SHUNT_NONE && shunt_emit_same(shunt_emit_type_of(f, into), type)) return into;
    return shunt_emit_temp(f, type);
}

static uint16_t result_place(shunt_emit_fn *f, const shunt_ast *node, uint16_t into)
{
    return place_for(f, shunt_emit_type(f->e, type_at(node)), into);
}

static uint16_t load(shunt_emit_fn *f, shunt_type type, uint16_t constant, uint16_t into)
{
    if (into == SHUNT_NONE || !shunt_emit_same(shunt_emit_type_of(f, into), type))
        return shunt_emit_once(f, SHUNT_OP_LOADK, type, constant, 0);
    shunt_emit_op(f, SHUNT_OP_LOADK, into, constant, 0);
    return into;
}

static uint16_t load_number(shunt_emit_fn *f, shunt_type type, __int128 number, uint16_t into)
{
    shunt_value value = { 0 };
    if (type.kind == SHUNT_KIND_DECIMAL)
        value.coefficient = number;
    else
        value.integer = (int64_t)number;
    return load(f, type, shunt_emit_constant(f->e, type, value), into);
}

static uint16_t load_text(shunt_emit_fn *f, shunt_text text, uint16_t into)
{
    return load(f, text_type, shunt_emit_text_constant(f->e, text), into);
}

void shunt_emit_convert(shunt_emit_fn *f, uint16_t from, uint16_t into)
{
    shunt_type a = shunt_emit_type_of(f, from), b = shunt_emit_type_of(f, into);
    if (from == into) return;
    if (shunt_emit_same(a, b))
        shunt_emit_op(f, SHUNT_OP_MOVE, into, from, 0);
    else if (a.kind == SHUNT_KIND_DECIMAL && b.kind == SHUNT_KIND_DECIMAL && a.scale != b.scale)
        shunt_emit_op(f, SHUNT_OP_DEC_RESCALE, into, from, SHUNT_EXACT);
    else if (a.kind == SHUNT_KIND_INT && b.kind == SHUNT_KIND_DECIMAL)
        shunt_emit_op(f, SHUNT_OP_INT_TO_DEC, into, from, 0);
    else
        shunt_emit_op(f, SHUNT_OP_RETYPE, into, from, 0);
}

/* The same value in a register of this type: the register itself where it has it already. */
static uint16_t as_type(shunt_emit_fn *f, uint16_t reg, shunt_type type)
{
    if (shunt_emit_same(shunt_emit_type_of(f, reg), type)) return reg;
    uint16_t other = shunt_emit_temp(f, type);
    shunt_emit_convert(f, reg, other);
    return other;
}

/* A literal is loaded at the scale that is wanted. */
uint16_t shunt_emit_value(shunt_emit_fn *f, shunt_ast *node, uint16_t into)
{
    shunt_type      want = shunt_emit_type_of(f, into);
    const shunt_ty *type = type_at(node);
    __int128        number;
    bool            numeric = type->kind == SHUNT_TY_INT || type->kind == SHUNT_TY_DECIMAL || type->kind == SHUNT_TY_MONEY ||
                   type->kind == SHUNT_TY_PERCENT;
    if (numeric && want.kind == SHUNT_KIND_DECIMAL && shunt_fold(node, &number) &&
        shunt_decimal_rescale(number, type->kind == SHUNT_TY_INT ? 0 : type->scale, want.scale, SHUNT_EXACT, &number) ==
            SHUNT_OK) {
        return load_number(f, want, number, into);
    }
    return eval(f, node, into);
}

void shunt_emit_into(shunt_emit_fn *f, shunt_ast *node, uint16_t into)
{
    shunt_emit_convert(f, shunt_emit_value(f, node, into), into);
}

/* Evaluates `node` in a register of this type. */
static uint16_t eval_as(shunt_emit_fn *f, shunt_ast *node, shunt_type type)
{
    if (shunt_emit_same(shunt_emit_type(f->e, type_at(node)), type)) return eval(f, node, SHUNT_NONE);
    uint16_t reg = shunt_emit_temp(f, type);
    shunt_emit_into(f, node, reg);
    return reg;
}

uint16_t shunt_emit_expr(shunt_emit_fn *f, shunt_ast *node) { return eval(f, node, SHUNT_NONE); }

/* Canonical text of a register. */
static void text_of(shunt_emit_fn *f, uint16_t from, uint16_t into)
{
    shunt_type type = shunt_emit_type_of(f, from);
    if (type.kind == SHUNT_KIND_TEXT)
        shunt_emit_convert(f, from, into);
    else
        shunt_emit_op(f, type.kind == SHUNT_KIND_INT && type.extra ? SHUNT_OP_TEXT_OF_ENUM : SHUNT_OP_TEXT_OF, into, from, 0);
}

void shunt_emit_text_into(shunt_emit_fn *f, shunt_ast *node, uint16_t into)
{
    if (is_text(type_at(node)))
        shunt_emit_into(f, node, into);
    else
        text_of(f, eval(f, node, SHUNT_NONE), into);
}

void shunt_emit_bind_local(shunt_emit_fn *f, shunt_symbol *symbol, uint16_t reg)
{
    (void)f;
    symbol->number = reg;
}

/* A path as it stands, without what would answer its absence. */
static bool is_direct_path(const shunt_ast *node)
{
    const shunt_fact *fact = shunt_fact_of(node);
    return fact && fact->kind == SHUNT_FACT_PATH && fact->path && fact->path->kind == SHUNT_PATH_VALUE &&
           node->kind != SHUNT_AST_OTHERWISE && node->kind != SHUNT_AST_CLEARED && node->kind != SHUNT_AST_NOTING;
}

/* The value of a node that something beside it answers for: a missing required element is absence, not failure. */
void shunt_emit_answered_into(shunt_emit_fn *f, shunt_ast *node, uint16_t into)
{
    if (is_direct_path(node))
        shunt_emit_convert(f, shunt_emit_path(f, shunt_fact_of(node)->path, type_at(node), true), into);
    else
        shunt_emit_into(f, node, into);
}

static uint16_t answered(shunt_emit_fn *f, shunt_ast *node)
{
    return is_direct_path(node) ? shunt_emit_path(f, shunt_fact_of(node)->path, type_at(node), true) : eval(f, node, SHUNT_NONE);
}

/* ---- comparing ---- */

typedef enum relation { EQUAL, LESS, LESS_OR_EQUAL } relation;

static shunt_op relation_op(shunt_kind kind, relation how)
{
    static const shunt_op ops[SHUNT_KIND_COUNT][3] = {
        [SHUNT_KIND_INT] = { SHUNT_OP_INT_EQ, SHUNT_OP_INT_LT, SHUNT_OP_INT_LE },
        [SHUNT_KIND_DECIMAL] = { SHUNT_OP_DEC_EQ, SHUNT_OP_DEC_LT, SHUNT_OP_DEC_LE },
        [SHUNT_KIND_TEXT] = { SHUNT_OP_TEXT_EQ, SHUNT_OP_TEXT_LT, SHUNT_OP_TEXT_LE },
        [SHUNT_KIND_DATE] = { SHUNT_OP_DATE_EQ, SHUNT_OP_DATE_LT, SHUNT_OP_DATE_LE },
        [SHUNT_KIND_BOOL] = { SHUNT_OP_BOOL_EQ, SHUNT_OP_BOOL_EQ, SHUNT_OP_BOOL_EQ },
    };
    return ops[kind][how];
}

/* Points in time are compared by their instants, however they were written. */
static uint16_t instant_of(shunt_emit_fn *f, uint16_t moment)
{
    const shunt_type types[] = { { .kind = SHUNT_KIND_MOMENT }, int_type };
    uint16_t         run = shunt_emit_run_of(f, types, SHUNT_COUNT(types));
    shunt_emit_op(f, SHUNT_OP_MOVE, run, moment, 0);
    shunt_emit_op(f, SHUNT_OP_BUILTIN, run, SHUNT_BUILTIN_INSTANT, 0);
    return (uint16_t)(run + 1);
}

/* Two registers of one kind; decimals are brought to the wider scale. */
static void compare(shunt_emit_fn *f, relation how, uint16_t a, uint16_t b, uint16_t into)
{
    shunt_type ta = shunt_emit_type_of(f, a), tb = shunt_emit_type_of(f, b);
    if (ta.kind == SHUNT_KIND_INT && tb.kind == SHUNT_KIND_DECIMAL)
        a = as_type(f, a, (shunt_type){ .kind = SHUNT_KIND_DECIMAL, .scale = tb.scale });
    else if (tb.kind == SHUNT_KIND_INT && ta.kind == SHUNT_KIND_DECIMAL)
        b = as_type(f, b, (shunt_type){ .kind = SHUNT_KIND_DECIMAL, .scale = ta.scale });
    else if (ta.kind == SHUNT_KIND_DECIMAL && ta.scale < tb.scale)
        a = as_type(f, a, tb);
    else if (ta.kind == SHUNT_KIND_DECIMAL && ta.scale > tb.scale)
        b = as_type(f, b, ta);
    if (ta.kind == SHUNT_KIND_MOMENT) {
        a = instant_of(f, a);
        b = instant_of(f, b);
        ta = int_type;
    }
    shunt_kind kind = ta.kind == SHUNT_KIND_INT && tb.kind == SHUNT_KIND_DECIMAL ? SHUNT_KIND_DECIMAL : ta.kind;
    shunt_emit_op(f, relation_op(kind, how), into, a, b);
}

/* `a = b` where b is an expression: a written text is compared as a constant. */
static void equal_to(shunt_emit_fn *f, uint16_t a, shunt_ast *b, uint16_t into)
{
    shunt_text text;
    shunt_type type = shunt_emit_type_of(f, a);
    __int128   number;
    if (type.kind == SHUNT_KIND_TEXT && shunt_fold_text(b, &text)) {
        shunt_emit_op(f, SHUNT_OP_TEXT_IS, into, a, shunt_emit_text_constant(f->e, text));
        return;
    }
    if (type.kind == SHUNT_KIND_DECIMAL && !may_lack(type_at(b)) && shunt_fold(b, &number)) {
        unsigned from = type_at(b)->kind == SHUNT_TY_INT ? 0 : type_at(b)->scale;
        if (from <= type.scale && shunt_decimal_rescale(number, from, type.scale, SHUNT_EXACT, &number) == SHUNT_OK) {
            compare(f, EQUAL, a,
                    load_number(f, (shunt_type){ .kind = SHUNT_KIND_DECIMAL, .scale = type.scale }, number, SHUNT_NONE), into);
            return;
        }
    }
    compare(f, EQUAL, a, eval(f, b, SHUNT_NONE), into);
}

static uint16_t eval_comparison(shunt_emit_fn *f, shunt_ast *node, uint16_t into)
{
    shunt_ast *left = node->kids[SHUNT_BINARY_left], *right = node->kids[SHUNT_BINARY_right];
    uint16_t   at = place_for(f, bool_type, into);
    shunt_text op = node->text, text;
    if (shunt_text_is(op, "=") || shunt_text_is(op, "!=")) {
        if (shunt_fold_text(left, &text))
            equal_to(f, eval(f, right, SHUNT_NONE), left, at);
        else
            equal_to(f, eval(f, left, SHUNT_NONE), right, at);
        if (op.length == 2) shunt_emit_op(f, SHUNT_OP_NOT, at, at, 0);
        return at;
    }
    uint16_t a = eval(f, left, SHUNT_NONE), b = eval(f, right, SHUNT_NONE);
    relation how = op.length == 2 ? LESS_OR_EQUAL : LESS;
    if (op.bytes[0] == '<')
        compare(f, how, a, b, at);
    else
        compare(f, how, b, a, at);
    return at;
}

/* ---- conditions ---- */

static void set_bool(shunt_emit_fn *f, uint16_t at, bool value) { load_number(f, bool_type, value, at); }

/* A condition as a value: true, unless it jumps away. */
static uint16_t condition_value(shunt_emit_fn *f, shunt_ast *node, uint16_t into)
{
    uint16_t          at = place_for(f, bool_type, into);
    shunt_emit_label  no = { 0 }, end = { 0 };
    shunt_emit_region region = shunt_emit_enter(f);
    shunt_emit_condition(f, node, false, &no);
    set_bool(f, at, true);
    shunt_emit_jump(f, SHUNT_OP_JUMP, 0, &end);
    shunt_emit_bind(f, &no);
    set_bool(f, at, false);
    shunt_emit_bind(f, &end);
    shunt_emit_leave(f, region);
    return at;
}

/* `and`, `or` over values that may be absent: both are read, and a missing one makes the result missing. */
static uint16_t eval_lacking_logic(shunt_emit_fn *f, shunt_ast *node, uint16_t into)
{
    bool     is_and = shunt_text_is(node->text, "and");
    uint16_t a = eval(f, node->kids[SHUNT_BINARY_left], SHUNT_NONE), b = eval(f, node->kids[SHUNT_BINARY_right], SHUNT_NONE);
    uint16_t at = place_for(f, bool_type, into), both = shunt_emit_temp(f, bool_type);
    shunt_emit_label end = { 0 };
    shunt_emit_op(f, SHUNT_OP_BOOL_EQ, both, a, b); /* missing as the operation would be */
    shunt_emit_op(f, SHUNT_OP_MOVE, at, both, 0);
    shunt_emit_jump(f, SHUNT_OP_JUMP_ABSENT, both, &end);
    shunt_emit_jump(f, SHUNT_OP_JUMP_CLEARED, both, &end);
    shunt_emit_op(f, SHUNT_OP_MOVE, at, a, 0);
    shunt_emit_jump(f, is_and ? SHUNT_OP_JUMP_FALSE : SHUNT_OP_JUMP_TRUE, a, &end);
    shunt_emit_op(f, SHUNT_OP_MOVE, at, b, 0);
    shunt_emit_bind(f, &end);
    return at;
}

static void condition_logic(shunt_emit_fn *f, shunt_ast *node, bool when, shunt_emit_label *label)
{
    shunt_ast       *left = node->kids[SHUNT_BINARY_left], *right = node->kids[SHUNT_BINARY_right];
    bool             is_and = shunt_text_is(node->text, "and");
    shunt_emit_label past = { 0 };
    if (is_and == when)
        shunt_emit_condition(f, left, !when, &past);
    else
        shunt_emit_condition(f, left, when, label);
    shunt_emit_region region = shunt_emit_enter(f);
    shunt_emit_condition(f, right, when, label);
    shunt_emit_leave(f, region);
    shunt_emit_bind(f, &past);
}

static void condition_state(shunt_emit_fn *f, shunt_ast *node, bool when, shunt_emit_label *label)
{
    bool                  negated = shunt_text_starts(node->text, SHUNT_TEXT("not "));
    shunt_text            word = negated ? (shunt_text){ node->text.bytes + 4, node->text.length - 4 } : node->text;
    uint16_t              value = answered(f, node->kids[SHUNT_IS_value]);
    bool                  positive = negated != when; /* jump when the value is in the state */
    shunt_state           state = shunt_text_is(word, "absent")    ? SHUNT_ABSENT
                                  : shunt_text_is(word, "cleared") ? SHUNT_CLEARED
                                                                   : SHUNT_PRESENT;
    static const shunt_op ops[] = {
        [SHUNT_PRESENT] = SHUNT_OP_JUMP_PRESENT, [SHUNT_ABSENT] = SHUNT_OP_JUMP_ABSENT, [SHUNT_CLEARED] = SHUNT_OP_JUMP_CLEARED
    };
    if (positive) {
        shunt_emit_jump(f, ops[state], value, label);
        return;
    }
    uint16_t at = shunt_emit_temp(f, bool_type);
    shunt_emit_op(f, SHUNT_OP_IS_STATE, at, value, (uint16_t)state);
    shunt_emit_jump(f, SHUNT_OP_JUMP_FALSE, at, label);
}

static void range_test(shunt_emit_fn *f, uint16_t subject, shunt_ast *range, shunt_emit_label *label)
{
    uint16_t         at = shunt_emit_temp(f, bool_type);
    shunt_emit_label past = { 0 };
    compare(f, LESS_OR_EQUAL, eval(f, range->kids[SHUNT_RANGE_from], SHUNT_NONE), subject, at);
    shunt_emit_jump(f, SHUNT_OP_JUMP_FALSE, at, &past);
    shunt_emit_region region = shunt_emit_enter(f);
    compare(f, LESS_OR_EQUAL, subject, eval(f, range->kids[SHUNT_RANGE_to], SHUNT_NONE), at);
    shunt_emit_jump(f, SHUNT_OP_JUMP_TRUE, at, label);
    shunt_emit_leave(f, region);
    shunt_emit_bind(f, &past);
}

static void bound_test(shunt_emit_fn *f, uint16_t subject, shunt_ast *bound, shunt_emit_label *label)
{
    uint16_t at = shunt_emit_temp(f, bool_type), value = eval(f, bound->kids[SHUNT_BOUND_value], SHUNT_NONE);
    relation how = bound->text.length == 2 ? LESS_OR_EQUAL : LESS;
    if (bound->text.bytes[0] == '<')
        compare(f, how, subject, value, at);
    else
        compare(f, how, value, subject, at);
    shunt_emit_jump(f, SHUNT_OP_JUMP_TRUE, at, label);
}

static void value_test(shunt_emit_fn *f, uint16_t subject, shunt_ast *value, shunt_emit_label *label)
{
    uint16_t at = shunt_emit_temp(f, bool_type);
    equal_to(f, subject, value, at);
    shunt_emit_jump(f, SHUNT_OP_JUMP_TRUE, at, label);
}

void shunt_emit_pattern(shunt_emit_fn *f, uint16_t subject, const shunt_ty *type, shunt_ast *pattern, shunt_emit_label *label)
{
    for (uint32_t i = 0; i < pattern->kid_count; i++) {
        shunt_ast *alternative = pattern->kids[i];
        switch ((shunt_ast_kind)alternative->kind) {
        case SHUNT_AST_ANY:
            shunt_emit_jump(f, may_lack(type) ? SHUNT_OP_JUMP_PRESENT : SHUNT_OP_JUMP, may_lack(type) ? subject : 0, label);
            break;
        case SHUNT_AST_ABSENT_PATTERN: shunt_emit_jump(f, SHUNT_OP_JUMP_ABSENT, subject, label); break;
        case SHUNT_AST_CLEARED_PATTERN: shunt_emit_jump(f, SHUNT_OP_JUMP_CLEARED, subject, label); break;
        case SHUNT_AST_RANGE: range_test(f, subject, alternative, label); break;
        case SHUNT_AST_BOUND: bound_test(f, subject, alternative, label); break;
        default: value_test(f, subject, alternative, label); break;
        }
    }
}

/* `x in (a, b .. c)`, as a jump. */
static void condition_in(shunt_emit_fn *f, shunt_ast *node, bool when, shunt_emit_label *label)
{
    bool              negated = shunt_text_is(node->text, "not in");
    const shunt_ast  *list = node->kids[SHUNT_IN_list];
    uint16_t          subject = eval(f, node->kids[SHUNT_IN_value], SHUNT_NONE);
    shunt_emit_label  yes = { 0 };
    shunt_emit_region region = shunt_emit_enter(f);
    shunt_emit_label *hit = negated != when ? label : &yes;
    for (uint32_t i = 0; i < list->kid_count; i++)
        if (list->kids[i]->kind == SHUNT_AST_RANGE)
            range_test(f, subject, list->kids[i], hit);
        else
            value_test(f, subject, list->kids[i], hit);
    if (hit == &yes) shunt_emit_jump(f, SHUNT_OP_JUMP, 0, label);
    shunt_emit_bind(f, &yes);
    shunt_emit_leave(f, region);
}

static bool is_logic(const shunt_ast *node)
{
    return node->kind == SHUNT_AST_BINARY && (shunt_text_is(node->text, "and") || shunt_text_is(node->text, "or"));
}

/* Jumps when the condition is `when`. Absent counts as false; check lets no value that may be absent stand in a condition. */
void shunt_emit_condition(shunt_emit_fn *f, shunt_ast *node, bool when, shunt_emit_label *label)
{
    bool       lacks = may_lack(type_at(node));
    shunt_span before = f->span;
    f->span = node->span;
    if (node->kind == (when ? SHUNT_AST_FALSE : SHUNT_AST_TRUE))
        ; /* never taken */
    else if (is_logic(node) && !lacks)
        condition_logic(f, node, when, label);
    else if (node->kind == SHUNT_AST_NOT && !lacks)
        shunt_emit_condition(f, node->kids[SHUNT_NOT_value], !when, label);
    else if (node->kind == SHUNT_AST_IS)
        condition_state(f, node, when, label);
    else if (node->kind == SHUNT_AST_IN && !lacks)
        condition_in(f, node, when, label);
    else
        shunt_emit_jump(f, when ? SHUNT_OP_JUMP_TRUE : SHUNT_OP_JUMP_FALSE, eval(f, node, SHUNT_NONE), label);
    f->span = before;
}

/* `x in (...)` where x may be missing: then so is the answer. */
static uint16_t eval_in(shunt_emit_fn *f, shunt_ast *node, uint16_t into)
{
    if (!may_lack(type_at(node))) return condition_value(f, node, into);
    uint16_t         subject = eval(f, node->kids[SHUNT_IN_value], SHUNT_NONE), at = place_for(f, bool_type, into);
    shunt_emit_label end = { 0 };
    compare(f, EQUAL, subject, subject, at);
    shunt_emit_jump(f, SHUNT_OP_JUMP_ABSENT, at, &end);
    shunt_emit_jump(f, SHUNT_OP_JUMP_CLEARED, at, &end);
    shunt_emit_region region = shunt_emit_enter(f);
    condition_value(f, node, at);
    shunt_emit_leave(f, region);
    shunt_emit_bind(f, &end);
    return at;
}

/* ---- arithmetic ---- */

static uint16_t eval_sum(shunt_emit_fn *f, shunt_ast *node, uint16_t into)
{
    shunt_ast      *left = node->kids[SHUNT_BINARY_left], *right = node->kids[SHUNT_BINARY_right];
    bool            minus = node->text.bytes[0] == '-';
    const shunt_ty *type = type_at(node);
    uint16_t        at = result_place(f, node, into);
    shunt_type      held = shunt_emit_type_of(f, at);
    if (type->kind == SHUNT_TY_DATE) {
        bool     date_first = type_at(left)->kind == SHUNT_TY_DATE;
        uint16_t date = eval(f, date_first ? left : right, SHUNT_NONE), days = eval(f, date_first ? right : left, SHUNT_NONE);
        if (minus) {
            uint16_t back = shunt_emit_temp(f, int_type);
            shunt_emit_op(f, SHUNT_OP_INT_NEG, back, days, 0);
            days = back;
        }
        shunt_emit_op(f, SHUNT_OP_DATE_ADD, at, date, days);
    } else if (type_at(left)->kind == SHUNT_TY_DATE) { /* a date less a date: days */
        uint16_t a = eval(f, left, SHUNT_NONE), b = eval(f, right, SHUNT_NONE);
        shunt_emit_op(f, SHUNT_OP_DATE_DIFF, at, a, b);
    } else {
        uint16_t a = eval_as(f, left, held), b = eval_as(f, right, held);
        if (held.kind == SHUNT_KIND_DECIMAL)
            shunt_emit_op(f, minus ? SHUNT_OP_DEC_SUB : SHUNT_OP_DEC_ADD, at, a, b);
        else
            shunt_emit_op(f, minus ? SHUNT_OP_INT_SUB : SHUNT_OP_INT_ADD, at, a, b);
    }
    return at;
}

static uint16_t as_decimal(shunt_emit_fn *f, uint16_t reg)
{
    return shunt_emit_type_of(f, reg).kind == SHUNT_KIND_INT ? as_type(f, reg, (shunt_type){ .kind = SHUNT_KIND_DECIMAL }) : reg;
}

static uint16_t eval_product(shunt_emit_fn *f, shunt_ast *node, uint16_t into)
{
    uint16_t a = eval(f, node->kids[SHUNT_BINARY_left], SHUNT_NONE), b = eval(f, node->kids[SHUNT_BINARY_right], SHUNT_NONE);
    uint16_t at = result_place(f, node, into);
    if (shunt_emit_type_of(f, at).kind == SHUNT_KIND_INT) {
        shunt_emit_op(f, SHUNT_OP_INT_MUL, at, a, b);
        return at;
    }
    a = as_decimal(f, a);
    b = as_decimal(f, b);
    shunt_type product = shunt_emit_type_of(f, at);
    unsigned   scale = (unsigned)shunt_emit_type_of(f, a).scale + shunt_emit_type_of(f, b).scale;
    if (product.scale == scale) {
        shunt_emit_op(f, SHUNT_OP_DEC_MUL, at, a, b);
        return at;
    }
    product.scale = (uint8_t)(scale > SHUNT_DECIMAL_DIGITS ? SHUNT_DECIMAL_DIGITS : scale);
    uint16_t wide = shunt_emit_temp(f, product);
    shunt_emit_op(f, SHUNT_OP_DEC_MUL, wide, a, b);
    shunt_emit_convert(f, wide, at);
    return at;
}

static uint16_t eval_binary(shunt_emit_fn *f, shunt_ast *node, uint16_t into)
{
    shunt_text op = node->text;
    if (is_logic(node)) return may_lack(type_at(node)) ? eval_lacking_logic(f, node, into) : condition_value(f, node, into);
    switch (op.length == 1 ? op.bytes[0] : 0) {
    case '+':
    case '-': return eval_sum(f, node, into);
    case '*': return eval_product(f, node, into);
    default: return eval_comparison(f, node, into);
    }
}

static uint16_t eval_minus(shunt_emit_fn *f, shunt_ast *node, uint16_t into)
{
    uint16_t at = result_place(f, node, into), value = eval_as(f, node->kids[SHUNT_MINUS_value], shunt_emit_type_of(f, at));
    shunt_emit_op(f, shunt_emit_type_of(f, at).kind == SHUNT_KIND_DECIMAL ? SHUNT_OP_DEC_NEG : SHUNT_OP_INT_NEG, at, value, 0);
    return at;
}

/* ---- answers for absence ---- */

static void answer_into(shunt_emit_fn *f, shunt_ast *answer, uint16_t into)
{
    shunt_emit_region region = shunt_emit_enter(f);
    if (answer->kind == SHUNT_AST_EXIT)
        shunt_emit_exit(f, answer);
    else
        shunt_emit_answered_into(f, answer, into);
    shunt_emit_leave(f, region);
}

/* What a `noting` behind an answer makes of it. */
typedef enum noted {
    UNNOTED,
    NOTED,
    NOTED_LATER /* there is another answer in between: a place of the message is then no more than a further place to look */
} noted;

/* Leaves the value in `into`. Jumps to `plain` when no answer was used; goes on behind itself when one was, or there is none. */
static void chain(shunt_emit_fn *f, shunt_ast *node, uint16_t into, shunt_emit_label *plain, noted how)
{
    shunt_emit_label past = { 0 };
    if (node->kind == SHUNT_AST_NOTING) {
        chain(f, node->kids[SHUNT_NOTING_value], into, plain, NOTED);
        shunt_emit_jump(f, SHUNT_OP_JUMP_ABSENT, into, &past);
        if (type_at(node->kids[SHUNT_NOTING_value])->clearable) shunt_emit_jump(f, SHUNT_OP_JUMP_CLEARED, into, &past);
        shunt_emit_op(f, SHUNT_OP_NOTE, shunt_emit_exit_number(f, node), 0, 0);
        shunt_emit_bind(f, &past);
        return;
    }
    if (node->kind != SHUNT_AST_OTHERWISE && node->kind != SHUNT_AST_CLEARED) {
        shunt_emit_answered_into(f, node, into);
        shunt_emit_jump(f, SHUNT_OP_JUMP_PRESENT, into, plain);
        return;
    }
    shunt_ast *value = node->kids[SHUNT_OTHERWISE_value], *answer = node->kids[SHUNT_OTHERWISE_answer];
    bool       leaf = value->kind != SHUNT_AST_OTHERWISE && value->kind != SHUNT_AST_CLEARED && value->kind != SHUNT_AST_NOTING;
    chain(f, value, into, plain, how == NOTED && node->kind != SHUNT_AST_CLEARED ? NOTED_LATER : how);
    if (!leaf) shunt_emit_jump(f, SHUNT_OP_JUMP_PRESENT, into, &past);
    if (node->kind == SHUNT_AST_CLEARED)
        shunt_emit_jump(f, SHUNT_OP_JUMP_ABSENT, into, &past);
    else if (type_at(value)->clearable)
        shunt_emit_jump(f, SHUNT_OP_JUMP_CLEARED, into, &past);
    shunt_emit_cover(f, SHUNT_COVER_OTHERWISE, answer);
    answer_into(f, answer, into);
    if (how == NOTED_LATER && is_direct_path(answer)) shunt_emit_jump(f, SHUNT_OP_JUMP_PRESENT, into, plain);
    shunt_emit_bind(f, &past);
}

static uint16_t eval_answers(shunt_emit_fn *f, shunt_ast *node, uint16_t into)
{
    uint16_t         at = result_place(f, node, into);
    shunt_emit_label plain = { 0 };
    chain(f, node, at, &plain, UNNOTED);
    shunt_emit_bind(f, &plain);
    return at;
}

/* ---- choices ---- */

static uint16_t eval_if(shunt_emit_fn *f, shunt_ast *node, uint16_t into)
{
    uint16_t         at = result_place(f, node, into);
    shunt_emit_label otherwise = { 0 }, end = { 0 };
    shunt_emit_condition(f, node->kids[SHUNT_IF_EXPR_test], false, &otherwise);
    shunt_emit_region region = shunt_emit_enter(f);
    shunt_emit_into(f, node->kids[SHUNT_IF_EXPR_then], at);
    shunt_emit_leave(f, region);
    shunt_emit_jump(f, SHUNT_OP_JUMP, 0, &end);
    shunt_emit_bind(f, &otherwise);
    region = shunt_emit_enter(f);
    shunt_emit_into(f, node->kids[SHUNT_IF_EXPR_otherwise], at);
    shunt_emit_leave(f, region);
    shunt_emit_bind(f, &end);
    return at;
}

static uint16_t eval_choose(shunt_emit_fn *f, shunt_ast *node, uint16_t into)
{
    shunt_ast        *subject_node = node->kids[SHUNT_CHOOSE_subject], *rows = node->kids[SHUNT_CHOOSE_rows], *otherwise = NULL;
    uint16_t          at = result_place(f, node, into), subject = answered(f, subject_node);
    shunt_emit_label *labels = SHUNT_NEW_N(f->e->arena, shunt_emit_label, rows->kid_count + 1), end = { 0 };
    if (!labels) {
        f->e->no_memory = true;
        return at;
    }
    shunt_emit_region tests = shunt_emit_enter(f);
    for (uint32_t i = 0; i < rows->kid_count; i++) {
        shunt_ast *patterns = rows->kids[i]->kind == SHUNT_AST_ROW ? rows->kids[i]->kids[SHUNT_ROW_patterns] : NULL;
        if (patterns && patterns->kid_count)
            shunt_emit_pattern(f, subject, type_at(subject_node), patterns->kids[0], &labels[i]);
        else if (rows->kids[i]->kind == SHUNT_AST_ROW)
            otherwise = rows->kids[i];
    }
    shunt_emit_leave(f, tests);
    shunt_emit_cover(f, SHUNT_COVER_ROW, otherwise);
    if (otherwise)
        answer_into(f, otherwise->kids[SHUNT_ROW_result], at);
    else
        shunt_emit_op(f, SHUNT_OP_UNMATCHED, 0, 0, 0);
    for (uint32_t i = 0; i < rows->kid_count; i++) {
        shunt_ast *row = rows->kids[i];
        if (row->kind != SHUNT_AST_ROW || row == otherwise) continue;
        shunt_emit_jump(f, SHUNT_OP_JUMP, 0, &end);
        shunt_emit_bind(f, &labels[i]);
        shunt_emit_cover(f, SHUNT_COVER_ROW, row);
        answer_into(f, row->kids[SHUNT_ROW_result], at);
    }
    shunt_emit_bind(f, &end);
    return at;
}

/* ---- passes over lists ---- */

static void open_loop(shunt_emit_fn *f, uint16_t list, shunt_emit_loop *loop)
{
    shunt_type type = shunt_emit_type_of(f, list);
    shunt_type item = { .kind = type.element, .scale = type.scale, .record = type.record, .extra = type.extra };
    uint16_t   index = shunt_emit_temp(f, int_type);
    memset(loop, 0, sizeof *loop);
    loop->item = shunt_emit_temp(f, item);
    loop->index = index;
    load_number(f, int_type, 0, index);
    shunt_emit_bind(f, &loop->next);
    shunt_emit_op(f, SHUNT_OP_NEXT, list, loop->item, index);
    shunt_emit_jump(f, SHUNT_OP_JUMP, 0, &loop->end);
    f->depth++;
    loop->region = shunt_emit_enter(f);
    loop->mark = f->temps.count;
}

void shunt_emit_loop_begin(shunt_emit_fn *f, shunt_ast *each, shunt_emit_loop *loop)
{
    open_loop(f, eval(f, each->kids[SHUNT_EACH_list], SHUNT_NONE), loop);
    shunt_fact *fact = shunt_fact_of(each);
    shunt_emit_bind_local(f, fact->symbol, loop->item);
    shunt_emit_pass_begin(f, each, loop->index);
    loop->pass = true;
    if (each->kids[SHUNT_EACH_where]) shunt_emit_condition(f, each->kids[SHUNT_EACH_where], false, &loop->next);
}

void shunt_emit_loop_end(shunt_emit_fn *f, shunt_emit_loop *loop)
{
    shunt_emit_jump(f, SHUNT_OP_JUMP, 0, &loop->next);
    if (loop->pass) shunt_emit_pass_end(f);
    f->depth--;
    shunt_emit_release(f, loop->mark);
    shunt_emit_leave(f, loop->region);
    shunt_emit_bind(f, &loop->end);
}

/* The pass that an aggregate makes: over `x for each ...`, or over a list as it stands. The value of the item, NULL = the
 * item. */
static shunt_ast *begin_aggregate(shunt_emit_fn *f, shunt_ast *over, shunt_emit_loop *loop)
{
    if (over->kind == SHUNT_AST_EACH_EXPR) {
        shunt_emit_loop_begin(f, over->kids[SHUNT_EACH_EXPR_each], loop);
        return over->kids[SHUNT_EACH_EXPR_value];
    }
    open_loop(f, eval(f, over, SHUNT_NONE), loop);
    return NULL;
}

static uint16_t aggregate_item(shunt_emit_fn *f, shunt_ast *value, const shunt_emit_loop *loop)
{
    return value ? eval(f, value, SHUNT_NONE) : loop->item;
}

static const shunt_emit_made *collector_of(shunt_emit_fn *f, shunt_ast *call, uint16_t *from);

/* `sum(a.amount for each a in adjustments(claim))` makes no rows: false where it is another sum. */
static bool total_of_rows(shunt_emit_fn *f, const shunt_ast *over, shunt_type type, uint16_t at)
{
    if (over->kind != SHUNT_AST_EACH_EXPR) return false;
    const shunt_ast  *each = over->kids[SHUNT_EACH_EXPR_each], *value = over->kids[SHUNT_EACH_EXPR_value];
    shunt_ast        *list = each->kids[SHUNT_EACH_list];
    const shunt_fact *fact = shunt_fact_of(value), *of = shunt_fact_of(list);
    if (each->kids[SHUNT_EACH_where] || list->kind != SHUNT_AST_CALL || of->kind != SHUNT_FACT_BUILTIN) return false;
    if (of->builtin != SHUNT_LANG_ADJUSTMENTS && of->builtin != SHUNT_LANG_PRIOR_ADJUSTMENTS &&
        of->builtin != SHUNT_LANG_PROVIDER_ADJUSTMENTS)
        return false;
    if (!fact || fact->kind != SHUNT_FACT_FIELD || !shunt_emit_same(shunt_emit_type(f->e, &fact->type), type)) return false;
    const shunt_fact *item = shunt_fact_of(value->kids[SHUNT_MEMBER_of]);
    if (item->kind != SHUNT_FACT_SYMBOL || item->symbol != shunt_fact_of(each)->symbol) return false;
    if (!shunt_text_is(of->type.item->shape->members[fact->member].name, "amount")) return false;
    uint16_t               from;
    shunt_span             span = f->span;
    const shunt_emit_made *made = collector_of(f, list, &from);
    if (!made || type.kind != SHUNT_KIND_DECIMAL) return false;
    f->span = list->span; /* what can not be read is so there */
    shunt_emit_op(f, SHUNT_OP_SUM, at, from, made->number);
    f->span = span;
    return true;
}

static uint16_t eval_total(shunt_emit_fn *f, shunt_ast *node, shunt_ast *over, uint16_t into)
{
    shunt_emit_loop loop;
    uint16_t        at = result_place(f, node, into);
    shunt_type      type = shunt_emit_type_of(f, at);
    if (total_of_rows(f, over, type, at)) return at;
    load_number(f, type, 0, at);
    shunt_ast *value = begin_aggregate(f, over, &loop);
    uint16_t   item = value ? eval_as(f, value, type) : as_type(f, loop.item, type);
    shunt_emit_op(f, type.kind == SHUNT_KIND_DECIMAL ? SHUNT_OP_DEC_ADD : SHUNT_OP_INT_ADD, at, at, item);
    shunt_emit_loop_end(f, &loop);
    return at;
}

static uint16_t eval_count(shunt_emit_fn *f, shunt_ast *over, uint16_t into)
{
    uint16_t   at = place_for(f, int_type, into);
    shunt_ast *each = over->kind == SHUNT_AST_EACH_EXPR ? over->kids[SHUNT_EACH_EXPR_each] : NULL;
    if (!each || !each->kids[SHUNT_EACH_where]) {
        shunt_emit_op(f, SHUNT_OP_LIST_COUNT, at, eval(f, each ? each->kids[SHUNT_EACH_list] : over, SHUNT_NONE), 0);
        return at;
    }
    shunt_emit_loop loop;
    uint16_t        one = load_number(f, int_type, 1, SHUNT_NONE);
    load_number(f, int_type, 0, at);
    shunt_emit_loop_begin(f, each, &loop);
    shunt_emit_op(f, SHUNT_OP_INT_ADD, at, at, one);
    shunt_emit_loop_end(f, &loop);
    return at;
}

/* The weights as a list of decimals, then the parts. */
static uint16_t eval_allocate(shunt_emit_fn *f, shunt_ast *node, shunt_ast *amount, shunt_ast *weights, uint16_t into)
{
    shunt_emit_loop loop;
    uint16_t        at = result_place(f, node, into);
    shunt_type      type = shunt_emit_type_of(f, at),
               part = { .kind = type.element, .scale = type.scale, .record = type.record, .extra = type.extra };
    const shunt_ty *held = type_at(weights);
    if (held->kind == SHUNT_TY_LIST) held = held->item;
    shunt_type weight = { .kind = SHUNT_KIND_DECIMAL, .scale = held->kind == SHUNT_TY_INT ? 0 : held->scale },
               list_type = { .kind = SHUNT_KIND_LIST, .element = SHUNT_KIND_DECIMAL, .scale = weight.scale };
    uint16_t from = eval_as(f, amount, part), list = shunt_emit_temp(f, list_type);
    shunt_emit_op(f, SHUNT_OP_LIST_NEW, list, 0, 0);
    if (weights->kind == SHUNT_AST_ARRAY) {
        for (uint32_t i = 0; i < weights->kid_count; i++)
            shunt_emit_op(f, SHUNT_OP_LIST_PUSH, list, eval_as(f, weights->kids[i], weight), 0);
    } else {
        shunt_ast *value = begin_aggregate(f, weights, &loop);
        uint16_t   item = value ? eval_as(f, value, weight) : as_type(f, loop.item, weight);
        shunt_emit_op(f, SHUNT_OP_LIST_PUSH, list, item, 0);
        shunt_emit_loop_end(f, &loop);
    }
    shunt_emit_op(f, SHUNT_OP_ALLOCATE, at, from, list);
    return at;
}

/* `at` becomes `item` when that is less (or more). */
static void keep_better(shunt_emit_fn *f, uint16_t at, uint16_t item, bool least, shunt_emit_label *past)
{
    uint16_t better = shunt_emit_temp(f, bool_type);
    compare(f, LESS, least ? item : at, least ? at : item, better);
    shunt_emit_jump(f, SHUNT_OP_JUMP_FALSE, better, past);
    shunt_emit_convert(f, item, at);
}

static uint16_t eval_extreme(shunt_emit_fn *f, shunt_ast *node, shunt_ast *args, bool least, uint16_t into)
{
    uint16_t         at = result_place(f, node, into);
    shunt_type       type = shunt_emit_type_of(f, at);
    shunt_emit_label past = { 0 }, take = { 0 };
    if (args->kid_count == 2) {
        uint16_t b = eval_as(f, args->kids[1], type);
        shunt_emit_into(f, args->kids[0], at);
        keep_better(f, at, b, least, &past);
        shunt_emit_bind(f, &past);
        return at;
    }
    shunt_emit_loop loop;
    shunt_emit_op(f, SHUNT_OP_ABSENT, at, 0, 0);
    shunt_ast *value = begin_aggregate(f, args->kids[0], &loop);
    uint16_t   item = as_type(f, aggregate_item(f, value, &loop), type), better = shunt_emit_temp(f, bool_type);
    shunt_emit_jump(f, SHUNT_OP_JUMP_ABSENT, at, &take);
    compare(f, LESS, least ? item : at, least ? at : item, better);
    shunt_emit_jump(f, SHUNT_OP_JUMP_FALSE, better, &loop.next);
    shunt_emit_bind(f, &take);
    shunt_emit_convert(f, item, at);
    shunt_emit_loop_end(f, &loop);
    return at;
}

static uint16_t eval_quantifier(shunt_emit_fn *f, shunt_ast *over, bool any, uint16_t into)
{
    shunt_emit_loop  loop;
    shunt_emit_label found = { 0 }, end = { 0 };
    uint16_t         at = place_for(f, bool_type, into);
    shunt_ast       *value = begin_aggregate(f, over, &loop);
    if (value)
        shunt_emit_condition(f, value, any, &found);
    else
        shunt_emit_jump(f, any ? SHUNT_OP_JUMP_TRUE : SHUNT_OP_JUMP_FALSE, loop.item, &found);
    shunt_emit_loop_end(f, &loop);
    set_bool(f, at, !any);
    shunt_emit_jump(f, SHUNT_OP_JUMP, 0, &end);
    shunt_emit_bind(f, &found);
    set_bool(f, at, any);
    shunt_emit_bind(f, &end);
    return at;
}

static uint16_t eval_filter(shunt_emit_fn *f, shunt_ast *node, uint16_t into)
{
    uint16_t        at = result_place(f, node, into), list = eval(f, node->kids[SHUNT_FILTER_of], SHUNT_NONE), outer = f->item;
    shunt_emit_loop loop;
    shunt_emit_op(f, SHUNT_OP_LIST_NEW, at, 0, 0);
    open_loop(f, list, &loop);
    f->item = loop.item;
    shunt_emit_condition(f, node->kids[SHUNT_FILTER_where], false, &loop.next);
    shunt_emit_op(f, SHUNT_OP_LIST_PUSH, at, loop.item, 0);
    f->item = outer;
    shunt_emit_loop_end(f, &loop);
    return at;
}

static uint16_t eval_array(shunt_emit_fn *f, shunt_ast *node, uint16_t into)
{
    uint16_t   at = result_place(f, node, into);
    shunt_type type = shunt_emit_type_of(f, at),
               item = { .kind = type.element, .scale = type.scale, .record = type.record, .extra = type.extra };
    shunt_emit_op(f, SHUNT_OP_LIST_NEW, at, 0, 0);
    for (uint32_t i = 0; i < node->kid_count; i++) shunt_emit_op(f, SHUNT_OP_LIST_PUSH, at, eval_as(f, node->kids[i], item), 0);
    return at;
}

/* ---- texts ---- */

/* Fits holes and pieces of a template in a run of texts. In a message (an exit's text) a value that carries PHI is replaced
 * by its
 * class, and money says its currency. */
static uint16_t join(shunt_emit_fn *f, shunt_ast *template, bool message, uint16_t into)
{
    uint32_t room = template->kid_count * 2 + 1, count = 0;
    struct piece {
        shunt_ast *hole;
        shunt_text text;
    } *pieces = shunt_arena_alloc(f->e->arena, room * sizeof *pieces);
    shunt_type *types = SHUNT_NEW_N(f->e->arena, shunt_type, room);
    uint16_t    at = place_for(f, text_type, into);
    if (!pieces || !types) {
        f->e->no_memory = true;
        return at;
    }
    for (uint32_t i = 0; i < template->kid_count; i++) {
        shunt_ast      *kid = template->kids[i];
        const shunt_ty *type = kid->kind == SHUNT_AST_STRING ? NULL : type_at(kid);
        if (!type) {
            if (kid->text.length) pieces[count++] = (struct piece){ NULL, kid->text };
        } else if (message && type->phi) {
            pieces[count++] = (struct piece){ NULL, shunt_emit_made_text(f->e, shunt_phi_mask(f->e->arena, type->phi)) };
        } else {
            pieces[count++] = (struct piece){ kid, { 0 } };
            if (message && type->kind == SHUNT_TY_MONEY)
                pieces[count++] =
                    (struct piece){ NULL, shunt_emit_made_text(f->e, shunt_text_format(f->e->arena, " %s", type->currency)) };
        }
    }
    /* Pieces of fixed text that stand side by side become one. */
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (kept && !pieces[i].hole && !pieces[kept - 1].hole)
            pieces[kept - 1].text =
                shunt_emit_made_text(f->e, shunt_text_format(f->e->arena, "%.*s%.*s", SHUNT_TEXT_ARGS(pieces[kept - 1].text),
                                                             SHUNT_TEXT_ARGS(pieces[i].text)));
        else
            pieces[kept++] = pieces[i];
    }
    if (kept == 0) return load_text(f, (shunt_text){ "", 0 }, at);
    if (kept == 1 && !pieces[0].hole) return load_text(f, pieces[0].text, at);
    for (uint32_t i = 0; i < kept; i++) types[i] = text_type;
    uint16_t run = shunt_emit_run_of(f, types, kept);
    for (uint32_t i = 0; i < kept; i++)
        if (pieces[i].hole)
            shunt_emit_text_into(f, pieces[i].hole, (uint16_t)(run + i));
        else
            load_text(f, pieces[i].text, (uint16_t)(run + i));
    shunt_emit_op(f, SHUNT_OP_TEXT_JOIN, at, run, (uint16_t)kept);
    return at;
}

uint16_t shunt_emit_message(shunt_emit_fn *f, shunt_ast *text)
{
    if (text->kind == SHUNT_AST_STRING) return load_text(f, text->text, SHUNT_NONE);
    return join(f, text, true, SHUNT_NONE);
}

/* ---- calls ---- */

static shunt_ast *argument_list(const shunt_ast *node)
{
    uint32_t at = node->kind == SHUNT_AST_METHOD ? SHUNT_METHOD_args : SHUNT_CALL_args;
    return at < node->kid_count ? node->kids[at] : NULL; /* `received_at` is a name alone */
}

/* Argument n, counted without the names; what stands before the dot of a method is the first. */
shunt_ast *shunt_emit_argument(const shunt_ast *node, uint32_t n, shunt_text name)
{
    const shunt_ast *args = argument_list(node);
    if (node->kind == SHUNT_AST_METHOD && n-- == 0) return node->kids[SHUNT_METHOD_of];
    for (uint32_t i = 0; args && name.length && i < args->kid_count; i++)
        if (args->kids[i]->kind == SHUNT_AST_FIELD && shunt_text_equal(args->kids[i]->kids[SHUNT_FIELD_name]->text, name))
            return args->kids[i]->kids[SHUNT_FIELD_value];
    if (!args || n >= args->kid_count || args->kids[n]->kind == SHUNT_AST_FIELD) return NULL;
    return args->kids[n];
}

static shunt_ast *argument(const shunt_ast *node, uint32_t n, const char *name)
{
    return shunt_emit_argument(node, n, shunt_text_of(name ? name : ""));
}

/* The body in the place of the call. Arguments are evaluated first, all of them, as for a call. */
static uint16_t eval_short(shunt_emit_fn *f, const shunt_symbol *function, shunt_ast *body, uint16_t into)
{
    uint16_t outer_item = f->item, result = place_for(f, shunt_emit_type(f->e, &function->type), into);
    uint32_t count = function->as.function.count;
    for (uint32_t i = 0; i < count; i++) {
        shunt_symbol *param = function->as.function.params[i];
        uint16_t      value = eval_as(f, f->given.items[f->given.count - count + i].value, shunt_emit_type(f->e, &param->type));
        shunt_emit_bind_local(f, param, value);
    }
    f->item = SHUNT_NONE;
    shunt_emit_into(f, body, result);
    f->item = outer_item;
    shunt_emit_short_end(f, function);
    return result;
}

static uint16_t eval_call(shunt_emit_fn *f, shunt_ast *node, const shunt_symbol *function, uint16_t into)
{
    shunt_emitter *e = f->e;
    if (function->kind == SHUNT_SYMBOL_FUNCTION && function->as.function.exits) return shunt_emit_decide_call(f, node, function);
    shunt_ast *body = shunt_emit_short_begin(f, node, function);
    if (body) return eval_short(f, function, body, into);
    uint32_t    count = function->kind == SHUNT_SYMBOL_FUNCTION ? function->as.function.count : 0;
    shunt_type *types = SHUNT_NEW_N(e->arena, shunt_type, count + 1);
    if (!types) {
        e->no_memory = true;
        return 0;
    }
    uint16_t number = (uint16_t)function->number;
    if (shunt_emit_takes_part(function)) {
        if (!shunt_emit_instance(e, node, function, types, &number)) return 0;
    } else {
        for (uint32_t i = 0; i < count; i++) types[i] = shunt_emit_type(e, &function->as.function.params[i]->type);
    }
    types[count] = shunt_emit_type(e, &function->type);
    uint16_t run = shunt_emit_run_of(f, types, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        shunt_ast *value = shunt_emit_argument(node, i, function->as.function.params[i]->name);
        if (value) shunt_emit_into(f, value, (uint16_t)(run + i));
    }
    shunt_emit_op(f, SHUNT_OP_CALL, run, number, 0);
    if (number < e->functions.count && !e->functions.items[number].pure) f->impure = true;
    return (uint16_t)(run + count);
}

/* A call that passes before this one have made for the same item is not made again. */
static uint16_t eval_function(shunt_emit_fn *f, shunt_ast *node, const shunt_symbol *function, uint16_t into)
{
    uint16_t           index, at;
    shunt_emit_recall *recall = shunt_emit_recall_of(f, node, &index);
    shunt_emit_label   past = { 0 };
    if (!recall) return eval_call(f, node, function, into);
    uint16_t list = recall->reg;
    if (!recall->begun) {
        recall->begun = true;
        at = eval_call(f, node, function, into);
        shunt_emit_op(f, SHUNT_OP_KEEP, at, list, index);
        return at;
    }
    at = result_place(f, node, into);
    shunt_emit_op(f, SHUNT_OP_RECALL, at, list, index);
    shunt_emit_jump(f, SHUNT_OP_JUMP_PRESENT, at, &past);
    shunt_emit_region region = shunt_emit_enter(f);
    shunt_emit_convert(f, eval_call(f, node, function, at), at);
    shunt_emit_op(f, SHUNT_OP_KEEP, at, list, index);
    shunt_emit_leave(f, region);
    shunt_emit_bind(f, &past);
    return at;
}

static shunt_type builtin_type(char letter, shunt_type decimal)
{
    switch (letter) {
    case 'b': return bool_type;
    case 'i': return int_type;
    case 'd': return decimal;
    case 'y': return date_type;
    case 'm': return (shunt_type){ .kind = SHUNT_KIND_MOMENT };
    default: return text_type;
    }
}

/* Decimal arguments are brought to the widest of their scales. */
static shunt_type widest_decimal(shunt_emit_fn *f, const shunt_ast *node, const char *letters)
{
    shunt_type wide = { .kind = SHUNT_KIND_DECIMAL };
    for (uint32_t i = 0; letters[i]; i++) {
        shunt_ast *value = letters[i] == 'd' ? argument(node, i, NULL) : NULL;
        if (!value) continue;
        shunt_type type = shunt_emit_type(f->e, type_at(value));
        if (type.kind == SHUNT_KIND_DECIMAL && type.scale >= wide.scale)
            wide = (shunt_type){ .kind = SHUNT_KIND_DECIMAL, .scale = type.scale };
    }
    return wide;
}

static uint16_t eval_vm_builtin(shunt_emit_fn *f, shunt_ast *node, shunt_builtin builtin, const char *const *names)
{
    const char *letters = shunt_builtin_info[builtin].arguments;
    uint32_t    count = (uint32_t)strlen(letters);
    shunt_type  types[8], wide = widest_decimal(f, node, letters);
    for (uint32_t i = 0; i < count; i++) types[i] = builtin_type(letters[i], wide);
    types[count] = shunt_builtin_info[builtin].result[0] == 'd' ? shunt_emit_type(f->e, type_at(node))
                                                                : builtin_type(shunt_builtin_info[builtin].result[0], wide);
    uint16_t run = shunt_emit_run_of(f, types, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        shunt_ast *value = argument(node, i, names ? names[i] : NULL);
        if (!value) continue;
        if (letters[i] == 't')
            shunt_emit_text_into(f, value, (uint16_t)(run + i));
        else
            shunt_emit_into(f, value, (uint16_t)(run + i));
    }
    shunt_emit_op(f, SHUNT_OP_BUILTIN, run, (uint16_t)builtin, 0);
    if (builtin == SHUNT_BUILTIN_FILE_ID || builtin == SHUNT_BUILTIN_RECEIVED_AT || builtin == SHUNT_BUILTIN_TOKENIZE)
        f->impure = true;
    return (uint16_t)(run + count);
}

static shunt_rounding rounding_of(const shunt_ast *mode)
{
    shunt_text     text = { 0 };
    shunt_rounding rounding = SHUNT_EXACT;
    if (mode && shunt_fold_text(mode, &text)) shunt_rounding_find(text, &rounding);
    return rounding;
}

/* `round(a / b, places, mode)` divides once, exactly, and rounds the quotient; `round(x, places, mode)` rounds x. The scale
 * of the
 * result type is `places`. */
static uint16_t eval_round(shunt_emit_fn *f, shunt_ast *node, uint16_t into)
{
    shunt_ast     *value = argument(node, 0, NULL);
    shunt_rounding mode = rounding_of(argument(node, 2, "mode"));
    __int128       places = 0;
    shunt_ast     *places_node = argument(node, 1, "places");
    shunt_type     type = shunt_emit_type(f->e, type_at(node)), rounded = type;
    if (places_node && shunt_fold(places_node, &places) && places >= 0 && places <= SHUNT_DECIMAL_DIGITS)
        rounded.scale = (uint8_t)places;
    if (type.kind != SHUNT_KIND_DECIMAL) return eval(f, value, into);
    uint16_t at = place_for(f, rounded, into);
    if (value->kind == SHUNT_AST_BINARY && shunt_text_is(value->text, "/")) {
        uint16_t a = as_decimal(f, eval(f, value->kids[SHUNT_BINARY_left], SHUNT_NONE)),
                 b = as_decimal(f, eval(f, value->kids[SHUNT_BINARY_right], SHUNT_NONE));
        shunt_emit_op(f, SHUNT_OP_DEC_DIV, at, a, b);
        shunt_emit_op(f, SHUNT_OP_EXTRA, 0, 0, (uint16_t)mode);
    } else {
        uint16_t from = as_decimal(f, eval(f, value, SHUNT_NONE));
        shunt_emit_op(f, SHUNT_OP_DEC_RESCALE, at, from, (uint16_t)mode);
    }
    return shunt_emit_same(rounded, type) ? at : as_type(f, at, type);
}

static uint16_t eval_mask(shunt_emit_fn *f, shunt_ast *node, uint16_t into)
{
    shunt_ast      *value = argument(node, 0, NULL);
    const shunt_ty *type = type_at(value);
    shunt_text mask = type->phi ? shunt_emit_made_text(f->e, shunt_phi_mask(f->e->arena, type->phi)) : SHUNT_TEXT("[masked]");
    uint16_t   at = place_for(f, text_type, into);
    if (!may_lack(type)) return load_text(f, mask, at);
    shunt_emit_label past = { 0 };
    uint16_t         held = eval(f, value, SHUNT_NONE);
    text_of(f, held, at);
    shunt_emit_jump(f, SHUNT_OP_JUMP_ABSENT, held, &past);
    shunt_emit_jump(f, SHUNT_OP_JUMP_CLEARED, held, &past);
    load_text(f, mask, at);
    shunt_emit_bind(f, &past);
    return at;
}

static uint16_t eval_occurrence(shunt_emit_fn *f, shunt_ast *node, uint16_t into)
{
    const shunt_ast *args = argument_list(node);
    shunt_type      *types = SHUNT_NEW_N(f->e->arena, shunt_type, args->kid_count + 1);
    uint16_t         at = place_for(f, int_type, into);
    if (!types) {
        f->e->no_memory = true;
        return at;
    }
    for (uint32_t i = 0; i < args->kid_count; i++) types[i] = text_type;
    uint16_t run = shunt_emit_run_of(f, types, args->kid_count);
    for (uint32_t i = 0; i < args->kid_count; i++) shunt_emit_text_into(f, args->kids[i], (uint16_t)(run + i));
    shunt_emit_op(f, SHUNT_OP_OCCURRENCE, at, run, shunt_emit_number(f->e, args->kid_count));
    return at;
}

/* The collector that a call names, and the register of the node it starts at; NULL: there is none. */
static const shunt_emit_made *collector_of(shunt_emit_fn *f, shunt_ast *call, uint16_t *from)
{
    shunt_lang_builtin    builtin = shunt_fact_of(call)->builtin;
    shunt_ast            *value = argument(call, 0, NULL);
    const shunt_symbol   *source = builtin == SHUNT_LANG_PROVIDER_ADJUSTMENTS ? shunt_fact_of(value)->symbol : NULL;
    const shunt_loop_ref *loop = source ? shunt_emit_set_loop(f->e, source) : type_at(value)->loop;
    if (!loop) return NULL;
    const shunt_emit_made *made = shunt_emit_collect(f->e, builtin, loop, type_at(call)->item->shape, call->span);
    *from = source ? shunt_emit_set_node(f, source) : eval(f, value, SHUNT_NONE);
    return made;
}

static uint16_t eval_collect(shunt_emit_fn *f, shunt_ast *node)
{
    uint16_t               from;
    const shunt_emit_made *made = collector_of(f, node, &from);
    if (!made) return shunt_emit_temp(f, shunt_emit_type(f->e, type_at(node)));
    return shunt_emit_once(f, SHUNT_OP_COLLECT, shunt_emit_type(f->e, type_at(node)), from, made->number);
}

static uint16_t eval_unary(shunt_emit_fn *f, shunt_ast *node, shunt_op int_op, shunt_op decimal_op, uint16_t into)
{
    uint16_t at = result_place(f, node, into), value = eval_as(f, argument(node, 0, NULL), shunt_emit_type_of(f, at));
    shunt_emit_op(f, shunt_emit_type_of(f, at).kind == SHUNT_KIND_DECIMAL ? decimal_op : int_op, at, value, 0);
    return at;
}

/* The row of the table, or of the one that an active overlay puts in its place. */
static void emit_lookup(shunt_emit_fn *f, const shunt_symbol *symbol, uint16_t at, uint16_t run)
{
    shunt_emit_label found = { 0 };
    for (const shunt_replacement *r = symbol->replaced; r; r = r->next) {
        shunt_emit_label past = { 0 };
        shunt_emit_jump(f, SHUNT_OP_JUMP_FALSE, shunt_emit_active(f, r->overlay), &past);
        shunt_emit_op(f, SHUNT_OP_LOOKUP, at, run, (uint16_t)r->table->number);
        shunt_emit_jump(f, SHUNT_OP_JUMP, 0, &found);
        shunt_emit_bind(f, &past);
    }
    shunt_emit_op(f, SHUNT_OP_LOOKUP, at, run, (uint16_t)symbol->number);
    shunt_emit_bind(f, &found);
}

/* The rate in force, times the amount, rounded half up to the currency's scale. Absent where there is no rate. */
static uint16_t eval_exchange(shunt_emit_fn *f, shunt_ast *node, uint16_t into)
{
    const shunt_symbol     *rates = shunt_fact_of(node)->symbol;
    const shunt_table_info *table = rates->as.table;
    shunt_ast              *amount = argument(node, 0, NULL), *to = argument(node, 1, "to"), *on = argument(node, 2, "on");
    uint32_t                rate = 0;
    while (!shunt_text_is(table->shape->members[rate].name, "rate")) rate++;
    shunt_type types[3] = { text_type, text_type, date_type }, row_type = shunt_emit_type(f->e, &rates->type),
               rate_type = shunt_emit_type(f->e, &table->shape->members[rate].type);
    uint16_t at = result_place(f, node, into), row = shunt_emit_temp(f, row_type), factor = shunt_emit_temp(f, rate_type),
             value = as_decimal(f, eval(f, amount, SHUNT_NONE)), run = shunt_emit_run_of(f, types, 3);
    shunt_type product = { .kind = SHUNT_KIND_DECIMAL, .scale = (uint8_t)(shunt_emit_type_of(f, value).scale + rate_type.scale) };
    load_text(f, shunt_text_of(type_at(amount)->currency), run);
    shunt_emit_text_into(f, to, (uint16_t)(run + 1));
    shunt_emit_into(f, on, (uint16_t)(run + 2));
    emit_lookup(f, rates, row, run);
    shunt_emit_op(f, SHUNT_OP_FIELD, factor, row, shunt_emit_number(f->e, rate));
    uint16_t whole = shunt_emit_temp(f, product);
    shunt_emit_op(f, SHUNT_OP_DEC_MUL, whole, value, factor);
    shunt_emit_op(f, SHUNT_OP_DEC_RESCALE, at, whole, SHUNT_HALF_UP);
    return at;
}

static uint16_t eval_builtin(shunt_emit_fn *f, shunt_ast *node, shunt_lang_builtin builtin, uint16_t into)
{
    static const char *const months[] = { NULL, NULL, "mode" }, *const change[] = { NULL, NULL, "places", "mode" },
                             *const dated[] = { NULL, "format" }, *const units[] = { NULL, "from", "to" };
    shunt_ast *args = argument_list(node), *first = argument(node, 0, NULL);
    uint16_t   at;
    switch (builtin) {
    case SHUNT_LANG_SUM: return eval_total(f, node, first, into);
    case SHUNT_LANG_COUNT: return eval_count(f, first, into);
    case SHUNT_LANG_MIN: return eval_extreme(f, node, args, true, into);
    case SHUNT_LANG_MAX: return eval_extreme(f, node, args, false, into);
    case SHUNT_LANG_ANY_OF: return eval_quantifier(f, first, true, into);
    case SHUNT_LANG_ALL_OF: return eval_quantifier(f, first, false, into);
    case SHUNT_LANG_ABS: return eval_unary(f, node, SHUNT_OP_INT_ABS, SHUNT_OP_DEC_ABS, into);
    case SHUNT_LANG_ROUND: return eval_round(f, node, into);
    case SHUNT_LANG_ALLOCATE: return eval_allocate(f, node, first, argument(node, 1, NULL), into);
    case SHUNT_LANG_PERCENT_CHANGE: return eval_vm_builtin(f, node, SHUNT_BUILTIN_PERCENT_CHANGE, change);
    case SHUNT_LANG_POSITION: return shunt_emit_once(f, SHUNT_OP_POSITION, int_type, eval(f, first, SHUNT_NONE), 0);
    case SHUNT_LANG_OCCURRENCE: return eval_occurrence(f, node, into);
    case SHUNT_LANG_ADJUSTMENTS:
    case SHUNT_LANG_PRIOR_ADJUSTMENTS:
    case SHUNT_LANG_PROVIDER_ADJUSTMENTS: return eval_collect(f, node);
    case SHUNT_LANG_FIRST_SERVICE_DATE: {
        uint16_t from = eval(f, first, SHUNT_NONE);
        return shunt_emit_once(f, SHUNT_OP_EARLIEST, date_type, from, shunt_emit_earliest(f->e, type_at(first)->loop)->number);
    }
    case SHUNT_LANG_DAYS_BETWEEN: {
        uint16_t from = eval(f, first, SHUNT_NONE), to = eval(f, argument(node, 1, NULL), SHUNT_NONE);
        at = place_for(f, int_type, into);
        shunt_emit_op(f, SHUNT_OP_DATE_DIFF, at, to, from);
        return at;
    }
    case SHUNT_LANG_ADD_MONTHS: return eval_vm_builtin(f, node, SHUNT_BUILTIN_ADD_MONTHS, months);
    case SHUNT_LANG_DATE_OF: return eval_vm_builtin(f, node, SHUNT_BUILTIN_DATE_OF, NULL);
    case SHUNT_LANG_LOCAL_DATE: return eval_vm_builtin(f, node, SHUNT_BUILTIN_LOCAL_DATE, NULL);
    case SHUNT_LANG_YEAR_OF: return eval_vm_builtin(f, node, SHUNT_BUILTIN_YEAR_OF, NULL);
    case SHUNT_LANG_DATE: return eval_vm_builtin(f, node, SHUNT_BUILTIN_DATE_FORMAT, dated);
    case SHUNT_LANG_TRY_DATE: return eval_vm_builtin(f, node, SHUNT_BUILTIN_TRY_DATE, NULL);
    case SHUNT_LANG_TRY_INT: return eval_vm_builtin(f, node, SHUNT_BUILTIN_TRY_INT, NULL);
    case SHUNT_LANG_TRY_DECIMAL:
    case SHUNT_LANG_TRY_MONEY: return eval_vm_builtin(f, node, SHUNT_BUILTIN_TRY_DECIMAL, NULL);
    case SHUNT_LANG_TEXT:
        at = place_for(f, text_type, into);
        shunt_emit_text_into(f, first, at);
        return at;
    case SHUNT_LANG_UPPER: return eval_vm_builtin(f, node, SHUNT_BUILTIN_UPPER, NULL);
    case SHUNT_LANG_LOWER: return eval_vm_builtin(f, node, SHUNT_BUILTIN_LOWER, NULL);
    case SHUNT_LANG_TRIM: return eval_vm_builtin(f, node, SHUNT_BUILTIN_TRIM, NULL);
    case SHUNT_LANG_LENGTH: return eval_vm_builtin(f, node, SHUNT_BUILTIN_LENGTH, NULL);
    case SHUNT_LANG_PART: return eval_vm_builtin(f, node, SHUNT_BUILTIN_PART, NULL);
    case SHUNT_LANG_STARTS: return eval_vm_builtin(f, node, SHUNT_BUILTIN_STARTS, NULL);
    case SHUNT_LANG_MASK: return eval_mask(f, node, into);
    case SHUNT_LANG_TOKENIZE: return eval_vm_builtin(f, node, SHUNT_BUILTIN_TOKENIZE, NULL);
    case SHUNT_LANG_LAST4: return eval_vm_builtin(f, node, SHUNT_BUILTIN_LAST4, NULL);
    case SHUNT_LANG_DECLASSIFY: return eval(f, first, into);
    case SHUNT_LANG_FILE_ID: return eval_vm_builtin(f, node, SHUNT_BUILTIN_FILE_ID, NULL);
    case SHUNT_LANG_RECEIVED_AT: return eval_vm_builtin(f, node, SHUNT_BUILTIN_RECEIVED_AT, NULL);
    case SHUNT_LANG_CONVERT: return eval_vm_builtin(f, node, SHUNT_BUILTIN_CONVERT, units);
    case SHUNT_LANG_EXCHANGE: return eval_exchange(f, node, into);
    case SHUNT_LANG_COUNT_: break;
    }
    shunt_emit_unsupported(f->e, node->span, "this function");
    return result_place(f, node, into);
}

/* ---- names, look-ups ---- */

static uint16_t eval_lookup(shunt_emit_fn *f, shunt_ast *node, uint16_t into)
{
    const shunt_symbol     *symbol = shunt_fact_of(node)->symbol;
    const shunt_table_info *table = symbol->as.table;
    const shunt_ast        *keys = node->kids[SHUNT_INDEX_keys];
    shunt_type             *types = SHUNT_NEW_N(f->e->arena, shunt_type, table->key_count + 1);
    uint32_t                count = table->key_count + (table->effective ? 1 : 0);
    uint16_t                at = result_place(f, node, into);
    if (!types) {
        f->e->no_memory = true;
        return at;
    }
    for (uint32_t i = 0; i < table->key_count; i++) types[i] = shunt_emit_type(f->e, &table->shape->members[i].type);
    if (table->effective) types[table->key_count] = date_type;
    uint16_t run = shunt_emit_run_of(f, types, count);
    for (uint32_t i = 0; i < table->key_count && i < keys->kid_count; i++) {
        bool any = keys->kids[i]->kind == SHUNT_AST_ANY ||
                   (keys->kids[i]->kind == SHUNT_AST_NAME && shunt_fact_of(keys->kids[i])->kind == SHUNT_FACT_NONE);
        if (any)
            load_text(f, (shunt_text){ "", 0 }, (uint16_t)(run + i));
        else
            shunt_emit_into(f, keys->kids[i], (uint16_t)(run + i));
    }
    if (table->effective && node->kids[SHUNT_INDEX_at])
        shunt_emit_into(f, node->kids[SHUNT_INDEX_at], (uint16_t)(run + table->key_count));
    emit_lookup(f, symbol, at, run);
    return at;
}

static uint16_t eval_symbol(shunt_emit_fn *f, shunt_ast *node, const shunt_symbol *symbol, uint16_t into)
{
    switch (symbol->kind) {
    case SHUNT_SYMBOL_LOCAL:
    case SHUNT_SYMBOL_PARAM:
    case SHUNT_SYMBOL_VARIABLE: return (uint16_t)symbol->number;
    case SHUNT_SYMBOL_GLOBAL:
        return shunt_emit_once(f, SHUNT_OP_GLOBAL_GET, shunt_emit_type(f->e, &symbol->type), (uint16_t)symbol->number, 0);
    case SHUNT_SYMBOL_TALLY:
        return shunt_emit_once(f, SHUNT_OP_TALLY_GET, shunt_emit_type(f->e, &symbol->type), (uint16_t)symbol->number, 0);
    case SHUNT_SYMBOL_FIELD: return (uint16_t)(f->record_base + symbol->as.field.member);
    case SHUNT_SYMBOL_CONSTANT: return eval_function(f, node, symbol, into);
    case SHUNT_SYMBOL_SOURCE: return shunt_emit_set_node(f, symbol);
    default: break;
    }
    shunt_emit_unsupported(f->e, node->span, "this name as a value");
    return 0;
}

/* Rows made of a message may lack what the guide requires: reading it is then the failure that reading the element is. */
static bool may_break_the_guide(const shunt_ast *node)
{
    const shunt_shape *shape = type_at(node->kids[SHUNT_MEMBER_of])->shape;
    if (!shape || may_lack(type_at(node))) return false;
    if (shape->kind != SHUNT_SHAPE_ADJUSTMENT && shape->kind != SHUNT_SHAPE_PRIOR_ADJUSTMENT &&
        shape->kind != SHUNT_SHAPE_PROVIDER_ADJUSTMENT)
        return false;
    shunt_text name = shape->members[shunt_fact_of(node)->member].name;
    return !shunt_text_is(name, "amount") && !shunt_text_is(name, "level") && !shunt_text_is(name, "ordinal");
}

static uint16_t eval_field(shunt_emit_fn *f, shunt_ast *node)
{
    uint16_t                 row = eval(f, node->kids[SHUNT_MEMBER_of], SHUNT_NONE);
    uint32_t                 before = f->code.count;
    uint16_t                 at = shunt_emit_once(f, SHUNT_OP_FIELD, shunt_emit_type(f->e, type_at(node)), row,
                                                  shunt_emit_number(f->e, shunt_fact_of(node)->member));
    const shunt_emit_handed *handed = shunt_emit_handed_to(f->e, node->kids[SHUNT_MEMBER_of]);
    if (handed && handed->places && f->read_slot == SHUNT_NONE) {
        const shunt_emit_place *place = &handed->places[shunt_fact_of(node)->member];
        f->read_frame = place->frame, f->read_slot = place->slot, f->read_node = place->node;
    }
    if (f->code.count != before && may_break_the_guide(node)) shunt_emit_op(f, SHUNT_OP_REQUIRE, at, SHUNT_NONE, 0);
    return at;
}

static uint16_t eval_fact(shunt_emit_fn *f, shunt_ast *node, const shunt_fact *fact, uint16_t into)
{
    switch (fact->kind) {
    case SHUNT_FACT_PATH: return shunt_emit_path(f, fact->path, &fact->type, false);
    case SHUNT_FACT_SYMBOL: return eval_symbol(f, node, fact->symbol, into);
    case SHUNT_FACT_FIELD: return eval_field(f, node);
    case SHUNT_FACT_LOOKUP: return eval_lookup(f, node, into);
    case SHUNT_FACT_FUNCTION: return eval_function(f, node, fact->symbol, into);
    case SHUNT_FACT_BUILTIN: return eval_builtin(f, node, fact->builtin, into);
    case SHUNT_FACT_FIRST: {
        uint16_t list = eval(f, node->kids[SHUNT_MEMBER_of], SHUNT_NONE);
        if (fact->member == UINT32_MAX)
            return shunt_emit_once(f, SHUNT_OP_RECALL, shunt_emit_type(f->e, &fact->type), list,
                                   eval(f, node->kids[SHUNT_INDEX_keys]->kids[0], SHUNT_NONE));
        if (fact->member < 2) return shunt_emit_once(f, SHUNT_OP_LIST_FIRST, shunt_emit_type(f->e, &fact->type), list, 0);
        return shunt_emit_once(f, SHUNT_OP_RECALL, shunt_emit_type(f->e, &fact->type), list,
                               load_number(f, int_type, fact->member, SHUNT_NONE));
    }
    case SHUNT_FACT_RANGE_PART:
        return fact->path ? shunt_emit_path(f, fact->path, &fact->type, false) : eval(f, node->kids[SHUNT_MEMBER_of], into);
    case SHUNT_FACT_ITEM: return f->item;
    case SHUNT_FACT_NONE:
    case SHUNT_FACT_EXIT:
    case SHUNT_FACT_TARGET:
    case SHUNT_FACT_TABLE: break;
    }
    shunt_emit_unsupported(f->e, node->span, "this expression");
    return 0;
}

static uint16_t eval_node(shunt_emit_fn *f, shunt_ast *node, uint16_t into)
{
    const shunt_fact *fact = shunt_fact_of(node);
    __int128          number;
    shunt_text        text;
    if (fact->kind != SHUNT_FACT_PATH && !may_lack(&fact->type) && shunt_fold(node, &number))
        return load_number(f, shunt_emit_type(f->e, &fact->type), number, into);
    if (fact->kind != SHUNT_FACT_PATH && shunt_fold_text(node, &text)) return load_text(f, text, into);
    switch ((shunt_ast_kind)node->kind) {
    case SHUNT_AST_TEMPLATE: return join(f, node, false, into);
    case SHUNT_AST_BINARY: return eval_binary(f, node, into);
    case SHUNT_AST_MINUS: return eval_minus(f, node, into);
    case SHUNT_AST_NOT: {
        uint16_t value = eval(f, node->kids[SHUNT_NOT_value], SHUNT_NONE), at = place_for(f, bool_type, into);
        shunt_emit_op(f, SHUNT_OP_NOT, at, value, 0);
        return at;
    }
    case SHUNT_AST_IS: return condition_value(f, node, into);
    case SHUNT_AST_IN: return eval_in(f, node, into);
    case SHUNT_AST_OTHERWISE:
    case SHUNT_AST_CLEARED:
    case SHUNT_AST_NOTING: return eval_answers(f, node, into);
    case SHUNT_AST_IF_EXPR: return eval_if(f, node, into);
    case SHUNT_AST_CHOOSE: return eval_choose(f, node, into);
    case SHUNT_AST_FILTER: return fact->kind == SHUNT_FACT_PATH ? eval_fact(f, node, fact, into) : eval_filter(f, node, into);
    case SHUNT_AST_ARRAY: return eval_array(f, node, into);
    default: return eval_fact(f, node, fact, into);
    }
}

static uint16_t eval(shunt_emit_fn *f, shunt_ast *node, uint16_t into)
{
    shunt_span before = f->span;
    f->span = node->span;
    uint16_t reg = eval_node(f, node, into);
    f->span = before;
    return reg;
}
