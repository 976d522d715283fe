/* lineage.c - which captured values a field of a record is made of, as far as the rules say it before they run: through `let`s,
 * variables, conditions inside expressions and arguments of calls. It errs on the side of too many. */
#include "dsl/emit_state.h"

typedef struct search {
    shunt_emitter *e;
    uint16_t       target, field;
    uint32_t       site;
    SHUNT_LIST(shunt_ast *) todo; /* expressions still to be looked at */
} search;

static void found(search *s, shunt_emit_slot at)
{
    shunt_emitter *e = s->e;
    uint16_t       key[] = { s->target, s->field, at.frame, at.slot };
    uint32_t       number;
    if (at.slot == SHUNT_NONE) return;
    if (!shunt_intern_add(e->lineage_keys, (shunt_text){ (const char *)key, sizeof key }, &number)) {
        e->no_memory = true;
        return;
    }
    if (number < e->lineage_of.count) return;
    shunt_emit_lineage *line = SHUNT_EMIT_NEW(e, &e->lineage_of);
    line->line = (shunt_lineage){ .target = s->target, .field = s->field, .site = s->site };
    line->slot = at;
}

static void later(search *s, shunt_ast *node)
{
    if (!node) return;
    shunt_ast **slot = SHUNT_EMIT_NEW(s->e, &s->todo);
    *slot = node;
}

/* What a name stands for is looked at once in a search. */
static void follow(search *s, shunt_symbol *symbol)
{
    if (symbol->place == s->e->stamp || !symbol->decl) return;
    symbol->place = s->e->stamp;
    switch (symbol->kind) {
    case SHUNT_SYMBOL_LOCAL:
    case SHUNT_SYMBOL_GLOBAL:
    case SHUNT_SYMBOL_CONSTANT:
        if (symbol->decl->kind == SHUNT_AST_LET) later(s, symbol->decl->kids[SHUNT_LET_value]);
        break;
    case SHUNT_SYMBOL_VARIABLE:
        for (uint32_t i = s->e->handed.count; i > 0; i--) {
            if (s->e->handed.items[i - 1].variable != symbol) continue;
            later(s, s->e->handed.items[i - 1].emit->kids[SHUNT_EMIT_fields]);
            return;
        }
        if (symbol->decl->kind == SHUNT_AST_EACH) later(s, symbol->decl->kids[SHUNT_EACH_list]);
        break;
    case SHUNT_SYMBOL_TALLY:
        if (symbol->decl->kind == SHUNT_AST_TALLY) later(s, symbol->decl->kids[SHUNT_TALLY_of]);
        break;
    default: break;
    }
}

/* The call that makes the rows of a list, where that can be told. */
static const shunt_ast *maker_of(const shunt_ast *node)
{
    for (unsigned hops = 0; node && hops < 64; hops++) {
        const shunt_fact *fact = shunt_fact_of(node);
        if (!fact) return NULL;
        if (node->kind == SHUNT_AST_CALL) return fact->kind == SHUNT_FACT_BUILTIN ? node : NULL;
        if (node->kind == SHUNT_AST_FILTER) {
            node = node->kids[SHUNT_FILTER_of];
        } else if (fact->kind == SHUNT_FACT_SYMBOL && fact->symbol && fact->symbol->decl &&
                   fact->symbol->decl->kind == SHUNT_AST_LET) {
            node = fact->symbol->decl->kids[SHUNT_LET_value];
        } else if (fact->kind == SHUNT_FACT_SYMBOL && fact->symbol && fact->symbol->decl &&
                   fact->symbol->decl->kind == SHUNT_AST_EACH) {
            node = fact->symbol->decl->kids[SHUNT_EACH_list];
        } else {
            return NULL;
        }
    }
    return NULL;
}

/* What a collecting call has been made into; `field` UINT32_MAX = all that its rows hold. */
static bool collected(search *s, const shunt_ast *call, uint32_t field)
{
    const shunt_fact *fact = shunt_fact_of(call);
    const shunt_ast  *args = call->kids[SHUNT_CALL_args];
    bool              known = false;
    if (!args || args->kid_count == 0) return false;
    const shunt_fact *arg = shunt_fact_of(args->kids[0]);
    for (uint32_t i = 0; arg && i < s->e->made.count; i++) {
        const shunt_emit_made *made = &s->e->made.items[i];
        bool                   same = made->builtin == fact->builtin &&
                    (made->loop == arg->type.loop ||
                     (arg->symbol && arg->symbol->kind == SHUNT_SYMBOL_SOURCE && made->loop->source == arg->symbol));
        if (!same) continue;
        known = true;
        for (uint32_t k = 0; k < made->reads.count; k++)
            if (field == UINT32_MAX || made->reads.items[k].field == field) found(s, made->reads.items[k].at);
    }
    return known;
}

static bool visit(shunt_ast *node, void *context);

static void look_at_rest(search *s, uint32_t from)
{
    while (s->todo.count > from && !s->e->no_memory) shunt_ast_walk(s->todo.items[--s->todo.count], visit, s);
}

/* The body of a function that takes a part of the message: its names are marked anew for each place. */
static void look_inside(void *context, const shunt_symbol *function)
{
    search  *s = context;
    void    *stamp = s->e->stamp, *own = shunt_arena_bytes(s->e->arena, 1);
    uint32_t before = s->todo.count;
    if (!own) {
        s->e->no_memory = true;
        return;
    }
    s->e->stamp = own;
    later(s, function->decl->kids[SHUNT_FUNCTION_result]);
    look_at_rest(s, before);
    s->e->stamp = stamp;
}

static bool visit(shunt_ast *node, void *context)
{
    search           *s = context;
    const shunt_fact *fact = shunt_fact_of(node);
    if (!fact) return true;
    switch (fact->kind) {
    case SHUNT_FACT_PATH:
    case SHUNT_FACT_RANGE_PART:
        if (fact->path && fact->path->kind == SHUNT_PATH_VALUE)
            found(s, shunt_emit_slot_of(s->e, fact->path, &fact->type, node->span)); /* of a part taken by a function: none */
        if (fact->path && fact->path->base) later(s, fact->path->base);
        return fact->path == NULL;
    case SHUNT_FACT_SYMBOL:
        if (fact->symbol) follow(s, fact->symbol);
        return true;
    case SHUNT_FACT_FIELD: {
        const shunt_emit_handed *handed =
            node->kind == SHUNT_AST_MEMBER ? shunt_emit_handed_to(s->e, node->kids[SHUNT_MEMBER_of]) : NULL;
        if (handed) {
            later(s, shunt_emit_handed_field(handed, fact->member));
            return false;
        }
        const shunt_ast *maker = node->kind == SHUNT_AST_MEMBER ? maker_of(node->kids[SHUNT_MEMBER_of]) : NULL;
        return !maker || !collected(s, maker, fact->member);
    }
    case SHUNT_FACT_FUNCTION:
        if (shunt_emit_takes_part(fact->symbol)) shunt_emit_in_places(s->e, node, fact->symbol, look_inside, s);
        return true;
    case SHUNT_FACT_BUILTIN:
        if (node->kind == SHUNT_AST_CALL) collected(s, node, UINT32_MAX);
        return true;
    default: return true;
    }
}

void shunt_emit_depends(shunt_emitter *e, uint16_t target, uint16_t field, uint32_t site, shunt_ast *value)
{
    search s = { .e = e, .target = target, .field = field, .site = site };
    char  *stamp = shunt_arena_bytes(e->arena, 1); /* an address that no other search has */
    if (!stamp) {
        e->no_memory = true;
        return;
    }
    e->search = e->stamp = stamp;
    later(&s, value);
    look_at_rest(&s, 0);
}
