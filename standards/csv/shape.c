#include "standards/csv/shape.h"

/* ---- guides ---- */

static shunt_segment_node *segment_of(shunt_arena *arena, shunt_text id, uint16_t element_count, shunt_element **elements)
{
    shunt_segment_node *segment = SHUNT_NEW(arena, shunt_segment_node);
    *elements = SHUNT_NEW_N(arena, shunt_element, element_count + 1u);
    const char *name = shunt_text_z(arena, id);
    if (!segment || !*elements || !name) return NULL;
    *segment = (shunt_segment_node){ .id = name,
                                     .name = name,
                                     .usage = SHUNT_REQUIRED,
                                     .max = 1,
                                     .elements = *elements,
                                     .element_count = element_count,
                                     .syntax = "" };
    return segment;
}

static bool fill_element(shunt_arena *arena, shunt_element *element, const shunt_shape_column *column, uint16_t position)
{
    const char *name = shunt_text_z(arena, column->name);
    *element = (shunt_element){ .position = position,
                                .name = name,
                                .usage = column->optional ? SHUNT_SITUATIONAL : SHUNT_REQUIRED,
                                .type = column->type,
                                .repeats = 1,
                                .max_length = (uint16_t)(column->length > UINT16_MAX ? UINT16_MAX : column->length),
                                .phi = column->phi };
    return name != NULL;
}

/* The remaining cells of a row: a loop of one element. Its id holds a dot, so that it is like no type of row. */
static shunt_loop *loop_of_cells(shunt_arena *arena, const shunt_shape_row *row, const shunt_shape_column *column,
                                 const shunt_loop *parent)
{
    shunt_element *elements;
    shunt_text     id = shunt_text_format(arena, "%.*s.%.*s", SHUNT_TEXT_ARGS(row->name), SHUNT_TEXT_ARGS(column->name));
    if (!id.bytes) return NULL;
    shunt_segment_node *segment = segment_of(arena, id, 1, &elements);
    shunt_loop         *loop = SHUNT_NEW(arena, shunt_loop);
    shunt_entry        *body = SHUNT_NEW(arena, shunt_entry);
    if (!segment || !loop || !body || !fill_element(arena, elements, column, 1)) return NULL;
    body->segment = segment;
    *loop = (shunt_loop){ .id = segment->id,
                          .name = segment->name,
                          .usage = SHUNT_SITUATIONAL,
                          .max = (uint16_t)(column->max > UINT16_MAX ? UINT16_MAX : column->max),
                          .position = 1,
                          .parent = parent,
                          .body = body,
                          .body_count = 1 };
    return loop;
}

static bool in_transaction(const shunt_csv_shape *shape, uint16_t row)
{
    if (shape->transaction == SHUNT_SHAPE_NONE) return true;
    while (row != shape->transaction && row != SHUNT_SHAPE_NONE) row = shape->rows[row].parent;
    return row == shape->transaction;
}

/* Fills the body of a loop (of the guide where `around` is SHUNT_SHAPE_NONE) with the rows in it, behind what it has. */
static bool add_rows(shunt_arena *arena, shunt_csv_shape *shape, uint16_t around, shunt_loop *loop, shunt_entry *body);

/* The segment of a type of row, its columns as elements, and the loops of its remaining cells, into the body of its loop. */
static bool fill_row(shunt_arena *arena, shunt_csv_shape *shape, uint16_t number, shunt_loop *loop, shunt_entry *body)
{
    shunt_shape_row    *row = &shape->rows[number];
    shunt_element      *elements;
    shunt_segment_node *segment = segment_of(arena, row->name, row->column_count, &elements);
    if (!segment) return false;
    row->loop = loop;
    row->segment = segment;
    body[loop->body_count++].segment = segment;
    for (uint16_t i = 0; i < row->column_count; i++) {
        shunt_shape_column *column = &row->columns[i];
        if (!fill_element(arena, &elements[i], column, (uint16_t)(i + 1))) return false;
        if (!column->rest) continue;
        shunt_loop *cells = loop_of_cells(arena, row, column, loop);
        if (!cells) return false;
        column->cells = cells;
        body[loop->body_count++].loop = cells;
    }
    return add_rows(arena, shape, number, loop, body);
}

static bool add_rows(shunt_arena *arena, shunt_csv_shape *shape, uint16_t around, shunt_loop *loop, shunt_entry *body)
{
    for (uint16_t i = 0; i < shape->row_count; i++) {
        if (shape->rows[i].parent != around || i == shape->transaction || !in_transaction(shape, i)) continue;
        shunt_loop  *inner = SHUNT_NEW(arena, shunt_loop);
        shunt_entry *entries = SHUNT_NEW_N(arena, shunt_entry, shape->row_count + 2u);
        const char  *id = shunt_text_z(arena, shape->rows[i].name);
        if (!inner || !entries || !id) return false;
        *inner = (shunt_loop){ .id = id,
                               .name = id,
                               .usage = SHUNT_SITUATIONAL,
                               .max = shape->rows[i].once ? 1 : 0,
                               .position = (uint16_t)(loop->body_count + 1),
                               .parent = loop,
                               .body = entries };
        if (!fill_row(arena, shape, i, inner, entries)) return false;
        body[loop->body_count++].loop = inner;
    }
    return true;
}

const shunt_guide *shunt_csv_guide(shunt_arena *arena, shunt_csv_shape *shape)
{
    shunt_shape_guide *made = SHUNT_NEW(arena, shunt_shape_guide);
    shunt_loop        *root = SHUNT_NEW(arena, shunt_loop);
    shunt_entry       *body = SHUNT_NEW_N(arena, shunt_entry, shape->row_count + 2u);
    if (!made || !root || !body) return NULL;
    *root = (shunt_loop){ .id = "", .name = "", .usage = SHUNT_REQUIRED, .max = 1, .body = body };
    for (uint16_t i = 0; i < shape->row_count; i++) shape->rows[i].loop = NULL, shape->rows[i].segment = NULL;
    bool fine = shape->transaction == SHUNT_SHAPE_NONE ? add_rows(arena, shape, SHUNT_SHAPE_NONE, root, body)
                                                       : fill_row(arena, shape, shape->transaction, root, body);
    if (!fine) return NULL;
    made->guide = (shunt_guide){ .standard = shape->fixed ? SHUNT_STANDARD_FIXED : SHUNT_STANDARD_CSV,
                                 .set = shape->fixed ? "FIXED" : "CSV",
                                 .version = "rows",
                                 .family = "rows",
                                 .functional_id = "",
                                 .name = "rows as declared",
                                 .body = root };
    made->shape = shape;
    return &made->guide;
}

/* ---- files without a declaration ---- */

enum { SNIFF_CELLS = 4096 };

/* The first row without its end. False: it does not end in these bytes. */
static bool first_row(shunt_text bytes, bool last, shunt_text *row)
{
    bool quoted = false;
    for (uint32_t i = 0; i < bytes.length; i++) {
        char c = bytes.bytes[i];
        if (c == '"') quoted = !quoted;
        if (quoted || (c != '\n' && c != '\r')) continue;
        *row = (shunt_text){ bytes.bytes, i };
        return true;
    }
    *row = bytes;
    return last && !quoted;
}

/* The separator that stands most often outside of quotes; a comma where none does. */
static char find_separator(shunt_text row)
{
    static const char candidates[] = { ',', '|', ';', '\t' };
    uint32_t          best = 0;
    char              found = ',';
    for (size_t s = 0; s < sizeof candidates; s++) {
        uint32_t count = 0;
        bool     quoted = false;
        for (uint32_t i = 0; i < row.length; i++) {
            if (row.bytes[i] == '"') quoted = !quoted;
            count += !quoted && row.bytes[i] == candidates[s];
        }
        if (count <= best) continue;
        best = count;
        found = candidates[s];
    }
    return found;
}

/* The next cell from `*at` on, without its quotes and blanks; those that stand twice inside stay. */
static shunt_text next_cell(shunt_text row, char separator, uint32_t *at)
{
    uint32_t begin = *at, end = begin;
    bool     quoted = false;
    while (end < row.length && (quoted || row.bytes[end] != separator)) quoted ^= row.bytes[end++] == '"';
    *at = end + 1;
    while (begin < end && (row.bytes[begin] == ' ' || row.bytes[begin] == '\t')) begin++;
    while (end > begin && (row.bytes[end - 1] == ' ' || row.bytes[end - 1] == '\t')) end--;
    if (end - begin >= 2 && row.bytes[begin] == '"' && row.bytes[end - 1] == '"') begin++, end--;
    return (shunt_text){ row.bytes + begin, end - begin };
}

static bool has_letter(shunt_text cell)
{
    for (uint32_t i = 0; i < cell.length; i++) {
        unsigned char c = (unsigned char)cell.bytes[i];
        if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c >= 0x80) return true;
    }
    return false;
}

/* Numbers, dates, addresses: a heading may count (`line2`, `icd10`), but it holds no more digits than that. */
static bool looks_like_data(shunt_text cell)
{
    uint32_t digits = 0;
    for (uint32_t i = 0; i < cell.length; i++) {
        if (cell.bytes[i] == '@') return true;
        digits += cell.bytes[i] >= '0' && cell.bytes[i] <= '9';
    }
    return digits > 2;
}

/* Headings are shown, and what is none may be a patient's: in doubt the row is one of data. */
static bool looks_like_header(const shunt_shape_row *row)
{
    for (uint16_t i = 0; i < row->column_count; i++) {
        if (!has_letter(row->columns[i].name) || looks_like_data(row->columns[i].name)) return false;
        for (uint16_t k = 0; k < i; k++)
            if (shunt_text_equal(row->columns[i].name, row->columns[k].name)) return false;
    }
    return true;
}

shunt_csv_shape *shunt_csv_sniff(shunt_arena *arena, shunt_text bytes, bool last, bool *known)
{
    shunt_csv_shape *shape = SHUNT_NEW(arena, shunt_csv_shape);
    shunt_shape_row *row = SHUNT_NEW(arena, shunt_shape_row);
    if (!shape || !row) return NULL;
    *known = false;
    if (bytes.length >= 3 && memcmp(bytes.bytes, "\xef\xbb\xbf", 3) == 0)
        bytes = (shunt_text){ bytes.bytes + 3, bytes.length - 3 };
    while (bytes.length && (bytes.bytes[0] == '\n' || bytes.bytes[0] == '\r'))
        bytes = (shunt_text){ bytes.bytes + 1, bytes.length - 1 };
    shunt_text first;
    if (!first_row(bytes, last, &first) || !first.length || memchr(first.bytes, 0, first.length)) return shape;
    char     separator = find_separator(first);
    uint32_t count = 0;
    for (uint32_t at = 0; at <= first.length && count <= SNIFF_CELLS; count++) (void)next_cell(first, separator, &at);
    if (count > SNIFF_CELLS) return shape;
    row->columns = SHUNT_NEW_N(arena, shunt_shape_column, count);
    row->name = SHUNT_TEXT("rows");
    row->parent = SHUNT_SHAPE_NONE;
    if (!row->columns) return NULL;
    for (uint32_t at = 0; at <= first.length;) {
        shunt_shape_column *column = &row->columns[row->column_count++];
        shunt_text          cell = next_cell(first, separator, &at);
        *column = (shunt_shape_column){ .name = shunt_text_copy(arena, cell), .from = row->column_count, .optional = true };
        if (!column->name.bytes) return NULL;
    }
    *shape = (shunt_csv_shape){ .separator = (uint8_t)separator,
                                .quote = '"',
                                .lines = true,
                                .header = looks_like_header(row),
                                .transaction = SHUNT_SHAPE_NONE,
                                .rows = row,
                                .row_count = 1 };
    for (uint16_t i = 0; i < row->column_count; i++) {
        shunt_shape_column *column = &row->columns[i];
        if (!shape->header) column->name = shunt_text_format(arena, "%u", i + 1u);
        if (!column->name.bytes) return NULL;
        column->heading = column->name;
    }
    *known = true;
    return shape;
}
