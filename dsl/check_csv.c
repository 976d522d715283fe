/* Sources of rows (CSV, FIXED): what their braces declare becomes a shape and its guide (standards/csv/shape.h), and paths name types of
 * rows and their columns: `r.amount`, `batch.company_id`, `addenda`, `d.rest`. */
#include "dsl/check_way.h"
#include "engine/base/date.h"
#include "standards/csv/charset.h"
#include "standards/csv/shape.h"

enum { ROWS_AT_MOST = 256, COLUMNS_AT_MOST = 4096, RECORD_AT_MOST = 1 << 20, CELL_AT_MOST = 16384, NESTED = 8 };

/* What the language knows of a column beside its place. */
typedef struct declared {
    shunt_ty         type; /* of a rest: of its items */
    shunt_value_type value;
    uint8_t          implied;
    shunt_text       format;
    shunt_ast       *node;
} declared;

/* A source while its braces are read. */
typedef struct reading {
    check             *k;
    shunt_source_info *info;
    shunt_csv_shape   *shape;
    shunt_span         at; /* of its kind: `CSV`, `FIXED` */
    shunt_ast         *key;
    shunt_ast        **nodes; /* RECORD of each type of row, NULL for `rows` */
    bool               fine;
} reading;

static shunt_csv_shape *shape_of(const check *k)
{
    const shunt_guide *guide = source_of(k)->guides[0];
    return ((const shunt_shape_guide *)(const void *)guide)->shape;
}

static void wrong(reading *r) { r->fine = false; }

/* ---- settings ---- */

static shunt_ast *setting_of(const shunt_ast *items, const char *name)
{
    for (uint32_t i = 0; items && i < items->kid_count; i++) {
        const shunt_ast *item = items->kids[i];
        shunt_ast       *word = item->kind == SHUNT_AST_SETTING ? kid(item, SHUNT_SETTING_name) : NULL;
        if (word && shunt_text_is(word->text, name)) return kid(item, SHUNT_SETTING_value);
    }
    return NULL;
}

static void wrong_setting(reading *r, const shunt_ast *value, const char *what, const char *example)
{
    wrong(r);
    if (value->kind == SHUNT_AST_ERROR) return;
    shunt_diag *d = shunt_diag_add(r->k->diags, SHUNT_E0306, value->span, "%s", what);
    shunt_diag_help(r->k->diags, d, "write `%s`", example);
}

/* One byte that can stand between cells or around them. */
static bool mark_of(const shunt_ast *value, uint8_t *mark)
{
    if (value->kind != SHUNT_AST_STRING || value->text.length != 1) return false;
    unsigned char c = (unsigned char)value->text.bytes[0];
    bool          word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    *mark = c;
    return !word && c != '\n' && c != '\r' && c < 0x80 && c != 0;
}

static void read_marks(reading *r, const shunt_ast *items)
{
    shunt_csv_shape *s = r->shape;
    shunt_ast       *value = setting_of(items, "separator");
    s->separator = ',';
    s->quote = '"';
    s->lines = s->header = true;
    if (value && !mark_of(value, &s->separator))
        wrong_setting(r, value, "a separator is one character, no letter, digit or line end", "separator: \"|\"");
    value = setting_of(items, "quote");
    if (value && value->kind == SHUNT_AST_STRING && !value->text.length)
        s->quote = 0;
    else if (value && !mark_of(value, &s->quote))
        wrong_setting(r, value, "a quote is one character, or none: \"\"", "quote: \"'\"");
    value = setting_of(items, "terminator");
    if (value && value->kind == SHUNT_AST_STRING && value->text.length == 2 && value->text.bytes[1] == '\n') {
        shunt_ast one = *value;
        one.text.length = 1;
        if (!mark_of(&one, &s->terminator))
            wrong_setting(r, value, "before the line end of a terminator stands one character", "terminator: \"/\\n\"");
    } else if (value && value->kind == SHUNT_AST_STRING && shunt_text_is(value->text, "\n")) {
        s->terminator = 0;
    } else if (value) {
        s->lines = false;
        if (!mark_of(value, &s->terminator))
            wrong_setting(r, value, "a terminator is one character, one before the line end, or the line end",
                          "terminator: \"~\"");
    }
    if (r->fine && (s->separator == s->quote || s->separator == s->terminator || (s->quote && s->quote == s->terminator))) {
        wrong(r);
        shunt_diag *d = shunt_diag_add(r->k->diags, SHUNT_E0306, r->at, "two of separator, quote and terminator are the same");
        shunt_diag_help(r->k->diags, d, "a record without quotes says so: `quote: \"\"`");
    }
    value = setting_of(items, "header");
    if (value && value->kind != SHUNT_AST_TRUE && value->kind != SHUNT_AST_FALSE)
        wrong_setting(r, value, "a header is there or not", "header: false");
    if (value && value->kind == SHUNT_AST_FALSE) s->header = false;
    value = setting_of(items, "continuation");
    if (value && value->kind == SHUNT_AST_STRING && value->text.length)
        s->continuation = value->text;
    else if (value)
        wrong_setting(r, value, "a continuation is the key of the records that continue others", "continuation: \"88\"");
}

static void read_encoding(reading *r, const shunt_ast *items)
{
    shunt_ast *value = setting_of(items, "encoding");
    bool       utf8 = true;
    if (!value) return;
    if (value->kind != SHUNT_AST_STRING || !shunt_charset_known(value->text, &utf8)) {
        wrong(r);
        if (value->kind == SHUNT_AST_ERROR) return;
        shunt_diag *d =
            shunt_diag_add(r->k->diags, SHUNT_E0306, value->span, "this is no character set that rows can be read in");
        shunt_diag_help(r->k->diags, d, "known are %s", shunt_charset_names());
        return;
    }
    if (!utf8) r->shape->encoding = value->text;
}

/* A record that a setting names; SHUNT_SHAPE_NONE: reported. */
static uint16_t record_named(reading *r, const shunt_ast *name)
{
    shunt_csv_shape *s = r->shape;
    for (uint16_t i = 0; i < s->row_count && name->kind == SHUNT_AST_NAME; i++)
        if (r->nodes[i] && shunt_text_equal(s->rows[i].name, name->text)) return i;
    wrong(r);
    if (name->kind == SHUNT_AST_ERROR) return SHUNT_SHAPE_NONE;
    shunt_diag *d =
        name->kind == SHUNT_AST_NAME
            ? shunt_diag_add(r->k->diags, SHUNT_E0209, name->span, "the source has no record `%.*s`", SHUNT_TEXT_ARGS(name->text))
            : shunt_diag_add(r->k->diags, SHUNT_E0306, name->span, "the name of a record is wanted here");
    shunt_suggest near;
    shunt_suggest_init(&near, name->text, 2);
    for (uint16_t i = 0; i < s->row_count; i++)
        if (r->nodes[i]) shunt_suggest_offer(&near, s->rows[i].name, (shunt_text){ 0 }, true, 0);
    shunt_text text = shunt_suggest_text(&near, r->k->arena);
    if (text.length) shunt_diag_help(r->k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(text));
    return SHUNT_SHAPE_NONE;
}

static void mark_once(reading *r, shunt_shape_row *row, const shunt_ast *name) { (void)r, (void)name, row->once = true; }

static void mark_trailer(reading *r, shunt_shape_row *row, const shunt_ast *name)
{
    row->trailer = row->parent == SHUNT_SHAPE_NONE;
    if (row->trailer) return;
    shunt_text  around = r->shape->rows[row->parent].name;
    shunt_diag *d = shunt_diag_add(r->k->diags, SHUNT_E0306, name->span, "record `%.*s` stands in `%.*s`",
                                   SHUNT_TEXT_ARGS(name->text), SHUNT_TEXT_ARGS(around));
    shunt_diag_help(r->k->diags, d, "a trailer ends the whole input: it is an outermost record, declared without `in %.*s`",
                    SHUNT_TEXT_ARGS(around));
    wrong(r);
}

/* The records that a setting names: one, or an array. NULL `names`: none. */
static void mark_rows(reading *r, shunt_ast *names, void (*mark)(reading *r, shunt_shape_row *row, const shunt_ast *name))
{
    if (!names) return;
    bool several = names->kind == SHUNT_AST_ARRAY;
    for (uint32_t i = 0; i < (several ? names->kid_count : 1); i++) {
        const shunt_ast *name = several ? names->kids[i] : names;
        uint16_t         row = record_named(r, name);
        if (row != SHUNT_SHAPE_NONE) mark(r, &r->shape->rows[row], name);
    }
}

static void read_scopes(reading *r, const shunt_ast *items)
{
    shunt_csv_shape *s = r->shape;
    shunt_ast       *value = setting_of(items, "transaction");
    s->transaction = SHUNT_SHAPE_NONE;
    if (value) {
        s->transaction = record_named(r, value);
        if (s->transaction != SHUNT_SHAPE_NONE && s->rows[s->transaction].parent != SHUNT_SHAPE_NONE) {
            shunt_text  around = s->rows[s->rows[s->transaction].parent].name;
            shunt_diag *d = shunt_diag_add(r->k->diags, SHUNT_E0306, value->span, "record `%.*s` stands in `%.*s`",
                                           SHUNT_TEXT_ARGS(value->text), SHUNT_TEXT_ARGS(around));
            shunt_diag_help(r->k->diags, d,
                            "a transaction is an outermost record: leave out `in %.*s`, what it holds is then outside",
                            SHUNT_TEXT_ARGS(around));
            s->transaction = SHUNT_SHAPE_NONE;
            wrong(r);
        }
    }
    mark_rows(r, setting_of(items, "once"), mark_once);
    mark_rows(r, setting_of(items, "trailer"), mark_trailer);
}

/* ---- columns ---- */

static bool number_of(const shunt_ast *node, uint32_t most, uint32_t *number)
{
    uint32_t n = 0;
    if (!node || node->kind != SHUNT_AST_INT) return false;
    for (uint32_t i = 0; i < node->text.length; i++) {
        if (node->text.bytes[i] == '_') continue;
        n = n > most ? n : n * 10 + (uint32_t)(node->text.bytes[i] - '0');
    }
    *number = n;
    return n > 0 && n <= most;
}

/* `at 3` of cells, `at 3..9` of records of fixed width. False: reported. */
static bool read_place(reading *r, const shunt_ast *place, uint16_t *from, uint16_t *to)
{
    uint32_t         a = 0, b = 0, most = r->shape->fixed ? r->shape->length : CELL_AT_MOST;
    const shunt_ast *first = kid(place, SHUNT_PLACE_from), *last = kid(place, SHUNT_PLACE_to);
    shunt_diag      *d = NULL;
    if (most > UINT16_MAX) most = UINT16_MAX;
    bool fine = number_of(first, most, &a) && (!last || number_of(last, most, &b));
    if (!fine && r->shape->fixed) {
        d = shunt_diag_add(r->k->diags, SHUNT_E0306, place->span, "this is no place in a record of %u bytes", r->shape->length);
        shunt_diag_help(r->k->diags, d, "places are counted from 1: `at 1..%u`", most);
    } else if (!fine) {
        d = shunt_diag_add(r->k->diags, SHUNT_E0306, place->span, "this is no number of a cell");
        shunt_diag_help(r->k->diags, d, "cells are counted from 1: `at 3`");
    } else if (last && !r->shape->fixed) {
        d = shunt_diag_add(r->k->diags, SHUNT_E0306, place->span, "a column of separated cells is one cell");
        shunt_diag_help(r->k->diags, d, "write `at %u`; all cells from there on are `list of text(80) max 20`", a);
    } else if (last && b < a) {
        d = shunt_diag_add(r->k->diags, SHUNT_E0306, place->span, "the last place stands before the first");
        shunt_diag_help(r->k->diags, d, "write `at %u..%u`", b, a);
    }
    *from = (uint16_t)a;
    *to = (uint16_t)(!r->shape->fixed ? 0 : last ? b : a);
    if (d) wrong(r);
    return !d;
}

/* `money` alone is the currency of the source. */
static bool complete_money(reading *r, shunt_ast *type)
{
    shunt_ast *name = kid(type, SHUNT_TYPE_name), *args = kid(type, SHUNT_TYPE_args);
    if (type->kind != SHUNT_AST_TYPE || !name || !shunt_text_is(name->text, "money") || (args && args->kid_count)) return true;
    if (!r->info->currency[0]) {
        shunt_diag *d =
            shunt_diag_add(r->k->diags, SHUNT_E0305, name->span, "neither this column nor the source says the currency");
        shunt_diag_help(r->k->diags, d, "write `money(USD)`, or a setting of the source: `currency: USD`");
        wrong(r);
        return false;
    }
    shunt_ast *list = NEW(r->k, shunt_ast), *word = NEW(r->k, shunt_ast);
    *word = *name;
    word->kind = SHUNT_AST_NAME;
    word->text = shunt_text_of(r->info->currency);
    *list = (shunt_ast){ .kind = SHUNT_AST_LIST, .span = name->span, .kid_count = 1 };
    list->kids = NEW_N(r->k, shunt_ast *, 1);
    list->kids[0] = word;
    type->kids[SHUNT_TYPE_args] = list;
    return true;
}

static const struct form {
    shunt_ty_kind    kind;
    shunt_value_type value;
} forms[] = {
    { SHUNT_TY_TEXT, SHUNT_VALUE_TEXT },       { SHUNT_TY_CODE, SHUNT_VALUE_TEXT },    { SHUNT_TY_INT, SHUNT_VALUE_INT },
    { SHUNT_TY_DECIMAL, SHUNT_VALUE_DECIMAL }, { SHUNT_TY_MONEY, SHUNT_VALUE_AMOUNT }, { SHUNT_TY_PERCENT, SHUNT_VALUE_DECIMAL },
    { SHUNT_TY_DATE, SHUNT_VALUE_DATE },       { SHUNT_TY_TIME, SHUNT_VALUE_TIME },    { SHUNT_TY_MOMENT, SHUNT_VALUE_MOMENT },
    { SHUNT_TY_BOOL, SHUNT_VALUE_BOOL },
};

static bool form_of(shunt_ty_kind kind, shunt_value_type *value)
{
    for (size_t i = 0; i < SHUNT_COUNT(forms); i++) {
        if (forms[i].kind != kind) continue;
        *value = forms[i].value;
        return true;
    }
    return false;
}

static void wrong_format(reading *r, const shunt_ast *format, const char *what, const char *example)
{
    wrong(r);
    shunt_diag *d = shunt_diag_add(r->k->diags, SHUNT_E0306, format->span, "%s", what);
    shunt_diag_help(r->k->diags, d, "write `as \"%s\"`", example);
}

/* "N2": digits after a point that is not written. */
static void implied_format(reading *r, const shunt_ast *format, declared *column)
{
    shunt_text text = format->text;
    if (text.length != 2 || text.bytes[0] != 'N' || text.bytes[1] < '1' || text.bytes[1] > '9') {
        wrong_format(r, format, "this is no format of a number", "N2");
        return;
    }
    column->implied = (uint8_t)(text.bytes[1] - '0');
    column->value = SHUNT_VALUE_IMPLIED;
    if (column->implied <= column->type.scale) return;
    shunt_text  name = shunt_ty_name(r->k->arena, &column->type);
    shunt_diag *d = shunt_diag_add(r->k->diags, SHUNT_E0310, format->span, "%u decimals are more than %.*s holds",
                                   column->implied, SHUNT_TEXT_ARGS(name));
    if (column->type.kind == SHUNT_TY_MONEY)
        shunt_diag_help(r->k->diags, d, "give the column the decimals of the file: `money(%s, %u)`", column->type.currency,
                        column->implied);
    else
        shunt_diag_help(r->k->diags, d, "give the column the decimals of the file");
    wrong(r);
}

static bool two_words(shunt_text text)
{
    uint32_t slashes = 0;
    for (uint32_t i = 0; i < text.length; i++) slashes += text.bytes[i] == '/';
    const char *slash = text.length ? memchr(text.bytes, '/', text.length) : NULL;
    if (slashes != 1 || !slash) return false;
    uint32_t at = (uint32_t)(slash - text.bytes);
    return at > 0 && at + 1 < text.length &&
           !shunt_text_equal((shunt_text){ text.bytes, at }, (shunt_text){ slash + 1, text.length - at - 1 });
}

static void read_format(reading *r, const shunt_ast *format, declared *column)
{
    switch (column->type.kind) {
    case SHUNT_TY_DATE:
        if (!format && !r->shape->fixed) column->format = SHUNT_TEXT("YYYY-MM-DD");
        if (!format) return;
        column->format = format->text;
        if (!shunt_date_pattern_valid(format->text)) wrong_format(r, format, "this is no format of a date", "MM/DD/YYYY");
        return;
    case SHUNT_TY_BOOL:
        if (!format) return;
        column->format = format->text;
        if (!two_words(format->text)) wrong_format(r, format, "a yes or no is two words with a stroke between them", "Y/N");
        return;
    case SHUNT_TY_MONEY:
    case SHUNT_TY_DECIMAL:
    case SHUNT_TY_PERCENT:
        if (format) implied_format(r, format, column);
        return;
    default:
        if (!format) return;
        shunt_text  name = shunt_ty_name(r->k->arena, &column->type);
        shunt_diag *d = shunt_diag_add(r->k->diags, SHUNT_E0306, format->span, "%.*s has no format", SHUNT_TEXT_ARGS(name));
        shunt_diag_help(r->k->diags, d, "dates have patterns, amounts `\"N2\"`, `bool` two words");
        wrong(r);
    }
}

/* Type and format of a column; of a rest of its items. */
static declared *read_type(reading *r, shunt_ast *node, shunt_shape_column *column)
{
    declared  *made = NEW(r->k, declared);
    shunt_ast *type = kid(node, SHUNT_COLUMN_type);
    made->node = node;
    if (!type || type->kind == SHUNT_AST_ERROR || !complete_money(r, type)) {
        wrong(r);
        return NULL;
    }
    made->type = check_type(r->k, type);
    if (made->type.kind == SHUNT_TY_LIST) {
        column->rest = true;
        column->max = made->type.max;
        made->type = *made->type.item;
    }
    if (shunt_ty_is_error(&made->type)) {
        wrong(r);
        return NULL;
    }
    if (!form_of((shunt_ty_kind)made->type.kind, &made->value) || (column->rest && made->type.kind != SHUNT_TY_TEXT)) {
        shunt_text  name = shunt_ty_name(r->k->arena, &made->type);
        shunt_diag *d = shunt_diag_add(r->k->diags, SHUNT_E0303, type->span,
                                       column->rest ? "the remaining cells are texts, not %.*s" : "a column cannot be %.*s",
                                       SHUNT_TEXT_ARGS(name));
        shunt_diag_help(r->k->diags, d,
                        column->rest ? "write `list of text(80) max 20`"
                                     : "columns are text, int, decimal, money, percent, date, datetime, time or bool");
        wrong(r);
        return NULL;
    }
    read_format(r, kid(node, SHUNT_COLUMN_format), made);
    if (column->rest) made->type.optional = true; /* a cell may be empty */
    return made;
}

static bool names_another(reading *r, const shunt_shape_row *row, const shunt_ast *name)
{
    for (uint16_t i = 0; i < row->column_count; i++) {
        if (!shunt_text_equal(row->columns[i].name, name->text)) continue;
        const declared *other = row->columns[i].declared;
        shunt_diag     *d =
            shunt_diag_add(r->k->diags, SHUNT_E0208, name->span, "column `%.*s` is there already", SHUNT_TEXT_ARGS(name->text));
        if (other) shunt_diag_also(r->k->diags, d, kid(other->node, SHUNT_COLUMN_name)->span, "first here");
        wrong(r);
        return true;
    }
    if (!shunt_text_is(name->text, "first")) return false;
    shunt_diag *d = shunt_diag_add(r->k->diags, SHUNT_E0208, name->span, "`first` is the first of a list");
    shunt_diag_help(r->k->diags, d,
                    "call the column by another name, and write its heading behind it: `column one: ... \"first\"`");
    wrong(r);
    return true;
}

static void place_column(reading *r, const shunt_ast *node, const shunt_shape_row *row, shunt_shape_column *column)
{
    const shunt_ast *place = kid(node, SHUNT_COLUMN_place);
    if (place) {
        (void)read_place(r, place, &column->from, &column->to);
        return;
    }
    shunt_diag *d = NULL;
    if (r->shape->fixed) {
        d = shunt_diag_add(r->k->diags, SHUNT_E0306, node->span, "column `%.*s` does not say its place",
                           SHUNT_TEXT_ARGS(column->name));
        shunt_diag_help(r->k->diags, d, "write it behind the name: `column %.*s at 1..9: ...`", SHUNT_TEXT_ARGS(column->name));
    } else if (r->shape->header && column->rest) {
        d = shunt_diag_add(r->k->diags, SHUNT_E0306, node->span, "where the remaining cells begin is not said");
        shunt_diag_help(r->k->diags, d, "write the number of the first: `column %.*s at 5: list of ...`",
                        SHUNT_TEXT_ARGS(column->name));
    } else if (!r->shape->header) {
        const shunt_shape_column *before = row->column_count ? &row->columns[row->column_count - 1] : NULL;
        column->from = before ? (uint16_t)(before->from + 1) : 1;
        if (column->from <= CELL_AT_MOST) return;
        d = shunt_diag_add(r->k->diags, SHUNT_E0306, node->span, "a row has no more than %u cells", CELL_AT_MOST);
    }
    if (d) wrong(r);
}

static void read_column(reading *r, shunt_ast *node, shunt_shape_row *row)
{
    shunt_ast *name = kid(node, SHUNT_COLUMN_name), *doc = kid(node, SHUNT_COLUMN_doc);
    if (!name) {
        wrong(r);
        return;
    }
    if (row->column_count == COLUMNS_AT_MOST) {
        too_large(r->k, name->span, "this record", COLUMNS_AT_MOST);
        wrong(r);
        return;
    }
    if (row->column_count && row->columns[row->column_count - 1].rest) {
        shunt_diag *d =
            shunt_diag_add(r->k->diags, SHUNT_E0306, name->span, "a column stands behind the one that takes all remaining cells");
        shunt_diag_help(r->k->diags, d, "the list is the last column of its record");
        wrong(r);
    }
    if (names_another(r, row, name)) return;
    shunt_shape_column column = { .name = name->text, .heading = doc && doc->text.length ? doc->text : name->text };
    declared          *made = read_type(r, node, &column);
    place_column(r, node, row, &column);
    if (made) {
        bool text = made->type.kind == SHUNT_TY_TEXT;
        if (text && r->shape->fixed && !made->type.length && column.to)
            made->type.length = (uint32_t)(column.to - column.from + 1);
        if (column.rest && r->shape->fixed) {
            shunt_diag *d =
                shunt_diag_add(r->k->diags, SHUNT_E0306, node->span, "a record of fixed width has no remaining cells");
            shunt_diag_help(r->k->diags, d, "make it one text: `column %.*s at 4..83: text(80)`", SHUNT_TEXT_ARGS(name->text));
            wrong(r);
        }
        column.length = text ? made->type.length : 0;
        column.trim = r->shape->fixed || !text;
        column.optional = made->type.optional;
        column.type = (uint8_t)made->value;
        column.phi = made->type.phi;
    }
    column.declared = made;
    row->columns[row->column_count++] = column;
}

/* ---- records ---- */

static shunt_shape_row *add_row(reading *r, shunt_text name, shunt_ast *node, uint32_t columns)
{
    shunt_shape_row *row = &r->shape->rows[r->shape->row_count];
    r->nodes[r->shape->row_count++] = node;
    *row = (shunt_shape_row){ .name = name, .parent = SHUNT_SHAPE_NONE };
    row->columns = NEW_N(r->k, shunt_shape_column, columns);
    return row;
}

static uint32_t depth_of_row(const shunt_csv_shape *s, uint16_t row)
{
    uint32_t depth = 0;
    for (; row != SHUNT_SHAPE_NONE; row = s->rows[row].parent) depth++;
    return depth;
}

static void find_parent(reading *r, shunt_shape_row *row, const shunt_ast *parent, const shunt_ast *items)
{
    shunt_csv_shape *s = r->shape;
    for (uint16_t i = 0; &s->rows[i] != row; i++)
        if (shunt_text_equal(s->rows[i].name, parent->text)) {
            row->parent = i;
            if (depth_of_row(s, i) < NESTED) return;
            shunt_diag_add(r->k->diags, SHUNT_E0912, parent->span, "records are nested more than %u deep", NESTED);
            row->parent = SHUNT_SHAPE_NONE;
            wrong(r);
            return;
        }
    bool later = false;
    for (uint32_t i = 0; i < items->kid_count; i++) {
        const shunt_ast *name = items->kids[i]->kind == SHUNT_AST_RECORD ? kid(items->kids[i], SHUNT_RECORD_name) : NULL;
        later = later || (name && shunt_text_equal(name->text, parent->text));
    }
    wrong(r);
    if (later) {
        shunt_diag *d = shunt_diag_add(r->k->diags, SHUNT_E0306, parent->span,
                                       "record `%.*s` is declared after what stands in it", SHUNT_TEXT_ARGS(parent->text));
        shunt_diag_help(r->k->diags, d, "declare records in the order of the file, `%.*s` before `%.*s`",
                        SHUNT_TEXT_ARGS(parent->text), SHUNT_TEXT_ARGS(row->name));
        return;
    }
    r->shape->row_count--; /* it is none that could be suggested for itself */
    (void)record_named(r, parent);
    r->shape->row_count++;
}

static bool key_is_taken(reading *r, const shunt_ast *key)
{
    for (uint16_t i = 0; i < r->shape->row_count; i++)
        for (uint16_t j = 0; j < r->shape->rows[i].key_count; j++) {
            if (!shunt_text_equal(r->shape->rows[i].keys[j], key->text)) continue;
            shunt_diag *d = shunt_diag_add(r->k->diags, SHUNT_E0208, key->span, "key \"%.*s\" is that of record `%.*s` already",
                                           SHUNT_TEXT_ARGS(key->text), SHUNT_TEXT_ARGS(r->shape->rows[i].name));
            if (r->nodes[i]) shunt_diag_also(r->k->diags, d, r->nodes[i]->span, "first here");
            return true;
        }
    if (!r->shape->continuation.length || !shunt_text_equal(r->shape->continuation, key->text)) return false;
    shunt_diag *d = shunt_diag_add(r->k->diags, SHUNT_E0208, key->span, "key \"%.*s\" is that of continuations already",
                                   SHUNT_TEXT_ARGS(key->text));
    shunt_diag_help(r->k->diags, d, "a record that continues another has no declaration of its own");
    return true;
}

static void read_keys(reading *r, shunt_shape_row *row, const shunt_ast *when)
{
    uint32_t width = r->shape->fixed ? (uint32_t)(r->shape->key_to - r->shape->key_from + 1) : 0;
    row->keys = NEW_N(r->k, shunt_text, when ? when->kid_count : 0);
    for (uint32_t i = 0; when && i < when->kid_count; i++) {
        const shunt_ast *key = when->kids[i];
        shunt_text       text = key->text;
        if (key->kind != SHUNT_AST_STRING || key_is_taken(r, key)) {
            wrong(r);
            continue;
        }
        bool blank = !text.length || text.bytes[0] == ' ' || text.bytes[text.length - 1] == ' ';
        if (blank || (width && text.length > width)) {
            shunt_diag *d = shunt_diag_add(r->k->diags, SHUNT_E0306, key->span, "no record has this key");
            if (blank)
                shunt_diag_here(r->k->diags, d, "blanks at its ends are left away");
            else
                shunt_diag_here(r->k->diags, d, "the key has %u column%s", width, width > 1 ? "s" : "");
            shunt_diag_help(r->k->diags, d, "write the key as it stands in the file, without blanks around it");
            wrong(r);
        }
        row->keys[row->key_count++] = text;
    }
}

static void read_record(reading *r, shunt_ast *node, const shunt_ast *items)
{
    shunt_ast *name = kid(node, SHUNT_RECORD_name), *parent = kid(node, SHUNT_RECORD_parent);
    shunt_ast *columns = kid(node, SHUNT_RECORD_columns);
    if (!name) {
        wrong(r);
        return;
    }
    if (r->shape->row_count == ROWS_AT_MOST) {
        too_large(r->k, name->span, "this source", ROWS_AT_MOST);
        wrong(r);
        return;
    }
    for (uint16_t i = 0; i < r->shape->row_count; i++) {
        if (!shunt_text_equal(r->shape->rows[i].name, name->text)) continue;
        shunt_diag *d =
            shunt_diag_add(r->k->diags, SHUNT_E0208, name->span, "record `%.*s` is there already", SHUNT_TEXT_ARGS(name->text));
        shunt_diag_also(r->k->diags, d, kid(r->nodes[i], SHUNT_RECORD_name)->span, "first here");
        shunt_diag_help(r->k->diags, d, "several keys of one record are joined by `or`");
        wrong(r);
        return;
    }
    shunt_shape_row *row = add_row(r, name->text, node, columns ? columns->kid_count : 0);
    if (parent && parent->kind == SHUNT_AST_NAME) find_parent(r, row, parent, items);
    read_keys(r, row, kid(node, SHUNT_RECORD_when));
    for (uint32_t i = 0; columns && i < columns->kid_count; i++)
        if (columns->kids[i]->kind == SHUNT_AST_COLUMN)
            read_column(r, columns->kids[i], row);
        else
            wrong(r);
}

/* ---- the whole of it ---- */

static void read_rows(reading *r, shunt_ast *items)
{
    uint32_t   records = 0, columns = 0;
    shunt_ast *first_column = NULL, *first_record = NULL;
    for (uint32_t i = 0; items && i < items->kid_count; i++) {
        shunt_ast *item = items->kids[i];
        if (item->kind == SHUNT_AST_RECORD && !records++) first_record = item;
        if (item->kind == SHUNT_AST_COLUMN && !columns++) first_column = item;
        if (item->kind == SHUNT_AST_KEY_PLACE) r->key = item;
    }
    r->shape->rows = NEW_N(r->k, shunt_shape_row, records + 1);
    r->nodes = NEW_N(r->k, shunt_ast *, records + 1);
    if (records) r->shape->header = false;
    if (r->key) (void)read_place(r, kid(r->key, SHUNT_KEY_PLACE_place), &r->shape->key_from, &r->shape->key_to);
    shunt_diag *d = NULL;
    if (records && columns) {
        d = shunt_diag_add(r->k->diags, SHUNT_E0209, first_column->span, "this column belongs to no record");
        shunt_diag_also(r->k->diags, d, first_record->span, "the source has types of records");
        shunt_diag_help(r->k->diags, d, "move it into the records that have it");
    } else if (records && !r->key) {
        d = shunt_diag_add(r->k->diags, SHUNT_E0305, first_record->span,
                           "the source does not say where the type of a record stands");
        shunt_diag_help(r->k->diags, d,
                        r->shape->fixed ? "write its columns: `key at 1..1`" : "write the number of its cell: `key at 1`");
    } else if (!records && r->key) {
        d = shunt_diag_add(r->k->diags, SHUNT_E0306, r->key->span, "a key tells records apart, and the source declares none");
        shunt_diag_help(r->k->diags, d, "write `record NAME when \"6\" { ... }`, or leave out the key");
    } else if (!records && !columns && r->fine) {
        d = shunt_diag_add(r->k->diags, SHUNT_E0305, r->at, "the source declares no columns");
        shunt_diag_help(r->k->diags, d, "write what it reads: `column amount%s: money(USD)`", r->shape->fixed ? " at 1..10" : "");
    } else if (!records && r->shape->continuation.length) {
        d = shunt_diag_add(r->k->diags, SHUNT_E0306, r->at, "a continuation is known by its key, and the source has none");
        shunt_diag_help(r->k->diags, d, "write `key at 1`, and `record NAME when \"16\" { ... }` for each type");
    }
    if (d) {
        wrong(r);
        return;
    }
    if (!records) {
        shunt_shape_row *row = add_row(r, SHUNT_TEXT("rows"), NULL, columns);
        for (uint32_t i = 0; items && i < items->kid_count; i++)
            if (items->kids[i]->kind == SHUNT_AST_COLUMN) read_column(r, items->kids[i], row);
    }
    for (uint32_t i = 0; items && i < items->kid_count; i++)
        if (items->kids[i]->kind == SHUNT_AST_RECORD) read_record(r, items->kids[i], items);
    read_scopes(r, items);
}

static bool read_arguments(reading *r, const shunt_ast *args)
{
    shunt_ast *first = kid(args, 0);
    if (!r->shape->fixed && (!args || !args->kid_count)) return true;
    if (r->shape->fixed && first && args->kid_count == 1 && number_of(first, RECORD_AT_MOST, &r->shape->length)) return true;
    shunt_diag *d = r->shape->fixed ? shunt_diag_add(r->k->diags, SHUNT_E0201, first ? first->span : r->at,
                                                     "the source does not say how long its records are")
                                    : shunt_diag_add(r->k->diags, SHUNT_E0201, first->span, "a CSV source names no guide");
    if (r->shape->fixed)
        shunt_diag_help(r->k->diags, d, "write their bytes without the line end: `FIXED 94 { ... }`, at most %u", RECORD_AT_MOST);
    else
        shunt_diag_help(r->k->diags, d, "its columns stand in its braces: `CSV { column amount: money(USD) }`");
    return false;
}

bool csv_guides(check *k, shunt_ast *node, shunt_source_info *info)
{
    shunt_ast       *items = kid(node, SHUNT_SOURCE_items), *currency = setting_of(items, "currency");
    const shunt_ast *kind = kid(node, SHUNT_SOURCE_kind);
    reading          r = { .k = k, .info = info, .shape = NEW(k, shunt_csv_shape), .fine = true };
    if (kind) r.at = kind->span;
    uint8_t scale;
    r.shape->fixed = info->standard == SHUNT_STANDARD_FIXED;
    if (!read_arguments(&r, kid(node, SHUNT_SOURCE_args))) return false;
    /* Amounts are read before the settings of all sources are; a wrong one is told there. */
    bool known = currency && currency->kind != SHUNT_AST_ERROR && currency->text.length == 3 &&
                 shunt_currency_find(currency->text, &scale);
    if (currency) memcpy(info->currency, known ? currency->text.bytes : "USD", 3);
    if (r.shape->fixed)
        r.shape->lines = true;
    else
        read_marks(&r, items);
    read_encoding(&r, items);
    read_rows(&r, items);
    if (!r.fine) return false;
    const shunt_guide *guide = check_need(k, (void *)(uintptr_t)shunt_csv_guide(k->arena, r.shape));
    info->guides = NEW_N(k, const shunt_guide *, 1);
    info->guides[0] = guide;
    info->guide_count = 1;
    return true;
}

bool csv_item(check *k, shunt_ast *item, shunt_source_info *info)
{
    (void)k, (void)info;
    return item->kind == SHUNT_AST_COLUMN || item->kind == SHUNT_AST_RECORD || item->kind == SHUNT_AST_KEY_PLACE;
}

/* ---- paths ---- */

static const shunt_shape_row *row_of_loop(const check *k, const shunt_loop_ref *ref)
{
    const shunt_csv_shape *shape = shape_of(k);
    for (uint32_t m = 0; m < ref->match_count; m++)
        for (uint16_t i = 0; i < shape->row_count; i++)
            if (shape->rows[i].loop == ref->matches[m].loop) return &shape->rows[i];
    return NULL;
}

static const shunt_shape_row *row_named(const check *k, shunt_text name)
{
    const shunt_csv_shape *shape = shape_of(k);
    for (uint16_t i = 0; i < shape->row_count; i++)
        if (shunt_text_equal(shape->rows[i].name, name)) return &shape->rows[i];
    return NULL;
}

static const shunt_shape_column *column_named(const shunt_shape_row *row, shunt_text name)
{
    for (uint16_t i = 0; row && i < row->column_count; i++)
        if (shunt_text_equal(row->columns[i].name, name)) return &row->columns[i];
    return NULL;
}

/* The column whose remaining cells are the instances of the loop, NULL = none. */
static const shunt_shape_column *cells_of(const check *k, const shunt_loop_ref *ref)
{
    const shunt_csv_shape *shape = shape_of(k);
    for (uint16_t i = 0; i < shape->row_count; i++) {
        const shunt_shape_row    *row = &shape->rows[i];
        const shunt_shape_column *last = row->column_count ? &row->columns[row->column_count - 1] : NULL;
        if (last && last->rest && ref->match_count && last->cells == ref->matches[0].loop) return last;
    }
    return NULL;
}

static bool is_transaction(const check *k, const shunt_shape_row *row)
{
    const shunt_csv_shape *shape = shape_of(k);
    return shape->transaction != SHUNT_SHAPE_NONE && row == &shape->rows[shape->transaction];
}

static void no_such_record(check *k, const shunt_ast *node, shunt_text name)
{
    const shunt_csv_shape *shape = shape_of(k);
    shunt_diag            *d = shunt_diag_add(k->diags, SHUNT_E0202, node->span, "source `%.*s` has no record `%.*s`",
                                              SHUNT_TEXT_ARGS(k->source->name), SHUNT_TEXT_ARGS(name));
    shunt_suggest          near;
    shunt_suggest_init(&near, name, 2);
    for (uint16_t i = 0; i < shape->row_count; i++)
        if (shape->rows[i].loop) shunt_suggest_offer(&near, shape->rows[i].name, (shunt_text){ 0 }, true, 0);
    shunt_text text = shunt_suggest_text(&near, k->arena);
    if (text.length)
        shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(text));
    else if (shape->row_count == 1)
        shunt_diag_help(k->diags, d, "its loop is `%.*s`", SHUNT_TEXT_ARGS(shape->rows[0].name));
}

static void record_outside(check *k, const shunt_ast *node, shunt_text name)
{
    const shunt_csv_shape *shape = shape_of(k);
    shunt_text             transaction = shape->rows[shape->transaction].name;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0202, node->span, "record `%.*s` stands outside of the transactions",
                                   SHUNT_TEXT_ARGS(name));
    shunt_diag_here(k->diags, d, "a transaction is one `%.*s`", SHUNT_TEXT_ARGS(transaction));
    shunt_diag_help(k->diags, d, "read what stands in `%.*s`, or leave out `transaction: %.*s`: the input is then one",
                    SHUNT_TEXT_ARGS(transaction), SHUNT_TEXT_ARGS(transaction));
}

static void no_such_column(check *k, const shunt_ast *node, const shunt_shape_row *row, shunt_text name)
{
    shunt_diag *d;
    if (shape_of(k)->row_count == 1 && !shape_of(k)->key_from)
        d = shunt_diag_add(k->diags, SHUNT_E0209, node->span, "source `%.*s` has no column `%.*s`",
                           SHUNT_TEXT_ARGS(k->source->name), SHUNT_TEXT_ARGS(name));
    else
        d = shunt_diag_add(k->diags, SHUNT_E0209, node->span, "record `%.*s` of source `%.*s` has no column `%.*s`",
                           SHUNT_TEXT_ARGS(row->name), SHUNT_TEXT_ARGS(k->source->name), SHUNT_TEXT_ARGS(name));
    shunt_suggest near;
    shunt_suggest_init(&near, name, 2);
    for (uint16_t i = 0; i < row->column_count; i++) shunt_suggest_offer(&near, row->columns[i].name, (shunt_text){ 0 }, true, 0);
    shunt_text text = shunt_suggest_text(&near, k->arena), all = { 0 };
    if (text.length) {
        shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(text));
        return;
    }
    for (uint16_t i = 0; i < row->column_count && i < HELPS_SHOWN * 2; i++)
        all = check_format(k, "%.*s%s`%.*s`", SHUNT_TEXT_ARGS(all), i ? ", " : "", SHUNT_TEXT_ARGS(row->columns[i].name));
    if (all.length)
        shunt_diag_help(k->diags, d, "it has %.*s%s", SHUNT_TEXT_ARGS(all), row->column_count > HELPS_SHOWN * 2 ? ", ..." : "");
    else
        shunt_diag_help(k->diags, d, "it declares none: write `column %.*s: text(20)`", SHUNT_TEXT_ARGS(name));
}

/* A type of rows by its name: around this, below what is around this, or of the transaction. */
static walked head_record(check *k, const shunt_ast *node, way *w)
{
    const shunt_shape_row *row = row_named(k, node->text);
    if (!row) return WALK_OTHER;
    if (k->unread || k->lost || !outside_of_the_map(k, node, node->text)) return WALK_REPORTED;
    if (!row->loop) {
        record_outside(k, node, node->text);
        return WALK_REPORTED;
    }
    if (!is_transaction(k, row)) return head_loop(k, node, node->text, w);
    *w = (way){ .loop = body_ref(k) };
    return WALK_LOOP;
}

static walked walk(check *k, shunt_ast *node, way *w);

/* A copy of a node that stands for what the node was before it became the value of a cell. */
static shunt_ast *kept_node(check *k, const shunt_ast *node)
{
    shunt_ast *copy = NEW(k, shunt_ast);
    *copy = *node;
    copy->fact = NULL;
    return copy;
}

static walked walk_name(check *k, shunt_ast *node, way *w)
{
    shunt_symbol *symbol = find_value(k, node->text);
    if (!symbol) return head_record(k, node, w);
    if (!begin_way(k, node, symbol, w)) return WALK_OTHER;
    if (w->start) return WALK_LOOP;
    w->base = kept_node(k, node);
    (void)check_plain_name(k, w->base);
    return WALK_LOOP;
}

static walked below(check *k, shunt_ast *node, const shunt_ast *name, way *w)
{
    const shunt_shape_row    *row = row_of_loop(k, w->loop), *inner = row_named(k, name->text);
    const shunt_shape_column *column = column_named(row, name->text);
    if (w->list) {
        (void)several_on_the_way(k, node, w->loop, name->text);
        return WALK_REPORTED;
    }
    if (column && column->rest) {
        take_down(k, w, plain_ref(k, column->cells->id));
        w->optional = false;
        return WALK_LOOP;
    }
    if (column) {
        w->segment = row->name;
        w->element = (uint16_t)(column - row->columns + 1);
        return WALK_VALUE;
    }
    if (inner && inner->loop && !is_transaction(k, inner)) {
        walked found = go_down(k, w, node, name->text);
        if (found != WALK_OTHER) return found;
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0202, name->span, "record `%.*s` does not stand in `%.*s`",
                                       SHUNT_TEXT_ARGS(name->text), SHUNT_TEXT_ARGS(row ? row->name : k->source->name));
        shunt_diag_help(k->diags, d, "a record says where it stands: `record %.*s in NAME when ...`",
                        SHUNT_TEXT_ARGS(name->text));
        return WALK_REPORTED;
    }
    if (row)
        no_such_column(k, name, row, name->text);
    else
        no_such_record(k, name, name->text);
    return WALK_REPORTED;
}

static walked walk_member(check *k, shunt_ast *node, way *w)
{
    shunt_ast *name = kid(node, SHUNT_MEMBER_name);
    walked     found = walk(k, kid(node, SHUNT_MEMBER_of), w);
    if (!name) return WALK_REPORTED;
    if (found == WALK_LOOP && cells_of(k, w->loop) && !w->list) found = WALK_VALUE;
    if (found == WALK_LOOP) return below(k, node, name, w);
    if (found != WALK_VALUE) return found;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0209, name->span, "a cell has no part `%.*s`", SHUNT_TEXT_ARGS(name->text));
    shunt_diag_help(k->diags, d, "a part of a text is `part(t, 1, 3)`");
    return WALK_REPORTED;
}

/* `d.rest[2]`: the second of the remaining cells. */
static walked walk_index(check *k, shunt_ast *node, way *w)
{
    shunt_ast *of = kid(node, SHUNT_INDEX_of), *keys = kid(node, SHUNT_INDEX_keys), *key = kid(keys, 0);
    walked     found = walk(k, of, w);
    uint32_t   number;
    if (found == WALK_OTHER || found == WALK_REPORTED) return found;
    if (found != WALK_LOOP || !w->list || !cells_of(k, w->loop) || keys->kid_count != 1 || kid(node, SHUNT_INDEX_at) ||
        !number_of(key, UINT16_MAX, &number)) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0306, node->span, "only one of the remaining cells is picked by its number");
        shunt_diag_help(k->diags, d, "write it like `r.rest[2]`, or filter a list: `[where it = \"X\"]`");
        return WALK_REPORTED;
    }
    shunt_ty list = check_list(k, of, NULL);
    if (list.kind != SHUNT_TY_LIST) return WALK_REPORTED;
    shunt_ast  *base = kept_node(k, node);
    shunt_fact *fact = check_fact(k, base);
    fact->kind = SHUNT_FACT_FIRST;
    fact->member = number;
    shunt_ty one = *list.item;
    one.optional = true;
    (void)check_typed(k, base, one);
    base->flags |= NODE_CHECKED;
    *w = (way){ .base = base, .loop = one.loop, .optional = true };
    w->why = check_format(k, "a row may have fewer cells");
    return WALK_LOOP;
}

static walked walk(check *k, shunt_ast *node, way *w)
{
    *w = (way){ 0 };
    if (!node) return WALK_REPORTED;
    switch (node->kind) {
    case SHUNT_AST_NAME:
        if (!(k->level && k->level->is_it && shunt_text_is(node->text, "it"))) return walk_name(k, node, w);
        if (k->level->variable->type.kind != SHUNT_TY_NODE) return WALK_OTHER;
        *w = (way){ .base = kept_node(k, node), .loop = k->level->variable->type.loop };
        (void)check_plain_name(k, w->base);
        return WALK_LOOP;
    case SHUNT_AST_MEMBER:
        if (kid(node, SHUNT_MEMBER_name) && shunt_text_is(kid(node, SHUNT_MEMBER_name)->text, "first")) break;
        return walk_member(k, node, w);
    case SHUNT_AST_INDEX: return walk_index(k, node, w);
    case SHUNT_AST_ELEMENT:
    case SHUNT_AST_LOOP: return WALK_OTHER; /* no rows have them */
    default: break;
    }
    return walk_value(k, node, w);
}

static shunt_text shown_value(check *k, const way *w, const shunt_shape_column *column)
{
    const shunt_shape_row *row = row_of_loop(k, w->loop);
    bool                   bare = !row || (w->start && !w->up && !w->down_count);
    return bare ? column->name : check_format(k, "%.*s.%.*s", SHUNT_TEXT_ARGS(row->name), SHUNT_TEXT_ARGS(column->name));
}

/* The way ends at a column, or at one of the remaining cells. */
static shunt_ty finish_value(check *k, shunt_ast *node, way *w, const shunt_shape_column *column)
{
    const declared        *what = column->declared;
    const shunt_loop      *loop = w->loop->matches[0].loop;
    const shunt_shape_row *row = row_of_loop(k, w->loop);
    shunt_ty               type = what->type;
    if (w->list) {
        (void)several_on_the_way(k, node, w->loop, column->name);
        return check_typed(k, node, ty_error());
    }
    if (!column->rest && !arrived(k, node, w)) return check_typed(k, node, ty_error());
    if (column->rest)
        maybe_missing(w, check_format(k, "a cell may be empty"));
    else if (type.optional)
        maybe_missing(w, check_format(k, "column `%.*s` is declared with `?`", SHUNT_TEXT_ARGS(column->name)));
    described_path *p = new_path(k, w, SHUNT_PATH_VALUE);
    p->path.nodes = NEW_N(k, shunt_loop_match, 1);
    p->path.nodes[0] = (shunt_loop_match){ 0, loop, column->rest ? loop->body[0].segment : row->segment };
    p->path.node_count = 1;
    p->path.element = column->rest ? 1 : w->element;
    p->path.value_type = what->value;
    p->path.implied = what->implied;
    p->path.format = what->format;
    p->path.required = !w->optional;
    p->path.shown = shown_value(k, w, column);
    p->origin = check_format(k, "column `%.*s`", SHUNT_TEXT_ARGS(column->name));
    type.optional = w->optional;
    return path_fact(k, node, p, type);
}

static shunt_ty finish_loop(check *k, shunt_ast *node, way *w, bool list)
{
    if (!arrived(k, node, w)) return check_typed(k, node, ty_error());
    bool                   several = (w->list || list) && w->down_count;
    shunt_ty               item = { .kind = SHUNT_TY_NODE, .loop = w->loop };
    described_path        *p = new_path(k, w, several ? SHUNT_PATH_LIST : SHUNT_PATH_ONE);
    const shunt_shape_row *row = row_of_loop(k, w->loop);
    p->path.shown = row ? row->name : w->loop->id;
    if (!several) {
        item.optional = w->optional;
        return path_fact(k, node, p, item);
    }
    shunt_ty *of = NEW(k, shunt_ty);
    *of = item;
    return path_fact(k, node, p, (shunt_ty){ .kind = SHUNT_TY_LIST, .item = of, .loop = w->loop });
}

bool csv_path(check *k, shunt_ast *node, bool list, shunt_ty *type)
{
    way    w;
    walked found = walk(k, node, &w);
    if (found == WALK_OTHER) return false;
    if (found == WALK_REPORTED) {
        *type = check_typed(k, node, ty_error());
        return true;
    }
    const shunt_shape_column *cells = found == WALK_LOOP ? cells_of(k, w.loop) : NULL;
    if (cells && !w.list) {
        *type = finish_value(k, node, &w, cells);
        return true;
    }
    if (found == WALK_VALUE) {
        *type = finish_value(k, node, &w, &row_of_loop(k, w.loop)->columns[w.element - 1]);
        return true;
    }
    if (w.base || (w.start && !w.up && !w.down_count)) return false; /* a value that happens to be an instance of a loop */
    *type = finish_loop(k, node, &w, list);
    return true;
}

bool csv_is_cell(check *k, const shunt_ty *type)
{
    return is_rows(k) && type->kind == SHUNT_TY_NODE && type->loop && type->loop->source == k->source &&
           cells_of(k, type->loop) != NULL;
}

shunt_ty csv_cell_value(check *k, shunt_ast *node, shunt_ast *base)
{
    const shunt_ty *type = &shunt_fact_of(base)->type;
    way             w = { .base = base, .loop = type->loop, .optional = type->optional };
    return finish_value(k, node, &w, cells_of(k, type->loop));
}

const shunt_loop_ref *csv_unit_loop(check *k, shunt_ast *list, bool *reported)
{
    *reported = false;
    if (list->kind != SHUNT_AST_NAME || find_value(k, list->text)) return NULL;
    const shunt_shape_row *row = row_named(k, list->text);
    *reported = true;
    if (!row || !row->loop) {
        if (row)
            record_outside(k, list, list->text);
        else
            no_such_record(k, list, list->text);
        return NULL;
    }
    const shunt_loop_ref *ref = is_transaction(k, row) ? body_ref(k) : plain_ref(k, row->loop->id);
    list_of_loop(k, list, ref);
    *reported = false;
    return ref;
}
