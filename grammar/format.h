/* format.h - a module in its one layout (docs: language, "Layout").
 * Works on the words as written: their order, the comments between them and the texts of blocks stay, so what the rules mean does too; the
 * tree only says where items begin. Line ends inside a statement stay where the author put them, everything else is set.
 * Threads: reentrant.   Fails: NO_MEMORY. */
#ifndef SHUNT_FORMAT_H
#define SHUNT_FORMAT_H

#include "engine/base/diag.h"

/* Appends the module to `out`. Where `diags` has errors afterwards, nothing was appended. */
shunt_status shunt_format_module(const shunt_memory *memory, shunt_diags *diags, uint32_t file, shunt_text source,
                                 shunt_buffer *out);

#endif
