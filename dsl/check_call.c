/* Calls: the built-ins of the language, and the functions of the rules. */
#include "dsl/check.h"
#include "dsl/csv_cells.h"
#include "dsl/tree.h"

#include "engine/base/date.h"
#include "engine/base/decimal.h"

enum { PLACES_AT_MOST = 18, LINES_AT_MOST = 10000 };

/* By shunt_lang_builtin. */
static const struct {
    const char *name, *usage; /* how it is called, for messages */
} builtins[] = {
#define SHUNT_LANG_BUILTIN(symbol, name, usage, signature, result, meaning) { name, usage },
#include "dsl/builtin.def"
};

static bool find_builtin(shunt_text name, shunt_lang_builtin *builtin)
{
    for (size_t i = 0; i < SHUNT_COUNT(builtins); i++)
        if (shunt_text_is(name, builtins[i].name)) {
            *builtin = (shunt_lang_builtin)i;
            return true;
        }
    return false;
}

bool is_builtin(shunt_text name)
{
    shunt_lang_builtin builtin;
    return find_builtin(name, &builtin);
}

/* ---- arguments ---- */

/* A call as it is taken apart: values by position, then by name, or one `value for each x in list`. */
typedef struct call {
    shunt_ast  *node;
    shunt_text  name;
    shunt_ast **values;
    uint32_t    count;
    shunt_ast **named; /* FIELD */
    uint32_t    named_count;
    shunt_ast  *each; /* EACH_EXPR */
} call;

static call take_apart(shunt_ast *node, shunt_text name, shunt_ast *args)
{
    call c = { .node = node, .name = name };
    if (!args || !args->kid_count) return c;
    c.values = args->kids;
    while (c.count < args->kid_count && args->kids[c.count] && args->kids[c.count]->kind != SHUNT_AST_FIELD) c.count++;
    c.named = args->kids + c.count;
    c.named_count = args->kid_count - c.count;
    if (c.count == 1 && !c.named_count && c.values[0]->kind == SHUNT_AST_EACH_EXPR) c.each = c.values[0];
    return c;
}

static void check_all(check *k, const call *c)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (c->values[i]->kind != SHUNT_AST_EACH_EXPR) (void)check_expr(k, c->values[i], NULL);
    for (uint32_t i = 0; i < c->named_count; i++) (void)check_expr(k, kid(c->named[i], SHUNT_FIELD_value), NULL);
}

static shunt_ty wrong_arguments(check *k, const call *c, shunt_lang_builtin builtin)
{
    check_all(k, c);
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0306, c->node->span, "`%.*s` is called otherwise", SHUNT_TEXT_ARGS(c->name));
    shunt_diag_help(k->diags, d, "write `%s`", builtins[builtin].usage);
    return ty_error();
}

static bool has_arguments(const call *c, uint32_t count) { return c->count == count && !c->named_count && !c->each; }

/* All of them, by position and then by name. */
static bool gather(const call *c, const char *const *names, uint32_t count, shunt_ast **values)
{
    memset(values, 0, count * sizeof *values);
    if (c->each || c->count > count) return false;
    for (uint32_t i = 0; i < c->count; i++) values[i] = c->values[i];
    for (uint32_t i = 0; i < c->named_count; i++) {
        const shunt_ast *name = kid(c->named[i], SHUNT_FIELD_name);
        uint32_t         at = 0;
        while (at < count && (!names[at] || !name || !shunt_text_is(name->text, names[at]))) at++;
        if (at == count || values[at]) return false;
        values[at] = kid(c->named[i], SHUNT_FIELD_value);
    }
    for (uint32_t i = 0; i < count; i++)
        if (!values[i]) return false;
    return true;
}

static shunt_ty argument(check *k, const call *c, uint32_t at, shunt_ty type)
{
    need n = { .by = FOR_ARGUMENT, .type = type, .name = c->name };
    return check_needed(k, c->values[at], &n);
}

/* An argument of which absence gives absence. */
static shunt_ty optional_argument(check *k, const call *c, uint32_t at, shunt_ty type)
{
    type.optional = type.clearable = true;
    return argument(k, c, at, type);
}

static shunt_ty like(shunt_ty result, const shunt_ty *argument)
{
    result.optional = argument->optional;
    result.clearable = argument->clearable;
    result.phi = argument->phi;
    return result;
}

/* A text written out, one of `words`. False: reported. */
static bool word_argument(check *k, const call *c, uint32_t at, const char *const *words, const char *what)
{
    shunt_ast *node = c->values[at];
    (void)check_expr(k, node, NULL);
    shunt_text list = { 0 };
    for (uint32_t i = 0; words[i]; i++) {
        if (node->kind == SHUNT_AST_STRING && shunt_text_is(node->text, words[i])) return true;
        list = check_format(k, "%.*s%s`\"%s\"`", SHUNT_TEXT_ARGS(list), i ? ", " : "", words[i]);
    }
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_E0306, node->span, "%s of `%.*s` must be written out", what, SHUNT_TEXT_ARGS(c->name));
    shunt_diag_help(k->diags, d, "one of %.*s", SHUNT_TEXT_ARGS(list));
    return false;
}

static const char *const rounding_modes[] = { "half_up", "half_even", "down", "up", "exact", NULL };
static const char *const month_modes[] = { "clamp", "next", NULL };

/* A whole number written out. False: reported. */
static bool number_argument(check *k, const call *c, uint32_t at, unsigned at_most, unsigned *number)
{
    shunt_ast        *node = c->values[at];
    shunt_ty          type = check_expr(k, node, NULL);
    const shunt_fact *fact = shunt_fact_of(node);
    if (node->kind == SHUNT_AST_INT && type.kind == SHUNT_TY_INT && fact->number <= at_most) {
        *number = (unsigned)fact->number;
        return true;
    }
    if (shunt_ty_is_error(&type)) return false;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0306, node->span, "`%.*s` wants a number from 0 to %u here, written out",
                                   SHUNT_TEXT_ARGS(c->name), at_most);
    shunt_diag_help(k->diags, d, "the number of decimals must be known when the rules are read");
    return false;
}

/* ---- over lists ---- */

/* The value of `value for each x in list where ...`, with x in a block of its own. */
static shunt_ty each_value(check *k, shunt_ast *each_expr, wanted_by by, shunt_text name, bool present, const shunt_ty *want)
{
    level    inner;
    uint32_t before = k->levels;
    enter_block(k);
    shunt_ast *each = kid(each_expr, SHUNT_EACH_EXPR_each), *value = kid(each_expr, SHUNT_EACH_EXPR_value);
    bool       lost = k->lost;
    k->lost = !check_each(k, each, &inner) || lost;
    shunt_ty type = check_expr(k, value, want);
    need     n = { .by = by, .name = name };
    if (present && !shunt_ty_is_error(&type) && !check_fits(k, value, &type, &n)) type = ty_error();
    leave_each(k, &inner);
    leave_block(k);
    /* The levels inside end with the expression; what its list and value depend on outside stays. */
    k->levels = before | (k->levels & (inner.bit - 1));
    k->lost = lost;
    return check_typed(k, each_expr, type);
}

static shunt_ty check_sum(check *k, const call *c, const shunt_ty *want)
{
    if (!c->each) return wrong_arguments(k, c, SHUNT_LANG_SUM);
    shunt_ty type = each_value(k, c->each, FOR_SUM, SHUNT_TEXT("sum"), true, want);
    if (shunt_ty_is_error(&type) || shunt_ty_is_number(&type) || type.kind == SHUNT_TY_MONEY) return shunt_ty_present(type);
    shunt_text  name = shunt_ty_name(k->arena, &type);
    shunt_ast  *value = kid(c->each, SHUNT_EACH_EXPR_value);
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0303, value->span, "`sum` adds numbers and amounts, and this is %.*s",
                                   SHUNT_TEXT_ARGS(name));
    shunt_diag_here(k->diags, d, "%.*s", SHUNT_TEXT_ARGS(name));
    if (type.kind == SHUNT_TY_BOOL)
        shunt_diag_help(k->diags, d, "count those that are true: `count(x for each x in list where ...)`");
    return ty_error();
}

static shunt_ty not_a_list(check *k, const call *c, const shunt_ast *node, const shunt_ty *type)
{
    shunt_text  name = shunt_ty_name(k->arena, type);
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0303, node->span, "`%.*s` wants a list, and this is %.*s",
                                   SHUNT_TEXT_ARGS(c->name), SHUNT_TEXT_ARGS(name));
    shunt_diag_here(k->diags, d, "%.*s", SHUNT_TEXT_ARGS(name));
    if (node->kind == SHUNT_AST_INT && node->text.length == 4)
        shunt_diag_help(k->diags, d, "for a loop of the message: `%.*s(x for each x in %.*s)`", SHUNT_TEXT_ARGS(c->name),
                        SHUNT_TEXT_ARGS(node->text));
    return ty_error();
}

static shunt_ty check_count(check *k, const call *c)
{
    shunt_ty type = ty_error();
    if (c->each)
        type = each_value(k, c->each, FOR_ITEM, SHUNT_TEXT("count"), false, NULL);
    else if (has_arguments(c, 1)) {
        type = c->values[0]->kind == SHUNT_AST_INT ? check_expr(k, c->values[0], NULL) : check_list(k, c->values[0], NULL);
        if (!shunt_ty_is_error(&type) && type.kind != SHUNT_TY_LIST) return not_a_list(k, c, c->values[0], &type);
    } else {
        return wrong_arguments(k, c, SHUNT_LANG_COUNT);
    }
    return shunt_ty_plain(SHUNT_TY_INT);
}

static bool check_ordered(check *k, const call *c, const shunt_ast *node, const shunt_ty *type)
{
    if (shunt_ty_is_ordered(type) && type->kind != SHUNT_TY_TOKEN) return true;
    shunt_text  name = shunt_ty_name(k->arena, type);
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0303, node->span, "`%.*s` wants values that have an order, and this is %.*s",
                                   SHUNT_TEXT_ARGS(c->name), SHUNT_TEXT_ARGS(name));
    shunt_diag_here(k->diags, d, "%.*s", SHUNT_TEXT_ARGS(name));
    return false;
}

static shunt_ty check_extreme(check *k, const call *c, shunt_lang_builtin builtin, const shunt_ty *want)
{
    shunt_ty type, joined;
    if (c->each) {
        type = each_value(k, c->each, FOR_ARGUMENT, c->name, true, want);
        if (shunt_ty_is_error(&type) || !check_ordered(k, c, kid(c->each, SHUNT_EACH_EXPR_value), &type)) return ty_error();
        return shunt_ty_optional(type);
    }
    if (has_arguments(c, 1)) {
        type = check_list(k, c->values[0], NULL);
        if (shunt_ty_is_error(&type)) return ty_error();
        if (type.kind != SHUNT_TY_LIST) return not_a_list(k, c, c->values[0], &type);
        if (!check_ordered(k, c, c->values[0], type.item)) return ty_error();
        joined = shunt_ty_optional(*type.item);
        joined.phi |= type.phi;
        return joined;
    }
    if (!has_arguments(c, 2)) return wrong_arguments(k, c, builtin);
    type = check_present(k, c->values[0], FOR_ARGUMENT, c->name, want);
    shunt_ty other = check_present(k, c->values[1], FOR_ARGUMENT, c->name, &type);
    if (shunt_ty_is_error(&type) || shunt_ty_is_error(&other)) return ty_error();
    shunt_fit fit = shunt_ty_join(k->arena, &type, &other, &joined);
    if (fit == SHUNT_FITS) return check_ordered(k, c, c->values[0], &joined) ? joined : ty_error();
    shunt_text  x = shunt_ty_name(k->arena, &type), y = shunt_ty_name(k->arena, &other);
    shunt_diag *d = shunt_diag_add(k->diags, fit == SHUNT_FIT_CURRENCY ? SHUNT_E0801 : SHUNT_E0303, c->values[1]->span,
                                   "%.*s and %.*s cannot be compared", SHUNT_TEXT_ARGS(x), SHUNT_TEXT_ARGS(y));
    shunt_diag_here(k->diags, d, "%.*s", SHUNT_TEXT_ARGS(y));
    shunt_diag_also(k->diags, d, c->values[0]->span, "%.*s", SHUNT_TEXT_ARGS(x));
    return ty_error();
}

static shunt_ty check_quantifier(check *k, const call *c, shunt_lang_builtin builtin)
{
    if (!c->each) return wrong_arguments(k, c, builtin);
    shunt_ty boolean = shunt_ty_plain(SHUNT_TY_BOOL);
    shunt_ty type = each_value(k, c->each, FOR_CONDITION, c->name, true, &boolean);
    if (shunt_ty_is_error(&type) || type.kind == SHUNT_TY_BOOL) {
        boolean.phi = type.phi;
        return boolean;
    }
    shunt_ast  *value = kid(c->each, SHUNT_EACH_EXPR_value);
    shunt_text  name = shunt_ty_name(k->arena, &type);
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0304, value->span, "this is not true or false");
    shunt_diag_here(k->diags, d, "%.*s", SHUNT_TEXT_ARGS(name));
    shunt_diag_help(k->diags, d, "compare it with something: `%.*s = ...`", SHUNT_TEXT_ARGS(short_text(k, value)));
    return boolean;
}

/* ---- numbers ---- */

static shunt_ty not_a_number(check *k, const call *c, const shunt_ast *node, const shunt_ty *type)
{
    shunt_text  name = shunt_ty_name(k->arena, type);
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0303, node->span, "`%.*s` wants a number or an amount, and this is %.*s",
                                   SHUNT_TEXT_ARGS(c->name), SHUNT_TEXT_ARGS(name));
    shunt_diag_here(k->diags, d, "%.*s", SHUNT_TEXT_ARGS(name));
    if (shunt_ty_is_textual(type))
        shunt_diag_help(k->diags, d, "read it as a number first: `try_decimal(%.*s, 15, 2)`, which may be absent",
                        SHUNT_TEXT_ARGS(short_text(k, node)));
    return ty_error();
}

static shunt_ty check_abs(check *k, const call *c, const shunt_ty *want)
{
    if (!has_arguments(c, 1)) return wrong_arguments(k, c, SHUNT_LANG_ABS);
    shunt_ty type = check_expr(k, c->values[0], want);
    if (shunt_ty_is_error(&type) || shunt_ty_is_number(&type) || type.kind == SHUNT_TY_MONEY) return type;
    return not_a_number(k, c, c->values[0], &type);
}

static shunt_ty check_round(check *k, const call *c, const shunt_ty *want)
{
    unsigned places = 0;
    if (!has_arguments(c, 3)) return wrong_arguments(k, c, SHUNT_LANG_ROUND);
    shunt_ast *outer = k->may_divide;
    k->may_divide = c->values[0];
    shunt_ty type = check_expr(k, c->values[0], want);
    k->may_divide = outer;
    k->rounded = true;
    bool fine = number_argument(k, c, 1, PLACES_AT_MOST, &places);
    fine = word_argument(k, c, 2, rounding_modes, "the mode") && fine;
    if (shunt_ty_is_error(&type) || !fine) return ty_error();
    if (type.kind == SHUNT_TY_MONEY) {
        type.scale = (uint8_t)places;
        return type;
    }
    if (!shunt_ty_is_number(&type)) return not_a_number(k, c, c->values[0], &type);
    return like(shunt_ty_decimal(0, places), &type);
}

/* What the weights of a split are: numbers or amounts, never absent. */
static shunt_ty check_weights(check *k, const call *c, shunt_ast *weights)
{
    shunt_ty type = ty_error();
    if (weights->kind == SHUNT_AST_EACH_EXPR) {
        type = each_value(k, weights, FOR_ARGUMENT, c->name, true, NULL);
    } else {
        shunt_ty list = check_list(k, weights, NULL);
        if (shunt_ty_is_error(&list)) return list;
        if (list.kind != SHUNT_TY_LIST) return not_a_list(k, c, weights, &list);
        type = *list.item;
        type.phi |= list.phi;
    }
    bool fine = shunt_ty_is_error(&type) || ((shunt_ty_is_number(&type) || type.kind == SHUNT_TY_MONEY) && !type.optional);
    bool several = weights->kind == SHUNT_AST_ARRAY || weights->kind == SHUNT_AST_EACH_EXPR;
    return fine ? type : not_a_number(k, c, several ? kid(weights, 0) : weights, &type);
}

static shunt_ty check_allocate(check *k, const call *c, const shunt_ty *want)
{
    if (c->count != 2 || c->named_count || c->values[0]->kind == SHUNT_AST_EACH_EXPR)
        return wrong_arguments(k, c, SHUNT_LANG_ALLOCATE);
    shunt_ty amount = check_expr(k, c->values[0], want && want->kind == SHUNT_TY_LIST ? want->item : NULL),
             weight = check_weights(k, c, c->values[1]);
    if (shunt_ty_is_error(&amount) || shunt_ty_is_error(&weight)) return ty_error();
    if (amount.kind != SHUNT_TY_MONEY) {
        shunt_text  name = shunt_ty_name(k->arena, &amount);
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0303, c->values[0]->span, "`allocate` splits an amount, and this is %.*s",
                                       SHUNT_TEXT_ARGS(name));
        shunt_diag_here(k->diags, d, "%.*s", SHUNT_TEXT_ARGS(name));
        shunt_diag_help(k->diags, d, "the amount comes first: `allocate(amount, [60, 40])`");
        return ty_error();
    }
    shunt_ty part = shunt_ty_money(amount.currency, 2);
    (void)shunt_currency_find(shunt_text_of(amount.currency), &part.scale);
    need n = { .by = FOR_ARGUMENT, .type = part, .name = c->name };
    if (!check_fits(k, c->values[0], &amount, &n)) return ty_error();
    shunt_ty *item = NEW(k, shunt_ty);
    *item = part;
    item->phi = amount.phi | weight.phi;
    uint32_t count = c->values[1]->kind == SHUNT_AST_ARRAY ? c->values[1]->kid_count : 0;
    return (shunt_ty){ .kind = SHUNT_TY_LIST, .item = item, .phi = item->phi, .max = count };
}

static shunt_ty check_percent_change(check *k, const call *c)
{
    unsigned places = 0;
    if (!has_arguments(c, 4)) return wrong_arguments(k, c, SHUNT_LANG_PERCENT_CHANGE);
    shunt_ty old = check_expr(k, c->values[0], NULL), new = check_expr(k, c->values[1], &old);
    bool     fine = number_argument(k, c, 2, 4, &places);
    fine = word_argument(k, c, 3, rounding_modes, "the mode") && fine;
    if (shunt_ty_is_error(&old) || shunt_ty_is_error(&new) || !fine) return ty_error();
    shunt_ty result = shunt_ty_plain(SHUNT_TY_PERCENT), joined;
    result.scale = 4;
    for (uint32_t i = 0; i < 2; i++) {
        const shunt_ty *type = i ? &new : &old;
        if (!shunt_ty_is_number(type) && type->kind != SHUNT_TY_MONEY) return not_a_number(k, c, c->values[i], type);
    }
    shunt_fit fit = shunt_ty_join(k->arena, &old, &new, &joined);
    if (fit == SHUNT_FITS) return like(result, &joined);
    shunt_text  x = shunt_ty_name(k->arena, &old), y = shunt_ty_name(k->arena, &new);
    shunt_diag *d = shunt_diag_add(k->diags, fit == SHUNT_FIT_CURRENCY ? SHUNT_E0801 : SHUNT_E0303, c->values[1]->span,
                                   "%.*s and %.*s cannot be compared", SHUNT_TEXT_ARGS(x), SHUNT_TEXT_ARGS(y));
    shunt_diag_also(k->diags, d, c->values[0]->span, "%.*s", SHUNT_TEXT_ARGS(x));
    return ty_error();
}

/* ---- the message ---- */

static bool in_message(check *k, const call *c)
{
    if (k->source) return true;
    if (reads_records(k, c->node, c->name)) return false;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0911, c->node->span, "`%.*s` reads the message", SHUNT_TEXT_ARGS(c->name));
    shunt_diag_here(k->diags, d, "there is none here");
    if (k->phase == PHASE_FUNCTION)
        shunt_diag_help(k->diags, d, "call it in the map, and pass what it gives as a parameter");
    else
        shunt_diag_help(k->diags, d, "call it in a map");
    return false;
}

static shunt_ty check_position(check *k, const call *c)
{
    if (!has_arguments(c, 1)) return wrong_arguments(k, c, SHUNT_LANG_POSITION);
    shunt_ast *of = c->values[0];
    shunt_ty   type = of->kind == SHUNT_AST_NAME && names_cell(k, of) ? check_plain_name(k, of) : check_list(k, of, NULL);
    if (shunt_ty_is_error(&type)) return ty_error();
    if (type.kind == SHUNT_TY_NODE && !type.optional) return shunt_ty_plain(SHUNT_TY_INT);
    shunt_text  name = shunt_ty_name(k->arena, &type);
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0303, c->values[0]->span,
                                   "`position` wants the variable of a loop, and this is %.*s", SHUNT_TEXT_ARGS(name));
    shunt_diag_here(k->diags, d, "%.*s", SHUNT_TEXT_ARGS(name));
    shunt_diag_help(k->diags, d, "write `position(x)` inside `for each x in ...`");
    return ty_error();
}

static shunt_ty check_occurrence(check *k, const call *c)
{
    if (!c->count || c->named_count || c->each) return wrong_arguments(k, c, SHUNT_LANG_OCCURRENCE);
    for (uint32_t i = 0; i < c->count; i++) (void)check_present(k, c->values[i], FOR_ARGUMENT, c->name, NULL);
    if (!in_message(k, c)) return ty_error();
    k->levels |= k->unit_bit;
    return shunt_ty_plain(SHUNT_TY_INT);
}

static shunt_ty money_of_source(const check *k)
{
    uint8_t     scale = 2;
    const char *currency = k->source ? k->source->as.source->currency : "";
    (void)shunt_currency_find(shunt_text_of(currency), &scale);
    return shunt_ty_money(currency[0] ? currency : "USD", scale);
}

static shunt_member *put_member(shunt_member *at, const char *name, shunt_ty type, bool optional, uint32_t phi)
{
    type.optional = optional;
    type.phi = phi;
    *at = (shunt_member){ .name = shunt_text_of(name), .type = type };
    return at + 1;
}

/* The groups of CAS01. The list is a working one for what a file may hold; for what the rules compare it with it is complete: a
 * group that is not in it is a slip (`"C0"`). */
static shunt_ty group_of_adjustment(check *k)
{
    const shunt_codeset *known = shunt_codeset_find(SHUNT_TEXT("cas_group"));
    shunt_ty             type = { .kind = SHUNT_TY_CODE, .length = 2 };
    if (!known) return type;
    shunt_codeset *codes = NEW(k, shunt_codeset);
    *codes = *known;
    codes->complete = true;
    type.codes = codes;
    return type;
}

static shunt_shape *adjustment_shape(check *k, shunt_shape_kind kind)
{
    enum { COLUMNS = 9 };
    shunt_shape  *shape = NEW(k, shunt_shape);
    shunt_member *members = NEW_N(k, shunt_member, COLUMNS), *at = members;
    at = put_member(at, "group", group_of_adjustment(k), false, 0);
    at = put_member(at, "reason", shunt_ty_text(5, false), false, 0);
    at = put_member(at, "remark", shunt_ty_text(10, false), true, 0);
    at = put_member(at, "amount", money_of_source(k), false, 0);
    at = put_member(at, "quantity", shunt_ty_decimal(15, 3), true, 0);
    at = put_member(at, "level", shunt_ty_text(5, false), false, 0);
    at = put_member(at, "line", shunt_ty_plain(SHUNT_TY_INT), true, 0);
    at = put_member(at, "procedure", shunt_ty_text(48, false), true, SHUNT_PHI_CLINICAL);
    at = put_member(at, "ordinal", shunt_ty_plain(SHUNT_TY_INT), false, 0);
    *shape =
        (shunt_shape){ .kind = kind, .name = SHUNT_TEXT("adjustment"), .members = members, .count = (uint32_t)(at - members) };
    return shape;
}

static shunt_shape *provider_shape(check *k)
{
    enum { COLUMNS = 6 };
    shunt_shape  *shape = NEW(k, shunt_shape);
    shunt_member *members = NEW_N(k, shunt_member, COLUMNS), *at = members;
    at = put_member(at, "provider", shunt_ty_text(50, false), false, 0);
    at = put_member(at, "fiscal_date", shunt_ty_plain(SHUNT_TY_DATE), false, 0);
    at = put_member(at, "code", shunt_ty_text(3, false), false, 0);
    at = put_member(at, "reference", shunt_ty_text(50, false), true, SHUNT_PHI_ACCOUNT_NUMBER);
    at = put_member(at, "amount", money_of_source(k), false, 0);
    at = put_member(at, "ordinal", shunt_ty_plain(SHUNT_TY_INT), false, 0);
    *shape = (shunt_shape){ .kind = SHUNT_SHAPE_PROVIDER_ADJUSTMENT,
                            .name = SHUNT_TEXT("provider_adjustment"),
                            .members = members,
                            .count = (uint32_t)(at - members) };
    return shape;
}

static shunt_ty rows_of(check *k, const shunt_shape *shape, uint32_t max)
{
    shunt_ty *item = NEW(k, shunt_ty);
    *item = row_of(shape);
    return (shunt_ty){ .kind = SHUNT_TY_LIST, .item = item, .max = max };
}

/* The instance of a loop that a call is about; its set and id must be among those named. */
static bool loop_argument(check *k, const call *c, const char *set, const char *const *ids)
{
    shunt_ast *node = c->values[0];
    shunt_ty   type = node->kind == SHUNT_AST_INT ? check_expr(k, node, NULL) : check_list(k, node, NULL);
    shunt_text list = { 0 };
    if (shunt_ty_is_error(&type)) return false;
    bool instance = type.kind == SHUNT_TY_NODE && !type.loop->segment.length && !type.optional;
    if (instance && type.loop->source->as.source->standard != SHUNT_STANDARD_X12) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0303, node->span, "`%.*s` is for loops of X12, and `%.*s` reads %s",
                                       SHUNT_TEXT_ARGS(c->name), SHUNT_TEXT_ARGS(type.loop->source->name),
                                       type.loop->source->as.source->guides[0]->set);
        shunt_diag_here(k->diags, d, "%.*s", SHUNT_TEXT_ARGS(shunt_ty_name(k->arena, &type)));
        shunt_diag_help(k->diags, d, "read the values by their paths");
        return false;
    }
    bool its_set = instance && (!set || strcmp(type.loop->source->as.source->guides[0]->set, set) == 0);
    if (its_set && !ids[0]) return true;
    for (uint32_t i = 0; ids[i]; i++) {
        if (its_set && shunt_text_is(type.loop->id, ids[i])) return true;
        list = check_format(k, "%.*s%s%s", SHUNT_TEXT_ARGS(list), i ? " or " : "", ids[i]);
    }
    shunt_text  name = shunt_ty_name(k->arena, &type);
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_E0303, node->span, "`%.*s` wants an instance of a loop%s%.*s%s%s, and this is %.*s",
                       SHUNT_TEXT_ARGS(c->name), list.length ? ": " : "", SHUNT_TEXT_ARGS(list), set ? " of the " : "",
                       set ? set : "", SHUNT_TEXT_ARGS(name));
    shunt_diag_here(k->diags, d, "%.*s", SHUNT_TEXT_ARGS(name));
    shunt_diag_help(k->diags, d, "write `%.*s(x)` inside `for each x in %s`", SHUNT_TEXT_ARGS(c->name), ids[0] ? ids[0] : "...");
    return false;
}

static void shapes_of_source(check *k)
{
    if (k->shapes_for == k->source) return;
    k->shapes_for = k->source;
    k->adjustment = k->prior = k->provider = NULL;
}

static shunt_ty check_adjustments(check *k, const call *c, shunt_lang_builtin builtin)
{
    static const char *const remit[] = { "2100", "2110", NULL }, *const claim[] = { "2300", NULL };
    bool prior = builtin == SHUNT_LANG_PRIOR_ADJUSTMENTS;
    if (!has_arguments(c, 1)) return wrong_arguments(k, c, builtin);
    if (k->unread) return ty_error();
    if (!in_message(k, c) || !loop_argument(k, c, prior ? "837" : "835", prior ? claim : remit)) return ty_error();
    shapes_of_source(k);
    shunt_shape **shape = prior ? &k->prior : &k->adjustment;
    if (!*shape) *shape = adjustment_shape(k, prior ? SHUNT_SHAPE_PRIOR_ADJUSTMENT : SHUNT_SHAPE_ADJUSTMENT);
    return rows_of(k, *shape, LINES_AT_MOST);
}

static shunt_ty check_provider_adjustments(check *k, const call *c)
{
    if (!has_arguments(c, 1)) return wrong_arguments(k, c, SHUNT_LANG_PROVIDER_ADJUSTMENTS);
    if (k->unread) return ty_error();
    shunt_ast    *node = c->values[0];
    shunt_symbol *source = node->kind == SHUNT_AST_NAME ? find_value(k, node->text) : NULL;
    if (!in_message(k, c)) return ty_error();
    if (!source || source->kind != SHUNT_SYMBOL_SOURCE) {
        shunt_ty type = check_expr(k, node, NULL);
        if (shunt_ty_is_error(&type)) return ty_error();
        shunt_text  name = shunt_ty_name(k->arena, &type);
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0303, node->span,
                           "`provider_adjustments` wants the name of a source, and this is %.*s", SHUNT_TEXT_ARGS(name));
        shunt_diag_help(k->diags, d, "write `provider_adjustments(%.*s)`", SHUNT_TEXT_ARGS(k->source->name));
        return ty_error();
    }
    (void)check_expr(k, node, NULL);
    if (source != k->source || strcmp(source->as.source->guides[0]->set, "835") != 0) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0202, node->span, "`%.*s` has no provider adjustments",
                                       SHUNT_TEXT_ARGS(source->name));
        if (source != k->source)
            shunt_diag_help(k->diags, d, "this map reads `%.*s`", SHUNT_TEXT_ARGS(k->source->name));
        else
            shunt_diag_help(k->diags, d, "PLB stands in the 835 only");
        return ty_error();
    }
    if (!check_arrival_of_segment(k, c->node, "PLB")) return ty_error();
    shapes_of_source(k);
    if (!k->provider) k->provider = provider_shape(k);
    return rows_of(k, k->provider, LINES_AT_MOST);
}

static shunt_ty check_first_service_date(check *k, const call *c)
{
    static const char *const any[] = { NULL };
    if (!has_arguments(c, 1)) return wrong_arguments(k, c, SHUNT_LANG_FIRST_SERVICE_DATE);
    if (k->unread) return ty_error();
    if (!in_message(k, c) || !loop_argument(k, c, NULL, any)) return ty_error();
    shunt_ty type = shunt_ty_optional(shunt_ty_plain(SHUNT_TY_DATE));
    type.phi = SHUNT_PHI_DATE;
    return type;
}

/* ---- dates ---- */

static shunt_ty check_days_between(check *k, const call *c)
{
    if (!has_arguments(c, 2)) return wrong_arguments(k, c, SHUNT_LANG_DAYS_BETWEEN);
    shunt_ty a = optional_argument(k, c, 0, shunt_ty_plain(SHUNT_TY_DATE)),
             b = optional_argument(k, c, 1, shunt_ty_plain(SHUNT_TY_DATE));
    shunt_ty result = like(shunt_ty_plain(SHUNT_TY_INT), &a);
    result.optional = a.optional || b.optional;
    result.clearable = a.clearable || b.clearable;
    result.phi = a.phi | b.phi;
    return result;
}

static shunt_ty check_add_months(check *k, const call *c)
{
    if (!has_arguments(c, 3)) return wrong_arguments(k, c, SHUNT_LANG_ADD_MONTHS);
    shunt_ty day = optional_argument(k, c, 0, shunt_ty_plain(SHUNT_TY_DATE));
    (void)argument(k, c, 1, shunt_ty_plain(SHUNT_TY_INT));
    if (!word_argument(k, c, 2, month_modes, "the mode")) return ty_error();
    return like(shunt_ty_plain(SHUNT_TY_DATE), &day);
}

static shunt_ty check_date(check *k, const call *c)
{
    if (c->count != 1 || c->named_count != 1 || c->each || !shunt_text_is(kid(c->named[0], SHUNT_FIELD_name)->text, "format"))
        return wrong_arguments(k, c, SHUNT_LANG_DATE);
    shunt_ty   text = optional_argument(k, c, 0, shunt_ty_text(0, false));
    shunt_ast *format = kid(c->named[0], SHUNT_FIELD_value);
    (void)check_expr(k, format, NULL);
    if (format->kind != SHUNT_AST_STRING || !shunt_date_pattern_valid(format->text)) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0306, format->span, "this is no format of a date");
        shunt_diag_help(k->diags, d, "write YYYY or YY, MM and DD once each, as `\"MM/DD/YYYY\"`");
        return ty_error();
    }
    return like(shunt_ty_plain(SHUNT_TY_DATE), &text);
}

/* The zone is written out: a program carries the rules of the zones that it names. */
static shunt_ty check_local_date(check *k, const call *c)
{
    if (!has_arguments(c, 2)) return wrong_arguments(k, c, SHUNT_LANG_LOCAL_DATE);
    shunt_ty type = optional_argument(k, c, 0, shunt_ty_plain(SHUNT_TY_MOMENT)), zone = check_expr(k, c->values[1], NULL);
    if (c->values[1]->kind != SHUNT_AST_STRING && !shunt_ty_is_error(&zone)) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0306, c->values[1]->span, "the zone of `local_date` is written out");
        shunt_diag_help(k->diags, d, "write its name: `local_date(%.*s, \"America/Chicago\")`",
                        SHUNT_TEXT_ARGS(short_text(k, c->values[0])));
        return ty_error();
    }
    if (!check_zone(k, c->values[1])) return ty_error();
    (void)check_zoned(k, c->values[0], &type, "its date in a zone is wanted");
    return like(shunt_ty_plain(SHUNT_TY_DATE), &type);
}

/* ---- texts ---- */

static shunt_ty check_text_to_text(check *k, const call *c, shunt_lang_builtin builtin)
{
    if (!has_arguments(c, 1)) return wrong_arguments(k, c, builtin);
    shunt_ty text = optional_argument(k, c, 0, shunt_ty_text(0, false));
    shunt_ty result = like(shunt_ty_text(text.length, false), &text);
    if (builtin == SHUNT_LANG_TRIM) result.optional = true;
    return text.kind == SHUNT_TY_ERROR ? text : result;
}

static shunt_ty check_part(check *k, const call *c)
{
    unsigned from = 0, count = 0;
    if (!has_arguments(c, 3)) return wrong_arguments(k, c, SHUNT_LANG_PART);
    shunt_ty text = optional_argument(k, c, 0, shunt_ty_text(0, false));
    (void)argument(k, c, 1, shunt_ty_plain(SHUNT_TY_INT));
    (void)argument(k, c, 2, shunt_ty_plain(SHUNT_TY_INT));
    const shunt_fact *first = shunt_fact_of(c->values[1]), *length = shunt_fact_of(c->values[2]);
    if (c->values[1]->kind == SHUNT_AST_INT && first && first->number <= 1) from = (unsigned)first->number;
    if (c->values[2]->kind == SHUNT_AST_INT && length && length->number <= UINT32_MAX) count = (unsigned)length->number;
    shunt_ty result = like(shunt_ty_text(count, false), &text);
    if (text.length && (!count || text.length < count)) result.length = text.length;
    if (from != 1 || !count) result.optional = true; /* nothing may be left; the first characters of a text are always there */
    return text.kind == SHUNT_TY_ERROR ? text : result;
}

static shunt_ty check_scalar(check *k, const call *c, shunt_lang_builtin builtin)
{
    if (!has_arguments(c, 1)) {
        (void)wrong_arguments(k, c, builtin);
        return ty_error();
    }
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it has an argument */
    shunt_ty type = check_expr(k, c->values[0], NULL);
    if (shunt_ty_is_error(&type) || shunt_ty_is_scalar(&type)) return type;
    shunt_text  name = shunt_ty_name(k->arena, &type);
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0303, c->values[0]->span, "`%.*s` wants one value, and this is %.*s",
                                   SHUNT_TEXT_ARGS(c->name), SHUNT_TEXT_ARGS(name));
    shunt_diag_here(k->diags, d, "%.*s", SHUNT_TEXT_ARGS(name));
    return ty_error();
}

static shunt_ty check_try(check *k, const call *c, shunt_lang_builtin builtin)
{
    unsigned digits = 0, scale = 0;
    bool     decimal = builtin == SHUNT_LANG_TRY_DECIMAL;
    if (!has_arguments(c, decimal ? 3 : 1)) return wrong_arguments(k, c, builtin);
    shunt_ty text = optional_argument(k, c, 0, shunt_ty_text(0, false)), result = shunt_ty_plain(SHUNT_TY_DATE);
    if (decimal &&
        (!number_argument(k, c, 1, SHUNT_DECIMAL_DIGITS, &digits) || !number_argument(k, c, 2, SHUNT_DECIMAL_DIGITS, &scale)))
        return ty_error();
    if (decimal) result = shunt_ty_decimal(digits, scale);
    if (builtin == SHUNT_LANG_TRY_INT) result = shunt_ty_plain(SHUNT_TY_INT);
    if (builtin == SHUNT_LANG_TRY_MONEY) result = money_of_source(k);
    return text.kind == SHUNT_TY_ERROR ? text : shunt_ty_optional(like(result, &text));
}

static shunt_ty check_text(check *k, const call *c)
{
    shunt_ty type = check_scalar(k, c, SHUNT_LANG_TEXT);
    if (shunt_ty_is_error(&type)) return ty_error();
    return like(shunt_ty_text(shunt_ty_is_textual(&type)   ? type.length
                              : type.kind == SHUNT_TY_DATE ? SHUNT_DATE_TEXT
                                                           : 0,
                              false),
                &type);
}

/* ---- protected health information ---- */

static shunt_ty check_declassify(check *k, const call *c, const shunt_ty *want)
{
    bool because = c->named_count == 1 && shunt_text_is(kid(c->named[0], SHUNT_FIELD_name)->text, "because");
    if (c->count != 1 || c->each) return wrong_arguments(k, c, SHUNT_LANG_DECLASSIFY);
    shunt_ty   type = check_expr(k, c->values[0], want);
    shunt_ast *reason = because ? kid(c->named[0], SHUNT_FIELD_value) : NULL;
    if (reason) (void)check_expr(k, reason, NULL);
    if (!reason || reason->kind != SHUNT_AST_STRING || shunt_csv_is_blank(reason->text)) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0404, c->node->span, "`declassify` must say why");
        shunt_diag_note(k->diags, d, "the reason is listed in the release report");
        shunt_diag_help(k->diags, d, "write `declassify(%.*s, because: \"printed on the deposit slip\")`",
                        SHUNT_TEXT_ARGS(short_text(k, c->values[0])));
    }
    type.phi = 0;
    return type;
}

static shunt_ty check_hidden(check *k, const call *c, shunt_lang_builtin builtin)
{
    shunt_ty type = check_scalar(k, c, builtin);
    if (shunt_ty_is_error(&type)) return ty_error();
    shunt_ty result = shunt_ty_text(0, false);
    if (builtin == SHUNT_LANG_TOKENIZE) result = shunt_ty_plain(SHUNT_TY_TOKEN);
    if (builtin == SHUNT_LANG_LAST4) result.length = 4;
    result = like(result, &type);
    result.phi = builtin == SHUNT_LANG_LAST4 ? phi_as(k, type.phi, ATOM_IDENTIFIER) : 0;
    return result;
}

/* ---- functions of the rules ---- */

uint32_t phi_through(check *k, const decl *callee, const uint32_t *arguments, uint32_t count, uint32_t bits)
{
    const function_facts *f = callee->function;
    uint32_t              result = 0, all = 0;
    for (uint32_t i = 0; i < count; i++) all |= arguments[i];
    for (uint32_t i = 0; i < f->atom_count; i++) {
        if (!(bits & 1u << i)) continue;
        const atom *a = &f->atoms[i];
        if (a->way == ATOM_CONSTANT)
            result |= phi_constant(k, a->classes);
        else if (a->param == UINT32_MAX)
            result |= phi_as(k, all, a->way) | phi_constant(k, a->classes);
        else if (a->param < count)
            result |= phi_as(k, arguments[a->param], a->way);
    }
    return result;
}

static shunt_ty check_function_call(check *k, const call *c, shunt_symbol *function)
{
    shunt_fact *fact = check_fact(k, c->node);
    uint32_t    count = function->as.function.count;
    fact->kind = SHUNT_FACT_FUNCTION;
    fact->symbol = function;
    if (c->count != count || c->named_count || c->each) {
        shunt_text names = { 0 };
        for (uint32_t i = 0; i < count; i++)
            names = check_format(k, "%.*s%s%.*s", SHUNT_TEXT_ARGS(names), i ? ", " : "",
                                 SHUNT_TEXT_ARGS(function->as.function.params[i]->name));
        check_all(k, c);
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0306, c->node->span, "`%.*s` takes %u value%s, and %u %s given",
                                       SHUNT_TEXT_ARGS(function->name), count, count == 1 ? "" : "s", c->count + c->named_count,
                                       c->count + c->named_count == 1 ? "is" : "are");
        shunt_diag_also(k->diags, d, function->span, "declared here");
        shunt_diag_help(k->diags, d, "write `%.*s(%.*s)`", SHUNT_TEXT_ARGS(function->name), SHUNT_TEXT_ARGS(names));
        return ty_error();
    }
    uint32_t *phi = NEW_N(k, uint32_t, count);
    for (uint32_t i = 0; i < count; i++) {
        const shunt_symbol *param = function->as.function.params[i];
        need                n = { .by = FOR_PARAM, .type = param->type, .name = param->name, .owner = function };
        if (param->type.kind ==
            SHUNT_TY_NODE) { /* a part of the message fits where one of its kind is wanted, wherever it stands */
            shunt_ty    given = check_expr(k, c->values[i], &n.type);
            shunt_tree *place = shunt_tree_of(&given), *wanted = shunt_tree_of(&param->type);
            if (place && wanted && strcmp(place->type->name, wanted->type->name) == 0) n.type.loop = given.loop;
        }
        shunt_ty given = check_needed(k, c->values[i], &n);
        phi[i] = check_classes(k, &given);
        if (function->decl->kind == SHUNT_AST_EXTERN) check_extern_argument(k, c->values[i], function, i, &given);
        if (!tree_argument(k, c->values[i], param, &given, &phi[i])) return ty_error();
    }
    if (function->as.function.exits) (void)may_raise(k, c->node, "", function->name);
    decl    *callee = decl_of(function);
    shunt_ty type = function->type;
    if (function->decl->kind == SHUNT_AST_EXTERN) {
        for (uint32_t i = 0; i < count; i++) type.phi |= phi[i];
        return may_call_extern(k, c->node, function) ? type : ty_error();
    }
    if (!callee->function) return type;
    call_site *site = NEW(k, call_site);
    *site = (call_site){ callee->function->calls, k->phase == PHASE_FUNCTION ? k->function : NULL, phi };
    callee->function->calls = site;
    type.phi = phi_through(k, callee, phi, count, callee->function->result);
    return type;
}

static shunt_ty unknown_function(check *k, const call *c)
{
    check_all(k, c);
    if (k->unread || k->module->incomplete) return ty_error();
    if (is_broken(k, c->name)) return ty_error();
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0207, c->node->span, "there is no function `%.*s`", SHUNT_TEXT_ARGS(c->name));
    shunt_suggest s;
    shunt_suggest_init(&s, c->name, 2);
    for (size_t i = 0; i < SHUNT_COUNT(builtins); i++)
        shunt_suggest_offer(&s, shunt_text_of(builtins[i].name), (shunt_text){ 0 }, true, 0);
    for (const shunt_binding *b = said_enough(k) ? NULL : k->module->values.last; b; b = b->before)
        if (b->symbol->kind == SHUNT_SYMBOL_FUNCTION) shunt_suggest_offer(&s, b->name, (shunt_text){ 0 }, true, 0);
    if (!said_enough(k)) offer_of_alias(k, c->name, &s);
    shunt_text near = shunt_suggest_text(&s, k->arena);
    if (near.length)
        shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
    else if (c->name.length && !memchr(c->name.bytes, '.', c->name.length))
        shunt_diag_help(k->diags, d, "declare it: `function %.*s(...) -> TYPE { return ... }`", SHUNT_TEXT_ARGS(c->name));
    return ty_error();
}

/* ---- all of them ---- */

static shunt_ty check_builtin(check *k, const call *c, shunt_lang_builtin builtin, const shunt_ty *want)
{
    shunt_ty    type;
    shunt_fact *fact = check_fact(k, c->node);
    fact->kind = SHUNT_FACT_BUILTIN;
    fact->builtin = builtin;
    switch (builtin) {
    case SHUNT_LANG_SUM: return check_sum(k, c, want);
    case SHUNT_LANG_COUNT: return check_count(k, c);
    case SHUNT_LANG_MIN:
    case SHUNT_LANG_MAX: return check_extreme(k, c, builtin, want);
    case SHUNT_LANG_ANY_OF:
    case SHUNT_LANG_ALL_OF: return check_quantifier(k, c, builtin);
    case SHUNT_LANG_ABS: return check_abs(k, c, want);
    case SHUNT_LANG_ROUND: return check_round(k, c, want);
    case SHUNT_LANG_ALLOCATE: return check_allocate(k, c, want);
    case SHUNT_LANG_PERCENT_CHANGE: return check_percent_change(k, c);
    case SHUNT_LANG_CONVERT: {
        static const char *const names[] = { NULL, "from", "to" };
        shunt_ast               *values[3];
        return gather(c, names, 3, values) ? check_convert(k, values) : wrong_arguments(k, c, builtin);
    }
    case SHUNT_LANG_EXCHANGE: {
        static const char *const names[] = { NULL, "to", "on", "rates" };
        shunt_ast               *values[4];
        return gather(c, names, 4, values) ? check_exchange(k, c->node, values) : wrong_arguments(k, c, builtin);
    }
    case SHUNT_LANG_POSITION: return check_position(k, c);
    case SHUNT_LANG_OCCURRENCE: return check_occurrence(k, c);
    case SHUNT_LANG_ADJUSTMENTS:
    case SHUNT_LANG_PRIOR_ADJUSTMENTS: return check_adjustments(k, c, builtin);
    case SHUNT_LANG_PROVIDER_ADJUSTMENTS: return check_provider_adjustments(k, c);
    case SHUNT_LANG_FIRST_SERVICE_DATE: return check_first_service_date(k, c);
    case SHUNT_LANG_DAYS_BETWEEN: return check_days_between(k, c);
    case SHUNT_LANG_ADD_MONTHS: return check_add_months(k, c);
    case SHUNT_LANG_DATE_OF:
        if (!has_arguments(c, 1)) return wrong_arguments(k, c, builtin);
        type = optional_argument(k, c, 0, shunt_ty_plain(SHUNT_TY_MOMENT));
        return like(shunt_ty_plain(SHUNT_TY_DATE), &type);
    case SHUNT_LANG_YEAR_OF:
        if (!has_arguments(c, 1)) return wrong_arguments(k, c, builtin);
        type = optional_argument(k, c, 0, shunt_ty_plain(SHUNT_TY_DATE));
        type = like(shunt_ty_plain(SHUNT_TY_INT), &type);
        type.phi = phi_as(k, type.phi, ATOM_NO_DATE);
        return type;
    case SHUNT_LANG_LOCAL_DATE: return check_local_date(k, c);
    case SHUNT_LANG_DATE: return check_date(k, c);
    case SHUNT_LANG_TRY_DATE:
    case SHUNT_LANG_TRY_INT:
    case SHUNT_LANG_TRY_DECIMAL:
    case SHUNT_LANG_TRY_MONEY: return check_try(k, c, builtin);
    case SHUNT_LANG_TEXT: return check_text(k, c);
    case SHUNT_LANG_UPPER:
    case SHUNT_LANG_LOWER:
    case SHUNT_LANG_TRIM: return check_text_to_text(k, c, builtin);
    case SHUNT_LANG_LENGTH:
        if (!has_arguments(c, 1)) return wrong_arguments(k, c, builtin);
        type = optional_argument(k, c, 0, shunt_ty_text(0, false));
        return like(shunt_ty_plain(SHUNT_TY_INT), &type);
    case SHUNT_LANG_PART: return check_part(k, c);
    case SHUNT_LANG_STARTS: {
        if (!has_arguments(c, 2)) return wrong_arguments(k, c, builtin);
        type = optional_argument(k, c, 0, shunt_ty_text(0, false));
        shunt_ty begin = argument(k, c, 1, shunt_ty_text(0, false));
        type = like(shunt_ty_plain(SHUNT_TY_BOOL), &type);
        type.phi |= begin.phi;
        return type;
    }
    case SHUNT_LANG_MASK:
    case SHUNT_LANG_TOKENIZE:
    case SHUNT_LANG_LAST4: return check_hidden(k, c, builtin);
    case SHUNT_LANG_DECLASSIFY: return check_declassify(k, c, want);
    case SHUNT_LANG_FILE_ID:
        if (!has_arguments(c, 0)) return wrong_arguments(k, c, builtin);
        return shunt_ty_text(0, false);
    case SHUNT_LANG_RECEIVED_AT:
    case SHUNT_LANG_COUNT_: return wrong_arguments(k, c, SHUNT_LANG_RECEIVED_AT);
    }
    return ty_error();
}

shunt_ty check_call(check *k, shunt_ast *node, const shunt_ty *want)
{
    shunt_ast         *name = kid(node, SHUNT_CALL_name);
    shunt_lang_builtin builtin;
    if (!name) return ty_error();
    call          c = take_apart(node, name->text, kid(node, SHUNT_CALL_args));
    shunt_symbol *function = find_value(k, name->text);
    if (function && function->kind == SHUNT_SYMBOL_FUNCTION) {
        if (!decl_of(function)->unread) return check_function_call(k, &c, function);
        check_all(k, &c);
        return ty_error();
    }
    if (find_builtin(name->text, &builtin)) return check_builtin(k, &c, builtin, want);
    if (!function) return unknown_function(k, &c);
    check_all(k, &c);
    if (decl_of(function)->unread || function->type.kind == SHUNT_TY_ERROR) return ty_error();
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0303, name->span, "`%.*s` is no function", SHUNT_TEXT_ARGS(name->text));
    shunt_diag_also(k->diags, d, function->span, "declared here");
    return ty_error();
}

static bool is_alias(const check *k, shunt_text name)
{
    if (shunt_scope_find(&k->module->values, name)) return false;
    for (uint32_t i = 0; i < k->module->aliases.count; i++)
        if (shunt_text_equal(k->module->aliases.items[i].name, name)) return true;
    return false;
}

/* `x.name(args)`: the only methods are functions of a module with an alias. Such a node becomes the call that it is. */
shunt_ty check_method(check *k, shunt_ast *node)
{
    shunt_ast *of = kid(node, SHUNT_METHOD_of), *name = kid(node, SHUNT_METHOD_name), *args = kid(node, SHUNT_METHOD_args);
    shunt_lang_builtin builtin;
    if (!of || !name) return ty_error();
    if (of->kind == SHUNT_AST_NAME && is_alias(k, of->text)) {
        shunt_text whole = check_format(k, "%.*s.%.*s", SHUNT_TEXT_ARGS(of->text), SHUNT_TEXT_ARGS(name->text));
        shunt_span span = { of->span.begin, name->span.end, of->span.file };
        node->kids[SHUNT_CALL_name] = check_need(k, shunt_ast_leaf(k->arena, SHUNT_AST_NAME, span, whole));
        node->kids[SHUNT_CALL_args] = args;
        node->kid_count = SHUNT_CALL_roles;
        node->kind = SHUNT_AST_CALL;
        return check_call(k, node, NULL);
    }
    shunt_ty found;
    if (tree_path(k, node, false, &found)) return found;
    call     c = take_apart(node, name->text, args);
    shunt_ty type = check_expr(k, of, NULL);
    check_all(k, &c);
    if (shunt_ty_is_error(&type)) return ty_error();
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_E0207, name->span, "there is no function `%.*s` of a value", SHUNT_TEXT_ARGS(name->text));
    if (find_builtin(name->text, &builtin))
        shunt_diag_help(k->diags, d, "write `%.*s(%.*s%s)`", SHUNT_TEXT_ARGS(name->text), SHUNT_TEXT_ARGS(short_text(k, of)),
                        c.count ? ", ..." : "");
    return ty_error();
}
