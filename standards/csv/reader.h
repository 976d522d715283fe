/* reader.h - rows of separated cells or of fixed width as events (docs/csv.md): the engine behind CSV and FIXED.
 * A row is an instance of the loop of its type; demanded cells come as values, without quotes and as UTF-8.
 * Owns: the bytes of the row at hand and of a record that continuations may follow, at most max_row_bytes each.
 * Fails: NULL without memory; FAILED when it is missing later, or when the plan has no layout for the reader. */
#ifndef SHUNT_CSV_READER_H
#define SHUNT_CSV_READER_H

#include "engine/base/plan.h"

typedef struct shunt_csv_options {
    uint32_t max_row_bytes; /* 0 = 1 MiB */
    uint32_t max_cells;     /* 0 = 16384 */
} shunt_csv_options;

/* Over a valid plan; reads by the first layout of `standard` (CSV or FIXED). All that is passed is borrowed and outlives the reader,
 * the options but for the call; NULL = defaults. */
shunt_reader *shunt_csv_reader_new(const shunt_memory *memory, const shunt_plan *plan, uint16_t standard,
                                   const shunt_csv_options *options) SHUNT_MUST_USE;

#endif
