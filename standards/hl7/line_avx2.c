/* The AVX2 twin of line.c; compiled with -mavx2 and friends, called only where the processor has them. */
#include "standards/hl7/line.h"

#if defined(__x86_64__) && defined(__AVX2__)
#include <immintrin.h>

#include "standards/hl7/line_body.h"

typedef struct constants {
    __m256i field, component, repetition, escape, subcomponent, most;
    bool    stops;
} constants;

static inline __attribute__((always_inline)) constants prepare(const shunt_hl7_signs *s)
{
    return (constants){ _mm256_set1_epi8((char)s->field),
                        _mm256_set1_epi8((char)s->component),
                        _mm256_set1_epi8((char)s->repetition),
                        _mm256_set1_epi8((char)s->escape),
                        _mm256_set1_epi8((char)s->subcomponent),
                        _mm256_set1_epi8((char)(s->stop - 1)),
                        s->stop != 0 };
}

static inline __attribute__((always_inline)) uint64_t bits(__m256i mask) { return (uint32_t)_mm256_movemask_epi8(mask); }

static inline __attribute__((always_inline)) line_masks compare(const uint8_t *bytes, const constants *c)
{
    line_masks m = { 0 };
    for (unsigned i = 0; i < 64; i += 32) {
        __m256i v = _mm256_loadu_si256((const void *)(bytes + i)), repetition = _mm256_cmpeq_epi8(v, c->repetition);
        __m256i parts = _mm256_or_si256(_mm256_or_si256(_mm256_cmpeq_epi8(v, c->component), _mm256_cmpeq_epi8(v, c->escape)),
                                        _mm256_or_si256(_mm256_cmpeq_epi8(v, c->subcomponent), repetition));
        m.field |= bits(_mm256_cmpeq_epi8(v, c->field)) << i;
        m.repetition |= bits(repetition) << i;
        m.odd |= bits(_mm256_or_si256(parts, v)) << i; /* the highest bit of a byte says that it is not ASCII */
        m.stop |= bits(_mm256_cmpeq_epi8(_mm256_min_epu8(v, c->most), v)) << i;
    }
    if (!c->stops) m.stop = 0;
    return m;
}

static inline __attribute__((always_inline)) uint64_t below_blank(const uint8_t *bytes)
{
    const __m256i most = _mm256_set1_epi8(0x1f);
    __m256i       a = _mm256_loadu_si256((const void *)bytes), b = _mm256_loadu_si256((const void *)(bytes + 32));
    return bits(_mm256_cmpeq_epi8(_mm256_min_epu8(a, most), a)) | bits(_mm256_cmpeq_epi8(_mm256_min_epu8(b, most), b)) << 32;
}

static inline __attribute__((always_inline)) unsigned lowest(uint64_t word) { return (unsigned)_tzcnt_u64(word); }

LINE_FUNCTIONS(avx2, constants, prepare, compare, below_blank, lowest)

static bool usable(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("popcnt");
}

const shunt_hl7_line_kernel shunt_hl7_line_avx2 = { "avx2", usable, avx2_mark, avx2_control };
#else
static bool                 never(void) { return false; }
const shunt_hl7_line_kernel shunt_hl7_line_avx2 = { "avx2", never, NULL, NULL };
#endif
