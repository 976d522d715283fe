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
    bool         borrowed;
    uint16_t     loop;  /* ENTER, LEAVE; VALUE: the slot; BEGIN: the guide */
    uint32_t     entry; /* number of the entry, 0 = outside */
    shunt_status code;
    uint32_t     length;
    uint32_t     text_length;
    uint64_t     at, end;
    union {
        size_t      text;  /* into the texts */
        const char *bytes; /* `borrowed`: it stays where it is until the event was taken */
    } of;
} shunt_fhir_item;

typedef struct shunt_fhir_events {
    const shunt_memory *memory;
    shunt_fhir_item    *items;
    size_t              head, count, capacity;
    shunt_buffer        texts;
} shunt_fhir_events;

void                           shunt_fhir_events_init(shunt_fhir_events *events, const shunt_memory *memory);
void                           shunt_fhir_events_done(shunt_fhir_events *events);
void                           shunt_fhir_events_clear(shunt_fhir_events *events);
bool                           shunt_fhir_events_more(shunt_fhir_events *events) SHUNT_MUST_USE; /* makes room for an item */
/* An item to be filled in, every field of it; its text is `borrowed`, or put by `text`. NULL: no memory. */
static inline shunt_fhir_item *shunt_fhir_events_new(shunt_fhir_events *events)
{
    if (SHUNT_UNLIKELY(events->count == events->capacity) && !shunt_fhir_events_more(events)) return NULL;
    return &events->items[events->count++];
}
bool shunt_fhir_events_text(shunt_fhir_events *events, shunt_fhir_item *item, shunt_text text) SHUNT_MUST_USE;
bool shunt_fhir_events_add(shunt_fhir_events *events, const shunt_fhir_item *item, shunt_text text) SHUNT_MUST_USE;

/* NULL: there is none. Item and text are borrowed until the next call of `add`, or of `take` where that finds none. */
static inline const shunt_fhir_item *shunt_fhir_events_take(shunt_fhir_events *events, shunt_text *text)
{
    if (events->head == events->count) {
        if (events->head) shunt_fhir_events_clear(events);
        return NULL;
    }
    const shunt_fhir_item *item = &events->items[events->head++];
    const char            *bytes = item->borrowed ? item->of.bytes : item->text_length ? events->texts.bytes + item->of.text : "";
    *text = (shunt_text){ bytes, item->text_length };
    return item;
}

#endif
