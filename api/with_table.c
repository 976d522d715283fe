/* with_table.c - a program whose rows of one table come from another file, CSV or NDJSON. */
#include <stdio.h>

#include "api/api.h"
#include "dsl/excerpt.h"
#include "dsl/table_csv.h"

typedef struct replacing {
    shunt_memory         memory;
    shunt_arena         *arena;
    shunt_diags          diags;
    shunt_excerpt_source source;
    char                 why[200];
} replacing;

static shunt_status replace(replacing *r, const shunt_program *program, const char *table, const void *csv, size_t csv_size,
                            shunt_program **with)
{
    uint16_t number = 0;
    while (number < program->tables_count && !shunt_text_is(shunt_program_text(program, program->tables[number].name), table))
        number++;
    if (number == program->tables_count) {
        int used = snprintf(r->why, sizeof r->why, "the program has no table `%.60s`", table);
        for (uint16_t i = 0; i < program->tables_count && used > 0 && (size_t)used < sizeof r->why; i++)
            used += snprintf(r->why + used, sizeof r->why - (size_t)used, "%s`%.*s`", i ? ", " : "; it has ",
                             SHUNT_TEXT_ARGS(shunt_program_text(program, program->tables[i].name)));
        return SHUNT_NOT_FOUND;
    }
    shunt_csv_table  columns;
    shunt_table_rows rows;
    SHUNT_TRY(shunt_csv_table_of_program(r->arena, program, number, &columns));
    columns.json = shunt_table_is_json(r->source.name);
    SHUNT_TRY(shunt_table_csv(r->arena, &r->diags, &columns, 0, csv, csv_size, &rows));
    if (r->diags.failed) return SHUNT_NO_MEMORY;
    if (r->diags.errors) return SHUNT_RULES_WRONG;
    return shunt_program_with_table(&r->memory, program, number, rows.cells, rows.row_count, rows.texts, rows.text_count,
                                    rows.hash, with, r->why);
}

static void render(replacing *r, shunt_messages *messages)
{
    shunt_excerpt_sources sources = { &r->source, 1 };
    uint32_t              shown = 0;
    shunt_diags_sort(&r->diags);
    for (uint32_t i = 0; i < r->diags.count; i++) {
        shunt_excerpt_json(&sources, &r->diags.items[i], &messages->json);
        shunt_buffer_char(&messages->json, '\n');
        if (shown++ >= 20) continue;
        if (messages->text.length) shunt_buffer_char(&messages->text, '\n');
        shunt_excerpt(&sources, &r->diags.items[i], &messages->text);
    }
    messages->errors += r->diags.errors;
    messages->warnings += r->diags.warnings;
}

shunt_result shunt_with_table(const shunt_program *program, const char *table, const char *csv_name, const void *csv,
                              size_t csv_size, const shunt_allocator *allocator, shunt_program **with, shunt_messages **messages)
{
    replacing r = { .memory = shunt_api_memory(allocator),
                    .source = { shunt_text_of(csv_name), { csv, csv_size > UINT32_MAX ? 0 : (uint32_t)csv_size } } };
    *with = NULL;
    if (messages) *messages = NULL;
    r.arena = shunt_arena_new(&r.memory, 0);
    if (!r.arena) return SHUNT_SYSTEM_FAULT;
    shunt_diags_init(&r.diags, r.arena);
    shunt_status status = replace(&r, program, table, csv, csv_size, with);
    if (messages && status != SHUNT_NO_MEMORY && (*messages = shunt_messages_new(&r.memory)) != NULL) {
        render(&r, *messages);
        if (r.why[0]) shunt_messages_say(*messages, SHUNT_ERROR, shunt_status_info[status].code, "%s", r.why);
    }
    shunt_arena_free(r.arena);
    return shunt_result_of(status);
}
