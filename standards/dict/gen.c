/* gen.c - build-time generator: reads the text dictionaries of this folder, checks them and writes const C tables.
 *
 *     gen OUTPUT.c FILE.tsv...
 *
 * Runs on the build machine and needs libc alone. Every fault of a dictionary is reported as FILE:LINE: text and ends the run.
 * Files may come in any order; what a file is, its first line says. README.md describes the format. Nothing is freed: the
 * process ends at once. */
#include "standards/dict/gen_read.h"
#include "standards/schema.h"

enum { RELEASES_MAX = 8, POSITIONS_MAX = 99, CONDITIONS_MAX = 4, LOOP_DEPTH_MAX = 16 };

/* -- what the files say --------------------------------------------------------------------------------------------- */

typedef struct element_def {
    place       at;
    const char *number, *type, *list, *name;
    bool        amount, period;
    int         decimals;
    int         least[RELEASES_MAX], most[RELEASES_MAX]; /* most 0: not in that release */
} element_def;

typedef struct item { /* an element of a layout */
    place       at;
    int         position, repeats;
    const char *ref, *name;
    char        use;
} item;

typedef struct layout {
    place       at;
    const char *id, *name, *syntax;
    item       *items;
    size_t      count;
} layout;

typedef struct release {
    const char *name;
    layout     *segments, *composites;
    size_t      segment_count, composite_count;
} release;

typedef struct code_list {
    place        at;
    const char  *name;
    bool         complete;
    const char **values, **names;
    size_t       count;
} code_list;

typedef struct rule { /* an element line of a guide */
    place       at;
    int         from, to, component;
    char        use;
    bool        has_codes;
    values      codes;
    const char *list, *name;
    int         most, repeats;
} rule;

typedef struct node {
    place        at;
    bool         is_loop;
    const char  *id, *name;
    char         use;
    int          max, position, key_element, key_component;
    values       key;
    rule        *rules;
    size_t       rule_count;
    struct node *parent;
    struct node *body;
    size_t       body_count;
} node;

typedef struct guide {
    place       at;
    const char *set, *version, *family, *release, *functional_id, *name;
    bool        health_care;
    node        body;
} guide;

enum condition_kind { WHEN_ELEMENT, WHEN_PARTY, WHEN_SET };
typedef struct condition {
    enum condition_kind kind;
    int                 element;
    bool                negated;
    values              values;
} condition;

typedef struct phi_line {
    place       at;
    const char *segment;
    bool        unknown; /* holds when the qualifier may be one that no other line names */
    int         qualifier;
    bool        all;
    int         positions[POSITIONS_MAX], components[POSITIONS_MAX];
    int         position_count;
    uint32_t    classes;
    condition   conditions[CONDITIONS_MAX];
    int         condition_count;
} phi_line;

typedef struct party {
    const char *name;
    values      entities;
} party;

static struct {
    const char  *release_names[RELEASES_MAX]; /* columns of elements.tsv */
    int          release_columns;
    element_def *elements;
    size_t       element_count;
    release      releases[RELEASES_MAX];
    size_t       release_count;
    code_list   *lists;
    size_t       list_count;
    guide      **guides;
    size_t       guide_count;
    values       phi_sets;
    party       *parties;
    size_t       party_count;
    phi_line    *phi;
    size_t       phi_count;
    struct currency {
        const char *code;
        int         scale;
    } * currencies;
    size_t currency_count;
} all;

static const element_def *find_element(const char *number)
{
    for (size_t i = 0; i < all.element_count; i++)
        if (!strcmp(all.elements[i].number, number)) return &all.elements[i];
    return NULL;
}

static const layout *find_layout(const layout *layouts, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(layouts[i].id, id)) return &layouts[i];
    return NULL;
}

static const code_list *find_list(const char *name)
{
    for (size_t i = 0; i < all.list_count; i++)
        if (!strcmp(all.lists[i].name, name)) return &all.lists[i];
    return NULL;
}

static int release_column(const char *name)
{
    for (int i = 0; i < all.release_columns; i++)
        if (!strcmp(all.release_names[i], name)) return i;
    return -1;
}

/* -- readers, one for each kind of file ------------------------------------------------------------------------------ */

static void read_elements(const document *d)
{
    const line *head = &d->lines[0];
    if (all.release_columns) fail(head->at, "a second file of elements");
    need_fields(head, 2, RELEASES_MAX + 1);
    for (int i = 1; i < head->count; i++) all.release_names[all.release_columns++] = head->fields[i];
    for (size_t i = 1; i < d->count; i++) {
        const line *l = &d->lines[i];
        need_fields(l, 5 + all.release_columns, 5 + all.release_columns);
        char **f = l->fields;
        if (find_element(f[0])) fail(l->at, "element %s stands twice", f[0]);
        element_def *e = PUSH(all.elements, all.element_count);
        *e = (element_def){ .at = l->at, .number = f[0], .type = f[1], .name = read_name(l->at, f[l->count - 1]) };
        static const char *const types[] = { "AN", "ID", "R", "DT", "TM", "B" };
        bool                     known = f[1][0] == 'N' && isdigit((unsigned char)f[1][1]) && !f[1][2];
        for (size_t t = 0; t < sizeof types / sizeof *types; t++) known = known || !strcmp(types[t], f[1]);
        if (!known) fail(l->at, "unknown type `%s`", f[1]);
        if (f[1][0] == 'N') e->decimals = f[1][1] - '0';
        bool number = f[1][0] == 'N' || f[1][0] == 'R';
        if (!strncmp(f[2], "amount", 6) && number) {
            e->amount = true;
            if (f[2][6] == '=' && f[1][0] == 'R')
                e->decimals = read_number(l->at, f[2] + 7, 1, 18);
            else if (f[2][6])
                fail(l->at, "`%s`: amount, or amount=DECIMALS of a type R", f[2]);
        } else if (!strcmp(f[2], "period") && !strcmp(f[1], "AN")) {
            e->period = true;
        } else if (f[1][0] == 'R') {
            e->decimals = read_number(l->at, f[2], 0, 18);
        } else if (strcmp(f[2], "-") != 0) {
            fail(l->at, "kind `%s` does not fit type %s", f[2], f[1]);
        }
        for (int r = 0; r < all.release_columns; r++) {
            char *span = f[3 + r], *dash = strchr(span, '-');
            if (!strcmp(span, "-")) continue;
            if (!dash) fail(l->at, "length `%s` is not LEAST-MOST", span);
            *dash = 0;
            e->least[r] = read_number(l->at, span, 0, UINT16_MAX);
            e->most[r] = read_number(l->at, dash + 1, e->least[r] ? e->least[r] : 1, UINT16_MAX);
        }
        if (strcmp(f[l->count - 2], "-") != 0) e->list = f[l->count - 2];
    }
}

static char read_use(place at, const char *text, const char *allowed)
{
    if (strlen(text) != 1 || !strchr(allowed, *text)) fail(at, "usage `%s` is none of %s", text, allowed);
    return *text;
}

static void read_layouts(const document *d)
{
    const line *head = &d->lines[0];
    need_fields(head, 2, 2);
    for (size_t i = 0; i < all.release_count; i++)
        if (!strcmp(all.releases[i].name, head->fields[1])) fail(head->at, "layouts of %s stand twice", head->fields[1]);
    if (all.release_count == RELEASES_MAX) fail(head->at, "too many releases");
    release *r = &all.releases[all.release_count++];
    r->name = head->fields[1];
    layout *open = NULL;
    for (size_t i = 1; i < d->count; i++) {
        const line *l = &d->lines[i];
        char      **f = l->fields;
        if (l->depth == 0) {
            need_fields(l, 3, 3);
            bool segment = !strcmp(f[0], "segment");
            if (!segment && strcmp(f[0], "composite") != 0) fail(l->at, "`%s` is neither segment nor composite", f[0]);
            if (find_layout(r->segments, r->segment_count, f[1]) || find_layout(r->composites, r->composite_count, f[1]))
                fail(l->at, "%s stands twice", f[1]);
            open = segment ? PUSH(r->segments, r->segment_count) : PUSH(r->composites, r->composite_count);
            open->at = l->at;
            open->id = f[1];
            open->name = read_name(l->at, f[2]);
            open->syntax = "";
        } else if (!open || l->depth > 1) {
            fail(l->at, "indented too far");
        } else if (!strcmp(f[0], "syntax")) {
            need_fields(l, 2, 60);
            char  *text = NULL;
            size_t size = 0;
            FILE  *out = need(open_memstream(&text, &size));
            for (int k = 1; k < l->count; k++) {
                if (!strchr("PRECL", f[k][0]) || strlen(f[k]) < 5 || strlen(f[k]) % 2 == 0) fail(l->at, "syntax note `%s`", f[k]);
                for (const char *p = f[k] + 1; *p; p += 2) {
                    char two[3] = { p[0], p[1], 0 };
                    read_number(l->at, two, 1, (int)open->count);
                }
                fprintf(out, "%s%s", k > 1 ? " " : "", f[k]);
            }
            fclose(out);
            open->syntax = text;
        } else {
            need_fields(l, 4, 5);
            item *e = PUSH(open->items, open->count);
            *e = (item){ .at = l->at, .ref = f[1], .repeats = 1 };
            e->position = read_number(l->at, f[0], 1, POSITIONS_MAX);
            if (e->position != (int)open->count) fail(l->at, "position %d where %zu is due", e->position, open->count);
            e->use = read_use(l->at, f[2], "MOX");
            if (strcmp(f[3], "-") != 0) e->name = read_name(l->at, f[3]);
            if (l->count == 5) {
                if (strncmp(f[4], "repeat=", 7) != 0) fail(l->at, "`%s` is not repeat=N", f[4]);
                e->repeats = read_number(l->at, f[4] + 7, 1, 255);
            }
        }
    }
}

static void read_list(const document *d)
{
    const line *head = &d->lines[0];
    need_fields(head, 4, 4);
    if (find_list(head->fields[1])) fail(head->at, "list %s stands twice", head->fields[1]);
    code_list *list = PUSH(all.lists, all.list_count);
    list->at = head->at;
    list->name = head->fields[1];
    list->complete = !strcmp(head->fields[2], "complete");
    if (!list->complete && strcmp(head->fields[2], "working") != 0) fail(head->at, "a list is complete or working");
    size_t count = 0;
    for (size_t i = 1; i < d->count; i++) {
        const line *l = &d->lines[i];
        need_fields(l, 2, 2);
        read_name(l->at, l->fields[0]);
        if (count && strcmp(list->values[count - 1], l->fields[0]) >= 0)
            fail(l->at, "`%s` is out of order, or stands twice", l->fields[0]);
        *PUSH(list->names, list->count) = strcmp(l->fields[1], "-") ? read_name(l->at, l->fields[1]) : "";
        *PUSH(list->values, count) = l->fields[0];
    }
}

/* The currencies are also the code list `currency`: a working one, because new ones appear. */
static void read_currencies(const document *d)
{
    code_list list = { .at = d->lines[0].at, .name = "currency" };
    size_t    names = 0;
    if (all.currency_count || find_list(list.name)) fail(list.at, "currencies stand twice");
    for (size_t i = 1; i < d->count; i++) {
        const line *l = &d->lines[i];
        need_fields(l, 3, 3);
        if (strlen(l->fields[0]) != 3) fail(l->at, "currency `%s`", l->fields[0]);
        if (all.currency_count && strcmp(all.currencies[all.currency_count - 1].code, l->fields[0]) >= 0)
            fail(l->at, "out of order, or twice");
        *PUSH(all.currencies, all.currency_count) = (struct currency){ l->fields[0], read_number(l->at, l->fields[1], 0, 9) };
        *PUSH(list.values, list.count) = l->fields[0];
        *PUSH(list.names, names) = read_name(l->at, l->fields[2]);
    }
    if (!all.currency_count) fail(d->lines[0].at, "no currency");
    *PUSH(all.lists, all.list_count) = list;
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

static int find_party(const char *name)
{
    for (size_t i = 0; i < all.party_count; i++)
        if (!strcmp(all.parties[i].name, name)) return (int)i;
    return -1;
}

static condition read_condition(place at, char *text)
{
    condition c = { 0 };
    char     *equals = strchr(text, '=');
    if (!equals || equals == text) fail(at, "condition `%s`", text);
    *equals = 0;
    if (equals[-1] == '!') {
        c.negated = true;
        equals[-1] = 0;
    }
    c.values = read_values(at, equals + 1);
    if (!strcmp(text, "party")) {
        c.kind = WHEN_PARTY;
        for (size_t i = 0; i < c.values.count; i++)
            if (find_party(c.values.items[i]) < 0 && strcmp(c.values.items[i], "other") != 0)
                fail(at, "unknown party `%s`", c.values.items[i]);
    } else if (!strcmp(text, "set")) {
        c.kind = WHEN_SET;
    } else {
        c.kind = WHEN_ELEMENT;
        c.element = read_number(at, text, 1, POSITIONS_MAX);
    }
    return c;
}

static void read_phi(const document *d)
{
    const line *head = &d->lines[0];
    need_fields(head, 2, 2);
    if (all.phi_sets.count) fail(head->at, "a second file of PHI classes");
    all.phi_sets = read_values(head->at, head->fields[1]);
    for (size_t i = 1; i < d->count; i++) {
        const line *l = &d->lines[i];
        char      **f = l->fields;
        if (!strcmp(f[0], "party")) {
            need_fields(l, 3, 3);
            party p = { f[1], read_values(l->at, f[2]) };
            for (size_t k = 0; k < all.party_count; k++)
                for (size_t e = 0; e < p.entities.count; e++)
                    if (holds(all.parties[k].entities, p.entities.items[e]))
                        fail(l->at, "%s has two parties", p.entities.items[e]);
            *PUSH(all.parties, all.party_count) = p;
            if (all.party_count > 31) fail(l->at, "too many parties");
            continue;
        }
        phi_line *p = PUSH(all.phi, all.phi_count);
        p->at = l->at;
        p->unknown = !strcmp(f[0], "unknown");
        if (!p->unknown && strcmp(f[0], "class") != 0) fail(l->at, "`%s` is none of party, class, unknown", f[0]);
        need_fields(l, p->unknown ? 5 : 4, (p->unknown ? 5 : 4) + CONDITIONS_MAX);
        p->segment = f[1];
        p->all = !strcmp(f[2], "*");
        values positions = p->all ? (values){ 0 } : read_values(l->at, f[2]);
        for (size_t k = 0; k < positions.count; k++) {
            char *copy = need(strdup(positions.items[k])), *dash = strchr(copy, '-');
            if (dash) *dash = 0;
            p->positions[k] = read_number(l->at, copy, 1, POSITIONS_MAX);
            p->components[k] = dash ? read_number(l->at, dash + 1, 1, POSITIONS_MAX) : 0;
            p->position_count++;
        }
        p->classes = read_classes(l->at, f[3]);
        int k = 4;
        if (p->unknown) p->qualifier = read_number(l->at, f[k++], 1, POSITIONS_MAX);
        while (k < l->count) p->conditions[p->condition_count++] = read_condition(l->at, f[k++]);
    }
}

static rule read_rule(const line *l)
{
    char **f = l->fields;
    rule   r = { .at = l->at };
    need_fields(l, 2, 8);
    char *dots = strstr(f[0], ".."), *dash = strchr(f[0], '-');
    if (dots) {
        *dots = 0;
        r.from = read_number(l->at, f[0], 1, POSITIONS_MAX);
        r.to = read_number(l->at, dots + 2, r.from + 1, POSITIONS_MAX);
    } else {
        if (dash) {
            *dash = 0;
            r.component = read_number(l->at, dash + 1, 1, POSITIONS_MAX);
        }
        r.from = r.to = read_number(l->at, f[0], 1, POSITIONS_MAX);
    }
    r.use = read_use(l->at, f[1], "RSN");
    if ((dots || r.use == 'N') && l->count > 2) fail(l->at, "an element that is not used has no more to say");
    if (dots && r.use != 'N') fail(l->at, "a range says N");
    for (int k = 2; k < l->count; k++) {
        if (!strncmp(f[k], "in=", 3) && !r.list) {
            r.has_codes = true;
            r.codes = read_values(l->at, f[k] + 3);
        } else if (!strncmp(f[k], "list=", 5) && !r.has_codes) {
            r.list = f[k] + 5;
            if (!find_list(r.list)) fail(l->at, "no list `%s`", r.list);
        } else if (!strncmp(f[k], "max=", 4)) {
            r.most = read_number(l->at, f[k] + 4, 1, UINT16_MAX);
        } else if (!strncmp(f[k], "repeat=", 7)) {
            r.repeats = read_number(l->at, f[k] + 7, 1, 255);
        } else if (!strncmp(f[k], "name=", 5)) {
            r.name = read_name(l->at, f[k] + 5);
        } else {
            fail(l->at, "`%s` is none of in=, list=, max=, repeat=, name=", f[k]);
        }
    }
    return r;
}

static int read_limit(place at, const char *text) { return !strcmp(text, ">1") ? 0 : read_number(at, text, 1, UINT16_MAX); }

static void read_guide(const document *d)
{
    const line *head = &d->lines[0];
    char      **h = head->fields;
    need_fields(head, 9, 9);
    if (strcmp(h[1], "X12") != 0) fail(head->at, "unknown standard `%s`", h[1]);
    guide *g = need(calloc(1, sizeof *g));
    *g = (guide){
        .at = head->at, .set = h[2], .version = h[3], .family = h[4], .release = h[5], .name = read_name(head->at, h[8])
    };
    g->functional_id = strcmp(h[6], "-") ? h[6] : "";
    g->health_care = !strcmp(h[7], "health");
    if (!g->health_care && strcmp(h[7], "trade") != 0) fail(head->at, "a guide is health or trade");
    g->body = (node){ .at = head->at, .is_loop = true, .id = "", .name = g->name, .use = 'R', .max = 1 };

    /* The line above at each depth, to hang the next one under. Bodies are reallocated while they grow, but only the last
     * entry of a body is open, and it is looked up anew through its parent. */
    node *open[LOOP_DEPTH_MAX + 1] = { &g->body };
    node *segment = NULL;
    int   depth = 0;
    for (size_t i = 1; i < d->count; i++) {
        const line *l = &d->lines[i];
        char      **f = l->fields;
        bool        loop = !strcmp(f[0], "loop");
        if (!loop && strcmp(f[0], "segment") != 0) {
            if (!segment || l->depth != depth + 1) fail(l->at, "element lines stand one deeper than their segment");
            *PUSH(segment->rules, segment->rule_count) = read_rule(l);
            continue;
        }
        need_fields(l, loop ? 6 : 7, loop ? 6 : 7);
        if (l->depth > depth || l->depth >= LOOP_DEPTH_MAX) fail(l->at, "indented too far");
        depth = l->depth;
        node *parent = open[depth];
        if (parent->body_count == 0 && depth && loop) fail(l->at, "a loop starts with a segment");
        node *n = PUSH(parent->body, parent->body_count);
        *n = (node){ .at = l->at, .is_loop = loop, .id = f[1], .name = read_name(l->at, f[loop ? 5 : 6]) };
        n->use = read_use(l->at, f[2], "RSN");
        n->max = read_limit(l->at, f[3]);
        n->position = read_number(l->at, f[4], 0, UINT16_MAX);
        if (parent->body_count > 1 && n->position < n[-1].position)
            fail(l->at, "position %d after %d", n->position, n[-1].position);
        if (!loop && strcmp(f[5], "-") != 0) {
            char *equals = strchr(f[5], '=');
            if (!equals) fail(l->at, "key `%s` is not POSITION=VALUES", f[5]);
            *equals = 0;
            char *dash = strchr(f[5], '-');
            if (dash) *dash = 0;
            n->key_element = read_number(l->at, f[5], 1, POSITIONS_MAX);
            n->key_component = dash ? read_number(l->at, dash + 1, 1, POSITIONS_MAX) : 0;
            n->key = read_values(l->at, equals + 1);
        }
        segment = loop ? NULL : n;
        if (loop) open[++depth] = n;
    }
    for (size_t i = 0; i < all.guide_count; i++)
        if (!strcmp(all.guides[i]->set, g->set) && !strcmp(all.guides[i]->version, g->version))
            fail(g->at, "guide %s %s stands twice", g->set, g->version);
    *PUSH(all.guides, all.guide_count) = g;
}

/* -- the output: definitions with equal text are written once -------------------------------------------------------- */

typedef struct known {
    char *text;
    int   id;
} known;
static struct {
    known *slots;
    size_t capacity, count;
} interned;
static FILE *output;

static size_t hash_text(const char *text)
{
    size_t h = 14695981039346656037u;
    while (*text) h = (h ^ (unsigned char)*text++) * 1099511628211u;
    return h;
}

/* The id of a definition `type name[] = text`; writes it when it is new. Takes over `text`. */
static int define(const char *type, char prefix, bool array, char *text)
{
    if (2 * interned.count >= interned.capacity) {
        size_t capacity = interned.capacity ? 2 * interned.capacity : 4096;
        known *slots = need(calloc(capacity, sizeof *slots));
        for (size_t i = 0; i < interned.capacity; i++) {
            if (!interned.slots[i].text) continue;
            size_t k = hash_text(interned.slots[i].text) & (capacity - 1);
            while (slots[k].text) k = (k + 1) & (capacity - 1);
            slots[k] = interned.slots[i];
        }
        free(interned.slots);
        interned.slots = slots;
        interned.capacity = capacity;
    }
    char *full;
    if (asprintf(&full, "%c%s", prefix, text) < 0) need(NULL);
    free(text);
    size_t k = hash_text(full) & (interned.capacity - 1);
    for (; interned.slots[k].text; k = (k + 1) & (interned.capacity - 1)) {
        if (strcmp(interned.slots[k].text, full) != 0) continue;
        free(full);
        return interned.slots[k].id;
    }
    interned.slots[k] = (known){ full, (int)interned.count };
    fprintf(output, "static const %s %c%zu%s = %s;\n", type, prefix, interned.count, array ? "[]" : "", full + 1);
    return (int)interned.count++;
}

/* A code list; names are looked up in `named`, which may be NULL. */
static int define_codes(const char *name, values v, bool complete, const code_list *named)
{
    char  *text = NULL, *names = NULL;
    size_t size = 0;
    bool   any_name = false;
    FILE  *a = need(open_memstream(&text, &size));
    FILE  *b = need(open_memstream(&names, &size));
    fputs("{ ", a), fputs("{ ", b);
    for (size_t i = 0; i < v.count; i++) {
        const char *word = "";
        for (size_t k = 0; named && k < named->count; k++)
            if (!strcmp(named->values[k], v.items[i])) word = named->names[k];
        any_name = any_name || *word;
        fprintf(a, "%s\"%s\"", i ? ", " : "", v.items[i]);
        fprintf(b, "%s\"%s\"", i ? ", " : "", word);
    }
    fputs(" }", a), fputs(" }", b);
    fclose(a), fclose(b);
    int  value_id = define("char *const", 'v', true, text);
    char name_ref[32] = "NULL";
    if (any_name)
        snprintf(name_ref, sizeof name_ref, "v%d", define("char *const", 'v', true, names));
    else
        free(names);
    char *set;
    if (asprintf(&set, "{ \"%s\", v%d, %s, %zu, %s }", name, value_id, name_ref, v.count, complete ? "true" : "false") < 0)
        need(NULL);
    return define("shunt_codeset", 'c', false, set);
}

static int define_list(const code_list *list)
{
    return define_codes(list->name, (values){ list->values, list->count }, list->complete, list);
}

/* -- PHI -------------------------------------------------------------------------------------------------------------- */

/* A segment node with what PHI lines ask about. Without a guide everything is possible. */
typedef struct context {
    const guide   *guide; /* NULL: no guide */
    const node    *node;  /* NULL: no guide */
    const release *release;
    const layout  *layout;
    const char    *pinned; /* the one qualifier of the node that is asked about, NULL = any of its key */
} context;

static const rule *find_rule(const node *n, int position, int component)
{
    for (size_t i = 0; n && i < n->rule_count; i++)
        if (position >= n->rules[i].from && position <= n->rules[i].to && n->rules[i].component == component) return &n->rules[i];
    return NULL;
}

static bool has_components(const node *n, int position)
{
    for (size_t i = 0; n && i < n->rule_count; i++)
        if (n->rules[i].from == position && n->rules[i].component) return true;
    return false;
}

/* The values that an element of the node may hold; false: any. */
static bool allowed(const context *x, const node *n, int position, values *v)
{
    if (!n) return false;
    if (x->pinned && n == x->node && n->key_element == position) {
        *v = (values){ (const char **)(uintptr_t)&x->pinned, 1 };
        return true;
    }
    if (n->key_element == position && !n->key_component) {
        *v = n->key;
        return true;
    }
    const rule *r = find_rule(n, position, 0);
    if (!r || !r->has_codes) return false;
    *v = r->codes;
    return true;
}

/* Parties as bits; bit `party_count` is an entity that no party names, or no party at all. */
static uint32_t parties_of(const context *c)
{
    uint32_t    other = 1u << all.party_count, bits = 0;
    const node *n = c->node;
    if (!n) return (other << 1) - 1;
    if (strcmp(n->id, "NM1") != 0 && strcmp(n->id, "N1") != 0) n = n->parent->id[0] ? &n->parent->body[0] : NULL;
    if (!n || (strcmp(n->id, "NM1") != 0 && strcmp(n->id, "N1") != 0)) return other;
    values v;
    if (!allowed(c, n, 1, &v)) return (other << 1) - 1;
    for (size_t i = 0; i < v.count; i++) {
        uint32_t bit = other;
        for (size_t p = 0; p < all.party_count; p++)
            if (holds(all.parties[p].entities, v.items[i])) bit = 1u << p;
        bits |= bit;
    }
    return bits;
}

static bool may_hold(const condition *c, const context *x)
{
    if (c->kind == WHEN_SET) return !x->guide || holds(c->values, x->guide->set) != c->negated;
    if (c->kind == WHEN_PARTY) {
        uint32_t wanted = 0;
        for (size_t i = 0; i < c->values.count; i++) {
            int p = find_party(c->values.items[i]);
            wanted |= 1u << (p < 0 ? all.party_count : (size_t)p);
        }
        return (parties_of(x) & (c->negated ? ~wanted : wanted)) != 0;
    }
    values v;
    if (!allowed(x, x->node, c->element, &v)) return true;
    for (size_t i = 0; i < v.count; i++)
        if (holds(c->values, v.items[i]) != c->negated) return true;
    return false;
}

static bool covers(const phi_line *p, int position, int component)
{
    if (p->all) return true;
    for (int i = 0; i < p->position_count; i++) {
        if (p->positions[i] != position) continue;
        /* A line for the whole covers its components; one for a component counts for the whole as well. */
        if (!component || !p->components[i] || p->components[i] == component) return true;
    }
    return false;
}

/* True when the qualifier may be absent or hold a value that no other line of this element names. */
static bool qualifier_may_be_unknown(const phi_line *unknown, const context *x, int position)
{
    values      v;
    const rule *r = find_rule(x->node, unknown->qualifier, 0);
    bool        picked = x->pinned && x->node->key_element == unknown->qualifier;
    if (!allowed(x, x->node, unknown->qualifier, &v) || (!picked && r && r->use != 'R')) return true;
    for (size_t i = 0; i < v.count; i++) {
        bool named = false;
        for (size_t k = 0; k < all.phi_count && !named; k++) {
            const phi_line *p = &all.phi[k];
            if (p->unknown || strcmp(p->segment, unknown->segment) != 0 || !covers(p, position, 0)) continue;
            for (int c = 0; c < p->condition_count; c++) {
                const condition *w = &p->conditions[c];
                named = named || (w->kind == WHEN_ELEMENT && w->element == unknown->qualifier && !w->negated &&
                                  holds(w->values, v.items[i]));
            }
        }
        if (!named) return true;
    }
    return false;
}

static uint32_t classes_of(const context *x, int position, int component)
{
    if (x->guide && (!x->guide->health_care || !holds(all.phi_sets, x->guide->set))) return 0;
    uint32_t classes = 0;
    bool     listed = false;
    for (size_t i = 0; i < all.phi_count; i++) {
        const phi_line *p = &all.phi[i];
        if (strcmp(p->segment, x->layout->id) != 0) continue;
        listed = true;
        if (!covers(p, position, component)) continue;
        bool holds_here = !p->unknown || qualifier_may_be_unknown(p, x, position);
        for (int c = 0; c < p->condition_count && holds_here; c++) holds_here = may_hold(&p->conditions[c], x);
        if (holds_here) classes |= p->classes;
    }
    return listed ? classes : SHUNT_PHI_FREE_TEXT;
}

/* What single qualifiers of the node make of the classes of an element: a table, or NULL where each leaves all of them. */
static void write_phi_by_key(const context *x, int position, int component, uint32_t phi, char ref[32])
{
    const node *n = x->node;
    snprintf(ref, 32, "NULL");
    if (!phi || !n || !n->key_element || n->key_component || n->key.count < 2) return;
    char   *text = NULL;
    size_t  size = 0, fewer = 0;
    FILE   *out = need(open_memstream(&text, &size));
    context one = *x;
    fputs("{ ", out);
    for (size_t i = 0; i < n->key.count; i++) {
        one.pinned = n->key.items[i];
        uint32_t classes = classes_of(&one, position, component);
        if (classes == phi) continue;
        fprintf(out, "{ \"%s\", 0x%xu }, ", one.pinned, classes);
        fewer++;
    }
    fputs("{ NULL, 0 } }", out);
    fclose(out);
    if (fewer)
        snprintf(ref, 32, "q%d", define("shunt_key_phi", 'q', true, text));
    else
        free(text);
}

/* -- elements --------------------------------------------------------------------------------------------------------- */

static const char *usage_symbol(char use)
{
    return use == 'R' || use == 'M' ? "SHUNT_REQUIRED" : use == 'N' ? "SHUNT_NOT_USED" : "SHUNT_SITUATIONAL";
}

static const char *type_symbol(const element_def *e)
{
    if (e->amount) return "AMOUNT";
    if (e->period) return "DATE_BY_QUALIFIER";
    if (!strcmp(e->type, "ID")) return "CODE";
    if (!strcmp(e->type, "AN")) return "TEXT";
    if (!strcmp(e->type, "R")) return "DECIMAL";
    if (!strcmp(e->type, "DT")) return "DATE";
    if (!strcmp(e->type, "TM")) return "TIME";
    if (!strcmp(e->type, "B")) return "BINARY";
    return strcmp(e->type, "N0") ? "IMPLIED" : "INT";
}

static int define_elements(const context *x, const layout *l, int composite_position, char composite_use);

static void write_element(FILE *out, const context *x, const item *e, int composite_position, char composite_use)
{
    int         position = composite_position ? composite_position : e->position;
    int         component = composite_position ? e->position : 0;
    const rule *r = find_rule(x->node, position, component);
    bool        said = component ? has_components(x->node, position) : x->node && x->node->rule_count > 0;
    char        use = r ? r->use : said || composite_use == 'N' ? 'N' : e->use;
    int         repeats = r && r->repeats ? r->repeats : e->repeats;
    uint32_t    phi = classes_of(x, position, component);
    const char *name = r && r->name ? r->name : e->name;
    char        by_key[32];
    write_phi_by_key(x, position, component, phi, by_key);

    const layout *composite = find_layout(x->release->composites, x->release->composite_count, e->ref);
    if (composite) {
        if (composite_position) fail(e->at, "a composite in a composite");
        if (r && (r->has_codes || r->list || r->most)) fail(r->at, "a composite has no codes and no length");
        int id = define_elements(x, composite, position, use);
        fprintf(out, "    { %d, 0, \"%s\", %s, SHUNT_VALUE_COMPOSITE, 0, 0, %d, 0, 0, 0x%xu, NULL, e%d, %zu, NULL, %s },\n",
                e->position, name ? name : composite->name, usage_symbol(use), repeats, phi, id, composite->count, by_key);
        return;
    }
    const element_def *d = find_element(e->ref);
    if (!d) fail(e->at, "no element %s", e->ref);
    int column = release_column(x->release->name);
    if (column < 0 || !d->most[column]) fail(e->at, "element %s has no length in %s", e->ref, x->release->name);
    int most = r && r->most ? r->most : d->most[column];
    if (most > d->most[column] || most < d->least[column])
        fail(r->at, "max=%d is not within the %d to %d of element %s", most, d->least[column], d->most[column], e->ref);
    const code_list *named = d->list ? find_list(d->list) : NULL;
    if (d->list && !named) fail(d->at, "no list `%s`", d->list);
    char codes[32] = "NULL";
    if (r && r->has_codes)
        snprintf(codes, sizeof codes, "&c%d", define_codes("", r->codes, true, named));
    else if (r && r->list)
        snprintf(codes, sizeof codes, "&c%d", define_list(find_list(r->list)));
    else if (named && use != 'N')
        snprintf(codes, sizeof codes, "&c%d", define_list(named));
    bool internal = d->number[0] == 'I'; /* elements of the interchange have numbers of their own: I01 */
    fprintf(out, "    { %d, %d, \"%s\", %s, SHUNT_VALUE_%s, %d, %d, %d, %d, %d, 0x%xu, %s, NULL, 0, NULL, %s },\n", e->position,
            internal ? 0 : read_number(d->at, d->number, 1, UINT16_MAX), name ? name : d->name, usage_symbol(use), type_symbol(d),
            d->amount && d->type[0] == 'N' ? 0 : d->decimals, d->type[0] == 'N' ? d->decimals : 0, repeats, d->least[column],
            most, phi, codes, by_key);
}

static int define_elements(const context *x, const layout *l, int composite_position, char composite_use)
{
    char  *text = NULL;
    size_t size = 0;
    FILE  *out = need(open_memstream(&text, &size));
    fputs("{\n", out);
    for (size_t i = 0; i < l->count; i++) write_element(out, x, &l->items[i], composite_position, composite_use);
    fputs("}", out);
    fclose(out);
    return define("shunt_element", 'e', true, text);
}

/* -- segments, loops, guides -------------------------------------------------------------------------------------------- */

/* Each rule of a guide must meet an element of the layout, in order, and the key must point at one. */
static void check_node(const context *x)
{
    const node *n = x->node;
    for (size_t i = 0; i < n->rule_count; i++) {
        const rule *r = &n->rules[i], *before = i ? r - 1 : NULL;
        if (r->to > (int)x->layout->count) fail(r->at, "%s ends at %02zu in %s", n->id, x->layout->count, x->release->name);
        if (before && (r->from < before->to || (r->from == before->to && r->component <= before->component)))
            fail(r->at, "out of order");
        if (!r->component) continue;
        const char   *ref = x->layout->items[r->from - 1].ref;
        const layout *composite = find_layout(x->release->composites, x->release->composite_count, ref);
        if (!composite) fail(r->at, "%s%02d is no composite", n->id, r->from);
        if (r->component > (int)composite->count) fail(r->at, "%s ends at %zu in %s", ref, composite->count, x->release->name);
        if (!find_rule(n, r->from, 0)) fail(r->at, "the composite's own line is missing");
    }
    if (!n->key_element) return;
    if (n->key_element > (int)x->layout->count) fail(n->at, "the key is beyond the last element");
    const char   *ref = x->layout->items[n->key_element - 1].ref;
    const layout *composite = find_layout(x->release->composites, x->release->composite_count, ref);
    if (!composite != !n->key_component || (composite && n->key_component > (int)composite->count))
        fail(n->at, "the key does not point at a simple element");
    const rule *r = find_rule(n, n->key_element, n->key_component);
    if (r && r->use == 'N') fail(n->at, "the key is an element that is not used");
    for (size_t i = 0; r && r->has_codes && i < n->key.count; i++)
        if (!holds(r->codes, n->key.items[i])) fail(n->at, "key value `%s` is not in the list of the element", n->key.items[i]);
}

static const code_list *key_names(const context *x)
{
    const item   *e = &x->layout->items[x->node->key_element - 1];
    const layout *composite = find_layout(x->release->composites, x->release->composite_count, e->ref);
    if (composite) e = &composite->items[x->node->key_component - 1];
    const element_def *d = find_element(e->ref);
    return d && d->list ? find_list(d->list) : NULL;
}

static int define_segment(const context *x)
{
    const node *n = x->node;
    char        key[32] = "NULL";
    char       *text;
    if (n) check_node(x);
    int elements = define_elements(x, x->layout, 0, 0);
    if (n && n->key_element) snprintf(key, sizeof key, "&c%d", define_codes("", n->key, true, key_names(x)));
    if (asprintf(&text, "{ \"%s\", \"%s\", %s, %d, %d, %d, %d, %s, e%d, %zu, \"%s\" }", x->layout->id,
                 n ? n->name : x->layout->name, usage_symbol(n ? n->use : 'S'), n ? n->max : 0, n ? n->position : 0,
                 n ? n->key_element : 0, n ? n->key_component : 0, key, elements, x->layout->count, x->layout->syntax) < 0)
        need(NULL);
    return define("shunt_segment_node", 's', false, text);
}

/* Loops point at their parents and at their children: they are numbered within the guide and declared before they are defined. */
static void count_loops(const node *n, int *count)
{
    ++*count;
    for (size_t i = 0; i < n->body_count; i++)
        if (n->body[i].is_loop) count_loops(&n->body[i], count);
}

static void set_parents(node *n)
{
    for (size_t i = 0; i < n->body_count; i++) {
        n->body[i].parent = n;
        set_parents(&n->body[i]);
    }
}

static void write_loop(FILE *loops, const guide *g, const release *r, size_t guide_number, const node *n, int parent, int *number)
{
    int    self = (*number)++;
    char  *text = NULL;
    size_t size = 0;
    FILE  *body = need(open_memstream(&text, &size));
    /* The line of this loop must come before those of its children: they are kept apart until it is written. */
    char  *below = NULL;
    size_t below_size = 0;
    FILE  *children = need(open_memstream(&below, &below_size));
    if (!n->body_count) fail(n->at, "an empty body");
    fputs("{\n", body);
    for (size_t i = 0; i < n->body_count; i++) {
        const node *child = &n->body[i];
        if (child->is_loop) {
            fprintf(body, "    { NULL, &l%zu[%d] },\n", guide_number, *number);
            write_loop(children, g, r, guide_number, child, self, number);
            continue;
        }
        const layout *l = find_layout(r->segments, r->segment_count, child->id);
        if (!l) fail(child->at, "no segment %s in %s", child->id, r->name);
        context x = { g, child, r, l, NULL };
        fprintf(body, "    { &s%d, NULL },\n", define_segment(&x));
    }
    fputs("}", body);
    fclose(body);
    fclose(children);
    char parent_ref[40] = "NULL";
    if (parent >= 0) snprintf(parent_ref, sizeof parent_ref, "&l%zu[%d]", guide_number, parent);
    fprintf(loops, "    { \"%s\", \"%s\", %s, %d, %d, %s, b%d, %zu },\n", n->id, n->name, usage_symbol(n->use), n->max,
            n->position, parent_ref, define("shunt_entry", 'b', true, text), n->body_count);
    fputs(below, loops);
    free(below);
}

static void write_guide(const guide *g, size_t guide_number)
{
    const release *r = NULL;
    for (size_t i = 0; i < all.release_count; i++)
        if (!strcmp(all.releases[i].name, g->release)) r = &all.releases[i];
    if (!r) fail(g->at, "no layouts of release %s", g->release);
    int count = 0, number = 0;
    count_loops(&g->body, &count);
    fprintf(output, "\n/* %s %s */\nstatic const shunt_loop l%zu[%d];\n", g->set, g->version, guide_number, count);
    char  *text = NULL;
    size_t size = 0;
    FILE  *loops = need(open_memstream(&text, &size));
    write_loop(loops, g, r, guide_number, &g->body, -1, &number);
    fclose(loops);
    fprintf(output, "static const shunt_loop l%zu[%d] = {\n%s};\n", guide_number, count, text);
    fprintf(
        output, "static const shunt_guide g%zu = { SHUNT_STANDARD_X12, \"%s\", \"%s\", \"%s\", \"%s\", \"%s\", %s, &l%zu[0] };\n",
        guide_number, g->set, g->version, g->family, g->functional_id, g->name, g->health_care ? "true" : "false", guide_number);
    free(text);
}

static int compare_layouts(const void *a, const void *b) { return strcmp(((const layout *)a)->id, ((const layout *)b)->id); }

static void write_release(release *r, size_t number)
{
    qsort(r->segments, r->segment_count, sizeof *r->segments, compare_layouts);
    char  *text = NULL;
    size_t size = 0;
    FILE  *out = need(open_memstream(&text, &size));
    for (size_t i = 0; i < r->segment_count; i++) {
        context x = { NULL, NULL, r, &r->segments[i], NULL };
        fprintf(out, "    &s%d,\n", define_segment(&x));
    }
    fclose(out);
    fprintf(output, "static const shunt_segment_node *const r%zu[] = {\n%s};\n", number, text);
    free(text);
}

static int compare_lists(const void *a, const void *b)
{
    return strcmp(((const code_list *)a)->name, ((const code_list *)b)->name);
}

static void write_tables(void)
{
    fputs("/* Made by standards/dict/gen.c from the text dictionaries beside it. */\n#include \"standards/dict/tables.h\"\n\n",
          output);
    for (size_t i = 0; i < all.guide_count; i++) write_guide(all.guides[i], i);
    fputs("\nstatic const shunt_guide *const guides[] = { ", output);
    for (size_t i = 0; i < all.guide_count; i++) fprintf(output, "&g%zu, ", i);
    fputs("};\n\n", output);

    for (size_t i = 0; i < all.release_count; i++) write_release(&all.releases[i], i);
    fputs("static const shunt_dict_release releases[] = {\n", output);
    for (size_t i = 0; i < all.release_count; i++)
        fprintf(output, "    { \"%s\", r%zu, %zu },\n", all.releases[i].name, i, all.releases[i].segment_count);
    fputs("};\n\n", output);

    qsort(all.lists, all.list_count, sizeof *all.lists, compare_lists);
    int *ids = need(calloc(all.list_count + 1, sizeof *ids));
    for (size_t i = 0; i < all.list_count; i++) ids[i] = define_list(&all.lists[i]);
    fputs("static const shunt_codeset *const lists[] = {\n", output);
    for (size_t i = 0; i < all.list_count; i++) fprintf(output, "    &c%d,\n", ids[i]);
    fputs("};\n\nstatic const shunt_dict_currency currencies[] = {\n", output);
    for (size_t i = 0; i < all.currency_count; i++)
        fprintf(output, "    { \"%s\", %d },\n", all.currencies[i].code, all.currencies[i].scale);
    fprintf(output,
            "};\n\nconst shunt_dict_x12 shunt_dict_tables_x12 = { guides, releases, lists, currencies, %zu, %zu, %zu, %zu };\n",
            all.guide_count, all.release_count, all.list_count, all.currency_count);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *word;
        void (*read)(const document *);
    } kinds[] = {
        { "elements", read_elements },     { "layout", read_layouts }, { "list", read_list },
        { "currencies", read_currencies }, { "phi", read_phi },        { "guide", read_guide }, /* guides last: they name lists */
    };
    if (argc < 3) {
        fputs("usage: gen OUTPUT.c FILE.tsv...\n", stderr);
        return 2;
    }
    document *documents = need(calloc((size_t)argc, sizeof *documents));
    for (int i = 2; i < argc; i++) {
        documents[i] = read_document(argv[i]);
        bool known_kind = false;
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
            known_kind = known_kind || !strcmp(kinds[k].word, documents[i].lines[0].fields[0]);
        if (!known_kind) fail(documents[i].lines[0].at, "unknown kind of file `%s`", documents[i].lines[0].fields[0]);
    }
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (int i = 2; i < argc; i++)
            if (!strcmp(kinds[k].word, documents[i].lines[0].fields[0])) kinds[k].read(&documents[i]);
    for (size_t i = 0; i < all.guide_count; i++) set_parents(&all.guides[i]->body);

    output = fopen(argv[1], "wb");
    if (!output) fail((place){ argv[1], 0 }, "%s", strerror(errno));
    write_tables();
    if (ferror(output) || fclose(output) != 0) fail((place){ argv[1], 0 }, "cannot be written");
    return 0;
}
