/* `encode fixed N`: lines of N characters, each column at its own places. Whatever a message holds, every line has that length. */
#include "engine/base/date.h"
#include "engine/base/decimal.h"
#include "engine/vm/encode.h"

enum { END_AT_MOST = 8, NOT_IMPLIED = 0xff };

struct fixed_cell {
    const shunt_part *part;
    uint16_t          from, to; /* from 1 */
    uint8_t           implied;  /* digits behind a point that is not written; NOT_IMPLIED: as the value is */
    shunt_text        pattern;  /* of a date; empty: ISO */
};

struct fixed_form {
    struct fixed_cell *cells; /* in order of their places */
    uint32_t           count;
    uint16_t           width;
    shunt_charset      charset;
    shunt_text         end;
};

static void pad(shunt_buffer *out, char with, uint32_t count)
{
    char *at;
    if (!count || !(at = shunt_room(out, count))) return;
    memset(at, with, count);
    out->length += count;
}

/* To the left; what does not fit is not cut. */
static shunt_status put_left(const struct fixed_form *f, shunt_text text, uint32_t width, shunt_buffer *out)
{
    uint32_t used = 0;
    for (size_t i = 0, length; i < text.length; i += length, used++) {
        uint32_t c = shunt_character(text.bytes + i, text.length - i, &length);
        if (shunt_is_control(c)) return SHUNT_NOT_WRITABLE;
        if (used == width) return SHUNT_TEXT_TOO_LONG;
        SHUNT_TRY(shunt_put_character(out, f->charset, c));
    }
    pad(out, ' ', width - used);
    return SHUNT_OK;
}

/* To the right; with implied decimals zeros stand before the digits, behind the sign. */
static shunt_status put_right(shunt_text digits, bool zeros, uint32_t width, shunt_buffer *out)
{
    if (digits.length > width) return SHUNT_OVERFLOW;
    if (zeros && digits.bytes[0] == '-') {
        shunt_buffer_char(out, '-');
        digits.bytes++;
        digits.length--;
        width--;
    }
    pad(out, zeros ? '0' : ' ', width - digits.length);
    shunt_put(out, digits);
    return SHUNT_OK;
}

static shunt_status put_number(const shunt_program *p, const struct fixed_cell *cell, shunt_type type, shunt_value value,
                               uint32_t width, shunt_buffer *out)
{
    char room[SHUNT_VALUE_ROOM];
    if (cell->implied == NOT_IMPLIED) return put_right(shunt_value_text(p, type, value, room), false, width, out);
    bool          whole = type.kind == SHUNT_KIND_INT;
    shunt_decimal number = whole ? value.integer : value.coefficient;
    SHUNT_TRY(shunt_decimal_rescale(number, whole ? 0 : type.scale, cell->implied, SHUNT_EXACT, &number));
    return put_right((shunt_text){ room, (uint32_t)shunt_decimal_print(number, 0, room) }, true, width, out);
}

/* A date by a pattern that was proved when the form was made: runs of Y, M and D are the parts, all else stands for itself. */
static shunt_text date_by(shunt_text pattern, int64_t days, char *room)
{
    int      year, month, day;
    uint32_t length = 0;
    shunt_date_split(days, &year, &month, &day);
    for (uint32_t i = 0; i < pattern.length;) {
        char     letter = pattern.bytes[i];
        uint32_t run = 1;
        if (letter != 'Y' && letter != 'M' && letter != 'D') {
            room[length++] = letter;
            i++;
            continue;
        }
        while (i + run < pattern.length && pattern.bytes[i + run] == letter) run++;
        int number = letter == 'Y' ? (run == 2 ? year % 100 : year) : letter == 'M' ? month : day;
        for (uint32_t k = run; k-- > 0; number /= 10) room[length + k] = (char)('0' + number % 10);
        length += run;
        i += run;
    }
    return (shunt_text){ room, length };
}

static bool is_number(shunt_type type) { return type.kind == SHUNT_KIND_DECIMAL || (type.kind == SHUNT_KIND_INT && !type.extra); }

static shunt_status put_cell(const shunt_program *p, const struct fixed_form *f, const struct fixed_cell *cell,
                             const shunt_record *record, const shunt_line *line, shunt_buffer *out)
{
    shunt_type  type;
    shunt_value value;
    char        room[SHUNT_VALUE_ROOM];
    uint32_t    width = cell->to - cell->from + 1u;
    if (!shunt_part_get(p, cell->part, record, line, &type, &value)) {
        pad(out, ' ', width);
        return SHUNT_OK;
    }
    if (is_number(type)) return put_number(p, cell, type, value, width, out);
    return put_left(f,
                    cell->pattern.length ? date_by(cell->pattern, value.integer, room) : shunt_value_text(p, type, value, room),
                    width, out);
}

static shunt_status put_row(const shunt_program *p, const struct fixed_form *f, const shunt_record *record,
                            const shunt_line *line, shunt_buffer *out)
{
    uint32_t at = 1;
    for (uint32_t i = 0; i < f->count; i++) {
        pad(out, ' ', f->cells[i].from - at);
        SHUNT_TRY(put_cell(p, f, &f->cells[i], record, line, out));
        at = f->cells[i].to + 1u;
    }
    pad(out, ' ', f->width + 1u - at);
    return SHUNT_OK;
}

static shunt_status write_fixed(const shunt_encoders *e, const shunt_record *record, const shunt_stamp *stamp, shunt_buffer *out,
                                shunt_written *written)
{
    const struct fixed_form *f = e->forms[record->target].own;
    (void)stamp;
    (void)written;
    if (!record->journal) return put_row(e->program, f, record, NULL, out);
    for (uint32_t i = 0; i < record->line_count; i++) {
        if (i) shunt_put(out, f->end);
        SHUNT_TRY(put_row(e->program, f, record, &record->lines[i], out));
    }
    return SHUNT_OK;
}

/* ---- preparing ---- */

enum { LINE, ENCODING };

static bool is_end(shunt_text end)
{
    if (end.length > END_AT_MOST) return false;
    for (uint32_t i = 0; i < end.length; i++)
        if (end.bytes[i] != '\n' && end.bytes[i] != '\r') return false;
    return true;
}

static shunt_status take_settings(const shunt_former *f, struct fixed_form *form)
{
    shunt_setting s[] = { [LINE] = { .name = "line", .value = SHUNT_TEXT("\n") },
                          [ENCODING] = { .name = "encoding", .value = SHUNT_TEXT("US-ASCII") } };
    SHUNT_TRY(shunt_form_settings(f, s, SHUNT_COUNT(s)));
    if (!is_end(s[LINE].value)) return shunt_setting_fault(f, &s[LINE], "a line end, as `\\n` or `\\r\\n`, or empty");
    if (!shunt_charset_find(s[ENCODING].value, &form->charset))
        return shunt_setting_fault(f, &s[ENCODING], "\"UTF-8\", \"US-ASCII\" or \"ISO-8859-1\"");
    form->end = s[LINE].value;
    form->width = f->encoding->width;
    return SHUNT_OK;
}

/* `N2` of a number, `MM/DD/YYYY` of a date. */
static shunt_status take_format(const shunt_former *f, shunt_text format, struct fixed_cell *cell)
{
    const shunt_part *part = cell->part;
    if (part->type.kind == SHUNT_KIND_DATE) {
        if (!shunt_date_pattern_valid(format) || format.length > SHUNT_VALUE_ROOM)
            return shunt_part_fault(f, part, "a date is written by YYYY or YY, MM and DD, each once, as in \"MM/DD/YYYY\"");
        cell->pattern = format;
        return SHUNT_OK;
    }
    bool digit = format.length == 2 && format.bytes[0] == 'N' && format.bytes[1] >= '0' && format.bytes[1] <= '9';
    if (!is_number(part->type) || !digit)
        return shunt_part_fault(f, part,
                                is_number(part->type) ? "a number is written as \"N0\" to \"N9\", or without `as`"
                                                      : "only numbers and dates have a format");
    cell->implied = (uint8_t)(format.bytes[1] - '0');
    if (part->field != SHUNT_COLUMN_AMOUNT && part->type.kind == SHUNT_KIND_DECIMAL && part->type.scale > cell->implied)
        return shunt_part_fault(f, part, "the value has %u decimals, \"N%u\" would lose some", part->type.scale, cell->implied);
    return SHUNT_OK;
}

/* Sorts in place; columns are few and mostly in order. */
static void put_in_order(struct fixed_cell *cells, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        struct fixed_cell cell = cells[i];
        uint32_t          k = i;
        for (; k > 0 && cells[k - 1].from > cell.from; k--) cells[k] = cells[k - 1];
        cells[k] = cell;
    }
}

static shunt_status place_cells(const shunt_former *f, const shunt_parts *parts, struct fixed_form *form)
{
    const shunt_program *p = f->e->program;
    form->cells = SHUNT_NEW_N(f->e->arena, struct fixed_cell, parts->count);
    if (!form->cells) return SHUNT_NO_MEMORY;
    for (uint32_t i = 0; i < parts->count; i++) {
        const shunt_part            *part = &parts->items[i];
        const shunt_encoding_column *c = shunt_part_column(p, f->encoding, part);
        struct fixed_cell           *cell = &form->cells[form->count++];
        if (!c->from) return shunt_part_fault(f, part, "a column of a fixed line says where it stands: `at 1..8`");
        if (c->to < c->from || c->to > form->width)
            return shunt_part_fault(f, part, "%u..%u is no place in a line of %u", c->from, c->to, form->width);
        *cell = (struct fixed_cell){ .part = part, .from = c->from, .to = c->to, .implied = NOT_IMPLIED };
        if (c->format != SHUNT_NONE) SHUNT_TRY(take_format(f, shunt_program_text(p, c->format), cell));
    }
    put_in_order(form->cells, form->count);
    for (uint32_t i = 1; i < form->count; i++)
        if (form->cells[i].from <= form->cells[i - 1].to)
            return shunt_part_fault(f, form->cells[i].part, "another column stands at %u already", form->cells[i].from);
    return SHUNT_OK;
}

shunt_status shunt_form_fixed(const shunt_former *f)
{
    shunt_parts        parts;
    struct fixed_form *form = SHUNT_NEW(f->e->arena, struct fixed_form);
    if (!form) return SHUNT_NO_MEMORY;
    SHUNT_TRY(take_settings(f, form));
    if (!f->encoding->column_count) return shunt_form_fault(f, "a fixed line needs its columns: `column NAME at 1..8`");
    SHUNT_TRY(shunt_form_parts(f, false, true, &parts));
    SHUNT_TRY(shunt_form_flat(f, &parts));
    SHUNT_TRY(place_cells(f, &parts, form));
    f->form->write = write_fixed;
    f->form->own = form;
    f->form->end = form->end;
    return SHUNT_OK;
}
