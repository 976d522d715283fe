/* image.h - the dictionaries as a program holds them, and how they become tables of pointers.
 * A table of pointers has to be relocated: in a program that may stand anywhere the loader would write over every page of it at each start,
 * whether anybody asks for the dictionary or not. So gen_image.c writes each dictionary as an image: its bytes with an offset in place of
 * every pointer, and a bit for each word that is one. It stays read-only and shared until it is asked for the first time.
 * Owns:    room for each dictionary, in the program; filled once, constant from then on.
 * Threads: any; the first one fills, others wait for it.
 * Fails:   never. */
#ifndef SHUNT_DICT_IMAGE_H
#define SHUNT_DICT_IMAGE_H

#include <stdatomic.h>

#include "standards/dict/tables.h"

typedef struct shunt_dict_image {
    const uintptr_t *words;    /* `count` of them with pointers, behind them the texts; a pointer is an offset in bytes */
    const uint64_t  *pointers; /* a bit a word of the first `count`: it is one */
    size_t           count;
    uintptr_t       *room; /* for the first `count` */
    atomic_int      *state;
} shunt_dict_image;

extern const shunt_dict_image shunt_dict_image_x12, shunt_dict_image_hl7, shunt_dict_image_fhir;

const shunt_dict_x12  *shunt_dict_of_x12(void);
const shunt_dict_hl7  *shunt_dict_of_hl7(void);
const shunt_dict_fhir *shunt_dict_of_fhir(void);

#endif
