/* dictionary_fhir.c - what the dictionary of FHIR knows, as text. */
#include "api/dictionary_fhir.h"

#include "standards/fhir/types.h"

enum { CODES_SHOWN = 12, TYPES_SHOWN = 8, NAME_WIDTH = 28, TYPE_WIDTH = 74 };

static const char *const versions[] = { "4.0.1", "5.0.0" };
static const char *const kinds[] = { "primitive", "data type", "part", "resource" };

static void pad(shunt_buffer *out, size_t from, size_t width)
{
    do shunt_buffer_char(out, ' ');
    while (out->length < from + width && !out->failed);
}

static void classes(shunt_buffer *out, uint32_t phi)
{
    const char *before = "  phi ";
    for (int i = 0; i < SHUNT_PHI_INDEX_COUNT; i++) {
        if (!(phi & 1u << i)) continue;
        shunt_buffer_format(out, "%s%s", before, shunt_phi_name((shunt_phi_index)i));
        before = ", ";
    }
}

static void codes(shunt_buffer *out, const shunt_codeset *set, uint32_t shown)
{
    if (!set) return;
    shunt_buffer_z(out, "  one of");
    for (uint32_t i = 0; i < set->count && i < shown; i++) shunt_buffer_format(out, " %s", set->values[i]);
    if (set->count > shown) shunt_buffer_format(out, " ... (%u)", set->count);
}

static void type_of(shunt_buffer *out, const shunt_fhir_element *e)
{
    shunt_buffer_z(out, e->type);
    if (e->targets) shunt_buffer_format(out, "(%s)", e->targets);
}

/* The types of a choice, which stand in a row: `value[x]`. Gives the number of the last of them. */
static uint32_t choice(shunt_buffer *out, const shunt_fhir_type *type, uint32_t first)
{
    uint32_t last = first, left = 0;
    for (uint32_t i = first; i < type->element_count; i++) {
        const shunt_fhir_element *e = &type->elements[i];
        if (!e->choice || strcmp(e->choice, type->elements[first].choice) != 0) break;
        if (i - first < TYPES_SHOWN) {
            if (i > first) shunt_buffer_z(out, ", ");
            type_of(out, e);
        } else {
            left++;
        }
        last = i;
    }
    if (left) shunt_buffer_format(out, " and %u more", left);
    return last;
}

static void about(shunt_buffer *out, const char *version, const shunt_fhir_element *e, shunt_fhir_phi around, uint32_t shown)
{
    const shunt_fhir_type *type = shunt_fhir_type_find(version, shunt_text_of(e->type));
    if (e->words[0]) shunt_buffer_format(out, "  %s", e->words);
    codes(out, e->codes, shown);
    classes(out, shunt_fhir_phi_enter(around, e, type).classes);
}

static void element_lines(shunt_buffer *out, const char *version, const shunt_fhir_type *type, shunt_fhir_phi phi)
{
    for (uint32_t i = 0; i < type->element_count; i++) {
        const shunt_fhir_element *e = &type->elements[i];
        size_t                    from = out->length;
        shunt_buffer_format(out, "  %s%s", e->choice ? e->choice : e->name, e->choice ? "[x]" : "");
        pad(out, from, NAME_WIDTH);
        shunt_buffer_format(out, "%u..", e->min);
        if (e->max)
            shunt_buffer_format(out, "%u", e->max);
        else
            shunt_buffer_char(out, '*');
        pad(out, from, NAME_WIDTH + 6);
        if (e->choice)
            i = choice(out, type, i);
        else
            type_of(out, e);
        size_t line = out->length;
        pad(out, from, TYPE_WIDTH);
        size_t blank = out->length;
        about(out, version, e, phi, CODES_SHOWN);
        if (out->length == blank) out->length = line; /* no blanks at the end */
        shunt_buffer_char(out, '\n');
    }
}

static bool next_part(shunt_text *rest, shunt_text *part)
{
    if (!rest->length) return false;
    const char *dot = memchr(rest->bytes, '.', rest->length);
    part->bytes = rest->bytes;
    part->length = dot ? (uint32_t)(dot - rest->bytes) : rest->length;
    uint32_t used = part->length + (dot != NULL);
    *rest = (shunt_text){ rest->bytes + used, rest->length - used };
    return true;
}

/* The path from a type on; its last element with all its codes, or what it consists of. */
static bool describe(shunt_buffer *out, const char *version, shunt_text path)
{
    shunt_text                name, rest = path;
    const shunt_fhir_element *last = NULL;
    if (!path.length || path.bytes[path.length - 1] == '.' || !next_part(&rest, &name)) return false;
    const shunt_fhir_type *type = shunt_fhir_type_find(version, name);
    if (!type) return false;
    shunt_fhir_phi phi = shunt_fhir_phi_of(type), around = phi;
    while (next_part(&rest, &name)) {
        last = shunt_fhir_element_find(type, name);
        if (!last) return false;
        type = shunt_fhir_type_find(version, shunt_text_of(last->type));
        if (!type) return false;
        around = phi;
        phi = shunt_fhir_phi_enter(phi, last, type);
    }
    shunt_buffer_format(out, "%.*s  FHIR %s  %s", SHUNT_TEXT_ARGS(path), version, kinds[type->kind]);
    if (type->kind != SHUNT_FHIR_BACKBONE && last) shunt_buffer_format(out, " %s", type->name);
    if (type->words[0] && !last) shunt_buffer_format(out, ", %s", type->words);
    if (last) {
        shunt_buffer_format(out, ", %u..", last->min);
        if (last->max)
            shunt_buffer_format(out, "%u", last->max);
        else
            shunt_buffer_char(out, '*');
        if (last->targets) shunt_buffer_format(out, ", of %s", last->targets);
        about(out, version, last, around, UINT32_MAX);
    }
    shunt_buffer_char(out, '\n');
    element_lines(out, version, type, phi);
    return true;
}

static void list_types(shunt_buffer *out, const char *version)
{
    shunt_buffer_format(out, "FHIR %s\n", version);
    const shunt_fhir_type *type;
    for (uint32_t i = 0; (type = shunt_fhir_type_at(version, i)) != NULL; i++) {
        if (!shunt_fhir_is_resource(type)) continue;
        size_t from = out->length;
        shunt_buffer_format(out, "  %s", type->name);
        if (type->words[0]) {
            pad(out, from, NAME_WIDTH + 6);
            shunt_buffer_z(out, type->words);
        }
        shunt_buffer_char(out, '\n');
    }
}

bool shunt_dictionary_fhir(shunt_buffer *out, const char *set, const char *version, const char *part)
{
    bool found = false, any = !version;
    if (version) version = shunt_fhir_version(shunt_text_of(version));
    if (!version && !any) return false;
    if (!set) {
        for (size_t v = 0; v < SHUNT_COUNT(versions); v++)
            if (any || strcmp(version, versions[v]) == 0)
                shunt_buffer_format(out, "FHIR %s  resources and data types; `shunt dict FHIR` lists them\n", versions[v]);
        return true;
    }
    bool         whole = strcmp(set, "FHIR") == 0;
    shunt_buffer path;
    shunt_buffer_init(&path, &shunt_memory_libc);
    if (!whole) shunt_buffer_z(&path, set);
    if (part) shunt_buffer_format(&path, "%s%s", whole ? "" : ".", part);
    shunt_text text = { path.length ? path.bytes : "", (uint32_t)path.length };
    for (size_t v = 0; v < SHUNT_COUNT(versions) && !path.failed; v++) {
        if (!any && strcmp(version, versions[v]) != 0) continue;
        if (whole && !part) {
            list_types(out, versions[v]);
            found = true;
        } else if (found) { /* R4 was shown: only say that R5 knows it as well */
            size_t before = out->length;
            if (!describe(out, versions[v], text)) continue;
            out->length = before;
            shunt_buffer_format(out, "FHIR %s has it too: --guide %s\n", versions[v], versions[v]);
        } else {
            found = describe(out, versions[v], text);
        }
    }
    if (path.failed) out->failed = true;
    shunt_buffer_done(&path);
    return found;
}
