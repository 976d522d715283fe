/* Paths into trees of names (FHIR): `i.totalNet`, `i.identifier[where it.system = "x"].first.value`, `claim.patient.resolve("Patient")`.
 * Each step is looked up in the dictionary of the source's version; an object is made in the tree (tree.h) when a path comes to it. */
#include "dsl/check_way.h"
#include "dsl/tree.h"

static const char *const versions[] = { "4.0.1", "5.0.0" };

enum { MONEY_SCALE = 18, DECIMAL_SCALE = 6, NAMES_SHOWN = 6 };

/* What a part of a path denotes. */
typedef enum stood { STOOD_OTHER, STOOD_REPORTED, STOOD_OBJECT, STOOD_VALUE } stood;

typedef struct steps {
    shunt_ast                *base;
    shunt_symbol             *start;
    const shunt_tree         *from;  /* where it starts, NULL = the body of the source */
    uint32_t                  given; /* classes that the start brings along */
    shunt_tree               *at;    /* the object; for a value the one that holds it */
    bool                      list;  /* there may be several of it */
    bool                      optional;
    shunt_text                why;
    shunt_text                name; /* of the value */
    const shunt_fhir_element *element;
    const shunt_fhir_type    *type; /* of the value; NULL: the type of a resource */
} steps;

static const shunt_source_info *info_of(const shunt_tree *tree) { return tree->ref->source->as.source; }

static bool reads_fhir(const check *k) { return k->source && k->source->as.source->standard == SHUNT_STANDARD_FHIR; }

/* ---- objects ---- */

static shunt_tree *new_tree(check *k, shunt_symbol *source, const char *version, const shunt_fhir_type *type)
{
    shunt_tree     *tree = NEW(k, shunt_tree);
    shunt_loop_ref *ref = NEW(k, shunt_loop_ref);
    *ref = (shunt_loop_ref){ .source = source, .tree = tree };
    *tree = (shunt_tree){ .ref = ref, .version = version, .type = type };
    *PUSH(k, &k->loops) = ref;
    return tree;
}

static shunt_tree *put_below(check *k, shunt_tree *up, shunt_text name, shunt_text only, const shunt_fhir_type *type)
{
    shunt_tree *tree = shunt_tree_below(up, name, only);
    if (tree) return tree;
    tree = new_tree(k, up->ref->source, up->version, type);
    tree->up = up;
    tree->name = name;
    tree->only = only;
    tree->depth = up->depth + 1;
    tree->ref->id = only.length ? only : name;
    if (up->last)
        up->last->next = tree;
    else
        up->first = tree;
    up->last = tree;
    return tree;
}

/* Everything that the body of a function looks at in its parameter is looked at in the argument. */
static void look_alike(check *k, shunt_tree *place, const shunt_tree *parameter)
{
    place->node = place->node || parameter->node;
    for (const shunt_tree *below = parameter->first; below; below = below->next) {
        const shunt_fhir_element *e = shunt_fhir_element_find(place->type, below->name);
        shunt_tree               *same = put_below(k, place, below->name, below->only, below->type);
        same->list = below->list;
        same->leaf = below->leaf;
        same->phi = below->only.length ? shunt_fhir_phi_of(below->type)
                    : e                ? shunt_fhir_phi_enter(place->phi, e, below->type)
                                       : place->phi;
        look_alike(k, same, below);
    }
}

static shunt_text object_words(check *k, const shunt_tree *tree)
{
    return check_format(k, "%s", tree->leaf && tree->up ? tree->name.bytes : tree->type->name);
}

static void dict_help(check *k, shunt_diag *d, const shunt_tree *tree)
{
    bool r4 = strcmp(tree->version, "4.0.1") == 0;
    if (tree->type->kind != SHUNT_FHIR_PRIMITIVE)
        shunt_diag_help(k->diags, d, "`shunt dict %s%s%s` lists what it has", tree->type->name, r4 ? "" : " --guide ",
                        r4 ? "" : tree->version);
}

/* ---- names that are wrong ---- */

static void offer_elements(check *k, shunt_diag *d, const shunt_fhir_type *type, shunt_text name)
{
    shunt_suggest s;
    shunt_suggest_init(&s, name, name.length > 6 ? 3 : 2);
    for (uint32_t i = 0; i < type->element_count; i++)
        shunt_suggest_offer(&s, shunt_text_of(type->elements[i].name), shunt_text_of(type->elements[i].words), true, 0);
    shunt_text near = shunt_suggest_text(&s, k->arena);
    if (near.length) shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
}

/* `value` where valueMoney, valueString ... may be sent: what to write. Empty: it is no choice. */
static shunt_text choices_of(check *k, const shunt_fhir_type *type, shunt_text name, uint32_t *left)
{
    shunt_text names = { 0 };
    uint32_t   count = 0;
    for (uint32_t i = 0; i < type->element_count; i++) {
        const shunt_fhir_element *e = &type->elements[i];
        if (!e->choice || !shunt_text_is(name, e->choice) || count++ >= NAMES_SHOWN) continue;
        names = check_format(k, "%.*s%s`%s`", SHUNT_TEXT_ARGS(names), names.length ? ", " : "", e->name);
    }
    *left = count > NAMES_SHOWN ? count - NAMES_SHOWN : 0;
    return names;
}

/* `Bundle.entry.resource`: the one list of lists that is a list, for each entry holds one resource at most. */
static bool is_entry(const shunt_tree *tree)
{
    return tree->up && !tree->up->up && !tree->parameter && shunt_text_is(tree->name, "entry") &&
           strcmp(tree->up->type->name, "Bundle") == 0;
}

static void no_such_element(check *k, const shunt_ast *name, const shunt_tree *at)
{
    const shunt_fhir_type *type = at->type;
    uint32_t               left;
    if (strcmp(type->name, "Resource") == 0) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0202, name->span, "a resource of any type has no `%.*s`",
                                       SHUNT_TEXT_ARGS(name->text));
        shunt_diag_here(k->diags, d, "which resource is this?");
        if (at->list || (at->up && is_entry(at->up)))
            shunt_diag_help(k->diags, d, "say it where you loop: `for each x in %.*s where x.resourceType = \"Claim\"`",
                            SHUNT_TEXT_ARGS(shunt_tree_shown(k->arena, at, (shunt_text){ 0 })));
        else
            shunt_diag_help(k->diags, d, "say it: `.as(\"Claim\").%.*s`, which may be absent", SHUNT_TEXT_ARGS(name->text));
        return;
    }
    shunt_text  choices = choices_of(k, type, name->text, &left);
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0202, name->span, "%.*s has no `%.*s`", SHUNT_TEXT_ARGS(object_words(k, at)),
                                   SHUNT_TEXT_ARGS(name->text));
    if (choices.length) {
        shunt_diag_here(k->diags, d, "its name says which type was sent");
        if (left)
            shunt_diag_help(k->diags, d, "write one of %.*s and %u more", SHUNT_TEXT_ARGS(choices), left);
        else
            shunt_diag_help(k->diags, d, "write one of %.*s", SHUNT_TEXT_ARGS(choices));
        return;
    }
    offer_elements(k, d, type, name->text);
    for (size_t i = 0; i < SHUNT_COUNT(versions); i++)
        if (strcmp(versions[i], at->version) != 0 &&
            shunt_fhir_element_find(shunt_fhir_type_find(versions[i], shunt_text_of(type->name)), name->text))
            shunt_diag_help(k->diags, d, "FHIR %s has it, and `%.*s` reads %s", versions[i],
                            SHUNT_TEXT_ARGS(at->ref->source->name), at->version);
    dict_help(k, d, at);
}

static const shunt_fhir_type *resource_named(check *k, const shunt_ast *written, shunt_text name, const char *version)
{
    const shunt_fhir_type *type = shunt_fhir_type_find(version, name);
    if (shunt_fhir_is_resource(type)) return type;
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_E0202, written->span, "FHIR %s has no resource `%.*s`", version, SHUNT_TEXT_ARGS(name));
    shunt_suggest s;
    shunt_suggest_init(&s, name, 3);
    for (uint32_t i = 0; (type = shunt_fhir_type_at(version, i)); i++)
        if (shunt_fhir_is_resource(type)) shunt_suggest_offer(&s, shunt_text_of(type->name), (shunt_text){ 0 }, true, 0);
    shunt_text near = shunt_suggest_text(&s, k->arena);
    if (near.length) shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
    return NULL;
}

static stood several(check *k, const shunt_ast *node, const shunt_tree *at, shunt_text wanted)
{
    shunt_text  shown = short_text(k, node->kind == SHUNT_AST_MEMBER ? kid(node, SHUNT_MEMBER_of) : node);
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0212, node->span, "there may be several `%.*s`, and one is wanted",
                                   SHUNT_TEXT_ARGS(at->name));
    shunt_diag_here(k->diags, d, "`%.*s` is a list", SHUNT_TEXT_ARGS(at->name));
    shunt_diag_help(k->diags, d, "take the first: `%.*s.first.%.*s`, which may be absent", SHUNT_TEXT_ARGS(shown),
                    SHUNT_TEXT_ARGS(wanted));
    if (shunt_fhir_element_find(at->type, SHUNT_TEXT("system")))
        shunt_diag_help(k->diags, d, "or the first that fits: `%.*s[where it.system = \"...\"].first.%.*s`",
                        SHUNT_TEXT_ARGS(shown), SHUNT_TEXT_ARGS(wanted));
    shunt_diag_help(k->diags, d, "or loop over them: `for each x in %.*s { ... x.%.*s ... }`", SHUNT_TEXT_ARGS(shown),
                    SHUNT_TEXT_ARGS(wanted));
    return STOOD_REPORTED;
}

/* ---- steps ---- */

static void may_lack(steps *s, shunt_text why)
{
    s->optional = true;
    if (!s->why.length) s->why = why;
}

static bool too_deep(check *k, const shunt_ast *node, const shunt_tree *at)
{
    if (at->depth < SHUNT_TREE_DEPTH) return false;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0912, node->span, "a path leads at most %d levels down", SHUNT_TREE_DEPTH);
    shunt_diag_here(k->diags, d, "this one leads further");
    return true;
}

/* Down into the object or the list of them. */
static stood take_object(check *k, const shunt_ast *node, steps *s, const shunt_fhir_element *e, const shunt_fhir_type *type)
{
    shunt_text only = { 0 };
    bool       repeats = e->max != 1;
    if (too_deep(k, node, s->at)) return STOOD_REPORTED;
    if (node == k->narrow_list && strcmp(type->name, "Resource") == 0) {
        only = k->narrow_type->text;
        type = resource_named(k, k->narrow_type, only, s->at->version);
        if (!type) return STOOD_REPORTED;
        k->narrow_list->flags |= NODE_NARROWED;
    }
    shunt_tree *to = put_below(k, s->at, shunt_text_of(e->name), only, type);
    to->list = repeats;
    to->leaf = repeats && type->kind == SHUNT_FHIR_PRIMITIVE;
    to->phi = shunt_fhir_phi_enter(s->at->phi, e, type);
    if (!repeats && (e->min == 0 || e->choice))
        may_lack(s, e->choice ? check_format(k, "another type may be sent as `%s`", e->choice)
                              : check_format(k, "%.*s need not have `%s`", SHUNT_TEXT_ARGS(object_words(k, s->at)), e->name));
    s->at = to;
    s->list = s->list || repeats;
    return STOOD_OBJECT;
}

static stood take_element(check *k, const shunt_ast *node, const shunt_ast *name, steps *s)
{
    const shunt_fhir_element *e = shunt_fhir_element_find(s->at->type, name->text);
    if (shunt_text_is(name->text, "resourceType") && s->at->type->kind == SHUNT_FHIR_RESOURCE && !e) {
        s->name = name->text;
        s->element = NULL;
        s->type = NULL;
        return STOOD_VALUE;
    }
    if (!e) {
        no_such_element(k, name, s->at);
        return STOOD_REPORTED;
    }
    const shunt_fhir_type *type = shunt_fhir_type_find(s->at->version, shunt_text_of(e->type));
    if (!type || type->kind != SHUNT_FHIR_PRIMITIVE || e->max != 1) return type ? take_object(k, node, s, e, type) : STOOD_OTHER;
    s->name = shunt_text_of(e->name);
    s->element = e;
    s->type = type;
    if (e->choice)
        may_lack(s, check_format(k, "another type may be sent as `%s`", e->choice));
    else if (e->min == 0)
        may_lack(s, check_format(k, "%.*s need not have `%s`", SHUNT_TEXT_ARGS(object_words(k, s->at)), e->name));
    return STOOD_VALUE;
}

/* What stands beside a value: `birthDate.extension`. */
static stood take_beside(check *k, const shunt_ast *node, const shunt_ast *name, steps *s)
{
    static const shunt_fhir_element any = { .name = "", .type = "Element", .max = 1 };
    const shunt_fhir_type          *type = shunt_fhir_type_find(s->at->version, SHUNT_TEXT("Element"));
    if (!s->type || !type || !shunt_fhir_element_find(type, name->text)) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0202, name->span, "`%.*s` is a value and has no `%.*s`",
                                       SHUNT_TEXT_ARGS(s->name), SHUNT_TEXT_ARGS(name->text));
        shunt_diag_help(k->diags, d, "beside a value stand `id` and `extension` only");
        return STOOD_REPORTED;
    }
    if (too_deep(k, node, s->at)) return STOOD_REPORTED;
    shunt_tree *to = put_below(k, s->at, check_format(k, "_%.*s", SHUNT_TEXT_ARGS(s->name)), (shunt_text){ 0 }, type);
    to->phi = shunt_fhir_phi_enter(s->at->phi, &any, type);
    may_lack(s, check_format(k, "nothing need stand beside `%.*s`", SHUNT_TEXT_ARGS(s->name)));
    s->at = to;
    s->type = NULL;
    return take_element(k, node, name, s);
}

static stood walk(check *k, shunt_ast *node, steps *s);

static stood walk_member(check *k, shunt_ast *node, steps *s)
{
    shunt_ast *name = kid(node, SHUNT_MEMBER_name);
    stood      found = walk(k, kid(node, SHUNT_MEMBER_of), s);
    if (!name) return STOOD_REPORTED;
    if (found == STOOD_VALUE) return take_beside(k, node, name, s);
    if (found != STOOD_OBJECT) return found;
    if (s->list && s->at->leaf) {
        no_such_element(k, name, s->at);
        return STOOD_REPORTED;
    }
    if (s->list && !(is_entry(s->at) && shunt_text_is(name->text, "resource"))) {
        if (!shunt_fhir_element_find(s->at->type, name->text)) {
            no_such_element(k, name, s->at);
            return STOOD_REPORTED;
        }
        return several(k, node, s->at, name->text);
    }
    return take_element(k, node, name, s);
}

/* The resource that a reference names, or the one that stands here if it is of that type. */
static stood walk_method(check *k, shunt_ast *node, steps *s)
{
    shunt_ast *name = kid(node, SHUNT_METHOD_name), *args = kid(node, SHUNT_METHOD_args), *type_name = kid(args, 0);
    bool       resolve = name && shunt_text_is(name->text, "resolve");
    stood      found = walk(k, kid(node, SHUNT_METHOD_of), s);
    if (!name || found == STOOD_REPORTED || found == STOOD_OTHER) return found;
    if (!type_name || !args || args->kid_count != 1 || type_name->kind != SHUNT_AST_STRING) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0306, node->span, "`%.*s` takes the type of a resource", SHUNT_TEXT_ARGS(name->text));
        shunt_diag_help(k->diags, d, "write it like `.%.*s(\"Patient\")`", SHUNT_TEXT_ARGS(name->text));
        return STOOD_REPORTED;
    }
    const char *wanted = resolve ? "Reference" : "Resource";
    if (found != STOOD_OBJECT || strcmp(s->at->type->name, wanted) != 0) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0306, kid(node, SHUNT_METHOD_of)->span,
                           resolve ? "only a reference is resolved" : "only what may be any resource is taken as one");
        shunt_diag_help(k->diags, d, "write it behind %s",
                        resolve ? "a Reference: `claim.patient.resolve(\"Patient\")`"
                                : "`resource` of an entry: `e.resource.as(\"Claim\")`");
        return STOOD_REPORTED;
    }
    if (s->list) return several(k, node, s->at, name->text);
    if (!resolve && s->at == s->from) { /* it has been entered as any resource already */
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0306, node->span, "this is an item of a list, and may be any resource");
        shunt_diag_help(k->diags, d, "say what it is where the list is read: `where x.resourceType = \"%.*s\"`",
                        SHUNT_TEXT_ARGS(type_name->text));
        return STOOD_REPORTED;
    }
    const shunt_fhir_type *type = resource_named(k, type_name, type_name->text, s->at->version);
    if (!type || too_deep(k, node, s->at)) return STOOD_REPORTED;
    if (resolve)
        s->at = put_below(k, s->at, SHUNT_TEXT("resolve()"), type_name->text, type);
    else if (s->at->up)
        s->at = put_below(k, s->at->up, s->at->name, type_name->text, type);
    s->at->phi = shunt_fhir_phi_of(type);
    may_lack(s, resolve ? SHUNT_TEXT("what it refers to need not be at hand") : SHUNT_TEXT("it may be another resource"));
    return STOOD_OBJECT;
}

static bool is_item_name(const check *k, const shunt_ast *node)
{
    return node->kind == SHUNT_AST_NAME && k->level && k->level->is_it && shunt_text_is(node->text, "it");
}

static stood walk_name(check *k, shunt_ast *node, steps *s)
{
    bool          item = is_item_name(k, node);
    shunt_symbol *symbol = find_value(k, node->text);
    if (!symbol && item) symbol = k->level->variable;
    if (!symbol) {
        if (!reads_fhir(k) || !shunt_text_is(node->text, k->source->as.source->guides[0]->set)) return STOOD_OTHER;
        if (k->lost || !outside_of_the_map(k, node, node->text)) return STOOD_REPORTED;
        s->at = tree_root(k->source);
        return STOOD_OBJECT;
    }
    shunt_tree *tree = shunt_tree_of(&symbol->type);
    if (!tree) return STOOD_OTHER;
    *s = (steps){ .from = tree, .at = tree, .optional = symbol->type.optional, .given = symbol->type.phi };
    if (s->optional) s->why = check_format(k, "`%.*s` may be absent", SHUNT_TEXT_ARGS(node->text));
    if ((symbol->kind == SHUNT_SYMBOL_VARIABLE && !item) || symbol->kind == SHUNT_SYMBOL_PARAM) {
        s->start = symbol;
    } else {
        s->base = node;
        (void)check_expr(k, node, NULL);
    }
    return STOOD_OBJECT;
}

static stood walk(check *k, shunt_ast *node, steps *s)
{
    *s = (steps){ 0 };
    if (!node) return STOOD_REPORTED;
    if (node->kind == SHUNT_AST_NAME) return walk_name(k, node, s);
    if (node->kind == SHUNT_AST_MEMBER && kid(node, SHUNT_MEMBER_name) &&
        !shunt_text_is(kid(node, SHUNT_MEMBER_name)->text, "first"))
        return walk_member(k, node, s);
    if (node->kind == SHUNT_AST_METHOD) return walk_method(k, node, s);
    shunt_ty    type = check_expr(k, node, NULL);
    shunt_tree *tree = shunt_tree_of(&type);
    if (type.kind == SHUNT_TY_ERROR) return STOOD_REPORTED;
    if (!tree) return STOOD_OTHER;
    *s = (steps){ .base = node, .from = tree, .at = tree, .optional = type.optional, .given = type.phi };
    if (type.optional) s->why = SHUNT_TEXT("it may be absent");
    return STOOD_OBJECT;
}

/* ---- what a path gives ---- */

static uint32_t classes_of(check *k, uint32_t given, uint32_t classes)
{
    return given | (k->phase == PHASE_FUNCTION ? phi_constant(k, classes) : classes);
}

static shunt_path path_of(check *k, const steps *s, shunt_path_kind kind)
{
    if (s->start) k->levels |= decl_of(s->start)->levels;
    if (!s->start && !s->base) k->levels |= SET_LEVEL;
    return (shunt_path){ .kind = kind,
                         .base = s->base,
                         .start = s->start,
                         .loop = s->at->ref,
                         .required = !s->optional,
                         .shown = shunt_tree_shown(k->arena, s->at, s->name) };
}

static shunt_ty path_with_words(check *k, shunt_ast *node, const shunt_path *path, shunt_text why, shunt_ty type)
{
    described_path *p = NEW(k, described_path);
    *p = (described_path){ .path = *path, .why = why, .origin = path->shown };
    return path_fact(k, node, p, type);
}

static bool money_type(check *k, const shunt_ast *node, const shunt_tree *at, shunt_ty *type)
{
    uint8_t                  scale = 2;
    const shunt_source_info *info = info_of(at);
    if (!info->currency[0]) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0305, at->ref->source->span, "source `%.*s` does not say its `currency`",
                                       SHUNT_TEXT_ARGS(at->ref->source->name));
        shunt_diag_also(k->diags, d, node->span, "`%.*s` is an amount",
                        SHUNT_TEXT_ARGS(shunt_tree_shown(k->arena, at, (shunt_text){ 0 })));
        shunt_diag_help(k->diags, d, "add a setting to the source: `{ currency: USD }`");
        return false;
    }
    (void)shunt_currency_find(shunt_text_of(info->currency), &scale);
    *type = shunt_ty_money(info->currency, scale);
    return true;
}

static shunt_ty primitive_type(const steps *s)
{
    if (!s->type) return shunt_ty_text(0, false);
    switch ((shunt_value_type)s->type->value) {
    case SHUNT_VALUE_CODE: {
        shunt_ty type = shunt_ty_plain(SHUNT_TY_CODE);
        type.codes = s->element ? s->element->codes : NULL;
        return type;
    }
    case SHUNT_VALUE_DECIMAL: {
        bool amount = strcmp(s->at->type->name, "Money") == 0;
        return shunt_ty_decimal(0, amount ? MONEY_SCALE : DECIMAL_SCALE);
    }
    case SHUNT_VALUE_INT: return shunt_ty_plain(SHUNT_TY_INT);
    case SHUNT_VALUE_DATE: return shunt_ty_plain(SHUNT_TY_DATE);
    case SHUNT_VALUE_MOMENT: return shunt_ty_plain(SHUNT_TY_MOMENT);
    case SHUNT_VALUE_TIME: return shunt_ty_plain(SHUNT_TY_TIME);
    case SHUNT_VALUE_BOOL: return shunt_ty_plain(SHUNT_TY_BOOL);
    default: return shunt_ty_text(0, false);
    }
}

static bool finish_value(check *k, shunt_ast *node, const steps *s, shunt_ty *type)
{
    shunt_path path = path_of(k, s, SHUNT_PATH_VALUE);
    uint32_t   classes = s->element ? shunt_fhir_phi_enter(s->at->phi, s->element, s->type).classes : 0;
    path.name = s->name;
    path.value_type = s->type ? (shunt_value_type)s->type->value : SHUNT_VALUE_TEXT;
    *type = primitive_type(s);
    type->phi = classes_of(k, s->given, classes);
    type->optional = s->optional;
    *type = path_with_words(k, node, &path, s->why, *type);
    return true;
}

/* An item of a list of primitives, read as its value. */
static bool finish_leaf(check *k, shunt_ast *node, steps *s, shunt_ty *type)
{
    shunt_path path = path_of(k, s, SHUNT_PATH_VALUE);
    s->type = s->at->type;
    path.name = SHUNT_TEXT("value");
    path.value_type = (shunt_value_type)s->type->value;
    *type = primitive_type(s);
    type->phi = classes_of(k, s->given, s->at->phi.classes);
    type->optional = s->optional;
    *type = path_with_words(k, node, &path, s->why, *type);
    return true;
}

/* Money is read as an amount: its value, in the currency of the source. */
static bool finish_money(check *k, shunt_ast *node, const steps *s, shunt_ty *type)
{
    shunt_path                path = path_of(k, s, SHUNT_PATH_VALUE);
    const shunt_fhir_element *value = shunt_fhir_element_find(s->at->type, SHUNT_TEXT("value"));
    const shunt_fhir_type    *decimal = shunt_fhir_type_find(s->at->version, SHUNT_TEXT("decimal"));
    if (!value || !decimal || !money_type(k, node, s->at, type)) return false;
    path.name = SHUNT_TEXT("value");
    path.value_type = SHUNT_VALUE_DECIMAL;
    path.currency = true;
    path.required = false;
    type->phi = classes_of(k, s->given, shunt_fhir_phi_enter(s->at->phi, value, decimal).classes);
    type->optional = true;
    shunt_text why = s->why.length ? s->why : SHUNT_TEXT("an amount need not have a value");
    *type = path_with_words(k, node, &path, why, *type);
    return true;
}

/* What is outside of the units is read when all of it has come; the entries themselves come one by one. */
static bool at_hand(check *k, const shunt_ast *node, const steps *s)
{
    const shunt_tree *streamed = NULL;
    if (s->base || s->start) return true;
    for (const shunt_tree *t = s->at; t; t = t->up)
        if (is_entry(t)) streamed = t;
    if (!streamed) return true;
    shunt_text  shown = shunt_tree_shown(k->arena, s->at, s->name);
    bool        ends = k->phase == PHASE_END;
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_E0601, node->span,
                       ends ? "`%.*s` is gone when this runs" : "`%.*s` has not arrived when this runs", SHUNT_TEXT_ARGS(shown));
    shunt_diag_here(k->diags, d,
                    k->phase == PHASE_UNIT ? "one entry at a time is at hand"
                    : ends                 ? "each entry was let go when it was done"
                                           : "entries come one by one, after this");
    if (k->phase == PHASE_UNIT)
        shunt_diag_help(k->diags, d, "what a reference names is read by `resolve`: `x.patient.resolve(\"Patient\")`");
    else
        shunt_diag_help(k->diags, d, "keep what you need in a `tally`, and read it in `at end`");
    return false;
}

static shunt_ty list_type(check *k, const steps *s)
{
    shunt_ty *item = NEW(k, shunt_ty);
    s->at->node = true;
    *item = (shunt_ty){ .kind = SHUNT_TY_NODE, .loop = s->at->ref, .phi = s->given };
    return (shunt_ty){ .kind = SHUNT_TY_LIST, .item = item, .loop = s->at->ref };
}

static bool finish_object(check *k, shunt_ast *node, steps *s, shunt_ty *type)
{
    if (!at_hand(k, node, s)) return false;
    if (!s->list && s->at->leaf) return finish_leaf(k, node, s, type);
    if (!s->list && strcmp(s->at->type->name, "Money") == 0) return finish_money(k, node, s, type);
    shunt_path path = path_of(k, s, s->list ? SHUNT_PATH_LIST : SHUNT_PATH_ONE);
    if (s->list) {
        *type = list_type(k, s);
    } else {
        s->at->node = true;
        *type = (shunt_ty){ .kind = SHUNT_TY_NODE, .loop = s->at->ref, .optional = s->optional, .phi = s->given };
    }
    *type = path_with_words(k, node, &path, s->why, *type);
    return true;
}

/* True where the node begins in a tree: then what follows is a path in it. */
static bool begins_in_tree(check *k, shunt_ast *node)
{
    shunt_ast *name = node->kind == SHUNT_AST_MEMBER ? kid(node, SHUNT_MEMBER_name) : NULL;
    switch (node->kind) {
    case SHUNT_AST_NAME: {
        shunt_symbol *symbol = find_value(k, node->text);
        if (!symbol && is_item_name(k, node)) symbol = k->level->variable;
        if (symbol) return shunt_tree_of(&symbol->type) != NULL;
        return reads_fhir(k) && shunt_text_is(node->text, k->source->as.source->guides[0]->set);
    }
    case SHUNT_AST_MEMBER: {
        if (!name) return false;
        if (!shunt_text_is(name->text, "first"))
            return kid(node, SHUNT_MEMBER_of) && begins_in_tree(k, kid(node, SHUNT_MEMBER_of));
        break;
    }
    case SHUNT_AST_METHOD:
        name = kid(node, SHUNT_METHOD_name);
        if (!name || !(shunt_text_is(name->text, "resolve") || shunt_text_is(name->text, "as"))) return false;
        return kid(node, SHUNT_METHOD_of) && begins_in_tree(k, kid(node, SHUNT_METHOD_of));
    case SHUNT_AST_INDEX: return kid(node, SHUNT_INDEX_of) && begins_in_tree(k, kid(node, SHUNT_INDEX_of));
    case SHUNT_AST_OTHERWISE:
    case SHUNT_AST_IF_EXPR:
    case SHUNT_AST_CHOOSE: break;
    default: return false;
    }
    shunt_ty type = check_expr(k, node, NULL);
    return shunt_tree_of(&type) != NULL;
}

bool tree_path(check *k, shunt_ast *node, bool list, shunt_ty *type)
{
    steps s;
    bool  path = node->kind == SHUNT_AST_NAME || node->kind == SHUNT_AST_MEMBER || node->kind == SHUNT_AST_METHOD;
    (void)list;
    if (!path || !begins_in_tree(k, node)) return false;
    stood found = walk(k, node, &s);
    bool  fine = false;
    if (found == STOOD_OTHER) return false;
    if (found == STOOD_OBJECT && node->kind == SHUNT_AST_NAME && (s.base == node || s.start)) return false; /* a symbol */
    if (found == STOOD_VALUE)
        fine = at_hand(k, node, &s) && finish_value(k, node, &s, type);
    else if (found == STOOD_OBJECT)
        fine = finish_object(k, node, &s, type);
    if (!fine) *type = check_typed(k, node, ty_error());
    return true;
}

bool tree_index(check *k, shunt_ast *node, shunt_ty *type)
{
    shunt_ast *of = kid(node, SHUNT_INDEX_of), *keys = kid(node, SHUNT_INDEX_keys), *key = kid(keys, 0);
    if (!of || !key || !begins_in_tree(k, of)) return false;
    shunt_ty list = check_list(k, of, NULL);
    *type = ty_error();
    if (shunt_ty_is_error(&list)) return true;
    if (list.kind != SHUNT_TY_LIST || key->kind != SHUNT_AST_INT || keys->kid_count != 1 || kid(node, SHUNT_INDEX_at)) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0306, node->span, "only an item of a list is picked, by its number");
        shunt_diag_help(k->diags, d,
                        "write it like `identifier[1]`, or filter the list: `identifier[where it.system = \"...\"]`");
        return true;
    }
    (void)check_expr(k, key, NULL);
    const shunt_fact *number = shunt_fact_of(key);
    if (!number || number->number < 1 || number->number > UINT16_MAX) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0306, key->span, "items are counted from 1");
        shunt_diag_help(k->diags, d, "the first one is `[1]`, or `.first`");
        return true;
    }
    shunt_fact *fact = check_fact(k, node);
    fact->kind = SHUNT_FACT_FIRST;
    fact->member = (uint32_t)number->number;
    *type = *list.item;
    type->optional = true;
    type->phi |= list.phi;
    (void)tree_item(k, node, type);
    return true;
}

bool tree_item(check *k, shunt_ast *node, shunt_ty *type)
{
    shunt_tree *tree = shunt_tree_of(type);
    if (!tree || !tree->leaf) return false;
    steps             s = { .at = tree, .optional = type->optional, .given = type->phi };
    const shunt_fact *fact = shunt_fact_of(node);
    if (s.optional) s.why = SHUNT_TEXT("a list may be empty");
    if (fact && fact->kind == SHUNT_FACT_SYMBOL && fact->symbol->kind == SHUNT_SYMBOL_VARIABLE) {
        s.start = fact->symbol;
    } else { /* the node stays what gives the item; what reads it takes its place in the tree */
        shunt_ast *item = NEW(k, shunt_ast);
        *item = *node;
        item->flags |= NODE_CHECKED;
        item->fact = NULL;
        shunt_fact *kept = check_fact(k, item);
        if (fact) *kept = *fact;
        (void)check_typed(k, item, *type);
        s.base = item;
    }
    return finish_leaf(k, node, &s, type);
}

/* ---- units, and filters that say which resource is meant ---- */

static bool is_type_test(const shunt_ast *node, shunt_text variable, const shunt_ast **type)
{
    if (node->kind != SHUNT_AST_BINARY || !shunt_text_is(node->text, "=")) return false;
    for (uint32_t i = 0; i < 2; i++) {
        const shunt_ast *path = node->kids[i], *text = node->kids[1 - i];
        if (!path || !text || path->kind != SHUNT_AST_MEMBER || text->kind != SHUNT_AST_STRING) continue;
        const shunt_ast *of = kid(path, SHUNT_MEMBER_of), *name = kid(path, SHUNT_MEMBER_name);
        if (!of || !name || of->kind != SHUNT_AST_NAME || !shunt_text_equal(of->text, variable)) continue;
        if (!shunt_text_is(name->text, "resourceType")) continue;
        *type = text;
        return true;
    }
    return false;
}

/* The part of the condition that says it, joined to the others by `and`. */
static shunt_ast *find_type_test(shunt_ast *where, shunt_text variable, const shunt_ast **type)
{
    if (!where) return NULL;
    if (is_type_test(where, variable, type)) return where;
    if (where->kind != SHUNT_AST_BINARY || !shunt_text_is(where->text, "and")) return NULL;
    shunt_ast *left = find_type_test(kid(where, SHUNT_BINARY_left), variable, type);
    return left ? left : find_type_test(kid(where, SHUNT_BINARY_right), variable, type);
}

void tree_narrow(check *k, shunt_ast *list, shunt_ast *where, shunt_text variable, narrowing *kept)
{
    const shunt_ast *type = NULL;
    *kept = (narrowing){ k->narrow_list, k->narrow_type, NULL };
    k->narrow_list = NULL;
    if (!list || list->kind != SHUNT_AST_MEMBER || !where || list->flags & NODE_CHECKED) return;
    shunt_ast *test = find_type_test(where, variable, &type);
    if (!test || !begins_in_tree(k, list)) return;
    k->narrow_list = list;
    k->narrow_type = type;
    kept->test = test;
}

void tree_narrowed(check *k, narrowing *kept)
{
    if (kept->test && k->narrow_list && k->narrow_list->flags & NODE_NARROWED) {
        kept->test->kind = SHUNT_AST_TRUE; /* the reader passes over all others */
        kept->test->text = SHUNT_TEXT("true");
        kept->test->kid_count = 0;
    }
    k->narrow_list = kept->list;
    k->narrow_type = kept->type;
}

const shunt_loop_ref *tree_unit_loop(check *k, shunt_ast *list, bool *reported)
{
    steps                    s = { 0 };
    const shunt_source_info *info = k->source->as.source;
    const char              *set = info->guides[0]->set;
    bool                     bundle = strcmp(set, "Bundle") == 0;
    *reported = false;
    if (!list) return NULL;
    bool  named = list->kind == SHUNT_AST_NAME && shunt_text_equal(list->text, k->source->name);
    phase before = k->phase;
    k->phase = PHASE_UNIT;
    stood found = named ? STOOD_OBJECT : begins_in_tree(k, list) ? walk(k, list, &s) : STOOD_OTHER;
    k->phase = before;
    if (named) s.at = tree_root(k->source);
    *reported = true;
    if (found == STOOD_REPORTED) return NULL;
    bool whole = found == STOOD_OBJECT && s.at && !s.at->up && !s.at->parameter && !s.base && !s.start;
    bool entry = found == STOOD_OBJECT && s.list && !s.base && !s.start && (is_entry(s.at) || (s.at->up && is_entry(s.at->up)));
    if (!whole && !(bundle && entry)) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0606, list->span, "a map goes over %s",
                                       bundle ? "the entries of a Bundle" : "whole resources");
        shunt_diag_here(k->diags, d, bundle ? "these are no entries" : "this is a part of one");
        if (bundle)
            shunt_diag_help(k->diags, d, "write `for each x in Bundle.entry.resource where x.resourceType = \"Claim\" { ... }`");
        else
            shunt_diag_help(k->diags, d, "write `for each x in %.*s { ... }`; other lists stand inside it",
                            SHUNT_TEXT_ARGS(k->source->name));
        return NULL;
    }
    *reported = false;
    s.list = true;
    shunt_path path = path_of(k, &s, SHUNT_PATH_LIST);
    (void)path_with_words(k, list, &path, (shunt_text){ 0 }, list_type(k, &s));
    return s.at->ref;
}

/* ---- sources ---- */

shunt_tree *tree_root(const shunt_symbol *source) { return source->as.source->tree; }

static const shunt_loop no_segments = { .id = "", .name = "", .max = 1 };

bool fhir_guides(check *k, shunt_ast *node, shunt_source_info *info)
{
    shunt_ast *args = kid(node, SHUNT_SOURCE_args), *type_name = kid(args, 0), *list = kid(args, 1);
    shunt_ast *kind = kid(node, SHUNT_SOURCE_kind);
    if (!type_name || type_name->kind != SHUNT_AST_NAME) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0201, kind->span, "the source does not say which resource it reads");
        shunt_diag_help(k->diags, d, "write resource and version: `FHIR Bundle \"4.0.1\"`, or `FHIR Claim \"4.0.1\"`");
        return false;
    }
    if (!list || list->kind != SHUNT_AST_LIST || !list->kid_count) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0201, type_name->span, "the source does not say which version it reads");
        shunt_diag_help(k->diags, d, "known versions: \"4.0.1\", \"5.0.0\"");
        return false;
    }
    const shunt_ast *further = list->kid_count > 1 ? list->kids[1] : args->kid_count > 2 ? args->kids[2] : NULL;
    if (further) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0201, further->span, "a FHIR source reads one version of one resource");
        shunt_diag_help(k->diags, d, "write a source and a map for each");
        return false;
    }
    const char *version = shunt_fhir_version(list->kids[0]->text);
    if (!version) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0201, list->kids[0]->span, "there is no dictionary for FHIR %.*s",
                                       SHUNT_TEXT_ARGS(list->kids[0]->text));
        shunt_diag_help(k->diags, d, "known versions: \"4.0.1\", \"5.0.0\"");
        return false;
    }
    const shunt_fhir_type *type = shunt_fhir_type_find(version, type_name->text);
    if (!shunt_fhir_is_resource(type)) {
        shunt_diag   *d = shunt_diag_add(k->diags, SHUNT_E0201, type_name->span, "FHIR %s has no resource %.*s", version,
                                         SHUNT_TEXT_ARGS(type_name->text));
        shunt_suggest s;
        shunt_suggest_init(&s, type_name->text, 3);
        for (uint32_t i = 0; (type = shunt_fhir_type_at(version, i)); i++)
            if (shunt_fhir_is_resource(type)) shunt_suggest_offer(&s, shunt_text_of(type->name), (shunt_text){ 0 }, true, 0);
        shunt_text near = shunt_suggest_text(&s, k->arena);
        if (near.length) shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
        return false;
    }
    shunt_guide *guide = NEW(k, shunt_guide);
    *guide = (shunt_guide){ .standard = SHUNT_STANDARD_FHIR,
                            .set = type->name,
                            .version = version,
                            .family = version,
                            .functional_id = "",
                            .name = type->words,
                            .health_care = true,
                            .body = &no_segments };
    info->guides = NEW_N(k, const shunt_guide *, 1);
    info->guides[info->guide_count++] = guide;
    return true;
}

void fhir_root(check *k, shunt_symbol *source)
{
    shunt_source_info     *info = source->as.source;
    const shunt_guide     *guide = info->guides[0];
    const shunt_fhir_type *type = shunt_fhir_type_find(guide->version, shunt_text_of(guide->set));
    info->tree = new_tree(k, source, guide->version, type);
    info->tree->node = true;
    info->tree->phi = shunt_fhir_phi_of(type);
}

/* ---- FHIR_InvoiceLine: a part of the message as a parameter ---- */

/* "Invoice.lineItem" as a name: "InvoiceLineItem". */
static uint32_t type_words(const char *type, char words[static 128])
{
    uint32_t length = 0;
    bool     upper = true;
    for (const char *c = type; *c && length < 127; c++) {
        if (*c == '.') {
            upper = true;
            continue;
        }
        words[length++] = upper && *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
        upper = false;
    }
    words[length] = 0;
    return length;
}

static bool begins_words(const char *words, uint32_t length, shunt_text name)
{
    return length > name.length && memcmp(words, name.bytes, name.length) == 0 && words[name.length] >= 'A' &&
           words[name.length] <= 'Z';
}

/* The type that the name means: its own, or the one it begins where all others that it begins lie inside that one. */
static const shunt_fhir_type *type_named(const char *version, shunt_text name)
{
    const shunt_fhir_type *best = NULL, *type;
    char                   words[128];
    bool                   several_mean = false;
    for (uint32_t i = 0; (type = shunt_fhir_type_at(version, i)); i++) {
        uint32_t length = type_words(type->name, words);
        if (type->kind == SHUNT_FHIR_PRIMITIVE) continue;
        if (shunt_text_equal(name, (shunt_text){ words, length })) return type;
        if (!begins_words(words, length, name) || type->kind != SHUNT_FHIR_BACKBONE) continue;
        size_t outer = best ? strlen(best->name) : 0;
        if (!best)
            best = type;
        else if (strncmp(best->name, type->name, outer) != 0 || type->name[outer] != '.')
            several_mean = true;
    }
    return several_mean ? NULL : best;
}

/* The source whose messages hold it: the one of that resource, else a Bundle, else the first. */
static shunt_symbol *source_with(check *k, shunt_text name)
{
    shunt_symbol *found = NULL;
    uint32_t      rank = 0;
    for (uint32_t i = 0; i < k->symbols.count; i++) {
        shunt_symbol *symbol = k->symbols.items[i];
        if (symbol->kind != SHUNT_SYMBOL_SOURCE || !symbol->as.source || !symbol->as.source->tree) continue;
        const char *set = symbol->as.source->guides[0]->set;
        uint32_t    r = shunt_text_starts(name, shunt_text_of(set)) ? 3 : strcmp(set, "Bundle") == 0 ? 2 : 1;
        if (symbol->module == k->module->number) r += 3;
        if (r <= rank) continue;
        rank = r;
        found = symbol;
    }
    return found;
}

/* Classes of what a resource or a part of one holds follow from where it stands; those of a data type from the argument. */
static shunt_fhir_phi phi_at(const char *version, const char *path)
{
    const char            *end = strchr(path, '.');
    const shunt_fhir_type *type =
        shunt_fhir_type_find(version, (shunt_text){ path, end ? (uint32_t)(end - path) : (uint32_t)strlen(path) });
    if (!type || type->kind != SHUNT_FHIR_RESOURCE) return (shunt_fhir_phi){ .listed = 1 };
    shunt_fhir_phi phi = shunt_fhir_phi_of(type);
    while (end && type) {
        const char *name = end + 1;
        end = strchr(name, '.');
        const shunt_fhir_element *e =
            shunt_fhir_element_find(type, (shunt_text){ name, end ? (uint32_t)(end - name) : (uint32_t)strlen(name) });
        type = e ? shunt_fhir_type_find(version, shunt_text_of(e->type)) : NULL;
        if (type) phi = shunt_fhir_phi_enter(phi, e, type);
    }
    return phi;
}

bool fhir_type(check *k, const shunt_ast *name, shunt_ty *type)
{
    static const shunt_text prefix = { "FHIR_", 5 };
    if (!shunt_text_starts(name->text, prefix) || name->text.length == prefix.length) return false;
    shunt_text    rest = { name->text.bytes + prefix.length, name->text.length - prefix.length };
    shunt_symbol *source = source_with(k, rest);
    *type = ty_error();
    if (!source) {
        if (k->module->unread || k->module->incomplete) return true;
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0207, name->span,
                                       "there is no FHIR source that `%.*s` could be a part of", SHUNT_TEXT_ARGS(name->text));
        shunt_diag_help(k->diags, d, "declare it in this file: `source NAME is FHIR Bundle \"4.0.1\"`");
        return true;
    }
    const char            *version = source->as.source->guides[0]->version;
    const shunt_fhir_type *found = type_named(version, rest);
    if (!found) {
        shunt_diag   *d = shunt_diag_add(k->diags, SHUNT_E0207, name->span, "FHIR %s has nothing that is called `%.*s`", version,
                                         SHUNT_TEXT_ARGS(rest));
        shunt_suggest s;
        const shunt_fhir_type *one;
        char                   words[128];
        shunt_suggest_init(&s, name->text, 4);
        for (uint32_t i = 0; (one = shunt_fhir_type_at(version, i)); i++) {
            (void)type_words(one->name, words);
            shunt_suggest_offer(&s, check_format(k, "FHIR_%s", words), (shunt_text){ 0 }, true, 0);
        }
        shunt_text near = shunt_suggest_text(&s, k->arena);
        if (near.length) shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
        shunt_diag_help(k->diags, d, "it is FHIR_, and the path in words: `FHIR_InvoiceLineItem` for Invoice.lineItem");
        return true;
    }
    if (k->phase != PHASE_FUNCTION) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0303, name->span, "`%.*s` is a part of the message, no value",
                                       SHUNT_TEXT_ARGS(name->text));
        shunt_diag_help(k->diags, d, "only a parameter of a function can be one");
        return true;
    }
    shunt_tree *tree = new_tree(k, source, version, found);
    tree->ref->id = shunt_text_of(found->name);
    tree->parameter = tree->node = true;
    tree->phi = phi_at(version, found->name);
    *type = (shunt_ty){ .kind = SHUNT_TY_NODE, .loop = tree->ref };
    return true;
}

/* All that an object of the type may carry, where nothing around it says. */
static uint32_t all_classes(const char *version, const shunt_fhir_type *type, unsigned depth)
{
    uint32_t classes = 0;
    for (uint32_t i = 0; type && i < type->element_count && depth; i++) {
        const shunt_fhir_element *e = &type->elements[i];
        classes |= e->phi;
        if (strcmp(e->type, "Extension") == 0) continue;
        classes |= all_classes(version, shunt_fhir_type_find(version, shunt_text_of(e->type)), depth - 1);
    }
    return classes;
}

bool tree_argument(check *k, const shunt_ast *node, const shunt_symbol *param, const shunt_ty *given, uint32_t *classes)
{
    shunt_tree *parameter = shunt_tree_of(&param->type), *place = shunt_tree_of(given);
    if (!parameter || !place) return true;
    const shunt_source_info *have = info_of(place), *taken = info_of(parameter);
    if (strcmp(place->version, parameter->version) != 0 || strcmp(have->currency, taken->currency) != 0) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0303, node->span, "`%.*s` is taken as FHIR %s%s%s, as source `%.*s` has it",
                           SHUNT_TEXT_ARGS(param->name), parameter->version, taken->currency[0] ? " in " : "", taken->currency,
                           SHUNT_TEXT_ARGS(parameter->ref->source->name));
        shunt_diag_here(k->diags, d, "a part of source `%.*s`, FHIR %s%s%s", SHUNT_TEXT_ARGS(place->ref->source->name),
                        place->version, have->currency[0] ? " in " : "", have->currency);
        shunt_diag_also(k->diags, d, param->span, "the parameter");
        shunt_diag_help(k->diags, d, "put each source with its functions and maps in a module of its own");
        return false;
    }
    look_alike(k, place, parameter);
    if (parameter->type->kind == SHUNT_FHIR_COMPLEX) {
        uint32_t carried = place->phi.open     ? 0
                           : place->phi.listed ? place->phi.classes
                                               : all_classes(place->version, place->type, 4);
        *classes |= k->phase == PHASE_FUNCTION ? phi_constant(k, carried) : carried;
    }
    return true;
}

void tree_values_help(check *k, shunt_diag *d, const shunt_ast *node, const shunt_ty *type)
{
    const shunt_tree *tree = shunt_tree_of(type);
    shunt_text        names = { 0 }, shown = short_text(k, node);
    uint32_t          count = 0;
    if (!tree || tree->leaf || shown.bytes[0] == '.') return;
    for (uint32_t i = 0; i < tree->type->element_count && count < 4; i++) {
        const shunt_fhir_element *e = &tree->type->elements[i];
        const shunt_fhir_type    *of = shunt_fhir_type_find(tree->version, shunt_text_of(e->type));
        if (e->max != 1 || !of || of->kind != SHUNT_FHIR_PRIMITIVE || strcmp(e->name, "id") == 0) continue;
        names = check_format(k, "%.*s%s`%.*s.%s`", SHUNT_TEXT_ARGS(names), count++ ? ", " : "", SHUNT_TEXT_ARGS(shown), e->name);
    }
    if (count) shunt_diag_help(k->diags, d, "name what you want of it: %.*s", SHUNT_TEXT_ARGS(names));
}

bool tree_hint(check *k, const shunt_ast *name)
{
    for (uint32_t i = 0; !k->source && i < k->symbols.count; i++) {
        const shunt_symbol *source = k->symbols.items[i];
        if (source->kind == SHUNT_SYMBOL_SOURCE && source->as.source && source->as.source->tree &&
            shunt_text_is(name->text, source->as.source->guides[0]->set))
            return !outside_of_the_map(k, name, name->text);
    }
    if (!reads_fhir(k)) return false;
    const shunt_guide *guide = k->source->as.source->guides[0];
    if (!shunt_fhir_is_resource(shunt_fhir_type_find(guide->version, name->text))) return false;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0202, name->span, "`%.*s` reads %s, a path does not begin with `%.*s`",
                                   SHUNT_TEXT_ARGS(k->source->name), guide->set, SHUNT_TEXT_ARGS(name->text));
    if (strcmp(guide->set, "Bundle") == 0)
        shunt_diag_help(k->diags, d, "go over them: `for each x in Bundle.entry.resource where x.resourceType = \"%.*s\"`",
                        SHUNT_TEXT_ARGS(name->text));
    else
        shunt_diag_help(k->diags, d, "begin with `%s`", guide->set);
    return true;
}
