/* tables.h - what gen.c writes and schema.c reads. Private to standards. */
#ifndef SHUNT_DICT_TABLES_H
#define SHUNT_DICT_TABLES_H

#include "standards/schema.h"

typedef struct shunt_dict_release {
    const char                      *name;     /* "005010"; NULL ends the table */
    const shunt_segment_node *const *segments; /* sorted by id */
    uint32_t                         count;
} shunt_dict_release;

typedef struct shunt_dict_currency {
    char    code[4];
    uint8_t scale;
} shunt_dict_currency;

extern const shunt_guide *const   shunt_dict_guides[]; /* NULL ends the table */
extern const shunt_dict_release   shunt_dict_releases[];
extern const shunt_codeset *const shunt_dict_lists[]; /* named lists, sorted by name */
extern const uint32_t             shunt_dict_list_count;
extern const shunt_dict_currency  shunt_dict_currencies[]; /* sorted by code */
extern const uint32_t             shunt_dict_currency_count;

/* HL7 v2 (gen_hl7.c): guides sorted by set, then from the oldest version to the newest. */
extern const shunt_guide *const   shunt_dict_hl7_guides;
extern const uint32_t             shunt_dict_hl7_guide_count;
extern const shunt_dict_release   shunt_dict_hl7_releases[];
extern const shunt_codeset *const shunt_dict_hl7_lists[]; /* sorted by name */
extern const uint32_t             shunt_dict_hl7_list_count;
const shunt_guide                *shunt_hl7_find(shunt_text set, shunt_text version);
bool                              shunt_hl7_fits(const shunt_guide *guide, shunt_text version);

#endif
