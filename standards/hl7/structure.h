/* structure.h - the segments of a message held against the structure of its guide: where each belongs, what is out of order, too often
 * or missing. Unlike the walk of a plan, which reads what it can, this one counts.
 * A segment goes where the fewest required segments are passed over, to the innermost group first; one that comes too late is put where it
 * should have been, and the message goes on where it was.
 * Owns:    the structures, flattened, one a guide that was met; counters of the open groups.
 * Threads: one, one.   Fails: NO_MEMORY. */
#ifndef SHUNT_HL7_STRUCTURE_H
#define SHUNT_HL7_STRUCTURE_H

#include "engine/base/event.h"
#include "standards/schema.h"

/* What is missing from a group, or from the message. */
typedef struct shunt_hl7_missing {
    const shunt_entry *entry;   /* the segment, or the group of which nothing came */
    const shunt_loop  *group;   /* that lacks it */
    uint32_t           segment; /* that passed by without it, or the last one of the group */
    uint64_t           byte;    /* where it stands */
} shunt_hl7_missing;

typedef struct shunt_hl7_landing {
    const shunt_segment_node *node;     /* NULL: the message has no such segment */
    const shunt_loop         *group;    /* that it belongs to */
    const shunt_loop         *too_many; /* a group that it begins once too often, or NULL */
    bool                      late;     /* it belongs before what came already */
    bool                      too_often;
} shunt_hl7_landing;

typedef struct shunt_hl7_counter shunt_hl7_counter;

shunt_hl7_counter       *shunt_hl7_counter_new(const shunt_memory *memory) SHUNT_MUST_USE;
void                     shunt_hl7_counter_free(shunt_hl7_counter *counter);
/* A message begins. */
shunt_status             shunt_hl7_counter_begin(shunt_hl7_counter *counter, const shunt_guide *guide);
/* Its next segment, `id` packed as in a plan. */
void                     shunt_hl7_counter_segment(shunt_hl7_counter *counter, uint64_t id, uint32_t number, uint64_t byte,
                                                   shunt_hl7_landing *landing);
/* It is over; `number` and `byte` of its last segment. */
void                     shunt_hl7_counter_end(shunt_hl7_counter *counter, uint32_t number, uint64_t byte);
/* What the last call showed to be missing. Borrowed until the next one. */
const shunt_hl7_missing *shunt_hl7_counter_missing(const shunt_hl7_counter *counter, uint32_t *count);
/* The innermost open group; NULL: no message is open. */
const shunt_loop        *shunt_hl7_counter_group(const shunt_hl7_counter *counter);

#endif
