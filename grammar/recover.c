/* A word that does not fit is looked at in this order: a bracket that was forgotten, slips that are known by their look, a
 * keyword used as a name, a misspelled keyword, one word too few, too many or in the place of another. Each guess is tried on the
 * stack with the words that follow, and the first that fits is both the message and the way on. If none fits, the innermost
 * list skips to its next item. */
#include "grammar/recover.h"

#include "grammar/mend.h"

/* A `}` that stands too far to the right may have closed a declaration too early. */
static void blame_early_close(shunt_parse *p, stack *ps, uint32_t i, shunt_diag *d)
{
    struct open_brackets open = shunt_open_brackets(p, ps, shunt_map_level(ps));
    uint32_t             depth = 0, opener = 0, early = 0;
    if (open.count || !d || !shunt_token_word(kind_at(p, i))) return;
    for (uint32_t k = 0; k < i; k++) {
        const shunt_token *t = token_at(p, k);
        if (t->kind == '{' && depth++ == 0) opener = k;
        if (t->kind == '}' && depth > 0 && --depth == 0) early = t->leads && t->indent > token_at(p, opener)->indent ? k : 0;
    }
    if (!early) return;
    shunt_diag_also(p->diags, d, span_at(p, early), "this `}` closed the block of line %u", (unsigned)line_of(p, opener));
}

static void help_else(shunt_parse *p, const stack *ps, shunt_diag *d)
{
    shunt_span at;
    uint32_t   level = shunt_map_level(ps);
    if (!fits(p, ps, level, T_ELSE, 0, 0)) return;
    while (level-- > 0) {
        int kind = shunt_map_symbol(ps, level, &at);
        if (kind == T_CHECK) HELP("a check says what happens when it fails: `check a = b else quarantine CODE`");
        if (kind == T_THEN) HELP("a choice has a value for both cases: `if a = b then x else y`");
        if (kind == T_CHECK || kind == T_THEN) return;
    }
}

/* What ends with its line, though it is not complete, is pointed at behind its last word. */
static shunt_diag *unfinished(shunt_parse *p, const stack *ps, uint32_t i)
{
    char word[SHUNT_PHRASE];
    if (i == 0 || !token_at(p, i)->leads || is_complete(p, ps)) return shunt_unexpected(p, i);
    shunt_explain_word(p, token_at(p, i - 1), word);
    return is_quiet(p, i) ? NULL : shunt_complain(p, SHUNT_E0101, i - 1, "unexpected end of the line after %s", bare(word));
}

static void explain(shunt_parse *p, stack *ps, uint32_t i)
{
    char        phrase[SHUNT_PHRASE];
    shunt_diag *d = unfinished(p, ps, i);
    if (!d) return;
    struct open_brackets open = shunt_open_brackets(p, ps, shunt_map_level(ps));
    if (kind_at(p, i) == '}' && open.count == 0) {
        HERE("no block is open here");
        return;
    }
    uint32_t level = shunt_map_level(ps);
    shunt_explain_expected(ps, token_at(p, i)->leads, phrase);
    HERE("%s", phrase);
    help_else(p, ps, d);
    if (fits(p, ps, level, T_MAX, i, 0) && !fits(p, ps, level, T_INT, i, 0))
        HELP("a list says how many it holds at most: `list of int max 50`");
    if (fits(p, ps, level, T_MODULE, i, 0)) HELP("a file begins with its name: `module acme.billing version \"1.0.0\"`");
    blame_early_close(p, ps, i, d);
}

static void mend(shunt_parse *p, stack *ps)
{
    static shunt_mend *const ways[] = {
        shunt_mend_check,        shunt_mend_brackets, shunt_mend_grouping,         shunt_mend_where,        shunt_mend_question,
        shunt_mend_assignment,   shunt_mend_foreign,  shunt_mend_surplus_comma,    shunt_mend_items,        shunt_mend_is,
        shunt_mend_return,       shunt_mend_state,    shunt_mend_missing_value,    shunt_mend_keyword_name, shunt_mend_spelling,
        shunt_mend_missing_name, shunt_mend_literal,  shunt_mend_quotes,           shunt_mend_parentheses,  shunt_mend_exchange,
        shunt_mend_missing,      shunt_mend_sole,     shunt_mend_missing_operator, shunt_mend_surplus,
    };
    uint32_t i = p->next;
    for (size_t k = 0; k < SHUNT_COUNT(ways); k++)
        if (ways[k](p, ps, i)) return;
    const shunt_token *t = token_at(p, i);
    if ((t->leads || !begins_statement(t->kind)) && shunt_close_brackets(p, ps, i, t->leads)) return;
    explain(p, ps, i);
    shunt_skip(p, ps, i);
}

/* Words that fit, but only to leave the next one without a place. */
static bool mend_early(shunt_parse *p, stack *ps, uint32_t i)
{
    int kind = kind_at(p, i);
    if (kind == '*') return shunt_mend_stars(p, ps, i);
    bool account = i > 0 && (kind_at(p, i - 1) == T_DEBIT || kind_at(p, i - 1) == T_CREDIT);
    if (account && shunt_mend_account(p, ps, i)) return true;
    if (kind == T_IF && shunt_mend_when(p, ps, i)) return true;
    if (kind != T_IDENT && (!shunt_token_word(kind) || token_at(p, i + 1)->leads)) return false;
    uint32_t level = shunt_map_level(ps);
    if (!fits(p, ps, level, 0, i, 1) || fits(p, ps, level, 0, i, 2)) return false;
    bool value = kind == T_IF || kind == T_NOT || kind == T_MATCH;
    return (!value && shunt_mend_keyword_name(p, ps, i)) || shunt_mend_spelling(p, ps, i);
}

/* The numbers of what was said once. */
static void count_repeats(shunt_parse *p)
{
    shunt_diags *list = p->diags;
    const struct {
        uint32_t diag, count;
    } repeats[] = {
        { p->scan->semicolon_diag, p->scan->semicolons },
        { p->comma_diag, p->commas },
    };
    for (size_t i = 0; i < SHUNT_COUNT(repeats); i++)
        if (repeats[i].diag && repeats[i].diag <= list->count && repeats[i].count > 1)
            shunt_diag_note(list, &list->items[repeats[i].diag - 1], "%u more like it in this file",
                            (unsigned)repeats[i].count - 1);
}

/* The rest of the file is left out, and what was read is the module. */
static void finish(shunt_parse *p, stack *ps)
{
    uint32_t end = p->scan->tokens.count - 1;
    shunt_map_skip(ps, shunt_outermost(ps), span_at(p, end));
    shunt_shift(p, ps, T_YYEOF, span_at(p, end), NULL);
}

void shunt_recover_run(shunt_parse *p)
{
    stack   *ps = shunt_map_begin(p->scratch);
    uint32_t before = p->diags->errors;
    if (!ps) p->failed = true;
    while (!p->failed && !p->over) {
        const shunt_token *t = token_at(p, p->next);
        if (mend_early(p, ps, p->next)) continue;
        if (!fits(p, ps, shunt_map_level(ps), 0, p->next, 1)) {
            if (t->kind == T_YYEOF && p->scan->cut) p->quiet = UINT32_MAX;
            if (p->diags->errors - before >= SHUNT_SCAN_FAULTS)
                finish(p, ps);
            else
                mend(p, ps);
            continue;
        }
        shunt_ast *leaf = shunt_tree_token(p, t);
        if (p->failed) break;
        shunt_shift(p, ps, t->kind, span_at(p, p->next), leaf);
        p->next++;
    }
    count_repeats(p);
}
