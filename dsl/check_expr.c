/* Expressions: the type of each, what may be absent, what does not fit, and where protected health information goes. */
#include "dsl/check.h"

#include "engine/base/date.h"
#include "engine/base/decimal.h"

enum { SHORT_TEXT = 40, SCALE_AT_MOST = 38 };

/* ---- what reads well in help ---- */

shunt_text short_text(check *k, const shunt_ast *node)
{
    shunt_text text = source_text(k, node->span);
    if (text.length <= SHORT_TEXT) return text;
    if (node->kind == SHUNT_AST_MEMBER) return check_format(k, "... .%.*s", SHUNT_TEXT_ARGS(kid(node, SHUNT_MEMBER_name)->text));
    return SHUNT_TEXT("...");
}

static const shunt_ty *type_of(const shunt_ast *node)
{
    const shunt_fact *fact = shunt_fact_of(node);
    return fact ? &fact->type : NULL;
}

static bool may_be_missing(const shunt_ast *node)
{
    const shunt_ty *type = type_of(node);
    return type && type->kind != SHUNT_TY_ERROR && (type->optional || type->clearable);
}

shunt_ast *absent_part(const shunt_ast *node)
{
    shunt_ast *at = (shunt_ast *)(uintptr_t)node;
    for (;;) {
        shunt_ast *next = NULL;
        switch (at->kind) {
        case SHUNT_AST_BINARY:
        case SHUNT_AST_MINUS:
        case SHUNT_AST_NOT:
        case SHUNT_AST_IN:
            for (uint32_t i = 0; i < at->kid_count && !next; i++)
                if (at->kids[i] && may_be_missing(at->kids[i])) next = at->kids[i];
            break;
        case SHUNT_AST_IF_EXPR:
            if (may_be_missing(kid(at, SHUNT_IF_EXPR_then)))
                next = kid(at, SHUNT_IF_EXPR_then);
            else if (may_be_missing(kid(at, SHUNT_IF_EXPR_otherwise)))
                next = kid(at, SHUNT_IF_EXPR_otherwise);
            break;
        case SHUNT_AST_NOTING: next = kid(at, SHUNT_NOTING_value); break;
        case SHUNT_AST_OTHERWISE: next = kid(at, SHUNT_OTHERWISE_answer); break;
        case SHUNT_AST_CLEARED: next = kid(at, SHUNT_CLEARED_value); break;
        default: break;
        }
        if (!next || !may_be_missing(next)) return at;
        at = next;
    }
}

/* Why an expression may be absent, as the label of its place. */
static void label_absence(check *k, shunt_diag *d, const shunt_ast *node)
{
    const shunt_fact *fact = shunt_fact_of(node);
    if (!fact) return;
    switch (fact->kind) {
    case SHUNT_FACT_PATH: explain_absence(k, d, node); return;
    case SHUNT_FACT_LOOKUP: shunt_diag_here(k->diags, d, "a look-up gives no row when the key is unknown"); return;
    case SHUNT_FACT_FIRST: shunt_diag_here(k->diags, d, "a list may be empty"); return;
    case SHUNT_FACT_FUNCTION:
        shunt_diag_here(k->diags, d, "`%.*s` may give nothing", SHUNT_TEXT_ARGS(fact->symbol->name));
        return;
    case SHUNT_FACT_BUILTIN: shunt_diag_here(k->diags, d, "this gives nothing where there is nothing to find"); return;
    case SHUNT_FACT_SYMBOL:
        if (fact->symbol->kind == SHUNT_SYMBOL_LOCAL || fact->symbol->kind == SHUNT_SYMBOL_GLOBAL) {
            const shunt_ast *value = kid(fact->symbol->decl, SHUNT_LET_value);
            shunt_diag_here(k->diags, d, "`%.*s` may be absent", SHUNT_TEXT_ARGS(fact->symbol->name));
            if (value) shunt_diag_also(k->diags, d, absent_part(value)->span, "because of this");
            return;
        }
        shunt_diag_here(k->diags, d, "`%.*s` may be absent", SHUNT_TEXT_ARGS(fact->symbol->name));
        return;
    case SHUNT_FACT_FIELD: {
        const shunt_ast *of = kid(node, SHUNT_MEMBER_of);
        if (may_be_missing(of)) {
            const shunt_ast *part = absent_part(of);
            if (part->kind == SHUNT_AST_INDEX)
                shunt_diag_here(k->diags, d, "a look-up gives no row when the key is unknown");
            else
                shunt_diag_here(k->diags, d, "the row it is read from may be absent");
            const shunt_fact *from = shunt_fact_of(part);
            if (from && from->kind == SHUNT_FACT_SYMBOL && from->symbol->decl && from->symbol->decl->kind == SHUNT_AST_LET) {
                const shunt_ast *value = absent_part(kid(from->symbol->decl, SHUNT_LET_value));
                shunt_diag_also(k->diags, d, value->span,
                                value->kind == SHUNT_AST_INDEX ? "a look-up gives no row when the key is unknown"
                                                               : "because of this");
            }
            return;
        }
        shunt_diag_here(k->diags, d, "`%.*s` may be blank", SHUNT_TEXT_ARGS(kid(node, SHUNT_MEMBER_name)->text));
        return;
    }
    default: return;
    }
}

/* A default that could be typed in, or empty. */
static shunt_text example_of(check *k, const shunt_ty *type)
{
    switch (type->kind) {
    case SHUNT_TY_TEXT:
    case SHUNT_TY_CODE: return SHUNT_TEXT("\"-\"");
    case SHUNT_TY_ACCOUNT: return SHUNT_TEXT("\"4000\"");
    case SHUNT_TY_INT: return SHUNT_TEXT("0");
    case SHUNT_TY_BOOL: return SHUNT_TEXT("false");
    case SHUNT_TY_DECIMAL: return SHUNT_TEXT("0.00");
    case SHUNT_TY_MONEY: return check_format(k, "0.00 %s", type->currency);
    case SHUNT_TY_ENUM: return type->shape->count ? type->shape->members[0].name : (shunt_text){ 0 };
    default: return (shunt_text){ 0 };
    }
}

/* ---- does it fit ---- */

/* "and `x` is required": who wants a value. */
static shunt_text who_wants(check *k, const need *n)
{
    switch (n->by) {
    case FOR_FIELD:
    case FOR_COLUMN:
    case FOR_CELL:
    case FOR_LET:
    case FOR_TALLY: return check_format(k, "`%.*s` is required", SHUNT_TEXT_ARGS(n->name));
    case FOR_PARAM: return check_format(k, "parameter `%.*s` is required", SHUNT_TEXT_ARGS(n->name));
    case FOR_KEY: return SHUNT_TEXT("every part of a key is needed");
    case FOR_LOOKUP: return check_format(k, "key `%.*s` is needed to look up a row", SHUNT_TEXT_ARGS(n->name));
    case FOR_COMPARISON: return SHUNT_TEXT("a comparison needs both sides");
    case FOR_CONDITION: return SHUNT_TEXT("a condition must come out true or false");
    case FOR_HOLE: return SHUNT_TEXT("a text needs every value in it");
    case FOR_SUM: return check_format(k, "`%.*s` needs every value", SHUNT_TEXT_ARGS(n->name));
    case FOR_AMOUNT: return SHUNT_TEXT("a journal line needs its amount");
    case FOR_ACCOUNT: return SHUNT_TEXT("a journal line needs its account");
    case FOR_RESULT: return check_format(k, "`%.*s` promises a result", SHUNT_TEXT_ARGS(n->name));
    case FOR_ARGUMENT: return check_format(k, "`%.*s` needs it", SHUNT_TEXT_ARGS(n->name));
    case FOR_CORRELATE: return SHUNT_TEXT("`correlate by` needs it");
    case FOR_ITEM: return SHUNT_TEXT("a list holds no absent items");
    }
    return (shunt_text){ 0 };
}

/* The declaration that makes it so, as a note: "`revenue: account` in target charge has no `?` and no default (line 21)". */
static void note_declaration(check *k, shunt_diag *d, const need *n)
{
    if (!n->member || !n->member->decl || !n->owner) return;
    shunt_text  written = source_text(k, n->member->decl->span);
    const char *what = n->owner->kind == SHUNT_SYMBOL_TABLE ? "table" : "target";
    if (n->owner->module != k->module->number) return;
    shunt_diag_note(k->diags, d, "`%.*s` in %s %.*s has no `?`%s (line %u)", SHUNT_TEXT_ARGS(written), what,
                    SHUNT_TEXT_ARGS(n->owner->name), n->owner->kind == SHUNT_SYMBOL_TABLE ? "" : " and no default",
                    line_of(k, n->member->decl->span));
}

/* A condition that is false where the value is not there. */
static void help_ask_first(check *k, shunt_diag *d, const shunt_ast *part, const shunt_ast *whole)
{
    const shunt_fact *fact = shunt_fact_of(part);
    const shunt_ast  *left = kid(whole, SHUNT_BINARY_left), *right = kid(whole, SHUNT_BINARY_right);
    shunt_text        shown = short_text(k, part), condition = source_text(k, whole->span);
    const shunt_ast  *base = fact && fact->kind == SHUNT_FACT_PATH ? fact->path->base : kid(part, SHUNT_MEMBER_of);
    bool              known =
        fact && (fact->kind == SHUNT_FACT_SYMBOL || (fact->kind == SHUNT_FACT_PATH && !base) ||
                 ((fact->kind == SHUNT_FACT_PATH || fact->kind == SHUNT_FACT_FIELD) && base && base->kind == SHUNT_AST_NAME));
    if (!known) return; /* the same value can not be named twice */
    const shunt_ast *other = part == left ? right : left;
    if (whole->kind == SHUNT_AST_BINARY && other && other->kind == SHUNT_AST_STRING && !other->text.length) {
        shunt_diag_help(k->diags, d, "what was not sent is absent, not empty: `%.*s is %s`", SHUNT_TEXT_ARGS(shown),
                        shunt_text_is(whole->text, "=") ? "absent" : "present");
        return;
    }
    if (condition.length > SHORT_TEXT + SHORT_TEXT) condition = SHUNT_TEXT("...");
    shunt_diag_help(k->diags, d, "ask first whether it is there: `%.*s is present and %.*s`", SHUNT_TEXT_ARGS(shown),
                    SHUNT_TEXT_ARGS(condition));
}

static void report_absent(check *k, shunt_ast *node, const shunt_ty *type, const need *n)
{
    shunt_ast      *part = absent_part(node);
    shunt_text      who = who_wants(k, n), shown = short_text(k, part);
    shunt_diag     *d = shunt_diag_add(k->diags, SHUNT_E0301, part->span, "this may be absent, and %.*s", SHUNT_TEXT_ARGS(who));
    const shunt_ty *part_type = type_of(part) ? type_of(part) : type;
    label_absence(k, d, part);
    note_declaration(k, d, n);
    if (n->whole) help_ask_first(k, d, part, n->whole);
    bool       in_operation = part != node && (part_type->kind != SHUNT_TY_ROW);
    shunt_text open = SHUNT_TEXT(""), close = SHUNT_TEXT("");
    if (in_operation || n->by == FOR_COMPARISON) {
        open = SHUNT_TEXT("(");
        close = SHUNT_TEXT(")");
    }
    shunt_text code = code_for_help(k, true, n), note = code_for_help(k, false, n),
               example = example_of(k, n->type.kind != SHUNT_TY_ERROR && part == node ? &n->type : part_type);
    if (type->clearable && part_type->clearable && !n->type.clearable) { /* both are to be answered, so both are said */
        if (code.length)
            shunt_diag_help(k->diags, d, "say what to do: `%.*s%.*s otherwise quarantine %.*s cleared quarantine %.*s%.*s`",
                            SHUNT_TEXT_ARGS(open), SHUNT_TEXT_ARGS(shown), SHUNT_TEXT_ARGS(code), SHUNT_TEXT_ARGS(code),
                            SHUNT_TEXT_ARGS(close));
        if (example.length)
            shunt_diag_help(k->diags, d, "%sgive a default: `%.*s%.*s otherwise %.*s cleared %.*s%.*s`",
                            d->hint_count ? "or " : "", SHUNT_TEXT_ARGS(open), SHUNT_TEXT_ARGS(shown), SHUNT_TEXT_ARGS(example),
                            SHUNT_TEXT_ARGS(example), SHUNT_TEXT_ARGS(close));
        return;
    }
    if (k->phase != PHASE_NONE && k->phase != PHASE_TARGET && code.length)
        shunt_diag_help(k->diags, d, "say what to do: `%.*s%.*s otherwise quarantine %.*s%.*s`", SHUNT_TEXT_ARGS(open),
                        SHUNT_TEXT_ARGS(shown), SHUNT_TEXT_ARGS(code), SHUNT_TEXT_ARGS(close));
    if (example.length && note.length)
        shunt_diag_help(k->diags, d, "or give a default and record it: `%.*s%.*s otherwise %.*s noting %.*s%.*s`",
                        SHUNT_TEXT_ARGS(open), SHUNT_TEXT_ARGS(shown), SHUNT_TEXT_ARGS(example), SHUNT_TEXT_ARGS(note),
                        SHUNT_TEXT_ARGS(close));
    else if (example.length)
        shunt_diag_help(k->diags, d, "%sgive a default: `%.*s%.*s otherwise %.*s%.*s`", d->hint_count ? "or " : "",
                        SHUNT_TEXT_ARGS(open), SHUNT_TEXT_ARGS(shown), SHUNT_TEXT_ARGS(example), SHUNT_TEXT_ARGS(close));
}

static bool may_be_cleared(const shunt_ast *node)
{
    const shunt_ty *type = node ? type_of(node) : NULL;
    return type && type->kind != SHUNT_TY_ERROR && type->clearable;
}

/* Where the value that can be cleared comes from: through operators, calls and `let`s. `answer` is what answers its absence there,
 * NULL where nothing does. */
static const shunt_ast *cleared_part(const shunt_ast *node, const shunt_ast **answer)
{
    *answer = NULL;
    for (unsigned hops = 0; node && hops < 64; hops++) {
        const shunt_fact *fact = shunt_fact_of(node);
        const shunt_ast  *next = NULL, *list = node;
        if (node->kind == SHUNT_AST_OTHERWISE) {
            next = kid(node, SHUNT_OTHERWISE_value);
            if (!*answer) *answer = kid(node, SHUNT_OTHERWISE_answer);
        } else if (fact && fact->kind == SHUNT_FACT_SYMBOL && fact->symbol->decl && fact->symbol->decl->kind == SHUNT_AST_LET) {
            next = kid(fact->symbol->decl, SHUNT_LET_value);
        } else if (!fact || fact->kind == SHUNT_FACT_NONE || fact->kind == SHUNT_FACT_BUILTIN) {
            if (node->kind == SHUNT_AST_CALL) list = kid(node, SHUNT_CALL_args);
            for (uint32_t i = 0; list && i < list->kid_count && !next; i++)
                if (may_be_cleared(list->kids[i])) next = list->kids[i];
        }
        if (!may_be_cleared(next)) return node;
        node = next;
    }
    return node;
}

static void report_cleared(check *k, shunt_ast *node, const need *n)
{
    const shunt_ast *answer, *part = cleared_part(node, &answer);
    shunt_text       shown = short_text(k, part), who = who_wants(k, n), code = code_for_help(k, true, n);
    bool             elsewhere = part->span.begin < node->span.begin || part->span.end > node->span.end;
    if (answer) who = SHUNT_TEXT("only absence is handled");
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0302, part->span, "`%.*s` can be cleared by the sender (\"\"), and %.*s",
                                   SHUNT_TEXT_ARGS(shown), SHUNT_TEXT_ARGS(who));
    shunt_diag_here(k->diags, d, "HL7 \"\" means: delete the value");
    if (elsewhere) shunt_diag_also(k->diags, d, node->span, "it is needed here");
    if (answer)
        shunt_diag_help(k->diags, d, "add `cleared %.*s` if the two are the same to you",
                        SHUNT_TEXT_ARGS(source_text(k, answer->span)));
    else if (code.length)
        shunt_diag_help(k->diags, d, "say what to do: `%.*s cleared quarantine %.*s`", SHUNT_TEXT_ARGS(shown),
                        SHUNT_TEXT_ARGS(code));
    else
        shunt_diag_help(k->diags, d, "say what it is then: `%.*s cleared VALUE`", SHUNT_TEXT_ARGS(shown));
    if (!answer) shunt_diag_help(k->diags, d, "or make all of them absent: `cleared: absent` in the source");
}

/* A text in quotes that was meant as a number, an amount or a date. */
static bool help_unquote(check *k, shunt_diag *d, const shunt_ast *node, const shunt_ty *want)
{
    shunt_decimal number = 0;
    int64_t       days = 0;
    unsigned      scale = 0;
    const char   *point = memchr(node->text.length ? node->text.bytes : "", '.', node->text.length);
    if (point) scale = (unsigned)(node->text.bytes + node->text.length - point - 1);
    if (want->kind == SHUNT_TY_DATE && shunt_date_parse_iso(node->text, &days) == SHUNT_OK) {
        shunt_diag_help(k->diags, d, "write it without quotes: `%.*s`", SHUNT_TEXT_ARGS(node->text));
        return true;
    }
    if (scale > 18 || shunt_decimal_parse(node->text.bytes, node->text.length, scale, false, &number) != SHUNT_OK) return false;
    if (want->kind == SHUNT_TY_MONEY)
        shunt_diag_help(k->diags, d, "write an amount: `%.*s%s %s`", SHUNT_TEXT_ARGS(node->text), point ? "" : ".00",
                        want->currency);
    else if (shunt_ty_is_number(want))
        shunt_diag_help(k->diags, d, "write it without quotes: `%.*s`", SHUNT_TEXT_ARGS(node->text));
    else
        return false;
    return true;
}

/* Where a value of this kind is wanted and a text or a number is at hand. */
static void help_convert(check *k, shunt_diag *d, const shunt_ast *node, const shunt_ty *type, const shunt_ty *want)
{
    shunt_text shown = short_text(k, node);
    uint32_t   member;
    if (node->kind == SHUNT_AST_STRING && want->kind != SHUNT_TY_TOKEN) {
        if (want->kind == SHUNT_TY_ENUM && find_member(want->shape, node->text, &member))
            shunt_diag_help(k->diags, d, "write the member without quotes: `%.*s`", SHUNT_TEXT_ARGS(node->text));
        else
            (void)help_unquote(k, d, node, want);
        return;
    }
    if (want->kind == SHUNT_TY_MONEY && (node->kind == SHUNT_AST_INT || node->kind == SHUNT_AST_DECIMAL))
        shunt_diag_help(k->diags, d, "write the currency: `%.*s%s %s`", SHUNT_TEXT_ARGS(node->text),
                        node->kind == SHUNT_AST_INT ? ".00" : "", want->currency);
    else if ((want->kind == SHUNT_TY_TEXT || want->kind == SHUNT_TY_CODE) && node->kind == SHUNT_AST_INT)
        shunt_diag_help(k->diags, d, "write it as a text: `\"%.*s\"`", SHUNT_TEXT_ARGS(node->text));
    else if (want->kind == SHUNT_TY_TEXT && shunt_ty_is_scalar(type))
        shunt_diag_help(k->diags, d, "make a text of it: `text(%.*s)`", SHUNT_TEXT_ARGS(shown));
    else if (want->kind == SHUNT_TY_TOKEN && shunt_ty_is_scalar(type))
        shunt_diag_help(k->diags, d, "make a token of it: `tokenize(%.*s)`", SHUNT_TEXT_ARGS(shown));
    else if (want->kind == SHUNT_TY_ACCOUNT && type->kind == SHUNT_TY_TEXT)
        shunt_diag_help(k->diags, d, "an account is written in quotes, or stands in a table: `column account: account`");
    else if (want->kind == SHUNT_TY_ACCOUNT && type->kind == SHUNT_TY_INT)
        shunt_diag_help(k->diags, d, "an account is a text: `\"%.*s\"`", SHUNT_TEXT_ARGS(shown));
    else if (want->kind == SHUNT_TY_DATE && type->kind == SHUNT_TY_MOMENT)
        shunt_diag_help(k->diags, d, "take its date: `date_of(%.*s)`", SHUNT_TEXT_ARGS(shown));
    else if (want->kind == SHUNT_TY_DATE && shunt_ty_is_textual(type))
        shunt_diag_help(k->diags, d, "read it as a date: `date(%.*s, format: \"YYYYMMDD\")`", SHUNT_TEXT_ARGS(shown));
    else if (want->kind == SHUNT_TY_INT && shunt_ty_is_textual(type))
        shunt_diag_help(k->diags, d, "read it as a number: `try_int(%.*s)`, which may be absent", SHUNT_TEXT_ARGS(shown));
    else if (want->kind == SHUNT_TY_DECIMAL && shunt_ty_is_textual(type))
        shunt_diag_help(k->diags, d, "read it as a number: `try_decimal(%.*s, 15, %u)`, which may be absent",
                        SHUNT_TEXT_ARGS(shown), want->scale);
    else if (want->kind == SHUNT_TY_MONEY && shunt_ty_is_textual(type))
        shunt_diag_help(k->diags, d, "read it as an amount: `try_money(%.*s)`, which may be absent", SHUNT_TEXT_ARGS(shown));
    else if (want->kind == SHUNT_TY_LIST && type->kind == SHUNT_TY_ROW)
        shunt_diag_help(k->diags, d, "make a list of it: `[%.*s]`", SHUNT_TEXT_ARGS(shown));
    else if (type->kind == SHUNT_TY_LIST && type->item && shunt_ty_compare(type->item, want) == SHUNT_FITS)
        shunt_diag_help(k->diags, d, "take the first: `%.*s.first`, which may be absent", SHUNT_TEXT_ARGS(shown));
}

static shunt_text target_words(check *k, const need *n)
{
    switch (n->by) {
    case FOR_FIELD:
    case FOR_COLUMN:
    case FOR_CELL:
    case FOR_LET:
    case FOR_TALLY: return check_format(k, "`%.*s`", SHUNT_TEXT_ARGS(n->name));
    case FOR_PARAM: return check_format(k, "parameter `%.*s`", SHUNT_TEXT_ARGS(n->name));
    case FOR_LOOKUP: return check_format(k, "key `%.*s`", SHUNT_TEXT_ARGS(n->name));
    case FOR_RESULT: return check_format(k, "the result of `%.*s`", SHUNT_TEXT_ARGS(n->name));
    case FOR_AMOUNT: return SHUNT_TEXT("the amount of a line");
    case FOR_ACCOUNT: return SHUNT_TEXT("the account of a line");
    case FOR_ARGUMENT:
    case FOR_SUM: return check_format(k, "`%.*s`", SHUNT_TEXT_ARGS(n->name));
    default: return SHUNT_TEXT("this place");
    }
}

static void report_kind(check *k, shunt_ast *node, const shunt_ty *type, const need *n)
{
    shunt_ty   wanted = shunt_ty_present(n->type);
    shunt_text have = shunt_ty_name(k->arena, type), want = shunt_ty_name(k->arena, &wanted), who = target_words(k, n);
    if (n->type.kind == SHUNT_TY_MOMENT &&
        (type->kind == SHUNT_TY_TIME || type->kind == SHUNT_TY_DATE || shunt_ty_is_textual(type))) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0803, node->span, "this has no zone, and %.*s is a datetime", SHUNT_TEXT_ARGS(who));
        shunt_diag_here(k->diags, d, "%.*s: which moment it is depends on where it was written", SHUNT_TEXT_ARGS(have));
        shunt_diag_help(k->diags, d, "keep it as what it is, or use `received_at`, which has a zone");
        return;
    }
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0303, node->span, "%.*s takes %.*s, and this is %.*s", SHUNT_TEXT_ARGS(who),
                                   SHUNT_TEXT_ARGS(want), SHUNT_TEXT_ARGS(have));
    shunt_diag_here(k->diags, d, "%.*s", SHUNT_TEXT_ARGS(have));
    if (n->member && n->member->decl && n->owner && n->owner->module == k->module->number)
        shunt_diag_also(k->diags, d, n->member->decl->span, "declared here");
    tree_values_help(k, d, node, type);
    help_convert(k, d, node, type, &n->type);
}

static void report_currency(check *k, shunt_ast *node, const shunt_ty *type, const need *n)
{
    shunt_text  have = shunt_ty_name(k->arena, type), want = shunt_ty_name(k->arena, &n->type), who = target_words(k, n);
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0801, node->span, "%.*s takes %.*s, and this is %.*s", SHUNT_TEXT_ARGS(who),
                                   SHUNT_TEXT_ARGS(want), SHUNT_TEXT_ARGS(have));
    shunt_diag_here(k->diags, d, "%.*s", SHUNT_TEXT_ARGS(have));
    if (node->kind == SHUNT_AST_MONEY)
        shunt_diag_help(k->diags, d, "write the amount in %s", n->type.currency);
    else
        shunt_diag_help(k->diags, d, "give each currency a field of its own");
}

static void report_scale(check *k, shunt_ast *node, const shunt_ty *type, const need *n)
{
    shunt_text  who = target_words(k, n), shown = short_text(k, node);
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0310, node->span, "this has %u decimals, and %.*s holds %u", type->scale,
                                   SHUNT_TEXT_ARGS(who), n->type.scale);
    if (node->kind == SHUNT_AST_BINARY && shunt_text_is(node->text, "*"))
        shunt_diag_here(k->diags, d, "a product has the decimals of both sides together");
    shunt_diag_help(k->diags, d, "say how to round: `round(%.*s, %u, \"half_up\")`", SHUNT_TEXT_ARGS(shown), n->type.scale);
}

/* The same value in the same place, said before: the place is added to that diagnostic. */
static bool is_told(check *k, shunt_status code, const void *place, const shunt_ast *node)
{
    enum { MOST = 200, PLACES = 4 };
    const shunt_fact *fact = shunt_fact_of(node);
    const void       *value = NULL;
    shunt_text        text = source_text(k, node->span);
    if (fact && fact->kind == SHUNT_FACT_SYMBOL) value = fact->symbol;
    if (fact && fact->kind == SHUNT_FACT_PATH) value = fact->path->loop;
    if (!value || !place) return false;
    for (uint32_t i = 0; i < k->told.count; i++) {
        const told *t = &k->told.items[i];
        if (t->code != code || t->place != place || t->value != value || !shunt_text_equal(t->text, text)) continue;
        if (t->diag >= k->diags->count) return true;
        shunt_diag *first = &k->diags->items[t->diag];
        if (first->label_count < PLACES) shunt_diag_also(k->diags, first, node->span, "and here");
        return true;
    }
    if (k->told.count < MOST) *PUSH(k, &k->told) = (told){ code, place, value, text, k->diags->count };
    return false;
}

static void report_length(check *k, shunt_ast *node, const shunt_ty *type, const need *n)
{
    if (is_told(k, SHUNT_E0311, n->member, node)) return;
    shunt_text  who = target_words(k, n), shown = short_text(k, node);
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0311, node->span, "this may have %u characters, and %.*s holds %u",
                                   type->length, SHUNT_TEXT_ARGS(who), n->type.length);
    if (n->member && n->member->decl && n->owner && n->owner->module == k->module->number)
        shunt_diag_also(k->diags, d, n->member->decl->span, "declared here");
    if (node->kind == SHUNT_AST_STRING) {
        shunt_diag_help(k->diags, d, "write a shorter text, or declare a longer field");
        return;
    }
    shunt_diag_help(k->diags, d, "declare it as long as that: `text(%u)`", type->length);
    if (node->kind != SHUNT_AST_TEMPLATE && !shunt_text_is(shown, "..."))
        shunt_diag_help(k->diags, d, "or take its beginning, where that will do: `part(%.*s, 1, %u)`", SHUNT_TEXT_ARGS(shown),
                        n->type.length);
}

/* The fault is in one of the answers, not in the whole: `a otherwise 0`, `if x then a else 1`. */
static bool check_inner(check *k, shunt_ast *node, const shunt_ty *type, const need *n)
{
    static const struct {
        uint16_t kind, first, second;
    } inner[] = {
        { SHUNT_AST_IF_EXPR, SHUNT_IF_EXPR_then, SHUNT_IF_EXPR_otherwise },
        { SHUNT_AST_OTHERWISE, SHUNT_OTHERWISE_answer, SHUNT_OTHERWISE_value },
    };
    (void)type;
    for (size_t i = 0; i < SHUNT_COUNT(inner); i++) {
        if (node->kind != inner[i].kind) continue;
        const uint32_t at[] = { inner[i].first, inner[i].second };
        for (int j = 0; j < 2; j++) {
            shunt_ast *part = kid(node, at[j]);
            if (!type_of(part) || part->kind == SHUNT_AST_EXIT) continue;
            shunt_ty  part_type = *type_of(part);
            shunt_fit fit;
            if (node->kind == SHUNT_AST_OTHERWISE && j == 1) part_type = shunt_ty_present(part_type);
            fit = shunt_ty_fit(&part_type, &n->type);
            if (fit == SHUNT_FITS || fit == SHUNT_FIT_ABSENT || fit == SHUNT_FIT_CLEARED) continue;
            return !check_fits(k, part, &part_type, n);
        }
    }
    return false;
}

bool check_fits(check *k, shunt_ast *node, const shunt_ty *type, const need *n)
{
    if (!node || shunt_ty_is_error(type)) return true;
    shunt_fit fit = SHUNT_FITS;
    if (n->type.kind != SHUNT_TY_ERROR)
        fit = shunt_ty_fit(type, &n->type);
    else if (type->optional && !n->type.optional)
        fit = SHUNT_FIT_ABSENT;
    else if (type->clearable && !n->type.clearable)
        fit = SHUNT_FIT_CLEARED;
    if (fit == SHUNT_FITS) return true;
    if (fit != SHUNT_FIT_ABSENT && fit != SHUNT_FIT_CLEARED && check_inner(k, node, type, n)) return false;
    switch (fit) {
    case SHUNT_FIT_ABSENT: report_absent(k, node, type, n); break;
    case SHUNT_FIT_CLEARED: report_cleared(k, node, n); break;
    case SHUNT_FIT_CURRENCY: report_currency(k, node, type, n); break;
    case SHUNT_FIT_SCALE: report_scale(k, node, type, n); break;
    case SHUNT_FIT_LENGTH: report_length(k, node, type, n); break;
    default: report_kind(k, node, type, n); break;
    }
    return false;
}

shunt_ty check_needed(check *k, shunt_ast *node, const need *n)
{
    shunt_ty type = check_expr(k, node, &n->type);
    if (n->type.kind == SHUNT_TY_CODE && n->type.codes && node && node->kind == SHUNT_AST_STRING)
        check_in_codes(k, node, &n->type, NULL);
    return check_fits(k, node, &type, n) ? type : ty_error();
}

shunt_ty check_leaving(check *k, shunt_ast *node, const need *n, const shunt_symbol *target)
{
    shunt_ty type = check_expr(k, node, &n->type);
    if (!shunt_ty_is_error(&type)) {
        shunt_fit fit = shunt_ty_fit(&type, &n->type);
        if (fit == SHUNT_FITS || fit == SHUNT_FIT_LENGTH) check_phi(k, node, &type, target);
    }
    return check_needed(k, node, n);
}

shunt_ty check_present(check *k, shunt_ast *node, wanted_by by, shunt_text name, const shunt_ty *want)
{
    need     n = { .by = by, .name = name };
    shunt_ty type = check_expr(k, node, want);
    if (shunt_ty_is_error(&type)) return ty_error();
    if (!shunt_ty_is_scalar(&type)) {
        shunt_text  what = shunt_ty_name(k->arena, &type);
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0303, node->span, "this is %.*s, and one value is wanted", SHUNT_TEXT_ARGS(what));
        if (type.kind == SHUNT_TY_LIST)
            shunt_diag_help(k->diags, d, "take one of its items: `%.*s.first`", SHUNT_TEXT_ARGS(short_text(k, node)));
        else if (type.kind == SHUNT_TY_ROW && type.shape->count)
            shunt_diag_help(k->diags, d, "name one of its columns: `%.*s.%.*s`", SHUNT_TEXT_ARGS(short_text(k, node)),
                            SHUNT_TEXT_ARGS(type.shape->members[0].name));
        return ty_error();
    }
    return check_fits(k, node, &type, &n) ? type : ty_error();
}

void check_condition(check *k, shunt_ast *node)
{
    if (!node) return;
    shunt_ty boolean = shunt_ty_plain(SHUNT_TY_BOOL);
    shunt_ty type = check_expr(k, node, &boolean);
    need     n = { .by = FOR_CONDITION, .type = boolean };
    if (shunt_ty_is_error(&type)) return;
    if (type.kind == SHUNT_TY_BOOL) {
        (void)check_fits(k, node, &type, &n);
        bool joined = node->kind == SHUNT_AST_NOT ||
                      (node->kind == SHUNT_AST_BINARY && (shunt_text_is(node->text, "and") || shunt_text_is(node->text, "or")));
        if (k->c->lints.phi_branches && type.phi && !joined && k->phase != PHASE_FUNCTION) {
            shunt_diag *d =
                shunt_diag_add(k->diags, SHUNT_W0402, node->span, "this branch depends on protected health information");
            shunt_diag_here(k->diags, d, "%.*s", SHUNT_TEXT_ARGS(shunt_phi_names(k->arena, type.phi)));
            shunt_diag_note(k->diags, d, "what is written in it may tell what the condition was");
        }
        return;
    }
    shunt_text  name = shunt_ty_name(k->arena, &type), shown = short_text(k, node);
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0304, node->span, "this is not true or false");
    shunt_diag_here(k->diags, d, "%.*s", SHUNT_TEXT_ARGS(name));
    if (type.optional)
        shunt_diag_help(k->diags, d, "to ask whether it is there: `%.*s is present`", SHUNT_TEXT_ARGS(shown));
    else if (type.kind == SHUNT_TY_MONEY)
        shunt_diag_help(k->diags, d, "compare it: `%.*s != 0.00 %s`", SHUNT_TEXT_ARGS(shown), type.currency);
    else if (shunt_ty_is_number(&type))
        shunt_diag_help(k->diags, d, "compare it: `%.*s != 0`", SHUNT_TEXT_ARGS(shown));
    else if (type.kind == SHUNT_TY_LIST)
        shunt_diag_help(k->diags, d, "count it: `count(%.*s) > 0`", SHUNT_TEXT_ARGS(shown));
    else
        shunt_diag_help(k->diags, d, "compare it with something: `%.*s = ...`", SHUNT_TEXT_ARGS(shown));
}

/* ---- protected health information ---- */

uint32_t phi_constant(check *k, uint32_t classes)
{
    if (k->phase != PHASE_FUNCTION || !classes) return classes;
    function_facts *f = k->function->function;
    for (uint32_t i = 0; i < f->atom_count; i++)
        if (f->atoms[i].way == ATOM_CONSTANT && f->atoms[i].classes == classes) return 1u << i;
    if (f->atom_count == ATOMS - 1) {
        f->atoms[0].classes |= classes; /* atom 0 is the union of all arguments, kept for what does not fit */
        return 1u;
    }
    f->atoms[f->atom_count] = (atom){ ATOM_CONSTANT, 0, classes };
    return 1u << f->atom_count++;
}

static uint32_t find_atom(function_facts *f, atom_way way, uint32_t param)
{
    for (uint32_t i = 0; i < f->atom_count; i++)
        if (f->atoms[i].way == way && f->atoms[i].param == param) return 1u << i;
    if (f->atom_count == ATOMS) return 1u;
    f->atoms[f->atom_count] = (atom){ way, param, 0 };
    return 1u << f->atom_count++;
}

static uint32_t classes_as(uint32_t phi, atom_way way)
{
    if (way == ATOM_NO_DATE) return phi & ~(uint32_t)SHUNT_PHI_DATE;
    if (way == ATOM_IDENTIFIER) return phi ? (uint32_t)SHUNT_PHI_IDENTIFIER : 0;
    return phi;
}

uint32_t phi_as(check *k, uint32_t phi, atom_way way)
{
    if (k->phase != PHASE_FUNCTION) return classes_as(phi, way);
    function_facts *f = k->function->function;
    uint32_t        result = 0, known = f->atom_count;
    for (uint32_t i = 0; i < known; i++) {
        if (!(phi & 1u << i)) continue;
        if (f->atoms[i].way == ATOM_CONSTANT)
            result |= phi_constant(k, classes_as(f->atoms[i].classes, way));
        else
            result |= find_atom(f, f->atoms[i].way == ATOM_IDENTIFIER ? ATOM_IDENTIFIER : way, f->atoms[i].param);
    }
    return result;
}

shunt_ast *phi_part(const shunt_ast *node, uint32_t classes)
{
    const shunt_ast *at = node;
    for (;;) {
        const shunt_ast  *next = NULL;
        const shunt_fact *fact = shunt_fact_of(at);
        if (fact && fact->kind != SHUNT_FACT_NONE && fact->kind != SHUNT_FACT_FIELD && fact->kind != SHUNT_FACT_BUILTIN &&
            fact->kind != SHUNT_FACT_FUNCTION)
            break;
        for (uint32_t i = 0; i < at->kid_count && !next; i++) {
            const shunt_ty *type = at->kids[i] ? type_of(at->kids[i]) : NULL;
            if (type && type->phi & classes && type->kind != SHUNT_TY_ROW)
                next = at->kids[i];
            else if (at->kids[i] && at->kids[i]->kind == SHUNT_AST_LIST && at->kids[i]->kid_count) {
                for (uint32_t j = 0; j < at->kids[i]->kid_count && !next; j++) {
                    const shunt_ast *item = at->kids[i]->kids[j];
                    if (item && item->kind == SHUNT_AST_ROW) item = kid(item, SHUNT_ROW_result);
                    type = item ? type_of(item) : NULL;
                    if (type && type->phi & classes) next = item;
                }
            }
        }
        if (!next) break;
        at = next;
    }
    return (shunt_ast *)(uintptr_t)at;
}

/* A ledger may hold numbers and days, a work list what its clerks need; names and the like are not offered to anything. */
static bool may_accept(const shunt_symbol *target, uint32_t classes)
{
    uint32_t fit = SHUNT_PHI_DATE | SHUNT_PHI_IDENTIFIER | SHUNT_PHI_ACCOUNT_NUMBER;
    if (!target->as.target->journal) fit |= SHUNT_PHI_MEMBER_ID | SHUNT_PHI_RECORD_NUMBER | SHUNT_PHI_CLINICAL | SHUNT_PHI_DEVICE;
    return !(classes & ~fit);
}

void check_phi(check *k, shunt_ast *node, const shunt_ty *type, const shunt_symbol *target)
{
    uint32_t refused = check_classes(k, type) & ~target->as.target->accepts;
    if (!refused || !node) return;
    shunt_ast *part = phi_part(node, refused);
    if (is_told(k, SHUNT_E0401, target, part)) return;
    uint32_t    own = type_of(part) ? type_of(part)->phi & refused : 0; /* 0: of the records in it */
    shunt_text  classes = shunt_phi_names(k->arena, own ? own : refused), origin = phi_origin(part), shown = short_text(k, part);
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0401, part->span,
                                   "protected health information reaches a target that does not accept it");
    if (origin.length)
        shunt_diag_here(k->diags, d, "%.*s, from %.*s", SHUNT_TEXT_ARGS(classes), SHUNT_TEXT_ARGS(origin));
    else
        shunt_diag_here(k->diags, d, "%.*s", SHUNT_TEXT_ARGS(classes));
    const shunt_fact *fact = shunt_fact_of(part);
    if (fact && fact->kind == SHUNT_FACT_SYMBOL && kid(fact->symbol->decl, SHUNT_LET_value) &&
        fact->symbol->decl->kind == SHUNT_AST_LET) {
        shunt_ast *from = phi_part(kid(fact->symbol->decl, SHUNT_LET_value), refused);
        shunt_text source = phi_origin(from);
        if (source.length) shunt_diag_also(k->diags, d, from->span, "from %.*s", SHUNT_TEXT_ARGS(source));
    }
    shunt_ast *accepts = NULL;
    shunt_ast *items = kid(target->decl, SHUNT_TARGET_items);
    for (uint32_t i = 0; items && i < items->kid_count; i++)
        if (items->kids[i]->kind == SHUNT_AST_ACCEPTS) accepts = items->kids[i];
    shunt_text accepted = shunt_phi_names(k->arena, target->as.target->accepts);
    if (!accepts)
        shunt_diag_note(k->diags, d, "target %.*s accepts phi none, it has no `accepts phi` (line %u)",
                        SHUNT_TEXT_ARGS(target->name), line_of(k, target->span));
    else if (target->module != k->module->number)
        shunt_diag_note(k->diags, d, "target %.*s accepts phi %.*s", SHUNT_TEXT_ARGS(target->name), SHUNT_TEXT_ARGS(accepted));
    else
        shunt_diag_note(k->diags, d, "target %.*s accepts phi %.*s (line %u)", SHUNT_TEXT_ARGS(target->name),
                        SHUNT_TEXT_ARGS(accepted), line_of(k, accepts->span));
    shunt_diag_help(k->diags, d, "remove it, or use `tokenize(%.*s)` or `mask(%.*s)`", SHUNT_TEXT_ARGS(shown),
                    SHUNT_TEXT_ARGS(shown));
    if (target->module == k->module->number && may_accept(target, refused))
        shunt_diag_help(k->diags, d, "or let %.*s hold it: `accepts phi %.*s`", SHUNT_TEXT_ARGS(target->name),
                        SHUNT_TEXT_ARGS(shunt_phi_names(k->arena, target->as.target->accepts | refused)));
    shunt_diag_help(k->diags, d, "`declassify(x, because: \"...\")` keeps it and is listed in the release report");
}

/* ---- literals ---- */

/* The number in a literal without its grouping; false: more than 38 digits. */
static bool number_of(shunt_text text, unsigned *scale, shunt_decimal *number)
{
    char     digits[64];
    size_t   length = 0;
    unsigned places = 0;
    bool     point = false;
    for (uint32_t i = 0; i < text.length; i++) {
        char c = text.bytes[i];
        if (c == '_' || c == ',') continue;
        if (c != '.' && (c < '0' || c > '9')) break;
        if (length == sizeof digits) return false;
        if (c == '.')
            point = true;
        else
            places += point;
        digits[length++] = c;
    }
    if (places > SCALE_AT_MOST) return false;
    *scale = places;
    return length && shunt_decimal_parse(digits, length, places, false, number) == SHUNT_OK;
}

static shunt_ty too_many_digits(check *k, shunt_ast *node)
{
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0310, node->span, "a number has at most 38 digits");
    shunt_diag_help(k->diags, d, "write a shorter number");
    return ty_error();
}

static shunt_ty check_money(check *k, shunt_ast *node, shunt_fact *fact)
{
    unsigned   scale = 0;
    uint8_t    places = 2;
    shunt_text currency = { node->text.bytes + (node->text.length < 3 ? 0 : node->text.length - 3),
                            node->text.length < 3 ? 0 : 3 };
    if (!shunt_currency_find(currency, &places)) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0109, node->span, "%.*s is no currency", SHUNT_TEXT_ARGS(currency));
        shunt_diag_help(k->diags, d, "write its ISO 4217 code: `100.00 USD`");
        return ty_error();
    }
    if (!number_of(node->text, &scale, &fact->number)) return too_many_digits(k, node);
    if (scale < places) {
        if (shunt_decimal_rescale(fact->number, scale, places, SHUNT_EXACT, &fact->number) != SHUNT_OK)
            return too_many_digits(k, node);
        scale = places;
    }
    char code[4] = { currency.bytes[0], currency.bytes[1], currency.bytes[2], 0 };
    return shunt_ty_money(code, scale);
}

/* `2.5%` is 0.0250: a percent has four decimals. */
static shunt_ty check_percent(check *k, shunt_ast *node, shunt_fact *fact)
{
    unsigned scale = 0;
    if (!number_of(node->text, &scale, &fact->number)) return too_many_digits(k, node);
    if (shunt_decimal_rescale(fact->number, scale + 2, 4, SHUNT_EXACT, &fact->number) != SHUNT_OK) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0310, node->span, "a percent has at most two decimals");
        shunt_diag_help(k->diags, d, "write a decimal instead: `0.0125` for 1.25 of a hundred");
        return ty_error();
    }
    shunt_ty type = shunt_ty_plain(SHUNT_TY_PERCENT);
    type.scale = 4;
    return type;
}

static shunt_ty check_int(check *k, shunt_ast *node, shunt_fact *fact)
{
    unsigned scale = 0;
    if (!number_of(node->text, &scale, &fact->number)) return too_many_digits(k, node);
    if (fact->number <= INT64_MAX) return shunt_ty_plain(SHUNT_TY_INT);
    return shunt_ty_decimal(0, 0);
}

static shunt_ty check_literal(check *k, shunt_ast *node, const shunt_ty *want)
{
    shunt_fact *fact = check_fact(k, node);
    unsigned    scale = 0;
    int64_t     days = 0;
    switch (node->kind) {
    case SHUNT_AST_INT: return check_int(k, node, fact);
    case SHUNT_AST_DECIMAL:
        return number_of(node->text, &scale, &fact->number) ? shunt_ty_decimal(0, scale) : too_many_digits(k, node);
    case SHUNT_AST_MONEY: return check_money(k, node, fact);
    case SHUNT_AST_PERCENT: return check_percent(k, node, fact);
    case SHUNT_AST_DATE:
        if (shunt_date_parse_iso(node->text, &days) != SHUNT_OK) {
            shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0109, node->span, "%.*s is no date", SHUNT_TEXT_ARGS(node->text));
            shunt_diag_help(k->diags, d, "write year, month and day: `2025-03-31`");
            return ty_error();
        }
        fact->number = days;
        return shunt_ty_plain(SHUNT_TY_DATE);
    case SHUNT_AST_DURATION: (void)number_of(node->text, &scale, &fact->number); return shunt_ty_plain(SHUNT_TY_DURATION);
    case SHUNT_AST_STRING: {
        shunt_ty type = shunt_ty_text(shunt_utf8_count(node->text), true);
        if (want && (want->kind == SHUNT_TY_ACCOUNT || want->kind == SHUNT_TY_UNIT)) type.kind = want->kind;
        return type;
    }
    default: fact->number = node->kind == SHUNT_AST_TRUE; return shunt_ty_plain(SHUNT_TY_BOOL);
    }
}

static bool ends_with(shunt_text text, const char *end)
{
    uint32_t length = (uint32_t)strlen(end);
    return text.length >= length && memcmp(text.bytes + text.length - length, end, length) == 0;
}

/* `30 days`. Months and years have no fixed length, other units are none. False: reported. */
static bool is_days(check *k, const shunt_ast *duration, const shunt_ast *date)
{
    shunt_text text = duration->text;
    if (ends_with(text, "day") || ends_with(text, "days")) return true;
    bool months = ends_with(text, "month") || ends_with(text, "months"),
         years = ends_with(text, "year") || ends_with(text, "years");
    if (!months && !years) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0109, duration->span, "`%.*s` is no number of days", SHUNT_TEXT_ARGS(text));
        shunt_diag_help(k->diags, d, "count days: `30 days`");
        return false;
    }
    shunt_decimal number = 0;
    unsigned      scale = 0;
    (void)number_of(text, &scale, &number);
    if (number > 9999) number = 9999;
    shunt_text  shown = date ? short_text(k, date) : SHUNT_TEXT("day");
    int         count = (int)number * (years ? 12 : 1);
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0802, duration->span,
                                   months ? "adding a month to a date is ambiguous" : "adding a year to a date is ambiguous");
    shunt_diag_here(k->diags, d, months ? "31 January + 1 month is which day?" : "29 February + 1 year is which day?");
    shunt_diag_help(k->diags, d,
                    months ? "`add_months(%.*s, %d, \"clamp\")` gives 28 or 29 February; `\"next\"` gives 1 March"
                           : "`add_months(%.*s, %d, \"clamp\")` gives 28 February; `\"next\"` gives 1 March",
                    SHUNT_TEXT_ARGS(shown), count);
    shunt_diag_help(k->diags, d, "or count days: `%.*s + %d days`", SHUNT_TEXT_ARGS(shown), (int)number * (years ? 365 : 30));
    return false;
}

/* ---- operators ---- */

/* What a name is, without looking further: for hints only. */
static shunt_ty guess(check *k, const shunt_ast *node)
{
    if (!node) return ty_error();
    if (type_of(node)) return *type_of(node);
    switch (node->kind) {
    case SHUNT_AST_NAME: {
        shunt_symbol *symbol = shunt_scope_find(&k->module->values, node->text);
        return symbol ? symbol->type : ty_error();
    }
    case SHUNT_AST_MONEY: {
        uint8_t scale;
        char    code[4] = { 0 };
        if (node->text.length > 3) memcpy(code, node->text.bytes + node->text.length - 3, 3);
        return shunt_currency_find(shunt_text_of(code), &scale) ? shunt_ty_money(code, scale) : ty_error();
    }
    case SHUNT_AST_DATE: return shunt_ty_plain(SHUNT_TY_DATE);
    case SHUNT_AST_BINARY: return guess(k, kid(node, SHUNT_BINARY_right));
    case SHUNT_AST_MINUS: return guess(k, kid(node, SHUNT_MINUS_value));
    default: return ty_error();
    }
}

static void cannot(check *k, shunt_ast *node, const shunt_ty *a, const shunt_ty *b, const char *done, shunt_status code)
{
    shunt_ast  *left = kid(node, SHUNT_BINARY_left), *right = kid(node, SHUNT_BINARY_right);
    shunt_text  x = shunt_ty_name(k->arena, a), y = shunt_ty_name(k->arena, b);
    shunt_diag *d =
        shunt_diag_add(k->diags, code, right->span, "%.*s and %.*s cannot be %s", SHUNT_TEXT_ARGS(x), SHUNT_TEXT_ARGS(y), done);
    shunt_diag_here(k->diags, d, "%.*s", SHUNT_TEXT_ARGS(y));
    shunt_diag_also(k->diags, d, left->span, "%.*s", SHUNT_TEXT_ARGS(x));
    if (code == SHUNT_E0801) {
        if (right->kind == SHUNT_AST_MONEY)
            shunt_diag_help(k->diags, d, "write the amount in %s", a->currency);
        else if (left->kind == SHUNT_AST_MONEY)
            shunt_diag_help(k->diags, d, "write the amount in %s", b->currency);
        else {
            shunt_diag_help(
                k->diags, d,
                "change one at a dated rate: `exchange(%.*s, \"%s\", on: DAY, rates: RATES) otherwise quarantine CODE`",
                SHUNT_TEXT_ARGS(short_text(k, right)), a->currency);
            shunt_diag_help(k->diags, d, "or keep the currencies apart: an amount, a tally and a journal line for each");
        }
        return;
    }
    if (a->kind == b->kind && (a->kind == SHUNT_TY_ENUM || a->kind == SHUNT_TY_BOOL || a->kind == SHUNT_TY_TOKEN) &&
        shunt_ty_compare(a, b) == SHUNT_FITS)
        shunt_diag_help(k->diags, d, "they have no order: compare them with `=` or `!=`");
    else if (a->kind == SHUNT_TY_NODE || a->kind == SHUNT_TY_ROW)
        shunt_diag_help(k->diags, d, "compare one of its values");
    else if (a->kind == SHUNT_TY_DATE && b->kind == SHUNT_TY_DATE)
        shunt_diag_help(k->diags, d, "the days from one to the other: `days_between(%.*s, %.*s)`",
                        SHUNT_TEXT_ARGS(short_text(k, right)), SHUNT_TEXT_ARGS(short_text(k, left)));
    else if (a->kind == SHUNT_TY_DATE && b->kind == SHUNT_TY_INT && right->kind == SHUNT_AST_INT)
        shunt_diag_help(k->diags, d, "say the unit: `%.*s %.*s %.*s days`", SHUNT_TEXT_ARGS(short_text(k, left)),
                        SHUNT_TEXT_ARGS(node->text), SHUNT_TEXT_ARGS(right->text));
    else if (shunt_ty_is_textual(a) && shunt_ty_is_textual(b) && shunt_text_is(node->text, "+"))
        shunt_diag_help(k->diags, d, "put texts together in quotes: `\"{%.*s}{%.*s}\"`", SHUNT_TEXT_ARGS(short_text(k, left)),
                        SHUNT_TEXT_ARGS(short_text(k, right)));
    else if (a->kind == SHUNT_TY_MONEY && b->kind == SHUNT_TY_MONEY)
        shunt_diag_help(k->diags, d, "one side must be a number: `* 2`, `* 1.5%%`");
    else if (left->kind == SHUNT_AST_STRING && !shunt_ty_is_textual(b))
        help_convert(k, d, left, a, b);
    else if (a->kind == SHUNT_TY_MONEY || a->kind == SHUNT_TY_ENUM || a->kind == SHUNT_TY_DATE)
        help_convert(k, d, right, b, a);
    else if (b->kind == SHUNT_TY_MONEY || b->kind == SHUNT_TY_ENUM || b->kind == SHUNT_TY_DATE)
        help_convert(k, d, left, a, b);
    else if (shunt_ty_is_textual(a) && right->kind == SHUNT_AST_INT)
        help_convert(k, d, right, b, a);
    else if (shunt_ty_is_number(a) && shunt_ty_is_textual(b))
        help_convert(k, d, right, b, a);
    else if (shunt_ty_is_number(b) && shunt_ty_is_textual(a))
        help_convert(k, d, left, a, b);
}

static unsigned larger(unsigned a, unsigned b) { return a > b ? a : b; }

static shunt_ty number_result(const shunt_ty *a, const shunt_ty *b, unsigned scale)
{
    if (a->kind == SHUNT_TY_INT && b->kind == SHUNT_TY_INT) return shunt_ty_plain(SHUNT_TY_INT);
    return shunt_ty_decimal(0, scale);
}

/* The result of `a op b` for present values; false: the two do not go together. */
static bool sum_type(const shunt_ty *a, const shunt_ty *b, shunt_ty *result)
{
    if (a->kind == SHUNT_TY_PERCENT && b->kind == SHUNT_TY_PERCENT)
        *result = shunt_ty_present(*a);
    else if (shunt_ty_is_number(a) && shunt_ty_is_number(b))
        *result = number_result(a, b, larger(a->scale, b->scale));
    else if (a->kind == SHUNT_TY_MONEY && b->kind == SHUNT_TY_MONEY)
        *result = shunt_ty_money(a->currency, larger(a->scale, b->scale));
    else
        return false;
    return true;
}

static bool product_type(const shunt_ty *a, const shunt_ty *b, shunt_ty *result)
{
    unsigned scale = (unsigned)a->scale + b->scale;
    if (shunt_ty_is_number(a) && shunt_ty_is_number(b))
        *result = number_result(a, b, scale);
    else if (a->kind == SHUNT_TY_MONEY && shunt_ty_is_number(b))
        *result = shunt_ty_money(a->currency, scale);
    else if (b->kind == SHUNT_TY_MONEY && shunt_ty_is_number(a))
        *result = shunt_ty_money(b->currency, scale);
    else
        return false;
    return true;
}

/* Of a quotient the scale is that of `round`, which stands around it. */
static bool quotient_type(const shunt_ty *a, const shunt_ty *b, shunt_ty *result)
{
    if (shunt_ty_is_number(a) && shunt_ty_is_number(b))
        *result = shunt_ty_decimal(0, larger(a->scale, b->scale));
    else if (a->kind == SHUNT_TY_MONEY && shunt_ty_is_number(b))
        *result = shunt_ty_present(*a);
    else if (a->kind == SHUNT_TY_MONEY && b->kind == SHUNT_TY_MONEY)
        *result = shunt_ty_decimal(0, a->scale);
    else
        return false;
    return true;
}

static shunt_ty check_date_arithmetic(check *k, shunt_ast *node, const shunt_ty *a, const shunt_ty *b)
{
    shunt_ast *left = kid(node, SHUNT_BINARY_left), *right = kid(node, SHUNT_BINARY_right);
    bool       plus = shunt_text_is(node->text, "+"), minus = shunt_text_is(node->text, "-");
    bool       date_first = a->kind == SHUNT_TY_DATE && b->kind == SHUNT_TY_DURATION && (plus || minus);
    bool       date_last = b->kind == SHUNT_TY_DATE && a->kind == SHUNT_TY_DURATION && plus;
    if (!date_first && !date_last) {
        cannot(k, node, a, b,
               plus                             ? "added"
               : minus                          ? "subtracted"
               : shunt_text_is(node->text, "*") ? "multiplied"
                                                : "divided",
               SHUNT_E0303);
        return ty_error();
    }
    const shunt_ast *duration = date_first ? right : left;
    if (duration->kind == SHUNT_AST_DURATION && !is_days(k, duration, date_first ? left : right)) return ty_error();
    return shunt_ty_plain(SHUNT_TY_DATE);
}

static shunt_ty check_arithmetic(check *k, shunt_ast *node, const shunt_ty *want)
{
    shunt_ast *left = kid(node, SHUNT_BINARY_left), *right = kid(node, SHUNT_BINARY_right);
    char       op = node->text.bytes[0];
    bool       divides = op == '/', fine;
    shunt_ty   hint = (op == '+' || op == '-') ? guess(k, right) : ty_error();
    shunt_ast *may_divide = k->may_divide;
    if (want && shunt_ty_is_textual(want)) want = NULL;
    if (hint.kind == SHUNT_TY_ERROR && want && (op == '+' || op == '-')) hint = *want;
    shunt_ty a = check_expr(k, left, &hint), result = ty_error();
    if (op == '+' || op == '-') hint = a.kind == SHUNT_TY_ERROR && want ? *want : a;
    shunt_ty b = check_expr(k, right, &hint);
    if (divides && may_divide != node) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0309, node->span, "a division must say how it is rounded");
        shunt_diag_here(k->diags, d, "the digits of a quotient may never end");
        shunt_diag_help(k->diags, d, "write `round(%.*s, 2, \"half_up\")`", SHUNT_TEXT_ARGS(short_text(k, node)));
        return ty_error();
    }
    if (shunt_ty_is_error(&a) || shunt_ty_is_error(&b)) return ty_error();
    if (a.kind == SHUNT_TY_DATE || b.kind == SHUNT_TY_DATE || a.kind == SHUNT_TY_DURATION || b.kind == SHUNT_TY_DURATION) {
        result = check_date_arithmetic(k, node, &a, &b);
        if (result.kind == SHUNT_TY_ERROR) return result;
    } else {
        static const char *const done[] = { "added", "subtracted", "multiplied", "divided" };
        const char              *word = done[op == '+' ? 0 : op == '-' ? 1 : op == '*' ? 2 : 3];
        if (a.kind == SHUNT_TY_MONEY && b.kind == SHUNT_TY_MONEY && op != '*' && memcmp(a.currency, b.currency, 4) != 0) {
            cannot(k, node, &a, &b, word, SHUNT_E0801);
            return ty_error();
        }
        fine = op == '*' ? product_type(&a, &b, &result) : op == '/' ? quotient_type(&a, &b, &result) : sum_type(&a, &b, &result);
        if (!fine) {
            cannot(k, node, &a, &b, word, SHUNT_E0303);
            return ty_error();
        }
    }
    if (result.scale > SCALE_AT_MOST) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0310, node->span, "this has %u decimals, and a number holds %u",
                                       result.scale, SCALE_AT_MOST);
        shunt_diag_help(k->diags, d, "round one side first: `round(%.*s, 2, \"half_up\")`", SHUNT_TEXT_ARGS(short_text(k, left)));
        return ty_error();
    }
    result.optional = a.optional || b.optional;
    result.clearable = a.clearable || b.clearable;
    result.phi = a.phi | b.phi;
    return result;
}

void check_in_codes(check *k, const shunt_ast *literal, const shunt_ty *type, const shunt_ast *of)
{
    if (!literal || literal->kind != SHUNT_AST_STRING || type->kind != SHUNT_TY_CODE || !type->codes || !type->codes->complete)
        return;
    if (shunt_codeset_has(type->codes, literal->text)) return;
    shunt_text  shown = of ? short_text(k, of) : SHUNT_TEXT("this element");
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0210, literal->span, "\"%.*s\" is not in the code list of `%.*s`",
                                   SHUNT_TEXT_ARGS(literal->text), SHUNT_TEXT_ARGS(shown));
    shunt_text  values = { 0 };
    uint32_t    given = 0;
    enum { VALUES_SHOWN = 12 };
    for (uint32_t i = 0; i < type->codes->count && given < VALUES_SHOWN; i++)
        values = check_format(k, "%.*s%s%s", SHUNT_TEXT_ARGS(values), given++ ? ", " : "", type->codes->values[i]);
    if (type->codes->count > VALUES_SHOWN)
        values = check_format(k, "%.*s and %u more", SHUNT_TEXT_ARGS(values), type->codes->count - VALUES_SHOWN);
    shunt_diag_here(k->diags, d, "it can never be equal");
    shunt_diag_help(k->diags, d, "the list holds %.*s", SHUNT_TEXT_ARGS(values));
}

static bool is_comparison(const shunt_ast *node) { return node->kind == SHUNT_AST_BINARY && strchr("=!<>", node->text.bytes[0]); }

/* Inside `list[where ...]` an item without the value is simply not the one that is looked for. */
static bool in_filter(const check *k) { return k->level && k->level->is_it; }

bool check_zoned(check *k, const shunt_ast *node, const shunt_ty *type, const char *what)
{
    if (type->kind != SHUNT_TY_MOMENT || !type->zoneless) return true;
    shunt_text  shown = short_text(k, node);
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_E0803, node->span, "`%.*s` may have no zone, and %s", SHUNT_TEXT_ARGS(shown), what);
    shunt_diag_here(k->diags, d, "which moment it is depends on where it was written");
    shunt_diag_help(k->diags, d, "name the zone in the source: `zone: \"America/Chicago\"`");
    shunt_diag_help(k->diags, d, "or take the date as written: `date_of(%.*s)`", SHUNT_TEXT_ARGS(shown));
    return false;
}

static shunt_ty check_comparison(check *k, shunt_ast *node)
{
    shunt_ast *left = kid(node, SHUNT_BINARY_left), *right = kid(node, SHUNT_BINARY_right);
    bool       equality = shunt_text_is(node->text, "=") || shunt_text_is(node->text, "!=");
    shunt_ty   hint = guess(k, right), a = check_expr(k, left, &hint), b = check_expr(k, right, &a),
             result = shunt_ty_plain(SHUNT_TY_BOOL);
    if (shunt_ty_is_error(&a) || shunt_ty_is_error(&b) || is_comparison(left) || is_comparison(right))
        return result; /* chained: E0103 of the parser */
    shunt_fit fit = shunt_ty_compare(&a, &b);
    if (fit == SHUNT_FITS && !equality && !shunt_ty_is_ordered(&a)) fit = SHUNT_FIT_KIND;
    if (fit != SHUNT_FITS) {
        cannot(k, node, &a, &b, "compared", fit == SHUNT_FIT_CURRENCY ? SHUNT_E0801 : SHUNT_E0303);
        return result;
    }
    static const char compared[] = "datetimes are compared by their instants";
    if (check_zoned(k, left, &a, compared)) (void)check_zoned(k, right, &b, compared);
    check_in_codes(k, right, &a, left);
    check_in_codes(k, left, &b, right);
    need n = { .by = FOR_COMPARISON, .whole = node };
    if (equality && !(in_filter(k) && shunt_text_is(node->text, "="))) {
        (void)check_fits(k, left, &a, &n);
        (void)check_fits(k, right, &b, &n);
    } else if (!equality) {
        result.optional = a.optional || b.optional;
        result.clearable = a.clearable || b.clearable;
    }
    check_turned(k, node, &a, &b);
    result.phi = a.phi | b.phi;
    return result;
}

/* `CLP02 = "22" or "1"`: the second value was meant to be compared as well. */
static bool is_further_value(check *k, shunt_ast *node)
{
    shunt_ast *left = kid(node, SHUNT_BINARY_left), *right = kid(node, SHUNT_BINARY_right);
    bool literal = right && (right->kind == SHUNT_AST_STRING || right->kind == SHUNT_AST_INT || right->kind == SHUNT_AST_MONEY ||
                             right->kind == SHUNT_AST_DECIMAL || right->kind == SHUNT_AST_DATE);
    shunt_text values = { 0 };
    shunt_ast *first = left;
    if (!literal || !shunt_text_is(node->text, "or")) return false;
    while (first && first->kind == SHUNT_AST_BINARY && shunt_text_is(first->text, "or")) {
        values = check_format(k, ", %.*s%.*s", SHUNT_TEXT_ARGS(source_text(k, kid(first, SHUNT_BINARY_right)->span)),
                              SHUNT_TEXT_ARGS(values));
        first = kid(first, SHUNT_BINARY_left);
    }
    if (!first || first->kind != SHUNT_AST_BINARY || !shunt_text_is(first->text, "=")) return false;
    check_condition(k, first);
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0304, right->span, "this is not true or false");
    shunt_diag_here(k->diags, d, "a value by itself is compared with nothing");
    shunt_diag_help(k->diags, d, "several values stand in one list: `%.*s in (%.*s%.*s, %.*s)`",
                    SHUNT_TEXT_ARGS(short_text(k, kid(first, SHUNT_BINARY_left))),
                    SHUNT_TEXT_ARGS(source_text(k, kid(first, SHUNT_BINARY_right)->span)), SHUNT_TEXT_ARGS(values),
                    SHUNT_TEXT_ARGS(source_text(k, right->span)));
    return true;
}

static bool names_status(const shunt_ast *node)
{
    return node && node->kind == SHUNT_AST_NAME && shunt_text_is(node->text, "CLP02");
}

/* What a condition asks of the status of the claim holds for what stands before it as well: it is checked first. */
static void check_status_ahead(check *k, shunt_ast *node)
{
    if (!node) return;
    const shunt_symbol *symbol = node->kind == SHUNT_AST_NAME ? find_value(k, node->text) : NULL;
    bool logic = node->kind == SHUNT_AST_BINARY && (shunt_text_is(node->text, "and") || shunt_text_is(node->text, "or"));
    if (node->kind == SHUNT_AST_NOT || logic)
        for (uint32_t i = 0; i < node->kid_count; i++) check_status_ahead(k, node->kids[i]);
    else if (node->kind == SHUNT_AST_BINARY || node->kind == SHUNT_AST_IN) {
        if (names_status(kid(node, SHUNT_BINARY_left)) || names_status(kid(node, SHUNT_BINARY_right)))
            (void)check_expr(k, node, NULL);
    } else if (symbol && symbol->kind == SHUNT_SYMBOL_LOCAL && decl_of(symbol)->unreversed) {
        (void)check_expr(k, node, NULL);
    }
}

static shunt_ty check_logic(check *k, shunt_ast *node)
{
    shunt_ty result = shunt_ty_plain(SHUNT_TY_BOOL);
    uint32_t known = k->learnt.count;
    bool     kept = k->kept, joined = k->joined;
    if (node->kind == SHUNT_AST_BINARY && is_further_value(k, node)) return result;
    k->kept = kept != (node->kind == SHUNT_AST_NOT);
    k->joined = node->kind == SHUNT_AST_BINARY;
    if (node->kind == SHUNT_AST_BINARY) {
        check_status_ahead(k, kid(node, SHUNT_BINARY_right));
        check_learn_status(k, kid(node, SHUNT_BINARY_right), shunt_text_is(node->text, "and"));
    }
    for (uint32_t i = 0; i < node->kid_count; i++) {
        check_condition(k, node->kids[i]);
        if (type_of(node->kids[i])) result.phi |= type_of(node->kids[i])->phi;
        if (node->kind == SHUNT_AST_BINARY) check_learn(k, node->kids[i], shunt_text_is(node->text, "and"));
    }
    k->kept = kept;
    k->joined = joined;
    k->learnt.count = known;
    return result;
}

static shunt_ty check_binary(check *k, shunt_ast *node, const shunt_ty *want)
{
    switch (node->text.bytes[0]) {
    case '+':
    case '-':
    case '*':
    case '/': return check_arithmetic(k, node, want);
    case 'a':
    case 'o': return check_logic(k, node);
    default: return check_comparison(k, node);
    }
}

static shunt_ty check_minus(check *k, shunt_ast *node, const shunt_ty *want)
{
    shunt_ast *value = kid(node, SHUNT_MINUS_value);
    shunt_ty   type = check_expr(k, value, want);
    if (shunt_ty_is_error(&type) || shunt_ty_is_number(&type) || type.kind == SHUNT_TY_MONEY) {
        type.literal = false;
        return type;
    }
    shunt_text  name = shunt_ty_name(k->arena, &type);
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0303, value->span, "only a number or an amount has a sign, and this is %.*s",
                                   SHUNT_TEXT_ARGS(name));
    shunt_diag_here(k->diags, d, "%.*s", SHUNT_TEXT_ARGS(name));
    return ty_error();
}

static shunt_ty check_in(check *k, shunt_ast *node)
{
    shunt_ast *value = kid(node, SHUNT_IN_value), *list = kid(node, SHUNT_IN_list);
    shunt_ty   type = check_expr(k, value, NULL), result = shunt_ty_plain(SHUNT_TY_BOOL);
    need       n = { .by = FOR_COMPARISON, .whole = node };
    if (!shunt_ty_is_error(&type) && !(in_filter(k) && shunt_text_is(node->text, "in"))) (void)check_fits(k, value, &type, &n);
    (void)check_zoned(k, value, &type, "datetimes are compared by their instants");
    for (uint32_t i = 0; list && i < list->kid_count; i++) {
        shunt_ast *item = list->kids[i];
        bool       range = item->kind == SHUNT_AST_RANGE;
        for (uint32_t j = 0; j < (range ? 2u : 1u); j++) {
            shunt_ast *one = range ? item->kids[j] : item;
            shunt_ty   other = check_expr(k, one, &type);
            if (shunt_ty_is_error(&type) || shunt_ty_is_error(&other)) continue;
            shunt_fit fit = shunt_ty_compare(&type, &other);
            if (fit == SHUNT_FITS && range && !shunt_ty_is_ordered(&type)) fit = SHUNT_FIT_KIND;
            if (fit != SHUNT_FITS) {
                shunt_text  x = shunt_ty_name(k->arena, &type), y = shunt_ty_name(k->arena, &other);
                shunt_diag *d = shunt_diag_add(k->diags, fit == SHUNT_FIT_CURRENCY ? SHUNT_E0801 : SHUNT_E0303, one->span,
                                               "%.*s and %.*s cannot be compared", SHUNT_TEXT_ARGS(x), SHUNT_TEXT_ARGS(y));
                shunt_diag_here(k->diags, d, "%.*s", SHUNT_TEXT_ARGS(y));
                shunt_diag_also(k->diags, d, value->span, "%.*s", SHUNT_TEXT_ARGS(x));
                help_convert(k, d, one, &other, &type);
                continue;
            }
            (void)check_fits(k, one, &other, &n);
            if (!range) check_in_codes(k, one, &type, value);
            result.phi |= other.phi;
        }
        if (range) (void)check_typed(k, item, result);
    }
    result.phi |= type.phi;
    return result;
}

/* ---- answers ---- */

static bool has_answer(const shunt_ast *node)
{
    while (node && node->kind == SHUNT_AST_NOTING) node = kid(node, SHUNT_NOTING_value);
    return node && (node->kind == SHUNT_AST_OTHERWISE || node->kind == SHUNT_AST_CLEARED);
}

static void answers_differ(check *k, const shunt_ast *a, const shunt_ty *x, const shunt_ast *b, const shunt_ty *y, shunt_fit fit)
{
    shunt_text  one = shunt_ty_name(k->arena, x), other = shunt_ty_name(k->arena, y);
    shunt_diag *d = shunt_diag_add(k->diags, fit == SHUNT_FIT_CURRENCY ? SHUNT_E0801 : SHUNT_E0303, b->span,
                                   "one answer is %.*s, the other %.*s", SHUNT_TEXT_ARGS(one), SHUNT_TEXT_ARGS(other));
    shunt_diag_here(k->diags, d, "%.*s", SHUNT_TEXT_ARGS(other));
    shunt_diag_also(k->diags, d, a->span, "%.*s", SHUNT_TEXT_ARGS(one));
    const shunt_ast *inner = b->kind == SHUNT_AST_BINARY ? kid(b, SHUNT_BINARY_left) : NULL;
    shunt_ty         kept = shunt_ty_present(*x);
    if (y->kind == SHUNT_TY_BOOL && inner && type_of(inner) && shunt_ty_compare(&kept, type_of(inner)) == SHUNT_FITS)
        shunt_diag_help(k->diags, d,
                        "`otherwise` reaches to the end of this; put it in parentheses: `(%.*s otherwise %.*s) %.*s ...`",
                        SHUNT_TEXT_ARGS(short_text(k, a)), SHUNT_TEXT_ARGS(short_text(k, inner)), SHUNT_TEXT_ARGS(b->text));
    else
        help_convert(k, d, b, y, x);
}

static bool join_answers(check *k, const shunt_ast *a, const shunt_ty *x, const shunt_ast *b, const shunt_ty *y, shunt_ty *joined)
{
    shunt_fit fit = shunt_ty_join(k->arena, x, y, joined);
    if (fit == SHUNT_FITS) return true;
    answers_differ(k, a, x, b, y, fit);
    *joined = ty_error();
    return false;
}

static void lint_required(check *k, const shunt_ast *node, const shunt_ast *value)
{
    const shunt_fact *fact = shunt_fact_of(value);
    if (!k->c->lints.guide_requires || !fact || fact->kind != SHUNT_FACT_PATH || !fact->path->required) return;
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_W0301, node->span, "the guide requires `%.*s`", SHUNT_TEXT_ARGS(fact->path->shown));
    shunt_diag_here(k->diags, d, "this answers only when the file breaks the guide");
}

static shunt_ty check_otherwise(check *k, shunt_ast *node, const shunt_ty *want)
{
    bool       cleared = node->kind == SHUNT_AST_CLEARED;
    shunt_ast *value = kid(node, 0), *answer = kid(node, 1);
    shunt_ty   type = check_expr(k, value, want), hint = shunt_ty_present(type), joined;
    if (hint.kind == SHUNT_TY_ERROR && want) hint = *want;
    shunt_ty other = check_expr(k, answer, &hint);
    if (!cleared) lint_required(k, answer, value);
    if (shunt_ty_is_error(&type)) return ty_error();
    shunt_ty kept = type;
    if (cleared)
        kept.clearable = false;
    else
        kept.optional = false;
    (void)join_answers(k, value, &kept, answer, &other, &joined);
    return joined;
}

/* A function and a constant give a value wherever they are read; a tally that the engine adds takes one whatever becomes of the unit. */
bool may_raise(check *k, const shunt_ast *node, const char *before, shunt_text word)
{
    bool function = k->phase == PHASE_FUNCTION, constant = k->phase == PHASE_NONE;
    bool leaves = node->kind == SHUNT_AST_EXIT || node->kind == SHUNT_AST_CALL;
    if (k->deciding && node->kind == SHUNT_AST_EXIT) return true;
    if (!function && !constant && (k->phase != PHASE_TALLY || !leaves)) return true;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0307, node->span, "`%.*s` cannot stand in %s", SHUNT_TEXT_ARGS(word),
                                   function   ? "a function"
                                   : constant ? "a `let` of the module"
                                              : "a tally that the engine adds");
    if (function)
        shunt_diag_help(k->diags, d, "let `%.*s` give an absent value, and say `%s%.*s CODE` where it is called",
                        SHUNT_TEXT_ARGS(k->function->symbol.name), before, SHUNT_TEXT_ARGS(word));
    else if (constant)
        shunt_diag_help(k->diags, d, "move the `let` into the map");
    else
        shunt_diag_help(k->diags, d, "leave in the `for each` of the map; what is absent here makes the tally unknown");
    return false;
}

static shunt_ty check_noting(check *k, shunt_ast *node, const shunt_ty *want)
{
    shunt_ast    *value = kid(node, SHUNT_NOTING_value), *code = kid(node, SHUNT_NOTING_code);
    shunt_ty      type = check_expr(k, value, want);
    shunt_symbol *symbol = code ? find_code(k, code->text) : NULL;
    if (code && !symbol) {
        unknown_name(k, code, "code", NULL);
    } else if (symbol) {
        check_fact(k, code)->symbol = symbol;
        check_fact(k, code)->kind = SHUNT_FACT_SYMBOL;
        check_fact(k, node)->symbol = symbol;
    }
    if (may_raise(k, node, "", SHUNT_TEXT("noting")) && !has_answer(value) && !shunt_ty_is_error(&type)) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0306, node->span, "there is no answer here to take note of");
        shunt_diag_help(k->diags, d, "`noting` follows an `otherwise`: `x otherwise \"-\" noting %.*s`",
                        SHUNT_TEXT_ARGS(code ? code->text : SHUNT_TEXT("CODE")));
    }
    return type;
}

static shunt_ty check_if_expr(check *k, shunt_ast *node, const shunt_ty *want)
{
    shunt_ast *then = kid(node, SHUNT_IF_EXPR_then), *other = kid(node, SHUNT_IF_EXPR_otherwise);
    shunt_ty   joined;
    uint32_t   known = k->learnt.count;
    check_condition(k, kid(node, SHUNT_IF_EXPR_test));
    check_learn(k, kid(node, SHUNT_IF_EXPR_test), true);
    shunt_ty a = check_expr(k, then, want);
    k->learnt.count = known;
    check_learn(k, kid(node, SHUNT_IF_EXPR_test), false);
    shunt_ty b = check_expr(k, other, shunt_ty_is_error(&a) ? want : &a);
    k->learnt.count = known;
    (void)join_answers(k, then, &a, other, &b, &joined);
    return joined;
}

static shunt_ty check_choose(check *k, shunt_ast *node, const shunt_ty *want)
{
    shunt_ast *subject = kid(node, SHUNT_CHOOSE_subject), *rows = kid(node, SHUNT_CHOOSE_rows), *first = NULL;
    shunt_ty   type = check_expr(k, subject, NULL), joined = shunt_ty_plain(SHUNT_TY_NEVER);
    uint32_t   known = k->learnt.count;
    bool       met = false;
    check_patterns(k, subject, &type, rows, SHUNT_ROW_patterns);
    for (uint32_t i = 0; rows && i < rows->kid_count; i++) {
        shunt_ast *result = kid(rows->kids[i], SHUNT_ROW_result);
        if (!result || rows->kids[i]->kind != SHUNT_AST_ROW) continue;
        check_learn_arm(k, subject, kid(rows->kids[i], SHUNT_ROW_patterns), &met);
        shunt_ty row = check_expr(k, result, shunt_ty_is_error(&joined) ? want : &joined);
        k->learnt.count = known;
        if (!first && !shunt_ty_is_error(&row)) first = result;
        if (!join_answers(k, first ? first : result, &joined, result, &row, &joined)) break;
    }
    return joined;
}

static shunt_ty check_template(check *k, shunt_ast *node)
{
    shunt_ty type = shunt_ty_text(0, false);
    uint64_t length = 0;
    bool     known = true;
    for (uint32_t i = 0; i < node->kid_count; i++) {
        shunt_ast *part = node->kids[i];
        if (!part) continue;
        if (part->kind == SHUNT_AST_STRING && i % 2 == 0) {
            (void)check_expr(k, part, NULL);
            length += shunt_utf8_count(part->text);
            continue;
        }
        shunt_ty hole = check_present(k, part, FOR_HOLE, (shunt_text){ 0 }, NULL);
        if (shunt_ty_is_textual(&hole) && shunt_ty_has_length(&hole))
            length += hole.length;
        else if (hole.kind == SHUNT_TY_DATE)
            length += SHUNT_DATE_TEXT;
        else
            known = false;
        type.phi |= hole.phi;
    }
    type.length = known && length < UINT32_MAX ? (uint32_t)length : 0;
    return type;
}

/* ---- names, members, look-ups ---- */

static shunt_ty check_symbol(check *k, shunt_ast *node, shunt_symbol *symbol)
{
    shunt_fact *fact = check_fact(k, node);
    fact->kind = SHUNT_FACT_SYMBOL;
    fact->symbol = symbol;
    decl *d = decl_of(symbol);
    k->levels |= d->levels;
    k->rounded = k->rounded || d->rounded;
    switch (symbol->kind) {
    case SHUNT_SYMBOL_SOURCE: return reads_records(k, node, symbol->name) ? ty_error() : symbol->type;
    case SHUNT_SYMBOL_TABLE: {
        if (d->unread) return ty_error();
        shunt_diag *e = shunt_diag_add(k->diags, SHUNT_E0303, node->span, "`%.*s` is a table, and a value is wanted",
                                       SHUNT_TEXT_ARGS(symbol->name));
        shunt_text  key = symbol->as.table->key_count ? symbol->as.table->shape->members[0].name : SHUNT_TEXT("key");
        shunt_diag_help(k->diags, e, "look up a row: `%.*s[%.*s]`", SHUNT_TEXT_ARGS(symbol->name), SHUNT_TEXT_ARGS(key));
        return ty_error();
    }
    case SHUNT_SYMBOL_FUNCTION: {
        shunt_diag *e = shunt_diag_add(k->diags, SHUNT_E0303, node->span, "`%.*s` is a function, and a value is wanted",
                                       SHUNT_TEXT_ARGS(symbol->name));
        shunt_diag_help(k->diags, e, "call it: `%.*s(...)`", SHUNT_TEXT_ARGS(symbol->name));
        return ty_error();
    }
    case SHUNT_SYMBOL_TALLY: {
        bool ends = (k->phase == PHASE_END || k->phase == PHASE_WIDE_END) && k->end_scope == symbol->as.tally.scope;
        static const char *const places[] = { "at end", "at end", "at end of batch", "at end of file" };
        if (ends || symbol->type.kind == SHUNT_TY_ERROR) return symbol->type;
        shunt_diag *e = shunt_diag_add(k->diags, SHUNT_E0604, node->span, "`%.*s` is not complete when this runs",
                                       SHUNT_TEXT_ARGS(symbol->name));
        shunt_diag_here(k->diags, e, "a tally is read when its scope has ended");
        shunt_diag_also(k->diags, e, symbol->span, "declared here");
        shunt_diag_help(k->diags, e, "read it in `%s { ... }`", places[symbol->as.tally.scope]);
        return ty_error();
    }
    case SHUNT_SYMBOL_GLOBAL: {
        if (symbol->type.kind == SHUNT_TY_ERROR) return ty_error();
        if (k->phase == PHASE_START || k->phase == PHASE_WIDE_END) {
            bool        start = k->phase == PHASE_START;
            shunt_diag *e = shunt_diag_add(k->diags, SHUNT_E0601, node->span,
                                           start ? "`%.*s` is not known yet when this runs" : "`%.*s` is gone when this runs",
                                           SHUNT_TEXT_ARGS(symbol->name));
            shunt_diag_here(k->diags, e,
                            start ? "`at start` runs before the `let`s of the map"
                                  : "a `let` of the map belongs to one transaction");
            shunt_diag_also(k->diags, e, symbol->span, "declared here");
            shunt_diag_help(k->diags, e,
                            start ? "move this into the loop or to `at end { ... }`"
                                  : "keep what you need in a tally of this scope");
            return ty_error();
        }
        if (symbol->as.global.late && (k->phase == PHASE_UNIT || k->phase == PHASE_TALLY)) {
            shunt_text  what = decl_of(symbol)->late;
            shunt_diag *e =
                shunt_diag_add(k->diags, SHUNT_E0601, node->span, "`%.*s` has not arrived when this runs", SHUNT_TEXT_ARGS(what));
            shunt_diag_here(k->diags, e, "`%.*s` reads it", SHUNT_TEXT_ARGS(symbol->name));
            shunt_diag_also(k->diags, e, symbol->span, "declared here");
            shunt_diag_help(k->diags, e, "move this to `at end { ... }`, and keep what you need from the loop in a `tally`");
            return ty_error();
        }
        if (symbol->as.global.late && !k->late.length) k->late = d->late;
        return symbol->type;
    }
    default: return symbol->type;
    }
}

static bool is_item(const check *k, const shunt_ast *name)
{
    return k->level && k->level->is_it && shunt_text_is(name->text, "it");
}

static shunt_ty check_name(check *k, shunt_ast *node, const shunt_ty *want)
{
    shunt_symbol *symbol = find_value(k, node->text);
    if (symbol) {
        shunt_ty type = check_symbol(k, node, symbol);
        (void)tree_item(k, node, &type);
        return type;
    }
    if (is_item(k, node)) {
        shunt_fact *fact = check_fact(k, node);
        fact->kind = SHUNT_FACT_ITEM;
        fact->symbol = k->level->variable;
        k->levels |= decl_of(k->level->variable)->levels;
        shunt_ty type = k->level->variable->type;
        (void)tree_item(k, node, &type);
        return type;
    }
    if (shunt_text_is(node->text, "received_at")) {
        shunt_fact *fact = check_fact(k, node);
        fact->kind = SHUNT_FACT_BUILTIN;
        fact->builtin = SHUNT_LANG_RECEIVED_AT;
        return shunt_ty_plain(SHUNT_TY_MOMENT);
    }
    if (k->unread || tree_hint(k, node)) return ty_error();
    unknown_name(k, node, "name", want);
    return ty_error();
}

static void unknown_field(check *k, const shunt_ast *name, const shunt_shape *shape, const shunt_ty *want)
{
    static const char *const kinds[] = {
        [SHUNT_SHAPE_TABLE] = "table", [SHUNT_SHAPE_TARGET] = "target", [SHUNT_SHAPE_LINE] = "a line of"
    };
    const char *kind = shape->kind <= SHUNT_SHAPE_LINE && kinds[shape->kind] ? kinds[shape->kind] : "a row of";
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0209, name->span, "%s %.*s has no `%.*s`", kind, SHUNT_TEXT_ARGS(shape->name),
                                   SHUNT_TEXT_ARGS(name->text));
    shunt_text  near = nearest_field(k, shape, name->text, want);
    if (near.length)
        shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
    else {
        shunt_text names = { 0 };
        for (uint32_t i = 0; i < shape->count && i < 10; i++)
            names =
                check_format(k, "%.*s%s`%.*s`", SHUNT_TEXT_ARGS(names), i ? ", " : "", SHUNT_TEXT_ARGS(shape->members[i].name));
        if (names.length)
            shunt_diag_help(k->diags, d, "it has %.*s%s", SHUNT_TEXT_ARGS(names), shape->count > 10 ? " and more" : "");
    }
}

static shunt_ty field_of(check *k, shunt_ast *node, const shunt_ty *row, const shunt_ty *want)
{
    shunt_ast *name = kid(node, SHUNT_MEMBER_name);
    uint32_t   at;
    if (!find_member(row->shape, name->text, &at)) {
        unknown_field(k, name, row->shape, want);
        return ty_error();
    }
    shunt_fact *fact = check_fact(k, node);
    fact->kind = SHUNT_FACT_FIELD;
    fact->member = at;
    shunt_ty type = row->shape->members[at].type;
    type.optional = type.optional || row->optional;
    /* What found a row of a table is not what it holds, its keys excepted: they are equal to that. */
    const shunt_symbol *table = row->shape->kind == SHUNT_SHAPE_TABLE ? row->shape->symbol : NULL;
    type.phi = phi_constant(k, type.phi | row->shape->members[at].given);
    if (!table || at < table->as.table->key_count) type.phi |= row->phi;
    type.literal = false;
    return type;
}

static shunt_ty no_members(check *k, const shunt_ast *node, const shunt_ty *type)
{
    shunt_ast  *name = kid(node, SHUNT_MEMBER_name);
    shunt_ty    present = shunt_ty_present(*type);
    shunt_text  what = shunt_ty_name(k->arena, &present);
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0209, name->span, "%.*s has no `%.*s`", SHUNT_TEXT_ARGS(what),
                                   SHUNT_TEXT_ARGS(name->text));
    if (type->kind == SHUNT_TY_LIST) {
        shunt_diag_help(k->diags, d, "take one of its items: `%.*s.first.%.*s`",
                        SHUNT_TEXT_ARGS(short_text(k, kid(node, SHUNT_MEMBER_of))), SHUNT_TEXT_ARGS(name->text));
        shunt_diag_help(k->diags, d, "or loop over it: `for each x in %.*s { ... x.%.*s ... }`",
                        SHUNT_TEXT_ARGS(short_text(k, kid(node, SHUNT_MEMBER_of))), SHUNT_TEXT_ARGS(name->text));
    }
    return ty_error();
}

/* "a.b" where `a` is an alias of a module, not a value: the symbol. The node becomes the name that it is. */
static shunt_symbol *qualified(check *k, shunt_ast *node)
{
    const shunt_ast *of = kid(node, SHUNT_MEMBER_of), *name = kid(node, SHUNT_MEMBER_name);
    if (!of || !name || of->kind != SHUNT_AST_NAME || shunt_scope_find(&k->module->values, of->text)) return NULL;
    shunt_text    whole = check_format(k, "%.*s.%.*s", SHUNT_TEXT_ARGS(of->text), SHUNT_TEXT_ARGS(name->text));
    shunt_symbol *symbol = find_value(k, whole);
    if (!symbol) return NULL;
    node->kind = SHUNT_AST_NAME;
    node->text = whole;
    node->kid_count = 0;
    return symbol;
}

static bool is_alias(const check *k, const shunt_ast *node)
{
    for (uint32_t i = 0; node && node->kind == SHUNT_AST_NAME && i < k->module->aliases.count; i++)
        if (shunt_text_equal(k->module->aliases.items[i].name, node->text) && !shunt_scope_find(&k->module->values, node->text))
            return true;
    return false;
}

shunt_ty check_plain_name(check *k, shunt_ast *node)
{
    node->flags |= NODE_CHECKED;
    return check_typed(k, node, check_name(k, node, NULL));
}

bool names_cell(check *k, const shunt_ast *node)
{
    const shunt_symbol *symbol = is_item(k, node) ? k->level->variable : find_value(k, node->text);
    return symbol && csv_is_cell(k, &symbol->type);
}

static shunt_ty first_of(check *k, shunt_ast *node)
{
    shunt_ast *of = kid(node, SHUNT_MEMBER_of);
    shunt_ty   list = check_list(k, of, NULL);
    if (shunt_ty_is_error(&list)) return ty_error();
    if (list.kind != SHUNT_TY_LIST)
        return list.kind == SHUNT_TY_ROW ? field_of(k, node, &list, NULL) : no_members(k, node, &list);
    shunt_ty item = *list.item;
    item.optional = true;
    item.phi |= list.phi;
    if (!csv_is_cell(k, &item)) {
        check_fact(k, node)->kind = SHUNT_FACT_FIRST;
        (void)tree_item(k, node, &item);
        return item;
    }
    shunt_ast *base = NEW(k, shunt_ast);
    *base = *node;
    base->fact = NULL;
    base->flags |= NODE_CHECKED;
    check_fact(k, base)->kind = SHUNT_FACT_FIRST;
    (void)check_typed(k, base, item);
    return csv_cell_value(k, node, base);
}

static shunt_ty check_member(check *k, shunt_ast *node, const shunt_ty *want)
{
    shunt_ast    *of = kid(node, SHUNT_MEMBER_of), *name = kid(node, SHUNT_MEMBER_name);
    shunt_ty      type;
    shunt_symbol *symbol = qualified(k, node);
    if (!of || !name) return ty_error();
    if (symbol) return check_symbol(k, node, symbol);
    if (is_alias(k, of)) {
        shunt_ast whole = *node;
        whole.text = check_format(k, "%.*s.%.*s", SHUNT_TEXT_ARGS(of->text), SHUNT_TEXT_ARGS(name->text));
        unknown_name(k, &whole, "name", want);
        return ty_error();
    }
    if (shunt_text_is(name->text, "first")) return first_of(k, node);
    if (check_path(k, node, want, false, &type)) return type;
    type = check_expr(k, of, NULL);
    if (shunt_ty_is_error(&type)) return ty_error();
    if (type.kind == SHUNT_TY_ROW) return field_of(k, node, &type, want);
    if (type.kind == SHUNT_TY_MOMENT && shunt_text_is(name->text, "date")) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0209, name->span, "datetime has no `date`");
        shunt_diag_help(k->diags, d, "write `date_of(%.*s)`", SHUNT_TEXT_ARGS(short_text(k, of)));
        return ty_error();
    }
    return no_members(k, node, &type);
}

static void wrong_key_count(check *k, const shunt_ast *node, const shunt_symbol *table, uint32_t given)
{
    const shunt_table_info *info = table->as.table;
    shunt_text              names = { 0 };
    for (uint32_t i = 0; i < info->key_count; i++)
        names =
            check_format(k, "%.*s%s%.*s", SHUNT_TEXT_ARGS(names), i ? ", " : "", SHUNT_TEXT_ARGS(info->shape->members[i].name));
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0306, node->span, "table %.*s has %u key%s, and %u %s given",
                                   SHUNT_TEXT_ARGS(table->name), info->key_count, info->key_count == 1 ? "" : "s", given,
                                   given == 1 ? "is" : "are");
    shunt_diag_also(k->diags, d, table->span, "declared here");
    shunt_diag_help(k->diags, d, "write `%.*s[%.*s%s]`", SHUNT_TEXT_ARGS(table->name), SHUNT_TEXT_ARGS(names),
                    info->effective ? " at DAY" : "");
}

static void check_at(check *k, shunt_ast *node, const shunt_symbol *table)
{
    shunt_ast *at = kid(node, SHUNT_INDEX_at);
    need       n = { .by = FOR_ARGUMENT, .type = shunt_ty_plain(SHUNT_TY_DATE), .name = SHUNT_TEXT("at") };
    if (at && table->as.table->effective) {
        (void)check_needed(k, at, &n);
        return;
    }
    if (at) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0306, at->span, "table %.*s is the same on every day", SHUNT_TEXT_ARGS(table->name));
        shunt_diag_also(k->diags, d, table->span, "it has no `effective`");
        shunt_diag_help(k->diags, d, "leave out `at`");
        (void)check_expr(k, at, &n.type);
    } else if (table->as.table->effective) {
        shunt_text  text = source_text(k, node->span);
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0306, node->span, "table %.*s changes with time, and no day is given",
                                       SHUNT_TEXT_ARGS(table->name));
        shunt_diag_also(k->diags, d, table->span, "it has `effective`");
        if (text.length && text.bytes[text.length - 1] == ']' && text.length < 60)
            shunt_diag_help(k->diags, d, "say which: `%.*s at DAY]`", (int)text.length - 1, text.bytes);
        else
            shunt_diag_help(k->diags, d, "say which day after the keys: `at DAY`");
    }
}

static shunt_ty check_lookup(check *k, shunt_ast *node, shunt_symbol *table)
{
    shunt_ast              *keys = kid(node, SHUNT_INDEX_keys), *of = kid(node, SHUNT_INDEX_of);
    const shunt_table_info *info = table->as.table;
    shunt_fact             *fact = check_fact(k, node);
    fact->kind = SHUNT_FACT_LOOKUP;
    fact->symbol = table;
    check_fact(k, of)->kind = SHUNT_FACT_SYMBOL;
    check_fact(k, of)->symbol = table;
    (void)check_typed(k, of, table->type);
    shunt_ty row = table->type;
    row.optional = true;
    bool right = keys->kid_count == info->key_count;
    if (!right) wrong_key_count(k, node, table, keys->kid_count);
    for (uint32_t i = 0; i < keys->kid_count; i++) {
        shunt_ast *key = keys->kids[i];
        bool       last = i + 1 == info->key_count;
        if (key->kind == SHUNT_AST_ANY) {
            if (right && (!last || !info->prefix)) {
                shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0306, key->span, "`any` stands only for a key matched by prefix");
                shunt_diag_help(k->diags, d, "look for the row that says so: `\"*\"`");
            }
            continue;
        }
        if (!right) {
            (void)check_expr(k, key, NULL);
            continue;
        }
        const shunt_member *member = &info->shape->members[i];
        need n = { .by = FOR_LOOKUP, .type = shunt_ty_present(member->type), .name = member->name, .owner = table };
        n.type.length = 0; /* a longer text is just not found */
        row.phi |= check_needed(k, key, &n).phi;
    }
    check_at(k, node, table);
    return row;
}

/* So many parts `allocate` makes, where that is written out; 0 = not known here. */
static uint32_t parts_of(const shunt_ast *list)
{
    for (int names = 0; list && names < 8; names++) {
        const shunt_fact *fact = shunt_fact_of(list);
        if (list->kind == SHUNT_AST_CALL && fact && fact->kind == SHUNT_FACT_BUILTIN && fact->builtin == SHUNT_LANG_ALLOCATE) {
            const shunt_ast *weights = kid(kid(list, SHUNT_CALL_args), 1);
            return weights && weights->kind == SHUNT_AST_ARRAY ? weights->kid_count : 0;
        }
        const shunt_ast *let = list->kind == SHUNT_AST_NAME && fact && fact->symbol ? fact->symbol->decl : NULL;
        list = let && let->kind == SHUNT_AST_LET ? kid(let, SHUNT_LET_value) : NULL;
    }
    return 0;
}

/* `list[2]`: an item by its number, which may not be there. */
static shunt_ty check_item(check *k, shunt_ast *node, const shunt_ty *list)
{
    shunt_ast  *keys = kid(node, SHUNT_INDEX_keys), *key = kid(keys, 0);
    shunt_fact *fact = check_fact(k, node);
    need        n = { .by = FOR_ARGUMENT, .type = shunt_ty_plain(SHUNT_TY_INT), .name = SHUNT_TEXT("[ ]") };
    if (!key || keys->kid_count != 1 || kid(node, SHUNT_INDEX_at)) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0306, node->span, "an item of a list is taken by one number");
        shunt_diag_help(k->diags, d, "write `list[1]` for the first one");
        return ty_error();
    }
    shunt_ty type = check_needed(k, key, &n), item = *list->item;
    if (shunt_ty_is_error(&type)) return ty_error();
    const shunt_fact *number = shunt_fact_of(key);
    uint32_t          parts = parts_of(kid(node, SHUNT_INDEX_of));
    bool              written = key->kind == SHUNT_AST_INT && number && number->kind == SHUNT_FACT_NONE;
    if (written && (number->number < 1 || number->number > UINT16_MAX || (parts && number->number > parts))) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0306, key->span, "there is no such item");
        shunt_diag_here(k->diags, d, parts ? "%u parts are made" : "items are counted from 1", parts);
        shunt_diag_help(k->diags, d, "write `[1]` for the first one");
        return ty_error();
    }
    fact->kind = SHUNT_FACT_FIRST;
    fact->member = written ? (uint32_t)number->number : UINT32_MAX;
    item.phi |= list->phi;
    item.optional = item.optional || !written || !parts;
    return item;
}

static shunt_ty check_index(check *k, shunt_ast *node, const shunt_ty *want)
{
    shunt_ast    *of = kid(node, SHUNT_INDEX_of), *keys = kid(node, SHUNT_INDEX_keys);
    shunt_symbol *table = NULL;
    shunt_ty      type;
    if (!of || !keys) return ty_error();
    if (of->kind == SHUNT_AST_NAME)
        table = find_value(k, of->text);
    else if (of->kind == SHUNT_AST_MEMBER)
        table = qualified(k, of);
    if (table && table->kind == SHUNT_SYMBOL_TABLE) {
        if (!decl_of(table)->unread && table->as.table->shape) return check_lookup(k, node, table);
        for (uint32_t i = 0; i < keys->kid_count; i++) (void)check_expr(k, keys->kids[i], NULL);
        return ty_error();
    }
    if (tree_index(k, node, &type) || check_path(k, node, want, false, &type)) return type;
    if (of->kind == SHUNT_AST_NAME && !table && !k->unread) {
        unknown_name(k, of, "table", NULL);
        return ty_error();
    }
    if ((of->kind == SHUNT_AST_INT || of->kind == SHUNT_AST_LOOP) && k->source && loop_has_id(k, of->text)) {
        shunt_ast  *key = keys && keys->kid_count ? keys->kids[0] : NULL;
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0303, of->span, "%.*s is a loop, and only a table is looked up",
                                       SHUNT_TEXT_ARGS(of->text));
        shunt_diag_help(k->diags, d, "pick one of them: `%.*s[where position(it) = %.*s].first`", SHUNT_TEXT_ARGS(of->text),
                        SHUNT_TEXT_ARGS(key ? source_text(k, key->span) : SHUNT_TEXT("1")));
        return ty_error();
    }
    type = check_expr(k, of, NULL);
    if (shunt_ty_is_error(&type)) return ty_error();
    if (type.kind == SHUNT_TY_LIST && type.item->kind != SHUNT_TY_NODE) return check_item(k, node, &type);
    shunt_text  name = shunt_ty_name(k->arena, &type);
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_E0303, of->span, "this is %.*s, and only a table is looked up", SHUNT_TEXT_ARGS(name));
    if (type.kind == SHUNT_TY_LIST)
        shunt_diag_help(k->diags, d, "take the first: `.first`, or those that fit: `[where it.NAME = ...]`");
    return ty_error();
}

static shunt_ty check_filter(check *k, shunt_ast *node)
{
    narrowing narrow;
    tree_narrow(k, kid(node, SHUNT_FILTER_of), kid(node, SHUNT_FILTER_where), SHUNT_TEXT("it"), &narrow);
    shunt_ty type = check_list(k, kid(node, SHUNT_FILTER_of), NULL);
    tree_narrowed(k, &narrow);
    shunt_ty item = type.kind == SHUNT_TY_LIST ? *type.item : ty_error();
    if (type.kind != SHUNT_TY_LIST && !shunt_ty_is_error(&type)) {
        shunt_text  name = shunt_ty_name(k->arena, &type);
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0606, kid(node, SHUNT_FILTER_of)->span,
                                       "only a list can be filtered, and this is %.*s", SHUNT_TEXT_ARGS(name));
        shunt_diag_here(k->diags, d, "%.*s", SHUNT_TEXT_ARGS(name));
        type = ty_error();
    }
    shunt_symbol *it = new_symbol(k, SHUNT_SYMBOL_VARIABLE, SHUNT_TEXT("it"), node, node->span);
    it->type = item;
    it->used = true;
    level inner = { .outer = k->level, .variable = it, .loop = item.kind == SHUNT_TY_NODE ? item.loop : NULL, .is_it = true };
    bool  unread = k->unread;
    k->unread = unread || type.kind == SHUNT_TY_ERROR;
    k->level = &inner;
    check_condition(k, kid(node, SHUNT_FILTER_where));
    k->level = inner.outer;
    k->unread = unread;
    check_fact(k, node)->symbol = it;
    return type;
}

static shunt_ty check_array(check *k, shunt_ast *node, const shunt_ty *want)
{
    shunt_ty        joined = shunt_ty_plain(SHUNT_TY_NEVER);
    const shunt_ty *hint = want && want->kind == SHUNT_TY_LIST ? want->item : NULL;
    for (uint32_t i = 0; i < node->kid_count; i++) {
        shunt_ty item = check_expr(k, node->kids[i], i && !shunt_ty_is_error(&joined) ? &joined : hint);
        need     n = { .by = FOR_ITEM };
        if (!check_fits(k, node->kids[i], &item, &n)) item = ty_error();
        if (!join_answers(k, node->kids[0], &joined, node->kids[i], &item, &joined)) return ty_error();
    }
    if (shunt_ty_is_error(&joined)) return ty_error();
    shunt_ty *item = NEW(k, shunt_ty);
    *item = joined;
    return (shunt_ty){ .kind = SHUNT_TY_LIST, .item = item, .max = node->kid_count, .phi = joined.phi };
}

/* ---- match ---- */

static void check_pattern_value(check *k, shunt_ast *value, const shunt_ty *type, const shunt_ast *subject, bool ordered)
{
    shunt_ty other = check_expr(k, value, type);
    if (shunt_ty_is_error(type) || shunt_ty_is_error(&other)) return;
    shunt_fit fit = shunt_ty_compare(type, &other);
    if (fit == SHUNT_FITS && ordered && !shunt_ty_is_ordered(type)) fit = SHUNT_FIT_KIND;
    if (fit != SHUNT_FITS) {
        shunt_text  x = shunt_ty_name(k->arena, type), y = shunt_ty_name(k->arena, &other);
        shunt_diag *d = shunt_diag_add(k->diags, fit == SHUNT_FIT_CURRENCY ? SHUNT_E0801 : SHUNT_E0303, value->span,
                                       "%.*s and %.*s cannot be compared", SHUNT_TEXT_ARGS(x), SHUNT_TEXT_ARGS(y));
        shunt_diag_here(k->diags, d, "%.*s", SHUNT_TEXT_ARGS(y));
        shunt_diag_also(k->diags, d, subject->span, "%.*s", SHUNT_TEXT_ARGS(x));
        help_convert(k, d, value, &other, type);
        return;
    }
    check_in_codes(k, value, type, subject);
}

void check_alternative(check *k, shunt_ast *alternative, const shunt_ty *type, const shunt_ast *subject)
{
    switch (alternative->kind) {
    case SHUNT_AST_ANY:
    case SHUNT_AST_ABSENT_PATTERN:
    case SHUNT_AST_CLEARED_PATTERN:
    case SHUNT_AST_ERROR: return;
    case SHUNT_AST_RANGE:
        for (uint32_t i = 0; i < alternative->kid_count; i++)
            if (alternative->kids[i]) check_pattern_value(k, alternative->kids[i], type, subject, true);
        return;
    case SHUNT_AST_BOUND: check_pattern_value(k, kid(alternative, SHUNT_BOUND_value), type, subject, true); return;
    default: check_pattern_value(k, alternative, type, subject, false); return;
    }
}

typedef struct coverage {
    bool  any, absent, cleared, values[2]; /* values: of bool */
    bool *members;                         /* of the enum, or of the code list */
} coverage;

static void cover(const shunt_ast *alternative, const shunt_ty *type, coverage *c)
{
    const shunt_fact *fact = shunt_fact_of(alternative);
    if (alternative->kind == SHUNT_AST_ANY) c->any = true;
    if (alternative->kind == SHUNT_AST_ABSENT_PATTERN) c->absent = true;
    if (alternative->kind == SHUNT_AST_CLEARED_PATTERN) c->cleared = true;
    if (alternative->kind == SHUNT_AST_TRUE || alternative->kind == SHUNT_AST_FALSE)
        c->values[alternative->kind == SHUNT_AST_TRUE] = true;
    if (type->kind == SHUNT_TY_ENUM && fact && fact->symbol && fact->symbol->kind == SHUNT_SYMBOL_MEMBER &&
        fact->symbol->as.field.shape == type->shape)
        c->members[fact->symbol->as.field.member] = true;
    if (type->kind == SHUNT_TY_CODE && type->codes && alternative->kind == SHUNT_AST_STRING)
        for (uint32_t i = 0; i < type->codes->count; i++)
            if (shunt_text_is(alternative->text, type->codes->values[i])) c->members[i] = true;
}

static void report_uncovered(check *k, const shunt_ast *subject, const shunt_ty *type, const coverage *c)
{
    shunt_text missing = { 0 }, pattern = { 0 };
    uint32_t   count = type->kind == SHUNT_TY_ENUM                                           ? type->shape->count
                       : type->kind == SHUNT_TY_CODE && type->codes && type->codes->complete ? type->codes->count
                                                                                             : 0;
    uint32_t   left = 0;
    enum { SHOWN = 6 };
    for (uint32_t i = 0; i < count && !c->any; i++) {
        if (c->members[i]) continue;
        bool       code = type->kind == SHUNT_TY_CODE;
        shunt_text name = code ? check_format(k, "\"%s\"", type->codes->values[i]) : type->shape->members[i].name;
        if (left < SHOWN) {
            missing = check_format(k, "%.*s%s%.*s", SHUNT_TEXT_ARGS(missing), left ? ", " : "", SHUNT_TEXT_ARGS(name));
            pattern = check_format(k, "%.*s%s%.*s", SHUNT_TEXT_ARGS(pattern), left ? " or " : "", SHUNT_TEXT_ARGS(name));
        }
        left++;
    }
    if (type->kind == SHUNT_TY_BOOL && !c->any)
        for (int i = 0; i < 2; i++)
            if (!c->values[i]) {
                missing = check_format(k, "%.*s%s%s", SHUNT_TEXT_ARGS(missing), left++ ? ", " : "", i ? "true" : "false");
                pattern = missing;
            }
    if (type->optional && !c->absent) {
        missing = check_format(k, "%.*s%sabsent", SHUNT_TEXT_ARGS(missing), left ? ", " : "");
        pattern = check_format(k, "%.*s%sabsent", SHUNT_TEXT_ARGS(pattern), left ? " or " : "");
        left++;
    }
    if (left > SHOWN) missing = check_format(k, "%.*s and more", SHUNT_TEXT_ARGS(missing));
    if (type->clearable && !c->cleared) {
        missing = check_format(k, "%.*s%scleared", SHUNT_TEXT_ARGS(missing), left ? ", " : "");
        pattern = check_format(k, "%.*s%scleared", SHUNT_TEXT_ARGS(pattern), left ? " or " : "");
        left++;
    }
    bool closed = count || type->kind == SHUNT_TY_BOOL || c->any;
    if (closed && !left) return;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0308, subject->span, "this `match` does not cover every value");
    if (closed) {
        shunt_diag_here(k->diags, d, "missing: %.*s", SHUNT_TEXT_ARGS(missing));
        if (left <= SHOWN) shunt_diag_help(k->diags, d, "add `when %.*s => ...`", SHUNT_TEXT_ARGS(pattern));
        shunt_diag_help(k->diags, d, "or say what all others are: `else => ...`");
        return;
    }
    shunt_text name = shunt_ty_name(k->arena, type);
    shunt_diag_here(k->diags, d, "%.*s has more values than can be listed", SHUNT_TEXT_ARGS(name));
    shunt_diag_help(k->diags, d, "say what all others are: `else => ...`");
}

void check_patterns(check *k, shunt_ast *subject, const shunt_ty *type, shunt_ast *rows, uint32_t patterns_at)
{
    coverage c = { 0 };
    bool     has_else = false, broken = false;
    uint32_t members = type->kind == SHUNT_TY_ENUM ? type->shape->count : type->codes ? type->codes->count : 0;
    c.members = NEW_N(k, bool, members);
    for (uint32_t i = 0; rows && i < rows->kid_count; i++) {
        shunt_ast *row = rows->kids[i];
        if (row->kind == SHUNT_AST_ERROR) {
            broken = true;
            continue;
        }
        shunt_ast *patterns = kid(row, patterns_at);
        if (!patterns) {
            has_else = true;
            continue;
        }
        if (patterns->kid_count != 1) {
            shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0306, patterns->span,
                                           "`match` looks at one value, and here are %u patterns", patterns->kid_count);
            shunt_diag_help(k->diags, d, "put alternatives together with `or`: `when \"1\" or \"2\" => ...`");
        }
        for (uint32_t p = 0; p < patterns->kid_count; p++)
            for (uint32_t a = 0; a < patterns->kids[p]->kid_count; a++) {
                if (p == 0) check_alternative(k, patterns->kids[p]->kids[a], type, subject);
                if (p == 0) cover(patterns->kids[p]->kids[a], type, &c);
                const shunt_ty *found = type_of(patterns->kids[p]->kids[a]);
                if (found && found->kind == SHUNT_TY_ERROR) broken = true; /* what was meant may be what is missing */
            }
    }
    if (!has_else && !broken && !shunt_ty_is_error(type)) report_uncovered(k, subject, type, &c);
}

/* ---- `for each` ---- */

bool check_each(check *k, shunt_ast *each, level *inner)
{
    shunt_ast *variable = kid(each, SHUNT_EACH_variable), *list = kid(each, SHUNT_EACH_list);
    narrowing  narrow;
    tree_narrow(k, list, kid(each, SHUNT_EACH_where), variable ? variable->text : (shunt_text){ 0 }, &narrow);
    shunt_ty type = check_list(k, list, NULL);
    tree_narrowed(k, &narrow);
    bool fine = type.kind == SHUNT_TY_LIST;
    if (!fine && !shunt_ty_is_error(&type)) {
        shunt_text  name = shunt_ty_name(k->arena, &type);
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0606, list->span, "`for each` needs a loop or a list, and this is %.*s",
                                       SHUNT_TEXT_ARGS(name));
        shunt_diag_here(k->diags, d, "%.*s", SHUNT_TEXT_ARGS(name));
        if (type.kind == SHUNT_TY_ROW || shunt_ty_is_scalar(&type))
            shunt_diag_help(k->diags, d, "there is one of it: use it as it is, without `for each`");
        if (type.kind == SHUNT_TY_NODE)
            shunt_diag_help(k->diags, d, "one is at hand, the one around this; keep what you need of all of them in a `tally`");
    }
    shunt_symbol *symbol = new_symbol(k, SHUNT_SYMBOL_VARIABLE, variable ? variable->text : SHUNT_TEXT(""), each,
                                      variable ? variable->span : each->span);
    symbol->type = fine ? *type.item : ty_error();
    symbol->type.phi |= fine ? type.phi : 0;
    symbol->used = true;
    uint32_t bit = 1u << (k->level_count < 31 ? k->level_count : 31);
    decl_of(symbol)->levels = bit | k->levels;
    decl_of(symbol)->unread = !fine;
    *inner = (level){ .outer = k->level,
                      .variable = symbol,
                      .loop = symbol->type.kind == SHUNT_TY_NODE ? symbol->type.loop : NULL,
                      .each = each,
                      .bit = bit };
    declare_local(k, symbol);
    check_fact(k, each)->symbol = symbol;
    if (variable) {
        check_fact(k, variable)->kind = SHUNT_FACT_SYMBOL;
        check_fact(k, variable)->symbol = symbol;
        (void)check_typed(k, variable, symbol->type);
    }
    k->level = inner;
    k->level_count++;
    check_condition(k, kid(each, SHUNT_EACH_where));
    return fine;
}

void leave_each(check *k, level *inner)
{
    k->level = inner->outer;
    k->level_count--;
}

/* ---- exits ---- */

static void exit_is_no_value(check *k, const shunt_ast *exit)
{
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0307, exit->span, "`%.*s` gives no value", SHUNT_TEXT_ARGS(exit->text));
    shunt_diag_here(k->diags, d, "a value is wanted here");
    if (shunt_text_is(exit->text, "warn"))
        shunt_diag_help(k->diags, d, "give a value and take note of it: `... otherwise VALUE noting CODE`");
    else
        shunt_diag_help(k->diags, d, "ask first: `if x is absent { skip }`");
    shunt_diag_help(k->diags, d, "or leave with `reject CODE` or `quarantine CODE`");
}

static void check_exit_code(check *k, shunt_ast *exit, shunt_fact *fact)
{
    shunt_ast    *name = kid(exit, SHUNT_EXIT_code);
    shunt_symbol *symbol = name ? find_code(k, name->text) : NULL;
    if (!name) return;
    if (!symbol) {
        unknown_name(k, name, "code", NULL);
        return;
    }
    fact->symbol = symbol;
    bool reject = shunt_text_is(exit->text, "reject"), quarantine = shunt_text_is(exit->text, "quarantine");
    if ((!reject || symbol->as.code.has_ack) && (!quarantine || symbol->as.code.has_queue)) return;
    const char *word = reject ? "ack" : "queue";
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_E0506, name->span, "code %.*s has no `%s`", SHUNT_TEXT_ARGS(symbol->name), word);
    shunt_diag_here(k->diags, d,
                    reject ? "`reject` answers the sender, and needs to know what"
                           : "`quarantine` puts the input aside, and needs to know where");
    shunt_diag_also(k->diags, d, symbol->span, "declared here");
    if (reject)
        shunt_diag_help(k->diags, d, "add `ack \"...\"` to the code, or use `quarantine`");
    else
        shunt_diag_help(k->diags, d, "add `queue \"...\"` to the code");
}

void check_exit(check *k, shunt_ast *exit, bool value)
{
    shunt_fact *fact = check_fact(k, exit);
    bool        skip = shunt_text_is(exit->text, "skip"), warn = shunt_text_is(exit->text, "warn");
    fact->kind = SHUNT_FACT_EXIT;
    fact->scope = check_scope(k, kid(exit, SHUNT_EXIT_scope), SHUNT_LANG_UNIT);
    if ((k->phase == PHASE_END || k->phase == PHASE_GLOBAL || k->phase == PHASE_START) && fact->scope < SHUNT_LANG_TRANSACTION &&
        !warn && !skip)
        fact->scope = SHUNT_LANG_TRANSACTION;
    if (k->phase == PHASE_WIDE_END && fact->scope < k->end_scope && !warn && !skip) fact->scope = k->end_scope;
    (void)check_typed(k, exit, shunt_ty_plain(SHUNT_TY_NEVER));
    check_exit_code(k, exit, fact);
    if (skip && leaves_for_another(k, exit)) return;
    if (value && (skip || warn))
        exit_is_no_value(k, exit);
    else if (value)
        (void)may_raise(k, exit, "otherwise ", exit->text);
    shunt_ast *message = kid(exit, SHUNT_EXIT_message), *when = kid(exit, SHUNT_EXIT_when);
    uint32_t   known = k->learnt.count;
    check_condition(k, when);
    check_learn(k, when, true);
    if (message) (void)check_expr(k, message, NULL);
    k->learnt.count = known;
    if (when && !warn) check_learn(k, when, false); /* for what stands behind it */
}

/* ---- all of them ---- */

static shunt_ty expression(check *k, shunt_ast *node, const shunt_ty *want)
{
    shunt_ty type;
    switch (node->kind) {
    case SHUNT_AST_INT:
    case SHUNT_AST_DECIMAL:
    case SHUNT_AST_MONEY:
    case SHUNT_AST_PERCENT:
    case SHUNT_AST_DATE:
    case SHUNT_AST_DURATION:
    case SHUNT_AST_STRING:
    case SHUNT_AST_TRUE:
    case SHUNT_AST_FALSE: return check_literal(k, node, want);
    case SHUNT_AST_NAME:
        if (!is_item(k, node) && !find_value(k, node->text) && check_path(k, node, want, false, &type)) return type;
        if (names_cell(k, node) && check_path(k, node, want, false, &type)) return type;
        return check_name(k, node, want);
    case SHUNT_AST_ELEMENT:
    case SHUNT_AST_LOOP:
        if (k->unread || check_path(k, node, want, false, &type)) return k->unread ? ty_error() : type;
        unknown_name(k, node, "name", want);
        return ty_error();
    case SHUNT_AST_MEMBER: return check_member(k, node, want);
    case SHUNT_AST_METHOD: return check_method(k, node);
    case SHUNT_AST_INDEX: return check_index(k, node, want);
    case SHUNT_AST_FILTER: return check_filter(k, node);
    case SHUNT_AST_CALL: return check_call(k, node, want);
    case SHUNT_AST_ARRAY: return check_array(k, node, want);
    case SHUNT_AST_CHOOSE: return check_choose(k, node, want);
    case SHUNT_AST_OTHERWISE:
    case SHUNT_AST_CLEARED: return check_otherwise(k, node, want);
    case SHUNT_AST_NOTING: return check_noting(k, node, want);
    case SHUNT_AST_IF_EXPR: return check_if_expr(k, node, want);
    case SHUNT_AST_BINARY: return check_binary(k, node, want);
    case SHUNT_AST_NOT: return check_logic(k, node);
    case SHUNT_AST_MINUS: return check_minus(k, node, want);
    case SHUNT_AST_IN: return check_in(k, node);
    case SHUNT_AST_IS: {
        shunt_ty value = check_expr(k, kid(node, SHUNT_IS_value), NULL);
        shunt_ty result = shunt_ty_plain(SHUNT_TY_BOOL);
        bool found = value.kind == SHUNT_TY_ROW && value.shape->kind == SHUNT_SHAPE_TABLE; /* that there is a row says nothing */
        result.phi = found ? 0 : value.phi;
        return result;
    }
    case SHUNT_AST_TEMPLATE: return check_template(k, node);
    case SHUNT_AST_EXIT: check_exit(k, node, true); return shunt_ty_plain(SHUNT_TY_NEVER);
    case SHUNT_AST_ABSENT_PATTERN: {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0101, node->span, "there is no value `absent`");
        shunt_diag_here(k->diags, d, "only a test says that something is absent");
        shunt_diag_help(
            k->diags, d,
            "what may be absent is written as it is: `npi: NM1[\"82\"].NM109`, into a field that is declared with `?`");
        if (k->source && k->source->as.source->standard == SHUNT_STANDARD_X12)
            shunt_diag_help(k->diags, d,
                            "pick the segment by a condition, absent where none meets it: `NM1[\"82\"][where it.NM108 = "
                            "\"XX\"].first.NM109`");
        shunt_diag_help(k->diags, d,
                        "what is written only sometimes stands in `if ... { ... }`; a line may also end in `when ...`");
        return ty_error();
    }
    default: return ty_error();
    }
}

shunt_ty check_expr(check *k, shunt_ast *node, const shunt_ty *want)
{
    if (!node) return ty_error();
    if (node->flags & NODE_CHECKED) return shunt_fact_of(node)->type; /* already, while looking for a path */
    shunt_ty type = expression(k, node, want);
    node->flags |= NODE_CHECKED;
    if (k->learnt.count) check_narrow(k, node, &type);
    return check_typed(k, node, type);
}

shunt_ty check_list(check *k, shunt_ast *node, const shunt_ty *want)
{
    shunt_ty type;
    if (!node) return ty_error();
    if (node->flags & NODE_CHECKED) return shunt_fact_of(node)->type;
    bool path = node->kind == SHUNT_AST_INT || node->kind == SHUNT_AST_LOOP || node->kind == SHUNT_AST_NAME ||
                node->kind == SHUNT_AST_ELEMENT || node->kind == SHUNT_AST_INDEX ||
                (node->kind == SHUNT_AST_MEMBER && !shunt_text_is(kid(node, SHUNT_MEMBER_name)->text, "first"));
    if (node->kind == SHUNT_AST_INDEX || node->kind == SHUNT_AST_MEMBER) {
        const shunt_ast *head = node;
        while (head && (head->kind == SHUNT_AST_INDEX || head->kind == SHUNT_AST_MEMBER)) head = kid(head, 0);
        shunt_symbol *symbol = head && head->kind == SHUNT_AST_NAME ? shunt_scope_find(&k->module->values, head->text) : NULL;
        if (is_alias(k, head) || (symbol && symbol->type.kind != SHUNT_TY_NODE)) path = false;
    }
    if (path && check_path(k, node, want, true, &type)) {
        node->flags |= NODE_CHECKED;
        return check_typed(k, node, type);
    }
    return check_expr(k, node, want);
}
