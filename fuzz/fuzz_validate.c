/* fuzz_validate.c - any definition and any message: no crash, and the same findings and answers whole or in pieces, the latter without
 * a byte that could add a segment. Byte 0: size of the pieces; then the text of a definition up to a zero byte; the rest is the message. */
#include <shunt/shunt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct text {
    char  *bytes;
    size_t length, room;
} text;

static bool append(void *context, const void *bytes, size_t size)
{
    text *t = context;
    if (t->room - t->length < size) {
        t->room = (t->length + size) * 2;
        t->bytes = realloc(t->bytes, t->room);
        if (!t->bytes) abort();
    }
    memcpy(t->bytes + t->length, bytes, size);
    t->length += size;
    return true;
}

static void validate(const shunt_definitions *definitions, const uint8_t *input, size_t size, size_t step, bool json, text *out,
                     text *answer)
{
    shunt_validate_options options = { .size = sizeof options,
                                       .snip = "5",
                                       .json = json,
                                       .acknowledge = append,
                                       .acknowledge_context = answer,
                                       .made_at = "2025-03-01T12:00:00Z",
                                       .definitions = definitions };
    shunt_validator       *v;
    if (shunt_validator_new(&options, append, out, &v, NULL) != SHUNT_DONE) abort();
    for (size_t at = 0; at < size; at += step) {
        size_t piece = size - at < step ? size - at : step;
        if (shunt_validator_feed(v, input + at, piece, false) > SHUNT_INPUT_FAULT) abort();
    }
    if (shunt_validator_feed(v, NULL, 0, true) > SHUNT_INPUT_FAULT) abort();
    shunt_validator_free(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    shunt_definitions *definitions;
    shunt_messages    *messages;
    text               whole = { 0 }, cut = { 0 }, whole_answer = { 0 }, cut_answer = { 0 };
    if (size < 2) return 0;
    size_t         step = data[0] ? data[0] : 256;
    const uint8_t *zero = memchr(data + 1, 0, size - 1), *message = zero ? zero + 1 : data + 1;
    size_t         length = (size_t)(data + size - message);
    if (shunt_definitions_new(NULL, &definitions) != SHUNT_DONE) abort();
    if (zero) {
        if (shunt_definitions_add(definitions, "fuzz", data + 1, (size_t)(zero - data - 1), &messages) > SHUNT_RULES_FAULT)
            abort();
        shunt_messages_free(messages);
    }
    validate(definitions, message, length, length ? length : 1, data[0] & 1, &whole, &whole_answer);
    validate(definitions, message, length, step, data[0] & 1, &cut, &cut_answer);
    if (whole.length != cut.length || memcmp(whole.bytes, cut.bytes, cut.length) != 0) abort();
    if (whole_answer.length != cut_answer.length ||
        (cut_answer.length && memcmp(whole_answer.bytes, cut_answer.bytes, cut_answer.length) != 0))
        abort();
    shunt_definitions_free(definitions);
    free(whole.bytes);
    free(cut.bytes);
    free(whole_answer.bytes);
    free(cut_answer.bytes);
    return 0;
}
