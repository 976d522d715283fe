/* The AVX-512 twin of scan.c: positions are compressed out of a vector of numbers, so that no branch depends on how many terminators a
 * block holds. Compiled with -mavx512vbmi2 and friends, called only where the processor has them. */
#include "standards/scan_kernels.h"

#if defined(__x86_64__) && defined(__AVX512VBMI2__) && defined(__AVX512BW__)
#include <immintrin.h>

static const _Alignas(64) uint8_t all_numbers[64] = {
    0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
    22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
    44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63,
};

typedef struct constants {
    __m512i element, terminator, component, repetition, odd, numbers;
} constants;

/* `index` is a copy of the caller's own, which no store can reach. */
static SHUNT_INLINE void block(shunt_index *index, const constants *k, __m512i bytes, uint64_t valid, uint32_t at)
{
    uint32_t *ends = index->ends + index->end_count;
    uint64_t  terminator = _mm512_cmpeq_epi8_mask(bytes, k->terminator) & valid,
             marks = (_mm512_cmpeq_epi8_mask(bytes, k->element) & valid) | terminator,
             odd = _mm512_cmpeq_epi8_mask(bytes, k->component) | _mm512_cmpeq_epi8_mask(bytes, k->repetition) |
                   _mm512_cmple_epu8_mask(bytes, k->odd);
    unsigned found = (unsigned)_mm_popcnt_u64(terminator);
    index->map[at / 64] = (shunt_scan_word){ marks, odd & ~marks & valid };
    __m512i numbers = _mm512_maskz_compress_epi8(terminator, k->numbers), all = _mm512_set1_epi32((int)at);
    for (unsigned done = 0; done == 0 || SHUNT_UNLIKELY(done < found); done += 16) {
        _mm512_storeu_si512(ends + done, _mm512_add_epi32(all, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(numbers))));
        numbers = _mm512_alignr_epi64(numbers, numbers, 2);
    }
    index->end_count += found;
}

static void scan_avx512(const uint8_t *bytes, size_t size, const shunt_delims *d, shunt_index *out)
{
    constants   k = { _mm512_set1_epi8((char)d->element),   _mm512_set1_epi8((char)d->terminator),
                      _mm512_set1_epi8((char)d->component), _mm512_set1_epi8((char)d->repetition),
                      _mm512_set1_epi8(SHUNT_SCAN_ODD),     _mm512_load_si512(all_numbers) };
    shunt_index index = { .map = out->map, .ends = out->ends };
    size_t      at = 0;
    for (; at + 64 <= size; at += 64) block(&index, &k, _mm512_loadu_si512(bytes + at), ~UINT64_C(0), (uint32_t)at);
    if (at < size) {
        uint64_t valid = (UINT64_C(1) << (size - at)) - 1;
        block(&index, &k, _mm512_maskz_loadu_epi8(valid, bytes + at), valid, (uint32_t)at);
    }
    out->end_count = index.end_count;
}

static void spread_avx512(uint64_t bits, uint32_t count, uint32_t *to)
{
    __m512i numbers = _mm512_maskz_compress_epi8(bits, _mm512_load_si512(all_numbers));
    for (uint32_t done = 0; done == 0 || SHUNT_UNLIKELY(done < count); done += 16) {
        _mm512_storeu_si512(to + done, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(numbers)));
        numbers = _mm512_alignr_epi64(numbers, numbers, 2);
    }
}

static bool usable(void)
{
    return __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}

const shunt_scan_kernel shunt_scan_avx512 = { "avx512", usable, scan_avx512, spread_avx512 };
#else
static bool             never(void) { return false; }
const shunt_scan_kernel shunt_scan_avx512 = { "avx512", never, NULL, NULL };
#endif
