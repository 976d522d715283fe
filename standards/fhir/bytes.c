#include "standards/fhir/bytes.h"

/* Four hexadecimal digits; false: `*bad`, or they are not all there. */
static bool unit_of(const uint8_t *at, size_t left, uint32_t *unit, bool *bad)
{
    *unit = 0;
    for (size_t i = 0; i < 4; i++) {
        if (i >= left) return false;
        uint8_t c = at[i], folded = (uint8_t)(c | 0x20);
        *bad = !((c >= '0' && c <= '9') || (folded >= 'a' && folded <= 'f'));
        if (*bad) return false;
        *unit = *unit << 4 | (uint32_t)(c <= '9' ? c - '0' : folded - 'a' + 10);
    }
    return true;
}

size_t shunt_escape_length(const uint8_t *at, size_t left, bool *bad)
{
    uint32_t unit, low;
    if (left < 2) return 0;
    if (at[1] != 'u') {
        *bad = !at[1] || !strchr("\"\\/bfnrt", at[1]);
        return *bad ? 0 : 2;
    }
    if (!unit_of(at + 2, left - 2, &unit, bad)) return 0;
    if (unit < 0xd800 || unit > 0xdfff) return 6;
    *bad = unit >= 0xdc00 || (left > 6 && at[6] != '\\') || (left > 7 && at[7] != 'u');
    if (*bad || left < 8 || !unit_of(at + 8, left - 8, &low, bad)) return 0;
    *bad = low < 0xdc00 || low > 0xdfff;
    return *bad ? 0 : 12;
}

static size_t put_character(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--, c >>= 6) out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)((length == 2 ? 0xc0 : length == 3 ? 0xe0 : 0xf0) | c);
    return length;
}

size_t shunt_unescape(char *bytes, size_t length)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    size_t            in = 0, out = 0;
    while (in < length) {
        char c = bytes[in];
        if (c != '\\' || length - in < 2) {
            bytes[out++] = c;
            in++;
            continue;
        }
        c = bytes[in + 1];
        if (c != 'u') {
            const char *known = strchr(from, c);
            bytes[out++] = known ? to[known - from] : c;
            in += 2;
            continue;
        }
        uint32_t unit = 0, low = 0;
        bool     bad = false;
        unit_of((const uint8_t *)bytes + in + 2, length - in - 2, &unit, &bad);
        in += 6;
        if (unit >= 0xd800 && unit < 0xdc00 && length - in >= 6) {
            unit_of((const uint8_t *)bytes + in + 2, length - in - 2, &low, &bad);
            unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            in += 6;
        }
        out += put_character(bytes + out, unit);
    }
    return out;
}

size_t shunt_utf8_good(const uint8_t *bytes, size_t size, bool *bad)
{
    size_t at = 0;
    *bad = false;
    while (at < size) {
        if (size - at >= 64) {
            uint64_t any = 0, word;
            for (unsigned i = 0; i < 64; i += 8) {
                memcpy(&word, bytes + at + i, 8);
                any |= word;
            }
            if (!(any & UINT64_C(0x8080808080808080))) {
                at += 64;
                continue;
            }
        }
        for (size_t end = size - at > 64 ? at + 64 : size; at < end;) {
            size_t taken = shunt_character_length(bytes + at, size - at, bad);
            if (!taken) return at;
            at += taken;
        }
    }
    return at;
}
