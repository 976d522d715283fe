/* Decisions against counting: on small tables of random rows every value is tried, and what the checker says of overlaps, dead rows
 * and gaps, and what the compiled decision answers, must be what counting says. Tables of a thousand rows take bounded time. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "dsl/decide.h"
#include "dsl/emit.h"
#include "engine/vm/decision.h"
#include "grammar/parse.h"
#include "tests/support/test_memory.h"

enum { VALUES = 13 /* of each column: absent, -2 .. 9, more than any row names */, ROWS = 6, COLUMNS = 3, TABLES = 3000 };

/* ---- random tables ---- */

struct cell {
    bool takes[VALUES];
    char text[80];
};
struct table {
    bool        first;
    uint32_t    rows, columns;
    struct cell cells[ROWS][COLUMNS];
    bool        otherwise;
};

static uint32_t seed;
static uint32_t roll(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 16) % below;
}

/* Value v of a column: 0 absent, else the number v - 3. Rows name -1 to 8. */
static void random_cell(struct cell *cell)
{
    int low = (int)roll(7) - 1, high = low + (int)roll(4);
    memset(cell, 0, sizeof *cell);
    switch (roll(7)) {
    case 0:
        snprintf(cell->text, sizeof cell->text, "any");
        for (int v = 0; v < VALUES; v++) cell->takes[v] = true;
        return;
    case 1:
        snprintf(cell->text, sizeof cell->text, "absent or %d", low);
        cell->takes[0] = cell->takes[low + 3] = true;
        return;
    case 2:
        snprintf(cell->text, sizeof cell->text, "< %d or %d", low, high > 5 ? 5 : high);
        for (int v = 1; v < VALUES; v++) cell->takes[v] = v - 3 < low || v - 3 == (high > 5 ? 5 : high);
        return;
    case 3:
        snprintf(cell->text, sizeof cell->text, ">= %d", low);
        for (int v = 1; v < VALUES; v++) cell->takes[v] = v - 3 >= low;
        return;
    case 4:
        snprintf(cell->text, sizeof cell->text, "> %d or absent", low);
        for (int v = 1; v < VALUES; v++) cell->takes[v] = v - 3 > low;
        cell->takes[0] = true;
        return;
    case 5:
        snprintf(cell->text, sizeof cell->text, "%d .. %d", low, high);
        for (int v = 1; v < VALUES; v++) cell->takes[v] = v - 3 >= low && v - 3 <= high;
        return;
    default:
        snprintf(cell->text, sizeof cell->text, "<= %d", low);
        for (int v = 1; v < VALUES; v++) cell->takes[v] = v - 3 <= low;
        return;
    }
}

static void random_table(struct table *t, bool first)
{
    t->first = first;
    t->rows = 1 + roll(ROWS);
    t->columns = 1 + roll(COLUMNS);
    t->otherwise = roll(2);
    for (uint32_t r = 0; r < t->rows; r++)
        for (uint32_t c = 0; c < t->columns; c++) random_cell(&t->cells[r][c]);
}

static void write_table(const struct table *t, char *out, size_t size)
{
    size_t at = (size_t)snprintf(out, size, "module m.x version \"1\"\ndecide d(");
    for (uint32_t c = 0; c < t->columns; c++) at += (size_t)snprintf(out + at, size - at, "%sc%u: int?", c ? ", " : "", c);
    at += (size_t)snprintf(out + at, size - at, ") -> int %s {\n", t->first ? "first" : "unique");
    for (uint32_t r = 0; r < t->rows; r++) {
        at += (size_t)snprintf(out + at, size - at, "  when ");
        for (uint32_t c = 0; c < t->columns; c++)
            at += (size_t)snprintf(out + at, size - at, "%s%s", c ? ", " : "", t->cells[r][c].text);
        at += (size_t)snprintf(out + at, size - at, " => %u\n", r);
    }
    if (t->otherwise) at += (size_t)snprintf(out + at, size - at, "  else => 99\n");
    snprintf(out + at, size - at, "}\n");
}

/* ---- counting ---- */

static uint32_t inputs(const struct table *t)
{
    uint32_t n = 1;
    for (uint32_t c = 0; c < t->columns; c++) n *= VALUES;
    return n;
}

static bool fits(const struct table *t, uint32_t row, uint32_t input)
{
    for (uint32_t c = 0; c < t->columns; c++, input /= VALUES)
        if (!t->cells[row][c].takes[input % VALUES]) return false;
    return true;
}

static uint32_t answer(const struct table *t, uint32_t input)
{
    for (uint32_t row = 0; row < t->rows; row++)
        if (fits(t, row, input)) return row;
    return UINT32_MAX;
}

static bool overlaps(const struct table *t)
{
    for (uint32_t i = 0; i < inputs(t); i++)
        for (uint32_t row = 0, found = 0; row < t->rows; row++) {
            found += fits(t, row, i);
            if (found > 1) return true;
        }
    return false;
}

static bool dead_row(const struct table *t)
{
    for (uint32_t row = 0; row < t->rows; row++) {
        bool reached = false;
        for (uint32_t i = 0; i < inputs(t) && !reached; i++) reached = answer(t, i) == row;
        if (!reached) return true;
    }
    return false;
}

static bool gap(const struct table *t)
{
    for (uint32_t i = 0; i < inputs(t); i++)
        if (answer(t, i) == UINT32_MAX) return true;
    return false;
}

/* ---- compiling ---- */

struct compiled {
    shunt_arena      *arena;
    shunt_diags       diags;
    shunt_module_info module;
    shunt_compilation compilation;
};

static void compile(struct compiled *c, const char *source)
{
    memset(c, 0, sizeof *c);
    c->arena = shunt_arena_new(&shunt_memory_libc, 0);
    ck_assert_ptr_nonnull(c->arena);
    shunt_diags_init(&c->diags, c->arena);
    c->module = (shunt_module_info){ .name = SHUNT_TEXT("d.map"), .file = SHUNT_TEXT("d.map"), .source = shunt_text_of(source) };
    ck_assert_int_eq(shunt_parse_module(&shunt_memory_libc, c->arena, &c->diags, 0, c->module.source, &c->module.tree), SHUNT_OK);
    c->compilation = (shunt_compilation){
        .memory = &shunt_memory_libc, .arena = c->arena, .diags = &c->diags, .modules = &c->module, .module_count = 1
    };
    ck_assert_int_eq(shunt_check(&c->compilation), SHUNT_OK);
}

static bool said(const struct compiled *c, shunt_status code)
{
    for (uint32_t i = 0; i < c->diags.count; i++)
        if (c->diags.items[i].code == code) return true;
    return false;
}

static const shunt_decide *decision_of(const struct compiled *c)
{
    for (uint32_t i = 0; i < c->compilation.symbol_count; i++)
        if (c->compilation.symbols[i]->kind == SHUNT_SYMBOL_FUNCTION) return c->compilation.symbols[i]->as.function.decide;
    ck_abort_msg("no decision");
    return NULL;
}

/* The gaps together are the values that no row takes, each once. */
static void check_gaps(const struct table *t, const struct compiled *c, const char *source)
{
    shunt_decide_covered covered;
    shunt_decide_gaps    gaps;
    const shunt_decide  *d = decision_of(c);
    ck_assert_int_eq(shunt_decide_find_gaps(&shunt_memory_libc, c->arena, d, UINT32_MAX, 10000, &covered, &gaps), SHUNT_OK);
    ck_assert(!gaps.more);
    for (uint32_t i = 0; i < inputs(t); i++) {
        uint32_t in = 0;
        for (uint32_t g = 0; g < gaps.count; g++) {
            bool     inside = true;
            uint32_t rest = i;
            for (uint32_t col = 0; col < t->columns; col++, rest /= VALUES) {
                const shunt_decide_column *column = &d->columns[col];
                uint32_t                   set = SHUNT_DECIDE_OTHERS;
                __int128                   number = (int)(rest % VALUES) - 3;
                for (uint32_t p = 0; p < column->point_count; p++) {
                    if (column->points[p].number == number) set = 2 * p + 3;
                    if (column->points[p].number < number) set = 2 * p + 4;
                }
                if (rest % VALUES == 0) set = SHUNT_DECIDE_ABSENT;
                inside = inside && gaps.items[g].sets[col][set];
            }
            in += inside;
        }
        ck_assert_msg(in == (answer(t, i) == UINT32_MAX), "input %u stands in %u gaps of\n%s", i, in, source);
    }
}

static void check_answers(const struct table *t, struct compiled *c, const char *source)
{
    shunt_program flat, *program;
    shunt_buffer  bytes;
    char          why[200] = "";
    ck_assert_int_eq(shunt_emit(&c->compilation, NULL, 0, &flat), SHUNT_OK);
    shunt_buffer_init(&bytes, &shunt_memory_libc);
    ck_assert_int_eq(shunt_program_save(&flat, &bytes), SHUNT_OK);
    ck_assert_msg(shunt_program_load(&shunt_memory_libc, (const uint8_t *)bytes.bytes, bytes.length, &program, why) == SHUNT_OK,
                  "%s", why);
    for (uint32_t i = 0; i < inputs(t); i++) {
        shunt_value values[COLUMNS];
        uint8_t     states[COLUMNS];
        uint64_t    steps = 0;
        uint32_t    rest = i;
        for (uint32_t col = 0; col < t->columns; col++, rest /= VALUES) {
            values[col] = (shunt_value){ .integer = (int)(rest % VALUES) - 3 };
            states[col] = rest % VALUES ? SHUNT_PRESENT : SHUNT_ABSENT;
        }
        uint32_t row = shunt_decision_row(program, 0, values, states, &steps);
        ck_assert_msg(row == answer(t, i), "input %u: row %d, not %d of\n%s", i, (int)row, (int)answer(t, i), source);
        ck_assert_uint_le(steps, 100);
    }
    shunt_program_free(program);
    shunt_buffer_done(&bytes);
}

START_TEST(as_counted)
{
    uint32_t clean = 0, overlapping = 0, dead = 0, open = 0;
    for (seed = 1; seed < TABLES;) {
        uint32_t        begun = seed;
        struct table    t;
        struct compiled c;
        char            source[4000];
        seed *= 7919;
        random_table(&t, begun % 2);
        seed = begun + 1;
        write_table(&t, source, sizeof source);
        compile(&c, source);
        bool two = overlaps(&t), never = dead_row(&t), gaps = gap(&t);
        ck_assert_msg(said(&c, SHUNT_E0701) == (two && !t.first), "E0701 of\n%s", source);
        ck_assert_msg(said(&c, SHUNT_E0704) == (never && t.first), "E0704 of\n%s", source);
        ck_assert_msg(said(&c, SHUNT_E0702) == (gaps && !t.otherwise), "E0702 of\n%s", source);
        overlapping += two;
        dead += never;
        open += gaps;
        if (!t.first && two) {
            shunt_arena_free(c.arena);
            continue;
        }
        check_gaps(&t, &c, source);
        if (c.diags.errors == 0) {
            check_answers(&t, &c, source);
            clean++;
        }
        shunt_arena_free(c.arena);
    }
    ck_assert_msg(clean > 200 && overlapping > 200 && dead > 100 && open > 200, "%u %u %u %u", clean, overlapping, dead, open);
}
END_TEST

/* A thousand rows of eight columns, of which many meet and which leave gaps. */
START_TEST(large_tables_are_quick)
{
    enum { SIZE = 1 << 20, LARGE = 1000, WIDE = 8 };
    for (int first = 0; first < 2; first++) {
        char  *source = malloc(SIZE);
        size_t at = (size_t)snprintf(source, SIZE, "module m.x version \"1\"\ndecide d(");
        seed = 77;
        for (int c = 0; c < WIDE; c++) at += (size_t)snprintf(source + at, SIZE - at, "%sc%d: int", c ? ", " : "", c);
        at += (size_t)snprintf(source + at, SIZE - at, ") -> int %s {\n", first ? "first" : "unique");
        for (int r = 0; r < LARGE; r++) {
            at += (size_t)snprintf(source + at, SIZE - at, "  when ");
            for (int c = 0; c < WIDE; c++) {
                uint32_t low = roll(2000);
                at += (size_t)snprintf(source + at, SIZE - at, roll(3) ? "%s%u .. %u" : "%s<= %u or %u", c ? ", " : "", low,
                                       low + roll(900));
            }
            at += (size_t)snprintf(source + at, SIZE - at, " => %d\n", r);
        }
        snprintf(source + at, SIZE - at, "}\n");
        struct compiled c;
        clock_t         begun = clock();
        compile(&c, source);
        double seconds = (double)(clock() - begun) / CLOCKS_PER_SEC;
        ck_assert(said(&c, SHUNT_E0702));
        ck_assert_msg(seconds < 20, "%f seconds", seconds);
        shunt_arena_free(c.arena);
        free(source);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decide");
    TCase *tc = tcase_create("decide");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, as_counted);
    tcase_add_test(tc, large_tables_are_quick);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
