/* format.c - rules in their one layout. */
#include "grammar/format.h"

#include "api/compile.h"

static shunt_status format(shunt_compiling *c, shunt_text text, shunt_buffer *out)
{
    c->arena = shunt_arena_new(&c->memory, 0);
    if (!c->arena) return SHUNT_NO_MEMORY;
    shunt_diags_init(&c->diags, c->arena);
    shunt_status status = shunt_format_module(&c->memory, &c->diags, 0, text, out);
    if (status == SHUNT_OK && c->diags.failed) status = SHUNT_NO_MEMORY;
    return status == SHUNT_OK && c->diags.errors ? SHUNT_RULES_WRONG : status;
}

shunt_result shunt_format(const char *name, const void *bytes, size_t size, const shunt_allocator *allocator, shunt_write write,
                          void *context, shunt_messages **messages)
{
    shunt_compiling      c = { .memory = shunt_api_memory(allocator) };
    shunt_excerpt_source source = { shunt_text_of(name), { bytes, (uint32_t)size } };
    shunt_buffer         out;
    shunt_buffer_init(&out, &c.memory);
    c.sources = &source;
    c.source_count = 1;
    if (messages) *messages = NULL;
    shunt_status status = size > UINT32_MAX / 2 ? SHUNT_LIMIT : format(&c, source.text, &out);
    if (messages && status != SHUNT_OK && (*messages = shunt_messages_new(&c.memory)) != NULL) {
        if (status == SHUNT_RULES_WRONG)
            shunt_compiling_render(&c, *messages);
        else
            shunt_messages_say(*messages, SHUNT_ERROR, shunt_status_info[status].code,
                               status == SHUNT_NO_MEMORY ? "%s: no memory" : "%s: can not be laid out without changing it", name);
    }
    bool         written = status != SHUNT_OK || out.length == 0 || write(context, out.bytes, out.length);
    shunt_result result = !written                      ? SHUNT_SYSTEM_FAULT
                          : status == SHUNT_RULES_WRONG ? SHUNT_RULES_FAULT
                                                        : shunt_result_of(status);
    shunt_buffer_done(&out);
    shunt_compiling_free(&c);
    return result;
}
