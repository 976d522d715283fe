/* optimise_state.h - what the passes over a function share. Private to optimise*.c.
 * Each pass looks at the code as it stands, changes it in place and leaves NOP where an instruction fell away; `shunt_body_close` draws
 * the rest together. Everything but the code lives in an arena that is emptied between passes. */
#ifndef SHUNT_OPTIMISE_STATE_H
#define SHUNT_OPTIMISE_STATE_H

#include "engine/base/arena.h"
#include "engine/vm/uses.h"

enum {
    SHUNT_WORD = 64,
    SHUNT_ROUNDS =
        64, /* once through all blocks for each pass within another, and some more; a function that takes more stays as it is */
};

/* A run of instructions that is entered at its first and left at its last. */
typedef struct shunt_block {
    uint32_t first, end;
    uint32_t next[2]; /* blocks; those of a condition: the one behind it, the one it jumps to */
    unsigned ways;
} shunt_block;

typedef struct shunt_body {
    const shunt_program  *p;
    const shunt_function *function;
    const shunt_type     *types;
    uint32_t              registers;
    shunt_arena          *arena;
    shunt_instruction    *code;
    uint32_t             *sites;
    uint16_t             *open; /* target of the journal that is open before it */
    uint32_t              count, room;
    uint64_t             *left;    /* words that may be looked at yet, of all functions together */
    bool                  full;    /* the arena gave nothing, or it takes too long: all stays as it is */
    bool                  changed; /* by the pass at hand */
    /* made by shunt_body_look */
    shunt_block          *blocks;
    uint32_t             *block_of; /* of instructions */
    uint32_t              block_count;
    shunt_uses           *uses;  /* of instructions */
    uint32_t              words; /* of a set of registers */
    /* made by shunt_body_states: what each register may be when a block begins */
    uint8_t              *states;
    uint32_t              row;     /* bytes of the states of a block */
    uint8_t              *reached; /* of blocks */
    /* made by shunt_body_live: registers that are read before they are written, when a block begins */
    uint64_t             *live;
} shunt_body;

/* What a register may be. Of what is no bool both of the first two, when it may be present. */
enum { SHUNT_MAY_TRUE = 1, SHUNT_MAY_FALSE = 2, SHUNT_MAY_ABSENT = 4, SHUNT_MAY_CLEARED = 8 };
enum { SHUNT_MAY_BE_THERE = 3, SHUNT_MAY_NOT = 12, SHUNT_MAY_ALL = 15 };

static inline bool shunt_set_has(const uint64_t *set, uint32_t n) { return set[n / SHUNT_WORD] >> n % SHUNT_WORD & 1; }
static inline void shunt_set_add(uint64_t *set, uint32_t n) { set[n / SHUNT_WORD] |= UINT64_C(1) << n % SHUNT_WORD; }
static inline void shunt_set_remove(uint64_t *set, uint32_t n) { set[n / SHUNT_WORD] &= ~(UINT64_C(1) << n % SHUNT_WORD); }

/* optimise.c */
void *shunt_body_new(shunt_body *b, size_t count, size_t size_bytes); /* zeroed; NULL sets `full` */
bool  shunt_body_look(shunt_body *b);                                 /* blocks and uses; false: `full` */
bool  shunt_body_work(shunt_body *b, uint64_t words);                 /* false: `full` */
void  shunt_body_aim(shunt_body *b, uint32_t jump, uint32_t target);

/* optimise_flow.c */
bool shunt_body_live(shunt_body *b);
/* `live` behind an instruction becomes that before it. */
void shunt_live_before(const shunt_uses *uses, shunt_instruction instruction, uint64_t *live);
/* Registers that are read behind the last instruction of the block. */
void shunt_live_behind(const shunt_body *b, const shunt_block *block, uint64_t *live);
bool shunt_body_states(shunt_body *b);
/* `states` before an instruction become those behind it; not what its jump shows. */
void shunt_states_behind(const shunt_body *b, uint32_t at, uint8_t *states);
/* The way `way` of the last instruction of a block was taken: what that says. False: it is never taken. */
bool shunt_states_way(const shunt_body *b, const shunt_block *block, unsigned way, uint8_t *states);
/* 1: the jump is taken, 0: it is not, -1: nobody knows. */
int  shunt_states_decide(shunt_instruction jump, const uint8_t *states);

/* optimise_facts.c: what stands in a register already; needs blocks, uses and states. */
bool shunt_body_facts(shunt_body *b);

#endif
