/* The tree as an S-expression. Short constructs stand on one line, so the width is measured before anything is written. */
#include "dsl/ast.h"

enum { WIDTH = 100, INDENT = 2 };

static bool is_quoted(const shunt_ast *node) { return node->kind == SHUNT_AST_STRING; }

/* Leaves whose text says all: names, numbers and the like are written without their kind. */
static bool is_bare(const shunt_ast *node)
{
    switch (node->kind) {
    case SHUNT_AST_NAME:
    case SHUNT_AST_INT:
    case SHUNT_AST_DECIMAL:
    case SHUNT_AST_PERCENT:
    case SHUNT_AST_DATE:
    case SHUNT_AST_ELEMENT:
    case SHUNT_AST_LOOP:
    case SHUNT_AST_TRUE:
    case SHUNT_AST_FALSE: return true;
    default: return false;
    }
}

/* Width of the node on one line, or more than `room` as soon as it does not fit. */
static size_t width(const shunt_ast *node, size_t room)
{
    if (!node) return 2;
    if (node->kind == SHUNT_AST_TRUE || node->kind == SHUNT_AST_FALSE) return 5;
    if (is_bare(node)) return node->text.length;
    if (is_quoted(node)) return 2 + node->text.length;
    size_t total = 2 + strlen(shunt_ast_info[node->kind].name);
    if (node->text.length) total += 3 + node->text.length;
    if (node->doc.length) total += 7 + node->doc.length;
    for (uint32_t i = 0; i < node->kid_count && total <= room; i++) total += 1 + width(node->kids[i], room - total);
    return total;
}

static void write_node(const shunt_ast *node, unsigned indent, shunt_buffer *out)
{
    if (!node) {
        shunt_buffer_z(out, "()");
        return;
    }
    if (is_quoted(node)) {
        shunt_buffer_json(out, node->text);
        return;
    }
    if (is_bare(node)) {
        if (node->text.length)
            shunt_buffer_text(out, node->text);
        else
            shunt_buffer_z(out, shunt_ast_info[node->kind].name);
        return;
    }
    size_t room = WIDTH > indent ? WIDTH - indent : 0;
    bool   broken = width(node, room) > room;
    shunt_buffer_format(out, "(%s", shunt_ast_info[node->kind].name);
    if (node->text.length) {
        shunt_buffer_char(out, ' ');
        shunt_buffer_json(out, node->text);
    }
    if (node->doc.length) {
        shunt_buffer_z(out, " #doc ");
        shunt_buffer_json(out, node->doc);
    }
    bool head = true; /* names and the like stay beside the kind */
    for (uint32_t i = 0; i < node->kid_count; i++) {
        head = head && node->kids[i] && (is_bare(node->kids[i]) || is_quoted(node->kids[i])) && node->kind != SHUNT_AST_LIST;
        if (broken && !head)
            shunt_buffer_format(out, "\n%*s", (int)(indent + INDENT), "");
        else
            shunt_buffer_char(out, ' ');
        write_node(node->kids[i], indent + INDENT, out);
    }
    shunt_buffer_char(out, ')');
}

void shunt_ast_dump(const shunt_ast *node, shunt_buffer *out) { write_node(node, 0, out); }
