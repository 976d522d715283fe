/* fhir_lex.c - is each file well-formed, as the lexical layers of the FHIR reader see it? fhir_lex json|xml FILE...
 * One line a file: `ok FILE`, or `no FILE CODE @BYTE detail`. Each file is read in pieces of several sizes, which must agree; exit status 1
 * where they do not. */
#include <stdio.h>
#include <stdlib.h>

#include "standards/fhir/json.h"
#include "standards/fhir/xml.h"

struct verdict {
    shunt_status code;
    uint64_t     at;
    char         detail[100];
};

static bool take(shunt_token_sink *sink, const shunt_token *token)
{
    (void)sink, (void)token;
    return true;
}

static bool take_fault(shunt_token_sink *sink, shunt_status code, uint64_t at, uint32_t length, const char *detail)
{
    (void)sink, (void)code, (void)at, (void)length, (void)detail;
    return true; /* a property that stands twice is well-formed */
}

static size_t start_of(const uint8_t *bytes, size_t size) { return size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; }

static struct verdict read_json(const uint8_t *bytes, size_t size, size_t step)
{
    shunt_token_sink sink = { .wants = true, .take = take, .fault = take_fault };
    shunt_json      *json = shunt_json_new(&shunt_memory_libc, &sink, 1 << 22);
    struct verdict   v = { .code = SHUNT_FHIR_TRUNCATED };
    size_t           at = start_of(bytes, size);
    bool             last = false;
    if (!json) abort();
    shunt_json_begin(json, at);
    for (;;) {
        shunt_json_step         s = shunt_json_next(json);
        const shunt_json_state *state = shunt_json_state_of(json);
        if (s == SHUNT_JSON_NO_MEMORY) abort();
        if (s == SHUNT_JSON_END) v.code = SHUNT_OK;
        if (s == SHUNT_JSON_BEGIN && v.code == SHUNT_FHIR_TRUNCATED) {
            shunt_json_open(json, false);
        } else if (s == SHUNT_JSON_BEGIN || s == SHUNT_JSON_FAULT) {
            v = (struct verdict){ s == SHUNT_JSON_BEGIN ? SHUNT_FHIR_TRAILING : state->code, state->at, "" };
            if (s == SHUNT_JSON_FAULT) snprintf(v.detail, sizeof v.detail, "%s", state->detail);
            break;
        } else if (s == SHUNT_JSON_MORE) {
            if (last) break;
            size_t piece = size - at < step ? size - at : step;
            last = at + piece == size;
            if (!shunt_json_feed(json, bytes + at, piece, last)) abort();
            at += piece;
        }
    }
    shunt_json_free(json);
    return v;
}

static struct verdict read_xml(const uint8_t *bytes, size_t size, size_t step)
{
    shunt_xml     *xml = shunt_xml_new(&shunt_memory_libc, NULL, 1 << 22, 0, 0);
    struct verdict v = { .code = SHUNT_OK };
    if (!xml) abort();
    for (size_t at = 0;;) {
        size_t         piece = size - at < step ? size - at : step, used = 0;
        shunt_xml_step s = shunt_xml_feed(xml, bytes + at, piece, at + piece == size, &used);
        at += used;
        if (s == SHUNT_XML_NO_MEMORY) abort();
        if (s == SHUNT_XML_END) break;
        if (s != SHUNT_XML_FAULT) continue;
        shunt_xml_state state = shunt_xml_state_of(xml);
        v.code = state.code;
        v.at = state.at;
        snprintf(v.detail, sizeof v.detail, "%s", state.detail);
        break;
    }
    shunt_xml_free(xml);
    return v;
}

static bool same(const struct verdict *a, const struct verdict *b)
{
    return a->code == b->code && a->at == b->at && strcmp(a->detail, b->detail) == 0;
}

int main(int argc, char **argv)
{
    static const size_t steps[] = { SHUNT_JSON_PIECE, 1, 2, 7, 61 };
    bool                xml = argc > 1 && strcmp(argv[1], "xml") == 0, good = true;
    for (int i = 2; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (!file || fseek(file, 0, SEEK_END) != 0) return 3;
        size_t   size = (size_t)ftell(file);
        uint8_t *bytes = malloc(size ? size : 1);
        rewind(file);
        if (!bytes || fread(bytes, 1, size, file) != size) return 3;
        fclose(file);
        struct verdict first = { 0 };
        for (size_t s = 0; s < SHUNT_COUNT(steps); s++) {
            struct verdict v = xml ? read_xml(bytes, size, steps[s]) : read_json(bytes, size, steps[s]);
            if (s == 0) {
                first = v;
            } else if (!same(&first, &v)) {
                printf("DIFFERS %s: pieces of %zu: %s @%llu %s\n", argv[i], steps[s], shunt_status_info[v.code].symbol,
                       (unsigned long long)v.at, v.detail);
                good = false;
            }
        }
        if (first.code == SHUNT_OK)
            printf("ok %s\n", argv[i]);
        else
            printf("no %s %s @%llu %s\n", argv[i], shunt_status_info[first.code].symbol, (unsigned long long)first.at,
                   first.detail);
        free(bytes);
    }
    return good ? 0 : 1;
}
