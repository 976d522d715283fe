/* fuse.h - the code that a VM runs: that of its program, with common runs of instructions named as one.
 * Owns: nothing; the copy belongs to whoever asked. */
#ifndef SHUNT_FUSE_H
#define SHUNT_FUSE_H

#include "engine/vm/program.h"

typedef enum shunt_fused {
    SHUNT_FUSED_NONE = SHUNT_OP_COUNT - 1, /* so that the first one follows the last instruction */
#define SHUNT_FUSED(name, effect) SHUNT_OP_##name,
#include "engine/vm/fused.def"
    SHUNT_RUN_COUNT /* everything that the loop runs */
} shunt_fused;

/* The program has passed the verifier, and the copy means the same, from each of its instructions on. NULL: no memory. */
shunt_instruction *shunt_fuse(const shunt_memory *memory, const shunt_program *program) SHUNT_MUST_USE;

#endif
