#include "dsl/csv_cells.h"

static shunt_span span(const shunt_csv_cells *r, uint32_t begin, uint32_t end) { return (shunt_span){ begin, end, r->file }; }

bool shunt_csv_at_line_end(const shunt_csv_cells *r)
{
    return r->at >= r->size || r->bytes[r->at] == '\r' || r->bytes[r->at] == '\n';
}

static void pass_line_end(shunt_csv_cells *r)
{
    if (r->at < r->size && r->bytes[r->at] == '\r') r->at++;
    if (r->at < r->size && r->bytes[r->at] == '\n') r->at++;
}

void shunt_csv_pass_line(shunt_csv_cells *r)
{
    while (!shunt_csv_at_line_end(r)) r->at++;
    pass_line_end(r);
}

/* Inside quotes: two quotes are one, everything else is itself. Without doubled quotes the text stays where it is. */
static bool quoted_cell(shunt_csv_cells *r, shunt_csv_cell *cell)
{
    uint32_t begin = ++r->at, doubled = 0;
    for (;;) {
        const char *quote = r->at < r->size ? memchr(r->bytes + r->at, '"', r->size - r->at) : NULL;
        if (!quote) {
            shunt_diag_add(r->diags, SHUNT_E0903, span(r, begin - 1, begin), "the quote is not closed");
            r->at = r->size;
            return false;
        }
        r->at = (uint32_t)(quote - r->bytes) + 1;
        if (r->at >= r->size || r->bytes[r->at] != '"') break;
        r->at++;
        doubled++;
    }
    cell->text = (shunt_text){ r->bytes + begin, r->at - 1 - begin };
    cell->span = span(r, begin - 1, r->at);
    if (!doubled) return true;
    char *copy = shunt_arena_bytes(r->arena, cell->text.length);
    if (!copy) {
        r->no_memory = true;
        return false;
    }
    uint32_t length = 0;
    for (uint32_t i = 0; i < cell->text.length; i++) {
        copy[length++] = cell->text.bytes[i];
        if (cell->text.bytes[i] == '"') i++;
    }
    cell->text = (shunt_text){ copy, length };
    return true;
}

void shunt_csv_next(shunt_csv_cells *r, shunt_csv_cell *cell)
{
    *cell = (shunt_csv_cell){ 0 };
    if (r->at < r->size && r->bytes[r->at] == '"') {
        cell->broken = !quoted_cell(r, cell);
        if (!cell->broken && !shunt_csv_at_line_end(r) && r->bytes[r->at] != ',') {
            shunt_diag_add(r->diags, SHUNT_E0903, span(r, r->at, r->at + 1),
                           "a comma or the end of the line must follow a closing quote");
            cell->broken = true;
        }
        while (cell->broken && !shunt_csv_at_line_end(r) && r->bytes[r->at] != ',') r->at++;
    } else {
        uint32_t begin = r->at;
        while (!shunt_csv_at_line_end(r) && r->bytes[r->at] != ',') r->at++;
        cell->text = (shunt_text){ r->bytes + begin, r->at - begin };
        cell->span = span(r, begin, r->at);
    }
    cell->last = shunt_csv_at_line_end(r);
    if (cell->last)
        pass_line_end(r);
    else
        r->at++;
}

bool shunt_csv_is_blank(shunt_text text)
{
    for (uint32_t i = 0; i < text.length; i++)
        if (text.bytes[i] != ' ' && text.bytes[i] != '\t') return false;
    return true;
}
