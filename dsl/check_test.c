/* Tests of the rules: what they are given, the rows of their tables, and what they expect. */
#include "dsl/check.h"
#include "standards/x12/sample.h"

/* The maps that read a source. */
static const shunt_symbol *map_of_source(const check *k, const shunt_symbol *source)
{
    for (uint32_t i = 0; i < k->maps.count; i++) {
        const shunt_symbol *map = k->maps.items[i];
        for (uint32_t j = 0; j < map->as.map.source_count; j++)
            if (map->as.map.sources[j] == source) return map;
    }
    return NULL;
}

/* The variable of the unit of a map has that name. */
static bool is_unit(const shunt_symbol *map, shunt_text name, shunt_text *other)
{
    const shunt_ast *items = map ? kid(map->decl, SHUNT_MAP_items) : NULL;
    for (uint32_t i = 0; items && i < items->kid_count; i++) {
        const shunt_ast *variable = items->kids[i]->kind == SHUNT_AST_FOR_EACH
                                        ? kid(kid(items->kids[i], SHUNT_FOR_EACH_each), SHUNT_EACH_variable)
                                        : NULL;
        if (!variable) continue;
        if (shunt_text_equal(variable->text, name)) return true;
        *other = variable->text;
    }
    return false;
}

static void check_piece(check *k, shunt_ast *piece, shunt_symbol *source)
{
    if (source->as.source->standard != SHUNT_STANDARD_X12) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E1001, piece->span, "only an X12 message is given by a piece of it");
        shunt_diag_here(k->diags, d, "nothing is made around what is given to `%.*s`", SHUNT_TEXT_ARGS(source->name));
        shunt_diag_help(k->diags, d, "write the whole message: `given %.*s \"\"\"...\"\"\"`", SHUNT_TEXT_ARGS(source->name));
        return;
    }
    shunt_text          unit = { 0 };
    const shunt_symbol *map = map_of_source(k, source);
    shunt_symbol       *outer = k->source;
    if (piece->kind == SHUNT_AST_NAME && !map && k->diags->errors) return; /* the map that would say it is wrong itself */
    k->source = source;
    bool known = piece->kind == SHUNT_AST_NAME ? is_unit(map, piece->text, &unit) : loop_has_id(k, piece->text);
    k->source = outer;
    if (known) return;
    const char *set = source->as.source->guides[0]->set;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E1001, piece->span,
                                   piece->kind == SHUNT_AST_NAME ? "`%.*s` is not the unit of the map" : "there is no loop %.*s",
                                   SHUNT_TEXT_ARGS(piece->text));
    if (unit.length)
        shunt_diag_help(k->diags, d, "the unit is `%.*s`: write `given %.*s %.*s`", SHUNT_TEXT_ARGS(unit),
                        SHUNT_TEXT_ARGS(source->name), SHUNT_TEXT_ARGS(unit));
    else
        shunt_diag_help(k->diags, d, "name a loop of the message: `shunt dict %s` lists them", set);
}

/* What is made otherwise around a piece. */
static void check_made(check *k, const shunt_ast *made, const shunt_symbol *source, bool piece)
{
    const shunt_guide *guide = source->as.source->guides[0];
    if (source->as.source->standard != SHUNT_STANDARD_X12 || !piece) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E1001, made->span, "nothing is made around what is given here");
        shunt_diag_help(k->diags, d,
                        "write it into the message; `with` is for what the engine makes before a piece of a transaction");
        return;
    }
    for (uint32_t i = 0; i < made->kid_count; i++) {
        const shunt_ast *one = made->kids[i], *loop = kid(one, SHUNT_MADE_loop), *element = kid(one, SHUNT_MADE_element),
                        *value = kid(one, SHUNT_MADE_value);
        if (!element || !value) continue;
        if (memchr(value->text.bytes, '*', value->text.length) || memchr(value->text.bytes, '~', value->text.length)) {
            shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E1001, value->span, "one element holds neither `*` nor `~`");
            shunt_diag_help(k->diags, d, "name each element that is to differ");
            continue;
        }
        if (shunt_x12_sample_has(guide, loop ? loop->text : (shunt_text){ 0 }, element->text)) continue;
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E1001, one->span, "no %.*s%s%.*s is made before a piece of the %s",
                                       SHUNT_TEXT_ARGS(loop ? loop->text : (shunt_text){ 0 }), loop ? "." : "",
                                       SHUNT_TEXT_ARGS(element->text), guide->set);
        shunt_diag_help(k->diags, d,
                        "elements of segments in a loop are named with it, as `1000A.N104`; write the whole transaction for what "
                        "is not made");
    }
}

static shunt_symbol *check_given(check *k, shunt_ast *given)
{
    shunt_ast    *name = kid(given, SHUNT_GIVEN_source), *piece = kid(given, SHUNT_GIVEN_piece);
    shunt_symbol *source = name ? find_value(k, name->text) : NULL;
    if (!name) return NULL;
    if (!source || source->kind != SHUNT_SYMBOL_SOURCE) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E1001, name->span, "there is no source `%.*s`", SHUNT_TEXT_ARGS(name->text));
        shunt_suggest s;
        shunt_text    only = { 0 };
        shunt_suggest_init(&s, name->text, 2);
        for (const shunt_binding *b = k->module->values.last; b; b = b->before)
            if (b->symbol->kind == SHUNT_SYMBOL_SOURCE) {
                shunt_suggest_offer(&s, b->name, (shunt_text){ 0 }, true, 0);
                only = b->name;
            }
        shunt_text near = shunt_suggest_text(&s, k->arena);
        if (near.length)
            shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
        else if (only.length)
            shunt_diag_help(k->diags, d, "this file has `%.*s`", SHUNT_TEXT_ARGS(only));
        return NULL;
    }
    check_fact(k, given)->symbol = source;
    if (decl_of(source)->unread) return source;
    if (piece) check_piece(k, piece, source);
    if (kid(given, SHUNT_GIVEN_made)) check_made(k, kid(given, SHUNT_GIVEN_made), source, piece != NULL);
    return source;
}

static void check_row(check *k, shunt_ast *row, const shunt_symbol *table)
{
    const shunt_table_info *info = table->as.table;
    const shunt_shape      *shape = info->shape;
    bool                   *seen = NEW_N(k, bool, shape->count);
    node_list               unknown = { 0 };
    uint32_t                at, fixed = info->key_count + (info->effective ? 2 : 0);
    for (uint32_t i = 0; i < row->kid_count; i++) {
        shunt_ast *cell = row->kids[i], *name = cell->kind == SHUNT_AST_FIELD ? kid(cell, SHUNT_FIELD_name) : NULL,
                  *value = kid(cell, SHUNT_FIELD_value);
        if (!name || !value) continue;
        if (!find_member(shape, name->text, &at)) {
            shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0209, name->span, "table %.*s has no column `%.*s`",
                                           SHUNT_TEXT_ARGS(table->name), SHUNT_TEXT_ARGS(name->text));
            shunt_text  near = nearest_field(k, shape, name->text, NULL);
            if (near.length) shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
            *PUSH(k, &unknown) = name;
            (void)check_expr(k, value, NULL);
            continue;
        }
        if (seen[at]) {
            shunt_diag *d =
                shunt_diag_add(k->diags, SHUNT_E0208, name->span, "`%.*s` is written twice", SHUNT_TEXT_ARGS(name->text));
            shunt_diag_help(k->diags, d, "remove one of them");
        }
        seen[at] = true;
        check_fact(k, cell)->kind = SHUNT_FACT_FIELD;
        check_fact(k, cell)->member = at;
        if (check_expected_absent(k, value, &shape->members[at])) continue;
        need n = {
            .by = FOR_CELL, .type = shape->members[at].type, .name = name->text, .owner = table, .member = &shape->members[at]
        };
        (void)check_needed(k, value, &n);
    }
    for (uint32_t m = 0; m < shape->count; m++) {
        bool effective = m >= info->key_count && m < fixed;
        if (seen[m] || effective || shape->members[m].type.optional) continue;
        shunt_text name = shape->members[m].name;
        if (is_misspelled(&unknown, name)) continue;
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0305, row->span,
                           m < info->key_count ? "key `%.*s` is missing in this row" : "column `%.*s` is missing in this row",
                           SHUNT_TEXT_ARGS(name));
        if (shape->members[m].decl) shunt_diag_also(k->diags, d, shape->members[m].decl->span, "declared here");
        shunt_diag_help(k->diags, d,
                        m < info->key_count ? "add it: `%.*s: ...`" : "add it: `%.*s: ...`, or declare the column with `?`",
                        SHUNT_TEXT_ARGS(name));
        return;
    }
}

void check_test_table(check *k, shunt_ast *node)
{
    shunt_ast    *name = kid(node, SHUNT_WITH_TABLE_table), *rows = kid(node, SHUNT_WITH_TABLE_rows);
    shunt_symbol *table = name ? shunt_scope_find(&k->module->values, name->text) : NULL;
    if (!name) return;
    if (!table) table = find_value(k, name->text);
    if (!table || table->kind != SHUNT_SYMBOL_TABLE) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E1001, name->span, "there is no table `%.*s`", SHUNT_TEXT_ARGS(name->text));
        shunt_suggest s;
        shunt_suggest_init(&s, name->text, 2);
        for (const shunt_binding *b = k->module->values.last; b; b = b->before)
            if (b->symbol->kind == SHUNT_SYMBOL_TABLE) shunt_suggest_offer(&s, b->name, (shunt_text){ 0 }, true, 0);
        shunt_text near = shunt_suggest_text(&s, k->arena);
        if (near.length) shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
        return;
    }
    check_fact(k, node)->kind = SHUNT_FACT_TABLE;
    check_fact(k, node)->symbol = table;
    if (decl_of(table)->unread || !table->as.table->shape) return;
    for (uint32_t i = 0; rows && i < rows->kid_count; i++)
        if (rows->kids[i]->kind == SHUNT_AST_LIST) check_row(k, rows->kids[i], table);
}

/* ---- what is expected ---- */

/* NULL: reported. `maps`: those of the sources that the test is given. */
static shunt_symbol *expected_target(check *k, const shunt_ast *name, bool journal, const symbol_list *maps)
{
    shunt_symbol *symbol = shunt_scope_find(&k->module->types, name->text);
    shunt_text    names = { 0 };
    if (!symbol) symbol = find_type(k, name->text);
    for (uint32_t i = 0; i < maps->count; i++) {
        const shunt_symbol *map = maps->items[i];
        for (uint32_t t = 0; t < map->as.map.target_count; t++) {
            if (map->as.map.targets[t]->as.target->handed) continue;
            if (map->as.map.targets[t] == symbol && symbol->as.target->journal == journal) return symbol;
            names = check_format(k, "%.*s%s`%s %.*s`", SHUNT_TEXT_ARGS(names), names.length ? ", " : "",
                                 map->as.map.targets[t]->as.target->journal ? "journal" : "emit",
                                 SHUNT_TEXT_ARGS(map->as.map.targets[t]->name));
        }
    }
    if (k->module->incomplete && !symbol) return NULL;
    if (!maps->count)
        return symbol && symbol->kind == SHUNT_SYMBOL_TARGET && symbol->as.target->journal == journal ? symbol : NULL;
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_E1002, name->span, "map %.*s writes no %s `%.*s`", SHUNT_TEXT_ARGS(maps->items[0]->name),
                       journal ? "journal" : "record", SHUNT_TEXT_ARGS(name->text));
    shunt_diag_also(k->diags, d, maps->items[0]->span, "what it writes stands after `into`");
    if (symbol && symbol->kind == SHUNT_SYMBOL_TARGET && !decl_of(symbol)->unread && symbol->as.target->handed)
        shunt_diag_note(k->diags, d, "%.*s has no key: its records are handed on, and written nowhere",
                        SHUNT_TEXT_ARGS(symbol->name));
    if (names.length) shunt_diag_help(k->diags, d, "expect %.*s", SHUNT_TEXT_ARGS(names));
    return NULL;
}

static void expect_line(check *k, shunt_ast *line, shunt_symbol *target)
{
    shunt_ast *account = kid(line, SHUNT_LINE_account), *amount = kid(line, SHUNT_LINE_amount),
              *with = kid(line, SHUNT_LINE_with);
    if (account && account->kind == SHUNT_AST_NAME && check_qname_split(k, &account)) line->kids[SHUNT_LINE_account] = account;
    need wants_account = { .by = FOR_ACCOUNT, .type = shunt_ty_plain(SHUNT_TY_ACCOUNT) };
    if (account) (void)check_needed(k, account, &wants_account);
    if (!amount) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0303, line->span, "a test says the amount of each line");
        shunt_diag_help(k->diags, d, "write what the remainder is: `80.00 USD`");
    } else {
        shunt_ty usd = shunt_ty_money("USD", 2), type = check_expr(k, amount, &usd);
        if (type.kind == SHUNT_TY_MONEY) usd = type;
        need n = { .by = FOR_AMOUNT, .type = shunt_ty_present(usd) };
        (void)check_fits(k, amount, &type, &n);
    }
    if (with && with->kid_count && target->as.target->line) check_fields(k, line, with, target, target->as.target->line, true);
}

static void expect_journal(check *k, shunt_ast *node, const symbol_list *maps)
{
    shunt_ast    *name = kid(node, SHUNT_JOURNAL_target), *block = kid(node, SHUNT_JOURNAL_block);
    shunt_symbol *target = name ? expected_target(k, name, true, maps) : NULL;
    uint32_t      at;
    if (!target || !target->as.target->shape) return;
    check_fact(k, node)->kind = SHUNT_FACT_TARGET;
    check_fact(k, node)->symbol = target;
    for (uint32_t i = 0; block && i < block->kid_count; i++) {
        shunt_ast *item = block->kids[i];
        if (item->kind == SHUNT_AST_LINE) {
            expect_line(k, item, target);
        } else if (item->kind == SHUNT_AST_SETTING && kid(item, SHUNT_SETTING_name)) {
            shunt_ast *field = kid(item, SHUNT_SETTING_name);
            if (!find_member(target->as.target->shape, field->text, &at)) {
                shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0209, field->span, "target %.*s has no field `%.*s`",
                                               SHUNT_TEXT_ARGS(target->name), SHUNT_TEXT_ARGS(field->text));
                shunt_text  near = nearest_field(k, target->as.target->shape, field->text, NULL);
                if (near.length) shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
                continue;
            }
            check_fact(k, item)->kind = SHUNT_FACT_FIELD;
            check_fact(k, item)->member = at;
            if (check_expected_absent(k, kid(item, SHUNT_SETTING_value), &target->as.target->shape->members[at])) continue;
            need n = { .by = FOR_FIELD,
                       .type = check_expected(&target->as.target->shape->members[at].type, kid(item, SHUNT_SETTING_value)),
                       .name = field->text,
                       .owner = target,
                       .member = &target->as.target->shape->members[at] };
            (void)check_needed(k, kid(item, SHUNT_SETTING_value), &n);
        } else if (item->kind != SHUNT_AST_ERROR) {
            shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E1002, item->span,
                                           "a test expects lines and fields, and nothing else of a journal");
            shunt_diag_help(k->diags, d, "write each line that is posted: `debit \"1015\" 80.00 USD`");
        }
    }
}

static void expect_emit(check *k, shunt_ast *node, const symbol_list *maps)
{
    shunt_ast    *name = kid(node, SHUNT_EMIT_target);
    shunt_symbol *target = name ? expected_target(k, name, false, maps) : NULL;
    if (!target || !target->as.target->shape) return;
    check_fact(k, node)->kind = SHUNT_FACT_TARGET;
    check_fact(k, node)->symbol = target;
    check_fields(k, node, kid(node, SHUNT_EMIT_fields), target, target->as.target->shape, true);
}

static void expect_exit(check *k, shunt_ast *exit)
{
    shunt_ast    *name = kid(exit, SHUNT_EXIT_code);
    shunt_symbol *code = NULL;
    shunt_fact   *fact = check_fact(k, exit);
    fact->kind = SHUNT_FACT_EXIT;
    fact->scope = check_scope(k, kid(exit, SHUNT_EXIT_scope), SHUNT_LANG_UNIT);
    if (!name) return;
    code = shunt_scope_find(&k->module->codes, name->text);
    shunt_status status;
    const char  *z = check_need(k, (void *)(uintptr_t)shunt_text_z(k->arena, name->text));
    if (!code && shunt_status_find(z, &status) && shunt_status_info[status].class > SHUNT_CLASS_RULES)
        return; /* one of the engine's own */
    if (!code) code = find_code(k, name->text);
    if (!code) unknown_name(k, name, "code", NULL);
    fact->symbol = code;
    shunt_ast *message = kid(exit, SHUNT_EXIT_message);
    if (message) (void)check_expr(k, message, NULL);
}

void check_test(check *k, shunt_ast *test)
{
    shunt_ast  *items = kid(test, SHUNT_TEST_items);
    symbol_list maps = { 0 };
    bool        unread = k->unread;
    k->phase = PHASE_NONE;
    for (uint32_t i = 0; items && i < items->kid_count; i++) {
        shunt_ast *item = items->kids[i];
        if (item->kind == SHUNT_AST_GIVEN) {
            shunt_symbol       *source = check_given(k, item);
            const shunt_symbol *map = source ? map_of_source(k, source) : NULL;
            if (map) maps_behind(k, (shunt_symbol *)(uintptr_t)map, &maps);
            if (source && decl_of(source)->unread) k->unread = true;
        } else if (item->kind == SHUNT_AST_WITH_TABLE) {
            check_test_table(k, item);
        }
    }
    for (uint32_t i = 0; items && i < items->kid_count; i++) {
        shunt_ast *what = items->kids[i]->kind == SHUNT_AST_EXPECT ? kid(items->kids[i], SHUNT_EXPECT_what) : NULL;
        if (!what) continue;
        if (what->kind == SHUNT_AST_JOURNAL)
            expect_journal(k, what, &maps);
        else if (what->kind == SHUNT_AST_EMIT)
            expect_emit(k, what, &maps);
        else if (what->kind == SHUNT_AST_EXIT)
            expect_exit(k, what);
    }
    k->unread = unread;
}

/* ---- stored answers ---- */

static bool has_wildcard(shunt_text text)
{
    for (uint32_t i = 0; i < text.length; i++)
        if (text.bytes[i] == '*' || text.bytes[i] == '?') return true;
    return false;
}

void check_golden(check *k, const shunt_ast *golden)
{
    const shunt_ast *inputs = kid(golden, SHUNT_GOLDEN_inputs), *outputs = kid(golden, SHUNT_GOLDEN_outputs);
    if (!inputs || !outputs || inputs->kind != SHUNT_AST_STRING || outputs->kind != SHUNT_AST_STRING) return;
    shunt_text  folder = inputs->text;
    shunt_diag *d;
    while (folder.length && folder.bytes[folder.length - 1] != '/') folder.length--;
    if (folder.length == inputs->text.length) {
        d = shunt_diag_add(k->diags, SHUNT_E1003, inputs->span, "no file is named here");
        shunt_diag_help(k->diags, d, "write which files of the folder are run: `\"in/*.edi\"`");
    } else if (has_wildcard(folder)) {
        d = shunt_diag_add(k->diags, SHUNT_E1003, inputs->span, "`*` and `?` stand in the name of a file, not of a folder");
        shunt_diag_help(k->diags, d, "write a `golden` for each folder");
    }
    if (outputs->text.length == 0 || has_wildcard(outputs->text)) {
        d = shunt_diag_add(k->diags, SHUNT_E1003, outputs->span, "answers are stored in one folder");
        shunt_diag_help(k->diags, d, "name it: `into \"golden/\"`");
    }
}
