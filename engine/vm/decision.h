/* decision.h - which row of a decision table a set of values fits, in steps that depend on its size alone.
 * Each column takes its value to a set of rows, found by a search among the points at which the set changes; the row is the first
 * that is in the sets of all columns.
 * Threads: the program is immutable; nothing is kept. Fails: never. */
#ifndef SHUNT_DECISION_H
#define SHUNT_DECISION_H

#include "engine/vm/program.h"

enum { SHUNT_DECISION_ROWS = 4096, SHUNT_DECISION_WORDS = SHUNT_DECISION_ROWS / 64 };

static inline uint32_t shunt_decision_words(uint32_t rows) { return (rows + 63) / 64; }
/* Sets of a column: absent, cleared, then for ordered columns below the first point, the point, above it ...; for others any value that is
 * no point, then the points. */
static inline uint32_t shunt_decision_sets(const shunt_decision_column *c)
{
    return c->ordered ? 2 * c->point_count + 3 : c->point_count + 3;
}

/* The row from 0, UINT32_MAX if none. `*steps` grows by the work done. */
uint32_t shunt_decision_row(const shunt_program *program, uint16_t decision, const shunt_value *values, const uint8_t *states,
                            uint64_t *steps);

#endif
