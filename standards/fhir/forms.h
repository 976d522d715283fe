/* forms.h - may this text be a value of a primitive type of FHIR? Pure functions. */
#ifndef SHUNT_FHIR_FORMS_H
#define SHUNT_FHIR_FORMS_H

#include "engine/base/text.h"

typedef enum shunt_fhir_form {
    FHIR_FORM_NONE, /* no primitive */
    FHIR_FORM_BASE64,
    FHIR_FORM_BOOLEAN,
    FHIR_FORM_CODE,
    FHIR_FORM_DATE,
    FHIR_FORM_DATE_TIME,
    FHIR_FORM_DECIMAL,
    FHIR_FORM_ID,
    FHIR_FORM_INSTANT,
    FHIR_FORM_INTEGER,
    FHIR_FORM_INTEGER64,
    FHIR_FORM_OID,
    FHIR_FORM_POSITIVE,
    FHIR_FORM_STRING, /* markdown as well */
    FHIR_FORM_TIME,
    FHIR_FORM_UNSIGNED,
    FHIR_FORM_URI, /* url and canonical as well */
    FHIR_FORM_UUID,
    FHIR_FORM_XHTML,
} shunt_fhir_form;

/* Of a type by its name: "decimal". */
shunt_fhir_form shunt_fhir_form_of(const char *type);
bool            shunt_fhir_form_fits(shunt_fhir_form form, shunt_text value);
/* What it wants, for people. */
const char     *shunt_fhir_form_words(shunt_fhir_form form);
/* A literal reference: a URL or URN, `#id`, `Type/id` with a version behind it or without, `Type?search`. `*type`: of a relative one. */
bool            shunt_fhir_is_reference(shunt_text value, shunt_text *type);

#endif
