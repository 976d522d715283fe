/* emit_recall.c - calls that several passes over one list make for each of its items. The first pass keeps the results, one a
 * place of the list, and the others recall them: no argument is read again.
 * A call qualifies where it is pure and reads, besides the item, only what never changes while the handler runs: constants,
 * `let`s made outside of every pass, the message seen from the unit. */
#include "dsl/emit_state.h"

enum { SHORT_NODES = 40 };

/* ---- what a call is made of ---- */

static bool spell(const shunt_emit_fn *f, shunt_buffer *key, const shunt_ast *node, const shunt_symbol *item);

/* What a parameter stands for while the body of its function is emitted in the place of a call. */
static const shunt_ast *given_for(const shunt_emit_fn *f, const shunt_symbol *symbol)
{
    for (uint32_t i = f->given.count; i > 0; i--)
        if (f->given.items[i - 1].param == symbol) return f->given.items[i - 1].value;
    return NULL;
}

static bool made_outside(const shunt_emit_fn *f, const shunt_symbol *symbol)
{
    for (uint32_t i = 0; i < f->outer_lets.count; i++)
        if (f->outer_lets.items[i] == symbol) return true;
    return false;
}

/* The item has another symbol in each pass, so all that is spelled of it is that it is the item. */
static bool spell_symbol(const shunt_emit_fn *f, shunt_buffer *key, const shunt_symbol *symbol, const shunt_symbol *item)
{
    const shunt_symbol *spelled = symbol == item ? NULL : symbol;
    shunt_buffer_add(key, &spelled, sizeof spelled);
    switch (symbol->kind) {
    case SHUNT_SYMBOL_VARIABLE: return symbol == item || symbol == f->unit;
    case SHUNT_SYMBOL_LOCAL: return made_outside(f, symbol);
    case SHUNT_SYMBOL_CONSTANT:
    case SHUNT_SYMBOL_MEMBER:
    case SHUNT_SYMBOL_GLOBAL: return true;
    default: return false;
    }
}

static bool spell_path(const shunt_emit_fn *f, shunt_buffer *key, const shunt_path *path, const shunt_symbol *item)
{
    uint32_t numbers[] = { path->kind,         path->element,       path->component,        path->range_start, path->range_end,
                           path->value_type,   path->implied,       path->required,         path->down_count,  path->node_count,
                           path->base != NULL, path->start != NULL, path->qualifier.length, path->name.length, path->currency };
    shunt_buffer_add(key, numbers, sizeof numbers);
    if (path->base && !spell(f, key, path->base, item)) return false;
    if (path->start && !spell_symbol(f, key, path->start, item)) return false;
    shunt_buffer_add(key, &path->up, sizeof path->up);
    shunt_buffer_add(key, &path->loop, sizeof path->loop);
    for (uint32_t i = 0; i < path->down_count; i++) shunt_buffer_add(key, &path->down[i], sizeof path->down[i]);
    for (uint32_t i = 0; i < path->node_count; i++) shunt_buffer_add(key, &path->nodes[i].segment, sizeof path->nodes[i].segment);
    shunt_buffer_text(key, path->qualifier);
    shunt_buffer_text(key, path->name);
    return true;
}

static bool is_pure(const shunt_emit_fn *f, const shunt_symbol *function)
{
    return function->kind == SHUNT_SYMBOL_FUNCTION && function->number < f->e->functions.count &&
           f->e->functions.items[function->number].pure;
}

static bool spell_fact(const shunt_emit_fn *f, shunt_buffer *key, const shunt_fact *fact, const shunt_symbol *item)
{
    switch (fact->kind) {
    case SHUNT_FACT_NONE:
    case SHUNT_FACT_FIRST: return true;
    case SHUNT_FACT_SYMBOL: return spell_symbol(f, key, fact->symbol, item);
    case SHUNT_FACT_PATH: return spell_path(f, key, fact->path, item);
    case SHUNT_FACT_RANGE_PART: return !fact->path || spell_path(f, key, fact->path, item);
    case SHUNT_FACT_FIELD: shunt_buffer_add(key, &fact->member, sizeof fact->member); return true;
    case SHUNT_FACT_FUNCTION:
        if (!is_pure(f, fact->symbol)) return false;
        shunt_buffer_add(key, &fact->symbol, sizeof fact->symbol);
        return true;
    case SHUNT_FACT_LOOKUP: shunt_buffer_add(key, &fact->symbol, sizeof fact->symbol); return true;
    default: return false;
    }
}

/* Bytes that two expressions share only if they mean the same for the same item. False: this one reads something else, or does
 * more than read. */
static bool spell(const shunt_emit_fn *f, shunt_buffer *key, const shunt_ast *node, const shunt_symbol *item)
{
    const shunt_fact *fact = shunt_fact_of(node);
    const shunt_ast  *given = fact && fact->kind == SHUNT_FACT_SYMBOL ? given_for(f, fact->symbol) : NULL;
    if (given) return spell(f, key, given, item);
    bool       is_item = node && node->kind == SHUNT_AST_NAME && fact && fact->kind == SHUNT_FACT_SYMBOL && fact->symbol == item;
    shunt_text text = node && !is_item ? node->text : (shunt_text){ 0 };
    uint32_t   head[] = { node ? node->kind : UINT32_MAX, fact ? (uint32_t)fact->kind : UINT32_MAX, node ? node->kid_count : 0,
                        text.length };
    shunt_buffer_add(key, head, sizeof head);
    if (!node) return true;
    if (node->kind == SHUNT_AST_EXIT || node->kind == SHUNT_AST_NOTING || node->kind == SHUNT_AST_EACH) return false;
    shunt_buffer_text(key, text);
    if (fact && !spell_fact(f, key, fact, item)) return false;
    if (fact && fact->kind == SHUNT_FACT_PATH) return true;
    for (uint32_t i = 0; i < node->kid_count; i++)
        if (!spell(f, key, node->kids[i], item)) return false;
    return true;
}

/* Number of the call in this pass; false where it has none. */
static bool number_of(shunt_emit_fn *f, const shunt_ast *call, const shunt_emit_pass *pass, uint32_t *number)
{
    shunt_buffer key;
    if (!pass->list) return false;
    shunt_buffer_init(&key, f->e->c->memory);
    shunt_buffer_add(&key, &pass->list, sizeof pass->list);
    bool fits = spell(f, &key, call, pass->item);
    if (key.failed || (fits && !shunt_intern_add(f->recall_keys, (shunt_text){ key.bytes, (uint32_t)key.length }, number))) {
        f->e->no_memory = true;
        fits = false;
    }
    shunt_buffer_done(&key);
    return fits;
}

/* ---- passes ---- */

void shunt_emit_pass_begin(shunt_emit_fn *f, const shunt_ast *each, uint16_t index)
{
    const shunt_ast  *list = each->kids[SHUNT_EACH_list];
    const shunt_fact *fact = shunt_fact_of(list);
    bool              bound = list->kind == SHUNT_AST_NAME && fact && fact->kind == SHUNT_FACT_SYMBOL &&
                 fact->symbol->kind == SHUNT_SYMBOL_LOCAL && made_outside(f, fact->symbol);
    shunt_emit_pass *pass = SHUNT_EMIT_NEW(f->e, &f->passes);
    *pass = (shunt_emit_pass){ shunt_fact_of(each)->symbol, bound ? fact->symbol : NULL, index };
}

void shunt_emit_pass_end(shunt_emit_fn *f)
{
    if (f->passes.count) f->passes.count--;
}

shunt_emit_recall *shunt_emit_recall_of(shunt_emit_fn *f, const shunt_ast *call, uint16_t *index)
{
    if (call->kind != SHUNT_AST_CALL) return NULL;
    for (uint32_t i = f->passes.count; i > 0; i--) {
        const shunt_emit_pass *pass = &f->passes.items[i - 1];
        uint32_t               number;
        if (!number_of(f, call, pass, &number) || number >= f->recalls.count) continue;
        if (f->recalls.items[number].reg == SHUNT_NONE) continue;
        *index = pass->index;
        return &f->recalls.items[number];
    }
    return NULL;
}

/* ---- short functions ---- */

typedef struct measure {
    uint32_t nodes;
    bool     looks_up;
} measure;

static bool measure_node(shunt_ast *node, void *context)
{
    measure          *m = context;
    const shunt_fact *fact = shunt_fact_of(node);
    m->nodes++;
    /* A look-up is worth to be remembered, which is done for functions; a pass is long. */
    m->looks_up = m->looks_up || node->kind == SHUNT_AST_EACH || node->kind == SHUNT_AST_FILTER ||
                  (fact && fact->kind == SHUNT_FACT_LOOKUP);
    return m->nodes <= SHORT_NODES && !m->looks_up;
}

shunt_ast *shunt_emit_short_begin(shunt_emit_fn *f, const shunt_ast *call, const shunt_symbol *function)
{
    measure m = { 0 };
    if (f->given.count || call->kind != SHUNT_AST_CALL || !is_pure(f, function) || function->decl->kind != SHUNT_AST_FUNCTION)
        return NULL;
    uint32_t count = function->as.function.count;
    if (function->decl->kids[SHUNT_FUNCTION_lets]->kid_count || count == 0) return NULL;
    shunt_ast *body = function->decl->kids[SHUNT_FUNCTION_result];
    shunt_ast_walk(body, measure_node, &m);
    if (m.nodes > SHORT_NODES || m.looks_up) return NULL;
    for (uint32_t i = 0; i < count; i++)
        if (!shunt_emit_argument(call, i, function->as.function.params[i]->name)) return NULL;
    for (uint32_t i = 0; i < count; i++) {
        const shunt_symbol *param = function->as.function.params[i];
        shunt_emit_given   *given = SHUNT_EMIT_NEW(f->e, &f->given);
        *given = (shunt_emit_given){ param, shunt_emit_argument(call, i, param->name) };
    }
    return f->e->no_memory ? NULL : body;
}

void shunt_emit_short_end(shunt_emit_fn *f, const shunt_symbol *function)
{
    uint32_t count = function->as.function.count;
    f->given.count -= count < f->given.count ? count : f->given.count;
}

/* ---- counting ---- */

static void count(shunt_emit_fn *f, const shunt_ast *node);

static void count_call(shunt_emit_fn *f, const shunt_ast *call)
{
    for (uint32_t i = f->passes.count; i > 0; i--) {
        uint32_t number;
        if (!number_of(f, call, &f->passes.items[i - 1], &number)) continue;
        if (number == f->recalls.count) {
            shunt_emit_recall *made = SHUNT_EMIT_NEW(f->e, &f->recalls);
            *made = (shunt_emit_recall){ .reg = SHUNT_NONE, .type = shunt_emit_type(f->e, &shunt_fact_of(call)->type) };
        }
        if (number < f->recalls.count) f->recalls.items[number].uses++;
        break;
    }
    shunt_ast *body = shunt_emit_short_begin(f, call, shunt_fact_of(call)->symbol);
    if (!body) return;
    count(f, body);
    shunt_emit_short_end(f, shunt_fact_of(call)->symbol);
}

static void count(shunt_emit_fn *f, const shunt_ast *node)
{
    const shunt_fact *fact = shunt_fact_of(node);
    const shunt_ast  *each = NULL;
    if (!node) return;
    if (node->kind == SHUNT_AST_CALL && fact && fact->kind == SHUNT_FACT_FUNCTION && is_pure(f, fact->symbol))
        count_call(f, node);
    if (node->kind == SHUNT_AST_LET && fact && fact->symbol && f->passes.count == 0) {
        const shunt_symbol **let = SHUNT_EMIT_NEW(f->e, &f->outer_lets);
        *let = fact->symbol;
    }
    for (uint32_t i = 0; i < node->kid_count; i++)
        if (node->kids[i] && node->kids[i]->kind == SHUNT_AST_EACH) each = node->kids[i];
    if (each) {
        count(f, each->kids[SHUNT_EACH_list]);
        shunt_emit_pass_begin(f, each, 0);
        count(f, each->kids[SHUNT_EACH_where]);
    }
    for (uint32_t i = 0; i < node->kid_count; i++)
        if (node->kids[i] != each) count(f, node->kids[i]);
    if (each) shunt_emit_pass_end(f);
}

static bool may_stand_in_list(shunt_type type)
{
    return type.kind != SHUNT_KIND_NONE && type.kind != SHUNT_KIND_LIST && type.kind != SHUNT_KIND_NODE;
}

void shunt_emit_find_recalls(shunt_emit_fn *f, shunt_ast *block, const shunt_symbol *unit)
{
    f->unit = unit;
    f->recall_keys = shunt_intern_new(f->e->arena);
    if (!f->recall_keys) {
        f->e->no_memory = true;
        return;
    }
    count(f, block);
    for (uint32_t i = 0; i < f->recalls.count && !f->e->no_memory; i++) {
        shunt_emit_recall *recall = &f->recalls.items[i];
        shunt_type         type = recall->type;
        if (recall->uses < 2 || !may_stand_in_list(type)) continue;
        recall->reg = shunt_emit_kept(
            f,
            (shunt_type){
                .kind = SHUNT_KIND_LIST, .element = type.kind, .scale = type.scale, .record = type.record, .extra = type.extra });
    }
}
