/* uses.h - which registers an instruction of a verified program reads and writes, and what may be done with it.
 * Owns:    nothing. */
#ifndef SHUNT_USES_H
#define SHUNT_USES_H

#include "engine/vm/program.h"

enum { SHUNT_USE_A = 1, SHUNT_USE_B = 2, SHUNT_USE_C = 4 };

typedef struct shunt_uses {
    uint8_t read;  /* operands that are registers it reads, a bit each */
    uint8_t fixed; /* of them those that must stay the register they are: it writes them too, or grows the list in them */
    uint8_t run_count;
    struct {
        uint16_t first, count;
    } runs[2];            /* registers in a row that it reads */
    uint16_t node;        /* read for the place of an exit; SHUNT_NONE */
    uint16_t write, also; /* registers it writes; SHUNT_NONE */
    bool     partly;      /* sometimes `write` stays as it was, and `also` too */
} shunt_uses;

typedef enum shunt_nature {
    SHUNT_NATURE_NONE,
    SHUNT_NATURE_PLAIN = 1, /* neither fails nor does anything but give its result */
    SHUNT_NATURE_AGAIN = 2, /* with the same operands it does and gives the same again: a second time it does nothing new */
} shunt_nature;

/* `types`: of the registers of its function. `open`: the target of the journal that is open where it stands, for LINE and POST. */
shunt_uses shunt_uses_of(const shunt_program *program, const shunt_type *types, shunt_instruction instruction, uint16_t open);
/* Bits of shunt_nature. */
unsigned   shunt_nature_of(uint16_t op);

static inline uint16_t *shunt_operand_at(shunt_instruction *i, unsigned bit)
{
    return bit == SHUNT_USE_A ? &i->a : bit == SHUNT_USE_B ? &i->b : &i->c;
}
/* Is its operand a, a register, read and not written? */
static inline bool shunt_op_reads_a(uint16_t op)
{
    return (op >= SHUNT_OP_JUMP_TRUE && op <= SHUNT_OP_JUMP_CLEARED) || op == SHUNT_OP_GLOBAL_SET || op == SHUNT_OP_RETURN ||
           op == SHUNT_OP_REQUIRE;
}
static inline bool     shunt_is_jump(uint16_t op) { return op >= SHUNT_OP_JUMP && op <= SHUNT_OP_JUMP_CLEARED; }
static inline uint32_t shunt_jump_target(shunt_instruction i) { return i.b | (uint32_t)i.c << 16; }
static inline bool     shunt_op_ends(uint16_t op)
{
    return op == SHUNT_OP_JUMP || op == SHUNT_OP_RETURN || op == SHUNT_OP_FINISH || op == SHUNT_OP_EXIT ||
           op == SHUNT_OP_UNMATCHED;
}
/* Where instruction `at` may lead within its function; at most two. */
unsigned shunt_ways_on(const shunt_instruction *code, uint32_t at, uint32_t next[static 2]);

#endif
