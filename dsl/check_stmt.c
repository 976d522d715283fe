/* Maps: their units, statements, records and journals; and the parts of a target that are expressions. */
#include "dsl/check.h"

/* ---- let ---- */

static void lint_case(check *k, const shunt_ast *name)
{
    char lower[64];
    bool upper = false;
    if (name->text.length > sizeof lower) return;
    for (uint32_t i = 0; i < name->text.length; i++) {
        char c = name->text.bytes[i];
        bool big = c >= 'A' && c <= 'Z';
        upper = upper || big;
        lower[i] = (char)(big ? c + 32 : c);
    }
    if (!upper) return;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_W0210, name->span, "`%.*s` is not lower case", SHUNT_TEXT_ARGS(name->text));
    shunt_diag_note(k->diags, d, "capitals are for what stands in messages: `CLP04`, and for codes");
    shunt_diag_help(k->diags, d, "write `%.*s`", (int)name->text.length, lower);
}

void check_let(check *k, shunt_ast *let, shunt_symbol_kind kind)
{
    shunt_ast *name = kid(let, SHUNT_LET_name), *type_node = kid(let, SHUNT_LET_type), *value = kid(let, SHUNT_LET_value);
    uint32_t   levels = k->levels;
    bool       rounded = k->rounded;
    shunt_text late = k->late;
    if (!name) return;
    k->levels = 0;
    k->rounded = false;
    k->late = (shunt_text){ 0 };
    need     n = { .by = FOR_LET, .name = name->text };
    shunt_ty type;
    if (type_node) {
        n.type = check_type(k, type_node);
        type = check_needed(k, value, &n);
        if (!shunt_ty_is_error(&n.type)) {
            uint32_t phi = n.type.phi | type.phi;
            type = n.type;
            type.phi = phi;
        }
    } else {
        type = check_expr(k, value, NULL);
        if (type.kind == SHUNT_TY_NEVER) type = ty_error();
    }
    shunt_symbol *symbol = new_symbol(k, kind, name->text, let, name->span);
    decl         *d = decl_of(symbol);
    symbol->type = type;
    d->levels = k->levels;
    d->rounded = k->rounded;
    d->late = k->late;
    d->turn = (uint8_t)check_turn(value);
    d->unreversed = check_unreversed(value);
    if (kind == SHUNT_SYMBOL_GLOBAL) symbol->as.global.late = k->late.length > 0;
    check_fact(k, let)->symbol = symbol;
    (void)check_typed(k, let, type);
    lint_case(k, name);
    if (kind != SHUNT_SYMBOL_CONSTANT) declare_local(k, symbol);
    k->levels = levels;
    k->rounded = rounded;
    k->late = late;
}

/* ---- fields of a record ---- */

static void check_statements(check *k, shunt_ast *block);
static void classify_total(const shunt_symbol *tally, uint32_t phi);
static void classify_key(const shunt_symbol *tally, uint32_t number, uint32_t phi);

static bool field_given(const shunt_ast *fields, shunt_text name, const shunt_ast **where)
{
    for (uint32_t i = 0; fields && i < fields->kid_count; i++) {
        const shunt_ast *field = fields->kids[i], *field_name = field->kind == SHUNT_AST_ERROR ? NULL : kid(field, 0);
        if (!field_name || !shunt_text_equal(field_name->text, name)) continue;
        *where = field;
        return true;
    }
    return false;
}

static bool has_error_node(const shunt_ast *list)
{
    for (uint32_t i = 0; list && i < list->kid_count; i++)
        if (list->kids[i]->kind == SHUNT_AST_ERROR) return true;
    return false;
}

/* The member that a field fills; UINT32_MAX after an error. */
static uint32_t member_of_field(check *k, const shunt_ast *name, const shunt_shape *shape, const shunt_symbol *target)
{
    uint32_t at;
    if (find_member(shape, name->text, &at)) return at;
    bool        line = shape->kind == SHUNT_SHAPE_LINE;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0209, name->span,
                                   line ? "a line of %.*s has no column `%.*s`" : "target %.*s has no field `%.*s`",
                                   SHUNT_TEXT_ARGS(shape->name), SHUNT_TEXT_ARGS(name->text));
    shunt_text  near = nearest_field(k, shape, name->text, NULL);
    if (near.length)
        shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
    else if (target->as.target->line && !line && find_member(target->as.target->line, name->text, &at))
        shunt_diag_help(k->diags, d, "it is a column of its lines: write it in `with (...)`");
    else if (line && find_member(target->as.target->shape, name->text, &at))
        shunt_diag_help(k->diags, d, "it is a field of the whole journal: write `%.*s: ...` inside it",
                        SHUNT_TEXT_ARGS(name->text));
    else if (target->module == k->module->number)
        shunt_diag_help(k->diags, d, "add it to the target (line %u): `%s%.*s: TYPE`", line_of(k, target->span),
                        line ? "column " : "", SHUNT_TEXT_ARGS(name->text));
    return UINT32_MAX;
}

bool check_expected_absent(check *k, const shunt_ast *value, const shunt_member *member)
{
    if (!value || value->kind != SHUNT_AST_ABSENT_PATTERN) return false;
    if (member->type.optional || shunt_ty_is_error(&member->type)) return true;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0303, value->span, "`%.*s` is never absent", SHUNT_TEXT_ARGS(member->name));
    if (member->decl) shunt_diag_also(k->diags, d, member->decl->span, "declared without `?`");
    shunt_diag_help(k->diags, d, "write the value that is expected, or leave it out");
    return true;
}

static void check_field_list(check *k, shunt_ast *field, const shunt_symbol *target, const shunt_member *member, bool expected)
{
    shunt_ast *each = kid(field, SHUNT_FIELD_LIST_each), *fields = kid(field, SHUNT_FIELD_LIST_fields);
    bool  rows = !member || (member->type.kind == SHUNT_TY_LIST && member->type.item && member->type.item->kind == SHUNT_TY_ROW);
    level inner;
    bool  lost = k->lost;
    if (member && !rows && !shunt_ty_is_error(&member->type)) {
        shunt_text  name = shunt_ty_name(k->arena, &member->type);
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0303, field->span, "`%.*s` takes %.*s, and this is a list of rows",
                                       SHUNT_TEXT_ARGS(member->name), SHUNT_TEXT_ARGS(name));
        if (member->decl) shunt_diag_also(k->diags, d, member->decl->span, "declared here");
        return;
    }
    enter_block(k);
    if (each) k->lost = !check_each(k, each, &inner) || lost;
    if (member && rows && member->type.item) check_fields(k, field, fields, target, member->type.item->shape, expected);
    if (each) leave_each(k, &inner);
    leave_block(k);
    k->lost = lost;
}

static void report_missing(check *k, const shunt_ast *at, const shunt_shape *shape, const shunt_text *names, uint32_t count)
{
    shunt_text list = { 0 }, lines = { 0 };
    for (uint32_t i = 0; i < count && i < 6; i++) {
        list = check_format(k, "%.*s%s`%.*s`", SHUNT_TEXT_ARGS(list), i ? ", " : "", SHUNT_TEXT_ARGS(names[i]));
        lines = check_format(k, "%.*s%s%.*s: ...", SHUNT_TEXT_ARGS(lines), i ? "  " : "", SHUNT_TEXT_ARGS(names[i]));
    }
    if (count > 6) list = check_format(k, "%.*s and %u more", SHUNT_TEXT_ARGS(list), count - 6);
    const shunt_ast *place = kid(at, 0) ? kid(at, 0) : at;
    shunt_diag      *d =
        shunt_diag_add(k->diags, SHUNT_E0305, place->span, "%s %.*s %s missing",
                       count == 1 ? "required field" : "required fields", SHUNT_TEXT_ARGS(list), count == 1 ? "is" : "are");
    shunt_diag_here(k->diags, d, "%.*s needs %s", SHUNT_TEXT_ARGS(shape->name), count == 1 ? "it" : "them");
    for (uint32_t i = 0; i < shape->count; i++)
        if (count && shunt_text_equal(shape->members[i].name, names[0]) && shape->members[i].decl)
            shunt_diag_also(k->diags, d, shape->members[i].decl->span, "declared without `?` and without default");
    shunt_diag_help(k->diags, d, "add `%.*s`", SHUNT_TEXT_ARGS(lines));
}

/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a shape that has a count has members */
static bool is_required(const shunt_member *m) { return !m->type.optional && !m->value; }

shunt_ty check_expected(const shunt_ty *type, const shunt_ast *value)
{
    bool as_text = type->kind == SHUNT_TY_MOMENT && value && value->kind == SHUNT_AST_STRING;
    return as_text ? shunt_ty_text(0, false) : *type;
}

bool is_misspelled(const node_list *unknown, shunt_text name)
{
    for (uint32_t i = 0; i < unknown->count; i++)
        if (shunt_suggest_is_slip(unknown->items[i]->text, name)) return true;
    return false;
}

void check_fields(check *k, shunt_ast *at, shunt_ast *fields, const shunt_symbol *target, const shunt_shape *shape, bool expected)
{
    shunt_text *missing = NEW_N(k, shunt_text, shape->count);
    uint32_t    count = 0;
    shunt_text  filling = k->filling;
    bool       *seen = NEW_N(k, bool, shape->count);
    node_list   unknown = { 0 };
    for (uint32_t i = 0; fields && i < fields->kid_count; i++) {
        shunt_ast *field = fields->kids[i], *name = field->kind == SHUNT_AST_ERROR ? NULL : kid(field, 0);
        if (!name) continue;
        uint32_t m = member_of_field(k, name, shape, target);
        if (m == UINT32_MAX) *PUSH(k, &unknown) = name;
        const shunt_member *member = m == UINT32_MAX ? NULL : &shape->members[m];
        if (member && seen[m] && !(expected && field->kind == SHUNT_AST_FIELD_LIST)) {
            const shunt_ast *first = NULL;
            (void)field_given(fields, name->text, &first);
            shunt_diag *d =
                shunt_diag_add(k->diags, SHUNT_E0208, name->span, "`%.*s` is written twice", SHUNT_TEXT_ARGS(name->text));
            if (first) shunt_diag_also(k->diags, d, first->span, "first here");
            shunt_diag_help(k->diags, d, "remove one of them");
        }
        if (member) {
            seen[m] = true;
            check_fact(k, field)->kind = SHUNT_FACT_FIELD;
            check_fact(k, field)->member = m;
            (void)check_typed(k, field, member->type);
        }
        k->filling = name->text;
        if (field->kind == SHUNT_AST_FIELD_LIST) {
            check_field_list(k, field, target, member, expected);
        } else if (!member) {
            (void)check_expr(k, kid(field, SHUNT_FIELD_value), NULL);
        } else if (!expected || !check_expected_absent(k, kid(field, SHUNT_FIELD_value), member)) {
            need n = { .by = shape->kind == SHUNT_SHAPE_LINE ? FOR_COLUMN : FOR_FIELD,
                       .type = expected ? check_expected(&member->type, kid(field, SHUNT_FIELD_value)) : member->type,
                       .name = member->name,
                       .owner = shape->symbol ? shape->symbol : target,
                       .member = member };
            if (expected)
                (void)check_needed(k, kid(field, SHUNT_FIELD_value), &n);
            else
                shape->members[m].given |=
                    check_leaving(k, kid(field, SHUNT_FIELD_value), &n, target).phi; /* for what reads the record */
        }
        k->filling = filling;
    }
    for (uint32_t m = 0; m < shape->count && !expected; m++) /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): the same */
        if (!seen[m] && is_required(&shape->members[m]) && !is_misspelled(&unknown, shape->members[m].name))
            missing[count++] = shape->members[m].name;
    if (count && !has_error_node(fields) && shape->kind != SHUNT_SHAPE_LINE) report_missing(k, at, shape, missing, count);
}

/* ---- emit ---- */

static shunt_symbol *target_named(check *k, const shunt_ast *name, bool journal)
{
    shunt_symbol *symbol = find_type(k, name->text);
    if (!symbol || symbol->kind != SHUNT_SYMBOL_TARGET) {
        if (!symbol || !decl_of(symbol)->unread) unknown_name(k, name, "target", NULL);
        return NULL;
    }
    if (decl_of(symbol)->unread) return NULL;
    if (symbol->as.target->journal != journal) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0303, name->span, journal ? "target %.*s is no journal" : "target %.*s is a journal",
                           SHUNT_TEXT_ARGS(symbol->name));
        shunt_diag_also(k->diags, d, symbol->span, "declared here");
        shunt_diag_help(k->diags, d, journal ? "write `emit %.*s { ... }`" : "write `journal %.*s { ... }`",
                        SHUNT_TEXT_ARGS(symbol->name));
        return NULL;
    }
    return symbol;
}

static bool is_of_the_map(const check *k, const shunt_symbol *target)
{
    for (uint32_t i = 0; k->map && i < k->map->as.map.target_count; i++)
        if (k->map->as.map.targets[i] == target) return true;
    return false;
}

static shunt_symbol *target_of_map(check *k, const shunt_ast *name, bool journal)
{
    shunt_symbol *symbol = target_named(k, name, journal);
    if (!symbol) return NULL;
    decl_of(symbol)->written = true;
    if (is_of_the_map(k, symbol)) return symbol;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0207, name->span, "`%.*s` is not among the targets of this map",
                                   SHUNT_TEXT_ARGS(symbol->name));
    shunt_diag_also(k->diags, d, k->map->span, "map %.*s", SHUNT_TEXT_ARGS(k->map->name));
    shunt_diag_help(k->diags, d, "add it after `into`");
    return symbol;
}

/* Bits of `for each` that a key must depend on here: the unit, or in `at end` the loop that it stands in. */
static uint32_t key_must_hold(const check *k)
{
    bool whole = k->unit_loop && !k->unit_loop->id.length; /* the message is the unit */
    if (k->phase == PHASE_UNIT) return k->unit_bit | (whole ? SET_LEVEL : 0);
    return k->level ? k->level->bit : 0;
}

static void report_key(check *k, const shunt_ast *at, shunt_text what)
{
    const shunt_ast *each = k->phase == PHASE_UNIT ? k->unit_each : k->level ? k->level->each : NULL;
    shunt_diag      *d = shunt_diag_add(k->diags, SHUNT_E0505, at->span, "%.*s is the same for every %s", SHUNT_TEXT_ARGS(what),
                                   k->phase == PHASE_UNIT ? "unit" : "turn of the loop");
    if (each) shunt_diag_also(k->diags, d, each->span, "nothing in the key depends on this");
    shunt_diag_note(k->diags, d, "two records of one transaction with the same key are a fault: KEY_REPEATED");
    shunt_text variable = each && kid(each, SHUNT_EACH_variable) ? kid(each, SHUNT_EACH_variable)->text : SHUNT_TEXT("x");
    if (k->record && k->phase == PHASE_UNIT)
        shunt_diag_help(k->diags, d, "add a field that tells them apart: `%.*s.NAME`", SHUNT_TEXT_ARGS(variable));
    else
        shunt_diag_help(k->diags, d, "add what tells them apart, such as `position(%.*s)`", SHUNT_TEXT_ARGS(variable));
}

static void check_emit_key(check *k, shunt_ast *emit, const shunt_symbol *target, const uint32_t *levels, const bool *given)
{
    const shunt_target_info *info = target->as.target;
    uint32_t                 held = 0, must = key_must_hold(k);
    if (k->unread || k->lost) return;
    if (info->handed) return; /* nothing is posted that would need one */
    if (!info->key_count) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0505, kid(emit, SHUNT_EMIT_target)->span, "target %.*s has no key",
                                       SHUNT_TEXT_ARGS(target->name));
        shunt_diag_also(k->diags, d, target->span, "declared here");
        shunt_diag_note(k->diags, d, "the key tells a record from the same one in another run");
        if (info->shape->count)
            shunt_diag_help(k->diags, d, "add the fields that name a record: `key %.*s`",
                            SHUNT_TEXT_ARGS(info->shape->members[0].name));
        return;
    }
    for (uint32_t i = 0; i < info->key_count; i++) {
        held |= levels[info->keys[i]];
        if (!given[info->keys[i]]) return; /* it is missing or wrong, and said so */
    }
    if (must && !(held & must))
        report_key(k, kid(emit, SHUNT_EMIT_target), check_format(k, "the key of %.*s", SHUNT_TEXT_ARGS(target->name)));
}

static void check_emit(check *k, shunt_ast *emit)
{
    shunt_ast    *name = kid(emit, SHUNT_EMIT_target), *fields = kid(emit, SHUNT_EMIT_fields);
    shunt_symbol *target = name ? target_of_map(k, name, false) : NULL;
    if (!target || !target->as.target->shape) {
        use_names(k, emit);
        return;
    }
    check_fact(k, emit)->kind = SHUNT_FACT_TARGET;
    check_fact(k, emit)->symbol = target;
    const shunt_shape *shape = target->as.target->shape;
    uint32_t          *levels = NEW_N(k, uint32_t, shape->count), before = k->levels;
    bool              *given = NEW_N(k, bool, shape->count);
    /* What each field depends on is asked field by field: expressions that are checked already only give back their type. */
    for (uint32_t i = 0; fields && i < fields->kid_count; i++) {
        shunt_ast *field = fields->kids[i];
        uint32_t   m;
        if (field->kind != SHUNT_AST_FIELD || !kid(field, SHUNT_FIELD_name) ||
            !find_member(shape, kid(field, SHUNT_FIELD_name)->text, &m))
            continue;
        k->levels = 0;
        k->filling = shape->members[m].name;
        shunt_ty type = check_expr(k, kid(field, SHUNT_FIELD_value), &shape->members[m].type);
        k->filling = (shunt_text){ 0 };
        levels[m] = k->levels;
        given[m] = !shunt_ty_is_error(&type);
    }
    k->levels = before;
    check_fields(k, emit, fields, target, shape, false);
    check_emit_key(k, emit, target, levels, given);
}

/* ---- journal ---- */

typedef struct sides { /* what the lines of a journal may be, over all ways through it */
    bool       debit, credit, rounded, unclear;
    bool       twice;      /* two remainders were reported */
    uint32_t   remainders; /* at most, on one way */
    shunt_ast *remainder;
    shunt_text amounts; /* of the other lines, for W0502 */
    uint32_t   amount_count;
} sides;

typedef struct journal {
    shunt_symbol *target;
    shunt_ast    *node;
    shunt_ast    *with;
    shunt_ast    *key;
    bool         *given; /* header fields */
    uint32_t      key_levels;
    sides         sides;
} journal;

static void check_journal_items(check *k, journal *j, shunt_ast *block, sides *s);

static void merge_sides(sides *into, const sides *from)
{
    into->debit = into->debit || from->debit;
    into->credit = into->credit || from->credit;
    into->rounded = into->rounded || from->rounded;
    into->unclear = into->unclear || from->unclear;
    into->twice = into->twice || from->twice;
    into->amounts = from->amounts;
    into->amount_count = from->amount_count;
    if (!into->remainder) into->remainder = from->remainder;
}

static void report_two_remainders(check *k, const shunt_ast *second, const shunt_ast *first)
{
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0502, second->span, "a journal has one `remainder` at most");
    if (first && first != second)
        shunt_diag_also(k->diags, d, first->span, "the other one");
    else
        shunt_diag_here(k->diags, d, "this line is written once for each turn of the loop");
    shunt_diag_note(k->diags, d, "the remainder is what the other lines leave over; of two nobody knows which takes what");
    shunt_diag_help(k->diags, d, "give this line an amount");
}

static void check_line(check *k, journal *j, shunt_ast *line, sides *s)
{
    shunt_ast *account = kid(line, SHUNT_LINE_account), *amount = kid(line, SHUNT_LINE_amount),
              *with = kid(line, SHUNT_LINE_with);
    bool     rounded = k->rounded;
    uint32_t known = k->learnt.count;
    check_condition(k, kid(line, SHUNT_LINE_when));
    check_learn(k, kid(line, SHUNT_LINE_when), true);
    if (account && account->kind == SHUNT_AST_NAME && check_qname_split(k, &account)) line->kids[SHUNT_LINE_account] = account;
    need wants_account = { .by = FOR_ACCOUNT, .type = shunt_ty_plain(SHUNT_TY_ACCOUNT) };
    if (account) (void)check_leaving(k, account, &wants_account, j->target);
    if (shunt_text_is(line->text, "debit"))
        s->debit = true;
    else
        s->credit = true;
    k->rounded = false;
    if (amount) {
        uint8_t     scale = 2;
        const char *currency = k->source ? k->source->as.source->currency : "";
        (void)shunt_currency_find(shunt_text_of(currency), &scale);
        shunt_ty want = shunt_ty_money(currency[0] ? currency : "USD", scale), type = check_expr(k, amount, &want);
        if (type.kind == SHUNT_TY_MONEY) want = shunt_ty_money(type.currency, scale);
        if (type.kind == SHUNT_TY_MONEY) (void)shunt_currency_find(shunt_text_of(type.currency), &want.scale);
        need n = { .by = FOR_AMOUNT, .type = want };
        if (check_fits(k, amount, &type, &n)) check_phi(k, amount, &type, j->target);
        s->rounded = s->rounded || k->rounded;
        if (s->amount_count++ < 4)
            s->amounts = check_format(k, "%.*s%s`%.*s`", SHUNT_TEXT_ARGS(s->amounts), s->amounts.length ? ", " : "",
                                      SHUNT_TEXT_ARGS(short_text(k, amount)));
    } else {
        s->debit = s->credit = true;
        if (s->remainders++) {
            s->twice = true;
            report_two_remainders(k, line, s->remainder);
        } else {
            s->remainder = line;
        }
    }
    k->rounded = rounded;
    if (with && with->kid_count && j->target->as.target->line)
        check_fields(k, line, with, j->target, j->target->as.target->line, false);
    const shunt_shape *columns = j->target->as.target->line;
    for (uint32_t m = 0; columns && m < columns->count; m++) {
        const shunt_ast *where;
        if (!is_required(&columns->members[m]) || field_given(with, columns->members[m].name, &where) ||
            field_given(j->with, columns->members[m].name, &where))
            continue;
        report_missing(k, line, columns, &columns->members[m].name, 1);
    }
    k->learnt.count = known;
}

static void check_key(check *k, journal *j, shunt_ast *key)
{
    shunt_ast *parts = kid(key, SHUNT_KEY_parts);
    uint32_t   before = k->levels;
    if (j->key) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0208, key->span, "a journal has one `key`");
        shunt_diag_also(k->diags, d, j->key->span, "first here");
        shunt_diag_help(k->diags, d, "write all parts in one `key`");
    }
    j->key = key;
    k->levels = 0;
    for (uint32_t i = 0; parts && i < parts->kid_count; i++) {
        shunt_ty type = check_present(k, parts->kids[i], FOR_KEY, (shunt_text){ 0 }, NULL);
        check_phi(k, parts->kids[i], &type, j->target);
        if (shunt_ty_is_error(&type)) j->key_levels = UINT32_MAX; /* what it depends on is not known */
    }
    j->key_levels |= k->levels;
    k->levels = before;
}

static void check_header(check *k, journal *j, shunt_ast *setting)
{
    shunt_ast *name = kid(setting, SHUNT_SETTING_name), *value = kid(setting, SHUNT_SETTING_value);
    if (!name || !value) return;
    const shunt_shape *shape = j->target->as.target->shape;
    uint32_t           m;
    if (shunt_text_is(name->text, "negatives") && !find_member(shape, name->text, &m)) {
        if (value->kind == SHUNT_AST_NAME && shunt_text_is(value->text, "flip")) return;
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0209, value->span, "`negatives` has one value: `flip`");
        shunt_diag_help(k->diags, d, "write `negatives: flip`, or leave it out: a negative amount is then a failure");
        return;
    }
    m = member_of_field(k, name, shape, j->target);
    if (m == UINT32_MAX) {
        (void)check_expr(k, value, NULL);
        return;
    }
    if (j->given[m]) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0208, name->span, "`%.*s` is written twice", SHUNT_TEXT_ARGS(name->text));
        shunt_diag_help(k->diags, d, "remove one of them");
    }
    j->given[m] = true;
    check_fact(k, setting)->kind = SHUNT_FACT_FIELD;
    check_fact(k, setting)->member = m;
    const shunt_member *member = &shape->members[m];
    need                n = { .by = FOR_FIELD, .type = member->type, .name = member->name, .owner = j->target, .member = member };
    k->filling = name->text;
    (void)check_leaving(k, value, &n, j->target);
    k->filling = (shunt_text){ 0 };
}

/* Arms of an `if` or `match` exclude each other: of remainders the most that one of them has counts. */
static void check_arms(check *k, journal *j, shunt_ast *const *blocks, uint32_t count, const shunt_ast *node, sides *s)
{
    uint32_t most = s->remainders, known = k->learnt.count;
    bool     met = false, is_if = node->kind == SHUNT_AST_IF;
    for (uint32_t i = 0; i < count; i++) {
        if (!blocks[i]) continue;
        k->learnt.count = known;
        if (is_if)
            check_learn(k, kid(node, SHUNT_IF_test), i == 0);
        else
            check_learn_arm(k, kid(node, SHUNT_MATCH_subject), kid(kid(node, SHUNT_MATCH_arms)->kids[i], SHUNT_ARM_patterns),
                            &met);
        sides arm = {
            .remainders = s->remainders, .remainder = s->remainder, .amounts = s->amounts, .amount_count = s->amount_count
        };
        if (blocks[i]->kind == SHUNT_AST_IF) {
            shunt_ast list = { .kind = SHUNT_AST_BLOCK, .kid_count = 1, .kids = (shunt_ast **)(uintptr_t)&blocks[i] };
            check_journal_items(k, j, &list, &arm);
        } else {
            check_journal_items(k, j, blocks[i], &arm);
        }
        if (arm.remainders > most) most = arm.remainders;
        merge_sides(s, &arm);
    }
    s->remainders = most;
}

static void check_journal_match(check *k, journal *j, shunt_ast *match, sides *s)
{
    shunt_ast  *arms = kid(match, SHUNT_MATCH_arms);
    shunt_ty    type = check_expr(k, kid(match, SHUNT_MATCH_subject), NULL);
    uint32_t    count = arms ? arms->kid_count : 0;
    shunt_ast **blocks = NEW_N(k, shunt_ast *, count);
    check_patterns(k, kid(match, SHUNT_MATCH_subject), &type, arms, SHUNT_ARM_patterns);
    for (uint32_t i = 0; i < count; i++)
        blocks[i] = arms->kids[i]->kind == SHUNT_AST_ARM ? kid(arms->kids[i], SHUNT_ARM_block) : NULL;
    uint32_t known = k->learnt.count;
    check_arms(k, j, blocks, count, match, s);
    k->learnt.count = known;
}

static void check_journal_each(check *k, journal *j, shunt_ast *node, sides *s)
{
    level inner;
    bool  lost = k->lost;
    sides body = {
        .remainders = s->remainders, .remainder = s->remainder, .amounts = s->amounts, .amount_count = s->amount_count
    };
    enter_block(k);
    k->lost = !check_each(k, kid(node, SHUNT_FOR_EACH_each), &inner) || lost;
    check_journal_items(k, j, kid(node, SHUNT_FOR_EACH_block), &body);
    if (body.remainders == 1 && !s->remainders) {
        body.twice = true;
        report_two_remainders(k, body.remainder, NULL);
    }
    leave_each(k, &inner);
    leave_block(k);
    k->lost = lost;
    s->remainders = body.remainders;
    merge_sides(s, &body);
}

static void check_journal_item(check *k, journal *j, shunt_ast *item, sides *s)
{
    switch (item->kind) {
    case SHUNT_AST_KEY: check_key(k, j, item); return;
    case SHUNT_AST_LET: check_let(k, item, SHUNT_SYMBOL_LOCAL); return;
    case SHUNT_AST_SETTING: check_header(k, j, item); return;
    case SHUNT_AST_LINE: check_line(k, j, item, s); return;
    case SHUNT_AST_MATCH: check_journal_match(k, j, item, s); return;
    case SHUNT_AST_FOR_EACH: check_journal_each(k, j, item, s); return;
    case SHUNT_AST_IF: {
        shunt_ast *const blocks[] = { kid(item, SHUNT_IF_then), kid(item, SHUNT_IF_otherwise) };
        uint32_t         known = k->learnt.count;
        check_condition(k, kid(item, SHUNT_IF_test));
        check_arms(k, j, blocks, 2, item, s);
        k->learnt.count = known;
        return;
    }
    case SHUNT_AST_EXIT: {
        if (!shunt_text_is(item->text, "skip")) {
            check_exit(k, item, false);
            return;
        }
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0507, item->span, "`skip` would leave the unit in the middle of a journal");
        shunt_diag_help(k->diags, d, "to post no line here, write `nothing`");
        shunt_diag_help(k->diags, d, "to leave the unit, decide it before the journal");
        return;
    }
    case SHUNT_AST_ERROR: s->unclear = true; return;
    default: return;
    }
}

static void check_journal_items(check *k, journal *j, shunt_ast *block, sides *s)
{
    if (!block) return;
    enter_block(k);
    for (uint32_t i = 0; i < block->kid_count; i++)
        if (block->kids[i]) check_journal_item(k, j, block->kids[i], s);
    leave_block(k);
}

static void report_incomplete_journal(check *k, const journal *j)
{
    const shunt_ast   *name = kid(j->node, SHUNT_JOURNAL_target);
    const shunt_shape *shape = j->target->as.target->shape;
    uint32_t           date;
    shunt_diag        *d;
    if (j->sides.unclear) return;
    if (!j->key) {
        d = shunt_diag_add(k->diags, SHUNT_E0503, name->span, "this journal has no `key`");
        shunt_diag_note(k->diags, d, "the key tells a posting from the same one in another run");
        shunt_diag_help(k->diags, d, "name what makes it the only one: `key TRN02, CLP01, ...`");
        return;
    }
    if (find_member(shape, SHUNT_TEXT("date"), &date) && !j->given[date] && is_required(&shape->members[date])) {
        d = shunt_diag_add(k->diags, SHUNT_E0503, name->span, "this journal has no `date`");
        shunt_diag_help(k->diags, d, "say the day of posting: `date: BPR16`");
        return;
    }
    if (j->sides.debit && j->sides.credit) return;
    const char *missing = j->sides.debit ? "credit" : "debit";
    d = shunt_diag_add(k->diags, SHUNT_E0503, name->span,
                       j->sides.debit || j->sides.credit ? "this journal has no `%s` line" : "this journal has no lines",
                       missing);
    shunt_diag_note(k->diags, d, "debits and credits of a journal must be equal");
    if (j->sides.debit || j->sides.credit)
        shunt_diag_help(k->diags, d, "add the other side: `%s ACCOUNT AMOUNT`", missing);
    else
        shunt_diag_help(k->diags, d, "add `debit ACCOUNT AMOUNT` and `credit ACCOUNT AMOUNT`");
}

static void warn_remainder(check *k, const journal *j)
{
    const sides *s = &j->sides;
    if (s->twice || !s->remainder || s->rounded || !s->amount_count) return;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_W0502, s->remainder->span, "the remainder takes what is left of %.*s%s",
                                   SHUNT_TEXT_ARGS(s->amounts), s->amount_count > 4 ? " and more" : "");
    shunt_diag_note(k->diags, d,
                    "nothing here is rounded, so a wrong amount would end in this line, and the balance would say nothing");
    shunt_diag_help(k->diags, d, "write the amount of this line outright, and keep `remainder` for the cents of rounding");
}

static void check_journal(check *k, shunt_ast *node)
{
    shunt_ast    *name = kid(node, SHUNT_JOURNAL_target);
    shunt_symbol *target = name ? target_of_map(k, name, true) : NULL;
    if (!target || !target->as.target->shape) {
        use_names(k, node);
        return;
    }
    const shunt_target_info *info = target->as.target;
    journal                  j = { .target = target, .node = node };
    j.with = kid(node, SHUNT_JOURNAL_with);
    j.given = NEW_N(k, bool, info->shape->count);
    check_fact(k, node)->kind = SHUNT_FACT_TARGET;
    check_fact(k, node)->symbol = target;
    if (j.with && j.with->kid_count && info->line)
        check_fields(k, node, j.with, target, info->line, false);
    else if (j.with && j.with->kid_count)
        (void)member_of_field(k, kid(j.with->kids[0], 0), info->shape, target);
    check_journal_items(k, &j, kid(node, SHUNT_JOURNAL_block), &j.sides);
    report_incomplete_journal(k, &j);
    warn_remainder(k, &j);
    shunt_text *missing = NEW_N(k, shunt_text, info->shape->count);
    uint32_t    count = 0;
    for (uint32_t m = 0; m < info->shape->count; m++)
        if (!j.given[m] && is_required(&info->shape->members[m]) && !shunt_text_is(info->shape->members[m].name, "date"))
            missing[count++] = info->shape->members[m].name;
    if (count && !j.sides.unclear) report_missing(k, node, info->shape, missing, count);
    uint32_t must = key_must_hold(k);
    if (j.key && must && !(j.key_levels & must)) report_key(k, j.key, SHUNT_TEXT("this key"));
}

/* ---- statements ---- */

static void check_if(check *k, shunt_ast *node)
{
    uint32_t known = k->learnt.count;
    check_condition(k, kid(node, SHUNT_IF_test));
    check_learn(k, kid(node, SHUNT_IF_test), true);
    check_statements(k, kid(node, SHUNT_IF_then));
    k->learnt.count = known;
    check_learn(k, kid(node, SHUNT_IF_test), false);
    shunt_ast *other = kid(node, SHUNT_IF_otherwise);
    if (other && other->kind == SHUNT_AST_IF)
        check_if(k, other);
    else if (other)
        check_statements(k, other);
    k->learnt.count = known;
}

static void check_match(check *k, shunt_ast *node)
{
    shunt_ast *subject = kid(node, SHUNT_MATCH_subject), *arms = kid(node, SHUNT_MATCH_arms);
    shunt_ty   type = check_expr(k, subject, NULL);
    uint32_t   known = k->learnt.count;
    bool       met = false;
    check_patterns(k, subject, &type, arms, SHUNT_ARM_patterns);
    for (uint32_t i = 0; arms && i < arms->kid_count; i++) {
        if (arms->kids[i]->kind != SHUNT_AST_ARM) continue;
        check_learn_arm(k, subject, kid(arms->kids[i], SHUNT_ARM_patterns), &met);
        check_statements(k, kid(arms->kids[i], SHUNT_ARM_block));
        k->learnt.count = known;
    }
}

static void check_check(check *k, shunt_ast *node)
{
    shunt_ast *exit = kid(node, SHUNT_CHECK_exit);
    k->kept = true;
    check_condition(k, kid(node, SHUNT_CHECK_test));
    k->kept = false;
    if (!exit || exit->kind != SHUNT_AST_EXIT) return;
    check_exit(k, exit, false);
    if (!shunt_text_is(exit->text, "warn")) check_learn(k, kid(node, SHUNT_CHECK_test), true); /* for what stands behind it */
    if (!shunt_text_is(exit->text, "skip")) return;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0307, exit->span, "`skip` cannot stand after `check`");
    shunt_diag_here(k->diags, d, "a check that fails is a fault, and `skip` says that all is well");
    shunt_diag_help(k->diags, d, "write `if CONDITION { skip }`");
}

static void check_for_each(check *k, shunt_ast *node)
{
    level inner;
    bool  lost = k->lost;
    enter_block(k);
    k->lost = !check_each(k, kid(node, SHUNT_FOR_EACH_each), &inner) || lost;
    check_fact(k, node)->symbol = inner.variable;
    check_statements(k, kid(node, SHUNT_FOR_EACH_block));
    leave_each(k, &inner);
    leave_block(k);
    k->lost = lost;
}

static void check_step(check *k, shunt_ast *node)
{
    shunt_ast *name = kid(node, SHUNT_STEP_name);
    if (name) {
        shunt_symbol *known = shunt_scope_find(&k->steps, name->text);
        if (known) {
            shunt_diag *d =
                shunt_diag_add(k->diags, SHUNT_E0902, name->span, "step \"%.*s\" is there already", SHUNT_TEXT_ARGS(name->text));
            shunt_diag_also(k->diags, d, known->span, "the first one");
            shunt_diag_note(k->diags, d, "reports and exceptions name the step");
            shunt_diag_help(k->diags, d, "give one of them another name");
        } else if (!shunt_scope_add(&k->steps, name->text, new_symbol(k, SHUNT_SYMBOL_LOCAL, name->text, node, name->span))) {
            longjmp(k->no_memory, 1);
        }
    }
    shunt_ast *around;
    begin_step(k, node, &around);
    check_statements(k, kid(node, SHUNT_STEP_block));
    end_step(k, node, around);
}

static void check_add(check *k, shunt_ast *node)
{
    shunt_ast    *value = kid(node, SHUNT_ADD_value), *name = kid(node, SHUNT_ADD_tally), *keys = kid(node, SHUNT_ADD_keys);
    shunt_symbol *tally = name ? find_value(k, name->text) : NULL;
    if (!tally || tally->kind != SHUNT_SYMBOL_TALLY) {
        (void)check_expr(k, value, NULL);
        if (name) unknown_name(k, name, "tally", NULL);
        return;
    }
    check_fact(k, node)->symbol = tally;
    check_fact(k, name)->kind = SHUNT_FACT_SYMBOL;
    check_fact(k, name)->symbol = tally;
    shunt_ty type = tally->as.tally.grouped && tally->type.kind == SHUNT_TY_LIST
                        ? tally->type.item->shape->members[tally->as.tally.key_count].type
                        : tally->type;
    need     n = { .by = FOR_TALLY, .type = type, .name = tally->name };
    uint32_t phi = check_needed(k, value, &n).phi;
    if (tally->as.tally.grouped && tally->type.kind == SHUNT_TY_LIST)
        classify_total(tally, phi);
    else
        tally->type.phi |= phi;
    if (tally->as.tally.declared) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0306, node->span, "the engine adds to `%.*s` by itself",
                                       SHUNT_TEXT_ARGS(tally->name));
        shunt_diag_also(k->diags, d, tally->span, "declared with `of`");
        shunt_diag_help(k->diags, d, "remove this line, or leave out `of ... for each ...` in the tally");
    }
    uint32_t wanted = tally->as.tally.grouped ? tally->as.tally.key_count + tally->as.tally.members : 0,
             given = keys ? keys->kid_count : 0;
    if (wanted != given) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0306, node->span,
                                       wanted > 1 ? "`%.*s` is a total for %u keys, and %u are given"
                                       : wanted   ? "`%.*s` is a total for each key"
                                                  : "`%.*s` is one total",
                                       SHUNT_TEXT_ARGS(tally->name), wanted, given);
        shunt_diag_also(k->diags, d, tally->span, "declared here");
        if (wanted > 1)
            shunt_diag_help(k->diags, d, "name all of them, as after `by`%s", tally->as.tally.members ? ", and the member" : "");
        else
            shunt_diag_help(k->diags, d, wanted ? "name the key: `add ... to %.*s[KEY]`" : "leave out the key: `add ... to %.*s`",
                            SHUNT_TEXT_ARGS(tally->name));
    }
    for (uint32_t i = 0; i < given; i++) {
        shunt_ty key = check_present(k, keys->kids[i], FOR_KEY, (shunt_text){ 0 }, NULL);
        tally->as.tally.key.phi |= key.phi;
        if (!decl_of(tally)->key_kind) decl_of(tally)->key_kind = key.kind;
        if (tally->as.tally.grouped && tally->type.kind == SHUNT_TY_LIST) classify_key(tally, i, key.phi);
    }
}

static void check_statement(check *k, shunt_ast *node)
{
    switch (node->kind) {
    case SHUNT_AST_LET: check_let(k, node, SHUNT_SYMBOL_LOCAL); return;
    case SHUNT_AST_FOR_EACH: check_for_each(k, node); return;
    case SHUNT_AST_IF: check_if(k, node); return;
    case SHUNT_AST_MATCH: check_match(k, node); return;
    case SHUNT_AST_CHECK: check_check(k, node); return;
    case SHUNT_AST_ADD: check_add(k, node); return;
    case SHUNT_AST_EMIT: check_emit(k, node); return;
    case SHUNT_AST_JOURNAL: check_journal(k, node); return;
    case SHUNT_AST_STEP: check_step(k, node); return;
    case SHUNT_AST_EXIT: check_exit(k, node, false); return;
    case SHUNT_AST_BLOCK: check_statements(k, node); return;
    default: return;
    }
}

void check_inserted(check *k, shunt_ast *statement) { check_if(k, statement); }

static void check_statements(check *k, shunt_ast *block)
{
    if (!block) return;
    uint32_t known = k->learnt.count;
    enter_block(k);
    for (uint32_t i = 0; i < block->kid_count; i++)
        if (block->kids[i]) check_statement(k, block->kids[i]);
    leave_block(k);
    k->learnt.count = known;
}

/* ---- targets ---- */

static void check_encode_setting(check *k, shunt_ast *setting, const char *kind, const char *const *known)
{
    shunt_ast *name = kid(setting, SHUNT_SETTING_name), *value = kid(setting, SHUNT_SETTING_value);
    shunt_text list = { 0 };
    if (!name) return;
    for (uint32_t i = 0; known[i]; i++) {
        if (shunt_text_is(name->text, known[i])) {
            bool boolean = shunt_text_is(name->text, "header");
            need n = { .by = FOR_FIELD,
                       .type = boolean ? shunt_ty_plain(SHUNT_TY_BOOL) : shunt_ty_text(0, false),
                       .name = name->text };
            (void)check_needed(k, value, &n);
            if (value && value->kind != SHUNT_AST_STRING && value->kind != SHUNT_AST_TRUE && value->kind != SHUNT_AST_FALSE &&
                value->kind != SHUNT_AST_ERROR) {
                shunt_diag *d =
                    shunt_diag_add(k->diags, SHUNT_E0303, value->span, "`%.*s` must be written out", SHUNT_TEXT_ARGS(name->text));
                shunt_diag_help(k->diags, d, boolean ? "write `true` or `false`" : "write a text in quotes");
            }
            return;
        }
        list = check_format(k, "%.*s%s`%s`", SHUNT_TEXT_ARGS(list), i ? ", " : "", known[i]);
    }
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_E0209, name->span, "`encode %s` has no setting `%.*s`", kind, SHUNT_TEXT_ARGS(name->text));
    shunt_suggest s;
    shunt_suggest_init(&s, name->text, 1);
    for (uint32_t i = 0; known[i]; i++) shunt_suggest_offer(&s, shunt_text_of(known[i]), (shunt_text){ 0 }, true, 0);
    shunt_text near = shunt_suggest_text(&s, k->arena);
    if (near.length)
        shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
    else if (list.length)
        shunt_diag_help(k->diags, d, "it has %.*s", SHUNT_TEXT_ARGS(list));
}

static void check_encode_column(check *k, const shunt_symbol *target, shunt_ast *column)
{
    static const char *const of_lines[] = { "account", "side", "amount", "currency" };
    shunt_ast               *name = kid(column, SHUNT_COLUMN_name);
    const shunt_target_info *info = target->as.target;
    uint32_t                 m;
    if (!name || find_member(info->shape, name->text, &m) || (info->line && find_member(info->line, name->text, &m))) return;
    for (size_t i = 0; info->journal && i < SHUNT_COUNT(of_lines); i++)
        if (shunt_text_is(name->text, of_lines[i])) return;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0209, name->span, "target %.*s has no field `%.*s`",
                                   SHUNT_TEXT_ARGS(target->name), SHUNT_TEXT_ARGS(name->text));
    shunt_text  near = nearest_field(k, info->shape, name->text, NULL);
    if (!near.length && info->line) near = nearest_field(k, info->line, name->text, NULL);
    if (near.length) shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
}

static void check_encode(check *k, const shunt_symbol *target, shunt_ast *encode)
{
    static const char *const json[] = { "root", "money", NULL }, *const xml[] = { "root",     "namespace", "item",
                                                                                  "prefixes", "fields",    NULL },
                             *const csv[] = { "separator", "quote", "header", "terminator", "encoding", "formulas", NULL },
                             *const fixed[] = { "line", "encoding", NULL };
    static const struct {
        const char        *kind;
        const char *const *settings;
    } kinds[] = { { "json", json }, { "ndjson", json }, { "xml", xml }, { "csv", csv }, { "fixed", fixed } };
    shunt_ast *args = kid(encode, SHUNT_ENCODE_args), *items = kid(encode, SHUNT_ENCODE_items), *kind = kid(args, 0);
    if (!kind) return;
    for (size_t i = 0; i < SHUNT_COUNT(kinds); i++) {
        if (!shunt_text_is(kind->text, kinds[i].kind)) continue;
        bool width = strcmp(kinds[i].kind, "fixed") == 0;
        if (args->kid_count != (width ? 2u : 1u) || (width && args->kids[1]->kind != SHUNT_AST_INT)) {
            shunt_diag *d = shunt_diag_add(
                k->diags, SHUNT_E0306, kind->span,
                width ? "`encode fixed` needs the length of a record" : "`encode %s` takes nothing more", kinds[i].kind);
            shunt_diag_help(k->diags, d, width ? "write `encode fixed 94 { ... }`" : "write `encode %s { ... }`", kinds[i].kind);
        }
        for (uint32_t n = 0; items && n < items->kid_count; n++) {
            shunt_ast *item = items->kids[n];
            if (item->kind == SHUNT_AST_SETTING)
                check_encode_setting(k, item, kinds[i].kind, kinds[i].settings);
            else if (item->kind == SHUNT_AST_COLUMN)
                check_encode_column(k, target, item);
            else if (item->kind != SHUNT_AST_ERROR) {
                shunt_diag *d =
                    shunt_diag_add(k->diags, SHUNT_E0209, item->span, "this has no place in `encode %s`", kinds[i].kind);
                shunt_diag_help(k->diags, d, "write `column NAME as \"Name\"`");
            }
        }
        return;
    }
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_E0201, kind->span, "records cannot be written as `%.*s`", SHUNT_TEXT_ARGS(kind->text));
    shunt_diag_help(k->diags, d, "one of json, ndjson, xml, csv, fixed, x12, hl7, fhir");
}

/* A field as the defaults and checks of its own target see it. */
static void declare_field(check *k, shunt_shape *shape, uint32_t at)
{
    shunt_member *m = &shape->members[at];
    shunt_symbol *symbol = new_symbol(k, SHUNT_SYMBOL_FIELD, m->name, m->decl, m->decl ? m->decl->span : shape->symbol->span);
    symbol->type = m->type;
    symbol->type.phi |= shape->symbol->as.target->accepts; /* whatever an `emit` may fill it with */
    symbol->used = true;
    symbol->as.field.shape = shape;
    symbol->as.field.member = at;
    if (!shunt_scope_add(&k->module->values, m->name, symbol))
        longjmp(k->no_memory, 1); /* a field may have the name of a table */
}

void check_target(check *k, shunt_symbol *target)
{
    shunt_target_info *info = target->as.target;
    phase              outer = k->phase;
    if (!info->shape) return;
    k->phase = PHASE_TARGET;
    shunt_scope_enter(&k->module->values);
    for (uint32_t i = 0; i < info->shape->count; i++) {
        shunt_member *m = &info->shape->members[i];
        need          n = { .by = FOR_FIELD, .type = m->type, .name = m->name };
        if (m->value) m->given |= check_needed(k, m->value, &n).phi;
        declare_field(k, info->shape, i);
    }
    for (uint32_t i = 0; i < info->check_count; i++) check_check(k, info->checks[i]);
    bool message = info->encode && check_message(k, target, info->encode);
    shunt_scope_leave(&k->module->values);
    for (uint32_t i = 0; info->line && i < info->line->count; i++) {
        shunt_member *m = &info->line->members[i];
        need          n = { .by = FOR_COLUMN, .type = m->type, .name = m->name };
        if (m->value) (void)check_needed(k, m->value, &n);
    }
    if (info->encode && !message) check_encode(k, target, info->encode);
    k->phase = outer;
}

/* ---- tallies ---- */

/* Said when the map has been read: what is added tells what the keys are. */
static void unbounded(check *k, const shunt_symbol *tally)
{
    static const char *const scopes[] = { "unit", "transaction", "batch", "file" };
    const shunt_ast         *by = kid(tally->decl, SHUNT_TALLY_by);
    shunt_text               what = check_format(k, "`%.*s`", SHUNT_TEXT_ARGS(short_text(k, by)));
    if (decl_of(tally)->key_kind == SHUNT_TY_DATE) what = SHUNT_TEXT("date");
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0602, by->span, "this total may grow without bound");
    shunt_diag_here(k->diags, d, "one total for each %.*s in the %s", SHUNT_TEXT_ARGS(what), scopes[tally->as.tally.scope]);
    if (tally->as.tally.declared)
        shunt_diag_help(k->diags, d, "state the most you expect: `limit 400`; where more come, reading it is a failure");
    else
        shunt_diag_help(k->diags, d, "state the most you expect: `limit 400`; the 401st%s leaves by `on error`",
                        decl_of(tally)->key_kind == SHUNT_TY_DATE ? " date" : "");
}

/* The name of a key is the last of those that it is written with: `facility`, `r.payer`. */
static shunt_text key_name(const shunt_ast *key)
{
    if (key->kind == SHUNT_AST_MEMBER) key = kid(key, SHUNT_MEMBER_name);
    return key && key->kind == SHUNT_AST_NAME ? key->text : (shunt_text){ 0 };
}

static void add_group_field(check *k, shunt_shape *shape, shunt_text name, shunt_span span, shunt_ty type)
{
    uint32_t at;
    if (find_member(shape, name, &at)) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0208, span, "a row of this tally has `%.*s` already", SHUNT_TEXT_ARGS(name));
        shunt_diag_help(k->diags, d, "give the key another name, with a `let`");
        return;
    }
    shape->members[shape->count++] = (shunt_member){ .name = name, .type = type };
}

/* Rows of a tally by several keys, or of which the members are kept: a text for each key, `total`, and `members` with rows like it. */
static const shunt_shape *keyed_shape(check *k, shunt_symbol *tally, shunt_ast *by, const shunt_ast *each, shunt_ty total)
{
    shunt_shape *shape = NEW(k, shunt_shape);
    bool         several = by->kind == SHUNT_AST_ARRAY;
    uint32_t     count = several ? by->kid_count : 1;
    shunt_ty     text = shunt_ty_present(tally->as.tally.key);
    *shape = (shunt_shape){
        .kind = SHUNT_SHAPE_GROUP, .name = tally->name, .members = NEW_N(k, shunt_member, count + 2), .symbol = tally
    };
    tally->as.tally.key_count = count;
    for (uint32_t i = 0; i < count; i++) {
        const shunt_ast *key = several ? by->kids[i] : by;
        shunt_text       name = several ? key_name(key) : SHUNT_TEXT("key");
        if (!name.length && tally->as.tally.declared) name = check_format(k, "key%u", i + 1);
        if (!name.length) {
            shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0306, key->span, "a key of several has a name");
            shunt_diag_help(k->diags, d, "write a name for what is added under it: `by [facility, payer]`");
            name = check_format(k, "key%u", i + 1);
        }
        add_group_field(k, shape, name, key->span, text);
    }
    add_group_field(k, shape, SHUNT_TEXT("total"), by->span, total);
    if (!each) return shape;
    shunt_shape *member = NEW(k, shunt_shape);
    shunt_ty    *item = NEW(k, shunt_ty);
    *member = (shunt_shape){ .kind = SHUNT_SHAPE_GROUP,
                             .name = check_format(k, "%.*s.members", SHUNT_TEXT_ARGS(tally->name)),
                             .members = NEW_N(k, shunt_member, 2),
                             .symbol = tally };
    add_group_field(k, member, each->text, each->span, text);
    add_group_field(k, member, SHUNT_TEXT("total"), each->span, total);
    *item = row_of(member);
    tally->as.tally.members = true;
    add_group_field(k, shape, SHUNT_TEXT("members"), each->span,
                    (shunt_ty){ .kind = SHUNT_TY_LIST, .item = item, .max = tally->as.tally.limit });
    return shape;
}

/* The total of a row, and of each of its members, has these classes too. */
static void classify_total(const shunt_symbol *tally, uint32_t phi)
{
    const shunt_shape *shape = tally->type.item->shape;
    shape->members[tally->as.tally.key_count].type.phi |= phi;
    if (tally->as.tally.members) shape->members[shape->count - 1].type.item->shape->members[1].type.phi |= phi;
}

static void classify_key(const shunt_symbol *tally, uint32_t number, uint32_t phi)
{
    const shunt_shape *shape = tally->type.item->shape;
    if (number < tally->as.tally.key_count)
        shape->members[number].type.phi |= phi;
    else if (tally->as.tally.members)
        shape->members[shape->count - 1].type.item->shape->members[0].type.phi |= phi;
}

/* What is after `by` is read of each instance, as what is after `of`. */
static void check_group_keys(check *k, const shunt_ast *node, const shunt_symbol *tally)
{
    shunt_ast *by = kid(node, SHUNT_TALLY_by);
    bool       several = by && by->kind == SHUNT_AST_ARRAY;
    for (uint32_t i = 0; by && i < tally->as.tally.key_count; i++) {
        shunt_ast *key = several ? kid(by, i) : by;
        shunt_ty   type = check_present(k, key, FOR_KEY, (shunt_text){ 0 }, NULL);
        if (!decl_of(tally)->key_kind) decl_of(tally)->key_kind = type.kind;
        if (tally->type.kind == SHUNT_TY_LIST) classify_key(tally, i, type.phi);
    }
}

/* The `of` and `by` of a declared tally, for each instance of its loop. */
static void check_tally_of(check *k, shunt_ast *node, shunt_symbol *tally, shunt_ty total)
{
    shunt_ast *each = kid(node, SHUNT_TALLY_each), *of = kid(node, SHUNT_TALLY_of);
    bool       reported, lost = k->lost;
    level      inner;
    if (k->unread) {
        use_names(k, node);
        return;
    }
    narrowing  narrow;
    shunt_ast *variable = kid(each, SHUNT_EACH_variable);
    tree_narrow(k, kid(each, SHUNT_EACH_list), kid(each, SHUNT_EACH_where), variable ? variable->text : (shunt_text){ 0 },
                &narrow);
    const shunt_loop_ref *loop = set_named(k, kid(each, SHUNT_EACH_list));
    if (!loop)
        loop = unit_loop_of(k, kid(each, SHUNT_EACH_list), &reported);
    else
        reported = false;
    tree_narrowed(k, &narrow);
    if (!loop && !reported) {
        shunt_ast  *list = kid(each, SHUNT_EACH_list);
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0606, list->span, "a tally is taken of a loop of the message");
        shunt_diag_here(k->diags, d, "this is no loop");
        shunt_diag_help(k->diags, d, "name the loop: `for each x in 2100`, or `add` to the tally where you have the value");
    }
    tally->as.tally.loop = loop;
    k->unit_loop = loop;
    k->phase = PHASE_TALLY;
    enter_block(k);
    if (loop) kid(each, SHUNT_EACH_list)->flags |= NODE_CHECKED;
    k->lost = (loop ? !check_each(k, each, &inner) : true) || lost;
    if (loop) tally->as.tally.variable = inner.variable;
    total.optional = total.clearable = true; /* an absent value makes the tally unknown, at run time */
    need     n = { .by = FOR_TALLY, .type = total, .name = tally->name };
    uint32_t phi = loop ? check_needed(k, of, &n).phi : 0;
    if (!tally->as.tally.grouped) tally->type.phi |= phi;
    if (phi) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0401, of->span, "protected health information reaches the report of the run");
        shunt_diag_here(k->diags, d, "%.*s", SHUNT_TEXT_ARGS(shunt_phi_names(k->arena, tally->type.phi)));
        shunt_diag_help(k->diags, d, "`add` it to a tally without `of`: that one is not reported");
    }
    if (loop) check_group_keys(k, node, tally);
    if (loop) leave_each(k, &inner);
    leave_block(k);
    k->lost = lost;
    k->unit_loop = NULL;
    k->phase = PHASE_NONE;
}

static void declare_tally(check *k, shunt_ast *node)
{
    shunt_ast *name = kid(node, SHUNT_TALLY_name), *by = kid(node, SHUNT_TALLY_by), *limit = kid(node, SHUNT_TALLY_limit);
    if (!name) return;
    shunt_symbol *tally = new_symbol(k, SHUNT_SYMBOL_TALLY, name->text, node, name->span);
    shunt_ty      total = check_type(k, kid(node, SHUNT_TALLY_type));
    tally->as.tally.scope = check_scope(k, kid(node, SHUNT_TALLY_scope), SHUNT_LANG_TRANSACTION);
    tally->as.tally.declared = kid(node, SHUNT_TALLY_of) != NULL;
    tally->as.tally.grouped = by != NULL;
    tally->as.tally.map = k->map;
    tally->as.tally.key = shunt_ty_text(0, false);
    tally->type = total;
    if (tally->as.tally.declared) tally->used = true; /* the report shows it */
    if (!shunt_ty_is_error(&total) && ((!shunt_ty_is_number(&total) && total.kind != SHUNT_TY_MONEY) || total.optional)) {
        shunt_text  type = shunt_ty_name(k->arena, &total);
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0303, kid(node, SHUNT_TALLY_type)->span,
                                       "a tally is a number or an amount, and this is %.*s", SHUNT_TEXT_ARGS(type));
        shunt_diag_help(k->diags, d, "write `money(USD)`, `decimal(15, 2)` or `int`");
        total = tally->type = ty_error();
    }
    if (limit) {
        (void)check_expr(k, limit, NULL);
        const shunt_fact *fact = shunt_fact_of(limit);
        tally->as.tally.limit = fact && fact->number > 0 && fact->number <= 1000000 ? (uint32_t)fact->number : 0;
        if (!tally->as.tally.limit) {
            shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0602, limit->span, "a limit is a number from 1 to 1000000");
            shunt_diag_help(k->diags, d, "state the most groups that you expect: `limit 400`");
        }
    }
    check_fact(k, node)->symbol = tally;
    declare_local(k, tally);
    const shunt_ast *members = kid(node, SHUNT_TALLY_members);
    if (by && members && tally->as.tally.declared) not_in_version(k, members->span, "`each` of a tally that the engine adds");
    if (by && tally->as.tally.grouped && !shunt_ty_is_error(&total)) {
        shunt_ty *item = NEW(k, shunt_ty);
        *item = row_of(keyed_shape(k, tally, by, kid(node, SHUNT_TALLY_members), total));
        tally->type = (shunt_ty){ .kind = SHUNT_TY_LIST, .item = item, .max = tally->as.tally.limit };
    }
}

/* `by` of a derived tally says to its reader what the keys are; they are given where something is added, and kept as texts. */
static void check_tally(check *k, shunt_ast *node)
{
    const shunt_fact *fact = shunt_fact_of(node);
    if (!fact || !fact->symbol) return;
    shunt_symbol *tally = fact->symbol;
    bool          group = tally->as.tally.grouped && tally->type.kind == SHUNT_TY_LIST;
    shunt_ty      total = group ? tally->type.item->shape->members[tally->as.tally.key_count].type : tally->type;
    if (tally->as.tally.declared) check_tally_of(k, node, tally, total);
}

/* ---- maps ---- */

static void check_on_error(check *k, shunt_ast *node)
{
    shunt_ast *exit = kid(node, SHUNT_ON_ERROR_exit);
    if (!exit || exit->kind != SHUNT_AST_EXIT) return;
    shunt_ast *message = kid(exit, SHUNT_EXIT_message);
    if (message && message->kind == SHUNT_AST_TEMPLATE) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0601, message->span, "`on error` cannot read the message");
        shunt_diag_here(k->diags, d, "what has arrived when it answers is not known");
        shunt_diag_help(k->diags, d, "leave out the holes; the exception names the rule, the element and its place");
    }
    k->phase = PHASE_NONE; /* it answers for whatever failed: for a unit, unless it says more or that stood outside of units */
    if (!message || message->kind != SHUNT_AST_TEMPLATE) check_exit(k, exit, false);
    if (!shunt_text_is(exit->text, "skip") && !shunt_text_is(exit->text, "warn")) return;
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_E0307, exit->span, "`%.*s` cannot answer a failure", SHUNT_TEXT_ARGS(exit->text));
    shunt_diag_here(k->diags, d, "what failed cannot go on");
    shunt_diag_help(k->diags, d, "write `on error quarantine CODE` or `on error reject CODE`");
}

static void check_correlate(check *k, shunt_ast *node)
{
    shunt_ast  *parts = kid(node, SHUNT_CORRELATE_parts);
    symbol_list maps = { 0 };
    maps_behind(k, k->map, &maps);
    k->late = (shunt_text){ 0 };
    for (uint32_t i = 0; parts && i < parts->kid_count; i++) {
        shunt_ty type = check_present(k, parts->kids[i], FOR_CORRELATE, (shunt_text){ 0 }, NULL);
        if (k->late.length) {
            shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0601, parts->kids[i]->span, "`%.*s` has not arrived when this runs",
                                           SHUNT_TEXT_ARGS(k->late));
            shunt_diag_here(k->diags, d, "`correlate by` stamps the units, and they come before it");
            shunt_diag_help(k->diags, d, "use what stands in the header: `TRN02`, `BHT03`");
            k->late = (shunt_text){ 0 };
        }
        bool refused = false;
        for (uint32_t m = 0; m < maps.count; m++)
            for (uint32_t t = 0; t < maps.items[m]->as.map.target_count && !refused; t++) {
                const shunt_symbol *target = maps.items[m]->as.map.targets[t];
                refused = type.phi & ~target->as.target->accepts && !target->as.target->handed;
                if (refused) check_phi(k, parts->kids[i], &type, target);
            }
    }
}

/* Makes the unit of a `for each` of the map known, before anything is read: what comes after it is late. */
static void find_unit(check *k, shunt_ast *node)
{
    shunt_ast *each = kid(node, SHUNT_FOR_EACH_each), *list = kid(each, SHUNT_EACH_list);
    bool       reported;
    if (!list || k->unread) return;
    if (k->record) {
        find_records(k, node);
        return;
    }
    narrowing  narrow;
    shunt_ast *variable = kid(each, SHUNT_EACH_variable);
    tree_narrow(k, list, kid(each, SHUNT_EACH_where), variable ? variable->text : (shunt_text){ 0 }, &narrow);
    const shunt_loop_ref *whole = set_named(k, list), *loop = whole ? whole : unit_loop_of(k, list, &reported);
    if (whole) reported = false;
    tree_narrowed(k, &narrow);
    if (!loop && !reported) {
        bool        segments = k->source->as.source->standard == SHUNT_STANDARD_X12;
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0606, list->span, "a map goes over a loop of the message");
        shunt_diag_here(k->diags, d, "this is no loop");
        if (segments)
            shunt_diag_help(k->diags, d,
                            "write `for each x in 2100 { ... }`; other lists stand inside it, or in `at end { ... }`");
        else
            shunt_diag_help(k->diags, d, "write `for each x in %.*s { ... }`; other lists stand inside it",
                            SHUNT_TEXT_ARGS(k->source->name));
    }
    list->flags |= NODE_CHECKED;
    if (!loop) {
        (void)check_typed(k, list, ty_error());
        return;
    }
    check_unit_size(k, list, loop);
    check_fact(k, node)->unit = true;
    for (uint32_t i = 0; i < k->units.count; i++) {
        shunt_diag *d;
        if (k->units.items[i] == loop) {
            d = shunt_diag_add(k->diags, SHUNT_E0208, list->span, "a map goes over `%.*s` once", SHUNT_TEXT_ARGS(list->text));
            shunt_diag_help(k->diags, d, "move these statements into the first `for each`: a unit has one handler");
            return;
        }
        if (loop->id.length && k->units.items[i]->id.length) continue;
        d = shunt_diag_add(k->diags, SHUNT_E0208, list->span,
                           "the whole transaction is a unit, and nothing of it can be another one");
        shunt_diag_help(k->diags, d, "put one `for each` inside the other");
        return;
    }
    *PUSH(k, &k->units) = loop;
}

static void check_unit(check *k, shunt_ast *node)
{
    shunt_ast *each = kid(node, SHUNT_FOR_EACH_each);
    level      inner;
    bool       lost = k->lost;
    k->phase = PHASE_UNIT;
    k->unit_each = each;
    const shunt_fact *list = shunt_fact_of(kid(each, SHUNT_EACH_list));
    k->unit_loop = list && list->type.kind == SHUNT_TY_LIST ? list->type.loop : NULL;
    enter_block(k);
    k->lost = !check_each(k, each, &inner) || lost;
    k->unit_bit = inner.bit;
    check_fact(k, node)->symbol = inner.variable;
    check_statements(k, kid(node, SHUNT_FOR_EACH_block));
    leave_each(k, &inner);
    leave_block(k);
    k->lost = lost;
    k->unit_each = NULL;
    k->unit_loop = NULL;
    k->unit_bit = 0;
}

static void check_end(check *k, shunt_ast *node)
{
    shunt_fact *fact = check_fact(k, node);
    k->end_scope = check_scope(k, kid(node, SHUNT_AT_END_scope), SHUNT_LANG_TRANSACTION);
    fact->scope = k->end_scope;
    k->phase = k->end_scope == SHUNT_LANG_TRANSACTION ? PHASE_END : PHASE_WIDE_END;
    check_statements(k, kid(node, SHUNT_AT_END_block));
}

enum { PASSES = 5 };

/* What is added at the end of a transaction is read at the end of a wider scope, wherever the two stand. */
static uint32_t pass_of(const shunt_ast *item)
{
    const shunt_ast *scope = item->kind == SHUNT_AST_AT_END ? kid(item, SHUNT_AT_END_scope) : NULL;
    switch (item->kind) {
    case SHUNT_AST_AT_START: return 0;
    case SHUNT_AST_FOR_EACH: return 1;
    case SHUNT_AST_AT_END:
        return scope && shunt_text_is(scope->text, "file") ? 4 : scope && shunt_text_is(scope->text, "batch") ? 3 : 2;
    default: return PASSES;
    }
}

static void once(check *k, const shunt_ast *items, uint32_t at)
{
    const shunt_ast *item = items->kids[at];
    if (item->kind == SHUNT_AST_FOR_EACH && !k->record) return; /* find_unit asks for its loop */
    for (uint32_t i = 0; i < at; i++) {
        if (pass_of(items->kids[i]) != pass_of(item)) continue;
        static const char *const names[] = { "at start", "for each", "at end", "at end of batch", "at end of file" };
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0208, item->span, "a map has one `%s`", names[pass_of(item)]);
        shunt_diag_also(k->diags, d, items->kids[i]->span, "first here");
        shunt_diag_help(k->diags, d, "put the statements of both into one");
        return;
    }
}

static bool has_kind(const shunt_ast *items, shunt_ast_kind kind, const shunt_ast *before)
{
    for (uint32_t i = 0; i < items->kid_count && items->kids[i] != before; i++)
        if (items->kids[i]->kind == kind) return true;
    return false;
}

static void check_items(check *k, shunt_ast *items)
{
    bool foreign = false;
    for (uint32_t i = 0; i < items->kid_count; i++)
        if (items->kids[i]->kind == SHUNT_AST_FOR_EACH) find_unit(k, items->kids[i]);
    for (uint32_t i = 0; i < items->kid_count; i++)
        if (items->kids[i]->kind == SHUNT_AST_TALLY) declare_tally(k, items->kids[i]);
    for (uint32_t i = 0; i < items->kid_count; i++) foreign = !belongs_to_records(k, items->kids[i]) || foreign;
    if (foreign) return;
    for (uint32_t i = 0; i < items->kid_count; i++) {
        shunt_ast *item = items->kids[i];
        k->phase = PHASE_GLOBAL;
        if (item->kind == SHUNT_AST_LET)
            check_let(k, item, SHUNT_SYMBOL_GLOBAL);
        else if (item->kind == SHUNT_AST_ON_ERROR)
            check_on_error(k, item);
        else if (item->kind == SHUNT_AST_CORRELATE)
            check_correlate(k, item);
        if ((item->kind == SHUNT_AST_ON_ERROR || item->kind == SHUNT_AST_CORRELATE) &&
            has_kind(items, (shunt_ast_kind)item->kind, item)) {
            shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0208, item->span, "a map has one `%s`",
                                           item->kind == SHUNT_AST_ON_ERROR ? "on error" : "correlate by");
            shunt_diag_help(k->diags, d, "remove one of them");
        }
    }
    for (uint32_t i = 0; i < items->kid_count; i++)
        if (items->kids[i]->kind == SHUNT_AST_TALLY) check_tally(k, items->kids[i]);
    for (uint32_t i = 0; i < PASSES * items->kid_count; i++) {
        shunt_ast *item = items->kids[i % items->kid_count];
        if (pass_of(item) != i / items->kid_count) continue;
        once(k, items, i % items->kid_count);
        k->late = (shunt_text){ 0 };
        k->levels = 0;
        k->phase = PHASE_START;
        if (item->kind == SHUNT_AST_FOR_EACH)
            check_unit(k, item);
        else if (item->kind == SHUNT_AST_AT_END)
            check_end(k, item);
        else
            check_statements(k, kid(item, SHUNT_AT_START_block));
    }
}

static void check_bounds(check *k, const shunt_ast *items)
{
    for (uint32_t i = 0; i < items->kid_count; i++) {
        const shunt_fact *fact = items->kids[i]->kind == SHUNT_AST_TALLY ? shunt_fact_of(items->kids[i]) : NULL;
        if (!fact || !fact->symbol) continue;
        if (kid(items->kids[i], SHUNT_TALLY_by) && !kid(items->kids[i], SHUNT_TALLY_limit)) unbounded(k, fact->symbol);
    }
}

void check_map(check *k, shunt_symbol *map)
{
    shunt_ast *items = kid(map->decl, SHUNT_MAP_items);
    if (!items) return;
    k->map = map;
    k->source = map->as.map.source_count ? map->as.map.sources[0] : NULL;
    k->record = map->as.map.record;
    k->unread = !k->record && (!k->source || decl_of(k->source)->unread);
    k->posts = false;
    if (k->unread) k->source = NULL;
    k->units.count = 0;
    shunt_scope_init(&k->steps, k->arena);
    for (uint32_t i = 0; i < map->as.map.target_count; i++) {
        k->posts = k->posts || map->as.map.targets[i]->as.target->journal;
        decl_of(map->as.map.targets[i])->written = false;
    }
    enter_block(k);
    check_whens(k, map);
    check_items(k, items);
    check_bounds(k, items);
    leave_block(k);
    shunt_ast *names = kid(map->decl, SHUNT_MAP_targets);
    for (uint32_t i = 0; i < map->as.map.target_count && !has_error_node(items) && !k->unread && !map->as.map.copy; i++) {
        const shunt_symbol *target = map->as.map.targets[i];
        if (decl_of(target)->written) continue;
        const shunt_ast *at = NULL;
        for (uint32_t n = 0; names && n < names->kid_count; n++)
            if (find_type(k, names->kids[n]->text) == target) at = names->kids[n];
        shunt_text text =
            check_format(k, "map %.*s never writes %.*s", SHUNT_TEXT_ARGS(map->name), SHUNT_TEXT_ARGS(target->name));
        shunt_diag *d = warn_never_used(k, SHUNT_W0903, at ? at->span : map->span, text);
        shunt_diag_help(k->diags, d,
                        target->as.target->journal ? "post it: `journal %.*s { ... }`, or remove it after `into`"
                                                   : "write it: `emit %.*s { ... }`, or remove it after `into`",
                        SHUNT_TEXT_ARGS(target->name));
    }
    k->map = NULL;
    k->source = NULL;
    k->record = NULL;
    k->unread = false;
    k->phase = PHASE_NONE;
}
