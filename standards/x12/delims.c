#include "standards/x12/delims.h"

/* X12.5: where the 16 separators of an ISA of 106 bytes stand. */
static const uint8_t fixed_at[X12_ISA_ELEMENTS] = { 3, 6, 17, 20, 31, 34, 50, 53, 69, 76, 81, 83, 89, 99, 101, 103 };

bool shunt_x12_delimiter(uint8_t byte) { return byte != 0 && !shunt_x12_alnum(byte) && !(byte >= 'a' && byte <= 'z'); }

static bool line_end(uint8_t byte) { return byte == '\r' || byte == '\n'; }

/* First bytes of a UTF-8 character of several bytes? A lone high byte is a character of an 8-bit set, and one byte. */
static bool wide(uint8_t first, uint8_t second) { return first >= 0xc2 && first <= 0xf4 && (second & 0xc0) == 0x80; }

static bool envelope_id(const uint8_t *bytes, size_t size)
{
    return (size >= 2 && memcmp(bytes, "GS", 2) == 0) ||
           (size >= 3 && (memcmp(bytes, "TA1", 3) == 0 || memcmp(bytes, "IEA", 3) == 0));
}

static shunt_x12_isa_state bad(shunt_x12_isa *isa, shunt_status fault, uint16_t element)
{
    isa->fault = fault;
    isa->fault_element = element;
    return X12_ISA_BAD;
}

/* ISA11 separates repetitions from version 00402 on; before that it names the standards body ("U"). */
static shunt_x12_isa_state read_repetition(const uint8_t *bytes, shunt_x12_isa *isa)
{
    const uint32_t *at = isa->offsets;
    uint8_t         c = at[12] - at[11] >= 2 ? bytes[at[11]] : 0;
    uint32_t        version = 0;
    bool            numeric = true;
    for (uint32_t i = at[12]; i + 1 < at[13]; i++) {
        if (shunt_x12_blank(bytes[i])) continue;
        if (bytes[i] < '0' || bytes[i] > '9' || version > 99999)
            numeric = false;
        else
            version = version * 10 + (uint32_t)(bytes[i] - '0');
    }
    if (numeric && version < X12_VERSION_WITH_REPETITION) return X12_ISA_READ;
    if (!shunt_x12_delimiter(c) || shunt_x12_blank(c)) return X12_ISA_READ;
    if (wide(c, bytes[at[11] + 1])) return bad(isa, SHUNT_X12_DELIMITER_WIDE, 11);
    if (c == isa->delims.element || c == isa->delims.component || c == isa->delims.terminator)
        isa->repetition_twice = true;
    else
        isa->delims.repetition = c;
    return X12_ISA_READ;
}

static shunt_x12_isa_state finish(const uint8_t *bytes, shunt_x12_isa *isa, uint32_t length, uint8_t component,
                                  uint8_t terminator)
{
    shunt_delims *d = &isa->delims;
    if (component == ' ') component = 0; /* padding in the place of ISA16 separates nothing */
    d->component = component;
    d->terminator = terminator;
    isa->no_component = component == 0;
    isa->length = length;
    isa->offsets[isa->elements + 1] = length + 1;
    if (!shunt_x12_delimiter(terminator) || terminator == d->element || terminator == component)
        return bad(isa, SHUNT_X12_DELIMITERS, 0);
    if (component && (!shunt_x12_delimiter(component) || component == d->element)) return bad(isa, SHUNT_X12_DELIMITERS, 16);
    for (uint32_t i = 0; i < length; i++) isa->line_ends |= line_end(bytes[i]);
    return read_repetition(bytes, isa);
}

/* ISA16 and its separator are missing: "...*P~GS*". Element 15 then runs into the next segment. */
static bool fifteen_only(const uint8_t *bytes, uint32_t begin, uint32_t end)
{
    if (end - begin < 4 || !shunt_x12_delimiter(bytes[begin + 1]) || bytes[begin + 1] == ' ') return false;
    uint32_t next = begin + 2;
    while (next < end && shunt_x12_blank(bytes[next])) next++;
    return envelope_id(bytes + next, end - next) && end - next <= 3;
}

/* Two bytes x y stand behind the last separator. Usually ISA16 and the terminator; or the terminator (ISA16 missing) and what
 * follows it. */
static shunt_x12_isa_state read_end(const uint8_t *bytes, size_t size, bool last, uint32_t at, shunt_x12_isa *isa)
{
    if (size < at + 2) {
        if (!last && size < at + 2) return X12_ISA_MORE;
        if (size == at) return bad(isa, SHUNT_X12_TRUNCATED, 16);
        return finish(bytes, isa, at, 0, bytes[at]); /* one byte and nothing behind it */
    }
    uint8_t x = bytes[at], y = bytes[at + 1];
    if (wide(x, y)) return bad(isa, SHUNT_X12_DELIMITER_WIDE, 16);
    if (y >= 0x80) {
        if (size < at + 3 && !last) return X12_ISA_MORE;
        if (size >= at + 3 && wide(y, bytes[at + 2])) return bad(isa, SHUNT_X12_DELIMITER_WIDE, 16);
    }
    if (line_end(x)) return finish(bytes, isa, at, 0, x); /* no component separator is a line end */
    if (shunt_x12_alnum(y) && shunt_x12_delimiter(x)) return finish(bytes, isa, at, 0, x);
    if (!shunt_x12_blank(y) || !shunt_x12_delimiter(x) || x == ' ') return finish(bytes, isa, at + 1, x, y);

    /* x, then blank space y. Whichever comes first behind the next segment is the terminator, unless another byte leads that
     * segment: a terminator at the head of each line. */
    size_t next = at + 2;
    while (next < size && next < at + X12_ISA_MOST && shunt_x12_blank(bytes[next])) next++;
    if (next >= at + X12_ISA_MOST) return finish(bytes, isa, at + 1, x, y);
    if (size < next + 4 && !last) return X12_ISA_MORE;
    if (next < size && bytes[next] != x && shunt_x12_delimiter(bytes[next])) {
        size_t id = next + 1;
        while (id < size && id < next + X12_ISA_MOST && shunt_x12_blank(bytes[id])) id++;
        if (size < id + 3 && !last && id < next + X12_ISA_MOST) return X12_ISA_MORE;
        if (id < next + X12_ISA_MOST && envelope_id(bytes + id, size - id))
            return finish(bytes, isa, (uint32_t)next, x, bytes[next]);
    }
    if (next < size && bytes[next] == x) return finish(bytes, isa, at, 0, x);
    size_t most = next + X12_ISA_MOST;
    for (; next < size && next < most; next++)
        if (bytes[next] == x || bytes[next] == y)
            return bytes[next] == x ? finish(bytes, isa, at, 0, x) : finish(bytes, isa, at + 1, x, y);
    if (next < most && !last) return X12_ISA_MORE;
    return finish(bytes, isa, at + 1, x, y);
}

shunt_x12_isa_state shunt_x12_isa_read(const uint8_t *bytes, size_t size, bool last, shunt_x12_isa *isa)
{
    static const uint8_t id[3] = { 'I', 'S', 'A' };
    *isa = (shunt_x12_isa){ .fixed = true };
    if (memcmp(bytes, id, size < 3 ? size : 3) != 0) return X12_ISA_NONE;
    if (size < 4) return last ? X12_ISA_NONE : X12_ISA_MORE;
    uint8_t separator = bytes[3];
    if (!shunt_x12_delimiter(separator) || shunt_x12_blank(separator)) return X12_ISA_NONE;
    if (separator >= 0x80) {
        if (size < 5) return last ? X12_ISA_NONE : X12_ISA_MORE;
        if (wide(separator, bytes[4])) return bad(isa, SHUNT_X12_DELIMITER_WIDE, 0);
    }
    isa->delims.element = separator;
    uint32_t count = 0;
    for (uint32_t at = 3; at < X12_ISA_MOST; at++) {
        if (at >= size) return last ? bad(isa, SHUNT_X12_TRUNCATED, (uint16_t)count) : X12_ISA_MORE;
        if (bytes[at] != separator) continue;
        if (at >= 7 && memcmp(bytes + at - 3, id, 3) == 0 && shunt_x12_blank(bytes[at - 4]))
            return X12_ISA_NONE; /* the real one begins here */
        if (count == 15 && fifteen_only(bytes, isa->offsets[15], at)) {
            isa->elements = 15;
            return finish(bytes, isa, isa->offsets[15] + 1, 0, bytes[isa->offsets[15] + 1]);
        }
        isa->fixed &= at == fixed_at[count];
        isa->offsets[++count] = at + 1;
        if (count == X12_ISA_ELEMENTS) {
            isa->elements = X12_ISA_ELEMENTS;
            return read_end(bytes, size, last, at + 1, isa);
        }
    }
    return X12_ISA_NONE;
}
