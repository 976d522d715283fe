/* text.h - values as the sender meant them: escape sequences and the character set of the message. */
#ifndef SHUNT_HL7_TEXT_H
#define SHUNT_HL7_TEXT_H

#include "engine/base/event.h"

typedef enum shunt_hl7_set {
    HL7_SET_NONE,  /* MSH-18 is empty: ASCII, else UTF-8, else 8859/1 */
    HL7_SET_ASCII, /* the same where a value is not ASCII after all */
    HL7_SET_UTF8,
    HL7_SET_LATIN, /* 8859/`part` */
    HL7_SET_REFUSED,
} shunt_hl7_set;

typedef struct shunt_hl7_charset {
    uint8_t set;   /* shunt_hl7_set */
    uint8_t part;  /* of ISO 8859 */
    bool    loose; /* known, but not by the name of table 0211 ("UTF-8") */
} shunt_hl7_charset;

/* By the name in MSH-18 (table 0211), its first repetition. */
shunt_hl7_charset shunt_hl7_charset_find(shunt_text name);
/* Code points of bytes 0xA0 to 0xFF of ISO 8859-`part`, 2 to 9 and 15; 0 = none. NULL: no such part, or 1. */
const uint16_t   *shunt_hl7_latin(unsigned part);

typedef enum shunt_hl7_decoded {
    HL7_DECODED,
    HL7_DECODED_ASSUMED, /* no set, and no UTF-8: read as 8859/1; or ASCII, and not ASCII: read as UTF-8, else 8859/1 */
    HL7_DECODED_BAD,     /* bytes that the set of the message does not have; nothing was handed over */
} shunt_hl7_decoded;

/* The value of some raw bytes, UTF-8. \F\ \S\ \T\ \R\ \E\ \P\ are the separators of this message, \Xhh..\ bytes in its set,
 * \.br\ a line feed; all other sequences (highlighting, layout, other sets, local ones, unknown and unfinished ones) stay as
 * they stand. `value` points at `bytes` where nothing had to be changed, else into `buffer` (whose `failed` says that memory
 * was short). */
shunt_hl7_decoded shunt_hl7_decode(const uint8_t *bytes, uint32_t size, const shunt_delims *delims, shunt_hl7_charset charset,
                                   shunt_buffer *buffer, shunt_text *value);

#endif
