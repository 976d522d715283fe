#include "engine/vm/encode_message.h"

#include "engine/base/date.h"
#include "engine/base/decimal.h"

/* ---- values ---- */

static bool is_whole(shunt_type type) { return type.kind == SHUNT_KIND_INT || type.kind == SHUNT_KIND_BOOL; }

static uint32_t digits_in(shunt_text number)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < number.length; i++) count += number.bytes[i] >= '0' && number.bytes[i] <= '9';
    return count;
}

/* Zeros before the digits until there are `least`; then the length is looked at. `room` holds the number with space behind it. */
static shunt_status fit_number(const shunt_message_node *n, char *room, uint32_t length, shunt_text *value)
{
    uint32_t digits = digits_in((shunt_text){ room, length });
    uint32_t sign = room[0] == '-', more = n->min > digits ? n->min - digits : 0;
    if (n->max && digits > n->max) return SHUNT_OVERFLOW;
    if (length + more > SHUNT_VALUE_ROOM) return SHUNT_OVERFLOW;
    memmove(room + sign + more, room + sign, length - sign);
    memset(room + sign, '0', more);
    *value = (shunt_text){ room, length + more };
    return SHUNT_OK;
}

/* X12.6, type R: no zeros before the digits nor at the end of a fraction. */
static uint32_t strip_zeros(char *room, uint32_t length)
{
    uint32_t sign = room[0] == '-';
    if (memchr(room, '.', length)) {
        while (room[length - 1] == '0') length--;
        if (room[length - 1] == '.') length--;
    }
    if (length > sign + 1 && room[sign] == '0' && room[sign + 1] == '.') {
        memmove(room + sign, room + sign + 1, length - sign - 1);
        length--;
    }
    return length;
}

static shunt_status put_number(const shunt_message_node *n, shunt_type type, shunt_value v, char *room, shunt_text *value)
{
    shunt_decimal number = is_whole(type) ? v.integer : v.coefficient;
    unsigned      scale = is_whole(type) ? 0 : type.scale;
    if (n->format == SHUNT_FORMAT_IMPLIED) {
        SHUNT_TRY(shunt_decimal_rescale(number, scale, n->decimals, SHUNT_EXACT, &number));
        return fit_number(n, room, (uint32_t)shunt_decimal_print(number, 0, room), value);
    }
    uint32_t length = (uint32_t)shunt_decimal_print(number, scale, room);
    return fit_number(n, room, strip_zeros(room, length), value);
}

static void put_digits(char *at, int64_t number, int width)
{
    for (int i = width; i-- > 0; number /= 10) at[i] = (char)('0' + number % 10);
}

static shunt_status put_date(const shunt_message_node *n, int64_t days, char *room, shunt_text *value)
{
    int year, month, day;
    shunt_date_split(days, &year, &month, &day);
    put_digits(room, year, 4);
    put_digits(room + 4, month, 2);
    put_digits(room + 6, day, 2);
    *value = n->max && n->max < 8 ? (shunt_text){ room + 2, 6 } : (shunt_text){ room, 8 };
    return SHUNT_OK;
}

/* As read from the clock on the wall. */
static shunt_status put_time(const shunt_message_node *n, shunt_moment moment, char *room, shunt_text *value)
{
    int64_t seconds = shunt_moment_local_seconds(moment) % 86400;
    if (moment.precision != SHUNT_PRECISION_TIME) return SHUNT_VALUE_INVALID;
    if (seconds < 0) seconds += 86400;
    put_digits(room, seconds / 3600, 2);
    put_digits(room + 2, seconds / 60 % 60, 2);
    put_digits(room + 4, seconds % 60, 2);
    *value = (shunt_text){ room, n->max >= 6 ? 6 : 4 };
    return SHUNT_OK;
}

/* YYYY[MM[DD[HHMMSS[.ffff]]]] and the offset, where one was written or assumed. */
shunt_status shunt_message_moment(shunt_moment moment, char room[static SHUNT_VALUE_ROOM], shunt_text *value)
{
    int     year, month, day;
    int64_t seconds = shunt_moment_local_seconds(moment), days = seconds / 86400 - (seconds % 86400 < 0),
            rest = seconds - days * 86400;
    shunt_date_split(days, &year, &month, &day);
    put_digits(room, year, 4);
    put_digits(room + 4, month, 2);
    put_digits(room + 6, day, 2);
    uint32_t length = moment.precision == SHUNT_PRECISION_YEAR ? 4 : moment.precision == SHUNT_PRECISION_MONTH ? 6 : 8;
    if (moment.precision == SHUNT_PRECISION_TIME) {
        int64_t fraction = moment.microseconds % 1000000;
        put_digits(room + 8, rest / 3600, 2);
        put_digits(room + 10, rest / 60 % 60, 2);
        put_digits(room + 12, rest % 60, 2);
        length = 14;
        if (fraction < 0) fraction += 1000000;
        if (fraction % 100) return SHUNT_DIGITS_LOST; /* HL7 has four digits */
        if (fraction) {
            room[length] = '.';
            put_digits(room + length + 1, fraction / 100, 4);
            length += 5;
        }
        if (moment.zoned != SHUNT_ZONED_NOT) {
            int offset = moment.offset < 0 ? -moment.offset : moment.offset;
            room[length] = moment.offset < 0 ? '-' : '+';
            put_digits(room + length + 1, offset / 60, 2);
            put_digits(room + length + 3, offset % 60, 2);
            length += 5;
        }
    }
    *value = (shunt_text){ room, length };
    return SHUNT_OK;
}

static shunt_status fit_text(const shunt_message_node *n, shunt_text text)
{
    uint32_t count = shunt_utf8_count(text);
    if (n->max && count > n->max) return SHUNT_TEXT_TOO_LONG;
    return n->format == SHUNT_FORMAT_CODE && count < n->min ? SHUNT_VALUE_INVALID : SHUNT_OK;
}

static shunt_status value_text(const shunt_program *p, const shunt_message_node *n, shunt_type type, shunt_value v, char *room,
                               shunt_text *value)
{
    bool number = type.kind == SHUNT_KIND_DECIMAL || (type.kind == SHUNT_KIND_INT && !type.extra);
    if ((n->format == SHUNT_FORMAT_NUMBER || n->format == SHUNT_FORMAT_IMPLIED) && number)
        return put_number(n, type, v, room, value);
    if (n->format == SHUNT_FORMAT_DATE && type.kind == SHUNT_KIND_DATE) return put_date(n, v.integer, room, value);
    if (n->format == SHUNT_FORMAT_TIME && type.kind == SHUNT_KIND_MOMENT) return put_time(n, v.moment, room, value);
    if (n->format == SHUNT_FORMAT_MOMENT && type.kind == SHUNT_KIND_MOMENT) return shunt_message_moment(v.moment, room, value);
    *value = shunt_value_text(p, type, v, room);
    return fit_text(n, *value);
}

/* Absent, and an empty text, are nothing. */
bool shunt_message_read(const shunt_program *p, const shunt_message_node *n, const shunt_message_fields *f, shunt_type *type,
                        shunt_value *value)
{
    if (f->states[n->field] != SHUNT_PRESENT) return false;
    *type = p->fields[p->records[f->record].field_first + n->field].type;
    *value = f->values[n->field];
    return type->kind != SHUNT_KIND_TEXT || value->text.length > 0;
}

shunt_status shunt_message_setting(const shunt_program *p, const shunt_message_node *n, const shunt_message_fields *f,
                                   char room[static SHUNT_VALUE_ROOM], shunt_text *value)
{
    shunt_type  type;
    shunt_value v;
    *value = (shunt_text){ 0 };
    if (!shunt_message_read(p, n, f, &type, &v)) return n->flags & SHUNT_MESSAGE_REQUIRED ? SHUNT_REQUIRED_MISSING : SHUNT_OK;
    return value_text(p, n, type, v, room, value);
}

static bool is_ascii(shunt_text text)
{
    for (uint32_t i = 0; i < text.length; i++)
        if ((uint8_t)text.bytes[i] >= 0x80) return false;
    return true;
}

/* The bytes that stand for the value in the character set of the message; controls beyond ASCII are refused or blanks. */
static shunt_status recode(shunt_message_writer *m, shunt_text *text)
{
    shunt_buffer *out = m->scratch;
    out->length = 0;
    for (size_t i = 0, length; i < text->length; i += length) {
        uint32_t c = shunt_character(text->bytes + i, text->length - i, &length);
        if (c >= 0x80 && shunt_is_control(c)) {
            if (m->segments.in_data == SHUNT_DATA_REFUSE) return SHUNT_NOT_WRITABLE;
            if (m->segments.in_data == SHUNT_DATA_BLANK) c = ' ';
        }
        SHUNT_TRY(shunt_put_character(out, m->charset, c));
    }
    if (out->failed) return SHUNT_NO_MEMORY;
    *text = (shunt_text){ out->bytes, (uint32_t)out->length };
    return SHUNT_OK;
}

shunt_status shunt_message_text(shunt_message_writer *m, shunt_text text)
{
    if (!is_ascii(text)) SHUNT_TRY(recode(m, &text));
    return shunt_write_text(&m->segments, text);
}

static shunt_status put_value(shunt_message_writer *m, const shunt_message_node *n, const shunt_message_fields *f)
{
    char        room[SHUNT_VALUE_ROOM];
    shunt_type  type;
    shunt_value v;
    shunt_text  text;
    if (f->states[n->field] == SHUNT_CLEARED) return shunt_write_null(&m->segments);
    if (!shunt_message_read(m->program, n, f, &type, &v))
        return n->flags & SHUNT_MESSAGE_REQUIRED ? SHUNT_REQUIRED_MISSING : SHUNT_OK;
    SHUNT_TRY(value_text(m->program, n, type, v, room, &text));
    uint32_t count = n->format == SHUNT_FORMAT_TEXT && n->min > 1 ? shunt_utf8_count(text) : n->min;
    SHUNT_TRY(shunt_message_text(m, text));
    for (; count < n->min && n->format == SHUNT_FORMAT_TEXT; count++) SHUNT_TRY(shunt_write_text(&m->segments, SHUNT_TEXT(" ")));
    return SHUNT_OK;
}

/* ---- elements and segments ---- */

static bool has_rows(const shunt_program *p, uint32_t each, const shunt_message_fields *f);

/* Does anything in [first, end) say something of the record? `only_constants`: nothing in there could. */
static bool has_content(const shunt_program *p, uint32_t first, uint32_t end, const shunt_message_fields *f, bool *only_constants)
{
    shunt_type  type;
    shunt_value value;
    for (uint32_t i = first; i < end; i += 1 + p->message_nodes[i].count) {
        const shunt_message_node *n = &p->message_nodes[i];
        if (n->kind == SHUNT_MESSAGE_EACH) {
            *only_constants = false;
            if (has_rows(p, i, f)) return true;
        } else if (n->count) {
            if (has_content(p, i + 1, i + 1 + n->count, f, only_constants)) return true;
        } else if (!(n->flags & SHUNT_MESSAGE_CONSTANT)) {
            *only_constants = false;
            if (f->states[n->field] == SHUNT_CLEARED || shunt_message_read(p, n, f, &type, &value)) return true;
        }
    }
    return false;
}

bool shunt_message_says(const shunt_program *p, uint32_t first, uint32_t end, const shunt_message_fields *f)
{
    bool only_constants = true;
    return has_content(p, first, end, f, &only_constants) || only_constants;
}

bool shunt_message_row(const shunt_program *p, const shunt_message_node *each, const shunt_message_fields *f, uint32_t index,
                       shunt_message_fields *row)
{
    shunt_type       type = p->fields[p->records[f->record].field_first + each->field].type;
    const shunt_row *item = f->values[each->field].list.items[index].row;
    if (!item) return false;
    *row = (shunt_message_fields){ item->fields, item->states, type.record };
    return true;
}

uint32_t shunt_message_rows(const shunt_message_node *each, const shunt_message_fields *f)
{
    return f->states[each->field] == SHUNT_PRESENT ? f->values[each->field].list.count : 0;
}

static bool has_rows(const shunt_program *p, uint32_t each, const shunt_message_fields *f)
{
    const shunt_message_node *n = &p->message_nodes[each];
    shunt_message_fields      row;
    for (uint32_t r = 0; r < shunt_message_rows(n, f); r++)
        if (shunt_message_row(p, n, f, r, &row) && shunt_message_says(p, each + 1, each + 1 + n->count, &row)) return true;
    return false;
}

static bool element_is_written(const shunt_program *p, uint32_t first, uint32_t end, const shunt_message_fields *f,
                               uint32_t number)
{
    for (uint32_t i = first; i < end; i += 1 + p->message_nodes[i].count) {
        const shunt_message_node *n = &p->message_nodes[i];
        if (n->number != number) continue;
        return has_content(p, i, i + 1 + n->count, f, &(bool){ true });
    }
    return false;
}

/* `level`: 0 elements, 1 components, 2 subcomponents. */
static shunt_status put_elements(shunt_message_writer *m, uint32_t first, uint32_t end, const shunt_message_fields *f,
                                 unsigned level);

static shunt_status put_repetitions(shunt_message_writer *m, uint32_t each, const shunt_message_fields *f, unsigned level)
{
    const shunt_message_node *n = &m->program->message_nodes[each];
    shunt_message_fields      row;
    for (uint32_t r = 0; r < shunt_message_rows(n, f); r++) {
        if (r) shunt_write_repetition(&m->segments);
        if (shunt_message_row(m->program, n, f, r, &row)) SHUNT_TRY(put_elements(m, each + 1, each + 1 + n->count, &row, level));
    }
    return SHUNT_OK;
}

static shunt_status put_elements(shunt_message_writer *m, uint32_t first, uint32_t end, const shunt_message_fields *f,
                                 unsigned level)
{
    const shunt_program *p = m->program;
    uint32_t             last = level ? 1 : 0;
    if (level > 2) return SHUNT_LIMIT;
    for (uint32_t i = first; i < end; i += 1 + p->message_nodes[i].count) {
        const shunt_message_node *n = &p->message_nodes[i];
        for (; last < n->number; last++) {
            if (level == 0)
                shunt_write_element(&m->segments);
            else if (level == 1)
                shunt_write_component(&m->segments);
            else
                shunt_write_subcomponent(&m->segments);
        }
        if (!n->count) {
            if (!n->with || element_is_written(p, first, end, f, n->with)) SHUNT_TRY(put_value(m, n, f));
        } else if (!shunt_message_says(p, i + 1, i + 1 + n->count, f)) {
            if (n->flags & SHUNT_MESSAGE_REQUIRED) return SHUNT_REQUIRED_MISSING;
        } else if (p->message_nodes[i + 1].kind == SHUNT_MESSAGE_EACH) {
            SHUNT_TRY(put_repetitions(m, i + 1, f, level + 1));
        } else {
            SHUNT_TRY(put_elements(m, i + 1, i + 1 + n->count, f, level + 1));
        }
    }
    return SHUNT_OK;
}

/* Is the segment written? REQUIRED_MISSING where the guide wants it, or what stands in a loop whose first segment is not. */
static shunt_status weigh_segment(shunt_message_writer *m, const shunt_message_node *n, uint32_t body, uint32_t end,
                                  const shunt_message_fields *f, bool *written)
{
    bool     starts = n->flags & SHUNT_MESSAGE_STARTS, only_constants = true, says = false;
    unsigned depth = n->number, around = starts ? depth - n->decimals : depth;
    says = has_content(m->program, body, end, f, &only_constants);
    *written = (says || only_constants) && (around == 0 || !m->closed[around]);
    if (says && !*written) return SHUNT_REQUIRED_MISSING;
    bool wanted = n->flags & SHUNT_MESSAGE_REQUIRED && (around == 0 || !m->closed[around]);
    if (wanted && !*written) return SHUNT_REQUIRED_MISSING;
    for (unsigned d = around + 1; starts && d < SHUNT_MESSAGE_LOOPS; d++) m->closed[d] = d > depth || !*written;
    return SHUNT_OK;
}

shunt_status shunt_message_write(shunt_message_writer *m, uint32_t first, uint32_t end, const shunt_message_fields *f)
{
    const shunt_program *p = m->program;
    for (uint32_t i = first; i < end; i += 1 + p->message_nodes[i].count) {
        const shunt_message_node *n = &p->message_nodes[i];
        uint32_t                  body = i + 1, after = i + 1 + n->count;
        shunt_message_fields      row;
        if (n->kind == SHUNT_MESSAGE_EACH) {
            for (uint32_t r = 0; r < shunt_message_rows(n, f); r++)
                if (shunt_message_row(p, n, f, r, &row)) SHUNT_TRY(shunt_message_write(m, body, after, &row));
        } else if (n->kind == SHUNT_MESSAGE_SEGMENT) {
            bool written;
            SHUNT_TRY(weigh_segment(m, n, body, after, f, &written));
            if (!written) continue;
            shunt_write_segment(&m->segments, shunt_program_text(p, n->name));
            SHUNT_TRY(put_elements(m, body, after, f, 0));
            shunt_write_end(&m->segments);
        }
    }
    return SHUNT_OK;
}

/* ---- parcels ---- */

struct parcel {
    uint32_t lengths[SHUNT_MESSAGE_PARTS], segments[SHUNT_MESSAGE_PARTS];
};

size_t shunt_message_parcel(shunt_buffer *out)
{
    static const struct parcel none;
    size_t                     at = out->length;
    shunt_buffer_add(out, &none, sizeof none);
    return at;
}

void shunt_message_part_end(shunt_buffer *out, size_t at, uint32_t part, uint64_t segments)
{
    struct parcel parcel;
    if (out->failed) return;
    memcpy(&parcel, out->bytes + at, sizeof parcel);
    size_t before = at + sizeof parcel;
    for (uint32_t i = 0; i < part; i++) before += parcel.lengths[i];
    parcel.lengths[part] = (uint32_t)(out->length - before);
    parcel.segments[part] = (uint32_t)segments;
    memcpy(out->bytes + at, &parcel, sizeof parcel);
}

bool shunt_message_parts_read(const char *bytes, size_t length, shunt_message_parts *parts)
{
    struct parcel parcel;
    if (length < sizeof parcel) return false;
    memcpy(&parcel, bytes, sizeof parcel);
    size_t at = sizeof parcel;
    for (uint32_t i = 0; i < SHUNT_MESSAGE_PARTS; at += parcel.lengths[i], i++) {
        if (parcel.lengths[i] > length - at) return false;
        parts->items[i] = (shunt_text){ bytes + at, parcel.lengths[i] };
        parts->segments[i] = parcel.segments[i];
    }
    return at == length;
}

/* ---- what the run knows ---- */

bool shunt_message_control(const shunt_setting *s, uint64_t *control)
{
    *control = 0;
    if (s->number == UINT32_MAX) return true;
    for (uint32_t i = 0; i < s->value.length && i < 10; i++) {
        if (s->value.bytes[i] < '0' || s->value.bytes[i] > '9') return false;
        *control = *control * 10 + (uint64_t)(s->value.bytes[i] - '0');
    }
    return *control > 0 && *control < SHUNT_CONTROLS;
}

uint64_t shunt_message_next(shunt_dress *d, uint64_t first)
{
    if (!d->control) d->control = first ? first : 1;
    uint64_t number = d->control;
    d->control = number + 1 < SHUNT_CONTROLS ? number + 1 : 1;
    return number;
}
