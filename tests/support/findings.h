/* findings.h - what `shunt validate` says of a message, in a few words; for table-driven tests of it. */
#ifndef SHUNT_TEST_FINDINGS_H
#define SHUNT_TEST_FINDINGS_H

#include <shunt/shunt.h>

#include "tests/support/test_memory.h"

/* Freed by the caller. */
typedef struct test_text {
    char  *bytes;
    size_t length;
} test_text;

bool            test_append(void *text, const void *bytes, size_t size);
/* The message with each "from>to" done once; changes are apart by newlines. Freed by the caller. */
char           *test_changed(const char *message, const char *changes);
/* Of findings as JSON: "X12_CODE CLM8 7", or "HL7_DATE PID-7.1 102", one each, apart by `; `. Freed by the caller. */
char           *test_findings(const char *json);
/* Validates it in pieces of `step` bytes. */
shunt_result    test_validate(const char *message, const char *snip, const shunt_definitions *definitions,
                              const shunt_allocator *allocator, size_t step, test_text *out, test_text *answer);
/* Fails each n-th allocation of a validation, every `stride`-th n from 12 on: it must end with SHUNT_SYSTEM_FAULT and nothing left, and
 * without a failure with SHUNT_INPUT_FAULT. */
void            test_validate_without_memory(const char *message, const char *snip, size_t stride);
shunt_allocator test_allocator(struct test_memory *memory);

#endif
