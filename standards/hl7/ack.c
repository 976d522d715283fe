#include "standards/hl7/ack.h"

#include <stdio.h>

#include "engine/base/segment.h"

enum {
    HEADER_FIELDS = 18, /* of MSH that are kept */
    MSA = 0x4d5341,
    CONTROL = 24,
};

/* What is said of a place. */
typedef struct said {
    shunt_status code;
    uint16_t     condition, field, repetition, component, subcomponent;
    uint32_t     occurrence;
    bool         error, accept; /* accept: it keeps the message from being taken at all */
    char         id[4];
    char         detail[HL7_DETAIL_KEPT + 1];
} said;

/* Fields of a header as they stand. */
typedef struct header {
    shunt_delims delims;
    shunt_buffer bytes;
    shunt_range  fields[HEADER_FIELDS + 1]; /* by number, 1-based; empty = absent */
} header;

struct shunt_hl7_ack {
    const shunt_memory   *memory;
    shunt_hl7_ack_options options;
    shunt_hl7_ack_totals  totals;
    shunt_buffer         *out;
    const shunt_codeset  *conditions; /* table 0357 */

    header   message;
    bool     in_message, is_answer; /* is_answer: it acknowledges another one */
    bool     errors, rejected;
    said    *faults;
    uint32_t fault_count, fault_room;
    uint64_t controls;                    /* control ids given out */
    uint64_t in_batch, in_file;           /* messages of the batch, batches of the file answered */
    uint8_t  batch_element, file_element; /* field separators of their answers; 0 = none is open */
};
typedef shunt_hl7_ack ack;

/* ---- headers ---- */

static bool is_separator(const shunt_delims *d, uint8_t c)
{
    return c == d->element || c == d->component || c == d->repetition || c == d->escape || c == d->subcomponent ||
           c == d->truncation;
}

/* A separator that a broken MSH-2 leaves without a character (the usual one separates fields there): an answer needs all four. It gets
 * one that stands nowhere in the header, so that nothing copied from it is cut by it. */
static void name_missing_separators(shunt_delims *d, const shunt_segment *s)
{
    static const char spare[] = "^~\\&|#$%*+!@/;:,._-=?<>()[]{}'`";
    uint8_t *const    roles[] = { &d->component, &d->repetition, &d->escape, &d->subcomponent };
    const char       *next = spare;
    for (uint32_t i = 0; i < SHUNT_COUNT(roles); i++) {
        if (*roles[i]) continue;
        while (*next && (memchr(s->bytes, *next, s->length) || is_separator(d, (uint8_t)*next))) next++;
        *roles[i] = (uint8_t)(*next ? *next : spare[0]);
    }
}

static void keep_header(header *h, const shunt_event *event)
{
    const shunt_segment *s = event->segment;
    h->delims = event->delims;
    name_missing_separators(&h->delims, s);
    h->bytes.length = 0;
    memset(h->fields, 0, sizeof h->fields);
    for (uint32_t k = 3; k <= HEADER_FIELDS && k - 1 <= s->elements; k++) {
        shunt_range range = shunt_segment_element(s, k - 1);
        if (range.begin >= range.end) continue;
        uint32_t begin = (uint32_t)h->bytes.length;
        shunt_buffer_add(&h->bytes, s->bytes + range.begin, range.end - range.begin);
        h->fields[k] = (shunt_range){ begin, begin + (range.end - range.begin) };
    }
}

static shunt_text field_of(const header *h, uint32_t k)
{
    shunt_range range = h->fields[k];
    if (range.begin >= range.end || h->bytes.failed) return (shunt_text){ 0 };
    return (shunt_text){ h->bytes.bytes + range.begin, range.end - range.begin };
}

/* Component of the first repetition, up to its first subcomponent. */
static shunt_text component_of(const header *h, uint32_t k, uint32_t component)
{
    shunt_text text = field_of(h, k);
    uint32_t   begin = 0, end = 0;
    for (; end < text.length && (uint8_t)text.bytes[end] != h->delims.repetition; end++) {
        if ((uint8_t)text.bytes[end] != h->delims.component) continue;
        if (--component == 0) break;
        begin = end + 1;
    }
    if (component > 1 || end == begin) return (shunt_text){ 0 };
    for (uint32_t i = begin; i < end; i++)
        if ((uint8_t)text.bytes[i] == h->delims.subcomponent) end = i;
    while (end > begin && text.bytes[end - 1] == ' ') end--;
    return (shunt_text){ text.bytes + begin, end - begin };
}

/* ---- writing ---- */

static void put_separator(const header *h, shunt_buffer *out) { shunt_buffer_char(out, (char)h->delims.element); }

/* A field of the answered message: it has its separators and escapes already; nothing in it can end a field or a segment. */
static void put_raw(const header *h, shunt_buffer *out, shunt_text text)
{
    for (uint32_t i = 0; i < text.length; i++) {
        uint8_t c = (uint8_t)text.bytes[i];
        shunt_buffer_char(out, c < ' ' || c == 0x7f || c == h->delims.element ? '?' : (char)c);
    }
}

static void put_field(const header *h, shunt_buffer *out, uint32_t k)
{
    put_separator(h, out);
    put_raw(h, out, field_of(h, k));
}

/* A text of ours: separators inside are escaped. */
static void put_text(const header *h, shunt_buffer *out, shunt_text text)
{
    const shunt_delims *d = &h->delims;
    for (uint32_t i = 0; i < text.length; i++) {
        uint8_t c = (uint8_t)text.bytes[i];
        char    name = c == d->element        ? 'F'
                       : c == d->component    ? 'S'
                       : c == d->subcomponent ? 'T'
                       : c == d->repetition   ? 'R'
                       : c == d->escape       ? 'E'
                                              : 0;
        if (name && d->escape) {
            shunt_buffer_format(out, "%c%c%c", d->escape, name, d->escape);
            continue;
        }
        shunt_buffer_char(out, name || c < ' ' || c == 0x7f ? ' ' : (char)c);
    }
}

static void put_z(const header *h, shunt_buffer *out, const char *text)
{
    put_separator(h, out);
    put_text(h, out, shunt_text_of(text));
}

static void put_encoding(const header *h, shunt_buffer *out)
{
    const shunt_delims *d = &h->delims;
    shunt_buffer_format(out, "%c%c%c%c%c", d->element, d->component, d->repetition, d->escape, d->subcomponent);
    if (d->truncation) shunt_buffer_char(out, (char)d->truncation);
}

static void end_segment(shunt_buffer *out) { shunt_buffer_char(out, '\r'); }

/* No answer has the number of another one of this run: two digits of the year are enough beside the counter. */
static void make_control(ack *a, char control[static CONTROL])
{
    snprintf(control, CONTROL, "%.12s%08llu", a->options.made_at + 2, (unsigned long long)(++a->controls % 100000000));
}

static shunt_text version_of(const header *h)
{
    shunt_text version = component_of(h, 12, 1);
    return version.length && version.bytes[0] != '"' ? version : SHUNT_TEXT("2.5.1");
}

static bool from_version(const header *h, const char *version)
{
    return shunt_hl7_version_compare(version_of(h), shunt_text_of(version)) >= 0;
}

/* MSH of an answer. `mode` 0: original, 'C': accept, 'A': of the application in enhanced mode. */
static void put_msh(ack *a, const header *h, shunt_buffer *out, char mode)
{
    char control[CONTROL];
    make_control(a, control);
    shunt_buffer_z(out, "MSH");
    put_encoding(h, out);
    put_field(h, out, 5);
    put_field(h, out, 6);
    put_field(h, out, 3);
    put_field(h, out, 4);
    put_separator(h, out);
    shunt_buffer_format(out, "%s+0000", a->options.made_at);
    put_separator(h, out); /* security */
    put_separator(h, out);
    shunt_buffer_z(out, "ACK");
    shunt_text event = component_of(h, 9, 2);
    if (event.length && from_version(h, "2.3.1")) {
        shunt_buffer_char(out, (char)h->delims.component);
        put_raw(h, out, event);
    }
    if (from_version(h, "2.4")) {
        if (!event.length) shunt_buffer_char(out, (char)h->delims.component);
        shunt_buffer_format(out, "%cACK", h->delims.component);
    }
    put_z(h, out, control);
    put_separator(h, out);
    if (field_of(h, 11).length)
        put_raw(h, out, field_of(h, 11));
    else
        shunt_buffer_char(out, 'P');
    put_separator(h, out);
    if (component_of(h, 12, 1).length)
        put_raw(h, out, field_of(h, 12));
    else
        put_text(h, out, version_of(h));
    /* The answer of an application wants no other answer. */
    shunt_text charset = field_of(h, 18);
    if (mode == 'A' || charset.length) {
        for (int k = 13; k <= 15; k++) put_separator(h, out);
        if (mode == 'A') shunt_buffer_z(out, "NE");
        put_separator(h, out);
        if (mode == 'A') shunt_buffer_z(out, "NE");
    }
    if (charset.length) {
        put_separator(h, out);
        put_separator(h, out);
        put_raw(h, out, charset);
    }
    end_segment(out);
}

static const char *condition_name(const ack *a, uint16_t condition)
{
    char number[8];
    snprintf(number, sizeof number, "%u", condition);
    return a->conditions ? shunt_codeset_name(a->conditions, shunt_text_of(number)) : "";
}

/* ERR-1 of 2.1 to 2.4: segment, its number, field, and what is wrong as subcomponents. */
static void put_old_error(const ack *a, const header *h, shunt_buffer *out, const said *s)
{
    char c = (char)h->delims.component, t = (char)h->delims.subcomponent;
    shunt_buffer_z(out, s->id);
    shunt_buffer_char(out, c);
    if (s->occurrence) shunt_buffer_format(out, "%u", s->occurrence);
    shunt_buffer_char(out, c);
    if (s->field) shunt_buffer_format(out, "%u", s->field);
    shunt_buffer_format(out, "%c%u%c", c, s->condition, t);
    put_text(h, out, shunt_text_of(condition_name(a, s->condition)));
    shunt_buffer_format(out, "%cHL70357", t);
}

/* ERL: its parts as far as they are known. */
static void put_location(const header *h, shunt_buffer *out, const said *s)
{
    const uint32_t parts[] = { s->occurrence, s->field,
                               s->repetition  ? s->repetition
                               : s->component ? 1
                                              : 0,
                               s->component, s->subcomponent };
    uint32_t       last = 0;
    if (!s->id[0]) return;
    for (uint32_t i = 0; i < SHUNT_COUNT(parts); i++)
        if (parts[i]) last = i + 1;
    shunt_buffer_z(out, s->id);
    for (uint32_t i = 0; i < last; i++) {
        shunt_buffer_char(out, (char)h->delims.component);
        if (parts[i]) shunt_buffer_format(out, "%u", parts[i]);
    }
}

static void put_error(const ack *a, const header *h, shunt_buffer *out, const said *s)
{
    char c = (char)h->delims.component;
    shunt_buffer_z(out, "ERR");
    put_separator(h, out);
    put_separator(h, out);
    put_location(h, out, s);
    put_separator(h, out);
    shunt_buffer_format(out, "%u%c", s->condition, c);
    put_text(h, out, shunt_text_of(condition_name(a, s->condition)));
    shunt_buffer_format(out, "%cHL70357", c);
    put_z(h, out, s->error ? "E" : "W");
    put_z(h, out, shunt_status_info[s->code].code);
    shunt_buffer_char(out, c);
    put_text(h, out, shunt_text_of(shunt_status_info[s->code].meaning));
    shunt_buffer_format(out, "%cL", c);
    if (s->detail[0]) {
        put_separator(h, out);
        put_z(h, out, s->detail);
    }
    end_segment(out);
}

/* `accept`: what keeps the message from being taken; else all of it. */
static void put_errors(const ack *a, const header *h, shunt_buffer *out, bool accept)
{
    bool old = !from_version(h, "2.5"), begun = false;
    for (uint32_t i = 0; i < a->fault_count; i++) {
        const said *s = &a->faults[i];
        if (accept && !s->accept) continue;
        if (!old) {
            put_error(a, h, out, s);
            continue;
        }
        if (!s->error) continue; /* the older form has no word for it */
        if (begun)
            shunt_buffer_char(out, (char)h->delims.repetition);
        else
            shunt_buffer_format(out, "ERR%c", h->delims.element);
        begun = true;
        put_old_error(a, h, out, s);
    }
    if (begun) end_segment(out);
}

static void put_answer(ack *a, char mode, char verdict)
{
    const header *h = &a->message;
    shunt_buffer *out = a->out;
    bool          accept = mode == 'C';
    a->totals.answers++;
    put_msh(a, h, out, mode);
    shunt_buffer_format(out, "MSA%c%c%c%c", h->delims.element, accept ? 'C' : 'A', verdict, h->delims.element);
    put_raw(h, out, field_of(h, 10));
    if (verdict != 'A' && !from_version(h, "2.5")) {
        for (uint32_t i = 0; i < a->fault_count; i++) {
            if (!a->faults[i].error || (accept && !a->faults[i].accept)) continue;
            put_z(h, out, condition_name(a, a->faults[i].condition));
            break;
        }
    }
    end_segment(out);
    if (verdict != 'A' || !accept) put_errors(a, h, out, accept && verdict != 'A');
}

/* ---- verdicts ---- */

/* Is an answer of this verdict asked for? Table 0155. */
static bool is_asked(shunt_text when, char verdict)
{
    if (shunt_text_is(when, "NE")) return false;
    if (shunt_text_is(when, "ER")) return verdict != 'A';
    return !shunt_text_is(when, "SU") || verdict == 'A';
}

static char accept_verdict(const ack *a)
{
    char verdict = 'A';
    for (uint32_t i = 0; i < a->fault_count; i++) {
        const said *s = &a->faults[i];
        if (!s->error || !s->accept) continue;
        if (s->condition >= 200 && s->condition <= 203) return 'R';
        verdict = 'E';
    }
    return verdict;
}

static void answer(ack *a)
{
    const header *h = &a->message;
    shunt_text    accept = component_of(h, 15, 1), application = component_of(h, 16, 1);
    char          verdict = a->rejected ? 'R' : a->errors ? 'E' : 'A';
    uint64_t     *fared = a->rejected ? &a->totals.rejected : a->errors ? &a->totals.with_errors : &a->totals.accepted;
    (*fared)++;
    a->totals.messages++;
    if (!a->out) return;
    if (!accept.length && !application.length) {
        if (!a->is_answer) put_answer(a, 0, verdict);
        return;
    }
    char taken = accept_verdict(a);
    bool told = accept.length && is_asked(accept, taken);
    if (told) put_answer(a, 'C', taken);
    if (a->is_answer || !application.length || (told && taken != 'A')) return;
    if (is_asked(application, verdict)) put_answer(a, 'A', verdict);
}

/* ---- events ---- */

static shunt_status note(ack *a, const shunt_hl7_finding *f)
{
    bool error = f->severity == SHUNT_ERROR;
    if (!f->condition) return SHUNT_OK;
    a->errors = a->errors || error;
    a->rejected = a->rejected || (error && ((f->condition >= 200 && f->condition <= 203) || f->condition == 207));
    if (a->fault_count == HL7_ACK_FAULTS) return SHUNT_OK;
    said *grown = shunt_memory_more(a->memory, a->faults, a->fault_count, &a->fault_room, sizeof *grown);
    if (!grown) return SHUNT_NO_MEMORY;
    a->faults = grown;
    said *s = &a->faults[a->fault_count++];
    *s = (said){ .code = f->code,
                 .condition = f->condition,
                 .field = f->place.element,
                 .repetition = f->repetition,
                 .component = f->place.component,
                 .subcomponent = f->subcomponent,
                 .occurrence = f->occurrence,
                 .error = error };
    s->accept = error && (f->of_reader || f->condition >= 200 || (strcmp(f->id, "MSH") == 0 && f->condition == 101));
    memcpy(s->id, f->id, sizeof s->id);
    memcpy(s->detail, f->detail, sizeof s->detail);
    return SHUNT_OK;
}

/* FHS or BHS of an answer. */
static uint8_t open_scope(ack *a, const shunt_event *event, const char *id)
{
    char control[CONTROL];
    if (!a->out || !event->segment) return 0;
    header *h = &a->message;
    keep_header(h, event);
    make_control(a, control);
    shunt_buffer_z(a->out, id);
    put_encoding(h, a->out);
    put_field(h, a->out, 5);
    put_field(h, a->out, 6);
    put_field(h, a->out, 3);
    put_field(h, a->out, 4);
    put_separator(h, a->out);
    shunt_buffer_format(a->out, "%s+0000", a->options.made_at);
    for (int k = 8; k <= 10; k++) put_separator(h, a->out);
    put_z(h, a->out, control);
    put_field(h, a->out, 11);
    end_segment(a->out);
    return h->delims.element;
}

static void close_scope(ack *a, const char *id, uint8_t *element, uint64_t count)
{
    if (*element) {
        shunt_buffer_format(a->out, "%s%c%llu", id, *element, (unsigned long long)count);
        end_segment(a->out);
    }
    *element = 0;
}

static void begin(ack *a, const shunt_event *event)
{
    switch (event->scope) {
    case SHUNT_SCOPE_INTERCHANGE:
        a->totals.files++;
        a->in_file = 0;
        a->file_element = open_scope(a, event, "FHS");
        break;
    case SHUNT_SCOPE_BATCH:
        a->totals.batches++;
        a->in_file++;
        a->in_batch = a->totals.answers;
        a->batch_element = open_scope(a, event, "BHS");
        break;
    default:
        if (!event->segment) return;
        keep_header(&a->message, event);
        a->in_message = true;
        a->errors = a->rejected = false;
        a->fault_count = 0;
        a->is_answer =
            shunt_text_is(component_of(&a->message, 9, 1), "ACK") || shunt_text_is(component_of(&a->message, 9, 1), "MCF");
        break;
    }
}

static void finish(ack *a, shunt_scope scope)
{
    if (scope == SHUNT_SCOPE_INTERCHANGE) close_scope(a, "FTS", &a->file_element, a->in_file);
    if (scope == SHUNT_SCOPE_BATCH) close_scope(a, "BTS", &a->batch_element, a->totals.answers - a->in_batch);
    if (scope == SHUNT_SCOPE_TRANSACTION && a->in_message) {
        answer(a);
        a->in_message = false;
    }
}

shunt_status shunt_hl7_ack_see(ack *a, const shunt_event *event, const shunt_hl7_finding *findings, uint32_t count)
{
    if (event->step == SHUNT_STEP_BEGIN) begin(a, event);
    if (event->step == SHUNT_STEP_SEGMENT && a->in_message && event->segment->id >> 40 == MSA) a->is_answer = true;
    for (uint32_t i = 0; i < count && a->in_message; i++) SHUNT_TRY(note(a, &findings[i]));
    if (event->step == SHUNT_STEP_FINISH || event->step == SHUNT_STEP_ABANDON) finish(a, event->scope);
    return a->message.bytes.failed || (a->out && a->out->failed) ? SHUNT_NO_MEMORY : SHUNT_OK;
}

const shunt_hl7_ack_totals *shunt_hl7_ack_totals_of(const ack *a) { return &a->totals; }

ack *shunt_hl7_ack_new(const shunt_memory *memory, const shunt_hl7_ack_options *options, shunt_buffer *out)
{
    ack *a = shunt_memory_zeroed(memory, 1, sizeof *a);
    if (!a) return NULL;
    a->memory = memory;
    a->options = *options;
    a->out = out;
    a->conditions = shunt_codeset_find(SHUNT_TEXT("HL70357"));
    shunt_buffer_init(&a->message.bytes, memory);
    return a;
}

void shunt_hl7_ack_free(ack *a)
{
    if (!a) return;
    shunt_buffer_done(&a->message.bytes);
    shunt_memory_free(a->memory, a->faults);
    shunt_memory_free(a->memory, a);
}
