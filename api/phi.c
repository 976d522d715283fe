/* phi.c - which classed elements reach which target, through which line, and what was done to them on the way. Only explicit flow counts, as it
 * does for the types: a condition, or a row that was found by a value, carries nothing. */
#include "api/compile.h"
#include "dsl/grow.h"
#include "dsl/type.h"

enum { DEEP = 200, ELEMENT = 60 };

typedef struct flow {
    const shunt_symbol *target; /* NULL: what the map correlates by */
    shunt_text          field, element;
    uint32_t            classes;        /* of the element */
    shunt_text          how;            /* builtin or function that took classes away; empty = nothing did */
    uint32_t            left;           /* that arrive */
    uint32_t            lost;           /* that functions on the way do not hand on */
    shunt_text          because;        /* of a declassify */
    shunt_span          at, element_at; /* of the field's value, of the element */
} flow;

typedef struct survey {
    shunt_compiling *c;
    shunt_arena     *arena;
    SHUNT_LIST(flow) flows;
    SHUNT_LIST(const shunt_ast *) open; /* what is being looked at, so that nothing is twice */
    flow now;
    bool no_memory;
} survey;

static const shunt_module_info *module_of(const survey *s, shunt_span span) { return &s->c->compilation.modules[span.file]; }

static shunt_text written(const survey *s, shunt_span span)
{
    shunt_text source = module_of(s, span)->source;
    return (shunt_text){ source.bytes + span.begin, span.end - span.begin };
}

static void add_flow(survey *s, const shunt_ast *leaf, uint32_t classes)
{
    flow made = s->now;
    made.element = written(s, leaf->span);
    made.element_at = leaf->span;
    made.classes = classes;
    made.left = (made.how.length ? made.left & classes : classes) & ~made.lost;
    if (!made.how.length && !made.left) return;
    for (uint32_t i = 0; i < s->flows.count; i++) {
        const flow *f = &s->flows.items[i];
        if (f->target == made.target && f->at.begin == made.at.begin && f->at.file == made.at.file &&
            f->element_at.begin == leaf->span.begin && f->element_at.file == leaf->span.file &&
            shunt_text_equal(f->field, made.field) && shunt_text_equal(f->how, made.how))
            return;
    }
    flow *f = SHUNT_PUSH(s->arena, &s->flows);
    if (f)
        *f = made;
    else
        s->no_memory = true;
}

/* ---- what a value is made of ---- */

static void look(survey *s, const shunt_ast *node);

static void look_at_kids(survey *s, const shunt_ast *node)
{
    for (uint32_t i = 0; i < node->kid_count; i++) look(s, node->kids[i]);
}

static uint32_t bit(const char *name)
{
    uint32_t found = 0;
    return shunt_phi_find(shunt_text_of(name), &found) ? found : 0;
}

/* The value of a call that takes classes away: what is in it, as what is left of it. */
static void look_through(survey *s, const shunt_ast *call, shunt_text how, uint32_t left)
{
    const shunt_ast *args = call->kids[SHUNT_CALL_args];
    flow             before = s->now;
    if (!before.how.length) s->now.how = how, s->now.left = left;
    for (uint32_t i = 0; i < args->kid_count; i++) {
        const shunt_ast *arg = args->kids[i];
        bool             named = arg->kind == SHUNT_AST_FIELD;
        if (named && shunt_text_is(arg->kids[SHUNT_FIELD_name]->text, "because"))
            s->now.because = arg->kids[SHUNT_FIELD_value]->text;
    }
    for (uint32_t i = 0; i < args->kid_count; i++)
        look(s, args->kids[i]->kind == SHUNT_AST_FIELD ? args->kids[i]->kids[SHUNT_FIELD_value] : args->kids[i]);
    s->now = before;
}

static void look_at_call(survey *s, const shunt_ast *node, const shunt_fact *fact)
{
    if (fact->kind == SHUNT_FACT_BUILTIN) {
        switch (fact->builtin) {
        case SHUNT_LANG_MASK: look_through(s, node, SHUNT_TEXT("mask"), 0); return;
        case SHUNT_LANG_TOKENIZE: look_through(s, node, SHUNT_TEXT("tokenize"), 0); return;
        case SHUNT_LANG_DECLASSIFY: look_through(s, node, SHUNT_TEXT("declassify"), 0); return;
        case SHUNT_LANG_LAST4: look_through(s, node, SHUNT_TEXT("last4"), bit("identifier")); return;
        case SHUNT_LANG_YEAR_OF: look_through(s, node, SHUNT_TEXT("year_of"), ~bit("date")); return;
        default: break;
        }
    }
    if (fact->type.phi == 0 && (fact->kind == SHUNT_FACT_FUNCTION || fact->builtin == SHUNT_LANG_OCCURRENCE)) {
        look_through(s, node, node->kids[SHUNT_CALL_name]->text, 0);
        return;
    }
    uint32_t lost = s->now.lost;
    if (fact->kind == SHUNT_FACT_FUNCTION) s->now.lost |= ~fact->type.phi;
    look_at_kids(s, node->kids[SHUNT_CALL_args]);
    s->now.lost = lost;
}

static void look_at_name(survey *s, const shunt_symbol *symbol)
{
    const shunt_ast *decl = symbol ? symbol->decl : NULL;
    if (!decl) return;
    for (uint32_t i = 0; i < s->open.count; i++)
        if (s->open.items[i] == decl) return;
    if (s->open.count == DEEP) return;
    const shunt_ast **slot = SHUNT_PUSH(s->arena, &s->open);
    if (!slot) {
        s->no_memory = true;
        return;
    }
    *slot = decl;
    if (decl->kind == SHUNT_AST_LET) look(s, decl->kids[SHUNT_LET_value]);
    if (decl->kind == SHUNT_AST_EACH) look(s, decl->kids[SHUNT_EACH_list]);
    if (decl->kind == SHUNT_AST_TALLY) look(s, decl->kids[SHUNT_TALLY_of]);
    s->open.count--;
}

static void look(survey *s, const shunt_ast *node)
{
    const shunt_fact *fact = shunt_fact_of(node);
    if (!node) return;
    switch ((shunt_ast_kind)node->kind) {
    case SHUNT_AST_IF_EXPR:
        look(s, node->kids[SHUNT_IF_EXPR_then]);
        look(s, node->kids[SHUNT_IF_EXPR_otherwise]);
        return;
    case SHUNT_AST_CHOOSE:
        for (uint32_t i = 0; i < node->kids[SHUNT_CHOOSE_rows]->kid_count; i++) {
            const shunt_ast *row = node->kids[SHUNT_CHOOSE_rows]->kids[i];
            if (row->kind == SHUNT_AST_ROW && row->kids[SHUNT_ROW_result]->kind != SHUNT_AST_EXIT)
                look(s, row->kids[SHUNT_ROW_result]);
        }
        return;
    case SHUNT_AST_EXIT:
    case SHUNT_AST_IS:
    case SHUNT_AST_IN: return;
    case SHUNT_AST_EACH_EXPR: look(s, node->kids[SHUNT_EACH_EXPR_value]); return;
    case SHUNT_AST_CALL:
        if (fact) look_at_call(s, node, fact);
        return;
    default: break;
    }
    if (fact && (fact->kind == SHUNT_FACT_PATH || fact->kind == SHUNT_FACT_RANGE_PART || fact->kind == SHUNT_FACT_FIELD)) {
        if (fact->type.phi) add_flow(s, node, fact->type.phi);
        return;
    }
    if (fact && fact->kind == SHUNT_FACT_LOOKUP) return;
    if (fact && fact->kind == SHUNT_FACT_SYMBOL) {
        look_at_name(s, fact->symbol);
        return;
    }
    look_at_kids(s, node);
}

/* ---- where values go ---- */

static void value_of(survey *s, const shunt_symbol *target, shunt_text field, const shunt_ast *value)
{
    if (!value) return;
    s->now = (flow){ .target = target, .field = field, .at = value->span };
    s->open.count = 0;
    look(s, value);
}

static void fields_of(survey *s, const shunt_symbol *target, shunt_text prefix, const shunt_ast *fields)
{
    for (uint32_t i = 0; fields && i < fields->kid_count; i++) {
        const shunt_ast *field = fields->kids[i];
        if (field->kind != SHUNT_AST_FIELD && field->kind != SHUNT_AST_FIELD_LIST) continue;
        shunt_text name = field->kids[0]->text;
        if (prefix.length) name = shunt_text_format(s->arena, "%.*s.%.*s", SHUNT_TEXT_ARGS(prefix), SHUNT_TEXT_ARGS(name));
        if (field->kind == SHUNT_AST_FIELD_LIST)
            fields_of(s, target, name, field->kids[SHUNT_FIELD_LIST_fields]);
        else
            value_of(s, target, name, field->kids[SHUNT_FIELD_value]);
    }
}

static void parts_of(survey *s, const shunt_symbol *target, const char *name, const shunt_ast *parts)
{
    for (uint32_t i = 0; i < parts->kid_count; i++) value_of(s, target, shunt_text_of(name), parts->kids[i]);
}

static void visit(survey *s, const shunt_ast *node, const shunt_symbol *journal)
{
    const shunt_fact *fact = shunt_fact_of(node);
    if (!node || node->kind == SHUNT_AST_TEST || node->kind == SHUNT_AST_WITH_TABLE) return;
    switch ((shunt_ast_kind)node->kind) {
    case SHUNT_AST_EMIT: fields_of(s, fact ? fact->symbol : NULL, (shunt_text){ 0 }, node->kids[SHUNT_EMIT_fields]); return;
    case SHUNT_AST_JOURNAL:
        if (!fact) return;
        journal = fact->symbol;
        fields_of(s, journal, SHUNT_TEXT("lines"), node->kids[SHUNT_JOURNAL_with]);
        visit(s, node->kids[SHUNT_JOURNAL_block], journal);
        return;
    case SHUNT_AST_LINE:
        value_of(s, journal, SHUNT_TEXT("lines.account"), node->kids[SHUNT_LINE_account]);
        value_of(s, journal, SHUNT_TEXT("lines.amount"), node->kids[SHUNT_LINE_amount]);
        fields_of(s, journal, SHUNT_TEXT("lines"), node->kids[SHUNT_LINE_with]);
        return;
    case SHUNT_AST_SETTING:
        if (journal) value_of(s, journal, node->kids[SHUNT_SETTING_name]->text, node->kids[SHUNT_SETTING_value]);
        return;
    case SHUNT_AST_KEY:
        if (journal) parts_of(s, journal, "key", node->kids[SHUNT_KEY_parts]);
        return;
    case SHUNT_AST_CORRELATE: parts_of(s, NULL, "correlate", node->kids[SHUNT_CORRELATE_parts]); return;
    default: break;
    }
    for (uint32_t i = 0; i < node->kid_count; i++) visit(s, node->kids[i], journal);
}

/* ---- as it is shown ---- */

static void put_classes(survey *s, shunt_buffer *out, uint32_t classes, bool json)
{
    shunt_text names = classes ? shunt_phi_names(s->arena, classes) : json ? SHUNT_TEXT("") : SHUNT_TEXT("none");
    if (json)
        shunt_buffer_json(out, names);
    else
        shunt_buffer_text(out, names);
}

static void as_json(survey *s, shunt_buffer *out)
{
    for (uint32_t i = 0; i < s->flows.count; i++) {
        const flow *f = &s->flows.items[i];
        uint32_t    line, column;
        shunt_excerpt_place(module_of(s, f->at)->source, f->at.begin, &line, &column);
        shunt_buffer_z(out, "{\"target\":");
        shunt_buffer_json(out, f->target ? f->target->name : SHUNT_TEXT(""));
        shunt_buffer_z(out, ",\"field\":");
        shunt_buffer_json(out, f->field);
        shunt_buffer_z(out, ",\"element\":");
        shunt_buffer_json(out, f->element);
        shunt_buffer_z(out, ",\"classes\":");
        put_classes(s, out, f->classes, true);
        shunt_buffer_z(out, ",\"arrives\":");
        put_classes(s, out, f->left, true);
        shunt_buffer_z(out, ",\"through\":");
        shunt_buffer_json(out, f->how);
        if (f->because.length) {
            shunt_buffer_z(out, ",\"because\":");
            shunt_buffer_json(out, f->because);
        }
        shunt_buffer_z(out, ",\"file\":");
        shunt_buffer_json(out, module_of(s, f->at)->name);
        shunt_buffer_format(out, ",\"line\":%u,\"column\":%u}\n", line, column);
    }
}

static void text_flow(survey *s, shunt_buffer *out, const flow *f)
{
    uint32_t   line, column;
    shunt_text element = { f->element.bytes, shunt_utf8_offset(f->element, ELEMENT) };
    shunt_excerpt_place(module_of(s, f->at)->source, f->at.begin, &line, &column);
    shunt_buffer_format(out, "  %-18.*s %-24.*s ", SHUNT_TEXT_ARGS(f->field), SHUNT_TEXT_ARGS(element));
    put_classes(s, out, f->classes, false);
    if (f->how.length) {
        shunt_buffer_format(out, " -> %.*s -> ", SHUNT_TEXT_ARGS(f->how));
        put_classes(s, out, f->left, false);
    }
    shunt_buffer_format(out, "  (%.*s:%u)\n", SHUNT_TEXT_ARGS(module_of(s, f->at)->file), line);
    if (f->because.length) shunt_buffer_format(out, "      because \"%.*s\"\n", SHUNT_TEXT_ARGS(f->because));
}

static void as_text(survey *s, shunt_buffer *out)
{
    const shunt_compilation *c = &s->c->compilation;
    for (uint32_t i = 0; i <= c->symbol_count; i++) {
        const shunt_symbol *target = i < c->symbol_count ? c->symbols[i] : NULL;
        bool                any = false;
        if (target && target->kind != SHUNT_SYMBOL_TARGET) continue;
        for (uint32_t k = 0; k < s->flows.count; k++) {
            if (s->flows.items[k].target != target) continue;
            if (!any && target) {
                shunt_buffer_format(out, "%.*s, accepts ", SHUNT_TEXT_ARGS(target->name));
                put_classes(s, out, target->as.target->accepts, false);
                shunt_buffer_char(out, '\n');
            } else if (!any) {
                shunt_buffer_z(out, "correlate by\n");
            }
            any = true;
            text_flow(s, out, &s->flows.items[k]);
        }
        if (any) shunt_buffer_char(out, '\n');
    }
    uint32_t declassified = 0;
    for (uint32_t k = 0; k < s->flows.count; k++) declassified += shunt_text_is(s->flows.items[k].how, "declassify");
    shunt_buffer_format(out, "%u ways of classed elements, %u of them declassified\n", s->flows.count, declassified);
}

static shunt_status survey_all(survey *s, bool json, shunt_buffer *out)
{
    const shunt_compilation *c = &s->c->compilation;
    for (uint32_t m = 0; m < c->module_count; m++)
        if (c->modules[m].tree) visit(s, c->modules[m].tree->kids[SHUNT_MODULE_decls], NULL);
    for (uint32_t i = 0; i < c->symbol_count; i++)
        if (c->symbols[i]->kind == SHUNT_SYMBOL_MAP && c->symbols[i]->as.map.copy) visit(s, c->symbols[i]->decl, NULL);
    if (s->no_memory) return SHUNT_NO_MEMORY;
    if (json)
        as_json(s, out);
    else
        as_text(s, out);
    return out->failed ? SHUNT_NO_MEMORY : SHUNT_OK;
}

shunt_result shunt_phi(const char *path, const shunt_compile_options *options, bool json, shunt_write write, void *context,
                       shunt_messages **messages)
{
    shunt_compiling c;
    shunt_buffer    out;
    if (messages) *messages = NULL;
    shunt_status status = shunt_compiling_open(&c, path, options);
    survey       s = { .c = &c, .arena = c.arena };
    shunt_buffer_init(&out, &c.memory);
    if (status == SHUNT_OK && c.diags.errors) status = SHUNT_RULES_WRONG;
    if (status == SHUNT_OK) status = survey_all(&s, json, &out);
    if (messages && c.diags.errors && (*messages = shunt_messages_new(&c.memory)) != NULL) shunt_compiling_render(&c, *messages);
    if (status == SHUNT_OK && out.length && !write(context, out.bytes, out.length)) status = SHUNT_CALLBACK;
    shunt_buffer_done(&out);
    shunt_compiling_free(&c);
    return shunt_result_of(status);
}
