#include "standards/scan.h"

#include "standards/scan_body.h"
#include "standards/scan_kernels.h"

static inline __attribute__((always_inline)) unsigned lowest(uint64_t bits)
{
    return (unsigned)__builtin_ctzll(bits | UINT64_C(1) << 63);
}

#ifdef __SSE2__
#include <emmintrin.h>

typedef struct sse2_constants {
    __m128i element, terminator, component, repetition, odd;
} sse2_constants;

static inline __attribute__((always_inline)) sse2_constants sse2_prepare(const shunt_delims *d)
{
    return (sse2_constants){ _mm_set1_epi8((char)d->element), _mm_set1_epi8((char)d->terminator),
                             _mm_set1_epi8((char)d->component), _mm_set1_epi8((char)d->repetition),
                             _mm_set1_epi8(SHUNT_SCAN_ODD) };
}

static inline __attribute__((always_inline)) uint64_t sse2_bits(__m128i which) { return (uint32_t)_mm_movemask_epi8(which); }

static inline __attribute__((always_inline)) scan_masks sse2_compare(const uint8_t *bytes, const sse2_constants *c)
{
    scan_masks m = { 0 };
    for (unsigned i = 0; i < 64; i += 16) {
        __m128i v = _mm_loadu_si128((const void *)(bytes + i)), t = _mm_cmpeq_epi8(v, c->terminator);
        m.marks |= sse2_bits(_mm_or_si128(_mm_cmpeq_epi8(v, c->element), t)) << i;
        m.terminator |= sse2_bits(t) << i;
        __m128i part = _mm_or_si128(_mm_cmpeq_epi8(v, c->component), _mm_cmpeq_epi8(v, c->repetition));
        m.odd |= sse2_bits(_mm_or_si128(part, _mm_cmpeq_epi8(_mm_min_epu8(v, c->odd), v))) << i;
    }
    return m;
}

SCAN_FUNCTION(scan_sse2, sse2_constants, sse2_prepare, sse2_compare, lowest)
#endif

/* Plain C: eight bytes in a word. */
typedef struct plain_constants {
    uint64_t element, terminator, component, repetition;
} plain_constants;

static const uint64_t ONES = UINT64_C(0x0101010101010101);

static inline plain_constants plain_prepare(const shunt_delims *d)
{
    return (plain_constants){ ONES * d->element, ONES * d->terminator, ONES * d->component, ONES * d->repetition };
}

/* Bit k = byte k of the word is zero. */
static inline uint64_t zero_bytes(uint64_t word)
{
    const uint64_t low7 = UINT64_C(0x7f7f7f7f7f7f7f7f);
    uint64_t       high = ~(((word & low7) + low7) | word | low7); /* 0x80 in each zero byte, exact: no carry leaves a byte */
    return (high >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

static inline uint64_t load_word(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* Bit k = byte k of the word is odd. */
static inline uint64_t odd_bytes(uint64_t word)
{
    uint64_t above = ((word & ONES * 0x7f) + ONES * (0x7f - SHUNT_SCAN_ODD)) | word; /* 0x80 in each byte that is not */
    return (~above >> 7 & ONES) * UINT64_C(0x0102040810204080) >> 56;
}

static inline scan_masks plain_compare(const uint8_t *bytes, const plain_constants *c)
{
    scan_masks m = { 0 };
    for (unsigned i = 0; i < 64; i += 8) {
        uint64_t word = load_word(bytes + i), t = zero_bytes(word ^ c->terminator);
        m.marks |= (zero_bytes(word ^ c->element) | t) << i;
        m.terminator |= t << i;
        m.odd |= (zero_bytes(word ^ c->component) | zero_bytes(word ^ c->repetition) | odd_bytes(word)) << i;
    }
    return m;
}

SCAN_FUNCTION(scan_plain, plain_constants, plain_prepare, plain_compare, lowest)

SPREAD_FUNCTION(spread_plain, lowest)

static bool always(void) { return true; }

static const shunt_scan_kernel plain = { "plain", always, scan_plain, spread_plain };
#ifdef __SSE2__
static const shunt_scan_kernel sse2 = { "sse2", always, scan_sse2, spread_plain };
#endif

const shunt_scan_kernel *const shunt_scan_kernels[] = {
#ifdef __SSE2__
    &shunt_scan_avx512,
    &shunt_scan_avx2,
    &sse2,
#endif
    &plain,
};
const size_t shunt_scan_kernel_count = SHUNT_COUNT(shunt_scan_kernels);

const shunt_scan_kernel *shunt_scan_best(void)
{
    for (size_t i = 0; i < shunt_scan_kernel_count; i++)
        if (shunt_scan_kernels[i]->usable()) return shunt_scan_kernels[i];
    return &plain;
}
