/* validate.h - holds resources against their types, token by token: cardinality, kinds and forms of values, choices, codes of required
 * bindings, references, what the standard forbids everywhere. Levels: 1 syntax, 2 structure, 5 codes.
 * It is a sink of tokens, to be the `watch` of a reader (reader.h), and looks at the reader's faults as well.
 * Owns:    shapes of the types it met, the resource whose type has not come yet (at most FHIR_HELD bytes), findings until they are taken.
 *          Memory: counters of the open objects, the local references of the open resource.
 * Threads: one validator, one thread.
 * Fails:   no memory; whatever the input holds gives findings. */
#ifndef SHUNT_FHIR_VALIDATE_H
#define SHUNT_FHIR_VALIDATE_H

#include "engine/base/plan.h"
#include "standards/fhir/token.h"
#include "standards/fhir/types.h"

enum {
    FHIR_LEVEL_SYNTAX = 1,
    FHIR_LEVEL_STRUCTURE = 2,
    FHIR_LEVEL_CODES = 5,
    FHIR_VALUE_KEPT = 99,
    FHIR_DETAIL_KEPT = 119,
    FHIR_FOUND = 10000,  /* findings of an entry, or of a resource alone, that are told */
    FHIR_LOCAL = 4096,   /* references to `#id` of a resource that are looked at, and contained resources */
    FHIR_HELD = 4 << 20, /* bytes of tokens */
};

typedef struct shunt_fhir_finding {
    shunt_status              code;
    uint8_t                   severity; /* shunt_severity: of a validation, which may differ from reading */
    uint8_t                   level;    /* 1, 2, 5 */
    bool                      of_reader;
    const char               *issue;    /* code of OperationOutcome.issue.code */
    uint64_t                  document; /* from 1; 0 = of none */
    uint64_t                  at;
    uint32_t                  length;
    const shunt_fhir_element *element;           /* NULL = none that is known */
    uint32_t                  phi;               /* classes of the value */
    const shunt_codeset      *codes;             /* that do not hold the value */
    uint32_t                  path, path_length; /* "Claim.item[0].net", among shunt_fhir_finding_paths; no value stands in it */
    uint8_t                   value_length;
    char                      value[FHIR_VALUE_KEPT];       /* as it stands; may hold PHI */
    char                      detail[FHIR_DETAIL_KEPT + 1]; /* names and numbers; safe to print */
} shunt_fhir_finding;

typedef struct shunt_fhir_validate_options {
    uint32_t          levels;  /* bit n: level n */
    const char       *version; /* "4.0.1", "5.0.0": as shunt_fhir_version gives it */
    const shunt_plan *plan;    /* not NULL: levels and version are those of the source that a document is for */
} shunt_fhir_validate_options;

typedef struct shunt_fhir_validator shunt_fhir_validator;
shunt_fhir_validator               *shunt_fhir_validator_new(const shunt_memory                *memory,
                                                             const shunt_fhir_validate_options *options) SHUNT_MUST_USE;
void                                shunt_fhir_validator_free(shunt_fhir_validator *validator);
shunt_token_sink                   *shunt_fhir_validator_sink(shunt_fhir_validator *validator);
/* A fault of the reader is a finding as well. False: no memory. */
bool                      shunt_fhir_validator_fault(shunt_fhir_validator *validator, const shunt_event *event) SHUNT_MUST_USE;
/* What was found since the last call of shunt_fhir_findings_taken, in the order of the input. */
const shunt_fhir_finding *shunt_fhir_findings(const shunt_fhir_validator *validator, uint32_t *count);
const char               *shunt_fhir_finding_paths(const shunt_fhir_validator *validator);
void                      shunt_fhir_findings_taken(shunt_fhir_validator *validator);
/* Documents begun so far. */
uint64_t                  shunt_fhir_validator_documents(const shunt_fhir_validator *validator);

struct shunt_fhir_watched;
/* `found` of a reader whose `watch` is the sink of a validator: findings of severity error are faults. */
bool          shunt_fhir_validator_next(shunt_token_sink *sink, struct shunt_fhir_watched *fault);
/* A reader over `plan` that hands findings of severity error over as faults. Takes over `validator`. NULL: no memory; it is freed. */
shunt_reader *shunt_fhir_validating_reader(const shunt_memory *memory, const shunt_plan *plan,
                                           shunt_fhir_validator *validator) SHUNT_MUST_USE;

#endif
