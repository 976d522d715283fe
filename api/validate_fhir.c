/* validate_fhir.c - FHIR held against its types: findings as an analyst reads them or as JSON, a summary, and OperationOutcomes. */
#include <stdio.h>

#include "api/validate.h"
#include "standards/fhir/forms.h"
#include "standards/fhir/outcome.h"
#include "standards/fhir/reader.h"

enum { WANTED_CODES = 12 };

struct fhir {
    shunt_fhir_validator *validator;
    shunt_fhir_outcome   *outcome;
    uint64_t              document; /* of the last finding */
};

static struct fhir *own(const shunt_validator *v) { return v->own; }

/* What should stand there; nothing where the meaning of the code says all. */
static void put_wanted(shunt_buffer *out, const shunt_fhir_finding *f)
{
    switch (f->code) {
    case SHUNT_FHIR_CODE:
        for (uint32_t i = 0; f->codes && i < f->codes->count && i < WANTED_CODES; i++)
            shunt_buffer_format(out, "%s%s", i ? ", " : "one of ", f->codes->values[i]);
        if (f->codes && f->codes->count > WANTED_CODES) shunt_buffer_format(out, " ... (%u)", f->codes->count);
        break;
    case SHUNT_FHIR_FORM:
        if (f->element) shunt_buffer_z(out, shunt_fhir_form_words(shunt_fhir_form_of(f->element->type)));
        break;
    case SHUNT_FHIR_REFERENCE: shunt_buffer_z(out, "Type/id, a URL or URN, or #id"); break;
    case SHUNT_FHIR_REF_TYPE:
        if (f->element) shunt_buffer_z(out, "a type that the element takes");
        break;
    default: break;
    }
}

static void as_text(shunt_validator *v, const shunt_fhir_finding *f)
{
    shunt_buffer *out = &v->out;
    const char   *paths = shunt_fhir_finding_paths(own(v)->validator);
    shunt_validate_heading(v, f->code, f->severity, f->at);
    if (f->path_length || f->value_length) {
        shunt_buffer_format(out, "  at    %.*s", (int)f->path_length, paths + f->path);
        if (f->element && f->element->words && f->element->words[0]) shunt_buffer_format(out, " (%s)", f->element->words);
        if (f->value_length) {
            shunt_buffer_z(out, ": \"");
            shunt_validate_value(v, out, f->value, f->value_length, f->phi);
            shunt_buffer_char(out, '"');
        }
        shunt_buffer_char(out, '\n');
    }
    size_t start = out->length;
    shunt_buffer_z(out, "  wants ");
    size_t before = out->length;
    put_wanted(out, f);
    if (out->length == before)
        out->length = start;
    else
        shunt_buffer_char(out, '\n');
    if (f->detail[0]) shunt_buffer_format(out, "  found %s\n", f->detail);
    shunt_buffer_format(out, "  rule  level %u, issue %s\n", f->level, f->issue);
}

static void as_json(shunt_validator *v, const shunt_fhir_finding *f)
{
    shunt_buffer *out = &v->out, text;
    const char   *paths = shunt_fhir_finding_paths(own(v)->validator);
    shunt_buffer_init(&text, &v->memory);
    shunt_validate_object(v, f->code, f->severity);
    shunt_buffer_format(out, ",\"level\":%u,\"document\":%llu", f->level, (unsigned long long)f->document);
    if (f->path_length) shunt_validate_member(out, "path", (shunt_text){ paths + f->path, f->path_length });
    shunt_buffer_format(out, ",\"offset\":%llu,\"length\":%u", (unsigned long long)f->at, f->length);
    if (f->value_length) {
        shunt_validate_value(v, &text, f->value, f->value_length, f->phi);
        shunt_validate_member(out, "value", (shunt_text){ text.bytes, (uint32_t)text.length });
    }
    text.length = 0;
    put_wanted(&text, f);
    if (text.length) shunt_validate_member(out, "wants", (shunt_text){ text.bytes, (uint32_t)text.length });
    if (f->detail[0]) shunt_validate_member(out, "found", shunt_text_of(f->detail));
    shunt_validate_member(out, "answer", SHUNT_TEXT("issue"));
    shunt_validate_member(out, "answer_code", shunt_text_of(f->issue));
    shunt_buffer_z(out, "}\n");
    out->failed = out->failed || text.failed;
    shunt_buffer_done(&text);
}

static void summary(shunt_validator *v)
{
    const shunt_fhir_outcome_totals *t = shunt_fhir_outcome_totals_of(own(v)->outcome);
    shunt_buffer                    *out = &v->out;
    unsigned long long               documents = t->documents, accepted = t->accepted, rejected = t->rejected;
    if (v->options.json) {
        shunt_buffer_z(out, "{\"file\":");
        shunt_buffer_json(out, shunt_text_of(v->name));
        shunt_buffer_format(out, ",\"summary\":{\"documents\":%llu,\"accepted\":%llu,\"rejected\":%llu", documents, accepted,
                            rejected);
    } else {
        shunt_buffer_format(out, "%s: %llu document%s of FHIR %s: %llu accepted, %llu rejected", v->name, documents,
                            documents == 1 ? "" : "s", v->fhir, accepted, rejected);
    }
    shunt_validate_totals(v);
}

static shunt_status take_findings(shunt_validator *v)
{
    static const uint32_t     alone[3]; /* no finding of FHIR stands for others */
    struct fhir              *x = own(v);
    uint32_t                  count;
    const shunt_fhir_finding *found = shunt_fhir_findings(x->validator, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (found[i].document != x->document) shunt_validate_part_over(v);
        x->document = found[i].document;
        if (!shunt_validate_takes(v, found[i].code, found[i].severity, alone, found[i].at)) continue;
        if (v->options.json)
            as_json(v, &found[i]);
        else
            as_text(v, &found[i]);
    }
    shunt_fhir_outcome_see(x->outcome, found, count, shunt_fhir_finding_paths(x->validator),
                           shunt_fhir_validator_documents(x->validator), v->xml);
    shunt_fhir_findings_taken(x->validator);
    return SHUNT_OK;
}

static shunt_status see(shunt_validator *v, const shunt_event *event)
{
    struct fhir *x = own(v);
    if (event->step == SHUNT_STEP_FAULT && !shunt_fhir_validator_fault(x->validator, event)) return SHUNT_NO_MEMORY;
    SHUNT_TRY(take_findings(v));
    if (event->step == SHUNT_STEP_END) shunt_fhir_outcome_end(x->outcome);
    return SHUNT_OK;
}

static const char *open(shunt_validator *v)
{
    static const shunt_plan     nothing; /* no source: every resource is held against its type */
    shunt_fhir_validate_options rules = { .levels = v->levels, .version = v->fhir };
    struct fhir                *x = SHUNT_NEW(v->arena, struct fhir);
    if (!x) return "no memory";
    v->own = x;
    x->validator = shunt_fhir_validator_new(&v->memory, &rules);
    if (!x->validator) return "no memory";
    shunt_fhir_options reading = { .watch = shunt_fhir_validator_sink(x->validator) };
    v->reader = shunt_fhir_reader_new(&v->memory, &nothing, &reading);
    x->outcome = shunt_fhir_outcome_new(&v->memory, v->options.acknowledge ? &v->answer : NULL);
    return v->reader && x->outcome ? NULL : "no memory";
}

static void done(shunt_validator *v)
{
    shunt_fhir_validator_free(own(v)->validator);
    shunt_fhir_outcome_free(own(v)->outcome);
}

const shunt_validate_ops shunt_validate_fhir = { open, see, summary, done, take_findings, "document" };
