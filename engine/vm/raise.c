#include <stdio.h>

#include "engine/vm/parcel.h"
#include "engine/vm/session_state.h"

/* An exception in `raised`: this, then its JSON without end, then its text. */
struct waiting {
    uint64_t     offset, begin;
    uint32_t     json_length;
    shunt_status cause;
    uint16_t     code;
    uint8_t      grade, scope;
};

static struct waiting waiting_of(const shunt_session *s, const shunt_raised *r)
{
    const struct unit *unit = s->unit_depth ? &s->units[s->unit_depth - 1] : NULL;
    return (struct waiting){ .offset = r->place.byte,
                             .begin = unit ? unit->begin : r->place.byte,
                             .cause = r->cause,
                             .code = r->code,
                             .grade = (uint8_t)r->grade,
                             .scope = (uint8_t)r->scope };
}

void shunt_session_place(const shunt_session *s, const shunt_vm_place *place, shunt_raised *r)
{
    if (place->node) {
        r->loop = s->plan->texts[s->plan->frames[place->node->frame].id];
        r->instance = place->node->ordinal;
        r->place.byte = place->node->at;
        r->place.segment = place->value ? 0 : place->node->segment; /* of a value only its bytes are known */
    }
    if (place->slot < s->plan->slot_count) {
        const shunt_plan_slot *slot = &s->plan->slots[place->slot];
        r->path = s->plan->texts[slot->path];
        r->place.element = slot->element;
        r->place.component = slot->component;
    }
    if (place->value && place->value->bytes) {
        r->place.byte = place->value->at;
        r->place.length = place->value->size;
    }
}

static void fill_in(const shunt_session *s, shunt_raised *r)
{
    const struct unit *unit = s->unit_depth ? &s->units[s->unit_depth - 1] : NULL;
    if (s->in_input) r->input = s->inputs[s->input_count - 1].id;
    r->correlate = shunt_buffer_as_text(&s->correlate);
    if (s->open) {
        r->transaction = s->transactions;
        r->control = shunt_buffer_as_text(&s->control);
        if (!r->place.byte) r->place.byte = unit ? unit->begin : s->begin;
        if (s->letters) r->letter = shunt_letters_name(s->letters), r->ending = shunt_letters_end_of_name(s->letters);
    }
    if (!unit) return;
    r->unit = unit->ordinal;
    if (r->loop.length) return;
    r->loop = s->plan->texts[s->plan->loops[unit->loop].id];
    r->instance = unit->instance;
}

static void count(shunt_session *s, const struct waiting *w)
{
    s->raised_count[w->grade]++;
    if (w->code != SHUNT_NONE)
        s->code_count[w->code]++;
    else
        s->status_count[w->cause]++;
    if (w->grade != SHUNT_GRADE_WARNING) s->at_fault = true;
}

static shunt_status hand_out(shunt_session *s, const struct waiting *w, shunt_text json, shunt_text text)
{
    shunt_exception_out out = {
        w->code, w->cause, (shunt_grade)w->grade, (shunt_scope)w->scope, w->offset, w->begin, json, text
    };
    count(s, w);
    return s->sinks.exception ? s->sinks.exception(s->sinks.context, &out) : SHUNT_OK;
}

/* A message can hold a fault in every few bytes: those that change nothing are listed so far, then counted. */
static bool leave_out(shunt_session *s, const shunt_raised *r)
{
    struct extra  *extra = &s->extras[r->cause];
    struct waiting w = waiting_of(s, r);
    if (extra->count++ < SHUNT_FAULTS_LISTED) return false;
    if (extra->count == SHUNT_FAULTS_LISTED + 1) extra->first = r->place.byte;
    extra->last = r->place.byte;
    count(s, &w);
    return true;
}

shunt_status shunt_session_extras(shunt_session *s)
{
    for (int i = 0; i < SHUNT_STATUS_COUNT; i++) {
        const struct extra *extra = &s->extras[i];
        char                message[160];
        if (extra->count <= SHUNT_FAULTS_LISTED) continue;
        int          length = snprintf(message, sizeof message, "%llu more of %s, from byte %llu to byte %llu",
                                       (unsigned long long)(extra->count - SHUNT_FAULTS_LISTED), shunt_status_info[i].code,
                                       (unsigned long long)extra->first, (unsigned long long)extra->last);
        shunt_raised raised = { .code = SHUNT_NONE,
                                .cause = SHUNT_FAULTS_MORE,
                                .grade = SHUNT_GRADE_WARNING,
                                .scope = SHUNT_SCOPE_FILE,
                                .message = { message, (uint32_t)length },
                                .place = { .byte = extra->first } };
        SHUNT_TRY(shunt_session_raise(s, &raised));
    }
    memset(s->extras, 0, sizeof s->extras);
    return SHUNT_OK;
}

shunt_status shunt_session_raise(shunt_session *s, shunt_raised *r)
{
    const struct unit *unit = shunt_session_unit(s);
    fill_in(s, r);
    if (unit && !unit->listed && r->scope == SHUNT_SCOPE_UNIT) return SHUNT_OK; /* it was told when the unit ran the first time */
    if (r->extra && leave_out(s, r)) return SHUNT_OK;
    if (s->observer.exception) SHUNT_TRY(s->observer.exception(s->observer.context, r));
    struct waiting w = waiting_of(s, r);
    s->json.length = s->text.length = 0;
    shunt_raised_json(s->program, r, &s->json);
    shunt_raised_text(s->program, r, &s->text);
    if (!unit) shunt_raised_json_end(false, SHUNT_POSTED, &s->json);
    if (s->json.failed || s->text.failed) return SHUNT_NO_MEMORY;
    if (!unit) return hand_out(s, &w, shunt_buffer_as_text(&s->json), shunt_buffer_as_text(&s->text));
    w.json_length = (uint32_t)s->json.length;
    s->scratch.length = 0;
    size_t at = shunt_parcel_open(&s->scratch);
    shunt_buffer_add(&s->scratch, &w, sizeof w);
    shunt_buffer_add(&s->scratch, s->json.bytes, s->json.length);
    shunt_buffer_add(&s->scratch, s->text.bytes, s->text.length);
    if (s->scratch.failed) return SHUNT_NO_MEMORY;
    shunt_parcel_seal(&s->scratch, at, 0);
    return s->raised.append(s->raised.context, s->scratch.bytes, s->scratch.length);
}

struct releasing {
    shunt_session *s;
    bool           known;
    shunt_fate     fate;
};

static shunt_status release_one(void *context, uint32_t tag, const char *bytes, size_t length)
{
    struct releasing *r = context;
    shunt_session    *s = r->s;
    struct waiting    w;
    (void)tag;
    memcpy(&w, bytes, sizeof w);
    s->json.length = 0;
    shunt_buffer_add(&s->json, bytes + sizeof w, w.json_length);
    shunt_raised_json_end(r->known, r->fate, &s->json);
    if (s->json.failed) return SHUNT_NO_MEMORY;
    size_t text = sizeof w + w.json_length;
    return hand_out(s, &w, shunt_buffer_as_text(&s->json), (shunt_text){ bytes + text, (uint32_t)(length - text) });
}

shunt_status shunt_session_release(shunt_session *s, bool known, shunt_fate fate)
{
    struct releasing r = { s, known, fate };
    uint64_t         end = s->raised.mark(s->raised.context);
    if (SHUNT_LIKELY(end == 0)) return SHUNT_OK;
    SHUNT_TRY(shunt_parcel_replay(&s->raised, 0, end, &s->carry, release_one, &r));
    return s->raised.reset(s->raised.context);
}
