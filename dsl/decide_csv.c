/* decide_csv.c - the rows of a decision from a spreadsheet: a column for each parameter and one called `result`, found by the names
 * in the first row; others are ignored. A cell is written as a column of a row is in the rules, but texts need no quotes:
 * `45 or 253`, `any`, `absent`, `1 .. 30`, `<= 30`. A row whose first cell is `else`, and whose others are blank, is the `else`. */
#include "dsl/csv_cells.h"
#include "dsl/decide.h"
#include "dsl/grow.h"

#include <stdio.h>

enum { HEADER_AT_MOST = 4096, UNUSED = 0xffff };

typedef struct reader {
    shunt_csv_cells     in;
    const shunt_symbol *decision;
    uint16_t           *fills; /* of each column of the file: parameter, or their count for the result; UNUSED */
    uint32_t            columns;
} reader;

typedef struct piece { /* of a cell */
    shunt_text text;
    shunt_span span;
} piece;

static shunt_ast *need(reader *r, shunt_ast *node)
{
    if (!node) r->in.no_memory = true;
    return node;
}

static shunt_ast *leaf(reader *r, shunt_ast_kind kind, const piece *p)
{
    return need(r, shunt_ast_leaf(r->in.arena, kind, p->span, p->text));
}

static shunt_ast *node(reader *r, shunt_ast_kind kind, shunt_span span, shunt_ast **kids, uint32_t count)
{
    return r->in.no_memory ? NULL : need(r, shunt_ast_make(r->in.arena, kind, span, kids, count));
}

static shunt_ast *SHUNT_PRINTF(3, 4) fault(reader *r, shunt_span span, const char *format, ...)
{
    char    words[200];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    shunt_diag *d = shunt_diag_add(r->in.diags, SHUNT_E0903, span, "%s", words);
    (void)d;
    return NULL;
}

/* ---- pieces ---- */

/* The part of a piece; the span follows where the piece stands in the file as it is. */
static piece part(const reader *r, const piece *whole, uint32_t from, uint32_t length)
{
    piece p = { { whole->text.bytes + from, length }, whole->span };
    bool  there = whole->text.bytes >= r->in.bytes && whole->text.bytes + whole->text.length <= r->in.bytes + r->in.size;
    if (there)
        p.span =
            (shunt_span){ (uint32_t)(p.text.bytes - r->in.bytes), (uint32_t)(p.text.bytes - r->in.bytes) + length, r->in.file };
    return p;
}

static piece trimmed(const reader *r, const piece *p)
{
    uint32_t from = 0, to = p->text.length;
    while (from < to && (p->text.bytes[from] == ' ' || p->text.bytes[from] == '\t')) from++;
    while (to > from && (p->text.bytes[to - 1] == ' ' || p->text.bytes[to - 1] == '\t')) to--;
    return part(r, p, from, to - from);
}

/* Where `word` begins, outside of quotes, at or after `from`; UINT32_MAX = nowhere. */
static uint32_t find(const piece *p, const char *word, uint32_t from)
{
    uint32_t length = (uint32_t)strlen(word);
    bool     quoted = false;
    for (uint32_t i = 0; i + length <= p->text.length; i++) {
        if (p->text.bytes[i] == '"') quoted = !quoted;
        if (!quoted && i >= from && memcmp(p->text.bytes + i, word, length) == 0) return i;
    }
    return UINT32_MAX;
}

/* ---- values ---- */

static bool is_number(shunt_text text)
{
    uint32_t digits = 0, points = 0;
    for (uint32_t i = 0; i < text.length; i++) {
        char c = text.bytes[i];
        digits += c >= '0' && c <= '9';
        points += c == '.';
        if ((c < '0' || c > '9') && c != '.' && c != ',' && c != '_') return false;
    }
    return digits && points <= 1 && text.bytes[0] != '.' && text.bytes[text.length - 1] != '.';
}

static shunt_ast *amount(reader *r, const piece *p, const shunt_ty *type)
{
    shunt_text text = p->text;
    shunt_text unit = { 0 };
    while (text.length && (text.bytes[text.length - 1] < '0' || text.bytes[text.length - 1] > '9')) text.length--;
    unit = (shunt_text){ text.bytes + text.length, p->text.length - text.length };
    bool percent = type->kind == SHUNT_TY_PERCENT, money = type->kind == SHUNT_TY_MONEY, plain = unit.length == 0;
    if (!text.length || !is_number(text) || (percent && !shunt_text_is(unit, "%")) || (!percent && !money && !plain) ||
        (money && !plain && unit.bytes[0] != ' '))
        return fault(r, p->span, "`%.*s` is no %s", SHUNT_TEXT_ARGS(p->text),
                     percent ? "percentage, like `2.5%`"
                     : money ? "amount"
                             : "number");
    if (percent) return leaf(r, SHUNT_AST_PERCENT, p);
    if (!money) return leaf(r, memchr(text.bytes, '.', text.length) ? SHUNT_AST_DECIMAL : SHUNT_AST_INT, p);
    piece written = *p;
    if (plain) written.text = shunt_text_format(r->in.arena, "%.*s %s", SHUNT_TEXT_ARGS(text), type->currency);
    if (!written.text.bytes) r->in.no_memory = true;
    return r->in.no_memory ? NULL : leaf(r, SHUNT_AST_MONEY, &written);
}

static bool is_date(shunt_text text)
{
    if (text.length != 10) return false;
    for (uint32_t i = 0; i < 10; i++)
        if (i == 4 || i == 7 ? text.bytes[i] != '-' : text.bytes[i] < '0' || text.bytes[i] > '9') return false;
    return true;
}

static shunt_ast *value(reader *r, const piece *whole, const shunt_ty *type)
{
    piece p = trimmed(r, whole);
    if (!p.text.length) return fault(r, whole->span, "a value is missing here");
    bool quoted = p.text.length >= 2 && p.text.bytes[0] == '"' && p.text.bytes[p.text.length - 1] == '"';
    switch ((shunt_ty_kind)type->kind) {
    case SHUNT_TY_BOOL:
        if (shunt_text_is(p.text, "true") || shunt_text_is(p.text, "TRUE")) return leaf(r, SHUNT_AST_TRUE, &p);
        if (shunt_text_is(p.text, "false") || shunt_text_is(p.text, "FALSE")) return leaf(r, SHUNT_AST_FALSE, &p);
        return fault(r, p.span, "`%.*s` is neither `true` nor `false`", SHUNT_TEXT_ARGS(p.text));
    case SHUNT_TY_ENUM: return leaf(r, SHUNT_AST_NAME, &p);
    case SHUNT_TY_DATE:
        if (is_date(p.text)) return leaf(r, SHUNT_AST_DATE, &p);
        return fault(r, p.span, "`%.*s` is no date as YYYY-MM-DD; a spreadsheet may have rewritten it", SHUNT_TEXT_ARGS(p.text));
    case SHUNT_TY_INT:
    case SHUNT_TY_DECIMAL:
    case SHUNT_TY_MONEY:
    case SHUNT_TY_PERCENT: {
        if (p.text.bytes[0] != '-') return amount(r, &p, type);
        piece      rest = part(r, &p, 1, p.text.length - 1);
        shunt_ast *number = amount(r, &rest, type);
        return number ? node(r, SHUNT_AST_MINUS, p.span, &number, 1) : NULL;
    }
    default:
        if (quoted) p.text = (shunt_text){ p.text.bytes + 1, p.text.length - 2 };
        return leaf(r, SHUNT_AST_STRING, &p);
    }
}

/* ---- cells ---- */

static shunt_ast *alternative(reader *r, const piece *whole, const shunt_ty *type)
{
    static const char *const bounds[] = { "<=", ">=", "<", ">" };
    piece                    p = trimmed(r, whole);
    if (shunt_text_is(p.text, "any")) return leaf(r, SHUNT_AST_ANY, &p);
    if (shunt_text_is(p.text, "absent")) return leaf(r, SHUNT_AST_ABSENT_PATTERN, &p);
    if (shunt_text_is(p.text, "cleared")) return leaf(r, SHUNT_AST_CLEARED_PATTERN, &p);
    for (size_t i = 0; i < SHUNT_COUNT(bounds); i++) {
        if (!shunt_text_starts(p.text, shunt_text_of(bounds[i]))) continue;
        uint32_t   length = (uint32_t)strlen(bounds[i]);
        piece      rest = part(r, &p, length, p.text.length - length);
        shunt_ast *limit = value(r, &rest, type), *bound = limit ? node(r, SHUNT_AST_BOUND, p.span, &limit, 1) : NULL;
        if (bound) bound->text = shunt_text_of(bounds[i]);
        return bound;
    }
    uint32_t dots = find(&p, "..", 0);
    if (dots == UINT32_MAX) return value(r, &p, type);
    piece      low = part(r, &p, 0, dots), high = part(r, &p, dots + 2, p.text.length - dots - 2);
    shunt_ast *ends[2] = { value(r, &low, type), NULL };
    if (ends[0]) ends[1] = value(r, &high, type);
    return ends[1] ? node(r, SHUNT_AST_RANGE, p.span, ends, 2) : NULL;
}

static shunt_ast *pattern(reader *r, const shunt_csv_cell *cell, const shunt_symbol *param)
{
    piece      whole = { cell->text, cell->span };
    shunt_ast *made = need(r, shunt_ast_new(r->in.arena, SHUNT_AST_PATTERN, cell->span));
    if (shunt_csv_is_blank(cell->text))
        return fault(r, cell->span, "`%.*s` is blank; write `any` for every value, `absent` for none",
                     SHUNT_TEXT_ARGS(param->name));
    for (uint32_t at = 0; made && at <= whole.text.length;) {
        uint32_t   next = find(&whole, " or ", at), end = next == UINT32_MAX ? whole.text.length : next;
        piece      one = part(r, &whole, at, end - at);
        shunt_ast *item = alternative(r, &one, &param->type);
        if (!item) return NULL;
        made = need(r, shunt_ast_append(r->in.arena, made, item));
        if (next == UINT32_MAX) break;
        at = next + 4;
    }
    return made;
}

/* `reject CODE`, `quarantine whole transaction CODE`. */
static shunt_ast *exit_of(reader *r, const piece *p, uint32_t word)
{
    piece      rest = part(r, p, word, p->text.length - word);
    shunt_ast *kids[SHUNT_EXIT_roles] = { 0 };
    rest = trimmed(r, &rest);
    if (shunt_text_starts(rest.text, SHUNT_TEXT("whole "))) {
        rest = part(r, &rest, 6, rest.text.length - 6);
        rest = trimmed(r, &rest);
        uint32_t blank = find(&rest, " ", 0);
        if (blank == UINT32_MAX) return fault(r, p->span, "`%.*s` names no code", SHUNT_TEXT_ARGS(p->text));
        piece scope = part(r, &rest, 0, blank);
        kids[SHUNT_EXIT_scope] = leaf(r, SHUNT_AST_NAME, &scope);
        rest = part(r, &rest, blank, rest.text.length - blank);
        rest = trimmed(r, &rest);
    }
    kids[SHUNT_EXIT_code] = leaf(r, SHUNT_AST_NAME, &rest);
    shunt_ast *made = node(r, SHUNT_AST_EXIT, p->span, kids, SHUNT_EXIT_roles);
    if (made) made->text = word == 6 ? SHUNT_TEXT("reject") : SHUNT_TEXT("quarantine");
    return made;
}

static shunt_ast *result(reader *r, const shunt_csv_cell *cell)
{
    piece whole = { cell->text, cell->span }, p = trimmed(r, &whole);
    if (shunt_csv_is_blank(cell->text)) return fault(r, cell->span, "the result is blank");
    if (shunt_text_starts(p.text, SHUNT_TEXT("reject "))) return exit_of(r, &p, 6);
    if (shunt_text_starts(p.text, SHUNT_TEXT("quarantine "))) return exit_of(r, &p, 10);
    const shunt_ty *type = &r->decision->type;
    if (type->kind == SHUNT_TY_ROW || type->kind == SHUNT_TY_LIST)
        return fault(r, cell->span, "a row of a file gives a value, no list or row of a table");
    return value(r, &p, type);
}

/* ---- rows ---- */

static bool read_header(reader *r)
{
    uint32_t       params = r->decision->as.function.count;
    bool          *seen = SHUNT_NEW_N(r->in.arena, bool, params + (size_t)1);
    shunt_csv_cell cell = { 0 };
    uint32_t       begin = r->in.at, missing = 0;
    r->fills = SHUNT_NEW_N(r->in.arena, uint16_t, HEADER_AT_MOST);
    if (!seen || !r->fills) {
        r->in.no_memory = true;
        return false;
    }
    do {
        shunt_csv_next(&r->in, &cell);
        if (cell.broken) return false;
        if (r->columns == HEADER_AT_MOST) return fault(r, cell.span, "a file has at most %d columns", HEADER_AT_MOST) != NULL;
        r->fills[r->columns] = UNUSED;
        for (uint32_t i = 0; i <= params; i++) {
            shunt_text name = i < params ? r->decision->as.function.params[i]->name : SHUNT_TEXT("result");
            if (!shunt_text_equal(name, cell.text)) continue;
            if (seen[i]) return fault(r, cell.span, "two columns are called `%.*s`", SHUNT_TEXT_ARGS(name)) != NULL;
            seen[i] = true;
            r->fills[r->columns] = (uint16_t)i;
        }
        r->columns++;
    } while (!cell.last);
    for (uint32_t i = 0; i <= params && !missing; i++) {
        if (seen[i]) continue;
        shunt_text  name = i < params ? r->decision->as.function.params[i]->name : SHUNT_TEXT("result");
        shunt_diag *d = shunt_diag_add(r->in.diags, SHUNT_E0903, (shunt_span){ begin, cell.span.end, r->in.file },
                                       "the file has no column `%.*s` of decision %.*s", SHUNT_TEXT_ARGS(name),
                                       SHUNT_TEXT_ARGS(r->decision->name));
        shunt_diag_note(r->in.diags, d, "the first row names the columns: one for each parameter, and `result`");
        missing++;
    }
    return missing == 0;
}

static shunt_ast *read_row(reader *r, shunt_csv_cell *cells)
{
    uint32_t       params = r->decision->as.function.count, count = 0, begin = r->in.at;
    shunt_ast     *kids[SHUNT_ROW_roles] = { 0 };
    bool           good = true;
    shunt_csv_cell cell;
    do {
        shunt_csv_next(&r->in, &cell);
        if (count < r->columns && r->fills[count] != UNUSED) cells[r->fills[count]] = cell;
        good = good && !cell.broken;
        count++;
    } while (!cell.last && !r->in.no_memory);
    shunt_span span = { begin, cell.span.end, r->in.file };
    if (!good) return need(r, shunt_ast_new(r->in.arena, SHUNT_AST_ERROR, span));
    if (count != r->columns) {
        (void)fault(r, span, "this row has %u cell%s, the header %u", count, count == 1 ? "" : "s", r->columns);
        return need(r, shunt_ast_new(r->in.arena, SHUNT_AST_ERROR, span));
    }
    bool otherwise = params && shunt_text_is(cells[0].text, "else");
    for (uint32_t i = 1; i < params && otherwise; i++) otherwise = shunt_csv_is_blank(cells[i].text);
    if (!otherwise) kids[SHUNT_ROW_patterns] = need(r, shunt_ast_new(r->in.arena, SHUNT_AST_LIST, span));
    for (uint32_t i = 0; i < params && !otherwise && good && !r->in.no_memory; i++) {
        shunt_ast *column = pattern(r, &cells[i], r->decision->as.function.params[i]);
        good = column != NULL;
        if (good) kids[SHUNT_ROW_patterns] = need(r, shunt_ast_append(r->in.arena, kids[SHUNT_ROW_patterns], column));
    }
    kids[SHUNT_ROW_result] = result(r, &cells[params]);
    if (!good || !kids[SHUNT_ROW_result]) return need(r, shunt_ast_new(r->in.arena, SHUNT_AST_ERROR, span));
    return node(r, SHUNT_AST_ROW, span, kids, SHUNT_ROW_roles);
}

shunt_ast *shunt_decide_csv(shunt_compilation *c, const shunt_symbol *decision, uint32_t file)
{
    shunt_text source = c->modules[file].source;
    reader     r = { .in = { .arena = c->arena, .diags = c->diags, .file = file, .bytes = source.bytes, .size = source.length },
                     .decision = decision };
    shunt_span at = { 0, 0, file };
    shunt_ast *rows = shunt_ast_new(c->arena, SHUNT_AST_LIST, at);
    shunt_csv_cell *cells = SHUNT_NEW_N(c->arena, shunt_csv_cell, decision->as.function.count + (size_t)1);
    if (!rows || !cells) return NULL;
    uint32_t bad = shunt_utf8_bad(source.bytes, source.length);
    if (bad != source.length) (void)fault(&r, (shunt_span){ bad, bad + 1, file }, "the file is not UTF-8");
    if (source.length >= 3 && memcmp(source.bytes, "\xef\xbb\xbf", 3) == 0) r.in.at = 3;
    bool good = bad == source.length && read_header(&r);
    if (!good && !r.in.no_memory) {
        shunt_ast *wrong = shunt_ast_new(c->arena, SHUNT_AST_ERROR, at);
        return wrong ? shunt_ast_append(c->arena, rows, wrong) : NULL;
    }
    while (rows && r.in.at < r.in.size && !r.in.no_memory) {
        if (shunt_csv_at_line_end(&r.in)) {
            shunt_csv_pass_line(&r.in);
            continue;
        }
        shunt_ast *row = read_row(&r, cells);
        rows = row ? shunt_ast_append(c->arena, rows, row) : NULL;
    }
    return r.in.no_memory ? NULL : rows;
}
