/* The AVX2 twin of scan.c; compiled with -mavx2 and friends, called only where the processor has them. */
#include "standards/scan_kernels.h"

#if defined(__x86_64__) && defined(__AVX2__)
#include <immintrin.h>

#include "standards/scan_body.h"

typedef struct avx2_constants {
    __m256i element, terminator, component, repetition, odd;
} avx2_constants;

static inline __attribute__((always_inline)) avx2_constants prepare(const shunt_delims *d)
{
    return (avx2_constants){ _mm256_set1_epi8((char)d->element), _mm256_set1_epi8((char)d->terminator),
                             _mm256_set1_epi8((char)d->component), _mm256_set1_epi8((char)d->repetition),
                             _mm256_set1_epi8(SHUNT_SCAN_ODD) };
}

static inline __attribute__((always_inline)) uint64_t join(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

static inline __attribute__((always_inline)) __m256i is_odd(__m256i bytes, const avx2_constants *c)
{
    __m256i part = _mm256_or_si256(_mm256_cmpeq_epi8(bytes, c->component), _mm256_cmpeq_epi8(bytes, c->repetition));
    return _mm256_or_si256(part, _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, c->odd), bytes));
}

static inline __attribute__((always_inline)) scan_masks compare(const uint8_t *bytes, const avx2_constants *c)
{
    __m256i a = _mm256_loadu_si256((const void *)bytes), b = _mm256_loadu_si256((const void *)(bytes + 32));
    __m256i t = _mm256_cmpeq_epi8(a, c->terminator), u = _mm256_cmpeq_epi8(b, c->terminator);
    return (scan_masks){
        .marks = join(_mm256_or_si256(_mm256_cmpeq_epi8(a, c->element), t), _mm256_or_si256(_mm256_cmpeq_epi8(b, c->element), u)),
        .terminator = join(t, u),
        .odd = join(is_odd(a, c), is_odd(b, c)),
    };
}

static inline __attribute__((always_inline)) unsigned lowest(uint64_t bits) { return (unsigned)_tzcnt_u64(bits); }

SCAN_FUNCTION(scan_avx2, avx2_constants, prepare, compare, lowest)
SPREAD_FUNCTION(spread_avx2, lowest)

static bool usable(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("popcnt");
}

const shunt_scan_kernel shunt_scan_avx2 = { "avx2", usable, scan_avx2, spread_avx2 };
#else
static bool             never(void) { return false; }
const shunt_scan_kernel shunt_scan_avx2 = { "avx2", never, NULL, NULL };
#endif
