#include "standards/fhir/outcome.h"

#include <stdio.h>

struct shunt_fhir_outcome {
    const shunt_memory       *memory;
    shunt_fhir_outcome_totals totals;
    shunt_buffer             *out, issues; /* of the open document */
    uint64_t                  document;    /* the open one; 0 = none */
    uint32_t                  count, beyond;
    bool                      open, xml, error;
};
typedef shunt_fhir_outcome outcome;

/* ---- writing ---- */

/* A value in an attribute of XML. */
static void put_attribute(shunt_buffer *out, const char *name, shunt_text text)
{
    shunt_buffer_format(out, "<%s value=\"", name);
    for (uint32_t i = 0; i < text.length; i++) {
        char c = text.bytes[i];
        if (c == '&')
            shunt_buffer_z(out, "&amp;");
        else if (c == '<')
            shunt_buffer_z(out, "&lt;");
        else if (c == '"')
            shunt_buffer_z(out, "&quot;");
        else
            shunt_buffer_char(out, (unsigned char)c < ' ' ? ' ' : c);
    }
    shunt_buffer_z(out, "\"/>");
}

static const char *severity_of(const shunt_fhir_finding *f)
{
    bool fatal = f->of_reader && f->severity == SHUNT_ERROR && f->code != SHUNT_FHIR_KEY_TWICE && f->code != SHUNT_FHIR_TEXT &&
                 f->code != SHUNT_FHIR_ATTRIBUTE;
    return fatal ? "fatal" : shunt_severity_name((shunt_severity)f->severity);
}

static void put_issue(shunt_buffer *out, bool xml, const char *severity, const char *code, shunt_text text,
                      shunt_text diagnostics, shunt_text expression)
{
    if (!xml) {
        shunt_buffer_z(out, out->length ? ",{\"severity\":" : "{\"severity\":");
        shunt_buffer_json(out, shunt_text_of(severity));
        shunt_buffer_z(out, ",\"code\":");
        shunt_buffer_json(out, shunt_text_of(code));
        if (text.length) {
            shunt_buffer_z(out, ",\"details\":{\"text\":");
            shunt_buffer_json(out, text);
            shunt_buffer_char(out, '}');
        }
        if (diagnostics.length) {
            shunt_buffer_z(out, ",\"diagnostics\":");
            shunt_buffer_json(out, diagnostics);
        }
        if (expression.length) {
            shunt_buffer_z(out, ",\"expression\":[");
            shunt_buffer_json(out, expression);
            shunt_buffer_char(out, ']');
        }
        shunt_buffer_char(out, '}');
        return;
    }
    shunt_buffer_z(out, "<issue>");
    put_attribute(out, "severity", shunt_text_of(severity));
    put_attribute(out, "code", shunt_text_of(code));
    if (text.length) {
        shunt_buffer_z(out, "<details>");
        put_attribute(out, "text", text);
        shunt_buffer_z(out, "</details>");
    }
    if (diagnostics.length) put_attribute(out, "diagnostics", diagnostics);
    if (expression.length) put_attribute(out, "expression", expression);
    shunt_buffer_z(out, "</issue>");
}

static void put_finding(outcome *o, const shunt_fhir_finding *f, const char *paths)
{
    char       text[200], diagnostics[FHIR_DETAIL_KEPT + 80];
    shunt_text path = { paths + f->path, f->path_length };
    int length = snprintf(text, sizeof text, "%s: %s", shunt_status_info[f->code].code, shunt_status_info[f->code].meaning);
    int more = snprintf(diagnostics, sizeof diagnostics, "%s%sbyte %llu", f->detail, f->detail[0] ? ", " : "",
                        (unsigned long long)f->at);
    put_issue(&o->issues, o->xml, severity_of(f), f->issue, (shunt_text){ text, (uint32_t)length },
              (shunt_text){ diagnostics, (uint32_t)more }, path);
}

static void close_document(outcome *o)
{
    shunt_buffer *out = o->out;
    if (!o->open) return;
    o->open = false;
    o->totals.documents++;
    if (o->error)
        o->totals.rejected++;
    else
        o->totals.accepted++;
    if (!out) return;
    const shunt_text none = { 0 };
    if (o->beyond) {
        char text[64];
        int  length = snprintf(text, sizeof text, "%u more are not told", o->beyond);
        put_issue(&o->issues, o->xml, "information", "informational", (shunt_text){ text, (uint32_t)length }, none, none);
    } else if (!o->count) {
        put_issue(&o->issues, o->xml, "information", "informational", SHUNT_TEXT("nothing was found"), none, none);
    }
    shunt_buffer_z(out, o->xml ? "<OperationOutcome xmlns=\"http://hl7.org/fhir\">"
                               : "{\"resourceType\":\"OperationOutcome\",\"issue\":[");
    shunt_buffer_add(out, o->issues.bytes, o->issues.length);
    shunt_buffer_z(out, o->xml ? "</OperationOutcome>\n" : "]}\n");
    out->failed = out->failed || o->issues.failed;
}

static void open_document(outcome *o, uint64_t document)
{
    close_document(o);
    o->open = true;
    o->document = document;
    o->count = o->beyond = 0;
    o->error = o->xml = false;
    o->issues.length = 0;
}

void shunt_fhir_outcome_see(outcome *o, const shunt_fhir_finding *findings, uint32_t count, const char *paths, uint64_t documents,
                            bool xml)
{
    for (uint32_t i = 0; i < count; i++) {
        const shunt_fhir_finding *f = &findings[i];
        if (!o->open && f->document == o->document) open_document(o, f->document); /* of what is no document */
        while (f->document > o->document) open_document(o, o->document + 1);
        o->xml = xml;
        o->error = o->error || f->severity == SHUNT_ERROR;
        if (o->count == FHIR_ISSUES) {
            o->beyond++;
            continue;
        }
        o->count++;
        if (o->out) put_finding(o, f, paths);
    }
    while (documents > o->document) open_document(o, o->document + 1);
    o->xml = xml;
}

void shunt_fhir_outcome_end(outcome *o) { close_document(o); }

const shunt_fhir_outcome_totals *shunt_fhir_outcome_totals_of(const outcome *o) { return &o->totals; }

outcome *shunt_fhir_outcome_new(const shunt_memory *memory, shunt_buffer *out)
{
    outcome *o = shunt_memory_zeroed(memory, 1, sizeof *o);
    if (!o) return NULL;
    o->memory = memory;
    o->out = out;
    shunt_buffer_init(&o->issues, memory);
    return o;
}

void shunt_fhir_outcome_free(outcome *o)
{
    if (!o) return;
    shunt_buffer_done(&o->issues);
    shunt_memory_free(o->memory, o);
}
