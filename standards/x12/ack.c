#include "standards/x12/ack.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/segment.h"
#include "engine/base/spool.h"
#include "engine/base/write.h"
#include "standards/x12/delims.h"
#include "standards/x12/envelope.h"

enum {
    FIELD = 80,     /* bytes kept of an element of a header; its standard length is less */
    CODES_KEPT = 5, /* of a set or a group, as AK5 and AK9 have room */
    UNIT = 50,
};

typedef struct field {
    uint8_t length;
    char    bytes[FIELD];
} field;

typedef struct codes {
    char    items[CODES_KEPT][4];
    uint8_t count;
    bool    error; /* one of them rejects */
} codes;

/* What is said of a segment or of an element of it. */
typedef struct said {
    uint32_t segment, sequence;
    char     id[4], code[4];
    bool     of_element;
    uint16_t element, component, repetition, number;
    uint8_t  value_length, unit_length;
    char     value[X12_VALUE_KEPT], unit[UNIT]; /* unit: business unit that the segment belongs to */
} said;

struct shunt_x12_ack {
    const shunt_memory   *memory;
    shunt_x12_ack_options options;
    shunt_x12_ack_totals  totals;
    shunt_buffer         *out;
    uint32_t              answers;
    shunt_status          status; /* what every later call gives */

    bool                 in_interchange;
    shunt_delims         delims;
    shunt_segment_writer writer; /* of the part that is being written */
    field                isa[17];
    char                 interchange_code[4]; /* "": nothing was found */
    bool                 interchange_error;
    shunt_buffer         groups; /* answers to the groups that are over: the last bytes of those in the spool */
    shunt_spool          group_spool;
    uint32_t             group_count;

    bool         in_group, skipped; /* skipped: acknowledgements are not acknowledged */
    bool         implementation;    /* answered by a 999 */
    field        gs[9];
    codes        group;
    uint32_t     received, accepted, flawed, unanswered;
    shunt_buffer sets; /* AK2 to AK5 of the open group, likewise */
    shunt_spool  set_spool;
    uint32_t     segments;

    bool     in_set, unknown;
    field    st[4];
    codes    set;
    bool     errors, warnings;
    said    *faults;
    uint32_t fault_count, fault_room;
    char     unit_name[8];
    uint8_t  unit_length;
    char     unit[UNIT];
};
typedef shunt_x12_ack ack;

/* ---- what is kept of headers ---- */

static void keep(field *to, const shunt_segment *s, uint32_t element)
{
    shunt_range range = shunt_segment_element(s, element);
    shunt_text  text = { (const char *)s->bytes + range.begin, range.end - range.begin };
    to->length = 0;
    if (element > s->elements) return;
    text = shunt_x12_trim(text);
    to->length = (uint8_t)(text.length < FIELD ? text.length : FIELD);
    if (to->length) memcpy(to->bytes, text.bytes, to->length);
}

static shunt_text text_of(const field *f) { return (shunt_text){ f->bytes, f->length }; }

static void note_code(codes *list, const char *code, bool error)
{
    list->error = list->error || error;
    if (!*code) return;
    for (unsigned i = 0; i < list->count; i++)
        if (!strcmp(list->items[i], code)) return;
    if (list->count == CODES_KEPT) return;
    unsigned at = list->count++;
    /* Ascending, as numbers: shorter ones first. */
    while (at > 0 && (strlen(list->items[at - 1]) > strlen(code) ||
                      (strlen(list->items[at - 1]) == strlen(code) && strcmp(list->items[at - 1], code) > 0))) {
        memcpy(list->items[at], list->items[at - 1], sizeof list->items[at]);
        at--;
    }
    memcpy(list->items[at], code, strlen(code) + 1);
}

/* ---- writing ---- */

static void begin_segment(ack *a, shunt_buffer *out, const char *id)
{
    a->writer.out = out;
    shunt_write_segment(&a->writer, shunt_text_of(id));
}

/* A value of the message: nothing in it can end an element or add one. */
static void put_value(ack *a, const char *bytes, size_t length)
{
    (void)shunt_write_text(&a->writer, (shunt_text){ bytes, (uint32_t)length });
}

static void element(ack *a) { shunt_write_element(&a->writer); }

static void put_field(ack *a, const field *f)
{
    element(a);
    put_value(a, f->bytes, f->length);
}

static void put_z(ack *a, const char *z)
{
    element(a);
    put_value(a, z, strlen(z));
}

static void put_digits(ack *a, uint64_t number)
{
    char digits[24];
    put_value(a, digits, (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)number));
}

static void put_number(ack *a, uint64_t number)
{
    element(a);
    put_digits(a, number);
}

static void end_segment(ack *a)
{
    shunt_write_end(&a->writer);
    a->segments++;
}

/* ---- what waits ---- */

enum { WAITING = 1 << 16, SPOOLED = 1 << 18 /* bytes of a spool in memory */ };

static void note_status(ack *a, shunt_status status)
{
    if (a->status == SHUNT_OK) a->status = status;
}

/* Moves what a buffer holds to its spool, once it is worth it or where `all` of it must go. */
static void settle(ack *a, shunt_buffer *buffer, const shunt_spool *spool, bool all)
{
    if (buffer->failed) note_status(a, SHUNT_NO_MEMORY);
    if (a->status != SHUNT_OK || buffer->length < (all ? 1 : WAITING)) return;
    note_status(a, spool->append(spool->context, buffer->bytes, buffer->length));
    buffer->length = 0;
}

static shunt_status to_groups(void *context, const char *bytes, size_t length)
{
    ack *a = context;
    return a->group_spool.append(a->group_spool.context, bytes, length);
}

static shunt_status to_out(void *context, const char *bytes, size_t length)
{
    ack *a = context;
    shunt_buffer_add(a->out, bytes, length);
    if (a->out->failed) return SHUNT_NO_MEMORY;
    return a->out->length > WAITING && a->options.full ? a->options.full(a->options.full_context) : SHUNT_OK;
}

/* Hands over what waits in a buffer and its spool, and forgets it. Small answers never leave the buffer. */
static void hand_over(ack *a, shunt_buffer *buffer, const shunt_spool *spool, shunt_spool_sink *sink)
{
    uint64_t end = spool->mark(spool->context);
    if (end && a->status == SHUNT_OK) {
        note_status(a, spool->replay(spool->context, 0, end, sink, a));
        note_status(a, spool->reset(spool->context));
    }
    if (buffer->failed) note_status(a, SHUNT_NO_MEMORY);
    if (buffer->length && a->status == SHUNT_OK) note_status(a, sink(a, buffer->bytes, buffer->length));
    buffer->length = 0;
}

/* ---- one set ---- */

static int compare_said(const void *x, const void *y)
{
    const said *a = x, *b = y;
    if (a->segment != b->segment) return a->segment < b->segment ? -1 : 1;
    int order = strcmp(a->id, b->id);
    if (order) return order;
    /* What is said of the whole segment stands before what is said of its elements, those in their order. */
    if (a->of_element != b->of_element) return a->of_element ? 1 : -1;
    if (a->element != b->element) return a->element < b->element ? -1 : 1;
    if (a->component != b->component) return a->component < b->component ? -1 : 1;
    return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

static void put_segment_note(ack *a, const said *s, const char *code)
{
    shunt_buffer *out = &a->sets;
    begin_segment(a, out, a->implementation ? "IK3" : "AK3");
    element(a);
    put_value(a, s->id, strlen(s->id));
    put_number(a, s->segment);
    element(a);
    put_z(a, code);
    end_segment(a);
    if (!a->implementation || !s->unit_length) return;
    begin_segment(a, out, "CTX");
    put_z(a, a->unit_name);
    shunt_write_component(&a->writer);
    put_value(a, s->unit, s->unit_length);
    end_segment(a);
}

static void put_element_note(ack *a, const said *s)
{
    shunt_buffer *out = &a->sets;
    begin_segment(a, out, a->implementation ? "IK4" : "AK4");
    put_number(a, s->element);
    if (s->component || s->repetition > 1) {
        shunt_write_component(&a->writer);
        if (s->component) put_digits(a, s->component);
    }
    if (s->repetition > 1 && a->implementation) {
        shunt_write_component(&a->writer);
        put_digits(a, s->repetition);
    }
    element(a);
    if (s->number) put_digits(a, s->number);
    put_z(a, s->code);
    if (s->value_length) {
        element(a);
        put_value(a, s->value, s->value_length);
    }
    end_segment(a);
}

static void put_set(ack *a)
{
    shunt_buffer *out = &a->sets;
    begin_segment(a, out, "AK2");
    put_field(a, &a->st[1]);
    put_field(a, &a->st[2]);
    if (a->implementation && a->st[3].length) put_field(a, &a->st[3]);
    end_segment(a);
    if (a->fault_count) qsort(a->faults, a->fault_count, sizeof *a->faults, compare_said);
    for (uint32_t i = 0; i < a->fault_count; i++) {
        const said *s = &a->faults[i], *before = i ? s - 1 : NULL;
        bool        first = !before || before->segment != s->segment || strcmp(before->id, s->id) != 0 || !before->of_element;
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): faults that are counted are there */
        if (!s->of_element) {
            put_segment_note(a, s, s->code);
            continue;
        }
        if (first) put_segment_note(a, s, "8");
        put_element_note(a, s);
    }
    bool rejected = a->errors || a->set.error;
    if (a->fault_count && rejected) note_code(&a->set, "5", true);
    begin_segment(a, out, a->implementation ? "IK5" : "AK5");
    put_z(a, rejected ? "R" : a->warnings || a->set.count ? "E" : "A");
    for (unsigned i = 0; i < a->set.count; i++) put_z(a, a->set.items[i]);
    end_segment(a);
}

static void end_set(ack *a, bool complete)
{
    if (!a->in_set) return;
    a->in_set = false;
    if (!complete) note_code(&a->set, "2", true);
    bool rejected = a->errors || a->set.error;
    a->totals.sets++;
    a->totals.unknown += a->unknown;
    a->received += complete;
    if (rejected)
        a->totals.rejected++;
    else if (a->warnings || a->set.count)
        a->totals.with_errors++;
    else
        a->totals.accepted++;
    a->accepted += !rejected;
    a->flawed += !rejected && (a->warnings || a->set.count);
    if (!a->in_group || a->skipped || !a->out) return;
    put_set(a);
    settle(a, &a->sets, &a->set_spool, false);
}

/* ---- one group ---- */

static void put_group(ack *a, uint64_t declared)
{
    shunt_buffer *out = &a->groups;
    char          control[16];
    bool          old = !a->implementation;
    a->group_count++;
    begin_segment(a, out, "GS");
    put_z(a, "FA");
    put_field(a, &a->gs[3]);
    put_field(a, &a->gs[2]);
    put_z(a, a->options.date);
    put_z(a, a->options.time);
    put_number(a, a->group_count);
    put_z(a, "X");
    bool before_5010 = a->gs[8].length < 6 || memcmp(a->gs[8].bytes, "005", 3) < 0;
    put_z(a, !old ? "005010X231A1" : before_5010 ? "004010" : "005010");
    end_segment(a);

    snprintf(control, sizeof control, "%04u", a->group_count);
    begin_segment(a, out, "ST");
    put_z(a, old ? "997" : "999");
    put_z(a, control);
    if (!old) put_z(a, "005010X231A1");
    end_segment(a);
    begin_segment(a, out, "AK1");
    put_field(a, &a->gs[1]);
    put_field(a, &a->gs[6]);
    if (!old) put_field(a, &a->gs[8]);
    end_segment(a);
    if (a->set_spool.mark(a->set_spool.context)) {
        settle(a, out, &a->group_spool, true);
        hand_over(a, &a->sets, &a->set_spool, to_groups);
    } else {
        shunt_buffer_add(out, a->sets.bytes, a->sets.length);
    }

    bool rejected = a->group.error || a->accepted == 0;
    begin_segment(a, out, "AK9");
    put_z(a, rejected ? "R" : a->accepted < a->received ? "P" : a->flawed || a->group.count ? "E" : "A");
    put_number(a, declared);
    put_number(a, a->received);
    put_number(a, a->accepted);
    for (unsigned i = 0; i < a->group.count; i++) put_z(a, a->group.items[i]);
    end_segment(a);
    begin_segment(a, out, "SE");
    put_number(a, a->segments); /* ST to AK9, and this one: GS was counted in its stead */
    put_z(a, control);
    end_segment(a);
    begin_segment(a, out, "GE");
    put_z(a, "1");
    put_number(a, a->group_count);
    end_segment(a);
}

static void end_group(ack *a, const shunt_segment *trailer)
{
    uint64_t declared = 0;
    field    count = { 0 };
    if (!a->in_group) return;
    end_set(a, false);
    a->in_group = false;
    a->totals.groups++;
    if (!trailer) note_code(&a->group, "3", true);
    if (trailer) keep(&count, trailer, 1);
    if (!shunt_x12_number(text_of(&count), &declared)) declared = 0;
    if (!a->skipped && a->out) put_group(a, declared);
    a->sets.length = 0;
    settle(a, &a->groups, &a->group_spool, false);
}

/* ---- the interchange ---- */

static void put_header(ack *a, uint32_t control)
{
    bool      repeats = a->isa[12].length == 5 && memcmp(a->isa[12].bytes, "00402", 5) >= 0;
    shunt_isa isa = { .sender_qualifier = text_of(&a->isa[7]),
                      .sender = text_of(&a->isa[8]),
                      .receiver_qualifier = text_of(&a->isa[5]),
                      .receiver = text_of(&a->isa[6]),
                      .date = a->options.date + 2,
                      .time = a->options.time,
                      .version = repeats ? "00501" : "00401",
                      .control = control,
                      .acknowledge = '0',
                      .usage = a->isa[15].length ? a->isa[15].bytes[0] : ' ' };
    a->writer.out = a->out;
    (void)shunt_write_isa(&a->writer, &isa);
    a->segments++;
}

/* TA1 has place for one code: the first error, since others follow from it; a wrong count of groups says less than anything else,
 * a warning less than an error. */
static void note_interchange(ack *a, const char *code, bool error)
{
    char *kept = a->interchange_code;
    if (*code && (!*kept || (error && !a->interchange_error) || (error && !strcmp(kept, "021"))))
        memcpy(kept, code, strlen(code) + 1);
    a->interchange_error = a->interchange_error || error;
}

static void put_interchange(ack *a)
{
    shunt_buffer *out = a->out;
    bool     asked = a->isa[14].length == 1 && a->isa[14].bytes[0] == '1', error = a->interchange_error || *a->interchange_code;
    uint64_t theirs = 0;
    if ((!asked || a->unanswered) && !error && !a->group_count) return; /* nothing to say, or to an acknowledgement */
    if (!a->delims.element || !a->delims.terminator) return;
    (void)shunt_x12_number(text_of(&a->isa[13]), &theirs);
    uint32_t control = a->options.control ? a->options.control + a->answers : (uint32_t)(theirs % 1000000000u);
    if (!control) control = 1;
    a->answers++;
    put_header(a, control);
    if (asked || error) {
        begin_segment(a, out, "TA1");
        put_field(a, &a->isa[13]);
        put_field(a, &a->isa[9]);
        put_field(a, &a->isa[10]);
        put_z(a, a->interchange_error ? "R" : error ? "E" : "A");
        put_z(a, *a->interchange_code ? a->interchange_code : "000");
        end_segment(a);
    }
    hand_over(a, &a->groups, &a->group_spool, to_out);
    begin_segment(a, out, "IEA");
    put_number(a, a->group_count);
    char digits[16];
    snprintf(digits, sizeof digits, "%09u", control % 1000000000u);
    put_z(a, digits);
    end_segment(a);
}

static void end_interchange(ack *a)
{
    if (!a->in_interchange) return;
    end_group(a, NULL);
    a->in_interchange = false;
    a->totals.interchanges++;
    if (a->out) put_interchange(a);
    a->groups.length = 0;
    if (a->group_spool.mark(a->group_spool.context)) note_status(a, a->group_spool.reset(a->group_spool.context));
}

/* ---- events ---- */

static void begin(ack *a, const shunt_event *event)
{
    const shunt_segment *s = event->segment;
    if (!s) return;
    switch (event->scope) {
    case SHUNT_SCOPE_INTERCHANGE:
        end_interchange(a);
        a->in_interchange = true;
        a->delims = event->delims;
        if (!a->delims.component) a->delims.component = a->delims.element == ':' || a->delims.terminator == ':' ? '>' : ':';
        a->writer = (shunt_segment_writer){ .delims = a->delims, .in_data = SHUNT_DATA_BLANK, .line = SHUNT_TEXT("\n") };
        for (uint32_t k = 1; k <= 16; k++) keep(&a->isa[k], s, k);
        a->interchange_code[0] = '\0';
        a->interchange_error = false;
        a->group_count = a->unanswered = 0;
        break;
    case SHUNT_SCOPE_BATCH:
        a->in_group = true;
        for (uint32_t k = 1; k <= 8; k++) keep(&a->gs[k], s, k);
        memset(&a->group, 0, sizeof a->group);
        a->received = a->accepted = a->flawed = 0;
        a->skipped = shunt_text_is(text_of(&a->gs[1]), "FA");
        a->unanswered += a->skipped;
        a->implementation = a->gs[8].length > 6 && memcmp(a->gs[8].bytes, "005", 3) >= 0 && a->gs[8].bytes[6] == 'X';
        a->segments = 0; /* of the answer; the lines of the sets are counted as they are written */
        break;
    case SHUNT_SCOPE_TRANSACTION:
        if (!a->in_group && shunt_text_is(event->set, "TA1")) break; /* no set, and answered by nothing */
        a->in_set = true;
        a->unknown = event->guide == SHUNT_NONE;
        for (uint32_t k = 1; k <= 3; k++) keep(&a->st[k], s, k);
        memset(&a->set, 0, sizeof a->set);
        a->errors = a->warnings = false;
        a->fault_count = 0;
        a->unit_length = 0;
        break;
    default: break;
    }
}

static void note_fault(ack *a, const shunt_x12_finding *f)
{
    if (a->fault_count == X12_ACK_FAULTS) return;
    said *grown = shunt_memory_more(a->memory, a->faults, a->fault_count, &a->fault_room, sizeof *grown);
    if (!grown) {
        a->groups.failed = true;
        return;
    }
    a->faults = grown;
    /* Of a loop that was gone back to, the order is what is wrong, not the count. */
    if (f->code == SHUNT_X12_ORDER && a->fault_count) {
        const said *last = &a->faults[a->fault_count - 1];
        if (last->segment == f->place.segment && !last->of_element && !strcmp(last->code, "4")) a->fault_count--;
    }
    said *s = &a->faults[a->fault_count];
    memset(s, 0, sizeof *s);
    s->segment = f->place.segment;
    s->sequence = a->fault_count++;
    memcpy(s->id, f->id, sizeof s->id);
    memcpy(s->code, a->implementation ? f->standard : f->older, sizeof s->code);
    s->of_element = f->said == X12_SAID_ELEMENT;
    s->element = f->place.element;
    s->component = f->place.component;
    s->repetition = f->repetition;
    s->number = f->element ? f->element->number : 0;
    if (f->code == SHUNT_X12_ELEMENT_MISSING || f->code == SHUNT_X12_CONDITION) s->repetition = 0;
    s->value_length = f->value_length;
    memcpy(s->value, f->value, f->value_length);
    s->unit_length = a->unit_length;
    memcpy(s->unit, a->unit, a->unit_length);
}

static void take(ack *a, const shunt_x12_finding *f)
{
    const char *code = a->implementation ? f->standard : f->older;
    bool        error = f->severity == SHUNT_ERROR;
    switch (f->said) {
    case X12_SAID_INTERCHANGE: note_interchange(a, code, error); return;
    case X12_SAID_GROUP: note_code(&a->group, code, error); return;
    case X12_SAID_SET:
        if (f->code == SHUNT_X12_UNMAPPED_SET && a->implementation) code = "I6";
        note_code(&a->set, code, error || f->code == SHUNT_X12_UNMAPPED_SET);
        return;
    case X12_SAID_NOWHERE: return;
    default: break;
    }
    if (!a->in_set) return;
    a->errors = a->errors || error;
    a->warnings = a->warnings || !error;
    note_fault(a, f);
}

/* The business unit that later segments belong to: a claim by CLM01, an inquiry by TRN02. */
static void note_unit(ack *a, const shunt_event *event)
{
    const shunt_segment *s = event->segment;
    uint32_t             length = s->offsets[1] - 1, from = 0;
    if (length == 2 && !memcmp(s->bytes, "HL", 2)) a->unit_length = 0;
    if (length != 3) return;
    if (!memcmp(s->bytes, "CLM", 3) && shunt_text_is(text_of(&a->st[1]), "837")) from = 1;
    if (!memcmp(s->bytes, "TRN", 3) && (a->st[1].length == 3 && !memcmp(a->st[1].bytes, "27", 2))) from = 2;
    if (!from) return;
    shunt_range range = shunt_segment_value(s, &event->delims, from, 0);
    uint32_t    size = range.end - range.begin;
    a->unit_length = (uint8_t)(size < UNIT ? size : UNIT);
    memcpy(a->unit, s->bytes + range.begin, a->unit_length);
    memcpy(a->unit_name, from == 1 ? "CLM01" : "TRN02", 6);
}

shunt_status shunt_x12_ack_see(ack *a, const shunt_event *event, const shunt_x12_finding *findings, uint32_t count)
{
    if (event->step == SHUNT_STEP_BEGIN) begin(a, event);
    if (event->step == SHUNT_STEP_SEGMENT && a->in_set) note_unit(a, event);
    for (uint32_t i = 0; i < count; i++) take(a, &findings[i]);
    if (event->step == SHUNT_STEP_FINISH || event->step == SHUNT_STEP_ABANDON) {
        bool complete = event->step == SHUNT_STEP_FINISH;
        if (event->scope == SHUNT_SCOPE_TRANSACTION) end_set(a, complete);
        if (event->scope == SHUNT_SCOPE_BATCH) end_group(a, complete ? event->segment : NULL);
        if (event->scope == SHUNT_SCOPE_INTERCHANGE) end_interchange(a);
    }
    if (a->groups.failed || a->sets.failed || (a->out && a->out->failed)) note_status(a, SHUNT_NO_MEMORY);
    return a->status;
}

const shunt_x12_ack_totals *shunt_x12_ack_totals_of(const ack *a) { return &a->totals; }

void shunt_x12_ack_free(ack *a)
{
    if (!a) return;
    shunt_buffer_done(&a->groups);
    shunt_buffer_done(&a->sets);
    if (a->group_spool.free) a->group_spool.free(a->group_spool.context);
    if (a->set_spool.free) a->set_spool.free(a->set_spool.context);
    shunt_memory_free(a->memory, a->faults);
    shunt_memory_free(a->memory, a);
}

ack *shunt_x12_ack_new(const shunt_memory *memory, const shunt_x12_ack_options *options, shunt_buffer *out)
{
    ack *a = shunt_memory_zeroed(memory, 1, sizeof *a);
    if (!a) return NULL;
    a->memory = memory;
    a->options = *options;
    a->out = out;
    shunt_buffer_init(&a->groups, memory);
    shunt_buffer_init(&a->sets, memory);
    if (shunt_spool_file_new(memory, options->directory, SPOOLED, &a->group_spool) == SHUNT_OK &&
        shunt_spool_file_new(memory, options->directory, SPOOLED, &a->set_spool) == SHUNT_OK)
        return a;
    shunt_x12_ack_free(a);
    return NULL;
}
