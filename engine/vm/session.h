/* session.h - a run: drives reader, capture and VM over inputs that come one after the other, settles units, transactions, batches
 * and files, and hands out records, exceptions and dead letters.
 * Owns:    all state of the run, and the reader of the input at hand. Program, options and what they point to are borrowed.
 * Threads: one session, one thread; any number of them share a program.
 * Memory:  a unit, its records, the transaction's header, and bounded tables; what grows with the input stands in spools.
 * Fails:   NO_MEMORY, IO, CALLBACK: the run has stopped, nothing of what was not committed is handed out, every later call gives the
 *          same status. Faults of the input are no failures: they become exceptions.
 * Order:   records in order of their units, once their scope is committed; exceptions in order of what they are about. */
#ifndef SHUNT_SESSION_H
#define SHUNT_SESSION_H

#include "engine/base/spool.h"
#include "engine/vm/exception.h"
#include "engine/vm/letter.h"
#include "engine/vm/trace.h"
#include "engine/vm/vm.h"

/* An exception that leaves the session. Borrowed until the callback returns. */
typedef struct shunt_exception_out {
    uint16_t     code; /* of the author, into the codes of the program; SHUNT_NONE: `cause` is the code */
    shunt_status cause;
    shunt_grade  grade;
    shunt_scope  scope; /* what it undoes */
    uint64_t     offset;
    uint64_t     begin; /* first byte of the unit it is about; of none, `offset` */
    shunt_text   json, text;
} shunt_exception_out;

/* What a record that was committed is made of. Borrowed until the callback returns. */
typedef struct shunt_lineage_out {
    uint64_t   record; /* its ordinal in the run, from 1 */
    uint16_t   target;
    shunt_text json, text; /* an object without line end; several lines */
} shunt_lineage_out;

/* Any status but OK stops the run. */
typedef struct shunt_sinks {
    void *context;
    shunt_status (*begin)(void *context);
    shunt_status (*record)(void *context, uint16_t target, const char *bytes, size_t length);
    shunt_status (*commit)(void *context);
    shunt_status (*exception)(void *context, const shunt_exception_out *exception);
    shunt_status (*letter)(void *context, const shunt_letter_piece *piece); /* NULL: raw input is not kept */
    /* Instead of `record`: what a file of all records holds, in order, in pieces of any size; NULL: records come one by one. */
    shunt_status (*records)(void *context, const char *bytes, size_t length);
} shunt_sinks;

/* Sees everything as data, before it is written. `record` comes as the rule runs; `settled` then says what became of it and of all since the
 * last call: a unit (ordinal from 1), or what stands outside of units (0). Any member may be NULL. */
typedef struct shunt_observer {
    void *context;
    shunt_status (*record)(void *context, const shunt_record *record);
    shunt_status (*exception)(void *context, const shunt_raised *raised);
    shunt_status (*settled)(void *context, uint64_t unit, shunt_fate fate);
    shunt_status (*transaction)(void *context, bool committed);
} shunt_observer;

typedef struct shunt_session_options {
    const shunt_memory   *memory;
    const shunt_program  *program;
    shunt_sinks           sinks;
    const shunt_observer *observer;   /* NULL = none */
    const shunt_spool    *spool;      /* for records; NULL = a file of the session's own */
    const char           *directory;  /* of temporary files; NULL: TMPDIR or /tmp */
    uint64_t              steps;      /* of a run of a rule, 0 = SHUNT_STEPS */
    size_t                unit_bytes; /* 0 = the largest that a source names, else SHUNT_UNIT_BYTES */
    const uint8_t        *token_key;
    size_t                token_key_length;
    /* see shunt_vm_host; NULL: the program calls no function of a library, or those calls fail */
    shunt_status (*call_extern)(void *extern_context, uint16_t index, const shunt_value *arguments, shunt_arena *arena,
                                shunt_value *result, uint8_t *state);
    void           *extern_context;
    bool            received_at_known;
    shunt_moment    received_at;
    uint64_t        control_number; /* the first one of messages that are written, 0 = as the rules say */
    /* Runs again what a dead letter lists: units of the first transaction of each input, if its control number is that of the letter. All
     * else counts as skipped; a unit listed that does not come is ONLY_UNMET. NULL = everything is wanted. */
    const uint64_t *only; /* ascending ordinals */
    size_t          only_count;
    bool            only_whole;   /* all units, whatever `only` lists */
    shunt_text      only_control; /* empty = any */
    /* What a record is made of, after it, with the context of the sinks; NULL: values are not followed. `lineage`: which part is wanted. */
    shunt_status (*lineage_sink)(void *context, const shunt_lineage_out *lineage);
    shunt_trace_filter lineage;
    uint8_t           *covered; /* see shunt_vm_cover; NULL = nobody asks */
    uint32_t           covered_count;
    bool               no_hash;   /* inputs are not hashed: `sha256` of them is zero */
    bool               interpret; /* the code as it is written, no machine code: to hold one against the other */
    uint8_t            seed[16];  /* random, secret */
} shunt_session_options;

/* SHUNT_FAULTS_LISTED: faults of one code and input that decide nothing (warnings, what is found in what is lost already) and are handed out
 * one by one. Those beyond are counted, and FAULTS_MORE says at the end of the input how many there were and where. */
enum { SHUNT_STEPS = 10 * 1000 * 1000, SHUNT_UNIT_BYTES = 4 << 20, SHUNT_FAULTS_LISTED = 1000 };

typedef struct shunt_input_info {
    shunt_text id, name;
    uint64_t   bytes;
    uint8_t    sha256[32];
} shunt_input_info;

typedef struct shunt_session shunt_session;

/* USAGE: an option is missing or wrong for this program; `why` says which. */
shunt_status shunt_session_new(const shunt_session_options *options, shunt_session **session, char why[static 200]);
void         shunt_session_free(shunt_session *session); /* NULL is fine */
/* Takes over the reader, also when it fails; NULL = no memory for one. `id` empty = the ordinal of the input. USAGE where calls are out of order. */
shunt_status shunt_session_begin(shunt_session *session, shunt_reader *reader, shunt_text id, shunt_text name);
shunt_status shunt_session_feed(shunt_session *session, const void *bytes, size_t size);
shunt_status shunt_session_end(shunt_session *session);
/* After the last input. FAILURE: the control total does not add up; the report shows both sides. */
shunt_status shunt_session_finish(shunt_session *session);

/* What the report is made of. */
const shunt_program *shunt_session_program(const shunt_session *session);
const shunt_ledger  *shunt_session_ledger(const shunt_session *session);
uint64_t             shunt_session_records(const shunt_session *session, uint16_t target); /* handed out */
/* While `record` of the sinks is called: what a file holds before this record and behind it, see record.h. */
shunt_text           shunt_session_record_head(const shunt_session *session);
shunt_text           shunt_session_record_end(const shunt_session *session);
uint64_t shunt_session_control(const shunt_session *session); /* the next control number of messages, 0 = none was used */
uint64_t shunt_session_raised(const shunt_session *session, shunt_grade grade);
uint64_t shunt_session_code(const shunt_session *session, uint16_t code);       /* exceptions with a code of the author */
uint64_t shunt_session_status(const shunt_session *session, shunt_status code); /* exceptions with a code of the engine alone */
void     shunt_session_sets(const shunt_session *session, uint64_t *mapped, uint64_t *unmapped);
size_t   shunt_session_inputs(const shunt_session *session);
const shunt_input_info *shunt_session_input(const shunt_session *session, size_t index);
bool                    shunt_session_open(const shunt_session *session); /* between begin and end of an input */
bool shunt_session_at_fault(const shunt_session *session);                /* anything was rejected, quarantined or malformed */

#endif
