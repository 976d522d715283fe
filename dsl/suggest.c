#include "dsl/suggest.h"

static uint32_t edits_of(shunt_text wanted) { return wanted.length < 2 ? 0 : wanted.length < 4 ? 1 : wanted.length < 9 ? 2 : 3; }

void shunt_suggest_init(shunt_suggest *s, shunt_text wanted, uint32_t limit)
{
    uint32_t at_most = edits_of(wanted);
    *s = (shunt_suggest){ .wanted = wanted,
                          .at_most = at_most,
                          .limit = limit < SHUNT_SUGGEST_AT_MOST ? limit : SHUNT_SUGGEST_AT_MOST };
}

static bool is_better(const shunt_suggestion *a, const shunt_suggestion *b)
{
    if (a->fits != b->fits) return a->fits;
    if (a->distance != b->distance) return a->distance < b->distance;
    if (a->same != b->same) return a->same;
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

/* The same letters in another order: two of them were exchanged. */
static bool same_letters(shunt_text a, shunt_text b)
{
    int32_t count[256] = { 0 };
    for (uint32_t i = 0; i < a.length; i++) count[(unsigned char)a.bytes[i]]++;
    for (uint32_t i = 0; i < b.length; i++) count[(unsigned char)b.bytes[i]]--;
    for (int i = 0; i < 256; i++)
        if (count[i]) return false;
    return true;
}

void shunt_suggest_offer(shunt_suggest *s, shunt_text name, shunt_text about, bool fits, uint32_t far)
{
    shunt_suggestion new = { .name = name,
                             .about = about,
                             .fits = fits,
                             .distance = distance(s->wanted, name, s->at_most),
                             .far = far,
                             .order = s->offered++ };
    new.same = new.distance <= s->at_most &&same_letters(s->wanted, name);
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

static shunt_text add_name(shunt_arena *arena, shunt_text text, const shunt_suggestion *next, uint32_t shown, uint32_t count)
{
    const char *gap = shown == 0 ? "" : shown + 1 == count ? " or " : ", ";
    if (next->about.length)
        return shunt_text_format(arena, "%.*s%s`%.*s` (%.*s)", SHUNT_TEXT_ARGS(text), gap, SHUNT_TEXT_ARGS(next->name),
                                 SHUNT_TEXT_ARGS(next->about));
    return shunt_text_format(arena, "%.*s%s`%.*s`", SHUNT_TEXT_ARGS(text), gap, SHUNT_TEXT_ARGS(next->name));
}

shunt_text shunt_suggest_text(const shunt_suggest *s, shunt_arena *arena)
{
    shunt_text text = { 0 };
    for (uint32_t i = 0; i < s->count; i++) text = add_name(arena, text, &s->best[i], i, s->count);
    return text;
}

shunt_text shunt_suggest_in_order(const shunt_suggest *s, shunt_arena *arena)
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
        text = add_name(arena, text, next, shown, s->count);
    }
    return text;
}

bool shunt_suggest_is_slip(shunt_text written, shunt_text meant)
{
    uint32_t at_most = edits_of(written);
    return at_most && distance(written, meant, at_most) <= at_most;
}
