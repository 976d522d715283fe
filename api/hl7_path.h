/* hl7_path.h - a path into an HL7 message as analysts write it: `PID-3.1`, `OBX[3]-5[2].1.1`, `PID-3[where it.5 = "MR"].1`.
 * Owns: nothing; the text of a filter points into the path. */
#ifndef SHUNT_API_HL7_PATH_H
#define SHUNT_API_HL7_PATH_H

#include "engine/base/text.h"

enum { SHUNT_HL7_PATH_ID = 3 };

/* `OBX[3]-5[2].1.1`; 0 = all segments, all repetitions, the whole of what is around it. */
typedef struct shunt_hl7_path {
    char       segment[SHUNT_HL7_PATH_ID + 1];
    bool       name; /* field 0: the id of the segment */
    unsigned   nth, field, repetition, component, subcomponent;
    /* [where it.5 = "MR"] */
    unsigned   where_component, where_subcomponent;
    shunt_text where;
    bool       filtered;
} shunt_hl7_path;

/* Reads the path. NULL, or what is wrong with it, as one clause. */
const char *shunt_hl7_path_parse(const char *text, shunt_hl7_path *path);

#endif
