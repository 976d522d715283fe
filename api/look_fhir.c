/* look_fhir.c - resources as a tree of their elements, or what a path of FHIRPath picks. A resource is held while it is read, the
 * entries of a Bundle one by one; the tokens come from the reader, which also says what is wrong. */
#include <stdio.h>
#include <stdlib.h>

#include "api/fhirpath.h"
#include "api/look.h"
#include "standards/fhir/reader.h"
#include "standards/fhir/token.h"

enum { RESOURCE_BYTES = 16 << 20 /* of a resource as a tree */ };

struct fhir {
    shunt_token_sink sink; /* first: tokens come here */
    shunt_inspector *inspector;
    shunt_plan       plan; /* demands nothing */
    fhirpath        *wanted;
    fhirpath_state   state;
    shunt_arena     *tree;
    fhir_node       *root, *open; /* `open`: whose content comes */
    shunt_text       key;
    bool             array;
    unsigned         passed; /* containers inside what is too large to hold */
    /* a Bundle */
    fhir_node       *entry; /* the open one, NULL = none is */
    shunt_mark       before;
    uint32_t         entries;
};

static struct fhir *own(const shunt_inspector *inspector) { return inspector->own[SHUNT_STANDARD_FHIR]; }

/* ---- output ---- */

/* The children of one name, in their order. */
struct run {
    fhir_node **nodes;
    uint32_t    count, first; /* `first`: which child the first one is */
};

struct child {
    fhir_node *node;
    uint32_t   order;
};

static int by_name(const void *a, const void *b)
{
    const struct child *x = a, *y = b;
    int                 names = shunt_text_compare(x->node->name, y->node->name);
    return names ? names : (x->order > y->order) - (x->order < y->order);
}

static int by_place(const void *a, const void *b)
{
    const struct run *x = a, *y = b;
    return (x->first > y->first) - (x->first < y->first);
}

/* The children of a node by their names, in the order of these: sorted, since nobody bounds how many a sender makes, and a hash could
 * be aimed at. NULL = no memory. What is taken of the arena is the caller's to release. */
static struct run *runs_of(shunt_arena *arena, const fhir_node *node, uint32_t *count)
{
    uint32_t children = 0, i = 0;
    for (const fhir_node *child = node->first; child; child = child->next) children++;
    struct child *sorted = SHUNT_NEW_N(arena, struct child, children);
    fhir_node   **nodes = SHUNT_NEW_N(arena, fhir_node *, children);
    struct run   *runs = SHUNT_NEW_N(arena, struct run, children);
    *count = 0;
    if (!sorted || !nodes || !runs) return NULL;
    for (fhir_node *child = node->first; child; child = child->next, i++) sorted[i] = (struct child){ child, i };
    if (children) qsort(sorted, children, sizeof *sorted, by_name);
    for (i = 0; i < children; i++) {
        nodes[i] = sorted[i].node;
        if (i == 0 || !shunt_text_equal(nodes[i]->name, nodes[i - 1]->name))
            runs[(*count)++] = (struct run){ nodes + i, 0, sorted[i].order };
        runs[*count - 1].count++;
    }
    return runs;
}

static void put_json(struct fhir *f, shunt_buffer *out, const fhir_node *node);

static void put_run(struct fhir *f, shunt_buffer *out, const struct run *run)
{
    shunt_buffer_json(out, run->nodes[0]->name);
    shunt_buffer_char(out, ':');
    bool repeats = run->nodes[0]->array;
    for (uint32_t i = 1; i < run->count; i++) repeats = repeats || run->nodes[i]->element;
    if (!repeats) {
        put_json(f, out, run->nodes[0]);
        return;
    }
    for (uint32_t i = 0; i < run->count; i++) {
        shunt_buffer_char(out, i ? ',' : '[');
        put_json(f, out, run->nodes[i]);
    }
    shunt_buffer_char(out, ']');
}

static void put_json(struct fhir *f, shunt_buffer *out, const fhir_node *node)
{
    shunt_arena *arena = f->inspector->arena;
    uint32_t     count;
    if (node->has_value) {
        if (node->quoted)
            shunt_buffer_json(out, node->value);
        else
            shunt_buffer_text(out, node->value);
        return;
    }
    if (!node->first) {
        shunt_buffer_z(out, node->size ? "{}" : "null");
        return;
    }
    shunt_mark  before = shunt_arena_mark(arena);
    struct run *runs = runs_of(arena, node, &count);
    if (runs) qsort(runs, count, sizeof *runs, by_place);
    out->failed = out->failed || !runs;
    shunt_buffer_char(out, '{');
    for (uint32_t i = 0; runs && i < count; i++) {
        if (i) shunt_buffer_char(out, ',');
        put_run(f, out, &runs[i]);
    }
    shunt_buffer_char(out, '}');
    shunt_arena_release(arena, before);
}

static void take(void *context, const fhir_node *node, shunt_text word)
{
    struct fhir     *f = context;
    shunt_inspector *inspector = f->inspector;
    look_value       value = { word.bytes, word.length, 0, 0 };
    if (!node || node->has_value) {
        if (node) value = (look_value){ node->value.bytes, node->value.length, node->at, node->size };
        look_put(inspector, value, f->entries);
        return;
    }
    shunt_buffer json; /* what has parts is written as it would stand in JSON */
    shunt_buffer_init(&json, &inspector->memory);
    put_json(f, &json, node);
    value = (look_value){ json.bytes, (uint32_t)json.length, node->at, node->size };
    if (!json.failed) look_put(inspector, value, f->entries);
    inspector->out.failed = inspector->out.failed || json.failed;
    shunt_buffer_done(&json);
}

/* ---- inspect ---- */

static const char *words_of(const fhir_node *node)
{
    const shunt_fhir_type    *type = node->parent ? node->parent->type : NULL;
    const shunt_fhir_element *element = type ? shunt_fhir_element_find(type, node->name) : NULL;
    return !element ? (type ? "not in this version" : "") : element->words ? element->words : "";
}

static void show_node(struct fhir *f, fhir_node *node, shunt_fhir_phi phi, unsigned depth);

static void show_children(struct fhir *f, fhir_node *node, shunt_fhir_phi phi, unsigned depth)
{
    for (fhir_node *child = node->first; child; child = child->next) {
        if (shunt_text_is(child->name, "resourceType")) continue;
        fhir_learn(child);
        const shunt_fhir_element *element = node->type ? shunt_fhir_element_find(node->type, child->name) : NULL;
        shunt_fhir_phi            below = phi;
        if (child->type && child->type->kind == SHUNT_FHIR_RESOURCE)
            below = shunt_fhir_phi_of(child->type);
        else if (element)
            below = shunt_fhir_phi_enter(phi, element, child->type);
        else
            below.classes = SHUNT_PHI_FREE_TEXT; /* nobody knows what it holds */
        show_node(f, child, below, depth);
    }
}

static void show_node(struct fhir *f, fhir_node *node, shunt_fhir_phi phi, unsigned depth)
{
    shunt_buffer *out = &f->inspector->out;
    if (!node->has_value && !node->first) return;
    look_indent(f->inspector, depth);
    size_t from = out->length;
    look_text(f->inspector, node->name);
    const fhir_node *type = fhir_child(node, "resourceType");
    if (type) {
        shunt_buffer_z(out, "  ");
        look_text(f->inspector, type->value);
    }
    while (out->length < from + 24 && !out->failed) shunt_buffer_char(out, ' ');
    shunt_buffer_format(out, " %-36s ", words_of(node));
    if (node->has_value)
        look_show(f->inspector, (look_value){ node->value.bytes, node->value.length, node->at, node->size }, phi.classes);
    while (out->length && out->bytes[out->length - 1] == ' ') out->length--;
    shunt_buffer_char(out, '\n');
    show_children(f, node, phi, depth + 1);
}

static void show_resource(struct fhir *f, fhir_node *node, unsigned depth)
{
    fhir_learn(node);
    shunt_fhir_phi phi = { .classes = SHUNT_PHI_FREE_TEXT };
    if (node->type) phi = shunt_fhir_phi_of(node->type);
    show_children(f, node, phi, depth);
}

static void show_head(struct fhir *f, const fhir_node *root)
{
    const fhir_node *type = fhir_child(root, "resourceType"), *id = fhir_child(root, "id");
    shunt_buffer    *out = &f->inspector->out;
    shunt_buffer_z(out, "resource ");
    if (type) look_text(f->inspector, type->value);
    if (id && f->inspector->options.show_phi) {
        shunt_buffer_z(out, "  ");
        look_text(f->inspector, id->value);
    }
    shunt_buffer_char(out, '\n');
}

/* ---- whole resources ---- */

static shunt_text remembered(char *room, size_t size, const fhir_node *node)
{
    uint32_t length = !node ? 0 : node->value.length < size ? node->value.length : (uint32_t)size;
    if (length) memcpy(room, node->value.bytes, length);
    return (shunt_text){ room, length };
}

static void note(struct fhir *f, const fhir_node *resource)
{
    shunt_inspector *i = f->inspector;
    i->set = remembered(i->set_bytes, sizeof i->set_bytes, fhir_child(resource, "resourceType"));
    i->control = remembered(i->control_bytes, sizeof i->control_bytes, fhir_child(resource, "id"));
}

/* A resource, alone or of an entry, that the path begins with: an evaluation of its own. */
static void look_at(struct fhir *f, fhir_node *resource)
{
    shunt_text       type = fhirpath_type(f->wanted);
    const fhir_node *says = fhir_child(resource, "resourceType");
    bool             any = !type.length || shunt_text_is(type, "Resource") || shunt_text_is(type, "DomainResource");
    if (!any && !(says && shunt_text_equal(says->value, type))) return;
    f->state = (fhirpath_state){ { 0 } };
    note(f, resource);
    fhirpath_push(f->wanted, &f->state, 0, resource, take, f);
    fhirpath_finish(f->wanted, &f->state, take, f);
}

static bool of_bundle(const struct fhir *f)
{
    shunt_text type = fhirpath_type(f->wanted);
    return shunt_text_is(type, "Bundle") || (!type.length && fhirpath_begins(f->wanted, "entry"));
}

/* An entry is read: it goes its way, and its memory with it. */
static void end_entry(struct fhir *f)
{
    shunt_inspector *inspector = f->inspector;
    fhir_node       *entry = f->entry, *resource = NULL;
    f->entries++;
    for (fhir_node *child = entry->first; child; child = child->next)
        if (shunt_text_is(child->name, "resource")) resource = child;
    if (!inspector->path) {
        if (f->entries == 1) show_head(f, f->root);
        shunt_buffer_format(&inspector->out, "  entry %u\n", f->entries);
        fhir_learn(entry);
        for (fhir_node *child = entry->first; child; child = child->next) {
            shunt_fhir_phi phi = { 0 };
            fhir_learn(child);
            if (child->type && child->type->kind == SHUNT_FHIR_RESOURCE) phi = shunt_fhir_phi_of(child->type);
            if (!child->type) phi.classes = SHUNT_PHI_FREE_TEXT;
            show_node(f, child, phi, 2);
        }
    } else if (of_bundle(f)) {
        note(f, f->root);
        if (fhirpath_begins(f->wanted, "entry")) fhirpath_push(f->wanted, &f->state, 1, entry, take, f);
    } else if (resource) {
        look_at(f, resource);
    }
}

static void end_document(struct fhir *f)
{
    shunt_inspector *inspector = f->inspector;
    const fhir_node *type = fhir_child(f->root, "resourceType");
    bool             bundle = type && shunt_text_is(type->value, "Bundle");
    if (!inspector->path) {
        if (!f->entries) show_head(f, f->root);
        show_resource(f, f->root, 1);
    } else if (bundle && of_bundle(f)) {
        note(f, f->root);
        fhirpath_push(f->wanted, &f->state, 0, f->root, take, f);
        fhirpath_finish(f->wanted, &f->state, take, f);
    } else {
        look_at(f, f->root);
    }
    f->state = (fhirpath_state){ { 0 } };
    f->root = f->open = f->entry = NULL;
    f->key = (shunt_text){ 0 };
    f->entries = 0;
    shunt_arena_reset(f->tree);
}

/* ---- tokens ---- */

/* Entries are looked at one by one, unless the path must see the Bundle as a whole. */
static bool streams(const struct fhir *f)
{
    const fhir_node *type = fhir_child(f->root, "resourceType");
    if (type ? !shunt_text_is(type->value, "Bundle") : false) return false;
    return !f->inspector->path || !of_bundle(f) || fhirpath_begins(f->wanted, "entry");
}

/* `_name` of JSON holds what stands beside the value of `name`: both are one element. The k-th of the one belongs to the k-th of the
 * other. */
static void join(fhir_node *beside, fhir_node *value)
{
    if (!value || value->first) {
        beside->name = (shunt_text){ beside->name.bytes + 1, beside->name.length - 1 };
        return;
    }
    value->first = beside->first;
    value->last = beside->last;
    for (fhir_node *child = value->first; child; child = child->next) child->parent = value;
    /* It is no child of its own any longer. */
    beside->first = beside->last = NULL;
    beside->has_value = false;
}

static bool is_beside(const fhir_node *node) { return node->name.length > 1 && node->name.bytes[0] == '_'; }

static int compare_name(const void *name, const void *run)
{
    return shunt_text_compare(*(const shunt_text *)name, ((const struct run *)run)->nodes[0]->name);
}

/* False: no memory. */
static bool join_besides(shunt_arena *arena, fhir_node *node)
{
    const fhir_node *child = node->first;
    uint32_t         count;
    while (child && !is_beside(child)) child = child->next;
    if (!child) return true;
    shunt_mark  before = shunt_arena_mark(arena);
    struct run *runs = runs_of(arena, node, &count), **values = runs ? SHUNT_NEW_N(arena, struct run *, count) : NULL;
    for (uint32_t i = 0; values && i < count; i++) { /* all of them before a name changes */
        shunt_text name = runs[i].nodes[0]->name;
        if (!is_beside(runs[i].nodes[0])) continue;
        name = (shunt_text){ name.bytes + 1, name.length - 1 };
        values[i] = bsearch(&name, runs, count, sizeof *runs, compare_name);
    }
    for (uint32_t i = 0; values && i < count; i++) {
        uint32_t besides = is_beside(runs[i].nodes[0]) ? runs[i].count : 0; /* those of other names stay as they are */
        for (uint32_t k = 0; k < besides; k++)
            join(runs[i].nodes[k], values[i] && k < values[i]->count ? values[i]->nodes[k] : NULL);
    }
    shunt_arena_release(arena, before);
    return values != NULL;
}

static fhir_node *add_node(struct fhir *f, const shunt_token *token)
{
    fhir_node *node = SHUNT_NEW(f->tree, fhir_node);
    if (!node) return NULL;
    *node = (fhir_node){ .name = f->key, .parent = f->open, .array = f->array, .at = token->at };
    if (f->open && f->open->last) f->open->last->next = node;
    if (f->open && !f->open->last) f->open->first = node;
    if (f->open) f->open->last = node;
    return node;
}

static bool set_value(struct fhir *f, fhir_node *node, const shunt_token *token)
{
    node->has_value = token->kind != SHUNT_TOKEN_NULL;
    node->quoted = token->kind == SHUNT_TOKEN_STRING;
    node->value = token->text.length ? shunt_text_copy(f->tree, token->text) : (shunt_text){ "", 0 };
    node->size = token->length;
    return node->value.bytes != NULL;
}

static bool begin_object(struct fhir *f, const shunt_token *token)
{
    bool root = !f->root;
    bool entry = f->root && f->open == f->root && !f->entry && shunt_text_is(f->key, "entry") && streams(f);
    if (entry) f->before = shunt_arena_mark(f->tree);
    fhir_node *outer = f->open, *last = outer ? outer->last : NULL, *node = add_node(f, token);
    if (!node) return false;
    node->element = token->op == SHUNT_TOKEN_ELEMENT;
    if (node->element && token->kind != SHUNT_TOKEN_NULL && !set_value(f, node, token)) return false;
    if (node->element) node->at = token->begin;
    if (root) f->root = node;
    if (entry) { /* not among the children of the Bundle: it goes when it is read */
        outer->last = last;
        if (last) last->next = NULL;
        if (!last) outer->first = NULL;
        f->entry = node;
    }
    f->open = node;
    f->array = false;
    return true;
}

static void end_object(struct fhir *f, const shunt_token *token)
{
    fhir_node *node = f->open;
    if (!node->has_value) node->size = token->at - node->at < UINT32_MAX ? (uint32_t)(token->at - node->at) : UINT32_MAX;
    if (!node->element && !join_besides(f->inspector->arena, node)) f->inspector->out.failed = true;
    f->open = node->parent;
    f->array = node->array;
    if (node == f->entry) {
        end_entry(f);
        f->entry = NULL;
        shunt_arena_release(f->tree, f->before);
        f->key = SHUNT_TEXT("entry");
        return;
    }
    f->key = node->name; /* another one of an array */
    if (node == f->root) end_document(f);
}

/* A resource that is too large is passed over to its end, and said to be. */
static bool give_up(struct fhir *f, const shunt_token *token)
{
    shunt_event fault = { .step = SHUNT_STEP_FAULT,
                          .code = SHUNT_LIMIT,
                          .detail = SHUNT_TEXT("a resource is too large to be shown") };
    if (shunt_arena_failed(f->tree) != SHUNT_ARENA_LIMIT) return false;
    fault.place.byte = token->at;
    look_fault(f->inspector, &fault, 1);
    f->passed = 1;
    for (const fhir_node *node = f->open; node && node != f->root; node = node->parent) f->passed++;
    bool opens = token->op == SHUNT_TOKEN_OBJECT || token->op == SHUNT_TOKEN_ELEMENT;
    f->passed += opens && f->open;
    f->root = f->open = f->entry = NULL;
    f->key = (shunt_text){ 0 };
    f->state = (fhirpath_state){ { 0 } };
    f->entries = 0;
    shunt_arena_reset(f->tree);
    return true;
}

/* What came of the document before, if it was broken, stays in the output. */
static void begin_document(struct fhir *f)
{
    f->root = f->open = f->entry = NULL;
    f->key = (shunt_text){ 0 };
    f->array = false;
    f->passed = f->entries = 0;
    f->state = (fhirpath_state){ { 0 } };
    shunt_arena_reset(f->tree);
}

static bool take_token(shunt_token_sink *sink, const shunt_token *token)
{
    struct fhir *f = (struct fhir *)(void *)sink;
    bool         fine = true;
    if (token->op == SHUNT_TOKEN_DOCUMENT) {
        begin_document(f);
        return true;
    }
    if (f->passed) {
        if (token->op == SHUNT_TOKEN_OBJECT || token->op == SHUNT_TOKEN_ELEMENT) f->passed++;
        if (token->op == SHUNT_TOKEN_OBJECT_END) f->passed--;
        return true;
    }
    switch (token->op) {
    case SHUNT_TOKEN_KEY:
        f->key = shunt_text_copy(f->tree, token->text);
        f->array = false;
        fine = f->key.bytes != NULL || !token->text.length;
        break;
    case SHUNT_TOKEN_VALUE:
        if (f->open) { /* a document of one value is no resource; the reader says so */
            fhir_node *node = add_node(f, token);
            fine = node && set_value(f, node, token);
        }
        break;
    case SHUNT_TOKEN_OBJECT:
    case SHUNT_TOKEN_ELEMENT: fine = begin_object(f, token); break;
    case SHUNT_TOKEN_OBJECT_END:
        if (f->open) end_object(f, token);
        break;
    case SHUNT_TOKEN_ARRAY: f->array = true; break;
    default: f->array = false; break;
    }
    return fine || give_up(f, token);
}

static bool pass_fault(shunt_token_sink *sink, shunt_status code, uint64_t at, uint32_t length, const char *detail)
{
    (void)sink, (void)code, (void)at, (void)length, (void)detail;
    return true;
}

static void event(shunt_inspector *inspector, const shunt_event *event)
{
    if (event->step == SHUNT_STEP_FAULT && event->code != SHUNT_FHIR_UNMAPPED) look_fault(inspector, event, 1);
}

/* ---- making ---- */

static struct fhir *make(shunt_inspector *inspector)
{
    struct fhir *f = SHUNT_NEW(inspector->arena, struct fhir);
    if (f) *f = (struct fhir){ .sink = { .wants = true, .take = take_token, .fault = pass_fault }, .inspector = inspector };
    return inspector->own[SHUNT_STANDARD_FHIR] = f;
}

static const char *parse(shunt_inspector *inspector, const char *path)
{
    struct fhir *f = make(inspector);
    const char  *wrong = NULL;
    if (!f) return "no memory";
    f->wanted = fhirpath_parse(inspector->arena, path, &wrong);
    return wrong;
}

static const char *open(shunt_inspector *inspector, shunt_text bytes, bool whole)
{
    struct fhir *f = own(inspector) ? own(inspector) : make(inspector);
    (void)bytes, (void)whole;
    if (!f) return "no memory";
    f->tree = shunt_arena_new(&inspector->memory, RESOURCE_BYTES);
    shunt_fhir_options options = { .max_unit_bytes = RESOURCE_BYTES, .watch = &f->sink };
    inspector->reader = f->tree ? shunt_fhir_reader_new(&inspector->memory, &f->plan, &options) : NULL;
    return inspector->reader ? NULL : "no memory";
}

static void done(shunt_inspector *inspector)
{
    if (own(inspector)) shunt_arena_free(own(inspector)->tree);
}

const look_ops look_fhir = { parse, open, event, done };
