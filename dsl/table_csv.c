#include "dsl/table_csv.h"

#include <stdio.h>

#include "dsl/table_read.h"
#include "engine/base/date.h"
#include "engine/base/decimal.h"
#include "engine/base/hash.h"

enum {
    SIZE_AT_MOST = 16 << 20,
    ROWS_AT_MOST = 1 << 24,
    CELLS_AT_MOST = 1 << 22, /* those that are absent, too */
    HEADER_AT_MOST = 4096,   /* columns of the file */
    ACCOUNT_AT_MOST = 64,    /* digits that lengths are counted for */
    LONG_KEY = 5,
    UNUSED = 0xffff,
};

/* ---- what a table wants ---- */

shunt_status shunt_csv_table_of_symbol(shunt_arena *arena, const shunt_symbol *symbol, shunt_csv_table *out)
{
    const shunt_table_info *info = symbol->as.table;
    const shunt_shape      *shape = info->shape;
    *out = (shunt_csv_table){ .name = symbol->name,
                              .column_count = shape->count,
                              .key_count = info->key_count,
                              .prefix = info->prefix,
                              .effective = info->effective };
    out->columns = SHUNT_NEW_N(arena, shunt_csv_column, shape->count + 1);
    if (!out->columns) return SHUNT_NO_MEMORY;
    for (uint32_t i = 0; i < shape->count; i++) {
        const shunt_ty   *type = &shape->members[i].type;
        shunt_csv_column *column = &out->columns[i];
        bool              day = info->effective && (i == info->key_count || i == info->key_count + 1);
        column->name = shape->members[i].name;
        column->optional = type->optional || day;
        column->account = type->kind == SHUNT_TY_ACCOUNT;
        column->max_length = type->length;
        column->type.scale = type->scale;
        switch (type->kind) {
        case SHUNT_TY_BOOL: column->type.kind = SHUNT_KIND_BOOL; break;
        case SHUNT_TY_INT: column->type.kind = SHUNT_KIND_INT; break;
        case SHUNT_TY_DATE: column->type.kind = SHUNT_KIND_DATE; break;
        case SHUNT_TY_MOMENT: column->type.kind = SHUNT_KIND_MOMENT; break;
        case SHUNT_TY_DECIMAL:
        case SHUNT_TY_MONEY:
        case SHUNT_TY_PERCENT: column->type.kind = SHUNT_KIND_DECIMAL; break;
        case SHUNT_TY_ENUM: {
            shunt_text *members = SHUNT_NEW_N(arena, shunt_text, type->shape->count + 1);
            if (!members) return SHUNT_NO_MEMORY;
            for (uint32_t k = 0; k < type->shape->count; k++) members[k] = type->shape->members[k].name;
            column->type.kind = SHUNT_KIND_INT;
            column->members = members;
            column->member_count = type->shape->count;
            break;
        }
        default: column->type.kind = SHUNT_KIND_TEXT; break;
        }
    }
    return SHUNT_OK;
}

shunt_status shunt_csv_table_of_program(shunt_arena *arena, const shunt_program *program, uint16_t number, shunt_csv_table *out)
{
    const shunt_table       *table = &program->tables[number];
    const shunt_record_type *record = &program->records[table->record];
    bool                     effective = table->flags & SHUNT_TABLE_EFFECTIVE;
    *out = (shunt_csv_table){ .name = shunt_program_text(program, table->name),
                              .column_count = record->field_count,
                              .key_count = table->key_count,
                              .prefix = table->flags & SHUNT_TABLE_PREFIX,
                              .effective = effective };
    out->columns = SHUNT_NEW_N(arena, shunt_csv_column, record->field_count + 1);
    if (!out->columns) return SHUNT_NO_MEMORY;
    for (uint32_t i = 0; i < record->field_count; i++) {
        const shunt_field *field = &program->fields[record->field_first + i];
        shunt_csv_column  *column = &out->columns[i];
        bool               day = effective && (i == table->key_count || i == table->key_count + 1u);
        *column = (shunt_csv_column){ .name = shunt_program_text(program, field->name),
                                      .type = field->type,
                                      .max_length = field->max_length,
                                      .optional = (field->flags & SHUNT_FIELD_OPTIONAL) || day };
        if (field->type.kind != SHUNT_KIND_INT || !field->type.extra) continue;
        const shunt_enum *enumeration = &program->enums[field->type.extra - 1];
        shunt_text       *members = SHUNT_NEW_N(arena, shunt_text, enumeration->member_count + 1);
        if (!members) return SHUNT_NO_MEMORY;
        for (uint32_t k = 0; k < enumeration->member_count; k++)
            members[k] = shunt_program_text(program, program->numbers[enumeration->member_first + k]);
        column->members = members;
        column->member_count = enumeration->member_count;
    }
    return SHUNT_OK;
}

/* ---- the file, cell by cell ---- */

typedef shunt_table_reader reader;

static shunt_span span(const reader *r, uint32_t begin, uint32_t end) { return (shunt_span){ begin, end, r->in.file }; }

/* ---- conversion ---- */

static bool SHUNT_PRINTF(4, 5)
    fault(reader *r, const shunt_csv_cell *cell, const shunt_csv_column *column, const char *format, ...)
{
    char    words[160];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    shunt_diag_add(r->in.diags, SHUNT_E0903, cell->span, "%.*s of table %.*s %s", SHUNT_TEXT_ARGS(column->name),
                   SHUNT_TEXT_ARGS(r->table->name), words);
    return false;
}

/* M/D/YYYY, as spreadsheets write a day when they save. */
static bool looks_like_spreadsheet_date(shunt_text text, int *year, int *month, int *day)
{
    int parts[3] = { 0, 0, 0 }, digits[3] = { 0, 0, 0 }, part = 0;
    for (uint32_t i = 0; i < text.length; i++) {
        char c = text.bytes[i];
        if (c == '/' && part < 2)
            part++;
        else if (c >= '0' && c <= '9' && digits[part] < 4)
            parts[part] = parts[part] * 10 + (c - '0'), digits[part]++;
        else
            return false;
    }
    *month = parts[0];
    *day = parts[1];
    *year = digits[2] == 2 ? 2000 + parts[2] : parts[2];
    return part == 2 && digits[0] && digits[1] && (digits[2] == 2 || digits[2] == 4);
}

static bool convert_date(reader *r, const shunt_csv_cell *raw, const shunt_csv_column *column, shunt_cell *cell)
{
    int year, month, day;
    if (shunt_date_parse_iso(raw->text, &cell->value.integer) == SHUNT_OK) return true;
    shunt_diag *d = shunt_diag_add(r->in.diags, SHUNT_E0903, raw->span, "%.*s of table %.*s is not a date as YYYY-MM-DD",
                                   SHUNT_TEXT_ARGS(column->name), SHUNT_TEXT_ARGS(r->table->name));
    if (!looks_like_spreadsheet_date(raw->text, &year, &month, &day)) return false;
    shunt_diag_note(r->in.diags, d, "a spreadsheet has rewritten it; store the column as text");
    if (shunt_date_valid(year, month, day))
        shunt_diag_help(r->in.diags, d, "if the month comes first: `%04d-%02d-%02d`", year, month, day);
    return false;
}

/* Nothing that a person types, and nothing that a key of a message can equal; line ends and tabs stand in notes. */
static bool has_control(shunt_text text)
{
    for (uint32_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.bytes[i];
        if ((c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7f) return true;
    }
    return false;
}

/* 1.23457E+14, which was a long number until a spreadsheet showed it. */
static bool looks_like_spreadsheet_number(shunt_text text)
{
    const char *e = text.length ? memchr(text.bytes, 'E', text.length) : NULL;
    if (!e || e == text.bytes || e + 1 >= text.bytes + text.length || (e[1] != '+' && e[1] != '-')) return false;
    for (uint32_t i = 0; i < text.length; i++) {
        char c = text.bytes[i];
        if ((c < '0' || c > '9') && c != '.' && c != '+' && c != '-' && text.bytes + i != e) return false;
    }
    return memchr(text.bytes, '.', text.length) != NULL;
}

static bool convert_text(reader *r, const shunt_csv_cell *raw, const shunt_csv_column *column, shunt_cell *cell)
{
    if (shunt_utf8_bad(raw->text.bytes, raw->text.length) != raw->text.length) return fault(r, raw, column, "is not UTF-8");
    if (has_control(raw->text)) return fault(r, raw, column, "holds a control character");
    uint32_t characters = shunt_utf8_count(raw->text);
    if (column->max_length && characters > column->max_length)
        return fault(r, raw, column, "has %u characters, its type holds %u", characters, column->max_length);
    if (looks_like_spreadsheet_number(raw->text))
        return fault(r, raw, column, "is a number that a spreadsheet has shortened; store the column as text");
    r->texts[r->text_count] = raw->text;
    cell->text = r->text_count++;
    return true;
}

static bool convert_number(reader *r, const shunt_csv_cell *raw, const shunt_csv_column *column, shunt_cell *cell)
{
    bool          integer = column->type.kind == SHUNT_KIND_INT;
    shunt_decimal number;
    shunt_status  status =
        shunt_decimal_parse(raw->text.bytes, raw->text.length, integer ? 0 : column->type.scale, false, &number);
    if (status == SHUNT_OK && integer && (number < INT64_MIN || number > INT64_MAX)) status = SHUNT_OVERFLOW;
    if (status == SHUNT_OVERFLOW) return fault(r, raw, column, "has too many digits");
    if (status != SHUNT_OK && integer) return fault(r, raw, column, "is not a whole number");
    if (status != SHUNT_OK) return fault(r, raw, column, "is not a number with at most %u decimals", column->type.scale);
    if (integer)
        cell->value.integer = (int64_t)number;
    else
        cell->value.coefficient = number;
    return true;
}

static bool convert_member(reader *r, const shunt_csv_cell *raw, const shunt_csv_column *column, shunt_cell *cell)
{
    uint32_t best = UINT32_MAX, distance = 3;
    for (uint32_t i = 0; i < column->member_count; i++) {
        if (shunt_text_equal(column->members[i], raw->text)) {
            cell->value.integer = i;
            return true;
        }
        uint32_t far = shunt_text_distance(column->members[i], raw->text, 2);
        if (far < distance) best = i, distance = far;
    }
    shunt_diag *d = shunt_diag_add(r->in.diags, SHUNT_E0903, raw->span, "%.*s of table %.*s has no such value",
                                   SHUNT_TEXT_ARGS(column->name), SHUNT_TEXT_ARGS(r->table->name));
    if (best != UINT32_MAX) shunt_diag_help(r->in.diags, d, "did you mean `%.*s`?", SHUNT_TEXT_ARGS(column->members[best]));
    return false;
}

static bool convert_bool(reader *r, const shunt_csv_cell *raw, const shunt_csv_column *column, shunt_cell *cell)
{
    cell->value.integer = shunt_text_is(raw->text, "true");
    return cell->value.integer || shunt_text_is(raw->text, "false") || fault(r, raw, column, "is neither `true` nor `false`");
}

static bool convert_cell(reader *r, const shunt_csv_cell *raw, uint32_t number, shunt_cell *cell)
{
    const shunt_csv_column *column = &r->table->columns[number];
    *cell = (shunt_cell){ .state = SHUNT_PRESENT };
    if (raw->broken) return false;
    if (shunt_csv_is_blank(raw->text)) {
        *cell = (shunt_cell){ .state = SHUNT_ABSENT };
        if (number < r->table->key_count)
            return (r->table->prefix && number + 1 == r->table->key_count) ||
                   fault(r, raw, column, "is blank; a key needs a value");
        return column->optional || fault(r, raw, column, "is blank; its type has no `?`");
    }
    switch ((shunt_kind)column->type.kind) {
    case SHUNT_KIND_BOOL: return convert_bool(r, raw, column, cell);
    case SHUNT_KIND_INT:
        return column->member_count ? convert_member(r, raw, column, cell) : convert_number(r, raw, column, cell);
    case SHUNT_KIND_DECIMAL: return convert_number(r, raw, column, cell);
    case SHUNT_KIND_DATE: return convert_date(r, raw, column, cell);
    case SHUNT_KIND_MOMENT:
        return shunt_moment_parse(raw->text, &cell->value.moment) == SHUNT_OK ||
               fault(r, raw, column, "is not a date and time with zone");
    default: return convert_text(r, raw, column, cell);
    }
}

bool shunt_table_cell(shunt_table_reader *r, const shunt_csv_cell *raw, uint32_t number)
{
    return convert_cell(r, raw, number, &r->cells[(size_t)r->row_count * r->table->column_count + number]);
}

/* ---- header and rows ---- */

/* For each column of the file the column of the table it fills, UNUSED where the table does not name it. */
static uint32_t read_header(reader *r, uint16_t *fills, bool *good)
{
    uint32_t       count = 0;
    uint32_t      *seen = SHUNT_NEW_N(r->in.arena, uint32_t, r->table->column_count + 1);
    shunt_csv_cell cell = { 0 };
    uint32_t       begin = r->in.at;
    *good = seen != NULL;
    if (!seen) {
        r->in.no_memory = true;
        return 0;
    }
    do {
        shunt_csv_next(&r->in, &cell);
        if (count == HEADER_AT_MOST) {
            shunt_diag_add(r->in.diags, SHUNT_E0903, cell.span, "a table file has at most %d columns", HEADER_AT_MOST);
            *good = false;
            return 0;
        }
        fills[count] = UNUSED;
        for (uint32_t i = 0; i < r->table->column_count && !cell.broken; i++) {
            if (!shunt_text_equal(r->table->columns[i].name, cell.text)) continue;
            if (seen[i]++) {
                shunt_diag_add(r->in.diags, SHUNT_E0903, cell.span, "two columns are called `%.*s`", SHUNT_TEXT_ARGS(cell.text));
                *good = false;
            }
            fills[count] = (uint16_t)i;
        }
        *good = *good && !cell.broken;
        count++;
    } while (!cell.last && !r->in.no_memory);
    shunt_diag *d = NULL;
    for (uint32_t i = 0; i < r->table->column_count; i++) {
        if (seen[i]) continue;
        *good = false;
        if (!d)
            d = shunt_diag_add(r->in.diags, SHUNT_E0903, span(r, begin, cell.span.end),
                               "the file has no column `%.*s` of table %.*s", SHUNT_TEXT_ARGS(r->table->columns[i].name),
                               SHUNT_TEXT_ARGS(r->table->name));
        else
            shunt_diag_note(r->in.diags, d, "nor a column `%.*s`", SHUNT_TEXT_ARGS(r->table->columns[i].name));
    }
    if (d) shunt_diag_note(r->in.diags, d, "the first row names the columns; those that the table does not declare are ignored");
    return count;
}

static void read_row(reader *r, const uint16_t *fills, uint32_t columns)
{
    shunt_cell    *row = r->cells + (size_t)r->row_count * r->table->column_count;
    shunt_span    *spans = r->spans + (size_t)r->row_count * r->table->column_count;
    uint32_t       count = 0, begin = r->in.at, texts = r->text_count;
    bool           good = true;
    shunt_csv_cell cell;
    do {
        shunt_csv_next(&r->in, &cell);
        if (count < columns && fills[count] != UNUSED) {
            spans[fills[count]] = cell.span;
            good = convert_cell(r, &cell, fills[count], &row[fills[count]]) && good;
        }
        good = good && !cell.broken;
        count++;
    } while (!cell.last && !r->in.no_memory);
    if (count != columns && !cell.broken) {
        shunt_diag_add(r->in.diags, SHUNT_E0903, span(r, begin, cell.span.end), "this row has %u cell%s, the header %u", count,
                       count == 1 ? "" : "s", columns);
        good = false;
    }
    if (good)
        r->row_count++;
    else
        r->text_count = texts;
}

/* ---- rows among each other ---- */

static int compare_cells(const reader *r, uint32_t column, const shunt_cell *a, const shunt_cell *b)
{
    if (a->state != b->state) return a->state == SHUNT_ABSENT ? -1 : 1;
    if (a->state == SHUNT_ABSENT) return 0;
    switch (r->table->columns[column].type.kind) {
    case SHUNT_KIND_TEXT: return shunt_text_compare(r->texts[a->text], r->texts[b->text]);
    case SHUNT_KIND_DECIMAL: return (a->value.coefficient > b->value.coefficient) - (a->value.coefficient < b->value.coefficient);
    default: return (a->value.integer > b->value.integer) - (a->value.integer < b->value.integer);
    }
}

static const shunt_cell *row_at(const reader *r, uint32_t row) { return r->cells + (size_t)row * r->table->column_count; }

/* By keys, then by the first day; a blank first day comes before all others. */
static int compare_rows(const reader *r, uint32_t a, uint32_t b, uint32_t columns)
{
    for (uint32_t i = 0; i < columns; i++) {
        int order = compare_cells(r, i, &row_at(r, a)[i], &row_at(r, b)[i]);
        if (order) return order;
    }
    return 0;
}

/* Bottom-up merge sort: stable, no recursion, n log n whatever the rows are. */
static uint32_t *sort_rows(const reader *r, uint32_t *rows, uint32_t *spare)
{
    uint32_t columns = r->table->key_count + (r->table->effective ? 1 : 0);
    for (uint64_t width = 1; width < r->row_count; width *= 2) {
        for (uint64_t left = 0; left < r->row_count; left += 2 * width) {
            uint64_t middle = left + width < r->row_count ? left + width : r->row_count,
                     right = left + 2 * width < r->row_count ? left + 2 * width : r->row_count;
            for (uint64_t a = left, b = middle, to = left; to < right; to++) {
                bool from_a = a < middle && (b >= right || compare_rows(r, rows[a], rows[b], columns) <= 0);
                spare[to] = from_a ? rows[a++] : rows[b++];
            }
        }
        uint32_t *swap = rows;
        rows = spare;
        spare = swap;
    }
    return rows;
}

static int64_t last_day(const reader *r, uint32_t row)
{
    const shunt_cell *through = &row_at(r, row)[r->table->key_count + 1];
    return through->state == SHUNT_PRESENT ? through->value.integer : INT64_MAX;
}

static int64_t first_day(const reader *r, uint32_t row)
{
    const shunt_cell *from = &row_at(r, row)[r->table->key_count];
    return from->state == SHUNT_PRESENT ? from->value.integer : INT64_MIN;
}

static void report_pair(reader *r, uint32_t earlier, uint32_t later, const char *words)
{
    if (earlier > later) {
        uint32_t swap = earlier;
        earlier = later;
        later = swap;
    }
    const shunt_span *spans = r->spans;
    size_t            width = r->table->column_count;
    shunt_diag       *d = shunt_diag_add(r->in.diags, SHUNT_E0903, spans[later * width], "two rows of table %.*s %s",
                                         SHUNT_TEXT_ARGS(r->table->name), words);
    shunt_diag_here(r->in.diags, d, "this row");
    shunt_diag_also(r->in.diags, d, spans[earlier * width], "and this one");
}

static void check_rows(reader *r)
{
    uint32_t *order = SHUNT_NEW_N(r->in.arena, uint32_t, (size_t)r->row_count + 1),
             *spare = SHUNT_NEW_N(r->in.arena, uint32_t, (size_t)r->row_count + 1);
    if (!order || !spare) {
        r->in.no_memory = true;
        return;
    }
    for (uint32_t i = 0; i < r->row_count; i++) {
        order[i] = i;
        if (r->table->effective && first_day(r, i) > last_day(r, i))
            shunt_diag_add(r->in.diags, SHUNT_E0903, r->spans[(size_t)i * r->table->column_count + r->table->key_count + 1],
                           "this row of table %.*s ends before it begins", SHUNT_TEXT_ARGS(r->table->name));
    }
    order = sort_rows(r, order, spare);
    /* `open`: of the rows of this key so far, the one that is in force longest. */
    for (uint32_t i = 1, open = 0; i < r->row_count; i++) {
        if (compare_rows(r, order[i - 1], order[i], r->table->key_count) != 0) {
            open = i;
            continue;
        }
        if (!r->table->effective)
            report_pair(r, order[i - 1], order[i], "have the same key");
        else if (last_day(r, order[open]) >= first_day(r, order[i]))
            report_pair(r, order[open], order[i], "have the same key and are in force on the same day");
        if (r->table->effective && last_day(r, order[i]) > last_day(r, order[open])) open = i;
    }
}

static uint32_t digits_of(shunt_text text)
{
    for (uint32_t i = 0; i < text.length; i++)
        if (text.bytes[i] < '0' || text.bytes[i] > '9') return 0;
    return text.length <= ACCOUNT_AT_MOST ? text.length : 0;
}

/* Accounts of digits alone, shorter than nearly all others of their column: a spreadsheet takes leading zeros away. Of keys only long ones
 * have a usual length. */
static void check_zeros(reader *r, uint32_t column)
{
    bool     account = r->table->columns[column].account;
    uint32_t counts[ACCOUNT_AT_MOST + 1] = { 0 }, total = 0, usual = 0;
    size_t   width = r->table->column_count;
    for (uint32_t i = 0; i < r->row_count; i++) {
        const shunt_cell *cell = &row_at(r, i)[column];
        uint32_t          digits = cell->state == SHUNT_PRESENT ? digits_of(r->texts[cell->text]) : 0;
        if (!digits) continue;
        counts[digits]++;
        total++;
    }
    for (uint32_t i = 1; i <= ACCOUNT_AT_MOST; i++)
        if (counts[i] > counts[usual]) usual = i;
    if (total < 3 || counts[usual] * 3 < total * 2 || (!account && usual < LONG_KEY)) return;
    for (uint32_t i = 0; i < r->row_count; i++) {
        const shunt_cell *cell = &row_at(r, i)[column];
        uint32_t          digits = cell->state == SHUNT_PRESENT ? digits_of(r->texts[cell->text]) : 0;
        if (!digits || digits >= usual) continue;
        shunt_diag *d = shunt_diag_add(r->in.diags, SHUNT_W0904, r->spans[i * width + column],
                                       "this %s of table %.*s has %u digits, the others of its column have %u",
                                       account ? "account" : "key", SHUNT_TEXT_ARGS(r->table->name), digits, usual);
        shunt_diag_note(r->in.diags, d, "spreadsheets take leading zeros away; store the column as text");
    }
}

/* ---- all of it ---- */

bool shunt_table_is_json(shunt_text path)
{
    static const char *const endings[] = { ".ndjson", ".jsonl" };
    for (size_t i = 0; i < SHUNT_COUNT(endings); i++) {
        size_t length = strlen(endings[i]);
        if (path.length > length && memcmp(path.bytes + path.length - length, endings[i], length) == 0) return true;
    }
    return false;
}

/* Lines that hold anything: a row ends behind a character of its own. */
static uint32_t count_lines(const reader *r)
{
    uint32_t lines = 1;
    bool     empty = true;
    for (uint32_t i = 0; i < r->in.size; i++) {
        bool end = r->in.bytes[i] == '\n' || r->in.bytes[i] == '\r';
        lines += end && !empty;
        empty = end;
    }
    return lines;
}

shunt_status shunt_table_csv(shunt_arena *arena, shunt_diags *diags, const shunt_csv_table *table, uint32_t file,
                             const uint8_t *bytes, size_t size, shunt_table_rows *rows)
{
    reader   r = { .in = { .arena = arena, .diags = diags, .file = file, .bytes = (const char *)bytes }, .table = table };
    uint16_t fills[HEADER_AT_MOST];
    bool     good;
    memset(rows->hash, 0, sizeof rows->hash);
    rows->cells = NULL;
    rows->texts = NULL;
    rows->row_count = rows->text_count = 0;
    if (size > SIZE_AT_MOST) {
        shunt_diag_add(diags, SHUNT_E0903, span(&r, 0, 0), "a table file holds at most %d MiB", SIZE_AT_MOST >> 20);
        return SHUNT_OK;
    }
    shunt_sha256_of(bytes, size, rows->hash);
    r.in.size = (uint32_t)size;
    if (size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) r.in.at = 3; /* a byte order mark */
    uint32_t lines = count_lines(&r);
    if (lines > ROWS_AT_MOST) {
        shunt_diag_add(diags, SHUNT_E0903, span(&r, 0, 0), "a table file holds at most %d rows", ROWS_AT_MOST);
        return SHUNT_OK;
    }
    uint32_t columns = table->json ? 0 : read_header(&r, fills, &good);
    if (r.in.no_memory) return SHUNT_NO_MEMORY;
    if (!table->json && !good) return SHUNT_OK;
    /* A row has a comma between any two cells, an object two braces, so a short file of many lines has few rows. */
    uint32_t most = r.in.size / (columns ? columns : 2) + 2;
    size_t   cells = (size_t)(lines < most ? lines : most) * table->column_count + 1;
    if (cells > CELLS_AT_MOST) {
        shunt_diag_add(diags, SHUNT_E0903, span(&r, 0, 0), "a table file holds at most %d cells, lines by columns",
                       CELLS_AT_MOST);
        return SHUNT_OK;
    }
    r.cells = SHUNT_NEW_N(arena, shunt_cell, cells);
    r.texts = SHUNT_NEW_N(arena, shunt_text, cells);
    r.spans = SHUNT_NEW_N(arena, shunt_span, cells);
    if (!r.cells || !r.texts || !r.spans) return SHUNT_NO_MEMORY;
    if (table->json) shunt_table_json_rows(&r);
    while (!table->json && r.in.at < r.in.size && !r.in.no_memory) {
        if (shunt_csv_at_line_end(&r.in))
            shunt_csv_pass_line(&r.in);
        else
            read_row(&r, fills, columns);
    }
    if (!r.in.no_memory) check_rows(&r);
    for (uint32_t i = 0; i < table->column_count && !r.in.no_memory; i++)
        if (table->columns[i].account || (i < table->key_count && table->columns[i].type.kind == SHUNT_KIND_TEXT &&
                                          !(table->prefix && i + 1 == table->key_count)))
            check_zeros(&r, i);
    if (r.in.no_memory) return SHUNT_NO_MEMORY;
    rows->cells = r.cells;
    rows->row_count = r.row_count;
    rows->texts = r.texts;
    rows->text_count = r.text_count;
    return SHUNT_OK;
}
