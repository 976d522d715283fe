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
                             "record wide a?:text b?:text c?:int d?:text e?:text f?:text g?:text h?:text i?:text j?:text k?:text "
                             "l?:text m?:text n?:text o?:text p?:text q?:text r?:text s?:text t?:text\n"
                             "target t_all all key=0\n"
                             "target t_same same\n"
                             "target t_mixed mixed\n"
                             "target gl header journal line=columns\n"
                             "target gl_foreign header journal line=foreign\n"
                             "target gl_wide header journal line=wide\n"
                             "target gl_bare header journal\n";

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

/* ---- any journals, against a writer that knows no short ways ---- */

enum { LINES = 12, WIDE = 20 };

static uint64_t seed;
static unsigned roll(unsigned below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % below;
}

static shunt_text some_text(void)
{
    static const char pool[] =
        "plain text of any length: 0123456789 abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ, and more of it, "
        "so that pieces end in all places, behind it what is \"quoted\", a \\, a tab \t, Z\xc3\xbcrich, \xff.";
    static const unsigned lengths[] = { 0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 47, 48, 49, 63, 64, 65, 66, 110 };
    unsigned              length = lengths[roll(SHUNT_COUNT(lengths))], room = (unsigned)sizeof pool - 1 - length;
    /* What is not plain stands at the end. */
    return (shunt_text){ pool + (roll(4) ? roll(60 < room ? 60 : room) : room - roll(8)), length };
}

static void slow_money(shunt_buffer *out, __int128 amount, unsigned scale)
{
    char digits[64], *at = digits + sizeof digits;
    bool negative = amount < 0;
    if (negative) amount = -amount;
    for (unsigned d = 0; d <= scale || amount; d++, amount /= 10) {
        if (d == scale && scale) *--at = '.';
        *--at = (char)('0' + (int)(amount % 10));
    }
    if (negative) *--at = '-';
    shunt_buffer_char(out, '"');
    shunt_buffer_add(out, at, (size_t)(digits + sizeof digits - at));
    shunt_buffer_char(out, '"');
}

static void slow_line(shunt_buffer *out, const shunt_program *p, const shunt_target *target, const shunt_line *line)
{
    const shunt_record_type *columns = target->line == SHUNT_NONE ? NULL : &p->records[target->line];
    uint16_t                 currency = 0; /* of the columns */
    for (uint32_t c = 0; columns && c < columns->field_count; c++)
        if (p->fields[columns->field_first + c].type.extra) currency = p->fields[columns->field_first + c].type.extra;
    bool own = currency && currency != line->type.extra;
    shunt_buffer_z(out, line->credit ? "{\"side\":\"credit\",\"account\":" : "{\"side\":\"debit\",\"account\":");
    shunt_buffer_json(out, line->account);
    shunt_buffer_z(out, ",\"amount\":");
    slow_money(out, line->amount, line->type.scale);
    shunt_buffer_z(out, own ? ",\"amount_currency\":" : ",\"currency\":");
    shunt_buffer_json(out, shunt_program_text(p, line->type.extra));
    for (uint32_t c = 0; columns && c < columns->field_count; c++) {
        const shunt_field *field = &p->fields[columns->field_first + c];
        if (line->states[c] != SHUNT_PRESENT) continue;
        shunt_buffer_format(out, ",\"%.*s\":", SHUNT_TEXT_ARGS(shunt_program_text(p, field->name)));
        if (field->type.kind == SHUNT_KIND_TEXT) shunt_buffer_json(out, line->columns[c].text);
        if (field->type.kind == SHUNT_KIND_INT) shunt_buffer_format(out, "%lld", (long long)line->columns[c].integer);
        if (field->type.kind != SHUNT_KIND_DECIMAL) continue;
        slow_money(out, line->columns[c].coefficient, field->type.scale);
        if (own)
            shunt_buffer_format(out, ",\"%.*s_currency\":\"%.*s\"", SHUNT_TEXT_ARGS(shunt_program_text(p, field->name)),
                                SHUNT_TEXT_ARGS(shunt_program_text(p, field->type.extra)));
    }
    shunt_buffer_char(out, '}');
}

static void some_column(const shunt_field *field, shunt_value *value, uint8_t *state)
{
    *state = (uint8_t)(roll(3) ? SHUNT_PRESENT : roll(2) ? SHUNT_ABSENT : SHUNT_CLEARED);
    if (field->type.kind == SHUNT_KIND_TEXT)
        value->text = some_text();
    else if (field->type.kind == SHUNT_KIND_INT)
        value->integer = (int64_t)roll(1u << 30) * roll(1u << 30) - (int64_t)roll(1u << 30);
    else
        value->coefficient = (__int128)roll(1u << 30) * roll(1000) - 1000;
}

START_TEST(journals_of_any_shape)
{
    static const char *const targets[] = { "gl", "gl_foreign", "gl_wide", "gl_bare" };
    shunt_program           *p = asm_load(source);
    shunt_encoders          *encoders;
    char                     why[200];
    shunt_buffer             out, wanted;
    uint16_t                 usd = p->fields[p->records[p->targets[target_of(p, "t_mixed")].record].field_first].type.extra,
             eur = p->fields[p->records[p->targets[target_of(p, "t_mixed")].record].field_first + 1].type.extra;
    ck_assert_int_eq(shunt_encoders_new(&shunt_memory_libc, p, (shunt_text){ 0 }, &encoders, why), SHUNT_OK);
    shunt_buffer_init(&wanted, &shunt_memory_libc);
    for (int round = 0; round < 4000; round++) {
        uint16_t            number = target_of(p, targets[roll(SHUNT_COUNT(targets))]);
        const shunt_target *target = &p->targets[number];
        const shunt_field  *fields = target->line == SHUNT_NONE ? NULL : p->fields + p->records[target->line].field_first;
        uint32_t            count = fields ? p->records[target->line].field_count : 0;
        shunt_value         common[WIDE], columns[LINES][WIDE];
        uint8_t             common_states[WIDE], states[LINES][WIDE];
        shunt_line          lines[LINES];
        shunt_text          key[] = { some_text(), some_text(), some_text() };
        struct fields       header = absent();
        bool                mixed = roll(4) == 0;
        if (roll(2)) set(&header, 0, (shunt_value){ .integer = 0 });
        for (uint32_t c = 0; c < count; c++) some_column(&fields[c], &common[c], &common_states[c]);
        uint32_t line_count = 1 + roll(LINES);
        for (uint32_t i = 0; i < line_count; i++) {
            uint32_t own = roll(3) ? roll(2) : roll(count + 1);
            if (own > count) own = count;
            for (uint32_t c = 0; c < count; c++) {
                columns[i][c] = common[c];
                states[i][c] = common_states[c];
                if (c < own) some_column(&fields[c], &columns[i][c], &states[i][c]);
            }
            shunt_type type = { .kind = SHUNT_KIND_DECIMAL, .scale = 2, .extra = usd };
            if (mixed) type.scale = (uint8_t)roll(5), type.extra = roll(2) ? usd : eur;
            __int128 amount = 1 + (__int128)roll(100000);
            while (roll(4) == 0 && amount >> 100 == 0) amount *= 1 + roll(100000);
            lines[i] = (shunt_line){ .credit = roll(2),
                                     .alike = (uint16_t)(count - own),
                                     .account = some_text(),
                                     .amount = amount,
                                     .type = type,
                                     .columns = columns[i],
                                     .states = states[i] };
        }
        shunt_record  record = { .target = number,
                                 .fields = header.values,
                                 .states = header.states,
                                 .lines = lines,
                                 .line_count = line_count,
                                 .journal = true,
                                 .key = key,
                                 .key_count = 3 };
        shunt_stamp   stamp = { .correlate = SHUNT_TEXT("[\"T\"]"), .begin = 1, .end = 2 };
        shunt_written where;
        shunt_buffer_init(&out, &shunt_memory_libc); /* it grows somewhere else each time */
        for (unsigned before = roll(300); before; before--) shunt_buffer_char(&out, '.');
        ck_assert_int_eq(shunt_encode(encoders, &record, &stamp, &out, NULL, &where), SHUNT_OK);
        wanted.length = 0;
        shunt_buffer_z(&wanted, header.states[0] == SHUNT_PRESENT ? "{\"on\":\"1970-01-01\",\"lines\":[" : "{\"lines\":[");
        for (uint32_t i = 0; i < line_count; i++) {
            if (i) shunt_buffer_char(&wanted, ',');
            slow_line(&wanted, p, target, &lines[i]);
        }
        shunt_buffer_z(&wanted, "]}");
        ck_assert_uint_eq(where.content.end - where.content.begin, wanted.length);
        ck_assert_mem_eq(out.bytes + where.content.begin, wanted.bytes, wanted.length);
        wanted.length = 0;
        for (int k = 0; k < 3; k++) {
            shunt_buffer_char(&wanted, k ? ',' : '[');
            shunt_buffer_json(&wanted, key[k]);
        }
        shunt_buffer_char(&wanted, ']');
        ck_assert_uint_eq(where.key.end - where.key.begin, wanted.length);
        ck_assert_mem_eq(out.bytes + where.key.begin, wanted.bytes, wanted.length);
        shunt_buffer_done(&out);
    }
    shunt_buffer_done(&wanted);
    shunt_encoders_free(encoders);
    shunt_program_free(p);
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
    tcase_add_test(tc, journals_of_any_shape);
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
