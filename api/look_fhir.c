/* look_fhir.c - resources as a tree of their elements, or what a path of FHIRPath picks. A resource is held while it is read, the
 * entries of a Bundle one by one; the tokens come from the reader, which also says what is wrong. */
#include <stdio.h>

#include "api/fhirpath.h"
#include "api/look.h"
#include "standards/fhir/reader.h"
#include "standards/fhir/token.h"

enum { RESOURCE_BYTES = 32 << 20 /* of a resource as a tree */ };

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

static void put_json(shunt_buffer *out, const fhir_node *node);

static void put_member(shunt_buffer *out, const fhir_node *child)
{
    shunt_buffer_json(out, child->name);
    shunt_buffer_char(out, ':');
    bool repeats = child->array;
    for (const fhir_node *next = child->next; next; next = next->next)
        repeats = repeats || (child->element && shunt_text_equal(next->name, child->name));
    if (!repeats) {
        put_json(out, child);
        return;
    }
    char before = '[';
    for (const fhir_node *item = child; item; item = item->next) {
        if (!shunt_text_equal(item->name, child->name)) continue;
        shunt_buffer_char(out, before);
        put_json(out, item);
        before = ',';
    }
    shunt_buffer_char(out, ']');
}

/* What came before: then it stands in the array of the first of its name already. */
static bool is_first(const fhir_node *parent, const fhir_node *node)
{
    for (const fhir_node *child = parent->first; child != node; child = child->next)
        if (shunt_text_equal(child->name, node->name)) return false;
    return true;
}

static void put_json(shunt_buffer *out, const fhir_node *node)
{
    if (node->has_value) {
        if (node->quoted)
            shunt_buffer_json(out, node->value);
        else
            shunt_buffer_text(out, node->value);
        return;
    }
    if (!node->first && !node->size) {
        shunt_buffer_z(out, "null");
        return;
    }
    char before = '{';
    for (const fhir_node *child = node->first; child; child = child->next) {
        if (!is_first(node, child)) continue;
        shunt_buffer_char(out, before);
        put_member(out, child);
        before = ',';
    }
    shunt_buffer_z(out, before == '{' ? "{}" : "}");
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
    put_json(&json, node);
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
    shunt_buffer_text(out, node->name);
    const fhir_node *type = fhir_child(node, "resourceType");
    if (type) shunt_buffer_format(out, "  %.*s", SHUNT_TEXT_ARGS(type->value));
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
    shunt_buffer_format(out, "resource %.*s", SHUNT_TEXT_ARGS(type ? type->value : (shunt_text){ 0 }));
    if (id && f->inspector->options.show_phi) shunt_buffer_format(out, "  %.*s", SHUNT_TEXT_ARGS(id->value));
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

/* `_name` of JSON holds what stands beside the value of `name`: both are one element. */
static void join_besides(fhir_node *node)
{
    for (fhir_node **at = &node->first; *at;) {
        fhir_node *beside = *at, *value = NULL;
        if (beside->name.length < 2 || beside->name.bytes[0] != '_') {
            at = &beside->next;
            continue;
        }
        shunt_text name = { beside->name.bytes + 1, beside->name.length - 1 };
        uint32_t   nth = 0;
        for (const fhir_node *before = node->first; before != beside; before = before->next)
            nth += shunt_text_equal(before->name, beside->name);
        for (fhir_node *child = node->first; child; child = child->next)
            if (shunt_text_equal(child->name, name) && !value && nth-- == 0) value = child;
        if (!value || value->first) {
            beside->name = name;
            at = &beside->next;
            continue;
        }
        value->first = beside->first;
        value->last = beside->last;
        for (fhir_node *child = value->first; child; child = child->next) child->parent = value;
        /* It is no child of its own any longer. Its place is kept: the one after it may count it. */
        beside->first = beside->last = NULL;
        beside->has_value = false;
        at = &beside->next;
    }
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
    if (!node->element) join_besides(node);
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
