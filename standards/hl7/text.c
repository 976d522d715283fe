#include "standards/hl7/text.h"

static const struct {
    const char       *name;
    shunt_hl7_charset charset;
} names[] = {
    { "", { HL7_SET_NONE, 0, false } },
    { "ASCII", { HL7_SET_ASCII, 0, false } },
    { "ISO IR6", { HL7_SET_ASCII, 0, false } },
    { "8859/1", { HL7_SET_LATIN, 1, false } },
    { "8859/2", { HL7_SET_LATIN, 2, false } },
    { "8859/3", { HL7_SET_LATIN, 3, false } },
    { "8859/4", { HL7_SET_LATIN, 4, false } },
    { "8859/5", { HL7_SET_LATIN, 5, false } },
    { "8859/6", { HL7_SET_LATIN, 6, false } },
    { "8859/7", { HL7_SET_LATIN, 7, false } },
    { "8859/8", { HL7_SET_LATIN, 8, false } },
    { "8859/9", { HL7_SET_LATIN, 9, false } },
    { "8859/15", { HL7_SET_LATIN, 15, false } },
    { "UNICODE UTF-8", { HL7_SET_UTF8, 0, false } },
    { "UNICODE", { HL7_SET_UTF8, 0, false } },
    { "UTF-8", { HL7_SET_UTF8, 0, true } },
    { "UTF8", { HL7_SET_UTF8, 0, true } },
    { "UNICODE_UTF-8", { HL7_SET_UTF8, 0, true } },
    { "US-ASCII", { HL7_SET_ASCII, 0, true } },
    { "ISO-8859-1", { HL7_SET_LATIN, 1, true } },
    { "ISO8859-1", { HL7_SET_LATIN, 1, true } },
    { "8859-1", { HL7_SET_LATIN, 1, true } },
    { "ISO-8859-15", { HL7_SET_LATIN, 15, true } },
};

static bool same_letters(shunt_text a, const char *z)
{
    size_t length = strlen(z);
    if (a.length != length) return false;
    for (uint32_t i = 0; i < a.length; i++) {
        char c = a.bytes[i];
        if ((c >= 'a' && c <= 'z' ? c - 32 : c) != z[i]) return false;
    }
    return true;
}

shunt_hl7_charset shunt_hl7_charset_find(shunt_text name)
{
    while (name.length && name.bytes[name.length - 1] == ' ') name.length--;
    while (name.length && name.bytes[0] == ' ') name = (shunt_text){ name.bytes + 1, name.length - 1 };
    if (shunt_text_is(name, "\"\"")) name.length = 0;
    for (size_t i = 0; i < SHUNT_COUNT(names); i++)
        if (shunt_text_is(name, names[i].name)) return names[i].charset;
    for (size_t i = 0; i < SHUNT_COUNT(names); i++) {
        if (!same_letters(name, names[i].name)) continue;
        shunt_hl7_charset loose = names[i].charset;
        loose.loose = true;
        return loose;
    }
    return (shunt_hl7_charset){ HL7_SET_REFUSED, 0, false };
}

static int hex(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The bytes of one sequence, without its escape characters. False: it stays as it stands. */
static bool unescape(const uint8_t *inner, uint32_t length, const shunt_delims *d, shunt_buffer *out)
{
    if (length == 1) {
        uint8_t c = 0;
        switch (inner[0]) {
        case 'F': c = d->element; break;
        case 'S': c = d->component; break;
        case 'T': c = d->subcomponent; break;
        case 'R': c = d->repetition; break;
        case 'E': c = d->escape; break;
        case 'P': c = d->truncation ? d->truncation : '#'; break;
        default: break;
        }
        if (c) shunt_buffer_char(out, (char)c);
        return c != 0;
    }
    if (length == 3 && memcmp(inner, ".br", 3) == 0) {
        shunt_buffer_char(out, '\n');
        return true;
    }
    if (inner[0] != 'X' || length < 3 || length % 2 == 0) return false;
    for (uint32_t i = 1; i < length; i++)
        if (hex(inner[i]) < 0) return false;
    for (uint32_t i = 1; i < length; i += 2) shunt_buffer_char(out, (char)(hex(inner[i]) * 16 + hex(inner[i + 1])));
    return true;
}

enum { SEQUENCE = 512 /* bytes within which a sequence ends */ };

static void unescape_all(const uint8_t *bytes, uint32_t size, const shunt_delims *d, shunt_buffer *out)
{
    uint32_t at = 0;
    while (at < size) {
        const uint8_t *escape = memchr(bytes + at, d->escape, size - at);
        uint32_t       plain = escape ? (uint32_t)(escape - (bytes + at)) : size - at;
        shunt_buffer_add(out, bytes + at, plain);
        at += plain;
        if (!escape) return;
        uint32_t       left = size - at - 1, most = left < SEQUENCE ? left : SEQUENCE;
        const uint8_t *close = most ? memchr(bytes + at + 1, d->escape, most) : NULL;
        uint32_t       inner = close ? (uint32_t)(close - (bytes + at + 1)) : 0;
        if (inner && unescape(bytes + at + 1, inner, d, out)) {
            at += inner + 2;
        } else if (inner && inner <= 8 && strchr("HNCMZ.", bytes[at + 1])) {
            shunt_buffer_add(out, bytes + at, inner + 2); /* a known sequence as it stands: its end begins no other one */
            at += inner + 2;
        } else {
            shunt_buffer_char(out, (char)d->escape);
            at++;
        }
    }
}

static void put_character(shunt_buffer *out, uint16_t code)
{
    if (code < 0x80) {
        shunt_buffer_char(out, (char)code);
    } else if (code < 0x800) {
        shunt_buffer_char(out, (char)(0xc0 | code >> 6));
        shunt_buffer_char(out, (char)(0x80 | (code & 0x3f)));
    } else {
        shunt_buffer_char(out, (char)(0xe0 | code >> 12));
        shunt_buffer_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
        shunt_buffer_char(out, (char)(0x80 | (code & 0x3f)));
    }
}

/* ISO 8859: bytes from 0x80 to 0x9F are the control characters of the same number. False: a byte that the set does not have. */
static bool to_utf8(const uint8_t *bytes, uint32_t size, unsigned part, shunt_buffer *out)
{
    const uint16_t *upper = shunt_hl7_latin(part);
    for (uint32_t i = 0; i < size; i++) {
        uint16_t code = bytes[i] >= 0xa0 && upper ? upper[bytes[i] - 0xa0] : bytes[i];
        if (!code && bytes[i]) return false;
        put_character(out, code);
    }
    return true;
}

static bool has_high(const uint8_t *bytes, uint32_t size)
{
    uint32_t at = 0;
    for (; at + 8 <= size; at += 8) {
        uint64_t word;
        memcpy(&word, bytes + at, 8);
        if (word & UINT64_C(0x8080808080808080)) return true;
    }
    for (; at < size; at++)
        if (bytes[at] & 0x80) return true;
    return false;
}

shunt_hl7_decoded shunt_hl7_decode(const uint8_t *bytes, uint32_t size, const shunt_delims *delims, shunt_hl7_charset charset,
                                   shunt_buffer *buffer, shunt_text *value)
{
    const uint8_t *raw = bytes;
    buffer->length = 0;
    if (delims->escape && size && memchr(bytes, delims->escape, size)) {
        unescape_all(bytes, size, delims, buffer);
        if (buffer->failed) return HL7_DECODED;
        raw = (const uint8_t *)buffer->bytes;
        size = (uint32_t)buffer->length;
    }
    *value = (shunt_text){ (const char *)raw, size };
    if (!has_high(raw, size)) return HL7_DECODED;
    bool utf8 = shunt_utf8_bad((const char *)raw, size) == size, assumed = false;
    if (charset.set == HL7_SET_UTF8) return utf8 ? HL7_DECODED : HL7_DECODED_BAD;
    if (charset.set != HL7_SET_LATIN) {
        if (utf8) return charset.set == HL7_SET_ASCII ? HL7_DECODED_ASSUMED : HL7_DECODED;
        charset.part = 1;
        assumed = true;
    }
    /* What the sequences gave stands in the buffer itself: its twin follows it there. */
    size_t from = raw == bytes ? 0 : buffer->length;
    if (!shunt_buffer_reserve(buffer, 3 * (size_t)size)) return HL7_DECODED;
    if (from) raw = (const uint8_t *)buffer->bytes;
    if (!to_utf8(raw, size, charset.part, buffer)) return HL7_DECODED_BAD;
    *value = (shunt_text){ buffer->bytes + from, (uint32_t)(buffer->length - from) };
    return assumed ? HL7_DECODED_ASSUMED : HL7_DECODED;
}
