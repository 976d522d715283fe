/* bytes.h - what stands in a run of bytes: classes of 64 at a time, characters of UTF-8, escapes of JSON, a hash of names.
 * Pure functions. */
#ifndef SHUNT_FHIR_BYTES_H
#define SHUNT_FHIR_BYTES_H

#include "engine/base/status.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include <string.h>

/* Bit k: byte k is a quote, a backslash, of 0x80 and above, below 0x20, a vertical tab or form feed. */
typedef struct shunt_marks {
    uint64_t quote, slash, high, control, feed;
} shunt_marks;

static inline void shunt_marks_of(const uint8_t bytes[static 64], shunt_marks *m)
{
    *m = (shunt_marks){ 0 };
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), last = _mm_set1_epi8(0x1f), tab = _mm_set1_epi8('\v'),
                  feed = _mm_set1_epi8('\f');
    for (unsigned i = 0; i < 4; i++) {
        __m128i  b = _mm_loadu_si128((const __m128i *)(const void *)(bytes + i * 16));
        unsigned shift = i * 16;
        m->quote |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(b, quote)) << shift;
        m->slash |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(b, slash)) << shift;
        m->high |= (uint64_t)(uint32_t)_mm_movemask_epi8(b) << shift;
        m->control |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(b, last), b)) << shift;
        m->feed |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(b, tab), _mm_cmpeq_epi8(b, feed))) << shift;
    }
#else
    for (unsigned i = 0; i < 64; i++) {
        uint64_t bit = UINT64_C(1) << i;
        uint8_t  c = bytes[i];
        if (c == '"') m->quote |= bit;
        if (c == '\\') m->slash |= bit;
        if (c >= 0x80) m->high |= bit;
        if (c < 0x20) m->control |= bit;
        if (c == '\v' || c == '\f') m->feed |= bit;
    }
#endif
}

/* Bit k of the result: an odd number of bits 0..k is set. */
static inline uint64_t shunt_prefix_xor(uint64_t bits)
{
    for (unsigned shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
    return bits;
}

/* Bytes of the UTF-8 character that begins here. 0: `left` bytes are not enough to tell, or `*bad` says why not. */
static inline size_t shunt_character_length(const uint8_t *at, size_t left, bool *bad)
{
    uint8_t c = at[0], low = 0x80, high = 0xbf;
    size_t  length = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    if (c < 0x80) return 1;
    *bad = c < 0xc2 || c > 0xf4;
    if (*bad || left < 2) return 0;
    if (c == 0xe0) low = 0xa0;
    if (c == 0xed) high = 0x9f;
    if (c == 0xf0) low = 0x90;
    if (c == 0xf4) high = 0x8f;
    *bad = at[1] < low || at[1] > high;
    for (size_t i = 2; !*bad && i < length && i < left; i++) *bad = (at[i] & 0xc0) != 0x80;
    return *bad || left < length ? 0 : length;
}

/* Bytes of the JSON escape that begins here with a backslash, a pair of surrogates taken as one. As above. */
size_t shunt_escape_length(const uint8_t *at, size_t left, bool *bad);
/* Takes the escapes out of what passed the checks; in place. The new length. */
size_t shunt_unescape(char *bytes, size_t length);
/* First byte that is no well-formed UTF-8, or that is not complete; `size` where there is none. */
size_t shunt_utf8_good(const uint8_t *bytes, size_t size, bool *bad);

/* White space, brackets, comma, colon, quote: what a number or word of JSON ends at. */
static inline bool shunt_json_delimiter(uint8_t c)
{
    switch (c) {
    case ' ':
    case '\t':
    case '\r':
    case '\n':
    case '{':
    case '}':
    case '[':
    case ']':
    case ':':
    case ',':
    case '"': return true;
    default: return false;
    }
}

/* Of a name within an object: two names with one hash count as the same name. */
static inline uint64_t shunt_bytes_hash(const uint8_t *bytes, size_t length)
{
    uint64_t hash = length * UINT64_C(0x9e3779b97f4a7c15) + 1, word = 0;
    uint32_t low, high;
    size_t   left = length;
    for (; left > 8; bytes += 8, left -= 8) {
        memcpy(&word, bytes, 8);
        hash = (hash ^ word) * UINT64_C(0xff51afd7ed558ccd);
        hash ^= hash >> 32;
    }
    if (length >= 8) { /* the last eight bytes, some of them for the second time */
        memcpy(&word, bytes + left - 8, 8);
    } else if (length >= 4) {
        memcpy(&low, bytes, 4);
        memcpy(&high, bytes + length - 4, 4);
        word = (uint64_t)high << 32 | low;
    } else if (length) {
        word = (uint64_t)bytes[0] << 16 | (uint64_t)bytes[length / 2] << 8 | bytes[length - 1];
    }
    hash = (hash ^ word) * UINT64_C(0xff51afd7ed558ccd);
    hash = (hash ^ hash >> 32) * UINT64_C(0xc4ceb9fe1a85ec53);
    return hash ^ hash >> 29;
}

#endif
