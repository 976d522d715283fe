/* gen_hl7.c - build-time generator: reads the dictionaries of HL7 v2 in hl7/, checks them and writes const C tables.
 *
 *     gen_hl7 OUTPUT.c FILE.tsv...
 *
 * Like gen.c it runs on the build machine, reports faults as FILE:LINE: text and frees nothing. README.md describes the format.
 * What is equal in several versions, fields or structures is written once. */
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "standards/dict/gen_read.h"
#include "standards/schema.h"

enum { VERSIONS_MAX = 16, MEMBERS_MAX = 512, DEPTH_MAX = 8 };

/* -- what the files say --------------------------------------------------------------------------------------------- */

typedef struct member { /* a field of a segment, or a component of a type, in some versions */
    place       at;
    uint32_t    versions;
    int         position, repeats, length, decimals;
    const char *type, *table, *name;
    char        use;
    bool        amount;
} member;

typedef struct container { /* a segment or a type */
    place       at;
    const char *id, *name;
    uint32_t    versions;
    member     *members;
    size_t      count;
} container;

typedef struct table {
    const char  *number, *name;
    bool         closed;
    const char **values, **names;
    size_t       count;
    int          written[2]; /* code lists: open, closed; -1 = not yet */
} table;

typedef struct structure {
    place       at;
    const char *id, *text;
    uint32_t    versions;
} structure;

typedef struct event {
    place       at;
    const char *id, *structure, *name;
    uint32_t    versions;
} event;

typedef struct phi_class {
    const char *segment;
    bool        at[MEMBERS_MAX];
    uint32_t    classes;
} phi_class;

static struct {
    const char *versions[VERSIONS_MAX];
    int         version_count;
    container  *segments, *types;
    size_t      segment_count, type_count;
    table      *tables;
    size_t      table_count;
    structure  *structures;
    size_t      structure_count;
    event      *events;
    size_t      event_count;
    phi_class  *phi;
    size_t      phi_count;
} all;

static void read_head(const document *d)
{
    const line *head = &d->lines[0];
    need_fields(head, 2, VERSIONS_MAX + 1);
    if (all.version_count && all.version_count != head->count - 1) fail(head->at, "not the versions of the other files");
    all.version_count = head->count - 1;
    for (int i = 0; i < all.version_count; i++) {
        if (all.versions[i] && strcmp(all.versions[i], head->fields[i + 1]) != 0)
            fail(head->at, "not the versions of the other files");
        all.versions[i] = head->fields[i + 1];
    }
}

static int version_number(place at, const char *text)
{
    for (int i = 0; i < all.version_count; i++)
        if (!strcmp(all.versions[i], text)) return i;
    fail(at, "unknown version `%s`", text);
}

/* "2.3..2.5,2.9" as bits. */
static uint32_t read_versions(place at, const char *text)
{
    uint32_t bits = 0;
    for (char *copy = need(strdup(text)), *item; (item = strsep(&copy, ","));) {
        char *dots = strstr(item, "..");
        if (dots) *dots = 0;
        int from = version_number(at, item), to = dots ? version_number(at, dots + 2) : from;
        if (to < from) fail(at, "`%s` runs backwards", text);
        for (int v = from; v <= to; v++) {
            if (bits & 1u << v) fail(at, "`%s` names a version twice", text);
            bits |= 1u << v;
        }
    }
    return bits;
}

static table *find_table(const char *number)
{
    for (size_t i = 0; i < all.table_count; i++)
        if (!strcmp(all.tables[i].number, number)) return &all.tables[i];
    return NULL;
}

static container *find_container(container *list, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(list[i].id, id)) return &list[i];
    return NULL;
}

static void read_tables(const document *d)
{
    table *open = NULL;
    for (size_t i = 1; i < d->count; i++) {
        const line *l = &d->lines[i];
        char      **f = l->fields;
        if (l->depth == 0) {
            need_fields(l, 4, 4);
            if (strcmp(f[0], "table") != 0) fail(l->at, "`%s` is not table", f[0]);
            if (find_table(f[1])) fail(l->at, "table %s stands twice", f[1]);
            open = PUSH(all.tables, all.table_count);
            *open = (table){ .number = f[1], .name = read_name(l->at, f[3]), .written = { -1, -1 } };
            open->closed = !strcmp(f[2], "closed");
            if (!open->closed && strcmp(f[2], "open") != 0) fail(l->at, "a table is open or closed");
            continue;
        }
        if (!open) fail(l->at, "no table above");
        need_fields(l, 2, 2);
        if (open->count && strcmp(open->values[open->count - 1], f[0]) >= 0) fail(l->at, "`%s` is out of order, or twice", f[0]);
        size_t names = open->count;
        *PUSH(open->names, names) = strcmp(f[1], "-") ? read_name(l->at, f[1]) : "";
        *PUSH(open->values, open->count) = read_name(l->at, f[0]);
    }
}

static void read_member(const line *l, container *open)
{
    char  **f = l->fields;
    member *m;
    need_fields(l, 9, 9);
    m = PUSH(open->members, open->count);
    *m = (member){ .at = l->at, .versions = read_versions(l->at, f[0]), .type = f[2], .use = f[3][0] };
    m->position = read_number(l->at, f[1], 1, MEMBERS_MAX - 1);
    if (strlen(f[3]) != 1 || !strchr("RSN", *f[3])) fail(l->at, "usage `%s` is none of R, S, N", f[3]);
    m->repeats = strcmp(f[4], "*") ? read_number(l->at, f[4], 1, 254) : 255;
    m->length = read_number(l->at, f[5], 0, UINT16_MAX);
    if (strcmp(f[6], "-") != 0 && !find_table(m->table = f[6])) fail(l->at, "no table %s", f[6]);
    m->amount = !strncmp(f[7], "amount", 6);
    if (m->amount && f[7][6] == '=') m->decimals = read_number(l->at, f[7] + 7, 1, 18);
    if (!m->amount && strcmp(f[7], "-") != 0) fail(l->at, "`%s` is neither amount nor -", f[7]);
    m->name = read_name(l->at, strcmp(f[8], "-") ? f[8] : "value");
    for (size_t i = 0; i + 1 < open->count; i++)
        if (open->members[i].position == m->position && open->members[i].versions & m->versions)
            fail(l->at, "position %d stands twice in a version", m->position);
}

static void read_containers(const document *d, const char *word, container **list, size_t *count)
{
    container *open = NULL;
    read_head(d);
    for (size_t i = 1; i < d->count; i++) {
        const line *l = &d->lines[i];
        if (l->depth == 0) {
            need_fields(l, 4, 4);
            if (strcmp(l->fields[0], word) != 0) fail(l->at, "`%s` is not %s", l->fields[0], word);
            if (find_container(*list, *count, l->fields[1])) fail(l->at, "%s stands twice", l->fields[1]);
            open = PUSH(*list, *count);
            *open = (container){ .at = l->at, .id = l->fields[1], .versions = read_versions(l->at, l->fields[2]) };
            open->name = read_name(l->at, strcmp(l->fields[3], "-") ? l->fields[3] : open->id);
        } else if (!open) {
            fail(l->at, "no %s above", word);
        } else {
            read_member(l, open);
        }
    }
}

static void read_segments(const document *d) { read_containers(d, "segment", &all.segments, &all.segment_count); }
static void read_types(const document *d) { read_containers(d, "type", &all.types, &all.type_count); }

static void read_messages(const document *d)
{
    read_head(d);
    for (size_t i = 1; i < d->count; i++) {
        const line *l = &d->lines[i];
        char      **f = l->fields;
        if (!strcmp(f[0], "structure")) {
            need_fields(l, 4, 4);
            *PUSH(all.structures, all.structure_count) = (structure){ l->at, f[1], f[3], read_versions(l->at, f[2]) };
        } else if (!strcmp(f[0], "event")) {
            need_fields(l, 5, 5);
            *PUSH(all.events, all.event_count) =
                (event){ l->at, f[1], f[3], strcmp(f[4], "-") ? read_name(l->at, f[4]) : "message", read_versions(l->at, f[2]) };
        } else {
            fail(l->at, "`%s` is neither structure nor event", f[0]);
        }
    }
}

static uint32_t read_classes(place at, const char *text)
{
    static const char *const names[] = {
#define X(symbol, name) name,
        SHUNT_PHI_CLASSES(X)
#undef X
    };
    uint32_t classes = 0;
    values   v = read_values(at, text);
    for (size_t i = 0; i < v.count; i++) {
        uint32_t bit = 0;
        for (size_t c = 0; c < sizeof names / sizeof *names; c++)
            if (!strcmp(names[c], v.items[i])) bit = 1u << c;
        if (!bit && (v.count > 1 || strcmp(v.items[i], "none") != 0)) fail(at, "unknown class `%s`", v.items[i]);
        classes |= bit;
    }
    return classes;
}

static void read_phi(const document *d)
{
    for (size_t i = 1; i < d->count; i++) {
        const line *l = &d->lines[i];
        need_fields(l, 4, 4);
        if (strcmp(l->fields[0], "class") != 0) fail(l->at, "`%s` is not class", l->fields[0]);
        phi_class *p = PUSH(all.phi, all.phi_count);
        p->segment = l->fields[1];
        p->classes = read_classes(l->at, l->fields[3]);
        values positions = read_values(l->at, l->fields[2]);
        for (size_t k = 0; k < positions.count; k++) p->at[read_number(l->at, positions.items[k], 1, MEMBERS_MAX - 1)] = true;
    }
}

/* -- the output: one array a kind, equal runs once ------------------------------------------------------------------- */

typedef struct pool {
    const char *type;
    char        name;
    FILE       *out;
    char       *text;
    size_t      size;
    size_t      count;
    struct run {
        char  *text;
        size_t first;
    } * slots;
    size_t capacity, used;
} pool;

static pool strings = { .type = "char *const", .name = 'S' }, codes = { .type = "shunt_codeset", .name = 'C' },
            elements = { .type = "shunt_element", .name = 'E' }, nodes = { .type = "shunt_segment_node", .name = 'N' },
            entries = { .type = "shunt_entry", .name = 'B' }, loops = { .type = "shunt_loop", .name = 'L' },
            guides = { .type = "shunt_guide", .name = 'G' }, releases = { .type = "shunt_segment_node *const", .name = 'R' },
            bodies; /* not written: the loops of structures by what they hold */
static pool *const pools[] = { &strings, &codes, &elements, &nodes, &entries, &loops, &releases, &guides };

static size_t hash_text(const char *text)
{
    size_t h = 14695981039346656037u;
    while (*text) h = (h ^ (unsigned char)*text++) * 1099511628211u;
    return h;
}

static struct run *slot_for(pool *p, const char *text)
{
    size_t k = hash_text(text) & (p->capacity - 1);
    while (p->slots[k].text && strcmp(p->slots[k].text, text) != 0) k = (k + 1) & (p->capacity - 1);
    return &p->slots[k];
}

/* Index of the first of `count` items whose initialisers `text` holds. Takes over `text`. */
static size_t put(pool *p, char *text, size_t count)
{
    if (2 * p->used >= p->capacity) {
        struct run *old = p->slots;
        size_t      capacity = p->capacity;
        p->capacity = capacity ? 2 * capacity : 4096;
        p->slots = need(calloc(p->capacity, sizeof *p->slots));
        for (size_t i = 0; i < capacity; i++)
            if (old[i].text) *slot_for(p, old[i].text) = old[i];
        free(old);
    }
    struct run *slot = slot_for(p, text);
    if (slot->text) {
        free(text);
        return slot->first;
    }
    *slot = (struct run){ text, p->count };
    p->used++;
    if (p->out) fputs(text, p->out);
    p->count += count;
    return slot->first;
}

__attribute__((format(printf, 1, 2))) static char *print(const char *format, ...)
{
    char   *text;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0) need(NULL);
    va_end(args);
    return text;
}

static size_t write_codes(table *t, bool closed)
{
    if (t->written[closed] >= 0) return (size_t)t->written[closed];
    char  *values_text = NULL, *names_text = NULL;
    size_t size;
    FILE  *v = need(open_memstream(&values_text, &size)), *n = need(open_memstream(&names_text, &size));
    for (size_t i = 0; i < t->count; i++) {
        fprintf(v, "\"%s\",", t->values[i]);
        fprintf(n, "\"%s\",", t->names[i]);
    }
    fputc('\n', v), fputc('\n', n);
    fclose(v), fclose(n);
    size_t at = put(&strings, values_text, t->count), names = put(&strings, names_text, t->count);
    size_t set =
        put(&codes,
            print("{ \"HL7%s\", &S[%zu], &S[%zu], %zu, %s },\n", t->number, at, names, t->count, closed ? "true" : "false"), 1);
    t->written[closed] = (int)set;
    return set;
}

static const member *find_member(const container *c, int position, int version)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->members[i].position == position && c->members[i].versions & 1u << version) return &c->members[i];
    return NULL;
}

static int last_position(const container *c, int version)
{
    int last = 0;
    for (size_t i = 0; i < c->count; i++)
        if (c->members[i].versions & 1u << version && c->members[i].position > last) last = c->members[i].position;
    return last;
}

/* The definition of a type: of this version, else of the nearest one that has it (fields of old versions name a few newer
 * ones). */
static const container *find_type(const char *id, int version, int *found)
{
    const container *c = find_container(all.types, all.type_count, id);
    *found = version;
    for (int distance = 0; c && distance < all.version_count; distance++)
        for (int sign = -1; sign <= 1; sign += 2) {
            int v = version + sign * distance;
            if (v < 0 || v >= all.version_count || !(c->versions & 1u << v)) continue;
            *found = v;
            return c;
        }
    return NULL;
}

static bool is(const char *type, const char *one) { return strcmp(type, one) == 0; }

static const char *value_type(const member *m, bool components)
{
    const char *type = m->type;
    if (m->amount) return "AMOUNT";
    if (is(type, "TS") || is(type, "DTM")) return "MOMENT";
    if (components) return "COMPOSITE";
    if (is(type, "NM")) return "DECIMAL";
    if (is(type, "SI")) return "INT";
    if (is(type, "DT")) return "DATE";
    if (is(type, "TM")) return "TIME";
    return is(type, "ID") || is(type, "IS") ? "CODE" : "TEXT";
}

enum { QUANTITY_DECIMALS = 6 };

static size_t write_components(const container *type, int version, uint32_t phi, int depth, int decimals, int *count);

/* One element. `depth`: 0 a field, 1 a component, 2 a subcomponent, which is a leaf whatever its type. */
static char *element_text(const member *m, int version, uint32_t phi, int depth, int decimals)
{
    int              type_version = version, count = 0;
    const container *type = depth < 2 ? find_type(m->type, version, &type_version) : NULL;
    char             components[32] = "NULL", set[32] = "NULL";
    bool             parts = type && last_position(type, type_version) > 0;
    if (m->amount && depth == 0) decimals = m->decimals;
    if (parts) {
        size_t at = write_components(type, type_version, phi, depth + 1, decimals, &count);
        snprintf(components, sizeof components, "&E[%zu]", at);
    }
    const char *value = value_type(m, parts);
    if (m->table) {
        /* Only a type that admits no other values makes an HL7 table a closed list. */
        table *t = find_table(m->table);
        bool   closed = t->closed && (is(m->type, "ID") || is(m->type, "CNE"));
        snprintf(set, sizeof set, "&C[%zu]", write_codes(t, closed));
    }
    return print("{ %d, 0, \"%s\", %s, SHUNT_VALUE_%s, %d, 0, %d, 0, %d, 0x%x, %s, %s, %d, \"%s\", NULL },\n", m->position,
                 m->name,
                 m->use == 'R'   ? "SHUNT_REQUIRED"
                 : m->use == 'S' ? "SHUNT_SITUATIONAL"
                                 : "SHUNT_NOT_USED",
                 value,
                 is(value, "AMOUNT")    ? decimals
                 : is(value, "DECIMAL") ? QUANTITY_DECIMALS
                                        : 0,
                 depth ? 1 : m->repeats, m->length, phi, set, components, count, m->type);
}

/* Position without definition in this version: something may stand there. */
static char *gap_text(int position, uint32_t phi)
{
    return print(
        "{ %d, 0, \"not defined\", SHUNT_SITUATIONAL, SHUNT_VALUE_TEXT, 0, 0, 1, 0, 0, 0x%x, NULL, NULL, 0, \"ANY\", NULL },\n",
        position, phi);
}

static size_t write_components(const container *type, int version, uint32_t phi, int depth, int decimals, int *count)
{
    char  *text = NULL;
    size_t size;
    FILE  *out = need(open_memstream(&text, &size));
    *count = last_position(type, version);
    for (int p = 1; p <= *count; p++) {
        const member *m = find_member(type, p, version);
        member        plain;
        if (m && p == 1 && is(type->id, "TS")) {
            plain = *m;
            plain.type = "DTM";
            m = &plain;
        }
        char *one = m ? element_text(m, version, phi, depth, decimals) : gap_text(p, phi);
        fputs(one, out);
        free(one);
    }
    fclose(out);
    return put(&elements, text, (size_t)*count);
}

/* -- segments -------------------------------------------------------------------------------------------------------- */

static uint32_t classes_at(const char *segment, int position)
{
    bool known = false;
    for (size_t i = 0; i < all.phi_count; i++) {
        if (strcmp(all.phi[i].segment, segment) != 0) continue;
        known = true;
        if (all.phi[i].at[position]) return all.phi[i].classes;
    }
    return known ? 0 : SHUNT_PHI_FREE_TEXT; /* segments that nobody classified may hold anything */
}

/* Where the elements of a segment of a version stand. */
typedef struct layout {
    bool        known;
    const char *name;
    size_t      at;
    int         count;
} layout;

static layout layout_of(place at, const char *id, int version)
{
    static layout *cache;
    container     *c = find_container(all.segments, all.segment_count, id);
    if (!c || !(c->versions & 1u << version)) fail(at, "no segment %s in %s", id, all.versions[version]);
    if (!cache) cache = need(calloc(all.segment_count * VERSIONS_MAX, sizeof *cache));
    layout *l = &cache[(size_t)(c - all.segments) * VERSIONS_MAX + (size_t)version];
    if (l->known) return *l;
    char  *text = NULL;
    size_t size;
    FILE  *out = need(open_memstream(&text, &size));
    int    count = last_position(c, version);
    for (int p = 1; p <= count; p++) {
        const member *m = find_member(c, p, version);
        uint32_t      phi = classes_at(id, p);
        char         *one = m ? element_text(m, version, phi, 0, 0) : gap_text(p, phi);
        fputs(one, out);
        free(one);
    }
    fclose(out);
    *l = (layout){ true, c->name, put(&elements, text, (size_t)count), count };
    return *l;
}

static size_t write_segment(place at, const char *id, int version, char use, int max, int position)
{
    layout l = layout_of(at, id, version);
    char   ref[32] = "NULL";
    if (l.count) snprintf(ref, sizeof ref, "&E[%zu]", l.at);
    return put(&nodes,
               print("{ \"%s\", \"%s\", %s, %d, %d, 0, 0, NULL, %s, %d, \"\" },\n", id, l.name,
                     use == 'R' ? "SHUNT_REQUIRED" : "SHUNT_SITUATIONAL", max, position, ref, l.count),
               1);
}

/* -- structures ------------------------------------------------------------------------------------------------------ */

typedef struct node {
    const char  *id;                      /* segment, or group ("" = only alternatives) */
    bool         group, required, choice; /* choice: one of its entries stands */
    int          max, position;
    struct node *body;
    size_t       count;
    size_t       loop, segment; /* where it was written */
} node;

/* Words apart by blanks: "PID", "NTE*", "INSURANCE*(", "(", ")", "|". */
static const char *next_word(const char **rest, size_t *length)
{
    while (**rest == ' ') ++*rest;
    const char *word = *rest;
    *length = strcspn(word, " ");
    *rest += *length;
    return *length ? word : NULL;
}

static void read_body(place at, const char **rest, node *into, bool inner)
{
    size_t      length;
    const char *word;
    while ((word = next_word(rest, &length))) {
        if (*word == ')' && inner) return;
        if (*word == '|') {
            into->choice = true;
            continue;
        }
        node *n = PUSH(into->body, into->count);
        n->group = word[length - 1] == '(';
        if (n->group) length--;
        char limit = length && strchr("?*+", word[length - 1]) ? word[--length] : '1';
        n->required = limit == '1' || limit == '+';
        n->max = limit == '*' || limit == '+' ? 0 : 1;
        n->id = need(strndup(word, length));
        for (const char *p = n->id; *p; p++)
            if (!isupper((unsigned char)*p) && !isdigit((unsigned char)*p) && *p != '_') fail(at, "`%s` is no name", n->id);
        if (!n->group && length != 3) fail(at, "`%s` is no segment", n->id);
        if (n->group) read_body(at, rest, n, true);
    }
    if (inner) fail(at, "a group is not closed");
}

/* Groups without a name become part of the body around them: alternatives at one position, others in order. */
static void number_body(node *n)
{
    node  *flat = NULL;
    size_t count = 0;
    int    position = 0;
    for (size_t i = 0; i < n->count; i++) {
        node *child = &n->body[i];
        bool  alternatives = child->group && !*child->id;
        if (!alternatives) {
            *PUSH(flat, count) = *child;
            flat[count - 1].position = n->choice ? 10 : (position += 10);
            if (n->choice) flat[count - 1].required = false;
            continue;
        }
        position += 10;
        for (size_t k = 0; k < child->count; k++) {
            node *one = PUSH(flat, count);
            *one = child->body[k];
            if (child->max == 0) one->max = 0;
            if (child->choice || !child->required) one->required = false;
            one->position = child->choice || k == 0 ? position : (position += 10);
        }
    }
    n->body = flat;
    n->count = count;
    for (size_t i = 0; i < count; i++)
        if (flat[i].group) number_body(&flat[i]);
}

static char *friendly(const char *id)
{
    char *name = need(strdup(id));
    for (char *p = name; *p; p++) *p = (char)(*p == '_' ? ' ' : tolower((unsigned char)*p));
    return name;
}

static size_t count_groups(const node *n)
{
    size_t count = 1;
    for (size_t i = 0; i < n->count; i++)
        if (n->body[i].group) count += count_groups(&n->body[i]);
    return count;
}

/* Text of a structure with the numbers of its segment nodes: equal ones share their loops. */
static void key_of(const node *n, FILE *out)
{
    fprintf(out, "%s %d %d %d(", n->id, n->required, n->max, n->position);
    for (size_t i = 0; i < n->count; i++)
        if (n->body[i].group)
            key_of(&n->body[i], out);
        else
            fprintf(out, "%zu ", n->body[i].segment);
    fputs(")", out);
}

static void write_segments(place at, node *n, int version, int depth)
{
    if (depth > DEPTH_MAX) fail(at, "too deep");
    if (!n->count) fail(at, "group `%s` is empty", n->id);
    for (size_t i = 0; i < n->count; i++) {
        node *child = &n->body[i];
        if (child->group)
            write_segments(at, child, version, depth + 1);
        else
            child->segment = write_segment(at, child->id, version, child->required ? 'R' : 'S', child->max, child->position);
    }
}

static void number_loops(node *n, size_t *next)
{
    n->loop = (*next)++;
    for (size_t i = 0; i < n->count; i++)
        if (n->body[i].group) number_loops(&n->body[i], next);
}

static void write_loops(FILE *out, const node *n, const node *parent)
{
    char  *text = NULL, *name = friendly(n->id);
    size_t size;
    FILE  *body = need(open_memstream(&text, &size));
    for (size_t i = 0; i < n->count; i++)
        if (n->body[i].group)
            fprintf(body, "{ NULL, &L[%zu] },\n", n->body[i].loop);
        else
            fprintf(body, "{ &N[%zu], NULL },\n", n->body[i].segment);
    fclose(body);
    size_t at = put(&entries, text, n->count);
    char   parent_ref[32] = "NULL";
    if (parent) snprintf(parent_ref, sizeof parent_ref, "&L[%zu]", parent->loop);
    fprintf(out, "{ \"%s\", \"%s\", %s, %d, %d, %s, &B[%zu], %zu },\n", n->id, *name ? name : "message",
            n->required ? "SHUNT_REQUIRED" : "SHUNT_SITUATIONAL", n->max, n->position, parent_ref, at, n->count);
    free(name);
    for (size_t i = 0; i < n->count; i++)
        if (n->body[i].group) write_loops(out, &n->body[i], n);
}

/* The loops of a structure in a version; the same ones where a structure written before is the same in all it holds. */
static size_t write_structure(const structure *s, int version)
{
    node        root = { .id = "", .required = true, .max = 1 };
    const char *rest = s->text;
    read_body(s->at, &rest, &root, false);
    if (root.choice) fail(s->at, "alternatives stand in parentheses");
    number_body(&root);
    write_segments(s->at, &root, version, 0);
    char  *key = NULL;
    size_t size;
    FILE  *out = need(open_memstream(&key, &size));
    key_of(&root, out);
    fclose(out);
    size_t before = loops.count, known = bodies.used;
    bodies.count = before;
    size_t at = put(&bodies, key, 0);
    if (bodies.used == known) return at;
    size_t next = before;
    number_loops(&root, &next);
    char *text = NULL;
    out = need(open_memstream(&text, &size));
    write_loops(out, &root, NULL);
    fclose(out);
    fputs(text, loops.out);
    free(text);
    loops.count += count_groups(&root);
    return at;
}

/* -- guides ---------------------------------------------------------------------------------------------------------- */

typedef struct guide {
    const char *set, *structure, *name;
    int         version;
    size_t      loop;
} guide;

static int compare_guides(const void *a, const void *b)
{
    const guide *x = a, *y = b;
    int          order = strcmp(x->set, y->set);
    return order ? order : x->version - y->version;
}

static const char *family_of(const char *version)
{
    char *family = need(strdup(version)), *dot = strchr(family, '.');
    if (dot && (dot = strchr(dot + 1, '.'))) *dot = 0;
    return family;
}

static void write_guides(void)
{
    guide *list = NULL;
    size_t count = 0, structures = 0;
    for (size_t i = 0; i < all.structure_count; i++)
        for (int v = 0; v < all.version_count; v++) {
            const structure *s = &all.structures[i];
            if (!(s->versions & 1u << v)) continue;
            *PUSH(list, count) = (guide){ s->id, s->id, "message", v, write_structure(s, v) };
        }
    structures = count;
    qsort(list, structures, sizeof *list, compare_guides);
    for (size_t i = 1; i < structures; i++)
        if (!compare_guides(&list[i - 1], &list[i])) fail((place){ "messages", 0 }, "%s stands twice", list[i].set);
    for (size_t i = 0; i < all.event_count; i++)
        for (int v = 0; v < all.version_count; v++) {
            const event *e = &all.events[i];
            if (!(e->versions & 1u << v)) continue;
            guide  wanted = { .set = e->structure, .version = v };
            guide *found = bsearch(&wanted, list, structures, sizeof *list, compare_guides);
            if (!found) fail(e->at, "no structure %s in %s", e->structure, all.versions[v]);
            if (is(found->name, "message")) found->name = e->name;
            guide one = { e->id, e->structure, e->name, v, found->loop };
            *PUSH(list, count) = one;
        }
    qsort(list, count, sizeof *list, compare_guides);
    for (size_t i = 0; i < count; i++) {
        const guide *g = &list[i];
        if (i && !compare_guides(g, g - 1)) fail((place){ "messages", 0 }, "%s stands twice", g->set);
        fprintf(guides.out, "{ SHUNT_STANDARD_HL7, \"%s\", \"%s\", \"%s\", \"%s\", \"%s\", true, &L[%zu] },\n", g->set,
                all.versions[g->version], family_of(all.versions[g->version]), g->structure, g->name, g->loop);
        guides.count++;
    }
}

static int compare_containers(const void *a, const void *b)
{
    return strcmp(((const container *)a)->id, ((const container *)b)->id);
}

static void write_releases(FILE *out)
{
    qsort(all.segments, all.segment_count, sizeof *all.segments, compare_containers);
    fputs("static const shunt_dict_release releases[] = {\n", out);
    for (int v = 0; v < all.version_count; v++) {
        size_t first = releases.count;
        for (size_t i = 0; i < all.segment_count; i++) {
            const container *c = &all.segments[i];
            if (!(c->versions & 1u << v)) continue;
            fprintf(releases.out, "&N[%zu],\n", write_segment(c->at, c->id, v, 'S', 0, 0));
            releases.count++;
        }
        fprintf(out, "    { \"%s\", &R[%zu], %zu },\n", all.versions[v], first, releases.count - first);
    }
    fputs("};\n", out);
}

static void write_all(FILE *out)
{
    char  *tail = NULL;
    size_t size;
    FILE  *last = need(open_memstream(&tail, &size));
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++)
        pools[i]->out = need(open_memstream(&pools[i]->text, &pools[i]->size));
    write_releases(last); /* sorts the segments: before anything asks for their layouts */
    write_guides();
    fputs("static const shunt_codeset *const lists[] = {\n", last);
    for (size_t i = 0; i < all.table_count; i++)
        fprintf(last, "    &C[%zu],\n", write_codes(&all.tables[i], all.tables[i].closed));
    fprintf(last, "};\nconst shunt_dict_hl7 shunt_dict_tables_hl7 = { G, releases, lists, %zu, %d, %zu };\n", guides.count,
            all.version_count, all.table_count);
    fclose(last);
    fputs("/* Made by standards/dict/gen_hl7.c from the text dictionaries in hl7/. */\n#include \"standards/dict/tables.h\"\n\n",
          out);
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++) {
        fclose(pools[i]->out);
        fprintf(out, "static const %s %c[%zu];\n", pools[i]->type, pools[i]->name, pools[i]->count);
    }
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++)
        fprintf(out, "\nstatic const %s %c[%zu] = {\n%s};\n", pools[i]->type, pools[i]->name, pools[i]->count, pools[i]->text);
    fputs(tail, out);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *word;
        void (*read)(const document *);
    } kinds[] = {
        { "hl7-tables", read_tables }, { "hl7-types", read_types },       { "hl7-segments", read_segments },
        { "hl7-phi", read_phi },       { "hl7-messages", read_messages },
    };
    if (argc < 3) {
        fputs("usage: gen_hl7 OUTPUT.c FILE.tsv...\n", stderr);
        return 2;
    }
    document *documents = need(calloc((size_t)argc, sizeof *documents));
    for (int i = 2; i < argc; i++) documents[i] = read_document(argv[i]);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        bool found = false;
        for (int i = 2; i < argc; i++) {
            if (strcmp(kinds[k].word, documents[i].lines[0].fields[0]) != 0) continue;
            if (found) fail(documents[i].lines[0].at, "a second file of %s", kinds[k].word);
            found = true;
            kinds[k].read(&documents[i]);
        }
        if (!found) fail((place){ argv[1], 0 }, "no file of %s", kinds[k].word);
    }
    FILE *output = fopen(argv[1], "wb");
    if (!output) fail((place){ argv[1], 0 }, "%s", strerror(errno));
    write_all(output);
    if (ferror(output) || fclose(output) != 0) fail((place){ argv[1], 0 }, "cannot be written");
    return 0;
}
