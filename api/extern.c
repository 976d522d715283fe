/* extern.c - functions of shared libraries, called as the rules declare them. */
#include "api/extern.h"

#include <dlfcn.h>
#include <ffi.h>
#include <stdio.h>

#include "engine/base/date.h"
#include "engine/base/decimal.h"
#include "shunt/extern.h"

enum { PARAMS_AT_MOST = 32, PATH_AT_MOST = 4096 };

union cell { /* an argument or a result as C sees it */
    bool                 truth;
    int64_t              integer;
    shunt_extern_text    text;
    shunt_extern_decimal decimal;
};

struct bound {
    void *library;
    void (*call)(void);
    ffi_cif    cif;
    ffi_type **types; /* where the result goes, then the parameters */
};

struct shunt_externs {
    const shunt_memory  *memory;
    const shunt_program *program;
    bool                 twice;
    ffi_type             text, decimal;
    ffi_type            *text_parts[3], *decimal_parts[8];
    struct bound         items[];
};

static ffi_type *ffi_of(shunt_externs *e, shunt_type type)
{
    switch (type.kind) {
    case SHUNT_KIND_BOOL: return &ffi_type_uint8;
    case SHUNT_KIND_TEXT: return &e->text;
    case SHUNT_KIND_DECIMAL: return &e->decimal;
    default: return &ffi_type_sint64;
    }
}

static void describe(shunt_externs *e)
{
    ffi_type *text[] = { &ffi_type_pointer, &ffi_type_uint64, NULL };
    ffi_type *decimal[] = { &ffi_type_sint64, &ffi_type_uint64, &ffi_type_uint32, &ffi_type_uint8,
                            &ffi_type_uint8,  &ffi_type_uint8,  &ffi_type_uint8,  NULL };
    memcpy(e->text_parts, text, sizeof text);
    memcpy(e->decimal_parts, decimal, sizeof decimal);
    e->text = (ffi_type){ .type = FFI_TYPE_STRUCT, .elements = e->text_parts };
    e->decimal = (ffi_type){ .type = FFI_TYPE_STRUCT, .elements = e->decimal_parts };
}

static shunt_status bind(shunt_externs *e, uint32_t index, const char *folder, char why[static 200])
{
    const shunt_extern *x = &e->program->externs[index];
    struct bound       *b = &e->items[index];
    shunt_text          library = shunt_program_text(e->program, x->library), name = shunt_program_text(e->program, x->name);
    char                path[PATH_AT_MOST], symbol[256];
    int                 length = snprintf(path, sizeof path, "%s/%.*s.so", folder, SHUNT_TEXT_ARGS(library));
    if (length < 0 || length >= (int)sizeof path || name.length >= sizeof symbol) {
        snprintf(why, 200, "the path of an extern library is too long");
        return SHUNT_USAGE;
    }
    if (name.length > 0) memcpy(symbol, name.bytes, name.length);
    symbol[name.length] = 0;
    b->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!b->library) {
        snprintf(why, 200, "extern library %.150s", dlerror());
        return SHUNT_USAGE;
    }
    void *found = dlsym(b->library, symbol);
    if (!found) {
        snprintf(why, 200, "extern library %.100s has no function `%.60s`", path, symbol);
        return SHUNT_USAGE;
    }
    memcpy(&b->call, &found, sizeof found); /* ISO C has no cast from an object to a function */
    b->types = (ffi_type **)shunt_memory_zeroed(e->memory, x->param_count + (size_t)1, sizeof(ffi_type *));
    if (!b->types) return SHUNT_NO_MEMORY;
    b->types[0] = &ffi_type_pointer;
    for (uint32_t i = 0; i < x->param_count; i++) b->types[i + 1] = ffi_of(e, e->program->extern_types[x->type_first + i]);
    if (ffi_prep_cif(&b->cif, FFI_DEFAULT_ABI, x->param_count + 1u, &ffi_type_sint, b->types) == FFI_OK) return SHUNT_OK;
    snprintf(why, 200, "extern function `%.60s` can not be called on this machine", symbol);
    return SHUNT_USAGE;
}

shunt_status shunt_externs_new(const shunt_memory *memory, const shunt_program *program, const char *folder, bool twice,
                               shunt_externs **externs, char why[static 200])
{
    *externs = NULL;
    if (program->externs_count == 0) return SHUNT_OK;
    if (!folder) {
        shunt_text name = shunt_program_text(program, program->externs[0].name);
        snprintf(why, 200, "these rules call `%.*s` of a library: the host must allow it, as with `--allow-extern FOLDER`",
                 (int)(name.length < 60 ? name.length : 60), name.bytes);
        return SHUNT_USAGE;
    }
    shunt_externs *made =
        (shunt_externs *)shunt_memory_zeroed(memory, 1, sizeof *made + sizeof(struct bound) * (size_t)program->externs_count);
    if (!made) return SHUNT_NO_MEMORY;
    made->memory = memory;
    made->program = program;
    made->twice = twice;
    describe(made);
    shunt_status status = SHUNT_OK;
    for (uint32_t i = 0; i < program->externs_count && status == SHUNT_OK; i++) status = bind(made, i, folder, why);
    if (status != SHUNT_OK)
        shunt_externs_free(made);
    else
        *externs = made;
    return status;
}

void shunt_externs_free(shunt_externs *e)
{
    if (!e) return;
    for (uint32_t i = 0; i < e->program->externs_count; i++) {
        shunt_memory_free(e->memory, e->items[i].types);
        if (e->items[i].library) dlclose(e->items[i].library);
    }
    shunt_memory_free(e->memory, e);
}

/* ---- calls ---- */

static void currency_of(const shunt_program *p, shunt_type type, char out[static 4])
{
    shunt_text currency = type.extra ? p->texts[type.extra] : (shunt_text){ 0 };
    memset(out, 0, 4);
    if (currency.length == 3) memcpy(out, currency.bytes, 3);
}

static void pass(const shunt_program *p, shunt_type type, shunt_value value, union cell *cell)
{
    memset(cell, 0, sizeof *cell);
    switch (type.kind) {
    case SHUNT_KIND_BOOL: cell->truth = value.integer != 0; break;
    case SHUNT_KIND_TEXT: cell->text = (shunt_extern_text){ value.text.length ? value.text.bytes : "", value.text.length }; break;
    case SHUNT_KIND_DECIMAL:
        cell->decimal = (shunt_extern_decimal){ .high = (int64_t)(value.coefficient >> 64),
                                                .low = (uint64_t)value.coefficient,
                                                .scale = type.scale };
        currency_of(p, type, cell->decimal.currency);
        break;
    default: cell->integer = value.integer; break;
    }
}

/* What a library gives is believed no more than what an input holds. */
static shunt_status take(const union cell *cell, shunt_type type, shunt_arena *arena, shunt_value *value)
{
    memset(value, 0, sizeof *value);
    switch (type.kind) {
    case SHUNT_KIND_BOOL: value->integer = *(const unsigned char *)cell != 0; return SHUNT_OK;
    case SHUNT_KIND_TEXT: {
        shunt_text text = { cell->text.bytes, (uint32_t)cell->text.length };
        if (cell->text.length > SHUNT_EXTERN_TEXT_BYTES || (cell->text.length && !cell->text.bytes)) return SHUNT_TEXT_TOO_LONG;
        if (shunt_utf8_bad(text.bytes, text.length) != text.length) return SHUNT_VALUE_INVALID;
        value->text = shunt_text_copy(arena, text);
        return value->text.bytes ? SHUNT_OK : SHUNT_LIMIT_UNIT_BYTES;
    }
    case SHUNT_KIND_DECIMAL:
        value->coefficient = (__int128)(((unsigned __int128)(uint64_t)cell->decimal.high << 64) | cell->decimal.low);
        if (cell->decimal.scale != type.scale) return SHUNT_VALUE_INVALID;
        return shunt_decimal_digits(value->coefficient) <= SHUNT_DECIMAL_DIGITS ? SHUNT_OK : SHUNT_OVERFLOW;
    case SHUNT_KIND_DATE:
        value->integer = cell->integer;
        if (value->integer < shunt_date_days(1, 1, 1) || value->integer > shunt_date_days(9999, 12, 31))
            return SHUNT_VALUE_INVALID;
        return SHUNT_OK;
    default: value->integer = cell->integer; return SHUNT_OK;
    }
}

static bool same(shunt_type type, shunt_value a, shunt_value b)
{
    return type.kind == SHUNT_KIND_TEXT ? shunt_text_equal(a.text, b.text) : a.coefficient == b.coefficient;
}

static shunt_status call_once(const shunt_externs *e, const struct bound *b, const shunt_extern *x, union cell *cells,
                              shunt_arena *arena, shunt_value *result, uint8_t *state)
{
    shunt_type type = e->program->extern_types[x->type_first + x->param_count];
    union cell given;
    void      *where = &given, *values[PARAMS_AT_MOST + 1] = { &where };
    ffi_arg    answer = 0;
    pass(e->program, type, (shunt_value){ 0 }, &given);
    for (uint32_t i = 0; i < x->param_count; i++) values[i + 1] = &cells[i];
    ffi_call((ffi_cif *)(uintptr_t)&b->cif, b->call, &answer, values);
    *state = (int)answer == SHUNT_EXTERN_ABSENT && x->optional ? SHUNT_ABSENT : SHUNT_PRESENT;
    memset(result, 0, sizeof *result);
    if (*state == SHUNT_ABSENT) return SHUNT_OK;
    return (int)answer == SHUNT_EXTERN_DONE ? take(&given, type, arena, result) : SHUNT_EXTERN_FAILED;
}

shunt_status shunt_externs_call(void *context, uint16_t index, const shunt_value *arguments, shunt_arena *arena,
                                shunt_value *result, uint8_t *state)
{
    const shunt_externs *e = context;
    const shunt_extern  *x = &e->program->externs[index];
    union cell           cells[PARAMS_AT_MOST];
    for (uint32_t i = 0; i < x->param_count; i++)
        pass(e->program, e->program->extern_types[x->type_first + i], arguments[i], &cells[i]);
    SHUNT_TRY(call_once(e, &e->items[index], x, cells, arena, result, state));
    if (!e->twice) return SHUNT_OK;
    shunt_value again;
    uint8_t     again_state;
    SHUNT_TRY(call_once(e, &e->items[index], x, cells, arena, &again, &again_state));
    bool equal = again_state == *state && same(e->program->extern_types[x->type_first + x->param_count], *result, again);
    return equal ? SHUNT_OK : SHUNT_EXTERN_IMPURE;
}
