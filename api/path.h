/* path.h - a path into a message as people write it on a command line: `2100.NM1["QC"].NM103-1`, taken apart.
 * Owns: nothing; the parts point into the text. */
#ifndef SHUNT_API_PATH_H
#define SHUNT_API_PATH_H

#include "engine/base/text.h"

typedef struct shunt_path {
    shunt_text loop, segment, qualifier; /* loop and qualifier may be empty */
    unsigned   element, component;       /* element 0 = the whole segment; component 0 = the whole element */
} shunt_path;

/* Reads the path. NULL, or what is wrong with it, as one clause. */
const char *shunt_path_parse(const char *text, shunt_path *path);

#endif
