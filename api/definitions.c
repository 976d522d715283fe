/* definitions.c - guides that a site brings along, for all functions that look guides up. */
#include "api/definitions.h"

#include <stdio.h>

shunt_result shunt_definitions_new(const shunt_allocator *allocator, shunt_definitions **made)
{
    shunt_memory       memory = shunt_api_memory(allocator);
    shunt_definitions *d = shunt_memory_zeroed(&memory, 1, sizeof *d);
    *made = NULL;
    if (!d) return SHUNT_SYSTEM_FAULT;
    d->memory = memory;
    d->arena = shunt_arena_new(&d->memory, 0);
    if (!d->arena) {
        shunt_definitions_free(d);
        return SHUNT_SYSTEM_FAULT;
    }
    *made = d;
    return SHUNT_DONE;
}

shunt_result shunt_definitions_add(shunt_definitions *d, const char *name, const void *bytes, size_t size,
                                   shunt_messages **messages)
{
    shunt_definition_fault fault;
    if (messages) *messages = NULL;
    shunt_text   text = { (const char *)bytes, size > UINT32_MAX ? UINT32_MAX : (uint32_t)size };
    shunt_status status = shunt_definition_read(d->arena, text, &d->set, &fault);
    if (status == SHUNT_RULES_WRONG && messages && (*messages = shunt_messages_new(&d->memory)) != NULL)
        shunt_messages_say(*messages, SHUNT_ERROR, "E0201", "%s:%u: %s", name, fault.line, fault.text);
    return shunt_result_of(status);
}

void shunt_definitions_free(shunt_definitions *d)
{
    if (!d) return;
    shunt_memory memory = d->memory;
    shunt_arena_free(d->arena);
    shunt_memory_free(&memory, d);
}

const shunt_definition_set *shunt_definitions_set(const shunt_definitions *d) { return d ? &d->set : NULL; }
