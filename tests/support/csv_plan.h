/* csv_plan.h - plans of sources of rows for tests of the reader, from a description. One item a line, indentation is free:
 *   csv [sep=C] [quote=C|none] [noheader] [term=C] [lines] [cont=KEY] [enc=NAME] [key=N] [tx=ROW]
 *   fixed LENGTH [key=A-B] [tx=ROW]
 *   row NAME [in=PARENT] [keys=A|B] [once] [trailer] [unit]
 *   col NAME [at=N[-M]] [len=N] [trim] [rest=N]       heading = NAME, `_` for a blank
 * Every type of row has a frame, and every column a slot, in order. The plan passes shunt_plan_valid, or the maker aborts. */
#ifndef SHUNT_CSV_PLAN_H
#define SHUNT_CSV_PLAN_H

#include "engine/base/plan.h"

struct csv_plan;

struct csv_plan  *csv_plan_new(const char *description);
const shunt_plan *csv_plan_of(const struct csv_plan *plan);
uint16_t          csv_plan_standard(const struct csv_plan *plan);
void              csv_plan_free(struct csv_plan *plan);

#endif
