/* `encode csv`: rows of delimited values. Whatever a message holds, the number of rows and cells is that of the rules. */
#include "engine/vm/encode.h"

enum { END_AT_MOST = 8 };

struct csv_form {
    const shunt_part **cells; /* NULL = an empty one, where the rules leave a place */
    uint32_t           count;
    shunt_charset      charset;
    shunt_text         end; /* of a row */
    char               separator, quote;
    bool refuse;       /* texts that spreadsheets take for formulas are a failure, else an apostrophe is put before them */
    bool special[128]; /* a cell that holds one of these is quoted */
};

/* What a spreadsheet reads as a formula begins with one of these. */
static bool begins_formula(char c) { return c && strchr("=+-@\t\r\n", c); }

static shunt_status put_character(const struct csv_form *f, uint32_t c, bool quoted, shunt_buffer *out)
{
    if (quoted && c == (uint8_t)f->quote) shunt_buffer_char(out, f->quote);
    return shunt_put_character(out, f->charset, c);
}

/* NUL ends a cell for many readers, so it is not written. */
static shunt_status needs_quotes(const struct csv_form *f, shunt_text text, bool *needs)
{
    *needs = text.length && (text.bytes[0] == ' ' || text.bytes[text.length - 1] == ' ');
    for (size_t i = 0, length; i < text.length; i += length) {
        uint32_t c = shunt_character(text.bytes + i, text.length - i, &length);
        if (c == 0) return SHUNT_NOT_WRITABLE;
        *needs |= c < 128 ? f->special[c] : shunt_is_control(c);
    }
    return SHUNT_OK;
}

static shunt_status put_cell(const struct csv_form *f, shunt_text text, bool guarded, shunt_buffer *out)
{
    bool formula = guarded && text.length && begins_formula(text.bytes[0]), quoted;
    if (formula && f->refuse) return SHUNT_NOT_WRITABLE;
    SHUNT_TRY(needs_quotes(f, text, &quoted));
    quoted |= formula && f->quote == '\'';
    if (quoted) shunt_buffer_char(out, f->quote);
    if (formula) SHUNT_TRY(put_character(f, '\'', quoted, out));
    for (size_t i = 0, length; i < text.length; i += length)
        SHUNT_TRY(put_character(f, shunt_character(text.bytes + i, text.length - i, &length), quoted, out));
    if (quoted) shunt_buffer_char(out, f->quote);
    return SHUNT_OK;
}

static shunt_status put_row(const shunt_program *p, const struct csv_form *f, const shunt_record *record, const shunt_line *line,
                            shunt_buffer *out)
{
    size_t before = out->length;
    for (uint32_t i = 0; i < f->count; i++) {
        shunt_type  type;
        shunt_value value;
        char        room[SHUNT_VALUE_ROOM];
        if (i) shunt_buffer_char(out, f->separator);
        if (!f->cells[i] || !shunt_part_get(p, f->cells[i], record, line, &type, &value)) continue;
        SHUNT_TRY(put_cell(f, shunt_value_text(p, type, value, room), type.kind == SHUNT_KIND_TEXT, out));
    }
    if (out->length == before) { /* an empty line would be no row */
        shunt_buffer_char(out, f->quote);
        shunt_buffer_char(out, f->quote);
    }
    return SHUNT_OK;
}

static shunt_status write_csv(const shunt_encoders *e, const shunt_record *record, const shunt_stamp *stamp, shunt_buffer *out,
                              shunt_written *written)
{
    const struct csv_form *f = e->forms[record->target].own;
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

enum { SEPARATOR, QUOTE, HEADER, TERMINATOR, ENCODING, FORMULAS };

/* A mark between values: one that no number, date or word holds. */
static bool is_mark(shunt_text text, bool tab)
{
    char c = text.length == 1 ? text.bytes[0] : 0;
    return (tab && c == '\t') || (c > ' ' && c < 0x7f && !(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z'));
}

static bool is_end(const struct csv_form *form, shunt_text end)
{
    if (end.length == 0 || end.length > END_AT_MOST) return false;
    for (uint32_t i = 0; i < end.length; i++) {
        shunt_text one = { end.bytes + i, 1 };
        bool       control = one.bytes[0] == '\n' || one.bytes[0] == '\r';
        if ((!control && !is_mark(one, false)) || one.bytes[0] == form->separator || one.bytes[0] == form->quote) return false;
    }
    return true;
}

static shunt_status take_settings(const shunt_former *f, struct csv_form *form, bool *header)
{
    shunt_setting s[] = { [SEPARATOR] = { .name = "separator", .value = SHUNT_TEXT(",") },
                          [QUOTE] = { .name = "quote", .value = SHUNT_TEXT("\"") },
                          [HEADER] = { .name = "header", .value = SHUNT_TEXT("true") },
                          [TERMINATOR] = { .name = "terminator", .value = SHUNT_TEXT("\n") },
                          [ENCODING] = { .name = "encoding", .value = SHUNT_TEXT("UTF-8") },
                          [FORMULAS] = { .name = "formulas", .value = SHUNT_TEXT("quote") } };
    SHUNT_TRY(shunt_form_settings(f, s, SHUNT_COUNT(s)));
    if (!is_mark(s[SEPARATOR].value, true))
        return shunt_setting_fault(f, &s[SEPARATOR], "one character of ASCII that is no letter, digit or blank");
    if (!is_mark(s[QUOTE].value, false) || s[QUOTE].value.bytes[0] == s[SEPARATOR].value.bytes[0])
        return shunt_setting_fault(f, &s[QUOTE],
                                   "one character of ASCII that is no letter, digit or blank, and not the separator");
    form->separator = s[SEPARATOR].value.bytes[0];
    form->quote = s[QUOTE].value.bytes[0];
    if (!is_end(form, s[TERMINATOR].value))
        return shunt_setting_fault(f, &s[TERMINATOR], "a line end (`\\n`, `\\r\\n`) or a few marks, without separator and quote");
    form->end = s[TERMINATOR].value;
    if (!shunt_charset_find(s[ENCODING].value, &form->charset))
        return shunt_setting_fault(f, &s[ENCODING], "\"UTF-8\", \"US-ASCII\" or \"ISO-8859-1\"");
    form->refuse = shunt_text_is(s[FORMULAS].value, "refuse");
    if (!form->refuse && !shunt_text_is(s[FORMULAS].value, "quote"))
        return shunt_setting_fault(f, &s[FORMULAS], "\"quote\" or \"refuse\"");
    *header = shunt_text_is(s[HEADER].value, "true");
    if (!*header && !shunt_text_is(s[HEADER].value, "false")) return shunt_setting_fault(f, &s[HEADER], "`true` or `false`");
    for (int c = 0; c < 128; c++) form->special[c] = shunt_is_control((uint32_t)c);
    form->special[(uint8_t)form->separator] = form->special[(uint8_t)form->quote] = true;
    for (uint32_t i = 0; i < form->end.length; i++) form->special[(uint8_t)form->end.bytes[i]] = true;
    return SHUNT_OK;
}

/* A column stands where its `at` says, else behind the one before it. */
static shunt_status place_cells(const shunt_former *f, const shunt_parts *parts, struct csv_form *form)
{
    const shunt_program *p = f->e->program;
    uint32_t             place = 0, last = 0;
    for (uint32_t i = 0; parts->listed && i < parts->count; i++) {
        uint32_t from = shunt_part_column(p, f->encoding, &parts->items[i])->from;
        if (from > last) last = from;
    }
    if (last > SHUNT_FORM_COLUMNS) return shunt_form_fault(f, "there are at most %d places", SHUNT_FORM_COLUMNS);
    const shunt_part **cells = SHUNT_NEW_N(f->e->arena, const shunt_part *, last + parts->count);
    if (!cells) return SHUNT_NO_MEMORY;
    for (uint32_t i = 0; i < parts->count; i++) {
        const shunt_part            *part = &parts->items[i];
        const shunt_encoding_column *column = shunt_part_column(p, f->encoding, part);
        if (column && column->format != SHUNT_NONE) return shunt_part_fault(f, part, "a cell has no format");
        if (column && column->from != column->to) return shunt_part_fault(f, part, "a column of a CSV takes one place: `at 3`");
        if (column && column->from) place = column->from - 1u;
        if (cells[place]) return shunt_part_fault(f, part, "two columns stand at place %u", place + 1);
        cells[place++] = part;
        if (place > form->count) form->count = place;
    }
    form->cells = cells;
    return SHUNT_OK;
}

static shunt_status make_head(const shunt_former *f, const struct csv_form *form)
{
    for (uint32_t i = 0; i < form->count; i++) {
        if (i) shunt_buffer_char(f->scratch, form->separator);
        if (form->cells[i] && put_cell(form, form->cells[i]->name, false, f->scratch) != SHUNT_OK) {
            f->scratch->length = 0;
            return shunt_part_fault(f, form->cells[i], "the encoding has not all characters of this heading");
        }
    }
    shunt_put(f->scratch, form->end);
    f->form->head = shunt_form_keep(f);
    return f->form->head.bytes ? SHUNT_OK : SHUNT_NO_MEMORY;
}

shunt_status shunt_form_csv(const shunt_former *f)
{
    shunt_parts      parts;
    bool             header = true;
    struct csv_form *form = SHUNT_NEW(f->e->arena, struct csv_form);
    if (!form) return SHUNT_NO_MEMORY;
    SHUNT_TRY(take_settings(f, form, &header));
    SHUNT_TRY(shunt_form_parts(f, true, true, &parts));
    SHUNT_TRY(shunt_form_flat(f, &parts));
    if (parts.count == 0) return shunt_form_fault(f, "there is no column to write");
    SHUNT_TRY(place_cells(f, &parts, form));
    if (header) SHUNT_TRY(make_head(f, form));
    f->form->write = write_csv;
    f->form->own = form;
    f->form->end = form->end;
    return SHUNT_OK;
}
