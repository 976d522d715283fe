#include "grammar/tree.h"

#include "map.tab.h"

/* ---- nodes ---- */

static shunt_ast *made(shunt_parse *p, shunt_ast *node)
{
    if (!node) p->failed = true;
    return node;
}

/* Walkers recurse over the tree, so its height is bounded here. What is too high is cut off, once with a word about it. */
static shunt_ast *bounded(shunt_parse *p, shunt_ast *node)
{
    if (!node || node->height <= SHUNT_AST_HEIGHT) return node;
    if (!p->too_high) {
        p->too_high = true;
        shunt_diag *d =
            shunt_diag_add(p->diags, SHUNT_E0912, node->span, "more than %d parts stand inside each other", SHUNT_AST_HEIGHT);
        shunt_diag_help(p->diags, d, "give parts of it a name with `let`, or move them to a function");
    }
    return made(p, shunt_ast_new(p->arena, SHUNT_AST_ERROR, node->span));
}

shunt_ast *shunt_tree_node(shunt_parse *p, shunt_ast_kind kind, shunt_span at, shunt_text text, shunt_ast *const *kids,
                           uint32_t count)
{
    shunt_ast *node = made(p, shunt_ast_make(p->arena, kind, at, kids, count));
    if (node) node->text = text;
    return bounded(p, node);
}

shunt_ast *shunt_tree_leaf(shunt_parse *p, shunt_ast_kind kind, shunt_span at, shunt_text text)
{
    return made(p, shunt_ast_leaf(p->arena, kind, at, text));
}

shunt_ast *shunt_tree_documented(shunt_parse *p, shunt_ast *node)
{
    if (!node) return NULL;
    const shunt_doc *docs = p->scan->docs;
    uint32_t         low = 0, high = p->scan->doc_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (docs[middle].before < node->span.begin)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < p->scan->doc_count && docs[low].before == node->span.begin) node->doc = docs[low].text;
    return node;
}

shunt_ast *shunt_tree_add(shunt_parse *p, shunt_ast *list, shunt_ast *item)
{
    if (!list || !item) return list;
    if (item->kind == SHUNT_AST_ERROR && list->kid_count && list->kids[list->kid_count - 1]->kind == SHUNT_AST_ERROR) return list;
    if (list->kid_count == 0 && list->kind != SHUNT_AST_TEMPLATE) list->span = item->span;
    list->span.end = item->span.end;
    return bounded(p, made(p, shunt_ast_append(p->arena, list, shunt_tree_documented(p, item))));
}

shunt_ast *shunt_tree_join(shunt_parse *p, shunt_ast *list, const shunt_ast *more)
{
    shunt_span at = list ? list->span : (shunt_span){ 0 };
    if (!more) return list;
    for (uint32_t i = 0; i < more->kid_count; i++) list = ADD(list, more->kids[i]);
    if (at.begin < at.end) list = shunt_tree_span(list, shunt_tree_between(at, more->span));
    return list;
}

shunt_span shunt_tree_between(shunt_span first, shunt_span last)
{
    if (last.end > first.end) first.end = last.end;
    return first;
}

shunt_ast *shunt_tree_span(shunt_ast *node, shunt_span at)
{
    if (node) node->span = at;
    return node;
}

shunt_ast *shunt_tree_attribute(shunt_parse *p, shunt_span at, shunt_ast *node, uint32_t role, shunt_ast *kid)
{
    if (!node || role >= node->kid_count) return node; /* an ERROR has no roles */
    if (node->kids[role] && kid && kid->kind == SHUNT_AST_STRING) {
        shunt_diag *d = shunt_diag_add(p->diags, SHUNT_E0101, kid->span, "`%.*s` stands here twice",
                                       SHUNT_TEXT_ARGS(role == SHUNT_CODE_ack ? SHUNT_TEXT("ack") : SHUNT_TEXT("queue")));
        shunt_diag_also(p->diags, d, node->kids[role]->span, "the first one");
        return node;
    }
    node->kids[role] = kid;
    node->span = at;
    if (kid && kid->height >= node->height) node->height = kid->height + 1;
    return bounded(p, node);
}

shunt_ast *shunt_tree_open(shunt_parse *p, shunt_ast *declaration, shunt_span at)
{
    if (!declaration) return NULL;
    bool decide = declaration->kind == SHUNT_AST_DECIDE;
    declaration->span = at;
    if (decide)
        declaration->text = shunt_text_format(p->arena, "open %.*s", SHUNT_TEXT_ARGS(declaration->text));
    else
        declaration->text = SHUNT_TEXT("open");
    if (!declaration->text.bytes) p->failed = true;
    return declaration;
}

shunt_text shunt_tree_source(const shunt_parse *p, shunt_span at)
{
    return (shunt_text){ p->source.bytes + at.begin, at.end - at.begin };
}

shunt_ast *shunt_tree_qualify(shunt_parse *p, shunt_span at, shunt_ast *name, shunt_ast *more)
{
    if (!name || !more) return NULL;
    shunt_text written = WORD(at);
    if (written.length != name->text.length + 1 + more->text.length) { /* blanks, comments or backquotes between */
        written = shunt_text_format(p->arena, "%.*s.%.*s", SHUNT_TEXT_ARGS(name->text), SHUNT_TEXT_ARGS(more->text));
        if (!written.bytes) p->failed = true;
    }
    return LEAF_TEXT(NAME, at, written);
}

/* ---- comparisons ---- */

/* One in parentheses is a value like another: then the span of what stands there is wider than that of the node. */
static bool compares(const shunt_ast *node, shunt_span at)
{
    static const char *const signs[] = { "=", "!=", "<", ">", "<=", ">=" };
    if (!node || node->span.begin != at.begin || node->span.end != at.end) return false;
    if (node->kind == SHUNT_AST_IN || node->kind == SHUNT_AST_IS) return true;
    if (node->kind != SHUNT_AST_BINARY) return false;
    for (size_t i = 0; i < SHUNT_COUNT(signs); i++)
        if (shunt_text_is(node->text, signs[i])) return true;
    return false;
}

static void check_chain(shunt_parse *p, shunt_span sign, const shunt_ast *left, shunt_span left_at, shunt_span right_at)
{
    if (!compares(left, left_at)) return;
    shunt_text  written = WORD(left_at), middle = written;
    shunt_diag *d = shunt_diag_add(p->diags, SHUNT_E0103, sign, "comparisons cannot be chained");
    shunt_diag_also(p->diags, d, left_at, "this is true or false already");
    if (left->kind == SHUNT_AST_BINARY && left->kids[SHUNT_BINARY_right]) middle = WORD(left->kids[SHUNT_BINARY_right]->span);
    shunt_text rest = WORD(shunt_tree_between(sign, right_at));
    if (left->kind != SHUNT_AST_BINARY || memchr(written.bytes, '\n', written.length) || memchr(rest.bytes, '\n', rest.length))
        shunt_diag_help(p->diags, d, "join two comparisons with `and`");
    else
        shunt_diag_help(p->diags, d, "join two comparisons: `%.*s and %.*s %.*s`", SHUNT_TEXT_ARGS(written),
                        SHUNT_TEXT_ARGS(middle), SHUNT_TEXT_ARGS(rest));
}

shunt_ast *shunt_tree_compare(shunt_parse *p, shunt_span at, shunt_text word, shunt_span sign, shunt_ast *left,
                              shunt_span left_at, shunt_ast *right, shunt_span right_at)
{
    check_chain(p, sign, left, left_at, right_at);
    return NODE_TEXT(BINARY, at, word, left, right);
}

shunt_ast *shunt_tree_among(shunt_parse *p, shunt_span at, shunt_text word, shunt_span sign, shunt_ast *value,
                            shunt_span value_at, shunt_ast *list)
{
    check_chain(p, sign, value, value_at, at);
    return NODE_TEXT(IN, at, word, value, list);
}

shunt_ast *shunt_tree_is(shunt_parse *p, shunt_span at, shunt_span sign, shunt_ast *value, shunt_span value_at,
                         const shunt_ast *state)
{
    check_chain(p, sign, value, value_at, at);
    shunt_text which = state ? state->text : (shunt_text){ NULL, 0 };
    return NODE_TEXT(IS, at, which, value);
}

shunt_ast *shunt_tree_sum(shunt_parse *p, shunt_span at, shunt_span sign, shunt_ast *left, shunt_ast *right)
{
    if (sign.begin == sign.end) return LEAF(ERROR, at);
    return NODE_TEXT(BINARY, at, SHUNT_TEXT("+"), left, right);
}

/* ---- words that carry a text ---- */

/* With its escapes resolved; as it stands where it has none. */
static shunt_text unescaped(shunt_parse *p, shunt_text written)
{
    if (!written.length || !memchr(written.bytes, '\\', written.length)) return written;
    char *out = shunt_arena_bytes(p->arena, written.length);
    if (!out) {
        p->failed = true;
        return (shunt_text){ NULL, 0 };
    }
    uint32_t length = 0;
    for (uint32_t i = 0; i < written.length; i++) {
        char c = written.bytes[i];
        if (c == '\\' && i + 1 < written.length) {
            c = written.bytes[++i];
            c = c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
        }
        out[length++] = c;
    }
    return (shunt_text){ out, length };
}

/* Without its quotes, be they of the wrong kind, and the last one missing. */
static shunt_text inside_quotes(shunt_text written)
{
    uint32_t first = 0; /* none at all after a slip that was mended */
    if (written.length && (written.bytes[0] == '"' || written.bytes[0] == '\''))
        first = 1;
    else if (written.length > 2 && written.bytes[0] == '\xE2')
        first = 3;
    shunt_text inside = { written.bytes + first, written.length - first };
    bool       closed = inside.length >= first && first && (first == 3 || inside.bytes[inside.length - 1] == written.bytes[0]);
    if (closed) inside.length -= first;
    return inside;
}

struct line {
    const char *bytes;
    uint32_t    length, indent;
    bool        blank;
};

/* Cuts the next line off `rest`; a line end of two bytes counts as one. */
static bool next_line(shunt_text *rest, struct line *line)
{
    if (!rest->bytes) return false;
    const char *stop = memchr(rest->bytes, '\n', rest->length);
    uint32_t    size = stop ? (uint32_t)(stop - rest->bytes) : rest->length;
    *line = (struct line){ .bytes = rest->bytes, .length = size };
    if (stop)
        *rest = (shunt_text){ stop + 1, rest->length - size - 1 };
    else
        *rest = (shunt_text){ NULL, 0 };
    if (stop && size && line->bytes[size - 1] == '\r') line->length--;
    while (line->indent < line->length && (line->bytes[line->indent] == ' ' || line->bytes[line->indent] == '\t')) line->indent++;
    line->blank = line->indent == line->length;
    return true;
}

/* Without common indentation, the first and the last line end. Text that begins beside the quotes has no indentation. */
static shunt_text dedented(shunt_parse *p, shunt_text written)
{
    struct line line;
    shunt_text  rest = written;
    uint32_t    common = UINT32_MAX, count = 0, length = 0;
    for (; next_line(&rest, &line); count++)
        if (count && !line.blank && line.indent < common) common = line.indent;
    char *out = shunt_arena_bytes(p->arena, written.length + 1);
    if (!out) {
        p->failed = true;
        return (shunt_text){ NULL, 0 };
    }
    rest = written;
    for (uint32_t i = 0; next_line(&rest, &line); i++) {
        if (line.blank && (i == 0 || i == count - 1)) continue; /* what stands beside the quotes */
        uint32_t from = i == 0 ? 0 : line.blank ? line.length : common;
        if (length || i > 1) out[length++] = '\n';
        memcpy(out + length, line.bytes + from, line.length - from);
        length += line.length - from;
    }
    return (shunt_text){ out, length };
}

shunt_ast *shunt_tree_token(shunt_parse *p, const shunt_token *token)
{
    shunt_span at = { token->begin, token->end, p->file };
    shunt_text written = WORD(at);
    switch (token->kind) {
    case T_IDENT:
        if (written.length > 1 && written.bytes[0] == '`') written = (shunt_text){ written.bytes + 1, written.length - 2 };
        return LEAF_TEXT(NAME, at, written);
    case T_ELEM: return LEAF_TEXT(ELEMENT, at, written);
    case T_LOOPID: return LEAF_TEXT(LOOP, at, written);
    case T_INT: return LEAF_TEXT(INT, at, written);
    case T_DECIMAL: return LEAF_TEXT(DECIMAL, at, written);
    case T_MONEY: return LEAF_TEXT(MONEY, at, written);
    case T_PERCENT: return LEAF_TEXT(PERCENT, at, written);
    case T_DATE: return LEAF_TEXT(DATE, at, written);
    case T_DURATION: return LEAF_TEXT(DURATION, at, written);
    case T_STRING: return LEAF_TEXT(STRING, at, unescaped(p, inside_quotes(written)));
    case T_TEXTBLOCK: {
        shunt_text inside = { written.bytes + 3, written.length - 3 };
        if (inside.length >= 3 && memcmp(inside.bytes + inside.length - 3, "\"\"\"", 3) == 0) inside.length -= 3;
        return LEAF_TEXT(STRING, at, dedented(p, inside));
    }
    case T_TSTART:
    case T_TMID:
    case T_TEND: return LEAF_TEXT(STRING, at, unescaped(p, written));
    default: return NULL;
    }
}
