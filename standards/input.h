/* input.h - input that comes in pieces, for a reader that wants its next line whole: what was fed, behind what is left of earlier pieces.
 *
 * Positions count bytes from the first one of the input. Bytes of a piece are read where they are; only what a piece ends inside of is kept
 * in a stage, with as much of the next piece as ends it. The reader moves `at` on as it reads; it looks at bytes through `shunt_input_view`
 * and asks for more of them by `shunt_input_more`. */
#ifndef SHUNT_STANDARDS_INPUT_H
#define SHUNT_STANDARDS_INPUT_H

#include "engine/base/memory.h"

typedef struct shunt_input {
    const shunt_memory *memory;
    uint64_t            at;  /* next byte to read */
    const uint8_t      *fed; /* the piece; the host's until it has been read */
    size_t              fed_size;
    uint64_t            fed_at;
    bool                last; /* no piece follows */
    uint8_t            *stage;
    size_t              stage_size, stage_capacity;
    uint64_t            stage_at;
} shunt_input;

typedef enum shunt_input_got {
    SHUNT_INPUT_MORE,   /* the view is larger */
    SHUNT_INPUT_NEED,   /* everything not read is kept; a piece must be fed */
    SHUNT_INPUT_END,    /* the view was all there will ever be */
    SHUNT_INPUT_BROKEN, /* no memory */
} shunt_input_got;

/* The bytes behind those fed so far. Of no effect behind the last piece. */
void shunt_input_feed(shunt_input *in, const uint8_t *bytes, size_t size, bool last);

/* Bytes that can be looked at from `at` on, until the next call of `shunt_input_more` or `shunt_input_feed`. */
static inline const uint8_t *shunt_input_view(shunt_input *in, size_t *size)
{
    if (in->stage_size) {
        if (in->at < in->fed_at) {
            *size = (size_t)(in->stage_at + in->stage_size - in->at);
            return in->stage + (in->at - in->stage_at);
        }
        in->stage_size = 0;
    }
    *size = (size_t)(in->fed_at + in->fed_size - in->at);
    return in->fed_size ? in->fed + (in->at - in->fed_at) : (const uint8_t *)"";
}

/* Is the view all there will ever be? */
static inline bool shunt_input_is_all(const shunt_input *in)
{
    return in->last && (!in->stage_size || in->at >= in->fed_at || in->stage_at + in->stage_size == in->fed_at + in->fed_size);
}

/* Widens the view. */
shunt_input_got shunt_input_more(shunt_input *in);

void shunt_input_done(shunt_input *in);

#endif
