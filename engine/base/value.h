/* value.h - the 16-byte register every stage exchanges.
 * What it holds (kind, scale, record type) the compiler has settled and the verifier has proved, so no tag is stored.
 * A value of all zero bits is harmless for every kind. */
#ifndef SHUNT_VALUE_H
#define SHUNT_VALUE_H

#include "engine/base/date.h"
#include "engine/base/text.h"

struct shunt_row;
struct shunt_node;

typedef union shunt_value {
    __int128     coefficient; /* decimal, money, percent: scale and currency are static */
    int64_t      integer;     /* int; bool 0 or 1; enum by ordinal; date as days since 1970-01-01 */
    shunt_moment moment;
    shunt_text   text; /* UTF-8; points into the unit's arena, an input copy or a constant */
    struct {
        const union shunt_value *items; /* lists hold no absent items */
        uint32_t                 count;
    } list;
    const struct shunt_row  *row;  /* record, table row; NULL = absent */
    const struct shunt_node *node; /* one instance of a frame; NULL = absent */
} shunt_value;
_Static_assert(sizeof(shunt_value) == 16, "frames are arrays of these");

/* State of a register, field or slot; one byte in a side array. */
typedef enum shunt_state { SHUNT_PRESENT, SHUNT_ABSENT, SHUNT_CLEARED } shunt_state;

/* What a register holds. */
typedef enum shunt_kind {
    SHUNT_KIND_NONE,
    SHUNT_KIND_BOOL,
    SHUNT_KIND_INT,     /* also the ordinal of an enum */
    SHUNT_KIND_DECIMAL, /* decimal, money, percent; scale in the type */
    SHUNT_KIND_TEXT,    /* text, code, account, unit, token */
    SHUNT_KIND_DATE,
    SHUNT_KIND_MOMENT,
    SHUNT_KIND_LIST, /* of `element` kind, `record` type */
    SHUNT_KIND_ROW,  /* of `record` type */
    SHUNT_KIND_NODE, /* of plan frame `record` */
    SHUNT_KIND_COUNT
} shunt_kind;

typedef struct shunt_type {
    uint8_t  kind;    /* shunt_kind */
    uint8_t  element; /* of a list: kind of its items */
    uint8_t  scale;   /* of decimals, also as list items */
    uint8_t  flags;   /* free for the owner */
    uint16_t record;  /* ROW, LIST of ROW: record type; NODE, LIST of NODE: plan frame */
    uint16_t
        extra; /* money: text index of its currency (text 0 is empty, so 0 = no money); INT: index of its enum + 1, 0 = a number */
} shunt_type;

/* A record in memory: the fields of its record type, in order. */
typedef struct shunt_row {
    const uint8_t     *states; /* one shunt_state per field */
    const shunt_value *fields;
} shunt_row;

#endif
