/* fuzz_validate_hl7.c - any HL7 message: no crash, the same findings and answers whole or in pieces, findings that are safe to print, and
 * answers in which nothing of the message begins a segment: each segment is one that an answer has. Byte 0: size of the pieces. */
#include <stdlib.h>

#include "standards/hl7/ack.h"
#include "standards/hl7/reader.h"

static bool safe(const char *text)
{
    for (; *text; text++)
        if ((uint8_t)*text < ' ' || *text == 0x7f) return false;
    return true;
}

static void judge_answers(const shunt_buffer *answers)
{
    static const char *const known[] = { "MSH", "MSA", "ERR", "FHS", "BHS", "BTS", "FTS" };
    for (size_t at = 0; at < answers->length;) {
        const char *bytes = answers->bytes + at, *end = memchr(bytes, '\r', answers->length - at);
        bool        fits = false;
        if (!end || end - bytes < 3) abort();
        for (size_t i = 0; i < SHUNT_COUNT(known); i++) fits = fits || memcmp(bytes, known[i], 3) == 0;
        if (!fits) abort();
        for (const char *c = bytes; c < end; c++)
            if ((uint8_t)*c < ' ' || *c == 0x7f) abort();
        at += (size_t)(end - bytes) + 1;
    }
}

static void validate(const uint8_t *input, size_t size, size_t step, shunt_buffer *out)
{
    static const shunt_plan    nothing;
    shunt_hl7_validate_options rules = { .levels = 0x3e };
    shunt_hl7_options          options = { .display = true };
    shunt_hl7_ack_options      answer = { .made_at = "20250301120000" };
    shunt_buffer               answers;
    shunt_buffer_init(&answers, &shunt_memory_libc);
    shunt_reader        *reader = shunt_hl7_reader_new(&shunt_memory_libc, &nothing, &options);
    shunt_hl7_validator *v = shunt_hl7_validator_new(&shunt_memory_libc, NULL, &rules);
    shunt_hl7_ack       *ack = shunt_hl7_ack_new(&shunt_memory_libc, &answer, &answers);
    size_t               at = 0;
    if (!reader || !v || !ack) abort();
    for (shunt_step s = SHUNT_STEP_NEED_INPUT; s != SHUNT_STEP_END && s != SHUNT_STEP_FAILED;) {
        shunt_event e;
        uint32_t    count;
        s = reader->ops->next(reader, &e);
        if (s == SHUNT_STEP_NEED_INPUT) {
            size_t piece = size - at < step ? size - at : step;
            at += piece;
            reader->ops->feed(reader, input + at - piece, piece, at == size);
            continue;
        }
        if (shunt_hl7_validator_see(v, &e) != SHUNT_OK) abort();
        const shunt_hl7_finding *found = shunt_hl7_findings(v, &count);
        for (uint32_t i = 0; i < count; i++) {
            if (found[i].value_length > HL7_VALUE_KEPT || !safe(found[i].detail)) abort();
            shunt_buffer_format(out, "%d %llu %u %u %u %.3s %s\n", (int)found[i].code, (unsigned long long)found[i].place.byte,
                                found[i].place.segment, found[i].place.element, found[i].place.component, found[i].id,
                                found[i].detail);
        }
        if (shunt_hl7_ack_see(ack, &e, found, count) != SHUNT_OK) abort();
    }
    judge_answers(&answers);
    shunt_buffer_add(out, answers.bytes, answers.length);
    shunt_hl7_ack_free(ack);
    shunt_hl7_validator_free(v);
    reader->ops->free(reader);
    shunt_buffer_done(&answers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    shunt_buffer whole, cut;
    shunt_buffer_init(&whole, &shunt_memory_libc);
    shunt_buffer_init(&cut, &shunt_memory_libc);
    validate(data + 1, size - 1, size, &whole);
    validate(data + 1, size - 1, data[0] ? data[0] : 256, &cut);
    if (whole.length != cut.length || (cut.length && memcmp(whole.bytes, cut.bytes, cut.length) != 0)) abort();
    shunt_buffer_done(&whole);
    shunt_buffer_done(&cut);
    return 0;
}
