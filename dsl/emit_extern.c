/* emit_extern.c - functions of libraries: each becomes a function of the program that does no more than call it. */
#include "dsl/emit_state.h"

uint16_t shunt_emit_extern(shunt_emitter *e, shunt_symbol *symbol)
{
    uint32_t       count = symbol->as.function.count;
    shunt_emit_fn *f = shunt_emit_fn_new(e, SHUNT_PHASE_PURE);
    shunt_type    *types = SHUNT_NEW_N(e->arena, shunt_type, count + (size_t)1), result = shunt_emit_type(e, &symbol->type);
    if (!f || !types) {
        e->no_memory = true;
        return 0;
    }
    f->span = symbol->span;
    for (uint32_t i = 0; i < count; i++) {
        types[i] = shunt_emit_type(e, &symbol->as.function.params[i]->type);
        shunt_emit_bind_local(f, symbol->as.function.params[i], shunt_emit_param(f, types[i]));
    }
    types[count] = result;
    shunt_extern made = { .name = shunt_emit_text(e, symbol->name),
                          .library = shunt_emit_text(e, symbol->decl->kids[SHUNT_EXTERN_library]->text),
                          .param_count = (uint16_t)count,
                          .optional = symbol->type.optional,
                          .type_first = e->extern_types.count,
                          .cost = symbol->as.function.cost };
    for (uint32_t i = 0; i <= count; i++) {
        shunt_type *type = SHUNT_EMIT_NEW(e, &e->extern_types);
        *type = types[i];
    }
    shunt_extern *out = SHUNT_EMIT_NEW(e, &e->externs);
    *out = made;
    uint16_t run = shunt_emit_run_of(f, types, count + 1);
    for (uint32_t i = 0; i < count; i++) shunt_emit_op(f, SHUNT_OP_MOVE, (uint16_t)(run + i), (uint16_t)i, 0);
    shunt_emit_op(f, SHUNT_OP_EXTERN, run, shunt_emit_number(e, e->externs.count - 1), 0);
    uint16_t at = (uint16_t)(run + count);
    if (symbol->type.length && result.kind == SHUNT_KIND_TEXT)
        shunt_emit_op(f, SHUNT_OP_TEXT_LIMIT, at, at,
                      symbol->type.length > UINT16_MAX ? UINT16_MAX : (uint16_t)symbol->type.length);
    shunt_emit_op(f, SHUNT_OP_RETURN, at, 0, 0);
    return shunt_emit_fn_done(f, symbol->name, result, true);
}
