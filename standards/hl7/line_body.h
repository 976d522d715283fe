/* line_body.h - the loops that kernels share. A kernel gives LINE_FUNCTIONS its constants, its comparison of 64 bytes, and its count of
 * trailing zeros, whose answer for 0 does not matter. */
#ifndef SHUNT_HL7_LINE_BODY_H
#define SHUNT_HL7_LINE_BODY_H

#include <string.h>

#include "standards/hl7/line.h"

/* 64 bytes: bit k is byte k. */
typedef struct line_masks {
    uint64_t field, repetition, odd, stop;
} line_masks;

/* The numbers of the set bits, plus `base`; most blocks have at most eight. */
static inline __attribute__((always_inline)) void line_offsets(uint32_t *out, uint64_t bits, unsigned count, uint32_t base,
                                                               unsigned (*lowest)(uint64_t))
{
    for (unsigned i = 0; i < 8; i++, bits &= bits - 1) out[i] = base + lowest(bits);
    if (count > 8)
        for (unsigned i = 8; i < 16; i++, bits &= bits - 1) out[i] = base + lowest(bits);
    for (unsigned i = 16; SHUNT_UNLIKELY(i < count); i++, bits &= bits - 1) out[i] = base + lowest(bits);
}

#define LINE_FUNCTIONS(name, constants_type, prepare, compare, below_blank, lowest)                                              \
    static void name##_mark(const uint8_t *bytes, uint32_t from, uint32_t to, const shunt_hl7_signs *signs, shunt_hl7_marks *m)  \
    {                                                                                                                            \
        constants_type with = prepare(signs);                                                                                    \
        uint32_t      *out = m->offsets;                                                                                         \
        uint64_t      *odd = m->odd, repetitions = 0;                                                                            \
        m->end = to;                                                                                                             \
        for (uint32_t at = from; at < to; at += 64) {                                                                            \
            uint64_t   valid = ~UINT64_C(0);                                                                                     \
            line_masks k;                                                                                                        \
            if (SHUNT_LIKELY(to - at >= 64)) {                                                                                   \
                k = compare(bytes + at, &with);                                                                                  \
            } else {                                                                                                             \
                uint8_t tail[64] = { 0 };                                                                                        \
                memcpy(tail, bytes + at, to - at);                                                                               \
                k = compare(tail, &with);                                                                                        \
                valid = (UINT64_C(1) << (to - at)) - 1;                                                                          \
            }                                                                                                                    \
            k.stop &= valid;                                                                                                     \
            valid &= (k.stop & -k.stop) - 1; /* all of them where nothing stops */                                               \
            k.field &= valid;                                                                                                    \
            unsigned count = (unsigned)__builtin_popcountll(k.field);                                                            \
            line_offsets(out, k.field, count, at + 1, lowest);                                                                   \
            out += count;                                                                                                        \
            *odd++ = k.odd;                                                                                                      \
            repetitions |= k.repetition & valid;                                                                                 \
            if (!k.stop) continue;                                                                                               \
            m->end = at + lowest(k.stop);                                                                                        \
            break;                                                                                                               \
        }                                                                                                                        \
        m->count = (uint32_t)(out - m->offsets);                                                                                 \
        m->repeated = repetitions != 0;                                                                                          \
    }                                                                                                                            \
    static size_t name##_control(const uint8_t *bytes, size_t from, size_t size)                                                 \
    {                                                                                                                            \
        size_t at = from;                                                                                                        \
        for (; size - at >= 64; at += 64) {                                                                                      \
            uint64_t found = below_blank(bytes + at);                                                                            \
            if (found) return at + lowest(found);                                                                                \
        }                                                                                                                        \
        while (at < size && bytes[at] >= ' ') at++;                                                                              \
        return at;                                                                                                               \
    }

#endif
