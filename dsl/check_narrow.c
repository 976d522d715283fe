/* What a condition says of the state of a value, wherever it has come out true or false before that value is read again. Values never
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

void check_learn(check *k, const shunt_ast *condition, bool holds)
{
    if (!condition) return;
    if (condition->kind == SHUNT_AST_IS) {
        learn_state(k, condition, holds);
    } else if (condition->kind == SHUNT_AST_NOT) {
        check_learn(k, kid(condition, SHUNT_NOT_value), !holds);
    } else if (condition->kind == SHUNT_AST_BINARY && shunt_text_is(condition->text, holds ? "and" : "or")) {
        check_learn(k, kid(condition, SHUNT_BINARY_left), holds);
        check_learn(k, kid(condition, SHUNT_BINARY_right), holds);
    }
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
