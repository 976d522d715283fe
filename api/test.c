/* test.c - runs the `test` blocks of a module: its program over sample interchanges, what it did against what is expected. */
#include <stdio.h>

#include "api/compile.h"
#include "api/coverage.h"
#include "api/expect.h"
#include "api/extern.h"
#include "api/test_run.h"
#include "engine/base/date.h"
#include "engine/base/decimal.h"
#include "engine/vm/session.h"
#include "standards/registry.h"
#include "standards/x12/sample.h"

enum { MOST_TABLES = 64 };

typedef struct item_list {
    expect_item *items;
    uint32_t     count, capacity;
} item_list;

/* One test while it runs. */
typedef struct trial {
    const char          *extern_folder;
    const shunt_memory  *memory;
    shunt_compilation   *compilation;
    const shunt_program *program;
    const shunt_ast     *module, *items; /* of the file, of the test */
    shunt_arena         *arena;
    item_list            unit, transaction, seen; /* records of the unit, of the transaction, and all that came to stay */
    item_list            wanted;
    shunt_text           wanted_ack;
    bool                 ack_wanted, nothing_wanted;
    shunt_text           ack; /* of the first exit that refuses something, else that of an accepted message */
    const char          *accepted;
    shunt_buffer         why; /* what failed before anything could be compared */
    uint8_t             *covered;
    uint32_t             covered_count;
} trial;

static bool push(shunt_arena *arena, item_list *list, const expect_item *item)
{
    if (list->count == list->capacity) {
        uint32_t     capacity = list->capacity ? list->capacity * 2 : 8;
        expect_item *items = SHUNT_NEW_N(arena, expect_item, capacity);
        if (!items) return false;
        if (list->count) memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = *item;
    return true;
}

static bool move_all(shunt_arena *arena, item_list *from, item_list *to)
{
    for (uint32_t i = 0; i < from->count; i++)
        if (!push(arena, to, &from->items[i])) return false;
    from->count = 0;
    return true;
}

/* ---- what happens ---- */

static shunt_status on_record(void *context, const shunt_record *record)
{
    trial      *t = context;
    expect_item item;
    if (record->journal && record->line_count == 0) return SHUNT_OK;
    if (!expect_seen(t->arena, t->program, record, &item)) return SHUNT_NO_MEMORY;
    return push(t->arena, &t->unit, &item) ? SHUNT_OK : SHUNT_NO_MEMORY;
}

static shunt_status on_settled(void *context, uint64_t unit, shunt_fate fate)
{
    trial *t = context;
    (void)unit;
    if (fate == SHUNT_POSTED && !move_all(t->arena, &t->unit, &t->transaction)) return SHUNT_NO_MEMORY;
    t->unit.count = 0;
    return SHUNT_OK;
}

static shunt_status on_transaction(void *context, bool committed)
{
    trial *t = context;
    if (committed && !move_all(t->arena, &t->transaction, &t->seen)) return SHUNT_NO_MEMORY;
    t->transaction.count = 0;
    return SHUNT_OK;
}

/* An exit of this code that leaves more than its unit, and does not say so. */
typedef struct exit_search {
    shunt_text code;
    bool       found;
} exit_search;

static bool find_widened(shunt_ast *node, void *context)
{
    exit_search      *search = context;
    const shunt_fact *fact = shunt_fact_of(node);
    if (node->kind != SHUNT_AST_EXIT || !fact || fact->kind != SHUNT_FACT_EXIT || !fact->symbol) return true;
    bool widened = !node->kids[SHUNT_EXIT_scope] && fact->scope >= SHUNT_LANG_TRANSACTION;
    if (widened && shunt_text_equal(fact->symbol->name, search->code)) search->found = true;
    return true;
}

static bool is_widened(const trial *t, shunt_text code)
{
    exit_search search = { .code = code };
    for (uint32_t m = 0; m < t->compilation->module_count; m++)
        shunt_ast_walk(t->compilation->modules[m].tree, find_widened, &search);
    return search.found;
}

static shunt_status on_exception(void *context, const shunt_raised *raised)
{
    trial       *t = context;
    shunt_text   code = shunt_raised_code(t->program, raised);
    expect_item  item = { .exit = true,
                          .kind = shunt_text_of(raised->grade == SHUNT_GRADE_WARNING  ? "warn"
                                                : raised->grade == SHUNT_GRADE_REJECT ? "reject"
                                                                                      : "quarantine") };
    shunt_buffer text;
    item.name = shunt_text_copy(t->arena, code);
    if (raised->grade != SHUNT_GRADE_WARNING && raised->scope >= SHUNT_SCOPE_TRANSACTION)
        item.scope = raised->scope == SHUNT_SCOPE_TRANSACTION ? SHUNT_TEXT("transaction")
                     : raised->scope == SHUNT_SCOPE_BATCH     ? SHUNT_TEXT("batch")
                                                              : SHUNT_TEXT("file");
    item.widened = item.scope.length && raised->code != SHUNT_NONE && is_widened(t, code);
    shunt_buffer_init(&text, t->memory);
    if (raised->message.length)
        shunt_buffer_text(&text, raised->message);
    else if (raised->cause != SHUNT_OK)
        shunt_buffer_z(&text, shunt_status_info[raised->cause].meaning);
    if (raised->path.length) shunt_buffer_format(&text, " (%.*s)", SHUNT_TEXT_ARGS(raised->path));
    item.detail = shunt_text_copy(t->arena, (shunt_text){ text.bytes, (uint32_t)text.length });
    bool failed = text.failed || (text.length && !item.detail.bytes) || !item.name.bytes;
    shunt_buffer_done(&text);
    if (!t->ack.length && raised->code != SHUNT_NONE && raised->grade != SHUNT_GRADE_WARNING &&
        t->program->codes[raised->code].ack != SHUNT_NONE)
        t->ack = shunt_program_text(t->program, t->program->codes[raised->code].ack);
    return failed || !push(t->arena, &t->seen, &item) ? SHUNT_NO_MEMORY : SHUNT_OK;
}

static shunt_status ignore(void *context)
{
    (void)context;
    return SHUNT_OK;
}
static shunt_status ignore_record(void *context, uint16_t target, const char *bytes, size_t length)
{
    (void)context, (void)target, (void)bytes, (void)length;
    return SHUNT_OK;
}
static shunt_status ignore_exception(void *context, const shunt_exception_out *exception)
{
    (void)context, (void)exception;
    return SHUNT_OK;
}

/* ---- what is given ---- */

typedef struct unit_search {
    shunt_text variable, loop;
} unit_search;

static bool find_unit(shunt_ast *node, void *context)
{
    unit_search      *search = context;
    const shunt_fact *fact = shunt_fact_of(node);
    if (node->kind != SHUNT_AST_FOR_EACH || !fact || !fact->unit) return true;
    const shunt_ast  *each = node->kids[SHUNT_FOR_EACH_each];
    const shunt_fact *variable = shunt_fact_of(each);
    if (variable && variable->symbol && shunt_text_equal(variable->symbol->name, search->variable) && variable->symbol->type.loop)
        search->loop = variable->symbol->type.loop->id;
    return false;
}

/* What an accepted message is answered with. */
static const char *accepted_by(shunt_standard standard)
{
    static const char *const acks[SHUNT_STANDARD_COUNT] = { [SHUNT_STANDARD_X12] = "999:A",
                                                            [SHUNT_STANDARD_HL7] = "AA",
                                                            [SHUNT_STANDARD_FHIR] = "OperationOutcome:informational",
                                                            [SHUNT_STANDARD_CSV] = "none",
                                                            [SHUNT_STANDARD_FIXED] = "none" };
    return acks[standard];
}

static shunt_status feed_message(trial *t, shunt_session *session, shunt_standard standard, shunt_text message)
{
    shunt_reader *reader = shunt_reader_for(standard, t->memory, &t->program->plan);
    if (!reader) return SHUNT_NO_MEMORY;
    SHUNT_TRY(shunt_session_begin(session, reader, (shunt_text){ 0 }, SHUNT_TEXT("test")));
    SHUNT_TRY(shunt_session_feed(session, message.bytes, message.length));
    return shunt_session_end(session);
}

/* Why no message can be made around a piece. */
static void tell_unmade(trial *t, shunt_text loop, const shunt_x12_made *made, size_t count)
{
    for (size_t m = 0; m < count; m++) {
        if (made[m].placed) continue;
        shunt_buffer_format(&t->why, "nothing is made before %.*s in which %.*s could stand\n", SHUNT_TEXT_ARGS(loop),
                            SHUNT_TEXT_ARGS(made[m].element));
        return;
    }
    shunt_buffer_format(&t->why, "no message can be made that starts with %.*s\n", SHUNT_TEXT_ARGS(loop));
}

static shunt_status feed_given(trial *t, shunt_session *session, const shunt_ast *given)
{
    const shunt_symbol *source = shunt_fact_of(given)->symbol;
    shunt_standard      standard = source->as.source->standard;
    t->accepted = accepted_by(standard);
    /* Only X12 has envelopes that nobody writes by hand. */
    if (standard != SHUNT_STANDARD_X12) return feed_message(t, session, standard, given->kids[SHUNT_GIVEN_message]->text);
    const shunt_ast *piece = given->kids[SHUNT_GIVEN_piece];
    shunt_text       loop = piece ? piece->text : (shunt_text){ 0 };
    if (piece && piece->kind == SHUNT_AST_NAME) {
        unit_search search = { .variable = piece->text };
        for (uint32_t m = 0; m < t->compilation->module_count; m++)
            shunt_ast_walk(t->compilation->modules[m].tree, find_unit, &search);
        loop = search.loop;
    }
    shunt_buffer message;
    shunt_buffer_init(&message, t->memory);
    const shunt_ast *with = given->kids[SHUNT_GIVEN_made];
    size_t           count = with ? with->kid_count : 0;
    shunt_x12_made  *made = SHUNT_NEW_N(t->arena, shunt_x12_made, count + 1);
    if (!made) return SHUNT_NO_MEMORY;
    for (size_t m = 0; m < count; m++) {
        const shunt_ast *one = with->kids[m], *around = one->kids[SHUNT_MADE_loop];
        made[m] = (shunt_x12_made){ .loop = around ? around->text : (shunt_text){ 0 },
                                    .element = one->kids[SHUNT_MADE_element]->text,
                                    .value = one->kids[SHUNT_MADE_value]->text };
    }
    shunt_status status =
        shunt_x12_sample(source->as.source->guides[0], loop, made, count, given->kids[SHUNT_GIVEN_message]->text, &message);
    if (status == SHUNT_NOT_FOUND || status == SHUNT_VALUE_INVALID || status == SHUNT_OVERFLOW) {
        if (status == SHUNT_NOT_FOUND)
            tell_unmade(t, loop, made, count);
        else
            shunt_buffer_z(&t->why, "an amount that the payment is made of is none\n");
        status = SHUNT_OK;
    } else if (status == SHUNT_OK) {
        status = feed_message(t, session, standard, (shunt_text){ message.bytes, (uint32_t)message.length });
    }
    shunt_buffer_done(&message);
    return status;
}

/* ---- tables ---- */

static const shunt_symbol *table_of(const shunt_ast *with) { return shunt_fact_of(with)->symbol; }

/* Cells of `with table` rows, in the order of the shape. Columns left out are absent. */
static shunt_status table_cells(trial *t, const shunt_ast *with, shunt_cell **cells, shunt_text **texts, uint32_t *text_count)
{
    const shunt_shape *shape = table_of(with)->as.table->shape;
    const shunt_ast   *rows = with->kids[SHUNT_WITH_TABLE_rows];
    *cells = SHUNT_NEW_N(t->arena, shunt_cell, rows->kid_count * shape->count + 1);
    *texts = SHUNT_NEW_N(t->arena, shunt_text, rows->kid_count * shape->count + 1);
    *text_count = 0;
    if (!*cells || !*texts) return SHUNT_NO_MEMORY;
    for (uint32_t r = 0; r < rows->kid_count; r++) {
        shunt_cell *row = *cells + (size_t)r * shape->count;
        for (uint32_t m = 0; m < shape->count; m++) row[m].state = SHUNT_ABSENT;
        for (uint32_t f = 0; f < rows->kids[r]->kid_count; f++) {
            const shunt_ast *field = rows->kids[r]->kids[f];
            uint32_t         m = 0;
            while (m < shape->count && !shunt_text_equal(shape->members[m].name, field->kids[SHUNT_FIELD_name]->text)) m++;
            if (m == shape->count) continue; /* check has reported it */
            const shunt_ast  *value = field->kids[SHUNT_FIELD_value];
            const shunt_fact *fact = shunt_fact_of(value);
            const shunt_ty   *type = &shape->members[m].type;
            shunt_text        text;
            if (value->kind == SHUNT_AST_ABSENT_PATTERN) continue;
            if (!expect_literal(t->arena, value, type, &text)) return SHUNT_RULES_WRONG;
            row[m].state = SHUNT_PRESENT;
            switch (type->kind) {
            case SHUNT_TY_BOOL: row[m].value.integer = value->kind == SHUNT_AST_TRUE; break;
            case SHUNT_TY_ENUM: row[m].value.integer = fact->symbol->as.field.member; break;
            case SHUNT_TY_DATE: SHUNT_TRY(shunt_date_parse_iso(text, &row[m].value.integer)); break;
            case SHUNT_TY_INT: {
                shunt_decimal number;
                SHUNT_TRY(shunt_decimal_parse(text.bytes, text.length, 0, false, &number));
                row[m].value.integer = (int64_t)number;
                break;
            }
            case SHUNT_TY_DECIMAL:
            case SHUNT_TY_MONEY:
            case SHUNT_TY_PERCENT:
                SHUNT_TRY(shunt_decimal_parse(text.bytes, text.length, type->scale, false, &row[m].value.coefficient));
                break;
            default: row[m].text = *text_count; (*texts)[(*text_count)++] = text;
            }
        }
    }
    return SHUNT_OK;
}

/* A program on top of `base` for each `with table` that counts: those of the test, and those of the file that it does not replace. */
static shunt_status set_tables(trial *t, const shunt_program *base, const shunt_ast *module, const shunt_ast *items,
                               shunt_program **chain, uint32_t *count)
{
    const shunt_ast *lists[] = { items, module->kids[SHUNT_MODULE_decls] };
    for (int l = 0; l < 2; l++) {
        for (uint32_t i = 0; i < lists[l]->kid_count; i++) {
            const shunt_ast *with = lists[l]->kids[i];
            if (with->kind != SHUNT_AST_WITH_TABLE || *count == MOST_TABLES) continue;
            const shunt_symbol *table = table_of(with);
            bool                replaced = false;
            for (uint32_t j = 0; l == 1 && j < items->kid_count; j++)
                if (items->kids[j]->kind == SHUNT_AST_WITH_TABLE && table_of(items->kids[j]) == table) replaced = true;
            if (replaced) continue;
            const shunt_program *under = *count ? chain[*count - 1] : base;
            uint16_t             number = 0;
            while (number < under->tables_count &&
                   !shunt_text_equal(shunt_program_text(under, under->tables[number].name), table->name))
                number++;
            if (number == under->tables_count) continue; /* no rule reads it */
            shunt_cell   *cells;
            shunt_text   *texts;
            uint32_t      text_count;
            const uint8_t hash[32] = { 1 }; /* rows were given */
            char          why[200] = "";
            shunt_status  status = table_cells(t, with, &cells, &texts, &text_count);
            if (status == SHUNT_OK)
                status = shunt_program_with_table(t->memory, under, number, cells, with->kids[SHUNT_WITH_TABLE_rows]->kid_count,
                                                  texts, text_count, hash, &chain[*count], why);
            if (status == SHUNT_NO_MEMORY) return status;
            if (status != SHUNT_OK) {
                shunt_buffer_format(&t->why, "table %.*s: %s\n", SHUNT_TEXT_ARGS(table->name),
                                    why[0] ? why : "a cell is no literal of its type");
                return SHUNT_OK;
            }
            ++*count;
        }
    }
    return SHUNT_OK;
}

/* ---- one test ---- */

static shunt_status gather_wanted(trial *t, const shunt_ast *items)
{
    for (uint32_t i = 0; i < items->kid_count; i++) {
        if (items->kids[i]->kind != SHUNT_AST_EXPECT) continue;
        const shunt_ast *what = items->kids[i]->kids[SHUNT_EXPECT_what];
        expect_item      item;
        if (what->kind == SHUNT_AST_STRING) {
            t->ack_wanted = true;
            t->wanted_ack = what->text;
        } else if (what->kind == SHUNT_AST_NOTHING) {
            t->nothing_wanted = true;
        } else if (!expect_wanted(t->arena, what, &item) || !push(t->arena, &t->wanted, &item)) {
            return SHUNT_NO_MEMORY;
        }
    }
    return SHUNT_OK;
}

static shunt_status run_given(trial *t, const shunt_ast *items)
{
    shunt_observer        observer = { t, on_record, on_exception, on_settled, on_transaction };
    shunt_session_options options = { .memory = t->memory,
                                      .program = t->program,
                                      .sinks = { t, ignore, ignore_record, ignore, ignore_exception, NULL, NULL },
                                      .observer = &observer,
                                      .token_key = expect_token_key,
                                      .token_key_length = sizeof expect_token_key,
                                      .received_at_known = true,
                                      .covered = t->covered,
                                      .covered_count = t->covered_count };
    (void)shunt_moment_parse(SHUNT_TEXT("2025-03-01T12:00:00Z"), &options.received_at);
    shunt_session *session = NULL;
    shunt_externs *externs = NULL;
    char           why[200] = "";
    shunt_status   status = shunt_externs_new(t->memory, t->program, t->extern_folder, true, &externs, why);
    options.call_extern = externs ? shunt_externs_call : NULL;
    options.extern_context = externs;
    if (status == SHUNT_OK) status = shunt_session_new(&options, &session, why);
    if (status == SHUNT_USAGE) {
        shunt_externs_free(externs);
        shunt_buffer_format(&t->why, "%s\n", why);
        return SHUNT_OK;
    }
    for (uint32_t i = 0; i < items->kid_count && status == SHUNT_OK; i++)
        if (items->kids[i]->kind == SHUNT_AST_GIVEN) status = feed_given(t, session, items->kids[i]);
    if (status == SHUNT_OK) status = shunt_session_finish(session);
    if (status == SHUNT_FAILURE) {
        shunt_buffer_z(&t->why, "the control total does not add up\n");
        status = SHUNT_OK;
    }
    shunt_session_free(session);
    shunt_externs_free(externs);
    return status;
}

static void print_seen(trial *t, uint32_t i)
{
    shunt_buffer_z(&t->why, "came, and was not expected:\n");
    expect_print(&t->seen.items[i], false, "  ", &t->why);
}

/* Of what came and was not expected, that which differs least. */
static uint32_t nearest_seen(const trial *t, const expect_item *wanted, const bool *seen_left)
{
    uint32_t nearest = UINT32_MAX, least = UINT32_MAX;
    for (uint32_t i = 0; i < t->seen.count; i++) {
        uint32_t count = seen_left[i] ? expect_differences(wanted, &t->seen.items[i], "", NULL) : UINT32_MAX;
        if (count >= least) continue;
        least = count;
        nearest = i;
    }
    return nearest;
}

static bool is_given(const trial *t, shunt_text table)
{
    const shunt_ast *lists[] = { t->items, t->module->kids[SHUNT_MODULE_decls] };
    for (int l = 0; l < 2; l++)
        for (uint32_t i = 0; i < lists[l]->kid_count; i++)
            if (lists[l]->kids[i]->kind == SHUNT_AST_WITH_TABLE && shunt_text_equal(table_of(lists[l]->kids[i])->name, table))
                return true;
    return false;
}

/* Tests never read the file of a table: that nobody gave it rows is the commonest reason why nothing is found in it. */
static void name_empty_tables(trial *t)
{
    for (uint32_t i = 0; i < t->program->tables_count; i++) {
        const shunt_table *table = &t->program->tables[i];
        shunt_text         name = shunt_program_text(t->program, table->name), keys = { 0 };
        if (table->row_count || is_given(t, name)) continue;
        for (uint32_t s = 0; s < t->compilation->symbol_count; s++) {
            const shunt_symbol *symbol = t->compilation->symbols[s];
            if (symbol->kind != SHUNT_SYMBOL_TABLE || !shunt_text_equal(symbol->name, name)) continue;
            for (uint32_t m = 0; m < symbol->as.table->key_count; m++)
                keys = shunt_text_format(t->arena, "%.*s%.*s: ..., ", SHUNT_TEXT_ARGS(keys),
                                         SHUNT_TEXT_ARGS(symbol->as.table->shape->members[m].name));
            break;
        }
        shunt_buffer_format(&t->why, "table %.*s has no rows in this test: give it some by `with table %.*s { (%.*s...) }`\n",
                            SHUNT_TEXT_ARGS(name), SHUNT_TEXT_ARGS(name), SHUNT_TEXT_ARGS(keys));
    }
}

static void compare(trial *t)
{
    bool *seen_left = SHUNT_NEW_N(t->arena, bool, t->seen.count + 1),
         *wanted_left = SHUNT_NEW_N(t->arena, bool, t->wanted.count + 1);
    if (!seen_left || !wanted_left) {
        t->why.failed = true;
        return;
    }
    if (!expect_match(t->arena, t->seen.items, t->seen.count, t->wanted.items, t->wanted.count, seen_left, wanted_left)) {
        for (uint32_t i = 0; i < t->wanted.count; i++) {
            if (!wanted_left[i]) continue;
            shunt_buffer_z(&t->why, "expected, and did not come:\n");
            expect_print(&t->wanted.items[i], true, "  ", &t->why);
            uint32_t nearest = nearest_seen(t, &t->wanted.items[i], seen_left);
            if (nearest == UINT32_MAX) continue;
            seen_left[nearest] = false;
            print_seen(t, nearest);
            shunt_buffer_z(&t->why, "they differ:\n");
            (void)expect_differences(&t->wanted.items[i], &t->seen.items[nearest], "  ", &t->why);
        }
        for (uint32_t i = 0; i < t->seen.count; i++)
            if (seen_left[i]) print_seen(t, i);
        name_empty_tables(t);
    }
    shunt_text ack = t->ack.length ? t->ack : shunt_text_of(t->accepted ? t->accepted : "none");
    if (t->ack_wanted && !shunt_text_equal(ack, t->wanted_ack))
        shunt_buffer_format(&t->why, "expected acknowledgement %.*s, got %.*s\n", SHUNT_TEXT_ARGS(t->wanted_ack),
                            SHUNT_TEXT_ARGS(ack));
    if (!t->wanted.count && !t->ack_wanted && !t->nothing_wanted)
        shunt_buffer_z(&t->why, "the test expects nothing at all; say `expect nothing`\n");
}

shunt_status shunt_test_run(shunt_compiling *compiling, const shunt_program *base, const shunt_ast *test, uint8_t *covered,
                            uint32_t covered_count, shunt_buffer *why)
{
    shunt_program *chain[MOST_TABLES] = { 0 };
    uint32_t       count = 0;
    trial          t = { .memory = &compiling->memory,
                         .compilation = &compiling->compilation,
                         .program = base,
                         .extern_folder = compiling->extern_folder,
                         .covered = covered,
                         .covered_count = covered_count };
    shunt_buffer_init(&t.why, t.memory);
    t.arena = shunt_arena_new(t.memory, 0);
    const shunt_ast *module = compiling->compilation.modules[0].tree, *items = test->kids[SHUNT_TEST_items];
    t.module = module;
    t.items = items;
    shunt_status status = t.arena ? set_tables(&t, base, module, items, chain, &count) : SHUNT_NO_MEMORY;
    if (count) t.program = chain[count - 1];
    if (status == SHUNT_OK) status = gather_wanted(&t, items);
    if (status == SHUNT_OK && !t.why.length) status = run_given(&t, items);
    if (status == SHUNT_OK && !t.why.length) compare(&t);
    if (t.why.failed) status = SHUNT_NO_MEMORY;
    *why = t.why;
    while (count) shunt_program_free(chain[--count]);
    shunt_arena_free(t.arena);
    return status;
}

/* ---- stored answers ---- */

/* What the files of one `golden` share, and where their results go. */
typedef struct answers {
    shunt_compiling             *compiling;
    const shunt_compile_options *options;
    const shunt_program         *program;
    const shunt_ast             *golden;
    uint8_t                     *covered;
    uint32_t                     covered_count;
    void (*result)(void *context, const shunt_ast *declaration, shunt_text name, const shunt_buffer *why);
    void *context;
} answers;

/* An answer that an earlier `golden` of the module, or of this one, would write too. */
static shunt_status is_taken(const answers *a, const shunt_golden_file *file, bool *taken)
{
    const shunt_ast *decls = a->compiling->compilation.modules[0].tree->kids[SHUNT_MODULE_decls];
    *taken = false;
    for (uint32_t i = 0; i < decls->kid_count && decls->kids[i] != a->golden && !*taken; i++) {
        shunt_golden_file *files;
        uint32_t           count;
        int                error;
        if (decls->kids[i]->kind != SHUNT_AST_GOLDEN) continue;
        SHUNT_TRY(shunt_golden_list(a->compiling, decls->kids[i], &files, &count, &error));
        for (uint32_t j = 0; j < count; j++)
            if (shunt_text_equal(files[j].answer_path, file->answer_path)) *taken = true;
    }
    return SHUNT_OK;
}

static shunt_status run_answer(const answers *a, const shunt_golden_file *file)
{
    shunt_buffer why;
    bool         taken;
    shunt_buffer_init(&why, &a->compiling->memory);
    shunt_status status = is_taken(a, file, &taken);
    if (status == SHUNT_OK && taken)
        shunt_buffer_format(&why, "another `golden` stores its answer as `%.*s`, too; give this one a folder of its own\n",
                            SHUNT_TEXT_ARGS(file->answer_name));
    else if (status == SHUNT_OK)
        status = shunt_golden_run(a->compiling, a->options, a->program, file, a->covered, a->covered_count, &why);
    shunt_text name = shunt_text_format(a->compiling->arena, "golden %.*s", SHUNT_TEXT_ARGS(file->name));
    if (status == SHUNT_OK && (why.failed || !name.bytes)) status = SHUNT_NO_MEMORY;
    if (status == SHUNT_OK) a->result(a->context, a->golden, name, &why);
    shunt_buffer_done(&why);
    return status;
}

static shunt_status run_answers(const answers *a)
{
    shunt_golden_file *files;
    uint32_t           count;
    int                error;
    shunt_buffer       why;
    shunt_text         pattern = a->golden->kids[SHUNT_GOLDEN_inputs]->text;
    SHUNT_TRY(shunt_golden_list(a->compiling, a->golden, &files, &count, &error));
    for (uint32_t i = 0; i < count; i++) SHUNT_TRY(run_answer(a, &files[i]));
    if (count) return SHUNT_OK;
    shunt_buffer_init(&why, &a->compiling->memory);
    shunt_buffer_format(&why, "no file is called so%s%s\n", error ? ": " : "", error ? strerror(error) : "");
    shunt_text   name = shunt_text_format(a->compiling->arena, "golden %.*s", SHUNT_TEXT_ARGS(pattern));
    shunt_status status = why.failed || !name.bytes ? SHUNT_NO_MEMORY : SHUNT_OK;
    if (status == SHUNT_OK) a->result(a->context, a->golden, name, &why);
    shunt_buffer_done(&why);
    return status;
}

/* With the rows that stand in every test of the file. */
static shunt_status run_golden(answers *a)
{
    shunt_program  *chain[MOST_TABLES] = { 0 };
    uint32_t        count = 0;
    trial           t = { .memory = &a->compiling->memory, .compilation = &a->compiling->compilation };
    const shunt_ast none = { .kind = SHUNT_AST_LIST };
    shunt_buffer_init(&t.why, t.memory);
    t.arena = shunt_arena_new(t.memory, 0);
    shunt_status status =
        t.arena ? set_tables(&t, a->program, a->compiling->compilation.modules[0].tree, &none, chain, &count) : SHUNT_NO_MEMORY;
    if (count) a->program = chain[count - 1];
    if (t.why.failed) status = SHUNT_NO_MEMORY;
    if (status == SHUNT_OK && t.why.length)
        a->result(a->context, a->golden, SHUNT_TEXT("golden"), &t.why);
    else if (status == SHUNT_OK)
        status = run_answers(a);
    while (count) shunt_program_free(chain[--count]);
    shunt_buffer_done(&t.why);
    shunt_arena_free(t.arena);
    return status;
}

/* ---- results ---- */

static void xml_text(shunt_buffer *out, shunt_text text)
{
    for (uint32_t i = 0; i < text.length; i++) {
        switch (text.bytes[i]) {
        case '<': shunt_buffer_z(out, "&lt;"); break;
        case '>': shunt_buffer_z(out, "&gt;"); break;
        case '&': shunt_buffer_z(out, "&amp;"); break;
        case '"': shunt_buffer_z(out, "&quot;"); break;
        default: shunt_buffer_char(out, (unsigned char)text.bytes[i] < ' ' && text.bytes[i] != '\n' ? ' ' : text.bytes[i]);
        }
    }
}

/* `line` is where the test begins in its file. */
static void report(shunt_buffer *out, shunt_test_format format, uint64_t number, shunt_text suite, shunt_text name, uint32_t line,
                   const shunt_buffer *why)
{
    shunt_text reason = { why->bytes, (uint32_t)why->length };
    if (format == SHUNT_TEST_JUNIT) {
        shunt_buffer_z(out, "    <testcase classname=\"");
        xml_text(out, suite);
        shunt_buffer_z(out, "\" name=\"");
        xml_text(out, name);
        shunt_buffer_z(out, reason.length ? "\">\n      <failure>" : "\"/>\n");
        if (!reason.length) return;
        xml_text(out, suite);
        shunt_buffer_format(out, ":%u\n", line);
        xml_text(out, reason);
        shunt_buffer_z(out, "</failure>\n    </testcase>\n");
        return;
    }
    shunt_buffer_format(out, "%sok %llu - %.*s: %.*s\n", reason.length ? "not " : "", (unsigned long long)number,
                        SHUNT_TEXT_ARGS(suite), SHUNT_TEXT_ARGS(name));
    if (reason.length) shunt_buffer_format(out, "#   at %.*s:%u\n", SHUNT_TEXT_ARGS(suite), line);
    for (uint32_t at = 0; at < reason.length;) {
        const char *end = memchr(reason.bytes + at, '\n', reason.length - at);
        uint32_t    length = end ? (uint32_t)(end - reason.bytes) - at : reason.length - at;
        shunt_buffer_format(out, "#   %.*s\n", (int)length, reason.bytes + at);
        at += length + 1;
    }
}

/* Which places the tests have reached so far, and what the one at hand reaches. */
typedef struct reached {
    uint8_t  *now;
    uint32_t *tests;
    uint32_t  count;
} reached;

static bool begin_covering(shunt_compiling *compiling, reached *r)
{
    r->count = compiling->compilation.covers ? compiling->compilation.covers->count : 0;
    r->now = SHUNT_NEW_N(compiling->arena, uint8_t, r->count + 1);
    r->tests = SHUNT_NEW_N(compiling->arena, uint32_t, r->count + 1);
    return r->now && r->tests;
}

static void note_reached(reached *r)
{
    for (uint32_t i = 0; i < r->count; i++) r->tests[i] += r->now[i];
    memset(r->now, 0, r->count);
}

/* Where the results of a module go. */
typedef struct results {
    const shunt_module_info *module;
    shunt_test_format        format;
    uint64_t                 number; /* of the next one */
    shunt_test_totals       *totals;
    shunt_buffer             cases;
    reached                  places;
} results;

static void take_result(void *context, const shunt_ast *declaration, shunt_text name, const shunt_buffer *why)
{
    results *r = context;
    uint32_t line, column;
    *(why->length ? &r->totals->failed : &r->totals->passed) += 1;
    shunt_excerpt_place(r->module->source, declaration->span.begin, &line, &column);
    report(&r->cases, r->format, r->number++, r->module->name, name, line, why);
    note_reached(&r->places);
}

static shunt_status run_module(shunt_compiling *compiling, const shunt_compile_options *options, shunt_test_format format,
                               uint64_t number, shunt_buffer *out, shunt_test_totals *totals, shunt_coverage *coverage)
{
    shunt_program *program = NULL;
    shunt_covers   covers = { 0 };
    results        r = { .module = &compiling->compilation.modules[0], .format = format, .number = number, .totals = totals };
    if (coverage) compiling->compilation.covers = &covers;
    shunt_status status = shunt_compiling_program(compiling, &program);
    if (status == SHUNT_OK && !begin_covering(compiling, &r.places)) status = SHUNT_NO_MEMORY;
    if (status != SHUNT_OK) {
        shunt_program_free(program);
        return status;
    }
    const shunt_ast *decls = r.module->tree->kids[SHUNT_MODULE_decls];
    shunt_buffer_init(&r.cases, &compiling->memory);
    for (uint32_t i = 0; i < decls->kid_count && status == SHUNT_OK; i++) {
        shunt_buffer why;
        answers      a = { compiling, options, program, decls->kids[i], r.places.now, r.places.count, take_result, &r };
        if (decls->kids[i]->kind == SHUNT_AST_GOLDEN) status = run_golden(&a);
        if (decls->kids[i]->kind != SHUNT_AST_TEST) continue;
        status = shunt_test_run(compiling, program, decls->kids[i], r.places.now, r.places.count, &why);
        if (status == SHUNT_OK) take_result(&r, decls->kids[i], decls->kids[i]->kids[SHUNT_TEST_name]->text, &why);
        shunt_buffer_done(&why);
    }
    if (format == SHUNT_TEST_JUNIT) {
        shunt_buffer_z(out, "  <testsuite name=\"");
        xml_text(out, r.module->name);
        shunt_buffer_format(out, "\" tests=\"%llu\" failures=\"%llu\">\n", (unsigned long long)totals->passed + totals->failed,
                            (unsigned long long)totals->failed);
    }
    shunt_buffer_add(out, r.cases.bytes, r.cases.length);
    if (format == SHUNT_TEST_JUNIT) shunt_buffer_z(out, "  </testsuite>\n");
    out->failed = out->failed || r.cases.failed;
    if (status == SHUNT_OK && coverage) status = shunt_coverage_take(coverage, &compiling->compilation, r.places.tests);
    compiling->compilation.covers = NULL;
    shunt_buffer_done(&r.cases);
    shunt_program_free(program);
    return status;
}

shunt_result shunt_test(const char *path, const shunt_compile_options *options, shunt_test_format format, uint64_t number,
                        shunt_write write, void *context, shunt_test_totals *totals, shunt_messages **messages)
{
    return shunt_test_covered(path, options, format, number, write, context, totals, NULL, messages);
}

shunt_result shunt_test_covered(const char *path, const shunt_compile_options *options, shunt_test_format format, uint64_t number,
                                shunt_write write, void *context, shunt_test_totals *totals, shunt_coverage *coverage,
                                shunt_messages **messages)
{
    shunt_compiling compiling;
    shunt_buffer    out;
    *totals = (shunt_test_totals){ 0 };
    if (messages) *messages = NULL;
    shunt_status status = shunt_compiling_open(&compiling, path, options);
    shunt_buffer_init(&out, &compiling.memory);
    if (status == SHUNT_OK && compiling.diags.errors) status = SHUNT_RULES_WRONG;
    if (status == SHUNT_OK) status = run_module(&compiling, options, format, number, &out, totals, coverage);
    if (messages && compiling.diags.errors && (*messages = shunt_messages_new(&compiling.memory)) != NULL)
        shunt_compiling_render(&compiling, *messages);
    shunt_result result = shunt_result_of(status);
    if (result == SHUNT_DONE && (out.failed || (out.length && !write(context, out.bytes, out.length))))
        result = SHUNT_SYSTEM_FAULT;
    if (result == SHUNT_DONE && totals->failed) result = SHUNT_INPUT_FAULT;
    shunt_buffer_done(&out);
    shunt_compiling_free(&compiling);
    return result;
}
