/* Files of programs: the same bytes again, every kind of damage, every allocation, tables replaced, the listing. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/hash.h"
#include "engine/vm/verify.h"
#include "tests/support/asm.h"
#include "tests/support/test_memory.h"

static void saved(const char *text, shunt_buffer *out)
{
    shunt_buffer_init(out, &shunt_memory_libc);
    asm_save(text, out);
}

static shunt_status load(const shunt_buffer *b, shunt_program **program, char why[static 200])
{
    return shunt_program_load(&shunt_memory_libc, (const uint8_t *)b->bytes, b->length, program, why);
}

/* The hash of the file again, after a change: otherwise nothing behind the hash would ever be reached. */
static void seal(uint8_t *bytes, size_t size)
{
    shunt_sha256 sha;
    shunt_sha256_init(&sha);
    shunt_sha256_add(&sha, bytes, 32);
    shunt_sha256_add(&sha, bytes + 64, size - 64);
    shunt_sha256_finish(&sha, bytes + 32);
}

START_TEST(the_same_bytes_again)
{
    shunt_buffer   first, second;
    shunt_program *p;
    char           why[200];
    saved(asm_samples[_i], &first);
    ck_assert_msg(load(&first, &p, why) == SHUNT_OK, "%s", why);
    shunt_buffer_init(&second, &shunt_memory_libc);
    ck_assert_int_eq(shunt_program_save(p, &second), SHUNT_OK);
    ck_assert_uint_eq(first.length, second.length);
    ck_assert(memcmp(first.bytes, second.bytes, first.length) == 0);
    ck_assert(memcmp(p->hash, first.bytes + 32, 32) == 0);
    shunt_program_free(p);
    shunt_buffer_done(&first);
    shunt_buffer_done(&second);
}
END_TEST

/* Bytes that mean nothing do not reach the file. */
START_TEST(what_means_nothing_is_zero)
{
    shunt_buffer   first, second;
    shunt_program *p;
    char           why[200];
    saved(asm_samples[0], &first);
    ck_assert_int_eq(load(&first, &p, why), SHUNT_OK);
    shunt_program   dirty = *p;
    shunt_constant *constants = calloc(p->constants_count, sizeof *constants);
    shunt_cell     *cells = calloc(p->cells_count, sizeof *cells);
    shunt_exit     *exits = calloc(p->exits_count, sizeof *exits);
    ck_assert(constants && cells && exits);
    memcpy(constants, p->constants, sizeof *constants * p->constants_count);
    memcpy(cells, p->cells, sizeof *cells * p->cells_count);
    memcpy(exits, p->exits, sizeof *exits * p->exits_count);
    for (uint32_t i = 0; i < p->constants_count; i++) {
        constants[i].reserved[1] = 7;
        if (constants[i].type.kind != SHUNT_KIND_DECIMAL) memset((char *)&constants[i].value + 8, 0x55, 8);
    }
    for (uint32_t i = 0; i < p->cells_count; i++) {
        cells[i].reserved = 9;
        if (cells[i].state != SHUNT_PRESENT) memset(&cells[i].value, 0x55, 16), cells[i].text = 3;
    }
    for (uint32_t i = 0; i < p->exits_count; i++) exits[i].reserved = 5;
    dirty.constants = constants, dirty.cells = cells, dirty.exits = exits;
    shunt_buffer_init(&second, &shunt_memory_libc);
    ck_assert_int_eq(shunt_program_save(&dirty, &second), SHUNT_OK);
    ck_assert(first.length == second.length && memcmp(first.bytes, second.bytes, first.length) == 0);
    free(constants), free(cells), free(exits);
    shunt_program_free(p);
    shunt_buffer_done(&first);
    shunt_buffer_done(&second);
}
END_TEST

START_TEST(headers_that_are_refused)
{
    static const struct {
        size_t      at;
        uint8_t     with;
        const char *why;
    } damage[] = {
        { 0, 'X', "not a program" }, { 8, 9, "another version" }, { 12, 1, "header" }, { 16, 1, "cut off" },
        { 24, 1, "header" },         { 40, 1, "hash" },           { 200, 1, "hash" },
    };
    shunt_buffer   b;
    shunt_program *p = NULL;
    char           why[200];
    saved(asm_samples[0], &b);
    for (size_t i = 0; i < SHUNT_COUNT(damage); i++) {
        uint8_t old = (uint8_t)b.bytes[damage[i].at];
        b.bytes[damage[i].at] = (char)(old ^ damage[i].with);
        ck_assert_int_eq(load(&b, &p, why), SHUNT_PROGRAM_BAD);
        ck_assert_msg(strstr(why, damage[i].why) != NULL, "%zu: %s", i, why);
        b.bytes[damage[i].at] = (char)old;
    }
    for (size_t size = 0; size < b.length; size++) { /* cut anywhere */
        ck_assert_int_eq(shunt_program_load(&shunt_memory_libc, (const uint8_t *)b.bytes, size, &p, why), SHUNT_PROGRAM_BAD);
    }
    shunt_buffer_char(&b, 0);
    ck_assert_int_eq(load(&b, &p, why), SHUNT_PROGRAM_BAD);
    shunt_buffer_done(&b);
}
END_TEST

/* One byte after the other is changed, in a few ways, and the file sealed again: it is refused, or what it holds runs safely. */
START_TEST(every_byte_damaged)
{
    static const uint8_t ways[] = { 0x01, 0x80, 0xff, 0x02 };
    shunt_buffer         b;
    size_t               taken = 0, refused = 0;
    saved(asm_samples[_i], &b);
    uint8_t *bytes = (uint8_t *)b.bytes;
    for (size_t at = 64; at < b.length; at++) {
        for (size_t w = 0; w < SHUNT_COUNT(ways); w++) {
            if (((at + w) & 1) && w > 1) continue; /* half of the rarer ways: time */
            uint8_t old = bytes[at];
            bytes[at] ^= ways[w];
            seal(bytes, b.length);
            shunt_program *p = NULL;
            char           why[200];
            shunt_status   status = load(&b, &p, why);
            bytes[at] = old;
            if (status == SHUNT_OK) {
                taken++;
                asm_run_all(p, (uint32_t)at, 2000);
                shunt_program_free(p);
            } else {
                refused++;
                ck_assert_msg(status == SHUNT_PROGRAM_BAD && why[0], "byte %zu", at);
            }
        }
    }
    ck_assert_msg(taken > 100 && refused > 1000, "%zu taken, %zu refused", taken, refused);
    shunt_buffer_done(&b);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    shunt_buffer b;
    saved(asm_samples[0], &b);
    bool   whole = false;
    size_t at = 1;
    for (; !whole; at++) {
        struct test_memory memory;
        test_memory_init(&memory, at);
        shunt_program *p = NULL;
        char           why[200];
        shunt_status   status = shunt_program_load(&memory.memory, (const uint8_t *)b.bytes, b.length, &p, why);
        whole = memory.calls < at;
        ck_assert_int_eq(status, whole ? SHUNT_OK : SHUNT_NO_MEMORY);
        if (whole) shunt_program_free(p);
        ck_assert_uint_eq(memory.blocks, 0);
    }
    ck_assert_uint_ge(at, 5);
    whole = false;
    shunt_program *p;
    char           why[200];
    ck_assert_int_eq(load(&b, &p, why), SHUNT_OK);
    for (at = 1; !whole; at++) {
        struct test_memory memory;
        test_memory_init(&memory, at);
        shunt_buffer again;
        shunt_buffer_init(&again, &memory.memory);
        shunt_status status = shunt_program_save(p, &again);
        whole = memory.calls < at;
        ck_assert_int_eq(status, whole ? SHUNT_OK : SHUNT_NO_MEMORY);
        shunt_buffer_done(&again);
        ck_assert_uint_eq(memory.blocks, 0);
    }
    shunt_program_free(p);
    shunt_buffer_done(&b);
}
END_TEST

#define TABLES                                                                                                                   \
    "record a k:text v:text\nrecord b k:text n:int\ntable first a keys=1\n| x one\n| y two\ntable none a keys=1\n"               \
    "table second b keys=1\n| x 1\n"                                                                                             \
    "function f 0 text : text text row:a\nLOADK 1 \"x\"\nLOOKUP 2 1 first\nFIELD 0 2 1\nRETURN 0\n"                              \
    "function g 0 int : int text row:b\nLOADK 1 \"x\"\nLOOKUP 2 1 second\nFIELD 0 2 1\nRETURN 0\n"                               \
    "function h 0 text : text text row:a\nLOADK 1 \"x\"\nLOOKUP 2 1 none\nFIELD 0 2 1\nRETURN 0\n"

static void expect_run(const shunt_program *p, const char *function, const char *wanted)
{
    char *log = asm_run_program(p, function, NULL, 1000, 0);
    ck_assert_str_eq(log, wanted);
    free(log);
}

START_TEST(another_table)
{
    const uint8_t    hash[32] = { 1 };
    const shunt_text texts[] = { SHUNT_TEXT("x"), SHUNT_TEXT("other"), SHUNT_TEXT("z") };
    const shunt_cell cells[] = { { .text = 2 }, { .text = 0 }, { .text = 0 }, { .text = 1 } };
    shunt_program   *base = asm_load(TABLES), *copy, *twice;
    char             why[200];
    ck_assert_int_eq(shunt_program_with_table(&shunt_memory_libc, base, 0, cells, 2, texts, 3, hash, &copy, why), SHUNT_OK);
    ck_assert_int_eq(shunt_program_with_table(&shunt_memory_libc, copy, 1, cells, 2, texts, 3, hash, &twice, why), SHUNT_OK);
    expect_run(base, "f", "result one\n");
    expect_run(copy, "f", "result other\n");
    expect_run(copy, "g", "result 1\n");
    expect_run(copy, "h", "result absent\n");
    expect_run(twice, "f", "result other\n");
    expect_run(twice, "h", "result other\n");
    expect_run(twice, "g", "result 1\n");
    ck_assert(memcmp(base->hash, copy->hash, 32) != 0 && memcmp(copy->hash, twice->hash, 32) != 0);
    ck_assert(memcmp(base->code_hash, copy->code_hash, 32) != 0);
    shunt_program_free(twice);
    shunt_program_free(copy);

    ck_assert_int_eq(shunt_program_with_table(&shunt_memory_libc, base, 0, NULL, 0, NULL, 0, hash, &copy, why),
                     SHUNT_OK); /* an empty one */
    expect_run(copy, "f", "result absent\n");
    expect_run(copy, "g", "result 1\n");
    shunt_program_free(copy);

    const shunt_cell same[] = { { .text = 0 }, { .text = 0 }, { .text = 0 }, { .text = 1 } };
    ck_assert_int_eq(shunt_program_with_table(&shunt_memory_libc, base, 0, same, 2, texts, 3, hash, &copy, why),
                     SHUNT_PROGRAM_BAD);
    ck_assert_str_eq(why, "table first: two rows have the same key");
    const shunt_cell missing[] = { { .text = 0 }, { .text = 3 } };
    ck_assert_int_eq(shunt_program_with_table(&shunt_memory_libc, base, 0, missing, 1, texts, 3, hash, &copy, why),
                     SHUNT_PROGRAM_BAD);
    const shunt_cell blank[] = { { .state = SHUNT_ABSENT }, { .text = 1 } };
    ck_assert_int_eq(shunt_program_with_table(&shunt_memory_libc, base, 0, blank, 1, texts, 3, hash, &copy, why),
                     SHUNT_PROGRAM_BAD);
    ck_assert_int_eq(shunt_program_with_table(&shunt_memory_libc, base, 9, blank, 1, texts, 3, hash, &copy, why), SHUNT_USAGE);

    bool whole = false;
    for (size_t at = 1; !whole; at++) {
        struct test_memory memory;
        test_memory_init(&memory, at);
        shunt_status status = shunt_program_with_table(&memory.memory, base, 0, cells, 2, texts, 3, hash, &copy, why);
        whole = memory.calls < at;
        ck_assert_int_eq(status, whole ? SHUNT_OK : SHUNT_NO_MEMORY);
        if (whole) shunt_program_free(copy);
        ck_assert_uint_eq(memory.blocks, 0);
    }
    shunt_program_free(base);
}
END_TEST

START_TEST(rows_that_overlap)
{
    static const struct {
        const char *rows, *why;
    } bad[] = {
        { "| a 2024-01-01 2024-06-30 1\n| a 2024-06-30 - 2\n", "table t: two rows have the same key on the same day" },
        { "| a - - 1\n| b - - 1\n| a 2024-06-30 - 2\n", "table t: two rows have the same key on the same day" },
        { "| a 2024-01-01 - 1\n| a 2025-01-01 - 2\n", "table t: two rows have the same key on the same day" },
        { "| a 2024-01-02 2024-01-01 1\n", "table t: a row ends before it starts" },
    };
    for (size_t i = 0; i < SHUNT_COUNT(bad); i++) {
        char text[500], why[200];
        snprintf(text, sizeof text, "record r k:text from?:date to?:date v:int\ntable t r keys=1 effective\n%s", bad[i].rows);
        ck_assert_int_eq(asm_try(text, why), SHUNT_PROGRAM_BAD);
        ck_assert_str_eq(why, bad[i].why);
    }
}
END_TEST

/* Every row of a table of many is found, and nothing else. */
START_TEST(many_rows)
{
    enum { ROWS = 5000 };
    shunt_program *base =
        asm_load("record r k:text n:int v:int\ntable t r keys=2\n"
                 "function f 0 int : int text int row:r\nLOADK 1 \"k77\"\nLOADK 2 int:77\nLOOKUP 3 1 t\nFIELD 0 3 2\nRETURN 0\n"
                 "function g 0 int : int text int row:r\nLOADK 1 \"k77\"\nLOADK 2 int:78\nLOOKUP 3 1 t\nFIELD 0 3 2\nRETURN 0\n");
    shunt_cell *cells = calloc(ROWS * 3, sizeof *cells);
    shunt_text *texts = calloc(ROWS, sizeof *texts);
    char(*names)[12] = calloc(ROWS, sizeof *names);
    shunt_program *p;
    char           why[200];
    ck_assert(cells && texts && names);
    for (uint32_t i = 0; i < ROWS; i++) {
        uint32_t n = i * 7919 % ROWS; /* not in order */
        snprintf(names[i], sizeof names[i], "k%u", n % 1000);
        texts[i] = shunt_text_of(names[i]);
        cells[i * 3] = (shunt_cell){ .text = i };
        cells[i * 3 + 1] = (shunt_cell){ .value = { .integer = n } };
        cells[i * 3 + 2] = (shunt_cell){ .value = { .integer = n * 10 } };
    }
    ck_assert_int_eq(
        shunt_program_with_table(&shunt_memory_libc, base, 0, cells, ROWS, texts, ROWS, (const uint8_t[32]){ 0 }, &p, why),
        SHUNT_OK);
    expect_run(p, "f", "result 770\n");
    expect_run(p, "g", "result absent\n");
    shunt_program_free(p);
    shunt_program_free(base);
    free(cells), free(texts), free(names);
}
END_TEST

/* The listing of each sample, and what must stand in it; the same text each time. */
START_TEST(listing)
{
    static const struct {
        size_t      sample;
        const char *text;
    } wanted[] = {
        { 0, "source 0 src is \"X12\" currency \"USD\" max_unit_bytes 4194304\n" },
        { 0, "frame 2 2100 loop unit\n  slot 3 CLP01 text required\n  slot 4 CLP02 text codes status\n  slot 5 CLP03 decimal "
             "scale 2\n  child 0 CAS\n  child 1 2110\n" },
        { 0, "collector 0 adj from 2100 group 0 line 1 line_group 0 needed 1 max 10000\n  group group group\n  amount group "
             "amount\n  line position\n  n ordinal\n" },
        { 0, "dates 0 2100 2110.DTM\n" },
        { 0, "enum 0 lane payer patient\n" },
        { 0, "table 0 routes keys 2 prefix effective rows 2 hash 00" },
        { 0, "  4 account: text?\n" },
        { 0, "target 0 gl journal head line column balance by claim\n" },
        { 0, "exit 0 quarantine unit BAD at CLP01 of r0\n" },
        { 0, "tally 0 total: money(USD, 2) per transaction of source src\n" },
        { 0, "function f0 lane_of params 3 -> lane pure\n  r0: text\n  r1: text\n  r2: date\n  r3: row route\n  r4: lane\n     0 "
             "LOOKUP r3, r0, routes\n     1 FIELD r4, r3, lane\n     2 RETURN r4\n" },
        { 0, "     2 CALL r1, f0:lane_of\n" },
        { 0, "     4 TEXT_IS r10, r6, \"payer\"\n     5 JUMP_FALSE r10, -> 7\n     6 WARN exit1:BAD, r1\n" },
        { 0, "LOADK r5, 1.50 USD\n" },
        { 0, "JOURNAL gl, 1, r0\n" },
        { 2, "tally 1 groups: money(USD, 2) per transaction of source src by g limit 100\n" },
        { 2, "IS_STATE r0, r7, absent\n" },
        { 2, "EXTRA half_even\n" },
        { 2, "BUILTIN r15, RECEIVED_AT\n" },
        { 3, "module 0 acme.rules version \"1.0.0\" file \"rules.map\" hash 00" },
        { 3, "map 0 post from src at_start f2 early f2 late f2 at_end f2 at_end_batch f3 at_end_file f3 on_error exit 0 "
             "source_error exit 0 widest transaction\n" },
        { 3, "handler 0 src 2100 runs f1\n" },
        { 3, "tally 0 paid: decimal(2) per file of source src each 2100 adds f0\n" },
        { 3, "guide 0 835 005010X221A1 loops 2 ids 2\nplan nodes 2 loops 2 choices 3 demands 1\n" },
        { 3, "  note first outer.SVC\n  line position or of the outer node\n  level level outer \"a\" line \"b\"\n" },
        { 3, "dates 0 2100 DAY 2110.D.DTM\n" },
        { 3, "target 0 gl journal head line columns accounts from chart\n  encode csv separator=\";\" header=\"true\"\n    "
             "column day as \"Day\" format \"YYYY-MM-DD\" at 1..5\n    column account as \"Account\" at 1..5\n"
             "    column side at 1..5\n    column amount as \"Amount\" format \"N2\" at 1..5\n    column claim as \"Claim\" at "
             "1..5\n" },
        { 3, "  encode fixed 80\n" },
        { 3, "lineage 0 gl.claim from CLP01  ; rules.map:1:1 step \"step-one\"\n" },
        { 3, "     0 CHILD_FIRST r1, r0, 2110  ; rules.map:" },
        { 3, "     2 EARLIEST r3, r0, dates0  ; rules.map:" },
    };
    for (size_t i = 0; i < SHUNT_COUNT(wanted); i++) {
        shunt_program *p = asm_load(asm_samples[wanted[i].sample]);
        shunt_buffer   first, second;
        shunt_buffer_init(&first, &shunt_memory_libc);
        shunt_buffer_init(&second, &shunt_memory_libc);
        shunt_program_disassemble(p, true, &first);
        shunt_program_disassemble(p, true, &second);
        ck_assert(first.length == second.length && memcmp(first.bytes, second.bytes, first.length) == 0);
        shunt_buffer_char(&first, 0);
        ck_assert_msg(strstr(first.bytes, wanted[i].text) != NULL, "no `%s` in\n%.1200s", wanted[i].text, first.bytes);
        shunt_buffer_done(&first);
        shunt_buffer_done(&second);
        shunt_program_free(p);
    }
}
END_TEST

START_TEST(listing_without_places)
{
    shunt_program *p = asm_load(asm_samples[3]);
    shunt_buffer   text;
    shunt_buffer_init(&text, &shunt_memory_libc);
    shunt_program_disassemble(p, false, &text);
    shunt_buffer_char(&text, 0);
    ck_assert_ptr_null(strstr(text.bytes, "; rules.map"));
    shunt_buffer_done(&text);
    shunt_program_free(p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("program");
    TCase *tc = tcase_create("program");
    tcase_set_timeout(tc, 300);
    tcase_add_loop_test(tc, the_same_bytes_again, 0, (int)asm_sample_count);
    tcase_add_test(tc, what_means_nothing_is_zero);
    tcase_add_test(tc, headers_that_are_refused);
    tcase_add_loop_test(tc, every_byte_damaged, 0, (int)asm_sample_count);
    tcase_add_test(tc, every_allocation_may_fail);
    tcase_add_test(tc, another_table);
    tcase_add_test(tc, rows_that_overlap);
    tcase_add_test(tc, many_rows);
    tcase_add_test(tc, listing);
    tcase_add_test(tc, listing_without_places);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
