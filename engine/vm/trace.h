/* trace.h - lineage: follows values through a run, from the bytes they were read of to the fields of records.
 * A VM that is traced runs a loop of its own (vm_traced.c), which tells each instruction to `shunt_trace_step` before it is run; one
 * that is not has none of this. Two things are kept for each value: what it was computed `from`, and what it is so `because` of: the
 * conditions that chose it, also those that were not met.
 * Owns:    all it keeps, in arenas: of the unit, of the transaction, of the file.
 * Fails:   without memory the run ends with NO_MEMORY. Beyond a bound of memory lineage is marked incomplete, and the run goes on. */
#ifndef SHUNT_TRACE_H
#define SHUNT_TRACE_H

#include "engine/vm/vm.h"

typedef struct shunt_trace shunt_trace;

/* Traces all further runs of this VM. NO_MEMORY. */
shunt_status shunt_vm_trace(shunt_vm *vm);
bool         shunt_vm_traced(const shunt_vm *vm);

/* ---- what happens around runs; nothing where the VM is not traced ---- */

/* The result of the last run was added to a declared tally. */
void shunt_vm_trace_tally(shunt_vm *vm, uint16_t tally);
/* The unit, or what ran outside of one, was undone: so are the derived tallies. */
void shunt_vm_trace_undo(shunt_vm *vm);
/* A scope was closed; `undone`: what wider tallies got in it too. */
void shunt_vm_trace_close(shunt_vm *vm, shunt_scope scope, bool undone);

/* ---- the record that is being handed over ---- */

/* Which part of lineage is wanted; empty texts = all. */
typedef struct shunt_trace_filter {
    shunt_text key;   /* a part of the key of the record is this */
    shunt_text field; /* a field has this name, with or without its place in a list */
} shunt_trace_filter;

/* Appends lineage as JSON, without the brace that begins it, and as text, while the host's `record` callback runs. False: filtered out. Without memory
 * the buffers are `failed`. */
bool shunt_vm_trace_write(shunt_vm *vm, const shunt_record *record, const shunt_trace_filter *filter, shunt_buffer *json,
                          shunt_buffer *text);

/* ---- of the traced loop ---- */

/* Before an instruction runs. `frame` counts the calls that are open. */
void         shunt_trace_step(shunt_vm *vm, uint16_t function, uint32_t at, uint32_t frame, const shunt_value *registers,
                              const uint8_t *states);
void         shunt_trace_begin(shunt_vm *vm, uint16_t function, bool keep);
shunt_status shunt_trace_end(shunt_vm *vm);
/* A row of a collector was made of these nodes. */
void         shunt_trace_row(shunt_vm *vm, const shunt_collect *collect, const shunt_row *row, const shunt_node *outer,
                             const shunt_node *group, const shunt_node *line, const shunt_node *inner);
/* Rows were made for their sum: what the instruction at hand gives is made of this field of theirs. */
void         shunt_trace_sum(shunt_vm *vm, const shunt_value *list, uint16_t field);
/* What vm.c calls at the beginnings. */
void         shunt_trace_transaction(shunt_trace *trace);
void         shunt_trace_unit(shunt_trace *trace);
void         shunt_trace_free(shunt_trace *trace);

#endif
