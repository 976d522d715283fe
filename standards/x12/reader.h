/* reader.h - X12 interchanges as events: finds the ISA, takes its delimiters, cuts segments, checks the envelopes, recognises
 * loops. Input is pushed in pieces of any size; the events, their places included, are the same for every cut.
 * Faults that leave the rest readable are handed over and reading goes on; FAILED comes for lack of memory alone.
 * Inside a transaction: LEAVE..., ENTER..., FAULT..., SEGMENT for each segment of a set that the plan knows; a set without a
 * guide gives BEGIN, faults and FINISH only. Faults of a header come after its BEGIN, faults of a trailer before its FINISH.
 * Memory: an unfinished segment (at most `max_segment_bytes`) and the index of a window of the input; control numbers up to a
 * bound. */
#ifndef SHUNT_X12_READER_H
#define SHUNT_X12_READER_H

#include "engine/base/plan.h"

/* 0 = default. */
typedef struct shunt_x12_options {
    size_t   max_segment_bytes; /* 1 MiB; a longer one is X12_SEGMENT_LENGTH and passed over */
    uint32_t max_elements;      /* 10,000; more is X12_ELEMENTS, the segment is passed over */
    uint64_t max_binary_bytes;  /* 64 MiB: largest length that BIN01 or BDS02 may name; a larger one is X12_BIN */
    uint32_t max_leading_bytes; /* 64 KiB: how far in the input the first ISA is looked for */
} shunt_x12_options;

/* `plan` has passed shunt_plan_valid and outlives the reader; `memory` is borrowed. NULL: no memory. */
shunt_reader *shunt_x12_reader_new(const shunt_memory *memory, const shunt_plan *plan,
                                   const shunt_x12_options *options) SHUNT_MUST_USE;

#endif
