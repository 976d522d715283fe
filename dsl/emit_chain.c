/* emit_chain.c - maps that take the records of others as their source. Where a record is made, the handlers of all maps that read it follow, in
 * the same function: they run in the unit that makes it, and leave with it. */
#include "dsl/emit_state.h"

enum { HANDLERS_INSIDE = 256 };

/* ---- which maps ---- */

static void add_in_order(shunt_emitter *e, shunt_emit_maps_list *maps, shunt_symbol *map)
{
    shunt_symbol **slot = SHUNT_EMIT_NEW(e, maps);
    if (e->no_memory) return;
    uint32_t at = maps->count - 1;
    *slot = map;
    for (; at && maps->items[at - 1]->as.map.order > map->as.map.order; at--) maps->items[at] = maps->items[at - 1];
    maps->items[at] = map;
}

void shunt_emit_maps_behind(shunt_emitter *e, shunt_symbol *map, shunt_emit_maps_list *maps)
{
    uint32_t walk = ++e->c->map_walks;
    add_in_order(e, maps, map);
    map->as.map.walk = walk;
    for (uint32_t i = 0; i < maps->count && !e->no_memory; i++) /* what a map hands on comes behind it */
        for (uint32_t t = 0; t < maps->items[i]->as.map.target_count; t++) {
            const shunt_target_info *info = maps->items[i]->as.map.targets[t]->as.target;
            for (uint32_t r = 0; r < info->reader_count; r++) {
                if (info->readers[r]->as.map.walk == walk) continue;
                info->readers[r]->as.map.walk = walk;
                add_in_order(e, maps, info->readers[r]);
            }
        }
}

/* ---- the record ---- */

const shunt_emit_handed *shunt_emit_handed_to(const shunt_emitter *e, const shunt_ast *name)
{
    const shunt_fact *fact = shunt_fact_of(name);
    if (!fact || fact->kind != SHUNT_FACT_SYMBOL || name->kind != SHUNT_AST_NAME) return NULL;
    for (uint32_t i = e->handed.count; i > 0; i--)
        if (e->handed.items[i - 1].variable == fact->symbol) return &e->handed.items[i - 1];
    return NULL;
}

shunt_ast *shunt_emit_handed_field(const shunt_emit_handed *handed, uint32_t member)
{
    const shunt_ast    *fields = handed->emit->kids[SHUNT_EMIT_fields];
    const shunt_member *m = &shunt_fact_of(handed->emit)->symbol->as.target->shape->members[member];
    for (uint32_t i = 0; i < fields->kid_count; i++) {
        shunt_ast *field = fields->kids[i];
        bool       fills = field->kind == SHUNT_AST_FIELD || field->kind == SHUNT_AST_FIELD_LIST;
        if (!fills || !shunt_text_equal(field->kids[0]->text, m->name)) continue;
        return field->kind == SHUNT_AST_FIELD ? field->kids[SHUNT_FIELD_value] : field;
    }
    return m->value;
}

/* ---- the handlers ---- */

static void handler(shunt_emit_fn *f, const shunt_ast *emit, const shunt_ast *item, uint16_t row, shunt_emit_place *places)
{
    shunt_emitter     *e = f->e;
    const shunt_ast   *each = item->kids[SHUNT_FOR_EACH_each];
    shunt_symbol      *variable = shunt_fact_of(each)->symbol;
    shunt_ast         *where = each->kids[SHUNT_EACH_where];
    shunt_emit_label   past = { 0 }, *skip = f->skip;
    uint16_t           step = f->step;
    uint32_t           outer = e->handed.count;
    shunt_emit_handed *handed = SHUNT_EMIT_NEW(e, &e->handed);
    *handed = (shunt_emit_handed){ variable, emit, places };
    f->step = SHUNT_NONE;
    f->skip = NULL;
    shunt_emit_region region = shunt_emit_enter(f);
    shunt_emit_bind_local(f, variable, row);
    if (where) shunt_emit_condition(f, where, false, &past);
    shunt_emit_block(f, item->kids[SHUNT_FOR_EACH_block]);
    shunt_emit_leave(f, region);
    shunt_emit_bind(f, &past);
    f->step = step;
    f->skip = skip;
    e->handed.count = outer < e->handed.count ? outer : e->handed.count;
}

static bool is_too_much(shunt_emitter *e, shunt_span span)
{
    if (e->handlers_inside++ < HANDLERS_INSIDE) return false;
    if (!e->wrong)
        shunt_diag_add(e->c->diags, SHUNT_E0912, span, "one unit hands records on in more than %d places", HANDLERS_INSIDE);
    e->wrong = true;
    return true;
}

void shunt_emit_hand_on(shunt_emit_fn *f, const shunt_ast *emit, const shunt_symbol *target, uint16_t base,
                        shunt_emit_place *places)
{
    const shunt_target_info *info = target->as.target;
    if (!info->reader_count) return;
    uint16_t row = shunt_emit_temp(f, shunt_emit_type(f->e, &target->type));
    shunt_emit_op(f, SHUNT_OP_ROW_NEW, row, base, 1);
    for (uint32_t r = 0; r < info->reader_count; r++) {
        const shunt_ast *items = info->readers[r]->decl->kids[SHUNT_MAP_items];
        for (uint32_t i = 0; i < items->kid_count && !shunt_emit_failed(f->e); i++)
            if (items->kids[i]->kind == SHUNT_AST_FOR_EACH && !is_too_much(f->e, emit->span))
                handler(f, emit, items->kids[i], row, places);
    }
}
