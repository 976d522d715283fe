#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/date.h"
#include "engine/vm/record.h"
#include "tests/support/asm.h"
#include "tests/support/test_memory.h"

static const char source[] = "enum lane contractual patient \"open item\"\n"
                             "record item sku:text price?:usd2 on?:date\n"
                             "record all name:text yes?:bool n?:int rate?:dec3 on?:date at?:moment lane?:enum:lane "
                             "items?:list:row:item tags?:list:text days?:list:date one?:row:item\n"
                             "record same a?:usd2 note?:text b?:usd4\n"
                             "record mixed a?:usd2 b?:eur2 note?:text\n"
                             "record header on?:date\n"
                             "record columns reason?:text fee?:usd2\n"
                             "record foreign fee?:eur2 reason?:text\n"
                             "target t_all all key=0\n"
                             "target t_same same\n"
                             "target t_mixed mixed\n"
                             "target gl header journal line=columns\n"
                             "target gl_foreign header journal line=foreign\n";

enum { FIELDS = 11 };

struct fields {
    shunt_value values[FIELDS];
    uint8_t     states[FIELDS];
};

static struct fields absent(void)
{
    struct fields f = { .states = { 0 } };
    memset(f.states, SHUNT_ABSENT, sizeof f.states);
    return f;
}

static void set(struct fields *f, int i, shunt_value value)
{
    f->values[i] = value;
    f->states[i] = SHUNT_PRESENT;
}

static shunt_value text_value(const char *z) { return (shunt_value){ .text = shunt_text_of(z) }; }

static shunt_value money(long cents) { return (shunt_value){ .coefficient = cents }; }

/* The record itself, as it is written; allocated. */
static char *written(const shunt_program *program, const shunt_record *record)
{
    shunt_encoders *encoders;
    shunt_buffer    out;
    shunt_written   where;
    char            why[200];
    shunt_stamp     stamp = { .begin = 12, .end = 345 };
    shunt_buffer_init(&out, &shunt_memory_libc);
    ck_assert_int_eq(shunt_encoders_new(&shunt_memory_libc, program, (shunt_text){ 0 }, &encoders, why), SHUNT_OK);
    ck_assert_int_eq(shunt_encode(encoders, record, &stamp, &out, NULL, &where), SHUNT_OK);
    char *copy = strndup(out.bytes + where.content.begin, where.content.end - where.content.begin);
    shunt_buffer_done(&out);
    shunt_encoders_free(encoders);
    return copy;
}

static uint16_t target_of(const shunt_program *program, const char *name)
{
    for (uint16_t i = 0; i < program->targets_count; i++)
        if (shunt_text_is(shunt_program_text(program, program->targets[i].name), name)) return i;
    abort();
}

static void expect(const shunt_program *program, const char *target, const struct fields *f, const shunt_line *lines,
                   uint32_t line_count, const char *wanted)
{
    bool         journal = strncmp(target, "gl", 2) == 0;
    shunt_record record = { .target = target_of(program, target),
                            .fields = f->values,
                            .states = f->states,
                            .lines = lines,
                            .line_count = line_count,
                            .journal = journal };
    char        *got = written(program, &record);
    ck_assert_str_eq(got, wanted);
    free(got);
}

START_TEST(kinds_of_values)
{
    shunt_program *program = asm_load(source);
    struct fields  f = absent(), item = absent(), bare = absent();
    expect(program, "t_all", &f, NULL, 0, "{}");
    set(&f, 0, text_value("N"));
    set(&f, 1, (shunt_value){ .integer = 1 });
    set(&f, 2, (shunt_value){ .integer = INT64_MIN });
    set(&f, 3, money(-5));
    set(&f, 4, (shunt_value){ .integer = shunt_date_days(2025, 3, 1) });
    set(&f, 5, (shunt_value){ .integer = (shunt_date_days(2025, 3, 1) * 86400 + 43200) * 1000000 });
    set(&f, 6, (shunt_value){ .integer = 2 });
    expect(program, "t_all", &f, NULL, 0,
           "{\"name\":\"N\",\"yes\":true,\"n\":-9223372036854775808,\"rate\":\"-0.005\",\"on\":\"2025-03-01\",\"at\":\"2025-03-"
           "01T12:00:00Z\",\"lane\":\"open item\"}");
    set(&item, 0, text_value("S"));
    set(&item, 1, money(199));
    set(&bare, 0, text_value("B"));
    shunt_row   rows[] = { { item.states, item.values }, { bare.states, bare.values } };
    shunt_value list[] = { { .row = &rows[0] }, { .row = &rows[1] } }, tags[] = { text_value("x"), text_value("") },
                days[] = { f.values[4] };
    f = absent();
    set(&f, 7, (shunt_value){ .list = { list, 2 } });
    set(&f, 8, (shunt_value){ .list = { tags, 2 } });
    set(&f, 9, (shunt_value){ .list = { days, 1 } });
    set(&f, 10, list[1]);
    expect(program, "t_all", &f, NULL, 0,
           "{\"items\":[{\"sku\":\"S\",\"price\":\"1.99\",\"currency\":\"USD\"},{\"sku\":\"B\"}],\"tags\":[\"x\",\"\"],\"days\":["
           "\"2025-03-01\"],\"one\":{\"sku\":\"B\"}}");
    shunt_program_free(program);
}
END_TEST

START_TEST(currencies)
{
    shunt_program *program = asm_load(source);
    struct fields  f = absent();
    set(&f, 0, money(100));
    set(&f, 1, text_value("x"));
    set(&f, 2, money(12345));
    expect(program, "t_same", &f, NULL, 0, "{\"a\":\"1.00\",\"currency\":\"USD\",\"note\":\"x\",\"b\":\"1.2345\"}");
    f.states[0] = SHUNT_ABSENT;
    expect(program, "t_same", &f, NULL, 0, "{\"note\":\"x\",\"b\":\"1.2345\",\"currency\":\"USD\"}");
    f = absent();
    set(&f, 0, money(100));
    set(&f, 1, money(-200));
    expect(program, "t_mixed", &f, NULL, 0, "{\"a\":\"1.00\",\"a_currency\":\"USD\",\"b\":\"-2.00\",\"b_currency\":\"EUR\"}");
    f.states[0] = SHUNT_CLEARED;
    expect(program, "t_mixed", &f, NULL, 0, "{\"b\":\"-2.00\",\"b_currency\":\"EUR\"}");
    shunt_program_free(program);
}
END_TEST

START_TEST(lines_of_journals)
{
    shunt_program *program = asm_load(source);
    uint16_t       usd =
        program->fields[program->records[program->targets[target_of(program, "t_same")].record].field_first].type.extra;
    struct fields f = absent(), column = absent(), foreign = absent(), none = absent();
    set(&f, 0, (shunt_value){ .integer = 0 });
    set(&column, 0, text_value("45"));
    set(&column, 1, money(7));
    set(&foreign, 0, money(8));
    shunt_type amount = { .kind = SHUNT_KIND_DECIMAL, .scale = 2, .extra = usd };
    shunt_line lines[] = {
        { .account = SHUNT_TEXT("1015"), .amount = 500, .type = amount, .columns = column.values, .states = column.states },
        { .credit = true,
          .account = SHUNT_TEXT("12\"0"),
          .amount = 500,
          .type = amount,
          .columns = none.values,
          .states = none.states }
    };
    expect(program, "gl", &f, lines, 2,
           "{\"on\":\"1970-01-01\",\"lines\":[{\"side\":\"debit\",\"account\":\"1015\",\"amount\":\"5.00\",\"currency\":\"USD\","
           "\"reason\":\"45\",\"fee\":\"0.07\"},"
           "{\"side\":\"credit\",\"account\":\"12\\\"0\",\"amount\":\"5.00\",\"currency\":\"USD\"}]}");
    lines[0].columns = foreign.values;
    lines[0].states = foreign.states;
    f.states[0] = SHUNT_ABSENT;
    expect(program, "gl_foreign", &f, lines, 1,
           "{\"lines\":[{\"side\":\"debit\",\"account\":\"1015\",\"amount\":\"5.00\",\"amount_currency\":\"USD\",\"fee\":\"0."
           "08\",\"fee_currency\":\"EUR\"}]}");
    shunt_program_free(program);
}
END_TEST

static const struct {
    const char *text, *json;
} texts[] = {
    { "", "\"\"" },
    { "plain", "\"plain\"" },
    { "\"\\/\b\f\n\r\t\x01\x7f", "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\x7f\"" },
    { "Z\xc3\xbcrich \xf0\x9f\x92\xb6", "\"Z\xc3\xbcrich \xf0\x9f\x92\xb6\"" },
    { "bad \xff\xc3( end", "\"bad \xef\xbf\xbd\xef\xbf\xbd( end\"" },
    { "exactly thirty-two bytes of text", "\"exactly thirty-two bytes of text\"" },
    { "thirty-three bytes of plain text.", "\"thirty-three bytes of plain text.\"" },
    { "thirty-three bytes that end in a\n", "\"thirty-three bytes that end in a\\n\"" },
    { "thirty-two bytes with a \" in them", "\"thirty-two bytes with a \\\" in them\"" },
};

START_TEST(texts_of_all_kinds)
{
    shunt_buffer out;
    shunt_text   text = shunt_text_of(texts[_i].text);
    shunt_buffer_init(&out, &shunt_memory_libc);
    shunt_json_texts(&out, &text, 1);
    ck_assert(out.length == strlen(texts[_i].json) + 2 && memcmp(out.bytes + 1, texts[_i].json, out.length - 2) == 0);
    shunt_buffer_done(&out);
}
END_TEST

/* Key, correlation and meta stand around the record. */
START_TEST(a_whole_line)
{
    shunt_program  *program = asm_load(source);
    shunt_encoders *encoders;
    shunt_buffer    out;
    shunt_written   where;
    struct fields   f = absent();
    char            why[200], wanted[400], hex[65] = "";
    shunt_text      key[] = { SHUNT_TEXT("a"), SHUNT_TEXT("b\"") };
    shunt_record    record = {
           .target = target_of(program, "t_same"), .fields = f.values, .states = f.states, .key = key, .key_count = 2
    };
    shunt_stamp stamp = { .correlate = SHUNT_TEXT("[\"T\"]"), .begin = UINT64_MAX, .end = 0 };
    shunt_buffer_init(&out, &shunt_memory_libc);
    ck_assert_int_eq(shunt_encoders_new(&shunt_memory_libc, program, SHUNT_TEXT("ab12"), &encoders, why), SHUNT_OK);
    ck_assert_int_eq(shunt_encoders_input(encoders, SHUNT_TEXT("in \"1\"")), SHUNT_OK);
    ck_assert_int_eq(shunt_encode(encoders, &record, &stamp, &out, NULL, &where), SHUNT_OK);
    for (int i = 0; i < 32; i++) snprintf(hex + 2 * i, 3, "%02x", program->hash[i]);
    snprintf(wanted, sizeof wanted,
             "{\"target\":\"t_same\",\"key\":[\"a\",\"b\\\"\"],\"correlate\":[\"T\"],\"record\":{},\"meta\":{\"program\":\"%s\","
             "\"token_key\":\"ab12\","
             "\"input\":\"in \\\"1\\\"\",\"begin\":18446744073709551615,\"end\":0}}",
             hex);
    shunt_buffer_char(&out, 0);
    ck_assert_str_eq(out.bytes, wanted);
    ck_assert(strncmp(out.bytes + where.key.begin, "[\"a\",\"b\\\"\"]", where.key.end - where.key.begin) == 0);
    shunt_buffer_done(&out);
    shunt_encoders_free(encoders);
    shunt_program_free(program);
}
END_TEST

START_TEST(memory_that_fails)
{
    shunt_program *program = asm_load(source);
    for (size_t n = 1;; n++) {
        struct test_memory memory;
        shunt_encoders    *encoders = NULL;
        shunt_written      where;
        shunt_buffer       out;
        struct fields      f = absent();
        char               why[200];
        test_memory_init(&memory, n);
        shunt_buffer_init(&out, &memory.memory);
        set(&f, 0,
            text_value("a text that is longer than the first piece of the buffer, so that the buffer must grow, which takes "
                       "memory that may not be there"));
        shunt_record record = { .fields = f.values, .states = f.states };
        shunt_stamp  stamp = { 0 };
        shunt_status status = shunt_encoders_new(&memory.memory, program, (shunt_text){ 0 }, &encoders, why);
        if (status == SHUNT_OK) status = shunt_encode(encoders, &record, &stamp, &out, NULL, &where);
        bool all = memory.calls < n;
        ck_assert_int_eq(status, all ? SHUNT_OK : SHUNT_NO_MEMORY);
        ck_assert(all || out.length == 0);
        shunt_encoders_free(encoders);
        shunt_buffer_done(&out);
        ck_assert_uint_eq(memory.blocks, 0);
        if (all) break;
    }
    shunt_program_free(program);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("record");
    TCase *tc = tcase_create("record");
    tcase_add_test(tc, kinds_of_values);
    tcase_add_test(tc, currencies);
    tcase_add_test(tc, lines_of_journals);
    tcase_add_loop_test(tc, texts_of_all_kinds, 0, SHUNT_COUNT(texts));
    tcase_add_test(tc, a_whole_line);
    tcase_add_test(tc, memory_that_fails);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
