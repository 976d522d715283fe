/* A word that does not fit is looked at in this order: a bracket that was forgotten, slips that are known by their look, a
 * keyword used as a name, a misspelled keyword, one word too few, too many or in the place of another. Each guess is tried on the
 * stack with the words that follow, and the first that fits is both the message and the way on. If none fits, the innermost
 * list skips to its next item. */
#include "grammar/recover.h"

#include <stdio.h>

#include "grammar/explain.h"

#include "map.tab.h"

typedef struct shunt_map_pstate stack;

/* ---- the words ---- */

static shunt_token *
token_at(const shunt_parse *p, uint32_t index)
{
    const shunt_token_list *list = &p->scan->tokens;
    return &list->items[index < list->count ? index : list->count - 1];
}

static int
kind_at(const shunt_parse *p, uint32_t index)
{
    return token_at(p, index)->kind;
}

/* The end of the file is shown behind the last word. */
static shunt_span
span_at(const shunt_parse *p, uint32_t index)
{
    const shunt_token *t = token_at(p, index);
    if (t->kind != T_YYEOF || p->scan->tokens.count < 2) return (shunt_span){ t->begin, t->end, p->file };
    const shunt_token *last = token_at(p, p->scan->tokens.count - 2);
    return (shunt_span){ last->end, last->end, p->file };
}

static shunt_text
text_at(const shunt_parse *p, uint32_t index)
{
    return shunt_tree_source(p, (shunt_span){ token_at(p, index)->begin, token_at(p, index)->end, p->file });
}

static bool
touches(const shunt_parse *p, uint32_t index) /* the word before it, without a blank */
{
    return index > 0 && token_at(p, index - 1)->end == token_at(p, index)->begin;
}

/* Number of the word that begins at `begin`. */
static uint32_t
find_token(const shunt_parse *p, uint32_t begin)
{
    uint32_t low = 0, high = p->scan->tokens.count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (token_at(p, middle)->begin < begin) low = middle + 1;
        else high = middle;
    }
    return low;
}

static bool
is_opener(int kind)
{
    return kind == '{' || kind == '(' || kind == '[' || kind == T_TSTART;
}

static bool
is_closer(int kind)
{
    return kind == '}' || kind == ')' || kind == ']' || kind == T_TEND;
}

static int
closer_of(int kind)
{
    return kind == '{' ? '}' : kind == '(' ? ')' : kind == '[' ? ']' : T_TEND;
}

static uint32_t
line_of(const shunt_parse *p, uint32_t index)
{
    uint32_t line = 1, end = token_at(p, index)->begin;
    for (uint32_t i = 0; i < end; i++) line += p->source.bytes[i] == '\n';
    return line;
}

/* ---- trying ---- */

enum { AHEAD = 3 };

/* Whether `first` (0: nothing) and then the words from `from` on may follow the stack up to `level`. */
static bool
fits(const shunt_parse *p, const stack *ps, uint32_t level, int first, uint32_t from, uint32_t words)
{
    uint16_t kinds[AHEAD + 1];
    uint32_t count = 0;
    if (first) kinds[count++] = (uint16_t)first;
    for (uint32_t i = 0; i < words; i++) {
        kinds[count++] = token_at(p, from + i)->kind;
        if (kinds[count - 1] == T_YYEOF) break;
    }
    return shunt_map_accepts(ps, level, kinds, count);
}

/* Whether the construct before this may end here, so that the next item may begin. */
static bool
is_complete(const shunt_parse *p, const stack *ps)
{
    uint32_t level = shunt_map_level(ps);
    return fits(p, ps, level, '}', 0, 0) || fits(p, ps, level, T_MAP, 0, 0);
}

/* False where the parser has come to its end. */
static bool
shift(shunt_parse *p, stack *ps, int kind, shunt_span at, shunt_ast *leaf)
{
    int state = shunt_map_push_parse(ps, kind, &leaf, &at, p);
    if (state == YYPUSH_MORE) return true;
    p->over = true;
    if (state != 0) { /* the stack is full: the only way to fail for a word that was tried before */
        shunt_diag *d = shunt_diag_add(p->diags, SHUNT_E0912, at, "too many parts stand inside each other");
        shunt_diag_help(p->diags, d, "give parts of it a name with `let`, or move them to a function");
    }
    return false;
}

/* A word that is missing, before word `index`. */
static bool
insert(shunt_parse *p, stack *ps, int kind, uint32_t index)
{
    shunt_span at = span_at(p, index);
    at.end = at.begin;
    return shift(p, ps, kind, at, kind == T_IDENT ? shunt_tree_leaf(p, SHUNT_AST_ERROR, at, (shunt_text){ NULL, 0 }) : NULL);
}

/* ---- messages ---- */

static bool
is_quiet(const shunt_parse *p, uint32_t index)
{
    if (index < p->quiet) return true;
    for (uint32_t i = index ? index - 1 : 0; i <= index + 1; i++)
        if (token_at(p, i)->tainted) return true;
    return false;
}

/* One diagnostic about word `index`, or NULL where it follows from an earlier one. */
static shunt_diag *
complain(shunt_parse *p, shunt_status code, uint32_t index, const char *format, ...) SHUNT_PRINTF(4, 5);
static shunt_diag *
complain(shunt_parse *p, shunt_status code, uint32_t index, const char *format, ...)
{
    if (is_quiet(p, index)) return NULL;
    char    text[2 * SHUNT_PHRASE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return shunt_diag_add(p->diags, code, span_at(p, index), "%s", text);
}

#define HERE(...) do { if (d) shunt_diag_here(p->diags, d, __VA_ARGS__); } while (0)
#define HELP(...) do { if (d) shunt_diag_help(p->diags, d, __VA_ARGS__); } while (0)
#define ALSO(at, ...) do { if (d) shunt_diag_also(p->diags, d, (at), __VA_ARGS__); } while (0)

static const char *
bare(const char *word) /* the phrase without what it is */
{
    return strncmp(word, "word ", 5) == 0 ? word + 5 : word;
}

static shunt_diag *
unexpected(shunt_parse *p, uint32_t index)
{
    char word[SHUNT_PHRASE];
    shunt_explain_word(p, token_at(p, index), word);
    return complain(p, SHUNT_E0101, index, "unexpected %s", word);
}

static bool begins_statement(int kind);
static bool begins_value(int kind);

/* ---- brackets ---- */

struct open_brackets {
    uint32_t tokens[SHUNT_SCAN_DEPTH + 1]; /* numbers of the words, outermost first; of one that was put there, of the next word */
    int      kinds[SHUNT_SCAN_DEPTH + 1];
    bool     made[SHUNT_SCAN_DEPTH + 1];   /* put there, as it was missing */
    uint32_t levels[SHUNT_SCAN_DEPTH + 1]; /* height of the stack below each */
    uint32_t count;
};

static struct open_brackets
open_brackets(const shunt_parse *p, const stack *ps, uint32_t level)
{
    struct open_brackets open = { .count = 0 };
    for (uint32_t i = 0; i < level && open.count < SHUNT_COUNT(open.tokens); i++) {
        shunt_span at;
        int        kind = shunt_map_symbol(ps, i, &at);
        if (!is_opener(kind)) continue;
        open.kinds[open.count]    = kind;
        open.made[open.count]     = at.begin == at.end;
        open.tokens[open.count]   = find_token(p, at.begin);
        open.levels[open.count++] = i;
    }
    return open;
}

/* The first block whose `}` stands further to the left than the line it was opened on: a `}` before it is missing.
 * False where the indentation shows nothing. */
static bool
find_dedent(const shunt_parse *p, uint32_t from, uint32_t to, uint32_t *opener, uint32_t *closer)
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

static void
say_unclosed(shunt_parse *p, const struct open_brackets *open, uint32_t closed, uint32_t index)
{
    const shunt_token *t = token_at(p, index);
    uint32_t opener = open->tokens[open->count - 1], closer = 0;
    if (is_quiet(p, index) || open->made[open->count - 1]) return;
    bool dedent = token_at(p, opener)->kind == '{' && find_dedent(p, open->tokens[open->count - closed], index, &opener, &closer);
    for (uint32_t i = open->count; !dedent && t->kind != T_YYEOF && i-- > open->count - closed;) {
        opener = open->tokens[i];
        if (token_at(p, opener)->kind != '{' || token_at(p, opener)->indent >= t->indent) break;
    }
    int kind = kind_at(p, opener);
    char sign[4], close[4], word[SHUNT_PHRASE];
    shunt_diag *d = kind == '{' ? shunt_diag_add(p->diags, SHUNT_E0102, span_at(p, opener), "this block is not closed")
        : shunt_diag_add(p->diags, SHUNT_E0102, span_at(p, opener), "this `%s` is not closed", shunt_explain_kind(kind, sign));
    shunt_diag_here(p->diags, d, "opened here");
    shunt_explain_word(p, t, word);
    if (dedent) {
        shunt_diag_also(p->diags, d, span_at(p, closer), "this `}` closes it, and stands where an outer one would");
        shunt_diag_help(p->diags, d, "add `}` before line %u", (unsigned)line_of(p, closer));
        return;
    }
    if (t->kind == T_YYEOF) shunt_diag_also(p->diags, d, span_at(p, index), "the file ends here");
    else shunt_diag_also(p->diags, d, span_at(p, index), "%s cannot stand inside it", bare(word));
    if (t->kind == T_YYEOF && closed == 2) shunt_diag_help(p->diags, d, "close it with `%s`, and the one around it", shunt_explain_kind(closer_of(kind), close));
    else if (t->kind == T_YYEOF && closed > 2)
        shunt_diag_help(p->diags, d, "close it with `%s`, and the %u around it", shunt_explain_kind(closer_of(kind), close), (unsigned)closed - 1);
    else shunt_diag_help(p->diags, d, "close it with `%s`", shunt_explain_kind(closer_of(kind), close));
}

/* Word `index` fits behind one or more closing brackets. */
static bool
close_brackets(shunt_parse *p, stack *ps, uint32_t index, bool blocks)
{
    struct open_brackets open = open_brackets(p, ps, shunt_map_level(ps));
    uint16_t kinds[SHUNT_SCAN_DEPTH + 3];
    for (uint32_t n = 1; n <= open.count; n++) {
        int opener = open.kinds[open.count - n];
        if ((opener == '{' && !blocks) || opener == T_TSTART) return false;
        kinds[n - 1] = (uint16_t)closer_of(opener);
        kinds[n]     = token_at(p, index)->kind;
        kinds[n + 1] = token_at(p, index + 1)->kind;
        bool     alone = kinds[n] == T_YYEOF || (opener != '{' && token_at(p, index)->leads);
        uint32_t count = alone ? n + 1 : n + 2;
        if (!shunt_map_accepts(ps, shunt_map_level(ps), kinds, count)) continue;
        say_unclosed(p, &open, n, index);
        for (uint32_t i = 0; i < n; i++)
            if (!insert(p, ps, kinds[i], index)) return true;
        p->quiet = index + 2;
        return true;
    }
    return false;
}

/* A `(` or `[` that a word goes beyond which begins nothing and can stand nowhere inside. */
static bool
mend_parentheses(shunt_parse *p, stack *ps, uint32_t i)
{
    int kind = kind_at(p, i);
    bool goes_on = (shunt_token_word(kind) && !begins_statement(kind)) || kind == '{' || is_closer(kind);
    return goes_on && close_brackets(p, ps, i, false);
}

static bool
mend_brackets(shunt_parse *p, stack *ps, uint32_t index)
{
    const shunt_token *t = token_at(p, index);
    if (t->kind == T_YYEOF) return close_brackets(p, ps, index, true);
    if (t->leads && !is_closer(t->kind)) {
        struct open_brackets open = open_brackets(p, ps, shunt_map_level(ps));
        bool outside = open.count && t->indent <= token_at(p, open.tokens[open.count - 1])->indent;
        if (outside) return close_brackets(p, ps, index, true);
    }
    return false;
}

/* ---- skipping ---- */

static bool
begins_item(int kind)
{
    switch (kind) {
    case T_LET: case T_CHECK: case T_ADD: case T_EMIT: case T_JOURNAL: case T_STEP: case T_DEBIT: case T_CREDIT: case T_COLUMN: case T_KEY:
    case T_RECORD: case T_SEGMENT: case T_TALLY: case T_CORRELATE: case T_ENCODE: case T_EXPECT: case T_GIVEN: case T_EXCEPTIONS:
    case T_REPLACE:
        return true;
    default:
        return false;
    }
}

static bool
begins_statement(int kind)
{
    switch (kind) {
    case T_FOR: case T_IF: case T_MATCH: case T_REJECT: case T_QUARANTINE: case T_WARN: case T_SKIP: case T_NOTHING:
        return true;
    default:
        return begins_item(kind);
    }
}

/* Words with which only a declaration begins. */
static bool
begins_declaration(int kind)
{
    switch (kind) {
    case T_IMPORT: case T_SOURCE: case T_TARGET: case T_TABLE: case T_ENUM: case T_CODES: case T_OPEN: case T_DECIDE: case T_FUNCTION:
    case T_EXTERN: case T_MAP: case T_OVERLAY: case T_TEST: case T_GOLDEN:
        return true;
    default:
        return false;
    }
}

static bool
resumes(const shunt_parse *p, const stack *ps, uint32_t level, uint32_t i)
{
    uint16_t kinds[2] = { token_at(p, i)->kind, token_at(p, i + 1)->kind };
    bool starts = token_at(p, i)->leads || begins_item(kinds[0]) || is_closer(kinds[0]) || kinds[0] == T_YYEOF
        || (kinds[0] == T_IDENT && kinds[1] == ':');
    return starts && shunt_map_accepts_after_error(ps, level, kinds, kinds[0] == T_YYEOF || is_closer(kinds[0]) ? 1 : 2);
}

/* The outermost list that can skip: the declarations, or the file. */
static uint32_t
outermost(const stack *ps)
{
    uint32_t level = 0;
    for (uint32_t next = shunt_map_level(ps); (next = shunt_map_error_level(ps, next)) > 0; next--) level = next;
    return level;
}

static bool
opens_block(const int *open, uint32_t depth)
{
    while (depth > 0)
        if (open[--depth] == '{') return true;
    return false;
}

/* Skips to the next item of the innermost list, brackets and all; to the next declaration where one begins at the left. */
static void
skip(shunt_parse *p, stack *ps, uint32_t i)
{
    uint32_t level = shunt_map_error_level(ps, shunt_map_level(ps)), outer = outermost(ps), depth = 0;
    int      open[SHUNT_SCAN_DEPTH + 1];
    struct open_brackets all = open_brackets(p, ps, shunt_map_level(ps));
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
            if (match > 0) depth = match - 1;
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

/* ---- slips known by their look ---- */

static bool
is_number(int kind)
{
    return kind == T_INT || kind == T_DECIMAL;
}

static bool
mend_grouping(shunt_parse *p, stack *ps, uint32_t i)
{
    (void)ps;
    if (kind_at(p, i) != ',' || i == 0 || kind_at(p, i - 1) != T_INT || !touches(p, i)) return false;
    uint32_t end = i;
    while (kind_at(p, end) == ',' && touches(p, end + 1)
        && (is_number(kind_at(p, end + 1)) || kind_at(p, end + 1) == T_MONEY || kind_at(p, end + 1) == T_PERCENT)) end += 2;
    if (end == i) return false;
    shunt_span at = span_at(p, i - 1);
    at.end = span_at(p, end - 1).end;
    bool quiet = is_quiet(p, i), money = kind_at(p, end - 1) == T_MONEY;
    char plain[64];
    size_t length = 0;
    shunt_text written = shunt_tree_source(p, at);
    for (uint32_t k = 0; k < written.length && length < sizeof plain - 1; k++)
        if (written.bytes[k] != ',') plain[length++] = written.bytes[k];
    plain[length] = '\0';
    if (!quiet) {
        shunt_diag *d = shunt_diag_add(p->diags, SHUNT_E0106, at, money ? "commas group digits by three" : "commas group digits only in money");
        HELP("write `%s`", plain);
        if (!money) HELP("or say its currency: `%.*s USD`", SHUNT_TEXT_ARGS(written));
    }
    p->next = end;
    return true;
}

static const char *
right_unit(shunt_text word)
{
    static const char *const units[] = { "days", "day", "hours", "hour", "minutes", "minute", "months", "month", "years", "year" };
    for (size_t i = 0; i < SHUNT_COUNT(units); i++)
        if (word.length > 3 && shunt_text_distance(word, shunt_text_of(units[i]), 2) <= 2) return units[i];
    return NULL;
}

static bool
is_other_unit(shunt_text word)
{
    static const char *const others[] = { "week", "weeks", "quarter", "quarters", "second", "seconds", "decades", "fortnight" };
    for (size_t i = 0; i < SHUNT_COUNT(others); i++)
        if (shunt_text_is(word, others[i])) return true;
    return false;
}

static bool
is_letters(shunt_text word, char first, char last, uint32_t count)
{
    for (uint32_t i = 0; i < word.length; i++)
        if (word.bytes[i] < first || word.bytes[i] > last) return false;
    return word.length == count;
}

static bool
is_segment(shunt_text word) /* NM1, REF, N1 */
{
    bool fine = (word.length == 2 || word.length == 3) && word.bytes[0] >= 'A' && word.bytes[0] <= 'Z';
    for (uint32_t i = 1; fine && i < word.length; i++)
        fine = (word.bytes[i] >= 'A' && word.bytes[i] <= 'Z') || (word.bytes[i] >= '0' && word.bytes[i] <= '9');
    return fine;
}

static bool
is_element(shunt_text word) /* NM109 */
{
    return word.length >= 4 && is_segment((shunt_text){ word.bytes, word.length - 2 }) && word.bytes[word.length - 2] >= '0'
        && word.bytes[word.length - 2] <= '9' && word.bytes[word.length - 1] >= '0' && word.bytes[word.length - 1] <= '9';
}

/* `NM1*82`, as the segment stands in the file: a product by its look, so it is met before it is read as one. */
static bool
mend_stars(shunt_parse *p, stack *ps, uint32_t i)
{
    if (kind_at(p, i) != '*' || i == 0 || kind_at(p, i - 1) != T_IDENT || !touches(p, i) || !touches(p, i + 1)
        || !is_segment(text_at(p, i - 1)) || !fits(p, ps, shunt_map_level(ps), '[', i, 0)) return false;
    uint32_t first = i + 1, end = first;
    while (touches(p, end) && (kind_at(p, end) == T_INT || kind_at(p, end) == T_IDENT || kind_at(p, end) == T_LOOPID)) end++;
    if (end == first) return false;
    shunt_span at = span_at(p, i - 1), code = span_at(p, first);
    code.end = span_at(p, end - 1).end;
    while (kind_at(p, end) == '*' && touches(p, end) && touches(p, end + 1) && !is_closer(kind_at(p, end + 1))) end += 2;
    at.end = span_at(p, end - 1).end;
    shunt_text segment = text_at(p, i - 1), value = shunt_tree_source(p, code), written = shunt_tree_source(p, at);
    if (!is_quiet(p, i)) {
        shunt_diag *d = shunt_diag_add(p->diags, SHUNT_E0104, at, "`%.*s` reads as a multiplication", SHUNT_TEXT_ARGS(written));
        HERE("which %.*s?", SHUNT_TEXT_ARGS(segment));
        HELP("a segment is picked by its qualifier: `%.*s[\"%.*s\"]`", SHUNT_TEXT_ARGS(segment), SHUNT_TEXT_ARGS(value));
    }
    shift(p, ps, '[', code, NULL);
    shift(p, ps, T_STRING, code, shunt_tree_leaf(p, SHUNT_AST_STRING, code, value));
    shift(p, ps, ']', code, NULL);
    p->next = end;
    return true;
}

/* `NM109 where NM101 = "82"`, where no loop or list is filtered. */
static bool
mend_where(shunt_parse *p, stack *ps, uint32_t i)
{
    (void)ps;
    if (kind_at(p, i) != T_WHERE || i == 0 || kind_at(p, i - 1) != T_IDENT || !is_element(text_at(p, i - 1))) return false;
    if (kind_at(p, i + 1) != T_IDENT || !is_element(text_at(p, i + 1)) || kind_at(p, i + 2) != '=' || kind_at(p, i + 3) != T_STRING)
        return false;
    shunt_text element = text_at(p, i - 1), other = text_at(p, i + 1), value = text_at(p, i + 3);
    shunt_text segment = { element.bytes, element.length - 2 };
    if (!shunt_text_equal(segment, (shunt_text){ other.bytes, other.length - 2 })) return false;
    shunt_diag *d = NULL;
    if (!is_quiet(p, i)) {
        shunt_span at = span_at(p, i - 1);
        at.end = span_at(p, i + 3).end;
        d = shunt_diag_add(p->diags, SHUNT_E0104, at, "`where` is not an operator here");
    }
    HERE("it filters loops and lists");
    HELP("a segment is picked by its qualifier: `%.*s[%.*s].%.*s`", SHUNT_TEXT_ARGS(segment), SHUNT_TEXT_ARGS(value), SHUNT_TEXT_ARGS(element));
    p->next = i + 4;
    return true;
}

/* A word that was meant to belong to the number before it. */
static bool
mend_literal(shunt_parse *p, stack *ps, uint32_t i)
{
    (void)ps;
    if (kind_at(p, i) != T_IDENT || i == 0 || !is_number(kind_at(p, i - 1)) || token_at(p, i)->leads) return false;
    shunt_text word = text_at(p, i), number = text_at(p, i - 1);
    const char *unit = right_unit(word);
    shunt_diag *d;
    if (touches(p, i) && word.length > 1 && (word.bytes[0] | 32) == 'e' && word.bytes[1] >= '0' && word.bytes[1] <= '9') {
        d = complain(p, SHUNT_E0101, i, "numbers have no exponent");
        HELP("write all digits: `1e3` is `1000`");
    } else if (is_other_unit(word)) {
        d = complain(p, SHUNT_E0109, i, "there is no unit `%.*s`", SHUNT_TEXT_ARGS(word));
        HELP("units are `days`, `hours`, `minutes`, `months` and `years`, as in `30 days`");
    } else if (unit) {
        d = complain(p, SHUNT_E0109, i, "there is no unit `%.*s`", SHUNT_TEXT_ARGS(word));
        HELP("did you mean `%.*s %s`?", SHUNT_TEXT_ARGS(number), unit);
    } else if (is_letters(word, 'A', 'Z', 3)) {
        d = complain(p, SHUNT_E0109, i, "an amount and its currency have one blank between them");
        HELP("write `%.*s %.*s`", SHUNT_TEXT_ARGS(number), SHUNT_TEXT_ARGS(word));
    } else if (is_letters(word, 'a', 'z', 3) && token_at(p, i)->begin - token_at(p, i - 1)->end <= 1) {
        d = complain(p, SHUNT_E0109, i, "a currency is three capital letters");
        HELP("write `%.*s %c%c%c`", SHUNT_TEXT_ARGS(number), word.bytes[0] - 32, word.bytes[1] - 32, word.bytes[2] - 32);
    } else {
        return false;
    }
    p->next = i + 1;
    return true;
}

/* `x = ...` where a statement begins. */
static bool
mend_assignment(shunt_parse *p, stack *ps, uint32_t i)
{
    if (kind_at(p, i) != T_IDENT || kind_at(p, i + 1) != '=' || !is_complete(p, ps) || !fits(p, ps, shunt_map_level(ps), T_LET, i, 3)) return false;
    shunt_diag *d = complain(p, SHUNT_E0101, i, "nothing is assigned in a map");
    HELP("give the value a name, once: `let %.*s = ...`", SHUNT_TEXT_ARGS(text_at(p, i)));
    HELP("a total over units is a `tally`: `add x to NAME`");
    insert(p, ps, T_LET, i);
    return true;
}

/* Words of other languages: `first` and, where given, `second` were meant. */
static const struct { const char *word, *right; int first, second; } foreign[] = {
    { "elif", "else if", T_ELSE, T_IF },      { "elsif", "else if", T_ELSE, T_IF },   { "elseif", "else if", T_ELSE, T_IF },
    { "foreach", "for each", T_FOR, T_EACH }, { "switch", "match", T_MATCH, 0 },      { "case", "when", T_WHEN, 0 },
    { "default", "else", T_ELSE, 0 },         { "var", "let", T_LET, 0 },             { "const", "let", T_LET, 0 },
    { "set", "let", T_LET, 0 },               { "val", "let", T_LET, 0 },             { "func", "function", T_FUNCTION, 0 },
    { "def", "function", T_FUNCTION, 0 },     { "fn", "function", T_FUNCTION, 0 },    { "assert", "check", T_CHECK, 0 },
    { "require", "check", T_CHECK, 0 },       { "include", "import", T_IMPORT, 0 },   { "null", "absent", T_ABSENT, 0 },
    { "fallback", "otherwise", T_OTHERWISE, 0 }, { "continue", "skip", T_SKIP, 0 },   { "output", "emit", T_EMIT, 0 },
};

static bool
mend_foreign(shunt_parse *p, stack *ps, uint32_t i)
{
    if (kind_at(p, i) != T_IDENT) return false;
    for (size_t k = 0; k < SHUNT_COUNT(foreign); k++) {
        if (!shunt_text_is(text_at(p, i), foreign[k].word)) continue;
        uint16_t kinds[3] = { (uint16_t)foreign[k].first, (uint16_t)foreign[k].second, token_at(p, i + 1)->kind };
        if (!foreign[k].second) kinds[1] = kinds[2];
        if (!shunt_map_accepts(ps, shunt_map_level(ps), kinds, foreign[k].second ? 3 : 2)) continue;
        shunt_diag *d = unexpected(p, i);
        HELP("write `%s`", foreign[k].right);
        if (foreign[k].second) insert(p, ps, foreign[k].first, i);
        token_at(p, i)->kind = kinds[foreign[k].second ? 1 : 0];
        return true;
    }
    return false;
}

/* ---- words in the wrong part ---- */

static bool
mend_keyword_name(shunt_parse *p, stack *ps, uint32_t i)
{
    if (!shunt_token_word(kind_at(p, i)) || !fits(p, ps, shunt_map_level(ps), T_IDENT, i + 1, 2)) return false;
    shunt_text  word = text_at(p, i);
    shunt_diag *d    = complain(p, SHUNT_E0107, i, "`%.*s` is a keyword, here a name is wanted", SHUNT_TEXT_ARGS(word));
    HELP("write it in backquotes: `` `%.*s` ``", SHUNT_TEXT_ARGS(word));
    token_at(p, i)->kind = T_IDENT;
    return true;
}

static const struct { const char *word; int kind; } keywords[] = {
#define SHUNT_KEYWORD(token, word) { word, T_##token },
#include "grammar/keyword.def"
};

static uint32_t
spelling_distance(shunt_text written, shunt_text keyword)
{
    char lower[16];
    if (written.length > sizeof lower) return UINT32_MAX;
    for (uint32_t i = 0; i < written.length; i++) {
        char c = written.bytes[i];
        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    return shunt_text_distance((shunt_text){ lower, written.length }, keyword, 3);
}

/* The nearest keyword that fits in the place of word `at`, the words from `at + 1` on behind it; 0 for none. */
static int
nearest_keyword(const shunt_parse *p, const stack *ps, uint32_t level, uint32_t at)
{
    shunt_text written = text_at(p, at);
    uint32_t   best    = written.length <= 5 ? 2 : 3;
    int        found   = 0;
    if (written.length < 3) best = 1; /* but for capitals */
    for (size_t k = 0; k < SHUNT_COUNT(keywords); k++) {
        shunt_text word     = shunt_text_of(keywords[k].word);
        uint32_t   distance = spelling_distance(written, word);
        if (distance >= best || distance >= word.length) continue;
        if (!fits(p, ps, level, keywords[k].kind, at + 1, 2) && (distance > 1 || !fits(p, ps, level, keywords[k].kind, at + 1, 1))) continue;
        best  = distance;
        found = keywords[k].kind;
    }
    return found;
}

static bool
mend_spelling(shunt_parse *p, stack *ps, uint32_t i)
{
    int kind = kind_at(p, i) == T_IDENT ? nearest_keyword(p, ps, shunt_map_level(ps), i) : 0;
    if (!kind) return false;
    shunt_diag *d = unexpected(p, i);
    HELP("did you mean `%s`?", shunt_token_word(kind));
    token_at(p, i)->kind = (uint16_t)kind;
    return true;
}

/* ---- one word too few, too many or in the place of another ---- */

static const int connectives[] = {
    T_IN, T_EACH, T_ELSE, T_THEN, T_FROM, T_INTO, T_IS, T_OF, T_TO, T_BY, T_AT, T_WHEN, T_WHERE, T_WITH, T_AS, T_AFTER, T_THROUGH,
    T_FATARROW, T_ARROW, ',', ':', '=', '{', '(', T_IF,
};

static bool
sign_follows(const shunt_parse *p, uint32_t i, int kind) /* on this line */
{
    do {
        if (kind_at(p, i) == kind) return true;
    } while (!token_at(p, ++i)->leads && kind_at(p, i) != T_YYEOF);
    return false;
}

/* A name that the words around it want. */
static bool
mend_missing_name(shunt_parse *p, stack *ps, uint32_t i)
{
    uint32_t level = shunt_map_level(ps);
    int      kind = kind_at(p, i), before = i > 0 ? kind_at(p, i - 1) : 0;
    bool     text = kind == T_STRING || kind == T_TSTART;
    if (i == 0 || (begins_value(kind) && !text) || fits(p, ps, level, T_TSTART, i, 0) || !fits(p, ps, level, T_IDENT, i, 2)) return false;
    bool exit = before == T_REJECT || before == T_QUARANTINE || before == T_WARN || (i > 1 && kind_at(p, i - 2) == T_WHOLE);
    const char *what = exit ? "a code" : fits(p, ps, level, T_MONEY, i, 0) ? "a value" : "a name";
    char word[SHUNT_PHRASE];
    shunt_explain_word(p, token_at(p, i - 1), word);
    complain(p, SHUNT_E0101, i - 1, "%s is missing after %s", what, bare(word));
    insert(p, ps, T_IDENT, i);
    return true;
}

/* Whether it is likely that `kind` was left out before word `i`, or that the word stands in its place. */
static bool
may_miss(const shunt_parse *p, const stack *ps, int kind, uint32_t i)
{
    const shunt_token *t = token_at(p, i);
    uint32_t level  = shunt_map_level(ps);
    int      before = i > 0 ? kind_at(p, i - 1) : 0;
    bool     value  = fits(p, ps, level, '+', 0, 0); /* a value is complete */
    switch (kind) {
    case '=':    return !value && !t->leads; /* behind a value it compares, which nobody forgets */
    case ':':    return !t->leads && (!fits(p, ps, level, '=', 0, 0) || sign_follows(p, i, '='));
    case '{':    return t->leads || !value || begins_item(t->kind) || !begins_statement(t->kind);
    case '(':    return before == T_WITH || before == T_IN || before == T_NOTIN || before == T_MAX;
    case T_IF:   return before == T_ELSE;
    case T_ELSE: case T_OTHERWISE: return true;
    case ',':    return !t->leads; /* else rather the next item */
    case T_WITH: return !t->leads && t->kind == '(';
    default:     return !t->leads && !is_complete(p, ps);
    }
}

static bool
exchange(shunt_parse *p, const stack *ps, uint32_t i, int kind, uint32_t words)
{
    char sign[4];
    if (!may_miss(p, ps, kind, i) || !fits(p, ps, shunt_map_level(ps), kind, i + 1, words)) return false;
    shunt_diag *d = unexpected(p, i);
    HERE("write `%s`", shunt_explain_kind(kind, sign));
    token_at(p, i)->kind = (uint16_t)kind;
    return true;
}

static bool
mend_exchange(shunt_parse *p, stack *ps, uint32_t i)
{
    char sign[4];
    int  kind = kind_at(p, i);
    bool word = shunt_token_word(kind) != NULL;
    if (!word && (!shunt_explain_kind(kind, sign) || is_closer(kind))) return false;
    if (is_opener(kind) || kind == '.' || (word && token_at(p, i)->leads)) return false; /* rather the beginning of something */
    if (kind == T_ELSE && exchange(p, ps, i, T_OTHERWISE, AHEAD - 1)) return true;
    for (size_t k = 0; k < SHUNT_COUNT(connectives); k++) {
        bool is_word = shunt_token_word(connectives[k]) != NULL;
        bool never   = connectives[k] == '{' || connectives[k] == '(' || connectives[k] == T_IF || (word && connectives[k] == ',');
        if ((is_word && !word) || connectives[k] == kind || never) continue;
        if (word && is_complete(p, ps)) continue;
        if (exchange(p, ps, i, connectives[k], AHEAD - 1)) return true;
    }
    if (kind == T_FATARROW && fits(p, ps, shunt_map_level(ps), T_GE, i + 1, 2)) {
        shunt_diag *d = complain(p, SHUNT_E0104, i, "`=>` is not an operator here");
        HERE("write `>=`");
        token_at(p, i)->kind = T_GE;
        return true;
    }
    return false;
}

static bool
mend_missing(shunt_parse *p, stack *ps, uint32_t i)
{
    char sign[4], word[SHUNT_PHRASE];
    for (size_t k = 0; k < SHUNT_COUNT(connectives); k++) {
        int kind = connectives[k];
        if (!may_miss(p, ps, kind, i)) continue;
        if (!fits(p, ps, shunt_map_level(ps), kind, i, AHEAD)) continue;
        shunt_explain_word(p, token_at(p, i), word);
        complain(p, SHUNT_E0101, i, "`%s` is missing before %s", shunt_explain_kind(kind, sign),
            bare(word));
        insert(p, ps, kind, i);
        return true;
    }
    return false;
}

static bool
begins_value(int kind)
{
    switch (kind) {
    case T_IDENT: case T_ELEM: case T_LOOPID: case T_INT: case T_DECIMAL: case T_MONEY: case T_PERCENT: case T_DATE: case T_DURATION: case T_STRING:
    case T_TSTART: case T_TRUE: case T_FALSE: case '(':
        return true;
    default:
        return false;
    }
}

/* Whether the line of word `i` has a `)` that nothing on it opened. */
static bool
closes_on_line(const shunt_parse *p, uint32_t i)
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

/* The one word that may stand here is missing, and this one may follow it. */
static bool
mend_sole(shunt_parse *p, stack *ps, uint32_t i)
{
    char sign[4], word[SHUNT_PHRASE];
    int  sole = shunt_explain_sole(ps);
    if (sole == 0 || sole == T_MODULE || !shunt_explain_kind(sole, sign) || !fits(p, ps, shunt_map_level(ps), sole, i, 1)) return false;
    shunt_explain_word(p, token_at(p, i), word);
    complain(p, SHUNT_E0101, i, "`%s` is missing before %s", shunt_explain_kind(sole, sign), bare(word));
    insert(p, ps, sole, i);
    return true;
}

/* Two values side by side. */
static bool
mend_missing_operator(shunt_parse *p, stack *ps, uint32_t i)
{
    uint32_t level = shunt_map_level(ps);
    char     word[SHUNT_PHRASE];
    if (token_at(p, i)->leads || !begins_value(kind_at(p, i)) || !fits(p, ps, level, '+', i, 2)) return false;
    bool call = i > 0 && kind_at(p, i - 1) == T_IDENT && closes_on_line(p, i) && fits(p, ps, level, '(', i, 2);
    shunt_explain_word(p, token_at(p, i), word);
    shunt_diag *d = complain(p, SHUNT_E0101, i, "%s is missing before %s", call ? "`(`" : "an operator", bare(word));
    if (!call) HERE("such as `+`, `and` or `otherwise`");
    insert(p, ps, call ? '(' : '+', i);
    return true;
}

/* A comma behind the last one of a list. */
static bool
mend_surplus_comma(shunt_parse *p, stack *ps, uint32_t i)
{
    uint32_t   level = shunt_map_level(ps);
    shunt_span span;
    if (!is_closer(kind_at(p, i)) || i == 0 || shunt_map_symbol(ps, level - 1, &span) != ',' || !fits(p, ps, level - 1, 0, i, 2)) return false;
    shunt_diag *d = complain(p, SHUNT_E0101, i - 1, "unexpected `,`");
    HERE("nothing follows it");
    HELP("remove it: the last one of a list has no comma behind it");
    shunt_map_unshift(ps);
    return true;
}

static bool
mend_surplus(shunt_parse *p, stack *ps, uint32_t i)
{
    uint32_t level = shunt_map_level(ps);
    char sign[4];
    bool removable = shunt_explain_kind(kind_at(p, i), sign) && !is_opener(kind_at(p, i)) && !token_at(p, i)->leads;
    if (!removable || kind_at(p, i) == T_TEXTBLOCK || !fits(p, ps, level, 0, i + 1, AHEAD)) return false;
    p->next = i + 1;
    if (kind_at(p, i) == ',' && p->commas++) return true; /* said once, with their number */
    shunt_diag *d = unexpected(p, i);
    if (kind_at(p, i) == ',') {
        HELP("remove it: fields and statements need no `,` between them");
        p->comma_diag = d ? p->diags->count : 0;
    } else {
        HELP("remove it");
    }
    return true;
}

/* `check ... otherwise EXIT`, which reads as a value with an answer. */
static bool
mend_check(shunt_parse *p, stack *ps, uint32_t i)
{
    uint32_t   level = shunt_map_level(ps), at = i;
    shunt_span span;
    if (!fits(p, ps, level, T_ELSE, i, 0)) return false;
    while (level > 0 && shunt_map_symbol(ps, level - 1, &span) != T_CHECK) level--;
    if (level == 0) return false;
    uint32_t check = find_token(p, span.begin);
    while (at > check && kind_at(p, at) != T_OTHERWISE) at--;
    if (at == check) return false;
    shunt_diag *d = complain(p, SHUNT_E0101, at, "unexpected word `otherwise`");
    HERE("write `else`");
    HELP("`otherwise` answers a value that is absent; `else` says what happens when the check fails");
    skip(p, ps, i);
    return true;
}

/* A text without its quotes, or a message in the wrong ones. */
static bool
mend_quotes(shunt_parse *p, stack *ps, uint32_t i)
{
    uint32_t level = shunt_map_level(ps);
    int      kind  = kind_at(p, i);
    if (kind == T_STRING && fits(p, ps, level, T_TEXTBLOCK, i + 1, 1)) {
        shunt_diag *d = unexpected(p, i);
        HERE("a message stands in three quotes: `\"\"\"...\"\"\"`");
        shift(p, ps, T_TEXTBLOCK, span_at(p, i), shunt_tree_token(p, token_at(p, i)));
        p->next = i + 1;
        return true;
    }
    bool text = (kind == T_IDENT || kind == T_INT || kind == T_DECIMAL || shunt_token_word(kind)) && !token_at(p, i)->leads;
    if (!text || is_complete(p, ps) || fits(p, ps, level, T_INT, i, 0) || !fits(p, ps, level, T_STRING, i + 1, 1)) return false;
    shunt_diag *d = unexpected(p, i);
    HERE("write it in quotes: `\"%.*s\"`", SHUNT_TEXT_ARGS(text_at(p, i)));
    token_at(p, i)->kind = T_STRING;
    return true;
}

/* `a ? b : c` */
static bool
mend_question(shunt_parse *p, stack *ps, uint32_t i)
{
    if (kind_at(p, i) != '?' || !fits(p, ps, shunt_map_level(ps), '+', i, 0)) return false;
    shunt_diag *d = complain(p, SHUNT_E0104, i, "`?` is not an operator here");
    HELP("a choice is written `if a = b then x else y`");
    HELP("an answer for what may be absent is written `a otherwise x`");
    skip(p, ps, i);
    return true;
}

static bool
is_operator(int kind)
{
    switch (kind) {
    case '=': case '<': case '>': case '*': case '/': case '+': case '{': case T_NE: case T_LE: case T_GE: case T_AND: case T_OR: case T_THEN: case T_ELSE:
    case T_IN: case T_NOTIN: case T_IS: case T_OTHERWISE: case T_NOTING:
        return true;
    default:
        return false;
    }
}

/* What was written so far wants a value, and here its line or block ends. */
static bool
mend_missing_value(shunt_parse *p, stack *ps, uint32_t i)
{
    const shunt_token *t = token_at(p, i);
    uint32_t level = shunt_map_level(ps);
    bool over = t->leads || is_closer(t->kind) || (is_operator(t->kind) && fits(p, ps, level, T_IDENT, i, 2));
    if (i == 0 || !over || !fits(p, ps, level, T_INT, i, 0) || !fits(p, ps, level, T_TSTART, i, 0)) return false;
    char word[SHUNT_PHRASE];
    shunt_explain_word(p, token_at(p, i - 1), word);
    const char *what = fits(p, ps, level, T_REMAINDER, i, 0) ? "an amount" : "a value";
    int before = kind_at(p, i - 1);
    if (before == T_TSTART || before == T_TMID) {
        shunt_span brace = span_at(p, i - 1);
        brace = (shunt_span){ brace.end, brace.end + 1, brace.file };
        if (!is_quiet(p, i)) shunt_diag_add(p->diags, SHUNT_E0101, brace, "a value is missing between `{` and `}`");
    } else if (!is_quiet(p, i)) {
        complain(p, SHUNT_E0101, i - 1, "%s is missing after %s", what, bare(word));
    }
    insert(p, ps, T_IDENT, i);
    if (t->kind != T_YYEOF && p->quiet <= i) p->quiet = i + 1;
    return true;
}

/* ---- a word that does not fit ---- */

/* A `}` that stands too far to the right may have closed a declaration too early. */
static void
blame_early_close(shunt_parse *p, stack *ps, uint32_t i, shunt_diag *d)
{
    struct open_brackets open = open_brackets(p, ps, shunt_map_level(ps));
    uint32_t depth = 0, opener = 0, early = 0;
    if (open.count || !d || !shunt_token_word(kind_at(p, i))) return;
    for (uint32_t k = 0; k < i; k++) {
        if (kind_at(p, k) == '{' && depth++ == 0) opener = k;
        if (kind_at(p, k) == '}' && depth > 0 && --depth == 0) early = token_at(p, k)->leads && token_at(p, k)->indent > token_at(p, opener)->indent ? k : 0;
    }
    if (!early) return;
    shunt_diag_also(p->diags, d, span_at(p, early), "this `}` closed the block of line %u", (unsigned)line_of(p, opener));
}

static void
help_else(shunt_parse *p, const stack *ps, shunt_diag *d)
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
static shunt_diag *
unfinished(shunt_parse *p, const stack *ps, uint32_t i)
{
    char word[SHUNT_PHRASE];
    if (i == 0 || !token_at(p, i)->leads || is_complete(p, ps)) return unexpected(p, i);
    shunt_explain_word(p, token_at(p, i - 1), word);
    return is_quiet(p, i) ? NULL : complain(p, SHUNT_E0101, i - 1, "unexpected end of the line after %s", bare(word));
}

static void
explain(shunt_parse *p, stack *ps, uint32_t i)
{
    char phrase[SHUNT_PHRASE];
    shunt_diag *d = unfinished(p, ps, i);
    if (!d) return;
    struct open_brackets open = open_brackets(p, ps, shunt_map_level(ps));
    if (kind_at(p, i) == '}' && open.count == 0) {
        HERE("no block is open here");
        return;
    }
    shunt_explain_expected(ps, token_at(p, i)->leads, phrase);
    HERE("%s", phrase);
    help_else(p, ps, d);
    if (fits(p, ps, shunt_map_level(ps), T_MAX, i, 0) && !fits(p, ps, shunt_map_level(ps), T_INT, i, 0))
        HELP("a list says how many it holds at most: `list of int max 50`");
    if (fits(p, ps, shunt_map_level(ps), T_MODULE, i, 0)) HELP("a file begins with its name: `module acme.billing version \"1.0.0\"`");
    blame_early_close(p, ps, i, d);
}

static void
mend(shunt_parse *p, stack *ps)
{
    static bool (*const ways[])(shunt_parse *p, stack *ps, uint32_t index) = {
        mend_check, mend_brackets, mend_grouping, mend_where, mend_question, mend_assignment, mend_foreign, mend_surplus_comma, mend_missing_value,
        mend_keyword_name, mend_spelling, mend_missing_name, mend_literal, mend_quotes, mend_parentheses, mend_exchange, mend_missing, mend_sole,
        mend_missing_operator, mend_surplus,
    };
    uint32_t i = p->next;
    for (size_t k = 0; k < SHUNT_COUNT(ways); k++)
        if (ways[k](p, ps, i)) return;
    const shunt_token *t = token_at(p, i);
    if ((t->leads || !begins_statement(t->kind)) && close_brackets(p, ps, i, t->leads)) return;
    explain(p, ps, i);
    skip(p, ps, i);
}

/* Words that fit, but only to leave the next one without a place. */
static bool
mend_early(shunt_parse *p, stack *ps, uint32_t i)
{
    int kind = kind_at(p, i);
    if (kind == '*') return mend_stars(p, ps, i);
    if (kind != T_IDENT && (!shunt_token_word(kind) || token_at(p, i + 1)->leads)) return false;
    uint32_t level = shunt_map_level(ps);
    if (!fits(p, ps, level, 0, i, 1) || fits(p, ps, level, 0, i, 2)) return false;
    bool value = kind == T_IF || kind == T_NOT || kind == T_MATCH;
    return (!value && mend_keyword_name(p, ps, i)) || mend_spelling(p, ps, i);
}

/* The numbers of what was said once. */
static void
count_repeats(shunt_parse *p)
{
    shunt_diags *list = p->diags;
    const struct { uint32_t diag, count; } repeats[] = { { p->scan->semicolon_diag, p->scan->semicolons }, { p->comma_diag, p->commas } };
    for (size_t i = 0; i < SHUNT_COUNT(repeats); i++)
        if (repeats[i].diag && repeats[i].diag <= list->count && repeats[i].count > 1)
            shunt_diag_note(list, &list->items[repeats[i].diag - 1], "%u more like it in this file", (unsigned)repeats[i].count - 1);
}

/* The rest of the file is left out, and what was read is the module. */
static void
finish(shunt_parse *p, stack *ps)
{
    uint32_t end = p->scan->tokens.count - 1;
    shunt_map_skip(ps, outermost(ps), span_at(p, end));
    shift(p, ps, T_YYEOF, span_at(p, end), NULL);
}

void
shunt_recover_run(shunt_parse *p)
{
    stack   *ps     = shunt_map_begin(p->scratch);
    uint32_t before = p->diags->errors;
    if (!ps) p->failed = true;
    while (!p->failed && !p->over) {
        const shunt_token *t = token_at(p, p->next);
        if (mend_early(p, ps, p->next)) continue;
        if (!fits(p, ps, shunt_map_level(ps), 0, p->next, 1)) {
            if (t->kind == T_YYEOF && p->scan->cut) p->quiet = UINT32_MAX;
            if (p->diags->errors - before >= SHUNT_SCAN_FAULTS) finish(p, ps);
            else mend(p, ps);
            continue;
        }
        shunt_ast *leaf = shunt_tree_token(p, t);
        if (p->failed) break;
        shift(p, ps, t->kind, span_at(p, p->next), leaf);
        p->next++;
    }
    count_repeats(p);
}
