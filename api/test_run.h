/* test_run.h - one test block run over a program: what `shunt test` and `shunt mutate` share. */
#ifndef SHUNT_API_TEST_RUN_H
#define SHUNT_API_TEST_RUN_H

#include "api/compile.h"

/* `why` says what failed; it is empty when the test passes, and to be freed in every case. `covered`: the places that were reached get 1; NULL =
 * nobody asks. NO_MEMORY, IO. */
shunt_status shunt_test_run(shunt_compiling *compiling, const shunt_program *program, const shunt_ast *test, uint8_t *covered,
                            uint32_t covered_count, shunt_buffer *why);

/* One file of a `golden`: what comes of it against its stored answer. */
typedef struct shunt_golden_file {
    shunt_text name;        /* as the rules would write it: "in/a.edi" */
    shunt_text path;        /* where it is read */
    shunt_text answer_name; /* "golden/a.edi.ndjson" */
    shunt_text answer_path;
} shunt_golden_file;

/* The files of a `golden`, in the order of their names. `*error`: an errno where its folder can not be read. NO_MEMORY. */
shunt_status shunt_golden_list(shunt_compiling *compiling, const shunt_ast *golden, shunt_golden_file **files, uint32_t *count,
                               int *error);
/* Runs one and compares; `why` as in shunt_test_run. With `store` of the options an answer that is not as it should be is written instead. */
shunt_status shunt_golden_run(shunt_compiling *compiling, const shunt_compile_options *options, const shunt_program *program,
                              const shunt_golden_file *file, uint8_t *covered, uint32_t covered_count, shunt_buffer *why);

#endif
