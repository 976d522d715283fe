/* look.h - what the files behind `inspect` and `get` share: inspect.c (the standard by the first bytes, output), and one file a
 * standard, which makes a reader and writes what its events say. They stream: nothing of a message is kept that is not shown. */
#ifndef SHUNT_API_LOOK_H
#define SHUNT_API_LOOK_H

#include "api/api.h"
#include "standards/registry.h"

typedef struct shunt_inspector shunt_inspector;

/* One standard. All state of its own hangs on `inspector->own`, in the arena. */
typedef struct look_ops {
    /* The path as this standard has it, taken apart. What is wrong with it as one clause, NULL = nothing, it is one of its
     * paths. */
    const char *(*parse)(shunt_inspector *inspector, const char *path);
    /* Makes the reader for an input that begins so. NULL, or what is wrong; no reader and nothing wrong: more bytes are needed,
     * never where `whole` says that no more will be shown. */
    const char *(*open)(shunt_inspector *inspector, shunt_text begin, bool whole);
    void (*event)(shunt_inspector *inspector, const shunt_event *event);
    void (*done)(shunt_inspector *inspector); /* after the reader is gone; NULL = nothing to give back */
} look_ops;

struct shunt_inspector {
    shunt_memory          memory;
    shunt_inspect_options options;
    shunt_arena          *arena;
    shunt_write           write;
    void                 *context;
    shunt_buffer          out;
    const char           *path;                      /* get; NULL: inspect */
    void                 *own[SHUNT_STANDARD_COUNT]; /* the path of each standard that has one such */
    const char           *wrong[SHUNT_STANDARD_COUNT];
    uint8_t               held[SHUNT_SNIFF_BYTES]; /* until the standard is known */
    size_t                held_size;
    shunt_standard        standard;
    const look_ops       *ops;
    shunt_reader         *reader;
    shunt_text            set, control; /* of the open transaction, copied */
    char                  set_bytes[64], control_bytes[256];
    bool                  faults;
    shunt_result          stopped; /* what every later call gives */
    shunt_buffer          why;
};

/* What `open` of rows says of bytes that are none. */
extern const char     look_no_rows[];
extern const look_ops look_x12, look_hl7, look_fhir, look_csv;

/* Some bytes of a message and where they stand. */
typedef struct look_value {
    const char *bytes;
    uint32_t    length;
    uint64_t    at;
    uint32_t    size; /* in the input */
} look_value;

/* Part `k` (from 1) of the bytes between `separator`s; false where there are fewer. Without a separator part 1 is all. */
bool look_part(look_value whole, uint8_t separator, unsigned k, look_value *part);
/* All parts in order, each byte looked at once. */
typedef struct look_parts {
    look_value rest;
    uint8_t    separator;
    bool       over;
} look_parts;
look_parts look_split(look_value whole, uint8_t separator);
bool       look_next(look_parts *parts, look_value *part); /* false where none is left */
/* Element k of a segment, 0 = all of it. */
look_value look_element(const shunt_segment *segment, unsigned k);
/* One value of `get`: a line, or with `json` an object. Absent ones give nothing. */
void       look_put(shunt_inspector *inspector, look_value value, uint32_t segment);
void       look_indent(shunt_inspector *inspector, unsigned depth);
/* Text of the message in a heading: unprintable bytes as `?`, behind 256 bytes `...`. */
void       look_text(shunt_inspector *inspector, shunt_text text);
/* A value in a tree: masked where it carries classes and they are not to be shown, unprintable bytes as `?`. */
void       look_show(shunt_inspector *inspector, look_value value, uint32_t phi);
/* What can be no value of this element may be one of another, moved by a stray separator. */
bool       look_fits(const shunt_element *element, look_value value);
void       look_begin(shunt_inspector *inspector, const shunt_event *event); /* remembers set and control */
void       look_fault(shunt_inspector *inspector, const shunt_event *event, unsigned depth);

#endif
