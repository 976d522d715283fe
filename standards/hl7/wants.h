/* wants.h - what a plan demands of the segments of HL7, by node, in the order of the fields. Made once, when a reader is made.
 * Owns: its arrays. Threads: read only after it was made. Fails: false without memory. */
#ifndef SHUNT_HL7_WANTS_H
#define SHUNT_HL7_WANTS_H

#include "engine/base/plan.h"

typedef struct shunt_hl7_want {
    uint16_t field, slot;
    uint8_t  repetition, component, subcomponent; /* repetition 1-based; the others 0 = the whole of what is around it */
    bool     only : 1;                            /* the field does not repeat in any guide of its source */
    bool     first : 1;                           /* it is the first part of its field, which is all where nothing separates */
} shunt_hl7_want;
_Static_assert(sizeof(shunt_hl7_want) == 8, "a word");

/* What is handed over of a segment, step by step. */
typedef enum shunt_hl7_kind {
    HL7_TAKE_VALUES, /* into the frame at hand */
    HL7_TAKE_ENTER,  /* an instance of a loop of repeats begins */
    HL7_TAKE_LEAVE,  /* ... and ends */
    HL7_TAKE_EACH,   /* every repetition of a field: ENTER, its values, LEAVE */
} shunt_hl7_kind;

typedef struct shunt_hl7_take {
    uint8_t  kind;
    uint16_t loop;  /* of the plan; SHUNT_NONE: VALUES */
    uint16_t field; /* EACH */
    uint32_t want_first, want_count;
} shunt_hl7_take;

typedef struct shunt_hl7_node {
    uint32_t take_first, take_count;
    uint16_t last; /* highest field asked for; 0 = none */
} shunt_hl7_node;

typedef struct shunt_hl7_wants {
    shunt_hl7_want *wants;
    shunt_hl7_take *takes;
    shunt_hl7_node *nodes; /* one a node of the plan */
    uint16_t        last;  /* highest field of all */
} shunt_hl7_wants;

bool shunt_hl7_wants_init(shunt_hl7_wants *wants, const shunt_memory *memory, const shunt_plan *plan) SHUNT_MUST_USE;
void shunt_hl7_wants_done(shunt_hl7_wants *wants, const shunt_memory *memory);

#endif
