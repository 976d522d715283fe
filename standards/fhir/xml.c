#include "standards/fhir/xml.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <stdio.h>

#include "standards/fhir/bytes.h"
#include "standards/fhir/json.h"

enum {
    BLOCK = 16 * 1024,
    BLOCK_MOST = 1 << 20, /* blocks grow while a tag goes on, since libxml2 looks through all of it again for each */
    ATTRIBUTES = 64,      /* of an element */
    NAMES = 256,          /* remembered, by place */
    EQUALS = 4096,        /* equals signs in a tag that goes on; libxml2 compares each attribute with all others */
};

enum level { ELEMENT, WRAPPED, WRAPPER, ROOT };

struct name {
    const xmlChar *bytes; /* in libxml2's dictionary */
    uint32_t       length;
    uint64_t       hash;
};

struct shunt_xml {
    const shunt_memory *memory;
    shunt_token_sink   *sink;
    size_t              most;
    xmlParserCtxtPtr    parser;
    shunt_xml_state     state;
    bool                fault, no_memory, terminating, text_told;
    bool                wide, marked; /* the first bytes are of an encoding of several bytes a character; are the mark of UTF-8 */
    uint64_t            base;         /* of the first byte given to libxml2 */
    uint64_t            fed;          /* of the first byte in the buffer */
    uint8_t            *buffer;
    size_t              size, capacity, block;
    size_t              checked; /* of the buffer is UTF-8 */
    uint64_t            events;
    size_t              equals;
    unsigned            depth, ignored; /* elements open; those inside what is passed over */
    uint8_t             levels[SHUNT_FHIR_DEPTH + 1];
    bool                bare, bare_text;         /* the innermost element is wanted, has no value and nothing in it; but text */
    uint64_t            bare_at;                 /* where it stands */
    uint64_t            end;                     /* of the outermost element */
    const xmlChar      *value, *id, *url, *fhir; /* as libxml2's dictionary has them */
    char                detail[64];
    struct name         names[NAMES];
};

shunt_xml_state shunt_xml_state_of(const shunt_xml *x) { return x->state; }

/* xmlByteConsumed asks for what is not converted yet as well; here nothing is converted. */
static uint64_t position(const shunt_xml *x, const xmlChar *at)
{
    const xmlParserInput *in = x->parser->input;
    return in ? x->base + in->consumed + (uint64_t)(at - in->base) : x->base;
}

static uint64_t here(const shunt_xml *x) { return x->parser->input ? position(x, x->parser->input->cur) : x->base; }

static void stop(shunt_xml *x, shunt_status code, uint64_t at, uint32_t length, const char *detail)
{
    if (x->fault || x->no_memory) return;
    x->fault = true;
    x->state = (shunt_xml_state){ at, length, code, detail };
    xmlStopParser(x->parser);
}

static bool hand_over(shunt_xml *x, const shunt_token *token)
{
    if (x->sink->take(x->sink, token)) return true;
    x->no_memory = true;
    xmlStopParser(x->parser);
    return false;
}

/* Names of elements are few, and libxml2 keeps each at one place: what is worked out of them is remembered by that. */
static struct name *look_up(shunt_xml *x, const xmlChar *name)
{
    struct name *n = &x->names[(uintptr_t)name / 8 % NAMES];
    if (n->bytes != name) {
        size_t length = strlen((const char *)name);
        *n = (struct name){ name, (uint32_t)length, shunt_bytes_hash(name, length) };
    }
    return n;
}

static bool hand_over_name(shunt_xml *x, const struct name *name)
{
    shunt_text text = { (const char *)name->bytes, name->length };
    if (!x->sink->key) return hand_over(x, &(shunt_token){ .op = SHUNT_TOKEN_KEY, .text = text });
    if (x->sink->key(x->sink, text, name->hash)) return true;
    x->no_memory = true;
    xmlStopParser(x->parser);
    return false;
}

static bool note(shunt_xml *x, shunt_status code, uint64_t at)
{
    if (x->sink->fault(x->sink, code, at, 0, "")) return true;
    x->no_memory = true;
    xmlStopParser(x->parser);
    return false;
}

/* ---- what libxml2 tells ---- */

static const char *words_of(int code)
{
    switch (code) {
    case XML_ERR_TAG_NAME_MISMATCH: return "an end tag does not fit its start tag";
    case XML_ERR_TAG_NOT_FINISHED:
    case XML_ERR_GT_REQUIRED: return "a tag is not finished";
    case XML_ERR_ATTRIBUTE_REDEFINED: return "an attribute stands twice";
    case XML_ERR_ATTRIBUTE_NOT_STARTED:
    case XML_ERR_ATTRIBUTE_NOT_FINISHED:
    case XML_ERR_ATTRIBUTE_WITHOUT_VALUE: return "an attribute has no value in quotes, or is too long";
    case XML_ERR_LT_IN_ATTRIBUTE: return "`<` stands in an attribute";
    case XML_ERR_UNDECLARED_ENTITY: return "an entity is none of the five";
    case XML_ERR_INVALID_CHARREF:
    case XML_ERR_INVALID_CHAR: return "a character that XML does not allow";
    case XML_ERR_DOCUMENT_END: return "something stands behind the document";
    case XML_ERR_DOCUMENT_EMPTY:
    case XML_ERR_DOCUMENT_START: return "there is no element";
    case XML_NS_ERR_UNDEFINED_NAMESPACE: return "a prefix is not declared";
    case XML_ERR_UNSUPPORTED_ENCODING:
    case XML_ERR_INVALID_ENCODING: return "the encoding is not known, or does not fit";
    default: return NULL;
    }
}

static void on_error(void *context, xmlErrorPtr error)
{
    shunt_xml *x = context;
    if (!error || error->level < XML_ERR_ERROR || x->fault) return;
    if (error->code == XML_ERR_NO_MEMORY) {
        x->no_memory = true;
        xmlStopParser(x->parser);
        return;
    }
    const char *words = words_of(error->code);
    if (!words) {
        snprintf(x->detail, sizeof x->detail, "libxml2 error %d", error->code);
        words = x->detail;
    }
    bool truncated = x->terminating && x->depth > 0;
    stop(x, truncated ? SHUNT_FHIR_TRUNCATED : SHUNT_FHIR_XML, here(x), 0, truncated ? "" : words);
}

static void on_doctype(void *context, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
    shunt_xml *x = context;
    (void)name, (void)external, (void)system;
    stop(x, SHUNT_FHIR_DTD, here(x), 0, "");
}

static bool is_utf8(const char *name)
{
    return xmlStrcasecmp((const xmlChar *)name, (const xmlChar *)"UTF-8") == 0 ||
           xmlStrcasecmp((const xmlChar *)name, (const xmlChar *)"UTF8") == 0 ||
           xmlStrcasecmp((const xmlChar *)name, (const xmlChar *)"US-ASCII") == 0 ||
           xmlStrcasecmp((const xmlChar *)name, (const xmlChar *)"ASCII") == 0;
}

static void on_document(void *context)
{
    shunt_xml     *x = context;
    const xmlChar *name = x->parser->encoding ? x->parser->encoding : x->parser->input ? x->parser->input->encoding : NULL;
    if (!name) return;
    /* Without a sink any encoding will do, if it is the one that the first bytes show. */
    bool utf8 = is_utf8((const char *)name),
         several = !strncasecmp((const char *)name, "UTF-16", 6) || strstr((const char *)name, "UCS");
    if (x->sink || x->marked ? utf8 : x->wide ? !utf8 : !several) return;
    snprintf(x->detail, sizeof x->detail, "%s", (const char *)name); /* names of encodings are letters, digits, . _ - */
    stop(x, SHUNT_FHIR_ENCODING, x->base, 0, x->detail);
}

/* ---- elements ---- */

/* Where the tag at hand begins. No `<` stands within a tag, so one that is found between its least length ago and here is its own. */
static const xmlChar *tag_of(const shunt_xml *x)
{
    const xmlChar *at = x->parser->input->cur;
    while (at > x->parser->input->base && *--at != '<') {}
    return at;
}

/* The same for most tags at once: `<name` or `<name value="`, written without more than it takes. */
static const xmlChar *tag_of_name(const shunt_xml *x, size_t length, int count, const xmlChar **attributes)
{
    const xmlParserInput *in = x->parser->input;
    const xmlChar        *end = in->cur;
    if (count)
        end = attributes[3] > in->base && attributes[3] < in->cur ? attributes[3] - strlen((const char *)attributes[0]) - 3
                                                                  : in->base;
    return end > in->base + length && *(end - length - 1) == '<' ? end - length - 1 : tag_of(x);
}

/* Where the value of an attribute stands whose text is not that of the input (references, line ends). */
static void find_attribute(const shunt_xml *x, const xmlChar *tag, const char *name, uint64_t *at, uint32_t *length)
{
    const xmlChar *end = x->parser->input->cur, *p = tag + 1;
    size_t         name_length = strlen(name);
    *at = position(x, tag);
    *length = 0;
    while (p<end && * p> ' ' && *p != '/' && *p != '>') p++;
    while (p < end) {
        while (p < end && *p <= ' ') p++;
        const xmlChar *from = p;
        while (p<end && * p> ' ' && *p != '=') p++;
        size_t own = (size_t)(p - from);
        while (p < end && *p != '"' && *p != '\'') p++;
        if (p >= end) return;
        xmlChar        quote = *p++;
        const xmlChar *value = p;
        while (p < end && *p != quote) p++;
        if (own == name_length && memcmp(from, name, own) == 0) {
            *at = position(x, value);
            *length = (uint32_t)(p - value);
            return;
        }
        p++;
    }
}

static void fill_value(const shunt_xml *x, const xmlChar *tag, const xmlChar *const *attribute, const char *name,
                       shunt_token *token)
{
    const xmlChar *value = attribute[3], *end = attribute[4];
    token->kind = SHUNT_TOKEN_STRING;
    token->text = (shunt_text){ (const char *)value, (uint32_t)(end - value) };
    if (value >= x->parser->input->base && value <= x->parser->input->end) {
        token->at = position(x, value);
        token->length = (uint32_t)(end - value);
    } else {
        find_attribute(x, tag, name, &token->at, &token->length);
    }
    if (token->length > x->most) token->text.length = 0;
}

static bool attribute_value(shunt_xml *x, const xmlChar *tag, const xmlChar *const *attribute, const char *name)
{
    shunt_token token = { .op = SHUNT_TOKEN_VALUE };
    if (!hand_over(x, &(shunt_token){ .op = SHUNT_TOKEN_KEY, .text = shunt_text_of(name) })) return false;
    if (x->sink->skip || !x->sink->wants) return true;
    fill_value(x, tag, attribute, name, &token);
    return hand_over(x, &token);
}

/* The type of a resource is the name of its element. */
static void resource(shunt_xml *x, const xmlChar *tag, const xmlChar *prefix, const xmlChar *name)
{
    uint32_t    length = (uint32_t)strlen((const char *)name);
    shunt_token token = { .op = SHUNT_TOKEN_VALUE, .kind = SHUNT_TOKEN_STRING, .text = { (const char *)name, length } };
    token.at = position(x, tag) + 1 + (prefix ? strlen((const char *)prefix) + 1 : 0);
    token.length = length;
    if (x->sink->skip) return;
    if (!hand_over(x, &(shunt_token){ .op = SHUNT_TOKEN_KEY, .text = SHUNT_TEXT("resourceType") })) return;
    if (!x->sink->skip && x->sink->wants) hand_over(x, &token);
}

static void element(shunt_xml *x, const xmlChar *name, int count, const xmlChar **attributes)
{
    const xmlChar *const *value = NULL, *const *id = NULL, *const *url = NULL;
    shunt_token           token = { .op = SHUNT_TOKEN_ELEMENT };
    bool                  unknown = false;
    if (x->sink->skip) {
        x->sink->skip++;
        return;
    }
    const struct name *known = look_up(x, name);
    if (!hand_over_name(x, known)) return;
    if (x->sink->skip || !x->sink->wants) { /* the name may have been one too many to be held */
        x->sink->skip++;
        return;
    }
    for (int i = 0; i < count; i++) {
        const xmlChar *const *attribute = (const xmlChar *const *)attributes + (size_t)i * 5;
        if (attribute[1]) continue;
        if (attribute[0] == x->value) value = attribute;
        if (attribute[0] == x->id) id = attribute;
        if (attribute[0] == x->url) url = attribute;
        unknown |= attribute[0] != x->value && attribute[0] != x->id && attribute[0] != x->url;
    }
    const xmlChar *tag = tag_of_name(x, known->length, count, attributes);
    if (unknown && !note(x, SHUNT_FHIR_ATTRIBUTE, position(x, tag))) return;
    token.at = token.begin = position(x, tag);
    if (value) fill_value(x, tag, value, "value", &token);
    if (!hand_over(x, &token)) return;
    x->bare = !value;
    x->bare_text = false;
    if (id && !x->sink->skip && !attribute_value(x, tag, id, "id")) return;
    if (url && !x->sink->skip) attribute_value(x, tag, url, "url");
}

static bool is_fhir(shunt_xml *x, const xmlChar *uri)
{
    if (uri == x->fhir && uri) return true;
    if (!uri || strcmp((const char *)uri, "http://hl7.org/fhir") != 0) return false;
    x->fhir = uri;
    return true;
}

static void on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int namespace_count,
                     const xmlChar **namespaces, int count, int defaulted, const xmlChar **attributes)
{
    shunt_xml *x = context;
    (void)namespace_count, (void)namespaces, (void)defaulted;
    x->events++;
    if (x->fault || x->no_memory) return;
    if (!x->sink) {
        x->depth++;
        return;
    }
    if (x->depth == SHUNT_FHIR_DEPTH) {
        stop(x, SHUNT_FHIR_DEEP, position(x, tag_of(x)), 0, "");
        return;
    }
    if (count > ATTRIBUTES) {
        stop(x, SHUNT_FHIR_LIMIT, position(x, tag_of(x)), 0, "an element has too many attributes");
        return;
    }
    x->levels[++x->depth] = ELEMENT;
    x->bare = false;
    if (x->ignored) {
        x->ignored++;
        return;
    }
    if (!is_fhir(x, uri)) {
        if (x->depth > 1 && uri && strcmp((const char *)uri, "http://www.w3.org/1999/xhtml") == 0)
            x->ignored = 1;
        else
            stop(x, SHUNT_FHIR_NAMESPACE, position(x, tag_of(x)), 0, "");
        return;
    }
    if (x->depth == 1) {
        x->levels[1] = ROOT;
        if (hand_over(x, &(shunt_token){ .op = SHUNT_TOKEN_OBJECT, .at = position(x, tag_of(x)) }))
            resource(x, tag_of(x), prefix, name);
    } else if (name[0] >= 'A' && name[0] <= 'Z') {
        uint8_t *around = &x->levels[x->depth - 1];
        if (*around != ELEMENT) { /* a second resource in one place */
            if (note(x, SHUNT_FHIR_KEY_TWICE, position(x, tag_of(x)))) x->ignored = 1;
            return;
        }
        *around = WRAPPER;
        x->levels[x->depth] = WRAPPED;
        resource(x, tag_of(x), prefix, name);
    } else {
        element(x, name, count, attributes);
    }
}

static void on_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    shunt_xml *x = context;
    (void)name, (void)prefix, (void)uri;
    x->events++;
    if (x->fault || x->no_memory || !x->depth) return;
    /* <value>1.00</value>: taken as absent, an amount could vanish behind an `otherwise` */
    if (x->bare && x->bare_text && x->sink && !x->ignored && !note(x, SHUNT_FHIR_SHAPE, x->bare_at)) return;
    x->bare = false;
    x->depth--;
    if (!x->depth) x->end = here(x);
    if (!x->sink) return;
    if (x->ignored) {
        x->ignored--;
        return;
    }
    if (x->levels[x->depth + 1] == WRAPPED) return;
    if (x->sink->skip)
        x->sink->skip--;
    else
        hand_over(x, &(shunt_token){ .op = SHUNT_TOKEN_OBJECT_END, .at = here(x) });
}

/* A run of text may come in several pieces; what counts is said once. */
static void on_text(void *context, const xmlChar *text, int length)
{
    shunt_xml *x = context;
    x->events++;
    if (!x->sink || x->ignored || (x->text_told && (!x->bare || x->bare_text)) || x->fault || x->no_memory) return;
    for (int i = 0; i < length; i++) {
        if (text[i] == ' ' || text[i] == '\t' || text[i] == '\r' || text[i] == '\n') continue;
        if (x->bare && !x->bare_text) {
            x->bare_text = true;
            x->bare_at = here(x);
        }
        if (x->text_told) return;
        x->text_told = true;
        note(x, SHUNT_FHIR_TEXT, here(x));
        return;
    }
}

/* ---- life ---- */

static bool give(shunt_xml *x, const uint8_t *bytes, size_t size)
{
    while (size && !x->fault && !x->no_memory) {
        int piece = size > BLOCK_MOST ? BLOCK_MOST : (int)size;
        xmlParseChunk(x->parser, (const char *)bytes, piece, 0);
        bytes += piece;
        size -= (size_t)piece;
    }
    if (x->parser->errNo == XML_ERR_NO_MEMORY) x->no_memory = true;
    return !x->fault && !x->no_memory;
}

static bool prepare(shunt_xml *x, uint64_t blanks)
{
    static const uint8_t space[64] = "                                                               ";
    xmlSAXHandler        sax = { .internalSubset = on_doctype,
                                 .startDocument = on_document,
                                 .characters = on_text,
                                 .ignorableWhitespace = on_text,
                                 .initialized = XML_SAX2_MAGIC,
                                 .startElementNs = on_start,
                                 .endElementNs = on_end,
                                 .serror = on_error };
    x->buffer = shunt_memory_get(x->memory, BLOCK);
    x->capacity = x->block = BLOCK;
    xmlInitParser();
    x->parser = xmlCreatePushParserCtxt(&sax, x, NULL, 0, NULL);
    if (!x->buffer || !x->parser) return false;
    /* NOENT: `&amp;` of an attribute comes as `&`; there is no DTD, so there are no other entities. */
    xmlCtxtUseOptions(x->parser, XML_PARSE_NONET | XML_PARSE_NOENT);
    x->value = xmlDictLookup(x->parser->dict, (const xmlChar *)"value", 5);
    x->id = xmlDictLookup(x->parser->dict, (const xmlChar *)"id", 2);
    x->url = xmlDictLookup(x->parser->dict, (const xmlChar *)"url", 3);
    if (!x->value || !x->id || !x->url) return false;
    for (; blanks; blanks -= blanks < 63 ? blanks : 63)
        if (!give(x, space, blanks < 63 ? (size_t)blanks : 63)) break;
    return !x->no_memory;
}

shunt_xml *shunt_xml_new(const shunt_memory *memory, shunt_token_sink *sink, size_t most, uint64_t at, uint64_t blanks)
{
    shunt_xml *x = shunt_memory_zeroed(memory, 1, sizeof *x);
    if (!x) return NULL;
    x->memory = memory;
    x->sink = sink;
    x->most = most;
    x->base = at - blanks;
    x->fed = at;
    if (prepare(x, blanks)) return x;
    shunt_xml_free(x);
    return NULL;
}

void shunt_xml_free(shunt_xml *x)
{
    if (!x) return;
    xmlFreeParserCtxt(x->parser);
    xmlResetLastError(); /* it would keep words of the document */
    shunt_memory_free(x->memory, x->buffer);
    shunt_memory_free(x->memory, x);
}

/* ---- pieces ---- */

static size_t count_equals(const uint8_t *bytes, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; i < size; i++) count += bytes[i] == '=';
    return count;
}

/* Gives libxml2 the buffer up to `end`, and keeps the rest. */
static void parse(shunt_xml *x, size_t end)
{
    uint64_t before = x->events;
    if (!give(x, x->buffer, end)) return;
    if (x->events != before || x->parser->instate != XML_PARSER_START_TAG) {
        x->equals = 0;
        x->block = BLOCK;
    } else if (end) {
        x->equals += count_equals(x->buffer, end);
        if (x->equals > EQUALS) stop(x, SHUNT_FHIR_LIMIT, here(x), 0, "an element has too many attributes");
        if (x->block < BLOCK_MOST) x->block *= 2;
    }
    memmove(x->buffer, x->buffer + end, x->size - end);
    x->size -= end;
    x->fed += end;
    x->checked -= end < x->checked ? end : x->checked;
}

/* The buffer up to its last `>`, so that libxml2 seldom sees half a tag; all of it where there is none. */
static size_t whole(const shunt_xml *x, size_t good)
{
    const uint8_t *last = good ? memrchr(x->buffer, '>', good) : NULL;
    return last ? (size_t)(last - x->buffer) + 1 : good;
}

static shunt_xml_step step_of(const shunt_xml *x)
{
    if (x->no_memory) return SHUNT_XML_NO_MEMORY;
    return x->fault ? SHUNT_XML_FAULT : SHUNT_XML_MORE;
}

static void take_block(shunt_xml *x, bool last)
{
    bool   bad = false;
    size_t good = x->size;
    if (!x->events && x->size >= 3) {
        x->wide |= x->buffer[0] >= 0xfe || !x->buffer[0] || !x->buffer[1];
        x->marked |= memcmp(x->buffer, "\xef\xbb\xbf", 3) == 0;
    }
    if (x->sink) {
        good = x->checked += shunt_utf8_good(x->buffer + x->checked, x->size - x->checked, &bad);
        bad |= last && good < x->size;
    }
    uint64_t at = x->fed + good;
    parse(x, last || bad ? good : whole(x, good));
    if (bad) stop(x, SHUNT_FHIR_XML, at, 1, "bytes are not UTF-8");
}

static shunt_xml_step finish(shunt_xml *x)
{
    x->terminating = true;
    xmlParseChunk(x->parser, NULL, 0, 1);
    if (x->parser->errNo == XML_ERR_NO_MEMORY) x->no_memory = true;
    if (!x->fault && !x->no_memory && !x->parser->wellFormed)
        stop(x, SHUNT_FHIR_XML, here(x), 0, "the document is not well-formed");
    if (x->fault || x->no_memory) return step_of(x);
    x->state.at = x->end;
    return SHUNT_XML_END;
}

shunt_xml_step shunt_xml_feed(shunt_xml *x, const uint8_t *bytes, size_t size, bool last, size_t *used)
{
    size_t room = x->size < x->block ? x->block - x->size : 0, taken = size < room ? size : room;
    *used = taken;
    if (x->fault || x->no_memory) return step_of(x);
    if (x->size + taken > x->capacity) {
        void *buffer = shunt_memory_resize(x->memory, x->buffer, x->block);
        if (!buffer) return x->no_memory = true, SHUNT_XML_NO_MEMORY;
        x->buffer = buffer;
        x->capacity = x->block;
    }
    if (taken) memcpy(x->buffer + x->size, bytes, taken);
    x->size += taken;
    last = last && taken == size;
    if (x->size < x->block && !last) return SHUNT_XML_MORE;
    take_block(x, last);
    if (x->fault || x->no_memory || !last) return step_of(x);
    return finish(x);
}
