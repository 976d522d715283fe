/* delims.h - the separators of an interchange, read from its ISA (X12.5: fixed width; real files are not always).
 * Pure functions over the first bytes; nothing is kept. */
#ifndef SHUNT_X12_DELIMS_H
#define SHUNT_X12_DELIMS_H

#include "engine/base/event.h"

enum {
    X12_ISA_ELEMENTS = 16,
    X12_ISA_MOST = 512, /* bytes an ISA may take, and bytes looked at behind it to tell a terminator from ISA16 */
    X12_VERSION_WITH_REPETITION = 402,
};

typedef struct shunt_x12_isa {
    shunt_delims delims;
    uint32_t     length;                        /* without terminator */
    uint32_t     offsets[X12_ISA_ELEMENTS + 2]; /* as in shunt_segment */
    uint32_t     elements;                      /* 16, or 15 where ISA16 is missing with its separator */
    bool         fixed;                         /* all separators stand where X12.5 says */
    bool         no_component;                  /* ISA16 is missing */
    bool         repetition_twice;              /* ISA11 is one of the other delimiters: not used */
    bool         line_ends;                     /* CR or LF stand inside */
    shunt_status fault;                         /* of a bad one: X12_DELIMITERS, X12_DELIMITER_WIDE, X12_TRUNCATED */
    uint16_t     fault_element;                 /* ISA element at fault, 0 = element separator */
} shunt_x12_isa;

typedef enum shunt_x12_isa_state {
    X12_ISA_MORE, /* more bytes are needed to tell */
    X12_ISA_NONE, /* no ISA begins here */
    X12_ISA_BAD,  /* an ISA that can not be read: `fault` */
    X12_ISA_READ,
} shunt_x12_isa_state;

/* bytes[0..size) begin with what may be an ISA; `last` = nothing follows them. The answer is the same for every longer piece. */
shunt_x12_isa_state shunt_x12_isa_read(const uint8_t *bytes, size_t size, bool last, shunt_x12_isa *isa);

/* Can the byte stand as a delimiter? Letters, digits and NUL can not. */
bool               shunt_x12_delimiter(uint8_t byte);
static inline bool shunt_x12_blank(uint8_t byte) { return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n'; }
static inline bool shunt_x12_alnum(uint8_t byte) { return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z'); }

#endif
