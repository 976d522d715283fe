/* write.h - segments as X12 and HL7 have them: elements, repetitions, components, subcomponents. One writer for all that writes them:
 * the encodings of rules, acknowledgements.
 * A separator is written once something stands behind it, so no segment ends in empty elements, no element in empty components.
 * Whatever a value holds, it ends no element and adds none: what is a delimiter, or a control character, is refused, replaced or escaped.
 * Owns: nothing. Fails: by `failed` of the buffer; NOT_WRITABLE where a value is refused. */
#ifndef SHUNT_WRITE_H
#define SHUNT_WRITE_H

#include "engine/base/event.h"

/* What becomes of delimiters and control characters in a value. */
typedef enum shunt_in_data {
    SHUNT_DATA_REFUSE, /* NOT_WRITABLE: X12 has no escape */
    SHUNT_DATA_BLANK,  /* each is a blank */
    SHUNT_DATA_ESCAPE  /* as HL7 has it: \F\ \S\ \T\ \R\ \E\, others \X0D\ */
} shunt_in_data;

typedef struct shunt_segment_writer {
    shunt_buffer *out;
    shunt_delims  delims;
    uint8_t       in_data;                                          /* shunt_in_data */
    shunt_text    line;                                             /* behind each terminator */
    uint32_t      elements, repetitions, components, subcomponents; /* separators that are owed */
    uint64_t      segments;                                         /* ended so far */
} shunt_segment_writer;

void               shunt_write_segment(shunt_segment_writer *w, shunt_text id);
/* The next element, and so on: owed until a value comes. */
static inline void shunt_write_element(shunt_segment_writer *w)
{
    w->elements++;
    w->repetitions = w->components = w->subcomponents = 0;
}
static inline void shunt_write_repetition(shunt_segment_writer *w)
{
    w->repetitions++;
    w->components = w->subcomponents = 0;
}
static inline void shunt_write_component(shunt_segment_writer *w)
{
    w->components++;
    w->subcomponents = 0;
}
static inline void shunt_write_subcomponent(shunt_segment_writer *w) { w->subcomponents++; }
/* A value, or a part of one; empty = nothing. A separator that the delimiters lack is NOT_WRITABLE. */
shunt_status       shunt_write_text(shunt_segment_writer *w, shunt_text value);
/* HL7: two quotes, what deletes the value at the receiver. */
shunt_status       shunt_write_null(shunt_segment_writer *w);
void               shunt_write_end(shunt_segment_writer *w);

/* What an ISA says. Delimiters come from the writer; release 00402 and later have a repetition separator. */
typedef struct shunt_isa {
    shunt_text  sender_qualifier, sender, receiver_qualifier, receiver;
    const char *date, *time; /* YYMMDD, HHMM */
    const char *version;     /* "00501" */
    uint32_t    control;     /* nine digits are written */
    char        acknowledge, usage;
} shunt_isa;
enum { SHUNT_ISA_CONTROL = 90 /* bytes before ISA13, from the first of ISA */, SHUNT_ISA_CONTROL_DIGITS = 9 };
/* X12.5: each element has its width; longer values are cut, so look at them before. NOT_WRITABLE as shunt_write_text. */
shunt_status shunt_write_isa(shunt_segment_writer *w, const shunt_isa *isa);

#endif
