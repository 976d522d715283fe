#include "standards/fhir/events.h"

void shunt_fhir_events_init(shunt_fhir_events *e, const shunt_memory *memory)
{
    *e = (shunt_fhir_events){ .memory = memory };
    shunt_buffer_init(&e->texts, memory);
}

void shunt_fhir_events_done(shunt_fhir_events *e)
{
    shunt_buffer_done(&e->texts);
    shunt_memory_free(e->memory, e->items);
    shunt_fhir_events_init(e, e->memory);
}

void shunt_fhir_events_clear(shunt_fhir_events *e)
{
    enum { ITEMS = 1 << 14, TEXTS = 1 << 20 }; /* memory kept for what comes next */
    if (e->capacity > ITEMS || e->texts.capacity > TEXTS) shunt_fhir_events_done(e);
    e->texts.length = e->head = e->count = 0;
}

bool shunt_fhir_events_more(shunt_fhir_events *e)
{
    if (e->count < e->capacity) return true;
    size_t capacity = e->capacity ? e->capacity * 2 : 256;
    void  *items = shunt_memory_resize(e->memory, e->items, capacity * sizeof *e->items);
    if (!items) return false;
    e->items = items;
    e->capacity = capacity;
    return true;
}

bool shunt_fhir_events_text(shunt_fhir_events *e, shunt_fhir_item *item, shunt_text text)
{
    item->borrowed = false;
    item->text_length = text.length;
    item->of.text = e->texts.length;
    shunt_buffer_text(&e->texts, text);
    return !e->texts.failed;
}

bool shunt_fhir_events_add(shunt_fhir_events *e, const shunt_fhir_item *item, shunt_text text)
{
    if (!shunt_fhir_events_more(e)) return false;
    shunt_fhir_item *copy = &e->items[e->count++];
    *copy = *item;
    copy->text_length = text.length;
    if (copy->borrowed) {
        copy->of.bytes = text.bytes;
        return true;
    }
    copy->of.text = e->texts.length;
    if (text.length) shunt_buffer_text(&e->texts, text);
    return !e->texts.failed;
}
