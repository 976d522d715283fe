/* reader.h - FHIR in JSON, NDJSON and XML as events: what the plan demands of each resource, wherever it stands.
 * A transaction is a Bundle, or a resource alone, which a source of Bundles takes for a Bundle of one entry. Events and places are the
 * same for every cut of the input; a document gives the same values in JSON and in XML. docs/fhir.md lists the faults.
 * Memory: one entry where it must be held (its type comes late), the window of references, and buffers of fixed size; what waits for a
 * late value of the Bundle stands in a spool.
 * Fails: FAILED comes for lack of memory or disk alone. */
#ifndef SHUNT_FHIR_READER_H
#define SHUNT_FHIR_READER_H

#include "engine/base/plan.h"

enum {
    SHUNT_FHIR_UNIT_BYTES = 4 << 20, /* of a unit, where no source says more */
    SHUNT_FHIR_WINDOW = 8 << 20,     /* of references, where the source says nothing */
};

struct shunt_fhir_watched;
/* 0 = as the sources of the plan say. */
typedef struct shunt_fhir_options {
    size_t                   max_unit_bytes;
    uint32_t                 window;
    size_t                   spool_bytes; /* kept in memory before a file is made; 1 MiB */
    const char              *directory;   /* of that file; NULL: TMPDIR or /tmp */
    /* For display: sees every token of every document, those of values longer than a unit without text, whatever the plan demands. Its
     * `skip` and `wants` count for nothing, nor do its faults: they come as events. Borrowed. */
    struct shunt_token_sink *watch;
    /* Asked after each token what `watch` found in it: the next fault, to be handed over as one of the reader's. NULL: it finds none. */
    bool (*found)(struct shunt_token_sink *watch, struct shunt_fhir_watched *fault);
} shunt_fhir_options;

typedef struct shunt_fhir_watched {
    shunt_status code;
    uint64_t     at;
    uint32_t     length;
    const char  *detail; /* borrowed until the next call */
} shunt_fhir_watched;

/* `plan` has passed shunt_plan_valid and outlives the reader; `memory` is borrowed. NULL: no memory. */
shunt_reader *shunt_fhir_reader_new(const shunt_memory *memory, const shunt_plan *plan,
                                    const shunt_fhir_options *options) SHUNT_MUST_USE;

#endif
