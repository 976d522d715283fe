/* claim_ack.h - answers the claims of an interchange with a 277CA (005010X214), from the events of a reader over the 837 and from what the
 * rules said of each claim. One 277 for each set of claims that was complete; it goes back to the sender, with the separators that it
 * used.
 * Owns:    a summary of every claim of the input (its number, charge, dates, and the names around it), until it is written: about 150 bytes
 *          a claim, of which some 2 MiB stand in memory and the rest in unnamed temporary files (engine/base/paged.h).
 * Threads: one writer, one thread.
 * Fails:   NO_MEMORY, or IO when the disk gives out. */
#ifndef SHUNT_X12_CLAIM_ACK_H
#define SHUNT_X12_CLAIM_ACK_H

#include "engine/base/event.h"

typedef struct shunt_x12_claim_ack shunt_x12_claim_ack;

typedef struct shunt_x12_claim_ack_options {
    char        date[9], time[5]; /* CCYYMMDD, HHMM: when the answer is made */
    uint32_t    control;   /* ISA13 of the first answer, counted on for the next ones; 0 = the control number that is answered */
    const char *directory; /* of temporary files; NULL: TMPDIR, or /tmp; borrowed */
    /* Called when `out` holds some 64 KiB in the middle of an answer: takes them and empties it. NULL: `out` grows to all answers. */
    shunt_status (*full)(void *context);
    void *full_context;
} shunt_x12_claim_ack_options;

/* What was said of a part of the input. */
typedef struct shunt_x12_verdict {
    shunt_scope scope;
    uint64_t    at;      /* a byte of it; of a unit the first */
    bool        refused; /* false: set aside, to be looked at */
    shunt_text
        answer; /* "277CA:A7:562:85", category, status and entity; without status, or empty, what fits best; "999:R": of a whole
                         * set, a 999 says it, and no 277CA is written. Borrowed until the answers are written */
} shunt_x12_verdict;

shunt_x12_claim_ack *shunt_x12_claim_ack_new(const shunt_memory                *memory,
                                             const shunt_x12_claim_ack_options *options) SHUNT_MUST_USE;
void                 shunt_x12_claim_ack_free(shunt_x12_claim_ack *ack);
/* Every event of the reader, in order. */
shunt_status         shunt_x12_claim_ack_see(shunt_x12_claim_ack *ack, const shunt_event *event);
/* In any order with the events. */
shunt_status         shunt_x12_claim_ack_say(shunt_x12_claim_ack *ack, const shunt_x12_verdict *verdict);
/* The input is over: appends its answers and forgets it. Also what `full` gave. */
shunt_status         shunt_x12_claim_ack_write(shunt_x12_claim_ack *ack, shunt_buffer *out);

#endif
