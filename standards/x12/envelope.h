/* envelope.h - counts, control numbers and guide ids of the envelopes ISA/GS/ST: what equals what, and what was seen before.
 * Pure functions but for `shunt_x12_seen`, a bounded set. */
#ifndef SHUNT_X12_ENVELOPE_H
#define SHUNT_X12_ENVELOPE_H

#include "engine/base/plan.h"

/* Without blanks and line ends at both ends. */
shunt_text shunt_x12_trim(shunt_text text);
/* "0021" and "21" are one number; what is not a number is compared as text. Blanks at the ends do not count. */
bool       shunt_x12_same_control(shunt_text a, shunt_text b);
/* Digits within 64 bits; false for anything else. */
bool       shunt_x12_number(shunt_text text, uint64_t *number);

/* Guide of a set, by the version that ST03 or GS08 names: exact first, then by family, then by functional id where the version is
 * a release ("4010", "004010VICS") and one guide alone, or the base set of that release, fits (`assumed`). SHUNT_NONE where there is
 * none. */
uint16_t shunt_x12_guide(const shunt_plan *plan, shunt_text set, shunt_text st03, shunt_text gs08, shunt_text gs01,
                         bool *assumed);

/* Control numbers met so far in one scope. */
enum { X12_SEEN_MOST = 1 << 16 }; /* beyond so many nothing more is remembered: memory stays bounded */
typedef struct shunt_x12_seen {
    uint64_t *hashes; /* open addressing; 0 = free */
    uint32_t  count, capacity;
    uint64_t  first, last; /* numbers that came one after the other, of `width` digits; width 0: none */
    uint32_t  width;
} shunt_x12_seen;
void         shunt_x12_seen_clear(shunt_x12_seen *seen, const shunt_memory *memory);
void         shunt_x12_seen_done(shunt_x12_seen *seen, const shunt_memory *memory);
/* Most senders count up: true, where that is enough to know whether the number was there; else it is to be added. */
bool         shunt_x12_seen_counting(shunt_x12_seen *seen, shunt_text control, bool *again);
/* `again` says whether it was there. The hash is keyed: control numbers are the sender's. NO_MEMORY. */
shunt_status shunt_x12_seen_add(shunt_x12_seen *seen, const shunt_memory *memory, uint64_t hash, bool *again);

#endif
