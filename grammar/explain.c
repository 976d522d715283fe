#include "grammar/explain.h"

#include <stdio.h>

#include "map.tab.h"

/* ---- what stands there ---- */

enum { LONGEST_WORD = 40 };

void shunt_explain_word(const shunt_parse *p, const shunt_token *token, char out[static SHUNT_PHRASE])
{
    shunt_text word = shunt_tree_source(p, (shunt_span){ token->begin, token->end, p->file });
    bool       cut = word.length > LONGEST_WORD;
    if (cut) word.length = shunt_utf8_offset(word, shunt_utf8_count((shunt_text){ word.bytes, LONGEST_WORD - 4 }));
    switch (token->kind) {
    case T_YYEOF: snprintf(out, SHUNT_PHRASE, "end of the file"); return;
    case T_TEXTBLOCK: snprintf(out, SHUNT_PHRASE, "text block"); return;
    case T_STRING: snprintf(out, SHUNT_PHRASE, cut ? "string" : "string `%.*s`", SHUNT_TEXT_ARGS(word)); return;
    case T_TSTART: snprintf(out, SHUNT_PHRASE, "string"); return;
    case T_TMID:
    case T_TEND: snprintf(out, SHUNT_PHRASE, "`}`"); return;
    default: break;
    }
    bool letters = token->kind == T_IDENT || shunt_token_word(token->kind);
    snprintf(out, SHUNT_PHRASE, "%s`%.*s%s`", letters ? "word " : "", SHUNT_TEXT_ARGS(word), cut ? "..." : "");
}

const char *shunt_explain_kind(int kind, char out[static 4])
{
    static const struct {
        int         kind;
        const char *sign;
    } signs[] = {
        { T_ARROW, "->" }, { T_FATARROW, "=>" }, { T_DOTDOT, ".." },    { T_NE, "!=" },
        { T_LE, "<=" },    { T_GE, ">=" },       { T_NOTIN, "not in" }, { T_TEXTBLOCK, "\"\"\"" },
    };
    const char *word = shunt_token_word(kind);
    if (word) return word;
    for (size_t i = 0; i < SHUNT_COUNT(signs); i++)
        if (signs[i].kind == kind) return signs[i].sign;
    if (kind <= ' ' || kind > '~') return NULL;
    out[0] = (char)kind;
    out[1] = '\0';
    return out;
}

/* ---- what may stand there ---- */

enum { KINDS = 512 };

/* Words that are named together where the first few of them are possible. `signs` says which decide. */
struct group {
    const char *phrase;
    bool        item;      /* begins a line */
    int         signs[4];  /* all of them must be possible */
    int         words[28]; /* what the phrase speaks for */
};

static const struct group groups[] = {
    { "a declaration (`source`, `target`, `table`, `map`, `test` ...)",
      true,
      { T_MAP, T_TARGET, T_TEST },
      { T_IMPORT, T_SOURCE, T_TARGET, T_TABLE, T_ENUM, T_CODES, T_OPEN, T_LET, T_DECIDE, T_FUNCTION, T_EXTERN, T_MAP, T_OVERLAY,
        T_TEST, T_WITH, T_GOLDEN } },
    { "a part of the map (`let`, `for each`, `tally`, `on error`, `at end` ...)",
      true,
      { T_CORRELATE, T_TALLY },
      { T_CORRELATE, T_ON, T_TALLY, T_LET, T_FOR, T_AT } },
    { "a line (`debit`, `credit`), `key`, `let`, `for each`, a field such as `date: ...`",
      true,
      { T_DEBIT, T_CREDIT, T_KEY },
      { T_DEBIT, T_CREDIT, T_KEY, T_LET, T_NOTHING, T_MATCH, T_IF, T_FOR, T_SKIP, T_IDENT } },
    { "a statement (`let`, `for each`, `if`, `match`, `check`, `emit`, `journal` ...)",
      true,
      { T_LET, T_CHECK, T_EMIT },
      { T_LET, T_FOR, T_IF, T_MATCH, T_CHECK, T_ADD, T_JOURNAL, T_EMIT, T_STEP, T_REJECT, T_QUARANTINE, T_WARN, T_SKIP } },
    { "`given`, `expect`, `with table`", true, { T_GIVEN, T_EXPECT }, { T_GIVEN, T_EXPECT, T_WITH } },
    { "a value", false, { T_INT, '(', T_TSTART }, { T_IDENT, T_ELEM,     T_LOOPID, T_INT,    T_DECIMAL, T_MONEY, T_PERCENT,
                                                    T_DATE,  T_DURATION, T_STRING, T_TSTART, T_TRUE,    T_FALSE, '(',
                                                    '[',     '-',        T_NOT,    T_IF,     T_MATCH,   T_MAX } },
    { "a value, `any`, `absent`, a bound such as `< 10`",
      false,
      { T_ANY, T_ABSENT },
      { T_IDENT, T_INT, T_DECIMAL, T_MONEY, T_PERCENT, T_DATE, T_DURATION, T_STRING, T_TRUE, T_FALSE, '-', '<', '>', T_LE, T_GE,
        T_ANY, T_ABSENT, T_CLEARED } },
    { "an exit (`quarantine CODE`, `reject CODE`, `warn CODE`, `skip`)",
      false,
      { T_REJECT, T_QUARANTINE },
      { T_REJECT, T_QUARANTINE, T_WARN, T_SKIP } },
    { "an account: a name, a string, or a value in parentheses", false, { T_IDENT, T_STRING, '(' }, { T_IDENT, T_STRING, '(' } },
    { "an operator",
      false,
      { '+', T_OR },
      { '+', '-', '*', '/', '=', T_NE, '<', '>', T_LE, T_GE, T_IN, T_NOTIN, T_IS, T_AND, T_OR, T_OTHERWISE, T_CLEARED,
        T_NOTING } },
};

static const struct {
    int         kind;
    const char *phrase;
} things[] = {
    { T_IDENT, "a name" },    { T_INT, "a number" },    { T_DECIMAL, "a number" }, { T_STRING, "a string" },
    { T_TSTART, "a string" }, { T_ELEM, "an element" }, { T_LOOPID, "a loop" },
};

struct sentence {
    const char *phrases[5];
    char        signs[5][4];
    uint32_t    count;
};

static void say(struct sentence *s, const char *phrase)
{
    for (uint32_t i = 0; i < s->count; i++)
        if (strcmp(s->phrases[i], phrase) == 0) return;
    if (s->count < SHUNT_COUNT(s->phrases)) s->phrases[s->count++] = phrase;
}

static bool take_group(const struct group *g, bool possible[static KINDS])
{
    for (size_t i = 0; i < SHUNT_COUNT(g->signs) && g->signs[i]; i++)
        if (!possible[g->signs[i]]) return false;
    for (size_t i = 0; i < SHUNT_COUNT(g->words) && g->words[i]; i++) possible[g->words[i]] = false;
    return true;
}

static void say_word(struct sentence *s, int kind)
{
    for (size_t i = 0; i < SHUNT_COUNT(things); i++)
        if (things[i].kind == kind) {
            say(s, things[i].phrase);
            return;
        }
    if (s->count == SHUNT_COUNT(s->phrases)) return;
    const char *word = shunt_explain_kind(kind, s->signs[s->count]);
    if (word) say(s, word);
}

static void collect(const struct shunt_map_pstate *ps, bool possible[static KINDS])
{
    uint32_t level = shunt_map_level(ps);
    for (uint32_t kind = 1; kind < shunt_map_kinds() && kind < KINDS; kind++) {
        uint16_t kinds[1] = { (uint16_t)kind };
        possible[kind] = kind != T_SHUNT_MAP_error && kind != T_SHUNT_MAP_UNDEF && shunt_map_accepts(ps, level, kinds, 1);
    }
}

int shunt_explain_sole(const struct shunt_map_pstate *ps)
{
    bool possible[KINDS] = { false };
    int  sole = 0;
    collect(ps, possible);
    for (int kind = 1; kind < KINDS; kind++) {
        if (!possible[kind]) continue;
        if (sole) return 0;
        sole = kind;
    }
    return sole;
}

static void say_groups(struct sentence *s, const bool spoken[static SHUNT_COUNT(groups)], bool items)
{
    for (size_t i = 0; i < SHUNT_COUNT(groups); i++)
        if (spoken[i] && groups[i].item == items) say(s, groups[i].phrase);
}

/* The words that stand alone, then the groups, last what closes. Before a new line its items come first. */
void shunt_explain_expected(const struct shunt_map_pstate *ps, bool leads, char out[static SHUNT_PHRASE])
{
    bool            possible[KINDS] = { false };
    bool            spoken[SHUNT_COUNT(groups)];
    struct sentence s = { .count = 0 };
    collect(ps, possible);
    bool closes = possible['}'];
    possible['}'] = false;
    for (size_t i = 0; i < SHUNT_COUNT(groups); i++) spoken[i] = take_group(&groups[i], possible);
    bool value = spoken[SHUNT_COUNT(groups) - 1]; /* an operator may follow it, and so may these, which are part of it */
    if (value) possible['.'] = possible['['] = possible['('] = false;
    if (closes) possible['?'] = possible[T_PHI] = possible['('] = possible['.'] = false; /* of the type before them */
    if (leads) say_groups(&s, spoken, true);
    for (uint32_t kind = 256; kind < KINDS; kind++)
        if (possible[kind]) say_word(&s, (int)kind);
    for (int kind = 1; kind < 256; kind++)
        if (possible[kind] && !(kind == '.' && s.count)) say_word(&s, kind);
    say_groups(&s, spoken, true);
    say_groups(&s, spoken, false);
    if (closes) say(&s, "}");
    size_t length = (size_t)snprintf(out, SHUNT_PHRASE, s.count ? "here may stand " : "nothing more may stand here");
    for (uint32_t i = 0; i < s.count && length < SHUNT_PHRASE; i++) {
        const char *phrase = s.phrases[i];
        bool        quoted = strchr(phrase, ' ') == NULL || strcmp(phrase, "not in") == 0;
        const char *before = i == 0 ? "" : i + 1 == s.count ? " or " : ", ";
        length += (size_t)snprintf(out + length, SHUNT_PHRASE - length, quoted ? "%s`%s`" : "%s%s", before, phrase);
    }
}
