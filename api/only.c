#include "api/only.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 8 };

/* A cursor over JSON of the shape that dead letters have: {..., "whole": {...}, "units": [{"ordinal": 3, ...}, ...]}. Members of other
 * names are passed over. */
struct cursor {
    const char *at, *end;
    bool        bad;
};

static void blanks(struct cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\r' || *c->at == '\t')) c->at++;
}

static bool take(struct cursor *c, char wanted)
{
    blanks(c);
    if (c->at >= c->end || *c->at != wanted) return false;
    c->at++;
    return true;
}

static void need(struct cursor *c, char wanted)
{
    if (!take(c, wanted)) c->bad = true;
}

/* The bytes between the quotes; escapes stay as they are, for no name that matters has one. */
static size_t string(struct cursor *c, const char **bytes)
{
    need(c, '"');
    *bytes = c->at;
    while (!c->bad && c->at < c->end && *c->at != '"') c->at += *c->at == '\\' && c->end - c->at > 1 ? 2 : 1;
    size_t length = (size_t)(c->at - *bytes);
    need(c, '"');
    return length;
}

static uint64_t number(struct cursor *c)
{
    uint64_t value = 0;
    blanks(c);
    if (c->at >= c->end || *c->at < '0' || *c->at > '9') c->bad = true;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9') {
        if (value > (UINT64_MAX - 9) / 10) c->bad = true;
        value = value * 10 + (uint64_t)(*c->at++ - '0');
    }
    return value;
}

static void skip_value(struct cursor *c, unsigned depth)
{
    const char *bytes;
    blanks(c);
    if (c->bad || c->at >= c->end || depth > DEPTH) {
        c->bad = true;
    } else if (*c->at == '"') {
        string(c, &bytes);
    } else if (*c->at == '{' || *c->at == '[') {
        bool object = *c->at++ == '{';
        char close = object ? '}' : ']';
        if (take(c, close)) return;
        do {
            if (object) {
                string(c, &bytes);
                need(c, ':');
            }
            skip_value(c, depth + 1);
        } while (!c->bad && take(c, ','));
        need(c, close);
    } else {
        const char *from = c->at;
        while (c->at < c->end &&
               ((*c->at >= 'a' && *c->at <= 'z') || (*c->at >= '0' && *c->at <= '9') || (*c->at && strchr("+-.E", *c->at))))
            c->at++;
        if (c->at == from) c->bad = true;
    }
}

static bool named(const char *bytes, size_t length, const char *name)
{
    return length == strlen(name) && memcmp(bytes, name, length) == 0;
}

static shunt_status add(const shunt_memory *memory, shunt_only *only, uint64_t ordinal)
{
    if (only->count == only->capacity) {
        size_t    capacity = only->capacity ? only->capacity * 2 : 16;
        uint64_t *ordinals = shunt_memory_resize(memory, only->ordinals, capacity * sizeof *ordinals);
        if (!ordinals) return SHUNT_NO_MEMORY;
        only->ordinals = ordinals;
        only->capacity = capacity;
    }
    only->ordinals[only->count++] = ordinal;
    return SHUNT_OK;
}

static shunt_status read_unit(const shunt_memory *memory, struct cursor *c, shunt_only *only)
{
    const char *bytes;
    bool        found = false;
    need(c, '{');
    do {
        size_t length = string(c, &bytes);
        need(c, ':');
        if (c->bad) return SHUNT_OK;
        if (!named(bytes, length, "ordinal")) {
            skip_value(c, 0);
            continue;
        }
        found = true;
        SHUNT_TRY(add(memory, only, number(c)));
    } while (!c->bad && take(c, ','));
    need(c, '}');
    if (!found) c->bad = true;
    return SHUNT_OK;
}

static shunt_status read_list(const shunt_memory *memory, struct cursor *c, shunt_only *only, bool *listed)
{
    const char *bytes;
    need(c, '{');
    do {
        size_t length = string(c, &bytes);
        need(c, ':');
        if (c->bad) return SHUNT_OK;
        if (named(bytes, length, "whole")) only->whole = true;
        if (named(bytes, length, "control")) {
            const char *control;
            size_t      size = string(c, &control);
            only->control = (shunt_text){ control, (uint32_t)size };
            continue;
        }
        if (!named(bytes, length, "units")) {
            skip_value(c, 0);
            continue;
        }
        *listed = true;
        need(c, '[');
        if (take(c, ']')) continue;
        do SHUNT_TRY(read_unit(memory, c, only));
        while (!c->bad && take(c, ','));
        need(c, ']');
    } while (!c->bad && take(c, ','));
    need(c, '}');
    blanks(c);
    if (c->at != c->end) c->bad = true;
    return SHUNT_OK;
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

shunt_status shunt_only_read(const shunt_memory *memory, const char *json, size_t length, shunt_only *only, char why[static 200])
{
    struct cursor c = { json, json + length, false };
    bool          listed = false;
    SHUNT_TRY(read_list(memory, &c, only, &listed));
    if (c.bad || !listed) {
        snprintf(why, 200, "the list of units to run again is not one that a dead letter comes with (byte %zu)",
                 (size_t)(c.at - json));
        return SHUNT_USAGE;
    }
    size_t kept = 0;
    if (only->count == 0) return add(memory, only, 0); /* a list, and an empty one: no unit has ordinal 0 */
    qsort(only->ordinals, only->count, sizeof *only->ordinals, ascending);
    for (size_t i = 0; i < only->count; i++)
        if (i == 0 || only->ordinals[i] != only->ordinals[i - 1]) only->ordinals[kept++] = only->ordinals[i];
    only->count = kept;
    return SHUNT_OK;
}

void shunt_only_done(const shunt_memory *memory, shunt_only *only)
{
    shunt_memory_free(memory, only->ordinals);
    *only = (shunt_only){ 0 };
}
