/* registry.h - from a standard to what reads it and what ends its envelopes. */
#ifndef SHUNT_REGISTRY_H
#define SHUNT_REGISTRY_H

#include "engine/base/plan.h"
#include "standards/schema.h"

/* By the name that programs hold: "X12". False: this version has no reader for it. */
bool          shunt_reader_known(shunt_text name, shunt_standard *standard);
/* A reader over a valid plan; all that is passed is borrowed and outlives it. The caller frees it by its `ops->free`. NULL: no memory,
 * or no reader for the standard. */
shunt_reader *shunt_reader_for(shunt_standard standard, const shunt_memory *memory, const shunt_plan *plan) SHUNT_MUST_USE;

/* Appends the trailer of an interchange (IEA) or batch (GE) that holds one transaction. */
void shunt_write_trailer(shunt_buffer *out, shunt_scope scope, const shunt_delims *delims, shunt_text control);

#endif
