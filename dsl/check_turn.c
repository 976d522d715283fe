/* What a reversal makes of amounts: all of a claim turn negative, and a comparison that was written for a claim answers something else. */
#include "dsl/check.h"

enum { LETS_FOLLOWED = 16 };

static amount_turn larger_of(amount_turn a, amount_turn b) { return a > b ? a : b; }

/* A claim (837) is voided by its frequency code, and an order or an invoice by a message of its own: their amounts stay as they are. */
static bool is_reversed(const check *k)
{
    const shunt_source_info *info = k->source ? k->source->as.source : NULL;
    if (!info || info->standard != SHUNT_STANDARD_X12) return true;
    for (uint32_t i = 0; i < info->guide_count; i++)
        if (strcmp(info->guides[i]->set, "835") == 0 || strcmp(info->guides[i]->set, "820") == 0) return true;
    return false;
}

/* The kinds of values that a reversal negates. What a text or a date says stays. */
static bool holds_amounts(const shunt_ty *type)
{
    switch (type->kind) {
    case SHUNT_TY_MONEY:
    case SHUNT_TY_DECIMAL:
    case SHUNT_TY_ROW:
    case SHUNT_TY_NODE:
    case SHUNT_TY_LIST: return true;
    default: return false;
    }
}

static amount_turn turn_of_some(const shunt_ast *list, uint32_t from)
{
    amount_turn turn = TURN_NONE;
    for (uint32_t i = from; list && i < list->kid_count; i++)
        if (list->kids[i]) turn = larger_of(turn, check_turn(list->kids[i]));
    return turn;
}

/* Of negative ones and one that stays it is the one that stays. */
static amount_turn turn_of_largest(const shunt_ast *args)
{
    amount_turn turn = turn_of_some(args, 0);
    bool        stays = false;
    for (uint32_t i = 0; args && i < args->kid_count; i++) stays = stays || check_turn(args->kids[i]) == TURN_NONE;
    return stays && turn != TURN_NONE ? larger_of(turn, TURN_MOVED) : turn;
}

static amount_turn turn_of_call(const shunt_ast *node, const shunt_fact *fact)
{
    const shunt_ast *args = kid(node, SHUNT_CALL_args);
    if (fact->kind == SHUNT_FACT_BUILTIN && fact->builtin == SHUNT_LANG_ABS) return TURN_NONE;
    if (fact->kind == SHUNT_FACT_BUILTIN && fact->builtin == SHUNT_LANG_TRY_MONEY) return TURN_SIGN;
    if (fact->kind == SHUNT_FACT_BUILTIN && fact->builtin == SHUNT_LANG_MAX) return turn_of_largest(args);
    if (fact->kind == SHUNT_FACT_BUILTIN) return turn_of_some(args, 0);
    for (uint32_t i = 0; args && i < args->kid_count; i++) { /* a function may do anything with its amounts */
        const shunt_fact *arg = shunt_fact_of(args->kids[i]);
        if (arg && holds_amounts(&arg->type) && check_turn(args->kids[i]) != TURN_NONE) return TURN_SIGN;
    }
    return TURN_NONE;
}

static amount_turn turn_of_symbol(const shunt_symbol *symbol)
{
    if (symbol->kind == SHUNT_SYMBOL_LOCAL) return decl_of(symbol)->turn;
    return symbol->kind == SHUNT_SYMBOL_VARIABLE ? TURN_SIGN : TURN_NONE;
}

static amount_turn turn_of_field(const shunt_ast *node)
{
    const shunt_fact *of = shunt_fact_of(kid(node, SHUNT_MEMBER_of));
    return of && of->type.kind == SHUNT_TY_ROW && of->type.shape->kind == SHUNT_SHAPE_TABLE ? TURN_NONE : TURN_SIGN;
}

static amount_turn turn_of_rows(const shunt_ast *rows)
{
    amount_turn turn = TURN_NONE;
    for (uint32_t i = 0; rows && i < rows->kid_count; i++)
        if (rows->kids[i]->kind == SHUNT_AST_ROW) turn = larger_of(turn, check_turn(kid(rows->kids[i], SHUNT_ROW_result)));
    return turn;
}

/* Of a sum both parts turn, or what does not turn moves it. */
static amount_turn turn_of_operation(const shunt_ast *node)
{
    amount_turn a = check_turn(kid(node, SHUNT_BINARY_left)), b = check_turn(kid(node, SHUNT_BINARY_right));
    char        op = node->text.bytes[0];
    if (a == TURN_NONE && b == TURN_NONE) return TURN_NONE;
    if (op == '*' || op == '/') {
        bool negates =
            kid(node, SHUNT_BINARY_left)->kind == SHUNT_AST_MINUS || kid(node, SHUNT_BINARY_right)->kind == SHUNT_AST_MINUS;
        return larger_of(larger_of(a, b), negates ? TURN_MOVED : TURN_SIGN);
    }
    return op == '+' && a == TURN_SIGN && b == TURN_SIGN ? TURN_SIGN : TURN_DIFFERENCE;
}

amount_turn check_turn(const shunt_ast *node)
{
    const shunt_fact *fact = shunt_fact_of(node);
    if (!node || !fact) return TURN_NONE;
    switch (fact->kind) {
    case SHUNT_FACT_PATH: return fact->path->start || fact->path->base ? TURN_SIGN : TURN_NONE; /* else of the header */
    case SHUNT_FACT_SYMBOL: return turn_of_symbol(fact->symbol);
    case SHUNT_FACT_FIELD: return turn_of_field(node);
    default: break;
    }
    switch (node->kind) {
    case SHUNT_AST_CALL: return turn_of_call(node, fact);
    case SHUNT_AST_EACH_EXPR: return check_turn(kid(node, SHUNT_EACH_EXPR_value));
    case SHUNT_AST_FIELD: return check_turn(kid(node, SHUNT_FIELD_value));
    case SHUNT_AST_BINARY: return turn_of_operation(node);
    case SHUNT_AST_MINUS: {
        amount_turn of = check_turn(kid(node, SHUNT_MINUS_value));
        return of == TURN_NONE ? TURN_NONE : larger_of(of, TURN_MOVED);
    }
    case SHUNT_AST_OTHERWISE:
    case SHUNT_AST_CLEARED: return turn_of_some(node, 0);
    case SHUNT_AST_NOTING: return check_turn(kid(node, SHUNT_NOTING_value));
    case SHUNT_AST_IF_EXPR: return turn_of_some(node, SHUNT_IF_EXPR_then);
    case SHUNT_AST_CHOOSE: return turn_of_rows(kid(node, SHUNT_CHOOSE_rows));
    case SHUNT_AST_METHOD:
    case SHUNT_AST_INDEX:
    case SHUNT_AST_MEMBER: return TURN_SIGN;
    default: return TURN_NONE;
    }
}

/* What a `let` stands for. */
static const shunt_ast *behind_lets(const shunt_ast *node)
{
    for (int i = 0; i < LETS_FOLLOWED; i++) {
        const shunt_fact *fact = shunt_fact_of(node);
        const shunt_ast  *let = fact && fact->kind == SHUNT_FACT_SYMBOL ? fact->symbol->decl : NULL;
        if (!let || let->kind != SHUNT_AST_LET || !kid(let, SHUNT_LET_value)) break;
        node = kid(let, SHUNT_LET_value);
    }
    return node;
}

static bool is_zero(const shunt_ast *node)
{
    const shunt_ast  *value = behind_lets(node);
    const shunt_fact *fact = shunt_fact_of(value);
    return value->kind == SHUNT_AST_MONEY && fact && fact->number == 0;
}

/* "abs(x)", or x where its sign stays. */
static shunt_text without_sign(check *k, const shunt_ast *node)
{
    shunt_text shown = short_text(k, node);
    return check_turn(node) == TURN_NONE ? shown : check_format(k, "abs(%.*s)", SHUNT_TEXT_ARGS(shown));
}

/* An 835 says of a claim whether it is a reversal, and a unit in a claim can ask. */
static bool asks_status(const check *k)
{
    const shunt_source_info *info = k->source ? k->source->as.source : NULL;
    if (!info || info->standard != SHUNT_STANDARD_X12 || !k->unit_loop) return false;
    for (uint32_t i = 0; i < info->guide_count; i++)
        if (strcmp(info->guides[i]->set, "835") != 0) return false;
    return shunt_text_is(k->unit_loop->id, "2100") || shunt_text_is(k->unit_loop->id, "2110");
}

/* `alike`: what asks the same of a reversal; and what leaves reversals out, which a `check` has to let pass. */
static void help_with(check *k, shunt_diag *d, const shunt_ast *node, shunt_text alike)
{
    bool asks = asks_status(k), inside = k->kept && k->joined;
    shunt_diag_help(k->diags, d, "%s%.*s", asks ? "where a reversal is to be treated alike, " : "", SHUNT_TEXT_ARGS(alike));
    if (asks)
        shunt_diag_help(k->diags, d, "where it is to be left alone: `%sCLP02 %s %.*s%s`", inside ? "(" : "",
                        k->kept ? "= \"22\" or" : "!= \"22\" and", SHUNT_TEXT_ARGS(source_text(k, node->span)),
                        inside ? ")" : "");
}

static void help_compare(check *k, shunt_diag *d, const shunt_ast *node, shunt_text left, shunt_text right)
{
    help_with(k, d, node,
              check_format(k, "compare without the sign: `%.*s %.*s %.*s`", SHUNT_TEXT_ARGS(left), SHUNT_TEXT_ARGS(node->text),
                           SHUNT_TEXT_ARGS(right)));
}

static bool is_several(const shunt_ast *part) { return check_turn(part) == TURN_DIFFERENCE || check_turn(part) == TURN_MOVED; }

/* `a - b > 0.00 USD`: a is held against b; of another amount than zero, their difference without their signs against it. Of three
 * amounts no two can be told apart: the whole is held against the other without its sign. */
static void warn_difference(check *k, const shunt_ast *node, const shunt_ast *side, bool zero)
{
    const shunt_ast *value = behind_lets(side), *a = kid(value, SHUNT_BINARY_left), *b = kid(value, SHUNT_BINARY_right),
                    *left = kid(node, SHUNT_BINARY_left), *right = kid(node, SHUNT_BINARY_right);
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_W0504, node->span,
                                   "a reversal turns the sign of this difference, and this comparison with it");
    shunt_diag_here(k->diags, d, "what is above zero for a claim is below it for its reversal");
    if (value != side) shunt_diag_also(k->diags, d, value->span, "the difference");
    bool       minus = value->kind == SHUNT_AST_BINARY && shunt_text_is(value->text, "-"), first = side == left;
    shunt_text shown = short_text(k, side), other = without_sign(k, first ? right : left);
    if (minus && !is_several(a) && !is_several(b)) {
        shunt_text parts[] = { without_sign(k, a), without_sign(k, b) };
        if (zero) {
            help_compare(k, d, node, parts[!first], parts[first]);
            return;
        }
        shunt_text difference = check_format(k, "%.*s - %.*s", SHUNT_TEXT_ARGS(parts[0]), SHUNT_TEXT_ARGS(parts[1]));
        help_compare(k, d, node, first ? difference : other, first ? other : difference);
    } else if (minus && !zero) {
        shunt_text whole = without_sign(k, side);
        help_compare(k, d, node, first ? whole : other, first ? other : whole);
    } else if (minus) {
        help_with(k, d, node,
                  check_format(k, "ask whether it is zero, or how far from it: `%.*s %s %.*s`, `abs(%.*s) %s ...`",
                               SHUNT_TEXT_ARGS(shown), k->kept ? "=" : "!=", SHUNT_TEXT_ARGS(other), SHUNT_TEXT_ARGS(shown),
                               k->kept ? "<" : ">"));
    } else {
        help_with(k, d, node, SHUNT_TEXT("take its parts without their signs: `abs(...)`"));
    }
}

static void warn_moved(check *k, const shunt_ast *node, const shunt_ast *side)
{
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_W0504, node->span,
                       "a reversal turns the signs of what `%.*s` is made of, and this comparison says something else",
                       SHUNT_TEXT_ARGS(short_text(k, side)));
    help_with(k, d, node, SHUNT_TEXT("take its parts without their signs: `abs(...)`"));
}

void check_turned(check *k, const shunt_ast *node, const shunt_ty *a, const shunt_ty *b)
{
    const shunt_ast *left = kid(node, SHUNT_BINARY_left), *right = kid(node, SHUNT_BINARY_right);
    char             op = node->text.bytes[0];
    if ((op != '<' && op != '>') || a->kind != SHUNT_TY_MONEY || b->kind != SHUNT_TY_MONEY) return;
    if (!k->posts || k->phase != PHASE_UNIT || !is_reversed(k) || check_is_unreversed(k)) return;
    amount_turn turns[] = { check_turn(left), check_turn(right) };
    if (turns[0] == TURN_NONE && turns[1] == TURN_NONE) return;
    if (is_zero(left) || is_zero(right)) {
        int which = is_zero(left) ? 1 : 0;
        if (turns[which] == TURN_DIFFERENCE) warn_difference(k, node, which ? right : left, true);
        return;
    }
    if (turns[0] == TURN_MOVED || turns[1] == TURN_MOVED) {
        if (behind_lets(turns[0] == TURN_MOVED ? right : left)->kind != SHUNT_AST_MINUS)
            warn_moved(k, node, turns[0] == TURN_MOVED ? left : right);
        return;
    }
    bool        both = turns[0] != TURN_NONE && turns[1] != TURN_NONE, less = op == '<', left_turns = turns[0] != TURN_NONE;
    shunt_diag *d;
    if (both) {
        d = shunt_diag_add(k->diags, SHUNT_W0504, node->span,
                           "a reversal makes both amounts negative, and this comparison turns around");
        const char *near = less ? "20.00" : "80.00", *far = less ? "80.00" : "20.00";
        shunt_diag_here(k->diags, d, "%s %.*s %s, but not -%s %.*s -%s", near, SHUNT_TEXT_ARGS(node->text), far, near,
                        SHUNT_TEXT_ARGS(node->text), far);
    } else {
        if (behind_lets(left_turns ? right : left)->kind == SHUNT_AST_MINUS) return; /* negative amounts are meant */
        if (turns[!left_turns] == TURN_DIFFERENCE) {
            warn_difference(k, node, left_turns ? left : right, false);
            return;
        }
        d = shunt_diag_add(k->diags, SHUNT_W0504, node->span, "a reversal makes `%.*s` negative, however large it is",
                           SHUNT_TEXT_ARGS(short_text(k, left_turns ? left : right)));
        shunt_diag_here(k->diags, d, less == left_turns ? "always true for a reversal" : "never true for a reversal");
    }
    help_compare(k, d, node, without_sign(k, left), without_sign(k, right));
}
