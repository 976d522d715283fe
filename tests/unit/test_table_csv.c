/* Tables from CSV: what comes out, and what is said about a faulty file. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "dsl/excerpt.h"
#include "dsl/table_csv.h"
#include "tests/support/test_memory.h"

static const shunt_text lanes[] = { { "contractual", 11 }, { "patient", 7 } };

/* payer, prefix key code | from, through | account, lane?, amount?, review?, day?, count? */
static shunt_csv_column wide_columns[] = {
    { { "payer", 5 }, { .kind = SHUNT_KIND_TEXT }, false, false, 20, NULL, 0 },
    { { "code", 4 }, { .kind = SHUNT_KIND_TEXT }, false, false, 5, NULL, 0 },
    { { "valid_from", 10 }, { .kind = SHUNT_KIND_DATE }, true, false, 0, NULL, 0 },
    { { "valid_to", 8 }, { .kind = SHUNT_KIND_DATE }, true, false, 0, NULL, 0 },
    { { "account", 7 }, { .kind = SHUNT_KIND_TEXT }, false, true, 0, NULL, 0 },
    { { "lane", 4 }, { .kind = SHUNT_KIND_INT, .extra = 1 }, true, false, 0, lanes, 2 },
    { { "amount", 6 }, { .kind = SHUNT_KIND_DECIMAL, .scale = 2 }, true, false, 0, NULL, 0 },
    { { "review", 6 }, { .kind = SHUNT_KIND_BOOL }, true, false, 0, NULL, 0 },
    { { "count", 5 }, { .kind = SHUNT_KIND_INT }, true, false, 0, NULL, 0 },
};
static const shunt_csv_table wide = { { "wide", 4 }, wide_columns, 9, 2, true, true, false };
static const shunt_csv_table plain = { { "plain", 5 },
                                       (shunt_csv_column[]){
                                           { { "key", 3 }, { .kind = SHUNT_KIND_TEXT }, false, false, 0, NULL, 0 },
                                           { { "account", 7 }, { .kind = SHUNT_KIND_TEXT }, false, true, 0, NULL, 0 } },
                                       2,
                                       1,
                                       false,
                                       false,
                                       false };
static const shunt_csv_table lines = { { "lines", 5 }, wide_columns, 9, 2, true, true, true };

#define WIDE "payer,note,code,valid_from,valid_to,account,lane,amount,review,count\n"

static const struct {
    const char            *name;
    const shunt_csv_table *table;
    const char            *csv, *expected;
} cases[] = {
    { "a row of every type, columns by name, others ignored", &wide,
      WIDE "P1,ignored,45,2025-01-31,,1015,patient,-12.5,true,-3\n", "P1|45|20119|-|1015|1|-1250|1|-3|\n" },
    { "blank cells are absent, a blank prefix too", &wide, WIDE "P1,,,,2025-12-31,1015,,,,\n", "P1|-|-|20453|1015|-|-|-|-|\n" },
    { "quotes, doubled quotes, commas and line ends inside; CRLF; no last line end", &plain,
      "account,key\r\n\"1,0\",\"a\"\"b\r\nc\"\r\n20,d", "a\"b\r\nc|1,0|\nd|20|\n" },
    { "byte order mark and empty lines", &plain, "\xef\xbb\xbfkey,account\n\n\na,1\n\n", "a|1|\n" },
    { "blanks in a text stand", &plain, "key,account\n a ,1\n", " a |1|\n" },
    { "only a header", &plain, "key,account", "" },
    { "no such column", &plain, "key,amount\na,1\n",
      "error[E0903]: the file has no column `account` of table plain\n  --> t.csv:1:1\n  |\n1 | key,amount\n  | ^^^^^^^^^^\n  |\n"
      "  = note: the first row names the columns; those that the table does not declare are ignored\n" },
    { "one column twice", &plain, "key,account,key\na,1,b\n",
      "error[E0903]: two columns are called `key`\n  --> t.csv:1:13\n  |\n1 | key,account,key\n  |             ^^^\n" },
    { "a key needs a value", &plain, "key,account\n,1\n",
      "error[E0903]: key of table plain is blank; a key needs a value\n  --> t.csv:2:1\n  |\n2 | ,1\n  | ^\n" },
    { "a column without `?` needs a value", &plain, "key,account\na,  \n",
      "error[E0903]: account of table plain is blank; its type has no `?`\n  --> t.csv:2:3\n  |\n2 | a,  \n  |   ^^\n" },
    { "rows of another width", &plain, "key,account\na,1,2\nb\nc,3\n",
      "c|3|\nerror[E0903]: this row has 3 cells, the header 2\n  --> t.csv:2:1\n  |\n2 | a,1,2\n  | ^^^^^\n"
      "error[E0903]: this row has 1 cell, the header 2\n  --> t.csv:3:1\n  |\n3 | b\n  | ^\n" },
    { "a quote that is not closed", &plain, "key,account\n\"a,1\n",
      "error[E0903]: the quote is not closed\n  --> t.csv:2:1\n  |\n2 | \"a,1\n  | ^\n" },
    { "text behind a quote", &plain, "key,account\n\"a\"b,1\n",
      "error[E0903]: a comma or the end of the line must follow a closing quote\n  --> t.csv:2:4\n  |\n2 | \"a\"b,1\n  |    "
      "^\n" },
    { "the same key twice", &plain, "key,account\na,1\nb,2\na,3\n",
      "a|1|\nb|2|\na|3|\nerror[E0903]: two rows of table plain have the same key\n  --> t.csv:4:1\n  |\n2 | a,1\n  | - and this "
      "one\n4 | a,3\n  | ^ this row\n" },
    { "objects a line: a member for each column, others ignored", &lines,
      "{\"payer\":\"P1\", "
      "\"code\":\"45\",\"valid_from\":\"2025-01-31\",\"account\":\"1015\",\"more\":{\"a\":[1,\"}\"]},\"lane\":\"patient\","
      "\"amount\":-12.5,\"review\":true,\"count\":-3}\n\n { \"account\" : \"\\u00e9\\\"\\ud83d\\ude00\" , \"payer\" : \"P2\" , "
      "\"lane\" : null } \n",
      "P1|45|20119|-|1015|1|-1250|1|-3|\nP2|-|-|-|\xc3\xa9\"\xf0\x9f\x98\x80|-|-|-|-|\n" },
    { "a number where a text is wanted", &lines, "{\"payer\":123,\"account\":\"1\"}\n",
      "error[E0903]: a text stands in quotes; without them leading zeros are lost\n  --> t.csv:1:10\n  |\n1 | "
      "{\"payer\":123,\"account\":\"1\"}\n  "
      "|          ^^^\n" },
    { "faults of one row leave the others", &lines,
      "[1]\n{\"payer\":\"P1\",\"payer\":\"P2\"}\n{\"payer\":\"P3\",\"account\":\"7\"}\n{\"payer\" \"P1\"}\n",
      "P3|-|-|-|7|-|-|-|-|\nerror[E0903]: a row is an object: `{\"column\": \"value\"}`\n  --> t.csv:1:1\n  |\n1 | [1]\n  | ^\n"
      "error[E0903]: this column stands twice in its row\n  --> t.csv:2:15\n  |\n2 | {\"payer\":\"P1\",\"payer\":\"P2\"}\n  |    "
      "           "
      "^^^^^^^\nerror[E0903]: a colon is wanted here\n  --> t.csv:4:10\n  |\n4 | {\"payer\" \"P1\"}\n  |          ^\n" },
    { "a missing column is blank", &lines, "{\"payer\":\"P1\"}\n",
      "error[E0903]: account of table lines is blank; its type has no `?`\n  --> t.csv:1:1\n  |\n1 | {\"payer\":\"P1\"}\n  | "
      "^^^^^^^^^^^^^^\n" },
    { "rows that follow each other do not overlap", &plain, "key,account\na,1\nA,2\n", "a|1|\nA|2|\n" },
};

static void print_cell(const shunt_table_rows *rows, const shunt_csv_column *column, const shunt_cell *cell, shunt_buffer *out)
{
    if (cell->state == SHUNT_ABSENT)
        shunt_buffer_z(out, "-");
    else if (column->type.kind == SHUNT_KIND_TEXT)
        shunt_buffer_text(out, rows->texts[cell->text]);
    else if (column->type.kind == SHUNT_KIND_DECIMAL)
        shunt_buffer_format(out, "%lld", (long long)cell->value.coefficient);
    else
        shunt_buffer_format(out, "%lld", (long long)cell->value.integer);
    shunt_buffer_char(out, '|');
}

/* Rows, a line each, then the diagnostics. */
static void read_table(const shunt_csv_table *table, const char *csv, size_t size, shunt_buffer *out)
{
    shunt_arena     *arena = shunt_arena_new(&shunt_memory_libc, 0);
    shunt_diags      diags;
    shunt_table_rows rows;
    shunt_diags_init(&diags, arena);
    ck_assert_int_eq(shunt_table_csv(arena, &diags, table, 0, (const uint8_t *)csv, size, &rows), SHUNT_OK);
    for (uint32_t i = 0; i < rows.row_count; i++) {
        for (uint32_t k = 0; k < table->column_count; k++)
            print_cell(&rows, &table->columns[k], &rows.cells[i * table->column_count + k], out);
        shunt_buffer_char(out, '\n');
    }
    shunt_diags_sort(&diags);
    shunt_excerpt_source  source = { SHUNT_TEXT("t.csv"), { csv, (uint32_t)size } };
    shunt_excerpt_sources sources = { &source, 1 };
    for (uint32_t i = 0; i < diags.count; i++) shunt_excerpt(&sources, &diags.items[i], out);
    shunt_buffer_char(out, 0);
    shunt_arena_free(arena);
}

START_TEST(rows_and_faults)
{
    shunt_buffer out;
    shunt_buffer_init(&out, &shunt_memory_libc);
    read_table(cases[_i].table, cases[_i].csv, strlen(cases[_i].csv), &out);
    ck_assert_msg(strcmp(out.bytes, cases[_i].expected) == 0, "%s: got\n%s\nexpected\n%s", cases[_i].name, out.bytes,
                  cases[_i].expected);
    shunt_buffer_done(&out);
}
END_TEST

/* The first sentence is enough here. */
static const struct {
    const char *row, *says;
} faulty_cells[] = {
    { "P1,,45,7/1/2025,,1015,,,,", "valid_from of table wide is not a date as YYYY-MM-DD" },
    { "P1,,45,2025-02-30,,1015,,,,", "valid_from of table wide is not a date as YYYY-MM-DD" },
    { "P1,,45,2025-12-31,2025-01-01,1015,,,,", "this row of table wide ends before it begins" },
    { "P1,,45,,,1015,patients,,,", "lane of table wide has no such value" },
    { "P1,,45,,,1015,,1.005,,", "amount of table wide is not a number with at most 2 decimals" },
    { "P1,,45,,,1015,,\"1,000.00\",,", "amount of table wide is not a number with at most 2 decimals" },
    { "P1,,45,,,1015,,,yes,", "review of table wide is neither `true` nor `false`" },
    { "P1,,45,,,1015,,,TRUE,", "review of table wide is neither `true` nor `false`" },
    { "P1,,45,,,1015,,,,1.5", "count of table wide is not a whole number" },
    { "P1,,45,,,1015,,,,99999999999999999999", "count of table wide has too many digits" },
    { "P1,,123456,,,1015,,,,", "code of table wide has 6 characters, its type holds 5" },
    { "P\xff,,45,,,1015,,,,", "payer of table wide is not UTF-8" },
    { "P1,,45,,,10\x01"
      "5,,,,",
      "account of table wide holds a control character" },
    { "P1,,45,2025-01-01,2025-06-30,1,,,,\nP1,,45,2025-06-30,,2,,,,",
      "two rows of table wide have the same key and are in force on the same day" },
    { "P1,,45,,,1,,,,\nP1,,45,2025-06-30,2025-07-01,2,,,,",
      "two rows of table wide have the same key and are in force on the same day" },
    { "P1,,45,2025-01-01,2025-06-30,1,,,,\nP1,,45,2025-07-01,,2,,,,", NULL },
    { "P1,,45,,,0101,,,,\nP1,,46,,,0102,,,,\nP1,,47,,,103,,,,",
      "this account of table wide has 3 digits, the others of its column have 4" },
    { "P1,,45,,,0101,,,,\nP1,,46,,,02,,,,", NULL },
    { "1.23457E+14,,45,,,1015,,,,",
      "payer of table wide is a number that a spreadsheet has shortened; store the column as text" },
    { "012345,,45,,,1,,,,\n112345,,45,,,1,,,,\n12346,,45,,,1,,,,",
      "this key of table wide has 5 digits, the others of its column have 6" },
    { "45,,45,,,1,,,,\n50,,45,,,1,,,,\n1,,45,,,1,,,,", NULL },
};

START_TEST(cells_are_converted_strictly)
{
    char             csv[1024];
    shunt_arena     *arena = shunt_arena_new(&shunt_memory_libc, 0);
    shunt_diags      diags;
    shunt_table_rows rows;
    snprintf(csv, sizeof csv, "%s%s\n", WIDE, faulty_cells[_i].row);
    shunt_diags_init(&diags, arena);
    ck_assert_int_eq(shunt_table_csv(arena, &diags, &wide, 0, (const uint8_t *)csv, strlen(csv), &rows), SHUNT_OK);
    if (faulty_cells[_i].says) {
        ck_assert_uint_eq(diags.count, 1);
        ck_assert_msg(shunt_text_is(diags.items[0].message, faulty_cells[_i].says), "%.*s",
                      SHUNT_TEXT_ARGS(diags.items[0].message));
    } else {
        ck_assert_msg(diags.count == 0, "%.*s", SHUNT_TEXT_ARGS(diags.items[0].message));
    }
    shunt_arena_free(arena);
}
END_TEST

/* Any bytes: no crash, and what comes out has as many cells as rows say. */
START_TEST(any_bytes)
{
    static const char alphabet[] = ",\"\n\r \t10/-a\xff\xc3";
    uint32_t          seed = (uint32_t)_i * 2654435761u + 1;
    char              csv[400];
    size_t            size = (size_t)snprintf(csv, sizeof csv, "%s", _i % 2 ? WIDE : "key,account\n");
    while (size < sizeof csv - 1) {
        seed = seed * 1664525u + 1013904223u;
        csv[size++] = alphabet[(seed >> 16) % (sizeof alphabet - 1)];
    }
    shunt_buffer out;
    shunt_buffer_init(&out, &shunt_memory_libc);
    read_table(_i % 2 ? &wide : &plain, csv, size, &out);
    for (size_t i = 0; i < size; i++) csv[i] = "{}\"\\:,\nu0d8[]12 payer"[(uint8_t)csv[i] % 22];
    read_table(&lines, csv, size, &out);
    ck_assert(!out.failed);
    shunt_buffer_done(&out);
}
END_TEST

/* Lines without anything take no room, lines of rows with many columns are bounded: `_i` picks what fills the file. */
static const struct {
    const char            *line;
    const shunt_csv_table *table;
    const char            *says;
} long_files[] = { { "\n", &lines, NULL },
                   { "{}\n", &lines, "a table file holds at most 4194304 cells, lines by columns" },
                   { "\r\n", &plain, NULL },
                   { "a,1\n", &plain, "a table file holds at most 4194304 cells, lines by columns" } };

START_TEST(long_file)
{
    enum { SIZE = 12 << 20, ROOM = 64 << 20 };
    char            *file = malloc(SIZE);
    shunt_arena     *arena = shunt_arena_new(&shunt_memory_libc, ROOM);
    shunt_diags      diags;
    shunt_table_rows rows;
    const char      *line = long_files[_i].line, *head = long_files[_i].table->json ? "" : "key,account\n";
    size_t           size = strlen(head);
    ck_assert_ptr_nonnull(file);
    memcpy(file, head, size);
    for (size_t length = strlen(line); size + length <= SIZE; size += length) memcpy(file + size, line, length);
    shunt_diags_init(&diags, arena);
    ck_assert_int_eq(shunt_table_csv(arena, &diags, long_files[_i].table, 0, (const uint8_t *)file, size, &rows), SHUNT_OK);
    ck_assert_uint_eq(rows.row_count, 0);
    ck_assert_uint_eq(diags.count, long_files[_i].says != NULL);
    if (diags.count)
        ck_assert_msg(shunt_text_is(diags.items[0].message, long_files[_i].says), "%.*s",
                      SHUNT_TEXT_ARGS(diags.items[0].message));
    shunt_arena_free(arena);
    free(file);
}
END_TEST

START_TEST(no_memory)
{
    static const char csv[] = WIDE "P1,,45,,,1015,patients,1,,\nP1,,\"4\"\"\",,,1015,,1,,\nP2,,45,,,1015,,1,,\n";
    for (size_t n = 1; n < 200; n++) {
        struct test_memory memory;
        test_memory_init(&memory, n);
        shunt_arena     *arena = shunt_arena_new(&memory.memory, 0);
        shunt_diags      diags;
        shunt_table_rows rows;
        if (!arena) continue;
        shunt_diags_init(&diags, arena);
        shunt_status status = shunt_table_csv(arena, &diags, &wide, 0, (const uint8_t *)csv, sizeof csv - 1, &rows);
        bool         failed = status == SHUNT_NO_MEMORY || diags.failed;
        shunt_arena_free(arena);
        ck_assert_uint_eq(memory.blocks, 0);
        if (memory.calls < n) {
            ck_assert_int_eq(status, SHUNT_OK);
            return;
        }
        ck_assert(failed);
    }
    ck_abort_msg("never enough memory");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("table_csv");
    TCase *tests = tcase_create("table_csv");
    tcase_add_loop_test(tests, rows_and_faults, 0, (int)SHUNT_COUNT(cases));
    tcase_add_loop_test(tests, cells_are_converted_strictly, 0, (int)SHUNT_COUNT(faulty_cells));
    tcase_add_loop_test(tests, any_bytes, 0, 200);
    tcase_add_loop_test(tests, long_file, 0, (int)SHUNT_COUNT(long_files));
    tcase_add_test(tests, no_memory);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
