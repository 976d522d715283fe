#include "engine/base/diag.h"

enum { FIRST_CAPACITY = 8 };

void shunt_diags_init(shunt_diags *list, shunt_arena *arena) { *list = (shunt_diags){ .arena = arena }; }

static shunt_text message(shunt_diags *list, const char *format, va_list args)
{
    shunt_text text = shunt_text_vformat(list->arena, format, args);
    if (!text.bytes) list->failed = true;
    return text;
}

static bool same_span(shunt_span a, shunt_span b) { return a.begin == b.begin && a.end == b.end && a.file == b.file; }

static bool known(const shunt_diags *list, shunt_status code, shunt_span span)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->items[i].code == code && same_span(list->items[i].labels[0].span, span)) return true;
    return false;
}

static bool grow(shunt_diags *list)
{
    uint32_t    capacity = list->capacity ? list->capacity * 2 : FIRST_CAPACITY;
    shunt_diag *items = SHUNT_NEW_N(list->arena, shunt_diag, capacity);
    if (!items) return false;
    if (list->count) memcpy(items, list->items, list->count * sizeof *items);
    list->items = items;
    list->capacity = capacity;
    return true;
}

/* Room in the list, or the throw-away one. */
static shunt_diag *place_for(shunt_diags *list, shunt_severity severity, shunt_status code, shunt_span span)
{
    if (list->count < SHUNT_DIAGS_AT_MOST && known(list, code, span)) return &list->spare;
    list->errors += severity == SHUNT_ERROR;
    list->warnings += severity == SHUNT_WARNING;
    if (list->count == SHUNT_DIAGS_AT_MOST) return &list->spare;
    if (list->count == list->capacity && !grow(list)) {
        list->failed = true;
        return &list->spare;
    }
    return &list->items[list->count++];
}

shunt_diag *shunt_diag_add(shunt_diags *list, shunt_status code, shunt_span span, const char *format, ...)
{
    shunt_severity severity = shunt_status_info[code].severity;
    shunt_diag    *diag = place_for(list, severity, code, span);
    *diag = (shunt_diag){ .code = code, .severity = severity, .label_count = 1 };
    diag->labels[0].span = span;
    if (diag == &list->spare) return diag;
    va_list args;
    va_start(args, format);
    diag->message = message(list, format, args);
    va_end(args);
    return diag;
}

void shunt_diag_here(shunt_diags *list, shunt_diag *diag, const char *format, ...)
{
    if (diag == &list->spare) return;
    va_list args;
    va_start(args, format);
    diag->labels[0].text = message(list, format, args);
    va_end(args);
}

void shunt_diag_also(shunt_diags *list, shunt_diag *diag, shunt_span span, const char *format, ...)
{
    if (diag == &list->spare || diag->label_count == SHUNT_DIAG_LABELS) return;
    va_list args;
    va_start(args, format);
    diag->labels[diag->label_count++] = (shunt_label){ span, message(list, format, args) };
    va_end(args);
}

static void hint(shunt_diags *list, shunt_diag *diag, bool help, const char *format, va_list args)
{
    if (diag == &list->spare || diag->hint_count == SHUNT_DIAG_HINTS) return;
    diag->hints[diag->hint_count++] = (shunt_hint){ help, message(list, format, args) };
}

void shunt_diag_note(shunt_diags *list, shunt_diag *diag, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    hint(list, diag, false, format, args);
    va_end(args);
}

void shunt_diag_help(shunt_diags *list, shunt_diag *diag, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    hint(list, diag, true, format, args);
    va_end(args);
}

static bool stands_before(const shunt_diag *a, const shunt_diag *b)
{
    shunt_span x = a->labels[0].span, y = b->labels[0].span;
    if (x.file != y.file) return x.file < y.file;
    if (x.begin != y.begin) return x.begin < y.begin;
    return x.end < y.end;
}

/* By insertion: stable, needs no memory, and the list is short and nearly in order. */
void shunt_diags_sort(shunt_diags *list)
{
    for (uint32_t i = 1; i < list->count; i++) {
        uint32_t to = i;
        while (to > 0 && stands_before(&list->items[i], &list->items[to - 1])) to--;
        if (to == i) continue;
        shunt_diag moved = list->items[i];
        memmove(&list->items[to + 1], &list->items[to], (i - to) * sizeof moved);
        list->items[to] = moved;
    }
}
