/* reader.h - HL7 v2 messages as events: finds the header, takes its separators and character set, cuts segments, recognises
 * the groups of the message and hands over the values that the plan demands. Input is pushed in pieces of any size; the
 * events, their places included, are the same for every cut, and the same but for their places whether segments end in CR, LF
 * or CRLF and whether messages stand in MLLP frames. Faults that leave the rest readable are handed over and reading goes on;
 * FAILED comes for lack of memory alone. A message is a transaction, BHS to BTS a batch, FHS to FTS an interchange. Of each
 * segment of a message that the plan knows come LEAVE..., ENTER..., FAULT..., then SEGMENT where the reader is made for
 * display, then its values: VALUE for each that is demanded and there, and ENTER, VALUE..., LEAVE for each instance of a loop
 * of repetitions; what a `shunt_direct` says is captured instead. A message without a guide gives BEGIN, faults and FINISH only,
 * for display also its segments. In SEGMENT of MSH, FHS and BHS element k is field k + 1: element 1 is MSH-2. Elements beyond
 * SHUNT_HL7_FIELDS stand in the last one.
 * Memory: the segment at hand (at most `max_segment_bytes`, ADD segments behind it included), the decoded value, and what the
 * plan demands, sorted. */
#ifndef SHUNT_HL7_READER_H
#define SHUNT_HL7_READER_H

#include "engine/base/plan.h"

enum { SHUNT_HL7_FIELDS = 65000 };

/* 0 = default. */
typedef struct shunt_hl7_options {
    size_t   max_segment_bytes; /* 8 MiB; a longer one that holds demanded values is HL7_SEGMENT_LENGTH; others are passed over */
    uint32_t max_leading_bytes; /* 64 KiB: how far in the input the first header is looked for */
    bool     display;           /* SEGMENT events, also of messages without a guide and of lines outside of any */
    bool     segments; /* the same, and values and faults as without them; but for oversized segments, which are all told */
} shunt_hl7_options;

/* `plan` has passed shunt_plan_valid and outlives the reader; `memory` is borrowed. NULL: no memory. */
shunt_reader *shunt_hl7_reader_new(const shunt_memory *memory, const shunt_plan *plan,
                                   const shunt_hl7_options *options) SHUNT_MUST_USE;

#endif
