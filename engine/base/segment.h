/* segment.h - the elements and components of a segment, as slices of its bytes. Inline and pure. Values still hold the line ends
 * of a wrapped file; whoever keeps or compares one looks at `line_ends`. */
#ifndef SHUNT_SEGMENT_H
#define SHUNT_SEGMENT_H

#include "engine/base/event.h"

/* Bytes [begin, end) of the segment. Empty = absent. */
typedef struct shunt_range {
    uint32_t begin, end;
} shunt_range;

/* Element k, 0 = the id, with its repetitions; empty where the segment is shorter. */
static inline shunt_range shunt_segment_element(const shunt_segment *segment, uint32_t k)
{
    if (k > segment->elements) return (shunt_range){ 0, 0 };
    return (shunt_range){ segment->offsets[k], segment->offsets[k + 1] - 1 };
}

enum { SHUNT_RANGE_SHORT = 32 }; /* bytes up to which words beat a call */

/* Eight bytes from `at` on, the first one lowest, zeros behind the end of the segment. */
static inline uint64_t shunt_segment_word(const shunt_segment *segment, uint32_t at)
{
    uint64_t word = 0;
    if (SHUNT_LIKELY(segment->length >= 8)) {
        uint32_t last = segment->length - 8;
        memcpy(&word, segment->bytes + (at < last ? at : last), 8);
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
        word = __builtin_bswap64(word);
#endif
        return at <= last ? word : at < segment->length ? word >> 8 * (at - last) : 0;
    }
    for (uint32_t i = at; i < segment->length; i++) word |= (uint64_t)segment->bytes[i] << 8 * (i - at);
    return word;
}

/* Up to 8 bytes of the range in a number, as in a plan. */
static inline uint64_t shunt_segment_pack(const shunt_segment *segment, shunt_range range)
{
    uint32_t length = range.end - range.begin;
    if (length == 0) return 0;
    uint64_t word = shunt_segment_word(segment, range.begin);
    return __builtin_bswap64(length >= 8 ? word : word & ~(UINT64_MAX << 8 * length));
}

/* The range up to the first `separator`, 0 = none. */
static inline shunt_range shunt_range_until(const shunt_segment *segment, shunt_range range, uint8_t separator)
{
    if (!separator || range.begin >= range.end) return range;
    if (range.end - range.begin <= SHUNT_RANGE_SHORT) {
        const uint64_t ones = UINT64_C(0x0101010101010101);
        for (uint32_t at = range.begin; at < range.end; at += 8) {
            uint64_t word = shunt_segment_word(segment, at) ^ ones * separator, found = (word - ones) & ~word & ones << 7;
            if (SHUNT_LIKELY(!found)) continue;
            at += (uint32_t)__builtin_ctzll(found) / 8; /* the lowest mark is a true one */
            return at < range.end ? (shunt_range){ range.begin, at } : range;
        }
        return range;
    }
    const uint8_t *found = (const uint8_t *)memchr(segment->bytes + range.begin, separator, range.end - range.begin);
    if (found) range.end = (uint32_t)(found - segment->bytes);
    return range;
}

/* Of the first repetition of element k: component c (1-based), or all of it where c is 0. */
static inline shunt_range shunt_segment_value(const shunt_segment *segment, const shunt_delims *delims, uint32_t k, uint32_t c)
{
    shunt_range range = shunt_range_until(segment, shunt_segment_element(segment, k), delims->repetition);
    if (c == 0) return range;
    if (!delims->component) return c == 1 ? range : (shunt_range){ 0, 0 };
    for (; c > 1; c--) {
        shunt_range one = shunt_range_until(segment, range, delims->component);
        if (one.end == range.end) return (shunt_range){ 0, 0 };
        range.begin = one.end + 1;
    }
    return shunt_range_until(segment, range, delims->component);
}

/* The value of component c of element k, packed. */
static inline uint64_t shunt_segment_pack_value(const shunt_segment *segment, const shunt_delims *delims, uint32_t k, uint32_t c)
{
    return shunt_segment_pack(segment, shunt_segment_value(segment, delims, k, c));
}

/* Eight bytes as a number, the first one lowest. */
static inline uint64_t shunt_first_eight(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, 8);
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* Up to eight bytes of a value, as in a plan: up to its end or the first byte that is one of the two. The eight bytes behind it can be
 * read. Without branches. */
static inline uint64_t shunt_pack_until(const uint8_t *bytes, uint32_t length, uint8_t first, uint8_t second)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t       word = shunt_first_eight(bytes);
    uint64_t       one = word ^ ones * first, two = word ^ ones * second;
    uint64_t       found = (((one - ones) & ~one) | ((two - ones) & ~two)) & ones << 7;
    unsigned       end = found ? (unsigned)__builtin_ctzll(found) / 8 : 8;
    if (length < end) end = length;
    return end ? __builtin_bswap64(word) & UINT64_MAX << (64 - 8 * end) : 0;
}

#endif
