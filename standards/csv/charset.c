#include "standards/csv/charset.h"

#include <iconv.h>

/* Names as sources write them, and as iconv knows them where that differs. */
static const struct name {
    const char *name, *iconv;
} names[] = {
    { "UTF-8", NULL },
    { "US-ASCII", "ASCII" },
    { "ISO-8859-1", "ISO-8859-1" },
    { "ISO-8859-2", "ISO-8859-2" },
    { "ISO-8859-3", "ISO-8859-3" },
    { "ISO-8859-4", "ISO-8859-4" },
    { "ISO-8859-5", "ISO-8859-5" },
    { "ISO-8859-6", "ISO-8859-6" },
    { "ISO-8859-7", "ISO-8859-7" },
    { "ISO-8859-8", "ISO-8859-8" },
    { "ISO-8859-9", "ISO-8859-9" },
    { "ISO-8859-15", "ISO-8859-15" },
    { "WINDOWS-1250", "CP1250" },
    { "WINDOWS-1251", "CP1251" },
    { "WINDOWS-1252", "CP1252" },
    { "WINDOWS-1253", "CP1253" },
    { "WINDOWS-1254", "CP1254" },
    { "WINDOWS-1257", "CP1257" },
    { "IBM437", "IBM437" },
    { "IBM850", "IBM850" },
};

static bool same(shunt_text written, const char *name)
{
    size_t length = strlen(name);
    if (written.length != length) return false;
    for (size_t i = 0; i < length; i++) {
        char c = written.bytes[i];
        if ((c >= 'a' && c <= 'z' ? c - 32 : c) != name[i]) return false;
    }
    return true;
}

static const struct name *find(shunt_text written)
{
    for (size_t i = 0; i < SHUNT_COUNT(names); i++)
        if (same(written, names[i].name)) return &names[i];
    return NULL;
}

bool shunt_charset_known(shunt_text name, bool *utf8)
{
    const struct name *found = find(name);
    *utf8 = found == &names[0];
    return found != NULL;
}

const char *shunt_charset_names(void)
{
    return "UTF-8, US-ASCII, ISO-8859-1 to 9, ISO-8859-15, WINDOWS-1250 to 1254, 1257, IBM437, IBM850";
}

bool shunt_charset_load(shunt_text name, shunt_charset *set)
{
    const struct name *found = find(name);
    if (!found || !found->iconv) return false;
    iconv_t from = iconv_open("UTF-8", found->iconv);
    if (from == (iconv_t)-1) return false;
    memset(set, 0, sizeof *set);
    for (unsigned byte = 0; byte < 256; byte++) {
        char   in = (char)byte, *at = &in, *to = set->of[byte].bytes;
        size_t left = 1, room = sizeof set->of[byte].bytes;
        (void)iconv(from, NULL, NULL, NULL, NULL);
        if (iconv(from, &at, &left, &to, &room) == (size_t)-1 || left) continue;
        set->of[byte].length = (uint8_t)(sizeof set->of[byte].bytes - room);
    }
    (void)iconv_close(from);
    return true;
}
