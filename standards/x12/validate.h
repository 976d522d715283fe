/* validate.h - holds X12 against the standard and its guide, segment by segment, over the events of a reader: what is wrong, where,
 * and which code of TA1, 997 or 999 says so. SNIP types: 1 syntax of the standard, 2 the guide's requirements, 3 balancing, 4 conditions
 * of a site's own definition, 5 code lists.
 * Of one segment 256 findings are made; FINDINGS_MORE, with the gravest severity of the others, says how many there are beyond.
 * Owns:    its tables and the findings of the last event. Memory: one counter per entry of the open loops' bodies, findings of one event.
 * Threads: one validator, one thread.
 * Fails:   NO_MEMORY only; whatever the input holds gives findings. */
#ifndef SHUNT_X12_VALIDATE_H
#define SHUNT_X12_VALIDATE_H

#include "engine/base/plan.h"
#include "standards/schema.h"

enum {
    X12_SNIP_SYNTAX = 1,
    X12_SNIP_GUIDE,
    X12_SNIP_BALANCE,
    X12_SNIP_SITUATION,
    X12_SNIP_CODES,
    X12_VALUE_KEPT = 99, /* bytes of a value that an acknowledgement repeats */
    X12_DETAIL_KEPT = 199,
};
#define X12_SNIP(type) (1u << (type))

/* Which segment of an acknowledgement speaks of it. */
typedef enum shunt_x12_said {
    X12_SAID_NOWHERE,
    X12_SAID_INTERCHANGE, /* TA105 */
    X12_SAID_GROUP,       /* AK905 */
    X12_SAID_SET,         /* AK502, IK502 */
    X12_SAID_SEGMENT,     /* AK304, IK304 */
    X12_SAID_ELEMENT      /* AK403, IK403 */
} shunt_x12_said;

typedef struct shunt_x12_finding {
    shunt_status              code;
    uint8_t                   severity;              /* shunt_severity: of a validation, which is stricter than reading */
    uint8_t                   snip;                  /* 1 to 5 */
    uint8_t                   said;                  /* shunt_x12_said */
    bool                      of_reader;             /* the reader handed it over as a FAULT */
    uint16_t                  repetition;            /* 1-based where the element repeats, else 0 */
    char                      standard[4], older[4]; /* code of the 999 or TA1, and of the 997; "" = none */
    shunt_place               place;
    char                      id[4];
    const shunt_loop         *loop;    /* NULL where there is none */
    const shunt_segment_node *node;    /* what the guide has there, NULL = nothing */
    const shunt_element      *element; /* element or component at fault, or NULL */
    const shunt_codeset      *codes;   /* the list that does not hold the value */
    uint8_t                   value_length;
    char                      value[X12_VALUE_KEPT];       /* as it stands; may hold PHI: `element` tells */
    char                      detail[X12_DETAIL_KEPT + 1]; /* numbers and ids; safe to print */
    uint32_t                  beyond[3]; /* of FINDINGS_MORE, which is none itself: how many it stands for, by shunt_severity */
} shunt_x12_finding;

typedef struct shunt_x12_validate_options {
    uint32_t                snips;             /* X12_SNIP bits */
    bool                    by_source;         /* of a guide, only the types that its source in the plan asks for */
    const shunt_conditions *conditions;        /* one for each guide, or NULL */
    const char             *sender, *receiver; /* ISA06, ISA08 must be these; NULL = any */
} shunt_x12_validate_options;

typedef struct shunt_x12_validator shunt_x12_validator;
/* `guides`: one for each guide of the plan, in its order; a NULL entry is not validated. What they point at and the plan outlive the
 * validator; the array and the options do not need to. */
shunt_x12_validator *shunt_x12_validator_new(const shunt_memory *memory, const shunt_plan *plan, const shunt_guide *const *guides,
                                             const shunt_x12_validate_options *options) SHUNT_MUST_USE;
void                 shunt_x12_validator_free(shunt_x12_validator *validator);
/* Looks at one event of the reader over the same plan, all of which it must see. The findings stand until the next call. */
shunt_status         shunt_x12_validator_see(shunt_x12_validator *validator, const shunt_event *event);
const shunt_x12_finding *shunt_x12_findings(const shunt_x12_validator *validator, uint32_t *count);

/* A reader that hands over every finding of severity error as a FAULT, before the event that showed it. Takes over `reader`. NULL: no memory;
 * the reader is freed. */
shunt_reader *shunt_x12_validating_reader(const shunt_memory *memory, shunt_reader *reader,
                                          shunt_x12_validator *validator) SHUNT_MUST_USE;

#endif
