/* format.c - three passes over the words of a module: what begins where (tree), where lines break (words and comments), and how wide the
 * parts of neighbouring lines are, so that they stand below each other. Whatever the first two decide depends on nothing that the layout
 * changes, so the layout of a layout is itself. */
#include "grammar/format.h"

#include <stdlib.h>

#include "dsl/grow.h"
#include "grammar/tree.h"

#include "map.tab.h"

enum {
    INDENT = 2,
    WIDEST = 130,        /* columns are not lined up beyond this */
    SPREAD = 45,         /* nor where their widths differ by more */
    COMMENT_SPREAD = 45, /* the same for comments */
    APART = 40,          /* nor lines with so many others between them */
    DEPTH = SHUNT_SCAN_DEPTH + 2,
};
#define UNSETTLED UINT32_MAX

enum word_flags {
    ITEM = 1,        /* an item of a block begins here */
    ALONE = 2,       /* and stands on a line of its own where its block has several */
    OPERAND = 4,     /* an expression begins here although a name stands before it */
    UNARY = 8,       /* a sign */
    EXPRESSION = 16, /* `{` of a match that gives a value */
    JOINED = 32,     /* no line end before it, but for a comment */
    SEVERAL = 64,    /* `{` whose block has several lines */
    BREAK = 128,     /* begins a line */
};

/* What lines up with its like in the lines around: 0 = nothing. */
enum shape { SHAPE_NONE, SHAPE_LET, SHAPE_FIELD, SHAPE_TALLY, SHAPE_CODE, SHAPE_ROW, SHAPE_CELLS, SHAPE_LEG };

typedef struct word {
    uint16_t kind;
    uint16_t flags;
    uint16_t shape;      /* of the item that begins here */
    uint32_t begin, end; /* as written, with the quotes and braces of a template */
    uint32_t partner;    /* number of the bracket at the other end */
} word;

/* A place in a line where blanks may be put in. */
typedef struct stop {
    uint32_t at;    /* byte of the line's text */
    uint32_t tag;   /* lines line up where they have the same */
    uint32_t width; /* of the word behind it, where their ends line up; else 0 */
} stop;

typedef struct line {
    uint32_t begin, end; /* in the text */
    uint32_t indent;
    uint32_t stop_first, stop_count;
    uint32_t comment, comment_end; /* in the source; equal: none */
    uint16_t shape;
    bool     blank; /* an empty line before it */
    bool     comment_only;
    bool     balanced; /* the brackets of its item are closed at its end */
} line;

typedef struct bracket {
    uint32_t content, close; /* columns of lines inside, and of the one that begins with its end */
    uint32_t first;          /* number of the word behind it */
    bool     block;
} bracket;

typedef struct layout {
    shunt_arena *arena;
    shunt_text   source;
    word        *words;
    uint32_t     count;
    shunt_buffer text;
    SHUNT_LIST(line) lines;
    SHUNT_LIST(stop) stops;
    bracket  stack[DEPTH];
    uint32_t depth;
    bool     failed;
} layout;

/* ---- words ---- */

static bool take_words(layout *f, const shunt_token_list *tokens)
{
    f->words = SHUNT_NEW_N(f->arena, word, tokens->count + 1);
    if (!f->words) return false;
    f->count = tokens->count - 1; /* the last one is the end of the file */
    for (uint32_t i = 0; i <= f->count; i++) {
        const shunt_token *t = &tokens->items[i];
        bool               piece = t->kind == T_TSTART || t->kind == T_TMID || t->kind == T_TEND;
        f->words[i] = (word){ .kind = t->kind, .begin = t->begin - piece, .end = t->end + piece };
    }
    return true;
}

static bool is_open(uint16_t kind) { return kind == '{' || kind == '(' || kind == '['; }
static bool is_close(uint16_t kind) { return kind == '}' || kind == ')' || kind == ']'; }

/* Brackets match: the parser has seen to it. */
static void match_brackets(layout *f)
{
    uint32_t open[DEPTH], depth = 0;
    for (uint32_t i = 0; i < f->count; i++) {
        if (is_open(f->words[i].kind) && depth < DEPTH) open[depth++] = i;
        if (!is_close(f->words[i].kind) || !depth) continue;
        f->words[i].partner = open[--depth];
        f->words[open[depth]].partner = i;
    }
}

/* The word that begins at this byte, or `count`. */
static uint32_t word_at(const layout *f, uint32_t begin)
{
    uint32_t low = 0, high = f->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (f->words[middle].begin < begin)
            low = middle + 1;
        else
            high = middle;
    }
    return low < f->count && f->words[low].begin == begin ? low : f->count;
}

static void mark(layout *f, uint32_t i, uint16_t flags, enum shape shape)
{
    if (i >= f->count) return;
    f->words[i].flags |= flags;
    if (shape) f->words[i].shape = shape;
}

/* ---- items, as the tree has them ---- */

/* The lists whose items stand between braces. */
static bool holds_items(uint16_t kind, uint32_t role)
{
    switch (kind) {
    case SHUNT_AST_MODULE: return role == SHUNT_MODULE_decls;
    case SHUNT_AST_SOURCE: return role == SHUNT_SOURCE_items;
    case SHUNT_AST_CUSTOM_SEGMENT: return role == SHUNT_CUSTOM_SEGMENT_fields;
    case SHUNT_AST_RECORD: return role == SHUNT_RECORD_columns;
    case SHUNT_AST_TARGET: return role == SHUNT_TARGET_items;
    case SHUNT_AST_ENCODE: return role == SHUNT_ENCODE_items;
    case SHUNT_AST_ENCODE_SEGMENT: return role == SHUNT_ENCODE_SEGMENT_positions;
    case SHUNT_AST_TABLE: return role == SHUNT_TABLE_items;
    case SHUNT_AST_CODES: return role == SHUNT_CODES_items;
    case SHUNT_AST_DECIDE: return role == SHUNT_DECIDE_rows;
    case SHUNT_AST_FUNCTION: return role == SHUNT_FUNCTION_lets;
    case SHUNT_AST_MAP: return role == SHUNT_MAP_items;
    case SHUNT_AST_OVERLAY: return role == SHUNT_OVERLAY_items;
    case SHUNT_AST_EXCEPTIONS: return role == SHUNT_EXCEPTIONS_rows;
    case SHUNT_AST_REPLACE: return role == SHUNT_REPLACE_value;
    case SHUNT_AST_MATCH: return role == SHUNT_MATCH_arms;
    case SHUNT_AST_EMIT: return role == SHUNT_EMIT_fields;
    case SHUNT_AST_FIELD_LIST: return role == SHUNT_FIELD_LIST_fields;
    case SHUNT_AST_CHOOSE: return role == SHUNT_CHOOSE_rows;
    case SHUNT_AST_TEST: return role == SHUNT_TEST_items;
    case SHUNT_AST_WITH_TABLE: return role == SHUNT_WITH_TABLE_rows;
    default: return false;
    }
}

static bool stands_alone(uint16_t parent, uint16_t kind)
{
    switch (parent) {
    case SHUNT_AST_MODULE:
    case SHUNT_AST_MAP:
    case SHUNT_AST_FUNCTION:
    case SHUNT_AST_CODES:
    case SHUNT_AST_DECIDE:
    case SHUNT_AST_EXCEPTIONS:
    case SHUNT_AST_REPLACE:
    case SHUNT_AST_MATCH:
    case SHUNT_AST_CHOOSE:
    case SHUNT_AST_TEST:
    case SHUNT_AST_OVERLAY:
    case SHUNT_AST_WITH_TABLE: return true;
    case SHUNT_AST_BLOCK:
        return kind != SHUNT_AST_SETTING && kind != SHUNT_AST_KEY && kind != SHUNT_AST_LINE && kind != SHUNT_AST_NOTHING;
    default: return false;
    }
}

static enum shape shape_of(uint16_t parent, uint16_t kind)
{
    switch (kind) {
    case SHUNT_AST_LET: return SHAPE_LET;
    case SHUNT_AST_TALLY: return SHAPE_TALLY;
    case SHUNT_AST_CODE: return SHAPE_CODE;
    case SHUNT_AST_LINE: return SHAPE_LEG;
    case SHUNT_AST_FIELD: return parent == SHUNT_AST_EMIT || parent == SHUNT_AST_FIELD_LIST ? SHAPE_FIELD : SHAPE_NONE;
    case SHUNT_AST_ROW:
    case SHUNT_AST_ARM: return SHAPE_ROW;
    default: return parent == SHUNT_AST_WITH_TABLE ? SHAPE_CELLS : SHAPE_NONE;
    }
}

static void mark_items(layout *f, uint16_t parent, const shunt_ast *list)
{
    for (uint32_t i = 0; i < list->kid_count; i++) {
        const shunt_ast *item = list->kids[i];
        uint32_t         at = item ? word_at(f, item->span.begin) : f->count;
        if (parent == SHUNT_AST_WITH_TABLE && at < f->count) at--; /* its span begins behind `(` */
        if (item) mark(f, at, ITEM | (stands_alone(parent, item->kind) ? ALONE : 0), shape_of(parent, item->kind));
    }
}

static void mark_return(layout *f, const shunt_ast *function)
{
    const shunt_ast *result = function->kids[SHUNT_FUNCTION_result];
    uint32_t         at = result ? word_at(f, result->span.begin) : f->count;
    if (at == f->count && result) { /* it begins with a bracket or a template */
        at = 0;
        while (at < f->count && f->words[at].begin < result->span.begin) at++;
    }
    while (at > 0 && f->words[at - 1].kind != T_RETURN) at--;
    if (at > 0) mark(f, at - 1, ITEM | ALONE, SHAPE_NONE);
}

/* `debit cash (a + b)`, `debit cash -a`: the amount is no call and no difference. */
static void mark_amount(layout *f, const shunt_ast *leg)
{
    const shunt_ast *account = leg->kids[SHUNT_LINE_account];
    if (!account || !leg->kids[SHUNT_LINE_amount]) return;
    uint32_t at = word_at(f, leg->span.begin);
    while (at < f->count && f->words[at].begin < account->span.end) at++;
    while (at < f->count && f->words[at].kind == ')') at++;
    mark(f, at, OPERAND, SHAPE_NONE);
}

static void mark_tree(layout *f, const shunt_ast *node)
{
    if (!node) return;
    for (uint32_t i = 0; i < node->kid_count; i++) {
        const shunt_ast *kid = node->kids[i];
        if (kid && kid->kind == SHUNT_AST_LIST && holds_items(node->kind, i)) mark_items(f, node->kind, kid);
        mark_tree(f, kid);
    }
    if (node->kind == SHUNT_AST_BLOCK) mark_items(f, SHUNT_AST_BLOCK, node);
    if (node->kind == SHUNT_AST_FUNCTION) mark_return(f, node);
    if (node->kind == SHUNT_AST_LINE) mark_amount(f, node);
    if (node->kind == SHUNT_AST_CHOOSE && node->kids[SHUNT_CHOOSE_rows] && node->kids[SHUNT_CHOOSE_rows]->kid_count) {
        uint32_t at = word_at(f, node->kids[SHUNT_CHOOSE_rows]->kids[0]->span.begin);
        if (at < f->count && at > 0) mark(f, at - 1, EXPRESSION, SHAPE_NONE);
    }
}

/* ---- blanks ---- */

static bool ends_operand(uint16_t kind)
{
    switch (kind) {
    case T_IDENT:
    case T_ELEM:
    case T_LOOPID:
    case T_INT:
    case T_DECIMAL:
    case T_MONEY:
    case T_PERCENT:
    case T_DATE:
    case T_DURATION:
    case T_STRING:
    case T_TEND:
    case T_TRUE:
    case T_FALSE:
    case ')':
    case ']':
    case '}': return true;
    default: return false;
    }
}

static bool is_number(uint16_t kind) { return kind == T_INT || kind == T_DECIMAL; }

/* Without a blank the two would be read as one word, or another one: `PID-3 .1`, `2100 .5`. */
static bool runs_together(const layout *f, uint32_t i)
{
    const word *before = &f->words[i - 1], *at = &f->words[i];
    bool        apart = before->end != at->begin;
    if (at->kind == '.') return apart && (before->kind == T_ELEM || is_number(before->kind)) && is_number(f->words[i + 1].kind);
    return apart && before->kind == '.' && is_number(at->kind) && i > 1 &&
           (f->words[i - 2].kind == T_ELEM || is_number(f->words[i - 2].kind));
}

/* `5 USD` and `30 days` are one word, with one blank; a name behind a number that came otherwise keeps away from it. */
static bool looks_like_unit(const layout *f, const word *at)
{
    static const char *const units[] = {
        "days", "day", "hours", "hour", "minutes", "minute", "months", "month", "years", "year"
    };
    shunt_text text = { f->source.bytes + at->begin, at->end - at->begin };
    bool       currency = text.length == 3;
    for (uint32_t i = 0; i < text.length && currency; i++) currency = text.bytes[i] >= 'A' && text.bytes[i] <= 'Z';
    for (size_t i = 0; i < SHUNT_COUNT(units); i++)
        if (shunt_text_is(text, units[i])) return true;
    return currency;
}

/* Blanks between word i and the one before it, where both stand on one line. */
static uint32_t blanks(const layout *f, uint32_t i)
{
    const word *before = &f->words[i - 1], *at = &f->words[i];
    uint16_t    a = before->kind, b = at->kind;
    if (a == '(' || a == '[' || b == ')' || b == ']') return 0;
    if (a == T_TSTART || a == T_TMID || b == T_TMID || b == T_TEND) return 0;
    if (a == '.' || b == '.') return runs_together(f, i);
    if (b == ',' || b == ':' || b == '?') return 0;
    if (before->flags & UNARY) return 0;
    if ((at->flags & ITEM) && a != '{') return 2;
    if (b == T_DOTDOT) return !(a == T_INT && f->words[i + 1].kind == T_INT);
    if (a == T_DOTDOT) return !(b == T_INT && f->words[i - 2].kind == T_INT);
    if (b == '(' && !(at->flags & OPERAND) && (a == T_IDENT || a == T_MAX)) return 0;
    if (b == '[' && !(at->flags & OPERAND) && ends_operand(a) && a != '}') return 0;
    if (is_number(a) && (b == T_IDENT || shunt_token_word(b)) && looks_like_unit(f, at)) return 2;
    return 1;
}

/* ---- line ends ---- */

/* What stands between word i and the one before it. */
typedef struct gap {
    uint32_t at, end;
    uint32_t newlines; /* up to the next comment, or the word */
} gap;

static gap gap_before(const layout *f, uint32_t i)
{
    return (gap){ .at = i ? f->words[i - 1].end : 0, .end = i < f->count ? f->words[i].begin : f->source.length };
}

/* The next comment of the gap, without blanks at its end; false where there is none. `newlines` counts the line ends passed over. */
static bool next_comment(const layout *f, gap *g, uint32_t *begin, uint32_t *end)
{
    g->newlines = 0;
    while (g->at < g->end && f->source.bytes[g->at] != '#') g->newlines += f->source.bytes[g->at++] == '\n';
    if (g->at >= g->end) return false;
    *begin = g->at;
    while (g->at < g->end && f->source.bytes[g->at] != '\n') g->at++;
    *end = g->at;
    while (*end > *begin && strchr(" \t\r", f->source.bytes[*end - 1])) --*end;
    return true;
}

static bool has_comment(const layout *f, uint32_t i)
{
    gap      g = gap_before(f, i);
    uint32_t begin, end;
    return next_comment(f, &g, &begin, &end);
}

static bool has_newline(const layout *f, uint32_t i)
{
    gap g = gap_before(f, i);
    return memchr(f->source.bytes + g.at, '\n', g.end - g.at) != NULL;
}

static bool is_joined(const layout *f, uint32_t i)
{
    const word *before = &f->words[i - 1], *at = &f->words[i];
    if (at->flags & ITEM) return false;
    if (at->kind == '{' || (at->kind == T_ELSE && before->kind == '}')) return true;
    if (is_open(before->kind) || is_close(at->kind)) return false;
    return blanks(f, i) == 0 || runs_together(f, i);
}

static void decide_breaks(layout *f)
{
    uint32_t open[DEPTH], depth = 0;
    for (uint32_t i = 1; i < f->count; i++)
        if (is_joined(f, i)) f->words[i].flags |= JOINED;
    for (uint32_t i = 0; i < f->count; i++) { /* a line end anywhere inside makes a block one of several lines */
        word *at = &f->words[i];
        bool  ends = i > 0 && (has_comment(f, i) || (has_newline(f, i) && !(at->flags & JOINED)));
        for (uint32_t d = depth; (ends || at->kind == T_TEXTBLOCK) && d > 0; d--) {
            if (f->words[open[d - 1]].flags & SEVERAL) break;
            f->words[open[d - 1]].flags |= SEVERAL;
        }
        if (is_close(at->kind) && depth) depth--;
        if (is_open(at->kind) && depth < DEPTH) open[depth++] = i;
    }
    depth = 0;
    for (uint32_t i = 0; i < f->count; i++) {
        word *at = &f->words[i];
        bool  several = depth ? f->words[open[depth - 1]].flags & SEVERAL : true;
        bool  block = depth ? f->words[open[depth - 1]].kind == '{' : true;
        bool  first = i == 0 || (depth && open[depth - 1] == i - 1);
        bool  behind = i > 0 && f->words[i - 1].kind == '}' && f->words[f->words[i - 1].partner].flags & SEVERAL;
        if (i == 0 || has_comment(f, i))
            at->flags |= BREAK;
        else if (!(at->flags & JOINED) &&
                 (has_newline(f, i) || f->words[i - 1].kind == T_TEXTBLOCK || (block && several && (first || at->kind == '}')) ||
                  (at->flags & ITEM && behind) || (several && (at->flags & ALONE))))
            at->flags |= BREAK;
        if (is_close(at->kind) && depth) depth--;
        if (is_open(at->kind) && depth < DEPTH) open[depth++] = i;
    }
}

/* ---- lines ---- */

static line *new_line(layout *f, uint32_t indent, bool blank)
{
    line *l = SHUNT_PUSH(f->arena, &f->lines);
    if (!l) {
        f->failed = true;
        return NULL;
    }
    *l = (line){ .begin = (uint32_t)f->text.length,
                 .end = (uint32_t)f->text.length,
                 .indent = indent,
                 .stop_first = f->stops.count,
                 .blank = blank };
    return l;
}

static void add_stop(layout *f, uint32_t tag, uint32_t width)
{
    stop *s = SHUNT_PUSH(f->arena, &f->stops);
    if (!s) {
        f->failed = true;
        return;
    }
    line *l = &f->lines.items[f->lines.count - 1];
    *s = (stop){ .at = (uint32_t)f->text.length - l->begin, .tag = tag, .width = width };
    l->stop_count++;
}

/* Where a line that begins with word i stands. */
static uint32_t indent_of(const layout *f, uint32_t i)
{
    const word *at = &f->words[i];
    if (f->depth == 0) return at->flags & ITEM || i == 0 ? 0 : INDENT;
    const bracket *b = &f->stack[f->depth - 1];
    if (is_close(at->kind)) return b->close;
    if (!b->block || i == b->first || !(f->words[b->first].flags & ITEM)) return b->content;
    bool outside = at->flags & ITEM || at->kind == '{' || (at->kind == T_ELSE && f->words[i - 1].kind == '}');
    return b->content + (outside ? 0 : INDENT);
}

/* Comments between word i - 1 and word i; the first may stand behind the line at hand. `i` may be the end of the file. */
static bool put_comments(layout *f, uint32_t i, bool *blank)
{
    gap      g = gap_before(f, i);
    uint32_t begin, end;
    bool     begun = i > 0 && !(f->words[i - 1].kind == '{');
    bool     any = false;
    while (next_comment(f, &g, &begin, &end) && !f->failed) {
        if (!any && g.newlines == 0 && i > 0) {
            line *l = &f->lines.items[f->lines.count - 1];
            l->comment = begin;
            l->comment_end = end;
        } else {
            uint32_t indent = 0;
            if (i < f->count) {
                const bracket *b = f->depth ? &f->stack[f->depth - 1] : NULL;
                indent = is_close(f->words[i].kind) ? b ? b->content : 0 : indent_of(f, i);
            }
            line *l = new_line(f, indent, g.newlines > 1 && (begun || any));
            if (!l) return false;
            l->comment = begin;
            l->comment_end = end;
            l->comment_only = true;
        }
        any = true;
    }
    *blank = g.newlines > 1 && (begun || any);
    return any;
}

static uint32_t hash_of(const layout *f, uint32_t i)
{
    return (uint32_t)shunt_text_hash((shunt_text){ f->source.bytes + f->words[i].begin, f->words[i].end - f->words[i].begin });
}

/* Before word i of an item that began at word `item`: does it line up with others? */
static uint32_t stop_tag(const layout *f, uint32_t item, uint32_t i, uint32_t *columns, uint32_t depth)
{
    const word *at = &f->words[i];
    bool        outer = f->depth == depth; /* not inside a bracket of the item */
    switch (f->words[item].shape) {
    case SHAPE_LET: return outer && at->kind == '=' && !*columns ? ++*columns : 0;
    case SHAPE_FIELD:
    case SHAPE_TALLY: return f->words[i - 1].kind == ':' && i == item + (f->words[item].shape == SHAPE_TALLY ? 3u : 2u) ? 1 : 0;
    case SHAPE_CODE:
        if (i == item + 1) return 1;
        return at->kind == T_ACK || at->kind == T_QUEUE ? 2 + ++*columns : 0;
    case SHAPE_ROW:
        if (!outer) return 0;
        if (at->kind == T_FATARROW && *columns < UINT16_MAX) {
            *columns = UINT16_MAX;
            return UINT16_MAX;
        }
        return f->words[i - 1].kind == ',' && *columns < UINT16_MAX - 1u ? ++*columns : 0;
    case SHAPE_CELLS: return f->depth == depth + 1 && f->words[i - 1].kind == ',' ? hash_of(f, i) + ++*columns : 0;
    case SHAPE_LEG:
        if (i == item + 1) return 1;
        return outer && at->flags & OPERAND ? 2 : 0;
    default: return 0;
    }
}

static void open_bracket(layout *f, uint32_t i, uint32_t line_indent)
{
    const word *at = &f->words[i];
    uint32_t    outer = f->depth && f->stack[f->depth - 1].block ? f->stack[f->depth - 1].content : line_indent;
    bracket     b = { .first = i + 1, .block = at->kind == '{' };
    if (f->depth == 0) outer = 0;
    const line *l = &f->lines.items[f->lines.count - 1];
    if (!b.block && !(f->words[i + 1].flags & BREAK)) {
        shunt_text so_far = { f->text.bytes + l->begin, (uint32_t)f->text.length - l->begin };
        b.content = line_indent + shunt_utf8_count(so_far);
        b.close = line_indent;
    } else {
        b.close = b.block && !(at->flags & EXPRESSION) ? outer : line_indent;
        b.content = b.close + INDENT;
    }
    if (f->depth < DEPTH) f->stack[f->depth++] = b;
}

static void put_word(layout *f, uint32_t i)
{
    const word *at = &f->words[i];
    if (at->kind == T_NOTIN)
        shunt_buffer_z(&f->text, "not in");
    else
        shunt_buffer_add(&f->text, f->source.bytes + at->begin, at->end - at->begin);
}

static void put_lines(layout *f)
{
    uint32_t item = 0, columns = 0, item_depth = 0, items_of_line = 0;
    for (uint32_t i = 0; i < f->count && !f->failed; i++) {
        const word *at = &f->words[i];
        bool        blank = false;
        if (at->flags & BREAK) {
            if (f->lines.count) f->lines.items[f->lines.count - 1].end = (uint32_t)f->text.length;
            bool  commented = put_comments(f, i, &blank);
            bool  begins = at->flags & ITEM || commented;
            line *l = new_line(f, indent_of(f, i), blank && begins && at->kind != '}');
            if (!l) return;
            l->shape = at->shape;
            items_of_line = 0;
        } else {
            for (uint32_t n = blanks(f, i); n; n--) shunt_buffer_char(&f->text, ' ');
        }
        line *l = &f->lines.items[f->lines.count - 1];
        if (is_close(at->kind) && f->depth) f->depth--;
        if (at->flags & ITEM) {
            /* Several on a line line up with nothing. */
            if (items_of_line++ && f->depth <= item_depth) l->shape = SHAPE_NONE;
            if (items_of_line == 1) {
                item = i;
                columns = 0;
                item_depth = f->depth;
            }
        } else if (l->shape != SHAPE_NONE && items_of_line == 1) {
            uint32_t tag = stop_tag(f, item, i, &columns, item_depth);
            if (tag) add_stop(f, tag, l->shape == SHAPE_LEG && at->kind == T_MONEY ? at->end - at->begin : 0);
        }
        if (at->kind == T_TEXTBLOCK) l->shape = SHAPE_NONE;
        put_word(f, i);
        if (is_open(at->kind)) open_bracket(f, i, l->indent);
        if (i + 1 == f->count || f->words[i + 1].flags & BREAK) l->balanced = f->depth == item_depth;
    }
    bool blank;
    if (f->lines.count) f->lines.items[f->lines.count - 1].end = (uint32_t)f->text.length;
    (void)put_comments(f, f->count, &blank);
    for (uint32_t i = 0; i < f->lines.count;
         i++) { /* what stands in an open bracket in the next line has its column from this one */
        line *l = &f->lines.items[i];
        if (!l->balanced) l->shape = SHAPE_NONE;
    }
}

/* ---- columns ---- */

/* Blanks put in before each stop. */
typedef struct columns {
    const layout *f;
    uint32_t     *pads;
    uint32_t     *widths; /* of each line, as far as it is settled */
} columns;

static uint32_t text_width(const layout *f, const line *l, uint32_t from, uint32_t to)
{
    return shunt_utf8_count((shunt_text){ f->text.bytes + l->begin + from, to - from });
}

static const stop *stop_of(const layout *f, const line *l, uint32_t column)
{
    return column < l->stop_count ? &f->stops.items[l->stop_first + column] : NULL;
}

/* The column of a stop, with the blanks that were put in before it; that of the end of its word where ends line up. */
static uint32_t reach(const columns *c, const line *l, uint32_t column)
{
    uint32_t at = l->indent + text_width(c->f, l, 0, stop_of(c->f, l, column)->at);
    for (uint32_t k = 0; k < column; k++) at += c->pads[l->stop_first + k];
    return at + stop_of(c->f, l, column)->width;
}

/* The stop of a line with this tag, or `stop_count`. */
static uint32_t find_stop(const layout *f, const line *l, uint32_t tag)
{
    uint32_t k = 0;
    while (k < l->stop_count && f->stops.items[l->stop_first + k].tag != tag) k++;
    return k;
}

/* The lines around `first` whose stop of this tag stands in one column with its own; those that have none are passed over. */
static void line_up(columns *c, uint32_t first, uint32_t column)
{
    const layout *f = c->f;
    const line   *lines = f->lines.items;
    uint32_t      tag = stop_of(f, &lines[first], column)->tag, end = first, least = UINT32_MAX, most = 0, widest = 0;
    for (uint32_t i = first; i < f->lines.count && i - end <= APART; i++) {
        const line *l = &lines[i];
        uint32_t    k = find_stop(f, l, tag);
        if (l->shape != lines[first].shape || l->indent != lines[first].indent || (i > first && l->blank)) break;
        if (k == l->stop_count) continue;
        uint32_t at = reach(c, l, k), rest = text_width(f, l, stop_of(f, l, k)->at, l->end - l->begin);
        if (at < least) least = at;
        if (at > most) most = at;
        if (rest > widest) widest = rest;
        end = i;
    }
    bool fits = most - least <= SPREAD && most + widest <= WIDEST;
    for (uint32_t i = first; i <= end; i++) {
        uint32_t k = find_stop(f, &lines[i], tag);
        if (k < lines[i].stop_count) c->pads[lines[i].stop_first + k] = fits ? most - reach(c, &lines[i], k) : 0;
    }
}

/* Column by column, as their blanks move those behind them. */
static void line_up_all(columns *c)
{
    const layout *f = c->f;
    uint32_t      most = 0;
    for (uint32_t i = 0; i < f->lines.count; i++)
        if (f->lines.items[i].stop_count > most) most = f->lines.items[i].stop_count;
    for (uint32_t column = 0; column < most; column++) {
        for (uint32_t i = 0; i < f->lines.count; i++) {
            const line *l = &f->lines.items[i];
            if (column >= l->stop_count) continue;
            uint32_t *pads = &c->pads[l->stop_first + column];
            if (*pads == UNSETTLED && l->shape != SHAPE_NONE) line_up(c, i, column);
            if (*pads == UNSETTLED) *pads = 0;
        }
    }
    for (uint32_t i = 0; i < f->lines.count; i++) {
        const line *l = &f->lines.items[i];
        const char *last = memrchr(f->text.bytes + l->begin, '\n', l->end - l->begin); /* of a text block */
        c->widths[i] = last ? shunt_utf8_count((shunt_text){ last + 1, (uint32_t)(f->text.bytes + l->end - last - 1) })
                            : l->indent + text_width(f, l, 0, l->end - l->begin);
        for (uint32_t k = 0; k < l->stop_count; k++) c->widths[i] += c->pads[l->stop_first + k];
    }
}

/* The column of the comments behind the lines from `first` on, up to the next empty line; gives the line behind them. */
static uint32_t comment_column(const columns *c, uint32_t first, uint32_t *column)
{
    const layout *f = c->f;
    uint32_t      last = first, least = UINT32_MAX, most = 0;
    for (; last < f->lines.count; last++) {
        const line *l = &f->lines.items[last];
        if (l->comment_only || (last > first && l->blank)) break;
        if (l->comment == l->comment_end) continue;
        if (c->widths[last] < least) least = c->widths[last];
        if (c->widths[last] > most) most = c->widths[last];
    }
    *column = most - least > COMMENT_SPREAD ? 0 : most;
    return last;
}

static void pad(shunt_buffer *out, uint32_t count)
{
    while (count--) shunt_buffer_char(out, ' ');
}

static void write_lines(const columns *c, shunt_buffer *out)
{
    const layout *f = c->f;
    uint32_t      column = 0, until = 0;
    for (uint32_t i = 0; i < f->lines.count; i++) {
        const line *l = &f->lines.items[i];
        bool        trails = !l->comment_only && l->comment != l->comment_end;
        if (trails && i >= until) until = comment_column(c, i, &column);
        if (l->blank && i > 0) shunt_buffer_char(out, '\n');
        pad(out, l->indent);
        uint32_t at = l->begin;
        for (uint32_t k = 0; k < l->stop_count; k++) {
            uint32_t to = l->begin + f->stops.items[l->stop_first + k].at;
            shunt_buffer_add(out, f->text.bytes + at, to - at);
            pad(out, c->pads[l->stop_first + k]);
            at = to;
        }
        shunt_buffer_add(out, f->text.bytes + at, l->end - at);
        if (trails) pad(out, 2 + (column > c->widths[i] ? column - c->widths[i] : 0));
        shunt_buffer_add(out, f->source.bytes + l->comment, l->comment_end - l->comment);
        shunt_buffer_char(out, '\n');
    }
}

/* ---- the whole ---- */

static shunt_status lay_out(layout *f, const shunt_ast *module, const shunt_token_list *tokens, shunt_buffer *out)
{
    if (!take_words(f, tokens)) return SHUNT_NO_MEMORY;
    match_brackets(f);
    mark_tree(f, module);
    for (uint32_t i = 1; i < f->count; i++)
        if (f->words[i].kind == '-' && (f->words[i].flags & OPERAND || !ends_operand(f->words[i - 1].kind)))
            f->words[i].flags |= UNARY;
    decide_breaks(f);
    put_lines(f);
    columns c = { .f = f };
    c.pads = SHUNT_NEW_N(f->arena, uint32_t, f->stops.count + 1);
    c.widths = SHUNT_NEW_N(f->arena, uint32_t, f->lines.count + 1);
    if (!c.pads || !c.widths || f->failed || f->text.failed) return SHUNT_NO_MEMORY;
    for (uint32_t i = 0; i < f->stops.count; i++) c.pads[i] = UNSETTLED;
    line_up_all(&c);
    write_lines(&c, out);
    return out->failed ? SHUNT_NO_MEMORY : SHUNT_OK;
}

static shunt_text word_text(shunt_text source, const shunt_token *t)
{
    return (shunt_text){ source.bytes + t->begin, t->end - t->begin };
}

/* Whether two sources have the same words. */
static bool same_words(shunt_text a, const shunt_token_list *of_a, shunt_text b, const shunt_token_list *of_b)
{
    if (of_a->count != of_b->count) return false;
    for (uint32_t i = 0; i < of_a->count; i++) {
        const shunt_token *x = &of_a->items[i], *y = &of_b->items[i];
        if (x->kind != y->kind) return false;
        if (x->kind != T_NOTIN && !shunt_text_equal(word_text(a, x), word_text(b, y))) return false;
    }
    return true;
}

/* The promise that this file makes is kept by looking: what was written is read again. */
static shunt_status prove(shunt_arena *arena, shunt_diags *diags, uint32_t file, shunt_text source, const shunt_scan *scan,
                          shunt_text written)
{
    shunt_ast        *again;
    const shunt_scan *words = NULL;
    SHUNT_TRY(shunt_parse_words(arena, arena, diags, file, written, &again, &words));
    if (!diags->errors && words && same_words(source, &scan->tokens, written, &words->tokens)) return SHUNT_OK;
    return SHUNT_FAILURE;
}

shunt_status shunt_format_module(const shunt_memory *memory, shunt_diags *diags, uint32_t file, shunt_text source,
                                 shunt_buffer *out)
{
    const shunt_scan *scan = NULL;
    shunt_ast        *module = NULL;
    shunt_arena      *arena = shunt_arena_new(memory, 0);
    layout           *f = arena ? SHUNT_NEW(arena, layout) : NULL;
    size_t            before = out->length;
    shunt_status      status = f ? shunt_parse_words(arena, arena, diags, file, source, &module, &scan) : SHUNT_NO_MEMORY;
    if (status == SHUNT_OK && !diags->errors && scan) {
        *f = (layout){ .arena = arena, .source = source };
        shunt_buffer_init(&f->text, memory);
        status = lay_out(f, module, &scan->tokens, out);
        if (status == SHUNT_OK)
            status =
                prove(arena, diags, file, source, scan, (shunt_text){ out->bytes + before, (uint32_t)(out->length - before) });
        if (status != SHUNT_OK) out->length = before;
        shunt_buffer_done(&f->text);
    }
    shunt_arena_free(arena);
    return status;
}
