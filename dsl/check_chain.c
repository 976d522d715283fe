/* Maps of several sources: one for each. Maps that take the records of another one as their source: who hands records to whom, in which order, and what has no place in a map that
 * reads no message. The handler of such a map runs where a record is made, in the unit of the map that makes it. */
#include "dsl/check.h"

enum { CHAIN_AT_MOST = 1000 /* maps, one after the other */ };

/* ---- what a map reads ---- */

void map_of_records(check *k, shunt_symbol *map, const shunt_ast *name, shunt_symbol *target)
{
    if (target->as.target->journal) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0914, name->span, "%.*s is a journal, and a map reads records",
                                       SHUNT_TEXT_ARGS(target->name));
        shunt_diag_also(k->diags, d, target->span, "declared here");
        shunt_diag_note(k->diags, d, "what is posted is final: nothing is made of it");
        shunt_diag_help(k->diags, d, "`emit` a record with what both need, and make the journal of it in this map");
        return;
    }
    map->as.map.record = target;
}

/* ---- several sources ---- */

typedef struct renaming {
    const symbol_list  *sources;
    const shunt_symbol *first, *at_hand;
} renaming;

static void rename_source(const renaming *r, shunt_ast *name)
{
    if (!name || name->kind != SHUNT_AST_NAME) return;
    bool known = shunt_text_equal(name->text, r->first->name);
    for (uint32_t i = 0; i < r->sources->count; i++) known = known || shunt_text_equal(name->text, r->sources->items[i]->name);
    if (known) name->text = r->at_hand->name;
}

/* Whichever of the sources is named, as a list or as an argument, is the one at hand. */
static bool rename_in(shunt_ast *node, void *context)
{
    const renaming *r = context;
    if (node->kind == SHUNT_AST_EACH) rename_source(r, kid(node, SHUNT_EACH_list));
    const shunt_ast *args = node->kind == SHUNT_AST_CALL ? kid(node, SHUNT_CALL_args) : NULL;
    for (uint32_t i = 0; args && i < args->kid_count; i++) rename_source(r, args->kids[i]);
    return true;
}

/* What is kept longer than a transaction would be kept for each source. */
static void refuse_wider(check *k, const shunt_ast *items)
{
    for (uint32_t i = 0; items && i < items->kid_count; i++) {
        const shunt_ast *item = items->kids[i], *scope = NULL;
        if (item->kind == SHUNT_AST_TALLY) scope = kid(item, SHUNT_TALLY_scope);
        if (item->kind == SHUNT_AST_AT_END) scope = kid(item, SHUNT_AT_END_scope);
        if (!scope || !(shunt_text_is(scope->text, "batch") || shunt_text_is(scope->text, "file"))) continue;
        not_in_version(k, scope->span,
                       item->kind == SHUNT_AST_TALLY ? "a tally per %.*s in a map of several sources"
                                                     : "`at end of %.*s` in a map of several sources",
                       SHUNT_TEXT_ARGS(scope->text));
    }
}

void map_of_several(check *k, shunt_symbol *map, const symbol_list *sources)
{
    renaming r = { sources, map->as.map.sources[0], map->as.map.sources[0] };
    refuse_wider(k, kid(map->decl, SHUNT_MAP_items));
    for (uint32_t i = 0; i < sources->count; i++) {
        shunt_ast    *tree = check_need(k, shunt_ast_copy(k->arena, map->decl));
        shunt_symbol *copy = new_symbol(k, SHUNT_SYMBOL_MAP, map->name, tree, map->span);
        *PUSH(k, &k->maps) = copy;
        copy->as.map.sources = NEW_N(k, shunt_symbol *, 1);
        copy->as.map.sources[copy->as.map.source_count++] = sources->items[i];
        copy->as.map.targets = map->as.map.targets;
        copy->as.map.target_count = map->as.map.target_count;
        copy->as.map.copy = true;
        r.at_hand = sources->items[i];
        shunt_ast_walk(kid(tree, SHUNT_MAP_items), rename_in, &r);
    }
    r.at_hand = r.first;
    shunt_ast_walk(kid(map->decl, SHUNT_MAP_items), rename_in, &r);
}

/* ---- who hands records to whom ---- */

typedef struct chaining {
    check      *k;
    symbol_list done; /* readers before those that feed them */
    uint8_t    *walk; /* of each map: 0 = not yet, 1 = on the way, 2 = done */
    bool        circle;
} chaining;

static void report_circle(check *k, const shunt_symbol *map)
{
    const shunt_ast *names = kid(map->decl, SHUNT_MAP_sources);
    shunt_diag      *d = shunt_diag_add(k->diags, SHUNT_E0913, names && names->kid_count ? names->kids[0]->span : map->span,
                                        "map %.*s would read records that are made of its own", SHUNT_TEXT_ARGS(map->name));
    shunt_diag_also(k->diags, d, map->as.map.record->span, "they are records of this target");
    shunt_diag_note(k->diags, d, "maps that hand records to each other in a circle may never end");
    shunt_diag_help(k->diags, d, "declare a target of its own for what this map makes");
}

/* Behind a map stand all that it hands records to, so that what it fills them with is known before they are looked at. */
static void visit_map(chaining *c, shunt_symbol *map, uint32_t depth)
{
    if (c->walk[map->as.map.order] == 2) return;
    if (c->walk[map->as.map.order] == 1 || depth == CHAIN_AT_MOST) {
        if (!c->circle && c->walk[map->as.map.order] == 1) report_circle(c->k, map);
        if (!c->circle && c->walk[map->as.map.order] != 1) too_large(c->k, map->span, "this chain of maps", CHAIN_AT_MOST);
        c->circle = true;
        return;
    }
    c->walk[map->as.map.order] = 1;
    for (uint32_t t = map->as.map.target_count; t-- > 0;) {
        const shunt_target_info *info = map->as.map.targets[t]->as.target;
        for (uint32_t r = info->reader_count; r-- > 0;) visit_map(c, info->readers[r], depth + 1);
    }
    c->walk[map->as.map.order] = 2;
    *PUSH(c->k, &c->done) = map;
}

static void feed(const shunt_symbol *map)
{
    for (uint32_t t = 0; t < map->as.map.target_count; t++) {
        const shunt_target_info *info = map->as.map.targets[t]->as.target;
        for (uint32_t r = 0; r < info->reader_count; r++) info->readers[r]->as.map.fed = true;
    }
}

static void warn_unfed(check *k, const shunt_symbol *map)
{
    const shunt_symbol *record = map->as.map.record;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_W0905, map->span, "no map makes records of %.*s, so map %.*s never runs",
                                   SHUNT_TEXT_ARGS(record->name), SHUNT_TEXT_ARGS(map->name));
    shunt_diag_help(k->diags, d, "make them: `map NAME from SOURCE into %.*s { ... }`, or remove this map",
                    SHUNT_TEXT_ARGS(record->name));
}

static void add_reader(check *k, shunt_symbol *map)
{
    shunt_target_info *info = map->as.map.record->as.target;
    if (!info->readers) info->readers = NEW_N(k, shunt_symbol *, k->maps.count);
    info->readers[info->reader_count++] = map;
}

void link_maps(check *k)
{
    bool     messages = false;
    chaining c = { .k = k, .walk = NEW_N(k, uint8_t, k->maps.count) };
    for (uint32_t i = 0; i < k->maps.count; i++) {
        shunt_symbol *map = k->maps.items[i];
        map->as.map.order = i;
        if (map->as.map.record)
            add_reader(k, map);
        else
            map->as.map.fed = messages = true;
    }
    for (uint32_t i = 0; i < k->maps.count; i++) {
        const shunt_symbol *record = k->maps.items[i]->as.map.record;
        if (record) record->as.target->handed = !record->as.target->key_count && !record->as.target->encode;
    }
    for (uint32_t i = k->maps.count; i-- > 0;) visit_map(&c, k->maps.items[i], 0);
    for (uint32_t i = 0; i < c.done.count; i++) {
        shunt_symbol *map = c.done.items[c.done.count - 1 - i];
        k->maps.items[i] = map;
        map->as.map.order = i;
        if (map->as.map.fed) feed(map);
    }
    for (uint32_t i = 0; i < c.done.count && messages && !c.circle; i++)
        if (!k->maps.items[i]->as.map.fed) warn_unfed(k, k->maps.items[i]);
}

void maps_behind(check *k, shunt_symbol *map, symbol_list *maps)
{
    uint32_t walk = ++k->c->map_walks;
    *PUSH(k, maps) = map;
    map->as.map.walk = walk;
    for (uint32_t i = maps->count - 1; i < maps->count; i++)
        for (uint32_t t = 0; t < maps->items[i]->as.map.target_count; t++) {
            const shunt_target_info *info = maps->items[i]->as.map.targets[t]->as.target;
            for (uint32_t r = 0; r < info->reader_count; r++) {
                if (info->readers[r]->as.map.walk == walk) continue;
                info->readers[r]->as.map.walk = walk;
                *PUSH(k, maps) = info->readers[r];
            }
        }
}

/* ---- what stands in such a map ---- */

static void no_place(check *k, const shunt_ast *item, const char *what, const char *help)
{
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0914, item->span, "%s has no place in a map that reads records", what);
    shunt_diag_here(k->diags, d, "the units are those of the map that makes %.*s", SHUNT_TEXT_ARGS(k->record->name));
    shunt_diag_help(k->diags, d, "%s", help);
}

bool belongs_to_records(check *k, const shunt_ast *item)
{
    if (!k->record) return true;
    switch (item->kind) {
    case SHUNT_AST_CORRELATE:
        no_place(k, item, "`correlate by`", "write it in that map: it stamps what this one makes too");
        break;
    case SHUNT_AST_ON_ERROR:
        no_place(k, item, "`on error`", "write it in that map: it answers the failures of this one too");
        break;
    case SHUNT_AST_AT_START: no_place(k, item, "`at start`", "write it in that map"); break;
    case SHUNT_AST_TALLY:
        if (!kid(item, SHUNT_TALLY_of)) return true;
        no_place(k, kid(item, SHUNT_TALLY_of), "a tally that the engine adds",
                 "declare it without `of`, and `add` to it in the `for each`");
        break;
    default: return true;
    }
    return false;
}

bool reads_records(check *k, const shunt_ast *node, shunt_text shown)
{
    if (!k->record) return false;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0914, node->span, "`%.*s` is read in a message, and this map reads records",
                                   SHUNT_TEXT_ARGS(shown));
    shunt_diag_here(k->diags, d, "of %.*s", SHUNT_TEXT_ARGS(k->record->name));
    shunt_diag_help(k->diags, d, "add a field to %.*s, and fill it in the map that makes it", SHUNT_TEXT_ARGS(k->record->name));
    return true;
}

bool leaves_for_another(check *k, const shunt_ast *exit)
{
    if (!k->record || k->phase != PHASE_UNIT) return false;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0914, exit->span, "`skip` would leave the unit of another map");
    shunt_diag_here(k->diags, d, "with all that it has made");
    shunt_diag_help(k->diags, d, "to make nothing of this record, say which are meant: `for each x in %.*s where ...`",
                    SHUNT_TEXT_ARGS(k->record->name));
    return true;
}

void find_records(check *k, shunt_ast *node)
{
    shunt_ast *list = kid(kid(node, SHUNT_FOR_EACH_each), SHUNT_EACH_list);
    if (!list) return;
    list->flags |= NODE_CHECKED;
    if (list->kind != SHUNT_AST_NAME || find_type(k, list->text) != k->record) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0606, list->span, "this map goes over the records of %.*s",
                                       SHUNT_TEXT_ARGS(k->record->name));
        shunt_diag_help(k->diags, d, "write `for each x in %.*s { ... }`; other lists stand inside it",
                        SHUNT_TEXT_ARGS(k->record->name));
        (void)check_typed(k, list, ty_error());
        return;
    }
    shunt_ty *item = NEW(k, shunt_ty);
    *item = k->record->type;
    (void)check_typed(k, list, (shunt_ty){ .kind = SHUNT_TY_LIST, .item = item });
    check_fact(k, node)->unit = true;
}

/* ---- PHI ---- */

/* What the records of a target hold, with the rows in them. Targets nest at most as deep as rows of rows are declared. */
static uint32_t given_to(const shunt_shape *shape, uint32_t depth)
{
    uint32_t classes = 0;
    for (uint32_t i = 0; i < shape->count && depth < 8; i++) {
        const shunt_ty *type = &shape->members[i].type;
        classes |= shape->members[i].given | type->phi;
        if (type->kind == SHUNT_TY_LIST && type->item) type = type->item;
        if (type->kind == SHUNT_TY_ROW && type->shape->kind == SHUNT_SHAPE_TARGET) classes |= given_to(type->shape, depth + 1);
    }
    return classes;
}

uint32_t check_classes(check *k, const shunt_ty *type)
{
    const shunt_ty *row = type->kind == SHUNT_TY_LIST && type->item ? type->item : type;
    if (row->kind != SHUNT_TY_ROW || row->shape->kind != SHUNT_SHAPE_TARGET) return type->phi;
    return type->phi | phi_constant(k, given_to(row->shape, 0));
}
