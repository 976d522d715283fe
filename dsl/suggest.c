#include "dsl/suggest.h"

void shunt_suggest_init(shunt_suggest *s, shunt_text wanted, uint32_t limit)
{
    uint32_t at_most = wanted.length < 2 ? 0 : wanted.length < 4 ? 1 : wanted.length < 9 ? 2 : 3;
    *s = (shunt_suggest){ .wanted = wanted,
                          .at_most = at_most,
                          .limit = limit < SHUNT_SUGGEST_AT_MOST ? limit : SHUNT_SUGGEST_AT_MOST };
}

static bool is_better(const shunt_suggestion *a, const shunt_suggestion *b)
{
    if (a->fits != b->fits) return a->fits;
    if (a->distance != b->distance) return a->distance < b->distance;
    if (a->far != b->far) return a->far < b->far;
    return a->order < b->order;
}

/* Capitals are the commonest slip, so they count nothing: compared in lower case when the names are short enough to copy. */
static uint32_t distance(shunt_text a, shunt_text b, uint32_t at_most)
{
    char x[64], y[64];
    if (a.length > sizeof x || b.length > sizeof y) return shunt_text_distance(a, b, at_most);
    for (uint32_t i = 0; i < a.length; i++) x[i] = (char)(a.bytes[i] >= 'A' && a.bytes[i] <= 'Z' ? a.bytes[i] + 32 : a.bytes[i]);
    for (uint32_t i = 0; i < b.length; i++) y[i] = (char)(b.bytes[i] >= 'A' && b.bytes[i] <= 'Z' ? b.bytes[i] + 32 : b.bytes[i]);
    return shunt_text_distance((shunt_text){ x, a.length }, (shunt_text){ y, b.length }, at_most);
}

void shunt_suggest_offer(shunt_suggest *s, shunt_text name, shunt_text about, bool fits, uint32_t far)
{
    shunt_suggestion new = { name, about, fits, distance(s->wanted, name, s->at_most), far, s->offered++ };
    if (new.distance > s->at_most || !name.length) return;
    for (uint32_t i = 0; i < s->count; i++)
        if (shunt_text_equal(s->best[i].name, name)) return;
    uint32_t at = s->count;
    while (at > 0 && is_better(&new, &s->best[at - 1])) at--;
    if (at >= s->limit) return;
    if (s->count < s->limit) s->count++;
    memmove(&s->best[at + 1], &s->best[at], (s->count - 1 - at) * sizeof new);
    s->best[at] = new;
}

shunt_text shunt_suggest_text(const shunt_suggest *s, shunt_arena *arena)
{
    shunt_text text = { 0 };
    uint32_t   last = 0;
    for (uint32_t shown = 0; shown < s->count; shown++) {
        const shunt_suggestion *next = NULL;
        for (uint32_t i = 0; i < s->count; i++) {
            const shunt_suggestion *b = &s->best[i];
            if ((shown == 0 || b->order > last) && (!next || b->order < next->order)) next = b;
        }
        last = next->order;
        const char *gap = shown == 0 ? "" : shown + 1 == s->count ? " or " : ", ";
        if (next->about.length)
            text = shunt_text_format(arena, "%.*s%s`%.*s` (%.*s)", SHUNT_TEXT_ARGS(text), gap, SHUNT_TEXT_ARGS(next->name),
                                     SHUNT_TEXT_ARGS(next->about));
        else
            text = shunt_text_format(arena, "%.*s%s`%.*s`", SHUNT_TEXT_ARGS(text), gap, SHUNT_TEXT_ARGS(next->name));
    }
    return text;
}
