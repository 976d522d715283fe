/* table_csv.h - reference data from CSV (RFC 4180) or NDJSON to the cells of a table, converted strictly.
 * Any bytes are taken; what is wrong is reported by row (E0903, W0904) with a span into the CSV itself: `file` is the number that
 * the caller shows its text under. A bad row is left out, so that one run reports them all.
 * Units:   lines count from 1. Owns: nothing; cells and texts live in the arena, texts in it or in the CSV's bytes.
 * Fails:   NO_MEMORY. OK also where faults were reported. Memory is in proportion to the size of the file, which is bounded. */
#ifndef SHUNT_TABLE_CSV_H
#define SHUNT_TABLE_CSV_H

#include "dsl/emit.h"

/* A column that the table declares, in the order of its cells: keys, then the two effective days, then the others. */
typedef struct shunt_csv_column {
    shunt_text        name;
    shunt_type        type;
    bool              optional;   /* may be blank */
    bool              account;    /* warned of when shorter than the others of its column */
    uint32_t          max_length; /* characters of a text, 0 = any */
    const shunt_text *members;    /* of an enum */
    uint32_t          member_count;
} shunt_csv_column;

typedef struct shunt_csv_table {
    shunt_text        name;
    shunt_csv_column *columns;
    uint32_t          column_count, key_count;
    bool              prefix; /* the last key may be blank */
    bool              effective;
    bool              json; /* the file is NDJSON: an object a line; set by who knows its name */
} shunt_csv_table;

/* Whether a file of this name is NDJSON: it ends with `.ndjson` or `.jsonl`. */
bool shunt_table_is_json(shunt_text path);

/* As a module declares it, and as a program holds it. NO_MEMORY. */
shunt_status shunt_csv_table_of_symbol(shunt_arena *arena, const shunt_symbol *table, shunt_csv_table *out);
shunt_status shunt_csv_table_of_program(shunt_arena *arena, const shunt_program *program, uint16_t table, shunt_csv_table *out);

/* Fills all of `rows` but its table. */
shunt_status shunt_table_csv(shunt_arena *arena, shunt_diags *diags, const shunt_csv_table *table, uint32_t file,
                             const uint8_t *bytes, size_t size, shunt_table_rows *rows);

#endif
