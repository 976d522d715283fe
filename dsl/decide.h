/* decide.h - a decision table as sets of rows: what check looks for overlaps and gaps in, and what emit writes down.
 * Each column divides its values into sets, so that all values of a set fit the same rows: its points, what lies between them (of
 * ordered columns) or all others (of the rest), and the two states. Sets are numbered as in engine/vm/decision.h.
 * Owns: nothing; everything lives in the arena of the compilation. */
#ifndef SHUNT_DECIDE_H
#define SHUNT_DECIDE_H

#include "dsl/fact.h"

enum { SHUNT_DECIDE_ROWS = 4096 };
enum {
    SHUNT_DECIDE_ABSENT,
    SHUNT_DECIDE_CLEARED,
    SHUNT_DECIDE_OTHERS, /* no point; of ordered columns: below the first point */
    SHUNT_DECIDE_POINTS,
};

typedef struct shunt_decide_point {
    __int128   number; /* at the scale of the column */
    shunt_text text;
} shunt_decide_point;

typedef struct shunt_decide_column {
    const shunt_symbol *param;
    bool                textual, ordered;
    __int128            least, most; /* of ordered columns */
    uint32_t            point_count;
    shunt_decide_point *points; /* rising */
    uint32_t            set_count;
    uint64_t           *bits;     /* set_count times `words` */
    bool               *possible; /* whether a value of the type can be in the set */
} shunt_decide_column;

typedef struct shunt_decide {
    const shunt_symbol  *function;
    shunt_span           at;    /* where it is declared, or changed */
    bool                 first; /* order decides; else no two rows may apply */
    bool                 exits; /* a row leaves */
    bool                 wrong; /* an error was reported: the sets are not there */
    uint32_t             row_count, words;
    shunt_ast          **rows;      /* ROW in order, without `else` */
    shunt_ast           *otherwise; /* ROW, NULL = none */
    uint32_t             column_count;
    shunt_decide_column *columns;
} shunt_decide;

static inline uint64_t *shunt_decide_set(const shunt_decide *d, uint32_t column, uint32_t set)
{
    return d->columns[column].bits + (size_t)set * d->words;
}
static inline bool shunt_decide_has(const uint64_t *set, uint32_t row) { return set[row / 64] >> (row % 64) & 1; }

/* The sets that one alternative of a pattern takes, `from` to `to`; false: it takes every value in every state. */
bool shunt_decide_span(const shunt_decide_column *column, const shunt_ast *alternative, uint32_t *from, uint32_t *to);

/* ---- decide_overlap.c ---- */
/* The first row before `row` that a value of it also fits, UINT32_MAX if none; `sets` gets a set of each column that both take. */
uint32_t shunt_decide_overlap(const shunt_decide *d, uint32_t row, uint64_t *scratch, uint32_t *sets);

/* Values that no row fits. `within` a row: of its values, those that no row before it fits; UINT32_MAX: of all values. */
typedef struct shunt_decide_gap {
    bool **sets; /* for each column the sets */
} shunt_decide_gap;
typedef enum shunt_decide_covered {
    SHUNT_DECIDE_COVERED,
    SHUNT_DECIDE_GAPS,
    SHUNT_DECIDE_UNKNOWN /* not known after so many steps */
} shunt_decide_covered;
typedef struct shunt_decide_gaps {
    shunt_decide_gap *items;
    uint32_t          count;
    bool              more; /* there are others */
} shunt_decide_gaps;
/* NO_MEMORY, or OK. At most `most` gaps are listed, which do not overlap. */
shunt_status shunt_decide_find_gaps(const shunt_memory *memory, shunt_arena *arena, const shunt_decide *d, uint32_t within,
                                    uint32_t most, shunt_decide_covered *covered, shunt_decide_gaps *gaps);
/* "group = CO, remark absent"; an example: one value of each column that is not `any`. */
void         shunt_decide_show(const shunt_decide *d, const shunt_decide_gap *gap, shunt_buffer *out);
/* A value of the set, as an author writes it without quotes. */
void         shunt_decide_value(const shunt_decide_column *column, uint32_t set, shunt_buffer *out);

/* ---- decide_csv.c ---- */
/* The rows of a decision that stand in a file, as the tree that they would be in the rules. Spans point into `file`, a module
 * without a tree. Faults are reported (E0903); NULL without memory. */
shunt_ast *shunt_decide_csv(shunt_compilation *c, const shunt_symbol *function, uint32_t file);

#endif
