/* mutate.c - rules with one thing changed, again and again: which changes do the tests not notice? Each mutant is compiled anew, so that
 * nothing of one is left in the next. */
#include "api/test_run.h"

#include <stdio.h>

enum { LABEL = 70, NO_MUTANT = -1 };

/* A change that can be made to a node, by its place in the walk. */
typedef struct mutator {
    shunt_arena     *arena;
    int64_t          wanted, at; /* NO_MUTANT: only count */
    const shunt_ast *node;       /* of the change that was made */
    char             what[80];   /* "< to <=", "left out" */
    bool             no_memory;
} mutator;

/* True where this is the change that is wanted. */
static bool is_it(mutator *m, const shunt_ast *node, const char *format, const char *from, const char *to)
{
    if (m->at++ != m->wanted) return false;
    m->node = node;
    snprintf(m->what, sizeof m->what, format, from, to);
    return true;
}

static void other_word(mutator *m, shunt_ast *node, const char *const (*pairs)[2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!shunt_text_is(node->text, pairs[i][0])) continue;
        if (is_it(m, node, "%s to %s", pairs[i][0], pairs[i][1])) node->text = shunt_text_of(pairs[i][1]);
        return;
    }
}

static const char *const operators[][2] = { { "+", "-" },  { "-", "+" },  { "=", "!=" }, { "!=", "=" },   { "<", "<=" },
                                            { "<=", "<" }, { ">", ">=" }, { ">=", ">" }, { "and", "or" }, { "or", "and" } };
static const char *const sides[][2] = { { "debit", "credit" }, { "credit", "debit" } };
static const char *const states[][2] = { { "absent", "present" },         { "present", "absent" },
                                         { "not absent", "not present" }, { "not present", "not absent" },
                                         { "cleared", "not cleared" },    { "not cleared", "cleared" } };
static const char *const sets[][2] = { { "in", "not in" }, { "not in", "in" } };

/* A condition becomes its contrary. */
static void negate(mutator *m, shunt_ast *parent, uint32_t role)
{
    shunt_ast *test = parent->kids[role];
    if (!test || test->kind == SHUNT_AST_NOT || test->kind == SHUNT_AST_BINARY || test->kind == SHUNT_AST_IS ||
        test->kind == SHUNT_AST_IN)
        return; /* it has changes of its own */
    if (!is_it(m, test, "%s%s", "negated", "")) return;
    shunt_ast *not = shunt_ast_make(m->arena, SHUNT_AST_NOT, test->span, &test, 1);
    shunt_fact *fact = SHUNT_NEW(m->arena, shunt_fact);
    if (!not || !fact) {
        m->no_memory = true;
        return;
    }
    *fact = (shunt_fact){ .type = shunt_fact_of(test)->type };
    not ->fact = fact;
    parent->kids[role] = not ;
}

/* `not x`, `-x` become x. */
static void unwrap(mutator *m, shunt_ast *node, const char *word)
{
    if (is_it(m, node, "%s left out%s", word, "")) *node = *node->kids[0];
}

/* Neighbours exchange what they give. */
static void exchange(mutator *m, shunt_ast *rows, uint16_t kind, uint32_t role)
{
    for (uint32_t i = 0; i + 1 < rows->kid_count; i++) {
        shunt_ast *a = rows->kids[i], *b = rows->kids[i + 1];
        if (a->kind != kind || b->kind != kind) continue;
        if (is_it(m, a, "%s%s", "exchanged with the next", "")) {
            shunt_ast *swap = a->kids[role];
            a->kids[role] = b->kids[role];
            b->kids[role] = swap;
        }
    }
}

/* Statements without which the rest still means something. */
static void leave_out(mutator *m, shunt_ast *block)
{
    for (uint32_t i = 0; i < block->kid_count; i++) {
        uint16_t kind = block->kids[i]->kind;
        if (kind != SHUNT_AST_CHECK && kind != SHUNT_AST_EXIT && kind != SHUNT_AST_ADD) continue;
        if (!is_it(m, block->kids[i], "%s%s", "left out", "")) continue;
        memmove(&block->kids[i], &block->kids[i + 1], (block->kid_count - i - 1) * sizeof(shunt_ast *));
        block->kid_count--;
        return;
    }
}

static void visit(mutator *m, shunt_ast *node)
{
    if (!node || node->kind == SHUNT_AST_TEST || node->kind == SHUNT_AST_WITH_TABLE || node->kind == SHUNT_AST_GOLDEN) return;
    for (uint32_t i = 0; i < node->kid_count; i++) visit(m, node->kids[i]);
    if (m->node) return;
    switch ((shunt_ast_kind)node->kind) {
    case SHUNT_AST_BINARY: other_word(m, node, operators, SHUNT_COUNT(operators)); break;
    case SHUNT_AST_LINE:
        other_word(m, node, sides, SHUNT_COUNT(sides));
        negate(m, node, SHUNT_LINE_when);
        break;
    case SHUNT_AST_IS: other_word(m, node, states, SHUNT_COUNT(states)); break;
    case SHUNT_AST_IN: other_word(m, node, sets, SHUNT_COUNT(sets)); break;
    case SHUNT_AST_NOT: unwrap(m, node, "not"); break;
    case SHUNT_AST_MINUS:
        if (!shunt_fact_of(node)) break; /* of a pattern */
        unwrap(m, node, "sign");
        break;
    case SHUNT_AST_IF: negate(m, node, SHUNT_IF_test); break;
    case SHUNT_AST_IF_EXPR: negate(m, node, SHUNT_IF_EXPR_test); break;
    case SHUNT_AST_EACH: negate(m, node, SHUNT_EACH_where); break;
    case SHUNT_AST_EXIT: negate(m, node, SHUNT_EXIT_when); break;
    case SHUNT_AST_CHECK: negate(m, node, SHUNT_CHECK_test); break;
    case SHUNT_AST_CHOOSE: exchange(m, node->kids[SHUNT_CHOOSE_rows], SHUNT_AST_ROW, SHUNT_ROW_result); break;
    case SHUNT_AST_DECIDE:
        if (node->kids[SHUNT_DECIDE_rows]->kind == SHUNT_AST_LIST)
            exchange(m, node->kids[SHUNT_DECIDE_rows], SHUNT_AST_ROW, SHUNT_ROW_result);
        break;
    case SHUNT_AST_MATCH: exchange(m, node->kids[SHUNT_MATCH_arms], SHUNT_AST_ARM, SHUNT_ARM_block); break;
    case SHUNT_AST_BLOCK: leave_out(m, node); break;
    default: break;
    }
}

/* ---- one mutant ---- */

typedef enum fate { NOTICED, SURVIVED, EQUIVALENT, STILLBORN, FATES } fate;

typedef struct hunt {
    const char                  *path;
    const shunt_compile_options *options;
    bool                         json;
    shunt_write                  write;
    void                        *context;
    uint64_t                     count[FATES];
    shunt_buffer                 out;
} hunt;

/* The line that a byte stands in; `above`: the one before it. */
static shunt_text line_at(shunt_text source, uint32_t at, bool above)
{
    uint32_t begin = at, end = at;
    while (begin > 0 && source.bytes[begin - 1] != '\n') begin--;
    if (above) {
        if (begin == 0) return (shunt_text){ 0 };
        end = --begin;
        while (begin > 0 && source.bytes[begin - 1] != '\n') begin--;
    } else {
        while (end < source.length && source.bytes[end] != '\n') end++;
    }
    return (shunt_text){ source.bytes + begin, end - begin };
}

/* A comment `# equivalent, < to <=: why` on the line, or one of its own above it. */
static bool is_equivalent(shunt_text source, const mutator *m)
{
    for (int above = 0; above < 2; above++) {
        shunt_text  line = line_at(source, m->node->span.begin, above);
        const char *mark = line.length ? memmem(line.bytes, line.length, "# equivalent,", 13) : NULL;
        if (!mark) continue;
        if (above && strspn(line.bytes, " \t") != (size_t)(mark - line.bytes)) continue;
        if (memmem(mark, line.length - (size_t)(mark - line.bytes), m->what, strlen(m->what))) return true;
    }
    return false;
}

static void tell(hunt *h, const shunt_compiling *c, const mutator *m, fate became)
{
    static const char *const names[FATES] = { "noticed", "survived", "equivalent", "stillborn" };
    const shunt_module_info *module = &c->compilation.modules[0];
    uint32_t                 line, column, begin = m->node->span.begin;
    shunt_text               rest = line_at(module->source, begin, false);
    h->count[became]++;
    if ((became == NOTICED || became == STILLBORN) && !h->json) return;
    rest.length -= (uint32_t)(module->source.bytes + begin - rest.bytes);
    rest.bytes = module->source.bytes + begin;
    rest.length = shunt_utf8_offset(rest, LABEL);
    shunt_excerpt_place(module->source, begin, &line, &column);
    if (h->json) {
        shunt_buffer_z(&h->out, "{\"file\":");
        shunt_buffer_json(&h->out, module->name);
        shunt_buffer_format(&h->out, ",\"line\":%u,\"column\":%u,\"change\":", line, column);
        shunt_buffer_json(&h->out, shunt_text_of(m->what));
        shunt_buffer_format(&h->out, ",\"fate\":\"%s\"}\n", names[became]);
    } else {
        shunt_buffer_format(&h->out, "%.*s:%u:%u  %-10s  %-26s %.*s\n", SHUNT_TEXT_ARGS(module->name), line, column,
                            names[became], m->what, SHUNT_TEXT_ARGS(rest));
    }
}

static shunt_status run_tests(shunt_compiling *c, const shunt_program *program, bool *all_pass)
{
    const shunt_ast *decls = c->compilation.modules[0].tree->kids[SHUNT_MODULE_decls];
    shunt_status     status = SHUNT_OK;
    *all_pass = true;
    for (uint32_t i = 0; i < decls->kid_count && status == SHUNT_OK && *all_pass; i++) {
        shunt_buffer why;
        if (decls->kids[i]->kind != SHUNT_AST_TEST) continue;
        status = shunt_test_run(c, program, decls->kids[i], NULL, 0, &why);
        if (status == SHUNT_OK && why.length) *all_pass = false;
        shunt_buffer_done(&why);
    }
    return status;
}

/* Compiles with change number `wanted` and runs the tests; NO_MUTANT: unchanged, and `*total` gets the number of changes. */
static shunt_status try_one(hunt *h, int64_t wanted, int64_t *total, bool *all_pass, shunt_messages **messages)
{
    shunt_compiling c;
    shunt_program  *program = NULL;
    shunt_status    status = shunt_compiling_open(&c, h->path, h->options);
    mutator         m = { .arena = c.arena, .wanted = wanted };
    if (status == SHUNT_OK && c.diags.errors) status = SHUNT_RULES_WRONG;
    if (status == SHUNT_OK) visit(&m, c.compilation.modules[0].tree->kids[SHUNT_MODULE_decls]);
    if (status == SHUNT_OK && m.no_memory) status = SHUNT_NO_MEMORY;
    if (messages && c.diags.errors && (*messages = shunt_messages_new(&c.memory)) != NULL) shunt_compiling_render(&c, *messages);
    if (status == SHUNT_OK) {
        shunt_status made = shunt_compiling_program(&c, &program);
        if (made == SHUNT_OK)
            status = run_tests(&c, program, all_pass);
        else if (made == SHUNT_NO_MEMORY || !m.node)
            status = made;
        else
            tell(h, &c, &m, STILLBORN);
        if (made == SHUNT_OK && status == SHUNT_OK && m.node)
            tell(h, &c, &m, !*all_pass ? NOTICED : is_equivalent(c.compilation.modules[0].source, &m) ? EQUIVALENT : SURVIVED);
    }
    *total = m.at;
    shunt_program_free(program);
    shunt_compiling_free(&c);
    return status;
}

static shunt_status hunt_all(hunt *h, uint64_t limit, shunt_messages **messages, bool *passing)
{
    int64_t      total = 0, ignored;
    bool         all_pass;
    shunt_status status = try_one(h, NO_MUTANT, &total, passing, messages);
    if (status != SHUNT_OK || !*passing) return status;
    uint64_t count = limit && limit < (uint64_t)total ? limit : (uint64_t)total;
    for (uint64_t n = 0; n < count && status == SHUNT_OK; n++) {
        status = try_one(h, (int64_t)(n * (uint64_t)total / count), &ignored, &all_pass, NULL);
        if (status == SHUNT_OK && h->out.failed) status = SHUNT_NO_MEMORY;
        if (status == SHUNT_OK && h->out.length && !h->write(h->context, h->out.bytes, h->out.length)) status = SHUNT_CALLBACK;
        h->out.length = 0;
    }
    return status;
}

shunt_result shunt_mutate(const char *path, const shunt_compile_options *options, uint64_t limit, bool json, shunt_write write,
                          void *context, shunt_mutants *mutants, shunt_messages **messages)
{
    hunt         h = { .path = path, .options = options, .json = json, .write = write, .context = context };
    shunt_memory memory = shunt_api_memory(options ? options->allocator : NULL);
    bool         passing = true;
    if (messages) *messages = NULL;
    shunt_buffer_init(&h.out, &memory);
    shunt_status status = hunt_all(&h, limit, messages, &passing);
    *mutants = (shunt_mutants){ .noticed = h.count[NOTICED],
                                .survived = h.count[SURVIVED],
                                .equivalent = h.count[EQUIVALENT],
                                .stillborn = h.count[STILLBORN] };
    if (status == SHUNT_OK && !passing) {
        if (messages && (*messages = shunt_messages_new(&memory)) != NULL)
            shunt_messages_say(*messages, SHUNT_ERROR, "TEST", "%s: its tests fail before anything is changed", path);
        status = SHUNT_RULES_WRONG;
    }
    shunt_buffer_done(&h.out);
    shunt_result result = shunt_result_of(status);
    return result == SHUNT_DONE && h.count[SURVIVED] ? SHUNT_INPUT_FAULT : result;
}
