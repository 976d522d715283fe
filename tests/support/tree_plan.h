/* tree_plan.h - small plans of names (FHIR) for tests, from a description. One item a line, indentation is free:
 *   guide TYPE [framed] [unit] [window=N]   begins a guide; `framed` gives the root a frame
 *   loop NAME [frame] [unit] [type=T]       objects under a name; `frame` captures them, `unit` makes them units as well
 *   end                                     of the loop
 *   NAME [decimal] [early] [item]           a value; slots are numbered as they come in each frame; item: `value` of a list of primitives
 * The plan passes shunt_plan_valid, or the builder aborts the test. */
#ifndef SHUNT_TREE_PLAN_H
#define SHUNT_TREE_PLAN_H

#include "engine/base/plan.h"

struct tree_plan;

struct tree_plan *tree_plan_build(const char *description);
const shunt_plan *tree_plan_of(const struct tree_plan *plan);
void              tree_plan_free(struct tree_plan *plan);

#endif
