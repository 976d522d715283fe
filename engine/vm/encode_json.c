#include "engine/base/date.h"
#include "engine/base/decimal.h"
#include "engine/vm/encode.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* A record is constants for the most part, so writing one is copying pieces of SHUNT_STEP bytes, whatever their length, into room that was
 * looked at once: names with their punctuation are made ready when the program is; short texts are copied a word at a time while it is
 * seen that they need no escapes; and what the lines of a journal have alike is written once and copied from there. All else (long
 * texts, escapes, rows and lists) leaves that way for a function of its own, which comes back with room as before. */

enum {
    PLAIN = 64, /* texts up to here are tried to be copied as they are */
    VALUE = 64, /* what any other single value takes */
    TAIL = 256, /* what lines share is kept up to so many bytes */
    SPARE = 768 /* what a line takes beside its columns, and all marks and short constants around a record */
};

/* A member name with its punctuation, as it stands before a value that others stand before: `,"name":`, of a text `,"name":"`. Those who
 * write the first one put a brace over its comma. Pieces are as shunt_encoders_keep gives them. */
struct member {
    shunt_text name;
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
 * is no memory (`out->failed`), or rows stand too deep. */

struct pen {
    const shunt_json *json;
    shunt_buffer     *out;
    size_t room;  /* for all that is short of what is being written; there is so much where it, an object or a line begins, and
                              * again behind all that was not short */
    char  *limit; /* the last place with so much room */
};

#define SELDOM __attribute__((noinline, cold))

/* `at`, where the buffer's bytes end now, with room; moved with the buffer where that has to grow. */
static char *take_room(struct pen *pen, size_t length)
{
    shunt_buffer *out = pen->out;
    out->length = length;
    if (SHUNT_UNLIKELY(out->capacity - length < pen->room) && !shunt_buffer_reserve(out, pen->room)) return NULL;
    pen->limit = out->bytes + (out->capacity - pen->room);
    return out->bytes + length;
}

static SELDOM char *more_room(struct pen *pen, const char *at) { return take_room(pen, (size_t)(at - pen->out->bytes)); }

static inline char *with_room(struct pen *pen, char *at) { return SHUNT_LIKELY(at <= pen->limit) ? at : more_room(pen, at); }

/* `more`: than the members of a record and what is around them. */
static inline char *begin(struct pen *pen, const shunt_json *json, shunt_buffer *out, size_t more)
{
    *pen = (struct pen){ json, out, (json ? json->room : 0) + SPARE + more, NULL };
    return take_room(pen, out->length);
}

static inline shunt_status finish(shunt_buffer *out, const char *at)
{
    if (SHUNT_UNLIKELY(!at)) return out->failed ? SHUNT_NO_MEMORY : SHUNT_LIMIT;
    out->length = (size_t)(at - out->bytes);
    return SHUNT_OK;
}

static inline size_t place_of(const struct pen *pen, const char *at) { return (size_t)(at - pen->out->bytes); }

/* Ends what began with a comma at `open`, whether anything was written there or not. */
static inline char *enclose(const struct pen *pen, size_t open, char opening, char closing, char *at)
{
    char *first = pen->out->bytes + open;
    at += at == first;
    *first = opening;
    *at = closing;
    return at + 1;
}

#define CONSTANT(at, literal) ((char *)memcpy((at), (literal), sizeof(literal) - 1) + sizeof(literal) - 1)

/* Bytes with SHUNT_STEP readable ones behind them. */
static inline char *put_steps(char *at, const char *bytes, size_t length)
{
    memcpy(at, bytes, SHUNT_STEP);
    for (size_t done = SHUNT_STEP; done < length; done += SHUNT_STEP) memcpy(at + done, bytes + done, SHUNT_STEP);
    return at + length;
}

static inline char *put_piece(char *at, shunt_text piece) { return put_steps(at, piece.bytes, piece.length); }

/* Any bytes. */
static inline char *put_bytes(char *at, shunt_text text)
{
    if (SHUNT_LIKELY(text.length >= 16)) {
        for (uint32_t done = 0; done + 16 < text.length; done += 16) memcpy(at + done, text.bytes + done, 16);
        memcpy(at + text.length - 16, text.bytes + text.length - 16, 16);
    } else if (text.length) {
        memcpy(at, text.bytes, text.length);
    }
    return at + text.length;
}

/* A bit for each of 16 bytes that stands in JSON as it is: no control character nor a byte of a longer one (both below a blank as signed
 * numbers), no quote, no backslash. */
#ifdef __SSE2__
static inline unsigned plain_of(uint64_t first, uint64_t last)
{
    __m128i bytes = _mm_set_epi64x((long long)last, (long long)first);
    __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), slash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    return (unsigned)_mm_movemask_epi8(
        _mm_andnot_si128(_mm_or_si128(quote, slash), _mm_cmpgt_epi8(bytes, _mm_set1_epi8(' ' - 1))));
}
#else
static inline unsigned plain_of_word(uint64_t word)
{
    /* A plain byte above one that is not may be taken for one that is not, which changes nothing. */
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones * 0x80;
    uint64_t       quote = word ^ ones * '"', slash = word ^ ones * '\\';
    uint64_t       plain = ~(word | (word - ones * ' ') | (quote - ones) | (slash - ones)) & tops;
    return (unsigned)((plain >> 7) * UINT64_C(0x0102040810204080) >> 56);
}
static inline unsigned plain_of(uint64_t first, uint64_t last) { return plain_of_word(first) | plain_of_word(last) << 8; }
#endif

static inline uint64_t load8(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, 8);
    return word;
}

/* Copies at most PLAIN bytes, some of them twice where that saves a loop, and up to 8 in all; true where all of them stand as they are. */
static inline bool copy_plain(char *at, const char *bytes, uint32_t length)
{
    enum { ALL = 0xffff };
    if (length < 8) {
        uint64_t word = length ? shunt_text_word(bytes, length) : 0;
        memcpy(at, &word, 8);
        return (~plain_of(word, word) & ((1u << length) - 1)) == 0;
    }
    unsigned plain = ALL;
    uint32_t done = 0;
    for (; SHUNT_UNLIKELY(done + 16 < length); done += 16) {
        uint64_t first = load8(bytes + done), last = load8(bytes + done + 8);
        memcpy(at + done, &first, 8);
        memcpy(at + done + 8, &last, 8);
        plain &= plain_of(first, last);
    }
    if (done) done = length - 16;
    uint64_t first = load8(bytes + done), last = load8(bytes + length - 8);
    memcpy(at + done, &first, 8);
    memcpy(at + length - 8, &last, 8);
    return (plain & plain_of(first, last)) == ALL;
}

static SELDOM char *put_escaped(struct pen *pen, const char *at, shunt_text text)
{
    pen->out->length = place_of(pen, at);
    shunt_buffer_json(pen->out, text);
    return pen->out->failed ? NULL : take_room(pen, pen->out->length);
}

/* A text behind its opening quote, with the closing one. */
static inline char *put_text(struct pen *pen, char *at, shunt_text text)
{
    if (SHUNT_UNLIKELY(text.length > PLAIN || !copy_plain(at, text.bytes, text.length))) return put_escaped(pen, at - 1, text);
    at[text.length] = '"';
    return at + text.length + 1;
}

static inline char *put_quoted(struct pen *pen, char *at, shunt_text text)
{
    *at = '"';
    return put_text(pen, at + 1, text);
}

static inline char *put_number(char *at, uint64_t number) { return at + shunt_decimal_print((__int128)number, 0, at); }

/* Amounts of money as the form says, other decimals as texts always. */
static inline bool is_quoted(const shunt_json *j, shunt_type type) { return SHUNT_LIKELY(!j->bare_money) || !type.extra; }

static inline char *put_amount(const shunt_json *j, shunt_type type, __int128 coefficient, char *at)
{
    bool quoted = is_quoted(j, type);
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

static char *put_object(struct pen *pen, uint16_t record, const shunt_value *fields, const uint8_t *states, unsigned depth,
                        char *at);
static char *put_list(struct pen *pen, shunt_type type, const shunt_value *value, unsigned depth, char *at);

static __attribute__((noinline)) char *put_other(struct pen *pen, shunt_type type, const shunt_value *value, unsigned depth,
                                                 char *at)
{
    switch ((shunt_kind)type.kind) {
    case SHUNT_KIND_TEXT: return put_quoted(pen, at, value->text);
    case SHUNT_KIND_DECIMAL: return put_amount(pen->json, type, value->coefficient, at);
    case SHUNT_KIND_BOOL: return value->integer ? CONSTANT(at, "true") : CONSTANT(at, "false");
    case SHUNT_KIND_INT:
        if (type.extra) return put_quoted(pen, at, enum_member(pen->json->program, (uint16_t)(type.extra - 1), value->integer));
        return at + shunt_decimal_print(value->integer, 0, at);
    case SHUNT_KIND_DATE: return put_date(at, value->integer);
    case SHUNT_KIND_MOMENT: return put_moment(at, value->moment);
    case SHUNT_KIND_LIST: return put_list(pen, type, value, depth, at);
    case SHUNT_KIND_ROW:
        if (value->row) return put_object(pen, type.record, value->row->fields, value->row->states, depth + 1, at);
        break;
    case SHUNT_KIND_NONE:
    case SHUNT_KIND_NODE:
    case SHUNT_KIND_COUNT: break;
    }
    return CONSTANT(at, "null");
}

static inline char *put_value(struct pen *pen, shunt_type type, const shunt_value *value, unsigned depth, char *at)
{
    if (SHUNT_LIKELY(type.kind == SHUNT_KIND_TEXT)) return put_quoted(pen, at, value->text);
    return put_other(pen, type, value, depth, at);
}

static char *put_list(struct pen *pen, shunt_type type, const shunt_value *value, unsigned depth, char *at)
{
    size_t open = place_of(pen, at);
    type.kind = type.element;
    for (uint32_t i = 0; i < value->list.count; i++) {
        at = with_room(pen, at);
        if (SHUNT_UNLIKELY(!at)) return NULL;
        *at++ = ',';
        at = put_value(pen, type, &value->list.items[i], depth + 1, at);
        if (SHUNT_UNLIKELY(!at)) return NULL;
    }
    return with_room(pen, enclose(pen, open, '[', ']', at));
}

/* How the currencies of amounts are said: not at all, since something before says it; once for all; for each. */
enum saying { SAY_NOTHING, SAY_ONCE, SAY_EACH };

/* The members from `m` to `end` that are present, each with its comma, and with the currency behind it where that is said. */
static inline char *put_members(struct pen *pen, const struct member *m, const struct member *end, const shunt_value *value,
                                const uint8_t *state, enum saying saying, unsigned depth, char *at)
{
    for (; m < end; m++, value++, state++) {
        if (*state != SHUNT_PRESENT) continue;
        at = put_piece(at, m->name);
        at = SHUNT_LIKELY(m->type.kind == SHUNT_KIND_TEXT) ? put_text(pen, at, value->text)
                                                           : put_other(pen, m->type, value, depth, at);
        if (SHUNT_UNLIKELY(!at)) return NULL;
        if (SHUNT_LIKELY(!m->own.length) || saying == SAY_NOTHING) continue;
        at = put_piece(at, saying == SAY_EACH ? m->own : m->currency);
        if (saying == SAY_ONCE) saying = SAY_NOTHING;
    }
    return at;
}

static inline char *put_fields(struct pen *pen, uint16_t record, const shunt_value *fields, const uint8_t *states, unsigned depth,
                               char *at)
{
    const struct shunt_shape *shape = &pen->json->shapes[record];
    return put_members(pen, shape->members, shape->members + shape->count, fields, states,
                       shape->currency == SHUNT_NONE ? SAY_EACH : SAY_ONCE, depth, at);
}

static char *put_object(struct pen *pen, uint16_t record, const shunt_value *fields, const uint8_t *states, unsigned depth,
                        char *at)
{
    size_t open = place_of(pen, at);
    if (depth > SHUNT_ROW_DEPTH || !(at = with_room(pen, at))) return NULL;
    at = put_fields(pen, record, fields, states, depth, at);
    return SHUNT_LIKELY(at) ? with_room(pen, enclose(pen, open, '{', '}', at)) : NULL;
}

/* ---- lines ---- */

enum { COLUMNS_KEPT = 16, CLOSING = 64, TAIL_STEP = 3 * SHUNT_STEP };

/* What the lines of a journal have alike, as it is written: what closes amounts of one type, and the columns of one of the lines, of which
 * others have the last ones too. */
struct kept {
    shunt_type type;
    bool       bare;                 /* its amounts have no quotes */
    uint8_t    saying;               /* enum saying: of amounts in columns */
    uint8_t    length;               /* of `closing`; 0: it is not that short */
    uint8_t    alike;                /* of that line; 0: none is kept */
    uint16_t   at[COLUMNS_KEPT + 1]; /* in `tail`: the columns, and the brace behind the last one */
    uint16_t   end;
    char       closing[CLOSING + SHUNT_STEP];
    char       tail[TAIL + TAIL_STEP];
};
_Static_assert(COLUMNS_KEPT <= UINT8_MAX && CLOSING <= UINT8_MAX && TAIL <= UINT16_MAX, "see there");

static char *put_closing(struct pen *pen, const struct kept *kept, char *at)
{
    *at = '"';
    at += !kept->bare;
    at = kept->saying == SAY_EACH ? CONSTANT(at, ",\"amount_currency\":") : CONSTANT(at, ",\"currency\":");
    return put_quoted(pen, at, shunt_program_text(pen->json->program, kept->type.extra));
}

/* The amounts that come now have another type. */
static __attribute__((noinline)) void learn_type(struct pen *pen, const struct shunt_shape *shape, shunt_type type,
                                                 struct kept *kept)
{
    enum { SHORT = 16 };
    shunt_text currency = shunt_program_text(pen->json->program, type.extra);
    kept->type = type;
    kept->bare = !is_quoted(pen->json, type);
    kept->saying = shape && shape->currency && shape->currency != type.extra ? SAY_EACH : SAY_NOTHING;
    kept->length = 0;
    if (shape && shape->currency) kept->alike = 0; /* amounts in columns are not written alike */
    if (currency.length <= SHORT && copy_plain(kept->closing, currency.bytes, currency.length))
        kept->length = (uint8_t)(put_closing(pen, kept, kept->closing) - kept->closing);
}

/* All columns, to be kept, and the brace behind them. */
static __attribute__((noinline)) char *put_first_columns(struct pen *pen, const struct shunt_shape *shape, const shunt_line *line,
                                                         struct kept *kept, char *at)
{
    uint32_t count = shape ? shape->count : 0;
    size_t   first = place_of(pen, at), place = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct member *m = &shape->members[i];
        if (i < COLUMNS_KEPT) kept->at[i] = (uint16_t)place;
        at = put_members(pen, m, m + 1, &line->columns[i], &line->states[i], (enum saying)kept->saying, 1, at);
        if (SHUNT_UNLIKELY(!at)) return NULL;
        place = place_of(pen, at) - first;
    }
    *at++ = '}';
    kept->alike = 0;
    if (count <= COLUMNS_KEPT && place < TAIL) {
        kept->at[count] = (uint16_t)place;
        kept->end = (uint16_t)(place + 1);
        kept->alike = (uint8_t)line->alike;
        put_steps(kept->tail, pen->out->bytes + first, kept->end); /* there is room behind the line, too */
    }
    return with_room(pen, at);
}

/* As many as are not kept, then those. */
static inline char *put_columns(struct pen *pen, const struct shunt_shape *shape, const shunt_line *line, struct kept *kept,
                                char *at)
{
    uint32_t alike = line->alike < kept->alike ? line->alike : kept->alike;
    if (SHUNT_UNLIKELY(!alike)) return put_first_columns(pen, shape, line, kept, at);
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): without columns none is kept */
    uint32_t count = shape->count - alike, from = kept->at[count], length = kept->end - from;
    at = put_members(pen, shape->members, shape->members + count, line->columns, line->states, (enum saying)kept->saying, 1, at);
    if (SHUNT_UNLIKELY(!at)) return NULL;
    memcpy(at, kept->tail + from, TAIL_STEP);
    if (SHUNT_UNLIKELY(length > TAIL_STEP)) put_steps(at + TAIL_STEP, kept->tail + from + TAIL_STEP, length - TAIL_STEP);
    return with_room(pen, at + length);
}

/* With the comma before it. */
static inline char *put_line(struct pen *pen, const struct shunt_shape *shape, const shunt_line *line, struct kept *kept,
                             char *at)
{
    static const char sides[2][SHUNT_STEP] = { ",{\"side\":\"debit\",\"account\":\"", ",{\"side\":\"credit\",\"account\":\"" };
    if (SHUNT_UNLIKELY(memcmp(&line->type, &kept->type, sizeof line->type) != 0)) learn_type(pen, shape, line->type, kept);
    size_t credit = line->credit;
    memcpy(at, sides[credit], SHUNT_STEP);
    at += strlen(sides[0]) + credit;
    at = put_text(pen, at, line->account);
    if (SHUNT_UNLIKELY(!at)) return NULL;
    at = CONSTANT(at, ",\"amount\":\"") - kept->bare;
    at += shunt_decimal_print(line->amount, line->type.scale, at);
    if (SHUNT_LIKELY(kept->length))
        at = put_steps(at, kept->closing, kept->length);
    else if (!(at = put_closing(pen, kept, at)))
        return NULL;
    return put_columns(pen, shape, line, kept, at);
}

static char *put_lines(struct pen *pen, const shunt_record *r, char *at)
{
    const shunt_target       *target = &pen->json->program->targets[r->target];
    const struct shunt_shape *columns = target->line != SHUNT_NONE ? &pen->json->shapes[target->line] : NULL;
    const shunt_line         *line = r->lines, *end = line + r->line_count;
    struct kept               kept;
    kept.type = (shunt_type){ .kind = SHUNT_KIND_NONE };
    kept.alike = 0;
    at = CONSTANT(at, ",\"lines\":");
    size_t open = place_of(pen, at);
    for (at = with_room(pen, at); line < end && at; line++) at = put_line(pen, columns, line, &kept, at);
    return SHUNT_LIKELY(at) ? enclose(pen, open, '[', ']', at) : NULL;
}

static char *put_record(struct pen *pen, const shunt_record *r, char *at)
{
    size_t open = place_of(pen, at);
    at = put_fields(pen, pen->json->program->targets[r->target].record, r->fields, r->states, 0, at);
    if (r->journal && at) at = put_lines(pen, r, at);
    return SHUNT_LIKELY(at) ? enclose(pen, open, '{', '}', at) : NULL;
}

/* Short texts take so much. */
static inline size_t room_of_texts(uint32_t count) { return (size_t)count * (PLAIN + 3); }

static inline char *put_texts(struct pen *pen, const shunt_text *texts, uint32_t count, char *at)
{
    size_t open = place_of(pen, at);
    for (uint32_t i = 0; i < count; i++) {
        at = put_text(pen, CONSTANT(at, ",\""), texts[i]);
        if (SHUNT_UNLIKELY(!at)) return NULL;
    }
    return enclose(pen, open, '[', ']', at);
}

shunt_status shunt_json_record(const shunt_json *j, const shunt_record *r, shunt_buffer *out)
{
    struct pen pen;
    char      *at = begin(&pen, j, out, 0);
    return finish(out, at ? put_record(&pen, r, at) : NULL);
}

void shunt_json_texts(shunt_buffer *out, const shunt_text *texts, uint32_t count)
{
    struct pen pen;
    char      *at = begin(&pen, NULL, out, room_of_texts(count));
    if (at) at = put_texts(&pen, texts, count, at);
    if (at) out->length = place_of(&pen, at);
}

void shunt_json_number(shunt_buffer *out, uint64_t number)
{
    char *at = shunt_room(out, VALUE);
    if (at) out->length = (size_t)(put_number(at, number) - out->bytes);
}

/* One line of JSON: {"target":..,"key":[..],"correlate":[..],"record":{..},"meta":{..}} */
shunt_status shunt_encode_line(const shunt_encoders *e, const shunt_record *record, const shunt_stamp *stamp, shunt_buffer *out,
                               shunt_written *written)
{
    shunt_text head = e->forms[record->target].json_head, file = e->files[record->site];
    struct pen pen;
    char      *at = begin(&pen, &e->json[false], out,
                          head.length + room_of_texts(record->key_count) + stamp->correlate.length + e->stamp.length + file.length);
    if (!at) return finish(out, at);
    at = put_piece(at, head);
    written->key.begin = place_of(&pen, at);
    at = put_texts(&pen, record->key, record->key_count, at);
    if (!at) return finish(out, at);
    written->key.end = place_of(&pen, at);
    if (stamp->correlate.length) at = put_bytes(CONSTANT(at, ",\"correlate\":"), stamp->correlate);
    at = CONSTANT(at, ",\"record\":");
    written->content.begin = place_of(&pen, at);
    at = put_record(&pen, record, at);
    if (!at) return finish(out, at);
    written->content.end = place_of(&pen, at);
    at = put_number(put_steps(at, e->stamp.bytes, e->stamp.length), stamp->begin);
    at = put_number(CONSTANT(at, ",\"end\":"), stamp->end);
    return finish(out, put_piece(at, file));
}

/* ---- preparing ---- */

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

/* `*room` grows by what the members take at most where all of them are short. */
static bool prepare_shape(shunt_encoders *e, struct shunt_shape *shapes, uint32_t number, shunt_buffer *scratch, size_t *room)
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
        shunt_buffer_z(scratch, field->type.kind == SHUNT_KIND_TEXT ? ":\"" : ":");
        members[i].name = shunt_encoders_keep(e, scratch);
        if (!members[i].name.bytes) return false;
        *room += members[i].name.length + PLAIN + VALUE;
        if (!shunt_is_money(field->type)) continue;
        members[i].currency = currency_member(e, scratch, (shunt_text){ 0 }, field->type.extra);
        members[i].own = currency_member(e, scratch, name, field->type.extra);
        if (!members[i].currency.bytes || !members[i].own.bytes) return false;
        *room += members[i].own.length;
    }
    return true;
}

shunt_status shunt_json_shapes(shunt_encoders *e, shunt_buffer *scratch)
{
    struct shunt_shape *shapes = SHUNT_NEW_N(e->arena, struct shunt_shape, e->program->records_count + 1);
    if (!shapes) return SHUNT_NO_MEMORY;
    size_t most = 0;
    for (uint32_t i = 0; i < e->program->records_count; i++) {
        size_t room = 0;
        if (!prepare_shape(e, shapes, i, scratch, &room)) return SHUNT_NO_MEMORY;
        if (most < room) most = room;
    }
    for (int bare = 0; bare < 2; bare++) e->json[bare] = (shunt_json){ e->program, shapes, most, bare == 1 };
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
    size_t                  longest;     /* name of a part */
    shunt_text              open, close; /* of `root` */
};

static char *put_parts(struct pen *pen, const struct json_part *parts, uint32_t count, const shunt_record *record,
                       const shunt_line *line, char *at)
{
    size_t open = place_of(pen, at);
    for (uint32_t i = 0; i < count && at; i++) {
        shunt_type  type;
        shunt_value value;
        if (!shunt_part_get(pen->json->program, &parts[i].part, record, line, &type, &value)) continue;
        at = put_value(pen, type, &value, 0, put_piece(at, parts[i].name));
        if (at) at = with_room(pen, at);
    }
    return at && line ? enclose(pen, open, '{', '}', at) : at;
}

static char *put_listed(struct pen *pen, const struct json_form *f, const shunt_record *record, char *at)
{
    size_t open = place_of(pen, at);
    at = put_parts(pen, f->parts, f->header, record, NULL, at);
    if (f->lines && at && (at = with_room(pen, at))) {
        at = CONSTANT(at, ",\"lines\":");
        size_t lines = place_of(pen, at);
        for (uint32_t i = 0; i < record->line_count && at; i++) {
            *at++ = ',';
            at = put_parts(pen, f->parts + f->header, f->lines, record, &record->lines[i], at);
            if (at) at = with_room(pen, at);
        }
        if (at) at = enclose(pen, lines, '[', ']', at);
    }
    return at ? enclose(pen, open, '{', '}', at) : NULL;
}

static shunt_status write_json(const shunt_encoders *e, const shunt_record *record, const shunt_stamp *stamp, shunt_buffer *out,
                               shunt_written *written)
{
    const struct json_form *f = e->forms[record->target].own;
    struct pen              pen;
    (void)stamp;
    (void)written;
    char *at = begin(&pen, f->json, out, f->open.length + f->longest);
    if (at) at = put_bytes(at, f->open);
    if (at) at = f->parts ? put_listed(&pen, f, record, at) : put_record(&pen, record, at);
    return finish(out, at ? put_bytes(at, f->close) : NULL);
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
            named[count] = (struct json_part){ *part, shunt_form_keep(f) };
            if (!named[count].name.bytes) return SHUNT_NO_MEMORY;
            if (form->longest < named[count].name.length) form->longest = named[count].name.length;
            count++;
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
