#include "grammar/mend.h"

/* ---- X12 as it stands in the file ---- */

static bool is_segment(shunt_text word) /* NM1, REF, N1 */
{
    bool fine = (word.length == 2 || word.length == 3) && word.bytes[0] >= 'A' && word.bytes[0] <= 'Z';
    for (uint32_t i = 1; fine && i < word.length; i++)
        fine = (word.bytes[i] >= 'A' && word.bytes[i] <= 'Z') || (word.bytes[i] >= '0' && word.bytes[i] <= '9');
    return fine;
}

static bool is_element(shunt_text word) /* NM109 */
{
    return word.length >= 4 && is_segment((shunt_text){ word.bytes, word.length - 2 }) && word.bytes[word.length - 2] >= '0' &&
           word.bytes[word.length - 2] <= '9' && word.bytes[word.length - 1] >= '0' && word.bytes[word.length - 1] <= '9';
}

/* `NM1*82`, as the segment stands in the file: a product by its look, so it is met before it is read as one. */
bool shunt_mend_stars(shunt_parse *p, stack *ps, uint32_t i)
{
    if (kind_at(p, i) != '*' || i == 0 || kind_at(p, i - 1) != T_IDENT || !touches(p, i) || !touches(p, i + 1) ||
        !is_segment(text_at(p, i - 1)) || !fits(p, ps, shunt_map_level(ps), '[', i, 0))
        return false;
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
    shunt_shift(p, ps, '[', code, NULL);
    shunt_shift(p, ps, T_STRING, code, shunt_tree_leaf(p, SHUNT_AST_STRING, code, value));
    shunt_shift(p, ps, ']', code, NULL);
    p->next = end;
    return true;
}

/* `NM109 where NM101 = "82"`, where no loop or list is filtered. */
bool shunt_mend_where(shunt_parse *p, stack *ps, uint32_t i)
{
    (void)ps;
    if (kind_at(p, i) != T_WHERE || i == 0 || kind_at(p, i - 1) != T_IDENT || !is_element(text_at(p, i - 1))) return false;
    if (kind_at(p, i + 1) != T_IDENT || !is_element(text_at(p, i + 1))) return false;
    if (kind_at(p, i + 2) != '=' || kind_at(p, i + 3) != T_STRING) return false;
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
    HELP("a segment is picked by its qualifier: `%.*s[%.*s].%.*s`", SHUNT_TEXT_ARGS(segment), SHUNT_TEXT_ARGS(value),
         SHUNT_TEXT_ARGS(element));
    p->next = i + 4;
    return true;
}

/* ---- numbers and texts ---- */

bool shunt_mend_grouping(shunt_parse *p, stack *ps, uint32_t i)
{
    (void)ps;
    if (kind_at(p, i) != ',' || i == 0 || kind_at(p, i - 1) != T_INT || !touches(p, i)) return false;
    uint32_t end = i;
    while (kind_at(p, end) == ',' && touches(p, end + 1) &&
           (is_number(kind_at(p, end + 1)) || kind_at(p, end + 1) == T_MONEY || kind_at(p, end + 1) == T_PERCENT))
        end += 2;
    if (end == i) return false;
    shunt_span at = span_at(p, i - 1);
    at.end = span_at(p, end - 1).end;
    bool       quiet = is_quiet(p, i), money = kind_at(p, end - 1) == T_MONEY;
    char       plain[64];
    size_t     length = 0;
    shunt_text written = shunt_tree_source(p, at);
    for (uint32_t k = 0; k < written.length && length < sizeof plain - 1; k++)
        if (written.bytes[k] != ',') plain[length++] = written.bytes[k];
    plain[length] = '\0';
    if (!quiet) {
        const char *why = money ? "commas group digits by three" : "commas group digits only in money";
        shunt_diag *d = shunt_diag_add(p->diags, SHUNT_E0106, at, "%s", why);
        HELP("write `%s`", plain);
        if (!money) HELP("or say its currency: `%.*s USD`", SHUNT_TEXT_ARGS(written));
    }
    p->next = end;
    return true;
}

static const char *right_unit(shunt_text word)
{
    static const char *const units[] = {
        "days", "day", "hours", "hour", "minutes", "minute", "months", "month", "years", "year",
    };
    for (size_t i = 0; i < SHUNT_COUNT(units); i++)
        if (word.length > 3 && shunt_text_distance(word, shunt_text_of(units[i]), 2) <= 2) return units[i];
    return NULL;
}

static bool is_other_unit(shunt_text word)
{
    static const char *const others[] = { "week", "weeks", "quarter", "quarters", "second", "seconds", "decades", "fortnight" };
    for (size_t i = 0; i < SHUNT_COUNT(others); i++)
        if (shunt_text_is(word, others[i])) return true;
    return false;
}

static bool is_letters(shunt_text word, char first, char last, uint32_t count)
{
    for (uint32_t i = 0; i < word.length; i++)
        if (word.bytes[i] < first || word.bytes[i] > last) return false;
    return word.length == count;
}

/* A word that was meant to belong to the number before it. */
bool shunt_mend_literal(shunt_parse *p, stack *ps, uint32_t i)
{
    (void)ps;
    if (kind_at(p, i) != T_IDENT || i == 0 || !is_number(kind_at(p, i - 1)) || token_at(p, i)->leads) return false;
    shunt_text  word = text_at(p, i), number = text_at(p, i - 1);
    const char *unit = right_unit(word);
    shunt_diag *d;
    if (touches(p, i) && word.length > 1 && (word.bytes[0] | 32) == 'e' && word.bytes[1] >= '0' && word.bytes[1] <= '9') {
        d = shunt_complain(p, SHUNT_E0101, i, "numbers have no exponent");
        HELP("write all digits: `1e3` is `1000`");
    } else if (is_other_unit(word)) {
        d = shunt_complain(p, SHUNT_E0109, i, "there is no unit `%.*s`", SHUNT_TEXT_ARGS(word));
        HELP("units are `days`, `hours`, `minutes`, `months` and `years`, as in `30 days`");
    } else if (unit) {
        d = shunt_complain(p, SHUNT_E0109, i, "there is no unit `%.*s`", SHUNT_TEXT_ARGS(word));
        HELP("did you mean `%.*s %s`?", SHUNT_TEXT_ARGS(number), unit);
    } else if (is_letters(word, 'A', 'Z', 3)) {
        d = shunt_complain(p, SHUNT_E0109, i, "an amount and its currency have one blank between them");
        HELP("write `%.*s %.*s`", SHUNT_TEXT_ARGS(number), SHUNT_TEXT_ARGS(word));
    } else if (is_letters(word, 'a', 'z', 3) && token_at(p, i)->begin - token_at(p, i - 1)->end <= 1) {
        d = shunt_complain(p, SHUNT_E0109, i, "a currency is three capital letters");
        HELP("write `%.*s %c%c%c`", SHUNT_TEXT_ARGS(number), word.bytes[0] - 32, word.bytes[1] - 32, word.bytes[2] - 32);
    } else {
        return false;
    }
    p->next = i + 1;
    return true;
}

/* A text without its quotes, or a message in the wrong ones. */
bool shunt_mend_quotes(shunt_parse *p, stack *ps, uint32_t i)
{
    uint32_t level = shunt_map_level(ps);
    int      kind = kind_at(p, i);
    if (kind == T_STRING && fits(p, ps, level, T_TEXTBLOCK, i + 1, 1)) {
        shunt_diag *d = shunt_unexpected(p, i);
        HERE("a message stands in three quotes: `\"\"\"...\"\"\"`");
        shunt_shift(p, ps, T_TEXTBLOCK, span_at(p, i), shunt_tree_token(p, token_at(p, i)));
        p->next = i + 1;
        return true;
    }
    bool text = (kind == T_IDENT || kind == T_INT || kind == T_DECIMAL || shunt_token_word(kind)) && !token_at(p, i)->leads;
    if (!text || is_complete(p, ps) || fits(p, ps, level, T_INT, i, 0) || !fits(p, ps, level, T_STRING, i + 1, 1)) return false;
    shunt_diag *d = shunt_unexpected(p, i);
    HERE("write it in quotes: `\"%.*s\"`", SHUNT_TEXT_ARGS(text_at(p, i)));
    token_at(p, i)->kind = T_STRING;
    return true;
}

/* ---- other languages ---- */

/* `x = ...` where a statement begins. */
bool shunt_mend_assignment(shunt_parse *p, stack *ps, uint32_t i)
{
    if (kind_at(p, i) != T_IDENT || kind_at(p, i + 1) != '=' || !is_complete(p, ps)) return false;
    if (!fits(p, ps, shunt_map_level(ps), T_LET, i, 3)) return false;
    shunt_diag *d = shunt_complain(p, SHUNT_E0101, i, "nothing is assigned in a map");
    HELP("give the value a name, once: `let %.*s = ...`", SHUNT_TEXT_ARGS(text_at(p, i)));
    HELP("a total over units is a `tally`: `add x to NAME`");
    shunt_insert(p, ps, T_LET, i);
    return true;
}

/* `a ? b : c` */
bool shunt_mend_question(shunt_parse *p, stack *ps, uint32_t i)
{
    if (kind_at(p, i) != '?' || !fits(p, ps, shunt_map_level(ps), '+', i, 0)) return false;
    shunt_diag *d = shunt_complain(p, SHUNT_E0104, i, "`?` is not an operator here");
    HELP("a choice is written `if a = b then x else y`");
    HELP("an answer for what may be absent is written `a otherwise x`");
    shunt_skip(p, ps, i);
    return true;
}

/* `check ... otherwise EXIT`, which reads as a value with an answer. */
bool shunt_mend_check(shunt_parse *p, stack *ps, uint32_t i)
{
    uint32_t   level = shunt_map_level(ps), at = i;
    shunt_span span;
    if (!fits(p, ps, level, T_ELSE, i, 0)) return false;
    while (level > 0 && shunt_map_symbol(ps, level - 1, &span) != T_CHECK) level--;
    if (level == 0) return false;
    uint32_t check = find_token(p, span.begin);
    while (at > check && kind_at(p, at) != T_OTHERWISE) at--;
    if (at == check) return false;
    shunt_diag *d = shunt_complain(p, SHUNT_E0101, at, "unexpected word `otherwise`");
    HERE("write `else`");
    HELP("`otherwise` answers a value that is absent; `else` says what happens when the check fails");
    shunt_skip(p, ps, i);
    return true;
}

/* Words of other languages: `first` and, where given, `second` were meant. */
static const struct {
    const char *word, *right;
    int         first, second;
} foreign[] = {
    { "elif", "else if", T_ELSE, T_IF },
    { "elsif", "else if", T_ELSE, T_IF },
    { "elseif", "else if", T_ELSE, T_IF },
    { "foreach", "for each", T_FOR, T_EACH },
    { "switch", "match", T_MATCH, 0 },
    { "case", "when", T_WHEN, 0 },
    { "default", "else", T_ELSE, 0 },
    { "var", "let", T_LET, 0 },
    { "const", "let", T_LET, 0 },
    { "set", "let", T_LET, 0 },
    { "val", "let", T_LET, 0 },
    { "func", "function", T_FUNCTION, 0 },
    { "def", "function", T_FUNCTION, 0 },
    { "fn", "function", T_FUNCTION, 0 },
    { "assert", "check", T_CHECK, 0 },
    { "require", "check", T_CHECK, 0 },
    { "include", "import", T_IMPORT, 0 },
    { "null", "absent", T_ABSENT, 0 },
    { "fallback", "otherwise", T_OTHERWISE, 0 },
    { "continue", "skip", T_SKIP, 0 },
    { "output", "emit", T_EMIT, 0 },
};

bool shunt_mend_foreign(shunt_parse *p, stack *ps, uint32_t i)
{
    if (kind_at(p, i) != T_IDENT) return false;
    for (size_t k = 0; k < SHUNT_COUNT(foreign); k++) {
        if (!shunt_text_is(text_at(p, i), foreign[k].word)) continue;
        uint16_t kinds[3] = { (uint16_t)foreign[k].first, (uint16_t)foreign[k].second, token_at(p, i + 1)->kind };
        if (!foreign[k].second) kinds[1] = kinds[2];
        if (!shunt_map_accepts(ps, shunt_map_level(ps), kinds, foreign[k].second ? 3 : 2)) continue;
        shunt_diag *d = shunt_unexpected(p, i);
        HELP("write `%s`", foreign[k].right);
        if (foreign[k].second) shunt_insert(p, ps, foreign[k].first, i);
        token_at(p, i)->kind = kinds[foreign[k].second ? 1 : 0];
        return true;
    }
    return false;
}

/* ---- several in one ---- */

/* The bracket that closes the one at `open`; 0 where there is none. */
static uint32_t closing(const shunt_parse *p, uint32_t open)
{
    uint32_t depth = 0;
    for (uint32_t i = open; kind_at(p, i) != T_YYEOF && i - open < SHUNT_WORDS_LOOKED_AT; i++) {
        if (is_opener(kind_at(p, i))) depth++;
        if (is_closer(kind_at(p, i)) && --depth == 0) return i;
    }
    return 0;
}

/* `key a: text(2), b: text(5)`, as targets write it, and the same in parentheses: one line is one key, or one column. */
bool shunt_mend_items(shunt_parse *p, stack *ps, uint32_t i)
{
    uint32_t level = shunt_map_level(ps), at = i, end = 0;
    bool     opens = kind_at(p, i) == '(' && i > 0 && kind_at(p, i - 1) == T_KEY;
    if (opens) {
        end = closing(p, i);
        if (!end || !may_move_words(p) || !fits(p, ps, level, 0, i + 1, 2) || kind_at(p, i + 2) != ':') return false;
    } else {
        if (kind_at(p, i) != ',' || kind_at(p, i + 2) != ':') return false;
        while (at > 0 && !token_at(p, at)->leads && kind_at(p, at) != T_KEY && kind_at(p, at) != T_COLUMN) at--;
        if (kind_at(p, at) != T_KEY && kind_at(p, at) != T_COLUMN) return false;
        if (!fits(p, ps, level, kind_at(p, at), i + 1, 2)) return false;
    }
    uint16_t    word = opens ? T_KEY : token_at(p, at)->kind;
    shunt_diag *d = shunt_unexpected(p, i);
    HELP("each stands by itself: `%s %.*s: ...`", shunt_token_word(word), SHUNT_TEXT_ARGS(text_at(p, i + 1)));
    if (opens) shunt_drop_word(p, end);
    if (opens) shunt_drop_word(p, i);
    for (uint32_t k = i, depth = 0; kind_at(p, k) != T_YYEOF && (k == i || !token_at(p, k)->leads); k++) {
        if (is_opener(kind_at(p, k))) depth++;
        if (is_closer(kind_at(p, k)) && depth-- == 0) break;
        if (kind_at(p, k) == ',' && depth == 0) token_at(p, k)->kind = word;
    }
    return true;
}

/* ---- states ---- */

static shunt_text text_between(const shunt_parse *p, uint32_t first, uint32_t last)
{
    return shunt_tree_source(p, (shunt_span){ token_at(p, first)->begin, token_at(p, last)->end, p->file });
}

/* `present(CLP11)`, as if it were a function: read as `(CLP11) is present`. */
static bool mend_state_call(shunt_parse *p, stack *ps, uint32_t i)
{
    uint32_t end = closing(p, i + 1);
    uint16_t state = token_at(p, i)->kind;
    if (end == 0 || end == i + 2 || !may_move_words(p) || !fits(p, ps, shunt_map_level(ps), 0, i + 1, 2)) return false;
    shunt_text word = text_at(p, i), value = text_between(p, i + 2, end - 1);
    bool       one = end == i + 3 || kind_at(p, end - 1) == T_ELEM;
    for (uint32_t k = i + 2; k < end && !one; k++)
        if (is_operator(kind_at(p, k))) value = text_between(p, i + 1, end);
    if (!shunt_put_word(p, state, end + 1) || !shunt_put_word(p, T_IS, end + 1)) return false;
    shunt_diag *d = shunt_complain(p, SHUNT_E0101, i, "`%.*s` is no function", SHUNT_TEXT_ARGS(word));
    HELP("it is asked behind the value: `%.*s is %.*s`", SHUNT_TEXT_ARGS(value), SHUNT_TEXT_ARGS(word));
    p->next = i + 1;
    return true;
}

bool shunt_mend_state(shunt_parse *p, stack *ps, uint32_t i)
{
    int      kind = kind_at(p, i), before = i > 0 ? kind_at(p, i - 1) : 0;
    uint32_t level = shunt_map_level(ps);
    if (kind != T_ABSENT && kind != T_PRESENT && kind != T_CLEARED && kind != T_NOTHING) return false;
    if (!fits(p, ps, level, T_TSTART, i, 0) || !fits(p, ps, level, T_INT, i, 0)) return false; /* a value is wanted */
    if (kind != T_NOTHING && kind_at(p, i + 1) == '(' && mend_state_call(p, ps, i)) return true;
    bool compared = (before == '=' || before == T_NE) && kind != T_NOTHING;
    if (!compared && (kind == T_PRESENT || kind == T_CLEARED)) return false;
    if (token_at(p, i)->leads || !fits(p, ps, level, T_IDENT, i + 1, 1)) return false;
    shunt_text  word = text_at(p, i);
    shunt_diag *d = shunt_complain(p, SHUNT_E0101, i, "there is no value `%.*s`", SHUNT_TEXT_ARGS(word));
    if (compared) {
        HELP("write `is %s%.*s`", before == '=' ? "" : "not ", SHUNT_TEXT_ARGS(word));
    } else {
        HELP("what may be absent is written as it is: `npi: NM1[\"82\"].NM109`, into a field that is declared with `?`");
        HELP("what is written only sometimes stands in `if ... { ... }`; a line may also end in `when ...`");
    }
    shunt_insert(p, ps, T_IDENT, i);
    p->next = i + 1;
    return true;
}

/* `CLP02 is "22"`, `CLP02 is not "22"`: a value is compared by a sign. */
bool shunt_mend_is(shunt_parse *p, stack *ps, uint32_t i)
{
    bool       negated = i > 1 && kind_at(p, i - 1) == T_NOT && kind_at(p, i - 2) == T_IS;
    uint32_t   words = negated ? 2 : 1, level = shunt_map_level(ps);
    shunt_span at;
    if (i < 2 || !(negated || kind_at(p, i - 1) == T_IS) || !begins_value(kind_at(p, i)) || level < words) return false;
    /* They are on the stack as they stand in the file, and not what another guess made of them. */
    for (uint32_t k = 1; k <= words; k++)
        if (shunt_map_symbol(ps, level - k, &at) != kind_at(p, i - k)) return false;
    if (!fits(p, ps, level - words, negated ? T_NE : '=', i, 1)) return false;
    if (kind_at(p, i) == T_IDENT && !(text_at(p, i).bytes[0] >= 'A' && text_at(p, i).bytes[0] <= 'Z'))
        return false; /* rather a state */
    const char *sign = negated ? "!=" : "=";
    shunt_diag *d = shunt_complain(p, SHUNT_E0101, negated ? i - 2 : i - 1, "`is` asks whether a value is there");
    HELP("to compare it, write `%s`", sign);
    shunt_map_unshift(ps);
    if (negated) shunt_map_unshift(ps);
    shunt_insert(p, ps, negated ? T_NE : '=', i);
    return true;
}

/* `function f(x: text) -> text { x }` */
bool shunt_mend_return(shunt_parse *p, stack *ps, uint32_t i)
{
    uint32_t level = shunt_map_level(ps);
    int      kind = kind_at(p, i);
    if (!begins_value(kind) && kind != T_IF && kind != T_MATCH) return false;
    if (!fits(p, ps, level, T_RETURN, i, 2)) return false;
    char word[SHUNT_PHRASE];
    shunt_explain_word(p, token_at(p, i), word);
    shunt_diag *d = shunt_complain(p, SHUNT_E0101, i, "`return` is missing before %s", bare(word));
    HERE("what the function gives");
    shunt_insert(p, ps, T_RETURN, i);
    return true;
}

/* ---- keywords ---- */

bool shunt_mend_keyword_name(shunt_parse *p, stack *ps, uint32_t i)
{
    uint32_t words = kind_at(p, i + 1) == T_THROUGH ? 1 : 2; /* the second name of `effective from through to` is one as well */
    if (!shunt_token_word(kind_at(p, i)) || !fits(p, ps, shunt_map_level(ps), T_IDENT, i + 1, words)) return false;
    shunt_text  word = text_at(p, i);
    shunt_diag *d = shunt_complain(p, SHUNT_E0107, i, "`%.*s` is a keyword, here a name is wanted", SHUNT_TEXT_ARGS(word));
    HELP("write it in backquotes: `` `%.*s` ``", SHUNT_TEXT_ARGS(word));
    token_at(p, i)->kind = T_IDENT;
    return true;
}

static const struct {
    const char *word;
    int         kind;
} keywords[] = {
#define SHUNT_KEYWORD(token, word) { word, T_##token },
#include "grammar/keyword.def"
};

static uint32_t spelling_distance(shunt_text written, shunt_text keyword)
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
static int nearest_keyword(const shunt_parse *p, const stack *ps, uint32_t level, uint32_t at)
{
    shunt_text written = text_at(p, at);
    uint32_t   best = written.length <= 5 ? 2 : 3;
    int        found = 0;
    if (written.length < 3) best = 1; /* but for capitals */
    for (size_t k = 0; k < SHUNT_COUNT(keywords); k++) {
        shunt_text word = shunt_text_of(keywords[k].word);
        uint32_t   distance = spelling_distance(written, word);
        if (distance >= best || distance >= word.length) continue;
        uint32_t words = distance > 1 ? 2 : 1; /* what is nearly right needs less to go with it */
        if (!fits(p, ps, level, keywords[k].kind, at + 1, words)) continue;
        best = distance;
        found = keywords[k].kind;
    }
    return found;
}

bool shunt_mend_spelling(shunt_parse *p, stack *ps, uint32_t i)
{
    int kind = kind_at(p, i) == T_IDENT ? nearest_keyword(p, ps, shunt_map_level(ps), i) : 0;
    if (!kind) return false;
    shunt_diag *d = shunt_unexpected(p, i);
    HELP("did you mean `%s`?", shunt_token_word(kind));
    token_at(p, i)->kind = (uint16_t)kind;
    return true;
}
