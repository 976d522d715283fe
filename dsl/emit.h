/* emit.h - from the checked trees of a compilation to a program.
 * Takes a compilation that shunt_check left without errors, and the rows of its tables. What comes out is meant to be saved
 * (shunt_program_save) and loaded again: its arrays live in the arena of the compilation.
 * Fails: NO_MEMORY; LIMIT after E0912 (the program is too large), RULES_WRONG after another diagnostic. */
#ifndef SHUNT_EMIT_H
#define SHUNT_EMIT_H

#include "dsl/fact.h"
#include "engine/vm/program.h"

/* Rows of one table: cells row by row in the order of the shape, texts that cells of text kinds point at. */
typedef struct shunt_table_rows {
    const shunt_symbol *table;
    const shunt_cell   *cells;
    uint32_t            row_count;
    const shunt_text   *texts;
    uint32_t            text_count;
    uint8_t             hash[32];
} shunt_table_rows;

/* Tables that are not among `rows` are empty. */
shunt_status shunt_emit(shunt_compilation *compilation, const shunt_table_rows *rows, uint32_t row_sets, shunt_program *program);

#endif
