/* types.h - what FHIR R4 and R5 know: resources, data types and the elements of each, by the names that stand in JSON.
 * Read-only tables made from standards/dict/fhir/ when the project is built; every pointer is valid for ever, nothing is freed.
 * Used by: dsl (checks paths), the commands dict, inspect, get. The readers need none of it: JSON and XML name their elements. */
#ifndef SHUNT_FHIR_TYPES_H
#define SHUNT_FHIR_TYPES_H

#include "standards/schema.h"

typedef enum shunt_fhir_kind {
    SHUNT_FHIR_PRIMITIVE, /* "decimal": a value, and `id` and `extension` beside it */
    SHUNT_FHIR_COMPLEX,   /* "Money" */
    SHUNT_FHIR_BACKBONE,  /* "Claim.item": declared inside a resource or data type, named by its path */
    SHUNT_FHIR_RESOURCE,  /* "Claim"; also the abstract "Resource" and "DomainResource" */
} shunt_fhir_kind;

/* An element of a type. A choice `value[x]` is listed once for each of its types: valueString, valueMoney, ... */
typedef struct shunt_fhir_element {
    const char *name; /* property in JSON, element in XML: "status", "valueMoney" */
    const char
        *type; /* "code", "Money", "Claim.item"; "Resource" where any resource may stand (contained, Bundle.entry.resource) */
    const char          *choice;     /* "value" of valueMoney; NULL = no choice */
    uint16_t             min, max;   /* max 0 = no limit; above 1 or no limit: an array in JSON */
    uint8_t              phi_listed; /* `phi` is said of this very element; 0 = it follows from the data type (see below) */
    uint8_t              phi_money;  /* numbers and amounts below are none */
    uint32_t             phi;        /* SHUNT_PHI_ classes */
    const shunt_codeset *codes;      /* of a required binding, NULL = none or not known */
    const char          *targets;    /* Reference: "Patient|Group"; NULL = any, or no Reference */
    const char          *words;      /* short name in our own words, may be empty */
} shunt_fhir_element;

typedef struct shunt_fhir_type {
    const char               *name;
    uint8_t                   kind;     /* shunt_fhir_kind */
    uint8_t                   value;    /* of a primitive: shunt_value_type of its values */
    uint8_t                   phi_open; /* a resource that is about no person: nothing in it is classed unless listed */
    const char               *words;
    const shunt_fhir_element *elements; /* those of the base types included, in the order of the standard; NULL of a primitive,
                                         * which has `id` and `extension` (those of type "Element") beside its value */
    uint32_t                  element_count;
} shunt_fhir_type;

/* "4.0.1", "4.0", "R4", "5.0.0", "5.0", "R5" -> "4.0.1" or "5.0.0"; NULL = not known. */
const char            *shunt_fhir_version(shunt_text written);
/* `version` as given by shunt_fhir_version. NULL = the version has no such type. */
const shunt_fhir_type *shunt_fhir_type_find(const char *version, shunt_text name);
const shunt_fhir_type *shunt_fhir_type_at(const char *version, uint32_t index); /* all of them, sorted by name; NULL at the end */
const shunt_fhir_element *shunt_fhir_element_find(const shunt_fhir_type *type, shunt_text name);
/* True for types whose instances are resources of a message: neither a data type nor abstract. */
bool                      shunt_fhir_is_resource(const shunt_fhir_type *type);

/* What a value carries depends on its way down: Patient.name classes all of a HumanName, Identifier.value is classed as an
 * identifier of any kind unless the element around it (Invoice.identifier) says which. Begin with the resource, enter each
 * element of the way; `classes` after the last one are those of the value. */
typedef struct shunt_fhir_phi {
    uint32_t classes;
    uint8_t  listed; /* an element on the way says what all below it carries */
    uint8_t  money, open;
    uint8_t  bare; /* a reference to nobody in particular: its display is none */
} shunt_fhir_phi;
shunt_fhir_phi shunt_fhir_phi_of(const shunt_fhir_type *resource);
/* `type` is that of the element: the resource that stands there where the element takes any. */
shunt_fhir_phi shunt_fhir_phi_enter(shunt_fhir_phi outer, const shunt_fhir_element *element, const shunt_fhir_type *type);

#endif
