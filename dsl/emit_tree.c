/* emit_tree.c - trees of names (FHIR): which objects have frames, which values they hold, and the functions that take a part of
 * the message, made once for each place that they are called with. */
#include "dsl/emit_state.h"
#include "dsl/tree.h"

/* One value of an object that the program demands. */
typedef struct shunt_tree_value {
    shunt_text      name;
    shunt_plan_slot like;
    uint16_t        slot; /* of the frame */
} shunt_tree_value;

/* ---- places ---- */

/* The tree that a parameter stands for just now, and what lies at the same place below it; others are themselves. NULL: in the
 * body of a function that no call is being made of. */
static shunt_tree *place_of(shunt_tree *tree)
{
    if (tree->parameter) return tree->stands_for;
    if (!tree->up) return tree;
    shunt_tree *up = place_of(tree->up);
    return up == tree->up ? tree : up ? shunt_tree_below(up, tree->name, tree->only) : NULL;
}

static bool stands_once(const shunt_tree *tree)
{
    for (; tree; tree = tree->up)
        if (tree->list) return false;
    return true;
}

uint16_t shunt_emit_tree_frame(shunt_emitter *e, const shunt_loop_ref *loop)
{
    shunt_tree *tree = place_of(loop->tree);
    if (!tree) {
        e->no_memory = true; /* not met: lineage asks for slots only, and calls bind their parameters first */
        return 0;
    }
    shunt_loop_ref *ref = tree->ref;
    if (ref->number) return (uint16_t)(ref->number - 1);
    shunt_text id = tree->up ? tree->only.length ? tree->only : tree->name : (shunt_text){ "", 0 };
    uint16_t   frame = shunt_emit_new_frame(e, tree->up ? SHUNT_FRAME_LOOP : SHUNT_FRAME_SET, id, ref->source, stands_once(tree));
    ref->number = (uint32_t)frame + 1;
    return frame;
}

/* ---- values ---- */

/* The object around, or this one, whose frame takes the values. */
static shunt_tree *holder_of(shunt_tree *tree)
{
    while (tree->up && !tree->node) tree = tree->up;
    return tree;
}

static bool same_slot(const shunt_plan_slot *a, const shunt_plan_slot *b)
{
    return a->convert == b->convert && a->scale == b->scale && a->required == b->required && a->codes == b->codes &&
           a->mask == b->mask && a->currency == b->currency;
}

static uint16_t value_slot(shunt_emitter *e, shunt_tree *tree, uint16_t frame, shunt_text name, const shunt_plan_slot *like)
{
    for (uint32_t i = 0; i < tree->values.count; i++) {
        const shunt_tree_value *v = &tree->values.items[i];
        if (shunt_text_equal(v->name, name) && same_slot(&v->like, like)) return v->slot;
    }
    shunt_tree_value *v = SHUNT_EMIT_NEW(e, &tree->values);
    *v = (shunt_tree_value){ name, *like, shunt_plan_maker_slot(e->plan, frame, like) };
    return v->slot;
}

shunt_emit_slot shunt_emit_tree_slot(shunt_emitter *e, const shunt_path *path, const shunt_ty *type)
{
    static const shunt_ty code = { .kind = SHUNT_TY_TEXT };
    shunt_tree           *tree = place_of(path->loop->tree);
    if (!tree) return (shunt_emit_slot){ SHUNT_NONE, SHUNT_NONE };
    uint16_t   frame = shunt_emit_tree_frame(e, holder_of(tree)->ref);
    shunt_text shown =
        path->currency ? shunt_tree_shown(e->arena, tree, (shunt_text){ 0 }) : shunt_tree_shown(e->arena, tree, path->name);
    shunt_plan_slot like =
        shunt_emit_slot_like(e, SHUNT_STANDARD_FHIR, type, path->value_type, 0, shunt_emit_made_text(e, shown));
    like.required = path->required;
    if (path->currency) {
        shunt_text      beside = shunt_emit_made_text(e, shunt_tree_shown(e->arena, tree, SHUNT_TEXT("currency")));
        shunt_plan_slot currency = shunt_emit_slot_like(e, SHUNT_STANDARD_FHIR, &code, SHUNT_VALUE_TEXT, 0, beside);
        like.currency = value_slot(e, tree, frame, SHUNT_TEXT("currency"), &currency);
    }
    return (shunt_emit_slot){ frame, value_slot(e, tree, frame, path->name, &like) };
}

/* ---- walking ---- */

/* From the node that the path begins at down to its object: a step for each object that has a frame of its own. */
static uint16_t walk_down(shunt_emit_fn *f, uint16_t node, shunt_tree *from, shunt_tree *to, bool list)
{
    if (to == from || !to) return node;
    node = walk_down(f, node, from, to->up, false);
    if (!to->node) return node;
    return shunt_emit_child(f, node, shunt_emit_tree_frame(f->e, to->ref), list ? SHUNT_OP_CHILDREN : SHUNT_OP_CHILD_FIRST);
}

uint16_t shunt_emit_tree_walk(shunt_emit_fn *f, const shunt_path *path)
{
    const shunt_ty *type = path->base ? &shunt_fact_of(path->base)->type : path->start ? &path->start->type : NULL;
    shunt_tree     *tree = path->loop->tree, *from = type ? shunt_tree_of(type) : tree;
    uint16_t        node;
    while (!type && from->up) from = from->up;
    if (path->base)
        node = shunt_emit_expr(f, path->base);
    else
        node = path->start ? (uint16_t)path->start->number : shunt_emit_set_node(f, path->loop->source);
    if (!from || !place_of(from) || !place_of(tree)) {
        f->e->no_memory = true;
        return node;
    }
    return walk_down(f, node, place_of(from), place_of(tree), path->kind == SHUNT_PATH_LIST);
}

/* ---- functions that take a part of the message ---- */

typedef struct instance {
    const shunt_symbol *function;
    shunt_tree        **places; /* of its parameters in order, NULL for those that are values */
    uint16_t            number;
    void               *stamp; /* of the last search that came by */
} instance;

struct shunt_emit_instances {
    SHUNT_LIST(instance) items;
};
enum { INSTANCES_AT_MOST = 1000 };

bool shunt_emit_takes_part(const shunt_symbol *function)
{
    if (function->kind != SHUNT_SYMBOL_FUNCTION) return false;
    for (uint32_t i = 0; i < function->as.function.count; i++)
        if (shunt_tree_of(&function->as.function.params[i]->type)) return true;
    return false;
}

static shunt_tree *tree_of_param(const shunt_symbol *function, uint32_t i)
{
    return shunt_tree_of(&function->as.function.params[i]->type);
}

/* The places that the arguments of a call stand at, in the arena. */
static shunt_tree **places_of_call(shunt_emitter *e, const shunt_ast *call, const shunt_symbol *function)
{
    shunt_tree **places = SHUNT_NEW_N(e->arena, shunt_tree *, function->as.function.count + 1);
    if (!places) {
        e->no_memory = true;
        return NULL;
    }
    for (uint32_t i = 0; i < function->as.function.count; i++) {
        const shunt_ast  *value = shunt_emit_argument(call, i, function->as.function.params[i]->name);
        const shunt_fact *fact = shunt_fact_of(value);
        shunt_tree       *tree = fact && tree_of_param(function, i) ? shunt_tree_of(&fact->type) : NULL;
        places[i] = tree ? place_of(tree) : NULL;
    }
    return places;
}

static const instance *find_instance(const shunt_emitter *e, const shunt_symbol *function, shunt_tree *const *places)
{
    for (uint32_t i = 0; e->instances && i < e->instances->items.count; i++) {
        const instance *one = &e->instances->items.items[i];
        if (one->function == function && memcmp(one->places, places, function->as.function.count * sizeof *places) == 0)
            return one;
    }
    return NULL;
}

/* Parameters stand for the places until they are set again; what they stood for goes to `places`. */
static void exchange_places(const shunt_symbol *function, shunt_tree **places)
{
    for (uint32_t i = 0; i < function->as.function.count; i++) {
        shunt_tree *tree = tree_of_param(function, i), *before = tree ? tree->stands_for : NULL;
        if (!tree) continue;
        tree->stands_for = places[i];
        places[i] = before;
    }
}

static bool visit_call(shunt_ast *node, void *context);

static void make_instance(shunt_emitter *e, shunt_symbol *function, shunt_tree **places)
{
    if (find_instance(e, function, places) || shunt_emit_failed(e)) return;
    if (e->instances->items.count >= INSTANCES_AT_MOST) {
        e->too_large = true;
        return;
    }
    size_t       bytes = (function->as.function.count + 1) * sizeof *places;
    shunt_tree **kept = shunt_arena_alloc(e->arena, bytes);
    if (!kept) {
        e->no_memory = true;
        return;
    }
    memcpy(kept, places, bytes);
    exchange_places(function, places);
    shunt_ast_walk(function->decl, visit_call, e); /* what it calls is made before it */
    uint16_t number = shunt_emit_function(e, function);
    exchange_places(function, places);
    instance *made = SHUNT_EMIT_NEW(e, &e->instances->items);
    *made = (instance){ .function = function, .places = kept, .number = number };
}

static bool visit_call(shunt_ast *node, void *context)
{
    shunt_emitter    *e = context;
    const shunt_fact *fact = shunt_fact_of(node);
    if (node->kind != SHUNT_AST_CALL || !fact || fact->kind != SHUNT_FACT_FUNCTION || !shunt_emit_takes_part(fact->symbol))
        return true;
    shunt_tree **places = places_of_call(e, node, fact->symbol);
    if (places) make_instance(e, fact->symbol, places);
    return true;
}

void shunt_emit_make_instances(shunt_emitter *e)
{
    e->instances = SHUNT_NEW(e->arena, struct shunt_emit_instances);
    if (!e->instances) {
        e->no_memory = true;
        return;
    }
    for (uint32_t i = 0; i < e->c->symbol_count && !shunt_emit_failed(e); i++)
        if (e->c->symbols[i]->kind == SHUNT_SYMBOL_MAP) shunt_ast_walk(e->c->symbols[i]->decl, visit_call, e);
}

bool shunt_emit_instance(shunt_emitter *e, const shunt_ast *call, const shunt_symbol *function, shunt_type *types,
                         uint16_t *number)
{
    shunt_tree    **places = places_of_call(e, call, function);
    const instance *found = places ? find_instance(e, function, places) : NULL;
    if (!found) {
        e->no_memory = true; /* all calls were looked at before */
        return false;
    }
    *number = found->number;
    exchange_places(function, places);
    for (uint32_t i = 0; i < function->as.function.count; i++)
        types[i] = shunt_emit_type(e, &function->as.function.params[i]->type);
    exchange_places(function, places);
    return true;
}

void shunt_emit_in_places(shunt_emitter *e, const shunt_ast *call, const shunt_symbol *function,
                          void (*look)(void *context, const shunt_symbol *function), void *context)
{
    shunt_tree **places = places_of_call(e, call, function);
    instance    *found = places ? (instance *)(uintptr_t)find_instance(e, function, places) : NULL;
    if (!found || found->stamp == e->search) return;
    found->stamp = e->search;
    exchange_places(function, places);
    look(context, function);
    exchange_places(function, places);
}

/* ---- the tree in the plan ---- */

void shunt_emit_forget_trees(const shunt_compilation *c)
{
    for (uint32_t i = 0; i < c->loop_count; i++) {
        shunt_tree *tree = c->loops[i]->tree;
        if (!tree) continue;
        tree->stands_for = NULL;
        tree->values.items = NULL;
        tree->values.count = tree->values.capacity = 0;
    }
}

static bool demanded(const shunt_tree *tree)
{
    if (tree->ref->number || tree->values.count) return true;
    for (const shunt_tree *below = tree->first; below; below = below->next)
        if (demanded(below)) return true;
    return false;
}

static void put_tree(shunt_emitter *e, const shunt_tree *tree, uint16_t guide, uint16_t parent)
{
    uint16_t frame = tree->ref->number ? (uint16_t)(tree->ref->number - 1) : SHUNT_NONE;
    uint16_t branch = shunt_plan_maker_branch(e->plan, guide, parent, tree->name, tree->only, tree->list ? 0 : 1, frame);
    for (uint32_t i = 0; i < tree->values.count; i++)
        shunt_plan_maker_leaf(e->plan, branch, tree->values.items[i].name, tree->values.items[i].slot, tree->leaf);
    for (const shunt_tree *below = tree->first; below; below = below->next)
        if (demanded(below)) put_tree(e, below, guide, branch);
}

void shunt_emit_trees(shunt_emitter *e)
{
    for (uint32_t i = 0; i < e->c->symbol_count && !shunt_emit_failed(e); i++) {
        const shunt_symbol *source = e->c->symbols[i];
        if (source->kind != SHUNT_SYMBOL_SOURCE || !source->as.source->tree) continue;
        uint16_t guide = shunt_plan_maker_guide(e->plan, source->as.source->guides[0], (uint16_t)source->number);
        if (guide != SHUNT_NONE) put_tree(e, source->as.source->tree, guide, SHUNT_NONE);
    }
}
