/* trace_state.h - the inside of a trace, for the files that make it up: trace.c (what happens), trace_set.c (sets of origins), trace_write.c
 * (lineage as JSON and text). */
#ifndef SHUNT_TRACE_STATE_H
#define SHUNT_TRACE_STATE_H

#include "engine/vm/flow.h"
#include "engine/vm/state.h"
#include "engine/vm/trace.h"

/* A loop instance, with those around it. A copy: nodes go with their loop. */
typedef struct shunt_where {
    const struct shunt_where *outer;
    uint64_t                  at;
    uint32_t                  ordinal;
    uint16_t                  frame;
} shunt_where;

typedef enum shunt_origin_kind {
    SHUNT_ORIGIN_BOTH,     /* a union */
    SHUNT_ORIGIN_VALUE,    /* a captured value */
    SHUNT_ORIGIN_MISSING,  /* a value that was looked for and not sent */
    SHUNT_ORIGIN_POSITION, /* the number of a loop instance */
    SHUNT_ORIGIN_ROW,      /* a row of a table */
    SHUNT_ORIGIN_GIVEN,    /* by the host: file_id, received_at */
    SHUNT_ORIGIN_FIELD,    /* a field of a record that another map made */
} shunt_origin_kind;

/* A set of origins. NULL = empty. Never changed once made, but for `seen`. */
typedef struct shunt_origin {
    uint8_t  kind;
    uint16_t index; /* slot; table; built-in; field */
    uint32_t size;  /* bytes of a value; of a row the keys that are not shown, a bit each; of a field the site that filled it */
    uint64_t seen;
    union {
        struct {
            struct shunt_origin *left, *right;
        };
        struct {
            const shunt_where *where;
            uint64_t           at;
        };
        const shunt_row *row;
        uint64_t         record; /* record type */
    };
} shunt_origin;

/* What is known of a value. */
typedef struct shunt_known {
    shunt_origin *from, *because;
    uint32_t      site; /* where it was written */
} shunt_known;

/* Key -> what is known; keys are addresses of values, or hashes. */
typedef struct shunt_known_map {
    uint64_t    *keys; /* 0 = free */
    shunt_known *items;
    uint32_t     count, capacity;
} shunt_known_map;

/* A condition that holds up to an instruction. */
typedef struct shunt_holding {
    uint32_t      join, frame;
    shunt_origin *because; /* it and all around it */
} shunt_holding;

/* What was added to a tally, last first. */
typedef struct shunt_share {
    const struct shunt_share *before;
    uint64_t                  key; /* hash of the group */
    shunt_known               known;
} shunt_share;

/* An instruction whose result is looked at once it has run. */
typedef struct shunt_pending {
    uint16_t           op, a, b, c;
    const shunt_value *registers;
    const uint8_t     *states;
    shunt_known       *known;
    const shunt_value *items; /* of the list, before */
    uint32_t           count; /* of its items; of a look-up the keys that are not shown */
} shunt_pending;

typedef struct shunt_trace_leg {
    shunt_known   account, amount;
    shunt_origin *because; /* that the line is there */
    shunt_known  *columns;
    uint32_t      site;
    bool          remainder, zero;
} shunt_trace_leg;

struct shunt_trace {
    const shunt_memory  *memory;
    const shunt_program *program;
    shunt_arena         *unit, *kept, *file, *plans; /* plans: of the functions, for good */
    shunt_arena         *arena;                      /* of the run at hand */
    bool                 keep, incomplete, no_memory;
    shunt_flow         **flows;     /* one a function, when it was first met */
    shunt_known         *registers; /* beside the VM's stack */
    shunt_known         *globals;
    bool                *global_unit;
    shunt_known_map      cells, kept_cells, occurrences;
    shunt_holding       *holding;
    uint32_t             holding_count, holding_capacity;
    shunt_origin        *decided, *decided_set; /* in this run; in the runs before it that count for the transaction */
    shunt_pending        pending;
    shunt_known          result;                                    /* of the last run */
    shunt_known          summed;                                    /* what the SUM that is pending went over */
    const shunt_share  **shares;                                    /* by tally */
    const shunt_share  **unit_shares, **set_shares, **batch_shares; /* what undoing goes back to */
    uint64_t             stamp;
    const shunt_node    *last_node;
    const shunt_where   *last_where;
    /* the journal at hand, the record that is handed over */
    shunt_trace_leg     *legs;
    uint32_t             leg_count, leg_capacity;
    uint32_t             common; /* register of the first column that lines leave to the journal; UINT32_MAX: none */
    shunt_origin        *journal_because;
    const shunt_known   *fields, *keys;
    shunt_origin        *record_because;
    bool                 journal;
    shunt_origin       **list; /* of a set that is laid flat */
    uint32_t             list_count, list_capacity;
    shunt_origin       **stack;
    uint32_t             stack_capacity;
};

/* trace_set.c */
shunt_origin *shunt_origin_join(shunt_trace *t, shunt_origin *a, shunt_origin *b);
shunt_origin *shunt_origin_value(shunt_trace *t, const shunt_node *node, uint16_t slot);
shunt_origin *shunt_origin_position(shunt_trace *t, const shunt_node *node);
shunt_origin *shunt_origin_row(shunt_trace *t, uint16_t table, const shunt_row *row, uint32_t masked);
shunt_origin *shunt_origin_given(shunt_trace *t, uint16_t builtin);
shunt_origin *shunt_origin_field(shunt_trace *t, uint16_t record, uint16_t field, uint32_t site);
/* A copy that outlives the unit. */
shunt_origin *shunt_origin_copy(shunt_trace *t, shunt_arena *arena, shunt_origin *set);
int           shunt_origin_compare(const shunt_origin *a, const shunt_origin *b);
/* The members in order of their places into `t->list`, each once. False: no memory. */
bool          shunt_origin_flatten(shunt_trace *t, shunt_origin *set);
void          shunt_known_put(shunt_trace *t, shunt_known_map *map, uint64_t key, shunt_known known);
shunt_known   shunt_known_get(const shunt_known_map *map, uint64_t key);
void          shunt_known_forget(shunt_known_map *map);

static inline shunt_known shunt_known_cell(const shunt_trace *t, const shunt_value *cell)
{
    shunt_known known = shunt_known_get(&t->cells, (uint64_t)(uintptr_t)cell);
    return known.from || known.because || known.site ? known : shunt_known_get(&t->kept_cells, (uint64_t)(uintptr_t)cell);
}
static inline void shunt_known_cell_put(shunt_trace *t, const shunt_value *cell, shunt_known known)
{
    shunt_known_put(t, t->keep ? &t->kept_cells : &t->cells, (uint64_t)(uintptr_t)cell, known);
}

#endif
