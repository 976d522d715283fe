/* docs.c - rules as a page for those who do not write them: what comes in, what goes out, tables, decisions, exceptions, checks, tests. Drawn from
 * the tree and its `##` comments, as Markdown. */
#include "api/compile.h"

typedef struct page {
    shunt_compiling         *c;
    const shunt_module_info *module;
    shunt_buffer            *out;
} page;

static shunt_text source_of(const page *p, shunt_span span)
{
    return (shunt_text){ p->module->source.bytes + span.begin, span.end - span.begin };
}

/* On one line, and free of what a table reads as its own. */
static void cell(const page *p, shunt_text text)
{
    bool blank = false;
    for (uint32_t i = 0; i < text.length; i++) {
        char c = text.bytes[i];
        if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
            blank = true;
            continue;
        }
        if (blank) shunt_buffer_char(p->out, ' ');
        blank = false;
        if (c == '|') shunt_buffer_char(p->out, '\\');
        shunt_buffer_char(p->out, c);
    }
}

static void code(const page *p, const shunt_ast *node)
{
    if (!node) return;
    shunt_buffer_char(p->out, '`');
    cell(p, source_of(p, node->span));
    shunt_buffer_char(p->out, '`');
}

static void doc(const page *p, const shunt_ast *node)
{
    if (!node->doc.length) return;
    shunt_buffer_text(p->out, node->doc);
    shunt_buffer_z(p->out, "\n\n");
}

static void heading(const page *p, const char *level, const char *what, shunt_text name)
{
    shunt_buffer_format(p->out, "%s %s%s%.*s\n\n", level, what, *what ? " " : "", SHUNT_TEXT_ARGS(name));
}

/* The comment that stands behind something on its line. */
static shunt_text remark(const page *p, const shunt_ast *node)
{
    const shunt_text s = p->module->source;
    uint32_t         at = node->span.end;
    while (at < s.length && (s.bytes[at] == ' ' || s.bytes[at] == '\t')) at++;
    if (at >= s.length || s.bytes[at] != '#') return (shunt_text){ 0 };
    while (at < s.length && (s.bytes[at] == '#' || s.bytes[at] == ' ')) at++;
    uint32_t end = at;
    while (end < s.length && s.bytes[end] != '\n' && s.bytes[end] != '\r') end++;
    return (shunt_text){ s.bytes + at, end - at };
}

/* ---- declarations ---- */

static void field_row(const page *p, const shunt_ast *item, const shunt_ast *name, const shunt_ast *type, const char *what)
{
    shunt_buffer_format(p->out, "| %.*s | ", SHUNT_TEXT_ARGS(name->text));
    if (type) code(p, type);
    shunt_buffer_format(p->out, " | %s%s", what, *what && remark(p, item).length ? "; " : "");
    cell(p, remark(p, item));
    shunt_buffer_z(p->out, " |\n");
}

static void target(const page *p, const shunt_ast *node)
{
    const shunt_ast *items = node->kids[SHUNT_TARGET_items];
    heading(p, "###", node->text.length ? "Journal" : "Record", node->kids[SHUNT_TARGET_name]->text);
    doc(p, node);
    shunt_buffer_z(p->out, "| field | holds | |\n|---|---|---|\n");
    for (uint32_t i = 0; i < items->kid_count; i++) {
        const shunt_ast *item = items->kids[i];
        if (item->kind != SHUNT_AST_FIELD_DECL) continue;
        field_row(p, item, item->kids[SHUNT_FIELD_DECL_name], item->kids[SHUNT_FIELD_DECL_type],
                  item->text.length ? "of each line" : "");
    }
    shunt_buffer_char(p->out, '\n');
    for (uint32_t i = 0; i < items->kid_count; i++) {
        if (items->kids[i]->kind == SHUNT_AST_KEY_FIELDS) {
            shunt_buffer_z(p->out, "One record for each ");
            cell(p, source_of(p, items->kids[i]->kids[SHUNT_KEY_FIELDS_names]->span));
            shunt_buffer_z(p->out, ".\n\n");
        } else if (items->kids[i]->kind == SHUNT_AST_ACCEPTS) {
            shunt_buffer_z(p->out, "May hold health information of these classes: ");
            cell(p, source_of(p, items->kids[i]->kids[SHUNT_ACCEPTS_classes]->span));
            shunt_buffer_z(p->out, ".\n\n");
        }
    }
}

static void table(const page *p, const shunt_ast *node)
{
    const shunt_ast *items = node->kids[SHUNT_TABLE_items];
    heading(p, "###", "Table", node->kids[SHUNT_TABLE_name]->text);
    doc(p, node);
    for (uint32_t i = 0; i < items->kid_count; i++)
        if (items->kids[i]->kind == SHUNT_AST_TABLE_FROM && items->kids[i]->kids[SHUNT_TABLE_FROM_path])
            shunt_buffer_format(p->out, "Kept in `%.*s`.\n\n",
                                SHUNT_TEXT_ARGS(items->kids[i]->kids[SHUNT_TABLE_FROM_path]->text));
    shunt_buffer_z(p->out, "| column | holds | |\n|---|---|---|\n");
    for (uint32_t i = 0; i < items->kid_count; i++) {
        const shunt_ast *item = items->kids[i];
        if (item->kind == SHUNT_AST_TABLE_KEY)
            field_row(p, item, item->kids[SHUNT_TABLE_KEY_name], item->kids[SHUNT_TABLE_KEY_type], "key");
        if (item->kind == SHUNT_AST_COLUMN) field_row(p, item, item->kids[SHUNT_COLUMN_name], item->kids[SHUNT_COLUMN_type], "");
        if (item->kind != SHUNT_AST_EFFECTIVE) continue;
        field_row(p, item, item->kids[SHUNT_EFFECTIVE_from], NULL, "first day in force");
        field_row(p, item, item->kids[SHUNT_EFFECTIVE_through], NULL, "last day in force, blank = no end");
    }
    shunt_buffer_char(p->out, '\n');
}

static void codes(const page *p, const shunt_ast *node)
{
    const shunt_ast *items = node->kids[SHUNT_CODES_items];
    shunt_buffer_z(p->out, "### Exceptions\n\n");
    doc(p, node);
    shunt_buffer_z(p->out, "| code | means | goes to | answers |\n|---|---|---|---|\n");
    for (uint32_t i = 0; i < items->kid_count; i++) {
        const shunt_ast *item = items->kids[i];
        if (item->kind != SHUNT_AST_CODE) continue;
        shunt_buffer_format(p->out, "| %.*s | ", SHUNT_TEXT_ARGS(item->kids[SHUNT_CODE_name]->text));
        cell(p, item->kids[SHUNT_CODE_meaning]->text);
        shunt_buffer_z(p->out, " | ");
        if (item->kids[SHUNT_CODE_queue]) cell(p, item->kids[SHUNT_CODE_queue]->text);
        shunt_buffer_z(p->out, " | ");
        if (item->kids[SHUNT_CODE_ack]) cell(p, item->kids[SHUNT_CODE_ack]->text);
        shunt_buffer_z(p->out, " |\n");
    }
    shunt_buffer_char(p->out, '\n');
}

static void decide(const page *p, const shunt_ast *node)
{
    const shunt_ast *params = node->kids[SHUNT_DECIDE_params], *rows = node->kids[SHUNT_DECIDE_rows];
    heading(p, "###", "Decision", node->kids[SHUNT_DECIDE_name]->text);
    doc(p, node);
    if (rows->kind == SHUNT_AST_STRING) {
        shunt_buffer_format(p->out, "Its rows are kept in `%.*s`.\n\n", SHUNT_TEXT_ARGS(rows->text));
        return;
    }
    shunt_buffer_char(p->out, '|');
    for (uint32_t i = 0; i < params->kid_count; i++)
        shunt_buffer_format(p->out, " %.*s |", SHUNT_TEXT_ARGS(params->kids[i]->kids[SHUNT_PARAM_name]->text));
    shunt_buffer_z(p->out, " gives |\n|");
    for (uint32_t i = 0; i <= params->kid_count; i++) shunt_buffer_z(p->out, "---|");
    shunt_buffer_char(p->out, '\n');
    for (uint32_t r = 0; r < rows->kid_count; r++) {
        const shunt_ast *row = rows->kids[r], *patterns = row->kind == SHUNT_AST_ROW ? row->kids[SHUNT_ROW_patterns] : NULL;
        if (row->kind != SHUNT_AST_ROW) continue;
        shunt_buffer_char(p->out, '|');
        for (uint32_t i = 0; i < params->kid_count; i++) {
            shunt_buffer_char(p->out, ' ');
            cell(p, patterns && i < patterns->kid_count ? source_of(p, patterns->kids[i]->span) : SHUNT_TEXT("anything else"));
            shunt_buffer_z(p->out, " |");
        }
        shunt_buffer_char(p->out, ' ');
        code(p, row->kids[SHUNT_ROW_result]);
        shunt_buffer_z(p->out, " |\n");
    }
    shunt_buffer_char(p->out, '\n');
}

static void function(const page *p, const shunt_ast *node)
{
    const shunt_ast *params = node->kids[SHUNT_FUNCTION_params];
    heading(p, "###", "Function", node->kids[SHUNT_FUNCTION_name]->text);
    doc(p, node);
    shunt_buffer_z(p->out, "Of ");
    for (uint32_t i = 0; i < params->kid_count; i++)
        shunt_buffer_format(p->out, "%s%.*s", i ? ", " : "", SHUNT_TEXT_ARGS(params->kids[i]->kids[SHUNT_PARAM_name]->text));
    shunt_buffer_z(p->out, params->kid_count ? ", gives " : "nothing, gives ");
    code(p, node->kids[SHUNT_FUNCTION_type]);
    shunt_buffer_z(p->out, ".\n\n");
}

static void source(const page *p, const shunt_ast *node)
{
    heading(p, "###", "Input", node->kids[SHUNT_SOURCE_name]->text);
    doc(p, node);
    shunt_buffer_format(p->out, "%.*s", SHUNT_TEXT_ARGS(node->kids[SHUNT_SOURCE_kind]->text));
    for (uint32_t i = 0; i < node->kids[SHUNT_SOURCE_args]->kid_count; i++) {
        shunt_buffer_char(p->out, ' ');
        cell(p, source_of(p, node->kids[SHUNT_SOURCE_args]->kids[i]->span));
    }
    shunt_buffer_z(p->out, ".\n\n");
}

/* ---- maps ---- */

static void exit_of(const page *p, const shunt_ast *exit)
{
    if (!exit || exit->kind != SHUNT_AST_EXIT) return;
    shunt_buffer_format(p->out, "%.*s", SHUNT_TEXT_ARGS(exit->text));
    if (exit->kids[SHUNT_EXIT_scope])
        shunt_buffer_format(p->out, " the whole %.*s", SHUNT_TEXT_ARGS(exit->kids[SHUNT_EXIT_scope]->text));
    if (exit->kids[SHUNT_EXIT_code]) shunt_buffer_format(p->out, ", %.*s", SHUNT_TEXT_ARGS(exit->kids[SHUNT_EXIT_code]->text));
}

/* Steps, checks, exits and records of a map, in the order they stand. */
static void walk(const page *p, const shunt_ast *node, unsigned depth)
{
    if (!node) return;
    unsigned indent = depth * 2;
    switch ((shunt_ast_kind)node->kind) {
    case SHUNT_AST_STEP:
        shunt_buffer_format(p->out, "%*s* **%.*s**\n", (int)indent, "", SHUNT_TEXT_ARGS(node->kids[SHUNT_STEP_name]->text));
        depth++;
        break;
    case SHUNT_AST_FOR_EACH:
        shunt_buffer_format(p->out, "%*s* for each ", (int)indent, "");
        cell(p, node->kids[SHUNT_FOR_EACH_each]->kids[SHUNT_EACH_variable]->text);
        shunt_buffer_z(p->out, " in ");
        code(p, node->kids[SHUNT_FOR_EACH_each]->kids[SHUNT_EACH_list]);
        shunt_buffer_char(p->out, '\n');
        depth++;
        break;
    case SHUNT_AST_CHECK:
        shunt_buffer_format(p->out, "%*s* must hold: ", (int)indent, "");
        code(p, node->kids[SHUNT_CHECK_test]);
        shunt_buffer_z(p->out, "; else ");
        exit_of(p, node->kids[SHUNT_CHECK_exit]);
        shunt_buffer_char(p->out, '\n');
        return;
    case SHUNT_AST_EXIT:
        shunt_buffer_format(p->out, "%*s* ", (int)indent, "");
        exit_of(p, node);
        if (node->kids[SHUNT_EXIT_when]) {
            shunt_buffer_z(p->out, ", when ");
            code(p, node->kids[SHUNT_EXIT_when]);
        }
        shunt_buffer_char(p->out, '\n');
        return;
    case SHUNT_AST_LINE:
        shunt_buffer_format(p->out, "%*s* %.*s ", (int)indent, "", SHUNT_TEXT_ARGS(node->text));
        code(p, node->kids[SHUNT_LINE_account]);
        shunt_buffer_z(p->out, " with ");
        if (node->kids[SHUNT_LINE_amount])
            code(p, node->kids[SHUNT_LINE_amount]);
        else
            shunt_buffer_z(p->out, "what is left over");
        shunt_buffer_char(p->out, '\n');
        return;
    case SHUNT_AST_ARM:
        shunt_buffer_format(p->out, "%*s* ", (int)indent, "");
        if (node->kids[SHUNT_ARM_patterns]) {
            shunt_buffer_z(p->out, "when ");
            code(p, node->kids[SHUNT_ARM_patterns]);
        } else {
            shunt_buffer_z(p->out, "else");
        }
        shunt_buffer_char(p->out, '\n');
        depth++;
        break;
    case SHUNT_AST_MATCH:
        shunt_buffer_format(p->out, "%*s* by ", (int)indent, "");
        code(p, node->kids[SHUNT_MATCH_subject]);
        shunt_buffer_char(p->out, '\n');
        for (uint32_t i = 0; i < node->kids[SHUNT_MATCH_arms]->kid_count; i++)
            walk(p, node->kids[SHUNT_MATCH_arms]->kids[i], depth + 1);
        return;
    case SHUNT_AST_IF:
        shunt_buffer_format(p->out, "%*s* if ", (int)indent, "");
        code(p, node->kids[SHUNT_IF_test]);
        shunt_buffer_char(p->out, '\n');
        walk(p, node->kids[SHUNT_IF_then], depth + 1);
        if (node->kids[SHUNT_IF_otherwise]) {
            shunt_buffer_format(p->out, "%*s* else\n", (int)indent, "");
            walk(p, node->kids[SHUNT_IF_otherwise], depth + 1);
        }
        return;
    case SHUNT_AST_JOURNAL:
        shunt_buffer_format(p->out, "%*s* a journal `%.*s`\n", (int)indent, "",
                            SHUNT_TEXT_ARGS(node->kids[SHUNT_JOURNAL_target]->text));
        walk(p, node->kids[SHUNT_JOURNAL_block], depth + 1);
        return;
    case SHUNT_AST_EMIT:
        shunt_buffer_format(p->out, "%*s* a record `%.*s`\n", (int)indent, "",
                            SHUNT_TEXT_ARGS(node->kids[SHUNT_EMIT_target]->text));
        return;
    case SHUNT_AST_AT_START:
        shunt_buffer_format(p->out, "%*s* at the start\n", (int)indent, "");
        depth++;
        break;
    case SHUNT_AST_AT_END:
        shunt_buffer_format(p->out, "%*s* at the end", (int)indent, "");
        if (node->kids[SHUNT_AT_END_scope])
            shunt_buffer_format(p->out, " of the %.*s", SHUNT_TEXT_ARGS(node->kids[SHUNT_AT_END_scope]->text));
        shunt_buffer_char(p->out, '\n');
        depth++;
        break;
    case SHUNT_AST_LET:
    case SHUNT_AST_TALLY:
    case SHUNT_AST_EACH:
    case SHUNT_AST_KEY:
    case SHUNT_AST_SETTING: return;
    case SHUNT_AST_ON_ERROR:
        shunt_buffer_format(p->out, "%*s* what cannot be read or computed: ", (int)indent, "");
        exit_of(p, node->kids[SHUNT_ON_ERROR_exit]);
        shunt_buffer_char(p->out, '\n');
        return;
    default: break;
    }
    for (uint32_t i = 0; i < node->kid_count; i++) walk(p, node->kids[i], depth);
}

static void map(const page *p, const shunt_ast *node)
{
    heading(p, "##", "What happens:", node->kids[SHUNT_MAP_name]->text);
    doc(p, node);
    walk(p, node->kids[SHUNT_MAP_items], 0);
    shunt_buffer_char(p->out, '\n');
}

/* ---- pages ---- */

static void each(const page *p, int kind, void (*show)(const page *p, const shunt_ast *node), const char *title)
{
    const shunt_ast *decls = p->module->tree->kids[SHUNT_MODULE_decls];
    for (uint32_t i = 0; i < decls->kid_count; i++) {
        if (decls->kids[i]->kind != kind) continue;
        if (title) shunt_buffer_format(p->out, "## %s\n\n", title);
        title = NULL;
        show(p, decls->kids[i]);
    }
}

static bool has(const page *p, const int *kinds, uint32_t count)
{
    const shunt_ast *decls = p->module->tree->kids[SHUNT_MODULE_decls];
    for (uint32_t i = 0; i < decls->kid_count; i++)
        for (uint32_t k = 0; k < count; k++)
            if (decls->kids[i]->kind == kinds[k]) return true;
    return false;
}

static void module_page(const page *p)
{
    static const int reference[] = { SHUNT_AST_TABLE, SHUNT_AST_DECIDE, SHUNT_AST_FUNCTION };
    const shunt_ast *tree = p->module->tree, *decls = tree->kids[SHUNT_MODULE_decls];
    uint32_t         tests = 0;
    shunt_buffer_format(p->out, "# %.*s, version %.*s\n\n", SHUNT_TEXT_ARGS(tree->kids[SHUNT_MODULE_name]->text),
                        SHUNT_TEXT_ARGS(tree->kids[SHUNT_MODULE_version]->text));
    doc(p, tree);
    each(p, SHUNT_AST_SOURCE, source, "What comes in");
    each(p, SHUNT_AST_TARGET, target, "What goes out");
    each(p, SHUNT_AST_MAP, map, NULL);
    if (has(p, reference, SHUNT_COUNT(reference))) shunt_buffer_z(p->out, "## Reference data and decisions\n\n");
    each(p, SHUNT_AST_TABLE, table, NULL);
    each(p, SHUNT_AST_DECIDE, decide, NULL);
    each(p, SHUNT_AST_FUNCTION, function, NULL);
    each(p, SHUNT_AST_CODES, codes, NULL);
    for (uint32_t i = 0; i < decls->kid_count; i++) {
        if (decls->kids[i]->kind != SHUNT_AST_TEST) continue;
        if (!tests++) shunt_buffer_z(p->out, "## Cases that are tested\n\n");
        shunt_buffer_format(p->out, "* %.*s\n", SHUNT_TEXT_ARGS(decls->kids[i]->kids[SHUNT_TEST_name]->text));
    }
    if (tests) shunt_buffer_char(p->out, '\n');
}

shunt_result shunt_docs(const char *path, const shunt_compile_options *options, shunt_write write, void *context,
                        shunt_messages **messages)
{
    shunt_compiling c;
    shunt_buffer    out;
    if (messages) *messages = NULL;
    shunt_status status = shunt_compiling_open(&c, path, options);
    shunt_buffer_init(&out, &c.memory);
    if (status == SHUNT_OK && c.diags.errors) status = SHUNT_RULES_WRONG;
    for (uint32_t m = 0; m < c.compilation.module_count && status == SHUNT_OK; m++) {
        page p = { &c, &c.compilation.modules[m], &out };
        if (p.module->tree) module_page(&p);
    }
    if (status == SHUNT_OK && out.failed) status = SHUNT_NO_MEMORY;
    if (messages && c.diags.errors && (*messages = shunt_messages_new(&c.memory)) != NULL) shunt_compiling_render(&c, *messages);
    while (out.length > 1 && out.bytes[out.length - 1] == '\n' && out.bytes[out.length - 2] == '\n') out.length--;
    if (status == SHUNT_OK && out.length && !write(context, out.bytes, out.length)) status = SHUNT_CALLBACK;
    shunt_buffer_done(&out);
    shunt_compiling_free(&c);
    return shunt_result_of(status);
}
