/* validate.c - holds X12 against standard and guide, without rules: findings as an analyst reads them or as JSON, a summary, and the
 * acknowledgements. It streams: a finding is written when it is made. */
#include <stdio.h>

#include "api/definitions.h"
#include "dsl/plan_maker.h"
#include "engine/base/date.h"
#include "standards/registry.h"
#include "standards/x12/ack.h"

enum { NAME = 200, WANTED_CODES = 12, ID_KEPT = 40 };

struct shunt_validator {
    shunt_memory           memory;
    shunt_validate_options options;
    shunt_arena           *arena;
    const shunt_guide    **guides;
    shunt_plan             plan;
    shunt_reader          *reader;
    shunt_x12_validator   *validator;
    shunt_x12_ack         *ack;
    shunt_buffer           answer, out;
    shunt_write            write;
    void                  *context;
    const char            *name;
    const shunt_guide     *guide; /* of the open set */
    shunt_text             set, control, version;
    char                   set_bytes[16], control_bytes[ID_KEPT], version_bytes[ID_KEPT];
    uint64_t               errors, warnings, notes;
};

/* ---- words ---- */

static const char *const answers_999[] = { "", "TA105", "AK905", "IK502", "IK304", "IK403" };
static const char *const answers_997[] = { "", "TA105", "AK905", "AK502", "AK304", "AK403" };

static bool implementation(const shunt_validator *v)
{
    return v->version.length > 6 && memcmp(v->version.bytes, "005", 3) >= 0 && v->version.bytes[6] == 'X';
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

static bool masked(const shunt_validator *v, const shunt_x12_finding *f)
{
    if (v->options.show_phi) return false;
    if (!f->element) return true; /* nobody knows what it is */
    return f->element->phi != 0;
}

static void shown_value(const shunt_validator *v, shunt_buffer *out, const shunt_x12_finding *f)
{
    if (!masked(v, f)) {
        for (uint8_t i = 0; i < f->value_length; i++) {
            unsigned char c = (unsigned char)f->value[i];
            shunt_buffer_char(out, c < ' ' || c == 127 ? '?' : (char)c);
        }
        return;
    }
    uint32_t phi = f->element ? f->element->phi : (uint32_t)SHUNT_PHI_FREE_TEXT;
    for (int i = 0; i < SHUNT_PHI_INDEX_COUNT; i++) {
        if (!(phi & 1u << i)) continue;
        shunt_buffer_format(out, "[%s]", shunt_phi_name((shunt_phi_index)i));
        return;
    }
}

/* ---- findings ---- */

static void as_text(shunt_validator *v, const shunt_x12_finding *f)
{
    shunt_buffer *out = &v->out;
    const char   *code, *answer = answer_of(v, f, &code);
    shunt_buffer_format(out, "%s:%llu: %s %s: %s\n", v->name, (unsigned long long)f->place.byte,
                        shunt_severity_name((shunt_severity)f->severity), shunt_status_info[f->code].code,
                        shunt_status_info[f->code].meaning);
    shunt_buffer_z(out, "  at    ");
    place_words(out, f);
    if (f->value_length) {
        shunt_buffer_z(out, ": \"");
        shown_value(v, out, f);
        shunt_buffer_char(out, '"');
    }
    shunt_buffer_char(out, '\n');
    if (v->set.length) {
        shunt_buffer_format(out, "  in    set %.*s %.*s", SHUNT_TEXT_ARGS(v->set), SHUNT_TEXT_ARGS(v->control));
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

static void member(shunt_buffer *out, const char *name, shunt_text text)
{
    shunt_buffer_format(out, ",\"%s\":", name);
    shunt_buffer_json(out, text);
}

static void as_json(shunt_validator *v, const shunt_x12_finding *f)
{
    shunt_buffer *out = &v->out, text;
    const char   *code, *answer = answer_of(v, f, &code);
    shunt_buffer_init(&text, &v->memory);
    shunt_buffer_z(out, "{\"file\":");
    shunt_buffer_json(out, shunt_text_of(v->name));
    member(out, "code", shunt_text_of(shunt_status_info[f->code].code));
    member(out, "severity", shunt_text_of(shunt_severity_name((shunt_severity)f->severity)));
    shunt_buffer_format(out, ",\"snip\":%u", f->snip);
    if (v->set.length) {
        member(out, "set", v->set);
        member(out, "control", v->control);
    }
    if (f->place.segment) shunt_buffer_format(out, ",\"segment\":%u", f->place.segment);
    if (f->id[0]) member(out, "id", shunt_text_of(f->id));
    if (f->place.element) shunt_buffer_format(out, ",\"element\":%u", f->place.element);
    if (f->place.component) shunt_buffer_format(out, ",\"component\":%u", f->place.component);
    if (f->repetition) shunt_buffer_format(out, ",\"repetition\":%u", f->repetition);
    if (f->loop && f->loop->id[0]) member(out, "loop", shunt_text_of(f->loop->id));
    if (f->element || f->node) member(out, "name", shunt_text_of(f->element ? f->element->name : f->node->name));
    shunt_buffer_format(out, ",\"offset\":%llu,\"length\":%u", (unsigned long long)f->place.byte, f->place.length);
    if (f->value_length) {
        shown_value(v, &text, f);
        member(out, "value", (shunt_text){ text.bytes, (uint32_t)text.length });
    }
    text.length = 0;
    wants(&text, f);
    if (text.length) member(out, "wants", (shunt_text){ text.bytes, (uint32_t)text.length });
    if (f->detail[0]) member(out, "found", shunt_text_of(f->detail));
    if (answer[0]) {
        member(out, "answer", shunt_text_of(answer));
        member(out, "answer_code", shunt_text_of(code));
    }
    shunt_buffer_z(out, "}\n");
    out->failed = out->failed || text.failed;
    shunt_buffer_done(&text);
}

static void tell(shunt_validator *v, const shunt_x12_finding *f)
{
    if (f->severity == SHUNT_ERROR)
        v->errors++;
    else if (f->severity == SHUNT_WARNING)
        v->warnings++;
    else
        v->notes++;
    if (v->options.json)
        as_json(v, f);
    else
        as_text(v, f);
}

static void summary(shunt_validator *v)
{
    const shunt_x12_ack_totals *t = shunt_x12_ack_totals_of(v->ack);
    shunt_buffer               *out = &v->out;
    unsigned long long          errors = v->errors, warnings = v->warnings, notes = v->notes, interchanges = t->interchanges,
                       groups = t->groups, sets = t->sets, accepted = t->accepted, flawed = t->with_errors,
                       rejected = t->rejected, unknown = t->unknown;
    if (v->options.json) {
        shunt_buffer_z(out, "{\"file\":");
        shunt_buffer_json(out, shunt_text_of(v->name));
        shunt_buffer_format(out,
                            ",\"summary\":{\"interchanges\":%llu,\"groups\":%llu,\"sets\":%llu,\"accepted\":%llu,"
                            "\"accepted_with_errors\":%llu,\"rejected\":%llu,\"unknown\":%llu,\"errors\":%llu,\"warnings\":%llu,"
                            "\"notes\":%llu}}\n",
                            interchanges, groups, sets, accepted, flawed, rejected, unknown, errors, warnings, notes);
        return;
    }
    shunt_buffer_format(out, "%s: %llu interchange%s, %llu group%s, %llu set%s: %llu accepted, %llu with errors, %llu rejected",
                        v->name, interchanges, interchanges == 1 ? "" : "s", groups, groups == 1 ? "" : "s", sets,
                        sets == 1 ? "" : "s", accepted, flawed, rejected);
    if (unknown) shunt_buffer_format(out, " (%llu of no known guide)", unknown);
    shunt_buffer_format(out, "; %llu error%s, %llu warning%s, %llu note%s\n", errors, errors == 1 ? "" : "s", warnings,
                        warnings == 1 ? "" : "s", notes, notes == 1 ? "" : "s");
}

/* ---- reading ---- */

static shunt_text kept(char *into, size_t room, shunt_text text)
{
    uint32_t length = text.length < room ? text.length : (uint32_t)room;
    if (length) memcpy(into, text.bytes, length);
    for (uint32_t i = 0; i < length; i++)
        if ((unsigned char)into[i] < ' ' || into[i] == 127) into[i] = '?';
    return (shunt_text){ into, length };
}

static void note_scope(shunt_validator *v, const shunt_event *event)
{
    if (event->step == SHUNT_STEP_BEGIN && event->scope == SHUNT_SCOPE_BATCH)
        v->version = kept(v->version_bytes, sizeof v->version_bytes, event->version);
    if (event->scope != SHUNT_SCOPE_TRANSACTION) return;
    bool begins = event->step == SHUNT_STEP_BEGIN;
    if (begins) {
        v->set = kept(v->set_bytes, sizeof v->set_bytes, event->set);
        v->control = kept(v->control_bytes, sizeof v->control_bytes, event->control);
    }
}

static shunt_result drain(shunt_validator *v)
{
    bool fine = !v->out.failed && !v->answer.failed;
    if (fine && v->out.length) fine = v->write(v->context, v->out.bytes, v->out.length);
    if (fine && v->answer.length)
        fine = v->options.acknowledge(v->options.acknowledge_context, v->answer.bytes, v->answer.length);
    v->out.length = v->answer.length = 0;
    return fine ? SHUNT_DONE : SHUNT_SYSTEM_FAULT;
}

shunt_result shunt_validator_feed(shunt_validator *v, const void *bytes, size_t size, bool last)
{
    shunt_event event;
    v->reader->ops->feed(v->reader, bytes, size, last);
    for (;;) {
        if (v->out.length + v->answer.length > 1u << 16 && drain(v) != SHUNT_DONE) return SHUNT_SYSTEM_FAULT;
        shunt_step step = v->reader->ops->next(v->reader, &event);
        if (step == SHUNT_STEP_NEED_INPUT) return drain(v);
        if (step == SHUNT_STEP_FAILED) return drain(v) != SHUNT_DONE ? SHUNT_SYSTEM_FAULT : shunt_result_of(event.code);
        if (step == SHUNT_STEP_BEGIN) note_scope(v, &event);
        uint32_t count;
        if (shunt_x12_validator_see(v->validator, &event) != SHUNT_OK) return SHUNT_SYSTEM_FAULT;
        const shunt_x12_finding *found = shunt_x12_findings(v->validator, &count);
        for (uint32_t i = 0; i < count; i++) tell(v, &found[i]);
        if (shunt_x12_ack_see(v->ack, &event, found, count) != SHUNT_OK) return SHUNT_SYSTEM_FAULT;
        if ((step == SHUNT_STEP_FINISH || step == SHUNT_STEP_ABANDON) && event.scope == SHUNT_SCOPE_TRANSACTION)
            v->set.length = 0;
        if (step != SHUNT_STEP_END) continue;
        summary(v);
        if (drain(v) != SHUNT_DONE) return SHUNT_SYSTEM_FAULT;
        return v->errors ? SHUNT_INPUT_FAULT : SHUNT_DONE;
    }
}

/* ---- making ---- */

/* "3" is 1 to 3; "1,2,5" is these. 0 where it is neither. */
static uint32_t snips_of(const char *text)
{
    uint32_t bits = 0;
    if (!text)
        return X12_SNIP(X12_SNIP_SYNTAX) | X12_SNIP(X12_SNIP_GUIDE) | X12_SNIP(X12_SNIP_CODES) | X12_SNIP(X12_SNIP_SITUATION);
    for (const char *at = text;; at++) {
        if (*at < '1' || *at > '5') return 0;
        bits |= X12_SNIP(*at - '0');
        at++;
        if (!*at) break;
        if (*at != ',') return 0;
    }
    if (!strchr(text, ',')) bits = (bits << 1) - 2; /* that one and those below it */
    return bits;
}

static const char *prepare(shunt_validator *v)
{
    shunt_x12_validate_options rules = { .snips = snips_of(v->options.snip),
                                         .sender = v->options.sender,
                                         .receiver = v->options.receiver };
    shunt_x12_ack_options      answer = { .date = "20000101", .time = "0000" };
    uint32_t                   count = 0, most = 0;
    if (!rules.snips) return "a SNIP type is 1 to 5, or several apart by commas";
    if (v->options.made_at) {
        shunt_moment moment;
        int          year, month, day;
        if (shunt_moment_parse(shunt_text_of(v->options.made_at), &moment) != SHUNT_OK)
            return "the time is written as 2025-03-01T12:00:00Z";
        int64_t minutes = moment.microseconds / 60000000 - (moment.microseconds % 60000000 < 0),
                days = minutes / 1440 - (minutes % 1440 < 0);
        shunt_date_split(days, &year, &month, &day);
        unsigned rest = (unsigned)(minutes - days * 1440);
        snprintf(answer.date, sizeof answer.date, "%04u%02u%02u", (unsigned)year % 10000, (unsigned)month % 100,
                 (unsigned)day % 100);
        snprintf(answer.time, sizeof answer.time, "%02u%02u", rest / 60 % 100, rest % 60);
    }
    const shunt_definition_set *site = shunt_definitions_set(v->options.definitions);
    while (shunt_definition_guide_at(site, most)) most++;
    v->guides = SHUNT_NEW_N(v->arena, const shunt_guide *, most + 1);
    shunt_conditions *conditions = SHUNT_NEW_N(v->arena, shunt_conditions, most + 1);
    if (!v->guides || !conditions) return "no memory";
    for (uint32_t i = 0; i < most; i++) {
        const shunt_guide *guide = shunt_definition_guide_at(site, i);
        if (guide->standard != SHUNT_STANDARD_X12) continue;
        conditions[count] = shunt_definition_conditions(site, guide);
        v->guides[count++] = guide;
    }
    rules.conditions = conditions;
    if (shunt_plan_make(v->arena, v->guides, count, NULL, 0, &v->plan) != SHUNT_OK) return "no memory";
    v->reader = shunt_reader_for(SHUNT_STANDARD_X12, &v->memory, &v->plan);
    v->validator = shunt_x12_validator_new(&v->memory, &v->plan, v->guides, &rules);
    v->ack = shunt_x12_ack_new(&v->memory, &answer, v->options.acknowledge ? &v->answer : NULL);
    return v->reader && v->validator && v->ack ? NULL : "no memory";
}

shunt_result shunt_validator_new(const shunt_validate_options *options, shunt_write write, void *context, shunt_validator **made,
                                 shunt_messages **messages)
{
    shunt_memory     memory = shunt_api_memory(options ? options->allocator : NULL);
    shunt_validator *v = shunt_memory_zeroed(&memory, 1, sizeof *v);
    *made = NULL;
    if (messages) *messages = NULL;
    if (!v) return SHUNT_SYSTEM_FAULT;
    v->memory = memory;
    if (options) v->options = *options;
    v->name = v->options.name ? v->options.name : "-";
    v->write = write;
    v->context = context;
    shunt_buffer_init(&v->out, &v->memory);
    shunt_buffer_init(&v->answer, &v->memory);
    v->arena = shunt_arena_new(&v->memory, 0);
    const char *wrong = v->arena ? prepare(v) : "no memory";
    if (!wrong) {
        *made = v;
        return SHUNT_DONE;
    }
    bool lacking = strcmp(wrong, "no memory") == 0;
    if (!lacking && messages && (*messages = shunt_messages_new(&memory)) != NULL)
        shunt_messages_say(*messages, SHUNT_ERROR, "USAGE", "%s", wrong);
    shunt_validator_free(v);
    return lacking ? SHUNT_SYSTEM_FAULT : SHUNT_RULES_FAULT;
}

void shunt_validator_free(shunt_validator *v)
{
    if (!v) return;
    shunt_memory memory = v->memory;
    if (v->reader) v->reader->ops->free(v->reader);
    shunt_x12_validator_free(v->validator);
    shunt_x12_ack_free(v->ack);
    shunt_arena_free(v->arena);
    shunt_buffer_done(&v->out);
    shunt_buffer_done(&v->answer);
    shunt_memory_free(&memory, v);
}
