#include "standards/definition.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    FIELDS = 16,
    DEPTH = 15,     /* loops inside each other, the set not counted: what a walk can follow */
    ENTRIES = 2000, /* of one body */
    VALUES = 4000,
    POSITIONS = 99,
};

/* ---- lines ---- */

typedef struct line {
    uint32_t   depth, count;
    shunt_text fields[FIELDS];
} line;

/* A loop while it is being read. */
typedef struct draft {
    shunt_loop  *loop;
    shunt_entry *entries;
    uint32_t     count, room;
} draft;

typedef struct reading {
    shunt_arena            *arena;
    shunt_definition_set   *set;
    shunt_definition_fault *fault;
    const char             *at, *end;
    uint32_t                number; /* of the line */
    line                    line;
    char                    release[7];
    shunt_guide            *guide;
    draft                   open[DEPTH + 1];
    uint32_t                depth;    /* of the innermost open loop */
    shunt_segment_node     *segment;  /* whose element lines may come */
    bool                    restated; /* its elements are its own copy */
    uint32_t                segment_depth;
    shunt_loop             *place; /* of an overlay: the loop that `at` names */
    shunt_text              place_id;
    uint32_t                place_nth, block_number;
    const char             *block_at; /* behind the line `at` */
    shunt_condition        *conditions;
    uint32_t                condition_count;
    shunt_status            status;
} reading;

SHUNT_PRINTF(2, 3)
static bool wrong(reading *r, const char *format, ...)
{
    if (r->status != SHUNT_OK) return false;
    va_list args;
    va_start(args, format);
    vsnprintf(r->fault->text, sizeof r->fault->text, format, args);
    va_end(args);
    r->fault->line = r->number;
    r->status = SHUNT_RULES_WRONG;
    return false;
}

static bool lacking(reading *r)
{
    if (r->status == SHUNT_OK) r->status = SHUNT_NO_MEMORY;
    return false;
}

/* The next line that says something; false at the end or after a fault. Fields are apart by tabs, leading tabs are depth. */
static bool next_line(reading *r)
{
    while (r->at < r->end && r->status == SHUNT_OK) {
        const char *stop = memchr(r->at, '\n', (size_t)(r->end - r->at)), *at = r->at;
        if (!stop) stop = r->end;
        r->at = stop < r->end ? stop + 1 : stop;
        r->number++;
        if (stop > at && stop[-1] == '\r') stop--;
        r->line.depth = r->line.count = 0;
        while (at < stop && *at == '\t') at++, r->line.depth++;
        if (at == stop || *at == '#') continue;
        while (at <= stop) {
            const char *tab = memchr(at, '\t', (size_t)(stop - at));
            shunt_text  field = { at, (uint32_t)((tab ? tab : stop) - at) };
            if (at < stop && *at == '#' && !tab) break;
            if (field.length == 0) return wrong(r, "an empty field; fields are apart by one tab");
            for (uint32_t i = 0; i < field.length; i++)
                if ((unsigned char)field.bytes[i] < ' ' || (unsigned char)field.bytes[i] > '~')
                    return wrong(r, "a character that is no printable ASCII");
            if (r->line.count == FIELDS) return wrong(r, "more than %d fields", FIELDS);
            r->line.fields[r->line.count++] = field;
            if (!tab) break;
            at = tab + 1;
        }
        return true;
    }
    return false;
}

static bool is(shunt_text text, const char *z) { return shunt_text_is(text, z); }

static shunt_text field(const reading *r, uint32_t k) { return k < r->line.count ? r->line.fields[k] : SHUNT_TEXT("-"); }

static const char *copied(reading *r, shunt_text text)
{
    const char *z = shunt_text_z(r->arena, text);
    if (!z) (void)lacking(r);
    return z;
}

static bool number(reading *r, shunt_text text, uint32_t least, uint32_t most, uint32_t *value)
{
    uint32_t n = 0;
    bool     fine = text.length > 0 && text.length < 7;
    for (uint32_t i = 0; i < text.length && fine; i++) {
        fine = text.bytes[i] >= '0' && text.bytes[i] <= '9';
        n = n * 10 + (uint32_t)(text.bytes[i] - '0');
    }
    if (!fine || n < least || n > most) return wrong(r, "`%.*s` is no number from %u to %u", SHUNT_TEXT_ARGS(text), least, most);
    *value = n;
    return true;
}

/* "05" or "05-2". */
static bool place(reading *r, shunt_text text, uint32_t *element, uint32_t *component)
{
    const char *dash = memchr(text.bytes, '-', text.length);
    shunt_text  first = { text.bytes, dash ? (uint32_t)(dash - text.bytes) : text.length };
    *component = 0;
    if (!number(r, first, 1, POSITIONS, element)) return false;
    return !dash || number(r, (shunt_text){ dash + 1, text.length - first.length - 1 }, 1, POSITIONS, component);
}

static bool usage(reading *r, shunt_text text, uint8_t *value)
{
    if (is(text, "-")) return true;
    if (!is(text, "R") && !is(text, "S") && !is(text, "N"))
        return wrong(r, "usage `%.*s` is none of R, S, N", SHUNT_TEXT_ARGS(text));
    *value = is(text, "R") ? SHUNT_REQUIRED : is(text, "S") ? SHUNT_SITUATIONAL : SHUNT_NOT_USED;
    return true;
}

static bool limit(reading *r, shunt_text text, uint16_t *value)
{
    uint32_t n = 0;
    if (is(text, "-")) return true;
    if (is(text, ">1")) {
        *value = 0;
        return true;
    }
    if (!number(r, text, 1, UINT16_MAX, &n)) return false;
    *value = (uint16_t)n;
    return true;
}

static int compare_values(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* "A,B,C" as a list of a guide. */
static const shunt_codeset *values(reading *r, shunt_text text)
{
    uint32_t count = 1;
    for (uint32_t i = 0; i < text.length; i++) count += text.bytes[i] == ',';
    if (count > VALUES) return wrong(r, "more than %d values", VALUES), NULL;
    const char   **items = SHUNT_NEW_N(r->arena, const char *, count);
    shunt_codeset *set = SHUNT_NEW(r->arena, shunt_codeset);
    if (!items || !set) return lacking(r), NULL;
    count = 0;
    for (const char *at = text.bytes, *end = text.bytes + text.length; at <= end;) {
        const char *comma = memchr(at, ',', (size_t)(end - at)), *stop = comma ? comma : end;
        if (stop == at) return wrong(r, "an empty value"), NULL;
        items[count] = copied(r, (shunt_text){ at, (uint32_t)(stop - at) });
        if (!items[count++]) return NULL;
        at = stop + 1;
    }
    qsort(items, count, sizeof *items, compare_values);
    for (uint32_t i = 1; i < count; i++)
        if (!strcmp(items[i - 1], items[i])) return wrong(r, "`%s` stands twice", items[i]), NULL;
    *set = (shunt_codeset){ .name = "", .values = items, .count = count, .complete = true };
    return set;
}

/* "01=PR,PE" or "01-1=BK". */
static bool key(reading *r, shunt_text text, uint32_t *element, uint32_t *component, const shunt_codeset **set)
{
    const char *equals = memchr(text.bytes, '=', text.length);
    if (!equals) return wrong(r, "`%.*s` is not POSITION=VALUES", SHUNT_TEXT_ARGS(text));
    uint32_t at = (uint32_t)(equals - text.bytes);
    if (!place(r, (shunt_text){ text.bytes, at }, element, component)) return false;
    *set = values(r, (shunt_text){ equals + 1, text.length - at - 1 });
    return *set != NULL;
}

/* ---- elements ---- */

static bool own_elements(reading *r)
{
    shunt_segment_node *s = r->segment;
    if (r->restated) return true;
    shunt_element *copy = SHUNT_NEW_N(r->arena, shunt_element, s->element_count + 1u);
    if (!copy) return lacking(r);
    if (s->element_count) memcpy(copy, s->elements, s->element_count * sizeof *copy);
    s->elements = copy;
    r->restated = true;
    return true;
}

static shunt_element *own_element(reading *r, uint32_t position, uint32_t component)
{
    if (!own_elements(r)) return NULL;
    shunt_segment_node *s = r->segment;
    if (position > s->element_count) return wrong(r, "%s ends at %02u", s->id, s->element_count), NULL;
    shunt_element *e = (shunt_element *)(uintptr_t)&s->elements[position - 1];
    if (!component) return e;
    if (component > e->component_count) return wrong(r, "%s%02u has %u components", s->id, position, e->component_count), NULL;
    shunt_element *copy = SHUNT_NEW_N(r->arena, shunt_element, e->component_count);
    if (!copy) return lacking(r), NULL;
    memcpy(copy, e->components, e->component_count * sizeof *copy);
    e->components = copy;
    return &copy[component - 1];
}

static bool starts(shunt_text text, const char *prefix, shunt_text *rest)
{
    size_t length = strlen(prefix);
    if (text.length <= length || memcmp(text.bytes, prefix, length) != 0) return false;
    *rest = (shunt_text){ text.bytes + length, text.length - (uint32_t)length };
    return true;
}

static bool attribute(reading *r, shunt_element *e, shunt_text text)
{
    shunt_text rest;
    uint32_t   n = 0;
    if (starts(text, "in=", &rest) && !e->components) {
        e->codes = values(r, rest);
        return e->codes != NULL;
    }
    if (starts(text, "list=", &rest) && !e->components) {
        e->codes = shunt_codeset_find(rest);
        return e->codes || wrong(r, "there is no list `%.*s`", SHUNT_TEXT_ARGS(rest));
    }
    if (starts(text, "min=", &rest) && !e->components) {
        if (!number(r, rest, 0, e->max_length, &n)) return false;
        e->min_length = (uint16_t)n;
        return true;
    }
    if (starts(text, "max=", &rest) && !e->components) {
        if (!number(r, rest, e->min_length ? e->min_length : 1, e->max_length, &n)) return false;
        e->max_length = (uint16_t)n;
        return true;
    }
    if (starts(text, "repeat=", &rest)) {
        if (!number(r, rest, 1, UINT8_MAX, &n)) return false;
        e->repeats = (uint8_t)n;
        return true;
    }
    if (starts(text, "name=", &rest)) return (e->name = copied(r, rest)) != NULL;
    return wrong(r, "`%.*s` is none of in=, list=, min=, max=, repeat=, name= of a simple element", SHUNT_TEXT_ARGS(text));
}

/* `05  R  in=A,B`, a component `05-2`, a run `05..09  N`. */
static bool element_line(reading *r)
{
    shunt_text text = field(r, 0);
    uint32_t   from = 0, to = 0, component = 0;
    if (!r->segment) return wrong(r, "element lines stand one deeper than their segment");
    const char *dots = text.length > 3 ? memchr(text.bytes, '.', text.length - 1) : NULL;
    if (dots && dots[1] == '.') {
        shunt_text first = { text.bytes, (uint32_t)(dots - text.bytes) };
        component = 0;
        if (!number(r, first, 1, POSITIONS, &from)) return false;
        if (!number(r, (shunt_text){ dots + 2, text.length - first.length - 2 }, from, POSITIONS, &to)) return false;
    } else {
        if (!place(r, text, &from, &component)) return false;
        to = from;
    }
    for (uint32_t k = from; k <= to; k++) {
        shunt_element *e = own_element(r, k, component);
        if (!e || !usage(r, field(r, 1), &e->usage)) return false;
        for (uint32_t a = 2; a < r->line.count; a++)
            if (!attribute(r, e, r->line.fields[a])) return false;
    }
    return true;
}

/* In a guide that restates a segment, what has no line is not used: all elements, and all components of a composite with lines. */
static bool guide_element(reading *r)
{
    shunt_segment_node *s = r->segment;
    uint32_t            from = 0, component = 0;
    shunt_text          text = field(r, 0);
    if (s && !r->restated) {
        if (!own_elements(r)) return false;
        for (uint16_t i = 0; i < s->element_count; i++) ((shunt_element *)(uintptr_t)s->elements)[i].usage = SHUNT_NOT_USED;
    }
    if (s && memchr(text.bytes, '-', text.length) && place(r, text, &from, &component) && component == 1) {
        for (uint32_t c = 1; from <= s->element_count && c <= s->elements[from - 1].component_count; c++) {
            shunt_element *e = own_element(r, from, c);
            if (!e) return false;
            e->usage = SHUNT_NOT_USED;
        }
    }
    return r->status == SHUNT_OK && element_line(r);
}

/* ---- guides ---- */

static shunt_entry *add_entry(reading *r, draft *d)
{
    if (d->count == ENTRIES) return wrong(r, "more than %d entries in one loop", ENTRIES), NULL;
    if (d->count == d->room) {
        uint32_t     room = d->room ? d->room * 2 : 8;
        shunt_entry *more = SHUNT_NEW_N(r->arena, shunt_entry, room);
        if (!more) return lacking(r), NULL;
        if (d->count) memcpy(more, d->entries, d->count * sizeof *more);
        d->entries = more;
        d->room = room;
    }
    return &d->entries[d->count++];
}

static uint16_t last_position(const draft *d)
{
    if (!d->count) return 0;
    const shunt_entry *e = &d->entries[d->count - 1];
    return e->segment ? e->segment->position : e->loop->position;
}

static bool close_loops(reading *r, uint32_t depth)
{
    for (; r->depth > depth; r->depth--) {
        draft *d = &r->open[r->depth];
        if (!d->count) return wrong(r, "loop %s is empty", d->loop->id);
        if (!d->entries[0].segment) return wrong(r, "loop %s does not begin with a segment", d->loop->id);
        d->loop->body = d->entries;
        d->loop->body_count = (uint16_t)d->count;
    }
    return true;
}

static bool guide_loop(reading *r)
{
    uint32_t position = 0;
    if (r->line.count != 6) return wrong(r, "a loop has id, usage, repeats, position and name");
    if (r->line.depth > r->depth || r->line.depth >= DEPTH) return wrong(r, "indented too far");
    if (!close_loops(r, r->line.depth)) return false;
    draft       *around = &r->open[r->depth];
    shunt_loop  *loop = SHUNT_NEW(r->arena, shunt_loop);
    shunt_entry *entry = add_entry(r, around);
    if (!loop) return lacking(r);
    if (!entry) return false;
    *loop = (shunt_loop){ .id = copied(r, field(r, 1)), .name = copied(r, field(r, 5)), .parent = around->loop };
    entry->loop = loop;
    entry->segment = NULL;
    if (!loop->id || !loop->name) return false;
    if (is(field(r, 2), "-") || !usage(r, field(r, 2), &loop->usage) || is(field(r, 3), "-") ||
        !limit(r, field(r, 3), &loop->max))
        return wrong(r, "a loop has usage R, S or N and most repeats");
    if (!number(r, field(r, 4), 0, UINT16_MAX, &position)) return false;
    loop->position = (uint16_t)position;
    around->count--;
    bool falls = position < last_position(around);
    around->count++;
    if (falls) return wrong(r, "position %u falls", position);
    r->open[++r->depth] = (draft){ .loop = loop };
    r->segment = NULL;
    return true;
}

static bool guide_segment(reading *r)
{
    uint32_t position = 0, element = 0, component = 0;
    if (r->line.count != 7) return wrong(r, "a segment has id, usage, repeats, position, key and name");
    if (r->line.depth > r->depth) return wrong(r, "indented too far");
    if (!close_loops(r, r->line.depth)) return false;
    const shunt_segment_node *layout = shunt_segment_find((shunt_text){ r->release, 6 }, field(r, 1));
    if (!layout) return wrong(r, "release %s has no segment %.*s", r->release, SHUNT_TEXT_ARGS(field(r, 1)));
    draft              *around = &r->open[r->depth];
    shunt_segment_node *s = SHUNT_NEW(r->arena, shunt_segment_node);
    if (!s) return lacking(r);
    *s = *layout;
    s->name = copied(r, field(r, 6));
    s->usage = SHUNT_SITUATIONAL;
    s->max = 1;
    if (!s->name || !number(r, field(r, 4), 0, UINT16_MAX, &position)) return false;
    if (position < last_position(around)) return wrong(r, "position %u falls", position);
    s->position = (uint16_t)position;
    if (!usage(r, field(r, 2), &s->usage) || !limit(r, field(r, 3), &s->max)) return false;
    if (!is(field(r, 5), "-")) {
        if (!key(r, field(r, 5), &element, &component, &s->key)) return false;
        const shunt_element *e = shunt_node_element(s, element, component);
        if (!e || e->component_count) return wrong(r, "the key does not point at a simple element");
        s->key_element = (uint8_t)element;
        s->key_component = (uint8_t)component;
    }
    shunt_entry *entry = add_entry(r, around);
    if (!entry) return false;
    entry->segment = s;
    entry->loop = NULL;
    r->segment = s;
    r->restated = false;
    r->segment_depth = r->line.depth;
    return true;
}

static bool read_guide(reading *r)
{
    shunt_guide *g = r->guide;
    shunt_loop  *body = SHUNT_NEW(r->arena, shunt_loop);
    if (!body) return lacking(r);
    if (r->line.count != 9)
        return wrong(r, "a guide has standard, set, version, family, release, GS01, health or trade, and a name");
    *g = (shunt_guide){ .standard = SHUNT_STANDARD_X12,
                        .set = copied(r, field(r, 2)),
                        .version = copied(r, field(r, 3)),
                        .family = copied(r, field(r, 4)),
                        .functional_id = is(field(r, 6), "-") ? "" : copied(r, field(r, 6)),
                        .name = copied(r, field(r, 8)),
                        .health_care = is(field(r, 7), "health"),
                        .body = body };
    if (!g->set || !g->version || !g->family || !g->functional_id || !g->name) return false;
    if (!is(field(r, 7), "health") && !is(field(r, 7), "trade")) return wrong(r, "a guide is health or trade");
    if (field(r, 5).length != 6 || !shunt_segment_find(field(r, 5), SHUNT_TEXT("ST")))
        return wrong(r, "there are no layouts of release %.*s; 004010 and 005010 are known", SHUNT_TEXT_ARGS(field(r, 5)));
    memcpy(r->release, field(r, 5).bytes, 6);
    *body = (shunt_loop){ .id = "", .name = g->name, .usage = SHUNT_REQUIRED, .max = 1 };
    r->open[0] = (draft){ .loop = body };
    while (next_line(r)) {
        bool fine;
        if (is(field(r, 0), "loop"))
            fine = guide_loop(r);
        else if (is(field(r, 0), "segment"))
            fine = guide_segment(r);
        else
            fine = r->segment && r->line.depth != r->segment_depth + 1
                       ? wrong(r, "element lines stand one deeper than their segment")
                       : guide_element(r);
        if (!fine) return false;
    }
    if (r->status != SHUNT_OK || !close_loops(r, 0)) return false;
    body->body = r->open[0].entries;
    body->body_count = (uint16_t)r->open[0].count;
    if (!body->body_count || !body->body[0].segment || strcmp(body->body[0].segment->id, "ST") != 0)
        return wrong(r, "a guide begins with segment ST");
    return true;
}

/* ---- overlays ---- */

static shunt_loop *copy_loop(reading *r, const shunt_loop *from, const shunt_loop *parent)
{
    shunt_loop  *loop = SHUNT_NEW(r->arena, shunt_loop);
    shunt_entry *body = SHUNT_NEW_N(r->arena, shunt_entry, from->body_count + 1u);
    if (!loop || !body) return lacking(r), NULL;
    *loop = *from;
    loop->parent = parent;
    loop->body = body;
    for (uint16_t i = 0; i < from->body_count; i++) {
        body[i] = from->body[i];
        if (!from->body[i].loop) continue;
        body[i].loop = copy_loop(r, from->body[i].loop, loop);
        if (!body[i].loop) return NULL;
    }
    return loop;
}

/* Where the copy has what `loop` is in the original. */
static const shunt_loop *same_loop(const shunt_loop *from, const shunt_loop *copy, const shunt_loop *loop)
{
    if (from == loop) return copy;
    for (uint16_t i = 0; i < from->body_count; i++) {
        const shunt_loop *found = from->body[i].loop ? same_loop(from->body[i].loop, copy->body[i].loop, loop) : NULL;
        if (found) return found;
    }
    return NULL;
}

/* The n-th loop with this id, in the order of the tree. */
static shunt_loop *find_loop(shunt_loop *loop, shunt_text id, uint32_t *n)
{
    if (is(id, loop->id) && (*n)-- == 0) return loop;
    for (uint16_t i = 0; i < loop->body_count; i++) {
        shunt_loop *found = loop->body[i].loop ? find_loop((shunt_loop *)(uintptr_t)loop->body[i].loop, id, n) : NULL;
        if (found) return found;
    }
    return NULL;
}

/* What stands below an `at` holds for every loop with its id: it is read once for each. */
static bool begin_place(reading *r, shunt_loop *body, shunt_text id, uint32_t nth)
{
    uint32_t n = nth;
    r->segment = NULL;
    r->place = find_loop(body, id, &n);
    r->place_id = id;
    r->place_nth = nth;
    if (nth == 0) {
        r->block_at = r->at;
        r->block_number = r->number;
    }
    return r->place != NULL;
}

/* At the end of a block: true where it is read again, for the next loop with the id. */
static bool next_place(reading *r, shunt_loop *body, const char *again, uint32_t number_again)
{
    shunt_loop *held = r->place;
    if (begin_place(r, body, r->place_id, r->place_nth + 1)) {
        r->at = r->block_at;
        r->number = r->block_number;
        return true;
    }
    r->place = held;
    r->at = again;
    r->number = number_again;
    return false;
}

/* The entry that `ID` with a key names, in the loop of `at`; of several without a key the first. */
static bool find_entry(reading *r, shunt_text id, shunt_text qualifier, uint16_t *at)
{
    for (uint16_t i = 0; i < r->place->body_count; i++) {
        const shunt_segment_node *s = r->place->body[i].segment;
        const shunt_loop         *l = r->place->body[i].loop;
        if (s ? !is(id, s->id) : !is(id, l->id)) continue;
        if (s && !is(qualifier, "-")) {
            const char *equals = memchr(qualifier.bytes, '=', qualifier.length);
            if (!equals) return wrong(r, "`%.*s` is not POSITION=VALUE", SHUNT_TEXT_ARGS(qualifier));
            shunt_text value = { equals + 1, qualifier.length - (uint32_t)(equals + 1 - qualifier.bytes) };
            if (!s->key || !shunt_codeset_has(s->key, value)) continue;
        }
        *at = i;
        return true;
    }
    return wrong(r, "loop %s has no %.*s %.*s", r->place->id, SHUNT_TEXT_ARGS(id), SHUNT_TEXT_ARGS(qualifier));
}

/* `segment ID USAGE REPEATS KEY`, all behind the id optional; `loop ID USAGE REPEATS`. */
static bool narrow_entry(reading *r)
{
    bool        loop = is(field(r, 0), "loop");
    uint16_t    at = 0;
    shunt_entry entry;
    if (r->line.count < 2 || r->line.count > (loop ? 4u : 5u))
        return wrong(r, "write `segment ID USAGE REPEATS KEY` or `loop ID USAGE REPEATS`");
    if (!find_entry(r, field(r, 1), loop ? SHUNT_TEXT("-") : field(r, 4), &at)) return false;
    entry = r->place->body[at];
    r->segment = NULL;
    if (loop != (entry.loop != NULL)) return wrong(r, "%.*s is no %s", SHUNT_TEXT_ARGS(field(r, 1)), loop ? "loop" : "segment");
    if (loop) {
        shunt_loop *l = (shunt_loop *)(uintptr_t)entry.loop;
        return usage(r, field(r, 2), &l->usage) && limit(r, field(r, 3), &l->max);
    }
    shunt_segment_node *s = SHUNT_NEW(r->arena, shunt_segment_node);
    if (!s) return lacking(r);
    *s = *entry.segment;
    ((shunt_entry *)(uintptr_t)r->place->body)[at].segment = s;
    r->segment = s;
    r->restated = false;
    return usage(r, field(r, 2), &s->usage) && limit(r, field(r, 3), &s->max);
}

/* "CLM05-3" as segment and place. */
static bool element_name(reading *r, shunt_text text, shunt_text *segment, uint32_t *element, uint32_t *component)
{
    uint32_t letters = 0, digits = 0;
    while (letters < text.length && text.bytes[letters] != '-') letters++;
    while (digits < 2 && letters > 2 && text.bytes[letters - 1 - digits] >= '0' && text.bytes[letters - 1 - digits] <= '9')
        digits++;
    if (digits != 2) return wrong(r, "`%.*s` is no element, like CLM05-3", SHUNT_TEXT_ARGS(text));
    *segment = (shunt_text){ text.bytes, letters - 2 };
    return place(r, (shunt_text){ text.bytes + letters - 2, text.length - letters + 2 }, element, component);
}

/* `require WHAT KEY when ELEMENT VALUES`, `forbid ...`; `unless` for none of the values; no values: where the element holds any. */
static bool condition(reading *r)
{
    r->segment = NULL;
    shunt_text segment;
    uint32_t   element = 0, component = 0;
    uint16_t   then, when;
    bool       unless = is(field(r, 3), "unless");
    if (r->line.count < 5 || r->line.count > 6 || (!unless && !is(field(r, 3), "when")) || (unless && r->line.count < 6))
        return wrong(r, "write `require ID KEY when ELEMENT VALUES`, KEY - for any; or forbid, or unless");
    if (r->condition_count == 64) return wrong(r, "more than 64 conditions");
    if (!find_entry(r, field(r, 1), field(r, 2), &then)) return false;
    if (!element_name(r, field(r, 4), &segment, &element, &component)) return false;
    if (!find_entry(r, segment, SHUNT_TEXT("-"), &when)) return false;
    const shunt_segment_node *s = r->place->body[when].segment;
    if (!s || !shunt_node_element(s, element, component)) return wrong(r, "there is no %.*s", SHUNT_TEXT_ARGS(field(r, 4)));
    shunt_condition *c = &r->conditions[r->condition_count];
    *c = (shunt_condition){ .loop = r->place,
                            .when = when,
                            .element = (uint16_t)element,
                            .component = (uint16_t)component,
                            .negated = unless,
                            .forbidden = is(field(r, 0), "forbid"),
                            .then = then };
    shunt_text words = SHUNT_TEXT("");
    for (uint32_t i = 0; i < r->line.count; i++) {
        if (is(field(r, i), "-")) continue;
        words = shunt_text_format(r->arena, "%.*s%s%.*s", SHUNT_TEXT_ARGS(words), i ? " " : "", SHUNT_TEXT_ARGS(field(r, i)));
        if (!words.bytes) return lacking(r);
    }
    c->words = copied(r, words);
    if (r->line.count == 6) c->values = values(r, field(r, 5));
    if (!c->words || (r->line.count == 6 && !c->values)) return false;
    r->condition_count++;
    return true;
}

static bool read_overlay(reading *r, shunt_conditions *before)
{
    if (r->line.count < 4 || r->line.count > 5) return wrong(r, "an overlay has standard, set, version and a name");
    const shunt_guide *base = shunt_definition_find(r->set, SHUNT_STANDARD_X12, field(r, 2), field(r, 3));
    if (!base) return wrong(r, "there is no guide %.*s %.*s", SHUNT_TEXT_ARGS(field(r, 2)), SHUNT_TEXT_ARGS(field(r, 3)));
    shunt_loop *body = copy_loop(r, base->body, NULL);
    if (!body) return false;
    *r->guide = *base;
    r->guide->body = body;
    if (r->line.count == 5 && !(r->guide->name = copied(r, field(r, 4)))) return false;
    (void)begin_place(r, body, SHUNT_TEXT(""), 0);
    /* Conditions of what is narrowed once more stand on, in the loops of the copy. */
    *before = shunt_definition_conditions(r->set, base);
    for (uint32_t i = 0; i < before->count; i++) {
        r->conditions[i] = before->items[i];
        r->conditions[i].loop = same_loop(base->body, body, before->items[i].loop);
    }
    r->condition_count = before->count;
    for (;;) {
        bool more = next_line(r), fine;
        if (r->status != SHUNT_OK) return false;
        bool at = more && r->line.depth == 0 && is(field(r, 0), "at");
        if ((at || !more) && r->place_id.length && next_place(r, body, r->at, r->number)) continue;
        if (!more) return true;
        if (at)
            fine = (r->line.count == 2 && begin_place(r, body, is(field(r, 1), "-") ? SHUNT_TEXT("") : field(r, 1), 0)) ||
                   wrong(r, "write `at LOOP`, a loop of the guide, or `at -` for the set itself");
        else if (is(field(r, 0), "segment") || is(field(r, 0), "loop"))
            fine = narrow_entry(r);
        else if (is(field(r, 0), "require") || is(field(r, 0), "forbid"))
            fine = condition(r);
        else
            fine = element_line(r);
        if (!fine) return false;
    }
}

/* ---- the interface ---- */

static bool same_guide(const shunt_guide *a, const shunt_guide *b)
{
    return a->standard == b->standard && !strcmp(a->set, b->set) && !strcmp(a->version, b->version);
}

shunt_status shunt_definition_read(shunt_arena *arena, shunt_text text, shunt_definition_set *set, shunt_definition_fault *fault)
{
    shunt_conditions before = { 0 };
    *fault = (shunt_definition_fault){ 0 };
    reading *r = SHUNT_NEW(arena, reading);
    if (!r) return SHUNT_NO_MEMORY;
    *r = (reading){ .arena = arena, .set = set, .fault = fault, .at = text.bytes, .end = text.bytes + text.length };
    r->guide = SHUNT_NEW(arena, shunt_guide);
    r->conditions = SHUNT_NEW_N(arena, shunt_condition, 64);
    if (!r->guide || !r->conditions) return SHUNT_NO_MEMORY;
    if (text.length > SHUNT_DEFINITION_BYTES) (void)wrong(r, "the file is larger than %d MiB", SHUNT_DEFINITION_BYTES >> 20);
    if (set->count == SHUNT_DEFINITIONS_AT_MOST) (void)wrong(r, "more than %d definitions", SHUNT_DEFINITIONS_AT_MOST);
    if (r->status == SHUNT_OK && !next_line(r)) (void)wrong(r, "nothing in it");
    if (r->status == SHUNT_OK) {
        bool x12 = is(field(r, 1), "X12");
        if (x12 && r->line.depth == 0 && is(field(r, 0), "guide"))
            (void)read_guide(r);
        else if (x12 && r->line.depth == 0 && is(field(r, 0), "overlay"))
            (void)read_overlay(r, &before);
        else
            (void)wrong(r, "a definition begins with `guide X12 ...` or `overlay X12 ...`, fields apart by tabs");
    }
    if (r->status != SHUNT_OK) return r->status;
    uint32_t at = 0;
    while (at < set->count && !same_guide(set->items[at].guide, r->guide)) at++;
    set->items[at] = (shunt_definition){ r->guide, { r->conditions, r->condition_count } };
    if (at == set->count) set->count++;
    return SHUNT_OK;
}

const shunt_guide *shunt_definition_find(const shunt_definition_set *set, shunt_standard standard, shunt_text name,
                                         shunt_text version)
{
    const shunt_guide *shipped = shunt_guide_find(standard, name, version);
    if (shipped && !shunt_text_is(version, shipped->version)) {
        /* By family: a definition of the very version comes first. */
        for (uint32_t i = 0; set && i < set->count; i++)
            if (shunt_text_is(name, set->items[i].guide->set) && shunt_text_is(version, set->items[i].guide->version))
                return set->items[i].guide;
    }
    for (uint32_t i = 0; set && i < set->count; i++) {
        const shunt_guide *g = set->items[i].guide;
        if (shipped ? same_guide(g, shipped)
                    : g->standard == standard && shunt_text_is(name, g->set) && shunt_guide_fits(g, version))
            return g;
    }
    return shipped;
}

const shunt_guide *shunt_definition_guide_at(const shunt_definition_set *set, uint32_t index)
{
    uint32_t count = set ? set->count : 0;
    if (index < count) return set->items[index].guide;
    index -= count;
    for (uint32_t i = 0;; i++) {
        const shunt_guide *guide = shunt_guide_at(i);
        bool               stood_for = false;
        for (uint32_t k = 0; k < count && guide; k++) stood_for = stood_for || same_guide(guide, set->items[k].guide);
        if (!guide || (!stood_for && index-- == 0)) return guide;
    }
}

shunt_conditions shunt_definition_conditions(const shunt_definition_set *set, const shunt_guide *guide)
{
    for (uint32_t i = 0; set && i < set->count; i++)
        if (set->items[i].guide == guide) return set->items[i].conditions;
    return (shunt_conditions){ 0 };
}
