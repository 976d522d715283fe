/* extern.h - the shared libraries whose functions a program calls: opened when a run is made, and only where the host names their folder.
 * Owns:    the open libraries; the program is borrowed.
 * Threads: calls may come from any number of them. */
#ifndef SHUNT_API_EXTERN_H
#define SHUNT_API_EXTERN_H

#include "engine/vm/program.h"

typedef struct shunt_externs shunt_externs;
enum { SHUNT_EXTERN_TEXT_BYTES = 1 << 20 };

/* `*externs` is NULL where the program calls none. `folder` NULL: nothing is allowed. `twice`: each call is made twice, and must give the same.
 * USAGE: `why` says what lacks; NO_MEMORY. */
shunt_status shunt_externs_new(const shunt_memory *memory, const shunt_program *program, const char *folder, bool twice,
                               shunt_externs **externs, char why[static 200]);
void         shunt_externs_free(shunt_externs *externs); /* NULL is fine */
/* As shunt_vm_host.call_extern. EXTERN_FAILED, EXTERN_IMPURE; VALUE_INVALID, OVERFLOW and TEXT_TOO_LONG where the result is none. */
shunt_status shunt_externs_call(void *externs, uint16_t index, const shunt_value *arguments, shunt_arena *arena,
                                shunt_value *result, uint8_t *state);

#endif
