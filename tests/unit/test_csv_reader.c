/* Rows as events, the same at every cut, however the allocator fails. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "standards/csv/heading.h"
#include "standards/csv/reader.h"
#include "standards/csv/shape.h"
#include "tests/support/csv_plan.h"
#include "tests/support/event_log.h"
#include "tests/support/test_memory.h"

#define AB        "csv\nrow rows unit\ncol a\ncol b\n"
#define NOHEAD    "csv noheader\nrow rows unit\ncol a\ncol b\n"
#define SET(s)    "begin transaction " s " guide 0  #\n"
#define BEGIN     SET("")
#define END       "finish transaction\nend\n"
#define ROW(a, b) "enter rows\nvalue 0 " a "\nvalue 1 " b "\nleave rows\n"

#define BAI                                                                                                                      \
    "csv key=1 term=/ lines cont=88 quote=none tx=group\nrow file keys=01\ncol sender at=2\nrow group keys=02\ncol receiver "    \
    "at=2\n"                                                                                                                     \
    "row account in=group keys=03\ncol number at=2\nrow tx in=account keys=16 unit\ncol kind at=2\ncol amount at=3\ncol rest "   \
    "at=4 "                                                                                                                      \
    "rest=4\nrow account_end in=account keys=49 once\ncol total at=2\nrow group_end in=group keys=98 once\ncol total at=2\n"

#define NACHA                                                                                                                    \
    "fixed 10 key=1-1 tx=batch\nrow head keys=1\nrow batch keys=5\ncol company at=2-6\nrow entry in=batch keys=6 unit\ncol "     \
    "amount at=2-6\ncol name at=7-10 len=3\nrow addenda in=entry keys=7\ncol text at=2-10\nrow control in=batch keys=8 "         \
    "once\ncol "                                                                                                                 \
    "sum at=2-6\n"

#define ENDED                                                                                                                    \
    "csv key=1 lines tx=set\nrow set keys=S\ncol a at=2\nrow one in=set keys=U unit\ncol b at=2\nrow end keys=E trailer\nrow "   \
    "pad keys=P trailer\n"

static const struct {
    const char *name, *plan, *input, *log;
} cases[] = {
    { "nothing at all", AB, "", BEGIN "fault CSV_EMPTY\n" END },
    { "nothing, and no header wanted", NOHEAD, "", BEGIN "fault CSV_EMPTY\n" END },
    { "blank lines alone", NOHEAD, "\n \n\r\n", BEGIN "fault CSV_EMPTY\n" END },
    { "a header alone", AB, "a,b\n", BEGIN END },
    { "two rows", AB, "a,b\n1,2\n3,4\n", BEGIN ROW("1", "2") ROW("3", "4") END },
    { "no last line end", AB, "a,b\n1,2", BEGIN ROW("1", "2") END },
    { "line ends of all kinds", AB, "a,b\r\n1,2\r3,4\n5,6\r", BEGIN ROW("1", "2") ROW("3", "4") ROW("5", "6") END },
    { "columns by name, further ones ignored", AB, "x,b,y,a\n1,2,3,4\n", BEGIN ROW("4", "2") END },
    { "headings as people write them", AB, " B ,\"A \"\n2,1\n", BEGIN ROW("1", "2") END },
    { "a mark of UTF-8", AB,
      "\xef\xbb\xbf"
      "a,b\n1,2\n",
      BEGIN ROW("1", "2") END },
    { "half a mark", NOHEAD, "\xef\xbb", BEGIN "enter rows\nfault CSV_ENCODING 1\nleave rows\n" END },
    { "two bytes a character", AB,
      "\xff\xfe"
      "a\0,\0b\0\n\0",
      BEGIN "fault CSV_ENCODING (UTF-16)\n" END },
    { "empty cells are absent", AB, "a,b\n,2\n1,\n\"\",\"\"\n",
      BEGIN "enter rows\nvalue 1 2\nleave rows\nenter rows\nvalue 0 1\nleave rows\nenter rows\nleave rows\n" END },
    { "quotes", AB, "\"a\",\"b\"\n\"1,1\",\"2\r\n2\"\n\"\"\"q\"\"\",x\n", BEGIN ROW("1,1", "2\r\n2") ROW("\"q\"", "x") END },
    { "blanks are kept", AB, "a,b\n 1 ,2 \n", BEGIN ROW(" 1 ", "2 ") END },
    { "blanks are left away where the column says so", "csv\nrow rows unit\ncol a trim\n", "a\n  1 \n\"  \"\n",
      BEGIN "enter rows\nvalue 0 1\nleave rows\nenter rows\nleave rows\n" END },
    { "blank behind a closing quote", AB, "a,b\n\"1\" ,2\n", BEGIN ROW("1", "2") END },
    { "text behind a closing quote", AB, "a,b\n\"1\"x,2\n3,4\n",
      BEGIN "enter rows\nfault CSV_QUOTE 1\nvalue 0 1\nvalue 1 2\nleave rows\n" ROW("3", "4") END },
    { "a quote inside", AB, "a,b\n5\" pipe,2\n",
      BEGIN "enter rows\nfault CSV_STRAY_QUOTE 1\nvalue 0 5\" pipe\nvalue 1 2\nleave rows\n" END },
    { "a quote that never closes", AB, "a,b\n1,\"2\n3,4\n",
      BEGIN "enter rows\nfault CSV_UNCLOSED 2\nvalue 0 1\nvalue 1 2\n3,4\n\nleave rows\n" END },
    { "blank lines", AB, "\na,b\n\n1,2\n \n3,4\n\n\n", BEGIN "fault CSV_BLANK_LINE\n" ROW("1", "2") ROW("3", "4") END },
    { "blank lines at the end are nothing", AB, "a,b\n1,2\n\n\n", BEGIN ROW("1", "2") END },
    { "control Z at the end is nothing", AB, "a,b\n1,2\n\x1a", BEGIN ROW("1", "2") END },
    { "too few cells", AB, "a,b\n1\n3,4\n",
      BEGIN "enter rows\nfault CSV_CELLS 1 (1 cells, 2 expected)\nvalue 0 1\nleave rows\n" ROW("3", "4") END },
    { "too many cells", AB, "a,b\n1,2,3\n",
      BEGIN "enter rows\nfault CSV_CELLS 3 (3 cells, 2 expected)\nvalue 0 1\nvalue 1 2\nleave rows\n" END },
    { "a separator at the end of each row", AB, "a,b\n1,2,\n3,4,\n",
      BEGIN "enter rows\nfault CSV_TRAILING (3 cells, 2 expected)\nvalue 0 1\nvalue 1 2\nleave rows\n" ROW("3", "4") END },
    { "the first row says how many", NOHEAD, "1,2,3\n4,5\n",
      BEGIN ROW("1", "2") "enter rows\nfault CSV_CELLS 2 (2 cells, 3 expected)\nvalue 0 4\nvalue 1 5\nleave rows\n" END },
    { "columns that are missing", AB, "x,y\n1,2\n", BEGIN "fault CSV_HEADER (a, b)\nenter rows\nleave rows\n" END },
    { "a column that stands twice", AB, "a,b,b\n1,2,3\n",
      BEGIN "fault CSV_HEADER (b (twice))\nenter rows\nvalue 0 1\nleave rows\n" END },
    { "the exact heading goes first", AB, "a,B,b\n1,2,3\n", BEGIN ROW("1", "3") END },
    { "not UTF-8", AB, "a,b\n1,\xff\n3,4\n",
      BEGIN "enter rows\nfault CSV_ENCODING 2\nvalue 0 1\nleave rows\n" ROW("3", "4") END },
    { "Latin-1", "csv enc=ISO-8859-1\nrow rows unit\ncol a\n", "a\nf\xfcr\n",
      BEGIN "enter rows\nvalue 0 f\xc3\xbcr\nleave rows\n" END },
    { "a byte that the set has not", "csv enc=US-ASCII\nrow rows unit\ncol a\n", "a\nf\xfcr\n",
      BEGIN "enter rows\nfault CSV_ENCODING 1\nleave rows\n" END },
    { "bars and no quotes", "csv sep=| quote=none\nrow rows unit\ncol a\ncol b\n", "a|b\n\"1|2\"\n",
      BEGIN ROW("\"1", "2\"") END },
    { "tabs", "csv sep=tab\nrow rows unit\ncol a\ncol b\n", "a\tb\n1\t2\n\t\n",
      BEGIN ROW("1", "2") "enter rows\nleave rows\n" END },
    { "a terminator of its own", "csv noheader term=~\nrow rows unit\ncol a\ncol b\n", "1,2~\r\n3,4~\n5,6",
      BEGIN ROW("1", "2") ROW("3", "4") ROW("5", "6") END },
    { "longer than the column", "csv\nrow rows unit\ncol a len=2\n", "a\n\xc3\xa4\xc3\xb6\nabc\n",
      BEGIN "enter rows\nvalue 0 \xc3\xa4\xc3\xb6\nleave rows\nenter rows\nfault CSV_TEXT_LONG 1 (3 characters, at most "
            "2)\nleave rows\n" END },
    { "remaining cells", "csv noheader\nrow rows unit\ncol a\ncol r rest=2\n", "1\n1,,x\n1,2,3,4\n",
      BEGIN "enter rows\nvalue 0 1\nleave rows\n"
            "enter rows\nvalue 0 1\nenter rows.r\nleave rows.r\nenter rows.r\nvalue 0 x\nleave rows.r\nleave rows\n"
            "enter rows\nvalue 0 1\nenter rows.r\nvalue 0 2\nleave rows.r\nenter rows.r\nvalue 0 3\nleave rows.r\n"
            "fault CSV_CELLS_LIMIT 2 (3 cells in a list of 2)\nleave rows\n" END },
    { "records in records", BAI,
      "01,BANK/\n02,HOSPITAL/\n03,ACC1/\n16,142,820,Z/\n88,MORE TEXT\n16,165,5,,REF,\n49,825,3/\n98,825/\n99,825/\n",
      "begin transaction group guide 0  #\nvalue 0 HOSPITAL\nenter account\nvalue 0 ACC1\n"
      "enter tx\nvalue 0 142\nvalue 1 820\nenter tx.rest\nvalue 0 Z\nleave tx.rest\nenter tx.rest\nvalue 0 MORE TEXT\nleave "
      "tx.rest\nleave tx\n"
      "enter tx\nvalue 0 165\nvalue 1 5\nenter tx.rest\nleave tx.rest\nenter tx.rest\nvalue 0 REF\nleave tx.rest\nenter "
      "tx.rest\nleave tx.rest\nleave tx\n"
      "enter account_end\nvalue 0 825\nleave account_end\nleave account\nenter group_end\nvalue 0 825\nleave group_end\n"
      "fault CSV_UNKNOWN\nfinish transaction\nend\n" },
    { "a record without its parent", BAI, "02,H/\n16,1,2/\n03,A/\n",
      SET("group") "value 0 H\nenter tx\nfault CSV_RECORD\nvalue 0 1\nvalue 1 2\nleave tx\nenter account\nvalue 0 "
                   "A\nleave "
                   "account\n" END },
    { "outside of every transaction", BAI, "16,1,2/\n", "fault CSV_RECORD\nend\n" },
    { "a continuation of nothing", BAI, "88,x\n02,H/\n", "fault CSV_CONTINUATION\n" SET("group") "value 0 H\n" END },
    { "once is once", BAI, "02,H/\n98,1/\n98,2/\n02,I/\n98,3/\n",
      SET("group") "value 0 H\nenter group_end\nvalue 0 1\nleave group_end\nenter group_end\nfault "
                   "CSV_REPEATED\nvalue 0 "
                   "2\nleave group_end\nfinish transaction\n" SET("group") "value 0 I\nenter group_end\nvalue 0 3\nleave "
                                                                           "group_end\n" END },
    { "fixed width, with line ends", NACHA, "1HEAD.....\r\n5ACME      \r\n",
      SET("batch") "fault CSV_LENGTH (11 bytes, 10 expected)\nvalue 0 ACME\n" END },
    { "fixed width, one after the other", NACHA, "1HEAD.....5ACME     600820JIM 7ADDENDA..600821ANNA8001641   \n",
      SET("batch") "value 0 ACME\nenter entry\nvalue 0 00820\nvalue 1 JIM\nenter addenda\nvalue 0 ADDENDA..\nleave "
                   "addenda\n"
                   "leave entry\nenter entry\nvalue 0 00821\nfault CSV_TEXT_LONG 2 (4 characters, at most 3)\nleave entry\nenter "
                   "control\nvalue 0 "
                   "00164\nleave control\n" END },
    { "a record that is short", NACHA, "5ACME     \n600820\n600821JIM \n",
      SET("batch") "value 0 ACME\nenter entry\nfault CSV_LENGTH (6 bytes, 10 expected)\nvalue 0 00820\nleave "
                   "entry\nenter "
                   "entry\nvalue 0 00821\nvalue 1 JIM\nleave entry\n" END },
    { "a column that cuts a character", "fixed 3\nrow rows unit\ncol a at=1-2\ncol b at=3-3\n",
      "c\xce\x88\n\xce\x88"
      "d\n",
      BEGIN "enter rows\nfault CSV_ENCODING 1\nfault CSV_ENCODING 2\nleave rows\n" ROW("\xce\x88", "d") END },
    { "a trailer", ENDED, "S,1\nE\n", SET("set") "value 0 1\nfinish transaction\nend\n" },
    { "one of two trailers, and blank lines", ENDED, "S,1\nE\nP\n\n", SET("set") "value 0 1\nfinish transaction\nend\n" },
    { "cut before the trailer", ENDED, "S,1\nU,2\n",
      SET("set") "value 0 1\nenter one\nvalue 0 2\nleave one\nfault CSV_TRUNCATED\n" END },
    { "a second file that is cut", ENDED, "S,1\nE\nS,2",
      SET("set") "value 0 1\nfinish transaction\n" SET("set") "value 0 2\nfault CSV_TRUNCATED\n" END },
    { "an unknown row behind the trailer", ENDED, "S,1\nE\n?\n",
      SET("set") "value 0 1\nfinish transaction\nfault CSV_UNKNOWN\nend\n" },
    { "a trailer is wanted and nothing came", ENDED, "", "fault CSV_EMPTY\nend\n" },
    { "half a record at the end", NACHA, "5ACME     600820JIM 6008",
      SET("batch") "value 0 ACME\nenter entry\nvalue 0 00820\nvalue 1 JIM\nleave entry\nenter entry\nfault "
                   "CSV_LENGTH (4 "
                   "bytes, 10 expected)\nvalue 0 008\nleave entry\n" END },
};
enum { N_CASES = sizeof cases / sizeof *cases };

static size_t length_of(size_t n) { return strcmp(cases[n].name, "two bytes a character") == 0 ? 10 : strlen(cases[n].input); }

static struct event_log run_case(size_t n, size_t cut, const shunt_memory *memory, unsigned flags,
                                 const shunt_csv_options *options)
{
    struct event_log log = { 0 };
    struct csv_plan *plan = csv_plan_new(cases[n].plan);
    shunt_reader    *reader = shunt_csv_reader_new(memory, csv_plan_of(plan), csv_plan_standard(plan), options);
    if (reader)
        event_log_run(&log, reader, csv_plan_of(plan), cases[n].input, length_of(n), event_log_cut_fixed, &cut, flags, true);
    csv_plan_free(plan);
    return log;
}

START_TEST(same_events_at_every_cut)
{
    struct event_log whole = run_case((size_t)_i, 1 << 20, &shunt_memory_libc, EVENT_LOG_PLACES, NULL);
    for (size_t cut = 1; cut <= length_of((size_t)_i) + 1; cut++) {
        struct event_log log = run_case((size_t)_i, cut, &shunt_memory_libc, 0, NULL);
        ck_assert_msg(strcmp(log.text, cases[_i].log) == 0, "%s, cut %zu:\n%swanted:\n%s", cases[_i].name, cut, log.text,
                      cases[_i].log);
        event_log_done(&log);
        log = run_case((size_t)_i, cut, &shunt_memory_libc, EVENT_LOG_PLACES, NULL);
        ck_assert_msg(strcmp(log.text, whole.text) == 0, "%s, places at cut %zu:\n%swhole:\n%s", cases[_i].name, cut, log.text,
                      whole.text);
        event_log_done(&log);
    }
    event_log_done(&whole);
}
END_TEST

START_TEST(every_allocation_fails_once)
{
    for (size_t n = 1;; n++) {
        struct test_memory m;
        test_memory_init(&m, n);
        struct event_log log = run_case((size_t)_i, 3, &m.memory, 0, NULL);
        ck_assert_uint_eq(m.blocks, 0);
        if (log.text && m.calls >= n) ck_assert_msg(strstr(log.text, "failed NO_MEMORY\n") != NULL, "%s", log.text);
        bool over = m.calls < n;
        event_log_done(&log);
        if (over) break;
    }
}
END_TEST

/* Rows at and beyond the limit, in pieces of every size around it. */
START_TEST(rows_that_are_too_long)
{
    enum { MOST = 40 };
    static const char *const ends[] = { "\n", "\r\n", "\r" };
    struct csv_plan         *plan = csv_plan_new("csv noheader\nrow rows unit\ncol a\n");
    for (size_t e = 0; e < SHUNT_COUNT(ends); e++)
        for (size_t length = MOST - 2; length <= MOST * 3; length++)
            for (size_t cut = 1; cut < MOST * 3 + 4; cut += 1 + cut / 9) {
                char              input[512];
                int               size = snprintf(input, sizeof input, "%0*d%sz%s", (int)length, 0, ends[e], ends[e]);
                shunt_csv_options options = { .max_row_bytes = MOST };
                struct event_log  log;
                event_log_run(&log,
                              shunt_csv_reader_new(&shunt_memory_libc, csv_plan_of(plan), csv_plan_standard(plan), &options),
                              csv_plan_of(plan), input, (size_t)size, event_log_cut_fixed, &cut, EVENT_LOG_PLACES, true);
                char wanted[128];
                snprintf(wanted, sizeof wanted, "fault CSV_ROW_LONG @0+%zu/1", length + strlen(ends[e]));
                ck_assert_msg((strstr(log.text, wanted) != NULL) == (length > MOST), "%zu, %zu: %s", length, cut, log.text);
                snprintf(wanted, sizeof wanted, "value 0 z @%zu+1/2..%d\n", length + strlen(ends[e]), size);
                ck_assert_msg(strstr(log.text, wanted) != NULL, "%zu, %zu: %s", length, cut, log.text);
                event_log_done(&log);
            }
    csv_plan_free(plan);
}
END_TEST

START_TEST(cells_beyond_the_limit)
{
    shunt_csv_options options = { .max_cells = 2 };
    struct csv_plan  *plan = csv_plan_new("csv noheader\nrow rows unit\ncol a\n");
    struct event_log  log;
    size_t            cut = 1;
    event_log_run(&log, shunt_csv_reader_new(&shunt_memory_libc, csv_plan_of(plan), csv_plan_standard(plan), &options),
                  csv_plan_of(plan), "1,2,3,4\n", 8, event_log_cut_fixed, &cut, 0, true);
    ck_assert_str_eq(log.text, BEGIN "enter rows\nfault CSV_CELLS_LIMIT 2\nvalue 0 1\nleave rows\n" END);
    event_log_done(&log);
    csv_plan_free(plan);
}
END_TEST

/* Memory follows the longest row, not the input. */
START_TEST(memory_is_bounded)
{
    enum { ROWS = 20000 };
    struct test_memory m;
    struct csv_plan   *plan = csv_plan_new(AB);
    test_memory_init(&m, 0);
    char *input = malloc(ROWS * 32);
    ck_assert_ptr_nonnull(input);
    size_t size = (size_t)sprintf(input, "a,b\n");
    for (int i = 0; i < ROWS; i++) size += (size_t)sprintf(input + size, "%d,\"x\"\"%d\"\n", i, i);
    struct event_log log;
    size_t           cut = 1000;
    event_log_run(&log, shunt_csv_reader_new(&m.memory, csv_plan_of(plan), csv_plan_standard(plan), NULL), csv_plan_of(plan),
                  input, size, event_log_cut_fixed, &cut, 0, false);
    ck_assert_uint_eq(log.events, ROWS * 4 + 3);
    ck_assert_uint_eq(m.blocks, 0);
    ck_assert_uint_lt(m.peak_bytes, 32 * 1024);
    event_log_done(&log);
    free(input);
    csv_plan_free(plan);
}
END_TEST

START_TEST(headings)
{
    static const struct {
        const char *a, *b;
        bool        like;
    } pairs[] = {
        { "Check Number", "check_number", true },
        { " check-number ", "check_number", true },
        { "CHECK NUMBER:", "check_number", true },
        { "checknumber", "check_number", false },
        { "check", "check_number", false },
        { "", "", false },
        { "Amount ($)", "amount", true },
        { "Betrag f\xc3\xbcr", "betrag_f\xc3\xbcr", true },
        { "a1", "a2", false },
    };
    for (size_t i = 0; i < SHUNT_COUNT(pairs); i++)
        ck_assert_msg(shunt_csv_heading_like(shunt_text_of(pairs[i].a), shunt_text_of(pairs[i].b)) == pairs[i].like, "%s",
                      pairs[i].a);
}
END_TEST

START_TEST(sniffing)
{
    static const struct {
        const char *input, *columns; /* NULL: not known */
        char        separator;
        bool        last;
    } files[] = {
        { "id,amount\n1,2\n", "id amount", ',', false },
        { "\xef\xbb\xbf"
          "id;\"due date\"\r\n",
          "id due date", ';', false },
        { "DML_IND|BENE_ID|A,B\n", "DML_IND BENE_ID A,B", '|', false },
        { "1,2,3\n4,5,6\n", "1 2 3", ',', false },
        { "a,a\n", "1 2", ',', false },
        { "A1001,DOE JANE\n", "1 2", ',', false },
        { "JANE,jane@example.com\n", "1 2", ',', false },
        { "line1,icd10\n", "line1 icd10", ',', false },
        { "a\tb", "a b", '\t', true },
        { "a\tb", NULL, 0, false },
        { "", NULL, 0, true },
        { "\"a\nb", NULL, 0, true },
    };
    for (size_t i = 0; i < SHUNT_COUNT(files); i++) {
        shunt_arena     *arena = shunt_arena_new(&shunt_memory_libc, 0);
        bool             known;
        shunt_csv_shape *shape = shunt_csv_sniff(arena, shunt_text_of(files[i].input), files[i].last, &known);
        ck_assert_ptr_nonnull(shape);
        ck_assert_msg(known == (files[i].columns != NULL), "%s", files[i].input);
        char names[200] = "";
        for (uint16_t c = 0; known && c < shape->rows[0].column_count; c++)
            snprintf(names + strlen(names), sizeof names - strlen(names), "%s%.*s", c ? " " : "",
                     SHUNT_TEXT_ARGS(shape->rows[0].columns[c].name));
        if (known) {
            ck_assert_str_eq(names, files[i].columns);
            ck_assert_int_eq(shape->separator, files[i].separator);
        }
        shunt_arena_free(arena);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("csv_reader");
    TCase *tcase = tcase_create("csv_reader");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, same_events_at_every_cut, 0, N_CASES);
    tcase_add_loop_test(tcase, every_allocation_fails_once, 0, N_CASES);
    tcase_add_test(tcase, rows_that_are_too_long);
    tcase_add_test(tcase, cells_beyond_the_limit);
    tcase_add_test(tcase, memory_is_bounded);
    tcase_add_test(tcase, headings);
    tcase_add_test(tcase, sniffing);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
