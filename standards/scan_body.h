/* scan_body.h - the loop that kernels share. A kernel gives SCAN_FUNCTION its constants, its comparison of 64 bytes and its count
 * of trailing zeros, whose answer for 0 does not matter. */
#ifndef SHUNT_SCAN_BODY_H
#define SHUNT_SCAN_BODY_H

#include <string.h>

#include "standards/scan.h"

/* 64 bytes: bit k is byte k. */
typedef struct scan_masks {
    uint64_t marks, terminator, odd;
} scan_masks;

enum { SCAN_AT_ONCE = 6 }; /* more terminators than this in 64 bytes are rare */

/* `index` is a copy of the caller's own, which no store can reach. */
static SHUNT_INLINE void scan_block(shunt_index *index, uint32_t at, scan_masks m, uint64_t valid, unsigned (*lowest)(uint64_t))
{
    uint32_t *ends = index->ends + index->end_count;
    uint64_t  rest = m.terminator & valid;
    unsigned  found = (unsigned)__builtin_popcountll(rest);
    index->map[at / 64] = (shunt_scan_word){ m.marks & valid, m.odd & ~m.marks & valid };
    for (unsigned i = 0; i < SCAN_AT_ONCE; i++, rest &= rest - 1) ends[i] = at + lowest(rest);
    for (unsigned i = SCAN_AT_ONCE; SHUNT_UNLIKELY(i < found); i++, rest &= rest - 1) ends[i] = at + lowest(rest);
    index->end_count += found;
}

#define SCAN_FUNCTION(name, masks_type, prepare, compare, lowest)                                                                \
    static void name(const uint8_t *bytes, size_t size, const shunt_delims *delims, shunt_index *out)                            \
    {                                                                                                                            \
        masks_type  constants = prepare(delims);                                                                                 \
        shunt_index index = { .map = out->map, .ends = out->ends };                                                              \
        size_t      at = 0;                                                                                                      \
        for (; at + 64 <= size; at += 64)                                                                                        \
            scan_block(&index, (uint32_t)at, compare(bytes + at, &constants), ~UINT64_C(0), lowest);                             \
        if (at < size) {                                                                                                         \
            uint8_t tail[64] = { 0 };                                                                                            \
            memcpy(tail, bytes + at, size - at);                                                                                 \
            scan_block(&index, (uint32_t)at, compare(tail, &constants), (UINT64_C(1) << (size - at)) - 1, lowest);               \
        }                                                                                                                        \
        out->end_count = index.end_count;                                                                                        \
    }

#define SPREAD_FUNCTION(name, lowest)                                                                                            \
    static void name(uint64_t bits, uint32_t count, uint32_t *to)                                                                \
    {                                                                                                                            \
        for (uint32_t done = 0; done < count; done += 8)                                                                         \
            for (uint32_t i = 0; i < 8; i++, bits &= bits - 1) to[done + i] = lowest(bits);                                      \
    }

#endif
