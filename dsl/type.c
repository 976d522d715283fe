#include "dsl/type.h"

#include "dsl/tree.h"

#include <stdio.h>

shunt_ty shunt_ty_text(uint32_t length, bool literal)
{
    return (shunt_ty){ .kind = SHUNT_TY_TEXT, .length = length, .literal = literal };
}

shunt_ty shunt_ty_decimal(unsigned digits, unsigned scale)
{
    return (shunt_ty){ .kind = SHUNT_TY_DECIMAL, .digits = (uint8_t)digits, .scale = (uint8_t)scale };
}

shunt_ty shunt_ty_money(const char currency[static 4], unsigned scale)
{
    shunt_ty type = { .kind = SHUNT_TY_MONEY, .scale = (uint8_t)scale };
    memcpy(type.currency, currency, sizeof type.currency);
    return type;
}

bool shunt_ty_is_textual(const shunt_ty *type)
{
    switch (type->kind) {
    case SHUNT_TY_TEXT:
    case SHUNT_TY_CODE:
    case SHUNT_TY_UNIT:
    case SHUNT_TY_ACCOUNT:
    case SHUNT_TY_TOKEN: return true;
    default: return false;
    }
}

bool shunt_ty_has_length(const shunt_ty *type) { return type->length || type->literal; }

bool shunt_ty_is_number(const shunt_ty *type)
{
    return type->kind == SHUNT_TY_INT || type->kind == SHUNT_TY_DECIMAL || type->kind == SHUNT_TY_PERCENT;
}

bool shunt_ty_is_scalar(const shunt_ty *type)
{
    switch (type->kind) {
    case SHUNT_TY_ROW:
    case SHUNT_TY_NODE:
    case SHUNT_TY_LIST:
    case SHUNT_TY_SOURCE:
    case SHUNT_TY_DURATION: return false;
    default: return true;
    }
}

bool shunt_ty_is_ordered(const shunt_ty *type)
{
    switch (type->kind) {
    case SHUNT_TY_TOKEN: return false;
    case SHUNT_TY_MONEY:
    case SHUNT_TY_DATE:
    case SHUNT_TY_TIME:
    case SHUNT_TY_MOMENT:
    case SHUNT_TY_ERROR:
    case SHUNT_TY_NEVER: return true;
    default: return shunt_ty_is_number(type) || shunt_ty_is_textual(type);
    }
}

static bool same_currency(const shunt_ty *a, const shunt_ty *b)
{
    return memcmp(a->currency, b->currency, sizeof a->currency) == 0;
}

static bool same_shape(const shunt_ty *a, const shunt_ty *b) { return a->shape == b->shape && a->loop == b->loop; }

static shunt_fit kinds_fit(const shunt_ty *from, const shunt_ty *to)
{
    switch (to->kind) {
    case SHUNT_TY_TEXT: return shunt_ty_is_textual(from) ? SHUNT_FITS : SHUNT_FIT_KIND;
    case SHUNT_TY_CODE: return from->kind == SHUNT_TY_CODE || from->kind == SHUNT_TY_TEXT ? SHUNT_FITS : SHUNT_FIT_KIND;
    case SHUNT_TY_ACCOUNT:
        return from->kind == SHUNT_TY_ACCOUNT || (from->kind == SHUNT_TY_TEXT && from->literal) ? SHUNT_FITS : SHUNT_FIT_KIND;
    case SHUNT_TY_UNIT:
        return from->kind == SHUNT_TY_UNIT || from->kind == SHUNT_TY_CODE || (from->kind == SHUNT_TY_TEXT && from->literal)
                   ? SHUNT_FITS
                   : SHUNT_FIT_KIND;
    case SHUNT_TY_DECIMAL: return shunt_ty_is_number(from) ? SHUNT_FITS : SHUNT_FIT_KIND;
    case SHUNT_TY_MONEY:
        if (from->kind != SHUNT_TY_MONEY) return SHUNT_FIT_KIND;
        return same_currency(from, to) ? SHUNT_FITS : SHUNT_FIT_CURRENCY;
    case SHUNT_TY_ENUM:
    case SHUNT_TY_ROW:
    case SHUNT_TY_NODE: return from->kind == to->kind && same_shape(from, to) ? SHUNT_FITS : SHUNT_FIT_KIND;
    case SHUNT_TY_LIST:
        if (from->kind != SHUNT_TY_LIST) return SHUNT_FIT_KIND;
        return from->item && to->item ? shunt_ty_fit(from->item, to->item) : SHUNT_FITS;
    default: return from->kind == to->kind ? SHUNT_FITS : SHUNT_FIT_KIND;
    }
}

shunt_fit shunt_ty_fit(const shunt_ty *from, const shunt_ty *to)
{
    if (shunt_ty_is_error(from) || shunt_ty_is_error(to)) return SHUNT_FITS;
    shunt_fit fit = kinds_fit(from, to);
    if (fit != SHUNT_FITS) return fit;
    if (from->optional && !to->optional) return SHUNT_FIT_ABSENT;
    if (from->clearable && !to->clearable) return SHUNT_FIT_CLEARED;
    if ((to->kind == SHUNT_TY_DECIMAL || to->kind == SHUNT_TY_MONEY) && from->scale > to->scale) return SHUNT_FIT_SCALE;
    if (shunt_ty_is_textual(to) && to->length && from->length > to->length) return SHUNT_FIT_LENGTH;
    return SHUNT_FITS;
}

shunt_fit shunt_ty_compare(const shunt_ty *a, const shunt_ty *b)
{
    if (shunt_ty_is_error(a) || shunt_ty_is_error(b)) return SHUNT_FITS;
    if (a->kind == SHUNT_TY_TOKEN || b->kind == SHUNT_TY_TOKEN) return a->kind == b->kind ? SHUNT_FITS : SHUNT_FIT_KIND;
    if (shunt_ty_is_textual(a) && shunt_ty_is_textual(b)) return SHUNT_FITS;
    if (shunt_ty_is_number(a) && shunt_ty_is_number(b)) return SHUNT_FITS;
    if (a->kind != b->kind) return SHUNT_FIT_KIND;
    switch (a->kind) {
    case SHUNT_TY_MONEY: return same_currency(a, b) ? SHUNT_FITS : SHUNT_FIT_CURRENCY;
    case SHUNT_TY_ENUM: return a->shape == b->shape ? SHUNT_FITS : SHUNT_FIT_KIND;
    case SHUNT_TY_BOOL:
    case SHUNT_TY_DATE:
    case SHUNT_TY_TIME:
    case SHUNT_TY_MOMENT: return SHUNT_FITS;
    default: return SHUNT_FIT_KIND;
    }
}

const shunt_codeset *shunt_codeset_union(shunt_arena *arena, const shunt_codeset *a, const shunt_codeset *b)
{
    if (a == b) return a;
    shunt_codeset *both = SHUNT_NEW(arena, shunt_codeset);
    const char   **values = SHUNT_NEW_N(arena, const char *, (size_t)a->count + b->count + 1);
    const char   **names = SHUNT_NEW_N(arena, const char *, (size_t)a->count + b->count + 1);
    if (!both || !values || !names) return NULL;
    uint32_t i = 0, j = 0, count = 0;
    while (i < a->count || j < b->count) {
        int                  order = i == a->count ? 1 : j == b->count ? -1 : strcmp(a->values[i], b->values[j]);
        const shunt_codeset *from = order <= 0 ? a : b;
        uint32_t             at = order <= 0 ? i : j;
        values[count] = from->values[at];
        names[count++] = from->names ? from->names[at] : NULL;
        i += order <= 0;
        j += order >= 0;
    }
    *both = (shunt_codeset){ a->name, values, names, count, a->complete && b->complete };
    return both;
}

/* text of both kinds: what may be said of the one and of the other. */
static shunt_fit join_textual(shunt_arena *arena, const shunt_ty *a, const shunt_ty *b, shunt_ty *joined)
{
    bool known = shunt_ty_has_length(a) && shunt_ty_has_length(b);
    joined->length = !known ? 0 : a->length > b->length ? a->length : b->length;
    joined->literal = a->literal && b->literal;
    joined->codes = NULL;
    joined->kind = SHUNT_TY_TEXT;
    if (a->kind == b->kind) {
        joined->kind = a->kind;
        if (a->codes && b->codes) joined->codes = shunt_codeset_union(arena, a->codes, b->codes);
        return SHUNT_FITS;
    }
    if (a->kind == SHUNT_TY_TOKEN || b->kind == SHUNT_TY_TOKEN) return SHUNT_FIT_KIND;
    bool account = (a->kind == SHUNT_TY_ACCOUNT && b->literal) || (b->kind == SHUNT_TY_ACCOUNT && a->literal);
    bool unit = (a->kind == SHUNT_TY_UNIT && b->literal) || (b->kind == SHUNT_TY_UNIT && a->literal);
    if (account) joined->kind = SHUNT_TY_ACCOUNT;
    if (unit) joined->kind = SHUNT_TY_UNIT;
    return SHUNT_FITS;
}

static shunt_fit join_lists(shunt_arena *arena, const shunt_ty *a, const shunt_ty *b, shunt_ty *joined)
{
    shunt_ty *item = SHUNT_NEW(arena, shunt_ty);
    joined->max = a->max && b->max ? (a->max > b->max ? a->max : b->max) : 0;
    joined->item = item;
    if (!item) return SHUNT_FITS;
    return shunt_ty_join(arena, a->item, b->item, item);
}

shunt_fit shunt_ty_join(shunt_arena *arena, const shunt_ty *a, const shunt_ty *b, shunt_ty *joined)
{
    shunt_ty both;
    if (a->kind == SHUNT_TY_NEVER)
        both = *b;
    else if (b->kind == SHUNT_TY_NEVER)
        both = *a;
    else if (a->kind == SHUNT_TY_ERROR)
        both = *a;
    else
        both = b->kind == SHUNT_TY_ERROR ? *b : *a;
    shunt_fit fit = SHUNT_FITS;
    if (!shunt_ty_is_error(a) && !shunt_ty_is_error(b)) {
        if (shunt_ty_is_textual(a) && shunt_ty_is_textual(b))
            fit = join_textual(arena, a, b, &both);
        else if (shunt_ty_is_number(a) && shunt_ty_is_number(b)) {
            both.kind = a->kind == b->kind ? a->kind : SHUNT_TY_DECIMAL;
            both.scale = a->scale > b->scale ? a->scale : b->scale;
            both.digits = a->digits && b->digits ? (a->digits > b->digits ? a->digits : b->digits) : 0;
        } else if (a->kind == SHUNT_TY_LIST && b->kind == SHUNT_TY_LIST)
            fit = join_lists(arena, a, b, &both);
        else {
            fit = kinds_fit(a, b);
            if (b->scale > both.scale) both.scale = b->scale;
        }
    }
    both.optional = a->optional || b->optional;
    both.clearable = a->clearable || b->clearable;
    both.phi = a->phi | b->phi;
    *joined = both;
    return fit;
}

shunt_text shunt_phi_names(shunt_arena *arena, uint32_t classes)
{
    char   names[320];
    size_t length = 0;
    for (unsigned i = 0; i < SHUNT_PHI_INDEX_COUNT; i++) {
        if (!(classes & 1u << i)) continue;
        length += (size_t)snprintf(names + length, sizeof names - length, "%s%s", length ? ", " : "",
                                   shunt_phi_name((shunt_phi_index)i));
    }
    return shunt_text_format(arena, "%s", length ? names : "none");
}

static shunt_text plain_name(shunt_arena *arena, const shunt_ty *type)
{
    static const char *const words[] = {
        [SHUNT_TY_ERROR] = "something unknown",
        [SHUNT_TY_BOOL] = "bool",
        [SHUNT_TY_INT] = "int",
        [SHUNT_TY_CODE] = "code",
        [SHUNT_TY_TOKEN] = "token",
        [SHUNT_TY_UNIT] = "unit",
        [SHUNT_TY_ACCOUNT] = "account",
        [SHUNT_TY_PERCENT] = "percent",
        [SHUNT_TY_QUANTITY] = "quantity",
        [SHUNT_TY_DATE] = "date",
        [SHUNT_TY_TIME] = "time",
        [SHUNT_TY_MOMENT] = "datetime",
        [SHUNT_TY_DURATION] = "a number of days",
        [SHUNT_TY_SOURCE] = "the name of a source",
        [SHUNT_TY_NEVER] = "an exit",
    };
    switch (type->kind) {
    case SHUNT_TY_TEXT: return type->length ? shunt_text_format(arena, "text(%u)", type->length) : SHUNT_TEXT("text");
    case SHUNT_TY_DECIMAL:
        if (type->digits) return shunt_text_format(arena, "decimal(%u, %u)", type->digits, type->scale);
        return shunt_text_format(arena, "a decimal with %u decimals", type->scale);
    case SHUNT_TY_MONEY: {
        uint8_t scale = 2;
        (void)shunt_currency_find(shunt_text_of(type->currency), &scale);
        if (type->scale != scale) return shunt_text_format(arena, "money(%s, %u)", type->currency, type->scale);
        return shunt_text_format(arena, "money(%s)", type->currency);
    }
    case SHUNT_TY_ENUM: return type->shape->name;
    case SHUNT_TY_ROW: return shunt_text_format(arena, "a row of %.*s", SHUNT_TEXT_ARGS(type->shape->name));
    case SHUNT_TY_NODE:
        if (type->loop->tree) return shunt_text_format(arena, "FHIR %s", type->loop->tree->type->name);
        if (type->loop->segment.length) return shunt_text_format(arena, "segment %.*s", SHUNT_TEXT_ARGS(type->loop->segment));
        return shunt_text_format(arena, "loop %.*s", SHUNT_TEXT_ARGS(type->loop->id));
    case SHUNT_TY_LIST: {
        if (!type->item) return SHUNT_TEXT("a list");
        shunt_text item = shunt_ty_name(arena, type->item);
        if (shunt_text_starts(item, SHUNT_TEXT("a row of "))) item = (shunt_text){ item.bytes + 9, item.length - 9 };
        return shunt_text_format(arena, "a list of %.*s", SHUNT_TEXT_ARGS(item));
    }
    default: return shunt_text_of(words[type->kind]);
    }
}

shunt_text shunt_ty_name(shunt_arena *arena, const shunt_ty *type)
{
    shunt_text name = plain_name(arena, type);
    return type->optional ? shunt_text_format(arena, "%.*s?", SHUNT_TEXT_ARGS(name)) : name;
}
