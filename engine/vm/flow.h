/* flow.h - where the ways of each branch of a function meet again, and what is written on them: which values a condition decides.
 * Owns:    nothing; all of it lives in the arena given.
 * The function has passed the verifier.   Fails: NULL without memory. */
#ifndef SHUNT_FLOW_H
#define SHUNT_FLOW_H

#include "engine/base/arena.h"
#include "engine/vm/program.h"

/* What may be written, beside registers. */
typedef enum shunt_written_kind {
    SHUNT_WRITTEN_REGISTER,
    SHUNT_WRITTEN_GLOBAL,
    SHUNT_WRITTEN_TALLY,
    SHUNT_WRITTEN_JOURNAL
} shunt_written_kind;
typedef struct shunt_flow_write {
    uint16_t kind, index;
} shunt_flow_write;

typedef struct shunt_branch {
    uint32_t                join; /* instruction where its ways meet; the number of instructions = at the end of the function */
    bool                    decides; /* one of the ways leaves by an exit: what comes after is there because this way was taken */
    bool                    known;   /* `writes` are */
    const shunt_flow_write *writes;  /* on either way, up to `join` */
    uint32_t                write_count;
} shunt_branch;

typedef struct shunt_flow {
    const shunt_program  *program;
    const shunt_function *function;
    shunt_branch         *branches; /* one an instruction; `join` is 0 where it is none */
} shunt_flow;

shunt_flow         *shunt_flow_new(shunt_arena *arena, const shunt_program *program, uint16_t function) SHUNT_MUST_USE;
/* The branch with what it writes. NULL: no memory. */
const shunt_branch *shunt_flow_branch(shunt_arena *arena, shunt_flow *flow, uint32_t instruction) SHUNT_MUST_USE;

/* The register that an instruction gives its result in; -1 = none. What KEEP puts aside is no result: whether it is recalled or computed again,
 * it is the same. NEXT and others write further things, see flow.c. */
int shunt_flow_result(const shunt_program *program, shunt_instruction instruction);

#endif
