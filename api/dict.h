/* dict.h - the parts of `shunt dict`: dictionary.c (X12, and what the others share), dict_hl7.c; FHIR has dictionary_fhir.c. */
#ifndef SHUNT_API_DICT_H
#define SHUNT_API_DICT_H

#include "api/api.h"
#include "standards/schema.h"

/* Appends what the dictionary has; false, and nothing appended: no such thing there. `version` and `part` may be NULL. */
bool dict_hl7(shunt_buffer *out, const char *set, const char *version, const char *part);

/* "once", "up to 3", "any number"; 0 = no limit. */
void dict_repeats(shunt_buffer *out, unsigned max);
/* Blanks up to a width from where the line began. */
void dict_pad(shunt_buffer *out, size_t from, size_t width);
void dict_phi(shunt_buffer *out, uint32_t classes);
void dict_codes(shunt_buffer *out, const shunt_codeset *set, uint32_t shown);
/* The loop with all that stands in it. */
void dict_loop_tree(shunt_buffer *out, const shunt_loop *loop, unsigned depth);

#endif
