/* words.h - small questions about the words of a file and the parser's stack, and the ways to answer a slip. Private to grammar/.
 * Words are counted from 0; the last one is the end of the file, and stands for all beyond it. */
#ifndef SHUNT_WORDS_H
#define SHUNT_WORDS_H

#include "grammar/explain.h"

#include "map.tab.h"

typedef struct shunt_map_pstate stack;

/* ---- the words ---- */

static inline shunt_token *token_at(const shunt_parse *p, uint32_t index)
{
    const shunt_token_list *list = &p->scan->tokens;
    return &list->items[index < list->count ? index : list->count - 1];
}

static inline int kind_at(const shunt_parse *p, uint32_t index) { return token_at(p, index)->kind; }

/* The end of the file is shown behind the last word. */
static inline shunt_span span_at(const shunt_parse *p, uint32_t index)
{
    const shunt_token *t = token_at(p, index);
    if (t->kind != T_YYEOF || p->scan->tokens.count < 2) return (shunt_span){ t->begin, t->end, p->file };
    const shunt_token *last = token_at(p, p->scan->tokens.count - 2);
    return (shunt_span){ last->end, last->end, p->file };
}

static inline shunt_text text_at(const shunt_parse *p, uint32_t index)
{
    return shunt_tree_source(p, (shunt_span){ token_at(p, index)->begin, token_at(p, index)->end, p->file });
}

static inline bool touches(const shunt_parse *p, uint32_t index) /* the word before it, without a blank */
{
    return index > 0 && token_at(p, index - 1)->end == token_at(p, index)->begin;
}

/* Number of the word that begins at `begin`. */
static inline uint32_t find_token(const shunt_parse *p, uint32_t begin)
{
    uint32_t low = 0, high = p->scan->tokens.count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (token_at(p, middle)->begin < begin)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static inline uint32_t line_of(const shunt_parse *p, uint32_t index)
{
    uint32_t line = 1, end = token_at(p, index)->begin;
    for (uint32_t i = 0; i < end; i++) line += p->source.bytes[i] == '\n';
    return line;
}

static inline const char *bare(const char *word) /* the phrase without what it is */
{
    return strncmp(word, "word ", 5) == 0 ? word + 5 : word;
}

/* ---- kinds of words ---- */

static inline bool is_number(int kind) { return kind == T_INT || kind == T_DECIMAL; }

static inline bool is_opener(int kind) { return kind == '{' || kind == '(' || kind == '[' || kind == T_TSTART; }

static inline bool is_closer(int kind) { return kind == '}' || kind == ')' || kind == ']' || kind == T_TEND; }

static inline int closer_of(int kind) { return kind == '{' ? '}' : kind == '(' ? ')' : kind == '[' ? ']' : T_TEND; }

static inline bool is_operator(int kind)
{
    switch (kind) {
    case '=':
    case '<':
    case '>':
    case '*':
    case '/':
    case '+':
    case '{':
    case T_NE:
    case T_LE:
    case T_GE:
    case T_AND:
    case T_OR:
    case T_THEN:
    case T_ELSE:
    case T_IN:
    case T_NOTIN:
    case T_IS:
    case T_OTHERWISE:
    case T_NOTING: return true;
    default: return false;
    }
}

static inline bool begins_value(int kind)
{
    switch (kind) {
    case T_IDENT:
    case T_ELEM:
    case T_LOOPID:
    case T_INT:
    case T_DECIMAL:
    case T_MONEY:
    case T_PERCENT:
    case T_DATE:
    case T_DURATION:
    case T_STRING:
    case T_TSTART:
    case T_TRUE:
    case T_FALSE:
    case '(': return true;
    default: return false;
    }
}

static inline bool begins_item(int kind)
{
    switch (kind) {
    case T_LET:
    case T_CHECK:
    case T_ADD:
    case T_EMIT:
    case T_JOURNAL:
    case T_STEP:
    case T_DEBIT:
    case T_CREDIT:
    case T_COLUMN:
    case T_KEY:
    case T_RECORD:
    case T_SEGMENT:
    case T_TALLY:
    case T_CORRELATE:
    case T_ENCODE:
    case T_EXPECT:
    case T_GIVEN:
    case T_EXCEPTIONS:
    case T_REPLACE: return true;
    default: return false;
    }
}

static inline bool begins_statement(int kind)
{
    switch (kind) {
    case T_FOR:
    case T_IF:
    case T_MATCH:
    case T_REJECT:
    case T_QUARANTINE:
    case T_WARN:
    case T_SKIP:
    case T_NOTHING: return true;
    default: return begins_item(kind);
    }
}

/* ---- trying ---- */

enum { AHEAD = 3 };

/* Whether `first` (0: nothing) and then the words from `from` on may follow the stack up to `level`. */
static inline bool fits(const shunt_parse *p, const stack *ps, uint32_t level, int first, uint32_t from, uint32_t words)
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
static inline bool is_complete(const shunt_parse *p, const stack *ps)
{
    uint32_t level = shunt_map_level(ps);
    return fits(p, ps, level, '}', 0, 0) || fits(p, ps, level, T_MAP, 0, 0);
}

static inline bool is_quiet(const shunt_parse *p, uint32_t index)
{
    if (index < p->quiet) return true;
    for (uint32_t i = index ? index - 1 : 0; i <= index + 1; i++)
        if (token_at(p, i)->tainted) return true;
    return false;
}

/* ---- acting: words.c ---- */

/* Whether the words behind one can be moved, which takes time where there are many. */
enum { SHUNT_MOVES = 500, SHUNT_MOVES_OF_A_SLIP = 4, SHUNT_WORDS_MOVED = 100000, SHUNT_WORDS_LOOKED_AT = 2000 };
static inline bool may_move_words(const shunt_parse *p)
{
    return p->scan->tokens.count <= SHUNT_WORDS_MOVED && p->moved + SHUNT_MOVES_OF_A_SLIP <= SHUNT_MOVES;
}

/* Gives the parser a word that fits. False where it has come to its end. */
bool        shunt_shift(shunt_parse *p, stack *ps, int kind, shunt_span at, shunt_ast *leaf);
/* The same for a word that is missing before word `index`; a name or value is an ERROR in the tree. */
bool        shunt_insert(shunt_parse *p, stack *ps, int kind, uint32_t index);
/* Puts a word of the parser's own before word `index`, which the parser has not met, so that both are looked at as any other.
 * False: the file is too long to be moved, or there is no memory; nothing has changed. */
bool        shunt_put_word(shunt_parse *p, int kind, uint32_t index);
/* Takes word `index`, which the parser has not met, out of the file. */
void        shunt_drop_word(shunt_parse *p, uint32_t index);
/* One diagnostic about word `index`, or NULL where it follows from an earlier one. */
shunt_diag *shunt_complain(shunt_parse *p, shunt_status code, uint32_t index, const char *format, ...) SHUNT_PRINTF(4, 5);
shunt_diag *shunt_unexpected(shunt_parse *p, uint32_t index);

#define HERE(...)                                                                                                                \
    do {                                                                                                                         \
        if (d) shunt_diag_here(p->diags, d, __VA_ARGS__);                                                                        \
    } while (0)
#define HELP(...)                                                                                                                \
    do {                                                                                                                         \
        if (d) shunt_diag_help(p->diags, d, __VA_ARGS__);                                                                        \
    } while (0)

#endif
