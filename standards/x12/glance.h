/* glance.h - a part of validate.c: values that are fine beyond doubt, seen eight bytes at a time. A value that is not seen to be fine
 * is not wrong yet, it is looked at well.
 * Lists of codes are borrowed. Pure, but for the values that a look remembers. */
#ifndef SHUNT_X12_GLANCE_H
#define SHUNT_X12_GLANCE_H

#include "engine/base/date.h"
#include "engine/base/segment.h"

/* What can be seen of a simple element at a glance. */
enum glance {
    LOOK_WELL,
    A_TEXT,
    A_CODE,
    A_NUMBER,
    A_DECIMAL,
    A_DATE,
    A_TIME,
    A_PERIOD, /* a date where the element before says D8 */
    A_COMPOSITE
};

enum { KNOWN_BITS = 2 };

/* How an element, or a component, is looked at. */
typedef struct quick {
    uint32_t        least, span; /* bytes: at least `least`, which is not 0, and at most `span` more */
    uint8_t         kind;
    bool            required;
    uint16_t        last_required;          /* of A_COMPOSITE: component */
    uint32_t        count;                  /* of the codes, or of the components */
    uint64_t        known[1 << KNOWN_BITS]; /* values that were fine before, as `high` below; 0 = none */
    const uint64_t *codes;                  /* of A_CODE: packed, ascending */
    struct quick   *parts;                  /* of A_COMPOSITE */
} quick;

/* A segment whose bytes are read eight at a time. */
typedef struct segment_words {
    const uint8_t *bytes;
    uint32_t       last;  /* from here on eight bytes can still be read */
    bool           plain; /* each byte is printable, none separates repetitions */
    uint64_t       room;  /* the bytes of a segment of less than eight */
} segment_words;

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

typedef uint8_t  block __attribute__((vector_size(16)));
typedef uint64_t halves __attribute__((vector_size(16)));

/* Marks the bytes that are not plain. What separates elements is none of them, whatever it is. */
static inline block odd_ones(block b, const shunt_delims *delims)
{
    return ((block)(b < (uint8_t)' ') & (block)(b != delims->element)) | (block)(b == (uint8_t)0x7f) |
           (block)(b == delims->repetition);
}

static inline block block_at(const uint8_t *bytes)
{
    block b;
    memcpy(&b, bytes, sizeof b);
    return b;
}

static inline block block_of(uint64_t first, uint64_t second) { return (block)(halves){ first, second }; }

/* Lengths differ from segment to segment, and a wrong guess of a branch costs more than bytes that are looked at twice. */
static inline void read_words(segment_words *w, const shunt_segment *s, const shunt_delims *delims)
{
    const uint8_t *bytes = s->bytes;
    uint32_t       last = s->length - 8;
    block          odd;
    w->bytes = bytes;
    w->last = last;
    w->plain = false;
    if (SHUNT_UNLIKELY(s->line_ends)) return;
    if (SHUNT_LIKELY(s->length >= 8)) {
        odd = odd_ones(block_of(shunt_first_eight(bytes), shunt_first_eight(bytes + (last < 8 ? last : 8))), delims) |
              odd_ones(block_of(shunt_first_eight(bytes + (last > 8 ? last - 8 : 0)), shunt_first_eight(bytes + last)), delims);
        for (uint32_t i = 16; SHUNT_UNLIKELY(i + 16 < s->length); i += 16) odd |= odd_ones(block_at(bytes + i), delims);
    } else {
        uint64_t word = EACH(' ');
        for (uint32_t i = s->length; i-- > 0;) word = word << 8 | bytes[i];
        odd = odd_ones(block_of(word, word), delims);
        w->room = shunt_first_eight((const uint8_t *)&word);
        w->bytes = (const uint8_t *)&w->room;
        w->last = 0;
    }
    halves both = (halves)odd;
    w->plain = !(both[0] | both[1]);
}

/* Eight bytes from one of the segment on, the first one lowest; behind the end of the segment they may be any. */
static inline uint64_t word_at(const segment_words *w, uint32_t at)
{
    uint32_t from = at < w->last ? at : w->last;
    return shunt_first_eight(w->bytes + from) >> 8 * (at - from);
}

/* Digits, and with `point` one point among them, in the highest `length` bytes of `high`, each ^ '0', with zeros below. Whether an
 * amount has cents no branch could guess. */
static inline bool are_digits(uint64_t high, uint32_t length, bool point)
{
    uint64_t alone = 0;
    if (point) {
        uint64_t same = high ^ EACH('.' ^ '0'), marks = ~(((same & EACH(0x7fu)) + EACH(0x7fu)) | same | EACH(0x7fu));
        uint64_t one = (marks & -marks) >> 7;
        high &= ~(one * 0xff);
        alone = (one != 0) & (length == 1);
    }
    return !((((high + EACH(0x76u)) | high) & EACH(0x80u)) | alone);
}

static inline bool is_number(const quick *q, const segment_words *w, uint32_t at, uint32_t length)
{
    bool     point = q->kind == A_DECIMAL;
    uint64_t word;
    if (SHUNT_UNLIKELY(length > 8)) {
        for (uint32_t i = 0; i < length; i++) {
            uint8_t c = w->bytes[at + i];
            if (c >= '0' && c <= '9') continue;
            if (c != '.' || !point) return false;
            point = false;
        }
        return true;
    }
    word = word_at(w, at) ^ EACH('0');
    if (SHUNT_LIKELY(are_digits(word << (64 - 8 * length), length, point))) return true;
    /* A sign does not count for the length. */
    return (word & 0xff) == ('-' ^ '0') && length > q->least && are_digits(word >> 8 << (72 - 8 * length), length - 1, point);
}

static inline bool has_code(const quick *q, uint64_t packed)
{
    uint32_t low = 0, high = q->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (q->codes[middle] < packed)
            low = middle + 1;
        else
            high = middle;
    }
    return low < q->count && q->codes[low] == packed;
}

static inline bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

static inline bool all_digits(const uint8_t *bytes, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        if (!is_digit(bytes[i])) return false;
    return length > 0;
}

static inline uint32_t two(const uint8_t *bytes) { return (bytes[0] - '0') * 10u + (bytes[1] - '0'); }

/* CCYYMMDD or YYMMDD. A year of no business is wrong by no rule of the standard: it is only doubted. */
static inline bool is_date_since(const uint8_t *bytes, uint32_t length, int first, int last)
{
    if ((length != 8 && length != 6) || !all_digits(bytes, length)) return false;
    int year = length == 8 ? (int)(two(bytes) * 100 + two(bytes + 2)) : 2000 + (int)two(bytes);
    bytes += length - 4;
    return year >= first && year <= last && shunt_date_valid(year, (int)two(bytes), (int)two(bytes + 2));
}

static inline bool is_date(const uint8_t *bytes, uint32_t length) { return is_date_since(bytes, length, 1800, 2199); }

/* HHMM, HHMMSS, HHMMSSD, HHMMSSDD. */
static inline bool is_time(const uint8_t *bytes, uint32_t length)
{
    if (length < 4 || length > 8 || length == 5 || !all_digits(bytes, length)) return false;
    return two(bytes) < 24 && two(bytes + 2) < 60 && (length < 6 || two(bytes + 4) < 60);
}

/* CCYYMMDD, the first digit lowest: digits are added up in pairs, then in fours. */
static inline bool is_full_date(uint64_t word)
{
    static const uint8_t days[16] = { [1] = 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    uint64_t             digits = word ^ EACH('0');
    if (((digits + EACH(0x76u)) | digits) & EACH(0x80u)) return false;
    uint64_t pairs = (digits * 10 + (digits >> 8)) & UINT64_C(0x00ff00ff00ff00ff);
    uint32_t year = (uint32_t)(pairs & 0xff) * 100 + (uint32_t)(pairs >> 16 & 0xff);
    uint32_t month = (uint32_t)(pairs >> 32 & 0xff), day = (uint32_t)(pairs >> 48);
    if (SHUNT_UNLIKELY(month == 2 && day == 29)) return shunt_date_valid((int)year, 2, 29) && year >= 1800 && year <= 2199;
    return year - 1800 < 400 && day - 1 < days[month & 15] && month < 16;
}

/* A code or a time, or a date of six digits, that is not among the known ones. */
static __attribute__((noinline)) bool is_new_one(quick *q, const uint8_t *bytes, uint32_t length, uint64_t high, uint64_t *known)
{
    bool fine = false;
    if (q->kind == A_CODE)
        fine = has_code(q, __builtin_bswap64(high) << (64 - 8 * length));
    else if (q->kind == A_TIME)
        fine = is_time(bytes, length);
    else if (q->kind == A_DATE)
        fine = is_date(bytes, length);
    if (fine) *known = high;
    return fine;
}

/* A simple value of a plain segment that is fine beyond doubt. Of A_PERIOD the element before it must say D8. */
static inline bool simply_fine(const segment_words *w, quick *q, uint32_t at, uint32_t length)
{
    if (length - q->least > q->span) return false;
    if (q->kind == A_TEXT) return true;
    if (q->kind == A_NUMBER || q->kind == A_DECIMAL) return is_number(q, w, at, length);
    if (SHUNT_UNLIKELY(length > 8)) return false;
    if ((q->kind == A_DATE && length == 8) || q->kind == A_PERIOD) return length == 8 && is_full_date(word_at(w, at));
    /* In the highest bytes; no value of a plain segment begins with a NUL. */
    uint64_t  high = word_at(w, at) << (64 - 8 * length);
    uint64_t *known = &q->known[high * UINT64_C(0x9e3779b97f4a7c15) >> (64 - KNOWN_BITS)];
    return SHUNT_LIKELY(*known == high) || is_new_one(q, w->bytes + at, length, high, known);
}

/* Where the next separator stands, or the end. */
static inline uint32_t until(const segment_words *w, uint32_t at, uint32_t end, uint8_t separator)
{
    for (; separator && at < end; at += 8) {
        uint64_t same = word_at(w, at) ^ EACH(separator), found = (same - EACH(1)) & ~same & EACH(0x80u);
        if (SHUNT_UNLIKELY(!found)) continue;
        at += (uint32_t)__builtin_ctzll(found) / 8; /* the lowest mark is a true one */
        return at < end ? at : end;
    }
    return end;
}

static inline bool wholly_fine(const segment_words *w, quick *q, uint32_t at, uint32_t length, uint8_t separator)
{
    uint32_t end = at + length;
    for (uint32_t c = 0; c < q->count; c++) {
        uint32_t next = until(w, at, end, separator);
        if (next == at ? c < q->last_required && q->parts[c].required : !simply_fine(w, &q->parts[c], at, next - at))
            return false;
        if (next == end) return c + 1 >= q->last_required;
        at = next + 1;
    }
    return false;
}

#endif
