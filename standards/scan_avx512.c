/* The AVX-512 twin of scan.c: positions and ranks are compressed out of a vector of numbers, so that no branch depends on how many
 * delimiters a block holds. Compiled with -mavx512vbmi2 and friends, called only where the processor has them. */
#include "standards/scan_kernels.h"

#if defined(__x86_64__) && defined(__AVX512VBMI2__) && defined(__AVX512BW__)
#include <immintrin.h>

typedef struct carry {
    uint32_t     *positions, *ends;
    uint32_t      count;
    unsigned char component, line; /* 1: seen since the last terminator */
    uint64_t      decoration;      /* bits 0 and 1: the next bytes may be a line end behind a terminator */
} carry;

typedef struct constants {
    __m512i element, terminator, component, cr, lf, numbers;
    bool    components;
} constants;

/* The numbers of the set bits, plus `base`, sixteen at a time; `count` of them, more are written. */
static inline __attribute__((always_inline)) void write_numbers(uint32_t *out, __m512i numbers, uint64_t bits, unsigned count,
                                                                uint32_t base)
{
    __m512i bytes = _mm512_maskz_compress_epi8(bits, numbers), all = _mm512_set1_epi32((int)base);
    _mm512_storeu_si512(out, _mm512_add_epi32(all, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(bytes))));
    _mm512_storeu_si512(out + 16, _mm512_add_epi32(all, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(bytes, 1))));
    if (SHUNT_LIKELY(count <= 32)) return;
    _mm512_storeu_si512(out + 32, _mm512_add_epi32(all, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(bytes, 2))));
    _mm512_storeu_si512(out + 48, _mm512_add_epi32(all, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(bytes, 3))));
}

/* Terminators whose segment holds a marked byte. Adding a mark to the run of ones that stands for the bytes of its segment carries
 * into the terminator behind the run, and out of the word where the segment goes on. */
static inline __attribute__((always_inline)) uint64_t marked(uint64_t marks, uint64_t terminator, unsigned char *seen)
{
    unsigned long long sum;
    *seen = _addcarry_u64(*seen, marks, ~terminator, &sum);
    return sum & terminator;
}

static inline __attribute__((always_inline)) void block(carry *c, const constants *k, __m512i bytes, uint64_t valid, uint32_t at)
{
    uint64_t terminator = _mm512_cmpeq_epi8_mask(bytes, k->terminator) & valid,
             both = (_mm512_cmpeq_epi8_mask(bytes, k->element) & valid) | terminator;
    uint64_t component = k->components ? _mm512_cmpeq_epi8_mask(bytes, k->component) & valid & ~both : 0;
    uint64_t line = (_mm512_cmpeq_epi8_mask(bytes, k->cr) | _mm512_cmpeq_epi8_mask(bytes, k->lf)) & valid & ~both;

    /* A CR, LF or CRLF behind a terminator is decoration. */
    uint64_t first = (terminator << 1 | (c->decoration & 1)) & line, second = (first << 1 | (c->decoration >> 1)) & line;
    c->decoration = terminator >> 63 | (first >> 63) << 1;
    line &= ~(first | second);

    unsigned found = (unsigned)_mm_popcnt_u64(both), ended = (unsigned)_mm_popcnt_u64(terminator);
    write_numbers(c->positions + c->count, k->numbers, both, found, at);

    component = _pext_u64(marked(component, terminator, &c->component), terminator);
    line = _pext_u64(marked(line, terminator, &c->line), terminator);
    __m512i ranks = _mm512_maskz_compress_epi8(_pext_u64(terminator, both), k->numbers);
    for (unsigned done = 0; done == 0 || SHUNT_UNLIKELY(done < ended); done += 16) {
        __m512i entries = _mm512_add_epi32(_mm512_set1_epi32((int)c->count), _mm512_cvtepu8_epi32(_mm512_castsi512_si128(ranks)));
        entries = _mm512_mask_or_epi32(entries, (__mmask16)(component >> done), entries, _mm512_set1_epi32(SHUNT_END_COMPONENT));
        entries = _mm512_mask_or_epi32(entries, (__mmask16)(line >> done), entries, _mm512_set1_epi32(SHUNT_END_LINE));
        _mm512_storeu_si512(c->ends + done, entries);
        ranks = _mm512_alignr_epi64(ranks, ranks, 2);
    }
    c->ends += ended;
    c->count += found;
}

static void scan_avx512(const uint8_t *bytes, size_t size, const shunt_delims *d, shunt_index *index)
{
    uint8_t numbers[64];
    for (unsigned i = 0; i < 64; i++) numbers[i] = (uint8_t)i;
    constants k = { _mm512_set1_epi8((char)d->element),
                    _mm512_set1_epi8((char)d->terminator),
                    _mm512_set1_epi8((char)d->component),
                    _mm512_set1_epi8('\r'),
                    _mm512_set1_epi8('\n'),
                    _mm512_loadu_si512(numbers),
                    d->component != 0 };
    carry     c = { .positions = index->positions, .ends = index->ends };
    size_t    at = 0;
    for (; at + 64 <= size; at += 64) block(&c, &k, _mm512_loadu_si512(bytes + at), ~UINT64_C(0), (uint32_t)at);
    if (at < size) {
        uint64_t valid = (UINT64_C(1) << (size - at)) - 1;
        block(&c, &k, _mm512_maskz_loadu_epi8(valid, bytes + at), valid, (uint32_t)at);
    }
    index->position_count = c.count;
    index->end_count = (uint32_t)(c.ends - index->ends);
}

static bool usable(void)
{
    return __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}

const shunt_scan_kernel shunt_scan_avx512 = { "avx512", usable, scan_avx512 };
#else
static bool             never(void) { return false; }
const shunt_scan_kernel shunt_scan_avx512 = { "avx512", never, NULL };
#endif
