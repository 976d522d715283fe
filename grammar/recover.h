/* recover.h - feeds the words to the parser, explains those that do not fit and goes on behind them. Private to grammar/. */
#ifndef SHUNT_RECOVER_H
#define SHUNT_RECOVER_H

#include "grammar/tree.h"

/* Symbols on the stack: some fifteen for each bracket (an operator of every precedence inside it), and long chains of
 * `else if` and of signs, which nest without brackets. */
enum { SHUNT_STACK_DEPTH = 3600 };

/* Runs the parser over the words of `p->scan`; `p->module` is NULL afterwards where not even a module was left. */
void shunt_recover_run(shunt_parse *p);

/* ---- map.y: the parser's stack, without the actions ---- */
struct shunt_map_pstate;
struct shunt_map_pstate *shunt_map_begin(shunt_arena *scratch); /* NULL without memory */
uint32_t                 shunt_map_kinds(void);                 /* words have kinds below this */
/* Levels are heights of the stack. Whether these words may follow the lowest `level` symbols of it. */
bool     shunt_map_accepts(const struct shunt_map_pstate *ps, uint32_t level, const uint16_t *kinds, uint32_t count);
/* The same with an item that was skipped on top of them. */
bool     shunt_map_accepts_after_error(const struct shunt_map_pstate *ps, uint32_t level, const uint16_t *kinds, uint32_t count);
/* The innermost list at or below `below` that can skip an item; 0 where there is none. */
uint32_t shunt_map_error_level(const struct shunt_map_pstate *ps, uint32_t below);
uint32_t shunt_map_level(const struct shunt_map_pstate *ps);
/* The word on the stack at `index`, or -1 for a construct that is complete; and where it stands. */
int      shunt_map_symbol(const struct shunt_map_pstate *ps, uint32_t index, shunt_span *at);
/* Takes the word on top, which nothing was made of, off again. */
void     shunt_map_unshift(struct shunt_map_pstate *ps);
/* Replaces everything above `level` by a skipped item that stood at `at`. */
void     shunt_map_skip(struct shunt_map_pstate *ps, uint32_t level, shunt_span at);

#endif
