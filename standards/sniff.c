/* sniff.c - which standard an input is of, by its first bytes; see registry.h. */
#include "standards/registry.h"

static bool is_blank(uint8_t c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f'; }

static bool is_word(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c >= 0x80;
}

/* `id` at the place, a separator behind it, no word before it. */
static bool begins(const uint8_t *bytes, size_t size, size_t at, const char *id)
{
    if (at + 4 > size || memcmp(bytes + at, id, 3) != 0 || (at && is_word(bytes[at - 1]))) return false;
    uint8_t separator = bytes[at + 3];
    return !is_word(separator) && separator != '\r' && separator != '\n';
}

static bool segment_at(const uint8_t *bytes, size_t size, size_t at, shunt_standard *standard)
{
    *standard = SHUNT_STANDARD_X12;
    if (begins(bytes, size, at, "ISA")) return true;
    *standard = SHUNT_STANDARD_HL7;
    return begins(bytes, size, at, "MSH") || begins(bytes, size, at, "FHS") || begins(bytes, size, at, "BHS");
}

shunt_sniffed shunt_standard_sniff(const uint8_t *bytes, size_t size, bool last, unsigned among, shunt_standard *standard)
{
    static const uint8_t mark[] = { 0xef, 0xbb, 0xbf };
    const unsigned       tables = 1u << SHUNT_STANDARD_CSV | 1u << SHUNT_STANDARD_FIXED;
    bool                 whole = last || size >= SHUNT_SNIFF_BYTES;
    size_t               at = 0;
    if (size >= sizeof mark && memcmp(bytes, mark, sizeof mark) == 0)
        at = sizeof mark;
    else if (!whole && size < sizeof mark && (size == 0 || memcmp(bytes, mark, size) == 0))
        return SHUNT_SNIFFED_MORE;
    while (at < size && is_blank(bytes[at])) at++;
    if (at == size) return whole ? SHUNT_SNIFFED_NOTHING : SHUNT_SNIFFED_MORE;

    *standard = SHUNT_STANDARD_HL7;
    if (bytes[at] == 0x0b) return SHUNT_SNIFFED;
    *standard = SHUNT_STANDARD_FHIR;
    if (bytes[at] == '{' || bytes[at] == '[' || bytes[at] == '<') return SHUNT_SNIFFED;
    if (segment_at(bytes + at, size - at, 0, standard)) return SHUNT_SNIFFED; /* a mark before it is no word */
    if (!whole && size - at < 4) return SHUNT_SNIFFED_MORE;

    /* A table begins with anything; what it may hold further down decides nothing. */
    if (among & tables) {
        *standard = among & 1u << SHUNT_STANDARD_CSV ? SHUNT_STANDARD_CSV : SHUNT_STANDARD_FIXED;
        return SHUNT_SNIFFED;
    }
    /* Text before the first segment: a heading of an e-mail, a line of a log. */
    for (; at < size; at++)
        if (segment_at(bytes, size, at, standard)) return SHUNT_SNIFFED;
    return whole ? SHUNT_SNIFFED_NOTHING : SHUNT_SNIFFED_MORE;
}
