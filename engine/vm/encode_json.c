#include "engine/base/date.h"
#include "engine/base/decimal.h"
#include "engine/vm/encode.h"

enum { DIGITS = 20, PLAIN = 48 /* texts up to here are tried a word at a time first */, PAD = 16 };

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

/* ---- writing ---- */

/* A text with PAD readable bytes behind it: copied in steps of PAD, without a call. */
static inline void put_padded(shunt_buffer *out, shunt_text text)
{
    char *at = shunt_room(out, text.length + PAD);
    if (SHUNT_UNLIKELY(!at)) return;
    for (uint32_t done = 0; done < text.length; done += PAD) memcpy(at + done, text.bytes + done, PAD);
    out->length += text.length;
}

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

/* Eight bytes that stand in JSON as they are: no control character, quote, backslash or byte of a longer character. Inexact marks stand
 * above true ones only. */
static inline bool plain(uint64_t word)
{
    uint64_t quote = word ^ EACH_BYTE('"'), slash = word ^ EACH_BYTE('\\');
    uint64_t marks = (word - EACH_BYTE(0x20)) | ((quote - EACH_BYTE(1)) & ~quote) | ((slash - EACH_BYTE(1)) & ~slash) | word;
    return !(marks & EACH_BYTE(0x80));
}

/* One to eight bytes as a word, blanks above them. */
static inline uint64_t load_short(const char *bytes, uint32_t length)
{
    uint64_t word = 0;
    uint32_t low, high;
    if (length == 8) {
        memcpy(&word, bytes, 8);
        return word;
    }
    if (length >= 4) {
        memcpy(&low, bytes, 4);
        memcpy(&high, bytes + length - 4, 4);
        word = low | (uint64_t)high << (8 * length - 32);
    } else {
        uint32_t half = length / 2;
        word = (uint64_t)(uint8_t)bytes[0] | (uint64_t)(uint8_t)bytes[half] << 8 * half |
               (uint64_t)(uint8_t)bytes[length - 1] << (8 * length - 8);
    }
    return word | EACH_BYTE(' ') << 8 * length;
}

/* Nearly all texts are short and plain. */
static inline void put_text(shunt_buffer *out, shunt_text text)
{
    uint32_t length = text.length;
    char    *at;
    if (length > PLAIN || !(at = shunt_room(out, PLAIN + 16))) {
        shunt_buffer_json(out, text);
        return;
    }
    bool fine = true;
    *at++ = '"';
    for (uint32_t done = 0; done < length; done += 8) {
        uint64_t word = load_short(text.bytes + done, length - done < 8 ? length - done : 8);
        fine &= plain(word);
        memcpy(at + done, &word, 8);
    }
    if (SHUNT_UNLIKELY(!fine)) {
        shunt_buffer_json(out, text);
        return;
    }
    at[length] = '"';
    out->length += length + 2;
}

void shunt_json_number(shunt_buffer *out, uint64_t number)
{
    char digits[DIGITS], *at = digits + DIGITS;
    do *--at = (char)('0' + number % 10);
    while (number /= 10);
    shunt_put(out, (shunt_text){ at, (uint32_t)(digits + DIGITS - at) });
}

void shunt_json_texts(shunt_buffer *out, const shunt_text *texts, uint32_t count)
{
    shunt_buffer_char(out, '[');
    for (uint32_t i = 0; i < count; i++) {
        if (i) shunt_buffer_char(out, ',');
        put_text(out, texts[i]);
    }
    shunt_buffer_char(out, ']');
}

static void put_decimal(shunt_buffer *out, __int128 coefficient, uint8_t scale)
{
    char *at = shunt_room(out, SHUNT_DECIMAL_TEXT + 2);
    if (!at) return;
    at[0] = '"';
    size_t length = shunt_decimal_print(coefficient, scale, at + 1);
    at[1 + length] = '"';
    out->length += length + 2;
}

/* Amounts of money as the form says, other decimals as texts always. */
static inline void put_amount(const shunt_json *j, shunt_type type, __int128 coefficient, shunt_buffer *out)
{
    if (SHUNT_LIKELY(!j->bare_money) || !type.extra) {
        put_decimal(out, coefficient, type.scale);
        return;
    }
    char *at = shunt_room(out, SHUNT_DECIMAL_TEXT);
    if (at) out->length += shunt_decimal_print(coefficient, type.scale, at);
}

static void put_integer(shunt_buffer *out, int64_t number)
{
    if (number < 0) shunt_buffer_char(out, '-');
    shunt_json_number(out, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

static void put_date(shunt_buffer *out, int64_t days)
{
    char *at = shunt_room(out, SHUNT_DATE_TEXT + 2);
    if (!at) return;
    at[0] = '"';
    shunt_date_print(days, at + 1);
    at[1 + SHUNT_DATE_TEXT] = '"';
    out->length += SHUNT_DATE_TEXT + 2;
}

static void put_moment(shunt_buffer *out, int64_t microseconds)
{
    char text[SHUNT_MOMENT_TEXT];
    put_text(out, (shunt_text){ text, (uint32_t)shunt_moment_print(microseconds, text) });
}

static shunt_text enum_member(const shunt_program *p, uint16_t enumeration, int64_t ordinal)
{
    const shunt_enum *e = &p->enums[enumeration];
    if (ordinal < 0 || ordinal >= e->member_count) return (shunt_text){ 0 };
    return shunt_program_text(p, p->numbers[e->member_first + (uint64_t)ordinal]);
}

static shunt_status put_object(const shunt_json *j, uint16_t record, const shunt_value *fields, const uint8_t *states,
                               unsigned depth, shunt_buffer *out);

static shunt_status put_value(const shunt_json *j, shunt_type type, shunt_value value, unsigned depth, shunt_buffer *out)
{
    switch ((shunt_kind)type.kind) {
    case SHUNT_KIND_BOOL: shunt_put(out, value.integer ? SHUNT_TEXT("true") : SHUNT_TEXT("false")); return SHUNT_OK;
    case SHUNT_KIND_INT:
        if (type.extra)
            put_text(out, enum_member(j->program, (uint16_t)(type.extra - 1), value.integer));
        else
            put_integer(out, value.integer);
        return SHUNT_OK;
    case SHUNT_KIND_DECIMAL: put_amount(j, type, value.coefficient, out); return SHUNT_OK;
    case SHUNT_KIND_TEXT: put_text(out, value.text); return SHUNT_OK;
    case SHUNT_KIND_DATE: put_date(out, value.integer); return SHUNT_OK;
    case SHUNT_KIND_MOMENT: put_moment(out, value.integer); return SHUNT_OK;
    case SHUNT_KIND_ROW:
        if (!value.row) break;
        return put_object(j, type.record, value.row->fields, value.row->states, depth + 1, out);
    case SHUNT_KIND_LIST: {
        shunt_type item = type;
        item.kind = type.element;
        shunt_buffer_char(out, '[');
        for (uint32_t i = 0; i < value.list.count; i++) {
            if (i) shunt_buffer_char(out, ',');
            SHUNT_TRY(put_value(j, item, value.list.items[i], depth + 1, out));
        }
        shunt_buffer_char(out, ']');
        return SHUNT_OK;
    }
    case SHUNT_KIND_NONE:
    case SHUNT_KIND_NODE:
    case SHUNT_KIND_COUNT: break;
    }
    shunt_put(out, SHUNT_TEXT("null"));
    return SHUNT_OK;
}

/* The members of an object that are present; `comma`: something stands before them. `with`: currencies are said, by `own` each for itself. */
static shunt_status put_members(const shunt_json *j, const struct shunt_shape *shape, const shunt_value *fields,
                                const uint8_t *states, bool comma, bool said, bool own, unsigned depth, shunt_buffer *out)
{
    if (depth > SHUNT_ROW_DEPTH) return SHUNT_LIMIT;
    for (uint32_t i = 0; i < shape->count; i++) {
        if (states[i] != SHUNT_PRESENT) continue;
        const struct member *m = &shape->members[i];
        put_padded(out, comma ? m->name : (shunt_text){ m->name.bytes + 1, m->name.length - 1 });
        comma = true;
        SHUNT_TRY(put_value(j, m->type, fields[i], depth, out));
        if (!m->own.length || (said && !own)) continue;
        shunt_put(out, own ? m->own : m->currency);
        said = said || !own;
    }
    return SHUNT_OK;
}

static shunt_status put_object(const shunt_json *j, uint16_t record, const shunt_value *fields, const uint8_t *states,
                               unsigned depth, shunt_buffer *out)
{
    const struct shunt_shape *shape = &j->shapes[record];
    shunt_buffer_char(out, '{');
    SHUNT_TRY(put_members(j, shape, fields, states, false, false, shape->currency == SHUNT_NONE, depth, out));
    shunt_buffer_char(out, '}');
    return SHUNT_OK;
}

static shunt_status put_line(const shunt_json *j, uint16_t columns, const shunt_line *line, shunt_buffer *out)
{
    const struct shunt_shape *shape = columns == SHUNT_NONE ? NULL : &j->shapes[columns];
    bool                      own = shape && shape->currency && shape->currency != line->type.extra;
    shunt_put(out,
              line->credit ? SHUNT_TEXT("{\"side\":\"credit\",\"account\":") : SHUNT_TEXT("{\"side\":\"debit\",\"account\":"));
    put_text(out, line->account);
    shunt_put(out, SHUNT_TEXT(",\"amount\":"));
    put_amount(j, line->type, line->amount, out);
    shunt_put(out, own ? SHUNT_TEXT(",\"amount_currency\":") : SHUNT_TEXT(",\"currency\":"));
    put_text(out, shunt_program_text(j->program, line->type.extra));
    if (shape) SHUNT_TRY(put_members(j, shape, line->columns, line->states, true, !own, own, 1, out));
    shunt_buffer_char(out, '}');
    return SHUNT_OK;
}

shunt_status shunt_json_record(const shunt_json *j, const shunt_record *r, shunt_buffer *out)
{
    const shunt_target       *target = &j->program->targets[r->target];
    const struct shunt_shape *shape = &j->shapes[target->record];
    shunt_buffer_char(out, '{');
    SHUNT_TRY(put_members(j, shape, r->fields, r->states, false, false, shape->currency == SHUNT_NONE, 0, out));
    if (r->journal) {
        /* A header without a field that is present leaves nothing to separate. */
        shunt_put(out, out->bytes && out->length && out->bytes[out->length - 1] == '{' ? SHUNT_TEXT("\"lines\":[")
                                                                                       : SHUNT_TEXT(",\"lines\":["));
        for (uint32_t i = 0; i < r->line_count; i++) {
            if (i) shunt_buffer_char(out, ',');
            SHUNT_TRY(put_line(j, target->line, &r->lines[i], out));
        }
        shunt_buffer_char(out, ']');
    }
    shunt_buffer_char(out, '}');
    return SHUNT_OK;
}

/* One line of JSON: {"target":..,"key":[..],"correlate":[..],"record":{..},"meta":{..}} */
shunt_status shunt_encode_line(const shunt_encoders *e, const shunt_record *record, const shunt_stamp *stamp, shunt_buffer *out,
                               shunt_written *written)
{
    shunt_put(out, e->forms[record->target].json_head);
    written->key.begin = out->length;
    shunt_json_texts(out, record->key, record->key_count);
    written->key.end = out->length;
    if (stamp->correlate.length) {
        shunt_put(out, SHUNT_TEXT(",\"correlate\":"));
        shunt_put(out, stamp->correlate);
    }
    shunt_put(out, SHUNT_TEXT(",\"record\":"));
    written->content.begin = out->length;
    SHUNT_TRY(shunt_json_record(&e->json[false], record, out));
    written->content.end = out->length;
    shunt_put(out, (shunt_text){ e->stamp.bytes, (uint32_t)e->stamp.length });
    shunt_json_number(out, stamp->begin);
    shunt_put(out, SHUNT_TEXT(",\"end\":"));
    shunt_json_number(out, stamp->end);
    shunt_put(out, e->files[record->site]);
    return SHUNT_OK;
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

static shunt_status put_parts(const struct json_form *f, const struct json_part *parts, uint32_t count,
                              const shunt_record *record, const shunt_line *line, shunt_buffer *out, bool *comma)
{
    for (uint32_t i = 0; i < count; i++) {
        shunt_type  type;
        shunt_value value;
        if (!shunt_part_get(f->json->program, &parts[i].part, record, line, &type, &value)) continue;
        put_padded(out, *comma ? parts[i].name : (shunt_text){ parts[i].name.bytes + 1, parts[i].name.length - 1 });
        *comma = true;
        SHUNT_TRY(put_value(f->json, type, value, 0, out));
    }
    return SHUNT_OK;
}

static shunt_status put_listed(const struct json_form *f, const shunt_record *record, shunt_buffer *out)
{
    bool comma = false;
    shunt_buffer_char(out, '{');
    SHUNT_TRY(put_parts(f, f->parts, f->header, record, NULL, out, &comma));
    if (f->lines) {
        shunt_put(out, comma ? SHUNT_TEXT(",\"lines\":[") : SHUNT_TEXT("\"lines\":["));
        for (uint32_t i = 0; i < record->line_count; i++) {
            comma = false;
            shunt_put(out, i ? SHUNT_TEXT(",{") : SHUNT_TEXT("{"));
            SHUNT_TRY(put_parts(f, f->parts + f->header, f->lines, record, &record->lines[i], out, &comma));
            shunt_buffer_char(out, '}');
        }
        shunt_buffer_char(out, ']');
    }
    shunt_buffer_char(out, '}');
    return SHUNT_OK;
}

static shunt_status write_json(const shunt_encoders *e, const shunt_record *record, const shunt_stamp *stamp, shunt_buffer *out,
                               shunt_written *written)
{
    const struct json_form *f = e->forms[record->target].own;
    (void)stamp;
    (void)written;
    shunt_put(out, f->open);
    SHUNT_TRY(f->parts ? put_listed(f, record, out) : shunt_json_record(f->json, record, out));
    shunt_put(out, f->close);
    return SHUNT_OK;
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
