#include "engine/base/date.h"
#include "engine/base/decimal.h"
#include "engine/vm/encode.h"

enum { PLAIN = 64 /* texts up to here are tried a word at a time first */, PAD = 16 };

/* A member name with its punctuation, as it stands before a value that others stand before: `,"name":`. */
struct member {
    shunt_text name; /* with PAD readable bytes behind it */
    shunt_text
        currency;   /* of money: the whole member after it, `,"currency":"USD"` or `,"NAME_currency":"USD"`; empty = none here */
    shunt_text own; /* of money: `,"NAME_currency":"USD"`, for lines whose currencies differ */
    shunt_type type;
};

/* The members of a record type. */
struct shunt_shape {
    const struct member *members;
    uint32_t             count;
    uint16_t             currency; /* the one of all its money; 0 = it has none, SHUNT_NONE = they differ */
};

/* ---- writing ----
 * A writer takes the place where the next byte goes and gives the one behind what it wrote, so that it stays in a register; NULL: there
 * is no memory (`out->failed`), or rows stand too deep. Each gives SPARE bytes of room, so that marks and short constants can follow
 * without a look, and needs no more than VALUE of them. */

enum { SPARE = 160, VALUE = 64 };

#define SELDOM __attribute__((noinline, cold))

static SELDOM char *more_room(shunt_buffer *out, char *at, size_t more)
{
    out->length = (size_t)(at - out->bytes);
    return shunt_buffer_reserve(out, more) ? out->bytes + out->length : NULL;
}

/* `at` with room for so many bytes and SPARE; moved with the buffer where that had to grow. */
static inline char *with_room(shunt_buffer *out, char *at, size_t more)
{
    more += SPARE;
    return SHUNT_LIKELY((size_t)(out->bytes + out->capacity - at) >= more) ? at : more_room(out, at, more);
}

static inline char *begin(shunt_buffer *out) { return shunt_room(out, SPARE); }

static inline shunt_status finish(shunt_buffer *out, const char *at)
{
    if (SHUNT_UNLIKELY(!at)) return out->failed ? SHUNT_NO_MEMORY : SHUNT_LIMIT;
    out->length = (size_t)(at - out->bytes);
    return SHUNT_OK;
}

#define CONSTANT(at, literal) ((char *)memcpy((at), (literal), sizeof(literal) - 1) + sizeof(literal) - 1)

static inline char *put_bytes(shunt_buffer *out, char *at, shunt_text text)
{
    at = with_room(out, at, text.length);
    if (SHUNT_UNLIKELY(!at) || !text.length) return at;
    memcpy(at, text.bytes, text.length);
    return at + text.length;
}

/* Bytes with PAD readable ones behind them: copied in steps of PAD, without a call. */
static inline char *put_padded(shunt_buffer *out, char *at, const char *bytes, uint32_t length)
{
    at = with_room(out, at, length);
    if (SHUNT_UNLIKELY(!at)) return NULL;
    for (uint32_t done = 0; done < length; done += PAD) memcpy(at + done, bytes + done, PAD);
    return at + length;
}

typedef int8_t   letters __attribute__((vector_size(16)));
typedef uint64_t words __attribute__((vector_size(16)));

/* All bits above each byte that does not stand in JSON as it is: a control character or a byte of a longer character (both below a blank as
 * signed numbers), a quote, a backslash. */
static inline words marks_of(words bytes)
{
    letters letter = (letters)bytes;
    return (words)((letter < ' ') | (letter == '"') | (letter == '\\'));
}

static inline uint64_t load8(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, 8);
    return word;
}

/* Copies at most PLAIN bytes, the last of them twice where that saves a loop; true where all of them stand as they are. */
static inline bool copy_plain(char *at, const char *bytes, uint32_t length)
{
    const uint64_t blanks = UINT64_C(0x2020202020202020);
    words          some = { blanks, blanks }, marks = { 0, 0 };
    if (length >= 8) {
        for (uint32_t done = 0; done + 16 < length; done += 16) {
            memcpy(&some, bytes + done, 16);
            memcpy(at + done, &some, 16);
            marks |= marks_of(some);
        }
        uint32_t rest = length > 16 ? length - 16 : 0;
        uint64_t first = load8(bytes + rest), last = load8(bytes + length - 8);
        some = (words){ first, last };
        memcpy(at + rest, &first, 8);
        memcpy(at + length - 8, &last, 8);
    } else if (length >= 4) {
        uint32_t low, high;
        memcpy(&low, bytes, 4);
        memcpy(&high, bytes + length - 4, 4);
        memcpy(at, &low, 4);
        memcpy(at + length - 4, &high, 4);
        some[0] = low | (uint64_t)high << 32;
    } else if (length) {
        uint8_t first = (uint8_t)bytes[0], middle = (uint8_t)bytes[length / 2], last = (uint8_t)bytes[length - 1];
        at[0] = (char)first;
        at[length / 2] = (char)middle;
        at[length - 1] = (char)last;
        some[0] = first | (uint64_t)middle << 8 | (uint64_t)last << 16 | blanks << 24;
    }
    marks |= marks_of(some);
    return (marks[0] | marks[1]) == 0;
}

static SELDOM char *put_escaped(shunt_buffer *out, char *at, shunt_text text)
{
    out->length = (size_t)(at - out->bytes);
    shunt_buffer_json(out, text);
    return out->failed ? NULL : with_room(out, out->bytes + out->length, 0);
}

/* Nearly all texts are short and plain. */
static inline char *put_text(shunt_buffer *out, char *at, shunt_text text)
{
    if (SHUNT_UNLIKELY(text.length > PLAIN)) return put_escaped(out, at, text);
    at = with_room(out, at, PLAIN + 2);
    if (SHUNT_UNLIKELY(!at)) return NULL;
    if (SHUNT_UNLIKELY(!copy_plain(at + 1, text.bytes, text.length))) return put_escaped(out, at, text);
    at[0] = '"';
    at[1 + text.length] = '"';
    return at + text.length + 2;
}

static inline char *put_number(char *at, uint64_t number) { return at + shunt_decimal_print((__int128)number, 0, at); }

/* Amounts of money as the form says, other decimals as texts always. */
static inline char *put_amount(const shunt_json *j, shunt_type type, __int128 coefficient, char *at)
{
    bool quoted = SHUNT_LIKELY(!j->bare_money) || !type.extra;
    *at = '"';
    at += quoted;
    at += shunt_decimal_print(coefficient, type.scale, at);
    *at = '"';
    return at + quoted;
}

static char *put_date(char *at, int64_t days)
{
    *at++ = '"';
    shunt_date_print(days, at);
    at += SHUNT_DATE_TEXT;
    *at++ = '"';
    return at;
}

static char *put_moment(char *at, shunt_moment moment)
{
    *at++ = '"';
    at += shunt_moment_print(moment, at);
    *at++ = '"';
    return at;
}
_Static_assert(SHUNT_DECIMAL_TEXT + 2 <= VALUE && SHUNT_MOMENT_TEXT + 2 <= VALUE && SHUNT_DATE_TEXT + 2 <= VALUE, "see VALUE");

static shunt_text enum_member(const shunt_program *p, uint16_t enumeration, int64_t ordinal)
{
    const shunt_enum *e = &p->enums[enumeration];
    if (ordinal < 0 || ordinal >= e->member_count) return (shunt_text){ 0 };
    return shunt_program_text(p, p->numbers[e->member_first + (uint64_t)ordinal]);
}

static char *put_object(const shunt_json *j, uint16_t record, const shunt_value *fields, const uint8_t *states, unsigned depth,
                        shunt_buffer *out, char *at);
static char *put_list(const shunt_json *j, shunt_type type, const shunt_value *value, unsigned depth, shunt_buffer *out,
                      char *at);

static __attribute__((noinline)) char *put_other(const shunt_json *j, shunt_type type, const shunt_value *value, unsigned depth,
                                                 shunt_buffer *out, char *at)
{
    switch ((shunt_kind)type.kind) {
    case SHUNT_KIND_TEXT: return put_text(out, at, value->text);
    case SHUNT_KIND_DECIMAL: at = put_amount(j, type, value->coefficient, at); break;
    case SHUNT_KIND_BOOL: at = value->integer ? CONSTANT(at, "true") : CONSTANT(at, "false"); break;
    case SHUNT_KIND_INT:
        if (type.extra) return put_text(out, at, enum_member(j->program, (uint16_t)(type.extra - 1), value->integer));
        at += shunt_decimal_print(value->integer, 0, at);
        break;
    case SHUNT_KIND_DATE: at = put_date(at, value->integer); break;
    case SHUNT_KIND_MOMENT: at = put_moment(at, value->moment); break;
    case SHUNT_KIND_LIST: return put_list(j, type, value, depth, out, at);
    case SHUNT_KIND_ROW:
        if (value->row) return put_object(j, type.record, value->row->fields, value->row->states, depth + 1, out, at);
        at = CONSTANT(at, "null");
        break;
    case SHUNT_KIND_NONE:
    case SHUNT_KIND_NODE:
    case SHUNT_KIND_COUNT: at = CONSTANT(at, "null"); break;
    }
    return with_room(out, at, 0);
}

/* Most values are texts. */
static inline char *put_value(const shunt_json *j, shunt_type type, const shunt_value *value, unsigned depth, shunt_buffer *out,
                              char *at)
{
    if (SHUNT_LIKELY(type.kind == SHUNT_KIND_TEXT)) return put_text(out, at, value->text);
    return put_other(j, type, value, depth, out, at);
}

static char *put_list(const shunt_json *j, shunt_type type, const shunt_value *value, unsigned depth, shunt_buffer *out, char *at)
{
    type.kind = type.element;
    *at++ = '[';
    for (uint32_t i = 0; i < value->list.count; i++) {
        if (i) *at++ = ',';
        at = put_value(j, type, &value->list.items[i], depth + 1, out, at);
        if (SHUNT_UNLIKELY(!at)) return NULL;
    }
    *at++ = ']';
    return with_room(out, at, 0);
}

/* How the currencies of amounts are said. */
struct saying {
    bool said, own; /* something before says the one of all; each is said for itself */
};

/* One member, with the currency behind it where that is said. `comma`: something stands before it. */
static inline char *put_member(const shunt_json *j, const struct member *m, const shunt_value *value, bool comma,
                               struct saying *saying, unsigned depth, shunt_buffer *out, char *at)
{
    at = put_padded(out, at, m->name.bytes + !comma, m->name.length - !comma);
    if (SHUNT_UNLIKELY(!at)) return NULL;
    at = put_value(j, m->type, value, depth, out, at);
    if (SHUNT_LIKELY(!m->own.length) || (saying->said && !saying->own) || !at) return at;
    saying->said |= !saying->own;
    return put_bytes(out, at, saying->own ? m->own : m->currency);
}

/* The members of an object that are present. */
static inline char *put_members(const shunt_json *j, const struct shunt_shape *shape, const shunt_value *fields,
                                const uint8_t *states, bool comma, struct saying saying, unsigned depth, shunt_buffer *out,
                                char *at)
{
    for (uint32_t i = 0; i < shape->count; i++) {
        if (states[i] != SHUNT_PRESENT) continue;
        at = put_member(j, &shape->members[i], &fields[i], comma, &saying, depth, out, at);
        if (SHUNT_UNLIKELY(!at)) return NULL;
        comma = true;
    }
    return at;
}

static struct saying saying_of(const struct shunt_shape *shape)
{
    return (struct saying){ false, shape->currency == SHUNT_NONE };
}

static char *put_object(const shunt_json *j, uint16_t record, const shunt_value *fields, const uint8_t *states, unsigned depth,
                        shunt_buffer *out, char *at)
{
    const struct shunt_shape *shape = &j->shapes[record];
    if (depth > SHUNT_ROW_DEPTH) return NULL;
    *at++ = '{';
    at = put_members(j, shape, fields, states, false, saying_of(shape), depth, out, at);
    if (SHUNT_UNLIKELY(!at)) return NULL;
    *at++ = '}';
    return with_room(out, at, 0);
}

/* Parts of a line, as they were written: most lines of a journal have the currency of their first one, and end like it. */
enum { COLUMNS_KEPT = 16 };
struct kept_parts {
    const shunt_line *line; /* whose columns are kept; NULL: none */
    size_t            at[COLUMNS_KEPT + 1];
    uint16_t          currency; /* 0: none */
    size_t            currency_at, currency_length;
};

/* Bytes of this record again, by steps without a call; what is read beyond the run are bytes of the record that follow it. */
static inline char *put_again(shunt_buffer *out, char *at, size_t from, size_t length)
{
    at = with_room(out, at, length + PAD);
    if (SHUNT_UNLIKELY(!at)) return NULL;
    for (size_t done = 0; done < length; done += PAD) memcpy(at + done, out->bytes + from + done, PAD);
    return at + length;
}

static inline bool same_column(const shunt_line *a, const shunt_line *b, uint32_t i)
{
    return a->states[i] == b->states[i] &&
           /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): what differs in padding is only written again */
           (a->states[i] != SHUNT_PRESENT || memcmp(&a->columns[i], &b->columns[i], sizeof *a->columns) == 0);
}

/* Columns none of which is money, at most COLUMNS_KEPT. */
static inline char *put_columns(const shunt_json *j, const struct shunt_shape *shape, const shunt_line *line,
                                struct kept_parts *kept, shunt_buffer *out, char *at)
{
    struct saying nothing = { true, false };
    uint32_t      count = shape->count, first = count; /* of those that are as in the line that is kept */
    while (kept->line && first && same_column(kept->line, line, first - 1)) first--;
    if (first == count) kept->line = line;
    for (uint32_t i = 0; i < first; i++) {
        if (first == count) kept->at[i] = (size_t)(at - out->bytes);
        if (line->states[i] != SHUNT_PRESENT) continue;
        at = put_member(j, &shape->members[i], &line->columns[i], true, &nothing, 1, out, at);
        if (SHUNT_UNLIKELY(!at)) return NULL;
    }
    if (first == count) {
        kept->at[count] = (size_t)(at - out->bytes);
        return at;
    }
    return put_again(out, at, kept->at[first], kept->at[count] - kept->at[first]);
}

/* Of the amount before it. */
static inline char *put_currency(const shunt_json *j, uint16_t currency, bool own, struct kept_parts *kept, shunt_buffer *out,
                                 char *at)
{
    if (SHUNT_LIKELY(currency && kept->currency == currency)) return put_again(out, at, kept->currency_at, kept->currency_length);
    kept->currency_at = (size_t)(at - out->bytes);
    at = own ? CONSTANT(at, ",\"amount_currency\":") : CONSTANT(at, ",\"currency\":");
    at = put_text(out, at, shunt_program_text(j->program, currency));
    if (SHUNT_UNLIKELY(!at)) return NULL;
    kept->currency = currency;
    kept->currency_length = (size_t)(at - out->bytes) - kept->currency_at;
    return at;
}

static inline char *put_line(const shunt_json *j, const struct shunt_shape *shape, const shunt_line *line,
                             struct kept_parts *kept, shunt_buffer *out, char *at)
{
    bool own = shape && shape->currency && shape->currency != line->type.extra;
    at = line->credit ? CONSTANT(at, "{\"side\":\"credit\",\"account\":") : CONSTANT(at, "{\"side\":\"debit\",\"account\":");
    at = put_text(out, at, line->account);
    if (SHUNT_UNLIKELY(!at)) return NULL;
    at = CONSTANT(at, ",\"amount\":");
    at = put_amount(j, line->type, line->amount, at);
    at = put_currency(j, line->type.extra, own, kept, out, at);
    if (SHUNT_UNLIKELY(!at)) return NULL;
    if (shape)
        at = shape->currency || shape->count > COLUMNS_KEPT
                 ? put_members(j, shape, line->columns, line->states, true, (struct saying){ !own, own }, 1, out, at)
                 : put_columns(j, shape, line, kept, out, at);
    if (SHUNT_UNLIKELY(!at)) return NULL;
    *at++ = '}';
    return at;
}

static char *put_record(const shunt_json *j, const shunt_record *r, shunt_buffer *out, char *at)
{
    const shunt_target       *target = &j->program->targets[r->target];
    const struct shunt_shape *shape = &j->shapes[target->record],
                             *columns = r->journal && target->line != SHUNT_NONE ? &j->shapes[target->line] : NULL;
    *at++ = '{';
    at = put_members(j, shape, r->fields, r->states, false, saying_of(shape), 0, out, at);
    if (SHUNT_UNLIKELY(!at)) return NULL;
    if (r->journal) {
        struct kept_parts kept;
        kept.line = NULL;
        kept.currency = 0;
        kept.currency_at = kept.currency_length = 0;
        if (at[-1] != '{') *at++ = ','; /* a header without a field that is present leaves nothing to separate */
        at = CONSTANT(at, "\"lines\":[");
        for (uint32_t i = 0; i < r->line_count; i++) {
            if (i) *at++ = ',';
            at = put_line(j, columns, &r->lines[i], &kept, out, at);
            if (SHUNT_UNLIKELY(!at)) return NULL;
        }
        *at++ = ']';
    }
    *at++ = '}';
    return with_room(out, at, 0);
}

static char *put_texts(const shunt_text *texts, uint32_t count, shunt_buffer *out, char *at)
{
    *at++ = '[';
    for (uint32_t i = 0; i < count; i++) {
        if (i) *at++ = ',';
        at = put_text(out, at, texts[i]);
        if (SHUNT_UNLIKELY(!at)) return NULL;
    }
    *at++ = ']';
    return with_room(out, at, 0);
}

shunt_status shunt_json_record(const shunt_json *j, const shunt_record *r, shunt_buffer *out)
{
    char *at = begin(out);
    return finish(out, at ? put_record(j, r, out, at) : NULL);
}

void shunt_json_texts(shunt_buffer *out, const shunt_text *texts, uint32_t count)
{
    char *at = begin(out);
    if (at) at = put_texts(texts, count, out, at);
    if (at) out->length = (size_t)(at - out->bytes);
}

void shunt_json_number(shunt_buffer *out, uint64_t number)
{
    char *at = begin(out);
    if (at) out->length = (size_t)(put_number(at, number) - out->bytes);
}

/* One line of JSON: {"target":..,"key":[..],"correlate":[..],"record":{..},"meta":{..}} */
shunt_status shunt_encode_line(const shunt_encoders *e, const shunt_record *record, const shunt_stamp *stamp, shunt_buffer *out,
                               shunt_written *written)
{
    char *at = begin(out);
    if (at) at = put_bytes(out, at, e->forms[record->target].json_head);
    if (!at) return finish(out, at);
    written->key.begin = (size_t)(at - out->bytes);
    at = put_texts(record->key, record->key_count, out, at);
    if (!at) return finish(out, at);
    written->key.end = (size_t)(at - out->bytes);
    if (stamp->correlate.length) {
        at = CONSTANT(at, ",\"correlate\":");
        at = put_bytes(out, at, stamp->correlate);
        if (!at) return finish(out, at);
    }
    at = CONSTANT(at, ",\"record\":");
    written->content.begin = (size_t)(at - out->bytes);
    at = put_record(&e->json[false], record, out, at);
    if (!at) return finish(out, at);
    written->content.end = (size_t)(at - out->bytes);
    at = put_bytes(out, at, (shunt_text){ e->stamp.bytes, (uint32_t)e->stamp.length });
    if (!at) return finish(out, at);
    at = put_number(at, stamp->begin);
    at = CONSTANT(at, ",\"end\":");
    at = put_number(at, stamp->end);
    return finish(out, put_bytes(out, at, e->files[record->site]));
}

/* ---- preparing ---- */

static shunt_text keep_padded(shunt_encoders *e, shunt_buffer *scratch)
{
    static const char pad[PAD] = { 0 };
    size_t            length = scratch->length;
    shunt_buffer_add(scratch, pad, sizeof pad);
    shunt_text text = shunt_encoders_keep(e, scratch);
    if (text.bytes) text.length = (uint32_t)length;
    return text;
}

static shunt_text currency_member(shunt_encoders *e, shunt_buffer *scratch, shunt_text name, uint16_t currency)
{
    shunt_buffer_z(scratch, ",\"");
    size_t at = scratch->length;
    if (name.length) {
        shunt_buffer_json(scratch, name); /* "name" -> name_ */
        if (scratch->failed) return (shunt_text){ 0 };
        memmove(scratch->bytes + at, scratch->bytes + at + 1, scratch->length - at - 1);
        scratch->length -= 2;
        shunt_buffer_char(scratch, '_');
    }
    shunt_buffer_z(scratch, "currency\":");
    shunt_buffer_json(scratch, shunt_program_text(e->program, currency));
    return shunt_encoders_keep(e, scratch);
}

static bool prepare_shape(shunt_encoders *e, struct shunt_shape *shapes, uint32_t number, shunt_buffer *scratch)
{
    const shunt_program     *p = e->program;
    const shunt_record_type *record = &p->records[number];
    struct member           *members = SHUNT_NEW_N(e->arena, struct member, record->field_count ? record->field_count : 1);
    struct shunt_shape      *shape = &shapes[number];
    if (!members) return false;
    *shape = (struct shunt_shape){ members, record->field_count, 0 };
    for (uint32_t i = 0; i < record->field_count; i++) {
        shunt_type type = p->fields[record->field_first + i].type;
        if (shunt_is_money(type)) shape->currency = !shape->currency || shape->currency == type.extra ? type.extra : SHUNT_NONE;
    }
    for (uint32_t i = 0; i < record->field_count; i++) {
        const shunt_field *field = &p->fields[record->field_first + i];
        shunt_text         name = shunt_program_text(p, field->name);
        members[i].type = field->type;
        shunt_buffer_char(scratch, ',');
        shunt_buffer_json(scratch, name);
        shunt_buffer_char(scratch, ':');
        members[i].name = keep_padded(e, scratch);
        if (!members[i].name.bytes) return false;
        if (!shunt_is_money(field->type)) continue;
        members[i].currency = currency_member(e, scratch, (shunt_text){ 0 }, field->type.extra);
        members[i].own = currency_member(e, scratch, name, field->type.extra);
        if (!members[i].currency.bytes || !members[i].own.bytes) return false;
    }
    return true;
}

shunt_status shunt_json_shapes(shunt_encoders *e, shunt_buffer *scratch)
{
    struct shunt_shape *shapes = SHUNT_NEW_N(e->arena, struct shunt_shape, e->program->records_count + 1);
    if (!shapes) return SHUNT_NO_MEMORY;
    for (uint32_t i = 0; i < e->program->records_count; i++)
        if (!prepare_shape(e, shapes, i, scratch)) return SHUNT_NO_MEMORY;
    for (int bare = 0; bare < 2; bare++) e->json[bare] = (shunt_json){ e->program, shapes, bare == 1 };
    return SHUNT_OK;
}

/* ---- `encode json` ---- */

/* A part and its name as it stands before a value that others stand before: `,"name":`. */
struct json_part {
    shunt_part part;
    shunt_text name;
};

struct json_form {
    const shunt_json       *json;
    const struct json_part *parts; /* of the record, then of its lines; NULL: everything, as without `encode` */
    uint32_t                header, lines;
    shunt_text              open, close; /* of `root` */
};

static char *put_parts(const struct json_form *f, const struct json_part *parts, uint32_t count, const shunt_record *record,
                       const shunt_line *line, bool *comma, shunt_buffer *out, char *at)
{
    for (uint32_t i = 0; i < count; i++) {
        shunt_type  type;
        shunt_value value;
        if (!shunt_part_get(f->json->program, &parts[i].part, record, line, &type, &value)) continue;
        at = put_padded(out, at, parts[i].name.bytes + !*comma, parts[i].name.length - !*comma);
        if (at) at = put_value(f->json, type, &value, 0, out, at);
        if (!at) return NULL;
        *comma = true;
    }
    return at;
}

static char *put_listed(const struct json_form *f, const shunt_record *record, shunt_buffer *out, char *at)
{
    bool comma = false;
    *at++ = '{';
    at = put_parts(f, f->parts, f->header, record, NULL, &comma, out, at);
    if (!at) return NULL;
    if (f->lines) {
        if (comma) *at++ = ',';
        at = CONSTANT(at, "\"lines\":[");
        for (uint32_t i = 0; i < record->line_count; i++) {
            comma = false;
            at = i ? CONSTANT(at, ",{") : CONSTANT(at, "{");
            at = put_parts(f, f->parts + f->header, f->lines, record, &record->lines[i], &comma, out, at);
            at = at ? with_room(out, CONSTANT(at, "}"), 0) : NULL;
            if (!at) return NULL;
        }
        *at++ = ']';
    }
    *at++ = '}';
    return with_room(out, at, 0);
}

static shunt_status write_json(const shunt_encoders *e, const shunt_record *record, const shunt_stamp *stamp, shunt_buffer *out,
                               shunt_written *written)
{
    const struct json_form *f = e->forms[record->target].own;
    (void)stamp;
    (void)written;
    char *at = begin(out);
    if (at) at = put_bytes(out, at, f->open);
    if (at) at = f->parts ? put_listed(f, record, out, at) : put_record(f->json, record, out, at);
    return finish(out, at ? put_bytes(out, at, f->close) : NULL);
}

/* Parts of the record first, those of its lines behind them, each in the order of the rules. */
static shunt_status name_parts(const shunt_former *f, const shunt_parts *parts, struct json_form *form)
{
    struct json_part *named = SHUNT_NEW_N(f->e->arena, struct json_part, parts->count);
    if (!named) return SHUNT_NO_MEMORY;
    uint32_t count = 0;
    for (int of_line = 0; of_line < 2; of_line++)
        for (uint32_t i = 0; i < parts->count; i++) {
            const shunt_part *part = &parts->items[i];
            if (shunt_part_of_line(part) != (of_line == 1)) continue;
            shunt_buffer_char(f->scratch, ',');
            shunt_buffer_json(f->scratch, part->name);
            shunt_buffer_char(f->scratch, ':');
            named[count] = (struct json_part){ *part, keep_padded(f->e, f->scratch) };
            if (!named[count++].name.bytes) return SHUNT_NO_MEMORY;
            *(of_line ? &form->lines : &form->header) += 1;
        }
    form->parts = named;
    return SHUNT_OK;
}

shunt_status shunt_form_json(const shunt_former *f)
{
    enum { ROOT, MONEY };
    shunt_setting     settings[] = { [ROOT] = { .name = "root" }, [MONEY] = { .name = "money", .value = SHUNT_TEXT("text") } };
    shunt_parts       parts;
    struct json_form *form = SHUNT_NEW(f->e->arena, struct json_form);
    if (!form) return SHUNT_NO_MEMORY;
    SHUNT_TRY(shunt_form_settings(f, settings, SHUNT_COUNT(settings)));
    bool bare = shunt_text_is(settings[MONEY].value, "number");
    if (!bare && !shunt_text_is(settings[MONEY].value, "text"))
        return shunt_setting_fault(f, &settings[MONEY], "\"text\" or \"number\"");
    form->json = &f->e->json[bare];
    if (settings[ROOT].value.length) {
        shunt_buffer_char(f->scratch, '{');
        shunt_buffer_json(f->scratch, settings[ROOT].value);
        shunt_buffer_char(f->scratch, ':');
        form->open = shunt_form_keep(f);
        form->close = SHUNT_TEXT("}");
        if (!form->open.bytes) return SHUNT_NO_MEMORY;
    }
    if (f->encoding->column_count) {
        SHUNT_TRY(shunt_form_parts(f, false, false, &parts));
        SHUNT_TRY(shunt_form_nested(f, &parts));
        SHUNT_TRY(name_parts(f, &parts, form));
    }
    f->form->write = write_json;
    f->form->own = form;
    f->form->end = SHUNT_TEXT("\n");
    return SHUNT_OK;
}
