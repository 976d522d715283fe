/* scan.h - where the delimiters stand: a map of a piece of a buffer, a bit a byte, made 64 bytes at a time.
 * The reader of segments makes the map for a window of its input. What a segment holds is then a question to one word of the map,
 * wherever the segment begins: how many elements, where they stand, whether some byte of it needs a closer look; nothing is worked
 * out for segments that nobody asks about. Only terminators are listed, since no word says where the next but one stands. Kernels
 * for AVX-512, AVX2, SSE2 and plain C give the same map; one is chosen at run time.
 * Pure functions; all storage is the caller's. */
#ifndef SHUNT_SCAN_H
#define SHUNT_SCAN_H

#include "engine/base/event.h"

enum {
    SHUNT_SCAN_SLACK = 64, /* room beyond the bytes that are scanned: kernels write ahead of what counts */
    SHUNT_SCAN_ODD = 13,   /* bytes up to CR are odd: LF, CR, and those that hardly occur */
};

/* 64 bytes: bit k is byte k. */
typedef struct shunt_scan_word {
    uint64_t marks; /* element separators and terminators */
    uint64_t odds;  /* separators of components and of repetitions, and odd bytes, as far as they are none of those */
} shunt_scan_word;

/* Words of the map of so many bytes; one is read ahead. */
#define SHUNT_SCAN_WORDS(size) ((size) / 64 + 2)

typedef struct shunt_index {
    shunt_scan_word *map;  /* SHUNT_SCAN_WORDS(size) of them */
    uint32_t        *ends; /* position of each terminator; room for size + SHUNT_SCAN_SLACK */
    uint32_t         end_count;
} shunt_index;

/* Scans bytes[0..size). `element` and `terminator` differ. Nothing is read beyond size. Bits behind the last byte are clear up to
 * the end of its word. */
typedef void (*shunt_scan)(const uint8_t *bytes, size_t size, const shunt_delims *delims, shunt_index *index);

/* Numbers of the lowest `count` of the set bits, ascending; there is room for SHUNT_SCAN_SPREAD more, which are any. */
typedef void (*shunt_scan_spread)(uint64_t bits, uint32_t count, uint32_t *to);
enum { SHUNT_SCAN_SPREAD = 16 };

typedef struct shunt_scan_kernel {
    const char *name;     /* "avx512", "avx2", "sse2", "plain" */
    bool (*usable)(void); /* on this processor */
    shunt_scan        scan;
    shunt_scan_spread spread;
} shunt_scan_kernel;

extern const shunt_scan_kernel *const shunt_scan_kernels[]; /* fastest first */
extern const size_t                   shunt_scan_kernel_count;

/* The fastest that runs here. */
const shunt_scan_kernel *shunt_scan_best(void);

/* 64 bits of each kind from any byte on. */
static SHUNT_INLINE shunt_scan_word shunt_scan_from(const shunt_scan_word *map, uint32_t at)
{
    const shunt_scan_word *word = map + at / 64;
    uint32_t               low = at % 64, high = ~at % 64;
    return (shunt_scan_word){ word[0].marks >> low | word[1].marks << 1 << high,
                              word[0].odds >> low | word[1].odds << 1 << high };
}

/* The lowest so many, less than 64. */
static SHUNT_INLINE uint64_t shunt_scan_lowest(uint64_t bits, uint32_t count) { return bits & ((UINT64_C(1) << count) - 1); }

#endif
