/* emit.c - lowers a compilation: declarations, functions, maps; then the plan is made flat and what names its slots is set
 * right. */
#include "dsl/emit_state.h"
#include "engine/vm/record.h"

static bool start(shunt_emitter *e)
{
    const shunt_compilation *c = e->c;
    uint32_t                 empty;
    e->texts = shunt_intern_new(e->arena);
    e->constant_keys = shunt_intern_new(e->arena);
    e->site_keys = shunt_intern_new(e->arena);
    e->slot_keys = shunt_intern_new(e->arena);
    e->lineage_keys = shunt_intern_new(e->arena);
    if (!e->texts || !e->constant_keys || !e->site_keys || !e->slot_keys || !e->lineage_keys) return false;
    if (!shunt_intern_add(e->texts, (shunt_text){ "", 0 }, &empty)) return false;
    e->plan = shunt_plan_maker_new(e->arena, e->texts, false);
    e->line_starts_of = shunt_arena_alloc(e->arena, (c->module_count + 1) * sizeof *e->line_starts_of);
    if (!e->plan || !e->line_starts_of) return false;
    for (uint32_t m = 0; m < c->module_count; m++) {
        shunt_text source = c->modules[m].source;
        for (uint32_t i = 0; i <= source.length; i++) {
            if (i && source.bytes[i - 1] != '\n') continue;
            uint32_t *at = SHUNT_EMIT_NEW(e, &e->line_starts_of[m]);
            *at = i;
        }
    }
    for (uint32_t i = 0; i < c->loop_count; i++) c->loops[i]->number = 0; /* frames of an earlier emission */
    shunt_emit_forget_trees(c);
    shunt_site *none = SHUNT_EMIT_NEW(e, &e->sites);
    *none = (shunt_site){ .file = SHUNT_NONE, .step = SHUNT_NONE };
    e->widest = SHUNT_SCOPE_TRANSACTION;
    return !e->no_memory;
}

static uint16_t absolute(const shunt_emitter *e, shunt_emit_slot at)
{
    return at.slot == SHUNT_NONE ? SHUNT_NONE : shunt_plan_maker_absolute(e->plan, at.frame, at.slot);
}

/* Slots were counted within their frames while frames still grew. */
static void set_slots_right(shunt_emitter *e)
{
    for (uint32_t k = 0; k < e->functions.count; k++) {
        const shunt_function *function = &e->functions.items[k];
        const shunt_type     *types = e->register_types.items + function->type_first;
        for (uint32_t i = 0; i < function->code_count; i++) {
            shunt_instruction *at = &e->instructions.items[function->code_first + i];
            if (at->op != SHUNT_OP_GET && at->op != SHUNT_OP_GET_OPTIONAL && at->op != SHUNT_OP_GET_TEXT) continue;
            at->c = shunt_plan_maker_absolute(e->plan, types[at->b].record, at->c);
        }
    }
    for (uint32_t i = 0; i < e->exits.count; i++) {
        e->exits.items[i].slot = absolute(e, e->exit_slots.items[i]);
        if (e->exits.items[i].slot == SHUNT_NONE) e->exits.items[i].node = 0;
    }
    for (uint32_t i = 0; i < e->collect_fields.count; i++)
        if (e->collect_slots.items[i].slot != SHUNT_NONE)
            e->collect_fields.items[i].slot = absolute(e, e->collect_slots.items[i]);
    for (uint32_t i = 0; i < e->alternatives.count; i++)
        e->alternatives.items[i].slot = absolute(e, e->alternative_slots.items[i]);
    for (uint32_t i = 0; i < e->date_paths.count; i++) e->date_paths.items[i].slot = absolute(e, e->date_slots.items[i]);
}

static shunt_lineage *flat_lineage(shunt_emitter *e)
{
    shunt_lineage *lines = SHUNT_NEW_N(e->arena, shunt_lineage, e->lineage_of.count + 1);
    for (uint32_t i = 0; lines && i < e->lineage_of.count; i++) {
        lines[i] = e->lineage_of.items[i].line;
        lines[i].slot = absolute(e, e->lineage_of.items[i].slot);
    }
    return lines;
}

static shunt_status write_program(shunt_emitter *e, shunt_program *program)
{
    shunt_plan   plan;
    shunt_status status = shunt_plan_maker_finish(e->plan, &plan);
    if (status != SHUNT_OK) return status;
    set_slots_right(e);
    shunt_lineage *lineage = flat_lineage(e);
    if (!lineage) return SHUNT_NO_MEMORY;
    *program = (shunt_program){ 0 };
#define FROM_PLAN(member, count) program->member = plan.member, program->member##_count = plan.count
    program->plan_sources = plan.sources, program->plan_sources_count = plan.source_count;
    FROM_PLAN(guides, guide_count);
    FROM_PLAN(loops, loop_count);
    FROM_PLAN(nodes, node_count);
    FROM_PLAN(keys, key_count);
    FROM_PLAN(ids, id_count);
    FROM_PLAN(dispatch, dispatch_count);
    FROM_PLAN(choices, choice_count);
    FROM_PLAN(frames, frame_count);
    FROM_PLAN(children, child_count);
    FROM_PLAN(slots, slot_count);
    FROM_PLAN(demands, demand_count);
    FROM_PLAN(layouts, layout_count);
    FROM_PLAN(rows, row_count);
    FROM_PLAN(columns, column_count);
    FROM_PLAN(row_keys, row_key_count);
    FROM_PLAN(texts, text_count);
#undef FROM_PLAN
#define FROM_LIST(member) program->member = e->member.items, program->member##_count = e->member.count
    FROM_LIST(sources);
    FROM_LIST(maps);
    FROM_LIST(handlers);
    FROM_LIST(tallies);
    FROM_LIST(constants);
    FROM_LIST(functions);
    FROM_LIST(register_types);
    FROM_LIST(instructions);
    FROM_LIST(instruction_sites);
    FROM_LIST(sites);
    FROM_LIST(globals);
    FROM_LIST(enums);
    FROM_LIST(code_lists);
    FROM_LIST(numbers);
    FROM_LIST(records);
    FROM_LIST(fields);
    FROM_LIST(tables);
    FROM_LIST(cells);
    FROM_LIST(codes);
    FROM_LIST(exits);
    FROM_LIST(targets);
    FROM_LIST(encodings);
    FROM_LIST(encoding_columns);
    FROM_LIST(message_nodes);
    FROM_LIST(collects);
    FROM_LIST(collect_fields);
    FROM_LIST(alternatives);
    FROM_LIST(earliests);
    FROM_LIST(date_paths);
    FROM_LIST(modules);
    FROM_LIST(zones);
    FROM_LIST(zone_changes);
    FROM_LIST(decisions);
    FROM_LIST(decision_columns);
    FROM_LIST(decision_points);
    FROM_LIST(decision_sets);
    FROM_LIST(decision_bits);
    FROM_LIST(externs);
    FROM_LIST(extern_types);
    FROM_LIST(table_texts);
#undef FROM_LIST
    program->lineage = lineage;
    program->lineage_count = e->lineage_of.count;
    return SHUNT_OK;
}

/* ---- encodings ---- */

/* The n-th column or setting of an `encode`, as the encoders count them. */
static const shunt_ast *encode_item(const shunt_ast *encode, int kind, uint32_t n)
{
    const shunt_ast *items = encode->kids[SHUNT_ENCODE_items];
    for (uint32_t i = 0; i < items->kid_count; i++)
        if (items->kids[i]->kind == kind && n-- == 0) return items->kids[i];
    return encode;
}

/* The setting of that name; the `encode` where the rules do not write it. */
static const shunt_ast *encode_setting(const shunt_ast *encode, shunt_text name)
{
    const shunt_ast *items = encode->kids[SHUNT_ENCODE_items];
    for (uint32_t i = 0; i < items->kid_count; i++)
        if (items->kids[i]->kind == SHUNT_AST_SETTING && shunt_text_equal(items->kids[i]->kids[SHUNT_SETTING_name]->text, name))
            return items->kids[i];
    return encode;
}

/* The encoders themselves say what they can not follow, so that rules that compile can be written. */
static shunt_status check_encodings(shunt_emitter *e, const shunt_program *program)
{
    shunt_encoding_fault *faults = SHUNT_NEW_N(e->arena, shunt_encoding_fault, program->targets_count + 1);
    if (!faults) return SHUNT_NO_MEMORY;
    shunt_status status = shunt_encoders_check(e->c->memory, program, faults);
    if (status != SHUNT_USAGE) return status;
    for (uint32_t i = 0; i < e->c->symbol_count; i++) {
        const shunt_symbol *symbol = e->c->symbols[i];
        if (symbol->kind != SHUNT_SYMBOL_TARGET || !faults[symbol->number].text[0]) continue;
        const shunt_encoding_fault *fault = &faults[symbol->number];
        const shunt_ast            *at = symbol->as.target->encode;
        if (fault->column != UINT32_MAX)
            at = encode_item(at, SHUNT_AST_COLUMN, fault->column);
        else if (fault->setting != UINT32_MAX && symbol->as.target->message)
            at = encode_setting(at, symbol->as.target->message->settings[fault->setting][0]);
        else if (fault->setting != UINT32_MAX)
            at = encode_item(at, SHUNT_AST_SETTING, fault->setting);
        shunt_diag_add(e->c->diags, SHUNT_E0306, at->span, "%s", fault->text);
    }
    return SHUNT_RULES_WRONG;
}

static shunt_status too_large(shunt_emitter *e)
{
    shunt_span span = { 0 };
    if (e->c->module_count && e->c->modules[0].tree) span = e->c->modules[0].tree->span;
    span.end = span.begin;
    shunt_diag_add(e->c->diags, SHUNT_E0912, span,
                   "the program is too large: more than 65,534 of one kind of thing, or a function with more than 4,096 values");
    return SHUNT_LIMIT;
}

shunt_status shunt_emit(shunt_compilation *compilation, const shunt_table_rows *rows, uint32_t row_sets, shunt_program *program)
{
    shunt_emitter *e = SHUNT_NEW(compilation->arena, shunt_emitter);
    if (!e) return SHUNT_NO_MEMORY;
    e->c = compilation;
    e->arena = compilation->arena;
    if (!start(e)) return SHUNT_NO_MEMORY;
    shunt_emit_declarations(e, rows, row_sets);
    if (!shunt_emit_failed(e)) shunt_emit_bind_groups(e);
    if (!shunt_emit_failed(e)) shunt_emit_demand_currency(e);
    if (!shunt_emit_failed(e)) shunt_emit_functions(e);
    if (!shunt_emit_failed(e)) shunt_emit_make_instances(e);
    if (!shunt_emit_failed(e)) shunt_emit_maps(e);
    if (!shunt_emit_failed(e)) shunt_emit_aside_is_early(e);
    if (!shunt_emit_failed(e)) shunt_emit_trees(e);
    shunt_status planned = shunt_plan_maker_status(e->plan);
    if (e->no_memory || planned == SHUNT_NO_MEMORY || compilation->diags->failed) return SHUNT_NO_MEMORY;
    if (e->too_large || planned == SHUNT_LIMIT) return too_large(e);
    if (e->wrong) return SHUNT_RULES_WRONG;
    shunt_status status = write_program(e, program);
    if (status == SHUNT_OK && program->encodings_count) status = check_encodings(e, program);
    return status == SHUNT_LIMIT ? too_large(e) : status;
}
