/* test_run.h - one test block run over a program: what `shunt test` and `shunt mutate` share. */
#ifndef SHUNT_API_TEST_RUN_H
#define SHUNT_API_TEST_RUN_H

#include "api/compile.h"

/* `why` says what failed; it is empty when the test passes, and to be freed in every case. `covered`: the places that were reached get 1; NULL =
 * nobody asks. NO_MEMORY, IO. */
shunt_status shunt_test_run(shunt_compiling *compiling, const shunt_program *program, const shunt_ast *test, uint8_t *covered,
                            uint32_t covered_count, shunt_buffer *why);

#endif
