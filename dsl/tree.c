#include "dsl/tree.h"

shunt_tree *shunt_tree_below(const shunt_tree *tree, shunt_text name, shunt_text only)
{
    for (shunt_tree *t = tree->first; t; t = t->next)
        if (shunt_text_equal(t->name, name) && shunt_text_equal(t->only, only)) return t;
    return NULL;
}

shunt_text shunt_tree_shown(shunt_arena *arena, const shunt_tree *tree, shunt_text value)
{
    bool       top = !tree->up || tree->only.length;
    shunt_text name = tree->only.length ? tree->only : top ? shunt_text_of(tree->type->name) : tree->name;
    if (!top && name.bytes[0] == '_') name = (shunt_text){ name.bytes + 1, name.length - 1 }; /* what stands beside a value */
    shunt_text before = top ? name : shunt_tree_shown(arena, tree->up, name);
    if (!value.length || (tree->leaf && shunt_text_is(value, "value"))) return before;
    return shunt_text_format(arena, "%.*s.%.*s", SHUNT_TEXT_ARGS(before), SHUNT_TEXT_ARGS(value));
}
