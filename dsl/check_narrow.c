/* What a condition says of the state of a value, or of whether a claim is a reversal, wherever it has come out true or false before that value is read again. Values never
 * change, so it holds as long as the same value is meant: a name, a column of a row that has a name, a path that is read from one place. */
#include "dsl/check.h"

enum { MOST = 256 }; /* that are kept: each value is held against all of them */

/* `of`, where a value is read from an expression: only from a name, which stands for one node. */
static bool same_base(const shunt_ast *a, const shunt_ast *b)
{
    const shunt_fact *x = shunt_fact_of(a), *y = shunt_fact_of(b);
    if (!a && !b) return true;
    return x && y && x->kind == SHUNT_FACT_SYMBOL && y->kind == SHUNT_FACT_SYMBOL && x->symbol == y->symbol;
}

static bool same_part(const shunt_path_part *a, const shunt_path_part *b)
{
    return a->component == b->component && a->subcomponent == b->subcomponent && a->currency_component == b->currency_component &&
           a->currency_subcomponent == b->currency_subcomponent;
}

static bool same_path(const shunt_path *a, const shunt_path *b)
{
    if (a->kind != b->kind || !same_base(a->base, b->base) || a->start != b->start || a->up != b->up) return false;
    if (a->loop != b->loop || a->down_count != b->down_count || a->node_count != b->node_count) return false;
    if (!shunt_text_equal(a->qualifier, b->qualifier) || !shunt_text_equal(a->name, b->name)) return false;
    if (a->element != b->element || a->component != b->component || a->repetition != b->repetition) return false;
    if (a->range_start != b->range_start || a->range_end != b->range_end || !a->parts != !b->parts) return false;
    for (uint32_t i = 0; i < a->down_count; i++)
        if (a->down[i] != b->down[i]) return false;
    for (uint32_t i = 0; i < a->node_count; i++) {
        if (a->nodes[i].segment != b->nodes[i].segment || a->nodes[i].loop != b->nodes[i].loop) return false;
        if (a->parts && !same_part(&a->parts[i], &b->parts[i])) return false;
    }
    return true;
}

static bool same_value(const shunt_ast *a, const shunt_ast *b)
{
    const shunt_fact *x = shunt_fact_of(a), *y = shunt_fact_of(b);
    if (!x || !y || x->kind != y->kind) return false;
    switch (x->kind) {
    case SHUNT_FACT_SYMBOL: return x->symbol == y->symbol;
    case SHUNT_FACT_PATH: return x->path->kind == SHUNT_PATH_VALUE && same_path(x->path, y->path);
    case SHUNT_FACT_FIELD:
        return a->kind == SHUNT_AST_MEMBER && b->kind == SHUNT_AST_MEMBER && x->member == y->member && kid(a, SHUNT_MEMBER_of) &&
               same_base(kid(a, SHUNT_MEMBER_of), kid(b, SHUNT_MEMBER_of));
    default: return false;
    }
}

/* The value is what `state` says, or, not `holds`, is not that. */
static void learn_state(check *k, const shunt_ast *node, bool holds)
{
    bool       negated = shunt_text_starts(node->text, SHUNT_TEXT("not "));
    shunt_text word = negated ? (shunt_text){ node->text.bytes + 4, node->text.length - 4 } : node->text;
    bool       is = holds != negated;
    learnt     what = { .value = kid(node, SHUNT_IS_value) };
    if (shunt_text_is(word, "present") && is) what.not_absent = what.not_cleared = true;
    if (shunt_text_is(word, "absent") && !is) what.not_absent = true;
    if (shunt_text_is(word, "absent") && is) what.not_cleared = true;
    if (shunt_text_is(word, "cleared") && !is) what.not_cleared = true;
    if (shunt_text_is(word, "cleared") && is) what.not_absent = true;
    if (k->learnt.count < MOST && what.value && (what.not_absent || what.not_cleared)) *PUSH(k, &k->learnt) = what;
}

/* The status of a claim of an 835 (005010X221A1, CLP02), which is 22 where it takes back an earlier payment. */
static bool is_status(const shunt_ast *node)
{
    const shunt_fact *fact = shunt_fact_of(node);
    const shunt_path *path = fact && fact->kind == SHUNT_FACT_PATH ? fact->path : NULL;
    return path && path->kind == SHUNT_PATH_VALUE && !path->base && shunt_text_is(path->shown, "CLP02");
}

static bool is_reversal(const shunt_ast *node)
{
    return node && node->kind == SHUNT_AST_STRING && shunt_text_is(node->text, "22");
}

static uint8_t unreversed_of_equality(const shunt_ast *node)
{
    const shunt_ast *left = kid(node, SHUNT_BINARY_left), *right = kid(node, SHUNT_BINARY_right);
    const shunt_ast *value = is_status(left) ? right : is_status(right) ? left : NULL;
    if (!value || value->kind != SHUNT_AST_STRING) return 0;
    return is_reversal(value) == shunt_text_is(node->text, "!=") ? UNREVERSED_IF_TRUE : UNREVERSED_IF_FALSE;
}

/* In a list that does not name reversals, or not in one that does. */
static uint8_t unreversed_of_list(const shunt_ast *node)
{
    const shunt_ast *list = kid(node, SHUNT_IN_list);
    bool             named = false, in = shunt_text_is(node->text, "in");
    if (!list || !is_status(kid(node, SHUNT_IN_value))) return 0;
    for (uint32_t i = 0; i < list->kid_count; i++) {
        if (!list->kids[i] || list->kids[i]->kind != SHUNT_AST_STRING) return 0;
        named = named || is_reversal(list->kids[i]);
    }
    return in == named ? UNREVERSED_IF_FALSE : UNREVERSED_IF_TRUE;
}

static uint8_t unreversed_of_logic(const shunt_ast *node)
{
    uint8_t a = check_unreversed(kid(node, SHUNT_BINARY_left)), b = check_unreversed(kid(node, SHUNT_BINARY_right));
    bool    both = shunt_text_is(node->text, "and"); /* have come out true, or, of `or`, false */
    uint8_t any = both ? UNREVERSED_IF_TRUE : UNREVERSED_IF_FALSE;
    return (uint8_t)(((a | b) & any) | (a & b));
}

uint8_t check_unreversed(const shunt_ast *condition)
{
    const shunt_fact *fact = shunt_fact_of(condition);
    if (!condition) return 0;
    switch (condition->kind) {
    case SHUNT_AST_NAME:
        return fact && fact->kind == SHUNT_FACT_SYMBOL && fact->symbol->kind == SHUNT_SYMBOL_LOCAL
                   ? decl_of(fact->symbol)->unreversed
                   : 0;
    case SHUNT_AST_NOT: {
        uint8_t of = check_unreversed(kid(condition, SHUNT_NOT_value));
        return (uint8_t)((of & UNREVERSED_IF_TRUE ? UNREVERSED_IF_FALSE : 0) |
                         (of & UNREVERSED_IF_FALSE ? UNREVERSED_IF_TRUE : 0));
    }
    case SHUNT_AST_IN: return unreversed_of_list(condition);
    case SHUNT_AST_BINARY:
        if (shunt_text_is(condition->text, "and") || shunt_text_is(condition->text, "or")) return unreversed_of_logic(condition);
        if (shunt_text_is(condition->text, "=") || shunt_text_is(condition->text, "!=")) return unreversed_of_equality(condition);
        return 0;
    default: return 0;
    }
}

static void learn_unreversed(check *k)
{
    if (k->learnt.count < MOST) *PUSH(k, &k->learnt) = (learnt){ .unreversed = true };
}

bool check_is_unreversed(const check *k)
{
    for (uint32_t i = 0; i < k->learnt.count; i++)
        if (k->learnt.items[i].unreversed) return true;
    return false;
}

void check_learn_arm(check *k, const shunt_ast *subject, const shunt_ast *patterns, bool *met)
{
    const shunt_ast *pattern = kid(patterns, 0);
    bool             any = !pattern, named = false;
    if (!is_status(subject)) return;
    for (uint32_t i = 0; pattern && i < pattern->kid_count; i++) {
        any = any || pattern->kids[i]->kind != SHUNT_AST_STRING;
        named = named || is_reversal(pattern->kids[i]);
    }
    if (*met || (!any && !named)) learn_unreversed(k);
    *met = *met || named;
}

static void learn_states(check *k, const shunt_ast *condition, bool holds)
{
    if (!condition) return;
    if (condition->kind == SHUNT_AST_IS) {
        learn_state(k, condition, holds);
    } else if (condition->kind == SHUNT_AST_NOT) {
        learn_states(k, kid(condition, SHUNT_NOT_value), !holds);
    } else if (condition->kind == SHUNT_AST_BINARY && shunt_text_is(condition->text, holds ? "and" : "or")) {
        learn_states(k, kid(condition, SHUNT_BINARY_left), holds);
        learn_states(k, kid(condition, SHUNT_BINARY_right), holds);
    }
}

void check_learn_status(check *k, const shunt_ast *condition, bool holds)
{
    if (check_unreversed(condition) & (holds ? UNREVERSED_IF_TRUE : UNREVERSED_IF_FALSE)) learn_unreversed(k);
}

void check_learn(check *k, const shunt_ast *condition, bool holds)
{
    learn_states(k, condition, holds);
    check_learn_status(k, condition, holds);
}

void check_narrow(const check *k, const shunt_ast *node, shunt_ty *type)
{
    if (!type->optional && !type->clearable) return;
    for (uint32_t i = 0; i < k->learnt.count; i++) {
        const learnt *what = &k->learnt.items[i];
        if (!same_value(what->value, node)) continue;
        if (what->not_absent) type->optional = false;
        if (what->not_cleared) type->clearable = false;
    }
}
