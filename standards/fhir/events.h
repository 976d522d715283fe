/* events.h - what the walk found, until the session asks for it.
 * Owns: copies of all texts.   Fails: false without memory. */
#ifndef SHUNT_FHIR_EVENTS_H
#define SHUNT_FHIR_EVENTS_H

#include "engine/base/event.h"

/* Marks for the reader itself, among the steps of event.h. */
enum {
    SHUNT_ITEM_ENTRY = 100, /* an entry that is held: tape `at`..`end` */
    SHUNT_ITEM_SPOOL,       /* from here on what stands in a branch waits */
    SHUNT_ITEM_UNSPOOL,     /* what waited comes now */
    SHUNT_ITEM_PRESUME,     /* so does the rest, until it is known that this is a Bundle */
    SHUNT_ITEM_CONFIRM,
    SHUNT_ITEM_DENY, /* it is none: what waits is forgotten */
};

typedef struct shunt_fhir_item {
    uint8_t      step;   /* shunt_step, or one of the above */
    bool         branch; /* belongs to an entry */
    uint16_t     loop;   /* ENTER, LEAVE; VALUE: the slot; BEGIN: the guide */
    uint32_t     entry;  /* number of the entry, 0 = outside */
    shunt_status code;
    uint32_t     length;
    uint64_t     at, end;
    uint32_t     text, text_length; /* into the texts */
} shunt_fhir_item;

typedef struct shunt_fhir_events {
    shunt_buffer items, texts;
    size_t       head; /* the next to be taken, in bytes of `items` */
} shunt_fhir_events;

void shunt_fhir_events_init(shunt_fhir_events *events, const shunt_memory *memory);
void shunt_fhir_events_done(shunt_fhir_events *events);
void shunt_fhir_events_clear(shunt_fhir_events *events);
bool shunt_fhir_events_add(shunt_fhir_events *events, const shunt_fhir_item *item, shunt_text text) SHUNT_MUST_USE;
/* False: there is none. The text is borrowed until the next call of `add`, or of `take` where that finds none. */
bool shunt_fhir_events_take(shunt_fhir_events *events, shunt_fhir_item *item, shunt_text *text);

#endif
