/* native.h - runs of plain instructions as machine code.
 * When a VM is made, those instructions of its program that need no more than registers and captured values are translated for the
 * processor, each by itself and one behind the other. The loop (vm.c) enters where such a run begins, and goes on where it ends: at an
 * instruction that has no machine code, or whose operands are not the usual ones (absent, too large, a limit). That one it runs
 * itself, from its beginning, so machine code decides nothing that the loop decides otherwise; it computes the same, or it stops.
 * Only for x86-64 with the System V calling convention. The memory is written first, and executable and read-only then; where the
 * system gives none, there is no machine code, and all runs in the loop.
 * Owns: the code. */
#ifndef SHUNT_NATIVE_H
#define SHUNT_NATIVE_H

#include "engine/vm/program.h"

struct shunt_vm_slot;
typedef struct shunt_native {
    const shunt_memory *memory;
    uint8_t            *code; /* NULL: none yet */
    size_t              size;
    uint32_t            entries[]; /* one an instruction: where its machine code begins */
} shunt_native;

/* Registers and their states, the steps that are left, constants, globals and their states. Gives the number of the instruction, counted
 * over the program, that the loop runs next. */
typedef uint32_t shunt_native_run(shunt_value *registers, uint8_t *states, uint64_t *left, const shunt_value *constants,
                                  const shunt_value *globals, const uint8_t *global_states);

/* Names each instruction of `code`, the VM's copy of the verified program's, at which a run of two or more begins SHUNT_OP_NATIVE.
 * `slots` as of the VM. Where there is no machine code `*native` is NULL and `code` as it was. False: no memory. */
bool shunt_native_new(const shunt_memory *memory, const shunt_program *program, const struct shunt_vm_slot *slots,
                      shunt_instruction *code, shunt_native **native) SHUNT_MUST_USE;
void shunt_native_free(shunt_native *native); /* NULL is fine */

static inline shunt_native_run *shunt_native_at(const shunt_native *native, uint32_t instruction)
{
    return (shunt_native_run *)(uintptr_t)(native->code + native->entries[instruction]);
}

#endif
