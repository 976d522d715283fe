/* line.h - one line of HL7 looked at once, 64 bytes at a time: where it ends, where its fields begin, and which of its bytes are more
 * than themselves. Kernels for AVX-512, AVX2, SSE2 and plain C give the same; one is chosen at run time.
 * Pure functions; all storage is the caller's. */
#ifndef SHUNT_HL7_LINE_H
#define SHUNT_HL7_LINE_H

#include "engine/base/event.h"

enum {
    SHUNT_HL7_LINE = 4096,     /* bytes that are marked at once, at most */
    SHUNT_HL7_LINE_SLACK = 64, /* room beyond the offsets that count: kernels write ahead */
};

/* What separates in a message, and where reading stops. */
typedef struct shunt_hl7_signs {
    uint8_t field, component, repetition, escape, subcomponent; /* one that the message does not have is that of fields */
    uint8_t stop;                                               /* the first byte below it ends the line; 0 = none does */
} shunt_hl7_signs;

typedef struct shunt_hl7_marks {
    uint32_t *offsets;  /* of the byte behind each field separator, ascending */
    uint64_t *odd;      /* bit k: byte k separates parts of a field, or escapes, or is not ASCII; sure for bytes before `end` */
    uint32_t  count;    /* of offsets */
    uint32_t  end;      /* where the line ends, or `to` */
    bool      repeated; /* a repetition separator stands before it */
} shunt_hl7_marks;

typedef struct shunt_hl7_line_kernel {
    const char *name;     /* "avx512", "avx2", "sse2", "plain" */
    bool (*usable)(void); /* on this processor */
    /* Looks at bytes[from..to), at most SHUNT_HL7_LINE of them, and at nothing else. The caller sets `offsets`, with room for to - from +
     * SHUNT_HL7_LINE_SLACK, and `odd`, with a bit for each of these bytes rounded up to 64; the first one is that of `from`. */
    void (*mark)(const uint8_t *bytes, uint32_t from, uint32_t to, const shunt_hl7_signs *signs, shunt_hl7_marks *marks);
    /* First byte below 0x20 from `from` on; `size` where there is none. */
    size_t (*control)(const uint8_t *bytes, size_t from, size_t size);
} shunt_hl7_line_kernel;

extern const shunt_hl7_line_kernel *const shunt_hl7_line_kernels[]; /* fastest first */
extern const size_t                       shunt_hl7_line_kernel_count;

/* The fastest that runs here. */
const shunt_hl7_line_kernel *shunt_hl7_line_best(void);

/* Private to line*.c: those that are compiled with other instructions. */
extern const shunt_hl7_line_kernel shunt_hl7_line_avx512;
extern const shunt_hl7_line_kernel shunt_hl7_line_avx2;

#endif
