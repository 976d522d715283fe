/* mend.h - the guesses about a word that does not fit. Private to grammar/.
 * Each looks at word `i`, which the parser at the top of its stack does not take. Where its guess holds for the words
 * that follow, it says so, once, mends the words or the stack so that the parse goes on, and returns true. */
#ifndef SHUNT_MEND_H
#define SHUNT_MEND_H

#include "grammar/words.h"

typedef bool shunt_mend(shunt_parse *p, stack *ps, uint32_t i);

/* ---- brackets.c: what stands open, and how to get out of it ---- */

struct open_brackets {
    uint32_t tokens[SHUNT_SCAN_DEPTH + 1]; /* numbers of the words, outermost first; for one that is made up, of the next */
    int      kinds[SHUNT_SCAN_DEPTH + 1];
    bool     made[SHUNT_SCAN_DEPTH + 1];   /* made up, as it was missing */
    uint32_t levels[SHUNT_SCAN_DEPTH + 1]; /* height of the stack below each */
    uint32_t count;
};

/* What stands open on the lowest `level` symbols of the stack. */
struct open_brackets shunt_open_brackets(const shunt_parse *p, const stack *ps, uint32_t level);
/* Word `index` fits behind one or more closing brackets; those of blocks count only with `blocks`. */
bool                 shunt_close_brackets(shunt_parse *p, stack *ps, uint32_t index, bool blocks);
/* Skips from word `i` to the next item of the innermost list, brackets and all; to the next declaration where one
 * begins at the left. */
void                 shunt_skip(shunt_parse *p, stack *ps, uint32_t i);
/* The level of the outermost list that can skip: the declarations, or the file. */
uint32_t             shunt_outermost(const stack *ps);
shunt_mend           shunt_mend_brackets;    /* a line begins further to the left than the block it stands in */
shunt_mend           shunt_mend_parentheses; /* a `(` or `[` that a word goes beyond which begins nothing */

/* ---- slips.c: known by their look ---- */

shunt_mend shunt_mend_stars;        /* `NM1*82`, before it is read as a product */
shunt_mend shunt_mend_where;        /* `NM109 where NM101 = "82"` */
shunt_mend shunt_mend_grouping;     /* `1,000` that is no money */
shunt_mend shunt_mend_literal;      /* `3 weeks`, `5 usd`, `1e3` */
shunt_mend shunt_mend_quotes;       /* a text without quotes, a message in the wrong ones */
shunt_mend shunt_mend_assignment;   /* `x = ...` as a statement */
shunt_mend shunt_mend_question;     /* `a ? b : c` */
shunt_mend shunt_mend_check;        /* `check a otherwise quarantine X` */
shunt_mend shunt_mend_items;        /* `key a: text(2), b: text(5)` */
shunt_mend shunt_mend_state;        /* `present(x)`, `x = absent`, `else absent` */
shunt_mend shunt_mend_is;           /* `CLP02 is "22"` */
shunt_mend shunt_mend_return;       /* `{ x }` of a function */
shunt_mend shunt_mend_foreign;      /* `elif`, `foreach`, `null` */
shunt_mend shunt_mend_keyword_name; /* a keyword in the place of a name */
shunt_mend shunt_mend_spelling;     /* a name in the place of a keyword that is spelled much like it */

/* ---- account.c: between `debit` and its amount stands a name, a text, or a value in parentheses ---- */

/* Word `i` follows `debit` or `credit` and begins a value that would need parentheses. Before any of it is taken. */
shunt_mend shunt_mend_account;
shunt_mend shunt_mend_when; /* `debit "4590" share if ...` */

/* ---- guess.c: one word too few, too many or in the place of another ---- */

shunt_mend shunt_mend_surplus_comma; /* behind the last item of a list */
shunt_mend shunt_mend_missing_value;
shunt_mend shunt_mend_missing_name;
shunt_mend shunt_mend_exchange;
shunt_mend shunt_mend_missing; /* a word or sign that joins */
shunt_mend shunt_mend_sole;    /* the one word that may stand here */
shunt_mend shunt_mend_missing_operator;
shunt_mend shunt_mend_surplus;

#endif
