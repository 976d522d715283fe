/* scan_body.h - the loop that kernels share. A kernel gives SCAN_FUNCTION its constants, its comparison of 64 bytes and its count
 * of trailing zeros, whose answer for 0 does not matter. */
#ifndef SHUNT_SCAN_BODY_H
#define SHUNT_SCAN_BODY_H

#include <string.h>

#include "standards/scan.h"

/* 64 bytes: bit k is byte k. */
typedef struct scan_masks {
    uint64_t element, terminator, component, line;
} scan_masks;

/* What is carried from block to block. */
typedef struct scan_carry {
    uint32_t *positions, *ends;
    uint32_t  count;
    bool      component, line; /* seen since the last terminator */
    uint64_t  decoration;      /* bits 0 and 1: the next bytes may be a line end behind a terminator */
} scan_carry;

static inline __attribute__((always_inline)) void scan_block(scan_carry *carry, uint32_t at, scan_masks m, uint64_t valid,
                                                             bool components, unsigned (*lowest)(uint64_t))
{
    m.element &= valid;
    m.terminator &= valid;
    m.component = components ? m.component & valid : 0;
    m.line &= valid & ~(m.element | m.terminator);

    /* A CR, LF or CRLF behind a terminator is decoration. */
    uint64_t first = (m.terminator << 1 | (carry->decoration & 1)) & m.line;
    uint64_t second = (first << 1 | (carry->decoration >> 1)) & m.line;
    uint64_t inner = m.line & ~(first | second);
    carry->decoration = m.terminator >> 63 | (first >> 63) << 1;

    uint64_t  both = m.element | m.terminator;
    unsigned  found = (unsigned)__builtin_popcountll(both);
    uint32_t *out = carry->positions + carry->count;
    uint64_t  rest = both;
    for (unsigned i = 0; i < 8; i++, rest &= rest - 1) out[i] = at + lowest(rest);
    if (found > 8)
        for (unsigned i = 8; i < 16; i++, rest &= rest - 1) out[i] = at + lowest(rest);
    for (unsigned i = 16; SHUNT_UNLIKELY(i < found); i++, rest &= rest - 1) out[i] = at + lowest(rest);

    uint64_t component = m.component;
    for (uint64_t t = m.terminator; t; t &= t - 1) {
        uint64_t below = (t & -t) - 1;
        bool     holds = carry->component || (component & below), breaks = carry->line || (inner & below);
        *carry->ends++ = (carry->count + (uint32_t)__builtin_popcountll(both & below)) | (holds ? SHUNT_END_COMPONENT : 0u) |
                         (breaks ? SHUNT_END_LINE : 0u);
        component &= ~below;
        inner &= ~below;
        carry->component = carry->line = false;
    }
    carry->component |= component != 0;
    carry->line |= inner != 0;
    carry->count += found;
}

#define SCAN_FUNCTION(name, masks_type, prepare, compare, lowest)                                                                \
    static void name(const uint8_t *bytes, size_t size, const shunt_delims *delims, shunt_index *index)                          \
    {                                                                                                                            \
        masks_type constants = prepare(delims);                                                                                  \
        bool       components = delims->component != 0;                                                                          \
        scan_carry carry = { .positions = index->positions, .ends = index->ends };                                               \
        size_t     at = 0;                                                                                                       \
        for (; at + 64 <= size; at += 64)                                                                                        \
            scan_block(&carry, (uint32_t)at, compare(bytes + at, &constants), ~UINT64_C(0), components, lowest);                 \
        if (at < size) {                                                                                                         \
            uint8_t tail[64] = { 0 };                                                                                            \
            memcpy(tail, bytes + at, size - at);                                                                                 \
            scan_block(&carry, (uint32_t)at, compare(tail, &constants), (UINT64_C(1) << (size - at)) - 1, components, lowest);   \
        }                                                                                                                        \
        index->position_count = carry.count;                                                                                     \
        index->end_count = (uint32_t)(carry.ends - index->ends);                                                                 \
    }

#endif
