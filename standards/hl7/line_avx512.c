/* The AVX-512 twin of line.c: offsets are compressed out of a vector of numbers, so that no branch depends on how many fields a block holds.
 * Compiled with -mavx512vbmi2 and friends, called only where the processor has them. */
#include "standards/hl7/line.h"

#if defined(__x86_64__) && defined(__AVX512VBMI2__) && defined(__AVX512BW__)
#include <immintrin.h>

/* The numbers of the set bits, plus `base`, sixteen at a time; `count` of them, more are written. */
static inline __attribute__((always_inline)) void write_offsets(uint32_t *out, __m512i numbers, uint64_t bits, unsigned count,
                                                                uint32_t base)
{
    __m512i bytes = _mm512_maskz_compress_epi8(bits, numbers), all = _mm512_set1_epi32((int)base);
    _mm512_storeu_si512(out, _mm512_add_epi32(all, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(bytes))));
    if (SHUNT_LIKELY(count <= 16)) return;
    _mm512_storeu_si512(out + 16, _mm512_add_epi32(all, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(bytes, 1))));
    if (SHUNT_LIKELY(count <= 32)) return;
    _mm512_storeu_si512(out + 32, _mm512_add_epi32(all, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(bytes, 2))));
    _mm512_storeu_si512(out + 48, _mm512_add_epi32(all, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(bytes, 3))));
}

static void mark(const uint8_t *bytes, uint32_t from, uint32_t to, const shunt_hl7_signs *s, shunt_hl7_marks *m)
{
    static const uint8_t ascending[64] = { 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                           22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
                                           44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63 };
    const __m512i        numbers = _mm512_loadu_si512(ascending);
    const __m512i        field = _mm512_set1_epi8((char)s->field), component = _mm512_set1_epi8((char)s->component),
                  repetition = _mm512_set1_epi8((char)s->repetition), escape = _mm512_set1_epi8((char)s->escape),
                  subcomponent = _mm512_set1_epi8((char)s->subcomponent), stop = _mm512_set1_epi8((char)s->stop);
    uint32_t *out = m->offsets;
    uint64_t *odd = m->odd, repetitions = 0;
    m->end = to;
    for (uint32_t at = from; at < to; at += 64) {
        uint64_t valid = SHUNT_LIKELY(to - at >= 64) ? ~UINT64_C(0) : (UINT64_C(1) << (to - at)) - 1;
        __m512i  v = _mm512_maskz_loadu_epi8(valid, bytes + at);
        uint64_t stops = _mm512_cmplt_epu8_mask(v, stop) & valid, repeats = _mm512_cmpeq_epi8_mask(v, repetition);
        valid &= (stops & -stops) - 1; /* all of them where nothing stops */
        uint64_t fields = _mm512_cmpeq_epi8_mask(v, field) & valid;
        unsigned count = (unsigned)_mm_popcnt_u64(fields);
        write_offsets(out, numbers, fields, count, at + 1);
        out += count;
        *odd++ = _mm512_cmpeq_epi8_mask(v, component) | _mm512_cmpeq_epi8_mask(v, escape) |
                 _mm512_cmpeq_epi8_mask(v, subcomponent) | repeats | _mm512_movepi8_mask(v);
        repetitions |= repeats & valid;
        if (!stops) continue;
        m->end = at + (uint32_t)_tzcnt_u64(stops);
        break;
    }
    m->count = (uint32_t)(out - m->offsets);
    m->repeated = repetitions != 0;
}

static size_t control(const uint8_t *bytes, size_t from, size_t size)
{
    const __m512i blank = _mm512_set1_epi8(' ');
    for (size_t at = from; at < size; at += 64) {
        uint64_t valid = SHUNT_LIKELY(size - at >= 64) ? ~UINT64_C(0) : (UINT64_C(1) << (size - at)) - 1;
        uint64_t found = _mm512_cmplt_epu8_mask(_mm512_maskz_loadu_epi8(valid, bytes + at), blank) & valid;
        if (found) return at + (size_t)_tzcnt_u64(found);
    }
    return size;
}

static bool usable(void)
{
    return __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}

const shunt_hl7_line_kernel shunt_hl7_line_avx512 = { "avx512", usable, mark, control };
#else
static bool                 never(void) { return false; }
const shunt_hl7_line_kernel shunt_hl7_line_avx512 = { "avx512", never, NULL, NULL };
#endif
