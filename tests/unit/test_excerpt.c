/* Diagnostics as text and as JSON, compared as a whole; the forms are those of the language's chapter on diagnostics. */
#include <check.h>
#include <stdlib.h>

#include "dsl/excerpt.h"

static const char rules[] = "decide lane(group: text(2), reason: text(5)) -> lane unique {\n"    /* 1 */
                            "  when \"CO\",         \"253\",          any => sequestration\n"    /* 2 */
                            "  when \"CO\" or \"PI\", \"197\" or \"253\", any => appeal\n"       /* 3 */
                            "}\n"                                                                /* 4 */
                            "function net(base: money(USD), less: money(EUR)) -> money(USD) {\n" /* 5 */
                            "  return base - less\n"                                             /* 6 */
                            "}\n"                                                                /* 7 */
                            "\tlet \xC3\xA4 = \"\xE2\x82\xAC\"\tx\n"                             /* 8 */
                            "\n"                                                                 /* 9 */
                            "let last = 1";                                                      /* 10 */

static const char library[] = "module lib version \"1\"\nlet cash = 1\n";

struct made {
    shunt_arena          *arena;
    shunt_diags           diags;
    shunt_buffer          out;
    shunt_excerpt_source  items[2];
    shunt_excerpt_sources sources;
};

static void make(struct made *m)
{
    m->arena = shunt_arena_new(&shunt_memory_libc, 0);
    m->items[0] = (shunt_excerpt_source){ SHUNT_TEXT("rules.map"), SHUNT_TEXT(rules) };
    m->items[1] = (shunt_excerpt_source){ SHUNT_TEXT("lib/gl.map"), SHUNT_TEXT(library) };
    m->sources = (shunt_excerpt_sources){ m->items, 2 };
    shunt_diags_init(&m->diags, m->arena);
    shunt_buffer_init(&m->out, &shunt_memory_libc);
}

static void expect(struct made *m, const char *text)
{
    shunt_buffer_char(&m->out, '\0');
    ck_assert_msg(strcmp(m->out.bytes, text) == 0, "\n%s", m->out.bytes);
    shunt_buffer_done(&m->out);
    shunt_arena_free(m->arena);
}

/* The span of the n-th (from 1) place where `piece` stands. */
static shunt_span find(const char *text, const char *piece, int n, uint32_t file)
{
    const char *at = text;
    while (n--) at = strstr(n ? at : at, piece) + (n ? 1 : 0);
    return (shunt_span){ (uint32_t)(at - text), (uint32_t)(at - text + (ptrdiff_t)strlen(piece)), file };
}

START_TEST(several_lines)
{
    struct made m;
    make(&m);
    shunt_diag *d =
        shunt_diag_add(&m.diags, SHUNT_E0308, find(rules, "\"253\"", 2, 0), "two rows of a `unique` table can both apply");
    shunt_diag_here(&m.diags, d, "... and here");
    shunt_diag_also(&m.diags, d, find(rules, "\"253\"", 1, 0), "CO / 253 here ...");
    shunt_diag_note(&m.diags, d, "example that hits both: group = CO, reason = 253");
    shunt_diag_help(&m.diags, d, "remove one, or change `unique` to `first` if order should decide");
    shunt_excerpt(&m.sources, d, &m.out);
    expect(&m, "error[E0308]: two rows of a `unique` table can both apply\n"
               "  --> rules.map:3:31\n"
               "  |\n"
               "2 |   when \"CO\",         \"253\",          any => sequestration\n"
               "  |                      ----- CO / 253 here ...\n"
               "3 |   when \"CO\" or \"PI\", \"197\" or \"253\", any => appeal\n"
               "  |                               ^^^^^ ... and here\n"
               "  |\n"
               "  = note: example that hits both: group = CO, reason = 253\n"
               "  = help: remove one, or change `unique` to `first` if order should decide\n");
}
END_TEST

START_TEST(several_marks_on_a_line)
{
    struct made m;
    make(&m);
    shunt_diag *d =
        shunt_diag_add(&m.diags, SHUNT_E0801, find(rules, "less\n", 1, 0), "money(USD) and money(EUR) cannot be subtracted");
    shunt_diag_here(&m.diags, d, "money(EUR)");
    shunt_diag_also(&m.diags, d, find(rules, "base - ", 1, 0), "money(USD)");
    d->labels[0].span.end--;
    d->labels[1].span.end -= 3;
    shunt_diag_also(&m.diags, d, find(rules, "return", 1, 0), "here");
    shunt_excerpt(&m.sources, d, &m.out);
    expect(&m, "error[E0801]: money(USD) and money(EUR) cannot be subtracted\n"
               "  --> rules.map:6:17\n"
               "  |\n"
               "6 |   return base - less\n"
               "  |   ------ ----   ^^^^ money(EUR)\n"
               "  |   |      |\n"
               "  |   |      money(USD)\n"
               "  |   |\n"
               "  |   here\n");
}
END_TEST

START_TEST(several_files)
{
    struct made m;
    make(&m);
    shunt_diag *d = shunt_diag_add(&m.diags, SHUNT_E0208, find(rules, "last", 1, 0), "`cash` is declared twice");
    shunt_diag_also(&m.diags, d, find(library, "cash", 1, 1), "the first one");
    shunt_diag_help(&m.diags, d, "give the import a name");
    shunt_excerpt(&m.sources, d, &m.out);
    expect(&m, "error[E0208]: `cash` is declared twice\n"
               "  --> rules.map:10:5\n"
               "   |\n"
               "10 | let last = 1\n"
               "   |     ^^^^\n"
               "  ::: lib/gl.map:2:5\n"
               "   |\n"
               " 2 | let cash = 1\n"
               "   |     ---- the first one\n"
               "   |\n"
               "   = help: give the import a name\n");
}
END_TEST

START_TEST(columns_count_characters)
{
    struct made m;
    make(&m);
    shunt_diag *d = shunt_diag_add(&m.diags, SHUNT_W0201, find(rules, "x\n", 1, 0), "not used");
    shunt_excerpt(&m.sources, d, &m.out);
    expect(&m, "warning[W0201]: not used\n"
               "  --> rules.map:8:14\n"
               "  |\n"
               "8 |  let \xC3\xA4 = \"\xE2\x82\xAC\" x\n"
               "  |              ^\n");
}
END_TEST

START_TEST(ends_and_empty_lines)
{
    struct made m;
    make(&m);
    uint32_t    end = (uint32_t)sizeof rules - 1;
    shunt_diag *d = shunt_diag_add(&m.diags, SHUNT_E0102, (shunt_span){ end, end, 0 }, "the end");
    shunt_excerpt(&m.sources, d, &m.out);
    shunt_span empty = find(rules, "\n\n", 1, 0);
    d = shunt_diag_add(&m.diags, SHUNT_E0102, (shunt_span){ empty.begin + 1, empty.begin + 1, 0 }, "an empty line");
    shunt_excerpt(&m.sources, d, &m.out);
    d = shunt_diag_add(&m.diags, SHUNT_E0102, (shunt_span){ 4000, 5000, 0 }, "beyond the end");
    shunt_excerpt(&m.sources, d, &m.out);
    d = shunt_diag_add(&m.diags, SHUNT_E0102, (shunt_span){ 0, 1, 7 }, "no such file");
    shunt_diag_note(&m.diags, d, "only this");
    shunt_excerpt(&m.sources, d, &m.out);
    expect(&m, "error[E0102]: the end\n"
               "  --> rules.map:10:13\n"
               "   |\n"
               "10 | let last = 1\n"
               "   |             ^\n"
               "error[E0102]: an empty line\n"
               "  --> rules.map:9:1\n"
               "  |\n"
               "9 |\n"
               "  | ^\n"
               "error[E0102]: beyond the end\n"
               "  --> rules.map:10:13\n"
               "   |\n"
               "10 | let last = 1\n"
               "   |             ^\n"
               "error[E0102]: no such file\n"
               "  = note: only this\n");
}
END_TEST

/* A span over several lines is marked to the end of its first; bytes that are no UTF-8 count one each and show as `?`. */
START_TEST(what_does_not_print)
{
    struct made m;
    make(&m);
    m.items[0].text = SHUNT_TEXT("a \xFF\xE2\x82 b\x1B[0m \xE2\x80\xAE{\r\n}\n");
    shunt_diag *d = shunt_diag_add(&m.diags, SHUNT_E0102, (shunt_span){ 15, 20, 0 }, "line\nend");
    shunt_excerpt(&m.sources, d, &m.out);
    expect(&m, "error[E0102]: line end\n"
               "  --> rules.map:1:14\n"
               "  |\n"
               "1 | a ??? b [0m ?{\n"
               "  |              ^\n");
}
END_TEST

START_TEST(long_lines_are_cut)
{
    struct made m;
    make(&m);
    char *line = malloc(1001);
    for (int i = 0; i < 1000; i++) line[i] = (char)('0' + i % 10);
    line[1000] = '\0';
    m.items[0].text = shunt_text_of(line);
    shunt_diag *d = shunt_diag_add(&m.diags, SHUNT_E0102, (shunt_span){ 500, 503, 0 }, "long");
    shunt_diag_here(&m.diags, d, "here");
    shunt_excerpt(&m.sources, d, &m.out);
    d = shunt_diag_add(&m.diags, SHUNT_E0102, (shunt_span){ 3, 900, 0 }, "longer");
    shunt_excerpt(&m.sources, d, &m.out);
    shunt_buffer expected;
    shunt_buffer_init(&expected, &shunt_memory_libc);
    shunt_buffer_z(&expected, "error[E0102]: long\n  --> rules.map:1:501\n  |\n1 | ...");
    shunt_buffer_add(&expected, line + 440, 160);
    shunt_buffer_format(&expected, "...\n  | %63s^^^ here\n", "");
    shunt_buffer_z(&expected, "error[E0102]: longer\n  --> rules.map:1:4\n  |\n1 | ");
    shunt_buffer_add(&expected, line, 160);
    shunt_buffer_z(&expected, "...\n  |    ");
    for (int i = 3; i < 160; i++) shunt_buffer_char(&expected, '^');
    shunt_buffer_add(&expected, "\n", 2);
    expect(&m, expected.bytes);
    shunt_buffer_done(&expected);
    free(line);
}
END_TEST

START_TEST(json)
{
    struct made m;
    make(&m);
    shunt_diag *d = shunt_diag_add(&m.diags, SHUNT_E0208, find(rules, "last", 1, 0), "`%s` is \"declared\" twice", "cash");
    shunt_diag_also(&m.diags, d, find(library, "cash", 1, 1), "the first one");
    shunt_diag_help(&m.diags, d, "give the import a name");
    shunt_diag_note(&m.diags, d, "because");
    shunt_diag_help(&m.diags, d, "or rename it");
    shunt_excerpt_json(&m.sources, d, &m.out);
    shunt_buffer_char(&m.out, '\n');
    d = shunt_diag_add(&m.diags, SHUNT_W0201, (shunt_span){ 0, 1, 9 }, "no place");
    shunt_excerpt_json(&m.sources, d, &m.out);
    expect(&m, "{\"code\":\"E0208\",\"severity\":\"error\",\"message\":\"`cash` is \\\"declared\\\" twice\","
               "\"file\":\"rules.map\",\"line\":10,\"column\":5,\"end_line\":10,\"end_column\":9,"
               "\"labels\":[{\"file\":\"rules.map\",\"line\":10,\"column\":5,\"end_line\":10,\"end_column\":9,\"text\":\"\"},"
               "{\"file\":\"lib/gl.map\",\"line\":2,\"column\":5,\"end_line\":2,\"end_column\":9,\"text\":\"the first one\"}],"
               "\"notes\":[\"because\"],\"helps\":[\"give the import a name\",\"or rename it\"]}\n"
               "{\"code\":\"W0201\",\"severity\":\"warning\",\"message\":\"no place\",\"labels\":[],\"notes\":[],\"helps\":[]}");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("excerpt");
    TCase *group = tcase_create("excerpt");
    tcase_add_test(group, several_lines);
    tcase_add_test(group, several_marks_on_a_line);
    tcase_add_test(group, several_files);
    tcase_add_test(group, columns_count_characters);
    tcase_add_test(group, ends_and_empty_lines);
    tcase_add_test(group, what_does_not_print);
    tcase_add_test(group, long_lines_are_cut);
    tcase_add_test(group, json);
    suite_add_tcase(suite, group);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
