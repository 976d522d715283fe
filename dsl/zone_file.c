#include "dsl/zone_file.h"

#include <stdio.h>

enum { FILE_AT_MOST = 1 << 16, NAME_AT_MOST = 64, CHANGES_AT_MOST = 4096, FOOTER_AT_MOST = 256 };

static const char zone_folder[] = "/usr/share/zoneinfo/";

/* ---- files ---- */

/* The file of the database, whole, in the arena. */
static shunt_status read_whole(shunt_arena *arena, shunt_text name, const uint8_t **bytes, size_t *size)
{
    char path[sizeof zone_folder + NAME_AT_MOST];
    if (name.length > NAME_AT_MOST) return SHUNT_NOT_FOUND;
    snprintf(path, sizeof path, "%s%.*s", zone_folder, SHUNT_TEXT_ARGS(name));
    FILE *file = fopen(path, "rb");
    if (!file) return SHUNT_NOT_FOUND;
    char  *block = shunt_arena_bytes(arena, FILE_AT_MOST);
    size_t got = block ? fread(block, 1, FILE_AT_MOST, file) : 0;
    bool   bad = ferror(file) || got == FILE_AT_MOST;
    (void)fclose(file);
    if (!block) return SHUNT_NO_MEMORY;
    if (bad) return SHUNT_NOT_FOUND; /* a folder, "America" */
    *bytes = (const uint8_t *)block;
    *size = got;
    return SHUNT_OK;
}

/* Names of the database are words with `/` between; nothing leads out of its folder. */
static bool name_ok(shunt_text name)
{
    bool begins = true;
    for (uint32_t i = 0; i < name.length; i++) {
        char c = name.bytes[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        bool other = (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '+';
        if (!letter && (begins || (!other && c != '/'))) return false;
        begins = c == '/';
    }
    return name.length > 0 && !begins;
}

static bool database_there(void)
{
    char path[sizeof zone_folder + 8];
    snprintf(path, sizeof path, "%sUTC", zone_folder);
    FILE *file = fopen(path, "rb");
    if (!file) return false;
    (void)fclose(file);
    return true;
}

/* ---- the footer: "CST6CDT,M3.2.0,M11.1.0" ---- */

struct footer {
    const char *at, *end;
    bool        bad;
};

static bool take(struct footer *f, char c)
{
    if (f->at == f->end || *f->at != c) return false;
    f->at++;
    return true;
}

static int footer_number(struct footer *f, int most)
{
    int         value = 0;
    const char *first = f->at;
    for (; f->at < f->end && *f->at >= '0' && *f->at <= '9' && value <= most; f->at++) value = value * 10 + (*f->at - '0');
    if (f->at == first || value > most) f->bad = true;
    return value;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static int footer_time(struct footer *f)
{
    int sign = take(f, '-') ? -1 : 1;
    if (sign > 0) (void)take(f, '+');
    int seconds = footer_number(f, 167) * 3600;
    if (take(f, ':')) {
        seconds += footer_number(f, 59) * 60;
        if (take(f, ':')) seconds += footer_number(f, 59);
    }
    return sign * seconds;
}

/* "CST" or "<-03>"; what it is called is nobody's matter. */
static void footer_name(struct footer *f)
{
    const char *first = f->at;
    if (take(f, '<')) {
        while (f->at < f->end && *f->at != '>') f->at++;
        f->bad |= !take(f, '>');
        return;
    }
    while (f->at < f->end && ((*f->at >= 'A' && *f->at <= 'Z') || (*f->at >= 'a' && *f->at <= 'z'))) f->at++;
    f->bad |= f->at == first;
}

static shunt_zone_turn footer_turn(struct footer *f)
{
    shunt_zone_turn turn = { .seconds = 2 * 3600 };
    if (take(f, 'M')) {
        turn.kind = SHUNT_TURN_WEEKDAY;
        turn.month = (uint8_t)footer_number(f, 12);
        f->bad |= !take(f, '.');
        turn.week = (uint8_t)footer_number(f, 5);
        f->bad |= !take(f, '.');
        turn.weekday = (uint8_t)footer_number(f, 6);
    } else {
        turn.kind = take(f, 'J') ? SHUNT_TURN_JULIAN : SHUNT_TURN_DAY;
        turn.day = (uint16_t)footer_number(f, 365);
    }
    if (take(f, '/')) turn.seconds = footer_time(f);
    return turn;
}

/* POSIX counts west of Greenwich as positive. */
static bool read_footer(shunt_text text, shunt_zone *zone)
{
    struct footer f = { text.bytes, text.bytes + text.length, false };
    footer_name(&f);
    zone->standard = (int16_t)(-footer_time(&f) / 60);
    zone->summer = zone->standard;
    if (f.at == f.end) return !f.bad;
    footer_name(&f);
    zone->summer = (int16_t)(zone->standard + 60);
    if (f.at < f.end && *f.at != ',') zone->summer = (int16_t)(-footer_time(&f) / 60);
    f.bad |= !take(&f, ',');
    zone->to_summer = footer_turn(&f);
    f.bad |= !take(&f, ',');
    zone->to_standard = footer_turn(&f);
    return !f.bad && f.at == f.end;
}

/* ---- TZif ---- */

struct counts {
    uint32_t is_utc, is_standard, leap, time, type, letters;
};

static uint32_t big32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | (uint32_t)at[3];
}

static int64_t big64(const uint8_t *at) { return (int64_t)((uint64_t)big32(at) << 32 | big32(at + 4)); }

enum { HEADER = 44, TYPE_BYTES = 6 };

/* RFC 9636, 3.1: the header; its data block has `time_bytes` to a time. False: no such header, or the file ends in the block. */
static bool read_header(const uint8_t *at, size_t left, size_t time_bytes, struct counts *c, size_t *block)
{
    if (left < HEADER || memcmp(at, "TZif", 4) != 0 || at[4] < '2') return false;
    *c = (struct counts){ big32(at + 20), big32(at + 24), big32(at + 28), big32(at + 32), big32(at + 36), big32(at + 40) };
    uint64_t bytes = (uint64_t)c->time * (time_bytes + 1) + (uint64_t)c->type * TYPE_BYTES + c->letters +
                     (uint64_t)c->leap * (time_bytes + 4) + c->is_standard + c->is_utc;
    *block = (size_t)bytes;
    return bytes <= left - HEADER;
}

static bool offset_of(const uint8_t *types, uint32_t count, uint32_t type, int16_t *offset)
{
    if (type >= count) return false;
    int32_t seconds = (int32_t)big32(types + (size_t)type * TYPE_BYTES);
    if (seconds <= -SHUNT_OFFSET_MINUTES * 60 || seconds >= SHUNT_OFFSET_MINUTES * 60) return false;
    *offset = (int16_t)(seconds / 60);
    return true;
}

shunt_status shunt_zone_parse(shunt_arena *arena, const uint8_t *bytes, size_t size, shunt_zone_file *file)
{
    struct counts old, c;
    size_t        skip, block;
    if (!read_header(bytes, size, 4, &old, &skip)) return SHUNT_INPUT_BAD;
    const uint8_t *at = bytes + HEADER + skip, *end = bytes + size;
    if (!read_header(at, (size_t)(end - at), 8, &c, &block) || c.time > CHANGES_AT_MOST) return SHUNT_INPUT_BAD;
    const uint8_t *times = at + HEADER, *indexes = times + (size_t)c.time * 8, *types = indexes + c.time;
    const uint8_t *footer = at + HEADER + block;

    shunt_zone_file    made = { 0 };
    shunt_zone_change *changes = SHUNT_NEW_N(arena, shunt_zone_change, c.time + 1);
    if (!changes) return SHUNT_NO_MEMORY;
    if (!offset_of(types, c.type, 0, &made.zone.offset)) return SHUNT_INPUT_BAD;
    made.zone.standard = made.zone.summer = made.zone.offset;
    for (uint32_t i = 0; i < c.time; i++) {
        changes[i].at = big64(times + (size_t)i * 8);
        if (!offset_of(types, c.type, indexes[i], &changes[i].offset)) return SHUNT_INPUT_BAD;
        made.zone.standard = made.zone.summer = changes[i].offset;
    }
    made.zone.change_count = c.time;
    made.changes = changes;

    /* A new line, the rule for all later years, a new line; without a rule the last offset stays. */
    if (footer == end || *footer != '\n') return SHUNT_INPUT_BAD;
    footer++;
    const uint8_t *stop = memchr(footer, '\n', (size_t)(end - footer));
    if (!stop || stop - footer > FOOTER_AT_MOST) return SHUNT_INPUT_BAD;
    shunt_text rule = { (const char *)footer, (uint32_t)(stop - footer) };
    if (rule.length && !read_footer(rule, &made.zone)) return SHUNT_INPUT_BAD;
    if (!shunt_zone_valid(&made.zone, changes)) return SHUNT_INPUT_BAD;
    *file = made;
    return SHUNT_OK;
}

shunt_status shunt_zone_read(shunt_arena *arena, shunt_text name, shunt_zone_file *file)
{
    const uint8_t *bytes;
    size_t         size;
    if (shunt_text_is(name, "UTC")) {
        *file = (shunt_zone_file){ .name = name };
        return SHUNT_OK;
    }
    if (!name_ok(name)) return SHUNT_NOT_FOUND;
    shunt_status status = read_whole(arena, name, &bytes, &size);
    if (status == SHUNT_NOT_FOUND && !database_there()) return SHUNT_IO;
    if (status != SHUNT_OK) return status;
    SHUNT_TRY(shunt_zone_parse(arena, bytes, size, file));
    file->name = name;
    return SHUNT_OK;
}

/* zone1970.tab: countries, coordinates, name, comment, with tabs between. */
void shunt_zone_suggest(shunt_arena *arena, shunt_suggest *suggest)
{
    const uint8_t *bytes;
    size_t         size;
    shunt_suggest_offer(suggest, SHUNT_TEXT("UTC"), (shunt_text){ 0 }, true, 0);
    if (read_whole(arena, SHUNT_TEXT("zone1970.tab"), &bytes, &size) != SHUNT_OK) return;
    const char *at = (const char *)bytes, *end = at + size;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop) stop = end;
        for (int tabs = 0; *at != '#' && tabs < 2 && (at = memchr(at, '\t', (size_t)(stop - at))); tabs++) at++;
        if (at && *at != '#') {
            shunt_text name = { at, 0 };
            while (at + name.length < stop && at[name.length] != '\t') name.length++;
            shunt_suggest_offer(suggest, name, (shunt_text){ 0 }, true, 0);
        }
        at = stop + 1;
    }
}
