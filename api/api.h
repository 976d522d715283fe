/* api.h - what the files of this folder share behind include/shunt/shunt.h. */
#ifndef SHUNT_API_H
#define SHUNT_API_H

#include "engine/base/text.h"
#include "engine/vm/program.h"
#include "shunt/shunt.h"

/* The host's allocator as the engine sees it; NULL = the C library's. The context of the result points to `allocator`, which the
 * caller keeps as long as what it allocates. */
shunt_memory shunt_api_memory(const shunt_allocator *allocator);

/* Messages are rendered when they are made, so they need neither sources nor compiler afterwards. */
struct shunt_messages {
    shunt_memory memory;
    shunt_buffer text; /* as people read it */
    shunt_buffer json; /* an object a line */
    size_t       errors, warnings;
};
shunt_messages *shunt_messages_new(const shunt_memory *memory) SHUNT_MUST_USE; /* NULL without memory */
/* A message without a place in rules: "error: ..." and {"severity","code","message"}. */
void            shunt_messages_say(shunt_messages *messages, shunt_severity severity, const char *code, const char *format, ...)
    SHUNT_PRINTF(4, 5);
/* shunt_write over a shunt_buffer. */
bool shunt_buffer_write(void *buffer, const void *bytes, size_t size);

/* shunt_run_new that takes note of the places that are reached, as shunt_test_run does; NULL = nobody asks. */
shunt_result shunt_run_covered(const shunt_program *program, const shunt_callbacks *callbacks, const shunt_run_options *options,
                               uint8_t *covered, uint32_t covered_count, shunt_run **run, shunt_messages **messages);

/* "2025-03-01T12:00:00Z" as YYYYMMDDHHMMSS of UTC; false: it is no ISO date and time with a zone. */
bool shunt_api_stamp(const char *moment, char stamp[static 15]);

/* What a status of the engine means to a host. */
shunt_result shunt_result_of(shunt_status status);

#endif
