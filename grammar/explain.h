/* explain.h - the author's words for what stands somewhere and for what may. Private to grammar/. */
#ifndef SHUNT_EXPLAIN_H
#define SHUNT_EXPLAIN_H

#include "grammar/recover.h"

enum { SHUNT_PHRASE = 256 };

/* "word `foo`", "`)`", "end of the file": for a sentence that begins with "unexpected". */
void        shunt_explain_word(const shunt_parse *p, const shunt_token *token, char out[static SHUNT_PHRASE]);
/* "here may stand `else`, a value or an operator"; items first where a line begins. */
void        shunt_explain_expected(const struct shunt_map_pstate *ps, bool leads, char out[static SHUNT_PHRASE]);
/* The only word or sign that may stand here, 0 where there are others. */
int         shunt_explain_sole(const struct shunt_map_pstate *ps);
/* The written form of a word or sign of the language: "else", "=>". */
const char *shunt_explain_kind(int kind, char out[static 4]);

#endif
