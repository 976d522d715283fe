/* charset.h - character sets of one byte a character, as tables made by iconv once a reader. Sets in which the bytes of separators
 * mean something else inside a character (UTF-16, Shift_JIS) are not among them. */
#ifndef SHUNT_CSV_CHARSET_H
#define SHUNT_CSV_CHARSET_H

#include "engine/base/text.h"

/* UTF-8 of each byte; length 0 = the set has no such character. */
typedef struct shunt_charset {
    struct {
        char    bytes[4];
        uint8_t length;
    } of[256];
} shunt_charset;

/* Names that sources may give; case does not count. "UTF-8" is known and needs no table: `utf8`. False: not among them. */
bool        shunt_charset_known(shunt_text name, bool *utf8);
/* "UTF-8, US-ASCII, ...", for messages. */
const char *shunt_charset_names(void);
/* False: iconv of this machine has not that set. */
bool        shunt_charset_load(shunt_text name, shunt_charset *set) SHUNT_MUST_USE;

#endif
