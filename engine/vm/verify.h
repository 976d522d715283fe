/* verify.h - what the verifier finds out besides yes or no. */
#ifndef SHUNT_VERIFY_H
#define SHUNT_VERIFY_H

#include "engine/vm/program.h"

/* What the deepest chain of calls needs. */
typedef struct shunt_bounds {
    uint32_t registers; /* at most SHUNT_STACK_REGISTERS */
    uint32_t depth;     /* functions running at once, at least 1 */
} shunt_bounds;

enum { SHUNT_STACK_REGISTERS = 1 << 16, SHUNT_FUNCTION_REGISTERS = 4096, SHUNT_TABLE_KEYS = 16, SHUNT_EXTERN_PARAMS = 32 };

/* As shunt_program_verify; `bounds` is written on success. */
shunt_status shunt_verify(const shunt_memory *memory, const shunt_program *program, shunt_bounds *bounds, char why[static 200]);
/* The functions alone, of a program whose other sections are those of one that has passed. */
shunt_status shunt_verify_code(const shunt_memory *memory, const shunt_program *program, shunt_bounds *bounds,
                               char why[static 200]);

/* Equal for every purpose of the VM: flags and whatever does not matter for the kind are passed over. */
bool       shunt_type_same(shunt_type a, shunt_type b);
shunt_type shunt_type_item(shunt_type list);

#endif
