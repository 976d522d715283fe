/* table_json.c - a table's rows from NDJSON: an object a line, a member for each column. Members that the table does not declare are
 * passed over, what is missing or null is blank. */
#include "dsl/table_read.h"

#include <stdio.h>

enum { DEPTH_AT_MOST = 64 };

typedef shunt_table_reader reader;

static shunt_span span(const reader *r, uint32_t begin, uint32_t end) { return (shunt_span){ begin, end, r->in.file }; }

static bool wrong(reader *r, uint32_t begin, uint32_t end, const char *words)
{
    shunt_diag_add(r->in.diags, SHUNT_E0903, span(r, begin, end > begin ? end : begin + 1), "%s", words);
    return false;
}

static void pass_blanks(reader *r)
{
    while (r->in.at < r->in.size && (r->in.bytes[r->in.at] == ' ' || r->in.bytes[r->in.at] == '\t')) r->in.at++;
}

static char here(const reader *r) { return r->in.at < r->in.size ? r->in.bytes[r->in.at] : 0; }

/* ---- texts ---- */

static bool hex4(const char *at, const char *end, uint32_t *unit)
{
    *unit = 0;
    if (end - at < 4) return false;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        bool digit = c >= '0' && c <= '9', low = c >= 'a' && c <= 'f', high = c >= 'A' && c <= 'F';
        if (!digit && !low && !high) return false;
        *unit = *unit * 16 + (uint32_t)(digit ? c - '0' : low ? c - 'a' + 10 : c - 'A' + 10);
    }
    return true;
}

static uint32_t put_character(char *out, uint32_t c)
{
    if (c < 0x80) return out[0] = (char)c, 1;
    if (c < 0x800) return out[0] = (char)(0xc0 | c >> 6), out[1] = (char)(0x80 | (c & 0x3f)), 2;
    if (c < 0x10000)
        return out[0] = (char)(0xe0 | c >> 12), out[1] = (char)(0x80 | (c >> 6 & 0x3f)), out[2] = (char)(0x80 | (c & 0x3f)), 3;
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* What stands behind a backslash; the text never grows. False: no such escape. */
static bool unescape(const char **at, const char *end, char *out, uint32_t *length)
{
    static const char plain[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
    char              c = **at;
    uint32_t          unit, low;
    for (size_t i = 0; i + 1 < sizeof plain; i += 2) {
        if (plain[i] != c) continue;
        out[(*length)++] = plain[i + 1];
        ++*at;
        return true;
    }
    if (c != 'u' || !hex4(*at + 1, end, &unit)) return false;
    *at += 5;
    if (unit >= 0xd800 && unit < 0xdc00) {
        if (end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u' || !hex4(*at + 2, end, &low) || low < 0xdc00 || low > 0xdfff)
            return false;
        unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
        *at += 6;
    } else if (unit >= 0xdc00 && unit < 0xe000) {
        return false;
    }
    *length += put_character(out + *length, unit);
    return true;
}

/* At a quote. The text points into the file unless it holds escapes. */
static bool text_value(reader *r, shunt_csv_cell *cell)
{
    uint32_t begin = r->in.at++, escapes = 0;
    while (here(r) != '"') {
        if (r->in.at >= r->in.size || (uint8_t)here(r) < ' ')
            return wrong(r, begin, begin + 1, "the text is not closed in its line");
        if (here(r) == '\\') escapes++, r->in.at++;
        r->in.at++;
    }
    if (r->in.at >= r->in.size) return wrong(r, begin, begin + 1, "the text is not closed in its line");
    cell->text = (shunt_text){ r->in.bytes + begin + 1, r->in.at - begin - 1 };
    cell->span = span(r, begin, ++r->in.at);
    if (!escapes) return true;
    char       *copy = shunt_arena_bytes(r->in.arena, cell->text.length);
    uint32_t    length = 0;
    const char *at = cell->text.bytes, *end = at + cell->text.length;
    if (!copy) {
        r->in.no_memory = true;
        return false;
    }
    while (at < end) {
        if (*at != '\\') {
            copy[length++] = *at++;
            continue;
        }
        at++;
        if (!unescape(&at, end, copy, &length))
            return wrong(r, begin, r->in.at, "this text holds an escape that JSON does not have");
    }
    cell->text = (shunt_text){ copy, length };
    return true;
}

/* ---- values ---- */

/* An object or a list, which no cell holds. */
static bool pass_nested(reader *r)
{
    uint32_t       begin = r->in.at, depth = 0;
    shunt_csv_cell ignored;
    do {
        char c = here(r);
        if (r->in.at >= r->in.size || c == '\n' || c == '\r') return wrong(r, begin, begin + 1, "this is not closed in its line");
        if (c == '"') {
            if (!text_value(r, &ignored)) return false;
            continue;
        }
        if ((c == '{' || c == '[') && ++depth > DEPTH_AT_MOST) return wrong(r, begin, begin + 1, "this is nested too deep");
        depth -= c == '}' || c == ']';
        r->in.at++;
    } while (depth);
    return true;
}

/* `*kind`: '"' text, '{' nested, else the first character of a word or number. */
static bool value(reader *r, shunt_csv_cell *cell, char *kind)
{
    uint32_t begin = r->in.at;
    *cell = (shunt_csv_cell){ .span = span(r, begin, begin + 1) };
    *kind = here(r);
    if (*kind == '"') return text_value(r, cell);
    if (*kind == '{' || *kind == '[') {
        *kind = '{';
        if (!pass_nested(r)) return false;
        cell->span = span(r, begin, r->in.at);
        return true;
    }
    while (r->in.at < r->in.size && !strchr(",}] \t\r\n", r->in.bytes[r->in.at])) r->in.at++;
    cell->text = (shunt_text){ r->in.bytes + begin, r->in.at - begin };
    cell->span = span(r, begin, r->in.at);
    bool word = shunt_text_is(cell->text, "true") || shunt_text_is(cell->text, "false") || shunt_text_is(cell->text, "null");
    if (!word && (*kind < '0' || *kind > '9') && *kind != '-') return wrong(r, begin, r->in.at, "a value is wanted here");
    if (shunt_text_is(cell->text, "null")) cell->text = (shunt_text){ 0 };
    return true;
}

/* ---- rows ---- */

static uint32_t column_named(const reader *r, shunt_text name)
{
    uint32_t i = 0;
    while (i < r->table->column_count && !shunt_text_equal(r->table->columns[i].name, name)) i++;
    return i;
}

static bool take_member(reader *r, shunt_csv_cell *cells, bool *seen)
{
    shunt_csv_cell name, held;
    char           kind;
    pass_blanks(r);
    if (here(r) != '"') return wrong(r, r->in.at, r->in.at + 1, "the name of a column is wanted here, in quotes");
    if (!text_value(r, &name)) return false;
    pass_blanks(r);
    if (here(r) != ':') return wrong(r, r->in.at, r->in.at + 1, "a colon is wanted here");
    r->in.at++;
    pass_blanks(r);
    if (!value(r, &held, &kind)) return false;
    pass_blanks(r);
    uint32_t column = column_named(r, name.text);
    if (column == r->table->column_count) return true;
    if (seen[column]) return wrong(r, name.span.begin, name.span.end, "this column stands twice in its row");
    if (kind == '{') return wrong(r, held.span.begin, held.span.end, "a cell of a table is one value");
    bool text = r->table->columns[column].type.kind == SHUNT_KIND_TEXT;
    if (text && kind != '"' && held.text.length)
        return wrong(r, held.span.begin, held.span.end, "a text stands in quotes; without them leading zeros are lost");
    seen[column] = true;
    cells[column] = held;
    return true;
}

static bool read_object(reader *r, shunt_csv_cell *cells, bool *seen)
{
    if (here(r) != '{') return wrong(r, r->in.at, r->in.at + 1, "a row is an object: `{\"column\": \"value\"}`");
    r->in.at++;
    pass_blanks(r);
    for (bool first = true; here(r) != '}'; first = false) {
        if (!first && here(r) != ',') return wrong(r, r->in.at, r->in.at + 1, "a comma or `}` is wanted here");
        if (!first) r->in.at++;
        if (!take_member(r, cells, seen)) return false;
    }
    r->in.at++;
    pass_blanks(r);
    return shunt_csv_at_line_end(&r->in) || wrong(r, r->in.at, r->in.at + 1, "a row ends here; each stands in a line of its own");
}

void shunt_table_json_rows(shunt_table_reader *r)
{
    size_t          columns = r->table->column_count;
    shunt_csv_cell *cells = SHUNT_NEW_N(r->in.arena, shunt_csv_cell, columns + 1);
    bool           *seen = SHUNT_NEW_N(r->in.arena, bool, columns + 1);
    if (!cells || !seen) r->in.no_memory = true;
    while (r->in.at < r->in.size && !r->in.no_memory) {
        pass_blanks(r);
        uint32_t begin = r->in.at, texts = r->text_count;
        if (shunt_csv_at_line_end(&r->in)) {
            shunt_csv_pass_line(&r->in);
            continue;
        }
        memset(seen, 0, columns * sizeof *seen);
        bool good = read_object(r, cells, seen);
        for (uint32_t i = 0; i < columns && good; i++) {
            if (!seen[i]) cells[i] = (shunt_csv_cell){ .span = span(r, begin, r->in.at) };
            r->spans[r->row_count * columns + i] = cells[i].span;
            good = shunt_table_cell(r, &cells[i], i);
        }
        if (good)
            r->row_count++;
        else
            r->text_count = texts;
        shunt_csv_pass_line(&r->in);
    }
}
