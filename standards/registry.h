/* registry.h - from a standard, or the first bytes of an input, to what reads it. */
#ifndef SHUNT_REGISTRY_H
#define SHUNT_REGISTRY_H

#include "engine/base/plan.h"
#include "standards/schema.h"

/* By the name that programs hold: "X12". False: this version has no reader for it. */
bool          shunt_reader_known(shunt_text name, shunt_standard *standard);
/* A reader over a valid plan; all that is passed is borrowed and outlives it. The caller frees it by its `ops->free`. NULL: no memory,
 * or no reader for the standard. */
shunt_reader *shunt_reader_for(shunt_standard standard, const shunt_memory *memory, const shunt_plan *plan) SHUNT_MUST_USE;
/* The same, for a plan whose sources may ask for validation: findings of severity error come as faults. `site` may be NULL. A guide that
 * is to be validated and that neither knows gives NULL: ask for them before. */
struct shunt_definition_set;
shunt_reader *shunt_validating_reader_for(shunt_standard standard, const shunt_memory *memory, const shunt_plan *plan,
                                          const struct shunt_definition_set *site) SHUNT_MUST_USE;

enum { SHUNT_SNIFF_BYTES = 4096 }; /* more are never needed to decide */
typedef enum shunt_sniffed {
    SHUNT_SNIFFED,
    SHUNT_SNIFFED_MORE,   /* feed more, or `last` */
    SHUNT_SNIFFED_NOTHING /* these bytes are of no standard that is known by its first bytes */
} shunt_sniffed;
/* Which standard an input is of, by its first bytes: ISA (X12), MSH, FHS, BHS or an MLLP frame (HL7), `{`, `[` or `<` (FHIR), after a byte
 * order mark and blanks, also after other text where no table can be meant; else a table if `among`, a bit for each standard that
 * may come (1u << SHUNT_STANDARD_X12), has CSV or FIXED. What is found need not be among them. Of the bytes together the first
 * SHUNT_SNIFF_BYTES are passed. */
shunt_sniffed shunt_standard_sniff(const uint8_t *bytes, size_t size, bool last, unsigned among, shunt_standard *standard);
/* How the standard is called: "X12". */
const char   *shunt_standard_name(shunt_standard standard);
/* A reader that finds one fault at the first byte, INPUT_STANDARD with `detail`, and passes over all else. `detail` is borrowed. */
shunt_reader *shunt_reader_refusing(const shunt_memory *memory, shunt_text detail) SHUNT_MUST_USE;

#endif
