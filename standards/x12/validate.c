#include "standards/x12/validate.h"

#include <stdio.h>

#include "engine/base/hash.h"
#include "standards/x12/balance.h"
#include "standards/x12/delims.h"
#include "standards/x12/envelope.h"
#include "standards/x12/glance.h"

enum {
    DEPTH = 16,     /* open loops, as a walk has them */
    RELATIONS = 64, /* relational conditions of one segment */
    RELATION_PLACES = 12,
    OF_SEGMENT = 256,      /* most findings of one segment; those beyond are counted */
    SCRATCH = 4096,        /* longest value of a wrapped file that is looked at whole */
    LEVELS = 1 << 16,      /* HL numbers out of sequence that are remembered */
    LEVELS_KEPT = 1 << 10, /* slots for them that the next set may have as well */
    CODES_BITS = 13,
    CODES = 1 << CODES_BITS, /* code lists made fast, at most half of it */
    QUALIFIED_DATE = 1251,
    DATE_QUALIFIER = 1250,
    GUIDE_ID = 1705,
    FIELD = 40, /* bytes kept of an element of a header */
};

#define ST ((uint64_t)'S' << 56 | (uint64_t)'T' << 48)

/* ---- what each code means in an acknowledgement ---- */

typedef struct meaning {
    uint8_t     severity, said, snip;
    const char *standard, *older; /* 999 or TA1, and 997 */
} meaning;

#define ROW(code, severity, said, snip, standard, older)                                                                         \
    [SHUNT_X12_##code] = { SHUNT_##severity, X12_SAID_##said, snip, standard, older }
static const meaning meanings[SHUNT_STATUS_COUNT] = {
    ROW(NO_ISA, ERROR, NOWHERE, 1, "", ""),
    ROW(DELIMITERS, ERROR, INTERCHANGE, 1, "026", "026"),
    ROW(DELIMITER_WIDE, ERROR, INTERCHANGE, 1, "026", "026"),
    ROW(LEADING_TEXT, ERROR, NOWHERE, 1, "", ""),
    ROW(TRAILING_TEXT, WARNING, NOWHERE, 1, "", ""),
    ROW(ISA_LENGTH, ERROR, INTERCHANGE, 1, "022", "022"),
    ROW(ISA16, ERROR, INTERCHANGE, 1, "027", "027"),
    ROW(TRUNCATED, ERROR, INTERCHANGE, 1, "023", "023"),
    ROW(NO_IEA, ERROR, INTERCHANGE, 1, "023", "023"),
    ROW(NO_GE, ERROR, GROUP, 1, "3", "3"),
    ROW(NO_SE, ERROR, SET, 1, "2", "2"),
    ROW(NO_GS, ERROR, INTERCHANGE, 1, "024", "024"),
    ROW(STRAY, ERROR, INTERCHANGE, 1, "024", "024"),
    ROW(MISPLACED, ERROR, INTERCHANGE, 1, "022", "022"),
    ROW(NO_TERMINATOR, WARNING, NOWHERE, 1, "", ""),
    ROW(SEGMENT_ID, ERROR, SEGMENT, 1, "1", "1"),
    ROW(SEGMENT_LENGTH, ERROR, SEGMENT, 1, "8", "8"),
    ROW(ELEMENTS, ERROR, SEGMENT, 1, "8", "8"),
    ROW(BIN, ERROR, SEGMENT, 1, "8", "8"),
    ROW(SE01, ERROR, SET, 1, "4", "4"),
    ROW(SE02, ERROR, SET, 1, "3", "3"),
    ROW(GE01, ERROR, GROUP, 1, "5", "5"),
    ROW(GE02, ERROR, GROUP, 1, "4", "4"),
    ROW(IEA01, ERROR, INTERCHANGE, 1, "021", "021"),
    ROW(IEA02, ERROR, INTERCHANGE, 1, "001", "001"),
    ROW(CONTROL_TWICE, WARNING, SET, 1, "23", "23"),
    ROW(GUIDE_ASSUMED, WARNING, NOWHERE, 1, "", ""),
    ROW(UNMAPPED_SET, WARNING, SET, 1, "1", "1"),
    ROW(UNKNOWN_SEGMENT, ERROR, SEGMENT, 1, "2", "2"),
    ROW(ORDER, ERROR, SEGMENT, 1, "7", "7"),
    ROW(MISSING_PARENT, WARNING, NOWHERE, 1, "", ""),
    ROW(COMPOSITE, ERROR, ELEMENT, 1, "13", "3"),
    ROW(TOO_MANY_ELEMENTS, ERROR, ELEMENT, 1, "3", "3"),
    ROW(ELEMENT_MISSING, ERROR, ELEMENT, 2, "1", "1"),
    ROW(ELEMENT_UNUSED, ERROR, ELEMENT, 2, "I10", "10"),
    ROW(CONDITION, ERROR, ELEMENT, 1, "2", "2"),
    ROW(EXCLUSION, ERROR, ELEMENT, 1, "10", "10"),
    ROW(TOO_SHORT, ERROR, ELEMENT, 1, "4", "4"),
    ROW(TOO_LONG, ERROR, ELEMENT, 1, "5", "5"),
    ROW(CHARACTER, ERROR, ELEMENT, 1, "6", "6"),
    ROW(CODE, ERROR, ELEMENT, 2, "7", "7"),
    ROW(DATE, ERROR, ELEMENT, 1, "8", "8"),
    ROW(TIME, ERROR, ELEMENT, 1, "9", "9"),
    ROW(REPETITIONS, ERROR, ELEMENT, 1, "12", "3"),
    ROW(COMPONENTS, ERROR, ELEMENT, 1, "13", "3"),
    ROW(SEGMENT_MISSING, ERROR, SEGMENT, 2, "3", "3"),
    ROW(LOOP_MISSING, ERROR, SEGMENT, 2, "3", "3"),
    ROW(SEGMENT_UNUSED, ERROR, SEGMENT, 2, "I4", "2"),
    ROW(SEGMENT_TOO_OFTEN, ERROR, SEGMENT, 2, "5", "5"),
    ROW(LOOP_TOO_OFTEN, ERROR, SEGMENT, 2, "4", "4"),
    ROW(HL, ERROR, ELEMENT, 1, "7", "7"),
    ROW(HL_LEVEL, WARNING, NOWHERE, 1, "", ""),
    ROW(ENVELOPE, ERROR, INTERCHANGE, 1, "024", "024"),
    ROW(PARTNER, ERROR, INTERCHANGE, 1, "008", "008"),
    ROW(EMPTY_TAIL, INFORMATION, NOWHERE, 1, "", ""),
    ROW(BALANCE_LINE, ERROR, NOWHERE, 3, "", ""),
    ROW(BALANCE_CLAIM, ERROR, NOWHERE, 3, "", ""),
    ROW(BALANCE_TIE, WARNING, NOWHERE, 3, "", ""),
    ROW(BALANCE_PAYMENT, ERROR, NOWHERE, 3, "", ""),
    ROW(BALANCE_CHARGE, ERROR, NOWHERE, 3, "", ""),
    ROW(BALANCE_PAYER, ERROR, NOWHERE, 3, "", ""),
    ROW(SITUATION, ERROR, SEGMENT, 4, "I6", "3"),
    ROW(CODE_SET, ERROR, ELEMENT, 5, "7", "7"),
    ROW(CODE_UNLISTED, INFORMATION, NOWHERE, 5, "", ""),
};
#undef ROW

/* ---- tables made of the guides ---- */

typedef struct relation {
    uint64_t mask, first; /* of the elements, bit k = element k; the first of them */
    char     kind;
    uint8_t  count;
    uint8_t  at[RELATION_PLACES];
} relation;

/* A segment node with what the release says of its segment. */
typedef struct spec {
    const shunt_segment_node *node, *layout; /* layout NULL: the release has none */
    const shunt_loop         *loop;          /* of the node */
    quick                    *quick;         /* of each element */
    uint32_t                  relation_first;
    uint16_t                  relation_count;
    uint16_t                  entry; /* in the body of its loop */
    uint16_t                  element_count, last_required;
    bool                      hierarchy, ready;
    uint64_t                  related; /* elements that a condition speaks of; bit 0 as well where one must hold without any */
    uint64_t                  fine;    /* elements that were there last when all conditions held */
} spec;

/* The values of a list as numbers, for those up to eight bytes long. */
typedef struct fast_codes {
    const shunt_codeset *set;
    uint64_t            *packed; /* ascending */
} fast_codes;

/* What a body says of one of its entries. One more stands behind the last. */
typedef struct entry_info {
    uint32_t max;
    uint32_t limit; /* more instances than this are looked at well */
    uint16_t position;
    uint16_t first;    /* entry with this position */
    uint16_t required; /* entry from here on; behind the last one where there is none */
    uint8_t  usage;
    bool     trailer; /* SE */
    bool     level;   /* HL */
} entry_info;

/* A required entry that passed by: the segment before which it should have stood. */
typedef struct passed {
    uint64_t byte;
    uint32_t segment;
} passed;

typedef struct frame {
    const shunt_loop *loop;
    const entry_info *info;
    uint32_t          first;   /* into counts and passed */
    uint16_t          checked; /* entries before this one were looked for */
    uint64_t          meets;   /* conditions of the guide that hold in this instance */
    uint64_t          level;   /* HL01 */
    unsigned          levels;  /* loops that begin with HL, from the outermost to this one */
} frame;

typedef struct field {
    uint32_t length;
    char     bytes[FIELD];
} field;

struct shunt_x12_validator {
    const shunt_memory        *memory;
    const shunt_plan          *plan;
    const shunt_guide        **guides;
    shunt_conditions          *guide_conditions;
    shunt_x12_validate_options options;
    uint32_t                   snips; /* that count for the set, or the envelope, at hand */

    const shunt_loop **loops;      /* of each loop of the plan, NULL where its guide is not validated */
    uint16_t          *loop_entry; /* its entry in the body around it */
    spec              *specs;      /* of each node of the plan */
    relation          *relations;
    uint32_t           relation_count, relation_room;
    fast_codes        *codes; /* open addressing by pointer */
    uint32_t           codes_count;

    entry_info       **infos;  /* of each loop of the plan, made when it is first opened */
    uint32_t          *counts; /* of each entry of the open bodies */
    passed            *passed;
    frame              frames[DEPTH];
    unsigned           depth;
    const shunt_guide *guide; /* of the open set */
    shunt_conditions   conditions;

    uint64_t       before;            /* byte behind the last segment */
    uint32_t       apart, close;      /* segments of this interchange with something before them, and without */
    uint64_t       first_hl, last_hl; /* of those that count on by one */
    bool           any_hl;
    uint64_t      *levels;                          /* HL01 that were out of sequence, each + 1, in open addressing; 0 = free */
    uint32_t       level_count, level_room;         /* room: a power of two, at least twice the count */
    bool           levels_lost;                     /* more than are remembered */
    shunt_hash_key key;                             /* of their places: they are the sender's */
    field          functional_id, version, control; /* GS01, GS08, ST02 as it stands */
    bool           separator_told;
    bool           astray;  /* behind a segment that the guide does not have: what is out of order may be so by the guide alone */
    bool           leaving; /* loops were left since the last segment; before that were open: */
    unsigned       left_levels;      /* HL around */
    const shunt_loop  *left_loop;    /* the innermost */
    uint16_t           left_checked; /* entries of it passed */
    shunt_x12_balance *balance;

    shunt_x12_finding *findings;
    uint32_t           count, room, held; /* held: faults of the reader that wait for their segment */
    shunt_x12_finding  spare;             /* the last one beyond OF_SEGMENT, which is not counted yet where `spare_used` */
    bool               spare_used;
    uint32_t           beyond[3];
    bool               no_memory;
    uint8_t            scratch[SCRATCH];
};
typedef shunt_x12_validator validator;

/* ---- findings ---- */

static bool wanted(const validator *v, uint8_t snip) { return (v->snips >> snip & 1) != 0; }

/* A finding beyond the list: known by its severity alone, which may change while it is made. */
static void count_spare(validator *v)
{
    if (v->spare_used) v->beyond[v->spare.severity]++;
    v->spare_used = false;
}

static shunt_x12_finding *next_finding(validator *v, bool listed)
{
    if (!listed) {
        count_spare(v);
        v->spare_used = true;
        return &v->spare;
    }
    shunt_x12_finding *grown = shunt_memory_more(v->memory, v->findings, v->count, &v->room, sizeof *grown);
    if (!grown) {
        v->no_memory = true;
        return NULL;
    }
    v->findings = grown;
    return &v->findings[v->count++];
}

static shunt_x12_finding *find_as(validator *v, shunt_status code, uint8_t snip)
{
    const meaning     *m = &meanings[code];
    shunt_x12_finding *f = wanted(v, snip) ? next_finding(v, v->count < OF_SEGMENT) : NULL;
    if (!f) return NULL;
    memset(f, 0, sizeof *f);
    f->code = code;
    f->severity = m->severity;
    f->said = m->said;
    f->snip = snip;
    memcpy(f->standard, m->standard, strlen(m->standard) + 1);
    memcpy(f->older, m->older, strlen(m->older) + 1);
    f->loop = v->depth ? v->frames[v->depth - 1].loop : NULL;
    return f;
}

SHUNT_PRINTF(2, 3)
static void detail(shunt_x12_finding *f, const char *format, ...)
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
    shunt_x12_finding *f = next_finding(v, true);
    if (!f) return;
    memset(f, 0, sizeof *f);
    f->code = SHUNT_FINDINGS_MORE;
    f->severity = beyond[SHUNT_ERROR] ? SHUNT_ERROR : beyond[SHUNT_WARNING] ? SHUNT_WARNING : SHUNT_INFORMATION;
    f->snip = X12_SNIP_SYNTAX;
    f->said = beyond[SHUNT_ERROR] ? X12_SAID_SEGMENT : X12_SAID_NOWHERE;
    if (beyond[SHUNT_ERROR]) f->standard[0] = f->older[0] = '8'; /* the segment has errors in its elements */
    f->place = event->place;
    f->place.element = f->place.component = 0;
    f->loop = v->depth ? v->frames[v->depth - 1].loop : NULL;
    if (event->segment) memcpy(f->id, event->segment->bytes, event->segment->offsets[1] < 4 ? event->segment->offsets[1] - 1 : 3);
    memcpy(f->beyond, beyond, sizeof f->beyond);
    detail(f, "%u errors, %u warnings and %u notes more of one segment", beyond[SHUNT_ERROR], beyond[SHUNT_WARNING],
           beyond[SHUNT_INFORMATION]);
    memset(v->beyond, 0, sizeof v->beyond);
}

static void set_id(shunt_x12_finding *f, const shunt_segment *s)
{
    uint32_t length = s->offsets[1] - 1;
    /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): a segment has its id */
    memcpy(f->id, s->bytes, length < 3 ? length : 3);
}

static void keep_value(shunt_x12_finding *f, const uint8_t *bytes, uint32_t length)
{
    f->value_length = (uint8_t)(length < X12_VALUE_KEPT ? length : X12_VALUE_KEPT);
    if (f->value_length) memcpy(f->value, bytes, f->value_length);
}

static void set_code(shunt_x12_finding *f, uint8_t said, const char *standard, const char *older)
{
    f->said = said;
    memcpy(f->standard, standard, strlen(standard) + 1);
    memcpy(f->older, older, strlen(older) + 1);
}

/* ---- values ---- */

/* Where a value stands, and what should stand there. */
typedef struct value {
    const shunt_segment *segment;
    const shunt_delims  *delims;
    const spec          *spec;
    const shunt_element *element; /* or component */
    const shunt_element *layout;  /* the same in the release, or NULL */
    uint16_t             position, component, repetition;
    uint32_t             begin, end; /* in the segment */
    const uint8_t       *bytes;      /* without the line ends of a wrapped file */
    uint32_t             length;
} value;

static shunt_x12_finding *of_value(validator *v, const value *x, shunt_status code, uint8_t snip)
{
    shunt_x12_finding *f = find_as(v, code, snip);
    if (!f) return NULL;
    f->place = (shunt_place){ .byte = x->segment->at + x->begin,
                              .length = x->end - x->begin,
                              .segment = x->segment->number,
                              .element = x->position,
                              .component = x->component };
    f->repetition = x->repetition;
    set_id(f, x->segment);
    f->node = x->spec->node;
    f->element = x->element;
    keep_value(f, x->bytes, x->length);
    return f;
}

static bool is_any_date(const uint8_t *bytes, uint32_t length) { return is_date_since(bytes, length, 1, 9999); }

/* A value whose qualifier says what it is: date, range, date and time. True as well where the qualifier is none of these. */
static bool fits_qualifier(const uint8_t *bytes, uint32_t length, uint64_t qualifier, bool (*fits)(const uint8_t *, uint32_t))
{
    switch (qualifier) {
    case (uint64_t)'D' << 56 | (uint64_t)'8' << 48: return length == 8 && fits(bytes, length);
    case (uint64_t)'D' << 56 | (uint64_t)'6' << 48: return length == 6 && fits(bytes, length);
    case (uint64_t)'R' << 56 | (uint64_t)'D' << 48 | (uint64_t)'8' << 40:
        return length == 17 && bytes[8] == '-' && fits(bytes, 8) && fits(bytes + 9, 8);
    case (uint64_t)'D' << 56 | (uint64_t)'T' << 48: return length == 12 && fits(bytes, 8) && is_time(bytes + 8, 4);
    case (uint64_t)'T' << 56 | (uint64_t)'M' << 48: return is_time(bytes, length);
    default: return true;
    }
}

/* Bytes that count for the length of a number: sign and point do not. False: it is none. */
static bool read_number(const uint8_t *bytes, uint32_t length, bool point, uint32_t *counted)
{
    uint32_t digits = 0, points = 0;
    for (uint32_t i = 0; i < length; i++) {
        if (is_digit(bytes[i]))
            digits++;
        else if (point && bytes[i] == '.' && points == 0)
            points++;
        else if (bytes[i] != '-' || i > 0)
            return false;
    }
    *counted = digits;
    return digits > 0;
}

/* The list with its values as numbers, made when it is first asked for; NULL: there is no room, ask the list itself. */
static const uint64_t *packed_codes(validator *v, const shunt_codeset *set)
{
    uint32_t at = (uint32_t)((uintptr_t)set >> 4) * 2654435761u >> (32 - CODES_BITS);
    while (v->codes[at].set && v->codes[at].set != set) at = (at + 1) % CODES;
    fast_codes *fast = &v->codes[at];
    if (SHUNT_LIKELY(fast->set != NULL)) return fast->packed;
    if (v->codes_count >= CODES / 2) return NULL;
    uint64_t *packed = shunt_memory_zeroed(v->memory, set->count ? set->count : 1, sizeof *packed);
    if (!packed) {
        v->no_memory = true;
        return NULL;
    }
    bool short_ones = true;
    for (uint32_t i = 0; i < set->count; i++) {
        size_t length = strlen(set->values[i]);
        short_ones = short_ones && length <= 8;
        packed[i] = shunt_pack((const uint8_t *)set->values[i], length);
    }
    if (!short_ones) {
        shunt_memory_free(v->memory, packed);
        packed = NULL;
    }
    *fast = (fast_codes){ set, packed };
    v->codes_count++;
    return packed;
}

static bool listed(validator *v, const shunt_codeset *set, const uint8_t *bytes, uint32_t length)
{
    const uint64_t *packed = length <= 8 ? packed_codes(v, set) : NULL;
    if (!packed) return shunt_codeset_has(set, (shunt_text){ (const char *)bytes, length });
    uint64_t sought = shunt_pack(bytes, length);
    uint32_t low = 0, high = set->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (packed[middle] < sought)
            low = middle + 1;
        else
            high = middle;
    }
    return low < set->count && packed[low] == sought;
}

static uint32_t characters(const uint8_t *bytes, uint32_t length)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < length; i++) count += (bytes[i] & 0xc0) != 0x80;
    return count;
}

static void check_length(validator *v, const value *x, uint32_t length)
{
    const shunt_element *e = x->element;
    if (e->max_length && length > e->max_length) {
        bool               of_guide = x->layout && length <= x->layout->max_length;
        shunt_x12_finding *f = of_value(v, x, SHUNT_X12_TOO_LONG, of_guide ? X12_SNIP_GUIDE : X12_SNIP_SYNTAX);
        if (f) detail(f, "%u long", length);
    } else if (length < e->min_length) {
        shunt_x12_finding *f = of_value(v, x, SHUNT_X12_TOO_SHORT, X12_SNIP_SYNTAX);
        if (f) detail(f, "%u long", length);
    }
}

static void check_codes(validator *v, const value *x)
{
    const shunt_codeset *set = x->element->codes;
    if (!set || listed(v, set, x->bytes, x->length)) return;
    /* The id of the guide itself, without its addenda; in ST03 with others than the list knows. */
    shunt_text text = { (const char *)x->bytes, x->length };
    if (shunt_text_is(text, v->guide->family) || (x->element->number == GUIDE_ID && shunt_guide_fits(v->guide, text))) return;
    bool               of_guide = !set->name[0];
    shunt_x12_finding *f = of_value(v, x,
                                    of_guide        ? SHUNT_X12_CODE
                                    : set->complete ? SHUNT_X12_CODE_SET
                                                    : SHUNT_X12_CODE_UNLISTED,
                                    of_guide ? X12_SNIP_GUIDE : X12_SNIP_CODES);
    if (f) f->codes = set;
}

static const uint8_t *bad_character(const uint8_t *bytes, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        if (SHUNT_UNLIKELY(bytes[i] < ' ' || bytes[i] == 0x7f)) return bytes + i;
    return NULL;
}

/* What the qualifier before a date says. */
static uint64_t qualifier_before(const value *x)
{
    const shunt_element *list = x->component ? x->spec->node->elements[x->position - 1].components : x->spec->node->elements;
    uint32_t             at = x->component ? x->component : x->position;
    if (at < 2 || list[at - 2].number != DATE_QUALIFIER) return 0;
    if (!x->component) return shunt_segment_pack_value(x->segment, x->delims, x->position - 1u, 0);
    return shunt_segment_pack_value(x->segment, x->delims, x->position, x->component - 1u);
}

static void of_date(validator *v, const value *x, bool of_calendar)
{
    shunt_x12_finding *f = of_value(v, x, SHUNT_X12_DATE, X12_SNIP_SYNTAX);
    if (!f || !of_calendar) return;
    f->severity = SHUNT_WARNING;
    detail(f, "a day of the calendar, but of no business: before 1800 or after 2199");
}

/* One simple value that is there. */
static void check_value(validator *v, value *x)
{
    const shunt_element *e = x->element;
    uint32_t             length = x->length;
    if (x->segment->line_ends) {
        uint32_t kept = 0;
        for (uint32_t i = 0; i < x->length && kept < SCRATCH; i++)
            if (x->bytes[i] != '\r' && x->bytes[i] != '\n') v->scratch[kept++] = x->bytes[i];
        if (kept != x->length && v->apart > 1 && !v->close) {
            shunt_x12_finding *f = of_value(v, x, SHUNT_X12_CHARACTER, X12_SNIP_SYNTAX);
            if (f) {
                keep_value(f, (const uint8_t *)"<LF>", 4);
                detail(f, "a line end");
            }
        }
        x->bytes = v->scratch;
        x->length = length = kept;
    }
    const uint8_t *bytes = x->bytes;
    switch (e->type) {
    case SHUNT_VALUE_BINARY: return;
    case SHUNT_VALUE_AMOUNT:
    case SHUNT_VALUE_DECIMAL:
    case SHUNT_VALUE_IMPLIED:
    case SHUNT_VALUE_INT: {
        bool     point = e->type != SHUNT_VALUE_INT && !e->implied;
        uint32_t counted;
        if (!read_number(bytes, length, point, &counted)) {
            (void)of_value(v, x, SHUNT_X12_CHARACTER, X12_SNIP_SYNTAX);
            return;
        }
        check_length(v, x, counted);
        return;
    }
    case SHUNT_VALUE_DATE:
        check_length(v, x, length);
        if (!is_date(bytes, length)) of_date(v, x, is_any_date(bytes, length));
        return;
    case SHUNT_VALUE_TIME:
        check_length(v, x, length);
        if (!is_time(bytes, length)) (void)of_value(v, x, SHUNT_X12_TIME, X12_SNIP_SYNTAX);
        return;
    default: break;
    }
    const uint8_t *bad = bad_character(bytes, length);
    if (SHUNT_UNLIKELY(bad != NULL)) {
        shunt_x12_finding *f = of_value(v, x, SHUNT_X12_CHARACTER, X12_SNIP_SYNTAX);
        char               name[8];
        int                size = snprintf(name, sizeof name, "<%02X>", *bad);
        if (f) {
            keep_value(f, (const uint8_t *)name, (uint32_t)size);
            detail(f, "byte %02x", *bad);
        }
    }
    if (SHUNT_UNLIKELY(length > e->max_length || length < e->min_length)) check_length(v, x, characters(bytes, length));
    if (e->codes) check_codes(v, x);
    if (e->type == SHUNT_VALUE_DATE_BY_QUALIFIER && e->number == QUALIFIED_DATE) {
        uint64_t qualifier = qualifier_before(x);
        if (!fits_qualifier(bytes, length, qualifier, is_date))
            of_date(v, x, fits_qualifier(bytes, length, qualifier, is_any_date));
    }
}

/* ---- segments ---- */

static bool by_standard(const shunt_element *layout) { return layout && layout->usage == SHUNT_REQUIRED; }

static void missing_value(validator *v, const value *x)
{
    (void)of_value(v, x, SHUNT_X12_ELEMENT_MISSING, by_standard(x->layout) ? X12_SNIP_SYNTAX : X12_SNIP_GUIDE);
}

/* A value that is there, or a component of one. */
static void check_simple(validator *v, value *x)
{
    if (SHUNT_UNLIKELY(x->element->usage == SHUNT_NOT_USED)) {
        (void)of_value(v, x, SHUNT_X12_ELEMENT_UNUSED, X12_SNIP_GUIDE);
        return;
    }
    check_value(v, x);
}

static void set_range(value *x, uint32_t begin, uint32_t end)
{
    x->begin = begin;
    x->end = end;
    x->bytes = x->segment->bytes + begin;
    x->length = end - begin;
}

/* A composite in one piece whose value holds what separates components elsewhere: the data was made with another separator than ISA16. */
static void doubt_separator(validator *v, const value *x)
{
    static const char usual[] = ":>|^";
    if (v->separator_told || !x->delims->component) return;
    for (uint32_t i = 0; i < x->length; i++) {
        const char *found = strchr(usual, x->bytes[i]);
        if (!x->bytes[i] || !found || x->bytes[i] == x->delims->repetition) continue;
        v->separator_told = true;
        shunt_x12_finding *f = of_value(v, x, SHUNT_X12_ENVELOPE, X12_SNIP_SYNTAX);
        if (!f) return;
        set_code(f, X12_SAID_INTERCHANGE, "027", "027");
        detail(f, "components are apart by `%c`, ISA16 is `%c`", x->bytes[i], x->delims->component);
        return;
    }
}

static void check_composite(validator *v, const value *whole)
{
    const shunt_element *e = whole->element;
    uint32_t             at = whole->begin;
    if (e->usage == SHUNT_NOT_USED) {
        (void)of_value(v, whole, SHUNT_X12_ELEMENT_UNUSED, X12_SNIP_GUIDE);
        return;
    }
    if (e->component_count > 1 && e->components[1].usage == SHUNT_REQUIRED &&
        !memchr(whole->bytes, whole->delims->component, whole->length))
        doubt_separator(v, whole);
    for (uint16_t c = 1;; c++) {
        shunt_range one = shunt_range_until(whole->segment, (shunt_range){ at, whole->end }, whole->delims->component);
        bool        beyond = at > whole->end;
        value       x = *whole;
        if (beyond) one = (shunt_range){ whole->end, whole->end };
        x.component = c;
        set_range(&x, one.begin, one.end);
        if (c > e->component_count) {
            if (beyond) return;
            if (x.length) {
                (void)of_value(v, &x, SHUNT_X12_COMPONENTS, X12_SNIP_SYNTAX);
                return;
            }
        } else {
            x.element = &e->components[c - 1];
            x.layout = whole->layout && c <= whole->layout->component_count ? &whole->layout->components[c - 1] : NULL;
            if (x.length)
                check_simple(v, &x);
            else if (x.element->usage == SHUNT_REQUIRED)
                missing_value(v, &x);
        }
        if (!beyond) at = one.end + 1;
        if (c == UINT16_MAX) return;
    }
}

static void check_element(validator *v, value *x)
{
    const shunt_element *e = x->element;
    if (x->length == 0) {
        if (SHUNT_UNLIKELY(e->usage == SHUNT_REQUIRED)) missing_value(v, x);
        return;
    }
    if (SHUNT_UNLIKELY(e->type == SHUNT_VALUE_BINARY)) return;
    uint8_t repeat = x->delims->repetition;
    bool    composite = e->components != NULL;
    if (SHUNT_LIKELY(!repeat || !memchr(x->bytes, repeat, x->length))) {
        if (composite)
            check_composite(v, x);
        else
            check_simple(v, x);
        return;
    }
    uint32_t at = x->begin, end = x->end;
    for (uint16_t r = 1; at <= end && r < UINT16_MAX; r++) {
        shunt_range one = shunt_range_until(x->segment, (shunt_range){ at, end }, repeat);
        value       each = *x;
        set_range(&each, one.begin, one.end);
        each.repetition = r;
        if (e->repeats != UINT8_MAX && r > e->repeats) {
            shunt_x12_finding *f = of_value(v, &each, SHUNT_X12_REPETITIONS, X12_SNIP_SYNTAX);
            if (f) detail(f, "more than %u", e->repeats);
            return;
        }
        if (each.length && composite)
            check_composite(v, &each);
        else if (each.length)
            check_simple(v, &each);
        at = one.end + 1;
    }
}

static bool is_there(const shunt_segment *s, uint32_t k) { return k <= s->elements && s->offsets[k + 1] - 1 > s->offsets[k]; }

static void of_relation(validator *v, const shunt_segment *s, const shunt_delims *delims, const spec *p, const relation *r,
                        uint32_t at, shunt_status code)
{
    shunt_range range = at <= s->elements ? shunt_segment_element(s, at) : (shunt_range){ s->length, s->length };
    value x = { .segment = s, .delims = delims, .spec = p, .position = (uint16_t)at, .element = &p->node->elements[at - 1] };
    set_range(&x, range.begin, range.end);
    shunt_x12_finding *f = of_value(v, &x, code, X12_SNIP_SYNTAX);
    if (!f) return;
    size_t length = 0;
    for (unsigned i = 0; i < r->count && length + 3 < sizeof f->detail; i++)
        length += (size_t)snprintf(f->detail + length, sizeof f->detail - length, i ? " %02u" : "%c %02u",
                                   i ? (int)r->at[i] : r->kind, (unsigned)r->at[0]);
}

/* Is the condition broken, by what is there? */
static bool broken(const relation *r, uint64_t there)
{
    uint64_t met = there & r->mask;
    switch (r->kind) {
    case 'P': return met && met != r->mask;
    case 'R': return !met;
    case 'C': return (there & r->first) && met != r->mask;
    case 'L': return (there & r->first) && met == r->first;
    default: return (met & (met - 1)) != 0;
    }
}

/* True: all hold. */
static bool check_relations(validator *v, const shunt_segment *s, const shunt_delims *delims, const spec *p, uint64_t present)
{
    bool hold = true;
    for (uint32_t i = 0; i < p->relation_count; i++) {
        const relation *r = &v->relations[p->relation_first + i];
        if (SHUNT_LIKELY(!broken(r, present))) continue;
        hold = false;
        unsigned there = 0, first_missing = 0, second_there = 0;
        bool     first = is_there(s, r->at[0]);
        for (unsigned k = 0; k < r->count; k++) {
            if (is_there(s, r->at[k])) {
                if (++there == 2) second_there = r->at[k];
            } else if (!first_missing) {
                first_missing = r->at[k];
            }
        }
        switch (r->kind) {
        case 'P':
            if (there && there < r->count) of_relation(v, s, delims, p, r, first_missing, SHUNT_X12_CONDITION);
            break;
        case 'R':
            if (!there) of_relation(v, s, delims, p, r, r->at[0], SHUNT_X12_CONDITION);
            break;
        case 'C':
            if (first && there < r->count) of_relation(v, s, delims, p, r, first_missing, SHUNT_X12_CONDITION);
            break;
        case 'L':
            if (first && there < 2) of_relation(v, s, delims, p, r, r->at[1], SHUNT_X12_CONDITION);
            break;
        default:
            if (there > 1) of_relation(v, s, delims, p, r, second_there, SHUNT_X12_EXCLUSION);
            break;
        }
    }
    return hold;
}

/* Fine beyond doubt, whatever it is. */
static inline bool plainly_fine(const segment_words *w, const shunt_segment *s, quick *q, uint32_t k, uint32_t at,
                                uint32_t length, uint8_t separator)
{
    if (SHUNT_UNLIKELY(!w->plain)) return false;
    if (SHUNT_UNLIKELY(q->kind == A_COMPOSITE)) return wholly_fine(w, q, at, length, separator);
    if (!simply_fine(w, q, at, length)) return false;
    return q->kind != A_PERIOD ||
           (k > 1 && s->offsets[k] - s->offsets[k - 1] == 3 && !memcmp(s->bytes + s->offsets[k - 1], "D8", 2));
}

/* Element k, empty where the segment is shorter. */
static __attribute__((noinline)) void look_well(validator *v, const shunt_segment *s, const shunt_delims *delims, const spec *p,
                                                uint32_t k)
{
    shunt_range range = k <= s->elements ? shunt_segment_element(s, k) : (shunt_range){ s->length, s->length };
    value       x = { .segment = s,
                      .delims = delims,
                      .spec = p,
                      .element = &p->node->elements[k - 1],
                      .position = (uint16_t)k,
                      .layout = p->layout && k <= p->layout->element_count ? &p->layout->elements[k - 1] : NULL };
    set_range(&x, range.begin, range.end);
    check_element(v, &x);
}

static inline void check_elements(validator *v, const shunt_segment *s, const shunt_delims *delims, spec *p)
{
    uint32_t      most = s->elements < p->element_count ? s->elements : p->element_count;
    uint64_t      present = 0, bit = 2;
    segment_words w;
    read_words(&w, s, delims);
    for (uint32_t k = 1; k <= most; k++, bit <<= 1) {
        uint32_t at = s->offsets[k], length = s->offsets[k + 1] - 1 - at;
        quick   *q = &p->quick[k - 1];
        if (length) {
            present |= bit;
            if (SHUNT_LIKELY(plainly_fine(&w, s, q, k, at, length, delims->component))) continue;
        } else if (SHUNT_LIKELY(!q->required)) {
            continue;
        }
        look_well(v, s, delims, p, k);
    }
    for (uint32_t k = most + 1; k <= p->last_required; k++)
        if (p->quick[k - 1].required) look_well(v, s, delims, p, k);
    if ((present | 1) & p->related && (present | 1) != p->fine && check_relations(v, s, delims, p, present))
        p->fine = present | 1;
    if (SHUNT_UNLIKELY(s->elements > 0 && s->offsets[s->elements + 1] - 1 == s->offsets[s->elements])) {
        shunt_x12_finding *f = find_as(v, SHUNT_X12_EMPTY_TAIL, X12_SNIP_SYNTAX);
        if (f) {
            f->place = (shunt_place){ .byte = s->at,
                                      .length = s->length,
                                      .segment = s->number,
                                      .element = (uint16_t)(s->elements < SHUNT_NONE ? s->elements : 0) };
            f->node = p->node;
            set_id(f, s);
        }
    }
}

/* ---- the nodes of the plan ---- */

static bool takes(const shunt_segment_node *s, const shunt_plan *plan, const shunt_plan_node *n)
{
    if (n->key_count == 0) return !s->key;
    for (uint32_t i = 0; s->key && i < s->key->count; i++)
        if (shunt_pack((const uint8_t *)s->key->values[i], strlen(s->key->values[i])) == plan->keys[n->key_first]) return true;
    return false;
}

/* "P0809 C0102" as numbers; a condition that the segment is too short for says nothing. */
static void read_relations(validator *v, spec *p)
{
    p->relation_first = v->relation_count;
    for (const char *at = p->node->syntax; at && *at && p->relation_count < RELATIONS;) {
        relation r = { .kind = *at++ };
        while (at[0] >= '0' && at[0] <= '9' && at[1] >= '0' && at[1] <= '9') {
            uint32_t place = two((const uint8_t *)at);
            at += 2;
            if (place == 0 || place > p->node->element_count) r.kind = 0;
            if (place >= 64) r.kind = 0;
            if (r.count < RELATION_PLACES) r.at[r.count++] = (uint8_t)place;
            r.mask |= UINT64_C(1) << (place & 63);
        }
        while (*at == ' ') at++;
        if (!r.kind || r.count < 2) continue;
        r.first = UINT64_C(1) << r.at[0];
        p->related |= r.kind == 'R' ? UINT64_MAX : r.mask;
        relation *grown = shunt_memory_more(v->memory, v->relations, v->relation_count, &v->relation_room, sizeof *grown);
        if (!grown) {
            v->no_memory = true;
            return;
        }
        v->relations = grown;
        v->relations[v->relation_count++] = r;
        p->relation_count++;
    }
}

/* How one element, or component, can be passed at a glance; `before` the element before it. */
static void read_quick(validator *v, quick *q, const shunt_element *e, const shunt_element *before)
{
    bool     list = e->codes && wanted(v, e->codes->name[0] ? X12_SNIP_CODES : X12_SNIP_GUIDE);
    uint32_t least = e->min_length ? e->min_length : 1;
    *q = (quick){ .least = least, .required = e->usage == SHUNT_REQUIRED };
    if (e->max_length < least || e->usage == SHUNT_NOT_USED || e->components) return;
    q->span = e->max_length - least;
    switch (e->type) {
    case SHUNT_VALUE_TEXT:
    case SHUNT_VALUE_CODE:
        q->kind = A_TEXT;
        if (!list) break;
        q->codes = packed_codes(v, e->codes);
        q->count = e->codes->count;
        q->kind = q->codes ? A_CODE : LOOK_WELL;
        break;
    case SHUNT_VALUE_INT: q->kind = A_NUMBER; break;
    case SHUNT_VALUE_IMPLIED:
    case SHUNT_VALUE_DECIMAL:
    case SHUNT_VALUE_AMOUNT:
        q->kind = e->implied ? A_NUMBER : A_DECIMAL;
        /* A point does not count for the length: where that matters, look well. */
        if (q->kind == A_DECIMAL && least > 1) q->kind = LOOK_WELL;
        break;
    case SHUNT_VALUE_DATE: q->kind = A_DATE; break;
    case SHUNT_VALUE_TIME: q->kind = A_TIME; break;
    case SHUNT_VALUE_DATE_BY_QUALIFIER:
        if (!e->codes && e->number == QUALIFIED_DATE && before && before->number == DATE_QUALIFIER) q->kind = A_PERIOD;
        break;
    default: break;
    }
}

/* Elements that can be passed at a glance when they are as they should be, and behind them their components. */
static void read_elements(validator *v, spec *p)
{
    const shunt_segment_node *n = p->node;
    size_t                    parts = 0;
    for (uint16_t i = 0; i < n->element_count; i++) parts += n->elements[i].component_count;
    p->quick = shunt_memory_zeroed(v->memory, n->element_count + parts + 1u, sizeof *p->quick);
    if (!p->quick) {
        v->no_memory = true;
        p->node = NULL;
        p->loop = NULL;
        return;
    }
    p->element_count = n->element_count;
    quick *part = p->quick + n->element_count;
    for (uint16_t i = 0; i < n->element_count; i++) {
        const shunt_element *e = &n->elements[i];
        quick               *q = &p->quick[i];
        if (e->usage == SHUNT_REQUIRED) p->last_required = (uint16_t)(i + 1);
        read_quick(v, q, e, i ? e - 1 : NULL);
        if (e->usage == SHUNT_NOT_USED || !e->components) continue;
        *q = (quick){ .kind = A_COMPOSITE, .required = e->usage == SHUNT_REQUIRED, .count = e->component_count, .parts = part };
        for (uint16_t c = 0; c < e->component_count; c++) {
            read_quick(v, part++, &e->components[c], NULL);
            if (e->components[c].usage == SHUNT_REQUIRED) q->last_required = (uint16_t)(c + 1);
        }
    }
}

/* What the guide has at a node of the plan, worked out when it is first met. */
static spec *spec_of(validator *v, uint16_t node)
{
    spec *p = &v->specs[node];
    if (SHUNT_LIKELY(p->ready)) return p;
    const shunt_plan_node *n = &v->plan->nodes[node];
    const shunt_loop      *loop = v->loops[n->loop];
    p->ready = true;
    for (uint16_t e = 0; loop && e < loop->body_count; e++) {
        const shunt_segment_node *s = loop->body[e].segment;
        if (!s || (n->trigger ? e > 0 : s->position != n->position || (e == 0 && loop->id[0]))) continue;
        if (shunt_pack((const uint8_t *)s->id, strlen(s->id)) != n->id || !takes(s, v->plan, n)) continue;
        p->node = s;
        p->loop = loop;
        p->entry = e;
        break;
    }
    if (!p->node) return p;
    shunt_text version = shunt_text_of(v->guide->version);
    if (version.length >= 6) p->layout = shunt_segment_find((shunt_text){ version.bytes, 6 }, shunt_text_of(p->node->id));
    p->hierarchy = !strcmp(p->node->id, "HL") && p->node->element_count >= 3;
    read_relations(v, p);
    read_elements(v, p);
    return p;
}

/* ---- loops ---- */

static frame *innermost(validator *v) { return &v->frames[v->depth - 1]; }

static uint16_t position_of(const shunt_entry *entry)
{
    return entry->segment ? entry->segment->position : entry->loop->position;
}

static uint8_t usage_of(const shunt_entry *entry) { return entry->segment ? entry->segment->usage : entry->loop->usage; }

static const entry_info *make_info(validator *v, const shunt_loop *loop)
{
    entry_info *info = shunt_memory_zeroed(v->memory, loop->body_count + 1u, sizeof *info);
    if (!info) {
        v->no_memory = true;
        return NULL;
    }
    uint16_t required = loop->body_count;
    info[loop->body_count] = (entry_info){ .position = UINT16_MAX, .first = required, .required = required };
    for (uint16_t i = loop->body_count; i-- > 0;) {
        const shunt_entry *entry = &loop->body[i];
        if (usage_of(entry) == SHUNT_REQUIRED) required = i;
        uint32_t max = entry->segment ? entry->segment->max : entry->loop->max;
        info[i] = (entry_info){ .max = max,
                                .limit = usage_of(entry) == SHUNT_NOT_USED ? 0
                                         : max                             ? max
                                                                           : UINT32_MAX,
                                .position = position_of(entry),
                                .required = required,
                                .usage = usage_of(entry),
                                .trailer = entry->segment && !strcmp(entry->segment->id, "SE"),
                                .level = entry->segment && !strcmp(entry->segment->id, "HL") };
    }
    for (uint16_t i = 1; i < loop->body_count; i++)
        info[i].first = info[i].position == info[i - 1].position ? info[i - 1].first : i;
    return info;
}

/* The body has come to entry `until`: what was required before it and has not come is missing from here on. The finding waits for the end
 * of the loop, since it may still come out of its order. */
static inline void pass(validator *v, frame *f, uint16_t until, uint32_t number, uint64_t byte)
{
    for (uint16_t i = f->info[f->checked].required; i < until; i = f->info[i + 1].required)
        if (!v->counts[f->first + i]) v->passed[f->first + i] = (passed){ byte, number };
    f->checked = until;
}

/* Entry `at` of the body has come more often than it may; `s` NULL: it is a loop. */
static __attribute__((noinline)) void too_often(validator *v, const frame *f, uint16_t at, const shunt_segment *s,
                                                const shunt_place *place)
{
    const entry_info  *e = &f->info[at];
    uint32_t           times = v->counts[f->first + at];
    shunt_x12_finding *found = NULL;
    if (e->usage == SHUNT_NOT_USED && times == 1) {
        found = find_as(v, SHUNT_X12_SEGMENT_UNUSED, X12_SNIP_GUIDE);
    } else if (e->max && times > e->max) {
        found = find_as(v, s ? SHUNT_X12_SEGMENT_TOO_OFTEN : SHUNT_X12_LOOP_TOO_OFTEN, X12_SNIP_GUIDE);
        if (found) detail(found, "%u times, at most %u", times, e->max);
    }
    if (!found) return;
    const shunt_entry *entry = &f->loop->body[at];
    found->place = *place;
    found->place.element = found->place.component = 0;
    found->node = s ? entry->segment : entry->loop->body[0].segment;
    found->loop = s ? f->loop : entry->loop;
    if (s)
        set_id(found, s);
    else
        memcpy(found->id, found->node->id, strlen(found->node->id) < 4 ? strlen(found->node->id) : 3);
}

/* Entry `at` of the body has come once more, with the segment of this place and number. True: that is not fine beyond doubt. */
static inline bool count(validator *v, frame *f, uint16_t at, uint64_t byte, uint32_t number)
{
    const entry_info *e = &f->info[at];
    if (e->first > f->checked) pass(v, f, e->first, number - (e->trailer && number > 1), byte);
    return ++v->counts[f->first + at] > e->limit;
}

static unsigned levels_around(const validator *v) { return v->depth ? v->frames[v->depth - 1].levels : 0; }

static void open_loop(validator *v, const shunt_loop *loop, uint16_t index)
{
    if (v->depth == DEPTH) return; /* the walk does not go deeper */
    const entry_info *info = v->infos[index];
    if (SHUNT_UNLIKELY(!info)) {
        info = v->infos[index] = (entry_info *)(uintptr_t)make_info(v, loop);
        if (!info) return;
    }
    frame *f = &v->frames[v->depth];
    *f = (frame){ .loop = loop, .info = info };
    f->levels = levels_around(v) + info->level;
    if (v->depth) f->first = v->frames[v->depth - 1].first + v->frames[v->depth - 1].loop->body_count;
    memset(&v->counts[f->first], 0, loop->body_count * sizeof *v->counts);
    for (uint16_t i = info->required; i < loop->body_count; i = info[i + 1].required) v->passed[f->first + i].segment = 0;
    v->depth++;
}

static void situation(validator *v, const frame *f, const shunt_place *place)
{
    for (uint32_t i = 0; i < v->conditions.count && i < 64; i++) {
        const shunt_condition *c = &v->conditions.items[i];
        if (!(f->meets >> i & 1) || c->loop != f->loop) continue;
        bool there = v->counts[f->first + c->then] > 0;
        if (there != c->forbidden) continue;
        shunt_x12_finding *found = find_as(v, SHUNT_X12_SITUATION, X12_SNIP_SITUATION);
        if (!found) return;
        const shunt_entry *entry = &f->loop->body[c->then];
        found->place = *place;
        found->place.element = found->place.component = 0;
        found->loop = f->loop;
        found->node = entry->segment ? entry->segment : entry->loop->body[0].segment;
        memcpy(found->id, found->node->id, strlen(found->node->id) < 4 ? strlen(found->node->id) : 3);
        if (c->forbidden) set_code(found, X12_SAID_SEGMENT, "I9", "2");
        detail(found, "%s", c->words);
    }
}

/* The innermost loop ends, complete; `place`: the segment that ends it. */
static void close_loop(validator *v, const shunt_place *place)
{
    if (!v->depth) return;
    frame *f = innermost(v);
    for (uint16_t i = f->info->required; i < f->loop->body_count; i = f->info[i + 1].required) {
        const passed      *t = &v->passed[f->first + i];
        const shunt_entry *entry = &f->loop->body[i];
        if (SHUNT_LIKELY(v->counts[f->first + i] > 0)) continue;
        /* The standard's own trailer is the reader's affair. */
        if (entry->segment && (!strcmp(entry->segment->id, "SE") || !strcmp(entry->segment->id, "ST"))) continue;
        shunt_x12_finding *found =
            find_as(v, entry->segment ? SHUNT_X12_SEGMENT_MISSING : SHUNT_X12_LOOP_MISSING, X12_SNIP_GUIDE);
        if (!found) break;
        found->place = *place;
        found->place.element = found->place.component = 0;
        if (t->segment) {
            found->place.segment = t->segment;
            found->place.byte = t->byte;
            found->place.length = 0;
        }
        found->loop = entry->segment ? f->loop : entry->loop;
        found->node = entry->segment ? entry->segment : entry->loop->body[0].segment;
        memcpy(found->id, found->node->id, strlen(found->node->id) < 4 ? strlen(found->node->id) : 3);
    }
    if (SHUNT_UNLIKELY(v->conditions.count)) situation(v, f, place);
    v->depth--;
}

/* ---- HL ---- */

/* Not 0; the two highest numbers count as one. */
static uint64_t level_key(uint64_t level) { return level == UINT64_MAX ? level : level + 1; }

static uint64_t *level_slot(const validator *v, uint64_t *levels, uint32_t room, uint64_t key)
{
    uint32_t at = (uint32_t)shunt_hash64(&v->key, &key, sizeof key) & (room - 1);
    while (levels[at] && levels[at] != key) at = (at + 1) & (room - 1);
    return &levels[at];
}

/* False: it is the last one. From then on nothing is said of a number that may be among those left out. */
static bool remember_level(validator *v, uint64_t level)
{
    if (v->levels_lost) return true;
    if (2 * (v->level_count + 1) > v->level_room) {
        uint32_t  room = v->level_room ? 2 * v->level_room : 64;
        uint64_t *grown = shunt_memory_zeroed(v->memory, room, sizeof *grown);
        if (!grown) {
            v->no_memory = true;
            return true;
        }
        for (uint32_t i = 0; i < v->level_room; i++)
            if (v->levels[i]) *level_slot(v, grown, room, v->levels[i]) = v->levels[i];
        shunt_memory_free(v->memory, v->levels);
        v->levels = grown;
        v->level_room = room;
    }
    uint64_t *slot = level_slot(v, v->levels, v->level_room, level_key(level));
    v->level_count += !*slot;
    *slot = level_key(level);
    v->levels_lost = v->level_count == LEVELS;
    return !v->levels_lost;
}

static bool known_level(const validator *v, uint64_t level)
{
    return (level && level >= v->first_hl && level <= v->last_hl) ||
           (v->level_count && *level_slot(v, v->levels, v->level_room, level_key(level)));
}

static void forget_levels(validator *v)
{
    if (v->level_room > LEVELS_KEPT) {
        shunt_memory_free(v->memory, v->levels);
        v->levels = NULL;
        v->level_room = 0;
    } else if (v->level_count) {
        memset(v->levels, 0, v->level_room * sizeof *v->levels);
    }
    v->level_count = 0;
    v->levels_lost = false;
}

static uint64_t number_at(const shunt_segment *s, const shunt_delims *d, uint32_t element, bool *is)
{
    uint64_t    number = 0;
    shunt_range range = shunt_segment_value(s, d, element, 0);
    *is = shunt_x12_number((shunt_text){ (const char *)s->bytes + range.begin, range.end - range.begin }, &number);
    return number;
}

/* The id of a level as it is compared: its number, or a hash above all numbers of what is none. */
static uint64_t level_at(const shunt_segment *s, const shunt_delims *d, uint32_t element, bool *is)
{
    uint64_t    hash = number_at(s, d, element, is);
    shunt_range range = shunt_segment_value(s, d, element, 0);
    if (*is || range.end <= range.begin) return hash;
    *is = true;
    for (uint32_t i = range.begin; i < range.end; i++) hash = (hash ^ s->bytes[i]) * UINT64_C(0x100000001b3);
    return hash | UINT64_C(1) << 63;
}

static void of_level(validator *v, const shunt_segment *s, const shunt_delims *d, const spec *p, uint16_t element,
                     shunt_status code, const char *why)
{
    shunt_range range = shunt_segment_value(s, d, element, 0);
    value       x = { .segment = s, .delims = d, .spec = p, .position = element, .element = &p->node->elements[element - 1] };
    set_range(&x, range.begin, range.end);
    shunt_x12_finding *f = of_value(v, &x, code, X12_SNIP_SYNTAX);
    if (f) detail(f, "%s", why);
}

static void check_level(validator *v, const shunt_segment *s, const shunt_delims *d, const spec *p)
{
    bool     own_is, parent_is;
    uint64_t own = level_at(s, d, 1, &own_is), parent = level_at(s, d, 2, &parent_is);
    frame   *f = innermost(v);
    uint64_t around = 0, next = v->last_hl + 1;
    f->level = own;
    for (unsigned depth = v->depth - 1; depth > 0 && !around; depth--) around = v->frames[depth - 1].level;
    if (own_is && known_level(v, own))
        of_level(v, s, d, p, 1, SHUNT_X12_HL, "HL01 was used before");
    else if (own_is && own != next)
        of_level(v, s, d, p, 1, SHUNT_X12_HL_LEVEL, "HL01 is out of sequence");
    if (parent_is && !v->levels_lost && !known_level(v, parent))
        of_level(v, s, d, p, 2, SHUNT_X12_HL, "HL02 names no HL before it");
    else if (parent_is && around && parent != around)
        of_level(v, s, d, p, 2, SHUNT_X12_HL_LEVEL, "HL02 is not the level around it");
    if (own_is && own && !v->any_hl && !(own >> 63)) v->first_hl = next = own;
    if (own_is) v->any_hl = true;
    if (own_is && own == next)
        v->last_hl = own;
    else if (own_is && !remember_level(v, own))
        of_level(v, s, d, p, 1, SHUNT_X12_HL_LEVEL, "the last HL01 out of sequence that later ones are compared with");
}

/* ---- conditions of a site ---- */

static bool holds(validator *v, const shunt_condition *c, const shunt_segment *s, const shunt_delims *d)
{
    shunt_range range = shunt_segment_value(s, d, c->element, c->component);
    if (!c->values) return range.end > range.begin;
    return listed(v, c->values, s->bytes + range.begin, range.end - range.begin) != c->negated;
}

static void note_conditions(validator *v, const shunt_segment *s, const shunt_delims *d, uint16_t entry)
{
    frame *f = innermost(v);
    for (uint32_t i = 0; i < v->conditions.count && i < 64; i++) {
        const shunt_condition *c = &v->conditions.items[i];
        if (c->loop == f->loop && c->when == entry && holds(v, c, s, d)) f->meets |= UINT64_C(1) << i;
    }
}

/* ---- the envelope ---- */

/* NOLINTBEGIN(bugprone-suspicious-missing-comma): one text each, longer than a line */
static const char *const isa_codes[17] = {
    [1] = "00 01 02 03 04 05 06 07 08",
    [3] = "00 01",
    [5] = "01 02 03 04 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 AM NR SA "
          "SN ZZ",
    [7] = "01 02 03 04 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 AM NR SA "
          "SN ZZ",
    [12] = "00200 00201 00204 00300 00301 00302 00303 00304 00305 00306 00307 00400 00401 00402 00403 00404 00405 00406 00500 "
           "00501 00502 "
           "00503 00504 00505 00601 00602 00603 00604 00605 00701 00702 00703 00704",
    [14] = "0 1",
    [15] = "I P T",
};
/* NOLINTEND(bugprone-suspicious-missing-comma) */
static const char *const isa_answers[17] = { "024", "010", "011", "012", "013", "005", "006", "007", "008",
                                             "014", "015", "016", "017", "018", "019", "020", "027" };

static bool in_words(const char *words, shunt_text text)
{
    for (const char *at = words; text.length && *at;) {
        size_t length = strcspn(at, " ");
        if (length == text.length && !memcmp(at, text.bytes, length)) return true;
        at += length + (at[length] == ' ');
    }
    return false;
}

static shunt_text text_at(const shunt_segment *s, uint32_t element)
{
    shunt_range range = shunt_segment_element(s, element);
    if (element > s->elements) return (shunt_text){ "", 0 };
    return (shunt_text){ (const char *)s->bytes + range.begin, range.end - range.begin };
}

static shunt_x12_finding *of_envelope(validator *v, const shunt_segment *s, uint32_t element, shunt_status code, const char *why)
{
    shunt_x12_finding *f = find_as(v, code, X12_SNIP_SYNTAX);
    if (!f) return NULL;
    shunt_text text = text_at(s, element);
    f->place = (shunt_place){ .byte = s->at + (element <= s->elements ? s->offsets[element] : 0),
                              .length = text.length,
                              .segment = s->number,
                              .element = (uint16_t)element };
    set_id(f, s);
    f->loop = NULL;
    const shunt_segment_node *layout = shunt_segment_find(SHUNT_TEXT("005010"), (shunt_text){ f->id, (uint32_t)strlen(f->id) });
    f->node = layout;
    f->element = layout ? shunt_node_element(layout, element, 0) : NULL;
    keep_value(f, (const uint8_t *)text.bytes, text.length);
    detail(f, "%s", why);
    return f;
}

static void of_isa(validator *v, const shunt_segment *s, uint32_t element, shunt_status code, const char *why)
{
    shunt_x12_finding *f = of_envelope(v, s, element, code, why);
    if (f) set_code(f, X12_SAID_INTERCHANGE, isa_answers[element], isa_answers[element]);
}

static bool isa_fits(const shunt_segment *s, const shunt_delims *d, uint32_t element)
{
    shunt_text text = text_at(s, element), bare = shunt_x12_trim(text);
    if (isa_codes[element]) return in_words(isa_codes[element], bare);
    switch (element) {
    case 6:
    case 8: return bare.length && (text.bytes[0] != ' ');
    case 9: return bare.length == 6 && is_date((const uint8_t *)bare.bytes, 6);
    case 10: return bare.length == 4 && is_time((const uint8_t *)bare.bytes, 4);
    case 11: return bare.length == 1 && (bare.bytes[0] == 'U' || !d->repetition || (uint8_t)bare.bytes[0] == d->repetition);
    case 13: return bare.length == 9 && all_digits((const uint8_t *)bare.bytes, 9);
    default: return true;
    }
}

static void doubt(validator *v, const shunt_segment *s, uint32_t element, uint8_t said, const char *code, const char *why);

static void check_isa(validator *v, const shunt_event *event)
{
    static const char *const whys[17] = { [1] = "no qualifier of the standard",
                                          [3] = "no qualifier of the standard",
                                          [5] = "no qualifier of the standard",
                                          [6] = "no id at the left edge",
                                          [7] = "no qualifier of the standard",
                                          [8] = "no id at the left edge",
                                          [9] = "no date YYMMDD",
                                          [10] = "no time HHMM",
                                          [11] = "neither U nor the separator",
                                          [12] = "no version of the standard",
                                          [13] = "not nine digits",
                                          [14] = "neither 0 nor 1",
                                          [15] = "none of P, T, I" };
    const shunt_segment     *s = event->segment;
    v->apart = v->close = 0;
    v->separator_told = false;
    for (uint32_t k = 1; k <= 15 && k <= s->elements; k++)
        if (!isa_fits(s, &event->delims, k)) of_isa(v, s, k, SHUNT_X12_ENVELOPE, whys[k] ? whys[k] : "");
    shunt_text version = shunt_x12_trim(text_at(s, 12));
    if (isa_fits(s, &event->delims, 12) && !in_words("00401 00501", version))
        doubt(v, s, 12, X12_SAID_INTERCHANGE, "003", "the dictionaries are those of 00401 and 00501");
    if (v->options.sender && !shunt_text_is(shunt_x12_trim(text_at(s, 6)), v->options.sender))
        of_isa(v, s, 6, SHUNT_X12_PARTNER, "another sender is expected");
    if (v->options.receiver && !shunt_text_is(shunt_x12_trim(text_at(s, 8)), v->options.receiver))
        of_isa(v, s, 8, SHUNT_X12_PARTNER, "another receiver is expected");
}

static void of_group(validator *v, const shunt_segment *s, uint32_t element, const char *code, const char *why)
{
    shunt_x12_finding *f = of_envelope(v, s, element, SHUNT_X12_ENVELOPE, why);
    if (f) set_code(f, X12_SAID_GROUP, code, code);
}

static shunt_text kept_in(field *f, shunt_text text)
{
    f->length = text.length < FIELD ? text.length : FIELD;
    if (f->length) memcpy(f->bytes, text.bytes, f->length);
    return (shunt_text){ f->bytes, f->length };
}

static shunt_text text_in(const field *f) { return (shunt_text){ f->bytes, f->length }; }

static bool blank_behind(shunt_text text) { return text.length && text.bytes[text.length - 1] == ' '; }

static void check_gs(validator *v, const shunt_event *event)
{
    const shunt_segment *s = event->segment;
    shunt_text           date = shunt_x12_trim(text_at(s, 4)), time = shunt_x12_trim(text_at(s, 5)),
               control = shunt_x12_trim(text_at(s, 6)), agency = shunt_x12_trim(text_at(s, 7));
    shunt_text id = kept_in(&v->functional_id, shunt_x12_trim(text_at(s, 1)));
    shunt_text version = kept_in(&v->version, shunt_x12_trim(text_at(s, 8)));
    if (id.length != 2) of_group(v, s, 1, "1", "not two letters");
    for (uint32_t k = 2; k <= 3; k++)
        if (blank_behind(text_at(s, k))) of_group(v, s, k, "1", "blanks behind the id");
    if (!is_date((const uint8_t *)date.bytes, date.length)) of_group(v, s, 4, "1", "no date");
    if (!is_time((const uint8_t *)time.bytes, time.length)) of_group(v, s, 5, "1", "no time");
    if (control.length > 9 || !all_digits((const uint8_t *)control.bytes, control.length))
        of_group(v, s, 6, "6", "not one to nine digits");
    if (!in_words("T X", agency)) of_group(v, s, 7, "1", "neither T nor X");
    if (version.length < 4 || !all_digits((const uint8_t *)version.bytes, 4)) of_group(v, s, 8, "2", "no version");
}

/* What could be meant, and is read: a warning. */
static void doubt(validator *v, const shunt_segment *s, uint32_t element, uint8_t said, const char *code, const char *why)
{
    shunt_x12_finding *f = of_envelope(v, s, element, SHUNT_X12_ENVELOPE, why);
    if (!f) return;
    f->severity = SHUNT_WARNING;
    set_code(f, said, code, code);
}

static void check_st(validator *v, const shunt_event *event)
{
    const shunt_segment *s = event->segment;
    shunt_text control = kept_in(&v->control, text_at(s, 2)), version = text_in(&v->version), id = text_in(&v->functional_id);
    shunt_text guide = shunt_x12_trim(text_at(s, 3));
    if (control.length < 4 || control.length > 9 || blank_behind(control)) {
        shunt_x12_finding *f = of_envelope(v, s, 2, SHUNT_X12_ENVELOPE, "not four to nine characters");
        if (f) set_code(f, X12_SAID_SET, "7", "7");
    }
    if (text_at(s, 1).length != 3) {
        shunt_x12_finding *f = of_envelope(v, s, 1, SHUNT_X12_ENVELOPE, "not three digits");
        if (f) set_code(f, X12_SAID_SET, "6", "6");
    }
    if (!v->guide) return;
    if (id.length && v->guide->functional_id[0] && !shunt_text_is(id, v->guide->functional_id)) {
        shunt_x12_finding *f = of_envelope(v, s, 1, SHUNT_X12_ENVELOPE, "the group's GS01 is not that of this set");
        if (f) set_code(f, X12_SAID_GROUP, "1", "1");
    }
    bool of_guide = strlen(v->guide->version) > 6;
    bool named = version.length > 6 && version.bytes[6] == 'X'; /* GS08 is a guide, no bare release */
    if (of_guide && !named && version.length)
        doubt(v, s, 3, X12_SAID_GROUP, "2", "GS08 does not name this guide");
    else if (of_guide && guide.length && version.length && !shunt_text_equal(guide, version))
        doubt(v, s, 3, X12_SAID_SET, "19", "ST03 is not what GS08 says");
}

/* Blanks behind a control number are a part of it. */
static void check_se(validator *v, const shunt_segment *s)
{
    shunt_text closing = text_at(s, 2), opened = text_in(&v->control);
    if (s->line_ends || shunt_text_equal(closing, opened)) return;
    if (!shunt_text_equal(shunt_x12_trim(closing), shunt_x12_trim(opened))) return; /* the reader has said so */
    (void)of_envelope(v, s, 2, SHUNT_X12_SE02, "one has blanks that the other has not");
}

/* ---- events ---- */

static void begin(validator *v, const shunt_event *event)
{
    if (!event->segment) return;
    if (event->scope == SHUNT_SCOPE_INTERCHANGE) check_isa(v, event);
    if (event->scope == SHUNT_SCOPE_BATCH) check_gs(v, event);
    if (event->scope != SHUNT_SCOPE_TRANSACTION) return;
    v->depth = 0;
    v->astray = v->leaving = false;
    v->first_hl = v->last_hl = 0;
    v->any_hl = false;
    forget_levels(v);
    v->guide = event->guide == SHUNT_NONE ? NULL : v->guides[event->guide];
    v->conditions = v->guide ? v->guide_conditions[event->guide] : (shunt_conditions){ 0 };
    v->snips = v->guide && v->options.by_source ? v->plan->sources[v->plan->guides[event->guide].source].snips : v->options.snips;
    if (!shunt_text_is(event->set, "TA1")) check_st(v, event);
    if (!v->guide) return;
    open_loop(v, v->guide->body, v->plan->guides[event->guide].loop_first);
    if (wanted(v, X12_SNIP_BALANCE)) shunt_x12_balance_begin(v->balance, shunt_text_of(v->guide->set));
}

static void take_balance(validator *v)
{
    for (uint32_t i = 0; i < v->balance->found_count; i++) {
        const shunt_x12_unbalanced *u = &v->balance->found[i];
        shunt_x12_finding          *f = find_as(v, u->code, X12_SNIP_BALANCE);
        if (!f) return;
        f->place = u->spot.place;
        memcpy(f->id, u->spot.id, sizeof f->id);
        f->loop = NULL;
        detail(f, "%s", u->detail);
    }
}

static void finish(validator *v, const shunt_event *event)
{
    if (event->scope != SHUNT_SCOPE_TRANSACTION) return;
    if (v->guide) {
        shunt_place place = { .byte = event->segment ? event->segment->at : event->place.byte,
                              .segment = event->segment && event->segment->number > 1 ? event->segment->number - 1 : 0 };
        while (v->depth) close_loop(v, &place);
        if (event->segment) check_se(v, event->segment);
        if (wanted(v, X12_SNIP_BALANCE)) {
            shunt_x12_balance_end(v->balance);
            take_balance(v);
        }
    }
    v->guide = NULL;
    v->snips = v->options.snips;
}

/* What is wrong with elements of ST is said of the set; its control number was looked at with the envelope. */
static void of_header(validator *v, uint32_t from)
{
    uint32_t kept = from;
    for (uint32_t i = from; i < v->count; i++) {
        shunt_x12_finding *f = &v->findings[i];
        if (f->place.element == 2) continue;
        if (f->place.element) set_code(f, X12_SAID_SET, f->place.element == 1 ? "6" : "19", f->place.element == 1 ? "6" : "19");
        if (kept != i) v->findings[kept] = *f;
        kept++;
    }
    v->count = kept;
}

static void segment(validator *v, const shunt_event *event)
{
    const shunt_segment *s = event->segment;
    if (s->at > v->before)
        v->apart++;
    else
        v->close++;
    v->before = event->end;
    if (!v->guide || event->node == SHUNT_NONE || !v->depth) return;
    spec  *p = &v->specs[event->node];
    frame *f = innermost(v);
    if (SHUNT_UNLIKELY(p->loop != f->loop) && spec_of(v, event->node)->loop != f->loop) return;
    if (SHUNT_UNLIKELY(count(v, f, p->entry, s->at, s->number)))
        too_often(v, f, p->entry, s, &(shunt_place){ .byte = s->at, .length = s->length, .segment = s->number });
    if (p->hierarchy) check_level(v, s, &event->delims, p);
    uint32_t before = v->count;
    check_elements(v, s, &event->delims, p);
    if (SHUNT_UNLIKELY(v->count > before && s->id == ST)) of_header(v, before);
    if (v->conditions.count) note_conditions(v, s, &event->delims, p->entry);
    if (wanted(v, X12_SNIP_BALANCE)) {
        shunt_x12_balance_segment(v->balance, s, &event->delims, f->loop->id);
        if (v->balance->found_count) take_balance(v);
    }
}

static void enter(validator *v, const shunt_event *event)
{
    if (!v->guide || !v->depth) return;
    const shunt_loop *loop = v->loops[event->loop];
    frame            *f = innermost(v);
    uint16_t          around = v->plan->loops[event->loop].parent, at = v->loop_entry[event->loop];
    if (!loop || around == SHUNT_NONE || v->loops[around] != f->loop) return;
    if (SHUNT_UNLIKELY(count(v, f, at, event->place.byte, event->place.segment))) too_often(v, f, at, NULL, &event->place);
    open_loop(v, loop, event->loop);
}

/* Does the guide of the open set have this segment anywhere? */
static bool has_segment(const shunt_loop *loop, shunt_text id)
{
    for (uint16_t i = 0; i < loop->body_count; i++)
        if (loop->body[i].segment ? shunt_text_is(id, loop->body[i].segment->id) : has_segment(loop->body[i].loop, id))
            return true;
    return false;
}

/* Could a segment of this id, with another qualifier, still come in the loop that was open? */
static bool later_place(const validator *v, const char *id)
{
    for (uint16_t i = v->left_checked; v->left_loop && i < v->left_loop->body_count; i++) {
        const shunt_entry *e = &v->left_loop->body[i];
        if (!strcmp(e->segment ? e->segment->id : e->loop->body[0].segment->id, id)) return true;
    }
    return false;
}

/* Where the set stood before the loops were left that a segment without place goes back over. */
static void note_standing(validator *v)
{
    if (v->leaving || !v->depth) return;
    v->leaving = true;
    v->left_levels = levels_around(v);
    v->left_loop = innermost(v)->loop;
    v->left_checked = innermost(v)->checked;
}

/* What the standard itself says of the order of a set is not here, only its guides are. An order is wrong by the standard for sure where a
 * segment goes back although nothing of its id could come later, and not from one level to another, which the standard has as one
 * loop; all else is the guide's. */
static bool of_guide(const validator *v, const shunt_x12_finding *f, bool known)
{
    if (strlen(v->guide->version) == 6) return false; /* a set of the standard */
    if (f->code == SHUNT_X12_UNKNOWN_SEGMENT) return known;
    unsigned levels = levels_around(v);
    return f->code == SHUNT_X12_ORDER && (v->astray || (levels > 0 && levels < v->left_levels) || later_place(v, f->id));
}

static void fault(validator *v, const shunt_event *event)
{
    if (event->code == SHUNT_X12_REPEATS || event->code == SHUNT_X12_LATE) return; /* counted here; a matter of rules */
    bool placed = event->code == SHUNT_X12_ORDER || event->code == SHUNT_X12_UNKNOWN_SEGMENT;
    if (placed) note_standing(v);
    shunt_x12_finding *f = find_as(v, event->code, placed && !wanted(v, X12_SNIP_SYNTAX) ? X12_SNIP_GUIDE : X12_SNIP_SYNTAX);
    if (!f) return;
    f->of_reader = true;
    if (!meanings[event->code].snip) f->severity = (uint8_t)shunt_status_info[event->code].severity;
    f->place = event->place;
    detail(f, "%.*s", SHUNT_TEXT_ARGS(event->detail));
    if (event->code == SHUNT_X12_LEADING_TEXT && shunt_text_is(event->detail, "byte order mark")) f->severity = SHUNT_WARNING;
    /* A TA1 and its like, which many write into a group. */
    if (event->code == SHUNT_X12_MISPLACED && !shunt_text_is(event->detail, "SE") && !shunt_text_is(event->detail, "GE"))
        f->severity = SHUNT_WARNING;
    if (event->code == SHUNT_X12_CONTROL_TWICE) {
        bool group = shunt_text_starts(event->detail, SHUNT_TEXT("GS06"));
        if (shunt_text_starts(event->detail, SHUNT_TEXT("ISA13"))) set_code(f, X12_SAID_INTERCHANGE, "025", "025");
        if (group) set_code(f, X12_SAID_GROUP, "19", "6");
    }
}

static bool known_segment(const validator *v, shunt_text id)
{
    shunt_text version = shunt_text_of(v->guide->version);
    return version.length >= 6 && shunt_segment_find((shunt_text){ version.bytes, 6 }, id);
}

static void complete_fault(validator *v, shunt_x12_finding *f, const shunt_event *event)
{
    const shunt_segment *s = event->segment;
    set_id(f, s);
    shunt_text id = { f->id, (uint32_t)strlen(f->id) };
    if (event->step == SHUNT_STEP_SEGMENT && event->node != SHUNT_NONE && v->specs[event->node].node) {
        f->node = v->specs[event->node].node;
        if (f->place.element) f->element = shunt_node_element(f->node, f->place.element, f->place.component);
    }
    if (f->place.element && f->place.element <= s->elements) {
        shunt_text text = text_at(s, f->place.element);
        keep_value(f, (const uint8_t *)text.bytes, text.length);
        /* A number that could not be the control number of any interchange. */
        if (f->code == SHUNT_X12_IEA02 && text.length != 9) set_code(f, X12_SAID_INTERCHANGE, "018", "018");
    }
    if (!v->guide || (f->code != SHUNT_X12_UNKNOWN_SEGMENT && f->code != SHUNT_X12_ORDER)) return;
    bool known = known_segment(v, id);
    f->snip = of_guide(v, f, known) ? X12_SNIP_GUIDE : X12_SNIP_SYNTAX;
    if (f->snip == X12_SNIP_GUIDE) v->astray = true;
    if (f->code == SHUNT_X12_UNKNOWN_SEGMENT && !has_segment(v->guide->body, id))
        set_code(f, X12_SAID_SEGMENT, known ? "6" : "1", known ? "6" : "1");
}

/* Faults come before the segment that they are of: its id and values are known with it, and so is whose rule is broken. */
static void complete_faults(validator *v, const shunt_event *event)
{
    const shunt_segment *s = event->segment;
    uint32_t             kept = 0;
    for (uint32_t i = 0; i < v->count; i++) {
        shunt_x12_finding *f = &v->findings[i];
        if (i < v->held && f->of_reader && !f->id[0] && f->place.byte >= s->at && f->place.byte <= s->at + s->length)
            complete_fault(v, f, event);
        if (!wanted(v, f->snip)) continue;
        if (kept != i) v->findings[kept] = *f;
        kept++;
    }
    v->count = kept;
}

static inline void leave(validator *v, const shunt_event *event)
{
    if (!v->guide) return;
    note_standing(v);
    if (v->depth > 1 && v->loops[event->loop] == innermost(v)->loop) close_loop(v, &event->place);
}

static shunt_status state_of(const validator *v) { return SHUNT_UNLIKELY(v->no_memory) ? SHUNT_NO_MEMORY : SHUNT_OK; }

static __attribute__((noinline)) shunt_status see_other(validator *v, const shunt_event *event)
{
    switch (event->step) {
    case SHUNT_STEP_BEGIN: begin(v, event); break;
    case SHUNT_STEP_FINISH: finish(v, event); break;
    case SHUNT_STEP_ABANDON:
        if (event->scope == SHUNT_SCOPE_TRANSACTION) v->guide = NULL;
        v->snips = v->options.snips;
        break;
    case SHUNT_STEP_ENTER: enter(v, event); break;
    case SHUNT_STEP_LEAVE: leave(v, event); break;
    case SHUNT_STEP_SEGMENT: segment(v, event); break;
    case SHUNT_STEP_FAULT:
        fault(v, event);
        v->held = v->count;
        return state_of(v);
    case SHUNT_STEP_END: break; /* what waited for a segment is told without one */
    default: return SHUNT_OK;   /* NEED_INPUT changes nothing, or the cut of the input would */
    }
    if (v->held && event->segment) complete_faults(v, event);
    if (event->step == SHUNT_STEP_SEGMENT) v->leaving = false;
    v->held = 0;
    tell_beyond(v, event);
    return state_of(v);
}

shunt_status shunt_x12_validator_see(validator *v, const shunt_event *event)
{
    if (SHUNT_UNLIKELY(v->held)) return see_other(v, event);
    v->count = 0; /* what was shown is forgotten; faults that wait stay */
    if (event->step == SHUNT_STEP_SEGMENT && SHUNT_LIKELY(event->node != SHUNT_NONE)) {
        v->astray = v->leaving = false;
        segment(v, event);
    } else if (event->step == SHUNT_STEP_ENTER) {
        enter(v, event);
    } else if (event->step == SHUNT_STEP_LEAVE) {
        leave(v, event);
    } else {
        return see_other(v, event);
    }
    if (SHUNT_UNLIKELY(v->count >= OF_SEGMENT)) tell_beyond(v, event);
    return state_of(v);
}

const shunt_x12_finding *shunt_x12_findings(const validator *v, uint32_t *found)
{
    *found = v->held ? 0 : v->count;
    return v->findings;
}

/* ---- making ---- */

/* The loops of a guide of the plan, matched with those of the dictionary: both in the order of the tree. */
static void match_loops(validator *v, uint32_t guide)
{
    const shunt_plan_guide *g = &v->plan->guides[guide];
    v->loops[g->loop_first] = v->guides[guide]->body;
    for (uint32_t i = g->loop_first + 1u; i < (uint32_t)g->loop_first + g->loop_count; i++) {
        const shunt_plan_loop *loop = &v->plan->loops[i];
        const shunt_loop      *around = loop->parent == SHUNT_NONE ? NULL : v->loops[loop->parent];
        uint16_t               from = 0;
        /* Those of one name and place follow each other. */
        for (uint32_t k = g->loop_first + 1u; k < i; k++)
            if (v->plan->loops[k].parent == loop->parent && v->loops[k]) from = (uint16_t)(v->loop_entry[k] + 1);
        for (uint16_t e = from; around && e < around->body_count; e++) {
            const shunt_loop *found = around->body[e].loop;
            if (!found || !shunt_text_is(v->plan->texts[loop->id], found->id)) continue;
            v->loops[i] = found;
            v->loop_entry[i] = e;
            break;
        }
    }
}

static uint32_t largest_body(const shunt_loop *loop)
{
    uint32_t most = loop->body_count;
    for (uint16_t i = 0; i < loop->body_count; i++) {
        uint32_t below = loop->body[i].loop ? largest_body(loop->body[i].loop) : 0;
        if (below > most) most = below;
    }
    return most;
}

void shunt_x12_validator_free(validator *v)
{
    if (!v) return;
    for (uint32_t i = 0; v->codes && i < CODES; i++) shunt_memory_free(v->memory, v->codes[i].packed);
    shunt_memory_free(v->memory, v->codes);
    shunt_memory_free(v->memory, v->guides);
    shunt_memory_free(v->memory, v->guide_conditions);
    shunt_memory_free(v->memory, v->loops);
    shunt_memory_free(v->memory, v->loop_entry);
    for (uint32_t i = 0; v->specs && i < v->plan->node_count; i++) shunt_memory_free(v->memory, v->specs[i].quick);
    shunt_memory_free(v->memory, v->specs);
    shunt_memory_free(v->memory, v->relations);
    for (uint32_t i = 0; v->infos && i < v->plan->loop_count; i++) shunt_memory_free(v->memory, v->infos[i]);
    shunt_memory_free(v->memory, v->infos);
    shunt_memory_free(v->memory, v->counts);
    shunt_memory_free(v->memory, v->passed);
    shunt_memory_free(v->memory, v->levels);
    shunt_memory_free(v->memory, v->balance);
    shunt_memory_free(v->memory, v->findings);
    shunt_memory_free(v->memory, v);
}

validator *shunt_x12_validator_new(const shunt_memory *memory, const shunt_plan *plan, const shunt_guide *const *guides,
                                   const shunt_x12_validate_options *options)
{
    validator *v = shunt_memory_zeroed(memory, 1, sizeof *v);
    uint32_t   most = 1;
    if (!v) return NULL;
    v->memory = memory;
    v->plan = plan;
    v->options = *options;
    v->options.conditions = NULL;
    v->snips = options->snips;
    shunt_hash_key_random(&v->key);
    v->guides = shunt_memory_zeroed(memory, plan->guide_count + 1u, sizeof *v->guides);
    v->guide_conditions = shunt_memory_zeroed(memory, plan->guide_count + 1u, sizeof *v->guide_conditions);
    v->codes = shunt_memory_zeroed(memory, CODES, sizeof *v->codes);
    v->loops = shunt_memory_zeroed(memory, plan->loop_count + 1u, sizeof *v->loops);
    v->loop_entry = shunt_memory_zeroed(memory, plan->loop_count + 1u, sizeof *v->loop_entry);
    v->specs = shunt_memory_zeroed(memory, plan->node_count + 1u, sizeof *v->specs);
    v->balance = shunt_memory_zeroed(memory, 1, sizeof *v->balance);
    for (uint32_t i = 0; i < plan->guide_count; i++) {
        uint32_t body = guides[i] ? largest_body(guides[i]->body) : 0;
        if (body > most) most = body;
    }
    v->infos = shunt_memory_zeroed(memory, plan->loop_count + 1u, sizeof *v->infos);
    v->counts = shunt_memory_zeroed(memory, (size_t)most * DEPTH, sizeof *v->counts);
    v->passed = shunt_memory_zeroed(memory, (size_t)most * DEPTH, sizeof *v->passed);
    if (!v->guides || !v->guide_conditions || !v->codes || !v->loops || !v->loop_entry || !v->specs || !v->balance || !v->infos ||
        !v->counts || !v->passed) {
        shunt_x12_validator_free(v);
        return NULL;
    }
    for (uint32_t i = 0; i < plan->guide_count; i++) {
        v->guides[i] = guides[i];
        if (options->conditions) v->guide_conditions[i] = options->conditions[i];
        if (guides[i]) match_loops(v, i);
    }
    return v;
}

/* ---- the validating reader ---- */

typedef struct validating {
    shunt_reader        base; /* first */
    shunt_reader_ops    ops;
    const shunt_memory *memory;
    shunt_reader       *inner;
    validator          *validator;
    shunt_event         event; /* of the inner reader, handed over behind its findings */
    uint32_t            told;  /* findings handed over */
    bool                waits;
} validating;

static void validating_feed(shunt_reader *reader, const uint8_t *bytes, size_t size, bool last)
{
    validating *r = (validating *)reader;
    r->inner->ops->feed(r->inner, bytes, size, last);
}

static shunt_step show_finding(const validating *r, const shunt_x12_finding *f, shunt_event *event)
{
    *event = r->event;
    event->step = SHUNT_STEP_FAULT;
    event->scope = SHUNT_SCOPE_TRANSACTION;
    event->loop = event->node = event->slot = SHUNT_NONE;
    event->segment = NULL;
    event->code = f->code;
    event->place = f->place;
    event->detail = shunt_text_of(f->detail);
    return SHUNT_STEP_FAULT;
}

static shunt_step validating_next(shunt_reader *reader, shunt_event *event)
{
    validating *r = (validating *)reader;
    if (!r->waits) {
        r->inner->ops->next(r->inner, &r->event);
        if (shunt_x12_validator_see(r->validator, &r->event) != SHUNT_OK) {
            *event = r->event;
            event->step = SHUNT_STEP_FAILED;
            event->code = SHUNT_NO_MEMORY;
            return SHUNT_STEP_FAILED;
        }
        r->told = 0;
        r->waits = true;
    }
    uint32_t                 count;
    const shunt_x12_finding *found = shunt_x12_findings(r->validator, &count);
    while (r->told < count) {
        const shunt_x12_finding *f = &found[r->told++];
        if (!f->of_reader && f->severity == SHUNT_ERROR) return show_finding(r, f, event);
    }
    r->waits = false;
    *event = r->event;
    return event->step;
}

static void validating_free(shunt_reader *reader)
{
    validating *r = (validating *)reader;
    if (!r) return;
    r->inner->ops->free(r->inner);
    shunt_x12_validator_free(r->validator);
    shunt_memory_free(r->memory, r);
}

shunt_reader *shunt_x12_validating_reader(const shunt_memory *memory, shunt_reader *inner, validator *v)
{
    validating *r = inner && v ? shunt_memory_zeroed(memory, 1, sizeof *r) : NULL;
    if (!r) {
        if (inner) inner->ops->free(inner);
        shunt_x12_validator_free(v);
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
