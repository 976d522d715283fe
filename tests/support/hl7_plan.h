/* hl7_plan.h - plans of HL7 messages for tests, from a few words: lines of
 *   guide DFT^P03 2.5.1       a guide of the dictionary, of the source at hand
 *   source [strict] [absent]  a new source; the first one needs no line
 *   want FT1-11.1.1           this part wherever the guides have the segment; PID-3[2].1 is of the second repetition
 *   each PID-3 .1 .4.2        a loop of the repetitions of the field, and parts of each
 *   repeat DG1 3.1            a loop of the repeats of the segment, and parts of each
 * Every group that holds anything asked for has a frame, the message always. Slots are numbered in each frame in the order of the
 * lines; the path of a slot is what the line says. */
#ifndef SHUNT_HL7_PLAN_TEST_H
#define SHUNT_HL7_PLAN_TEST_H

#include "dsl/plan_maker.h"

/* Lives in the arena. Aborts where the words are wrong or memory is short. */
shunt_plan hl7_plan(shunt_arena *arena, const char *words);

#endif
