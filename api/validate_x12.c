/* validate_x12.c - X12 held against standard and guide: findings as an analyst reads them or as JSON, a summary, and TA1, 997 and 999. */
#include <stdio.h>

#include "api/definitions.h"
#include "api/validate.h"
#include "dsl/plan_maker.h"
#include "standards/registry.h"
#include "standards/x12/ack.h"

enum { WANTED_CODES = 12, ID_KEPT = 40 };

struct x12 {
    const shunt_guide  **guides;
    shunt_plan           plan;
    shunt_x12_validator *validator;
    shunt_x12_ack       *ack;
    shunt_text           set, control, version; /* of the open set and its group */
    char                 set_bytes[16], control_bytes[ID_KEPT], version_bytes[ID_KEPT];
};

/* ---- words ---- */

static const char *const answers_999[] = { "", "TA105", "AK905", "IK502", "IK304", "IK403" };
static const char *const answers_997[] = { "", "TA105", "AK905", "AK502", "AK304", "AK403" };

static struct x12 *own(const shunt_validator *v) { return v->own; }

static bool implementation(const shunt_validator *v)
{
    shunt_text version = own(v)->version;
    return version.length > 6 && memcmp(version.bytes, "005", 3) >= 0 && version.bytes[6] == 'X';
}

static const char *answer_of(const shunt_validator *v, const shunt_x12_finding *f, const char **code)
{
    bool new = implementation(v);
    *code = new ? f->standard : f->older;
    if (!**code) return "";
    return (new ? answers_999 : answers_997)[f->said];
}

static void place_words(shunt_buffer *out, const shunt_x12_finding *f)
{
    shunt_buffer_z(out, f->id[0] ? f->id : "segment");
    if (f->place.element) shunt_buffer_format(out, "%02u", f->place.element);
    if (f->place.component) shunt_buffer_format(out, "-%u", f->place.component);
    if (f->repetition > 1) shunt_buffer_format(out, " (repetition %u)", f->repetition);
    if (f->element)
        shunt_buffer_format(out, " %s", f->element->name);
    else if (f->node)
        shunt_buffer_format(out, " %s", f->node->name);
}

static const char *type_words(const shunt_element *e)
{
    switch (e->type) {
    case SHUNT_VALUE_INT: return "a whole number";
    case SHUNT_VALUE_IMPLIED: return "digits, the point is not written";
    case SHUNT_VALUE_AMOUNT:
        return e->implied ? "digits, the point is not written" : "an amount: digits with a point, minus in front";
    case SHUNT_VALUE_DECIMAL: return "a number: digits with a point, minus in front";
    case SHUNT_VALUE_DATE: return "a date, CCYYMMDD or YYMMDD";
    case SHUNT_VALUE_TIME: return "a time, HHMM or HHMMSS";
    case SHUNT_VALUE_DATE_BY_QUALIFIER: return "what the qualifier before it says: D8 CCYYMMDD, RD8 CCYYMMDD-CCYYMMDD";
    default: return "printable characters";
    }
}

/* What should stand there; nothing where the meaning of the code says all. */
static void wants(shunt_buffer *out, const shunt_x12_finding *f)
{
    const shunt_element *e = f->element;
    switch (f->code) {
    case SHUNT_X12_CODE:
        for (uint32_t i = 0; f->codes && i < f->codes->count && i < WANTED_CODES; i++)
            shunt_buffer_format(out, "%s%s", i ? ", " : "one of ", f->codes->values[i]);
        if (f->codes && f->codes->count > WANTED_CODES) shunt_buffer_format(out, " ... (%u)", f->codes->count);
        break;
    case SHUNT_X12_CODE_SET:
    case SHUNT_X12_CODE_UNLISTED:
        if (f->codes) shunt_buffer_format(out, "a code of the list %s", f->codes->name);
        break;
    case SHUNT_X12_TOO_SHORT:
    case SHUNT_X12_TOO_LONG:
        if (e) shunt_buffer_format(out, "%u to %u characters", e->min_length, e->max_length);
        break;
    case SHUNT_X12_CHARACTER:
    case SHUNT_X12_DATE:
    case SHUNT_X12_TIME:
        if (e) shunt_buffer_z(out, type_words(e));
        break;
    case SHUNT_X12_ELEMENT_MISSING: shunt_buffer_z(out, "a value, the element is required"); break;
    case SHUNT_X12_ELEMENT_UNUSED: shunt_buffer_z(out, "nothing here, the guide does not use the element"); break;
    case SHUNT_X12_SEGMENT_MISSING:
    case SHUNT_X12_LOOP_MISSING:
        if (f->node && f->node->key) {
            for (uint32_t i = 0; i < f->node->key->count && i < WANTED_CODES; i++)
                shunt_buffer_format(out, "%s%s", i ? " or " : "the segment with qualifier ", f->node->key->values[i]);
        } else {
            shunt_buffer_z(out, "the segment, it is required");
        }
        break;
    default: break;
    }
}

/* Nobody knows what may stand in an element of no guide. */
static void shown_value(const shunt_validator *v, shunt_buffer *out, const shunt_x12_finding *f)
{
    shunt_validate_value(v, out, f->value, f->value_length, f->element ? f->element->phi : (uint32_t)SHUNT_PHI_FREE_TEXT);
}

/* ---- findings ---- */

static void as_text(shunt_validator *v, const shunt_x12_finding *f)
{
    struct x12   *x = own(v);
    shunt_buffer *out = &v->out;
    const char   *code, *answer = answer_of(v, f, &code);
    shunt_validate_heading(v, f->code, f->severity, f->place.byte);
    shunt_buffer_z(out, "  at    ");
    place_words(out, f);
    if (f->value_length) {
        shunt_buffer_z(out, ": \"");
        shown_value(v, out, f);
        shunt_buffer_char(out, '"');
    }
    shunt_buffer_char(out, '\n');
    if (x->set.length) {
        shunt_buffer_format(out, "  in    set %.*s %.*s", SHUNT_TEXT_ARGS(x->set), SHUNT_TEXT_ARGS(x->control));
        if (f->place.segment) shunt_buffer_format(out, ", segment %u", f->place.segment);
        if (f->loop && f->loop->id[0]) shunt_buffer_format(out, ", loop %s %s", f->loop->id, f->loop->name);
        shunt_buffer_char(out, '\n');
    }
    size_t start = out->length;
    shunt_buffer_z(out, "  wants ");
    size_t before = out->length;
    wants(out, f);
    if (out->length == before)
        out->length = start;
    else
        shunt_buffer_char(out, '\n');
    if (f->detail[0]) shunt_buffer_format(out, "  found %s\n", f->detail);
    shunt_buffer_format(out, "  rule  SNIP %u", f->snip);
    if (answer[0]) shunt_buffer_format(out, ", %s %s", answer, code);
    shunt_buffer_char(out, '\n');
}

static void as_json(shunt_validator *v, const shunt_x12_finding *f)
{
    struct x12   *x = own(v);
    shunt_buffer *out = &v->out, text;
    const char   *code, *answer = answer_of(v, f, &code);
    shunt_buffer_init(&text, &v->memory);
    shunt_validate_object(v, f->code, f->severity);
    shunt_buffer_format(out, ",\"snip\":%u", f->snip);
    if (x->set.length) {
        shunt_validate_member(out, "set", x->set);
        shunt_validate_member(out, "control", x->control);
    }
    if (f->place.segment) shunt_buffer_format(out, ",\"segment\":%u", f->place.segment);
    if (f->id[0]) shunt_validate_member(out, "id", shunt_text_of(f->id));
    if (f->place.element) shunt_buffer_format(out, ",\"element\":%u", f->place.element);
    if (f->place.component) shunt_buffer_format(out, ",\"component\":%u", f->place.component);
    if (f->repetition) shunt_buffer_format(out, ",\"repetition\":%u", f->repetition);
    if (f->loop && f->loop->id[0]) shunt_validate_member(out, "loop", shunt_text_of(f->loop->id));
    if (f->element || f->node) shunt_validate_member(out, "name", shunt_text_of(f->element ? f->element->name : f->node->name));
    shunt_buffer_format(out, ",\"offset\":%llu,\"length\":%u", (unsigned long long)f->place.byte, f->place.length);
    if (f->value_length) {
        shown_value(v, &text, f);
        shunt_validate_member(out, "value", (shunt_text){ text.bytes, (uint32_t)text.length });
    }
    text.length = 0;
    wants(&text, f);
    if (text.length) shunt_validate_member(out, "wants", (shunt_text){ text.bytes, (uint32_t)text.length });
    if (f->detail[0]) shunt_validate_member(out, "found", shunt_text_of(f->detail));
    if (answer[0]) {
        shunt_validate_member(out, "answer", shunt_text_of(answer));
        shunt_validate_member(out, "answer_code", shunt_text_of(code));
    }
    shunt_buffer_z(out, "}\n");
    out->failed = out->failed || text.failed;
    shunt_buffer_done(&text);
}

static void tell(shunt_validator *v, const shunt_x12_finding *f)
{
    if (!shunt_validate_takes(v, f->code, f->severity, f->beyond, f->place.byte)) return;
    if (v->options.json)
        as_json(v, f);
    else
        as_text(v, f);
}

static void summary(shunt_validator *v)
{
    const shunt_x12_ack_totals *t = shunt_x12_ack_totals_of(own(v)->ack);
    shunt_buffer               *out = &v->out;
    unsigned long long          interchanges = t->interchanges, groups = t->groups, sets = t->sets, accepted = t->accepted,
                       flawed = t->with_errors, rejected = t->rejected, unknown = t->unknown;
    if (v->options.json) {
        shunt_buffer_z(out, "{\"file\":");
        shunt_buffer_json(out, shunt_text_of(v->name));
        shunt_buffer_format(out,
                            ",\"summary\":{\"interchanges\":%llu,\"groups\":%llu,\"sets\":%llu,\"accepted\":%llu,"
                            "\"accepted_with_errors\":%llu,\"rejected\":%llu,\"unknown\":%llu",
                            interchanges, groups, sets, accepted, flawed, rejected, unknown);
    } else {
        shunt_buffer_format(out,
                            "%s: %llu interchange%s, %llu group%s, %llu set%s: %llu accepted, %llu with errors, %llu rejected",
                            v->name, interchanges, interchanges == 1 ? "" : "s", groups, groups == 1 ? "" : "s", sets,
                            sets == 1 ? "" : "s", accepted, flawed, rejected);
        if (unknown) shunt_buffer_format(out, " (%llu of no known guide)", unknown);
    }
    shunt_validate_totals(v);
}

/* ---- events ---- */

static void note_scope(struct x12 *x, const shunt_event *event)
{
    if (event->scope == SHUNT_SCOPE_BATCH)
        x->version = shunt_validate_kept(x->version_bytes, sizeof x->version_bytes, event->version);
    if (event->scope != SHUNT_SCOPE_TRANSACTION) return;
    x->set = shunt_validate_kept(x->set_bytes, sizeof x->set_bytes, event->set);
    x->control = shunt_validate_kept(x->control_bytes, sizeof x->control_bytes, event->control);
}

static shunt_status see(shunt_validator *v, const shunt_event *event)
{
    struct x12 *x = own(v);
    uint32_t    count;
    bool        of_set = event->scope == SHUNT_SCOPE_TRANSACTION;
    if (event->step == SHUNT_STEP_BEGIN && of_set) shunt_validate_part_over(v);
    if (event->step == SHUNT_STEP_BEGIN) note_scope(x, event);
    SHUNT_TRY(shunt_x12_validator_see(x->validator, event));
    const shunt_x12_finding *found = shunt_x12_findings(x->validator, &count);
    for (uint32_t i = 0; i < count; i++) tell(v, &found[i]);
    SHUNT_TRY(shunt_x12_ack_see(x->ack, event, found, count));
    bool over = event->step == SHUNT_STEP_FINISH || event->step == SHUNT_STEP_ABANDON;
    if (over && of_set) {
        shunt_validate_part_over(v);
        x->set.length = 0;
    }
    return SHUNT_OK;
}

/* ---- making ---- */

/* A part of an answer that is too long to be held. */
static shunt_status hand_out(void *context)
{
    shunt_validator *v = context;
    bool             fine = v->options.acknowledge(v->options.acknowledge_context, v->answer.bytes, v->answer.length);
    v->answer.length = 0;
    return fine ? SHUNT_OK : SHUNT_CALLBACK;
}

static const char *open(shunt_validator *v)
{
    shunt_x12_validate_options  rules = { .snips = v->levels, .sender = v->options.sender, .receiver = v->options.receiver };
    shunt_x12_ack_options       answer = { 0 };
    uint32_t                    count = 0, most = 0;
    struct x12                 *x = SHUNT_NEW(v->arena, struct x12);
    const shunt_definition_set *site = shunt_definitions_set(v->options.definitions);
    if (!x) return "no memory";
    v->own = x;
    answer.full = hand_out;
    answer.full_context = v;
    memcpy(answer.date, v->made_at, sizeof answer.date - 1);
    memcpy(answer.time, v->made_at + sizeof answer.date - 1, sizeof answer.time - 1);
    while (shunt_definition_guide_at(site, most)) most++;
    x->guides = SHUNT_NEW_N(v->arena, const shunt_guide *, most + 1);
    shunt_conditions *conditions = SHUNT_NEW_N(v->arena, shunt_conditions, most + 1);
    if (!x->guides || !conditions) return "no memory";
    for (uint32_t i = 0; i < most; i++) {
        const shunt_guide *guide = shunt_definition_guide_at(site, i);
        if (guide->standard != SHUNT_STANDARD_X12) continue;
        conditions[count] = shunt_definition_conditions(site, guide);
        x->guides[count++] = guide;
    }
    rules.conditions = conditions;
    if (shunt_plan_make(v->arena, x->guides, count, NULL, 0, &x->plan) != SHUNT_OK) return "no memory";
    v->reader = shunt_reader_for(SHUNT_STANDARD_X12, &v->memory, &x->plan);
    x->validator = shunt_x12_validator_new(&v->memory, &x->plan, x->guides, &rules);
    x->ack = shunt_x12_ack_new(&v->memory, &answer, v->options.acknowledge ? &v->answer : NULL);
    return v->reader && x->validator && x->ack ? NULL : "no memory";
}

static void done(shunt_validator *v)
{
    shunt_x12_validator_free(own(v)->validator);
    shunt_x12_ack_free(own(v)->ack);
}

const shunt_validate_ops shunt_validate_x12 = { open, see, summary, done, NULL, "set" };
