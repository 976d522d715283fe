#include "dsl/fold.h"

#include "engine/base/decimal.h"

enum { LEVELS_AT_MOST = 64 }; /* constants that name constants */

static bool fold(const shunt_ast *node, __int128 *number, unsigned level);

static bool is_decimal(const shunt_ty *type)
{
    return type->kind == SHUNT_TY_DECIMAL || type->kind == SHUNT_TY_MONEY || type->kind == SHUNT_TY_PERCENT;
}

/* The operand at the scale of the result. */
static bool fold_at_scale(const shunt_ast *node, unsigned scale, __int128 *number, unsigned level)
{
    const shunt_fact *fact = shunt_fact_of(node);
    unsigned          from = is_decimal(&fact->type) ? fact->type.scale : 0;
    return (is_decimal(&fact->type) || fact->type.kind == SHUNT_TY_INT) && fold(node, number, level) &&
           shunt_decimal_rescale(*number, from, scale, SHUNT_EXACT, number) == SHUNT_OK;
}

static bool in_range(const shunt_ty *type, __int128 number)
{
    return is_decimal(type) || (number >= INT64_MIN && number <= INT64_MAX);
}

static bool fold_binary(const shunt_ast *node, __int128 *number, unsigned level)
{
    const shunt_fact *fact = shunt_fact_of(node);
    const shunt_ast  *left = node->kids[SHUNT_BINARY_left], *right = node->kids[SHUNT_BINARY_right];
    char              op = node->text.length == 1 ? node->text.bytes[0] : 0;
    __int128          a, b, result;
    if (!is_decimal(&fact->type) && fact->type.kind != SHUNT_TY_INT) return false;
    unsigned scale = is_decimal(&fact->type) ? fact->type.scale : 0;
    if (op == '+' || op == '-') {
        if (!fold_at_scale(left, scale, &a, level) || !fold_at_scale(right, scale, &b, level)) return false;
        shunt_status status = op == '+' ? shunt_decimal_add(a, b, &result) : shunt_decimal_subtract(a, b, &result);
        if (status != SHUNT_OK || !in_range(&fact->type, result)) return false;
        *number = result;
        return true;
    }
    if (op != '*') return false;
    const shunt_ty *lt = &shunt_fact_of(left)->type, *rt = &shunt_fact_of(right)->type;
    unsigned        ls = is_decimal(lt) ? lt->scale : 0, rs = is_decimal(rt) ? rt->scale : 0;
    if (!fold(left, &a, level) || !fold(right, &b, level) || shunt_decimal_multiply(a, b, &result) != SHUNT_OK) return false;
    if (shunt_decimal_rescale(result, ls + rs, scale, SHUNT_EXACT, &result) != SHUNT_OK || !in_range(&fact->type, result))
        return false;
    *number = result;
    return true;
}

static bool fold_name(const shunt_fact *fact, __int128 *number, unsigned level)
{
    if (fact->kind != SHUNT_FACT_SYMBOL || !fact->symbol) return false;
    if (fact->symbol->kind == SHUNT_SYMBOL_MEMBER) {
        *number = fact->symbol->as.field.member;
        return true;
    }
    if (fact->symbol->kind != SHUNT_SYMBOL_CONSTANT || fact->symbol->replaced) return false;
    const shunt_ast  *value = fact->symbol->decl->kids[SHUNT_LET_value];
    const shunt_fact *held = shunt_fact_of(value);
    /* A declared type may be wider than the value's. */
    if (!held || held->type.kind != fact->symbol->type.kind || held->type.scale != fact->symbol->type.scale) return false;
    return fold(value, number, level + 1);
}

static bool fold(const shunt_ast *node, __int128 *number, unsigned level)
{
    const shunt_fact *fact = shunt_fact_of(node);
    if (!fact || level > LEVELS_AT_MOST) return false;
    switch ((shunt_ast_kind)node->kind) {
    case SHUNT_AST_INT:
    case SHUNT_AST_DECIMAL:
    case SHUNT_AST_MONEY:
    case SHUNT_AST_PERCENT:
    case SHUNT_AST_DATE:
    case SHUNT_AST_DURATION:
        if (fact->kind == SHUNT_FACT_PATH || fact->type.kind == SHUNT_TY_NODE || fact->type.kind == SHUNT_TY_LIST) return false;
        *number = fact->number;
        return true;
    case SHUNT_AST_TRUE: *number = 1; return true;
    case SHUNT_AST_FALSE: *number = 0; return true;
    case SHUNT_AST_MINUS:
        if (!fold(node->kids[SHUNT_MINUS_value], number, level + 1)) return false;
        if (!in_range(&fact->type, -*number)) return false;
        *number = -*number;
        return true;
    case SHUNT_AST_BINARY: return fold_binary(node, number, level + 1);
    case SHUNT_AST_NAME:
    case SHUNT_AST_MEMBER: return fold_name(fact, number, level);
    default: return false;
    }
}

bool shunt_fold(const shunt_ast *node, __int128 *number) { return fold(node, number, 0); }

bool shunt_fold_text(const shunt_ast *node, shunt_text *text)
{
    for (unsigned level = 0; node && level <= LEVELS_AT_MOST; level++) {
        const shunt_fact *fact = shunt_fact_of(node);
        if (node->kind == SHUNT_AST_STRING) {
            *text = node->text;
            return true;
        }
        if (node->kind != SHUNT_AST_NAME || !fact || fact->kind != SHUNT_FACT_SYMBOL || !fact->symbol ||
            fact->symbol->kind != SHUNT_SYMBOL_CONSTANT || fact->symbol->replaced)
            return false;
        node = fact->symbol->decl->kids[SHUNT_LET_value];
    }
    return false;
}
