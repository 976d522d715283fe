/* session_state.h - the inside of a session, for the files that make it up: session.c (inputs, scopes, events), unit.c (what rules do,
 * exits, keys), raise.c (exceptions). */
#ifndef SHUNT_SESSION_STATE_H
#define SHUNT_SESSION_STATE_H

#include "engine/base/hash.h"
#include "engine/base/index.h"
#include "engine/base/walk.h"
#include "engine/vm/pending.h"
#include "engine/vm/record.h"
#include "engine/vm/session.h"

/* A scope that an exit has undone: the first exit wins. */
struct doom {
    bool         on;
    shunt_fate   fate;
    uint16_t     code; /* of the author, SHUNT_NONE */
    shunt_status cause;
};

/* Where a scope began. */
struct scope_mark {
    uint64_t serial;  /* of its first transaction */
    uint64_t records; /* a mark of `pending` */
    uint64_t letters;
    uint64_t begin; /* byte of the input */
};

/* An open unit. */
struct unit {
    uint64_t     ordinal, begin, end;
    uint32_t     instance;
    uint16_t     loop;
    bool         listed; /* its records are wanted */
    bool         failed; /* before its handler: a fault of the reader, a limit */
    shunt_fate   fate;
    uint16_t     code; /* of the exit that it left by */
    shunt_status cause;
};

/* A record of the unit at hand, in `pending`. */
struct made {
    shunt_hash key;
    uint64_t   content;
    size_t     key_begin, key_end; /* its key as JSON, there, or in `aside` where an `encode` shapes the record */
    bool       key_aside;
    uint32_t   pieces; /* of `pending`, up to those of it and its lineage */
    uint32_t   site;
    uint16_t   target;
    bool       drop; /* a duplicate */
};

/* What the loops and nodes of the plan mean to the session. */
struct loop_info {
    uint16_t handler; /* function, SHUNT_NONE */
    bool     unit;
    bool     tallied;
};
/* The tallies that take a value of each instance of a frame: so many of `session.tallied`. */
struct tallied {
    uint16_t first, count;
};
enum { NODE_CAPTURED = 1, NODE_EARLY = 2, NODE_TALLIED = 4, NODE_CURRENCY = 8 };

struct shunt_session {
    const shunt_memory  *memory;
    const shunt_program *program;
    const shunt_plan    *plan;
    shunt_sinks          sinks;
    shunt_observer       observer;
    const uint64_t      *only;
    size_t               only_count;
    bool                 only_whole;
    shunt_text           only_control;
    shunt_trace_filter   lineage;
    shunt_status (*lineage_sink)(void *context, const shunt_lineage_out *lineage);
    uint64_t only_met; /* of the input at hand */

    shunt_vm_host   host;
    shunt_vm       *vm;
    shunt_capture  *capture;
    shunt_encoders *encoders;
    shunt_ledger   *ledger;
    shunt_letters  *letters; /* NULL: raw input is not kept */
    shunt_spool     records; /* of the scope that is not committed: what `pending` has no room for */
    shunt_pending   pending; /* records, those of the unit at hand at the end */
    shunt_spool     raised;  /* exceptions of the unit at hand, until it is known what becomes of it */
    bool            own_records, own_raised;
    bool            plain_records; /* each is handed out as it waits, whatever is around it */
    shunt_index    *keys;          /* key of a record -> transaction, content */
    shunt_index    *undone;        /* transactions that were undone */
    shunt_index    *occurrences;   /* of the transaction */
    shunt_hash_key  hash_key;
    size_t          out_limit;
    shunt_scope     widest;

    struct loop_info *loops;
    uint8_t          *nodes;
    bool             *plain; /* by loop, by node, and by node before the first unit: nothing happens there but capture */
    shunt_direct      direct;
    struct tallied   *tallied_of; /* by frame */
    uint16_t         *tallied;    /* tallies, by frame */
    uint16_t         *maps;       /* by source: index of the map, SHUNT_NONE */

    /* of the run */
    shunt_status dead; /* the run has stopped */
    bool         at_fault, in_input, no_hash;
    uint64_t     raised_count[SHUNT_GRADE_ERROR + 1];
    uint64_t    *code_count; /* by code of the author */
    uint64_t     status_count[SHUNT_STATUS_COUNT];
    uint64_t    *record_count;    /* by target */
    shunt_piece  around;          /* the record that is handed out */
    shunt_buffer waiting_lineage; /* of the message that waits for what follows it */
    uint64_t     mapped, unmapped;
    uint64_t     serial; /* transactions so far */
    struct extra {
        uint64_t count;           /* of the input at hand, listed and not */
        uint64_t first, last;     /* where the first and the last stand that were not listed */
    } extras[SHUNT_STATUS_COUNT]; /* by code */

    /* of the input */
    shunt_reader     *reader;
    shunt_sha256      sha;
    shunt_input_info *inputs;
    size_t            input_count, input_capacity;
    uint64_t          transactions;
    struct doom       doom[SHUNT_LEVEL_RUN];
    struct scope_mark file, batch; /* what their doom undoes */
    bool              batch_used;  /* something happened since the last batch was closed */

    /* of the transaction */
    bool                   open, mapped_set, early_done;
    const shunt_map_entry *map;
    uint16_t               set_loop; /* the body of the set */
    uint64_t               begin, unit_ordinal;
    shunt_status           last_error; /* the last fault of the reader that was no warning */
    uint64_t               spool_begin;
    shunt_buffer           control, correlate;

    /* of the unit, or of what runs outside of one */
    struct unit         units[SHUNT_WALK_DEPTH];
    unsigned            unit_depth;
    shunt_pending_place here;  /* where its records begin */
    shunt_buffer        aside; /* what encoders leave beside them: keys */
    struct made        *made;
    uint32_t            made_count, made_capacity;
    uint64_t            stamp_begin, stamp_end;

    shunt_buffer scratch, carry, json, text;
    size_t       lineage_bytes; /* of the unit at hand */
    uint64_t     handed_out;    /* records so far */
};

static inline struct unit *shunt_session_unit(shunt_session *s) { return s->unit_depth ? &s->units[s->unit_depth - 1] : NULL; }
static inline shunt_text   shunt_buffer_as_text(const shunt_buffer *b) { return (shunt_text){ b->bytes, (uint32_t)b->length }; }
const struct doom         *shunt_session_doom(const shunt_session *s); /* the widest that holds now, NULL = none */
shunt_text                 shunt_session_code_text(const shunt_session *s, uint16_t code, shunt_status cause);

/* unit.c */
void         shunt_session_host(shunt_session *s); /* sets the callbacks of the VM */
/* Runs the handler of the innermost unit and settles it. `node` NULL: nothing was captured. */
shunt_status shunt_session_settle(shunt_session *s, const shunt_node *node);
/* Runs a rule that stands outside of units; an exit undoes the scope at least. `keep`: it binds names for the rest of the transaction. */
/* Nothing of what runs now is left out by `only`. */
bool         shunt_session_wants_all(const shunt_session *s);
shunt_status shunt_session_outside(shunt_session *s, uint16_t function, const shunt_node *node, bool keep, shunt_scope scope,
                                   uint64_t begin, uint64_t end);
/* A failure before any rule ran: answered by `exit` (SHUNT_NONE: quarantine by the engine's code). */
shunt_status shunt_session_fail(shunt_session *s, uint16_t exit, shunt_status cause, shunt_scope least, shunt_raised *raised);
/* An open unit that will not be handled any more. */
shunt_status shunt_session_drop(shunt_session *s, shunt_fate fate);

/* The piece of a record's lineage follows its own, tagged so. */
enum { SHUNT_LINEAGE_TAG = 1 << 16 };

/* raise.c: `raised` holds what is particular; place, unit, input and the like are filled in where they are empty. */
shunt_status shunt_session_raise(shunt_session *s, shunt_raised *raised);
/* Hands out what waits, marked with what became of the unit; `known` false: it is not known yet. */
shunt_status shunt_session_release(shunt_session *s, bool known, shunt_fate fate);
/* At the end of an input: says what was left out. */
shunt_status shunt_session_extras(shunt_session *s);
void         shunt_session_place(const shunt_session *s, const shunt_vm_place *place, shunt_raised *raised);

#endif
