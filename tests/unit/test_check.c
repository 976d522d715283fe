/* The checker: every example of docs/diagnostics.md and tests/cases/diagnostics.md gives exactly the text below it; every code of
 * the rules has one; facts are complete where nothing is wrong; cut-off sources and failing memory do no harm. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "dsl/excerpt.h"
#include "dsl/type.h"
#include "grammar/parse.h"
#include "tests/support/test_memory.h"

enum { CASES_AT_MOST = 400, MODULES = 3 };

/* ---- the examples ---- */

struct example {
    const char *page;
    char        code[6];
    bool        lint;
    uint32_t    line;
    shunt_text  wrong, expected, right; /* bytes NULL: none */
};
static struct example cases[CASES_AT_MOST];
static uint32_t       case_count;
static shunt_text     prelude; /* example.map */
static shunt_text     pages[12];
static uint32_t       page_count;

/* Also called before the tests run, where Check can not report. */
static void need(bool fine, const char *what)
{
    if (fine) return;
    fprintf(stderr, "test_check: %s\n", what);
    exit(1);
}

static shunt_text read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    need(file != NULL, path);
    fseek(file, 0, SEEK_END);
    long  size = ftell(file);
    char *bytes = malloc((size_t)size + 1);
    rewind(file);
    need(bytes && fread(bytes, 1, (size_t)size, file) == (size_t)size, path);
    fclose(file);
    return (shunt_text){ bytes, (uint32_t)size };
}

/* A page: `## CODE ...` begins a section; ```map wrong, ```text, ```map right are its examples, in this order. */
static void read_page(const char *name)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", SHUNT_ROOT, name);
    shunt_text  page = pages[page_count++] = read_file(path);
    char        code[6] = "";
    const char *at = page.bytes, *end = page.bytes + page.length;
    bool        of_shell = false;
    for (uint32_t line = 1; at < end; line++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        shunt_text  text = { at, (uint32_t)((stop ? stop : end) - at) };
        at = stop ? stop + 1 : end;
        if (shunt_text_starts(text, SHUNT_TEXT("## ")) && text.length >= 8) memcpy(code, text.bytes + 3, 5);
        if (!shunt_text_starts(text, SHUNT_TEXT("```"))) continue;
        bool printed = of_shell; /* by commands, which the tests of the pages run */
        of_shell = shunt_text_starts(text, SHUNT_TEXT("```sh"));
        const char *body = at, *closed = at;
        while (closed < end && strncmp(closed, "```\n", 4) != 0)
            closed = (const char *)memchr(closed, '\n', (size_t)(end - closed)) + 1;
        shunt_text block = { body, (uint32_t)(closed - body) };
        for (const char *c = body; c < closed; c++) line += *c == '\n';
        line++;
        at = closed + 4 < end ? closed + 4 : end;
        bool wrong = shunt_text_starts(text, SHUNT_TEXT("```map wrong")),
             right = shunt_text_starts(text, SHUNT_TEXT("```map right"));
        if (shunt_text_is(text, "```map example")) prelude = block;
        bool last_is_whole = case_count == 0 || cases[case_count - 1].right.bytes;
        if (wrong || (right && last_is_whole)) {
            need(case_count < CASES_AT_MOST, "too many examples");
            cases[case_count] = (struct example){ .page = name, .line = line, .lint = text.length > 12 };
            memcpy(cases[case_count++].code, code, sizeof code);
        }
        if (wrong)
            cases[case_count - 1].wrong = block;
        else if (right)
            cases[case_count - 1].right = block;
        else if (shunt_text_is(text, "```text") && !printed)
            cases[case_count - 1].expected = block;
    }
}

/* ---- compiling ---- */

struct compiled {
    shunt_arena      *arena;
    shunt_diags       diags;
    shunt_module_info modules[MODULES];
    uint32_t          imports[MODULES][4];
    shunt_compilation compilation;
    shunt_status      status;
};

/* Module 0 is the text; its first import is `second`, where there is one. */
static void compile(struct compiled *c, const shunt_memory *memory, shunt_text first, shunt_text second, const char *second_name,
                    bool lint)
{
    memset(c, 0, sizeof *c);
    c->arena = shunt_arena_new(memory, 0);
    if (!c->arena) {
        c->status = SHUNT_NO_MEMORY;
        return;
    }
    shunt_diags_init(&c->diags, c->arena);
    c->modules[0] = (shunt_module_info){
        .name = SHUNT_TEXT("rules.map"), .file = SHUNT_TEXT("rules.map"), .source = first, .imports = c->imports[0]
    };
    c->modules[1] = (shunt_module_info){
        .name = shunt_text_of(second_name), .file = shunt_text_of(second_name), .source = second, .imports = c->imports[1]
    };
    uint32_t count = second.bytes ? 2 : 1; /* what the second imports is the first */
    for (uint32_t i = 0; i < count && c->status == SHUNT_OK; i++)
        c->status = shunt_parse_module(memory, c->arena, &c->diags, i, c->modules[i].source, &c->modules[i].tree);
    if (c->status != SHUNT_OK) return;
    shunt_ast *declarations = c->modules[0].tree->kids[SHUNT_MODULE_decls];
    uint32_t   imports = 0;
    for (uint32_t i = 0; i < declarations->kid_count && imports < 4; i++) {
        if (declarations->kids[i]->kind != SHUNT_AST_IMPORT) continue;
        const shunt_ast *path = declarations->kids[i]->kids[SHUNT_IMPORT_path];
        c->imports[0][imports++] = path && second.bytes && shunt_text_is(path->text, second_name) ? 1 : UINT32_MAX;
    }
    c->compilation = (shunt_compilation){
        .memory = memory, .arena = c->arena, .diags = &c->diags, .modules = c->modules, .module_count = count
    };
    c->compilation.lints.guide_requires = c->compilation.lints.phi_branches = c->compilation.lints.decision_gaps = lint;
    c->status = shunt_check(&c->compilation);
    shunt_diags_sort(&c->diags);
}

static void compiled_done(struct compiled *c) { shunt_arena_free(c->arena); }

/* All messages as text, a blank line between two. */
static void render(const struct compiled *c, shunt_buffer *out)
{
    shunt_excerpt_source  items[MODULES];
    shunt_excerpt_sources sources = { items, c->compilation.module_count };
    for (uint32_t i = 0; i < sources.count; i++) items[i] = (shunt_excerpt_source){ c->modules[i].name, c->modules[i].source };
    for (uint32_t i = 0; i < c->diags.count; i++) {
        if (i) shunt_buffer_char(out, '\n');
        shunt_excerpt(&sources, &c->diags.items[i], out);
    }
}

static void assert_text(const struct example *e, shunt_text source, shunt_text expected)
{
    struct compiled c;
    shunt_buffer    out;
    shunt_buffer_init(&out, &shunt_memory_libc);
    compile(&c, &shunt_memory_libc, source, prelude, "example.map", e->lint);
    ck_assert_int_eq(c.status, SHUNT_OK);
    render(&c, &out);
    shunt_text got = { out.length ? out.bytes : "", (uint32_t)out.length };
    ck_assert_msg(shunt_text_equal(got, expected), "%s, line %u, %s\n---- expected\n%.*s---- but it says\n%.*s----", e->page,
                  e->line, e->code, SHUNT_TEXT_ARGS(expected), SHUNT_TEXT_ARGS(got));
    if (expected.length)
        ck_assert_msg(strcmp(shunt_status_info[c.diags.items[0].code].code, e->code) == 0, "%s, line %u: not %s", e->page,
                      e->line, e->code);
    shunt_buffer_done(&out);
    compiled_done(&c);
}

START_TEST(example_says_what_the_page_says)
{
    const struct example *e = &cases[_i];
    ck_assert_msg(e->right.bytes || e->wrong.bytes, "%s, line %u", e->page, e->line);
    if (e->wrong.bytes) {
        ck_assert_msg(e->expected.length > 0, "%s, line %u: a wrong example without its text", e->page, e->line);
        assert_text(e, e->wrong, e->expected);
    }
    if (e->right.bytes) assert_text(e, e->right, SHUNT_TEXT(""));
}
END_TEST

/* Codes that rules alone can not show: HL7 is not read yet; the files of a project; table files are looked at by those who load them; 4 MiB of rules. */
static const char *const shown_elsewhere[] = { "E0302", "E0214", "E0215", "E0216", "E0217", "E0903", "E0912", "W0904" };

START_TEST(every_code_has_an_example)
{
    for (int s = 0; s < SHUNT_STATUS_COUNT; s++) {
        const char *code = shunt_status_info[s].code;
        bool        found = false;
        if (strlen(code) != 5 || (code[0] != 'E' && code[0] != 'W') || code[1] < '0' || code[1] > '9') continue;
        for (uint32_t i = 0; i < case_count; i++)
            found = found || (strcmp(cases[i].code, code) == 0 && cases[i].wrong.bytes && cases[i].right.bytes);
        for (size_t i = 0; i < SHUNT_COUNT(shown_elsewhere); i++) found = found || strcmp(shown_elsewhere[i], code) == 0;
        ck_assert_msg(found, "docs/diagnostics.md has no example of %s", code);
    }
}
END_TEST

/* ---- facts ---- */

static bool is_expression(const shunt_ast *node)
{
    switch (node->kind) {
    case SHUNT_AST_DECIMAL:
    case SHUNT_AST_MONEY:
    case SHUNT_AST_PERCENT:
    case SHUNT_AST_DATE:
    case SHUNT_AST_ELEMENT:
    case SHUNT_AST_MEMBER:
    case SHUNT_AST_INDEX:
    case SHUNT_AST_FILTER:
    case SHUNT_AST_CALL:
    case SHUNT_AST_ARRAY:
    case SHUNT_AST_CHOOSE:
    case SHUNT_AST_OTHERWISE:
    case SHUNT_AST_CLEARED:
    case SHUNT_AST_NOTING:
    case SHUNT_AST_IF_EXPR:
    case SHUNT_AST_BINARY:
    case SHUNT_AST_NOT:
    case SHUNT_AST_MINUS:
    case SHUNT_AST_IN:
    case SHUNT_AST_IS:
    case SHUNT_AST_TEMPLATE: return true;
    default: return false;
    }
}

/* Every expression has its type; what stands inside a path, or in the list of a unit, is the path's. */
static bool has_its_type(shunt_ast *node, void *context)
{
    const shunt_fact *fact = shunt_fact_of(node);
    uint32_t         *seen = context;
    if (node->kind == SHUNT_AST_CODES || node->kind == SHUNT_AST_SOURCE || node->kind == SHUNT_AST_TABLE) return false;
    if (is_expression(node)) {
        ck_assert_msg(fact != NULL, "%s at byte %u has no fact", shunt_ast_info[node->kind].name, node->span.begin);
        ck_assert_msg(fact->type.kind != SHUNT_TY_ERROR, "%s at byte %u has no type", shunt_ast_info[node->kind].name,
                      node->span.begin);
        ++*seen;
    }
    return !fact || fact->kind != SHUNT_FACT_PATH || fact->path->base;
}

static const char *const maps[] = { "rules/x12/remit_gl.map", "rules/x12/claim_ar.map" };
static const char *const libraries[] = { "../lib/gl.map", "../lib/claims.map" }; /* what each imports */

static shunt_text rules_file(const char *name)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", SHUNT_ROOT, name);
    return read_file(path);
}

START_TEST(facts_are_complete)
{
    struct compiled c;
    char            path[64];
    uint32_t        seen = 0;
    (void)snprintf(path, sizeof path, "rules/x12/%s", libraries[_i]);
    shunt_text text = rules_file(maps[_i]), library = rules_file(path);
    compile(&c, &shunt_memory_libc, text, library, libraries[_i], false);
    ck_assert_int_eq(c.status, SHUNT_OK);
    for (uint32_t i = 0; i < c.diags.count; i++) ck_abort_msg("%s: %.*s", maps[_i], SHUNT_TEXT_ARGS(c.diags.items[i].message));
    shunt_ast_walk(c.modules[0].tree, has_its_type, &seen);
    ck_assert_uint_gt(seen, 50);
    ck_assert_uint_gt(c.compilation.symbol_count, 20);
    compiled_done(&c);
    free((char *)(uintptr_t)text.bytes);
    free((char *)(uintptr_t)library.bytes);
}
END_TEST

/* The fact of the first node that is written like that. */
struct wanted {
    const char       *written;
    shunt_text        source;
    const shunt_fact *fact;
};

static bool find_written(shunt_ast *node, void *context)
{
    struct wanted *w = context;
    shunt_text     text = { w->source.bytes + node->span.begin, node->span.end - node->span.begin };
    if (!w->fact && shunt_fact_of(node) && shunt_text_is(text, w->written)) w->fact = shunt_fact_of(node);
    return true;
}

static const shunt_fact *fact_of(const struct compiled *c, const char *written)
{
    struct wanted w = { written, c->modules[0].source, NULL };
    shunt_ast_walk(c->modules[0].tree, find_written, &w);
    ck_assert_msg(w.fact != NULL, "nothing is written `%s`", written);
    return w.fact;
}

static const char paths[] =
    "module rules version \"1.0.0\"\n"
    "import \"example.map\"\n"
    "map post from era into work {\n"
    "  for each claim in 2100 {\n"
    "    let a = CLP04  let b = claim.CLP05  let c = 1000A.REF[\"2U\"].REF02  let d = NM1[\"82\"].NM109  let e = TRN02\n"
    "    let f = 2110.first.SVC01-2  let g = count(REF[\"0B\"])  let h = 2000.TS301  let i = 2110[where it.SVC02 > 0.00 USD]\n"
    "    for each s in 2110 { warn ERA_NOTE \"{s.SVC02} {CLP03} {count(i)} {g} {e}\" when a = b otherwise c is present or d is "
    "present }\n"
    "    warn ERA_NOTE \"{h}\" when f is absent\n"
    "    emit work { claim: CLP01 }\n"
    "  }\n"
    "}\n";

/* How each way of writing a path is understood: kind, where it starts, outwards, steps down, required. */
static const struct {
    const char     *written;
    shunt_path_kind kind;
    const char     *start, *up;
    uint32_t        down;
    bool            required, base;
    const char     *shown;
} ways[] = {
    { "CLP04", SHUNT_PATH_VALUE, "claim", NULL, 0, true, false, "CLP04" },
    { "claim.CLP05", SHUNT_PATH_VALUE, "claim", NULL, 0, false, false, "CLP05" },
    { "1000A.REF[\"2U\"].REF02", SHUNT_PATH_VALUE, NULL, NULL, 1, false, false, "1000A.REF[\"2U\"].REF02" },
    { "NM1[\"82\"].NM109", SHUNT_PATH_VALUE, "claim", NULL, 0, false, false, "NM1[\"82\"].NM109" },
    { "TRN02", SHUNT_PATH_VALUE, NULL, NULL, 0, true, false, "TRN02" },
    { "2110.first.SVC01-2", SHUNT_PATH_VALUE, NULL, NULL, 0, false, true, "SVC01-2" },
    { "REF[\"0B\"]", SHUNT_PATH_LIST, "claim", NULL, 1, false, false, "REF[\"0B\"]" },
    { "2000.TS301", SHUNT_PATH_VALUE, "claim", "2000", 0, false, false, "2000.TS301" },
    { "s.SVC02", SHUNT_PATH_VALUE, "s", NULL, 0, true, false, "SVC02" },
    { "CLP03", SHUNT_PATH_VALUE, "s", "2100", 0, true, false, "2100.CLP03" },
    { "2110", SHUNT_PATH_LIST, "claim", NULL, 1, false, false, "2110" },
};

START_TEST(path_is_understood)
{
    struct compiled c;
    compile(&c, &shunt_memory_libc, SHUNT_TEXT(paths), prelude, "example.map", false);
    const shunt_fact *fact = fact_of(&c, ways[_i].written);
    ck_assert_int_eq(fact->kind, SHUNT_FACT_PATH);
    const shunt_path *path = fact->path;
    ck_assert_int_eq(path->kind, ways[_i].kind);
    ck_assert_msg(!path->start == !ways[_i].start && (!path->start || shunt_text_is(path->start->name, ways[_i].start)),
                  "%s starts elsewhere", ways[_i].written);
    ck_assert_msg(!path->up == !ways[_i].up && (!path->up || shunt_text_is(path->up->id, ways[_i].up)), "%s goes out elsewhere",
                  ways[_i].written);
    ck_assert_uint_eq(path->down_count, ways[_i].down);
    ck_assert_int_eq(path->required, ways[_i].required);
    ck_assert_int_eq(path->base != NULL, ways[_i].base);
    ck_assert_msg(shunt_text_is(path->shown, ways[_i].shown), "%s is shown as %.*s", ways[_i].written,
                  SHUNT_TEXT_ARGS(path->shown));
    if (path->kind == SHUNT_PATH_VALUE) ck_assert_uint_ge(path->node_count, 1);
    compiled_done(&c);
}
END_TEST

/* What a function writes into a message is masked by the classes of all that call it. */
START_TEST(hole_of_a_function_knows_its_classes)
{
    static const char source[] = "module rules version \"1.0.0\"\n"
                                 "import \"example.map\"\n"
                                 "function inner(a: text(80)?, b: text(80), c: date) -> text(80) {\n"
                                 "  let all = \"{b}\"\n"
                                 "  let note = \"{all} {last4(b)} {year_of(c)} {mask(b)}\"\n"
                                 "  return a otherwise \"-\"\n"
                                 "}\n"
                                 "function outer(x: text(80)) -> text(80) {\n"
                                 "  return inner(x, upper(x), 2025-01-01)\n"
                                 "}\n"
                                 "map post from era into work {\n"
                                 "  for each claim in 2100 {\n"
                                 "    let name = outer(NM1[\"QC\"].NM103 otherwise \"-\")\n"
                                 "    let id   = inner(CLP07, CLP01, DTM[\"232\"].DTM02 otherwise BPR16)\n"
                                 "    warn ERA_NOTE \"{name} {id}\"\n"
                                 "    emit work { claim: CLP01 }\n"
                                 "  }\n"
                                 "}\n";
    static const struct {
        const char *written;
        uint32_t    phi;
    } holes[] = {
        { "all", SHUNT_PHI_NAME | SHUNT_PHI_ACCOUNT_NUMBER | SHUNT_PHI_IDENTIFIER },
        { "last4(b)", SHUNT_PHI_IDENTIFIER },
        { "year_of(c)", 0 },
        { "mask(b)", 0 },
        { "upper(x)", SHUNT_PHI_NAME },
        { "name", SHUNT_PHI_NAME },
        { "id", SHUNT_PHI_ACCOUNT_NUMBER | SHUNT_PHI_IDENTIFIER },
    };
    struct compiled c;
    compile(&c, &shunt_memory_libc, SHUNT_TEXT(source), prelude, "example.map", false);
    ck_assert_uint_eq(c.diags.errors, 0);
    const shunt_fact *fact = fact_of(&c, holes[_i].written);
    if (fact->symbol && fact->kind != SHUNT_FACT_BUILTIN)
        ck_assert_msg(fact->symbol->type.phi == holes[_i].phi, "%s: symbol %x, not %x", holes[_i].written, fact->symbol->type.phi,
                      holes[_i].phi);
    ck_assert_msg(fact->type.phi == holes[_i].phi, "%s: %x, not %x", holes[_i].written, fact->type.phi, holes[_i].phi);
    compiled_done(&c);
}
END_TEST

/* ---- types ---- */

#define TEXT(n)                                                                                                                  \
    {                                                                                                                            \
        .kind = SHUNT_TY_TEXT, .length = n                                                                                       \
    }
#define MONEY(c, s)                                                                                                              \
    {                                                                                                                            \
        .kind = SHUNT_TY_MONEY, .currency = c, .scale = s                                                                        \
    }
#define DECIMAL(s)                                                                                                               \
    {                                                                                                                            \
        .kind = SHUNT_TY_DECIMAL, .scale = s                                                                                     \
    }
#define PLAIN(k)                                                                                                                 \
    {                                                                                                                            \
        .kind = SHUNT_TY_##k                                                                                                     \
    }
static const struct {
    shunt_ty    from, to;
    shunt_fit   fit, join;
    const char *joined;
} pairs[] = {
    { TEXT(5), TEXT(9), SHUNT_FITS, SHUNT_FITS, "text(9)" },
    { TEXT(9), TEXT(5), SHUNT_FIT_LENGTH, SHUNT_FITS, "text(9)" },
    { TEXT(0), TEXT(5), SHUNT_FITS, SHUNT_FITS, "text" },
    { TEXT(5), PLAIN(ACCOUNT), SHUNT_FIT_KIND, SHUNT_FITS, "text" },
    { { .kind = SHUNT_TY_TEXT, .length = 4, .literal = true }, PLAIN(ACCOUNT), SHUNT_FITS, SHUNT_FITS, "account" },
    { PLAIN(ACCOUNT), TEXT(5), SHUNT_FITS, SHUNT_FITS, "text" },
    { PLAIN(TOKEN), TEXT(5), SHUNT_FITS, SHUNT_FIT_KIND, NULL },
    { TEXT(5), PLAIN(TOKEN), SHUNT_FIT_KIND, SHUNT_FIT_KIND, NULL },
    { PLAIN(INT), DECIMAL(2), SHUNT_FITS, SHUNT_FITS, "a decimal with 2 decimals" },
    { DECIMAL(3), DECIMAL(2), SHUNT_FIT_SCALE, SHUNT_FITS, "a decimal with 3 decimals" },
    { DECIMAL(0), PLAIN(INT), SHUNT_FIT_KIND, SHUNT_FITS, "a decimal with 0 decimals" },
    { MONEY("USD", 2), MONEY("USD", 4), SHUNT_FITS, SHUNT_FITS, "money(USD, 4)" },
    { MONEY("USD", 4), MONEY("USD", 2), SHUNT_FIT_SCALE, SHUNT_FITS, "money(USD, 4)" },
    { MONEY("USD", 2), MONEY("EUR", 2), SHUNT_FIT_CURRENCY, SHUNT_FIT_CURRENCY, NULL },
    { MONEY("USD", 2), DECIMAL(2), SHUNT_FIT_KIND, SHUNT_FIT_KIND, NULL },
    { PLAIN(DATE), PLAIN(MOMENT), SHUNT_FIT_KIND, SHUNT_FIT_KIND, NULL },
    { { .kind = SHUNT_TY_DATE, .optional = true }, PLAIN(DATE), SHUNT_FIT_ABSENT, SHUNT_FITS, "date?" },
    { PLAIN(DATE), { .kind = SHUNT_TY_DATE, .optional = true }, SHUNT_FITS, SHUNT_FITS, "date?" },
    { { .kind = SHUNT_TY_DATE, .clearable = true }, PLAIN(DATE), SHUNT_FIT_CLEARED, SHUNT_FITS, "date" },
    { PLAIN(ERROR), PLAIN(DATE), SHUNT_FITS, SHUNT_FITS, NULL },
    { PLAIN(NEVER), PLAIN(DATE), SHUNT_FITS, SHUNT_FITS, "date" },
};

START_TEST(types_fit_and_join)
{
    shunt_arena *arena = shunt_arena_new(&shunt_memory_libc, 0);
    shunt_ty     joined;
    ck_assert_int_eq(shunt_ty_fit(&pairs[_i].from, &pairs[_i].to), pairs[_i].fit);
    ck_assert_int_eq(shunt_ty_join(arena, &pairs[_i].from, &pairs[_i].to, &joined), pairs[_i].join);
    if (pairs[_i].joined) {
        shunt_text name = shunt_ty_name(arena, &joined);
        ck_assert_msg(shunt_text_is(name, pairs[_i].joined), "%.*s", SHUNT_TEXT_ARGS(name));
    }
    shunt_arena_free(arena);
}
END_TEST

/* ---- harm ---- */

/* A module that imports the one that imports it. */
START_TEST(circle_of_imports_is_said_once)
{
    struct compiled c;
    compile(&c, &shunt_memory_libc, SHUNT_TEXT("module a version \"1\"\nimport \"b.map\"\nlet x = 1\n"),
            SHUNT_TEXT("module b version \"1\"\nimport \"a.map\"\nlet y = x\n"), "b.map", false);
    ck_assert_int_eq(c.status, SHUNT_OK);
    ck_assert_uint_eq(c.diags.errors, 1);
    ck_assert_int_eq(c.diags.items[0].code, SHUNT_E0213);
    ck_assert_uint_eq(c.diags.items[0].labels[0].span.file, 1);
    compiled_done(&c);
}
END_TEST

START_TEST(large_declarations_are_refused)
{
    static const char *const open[] = { "enum e { a", "table t { from \"t.csv\" key k: int", "target t { k: int" };
    static const char *const more[] = { ", m%d", " column m%d: int", " m%d: int" };
    shunt_buffer             source;
    shunt_buffer_init(&source, &shunt_memory_libc);
    shunt_buffer_format(&source, "module a version \"1\"\n%s", open[_i]);
    for (int i = 0; i < 1001; i++) shunt_buffer_format(&source, more[_i], i);
    shunt_buffer_z(&source, " }\n");
    struct compiled c;
    compile(&c, &shunt_memory_libc, (shunt_text){ source.bytes, (uint32_t)source.length }, prelude, "example.map", false);
    ck_assert_int_eq(c.status, SHUNT_OK);
    ck_assert_uint_eq(c.diags.errors, 1);
    ck_assert_int_eq(c.diags.items[0].code, SHUNT_E0912);
    compiled_done(&c);
    shunt_buffer_done(&source);
}
END_TEST

START_TEST(cut_off_rules_do_no_harm)
{
    shunt_text text = rules_file(maps[_i]);
    for (uint32_t length = 0; length < text.length; length += 1 + length / 40) {
        struct compiled c;
        compile(&c, &shunt_memory_libc, (shunt_text){ text.bytes, length }, prelude, "example.map", true);
        ck_assert_int_eq(c.status, SHUNT_OK);
        compiled_done(&c);
    }
    free((char *)(uintptr_t)text.bytes);
}
END_TEST

/* Each word of the rules left out, or put twice. */
START_TEST(slips_do_no_harm)
{
    shunt_text text = rules_file(maps[_i]);
    char      *bytes = malloc((size_t)text.length * 2 + 1);
    for (uint32_t at = 0; at < text.length;) {
        uint32_t end = at;
        while (end < text.length && text.bytes[end] > ' ') end++;
        for (int twice = 0; twice < 2 && end > at; twice++) {
            uint32_t length = 0;
            memcpy(bytes, text.bytes, at);
            length = at;
            for (int i = 0; i < 2 * twice; i++) {
                memcpy(bytes + length, text.bytes + at, end - at);
                length += end - at;
                bytes[length++] = ' ';
            }
            memcpy(bytes + length, text.bytes + end, text.length - end);
            length += text.length - end;
            struct compiled c;
            compile(&c, &shunt_memory_libc, (shunt_text){ bytes, length }, prelude, "example.map", true);
            ck_assert_int_eq(c.status, SHUNT_OK);
            compiled_done(&c);
        }
        at = end + 60; /* not every word: the time of a test is worth something too */
    }
    free(bytes);
    free((char *)(uintptr_t)text.bytes);
}
END_TEST

START_TEST(no_memory_is_said_and_nothing_leaks)
{
    for (uint32_t i = 0; i < case_count; i += 5) {
        shunt_text source = cases[i].wrong.bytes ? cases[i].wrong : cases[i].right;
        for (size_t n = 1;; n++) {
            struct test_memory memory;
            struct compiled    c;
            test_memory_init(&memory, n);
            compile(&c, &memory.memory, source, prelude, "example.map", true);
            bool through = memory.calls < n;
            if (!through) ck_assert_int_eq(c.status, SHUNT_NO_MEMORY);
            compiled_done(&c);
            ck_assert_uint_eq(memory.blocks, 0);
            if (through) break;
        }
    }
}
END_TEST

/* Every block of the arena counts: a limit that is met anywhere is no memory. */
START_TEST(limit_of_the_arena_is_said)
{
    shunt_text      text = rules_file(maps[0]), library = rules_file("rules/lib/gl.map");
    struct compiled whole;
    compile(&whole, &shunt_memory_libc, text, library, "../lib/gl.map", false);
    size_t needed = shunt_arena_used(whole.arena);
    compiled_done(&whole);
    for (size_t limit = needed / 3; limit < needed + 20000; limit += 1777) {
        shunt_arena *arena = shunt_arena_new(&shunt_memory_libc, limit);
        shunt_diags  diags;
        shunt_ast   *trees[2] = { NULL, NULL };
        uint32_t     imports[] = { 1 };
        shunt_diags_init(&diags, arena);
        shunt_status status = shunt_parse_module(&shunt_memory_libc, arena, &diags, 0, text, &trees[0]);
        if (status == SHUNT_OK) status = shunt_parse_module(&shunt_memory_libc, arena, &diags, 1, library, &trees[1]);
        if (status == SHUNT_OK) {
            shunt_module_info modules[] = { { .name = SHUNT_TEXT("a"), .source = text, .tree = trees[0], .imports = imports },
                                            { .name = SHUNT_TEXT("b"), .source = library, .tree = trees[1] } };
            shunt_compilation compilation = {
                .memory = &shunt_memory_libc, .arena = arena, .diags = &diags, .modules = modules, .module_count = 2
            };
            status = shunt_check(&compilation);
        }
        ck_assert_int_eq(status, limit < needed ? SHUNT_NO_MEMORY : SHUNT_OK);
        shunt_arena_free(arena);
    }
    free((char *)(uintptr_t)text.bytes);
    free((char *)(uintptr_t)library.bytes);
}
END_TEST

int main(void)
{
    read_page("docs/diagnostics.md");
    read_page("tests/cases/diagnostics.md");
    read_page("tests/cases/diagnostics_slips.md");
    read_page("tests/cases/diagnostics_balance.md");
    read_page("tests/cases/diagnostics_hl7.md");
    read_page("tests/cases/diagnostics_csv.md");
    read_page("tests/cases/diagnostics_fhir.md");
    read_page("tests/cases/diagnostics_encode.md");
    read_page("tests/cases/diagnostics_chain.md");
    Suite *suite = suite_create("check");
    TCase *tc = tcase_create("check");
    tcase_set_timeout(tc, 300);
    tcase_add_loop_test(tc, example_says_what_the_page_says, 0, (int)case_count);
    tcase_add_test(tc, every_code_has_an_example);
    tcase_add_loop_test(tc, facts_are_complete, 0, (int)SHUNT_COUNT(maps));
    tcase_add_loop_test(tc, path_is_understood, 0, (int)SHUNT_COUNT(ways));
    tcase_add_loop_test(tc, hole_of_a_function_knows_its_classes, 0, 7);
    tcase_add_loop_test(tc, types_fit_and_join, 0, (int)SHUNT_COUNT(pairs));
    tcase_add_test(tc, circle_of_imports_is_said_once);
    tcase_add_loop_test(tc, large_declarations_are_refused, 0, 3);
    tcase_add_loop_test(tc, cut_off_rules_do_no_harm, 0, (int)SHUNT_COUNT(maps));
    tcase_add_loop_test(tc, slips_do_no_harm, 0, (int)SHUNT_COUNT(maps));
    tcase_add_test(tc, no_memory_is_said_and_nothing_leaks);
    tcase_add_test(tc, limit_of_the_arena_is_said);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    for (uint32_t i = 0; i < page_count; i++) free((char *)(uintptr_t)pages[i].bytes);
    return failed != 0;
}
