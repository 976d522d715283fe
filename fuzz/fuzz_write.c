/* fuzz_write.c - segments of X12 and HL7 whose values are any bytes: nothing in a value ends an element or a segment or adds one, and what HL7
 * escapes reads as it was. Byte 0: standard, what becomes of separators in data, the separators; then values, each behind a byte that
 * says what it is: the next element, repetition, component, subcomponent, or segment. */
#include <stdlib.h>

#include "engine/base/write.h"
#include "standards/hl7/text.h"

enum { MOST = 64, ELEMENT = 0, REPETITION, COMPONENT, SUBCOMPONENT, SEGMENT, KINDS };

static const shunt_delims marks[] = {
    { .element = '*', .component = ':', .repetition = '^', .terminator = '~' },
    { .element = '|', .component = '>', .repetition = '^', .terminator = '\n' },
    { .element = '*', .component = ':', .terminator = '~' },
    { .element = '|', .component = '^', .repetition = '~', .escape = '\\', .subcomponent = '&', .terminator = '\r' },
    { .element = '$', .component = '!', .repetition = '%', .escape = '@', .subcomponent = '?', .terminator = '\r' },
    { .element = '|',
      .component = '^',
      .repetition = '~',
      .escape = '\\',
      .subcomponent = '&',
      .truncation = '#',
      .terminator = '\r' },
};
enum { FIRST_HL7 = 3 };

static uint32_t count_of(const shunt_buffer *b, size_t from, uint8_t byte)
{
    uint32_t count = 0;
    for (size_t i = from; byte && i < b->length; i++) count += (uint8_t)b->bytes[i] == byte;
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    shunt_buffer out, decoded;
    shunt_buffer_init(&out, &shunt_memory_libc);
    shunt_buffer_init(&decoded, &shunt_memory_libc);
    unsigned             set = data[0] % SHUNT_COUNT(marks);
    bool                 hl7 = set >= FIRST_HL7;
    shunt_segment_writer w = { .out = &out,
                               .delims = marks[set],
                               .in_data = hl7              ? SHUNT_DATA_ESCAPE
                                          : data[0] & 0x80 ? SHUNT_DATA_BLANK
                                                           : SHUNT_DATA_REFUSE };
    bool                 refused = false;
    uint32_t             segments = 1, due[SEGMENT] = { 0 }, owed[SEGMENT] = { 0 };
    shunt_write_segment(&w, SHUNT_TEXT("QZQ"));
    for (size_t at = 1; at < size;) {
        unsigned       kind = data[at++] % KINDS;
        const uint8_t *value = data + at;
        size_t         length = at < size ? value[0] % MOST : 0;
        if (at < size) at++, value++;
        if (length > size - at) length = size - at;
        at += length;
        switch (kind) {
        case ELEMENT: shunt_write_element(&w); break;
        case REPETITION: shunt_write_repetition(&w); break;
        case COMPONENT: shunt_write_component(&w); break;
        case SUBCOMPONENT: shunt_write_subcomponent(&w); break;
        default:
            shunt_write_end(&w);
            shunt_write_segment(&w, SHUNT_TEXT("QZQ"));
            segments++;
        }
        if (kind == SEGMENT) {
            memset(owed, 0, sizeof owed);
            continue;
        }
        owed[kind]++;
        for (unsigned deeper = kind + 1; deeper < SEGMENT; deeper++) owed[deeper] = 0;
        size_t before = out.length;
        refused = shunt_write_text(&w, (shunt_text){ (const char *)value, (uint32_t)length }) != SHUNT_OK;
        if (refused) break; /* nothing follows; what was owed before it may stand there */
        if (!length) continue;
        uint32_t passed = owed[0] + owed[1] + owed[2] + owed[3];
        for (unsigned k = 0; k < SEGMENT; k++) due[k] += owed[k], owed[k] = 0;
        if (!hl7) continue;
        shunt_text        text;
        shunt_hl7_charset charset = shunt_hl7_charset_find(SHUNT_TEXT("8859/1"));
        decoded.length = 0;
        if (shunt_hl7_decode((const uint8_t *)out.bytes + before + passed, (uint32_t)(out.length - before - passed), &w.delims,
                             charset, &decoded, &text) == HL7_DECODED_BAD)
            abort();
        bool ascii = true;
        for (size_t i = 0; i < length; i++) ascii = ascii && value[i] < 0x80;
        if (ascii && !shunt_text_equal(text, (shunt_text){ (const char *)value, (uint32_t)length })) abort();
    }
    const uint8_t of[SEGMENT] = { w.delims.element, w.delims.repetition, w.delims.component, w.delims.subcomponent };
    if (count_of(&out, 0, w.delims.terminator) != segments - 1) abort();
    for (unsigned k = 0; k < SEGMENT; k++)
        if (of[k] && !refused && count_of(&out, 0, of[k]) != due[k]) abort();
    shunt_buffer_done(&out);
    shunt_buffer_done(&decoded);
    return 0;
}
