/* inspect.c - looks at messages without rules: the tree of a message, or the values at a path. Here: which standard it is, by
 * the first bytes, and what all standards write alike; the rest stands in look_x12.c and its like. */
#include "api/look.h"

#include <stdio.h>

enum { INDENT = 2, HELD = 1 << 16 /* bytes of output before they are written */, HEADING = 256 };

/* Records of fixed width say nothing of themselves: they can not be looked at without a declaration. */
static const look_ops *const standards[SHUNT_STANDARD_COUNT] = { [SHUNT_STANDARD_X12] = &look_x12,
                                                                 [SHUNT_STANDARD_HL7] = &look_hl7,
                                                                 [SHUNT_STANDARD_FHIR] = &look_fhir,
                                                                 [SHUNT_STANDARD_CSV] = &look_csv };

/* ---- values ---- */

bool look_part(look_value whole, uint8_t separator, unsigned k, look_value *part)
{
    const char *at = whole.bytes, *end = whole.bytes + whole.length;
    for (;; k--) {
        const char *stop = separator ? memchr(at, separator, (size_t)(end - at)) : NULL;
        if (k == 1) {
            uint32_t length = (uint32_t)((stop ? stop : end) - at);
            *part = (look_value){ at, length, whole.at + (uint64_t)(at - whole.bytes), length };
            return true;
        }
        if (!stop) return false;
        at = stop + 1;
    }
}

look_parts look_split(look_value whole, uint8_t separator) { return (look_parts){ whole, separator, false }; }

bool look_next(look_parts *parts, look_value *part)
{
    look_value *rest = &parts->rest;
    if (parts->over) return false;
    look_part(*rest, parts->separator, 1, part);
    parts->over = part->length == rest->length;
    uint32_t passed = part->length + !parts->over;
    *rest = (look_value){ rest->bytes + passed, rest->length - passed, rest->at + passed, rest->length - passed };
    return true;
}

look_value look_element(const shunt_segment *segment, unsigned k)
{
    const char *bytes = (const char *)segment->bytes;
    if (k == 0) return (look_value){ bytes, segment->length, segment->at, segment->length };
    if (k > segment->elements) return (look_value){ bytes, 0, segment->at, 0 };
    uint32_t from = segment->offsets[k], length = segment->offsets[k + 1] - 1 - from;
    return (look_value){ bytes + from, length, segment->at + from, length };
}

/* Without the line ends of a wrapped file, unless `raw`; unprintable bytes of a terminal are shown as `?` in a tree. */
static void clean(shunt_buffer *out, look_value v, bool raw, bool tree)
{
    for (uint32_t i = 0; i < v.length; i++) {
        unsigned char c = (unsigned char)v.bytes[i];
        if (!raw && (c == '\r' || c == '\n')) continue;
        shunt_buffer_char(out, tree && (c < ' ' || c == 127) ? '?' : (char)c);
    }
}

/* One segment may hold millions of parts, each of which becomes a line: what is written does not wait for its end. A write that
 * failed is found by the next drain. */
static void relieve(shunt_inspector *inspector)
{
    shunt_buffer *out = &inspector->out;
    if (out->length <= HELD || out->failed) return;
    out->failed = !inspector->write(inspector->context, out->bytes, out->length);
    out->length = 0;
}

void look_put(shunt_inspector *inspector, look_value v, uint32_t segment)
{
    shunt_buffer *out = &inspector->out;
    if (!v.length) return;
    relieve(inspector);
    if (inspector->options.json) {
        shunt_buffer text;
        shunt_buffer_init(&text, &inspector->memory);
        clean(&text, v, inspector->options.raw, false);
        shunt_buffer_z(out, "{\"value\":");
        shunt_buffer_json(out, (shunt_text){ text.bytes, (uint32_t)text.length });
        shunt_buffer_format(out, ",\"offset\":%llu,\"length\":%u,\"segment\":%u,\"set\":", (unsigned long long)v.at, v.size,
                            segment);
        shunt_buffer_json(out, inspector->set);
        shunt_buffer_z(out, ",\"control\":");
        shunt_buffer_json(out, inspector->control);
        shunt_buffer_z(out, "}\n");
        out->failed = out->failed || text.failed;
        shunt_buffer_done(&text);
        return;
    }
    if (inspector->options.with_offset) shunt_buffer_format(out, "%llu+%u\t", (unsigned long long)v.at, v.size);
    clean(out, v, inspector->options.raw, false);
    shunt_buffer_char(out, '\n');
}

/* ---- trees ---- */

void look_text(shunt_inspector *inspector, shunt_text text)
{
    bool cut = text.length > HEADING;
    clean(&inspector->out, (look_value){ text.bytes, cut ? HEADING : text.length, 0, 0 }, false, true);
    if (cut) shunt_buffer_z(&inspector->out, "...");
}

void look_indent(shunt_inspector *inspector, unsigned depth)
{
    relieve(inspector);
    shunt_buffer_format(&inspector->out, "%*s", (int)(depth * INDENT), "");
}

void look_show(shunt_inspector *inspector, look_value v, uint32_t phi)
{
    if (!phi || inspector->options.show_phi) {
        clean(&inspector->out, v, false, true);
        return;
    }
    const char *before = "[";
    for (int i = 0; i < SHUNT_PHI_INDEX_COUNT; i++) {
        if (!(phi & 1u << i)) continue;
        shunt_buffer_format(&inspector->out, "%s%s", before, shunt_phi_name((shunt_phi_index)i));
        before = " ";
    }
    shunt_buffer_char(&inspector->out, ']');
}

static bool only_of(look_value v, const char *allowed)
{
    for (uint32_t i = 0; i < v.length; i++)
        if (!v.bytes[i] || !strchr(allowed, v.bytes[i])) return false;
    return true;
}

bool look_fits(const shunt_element *element, look_value v)
{
    switch (element->type) {
    case SHUNT_VALUE_AMOUNT:
    case SHUNT_VALUE_DECIMAL:
    case SHUNT_VALUE_IMPLIED:
    case SHUNT_VALUE_INT: return only_of(v, "0123456789.-");
    case SHUNT_VALUE_DATE:
    case SHUNT_VALUE_DATE_BY_QUALIFIER:
    case SHUNT_VALUE_TIME: return only_of(v, "0123456789-");
    case SHUNT_VALUE_MOMENT: return only_of(v, "0123456789.+-");
    case SHUNT_VALUE_CODE:
        if (element->codes && element->codes->complete)
            return shunt_codeset_has(element->codes, (shunt_text){ v.bytes, v.length });
        return element->max_length == 0 || v.length <= element->max_length;
    default: return true;
    }
}

/* ---- events ---- */

static shunt_text remember(char *room, size_t size, shunt_text text)
{
    uint32_t length = text.length < size ? text.length : (uint32_t)size;
    if (length) memcpy(room, text.bytes, length);
    return (shunt_text){ room, length };
}

void look_begin(shunt_inspector *inspector, const shunt_event *event)
{
    inspector->set = remember(inspector->set_bytes, sizeof inspector->set_bytes, event->set);
    inspector->control = remember(inspector->control_bytes, sizeof inspector->control_bytes, event->control);
}

void look_fault(shunt_inspector *inspector, const shunt_event *event, unsigned depth)
{
    const struct shunt_status_info *info = &shunt_status_info[event->code];
    if (info->severity == SHUNT_ERROR) inspector->faults = true;
    if (inspector->path) return;
    look_indent(inspector, depth);
    shunt_buffer_format(&inspector->out, "! %s %s", info->code, info->meaning);
    if (event->detail.length) shunt_buffer_format(&inspector->out, ": %.*s", SHUNT_TEXT_ARGS(event->detail));
    shunt_buffer_format(&inspector->out, " (byte %llu)\n", (unsigned long long)event->place.byte);
}

static shunt_result drain(shunt_inspector *inspector)
{
    bool fine = !inspector->out.failed;
    if (fine && inspector->out.length) fine = inspector->write(inspector->context, inspector->out.bytes, inspector->out.length);
    inspector->out.length = 0;
    return fine ? SHUNT_DONE : SHUNT_SYSTEM_FAULT;
}

static shunt_result feed_reader(shunt_inspector *inspector, const void *bytes, size_t size, bool last)
{
    shunt_event event;
    inspector->reader->ops->feed(inspector->reader, bytes, size, last);
    for (;;) {
        if (inspector->out.length > HELD && drain(inspector) != SHUNT_DONE) return SHUNT_SYSTEM_FAULT;
        event.step = inspector->reader->ops->next(inspector->reader, &event);
        switch (event.step) {
        case SHUNT_STEP_NEED_INPUT: return drain(inspector);
        case SHUNT_STEP_END:
            return drain(inspector) != SHUNT_DONE ? SHUNT_SYSTEM_FAULT : inspector->faults ? SHUNT_INPUT_FAULT : SHUNT_DONE;
        case SHUNT_STEP_FAILED: return drain(inspector) != SHUNT_DONE ? SHUNT_SYSTEM_FAULT : shunt_result_of(event.code);
        default:
            if (!inspector->options.controls)
                inspector->ops->event(inspector, &event);
            else if (event.step == SHUNT_STEP_BEGIN && event.scope == SHUNT_SCOPE_TRANSACTION)
                shunt_buffer_format(&inspector->out, "%.*s\n", SHUNT_TEXT_ARGS(event.control));
            else if (event.step == SHUNT_STEP_FAULT)
                inspector->faults = inspector->faults || shunt_status_info[event.code].severity == SHUNT_ERROR;
        }
    }
}

/* ---- the standard ---- */

static shunt_result stop(shunt_inspector *inspector, shunt_result result) { return inspector->stopped = result; }

/* What can not be looked at, in one line for people. */
static shunt_result refuse(shunt_inspector *inspector, shunt_result result, const char *format, const char *a, const char *b,
                           const char *c)
{
    inspector->why.length = 0;
    shunt_buffer_format(&inspector->why, format, a, b, c);
    shunt_buffer_char(&inspector->why, '\0');
    return stop(inspector, inspector->why.failed ? SHUNT_SYSTEM_FAULT : result);
}

static shunt_result choose(shunt_inspector *inspector, bool last)
{
    const unsigned tables = standards[SHUNT_STANDARD_CSV] ? 1u << SHUNT_STANDARD_CSV : 0;
    shunt_standard standard = SHUNT_STANDARD_X12;
    shunt_text     held = { (const char *)inspector->held, (uint32_t)inspector->held_size };
    switch (shunt_standard_sniff(inspector->held, inspector->held_size, last, tables, &standard)) {
    case SHUNT_SNIFFED: break;
    case SHUNT_SNIFFED_MORE: return SHUNT_DONE;
    case SHUNT_SNIFFED_NOTHING: /* the reader that the path is for says what it looked for */
        for (int i = SHUNT_STANDARD_COUNT; inspector->path && i-- > 0;)
            if (standards[i] && !inspector->wrong[i]) standard = (shunt_standard)i;
    }
    if (!standards[standard])
        return refuse(inspector, SHUNT_RULES_FAULT, "this version shows no %s%s%s", shunt_standard_name(standard), "", "");
    if (inspector->path && inspector->wrong[standard]) {
        const char *wrong = inspector->wrong[standard];
        return refuse(inspector, SHUNT_RULES_FAULT, "`%s` is not a path of %s: %s", inspector->path,
                      shunt_standard_name(standard), wrong);
    }
    bool        whole = last || inspector->held_size == sizeof inspector->held;
    const char *wrong = standards[standard]->open(inspector, held, whole);
    if (wrong == look_no_rows && !inspector->path) { /* the reader that looks for a header in anything says what it lacks */
        standard = SHUNT_STANDARD_X12;
        wrong = standards[standard]->open(inspector, held, whole);
    }
    if (wrong && strcmp(wrong, "no memory") == 0) return stop(inspector, SHUNT_SYSTEM_FAULT);
    if (wrong) return refuse(inspector, SHUNT_RULES_FAULT, "%s%s%s", wrong, "", "");
    if (inspector->reader) inspector->ops = standards[standard];
    return SHUNT_DONE;
}

shunt_result shunt_inspector_feed(shunt_inspector *inspector, const void *bytes, size_t size, bool last)
{
    if (inspector->stopped != SHUNT_DONE) return inspector->stopped;
    const uint8_t *rest = bytes;
    if (!inspector->reader) {
        size_t room = sizeof inspector->held - inspector->held_size, taken = size < room ? size : room;
        if (taken) memcpy(inspector->held + inspector->held_size, bytes, taken);
        inspector->held_size += taken;
        shunt_result result = choose(inspector, last && taken == size);
        if (result != SHUNT_DONE || !inspector->reader) return result;
        rest = taken ? rest + taken : rest;
        size -= taken;
        bool over = last && size == 0;
        result = feed_reader(inspector, inspector->held, inspector->held_size, over);
        if (over || result > SHUNT_INPUT_FAULT) return result;
    }
    return feed_reader(inspector, rest, size, last);
}

const char *shunt_inspector_why(const shunt_inspector *inspector)
{
    return inspector->why.length && !inspector->why.failed ? inspector->why.bytes : NULL;
}

/* ---- making ---- */

/* A path that some standard has. NULL, or what is wrong with it in the standard that it looks most like. */
static const char *take_path(shunt_inspector *inspector, const char *path)
{
    const char *copy = shunt_text_z(inspector->arena, shunt_text_of(path)), *wrong = NULL;
    bool        fits = false;
    if (!copy) return "no memory";
    inspector->path = copy;
    for (int i = 0; i < SHUNT_STANDARD_COUNT; i++) {
        if (!standards[i]) continue;
        inspector->wrong[i] = standards[i]->parse(inspector, copy);
        if (!inspector->wrong[i]) fits = true;
        if (inspector->wrong[i] && strcmp(inspector->wrong[i], "no memory") == 0) return "no memory";
        if (!wrong) wrong = inspector->wrong[i];
    }
    return fits ? NULL : wrong;
}

shunt_result shunt_inspector_new(const shunt_inspect_options *options, const char *path, shunt_write write, void *context,
                                 shunt_inspector **made, shunt_messages **messages)
{
    shunt_memory     memory = shunt_api_memory(options ? options->allocator : NULL);
    shunt_inspector *inspector = shunt_memory_zeroed(&memory, 1, sizeof *inspector);
    *made = NULL;
    if (messages) *messages = NULL;
    if (!inspector) return SHUNT_SYSTEM_FAULT;
    inspector->memory = memory;
    if (options) inspector->options = *options;
    inspector->write = write;
    inspector->context = context;
    shunt_buffer_init(&inspector->out, &inspector->memory);
    shunt_buffer_init(&inspector->why, &inspector->memory);
    inspector->arena = shunt_arena_new(&inspector->memory, 0);
    const char *wrong = !inspector->arena ? "no memory" : path ? take_path(inspector, path) : NULL;
    if (!wrong) {
        *made = inspector;
        return SHUNT_DONE;
    }
    bool lacking = strcmp(wrong, "no memory") == 0;
    if (!lacking && messages && (*messages = shunt_messages_new(&memory)) != NULL)
        shunt_messages_say(*messages, SHUNT_ERROR, "E0202", "`%s` is not a path: %s", path, wrong);
    shunt_inspector_free(inspector);
    return lacking ? SHUNT_SYSTEM_FAULT : SHUNT_RULES_FAULT;
}

void shunt_inspector_free(shunt_inspector *inspector)
{
    if (!inspector) return;
    shunt_memory memory = inspector->memory;
    if (inspector->reader) inspector->reader->ops->free(inspector->reader);
    for (int i = 0; i < SHUNT_STANDARD_COUNT; i++)
        if (standards[i] && standards[i]->done) standards[i]->done(inspector);
    shunt_arena_free(inspector->arena);
    shunt_buffer_done(&inspector->out);
    shunt_buffer_done(&inspector->why);
    shunt_memory_free(&memory, inspector);
}
