/* Overlays: companion guides of payers and sites. What one changes is linked to the declarations that it changes before any body is
 * checked; its blocks become a part of the steps that they stand around, so that all that holds for a map holds for them. */
#include "dsl/check.h"
#include "dsl/decide.h"

/* ---- names ---- */

static module *module_named(check *k, shunt_text name)
{
    for (uint32_t i = 0; i < k->order.count; i++) {
        module          *m = &k->modules[k->order.items[i]];
        const shunt_ast *own = kid(m->info->tree, SHUNT_MODULE_name);
        if (own && shunt_text_equal(own->text, name)) return m;
    }
    return NULL;
}

static void no_such_module(check *k, const shunt_ast *name)
{
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_E0213, name->span, "there is no module `%.*s` here", SHUNT_TEXT_ARGS(name->text));
    shunt_suggest s;
    shunt_suggest_init(&s, name->text, 2);
    for (uint32_t i = 0; i < k->order.count; i++) {
        const shunt_ast *own = kid(k->modules[k->order.items[i]].info->tree, SHUNT_MODULE_name);
        if (own) shunt_suggest_offer(&s, own->text, (shunt_text){ 0 }, true, 0);
    }
    shunt_text near = shunt_suggest_text(&s, k->arena);
    if (near.length)
        shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
    else
        shunt_diag_help(k->diags, d, "import the file that it stands in: `import \"remit.map\"`");
}

static bool is_open(const shunt_symbol *symbol)
{
    shunt_text text = symbol->decl->text;
    return shunt_text_is(text, "open") || shunt_text_starts(text, SHUNT_TEXT("open "));
}

static bool is_of_kind(const shunt_symbol *symbol, const char *what)
{
    if (strcmp(what, "let") == 0) return symbol->kind == SHUNT_SYMBOL_CONSTANT;
    if (strcmp(what, "table") == 0) return symbol->kind == SHUNT_SYMBOL_TABLE;
    return symbol->kind == SHUNT_SYMBOL_FUNCTION && symbol->decl->kind == SHUNT_AST_DECIDE;
}

/* What is to be changed: a declaration of the base, of that kind, and open. NULL: reported. */
static shunt_symbol *opened(check *k, const shunt_overlay *overlay, shunt_ast *name, const char *what)
{
    const module *base = &k->modules[overlay->base];
    shunt_symbol *symbol = shunt_scope_find(&base->values, name->text);
    if (symbol && symbol->module == base->number && is_of_kind(symbol, what)) {
        symbol->used = true;
        if (decl_of(symbol)->unread) return NULL;
        if (is_open(symbol)) return symbol;
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0930, name->span, "`%.*s` is not open to overlays", SHUNT_TEXT_ARGS(name->text));
        shunt_diag_also(k->diags, d, symbol->span, "declared here");
        shunt_diag_note(k->diags, d, "the author of the module decides what a companion guide may change");
        shunt_diag_help(k->diags, d, "write `open %s %.*s` there, if that is you", what, SHUNT_TEXT_ARGS(name->text));
        return NULL;
    }
    const shunt_ast *own = kid(base->info->tree, SHUNT_MODULE_name);
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0207, name->span, "module %.*s has no %s `%.*s`", SHUNT_TEXT_ARGS(own->text),
                                   what, SHUNT_TEXT_ARGS(name->text));
    shunt_suggest s;
    shunt_suggest_init(&s, name->text, 2);
    for (uint32_t i = 0; i < base->own.count; i++)
        if (is_of_kind(base->own.items[i], what) && is_open(base->own.items[i]))
            shunt_suggest_offer(&s, base->own.items[i]->name, (shunt_text){ 0 }, true, 0);
    shunt_text near = shunt_suggest_text(&s, k->arena);
    if (near.length) shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
    return NULL;
}

/* ---- which overlays can be active at once ---- */

enum { CONJUNCTS = 16 };

static uint32_t conjuncts(shunt_ast *node, shunt_ast *found[static CONJUNCTS], uint32_t count)
{
    if (node && node->kind == SHUNT_AST_BINARY && shunt_text_is(node->text, "and")) {
        count = conjuncts(kid(node, SHUNT_BINARY_left), found, count);
        return conjuncts(kid(node, SHUNT_BINARY_right), found, count);
    }
    if (node && count < CONJUNCTS) found[count++] = node;
    return count;
}

/* `X = "a"` and `X in ("a", "b")`: the subject, and the literals as a list. */
static bool names_values(shunt_ast *test, shunt_ast **subject, shunt_ast *const **values, uint32_t *count)
{
    if (test->kind == SHUNT_AST_BINARY && shunt_text_is(test->text, "=")) {
        *subject = kid(test, SHUNT_BINARY_left);
        *values = &test->kids[SHUNT_BINARY_right];
        *count = 1;
    } else if (test->kind == SHUNT_AST_IN && shunt_text_is(test->text, "in")) {
        const shunt_ast *list = kid(test, SHUNT_IN_list);
        *subject = kid(test, SHUNT_IN_value);
        *values = list ? list->kids : NULL;
        *count = list ? list->kid_count : 0;
    } else {
        return false;
    }
    for (uint32_t i = 0; i < *count; i++)
        if (!(*values)[i] || (*values)[i]->kind != SHUNT_AST_STRING) return false;
    return *subject != NULL && *count > 0;
}

static bool tests_exclude(check *k, shunt_ast *a, shunt_ast *b)
{
    shunt_ast        *x, *y;
    shunt_ast *const *as, *const *bs;
    uint32_t a_count, b_count;
    if (!names_values(a, &x, &as, &a_count) || !names_values(b, &y, &bs, &b_count)) return false;
    if (!shunt_text_equal(source_text(k, x->span), source_text(k, y->span))) return false;
    for (uint32_t i = 0; i < a_count; i++)
        for (uint32_t j = 0; j < b_count; j++)
            if (shunt_text_equal(as[i]->text, bs[j]->text)) return false;
    return true;
}

/* Never both: they want different texts of the same value. */
static bool exclude(check *k, const shunt_overlay *a, const shunt_overlay *b)
{
    shunt_ast *as[CONJUNCTS], *bs[CONJUNCTS];
    uint32_t   a_count = conjuncts(kid(a->decl, SHUNT_OVERLAY_when), as, 0),
             b_count = conjuncts(kid(b->decl, SHUNT_OVERLAY_when), bs, 0);
    for (uint32_t i = 0; i < a_count; i++)
        for (uint32_t j = 0; j < b_count; j++)
            if (tests_exclude(k, as[i], bs[j])) return true;
    return false;
}

/* Two overlays that can both be active do not replace one thing; exceptions may stand beside each other, their rows are held against
 * each other when they are known. */
static bool alone(check *k, const shunt_symbol *symbol, const shunt_overlay *overlay, const shunt_ast *name, bool exceptions)
{
    for (const shunt_replacement *r = symbol->replaced; r; r = r->next) {
        if (r->exceptions && exceptions && r->overlay != overlay) continue;
        if (r->overlay != overlay && exclude(k, r->overlay, overlay)) continue;
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0930, name->span, "`%.*s` is changed twice at once", SHUNT_TEXT_ARGS(name->text));
        shunt_diag_also(k->diags, d, r->overlay == overlay ? symbol->span : r->overlay->span,
                        r->overlay == overlay ? "declared here" : "this overlay changes it too, and both can be active");
        if (r->overlay == overlay)
            shunt_diag_help(k->diags, d, "put both changes together");
        else
            shunt_diag_help(k->diags, d, "let their `when` name different values of one thing: `TRN03 = \"1\"`, `TRN03 = \"2\"`");
        return false;
    }
    return true;
}

static shunt_replacement *replace(check *k, shunt_symbol *symbol, shunt_overlay *overlay)
{
    shunt_replacement  *r = NEW(k, shunt_replacement);
    shunt_replacement **at = &symbol->replaced;
    while (*at) at = &(*at)->next;
    r->overlay = overlay;
    *at = r;
    return r;
}

/* ---- what is changed ---- */

static void replace_let(check *k, shunt_overlay *overlay, shunt_ast *item)
{
    shunt_ast    *name = kid(item, SHUNT_REPLACE_name), *value = kid(item, SHUNT_REPLACE_value);
    shunt_symbol *symbol = opened(k, overlay, name, "let");
    if (!symbol || !alone(k, symbol, overlay, name, false)) {
        use_names(k, value);
        return;
    }
    need n = { .by = FOR_LET, .type = symbol->type, .name = symbol->name };
    bool declared = kid(symbol->decl, SHUNT_LET_type) != NULL;
    if (!declared) n.type.length = 0; /* of a text that was only shown by its value, the longest holds */
    if (shunt_ty_is_error(&symbol->type)) {
        (void)check_expr(k, value, NULL);
        return;
    }
    shunt_ty type = check_needed(k, value, &n);
    if (!declared && shunt_ty_is_textual(&symbol->type) &&
        (!type.length || (symbol->type.length && type.length > symbol->type.length)))
        symbol->type.length = type.length;
    symbol->type.literal = symbol->type.literal && type.literal;
    symbol->type.phi |= type.phi;
    replace(k, symbol, overlay)->value = value;
}

static bool same_member(const shunt_member *a, const shunt_member *b)
{
    return shunt_text_equal(a->name, b->name) && a->type.kind == b->type.kind && a->type.optional == b->type.optional &&
           a->type.scale == b->type.scale && a->type.length == b->type.length && a->type.shape == b->type.shape &&
           memcmp(a->type.currency, b->type.currency, sizeof a->type.currency) == 0 && a->type.phi == b->type.phi;
}

static void replace_table(check *k, shunt_overlay *overlay, shunt_ast *item)
{
    shunt_ast    *name = kid(item, SHUNT_REPLACE_name), *with = kid(item, SHUNT_REPLACE_value);
    shunt_symbol *symbol = opened(k, overlay, name, "table"), *other = with ? find_value(k, with->text) : NULL;
    if (!with) return;
    if (!other || other->kind != SHUNT_SYMBOL_TABLE) {
        unknown_name(k, with, "table", NULL);
        return;
    }
    if (!symbol || decl_of(other)->unread || !alone(k, symbol, overlay, name, false)) return;
    const shunt_table_info *a = symbol->as.table, *b = other->as.table;
    uint32_t                differs = 0;
    while (differs < a->shape->count && differs < b->shape->count &&
           same_member(&a->shape->members[differs], &b->shape->members[differs]))
        differs++;
    bool same = a->shape->count == b->shape->count && differs == a->shape->count && a->key_count == b->key_count &&
                a->effective == b->effective && a->prefix == b->prefix && a->range == b->range;
    if (!same || other == symbol) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0303, with->span, "`%.*s` can not stand for `%.*s`: they are not declared alike",
                           SHUNT_TEXT_ARGS(with->text), SHUNT_TEXT_ARGS(name->text));
        shunt_diag_also(k->diags, d, symbol->span, "this table");
        if (differs < b->shape->count && b->shape->members[differs].decl)
            shunt_diag_also(k->diags, d, b->shape->members[differs].decl->span, "the first difference");
        shunt_diag_help(k->diags, d, "declare both with the same keys and columns in the same order, and `from` two files");
        return;
    }
    for (uint32_t i = 0; i < k->symbols.count; i++) {
        const shunt_symbol *target = k->symbols.items[i];
        if (target->kind != SHUNT_SYMBOL_TARGET || !target->as.target || target->as.target->accounts != symbol) continue;
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0930, name->span, "the accounts of a journal stay what they are");
        shunt_diag_also(k->diags, d, target->span, "it has `accounts from %.*s`", SHUNT_TEXT_ARGS(name->text));
        shunt_diag_help(k->diags, d, "add the accounts of the site to `%.*s`", SHUNT_TEXT_ARGS(name->text));
        return;
    }
    b->shape->stands_for = a->shape;
    replace(k, symbol, overlay)->table = other;
}

static void replace_rows(check *k, shunt_overlay *overlay, shunt_ast *name, shunt_ast *rows, bool exceptions)
{
    shunt_symbol *symbol = opened(k, overlay, name, "decide");
    if (!symbol || !alone(k, symbol, overlay, name, exceptions)) {
        use_names(k, rows);
        return;
    }
    for (uint32_t i = 0; rows && i < rows->kid_count; i++) {
        const shunt_ast *row = rows->kids[i];
        if (row->kind != SHUNT_AST_ROW) continue;
        if (exceptions && !kid(row, SHUNT_ROW_patterns)) {
            shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0704, row->span, "exceptions have no `else`");
            shunt_diag_here(k->diags, d, "what is no exception goes to the rows of `%.*s`", SHUNT_TEXT_ARGS(symbol->name));
            shunt_diag_help(k->diags, d, "remove it, or write `replace decide %.*s { ... }`", SHUNT_TEXT_ARGS(symbol->name));
            return;
        }
        const shunt_ast *result = kid(row, SHUNT_ROW_result);
        symbol->as.function.exits = symbol->as.function.exits || (result && result->kind == SHUNT_AST_EXIT);
    }
    shunt_replacement *r = replace(k, symbol, overlay);
    r->rows = rows;
    r->exceptions = exceptions;
}

static bool has_step(const shunt_ast *node, shunt_text name)
{
    if (!node) return false;
    if (node->kind == SHUNT_AST_STEP && node->kids[SHUNT_STEP_name] && shunt_text_equal(node->kids[SHUNT_STEP_name]->text, name))
        return true;
    for (uint32_t i = 0; i < node->kid_count; i++)
        if (has_step(node->kids[i], name)) return true;
    return false;
}

static void offer_steps(shunt_suggest *s, const shunt_ast *node)
{
    if (!node) return;
    if (node->kind == SHUNT_AST_STEP && node->kids[SHUNT_STEP_name])
        shunt_suggest_offer(s, node->kids[SHUNT_STEP_name]->text, (shunt_text){ 0 }, true, 0);
    for (uint32_t i = 0; i < node->kid_count; i++) offer_steps(s, node->kids[i]);
}

static void find_step(check *k, const shunt_overlay *overlay, const shunt_ast *name)
{
    const shunt_ast *tree = k->modules[overlay->base].info->tree, *decls = kid(tree, SHUNT_MODULE_decls),
                    *own = kid(tree, SHUNT_MODULE_name);
    shunt_suggest s;
    shunt_suggest_init(&s, name->text, 2);
    for (uint32_t i = 0; decls && i < decls->kid_count; i++) {
        if (decls->kids[i]->kind != SHUNT_AST_MAP) continue;
        if (has_step(decls->kids[i], name->text)) return;
        offer_steps(&s, decls->kids[i]);
    }
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0207, name->span, "module %.*s has no step \"%.*s\"",
                                   SHUNT_TEXT_ARGS(own->text), SHUNT_TEXT_ARGS(name->text));
    shunt_text  near = shunt_suggest_text(&s, k->arena);
    if (near.length) shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
}

static void link_item(check *k, shunt_overlay *overlay, shunt_ast *item)
{
    shunt_ast *name = kid(item, 0), *value = kid(item, 1);
    if (!name || !value) return;
    if (item->kind == SHUNT_AST_AROUND)
        find_step(k, overlay, name);
    else if (item->kind == SHUNT_AST_EXCEPTIONS)
        replace_rows(k, overlay, name, value, true);
    else if (item->kind == SHUNT_AST_REPLACE && shunt_text_is(item->text, "let"))
        replace_let(k, overlay, item);
    else if (item->kind == SHUNT_AST_REPLACE && shunt_text_is(item->text, "table"))
        replace_table(k, overlay, item);
    else if (item->kind == SHUNT_AST_REPLACE)
        replace_rows(k, overlay, name, value, false);
}

static void link_overlay(check *k, shunt_ast *node)
{
    shunt_ast *name = kid(node, SHUNT_OVERLAY_name), *items = kid(node, SHUNT_OVERLAY_items),
              *base = kid(node, SHUNT_OVERLAY_base);
    if (!name || !base) return;
    module *of = module_named(k, base->text);
    if (!of) {
        if (!k->module->incomplete) no_such_module(k, base);
        use_names(k, node);
        return;
    }
    if (!of->has_map) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0930, base->span, "module `%.*s` has no map", SHUNT_TEXT_ARGS(base->text));
        shunt_diag_here(k->diags, d, "its `when` could read no message");
        shunt_diag_help(
            k->diags, d,
            "name the module of the map; what that one imports is changed by a `let`, a table or a decision of its own");
        use_names(k, node);
        return;
    }
    for (uint32_t i = 0; i < k->overlays.count; i++)
        if (shunt_text_equal(k->overlays.items[i]->name, name->text)) {
            shunt_diag *d =
                shunt_diag_add(k->diags, SHUNT_E0208, name->span, "overlay `%.*s` is there already", SHUNT_TEXT_ARGS(name->text));
            shunt_diag_also(k->diags, d, k->overlays.items[i]->span, "the first one");
            shunt_diag_help(k->diags, d, "give one of them another name");
        }
    shunt_overlay *overlay = NEW(k, shunt_overlay);
    *overlay =
        (shunt_overlay){ .name = name->text, .decl = node, .span = name->span, .module = k->module->number, .base = of->number };
    overlay->active = new_symbol(k, SHUNT_SYMBOL_GLOBAL, name->text, node, name->span);
    overlay->active->type = shunt_ty_plain(SHUNT_TY_BOOL);
    overlay->active->used = true;
    *PUSH(k, &k->overlays) = overlay;
    for (uint32_t i = 0; items && i < items->kid_count; i++) link_item(k, overlay, items->kids[i]);
}

void link_overlays(check *k)
{
    for (uint32_t m = 0; m < k->order.count; m++) {
        k->module = &k->modules[k->order.items[m]];
        const shunt_ast *decls = kid(k->module->info->tree, SHUNT_MODULE_decls);
        for (uint32_t i = 0; decls && i < decls->kid_count; i++)
            if (decls->kids[i]->kind == SHUNT_AST_OVERLAY) link_overlay(k, decls->kids[i]);
    }
}

/* ---- rows of decisions ---- */

/* Exceptions of two overlays that can both be active, as one table. */
static void hold_against(check *k, shunt_symbol *function, const shunt_replacement *a, const shunt_replacement *b)
{
    shunt_ast *both = check_need(k, shunt_ast_new(k->arena, SHUNT_AST_LIST, b->rows->span));
    for (uint32_t i = 0; i < a->rows->kid_count; i++) both = check_need(k, shunt_ast_append(k->arena, both, a->rows->kids[i]));
    for (uint32_t i = 0; i < b->rows->kid_count; i++) both = check_need(k, shunt_ast_append(k->arena, both, b->rows->kids[i]));
    (void)build_decide(k, function, both, false);
}

void check_replaced_rows(check *k, shunt_symbol *function)
{
    bool    first = function->as.function.decide && function->as.function.decide->first;
    module *home = k->module;
    for (shunt_replacement *r = function->replaced; r; r = r->next) {
        if (!r->rows) continue;
        k->module = &k->modules[r->overlay->module];
        enter_block(k);
        if (k->module != home)
            for (uint32_t i = 0; i < function->as.function.count; i++) declare_local(k, function->as.function.params[i]);
        r->decide = build_decide(k, function, r->rows, first);
        r->decide->exits = function->as.function.exits;
        r->decide->at = r->overlay->span;
        if (!r->exceptions && !r->decide->wrong) check_gaps(k, r->decide);
        check_row_results(k, function, r->rows);
        leave_block(k);
        for (const shunt_replacement *other = function->replaced; other != r && r->exceptions && !r->decide->wrong;
             other = other->next)
            if (other->exceptions && !other->decide->wrong && !exclude(k, other->overlay, r->overlay))
                hold_against(k, function, other, r);
    }
    k->module = home;
}

/* ---- in a map ---- */

void enter_visitor(check *k, uint32_t number, visitor *v)
{
    const module *guest = &k->modules[number];
    v->host = k->module;
    v->aliases = k->module->aliases.count;
    shunt_scope_enter(&k->module->values);
    shunt_scope_enter(&k->module->types);
    shunt_scope_enter(&k->module->codes);
    if (guest == k->module) return;
    for (uint32_t i = 0; i < guest->aliases.count; i++) *PUSH(k, &k->module->aliases) = guest->aliases.items[i];
    for (uint32_t i = 0; i < guest->own.count; i++) {
        shunt_symbol *symbol = guest->own.items[i];
        bool          code = symbol->kind == SHUNT_SYMBOL_CODE,
             type = symbol->kind == SHUNT_SYMBOL_ENUM || symbol->kind == SHUNT_SYMBOL_TARGET;
        if (symbol->kind == SHUNT_SYMBOL_MAP) continue;
        shunt_scope *scope = code ? &k->module->codes : type ? &k->module->types : &k->module->values;
        if (!shunt_scope_add(scope, symbol->name, symbol)) longjmp(k->no_memory, 1);
        if (symbol->kind == SHUNT_SYMBOL_TABLE && !shunt_scope_add(&k->module->types, symbol->name, symbol))
            longjmp(k->no_memory, 1);
    }
}

void leave_visitor(check *k, const visitor *v)
{
    shunt_scope_leave(&v->host->values);
    shunt_scope_leave(&v->host->types);
    shunt_scope_leave(&v->host->codes);
    v->host->aliases.count = v->aliases;
    k->module = v->host;
}

/* Overlays are chosen by the map that reads the message, also those of the maps that get its records. */
static bool runs_rules_of(const symbol_list *maps, uint32_t number)
{
    for (uint32_t i = 0; i < maps->count; i++)
        if (maps->items[i]->module == number) return true;
    return false;
}

void check_whens(check *k, shunt_symbol *map)
{
    symbol_list maps = { 0 };
    if (map->as.map.record) return;
    maps_behind(k, map, &maps);
    map->as.map.whens = NEW_N(k, shunt_ast *, k->overlays.count);
    map->as.map.overlays = NEW_N(k, shunt_overlay *, k->overlays.count);
    for (uint32_t i = 0; i < k->overlays.count; i++) {
        shunt_overlay *overlay = k->overlays.items[i];
        if (!runs_rules_of(&maps, overlay->base)) continue;
        shunt_ast *when = kid(overlay->decl, SHUNT_OVERLAY_when);
        visitor    v;
        if (!when) continue;
        when = check_need(k, shunt_ast_copy(k->arena, when));
        k->phase = PHASE_GLOBAL;
        k->late = (shunt_text){ 0 };
        k->levels = 0;
        enter_visitor(k, overlay->module, &v);
        check_condition(k, when);
        leave_visitor(k, &v);
        if (k->late.length) {
            shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0601, when->span, "`%.*s` has not arrived when this runs",
                                           SHUNT_TEXT_ARGS(k->late));
            shunt_diag_here(k->diags, d, "an overlay is chosen before the first unit");
            shunt_diag_help(k->diags, d, "use what stands in the header: `TRN03`, `BHT03`");
            k->late = (shunt_text){ 0 };
        }
        map->as.map.whens[map->as.map.overlay_count] = when;
        map->as.map.overlays[map->as.map.overlay_count++] = overlay;
    }
    k->phase = PHASE_NONE;
}

/* `if ACTIVE { block }`, checked where it stands. */
static shunt_ast *guarded(check *k, const shunt_overlay *overlay, const shunt_ast *block)
{
    shunt_ast *test = check_need(k, shunt_ast_leaf(k->arena, SHUNT_AST_NAME, block->span, overlay->name));
    shunt_ast *kids[SHUNT_IF_roles] = { test, check_need(k, shunt_ast_copy(k->arena, block)), NULL };
    test->flags |= NODE_CHECKED;
    check_fact(k, test)->kind = SHUNT_FACT_SYMBOL;
    check_fact(k, test)->symbol = overlay->active;
    (void)check_typed(k, test, overlay->active->type);
    return check_need(k, shunt_ast_make(k->arena, SHUNT_AST_IF, block->span, kids, SHUNT_IF_roles));
}

/* Its names are those of the overlay first, then what is seen at the step. */
static void add_around(check *k, const shunt_ast *step, const shunt_overlay *overlay, const shunt_ast *around, shunt_ast **block)
{
    visitor v;
    if (k->phase == PHASE_WIDE_END) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0601, kid(around, SHUNT_AROUND_step)->span,
                                       "no overlay is active when this step runs");
        shunt_diag_also(k->diags, d, step->span, "the transactions that chose overlays are over");
        shunt_diag_help(k->diags, d, "stand before or after a step of the units, or of `at end`");
        return;
    }
    shunt_ast *made = guarded(k, overlay, kid(around, SHUNT_AROUND_block));
    enter_visitor(k, overlay->module, &v);
    check_inserted(k, made);
    leave_visitor(k, &v);
    *block = check_need(k, shunt_ast_append(k->arena, *block, made));
}

static void add_all(check *k, const shunt_ast *step, const char *where, shunt_ast **block)
{
    const shunt_ast *name = kid(step, SHUNT_STEP_name);
    for (uint32_t i = 0; i < k->overlays.count; i++) {
        const shunt_overlay *overlay = k->overlays.items[i];
        const shunt_ast     *items = kid(overlay->decl, SHUNT_OVERLAY_items);
        if (overlay->base != k->map->module) continue;
        for (uint32_t n = 0; items && n < items->kid_count; n++) {
            const shunt_ast *item = items->kids[n];
            if (item->kind != SHUNT_AST_AROUND || !shunt_text_is(item->text, where) || !kid(item, SHUNT_AROUND_block)) continue;
            if (!kid(item, SHUNT_AROUND_step) || !shunt_text_equal(kid(item, SHUNT_AROUND_step)->text, name->text)) continue;
            if (!*block) *block = check_need(k, shunt_ast_new(k->arena, SHUNT_AST_BLOCK, step->span));
            add_around(k, step, overlay, item, block);
        }
    }
}

void begin_step(check *k, const shunt_ast *step, shunt_ast **around)
{
    *around = NULL;
    if (k->map && kid(step, SHUNT_STEP_name) && kid(step, SHUNT_STEP_block)) add_all(k, step, "before", around);
}

void end_step(check *k, shunt_ast *step, shunt_ast *around)
{
    shunt_ast *own = kid(step, SHUNT_STEP_block), *after = NULL;
    if (!k->map || !kid(step, SHUNT_STEP_name) || !own) return;
    add_all(k, step, "after", &after);
    if (!around && !after) return;
    if (!around) around = check_need(k, shunt_ast_new(k->arena, SHUNT_AST_BLOCK, step->span));
    around = check_need(k, shunt_ast_append(k->arena, around, own));
    for (uint32_t i = 0; after && i < after->kid_count; i++)
        around = check_need(k, shunt_ast_append(k->arena, around, after->kids[i]));
    step->kids[SHUNT_STEP_block] = around;
}
