/* fhir_tables.h - what gen_fhir.c writes and fhir/types.c reads. Private to standards. */
#ifndef SHUNT_DICT_FHIR_TABLES_H
#define SHUNT_DICT_FHIR_TABLES_H

#include "standards/fhir/types.h"

extern const shunt_fhir_type shunt_fhir_types_R4[]; /* sorted by name */
extern const uint32_t        shunt_fhir_type_count_R4;
extern const shunt_fhir_type shunt_fhir_types_R5[];
extern const uint32_t        shunt_fhir_type_count_R5;

#endif
