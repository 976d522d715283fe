/* `shunt fmt`: cases of each rule of the layout; every .map of the project and a thousand generated programs keep their meaning and come
 * out the same a second time; every failed allocation is a clear result. */
#include <check.h>
#include <fts.h>
#include <shunt/shunt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "tests/support/test_memory.h"

enum { PROGRAMS = 1000 };

/* ---- helpers ---- */

static bool append(void *buffer, const void *bytes, size_t size)
{
    shunt_buffer_add(buffer, bytes, size);
    return !((shunt_buffer *)buffer)->failed;
}

/* A text with its NUL. */
static char *layout_of(const char *name, const char *source, size_t size)
{
    shunt_buffer    out;
    shunt_messages *messages = NULL;
    shunt_buffer_init(&out, &shunt_memory_libc);
    shunt_result result = shunt_format(name, source, size, NULL, append, &out, &messages);
    if (messages) (void)shunt_messages_print(messages, false, append, &out);
    shunt_buffer_char(&out, 0);
    ck_assert_msg(result == SHUNT_DONE, "%s: %s\n%s", name, out.bytes, source);
    shunt_messages_free(messages);
    return out.bytes;
}

/* ---- cases ---- */

#define HEAD "module t version \"1\"\n"

static const struct {
    const char *name, *source, *layout;
} cases[] = {
    { "an empty module", "module  t\nversion\"1\"   edition 1", "module t\n  version \"1\" edition 1\n" },
    { "no line end at the end, carriage returns, the mark at the beginning", "\xEF\xBB\xBFmodule t version \"1\"\r\nlet a=1\r\n",
      HEAD "let a = 1\n" },
    { "operators and brackets", HEAD "let a = ( 1+2 )*-3\nlet b = not(a<2 or a>=3)and a not\n  in(1 , 2 .. 3)\n",
      HEAD "let a = (1 + 2) * -3\nlet b = not (a < 2 or a >= 3) and a not in (1, 2..3)\n" },
    { "templates", HEAD "let a = \"x { b+1 } y {c}\"\n", HEAD "let a = \"x {b + 1} y {c}\"\n" },
    { "declarations stand on lines of their own", HEAD "let a = 1 let bb = 2\n", HEAD "let a  = 1\nlet bb = 2\n" },
    { "groups stay, of several empty lines one", HEAD "\n\n\nlet a = 1\n\n\n\nlet bb = 2\n", HEAD "\nlet a = 1\n\nlet bb = 2\n" },
    { "comments", "# first\n\n" HEAD "## doc\nlet a = 1# why\nlet bb = 22   # because\n    # last  \n\n",
      "# first\n\n" HEAD "## doc\nlet a  = 1   # why\nlet bb = 22  # because\n# last\n" },
    { "comments in a block", HEAD "codes {\n# one\nA \"a\" queue \"q\"\n\n   # two\n}\n",
      HEAD "codes {\n  # one\n  A \"a\" queue \"q\"\n\n  # two\n}\n" },
    { "a block of one line", HEAD "enum e{a,b}\ntable t { from \"t.csv\" key a:text( 2 )column b : account? }\n",
      HEAD "enum e { a, b }\ntable t { from \"t.csv\"  key a: text(2)  column b: account? }\n" },
    { "a block of several lines", HEAD "table t { from \"t.csv\"\n key a: text(2) }\n",
      HEAD "table t {\n  from \"t.csv\"\n  key a: text(2)\n}\n" },
    { "statements of several lines, else",
      HEAD "map m from s into o\n{\nfor each c in 2100\n{\nif a = 1\n{\nskip\n}\nelse\n{\nlet x = 1 let y = 2\n}\n}\n}\n",
      HEAD "map m from s into o {\n  for each c in 2100 {\n    if a = 1 {\n      skip\n    } else {\n      let x = 1\n      let "
           "y = 2\n    }\n"
           "  }\n}\n" },
    { "what goes on in the next line",
      HEAD "let a = b[\"x\"]\notherwise b[\"y\"]\notherwise 1\nlet c = sum(a.b for each a in x\nwhere a.c)\n",
      HEAD "let a = b[\"x\"]\n  otherwise b[\"y\"]\n  otherwise 1\nlet c = sum(a.b for each a in x\n            where a.c)\n" },
    { "rows and arms",
      HEAD "function f(a: text(2), b: text(3)) -> text(3)\n{\nlet c = match a {\nwhen \"CO\" or \"PI\" => 1\nwhen "
           "\"A\"=>22\nelse => 3 }\n return c }\n",
      HEAD "function f(a: text(2), b: text(3)) -> text(3) {\n  let c = match a {\n    when \"CO\" or \"PI\" => 1\n    when \"A\" "
           "         => 22\n"
           "    else              => 3\n  }\n  return c\n}\n" },
    { "columns of codes and of rows",
      HEAD "codes {\n A \"a\" ack \"x\"\n BBB \"bbb\" queue \"q\" ack \"x\"\n}\nwith table t {\n(a: \"1\", b: \"22\")(a: "
           "\"333\", b: \"4\")\n}\n",
      HEAD "codes {\n  A   \"a\"   ack \"x\"\n  BBB \"bbb\" queue \"q\" ack \"x\"\n}\nwith table t {\n  (a: \"1\",   b: \"22\")\n"
           "  (a: \"333\", b: \"4\")\n}\n" },
    { "legs, accounts and amounts below each other",
      HEAD "test \"t\" {\nexpect journal gl {\ndebit \"1\" 1.00 USD\ncredit \"22\" 1,000.00 USD with (a: 1)\n}\nexpect journal "
           "gl{debit \"1\" 1 credit a.b -x }\n}\n",
      HEAD
      "test \"t\" {\n  expect journal gl {\n    debit  \"1\"      1.00 USD\n    credit \"22\" 1,000.00 USD with (a: 1)\n  }\n"
      "  expect journal gl { debit \"1\" 1  credit a.b -x }\n}\n" },
    { "an amount in brackets is no call", HEAD "test \"t\" { expect journal gl { debit cash(a+b) debit (x) (y) } }\n",
      HEAD "test \"t\" { expect journal gl { debit cash (a + b)  debit (x) (y) } }\n" },
    { "a text block keeps its bytes", HEAD "test \"t\" { given s \"\"\"\n   A  \n\t B\n \"\"\" expect nothing }\n",
      HEAD "test \"t\" {\n  given s \"\"\"\n   A  \n\t B\n \"\"\"\n  expect nothing\n}\n" },
    { "words that would run together keep apart", HEAD "let a = PID-3 .1\nlet b = 2100 . CLP04\nlet c = PID-3.1\n",
      HEAD "let a = PID-3 .1\nlet b = 2100.CLP04\nlet c = PID-3.1\n" },
    { "a keyword that is a name", HEAD "let a = b.when\nlet `map` = 1\n", HEAD "let a     = b.when\nlet `map` = 1\n" },
    { "places", HEAD "source s is FIXED 80 { key at 1 .. 2  column a at 3..4:text(2) as \"N2\" }\n",
      HEAD "source s is FIXED 80 { key at 1..2  column a at 3..4: text(2) as \"N2\" }\n" },
};

START_TEST(case_of_the_table)
{
    char *layout = layout_of(cases[_i].name, cases[_i].source, strlen(cases[_i].source));
    ck_assert_msg(strcmp(layout, cases[_i].layout) == 0, "%s: is\n%s\nand should be\n%s", cases[_i].name, layout,
                  cases[_i].layout);
    char *again = layout_of(cases[_i].name, layout, strlen(layout));
    ck_assert_msg(strcmp(layout, again) == 0, "%s: the second time\n%s", cases[_i].name, again);
    free(layout);
    free(again);
}
END_TEST

START_TEST(mistakes_are_told_and_nothing_is_written)
{
    static const char *const wrong[] = { "",
                                         "module",
                                         "module t version \"1\"\nlet = 2\nlet b = \"x\n",
                                         "module t version \"1\"\nmap m {",
                                         "module t version \"1\"\nlet a = 1 <> 2\n",
                                         "\xff\xfe" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        shunt_buffer    out;
        shunt_messages *messages = NULL;
        shunt_buffer_init(&out, &shunt_memory_libc);
        ck_assert_int_eq(shunt_format("wrong.map", wrong[i], strlen(wrong[i]), NULL, append, &out, &messages), SHUNT_RULES_FAULT);
        ck_assert_uint_eq(out.length, 0);
        ck_assert(messages && shunt_messages_errors(messages) > 0);
        shunt_messages_free(messages);
        shunt_buffer_done(&out);
    }
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    static const char source[] = HEAD "## doc\nlet a = 1 # c\nlet bb = \"x {a}\"\ncodes { A \"a\" queue \"q\" }\n";
    for (size_t n = 1;; n++) {
        struct test_memory m;
        shunt_buffer       out;
        shunt_messages    *messages = NULL;
        test_memory_init(&m, n);
        shunt_buffer_init(&out, &shunt_memory_libc);
        shunt_allocator allocator = { m.memory.allocate, m.memory.resize, m.memory.release, m.memory.context };
        shunt_result    result = shunt_format("t.map", source, strlen(source), &allocator, append, &out, &messages);
        shunt_messages_free(messages);
        ck_assert_uint_eq(m.blocks, 0);
        ck_assert(result == SHUNT_DONE || (result == SHUNT_SYSTEM_FAULT && out.length == 0));
        shunt_buffer_done(&out);
        if (m.calls < n) break;
    }
}
END_TEST

/* ---- meaning ---- */

/* The main module from memory, everything else from disk. */
struct sources {
    const char *path, *text;
};

static int read_file(void *context, const shunt_allocator *allocator, const char *path, unsigned char **bytes, size_t *size)
{
    const struct sources *s = context;
    if (strcmp(path, s->path) == 0) {
        *size = strlen(s->text);
        *bytes = allocator->allocate(allocator->context, *size + 1);
        if (!*bytes) return 12;
        memcpy(*bytes, s->text, *size);
        return 0;
    }
    FILE *file = fopen(path, "rb");
    if (!file) return 2;
    *bytes = allocator->allocate(allocator->context, 1 << 20);
    *size = *bytes ? fread(*bytes, 1, 1 << 20, file) : 0;
    fclose(file);
    return *bytes ? 0 : 12;
}

/* The program as text without places, or why there is none. */
static char *meaning_of(const char *path, const char *text)
{
    struct sources        sources = { path, text };
    shunt_compile_options options = { .size = sizeof options, .read_file = read_file, .read_context = &sources };
    shunt_program        *program = NULL;
    shunt_messages       *messages = NULL;
    shunt_buffer          out;
    shunt_buffer_init(&out, &shunt_memory_libc);
    if (shunt_compile(path, &options, &program, &messages) == SHUNT_DONE)
        ck_assert_int_eq(shunt_disassemble(program, false, append, &out), SHUNT_DONE);
    else
        shunt_buffer_format(&out, "%zu errors", shunt_messages_errors(messages));
    shunt_buffer_char(&out, 0);
    shunt_messages_free(messages);
    shunt_release(program);
    return out.bytes;
}

/* The disassembly names the hash of each module's text; that differs, and nothing else may. */
static void forget_hashes(char *meaning)
{
    for (char *at = meaning; *at; at++) {
        size_t digits = strspn(at, "0123456789abcdef");
        if (digits >= 12 && (at == meaning || at[-1] == ' ')) memset(at, '#', digits);
        if (digits) at += digits - 1;
    }
}

static void keeps_its_meaning(const char *path, const char *text)
{
    char *layout = layout_of(path, text, strlen(text)), *again = layout_of(path, layout, strlen(layout));
    char *before = meaning_of(path, text), *after = meaning_of(path, layout);
    ck_assert_msg(strcmp(layout, again) == 0, "%s: the second time\n%s\nthe first time\n%s", path, again, layout);
    forget_hashes(before);
    forget_hashes(after);
    ck_assert_msg(strcmp(before, after) == 0, "%s: means something else as\n%s\nwas\n%s", path, layout, text);
    free(layout);
    free(again);
    free(before);
    free(after);
}

static char *read_whole(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = file ? calloc(1, 1 << 20) : NULL;
    ck_assert_msg(text && fread(text, 1, (1 << 20) - 1, file) > 0, "%s", path);
    fclose(file);
    return text;
}

START_TEST(files_of_the_project)
{
    char        root[] = SHUNT_ROOT;
    char *const roots[] = { root, NULL };
    FTS        *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    size_t      seen = 0;
    for (FTSENT *entry; (entry = fts_read(walk)) != NULL;) {
        if (entry->fts_info == FTS_D && (strncmp(entry->fts_name, "build", 5) == 0 || entry->fts_name[0] == '.') &&
            entry->fts_level > 0)
            fts_set(walk, entry, FTS_SKIP);
        size_t length = entry->fts_namelen;
        if (entry->fts_info != FTS_F || length < 4 || strcmp(entry->fts_name + length - 4, ".map") != 0) continue;
        char *text = read_whole(entry->fts_path);
        keeps_its_meaning(entry->fts_path, text);
        free(text);
        seen++;
    }
    fts_close(walk);
    ck_assert_msg(seen > 30, "%zu files", seen);
}
END_TEST

/* ---- generated programs ---- */

struct maker {
    uint64_t     state;
    shunt_buffer out;
    bool         commented; /* the last thing was a comment */
    unsigned     lets;      /* names a0, a1, ... in reach, all of them amounts */
};

static unsigned dice(struct maker *m, unsigned sides)
{
    m->state = m->state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(m->state >> 33) % sides;
}

/* A word, with anything before it that may stand there. */
static void put(struct maker *m, const char *word)
{
    static const char *const gaps[] = { " ",   " ", " ", " ", "  ", "\n", "\n\n\n", "\t", "   \n  ", " # said\n", "\n## told {\n",
                                        "\r\n" };
    bool                     tight = strchr(".,:)]?", word[0]) != NULL && dice(m, 3);
    shunt_buffer_z(&m->out, tight && !m->commented ? "" : gaps[dice(m, sizeof gaps / sizeof *gaps)]);
    m->commented = false;
    shunt_buffer_z(&m->out, word);
}

static void put_all(struct maker *m, const char *words)
{
    char copy[400], *rest = copy;
    snprintf(copy, sizeof copy, "%s", words);
    for (char *word; (word = strsep(&rest, " ")) != NULL;)
        if (*word) put(m, word);
}

static void put_number(struct maker *m, const char *format, unsigned number)
{
    char word[40];
    snprintf(word, sizeof word, format, number);
    put(m, word);
}

static void amount(struct maker *m, int depth);

static void condition(struct maker *m, int depth)
{
    static const char *const signs[] = { "=", "!=", "<", "<=", ">", ">=" };
    switch (depth > 0 ? dice(m, 6) : 5) {
    case 0:
        put_all(m, "not (");
        condition(m, depth - 1);
        put(m, ")");
        break;
    case 1:
    case 2:
        put(m, "(");
        condition(m, depth - 1);
        put(m, dice(m, 2) ? "and" : "or");
        condition(m, depth - 1);
        put(m, ")");
        break;
    case 3:
        amount(m, depth - 1);
        put_all(m, dice(m, 2) ? "in (" : "not\tin (");
        put(m, "1.00 USD");
        put(m, "..");
        put(m, "2,000.00 USD");
        put(m, ")");
        break;
    case 4: put_all(m, dice(m, 2) ? "row.note is present" : "row.note is not absent"); break;
    default:
        amount(m, depth - 1);
        put(m, signs[dice(m, 6)]);
        amount(m, depth - 1);
    }
}

static void amount(struct maker *m, int depth)
{
    switch (depth > 0 ? dice(m, 8) : dice(m, 2)) {
    case 0: put_number(m, "%u.50 USD", dice(m, 1000)); break;
    case 1:
        if (m->lets)
            put_number(m, "a%u", dice(m, m->lets));
        else
            put_all(m, "row . amount");
        break;
    case 2:
        put(m, "-");
        put(m, "(");
        amount(m, depth - 1);
        put(m, ")");
        break;
    case 3:
    case 4:
        put(m, "(");
        amount(m, depth - 1);
        put(m, dice(m, 2) ? "+" : "-");
        amount(m, depth - 1);
        put(m, ")");
        break;
    case 5:
        put_all(m, "( if");
        condition(m, depth - 1);
        put(m, "then");
        amount(m, depth - 1);
        put(m, "else");
        amount(m, depth - 1);
        put(m, ")");
        break;
    case 6:
        put_all(m, "( match row.code { when");
        put_all(m, dice(m, 2) ? "\"A\" or \"B\" =>" : "\"C\" =>");
        amount(m, depth - 1);
        put_all(m, "else =>");
        amount(m, depth - 1);
        put_all(m, "} )");
        break;
    default:
        put_all(m, dice(m, 2) ? "max (" : "twice (");
        amount(m, depth - 1);
        put(m, ",");
        amount(m, depth - 1);
        put(m, ")");
    }
}

static void text(struct maker *m)
{
    switch (dice(m, 3)) {
    case 0: put(m, "\"plain\""); break;
    case 1: put(m, "\"of {row.code} is { row . amount+1.00 USD }\""); break;
    default: put_all(m, "row.note otherwise \"-\"");
    }
}

static void statements(struct maker *m, int depth);

static void statement(struct maker *m, int depth)
{
    unsigned lets = m->lets;
    switch (depth > 0 ? dice(m, 7) : dice(m, 3)) {
    case 0:
        put(m, "let");
        put_number(m, "a%u", lets);
        if (dice(m, 4) == 0) put_all(m, ": money( USD )");
        put(m, "=");
        amount(m, 3);
        m->lets = lets + 1;
        return;
    case 1:
        put_all(m, "emit out { id : row.id");
        put_all(m, "said:");
        text(m);
        put_all(m, "amount :");
        amount(m, 2);
        put(m, "}");
        break;
    case 2:
        put_all(m, "quarantine BAD");
        put(m, "\"is {row.code}\"");
        put(m, "when");
        condition(m, 2);
        break;
    case 3:
        put(m, "if");
        condition(m, 2);
        statements(m, depth - 1);
        m->lets = lets;
        if (dice(m, 2)) {
            put(m, "else");
            statements(m, depth - 1);
        }
        break;
    case 4:
        put_all(m, "match row.code { when \"A\" or \"BB\" =>");
        statements(m, depth - 1);
        m->lets = lets;
        put_all(m, "when \"C\" =>");
        statements(m, depth - 1);
        m->lets = lets;
        put_all(m, "else =>");
        statements(m, depth - 1);
        put(m, "}");
        break;
    case 5:
        put(m, "check");
        condition(m, 3);
        put_all(m, "else quarantine BAD");
        break;
    default:
        put_all(m, "journal gl { key row.id");
        put_all(m, dice(m, 2) ? "date : 2025-03-01 negatives: flip" : "negatives: flip date: 2025-03-01");
        put_all(m, "debit \"1000\"");
        put_all(m, "( row.amount");
        put_all(m, ") debit accounts.cash -");
        put_all(m, "row.amount with ( why : row.code ) credit \"2000\" remainder }");
    }
    m->lets = lets;
}

static void statements(struct maker *m, int depth)
{
    put(m, "{");
    for (unsigned n = 1 + dice(m, 3); n; n--) statement(m, depth);
    put(m, "}");
}

static char *program_of(uint64_t seed)
{
    struct maker m = { .state = seed * 2654435761u + 1 };
    shunt_buffer_init(&m.out, &shunt_memory_libc);
    put_all(&m, "module t.made version \"1\" edition 1");
    put_all(
        &m,
        "source bank is CSV { separator : \",\" currency: USD column id : text( 10 ) column code: text(3) column amount: money");
    put_all(&m, "column note: text(30)? }");
    put_all(&m, "codes { BAD \"bad\" queue \"q\"  RULE");
    put(&m, "\"a rule\"");
    put_all(&m, "queue \"q\" ack \"AE\" }");
    put_all(&m, "enum lane { one , two }");
    put_all(&m, "function twice ( a : money(USD) , b: money(USD) ) -> money(USD) { let c = a + b return c + c }");
    put_all(&m, "target gl is journal { date: date column why: text(3)? accepts phi none }");
    put_all(&m, "target out { id : text(10) said: text(80) amount: money(USD) key id }");
    put_all(&m, "table books { key name: text(4) column cash : account }");
    put_all(&m, "map post from bank into gl, out { on error quarantine RULE for each row in rows {");
    put_all(&m, "let accounts = books [ \"main\" ] otherwise quarantine BAD");
    for (unsigned n = 1 + dice(&m, 5); n; n--) statement(&m, 3);
    put_all(&m, "emit out { id: row.id said: \"end\" amount: row.amount } } }");
    put_all(&m, "test \"none\" { with table books { ( name: \"main\" , cash : \"1\" ) ( name:\"b\", cash: \"22\" ) }");
    put(&m, "given bank \"\"\"\n      id,code,amount,note\n   \"\"\"");
    put_all(&m, "expect nothing }");
    shunt_buffer_z(&m.out, dice(&m, 2) ? "\n# end" : "");
    shunt_buffer_char(&m.out, 0);
    return m.out.bytes;
}

static size_t count_of(const char *text, const char *piece)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, piece)) != NULL; at++) count++;
    return count;
}

START_TEST(generated_programs)
{
    size_t compiled = 0;
    for (uint64_t seed = 1; seed <= PROGRAMS; seed++) {
        char *text_ = program_of(seed), *layout = layout_of("made.map", text_, strlen(text_)),
             *meaning = meaning_of("made.map", layout);
        compiled += strstr(meaning, " errors") == NULL;
        ck_assert_uint_eq(count_of(text_, "# said"), count_of(layout, "# said"));
        ck_assert_uint_eq(count_of(text_, "## told {"), count_of(layout, "## told {"));
        keeps_its_meaning("made.map", text_);
        free(text_);
        free(layout);
        free(meaning);
    }
    ck_assert_msg(compiled == PROGRAMS, "%zu of %d programs compile", compiled, PROGRAMS);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("format");
    TCase *tc = tcase_create("all");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, case_of_the_table, 0, (int)(sizeof cases / sizeof *cases));
    tcase_add_test(tc, mistakes_are_told_and_nothing_is_written);
    tcase_add_test(tc, every_allocation_may_fail);
    tcase_add_test(tc, files_of_the_project);
    tcase_add_test(tc, generated_programs);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
