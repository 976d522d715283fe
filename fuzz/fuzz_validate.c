/* fuzz_validate.c - any definition and any message: no crash, and the same findings and answers whole or in pieces. Byte 0: size of the
 * pieces; then the text of a definition up to a zero byte; the rest is the message. A definition that is fine is validated against as well,
 * which takes a plan of its own; the guides of the build have theirs made once. */
#include <stdlib.h>

#include "dsl/plan_maker.h"
#include "standards/definition.h"
#include "standards/x12/ack.h"
#include "standards/x12/reader.h"

enum { GUIDES = 4 };
static const shunt_guide *guides[GUIDES];
static shunt_plan         plan;
static shunt_arena       *arena;

static void make(void)
{
    static const char *const wanted[GUIDES][2] = {
        { "837", "005010X222A1" }, { "835", "005010X221A1" }, { "850", "004010" }, { "856", "004010" }
    };
    arena = shunt_arena_new(&shunt_memory_libc, 0);
    if (!arena) abort();
    for (int i = 0; i < GUIDES; i++) {
        guides[i] = shunt_guide_find(SHUNT_STANDARD_X12, shunt_text_of(wanted[i][0]), shunt_text_of(wanted[i][1]));
        if (!guides[i]) abort();
    }
    if (shunt_plan_make(arena, guides, GUIDES, NULL, 0, &plan) != SHUNT_OK) abort();
}

/* Findings and answers as bytes. */
static void validate(const shunt_plan *with, const shunt_guide *const *of, const shunt_conditions *conditions,
                     const uint8_t *input, size_t size, size_t step, shunt_buffer *out)
{
    shunt_x12_validate_options options = { .snips = 0x3e, .conditions = conditions };
    shunt_x12_ack_options      answer = { .date = "20250301", .time = "1200" };
    shunt_buffer               answers;
    shunt_buffer_init(&answers, &shunt_memory_libc);
    shunt_reader        *reader = shunt_x12_reader_new(&shunt_memory_libc, with, NULL);
    shunt_x12_validator *v = shunt_x12_validator_new(&shunt_memory_libc, with, of, &options);
    shunt_x12_ack       *ack = shunt_x12_ack_new(&shunt_memory_libc, &answer, &answers);
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
        if (shunt_x12_validator_see(v, &e) != SHUNT_OK) abort();
        const shunt_x12_finding *found = shunt_x12_findings(v, &count);
        for (uint32_t i = 0; i < count; i++) {
            if (found[i].value_length > X12_VALUE_KEPT) abort();
            shunt_buffer_format(out, "%d %llu %u %u %u %.3s %s\n", (int)found[i].code, (unsigned long long)found[i].place.byte,
                                found[i].place.segment, found[i].place.element, found[i].place.component, found[i].id,
                                found[i].detail);
        }
        if (shunt_x12_ack_see(ack, &e, found, count) != SHUNT_OK) abort();
    }
    shunt_buffer_add(out, answers.bytes, answers.length);
    shunt_x12_ack_free(ack);
    shunt_x12_validator_free(v);
    reader->ops->free(reader);
    shunt_buffer_done(&answers);
}

static void compare(const shunt_plan *with, const shunt_guide *const *of, const shunt_conditions *conditions,
                    const uint8_t *input, size_t size, size_t step)
{
    shunt_buffer whole, cut;
    shunt_buffer_init(&whole, &shunt_memory_libc);
    shunt_buffer_init(&cut, &shunt_memory_libc);
    validate(with, of, conditions, input, size, size ? size : 1, &whole);
    validate(with, of, conditions, input, size, step, &cut);
    if (whole.length != cut.length || (cut.length && memcmp(whole.bytes, cut.bytes, cut.length) != 0)) abort();
    shunt_buffer_done(&whole);
    shunt_buffer_done(&cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    if (!arena) make();
    size_t         step = data[0] ? data[0] : 256;
    const uint8_t *zero = memchr(data + 1, 0, size - 1), *message = zero ? zero + 1 : data + 1;
    size_t         length = (size_t)(data + size - message);
    compare(&plan, guides, NULL, message, length, step);
    if (!zero) return 0;
    static shunt_definition_set set;
    shunt_definition_fault      fault;
    shunt_arena                *own = shunt_arena_new(&shunt_memory_libc, 64 << 20);
    shunt_plan                  site;
    set.count = 0;
    if (!own) abort();
    if (shunt_definition_read(own, (shunt_text){ (const char *)data + 1, (uint32_t)(zero - data - 1) }, &set, &fault) ==
            SHUNT_OK &&
        shunt_plan_make(own, &set.items[0].guide, 1, NULL, 0, &site) == SHUNT_OK &&
        shunt_plan_valid(&site, &(const char *){ NULL }))
        compare(&site, &set.items[0].guide, &set.items[0].conditions, message, length, step);
    shunt_arena_free(own);
    return 0;
}
