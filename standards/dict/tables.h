/* tables.h - the roots of the dictionaries. gen.c, gen_hl7.c and gen_fhir.c write them as tables of pointers, gen_image.c makes images of
 * those, and image.h hands them out. Private to standards. */
#ifndef SHUNT_DICT_TABLES_H
#define SHUNT_DICT_TABLES_H

#include "standards/fhir/types.h"
#include "standards/schema.h"

typedef struct shunt_dict_release {
    const char                      *name;     /* "005010" */
    const shunt_segment_node *const *segments; /* sorted by id */
    uint32_t                         count;
} shunt_dict_release;

typedef struct shunt_dict_currency {
    char    code[4];
    uint8_t scale;
} shunt_dict_currency;

typedef struct shunt_dict_x12 {
    const shunt_guide *const   *guides;
    const shunt_dict_release   *releases;
    const shunt_codeset *const *lists;      /* named lists, sorted by name */
    const shunt_dict_currency  *currencies; /* sorted by code */
    uint32_t                    guide_count, release_count, list_count, currency_count;
} shunt_dict_x12;

typedef struct shunt_dict_hl7 {
    const shunt_guide          *guides; /* sorted by set, then from the oldest version to the newest */
    const shunt_dict_release   *releases;
    const shunt_codeset *const *lists; /* sorted by name */
    uint32_t                    guide_count, release_count, list_count;
} shunt_dict_hl7;

typedef struct shunt_dict_fhir {
    struct shunt_dict_fhir_version {
        const shunt_fhir_type *types; /* sorted by name */
        uint32_t               count;
    } versions[2]; /* R4, R5 */
} shunt_dict_fhir;

/* What the generators write. */
extern const shunt_dict_x12  shunt_dict_tables_x12;
extern const shunt_dict_hl7  shunt_dict_tables_hl7;
extern const shunt_dict_fhir shunt_dict_tables_fhir;

const shunt_guide *shunt_hl7_find(shunt_text set, shunt_text version);
bool               shunt_hl7_fits(const shunt_guide *guide, shunt_text version);

#endif
