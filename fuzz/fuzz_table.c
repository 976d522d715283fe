/* fuzz_table.c - any bytes as the rows of a table, or of a decision. The first byte picks the rules. The compiler and the host's way to give a table
 * take the same files and make the same rows of them; a row is found by keys as one finds it who looks at all rows; and what was made
 * of it runs. */
#include <errno.h>
#include <shunt/shunt.h>

#include "engine/vm/table.h"
#include "fuzz/alike.h"

#define HEAD                                                                                                                     \
    "module fuzz.table version \"1\" edition 1 "                                                                                 \
    "source bank is CSV { currency: USD  column a: text(20)  column n: int  column m: money  column d: date } "                  \
    "codes { T \"t\" queue \"q\" } enum e { one, two } "                                                                         \
    "target out { line: int  v: text?  x: money(USD)?  k: e?  key line } "

#define MAP(found)                                                                                                               \
    " map m from bank into out { on error quarantine T for each r in rows { let row = " found                                    \
    " emit out { line: position(r)  v: row.v  x: row.x  k: row.k } } }"

#define DECIDED(pattern)                                                                                                         \
    " map m from bank into out { on error quarantine T for each r in rows { emit out { line: position(r)  v: " pattern " } } }"

#define COLUMNS " column v: text(8)?  column x: money(USD)?  column k: e? }"

/* What follows `from` is written in between: a file or the host. */
static const struct rules {
    const char *before, *after, *file;
} rules[] = {
    { HEAD "table t { from \"", "\"  key a: text(20)  key n: int" COLUMNS MAP("t[r.a, r.n]"), "t.csv" },
    { HEAD "table t { from \"",
      "\"  key n: int  key a: text(20) by prefix  effective since through until" COLUMNS MAP("t[r.n, r.a at r.d]"), "t.csv" },
    { HEAD "table t { from \"", "\"  key a: text(20)  key n: int by range" COLUMNS MAP("t[r.a, r.n]"), "t.csv" },
    { HEAD "table t { from \"", "\"  key m: money(USD) by range  effective since through until" COLUMNS MAP("t[r.m at r.d]"),
      "t.csv" },
    { HEAD "table t { from \"", "\"  key a: text(20)  key d: date by range" COLUMNS MAP("t[r.a, r.d]"), "t.csv" },
    { HEAD "table t { from \"", "\"  key a: text(20) by prefix  effective since through until" COLUMNS MAP("t[r.a at r.d]"),
      "t.ndjson" },
    { HEAD "table t { from \"", "\"  key k2: e  key p: percent  key b: bool" COLUMNS MAP("t[one, 2.5%, true]"), "t.jsonl" },
    { HEAD "decide f(a: text(20), n: int, m: money(USD)) -> text(20) unique from \"", "\"" DECIDED("f(r.a, r.n, r.m)"), "t.csv" },
    { HEAD "decide f(a: text(20)?, d: date, b: bool) -> text(20) first from \"", "\"" DECIDED("f(r.a, r.d, r.n > 5)"), "t.csv" },
};
enum { RULES = sizeof rules / sizeof *rules, DECISIONS = 2, ROWS_AT_MOST = 24 };

static const char input[] = "a,n,m,d\nA,1,1.00,2025-01-01\nAB,2,-5.01,2025-06-30\nABC,-7,100,1999-12-31\nB,0,0,2025-01-31\n"
                            "C C,9223372036854775807,9999999999999.99,9999-12-31\n,,,\nA,5,4.99,2024-02-29\n";

struct files {
    const uint8_t *table;
    size_t         table_size;
    char           text[2000];
};

static int read_file(void *context, const shunt_allocator *allocator, const char *path, unsigned char **bytes, size_t *size)
{
    const struct files *files = context;
    bool                main_file = strcmp(path, "main.map") == 0;
    const void         *from = main_file ? (const void *)files->text : files->table;
    *size = main_file ? strlen(files->text) : files->table_size;
    *bytes = allocator->allocate(allocator->context, *size + 1);
    if (!*bytes) return ENOMEM;
    if (*size) memcpy(*bytes, from, *size);
    return 0;
}

static bool ignore(void *context, const void *bytes, size_t size)
{
    (void)context, (void)bytes, (void)size;
    return true;
}

static shunt_program *compiled(const struct rules *r, const char *from, struct files *files)
{
    shunt_compile_options options = { .size = sizeof options, .read_file = read_file, .read_context = files, .lints = true };
    shunt_program        *program;
    shunt_messages       *messages;
    snprintf(files->text, sizeof files->text, "%s%s%s", r->before, from, r->after);
    if (shunt_compile("main.map", &options, &program, &messages) == SHUNT_SYSTEM_FAULT) abort();
    shunt_messages_print(messages, false, ignore, NULL);
    shunt_messages_print(messages, true, ignore, NULL);
    shunt_messages_free(messages);
    return program;
}

/* ---- rows as one finds them who looks at all of them ---- */

struct row {
    shunt_value values[8];
    uint8_t     states[8];
};

static uint32_t rows_of(const shunt_program *p, struct row *rows)
{
    const shunt_table       *t = p->tables;
    const shunt_record_type *record = &p->records[t->record];
    uint32_t                 count = t->row_count < ROWS_AT_MOST ? t->row_count : ROWS_AT_MOST;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t c = 0; c < record->field_count; c++) {
            const shunt_cell *cell = &p->cells[t->cell_first + i * record->field_count + c];
            bool              text = p->fields[record->field_first + c].type.kind == SHUNT_KIND_TEXT;
            rows[i].states[c] = (uint8_t)cell->state;
            rows[i].values[c] = cell->value;
            if (text) rows[i].values[c].text = cell->state == SHUNT_PRESENT ? p->table_texts[cell->text] : (shunt_text){ 0 };
        }
    }
    return count;
}

static int order(uint8_t kind, shunt_value a, shunt_value b)
{
    if (kind == SHUNT_KIND_TEXT) return shunt_text_compare(a.text, b.text);
    if (kind == SHUNT_KIND_DECIMAL) return (a.coefficient > b.coefficient) - (a.coefficient < b.coefficient);
    return (a.integer > b.integer) - (a.integer < b.integer);
}

static bool fits(const shunt_program *p, const struct row *row, const shunt_value *keys, int64_t day)
{
    const shunt_table *t = p->tables;
    const shunt_field *fields = p->fields + p->records[t->record].field_first;
    for (uint32_t k = 0; k < t->key_count; k++) {
        bool last = k + 1 == t->key_count;
        if (last && t->flags & SHUNT_TABLE_PREFIX && shunt_text_starts(keys[k].text, row->values[k].text)) continue;
        int way = order(fields[k].type.kind, row->values[k], keys[k]);
        if (last && t->flags & SHUNT_TABLE_RANGE ? way > 0 : way != 0) return false;
    }
    if (!(t->flags & SHUNT_TABLE_EFFECTIVE)) return true;
    uint32_t k = t->key_count;
    return (row->states[k] != SHUNT_PRESENT || row->values[k].integer <= day) &&
           (row->states[k + 1] != SHUNT_PRESENT || row->values[k + 1].integer >= day);
}

/* The longest prefix, the greatest key of a range. */
static bool better(const shunt_program *p, const struct row *row, const struct row *than)
{
    uint32_t last = p->tables->key_count - 1u;
    if (p->tables->flags & SHUNT_TABLE_PREFIX) return row->values[last].text.length > than->values[last].text.length;
    return order(p->fields[p->records[p->tables->record].field_first + last].type.kind, row->values[last], than->values[last]) >
           0;
}

static void look(const shunt_program *p, const struct row *rows, uint32_t count, const shunt_value *keys, int64_t day)
{
    const struct row *best = NULL;
    uint64_t          tries = 0;
    for (uint32_t i = 0; i < count; i++)
        if (fits(p, &rows[i], keys, day) && (!best || better(p, &rows[i], best))) best = &rows[i];
    const shunt_row         *found = shunt_lookup_find(p->lookups[0], keys, day, &tries);
    const shunt_record_type *record = &p->records[p->tables->record];
    if (!best != !found) abort();
    for (uint32_t c = 0; best && c < record->field_count; c++) {
        if (best->states[c] != found->states[c]) abort();
        uint8_t kind = p->fields[record->field_first + c].type.kind;
        if (best->states[c] == SHUNT_PRESENT && order(kind, best->values[c], found->fields[c]) != 0) abort();
    }
}

/* Each row by its own keys and by some near them, on days around its own. */
static void look_around(const shunt_program *p)
{
    struct row         rows[ROWS_AT_MOST];
    const shunt_table *t = p->tables;
    uint32_t           count = rows_of(p, rows), last = t->key_count - 1u;
    uint8_t            kind = p->fields[p->records[t->record].field_first + last].type.kind;
    if (t->row_count > ROWS_AT_MOST) return;
    for (uint32_t i = 0; i < count; i++) {
        for (int near = -1; near <= 1; near++) {
            struct row key = rows[i];
            char       longer[64];
            if (kind == SHUNT_KIND_TEXT) {
                shunt_text text = key.values[last].text;
                uint32_t   length = text.length < sizeof longer ? text.length : (uint32_t)sizeof longer - 1;
                if (length) memcpy(longer, text.bytes, length);
                longer[length] = 'B';
                if (near) key.values[last].text = (shunt_text){ longer, near > 0 ? length + 1 : length - (length > 0) };
            } else if (kind == SHUNT_KIND_DECIMAL) {
                key.values[last].coefficient += near;
            } else if (key.values[last].integer != INT64_MIN && key.values[last].integer != INT64_MAX) {
                key.values[last].integer += near;
            }
            for (uint32_t side = 1; side <= 2; side++)
                for (int after = -1; after <= 1; after++)
                    look(p, rows, count, key.values, rows[i].values[last + side].integer % 9999999 + after);
        }
    }
}

static void same_rows(const shunt_program *a, const shunt_program *b)
{
    struct row of_a[ROWS_AT_MOST], of_b[ROWS_AT_MOST];
    if (a->tables->row_count != b->tables->row_count || memcmp(a->tables->hash, b->tables->hash, 32) != 0) abort();
    uint32_t count = rows_of(a, of_a);
    rows_of(b, of_b);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t c = 0; c < a->records[a->tables->record].field_count; c++) {
            uint8_t kind = a->fields[a->records[a->tables->record].field_first + c].type.kind;
            if (of_a[i].states[c] != of_b[i].states[c]) abort();
            if (of_a[i].states[c] == SHUNT_PRESENT && order(kind, of_a[i].values[c], of_b[i].values[c]) != 0) abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static shunt_program *empty[RULES];
    if (size < 1) return 0;
    size_t              number = data[0] % RULES;
    const struct rules *r = &rules[number];
    struct files        files = { data + 1, size - 1, "" };
    shunt_program      *program = compiled(r, r->file, &files), *with = NULL;
    if (number < RULES - DECISIONS) {
        shunt_messages *messages;
        if (!empty[number] && !(empty[number] = compiled(r, "host:t", &files))) abort();
        shunt_result result = shunt_with_table(empty[number], "t", r->file, data + 1, size - 1, NULL, &with, &messages);
        if (result == SHUNT_SYSTEM_FAULT || !with != !program) abort();
        shunt_messages_print(messages, false, ignore, NULL);
        shunt_messages_free(messages);
        if (with) {
            same_rows(program, with);
            look_around(with);
            run_alike(with, input, sizeof input - 1, 100000);
        }
    }
    if (program) run_alike(program, input, sizeof input - 1, 100000);
    shunt_release(with);
    shunt_release(program);
    return 0;
}
