/* Decision tables: their rows as sets (decide.h), and what can be said of them before they run. */
#include "dsl/decide.h"

#include "dsl/check.h"
#include "dsl/fold.h"
#include "engine/base/date.h"
#include "engine/base/decimal.h"

enum {
    COLUMNS_AT_MOST = 64,
    POINTS_AT_MOST = 16384,   /* of a column */
    BITS_AT_MOST = 4 << 20,   /* words of all sets */
    WORK_AT_MOST = 1 << 30,   /* words looked at for overlaps */
    REPORTED_AT_MOST = 20,    /* of a kind, of one table */
    SETTLED_AT_MOST = 1 << 9, /* rows that are looked for behind others, where there are many */
    GAPS_SHOWN = 3
};

/* ---- values ---- */

static bool is_scaled(const shunt_decide_column *c) { return c->ordered && !c->textual && c->param->type.kind != SHUNT_TY_DATE; }

bool shunt_decide_span(const shunt_decide_column *c, const shunt_ast *alternative, uint32_t *from, uint32_t *to)
{
    const shunt_ast *low = alternative, *high = alternative;
    bool             textual = c->textual;
    *from = *to = SHUNT_DECIDE_ABSENT;
    switch ((shunt_ast_kind)alternative->kind) {
    case SHUNT_AST_ANY: return false;
    case SHUNT_AST_ABSENT_PATTERN: return true;
    case SHUNT_AST_CLEARED_PATTERN: *from = *to = SHUNT_DECIDE_CLEARED; return true;
    case SHUNT_AST_RANGE:
        low = alternative->kids[SHUNT_RANGE_from];
        high = alternative->kids[SHUNT_RANGE_to];
        break;
    case SHUNT_AST_BOUND: low = high = alternative->kids[SHUNT_BOUND_value]; break;
    default: break;
    }
    uint32_t places[2] = { 0, 0 };
    for (int end = 0; end < 2; end++) {
        const shunt_ast   *value = end ? high : low;
        shunt_decide_point point = { 0 };
        if (textual)
            (void)shunt_fold_text(value, &point.text);
        else
            (void)shunt_fold(value, &point.number);
        const shunt_fact *fact = shunt_fact_of(value);
        const shunt_ty   *type = &fact->type;
        bool     scaled = type->kind == SHUNT_TY_DECIMAL || type->kind == SHUNT_TY_MONEY || type->kind == SHUNT_TY_PERCENT;
        unsigned scale = c->param->type.kind == SHUNT_TY_INT ? 0 : c->param->type.scale;
        if (is_scaled(c)) (void)shunt_decimal_rescale(point.number, scaled ? type->scale : 0, scale, SHUNT_EXACT, &point.number);
        uint32_t first = 0, past = c->point_count;
        while (first + 1 < past) {
            uint32_t middle = first + (past - first) / 2;
            bool     above =
                textual ? shunt_text_compare(c->points[middle].text, point.text) > 0 : c->points[middle].number > point.number;
            if (above)
                past = middle;
            else
                first = middle;
        }
        places[end] = c->ordered ? 2 * first + 3 : first + 3;
    }
    *from = places[0];
    *to = places[1];
    if (alternative->kind != SHUNT_AST_BOUND) return true;
    bool equal = alternative->text.length == 2;
    if (alternative->text.bytes[0] == '<') {
        *from = SHUNT_DECIDE_OTHERS;
        if (!equal) --*to;
    } else {
        *to = c->set_count - 1;
        if (!equal) ++*from;
    }
    return true;
}

/* A pattern that has a point: whether it is known now, and fits the column. */
static bool take_point(check *k, shunt_decide_column *c, shunt_ast *value, shunt_decide_point *point)
{
    const shunt_fact *fact = shunt_fact_of(value);
    if (!fact || shunt_ty_is_error(&fact->type)) return false;
    bool known = c->textual ? shunt_fold_text(value, &point->text) : shunt_fold(value, &point->number);
    if (fact->symbol && fact->symbol->kind == SHUNT_SYMBOL_CONSTANT && shunt_text_is(fact->symbol->decl->text, "open"))
        known = false;
    if (!known) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0303, value->span, "a row of a decision holds values that are written out");
        shunt_diag_here(k->diags, d, "not known before the rules run");
        shunt_diag_help(k->diags, d, "write the value, or a `let` of the module that is not `open`");
        return false;
    }
    if (!is_scaled(c)) return true;
    bool     scaled = fact->type.kind != SHUNT_TY_INT;
    unsigned scale = c->param->type.kind == SHUNT_TY_INT ? 0 : c->param->type.scale;
    if (shunt_decimal_rescale(point->number, scaled ? fact->type.scale : 0, scale, SHUNT_EXACT, &point->number) == SHUNT_OK)
        return true;
    shunt_text  type = shunt_ty_name(k->arena, &c->param->type);
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_E0310, value->span, "this has more decimals than %.*s holds", SHUNT_TEXT_ARGS(type));
    shunt_diag_also(k->diags, d, c->param->decl->span, "%.*s", SHUNT_TEXT_ARGS(type));
    shunt_diag_help(k->diags, d, "no value of `%.*s` can equal it; write it with fewer decimals",
                    SHUNT_TEXT_ARGS(c->param->name));
    return false;
}

/* ---- columns ---- */

typedef struct points {
    SHUNT_LIST(shunt_decide_point) list;
} points;

static int compare_points(const shunt_decide_column *c, const shunt_decide_point *a, const shunt_decide_point *b)
{
    if (c->textual) return shunt_text_compare(a->text, b->text);
    return (a->number > b->number) - (a->number < b->number);
}

static bool take_points(check *k, shunt_decide_column *c, shunt_ast *alternative, points *p)
{
    shunt_ast *values[2] = { alternative, NULL };
    if (alternative->kind == SHUNT_AST_ANY || alternative->kind == SHUNT_AST_ABSENT_PATTERN ||
        alternative->kind == SHUNT_AST_CLEARED_PATTERN)
        return true;
    if (alternative->kind == SHUNT_AST_ERROR) return false;
    if (alternative->kind == SHUNT_AST_RANGE) {
        values[0] = kid(alternative, SHUNT_RANGE_from);
        values[1] = kid(alternative, SHUNT_RANGE_to);
    } else if (alternative->kind == SHUNT_AST_BOUND) {
        values[0] = kid(alternative, SHUNT_BOUND_value);
    }
    shunt_decide_point ends[2] = { 0 };
    for (int i = 0; i < 2; i++) {
        if (!values[i]) continue;
        if (!take_point(k, c, values[i], &ends[i])) return false;
        *PUSH(k, &p->list) = ends[i];
    }
    if (!values[1] || compare_points(c, &ends[0], &ends[1]) <= 0) return true;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0704, alternative->span, "this range holds no value");
    shunt_diag_help(k->diags, d, "write the lesser value first");
    return false;
}

/* Bottom-up merge sort; equal ones become one. */
static void sort_points(check *k, shunt_decide_column *c, points *p)
{
    uint32_t            count = p->list.count;
    shunt_decide_point *from = p->list.items, *into = NEW_N(k, shunt_decide_point, count);
    for (uint64_t width = 1; width < count; width *= 2) {
        for (uint64_t left = 0; left < count; left += 2 * width) {
            uint64_t middle = left + width < count ? left + width : count,
                     right = left + 2 * width < count ? left + 2 * width : count;
            for (uint64_t a = left, b = middle, to = left; to < right; to++) {
                bool from_a = a < middle && (b >= right || compare_points(c, &from[a], &from[b]) <= 0);
                into[to] = from_a ? from[a++] : from[b++];
            }
        }
        shunt_decide_point *swap = from;
        from = into;
        into = swap;
    }
    c->points = from;
    for (uint32_t i = 0; i < count; i++)
        if (!c->point_count || compare_points(c, &from[i], &from[c->point_count - 1]) != 0) from[c->point_count++] = from[i];
}

/* Texts have an order where a row asks for it. */
static bool asks_for_order(const shunt_decide *d, uint32_t column)
{
    for (uint32_t row = 0; row < d->row_count; row++) {
        const shunt_ast *pattern = d->rows[row]->kids[SHUNT_ROW_patterns]->kids[column];
        for (uint32_t a = 0; a < pattern->kid_count; a++)
            if (pattern->kids[a]->kind == SHUNT_AST_RANGE || pattern->kids[a]->kind == SHUNT_AST_BOUND) return true;
    }
    return false;
}

static void begin_column(const shunt_decide *d, uint32_t column)
{
    shunt_decide_column *c = &d->columns[column];
    const shunt_symbol  *param = d->function->as.function.params[column];
    const shunt_ty      *type = &param->type;
    c->param = param;
    c->textual = shunt_ty_is_textual(type);
    c->ordered = shunt_ty_is_ordered(type) && (!c->textual || asks_for_order(d, column));
    c->least = type->kind == SHUNT_TY_INT ? INT64_MIN : shunt_date_days(1, 1, 1);
    c->most = type->kind == SHUNT_TY_INT ? INT64_MAX : shunt_date_days(9999, 12, 31);
    if (!is_scaled(c) || type->kind == SHUNT_TY_INT) return;
    c->most = 1;
    for (unsigned i = 0; i < (type->digits ? type->digits : SHUNT_DECIMAL_DIGITS); i++) c->most *= 10;
    c->most -= 1;
    c->least = -c->most;
}

/* All values of an enum and of bool are points, so that nothing else is left. */
static void add_members(check *k, const shunt_decide_column *c, points *p)
{
    const shunt_ty *type = &c->param->type;
    uint32_t        count = type->kind == SHUNT_TY_ENUM ? type->shape->count : type->kind == SHUNT_TY_BOOL ? 2 : 0;
    for (uint32_t i = 0; i < count; i++) PUSH(k, &p->list)->number = i;
}

/* Whether a text of the column lies between two others: there is none where the first has all the characters that a text may have,
 * and the other is the next one. */
static bool text_between(const shunt_decide_column *c, shunt_text a, shunt_text b)
{
    if (!c->param->type.length || shunt_utf8_count(a) < c->param->type.length || a.length != b.length) return true;
    return memcmp(a.bytes, b.bytes, a.length - 1) != 0 || (uint8_t)a.bytes[a.length - 1] + 1 != (uint8_t)b.bytes[b.length - 1];
}

static void find_possible(check *k, shunt_decide_column *c)
{
    const shunt_ty *type = &c->param->type;
    c->possible = NEW_N(k, bool, c->set_count);
    for (uint32_t i = SHUNT_DECIDE_POINTS; i < c->set_count; i++) c->possible[i] = true;
    c->possible[SHUNT_DECIDE_ABSENT] = type->optional;
    c->possible[SHUNT_DECIDE_CLEARED] = type->clearable;
    c->possible[SHUNT_DECIDE_OTHERS] = type->kind != SHUNT_TY_ENUM && type->kind != SHUNT_TY_BOOL;
    if (!c->ordered || !c->point_count) return;
    if (c->textual) {
        for (uint32_t i = 0; i + 1 < c->point_count; i++)
            c->possible[2 * i + 4] = text_between(c, c->points[i].text, c->points[i + 1].text);
        return;
    }
    c->possible[SHUNT_DECIDE_OTHERS] = c->points[0].number > c->least;
    for (uint32_t i = 0; i < c->point_count; i++) {
        __int128 next = i + 1 < c->point_count ? c->points[i + 1].number - 1 : c->most;
        c->possible[2 * i + 4] = next > c->points[i].number;
        if (c->points[i].number < c->least || c->points[i].number > c->most) c->possible[2 * i + 3] = false;
    }
}

static void set_row(const shunt_decide *d, uint32_t column, uint32_t row, const shunt_ast *pattern)
{
    shunt_decide_column *c = &d->columns[column];
    for (uint32_t a = 0; a < pattern->kid_count; a++) {
        uint32_t from, to;
        if (!shunt_decide_span(c, pattern->kids[a], &from, &to)) from = 0, to = c->set_count - 1;
        for (uint32_t set = from; set <= to; set++) shunt_decide_set(d, column, set)[row / 64] |= UINT64_C(1) << (row % 64);
    }
}

static bool too_wide(check *k, shunt_decide *d, shunt_span span, const char *what, uint32_t most)
{
    too_large(k, span, what, most);
    d->wrong = true;
    return false;
}

/* Points first, of all columns: only then the size of the sets is known. */
static bool build_columns(check *k, shunt_decide *d)
{
    uint64_t words = 0;
    for (uint32_t i = 0; i < d->column_count; i++) {
        shunt_decide_column *c = &d->columns[i];
        points               p = { 0 };
        begin_column(d, i);
        add_members(k, c, &p);
        for (uint32_t row = 0; row < d->row_count; row++) {
            shunt_ast *pattern = d->rows[row]->kids[SHUNT_ROW_patterns]->kids[i];
            for (uint32_t a = 0; a < pattern->kid_count; a++) d->wrong = !take_points(k, c, pattern->kids[a], &p) || d->wrong;
            if (p.list.count > 2 * POINTS_AT_MOST)
                return too_wide(k, d, d->function->span, "a column of this decision", POINTS_AT_MOST);
        }
        if (d->wrong) continue;
        sort_points(k, c, &p);
        c->set_count = c->ordered && c->point_count ? 2 * c->point_count + 3 : c->point_count + 3;
        words += (uint64_t)c->set_count * d->words;
        if (words > BITS_AT_MOST) return too_wide(k, d, d->function->span, "this decision", BITS_AT_MOST);
    }
    if (d->wrong) return false;
    for (uint32_t i = 0; i < d->column_count; i++) {
        shunt_decide_column *c = &d->columns[i];
        find_possible(k, c);
        c->bits = NEW_N(k, uint64_t, (size_t)c->set_count * d->words);
        for (uint32_t row = 0; row < d->row_count; row++) set_row(d, i, row, d->rows[row]->kids[SHUNT_ROW_patterns]->kids[i]);
    }
    return true;
}

/* ---- what is said of the rows ---- */

static shunt_text format_gap(check *k, const shunt_decide *d, const shunt_decide_gap *gap)
{
    shunt_buffer out;
    shunt_buffer_init(&out, k->c->memory);
    shunt_decide_show(d, gap, &out);
    shunt_text text = out.failed ? (shunt_text){ 0 } : shunt_text_copy(k->arena, (shunt_text){ out.bytes, (uint32_t)out.length });
    bool       failed = out.failed;
    shunt_buffer_done(&out);
    if (failed || !text.bytes) longjmp(k->no_memory, 1);
    return text;
}

/* What a row says in the columns where it does not take everything. */
static const shunt_ast *telling(const shunt_decide *d, uint32_t row, uint32_t column, uint32_t set)
{
    const shunt_ast *pattern = d->rows[row]->kids[SHUNT_ROW_patterns]->kids[column];
    for (uint32_t a = 0; a < pattern->kid_count; a++) {
        uint32_t from, to;
        if (shunt_decide_span(&d->columns[column], pattern->kids[a], &from, &to) && from <= set && set <= to)
            return pattern->kids[a];
    }
    return NULL;
}

static void report_overlap(check *k, const shunt_decide *d, uint32_t row, uint32_t other, const uint32_t *sets)
{
    shunt_buffer     example, values;
    const shunt_ast *here = d->rows[row]->kids[SHUNT_ROW_patterns], *there = d->rows[other]->kids[SHUNT_ROW_patterns];
    shunt_buffer_init(&example, k->c->memory);
    shunt_buffer_init(&values, k->c->memory);
    for (uint32_t c = 0; c < d->column_count; c++) {
        const shunt_ast *mine = telling(d, row, c, sets[c]), *theirs = telling(d, other, c, sets[c]);
        if (!mine && !theirs) continue;
        if (example.length) shunt_buffer_z(&example, ", ");
        if (values.length) shunt_buffer_z(&values, " / ");
        shunt_buffer_text(&example, d->columns[c].param->name);
        shunt_buffer_z(&example, " = ");
        shunt_decide_value(&d->columns[c], sets[c], &example);
        shunt_decide_value(&d->columns[c], sets[c], &values);
        if (mine) here = mine;
        if (theirs) there = theirs;
    }
    if (!example.length) shunt_buffer_z(&example, "any value");
    if (!values.length) shunt_buffer_z(&values, "any value");
    bool failed = example.failed || values.failed;
    if (!failed) {
        shunt_diag *diag = shunt_diag_add(k->diags, SHUNT_E0701, here->span, "two rows of a `unique` table can both apply");
        shunt_diag_here(k->diags, diag, "... and here");
        shunt_diag_also(k->diags, diag, there->span, "%.*s here ...", (int)values.length, values.bytes);
        shunt_diag_note(k->diags, diag, "example that hits both: %.*s", (int)example.length, example.bytes);
        shunt_diag_help(k->diags, diag, "remove one, or change `unique` to `first` if order should decide");
    }
    shunt_buffer_done(&example);
    shunt_buffer_done(&values);
    if (failed) longjmp(k->no_memory, 1);
}

static bool within_work(check *k, shunt_decide *d)
{
    uint64_t work = 0;
    for (uint32_t c = 0; c < d->column_count; c++)
        for (uint32_t s = 0; s < d->columns[c].set_count; s++) {
            const uint64_t *set = shunt_decide_set(d, c, s);
            for (uint32_t w = 0; w < d->words; w++) work += (uint64_t)__builtin_popcountll(set[w]) * d->words;
        }
    if (work <= WORK_AT_MOST) return true;
    shunt_diag *diag =
        shunt_diag_add(k->diags, SHUNT_E0912, d->function->span, "this decision is too large for its rows to be compared");
    shunt_diag_help(k->diags, diag, "take it apart, or keep what grows in a table");
    d->wrong = true;
    return false;
}

/* A row of which no value can come: an absent one of what is never absent. */
static bool takes_nothing(check *k, const shunt_decide *d, uint32_t row)
{
    for (uint32_t c = 0; c < d->column_count; c++) {
        bool some = false;
        for (uint32_t s = 0; s < d->columns[c].set_count && !some; s++)
            some = d->columns[c].possible[s] && shunt_decide_has(shunt_decide_set(d, c, s), row);
        if (some) continue;
        const shunt_ast *pattern = d->rows[row]->kids[SHUNT_ROW_patterns]->kids[c];
        const shunt_ty  *type = &d->columns[c].param->type;
        shunt_text       name = shunt_ty_name(k->arena, type);
        shunt_diag      *diag = shunt_diag_add(k->diags, SHUNT_E0704, pattern->span, "this row can never apply");
        shunt_diag_here(k->diags, diag, "`%.*s` is never that", SHUNT_TEXT_ARGS(d->columns[c].param->name));
        shunt_diag_also(k->diags, diag, d->columns[c].param->decl->span, "%.*s", SHUNT_TEXT_ARGS(name));
        shunt_diag_help(k->diags, diag, "remove the row%s", type->optional ? "" : ", or let the parameter be absent with `?`");
        return true;
    }
    return false;
}

static void find_gaps(check *k, const shunt_decide *d, uint32_t within, uint32_t most, shunt_decide_covered *covered,
                      shunt_decide_gaps *gaps)
{
    if (shunt_decide_find_gaps(k->c->memory, k->arena, d, within, most, covered, gaps) != SHUNT_OK) longjmp(k->no_memory, 1);
}

static void check_rows(check *k, const shunt_decide *d)
{
    uint64_t *scratch = NEW_N(k, uint64_t, 2 * (size_t)d->words);
    uint32_t *sets = NEW_N(k, uint32_t, d->column_count), reported = 0;
    for (uint32_t row = 0; row < d->row_count && reported < REPORTED_AT_MOST && !said_enough(k); row++) {
        if (takes_nothing(k, d, row)) {
            reported++;
            continue;
        }
        uint32_t other = shunt_decide_overlap(d, row, scratch, sets);
        if (other == UINT32_MAX) continue;
        if (!d->first) {
            report_overlap(k, d, row, other, sets);
            reported++;
            continue;
        }
        shunt_decide_covered covered;
        shunt_decide_gaps    gaps;
        shunt_mark           mark = shunt_arena_mark(k->arena);
        find_gaps(k, d, row, 1, &covered, &gaps);
        shunt_arena_release(k->arena, mark);
        if (covered != SHUNT_DECIDE_COVERED) continue;
        const shunt_ast *patterns = d->rows[row]->kids[SHUNT_ROW_patterns];
        shunt_diag      *diag = shunt_diag_add(k->diags, SHUNT_E0704, patterns->span, "this row can never apply");
        shunt_diag_here(k->diags, diag, "the rows before it take all that it would");
        shunt_diag_also(k->diags, diag, d->rows[other]->kids[SHUNT_ROW_patterns]->span, "the first of them");
        shunt_diag_help(k->diags, diag, "remove it, or move it up");
        reported++;
    }
}

/* Without `else` every value needs a row; with it the lint tells what falls through. */
void check_gaps(check *k, const shunt_decide *d)
{
    shunt_decide_covered covered;
    shunt_decide_gaps    gaps;
    bool                 lint = d->otherwise != NULL;
    if (lint && !k->c->lints.decision_gaps) return;
    find_gaps(k, d, UINT32_MAX, GAPS_SHOWN, &covered, &gaps);
    if (covered == SHUNT_DECIDE_COVERED || (lint && covered == SHUNT_DECIDE_UNKNOWN)) return;
    shunt_span  span = lint ? d->otherwise->span : d->at;
    shunt_text  name = d->function->name;
    shunt_diag *diag =
        lint ? shunt_diag_add(k->diags, SHUNT_W0702, span, "some values fit no row of `%.*s` and fall to `else`",
                              SHUNT_TEXT_ARGS(name))
        : covered == SHUNT_DECIDE_UNKNOWN
            ? shunt_diag_add(k->diags, SHUNT_E0702, span, "it can not be shown that every value fits a row of `%.*s`",
                             SHUNT_TEXT_ARGS(name))
            : shunt_diag_add(k->diags, SHUNT_E0702, span, "some values fit no row of `%.*s`", SHUNT_TEXT_ARGS(name));
    for (uint32_t i = 0; i < gaps.count; i++) {
        shunt_text gap = format_gap(k, d, &gaps.items[i]);
        shunt_diag_note(k->diags, diag, "no row for: %.*s", SHUNT_TEXT_ARGS(gap));
    }
    if (gaps.more) shunt_diag_note(k->diags, diag, "and others; `shunt gaps` lists them");
    if (!lint) shunt_diag_help(k->diags, diag, "add rows for them, or say what all others are: `else => ...`");
}

/* ---- rows as written ---- */

/* One pattern for each parameter. */
static bool check_columns(check *k, const shunt_symbol *function, const shunt_ast *row)
{
    const shunt_ast *patterns = kid(row, SHUNT_ROW_patterns);
    uint32_t         count = function->as.function.count;
    if (patterns->kid_count == count) return true;
    shunt_diag *d = shunt_diag_add(
        k->diags, SHUNT_E0703, patterns->span, "this row has %u column%s, and `%.*s` has %u parameter%s", patterns->kid_count,
        patterns->kid_count == 1 ? "" : "s", SHUNT_TEXT_ARGS(function->name), count, count == 1 ? "" : "s");
    shunt_diag_also(k->diags, d, function->span, "declared here");
    shunt_diag_help(k->diags, d,
                    "a comma is the next column; values of one column are joined with `or`, and `any` takes every value");
    return false;
}

static bool check_row_patterns(check *k, const shunt_symbol *function, shunt_ast *row)
{
    shunt_ast *patterns = kid(row, SHUNT_ROW_patterns);
    bool       fine = true;
    for (uint32_t i = 0; i < patterns->kid_count; i++) {
        const shunt_symbol *param = function->as.function.params[i];
        shunt_ast          *pattern = patterns->kids[i];
        for (uint32_t a = 0; a < pattern->kid_count; a++) {
            uint32_t errors = k->diags->errors;
            check_alternative(k, pattern->kids[a], &param->type, param->decl);
            fine = fine && k->diags->errors == errors && pattern->kids[a]->kind != SHUNT_AST_ERROR;
        }
    }
    return fine && !shunt_ty_is_error(&function->type);
}

shunt_decide *build_decide(check *k, shunt_symbol *function, shunt_ast *rows, bool first)
{
    shunt_decide *d = NEW(k, shunt_decide);
    uint32_t      count = rows ? rows->kid_count : 0;
    d->function = function;
    d->at = function->span;
    d->first = first;
    d->rows = NEW_N(k, shunt_ast *, count);
    d->column_count = function->as.function.count;
    d->columns = NEW_N(k, shunt_decide_column, d->column_count);
    if (count > SHUNT_DECIDE_ROWS) {
        (void)too_wide(k, d, function->span, "this decision", SHUNT_DECIDE_ROWS);
        count = 0;
    }
    if (d->column_count > COLUMNS_AT_MOST) {
        (void)too_wide(k, d, function->span, "this decision", COLUMNS_AT_MOST);
        count = 0;
    }
    for (uint32_t i = 0; i < d->column_count; i++)
        d->wrong = d->wrong || shunt_ty_is_error(&function->as.function.params[i]->type);
    for (uint32_t i = 0; i < count; i++) {
        shunt_ast *row = rows->kids[i];
        if (row->kind != SHUNT_AST_ROW) {
            d->wrong = true;
        } else if (!kid(row, SHUNT_ROW_patterns)) {
            if (d->otherwise) {
                shunt_diag *diag = shunt_diag_add(k->diags, SHUNT_E0704, row->span, "a decision has one `else`");
                shunt_diag_also(k->diags, diag, d->otherwise->span, "the first one");
                shunt_diag_help(k->diags, diag, "remove one of them");
                d->wrong = true;
            }
            d->otherwise = row;
        } else if (d->otherwise) {
            shunt_diag *diag = shunt_diag_add(k->diags, SHUNT_E0704, row->span, "this row stands behind `else`");
            shunt_diag_also(k->diags, diag, d->otherwise->span, "takes all values that are left");
            shunt_diag_help(k->diags, diag, "move `else` to the end");
            d->wrong = true;
        } else if (!check_columns(k, function, row) || (!d->wrong && !check_row_patterns(k, function, row))) {
            d->wrong = true;
        } else {
            d->rows[d->row_count++] = row;
        }
    }
    d->words = (d->row_count + 63) / 64;
    if (!d->wrong && build_columns(k, d) && within_work(k, d)) check_rows(k, d);
    return d;
}

void check_row_results(check *k, shunt_symbol *function, shunt_ast *rows)
{
    for (uint32_t i = 0; rows && i < rows->kid_count; i++) {
        shunt_ast *result = rows->kids[i]->kind == SHUNT_AST_ROW ? kid(rows->kids[i], SHUNT_ROW_result) : NULL;
        if (!result) continue;
        need n = { .by = FOR_RESULT, .type = function->type, .name = function->name };
        if (result->kind == SHUNT_AST_EXIT) {
            k->deciding = true;
            check_exit(k, result, true);
            k->deciding = false;
        } else if (shunt_ty_is_error(&function->type)) {
            (void)check_expr(k, result, NULL);
        } else {
            decl_of(function)->function->result |= check_needed(k, result, &n).phi;
        }
    }
}

/* ---- the declaration ---- */

/* What can stand in a column; which rows leave decides where the decision can be called. */
void shape_decide(check *k, shunt_symbol *symbol, uint32_t file)
{
    shunt_ast *rows = kid(symbol->decl, SHUNT_DECIDE_rows);
    for (uint32_t i = 0; i < symbol->as.function.count; i++) {
        shunt_symbol *param = symbol->as.function.params[i];
        bool fine = shunt_ty_is_error(&param->type) || (shunt_ty_is_scalar(&param->type) && param->type.kind != SHUNT_TY_MOMENT &&
                                                        param->type.kind != SHUNT_TY_TIME);
        if (fine) continue;
        shunt_text  type = shunt_ty_name(k->arena, &param->type);
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0303, param->decl->span, "a column of a decision is no %.*s", SHUNT_TEXT_ARGS(type));
        shunt_diag_help(k->diags, d, "pass what the rows look at: a text, a number, a date, a bool or an enum");
        param->type = ty_error();
    }
    if (rows && rows->kind == SHUNT_AST_STRING) {
        rows = NULL;
        if (file != UINT32_MAX && !shunt_ty_is_error(&symbol->type))
            rows = check_need(k, shunt_decide_csv(k->c, symbol, file));
        else
            decl_of(symbol)->unread = true;
    }
    symbol->as.function.rows = rows;
    for (uint32_t i = 0; rows && i < rows->kid_count; i++) {
        const shunt_ast *row = rows->kids[i], *patterns = row->kind == SHUNT_AST_ROW ? kid(row, SHUNT_ROW_patterns) : NULL;
        const shunt_ast *result = row->kind == SHUNT_AST_ROW ? kid(row, SHUNT_ROW_result) : NULL;
        symbol->as.function.exits = symbol->as.function.exits || (result && result->kind == SHUNT_AST_EXIT);
        /* Who asks for the cleared state takes values that have it. */
        for (uint32_t c = 0; patterns && c < patterns->kid_count && c < symbol->as.function.count; c++)
            for (uint32_t a = 0; a < patterns->kids[c]->kid_count; a++)
                if (patterns->kids[c]->kids[a]->kind == SHUNT_AST_CLEARED_PATTERN)
                    symbol->as.function.params[c]->type.clearable = true;
    }
}

void check_decide(check *k, shunt_symbol *symbol)
{
    shunt_text kind = symbol->decl->text;
    bool       first = kind.length >= 5 && memcmp(kind.bytes + kind.length - 5, "first", 5) == 0;
    k->phase = PHASE_FUNCTION;
    k->function = decl_of(symbol);
    k->source = NULL;
    enter_block(k);
    for (uint32_t i = 0; i < symbol->as.function.count; i++) declare_local(k, symbol->as.function.params[i]);
    if (!decl_of(symbol)->unread) {
        symbol->as.function.decide = build_decide(k, symbol, symbol->as.function.rows, first);
        symbol->as.function.decide->exits = symbol->as.function.exits;
        if (!symbol->as.function.decide->wrong) check_gaps(k, symbol->as.function.decide);
        check_row_results(k, symbol, symbol->as.function.rows);
        check_replaced_rows(k, symbol);
    }
    symbol->type.phi = 0; /* the classes of a result are those of each call */
    leave_block(k);
    k->phase = PHASE_NONE;
    k->function = NULL;
}
