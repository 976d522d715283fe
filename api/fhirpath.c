#include "api/fhirpath.h"

#include <stdio.h>

#include "engine/base/decimal.h"

/* ---- nodes ---- */

const fhir_node *fhir_child(const fhir_node *node, const char *name)
{
    for (const fhir_node *child = node->first; child; child = child->next)
        if (shunt_text_is(child->name, name)) return child;
    return NULL;
}

static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

static void learn_resource(fhir_node *node, shunt_text type)
{
    static const char *const versions[] = { "4.0.1", "5.0.0" };
    node->says = type;
    node->version = NULL;
    for (size_t v = 0; v < SHUNT_COUNT(versions) && !node->type; v++) {
        node->type = shunt_fhir_type_find(versions[v], type);
        node->version = versions[v];
    }
}

void fhir_learn(fhir_node *node)
{
    if (node->typed) return;
    node->typed = true;
    const fhir_node *says = fhir_child(node, "resourceType");
    if (says && says->has_value) {
        learn_resource(node, says->value);
        return;
    }
    if (!node->parent) return;
    fhir_learn(node->parent);
    node->version = node->parent->version;
    const shunt_fhir_element *element = node->parent->type ? shunt_fhir_element_find(node->parent->type, node->name) : NULL;
    if (!element) return;
    node->says = shunt_text_of(element->type);
    node->type = shunt_fhir_type_find(node->version, node->says);
}

/* What a choice of that name is called where it stands: `value` is valueQuantity. */
static bool is_choice(fhir_node *node, shunt_text name)
{
    if (node->name.length <= name.length || !shunt_text_starts(node->name, name) || !is_upper(node->name.bytes[name.length]))
        return false;
    if (!node->parent) return false;
    fhir_learn(node->parent);
    if (!node->parent->type) { /* nobody knows better */
        if (!node->says.length) node->says = (shunt_text){ node->name.bytes + name.length, node->name.length - name.length };
        return true;
    }
    const shunt_fhir_element *element = shunt_fhir_element_find(node->parent->type, node->name);
    return element && element->choice && shunt_text_is(name, element->choice);
}

/* "Quantity", of a primitive "string" or as choices end, "String". */
static bool is_of_type(fhir_node *node, shunt_text type)
{
    fhir_learn(node);
    if (node->says.length != type.length || !type.length) return false;
    char a = node->says.bytes[0], b = type.bytes[0];
    bool same = a == b || (!node->type && (a | 32) == (b | 32));
    return same && memcmp(node->says.bytes + 1, type.bytes + 1, type.length - 1) == 0;
}

/* ---- what a path is ---- */

enum step_kind { NAME, INDEX, WHERE, OF_TYPE, EXTENSION, EXISTS, EMPTY, COUNT, NOT };

enum test_kind { TEST_OR, TEST_AND, TEST_EQUAL, TEST_UNEQUAL, TEST_PATH };

struct term {
    bool             literal, number;
    shunt_text       text; /* literal */
    struct fhirpath *path;
};

struct test {
    enum test_kind kind;
    struct test   *a, *b;
    struct term    left, right;
};

struct step {
    enum step_kind kind;
    shunt_text     text;
    uint64_t       index;
    struct test   *test; /* NULL: all */
};

struct fhirpath {
    shunt_text  type;
    struct step steps[FHIRPATH_STEPS];
    unsigned    count;
};

shunt_text fhirpath_type(const fhirpath *path) { return path->type; }

bool fhirpath_begins(const fhirpath *path, const char *name)
{
    return path->count && path->steps[0].kind == NAME && shunt_text_is(path->steps[0].text, name);
}

/* ---- parsing ---- */

enum { TESTS_DEEP = 8 };

struct parser {
    shunt_arena *arena;
    const char  *at;
    const char  *wrong;
    unsigned     depth;
};

static bool is_letter(char c) { return is_upper(c) || (c >= 'a' && c <= 'z') || c == '_'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static void blanks(struct parser *p)
{
    while (*p->at == ' ' || *p->at == '\t') p->at++;
}

static void *failed(struct parser *p, const char *wrong)
{
    if (!p->wrong) p->wrong = wrong;
    return NULL;
}

static bool take(struct parser *p, char c)
{
    blanks(p);
    if (*p->at != c) return false;
    p->at++;
    return true;
}

static bool need(struct parser *p, char c, const char *wrong) { return take(p, c) || failed(p, wrong); }

/* A name, also in back quotes; empty where none stands. */
static shunt_text name(struct parser *p)
{
    blanks(p);
    const char *first = p->at;
    if (*first == '`') {
        const char *end = strchr(first + 1, '`');
        if (!end) return (shunt_text){ 0 };
        p->at = end + 1;
        return (shunt_text){ first + 1, (uint32_t)(end - first - 1) };
    }
    if (!is_letter(*p->at)) return (shunt_text){ 0 };
    while (is_letter(*p->at) || is_digit(*p->at)) p->at++;
    return (shunt_text){ first, (uint32_t)(p->at - first) };
}

static bool word(struct parser *p, const char *wanted)
{
    const char *before = p->at;
    if (shunt_text_is(name(p), wanted) && *before != '`') return true;
    p->at = before;
    return false;
}

/* 'text' with \' \\ and the like, decoded. */
static bool string(struct parser *p, shunt_text *text)
{
    const char *first = p->at + 1, *end = first;
    while (*end && *end != '\'') end += *end == '\\' && end[1] ? 2 : 1;
    if (!*end) return failed(p, "a text ends with a quote");
    char *bytes = shunt_arena_bytes(p->arena, (size_t)(end - first) + 1);
    if (!bytes) return failed(p, "no memory");
    uint32_t length = 0;
    for (const char *at = first; at < end; at++) {
        if (*at == '\\') at++;
        bytes[length++] = *at;
    }
    *text = (shunt_text){ bytes, length };
    p->at = end + 1;
    return true;
}

static struct fhirpath *parse_path(struct parser *p, bool outer);

static bool parse_term(struct parser *p, struct term *term)
{
    blanks(p);
    const char *first = p->at;
    term->literal = true;
    if (*first == '\'') return string(p, &term->text);
    if (is_digit(*first) || (*first == '-' && is_digit(first[1]))) {
        p->at++;
        while (is_digit(*p->at) || (*p->at == '.' && is_digit(p->at[1]))) p->at++;
        term->text = (shunt_text){ first, (uint32_t)(p->at - first) };
        term->number = true;
        return true;
    }
    for (int i = 0; i < 2; i++)
        if (word(p, i ? "true" : "false")) {
            term->text = i ? SHUNT_TEXT("true") : SHUNT_TEXT("false");
            return true;
        }
    term->literal = false;
    term->path = parse_path(p, false);
    return term->path != NULL;
}

static struct test *parse_test(struct parser *p);

static struct test *new_test(struct parser *p, enum test_kind kind, struct test *a, struct test *b)
{
    struct test *test = SHUNT_NEW(p->arena, struct test);
    if (!test) return failed(p, "no memory");
    *test = (struct test){ .kind = kind, .a = a, .b = b };
    return test;
}

static struct test *parse_comparison(struct parser *p)
{
    if (take(p, '(')) {
        struct test *inner = parse_test(p);
        return inner && need(p, ')', "a bracket is not closed") ? inner : NULL;
    }
    struct test *test = new_test(p, TEST_PATH, NULL, NULL);
    if (!test || !parse_term(p, &test->left)) return NULL;
    blanks(p);
    if (*p->at != '=' && *p->at != '!') return test->left.literal ? failed(p, "a condition compares something") : test;
    test->kind = *p->at == '=' ? TEST_EQUAL : TEST_UNEQUAL;
    if (*p->at++ == '!' && !need(p, '=', "conditions are written with `=`, `!=`, `and`, `or`")) return NULL;
    return parse_term(p, &test->right) ? test : NULL;
}

static struct test *parse_all(struct parser *p)
{
    struct test *test = parse_comparison(p);
    while (test && word(p, "and")) {
        struct test *more = parse_comparison(p);
        test = more ? new_test(p, TEST_AND, test, more) : NULL;
    }
    return test;
}

static struct test *parse_test(struct parser *p)
{
    if (++p->depth > TESTS_DEEP) return failed(p, "conditions stand too deep in each other");
    struct test *test = parse_all(p);
    while (test && word(p, "or")) {
        struct test *more = parse_all(p);
        test = more ? new_test(p, TEST_OR, test, more) : NULL;
    }
    p->depth--;
    return test;
}

static const struct {
    const char    *name;
    enum step_kind kind;
    char           argument; /* ' ' none, 't' a type, 's' a text, 'c' a condition, '?' a condition or none */
} functions[] = {
    { "where", WHERE, 'c' },         { "ofType", OF_TYPE, 't' }, { "as", OF_TYPE, 't' },
    { "extension", EXTENSION, 's' }, { "exists", EXISTS, '?' },  { "empty", EMPTY, ' ' },
    { "count", COUNT, ' ' },         { "first", INDEX, ' ' },    { "not", NOT, ' ' },
};

static const char function_names[] = "functions are where, ofType, as, extension, exists, empty, count, first, not";

static bool parse_call(struct parser *p, shunt_text called, struct step *step)
{
    size_t f = 0;
    while (f < SHUNT_COUNT(functions) && !shunt_text_is(called, functions[f].name)) f++;
    if (f == SHUNT_COUNT(functions)) return failed(p, function_names);
    *step = (struct step){ .kind = functions[f].kind };
    char argument = functions[f].argument;
    blanks(p);
    if (argument == '?' && *p->at == ')') argument = ' ';
    if (argument == 't') {
        step->text = name(p);
        if (shunt_text_is(step->text, "FHIR") && take(p, '.')) step->text = name(p);
        if (!step->text.length) return failed(p, "in the brackets stands a type: `ofType(Money)`");
    } else if (argument == 's') {
        if (*p->at != '\'') return failed(p, "in the brackets stands a text: `extension('http://...')`");
        if (!string(p, &step->text)) return false;
    } else if (argument != ' ') {
        step->test = parse_test(p);
        if (!step->test) return false;
    }
    return need(p, ')', "a function ends with `)`");
}

static struct step *add_step(struct parser *p, struct fhirpath *path)
{
    return path->count < FHIRPATH_STEPS ? &path->steps[path->count++] : failed(p, "the path has too many steps");
}

static bool parse_indexes(struct parser *p, struct fhirpath *path)
{
    while (*p->at == '[') {
        p->at++;
        struct step *step = add_step(p, path);
        if (!step) return false;
        *step = (struct step){ .kind = INDEX };
        if (!is_digit(*p->at)) return failed(p, "an index is a number, counted from 0: `item[0]`");
        while (is_digit(*p->at) && step->index < UINT32_MAX) step->index = step->index * 10 + (uint64_t)(*p->at++ - '0');
        if (!need(p, ']', "an index ends with `]`")) return false;
    }
    return true;
}

/* `outer`: may begin with a type. */
static struct fhirpath *parse_path(struct parser *p, bool outer)
{
    struct fhirpath *path = SHUNT_NEW(p->arena, struct fhirpath);
    if (!path) return failed(p, "no memory");
    blanks(p);
    if (!outer && *p->at == '$' && strncmp(p->at, "$this", 5) == 0) {
        p->at += 5;
        if (*p->at != '.') return path;
        p->at++;
    }
    for (bool first = true;; first = false) {
        shunt_text part = name(p);
        if (!part.length) return failed(p, "a name stands at the beginning and behind each point: `Claim.item.net.value`");
        if (*p->at == '(') {
            struct step *step = add_step(p, path);
            p->at++;
            if (!step || !parse_call(p, part, step)) return NULL;
        } else if (first && outer && is_upper(*part.bytes)) { /* no element is called so */
            path->type = part;
        } else {
            struct step *step = add_step(p, path);
            if (!step) return NULL;
            *step = (struct step){ .kind = NAME, .text = part };
        }
        if (!parse_indexes(p, path)) return NULL;
        if (*p->at != '.') return path;
        p->at++;
    }
}

fhirpath *fhirpath_parse(shunt_arena *arena, const char *text, const char **wrong)
{
    struct parser p = { .arena = arena, .at = text };
    fhirpath     *path = parse_path(&p, true);
    if (path && *p.at) failed(&p, "after a name come `.`, `[` or the end");
    *wrong = p.wrong;
    return p.wrong ? NULL : path;
}

/* ---- evaluating ---- */

struct item {
    fhir_node *node;
    shunt_text word; /* where there is no node */
};

struct run {
    const fhirpath *path;
    fhirpath_state *state;
    fhirpath_take  *take;
    void           *context;
};

static void push(const struct run *r, unsigned i, struct item item);

/* The first item of a path inside a condition, and whether there are more. */
struct single {
    unsigned   count;
    bool       number;
    shunt_text text;
    char       room[24]; /* of a word, which lives as long as the call */
};

static void take_single(void *context, const fhir_node *node, shunt_text made)
{
    struct single *s = context;
    if (s->count++) return;
    s->text = !node ? made : node->has_value ? node->value : (shunt_text){ 0 };
    s->number = node && node->has_value && (!node->quoted || node->element); /* in XML everything is a text */
    if (node || !made.length || made.length > sizeof s->room) return;
    memcpy(s->room, made.bytes, made.length);
    s->text.bytes = s->room;
}

static void value_of(const struct term *term, fhir_node *node, struct single *single)
{
    fhirpath_state state = { { 0 } };
    *single = (struct single){ .count = term->literal, .number = term->number, .text = term->text };
    if (term->literal) return;
    fhirpath_push(term->path, &state, 0, node, take_single, single);
    fhirpath_finish(term->path, &state, take_single, single);
}

/* Numbers are equal by their values, 1e2 and 100.00; all else by its text. */
static bool are_equal(const struct single *a, const struct single *b)
{
    enum { SCALE = 12 };
    shunt_decimal x, y;
    if (shunt_text_equal(a->text, b->text)) return true;
    return a->number && b->number && shunt_decimal_parse(a->text.bytes, a->text.length, SCALE, true, &x) == SHUNT_OK &&
           shunt_decimal_parse(b->text.bytes, b->text.length, SCALE, true, &y) == SHUNT_OK && x == y;
}

static bool holds(const struct test *test, fhir_node *node)
{
    struct single a, b;
    switch (test->kind) {
    case TEST_OR: return holds(test->a, node) || holds(test->b, node);
    case TEST_AND: return holds(test->a, node) && holds(test->b, node);
    case TEST_PATH: value_of(&test->left, node, &a); return a.count == 1 && shunt_text_is(a.text, "true");
    default: break;
    }
    /* As in FHIRPath, what is not there is neither equal nor unequal to anything. */
    value_of(&test->left, node, &a);
    value_of(&test->right, node, &b);
    if (a.count != 1 || b.count != 1) return false;
    return are_equal(&a, &b) == (test->kind == TEST_EQUAL);
}

static void push_named(const struct run *r, unsigned i, fhir_node *node)
{
    shunt_text wanted = r->path->steps[i].text;
    bool       found = false;
    for (fhir_node *child = node->first; child; child = child->next) {
        if (!shunt_text_equal(child->name, wanted)) continue;
        found = true;
        if (child->has_value || child->first) push(r, i + 1, (struct item){ .node = child });
    }
    for (fhir_node *child = found ? NULL : node->first; child; child = child->next)
        if (is_choice(child, wanted) && (child->has_value || child->first)) push(r, i + 1, (struct item){ .node = child });
}

static void push_extensions(const struct run *r, unsigned i, fhir_node *node)
{
    for (fhir_node *child = node->first; child; child = child->next) {
        const fhir_node *url = shunt_text_is(child->name, "extension") ? fhir_child(child, "url") : NULL;
        if (url && shunt_text_equal(url->value, r->path->steps[i].text)) push(r, i + 1, (struct item){ .node = child });
    }
}

static void push(const struct run *r, unsigned i, struct item item)
{
    if (i == r->path->count) {
        r->take(r->context, item.node, item.word);
        return;
    }
    const struct step *step = &r->path->steps[i];
    switch (step->kind) {
    case NAME:
        if (item.node) push_named(r, i, item.node);
        break;
    case INDEX:
        if (r->state->seen[i]++ == step->index) push(r, i + 1, item);
        break;
    case WHERE:
        if (item.node && holds(step->test, item.node)) push(r, i + 1, item);
        break;
    case OF_TYPE:
        if (item.node && is_of_type(item.node, step->text)) push(r, i + 1, item);
        break;
    case EXTENSION:
        if (item.node) push_extensions(r, i, item.node);
        break;
    case EXISTS:
        if (!step->test || (item.node && holds(step->test, item.node))) r->state->seen[i]++;
        break;
    case EMPTY:
    case COUNT: r->state->seen[i]++; break;
    case NOT: {
        shunt_text word = item.node ? item.node->value : item.word;
        if (shunt_text_is(word, "true") || shunt_text_is(word, "false"))
            push(r, i + 1, (struct item){ .word = shunt_text_is(word, "true") ? SHUNT_TEXT("false") : SHUNT_TEXT("true") });
        break;
    }
    }
}

void fhirpath_push(const fhirpath *path, fhirpath_state *state, unsigned step, fhir_node *node, fhirpath_take *taker,
                   void *context)
{
    struct run r = { path, state, taker, context };
    push(&r, step, (struct item){ .node = node });
}

void fhirpath_finish(const fhirpath *path, fhirpath_state *state, fhirpath_take *taker, void *context)
{
    struct run r = { path, state, taker, context };
    for (unsigned i = 0; i < path->count; i++) {
        char       room[24];
        shunt_text made;
        uint64_t   seen = state->seen[i];
        switch (path->steps[i].kind) {
        case COUNT: made = (shunt_text){ room, (uint32_t)snprintf(room, sizeof room, "%llu", (unsigned long long)seen) }; break;
        case EXISTS: made = seen ? SHUNT_TEXT("true") : SHUNT_TEXT("false"); break;
        case EMPTY: made = seen ? SHUNT_TEXT("false") : SHUNT_TEXT("true"); break;
        default: continue;
        }
        push(&r, i + 1, (struct item){ .word = made });
    }
}
