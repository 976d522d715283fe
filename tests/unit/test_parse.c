/* The parser beyond its cases: the bytes of a file, bounds, spans, failing memory, and every file cut or with a word left out. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "dsl/excerpt.h"
#include "grammar/parse.h"
#include "tests/support/test_memory.h"

/* One of each construct. */
static const char tour[] =
    "## The module.\n"
    "module acme.tour version \"1.0.0\" edition 1\n"
    "import \"lib/gl.map\" as lib\n"
    "open let grace: decimal(5, 2) = 2.50\n"
    "enum side { payer, `queue` }\n"
    "codes { LATE \"late\" queue \"x\" ack \"999:R\" }\n"
    "source bank is CSV { separator: \",\"  key at 1..2  on error quarantine LATE\n"
    "  record row when \"1\" or \"2\" { column paid at 2: date as \"YYMMDD\" \"when\" } }\n"
    "source dft is HL7 \"DFT^P03\" { segment ZFT after FT1 { 1: text(12)? \"local\" } }\n"
    "table rates { from \"r.csv\"  key a: text(3) by prefix  effective f through t  column r: money(USD) }\n"
    "target gl is journal { date: date  column memo: text(4)? = \"x\"  balance by date  accounts from rates  accepts phi name }\n"
    "target out { a: list of side max 5  key a  check a > 1 else reject LATE\n"
    "  encode x12 810 { segment BIG for each x in y { 2.1: x }  to \"A.b\": 3  column a at 1 as \"N2\" } }\n"
    "function f(a: int, b: date?) -> int { let c = a return c }\n"
    "decide band(a: int) -> side first { when <= 3 or -5% .. -2%, any => payer else => quarantine LATE \"no {a}\" }\n"
    "extern function npi(a: text(3)) -> bool may fail cost 4 from \"lib\"\n"
    "map m from bank, dft into gl, out {\n"
    "  correlate by TRN02\n"
    "  tally t: money(USD) per file by c.d limit 4 of c.CLP04 for each c in 2100 where c.x = 1\n"
    "  at start { skip }\n"
    "  for each c in 2100 where CLP02 not in (\"1\", \"3\"..\"5\") {\n"
    "    let x = 1000A.REF[\"2U\"].REF02 otherwise SVC01-2 cleared \"a{PID-3.1}b\" noting LATE\n"
    "    let y = match x { when absent => max(1, 2) else => sum(a.b for each a in l) }\n"
    "    if x is not absent and not (y = 2) { add 1 to t[x, any_of(x)] } else if a { skip } else { warn whole file lib.LATE }\n"
    "    step \"post\" {\n"
    "      journal gl with (memo: \"m\") {\n"
    "        key TRN02, rates[x, any at 2025-03-31].r\n"
    "        negatives: flip\n"
    "        match y { when 1 => { nothing } else => { debit (\"1\" + \"2\") -1.00 USD * 2.5% with (memo: x) when a } }\n"
    "        credit lib.ar remainder\n"
    "      }\n"
    "      emit out { a: for each z in l { b: 1 + 30 days } c: { d: [1, 2][0] } }\n"
    "    }\n"
    "  }\n"
    "  at end of file { check t = 1 else quarantine LATE \"{t}\" }\n"
    "}\n"
    "overlay o of acme.tour when a.b = 1 { replace let grace = 1  exceptions to band { when 1 => payer }  before \"post\" { skip "
    "} }\n"
    "with table rates { (a: \"x\", r: 1,000.00 USD) }\n"
    "test \"one\" {\n"
    "  given bank row \"\"\"\n"
    "    1,2\n"
    "  \"\"\"\n"
    "  expect journal gl { debit \"1\" 1.00 USD }\n"
    "  expect ack \"AA\"\n"
    "}\n"
    "golden \"a\" into \"b\"\n";

struct parsed {
    shunt_arena *arena;
    shunt_diags  diags;
    shunt_ast   *module;
    shunt_status status;
    char        *copy; /* of exactly the size, so that the sanitizers see every byte read beyond it */
};

static void parse(struct parsed *r, const shunt_memory *memory, const char *bytes, size_t length)
{
    memset(r, 0, sizeof *r);
    r->copy = malloc(length ? length : 1);
    memcpy(r->copy, bytes, length);
    r->status = SHUNT_NO_MEMORY;
    r->arena = shunt_arena_new(memory, 0);
    if (!r->arena) return;
    shunt_diags_init(&r->diags, r->arena);
    r->status = shunt_parse_module(memory, r->arena, &r->diags, 0, (shunt_text){ r->copy, (uint32_t)length }, &r->module);
}

static void done(struct parsed *r)
{
    shunt_arena_free(r->arena);
    free(r->copy);
}

/* Check writes a record for every assertion, which thousands of files with thousands of nodes can not afford. */
#define REQUIRE(condition)                                                                                                       \
    do {                                                                                                                         \
        if (!(condition)) ck_abort_msg("%s", #condition);                                                                        \
    } while (0)

static bool is_sound(shunt_ast *node, void *context)
{
    size_t length = *(const size_t *)context;
    REQUIRE(node->kind < SHUNT_AST_COUNT);
    REQUIRE(node->span.begin <= node->span.end && node->span.end <= length);
    REQUIRE(node->height <= SHUNT_AST_HEIGHT);
    for (uint32_t i = 0; i < node->kid_count; i++) REQUIRE(!node->kids[i] || node->kids[i]->height < node->height);
    return true;
}

/* The tree is whole, each span lies in the file, and all of it prints. */
static void check_sound(struct parsed *r, size_t length)
{
    shunt_buffer          out;
    shunt_excerpt_source  item = { SHUNT_TEXT("f"), { r->copy, (uint32_t)length } };
    shunt_excerpt_sources sources = { &item, 1 };
    shunt_buffer_init(&out, &shunt_memory_libc);
    REQUIRE(r->status == SHUNT_OK);
    REQUIRE(r->module && r->module->kind == SHUNT_AST_MODULE);
    shunt_ast_walk(r->module, is_sound, &length);
    shunt_ast_dump(r->module, &out);
    shunt_diags_sort(&r->diags);
    for (uint32_t i = 0; i < r->diags.count; i++) {
        shunt_excerpt(&sources, &r->diags.items[i], &out);
        shunt_excerpt_json(&sources, &r->diags.items[i], &out);
        for (uint32_t k = 0; k < r->diags.items[i].label_count; k++) REQUIRE(r->diags.items[i].labels[k].span.end <= length);
    }
    REQUIRE(!out.failed);
    shunt_buffer_done(&out);
}

static bool has_code(const struct parsed *r, shunt_status code)
{
    for (uint32_t i = 0; i < r->diags.count; i++)
        if (r->diags.items[i].code == code) return true;
    return false;
}

START_TEST(tour_parses)
{
    struct parsed r;
    parse(&r, &shunt_memory_libc, tour, sizeof tour - 1);
    check_sound(&r, sizeof tour - 1);
    ck_assert_uint_eq(r.diags.count, 0);
    ck_assert_uint_eq(r.module->kids[SHUNT_MODULE_decls]->kid_count, 17);
    ck_assert(shunt_text_is(r.module->doc, "The module."));
    done(&r);
}
END_TEST

/* Each declaration's span is its text, without what stands around it. */
START_TEST(spans_hold_the_construct_alone)
{
    static const char source[] = "module t version \"1\"\n\n  # c\n open let a = (1 + 2)  # d\n\nlet b: int = f( x )\n";
    struct parsed     r;
    parse(&r, &shunt_memory_libc, source, sizeof source - 1);
    const shunt_ast *decls = r.module->kids[SHUNT_MODULE_decls], *a = decls->kids[0], *b = decls->kids[1];
    ck_assert(shunt_text_is((shunt_text){ r.copy + a->span.begin, a->span.end - a->span.begin }, "open let a = (1 + 2)"));
    ck_assert(shunt_text_is((shunt_text){ r.copy + b->span.begin, b->span.end - b->span.begin }, "let b: int = f( x )"));
    const shunt_ast *sum = a->kids[SHUNT_LET_value], *type = b->kids[SHUNT_LET_type];
    ck_assert(shunt_text_is((shunt_text){ r.copy + sum->span.begin, sum->span.end - sum->span.begin }, "1 + 2"));
    ck_assert(shunt_text_is((shunt_text){ r.copy + type->span.begin, type->span.end - type->span.begin }, "int"));
    done(&r);
}
END_TEST

/* ---- damaged files ---- */

enum { FEW = 8 /* messages about one slip at most */ };

static void try_prefixes(const char *text, size_t length, size_t step)
{
    for (size_t end = 0; end <= length; end += step) {
        struct parsed r;
        parse(&r, &shunt_memory_libc, text, end);
        check_sound(&r, end);
        REQUIRE(r.diags.count <= FEW);
        done(&r);
    }
}

static bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

/* Leaves out each word and sign in turn. */
static void try_deletions(const char *text, size_t length)
{
    char *copy = malloc(length);
    for (size_t at = 0, end; at < length; at = end) {
        end = at + 1;
        if (is_word(text[at]))
            while (end < length && is_word(text[end])) end++;
        if (strchr(" \t\r\n", text[at])) continue;
        memcpy(copy, text, at);
        memcpy(copy + at, text + end, length - end);
        struct parsed r;
        parse(&r, &shunt_memory_libc, copy, length - (end - at));
        check_sound(&r, length - (end - at));
        done(&r);
    }
    free(copy);
}

START_TEST(every_prefix_is_explained) { try_prefixes(tour, sizeof tour - 1, 1); }
END_TEST

START_TEST(every_word_may_be_missing) { try_deletions(tour, sizeof tour - 1); }
END_TEST

/* Bytes exchanged at random, by a generator of our own so that each run is the same. */
START_TEST(noise_is_explained)
{
    static const char marks[] = "{}()[]\"\"\"\\,.:=<>|*-+;#`'\n\n &!?%aA0_\x80\xE2";
    uint32_t          seed = 1;
    char             *copy = malloc(sizeof tour);
    for (int round = 0; round < 3000; round++) {
        memcpy(copy, tour, sizeof tour);
        for (int i = 0; i < 1 + round % 12; i++) {
            seed = seed * 1664525u + 1013904223u;
            copy[(seed >> 8) % (sizeof tour - 1)] = marks[(seed >> 3) % (sizeof marks - 1)];
        }
        struct parsed r;
        parse(&r, &shunt_memory_libc, copy, sizeof tour - 1);
        check_sound(&r, sizeof tour - 1);
        done(&r);
    }
    free(copy);
}
END_TEST

/* ---- the bytes of the file ---- */

static const struct {
    const char  *name, *text;
    uint32_t     line, column; /* 0: no diagnostic */
    shunt_status code;
} files[] = {
    { "mark at the beginning", "\xEF\xBB\xBFmodule t version \"1\"\n", 0, 0, SHUNT_OK },
    { "line ends of two bytes", "module t version \"1\"\r\nlet a = 1\r\n", 0, 0, SHUNT_OK },
    { "no line end at the end", "module t version \"1\" let a = 1.00 USD", 0, 0, SHUNT_OK },
    { "comment at the end", "module t version \"1\" # x", 0, 0, SHUNT_OK },
    { "Latin 1", "module t version \"1\"\n# caf\xE9\nlet a = \"\xE9\"\n", 2, 6, SHUNT_E0108 },
    { "overlong", "module t version \"1\"\nlet a = \"\xC0\xAF\"\n", 2, 10, SHUNT_E0108 },
    { "surrogate", "module t version \"1\"\nlet a = \"\xED\xA0\x80\"\n", 2, 10, SHUNT_E0108 },
    { "control character", "module t version \"1\"\nlet a = \"b\x01\"\n", 2, 11, SHUNT_E0108 },
    { "delete", "module t version \"1\"\nlet a = 1 \x7F\n", 2, 11, SHUNT_E0108 },
    { "C1 control", "module t version \"1\"\nlet a = 1 # \xC2\x85\n", 2, 13, SHUNT_E0108 },
    { "blank without width", "module t version \"1\"\nlet a\xE2\x80\x8B = 1\n", 2, 6, SHUNT_E0108 },
    { "change of direction", "module t version \"1\"\nlet a = \"\xE2\x80\xAE\"\n", 2, 10, SHUNT_E0108 },
    { "mark in the middle", "module t version \"1\"\nlet a = 1 \xEF\xBB\xBF\n", 2, 11, SHUNT_E0108 },
    { "wide characters count once", "module t version \"1\"\nlet a = \"\xE2\x82\xAC\" \"\"\n", 2, 13, SHUNT_E0101 },
};

START_TEST(bytes_are_checked_first)
{
    struct parsed r;
    uint32_t      line = 0, column = 0;
    size_t        length = strlen(files[_i].text);
    parse(&r, &shunt_memory_libc, files[_i].text, length);
    check_sound(&r, length);
    ck_assert_msg(r.diags.count == (files[_i].line ? 1u : 0u), "%s: %u messages", files[_i].name, r.diags.count);
    if (files[_i].line) {
        ck_assert_msg(r.diags.items[0].code == files[_i].code, "%s", files[_i].name);
        shunt_excerpt_place((shunt_text){ r.copy, (uint32_t)length }, r.diags.items[0].labels[0].span.begin, &line, &column);
        ck_assert_msg(line == files[_i].line && column == files[_i].column, "%s: %u:%u", files[_i].name, line, column);
    }
    done(&r);
}
END_TEST

START_TEST(nul_is_a_control_character)
{
    static const char source[] = "module t version \"1\"\nlet a = 1\0let b = 2\n";
    struct parsed     r;
    parse(&r, &shunt_memory_libc, source, sizeof source - 1);
    check_sound(&r, sizeof source - 1);
    ck_assert_uint_eq(r.diags.count, 1);
    ck_assert_int_eq(r.diags.items[0].code, SHUNT_E0108);
    ck_assert_uint_eq(r.module->kids[SHUNT_MODULE_decls]->kid_count, 2);
    done(&r);
}
END_TEST

/* ---- bounds ---- */

struct text {
    char  *bytes;
    size_t length;
};

static struct text repeated(const char *before, const char *piece, size_t times, const char *after)
{
    size_t      head = strlen(before), size = strlen(piece), tail = strlen(after);
    struct text t = { malloc(head + size * times + tail), head + size * times + tail };
    memcpy(t.bytes, before, head);
    for (size_t i = 0; i < times; i++) memcpy(t.bytes + head + i * size, piece, size);
    memcpy(t.bytes + head + size * times, after, tail);
    return t;
}

#define HEADER "module t version \"1\"\n"

static const struct {
    const char *name, *before, *piece, *after;
    size_t      fine, beyond; /* repeats that are read, and that are E0912 */
} bounds[] = {
    { "parentheses", HEADER "let a = ", "(", "1", 0, 201 },
    { "brackets", HEADER "let a = ", "[", "1", 0, 4000 },
    { "holes", HEADER "let a = ", "\"{", "1", 0, 300 },
    { "signs", HEADER "let a = ", "- ", "1", 500, 60000 },
    { "sums", HEADER "let a = 1", " + 1", "", 900, 100000 },
    { "choices", HEADER "let a = ", "if a then b else ", "1", 200, 60000 },
    { "member after member", HEADER "let a = b", ".c", "", 900, 100000 },
    { "look-up after look-up", HEADER "let a = b", "[1]", "", 900, 100000 },
    { "else if", HEADER "map m from a into b { at end { if a { skip }", " else if a { skip }", " } }", 150, 30000 },
    { "letters of a name", HEADER "let ", "a", " = 1", 255, 256 },
};

START_TEST(bounds_hold)
{
    struct parsed r;
    struct text   t = repeated(bounds[_i].before, bounds[_i].piece, bounds[_i].fine, bounds[_i].after);
    if (bounds[_i].fine) {
        parse(&r, &shunt_memory_libc, t.bytes, t.length);
        check_sound(&r, t.length);
        ck_assert_msg(r.diags.count == 0, "%s: %u messages", bounds[_i].name, r.diags.count);
        done(&r);
    }
    free(t.bytes);
    t = repeated(bounds[_i].before, bounds[_i].piece, bounds[_i].beyond, bounds[_i].after);
    parse(&r, &shunt_memory_libc, t.bytes, t.length);
    check_sound(&r, t.length);
    ck_assert_msg(r.diags.count == 1 && r.diags.items[0].code == SHUNT_E0912, "%s: %u messages", bounds[_i].name, r.diags.count);
    done(&r);
    free(t.bytes);
}
END_TEST

START_TEST(two_hundred_brackets_are_fine)
{
    struct text   open = repeated(HEADER "let a = ", "(", 200, "1"), all = repeated("", ")", 200, "\n");
    size_t        length = open.length + all.length;
    struct parsed r;
    open.bytes = realloc(open.bytes, length);
    memcpy(open.bytes + open.length, all.bytes, all.length);
    parse(&r, &shunt_memory_libc, open.bytes, length);
    check_sound(&r, length);
    ck_assert_uint_eq(r.diags.count, 0);
    done(&r);
    free(open.bytes);
    free(all.bytes);
}
END_TEST

START_TEST(a_file_has_at_most_four_mebibytes)
{
    struct text   t = repeated(HEADER, "# comment\n", 420000, "let a = 1\n");
    struct parsed r;
    parse(&r, &shunt_memory_libc, t.bytes, t.length);
    check_sound(&r, t.length);
    ck_assert(has_code(&r, SHUNT_E0912));
    ck_assert_uint_eq(r.diags.count, 1);
    done(&r);
    parse(&r, &shunt_memory_libc, t.bytes, 4 * 1024 * 1024);
    ck_assert_int_eq(r.status, SHUNT_OK);
    ck_assert_uint_le(r.diags.count, 1);
    done(&r);
    free(t.bytes);
}
END_TEST

/* A file of mistakes alone ends after a bounded number of them. */
START_TEST(mistakes_are_bounded)
{
    static const char *const pieces[] = { "@ x\n",     "let\n",       ")\n",         "\"\n",   "\"{\n", "1 2 3\n",
                                          "map m {\n", "2025-99-99 ", "x = 1,000\n", "a\xFF ", "'a' " };
    for (size_t i = 0; i < SHUNT_COUNT(pieces); i++) {
        struct text   t = repeated(HEADER, pieces[i], 20000, "");
        struct parsed r;
        parse(&r, &shunt_memory_libc, t.bytes, t.length);
        ck_assert_int_eq(r.status, SHUNT_OK);
        ck_assert_uint_ge(r.diags.errors, 1);
        ck_assert_uint_le(r.diags.errors, 1100);
        done(&r);
        free(t.bytes);
    }
}
END_TEST

/* ---- memory ---- */

static void fail_every_call(const char *text, size_t length)
{
    size_t failures = 0;
    for (size_t n = 1;; n++) {
        struct test_memory memory;
        struct parsed      r;
        test_memory_init(&memory, n);
        memory.fail_on = n % 2; /* only this call, or all from it on */
        parse(&r, &memory.memory, text, length);
        bool reached = memory.calls >= n;
        if (r.status != SHUNT_OK) ck_assert_int_eq(r.status, SHUNT_NO_MEMORY);
        failures += r.status != SHUNT_OK;
        done(&r);
        ck_assert_msg(memory.blocks == 0, "call %zu: %zu blocks are lost", n, memory.blocks);
        if (!reached) break;
        ck_assert_msg(r.status == SHUNT_NO_MEMORY, "call %zu failed, and nobody noticed", n);
    }
    ck_assert_uint_ge(failures, 5);
}

START_TEST(no_memory_is_a_status)
{
    struct text long_one = repeated(HEADER, "let a = f(1) + \"b {c}\"\n## doc\nlet d = \"e\\n\"\n", 400, "");
    struct text bad_one = repeated(HEADER, "let a = (f 1) ++ \"b {c\"\nlet = 1,000\n", 40, "");
    fail_every_call(tour, sizeof tour - 1);
    fail_every_call(long_one.bytes, long_one.length);
    fail_every_call(bad_one.bytes, bad_one.length);
    free(long_one.bytes);
    free(bad_one.bytes);
}
END_TEST

/* ---- the project's sample maps, where they are ---- */

static const char *const samples[] = { "remit_gl_core",   "remit_gl",        "claim_ar", "dft_charges",
                                       "fhir_invoice_ar", "three_way_match", "tour" };

static struct text read_sample(const char *name)
{
    struct text t = { NULL, 0 };
    char        path[4096];
    const char *shared = getenv("SHUNT_SHARED");
    snprintf(path, sizeof path, "%s/design/samples/%s.map", shared ? shared : SHUNT_ROOT "/../shared", name);
    FILE *file = fopen(path, "rb");
    if (!file) {
        fprintf(stderr, "SKIPPED: %s is not there (set SHUNT_SHARED)\n", path);
        return t;
    }
    t.bytes = malloc(1 << 20);
    t.length = fread(t.bytes, 1, 1 << 20, file);
    fclose(file);
    return t;
}

START_TEST(samples_parse)
{
    struct text   t = read_sample(samples[_i]);
    struct parsed r;
    if (!t.bytes) return;
    parse(&r, &shunt_memory_libc, t.bytes, t.length);
    check_sound(&r, t.length);
    ck_assert_msg(r.diags.count == 0, "%s: %u messages", samples[_i], r.diags.count);
    done(&r);
    try_prefixes(t.bytes, t.length, 37);
    if (t.length < 8000) try_deletions(t.bytes, t.length);
    free(t.bytes);
}
END_TEST

START_TEST(keywords_are_known)
{
    ck_assert(shunt_is_keyword(SHUNT_TEXT("absent")));
    ck_assert(shunt_is_keyword(SHUNT_TEXT("with")));
    ck_assert(shunt_is_keyword(SHUNT_TEXT("journal")));
    ck_assert(!shunt_is_keyword(SHUNT_TEXT("Journal")));
    ck_assert(!shunt_is_keyword(SHUNT_TEXT("journals")));
    ck_assert(!shunt_is_keyword(SHUNT_TEXT("")));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("parse");
    TCase *group = tcase_create("parse");
    tcase_set_timeout(group, 300);
    tcase_add_test(group, tour_parses);
    tcase_add_test(group, spans_hold_the_construct_alone);
    tcase_add_test(group, every_prefix_is_explained);
    tcase_add_test(group, every_word_may_be_missing);
    tcase_add_test(group, noise_is_explained);
    tcase_add_loop_test(group, bytes_are_checked_first, 0, (int)SHUNT_COUNT(files));
    tcase_add_test(group, nul_is_a_control_character);
    tcase_add_loop_test(group, bounds_hold, 0, (int)SHUNT_COUNT(bounds));
    tcase_add_test(group, two_hundred_brackets_are_fine);
    tcase_add_test(group, a_file_has_at_most_four_mebibytes);
    tcase_add_test(group, mistakes_are_bounded);
    tcase_add_test(group, no_memory_is_a_status);
    tcase_add_loop_test(group, samples_parse, 0, (int)SHUNT_COUNT(samples));
    tcase_add_test(group, keywords_are_known);
    suite_add_tcase(suite, group);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
