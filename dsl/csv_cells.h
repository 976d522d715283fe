/* csv_cells.h - a file of reference data (CSV, RFC 4180) cell by cell: tables and decisions are made of them.
 * Any bytes are taken; a quote that is not closed, and what follows a closing one, is reported (E0903) with its place in the file.
 * Owns: nothing; cells point into the file, or into the arena where doubled quotes were made one.
 * Fails: `no_memory` is set and stays. */
#ifndef SHUNT_CSV_CELLS_H
#define SHUNT_CSV_CELLS_H

#include "engine/base/arena.h"
#include "engine/base/diag.h"

typedef struct shunt_csv_cells {
    shunt_arena *arena;
    shunt_diags *diags;
    uint32_t     file; /* that spans point into */
    const char  *bytes;
    uint32_t     size, at;
    bool         no_memory;
} shunt_csv_cells;

typedef struct shunt_csv_cell {
    shunt_text text;
    shunt_span span;
    bool       last; /* of its row */
    bool       broken;
} shunt_csv_cell;

bool shunt_csv_at_line_end(const shunt_csv_cells *cells); /* also at the end of the file */
void shunt_csv_pass_line(shunt_csv_cells *cells);
void shunt_csv_next(shunt_csv_cells *cells, shunt_csv_cell *cell); /* behind the last of a row the next row begins */
bool shunt_csv_is_blank(shunt_text text);

#endif
