/* messages.c - diagnostics for hosts; versions, results. */
#include <stdarg.h>

#include <stdio.h>

#include "api/api.h"

const char *shunt_version(void) { return SHUNT_VERSION; }

static void *host_allocate(void *context, size_t size)
{
    return ((const shunt_allocator *)context)->allocate(((const shunt_allocator *)context)->context, size);
}
static void *host_resize(void *context, void *block, size_t size)
{
    return ((const shunt_allocator *)context)->resize(((const shunt_allocator *)context)->context, block, size);
}
static void host_release(void *context, void *block)
{
    ((const shunt_allocator *)context)->release(((const shunt_allocator *)context)->context, block);
}

shunt_memory shunt_api_memory(const shunt_allocator *allocator)
{
    if (!allocator) return shunt_memory_libc;
    return (shunt_memory){ host_allocate, host_resize, host_release, (void *)(uintptr_t)allocator };
}

shunt_messages *shunt_messages_new(const shunt_memory *memory)
{
    shunt_messages *messages = shunt_memory_zeroed(memory, 1, sizeof *messages);
    if (!messages) return NULL;
    messages->memory = *memory;
    shunt_buffer_init(&messages->text, &messages->memory);
    shunt_buffer_init(&messages->json, &messages->memory);
    return messages;
}

void shunt_messages_free(shunt_messages *messages)
{
    if (!messages) return;
    shunt_memory memory = messages->memory;
    shunt_buffer_done(&messages->text);
    shunt_buffer_done(&messages->json);
    shunt_memory_free(&memory, messages);
}

void shunt_messages_say(shunt_messages *messages, shunt_severity severity, const char *code, const char *format, ...)
{
    char    text[512];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (length < 0) length = 0;
    shunt_text message = { text, (uint32_t)((size_t)length < sizeof text ? (size_t)length : sizeof text - 1) };
    *(severity == SHUNT_ERROR ? &messages->errors : &messages->warnings) += 1;
    shunt_buffer_format(&messages->text, "%s[%s]: ", shunt_severity_name(severity), code);
    shunt_buffer_text(&messages->text, message);
    shunt_buffer_char(&messages->text, '\n');
    shunt_buffer_format(&messages->json, "{\"code\":\"%s\",\"severity\":\"%s\",\"message\":", code,
                        shunt_severity_name(severity));
    shunt_buffer_json(&messages->json, message);
    shunt_buffer_z(&messages->json, "}\n");
}

size_t shunt_messages_errors(const shunt_messages *messages) { return messages ? messages->errors : 0; }
size_t shunt_messages_warnings(const shunt_messages *messages) { return messages ? messages->warnings : 0; }

shunt_result shunt_messages_print(const shunt_messages *messages, bool json, shunt_write write, void *context)
{
    if (!messages) return SHUNT_DONE;
    const shunt_buffer *out = json ? &messages->json : &messages->text;
    if (out->failed) return SHUNT_SYSTEM_FAULT;
    return out->length == 0 || write(context, out->bytes, out->length) ? SHUNT_DONE : SHUNT_SYSTEM_FAULT;
}

bool shunt_buffer_write(void *buffer, const void *bytes, size_t size)
{
    shunt_buffer_add(buffer, bytes, size);
    return !((shunt_buffer *)buffer)->failed;
}

shunt_result shunt_result_of(shunt_status status)
{
    switch (status) {
    case SHUNT_OK: return SHUNT_DONE;
    case SHUNT_RULES_WRONG:
    case SHUNT_PROGRAM_BAD:
    case SHUNT_USAGE:
    case SHUNT_NOT_FOUND: return SHUNT_RULES_FAULT;
    case SHUNT_INPUT_BAD:
    case SHUNT_FAILURE: return SHUNT_INPUT_FAULT;
    default: return SHUNT_SYSTEM_FAULT;
    }
}
