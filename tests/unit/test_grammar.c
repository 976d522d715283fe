/* The cases of tests/cases/grammar.md, each text compared as a whole: a ```map block, then what comes of it: ```tree with the
 * declarations as S-expressions, or ```diagnostics as `shunt check` prints them. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "dsl/excerpt.h"
#include "grammar/parse.h"

enum { CASES_MAX = 400 };

struct grammar_case {
    char *name, *source, *expected;
    bool  accepted;
};

static struct grammar_case cases[CASES_MAX];
static int                 case_count;

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        fprintf(stderr, "%s: not there\n", path);
        exit(2);
    }
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *text = malloc((size_t)size + 1);
    if (!text || fread(text, 1, (size_t)size, file) != (size_t)size) exit(2);
    text[size] = '\0';
    fclose(file);
    return text;
}

/* The block that begins with "```kind" after `*at`; `*at` is moved behind it. Ends the process where it is not closed. */
static char *take_block(char **at, char *info, size_t room)
{
    char *open = strstr(*at, "\n```");
    if (!open) return NULL;
    char *line = open + 4, *end = strchr(line, '\n');
    char *close = end ? strstr(end, "\n```\n") : NULL;
    if (!close || (size_t)(end - line) >= room) {
        fprintf(stderr, "a block of the cases is not closed: %.40s\n", line);
        exit(2);
    }
    memcpy(info, line, (size_t)(end - line));
    info[end - line] = '\0';
    char *text = strndup(end + 1, (size_t)(close - end));
    *at = close + 4;
    return text;
}

static void require(bool right, const char *name, const char *what)
{
    if (right) return;
    fprintf(stderr, "%s: %s\n", name, what);
    exit(2);
}

static void load_cases(const char *path)
{
    char *text = read_file(path), *at = text, info[32];
    for (char *heading; (heading = strstr(at, "\n### ")) != NULL;) {
        at = heading + 5;
        require(case_count < CASES_MAX, at, "too many cases");
        struct grammar_case *c = &cases[case_count++];
        c->name = strndup(at, strcspn(at, "\n"));
        c->source = take_block(&at, info, sizeof info);
        require(c->source && strcmp(info, "map") == 0, c->name, "wants a map block first");
        c->expected = take_block(&at, info, sizeof info);
        c->accepted = c->expected && strcmp(info, "tree") == 0;
        require(c->expected && (c->accepted || strcmp(info, "diagnostics") == 0), c->name, "wants a tree or diagnostics block");
    }
    free(text);
}

/* Declarations one below the other. */
static void print_tree(const shunt_ast *module, shunt_buffer *out)
{
    const shunt_ast *decls = module->kids[SHUNT_MODULE_decls];
    for (uint32_t i = 0; i < decls->kid_count; i++) {
        shunt_ast_dump(decls->kids[i], out);
        shunt_buffer_char(out, '\n');
    }
    if (decls->kid_count == 0) {
        shunt_ast_dump(module, out);
        shunt_buffer_char(out, '\n');
    }
}

static void print_diagnostics(shunt_diags *diags, shunt_text source, shunt_buffer *out)
{
    shunt_excerpt_source  item = { SHUNT_TEXT("rules.map"), source };
    shunt_excerpt_sources sources = { &item, 1 };
    shunt_diags_sort(diags);
    for (uint32_t i = 0; i < diags->count; i++) {
        if (i) shunt_buffer_char(out, '\n');
        shunt_excerpt(&sources, &diags->items[i], out);
    }
}

START_TEST(case_gives_what_it_says)
{
    const struct grammar_case *c = &cases[_i];
    shunt_arena               *arena = shunt_arena_new(&shunt_memory_libc, 0);
    shunt_diags                diags;
    shunt_buffer               out;
    shunt_ast                 *module = NULL;
    shunt_text                 source = shunt_text_of(c->source);
    shunt_diags_init(&diags, arena);
    shunt_buffer_init(&out, &shunt_memory_libc);
    ck_assert_int_eq(shunt_parse_module(&shunt_memory_libc, arena, &diags, 0, source, &module), SHUNT_OK);
    if (c->accepted && diags.errors == 0)
        print_tree(module, &out);
    else
        print_diagnostics(&diags, source, &out);
    shunt_buffer_char(&out, '\0');
    ck_assert_msg(strcmp(out.bytes, c->expected) == 0, "%s:\n%s", c->name, out.bytes);
    shunt_buffer_done(&out);
    shunt_arena_free(arena);
}
END_TEST

START_TEST(there_are_cases)
{
    int accepted = 0;
    for (int i = 0; i < case_count; i++) accepted += cases[i].accepted;
    ck_assert_int_ge(case_count, 60);
    ck_assert_int_ge(accepted, 30);
    ck_assert_int_ge(case_count - accepted, 30);
}
END_TEST

int main(void)
{
    load_cases(SHUNT_CASES "/grammar.md");
    Suite *suite = suite_create("grammar");
    TCase *group = tcase_create("cases");
    tcase_add_test(group, there_are_cases);
    tcase_add_loop_test(group, case_gives_what_it_says, 0, case_count);
    suite_add_tcase(suite, group);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    for (int i = 0; i < case_count; i++) free(cases[i].name), free(cases[i].source), free(cases[i].expected);
    return failed != 0;
}
