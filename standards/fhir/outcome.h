/* outcome.h - what a validator found as resources OperationOutcome: one for each document, in JSON (a line each) or XML as the document was.
 * Diagnostics hold places, names and numbers, never values.
 * Owns:    the issues of the open document, at most FHIR_ISSUES; what is beyond them is counted.
 * Threads: one writer, one thread. */
#ifndef SHUNT_FHIR_OUTCOME_H
#define SHUNT_FHIR_OUTCOME_H

#include "standards/fhir/validate.h"

enum { FHIR_ISSUES = 1000 };

typedef struct shunt_fhir_outcome_totals {
    uint64_t documents, accepted, rejected; /* rejected: with an error */
} shunt_fhir_outcome_totals;

typedef struct shunt_fhir_outcome shunt_fhir_outcome;
/* `out` gets each outcome when its document is over; NULL = only the totals are wanted. */
shunt_fhir_outcome               *shunt_fhir_outcome_new(const shunt_memory *memory, shunt_buffer *out) SHUNT_MUST_USE;
void                              shunt_fhir_outcome_free(shunt_fhir_outcome *outcome);
/* What was found; `documents` have begun so far. */
void shunt_fhir_outcome_see(shunt_fhir_outcome *outcome, const shunt_fhir_finding *findings, uint32_t count, const char *paths,
                            uint64_t documents, bool xml);
/* The input is over. */
void shunt_fhir_outcome_end(shunt_fhir_outcome *outcome);
const shunt_fhir_outcome_totals *shunt_fhir_outcome_totals_of(const shunt_fhir_outcome *outcome);

#endif
