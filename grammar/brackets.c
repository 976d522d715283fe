#include "grammar/mend.h"

struct open_brackets shunt_open_brackets(const shunt_parse *p, const stack *ps, uint32_t level)
{
    struct open_brackets open = { .count = 0 };
    for (uint32_t i = 0; i < level && open.count < SHUNT_COUNT(open.tokens); i++) {
        shunt_span at;
        int        kind = shunt_map_symbol(ps, i, &at);
        if (!is_opener(kind)) continue;
        open.kinds[open.count] = kind;
        open.made[open.count] = at.begin == at.end;
        open.tokens[open.count] = find_token(p, at.begin);
        open.levels[open.count++] = i;
    }
    return open;
}

/* The first block whose `}` stands further to the left than the line it was opened on: a `}` before it is missing.
 * False where the indentation shows nothing. */
static bool find_dedent(const shunt_parse *p, uint32_t from, uint32_t to, uint32_t *opener, uint32_t *closer)
{
    uint32_t stack_of[SHUNT_SCAN_DEPTH + 1], depth = 0;
    for (uint32_t i = from; i < to; i++) {
        const shunt_token *t = token_at(p, i);
        if (t->kind == '{' && depth < SHUNT_COUNT(stack_of)) stack_of[depth++] = i;
        if (t->kind != '}' || depth == 0) continue;
        *opener = stack_of[--depth];
        *closer = i;
        if (t->leads && t->indent < token_at(p, *opener)->indent) return true;
    }
    return false;
}

static void say_unclosed(shunt_parse *p, const struct open_brackets *open, uint32_t closed, uint32_t index)
{
    const shunt_token *t = token_at(p, index);
    uint32_t           opener = open->tokens[open->count - 1], closer = 0;
    if (is_quiet(p, index) || open->made[open->count - 1]) return;
    bool dedent = token_at(p, opener)->kind == '{' && find_dedent(p, open->tokens[open->count - closed], index, &opener, &closer);
    for (uint32_t i = open->count; !dedent && t->kind != T_YYEOF && i-- > open->count - closed;) {
        opener = open->tokens[i];
        if (token_at(p, opener)->kind != '{' || token_at(p, opener)->indent >= t->indent) break;
    }
    int         kind = kind_at(p, opener);
    char        sign[4], close[4], word[SHUNT_PHRASE];
    shunt_diag *d = kind == '{' ? shunt_diag_add(p->diags, SHUNT_E0102, span_at(p, opener), "this block is not closed")
                                : shunt_diag_add(p->diags, SHUNT_E0102, span_at(p, opener), "this `%s` is not closed",
                                                 shunt_explain_kind(kind, sign));
    shunt_diag_here(p->diags, d, "opened here");
    shunt_explain_word(p, t, word);
    if (dedent) {
        shunt_diag_also(p->diags, d, span_at(p, closer), "this `}` closes it, and stands where an outer one would");
        shunt_diag_help(p->diags, d, "add `}` before line %u", (unsigned)line_of(p, closer));
        return;
    }
    if (t->kind == T_YYEOF)
        shunt_diag_also(p->diags, d, span_at(p, index), "the file ends here");
    else
        shunt_diag_also(p->diags, d, span_at(p, index), "%s cannot stand inside it", bare(word));
    const char *right = shunt_explain_kind(closer_of(kind), close);
    if (t->kind == T_YYEOF && closed == 2)
        shunt_diag_help(p->diags, d, "close it with `%s`, and the one around it", right);
    else if (t->kind == T_YYEOF && closed > 2)
        shunt_diag_help(p->diags, d, "close it with `%s`, and the %u around it", right, (unsigned)closed - 1);
    else
        shunt_diag_help(p->diags, d, "close it with `%s`", right);
}

/* Word `index` fits behind one or more closing brackets. */
bool shunt_close_brackets(shunt_parse *p, stack *ps, uint32_t index, bool blocks)
{
    struct open_brackets open = shunt_open_brackets(p, ps, shunt_map_level(ps));
    uint16_t             kinds[SHUNT_SCAN_DEPTH + 3];
    for (uint32_t n = 1; n <= open.count; n++) {
        int opener = open.kinds[open.count - n];
        if ((opener == '{' && !blocks) || opener == T_TSTART) return false;
        kinds[n - 1] = (uint16_t)closer_of(opener);
        kinds[n] = token_at(p, index)->kind;
        kinds[n + 1] = token_at(p, index + 1)->kind;
        bool     alone = kinds[n] == T_YYEOF || (opener != '{' && token_at(p, index)->leads);
        uint32_t count = alone ? n + 1 : n + 2;
        if (!shunt_map_accepts(ps, shunt_map_level(ps), kinds, count)) continue;
        say_unclosed(p, &open, n, index);
        for (uint32_t i = 0; i < n; i++)
            if (!shunt_insert(p, ps, kinds[i], index)) return true;
        p->quiet = index + 2;
        return true;
    }
    return false;
}

/* A `(` or `[` that a word goes beyond which begins nothing and can stand nowhere inside. */
bool shunt_mend_parentheses(shunt_parse *p, stack *ps, uint32_t i)
{
    int  kind = kind_at(p, i);
    bool goes_on = (shunt_token_word(kind) && !begins_statement(kind)) || kind == '{' || is_closer(kind);
    return goes_on && shunt_close_brackets(p, ps, i, false);
}

bool shunt_mend_brackets(shunt_parse *p, stack *ps, uint32_t index)
{
    const shunt_token *t = token_at(p, index);
    if (t->kind == T_YYEOF) return shunt_close_brackets(p, ps, index, true);
    if (t->leads && !is_closer(t->kind)) {
        struct open_brackets open = shunt_open_brackets(p, ps, shunt_map_level(ps));
        bool                 outside = open.count && t->indent <= token_at(p, open.tokens[open.count - 1])->indent;
        if (outside) return shunt_close_brackets(p, ps, index, true);
    }
    return false;
}

/* ---- skipping ---- */

/* Words with which only a declaration begins. */
static bool begins_declaration(int kind)
{
    switch (kind) {
    case T_IMPORT:
    case T_SOURCE:
    case T_TARGET:
    case T_TABLE:
    case T_ENUM:
    case T_CODES:
    case T_OPEN:
    case T_DECIDE:
    case T_FUNCTION:
    case T_EXTERN:
    case T_MAP:
    case T_OVERLAY:
    case T_TEST:
    case T_GOLDEN: return true;
    default: return false;
    }
}

static bool resumes(const shunt_parse *p, const stack *ps, uint32_t level, uint32_t i)
{
    uint16_t kinds[2] = { token_at(p, i)->kind, token_at(p, i + 1)->kind };
    bool     starts = token_at(p, i)->leads || begins_item(kinds[0]) || is_closer(kinds[0]) || kinds[0] == T_YYEOF ||
                  (kinds[0] == T_IDENT && kinds[1] == ':');
    return starts && shunt_map_accepts_after_error(ps, level, kinds, kinds[0] == T_YYEOF || is_closer(kinds[0]) ? 1 : 2);
}

/* The outermost list that can skip: the declarations, or the file. */
uint32_t shunt_outermost(const stack *ps)
{
    uint32_t level = 0;
    for (uint32_t next = shunt_map_level(ps); (next = shunt_map_error_level(ps, next)) > 0; next--) level = next;
    return level;
}

static bool opens_block(const int *open, uint32_t depth)
{
    while (depth > 0)
        if (open[--depth] == '{') return true;
    return false;
}

/* Skips to the next item of the innermost list, brackets and all; to the next declaration where one begins at the left. */
void shunt_skip(shunt_parse *p, stack *ps, uint32_t i)
{
    uint32_t             level = shunt_map_error_level(ps, shunt_map_level(ps)), outer = shunt_outermost(ps), depth = 0;
    int                  open[SHUNT_SCAN_DEPTH + 1];
    struct open_brackets all = shunt_open_brackets(p, ps, shunt_map_level(ps));
    for (uint32_t k = 0; k < all.count; k++)
        if (all.levels[k] >= level && depth < SHUNT_COUNT(open)) open[depth++] = all.kinds[k];
    uint16_t indent = token_at(p, i)->indent;
    for (;; i++) {
        const shunt_token *t = token_at(p, i);
        bool beside = t->leads && t->indent <= indent && !opens_block(open, depth); /* a bracket was left open before */
        if ((depth == 0 || beside) && resumes(p, ps, level, i)) break;
        if (t->leads && t->indent == 0 && begins_declaration(t->kind) && resumes(p, ps, outer, i)) {
            level = outer;
            break;
        }
        if (t->kind == T_YYEOF) {
            level = outer;
            break;
        }
        if (is_opener(t->kind)) {
            if (depth < SHUNT_COUNT(open)) open[depth++] = t->kind;
        } else if (is_closer(t->kind)) {
            uint32_t match = depth;
            while (match > 0 && closer_of(open[match - 1]) != t->kind) match--;
            if (match > 0)
                depth = match - 1;
            else if (t->kind == '}') { /* of the block around this list, past brackets that stand open */
                depth = 0;
                if (resumes(p, ps, level, i)) break;
            }
        }
    }
    shunt_span at = span_at(p, p->next);
    at.end = span_at(p, i).begin > at.begin ? span_at(p, i > p->next ? i - 1 : i).end : at.begin;
    shunt_map_skip(ps, level, at);
    uint32_t quiet = i + (token_at(p, i)->leads ? 1 : 2);
    if (quiet > p->quiet) p->quiet = quiet;
    p->next = i;
}
