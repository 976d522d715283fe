#include "engine/base/text.h"

#include <stdio.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

int shunt_text_compare(shunt_text a, shunt_text b)
{
    uint32_t shorter = a.length < b.length ? a.length : b.length;
    int      order = shorter ? memcmp(a.bytes, b.bytes, shorter) : 0;
    if (order) return order;
    return (a.length > b.length) - (a.length < b.length);
}

bool shunt_text_starts(shunt_text text, shunt_text prefix)
{
    return text.length >= prefix.length && (prefix.length == 0 || memcmp(text.bytes, prefix.bytes, prefix.length) == 0);
}

uint64_t shunt_text_hash(shunt_text text)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (uint32_t i = 0; i < text.length; i++) hash = (hash ^ (uint8_t)text.bytes[i]) * 0x100000001b3u;
    return hash ^ hash >> 32; /* the low bits alone choose a slot */
}

shunt_text shunt_text_copy(shunt_arena *arena, shunt_text text)
{
    char *bytes = shunt_arena_bytes(arena, text.length);
    if (!bytes) return (shunt_text){ NULL, 0 };
    if (text.length) memcpy(bytes, text.bytes, text.length);
    return (shunt_text){ bytes, text.length };
}

shunt_text shunt_text_format(shunt_arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    shunt_text text = shunt_text_vformat(arena, format, args);
    va_end(args);
    return text;
}

shunt_text shunt_text_vformat(shunt_arena *arena, const char *format, va_list args)
{
    char    few[256];
    va_list again;
    va_copy(again, args);
    shunt_text text = { NULL, 0 };
    int        length = vsnprintf(few, sizeof few, format, args);
    char      *bytes = length < 0 ? NULL : shunt_arena_bytes(arena, (size_t)length + 1);
    if (bytes) {
        if ((size_t)length < sizeof few)
            memcpy(bytes, few, (size_t)length + 1);
        else
            vsnprintf(bytes, (size_t)length + 1, format, again);
        text = (shunt_text){ bytes, (uint32_t)length };
    }
    va_end(again);
    return text;
}

const char *shunt_text_z(shunt_arena *arena, shunt_text text)
{
    char *z = shunt_arena_bytes(arena, (size_t)text.length + 1);
    if (!z) return NULL;
    if (text.length) memcpy(z, text.bytes, text.length);
    z[text.length] = '\0';
    return z;
}

/* UTF-8 */

static bool follows(uint8_t byte) { return (byte & 0xc0) == 0x80; }

/* Bytes of the well-formed character at `at` (Unicode 15, table 3-7), or 0. `size` > 0. */
static size_t character(const uint8_t *at, size_t size)
{
    uint8_t lead = at[0];
    if (lead < 0x80) return 1;
    if (lead < 0xc2 || lead > 0xf4 || size < 2) return 0;
    if (lead < 0xe0) return follows(at[1]) ? 2 : 0;
    uint8_t least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80; /* overlong below */
    uint8_t most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;  /* surrogates, beyond U+10FFFF above */
    if (at[1] < least || at[1] > most || size < 3 || !follows(at[2])) return 0;
    if (lead < 0xf0) return 3;
    return size >= 4 && follows(at[3]) ? 4 : 0;
}

static bool ascii8(const char *at)
{
    uint64_t word;
    memcpy(&word, at, 8);
    return (word & 0x8080808080808080u) == 0;
}

size_t shunt_utf8_bad(const char *bytes, size_t length)
{
    size_t i = 0;
    while (i < length) {
        if (length - i >= 8 && ascii8(bytes + i)) {
            i += 8;
            continue;
        }
        size_t step = character((const uint8_t *)bytes + i, length - i);
        if (step == 0) return i;
        i += step;
    }
    return length;
}

uint32_t shunt_utf8_count(shunt_text text)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < text.length; i++) count += !follows((uint8_t)text.bytes[i]);
    return count;
}

uint32_t shunt_utf8_offset(shunt_text text, uint32_t characters)
{
    uint32_t i = 0;
    for (; i < text.length; i++) {
        if (follows((uint8_t)text.bytes[i])) continue;
        if (characters-- == 0) return i;
    }
    return text.length;
}

static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }

uint32_t shunt_text_distance(shunt_text a, shunt_text b, uint32_t at_most)
{
    enum { LONGEST = 255 };
    while (a.length && b.length && a.bytes[0] == b.bytes[0]) {
        a = (shunt_text){ a.bytes + 1, a.length - 1 };
        b = (shunt_text){ b.bytes + 1, b.length - 1 };
    }
    while (a.length && b.length && a.bytes[a.length - 1] == b.bytes[b.length - 1]) a.length--, b.length--;
    uint32_t apart = a.length > b.length ? a.length - b.length : b.length - a.length;
    if (apart > at_most) return at_most + 1;
    if (!a.length || !b.length) return apart;
    if (a.length > LONGEST || b.length > LONGEST) return at_most + 1;

    uint16_t  rows[3][LONGEST + 1];
    uint16_t *before = rows[0], *last = rows[1], *now = rows[2];
    for (uint32_t j = 0; j <= b.length; j++) last[j] = (uint16_t)j;
    for (uint32_t i = 1; i <= a.length; i++) {
        now[0] = (uint16_t)i;
        for (uint32_t j = 1; j <= b.length; j++) {
            bool     same = a.bytes[i - 1] == b.bytes[j - 1];
            uint32_t cost = least(last[j - 1] + !same, least(last[j], now[j - 1]) + 1u);
            if (i > 1 && j > 1 && a.bytes[i - 1] == b.bytes[j - 2] && a.bytes[i - 2] == b.bytes[j - 1])
                cost = least(cost, before[j - 2] + 1u);
            now[j] = (uint16_t)cost;
        }
        uint16_t *free_row = before;
        before = last, last = now, now = free_row;
    }
    return least(last[b.length], at_most + 1);
}

/* The growing buffer */

void shunt_buffer_done(shunt_buffer *b)
{
    shunt_memory_free(b->memory, b->bytes);
    shunt_buffer_init(b, b->memory);
}

bool shunt_buffer_reserve(shunt_buffer *b, size_t more)
{
    if (more <= b->capacity - b->length) return !b->failed;
    if (b->failed) return false;
    size_t needed, doubled = b->capacity < SIZE_MAX / 2 ? b->capacity * 2 : SIZE_MAX;
    b->failed = __builtin_add_overflow(b->length, more, &needed);
    if (b->failed) return false;
    size_t capacity = doubled < 256 ? 256 : doubled;
    if (capacity < needed) capacity = needed;
    char *bytes = shunt_memory_resize(b->memory, b->bytes, capacity);
    if (!bytes) {
        b->failed = true;
        return false;
    }
    b->bytes = bytes;
    b->capacity = capacity;
    return true;
}

void shunt_buffer_add(shunt_buffer *b, const void *bytes, size_t length)
{
    if (length == 0 || (length > b->capacity - b->length && !shunt_buffer_reserve(b, length))) return;
    memcpy(b->bytes + b->length, bytes, length);
    b->length += length;
}

void shunt_buffer_z(shunt_buffer *b, const char *z) { shunt_buffer_add(b, z, strlen(z)); }

void shunt_buffer_format(shunt_buffer *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    size_t room = b->capacity - b->length;
    int    length = vsnprintf(b->bytes ? b->bytes + b->length : NULL, room, format, args);
    if (length < 0) {
        b->failed = true;
    } else if ((size_t)length < room) {
        b->length += (size_t)length;
    } else if (shunt_buffer_reserve(b, (size_t)length + 1)) { /* vsnprintf also writes a NUL */
        vsnprintf(b->bytes + b->length, (size_t)length + 1, format, again);
        b->length += (size_t)length;
    }
    va_end(again);
    va_end(args);
}

static bool plain(uint8_t byte) { return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\'; }

/* How many bytes from `at` on stand for themselves in a JSON string. */
static size_t plain_run(const char *at, size_t length)
{
    size_t i = 0;
#ifdef __SSE2__
    const __m128i blank = _mm_set1_epi8(0x20), quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
    for (; length - i >= 16; i += 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(at + i));
        /* Signed: bytes from 0x80 on are below the blank too. */
        __m128i special =
            _mm_or_si128(_mm_cmplt_epi8(block, blank), _mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, slash)));
        unsigned mask = (unsigned)_mm_movemask_epi8(special);
        if (mask) return i + (unsigned)__builtin_ctz(mask);
    }
#else
    const uint64_t ones = 0x0101010101010101u, tops = ones * 0x80;
    for (; length - i >= 8; i += 8) {
        uint64_t word;
        memcpy(&word, at + i, 8);
        uint64_t quote = word ^ ones * '"', slash = word ^ ones * '\\';
        /* May mark a plain byte above a special one, never the other way round; the loop below settles it. */
        if ((((word - ones * 0x20) | (quote - ones) | (slash - ones) | word) & tops) != 0) break;
    }
#endif
    while (i < length && plain((uint8_t)at[i])) i++;
    return i;
}

static void escape(shunt_buffer *b, uint8_t byte)
{
    static const char hex[] = "0123456789abcdef";
    char              text[6] = { '\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15] };
    switch (byte) {
    case '"': shunt_buffer_add(b, "\\\"", 2); break;
    case '\\': shunt_buffer_add(b, "\\\\", 2); break;
    case '\b': shunt_buffer_add(b, "\\b", 2); break;
    case '\f': shunt_buffer_add(b, "\\f", 2); break;
    case '\n': shunt_buffer_add(b, "\\n", 2); break;
    case '\r': shunt_buffer_add(b, "\\r", 2); break;
    case '\t': shunt_buffer_add(b, "\\t", 2); break;
    default: shunt_buffer_add(b, text, sizeof text); break;
    }
}

void shunt_buffer_json(shunt_buffer *b, shunt_text text)
{
    const char *at = text.bytes;
    size_t      left = text.length;
    if (!shunt_buffer_reserve(b, left + 2)) return;
    b->bytes[b->length++] = '"';
    for (;;) {
        size_t run = plain_run(at, left);
        shunt_buffer_add(b, at, run);
        if (run == left) break;
        at += run, left -= run;
        size_t step = character((const uint8_t *)at, left);
        if (step == 0)
            shunt_buffer_add(b, "\xef\xbf\xbd", 3);
        else if (step == 1)
            escape(b, (uint8_t)*at);
        else
            shunt_buffer_add(b, at, step);
        step = step ? step : 1;
        at += step, left -= step;
    }
    shunt_buffer_char(b, '"');
}

/* Interning: open addressing over numbers, at most half full. */

enum { INTERN_FIRST = 32 };

struct shunt_intern {
    shunt_arena *arena;
    shunt_text  *texts; /* by number; slot_count / 2 of them */
    uint32_t    *slots; /* number + 1; 0 = free */
    uint32_t     slot_count, count;
};

static bool intern_grow(shunt_intern *set)
{
    uint32_t slot_count = set->slot_count ? set->slot_count * 2 : INTERN_FIRST;
    if (slot_count < set->slot_count) return false;
    uint32_t   *slots = SHUNT_NEW_N(set->arena, uint32_t, slot_count);
    shunt_text *texts = SHUNT_NEW_N(set->arena, shunt_text, slot_count / 2);
    if (!slots || !texts) return false;
    if (set->count) memcpy(texts, set->texts, set->count * sizeof *texts);
    for (uint32_t number = 0; number < set->count; number++) {
        uint32_t slot = (uint32_t)shunt_text_hash(texts[number]) & (slot_count - 1);
        while (slots[slot]) slot = (slot + 1) & (slot_count - 1);
        slots[slot] = number + 1;
    }
    set->texts = texts;
    set->slots = slots;
    set->slot_count = slot_count;
    return true;
}

shunt_intern *shunt_intern_new(shunt_arena *arena)
{
    shunt_intern *set = SHUNT_NEW(arena, shunt_intern);
    if (!set) return NULL;
    set->arena = arena;
    return intern_grow(set) ? set : NULL;
}

/* The slot that holds `text`, or the free one where it belongs. */
static uint32_t intern_slot(const shunt_intern *set, shunt_text text)
{
    uint32_t mask = set->slot_count - 1, slot = (uint32_t)shunt_text_hash(text) & mask;
    while (set->slots[slot] && !shunt_text_equal(set->texts[set->slots[slot] - 1], text)) slot = (slot + 1) & mask;
    return slot;
}

bool shunt_intern_find(const shunt_intern *set, shunt_text text, uint32_t *number)
{
    uint32_t found = set->slots[intern_slot(set, text)];
    if (!found) return false;
    *number = found - 1;
    return true;
}

bool shunt_intern_add(shunt_intern *set, shunt_text text, uint32_t *number)
{
    if (shunt_intern_find(set, text, number)) return true;
    if (set->count == set->slot_count / 2 && !intern_grow(set)) return false;
    shunt_text copy = shunt_text_copy(set->arena, text);
    if (!copy.bytes) return false;
    set->slots[intern_slot(set, copy)] = set->count + 1;
    set->texts[set->count] = copy;
    *number = set->count++;
    return true;
}

uint32_t shunt_intern_count(const shunt_intern *set) { return set->count; }

shunt_text shunt_intern_text(const shunt_intern *set, uint32_t number)
{
    return number < set->count ? set->texts[number] : (shunt_text){ NULL, 0 };
}
