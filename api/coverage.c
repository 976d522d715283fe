/* coverage.c - places of the rules and how many tests reached them: as text, JSON and in the form of lcov. */
#include "api/coverage.h"

#include <stdlib.h>

#include "dsl/grow.h"

enum { LABEL = 60 };

typedef struct place {
    shunt_text       file, label;
    shunt_cover_kind kind;
    uint32_t         line, column;
    uint32_t         tests;
} place;

struct shunt_coverage {
    shunt_memory memory;
    shunt_arena *arena;
    SHUNT_LIST(place) places;
    shunt_intern *keys;
};

static const struct {
    const char *one, *many;
} names[SHUNT_COVER_KINDS] = {
    { "statement", "statements" }, { "exit", "exits" }, { "row", "rows" }, { "arm", "arms" }, { "otherwise", "otherwise" }
};

shunt_result shunt_coverage_new(const shunt_allocator *allocator, shunt_coverage **coverage)
{
    shunt_memory    memory = shunt_api_memory(allocator);
    shunt_coverage *c = shunt_memory_zeroed(&memory, 1, sizeof *c);
    *coverage = NULL;
    if (!c) return SHUNT_SYSTEM_FAULT;
    c->memory = memory;
    c->arena = shunt_arena_new(&c->memory, 0);
    c->keys = c->arena ? shunt_intern_new(c->arena) : NULL;
    if (!c->keys) {
        shunt_coverage_free(c);
        return SHUNT_SYSTEM_FAULT;
    }
    *coverage = c;
    return SHUNT_DONE;
}

void shunt_coverage_free(shunt_coverage *c)
{
    if (!c) return;
    shunt_memory memory = c->memory;
    shunt_arena_free(c->arena);
    shunt_memory_free(&memory, c);
}

/* The line of the rules from the place on, as far as it is worth showing. */
static shunt_text label_of(shunt_arena *arena, shunt_text source, uint32_t at)
{
    uint32_t end = at;
    while (end < source.length && source.bytes[end] != '\n') end++;
    shunt_text rest = { source.bytes + at, end - at };
    uint32_t   cut = shunt_utf8_offset(rest, LABEL);
    while (cut > 0 && strchr(" \t\r", rest.bytes[cut - 1])) cut--;
    return shunt_text_copy(arena, (shunt_text){ rest.bytes, cut });
}

shunt_status shunt_coverage_take(shunt_coverage *c, const shunt_compilation *compilation, const uint32_t *reached)
{
    const shunt_covers *covers = compilation->covers;
    for (uint32_t i = 0; i < covers->count; i++) {
        const shunt_module_info *module = &compilation->modules[covers->items[i].node->span.file];
        uint32_t                 number, begin = covers->items[i].node->span.begin, kind = covers->items[i].kind;
        shunt_text               key = shunt_text_format(c->arena, "%.*s:%u:%u", SHUNT_TEXT_ARGS(module->name), kind, begin);
        if (!key.bytes || !shunt_intern_add(c->keys, key, &number)) return SHUNT_NO_MEMORY;
        if (number == c->places.count) {
            place *p = SHUNT_PUSH(c->arena, &c->places);
            if (!p) return SHUNT_NO_MEMORY;
            *p = (place){ .kind = covers->items[i].kind };
            p->file = shunt_text_copy(c->arena, module->name);
            p->label = label_of(c->arena, module->source, begin);
            if (!p->file.bytes || !p->label.bytes) return SHUNT_NO_MEMORY;
            shunt_excerpt_place(module->source, begin, &p->line, &p->column);
        }
        c->places.items[number].tests += reached[i];
    }
    return SHUNT_OK;
}

/* ---- as it is shown ---- */

static int in_order(const void *a, const void *b)
{
    const place *x = *(const place *const *)a, *y = *(const place *const *)b;
    int          order = shunt_text_compare(x->file, y->file);
    if (order) return order;
    if (x->line != y->line) return x->line < y->line ? -1 : 1;
    if (x->column != y->column) return x->column < y->column ? -1 : 1;
    return (x->kind > y->kind) - (x->kind < y->kind);
}

struct tally {
    uint32_t reached[SHUNT_COVER_KINDS], all[SHUNT_COVER_KINDS];
};

static void count(struct tally *t, const place *p)
{
    t->all[p->kind]++;
    t->reached[p->kind] += p->tests > 0;
}

/* "93.7 %" of no places is 100. Without floating point: tenths, cut. */
static unsigned tenths(uint32_t part, uint32_t all) { return all ? (unsigned)((uint64_t)part * 1000 / all) : 1000; }

static void text_row(shunt_buffer *out, shunt_text name, uint32_t width, const struct tally *t)
{
    shunt_buffer_format(out, "%-*.*s", (int)width, SHUNT_TEXT_ARGS(name));
    for (int k = 0; k < SHUNT_COVER_KINDS; k++) {
        if (!t->all[k]) {
            shunt_buffer_format(out, "  %4u/%-4u %7s", 0U, 0U, "-");
            continue;
        }
        unsigned part = tenths(t->reached[k], t->all[k]);
        shunt_buffer_format(out, "  %4u/%-4u %3u.%u %%", t->reached[k], t->all[k], part / 10, part % 10);
    }
    shunt_buffer_char(out, '\n');
}

/* The places of one file, from `i` on; gives the first of the next. */
static uint32_t tally_file(place *const *places, uint32_t total, uint32_t i, struct tally *t)
{
    shunt_text file = places[i]->file;
    *t = (struct tally){ 0 };
    while (i < total && shunt_text_equal(places[i]->file, file)) count(t, places[i++]);
    return i;
}

static void as_text(shunt_buffer *out, place *const *places, uint32_t total)
{
    struct tally t, all = { 0 };
    bool         any = false;
    uint32_t     width = sizeof "coverage";
    for (uint32_t i = 0; i < total; i++)
        if (places[i]->file.length > width) width = places[i]->file.length;
    shunt_buffer_format(out, "%-*s", (int)width, "coverage");
    for (int k = 0; k < SHUNT_COVER_KINDS; k++) shunt_buffer_format(out, "  %-17s", names[k].many);
    while (out->length && out->bytes[out->length - 1] == ' ') out->length--;
    shunt_buffer_char(out, '\n');
    for (uint32_t i = 0; i < total; i++) count(&all, places[i]);
    for (uint32_t i = 0; i < total;) {
        shunt_text file = places[i]->file;
        i = tally_file(places, total, i, &t);
        text_row(out, file, width, &t);
    }
    text_row(out, SHUNT_TEXT("all"), width, &all);
    for (uint32_t i = 0; i < total; i++) {
        const place *p = places[i];
        if (p->tests) continue;
        if (!any) shunt_buffer_z(out, "no test reaches\n");
        any = true;
        shunt_buffer_format(out, "  %.*s:%u:%u  %-9s  %.*s\n", SHUNT_TEXT_ARGS(p->file), p->line, p->column, names[p->kind].one,
                            SHUNT_TEXT_ARGS(p->label));
    }
}

static void json_tally(shunt_buffer *out, const struct tally *t)
{
    for (int k = 0; k < SHUNT_COVER_KINDS; k++)
        shunt_buffer_format(out, "%s\"%s\":{\"reached\":%u,\"all\":%u}", k ? "," : "", names[k].many, t->reached[k], t->all[k]);
}

static void as_json(shunt_buffer *out, place *const *places, uint32_t total)
{
    struct tally t, all = { 0 };
    shunt_buffer_z(out, "{\"files\":[");
    for (uint32_t i = 0; i < total; i++) count(&all, places[i]);
    for (uint32_t i = 0; i < total;) {
        uint32_t first = i;
        i = tally_file(places, total, i, &t);
        shunt_buffer_z(out, first ? ",\n{\"file\":" : "\n{\"file\":");
        shunt_buffer_json(out, places[first]->file);
        shunt_buffer_char(out, ',');
        json_tally(out, &t);
        shunt_buffer_z(out, ",\"places\":[");
        for (uint32_t k = first; k < i; k++)
            shunt_buffer_format(out, "%s{\"kind\":\"%s\",\"line\":%u,\"column\":%u,\"tests\":%u}", k > first ? "," : "",
                                names[places[k]->kind].one, places[k]->line, places[k]->column, places[k]->tests);
        shunt_buffer_z(out, "]}");
    }
    shunt_buffer_z(out, "],\n\"all\":{");
    json_tally(out, &all);
    shunt_buffer_z(out, "}}\n");
}

/* Statements and exits are lines, the rest are branches of the line they begin on. */
static void as_lcov(shunt_buffer *out, place *const *places, uint32_t total)
{
    for (uint32_t i = 0; i < total;) {
        struct tally t;
        uint32_t     first = i, lines = 0, hit = 0, branches = 0, taken = 0;
        i = tally_file(places, total, i, &t);
        shunt_buffer_format(out, "TN:\nSF:%.*s\n", SHUNT_TEXT_ARGS(places[first]->file));
        for (uint32_t k = first; k < i;) {
            uint32_t line = places[k]->line, most = 0;
            bool     plain = false;
            for (; k < i && places[k]->line == line; k++) {
                if (places[k]->kind > SHUNT_COVER_EXIT) continue;
                plain = true;
                if (places[k]->tests > most) most = places[k]->tests;
            }
            if (!plain) continue;
            shunt_buffer_format(out, "DA:%u,%u\n", line, most);
            lines++;
            hit += most > 0;
        }
        for (uint32_t k = first; k < i; k++) {
            if (places[k]->kind <= SHUNT_COVER_EXIT) continue;
            shunt_buffer_format(out, "BRDA:%u,0,%u,%u\n", places[k]->line, branches++, places[k]->tests);
            taken += places[k]->tests > 0;
        }
        shunt_buffer_format(out, "LF:%u\nLH:%u\nBRF:%u\nBRH:%u\nend_of_record\n", lines, hit, branches, taken);
    }
}

shunt_result shunt_coverage_write(const shunt_coverage *c, shunt_coverage_format format, shunt_write write, void *context)
{
    shunt_buffer out;
    uint32_t     total = c->places.count;
    place      **places = shunt_memory_get(&c->memory, (total + 1) * sizeof *places);
    if (!places) return SHUNT_SYSTEM_FAULT;
    for (uint32_t i = 0; i < total; i++) places[i] = &c->places.items[i];
    if (total) qsort(places, total, sizeof(place *), in_order);
    shunt_buffer_init(&out, &c->memory);
    switch (format) {
    case SHUNT_COVERAGE_TEXT: as_text(&out, places, total); break;
    case SHUNT_COVERAGE_JSON: as_json(&out, places, total); break;
    case SHUNT_COVERAGE_LCOV: as_lcov(&out, places, total); break;
    }
    bool fine = !out.failed && (out.length == 0 || write(context, out.bytes, out.length));
    shunt_buffer_done(&out);
    shunt_memory_free(&c->memory, places);
    return fine ? SHUNT_DONE : SHUNT_SYSTEM_FAULT;
}
