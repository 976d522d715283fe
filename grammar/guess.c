#include "grammar/mend.h"

/* A comma behind the last one of a list. */
bool shunt_mend_surplus_comma(shunt_parse *p, stack *ps, uint32_t i)
{
    uint32_t   level = shunt_map_level(ps);
    shunt_span span;
    if (!is_closer(kind_at(p, i)) || i == 0 || shunt_map_symbol(ps, level - 1, &span) != ',') return false;
    if (!fits(p, ps, level - 1, 0, i, 2)) return false;
    shunt_diag *d = shunt_complain(p, SHUNT_E0101, i - 1, "unexpected `,`");
    HERE("nothing follows it");
    HELP("remove it: the last one of a list has no comma behind it");
    shunt_map_unshift(ps);
    return true;
}

/* What was written so far wants a value, and here its line or block ends. */
bool shunt_mend_missing_value(shunt_parse *p, stack *ps, uint32_t i)
{
    const shunt_token *t = token_at(p, i);
    uint32_t           level = shunt_map_level(ps);
    bool               over = t->leads || is_closer(t->kind) || (is_operator(t->kind) && fits(p, ps, level, T_IDENT, i, 2));
    if (i == 0 || !over || !fits(p, ps, level, T_INT, i, 0) || !fits(p, ps, level, T_TSTART, i, 0)) return false;
    char word[SHUNT_PHRASE];
    shunt_explain_word(p, token_at(p, i - 1), word);
    const char *what = fits(p, ps, level, T_REMAINDER, i, 0) ? "an amount" : "a value";
    int         before = kind_at(p, i - 1);
    if (before == T_TSTART || before == T_TMID) {
        shunt_span brace = span_at(p, i - 1);
        brace = (shunt_span){ brace.end, brace.end + 1, brace.file };
        if (!is_quiet(p, i)) shunt_diag_add(p->diags, SHUNT_E0101, brace, "a value is missing between `{` and `}`");
    } else if (!is_quiet(p, i)) {
        shunt_complain(p, SHUNT_E0101, i - 1, "%s is missing after %s", what, bare(word));
    }
    shunt_insert(p, ps, T_IDENT, i);
    if (t->kind != T_YYEOF && p->quiet <= i) p->quiet = i + 1;
    return true;
}

/* A name that the words around it want. */
bool shunt_mend_missing_name(shunt_parse *p, stack *ps, uint32_t i)
{
    uint32_t level = shunt_map_level(ps);
    int      kind = kind_at(p, i), before = i > 0 ? kind_at(p, i - 1) : 0;
    bool     text = kind == T_STRING || kind == T_TSTART;
    if (i == 0 || (begins_value(kind) && !text)) return false;
    if (fits(p, ps, level, T_TSTART, i, 0) || !fits(p, ps, level, T_IDENT, i, 2)) return false;
    bool exit = before == T_REJECT || before == T_QUARANTINE || before == T_WARN || (i > 1 && kind_at(p, i - 2) == T_WHOLE);
    const char *what = exit ? "a code" : fits(p, ps, level, T_MONEY, i, 0) ? "a value" : "a name";
    char        word[SHUNT_PHRASE];
    shunt_explain_word(p, token_at(p, i - 1), word);
    shunt_complain(p, SHUNT_E0101, i - 1, "%s is missing after %s", what, bare(word));
    shunt_insert(p, ps, T_IDENT, i);
    return true;
}

/* ---- words that join ---- */

static const int connectives[] = {
    T_IN,   T_EACH, T_ELSE,  T_THEN,    T_FROM,     T_INTO,  T_IS, T_OF, T_TO, T_BY, T_AT, T_WHEN, T_WHERE,
    T_WITH, T_AS,   T_AFTER, T_THROUGH, T_FATARROW, T_ARROW, ',',  ':',  '=',  '{',  '(',  T_IF,
};

static bool sign_follows(const shunt_parse *p, uint32_t i, int kind) /* on this line */
{
    do {
        if (kind_at(p, i) == kind) return true;
    } while (!token_at(p, ++i)->leads && kind_at(p, i) != T_YYEOF);
    return false;
}

/* Whether it is likely that `kind` was left out before word `i`, or that the word stands in its place. */
static bool may_miss(const shunt_parse *p, const stack *ps, int kind, uint32_t i)
{
    const shunt_token *t = token_at(p, i);
    uint32_t           level = shunt_map_level(ps);
    int                before = i > 0 ? kind_at(p, i - 1) : 0;
    bool               value = fits(p, ps, level, '+', 0, 0); /* a value is complete */
    switch (kind) {
    case '=': return !value && !t->leads; /* behind a value it compares, which nobody forgets */
    case ':': return !t->leads && (!fits(p, ps, level, '=', 0, 0) || sign_follows(p, i, '='));
    case '{': return t->leads || !value || begins_item(t->kind) || !begins_statement(t->kind);
    case '(': return before == T_WITH || before == T_IN || before == T_NOTIN || before == T_MAX;
    case T_IF: return before == T_ELSE;
    case T_ELSE:
    case T_OTHERWISE: return true;
    case ',': return !t->leads; /* else rather the next item */
    case T_WITH: return !t->leads && t->kind == '(';
    default: return !t->leads && !is_complete(p, ps);
    }
}

static bool exchange(shunt_parse *p, const stack *ps, uint32_t i, int kind, uint32_t words)
{
    char sign[4];
    if (!may_miss(p, ps, kind, i) || !fits(p, ps, shunt_map_level(ps), kind, i + 1, words)) return false;
    shunt_diag *d = shunt_unexpected(p, i);
    HERE("write `%s`", shunt_explain_kind(kind, sign));
    token_at(p, i)->kind = (uint16_t)kind;
    return true;
}

bool shunt_mend_exchange(shunt_parse *p, stack *ps, uint32_t i)
{
    char sign[4];
    int  kind = kind_at(p, i);
    bool word = shunt_token_word(kind) != NULL;
    if (!word && (!shunt_explain_kind(kind, sign) || is_closer(kind))) return false;
    if (is_opener(kind) || kind == '.' || (word && token_at(p, i)->leads)) return false; /* rather the beginning of something */
    if (kind == T_ELSE && exchange(p, ps, i, T_OTHERWISE, AHEAD - 1)) return true;
    for (size_t k = 0; k < SHUNT_COUNT(connectives) && !(word && is_complete(p, ps)); k++) {
        int  meant = connectives[k];
        bool never = meant == '{' || meant == '(' || meant == T_IF || (word && meant == ',');
        if (never || meant == kind || (shunt_token_word(meant) && !word)) continue;
        if (exchange(p, ps, i, meant, AHEAD - 1)) return true;
    }
    if (kind == T_FATARROW && fits(p, ps, shunt_map_level(ps), T_GE, i + 1, 2)) {
        shunt_diag *d = shunt_complain(p, SHUNT_E0104, i, "`=>` is not an operator here");
        HERE("write `>=`");
        token_at(p, i)->kind = T_GE;
        return true;
    }
    return false;
}

bool shunt_mend_missing(shunt_parse *p, stack *ps, uint32_t i)
{
    char sign[4], word[SHUNT_PHRASE];
    for (size_t k = 0; k < SHUNT_COUNT(connectives); k++) {
        int kind = connectives[k];
        if (!may_miss(p, ps, kind, i) || !fits(p, ps, shunt_map_level(ps), kind, i, AHEAD)) continue;
        shunt_explain_word(p, token_at(p, i), word);
        shunt_complain(p, SHUNT_E0101, i, "`%s` is missing before %s", shunt_explain_kind(kind, sign), bare(word));
        shunt_insert(p, ps, kind, i);
        return true;
    }
    return false;
}

/* The one word that may stand here is missing, and this one may follow it. */
bool shunt_mend_sole(shunt_parse *p, stack *ps, uint32_t i)
{
    char sign[4], word[SHUNT_PHRASE];
    int  sole = shunt_explain_sole(ps);
    if (sole == 0 || sole == T_MODULE || !shunt_explain_kind(sole, sign)) return false;
    if (!fits(p, ps, shunt_map_level(ps), sole, i, 1)) return false;
    shunt_explain_word(p, token_at(p, i), word);
    shunt_complain(p, SHUNT_E0101, i, "`%s` is missing before %s", shunt_explain_kind(sole, sign), bare(word));
    shunt_insert(p, ps, sole, i);
    return true;
}

/* ---- operators ---- */

/* Whether the line of word `i` has a `)` that nothing on it opened. */
static bool closes_on_line(const shunt_parse *p, uint32_t i)
{
    int depth = 0;
    while (i > 0 && !token_at(p, i)->leads) i--;
    do {
        depth += is_opener(kind_at(p, i)) - is_closer(kind_at(p, i));
        if (depth < 0) return kind_at(p, i) == ')';
        i++;
    } while (!token_at(p, i)->leads && kind_at(p, i) != T_YYEOF);
    return false;
}

/* Two values side by side. */
bool shunt_mend_missing_operator(shunt_parse *p, stack *ps, uint32_t i)
{
    uint32_t level = shunt_map_level(ps);
    char     word[SHUNT_PHRASE];
    if (token_at(p, i)->leads || !begins_value(kind_at(p, i)) || !fits(p, ps, level, '+', i, 2)) return false;
    bool call = i > 0 && kind_at(p, i - 1) == T_IDENT && closes_on_line(p, i) && fits(p, ps, level, '(', i, 2);
    shunt_explain_word(p, token_at(p, i), word);
    shunt_diag *d = shunt_complain(p, SHUNT_E0101, i, "%s is missing before %s", call ? "`(`" : "an operator", bare(word));
    if (!call) HERE("such as `+`, `and` or `otherwise`");
    shunt_insert(p, ps, call ? '(' : '+', i);
    return true;
}

/* ---- what is too much ---- */

bool shunt_mend_surplus(shunt_parse *p, stack *ps, uint32_t i)
{
    uint32_t level = shunt_map_level(ps);
    char     sign[4];
    bool     removable = shunt_explain_kind(kind_at(p, i), sign) && !is_opener(kind_at(p, i)) && !token_at(p, i)->leads;
    if (!removable || kind_at(p, i) == T_TEXTBLOCK || !fits(p, ps, level, 0, i + 1, AHEAD)) return false;
    p->next = i + 1;
    if (kind_at(p, i) == ',' && p->commas++) return true; /* said once, with their number */
    shunt_diag *d = shunt_unexpected(p, i);
    if (kind_at(p, i) == ',') {
        HELP("remove it: fields and statements need no `,` between them");
        p->comma_diag = d && d != &p->diags->spare ? p->diags->count : 0;
    } else {
        HELP("remove it");
    }
    return true;
}
