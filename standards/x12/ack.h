/* ack.h - answers interchanges with TA1, 997 and 999, from the events of a reader and what a validator found in them.
 * A group whose GS08 names a guide of 005010 or later is answered by a 999, any other by a 997 of its release; groups of acknowledgements
 * (GS01 FA) are not answered. A TA1 is written where ISA14 asks for one or the envelope is wrong.
 * Owns:    what it has gathered of the open interchange: at most X12_ACK_FAULTS places of each set; answers to sets and groups that are over
 *          wait in spools, since what stands before them is known last.
 * Threads: one writer, one thread. */
#ifndef SHUNT_X12_ACK_H
#define SHUNT_X12_ACK_H

#include "standards/x12/validate.h"

enum { X12_ACK_FAULTS = 1000 };

typedef struct shunt_x12_ack_options {
    char     date[9], time[5]; /* CCYYMMDD, HHMM: when the answer is made */
    uint32_t control; /* ISA13 of the first answer, counted on for the next ones; 0 = the control number that is answered */
    /* Called when `out` holds some 64 KiB in the middle of an answer: takes them and empties it. NULL: `out` grows to the whole answer. */
    shunt_status (*full)(void *context);
    void       *full_context;
    const char *directory; /* of temporary files; NULL: TMPDIR or /tmp */
} shunt_x12_ack_options;

/* How the sets of the interchanges answered so far fared. */
typedef struct shunt_x12_ack_totals {
    uint64_t interchanges, groups, sets, accepted, with_errors, rejected, unknown; /* unknown: of sets, no guide is known */
} shunt_x12_ack_totals;

typedef struct shunt_x12_ack shunt_x12_ack;
/* `out` gets each answer when its interchange is over; NULL = only the totals are wanted. */
shunt_x12_ack               *shunt_x12_ack_new(const shunt_memory *memory, const shunt_x12_ack_options *options,
                                               shunt_buffer *out) SHUNT_MUST_USE;
void                         shunt_x12_ack_free(shunt_x12_ack *ack);
/* One event of the reader with what the validator found at it. NO_MEMORY, IO, or what `full` gave; every later call gives the same. */
shunt_status shunt_x12_ack_see(shunt_x12_ack *ack, const shunt_event *event, const shunt_x12_finding *findings, uint32_t count);
const shunt_x12_ack_totals *shunt_x12_ack_totals_of(const shunt_x12_ack *ack);

#endif
