#include "tests/support/csv_plan.h"

#include <stdio.h>
#include <stdlib.h>

#include "dsl/plan_maker.h"
#include "standards/csv/shape.h"

struct csv_plan {
    shunt_arena    *arena;
    shunt_plan      plan;
    shunt_csv_shape shape;
    bool            unit[64];
};

static char *need(const void *block)
{
    if (!block) abort();
    return (char *)(uintptr_t)block;
}

static const char *value_of(const char *word, const char *name)
{
    size_t length = strlen(name);
    return strncmp(word, name, length) == 0 && word[length] == '=' ? word + length + 1 : NULL;
}

static shunt_text kept(struct csv_plan *p, const char *text)
{
    shunt_text copy = shunt_text_copy(p->arena, shunt_text_of(text));
    need(copy.bytes);
    return copy;
}

static uint16_t row_named(const struct csv_plan *p, const char *name)
{
    for (uint16_t i = 0; i < p->shape.row_count; i++)
        if (shunt_text_is(p->shape.rows[i].name, name)) return i;
    abort();
}

static void places(const char *text, uint16_t *from, uint16_t *to)
{
    unsigned a = 0, b = 0;
    if (sscanf(text, "%u-%u", &a, &b) < 1) abort();
    *from = (uint16_t)a;
    *to = (uint16_t)b;
}

static void head_word(struct csv_plan *p, const char *word, char transaction[static 64])
{
    shunt_csv_shape *s = &p->shape;
    const char      *v;
    if ((v = value_of(word, "sep")))
        s->separator = (uint8_t)(strcmp(v, "tab") == 0 ? '\t' : *v);
    else if ((v = value_of(word, "quote")))
        s->quote = strcmp(v, "none") == 0 ? 0 : (uint8_t)*v;
    else if (strcmp(word, "noheader") == 0)
        s->header = false;
    else if ((v = value_of(word, "term")))
        s->terminator = (uint8_t)*v, s->lines = false;
    else if (strcmp(word, "lines") == 0)
        s->lines = true;
    else if ((v = value_of(word, "cont")))
        s->continuation = kept(p, v);
    else if ((v = value_of(word, "enc")))
        s->encoding = kept(p, v);
    else if ((v = value_of(word, "key")))
        places(v, &s->key_from, &s->key_to), s->header = false;
    else if ((v = value_of(word, "tx")))
        snprintf(transaction, 64, "%s", v);
    else
        s->length = (uint32_t)strtoul(word, NULL, 10);
}

static void row_word(struct csv_plan *p, shunt_shape_row *row, char *word)
{
    const char *v;
    if ((v = value_of(word, "in")))
        row->parent = row_named(p, v);
    else if ((v = value_of(word, "keys"))) {
        char *save, *keys = (char *)(uintptr_t)v;
        row->keys = (void *)need(SHUNT_NEW_N(p->arena, shunt_text, 16));
        for (char *key = strtok_r(keys, "|", &save); key; key = strtok_r(NULL, "|", &save))
            row->keys[row->key_count++] = kept(p, key);
    } else if (strcmp(word, "once") == 0)
        row->once = true;
    else if (strcmp(word, "trailer") == 0)
        row->trailer = true;
    else if (strcmp(word, "unit") == 0)
        p->unit[row - p->shape.rows] = true;
    else
        row->name = kept(p, word);
}

static void column_word(struct csv_plan *p, shunt_shape_column *column, const char *word)
{
    const char *v;
    if ((v = value_of(word, "at")))
        places(v, &column->from, &column->to);
    else if ((v = value_of(word, "len")))
        column->length = (uint32_t)strtoul(v, NULL, 10);
    else if (strcmp(word, "trim") == 0)
        column->trim = true;
    else if ((v = value_of(word, "rest")))
        column->rest = true, column->max = (uint32_t)strtoul(v, NULL, 10);
    else
        column->name = column->heading = kept(p, word);
}

static void read_shape(struct csv_plan *p, const char *description)
{
    char *copy = need(strdup(description)), *lines, *words, transaction[64] = "";
    p->shape.rows = (void *)need(SHUNT_NEW_N(p->arena, shunt_shape_row, 64));
    p->shape.transaction = SHUNT_SHAPE_NONE;
    for (char *line = strtok_r(copy, "\n", &lines); line; line = strtok_r(NULL, "\n", &lines)) {
        char               *word = strtok_r(line, " ", &words), *kind = word;
        shunt_shape_row    *row = p->shape.row_count ? &p->shape.rows[p->shape.row_count - 1] : NULL;
        shunt_shape_column *column = NULL;
        if (!word) continue;
        if (strcmp(kind, "csv") == 0) {
            p->shape.separator = ',';
            p->shape.quote = '"';
            p->shape.lines = p->shape.header = true;
        } else if (strcmp(kind, "fixed") == 0) {
            p->shape.fixed = true;
        } else if (strcmp(kind, "row") == 0) {
            row = &p->shape.rows[p->shape.row_count];
            row->parent = SHUNT_SHAPE_NONE;
            row->columns = (void *)need(SHUNT_NEW_N(p->arena, shunt_shape_column, 64));
        } else {
            column = &((shunt_shape_row *)(void *)need(row))->columns[row->column_count++];
            column->optional = true;
            column->trim = p->shape.fixed;
            if (!p->shape.header && !p->shape.fixed) column->from = row->column_count;
        }
        while ((word = strtok_r(NULL, " ", &words))) {
            if (column)
                column_word(p, column, word);
            else if (strcmp(kind, "row") == 0)
                row_word(p, row, word);
            else
                head_word(p, word, transaction);
        }
        if (strcmp(kind, "row") == 0) p->shape.row_count++;
    }
    if (transaction[0]) p->shape.transaction = row_named(p, transaction);
    free(copy);
}

static void demand(shunt_plan_maker *m, uint16_t frame, uint16_t guide, const shunt_loop *loop, uint16_t element)
{
    shunt_plan_slot like = { .codes = SHUNT_NONE, .mask = SHUNT_NONE, .format = SHUNT_NONE, .currency = SHUNT_NONE };
    shunt_plan_spot spot = { guide, loop, loop->body[0].segment };
    uint16_t        slot = shunt_plan_maker_slot(m, frame, &like);
    shunt_plan_maker_demand(m, frame, slot, spot, (shunt_text){ 0 }, element, 0, false);
}

struct csv_plan *csv_plan_new(const char *description)
{
    struct csv_plan *p = (void *)need(calloc(1, sizeof *p));
    uint32_t         empty;
    const char      *why;
    p->arena = (void *)need(shunt_arena_new(&shunt_memory_libc, 0));
    read_shape(p, description);
    shunt_intern *texts = (void *)need(shunt_intern_new(p->arena));
    if (!shunt_intern_add(texts, (shunt_text){ "", 0 }, &empty)) abort();
    shunt_plan_maker  *m = (void *)need(shunt_plan_maker_new(p->arena, texts, false));
    const shunt_guide *guide = (const void *)need(shunt_csv_guide(p->arena, &p->shape));
    if (!shunt_plan_maker_source(m, &(shunt_plan_source){ .standard = guide->standard })) abort();
    uint16_t number = shunt_plan_maker_guide(m, guide, 0);
    for (uint16_t r = 0; r < p->shape.row_count; r++) {
        const shunt_shape_row *row = &p->shape.rows[r];
        if (!row->loop) continue;
        uint16_t frame = shunt_plan_maker_frame(m, row->loop->parent ? SHUNT_FRAME_LOOP : SHUNT_FRAME_SET, row->name, 0);
        if (!shunt_plan_maker_bind(m, frame, (shunt_plan_spot){ number, row->loop, NULL }, (shunt_text){ 0 },
                                   (shunt_plan_group){ 0 }))
            abort();
        if (p->unit[r]) shunt_plan_maker_unit(m, frame);
        for (uint16_t i = 0; i < row->column_count; i++) {
            const shunt_shape_column *column = &row->columns[i];
            if (!column->rest) {
                demand(m, frame, number, row->loop, (uint16_t)(i + 1));
                continue;
            }
            uint16_t cells = shunt_plan_maker_frame(m, SHUNT_FRAME_LOOP, column->name, 0);
            if (!shunt_plan_maker_bind(m, cells, (shunt_plan_spot){ number, column->cells, NULL }, (shunt_text){ 0 },
                                       (shunt_plan_group){ 0 }))
                abort();
            demand(m, cells, number, column->cells, 1);
        }
    }
    if (shunt_plan_maker_finish(m, &p->plan) != SHUNT_OK) abort();
    if (!shunt_plan_valid(&p->plan, &why)) {
        fprintf(stderr, "%s\n", why);
        abort();
    }
    return p;
}

const shunt_plan *csv_plan_of(const struct csv_plan *p) { return &p->plan; }
uint16_t          csv_plan_standard(const struct csv_plan *p) { return p->plan.sources[0].standard; }

void csv_plan_free(struct csv_plan *p)
{
    if (!p) return;
    shunt_arena_free(p->arena);
    free(p);
}
