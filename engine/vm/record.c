#include "engine/vm/record.h"

#include <stdio.h>

#include "engine/base/date.h"
#include "engine/base/decimal.h"
#include "engine/base/hash.h"

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
struct shape {
    const struct member *members;
    uint32_t             count;
    uint16_t             currency; /* the one of all its money; 0 = it has none, SHUNT_NONE = they differ */
};

struct shunt_encoders {
    const shunt_memory  *memory;
    const shunt_program *program;
    shunt_arena         *arena;   /* names */
    struct shape        *shapes;  /* one a record type */
    shunt_encoder      **targets; /* one a target */
    shunt_text          *heads;   /* one a target: `{"target":"gl","key":` */
    shunt_text          *files;   /* one a site: `,"rule":"remit.map:143"}}` */
    shunt_text           meta;    /* `,"meta":{"module":...,"program":"..."` */
    shunt_buffer         stamp;   /* meta and the input: `...,"input":"1","begin":` */
};

/* ---- writing ---- */

static inline char *room(shunt_buffer *out, size_t more)
{
    if (SHUNT_UNLIKELY(out->capacity - out->length < more) && !shunt_buffer_reserve(out, more)) return NULL;
    return out->bytes + out->length;
}

static inline void put(shunt_buffer *out, shunt_text text)
{
    char *at = room(out, text.length);
    if (SHUNT_UNLIKELY(!at)) return;
    if (text.length) memcpy(at, text.bytes, text.length);
    out->length += text.length;
}

/* A text with PAD readable bytes behind it: copied in steps of PAD, without a call. */
static inline void put_padded(shunt_buffer *out, shunt_text text)
{
    char *at = room(out, text.length + PAD);
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
    if (length > PLAIN || !(at = room(out, PLAIN + 16))) {
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
    put(out, (shunt_text){ at, (uint32_t)(digits + DIGITS - at) });
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
    char *at = room(out, SHUNT_DECIMAL_TEXT + 2);
    if (!at) return;
    at[0] = '"';
    size_t length = shunt_decimal_print(coefficient, scale, at + 1);
    at[1 + length] = '"';
    out->length += length + 2;
}

static void put_integer(shunt_buffer *out, int64_t number)
{
    if (number < 0) shunt_buffer_char(out, '-');
    shunt_json_number(out, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

static void put_date(shunt_buffer *out, int64_t days)
{
    char *at = room(out, SHUNT_DATE_TEXT + 2);
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

static shunt_status put_object(const shunt_encoders *e, uint16_t record, const shunt_value *fields, const uint8_t *states,
                               unsigned depth, shunt_buffer *out);

static shunt_status put_value(const shunt_encoders *e, shunt_type type, shunt_value value, unsigned depth, shunt_buffer *out)
{
    switch ((shunt_kind)type.kind) {
    case SHUNT_KIND_BOOL: put(out, value.integer ? SHUNT_TEXT("true") : SHUNT_TEXT("false")); return SHUNT_OK;
    case SHUNT_KIND_INT:
        if (type.extra)
            put_text(out, enum_member(e->program, (uint16_t)(type.extra - 1), value.integer));
        else
            put_integer(out, value.integer);
        return SHUNT_OK;
    case SHUNT_KIND_DECIMAL: put_decimal(out, value.coefficient, type.scale); return SHUNT_OK;
    case SHUNT_KIND_TEXT: put_text(out, value.text); return SHUNT_OK;
    case SHUNT_KIND_DATE: put_date(out, value.integer); return SHUNT_OK;
    case SHUNT_KIND_MOMENT: put_moment(out, value.integer); return SHUNT_OK;
    case SHUNT_KIND_ROW:
        if (!value.row) break;
        return put_object(e, type.record, value.row->fields, value.row->states, depth + 1, out);
    case SHUNT_KIND_LIST: {
        shunt_type item = type;
        item.kind = type.element;
        shunt_buffer_char(out, '[');
        for (uint32_t i = 0; i < value.list.count; i++) {
            if (i) shunt_buffer_char(out, ',');
            SHUNT_TRY(put_value(e, item, value.list.items[i], depth + 1, out));
        }
        shunt_buffer_char(out, ']');
        return SHUNT_OK;
    }
    case SHUNT_KIND_NONE:
    case SHUNT_KIND_NODE:
    case SHUNT_KIND_COUNT: break;
    }
    put(out, SHUNT_TEXT("null"));
    return SHUNT_OK;
}

/* The members of an object that are present; `comma`: something stands before them. `with`: currencies are said, by `own` each for itself. */
static shunt_status put_members(const shunt_encoders *e, const struct shape *shape, const shunt_value *fields,
                                const uint8_t *states, bool comma, bool said, bool own, unsigned depth, shunt_buffer *out)
{
    if (depth > SHUNT_ROW_DEPTH) return SHUNT_LIMIT;
    for (uint32_t i = 0; i < shape->count; i++) {
        if (states[i] != SHUNT_PRESENT) continue;
        const struct member *m = &shape->members[i];
        put_padded(out, comma ? m->name : (shunt_text){ m->name.bytes + 1, m->name.length - 1 });
        comma = true;
        SHUNT_TRY(put_value(e, m->type, fields[i], depth, out));
        if (!m->own.length || (said && !own)) continue;
        put(out, own ? m->own : m->currency);
        said = said || !own;
    }
    return SHUNT_OK;
}

static shunt_status put_object(const shunt_encoders *e, uint16_t record, const shunt_value *fields, const uint8_t *states,
                               unsigned depth, shunt_buffer *out)
{
    const struct shape *shape = &e->shapes[record];
    shunt_buffer_char(out, '{');
    SHUNT_TRY(put_members(e, shape, fields, states, false, false, shape->currency == SHUNT_NONE, depth, out));
    shunt_buffer_char(out, '}');
    return SHUNT_OK;
}

static shunt_status put_line(const shunt_encoders *e, uint16_t columns, const shunt_line *line, shunt_buffer *out)
{
    const struct shape *shape = columns == SHUNT_NONE ? NULL : &e->shapes[columns];
    bool                own = shape && shape->currency && shape->currency != line->type.extra;
    put(out, line->credit ? SHUNT_TEXT("{\"side\":\"credit\",\"account\":") : SHUNT_TEXT("{\"side\":\"debit\",\"account\":"));
    put_text(out, line->account);
    put(out, SHUNT_TEXT(",\"amount\":"));
    put_decimal(out, line->amount, line->type.scale);
    put(out, own ? SHUNT_TEXT(",\"amount_currency\":") : SHUNT_TEXT(",\"currency\":"));
    put_text(out, shunt_program_text(e->program, line->type.extra));
    if (shape) SHUNT_TRY(put_members(e, shape, line->columns, line->states, true, !own, own, 1, out));
    shunt_buffer_char(out, '}');
    return SHUNT_OK;
}

static shunt_status put_record(const shunt_encoders *e, const shunt_record *r, shunt_buffer *out)
{
    const shunt_target *target = &e->program->targets[r->target];
    const struct shape *shape = &e->shapes[target->record];
    shunt_buffer_char(out, '{');
    SHUNT_TRY(put_members(e, shape, r->fields, r->states, false, false, shape->currency == SHUNT_NONE, 0, out));
    if (r->journal) {
        /* A header without a field that is present leaves nothing to separate. */
        put(out, out->bytes && out->length && out->bytes[out->length - 1] == '{' ? SHUNT_TEXT("\"lines\":[")
                                                                                 : SHUNT_TEXT(",\"lines\":["));
        for (uint32_t i = 0; i < r->line_count; i++) {
            if (i) shunt_buffer_char(out, ',');
            SHUNT_TRY(put_line(e, target->line, &r->lines[i], out));
        }
        shunt_buffer_char(out, ']');
    }
    shunt_buffer_char(out, '}');
    return SHUNT_OK;
}

/* One line of JSON: {"target":..,"key":[..],"correlate":[..],"record":{..},"meta":{..}} */
static shunt_status encode_json(const shunt_encoders *e, const shunt_record *record, const shunt_stamp *stamp, shunt_buffer *out,
                                shunt_written *written)
{
    put(out, e->heads[record->target]);
    written->key.begin = out->length;
    shunt_json_texts(out, record->key, record->key_count);
    written->key.end = out->length;
    if (stamp->correlate.length) {
        put(out, SHUNT_TEXT(",\"correlate\":"));
        put(out, stamp->correlate);
    }
    put(out, SHUNT_TEXT(",\"record\":"));
    written->content.begin = out->length;
    SHUNT_TRY(put_record(e, record, out));
    written->content.end = out->length;
    put(out, (shunt_text){ e->stamp.bytes, (uint32_t)e->stamp.length });
    shunt_json_number(out, stamp->begin);
    put(out, SHUNT_TEXT(",\"end\":"));
    shunt_json_number(out, stamp->end);
    put(out, e->files[record->site]);
    return SHUNT_OK;
}

shunt_status shunt_encode(const shunt_encoders *e, const shunt_record *record, const shunt_stamp *stamp, shunt_buffer *out,
                          shunt_written *written)
{
    size_t       before = out->length;
    shunt_status status = e->targets[record->target](e, record, stamp, out, written);
    if (status == SHUNT_OK && out->failed) status = SHUNT_NO_MEMORY;
    if (status != SHUNT_OK) out->length = before;
    return status;
}

/* ---- preparing ---- */

static shunt_text keep(shunt_encoders *e, shunt_buffer *scratch)
{
    shunt_text text = { 0 };
    if (!scratch->failed) text = shunt_text_copy(e->arena, (shunt_text){ scratch->bytes, (uint32_t)scratch->length });
    scratch->length = 0;
    return text;
}

static shunt_text keep_padded(shunt_encoders *e, shunt_buffer *scratch)
{
    static const char pad[PAD] = { 0 };
    size_t            length = scratch->length;
    shunt_buffer_add(scratch, pad, sizeof pad);
    shunt_text text = keep(e, scratch);
    if (text.bytes) text.length = (uint32_t)length;
    return text;
}

static bool is_money(shunt_type type) { return type.kind == SHUNT_KIND_DECIMAL && type.extra != 0; }

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
    return keep(e, scratch);
}

static bool prepare_shape(shunt_encoders *e, uint32_t number, shunt_buffer *scratch)
{
    const shunt_program     *p = e->program;
    const shunt_record_type *record = &p->records[number];
    struct member           *members = SHUNT_NEW_N(e->arena, struct member, record->field_count ? record->field_count : 1);
    struct shape            *shape = &e->shapes[number];
    if (!members) return false;
    *shape = (struct shape){ members, record->field_count, 0 };
    for (uint32_t i = 0; i < record->field_count; i++) {
        shunt_type type = p->fields[record->field_first + i].type;
        if (is_money(type)) shape->currency = !shape->currency || shape->currency == type.extra ? type.extra : SHUNT_NONE;
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
        if (!is_money(field->type)) continue;
        members[i].currency = currency_member(e, scratch, (shunt_text){ 0 }, field->type.extra);
        members[i].own = currency_member(e, scratch, name, field->type.extra);
        if (!members[i].currency.bytes || !members[i].own.bytes) return false;
    }
    return true;
}

static bool prepare_meta(shunt_encoders *e, shunt_text key_id, shunt_buffer *scratch)
{
    const shunt_program *p = e->program;
    char                 hex[SHUNT_SHA256_HEX];
    shunt_buffer_z(scratch, ",\"meta\":{");
    if (p->modules_count) {
        shunt_buffer_z(scratch, "\"module\":");
        shunt_buffer_json(scratch, shunt_program_text(p, p->modules[0].name));
        shunt_buffer_z(scratch, ",\"version\":");
        shunt_buffer_json(scratch, shunt_program_text(p, p->modules[0].version));
        shunt_buffer_char(scratch, ',');
    }
    shunt_hex(p->hash, sizeof p->hash, hex);
    shunt_buffer_z(scratch, "\"program\":\"");
    shunt_buffer_add(scratch, hex, sizeof hex);
    shunt_buffer_char(scratch, '"');
    if (key_id.length) {
        shunt_buffer_z(scratch, ",\"token_key\":");
        shunt_buffer_json(scratch, key_id);
    }
    e->meta = keep(e, scratch);
    return e->meta.bytes != NULL;
}

/* Only sites that a record can name are prepared: the instructions EMIT and POST. */
static bool prepare_sites(shunt_encoders *e, shunt_buffer *scratch)
{
    const shunt_program *p = e->program;
    for (uint32_t i = 0; i < p->sites_count; i++) e->files[i] = SHUNT_TEXT("}}");
    for (uint32_t i = 0; i < p->instructions_count; i++) {
        uint16_t op = p->instructions[i].op;
        if (op != SHUNT_OP_EMIT && op != SHUNT_OP_POST && op != SHUNT_OP_JOURNAL) continue;
        uint32_t site = i < p->instruction_sites_count ? p->instruction_sites[i] : 0;
        if (!site || site >= p->sites_count || e->files[site].length > 2) continue;
        shunt_buffer_z(scratch, ",\"rule\":");
        shunt_buffer_json(scratch, shunt_program_text(p, p->sites[site].file));
        if (scratch->failed) return false;
        scratch->length--;
        shunt_buffer_char(scratch, ':');
        shunt_json_number(scratch, p->sites[site].line);
        shunt_buffer_z(scratch, "\"}}");
        e->files[site] = keep(e, scratch);
        if (!e->files[site].bytes) return false;
    }
    return true;
}

static shunt_status prepare_targets(shunt_encoders *e, shunt_buffer *scratch, char why[static 200])
{
    const shunt_program *p = e->program;
    for (uint32_t i = 0; i < p->targets_count; i++) {
        shunt_text name = shunt_program_text(p, p->targets[i].name);
        if (p->targets[i].encoding != SHUNT_NONE) {
            snprintf(why, 200, "target `%.*s` has an `encode`, which this version does not write",
                     (int)(name.length < 80 ? name.length : 80), name.bytes);
            return SHUNT_USAGE;
        }
        e->targets[i] = encode_json;
        shunt_buffer_z(scratch, "{\"target\":");
        shunt_buffer_json(scratch, name);
        shunt_buffer_z(scratch, ",\"key\":");
        e->heads[i] = keep(e, scratch);
        if (!e->heads[i].bytes) return SHUNT_NO_MEMORY;
    }
    return SHUNT_OK;
}

static shunt_status prepare(shunt_encoders *e, shunt_text key_id, char why[static 200])
{
    const shunt_program *p = e->program;
    shunt_buffer         scratch;
    e->arena = shunt_arena_new(e->memory, 0);
    if (!e->arena) return SHUNT_NO_MEMORY;
    e->shapes = SHUNT_NEW_N(e->arena, struct shape, p->records_count + 1);
    e->targets = SHUNT_NEW_N(e->arena, shunt_encoder *, p->targets_count + 1);
    e->heads = SHUNT_NEW_N(e->arena, shunt_text, p->targets_count + 1);
    e->files = SHUNT_NEW_N(e->arena, shunt_text, p->sites_count + 1);
    if (!e->shapes || !e->targets || !e->heads || !e->files) return SHUNT_NO_MEMORY;
    e->files[0] = SHUNT_TEXT("}}"); /* also where the program keeps no sites */
    shunt_buffer_init(&scratch, e->memory);
    bool fine = prepare_meta(e, key_id, &scratch) && prepare_sites(e, &scratch);
    for (uint32_t i = 0; fine && i < p->records_count; i++) fine = prepare_shape(e, i, &scratch);
    shunt_status status = fine ? prepare_targets(e, &scratch, why) : SHUNT_NO_MEMORY;
    shunt_buffer_done(&scratch);
    return status == SHUNT_OK ? shunt_encoders_input(e, (shunt_text){ 0 }) : status;
}

shunt_status shunt_encoders_new(const shunt_memory *memory, const shunt_program *program, shunt_text key_id,
                                shunt_encoders **encoders, char why[static 200])
{
    shunt_encoders *e = shunt_memory_zeroed(memory, 1, sizeof *e);
    if (!e) return SHUNT_NO_MEMORY;
    e->memory = memory;
    e->program = program;
    shunt_buffer_init(&e->stamp, memory);
    shunt_status status = prepare(e, key_id, why);
    if (status == SHUNT_OK)
        *encoders = e;
    else
        shunt_encoders_free(e);
    return status;
}

void shunt_encoders_free(shunt_encoders *e)
{
    if (!e) return;
    shunt_arena_free(e->arena);
    shunt_buffer_done(&e->stamp);
    shunt_memory_free(e->memory, e);
}

shunt_status shunt_encoders_input(shunt_encoders *e, shunt_text id)
{
    e->stamp.length = 0;
    shunt_buffer_text(&e->stamp, e->meta);
    shunt_buffer_z(&e->stamp, ",\"input\":");
    shunt_buffer_json(&e->stamp, id);
    shunt_buffer_z(&e->stamp, ",\"begin\":");
    return e->stamp.failed ? SHUNT_NO_MEMORY : SHUNT_OK;
}
