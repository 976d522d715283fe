/* text.h - counted UTF-8 bytes: slices, comparison, a growing buffer, interning. No terminating NUL is assumed. */
#ifndef SHUNT_TEXT_H
#define SHUNT_TEXT_H

#include <stdarg.h>
#include <string.h>

#include "engine/base/arena.h"

/* Borrowed bytes. The owner is named where one is handed over. `bytes` may be NULL where length is 0. */
typedef struct shunt_text {
    const char *bytes;
    uint32_t    length;
} shunt_text;

#define SHUNT_TEXT(literal) ((shunt_text){ (literal), (uint32_t)(sizeof(literal) - 1) })
#define SHUNT_TEXT_ARGS(t)  (int)(t).length, ((t).bytes ? (t).bytes : "") /* for "%.*s" */

static inline shunt_text shunt_text_of(const char *z) { return (shunt_text){ z, z ? (uint32_t)strlen(z) : 0 }; }
static inline bool       shunt_text_equal(shunt_text a, shunt_text b)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): a text without bytes has no length */
    return a.length == b.length && (a.length == 0 || memcmp(a.bytes, b.bytes, a.length) == 0);
}
/* One to eight bytes as a number, the first one lowest, zeros above the last. */
static inline uint64_t shunt_text_word(const char *bytes, size_t length)
{
    uint64_t word = 0;
    uint32_t low, high;
    if (length == 8) {
        memcpy(&word, bytes, 8);
    } else if (length >= 4) {
        memcpy(&low, bytes, 4);
        memcpy(&high, bytes + length - 4, 4);
        word = low | (uint64_t)high << (8 * length - 32);
    } else {
        word = (uint8_t)bytes[0] | (uint64_t)(uint8_t)bytes[length / 2] << (length / 2 * 8) |
               (uint64_t)(uint8_t)bytes[length - 1] << (8 * length - 8);
    }
    return word;
}

/* The same as shunt_text_equal, where texts are mostly short. */
static inline bool shunt_text_equal_short(shunt_text a, shunt_text b)
{
    if (a.length != b.length) return false;
    if (SHUNT_UNLIKELY(a.length - 1 >= 8)) return shunt_text_equal(a, b);
    return shunt_text_word(a.bytes, a.length) == shunt_text_word(b.bytes, b.length);
}
static inline bool shunt_text_is(shunt_text a, const char *z) { return shunt_text_equal(a, shunt_text_of(z)); }
int                shunt_text_compare(shunt_text a, shunt_text b); /* byte order; <0, 0, >0 */
bool               shunt_text_starts(shunt_text text, shunt_text prefix);
uint64_t           shunt_text_hash(shunt_text text); /* FNV-1a folded; stable within one build only */
/* What these three give has `bytes` NULL and length 0 on failure; `bytes` is never NULL on success, even where length is 0. */
shunt_text         shunt_text_copy(shunt_arena *arena, shunt_text text) SHUNT_MUST_USE;
shunt_text         shunt_text_format(shunt_arena *arena, const char *format, ...) SHUNT_PRINTF(2, 3);
shunt_text         shunt_text_vformat(shunt_arena *arena, const char *format, va_list args);
/* A NUL-terminated copy, NULL on failure. */
const char        *shunt_text_z(shunt_arena *arena, shunt_text text) SHUNT_MUST_USE;

/* UTF-8. `shunt_utf8_bad` gives the offset of the first byte that is no well-formed UTF-8 (no overlongs, no surrogates),
 * or `length`. */
size_t   shunt_utf8_bad(const char *bytes, size_t length);
uint32_t shunt_utf8_count(shunt_text text);                       /* characters */
uint32_t shunt_utf8_offset(shunt_text text, uint32_t characters); /* byte offset after so many characters, clamped */
/* Damerau-Levenshtein over bytes, each place edited once; at_most + 1 when further, or when what differs is over 255 bytes. */
uint32_t shunt_text_distance(shunt_text a, shunt_text b, uint32_t at_most);

/* A growing buffer on an allocator. Appending never fails at once: `failed` is set and stays; look at it once at the end. */
typedef struct shunt_buffer {
    const shunt_memory *memory;
    char               *bytes;
    size_t              length, capacity;
    bool                failed;
} shunt_buffer;

static inline void shunt_buffer_init(shunt_buffer *b, const shunt_memory *memory) { *b = (shunt_buffer){ .memory = memory }; }
void               shunt_buffer_done(shunt_buffer *b);                 /* frees; the buffer may be used again */
bool               shunt_buffer_reserve(shunt_buffer *b, size_t more); /* room for so many more bytes; false = failed */
void               shunt_buffer_add(shunt_buffer *b, const void *bytes, size_t length);
void               shunt_buffer_z(shunt_buffer *b, const char *z);
static inline void shunt_buffer_text(shunt_buffer *b, shunt_text text) { shunt_buffer_add(b, text.bytes, text.length); }
static inline void shunt_buffer_char(shunt_buffer *b, char c)
{
    if (SHUNT_LIKELY(b->length < b->capacity)) /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it has room */
        b->bytes[b->length++] = c;
    else
        shunt_buffer_add(b, &c, 1);
}
void shunt_buffer_format(shunt_buffer *b, const char *format, ...) SHUNT_PRINTF(2, 3);
/* With its quotes; control characters escaped, invalid UTF-8 as U+FFFD. */
void shunt_buffer_json(shunt_buffer *b, shunt_text text);

/* Interning: equal bytes give the same pointer and the same small number (from 0). Lives in the arena. */
typedef struct shunt_intern shunt_intern;
shunt_intern               *shunt_intern_new(shunt_arena *arena) SHUNT_MUST_USE;
bool                        shunt_intern_add(shunt_intern *set, shunt_text text, uint32_t *number); /* false: no memory */
bool                        shunt_intern_find(const shunt_intern *set, shunt_text text, uint32_t *number);
uint32_t                    shunt_intern_count(const shunt_intern *set);
shunt_text                  shunt_intern_text(const shunt_intern *set, uint32_t number);

#endif
