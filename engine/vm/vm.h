/* vm.h - runs one function of a program over captured nodes. A VM belongs to one thread; any number share one program.
 * Knows nothing of readers, files or formats: what leaves a rule goes through the host's callbacks. */
#ifndef SHUNT_VM_H
#define SHUNT_VM_H

#include "engine/base/capture.h"
#include "engine/vm/program.h"

/* One line of a journal, after flips; zero lines are gone. */
typedef struct shunt_line {
    bool       credit;
    bool       remainder; /* the amount is what the others left */
    uint16_t   alike;     /* any two lines of a journal have so many of their last columns alike, the lesser of both numbers */
    uint32_t   site;
    shunt_text account;
    __int128   amount;          /* at the scale of `type` */
    shunt_type type;            /* money: extra = text index of the currency */
    const shunt_value *columns; /* as the target's line type */
    const uint8_t     *states;
} shunt_line;

/* What EMIT and POST hand over. Everything borrowed until the callback returns. */
typedef struct shunt_record {
    uint16_t           target;
    uint32_t           site;   /* of the `emit` or `journal` */
    const shunt_value *fields; /* as the target's record type */
    const uint8_t     *states;
    const shunt_line  *lines;      /* of a journal */
    uint32_t           line_count; /* 0 for a journal: all lines were zero, no record is to be made, but the unit is not silent */
    bool               journal;
    const shunt_text  *key;
    uint32_t           key_count;
} shunt_record;

typedef struct shunt_vm_place { /* where in the input a warning or failure stands; slot SHUNT_NONE = nowhere in particular */
    uint16_t                     slot;  /* plan slot, absolute */
    const struct shunt_captured *value; /* NULL: missing */
    const struct shunt_node     *node;
} shunt_vm_place;

/* A callback that is NULL is not told. NO_MEMORY, IO and CALLBACK end the run; any other status is a failure of the rules,
 * as if the instruction had failed with it (TALLY_UNKNOWN, LIMIT_GROUPS, OVERFLOW). */
typedef struct shunt_vm_host {
    void *context;
    shunt_status (*record)(void *context, const shunt_record *record);
    shunt_status (*warn)(void *context, uint16_t exit, shunt_text message, shunt_vm_place place); /* WARN and NOTE */
    shunt_status (*fault)(void *context, shunt_status code, uint32_t site,
                          shunt_vm_place place); /* warnings of the engine: CODE_UNKNOWN, X12_TWICE */
    shunt_status (*correlate)(void *context, const shunt_text *texts, uint32_t count);
    shunt_status (*occurrence)(void *context, const shunt_text *texts, uint32_t count, int64_t *times);
    shunt_status (*tally_add)(void *context, uint16_t tally, shunt_value value, shunt_text key);
    shunt_status (*tally_get)(void *context, uint16_t tally, shunt_arena *arena, shunt_value *value);
    /* A function of a library; gives the state of the result too, whose texts live in the arena. */
    shunt_status (*call_extern)(void *extern_context, uint16_t index, const shunt_value *arguments, shunt_arena *arena,
                                shunt_value *result, uint8_t *state);
    void          *extern_context;
    const uint8_t *token_key;
    size_t         token_key_length;
    shunt_text     file_id;
    shunt_moment   received_at;
    bool           received_at_known;
} shunt_vm_host;

/* How a run of a function ended. */
typedef struct shunt_outcome {
    shunt_status   status;  /* OK; FAILURE = by exit `exit`; else the code of the failure */
    uint16_t       exit;    /* of EXIT; SHUNT_NONE for failures */
    shunt_text     message; /* of EXIT, in the unit's arena; for JOURNAL_UNBALANCED both sums */
    uint32_t       site;
    shunt_vm_place place;
    bool           has_result;
    uint8_t        state; /* of the result */
    shunt_value    result;
    uint32_t       records; /* EMIT and POST executed */
} shunt_outcome;

typedef struct shunt_vm shunt_vm;
/* Program and host are borrowed; what the host struct holds may be changed between runs, but for the token key, which is taken here.
 * `steps` bounds the instructions of one run (LIMIT_STEPS), `unit_bytes` the arena of a unit (LIMIT_UNIT_BYTES). */
shunt_vm    *shunt_vm_new(const shunt_memory *memory, const shunt_program *program, const shunt_vm_host *host, uint64_t steps,
                          size_t unit_bytes) SHUNT_MUST_USE;
void         shunt_vm_free(shunt_vm *vm);
/* From now on the program's code as it is written, and no machine code: to hold one against the other. NO_MEMORY. */
shunt_status shunt_vm_interpret(shunt_vm *vm);
/* Sets the bytes of the places that COVER names, from now on. Borrowed. */
void         shunt_vm_cover(shunt_vm *vm, uint8_t *covered, uint32_t count);
void         shunt_vm_begin(shunt_vm *vm); /* a transaction: globals absent, notes forgotten */
/* A unit: its arena is emptied, its notes forgotten; also after the lets, whose texts are kept apart. */
void         shunt_vm_unit(shunt_vm *vm);
/* Runs the function with `node` as parameter 0 (NULL where it has none). `keep`: texts made live until the next begin (lets).
 * Never recurses. Globals that are set without `keep` are absent again after the next unit.
 * Returns OK when the run came to an end of any kind (see outcome), NO_MEMORY, IO or CALLBACK otherwise; USAGE for a function that
 * takes other parameters, or a node of another frame. */
shunt_status shunt_vm_run(shunt_vm *vm, uint16_t function, const shunt_node *node, bool keep, shunt_outcome *outcome);
/* The result of a function that does no more than read one value of its node, in the usual way, or give a constant, as most tallies do:
 * the same as by shunt_vm_run, and present. False: it must be run. */
bool         shunt_vm_peek(const shunt_vm *vm, uint16_t function, const shunt_node *node, shunt_value *result);
shunt_arena *shunt_vm_arena(shunt_vm *vm); /* of the unit */

/* Canonical text of a value, as keys, templates and records write it: ISO dates, decimals at scale, enum names. Bytes may be the
 * value's own. `room` holds at least 64 bytes. Empty for lists, rows and nodes. */
shunt_text shunt_value_text(const shunt_program *program, shunt_type type, shunt_value value, char *room);

#endif
