/* encode.h - the inside of the encoders: what record.c and the files that write one form each share. For users see record.h.
 * A form is prepared once a target, from the program alone: names and punctuation as bytes, settings as numbers. */
#ifndef SHUNT_ENCODE_H
#define SHUNT_ENCODE_H

#include "engine/vm/record.h"

struct shunt_form;

enum { SHUNT_FORM_COLUMNS = 4096 /* of one encoding */, SHUNT_VALUE_ROOM = 64, SHUNT_STEP = 32 /* see shunt_encoders_keep */ };

/* Writes values as JSON. `shapes`: by record type. */
struct shunt_shape;
typedef struct shunt_json {
    const shunt_program      *program;
    const struct shunt_shape *shapes;
    size_t                    room;       /* the members of any record type, all of them short */
    bool                      bare_money; /* amounts are JSON numbers, not strings */
} shunt_json;

struct shunt_message_parts;

/* Messages that are handed out: the record that waits for the one behind it, and the envelope that is open. */
typedef struct shunt_dress {
    shunt_buffer held[2]; /* parcels: [now] waits, the other one is the one before it */
    unsigned     now;
    bool         waits, follows; /* follows: the one that waits has one before it */
    uint16_t     target;
    shunt_buffer head, end;
    uint64_t     control; /* the next one, 0 = not known yet */
    uint64_t     interchange, group, groups, sets, segments;
} shunt_dress;

/* What goes around `now`, between `before` and `after` (NULL = nothing): into d->head and d->end; `piece->body` is set. */
typedef shunt_status shunt_dresser(const struct shunt_form *form, shunt_dress *d, const struct shunt_message_parts *before,
                                   const struct shunt_message_parts *now, const struct shunt_message_parts *after,
                                   shunt_piece *piece);

/* How records of one target are written. */
typedef struct shunt_form {
    shunt_dresser *dress; /* NULL: a record is written once for all */
    shunt_encoder *write;
    const void    *own;       /* of the writer; NULL: the form that needs no `encode` */
    shunt_text     json_head; /* of that one: `{"target":"gl","key":` */
    shunt_text     head, end; /* see shunt_encoders_head, shunt_encoders_end */
} shunt_form;

struct shunt_encoders {
    const shunt_memory  *memory;
    const shunt_program *program;
    shunt_arena         *arena;   /* forms and names */
    shunt_json           json[2]; /* by `bare_money` */
    shunt_form          *forms;   /* one a target */
    shunt_text          *files;   /* one a site: `,"rule":"remit.map:143"}}` */
    shunt_text           meta;    /* `,"meta":{"module":...,"program":"..."` */
    shunt_buffer         stamp;   /* meta and the input: `...,"input":"1","begin":` */
    shunt_buffer        *scratch; /* for a value of a message */
    shunt_moment         received_at;
    shunt_dress          dress;
};

/* ---- writing ---- */

/* `more` > 0. */
static inline char *shunt_room(shunt_buffer *out, size_t more)
{
    if (SHUNT_UNLIKELY(out->capacity - out->length < more) && !shunt_buffer_reserve(out, more)) return NULL;
    return out->bytes + out->length;
}

static inline void shunt_put(shunt_buffer *out, shunt_text text)
{
    char *at;
    if (!text.length || SHUNT_UNLIKELY(!(at = shunt_room(out, text.length)))) return;
    memcpy(at, text.bytes, text.length);
    out->length += text.length;
}

/* Any status but OK of the writers below is that of the value: TEXT_TOO_LONG, OVERFLOW, DIGITS_LOST, NOT_WRITABLE, LIMIT. */

typedef enum shunt_charset { SHUNT_UTF8, SHUNT_ASCII, SHUNT_LATIN1 } shunt_charset;
bool         shunt_charset_find(shunt_text name, shunt_charset *charset);
/* The character at `at`, U+FFFD for a byte that is no UTF-8; `size` > 0. */
uint32_t     shunt_character(const char *at, size_t size, size_t *length);
/* NOT_WRITABLE where the charset has no such character. */
shunt_status shunt_put_character(shunt_buffer *out, shunt_charset charset, uint32_t character);
/* C0 (with line ends and tab), DEL, C1, and the line separators of Unicode. */
bool         shunt_is_control(uint32_t character);

/* ---- the parts that a form writes ---- */

/* One value of a record: a field, a column of a line, or what every line has. */
typedef struct shunt_part {
    uint16_t   field;    /* as in shunt_encoding_column */
    uint16_t   currency; /* not 0: not the value, but the currency that stands beside it (a text) */
    uint32_t   number;   /* which column of the encoding, UINT32_MAX where none is listed */
    shunt_type type;     /* of fields and columns; an amount has that of its line */
    shunt_text name;
} shunt_part;
typedef struct shunt_parts {
    shunt_part *items;
    uint32_t    count;
    bool        listed; /* the encoding lists columns */
} shunt_parts;

static inline bool                         shunt_part_of_line(const shunt_part *part) { return part->field >= SHUNT_COLUMN_LINE; }
/* What the rules say of a listed column; NULL of the others. */
static inline const shunt_encoding_column *shunt_part_column(const shunt_program *p, const shunt_encoding *e,
                                                             const shunt_part *part)
{
    return part->number == UINT32_MAX ? NULL : &p->encoding_columns[e->column_first + part->number];
}
/* False = absent. `line` NULL where the record is no journal. */
bool shunt_part_get(const shunt_program *program, const shunt_part *part, const shunt_record *record, const shunt_line *line,
                    shunt_type *type, shunt_value *value);
static inline bool shunt_is_money(shunt_type type) { return type.kind == SHUNT_KIND_DECIMAL && type.extra != 0; }
static inline bool shunt_is_scalar(shunt_type type) { return type.kind < SHUNT_KIND_LIST && type.kind != SHUNT_KIND_NONE; }

/* ---- preparing ---- */

/* What the text of a setting or a column must be. Faults are USAGE; the first one is kept. */
typedef struct shunt_setting {
    const char *name;
    shunt_text  value;  /* before: what it is where the rules say nothing */
    uint32_t    number; /* which setting of the encoding, UINT32_MAX = the rules say nothing */
} shunt_setting;

typedef struct shunt_former {
    shunt_encoders       *e;
    const shunt_target   *target;
    const shunt_encoding *encoding;
    shunt_form           *form;
    shunt_buffer         *scratch;
    shunt_encoding_fault *fault;
} shunt_former;

shunt_status shunt_form_fault(const shunt_former *f, const char *format, ...) SHUNT_PRINTF(2, 3);
shunt_status shunt_setting_fault(const shunt_former *f, const shunt_setting *setting, const char *must);
shunt_status shunt_part_fault(const shunt_former *f, const shunt_part *part, const char *format, ...) SHUNT_PRINTF(3, 4);
/* Fills in what the rules say; a setting that is not in the list, or stands twice, is a fault. */
shunt_status shunt_form_settings(const shunt_former *f, shunt_setting *settings, size_t count);
/* The listed columns, or all there is; `currencies`: those of amounts as parts of their own. Names are different from each other
 * among the header and among the lines, or, where `flat`, among all. */
shunt_status shunt_form_parts(const shunt_former *f, bool currencies, bool flat, shunt_parts *parts);
shunt_status shunt_form_nested(const shunt_former *f,
                               const shunt_parts  *parts); /* columns are members: no places, no second `lines` */
shunt_status shunt_form_flat(const shunt_former *f, const shunt_parts *parts); /* one value each */
/* What `scratch` holds, kept as long as the encoders, with SHUNT_STEP readable bytes behind it; empties it. Bytes NULL: no memory. */
shunt_text   shunt_form_keep(const shunt_former *f);

shunt_text shunt_encoders_keep(const shunt_encoders *e, shunt_buffer *scratch);

/* One form each. `form` is theirs to fill: write, own, head, end. */
shunt_status shunt_form_json(const shunt_former *f);
shunt_status shunt_form_csv(const shunt_former *f);
shunt_status shunt_form_fixed(const shunt_former *f);
shunt_status shunt_form_xml(const shunt_former *f);
shunt_status shunt_form_x12(const shunt_former *f);
shunt_status shunt_form_hl7(const shunt_former *f);
shunt_status shunt_form_fhir(const shunt_former *f);

/* encode_json.c: the default form, and what it is made of. */
shunt_status shunt_json_shapes(shunt_encoders *e, shunt_buffer *scratch);
shunt_status shunt_json_record(const shunt_json *json, const shunt_record *record, shunt_buffer *out);
shunt_status shunt_encode_line(const shunt_encoders *e, const shunt_record *record, const shunt_stamp *stamp, shunt_buffer *out,
                               shunt_written *written);

#endif
