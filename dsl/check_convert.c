/* Quantities in other units, amounts in other currencies. */
#include "dsl/check.h"

#include "engine/base/decimal.h"

enum { PLACES = 6, DIGITS = 38, RATE_PLACES = 12 };

static shunt_ty lacking(shunt_ty type, const shunt_ty *of)
{
    type.optional = true;
    type.clearable = type.clearable || of->clearable;
    type.phi |= of->phi;
    return type;
}

static bool is_unit(check *k, shunt_ast *value, shunt_ty *type)
{
    shunt_ty want = shunt_ty_plain(SHUNT_TY_UNIT);
    *type = check_expr(k, value, &want);
    if (shunt_ty_is_error(type) || shunt_ty_is_textual(type)) return !shunt_ty_is_error(type);
    shunt_text  name = shunt_ty_name(k->arena, type);
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_E0303, value->span, "a unit is a text, and this is %.*s", SHUNT_TEXT_ARGS(name));
    shunt_diag_help(k->diags, d, "name it by its code: `\"EA\"`, `l.IT103`");
    return false;
}

shunt_ty check_convert(check *k, shunt_ast **values)
{
    shunt_ty quantity = check_expr(k, values[0], NULL), units[2];
    bool     fine = is_unit(k, values[1], &units[0]);
    fine = is_unit(k, values[2], &units[1]) && fine;
    if (shunt_ty_is_error(&quantity) || !fine) return ty_error();
    if (quantity.kind != SHUNT_TY_DECIMAL && quantity.kind != SHUNT_TY_INT) {
        shunt_text  name = shunt_ty_name(k->arena, &quantity);
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0303, values[0]->span, "a quantity is a number, and this is %.*s",
                                       SHUNT_TEXT_ARGS(name));
        if (quantity.kind == SHUNT_TY_MONEY)
            shunt_diag_help(k->diags, d, "to change a currency, write `exchange(x, \"USD\", on: day, rates: rates)`");
        return ty_error();
    }
    unsigned scale = quantity.kind == SHUNT_TY_DECIMAL && quantity.scale > PLACES ? quantity.scale : PLACES;
    shunt_ty result = lacking(shunt_ty_decimal(DIGITS, scale), &quantity);
    result = lacking(result, &units[0]);
    return lacking(result, &units[1]);
}

/* A table of rates: keys from and to, in force from a day on, and a column `rate`. */
static bool is_rates(check *k, const shunt_ast *name, const shunt_symbol *table)
{
    const shunt_table_info *info = table->as.table;
    uint32_t                rate;
    bool                    fine = info->shape && info->key_count == 2 && info->effective && !info->prefix && !info->range &&
                find_member(info->shape, SHUNT_TEXT("rate"), &rate);
    fine = fine && shunt_ty_is_textual(&info->shape->members[0].type) && shunt_ty_is_textual(&info->shape->members[1].type);
    fine = fine && info->shape->members[rate].type.kind == SHUNT_TY_DECIMAL && !info->shape->members[rate].type.optional &&
           info->shape->members[rate].type.scale <= RATE_PLACES;
    if (fine) return true;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0306, name->span, "`%.*s` is no table of rates", SHUNT_TEXT_ARGS(name->text));
    shunt_diag_also(k->diags, d, table->span, "declared here");
    shunt_diag_help(k->diags, d,
                    "`key from: text(3)  key to: text(3)  effective valid_from through valid_to  column rate: decimal(18, 8)`");
    return false;
}

shunt_ty check_exchange(check *k, shunt_ast *node, shunt_ast **values)
{
    need          day = { .by = FOR_ARGUMENT, .type = shunt_ty_plain(SHUNT_TY_DATE), .name = SHUNT_TEXT("on") };
    shunt_ty      amount = check_expr(k, values[0], NULL);
    uint8_t       scale = 0;
    shunt_ast    *to = values[1], *rates = values[3];
    shunt_symbol *table = rates->kind == SHUNT_AST_NAME ? find_value(k, rates->text) : NULL;
    (void)check_expr(k, to, NULL);
    (void)check_needed(k, values[2], &day);
    if (!table || table->kind != SHUNT_SYMBOL_TABLE) {
        if (rates->kind == SHUNT_AST_NAME)
            unknown_name(k, rates, "table", NULL);
        else
            (void)shunt_diag_add(k->diags, SHUNT_E0306, rates->span, "the rates are the name of a table");
        return ty_error();
    }
    check_fact(k, node)->symbol = table;
    check_fact(k, rates)->kind = SHUNT_FACT_SYMBOL;
    check_fact(k, rates)->symbol = table;
    if (shunt_ty_is_error(&amount) || decl_of(table)->unread || !is_rates(k, rates, table)) return ty_error();
    if (amount.kind != SHUNT_TY_MONEY) {
        shunt_text name = shunt_ty_name(k->arena, &amount);
        (void)shunt_diag_add(k->diags, SHUNT_E0303, values[0]->span, "only an amount has a currency, and this is %.*s",
                             SHUNT_TEXT_ARGS(name));
        return ty_error();
    }
    if (to->kind != SHUNT_AST_STRING || !shunt_currency_find(to->text, &scale)) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0109, to->span, "the currency is written out by its ISO 4217 code");
        shunt_diag_help(k->diags, d, "write `\"USD\"`");
        return ty_error();
    }
    if (shunt_text_is(to->text, amount.currency)) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0306, to->span, "the amount is in %s already", amount.currency);
        shunt_diag_help(k->diags, d, "use it as it is");
        return ty_error();
    }
    char     code[4] = { to->text.bytes[0], to->text.bytes[1], to->text.bytes[2], 0 };
    shunt_ty result = shunt_ty_money(code, scale);
    return lacking(result, &amount);
}
