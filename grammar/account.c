/* Lines of a journal: `debit`, an account, an amount. The account ends where the amount begins, so that it is a name, a text, or a value
 * in parentheses; what was written without them is given them here. */
#include "grammar/mend.h"

static bool ends_line(const shunt_parse *p, uint32_t i)
{
    int kind = kind_at(p, i);
    return token_at(p, i)->leads || kind == T_YYEOF || is_closer(kind);
}

/* Behind the bracket that closes the one at `open`, and whether a comma stands in it; 0 where the line has none. */
static uint32_t behind_bracket(const shunt_parse *p, uint32_t open, bool *comma)
{
    uint32_t depth = 0;
    for (uint32_t i = open; kind_at(p, i) != T_YYEOF && i - open < SHUNT_WORDS_LOOKED_AT; i++) {
        if (is_opener(kind_at(p, i))) depth++;
        if (kind_at(p, i) == ',' && depth == 1) *comma = true;
        if (is_closer(kind_at(p, i)) && --depth == 0) return i + 1;
    }
    return 0;
}

typedef struct account {
    uint32_t end;   /* of the words after it the first */
    bool     wrong; /* it can not be read without parentheses */
    bool     maybe; /* it can, as another account with the amount in parentheses, unless one more amount follows */
} account;

/* `f(a, b)`, `t[k].c`, `row.account`, `(x).c`, from word `i` on. */
static account postfix(const shunt_parse *p, uint32_t i)
{
    account a = { .end = 0 };
    bool    comma = false;
    if (kind_at(p, i) == '(') {
        a.end = behind_bracket(p, i, &comma);
        if (a.end && (kind_at(p, a.end) == '.' || (kind_at(p, a.end) == '[' && touches(p, a.end)))) a.wrong = true;
    } else if (kind_at(p, i) == T_IDENT || kind_at(p, i) == T_STRING || kind_at(p, i) == T_ELEM || kind_at(p, i) == T_LOOPID ||
               kind_at(p, i) == T_INT) {
        a.end = i + 1;
    }
    while (a.end && !ends_line(p, a.end)) {
        int kind = kind_at(p, a.end);
        if (kind == '.') {
            a.end += 2;
        } else if (kind == '[' && kind_at(p, i) != T_STRING && touches(p, a.end)) {
            a.end = behind_bracket(p, a.end, &comma);
            a.wrong = true;
        } else if (kind == '(' && kind_at(p, i) == T_IDENT && touches(p, a.end) && !a.wrong) {
            comma = false;
            a.end = behind_bracket(p, a.end, &comma);
            a.wrong = comma;
            a.maybe = true;
        } else {
            break;
        }
    }
    return a;
}

static bool begins_exit(int kind) { return kind == T_REJECT || kind == T_QUARANTINE || kind == T_WARN || kind == T_SKIP; }

/* Behind `otherwise`: a value, or an exit with its code and text. */
static uint32_t behind_answer(const shunt_parse *p, uint32_t i)
{
    if (!begins_exit(kind_at(p, i))) return postfix(p, i).end;
    if (kind_at(p, i++) == T_SKIP) return i;
    if (kind_at(p, i) == T_WHOLE) i += 2;
    i++;
    if (kind_at(p, i) == T_STRING) return i + 1;
    bool comma = false;
    return kind_at(p, i) == T_TSTART ? behind_bracket(p, i, &comma) : i;
}

/* Behind `if a then b else c`, `match x { ... }`; 0 where they do not end on this line. */
static uint32_t behind_choice(const shunt_parse *p, uint32_t first)
{
    bool comma = false, match = kind_at(p, first) == T_MATCH;
    for (uint32_t i = first + 1; kind_at(p, i) != T_YYEOF && i - first < SHUNT_WORDS_LOOKED_AT; i++) {
        if (!match && token_at(p, i)->leads) return 0;
        if (match && kind_at(p, i) == '{') return behind_bracket(p, i, &comma);
        if (!match && kind_at(p, i) == T_ELSE && kind_at(p, i + 1) != T_IF) return postfix(p, i + 1).end;
    }
    return 0;
}

static account account_at(const shunt_parse *p, uint32_t i)
{
    int     kind = kind_at(p, i);
    account a = { .end = 0 };
    if (kind == T_IF || kind == T_MATCH) {
        a.end = behind_choice(p, i);
        a.wrong = true;
        return a;
    }
    a = postfix(p, i);
    while (a.end && !ends_line(p, a.end) &&
           (kind_at(p, a.end) == T_OTHERWISE || kind_at(p, a.end) == T_CLEARED || kind_at(p, a.end) == T_NOTING)) {
        if (a.maybe) return (account){ 0 }; /* `debit cash (CLP05) otherwise ...` */
        a.end = behind_answer(p, a.end + 1);
        a.wrong = true;
    }
    return a;
}

/* The words that begin an amount here, so that what stands before is an account. */
static bool begins_amount(const shunt_parse *p, uint32_t i)
{
    int kind = kind_at(p, i);
    return !ends_line(p, i) && (begins_value(kind) || kind == '-' || kind == T_REMAINDER || kind == T_IF || kind == T_MAX);
}

/* The amount as it is written, up to `with` or `when`. */
static shunt_text amount_text(const shunt_parse *p, uint32_t i)
{
    uint32_t end = i + 1, depth = is_opener(kind_at(p, i));
    for (; !token_at(p, end)->leads && kind_at(p, end) != T_YYEOF; end++) {
        int kind = kind_at(p, end);
        if (depth == 0 && (kind == T_WITH || kind == T_WHEN || is_closer(kind) || kind == T_DEBIT || kind == T_CREDIT)) break;
        depth += (uint32_t)is_opener(kind);
        depth -= (uint32_t)is_closer(kind);
    }
    return shunt_tree_source(p, (shunt_span){ token_at(p, i)->begin, token_at(p, end - 1)->end, p->file });
}

/* `debit a.amount to "4530"` */
static bool mend_order(shunt_parse *p, stack *ps, uint32_t i, uint32_t to)
{
    uint32_t    end = postfix(p, to + 1).end;
    shunt_text  amount = shunt_tree_source(p, (shunt_span){ token_at(p, i)->begin, token_at(p, to - 1)->end, p->file });
    shunt_diag *d = shunt_complain(p, SHUNT_E0101, to, "unexpected word `to`");
    if (end && end > to + 1) {
        shunt_text name = shunt_tree_source(p, (shunt_span){ token_at(p, to + 1)->begin, token_at(p, end - 1)->end, p->file });
        HELP("the account stands before the amount: `%.*s %.*s %.*s`", SHUNT_TEXT_ARGS(text_at(p, i - 1)), SHUNT_TEXT_ARGS(name),
             SHUNT_TEXT_ARGS(amount));
    }
    shunt_skip(p, ps, i);
    return true;
}

bool shunt_mend_account(shunt_parse *p, stack *ps, uint32_t i)
{
    if (ends_line(p, i) || !fits(p, ps, shunt_map_level(ps), '(', i, 0)) return false;
    account a = account_at(p, i);
    if (!a.end) return false;
    if (kind_at(p, a.end) == T_TO && !token_at(p, a.end)->leads) return mend_order(p, ps, i, a.end);
    bool amount = begins_amount(p, a.end) && !(kind_at(p, a.end) == '-' && !a.wrong);
    if (!amount || (!a.wrong && !a.maybe) || !may_move_words(p)) return false;
    shunt_span at = { token_at(p, i)->begin, token_at(p, a.end - 1)->end, p->file };
    shunt_text written = shunt_tree_source(p, at), rest = amount_text(p, a.end);
    if (!shunt_put_word(p, ')', a.end)) return false;
    if (!shunt_put_word(p, '(', i)) return false;
    if (is_quiet(p, i)) return true;
    shunt_diag *d = shunt_diag_add(p->diags, SHUNT_E0101, at, "an account that is no name or text needs parentheses");
    HELP("put the account in parentheses: `%.*s (%.*s) %.*s`", SHUNT_TEXT_ARGS(text_at(p, i - 1)), SHUNT_TEXT_ARGS(written),
         SHUNT_TEXT_ARGS(rest));
    return true;
}

/* `if` where `when` may stand, and no block follows on the line. */
bool shunt_mend_when(shunt_parse *p, stack *ps, uint32_t i)
{
    if (token_at(p, i)->leads || !fits(p, ps, shunt_map_level(ps), T_WHEN, i + 1, 1)) return false;
    uint32_t end = i + 1;
    while (!token_at(p, end)->leads && kind_at(p, end) != T_YYEOF && kind_at(p, end) != '{') end++;
    if (kind_at(p, end) == '{') return false;
    shunt_diag *d = shunt_complain(p, SHUNT_E0101, i, "unexpected word `if`");
    HERE("write `when`");
    token_at(p, i)->kind = T_WHEN;
    return true;
}
