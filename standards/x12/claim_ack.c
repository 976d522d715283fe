#include "standards/x12/claim_ack.h"

#include <stdio.h>

#include "engine/base/decimal.h"
#include "engine/base/paged.h"
#include "engine/base/segment.h"
#include "engine/base/write.h"
#include "standards/x12/envelope.h"

enum {
    STATUSES = 10, /* most that one claim is answered with */
    SAID = 32,     /* most that is kept of what was said of a claim, or of a whole set */
    SCALE = 2,
    CODE = 30, /* bytes of a category, status or entity; element 1271 has 30 */
    NONE = UINT32_MAX,
    TEXT = 1000,       /* most bytes that are kept of an element; none of a 277CA takes more than 80 */
    WAITING = 1 << 16, /* bytes of an answer that are handed over before it is complete */
};

/* A text in `texts`. */
typedef struct ref {
    uint32_t at, length;
} ref;

typedef struct party {
    ref kind, last, first, middle, suffix, qualifier, id;
} party;

typedef struct claim {
    uint64_t at;
    uint32_t provider, patient; /* into parties */
    ref      number, charge, clearinghouse, bill_type;
    uint32_t from, to; /* CCYYMMDD, 0 = none */
    uint32_t said;     /* into statements, the last one; NONE = nothing was */
    uint32_t count;    /* of them */
} claim;

/* An HL: claims from `claim` on are below it, up to the next one of its rank or above. */
typedef struct level {
    uint64_t at;
    uint32_t claim;
    uint8_t  rank;
} level;

typedef struct claim_set {
    uint64_t at, end; /* end 0: it was not complete */
    uint32_t claim_first, group;
    party    submitter, receiver;
    ref      batch, control;
    uint32_t said; /* of it as a whole */
    bool     answered_elsewhere;
} claim_set;

/* What was said of all sets of a scope: it is told to each of them, so no more often than they keep it. */
typedef struct said_of_all {
    uint32_t count;
    bool     elsewhere; /* that a 999 answers */
} said_of_all;

typedef struct group {
    uint32_t    interchange;
    ref         sender, receiver, control;
    said_of_all said;
} group;

typedef struct interchange {
    shunt_delims delims;
    ref          fields[17];
} interchange;

/* One status of a claim. */
typedef struct statement {
    uint32_t   before; /* the one said earlier, NONE = none */
    bool       refused;
    shunt_text answer;
} statement;

/* A list whose items begin with the byte that they stand at, and the place in it that was looked for last. */
typedef struct places {
    shunt_paged *list;
    uint32_t     near;
} places;

struct shunt_x12_claim_ack {
    const shunt_memory         *memory;
    shunt_x12_claim_ack_options options;
    uint32_t                    answers;
    shunt_paged                 texts, parties, claims, levels, sets, groups, interchanges, statements, verdicts;
    places                      by_set, by_level, by_claim;
    said_of_all                 said; /* of the whole input */
    /* of the open set */
    bool                        in_set, in_claim, in_line;
    uint8_t                     rank;
    uint32_t                    provider, subscriber, patient;
    /* of the answer that is being written */
    shunt_segment_writer        writer;
    shunt_status                status; /* what `full` gave */
};
typedef shunt_x12_claim_ack ack;

/* ---- lists ----
 * What is looked at is copied where others of its list are looked at before it is done with. */

#define ADD(a, list, type)     ((type *)shunt_paged_add(&(a)->list))
#define AT(a, list, type, i)   ((const type *)shunt_paged_at(&(a)->list, (i)))
#define EDIT(a, list, type, i) ((type *)shunt_paged_edit(&(a)->list, (i)))

enum { LISTS = 9 };
static void lists_of(ack *a, shunt_paged *lists[static LISTS])
{
    shunt_paged *all[] = { &a->texts,  &a->parties,      &a->claims,     &a->levels,  &a->sets,
                           &a->groups, &a->interchanges, &a->statements, &a->verdicts };
    _Static_assert(sizeof all == LISTS * sizeof *all, "every list");
    _Static_assert(sizeof(claim_set) <= SHUNT_PAGED_ITEM && sizeof(interchange) <= SHUNT_PAGED_ITEM, "the largest items");
    memcpy(lists, all, sizeof all);
}

/* What went wrong with any of them. */
static shunt_status trouble(ack *a)
{
    shunt_paged *lists[LISTS];
    lists_of(a, lists);
    for (unsigned i = 0; i < LISTS; i++) SHUNT_TRY(lists[i]->status);
    return SHUNT_OK;
}

static shunt_text text_of(ack *a, ref r) { return shunt_paged_text(&a->texts, r.at, r.length); }

static ref keep(ack *a, const void *bytes, uint32_t length)
{
    ref r = { 0, length < TEXT ? length : TEXT };
    return shunt_paged_put(&a->texts, bytes, r.length, &r.at) ? r : (ref){ 0 };
}

static ref element(ack *a, const shunt_event *event, uint32_t k, uint32_t component)
{
    const shunt_segment *s = event->segment;
    if (k > s->elements) return (ref){ 0 };
    shunt_range range = shunt_segment_value(s, &event->delims, k, component);
    return keep(a, s->bytes + range.begin, range.end - range.begin);
}

/* An element of ISA or GS: without the blanks that fill it. */
static ref header(ack *a, const shunt_segment *s, uint32_t k)
{
    if (k > s->elements) return (ref){ 0 };
    shunt_range range = shunt_segment_element(s, k);
    shunt_text  text = shunt_x12_trim((shunt_text){ (const char *)s->bytes + range.begin, range.end - range.begin });
    return keep(a, text.bytes, text.length);
}

/* ---- what is read ---- */

static party name_of(ack *a, const shunt_event *event)
{
    return (party){ .kind = element(a, event, 2, 0),
                    .last = element(a, event, 3, 0),
                    .first = element(a, event, 4, 0),
                    .middle = element(a, event, 5, 0),
                    .suffix = element(a, event, 7, 0),
                    .qualifier = element(a, event, 8, 0),
                    .id = element(a, event, 9, 0) };
}

static uint32_t add_party(ack *a, const party *from)
{
    *ADD(a, parties, party) = *from;
    return a->parties.count - 1;
}

static bool is(const shunt_event *event, uint32_t k, const char *z)
{
    const shunt_segment *s = event->segment;
    if (k > s->elements) return false;
    shunt_range range = shunt_segment_value(s, &event->delims, k, 0);
    return shunt_text_is((shunt_text){ (const char *)s->bytes + range.begin, range.end - range.begin }, z);
}

static void note_level(ack *a, const shunt_event *event)
{
    a->in_claim = a->in_line = false;
    a->rank = is(event, 3, "20") ? 1 : is(event, 3, "22") ? 2 : 3;
    *ADD(a, levels, level) = (level){ event->segment->at, a->claims.count, a->rank };
    if (a->rank == 1) a->provider = a->subscriber = a->patient = NONE;
    if (a->rank == 2) a->subscriber = a->patient = NONE;
    if (a->rank == 3) a->patient = NONE;
}

static void note_name(ack *a, const shunt_event *event)
{
    if (a->in_claim) return;
    claim_set *set = EDIT(a, sets, claim_set, a->sets.count - 1);
    if (a->rank == 0 && is(event, 1, "41")) set->submitter = name_of(a, event);
    if (a->rank == 0 && is(event, 1, "40")) set->receiver = name_of(a, event);
    bool provider = a->rank == 1 && is(event, 1, "85"), subscriber = a->rank == 2 && is(event, 1, "IL"),
         dependent = a->rank == 3 && is(event, 1, "QC");
    if (!provider && !subscriber && !dependent) return;
    party p = name_of(a, event);
    if (dependent && !p.id.length && a->subscriber != NONE) {
        const party *subscribed = AT(a, parties, party, a->subscriber);
        p.qualifier = subscribed->qualifier;
        p.id = subscribed->id;
    }
    uint32_t at = add_party(a, &p);
    if (provider) a->provider = at;
    if (subscriber) a->subscriber = at;
    if (!provider) a->patient = at;
}

static void note_claim(ack *a, const shunt_event *event)
{
    claim *c = ADD(a, claims, claim);
    a->in_claim = true;
    a->in_line = false;
    *c = (claim){ .at = event->segment->at, .provider = a->provider, .patient = a->patient, .said = NONE };
    c->number = element(a, event, 1, 0);
    c->charge = element(a, event, 2, 0);
    const shunt_segment *s = event->segment;
    shunt_range          range = s->elements >= 5 ? shunt_segment_value(s, &event->delims, 5, 2) : (shunt_range){ 0, 0 };
    if (range.end != range.begin + 1 || s->bytes[range.begin] != 'A') return;
    char        type[4];
    uint32_t    length = 0;
    shunt_range parts[] = { shunt_segment_value(s, &event->delims, 5, 1), shunt_segment_value(s, &event->delims, 5, 3) };
    for (unsigned k = 0; k < SHUNT_COUNT(parts); k++)
        for (uint32_t at = parts[k].begin; at < parts[k].end && length < sizeof type; at++) type[length++] = (char)s->bytes[at];
    c->bill_type = keep(a, type, length);
}

static uint32_t day_at(const uint8_t *bytes)
{
    uint32_t day = 0;
    for (int i = 0; i < 8; i++) {
        if (bytes[i] < '0' || bytes[i] > '9') return 0;
        day = day * 10 + (bytes[i] - '0');
    }
    return day;
}

static void note_days(const shunt_event *event, claim *c)
{
    const shunt_segment *s = event->segment;
    if (s->elements < 3) return;
    shunt_range range = shunt_segment_value(s, &event->delims, 3, 0);
    uint32_t    length = range.end - range.begin;
    uint32_t    from = length >= 8 ? day_at(s->bytes + range.begin) : 0, to = from;
    if (length == 17 && s->bytes[range.begin + 8] == '-') to = day_at(s->bytes + range.begin + 9);
    if (from && (!c->from || from < c->from)) c->from = from;
    if (to && to > c->to) c->to = to;
}

static void note_segment(ack *a, const shunt_event *event)
{
    switch (event->segment->id) {
    case (uint64_t)'B' << 56 | (uint64_t)'H' << 48 | (uint64_t)'T' << 40:
        EDIT(a, sets, claim_set, a->sets.count - 1)->batch = element(a, event, 3, 0);
        return;
    case (uint64_t)'H' << 56 | (uint64_t)'L' << 48: note_level(a, event); return;
    case (uint64_t)'N' << 56 | (uint64_t)'M' << 48 | (uint64_t)'1' << 40: note_name(a, event); return;
    case (uint64_t)'C' << 56 | (uint64_t)'L' << 48 | (uint64_t)'M' << 40: note_claim(a, event); return;
    case (uint64_t)'L' << 56 | (uint64_t)'X' << 48: a->in_line = true; return;
    default: break;
    }
    bool reference = event->segment->id == ((uint64_t)'R' << 56 | (uint64_t)'E' << 48 | (uint64_t)'F' << 40);
    bool dates = event->segment->id == ((uint64_t)'D' << 56 | (uint64_t)'T' << 48 | (uint64_t)'P' << 40);
    if (reference && a->rank == 1 && !a->in_claim && a->provider != NONE && is(event, 1, "EI")) {
        ref    id = element(a, event, 2, 0), qualifier = keep(a, "FI", 2);
        party *p = EDIT(a, parties, party, a->provider);
        if (p->id.length) return;
        p->id = id;
        p->qualifier = qualifier;
    }
    if (!a->in_claim || !a->claims.count) return;
    if (reference && !a->in_line && is(event, 1, "D9")) {
        ref number = element(a, event, 2, 0);
        EDIT(a, claims, claim, a->claims.count - 1)->clearinghouse = number;
    }
    if (dates && (is(event, 1, "472") || (!a->in_line && is(event, 1, "434"))))
        note_days(event, EDIT(a, claims, claim, a->claims.count - 1));
}

static void begin(ack *a, const shunt_event *event)
{
    if (!event->segment) return;
    if (event->scope == SHUNT_SCOPE_INTERCHANGE) {
        interchange *i = ADD(a, interchanges, interchange);
        i->delims = event->delims;
        if (!i->delims.component) i->delims.component = i->delims.element == ':' || i->delims.terminator == ':' ? '>' : ':';
        for (uint32_t k = 1; k <= 16; k++) i->fields[k] = header(a, event->segment, k);
    }
    if (event->scope == SHUNT_SCOPE_BATCH) {
        group *g = ADD(a, groups, group);
        *g = (group){ .interchange = a->interchanges.count - 1 };
        g->sender = header(a, event->segment, 2);
        g->receiver = header(a, event->segment, 3);
        g->control = header(a, event->segment, 6);
    }
    if (event->scope != SHUNT_SCOPE_TRANSACTION) return;
    a->in_set = event->guide != SHUNT_NONE && shunt_text_is(event->set, "837") && a->groups.count > 0;
    if (!a->in_set) return;
    claim_set *set = ADD(a, sets, claim_set);
    *set = (claim_set){ .at = event->segment->at, .claim_first = a->claims.count, .group = a->groups.count - 1 };
    set->control = header(a, event->segment, 2);
    a->in_claim = a->in_line = false;
    a->rank = 0;
    a->provider = a->subscriber = a->patient = NONE;
}

shunt_status shunt_x12_claim_ack_see(ack *a, const shunt_event *event)
{
    if (event->step == SHUNT_STEP_BEGIN) begin(a, event);
    if (event->step == SHUNT_STEP_SEGMENT && a->in_set) note_segment(a, event);
    bool over = event->step == SHUNT_STEP_FINISH || event->step == SHUNT_STEP_ABANDON;
    if (over && event->scope == SHUNT_SCOPE_TRANSACTION) {
        if (a->in_set && event->step == SHUNT_STEP_FINISH) EDIT(a, sets, claim_set, a->sets.count - 1)->end = event->end;
        a->in_set = false;
    }
    return trouble(a);
}

shunt_status shunt_x12_claim_ack_say(ack *a, const shunt_x12_verdict *verdict)
{
    *ADD(a, verdicts, shunt_x12_verdict) = *verdict;
    return trouble(a);
}

/* ---- who is meant ---- */

static uint64_t place(const places *in, uint32_t i) { return *(const uint64_t *)shunt_paged_at(in->list, i); }

/* Items that begin at or before the byte. What was said comes about in the order of the input, so it is looked for around the last place,
 * in steps that double. */
static uint32_t begun(places *in, uint64_t at)
{
    uint32_t low = 0, high = in->list->count, near = in->near < high ? in->near : 0;
    if (high && place(in, near) <= at) {
        low = near + 1;
        for (uint32_t step = 1; step < high - low; step *= 2) {
            if (place(in, low + step) > at)
                high = low + step;
            else
                low += step + 1;
        }
    } else if (high) {
        high = near;
        for (uint32_t step = 1; step < high - low; step *= 2) {
            if (place(in, high - step) <= at)
                low = high - step + 1;
            else
                high -= step;
        }
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (place(in, middle) <= at)
            low = middle + 1;
        else
            high = middle;
    }
    in->near = low ? low - 1 : 0;
    return low;
}

static uint32_t claims_end(ack *a, uint32_t set)
{
    return set + 1 < a->sets.count ? AT(a, sets, claim_set, set + 1)->claim_first : a->claims.count;
}

static void state(ack *a, uint32_t first, uint32_t end, const shunt_x12_verdict *v)
{
    for (uint32_t i = first; i < end; i++) {
        claim *c = EDIT(a, claims, claim, i);
        if (c->count == SAID) continue;
        *ADD(a, statements, statement) = (statement){ c->said, v->refused, v->answer };
        c->said = a->statements.count - 1;
        c->count++;
    }
}

/* The set that the byte is in, NONE = none. */
static uint32_t set_at(ack *a, uint64_t at)
{
    uint32_t sets = begun(&a->by_set, at);
    return sets && at < AT(a, sets, claim_set, sets - 1)->end ? sets - 1 : NONE;
}

/* A unit is a claim, a part of one, or a level with all claims below it. */
static void state_unit(ack *a, const shunt_x12_verdict *v)
{
    uint32_t set = set_at(a, v->at), levels = begun(&a->by_level, v->at);
    if (set == NONE) return;
    level l = levels ? *AT(a, levels, level, levels - 1) : (level){ 0 };
    if (levels && l.at == v->at) {
        uint32_t end = claims_end(a, set), further = levels;
        while (further < a->levels.count && AT(a, levels, level, further)->rank > l.rank) further++;
        if (further < a->levels.count && AT(a, levels, level, further)->claim < end) end = AT(a, levels, level, further)->claim;
        state(a, l.claim, end, v);
        return;
    }
    uint32_t claims = begun(&a->by_claim, v->at);
    if (claims > AT(a, sets, claim_set, set)->claim_first) state(a, claims - 1, claims, v);
}

static void state_set(ack *a, uint32_t index, const shunt_x12_verdict *v)
{
    claim_set *set = EDIT(a, sets, claim_set, index);
    if (shunt_text_starts(v->answer, SHUNT_TEXT("999"))) set->answered_elsewhere = true;
    if (set->answered_elsewhere || set->said == SAID) return;
    set->said++;
    state(a, set->claim_first, claims_end(a, index), v);
}

/* Each of many sets may undo all of them: what they keep no more of is not told to them again. */
static bool is_news(said_of_all *said, const shunt_x12_verdict *v)
{
    if (shunt_text_starts(v->answer, SHUNT_TEXT("999"))) {
        bool known = said->elsewhere;
        said->elsewhere = true;
        return !known;
    }
    return said->count < SAID && ++said->count;
}

static void resolve(ack *a)
{
    for (uint32_t i = 0; i < a->verdicts.count; i++) {
        const shunt_x12_verdict *v = AT(a, verdicts, shunt_x12_verdict, i);
        uint32_t                 set = set_at(a, v->at);
        if (v->scope == SHUNT_SCOPE_UNIT) {
            state_unit(a, v);
        } else if (v->scope == SHUNT_SCOPE_TRANSACTION) {
            if (set != NONE) state_set(a, set, v);
        } else if (v->scope == SHUNT_SCOPE_FILE) {
            if (!is_news(&a->said, v)) continue;
            for (uint32_t s = 0; s < a->sets.count; s++) state_set(a, s, v);
        } else if (set != NONE && is_news(&EDIT(a, groups, group, AT(a, sets, claim_set, set)->group)->said, v)) {
            uint32_t of = AT(a, sets, claim_set, set)->group, first = set;
            while (first > 0 && AT(a, sets, claim_set, first - 1)->group == of) first--;
            for (uint32_t s = first; s < a->sets.count && AT(a, sets, claim_set, s)->group == of; s++) state_set(a, s, v);
        }
    }
}

/* ---- codes ---- */

typedef struct code {
    char category[CODE + 1], status[CODE + 1], entity[CODE + 1];
    bool refused;
} code;

static bool take_part(shunt_text *rest, char part[static CODE + 1])
{
    uint32_t length = 0;
    while (length < rest->length && rest->bytes[length] != ':') length++;
    if (length > CODE) return false;
    for (uint32_t i = 0; i < length; i++) {
        char c = rest->bytes[i];
        if ((c < '0' || c > '9') && (c < 'A' || c > 'Z')) return false;
        part[i] = c;
    }
    part[length] = 0;
    if (length < rest->length) length++;
    rest->bytes += length;
    rest->length -= length;
    return true;
}

static code code_of(const statement *s)
{
    static const code refused = { "A7", "21", "", true }, held = { "A1", "19", "", false }, accepted = { "A2", "20", "", false };
    if (!s) return accepted;
    shunt_text rest = s->answer;
    code       c = { 0 };
    if (shunt_text_starts(rest, SHUNT_TEXT("277CA:"))) rest.bytes += 6, rest.length -= 6;
    bool fine = rest.length && rest.bytes[0] == 'A' && take_part(&rest, c.category) && take_part(&rest, c.status) &&
                take_part(&rest, c.entity) && !rest.length;
    if (!fine || c.category[1] < '0' || c.category[1] > '9') return s->refused ? refused : held;
    c.refused = c.category[1] == '3' || c.category[1] == '4' || c.category[1] >= '6';
    if (!c.status[0]) memcpy(c.status, c.refused ? "21" : c.category[1] == '2' ? "20" : "19", 3);
    return c;
}

static bool is_refused(ack *a, const claim *c)
{
    for (uint32_t s = c->said; s != NONE; s = AT(a, statements, statement, s)->before)
        if (code_of(AT(a, statements, statement, s)).refused) return true;
    return false;
}

/* ---- writing ---- */

static void start(ack *a, const char *id) { shunt_write_segment(&a->writer, shunt_text_of(id)); }

static void next(ack *a) { shunt_write_element(&a->writer); }

static void next_component(ack *a) { shunt_write_component(&a->writer); }

static void end_segment(ack *a) { shunt_write_end(&a->writer); }

/* Nothing in a value can end an element or add one: the writer makes blanks of it. */
static void put_text(ack *a, shunt_text text) { (void)shunt_write_text(&a->writer, text); }

static void put_ref(ack *a, ref r)
{
    next(a);
    put_text(a, text_of(a, r));
}

static void put_z(ack *a, const char *z)
{
    next(a);
    put_text(a, shunt_text_of(z));
}

static void put_number(ack *a, uint64_t number)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    put_z(a, digits);
}

static void put_amount(ack *a, shunt_decimal amount)
{
    char   text[SHUNT_DECIMAL_TEXT];
    size_t length = shunt_decimal_print(amount, SCALE, text);
    next(a);
    put_text(a, (shunt_text){ text, (uint32_t)length });
}

/* Category, status and entity. */
static void put_codes(ack *a, const char *category, const char *status, const char *entity)
{
    put_z(a, category);
    next_component(a);
    put_text(a, shunt_text_of(status));
    next_component(a);
    put_text(a, shunt_text_of(entity));
}

/* A segment of which no element is made of the input, with `*` and `:` for the separators. */
SHUNT_PRINTF(2, 3)
static void put_plain(ack *a, const char *format, ...)
{
    char    text[200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    uint32_t length = (uint32_t)strcspn(text, "*");
    shunt_write_segment(&a->writer, (shunt_text){ text, length });
    for (const char *at = text + length; *at; at += length) {
        if (*at++ == '*')
            next(a);
        else
            next_component(a);
        length = (uint32_t)strcspn(at, "*:");
        put_text(a, (shunt_text){ at, length });
    }
    end_segment(a);
}

static void put_party(ack *a, const char *entity, const char *kind, const party *p, const char *qualifier)
{
    static const party nobody;
    if (!p) p = &nobody;
    start(a, "NM1");
    put_z(a, entity);
    if (kind || !p->kind.length)
        put_z(a, kind ? kind : "2");
    else
        put_ref(a, p->kind);
    put_ref(a, p->last);
    bool full = strcmp(entity, "PR") != 0;
    put_ref(a, full ? p->first : (ref){ 0 });
    put_ref(a, full ? p->middle : (ref){ 0 });
    next(a);
    put_ref(a, strcmp(entity, "85") == 0 || strcmp(entity, "QC") == 0 ? p->suffix : (ref){ 0 });
    if (qualifier)
        put_z(a, qualifier);
    else
        put_ref(a, p->qualifier);
    put_ref(a, p->id);
    end_segment(a);
}

typedef struct totals {
    uint64_t      accepted, refused;
    shunt_decimal accepted_amount, refused_amount;
} totals;

static shunt_decimal amount_of(ack *a, const claim *c)
{
    shunt_text    text = text_of(a, c->charge);
    shunt_decimal amount = 0;
    return shunt_decimal_parse(text.bytes, text.length, SCALE, false, &amount) == SHUNT_OK ? amount : 0;
}

static void add_up(totals *t, shunt_decimal amount, bool refused)
{
    shunt_decimal *sum = refused ? &t->refused_amount : &t->accepted_amount;
    if (shunt_decimal_add(*sum, amount, sum) != SHUNT_OK) *sum = 0;
    if (refused)
        t->refused++;
    else
        t->accepted++;
}

static totals totals_of(ack *a, uint32_t first, uint32_t end)
{
    totals t = { 0 };
    for (uint32_t i = first; i < end; i++) {
        const claim *c = AT(a, claims, claim, i);
        add_up(&t, amount_of(a, c), is_refused(a, c));
    }
    return t;
}

static shunt_decimal both(const totals *t)
{
    shunt_decimal sum = 0;
    return shunt_decimal_add(t->accepted_amount, t->refused_amount, &sum) == SHUNT_OK ? sum : 0;
}

/* Numbers and amounts of what was accepted and refused. */
static void put_totals(ack *a, const totals *t, const char *accepted, const char *refused)
{
    if (t->accepted) put_plain(a, "QTY*%s*%llu", accepted, (unsigned long long)t->accepted);
    if (t->refused) put_plain(a, "QTY*%s*%llu", refused, (unsigned long long)t->refused);
    for (int i = 0; i < 2; i++) {
        if (i ? !t->refused : !t->accepted) continue;
        start(a, "AMT");
        put_z(a, i ? "YY" : "YU");
        put_amount(a, i ? t->refused_amount : t->accepted_amount);
        end_segment(a);
    }
}

static void put_status(ack *a, const code *c, const claim *of)
{
    start(a, "STC");
    put_codes(a, c->category, c->status, c->entity);
    put_z(a, a->options.date);
    put_z(a, c->refused ? "U" : "WQ");
    put_amount(a, amount_of(a, of));
    end_segment(a);
}

static void put_reference(ack *a, const char *qualifier, ref value)
{
    if (!value.length) return;
    start(a, "REF");
    put_z(a, qualifier);
    put_ref(a, value);
    end_segment(a);
}

static void put_claim(ack *a, const claim *c)
{
    start(a, "TRN");
    put_z(a, "2");
    put_ref(a, c->number);
    end_segment(a);
    code     said[STATUSES];
    unsigned count = 0;
    bool     refused = is_refused(a, c);
    /* Of a claim that is refused only what refuses it; each status once, in the order in which it was said. */
    for (uint32_t s = c->said; s != NONE && count < STATUSES; s = AT(a, statements, statement, s)->before) {
        code     one = code_of(AT(a, statements, statement, s));
        unsigned known = 0;
        while (known < count && (strcmp(said[known].category, one.category) != 0 || strcmp(said[known].status, one.status) != 0 ||
                                 strcmp(said[known].entity, one.entity) != 0))
            known++;
        if (known == count && one.refused == refused) said[count++] = one;
    }
    if (!count) said[count++] = code_of(NULL);
    while (count) put_status(a, &said[--count], c);
    put_reference(a, "D9", c->clearinghouse);
    put_reference(a, "BLT", c->bill_type);
    if (!c->from) return;
    if (c->to == c->from)
        put_plain(a, "DTP*472*D8*%08u", c->from);
    else
        put_plain(a, "DTP*472*RD8*%08u-%08u", c->from, c->to);
}

/* What stands between the parts of a reference: no separator of this interchange. */
static shunt_text joint(ack *a)
{
    static const char marks[] = "-._/";
    for (const char *c = marks; *c; c++) {
        uint8_t u = (uint8_t)*c;
        if (u != a->writer.delims.element && u != a->writer.delims.component && u != a->writer.delims.repetition &&
            u != a->writer.delims.terminator)
            return (shunt_text){ c, 1 };
    }
    return SHUNT_TEXT(" ");
}

static void put_trace(ack *a, const claim_set *set)
{
    const group       *g = AT(a, groups, group, set->group);
    const interchange *i = AT(a, interchanges, interchange, g->interchange);
    put_text(a, text_of(a, i->fields[13]));
    put_text(a, joint(a));
    put_text(a, text_of(a, g->control));
    put_text(a, joint(a));
    put_text(a, text_of(a, set->control));
}

/* What is written so far is handed over once it is worth it; between segments. */
static void settle(ack *a)
{
    shunt_buffer *out = a->writer.out;
    if (out->length < WAITING || out->failed || !a->options.full || a->status != SHUNT_OK) return;
    a->status = a->options.full(a->options.full_context);
}

static void put_claims(ack *a, uint32_t first, uint32_t end)
{
    uint32_t hl = 2, provider_level = 0, provider = NONE, patient = NONE; /* those of the claim before */
    for (uint32_t i = first; i < end; i++) {
        claim c = *AT(a, claims, claim, i);
        bool  new_provider = i == first || c.provider != provider;
        if (new_provider) {
            uint32_t last = i;
            while (last < end && AT(a, claims, claim, last)->provider == c.provider) last++;
            totals t = totals_of(a, i, last);
            provider_level = ++hl;
            put_plain(a, "HL*%u*2*19*1", provider_level);
            put_party(a, "85", NULL, c.provider == NONE ? NULL : AT(a, parties, party, c.provider), NULL);
            put_plain(a, "TRN*1*0");
            start(a, "STC");
            put_codes(a, "A1", "19", "PR");
            next(a);
            put_z(a, "WQ");
            put_amount(a, both(&t));
            end_segment(a);
            put_totals(a, &t, "QA", "QC");
        }
        if (new_provider || c.patient != patient) {
            put_plain(a, "HL*%u*%u*PT", ++hl, provider_level);
            put_party(a, "QC", "1", c.patient == NONE ? NULL : AT(a, parties, party, c.patient), NULL);
        }
        put_claim(a, &c);
        settle(a);
        provider = c.provider;
        patient = c.patient;
    }
}

static void put_set(ack *a, uint32_t index, uint32_t number)
{
    const claim_set *set = AT(a, sets, claim_set, index);
    uint32_t         end = claims_end(a, index);
    totals           t = totals_of(a, set->claim_first, end);
    a->writer.segments = 0;
    put_plain(a, "ST*277*%04u*005010X214", number);
    start(a, "BHT");
    put_z(a, "0085");
    put_z(a, "08");
    next(a);
    put_trace(a, set);
    put_z(a, a->options.date);
    put_z(a, a->options.time);
    put_z(a, "TH");
    end_segment(a);
    put_plain(a, "HL*1**20*1");
    party receiver = set->receiver, submitter = set->submitter;
    /* One that the claims do not name is known by its group. */
    if (!receiver.last.length) receiver.last = AT(a, groups, group, set->group)->receiver;
    if (!receiver.id.length) receiver.id = AT(a, groups, group, set->group)->receiver;
    if (!submitter.last.length) submitter.last = AT(a, groups, group, set->group)->sender;
    if (!submitter.id.length) submitter.id = AT(a, groups, group, set->group)->sender;
    put_party(a, "PR", "2", &receiver, "46");
    start(a, "TRN");
    put_z(a, "1");
    next(a);
    put_trace(a, set);
    end_segment(a);
    put_plain(a, "DTP*050*D8*%s", a->options.date);
    put_plain(a, "DTP*009*D8*%s", a->options.date);
    put_plain(a, "HL*2*1*21*%c", set->claim_first < end ? '1' : '0');
    put_party(a, "41", NULL, &submitter, "46");
    start(a, "TRN");
    put_z(a, "2");
    put_ref(a, set->batch.length ? set->batch : set->control);
    end_segment(a);
    start(a, "STC");
    put_codes(a, "A1", "19", "PR");
    put_z(a, a->options.date);
    put_z(a, "WQ");
    put_amount(a, both(&t));
    end_segment(a);
    put_totals(a, &t, "90", "AA");
    put_claims(a, set->claim_first, end);
    put_plain(a, "SE*%llu*%04u", (unsigned long long)a->writer.segments + 1, number);
}

static void put_header(ack *a, const interchange *i, uint32_t control)
{
    shunt_delims *delims = &a->writer.delims;
    shunt_text    usage = text_of(a, i->fields[15]);
    *delims = i->delims;
    for (const char *mark = "^!{|+"; !delims->repetition && *mark; mark++) {
        uint8_t c = (uint8_t)*mark;
        if (c != delims->element && c != delims->component && c != delims->terminator) delims->repetition = c;
    }
    shunt_isa isa = { .sender_qualifier = text_of(a, i->fields[7]),
                      .sender = text_of(a, i->fields[8]),
                      .receiver_qualifier = text_of(a, i->fields[5]),
                      .receiver = text_of(a, i->fields[6]),
                      .date = a->options.date + 2,
                      .time = a->options.time,
                      .version = "00501",
                      .control = control,
                      .acknowledge = '0',
                      .usage = usage.length ? usage.bytes[0] : ' ' };
    (void)shunt_write_isa(&a->writer, &isa);
}

static void put_group(ack *a, const group *g, uint32_t number)
{
    start(a, "GS");
    put_z(a, "HN");
    put_ref(a, g->receiver);
    put_ref(a, g->sender);
    put_z(a, a->options.date);
    put_z(a, a->options.time);
    put_number(a, number);
    put_z(a, "X");
    put_z(a, "005010X214");
    end_segment(a);
}

static uint32_t control_of(ack *a, const interchange *i)
{
    uint64_t theirs = 0;
    (void)shunt_x12_number(text_of(a, i->fields[13]), &theirs);
    uint64_t control = a->options.control ? (uint64_t)a->options.control + a->answers++ : theirs;
    return control % 1000000000u ? (uint32_t)(control % 1000000000u) : 1;
}

/* One interchange answers one, one group another: those that hold sets to be answered. */
static void put_answers(ack *a)
{
    uint32_t open = NONE, group_open = NONE, groups = 0, sets = 0, control = 0;
    for (uint32_t s = 0; s <= a->sets.count; s++) {
        const claim_set *set = s < a->sets.count ? AT(a, sets, claim_set, s) : NULL;
        if (set && (!set->end || set->answered_elsewhere || set->claim_first == claims_end(a, s))) continue;
        uint32_t of = set ? AT(a, groups, group, set->group)->interchange : NONE;
        if (group_open != NONE && (!set || set->group != group_open)) {
            put_plain(a, "GE*%u*%u", sets, groups);
            group_open = NONE;
        }
        if (open != NONE && of != open) {
            put_plain(a, "IEA*%u*%09u", groups, control);
            open = NONE;
        }
        if (!set) return;
        if (open == NONE) {
            const interchange *i = AT(a, interchanges, interchange, open = of);
            control = control_of(a, i);
            groups = 0;
            put_header(a, i, control);
        }
        if (group_open == NONE) {
            group_open = set->group;
            sets = 0;
            put_group(a, AT(a, groups, group, set->group), ++groups);
        }
        put_set(a, s, ++sets);
    }
}

static void forget(ack *a)
{
    shunt_paged *lists[LISTS];
    lists_of(a, lists);
    for (unsigned i = 0; i < LISTS; i++) shunt_paged_clear(lists[i]);
    a->said = (said_of_all){ 0 };
    a->in_set = false;
}

shunt_status shunt_x12_claim_ack_write(ack *a, shunt_buffer *out)
{
    a->writer = (shunt_segment_writer){ .out = out, .in_data = SHUNT_DATA_BLANK, .line = SHUNT_TEXT("\n") };
    a->status = SHUNT_OK;
    resolve(a);
    if (trouble(a) == SHUNT_OK) put_answers(a);
    shunt_status status = out->failed ? SHUNT_NO_MEMORY : trouble(a);
    forget(a);
    return status != SHUNT_OK ? status : a->status;
}

void shunt_x12_claim_ack_free(ack *a)
{
    if (!a) return;
    shunt_paged *lists[LISTS];
    lists_of(a, lists);
    for (unsigned i = 0; i < LISTS; i++) shunt_paged_done(lists[i]);
    shunt_memory_free(a->memory, a);
}

ack *shunt_x12_claim_ack_new(const shunt_memory *memory, const shunt_x12_claim_ack_options *options)
{
    ack *a = shunt_memory_zeroed(memory, 1, sizeof *a);
    if (!a) return NULL;
    a->memory = memory;
    a->options = *options;
    shunt_paged          *lists[LISTS];
    /* in the order of lists_of */
    static const uint32_t sizes[LISTS] = { 1,
                                           sizeof(party),
                                           sizeof(claim),
                                           sizeof(level),
                                           sizeof(claim_set),
                                           sizeof(group),
                                           sizeof(interchange),
                                           sizeof(statement),
                                           sizeof(shunt_x12_verdict) };
    lists_of(a, lists);
    for (unsigned i = 0; i < LISTS; i++) shunt_paged_init(lists[i], memory, options->directory, sizes[i]);
    a->by_set.list = &a->sets;
    a->by_level.list = &a->levels;
    a->by_claim.list = &a->claims;
    return a;
}
