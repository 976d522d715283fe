/* step.h - instructions that take more than a line, a function each: the loop calls them, and so does machine code (native.h), so that what
 * they do stands once.
 * Fails: as the instruction does (state.h). */
#ifndef SHUNT_STEP_H
#define SHUNT_STEP_H

#include "engine/vm/state.h"

/* Runs the instruction at `at` over the registers and states of its function, whose types these are. `at` also stands before the EXTRA that
 * belongs to it; its op may be another one (fuse.h). `site` is where it stands in the rules. */
typedef shunt_status shunt_vm_step(shunt_vm *vm, shunt_value *registers, uint8_t *states, const shunt_instruction *at,
                                   const shunt_type *types, uint32_t site);

/* By op. NULL: the loop runs it itself. */
extern shunt_vm_step *const shunt_vm_steps[SHUNT_OP_COUNT];

/* Where an exit says that its condition looked. */
shunt_vm_place shunt_vm_exit_place(const shunt_vm *vm, uint16_t exit, const shunt_value *registers, const uint8_t *states);

#endif
