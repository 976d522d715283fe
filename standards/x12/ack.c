#include "standards/x12/ack.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/segment.h"
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

    bool         in_interchange;
    shunt_delims delims;
    field        isa[17];
    codes        interchange;
    shunt_buffer groups; /* answers to the groups that are over */
    uint32_t     group_count;

    bool         in_group, skipped; /* skipped: acknowledgements are not acknowledged */
    bool         implementation;    /* answered by a 999 */
    field        gs[9];
    codes        group;
    uint32_t     received, accepted, flawed, unanswered;
    shunt_buffer sets; /* AK2 to AK5 of the open group */
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

static bool is_separator(const ack *a, char c)
{
    uint8_t u = (uint8_t)c;
    return u == a->delims.element || u == a->delims.component || u == a->delims.repetition || u == a->delims.terminator;
}

/* A value of the message: nothing in it can end an element or add one. */
static void put_value(const ack *a, shunt_buffer *out, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        shunt_buffer_char(out, is_separator(a, bytes[i]) || (uint8_t)bytes[i] < ' ' || bytes[i] == 0x7f ? ' ' : bytes[i]);
}

static void element(const ack *a, shunt_buffer *out) { shunt_buffer_char(out, (char)a->delims.element); }

static void put_field(const ack *a, shunt_buffer *out, const field *f)
{
    element(a, out);
    put_value(a, out, f->bytes, f->length);
}

static void put_z(const ack *a, shunt_buffer *out, const char *z)
{
    element(a, out);
    shunt_buffer_z(out, z);
}

static void put_number(const ack *a, shunt_buffer *out, uint64_t number)
{
    element(a, out);
    shunt_buffer_format(out, "%llu", (unsigned long long)number);
}

static void end_segment(ack *a, shunt_buffer *out)
{
    shunt_buffer_char(out, (char)a->delims.terminator);
    shunt_buffer_char(out, '\n');
    a->segments++;
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
    shunt_buffer_z(out, a->implementation ? "IK3" : "AK3");
    element(a, out);
    put_value(a, out, s->id, strlen(s->id));
    put_number(a, out, s->segment);
    element(a, out);
    put_z(a, out, code);
    end_segment(a, out);
    if (!a->implementation || !s->unit_length) return;
    shunt_buffer_z(out, "CTX");
    put_z(a, out, a->unit_name);
    shunt_buffer_char(out, (char)a->delims.component);
    put_value(a, out, s->unit, s->unit_length);
    end_segment(a, out);
}

static void put_element_note(ack *a, const said *s)
{
    shunt_buffer *out = &a->sets;
    shunt_buffer_z(out, a->implementation ? "IK4" : "AK4");
    put_number(a, out, s->element);
    if (s->component || s->repetition > 1) {
        shunt_buffer_char(out, (char)a->delims.component);
        if (s->component) shunt_buffer_format(out, "%u", s->component);
    }
    if (s->repetition > 1 && a->implementation) {
        shunt_buffer_char(out, (char)a->delims.component);
        shunt_buffer_format(out, "%u", s->repetition);
    }
    element(a, out);
    if (s->number) shunt_buffer_format(out, "%u", s->number);
    put_z(a, out, s->code);
    if (s->value_length) {
        element(a, out);
        put_value(a, out, s->value, s->value_length);
    }
    end_segment(a, out);
}

static void put_set(ack *a)
{
    shunt_buffer *out = &a->sets;
    shunt_buffer_z(out, "AK2");
    put_field(a, out, &a->st[1]);
    put_field(a, out, &a->st[2]);
    if (a->implementation && a->st[3].length) put_field(a, out, &a->st[3]);
    end_segment(a, out);
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
    shunt_buffer_z(out, a->implementation ? "IK5" : "AK5");
    put_z(a, out, rejected ? "R" : a->warnings || a->set.count ? "E" : "A");
    for (unsigned i = 0; i < a->set.count; i++) put_z(a, out, a->set.items[i]);
    end_segment(a, out);
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
    if (a->in_group && !a->skipped && a->out) put_set(a);
}

/* ---- one group ---- */

static void put_group(ack *a, uint64_t declared)
{
    shunt_buffer *out = &a->groups;
    char          control[16];
    bool          old = !a->implementation;
    a->group_count++;
    shunt_buffer_z(out, "GS");
    put_z(a, out, "FA");
    put_field(a, out, &a->gs[3]);
    put_field(a, out, &a->gs[2]);
    put_z(a, out, a->options.date);
    put_z(a, out, a->options.time);
    put_number(a, out, a->group_count);
    put_z(a, out, "X");
    bool before_5010 = a->gs[8].length < 6 || memcmp(a->gs[8].bytes, "005", 3) < 0;
    put_z(a, out, !old ? "005010X231A1" : before_5010 ? "004010" : "005010");
    end_segment(a, out);

    snprintf(control, sizeof control, "%04u", a->group_count);
    shunt_buffer_z(out, "ST");
    put_z(a, out, old ? "997" : "999");
    put_z(a, out, control);
    if (!old) put_z(a, out, "005010X231A1");
    end_segment(a, out);
    shunt_buffer_z(out, "AK1");
    put_field(a, out, &a->gs[1]);
    put_field(a, out, &a->gs[6]);
    if (!old) put_field(a, out, &a->gs[8]);
    end_segment(a, out);
    shunt_buffer_add(out, a->sets.bytes, a->sets.length);

    bool rejected = a->group.error || a->accepted == 0;
    shunt_buffer_z(out, "AK9");
    put_z(a, out, rejected ? "R" : a->accepted < a->received ? "P" : a->flawed || a->group.count ? "E" : "A");
    put_number(a, out, declared);
    put_number(a, out, a->received);
    put_number(a, out, a->accepted);
    for (unsigned i = 0; i < a->group.count; i++) put_z(a, out, a->group.items[i]);
    end_segment(a, out);
    shunt_buffer_z(out, "SE");
    put_number(a, out, a->segments); /* ST to AK9, and this one: GS was counted in its stead */
    put_z(a, out, control);
    end_segment(a, out);
    shunt_buffer_z(out, "GE");
    put_z(a, out, "1");
    put_number(a, out, a->group_count);
    end_segment(a, out);
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
}

/* ---- the interchange ---- */

static void put_padded(const ack *a, shunt_buffer *out, const field *f, size_t width)
{
    element(a, out);
    size_t length = f->length < width ? f->length : width;
    put_value(a, out, f->bytes, length);
    for (; length < width; length++) shunt_buffer_char(out, ' ');
}

static void put_header(ack *a, uint32_t control)
{
    shunt_buffer *out = a->out;
    field         none = { 0 };
    char          number[16];
    bool          repeats = a->isa[12].length == 5 && memcmp(a->isa[12].bytes, "00402", 5) >= 0;
    shunt_buffer_z(out, "ISA");
    put_z(a, out, "00");
    put_padded(a, out, &none, 10);
    put_z(a, out, "00");
    put_padded(a, out, &none, 10);
    put_padded(a, out, &a->isa[7], 2);
    put_padded(a, out, &a->isa[8], 15);
    put_padded(a, out, &a->isa[5], 2);
    put_padded(a, out, &a->isa[6], 15);
    put_z(a, out, a->options.date + 2);
    put_z(a, out, a->options.time);
    element(a, out);
    shunt_buffer_char(out, repeats && a->delims.repetition ? (char)a->delims.repetition : repeats ? '^' : 'U');
    put_z(a, out, repeats ? "00501" : "00401");
    snprintf(number, sizeof number, "%09u", control % 1000000000u);
    put_z(a, out, number);
    put_z(a, out, "0");
    put_padded(a, out, &a->isa[15], 1);
    element(a, out);
    shunt_buffer_char(out, (char)a->delims.component);
    end_segment(a, out);
}

/* The note that says most: a wrong count of groups says less than anything else. */
static const char *note_of(const codes *list)
{
    const char *best = "000";
    for (unsigned i = 0; i < list->count; i++)
        if (!strcmp(best, "000") || !strcmp(best, "021")) best = list->items[i];
    return best;
}

static void put_interchange(ack *a)
{
    shunt_buffer *out = a->out;
    bool asked = a->isa[14].length == 1 && a->isa[14].bytes[0] == '1', error = a->interchange.error || a->interchange.count > 0;
    uint64_t theirs = 0;
    if ((!asked || a->unanswered) && !error && !a->group_count) return; /* nothing to say, or to an acknowledgement */
    if (!a->delims.element || !a->delims.terminator) return;
    (void)shunt_x12_number(text_of(&a->isa[13]), &theirs);
    uint32_t control = a->options.control ? a->options.control + a->answers : (uint32_t)(theirs % 1000000000u);
    if (!control) control = 1;
    a->answers++;
    put_header(a, control);
    if (asked || error) {
        shunt_buffer_z(out, "TA1");
        put_field(a, out, &a->isa[13]);
        put_field(a, out, &a->isa[9]);
        put_field(a, out, &a->isa[10]);
        put_z(a, out, a->interchange.error ? "R" : error ? "E" : "A");
        put_z(a, out, note_of(&a->interchange));
        end_segment(a, out);
    }
    shunt_buffer_add(out, a->groups.bytes, a->groups.length);
    shunt_buffer_z(out, "IEA");
    put_number(a, out, a->group_count);
    element(a, out);
    shunt_buffer_format(out, "%09u", control % 1000000000u);
    end_segment(a, out);
}

static void end_interchange(ack *a)
{
    if (!a->in_interchange) return;
    end_group(a, NULL);
    a->in_interchange = false;
    a->totals.interchanges++;
    if (a->out) put_interchange(a);
    a->groups.length = 0;
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
        for (uint32_t k = 1; k <= 16; k++) keep(&a->isa[k], s, k);
        memset(&a->interchange, 0, sizeof a->interchange);
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
    if (a->fault_count == a->fault_room) {
        uint32_t room = a->fault_room ? a->fault_room * 2 : 16;
        said    *grown = shunt_memory_resize(a->memory, a->faults, room * sizeof *grown);
        if (!grown) {
            a->groups.failed = true;
            return;
        }
        a->faults = grown;
        a->fault_room = room;
    }
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
    case X12_SAID_INTERCHANGE: note_code(&a->interchange, code, error); return;
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
    bool failed = a->groups.failed || a->sets.failed || (a->out && a->out->failed);
    return failed ? SHUNT_NO_MEMORY : SHUNT_OK;
}

const shunt_x12_ack_totals *shunt_x12_ack_totals_of(const ack *a) { return &a->totals; }

void shunt_x12_ack_free(ack *a)
{
    if (!a) return;
    shunt_buffer_done(&a->groups);
    shunt_buffer_done(&a->sets);
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
    return a;
}
