/* native.h - runs of instructions as machine code.
 * When a VM is made, the instructions of its program are translated for the processor one behind the other. Those that need no more than
 * registers and captured values are computed in place; the others call what the loop calls for them (step.h). The loop (vm.c) enters where
 * such a run begins, and goes on where it ends: at an instruction that has no machine code (a call whose result is not remembered, the
 * ends of a function), or whose operands are not the usual ones (absent, too large, a limit). That one it runs itself, from its beginning,
 * so machine code decides nothing that the loop decides otherwise; it computes the same, or it stops. What a step fails with ends the run.
 * What a register holds that nothing reads any more may differ.
 * Only for x86-64 with the System V calling convention. The memory is written first, and executable and read-only then; where the
 * system gives none, there is no machine code, and all runs in the loop.
 * Owns: the code. */
#ifndef SHUNT_NATIVE_H
#define SHUNT_NATIVE_H

#include "engine/vm/program.h"

struct shunt_memo;
struct shunt_vm;
struct shunt_vm_slot;

/* Where the loop may enter: the code there takes some states of registers for granted (facts.h). */
typedef struct shunt_native_entry {
    uint32_t code;
    uint32_t first, count; /* of `taken` */
} shunt_native_entry;
typedef struct shunt_native_taken {
    uint16_t reg, state;
} shunt_native_taken;

typedef struct shunt_native {
    const shunt_memory *memory;
    uint8_t            *code; /* NULL: none yet */
    size_t              size;
    shunt_native_taken *taken;
    shunt_native_entry  entries[]; /* one an instruction */
} shunt_native;

/* Names each instruction of `code`, the VM's copy of the verified program's, at which the loop may enter SHUNT_OP_NATIVE.
 * `slots` and `memo` as of the VM. Where there is no machine code `*native` is NULL and `code` as it was. False: no memory. */
bool shunt_native_new(const shunt_memory *memory, const shunt_program *program, const struct shunt_vm_slot *slots,
                      const struct shunt_memo *memo, shunt_instruction *code, shunt_native **native) SHUNT_MUST_USE;
void shunt_native_free(shunt_native *native); /* NULL is fine */

/* Runs from such an instruction on, by its number in the program, over the registers of its function. Gives the number of the instruction
 * that the loop runs next, perhaps the same; where the higher half is not zero, that instruction failed with it as its status. */
static inline uint64_t shunt_native_go(const shunt_native *native, struct shunt_vm *vm, shunt_value *registers, uint8_t *states,
                                       uint32_t instruction)
{
    typedef uint64_t          go(struct shunt_vm *, shunt_value *, uint8_t *, const uint8_t *);
    shunt_native_entry        entry = native->entries[instruction];
    const shunt_native_taken *taken = native->taken + entry.first;
    unsigned                  differ = 0;
    for (uint32_t i = 0; i < entry.count; i++) differ |= (unsigned)states[taken[i].reg] ^ taken[i].state;
    if (differ) return instruction;
    return ((go *)(uintptr_t)native->code)(vm, registers, states, native->code + entry.code);
}

#endif
