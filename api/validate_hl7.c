/* validate_hl7.c - HL7 v2 held against version and structure: findings as an analyst reads them or as JSON, a summary, and ACKs. */
#include <stdio.h>

#include "api/validate.h"
#include "standards/hl7/ack.h"
#include "standards/hl7/reader.h"

enum { WANTED_CODES = 12, ID_KEPT = 64 };

struct hl7 {
    shunt_hl7_validator *validator;
    shunt_hl7_ack       *ack;
    shunt_text           set, control; /* of the open message */
    char                 set_bytes[ID_KEPT], control_bytes[ID_KEPT];
    bool                 in_message;
};

static struct hl7 *own(const shunt_validator *v) { return v->own; }

/* ---- words ---- */

/* PID-3[2].4.1 patient id list: as the language writes it. */
static void put_path(shunt_buffer *out, const shunt_hl7_finding *f)
{
    shunt_buffer_z(out, f->id[0] ? f->id : "segment");
    if (f->place.element) shunt_buffer_format(out, "-%u", f->place.element);
    if (f->repetition) shunt_buffer_format(out, "[%u]", f->repetition);
    if (f->place.component) shunt_buffer_format(out, ".%u", f->place.component);
    if (f->subcomponent) shunt_buffer_format(out, ".%u", f->subcomponent);
}

static const char *type_words(const shunt_element *e)
{
    switch (e->type) {
    case SHUNT_VALUE_INT: return "digits";
    case SHUNT_VALUE_AMOUNT:
    case SHUNT_VALUE_DECIMAL: return "a number: digits with a point, a sign in front";
    case SHUNT_VALUE_DATE: return "a date, YYYY[MM[DD]]";
    case SHUNT_VALUE_TIME: return "a time, HH[MM[SS[.S...]]][+-ZZZZ]";
    default: return "a date and time, YYYY[MM[DD[HH[MM[SS[.S...]]]]]][+-ZZZZ]";
    }
}

/* What should stand there; nothing where the meaning of the code says all. */
static void put_wanted(shunt_buffer *out, const shunt_hl7_finding *f)
{
    switch (f->code) {
    case SHUNT_HL7_CODE:
    case SHUNT_HL7_CODE_TABLE:
    case SHUNT_HL7_CODE_UNLISTED:
    case SHUNT_HL7_PROCESSING_ID:
        if (!f->codes) break;
        shunt_buffer_format(out, "a code of table %s: ", f->codes->name + 3);
        for (uint32_t i = 0; i < f->codes->count && i < WANTED_CODES; i++)
            shunt_buffer_format(out, "%s%s", i ? ", " : "", f->codes->values[i]);
        if (f->codes->count > WANTED_CODES) shunt_buffer_format(out, " ... (%u)", f->codes->count);
        break;
    case SHUNT_HL7_DATE:
    case SHUNT_HL7_NUMBER:
        if (f->element) shunt_buffer_z(out, type_words(f->element));
        break;
    case SHUNT_HL7_TOO_LONG:
        if (f->element) shunt_buffer_format(out, "at most %u characters", f->element->max_length);
        break;
    case SHUNT_HL7_FIELD_MISSING:
    case SHUNT_HL7_COMPONENT_MISSING: shunt_buffer_z(out, "a value, it is required"); break;
    case SHUNT_HL7_SEGMENT_MISSING: shunt_buffer_z(out, "the segment, it is required"); break;
    case SHUNT_HL7_GROUP_MISSING: shunt_buffer_z(out, "the group that begins with it, it is required"); break;
    default: break;
    }
}

static void put_value(const shunt_validator *v, shunt_buffer *out, const shunt_hl7_finding *f)
{
    bool header = strcmp(f->id, "MSH") == 0;
    shunt_validate_value(v, out, f->value, f->value_length,
                         f->element ? f->element->phi
                         : header   ? 0
                                    : (uint32_t)SHUNT_PHI_FREE_TEXT);
}

/* ---- findings ---- */

static void as_text(shunt_validator *v, const shunt_hl7_finding *f)
{
    const struct hl7 *x = own(v);
    shunt_buffer     *out = &v->out;
    const char       *name = f->element ? f->element->name : f->node ? f->node->name : NULL;
    shunt_validate_heading(v, f->code, f->severity, f->place.byte);
    shunt_buffer_z(out, "  at    ");
    put_path(out, f);
    if (name) shunt_buffer_format(out, " %s", name);
    if (f->value_length) {
        shunt_buffer_z(out, ": \"");
        put_value(v, out, f);
        shunt_buffer_char(out, '"');
    }
    shunt_buffer_char(out, '\n');
    if (x->in_message) {
        shunt_buffer_format(out, "  in    message %.*s %.*s", SHUNT_TEXT_ARGS(x->set), SHUNT_TEXT_ARGS(x->control));
        if (f->place.segment) shunt_buffer_format(out, ", segment %u", f->place.segment);
        if (f->group && f->group->id[0]) shunt_buffer_format(out, ", group %s", f->group->id);
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
    shunt_buffer_format(out, "  rule  level %u", f->level);
    if (f->condition) shunt_buffer_format(out, ", error condition %u", f->condition);
    shunt_buffer_char(out, '\n');
}

static void as_json(shunt_validator *v, const shunt_hl7_finding *f)
{
    const struct hl7 *x = own(v);
    shunt_buffer     *out = &v->out, text;
    shunt_buffer_init(&text, &v->memory);
    shunt_validate_object(v, f->code, f->severity);
    shunt_buffer_format(out, ",\"level\":%u", f->level);
    if (x->in_message) {
        shunt_validate_member(out, "message", x->set);
        shunt_validate_member(out, "control", x->control);
    }
    if (f->place.segment) shunt_buffer_format(out, ",\"segment\":%u", f->place.segment);
    if (f->id[0]) {
        put_path(&text, f);
        shunt_validate_member(out, "id", shunt_text_of(f->id));
        shunt_validate_member(out, "path", (shunt_text){ text.bytes, (uint32_t)text.length });
    }
    if (f->occurrence) shunt_buffer_format(out, ",\"occurrence\":%u", f->occurrence);
    if (f->place.element) shunt_buffer_format(out, ",\"field\":%u", f->place.element);
    if (f->repetition) shunt_buffer_format(out, ",\"repetition\":%u", f->repetition);
    if (f->place.component) shunt_buffer_format(out, ",\"component\":%u", f->place.component);
    if (f->subcomponent) shunt_buffer_format(out, ",\"subcomponent\":%u", f->subcomponent);
    if (f->group && f->group->id[0]) shunt_validate_member(out, "group", shunt_text_of(f->group->id));
    if (f->element || f->node) shunt_validate_member(out, "name", shunt_text_of(f->element ? f->element->name : f->node->name));
    shunt_buffer_format(out, ",\"offset\":%llu,\"length\":%u", (unsigned long long)f->place.byte, f->place.length);
    text.length = 0;
    if (f->value_length) {
        put_value(v, &text, f);
        shunt_validate_member(out, "value", (shunt_text){ text.bytes, (uint32_t)text.length });
    }
    text.length = 0;
    put_wanted(&text, f);
    if (text.length) shunt_validate_member(out, "wants", (shunt_text){ text.bytes, (uint32_t)text.length });
    if (f->detail[0]) shunt_validate_member(out, "found", shunt_text_of(f->detail));
    if (f->condition) shunt_buffer_format(out, ",\"answer\":\"ERR\",\"answer_code\":\"%u\"", f->condition);
    shunt_buffer_z(out, "}\n");
    out->failed = out->failed || text.failed;
    shunt_buffer_done(&text);
}

static void summary(shunt_validator *v)
{
    const shunt_hl7_ack_totals *t = shunt_hl7_ack_totals_of(own(v)->ack);
    shunt_buffer               *out = &v->out;
    unsigned long long          files = t->files, batches = t->batches, messages = t->messages, accepted = t->accepted,
                       flawed = t->with_errors, rejected = t->rejected;
    if (v->options.json) {
        shunt_buffer_z(out, "{\"file\":");
        shunt_buffer_json(out, shunt_text_of(v->name));
        shunt_buffer_format(out,
                            ",\"summary\":{\"files\":%llu,\"batches\":%llu,\"messages\":%llu,\"accepted\":%llu,"
                            "\"in_error\":%llu,\"rejected\":%llu",
                            files, batches, messages, accepted, flawed, rejected);
    } else {
        shunt_buffer_format(out, "%s: ", v->name);
        if (batches) shunt_buffer_format(out, "%llu batch%s, ", batches, batches == 1 ? "" : "es");
        shunt_buffer_format(out, "%llu message%s: %llu accepted, %llu in error, %llu rejected", messages,
                            messages == 1 ? "" : "s", accepted, flawed, rejected);
    }
    shunt_validate_totals(v);
}

/* ---- events ---- */

static shunt_status see(shunt_validator *v, const shunt_event *event)
{
    struct hl7 *x = own(v);
    uint32_t    count;
    if (event->step == SHUNT_STEP_BEGIN && event->scope == SHUNT_SCOPE_TRANSACTION) {
        shunt_validate_part_over(v);
        x->set = shunt_validate_kept(x->set_bytes, sizeof x->set_bytes, event->set);
        x->control = shunt_validate_kept(x->control_bytes, sizeof x->control_bytes, event->control);
        x->in_message = true;
    }
    SHUNT_TRY(shunt_hl7_validator_see(x->validator, event));
    const shunt_hl7_finding *found = shunt_hl7_findings(x->validator, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (!shunt_validate_takes(v, found[i].code, found[i].severity, found[i].beyond, found[i].place.byte)) continue;
        if (v->options.json)
            as_json(v, &found[i]);
        else
            as_text(v, &found[i]);
    }
    SHUNT_TRY(shunt_hl7_ack_see(x->ack, event, found, count));
    bool over = event->step == SHUNT_STEP_FINISH || event->step == SHUNT_STEP_ABANDON;
    if (over && event->scope == SHUNT_SCOPE_TRANSACTION) {
        shunt_validate_part_over(v);
        x->in_message = false;
    }
    return SHUNT_OK;
}

/* ---- making ---- */

static const char *open(shunt_validator *v)
{
    static const shunt_plan    nothing; /* no source: the messages choose their guides themselves */
    shunt_hl7_options          reading = { .segments = true };
    shunt_hl7_validate_options rules = { .levels = v->levels };
    shunt_hl7_ack_options      answer;
    struct hl7                *x = SHUNT_NEW(v->arena, struct hl7);
    if (!x) return "no memory";
    v->own = x;
    memcpy(answer.made_at, v->made_at, sizeof answer.made_at);
    v->reader = shunt_hl7_reader_new(&v->memory, &nothing, &reading);
    x->validator = shunt_hl7_validator_new(&v->memory, NULL, &rules);
    x->ack = shunt_hl7_ack_new(&v->memory, &answer, v->options.acknowledge ? &v->answer : NULL);
    return v->reader && x->validator && x->ack ? NULL : "no memory";
}

static void done(shunt_validator *v)
{
    shunt_hl7_validator_free(own(v)->validator);
    shunt_hl7_ack_free(own(v)->ack);
}

const shunt_validate_ops shunt_validate_hl7 = { open, see, summary, done, NULL, "message" };
