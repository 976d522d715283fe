/* guide.h - which guide of a plan a message follows. Pure. */
#ifndef SHUNT_HL7_GUIDE_H
#define SHUNT_HL7_GUIDE_H

#include "engine/base/plan.h"

/* By MSH-9 ("ADT", "A04", "ADT_A01": empty where missing) and MSH-12. A source that names the event comes before one that
 * names the structure; among the versions of a source's guides the one asked for, else the nearest lower one, else the
 * lowest; the highest where `version` is empty. `*exact`: the version is as asked for. SHUNT_NONE: no source lists the
 * message. */
uint16_t shunt_hl7_guide(const shunt_plan *plan, shunt_text type, shunt_text event, shunt_text structure, shunt_text version,
                         bool *exact);
/* Is every source of HL7 read strictly? */
bool     shunt_hl7_all_strict(const shunt_plan *plan);

#endif
