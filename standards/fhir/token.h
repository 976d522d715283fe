/* token.h - what JSON and XML have in common: names, values, objects, one after the other; and a tape to keep them on.
 * A maker of tokens (json.h, xml.h) hands them to a sink. An XML element is an ELEMENT: it may have a value and content at once, as
 * a primitive with extensions has (in JSON two properties, `birthDate` and `_birthDate`).
 * Owns:    a tape its bytes.   Threads: one tape, one thread.   Fails: false, the tape is as it was. */
#ifndef SHUNT_FHIR_TOKEN_H
#define SHUNT_FHIR_TOKEN_H

#include "engine/base/status.h"
#include "engine/base/text.h"

typedef enum shunt_token_op {
    SHUNT_TOKEN_KEY,    /* `text` */
    SHUNT_TOKEN_VALUE,  /* `kind`, `text` decoded, `at` and `length` of the raw bytes without quotes */
    SHUNT_TOKEN_OBJECT, /* `at` of its first byte */
    SHUNT_TOKEN_ELEMENT, /* an OBJECT that may have a value as well; `kind` NULL = it has none. `begin` of its tag, `at` of the value */
    SHUNT_TOKEN_OBJECT_END, /* of both; `at` the byte after it */
    SHUNT_TOKEN_ARRAY,
    SHUNT_TOKEN_ARRAY_END,
    SHUNT_TOKEN_DOCUMENT, /* to one who watches a reader: another document begins, whether the one before came to its end or not */
} shunt_token_op;

typedef enum shunt_token_kind {
    SHUNT_TOKEN_NULL,
    SHUNT_TOKEN_STRING,
    SHUNT_TOKEN_NUMBER,
    SHUNT_TOKEN_BOOL,
} shunt_token_kind;

typedef struct shunt_token {
    uint8_t    op, kind;
    bool       stays; /* the text stays where it is until the events made of it were taken */
    uint32_t   length;
    uint64_t   at, begin;
    shunt_text text;
} shunt_token;

/* Takes tokens. While `skip` is above 0 the maker of tokens counts the containers that open and close in it itself, and hands
 * nothing over, the end that brings it to 0 included. Where `wants` is false nothing of what stands under the name is handed over: a
 * container is passed over as by a `skip` of 1. */
typedef struct shunt_token_sink {
    uint32_t skip;
    bool     wants;
    bool (*take)(struct shunt_token_sink *sink, const shunt_token *token); /* false: no memory */
    /* The same for a KEY, with its shunt_bytes_hash; they come often. NULL: `take`. */
    bool (*key)(struct shunt_token_sink *sink, shunt_text name, uint64_t hash);
    /* Something is wrong that does not end the reading. `length` 0 = unknown. */
    bool (*fault)(struct shunt_token_sink *sink, shunt_status code, uint64_t at, uint32_t length, const char *detail);
} shunt_token_sink;

/* Tokens kept, addressed by offsets that stay the same while its front is given back. */
typedef struct shunt_tape {
    const shunt_memory *memory;
    uint8_t            *bytes;
    size_t              size, capacity;
    uint64_t            first; /* offset of bytes[0] */
} shunt_tape;

void     shunt_tape_init(shunt_tape *tape, const shunt_memory *memory);
void     shunt_tape_done(shunt_tape *tape);
bool     shunt_tape_add(shunt_tape *tape, const shunt_token *token) SHUNT_MUST_USE;
uint64_t shunt_tape_end(const shunt_tape *tape);
void     shunt_tape_drop(shunt_tape *tape, uint64_t until); /* gives back all before `until` */
void     shunt_tape_cut(shunt_tape *tape, uint64_t from);   /* forgets all from `from` on */
/* The token at `*offset`, which moves on. Its text is borrowed until the tape changes. False: the tape ends here. */
bool     shunt_tape_next(const shunt_tape *tape, uint64_t *offset, uint64_t end, shunt_token *token);

#endif
