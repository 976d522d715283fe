/* shape.h - what a source of rows declares (CSV, FIXED), and the guide that it makes: each type of row is a loop, its columns are the
 * elements of the segment that starts it, the remaining cells of a row are a loop in it.
 * Owns: nothing; all lives in the arena of whoever declares. Used by dsl, which compiles declarations, and by the commands, which
 * take one from the header of a file. */
#ifndef SHUNT_CSV_SHAPE_H
#define SHUNT_CSV_SHAPE_H

#include "standards/schema.h"

enum { SHUNT_SHAPE_NONE = 0xffff };

typedef struct shunt_shape_column {
    shunt_text               name;
    shunt_text               heading;  /* as the header names it */
    uint16_t                 from, to; /* cell, or bytes from..to of a record; 0 = where the header says */
    uint32_t                 length;   /* most characters, 0 = no limit */
    bool                     trim;     /* blanks at both ends are no part of the value */
    bool                     optional;
    uint8_t                  type; /* shunt_value_type */
    uint32_t                 phi;
    bool                     rest; /* all cells from here on, at most `max` */
    uint32_t                 max;
    const void              *declared; /* the declarer's own */
    const struct shunt_loop *cells;    /* of a rest: its loop, filled by shunt_csv_guide */
} shunt_shape_column;

typedef struct shunt_shape_row {
    shunt_text               name;
    uint16_t                 parent;  /* type around it, declared before; SHUNT_SHAPE_NONE */
    bool                     once;    /* at most once in its parent */
    bool                     trailer; /* the input ends with this type, or with another that is one */
    shunt_text              *keys;
    uint16_t                 key_count;
    shunt_shape_column      *columns;
    uint16_t                 column_count;
    /* filled by shunt_csv_guide */
    const struct shunt_loop *loop; /* of the type that is the transaction the body of the guide; NULL: outside of transactions */
    const struct shunt_segment_node *segment;
} shunt_shape_row;

typedef struct shunt_csv_shape {
    bool             fixed;
    uint32_t         length; /* FIXED: bytes of a record */
    uint8_t          separator, quote, terminator;
    bool             lines, header;
    shunt_text       encoding, continuation; /* empty = UTF-8, none */
    uint16_t         key_from, key_to;
    uint16_t         transaction; /* type of row; SHUNT_SHAPE_NONE = the input */
    shunt_shape_row *rows;
    uint16_t         row_count;
} shunt_csv_shape;

/* A guide of a source of rows: its shape stands behind it. */
typedef struct shunt_shape_guide {
    shunt_guide      guide; /* first */
    shunt_csv_shape *shape;
} shunt_shape_guide;
/* NULL for the guides of other standards. */
static inline const shunt_csv_shape *shunt_guide_shape(const shunt_guide *guide)
{
    bool rows = guide->standard == SHUNT_STANDARD_CSV || guide->standard == SHUNT_STANDARD_FIXED;
    return rows ? ((const shunt_shape_guide *)(const void *)guide)->shape : NULL;
}

/* The guide of a shape, which it fills in. NULL: no memory. */
const shunt_guide *shunt_csv_guide(shunt_arena *arena, shunt_csv_shape *shape) SHUNT_MUST_USE;

/* The shape of a file without a declaration, from its first bytes (`last`: all of them): the separator that fits, columns named by its
 * header row, all of them texts that may be missing. A first row that looks like data (an empty cell, a cell without letters, the same
 * twice) is no header: columns are then called by their numbers. NULL: no memory; `*known` false: more bytes are needed, or they are no
 * rows. */
shunt_csv_shape *shunt_csv_sniff(shunt_arena *arena, shunt_text bytes, bool last, bool *known) SHUNT_MUST_USE;

#endif
