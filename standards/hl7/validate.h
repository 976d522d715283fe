/* validate.h - holds HL7 v2 against the version and structure of each message, segment by segment, over the events of a reader that shows
 * segments: what is wrong, where, what the version wants, and which code of table 0357 says so in an ACK. Levels: 1 syntax, 2 structure,
 * 5 tables.
 * Owns:    its counters and the findings of the last event. Memory: a counter for each entry of the open groups, findings of one event.
 * Threads: one validator, one thread.
 * Fails:   NO_MEMORY only; whatever the input holds gives findings. */
#ifndef SHUNT_HL7_VALIDATE_H
#define SHUNT_HL7_VALIDATE_H

#include "engine/base/plan.h"
#include "standards/schema.h"

enum {
    HL7_LEVEL_SYNTAX = 1,
    HL7_LEVEL_STRUCTURE = 2,
    HL7_LEVEL_TABLES = 5,
    HL7_VALUE_KEPT = 99, /* bytes of a value that a finding repeats */
    HL7_DETAIL_KEPT = 119,
};

typedef struct shunt_hl7_finding {
    shunt_status              code;
    uint8_t                   severity;                 /* shunt_severity: of a validation, which may differ from reading */
    uint8_t                   level;                    /* 1, 2, 5 */
    uint16_t                  condition;                /* of table 0357; 0 = an ACK does not speak of it */
    bool                      of_reader;                /* the reader handed it over as a FAULT */
    shunt_place               place;                    /* `element` is the field */
    uint16_t                  repetition, subcomponent; /* 1-based, 0 = none */
    char                      id[4];
    uint32_t                  occurrence; /* of the segment among those of its id in the message, from 1; 0 = unknown */
    const shunt_loop         *group;      /* NULL = none */
    const shunt_segment_node *node;       /* what the version has there, NULL = nothing */
    const shunt_element      *element;    /* field, component or subcomponent at fault, or NULL */
    const shunt_codeset      *codes;      /* the table that does not hold the value */
    uint8_t                   value_length;
    char                      value[HL7_VALUE_KEPT];       /* as it stands; may hold PHI: `element` tells */
    char                      detail[HL7_DETAIL_KEPT + 1]; /* numbers and ids; safe to print */
    uint32_t                  beyond[3]; /* of FINDINGS_MORE, which is none itself: how many it stands for, by shunt_severity */
} shunt_hl7_finding;

typedef struct shunt_hl7_validate_options {
    uint32_t levels;    /* bit n: level n */
    bool     by_source; /* of a message, only the levels that its source in the plan asks for */
} shunt_hl7_validate_options;

typedef struct shunt_hl7_validator shunt_hl7_validator;
/* The plan outlives the validator; without `by_source` it may be NULL. */
shunt_hl7_validator               *shunt_hl7_validator_new(const shunt_memory *memory, const shunt_plan *plan,
                                                           const shunt_hl7_validate_options *options) SHUNT_MUST_USE;
void                               shunt_hl7_validator_free(shunt_hl7_validator *validator);
/* Looks at one event of a reader that shows segments, all of which it must see. The findings stand until the next call. */
shunt_status                       shunt_hl7_validator_see(shunt_hl7_validator *validator, const shunt_event *event);
const shunt_hl7_finding           *shunt_hl7_findings(const shunt_hl7_validator *validator, uint32_t *count);
/* The guide that the open message is held against; NULL: none is open, or the standard has no such message. */
const shunt_guide                 *shunt_hl7_validator_guide(const shunt_hl7_validator *validator);

/* A reader that hands over the values of `reader`, which shows segments as well, and every finding of severity error as a FAULT before the
 * values of its segment. Takes over both. NULL: no memory; they are freed. */
shunt_reader *shunt_hl7_validating_reader(const shunt_memory *memory, shunt_reader *reader,
                                          shunt_hl7_validator *validator) SHUNT_MUST_USE;

#endif
