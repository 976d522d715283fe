/* xml.h - an XML document of FHIR as tokens, through the push parser of libxml2 (SAX2): no DTD, no entities but the five, no
 * network, none of its larger limits. The element of a resource inside a wrapper (`<resource><Claim>`) says its `resourceType`;
 * `id` and `url` that stand as attributes are handed over as properties; narratives (XHTML) are passed over.
 * libxml2 is given pieces that end where the input says, not where it was cut, so that nothing depends on the cuts.
 * Owns:    its buffer and libxml2's parser, whose memory comes from libxml2's own allocator (docs/embedding.md).
 * Fails:   XML_FAULT; XML_NO_MEMORY, also when libxml2 says so. */
#ifndef SHUNT_FHIR_XML_H
#define SHUNT_FHIR_XML_H

#include "standards/fhir/token.h"

typedef enum shunt_xml_step {
    SHUNT_XML_MORE,
    SHUNT_XML_END,   /* the document and the input are over; `at` is the byte after the outermost element */
    SHUNT_XML_FAULT, /* `code`, `at`, `length`, `detail`; no more after this */
    SHUNT_XML_NO_MEMORY,
} shunt_xml_step;

typedef struct shunt_xml_state {
    uint64_t     at;
    uint32_t     length;
    shunt_status code;
    const char  *detail;
} shunt_xml_state;

typedef struct shunt_xml shunt_xml;

/* `sink` NULL: any well-formed XML in any encoding that libxml2 knows, for tests. The first byte stands at `at` of the input, `blanks` of
 * white space before it. */
shunt_xml      *shunt_xml_new(const shunt_memory *memory, shunt_token_sink *sink, size_t most, uint64_t at,
                              uint64_t blanks) SHUNT_MUST_USE;
void            shunt_xml_free(shunt_xml *xml);
/* Takes some of the bytes: `*used`. */
shunt_xml_step  shunt_xml_feed(shunt_xml *xml, const uint8_t *bytes, size_t size, bool last, size_t *used);
shunt_xml_state shunt_xml_state_of(const shunt_xml *xml);

#endif
