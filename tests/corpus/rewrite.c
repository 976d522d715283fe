/* rewrite.c - what a reader sees, written by the writer of the rules and read again, is the same. For tests/corpus/rewrite.py.
 *   rewrite x12|hl7|fhir FILE... a line each: `same NAME SEGMENTS`, `none NAME WHY` (nothing to write, or a value that has no form),
 *                             `differs NAME SEGMENT` with both sides below
 * Compared are segments with their repetitions, components and subcomponents, loops and kinds of faults. Apart from these: padding and
 * ISA01 to ISA04, empty parts at the end of what they are in, line ends. */
#include <stdio.h>
#include <stdlib.h>

#include "dsl/grow.h"
#include "dsl/plan_maker.h"
#include "engine/base/write.h"
#include "engine/vm/object.h"
#include "standards/fhir/json.h"
#include "standards/fhir/xml.h"
#include "standards/hl7/delims.h"
#include "standards/hl7/reader.h"
#include "standards/hl7/text.h"
#include "standards/x12/reader.h"

enum { GUIDES = 256, PIECE = 1 << 16 };

static bool                    hl7;
static const shunt_hl7_charset utf8 = { .set = HL7_SET_UTF8 };

static uint8_t *read_file(const char *path, size_t *size)
{
    FILE    *f = fopen(path, "rb");
    uint8_t *bytes = NULL;
    size_t   capacity = 0;
    if (!f) {
        perror(path);
        exit(2);
    }
    *size = 0;
    for (size_t got = 1; got; *size += got) {
        if (*size + PIECE > capacity) bytes = realloc(bytes, capacity = 2 * capacity + PIECE);
        if (!bytes) abort();
        got = fread(bytes + *size, 1, capacity - *size, f);
    }
    fclose(f);
    return bytes;
}

/* A pass over one input: a line a segment, loop or fault in `log`, and the input written again in `out` (NULL: not written). */
typedef struct pass {
    shunt_buffer         log, value, plain;
    shunt_buffer        *out;
    shunt_segment_writer writer;
    shunt_hl7_charset    charset;
    unsigned long        segments;
    const char          *refused; /* why it can not be written */
} pass;

/* The value as it is meant: without escapes and without the line ends of a wrapped file. */
static shunt_text meaning(pass *p, const shunt_event *e, const uint8_t *bytes, size_t size)
{
    shunt_text text = { (const char *)bytes, (uint32_t)size };
    p->plain.length = 0;
    if (hl7) {
        if (shunt_hl7_decode(bytes, (uint32_t)size, &e->delims, p->charset, &p->plain, &text) == HL7_DECODED_BAD)
            p->refused = "bytes that the character set of the message has not";
        return text;
    }
    if (!e->segment->line_ends) return text;
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != '\r' && bytes[i] != '\n') shunt_buffer_char(&p->plain, (char)bytes[i]);
    return (shunt_text){ p->plain.bytes, (uint32_t)p->plain.length };
}

/* One leaf, with its place: empty ones say nothing, so neither do those at an end. */
static void leaf(pass *p, const shunt_event *e, const unsigned place[4], const uint8_t *bytes, size_t size)
{
    bool       null = hl7 && size == 2 && memcmp(bytes, "\"\"", 2) == 0;
    shunt_text text = meaning(p, e, bytes, size);
    if (!text.length) return;
    if (p->out && !p->refused) {
        shunt_status status = null ? shunt_write_null(&p->writer) : shunt_write_text(&p->writer, text);
        if (status != SHUNT_OK) p->refused = "a value that has no form";
    }
    shunt_buffer_format(&p->log, " %u/%u/%u/%u%c", place[0], place[1], place[2], place[3], null ? '!' : '=');
    shunt_buffer_text(&p->log, text);
}

static bool next_part(const uint8_t **at, const uint8_t *end, uint8_t separator, const uint8_t **begin, const uint8_t **stop)
{
    if (!*at) return false;
    const uint8_t *found = separator && *at < end ? memchr(*at, separator, (size_t)(end - *at)) : NULL;
    *begin = *at;
    *stop = found ? found : end;
    *at = found ? found + 1 : NULL;
    return true;
}

static void element(pass *p, const shunt_event *e, unsigned k, const uint8_t *field, const uint8_t *end)
{
    const shunt_delims *d = &e->delims;
    const uint8_t      *r = field, *rb, *re, *c, *cb, *ce, *s, *sb, *se;
    unsigned            place[4] = { k, 0, 0, 0 };
    shunt_write_element(&p->writer);
    while (next_part(&r, end, d->repetition, &rb, &re)) {
        if (place[1]++) shunt_write_repetition(&p->writer);
        for (c = rb, place[2] = 0; next_part(&c, re, d->component, &cb, &ce);) {
            if (place[2]++) shunt_write_component(&p->writer);
            for (s = cb, place[3] = 0; next_part(&s, ce, d->subcomponent, &sb, &se);) {
                if (place[3]++) shunt_write_subcomponent(&p->writer);
                leaf(p, e, place, sb, (size_t)(se - sb));
            }
        }
    }
}

static shunt_text element_of(const shunt_segment *s, uint32_t k)
{
    if (k > s->elements) return (shunt_text){ 0 };
    shunt_text text = { (const char *)s->bytes + s->offsets[k], s->offsets[k + 1] - 1 - s->offsets[k] };
    while (text.length && text.bytes[text.length - 1] == ' ') text.length--;
    return text;
}

static void interchange(pass *p, const shunt_event *e)
{
    const shunt_segment *s = e->segment;
    static char          date[7], time[5], version[6];
    shunt_text           control = element_of(s, 13);
    for (uint32_t k = 5; k <= 15; k++)
        if (k != 11) shunt_buffer_format(&p->log, " %u=%.*s", k, SHUNT_TEXT_ARGS(element_of(s, k)));
    p->writer.delims = e->delims;
    if (!e->delims.component) p->refused = "an ISA without a separator of components";
    snprintf(date, sizeof date, "%.*s", SHUNT_TEXT_ARGS(element_of(s, 9)));
    snprintf(time, sizeof time, "%.*s", SHUNT_TEXT_ARGS(element_of(s, 10)));
    snprintf(version, sizeof version, "%.*s", SHUNT_TEXT_ARGS(element_of(s, 12)));
    shunt_isa isa = { .sender_qualifier = element_of(s, 5),
                      .sender = element_of(s, 6),
                      .receiver_qualifier = element_of(s, 7),
                      .receiver = element_of(s, 8),
                      .date = date,
                      .time = time,
                      .version = version,
                      .acknowledge = element_of(s, 14).length ? element_of(s, 14).bytes[0] : ' ',
                      .usage = element_of(s, 15).length ? element_of(s, 15).bytes[0] : ' ' };
    for (uint32_t i = 0; i < control.length; i++) {
        if (control.bytes[i] < '0' || control.bytes[i] > '9') p->refused = "ISA13 is no number";
        isa.control = isa.control * 10 + (uint32_t)(control.bytes[i] - '0');
    }
    if (control.length != 9) p->refused = "ISA13 has not nine digits";
    if (isa.sender.length > 15 || isa.receiver.length > 15 || element_of(s, 14).length > 1 || element_of(s, 15).length > 1)
        p->refused = "an id is longer than an ISA holds";
    if (p->out && !p->refused && shunt_write_isa(&p->writer, &isa) != SHUNT_OK) p->refused = "a value that has no form";
}

static bool is(const shunt_segment *s, const char *id)
{
    return s->offsets[1] - 1 == strlen(id) && memcmp(s->bytes, id, strlen(id)) == 0;
}

static void segment(pass *p, const shunt_event *e)
{
    const shunt_segment *s = e->segment;
    bool                 header = hl7 && (is(s, "MSH") || is(s, "FHS") || is(s, "BHS"));
    p->segments++;
    shunt_buffer_format(&p->log, "%.*s", (int)(s->offsets[1] - 1), (const char *)s->bytes);
    if (!hl7 && is(s, "ISA")) {
        interchange(p, e);
        shunt_buffer_char(&p->log, '\n');
        return;
    }
    if (!hl7 && (is(s, "BIN") || is(s, "BDS"))) p->refused = "a segment of bytes";
    if (p->out) {
        if (header) p->writer.delims = e->delims, p->writer.delims.terminator = '\r';
        shunt_write_segment(&p->writer, (shunt_text){ (const char *)s->bytes, s->offsets[1] - 1 });
    }
    uint32_t first = 1;
    if (header && s->elements >= 1) {
        shunt_text   marks = { (const char *)s->bytes + s->offsets[1], s->offsets[2] - 1 - s->offsets[1] };
        shunt_delims same;
        bool         broken;
        if (!shunt_hl7_delims_read(s->bytes, s->length, &same, &broken) || broken) p->refused = "MSH-2 is broken";
        if (p->out) shunt_buffer_char(p->out, (char)e->delims.element), shunt_buffer_text(p->out, marks);
        first = 2;
    }
    for (uint32_t k = first; k <= s->elements; k++) element(p, e, k, s->bytes + s->offsets[k], s->bytes + s->offsets[k + 1] - 1);
    if (p->out) shunt_write_end(&p->writer);
    shunt_buffer_char(&p->log, '\n');
}

/* Faults of counts and lengths are those of this input; others come again. */
static bool comes_again(shunt_status code)
{
    const char *name = shunt_status_info[code].code;
    return !strstr(name, "ISA") && !strstr(name, "LEADING") && !strstr(name, "TRAILING") && !strstr(name, "LINE") &&
           !strstr(name, "TERMINATOR") && !strstr(name, "DELIMITERS") && !strstr(name, "MLLP") && !strstr(name, "ESCAPE") &&
           !strstr(name, "CHARSET") && !strstr(name, "REPETITION");
}

/* Of what is passed over nothing can be written. */
static bool passed_over(shunt_status code)
{
    static const char *const codes[] = { "X12_STRAY",          "X12_SEGMENT_ID", "X12_TRUNCATED",
                                         "X12_SEGMENT_LENGTH", "X12_ELEMENTS",   "X12_MISPLACED",
                                         "X12_NO_GS",          "HL7_SEGMENT_ID", "HL7_FRAME" };
    for (size_t i = 0; i < SHUNT_COUNT(codes); i++)
        if (strcmp(shunt_status_info[code].code, codes[i]) == 0) return true;
    return false;
}

static void read_all(pass *p, const uint8_t *bytes, size_t size, const shunt_plan *plan)
{
    shunt_hl7_options options = { .display = true };
    shunt_reader     *reader =
        hl7 ? shunt_hl7_reader_new(&shunt_memory_libc, plan, &options) : shunt_x12_reader_new(&shunt_memory_libc, plan, NULL);
    shunt_event e;
    if (!reader) abort();
    reader->ops->feed(reader, bytes, size, true);
    bool known = false;
    for (shunt_step step; (step = reader->ops->next(reader, &e)) != SHUNT_STEP_END;) {
        if (step == SHUNT_STEP_FAILED || step == SHUNT_STEP_NEED_INPUT) abort();
        if (step == SHUNT_STEP_FAULT && comes_again(e.code))
            shunt_buffer_format(&p->log, "fault %s\n", shunt_status_info[e.code].code);
        if (step == SHUNT_STEP_FAULT && passed_over(e.code)) p->refused = "segments that are passed over";
        if (step == SHUNT_STEP_ENTER) shunt_buffer_format(&p->log, "enter %u\n", e.loop);
        if (step == SHUNT_STEP_LEAVE) shunt_buffer_format(&p->log, "leave %u\n", e.loop);
        if (step == SHUNT_STEP_SEGMENT) shunt_buffer_format(&p->log, "%u ", e.node);
        bool around = !hl7 && (step == SHUNT_STEP_BEGIN || step == SHUNT_STEP_FINISH);
        bool set = around && e.scope == SHUNT_SCOPE_TRANSACTION; /* its ST and SE come as segments */
        if (set && step == SHUNT_STEP_BEGIN) known = e.guide != SHUNT_NONE;
        if (set && !known) p->refused = "a set that no guide knows";
        if ((step == SHUNT_STEP_SEGMENT || (around && !set)) && e.segment) segment(p, &e);
    }
    reader->ops->free(reader);
}

static void pass_init(pass *p, shunt_buffer *out, shunt_hl7_charset charset)
{
    *p = (pass){ .out = out, .charset = charset };
    shunt_buffer_init(&p->log, &shunt_memory_libc);
    shunt_buffer_init(&p->value, &shunt_memory_libc);
    shunt_buffer_init(&p->plain, &shunt_memory_libc);
    p->writer = (shunt_segment_writer){ .out = out, .in_data = (uint8_t)(hl7 ? SHUNT_DATA_ESCAPE : SHUNT_DATA_REFUSE) };
}

static void pass_done(pass *p)
{
    shunt_buffer_done(&p->log);
    shunt_buffer_done(&p->value);
    shunt_buffer_done(&p->plain);
}

/* The first line that differs, of both. */
static void print_difference(const shunt_buffer *a, const shunt_buffer *b)
{
    size_t at = 0, begin = 0;
    while (at < a->length && at < b->length && a->bytes[at] == b->bytes[at]) {
        if (a->bytes[at] == '\n') begin = at + 1;
        at++;
    }
    const shunt_buffer *sides[] = { a, b };
    for (int i = 0; i < 2; i++) {
        size_t end = begin;
        while (end < sides[i]->length && sides[i]->bytes[end] != '\n') end++;
        printf("  %.*s\n", (int)(end - begin), sides[i]->bytes + begin);
    }
}

static void rewrite(const char *path, const shunt_plan *plan)
{
    size_t       size;
    uint8_t     *bytes = read_file(path, &size);
    shunt_buffer out;
    pass         first, again;
    shunt_buffer_init(&out, &shunt_memory_libc);
    pass_init(&first, &out, (shunt_hl7_charset){ .set = HL7_SET_NONE });
    read_all(&first, bytes, size, plan);
    pass_init(&again, NULL, utf8);
    again.out = NULL;
    if (!first.segments || first.refused) {
        printf("none %s %s\n", path, first.refused ? first.refused : "no segment");
    } else {
        shunt_buffer sink;
        shunt_buffer_init(&sink, &shunt_memory_libc);
        again.writer.out = &sink;
        read_all(&again, (const uint8_t *)out.bytes, out.length, plan);
        bool same = first.log.length == again.log.length && memcmp(first.log.bytes, again.log.bytes, first.log.length) == 0;
        printf("%s %s %lu\n", same ? "same" : "differs", path, first.segments);
        if (!same) print_difference(&first.log, &again.log);
        shunt_buffer_done(&sink);
    }
    pass_done(&first);
    pass_done(&again);
    shunt_buffer_done(&out);
    free(bytes);
}

/* ---- FHIR: JSON as JSON and as XML ---- */

/* What a document holds: a member or an item. */
typedef struct thing {
    struct thing *up, *first, *last, *next;
    shunt_text    name, text;
    uint8_t       kind; /* shunt_token_kind of its value */
    bool          value, array;
} thing;

typedef struct maker {
    shunt_token_sink sink; /* first: tokens come here */
    shunt_arena     *arena;
    thing           *at;
    shunt_text       key;
    bool             beside; /* has a member that is no element of XML: `_name`, or none of FHIR */
    unsigned long    count;
} maker;

static bool is_element(shunt_text name)
{
    if (!name.length || name.bytes[0] < 'a' || name.bytes[0] > 'z') return false;
    for (uint32_t i = 1; i < name.length; i++) {
        char c = name.bytes[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) return false;
    }
    return true;
}

static thing *add_thing(maker *m, const shunt_token *t)
{
    thing *made = SHUNT_NEW(m->arena, thing);
    if (!made) abort();
    *made = (thing){ .up = m->at, .name = m->key };
    if (t->op == SHUNT_TOKEN_VALUE || (t->op == SHUNT_TOKEN_ELEMENT && t->kind != SHUNT_TOKEN_NULL)) {
        made->value = true;
        made->kind = t->kind;
        made->text = shunt_text_copy(m->arena, t->text);
    }
    if (m->at->last)
        m->at->last->next = made;
    else
        m->at->first = made;
    m->at->last = made;
    m->count++;
    return made;
}

static bool take(shunt_token_sink *sink, const shunt_token *t)
{
    maker *m = (maker *)(void *)sink;
    switch ((shunt_token_op)t->op) {
    case SHUNT_TOKEN_KEY:
        m->key = shunt_text_copy(m->arena, t->text);
        m->beside = m->beside || !is_element(t->text);
        break;
    case SHUNT_TOKEN_VALUE: (void)add_thing(m, t); break;
    case SHUNT_TOKEN_OBJECT:
    case SHUNT_TOKEN_ELEMENT: m->at = add_thing(m, t); break;
    case SHUNT_TOKEN_ARRAY:
        m->at = add_thing(m, t);
        m->at->array = true;
        break;
    case SHUNT_TOKEN_OBJECT_END:
    case SHUNT_TOKEN_ARRAY_END: m->at = m->at->up; break;
    case SHUNT_TOKEN_DOCUMENT: break;
    }
    return true;
}

static bool pass_fault(shunt_token_sink *sink, shunt_status code, uint64_t at, uint32_t length, const char *detail)
{
    (void)sink, (void)code, (void)at, (void)length, (void)detail;
    return true;
}

static void maker_init(maker *m, shunt_arena *arena, thing *root)
{
    *m = (maker){ .sink = { .wants = true, .take = take, .fault = pass_fault }, .arena = arena, .at = root };
}

static bool read_json(maker *m, const uint8_t *bytes, size_t size)
{
    shunt_json *json = shunt_json_new(&shunt_memory_libc, &m->sink, 1 << 24);
    size_t      at = size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    bool        fine = false, over = false, opened = false, last = false;
    if (!json) abort();
    shunt_json_begin(json, at);
    while (!over) {
        shunt_json_step step = shunt_json_next(json);
        if (step == SHUNT_JSON_NO_MEMORY) abort();
        over = step == SHUNT_JSON_FAULT || step == SHUNT_JSON_END || (step == SHUNT_JSON_BEGIN && opened) ||
               (step == SHUNT_JSON_MORE && last);
        fine = step == SHUNT_JSON_END;
        if (step == SHUNT_JSON_BEGIN && !opened) shunt_json_open(json, false), opened = true;
        if (step == SHUNT_JSON_MORE && !last) {
            size_t piece = size - at < SHUNT_JSON_PIECE ? size - at : SHUNT_JSON_PIECE;
            last = at + piece == size;
            if (!shunt_json_feed(json, bytes + at, piece, last)) abort();
            at += piece;
        }
    }
    shunt_json_free(json);
    return fine;
}

static bool read_xml(maker *m, const uint8_t *bytes, size_t size)
{
    shunt_xml     *xml = shunt_xml_new(&shunt_memory_libc, &m->sink, 1 << 24, 0, 0);
    shunt_xml_step step = SHUNT_XML_MORE;
    if (!xml) abort();
    for (size_t at = 0, used = 0; step == SHUNT_XML_MORE; at += used)
        step = shunt_xml_feed(xml, bytes + at, size - at, true, &used);
    shunt_xml_free(xml);
    return step == SHUNT_XML_END;
}

static shunt_text member(const thing *t, const char *name)
{
    for (const thing *c = t->first; c; c = c->next)
        if (shunt_text_is(c->name, name) && c->value) return c->text;
    return (shunt_text){ 0 };
}

/* The type of a resource; an element of that name (Subscription.filterBy) holds a URL. */
static shunt_text type_of(const thing *t)
{
    shunt_text type = member(t, "resourceType");
    return type.length && memchr(type.bytes, '/', type.length) ? (shunt_text){ 0 } : type;
}

/* XML has narratives in a language of their own, and `resourceType` is the name of an element. */
static bool left_out(const thing *t, bool xml)
{
    return shunt_text_is(t->name, "resourceType") ||
           (xml && (shunt_text_is(t->name, "div") || t->kind == SHUNT_TOKEN_NULL) && t->value);
}

static bool put_thing(shunt_object_writer *w, const thing *t)
{
    shunt_status status = SHUNT_OK;
    if (t->value) {
        bool bare = t->kind != SHUNT_TOKEN_STRING, id = shunt_text_is(t->name, "id") && t->up && !type_of(t->up).length;
        bool url = shunt_text_is(t->name, "url") && t->up &&
                   (shunt_text_is(t->up->name, "extension") || shunt_text_is(t->up->name, "modifierExtension"));
        if (left_out(t, w->xml)) return true;
        return shunt_object_value(w, t->name, bare ? SHUNT_OBJECT_BARE : SHUNT_OBJECT_STRING,
                                  t->kind == SHUNT_TOKEN_NULL ? SHUNT_TEXT("null") : t->text, id || url) == SHUNT_OK;
    }
    status = t->array ? shunt_object_array(w, t->name) : shunt_object_begin(w, t->name, type_of(t));
    if (status != SHUNT_OK) return false;
    /* Attributes of XML come first. */
    for (int first = 1; first >= 0; first--)
        for (const thing *c = t->first; c; c = c->next) {
            bool attribute = w->xml && c->value && (shunt_text_is(c->name, "id") || shunt_text_is(c->name, "url"));
            if (attribute == (first == 1) && !put_thing(w, c)) return false;
        }
    if (t->array)
        shunt_object_array_end(w);
    else
        shunt_object_end(w);
    return true;
}

/* A line a value: its way with numbers, and the value. Sorted, since attributes come first. */
typedef SHUNT_LIST(const char *) line_list;

static void list_values(shunt_arena *arena, const thing *t, shunt_text way, unsigned index, bool xml, line_list *lines)
{
    if (left_out(t, xml)) return;
    shunt_text here = t->up && t->up->array && !t->name.length
                          ? way
                          : shunt_text_format(arena, "%.*s.%.*s[%u]", SHUNT_TEXT_ARGS(way), SHUNT_TEXT_ARGS(t->name), index);
    if (t->value) {
        const char **line = SHUNT_PUSH(arena, lines);
        if (!line) abort();
        *line = shunt_text_z(arena, shunt_text_format(arena, "%.*s=%.*s", SHUNT_TEXT_ARGS(here), SHUNT_TEXT_ARGS(t->text)));
    }
    unsigned at = 0;
    for (const thing *c = t->first; c; c = c->next) {
        if (t->array) { /* items have the name of the array, which says nothing itself */
            thing item = *c;
            item.name = t->name;
            list_values(arena, &item, way, at++, xml, lines);
            continue;
        }
        unsigned number = 0;
        for (const thing *b = t->first; b != c; b = b->next) number += shunt_text_equal(b->name, c->name);
        list_values(arena, c, here, number, xml, lines);
    }
}

static int compare_lines(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static bool same_values(shunt_arena *arena, const thing *a, const thing *b, bool xml, const char *path)
{
    line_list one = { 0 }, two = { 0 };
    for (const thing *c = a->first; c; c = c->next) list_values(arena, c, (shunt_text){ 0 }, 0, xml, &one);
    for (const thing *c = b->first; c; c = c->next) list_values(arena, c, (shunt_text){ 0 }, 0, xml, &two);
    if (one.count) qsort(one.items, one.count, sizeof *one.items, compare_lines);
    if (two.count) qsort(two.items, two.count, sizeof *two.items, compare_lines);
    for (uint32_t i = 0; i < one.count || i < two.count; i++) {
        const char *x = i < one.count ? one.items[i] : "nothing", *y = i < two.count ? two.items[i] : "nothing";
        if (i < one.count && i < two.count && strcmp(x, y) == 0) continue;
        printf("differs %s %s\n  %s\n  %s\n", path, xml ? "xml" : "json", x, y);
        return false;
    }
    return true;
}

static void rewrite_fhir(const char *path)
{
    shunt_arena *arena = shunt_arena_new(&shunt_memory_libc, 0);
    size_t       size;
    uint8_t     *bytes = read_file(path, &size);
    thing        root = { .array = false };
    maker        m;
    const char  *why = NULL;
    bool         same = true;
    if (!arena) abort();
    maker_init(&m, arena, &root);
    if (!read_json(&m, bytes, size) || !root.first || root.first->value || root.first->array) why = "no object of JSON";
    for (int xml = 0; xml < 2 && !why && same; xml++) {
        if (xml && (m.beside || !member(root.first, "resourceType").length)) break;
        shunt_buffer        out;
        thing               again_root = { .array = false };
        maker               again;
        shunt_object_writer w = { .out = &out, .xml = xml };
        shunt_buffer_init(&out, &shunt_memory_libc);
        maker_init(&again, arena, &again_root);
        if (!put_thing(&w, root.first)) {
            why = "a value that has no form";
        } else if (!(xml ? read_xml : read_json)(&again, (const uint8_t *)out.bytes, out.length)) {
            printf("differs %s %s\n  not read again\n  %.200s\n", path, xml ? "xml" : "json", out.length ? out.bytes : "");
            same = false;
        } else {
            same = same_values(arena, &root, &again_root, xml, path);
        }
        shunt_buffer_done(&out);
    }
    if (why) printf("none %s %s\n", path, why);
    if (!why && same) printf("same %s %lu\n", path, m.count);
    shunt_arena_free(arena);
    free(bytes);
}

int main(int count, char **words)
{
    const shunt_guide *guides[GUIDES];
    uint32_t           known = 0;
    shunt_plan         plan = { 0 };
    shunt_arena       *arena = shunt_arena_new(&shunt_memory_libc, 0);
    if (count < 3 || !arena) return 2;
    hl7 = strcmp(words[1], "hl7") == 0;
    bool fhir = strcmp(words[1], "fhir") == 0;
    for (uint32_t i = 0; !hl7 && !fhir && shunt_guide_at(i) && known < GUIDES; i++)
        if (shunt_guide_at(i)->standard == SHUNT_STANDARD_X12) guides[known++] = shunt_guide_at(i);
    if (known && shunt_plan_make(arena, guides, known, NULL, 0, &plan) != SHUNT_OK) abort();
    for (int i = 2; i < count; i++) {
        if (fhir)
            rewrite_fhir(words[i]);
        else
            rewrite(words[i], &plan);
    }
    shunt_arena_free(arena);
    return 0;
}
