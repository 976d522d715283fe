/* emit_stmt.c - statements, records and journals. */
#include "dsl/emit_state.h"
#include "dsl/fold.h"

static const shunt_type text_type = { .kind = SHUNT_KIND_TEXT };

static const shunt_ty *type_at(const shunt_ast *node) { return &shunt_fact_of(node)->type; }

static shunt_type *new_types(shunt_emit_fn *f, uint32_t count)
{
    shunt_type *types = SHUNT_NEW_N(f->e->arena, shunt_type, count + 1);
    if (!types) f->e->no_memory = true;
    return types;
}

/* ---- exits ---- */

/* As written: `whole transaction`. Where the exit stands may widen it (f->least), but not what a map does `on error`. */
static shunt_scope scope_of(const shunt_ast *exit)
{
    const shunt_ast *scope = exit->kind == SHUNT_AST_EXIT ? exit->kids[SHUNT_EXIT_scope] : NULL;
    if (!scope) return SHUNT_SCOPE_UNIT;
    if (shunt_text_is(scope->text, "transaction")) return SHUNT_SCOPE_TRANSACTION;
    return shunt_text_is(scope->text, "batch")  ? SHUNT_SCOPE_BATCH
           : shunt_text_is(scope->text, "file") ? SHUNT_SCOPE_FILE
                                                : SHUNT_SCOPE_UNIT;
}

static shunt_exit_kind exit_kind(const shunt_ast *node)
{
    if (node->kind == SHUNT_AST_NOTING || shunt_text_is(node->text, "warn")) return SHUNT_EXIT_WARN;
    if (shunt_text_is(node->text, "reject")) return SHUNT_EXIT_REJECT;
    return shunt_text_is(node->text, "skip") ? SHUNT_EXIT_SKIP : SHUNT_EXIT_QUARANTINE;
}

/* An entry for an exit, or for the code of a `noting`. It points at the value that its statement read first. */
uint16_t shunt_emit_exit_number(shunt_emit_fn *f, shunt_ast *node)
{
    shunt_emitter    *e = f->e;
    const shunt_fact *fact = shunt_fact_of(node);
    shunt_exit_kind   kind = exit_kind(node);
    shunt_scope       scope = kind == SHUNT_EXIT_WARN || kind == SHUNT_EXIT_SKIP ? SHUNT_SCOPE_UNIT : scope_of(node);
    if (kind <= SHUNT_EXIT_QUARANTINE && scope < f->least) scope = f->least;
    if (scope > e->widest) e->widest = scope;
    shunt_exit      made = { .kind = (uint8_t)kind,
                             .scope = (uint8_t)scope,
                             .code = fact->symbol ? (uint16_t)fact->symbol->number : SHUNT_NONE,
                             .site = shunt_emit_site(e, node->span, f->step),
                             .slot = SHUNT_NONE };
    shunt_emit_slot at = { SHUNT_NONE, SHUNT_NONE };
    if (f->read_slot != SHUNT_NONE && kind != SHUNT_EXIT_SKIP) {
        at = (shunt_emit_slot){ f->read_frame, f->read_slot };
        made.node = f->read_node;
    }
    shunt_exit *exit = SHUNT_EMIT_NEW(e, &e->exits);
    *exit = made;
    shunt_emit_slot *slot = SHUNT_EMIT_NEW(e, &e->exit_slots);
    *slot = at;
    return shunt_emit_number(e, e->exits.count - 1);
}

void shunt_emit_exit(shunt_emit_fn *f, shunt_ast *node)
{
    if (f->skip && exit_kind(node) == SHUNT_EXIT_SKIP) {
        shunt_emit_jump(f, SHUNT_OP_JUMP, 0, f->skip);
        return;
    }
    shunt_span before = f->span;
    uint16_t   number = shunt_emit_exit_number(f, node), text;
    shunt_ast *message = node->kids[SHUNT_EXIT_message];
    f->span = node->span;
    if (message) {
        text = shunt_emit_message(f, message);
    } else {
        text = shunt_emit_temp(f, text_type);
        shunt_emit_op(f, SHUNT_OP_ABSENT, text, 0, 0);
    }
    shunt_emit_op(f, exit_kind(node) == SHUNT_EXIT_WARN ? SHUNT_OP_WARN : SHUNT_OP_EXIT, number, text, 0);
    f->span = before;
}

static void exit_statement(shunt_emit_fn *f, shunt_ast *node)
{
    shunt_emit_label past = { 0 };
    if (node->kids[SHUNT_EXIT_when]) shunt_emit_condition(f, node->kids[SHUNT_EXIT_when], false, &past);
    shunt_emit_region region = shunt_emit_enter(f);
    if (node->kids[SHUNT_EXIT_when]) shunt_emit_cover(f, SHUNT_COVER_EXIT, node);
    shunt_emit_exit(f, node);
    shunt_emit_leave(f, region);
    shunt_emit_bind(f, &past);
}

static void check_statement(shunt_emit_fn *f, shunt_ast *test, shunt_ast *exit)
{
    shunt_emit_label past = { 0 };
    shunt_emit_condition(f, test, true, &past);
    shunt_emit_region region = shunt_emit_enter(f);
    shunt_emit_cover(f, SHUNT_COVER_EXIT, exit);
    shunt_emit_exit(f, exit);
    shunt_emit_leave(f, region);
    shunt_emit_bind(f, &past);
}

/* ---- branches ---- */

static void if_statement(shunt_emit_fn *f, shunt_ast *node)
{
    shunt_emit_label otherwise = { 0 }, end = { 0 };
    shunt_ast       *other = node->kids[SHUNT_IF_otherwise];
    shunt_emit_condition(f, node->kids[SHUNT_IF_test], false, &otherwise);
    shunt_emit_block(f, node->kids[SHUNT_IF_then]);
    if (other) shunt_emit_jump(f, SHUNT_OP_JUMP, 0, &end);
    shunt_emit_bind(f, &otherwise);
    if (other && other->kind == SHUNT_AST_IF) {
        shunt_emit_region region = shunt_emit_enter(f);
        shunt_emit_statement(f, other);
        shunt_emit_leave(f, region);
    } else if (other) {
        shunt_emit_block(f, other);
    }
    shunt_emit_bind(f, &end);
}

/* True where every arm that an absent or cleared subject could take is written. */
static bool names_state(const shunt_ast *arms)
{
    for (uint32_t i = 0; i < arms->kid_count; i++) {
        const shunt_ast *patterns = arms->kids[i]->kind == SHUNT_AST_ARM ? arms->kids[i]->kids[SHUNT_ARM_patterns] : NULL;
        for (uint32_t k = 0; patterns && patterns->kid_count && k < patterns->kids[0]->kid_count; k++) {
            uint16_t kind = patterns->kids[0]->kids[k]->kind;
            if (kind == SHUNT_AST_ABSENT_PATTERN || kind == SHUNT_AST_CLEARED_PATTERN) return true;
        }
    }
    return false;
}

static void match_statement(shunt_emit_fn *f, shunt_ast *node)
{
    shunt_ast        *subject_node = node->kids[SHUNT_MATCH_subject], *arms = node->kids[SHUNT_MATCH_arms], *otherwise = NULL;
    shunt_emit_label *labels = SHUNT_NEW_N(f->e->arena, shunt_emit_label, arms->kid_count + 1), end = { 0 };
    if (!labels) {
        f->e->no_memory = true;
        return;
    }
    uint16_t subject;
    if (names_state(arms)) {
        subject = shunt_emit_temp(f, shunt_emit_type(f->e, type_at(subject_node)));
        shunt_emit_answered_into(f, subject_node, subject);
    } else {
        subject = shunt_emit_expr(f, subject_node);
    }
    shunt_emit_region tests = shunt_emit_enter(f);
    for (uint32_t i = 0; i < arms->kid_count; i++) {
        shunt_ast *arm = arms->kids[i], *patterns = arm->kind == SHUNT_AST_ARM ? arm->kids[SHUNT_ARM_patterns] : NULL;
        if (patterns && patterns->kid_count)
            shunt_emit_pattern(f, subject, type_at(subject_node), patterns->kids[0], &labels[i]);
        else if (arm->kind == SHUNT_AST_ARM)
            otherwise = arm;
    }
    shunt_emit_leave(f, tests);
    shunt_emit_cover(f, SHUNT_COVER_ARM, otherwise);
    if (otherwise)
        shunt_emit_block(f, otherwise->kids[SHUNT_ARM_block]);
    else
        shunt_emit_op(f, SHUNT_OP_UNMATCHED, 0, 0, 0);
    for (uint32_t i = 0; i < arms->kid_count; i++) {
        shunt_ast *arm = arms->kids[i];
        if (arm->kind != SHUNT_AST_ARM || arm == otherwise) continue;
        shunt_emit_jump(f, SHUNT_OP_JUMP, 0, &end);
        shunt_emit_bind(f, &labels[i]);
        shunt_emit_cover(f, SHUNT_COVER_ARM, arm);
        shunt_emit_block(f, arm->kids[SHUNT_ARM_block]);
    }
    shunt_emit_bind(f, &end);
}

/* ---- fields ---- */

/* A value for a field of a record: no longer than the field holds. */
static void field_into(shunt_emit_fn *f, shunt_ast *value, const shunt_member *member, uint16_t into)
{
    const shunt_ty *type = type_at(value);
    shunt_text      text;
    bool            fits = member->type.length == 0 || (type->length && type->length <= member->type.length) ||
                (shunt_fold_text(value, &text) && shunt_utf8_count(text) <= member->type.length);
    shunt_emit_into(f, value, into);
    if (!fits && shunt_emit_type_of(f, into).kind == SHUNT_KIND_TEXT)
        shunt_emit_op(f, SHUNT_OP_TEXT_LIMIT, into, into,
                      member->type.length > UINT16_MAX ? UINT16_MAX : (uint16_t)member->type.length);
}

static const shunt_ast *find_field(const shunt_ast *fields, shunt_text name)
{
    for (uint32_t i = 0; fields && i < fields->kid_count; i++) {
        const shunt_ast *field = fields->kids[i];
        if (field->kind != SHUNT_AST_FIELD && field->kind != SHUNT_AST_FIELD_LIST && field->kind != SHUNT_AST_SETTING) continue;
        if (shunt_text_equal(field->kids[0]->text, name)) return field;
    }
    return NULL;
}

static uint16_t shape_run(shunt_emit_fn *f, const shunt_shape *shape);

/* Defaults and checks of a target name its fields: those of the run that is being filled. */
static void default_into(shunt_emit_fn *f, const shunt_shape *shape, uint16_t base, uint32_t member)
{
    const shunt_shape *outer = f->record;
    uint16_t           outer_base = f->record_base;
    f->record = shape;
    f->record_base = base;
    field_into(f, shape->members[member].value, &shape->members[member], (uint16_t)(base + member));
    f->record = outer;
    f->record_base = outer_base;
}

/* PHI that a field was given is masked wherever the record is shown. */
static void note_phi(shunt_emit_fn *f, const shunt_shape *shape, uint32_t member, const shunt_ast *value)
{
    uint16_t record = shunt_emit_record(f->e, shape);
    if (!type_at(value)->phi || f->e->no_memory) return;
    f->e->fields.items[f->e->records.items[record].field_first + member].flags |= SHUNT_FIELD_MASKED;
}

static void fill_run(shunt_emit_fn *f, const shunt_shape *shape, const shunt_ast *fields, uint16_t base, uint16_t target,
                     bool line, uint16_t within);

/* `lines: for each s in 2400 { ... }`, or one row written out; several of one name append. For lineage all values of the rows belong to
 * `within`, the field of the record that holds them. */
static void list_field(shunt_emit_fn *f, const shunt_ast *fields, shunt_text name, const shunt_member *member, uint16_t into,
                       uint16_t target, uint16_t within)
{
    const shunt_ty    *item = member->type.kind == SHUNT_TY_LIST ? member->type.item : &member->type;
    const shunt_shape *shape = item->shape;
    shunt_type         row_type = shunt_emit_type(f->e, item);
    bool               list = member->type.kind == SHUNT_TY_LIST;
    if (list) shunt_emit_op(f, SHUNT_OP_LIST_NEW, into, 0, 0);
    for (uint32_t i = 0; i < fields->kid_count; i++) {
        shunt_ast *field = fields->kids[i];
        if (field->kind != SHUNT_AST_FIELD_LIST || !shunt_text_equal(field->kids[SHUNT_FIELD_LIST_name]->text, name)) continue;
        shunt_ast        *each = field->kids[SHUNT_FIELD_LIST_each];
        shunt_emit_loop   loop;
        uint16_t          row = list ? shunt_emit_temp(f, row_type) : into;
        uint16_t          run = shape_run(f, shape);
        shunt_emit_region region = shunt_emit_enter(f);
        if (each) shunt_emit_loop_begin(f, each, &loop);
        fill_run(f, shape, field->kids[SHUNT_FIELD_LIST_fields], run, target, false, within);
        shunt_emit_op(f, SHUNT_OP_ROW_NEW, row, run, 0);
        if (list) shunt_emit_op(f, SHUNT_OP_LIST_PUSH, into, row, member->type.max > UINT16_MAX ? 0 : (uint16_t)member->type.max);
        if (each) shunt_emit_loop_end(f, &loop);
        shunt_emit_leave(f, region);
    }
}

static uint16_t shape_run(shunt_emit_fn *f, const shunt_shape *shape)
{
    shunt_type *types = new_types(f, shape->count);
    if (!types) return 0;
    for (uint32_t i = 0; i < shape->count; i++) types[i] = shunt_emit_type(f->e, &shape->members[i].type);
    return shunt_emit_run_of(f, types, shape->count);
}

/* A value of a message, or the rows of a `for each` in one: what names a field means that of the record being filled. */
static void message_into(shunt_emit_fn *f, const shunt_member *member, uint16_t into)
{
    if (member->type.kind != SHUNT_TY_LIST) {
        shunt_emit_into(f, member->value, into);
        return;
    }
    const shunt_shape *shape = member->type.item->shape;
    shunt_emit_loop    loop;
    shunt_emit_op(f, SHUNT_OP_LIST_NEW, into, 0, 0);
    uint16_t          row = shunt_emit_temp(f, shunt_emit_type(f->e, member->type.item)), run = shape_run(f, shape);
    shunt_emit_region region = shunt_emit_enter(f);
    shunt_emit_loop_begin(f, member->decl, &loop);
    for (uint32_t i = 0; i < shape->count; i++) message_into(f, &shape->members[i], (uint16_t)(run + i));
    shunt_emit_op(f, SHUNT_OP_ROW_NEW, row, run, 0);
    shunt_emit_op(f, SHUNT_OP_LIST_PUSH, into, row, 0);
    shunt_emit_loop_end(f, &loop);
    shunt_emit_leave(f, region);
}

static void fill_message(shunt_emit_fn *f, const shunt_target_info *info, uint16_t base)
{
    const shunt_shape *outer = f->record, *shape = info->message->values;
    uint16_t           outer_base = f->record_base;
    f->record = info->shape;
    f->record_base = base;
    for (uint32_t i = 0; i < shape->count; i++) message_into(f, &shape->members[i], (uint16_t)(base + info->shape->count + i));
    f->record = outer;
    f->record_base = outer_base;
}

static void fill_one(shunt_emit_fn *f, const shunt_shape *shape, const shunt_ast *fields, uint32_t i, uint16_t base,
                     uint16_t target, bool line, uint16_t within)
{
    const shunt_member *member = &shape->members[i];
    const shunt_ast    *field = find_field(fields, member->name);
    uint16_t            into = (uint16_t)(base + i);
    uint16_t            owner = within != SHUNT_NONE ? within : shunt_emit_number(f->e, line ? 0x8000 + i : i);
    if (field && field->kind == SHUNT_AST_FIELD_LIST) {
        list_field(f, fields, member->name, member, into, target, owner);
        return;
    }
    if (field) {
        shunt_ast *value = field->kids[1];
        note_phi(f, shape, i, value);
        shunt_emit_depends(f->e, target, owner, shunt_emit_site(f->e, value->span, f->step), value);
        field_into(f, value, member, into);
    } else if (member->value) {
        default_into(f, shape, base, i);
    } else if (member->type.kind == SHUNT_TY_LIST) {
        shunt_emit_op(f, SHUNT_OP_LIST_NEW, into, 0, 0);
    } else {
        shunt_emit_op(f, SHUNT_OP_ABSENT, into, 0, 0);
    }
}

static void fill_run(shunt_emit_fn *f, const shunt_shape *shape, const shunt_ast *fields, uint16_t base, uint16_t target,
                     bool line, uint16_t within)
{
    for (uint32_t i = 0; i < shape->count; i++) fill_one(f, shape, fields, i, base, target, line, within);
}

/* As fill_run, of a record that another map reads: takes note of what each field reads first. */
static shunt_emit_place *fill_noting(shunt_emit_fn *f, const shunt_shape *shape, const shunt_ast *fields, uint16_t base,
                                     uint16_t target)
{
    shunt_emit_place  first = { f->read_frame, f->read_slot, f->read_node };
    shunt_emit_place *places = SHUNT_NEW_N(f->e->arena, shunt_emit_place, shape->count + 1);
    if (!places) {
        f->e->no_memory = true;
        return NULL;
    }
    for (uint32_t i = 0; i < shape->count; i++) {
        f->read_slot = SHUNT_NONE;
        fill_one(f, shape, fields, i, base, target, false, SHUNT_NONE);
        places[i] = (shunt_emit_place){ f->read_frame, f->read_slot, f->read_node };
        if (first.slot == SHUNT_NONE) first = places[i];
    }
    f->read_frame = first.frame, f->read_slot = first.slot, f->read_node = first.node;
    return places;
}

static void target_checks(shunt_emit_fn *f, const shunt_target_info *info, uint16_t base)
{
    const shunt_shape *outer = f->record;
    uint16_t           outer_base = f->record_base;
    f->record = info->shape;
    f->record_base = base;
    for (uint32_t i = 0; i < info->check_count; i++)
        check_statement(f, info->checks[i]->kids[SHUNT_CONSTRAINT_test], info->checks[i]->kids[SHUNT_CONSTRAINT_exit]);
    f->record = outer;
    f->record_base = outer_base;
}

static void emit_statement(shunt_emit_fn *f, shunt_ast *node)
{
    const shunt_symbol      *target = shunt_fact_of(node)->symbol;
    const shunt_target_info *info = target->as.target;
    uint16_t                 base = shape_run(f, info->message ? info->message->whole : info->shape);
    shunt_emit_place        *places = NULL;
    if (info->reader_count)
        places = fill_noting(f, info->shape, node->kids[SHUNT_EMIT_fields], base, (uint16_t)target->number);
    else
        fill_run(f, info->shape, node->kids[SHUNT_EMIT_fields], base, (uint16_t)target->number, false, SHUNT_NONE);
    target_checks(f, info, base);
    if (info->message) fill_message(f, info, base);
    if (!info->handed) shunt_emit_op(f, SHUNT_OP_EMIT, (uint16_t)target->number, base, 0);
    shunt_emit_hand_on(f, node, target, base, places);
}

/* ---- journals ---- */

/* Key and header items of a journal, wherever its block nests them. */
static void find_items(shunt_ast *block, shunt_ast **key, bool *flip)
{
    for (uint32_t i = 0; i < block->kid_count; i++) {
        shunt_ast *item = block->kids[i];
        if (item->kind == SHUNT_AST_KEY) *key = item;
        if (item->kind != SHUNT_AST_SETTING || !shunt_text_is(item->kids[SHUNT_SETTING_name]->text, "negatives")) continue;
        *flip = shunt_text_is(item->kids[SHUNT_SETTING_value]->text, "flip");
    }
}

static void journal_statement(shunt_emit_fn *f, shunt_ast *node)
{
    const shunt_symbol      *target = shunt_fact_of(node)->symbol;
    const shunt_target_info *info = target->as.target;
    shunt_ast               *block = node->kids[SHUNT_JOURNAL_block], *key = NULL;
    bool                     flip = false;
    shunt_emit_journal       journal = { .target = target, .block = block, .with = SHUNT_NONE }, *outer = f->journal;
    find_items(block, &key, &flip);
    journal.header = shape_run(f, info->shape);
    for (uint32_t i = 0; i < info->shape->count; i++)
        if (!find_field(block, info->shape->members[i].name))
            shunt_emit_op(f, SHUNT_OP_ABSENT, (uint16_t)(journal.header + i), 0, 0);
    journal.key_count = key ? shunt_emit_number(f->e, key->kids[SHUNT_KEY_parts]->kid_count) : 0;
    shunt_type *types = new_types(f, journal.key_count);
    if (!types) return;
    for (uint32_t i = 0; i < journal.key_count; i++) types[i] = text_type;
    journal.keys = shunt_emit_run_of(f, types, journal.key_count);
    if (info->line && info->line->count) {
        journal.with = shape_run(f, info->line);
        fill_run(f, info->line, node->kids[SHUNT_JOURNAL_with], journal.with, (uint16_t)target->number, true, SHUNT_NONE);
    }
    bool columns = journal.with != SHUNT_NONE;
    shunt_emit_op(f, SHUNT_OP_JOURNAL, (uint16_t)target->number, (uint16_t)(flip | (columns ? SHUNT_JOURNAL_COLUMNS : 0)),
                  columns ? journal.with : 0);
    f->journal = &journal;
    shunt_emit_block(f, block);
    f->journal = outer;
    for (uint32_t i = 0; i < info->shape->count; i++) /* defaults may name what the block has filled */
        if (info->shape->members[i].value && !find_field(block, info->shape->members[i].name))
            default_into(f, info->shape, journal.header, i);
    target_checks(f, info, journal.header);
    shunt_emit_op(f, SHUNT_OP_POST, journal.header, journal.keys, journal.key_count);
}

static void key_item(shunt_emit_fn *f, shunt_ast *node)
{
    const shunt_ast *parts = node->kids[SHUNT_KEY_parts];
    for (uint32_t i = 0; i < parts->kid_count; i++) shunt_emit_text_into(f, parts->kids[i], (uint16_t)(f->journal->keys + i));
}

static void header_item(shunt_emit_fn *f, shunt_ast *node)
{
    const shunt_shape *shape = f->journal->target->as.target->shape;
    for (uint32_t i = 0; i < shape->count; i++) {
        if (!shunt_text_equal(shape->members[i].name, node->kids[SHUNT_SETTING_name]->text)) continue;
        shunt_ast *value = node->kids[SHUNT_SETTING_value];
        note_phi(f, shape, i, value);
        shunt_emit_depends(f->e, (uint16_t)f->journal->target->number, shunt_emit_number(f->e, i),
                           shunt_emit_site(f->e, node->span, f->step), value);
        field_into(f, value, &shape->members[i], (uint16_t)(f->journal->header + i));
    }
}

static shunt_type amount_type(shunt_emit_fn *f, const shunt_ast *amount)
{
    if (amount) return shunt_emit_type(f->e, type_at(amount));
    return (shunt_type){ .kind = SHUNT_KIND_DECIMAL };
}

/* The currency of a remainder is that of the other lines of its journal. */
static bool find_amount(shunt_ast *node, void *context)
{
    shunt_ast **found = context;
    if (!*found && node->kind == SHUNT_AST_LINE && node->kids[SHUNT_LINE_amount]) *found = node->kids[SHUNT_LINE_amount];
    return true;
}

static void line_item(shunt_emit_fn *f, shunt_ast *node)
{
    const shunt_symbol *target = f->journal->target;
    const shunt_shape  *line = target->as.target->line;
    uint32_t            columns = line && f->journal->with != SHUNT_NONE ? line->count : 0;
    shunt_ast          *account = node->kids[SHUNT_LINE_account], *amount = node->kids[SHUNT_LINE_amount],
              *with = node->kids[SHUNT_LINE_with], *typed = amount;
    bool             credit = shunt_text_is(node->text, "credit");
    shunt_emit_label past = { 0 };
    if (node->kids[SHUNT_LINE_when]) shunt_emit_condition(f, node->kids[SHUNT_LINE_when], false, &past);
    shunt_emit_region region = shunt_emit_enter(f);
    shunt_type       *types = new_types(f, columns + 2);
    if (!types) return;
    if (!typed) shunt_ast_walk(f->journal->block, find_amount, &typed);
    types[0] = text_type;
    types[1] = amount_type(f, typed);
    for (uint32_t i = 0; i < columns; i++) types[i + 2] = shunt_emit_type(f->e, &line->members[i].type);
    uint16_t run = shunt_emit_run_of(f, types, columns + 2);
    uint32_t site = shunt_emit_site(f->e, node->span, f->step);
    shunt_emit_depends(f->e, (uint16_t)target->number, 0xfffd, site, account);
    shunt_emit_into(f, account, run);
    if (amount) {
        shunt_emit_depends(f->e, (uint16_t)target->number, 0xfffb, site, amount);
        shunt_emit_into(f, amount, (uint16_t)(run + 1));
    } else {
        shunt_emit_op(f, SHUNT_OP_ABSENT, (uint16_t)(run + 1), 0, 0);
    }
    uint32_t own = columns; /* the last ones are mostly those of the journal */
    while (own && !find_field(with, line->members[own - 1].name)) own--;
    for (uint32_t i = 0; i < own; i++) {
        if (find_field(with, line->members[i].name))
            fill_one(f, line, with, i, (uint16_t)(run + 2), (uint16_t)target->number, true, SHUNT_NONE);
        else
            shunt_emit_op(f, SHUNT_OP_MOVE, (uint16_t)(run + 2 + i), (uint16_t)(f->journal->with + i), 0);
    }
    shunt_emit_op(f, SHUNT_OP_LINE, run, (uint16_t)((credit ? 1 : 0) | (amount ? 0 : 2)), (uint16_t)(columns - own));
    shunt_emit_leave(f, region);
    shunt_emit_bind(f, &past);
}

/* ---- the rest ---- */

static void let_statement(shunt_emit_fn *f, shunt_ast *node)
{
    shunt_symbol *symbol = shunt_fact_of(node)->symbol;
    shunt_type    type = shunt_emit_type(f->e, &symbol->type);
    uint16_t      reg = shunt_emit_kept(f, type), value = shunt_emit_value(f, node->kids[SHUNT_LET_value], reg);
    /* Nothing in the language changes, so a value that stays where it is needs no copy. */
    bool          shared = value != reg && !shunt_emit_is_temp(f, value) && shunt_emit_same(shunt_emit_type_of(f, value), type);
    if (!shared) shunt_emit_convert(f, value, reg);
    shunt_emit_bind_local(f, symbol, shared ? value : reg);
}

static void each_statement(shunt_emit_fn *f, shunt_ast *node)
{
    shunt_emit_loop loop;
    shunt_emit_loop_begin(f, node->kids[SHUNT_FOR_EACH_each], &loop);
    shunt_emit_block(f, node->kids[SHUNT_FOR_EACH_block]);
    shunt_emit_loop_end(f, &loop);
}

static void add_statement(shunt_emit_fn *f, shunt_ast *node)
{
    const shunt_symbol *tally = shunt_fact_of(node->kids[SHUNT_ADD_tally])->symbol;
    const shunt_ast    *keys = node->kids[SHUNT_ADD_keys];
    uint16_t            value = shunt_emit_temp(f, shunt_emit_tally_type(f->e, tally)), key = 0;
    shunt_emit_into(f, node->kids[SHUNT_ADD_value], value);
    if (tally->as.tally.grouped) {
        uint32_t    count = keys ? keys->kid_count : 0;
        shunt_type *types = new_types(f, count);
        if (!types) return;
        for (uint32_t i = 0; i < count; i++) types[i] = text_type;
        key = count == 1 ? shunt_emit_temp(f, text_type) : shunt_emit_run_of(f, types, count);
        for (uint32_t i = 0; i < count; i++) shunt_emit_text_into(f, keys->kids[i], (uint16_t)(key + i));
    }
    shunt_emit_op(f, SHUNT_OP_TALLY_ADD, (uint16_t)tally->number, value, key);
}

/* A step always runs as a whole, so what is read in it is known behind it: it is no region of its own. */
static void step_statement(shunt_emit_fn *f, shunt_ast *node)
{
    const shunt_ast *block = node->kids[SHUNT_STEP_block];
    uint16_t         outer = f->step;
    f->step = shunt_emit_text(f->e, node->kids[SHUNT_STEP_name]->text);
    for (uint32_t i = 0; i < block->kid_count; i++) shunt_emit_statement(f, block->kids[i]);
    f->step = outer;
}

/* What does something by itself; blocks and steps are their statements. */
static bool is_place(uint16_t kind)
{
    return kind == SHUNT_AST_LET || kind == SHUNT_AST_FOR_EACH || kind == SHUNT_AST_IF || kind == SHUNT_AST_MATCH ||
           kind == SHUNT_AST_CHECK || kind == SHUNT_AST_ADD || kind == SHUNT_AST_EMIT || kind == SHUNT_AST_JOURNAL ||
           kind == SHUNT_AST_EXIT || kind == SHUNT_AST_LINE;
}

static void statement(shunt_emit_fn *f, shunt_ast *node)
{
    if (is_place(node->kind)) shunt_emit_cover(f, SHUNT_COVER_STATEMENT, node);
    switch ((shunt_ast_kind)node->kind) {
    case SHUNT_AST_LET: let_statement(f, node); break;
    case SHUNT_AST_FOR_EACH: each_statement(f, node); break;
    case SHUNT_AST_IF: if_statement(f, node); break;
    case SHUNT_AST_MATCH: match_statement(f, node); break;
    case SHUNT_AST_CHECK: check_statement(f, node->kids[SHUNT_CHECK_test], node->kids[SHUNT_CHECK_exit]); break;
    case SHUNT_AST_ADD: add_statement(f, node); break;
    case SHUNT_AST_EMIT: emit_statement(f, node); break;
    case SHUNT_AST_JOURNAL: journal_statement(f, node); break;
    case SHUNT_AST_STEP: step_statement(f, node); break;
    case SHUNT_AST_EXIT: exit_statement(f, node); break;
    case SHUNT_AST_BLOCK: shunt_emit_block(f, node); break;
    case SHUNT_AST_KEY: key_item(f, node); break;
    case SHUNT_AST_SETTING: header_item(f, node); break;
    case SHUNT_AST_LINE: line_item(f, node); break;
    default: break; /* `nothing`, and what was reported before */
    }
}

void shunt_emit_statement(shunt_emit_fn *f, shunt_ast *node)
{
    uint32_t   mark = f->temps.count;
    shunt_span before = f->span;
    uint16_t   slot = f->read_slot, frame = f->read_frame, reg = f->read_node;
    f->span = node->span;
    f->read_slot = SHUNT_NONE;
    statement(f, node);
    f->read_slot = slot;
    f->read_frame = frame;
    f->read_node = reg;
    f->span = before;
    shunt_emit_release(f, mark);
}

void shunt_emit_block(shunt_emit_fn *f, shunt_ast *block)
{
    shunt_emit_region region = shunt_emit_enter(f);
    for (uint32_t i = 0; i < block->kid_count; i++) shunt_emit_statement(f, block->kids[i]);
    shunt_emit_leave(f, region);
}
