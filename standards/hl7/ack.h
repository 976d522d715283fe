/* ack.h - answers HL7 v2 messages with ACK, from the events of a reader that shows segments and what a validator found in them.
 * A message without MSH-15 and MSH-16 is answered in original mode (AA, AE, AR); else MSH-15 says when the accept acknowledgment (CA, CE,
 * CR) is made and MSH-16 when that of the application is. Messages of a batch are answered in a batch. Acknowledgments and other messages
 * with an MSA are answered only where their MSH-15 asks for it.
 * Owns:    header and at most HL7_ACK_FAULTS places of the open message.
 * Threads: one writer, one thread. */
#ifndef SHUNT_HL7_ACK_H
#define SHUNT_HL7_ACK_H

#include "standards/hl7/validate.h"

enum { HL7_ACK_FAULTS = 1000, HL7_MADE_AT = 14 };

typedef struct shunt_hl7_ack_options {
    char made_at[HL7_MADE_AT + 1]; /* YYYYMMDDHHMMSS in UTC: when the answers are made */
} shunt_hl7_ack_options;

/* How the messages answered so far fared, whether their modes ask for an answer or not. */
typedef struct shunt_hl7_ack_totals {
    uint64_t files, batches, messages, accepted, with_errors, rejected;
    uint64_t answers; /* that were made */
} shunt_hl7_ack_totals;

typedef struct shunt_hl7_ack shunt_hl7_ack;
/* `out` gets each answer when its message is over; NULL = only the totals are wanted. */
shunt_hl7_ack               *shunt_hl7_ack_new(const shunt_memory *memory, const shunt_hl7_ack_options *options,
                                               shunt_buffer *out) SHUNT_MUST_USE;
void                         shunt_hl7_ack_free(shunt_hl7_ack *ack);
/* One event of the reader with what the validator found at it. NO_MEMORY. */
shunt_status shunt_hl7_ack_see(shunt_hl7_ack *ack, const shunt_event *event, const shunt_hl7_finding *findings, uint32_t count);
const shunt_hl7_ack_totals *shunt_hl7_ack_totals_of(const shunt_hl7_ack *ack);

#endif
