/* look_hl7.c - HL7 v2 messages as trees of groups, segments and fields, or the values at a path like `PID-5[2].1`. */
#include <stdio.h>

#include "api/hl7_path.h"
#include "api/look.h"
#include "dsl/plan_maker.h"
#include "standards/hl7/reader.h"
#include "standards/hl7/text.h"

enum { VERSION = 12, ID = SHUNT_HL7_PATH_ID };

struct hl7 {
    shunt_plan        plan; /* of the first message's guide, for its groups */
    shunt_hl7_path    wanted;
    shunt_delims      delims;
    shunt_hl7_charset charset;
    char              version[VERSION]; /* of the dictionary, nearest to the message's */
    uint32_t          seen;             /* segments of the wanted id in the message */
    unsigned          depth;
    shunt_buffer      decoded;
};

static struct hl7 *own(const shunt_inspector *inspector) { return inspector->own[SHUNT_STANDARD_HL7]; }

/* ---- values ---- */

/* The segments whose first field is the separator itself. */
static bool is_header(const shunt_segment *segment)
{
    const char *id = (const char *)segment->bytes;
    return segment->length > ID && (memcmp(id, "MSH", ID) == 0 || memcmp(id, "FHS", ID) == 0 || memcmp(id, "BHS", ID) == 0);
}

static look_value field_of(const shunt_segment *segment, unsigned field)
{
    if (!is_header(segment)) return look_element(segment, field);
    if (field == 1) return (look_value){ (const char *)segment->bytes + ID, 1, segment->at + ID, 1 };
    return look_element(segment, field - 1);
}

static bool has(look_value v, uint8_t byte) { return byte && v.length && memchr(v.bytes, byte, v.length) != NULL; }

/* What has parts is shown as it stands, in UTF-8; of what has none the escapes are undone. Borrowed until the next call. */
static look_value meant(shunt_inspector *inspector, look_value v, bool separators)
{
    struct hl7  *x = own(inspector);
    shunt_delims delims = x->delims;
    shunt_text   text;
    if (separators || inspector->options.raw || !v.length) return v;
    if (has(v, delims.component) || has(v, delims.subcomponent) || has(v, delims.repetition)) delims.escape = 0;
    x->decoded.length = 0;
    shunt_hl7_decoded decoded = shunt_hl7_decode((const uint8_t *)v.bytes, v.length, &delims, x->charset, &x->decoded, &text);
    if (x->decoded.failed) inspector->out.failed = true;
    if (decoded == HL7_DECODED_BAD || x->decoded.failed) return v;
    return (look_value){ text.bytes, text.length, v.at, v.size };
}

static void put(shunt_inspector *inspector, const shunt_segment *segment, look_value v, bool separators)
{
    look_put(inspector, meant(inspector, v, separators), segment->number);
}

static bool passes(const struct hl7 *x, look_value repetition)
{
    look_value one, two;
    if (!x->wanted.filtered) return true;
    if (!look_part(repetition, x->delims.component, x->wanted.where_component, &one)) return false;
    if (!look_part(one, x->delims.subcomponent, x->wanted.where_subcomponent ? x->wanted.where_subcomponent : 1, &two))
        return false;
    if (!x->wanted.where_subcomponent) two = one;
    return shunt_text_equal((shunt_text){ two.bytes, two.length }, x->wanted.where);
}

static void get_segment(shunt_inspector *inspector, const shunt_segment *segment)
{
    struct hl7           *x = own(inspector);
    const shunt_hl7_path *w = &x->wanted;
    if (segment->length < ID || memcmp(segment->bytes, w->segment, ID) != 0) return;
    if (segment->length > ID && segment->bytes[ID] != x->delims.element) return;
    if (++x->seen != w->nth && w->nth) return;
    if (w->name) {
        look_put(inspector, (look_value){ (const char *)segment->bytes, ID, segment->at, ID }, segment->number);
        return;
    }
    if (!w->field) {
        put(inspector, segment, look_element(segment, 0), false);
        return;
    }
    look_value whole = field_of(segment, w->field), repetition, one, two;
    if (is_header(segment) && w->field <= 2) { /* separators separate nothing here */
        if (w->repetition <= 1 && w->component <= 1 && w->subcomponent <= 1 && !w->filtered) put(inspector, segment, whole, true);
        return;
    }
    look_parts parts = look_split(whole, x->delims.repetition);
    for (unsigned r = 1; look_next(&parts, &repetition); r++) {
        if ((w->repetition && r != w->repetition) || !passes(x, repetition)) continue;
        one = repetition;
        if (w->component && !look_part(repetition, x->delims.component, w->component, &one)) continue;
        two = one;
        if (w->subcomponent && !look_part(one, x->delims.subcomponent, w->subcomponent, &two)) continue;
        put(inspector, segment, two, false);
    }
}

/* ---- inspect ---- */

static void show_leaf(shunt_inspector *inspector, const char *label, const shunt_element *element, look_value v, bool separators)
{
    if (!v.length) return;
    look_indent(inspector, own(inspector)->depth + 2);
    shunt_buffer_format(&inspector->out, "%-13s %-40s ", label, element ? element->name : "not in the dictionary");
    look_show(inspector, meant(inspector, v, separators), element ? element->phi : (uint32_t)SHUNT_PHI_FREE_TEXT);
    shunt_buffer_char(&inspector->out, '\n');
}

/* Parts of a value, those of a component below it; where the dictionary has none, the whole. */
static void show_parts(shunt_inspector *inspector, const char *label, const shunt_element *element, look_value v, int level)
{
    const struct hl7 *x = own(inspector);
    uint8_t           separator = level ? x->delims.subcomponent : x->delims.component;
    look_value        one;
    bool              parts = level < 2 && (has(v, separator) || (element && element->component_count && level == 0));
    if (!parts) {
        show_leaf(inspector, label, element, v, false);
        return;
    }
    look_parts all = look_split(v, separator);
    for (unsigned k = 1; look_next(&all, &one); k++) {
        const shunt_element *below = element && k <= element->component_count ? &element->components[k - 1] : NULL;
        char                 name[64];
        snprintf(name, sizeof name, "%.40s.%u", label, k);
        if (one.length) show_parts(inspector, name, below, one, level + 1);
    }
}

static void show_segment(shunt_inspector *inspector, const shunt_segment *segment)
{
    struct hl7   *x = own(inspector);
    shunt_buffer *out = &inspector->out;
    uint32_t      length = segment->offsets[1] - 1 < segment->length ? segment->offsets[1] - 1 : segment->length;
    shunt_text    id = { (const char *)segment->bytes, is_header(segment) ? ID : length };
    if (id.length > ID) id.length = ID;
    const shunt_segment_node *node = shunt_segment_find(shunt_text_of(x->version), id);
    unsigned                  shift = is_header(segment);
    look_indent(inspector, x->depth + 1);
    shunt_buffer_format(out, "%.*s  %s\n", SHUNT_TEXT_ARGS(id), node ? node->name : "not in the dictionary");
    for (unsigned k = 1; k <= segment->elements; k++) {
        const shunt_element *element = node ? shunt_node_element(node, k + shift, 0) : NULL;
        look_value           whole = look_element(segment, k), repetition;
        char                 label[24];
        if (shift && k == 1) {
            snprintf(label, sizeof label, "%.*s-2", SHUNT_TEXT_ARGS(id));
            show_leaf(inspector, label, element, whole, true);
            continue;
        }
        look_parts parts = look_split(whole, x->delims.repetition);
        for (unsigned r = 1; look_next(&parts, &repetition); r++) {
            if (r == 1)
                snprintf(label, sizeof label, "%.*s-%u", SHUNT_TEXT_ARGS(id), k + shift);
            else
                snprintf(label, sizeof label, "%.*s-%u[%u]", SHUNT_TEXT_ARGS(id), k + shift, r);
            if (repetition.length) show_parts(inspector, label, element, repetition, 0);
        }
    }
}

static void show_begin(shunt_inspector *inspector, const shunt_event *event)
{
    shunt_buffer *out = &inspector->out;
    const char   *scope = event->scope == SHUNT_SCOPE_TRANSACTION ? "message"
                          : event->scope == SHUNT_SCOPE_BATCH     ? "batch"
                                                                  : "file";
    shunt_buffer_z(out, scope);
    const shunt_text texts[] = { event->set, event->control, event->version };
    for (size_t i = 0; i < SHUNT_COUNT(texts); i++)
        if (texts[i].length) {
            shunt_buffer_z(out, "  ");
            look_text(inspector, texts[i]);
        }
    if (event->sender.length) {
        shunt_buffer_z(out, "  from ");
        look_text(inspector, event->sender);
    }
    if (event->receiver.length) {
        shunt_buffer_z(out, "  to ");
        look_text(inspector, event->receiver);
    }
    shunt_buffer_char(out, '\n');
}

/* ---- events ---- */

static const shunt_guide *guide_of(const shunt_event *event)
{
    bool exact;
    return shunt_hl7_guide_nearest(event->set, event->version, &exact);
}

static void begin(shunt_inspector *inspector, const shunt_event *event)
{
    struct hl7 *x = own(inspector);
    x->delims = event->delims;
    x->seen = 0;
    x->depth = 0;
    x->charset = (shunt_hl7_charset){ 0 };
    look_begin(inspector, event);
    if (event->scope == SHUNT_SCOPE_TRANSACTION) {
        const shunt_guide *guide = guide_of(event);
        const char        *version = guide ? guide->version : "2.5.1";
        snprintf(x->version, sizeof x->version, "%s", version);
    } else if (!x->version[0]) {
        snprintf(x->version, sizeof x->version, "2.5.1");
    }
    if (!inspector->path) show_begin(inspector, event);
}

static void take_segment(shunt_inspector *inspector, const shunt_event *event)
{
    struct hl7 *x = own(inspector);
    x->delims = event->delims;
    if (is_header(event->segment)) {
        look_value first, names = field_of(event->segment, 18);
        if (look_part(names, x->delims.repetition, 1, &first))
            x->charset = shunt_hl7_charset_find((shunt_text){ first.bytes, first.length });
    }
    if (inspector->path)
        get_segment(inspector, event->segment);
    else
        show_segment(inspector, event->segment);
}

static void enter(shunt_inspector *inspector, const shunt_event *event)
{
    struct hl7 *x = own(inspector);
    x->depth++;
    if (inspector->path) return;
    look_indent(inspector, x->depth);
    shunt_buffer_format(&inspector->out, "group %.*s\n", SHUNT_TEXT_ARGS(x->plan.texts[x->plan.loops[event->loop].id]));
}

static void event(shunt_inspector *inspector, const shunt_event *event)
{
    struct hl7 *x = own(inspector);
    switch (event->step) {
    case SHUNT_STEP_BEGIN: begin(inspector, event); break;
    case SHUNT_STEP_SEGMENT: take_segment(inspector, event); break;
    case SHUNT_STEP_ENTER: enter(inspector, event); break;
    case SHUNT_STEP_LEAVE: x->depth -= x->depth > 0; break;
    case SHUNT_STEP_FINISH:
    case SHUNT_STEP_ABANDON: x->depth = 0; break;
    case SHUNT_STEP_FAULT: /* that nothing lists the message is no matter here */
        if (event->code != SHUNT_HL7_UNMAPPED) look_fault(inspector, event, x->depth + 1);
        break;
    default: break;
    }
}

/* ---- making ---- */

static struct hl7 *make(shunt_inspector *inspector)
{
    struct hl7 *x = SHUNT_NEW(inspector->arena, struct hl7);
    if (x) shunt_buffer_init(&x->decoded, &inspector->memory);
    return inspector->own[SHUNT_STANDARD_HL7] = x;
}

static const char *parse(shunt_inspector *inspector, const char *path)
{
    struct hl7 *x = make(inspector);
    return x ? shunt_hl7_path_parse(path, &x->wanted) : "no memory";
}

/* The guide of the first message, if its header is among the bytes (`*met`): its groups are shown, and those of all messages of
 * its kind. */
static const char *plan_groups(shunt_inspector *inspector, shunt_text bytes, shunt_plan *plan, bool *met)
{
    static const shunt_plan nothing;
    shunt_event             event;
    const shunt_guide      *guide = NULL;
    shunt_reader           *reader = shunt_hl7_reader_new(&inspector->memory, &nothing, NULL);
    if (!reader) return "no memory";
    reader->ops->feed(reader, (const uint8_t *)bytes.bytes, bytes.length, false);
    *met = false;
    for (shunt_step step = SHUNT_STEP_FAULT; !*met && step != SHUNT_STEP_NEED_INPUT && step != SHUNT_STEP_FAILED;) {
        step = reader->ops->next(reader, &event);
        if (step != SHUNT_STEP_BEGIN || event.scope != SHUNT_SCOPE_TRANSACTION) continue;
        guide = guide_of(&event);
        *met = true;
    }
    reader->ops->free(reader);
    if (!guide) return NULL;
    return shunt_plan_make(inspector->arena, &guide, 1, NULL, 0, plan) == SHUNT_OK ? NULL : "no memory";
}

static const char *open(shunt_inspector *inspector, shunt_text bytes, bool whole)
{
    struct hl7       *x = own(inspector) ? own(inspector) : make(inspector);
    shunt_hl7_options options = { .display = true };
    bool              met = true;
    const char       *wrong = !x ? "no memory" : inspector->path ? NULL : plan_groups(inspector, bytes, &x->plan, &met);
    if (wrong || (!met && !whole)) return wrong;
    inspector->reader = shunt_hl7_reader_new(&inspector->memory, &x->plan, &options);
    return inspector->reader ? NULL : "no memory";
}

static void done(shunt_inspector *inspector)
{
    if (own(inspector)) shunt_buffer_done(&own(inspector)->decoded);
}

const look_ops look_hl7 = { parse, open, event, done };
