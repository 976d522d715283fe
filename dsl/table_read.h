/* table_read.h - what the two forms of a table's file share: cells of a row go into the table, converted strictly.
 * Private to dsl/table_*.c. */
#ifndef SHUNT_TABLE_READ_H
#define SHUNT_TABLE_READ_H

#include "dsl/csv_cells.h"
#include "dsl/table_csv.h"

typedef struct shunt_table_reader {
    shunt_csv_cells        in;
    const shunt_csv_table *table;
    shunt_cell            *cells;
    shunt_text            *texts;
    shunt_span            *spans; /* of each cell, beside it */
    uint32_t               row_count, text_count;
} shunt_table_reader;

/* The cell `number` of the row that is being read. False: reported. */
bool shunt_table_cell(shunt_table_reader *reader, const shunt_csv_cell *raw, uint32_t number);
/* The rows of an NDJSON file, an object a line (table_json.c). */
void shunt_table_json_rows(shunt_table_reader *reader);

#endif
