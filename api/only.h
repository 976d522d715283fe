/* only.h - reads the list of units that shunt_dead_letter.units holds, to run those alone again. */
#ifndef SHUNT_ONLY_H
#define SHUNT_ONLY_H

#include "engine/base/status.h"
#include "engine/base/text.h"

typedef struct shunt_only {
    uint64_t  *ordinals; /* ascending, each once */
    size_t     count, capacity;
    bool       whole;   /* the whole transaction was undone: all of it is wanted */
    shunt_text control; /* of the transaction, as it stands in the list, which it points into; empty = not said */
} shunt_only;

/* USAGE: it is no such list, `why` says why. NO_MEMORY. The list is given back by `shunt_only_done` in every case. */
shunt_status shunt_only_read(const shunt_memory *memory, const char *json, size_t length, shunt_only *only, char why[static 200]);
void         shunt_only_done(const shunt_memory *memory, shunt_only *only);

#endif
