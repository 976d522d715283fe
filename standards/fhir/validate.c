#include "standards/fhir/validate.h"

#include <stdio.h>

#include "engine/base/event.h"
#include "standards/fhir/bytes.h"
#include "standards/fhir/forms.h"
#include "standards/fhir/json.h"
#include "standards/fhir/reader.h"

enum {
    DEPTH = SHUNT_FHIR_DEPTH + 2,
    SHAPES_BITS = 11,
    SHAPES = 1 << SHAPES_BITS, /* by type; a version has fewer than half of it */
    TYPE_KEPT = 64,
    NAME_SHOWN = 40,
    NOWHERE = UINT16_MAX,
};

/* ---- shapes: types made fast ---- */

/* An element of a shape. */
typedef struct part {
    const shunt_fhir_element *element;
    const shunt_fhir_type    *type;      /* NULL: any resource, or nothing is known of it */
    struct shape             *shape;     /* of what stands in it; made when it is first entered */
    uint8_t                   form;      /* shunt_fhir_form */
    bool                      many, any; /* any: resources of any type */
    uint16_t                  group;     /* first element of its choice; its own number where it is none */
} part;

typedef struct shape {
    const shunt_fhir_type *type;
    part                  *parts;
    uint16_t              *table; /* open addressing by name; number of the part + 1 */
    uint32_t               mask;
    uint16_t               count;
    bool                   is_extension, is_reference, is_bundle;
} shape;

typedef struct frame {
    shape         *shape;
    part          *part;   /* of the property at hand; NULL: it is not known */
    bool           beside; /* the property at hand is `_name` */
    bool           array, beside_array, resource, contained, primitive;
    bool           content;   /* something stood in it */
    bool           has_value; /* the element of a primitive has one */
    uint16_t       last;      /* element that came last (XML); NOWHERE = none */
    uint32_t       index;     /* of the item at hand */
    uint32_t       ids, refs; /* of a resource: how many contained ids and references there were before it */
    uint64_t       at;
    uint64_t      *seen; /* bit k: element k has a value, or something beside it */
    shunt_fhir_phi phi;
} frame;

/* A reference to a contained resource, until its resource is over. */
typedef struct local {
    uint64_t hash, at;
    uint32_t length, path, path_length;
} local;

struct shunt_fhir_validator {
    shunt_token_sink            sink; /* first */
    const shunt_memory         *memory;
    shunt_fhir_validate_options options;
    shunt_arena                *arena; /* of shapes */
    shape                      *shapes[SHAPES];
    shape                      *of_primitive; /* id and extension beside a value */
    const char                 *version;      /* of the document at hand */
    uint32_t                    levels, word_count;
    bool                        no_memory;

    uint64_t documents;
    bool     xml, begun, passing; /* begun: the outermost object is open. passing: the rest of the document is nothing's */
    uint32_t skip;                /* containers open in what is passed over */
    unsigned depth;
    frame    frames[DEPTH];
    char     type[TYPE_KEPT];
    uint32_t type_length;

    /* An object of JSON that has not said its type yet. */
    shunt_tape tape;
    bool       holding, hold_key;
    bool       has_unknown; /* the property at hand is none of its object: `unknown` */
    char       unknown[NAME_SHOWN + 1];
    uint32_t   hold_depth;
    uint64_t   cursor, cursor_end; /* while it is replayed */
    bool       replaying;

    local       *locals;
    uint64_t    *ids;
    uint32_t     local_count, local_room, id_count, id_room;
    shunt_buffer local_paths;

    shunt_fhir_finding *findings;
    uint32_t            count, room, told, of_entry;
    shunt_buffer        paths;
    char                words[400]; /* of a fault */
};
typedef shunt_fhir_validator validator;

static frame *top(validator *v) { return &v->frames[v->depth - 1]; }

static uint16_t find_part(const shape *s, shunt_text name)
{
    if (!s || !name.length) return NOWHERE;
    uint32_t at = (uint32_t)shunt_bytes_hash((const uint8_t *)name.bytes, name.length) & s->mask;
    for (; s->table[at]; at = (at + 1) & s->mask)
        if (shunt_text_is(name, s->parts[s->table[at] - 1].element->name)) return (uint16_t)(s->table[at] - 1);
    return NOWHERE;
}

static void fill_shape(validator *v, shape *s, const shunt_fhir_type *type)
{
    s->type = type;
    s->count = (uint16_t)type->element_count;
    s->is_extension = strcmp(type->name, "Extension") == 0;
    s->is_reference = strcmp(type->name, "Reference") == 0;
    s->is_bundle = strcmp(type->name, "Bundle") == 0;
    for (uint16_t i = 0; i < s->count; i++) {
        const shunt_fhir_element *e = &type->elements[i];
        const shunt_fhir_type    *of = shunt_fhir_type_find(v->version, shunt_text_of(e->type));
        bool                      any = of && of->kind == SHUNT_FHIR_RESOURCE && !shunt_fhir_is_resource(of);
        uint16_t                  before = i ? s->parts[i - 1].group : 0;
        bool choice = i && e->choice && type->elements[before].choice && strcmp(type->elements[before].choice, e->choice) == 0;
        s->parts[i] =
            (part){ .element = e,
                    .type = any ? NULL : of,
                    .form = of && of->kind == SHUNT_FHIR_PRIMITIVE ? (uint8_t)shunt_fhir_form_of(of->name) : FHIR_FORM_NONE,
                    .many = e->max != 1,
                    .any = any,
                    .group = choice ? before : i };
        uint32_t at = (uint32_t)shunt_bytes_hash((const uint8_t *)e->name, strlen(e->name)) & s->mask;
        while (s->table[at]) at = (at + 1) & s->mask;
        s->table[at] = (uint16_t)(i + 1);
    }
}

static shape *shape_of(validator *v, const shunt_fhir_type *type)
{
    uint32_t at = (uint32_t)((uintptr_t)type >> 3) * 2654435761u >> (32 - SHAPES_BITS), size = 2;
    while (v->shapes[at] && v->shapes[at]->type != type) at = (at + 1) % SHAPES;
    if (v->shapes[at]) return v->shapes[at];
    shape *s = SHUNT_NEW(v->arena, shape);
    while (size < type->element_count * 2) size *= 2;
    if (s) {
        s->mask = size - 1;
        s->table = SHUNT_NEW_N(v->arena, uint16_t, size);
        s->parts = SHUNT_NEW_N(v->arena, part, type->element_count + 1);
    }
    if (!s || !s->table || !s->parts) {
        v->no_memory = true;
        return NULL;
    }
    fill_shape(v, s, type);
    return v->shapes[at] = s;
}

/* `id` and `extension`, which stand beside values of primitives: the elements of Element. */
static shape *primitive_shape(validator *v)
{
    const shunt_fhir_type *element = shunt_fhir_type_find(v->version, SHUNT_TEXT("Element"));
    return element ? shape_of(v, element) : NULL;
}

/* ---- findings ---- */

typedef struct meaning {
    uint8_t     severity, level;
    const char *issue;
} meaning;

#define ROW(code, severity, level, issue) [SHUNT_FHIR_##code] = { SHUNT_##severity, level, issue }
static const meaning meanings[SHUNT_STATUS_COUNT] = {
    ROW(NOT_FHIR, ERROR, 1, "structure"),
    ROW(JSON, ERROR, 1, "structure"),
    ROW(XML, ERROR, 1, "structure"),
    ROW(ENCODING, ERROR, 1, "structure"),
    ROW(DTD, ERROR, 1, "security"),
    ROW(NAMESPACE, ERROR, 1, "structure"),
    ROW(TRUNCATED, ERROR, 1, "incomplete"),
    ROW(TRAILING, ERROR, 1, "structure"),
    ROW(ROOT, ERROR, 1, "structure"),
    ROW(NO_TYPE, ERROR, 1, "structure"),
    ROW(TYPE_LATE, ERROR, 1, "too-long"),
    ROW(KEY_TWICE, ERROR, 1, "structure"),
    ROW(DEEP, ERROR, 1, "too-long"),
    ROW(LIMIT, ERROR, 1, "too-long"),
    ROW(TEXT, ERROR, 1, "structure"),
    ROW(ATTRIBUTE, ERROR, 2, "structure"),
    ROW(UNKNOWN_TYPE, ERROR, 2, "not-supported"),
    ROW(UNKNOWN_ELEMENT, ERROR, 2, "structure"),
    ROW(REQUIRED, ERROR, 2, "required"),
    ROW(TOO_MANY, ERROR, 2, "structure"),
    ROW(CHOICE, ERROR, 2, "structure"),
    ROW(KIND, ERROR, 1, "structure"),
    ROW(LIST, ERROR, 1, "structure"),
    ROW(FORM, ERROR, 1, "value"),
    ROW(NO_CONTENT, ERROR, 1, "value"),
    ROW(NULL_VALUE, ERROR, 1, "structure"),
    ROW(SEQUENCE, ERROR, 2, "structure"),
    ROW(CODE, ERROR, 5, "code-invalid"),
    ROW(CONTAINED, ERROR, 2, "invariant"),
    ROW(LOCAL_REF, ERROR, 2, "not-found"),
    ROW(REFERENCE, WARNING, 2, "value"),
    ROW(REF_TYPE, WARNING, 2, "value"),
    ROW(EXTENSION, ERROR, 2, "invariant"),
    ROW(MORE, INFORMATION, 1, "informational"),
};
#undef ROW

static shunt_fhir_finding *find_as(validator *v, shunt_status code, uint64_t at, uint32_t length)
{
    const meaning *m = &meanings[code];
    if (v->of_entry > FHIR_FOUND || !(v->levels >> m->level & 1)) return NULL;
    if (v->of_entry++ == FHIR_FOUND) {
        code = SHUNT_FHIR_MORE;
        m = &meanings[code];
    }
    shunt_fhir_finding *grown = shunt_memory_more(v->memory, v->findings, v->count, &v->room, sizeof *grown);
    if (!grown) {
        v->no_memory = true;
        return NULL;
    }
    v->findings = grown;
    shunt_fhir_finding *f = &v->findings[v->count++];
    memset(f, 0, sizeof *f);
    f->code = code;
    f->severity = m->severity;
    f->level = m->level;
    f->issue = m->issue;
    f->document = v->documents;
    f->at = at;
    f->length = length;
    f->path = (uint32_t)v->paths.length;
    return f;
}

SHUNT_PRINTF(2, 3)
static void detail(shunt_fhir_finding *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(f->detail, sizeof f->detail, format, args);
    va_end(args);
}

/* Claim.item[0].net of the objects that are open, and `whole`: of the property at hand. */
static void put_path(const validator *v, shunt_buffer *out, bool whole)
{
    if (!v->depth) return;
    const frame *root = &v->frames[0];
    if (root->shape)
        shunt_buffer_z(out, root->shape->type->name);
    else
        shunt_buffer_z(out, "Resource");
    for (unsigned d = 0; d < v->depth; d++) {
        const frame *f = &v->frames[d];
        const part  *p = f->part;
        if (!p || (d + 1 == v->depth && !whole)) return;
        shunt_buffer_char(out, '.');
        shunt_buffer_z(out, p->element->choice ? p->element->choice : p->element->name);
        if (p->many) shunt_buffer_format(out, "[%u]", f->index);
    }
}

static shunt_fhir_finding *found(validator *v, shunt_status code, uint64_t at, uint32_t length, bool whole)
{
    shunt_fhir_finding *f = find_as(v, code, at, length);
    if (!f) return NULL;
    put_path(v, &v->paths, whole);
    f->path_length = (uint32_t)v->paths.length - f->path;
    if (whole && v->depth && top(v)->part) f->element = top(v)->part->element;
    v->no_memory = v->no_memory || v->paths.failed;
    return f;
}

/* Of the value at hand. */
static shunt_fhir_finding *of_value(validator *v, shunt_status code, const shunt_token *token)
{
    shunt_fhir_finding *f = found(v, code, token->at, token->length, true);
    const frame        *t = top(v);
    if (!f) return NULL;
    f->phi = t->part ? shunt_fhir_phi_enter(t->phi, t->part->element, t->part->type).classes : (uint32_t)SHUNT_PHI_FREE_TEXT;
    f->value_length = (uint8_t)(token->text.length < FHIR_VALUE_KEPT ? token->text.length : FHIR_VALUE_KEPT);
    if (f->value_length) memcpy(f->value, token->text.bytes, f->value_length);
    return f;
}

/* What of a name may be printed: letters, digits and a few signs. */
static void show(char out[static NAME_SHOWN + 1], shunt_text name)
{
    uint32_t length = name.length < NAME_SHOWN ? name.length : NAME_SHOWN;
    for (uint32_t i = 0; i < length; i++) {
        char c = name.bytes[i];
        bool plain =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-' || c == ' ';
        out[i] = plain ? c : '?';
    }
    out[length] = 0;
}

/* ---- objects ---- */

static bool is_seen(const frame *f, uint16_t k) { return (f->seen[k / 64] >> k % 64 & 1) != 0; }

static frame *push(validator *v, shape *s, uint64_t at)
{
    frame    *f = &v->frames[v->depth++];
    uint64_t *seen = f->seen;
    memset(seen, 0, v->word_count * sizeof *seen);
    *f = (frame){ .shape = s, .at = at, .seen = seen, .last = NOWHERE };
    return f;
}

/* What stands below is passed over, to the end of the container that opens with this token. */
static void pass_over(validator *v) { v->skip = 1; }

static shunt_fhir_phi phi_below(const frame *f)
{
    shunt_fhir_phi phi = f->phi;
    return f->part ? shunt_fhir_phi_enter(phi, f->part->element, f->part->type) : phi;
}

/* A resource begins whose type is known. */
static void open_resource(validator *v, shunt_text name, uint64_t at)
{
    const shunt_fhir_type *type = shunt_fhir_type_find(v->version, name);
    bool                   contained = v->depth && top(v)->part && strcmp(top(v)->part->element->name, "contained") == 0;
    char                   shown[NAME_SHOWN + 1];
    if (!shunt_fhir_is_resource(type)) {
        shunt_fhir_finding *f = found(v, SHUNT_FHIR_UNKNOWN_TYPE, at, 0, true);
        show(shown, name);
        if (f) detail(f, "`%s` in version %s", shown, v->version);
        type = NULL;
    }
    if (contained && top(v)->contained) (void)found(v, SHUNT_FHIR_CONTAINED, at, 0, true);
    shape *s = type ? shape_of(v, type) : NULL;
    if (!s || v->depth == DEPTH) {
        v->passing = v->depth == 0;
        pass_over(v);
        return;
    }
    frame *f = push(v, s, at);
    f->resource = true;
    f->contained = contained;
    f->phi = shunt_fhir_phi_of(type);
    f->ids = v->id_count;
    f->refs = v->local_count;
    if (v->depth > 1) return;
    v->begun = true;
    v->type_length = name.length < TYPE_KEPT ? name.length : TYPE_KEPT;
    memcpy(v->type, name.bytes, v->type_length);
}

/* The references of a resource that is over to what it contains. */
static void check_locals(validator *v, const frame *f)
{
    for (uint32_t i = f->refs; i < v->local_count; i++) {
        const local *l = &v->locals[i];
        bool         there = false;
        for (uint32_t k = f->ids; k < v->id_count && !there; k++) there = v->ids[k] == l->hash;
        if (there) continue;
        shunt_fhir_finding *found_one = find_as(v, SHUNT_FHIR_LOCAL_REF, l->at, l->length);
        if (!found_one) continue;
        shunt_buffer_add(&v->paths, v->local_paths.bytes + l->path, l->path_length);
        found_one->path_length = l->path_length;
        v->no_memory = v->no_memory || v->paths.failed;
    }
    if (f->refs < v->local_count) v->local_paths.length = v->locals[f->refs].path;
    v->local_count = f->refs;
    v->id_count = f->ids;
}

/* Of a resource inside of another one ids and references belong to that. */
static void end_resource(validator *v, const frame *f)
{
    if (f->contained) return;
    check_locals(v, f);
}

/* An extension has a value or extensions. */
static void check_extension(validator *v, const frame *f)
{
    bool value = false, inner = false;
    for (uint16_t i = 0; i < f->shape->count; i++) {
        const shunt_fhir_element *e = f->shape->parts[i].element;
        if (!is_seen(f, i)) continue;
        value = value || (e->choice && strcmp(e->choice, "value") == 0);
        inner = inner || strcmp(e->name, "extension") == 0;
    }
    if (value != inner) return;
    shunt_fhir_finding *x = found(v, SHUNT_FHIR_EXTENSION, f->at, 0, false);
    if (x) detail(x, value ? "it has both" : "it has neither");
}

static void check_required(validator *v, frame *f)
{
    const shape *s = f->shape;
    for (uint16_t i = 0; i < s->count; i++) {
        const part *p = &s->parts[i];
        if (!p->element->min || p->group != i) continue;
        bool there = false;
        for (uint16_t k = i; k < s->count && s->parts[k].group == i && !there; k++) there = is_seen(f, k);
        /* Narratives of XML are passed over by the parser. */
        if (there || (v->xml && p->form == FHIR_FORM_XHTML)) continue;
        shunt_fhir_finding *x = found(v, SHUNT_FHIR_REQUIRED, f->at, 0, false);
        if (!x) continue;
        x->element = p->element;
        detail(x, "no `%s`", p->element->choice ? p->element->choice : p->element->name);
    }
}

static void close_object(validator *v)
{
    frame *f = top(v);
    if (!f->content && !f->has_value && !f->resource) {
        v->depth--;
        (void)found(v, SHUNT_FHIR_NO_CONTENT, f->at, 0, true);
        return;
    }
    if (!f->primitive) check_required(v, f);
    if (f->shape->is_extension) check_extension(v, f);
    if (f->resource) end_resource(v, f);
    v->depth--;
    if (v->depth == 1 && v->frames[0].shape && v->frames[0].shape->is_bundle) v->of_entry = 0;
}

/* ---- properties ---- */

static void mark(frame *f)
{
    if (!f->part) return;
    uint16_t k = (uint16_t)(f->part - f->shape->parts);
    f->seen[k / 64] |= UINT64_C(1) << k % 64;
    f->content = true;
}

/* Another type of the same choice came before. */
static void check_choice(validator *v, frame *f, uint16_t k, uint64_t at)
{
    const shape *s = f->shape;
    uint16_t     group = s->parts[k].group;
    if (!s->parts[k].element->choice) return;
    for (uint16_t i = group; i < s->count && s->parts[i].group == group; i++) {
        if (i == k || !is_seen(f, i)) continue;
        shunt_fhir_finding *x = found(v, SHUNT_FHIR_CHOICE, at, 0, true);
        if (x) detail(x, "`%s` and `%s`", s->parts[i].element->name, s->parts[k].element->name);
        return;
    }
}

/* The name at hand is none of the object: said at what stands under it, which has a place. */
static void unknown_element(validator *v, const shunt_token *token)
{
    shunt_fhir_finding *x = found(v, SHUNT_FHIR_UNKNOWN_ELEMENT, token->at, token->length, false);
    v->has_unknown = false;
    if (x) detail(x, "`%s` of %s", v->unknown, top(v)->shape->type->name);
    top(v)->content = true;
}

static void take_name(validator *v, shunt_text name)
{
    frame   *f = top(v);
    uint32_t index = f->index;
    uint16_t k;
    v->has_unknown = false;
    f->beside = f->array = f->beside_array = false;
    f->index = 0;
    f->part = NULL;
    if (shunt_text_is(name, "resourceType") && f->resource) return;
    k = find_part(f->shape, name);
    if (k == NOWHERE && name.length > 1 && name.bytes[0] == '_' && !v->xml) {
        k = find_part(f->shape, (shunt_text){ name.bytes + 1, name.length - 1 });
        f->beside = k != NOWHERE && f->shape->parts[k].form != FHIR_FORM_NONE;
        if (!f->beside) k = NOWHERE;
    }
    if (k == NOWHERE) {
        show(v->unknown, name);
        v->has_unknown = true;
        return;
    }
    if (v->xml && f->last == k) f->index = index; /* another one of the same */
    f->part = &f->shape->parts[k];
}

/* XML: elements stand in the order of the standard, and those that may stand once do. */
static void check_place(validator *v, frame *f, uint64_t at)
{
    uint16_t k = (uint16_t)(f->part - f->shape->parts);
    if (f->last == k) {
        f->index++;
        if (f->part->many && f->part->element->max && f->index == f->part->element->max)
            (void)found(v, SHUNT_FHIR_TOO_MANY, at, 0, true);
        if (!f->part->many) (void)found(v, SHUNT_FHIR_TOO_MANY, at, 0, true);
        return;
    }
    bool late = f->last != NOWHERE && f->shape->parts[f->last].group > f->part->group;
    if (late) {
        shunt_fhir_finding *x = found(v, SHUNT_FHIR_SEQUENCE, at, 0, true);
        if (x) detail(x, "behind `%s`", f->shape->parts[f->last].element->name);
    } else {
        f->last = k;
    }
}

/* ---- values ---- */

static bool add_id(validator *v, shunt_text id)
{
    if (v->id_count >= FHIR_LOCAL) return true;
    uint64_t *grown = shunt_memory_more(v->memory, v->ids, v->id_count, &v->id_room, sizeof *grown);
    if (!grown) return false;
    v->ids = grown;
    v->ids[v->id_count++] = shunt_bytes_hash((const uint8_t *)id.bytes, id.length);
    return true;
}

static bool add_local(validator *v, const shunt_token *token)
{
    shunt_text id = { token->text.bytes + 1, token->text.length - 1 };
    if (!id.length || v->local_count >= FHIR_LOCAL) return true; /* `#`: the resource around it */
    local *grown = shunt_memory_more(v->memory, v->locals, v->local_count, &v->local_room, sizeof *grown);
    if (!grown) return false;
    v->locals = grown;
    local *l = &v->locals[v->local_count++];
    *l = (local){ .hash = shunt_bytes_hash((const uint8_t *)id.bytes, id.length),
                  .at = token->at,
                  .length = token->length,
                  .path = (uint32_t)v->local_paths.length };
    put_path(v, &v->local_paths, true);
    l->path_length = (uint32_t)v->local_paths.length - l->path;
    return !v->local_paths.failed;
}

/* One of "Patient|Group". */
static bool is_target(const char *targets, shunt_text type)
{
    for (const char *at = targets; *at;) {
        size_t length = strcspn(at, "|");
        if (length == type.length && memcmp(at, type.bytes, length) == 0) return true;
        if ((length == 8 && memcmp(at, "Resource", 8) == 0) || (length == 3 && memcmp(at, "Any", 3) == 0)) return true;
        at += length + (at[length] == '|');
    }
    return false;
}

static void check_reference(validator *v, const shunt_token *token)
{
    shunt_text type;
    if (!shunt_fhir_is_reference(token->text, &type)) {
        (void)of_value(v, SHUNT_FHIR_REFERENCE, token);
        return;
    }
    if (token->text.bytes[0] == '#') {
        v->no_memory = v->no_memory || !add_local(v, token);
        return;
    }
    const part *around = v->depth > 1 ? v->frames[v->depth - 2].part : NULL;
    if (!type.length || !around || !around->element->targets || is_target(around->element->targets, type)) return;
    char                shown[NAME_SHOWN + 1];
    shunt_fhir_finding *x = of_value(v, SHUNT_FHIR_REF_TYPE, token);
    show(shown, type);
    if (x) detail(x, "%s", shown);
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/* The text of a value of XML: blanks around what is no text do not count. */
static shunt_text trimmed(shunt_text t)
{
    while (t.length && is_space(t.bytes[t.length - 1])) t.length--;
    while (t.length && is_space(t.bytes[0])) t = (shunt_text){ t.bytes + 1, t.length - 1 };
    return t;
}

static bool is_kind(const validator *v, shunt_fhir_form form, uint8_t kind)
{
    switch (form) {
    case FHIR_FORM_BOOLEAN: return kind == SHUNT_TOKEN_BOOL || v->xml;
    case FHIR_FORM_DECIMAL:
    case FHIR_FORM_INTEGER:
    case FHIR_FORM_POSITIVE:
    case FHIR_FORM_UNSIGNED: return kind == SHUNT_TOKEN_NUMBER || v->xml;
    default: return kind == SHUNT_TOKEN_STRING;
    }
}

/* A value of a primitive that is there. */
static void check_text(validator *v, const shunt_token *token)
{
    const frame *f = top(v);
    const part  *p = f->part;
    shunt_text   text = token->text;
    if (!is_kind(v, (shunt_fhir_form)p->form, token->kind)) {
        shunt_fhir_finding *x = of_value(v, SHUNT_FHIR_KIND, token);
        if (x)
            detail(x, "%s wants a %s of JSON", p->element->type,
                   p->form == FHIR_FORM_BOOLEAN                               ? "boolean"
                   : is_kind(v, (shunt_fhir_form)p->form, SHUNT_TOKEN_NUMBER) ? "number"
                                                                              : "string");
        return;
    }
    if (!text.length && token->length) return; /* too long to be held, and a text */
    if (!text.length) {
        (void)of_value(v, SHUNT_FHIR_NO_CONTENT, token);
        return;
    }
    if (v->xml && p->form != FHIR_FORM_STRING && p->form != FHIR_FORM_CODE) text = trimmed(text);
    if (!shunt_fhir_form_fits((shunt_fhir_form)p->form, text)) {
        shunt_fhir_finding *x = of_value(v, SHUNT_FHIR_FORM, token);
        if (x) detail(x, "data type %s", p->element->type);
        return;
    }
    if (p->element->codes && !shunt_codeset_has(p->element->codes, text)) {
        shunt_fhir_finding *x = of_value(v, SHUNT_FHIR_CODE, token);
        if (x) x->codes = p->element->codes;
    }
    if (f->shape->is_reference && strcmp(p->element->name, "reference") == 0) check_reference(v, token);
    if (f->contained && strcmp(p->element->name, "id") == 0) v->no_memory = v->no_memory || !add_id(v, text);
}

/* A value where the name at hand is one of the shape. */
static void take_value(validator *v, const shunt_token *token)
{
    frame *f = top(v);
    part  *p = f->part;
    if (!p) return;
    uint16_t k = (uint16_t)(p - f->shape->parts);
    if (token->kind == SHUNT_TOKEN_NULL) {
        bool fine = (f->array || f->beside_array) && p->form != FHIR_FORM_NONE;
        if (!fine) (void)found(v, SHUNT_FHIR_NULL_VALUE, token->at, token->length, true);
        f->content = true;
        return;
    }
    if (!f->array && !f->beside_array && p->many && !v->xml) {
        shunt_fhir_finding *x = found(v, SHUNT_FHIR_LIST, token->at, token->length, true);
        if (x) detail(x, "a list is wanted");
    }
    if (!v->xml) check_choice(v, f, k, token->at);
    mark(f);
    if (f->beside || p->form == FHIR_FORM_NONE) {
        shunt_fhir_finding *x = found(v, SHUNT_FHIR_KIND, token->at, token->length, true);
        if (x) detail(x, "%s wants an object", f->beside ? "what stands beside a value" : p->element->type);
        return;
    }
    check_text(v, token);
}

/* ---- containers ---- */

static void open_beside(validator *v, const shunt_token *token)
{
    frame *f = top(v);
    if (v->depth == DEPTH) {
        pass_over(v);
        return;
    }
    shunt_fhir_phi phi = phi_below(f);
    frame         *g = push(v, v->of_primitive, token->at);
    g->phi = phi;
    g->primitive = true;
}

static void hold(validator *v, const shunt_token *token)
{
    v->holding = true;
    v->hold_key = false;
    v->hold_depth = 1;
    shunt_tape_cut(&v->tape, v->tape.first);
    v->no_memory = v->no_memory || !shunt_tape_add(&v->tape, token);
}

/* A resource begins; in JSON it may say later what it is. */
static void begin_resource(validator *v, const shunt_token *token)
{
    if (v->replaying) {
        shunt_text  type = { 0 };
        uint64_t    at = v->cursor;
        shunt_token one;
        unsigned    depth = 1;
        bool        key = false;
        /* It is all on the tape: the type of the resource around it came behind it. */
        while (depth && shunt_tape_next(&v->tape, &at, v->cursor_end, &one)) {
            if (key && depth == 1 && one.op == SHUNT_TOKEN_VALUE && one.kind == SHUNT_TOKEN_STRING) {
                type = one.text;
                break;
            }
            key = depth == 1 && one.op == SHUNT_TOKEN_KEY && shunt_text_is(one.text, "resourceType");
            if (one.op == SHUNT_TOKEN_OBJECT || one.op == SHUNT_TOKEN_ARRAY) depth++;
            if (one.op == SHUNT_TOKEN_OBJECT_END || one.op == SHUNT_TOKEN_ARRAY_END) depth--;
        }
        if (!type.length) {
            (void)found(v, SHUNT_FHIR_NO_TYPE, token->at, 0, true);
            pass_over(v);
            return;
        }
        open_resource(v, type, token->at);
        return;
    }
    hold(v, token);
}

static void open_element(validator *v, const shunt_token *token)
{
    frame *f = top(v);
    part  *p = f->part;
    bool   xml = token->op == SHUNT_TOKEN_ELEMENT;
    v->xml = v->xml || xml;
    if (!p) {
        pass_over(v);
        return;
    }
    uint16_t k = (uint16_t)(p - f->shape->parts);
    if (xml) {
        check_place(v, f, token->at);
    } else if (p->many && !f->array && !f->beside_array) {
        shunt_fhir_finding *x = found(v, SHUNT_FHIR_LIST, token->at, 0, true);
        if (x) detail(x, "a list is wanted");
    }
    check_choice(v, f, k, token->at);
    mark(f);
    if (p->form != FHIR_FORM_NONE) {
        if (!xml && !f->beside) {
            shunt_fhir_finding *x = found(v, SHUNT_FHIR_KIND, token->at, 0, true);
            if (x) detail(x, "%s is a value, no object", p->element->type);
            pass_over(v);
            return;
        }
        if (xml && token->kind != SHUNT_TOKEN_NULL) check_text(v, token);
        open_beside(v, token);
        top(v)->has_value = xml && token->kind != SHUNT_TOKEN_NULL;
        return;
    }
    if (xml && token->kind != SHUNT_TOKEN_NULL) {
        shunt_fhir_finding *x = found(v, SHUNT_FHIR_ATTRIBUTE, token->at, token->length, true);
        if (x) detail(x, "`value` of %s", p->element->type);
    }
    if (p->any) {
        begin_resource(v, token);
        return;
    }
    if (!p->shape && p->type) p->shape = shape_of(v, p->type);
    if (!p->shape || v->depth == DEPTH) {
        pass_over(v);
        return;
    }
    shunt_fhir_phi phi = phi_below(f);
    push(v, p->shape, token->at)->phi = phi;
}

static void open_array(validator *v, const shunt_token *token)
{
    frame *f = top(v);
    if (!f->part) {
        pass_over(v);
        return;
    }
    if (f->array || f->beside_array || !f->part->many) {
        shunt_fhir_finding *x = found(v, SHUNT_FHIR_LIST, token->at, 0, true);
        if (x) detail(x, f->part->many ? "a list in a list" : "it stands once and is no list");
        mark(f);
        pass_over(v);
        return;
    }
    f->array = !f->beside;
    f->beside_array = f->beside;
    f->index = UINT32_MAX; /* the first item makes it 0 */
    f->content = true;
}

static void close_array(validator *v, const shunt_token *token)
{
    frame *f = top(v);
    if (f->index == UINT32_MAX) {
        f->index = 0;
        (void)found(v, SHUNT_FHIR_NO_CONTENT, token->at, 0, true);
        mark(f);
    } else if (f->part && f->part->element->max > 1 && f->index >= f->part->element->max) {
        (void)found(v, SHUNT_FHIR_TOO_MANY, token->at, 0, true);
    }
    f->array = f->beside_array = false;
}

/* ---- tokens ---- */

static bool opens(const shunt_token *t)
{
    return t->op == SHUNT_TOKEN_OBJECT || t->op == SHUNT_TOKEN_ELEMENT || t->op == SHUNT_TOKEN_ARRAY;
}

static bool closes(const shunt_token *t) { return t->op == SHUNT_TOKEN_OBJECT_END || t->op == SHUNT_TOKEN_ARRAY_END; }

static void handle(validator *v, const shunt_token *token)
{
    if (v->skip) {
        if (opens(token)) v->skip++;
        if (closes(token)) v->skip--;
        return;
    }
    if (!v->depth) {
        if (token->op == SHUNT_TOKEN_OBJECT && !v->passing) begin_resource(v, token);
        return;
    }
    frame *f = top(v);
    if (v->has_unknown && token->op != SHUNT_TOKEN_KEY) unknown_element(v, token);
    bool item = (f->array || f->beside_array) && (token->op == SHUNT_TOKEN_VALUE || opens(token));
    if (item && token->op != SHUNT_TOKEN_ARRAY) f->index++;
    switch (token->op) {
    case SHUNT_TOKEN_KEY: take_name(v, token->text); break;
    case SHUNT_TOKEN_VALUE: take_value(v, token); break;
    case SHUNT_TOKEN_OBJECT:
        if (f->part && f->beside)
            open_beside(v, token), mark(f);
        else
            open_element(v, token);
        break;
    case SHUNT_TOKEN_ELEMENT: open_element(v, token); break;
    case SHUNT_TOKEN_ARRAY: open_array(v, token); break;
    case SHUNT_TOKEN_ARRAY_END: close_array(v, token); break;
    case SHUNT_TOKEN_OBJECT_END: close_object(v); break;
    default: break;
    }
}

/* The levels and the version of the source that reads resources of this type. */
static void choose_source(validator *v, shunt_text type)
{
    const shunt_plan *plan = v->options.plan;
    shunt_text        bundle = SHUNT_TEXT("Bundle");
    v->levels = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t g = 0; g < plan->guide_count; g++) {
            const shunt_plan_source *source = &plan->sources[plan->guides[g].source];
            if (source->standard != SHUNT_STANDARD_FHIR ||
                !shunt_text_equal(plan->texts[plan->guides[g].set], pass ? bundle : type))
                continue;
            const char *version = shunt_fhir_version(plan->texts[plan->guides[g].version]);
            v->levels = source->snips;
            if (version) v->version = version;
            return;
        }
    }
}

/* The object that was held has said what it is: what came before its type is looked at now. */
static void release(validator *v, shunt_text type)
{
    char     name[TYPE_KEPT + 1];
    uint64_t at;
    uint32_t length = type.length < TYPE_KEPT ? type.length : TYPE_KEPT;
    memcpy(name, type.bytes, length);
    shunt_token token;
    v->holding = false;
    if (!v->depth && v->options.plan) choose_source(v, (shunt_text){ name, length });
    if (!v->depth) v->of_primitive = primitive_shape(v);
    if (!v->of_primitive) return;
    at = v->tape.first;
    if (!shunt_tape_next(&v->tape, &at, shunt_tape_end(&v->tape), &token)) return;
    open_resource(v, (shunt_text){ name, length }, token.at);
    v->cursor = at;
    v->cursor_end = shunt_tape_end(&v->tape);
    v->replaying = true;
    while (!v->no_memory && shunt_tape_next(&v->tape, &v->cursor, v->cursor_end, &token)) handle(v, &token);
    v->replaying = false;
    shunt_tape_cut(&v->tape, v->tape.first);
}

/* What could not be told what it is. */
static void give_up(validator *v, shunt_status code, uint64_t at)
{
    v->holding = false;
    if (v->depth) (void)found(v, code, at, 0, true);
    v->passing = v->passing || !v->depth; /* of the outermost one the reader says it */
    v->skip = v->hold_depth;
    shunt_tape_cut(&v->tape, v->tape.first);
}

static void take_held(validator *v, const shunt_token *token)
{
    bool key = v->hold_key;
    v->hold_key = false;
    if (opens(token)) v->hold_depth++;
    if (closes(token)) v->hold_depth--;
    if (key && token->op == SHUNT_TOKEN_VALUE) {
        if (!shunt_tape_add(&v->tape, token)) v->no_memory = true;
        if (token->kind == SHUNT_TOKEN_STRING && token->text.length)
            release(v, token->text);
        else
            give_up(v, SHUNT_FHIR_NO_TYPE, token->at);
        return;
    }
    if (!v->hold_depth) {
        give_up(v, SHUNT_FHIR_NO_TYPE, token->at);
        return;
    }
    v->hold_key = v->hold_depth == 1 && token->op == SHUNT_TOKEN_KEY && shunt_text_is(token->text, "resourceType");
    if (!shunt_tape_add(&v->tape, token)) v->no_memory = true;
    if (shunt_tape_end(&v->tape) - v->tape.first > FHIR_HELD) give_up(v, SHUNT_FHIR_TYPE_LATE, token->at);
}

static void begin_document(validator *v)
{
    v->documents++;
    v->has_unknown = false;
    v->xml = v->begun = v->passing = v->holding = v->hold_key = v->replaying = false;
    v->skip = v->depth = 0;
    v->of_entry = 0;
    v->type_length = 0;
    v->local_count = v->id_count = 0;
    v->local_paths.length = 0;
    v->version = v->options.version;
    v->levels = v->options.levels;
    shunt_tape_cut(&v->tape, v->tape.first);
}

static bool take(shunt_token_sink *sink, const shunt_token *token)
{
    validator *v = (validator *)sink;
    if (token->op == SHUNT_TOKEN_DOCUMENT)
        begin_document(v);
    else if (v->holding && !v->skip)
        take_held(v, token);
    else if (v->levels || !v->begun)
        handle(v, token);
    return !v->no_memory;
}

bool shunt_fhir_validator_fault(validator *v, const shunt_event *event)
{
    switch (event->code) {
    case SHUNT_FHIR_UNMAPPED:
    case SHUNT_FHIR_EMPTY:
    case SHUNT_FHIR_NULL:
    case SHUNT_FHIR_LATE: return true;
    default: break;
    }
    shunt_fhir_finding *f = find_as(v, event->code, event->place.byte, event->place.length);
    if (!f) return !v->no_memory;
    f->of_reader = true;
    if (!meanings[event->code].issue) {
        f->severity = (uint8_t)shunt_status_info[event->code].severity;
        f->level = FHIR_LEVEL_SYNTAX;
        f->issue = "processing";
    }
    detail(f, "%.*s", SHUNT_TEXT_ARGS(event->detail));
    return true;
}

/* ---- what was found ---- */

const shunt_fhir_finding *shunt_fhir_findings(const validator *v, uint32_t *count)
{
    *count = v->no_memory ? 0 : v->count; /* paths of the last ones may be missing, and the run ends without memory */
    return v->findings;
}

const char *shunt_fhir_finding_paths(const validator *v) { return v->paths.bytes ? v->paths.bytes : ""; }

void shunt_fhir_findings_taken(validator *v)
{
    v->count = v->told = 0;
    v->paths.length = 0;
}

uint64_t shunt_fhir_validator_documents(const validator *v) { return v->documents; }

shunt_token_sink *shunt_fhir_validator_sink(validator *v) { return &v->sink; }

/* ---- making ---- */

static uint32_t most_elements(void)
{
    static const char *const versions[] = { "4.0.1", "5.0.0" };
    uint32_t                 most = 1;
    for (size_t i = 0; i < SHUNT_COUNT(versions); i++) {
        const shunt_fhir_type *type;
        for (uint32_t k = 0; (type = shunt_fhir_type_at(versions[i], k)) != NULL; k++)
            if (type->element_count > most) most = type->element_count;
    }
    return most;
}

void shunt_fhir_validator_free(validator *v)
{
    if (!v) return;
    const shunt_memory *memory = v->memory;
    shunt_arena_free(v->arena);
    shunt_tape_done(&v->tape);
    shunt_buffer_done(&v->paths);
    shunt_buffer_done(&v->local_paths);
    shunt_memory_free(memory, v->locals);
    shunt_memory_free(memory, v->ids);
    shunt_memory_free(memory, v->findings);
    shunt_memory_free(memory, v);
}

validator *shunt_fhir_validator_new(const shunt_memory *memory, const shunt_fhir_validate_options *options)
{
    validator *v = shunt_memory_zeroed(memory, 1, sizeof *v);
    if (!v) return NULL;
    v->sink = (shunt_token_sink){ .wants = true, .take = take };
    v->memory = memory;
    v->options = *options;
    v->version = options->version;
    v->levels = options->levels;
    v->word_count = (most_elements() + 63) / 64;
    shunt_tape_init(&v->tape, memory);
    shunt_buffer_init(&v->paths, memory);
    shunt_buffer_init(&v->local_paths, memory);
    v->arena = shunt_arena_new(memory, 0);
    uint64_t *seen = v->arena ? SHUNT_NEW_N(v->arena, uint64_t, (size_t)v->word_count * DEPTH) : NULL;
    for (unsigned i = 0; seen && i < DEPTH; i++) v->frames[i].seen = seen + (size_t)i * v->word_count;
    v->of_primitive = seen ? primitive_shape(v) : NULL;
    if (v->of_primitive) return v;
    shunt_fhir_validator_free(v);
    return NULL;
}

/* ---- the validating reader ---- */

bool shunt_fhir_validator_next(shunt_token_sink *sink, shunt_fhir_watched *fault)
{
    validator *v = (validator *)sink;
    while (v->told < v->count) {
        const shunt_fhir_finding *f = &v->findings[v->told++];
        if (f->severity != SHUNT_ERROR || f->of_reader) continue;
        snprintf(v->words, sizeof v->words, "%.*s%s%s", (int)f->path_length, shunt_fhir_finding_paths(v) + f->path,
                 f->path_length && f->detail[0] ? ": " : "", f->detail);
        *fault = (shunt_fhir_watched){ f->code, f->at, f->length, v->words };
        return true;
    }
    if (v->count) shunt_fhir_findings_taken(v);
    return false;
}

typedef struct validating {
    shunt_reader        base; /* first */
    shunt_reader_ops    ops;
    const shunt_memory *memory;
    shunt_reader       *inner;
    validator          *validator;
} validating;

static void validating_feed(shunt_reader *reader, const uint8_t *bytes, size_t size, bool last)
{
    validating *r = (validating *)reader;
    r->inner->ops->feed(r->inner, bytes, size, last);
}

static shunt_step validating_next(shunt_reader *reader, shunt_event *event)
{
    validating *r = (validating *)reader;
    shunt_step  step = r->inner->ops->next(r->inner, event);
    r->ops.ending = r->inner->ops->ending;
    return step;
}

static void validating_free(shunt_reader *reader)
{
    validating *r = (validating *)reader;
    r->inner->ops->free(r->inner);
    shunt_fhir_validator_free(r->validator);
    shunt_memory_free(r->memory, r);
}

shunt_reader *shunt_fhir_validating_reader(const shunt_memory *memory, const shunt_plan *plan, validator *v)
{
    validating        *r = v ? shunt_memory_zeroed(memory, 1, sizeof *r) : NULL;
    shunt_fhir_options options = { .watch = v ? &v->sink : NULL, .found = shunt_fhir_validator_next };
    if (r) r->inner = shunt_fhir_reader_new(memory, plan, &options);
    if (!r || !r->inner) {
        shunt_fhir_validator_free(v);
        shunt_memory_free(memory, r);
        return NULL;
    }
    r->ops = *r->inner->ops;
    r->ops.feed = validating_feed;
    r->ops.next = validating_next;
    r->ops.free = validating_free;
    r->base.ops = &r->ops;
    r->memory = memory;
    r->validator = v;
    return &r->base;
}
