#include "standards/fhir/types.h"

#include <string.h>

#include "standards/dict/image.h"

/* As in the dictionary. */
static const struct version {
    const char *name, *spellings[3];
} versions[] = {
    { "4.0.1", { "4.0.1", "4.0", "R4" } },
    { "5.0.0", { "5.0.0", "5.0", "R5" } },
};
_Static_assert(SHUNT_COUNT(versions) == SHUNT_COUNT(((shunt_dict_fhir *)NULL)->versions), "one each");

const char *shunt_fhir_version(shunt_text written)
{
    for (size_t i = 0; i < SHUNT_COUNT(versions); i++)
        for (size_t k = 0; k < SHUNT_COUNT(versions[i].spellings); k++)
            if (shunt_text_is(written, versions[i].spellings[k])) return versions[i].name;
    return NULL;
}

static const struct shunt_dict_fhir_version *version_of(const char *name)
{
    for (size_t i = 0; i < SHUNT_COUNT(versions); i++)
        if (name && strcmp(versions[i].name, name) == 0) return &shunt_dict_of_fhir()->versions[i];
    return NULL;
}

const shunt_fhir_type *shunt_fhir_type_find(const char *version, shunt_text name)
{
    const struct shunt_dict_fhir_version *v = version_of(version);
    uint32_t                              low = 0, high = v ? v->count : 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int      order = shunt_text_compare(shunt_text_of(v->types[middle].name), name);
        if (order == 0) return &v->types[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const shunt_fhir_type *shunt_fhir_type_at(const char *version, uint32_t index)
{
    const struct shunt_dict_fhir_version *v = version_of(version);
    return v && index < v->count ? &v->types[index] : NULL;
}

const shunt_fhir_element *shunt_fhir_element_find(const shunt_fhir_type *type, shunt_text name)
{
    for (uint32_t i = 0; type && i < type->element_count; i++)
        if (shunt_text_is(name, type->elements[i].name)) return &type->elements[i];
    return NULL;
}

bool shunt_fhir_is_resource(const shunt_fhir_type *type)
{
    return type && type->kind == SHUNT_FHIR_RESOURCE && strcmp(type->name, "Resource") != 0 &&
           strcmp(type->name, "DomainResource") != 0;
}

shunt_fhir_phi shunt_fhir_phi_of(const shunt_fhir_type *resource)
{
    return (shunt_fhir_phi){ .open = resource && resource->phi_open };
}

static bool is_number(const shunt_fhir_type *type)
{
    return type && type->kind == SHUNT_FHIR_PRIMITIVE && (type->value == SHUNT_VALUE_DECIMAL || type->value == SHUNT_VALUE_INT);
}

shunt_fhir_phi shunt_fhir_phi_enter(shunt_fhir_phi outer, const shunt_fhir_element *element, const shunt_fhir_type *type)
{
    shunt_fhir_phi phi = outer;
    bool           leaf = !type || type->kind == SHUNT_FHIR_PRIMITIVE;
    if (shunt_fhir_is_resource(type)) return shunt_fhir_phi_of(type);
    if (element->phi_listed) {
        phi.classes = element->phi;
        phi.listed = 1;
        phi.open = 0;
        phi.money = element->phi_money;
        phi.bare = !element->phi && type && strcmp(type->name, "Reference") == 0;
    } else if (outer.open) {
        phi.classes = 0;
    } else if (!outer.listed) {
        phi.classes = element->phi;
        phi.listed = !leaf && element->phi;
    } else if (element->phi & SHUNT_PHI_FREE_TEXT && !outer.bare) {
        phi.classes |= SHUNT_PHI_FREE_TEXT; /* whatever the path says, a text may hold anything */
    }
    /* `money`: the path is classed for the codes in it, not for its amounts; Money's currency is a part of the amount. */
    if (phi.money && leaf && (is_number(type) || strcmp(element->name, "currency") == 0)) phi.classes = 0;
    return phi;
}
