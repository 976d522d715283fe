#include "tests/support/event_log.h"

#include <stdio.h>
#include <stdlib.h>

size_t event_log_cut_fixed(void *size, size_t left)
{
    (void)left;
    return *(size_t *)size;
}

static void put_bytes(struct event_log *log, const char *bytes, size_t length, bool with_text)
{
    for (size_t i = 0; i < length; i++) log->hash = (log->hash ^ (uint8_t)bytes[i]) * UINT64_C(0x100000001b3);
    if (!with_text) return;
    if (log->capacity - log->length <= length) {
        log->capacity = (log->length + length + 1) * 2;
        log->text = realloc(log->text, log->capacity);
        if (!log->text) abort();
    }
    memcpy(log->text + log->length, bytes, length);
    log->length += length;
    log->text[log->length] = 0;
}

SHUNT_PRINTF(3, 4)
static void put(struct event_log *log, bool with_text, const char *format, ...)
{
    char    line[512];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (length < 0) abort();
    put_bytes(log, line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1, with_text);
}

static void put_segment(struct event_log *log, const shunt_segment *s, unsigned flags, bool with_text)
{
    uint32_t last = flags & EVENT_LOG_ELEMENTS ? s->elements : 0;
    if (s->offsets[0] != 0 || s->offsets[s->elements + 1] != s->length + 1) abort();
    put(log, with_text, s->line_ends ? " lines" : "");
    for (uint32_t k = 0; k <= last; k++) {
        if (s->offsets[k + 1] <= s->offsets[k]) abort();
        put(log, with_text, k ? "|" : " ");
        put_bytes(log, (const char *)s->bytes + s->offsets[k], s->offsets[k + 1] - s->offsets[k] - 1, with_text);
    }
}

static const char *loop_id(const shunt_plan *plan, uint16_t loop, int *length)
{
    shunt_text id = loop < plan->loop_count && plan->loops[loop].id < plan->text_count ? plan->texts[plan->loops[loop].id]
                                                                                       : (shunt_text){ 0 };
    *length = (int)id.length;
    return id.bytes ? id.bytes : "";
}

static void put_event(struct event_log *log, const shunt_plan *plan, const shunt_event *e, unsigned flags, bool with_text)
{
    static const char *const scopes[] = { "unit", "transaction", "batch", "interchange", "file" };
    static const char *const steps[] = { "begin", "finish", "abandon", "enter", "leave", "segment",
                                         "value", "fault",  "need",    "end",   "failed" };
    int                      length = 0;
    const char              *id;
    put(log, with_text, "%s", steps[e->step]);
    switch (e->step) {
    case SHUNT_STEP_BEGIN:
        put(log, with_text, " %s", scopes[e->scope]);
        if (e->scope == SHUNT_SCOPE_TRANSACTION)
            put(log, with_text, " %.*s guide %d", SHUNT_TEXT_ARGS(e->set), e->guide == SHUNT_NONE ? -1 : (int)e->guide);
        put(log, with_text, " %.*s #%.*s", SHUNT_TEXT_ARGS(e->version), SHUNT_TEXT_ARGS(e->control));
        if (e->sender.length || e->receiver.length)
            put(log, with_text, " %.*s>%.*s", SHUNT_TEXT_ARGS(e->sender), SHUNT_TEXT_ARGS(e->receiver));
        if (e->scope == SHUNT_SCOPE_INTERCHANGE)
            put(log, with_text, " %02x %02x %02x %02x", e->delims.element, e->delims.component, e->delims.repetition,
                e->delims.terminator);
        if (flags & EVENT_LOG_ELEMENTS) put_segment(log, e->segment, flags, with_text);
        break;
    case SHUNT_STEP_FINISH:
    case SHUNT_STEP_ABANDON: put(log, with_text, " %s", scopes[e->scope]); break;
    case SHUNT_STEP_ENTER:
    case SHUNT_STEP_LEAVE:
        id = loop_id(plan, e->loop, &length);
        put(log, with_text, " %.*s", length, id);
        break;
    case SHUNT_STEP_SEGMENT:
        put_segment(log, e->segment, flags, with_text);
        if (e->node == SHUNT_NONE) put(log, with_text, " ?");
        if (flags & EVENT_LOG_PLACES) put(log, with_text, " node %u", e->node);
        break;
    case SHUNT_STEP_VALUE:
        put(log, with_text, " %u ", e->slot);
        if (e->cleared)
            put(log, with_text, "cleared");
        else
            put_bytes(log, e->value.bytes, e->value.length, with_text);
        break;
    case SHUNT_STEP_FAULT:
        put(log, with_text, " %s", shunt_status_info[e->code].symbol);
        if (e->place.element) put(log, with_text, " %u", e->place.element);
        if (e->detail.length) put(log, with_text, " (%.*s)", SHUNT_TEXT_ARGS(e->detail));
        break;
    case SHUNT_STEP_FAILED: put(log, with_text, " %s", shunt_status_info[e->code].symbol); break;
    default: break;
    }
    if (flags & EVENT_LOG_PLACES)
        put(log, with_text, " @%llu+%u/%u..%llu", (unsigned long long)e->place.byte, e->place.length, e->place.segment,
            (unsigned long long)e->end);
    put(log, with_text, "\n");
    log->events++;
}

void event_log_run(struct event_log *log, shunt_reader *reader, const shunt_plan *plan, const void *bytes, size_t size,
                   event_log_cut cut, void *context, unsigned flags, bool with_text)
{
    *log = (struct event_log){ .hash = UINT64_C(0xcbf29ce484222325) };
    if (with_text) put_bytes(log, "", 0, true);
    const uint8_t *at = bytes;
    uint8_t       *piece = NULL;
    size_t         piece_size = 0;
    bool           last = false;
    for (;;) {
        shunt_event event;
        memset(&event, 0xa5, sizeof event);
        shunt_step step = reader->ops->next(reader, &event);
        if (step != event.step) abort();
        if (step != SHUNT_STEP_NEED_INPUT) put_event(log, plan, &event, flags, with_text);
        if (step == SHUNT_STEP_END || step == SHUNT_STEP_FAILED) break;
        if (step != SHUNT_STEP_NEED_INPUT) continue;
        if (last) abort(); /* there is nothing more to feed */
        if (piece) memset(piece, 'Z', piece_size);
        free(piece);
        size_t left = size - (size_t)(at - (const uint8_t *)bytes);
        piece_size = left ? cut(context, left) : 0;
        if (piece_size > left) piece_size = left;
        /* The end comes with the last piece, or alone. */
        last = left == piece_size && (piece_size == 0 || (log->events & 1));
        piece = malloc(piece_size ? piece_size : 1);
        if (!piece) abort();
        memcpy(piece, at, piece_size);
        at += piece_size;
        reader->ops->feed(reader, piece, piece_size, last);
    }
    free(piece);
    reader->ops->free(reader);
}

void event_log_done(struct event_log *log)
{
    free(log->text);
    *log = (struct event_log){ 0 };
}
