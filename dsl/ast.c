#include "dsl/ast.h"

#include <assert.h>

const struct shunt_ast_info shunt_ast_info[SHUNT_AST_COUNT] = {
#define R(kind, role)                 #role " "
#define SHUNT_NODE(kind, name, roles) [SHUNT_AST_##kind] = { name, "" roles, SHUNT_##kind##_roles },
#include "dsl/ast.def"
};

static void note_height(shunt_ast *node, const shunt_ast *kid)
{
    if (kid && kid->height >= node->height) node->height = kid->height + 1;
}

shunt_ast *shunt_ast_new(shunt_arena *arena, shunt_ast_kind kind, shunt_span span)
{
    shunt_ast *node = SHUNT_NEW(arena, shunt_ast);
    uint32_t   roles = shunt_ast_info[kind].role_count;
    if (!node) return NULL;
    node->kind = (uint16_t)kind;
    node->span = span;
    if (!roles) return node;
    node->kids = SHUNT_NEW_N(arena, shunt_ast *, roles);
    if (!node->kids) return NULL;
    node->kid_count = roles;
    return node;
}

shunt_ast *shunt_ast_leaf(shunt_arena *arena, shunt_ast_kind kind, shunt_span span, shunt_text text)
{
    shunt_ast *node = shunt_ast_new(arena, kind, span);
    if (node) node->text = text;
    return node;
}

shunt_ast *shunt_ast_make(shunt_arena *arena, shunt_ast_kind kind, shunt_span span, shunt_ast *const *kids, uint32_t count)
{
    assert(count == shunt_ast_info[kind].role_count);
    shunt_ast *node = shunt_ast_new(arena, kind, span);
    if (!node) return NULL;
    for (uint32_t i = 0; i < count; i++) {
        node->kids[i] = kids[i];
        note_height(node, kids[i]);
    }
    return node;
}

shunt_ast *shunt_ast_append(shunt_arena *arena, shunt_ast *list, shunt_ast *item)
{
    if (!item) return list;
    uint32_t count = list->kid_count;
    if ((count & (count - 1)) == 0) { /* full: capacities are the powers of two */
        uint32_t    capacity = count ? count * 2 : 1;
        shunt_ast **kids = SHUNT_NEW_N(arena, shunt_ast *, capacity);
        if (!kids) return NULL;
        if (count) memcpy(kids, list->kids, count * sizeof(*kids));
        list->kids = kids;
    }
    list->kids[count] = item;
    list->kid_count = count + 1;
    note_height(list, item);
    return list;
}

shunt_ast *shunt_ast_copy(shunt_arena *arena, const shunt_ast *node)
{
    shunt_ast *copy = SHUNT_NEW(arena, shunt_ast);
    if (!copy) return NULL;
    *copy = *node;
    copy->fact = NULL;
    copy->flags = 0;
    copy->kids = SHUNT_NEW_N(arena, shunt_ast *, node->kid_count + (size_t)1);
    if (!copy->kids) return NULL;
    for (uint32_t i = 0; i < node->kid_count; i++) {
        copy->kids[i] = node->kids[i] ? shunt_ast_copy(arena, node->kids[i]) : NULL;
        if (node->kids[i] && !copy->kids[i]) return NULL;
    }
    return copy;
}

void shunt_ast_walk(shunt_ast *node, bool (*visit)(shunt_ast *node, void *context), void *context)
{
    if (!node || !visit(node, context)) return;
    for (uint32_t i = 0; i < node->kid_count; i++) shunt_ast_walk(node->kids[i], visit, context);
}
