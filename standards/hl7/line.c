#include "standards/hl7/line.h"

#include "standards/hl7/line_body.h"

static inline __attribute__((always_inline)) unsigned lowest(uint64_t bits)
{
    return (unsigned)__builtin_ctzll(bits | UINT64_C(1) << 63);
}

#ifdef __SSE2__
#include <emmintrin.h>

typedef struct sse2_constants {
    __m128i field, component, repetition, escape, subcomponent, most;
    bool    stops;
} sse2_constants;

static inline __attribute__((always_inline)) sse2_constants sse2_prepare(const shunt_hl7_signs *s)
{
    return (sse2_constants){ _mm_set1_epi8((char)s->field),
                             _mm_set1_epi8((char)s->component),
                             _mm_set1_epi8((char)s->repetition),
                             _mm_set1_epi8((char)s->escape),
                             _mm_set1_epi8((char)s->subcomponent),
                             _mm_set1_epi8((char)(s->stop - 1)),
                             s->stop != 0 };
}

static inline __attribute__((always_inline)) uint64_t sse2_bits(__m128i mask) { return (unsigned)_mm_movemask_epi8(mask); }

static inline __attribute__((always_inline)) line_masks sse2_compare(const uint8_t *bytes, const sse2_constants *c)
{
    line_masks m = { 0 };
    for (unsigned i = 0; i < 64; i += 16) {
        __m128i v = _mm_loadu_si128((const void *)(bytes + i)), repetition = _mm_cmpeq_epi8(v, c->repetition);
        __m128i parts = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, c->component), _mm_cmpeq_epi8(v, c->escape)),
                                     _mm_or_si128(_mm_cmpeq_epi8(v, c->subcomponent), repetition));
        m.field |= sse2_bits(_mm_cmpeq_epi8(v, c->field)) << i;
        m.repetition |= sse2_bits(repetition) << i;
        m.odd |= sse2_bits(_mm_or_si128(parts, v)) << i; /* the highest bit of a byte says that it is not ASCII */
        m.stop |= sse2_bits(_mm_cmpeq_epi8(_mm_min_epu8(v, c->most), v)) << i;
    }
    if (!c->stops) m.stop = 0;
    return m;
}

static inline __attribute__((always_inline)) uint64_t sse2_below_blank(const uint8_t *bytes)
{
    const __m128i most = _mm_set1_epi8(0x1f);
    uint64_t      found = 0;
    for (unsigned i = 0; i < 64; i += 16) {
        __m128i v = _mm_loadu_si128((const void *)(bytes + i));
        found |= sse2_bits(_mm_cmpeq_epi8(_mm_min_epu8(v, most), v)) << i;
    }
    return found;
}

LINE_FUNCTIONS(sse2, sse2_constants, sse2_prepare, sse2_compare, sse2_below_blank, lowest)
#endif

/* Plain C, byte for byte. */
static inline shunt_hl7_signs plain_prepare(const shunt_hl7_signs *signs) { return *signs; }

static inline line_masks plain_compare(const uint8_t *bytes, const shunt_hl7_signs *s)
{
    line_masks m = { 0 };
    for (unsigned i = 0; i < 64; i++) {
        uint8_t  c = bytes[i];
        uint64_t repetition = c == s->repetition;
        m.field |= (uint64_t)(c == s->field) << i;
        m.repetition |= repetition << i;
        m.odd |= (uint64_t)(c == s->component || c == s->escape || c == s->subcomponent || repetition || c >= 0x80) << i;
        m.stop |= (uint64_t)(c < s->stop) << i;
    }
    return m;
}

static inline uint64_t plain_below_blank(const uint8_t *bytes)
{
    uint64_t found = 0;
    for (unsigned i = 0; i < 64; i++) found |= (uint64_t)(bytes[i] < ' ') << i;
    return found;
}

LINE_FUNCTIONS(plain, shunt_hl7_signs, plain_prepare, plain_compare, plain_below_blank, lowest)

static bool always(void) { return true; }

static const shunt_hl7_line_kernel plain = { "plain", always, plain_mark, plain_control };
#ifdef __SSE2__
static const shunt_hl7_line_kernel sse2 = { "sse2", always, sse2_mark, sse2_control };
#endif

const shunt_hl7_line_kernel *const shunt_hl7_line_kernels[] = {
#ifdef __SSE2__
    &shunt_hl7_line_avx512,
    &shunt_hl7_line_avx2,
    &sse2,
#endif
    &plain,
};
const size_t shunt_hl7_line_kernel_count = SHUNT_COUNT(shunt_hl7_line_kernels);

const shunt_hl7_line_kernel *shunt_hl7_line_best(void)
{
    for (size_t i = 0; i < shunt_hl7_line_kernel_count; i++)
        if (shunt_hl7_line_kernels[i]->usable()) return shunt_hl7_line_kernels[i];
    return &plain;
}
