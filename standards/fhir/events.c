#include "standards/fhir/events.h"

void shunt_fhir_events_init(shunt_fhir_events *e, const shunt_memory *memory)
{
    shunt_buffer_init(&e->items, memory);
    shunt_buffer_init(&e->texts, memory);
    e->head = 0;
}

void shunt_fhir_events_done(shunt_fhir_events *e)
{
    shunt_buffer_done(&e->items);
    shunt_buffer_done(&e->texts);
}

void shunt_fhir_events_clear(shunt_fhir_events *e)
{
    enum { KEPT = 1 << 20 }; /* memory kept for what comes next */
    if (e->items.capacity > KEPT) shunt_buffer_done(&e->items);
    if (e->texts.capacity > KEPT) shunt_buffer_done(&e->texts);
    e->items.length = e->texts.length = e->head = 0;
}

bool shunt_fhir_events_add(shunt_fhir_events *e, const shunt_fhir_item *item, shunt_text text)
{
    shunt_fhir_item copy = *item;
    copy.text = (uint32_t)e->texts.length;
    copy.text_length = text.length;
    shunt_buffer_add(&e->items, &copy, sizeof copy);
    if (text.length) shunt_buffer_text(&e->texts, text);
    return !e->items.failed && !e->texts.failed && e->texts.length <= UINT32_MAX;
}

bool shunt_fhir_events_take(shunt_fhir_events *e, shunt_fhir_item *item, shunt_text *text)
{
    if (e->head == e->items.length) {
        if (e->head) shunt_fhir_events_clear(e);
        return false;
    }
    memcpy(item, e->items.bytes + e->head, sizeof *item);
    e->head += sizeof *item;
    *text = (shunt_text){ item->text_length ? e->texts.bytes + item->text : "", item->text_length };
    return true;
}
