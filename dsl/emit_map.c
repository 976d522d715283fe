/* emit_map.c - functions in the order they call each other; what runs when in a map. */
#include "dsl/emit_state.h"
#include "dsl/fold.h"

/* ---- functions and constants ---- */

typedef struct callee {
    shunt_symbol *symbol;
    SHUNT_LIST(uint32_t) calls; /* numbers of callees */
    uint32_t cursor;
    bool     open, done;
} callee;

typedef struct graph {
    shunt_emitter *e;
    SHUNT_LIST(callee) items;
    uint32_t at; /* whose body is being walked */
} graph;

static bool note_call(shunt_ast *node, void *context)
{
    graph            *g = context;
    const shunt_fact *fact = shunt_fact_of(node);
    if (!fact || !fact->symbol || (fact->kind != SHUNT_FACT_FUNCTION && fact->kind != SHUNT_FACT_SYMBOL)) return true;
    if (fact->symbol->kind != SHUNT_SYMBOL_FUNCTION && fact->symbol->kind != SHUNT_SYMBOL_CONSTANT) return true;
    if (fact->symbol == g->items.items[g->at].symbol) return true;
    uint32_t *slot = SHUNT_EMIT_NEW(g->e, &g->items.items[g->at].calls);
    *slot = fact->symbol->number;
    return true;
}

uint16_t shunt_emit_function(shunt_emitter *e, shunt_symbol *symbol)
{
    if (symbol->decl->kind == SHUNT_AST_DECIDE) return shunt_emit_decide(e, symbol);
    if (symbol->decl->kind == SHUNT_AST_EXTERN) return shunt_emit_extern(e, symbol);
    shunt_emit_fn *f = shunt_emit_fn_new(e, SHUNT_PHASE_PURE);
    shunt_type     result = shunt_emit_type(e, &symbol->type);
    shunt_ast     *value =
        symbol->kind == SHUNT_SYMBOL_FUNCTION ? symbol->decl->kids[SHUNT_FUNCTION_result] : symbol->decl->kids[SHUNT_LET_value];
    if (!f) return 0;
    f->span = symbol->span;
    f->impure = shunt_emit_takes_part(symbol);
    if (symbol->kind == SHUNT_SYMBOL_FUNCTION) {
        for (uint32_t i = 0; i < symbol->as.function.count; i++)
            shunt_emit_bind_local(f, symbol->as.function.params[i],
                                  shunt_emit_param(f, shunt_emit_type(e, &symbol->as.function.params[i]->type)));
        const shunt_ast *lets = symbol->decl->kids[SHUNT_FUNCTION_lets];
        for (uint32_t i = 0; i < lets->kid_count; i++) shunt_emit_statement(f, lets->kids[i]);
    }
    shunt_emit_replaced(f, symbol, result);
    uint16_t reg = shunt_emit_temp(f, result);
    f->span = value->span;
    shunt_emit_into(f, value, reg);
    shunt_emit_op(f, SHUNT_OP_RETURN, reg, 0, 0);
    return shunt_emit_fn_done(f, symbol->name, result, !f->impure);
}

/* A constant that is a literal stands where it is used, and is no function. */
static bool needs_function(const shunt_symbol *symbol)
{
    __int128   number;
    shunt_text text;
    if (symbol->kind == SHUNT_SYMBOL_FUNCTION) return !shunt_emit_takes_part(symbol); /* those are made for each place */
    const shunt_ast  *value = symbol->decl->kids[SHUNT_LET_value];
    const shunt_fact *fact = shunt_fact_of(value);
    if (symbol->replaced) return true;
    if (fact->type.kind == symbol->type.kind && fact->type.scale == symbol->type.scale && shunt_fold(value, &number))
        return false;
    return !shunt_fold_text(value, &text);
}

/* Callees first. Without recursion: a chain of calls may be as long as the rules are. */
static void visit_all(graph *g)
{
    SHUNT_LIST(uint32_t) stack = { 0 };
    for (uint32_t start = 0; start < g->items.count; start++) {
        uint32_t *top = SHUNT_EMIT_NEW(g->e, &stack);
        *top = start;
        while (stack.count && !shunt_emit_failed(g->e)) {
            callee *at = &g->items.items[stack.items[stack.count - 1]];
            at->open = true;
            if (!at->done && at->cursor < at->calls.count) {
                uint32_t next = at->calls.items[at->cursor++];
                if (g->items.items[next].open) continue;
                top = SHUNT_EMIT_NEW(g->e, &stack);
                *top = next;
                continue;
            }
            if (!at->done && needs_function(at->symbol)) at->symbol->number = shunt_emit_function(g->e, at->symbol);
            at->done = true;
            stack.count--;
        }
    }
}

void shunt_emit_functions(shunt_emitter *e)
{
    graph g = { .e = e };
    shunt_emit_overlays(e);
    for (uint32_t i = 0; i < e->c->symbol_count; i++) {
        shunt_symbol *symbol = e->c->symbols[i];
        if (symbol->kind != SHUNT_SYMBOL_FUNCTION && symbol->kind != SHUNT_SYMBOL_CONSTANT) continue;
        callee *item = SHUNT_EMIT_NEW(e, &g.items);
        item->symbol = symbol;
        symbol->number = g.items.count ? g.items.count - 1 : 0;
    }
    for (g.at = 0; g.at < g.items.count && !e->no_memory; g.at++) {
        const shunt_symbol *symbol = g.items.items[g.at].symbol;
        bool                decision = symbol->decl->kind == SHUNT_AST_DECIDE;
        shunt_ast_walk(decision ? symbol->as.function.rows : symbol->decl, note_call, &g);
        for (const shunt_replacement *r = symbol->replaced; r; r = r->next)
            shunt_ast_walk(r->rows ? r->rows : r->value, note_call, &g);
    }
    if (!e->no_memory) visit_all(&g);
    for (uint32_t i = 0; i < g.items.count && !e->no_memory; i++)
        if (shunt_emit_takes_part(g.items.items[i].symbol)) g.items.items[i].symbol->number = UINT32_MAX; /* none of its own */
}

/* ---- maps ---- */

shunt_type shunt_emit_tally_type(shunt_emitter *e, const shunt_symbol *tally)
{
    const shunt_ty *type = &tally->type;
    if (tally->as.tally.grouped && type->kind == SHUNT_TY_LIST && type->item && type->item->shape)
        return shunt_emit_type(e, &type->item->shape->members[tally->as.tally.key_count].type);
    return shunt_emit_type(e, type);
}

static const shunt_scope scopes[] = {
    [SHUNT_LANG_UNIT] = SHUNT_SCOPE_UNIT,
    [SHUNT_LANG_TRANSACTION] = SHUNT_SCOPE_TRANSACTION,
    [SHUNT_LANG_BATCH] = SHUNT_SCOPE_BATCH,
    [SHUNT_LANG_FILE] = SHUNT_SCOPE_FILE,
};

/* A function that gets the node of the set, or none in the wider scopes. */
static shunt_emit_fn *begin_set_function(shunt_emitter *e, shunt_emit_phase phase, const shunt_symbol *source, shunt_span span)
{
    shunt_emit_fn *f = shunt_emit_fn_new(e, phase);
    if (!f) return NULL;
    f->span = span;
    if (source) f->node = shunt_emit_param(f, (shunt_type){ .kind = SHUNT_KIND_NODE, .record = shunt_emit_set_frame(e, source) });
    return f;
}

static uint16_t end_handler(shunt_emit_fn *f, shunt_text name)
{
    shunt_emit_op(f, SHUNT_OP_FINISH, 0, 0, 0);
    return shunt_emit_fn_done(f, name, (shunt_type){ 0 }, false);
}

static uint16_t block_function(shunt_emitter *e, shunt_emit_phase phase, shunt_scope least, const shunt_symbol *source,
                               shunt_ast *block, const char *name)
{
    shunt_emit_fn *f = begin_set_function(e, phase, source, block->span);
    if (!f) return SHUNT_NONE;
    f->least = least;
    if (!source) shunt_emit_forget_overlays(f);
    shunt_emit_find_recalls(f, block, NULL);
    shunt_emit_block(f, block);
    return end_handler(f, shunt_text_of(name));
}

static shunt_lang_scope scope_of_end(const shunt_ast *item) { return shunt_fact_of(item)->scope; }

/* `at end` of a scope: that of the map, then those of the maps that read its records. Each `skip` ends its own. */
static uint16_t end_function(shunt_emitter *e, const shunt_emit_maps_list *maps, shunt_lang_scope scope,
                             const shunt_symbol *source)
{
    static const char *const names[] = { "at end", "at end", "at end of batch", "at end of file" };
    SHUNT_LIST(shunt_ast *) blocks = { 0 };
    for (uint32_t m = 0; m < maps->count; m++) {
        const shunt_ast *items = maps->items[m]->decl->kids[SHUNT_MAP_items];
        if (m && scope != SHUNT_LANG_TRANSACTION && maps->items[m]->place != maps->items[0]) continue; /* another one ends it */
        for (uint32_t i = 0; i < items->kid_count; i++) {
            if (items->kids[i]->kind != SHUNT_AST_AT_END || scope_of_end(items->kids[i]) != scope) continue;
            shunt_ast **slot = SHUNT_EMIT_NEW(e, &blocks);
            *slot = items->kids[i]->kids[SHUNT_AT_END_block];
        }
    }
    if (scope != SHUNT_LANG_TRANSACTION) source = NULL;
    if (!blocks.count || e->no_memory) return SHUNT_NONE;
    if (blocks.count == 1) return block_function(e, SHUNT_PHASE_END, scopes[scope], source, blocks.items[0], names[scope]);
    shunt_emit_fn *f = begin_set_function(e, SHUNT_PHASE_END, source, blocks.items[0]->span);
    if (!f) return SHUNT_NONE;
    f->least = scopes[scope];
    if (!source) shunt_emit_forget_overlays(f);
    for (uint32_t i = 0; i < blocks.count; i++) {
        shunt_emit_label past = { 0 };
        f->skip = &past;
        shunt_emit_block(f, blocks.items[i]);
        shunt_emit_bind(f, &past);
    }
    return end_handler(f, shunt_text_of(names[scope]));
}

static void correlate(shunt_emit_fn *f, const shunt_ast *node)
{
    const shunt_ast *parts = node->kids[SHUNT_CORRELATE_parts];
    uint32_t         mark = f->temps.count;
    shunt_type      *types = SHUNT_NEW_N(f->e->arena, shunt_type, parts->kid_count + 1);
    if (!types) {
        f->e->no_memory = true;
        return;
    }
    f->span = node->span;
    for (uint32_t i = 0; i < parts->kid_count; i++) types[i] = (shunt_type){ .kind = SHUNT_KIND_TEXT };
    uint16_t run = shunt_emit_run_of(f, types, parts->kid_count);
    for (uint32_t i = 0; i < parts->kid_count; i++) shunt_emit_text_into(f, parts->kids[i], (uint16_t)(run + i));
    shunt_emit_op(f, SHUNT_OP_CORRELATE, run, shunt_emit_number(f->e, parts->kid_count), 0);
    shunt_emit_release(f, mark);
}

static void global_let(shunt_emit_fn *f, shunt_ast *node)
{
    shunt_symbol *symbol = shunt_fact_of(node)->symbol;
    uint32_t      mark = f->temps.count;
    f->span = node->span;
    f->read_slot = SHUNT_NONE;
    uint16_t reg = shunt_emit_temp(f, shunt_emit_type(f->e, &symbol->type));
    shunt_emit_into(f, node->kids[SHUNT_LET_value], reg);
    shunt_emit_op(f, SHUNT_OP_GLOBAL_SET, reg, (uint16_t)symbol->number, 0);
    shunt_emit_release(f, mark);
}

/* Does something run in the `early` function, or in the `late` one? */
static bool has_lets(const shunt_emit_maps_list *maps, bool late)
{
    for (uint32_t m = 0; m < maps->count; m++) {
        const shunt_ast *items = maps->items[m]->decl->kids[SHUNT_MAP_items];
        if (!late && maps->items[m]->as.map.overlay_count) return true;
        for (uint32_t i = 0; i < items->kid_count; i++) {
            const shunt_ast *item = items->kids[i];
            if (item->kind == SHUNT_AST_LET && shunt_fact_of(item)->symbol->as.global.late == late) return true;
            if (item->kind == SHUNT_AST_CORRELATE && !late) return true;
        }
    }
    return false;
}

/* The overlays, `correlate by` and the lets of a map that are known before its units, or the lets that are not; then those of the maps
 * that read its records. */
static uint16_t lets_function(shunt_emitter *e, const shunt_emit_maps_list *maps, const shunt_symbol *source, bool late)
{
    const shunt_ast *own = maps->items[0]->decl->kids[SHUNT_MAP_items];
    if (!has_lets(maps, late)) return SHUNT_NONE;
    shunt_emit_fn *f = begin_set_function(e, late ? SHUNT_PHASE_LATE : SHUNT_PHASE_EARLY, source, own->span);
    if (!f) return SHUNT_NONE;
    if (!late) shunt_emit_choose_overlays(f, maps->items[0]);
    for (uint32_t i = 0; i < own->kid_count; i++)
        if (own->kids[i]->kind == SHUNT_AST_CORRELATE && !late) correlate(f, own->kids[i]);
    for (uint32_t m = 0; m < maps->count; m++) {
        const shunt_ast *items = maps->items[m]->decl->kids[SHUNT_MAP_items];
        for (uint32_t i = 0; i < items->kid_count; i++)
            if (items->kids[i]->kind == SHUNT_AST_LET && shunt_fact_of(items->kids[i])->symbol->as.global.late == late)
                global_let(f, items->kids[i]);
    }
    return end_handler(f, late ? SHUNT_TEXT("late") : SHUNT_TEXT("early"));
}

/* What the engine adds goes to the groups as well, in the same run. */
static void add_to_group(shunt_emit_fn *f, const shunt_symbol *tally, uint16_t amount)
{
    shunt_ast        *by = tally->decl->kids[SHUNT_TALLY_by];
    shunt_ast *const *keys = by->kind == SHUNT_AST_ARRAY ? by->kids : &by;
    uint32_t          count = tally->as.tally.key_count;
    shunt_type       *types = SHUNT_NEW_N(f->e->arena, shunt_type, count + 1);
    if (!types) {
        f->e->no_memory = true;
        return;
    }
    for (uint32_t i = 0; i < count; i++) types[i] = (shunt_type){ .kind = SHUNT_KIND_TEXT };
    uint16_t run = shunt_emit_run_of(f, types, count);
    for (uint32_t i = 0; i < count; i++) shunt_emit_text_into(f, keys[i], (uint16_t)(run + i));
    shunt_emit_op(f, SHUNT_OP_TALLY_ADD, (uint16_t)tally->number, amount, run);
}

static uint16_t tally_function(shunt_emitter *e, shunt_symbol *tally, shunt_type type, uint16_t frame)
{
    shunt_emit_fn   *f = shunt_emit_fn_new(e, SHUNT_PHASE_TALLY);
    shunt_ast       *decl = tally->decl, *each = decl->kids[SHUNT_TALLY_each];
    shunt_emit_label none = { 0 };
    if (!f) return 0;
    f->span = decl->span;
    f->node = shunt_emit_param(f, (shunt_type){ .kind = SHUNT_KIND_NODE, .record = frame });
    if (each && shunt_fact_of(each)->symbol) shunt_emit_bind_local(f, shunt_fact_of(each)->symbol, f->node);
    if (tally->as.tally.variable) shunt_emit_bind_local(f, tally->as.tally.variable, f->node);
    if (each && each->kids[SHUNT_EACH_where]) shunt_emit_condition(f, each->kids[SHUNT_EACH_where], false, &none);
    uint16_t result = shunt_emit_temp(f, type);
    f->span = decl->kids[SHUNT_TALLY_of]->span;
    shunt_emit_into(f, decl->kids[SHUNT_TALLY_of], result);
    if (tally->as.tally.grouped) add_to_group(f, tally, result);
    shunt_emit_op(f, SHUNT_OP_RETURN, result, 0, 0);
    if (none.jumps.count) {
        shunt_emit_bind(f, &none);
        shunt_emit_op(f, SHUNT_OP_LOADK, result, shunt_emit_constant(e, type, (shunt_value){ 0 }), 0);
        shunt_emit_op(f, SHUNT_OP_RETURN, result, 0, 0);
    }
    return shunt_emit_fn_done(f, tally->name, type, false);
}

static void add_tallies(shunt_emitter *e, const shunt_ast *items, const shunt_symbol *source)
{
    for (uint32_t i = 0; i < items->kid_count; i++) {
        if (items->kids[i]->kind != SHUNT_AST_TALLY) continue;
        shunt_symbol *symbol = shunt_fact_of(items->kids[i])->symbol;
        shunt_tally   tally = {
              .name = shunt_emit_text(e, symbol->name),
              .scope = (uint8_t)scopes[symbol->as.tally.scope],
              .declared = symbol->as.tally.declared,
              .frame = SHUNT_NONE,
              .function = SHUNT_NONE,
              .record = symbol->as.tally.grouped ? shunt_emit_record(e, symbol->type.item->shape) : SHUNT_NONE,
              .keys = (uint16_t)symbol->as.tally.key_count,
              .members = symbol->as.tally.members,
              .source = (uint16_t)source->number,
              .limit = symbol->as.tally.limit,
              .type = shunt_emit_tally_type(e, symbol),
        };
        if (tally.declared) tally.frame = shunt_emit_frame(e, symbol->as.tally.loop);
        if (tally.declared && symbol->as.tally.grouped) { /* the sum, which the report shows, and its groups */
            shunt_tally *sum = SHUNT_EMIT_NEW(e, &e->tallies);
            *sum = tally;
            sum->record = SHUNT_NONE;
            sum->keys = sum->members = 0;
            sum->limit = 0;
            tally.frame = SHUNT_NONE;
            tally.declared = 2;
        }
        shunt_tally *out = SHUNT_EMIT_NEW(e, &e->tallies);
        *out = tally;
        symbol->number = shunt_emit_number(e, e->tallies.count - 1);
    }
    for (uint32_t i = 0; i < items->kid_count && !shunt_emit_failed(e); i++) {
        if (items->kids[i]->kind != SHUNT_AST_TALLY) continue;
        shunt_symbol *symbol = shunt_fact_of(items->kids[i])->symbol;
        if (!symbol->as.tally.declared) continue;
        uint32_t sum = symbol->number - symbol->as.tally.grouped;
        uint16_t function = tally_function(e, symbol, e->tallies.items[sum].type, e->tallies.items[sum].frame);
        e->tallies.items[sum].function = function;
    }
}

static uint16_t bare_skip(shunt_emit_fn *f, shunt_span span)
{
    shunt_exit *exit = SHUNT_EMIT_NEW(f->e, &f->e->exits);
    *exit = (shunt_exit){
        .kind = SHUNT_EXIT_SKIP, .code = SHUNT_NONE, .site = shunt_emit_site(f->e, span, f->step), .slot = SHUNT_NONE
    };
    shunt_emit_slot *slot = SHUNT_EMIT_NEW(f->e, &f->e->exit_slots);
    *slot = (shunt_emit_slot){ SHUNT_NONE, SHUNT_NONE };
    return shunt_emit_number(f->e, f->e->exits.count - 1);
}

/* A unit that `where` leaves out is skipped. */
static void add_handler(shunt_emitter *e, shunt_ast *item, const shunt_symbol *source)
{
    shunt_ast            *each = item->kids[SHUNT_FOR_EACH_each];
    const shunt_loop_ref *loop = shunt_fact_of(each->kids[SHUNT_EACH_list])->type.item->loop;
    if (loop->source != source) return;
    uint16_t       frame = shunt_emit_frame(e, loop);
    shunt_emit_fn *f = shunt_emit_fn_new(e, SHUNT_PHASE_UNIT);
    if (!f) return;
    shunt_plan_maker_unit(e->plan, frame);
    f->span = each->span;
    f->node = shunt_emit_param(f, (shunt_type){ .kind = SHUNT_KIND_NODE, .record = frame });
    shunt_emit_bind_local(f, shunt_fact_of(each)->symbol, f->node);
    if (each->kids[SHUNT_EACH_where] && each->kids[SHUNT_EACH_where]->kind != SHUNT_AST_TRUE) {
        shunt_emit_label taken = { 0 };
        shunt_emit_condition(f, each->kids[SHUNT_EACH_where], true, &taken);
        uint16_t text = shunt_emit_temp(f, (shunt_type){ .kind = SHUNT_KIND_TEXT });
        shunt_emit_op(f, SHUNT_OP_ABSENT, text, 0, 0);
        shunt_emit_op(f, SHUNT_OP_EXIT, bare_skip(f, each->span), text, 0);
        shunt_emit_bind(f, &taken);
    }
    shunt_emit_look_around(f, item->kids[SHUNT_FOR_EACH_block], shunt_fact_of(each)->symbol);
    shunt_emit_find_recalls(f, item->kids[SHUNT_FOR_EACH_block], shunt_fact_of(each)->symbol);
    shunt_emit_block(f, item->kids[SHUNT_FOR_EACH_block]);
    shunt_handler  made = { .source = (uint16_t)source->number,
                            .frame = frame,
                            .function = end_handler(f, each->kids[SHUNT_EACH_variable]->text) };
    shunt_handler *out = SHUNT_EMIT_NEW(e, &e->handlers);
    *out = made;
}

/* An exit that stands for failures: it has no place among instructions. */
static uint16_t error_exit(shunt_emitter *e, shunt_ast *exit)
{
    shunt_emit_fn *f = shunt_emit_fn_new(e, SHUNT_PHASE_UNIT);
    return f && exit ? shunt_emit_exit_number(f, exit) : SHUNT_NONE;
}

static bool is_placed(const shunt_emitter *e, const shunt_symbol *map)
{
    for (uint32_t i = 0; i < e->placed.count; i++)
        if (e->placed.items[i] == map) return true;
    return false;
}

/* Places of the values that maps keep, their `let`s and their totals: those of a map of records are the same whoever makes the records. */
static void place_values(shunt_emitter *e, const shunt_emit_maps_list *maps, const shunt_symbol *source)
{
    for (uint32_t m = 0; m < maps->count; m++) {
        const shunt_ast *items = maps->items[m]->decl->kids[SHUNT_MAP_items];
        if (is_placed(e, maps->items[m])) continue;
        for (uint32_t i = 0; i < items->kid_count; i++) {
            if (items->kids[i]->kind != SHUNT_AST_LET) continue;
            shunt_symbol *symbol = shunt_fact_of(items->kids[i])->symbol;
            shunt_type   *type = SHUNT_EMIT_NEW(e, &e->globals);
            *type = shunt_emit_type(e, &symbol->type);
            symbol->number = shunt_emit_number(e, e->globals.count - 1);
        }
    }
    shunt_emit_set_frame(e, source);
    for (uint32_t m = 0; m < maps->count && !shunt_emit_failed(e); m++)
        if (!is_placed(e, maps->items[m])) add_tallies(e, maps->items[m]->decl->kids[SHUNT_MAP_items], source);
}

static void placed(shunt_emitter *e, const shunt_emit_maps_list *maps)
{
    for (uint32_t m = 1; m < maps->count; m++) {
        if (is_placed(e, maps->items[m])) continue;
        const shunt_symbol **slot = SHUNT_EMIT_NEW(e, &e->placed);
        *slot = maps->items[m];
    }
}

static void add_map(shunt_emitter *e, shunt_symbol *map, const shunt_symbol *source)
{
    const shunt_ast     *items = map->decl->kids[SHUNT_MAP_items];
    shunt_emit_maps_list maps = { 0 };
    shunt_map_entry      entry = {
             .name = shunt_emit_text(e, map->name),
             .source = (uint16_t)source->number,
             .at_start = SHUNT_NONE,
             .early = SHUNT_NONE,
             .late = SHUNT_NONE,
             .at_end = SHUNT_NONE,
             .at_end_batch = SHUNT_NONE,
             .at_end_file = SHUNT_NONE,
             .on_error = SHUNT_NONE,
             .source_error = SHUNT_NONE,
    };
    shunt_emit_maps_behind(e, map, &maps);
    if (e->no_memory) return;
    place_values(e, &maps, source);
    entry.early = lets_function(e, &maps, source, false);
    entry.late = lets_function(e, &maps, source, true);
    for (uint32_t i = 0; i < items->kid_count && !shunt_emit_failed(e); i++) {
        shunt_ast *item = items->kids[i];
        e->handlers_inside = 0;
        if (item->kind == SHUNT_AST_ON_ERROR)
            entry.on_error = error_exit(e, item->kids[SHUNT_ON_ERROR_exit]);
        else if (item->kind == SHUNT_AST_AT_START)
            entry.at_start = block_function(e, SHUNT_PHASE_START, SHUNT_SCOPE_TRANSACTION, source,
                                            item->kids[SHUNT_AT_START_block], "at start");
        else if (item->kind == SHUNT_AST_FOR_EACH)
            add_handler(e, item, source);
    }
    e->handlers_inside = 0;
    if (!shunt_emit_failed(e)) entry.at_end = end_function(e, &maps, SHUNT_LANG_TRANSACTION, source);
    if (!shunt_emit_failed(e)) entry.at_end_batch = end_function(e, &maps, SHUNT_LANG_BATCH, source);
    if (!shunt_emit_failed(e)) entry.at_end_file = end_function(e, &maps, SHUNT_LANG_FILE, source);
    placed(e, &maps);
    entry.source_error = error_exit(e, source->as.source->on_error);
    if (entry.at_end_batch != SHUNT_NONE && e->widest < SHUNT_SCOPE_BATCH) e->widest = SHUNT_SCOPE_BATCH;
    if (entry.at_end_file != SHUNT_NONE) e->widest = SHUNT_SCOPE_FILE;
    shunt_map_entry *out = SHUNT_EMIT_NEW(e, &e->maps);
    *out = entry;
}

/* Wider scopes end once, whoever makes the records: behind the last map that may. */
static void find_last_makers(shunt_emitter *e)
{
    for (uint32_t i = 0; i < e->c->symbol_count && !e->no_memory; i++) {
        shunt_symbol        *map = e->c->symbols[i];
        shunt_emit_maps_list maps = { 0 };
        if (map->kind != SHUNT_SYMBOL_MAP || map->as.map.record) continue;
        shunt_emit_maps_behind(e, map, &maps);
        for (uint32_t m = 1; m < maps.count; m++) maps.items[m]->place = map;
    }
}

void shunt_emit_maps(shunt_emitter *e)
{
    find_last_makers(e);
    for (uint32_t i = 0; i < e->c->symbol_count && !shunt_emit_failed(e); i++) {
        shunt_symbol *map = e->c->symbols[i];
        if (map->kind != SHUNT_SYMBOL_MAP) continue;
        for (uint32_t k = 0; k < map->as.map.source_count; k++) add_map(e, map, map->as.map.sources[k]);
    }
    /* An exit of the whole file undoes what any map has made, so every map waits for it. */
    for (uint32_t i = 0; i < e->maps.count && !e->no_memory; i++) e->maps.items[i].widest = (uint16_t)e->widest;
}
