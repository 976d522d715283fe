#include "standards/hl7/delims.h"

enum { COMPONENT, REPETITION, ESCAPE, SUBCOMPONENT, TRUNCATION, ROLES };
static const uint8_t usual[ROLES] = { '^', '~', '\\', '&', '#' };

bool shunt_hl7_delimiter(uint8_t c)
{
    bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    return c > ' ' && c < 0x7f && !alnum && c != '"';
}

static bool holds(const uint8_t roles[ROLES], uint8_t c)
{
    for (unsigned i = 0; i < ROLES; i++)
        if (roles[i] == c) return true;
    return false;
}

/* The characters by their places, or by their usual roles where some are missing. */
static void take_roles(const uint8_t *bytes, size_t count, uint8_t roles[ROLES])
{
    uint8_t  kept[ROLES] = { 0 };
    unsigned distinct = 0;
    for (size_t i = 0; i < count && distinct < ROLES; i++)
        if (shunt_hl7_delimiter(bytes[i]) && !holds(kept, bytes[i])) kept[distinct++] = bytes[i];
    if (distinct >= TRUNCATION) {
        memcpy(roles, kept, ROLES);
        return;
    }
    bool placed[ROLES] = { false };
    for (unsigned i = 0; i < distinct; i++)
        for (unsigned r = 0; r < ROLES; r++)
            if (kept[i] == usual[r]) roles[r] = kept[i], placed[i] = true;
    for (unsigned i = 0; i < distinct; i++)
        if (!placed[i] && !roles[i]) roles[i] = kept[i];
}

bool shunt_hl7_delims_read(const uint8_t *bytes, size_t size, shunt_delims *delims, bool *broken)
{
    *broken = false;
    if (size < HL7_HEADER || !shunt_hl7_delimiter(bytes[3])) return false;
    const uint8_t *end = memchr(bytes + HL7_HEADER, bytes[3], size - HL7_HEADER);
    size_t         length = end ? (size_t)(end - bytes) - HL7_HEADER : size - HL7_HEADER;
    uint8_t        roles[ROLES] = { 0 };
    take_roles(bytes + HL7_HEADER, length < 16 ? length : 16, roles);
    for (unsigned r = COMPONENT; r < TRUNCATION; r++)
        if (!roles[r] && usual[r] != bytes[3] && !holds(roles, usual[r])) roles[r] = usual[r];
    for (size_t i = 0; i < length && i < ROLES; i++) *broken = *broken || bytes[HL7_HEADER + i] != roles[i];
    *broken = *broken || length < TRUNCATION || length > ROLES;
    delims->element = bytes[3];
    delims->component = roles[COMPONENT];
    delims->repetition = roles[REPETITION];
    delims->escape = roles[ESCAPE];
    delims->subcomponent = roles[SUBCOMPONENT];
    delims->truncation = roles[TRUNCATION];
    return true;
}
