/* Functions of shared libraries: what can cross to C, what may be shown to it, and from where it is called. */
#include "dsl/check.h"

#include "engine/base/decimal.h"

enum { PARAMS_AT_MOST = 32, COST = 100, COST_AT_MOST = 1000000 };

static bool crosses(const shunt_ty *type)
{
    switch ((shunt_ty_kind)type->kind) {
    case SHUNT_TY_BOOL:
    case SHUNT_TY_INT:
    case SHUNT_TY_TEXT:
    case SHUNT_TY_CODE:
    case SHUNT_TY_UNIT:
    case SHUNT_TY_ACCOUNT:
    case SHUNT_TY_DECIMAL:
    case SHUNT_TY_MONEY:
    case SHUNT_TY_PERCENT:
    case SHUNT_TY_DATE: return true;
    default: return shunt_ty_is_error(type);
    }
}

static void does_not_cross(check *k, shunt_ast *at, const shunt_ty *type)
{
    shunt_text  name = shunt_ty_name(k->arena, type);
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0920, at->span, "%.*s does not cross to a library", SHUNT_TEXT_ARGS(name));
    shunt_diag_help(k->diags, d, "pass text, bool, int, decimal, money, percent or a date");
}

static void check_library(check *k, const shunt_ast *library)
{
    bool fine = library && library->text.length > 0;
    for (uint32_t i = 0; fine && i < library->text.length; i++) {
        char c = library->text.bytes[i];
        fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
               (c == '.' && i > 0);
    }
    if (fine || !library) return;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0920, library->span, "a library is named without folder and ending");
    shunt_diag_note(k->diags, d, "the host says in which folder it lies: `shunt run --allow-extern FOLDER`");
    shunt_diag_help(k->diags, d, "write `from \"libacme\"` for FOLDER/libacme.so");
}

void shape_extern(check *k, shunt_symbol *symbol)
{
    shunt_ast *params = kid(symbol->decl, SHUNT_EXTERN_params), *result = kid(symbol->decl, SHUNT_EXTERN_type),
              *cost = kid(symbol->decl, SHUNT_EXTERN_cost);
    uint32_t count = params ? params->kid_count : 0;
    symbol->as.function.params = NEW_N(k, shunt_symbol *, count);
    symbol->as.function.cost = COST;
    if (count > PARAMS_AT_MOST) too_large(k, symbol->span, "this function", PARAMS_AT_MOST);
    for (uint32_t i = 0; i < count && i < PARAMS_AT_MOST; i++) {
        shunt_ast *param = params->kids[i], *name = kid(param, SHUNT_PARAM_name);
        if (param->kind != SHUNT_AST_PARAM || !name) continue;
        shunt_symbol *one = new_symbol(k, SHUNT_SYMBOL_PARAM, name->text, param, name->span);
        one->type = check_type(k, kid(param, SHUNT_PARAM_type));
        one->used = true;
        if (!crosses(&one->type)) {
            does_not_cross(k, param, &one->type);
            one->type = ty_error();
        } else if (one->type.optional) {
            shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0920, param->span, "a library is not asked about what is absent");
            shunt_diag_help(k->diags, d, "leave out the `?`, and say `otherwise` where it is called");
            one->type.optional = false;
        }
        check_fact(k, param)->symbol = one;
        symbol->as.function.params[symbol->as.function.count++] = one;
    }
    symbol->type = check_type(k, result);
    if (!crosses(&symbol->type)) {
        does_not_cross(k, result, &symbol->type);
        symbol->type = ty_error();
    }
    check_library(k, kid(symbol->decl, SHUNT_EXTERN_library));
    if (!cost) return;
    (void)check_expr(k, cost, NULL);
    const shunt_fact *fact = shunt_fact_of(cost);
    if (fact && fact->number > 0 && fact->number <= COST_AT_MOST) {
        symbol->as.function.cost = (uint32_t)fact->number;
        return;
    }
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0920, cost->span, "a cost is a number of steps from 1 to %d", COST_AT_MOST);
    shunt_diag_help(k->diags, d, "write about how many operations a call is: `cost 40`");
}

void check_extern_argument(check *k, const shunt_ast *value, const shunt_symbol *function, uint32_t at, const shunt_ty *given)
{
    const shunt_symbol *param = function->as.function.params[at];
    uint32_t            more = given->phi & ~param->type.phi;
    if (!more || k->phase == PHASE_FUNCTION) return;
    shunt_text  classes = shunt_phi_names(k->arena, more);
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0401, value->span,
                                   "protected health information reaches a library that does not say it takes it");
    shunt_diag_here(k->diags, d, "%.*s", SHUNT_TEXT_ARGS(classes));
    shunt_diag_also(k->diags, d, param->span, "declared here");
    shunt_diag_help(k->diags, d, "pass `tokenize(...)` or `mask(...)` of it");
    shunt_diag_help(k->diags, d, "or say that it takes it: `%.*s: ... phi (%.*s)`", SHUNT_TEXT_ARGS(param->name),
                    SHUNT_TEXT_ARGS(classes));
}

bool may_call_extern(check *k, const shunt_ast *call, const shunt_symbol *function)
{
    if (k->phase != PHASE_FUNCTION && k->phase != PHASE_NONE) return true;
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_E0920, call->span, "`%.*s` is called by a map alone", SHUNT_TEXT_ARGS(function->name));
    shunt_diag_here(k->diags, d, "a library may fail, and what it is shown must be seen");
    shunt_diag_also(k->diags, d, function->span, "declared here");
    shunt_diag_help(k->diags, d, "call it in the map, and pass what it gives as a parameter");
    return false;
}
