/* scan.h - where the delimiters stand: an index of a piece of a buffer, made 64 bytes at a time.
 * The reader of every delimiter-separated standard makes the index for a window of its input and then takes whole segments from
 * it without looking at their bytes again. Kernels for AVX-512, AVX2, SSE2 and plain C give the same index; one is chosen at run
 * time.
 * Pure functions; all storage is the caller's. */
#ifndef SHUNT_SCAN_H
#define SHUNT_SCAN_H

#include "engine/base/event.h"

/* An entry of `ends`: rank of a terminator among `positions`, and what stands between it and the terminator before it. */
enum {
    SHUNT_END_RANK = 0x00ffffff,
    SHUNT_END_COMPONENT = 1 << 24, /* a component separator */
    SHUNT_END_LINE = 1 << 25,      /* a CR or LF that is neither terminator nor directly behind one; sure only when clear */
};

/* Room beyond the bytes that are scanned: kernels write ahead of what counts. */
enum { SHUNT_SCAN_SLACK = 64, SHUNT_SCAN_MOST = 1 << 24 /* bytes of one piece */ };

typedef struct shunt_index {
    uint32_t *positions; /* of each element separator and terminator, ascending; room for size + SHUNT_SCAN_SLACK */
    uint32_t *ends;      /* one a terminator; room for size + SHUNT_SCAN_SLACK */
    uint32_t  position_count, end_count;
} shunt_index;

/* Scans bytes[0..size), size < SHUNT_SCAN_MOST. `element` and `terminator` differ; `component` 0 = none. Nothing is read beyond
 * size. */
typedef void (*shunt_scan)(const uint8_t *bytes, size_t size, const shunt_delims *delims, shunt_index *index);

typedef struct shunt_scan_kernel {
    const char *name;     /* "avx512", "avx2", "sse2", "plain" */
    bool (*usable)(void); /* on this processor */
    shunt_scan scan;
} shunt_scan_kernel;

extern const shunt_scan_kernel *const shunt_scan_kernels[]; /* fastest first */
extern const size_t                   shunt_scan_kernel_count;

/* The fastest that runs here. */
shunt_scan shunt_scan_best(void);

#endif
