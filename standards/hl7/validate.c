#include "standards/hl7/validate.h"

#include <stdio.h>

#include "engine/base/segment.h"
#include "standards/hl7/structure.h"
#include "standards/hl7/text.h"
#include "standards/hl7/types.h"

enum {
    OF_SEGMENT = 256, /* most findings of one segment; those beyond are counted */
    TYPE = 200,       /* bytes of MSH-9 that are looked at */
    VERSION = 16,
    OCCURRENCES = 64, /* different ids of a message that are counted, at most three quarters of it */
    OBX_5 = 5,
};

#define ID(a, b, c) ((uint64_t)(a) << 56 | (uint64_t)(b) << 48 | (uint64_t)(c) << 40)

/* What the codes of the reader mean in an ACK, and those of the validator itself. */
typedef struct meaning {
    uint8_t  severity, level;
    uint16_t condition;
} meaning;

#define ROW(code, severity, level, condition) [SHUNT_HL7_##code] = { SHUNT_##severity, level, condition }
static const meaning meanings[SHUNT_STATUS_COUNT] = {
    ROW(NO_MSH, ERROR, 1, 0),
    ROW(DELIMITERS, ERROR, 1, 0),
    ROW(STRAY, ERROR, 1, 0),
    ROW(SEGMENT_ID, ERROR, 1, 100),
    ROW(SEGMENT_LENGTH, ERROR, 1, 207),
    ROW(TRUNCATED, ERROR, 1, 100),
    ROW(NO_TYPE, ERROR, 1, 200),
    ROW(CHARSET, ERROR, 1, 207),
    ROW(BYTES, ERROR, 1, 102),
    ROW(LEADING_TEXT, WARNING, 1, 0),
    ROW(TEXT, WARNING, 1, 0),
    ROW(MSH2, WARNING, 1, 0),
    ROW(LEADING_BLANKS, WARNING, 1, 0),
    ROW(BLANK_LINE, WARNING, 1, 0),
    ROW(SEGMENT_CASE, WARNING, 1, 0),
    ROW(FRAME, WARNING, 1, 0),
    ROW(MISPLACED, WARNING, 1, 0),
    ROW(NO_BTS, WARNING, 1, 0),
    ROW(NO_FTS, WARNING, 1, 0),
    ROW(BTS01, ERROR, 1, 0),
    ROW(FTS01, ERROR, 1, 0),
    ROW(CONTINUED, WARNING, 1, 0),
    ROW(CHARSET_NAME, WARNING, 1, 0),
    ROW(CHARSET_ASSUMED, WARNING, 1, 0),
    ROW(MESSAGE_TYPE, ERROR, 1, 200),
    ROW(EVENT, ERROR, 1, 201),
    ROW(PROCESSING_ID, ERROR, 1, 202),
    ROW(VERSION_ID, ERROR, 1, 203),
    ROW(NOT_IN_VERSION, WARNING, 2, 0),
    ROW(STRUCTURE_ID, WARNING, 2, 0),
    ROW(SEGMENT_MISSING, ERROR, 2, 100),
    ROW(GROUP_MISSING, ERROR, 2, 100),
    ROW(SEQUENCE, ERROR, 2, 100),
    ROW(SEGMENT_TOO_OFTEN, ERROR, 2, 100),
    ROW(GROUP_TOO_OFTEN, ERROR, 2, 100),
    ROW(SEGMENT_UNEXPECTED, WARNING, 2, 100),
    ROW(FIELD_MISSING, ERROR, 2, 101),
    ROW(COMPONENT_MISSING, WARNING, 2, 101),
    ROW(FIELD_UNUSED, WARNING, 2, 0),
    ROW(REPETITIONS, WARNING, 2, 0),
    ROW(COMPONENTS, WARNING, 2, 0),
    ROW(TOO_MANY_FIELDS, WARNING, 2, 0),
    ROW(TOO_LONG, ERROR, 1, 104),
    ROW(DATE, ERROR, 1, 102),
    ROW(NUMBER, ERROR, 1, 102),
    ROW(CODE, ERROR, 5, 103),
    ROW(CODE_TABLE, WARNING, 5, 103),
    ROW(CODE_UNLISTED, INFORMATION, 5, 0),
};
#undef ROW

typedef struct occurrence {
    uint64_t id;
    uint32_t count;
} occurrence;

struct shunt_hl7_validator {
    const shunt_memory        *memory;
    const shunt_plan          *plan;
    shunt_hl7_validate_options options;
    uint32_t                   levels; /* that count for the message, or the batch, at hand */
    shunt_hl7_counter         *counter;

    bool               in_message, watched; /* watched: its source asks for something */
    const shunt_guide *guide;
    char               version[VERSION]; /* of the dictionary */
    bool               lengths;          /* lengths of that version are normative */
    bool               ninth;            /* MSH-12 is 2.9 or above */
    shunt_hl7_charset  charset;
    bool               charset_told;
    uint32_t           number; /* of the last segment */
    uint64_t           byte;
    occurrence         occurrences[OCCURRENCES];
    uint32_t           occurrence_count;

    shunt_element      observation; /* OBX-5 of the segment at hand, with the type of OBX-2 */
    shunt_hl7_finding *findings;
    uint32_t           count, room;
    shunt_hl7_finding  spare; /* the last one beyond OF_SEGMENT, which is not counted yet where `spare_used` */
    bool               spare_used;
    uint32_t           beyond[3];
    bool               no_memory;
};
typedef shunt_hl7_validator validator;

/* ---- findings ---- */

/* A finding beyond the list: known by its severity alone, which may change while it is made. */
static void count_spare(validator *v)
{
    if (v->spare_used) v->beyond[v->spare.severity]++;
    v->spare_used = false;
}

static shunt_hl7_finding *next_finding(validator *v, bool listed)
{
    if (!listed) {
        count_spare(v);
        v->spare_used = true;
        return &v->spare;
    }
    shunt_hl7_finding *grown = shunt_memory_more(v->memory, v->findings, v->count, &v->room, sizeof *grown);
    if (!grown) {
        v->no_memory = true;
        return NULL;
    }
    v->findings = grown;
    return &v->findings[v->count++];
}

static shunt_hl7_finding *find_as(validator *v, shunt_status code)
{
    const meaning     *m = &meanings[code];
    shunt_hl7_finding *f = v->levels >> m->level & 1 ? next_finding(v, v->count < OF_SEGMENT) : NULL;
    if (!f) return NULL;
    memset(f, 0, sizeof *f);
    f->code = code;
    f->severity = m->severity;
    f->level = m->level;
    f->condition = m->condition;
    return f;
}

SHUNT_PRINTF(2, 3)
static void detail(shunt_hl7_finding *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(f->detail, sizeof f->detail, format, args);
    va_end(args);
}

/* What was found beyond the list, as the last of it. */
static __attribute__((noinline)) void tell_beyond(validator *v, const shunt_event *event)
{
    count_spare(v);
    const uint32_t *beyond = v->beyond;
    if (!(beyond[SHUNT_ERROR] | beyond[SHUNT_WARNING] | beyond[SHUNT_INFORMATION])) return;
    shunt_hl7_finding *f = next_finding(v, true);
    if (!f) return;
    memset(f, 0, sizeof *f);
    f->code = SHUNT_FINDINGS_MORE;
    f->severity = beyond[SHUNT_ERROR] ? SHUNT_ERROR : beyond[SHUNT_WARNING] ? SHUNT_WARNING : SHUNT_INFORMATION;
    f->level = 1;
    f->condition = beyond[SHUNT_ERROR] ? 102 : 0;
    f->place = event->place;
    f->place.element = f->place.component = 0;
    if (event->segment && event->segment->length >= 3) memcpy(f->id, event->segment->bytes, 3);
    memcpy(f->beyond, beyond, sizeof f->beyond);
    detail(f, "%u errors, %u warnings and %u notes more of one segment", beyond[SHUNT_ERROR], beyond[SHUNT_WARNING],
           beyond[SHUNT_INFORMATION]);
    memset(v->beyond, 0, sizeof v->beyond);
}

static void keep_value(shunt_hl7_finding *f, const uint8_t *bytes, uint32_t length)
{
    f->value_length = (uint8_t)(length < HL7_VALUE_KEPT ? length : HL7_VALUE_KEPT);
    if (f->value_length) memcpy(f->value, bytes, f->value_length);
}

/* How often the id has come in the message, this time included; 0 where nobody counts. */
static uint32_t occurrence_of(validator *v, uint64_t id, bool add)
{
    uint32_t at = (uint32_t)(id >> 40) * 2654435761u >> 26;
    while (v->occurrences[at].id && v->occurrences[at].id != id) at = (at + 1) % OCCURRENCES;
    occurrence *o = &v->occurrences[at];
    if (!o->id) {
        if (!add) return 0;
        if (v->occurrence_count >= OCCURRENCES * 3 / 4) return 0;
        v->occurrence_count++;
        o->id = id;
    }
    return o->count += add;
}

/* ---- what is looked at ---- */

/* A segment with what its version has of it. */
typedef struct subject {
    const shunt_segment      *segment;
    const shunt_delims       *delims;
    const shunt_segment_node *node;
    const shunt_loop         *group;
    uint32_t                  occurrence;
    uint32_t                  shift; /* 1: element k is field k + 1 */
} subject;

/* A value at its place. */
typedef struct value {
    const subject       *of;
    const shunt_element *element;
    uint16_t             field, repetition, component, subcomponent;
    shunt_range          range;
} value;

static shunt_hl7_finding *of_segment(validator *v, const subject *s, shunt_status code)
{
    shunt_hl7_finding *f = find_as(v, code);
    if (!f) return NULL;
    f->place = (shunt_place){ .byte = s->segment->at, .length = s->segment->length, .segment = s->segment->number };
    for (unsigned i = 0; i < 3; i++) f->id[i] = (char)(s->segment->id >> (56 - 8 * i));
    f->occurrence = s->occurrence;
    f->group = s->group;
    f->node = s->node;
    return f;
}

static shunt_hl7_finding *of_value(validator *v, const value *x, shunt_status code)
{
    shunt_hl7_finding *f = of_segment(v, x->of, code);
    if (!f) return NULL;
    const shunt_segment *s = x->of->segment;
    uint32_t             begin = x->range.begin < s->length ? x->range.begin : s->length;
    f->place.byte = s->at + begin;
    f->place.length = x->range.end > x->range.begin ? x->range.end - x->range.begin : 0;
    f->place.element = x->field;
    f->place.component = x->component;
    f->repetition = x->repetition;
    f->subcomponent = x->subcomponent;
    f->element = x->element;
    keep_value(f, s->bytes + begin, f->place.length);
    return f;
}

static shunt_text text_of(const subject *s, shunt_range range)
{
    return (shunt_text){ (const char *)s->segment->bytes + range.begin, range.end - range.begin };
}

/* The field as it stands. */
static shunt_range field_of(const subject *s, uint32_t field)
{
    if (field <= s->shift) return (shunt_range){ 3, s->segment->length > 3 ? 4u : 3u };
    return shunt_segment_element(s->segment, field - s->shift);
}

/* Component of the first repetition of a field, its first subcomponent; 0 = the first repetition. */
static shunt_text part_of(const subject *s, uint32_t field, uint32_t component)
{
    shunt_range range = shunt_range_until(s->segment, field_of(s, field), s->delims->repetition);
    for (; component > 1; component--) {
        shunt_range one = shunt_range_until(s->segment, range, s->delims->component);
        if (one.end >= range.end) return (shunt_text){ 0 };
        range.begin = one.end + 1;
    }
    if (component) range = shunt_range_until(s->segment, range, s->delims->component);
    if (component) range = shunt_range_until(s->segment, range, s->delims->subcomponent);
    if (range.begin >= range.end) return (shunt_text){ 0 };
    while (range.end > range.begin && s->segment->bytes[range.end - 1] == ' ') range.end--;
    return text_of(s, range);
}

static bool is_cleared(const subject *s, shunt_range range)
{
    return range.end - range.begin == 2 && s->segment->bytes[range.begin] == '"' && s->segment->bytes[range.begin + 1] == '"';
}

/* ---- values ---- */

/* Is the table of the standard, where the value comes from no other system? */
static bool is_standard_table(const shunt_codeset *codes)
{
    const shunt_codeset *table = shunt_codeset_find(shunt_text_of(codes->name));
    return table && table->complete;
}

static void check_code(validator *v, const value *x, const shunt_codeset *codes)
{
    shunt_text text = text_of(x->of, x->range);
    if (!(v->levels >> HL7_LEVEL_TABLES & 1) || shunt_codeset_has(codes, text)) return;
    while (text.length && text.bytes[text.length - 1] == ' ') text.length--;
    /* A value with escapes is none of a table; sites write their own ones so. */
    if (!text.length || shunt_codeset_has(codes, text)) return;
    shunt_status       code = codes->complete            ? SHUNT_HL7_CODE
                              : is_standard_table(codes) ? SHUNT_HL7_CODE_TABLE
                                                         : SHUNT_HL7_CODE_UNLISTED;
    shunt_hl7_finding *f = of_value(v, x, code);
    if (f) f->codes = codes;
}

static uint32_t characters(const validator *v, shunt_text text)
{
    if (v->charset.set == HL7_SET_LATIN) return text.length;
    uint32_t count = 0;
    for (uint32_t i = 0; i < text.length; i++) count += ((uint8_t)text.bytes[i] & 0xc0) != 0x80;
    return count;
}

static void check_length(validator *v, const value *x)
{
    uint32_t most = x->element->max_length;
    if (!most || x->range.end - x->range.begin <= most) return;
    uint32_t length = characters(v, text_of(x->of, x->range));
    if (length <= most) return;
    shunt_hl7_finding *f = of_value(v, x, SHUNT_HL7_TOO_LONG);
    if (!f) return;
    detail(f, "%u long", length);
    if (v->lengths) return;
    f->severity = SHUNT_INFORMATION; /* lengths before 2.7 are what a receiver must take at least */
    f->condition = 0;
}

/* One value without parts. */
static void check_leaf(validator *v, const value *x)
{
    const shunt_element *e = x->element;
    const uint8_t       *bytes = x->of->segment->bytes + x->range.begin;
    uint32_t             length = x->range.end - x->range.begin;
    shunt_status         wrong = SHUNT_OK;
    while (length && bytes[length - 1] == ' ') length--;
    if (!length) return; /* blanks say nothing */
    switch (e->type) {
    case SHUNT_VALUE_AMOUNT:
    case SHUNT_VALUE_DECIMAL:
        if (!shunt_hl7_is_number(bytes, length)) wrong = SHUNT_HL7_NUMBER;
        break;
    case SHUNT_VALUE_INT:
        if (!shunt_hl7_is_sequence(bytes, length)) wrong = SHUNT_HL7_NUMBER;
        break;
    case SHUNT_VALUE_DATE:
        if (!shunt_hl7_is_date(bytes, length)) wrong = SHUNT_HL7_DATE;
        break;
    case SHUNT_VALUE_TIME:
        if (!shunt_hl7_is_time(bytes, length)) wrong = SHUNT_HL7_DATE;
        break;
    case SHUNT_VALUE_MOMENT:
        if (!shunt_hl7_is_moment(bytes, length)) wrong = SHUNT_HL7_DATE;
        break;
    default: break;
    }
    if (SHUNT_UNLIKELY(wrong != SHUNT_OK)) {
        shunt_hl7_finding *f = of_value(v, x, wrong);
        if (f && e->data_type) detail(f, "data type %s", e->data_type);
        return;
    }
    if (SHUNT_UNLIKELY(e->max_length && length > e->max_length)) check_length(v, x);
    if (e->codes) check_code(v, x, e->codes);
}

static bool is_free(const shunt_element *e)
{
    return e->data_type && (strcmp(e->data_type, "ANY") == 0 || strcmp(e->data_type, "VARIES") == 0);
}

/* A type whose values hold no components: more of them are none of it. Old composites (CM) and free types have any. */
static bool is_simple(const shunt_element *e)
{
    static const char *const simple[] = { "ST", "ID", "IS", "NM", "SI", "DT", "TM", "DTM" };
    for (size_t i = 0; i < SHUNT_COUNT(simple); i++)
        if (e->data_type && strcmp(e->data_type, simple[i]) == 0) return true;
    return false;
}

static void check_part(validator *v, value *x, uint8_t separator);

/* 2.6 withdraws TS with all its parts, and what is left of its fields is read by them. */
static bool is_stamp(const shunt_element *e) { return e->data_type && strcmp(e->data_type, "TS") == 0; }

/* The parts of a value: components of a field (`level` 1), subcomponents of a component. */
static void check_parts(validator *v, const value *whole, uint8_t separator, unsigned level)
{
    const shunt_element *e = whole->element;
    uint32_t             at = whole->range.begin;
    for (uint16_t k = 1; k <= e->component_count || at < whole->range.end; k++) {
        bool        beyond = at > whole->range.end || (k > 1 && at >= whole->range.end);
        shunt_range one = beyond ? (shunt_range){ whole->range.end, whole->range.end }
                                 : shunt_range_until(whole->of->segment, (shunt_range){ at, whole->range.end }, separator);
        value       x = *whole;
        x.range = one;
        if (level == 1)
            x.component = k;
        else
            x.subcomponent = k;
        if (k > e->component_count) {
            if (one.end > one.begin) {
                x.element = NULL;
                shunt_hl7_finding *f = of_value(v, &x, SHUNT_HL7_COMPONENTS);
                if (f) detail(f, "%s has %u", e->data_type ? e->data_type : "its type", e->component_count);
                return;
            }
        } else {
            x.element = &e->components[k - 1];
            bool withdrawn = x.element->usage == SHUNT_NOT_USED && !is_stamp(e);
            if (one.end > one.begin && withdrawn)
                (void)of_value(v, &x, SHUNT_HL7_FIELD_UNUSED);
            else if (one.end > one.begin)
                check_part(v, &x, level == 1 ? whole->of->delims->subcomponent : 0);
            else if (x.element->usage == SHUNT_REQUIRED)
                (void)of_value(v, &x, SHUNT_HL7_COMPONENT_MISSING);
        }
        if (beyond && k >= e->component_count) return;
        if (!beyond) at = one.end + 1;
        if (k == UINT16_MAX) return;
    }
}

/* A component, or the only one of a field. */
static void check_part(validator *v, value *x, uint8_t separator)
{
    const shunt_element *e = x->element;
    if (is_cleared(x->of, x->range)) return;
    if (!e->component_count) {
        check_leaf(v, x);
        return;
    }
    if (!separator || x->subcomponent) return;
    check_parts(v, x, separator, 2);
}

/* The first part of a composite of one repetition, if it comes from the table that the field names. */
static void check_coded(validator *v, const value *x)
{
    const shunt_delims *d = x->of->delims;
    shunt_range         range = x->range, part[3] = { { 0, 0 } };
    for (unsigned k = 0; k < 3 && range.begin < range.end; k++) {
        part[k] = shunt_range_until(x->of->segment, range, d->component);
        range.begin = part[k].end + 1;
    }
    shunt_text system = text_of(x->of, part[2]);
    if (part[0].end <= part[0].begin || is_cleared(x->of, part[0])) return;
    if (system.length && !shunt_text_starts(system, SHUNT_TEXT("HL7"))) return;
    value first = *x;
    first.component = 1;
    first.range = shunt_range_until(x->of->segment, part[0], d->subcomponent);
    if (first.range.end > first.range.begin) check_code(v, &first, x->element->codes);
}

static bool is_coded(const shunt_element *e)
{
    return e->codes && e->data_type &&
           (strcmp(e->data_type, "CE") == 0 || strcmp(e->data_type, "CWE") == 0 || strcmp(e->data_type, "CNE") == 0);
}

/* One repetition that holds something. */
static void check_repetition(validator *v, value *x)
{
    const shunt_element *e = x->element;
    const subject       *s = x->of;
    if (is_cleared(s, x->range)) return;
    if (e->component_count) {
        if (SHUNT_UNLIKELY(e->max_length && x->range.end - x->range.begin > e->max_length)) check_length(v, x);
        check_parts(v, x, s->delims->component, 1);
        if (is_coded(e)) check_coded(v, x);
        return;
    }
    shunt_range first = shunt_range_until(s->segment, x->range, s->delims->component);
    if (SHUNT_UNLIKELY(first.end < x->range.end) && e->type != SHUNT_VALUE_TEXT) {
        if (is_simple(e)) {
            value beyond = *x;
            beyond.component = 2;
            beyond.range.begin = first.end + 1;
            while (beyond.range.end > beyond.range.begin && s->segment->bytes[beyond.range.end - 1] == s->delims->component)
                beyond.range.end--;
            if (beyond.range.end > beyond.range.begin) (void)of_value(v, &beyond, SHUNT_HL7_COMPONENTS);
        }
        x->range = first;
        if (first.begin == first.end) return;
    }
    check_leaf(v, x);
}

/* OBX-5 has the type that OBX-2 says: those without parts are looked at. */
static bool observation_type(const subject *s, shunt_element *made)
{
    static const struct {
        const char *name;
        uint8_t     type;
    } types[] = { { "NM", SHUNT_VALUE_DECIMAL }, { "DT", SHUNT_VALUE_DATE },    { "TM", SHUNT_VALUE_TIME },
                  { "TS", SHUNT_VALUE_MOMENT },  { "DTM", SHUNT_VALUE_MOMENT }, { "SI", SHUNT_VALUE_INT } };
    shunt_text type = part_of(s, 2, 1);
    for (size_t i = 0; i < SHUNT_COUNT(types); i++) {
        if (!shunt_text_is(type, types[i].name)) continue;
        made->type = types[i].type;
        made->data_type = types[i].name;
        return true;
    }
    return false;
}

static void check_field(validator *v, value *x)
{
    const shunt_element *e = x->element;
    const subject       *s = x->of;
    if (x->range.begin >= x->range.end) {
        if (SHUNT_UNLIKELY(e->usage == SHUNT_REQUIRED)) (void)of_value(v, x, SHUNT_HL7_FIELD_MISSING);
        return;
    }
    if (SHUNT_UNLIKELY(e->usage == SHUNT_NOT_USED)) {
        (void)of_value(v, x, SHUNT_HL7_FIELD_UNUSED);
        return;
    }
    if (s->segment->id == ID('O', 'B', 'X') && x->field == OBX_5) {
        v->observation = *e;
        if (!observation_type(s, &v->observation)) return;
        x->element = &v->observation;
    }
    uint32_t at = x->range.begin, end = x->range.end;
    uint8_t  separator = s->delims->repetition;
    for (uint16_t r = 1; at <= end && r < UINT16_MAX; r++) {
        value each = *x;
        each.range = shunt_range_until(s->segment, (shunt_range){ at, end }, separator);
        bool alone = r == 1 && each.range.end >= end;
        each.repetition = alone ? 0 : r;
        at = each.range.end + 1;
        if (each.range.begin >= each.range.end) continue;
        if (SHUNT_UNLIKELY(e->repeats != UINT8_MAX && r > e->repeats) && !is_free(e)) {
            shunt_hl7_finding *f = of_value(v, &each, SHUNT_HL7_REPETITIONS);
            if (f) detail(f, e->repeats == 1 ? "it may stand once" : "it may stand %u times", e->repeats);
            break;
        }
        check_repetition(v, &each);
    }
}

/* Fields that say what the message itself is are looked at by check_header. */
static bool of_header(const subject *s, uint32_t field)
{
    return s->segment->id == ID('M', 'S', 'H') && (field <= 2 || field == 9 || field == 11 || field == 12);
}

static void check_fields(validator *v, const subject *s)
{
    const shunt_segment_node *n = s->node;
    uint32_t                  last = s->segment->elements + s->shift;
    for (uint32_t k = 1; k <= n->element_count; k++) {
        const shunt_element *e = &n->elements[k - 1];
        if (k > last && e->usage != SHUNT_REQUIRED) continue;
        if (s->shift && k <= 2) continue;
        value x = { .of = s, .element = e, .field = (uint16_t)k, .range = field_of(s, k) };
        if (k > last) x.range = (shunt_range){ s->segment->length, s->segment->length };
        if (SHUNT_UNLIKELY(of_header(s, k))) {
            if (x.range.begin >= x.range.end && e->usage == SHUNT_REQUIRED) (void)of_value(v, &x, SHUNT_HL7_FIELD_MISSING);
            continue;
        }
        check_field(v, &x);
    }
    for (uint32_t k = n->element_count + 1u; k <= last && n->element_count; k++) {
        value x = { .of = s, .field = k < UINT16_MAX ? (uint16_t)k : UINT16_MAX, .range = field_of(s, k) };
        if (x.range.begin >= x.range.end) continue;
        shunt_hl7_finding *f = of_value(v, &x, SHUNT_HL7_TOO_MANY_FIELDS);
        if (f) detail(f, "%s of %s has %u", n->id, v->version, n->element_count);
        return;
    }
}

/* Bytes of a segment that its character set does not have. */
static void check_bytes(validator *v, const subject *s)
{
    const uint8_t *bytes = s->segment->bytes;
    uint32_t       at = 0, length = s->segment->length;
    while (at < length && bytes[at] < 0x80) at++;
    if (at == length || v->charset.set == HL7_SET_LATIN || v->charset.set == HL7_SET_REFUSED) return;
    bool declared = v->charset.set == HL7_SET_UTF8;
    if (declared) at = (uint32_t)shunt_utf8_bad((const char *)bytes, length);
    if (at == length || (!declared && v->charset_told)) return;
    shunt_hl7_finding *f = of_segment(v, s, declared ? SHUNT_HL7_BYTES : SHUNT_HL7_CHARSET_ASSUMED);
    if (!f) return;
    v->charset_told = !declared;
    f->place.byte = s->segment->at + at;
    f->place.length = 1;
}

/* ---- messages ---- */

/* What is printed of a header: letters, digits and a few signs. */
static void show(char *out, size_t room, shunt_text text)
{
    size_t used = 0;
    for (uint32_t i = 0; i < text.length && used + 1 < room && used < 24; i++) {
        char c = text.bytes[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c && strchr("._-^", c));
        out[used++] = plain ? c : '?';
    }
    out[used] = 0;
}

static shunt_hl7_finding *of_header_field(validator *v, const subject *s, uint16_t field, shunt_status code)
{
    value              x = { .of = s, .field = field, .range = field_of(s, field) };
    shunt_hl7_finding *f;
    if (field > s->segment->elements + s->shift) x.range = (shunt_range){ s->segment->length, s->segment->length };
    x.element = s->node && field <= s->node->element_count ? &s->node->elements[field - 1] : NULL;
    f = of_value(v, &x, code);
    return f;
}

/* The guide of MSH-9: by the event; else by the structure; an answer has the event of what it answers and a structure of its own. */
static const shunt_guide *find_guide(shunt_text type, shunt_text event, shunt_text structure, shunt_text version, bool *exact)
{
    char               whole[TYPE];
    const shunt_guide *guide = NULL, *named;
    bool               same;
    *exact = false;
    if (!type.length || type.length + event.length + structure.length + 3 > TYPE) return NULL;
    int length = event.length || structure.length ? snprintf(whole, sizeof whole, "%.*s^%.*s^%.*s", SHUNT_TEXT_ARGS(type),
                                                             SHUNT_TEXT_ARGS(event), SHUNT_TEXT_ARGS(structure))
                                                  : snprintf(whole, sizeof whole, "%.*s", SHUNT_TEXT_ARGS(type));
    guide = shunt_hl7_guide_nearest((shunt_text){ whole, (uint32_t)length }, version, exact);
    if (!guide && event.length && !structure.length) {
        length = snprintf(whole, sizeof whole, "%.*s_%.*s", SHUNT_TEXT_ARGS(type), SHUNT_TEXT_ARGS(event));
        guide = shunt_hl7_guide_nearest((shunt_text){ whole, (uint32_t)length }, version, exact);
    }
    if (!guide || *exact || !structure.length) return guide;
    named = shunt_hl7_guide_nearest(structure, version, &same);
    if (!named || !same) return guide;
    *exact = true;
    return named;
}

static void check_type(validator *v, const subject *s)
{
    shunt_text type = part_of(s, 9, 1), event = part_of(s, 9, 2), structure = part_of(s, 9, 3), version = part_of(s, 12, 1);
    char       shown[32];
    bool       exact, known_version = shunt_segment_find(version, SHUNT_TEXT("MSH")) != NULL;
    shunt_hl7_finding *f;
    v->guide = find_guide(type, event, structure, version, &exact);
    if (!v->guide && known_version)
        snprintf(v->version, sizeof v->version, "%.*s", SHUNT_TEXT_ARGS(version));
    else
        snprintf(v->version, sizeof v->version, "%s", v->guide ? v->guide->version : "2.5.1");
    v->ninth = shunt_hl7_version_compare(version, SHUNT_TEXT("2.9")) >= 0;
    v->lengths = shunt_hl7_version_compare(shunt_text_of(v->version), SHUNT_TEXT("2.7")) >= 0;
    if (version.length && !known_version) {
        f = of_header_field(v, s, 12, SHUNT_HL7_VERSION_ID);
        show(shown, sizeof shown, version);
        if (f) detail(f, "%s, held against %s", shown, v->version);
    }
    if (!type.length) return; /* the reader has said so, or MSH-9 is missing */
    if (!v->guide) {
        f = of_header_field(v, s, 9, shunt_hl7_type_known(type) ? SHUNT_HL7_EVENT : SHUNT_HL7_MESSAGE_TYPE);
        show(shown, sizeof shown, part_of(s, 9, 0));
        if (f) detail(f, "%s", shown);
        return;
    }
    if (known_version && !exact) {
        f = of_header_field(v, s, 9, SHUNT_HL7_NOT_IN_VERSION);
        if (f) detail(f, "%.*s has no %s, held against %s", SHUNT_TEXT_ARGS(version), v->guide->set, v->guide->version);
    }
    if (structure.length && !shunt_text_is(structure, v->guide->functional_id)) {
        f = of_header_field(v, s, 9, SHUNT_HL7_STRUCTURE_ID);
        show(shown, sizeof shown, structure);
        if (f) detail(f, "%s, the event has %s", shown, v->guide->functional_id);
        if (f) f->place.component = 3;
    }
}

static void check_header(validator *v, const subject *s)
{
    shunt_text processing = part_of(s, 11, 1), charset = part_of(s, 18, 0);
    char       shown[32];
    check_type(v, s);
    bool known = processing.length == 1 && processing.bytes[0] && strchr(v->ninth ? "PTDN" : "PTD", processing.bytes[0]);
    if (processing.length && !known && !shunt_text_is(processing, "\"\"")) {
        shunt_hl7_finding *f = of_header_field(v, s, 11, SHUNT_HL7_PROCESSING_ID);
        if (f) f->codes = shunt_codeset_find(SHUNT_TEXT("HL70103"));
    }
    v->charset = shunt_hl7_charset_find(charset);
    if (v->options.by_source || (v->charset.set != HL7_SET_REFUSED && !v->charset.loose)) return; /* there the reader says it */
    shunt_hl7_finding *f =
        of_header_field(v, s, 18, v->charset.set == HL7_SET_REFUSED ? SHUNT_HL7_CHARSET : SHUNT_HL7_CHARSET_NAME);
    show(shown, sizeof shown, charset);
    if (f) detail(f, "%s", shown);
}

static void begin(validator *v, const shunt_event *event)
{
    v->levels = v->options.levels;
    if (event->scope != SHUNT_SCOPE_TRANSACTION || !event->segment) return;
    v->in_message = true;
    v->watched = true;
    if (v->options.by_source) {
        v->levels = event->guide == SHUNT_NONE ? 0 : v->plan->sources[v->plan->guides[event->guide].source].snips;
        v->watched = v->levels != 0;
    }
    v->guide = NULL;
    v->charset_told = false;
    memset(v->occurrences, 0, sizeof v->occurrences);
    v->occurrence_count = 0;
    v->number = 0;
    v->byte = event->segment->at;
    if (!v->watched) return;
    subject s = { .segment = event->segment, .delims = &event->delims, .occurrence = 1, .shift = 1 };
    check_header(v, &s);
    if (v->guide && shunt_hl7_counter_begin(v->counter, v->guide) != SHUNT_OK) v->no_memory = true;
}

/* What the structure lacks, said where it was passed by. */
static void tell_missing(validator *v)
{
    uint32_t                 count;
    const shunt_hl7_missing *missing = shunt_hl7_counter_missing(v->counter, &count);
    for (uint32_t i = 0; i < count; i++) {
        const shunt_hl7_missing *m = &missing[i];
        const shunt_loop        *loop = m->entry->loop;
        shunt_hl7_finding       *f = find_as(v, loop ? SHUNT_HL7_GROUP_MISSING : SHUNT_HL7_SEGMENT_MISSING);
        if (!f) return;
        f->place = (shunt_place){ .byte = m->byte, .segment = m->segment };
        f->group = m->group;
        f->node = m->entry->segment;
        for (const shunt_loop *inner = loop; inner && !f->node && inner->body_count; inner = inner->body[0].loop)
            f->node = inner->body[0].segment; /* by what it begins with */
        if (f->node) {
            snprintf(f->id, sizeof f->id, "%s", f->node->id);
            f->occurrence = occurrence_of(v, shunt_pack((const uint8_t *)f->id, strlen(f->id)), false) + 1;
        }
        if (loop) detail(f, "group %s", loop->id);
    }
}

static void place_segment(validator *v, subject *s)
{
    shunt_hl7_landing landing = { 0 };
    if (v->guide) {
        shunt_hl7_counter_segment(v->counter, s->segment->id, s->segment->number, s->segment->at, &landing);
        tell_missing(v);
    }
    s->node = landing.node;
    s->group = landing.group;
    bool site = s->segment->id >> 56 == 'Z';
    if (!s->node && !site && s->segment->id)
        s->node = shunt_segment_find(shunt_text_of(v->version), (shunt_text){ (const char *)s->segment->bytes, 3 });
    if (v->guide && !landing.node && !site && s->segment->id) {
        shunt_hl7_finding *f = of_segment(v, s, SHUNT_HL7_SEGMENT_UNEXPECTED);
        if (f)
            detail(f, s->node ? "%s %s does not have it" : "%s %s has no such segment in any message", v->guide->set, v->version);
    }
    if (landing.late) (void)of_segment(v, s, SHUNT_HL7_SEQUENCE);
    if (landing.too_often && landing.node) {
        shunt_hl7_finding *f = of_segment(v, s, SHUNT_HL7_SEGMENT_TOO_OFTEN);
        if (f) detail(f, landing.node->max == 1 ? "it may stand once" : "it may stand %u times", landing.node->max);
    }
    if (landing.too_many) {
        shunt_hl7_finding *f = of_segment(v, s, SHUNT_HL7_GROUP_TOO_OFTEN);
        if (f) detail(f, "group %s", landing.too_many->id);
    }
}

static bool is_header(uint64_t id) { return id == ID('M', 'S', 'H') || id == ID('F', 'H', 'S') || id == ID('B', 'H', 'S'); }

static void segment(validator *v, const shunt_event *event)
{
    const shunt_segment *s = event->segment;
    if (!v->in_message || !v->watched || is_header(s->id) != (s->id == ID('M', 'S', 'H'))) return;
    subject x = { .segment = s, .delims = &event->delims, .shift = is_header(s->id) };
    v->number = s->number;
    v->byte = s->at;
    if (s->id) x.occurrence = occurrence_of(v, s->id, true);
    place_segment(v, &x);
    if (!v->options.by_source) check_bytes(v, &x); /* there the reader says it of the values that are read */
    if (x.node) check_fields(v, &x);
}

static void fault(validator *v, const shunt_event *event)
{
    /* Not read by any source, counted here, a matter of rules: no finding. */
    switch (event->code) {
    case SHUNT_HL7_UNMAPPED:
    case SHUNT_HL7_UNKNOWN_SEGMENT:
    case SHUNT_HL7_ORDER:
    case SHUNT_HL7_MISSING_PARENT:
    case SHUNT_HL7_REPEATS:
    case SHUNT_HL7_VERSION:
    case SHUNT_HL7_NO_CONTROL:
    case SHUNT_HL7_LATE:
    case SHUNT_HL7_STRICT: return;
    default: break;
    }
    shunt_hl7_finding *f = find_as(v, event->code);
    if (!f) return;
    f->of_reader = true;
    f->level = HL7_LEVEL_SYNTAX;
    if (!meanings[event->code].level) f->severity = (uint8_t)shunt_status_info[event->code].severity;
    f->place = event->place;
    detail(f, "%.*s", SHUNT_TEXT_ARGS(event->detail));
}

static void finish(validator *v, const shunt_event *event)
{
    if (event->scope != SHUNT_SCOPE_TRANSACTION) return;
    if (v->guide) {
        shunt_hl7_counter_end(v->counter, v->number, v->byte);
        if (event->step == SHUNT_STEP_FINISH) tell_missing(v);
    }
    v->in_message = false;
    v->guide = NULL;
    v->levels = v->options.levels;
}

shunt_status shunt_hl7_validator_see(validator *v, const shunt_event *event)
{
    v->count = 0;
    switch (event->step) {
    case SHUNT_STEP_BEGIN: begin(v, event); break;
    case SHUNT_STEP_SEGMENT: segment(v, event); break;
    case SHUNT_STEP_FAULT: fault(v, event); break;
    case SHUNT_STEP_FINISH:
    case SHUNT_STEP_ABANDON: finish(v, event); break;
    default: break;
    }
    if (SHUNT_UNLIKELY(v->count >= OF_SEGMENT)) tell_beyond(v, event);
    return v->no_memory ? SHUNT_NO_MEMORY : SHUNT_OK;
}

const shunt_hl7_finding *shunt_hl7_findings(const validator *v, uint32_t *count)
{
    *count = v->count;
    return v->findings;
}

const shunt_guide *shunt_hl7_validator_guide(const validator *v) { return v->guide; }

/* ---- making ---- */

void shunt_hl7_validator_free(validator *v)
{
    if (!v) return;
    shunt_hl7_counter_free(v->counter);
    shunt_memory_free(v->memory, v->findings);
    shunt_memory_free(v->memory, v);
}

validator *shunt_hl7_validator_new(const shunt_memory *memory, const shunt_plan *plan, const shunt_hl7_validate_options *options)
{
    validator *v = shunt_memory_zeroed(memory, 1, sizeof *v);
    if (!v) return NULL;
    v->memory = memory;
    v->plan = plan;
    v->options = *options;
    v->levels = options->levels;
    v->counter = shunt_hl7_counter_new(memory);
    if (v->counter) return v;
    shunt_hl7_validator_free(v);
    return NULL;
}

/* ---- the validating reader ---- */

typedef struct validating {
    shunt_reader        base; /* first */
    shunt_reader_ops    ops;
    const shunt_memory *memory;
    shunt_reader       *inner;
    validator          *validator;
    shunt_event         event;  /* of the inner reader, handed over behind its findings */
    uint32_t            told;   /* findings handed over */
    bool                waits;  /* findings or the event itself are still to be handed over */
    bool                handed; /* the event was, or is not to be */
} validating;

static void validating_feed(shunt_reader *reader, const uint8_t *bytes, size_t size, bool last)
{
    validating *r = (validating *)reader;
    r->inner->ops->feed(r->inner, bytes, size, last);
}

/* The next finding that is an error. False: there is none. */
static bool show_finding(validating *r, shunt_event *event)
{
    uint32_t                 count;
    const shunt_hl7_finding *found = shunt_hl7_findings(r->validator, &count);
    while (r->told < count) {
        const shunt_hl7_finding *f = &found[r->told++];
        if (f->of_reader || f->severity != SHUNT_ERROR) continue;
        *event = r->event;
        event->step = SHUNT_STEP_FAULT;
        event->scope = SHUNT_SCOPE_TRANSACTION;
        event->loop = event->node = event->slot = SHUNT_NONE;
        event->segment = NULL;
        event->value = (shunt_text){ 0 };
        event->cleared = false;
        event->code = f->code;
        event->place = f->place;
        event->detail = shunt_text_of(f->detail);
        return true;
    }
    return false;
}

static shunt_step validating_next(shunt_reader *reader, shunt_event *event)
{
    validating *r = (validating *)reader;
    for (;;) {
        if (!r->waits) {
            r->inner->ops->next(r->inner, &r->event);
            *event = r->event;
            if (event->step == SHUNT_STEP_VALUE) return event->step;
            if (shunt_hl7_validator_see(r->validator, &r->event) != SHUNT_OK) {
                event->step = SHUNT_STEP_FAILED;
                event->code = SHUNT_NO_MEMORY;
                return SHUNT_STEP_FAILED;
            }
            r->told = 0;
            r->waits = true;
            r->handed = event->step == SHUNT_STEP_SEGMENT; /* nobody asked for it */
            if (event->step == SHUNT_STEP_BEGIN) {         /* what is wrong with a header is of what it begins */
                r->handed = true;
                return event->step;
            }
        }
        if (show_finding(r, event)) return SHUNT_STEP_FAULT;
        r->waits = false;
        if (r->handed) continue;
        *event = r->event;
        return event->step;
    }
}

static void validating_free(shunt_reader *reader)
{
    validating *r = (validating *)reader;
    if (!r) return;
    r->inner->ops->free(r->inner);
    shunt_hl7_validator_free(r->validator);
    shunt_memory_free(r->memory, r);
}

shunt_reader *shunt_hl7_validating_reader(const shunt_memory *memory, shunt_reader *inner, validator *v)
{
    validating *r = inner && v ? shunt_memory_zeroed(memory, 1, sizeof *r) : NULL;
    if (!r) {
        if (inner) inner->ops->free(inner);
        shunt_hl7_validator_free(v);
        return NULL;
    }
    r->ops = *inner->ops;
    r->ops.feed = validating_feed;
    r->ops.next = validating_next;
    r->ops.free = validating_free;
    r->ops.demanded_only = NULL; /* every segment is looked at */
    r->base.ops = &r->ops;
    r->memory = memory;
    r->inner = inner;
    r->validator = v;
    return &r->base;
}
