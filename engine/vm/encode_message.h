/* encode_message.h - messages of segments as encodings: x12, hl7. What a record says is written into its parcel when it is made, without
 * anything that only the run knows; envelopes, counts and control numbers are put around it when it is handed out, so what was undone or
 * dropped leaves no gap.
 * Private to engine/vm/encode_*.c. Fails as encode.h says. */
#ifndef SHUNT_ENCODE_MESSAGE_H
#define SHUNT_ENCODE_MESSAGE_H

#include "engine/base/write.h"
#include "engine/vm/encode.h"

/* Fields that nodes read: of the message of a record, or of a row. */
typedef struct shunt_message_fields {
    const shunt_value *values;
    const uint8_t     *states;
    uint16_t           record;
} shunt_message_fields;

typedef struct shunt_message_writer {
    const shunt_program *program;
    shunt_segment_writer segments;
    shunt_charset        charset;
    shunt_buffer        *scratch;                     /* for a value in another character set */
    bool                 closed[SHUNT_MESSAGE_LOOPS]; /* loops whose first segment said nothing: they are not written */
} shunt_message_writer;

/* The nodes [first, end), settings left out. Segments that say nothing of the record are left out; REQUIRED_MISSING where the guide
 * requires what is absent. */
shunt_status shunt_message_write(shunt_message_writer *m, uint32_t first, uint32_t end, const shunt_message_fields *fields);
/* The value of a setting as text, in `room` or where it stands; empty = absent. As a value of an element: its length is looked at. */
shunt_status shunt_message_setting(const shunt_program *p, const shunt_message_node *node, const shunt_message_fields *fields,
                                   char room[static SHUNT_VALUE_ROOM], shunt_text *value);

/* A text in the character set of the message, into the element at hand. */
shunt_status shunt_message_text(shunt_message_writer *m, shunt_text text);
/* As HL7 writes a moment; DIGITS_LOST beyond four digits of a second. */
shunt_status shunt_message_moment(shunt_moment moment, char room[static SHUNT_VALUE_ROOM], shunt_text *value);
enum { SHUNT_CONTROLS = 1000000000 /* control numbers are less than this */ };
/* The first control number that the rules set, 0 = they do not. False: it is none. */
bool     shunt_message_control(const shunt_setting *setting, uint64_t *control);
/* The next one of the run. */
uint64_t shunt_message_next(shunt_dress *d, uint64_t first);
/* Does anything in [first, end) say something of the record, or is all of it constant? */
bool     shunt_message_says(const shunt_program *p, uint32_t first, uint32_t end, const shunt_message_fields *f);
/* False: absent, or an empty text. */
bool     shunt_message_read(const shunt_program *p, const shunt_message_node *n, const shunt_message_fields *f, shunt_type *type,
                            shunt_value *value);
uint32_t shunt_message_rows(const shunt_message_node *each, const shunt_message_fields *f);
bool     shunt_message_row(const shunt_program *p, const shunt_message_node *each, const shunt_message_fields *f, uint32_t index,
                           shunt_message_fields *row);
/* Parts of a parcel: lengths, then bytes. */
enum { SHUNT_MESSAGE_PARTS = 8 };
typedef struct shunt_message_parts {
    shunt_text items[SHUNT_MESSAGE_PARTS];
    uint32_t   segments[SHUNT_MESSAGE_PARTS];
} shunt_message_parts;
/* Begins a parcel at the end of `out`; each part ends where the next one is begun by `next`. */
size_t shunt_message_parcel(shunt_buffer *out);
void   shunt_message_part_end(shunt_buffer *out, size_t parcel, uint32_t part, uint64_t segments);
bool   shunt_message_parts_read(const char *bytes, size_t length, shunt_message_parts *parts);

#endif
