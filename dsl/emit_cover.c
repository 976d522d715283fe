/* emit_cover.c - places of the rules that tests are to reach: a COVER before each of them. */
#include "dsl/emit_state.h"

void shunt_emit_cover(shunt_emit_fn *f, shunt_cover_kind kind, const shunt_ast *node)
{
    shunt_emitter *e = f->e;
    shunt_covers  *covers = e->c->covers;
    uint32_t       number;
    if (!covers || !node) return;
    uint32_t key[] = { node->span.file, node->span.begin, node->span.end, kind, node->kind };
    if (!e->cover_keys) e->cover_keys = shunt_intern_new(e->arena);
    /* A body that is emitted in several places is one place of the rules, also that of a map of several sources. */
    if (!e->cover_keys || !shunt_intern_add(e->cover_keys, (shunt_text){ (const char *)key, sizeof key }, &number)) {
        e->no_memory = true;
        return;
    }
    if (number == covers->count) {
        shunt_cover *cover = SHUNT_EMIT_NEW(e, covers);
        *cover = (shunt_cover){ kind, node };
    }
    if (number <= UINT16_MAX) shunt_emit_op(f, SHUNT_OP_COVER, (uint16_t)number, 0, 0);
}
