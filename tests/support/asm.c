#include "tests/support/asm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/date.h"
#include "engine/base/decimal.h"
#include "engine/vm/owner.h"

/* ---- a program that grows ---- */

struct room {
    void  *items;
    size_t count, size;
};

enum { LABELS = 200, TOKENS = 64 };

struct builder {
#define X(type, member) struct room member;
    SHUNT_PROGRAM_SECTIONS(X)
#undef X
    struct room texts, table_texts;
    const char *line; /* for complaints */
    char        token[TOKENS][120];
    int         token_count;
    bool        quoted[TOKENS];
    struct {
        char     name[40];
        uint32_t at;
    } labels[LABELS];
    int label_count;
    struct {
        char     name[40];
        uint32_t instruction;
    } jumps[LABELS];
    int      jump_count;
    int      function;                           /* open, -1 = none */
    int      table, collect, encoding, decision; /* whose rows may follow */
    bool     places;                             /* each instruction has one: its line in the text */
    uint32_t line_number;
    struct {
        char name[40];
    } collect_names[20], dates_names[20];
};

static void stop(const struct builder *b, const char *what, const char *token)
{
    fprintf(stderr, "asm: %s `%s` in: %.*s\n", what, token, (int)strcspn(b->line, "\n"), b->line);
    abort();
}

static void *grow(struct room *room, size_t size)
{
    room->items = realloc(room->items, (room->count + 1) * size);
    if (!room->items) abort();
    room->size = size;
    void *at = (char *)room->items + room->count++ * size;
    memset(at, 0, size);
    return at;
}

#define ADD(b, type, member, ...) (*(type *)grow(&(b)->member, sizeof(type)) = (type)__VA_ARGS__)
#define AT(b, type, member, n)    (((type *)(b)->member.items)[n])

static uint32_t add_text(struct room *room, const char *z)
{
    const shunt_text *texts = room->items;
    for (uint32_t i = 0; i < room->count; i++) {
        if (texts[i].length == strlen(z) && memcmp(texts[i].bytes, z, texts[i].length) == 0) return i;
    }
    char *copy = strdup(z);
    if (!copy) abort();
    *(shunt_text *)grow(room, sizeof(shunt_text)) = shunt_text_of(copy);
    return (uint32_t)room->count - 1;
}

static uint16_t text(struct builder *b, const char *z) { return (uint16_t)add_text(&b->texts, z); }

static bool is_text(struct builder *b, uint16_t index, const char *z)
{
    return index != SHUNT_NONE && shunt_text_is(AT(b, shunt_text, texts, index), z);
}

/* Index of the item whose text member is `name`. */
#define FIND(b, type, member, field, name, index)                                                                                \
    do {                                                                                                                         \
        (index) = -1;                                                                                                            \
        for (size_t i_ = 0; i_ < (b)->member.count; i_++) {                                                                      \
            if (is_text((b), AT((b), type, member, i_).field, (name))) (index) = (long)i_;                                       \
        }                                                                                                                        \
    } while (0)

static long find_any(struct builder *b, const char *what, const char *name)
{
    long index = -1;
    if (strcmp(what, "record") == 0)
        FIND(b, shunt_record_type, records, name, name, index);
    else if (strcmp(what, "frame") == 0)
        FIND(b, shunt_plan_frame, frames, id, name, index);
    else if (strcmp(what, "slot") == 0)
        FIND(b, shunt_plan_slot, slots, path, name, index);
    else if (strcmp(what, "enum") == 0)
        FIND(b, shunt_enum, enums, name, name, index);
    else if (strcmp(what, "codes") == 0)
        FIND(b, shunt_code_list, code_lists, name, name, index);
    else if (strcmp(what, "table") == 0)
        FIND(b, shunt_table, tables, name, name, index);
    else if (strcmp(what, "extern") == 0)
        FIND(b, shunt_extern, externs, name, name, index);
    else if (strcmp(what, "decision") == 0)
        FIND(b, shunt_decision, decisions, name, name, index);
    else if (strcmp(what, "code") == 0)
        FIND(b, shunt_code, codes, name, name, index);
    else if (strcmp(what, "target") == 0)
        FIND(b, shunt_target, targets, name, name, index);
    else if (strcmp(what, "tally") == 0)
        FIND(b, shunt_tally, tallies, name, name, index);
    else if (strcmp(what, "function") == 0)
        FIND(b, shunt_function, functions, name, name, index);
    return index;
}

static uint16_t find(struct builder *b, const char *what, const char *name)
{
    long index = find_any(b, what, name);
    if (index < 0) stop(b, what, name);
    return (uint16_t)index;
}

/* ---- words ---- */

static void tokens(struct builder *b, const char *line)
{
    b->line = line;
    b->token_count = 0;
    const char *end = line + strcspn(line, "\n");
    while (line < end) {
        if (*line == ' ') {
            line++;
            continue;
        }
        if (*line == '#') break;
        if (b->token_count == TOKENS) stop(b, "too many words", "");
        char  *to = b->token[b->token_count];
        size_t n = 0;
        b->quoted[b->token_count] = *line == '"';
        if (*line == '"') {
            for (line++; line < end && *line != '"'; line++) to[n++] = *line;
            line++;
        } else {
            for (; line < end && *line != ' '; line++) to[n++] = *line;
        }
        to[n] = 0;
        b->token_count++;
    }
}

static const char *after(const char *token, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(token, prefix, n) == 0 ? token + n : NULL;
}

static shunt_type type_of(struct builder *b, const char *z)
{
    const char *rest;
    if (strcmp(z, "none") == 0) return (shunt_type){ 0 };
    if (strcmp(z, "bool") == 0) return (shunt_type){ .kind = SHUNT_KIND_BOOL };
    if (strcmp(z, "int") == 0) return (shunt_type){ .kind = SHUNT_KIND_INT };
    if (strcmp(z, "text") == 0) return (shunt_type){ .kind = SHUNT_KIND_TEXT };
    if (strcmp(z, "date") == 0) return (shunt_type){ .kind = SHUNT_KIND_DATE };
    if (strcmp(z, "moment") == 0) return (shunt_type){ .kind = SHUNT_KIND_MOMENT };
    if ((rest = after(z, "dec"))) return (shunt_type){ .kind = SHUNT_KIND_DECIMAL, .scale = (uint8_t)atoi(rest) };
    if ((rest = after(z, "usd")))
        return (shunt_type){ .kind = SHUNT_KIND_DECIMAL, .scale = (uint8_t)atoi(rest), .extra = text(b, "USD") };
    if ((rest = after(z, "eur")))
        return (shunt_type){ .kind = SHUNT_KIND_DECIMAL, .scale = (uint8_t)atoi(rest), .extra = text(b, "EUR") };
    if ((rest = after(z, "enum:"))) return (shunt_type){ .kind = SHUNT_KIND_INT, .extra = (uint16_t)(find(b, "enum", rest) + 1) };
    if ((rest = after(z, "row:"))) return (shunt_type){ .kind = SHUNT_KIND_ROW, .record = find(b, "record", rest) };
    if ((rest = after(z, "node:"))) return (shunt_type){ .kind = SHUNT_KIND_NODE, .record = find(b, "frame", rest) };
    if ((rest = after(z, "list:"))) {
        shunt_type item = type_of(b, rest);
        return (shunt_type){
            .kind = SHUNT_KIND_LIST, .element = item.kind, .scale = item.scale, .record = item.record, .extra = item.extra
        };
    }
    stop(b, "type", z);
    return (shunt_type){ 0 };
}

static shunt_value value_of(struct builder *b, shunt_type type, const char *z)
{
    shunt_value value;
    memset(&value, 0, sizeof value);
    if (type.kind == SHUNT_KIND_DECIMAL) {
        if (shunt_decimal_parse(z, strlen(z), type.scale, false, &value.coefficient) != SHUNT_OK) stop(b, "decimal", z);
    } else if (type.kind == SHUNT_KIND_DATE) {
        if (shunt_date_parse_iso(shunt_text_of(z), &value.integer) != SHUNT_OK) stop(b, "date", z);
    } else if (type.kind == SHUNT_KIND_MOMENT) {
        if (shunt_moment_parse(shunt_text_of(z), &value.moment) != SHUNT_OK) stop(b, "moment", z);
    } else {
        value.integer = atoll(z);
    }
    return value;
}

static uint16_t constant(struct builder *b, const char *z, bool quoted)
{
    shunt_constant c;
    memset(&c, 0, sizeof c);
    if (quoted) {
        c.type = type_of(b, "text");
        c.value.integer = text(b, z);
    } else {
        char        name[120];
        const char *colon = strrchr(z, ':');
        if (after(z, "moment:")) colon = z + 6; /* there are more of them behind */
        if (!colon) stop(b, "constant", z);
        snprintf(name, sizeof name, "%.*s", (int)(colon - z), z);
        c.type = type_of(b, name);
        c.value = value_of(b, c.type, colon + 1);
    }
    ADD(b, shunt_constant, constants, c);
    return (uint16_t)(b->constants.count - 1);
}

/* ---- declarations ---- */

static long option(struct builder *b, int from, const char *name, long otherwise)
{
    for (int i = from; i < b->token_count; i++) {
        const char *rest = after(b->token[i], name);
        if (rest && *rest == '=') return atol(rest + 1);
    }
    return otherwise;
}

static const char *option_text(struct builder *b, int from, const char *name)
{
    for (int i = from; i < b->token_count; i++) {
        const char *rest = after(b->token[i], name);
        if (rest && *rest == '=') return rest + 1;
    }
    return NULL;
}

static bool flag(struct builder *b, int from, const char *name)
{
    for (int i = from; i < b->token_count; i++) {
        if (strcmp(b->token[i], name) == 0) return true;
    }
    return false;
}

static void record(struct builder *b)
{
    uint32_t first = (uint32_t)b->fields.count;
    for (int i = 2; i < b->token_count; i++) {
        char  field[120];
        char *colon, *slash;
        snprintf(field, sizeof field, "%s", b->token[i]);
        if (!(colon = strchr(field, ':'))) stop(b, "field", field);
        *colon = 0;
        if ((slash = strchr(colon + 1, '/'))) *slash = 0;
        shunt_field f = { .type = type_of(b, colon + 1), .max_length = slash ? (uint32_t)atoi(slash + 1) : 0 };
        if (colon[-1] == '?') {
            colon[-1] = 0;
            f.flags = SHUNT_FIELD_OPTIONAL;
        }
        f.name = text(b, field);
        ADD(b, shunt_field, fields, f);
    }
    ADD(b, shunt_record_type, records,
        { .name = text(b, b->token[1]), .field_first = first, .field_count = (uint32_t)b->fields.count - first });
}

static void table_row(struct builder *b)
{
    shunt_table       *t = &AT(b, shunt_table, tables, b->table);
    shunt_record_type *r = &AT(b, shunt_record_type, records, t->record);
    if ((uint32_t)b->token_count != r->field_count + 1) stop(b, "cells", b->token[0]);
    for (uint32_t f = 0; f < r->field_count; f++) {
        shunt_type  type = AT(b, shunt_field, fields, r->field_first + f).type;
        const char *z = b->token[f + 1];
        shunt_cell  cell;
        memset(&cell, 0, sizeof cell);
        if (strcmp(z, "-") == 0 && !b->quoted[f + 1])
            cell.state = SHUNT_ABSENT;
        else if (type.kind == SHUNT_KIND_TEXT)
            cell.text = add_text(&b->table_texts, z);
        else
            cell.value = value_of(b, type, z);
        ADD(b, shunt_cell, cells, cell);
    }
    t->row_count++;
}

/* Rows of a set, in 64 bits: "0,2", "-" for none. */
static void decision_set(struct builder *b, const char *z)
{
    uint64_t bits = 0;
    for (const char *at = z; *at >= '0' && *at <= '9';) {
        bits |= UINT64_C(1) << strtol(at, (char **)(uintptr_t)&at, 10);
        if (*at == ',') at++;
    }
    ADD(b, uint32_t, decision_sets, (uint32_t)b->decision_bits.count);
    ADD(b, uint64_t, decision_bits, bits);
}

static void decision_column(struct builder *b)
{
    shunt_decision       *d = &AT(b, shunt_decision, decisions, b->decision);
    shunt_decision_column c = { .type = type_of(b, b->token[1]),
                                .ordered = flag(b, 2, "ordered"),
                                .point_first = (uint32_t)b->decision_points.count,
                                .set_first = (uint32_t)b->decision_sets.count };
    for (int i = c.ordered ? 3 : 2; i < b->token_count; i++) {
        char *equals = strchr(b->token[i], '=');
        if (equals) {
            *equals = 0;
            shunt_value point = value_of(b, c.type, b->token[i]);
            if (c.type.kind == SHUNT_KIND_TEXT) point.integer = text(b, b->token[i]);
            ADD(b, shunt_value, decision_points, point);
            c.point_count++;
        }
        decision_set(b, equals ? equals + 1 : b->token[i]);
    }
    ADD(b, shunt_decision_column, decision_columns, c);
    d->column_count++;
}

static void frame(struct builder *b)
{
    static const char *const kinds[] = { "set", "loop", "group" };
    shunt_plan_frame         f = { .id = text(b, b->token[1]),
                                   .slot_first = (uint16_t)b->slots.count,
                                   .child_first = (uint16_t)b->children.count };
    bool                     child = false;
    for (int k = 0; k < 3; k++) {
        if (strcmp(b->token[2], kinds[k]) == 0) f.kind = (uint8_t)k;
    }
    for (int i = 3; i < b->token_count; i++) {
        if (strcmp(b->token[i], "unit") == 0)
            f.unit = 1;
        else if (strcmp(b->token[i], ">") == 0)
            child = true;
        else if (child) {
            ADD(b, uint16_t, children, find(b, "frame", b->token[i]));
            f.child_count++;
        } else {
            char            path[120];
            char           *colon, *equals;
            shunt_plan_slot s = { .frame = (uint16_t)b->frames.count,
                                  .codes = SHUNT_NONE,
                                  .mask = SHUNT_NONE,
                                  .format = SHUNT_NONE,
                                  .currency = SHUNT_NONE };
            snprintf(path, sizeof path, "%s", b->token[i]);
            if (!(colon = strchr(path, ':'))) stop(b, "slot", path);
            *colon = 0;
            const char *how = colon + 1, *rest;
            if ((equals = strchr(path, '='))) {
                *equals = 0;
                s.codes = find(b, "codes", equals + 1);
            }
            if (path[strlen(path) - 1] == '!') {
                path[strlen(path) - 1] = 0;
                s.required = 1;
            }
            s.path = text(b, path);
            char *at_currency = strchr(path + strlen(path) + 1, '@');
            if (at_currency) {
                *at_currency = 0;
                s.currency = 0;
                while (
                    s.currency < f.slot_count &&
                    strcmp(
                        ((shunt_text *)b->texts.items)[((shunt_plan_slot *)b->slots.items)[f.slot_first + s.currency].path].bytes,
                        at_currency + 1) != 0)
                    s.currency++;
            }
            if (strcmp(how, "int") == 0)
                s.convert = SHUNT_CONVERT_INT;
            else if (strcmp(how, "date") == 0)
                s.convert = SHUNT_CONVERT_DATE;
            else if (strcmp(how, "end") == 0)
                s.convert = SHUNT_CONVERT_DATE_END;
            else if (strcmp(how, "hl7date") == 0)
                s.convert = SHUNT_CONVERT_DATE_HL7;
            else if (strcmp(how, "hl7moment") == 0)
                s.convert = SHUNT_CONVERT_MOMENT_HL7;
            else if (strcmp(how, "isodate") == 0)
                s.convert = SHUNT_CONVERT_DATE_ISO;
            else if (strcmp(how, "isomoment") == 0)
                s.convert = SHUNT_CONVERT_MOMENT_ISO;
            else if ((rest = after(how, "format/")))
                s.convert = SHUNT_CONVERT_DATE_FORMAT, s.format = text(b, rest);
            else if (strcmp(how, "bool") == 0)
                s.convert = SHUNT_CONVERT_BOOL;
            else if ((rest = after(how, "bool/")))
                s.convert = SHUNT_CONVERT_BOOL, s.format = text(b, rest);
            else if ((rest = after(how, "exp")))
                s.convert = SHUNT_CONVERT_EXPONENT, s.scale = (uint8_t)atoi(rest);
            else if ((rest = after(how, "dec")))
                s.convert = SHUNT_CONVERT_DECIMAL, s.scale = (uint8_t)atoi(rest);
            else if ((rest = after(how, "n")))
                s.convert = SHUNT_CONVERT_IMPLIED, s.implied = (uint8_t)atoi(rest),
                s.scale = (uint8_t)atoi(strchr(rest, ':') + 1);
            else if (strcmp(how, "text") != 0)
                stop(b, "conversion", how);
            ADD(b, shunt_plan_slot, slots, s);
            f.slot_count++;
        }
    }
    ADD(b, shunt_plan_frame, frames, f);
}

static void collect(struct builder *b)
{
    snprintf(b->collect_names[b->collects.count].name, 40, "%.39s", b->token[1]);
    ADD(b, shunt_collect, collects,
        { .frame = find(b, "frame", b->token[2]),
          .record = find(b, "record", b->token[3]),
          .group = (uint16_t)option(b, 4, "group", SHUNT_NONE),
          .line = (uint16_t)option(b, 4, "line", SHUNT_NONE),
          .line_group = (uint16_t)option(b, 4, "line_group", SHUNT_NONE),
          .needed = (uint16_t)option(b, 4, "needed", 0),
          .twice = flag(b, 4, "twice"),
          .max = (uint16_t)option(b, 4, "max", 10000),
          .field_first = (uint32_t)b->collect_fields.count,
          .inner_line = (uint16_t)option(b, 4, "inner_line", SHUNT_NONE),
          .inner_group = (uint16_t)option(b, 4, "inner_group", SHUNT_NONE) });
    b->collect = (int)b->collects.count - 1;
}

/* `1.SLOT` in a child list of the line, `.SLOT` of the line itself; `^` before it: of the outer node. */
static void alternative(struct builder *b, const char *z)
{
    shunt_alternative a = { .line = 1, .child = SHUNT_NONE };
    if (*z == '^') a.line = 0, z++;
    if (*z != '.') a.child = (uint16_t)atoi(z);
    a.slot = find(b, "slot", strchr(z, '.') + 1);
    ADD(b, shunt_alternative, alternatives, a);
}

static void collect_ways(struct builder *b)
{
    for (int i = 1; i < b->token_count; i++) {
        shunt_collect_field f = { 0 };
        const char         *rest;
        if ((rest = after(b->token[i], "group:")))
            f.from = SHUNT_COLLECT_GROUP, f.slot = find(b, "slot", rest);
        else if ((rest = after(b->token[i], "line:")))
            f.from = SHUNT_COLLECT_LINE, f.slot = find(b, "slot", rest);
        else if ((rest = after(b->token[i], "level:"))) {
            char outer[40];
            snprintf(outer, sizeof outer, "%.*s", (int)strcspn(rest, ":"), rest);
            f = (shunt_collect_field){ .from = SHUNT_COLLECT_LEVEL,
                                       .slot = text(b, outer),
                                       .child = text(b, strchr(rest, ':') + 1) };
        } else if (strcmp(b->token[i], "position") == 0)
            f.from = SHUNT_COLLECT_POSITION;
        else if (strcmp(b->token[i], "position:outer") == 0)
            f.from = SHUNT_COLLECT_POSITION, f.slot = 1;
        else if (strcmp(b->token[i], "ordinal") == 0)
            f.from = SHUNT_COLLECT_ORDINAL;
        else if (strcmp(b->token[i], "unread") == 0)
            f.from = SHUNT_COLLECT_UNREAD;
        else if ((rest = after(b->token[i], "first:"))) {
            f = (shunt_collect_field){ .from = SHUNT_COLLECT_FIRST, .slot = (uint16_t)b->alternatives.count };
            char  ways[120];
            char *save = NULL;
            snprintf(ways, sizeof ways, "%s", rest);
            for (char *way = strtok_r(ways, ",", &save); way; way = strtok_r(NULL, ",", &save)) alternative(b, way);
            f.child = (uint16_t)(b->alternatives.count - f.slot);
        } else
            stop(b, "way", b->token[i]);
        ADD(b, shunt_collect_field, collect_fields, f);
    }
}

static void dates(struct builder *b)
{
    snprintf(b->dates_names[b->earliests.count].name, 40, "%.39s", b->token[1]);
    ADD(b, shunt_earliest, earliests,
        { .frame = find(b, "frame", b->token[2]),
          .path_first = (uint32_t)b->date_paths.count,
          .path_count = (uint32_t)b->token_count - 3 });
    for (int i = 3; i < b->token_count; i++) {
        char           *z = b->token[i], *dot = strchr(z, '.');
        shunt_date_path path = { .child = SHUNT_NONE, .grandchild = SHUNT_NONE };
        if (dot) {
            path.child = (uint16_t)atoi(z);
            z = dot + 1;
            if ((dot = strchr(z, '.'))) {
                path.grandchild = (uint16_t)atoi(z);
                z = dot + 1;
            }
        }
        path.slot = find(b, "slot", z);
        ADD(b, shunt_date_path, date_paths, path);
    }
}

static int word_index(struct builder *b, const char *word, const char *const *words, int count)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0) return i;
    }
    stop(b, "word", word);
    return 0;
}

static void exit_line(struct builder *b)
{
    static const char *const kinds[] = { "reject", "quarantine", "warn", "skip" };
    static const char *const scopes[] = { "unit", "transaction", "batch", "interchange", "file" };
    shunt_exit               e = { .kind = (uint8_t)word_index(b, b->token[1], kinds, 4),
                                   .scope = (uint8_t)word_index(b, b->token[2], scopes, 5),
                                   .slot = SHUNT_NONE };
    e.code = strcmp(b->token[3], "-") == 0 ? SHUNT_NONE : find(b, "code", b->token[3]);
    if (b->token_count > 5) {
        e.slot = find(b, "slot", b->token[4]);
        e.node = (uint16_t)atoi(b->token[5] + 1);
    }
    ADD(b, shunt_exit, exits, e);
}

static void target(struct builder *b)
{
    shunt_target t = { .name = text(b, b->token[1]),
                       .flags = flag(b, 3, "journal") ? SHUNT_TARGET_JOURNAL : 0,
                       .record = find(b, "record", b->token[2]),
                       .line = SHUNT_NONE,
                       .key_first = (uint32_t)b->numbers.count,
                       .balance_by = (uint16_t)option(b, 3, "balance", SHUNT_NONE),
                       .accounts = SHUNT_NONE,
                       .encoding = SHUNT_NONE,
                       .message = SHUNT_NONE };
    const char  *name;
    if ((name = option_text(b, 3, "line"))) t.line = find(b, "record", name);
    if ((name = option_text(b, 3, "accounts"))) t.accounts = find(b, "table", name);
    for (name = option_text(b, 3, "key"); name; name = strchr(name, ',') ? strchr(name, ',') + 1 : NULL) {
        ADD(b, uint16_t, numbers, (uint16_t)atoi(name));
        t.key_count++;
    }
    ADD(b, shunt_target, targets, t);
}

static void names_in_numbers(struct builder *b, uint32_t *first, uint32_t *count)
{
    *first = (uint32_t)b->numbers.count;
    *count = (uint32_t)b->token_count - 2;
    for (int i = 2; i < b->token_count; i++) ADD(b, uint16_t, numbers, text(b, b->token[i]));
}

static uint16_t function_named(struct builder *b, const char *option_name)
{
    const char *name = option_text(b, 1, option_name);
    return name ? find(b, "function", name) : SHUNT_NONE;
}

static void map_line(struct builder *b)
{
    ADD(b, shunt_map_entry, maps,
        { .name = text(b, b->token[1]),
          .at_start = function_named(b, "at_start"),
          .early = function_named(b, "early"),
          .late = function_named(b, "late"),
          .at_end = function_named(b, "at_end"),
          .at_end_batch = function_named(b, "at_end_batch"),
          .at_end_file = function_named(b, "at_end_file"),
          .on_error = (uint16_t)option(b, 2, "on_error", SHUNT_NONE),
          .source_error = (uint16_t)option(b, 2, "source_error", SHUNT_NONE),
          .widest = SHUNT_SCOPE_TRANSACTION });
}

static void encode(struct builder *b)
{
    static const char *const kinds[] = { "json", "csv", "fixed", "xml" };
    shunt_encoding           e = { .kind = (uint16_t)word_index(b, b->token[2], kinds, 4),
                                   .width = (uint16_t)option(b, 3, "width", 0),
                                   .column_first = (uint32_t)b->encoding_columns.count,
                                   .setting_first = (uint32_t)b->numbers.count };
    for (int i = 3; i < b->token_count; i++) {
        char *equals = strchr(b->token[i], '=');
        if (!equals || after(b->token[i], "width")) continue;
        *equals = 0;
        ADD(b, uint16_t, numbers, text(b, b->token[i]));
        ADD(b, uint16_t, numbers, text(b, equals + 1));
        e.setting_count++;
    }
    AT(b, shunt_target, targets, find(b, "target", b->token[1])).encoding = (uint16_t)b->encodings.count;
    ADD(b, shunt_encoding, encodings, e);
    b->encoding = (int)b->encodings.count - 1;
}

static void encoding_column(struct builder *b)
{
    ADD(b, shunt_encoding_column, encoding_columns,
        { .field = (uint16_t)strtol(b->token[1], NULL, 0),
          .name = b->token_count > 2 ? text(b, b->token[2]) : SHUNT_NONE,
          .format = b->token_count > 3 ? text(b, b->token[3]) : SHUNT_NONE,
          .from = 1,
          .to = 5 });
    AT(b, shunt_encoding, encodings, b->encoding).column_count++;
}

/* One guide: the body of the set, and in it a loop that CLP begins and that holds REF with qualifier 1L. */
static void plan(struct builder *b)
{
    uint16_t set = find(b, "frame", b->token[1]), loop = find(b, "frame", b->token[2]);
    uint64_t clp = shunt_pack((const uint8_t *)"CLP", 3), ref = shunt_pack((const uint8_t *)"REF", 3),
             key = shunt_pack((const uint8_t *)"1L", 2);
    ADD(b, shunt_plan_source, plan_sources, { .standard = 0 });
    ADD(b, shunt_plan_guide, guides,
        { .set = text(b, "835"),
          .version = text(b, "005010X221A1"),
          .family = text(b, "005010X221"),
          .functional_id = text(b, "HP"),
          .loop_count = 2,
          .id_count = 2 });
    ADD(b, shunt_plan_loop, loops,
        { .id = 0, .parent = SHUNT_NONE, .frame = set, .trigger = SHUNT_NONE, .name = SHUNT_NONE, .type = SHUNT_NONE });
    ADD(b, shunt_plan_loop, loops,
        { .id = text(b, "2100"), .depth = 1, .position = 1, .frame = loop, .name = SHUNT_NONE, .type = SHUNT_NONE });
    ADD(b, shunt_plan_node, nodes,
        { .id = clp,
          .loop = 1,
          .position = 1,
          .trigger = 1,
          .elements = 14,
          .frame = SHUNT_NONE,
          .demand_count = 1,
          .name = SHUNT_NONE,
          .of = SHUNT_NONE });
    ADD(b, shunt_plan_node, nodes,
        { .id = ref,
          .loop = 1,
          .position = 2,
          .key_element = 1,
          .key_count = 1,
          .frame = SHUNT_NONE,
          .name = SHUNT_NONE,
          .of = SHUNT_NONE });
    ADD(b, shunt_plan_demand, demands, { .element = 1 });
    ADD(b, uint64_t, keys, key);
    ADD(b, uint64_t, ids, clp);
    ADD(b, uint64_t, ids, ref);
    static const uint32_t dispatch[] = { 0, 1, 1, 2, 3 }; /* body CLP, body REF, loop CLP, loop REF */
    for (size_t i = 0; i < SHUNT_COUNT(dispatch); i++) ADD(b, uint32_t, dispatch, dispatch[i]);
    ADD(b, shunt_plan_choice, choices, { 0, 0 });
    ADD(b, shunt_plan_choice, choices, { 0, 0 });
    ADD(b, shunt_plan_choice, choices, { 1, 0 });
}

/* ---- code ---- */

static void end_function(struct builder *b)
{
    if (b->function < 0) return;
    shunt_function *f = &AT(b, shunt_function, functions, b->function);
    f->code_count = (uint32_t)b->instructions.count - f->code_first;
    for (int j = 0; j < b->jump_count; j++) {
        uint32_t to = UINT32_MAX;
        for (int l = 0; l < b->label_count; l++) {
            if (strcmp(b->labels[l].name, b->jumps[j].name) == 0) to = b->labels[l].at;
        }
        if (to == UINT32_MAX) stop(b, "label", b->jumps[j].name);
        shunt_instruction *i = &AT(b, shunt_instruction, instructions, b->jumps[j].instruction);
        i->b = (uint16_t)to;
        i->c = (uint16_t)(to >> 16);
    }
    b->label_count = b->jump_count = 0;
    b->function = -1;
}

static void function(struct builder *b)
{
    end_function(b);
    shunt_function f = { .name = text(b, b->token[1]),
                         .params = (uint16_t)atoi(b->token[2]),
                         .result = type_of(b, b->token[3]),
                         .pure = flag(b, 4, "pure"),
                         .type_first = (uint32_t)b->register_types.count,
                         .code_first = (uint32_t)b->instructions.count };
    int            at = 4;
    while (at < b->token_count && strcmp(b->token[at], ":") != 0) at++;
    for (at++; at < b->token_count; at++) {
        ADD(b, shunt_type, register_types, type_of(b, b->token[at]));
        f.registers++;
    }
    ADD(b, shunt_function, functions, f);
    b->function = (int)b->functions.count - 1;
}

static uint16_t operand(struct builder *b, uint8_t kind, const char *z, bool quoted)
{
    static const char *const modes[] = { "half_up", "half_even", "down", "up", "exact" };
    if (kind == SHUNT_OPERAND_CONST || kind == SHUNT_OPERAND_TEXTK) return constant(b, z, quoted);
    if (strcmp(z, "-") == 0) return SHUNT_NONE;
    if ((*z >= '0' && *z <= '9') || kind == SHUNT_OPERAND_NONE) {
        long index = kind == SHUNT_OPERAND_SLOT ? find_any(b, "slot", z) : -1;
        return index >= 0 ? (uint16_t)index : (uint16_t)atoi(z);
    }
    switch (kind) {
    case SHUNT_OPERAND_SLOT: return find(b, "slot", z);
    case SHUNT_OPERAND_TABLE: return find(b, "table", z);
    case SHUNT_OPERAND_EXTERN: return find(b, "extern", z);
    case SHUNT_OPERAND_DECISION: return find(b, "decision", z);
    case SHUNT_OPERAND_TALLY: return find(b, "tally", z);
    case SHUNT_OPERAND_TARGET: return find(b, "target", z);
    case SHUNT_OPERAND_FUNCTION: return find(b, "function", z);
    case SHUNT_OPERAND_MODE: return (uint16_t)word_index(b, z, modes, 5);
    case SHUNT_OPERAND_BUILTIN:
        for (int i = 0; i < SHUNT_BUILTIN_COUNT; i++) {
            if (strcmp(shunt_builtin_info[i].name, z) == 0) return (uint16_t)i;
        }
        break;
    case SHUNT_OPERAND_COLLECT:
        for (size_t i = 0; i < b->collects.count; i++) {
            if (strcmp(b->collect_names[i].name, z) == 0) return (uint16_t)i;
        }
        break;
    case SHUNT_OPERAND_EARLIEST:
        for (size_t i = 0; i < b->earliests.count; i++) {
            if (strcmp(b->dates_names[i].name, z) == 0) return (uint16_t)i;
        }
        break;
    default: break;
    }
    stop(b, "operand", z);
    return 0;
}

static void instruction(struct builder *b)
{
    int op = 0;
    while (op < SHUNT_OP_COUNT && strcmp(shunt_op_info[op].name, b->token[0]) != 0) op++;
    if (op == SHUNT_OP_COUNT || b->function < 0) stop(b, "word", b->token[0]);
    const uint8_t     kinds[] = { shunt_op_info[op].a, shunt_op_info[op].b, shunt_op_info[op].c };
    uint16_t          words[3] = { 0 };
    int               at = 1;
    shunt_instruction made = { .op = (uint16_t)op };
    for (int k = 0; k < 3; k++) {
        if (kinds[k] == SHUNT_OPERAND_JUMP) {
            if (k == 2) break; /* two words, one label */
            if (at >= b->token_count || b->token[at][0] != '@') stop(b, "label wanted", b->token[0]);
            if (b->jump_count == LABELS || strlen(b->token[at]) > 40) stop(b, "too many labels, or too long", b->token[at]);
            strcpy(b->jumps[b->jump_count].name, b->token[at++] + 1);
            b->jumps[b->jump_count++].instruction = (uint32_t)b->instructions.count;
            continue;
        }
        if (kinds[k] == SHUNT_OPERAND_NONE) continue;
        if (at >= b->token_count && k == 2 && (op == SHUNT_OP_JOURNAL || op == SHUNT_OP_LINE)) continue; /* 0 */
        if (at >= b->token_count) stop(b, "operand missing", b->token[0]);
        words[k] = operand(b, kinds[k], b->token[at], b->quoted[at]);
        at++;
    }
    if (at != b->token_count) stop(b, "too many operands", b->token[0]);
    made.a = words[0];
    made.b = words[1];
    made.c = words[2];
    ADD(b, shunt_instruction, instructions, made);
    if (!b->places) return;
    ADD(b, shunt_site, sites,
        { .file = AT(b, shunt_site, sites, 1).file, .step = SHUNT_NONE, .line = b->line_number, .column = 2 });
    ADD(b, uint32_t, instruction_sites, (uint32_t)b->sites.count - 1);
}

static void source_line(struct builder *b)
{
    const char *word = b->token[0];
    size_t      last = strlen(word) - 1;
    if (strcmp(word, "|") == 0) {
        if (b->collect >= 0)
            collect_ways(b);
        else if (b->encoding >= 0)
            encoding_column(b);
        else if (b->decision >= 0)
            decision_column(b);
        else
            table_row(b);
        return;
    }
    if (b->function >= 0 && word[0] >= 'A' && word[0] <= 'Z') {
        instruction(b);
        return;
    }
    if (b->function >= 0 && word[last] == ':') {
        if (b->label_count == LABELS || last > 39) stop(b, "too many labels, or too long", word);
        memcpy(b->labels[b->label_count].name, word, last);
        b->labels[b->label_count].name[last] = 0;
        b->labels[b->label_count++].at =
            (uint32_t)(b->instructions.count - AT(b, shunt_function, functions, b->function).code_first);
        return;
    }
    b->table = b->collect = b->encoding = b->decision = -1;
    if (strcmp(word, "function") == 0)
        function(b);
    else if (strcmp(word, "text") == 0)
        text(b, b->token[1]);
    else if (strcmp(word, "record") == 0)
        record(b);
    else if (strcmp(word, "frame") == 0)
        frame(b);
    else if (strcmp(word, "collect") == 0)
        collect(b);
    else if (strcmp(word, "dates") == 0)
        dates(b);
    else if (strcmp(word, "exit") == 0)
        exit_line(b);
    else if (strcmp(word, "target") == 0)
        target(b);
    else if (strcmp(word, "map") == 0)
        map_line(b);
    else if (strcmp(word, "encode") == 0)
        encode(b);
    else if (strcmp(word, "plan") == 0)
        plan(b);
    else if (strcmp(word, "handler") == 0)
        ADD(b, shunt_handler, handlers, { .frame = find(b, "frame", b->token[1]), .function = find(b, "function", b->token[2]) });
    else if (strcmp(word, "module") == 0)
        ADD(b, shunt_module, modules,
            { .name = text(b, b->token[1]), .version = text(b, b->token[2]), .file = text(b, b->token[3]) });
    else if (strcmp(word, "lineage") == 0)
        ADD(b, shunt_lineage, lineage,
            { .target = find(b, "target", b->token[1]),
              .field = (uint16_t)strtol(b->token[2], NULL, 0),
              .slot = find(b, "slot", b->token[3]),
              .site = b->places ? 1 : 0 });
    else if (strcmp(word, "places") == 0) {
        b->places = true;
        ADD(b, shunt_site, sites, { .file = SHUNT_NONE, .step = SHUNT_NONE });
        ADD(b, shunt_site, sites, { .file = text(b, b->token[1]), .step = text(b, b->token[2]), .line = 1, .column = 1 });
    } else if (strcmp(word, "declared") == 0) {
        ADD(b, shunt_tally, tallies,
            { .name = text(b, b->token[1]),
              .scope = SHUNT_SCOPE_FILE,
              .declared = 1,
              .type = type_of(b, b->token[2]),
              .record = SHUNT_NONE,
              .frame = find(b, "frame", b->token[3]),
              .function = find(b, "function", b->token[4]) });
    } else if (strcmp(word, "code") == 0)
        ADD(b, shunt_code, codes, { text(b, b->token[1]), SHUNT_NONE, SHUNT_NONE, SHUNT_NONE });
    else if (strcmp(word, "global") == 0)
        ADD(b, shunt_type, globals, type_of(b, b->token[1]));
    else if (strcmp(word, "zone") == 0) {
        shunt_zone zone = { .name = text(b, b->token[1]), .standard = (int16_t)atoi(b->token[2]) };
        zone.offset = zone.summer = zone.standard;
        if (b->token_count > 3) {
            zone.summer = (int16_t)atoi(b->token[3]);
            zone.to_summer = (shunt_zone_turn){ .kind = SHUNT_TURN_WEEKDAY, .month = 3, .week = 2, .seconds = 7200 };
            zone.to_standard = (shunt_zone_turn){ .kind = SHUNT_TURN_WEEKDAY, .month = 11, .week = 1, .seconds = 7200 };
        }
        if (b->zones.count == 0) ((shunt_source *)b->sources.items)->zone = 0;
        ADD(b, shunt_zone, zones, zone);
    } else if (strcmp(word, "tally") == 0) {
        const char *by = option_text(b, 3, "by");
        ADD(b, shunt_tally, tallies,
            { .name = text(b, b->token[1]),
              .scope = SHUNT_SCOPE_TRANSACTION,
              .type = type_of(b, b->token[2]),
              .frame = SHUNT_NONE,
              .function = SHUNT_NONE,
              .record = by ? find(b, "record", by) : SHUNT_NONE,
              .keys = (uint16_t)option(b, 3, "keys", by ? 1 : 0),
              .members = flag(b, 3, "members"),
              .limit = by ? 100 : 0 });
    } else if (strcmp(word, "enum") == 0) {
        shunt_enum e = { .name = text(b, b->token[1]) };
        names_in_numbers(b, &e.member_first, &e.member_count);
        ADD(b, shunt_enum, enums, e);
    } else if (strcmp(word, "codes") == 0) {
        shunt_code_list c = { .name = text(b, b->token[1]) };
        names_in_numbers(b, &c.value_first, &c.value_count);
        ADD(b, shunt_code_list, code_lists, c);
    } else if (strcmp(word, "table") == 0) {
        ADD(b, shunt_table, tables,
            { .name = text(b, b->token[1]),
              .record = find(b, "record", b->token[2]),
              .key_count = (uint16_t)option(b, 3, "keys", 1),
              .flags =
                  (uint16_t)((flag(b, 3, "prefix") ? SHUNT_TABLE_PREFIX : 0) | (flag(b, 3, "range") ? SHUNT_TABLE_RANGE : 0) |
                             (flag(b, 3, "effective") ? SHUNT_TABLE_EFFECTIVE : 0)),
              .path = SHUNT_NONE,
              .cell_first = (uint32_t)b->cells.count });
        b->table = (int)b->tables.count - 1;
    } else if (strcmp(word, "extern") == 0) {
        ADD(b, shunt_extern, externs,
            { .name = text(b, b->token[1]),
              .library = text(b, b->token[2]),
              .param_count = (uint16_t)(b->token_count - 4),
              .type_first = (uint32_t)b->extern_types.count,
              .cost = 10 });
        for (int i = 3; i < b->token_count; i++) ADD(b, shunt_type, extern_types, type_of(b, b->token[i]));
    } else if (strcmp(word, "decision") == 0) {
        ADD(b, shunt_decision, decisions,
            { .name = text(b, b->token[1]),
              .column_first = (uint32_t)b->decision_columns.count,
              .row_count = (uint32_t)atoi(b->token[2]) });
        b->decision = (int)b->decisions.count - 1;
    } else
        stop(b, "word", word);
}

void asm_save(const char *source, shunt_buffer *out)
{
    struct builder *b = calloc(1, sizeof *b);
    if (!b) abort();
    b->function = b->table = b->collect = b->encoding = b->decision = -1;
    text(b, "");
    ADD(b, shunt_source, sources,
        { .name = text(b, "src"),
          .standard = text(b, "X12"),
          .currency = text(b, "USD"),
          .max_unit_bytes = 4 << 20,
          .zone = SHUNT_NONE });
    for (const char *line = source; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        tokens(b, line);
        b->line_number++;
        if (b->token_count) source_line(b);
    }
    end_function(b);
    shunt_program p = {
#define X(type, member) .member = b->member.items, .member##_count = (uint32_t)b->member.count,
        SHUNT_PROGRAM_SECTIONS(X)
#undef X
            .texts = b->texts.items,
        .texts_count = (uint32_t)b->texts.count,
        .table_texts = b->table_texts.items,
        .table_texts_count = (uint32_t)b->table_texts.count,
    };
    if (shunt_program_save(&p, out) != SHUNT_OK) abort();
    for (uint32_t i = 0; i < p.texts_count; i++) free((char *)(uintptr_t)p.texts[i].bytes);
    for (uint32_t i = 0; i < p.table_texts_count; i++) free((char *)(uintptr_t)p.table_texts[i].bytes);
#define X(type, member) free(b->member.items);
    SHUNT_PROGRAM_SECTIONS(X)
#undef X
    free(b->texts.items);
    free(b->table_texts.items);
    free(b);
}

static shunt_status load(const char *source, shunt_program **program, char why[static 200])
{
    shunt_buffer bytes;
    shunt_buffer_init(&bytes, &shunt_memory_libc);
    asm_save(source, &bytes);
    shunt_status status = shunt_program_load(&shunt_memory_libc, (const uint8_t *)bytes.bytes, bytes.length, program, why);
    shunt_buffer_done(&bytes);
    return status;
}

shunt_program *asm_load(const char *source)
{
    shunt_program *program;
    char           why[200];
    if (load(source, &program, why) != SHUNT_OK) {
        fprintf(stderr, "asm: refused: %s\n%s\n", why, source);
        abort();
    }
    return program;
}

shunt_status asm_try(const char *source, char why[static 200])
{
    shunt_program *program = NULL;
    shunt_status   status = load(source, &program, why);
    if (status == SHUNT_OK) shunt_program_free(program);
    return status;
}

uint16_t asm_function(const shunt_program *program, const char *name)
{
    for (uint32_t f = 0; f < program->functions_count; f++) {
        if (shunt_text_is(shunt_program_text(program, program->functions[f].name), name)) return (uint16_t)f;
    }
    fprintf(stderr, "asm: no function %s\n", name);
    abort();
}

/* ---- trees ---- */

static shunt_node *new_node(const shunt_program *p, shunt_arena *arena, uint16_t frame, shunt_node *parent, uint64_t at)
{
    shunt_node *node = SHUNT_NEW(arena, shunt_node);
    *node = (shunt_node){ .parent = parent, .frame = frame, .at = at, .end = at + 1, .ordinal = 1, .segment = 1 };
    node->slots = SHUNT_NEW_N(arena, shunt_captured, p->frames[frame].slot_count);
    node->children = SHUNT_NEW_N(arena, shunt_children, p->frames[frame].child_count);
    for (uint16_t c = 0; parent && c < p->frames[parent->frame].child_count; c++) {
        if (p->children[p->frames[parent->frame].child_first + c] != frame) continue;
        shunt_children *list = &parent->children[c];
        if (list->last)
            list->last->next = node;
        else
            list->first = node;
        list->last = node;
        node->ordinal = ++list->count;
        break;
    }
    return node;
}

const shunt_node *asm_tree(const shunt_program *p, shunt_arena *arena, const char *tree)
{
    struct builder *b = calloc(1, sizeof *b);
    shunt_node     *open[20] = { 0 }, *root = NULL;
    uint64_t        at = 100;
    if (!b) abort();
    for (const char *line = tree; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        int level = (int)strspn(line, " ");
        tokens(b, line);
        if (b->token_count == 0) continue;
        uint32_t frame = 0;
        while (frame < p->frames_count && !shunt_text_is(shunt_program_text(p, p->frames[frame].id), b->token[0])) frame++;
        if (frame == p->frames_count) stop(b, "frame", b->token[0]);
        shunt_node *node = new_node(p, arena, (uint16_t)frame, level ? open[level - 1] : NULL, at += 100);
        open[level] = node;
        if (level == 0) root = node;
        for (int i = 1; i < b->token_count; i++) {
            char *equals = strchr(b->token[i], '=');
            if (!equals) stop(b, "slot", b->token[i]);
            *equals = 0;
            uint32_t slot = 0, count = p->frames[frame].slot_count;
            while (slot < count &&
                   !shunt_text_is(shunt_program_text(p, p->slots[p->frames[frame].slot_first + slot].path), b->token[i]))
                slot++;
            if (slot == count) stop(b, "slot", b->token[i]);
            shunt_text copy = shunt_text_copy(arena, shunt_text_of(equals + 1));
            node->slots[slot] = (shunt_captured){ .bytes = copy.bytes, .length = copy.length, .size = copy.length, .at = at++ };
        }
    }
    free(b);
    return root;
}

/* ---- the host ---- */

static void value(struct asm_host *h, shunt_type type, shunt_value v, uint8_t state)
{
    char room[64];
    if (state != SHUNT_PRESENT) {
        shunt_buffer_z(&h->log, state == SHUNT_ABSENT ? "absent" : state == SHUNT_CLEARED ? "cleared" : "state?");
        return;
    }
    const shunt_program *p = h->program;
    switch (type.kind) {
    case SHUNT_KIND_LIST:
        shunt_buffer_char(&h->log, '[');
        for (uint32_t i = 0; i < v.list.count; i++) {
            if (i) shunt_buffer_z(&h->log, ", ");
            value(h, (shunt_type){ .kind = type.element, .scale = type.scale, .record = type.record, .extra = type.extra },
                  v.list.items[i], SHUNT_PRESENT);
        }
        shunt_buffer_char(&h->log, ']');
        break;
    case SHUNT_KIND_ROW:
        shunt_buffer_char(&h->log, '(');
        for (uint32_t f = 0; f < p->records[type.record].field_count; f++) {
            if (f) shunt_buffer_z(&h->log, ", ");
            value(h, p->fields[p->records[type.record].field_first + f].type, v.row->fields[f], v.row->states[f]);
        }
        shunt_buffer_char(&h->log, ')');
        break;
    case SHUNT_KIND_NODE:
        shunt_buffer_text(&h->log, shunt_program_text(p, p->frames[v.node->frame].id));
        shunt_buffer_format(&h->log, "#%u", v.node->ordinal);
        break;
    default: shunt_buffer_text(&h->log, shunt_value_text(p, type, v, room));
    }
}

static void place(struct asm_host *h, shunt_vm_place at)
{
    if (at.slot == SHUNT_NONE) return;
    shunt_buffer_z(&h->log, " at ");
    shunt_buffer_text(&h->log, shunt_program_text(h->program, h->program->slots[at.slot].path));
    if (at.value) shunt_buffer_format(&h->log, "=%.*s", (int)at.value->length, at.value->bytes);
}

static void fields(struct asm_host *h, uint16_t record, const shunt_value *values, const uint8_t *states)
{
    const shunt_record_type *r = &h->program->records[record];
    for (uint32_t f = 0; f < r->field_count; f++) {
        shunt_buffer_char(&h->log, ' ');
        shunt_buffer_text(&h->log, shunt_program_text(h->program, h->program->fields[r->field_first + f].name));
        shunt_buffer_char(&h->log, '=');
        value(h, h->program->fields[r->field_first + f].type, values[f], states[f]);
    }
}

static shunt_status on_record(void *context, const shunt_record *r)
{
    struct asm_host    *h = context;
    const shunt_target *t = &h->program->targets[r->target];
    shunt_buffer_z(&h->log, r->journal ? "journal " : "record ");
    shunt_buffer_text(&h->log, shunt_program_text(h->program, t->name));
    for (uint32_t k = 0; k < r->key_count; k++) {
        shunt_buffer_z(&h->log, k ? "|" : " key ");
        shunt_buffer_text(&h->log, r->key[k]);
    }
    fields(h, t->record, r->fields, r->states);
    shunt_buffer_char(&h->log, '\n');
    for (uint32_t i = 0; i < r->line_count; i++) {
        const shunt_line *l = &r->lines[i];
        shunt_buffer_z(&h->log, l->credit ? " credit " : " debit ");
        shunt_buffer_text(&h->log, l->account);
        shunt_buffer_char(&h->log, ' ');
        value(h, l->type, (shunt_value){ .coefficient = l->amount }, SHUNT_PRESENT);
        if (t->line != SHUNT_NONE) fields(h, t->line, l->columns, l->states);
        shunt_buffer_char(&h->log, '\n');
    }
    return h->answer;
}

static shunt_status on_warn(void *context, uint16_t exit, shunt_text message, shunt_vm_place at)
{
    struct asm_host *h = context;
    shunt_buffer_z(&h->log, "warn ");
    shunt_buffer_text(&h->log, shunt_program_text(h->program, h->program->codes[h->program->exits[exit].code].name));
    if (message.bytes) shunt_buffer_format(&h->log, " \"%.*s\"", SHUNT_TEXT_ARGS(message));
    place(h, at);
    shunt_buffer_char(&h->log, '\n');
    return h->answer;
}

static shunt_status on_fault(void *context, shunt_status code, uint32_t site, shunt_vm_place at)
{
    struct asm_host *h = context;
    (void)site;
    shunt_buffer_format(&h->log, "fault %s", shunt_status_info[code].code);
    place(h, at);
    shunt_buffer_char(&h->log, '\n');
    return h->answer;
}

static void texts(struct asm_host *h, const char *word, const shunt_text *list, uint32_t count)
{
    shunt_buffer_z(&h->log, word);
    for (uint32_t i = 0; i < count; i++) shunt_buffer_format(&h->log, " %.*s", SHUNT_TEXT_ARGS(list[i]));
    shunt_buffer_char(&h->log, '\n');
}

static shunt_status on_correlate(void *context, const shunt_text *list, uint32_t count)
{
    struct asm_host *h = context;
    texts(h, "correlate", list, count);
    return h->answer;
}

static shunt_status on_occurrence(void *context, const shunt_text *list, uint32_t count, int64_t *times)
{
    struct asm_host *h = context;
    texts(h, "occurrence", list, count);
    *times = ++h->times;
    return h->answer;
}

static shunt_status on_tally_add(void *context, uint16_t tally, shunt_value v, shunt_text key)
{
    struct asm_host *h = context;
    shunt_buffer_z(&h->log, "add ");
    value(h, h->program->tallies[tally].type, v, SHUNT_PRESENT);
    if (key.length) shunt_buffer_format(&h->log, " to %.*s", SHUNT_TEXT_ARGS(key));
    shunt_buffer_char(&h->log, '\n');
    return h->answer;
}

static shunt_status on_extern(void *context, uint16_t index, const shunt_value *arguments, shunt_arena *arena,
                              shunt_value *result, uint8_t *state)
{
    (void)context, (void)index, (void)arena;
    if (arguments[0].integer == 13) return SHUNT_EXTERN_FAILED;
    *state = arguments[0].integer ? SHUNT_PRESENT : SHUNT_ABSENT;
    result->integer = 2 * arguments[0].integer;
    return SHUNT_OK;
}

static shunt_status on_tally_get(void *context, uint16_t tally, shunt_arena *arena, shunt_value *v)
{
    struct asm_host *h = context;
    (void)tally;
    (void)arena;
    *v = h->tally;
    return h->tally_status;
}

void asm_host_init(struct asm_host *h, const shunt_program *program)
{
    *h = (struct asm_host){ .program = program,
                            .host = { .context = h,
                                      .record = on_record,
                                      .warn = on_warn,
                                      .fault = on_fault,
                                      .correlate = on_correlate,
                                      .occurrence = on_occurrence,
                                      .tally_add = on_tally_add,
                                      .tally_get = on_tally_get,
                                      .call_extern = on_extern,
                                      .token_key = (const uint8_t *)"key",
                                      .token_key_length = 3,
                                      .file_id = SHUNT_TEXT("input-1"),
                                      .received_at = { .microseconds = INT64_C(1741000000000000) },
                                      .received_at_known = true } };
    shunt_buffer_init(&h->log, &shunt_memory_libc);
}

void asm_host_done(struct asm_host *h) { shunt_buffer_done(&h->log); }

void asm_outcome(struct asm_host *h, uint16_t function, shunt_status status, const shunt_outcome *o)
{
    const shunt_program *p = h->program;
    if (status != SHUNT_OK) {
        shunt_buffer_format(&h->log, "stop %s\n", shunt_status_info[status].code);
        return;
    }
    if (o->status == SHUNT_FAILURE) {
        uint16_t code = p->exits[o->exit].code;
        shunt_buffer_z(&h->log, "exit ");
        shunt_buffer_text(&h->log, code == SHUNT_NONE ? SHUNT_TEXT("skip") : shunt_program_text(p, p->codes[code].name));
    } else if (o->status != SHUNT_OK) {
        shunt_buffer_format(&h->log, "fail %s", shunt_status_info[o->status].code);
    } else if (o->has_result) {
        shunt_buffer_z(&h->log, "result ");
        value(h, p->functions[function].result, o->result, o->state);
    } else {
        shunt_buffer_z(&h->log, "done");
    }
    if (o->message.bytes) shunt_buffer_format(&h->log, " \"%.*s\"", SHUNT_TEXT_ARGS(o->message));
    place(h, o->place);
    shunt_buffer_char(&h->log, '\n');
}

char *asm_run_program(const shunt_program *p, const char *name, const char *tree, uint64_t steps, size_t unit_bytes)
{
    struct asm_host h;
    asm_host_init(&h, p);
    shunt_arena  *arena = shunt_arena_new(&shunt_memory_libc, 0);
    shunt_vm     *vm = shunt_vm_new(&shunt_memory_libc, p, &h.host, steps, unit_bytes);
    shunt_outcome outcome;
    if (!arena || !vm) abort();
    uint16_t     index = asm_function(p, name);
    shunt_status status = shunt_vm_run(vm, index, tree ? asm_tree(p, arena, tree) : NULL, false, &outcome);
    asm_outcome(&h, index, status, &outcome);
    shunt_buffer_char(&h.log, 0);
    char *log = strdup(h.log.bytes);
    shunt_vm_free(vm);
    shunt_arena_free(arena);
    asm_host_done(&h);
    return log;
}

char *asm_run(const char *source, const char *function, const char *tree)
{
    shunt_program *p = asm_load(source);
    char          *log = asm_run_program(p, function, tree, 100000, 1 << 20);
    shunt_program_free(p);
    return log;
}

static uint32_t dice(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

static shunt_node *any_node(const shunt_program *p, shunt_arena *arena, uint16_t frame, shunt_node *parent, int depth,
                            uint32_t *seed)
{
    static const char *const values[] = {
        "1", "CO", "20250131", "20250101-20250131", "-12.5", "x", "99999999999999999999999999999999999999", "2", "\xff", "Z Z"
    };
    shunt_node *node = new_node(p, arena, frame, parent, 10 + dice(seed));
    for (uint16_t s = 0; s < p->frames[frame].slot_count; s++) {
        shunt_text copy = shunt_text_copy(arena, shunt_text_of(values[dice(seed) % SHUNT_COUNT(values)]));
        if (dice(seed) % 4)
            node->slots[s] =
                (shunt_captured){ .bytes = copy.bytes, .length = copy.length, .size = copy.length, .at = dice(seed) };
    }
    for (uint16_t c = 0; depth && c < p->frames[frame].child_count && c < 8; c++) {
        for (uint32_t n = dice(seed) % 4; n; n--)
            any_node(p, arena, p->children[p->frames[frame].child_first + c], node, depth - 1, seed);
    }
    return node;
}

/* Each function that takes no more than a node, without one and with some tree: what became of it, in the log. */
static void run_each(const shunt_program *p, struct asm_host *h, shunt_vm *vm, uint32_t seed)
{
    shunt_arena *arena = shunt_arena_new(&shunt_memory_libc, 0);
    if (!arena) abort();
    for (uint32_t f = 0; f < p->functions_count; f++) {
        shunt_outcome outcome;
        if (p->functions[f].params > 1) continue;
        shunt_type   type = p->functions[f].params ? p->register_types[p->functions[f].type_first] : (shunt_type){ 0 };
        shunt_status status = shunt_vm_run(vm, (uint16_t)f, NULL, f % 2, &outcome);
        asm_outcome(h, (uint16_t)f, status, &outcome);
        shunt_vm_unit(vm);
        if (type.kind != SHUNT_KIND_NODE) continue;
        status = shunt_vm_run(vm, (uint16_t)f, any_node(p, arena, type.record, NULL, 3, &seed), false, &outcome);
        asm_outcome(h, (uint16_t)f, status, &outcome);
    }
    shunt_arena_free(arena);
}

/* What a run costs is not the same. */
static bool met_limit(const shunt_buffer *log)
{
    static const char limit[] = "fail LIMIT_";
    return log->length && memmem(log->bytes, log->length, limit, sizeof limit - 1);
}

void asm_run_all(const shunt_program *p, uint32_t seed, uint64_t steps)
{
    struct asm_host h[2];
    shunt_buffer    listing;
    for (int plain = 0; plain < 2; plain++) {
        asm_host_init(&h[plain], p);
        shunt_vm *vm = shunt_vm_new(&shunt_memory_libc, p, &h[plain].host, steps, 1 << 16);
        if (!vm || (plain && shunt_vm_interpret(vm) != SHUNT_OK)) abort();
        run_each(p, &h[plain], vm, seed);
        shunt_vm_free(vm);
    }
    if (p->instructions_count && shunt_program_owner_of(p)->runs->instructions == p->instructions) abort(); /* see make_code */
    bool limits = met_limit(&h[0].log) || met_limit(&h[1].log);
    if (!limits && (h[0].log.length != h[1].log.length ||
                    (h[0].log.length && memcmp(h[0].log.bytes, h[1].log.bytes, h[0].log.length) != 0))) {
        fprintf(stderr, "with machine code:\n%.*s\nwithout:\n%.*s\n", (int)h[0].log.length, h[0].log.bytes, (int)h[1].log.length,
                h[1].log.bytes);
        abort();
    }
    shunt_buffer_init(&listing, &shunt_memory_libc);
    shunt_program_disassemble(p, true, &listing);
    if (listing.failed) abort();
    shunt_buffer_done(&listing);
    asm_host_done(&h[0]);
    asm_host_done(&h[1]);
}
