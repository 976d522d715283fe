/* gen_fhir.c - build-time generator: reads the text dictionary of FHIR (fhir/), checks it and writes const C tables.
 *
 *     gen_fhir OUTPUT.c FILE.tsv...
 *
 * README.md describes the format. Each version gets its own list of types; what both versions say alike is written once. */
#include "standards/dict/gen_read.h"
#include "standards/fhir/types.h"

enum { VERSIONS = 2, DEPTH_MAX = 12 };

static const char *const version_names[VERSIONS] = { "R4", "R5" };

/* -- what the files say --------------------------------------------------------------------------------------------- */

typedef struct element {
    place           at;
    const char     *name, *types, *codes, *words;
    unsigned        versions; /* bits */
    int             min, max;
    bool            listed, money, weak; /* `phi=`, with money; `class=` */
    uint32_t        phi, weak_phi;
    struct element *children;
    size_t          child_count;
} element;

typedef struct type {
    place       at;
    const char *name, *base, *words;
    unsigned    versions;
    bool        resource, open;
    element     top; /* its children are the elements */
} type;

typedef struct primitive {
    const char      *name;
    unsigned         versions;
    shunt_value_type value;
    uint32_t         phi;
} primitive;

typedef struct code_list {
    place        at;
    const char  *name;
    unsigned     versions;
    const char **codes;
    size_t       count;
    int          id;
} code_list;

static struct {
    type        *types;
    size_t       type_count;
    primitive   *primitives;
    size_t       primitive_count;
    code_list   *lists;
    size_t       list_count;
    const char **open[VERSIONS]; /* types of a choice of any type */
    size_t       open_count[VERSIONS];
} all;

static FILE *output;

static unsigned read_versions(place at, const char *text)
{
    if (!strcmp(text, "-")) return (1u << VERSIONS) - 1;
    for (unsigned v = 0; v < VERSIONS; v++)
        if (!strcmp(text, version_names[v])) return 1u << v;
    fail(at, "`%s` is no version: R4, R5 or -", text);
}

static uint32_t read_classes(place at, const char *text, bool *money)
{
    uint32_t classes = 0;
    if (!strcmp(text, "none")) return 0;
    values words = read_values(at, text);
    for (size_t i = 0; i < words.count; i++) {
        bool known = false;
        if (money && !strcmp(words.items[i], "money")) {
            *money = true;
            continue;
        }
#define X(symbol, written)                                                                                                       \
    if (!strcmp(words.items[i], written)) {                                                                                      \
        classes |= SHUNT_PHI_##symbol;                                                                                           \
        known = true;                                                                                                            \
    }
        SHUNT_PHI_CLASSES(X)
#undef X
        if (!known) fail(at, "`%s` is no PHI class", words.items[i]);
    }
    return classes;
}

static void read_cardinality(place at, char *text, element *e)
{
    char *dots = strstr(text, "..");
    if (!dots) fail(at, "`%s` is no cardinality", text);
    *dots = 0;
    e->min = read_number(at, text, 0, 1000);
    e->max = !strcmp(dots + 2, "*") ? 0 : read_number(at, dots + 2, 1, 1000);
    if (e->max && e->max < e->min) fail(at, "the most is less than the least");
}

static element read_element(const line *l)
{
    need_fields(l, 4, 8);
    element e = { .at = l->at, .name = read_name(l->at, l->fields[0]), .versions = read_versions(l->at, l->fields[1]) };
    read_cardinality(l->at, l->fields[2], &e);
    e.types = l->fields[3];
    for (int i = 4; i < l->count; i++) {
        const char *field = l->fields[i];
        if (!strncmp(field, "codes=", 6))
            e.codes = field + 6;
        else if (!strncmp(field, "name=", 5))
            e.words = read_name(l->at, field + 5);
        else if (!strncmp(field, "phi=", 4)) {
            e.listed = true;
            e.phi = read_classes(l->at, field + 4, &e.money);
        } else if (!strncmp(field, "class=", 6)) {
            e.weak = true;
            e.weak_phi = read_classes(l->at, field + 6, NULL);
        } else
            fail(l->at, "`%s` is none of codes=, phi=, class=, name=", field);
    }
    return e;
}

static void read_types(const document *d, bool resource)
{
    element *open[DEPTH_MAX + 1] = { NULL };
    for (size_t i = 1; i < d->count; i++) {
        const line *l = &d->lines[i];
        if (l->depth == 0) {
            need_fields(l, 4, 6);
            if (strcmp(l->fields[0], "type")) fail(l->at, "a type was expected, not `%s`", l->fields[0]);
            type *t = PUSH(all.types, all.type_count);
            *t = (type){ .at = l->at, .name = read_name(l->at, l->fields[1]), .resource = resource };
            t->versions = read_versions(l->at, l->fields[2]);
            t->base = strcmp(l->fields[3], "-") ? l->fields[3] : NULL;
            for (int f = 4; f < l->count; f++) {
                if (!strcmp(l->fields[f], "phi=open"))
                    t->open = true;
                else if (!strncmp(l->fields[f], "name=", 5))
                    t->words = read_name(l->at, l->fields[f] + 5);
                else
                    fail(l->at, "`%s` is none of phi=open, name=", l->fields[f]);
            }
            open[0] = &t->top;
            continue;
        }
        if (l->depth > DEPTH_MAX || !all.type_count || !open[l->depth - 1]) fail(l->at, "this is too deep");
        element *in = open[l->depth - 1];
        *PUSH(in->children, in->child_count) = read_element(l);
        open[l->depth] = &in->children[in->child_count - 1];
        for (int deeper = l->depth + 1; deeper <= DEPTH_MAX; deeper++) open[deeper] = NULL;
    }
}

static void read_resources(const document *d) { read_types(d, true); }
static void read_datatypes(const document *d) { read_types(d, false); }

static void read_primitives(const document *d)
{
    static const struct {
        const char      *word;
        shunt_value_type value;
    } kinds[] = {
        { "text", SHUNT_VALUE_TEXT }, { "code", SHUNT_VALUE_CODE }, { "decimal", SHUNT_VALUE_DECIMAL },
        { "int", SHUNT_VALUE_INT },   { "date", SHUNT_VALUE_DATE }, { "moment", SHUNT_VALUE_MOMENT },
        { "time", SHUNT_VALUE_TIME }, { "bool", SHUNT_VALUE_BOOL }, { "binary", SHUNT_VALUE_BINARY },
    };
    for (size_t i = 1; i < d->count; i++) {
        const line *l = &d->lines[i];
        need_fields(l, 3, 5);
        if (!strcmp(l->fields[0], "open")) {
            unsigned bit = read_versions(l->at, l->fields[1]);
            char    *rest = l->fields[2];
            for (unsigned v = 0; v < VERSIONS; v++)
                if (bit == 1u << v)
                    for (char *item; (item = strsep(&rest, ","));) *PUSH(all.open[v], all.open_count[v]) = item;
            continue;
        }
        need_fields(l, 4, 5);
        primitive *p = PUSH(all.primitives, all.primitive_count);
        *p = (primitive){ .name = read_name(l->at, l->fields[1]), .versions = read_versions(l->at, l->fields[2]) };
        bool known = false;
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
            if (!strcmp(kinds[k].word, l->fields[3])) {
                p->value = kinds[k].value;
                known = true;
            }
        if (!known) fail(l->at, "`%s` is no kind of value", l->fields[3]);
        if (l->count == 5) {
            if (strncmp(l->fields[4], "class=", 6)) fail(l->at, "`%s` is not class=", l->fields[4]);
            p->phi = read_classes(l->at, l->fields[4] + 6, NULL);
        }
    }
}

static void read_codes(const document *d)
{
    code_list *list = NULL;
    for (size_t i = 1; i < d->count; i++) {
        const line *l = &d->lines[i];
        if (l->depth == 0) {
            need_fields(l, 3, 3);
            list = PUSH(all.lists, all.list_count);
            *list = (code_list){ .at = l->at, .name = l->fields[1], .versions = read_versions(l->at, l->fields[2]), .id = -1 };
            continue;
        }
        if (!list || l->count != 1) fail(l->at, "codes stand under their list, apart by blanks");
        for (char *rest = l->fields[0], *code; (code = strsep(&rest, " "));) {
            if (list->count && strcmp(list->codes[list->count - 1], code) >= 0) fail(l->at, "`%s` is out of order", code);
            *PUSH(list->codes, list->count) = read_name(l->at, code);
        }
    }
}

static const type *find_type(const char *name, unsigned version)
{
    for (size_t i = 0; i < all.type_count; i++)
        if ((all.types[i].versions & 1u << version) && !strcmp(all.types[i].name, name)) return &all.types[i];
    return NULL;
}

static const primitive *find_primitive(const char *name, unsigned version)
{
    for (size_t i = 0; i < all.primitive_count; i++)
        if ((all.primitives[i].versions & 1u << version) && !strcmp(all.primitives[i].name, name)) return &all.primitives[i];
    return NULL;
}

static int find_list(place at, const char *name, unsigned version)
{
    for (size_t i = 0; i < all.list_count; i++)
        if ((all.lists[i].versions & 1u << version) && !strcmp(all.lists[i].name, name)) return (int)i;
    fail(at, "no list `%s`", name);
}

/* -- the tables of one version -------------------------------------------------------------------------------------- */

typedef struct row { /* an element as it is written: its text tells equal tables of both versions */
    const char *name, *type;
    char       *text;
} row;

typedef struct made {
    const char *name, *words;
    int         kind, value;
    bool        open;
    row        *rows;
    size_t      row_count;
    int         table; /* number of the array of elements, -1 = none */
} made;

typedef struct made_list {
    made  *items;
    size_t count;
} made_list;

static const char *format(const char *pattern, ...) __attribute__((format(printf, 1, 2)));
static const char *format(const char *pattern, ...)
{
    char   *text = NULL;
    va_list args;
    va_start(args, pattern);
    if (vasprintf(&text, pattern, args) < 0) need(NULL);
    va_end(args);
    return text;
}

static const char *quoted(const char *text) { return text ? format("\"%s\"", text) : "NULL"; }

/* One row for one type of an element. `choice`: the name without its type, NULL = no choice. */
static void add_row(made *m, const element *e, const char *path, const char *written, const char *choice, unsigned version)
{
    char *name_of_type = need(strdup(written)), *targets = strchr(name_of_type, '(');
    if (targets) {
        *targets++ = 0;
        size_t length = strlen(targets);
        if (!length || targets[length - 1] != ')') fail(e->at, "`%s` is no type", written);
        targets[length - 1] = 0;
    }
    const char *target = name_of_type, *element_type;
    if (*target == '=')
        element_type = target + 1;
    else if (e->child_count)
        element_type = format("%s.%s", path, e->name);
    else {
        element_type = target;
        if (!find_type(target, version) && !find_primitive(target, version)) fail(e->at, "no type `%s`", target);
    }
    const primitive *p = find_primitive(element_type, version);
    uint32_t         phi = e->listed ? e->phi : e->weak ? e->weak_phi : p ? p->phi : 0;
    /* A listed element that holds a value still is free text where its type is. */
    if (e->listed && p && (e->weak ? e->weak_phi : p->phi) & SHUNT_PHI_FREE_TEXT && e->phi) phi |= SHUNT_PHI_FREE_TEXT;
    const char *name = e->name;
    if (choice) name = format("%s%c%s", choice, toupper((unsigned char)*element_type), element_type + 1);
    const char *codes = "NULL";
    if (e->codes) {
        int list = find_list(e->at, e->codes, version);
        codes = format("&c%d", list);
        all.lists[list].id = list;
    }
    for (size_t i = 0; i < m->row_count; i++)
        if (!strcmp(m->rows[i].name, name)) fail(e->at, "`%s` has two elements `%s`", path, name);
    row *r = PUSH(m->rows, m->row_count);
    r->name = name;
    r->type = element_type;
    r->text = (char *)(uintptr_t)format("    { \"%s\", \"%s\", %s, %d, %d, %d, %d, 0x%x, %s, %s, \"%s\" },\n", name, element_type,
                                        quoted(choice), e->min, e->max, e->listed, e->money, phi, codes, quoted(targets),
                                        e->words ? e->words : "");
}

static void add_element(made *m, const element *e, const char *path, unsigned version)
{
    size_t length = strlen(e->name);
    if (length <= 3 || strcmp(e->name + length - 3, "[x]")) {
        if (strchr(e->types, ',')) fail(e->at, "several types, and no choice");
        add_row(m, e, path, e->types, NULL, version);
        return;
    }
    const char *choice = format("%.*s", (int)(length - 3), e->name);
    if (!strcmp(e->types, "*")) {
        for (size_t i = 0; i < all.open_count[version]; i++) add_row(m, e, path, all.open[version][i], choice, version);
        return;
    }
    for (char *rest = need(strdup(e->types)), *one; (one = strsep(&rest, ","));) add_row(m, e, path, one, choice, version);
}

static bool overrides(const element *own, size_t count, const char *name, unsigned version)
{
    for (size_t i = 0; i < count; i++)
        if ((own[i].versions & 1u << version) && !strcmp(own[i].name, name)) return true;
    return false;
}

static const element *own_of(const element *own, size_t count, const char *name, unsigned version)
{
    for (size_t i = 0; i < count; i++)
        if ((own[i].versions & 1u << version) && !strcmp(own[i].name, name)) return &own[i];
    return NULL;
}

/* The elements of the base types in their order, each replaced where `own` says it anew. */
static void add_inherited(made *m, const char *base, place at, const element *own, size_t count, const char *path,
                          unsigned version)
{
    if (!base) return;
    const type *t = find_type(base, version);
    if (!t) fail(at, "no base type `%s`", base);
    add_inherited(m, t->base, t->at, own, count, path, version);
    for (size_t i = 0; i < t->top.child_count; i++) {
        const element *e = &t->top.children[i];
        if (!(e->versions & 1u << version)) continue;
        const element *instead = own_of(own, count, e->name, version);
        add_element(m, instead ? instead : e, path, version);
    }
}

static bool inherited_has(const char *base, const char *name, unsigned version)
{
    for (const type *t = base ? find_type(base, version) : NULL; t; t = t->base ? find_type(t->base, version) : NULL)
        if (overrides(t->top.children, t->top.child_count, name, version)) return true;
    return false;
}

static void make_type(made_list *list, const char *name, const char *base, place at, const element *own, size_t count, int kind,
                      const char *words, bool open, unsigned version)
{
    made m = { .name = name, .words = words, .kind = kind, .value = SHUNT_VALUE_COMPOSITE, .open = open, .table = -1 };
    add_inherited(&m, base, at, own, count, name, version);
    for (size_t i = 0; i < count; i++) {
        const element *e = &own[i];
        if (!(e->versions & 1u << version)) continue;
        if (!inherited_has(base, e->name, version)) add_element(&m, e, name, version);
        if (e->child_count)
            make_type(list, format("%s.%s", name, e->name), e->types, e->at, e->children, e->child_count, SHUNT_FHIR_BACKBONE,
                      e->words, false, version);
    }
    *PUSH(list->items, list->count) = m;
}

static int compare_made(const void *a, const void *b) { return strcmp(((const made *)a)->name, ((const made *)b)->name); }

static made_list make_version(unsigned version)
{
    made_list list = { 0 };
    for (size_t i = 0; i < all.primitive_count; i++) {
        const primitive *p = &all.primitives[i];
        if (p->versions & 1u << version)
            *PUSH(list.items, list.count) =
                (made){ .name = p->name, .kind = SHUNT_FHIR_PRIMITIVE, .value = (int)p->value, .table = -1 };
    }
    for (size_t i = 0; i < all.type_count; i++) {
        const type *t = &all.types[i];
        if (!(t->versions & 1u << version)) continue;
        make_type(&list, t->name, t->base, t->at, t->top.children, t->top.child_count,
                  t->resource ? SHUNT_FHIR_RESOURCE : SHUNT_FHIR_COMPLEX, t->words, t->open, version);
    }
    qsort(list.items, list.count, sizeof *list.items, compare_made);
    for (size_t i = 1; i < list.count; i++)
        if (!strcmp(list.items[i - 1].name, list.items[i].name))
            fail((place){ version_names[version], 0 }, "type `%s` stands twice", list.items[i].name);
    return list;
}

static bool same_rows(const made *a, const made *b)
{
    if (a->row_count != b->row_count) return false;
    for (size_t i = 0; i < a->row_count; i++)
        if (strcmp(a->rows[i].text, b->rows[i].text)) return false;
    return true;
}

static const made *find_made(const made_list *list, const char *name)
{
    made key = { .name = name };
    return list->count ? bsearch(&key, list->items, list->count, sizeof key, compare_made) : NULL;
}

/* -- writing -------------------------------------------------------------------------------------------------------- */

static void write_lists(void)
{
    for (size_t i = 0; i < all.list_count; i++) {
        const code_list *list = &all.lists[i];
        if (list->id < 0) fail(list->at, "no element has the codes of `%s`", list->name);
        fprintf(output, "static const char *const v%zu[] = { ", i);
        for (size_t k = 0; k < list->count; k++) fprintf(output, "\"%s\", ", list->codes[k]);
        fprintf(output, "};\nstatic const shunt_codeset c%zu = { \"%s\", v%zu, NULL, %zu, true };\n", i, list->name, i,
                list->count);
    }
}

static void write_tables(made_list lists[VERSIONS])
{
    int table = 0;
    for (unsigned v = 0; v < VERSIONS; v++)
        for (size_t i = 0; i < lists[v].count; i++) {
            made       *m = &lists[v].items[i];
            const made *before = v ? find_made(&lists[0], m->name) : NULL;
            if (!m->row_count) continue;
            if (before && same_rows(before, m)) {
                m->table = before->table;
                continue;
            }
            m->table = table++;
            fprintf(output, "static const shunt_fhir_element e%d[] = {\n", m->table);
            for (size_t r = 0; r < m->row_count; r++) fputs(m->rows[r].text, output);
            fputs("};\n", output);
        }
    for (unsigned v = 0; v < VERSIONS; v++) {
        fprintf(output, "static const shunt_fhir_type types_%s[] = {\n", version_names[v]);
        for (size_t i = 0; i < lists[v].count; i++) {
            const made *m = &lists[v].items[i];
            fprintf(output, "    { \"%s\", %d, %d, %d, \"%s\", ", m->name, m->kind, m->value, m->open, m->words ? m->words : "");
            if (m->table < 0)
                fputs("NULL, 0 },\n", output);
            else
                fprintf(output, "e%d, %zu },\n", m->table, m->row_count);
        }
        fputs("};\n", output);
    }
    fputs("const shunt_dict_fhir shunt_dict_tables_fhir = { {\n", output);
    for (unsigned v = 0; v < VERSIONS; v++) fprintf(output, "    { types_%s, %zu },\n", version_names[v], lists[v].count);
    fputs("} };\n", output);
}

/* Every type that an element names is one that the version has. */
static void check_types(const made_list *list, unsigned version)
{
    for (size_t i = 0; i < list->count; i++)
        for (size_t r = 0; r < list->items[i].row_count; r++)
            if (!find_made(list, list->items[i].rows[r].type))
                fail((place){ version_names[version], 0 }, "%s: no type `%s`", list->items[i].name, list->items[i].rows[r].type);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *word;
        void (*read)(const document *);
    } kinds[] = {
        { "primitives", read_primitives },
        { "codes", read_codes },
        { "datatypes", read_datatypes },
        { "resources", read_resources },
    };
    if (argc < 3) {
        fputs("usage: gen_fhir OUTPUT.c FILE.tsv...\n", stderr);
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        document    d = read_document(argv[i]);
        const line *l = &d.lines[0];
        bool        known = false;
        if (strcmp(l->fields[0], "fhir") || l->count != 2)
            fail(l->at, "a file of the FHIR dictionary begins `fhir`, and what it is");
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            if (strcmp(kinds[k].word, l->fields[1])) continue;
            kinds[k].read(&d);
            known = true;
        }
        if (!known) fail(l->at, "unknown kind of file `%s`", l->fields[1]);
    }
    made_list lists[VERSIONS];
    for (unsigned v = 0; v < VERSIONS; v++) {
        lists[v] = make_version(v);
        check_types(&lists[v], v);
    }
    output = fopen(argv[1], "wb");
    if (!output) fail((place){ argv[1], 0 }, "%s", strerror(errno));
    fputs("/* Made by standards/dict/gen_fhir.c from the text dictionary beside it. */\n#include "
          "\"standards/dict/tables.h\"\n\n",
          output);
    write_lists();
    write_tables(lists);
    if (ferror(output) || fclose(output) != 0) fail((place){ argv[1], 0 }, "cannot be written");
    return 0;
}
