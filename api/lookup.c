/* lookup.c - one row of a table, found as the rules would find it. */
#include "api/api.h"
#include "engine/base/date.h"
#include "engine/base/decimal.h"
#include "engine/vm/table.h"
#include "engine/vm/verify.h"
#include "engine/vm/vm.h"

#include <stdio.h>

typedef struct asking {
    const shunt_program     *program;
    const shunt_table       *table;
    const shunt_record_type *record;
    shunt_buffer             out;
    char                     why[200];
} asking;

static const shunt_field *field_of(const asking *a, uint32_t n) { return &a->program->fields[a->record->field_first + n]; }

/* A key as it is typed, as a value of its column. */
static bool read_key(asking *a, uint32_t n, const char *typed, shunt_value *value)
{
    const shunt_field *field = field_of(a, n);
    shunt_text         text = shunt_text_of(typed), name = shunt_program_text(a->program, field->name);
    const char        *wanted = "a number";
    bool               fine = false;
    memset(value, 0, sizeof *value);
    if (field->type.kind == SHUNT_KIND_TEXT) {
        value->text = text;
        return true;
    }
    if (field->type.kind == SHUNT_KIND_BOOL) {
        value->integer = shunt_text_is(text, "true");
        fine = value->integer || shunt_text_is(text, "false");
        wanted = "`true` or `false`";
    } else if (field->type.kind == SHUNT_KIND_DATE) {
        fine = shunt_date_parse_iso(text, &value->integer) == SHUNT_OK;
        wanted = "a date as YYYY-MM-DD";
    } else if (field->type.kind == SHUNT_KIND_MOMENT) {
        fine = shunt_moment_parse(text, &value->moment) == SHUNT_OK;
        wanted = "a date and time with zone";
    } else if (field->type.kind == SHUNT_KIND_INT && field->type.extra) {
        const shunt_enum *e = &a->program->enums[field->type.extra - 1];
        for (uint32_t i = 0; i < e->member_count && !fine; i++) {
            fine = shunt_text_equal(shunt_program_text(a->program, a->program->numbers[e->member_first + i]), text);
            value->integer = i;
        }
        wanted = "a member of its enum";
    } else {
        bool          integer = field->type.kind == SHUNT_KIND_INT;
        shunt_decimal number = 0;
        fine = shunt_decimal_parse(text.bytes, text.length, integer ? 0 : field->type.scale, false, &number) == SHUNT_OK &&
               (!integer || (number >= INT64_MIN && number <= INT64_MAX));
        if (integer)
            value->integer = (int64_t)number;
        else
            value->coefficient = number;
    }
    if (!fine)
        snprintf(a->why, sizeof a->why, "`%.60s` is no key `%.*s`: it is %s", typed, (int)(name.length < 60 ? name.length : 60),
                 name.bytes, wanted);
    return fine;
}

static void print_row(asking *a, const shunt_row *row)
{
    size_t width = 0;
    for (uint32_t i = 0; i < a->record->field_count; i++) {
        size_t length = shunt_program_text(a->program, field_of(a, i)->name).length;
        if (length > width) width = length;
    }
    for (uint32_t i = 0; i < a->record->field_count; i++) {
        const shunt_field *field = field_of(a, i);
        shunt_text         name = shunt_program_text(a->program, field->name);
        char               room[64];
        shunt_buffer_text(&a->out, name);
        for (size_t k = name.length; k < width + 2; k++) shunt_buffer_char(&a->out, ' ');
        if (row->states[i] != SHUNT_PRESENT)
            shunt_buffer_z(&a->out, "-");
        else
            shunt_buffer_text(&a->out, shunt_value_text(a->program, field->type, row->fields[i], room));
        if (row->states[i] == SHUNT_PRESENT && field->type.kind == SHUNT_KIND_DECIMAL && field->type.extra)
            shunt_buffer_format(&a->out, " %.*s", SHUNT_TEXT_ARGS(shunt_program_text(a->program, field->type.extra)));
        shunt_buffer_char(&a->out, '\n');
    }
}

static bool find_table(asking *a, const char *name)
{
    for (uint32_t i = 0; i < a->program->tables_count && !a->table; i++)
        if (shunt_text_is(shunt_program_text(a->program, a->program->tables[i].name), name)) a->table = &a->program->tables[i];
    if (a->table) {
        a->record = &a->program->records[a->table->record];
        return true;
    }
    int used = snprintf(a->why, sizeof a->why, "the rules have no table `%.60s`", name);
    for (uint32_t i = 0; i < a->program->tables_count && used > 0 && (size_t)used < sizeof a->why; i++)
        used += snprintf(a->why + used, sizeof a->why - (size_t)used, "%s`%.*s`", i ? ", " : "; they have ",
                         SHUNT_TEXT_ARGS(shunt_program_text(a->program, a->program->tables[i].name)));
    return false;
}

static shunt_status answer(asking *a, const char *name, const char *const *keys, size_t count)
{
    shunt_value      values[SHUNT_TABLE_KEYS];
    int64_t          day = 0;
    uint64_t         tries = 0;
    const shunt_row *row = NULL;
    if (!find_table(a, name)) return SHUNT_USAGE;
    bool   effective = a->table->flags & SHUNT_TABLE_EFFECTIVE;
    size_t wanted = a->table->key_count + (effective ? 1u : 0u);
    if (count != wanted) {
        snprintf(a->why, sizeof a->why, "table `%.60s` has %u key%s%s; %zu %s given", name, a->table->key_count,
                 a->table->key_count == 1 ? "" : "s", effective ? " and wants a day behind them" : "", count,
                 count == 1 ? "is" : "are");
        return SHUNT_USAGE;
    }
    for (uint32_t i = 0; i < a->table->key_count; i++)
        if (!read_key(a, i, keys[i], &values[i])) return SHUNT_USAGE;
    if (effective && shunt_date_parse_iso(shunt_text_of(keys[a->table->key_count]), &day) != SHUNT_OK) {
        snprintf(a->why, sizeof a->why, "`%.60s` is no day as YYYY-MM-DD", keys[a->table->key_count]);
        return SHUNT_USAGE;
    }
    row = shunt_lookup_find(a->program->lookups[a->table - a->program->tables], values, day, &tries);
    if (!row) {
        shunt_buffer_z(&a->out, "no row\n");
        return SHUNT_NOT_FOUND;
    }
    print_row(a, row);
    return SHUNT_OK;
}

shunt_result shunt_look_up(const shunt_program *program, const char *table, const char *const *keys, size_t count,
                           shunt_write write, void *context, shunt_messages **messages)
{
    shunt_memory memory = shunt_api_memory(NULL);
    asking       a = { .program = program };
    *messages = NULL;
    shunt_buffer_init(&a.out, &memory);
    shunt_status status = answer(&a, table, keys, count);
    if (status == SHUNT_USAGE && (*messages = shunt_messages_new(&memory)) != NULL)
        shunt_messages_say(*messages, SHUNT_ERROR, shunt_status_info[SHUNT_USAGE].code, "%s", a.why);
    bool written = !a.out.failed && (a.out.length == 0 || write(context, a.out.bytes, a.out.length));
    shunt_buffer_done(&a.out);
    if (!written) return SHUNT_SYSTEM_FAULT;
    return status == SHUNT_USAGE ? SHUNT_RULES_FAULT : status == SHUNT_NOT_FOUND ? SHUNT_INPUT_FAULT : SHUNT_DONE;
}
