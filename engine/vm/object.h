/* object.h - objects as FHIR writes them, in JSON or in XML: members, arrays, values, resources inside of resources. One writer for the encodings of
 * rules and for the tests that write again what a reader saw. Whatever a value holds, members and elements are those that the caller begins.
 * Owns: nothing. Names are borrowed until the object that they stand in ends.
 * Fails: by `failed` of the buffer; LIMIT where objects stand too deep; NOT_WRITABLE for a character that XML has no place for. */
#ifndef SHUNT_OBJECT_H
#define SHUNT_OBJECT_H

#include "engine/base/status.h"
#include "engine/base/text.h"

enum { SHUNT_OBJECT_DEPTH = 72 };

typedef enum shunt_object_kind {
    SHUNT_OBJECT_STRING,
    SHUNT_OBJECT_BARE /* a number or a truth value: as it stands */
} shunt_object_kind;

typedef struct shunt_object_level {
    shunt_text name, resource;
    bool       array, filled; /* filled: something stands in it, in XML its tag is closed */
} shunt_object_level;

typedef struct shunt_object_writer {
    shunt_buffer      *out;
    bool               xml;
    unsigned           depth;
    shunt_object_level levels[SHUNT_OBJECT_DEPTH];
} shunt_object_writer;

/* An object under `name`; in an array, one of its items. `resource`: its type, empty = it is no resource. At depth 0 the name says nothing. */
shunt_status shunt_object_begin(shunt_object_writer *w, shunt_text name, shunt_text resource);
void         shunt_object_end(shunt_object_writer *w);
shunt_status shunt_object_array(shunt_object_writer *w, shunt_text name);
void         shunt_object_array_end(shunt_object_writer *w);
/* `attribute`: what XML has as an attribute (id of an element, url of an extension); those come before all else of their object. */
shunt_status shunt_object_value(shunt_object_writer *w, shunt_text name, shunt_object_kind kind, shunt_text text, bool attribute);
/* A narrative: a division of XHTML that holds `text` and nothing else. NOT_WRITABLE in JSON as well, for JSON has it as XML. */
shunt_status shunt_object_narrative(shunt_object_writer *w, shunt_text name, shunt_text text);
/* A text between tags or in an attribute. NOT_WRITABLE for a character that XML 1.0 has not. */
shunt_status shunt_xml_text(shunt_buffer *out, shunt_text text);

#endif
