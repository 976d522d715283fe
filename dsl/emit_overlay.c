/* emit_overlay.c - overlays: a global each says whether it is active; a map sets those of its module before all else, and what they change
 * asks for them. */
#include "dsl/emit_state.h"

void shunt_emit_overlays(shunt_emitter *e)
{
    for (uint32_t i = 0; i < e->c->overlay_count; i++) {
        shunt_type *type = SHUNT_EMIT_NEW(e, &e->globals);
        *type = (shunt_type){ .kind = SHUNT_KIND_BOOL };
        e->c->overlays[i]->active->number = shunt_emit_number(e, e->globals.count - 1);
    }
}

uint16_t shunt_emit_active(shunt_emit_fn *f, const shunt_overlay *overlay)
{
    f->impure = true;
    return shunt_emit_once(f, SHUNT_OP_GLOBAL_GET, (shunt_type){ .kind = SHUNT_KIND_BOOL }, (uint16_t)overlay->active->number, 0);
}

/* While an overlay is active, its value stands for that of the `let`. */
void shunt_emit_replaced(shunt_emit_fn *f, const shunt_symbol *symbol, shunt_type result)
{
    for (const shunt_replacement *r = symbol->replaced; r; r = r->next) {
        shunt_emit_label  past = { 0 };
        uint32_t          mark = f->temps.count;
        uint16_t          value = shunt_emit_temp(f, result);
        shunt_emit_region region = shunt_emit_enter(f);
        shunt_emit_jump(f, SHUNT_OP_JUMP_FALSE, shunt_emit_active(f, r->overlay), &past);
        f->span = r->value->span;
        shunt_emit_cover(f, SHUNT_COVER_ROW, r->value);
        shunt_emit_into(f, r->value, value);
        shunt_emit_op(f, SHUNT_OP_RETURN, value, 0, 0);
        shunt_emit_leave(f, region);
        shunt_emit_bind(f, &past);
        shunt_emit_release(f, mark);
    }
}

/* Which overlays are active in this transaction. */
void shunt_emit_choose_overlays(shunt_emit_fn *f, const shunt_symbol *map)
{
    for (uint32_t i = 0; i < map->as.map.overlay_count; i++) {
        uint32_t         mark = f->temps.count;
        shunt_emit_label past = { 0 };
        shunt_value      truth = { .integer = 1 };
        f->span = map->as.map.whens[i]->span;
        f->read_slot = SHUNT_NONE;
        uint16_t active = shunt_emit_temp(f, (shunt_type){ .kind = SHUNT_KIND_BOOL });
        shunt_emit_condition(f, map->as.map.whens[i], false, &past);
        shunt_emit_op(f, SHUNT_OP_LOADK, active, shunt_emit_constant(f->e, (shunt_type){ .kind = SHUNT_KIND_BOOL }, truth), 0);
        shunt_emit_op(f, SHUNT_OP_GLOBAL_SET, active, (uint16_t)map->as.map.overlays[i]->active->number, 0);
        shunt_emit_bind(f, &past);
        shunt_emit_release(f, mark);
    }
}

/* Transactions choose overlays; when they are over, none is active. */
void shunt_emit_forget_overlays(shunt_emit_fn *f)
{
    for (uint32_t i = 0; i < f->e->c->overlay_count; i++) {
        uint32_t mark = f->temps.count;
        uint16_t none = shunt_emit_temp(f, (shunt_type){ .kind = SHUNT_KIND_BOOL });
        shunt_emit_op(f, SHUNT_OP_ABSENT, none, 0, 0);
        shunt_emit_op(f, SHUNT_OP_GLOBAL_SET, none, (uint16_t)f->e->c->overlays[i]->active->number, 0);
        shunt_emit_release(f, mark);
    }
}
