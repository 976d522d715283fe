/* dictionary_fhir.h - the part of shunt_dictionary that tells of FHIR.
 * Fails: the buffer says so. */
#ifndef SHUNT_API_DICTIONARY_FHIR_H
#define SHUNT_API_DICTIONARY_FHIR_H

#include "engine/base/text.h"

/* `set` "Claim", "Claim.item", "FHIR" (all resources) or NULL (one line a version); `part` goes on behind it. False: FHIR has no such
 * thing, nothing was written. */
bool shunt_dictionary_fhir(shunt_buffer *out, const char *set, const char *version, const char *part);

#endif
