/* The cases of tests/cases/emit.md: the tests in each ```map block must pass, and its program must read as the ```program
 * block says,
 * all of it but what the dictionaries decide (hashes, sizes of the automaton). */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shunt/shunt.h"
#include "tests/support/test_memory.h"

enum { CASES_MAX = 100 };

struct emit_case {
    char *name, *map, *program; /* program NULL: only its tests count */
};

static struct emit_case cases[CASES_MAX];
static int              case_count;

struct output {
    char  *bytes;
    size_t length;
};

static bool keep(void *context, const void *bytes, size_t size)
{
    struct output *out = context;
    char          *more = realloc(out->bytes, out->length + size + 1);
    if (!more) return false;
    memcpy(more + out->length, bytes, size);
    out->bytes = more;
    out->length += size;
    out->bytes[out->length] = 0;
    return true;
}

/* The rules of a case are the only file there is. */
static int give_map(void *context, const shunt_allocator *allocator, const char *path, unsigned char **bytes, size_t *size)
{
    const struct emit_case *c = context;
    (void)path;
    *size = strlen(c->map);
    *bytes = allocator->allocate(allocator->context, *size + 1);
    if (!*bytes) return 12; /* ENOMEM */
    memcpy(*bytes, c->map, *size);
    return 0;
}

static void without_dictionaries(char *text)
{
    static const char *const heads[] = { "program ", "code ", "module ", "guide ", "plan nodes " };
    char                    *to = text;
    for (char *line = text; *line;) {
        size_t length = strcspn(line, "\n") + 1;
        bool   drop = false;
        for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) drop = drop || strncmp(line, heads[i], strlen(heads[i])) == 0;
        if (!drop) memmove(to, line, length), to += length;
        line += length;
    }
    *to = 0;
}

START_TEST(tests_pass)
{
    struct output         out = { 0 };
    shunt_compile_options options = { .size = sizeof options, .read_file = give_map, .read_context = &cases[_i] };
    shunt_test_totals     totals = { 0 };
    shunt_messages       *messages = NULL;
    shunt_result          result = shunt_test("rules.map", &options, SHUNT_TEST_TAP, 1, keep, &out, &totals, &messages);
    if (messages) shunt_messages_print(messages, false, keep, &out);
    ck_assert_msg(result == SHUNT_DONE && totals.passed > 0 && shunt_messages_warnings(messages) == 0, "%s:\n%s", cases[_i].name,
                  out.bytes);
    shunt_messages_free(messages);
    free(out.bytes);
}
END_TEST

START_TEST(program_reads_as_expected)
{
    struct output         out = { 0 };
    shunt_compile_options options = { .size = sizeof options, .read_file = give_map, .read_context = &cases[_i] };
    shunt_program        *program = NULL;
    shunt_messages       *messages = NULL;
    if (!cases[_i].program) return;
    shunt_result result = shunt_compile("rules.map", &options, &program, &messages);
    if (result != SHUNT_DONE) shunt_messages_print(messages, false, keep, &out);
    ck_assert_msg(result == SHUNT_DONE, "%s:\n%s", cases[_i].name, out.bytes);
    ck_assert_int_eq(shunt_disassemble(program, false, keep, &out), SHUNT_DONE);
    without_dictionaries(out.bytes);
    ck_assert_msg(strcmp(out.bytes, cases[_i].program) == 0, "%s:\n%s", cases[_i].name, out.bytes);
    free(out.bytes);
    shunt_release(program);
    shunt_messages_free(messages);
}
END_TEST

/* ---- every allocation fails once ---- */

static void *get(void *context, size_t size) { return shunt_memory_get(context, size); }
static void *resize(void *context, void *block, size_t size) { return shunt_memory_resize(context, block, size); }
static void  release(void *context, void *block) { shunt_memory_free(context, block); }

START_TEST(no_memory)
{
    for (size_t n = 1; n < 20000; n += n < 300 ? 1 : 7) {
        struct test_memory memory;
        test_memory_init(&memory, n);
        shunt_allocator       allocator = { get, resize, release, &memory.memory };
        shunt_compile_options options = {
            .size = sizeof options, .allocator = &allocator, .read_file = give_map, .read_context = &cases[_i]
        };
        shunt_program  *program = NULL;
        shunt_messages *messages = NULL;
        shunt_result    result = shunt_compile("rules.map", &options, &program, &messages);
        bool            reached = memory.calls >= n;
        ck_assert_msg(result == (reached ? SHUNT_SYSTEM_FAULT : SHUNT_DONE), "%s: call %zu gives %d", cases[_i].name, n,
                      (int)result);
        shunt_release(program);
        shunt_messages_free(messages);
        ck_assert_uint_eq(memory.blocks, 0);
        if (!reached) return;
    }
    ck_abort_msg("never enough memory");
}
END_TEST

/* ---- the cases ---- */

static char *take_block(char **at, const char *limit, const char *kind)
{
    char open[32];
    snprintf(open, sizeof open, "\n```%s\n", kind);
    char *begin = strstr(*at, open);
    if (!begin || (limit && begin > limit)) return NULL;
    begin += strlen(open);
    char *end = strstr(begin, "\n```\n");
    if (!end) return NULL;
    *at = end;
    return strndup(begin, (size_t)(end + 1 - begin));
}

static void load_cases(const char *path)
{
    FILE         *file = fopen(path, "rb");
    struct output text = { 0 };
    char          piece[4096];
    if (!file) {
        fprintf(stderr, "%s: not there\n", path);
        exit(2);
    }
    for (size_t size; (size = fread(piece, 1, sizeof piece, file)) > 0;) keep(&text, piece, size);
    fclose(file);
    for (char *at = text.bytes; (at = strstr(at, "\n## ")) != NULL && case_count < CASES_MAX;) {
        struct emit_case *c = &cases[case_count++];
        at += 4;
        char *limit = strstr(at, "\n## ");
        c->name = strndup(at, strcspn(at, "\n"));
        c->map = take_block(&at, limit, "map");
        c->program = take_block(&at, limit, "program");
        if (c->map) continue;
        fprintf(stderr, "%s: no map\n", c->name);
        exit(2);
    }
    free(text.bytes);
}

int main(void)
{
    load_cases(SHUNT_CASES "/emit.md");
    Suite *suite = suite_create("emit");
    TCase *tests = tcase_create("emit");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, tests_pass, 0, case_count);
    tcase_add_loop_test(tests, program_reads_as_expected, 0, case_count);
    tcase_add_loop_test(tests, no_memory, 0, case_count);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    for (int i = 0; i < case_count; i++) free(cases[i].name), free(cases[i].map), free(cases[i].program);
    return failed || case_count == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
