/* plan_builder.h - small plans for tests of readers, walk and capture, from a description. One item a line, indentation is free:
 *   guide SET VERSION FAMILY GS01 [framed]       begins a guide; `framed` gives the set a frame
 *   loop ID [max=N] [frame] [unit] [loose]       the next segment starts it; `frame` captures it, `unit` makes it a unit as well,
 *                                                `loose`: not in the child list of the framed loop around it
 *   end                                          of the loop
 *   ID [max=N] [same] [key=E[.C]:A|B] [elements=N] [comp=K|K] [binary=N] [group=FIRST/STRIDE/COUNT] [loose] [get=[+]E[.C],...]
 *                             a segment; `same` gives it the position of the item before it; `get` are demands, with + relative
 *                             to the element group; slots are numbered as they come, one set a frame. A group makes a frame with
 *                             the id of the segment.
 * The plan passes shunt_plan_valid, or the builder aborts the test. */
#ifndef SHUNT_PLAN_BUILDER_H
#define SHUNT_PLAN_BUILDER_H

#include "engine/base/plan.h"

struct plan_builder;

struct plan_builder *plan_build(const char *description);
const shunt_plan    *plan_of(const struct plan_builder *builder);
/* The arrays as they may be written to, for tests that damage a plan. */
shunt_plan          *plan_damage(struct plan_builder *builder);
void                 plan_free(struct plan_builder *builder);

#endif
