/* Resources as encodings of a target: `encode fhir json "4.0.1" { to "Invoice.status": ... }`. Paths are brought together as the object that they
 * make, members in the order of the standard; each is looked up in the dictionary of the version. */
#include "dsl/check_message.h"
#include "standards/fhir/types.h"

enum { INDEX_AT_MOST = 999, CHOICES_SHOWN = 8, DEPTH_AT_MOST = 32 /* of elements in elements */, ALONE = UINT32_MAX };

/* A member of an object, an item of an array, or an object itself. */
typedef struct part {
    shunt_text                name;
    const shunt_fhir_element *element; /* NULL of the resource itself */
    const shunt_fhir_type    *type;    /* of the value or object */
    uint32_t                  index;   /* of an item; ALONE: it is none */
    shunt_ast                *at;      /* where it was met first */
    shunt_ast                *value;   /* a value, or */
    shunt_ast                *each;    /* items of a list, whose body is */
    shunt_ast                *items;
    bool                      array;
    bool                      holds;     /* a resource, which is its one part */
    bool                      contained; /* in a resource that is contained in another one */
    bool                      broken;    /* something in it was reported: what is missing is not asked */
    uint32_t                  depth;
    SHUNT_LIST(struct part *) parts;
} part;

typedef struct resource {
    writing               *w;
    const char            *version;
    const shunt_fhir_type *type;
} resource;

static part *new_part(resource *r, part *in, shunt_text name, uint32_t index, shunt_ast *at)
{
    part *made = NEW(r->w->k, part);
    *made = (part){ .name = name, .index = index, .at = at, .depth = in->depth + 1, .contained = in->contained };
    *PUSH(r->w->k, &in->parts) = made;
    return made;
}

static bool is_object(const part *p) { return p->holds || (p->type && p->type->kind != SHUNT_FHIR_PRIMITIVE); }

/* ---- paths ---- */

static void unknown_element(resource *r, const part *in, shunt_text name, const shunt_ast *path)
{
    check        *k = r->w->k;
    shunt_text    choices = { 0 };
    uint32_t      given = 0;
    shunt_suggest s;
    shunt_diag   *d = shunt_diag_add(k->diags, SHUNT_E0203, path->span, "%s of FHIR %s has no element `%.*s`", in->type->name,
                                     r->version, SHUNT_TEXT_ARGS(name));
    shunt_suggest_init(&s, name, 2);
    for (uint32_t i = 0; i < in->type->element_count; i++) {
        const shunt_fhir_element *e = &in->type->elements[i];
        if (e->choice && shunt_text_is(name, e->choice) && given++ < CHOICES_SHOWN)
            choices = check_format(k, "%.*s%s`%s`", SHUNT_TEXT_ARGS(choices), choices.length ? ", " : "", e->name);
        shunt_suggest_offer(&s, shunt_text_of(e->name), shunt_text_of(e->words), true, 0);
    }
    shunt_text near = shunt_suggest_text(&s, k->arena);
    if (choices.length)
        shunt_diag_help(k->diags, d, "say which type it has: %.*s%s", SHUNT_TEXT_ARGS(choices),
                        given > CHOICES_SHOWN ? " and more" : "");
    else if (near.length)
        shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
    shunt_diag_help(k->diags, d, "`shunt dict %s` lists its elements", in->type->name);
}

/* The next step of a path: a name, and a number in brackets. False: reported. */
static bool next_step(resource *r, const shunt_ast *path, uint32_t *at, shunt_text *name, uint32_t *index)
{
    shunt_text text = path->text;
    uint32_t   begin = *at, i = begin;
    while (i < text.length && text.bytes[i] != '.' && text.bytes[i] != '[') i++;
    *name = (shunt_text){ text.bytes + begin, i - begin };
    *index = ALONE;
    bool fine = name->length > 0;
    if (fine && i < text.length && text.bytes[i] == '[') {
        uint32_t digits = 0;
        for (*index = 0, i++; i < text.length && text.bytes[i] >= '0' && text.bytes[i] <= '9' && digits < 4; i++, digits++)
            *index = *index * 10 + (uint32_t)(text.bytes[i] - '0');
        fine = digits > 0 && *index <= INDEX_AT_MOST && i < text.length && text.bytes[i] == ']';
        i++;
    }
    if (fine && i < text.length) fine = text.bytes[i] == '.' && i + 1 < text.length;
    *at = i + 1;
    if (fine) return true;
    shunt_diag *d = shunt_diag_add(r->w->k->diags, SHUNT_E0202, path->span, "this is no path of an element");
    shunt_diag_help(r->w->k->diags, d, "names are separated by points, items counted from 0: `\"Invoice.identifier[0].value\"`");
    return false;
}

static part *find_part(const part *in, shunt_text name, uint32_t index)
{
    for (uint32_t i = 0; i < in->parts.count; i++) {
        part *p = in->parts.items[i];
        if (p->index == index && !p->each && (index != ALONE || shunt_text_equal(p->name, name))) return p;
    }
    return NULL;
}

/* Of `value[x]` one is written. */
static void check_choice(resource *r, const part *in, const part *made)
{
    check *k = r->w->k;
    for (uint32_t i = 0; made->element->choice && i < in->parts.count; i++) {
        const part *other = in->parts.items[i];
        if (other == made || !other->element || !other->element->choice ||
            strcmp(other->element->choice, made->element->choice) != 0)
            continue;
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0208, made->at->span, "`%s[x]` has one value, and `%s` is written already",
                           made->element->choice, other->element->name);
        shunt_diag_also(k->diags, d, other->at->span, "first here");
        shunt_diag_help(k->diags, d, "remove one of them");
        return;
    }
}

/* The member of the object that a step names: made where it is not there yet. NULL: reported. */
static part *enter(resource *r, part *in, shunt_text name, shunt_ast *path)
{
    check *k = r->w->k;
    if (!is_object(in)) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0202, path->span, "`%.*s` is a value, and nothing stands in it",
                                       SHUNT_TEXT_ARGS(in->name));
        shunt_diag_help(k->diags, d, "end the path there");
        return NULL;
    }
    const shunt_fhir_element *element = shunt_fhir_element_find(in->type, name);
    if (!element) {
        in->broken = true;
        unknown_element(r, in, name, path);
        return NULL;
    }
    part *member = find_part(in, name, ALONE);
    if (member) return member;
    const shunt_fhir_type *type = shunt_fhir_type_find(r->version, shunt_text_of(element->type));
    bool                   holds = strcmp(element->type, "Resource") == 0;
    if ((!holds && !type) || (in->contained && shunt_text_is(name, "contained"))) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0202, path->span,
                           holds ? "a contained resource contains no other one" : "`%s` cannot be written", element->name);
        in->broken = true;
        shunt_diag_help(k->diags, d, holds ? "contain both in the resource around them" : "leave it out");
        return NULL;
    }
    member = new_part(r, in, name, ALONE, path);
    member->element = element;
    member->type = holds ? NULL : type;
    member->holds = holds;
    member->array = element->max != 1;
    check_choice(r, in, member);
    return member;
}

static part *item_of(resource *r, part *array, uint32_t index, shunt_ast *path)
{
    part *item = find_part(array, array->name, index);
    if (item) return item;
    item = new_part(r, array, array->name, index, path);
    item->element = array->element;
    item->type = array->type;
    item->holds = array->holds;
    return item;
}

/* The resource that a part holds, by its name. NULL: reported. */
static part *resource_in(resource *r, part *holder, shunt_text name, uint32_t index, shunt_ast *path)
{
    check                 *k = r->w->k;
    const shunt_fhir_type *type = shunt_fhir_type_find(r->version, name);
    part                  *held = holder->parts.count ? holder->parts.items[0] : NULL;
    if (!type || !shunt_fhir_is_resource(type) || index != ALONE || (held && held->type != type)) {
        shunt_diag *d = held && held->type != type && type
                            ? shunt_diag_add(k->diags, SHUNT_E0202, path->span, "`%.*s` is one resource, and this one is `%s`",
                                             SHUNT_TEXT_ARGS(holder->name), held->type->name)
                            : shunt_diag_add(k->diags, SHUNT_E0202, path->span, "FHIR %s has no resource `%.*s`", r->version,
                                             SHUNT_TEXT_ARGS(name));
        shunt_diag_help(k->diags, d, "behind `%.*s` stands the name of a resource, then its element: `%.*s[0].Patient.id`",
                        SHUNT_TEXT_ARGS(holder->name), SHUNT_TEXT_ARGS(holder->name));
        holder->broken = true;
        return NULL;
    }
    if (held) return held;
    held = new_part(r, holder, name, ALONE, path);
    held->element = holder->element;
    held->type = type;
    held->contained = held->contained || shunt_text_is(holder->name, "contained");
    return held;
}

/* From an object along a path. `list`: what stands at its end may be a whole array. NULL: reported. */
static part *walk(resource *r, part *in, shunt_ast *path, uint32_t at, bool list)
{
    check *k = r->w->k;
    while (at < path->text.length) {
        shunt_text name;
        uint32_t   index;
        if (in->depth > DEPTH_AT_MOST) {
            too_large(k, path->span, "this path", DEPTH_AT_MOST);
            return NULL;
        }
        if (!next_step(r, path, &at, &name, &index)) return NULL;
        if (in->holds && !in->array) {
            in = resource_in(r, in, name, index, path);
            if (!in) return NULL;
            continue;
        }
        in = enter(r, in, name, path);
        if (!in) return NULL;
        bool last = at >= path->text.length;
        if (index != ALONE && !in->array) {
            shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0212, path->span, "`%.*s` stands once", SHUNT_TEXT_ARGS(name));
            shunt_diag_help(k->diags, d, "leave out its number");
            return NULL;
        }
        if (in->array && !(last && list && index == ALONE)) in = item_of(r, in, index == ALONE ? 0 : index, path);
    }
    return in;
}

/* ---- items of the encoding ---- */

static void take_items(resource *r, part *object, shunt_ast *items, bool top);

static void written_twice(resource *r, const part *p, const shunt_ast *path)
{
    shunt_diag *d =
        shunt_diag_add(r->w->k->diags, SHUNT_E0208, path->span, "`%.*s` is written twice", SHUNT_TEXT_ARGS(path->text));
    shunt_diag_also(r->w->k->diags, d, p->at->span, "first here");
    shunt_diag_help(r->w->k->diags, d, "remove one of them");
}

static shunt_ast *made_text(resource *r, shunt_text text, shunt_span span)
{
    shunt_ast *made = message_node(r->w, SHUNT_AST_STRING, span, 0);
    made->text = text;
    return made;
}

/* Money at an element of type Money: its value and its currency. */
static bool take_money(resource *r, part *p, shunt_ast *value)
{
    if (!p->type || strcmp(p->type->name, "Money") != 0) return false;
    shunt_ty type = check_expr(r->w->k, value, NULL);
    if (type.kind != SHUNT_TY_MONEY || !type.currency[0]) return false;
    part *amount = enter(r, p, SHUNT_TEXT("value"), value), *currency = enter(r, p, SHUNT_TEXT("currency"), value);
    if (!amount || !currency) return false;
    amount->value = value;
    currency->value = made_text(r, check_format(r->w->k, "%s", type.currency), value->span);
    return true;
}

static void take_value(resource *r, part *p, shunt_ast *path, shunt_ast *value)
{
    check *k = r->w->k;
    if (p->value || p->parts.count) {
        written_twice(r, p, path);
        return;
    }
    p->at = path;
    if (!is_object(p)) {
        p->value = value;
        return;
    }
    if (take_money(r, p, value)) return;
    if (!p->type) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0303, value->span, "`%.*s` is a resource, not a value", SHUNT_TEXT_ARGS(p->name));
        shunt_diag_help(k->diags, d, "name it and its elements: `to \"%.*s.Patient.id\": ...`", SHUNT_TEXT_ARGS(path->text));
        p->broken = true;
        return;
    }
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0303, value->span, "`%.*s` is an object of type %s, not a value",
                                   SHUNT_TEXT_ARGS(p->name), p->type->name);
    shunt_diag_help(k->diags, d, "name one of its elements: `to \"%.*s.%s\": ...`", SHUNT_TEXT_ARGS(path->text),
                    p->type->element_count ? p->type->elements[p->type->element_count - 1].name : "");
    p->value = made_text(r, SHUNT_TEXT("x"), value->span); /* so that it does not count as missing */
}

static void take_object(resource *r, part *object, shunt_ast *node, uint32_t at)
{
    check     *k = r->w->k;
    shunt_ast *path = kid(node, SHUNT_ENCODE_OBJECT_path), *each = kid(node, SHUNT_ENCODE_OBJECT_each),
              *items = kid(node, SHUNT_ENCODE_OBJECT_items);
    part *p = walk(r, object, path, at, each != NULL);
    if (!p) return;
    if (!each) {
        if (is_object(p))
            take_items(r, p, items, false);
        else
            (void)enter(r, p, SHUNT_TEXT("x"), path);
        return;
    }
    if (!p->array) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0212, path->span, "`%.*s` stands once", SHUNT_TEXT_ARGS(p->name));
        shunt_diag_here(k->diags, d, "and `for each` writes several");
        return;
    }
    part *item = new_part(r, p, p->name, ALONE, path);
    item->element = p->element;
    item->type = p->type;
    item->holds = p->holds;
    item->each = each;
    item->items = items;
}

/* Where a path at the top begins behind the name of the resource. False: reported. */
static bool begins_well(resource *r, part *root, const shunt_ast *path, uint32_t *at)
{
    check     *k = r->w->k;
    shunt_text name;
    uint32_t   index;
    *at = 0;
    if (!next_step(r, path, at, &name, &index)) return false;
    const shunt_fhir_type *type = shunt_fhir_type_find(r->version, name);
    if (type && shunt_fhir_is_resource(type) && index == ALONE && *at < path->text.length &&
        (!root->type || root->type == type)) {
        root->type = r->type = type;
        return true;
    }
    bool        other = root->type && type && root->type != type, alone = type && shunt_fhir_is_resource(type) && !other;
    shunt_diag *d = other   ? shunt_diag_add(k->diags, SHUNT_E0202, path->span, "a record is one resource, and this one is `%s`",
                                             root->type->name)
                    : alone ? shunt_diag_add(k->diags, SHUNT_E0202, path->span, "this path names no element of %s", type->name)
                            : shunt_diag_add(k->diags, SHUNT_E0202, path->span, "FHIR %s has no resource `%.*s`", r->version,
                                             SHUNT_TEXT_ARGS(name));
    shunt_diag_help(k->diags, d, "a path begins with its resource: `to \"Invoice.status\": ...`");
    return false;
}

static void take_items(resource *r, part *object, shunt_ast *items, bool top)
{
    for (uint32_t i = 0; items && i < items->kid_count; i++) {
        shunt_ast *item = items->kids[i], *path = kid(item, 0);
        uint32_t   at = 0;
        bool       to = item->kind == SHUNT_AST_ENCODE_TO || item->kind == SHUNT_AST_ENCODE_OBJECT;
        if (item->kind == SHUNT_AST_ERROR || (top && item->kind == SHUNT_AST_SETTING)) continue;
        if (!to || !path) {
            shunt_diag *d = shunt_diag_add(r->w->k->diags, SHUNT_E0209, item->span, "this has no place in `encode fhir`%s",
                                           top ? "" : " here");
            shunt_diag_help(r->w->k->diags, d, "write `to \"status\": ...`");
            continue;
        }
        if (top && !begins_well(r, object, path, &at)) continue;
        if (item->kind == SHUNT_AST_ENCODE_OBJECT) {
            take_object(r, object, item, at);
            continue;
        }
        part *p = walk(r, object, path, at, false);
        if (p) take_value(r, p, path, kid(item, SHUNT_ENCODE_TO_value));
    }
}

/* ---- values ---- */

static bool format_for(const part *p, const shunt_ty *type, shunt_message_item *item, const char **wanted)
{
    item->format = strcmp(p->type->name, "xhtml") == 0 ? SHUNT_FORMAT_XHTML : SHUNT_FORMAT_TEXT;
    if (strcmp(p->type->name, "id") == 0) item->max = 64;
    switch ((shunt_value_type)p->type->value) {
    case SHUNT_VALUE_AMOUNT:
    case SHUNT_VALUE_DECIMAL:
    case SHUNT_VALUE_IMPLIED:
        item->format = SHUNT_FORMAT_BARE;
        *wanted = "a number";
        return message_numeric(type);
    case SHUNT_VALUE_INT:
        item->format = SHUNT_FORMAT_BARE;
        *wanted = "a whole number";
        return type->kind == SHUNT_TY_INT || (message_numeric(type) && type->scale == 0);
    case SHUNT_VALUE_BOOL:
        item->format = SHUNT_FORMAT_BARE;
        *wanted = "true or false";
        return type->kind == SHUNT_TY_BOOL;
    case SHUNT_VALUE_DATE: *wanted = "a date"; return type->kind == SHUNT_TY_DATE;
    case SHUNT_VALUE_MOMENT:
        *wanted = "a date or datetime";
        return type->kind == SHUNT_TY_MOMENT || (type->kind == SHUNT_TY_DATE && strcmp(p->type->name, "instant") != 0);
    case SHUNT_VALUE_TIME: *wanted = "a time, as text HH:MM:SS"; return message_textual(type);
    default: *wanted = "a text"; return message_textual(type);
    }
}

static void write_value(resource *r, member_list *members, const part *p, shunt_message_item item)
{
    check      *k = r->w->k;
    const char *wanted = "one value";
    shunt_text  text;
    __int128    number;
    shunt_ty    type = check_expr(k, p->value, NULL);
    item.field = NO_FIELD;
    if (!shunt_ty_is_error(&type)) {
        if (!shunt_ty_is_scalar(&type) || !format_for(p, &type, &item, &wanted)) {
            shunt_text  name = shunt_ty_name(k->arena, &type);
            shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0303, p->value->span, "`%.*s` is %s, and this is %.*s",
                                           SHUNT_TEXT_ARGS(p->name), wanted, SHUNT_TEXT_ARGS(name));
            if (type.kind == SHUNT_TY_LIST) shunt_diag_help(k->diags, d, "write `for each x in ... { to \"\": x }` in its place");
        } else {
            const shunt_codeset *codes = p->element->codes;
            bool                 literal = shunt_fold_text(p->value, &text);
            if (type.kind == SHUNT_TY_MOMENT) (void)check_zoned(k, p->value, &type, p->element->name);
            if (codes && codes->complete && literal && !shunt_codeset_has(codes, text)) {
                shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0210, p->value->span, "\"%.*s\" is no code of `%s`",
                                               SHUNT_TEXT_ARGS(text), p->element->name);
                shunt_diag_help(k->diags, d, "`shunt dict %s` has them", r->type->name);
            }
            if (literal || shunt_fold(p->value, &number)) item.flags |= SHUNT_MESSAGE_CONSTANT;
            item.field = message_value(r->w, members, p->value, type, NULL);
        }
    }
    message_close(r->w, message_open(r->w, item));
}

/* ---- objects ---- */

static void write_part(resource *r, member_list *members, part *p, const shunt_fhir_type *in);

static void report_missing(resource *r, const part *object)
{
    check     *k = r->w->k;
    shunt_text missing = { 0 }, last = { 0 };
    for (uint32_t i = 0; i < object->type->element_count; i++) {
        const shunt_fhir_element *e = &object->type->elements[i];
        shunt_text                name = shunt_text_of(e->choice ? e->choice : e->name);
        bool                      there = false;
        if (!e->min || shunt_text_equal(name, last)) continue;
        last = name;
        for (uint32_t n = 0; n < object->parts.count; n++) {
            const shunt_fhir_element *other = object->parts.items[n]->element;
            there = there || other == e || (other && e->choice && other->choice && strcmp(other->choice, e->choice) == 0);
        }
        if (!there)
            missing = check_format(k, "%.*s%s`%.*s%s`", SHUNT_TEXT_ARGS(missing), missing.length ? ", " : "",
                                   SHUNT_TEXT_ARGS(name), e->choice ? "[x]" : "");
    }
    if (!missing.length || object->broken) return;
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_E0305, object->at->span, "%s lacks %.*s", object->type->name, SHUNT_TEXT_ARGS(missing));
    shunt_diag_note(k->diags, d, "FHIR %s requires it", r->version);
    shunt_diag_help(k->diags, d, "`shunt dict %s` lists the elements", object->type->name);
}

/* The members, in the order of the standard. */
static void write_object(resource *r, member_list *members, const part *object)
{
    for (uint32_t i = 0; i < object->type->element_count; i++)
        for (uint32_t n = 0; n < object->parts.count; n++)
            if (object->parts.items[n]->element == &object->type->elements[i])
                write_part(r, members, object->parts.items[n], object->type);
    report_missing(r, object);
}

/* What stands in an object: its members, or the resource that it holds. */
static void write_content(resource *r, member_list *members, const part *object)
{
    if (!object->holds) {
        write_object(r, members, object);
        return;
    }
    if (!object->parts.count) {
        if (!object->broken) {
            shunt_diag *d = shunt_diag_add(r->w->k->diags, SHUNT_E0305, object->at->span, "nothing is written in `%.*s`",
                                           SHUNT_TEXT_ARGS(object->name));
            shunt_diag_help(r->w->k->diags, d, "name a resource and its elements: `to \"Patient.id\": ...`");
        }
        return;
    }
    const part *held = object->parts.items[0];
    uint32_t    made = message_open(
           r->w, (shunt_message_item){
                     .kind = SHUNT_MESSAGE_MEMBER, .name = held->name, .field = NO_FIELD, .flags = SHUNT_MESSAGE_RESOURCE });
    write_object(r, members, held);
    message_close(r->w, made);
}

static bool is_attribute(const part *p, const shunt_fhir_type *in)
{
    if (shunt_text_is(p->name, "id")) return in->kind != SHUNT_FHIR_RESOURCE;
    return shunt_text_is(p->name, "url") && strcmp(in->name, "Extension") == 0;
}

/* Items of a `for each`: the object of its body, or of a primitive the one value in it. */
static void write_pass(resource *r, member_list *members, part *p)
{
    pass     list;
    part     body = *p;
    writing *w = r->w;
    memset(&body.parts, 0, sizeof body.parts);
    message_pass_begin(w, p->each, &list);
    shunt_message_item item = { .kind = SHUNT_MESSAGE_ITEM, .name = p->name, .field = NO_FIELD };
    if (is_object(p)) {
        take_items(r, &body, p->items, false);
        uint32_t made = message_open(w, item);
        write_content(r, &list.members, &body);
        message_close(w, made);
    } else {
        shunt_ast *only = p->items && p->items->kid_count == 1 ? p->items->kids[0] : NULL;
        if (only && only->kind == SHUNT_AST_ENCODE_TO && kid(only, 0)->text.length == 0) {
            body.value = kid(only, SHUNT_ENCODE_TO_value);
            write_value(r, &list.members, &body, item);
        } else {
            shunt_diag *d =
                shunt_diag_add(w->k->diags, SHUNT_E0303, p->at->span, "an item of `%.*s` is one value", SHUNT_TEXT_ARGS(p->name));
            shunt_diag_help(w->k->diags, d, "write it without a name: `for each x in ... { to \"\": ... }`");
        }
    }
    message_pass_end(w, p->each, &list, members);
}

static void write_items(resource *r, member_list *members, const part *array)
{
    for (uint32_t index = 0, left = array->parts.count; left && index <= INDEX_AT_MOST; index++)
        for (uint32_t n = 0; n < array->parts.count; n++)
            if (array->parts.items[n]->index == index) {
                write_part(r, members, array->parts.items[n], NULL);
                left--;
            }
    for (uint32_t n = 0; n < array->parts.count; n++)
        if (array->parts.items[n]->each) write_pass(r, members, array->parts.items[n]);
}

/* Of the resource, which is always written; what is required in an object that may be left out is looked at when it is. */
static void check_present_where_required(resource *r, const part *p)
{
    check            *k = r->w->k;
    const shunt_fact *fact = shunt_fact_of(p->value);
    if (!p->element->min || !fact || !fact->type.optional) return;
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_E0301, p->value->span, "this may be absent, and `%s` is required", p->element->name);
    shunt_diag_help(k->diags, d, "say what to do: `%.*s otherwise ...`", SHUNT_TEXT_ARGS(short_text(k, p->value)));
}

static void write_part(resource *r, member_list *members, part *p, const shunt_fhir_type *in)
{
    shunt_message_item item = { .kind = in ? SHUNT_MESSAGE_MEMBER : SHUNT_MESSAGE_ITEM, .name = p->name, .field = NO_FIELD };
    if (in && p->element->min) item.flags |= SHUNT_MESSAGE_REQUIRED;
    if (in && is_attribute(p, in)) item.flags |= SHUNT_MESSAGE_ATTRIBUTE;
    if (p->value) {
        write_value(r, members, p, item);
        if (p->depth == 1) check_present_where_required(r, p);
        return;
    }
    if (p->array) item.flags |= SHUNT_MESSAGE_ARRAY;
    if (!p->array && !is_object(p)) return; /* was reported */
    uint32_t made = message_open(r->w, item);
    if (p->array)
        write_items(r, members, p);
    else
        write_content(r, members, p);
    message_close(r->w, made);
}

/* ---- the whole ---- */

static const setting_kind settings[] = { { "bundle", 0, 0, 0, false }, { NULL, 0, 0, 0, false } };

void message_fhir(writing *w, shunt_ast *encode)
{
    check     *k = w->k;
    shunt_ast *args = kid(encode, SHUNT_ENCODE_args), *items = kid(encode, SHUNT_ENCODE_items), *form = kid(args, 1),
              *version = kid(args, 2);
    member_list members = { 0 };
    resource    r = { .w = w };
    part        root = { .index = ALONE, .at = kid(args, 0) };
    bool        named = form && (shunt_text_is(form->text, "json") || shunt_text_is(form->text, "xml"));
    if (named && version && args->kid_count == 3 && version->kind == SHUNT_AST_STRING)
        r.version = shunt_fhir_version(version->text);
    if (!r.version) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0306, kid(args, 0)->span, "`encode fhir` names its form and a version");
        shunt_diag_help(k->diags, d, "write `encode fhir json \"4.0.1\" { ... }`, or xml; versions are 4.0.1 and 5.0.0");
        use_names(k, encode);
        return;
    }
    message_settings(w, &members, settings, items, encode);
    take_items(&r, &root, items, true);
    if (!root.type) {
        if (!items || !items->kid_count) shunt_diag_add(k->diags, SHUNT_E0305, encode->span, "nothing is written");
        return;
    }
    write_object(&r, &members, &root);
    message_tell(w, "form", form->text);
    message_tell(w, "resource", shunt_text_of(root.type->name));
    message_tell(w, "guide", shunt_text_of(r.version));
    message_finish(w, &members);
}
