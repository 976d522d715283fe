/* json.h - JSON texts one after the other as tokens. yajl does the grammar; what it lacks is done around it: an own pass over the
 * bytes before it (UTF-8, escapes and lone surrogates, control characters, form feed), depth and duplicate names in its
 * callbacks, numbers as they were written, exact places.
 * yajl is given whole tokens only: what is not finished waits in a buffer of ours, so that nothing depends on how the input is
 * cut, no token is looked at twice, and a string of any length costs a bounded buffer.
 * Owns:    its buffers and those of yajl.   Threads: one, one.
 * Fails:   JSON_FAULT (`fault`), and JSON_NO_MEMORY: yajl does not look at what its allocator gives, so a failure leaves it by
 *          longjmp, and all its blocks are given back. */
#ifndef SHUNT_FHIR_JSON_H
#define SHUNT_FHIR_JSON_H

#include "standards/fhir/token.h"

enum {
    SHUNT_FHIR_DEPTH = 64,        /* containers in containers */
    SHUNT_FHIR_PROPERTIES = 1024, /* of one object */
    SHUNT_FHIR_NAME = 1024,       /* bytes of a name */
    SHUNT_FHIR_NUMBER = 1024,     /* bytes of a number */
    SHUNT_JSON_PIECE = 8 * 1024,  /* bytes given to shunt_json_feed at once, at most */
};

typedef enum shunt_json_step {
    SHUNT_JSON_MORE,  /* feed; after the last piece: the input is over */
    SHUNT_JSON_BEGIN, /* between texts: a byte that is no white space, `first`, at `at`; call `open` or `skip_line` */
    SHUNT_JSON_LINE,  /* between texts or after skip_line: a line ended at `at` */
    SHUNT_JSON_END,   /* the text is complete; `at` is the byte after it */
    SHUNT_JSON_FAULT, /* the text is broken: `code`, `at`, `length`, `detail`; call skip_line, or no more */
    SHUNT_JSON_NO_MEMORY,
} shunt_json_step;

typedef struct shunt_json shunt_json;

/* What the last step says. */
typedef struct shunt_json_state {
    uint64_t     at;
    uint32_t     length;
    shunt_status code;
    uint8_t      first;    /* BEGIN: the byte */
    uint8_t      ending;   /* LINE after skip_line: the last byte of the line that is no white space */
    bool         one_line; /* END, FAULT: no line end stood in the text so far */
    char         detail[80];
} shunt_json_state;

/* `most` bounds the bytes of a value that is handed over: a longer one has no text, but its length. Everything is borrowed. */
shunt_json             *shunt_json_new(const shunt_memory *memory, shunt_token_sink *sink, size_t most) SHUNT_MUST_USE;
/* The first byte fed stands at `at` of the input. */
void                    shunt_json_begin(shunt_json *json, uint64_t at);
void                    shunt_json_free(shunt_json *json);
const shunt_json_state *shunt_json_state_of(const shunt_json *json);
/* Copies; only after MORE, at most SHUNT_JSON_PIECE bytes. False: no memory. */
bool                    shunt_json_feed(shunt_json *json, const uint8_t *bytes, size_t size, bool last);
shunt_json_step         shunt_json_next(shunt_json *json);
/* Begins a text where BEGIN stands. `lines`: one text a line, so that a line that begins with `{` at its first column is another text. */
void                    shunt_json_open(shunt_json *json, bool lines);
/* Gives up what is open and passes over the rest of the line; then LINE or MORE. */
void                    shunt_json_skip_line(shunt_json *json);

#endif
