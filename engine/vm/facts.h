/* facts.h - what machine code knows of the registers of a function before it runs: in which state they are where a block begins, and
 * which of them anything reads from there on. A block is straight code: something leads to its first instruction and nothing into its
 * middle, and it ends with a jump, a NEXT or a CALL.
 * The states are those that hold when machine code came to the block from the beginning of the function, as `shunt_facts_after` says: it
 * stops at an instruction whose operands are not there, so behind that instruction they are. Who comes from elsewhere has to look first.
 * Registers that nothing reads any more are unknown.
 * Owns:    its arrays.   Fails: no memory. */
#ifndef SHUNT_FACTS_H
#define SHUNT_FACTS_H

#include "engine/vm/program.h"

enum { SHUNT_STATE_UNKNOWN = SHUNT_CLEARED + 1 };

/* What the functions of a program share. */
typedef struct shunt_facts_shared {
    uint64_t room;                       /* states that may be looked at yet: registers at the beginnings of blocks */
    uint16_t widest_line, widest_header; /* journals, SHUNT_NONE: there is none */
} shunt_facts_shared;

typedef struct shunt_facts {
    const shunt_memory   *memory;
    const shunt_program  *program;
    const shunt_function *function;
    uint16_t              widest_line, widest_header;
    bool                  known;  /* false: the function is too large, or too involved; the rest is of no use */
    uint32_t             *blocks; /* one an instruction of the function: the number of the block that begins here + 1, or 0 */
    uint8_t              *joined; /* one an instruction: a jump leads here, or it stands behind a CALL */
    uint32_t              block_count;
    uint8_t              *states; /* of each block, one a register */
    uint64_t             *live;   /* of each block, a bit a register */
    uint32_t              words;  /* of `live` for each block */
} shunt_facts;

void shunt_facts_start(const shunt_program *program, uint64_t room, shunt_facts_shared *shared);
/* Of a function that has passed the verifier. False: no memory. */
bool shunt_facts_new(const shunt_memory *memory, const shunt_program *program, const shunt_function *function,
                     shunt_facts_shared *shared, shunt_facts *facts) SHUNT_MUST_USE;
void shunt_facts_free(shunt_facts *facts);

/* The states at the beginning of the block that begins at this instruction of the function, one a register. */
void shunt_facts_begin(const shunt_facts *facts, uint32_t at, uint8_t *states);
/* What machine code that ran the instruction and went on with the one behind it knows then. */
void shunt_facts_after(const shunt_program *program, shunt_instruction instruction, uint8_t *states);
/* Whether anything may read the register after instruction `at` of the function. */
bool shunt_facts_read_after(const shunt_facts *facts, uint32_t at, uint16_t reg);

#endif
