/* optimise.h - the code that a VM runs: that of its program, without what is done for nothing.
 * The code of a program stands as the rules are written, so that lineage, coverage and whoever reads it find each value where the rules
 * name it. When a program is loaded, a second code is made of it that does the same:
 *   what a register holds already is not put there again, and what another one holds is taken from there;
 *   what is the same in every round of a pass is done before it, where it can not fail;
 *   what is known to be there, true or false is not asked again, and jumps go where they would come to in the end;
 *   what nobody reads is not computed, unless that could fail.
 * The order of all that can fail, warn or be seen stays as it was, and so do the places that are told of it. Registers keep their
 * numbers and types. A function does not become longer; one that is very large stays as it is.
 * A traced VM runs the program's own code. */
#ifndef SHUNT_OPTIMISE_H
#define SHUNT_OPTIMISE_H

#include "engine/vm/program.h"

/* Functions, instructions and their sites, as a program has them, in one block that the caller frees. */
typedef struct shunt_optimised {
    void              *block;
    shunt_function    *functions;
    shunt_instruction *instructions;
    uint32_t          *sites;
    uint32_t           count; /* of instructions */
} shunt_optimised;

/* The program has passed the verifier. NO_MEMORY; `made` is written on success. */
shunt_status shunt_optimise(const shunt_memory *memory, const shunt_program *program, shunt_optimised *made) SHUNT_MUST_USE;

#endif
