/* What is said of a journal that is not proved to balance: which sums were compared, what is left over, and what would prove it. */
#include "dsl/prove.h"

enum { NUMBER_TEXT = 48 };

typedef struct words { /* for the parts of a rest */
    check *k;
    char   currency[4];
} words;

static shunt_text joined(check *k, shunt_text a, const char *between, shunt_text b)
{
    if (!a.length) return b;
    return check_format(k, "%.*s%s%.*s", SHUNT_TEXT_ARGS(a), between, SHUNT_TEXT_ARGS(b));
}

static const char *digits(__int128 number, char text[static NUMBER_TEXT])
{
    char             *at = text + NUMBER_TEXT - 1;
    unsigned __int128 rest = number < 0 ? -(unsigned __int128)number : (unsigned __int128)number;
    *at = 0;
    do {
        *--at = (char)('0' + (int)(rest % 10));
        rest /= 10;
    } while (rest);
    return at;
}

/* Without its sign: "12", "1.25", "1/3". */
static shunt_text ratio_text(check *k, ratio r, unsigned decimals)
{
    char     n[NUMBER_TEXT], d[NUMBER_TEXT];
    unsigned places = 0;
    __int128 scaled = r.n < 0 ? -r.n : r.n, rest = r.d, whole;
    while (places < decimals || (rest > 1 && places < 12)) {
        if (__builtin_mul_overflow(scaled, (__int128)10, &scaled)) break;
        places++;
        __int128 common = rest % 10 == 0 ? 10 : rest % 5 == 0 ? 5 : rest % 2 == 0 ? 2 : 1;
        if (rest > 1 && common == 1) break;
        rest /= common;
    }
    if (rest > 1) return check_format(k, "%s/%s", digits(r.n, n), digits(r.d, d));
    whole = scaled / r.d;
    if (!places) return check_format(k, "%s", digits(whole, n));
    __int128 unit = 1;
    for (unsigned i = 0; i < places; i++) unit *= 10;
    return check_format(k, "%s.%0*lld", digits(whole / unit, n), (int)places, (long long)(whole % unit));
}

static shunt_text term_text(check *k, const term *t)
{
    const shunt_shape *shape = t->op == TERM_MEMBER ? (const shunt_shape *)t->of : NULL;
    if (shape && t->number < shape->count) return shape->members[t->number].name;
    if (t->op == TERM_NUMBER) {
        ratio r = { t->number, 1 };
        for (unsigned i = 0; i < t->scale; i++) r.d *= 10;
        return ratio_text(k, r, t->scale);
    }
    while (!t->node && t->count) t = t->kids[0];
    return t->node ? source_text(k, t->node->span) : SHUNT_TEXT("...");
}

/* "CLP02 = "1"", "x is absent". */
static shunt_text literal_text(check *k, const literal *l)
{
    const term *a = l->atom;
    if (a->op == TERM_EQUAL) {
        shunt_text left = term_text(k, a->kids[0]), right = term_text(k, a->kids[1]);
        return check_format(k, "%.*s %s %.*s", SHUNT_TEXT_ARGS(left), l->truth ? "=" : "!=", SHUNT_TEXT_ARGS(right));
    }
    if (a->op == TERM_GREATER) {
        shunt_text left = term_text(k, a->kids[0]), right = term_text(k, a->kids[1]);
        return check_format(k, "%.*s %s %.*s", SHUNT_TEXT_ARGS(left), l->truth ? ">" : "<=", SHUNT_TEXT_ARGS(right));
    }
    shunt_text of = term_text(k, a->op == TERM_ABSENT ? a->kids[0] : a);
    if (a->op == TERM_ABSENT) return check_format(k, "%.*s is %s", SHUNT_TEXT_ARGS(of), l->truth ? "absent" : "present");
    return check_format(k, "%s%.*s", l->truth ? "" : "not ", SHUNT_TEXT_ARGS(of));
}

/* ---- what is left ---- */

static bool alike(const remainder_part *a, const remainder_part *b)
{
    return a->binders == b->binders && a->value == b->value && a->times.n == b->times.n && a->times.d == b->times.d;
}

/* The one value of one condition that a cell is for: of an enum also the one that is left when all others are denied. */
static bool cell_value(check *k, const remainder_part *x, const term **of, shunt_text *value)
{
    const literal *is = NULL, *not = NULL;
    uint32_t       denied = 0;
    uint64_t       seen = 0;
    for (uint32_t c = 0; c < x->cell_count; c++) {
        const literal *l = &x->cell[c];
        if (l->atom->op != TERM_EQUAL || !term_is_constant(l->atom->kids[1])) continue;
        if (l->truth && is) return false;
        if (l->truth) is = l;
        if (l->truth || l->atom->kids[1]->op != TERM_MEMBER) continue;
        not = l;
        denied++;
        if (l->atom->kids[1]->number < 64) seen |= (uint64_t)1 << (unsigned)l->atom->kids[1]->number;
    }
    if (is) {
        *of = is->atom->kids[0];
        *value = term_text(k, is->atom->kids[1]);
        return true;
    }
    const shunt_shape *shape = not ? (const shunt_shape *)not ->atom->kids[1]->of : NULL;
    if (!shape || denied + 1 != shape->count || shape->count > 64) return false;
    for (uint32_t m = 0; m < shape->count; m++)
        if (!(seen >> m & 1)) *value = shape->members[m].name;
    *of = not ->atom->kids[0];
    return true;
}

/* That the value itself is there: where it is not, a sum leaves it out by itself. */
static bool is_own(const remainder_part *x, const literal *l)
{
    return l->atom->op == TERM_ABSENT && !l->truth && l->atom->kids[0] == x->value;
}

/* A condition that says nothing beyond `of` having the one value that the cell is for. */
static bool is_about(const literal *l, const term *of)
{
    if (l->atom->op == TERM_ABSENT) return !l->truth && l->atom->kids[0] == of;
    return l->atom->op == TERM_EQUAL && l->atom->kids[0] == of && term_is_constant(l->atom->kids[1]);
}

/* All conditions of a cell; those that deny several values of one thing are one. */
static shunt_text cell_text(check *k, const remainder_part *x)
{
    shunt_text text = { 0 };
    for (uint32_t c = 0; c < x->cell_count; c++) {
        const literal *l = &x->cell[c];
        shunt_text     values = { 0 };
        uint32_t       count = 0;
        bool           said = false;
        if (is_own(x, l)) continue;
        if (l->truth || l->atom->op != TERM_EQUAL || !term_is_constant(l->atom->kids[1])) {
            text = joined(k, text, " and ", literal_text(k, l));
            continue;
        }
        for (uint32_t i = 0; i < x->cell_count && !said; i++) {
            const literal *other = &x->cell[i];
            if (!is_about(other, l->atom->kids[0]) || other->atom->op != TERM_EQUAL) continue;
            said = other->truth || (i < c && !other->truth);
            values = joined(k, values, ", ", term_text(k, other->atom->kids[1]));
            count++;
        }
        if (said) continue;
        shunt_text what = term_text(k, l->atom->kids[0]);
        text = joined(k, text, " and ",
                      count == 1 ? literal_text(k, l)
                                 : check_format(k, "%.*s not in (%.*s)", SHUNT_TEXT_ARGS(what), SHUNT_TEXT_ARGS(values)));
    }
    return text;
}

/* Which items, as a whole condition: the values that one thing has in the cells, or all that is asked of one cell; empty for all of
 * them. False where it can not be written so. */
static bool where_text(check *k, const proof *r, uint32_t first, shunt_text *text)
{
    const remainder_part *x = &r->parts[first];
    const term           *all = NULL;
    shunt_text            values = { 0 };
    uint32_t              count = 0, cells = 0;
    bool                  exact = true;
    for (uint32_t i = first; i < r->part_count; i++) {
        const term *of = NULL;
        shunt_text  value = { 0 };
        if (!alike(x, &r->parts[i])) continue;
        cells++;
        if (!exact) continue;
        exact = cell_value(k, &r->parts[i], &of, &value) && (!all || all == of);
        for (uint32_t c = 0; c < r->parts[i].cell_count && exact; c++) exact = is_about(&r->parts[i].cell[c], of);
        all = of;
        values = joined(k, values, ", ", value);
        count++;
    }
    if (!exact) {
        *text = cells == 1 ? cell_text(k, x) : (shunt_text){ 0 };
        return cells == 1;
    }
    shunt_text what = term_text(k, all);
    *text = check_format(k, count == 1 ? "%.*s = %.*s" : "%.*s in (%.*s)", SHUNT_TEXT_ARGS(what), SHUNT_TEXT_ARGS(values));
    return true;
}

/* `torn`: it is only some items of what is written. */
static shunt_text part_text(const words *w, const proof *r, uint32_t at, bool constant, bool *torn)
{
    check                *k = w->k;
    const remainder_part *x = &r->parts[at];
    uint32_t              cells = 0;
    if (constant) {
        uint8_t scale = 2;
        (void)shunt_currency_find(shunt_text_of(w->currency), &scale);
        return check_format(k, "%.*s %s", SHUNT_TEXT_ARGS(ratio_text(k, x->times, scale)), w->currency);
    }
    for (uint32_t i = 0; i < r->part_count; i++) cells += alike(x, &r->parts[i]);
    shunt_text text = x->name ? x->name->name : term_text(k, x->value), where = { 0 };
    bool       some = !x->name && x->binders->count && cells < x->cells;
    if (some && !where_text(k, r, at, &where)) *torn = true;
    for (uint32_t i = x->name ? 0 : x->binders->count; i-- > 0;) {
        const shunt_ast *each = x->binders->kids[i]->node, *name = each && each->kind == SHUNT_AST_EACH ? kid(each, 0) : NULL,
                        *list = each ? kid(each, each->kind == SHUNT_AST_EACH ? SHUNT_EACH_list : SHUNT_FILTER_of) : NULL;
        shunt_text variable = name ? name->text : SHUNT_TEXT("it"), of = list ? source_text(k, list->span) : SHUNT_TEXT("...");
        bool       here = i + 1 == x->binders->count && where.length;
        text = check_format(k, "sum(%.*s for each %.*s in %.*s%s%.*s)", SHUNT_TEXT_ARGS(text), SHUNT_TEXT_ARGS(variable),
                            SHUNT_TEXT_ARGS(of), here ? " where " : "", SHUNT_TEXT_ARGS(here ? where : (shunt_text){ 0 }));
    }
    if (x->times.d == 1 && (x->times.n == 1 || x->times.n == -1)) return text;
    return check_format(k, "%.*s * %.*s", SHUNT_TEXT_ARGS(ratio_text(k, x->times, 0)), SHUNT_TEXT_ARGS(text));
}

static bool is_constant_part(const remainder_part *x) { return x->value->op == TERM_ONE && !x->binders->count; }

typedef struct side { /* the parts of one sign, as a sum; "0.00 USD" for none */
    shunt_text text;
    uint32_t   count;
    bool       torn; /* only a part of what is written */
} side;

static side side_of(const words *w, const proof *r, bool positive)
{
    side all = { 0 };
    for (uint32_t i = 0; i < r->part_count; i++) {
        bool shown = false;
        if ((r->parts[i].times.n > 0) != positive) continue;
        for (uint32_t b = 0; b < i && !shown; b++) shown = alike(&r->parts[b], &r->parts[i]);
        if (shown) continue;
        all.count++;
        all.text = joined(w->k, all.text, " + ", part_text(w, r, i, is_constant_part(&r->parts[i]), &all.torn));
    }
    if (!all.text.length) all.text = check_format(w->k, "0.00 %s", w->currency);
    return all;
}

/* ---- what was compared ---- */

static shunt_text lines_text(check *k, const leg *const *legs, uint32_t count, bool debit)
{
    shunt_text text = { 0 };
    shunt_text seen[8];
    uint32_t   shown = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (legs[i]->debit != debit) continue;
        shunt_text amount = source_text(k, kid(legs[i]->line, SHUNT_LINE_amount)->span);
        amount = check_format(k, "%s%.*s%s", legs[i]->binders->count ? "each " : "", SHUNT_TEXT_ARGS(amount),
                              legs[i]->guard->count ? " in some cases" : "");
        bool again = false;
        for (uint32_t b = 0; b < shown; b++) again = again || shunt_text_equal(seen[b], amount);
        if (again) continue;
        if (shown == SHUNT_COUNT(seen)) return joined(k, text, " + ", SHUNT_TEXT("..."));
        seen[shown++] = amount;
        text = joined(k, text, " + ", amount);
    }
    return text.length ? text : SHUNT_TEXT("nothing");
}

static void tell_facts(check *k, shunt_diag *d, const proof *r)
{
    for (uint32_t i = 0, shown = 0; i < r->fact_count && shown < 2; i++) {
        const shunt_ast *node = r->facts[i]->node, *step = r->facts[i]->step;
        const shunt_ast *test = node && node->kind == SHUNT_AST_CHECK ? kid(node, SHUNT_CHECK_test) : NULL;
        if (!test) continue;
        shunt_text text = source_text(k, test->span), name = step ? kid(step, SHUNT_STEP_name)->text : (shunt_text){ 0 };
        if (step)
            shunt_diag_note(k->diags, d, "`%.*s`, by the check in step \"%.*s\" (line %u)", SHUNT_TEXT_ARGS(text),
                            SHUNT_TEXT_ARGS(name), line_of(k, test->span));
        else
            shunt_diag_note(k->diags, d, "`%.*s`, by the check in line %u", SHUNT_TEXT_ARGS(text), line_of(k, test->span));
        shown++;
    }
}

/* "where CLP02 = "1" and ..."; what is not shown apart by a value comes last. */
static shunt_text case_text(check *k, const proof *r)
{
    shunt_text text = { 0 };
    uint32_t   shown = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < r->condition_count && shown < 3; i++) {
            const literal *l = &r->conditions[i];
            bool           again = false;
            if (l->truth == (pass > 0)) continue;
            for (uint32_t b = 0; b < r->condition_count && pass; b++)
                again = again || (r->conditions[b].truth && r->conditions[b].atom->op == TERM_EQUAL &&
                                  l->atom->op == TERM_EQUAL && r->conditions[b].atom->kids[0] == l->atom->kids[0]);
            if (again) continue;
            text = joined(k, text, " and ", literal_text(k, l));
            shown++;
        }
    }
    return text;
}

static shunt_ast *place_of(shunt_ast *journal, const leg *const *legs, uint32_t count, const leg **at)
{
    *at = NULL;
    for (int pass = 0; pass < 3 && !*at; pass++) /* the last one that is always posted, or once, or any */
        for (uint32_t i = 0; i < count; i++)
            if (pass == 2 || (!legs[i]->binders->count && (pass || !legs[i]->guard->count))) *at = legs[i];
    shunt_ast *amount = *at ? kid((*at)->line, SHUNT_LINE_amount) : NULL;
    return amount ? amount : kid(journal, SHUNT_JOURNAL_target);
}

static bool is_linear(const proof *r)
{
    for (uint32_t i = 0; i < r->part_count; i++) {
        const term *v = r->parts[i].value;
        if (v->op != TERM_OPAQUE && v->op != TERM_ONE) return false;
        if (v->op == TERM_OPAQUE && !v->path && v->node && v->node->kind != SHUNT_AST_NAME && v->node->kind != SHUNT_AST_INDEX &&
            v->node->kind != SHUNT_AST_MEMBER)
            return false;
    }
    return true;
}

static void tell_difference(const words *w, shunt_diag *d, const leg *at, const proof *r)
{
    check     *k = w->k;
    side       plus = side_of(w, r, true), minus = side_of(w, r, false);
    shunt_text text = plus.count ? plus.text : minus.text, example = case_text(k, r);
    bool       constant = r->part_count == 1 && is_constant_part(&r->parts[0]), debits_more = plus.count > 0,
         torn = !r->name && (plus.torn || minus.torn);
    if (r->name) text = r->name->name;
    shunt_diag_here(k->diags, d, "the sides differ by %s`%.*s`", torn ? "a part of " : "", SHUNT_TEXT_ARGS(text));
    if (constant)
        shunt_diag_note(k->diags, d, example.length ? "no message with %.*s would balance" : "no message would balance%.*s",
                        SHUNT_TEXT_ARGS(example));
    else
        shunt_diag_note(k->diags, d, "a message in which %s`%.*s` is 1.00%s%.*s would not balance", torn ? "that part of " : "",
                        SHUNT_TEXT_ARGS(text), example.length ? " and " : "", SHUNT_TEXT_ARGS(example));
    shunt_text own = at ? source_text(k, kid(at->line, SHUNT_LINE_amount)->span) : (shunt_text){ 0 };
    if (at && !at->binders->count && !at->guard->count && !r->condition_count && !shunt_text_equal(own, text) &&
        (r->name || (plus.count + minus.count == 1 && !torn && text.length < 40))) {
        shunt_text line =
            source_text(k, (shunt_span){ at->line->span.begin, kid(at->line, SHUNT_LINE_amount)->span.end, at->line->span.file });
        bool add = at->debit != debits_more;
        shunt_diag_help(k->diags, d, "%s what is posted: `%.*s %s %.*s`", at->debit ? "debit" : "credit", SHUNT_TEXT_ARGS(line),
                        add ? "+" : "-", SHUNT_TEXT_ARGS(text));
    } else {
        shunt_diag_help(k->diags, d, "post it to the other side as well, or to neither");
    }
}

/* The code that the author leaves by where something else does not foot. */
static shunt_text code_of_check(prover *p)
{
    for (uint32_t i = p->holdings.count; i-- > 0;) {
        const shunt_ast *node = p->holdings.items[i].node,
                        *exit = node && node->kind == SHUNT_AST_CHECK ? kid(node, SHUNT_CHECK_exit) : NULL,
                        *code = kid(exit, SHUNT_EXIT_code);
        if (code && shunt_text_is(exit->text, "quarantine")) return code->text;
    }
    return code_for_help(p->k, true, &(need){ 0 });
}

static void tell_open(prover *p, const words *w, shunt_diag *d, const proof *r, bool within)
{
    enum { LONG = 200 };
    check      *k = w->k;
    side        plus = side_of(w, r, true), minus = side_of(w, r, false);
    shunt_text  example = case_text(k, r);
    bool        linear = is_linear(r), short_enough = plus.text.length + minus.text.length < LONG;
    const char *where = example.length ? ", where " : "";
    shunt_diag_here(k->diags, d, "nothing says that debits and credits are equal");
    if (!short_enough)
        shunt_diag_note(k->diags, d, "left over are %u amounts of the debits and %u of the credits%s%.*s", plus.count,
                        minus.count, where, SHUNT_TEXT_ARGS(example));
    else
        shunt_diag_note(k->diags, d, "left over: %s`%.*s` of the debits, %s`%.*s` of the credits%s%.*s",
                        plus.torn ? "a part of " : "", SHUNT_TEXT_ARGS(plus.text), minus.torn ? "a part of " : "",
                        SHUNT_TEXT_ARGS(minus.text), where, SHUNT_TEXT_ARGS(example));
    if (!linear) shunt_diag_note(k->diags, d, "products, rounding and conversions are not looked into");
    if (within || !short_enough) {
        shunt_diag_help(k->diags, d,
                        "post the same amounts to both sides, or `check` before the journal that the sums are equal");
    } else if (plus.torn || minus.torn) {
        shunt_diag_help(k->diags, d, "post the same amounts to both sides, of the same items");
    } else if (r->condition_count) { /* in the other cases it would be wrong */
        shunt_diag_help(k->diags, d, "post the same amounts to both sides in each case");
    } else if (plus.count && minus.count) {
        shunt_text code = code_of_check(p);
        shunt_diag_help(k->diags, d, "say it before the journal: `check %.*s = %.*s else quarantine %.*s`",
                        SHUNT_TEXT_ARGS(plus.text), SHUNT_TEXT_ARGS(minus.text),
                        SHUNT_TEXT_ARGS(code.length ? code : SHUNT_TEXT("CODE")));
    } else {
        shunt_diag_help(k->diags, d, "post `%.*s` to the other side as well, or to neither",
                        SHUNT_TEXT_ARGS(plus.count ? plus.text : minus.text));
    }
    if (!linear) shunt_diag_help(k->diags, d, "or name such a value once, `let x = ...`, and post `x` to both sides");
}

void tell_proof(prover *p, shunt_ast *journal, const leg *const *legs, uint32_t count, const proof *r, shunt_text within)
{
    check     *k = p->k;
    const leg *at;
    words      w = { .k = k };
    shunt_ast *place = place_of(journal, legs, count, &at);
    if (r->end == PROOF_EQUAL || !place) return;
    bool        differs = r->end == PROOF_DIFFERS;
    const char *each = within.length ? " within each " : "";
    if (at) memcpy(w.currency, at->currency, sizeof w.currency);
    shunt_diag *d = shunt_diag_add(k->diags, differs ? SHUNT_E0501 : SHUNT_W0501, place->span,
                                   differs ? "debits and credits of this journal are not equal for every input%s%.*s"
                                           : "debits and credits of this journal are not proved equal%s%.*s",
                                   each, SHUNT_TEXT_ARGS(within));
    if (r->end == PROOF_TOO_LARGE) {
        shunt_diag_here(k->diags, d, "there are too many cases to look through");
        shunt_diag_note(k->diags, d, "what does not balance is found when it runs: JOURNAL_UNBALANCED");
        shunt_diag_help(k->diags, d, "decide what is posted before the journal, or write a journal for each case");
        return;
    }
    shunt_text debits = lines_text(k, legs, count, true), credits = lines_text(k, legs, count, false);
    shunt_diag_note(k->diags, d, "debits = %.*s; credits = %.*s", SHUNT_TEXT_ARGS(debits), SHUNT_TEXT_ARGS(credits));
    tell_facts(k, d, r);
    if (differs)
        tell_difference(&w, d, at, r);
    else
        tell_open(p, &w, d, r, within.length > 0);
}

void tell_remainder(prover *p, const shunt_ast *line, const char *currency, const proof *r)
{
    check     *k = p->k;
    words      w = { .k = k };
    shunt_text text = { 0 };
    if (r->end == PROOF_EQUAL || r->end == PROOF_TOO_LARGE) return;
    memcpy(w.currency, currency, sizeof w.currency);
    for (int positive = 1; positive >= 0; positive--) {
        side s = side_of(&w, r, positive);
        if (!s.count) continue;
        text = joined(k, text, ", ", check_format(k, "%s`%.*s`", s.torn ? "a part of " : "", SHUNT_TEXT_ARGS(s.text)));
    }
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_W0502, line->span, "the remainder takes what is left of %.*s", SHUNT_TEXT_ARGS(text));
    shunt_diag_note(k->diags, d,
                    "nothing is rounded of these, so a wrong amount would end in this line, and the balance would say nothing");
    shunt_diag_help(k->diags, d,
                    "`check` before the journal that they come to nothing, or write the amount of this line outright");
}
