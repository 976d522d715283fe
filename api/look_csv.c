/* look_csv.c - rows of separated cells as a tree, or the cells of a column. Nothing declares the file: its header row does. */
#include <stdio.h>

#include "api/look.h"
#include "dsl/plan_maker.h"
#include "standards/csv/heading.h"
#include "standards/csv/shape.h"

enum { NUMBERS = 5 /* digits of a column */ };

struct csv {
    shunt_plan             plan;
    const shunt_csv_shape *shape;
    shunt_text             wanted; /* heading */
    uint32_t               number; /* or the number of the column */
    uint32_t               column; /* 0 = the file has none such */
};

const char look_no_rows[] = "the input is of no standard that can be told, and it has no rows with a separator";

static struct csv *own(const shunt_inspector *inspector) { return inspector->own[SHUNT_STANDARD_CSV]; }

static struct csv *make(shunt_inspector *inspector)
{
    return inspector->own[SHUNT_STANDARD_CSV] = SHUNT_NEW(inspector->arena, struct csv);
}

static const char *parse(shunt_inspector *inspector, const char *path)
{
    struct csv *c = make(inspector);
    if (!c) return "no memory";
    c->wanted = shunt_text_of(path);
    if (!c->wanted.length) return "a column has a name, or a number";
    for (uint32_t i = 0; i < c->wanted.length && i < NUMBERS && c->number < UINT32_MAX; i++) {
        char digit = path[i];
        c->number = digit >= '0' && digit <= '9' ? c->number * 10 + (uint32_t)(digit - '0') : UINT32_MAX;
    }
    if (c->wanted.length > NUMBERS || c->number == UINT32_MAX) c->number = 0;
    return NULL;
}

static const char *open(shunt_inspector *inspector, shunt_text bytes, bool whole)
{
    struct csv *c = own(inspector) ? own(inspector) : make(inspector);
    bool        known = false;
    if (!c) return "no memory";
    shunt_csv_shape *shape = shunt_csv_sniff(inspector->arena, bytes, whole, &known);
    if (!shape) return "no memory";
    if (!known) return whole ? look_no_rows : NULL;
    const shunt_guide *guide = shunt_csv_guide(inspector->arena, shape);
    if (!guide || shunt_plan_make(inspector->arena, &guide, 1, NULL, 0, &c->plan) != SHUNT_OK) return "no memory";
    c->shape = shape;
    const shunt_shape_row *row = &shape->rows[0];
    for (uint16_t i = 0; i < row->column_count; i++)
        if (!c->column && shunt_text_equal(row->columns[i].heading, c->wanted)) c->column = i + 1u;
    if (!c->column && c->number <= row->column_count) c->column = c->number;
    /* No heading is just that: one that means it, as the header of a source is read. */
    for (uint16_t i = 0; inspector->path && !c->column && i < row->column_count; i++)
        if (shunt_csv_heading_like(row->columns[i].heading, c->wanted)) c->column = i + 1u;
    if (inspector->path && !c->column) return "no column of the file has that name";
    inspector->reader = shunt_reader_for(SHUNT_STANDARD_CSV, &inspector->memory, &c->plan);
    return inspector->reader ? NULL : "no memory";
}

/* The cell as it stands in the row is not known of a decoded one: its place is that of the row. */
static look_value cell_of(const shunt_event *event, unsigned k)
{
    look_value value = look_element(event->segment, k);
    value.at = event->place.byte;
    value.size = event->place.length;
    return value;
}

static void show_row(shunt_inspector *inspector, const shunt_event *event)
{
    const struct csv      *c = own(inspector);
    const shunt_shape_row *row = &c->shape->rows[0];
    shunt_buffer_format(&inspector->out, "  row %u\n", event->segment->number);
    for (unsigned k = 1; k <= event->segment->elements; k++) {
        look_value value = cell_of(event, k);
        if (!value.length) continue;
        char       number[24];
        shunt_text name = k <= row->column_count ? row->columns[k - 1].heading : (shunt_text){ 0 };
        if (!name.length) name = (shunt_text){ number, (uint32_t)snprintf(number, sizeof number, "%u", k) };
        shunt_buffer_format(&inspector->out, "    %-32.*s ", SHUNT_TEXT_ARGS(name));
        /* What a column of a file without a declaration holds is not known, so it may be of any class. */
        look_show(inspector, value, SHUNT_PHI_FREE_TEXT);
        shunt_buffer_char(&inspector->out, '\n');
    }
}

static void event(shunt_inspector *inspector, const shunt_event *event)
{
    const struct csv *c = own(inspector);
    switch (event->step) {
    case SHUNT_STEP_BEGIN:
        if (!inspector->path && event->scope == SHUNT_SCOPE_TRANSACTION)
            shunt_buffer_format(&inspector->out, "rows of %u columns, `%c` between them\n", c->shape->rows[0].column_count,
                                c->shape->separator);
        break;
    case SHUNT_STEP_SEGMENT:
        if (inspector->path)
            look_put(inspector, cell_of(event, c->column), event->segment->number);
        else
            show_row(inspector, event);
        break;
    case SHUNT_STEP_FAULT: look_fault(inspector, event, 1); break;
    default: break;
    }
}

const look_ops look_csv = { parse, open, event, NULL };
