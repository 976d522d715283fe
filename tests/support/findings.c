#include "tests/support/findings.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool test_append(void *context, const void *bytes, size_t size)
{
    test_text *t = context;
    t->bytes = realloc(t->bytes, t->length + size + 1);
    memcpy(t->bytes + t->length, bytes, size);
    t->length += size;
    t->bytes[t->length] = 0;
    return true;
}

/* The message with each "from>to" done once; changes are apart by newlines. */
char *test_changed(const char *message, const char *changes)
{
    char *out = strdup(message);
    for (const char *at = changes; *at;) {
        size_t      length = strcspn(at, "\n");
        const char *arrow = memchr(at, '>', length);
        ck_assert_ptr_nonnull(arrow);
        char *from = strndup(at, (size_t)(arrow - at)), *to = strndup(arrow + 1, length - (size_t)(arrow - at) - 1), *more;
        char *place = strstr(out, from);
        ck_assert_msg(place != NULL, "`%s` is not there", from);
        ck_assert_int_ge(asprintf(&more, "%.*s%s%s", (int)(place - out), out, to, place + strlen(from)), 0);
        free(out), free(from), free(to);
        out = more;
        at += length + (at[length] == '\n');
    }
    return out;
}

static const char *member(const char *line, const char *name, char out[static 64])
{
    char key[32];
    snprintf(key, sizeof key, "\"%s\":", name);
    const char *at = strstr(line, key);
    out[0] = 0;
    if (!at) return out;
    at += strlen(key);
    size_t length = *at == '"' ? strcspn(++at, "\"") : strcspn(at, ",}");
    snprintf(out, 64, "%.*s", (int)length, at);
    return out;
}

/* "X12_CODE CLM8 7", one a finding, apart by `; `. */
char *test_findings(const char *json)
{
    test_text out = { 0 };
    test_append(&out, "", 0);
    for (const char *line = json; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        char code[64], id[64], element[64], component[64], answer[64], path[64], whole[400];
        if (strstr(line, "{\"file\"") != line || !strncmp(strchr(line, ',') + 1, "\"summary\"", 9)) continue;
        char *one = strndup(line, strcspn(line, "\n"));
        member(one, "code", code), member(one, "id", id), member(one, "element", element), member(one, "component", component);
        member(one, "answer_code", answer), member(one, "path", path);
        if (*path) snprintf(id, sizeof id, "%s", path), *element = *component = 0;
        snprintf(whole, sizeof whole, "%s%s %s%s%s%s%s%s", out.length ? "; " : "", code, id, element, *component ? "-" : "",
                 component, *answer ? " " : "", answer);
        test_append(&out, whole, strlen(whole));
        free(one);
    }
    return out.bytes;
}

shunt_result test_validate(const char *message, const char *snip, const shunt_definitions *definitions,
                           const shunt_allocator *allocator, size_t step, test_text *out, test_text *answer)
{
    shunt_validate_options options = { .size = sizeof options,
                                       .allocator = allocator,
                                       .snip = snip,
                                       .json = true,
                                       .acknowledge = test_append,
                                       .acknowledge_context = answer,
                                       .made_at = "2025-03-02T08:00:00Z",
                                       .definitions = definitions };
    shunt_validator       *v;
    shunt_messages        *messages;
    shunt_result           result = shunt_validator_new(&options, test_append, out, &v, &messages);
    shunt_messages_free(messages);
    for (size_t at = 0, size = strlen(message); result <= SHUNT_INPUT_FAULT && at < size; at += step) {
        size_t       piece = size - at < step ? size - at : step;
        shunt_result one = shunt_validator_feed(v, message + at, piece, false);
        if (one > result) result = one;
    }
    if (result <= SHUNT_INPUT_FAULT) {
        shunt_result one = shunt_validator_feed(v, NULL, 0, true);
        if (one > result) result = one;
    }
    shunt_validator_free(v);
    return result;
}

static void *allocate(void *context, size_t size) { return ((struct test_memory *)context)->memory.allocate(context, size); }
static void *resize(void *context, void *block, size_t size)
{
    return ((struct test_memory *)context)->memory.resize(context, block, size);
}
static void release(void *context, void *block) { ((struct test_memory *)context)->memory.release(context, block); }

shunt_allocator test_allocator(struct test_memory *memory) { return (shunt_allocator){ allocate, resize, release, memory }; }

void test_validate_without_memory(const char *message, const char *snip, size_t stride)
{
    for (size_t n = 1;; n += n < 12 ? 1 : stride) {
        struct test_memory memory;
        test_text          out = { 0 }, answer = { 0 };
        test_memory_init(&memory, n);
        shunt_allocator allocator = test_allocator(&memory);
        shunt_result    result = test_validate(message, snip, NULL, &allocator, 100, &out, &answer);
        ck_assert_uint_eq(memory.blocks, 0);
        free(out.bytes), free(answer.bytes);
        if (memory.calls < n) {
            ck_assert_int_eq(result, SHUNT_INPUT_FAULT);
            return;
        }
        ck_assert_int_eq(result, SHUNT_SYSTEM_FAULT);
    }
}
