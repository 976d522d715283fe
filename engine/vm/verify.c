/* verify.c - refuses any program that the VM, a reader or a writer could not run safely, whoever made it.
 * What is proved, so that nobody tests it again:
 *   every index in every section is in range; texts are UTF-8; constants and cells hold what their type can hold;
 *   registers have one type in their function, and every operand has the type that its instruction wants; so a value is never
 *   read as another kind, scales fit, enum ordinals have a name and dates a day;
 *   jumps go forwards or back to a NEXT, which counts, calls go to lower functions: every run ends, in a stack of known size;
 *   what is called pure depends on its arguments, constants and tables alone;
 *   lines belong to the one journal that is open.
 * Sections are checked before those that refer to them, so a check may follow the indexes behind it. */
#include "engine/vm/verify.h"

#include <stdarg.h>
#include <stdio.h>

#include "engine/base/date.h"
#include "engine/base/decimal.h"
#include "engine/vm/decision.h"

enum {
    WORK_AT_MOST = 1 << 26, /* entries looked at through indexes: slices may overlap, and the check must end soon */
    RECORD_HEIGHT = 8,      /* rows in lists in rows */
    FIELDS_AT_MOST = 4096,
    ROWS_AT_MOST = 1 << 24,
    TEXTS_AT_ONCE = 64,   /* of OCCURRENCE, CORRELATE; see vm.c */
    FLOW_UNSEEN = 0xfffe, /* not reached yet; FLOW_CLOSED: no journal is open; else the open target */
    FLOW_CLOSED = 0xffff,
    SCALE_AT_MOST = SHUNT_DECIMAL_DIGITS,
};

struct verifier {
    const shunt_program  *p;
    char                 *why;
    uint64_t              work;
    const shunt_function *function; /* whose code is being looked at */
    uint32_t              function_index;
    const shunt_type     *types; /* its registers */
    uint32_t              pc;    /* relative to the function */
    uint16_t             *flow;  /* per instruction of the function: journal that is open before it */
};

static bool SHUNT_PRINTF(2, 3) bad(struct verifier *v, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(v->why, 200, format, args);
    va_end(args);
    return false;
}

/* ---- small checks ---- */

static bool text_ok(const struct verifier *v, uint32_t index) { return index < v->p->texts_count; }
static bool text_or_none(const struct verifier *v, uint32_t index) { return index == SHUNT_NONE || text_ok(v, index); }
static bool index_or_none(uint32_t index, uint32_t count) { return index == SHUNT_NONE || index < count; }
static bool site_ok(const struct verifier *v, uint32_t site) { return site == 0 || site < v->p->sites_count; }

static bool slice_ok(struct verifier *v, uint64_t first, uint64_t count, uint64_t size)
{
    v->work += count;
    return first <= size && count <= size - first && v->work <= WORK_AT_MOST;
}

shunt_type shunt_type_item(shunt_type list)
{
    return (shunt_type){ .kind = list.element, .scale = list.scale, .record = list.record, .extra = list.extra };
}

bool shunt_type_same(shunt_type a, shunt_type b)
{
    if (a.kind != b.kind) return false;
    switch ((shunt_kind)a.kind) {
    case SHUNT_KIND_INT: return a.extra == b.extra;
    case SHUNT_KIND_DECIMAL: return a.scale == b.scale && a.extra == b.extra;
    case SHUNT_KIND_ROW:
    case SHUNT_KIND_NODE: return a.record == b.record;
    case SHUNT_KIND_LIST: return a.element != SHUNT_KIND_LIST && shunt_type_same(shunt_type_item(a), shunt_type_item(b));
    default: return true;
    }
}

static bool scalar(uint8_t kind)
{
    return kind == SHUNT_KIND_BOOL || kind == SHUNT_KIND_INT || kind == SHUNT_KIND_DECIMAL || kind == SHUNT_KIND_TEXT ||
           kind == SHUNT_KIND_DATE || kind == SHUNT_KIND_MOMENT;
}

/* An int that is no enum. */
static bool number(shunt_type type) { return type.kind == SHUNT_KIND_INT && type.extra == 0; }

static bool item_type_ok(const struct verifier *v, shunt_type type)
{
    switch ((shunt_kind)type.kind) {
    case SHUNT_KIND_BOOL:
    case SHUNT_KIND_TEXT:
    case SHUNT_KIND_DATE:
    case SHUNT_KIND_MOMENT: return true;
    case SHUNT_KIND_INT: return type.extra <= v->p->enums_count;
    case SHUNT_KIND_DECIMAL: return type.scale <= SCALE_AT_MOST && text_ok(v, type.extra);
    case SHUNT_KIND_ROW: return type.record < v->p->records_count;
    case SHUNT_KIND_NODE: return type.record < v->p->frames_count;
    case SHUNT_KIND_LIST:
    case SHUNT_KIND_NONE:
    case SHUNT_KIND_COUNT: break;
    }
    return false;
}

static bool type_ok(const struct verifier *v, shunt_type type)
{
    return item_type_ok(v, type.kind == SHUNT_KIND_LIST ? shunt_type_item(type) : type);
}

/* What stands in registers only: it dies with the unit. */
static bool holds_nodes(shunt_type type)
{
    return type.kind == SHUNT_KIND_NODE || (type.kind == SHUNT_KIND_LIST && type.element == SHUNT_KIND_NODE);
}

/* A value that any operation on its type may meet. Texts are checked where they stand. */
static bool value_ok(const struct verifier *v, shunt_type type, shunt_value value)
{
    if (type.kind == SHUNT_KIND_DECIMAL) return shunt_decimal_digits(value.coefficient) <= SHUNT_DECIMAL_DIGITS;
    if (type.kind == SHUNT_KIND_MOMENT) return shunt_moment_valid(value.moment);
    if ((uint64_t)(value.coefficient >> 64) != 0) return false; /* the other half is nobody's */
    const int64_t first = shunt_date_days(1, 1, 1), last = shunt_date_days(9999, 12, 31);
    switch ((shunt_kind)type.kind) {
    case SHUNT_KIND_BOOL: return value.integer == 0 || value.integer == 1;
    case SHUNT_KIND_INT:
        return type.extra == 0 || (value.integer >= 0 && value.integer < v->p->enums[type.extra - 1].member_count);
    case SHUNT_KIND_DATE: return value.integer >= first && value.integer <= last;
    default: return false;
    }
}

/* ---- sections ---- */

/* The format that the conversion of a slot takes, and no other. */
static bool slot_format_ok(const struct verifier *v, const shunt_plan_slot *s)
{
    if (s->convert != SHUNT_CONVERT_DATE_FORMAT && s->convert != SHUNT_CONVERT_BOOL) return s->format == SHUNT_NONE;
    if (s->format == SHUNT_NONE) return s->convert == SHUNT_CONVERT_BOOL;
    shunt_text format = v->p->texts[s->format];
    if (s->convert == SHUNT_CONVERT_DATE_FORMAT) return shunt_date_pattern_valid(format);
    const char *slash = format.length ? memchr(format.bytes, '/', format.length) : NULL;
    return slash && slash > format.bytes && slash + 1 < format.bytes + format.length;
}

/* Amounts have currencies, which are texts. */
static bool slot_currency_ok(const struct verifier *v, const shunt_plan_slot *s)
{
    const shunt_program *p = v->p;
    if (s->convert != SHUNT_CONVERT_DECIMAL && s->convert != SHUNT_CONVERT_IMPLIED && s->convert != SHUNT_CONVERT_EXPONENT)
        return false;
    return s->currency < p->frames[s->frame].slot_count &&
           p->slots[p->frames[s->frame].slot_first + s->currency].convert == SHUNT_CONVERT_TEXT &&
           p->sources[p->frames[s->frame].source].currency != SHUNT_NONE;
}

static bool check_texts(struct verifier *v)
{
    const shunt_program *p = v->p;
    if (p->texts_count == 0 || p->texts_count >= SHUNT_NONE || p->texts[0].length != 0)
        return bad(v, "text 0 must be there and empty, and texts at most 65534");
    for (uint32_t i = 0; i < p->texts_count; i++) {
        if (shunt_utf8_bad(p->texts[i].bytes, p->texts[i].length) != p->texts[i].length) return bad(v, "text %u is not UTF-8", i);
    }
    for (uint32_t i = 0; i < p->table_texts_count; i++) {
        if (shunt_utf8_bad(p->table_texts[i].bytes, p->table_texts[i].length) != p->table_texts[i].length)
            return bad(v, "text %u of the tables is not UTF-8", i);
    }
    return true;
}

static bool check_plan(struct verifier *v)
{
    const shunt_program *p = v->p;
    const char          *why = "?";
    if (!shunt_plan_valid(&p->plan, &why)) return bad(v, "plan: %s", why);
    for (uint32_t i = 0; i < p->frames_count; i++) {
        const shunt_plan_frame *f = &p->frames[i];
        if (f->source >= p->sources_count || !text_or_none(v, f->id) ||
            !slice_ok(v, f->slot_first, f->slot_count, p->slots_count) ||
            !slice_ok(v, f->child_first, f->child_count, p->children_count))
            return bad(v, "frame %u: index out of range", i);
    }
    for (uint32_t i = 0; i < p->children_count; i++) {
        if (p->children[i] >= p->frames_count) return bad(v, "child list %u: no such frame", i);
    }
    for (uint32_t i = 0; i < p->slots_count; i++) {
        const shunt_plan_slot *s = &p->slots[i];
        if (s->frame >= p->frames_count || i < p->frames[s->frame].slot_first ||
            i - p->frames[s->frame].slot_first >= p->frames[s->frame].slot_count)
            return bad(v, "slot %u: does not stand in its frame", i);
        if (s->convert >= SHUNT_CONVERT_COUNT || s->scale > SCALE_AT_MOST || s->implied > SCALE_AT_MOST)
            return bad(v, "slot %u: conversion", i);
        if (!index_or_none(s->codes, p->code_lists_count) || !text_or_none(v, s->path) || !text_or_none(v, s->mask))
            return bad(v, "slot %u: index out of range", i);
        if (!slot_format_ok(v, s)) return bad(v, "slot %u: format", i);
        if (s->currency != SHUNT_NONE && !slot_currency_ok(v, s)) return bad(v, "slot %u: currency", i);
    }
    for (uint32_t i = 0; i < p->guides_count; i++) {
        if (p->guides[i].source >= p->sources_count) return bad(v, "guide %u: no such source", i);
    }
    return true;
}

static bool check_zones(struct verifier *v)
{
    const shunt_program *p = v->p;
    if (p->zones_count >= SHUNT_NONE) return bad(v, "too many time zones");
    for (uint32_t i = 0; i < p->zones_count; i++) {
        const shunt_zone *z = &p->zones[i];
        if (!text_ok(v, z->name) || !slice_ok(v, z->change_first, z->change_count, p->zone_changes_count) ||
            !shunt_zone_valid(z, p->zone_changes + z->change_first))
            return bad(v, "time zone %u", i);
    }
    return true;
}

static bool check_enums(struct verifier *v)
{
    const shunt_program *p = v->p;
    for (uint32_t i = 0; i < p->enums_count; i++) {
        const shunt_enum *e = &p->enums[i];
        if (!text_ok(v, e->name) || e->member_count == 0 || !slice_ok(v, e->member_first, e->member_count, p->numbers_count))
            return bad(v, "enum %u", i);
        for (uint32_t m = 0; m < e->member_count; m++) {
            if (!text_ok(v, p->numbers[e->member_first + m])) return bad(v, "enum %u: name of member %u", i, m);
        }
    }
    for (uint32_t i = 0; i < p->code_lists_count; i++) {
        const shunt_code_list *c = &p->code_lists[i];
        if (!text_ok(v, c->name) || !slice_ok(v, c->value_first, c->value_count, p->numbers_count))
            return bad(v, "code list %u", i);
        for (uint32_t k = 0; k < c->value_count; k++) {
            const uint16_t *values = p->numbers + c->value_first;
            if (!text_ok(v, values[k])) return bad(v, "code list %u: value %u", i, k);
            if (k && shunt_text_compare(p->texts[values[k - 1]], p->texts[values[k]]) >= 0)
                return bad(v, "code list %u is not sorted", i);
        }
    }
    return true;
}

/* Rows hold lists of rows: at most a few levels, and never themselves, so that whoever walks a record needs little stack. In a
 * circle heights would grow for ever, so the bound ends that too. */
static bool check_record_heights(struct verifier *v, uint16_t *height)
{
    const shunt_program *p = v->p;
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t i = 0; i < p->records_count; i++) {
            for (uint32_t f = 0; f < p->records[i].field_count; f++) {
                shunt_type type = p->fields[p->records[i].field_first + f].type;
                if (type.kind == SHUNT_KIND_LIST) type = shunt_type_item(type);
                if (type.kind != SHUNT_KIND_ROW || height[i] > height[type.record]) continue;
                height[i] = (uint16_t)(height[type.record] + 1);
                changed = true;
                if (height[i] > RECORD_HEIGHT) return bad(v, "record types hold each other in a circle, or too deep");
            }
        }
    }
    return true;
}

static bool check_records(struct verifier *v)
{
    const shunt_program *p = v->p;
    if (p->records_count >= SHUNT_NONE) return bad(v, "too many record types");
    for (uint32_t i = 0; i < p->fields_count; i++) {
        const shunt_field *f = &p->fields[i];
        if (!text_ok(v, f->name) || f->flags > 31 || !type_ok(v, f->type) || holds_nodes(f->type)) return bad(v, "field %u", i);
        if (f->max_length && f->type.kind != SHUNT_KIND_TEXT) return bad(v, "field %u: length of what is no text", i);
    }
    for (uint32_t i = 0; i < p->records_count; i++) {
        const shunt_record_type *r = &p->records[i];
        if (!text_ok(v, r->name) || r->field_count > FIELDS_AT_MOST ||
            !slice_ok(v, r->field_first, r->field_count, p->fields_count))
            return bad(v, "record type %u", i);
    }
    return true;
}

static bool check_cells(struct verifier *v, uint32_t table)
{
    const shunt_program     *p = v->p;
    const shunt_table       *t = &p->tables[table];
    const shunt_record_type *r = &p->records[t->record];
    const shunt_cell        *cell = p->cells + t->cell_first;
    bool                     prefix = t->flags & SHUNT_TABLE_PREFIX;
    for (uint32_t row = 0; row < t->row_count; row++) {
        for (uint32_t f = 0; f < r->field_count; f++, cell++) {
            shunt_type type = p->fields[r->field_first + f].type;
            bool       key = f < t->key_count, blank = prefix && f + 1u == t->key_count;
            if (cell->state != SHUNT_PRESENT) {
                if (cell->state != SHUNT_ABSENT || (key && !blank) || cell->text != 0 || cell->value.coefficient != 0)
                    return bad(v, "table %u: row %u, column %u has no value", table, row, f);
            } else if (type.kind == SHUNT_KIND_TEXT) {
                if (cell->text >= p->table_texts_count || cell->value.coefficient != 0)
                    return bad(v, "table %u: row %u, column %u: text", table, row, f);
            } else if (cell->text != 0 || !value_ok(v, type, cell->value)) {
                return bad(v, "table %u: row %u, column %u: value", table, row, f);
            }
        }
    }
    return true;
}

static bool check_tables(struct verifier *v)
{
    const shunt_program *p = v->p;
    uint64_t             cell = 0;
    if (p->tables_count >= SHUNT_NONE) return bad(v, "too many tables");
    for (uint32_t i = 0; i < p->tables_count; i++) {
        const shunt_table *t = &p->tables[i];
        if (!text_ok(v, t->name) || !text_or_none(v, t->path) || t->record >= p->records_count || t->flags > 7)
            return bad(v, "table %u", i);
        const shunt_record_type *r = &p->records[t->record];
        const shunt_field       *fields = p->fields + r->field_first;
        bool                     effective = t->flags & SHUNT_TABLE_EFFECTIVE;
        if (t->key_count == 0 || t->key_count > SHUNT_TABLE_KEYS || t->key_count + (effective ? 2u : 0u) > r->field_count)
            return bad(v, "table %u: keys", i);
        if (effective &&
            (fields[t->key_count].type.kind != SHUNT_KIND_DATE || fields[t->key_count + 1].type.kind != SHUNT_KIND_DATE))
            return bad(v, "table %u: the days it is in force are no dates", i);
        if ((t->flags & SHUNT_TABLE_PREFIX) && fields[t->key_count - 1].type.kind != SHUNT_KIND_TEXT)
            return bad(v, "table %u: a prefix is a text", i);
        if ((t->flags & SHUNT_TABLE_RANGE) &&
            ((t->flags & SHUNT_TABLE_PREFIX) || fields[t->key_count - 1].type.kind == SHUNT_KIND_BOOL ||
             fields[t->key_count - 1].type.kind == SHUNT_KIND_MOMENT))
            return bad(v, "table %u: a range has an order", i);
        for (uint32_t f = 0; f < r->field_count; f++) {
            if (!scalar(fields[f].type.kind)) return bad(v, "table %u: column %u can not stand in a table", i, f);
        }
        /* One after the other, without gaps: no cell counts twice. */
        uint64_t cells = (uint64_t)t->row_count * r->field_count;
        if (t->row_count > ROWS_AT_MOST || t->cell_first != cell || cells > p->cells_count - cell)
            return bad(v, "table %u: cells", i);
        cell += cells;
        if (!check_cells(v, i)) return false;
    }
    return cell == p->cells_count || bad(v, "cells that belong to no table");
}

static bool check_constants(struct verifier *v)
{
    const shunt_program *p = v->p;
    for (uint32_t i = 0; i < p->constants_count; i++) {
        const shunt_constant *c = &p->constants[i];
        if (!type_ok(v, c->type) || !scalar(c->type.kind)) return bad(v, "constant %u: type", i);
        if (c->type.kind == SHUNT_KIND_TEXT) {
            if (c->value.coefficient < 0 || c->value.coefficient >= p->texts_count) return bad(v, "constant %u: text", i);
        } else if (!value_ok(v, c->type, c->value)) {
            return bad(v, "constant %u: value", i);
        }
    }
    for (uint32_t i = 0; i < p->globals_count; i++) {
        if (!type_ok(v, p->globals[i])) return bad(v, "global %u: type", i);
    }
    for (uint32_t i = 0; i < p->register_types_count; i++) {
        if (!type_ok(v, p->register_types[i])) return bad(v, "register type %u", i);
    }
    return true;
}

/* Rising points, and sets that are there. */
static bool check_decision_column(struct verifier *v, const shunt_decision_column *c, uint32_t words)
{
    const shunt_program *p = v->p;
    if (!type_ok(v, c->type) || !scalar(c->type.kind) || c->type.kind == SHUNT_KIND_MOMENT || c->ordered > 1) return false;
    if (!slice_ok(v, c->point_first, c->point_count, p->decision_points_count) || c->point_count > SHUNT_NONE) return false;
    uint32_t sets = shunt_decision_sets(c);
    if (!slice_ok(v, c->set_first, sets, p->decision_sets_count)) return false;
    for (uint32_t i = 0; i < sets; i++) {
        if (p->decision_sets[c->set_first + i] > p->decision_bits_count ||
            p->decision_bits_count - p->decision_sets[c->set_first + i] < words)
            return false;
    }
    for (uint32_t i = 0; i < c->point_count; i++) {
        shunt_value point = p->decision_points[c->point_first + i], last = i ? p->decision_points[c->point_first + i - 1] : point;
        bool        text = c->type.kind == SHUNT_KIND_TEXT;
        if (text ? point.coefficient < 0 || point.coefficient >= p->texts_count : !value_ok(v, c->type, point)) return false;
        if (!i) continue;
        if (text                                 ? shunt_text_compare(p->texts[last.integer], p->texts[point.integer]) >= 0
            : c->type.kind == SHUNT_KIND_DECIMAL ? last.coefficient >= point.coefficient
                                                 : last.integer >= point.integer)
            return false;
    }
    return true;
}

static bool check_decisions(struct verifier *v)
{
    const shunt_program *p = v->p;
    if (p->decisions_count >= SHUNT_NONE) return bad(v, "too many decisions");
    for (uint32_t i = 0; i < p->decisions_count; i++) {
        const shunt_decision *d = &p->decisions[i];
        if (!text_ok(v, d->name) || d->row_count > SHUNT_DECISION_ROWS ||
            !slice_ok(v, d->column_first, d->column_count, p->decision_columns_count))
            return bad(v, "decision %u", i);
        for (uint32_t c = 0; c < d->column_count; c++) {
            if (!check_decision_column(v, &p->decision_columns[d->column_first + c], shunt_decision_words(d->row_count)))
                return bad(v, "decision %u: column %u", i, c);
        }
    }
    return true;
}

static bool check_externs(struct verifier *v)
{
    const shunt_program *p = v->p;
    for (uint32_t i = 0; i < p->extern_types_count; i++) {
        uint8_t kind = p->extern_types[i].kind;
        if (!type_ok(v, p->extern_types[i]) || !scalar(kind) || kind == SHUNT_KIND_MOMENT ||
            (kind == SHUNT_KIND_INT && p->extern_types[i].extra))
            return bad(v, "type %u of the extern functions", i);
    }
    for (uint32_t i = 0; i < p->externs_count; i++) {
        const shunt_extern *x = &p->externs[i];
        if (!text_ok(v, x->name) || !text_ok(v, x->library) || x->param_count > SHUNT_EXTERN_PARAMS || x->optional > 1 ||
            !slice_ok(v, x->type_first, x->param_count + 1u, p->extern_types_count))
            return bad(v, "extern function %u", i);
        shunt_text library = p->texts[x->library];
        if (!library.length || memchr(library.bytes, '/', library.length) || memchr(library.bytes, 0, library.length))
            return bad(v, "extern function %u: library", i);
    }
    return true;
}

static bool check_places(struct verifier *v)
{
    const shunt_program *p = v->p;
    for (uint32_t i = 0; i < p->sites_count; i++) {
        if (!text_or_none(v, p->sites[i].file) || !text_or_none(v, p->sites[i].step)) return bad(v, "place %u", i);
    }
    if (p->instruction_sites_count != 0 && p->instruction_sites_count != p->instructions_count)
        return bad(v, "places of instructions are not as many as these");
    for (uint32_t i = 0; i < p->instruction_sites_count; i++) {
        if (!site_ok(v, p->instruction_sites[i])) return bad(v, "place of instruction %u", i);
    }
    for (uint32_t i = 0; i < p->codes_count; i++) {
        const shunt_code *c = &p->codes[i];
        if (!text_ok(v, c->name) || !text_or_none(v, c->meaning) || !text_or_none(v, c->queue) || !text_or_none(v, c->ack))
            return bad(v, "code %u", i);
    }
    for (uint32_t i = 0; i < p->exits_count; i++) {
        const shunt_exit *e = &p->exits[i];
        if (e->kind > SHUNT_EXIT_SKIP || e->scope > SHUNT_SCOPE_FILE || !site_ok(v, e->site) ||
            !index_or_none(e->slot, p->slots_count))
            return bad(v, "exit %u", i);
        if (e->kind == SHUNT_EXIT_SKIP ? !index_or_none(e->code, p->codes_count) : e->code >= p->codes_count)
            return bad(v, "exit %u: code", i);
    }
    for (uint32_t i = 0; i < p->modules_count; i++) {
        const shunt_module *m = &p->modules[i];
        if (!text_ok(v, m->name) || !text_or_none(v, m->version) || !text_or_none(v, m->file)) return bad(v, "module %u", i);
    }
    return true;
}

/* A column as encodings and lineage name it. */
static bool column_ok(const struct verifier *v, const shunt_target *t, uint16_t field)
{
    const shunt_program *p = v->p;
    bool                 journal = t->flags & SHUNT_TARGET_JOURNAL;
    if (field < SHUNT_COLUMN_LINE) return field < p->records[t->record].field_count;
    if (field >= SHUNT_COLUMN_CURRENCY) return field <= SHUNT_COLUMN_ACCOUNT && journal;
    return t->line != SHUNT_NONE && field - (unsigned)SHUNT_COLUMN_LINE < p->records[t->line].field_count;
}

/* A walk over the nodes of a message: what is around, and which form it is. */
struct message_walk {
    uint32_t first, end; /* nodes of a body */
    uint16_t record;     /* whose fields they read */
    uint16_t parent;     /* kind of the owner of the body, SHUNT_NONE = none */
    bool     array, fhir;
    unsigned depth;
};

/* Which node may stand where: encoders rely on it. */
static bool stands_well(const struct message_walk *w, uint32_t at, const shunt_message_node *n)
{
    bool outside = w->parent == SHUNT_NONE, element = w->parent == SHUNT_MESSAGE_SEGMENT || w->parent == SHUNT_MESSAGE_ELEMENT;
    switch ((shunt_message_kind)n->kind) {
    case SHUNT_MESSAGE_SETTING: return outside;
    case SHUNT_MESSAGE_RECORD: return outside && !w->fhir;
    case SHUNT_MESSAGE_SEGMENT:
        return !w->fhir && (outside || w->parent == SHUNT_MESSAGE_RECORD || w->parent == SHUNT_MESSAGE_EACH);
    case SHUNT_MESSAGE_ELEMENT: return !w->fhir && element;
    case SHUNT_MESSAGE_EACH:
        if (n->count == 0) return false;
        if (w->fhir) return w->array;
        /* Around segments, or all there is in an element: its repetitions. */
        return outside || w->parent == SHUNT_MESSAGE_RECORD || w->parent == SHUNT_MESSAGE_EACH ||
               (w->parent == SHUNT_MESSAGE_ELEMENT && at == w->first && n->count == w->end - at - 1);
    case SHUNT_MESSAGE_MEMBER: return w->fhir && !w->array;
    case SHUNT_MESSAGE_ITEM: return w->fhir && w->array;
    case SHUNT_MESSAGE_KIND_COUNT: break;
    }
    return false;
}

static bool node_ok(const struct verifier *v, const shunt_message_node *n)
{
    if (n->format >= SHUNT_FORMAT_COUNT || n->decimals > SCALE_AT_MOST || n->flags > SHUNT_MESSAGE_FLAGS ||
        !text_or_none(v, n->name))
        return false;
    bool named = n->kind == SHUNT_MESSAGE_SEGMENT || n->kind == SHUNT_MESSAGE_MEMBER;
    if (named && n->name == SHUNT_NONE) return false;
    if (n->kind == SHUNT_MESSAGE_ELEMENT && !n->number) return false;
    if (n->kind != SHUNT_MESSAGE_SEGMENT) return true;
    if (n->number >= SHUNT_MESSAGE_LOOPS) return false;
    return !(n->flags & SHUNT_MESSAGE_STARTS) || (n->decimals && n->decimals <= n->number);
}

/* Bodies are deeper than what owns them, so the depth bounds the walk. Of an EACH in an element the nodes are its components, so
 * they count as those of the element; of one in an array as those of the array. */
static bool check_nodes(struct verifier *v, const struct message_walk *w)
{
    const shunt_program     *p = v->p;
    const shunt_record_type *r = &p->records[w->record];
    if (w->depth > SHUNT_MESSAGE_DEPTH) return false;
    for (uint32_t i = w->first; i < w->end; i += 1 + p->message_nodes[i].count) {
        const shunt_message_node *n = &p->message_nodes[i];
        if (++v->work > WORK_AT_MOST || n->count >= w->end - i || !stands_well(w, i, n) || !node_ok(v, n)) return false;
        bool body = n->kind == SHUNT_MESSAGE_SEGMENT || n->kind == SHUNT_MESSAGE_RECORD || n->kind == SHUNT_MESSAGE_EACH;
        bool held = n->field < r->field_count;
        if (!body && !n->count && !(held && scalar(p->fields[r->field_first + n->field].type.kind))) return false;
        if (n->kind == SHUNT_MESSAGE_SETTING && n->count) return false;
        if (!n->count) continue;
        struct message_walk inner = { i + 1, i + 1 + n->count, w->record, n->kind, false, w->fhir, w->depth + 1 };
        inner.array = n->kind == SHUNT_MESSAGE_MEMBER && n->flags & SHUNT_MESSAGE_ARRAY;
        if (n->kind == SHUNT_MESSAGE_EACH) {
            if (!held) return false;
            shunt_type type = p->fields[r->field_first + n->field].type;
            if (type.kind != SHUNT_KIND_LIST || type.element != SHUNT_KIND_ROW) return false;
            inner.record = type.record;
            inner.array = w->array;
            if (w->parent == SHUNT_MESSAGE_ELEMENT) inner.parent = SHUNT_MESSAGE_SEGMENT; /* elements, and no further EACH */
        }
        if (!check_nodes(v, &inner)) return false;
    }
    return true;
}

/* What a target writes as a message, is read from fields that its records have. */
static bool check_message(struct verifier *v, const shunt_target *t)
{
    const shunt_program  *p = v->p;
    const shunt_encoding *e = &p->encodings[t->encoding];
    if (e->kind < SHUNT_ENCODE_X12) return e->node_count == 0 && t->message == SHUNT_NONE;
    return t->message != SHUNT_NONE && !(t->flags & SHUNT_TARGET_JOURNAL) &&
           slice_ok(v, e->node_first, e->node_count, p->message_nodes_count) &&
           check_nodes(v, &(struct message_walk){ .first = e->node_first,
                                                  .end = e->node_first + e->node_count,
                                                  .record = t->message,
                                                  .parent = SHUNT_NONE,
                                                  .fhir = e->kind == SHUNT_ENCODE_FHIR });
}

static bool check_target(struct verifier *v, uint32_t index)
{
    const shunt_program *p = v->p;
    const shunt_target  *t = &p->targets[index];
    if (!text_ok(v, t->name) || t->flags > SHUNT_TARGET_JOURNAL || t->record >= p->records_count ||
        !index_or_none(t->line, p->records_count) || !index_or_none(t->message, p->records_count))
        return bad(v, "target %u", index);
    if (!(t->flags & SHUNT_TARGET_JOURNAL) && t->line != SHUNT_NONE)
        return bad(v, "target %u: lines of what is no journal", index);
    if (!slice_ok(v, t->key_first, t->key_count, p->numbers_count)) return bad(v, "target %u: key", index);
    for (uint32_t k = 0; k < t->key_count; k++) {
        uint16_t field = p->numbers[t->key_first + k];
        if (field >= p->records[t->record].field_count || !scalar(p->fields[p->records[t->record].field_first + field].type.kind))
            return bad(v, "target %u: key %u", index, k);
    }
    if (t->balance_by != SHUNT_NONE) {
        if (t->line == SHUNT_NONE || t->balance_by >= p->records[t->line].field_count)
            return bad(v, "target %u: balance by", index);
        if (!scalar(p->fields[p->records[t->line].field_first + t->balance_by].type.kind))
            return bad(v, "target %u: balance by", index);
    }
    if (t->accounts != SHUNT_NONE) {
        if (t->accounts >= p->tables_count || p->tables[t->accounts].key_count != 1 ||
            (p->tables[t->accounts].flags & (SHUNT_TABLE_PREFIX | SHUNT_TABLE_RANGE)))
            return bad(v, "target %u: accounts", index);
        if (p->fields[p->records[p->tables[t->accounts].record].field_first].type.kind != SHUNT_KIND_TEXT)
            return bad(v, "target %u: accounts", index);
    }
    if (t->encoding == SHUNT_NONE) return t->message == SHUNT_NONE || bad(v, "target %u: a message without encoding", index);
    if (t->encoding >= p->encodings_count) return bad(v, "target %u: encoding", index);
    const shunt_encoding *e = &p->encodings[t->encoding];
    v->work += e->column_count;
    for (uint32_t c = 0; c < e->column_count && v->work <= WORK_AT_MOST; c++) {
        if (!column_ok(v, t, p->encoding_columns[e->column_first + c].field))
            return bad(v, "target %u: column %u of its encoding", index, c);
    }
    return check_message(v, t) || bad(v, "target %u: its message", index);
}

static bool check_targets(struct verifier *v)
{
    const shunt_program *p = v->p;
    if (p->targets_count >= FLOW_UNSEEN) return bad(v, "too many targets");
    for (uint32_t i = 0; i < p->encodings_count; i++) {
        const shunt_encoding *e = &p->encodings[i];
        if (e->kind >= SHUNT_ENCODE_COUNT || !slice_ok(v, e->column_first, e->column_count, p->encoding_columns_count) ||
            !slice_ok(v, e->setting_first, (uint64_t)e->setting_count * 2, p->numbers_count))
            return bad(v, "encoding %u", i);
        for (uint32_t k = 0; k < e->setting_count * 2; k++) {
            if (!text_ok(v, p->numbers[e->setting_first + k])) return bad(v, "encoding %u: setting", i);
        }
    }
    for (uint32_t i = 0; i < p->encoding_columns_count; i++) {
        if (!text_or_none(v, p->encoding_columns[i].name) || !text_or_none(v, p->encoding_columns[i].format))
            return bad(v, "column %u of the encodings", i);
    }
    for (uint32_t i = 0; i < p->targets_count; i++) {
        if (!check_target(v, i)) return false;
    }
    for (uint32_t i = 0; i < p->lineage_count; i++) {
        const shunt_lineage *l = &p->lineage[i];
        if (l->target >= p->targets_count || !column_ok(v, &p->targets[l->target], l->field) ||
            !index_or_none(l->slot, p->slots_count) || !site_ok(v, l->site))
            return bad(v, "lineage %u", i);
    }
    return true;
}

/* ---- collectors ---- */

/* Frame of a child list; SHUNT_NONE where there is none. */
static uint16_t child_frame(const struct verifier *v, uint16_t frame, uint16_t child)
{
    const shunt_program *p = v->p;
    if (frame == SHUNT_NONE || child >= p->frames[frame].child_count) return SHUNT_NONE;
    return p->children[p->frames[frame].child_first + child];
}

/* A list that is named must be there. */
static bool child_ok(const struct verifier *v, uint16_t frame, uint16_t child, uint16_t *found)
{
    *found = SHUNT_NONE;
    if (child == SHUNT_NONE) return true;
    *found = child_frame(v, frame, child);
    return *found != SHUNT_NONE;
}

static bool slot_in(const struct verifier *v, uint16_t slot, uint16_t frame)
{
    return frame != SHUNT_NONE && slot < v->p->slots_count && v->p->slots[slot].frame == frame;
}

/* Whether reading this slot gives a value of this type. */
static bool slot_gives(const struct verifier *v, uint16_t slot, shunt_type type)
{
    const shunt_plan_slot *s = &v->p->slots[slot];
    switch ((shunt_convert)s->convert) {
    case SHUNT_CONVERT_TEXT: return type.kind == SHUNT_KIND_TEXT;
    case SHUNT_CONVERT_DECIMAL:
    case SHUNT_CONVERT_EXPONENT:
    case SHUNT_CONVERT_IMPLIED: return type.kind == SHUNT_KIND_DECIMAL && type.scale == s->scale;
    case SHUNT_CONVERT_INT: return number(type);
    case SHUNT_CONVERT_DATE:
    case SHUNT_CONVERT_DATE_END:
    case SHUNT_CONVERT_DATE_HL7:
    case SHUNT_CONVERT_DATE_ISO:
    case SHUNT_CONVERT_DATE_FORMAT: return type.kind == SHUNT_KIND_DATE;
    case SHUNT_CONVERT_MOMENT_HL7:
    case SHUNT_CONVERT_MOMENT_ISO: return type.kind == SHUNT_KIND_MOMENT;
    case SHUNT_CONVERT_BOOL: return type.kind == SHUNT_KIND_BOOL;
    case SHUNT_CONVERT_COUNT: break;
    }
    return false;
}

struct ways {
    uint16_t outer, group, line, inner; /* frames */
};

static bool alternatives_ok(struct verifier *v, const shunt_collect_field *field, shunt_type type, const struct ways *ways)
{
    if (!slice_ok(v, field->slot, field->child, v->p->alternatives_count)) return false;
    for (uint32_t i = 0; i < field->child; i++) {
        const shunt_alternative *a = &v->p->alternatives[field->slot + i];
        uint16_t                 frame = a->line ? ways->line : ways->outer;
        if (a->line > 1 || frame == SHUNT_NONE) return false;
        if (a->child != SHUNT_NONE) frame = child_frame(v, frame, a->child);
        if (!slot_in(v, a->slot, frame) || !slot_gives(v, a->slot, type)) return false;
    }
    return true;
}

static bool collect_field_ok(struct verifier *v, const shunt_collect_field *field, shunt_type type, const struct ways *ways)
{
    switch (field->from) {
    case SHUNT_COLLECT_GROUP: return slot_in(v, field->slot, ways->group) && slot_gives(v, field->slot, type);
    case SHUNT_COLLECT_LINE:
        return (slot_in(v, field->slot, ways->line) || slot_in(v, field->slot, ways->inner)) && slot_gives(v, field->slot, type);
    case SHUNT_COLLECT_LEVEL: return type.kind == SHUNT_KIND_TEXT && text_ok(v, field->slot) && text_ok(v, field->child);
    case SHUNT_COLLECT_POSITION: return number(type) && field->slot <= 1;
    case SHUNT_COLLECT_ORDINAL: return number(type);
    case SHUNT_COLLECT_FIRST: return alternatives_ok(v, field, type, ways);
    case SHUNT_COLLECT_UNREAD: return field->slot == 0 && field->child == 0;
    default: return false;
    }
}

static bool check_collect(struct verifier *v, uint32_t index)
{
    const shunt_program *p = v->p;
    const shunt_collect *c = &p->collects[index];
    if (c->frame >= p->frames_count || c->record >= p->records_count || c->twice > 1) return bad(v, "collector %u", index);
    const shunt_record_type *r = &p->records[c->record];
    if (!slice_ok(v, c->field_first, r->field_count, p->collect_fields_count) || c->needed >= r->field_count)
        return bad(v, "collector %u: fields", index);
    struct ways ways = { .outer = c->frame };
    uint16_t    groups[3];
    if (!child_ok(v, c->frame, c->group, &groups[0]) || !child_ok(v, c->frame, c->line, &ways.line))
        return bad(v, "collector %u: child list", index);
    if (!child_ok(v, ways.line, c->line_group, &groups[1]) || !child_ok(v, ways.line, c->inner_line, &ways.inner))
        return bad(v, "collector %u: child list", index);
    if (!child_ok(v, ways.inner, c->inner_group, &groups[2])) return bad(v, "collector %u: child list", index);
    ways.group = SHUNT_NONE;
    for (uint32_t g = 0; g < 3; g++) {
        if (groups[g] == SHUNT_NONE) continue;
        if (ways.group != SHUNT_NONE && ways.group != groups[g]) return bad(v, "collector %u: groups of two frames", index);
        ways.group = groups[g];
    }
    const shunt_field *fields = p->fields + r->field_first;
    for (uint32_t f = 0; f < r->field_count; f++) {
        if (!collect_field_ok(v, &p->collect_fields[c->field_first + f], fields[f].type, &ways))
            return bad(v, "collector %u: field %u", index, f);
    }
    if (c->twice && (r->field_count < 3 || fields[0].type.kind != SHUNT_KIND_TEXT || fields[1].type.kind != SHUNT_KIND_TEXT ||
                     fields[c->needed].type.kind != SHUNT_KIND_DECIMAL))
        return bad(v, "collector %u: group, reason and amount", index);
    return true;
}

static bool check_collectors(struct verifier *v)
{
    const shunt_program *p = v->p;
    for (uint32_t i = 0; i < p->collects_count; i++) {
        if (!check_collect(v, i)) return false;
    }
    for (uint32_t i = 0; i < p->earliests_count; i++) {
        const shunt_earliest *e = &p->earliests[i];
        if (e->frame >= p->frames_count || !slice_ok(v, e->path_first, e->path_count, p->date_paths_count))
            return bad(v, "dates %u", i);
        for (uint32_t k = 0; k < e->path_count; k++) {
            const shunt_date_path *path = &p->date_paths[e->path_first + k];
            uint16_t               frame = e->frame;
            if (path->child != SHUNT_NONE)
                frame = child_frame(v, frame, path->child);
            else if (path->grandchild != SHUNT_NONE)
                return bad(v, "dates %u: path %u", i, k);
            if (path->grandchild != SHUNT_NONE) frame = child_frame(v, frame, path->grandchild);
            if (!slot_in(v, path->slot, frame) || p->slots[path->slot].convert != SHUNT_CONVERT_DATE)
                return bad(v, "dates %u: path %u", i, k);
        }
    }
    return true;
}

/* ---- code ---- */

static bool SHUNT_PRINTF(2, 3) wrong(struct verifier *v, const char *format, ...)
{
    char    detail[120];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    uint16_t op = v->p->instructions[v->function->code_first + v->pc].op;
    return bad(v, "function %u, instruction %u %s: %s", v->function_index, v->pc,
               op < SHUNT_OP_COUNT ? shunt_op_info[op].name : "?", detail);
}

static bool register_ok(const struct verifier *v, uint32_t index) { return index < v->function->registers; }

static bool registers_ok(const struct verifier *v, uint32_t first, uint32_t count)
{
    return first <= v->function->registers && count <= v->function->registers - first;
}

static bool all_texts(const struct verifier *v, uint32_t first, uint32_t count)
{
    if (!registers_ok(v, first, count)) return false;
    for (uint32_t i = 0; i < count; i++) {
        if (v->types[first + i].kind != SHUNT_KIND_TEXT) return false;
    }
    return true;
}

/* Registers from `first` on are as the fields of this record type. */
static bool as_fields(const struct verifier *v, uint32_t first, uint32_t record)
{
    const shunt_record_type *r = &v->p->records[record];
    if (!registers_ok(v, first, r->field_count)) return false;
    for (uint32_t f = 0; f < r->field_count; f++) {
        if (!shunt_type_same(v->types[first + f], v->p->fields[r->field_first + f].type)) return false;
    }
    return true;
}

static bool letter_ok(char letter, shunt_type type)
{
    switch (letter) {
    case 'b': return type.kind == SHUNT_KIND_BOOL;
    case 'i': return number(type);
    case 'd': return type.kind == SHUNT_KIND_DECIMAL;
    case 't': return type.kind == SHUNT_KIND_TEXT;
    case 'y': return type.kind == SHUNT_KIND_DATE;
    case 'm': return type.kind == SHUNT_KIND_MOMENT;
    case 'r': return type.kind == SHUNT_KIND_ROW;
    default: return false;
    }
}

static uint32_t jump_target(shunt_instruction i) { return i.b | (uint32_t)i.c << 16; }

static const shunt_instruction *code_of(const struct verifier *v) { return v->p->instructions + v->function->code_first; }

static bool check_jump(struct verifier *v, shunt_instruction i)
{
    uint32_t to = jump_target(i);
    if (to >= v->function->code_count) return wrong(v, "jumps out of its function");
    if (to <= v->pc && code_of(v)[to].op != SHUNT_OP_NEXT) return wrong(v, "jumps back to what is no NEXT");
    if (code_of(v)[to].op == SHUNT_OP_EXTRA) return wrong(v, "jumps between an instruction and its EXTRA");
    return true;
}

/* What the kind of an operand asks for, whatever the instruction. */
static bool check_operand(struct verifier *v, shunt_instruction i, uint8_t kind, uint16_t n, uint8_t before)
{
    static const uint8_t kinds[] = {
        [SHUNT_OPERAND_BOOL] = SHUNT_KIND_BOOL, [SHUNT_OPERAND_INT] = SHUNT_KIND_INT,   [SHUNT_OPERAND_DEC] = SHUNT_KIND_DECIMAL,
        [SHUNT_OPERAND_TEXT] = SHUNT_KIND_TEXT, [SHUNT_OPERAND_DATE] = SHUNT_KIND_DATE, [SHUNT_OPERAND_LIST] = SHUNT_KIND_LIST,
        [SHUNT_OPERAND_ROW] = SHUNT_KIND_ROW,   [SHUNT_OPERAND_NODE] = SHUNT_KIND_NODE,
    };
    const shunt_program *p = v->p;
    switch ((shunt_operand)kind) {
    case SHUNT_OPERAND_NONE: return n == 0 || wrong(v, "an operand that means nothing is not zero");
    case SHUNT_OPERAND_BOOL:
    case SHUNT_OPERAND_INT:
    case SHUNT_OPERAND_DEC:
    case SHUNT_OPERAND_TEXT:
    case SHUNT_OPERAND_DATE:
    case SHUNT_OPERAND_LIST:
    case SHUNT_OPERAND_ROW:
    case SHUNT_OPERAND_NODE:
        return (register_ok(v, n) && v->types[n].kind == kinds[kind]) || wrong(v, "register %u is not of the kind wanted", n);
    case SHUNT_OPERAND_ANY: return register_ok(v, n) || wrong(v, "no register %u", n);
    case SHUNT_OPERAND_SAME:
        return (register_ok(v, n) && shunt_type_same(v->types[n], v->types[i.a])) || wrong(v, "register %u has another type", n);
    case SHUNT_OPERAND_ITEM:
        return (register_ok(v, n) && before == SHUNT_OPERAND_LIST &&
                shunt_type_same(v->types[n], shunt_type_item(v->types[i.a]))) ||
               wrong(v, "register %u is not like an item", n);
    case SHUNT_OPERAND_CONST:
        return (n < p->constants_count && shunt_type_same(p->constants[n].type, v->types[i.a])) ||
               wrong(v, "constant %u has another type", n);
    case SHUNT_OPERAND_TEXTK:
        return (n < p->constants_count && p->constants[n].type.kind == SHUNT_KIND_TEXT) || wrong(v, "constant %u is no text", n);
    case SHUNT_OPERAND_JUMP: return before == SHUNT_OPERAND_JUMP || check_jump(v, i); /* two words, one target */
    case SHUNT_OPERAND_SLOT: return n < p->slots_count || wrong(v, "no slot %u", n);
    case SHUNT_OPERAND_FRAME: return n < p->frames_count || wrong(v, "no frame %u", n);
    case SHUNT_OPERAND_TABLE: return n < p->tables_count || wrong(v, "no table %u", n);
    case SHUNT_OPERAND_TALLY: return n < p->tallies_count || wrong(v, "no tally %u", n);
    case SHUNT_OPERAND_GLOBAL: return n < p->globals_count || wrong(v, "no global %u", n);
    case SHUNT_OPERAND_TARGET: return n < p->targets_count || wrong(v, "no target %u", n);
    case SHUNT_OPERAND_FUNCTION: return n < v->function_index || wrong(v, "function %u is not before it", n);
    case SHUNT_OPERAND_BUILTIN: return n < SHUNT_BUILTIN_COUNT || wrong(v, "no built-in %u", n);
    case SHUNT_OPERAND_COLLECT: return n < p->collects_count || wrong(v, "no collector %u", n);
    case SHUNT_OPERAND_EARLIEST: return n < p->earliests_count || wrong(v, "no dates %u", n);
    case SHUNT_OPERAND_DECISION: return n < p->decisions_count || wrong(v, "no decision %u", n);
    case SHUNT_OPERAND_EXTERN: return n < p->externs_count || wrong(v, "no extern function %u", n);
    case SHUNT_OPERAND_MODE: return n <= SHUNT_EXACT || wrong(v, "no rounding mode %u", n);
    case SHUNT_OPERAND_EXIT:  /* REQUIRE takes none */
    case SHUNT_OPERAND_CHILD: /* by the type of the other operand: check_instruction */
    case SHUNT_OPERAND_FIELD:
    case SHUNT_OPERAND_BASE:
    case SHUNT_OPERAND_COUNT: return true;
    }
    return wrong(v, "operand");
}

/* The register that an exit reads its place from. */
static bool check_exit(struct verifier *v, uint16_t index)
{
    if (index >= v->p->exits_count) return wrong(v, "no exit %u", index);
    const shunt_exit *e = &v->p->exits[index];
    if (e->slot == SHUNT_NONE) return true;
    if (!register_ok(v, e->node) || v->types[e->node].kind != SHUNT_KIND_NODE ||
        v->types[e->node].record != v->p->slots[e->slot].frame)
        return wrong(v, "register %u does not hold the node of the slot of exit %u", e->node, index);
    return true;
}

static bool retype_ok(shunt_type to, shunt_type from)
{
    if (to.kind != from.kind) return false;
    switch ((shunt_kind)to.kind) {
    case SHUNT_KIND_INT: return to.extra == 0 || to.extra == from.extra; /* no number becomes a member of an enum */
    case SHUNT_KIND_DECIMAL: return to.scale == from.scale;
    case SHUNT_KIND_LIST: return to.element != SHUNT_KIND_LIST && retype_ok(shunt_type_item(to), shunt_type_item(from));
    default: return shunt_type_same(to, from);
    }
}

static bool check_call(struct verifier *v, shunt_instruction i)
{
    const shunt_function *f = &v->p->functions[i.b];
    if (f->result.kind == SHUNT_KIND_NONE) return wrong(v, "a handler can not be called");
    if (!registers_ok(v, i.a, f->params + 1u)) return wrong(v, "arguments out of range");
    for (uint32_t k = 0; k < f->params; k++) {
        if (!shunt_type_same(v->types[i.a + k], v->p->register_types[f->type_first + k]))
            return wrong(v, "argument %u has another type", k);
    }
    if (!shunt_type_same(v->types[i.a + f->params], f->result)) return wrong(v, "the result has another type");
    return !v->function->pure || f->pure || wrong(v, "a pure function calls one that is not");
}

static bool check_builtin(struct verifier *v, shunt_instruction i)
{
    const struct shunt_builtin_info *b = &shunt_builtin_info[i.b];
    uint32_t                         count = (uint32_t)strlen(b->arguments);
    if (!registers_ok(v, i.a, count + 1)) return wrong(v, "arguments out of range");
    for (uint32_t k = 0; k < count; k++) {
        if (!letter_ok(b->arguments[k], v->types[i.a + k])) return wrong(v, "argument %u of %s has another type", k, b->name);
    }
    if (!letter_ok(b->result[0], v->types[i.a + count])) return wrong(v, "result of %s has another type", b->name);
    if (i.b == SHUNT_BUILTIN_PERCENT_CHANGE && v->types[i.a].scale != v->types[i.a + 1].scale) return wrong(v, "scales differ");
    if (v->function->pure && (i.b == SHUNT_BUILTIN_FILE_ID || i.b == SHUNT_BUILTIN_RECEIVED_AT || i.b == SHUNT_BUILTIN_TOKENIZE))
        return wrong(v, "not in a pure function");
    return true;
}

static bool check_lookup(struct verifier *v, shunt_instruction i)
{
    const shunt_table *t = &v->p->tables[i.c];
    bool               effective = t->flags & SHUNT_TABLE_EFFECTIVE;
    if (v->types[i.a].record != t->record) return wrong(v, "row of another table");
    if (!registers_ok(v, i.b, t->key_count + (effective ? 1u : 0u))) return wrong(v, "keys out of range");
    for (uint32_t k = 0; k < t->key_count; k++) {
        if (!shunt_type_same(v->types[i.b + k], v->p->fields[v->p->records[t->record].field_first + k].type))
            return wrong(v, "key %u has another type", k);
    }
    return (!effective || v->types[i.b + t->key_count].kind == SHUNT_KIND_DATE) || wrong(v, "a date must follow the keys");
}

static bool check_decide(struct verifier *v, shunt_instruction i)
{
    const shunt_decision *d = &v->p->decisions[i.c];
    if (!number(v->types[i.a])) return wrong(v, "an enum can not be computed");
    if (!registers_ok(v, i.b, d->column_count)) return wrong(v, "values out of range");
    for (uint32_t k = 0; k < d->column_count; k++) {
        if (!shunt_type_same(v->types[i.b + k], v->p->decision_columns[d->column_first + k].type))
            return wrong(v, "value %u has another type", k);
    }
    return true;
}

static bool check_extern_call(struct verifier *v, shunt_instruction i)
{
    const shunt_extern *x = &v->p->externs[i.b];
    if (!registers_ok(v, i.a, x->param_count + 1u)) return wrong(v, "arguments out of range");
    for (uint32_t k = 0; k <= x->param_count; k++) {
        if (!shunt_type_same(v->types[i.a + k], v->p->extern_types[x->type_first + k]))
            return wrong(v, "value %u has another type", k);
    }
    return true;
}

static bool check_tally_use(struct verifier *v, shunt_instruction i)
{
    const shunt_tally *t = &v->p->tallies[i.op == SHUNT_OP_TALLY_ADD ? i.a : i.b];
    if (i.op == SHUNT_OP_TALLY_GET) {
        shunt_type rows = { .kind = SHUNT_KIND_LIST, .element = SHUNT_KIND_ROW, .record = t->record };
        return shunt_type_same(v->types[i.a], t->record == SHUNT_NONE ? t->type : rows) ? true
                                                                                        : wrong(v, "the tally has another type");
    }
    if (t->declared == 1) return wrong(v, "the engine adds to this tally");
    if (!shunt_type_same(v->types[i.b], t->type)) return wrong(v, "the tally has another type");
    if (t->record == SHUNT_NONE) return i.c == 0 || wrong(v, "the tally has no groups");
    return all_texts(v, i.c, (uint32_t)t->keys + t->members) || wrong(v, "the group is no text");
}

/* LINE and POST: `open` is the journal that the flow says. */
static bool check_journal_part(struct verifier *v, shunt_instruction i, uint16_t open)
{
    const shunt_target *t = &v->p->targets[open];
    if (i.op == SHUNT_OP_POST) {
        if (!as_fields(v, i.a, t->record)) return wrong(v, "header is not as the target says");
        return all_texts(v, i.b, i.c) || wrong(v, "key is not made of texts");
    }
    if (i.b > 3) return wrong(v, "flags");
    if (!registers_ok(v, i.a, 2) || v->types[i.a].kind != SHUNT_KIND_TEXT || v->types[i.a + 1].kind != SHUNT_KIND_DECIMAL)
        return wrong(v, "account and amount");
    if (t->line == SHUNT_NONE) return i.c == 0 || wrong(v, "columns of a target without any");
    return (i.c <= v->p->records[t->line].field_count && as_fields(v, i.a + 2u, t->line)) ||
           wrong(v, "columns are not as the target says");
}

static bool forbidden_if_pure(uint16_t op)
{
    switch ((shunt_op)op) {
    case SHUNT_OP_GLOBAL_GET:
    case SHUNT_OP_GLOBAL_SET:
    case SHUNT_OP_EXIT:
    case SHUNT_OP_WARN:
    case SHUNT_OP_NOTE:
    case SHUNT_OP_GET:
    case SHUNT_OP_GET_OPTIONAL:
    case SHUNT_OP_GET_TEXT:
    case SHUNT_OP_ANCESTOR:
    case SHUNT_OP_CHILD_FIRST:
    case SHUNT_OP_CHILDREN:
    case SHUNT_OP_POSITION:
    case SHUNT_OP_COLLECT:
    case SHUNT_OP_SUM:
    case SHUNT_OP_EARLIEST:
    case SHUNT_OP_TALLY_ADD:
    case SHUNT_OP_TALLY_GET:
    case SHUNT_OP_OCCURRENCE:
    case SHUNT_OP_CORRELATE:
    case SHUNT_OP_EMIT:
    case SHUNT_OP_JOURNAL:
    case SHUNT_OP_LINE:
    case SHUNT_OP_POST: return true;
    default: return false;
    }
}

static bool check_instruction(struct verifier *v, shunt_instruction i)
{
    const shunt_program  *p = v->p;
    const shunt_function *f = v->function;
    const shunt_type     *t = v->types;
    bool                  last = v->pc + 1 == f->code_count;
    if (f->pure && forbidden_if_pure(i.op)) return wrong(v, "not in a pure function");
    switch ((shunt_op)i.op) {
    case SHUNT_OP_RETYPE: return retype_ok(t[i.a], t[i.b]) || wrong(v, "types do not fit");
    case SHUNT_OP_GLOBAL_GET:
    case SHUNT_OP_GLOBAL_SET: return shunt_type_same(t[i.a], p->globals[i.b]) || wrong(v, "the global has another type");
    case SHUNT_OP_IS_STATE: return i.c <= SHUNT_CLEARED || wrong(v, "no such state");
    case SHUNT_OP_CALL: return check_call(v, i);
    case SHUNT_OP_RETURN: return shunt_type_same(t[i.a], f->result) || wrong(v, "the result has another type");
    case SHUNT_OP_FINISH: return f->result.kind == SHUNT_KIND_NONE || wrong(v, "a function must return its result");
    case SHUNT_OP_EXIT:
    case SHUNT_OP_WARN:
    case SHUNT_OP_NOTE:
        if (!check_exit(v, i.a)) return false;
        return (p->exits[i.a].kind == SHUNT_EXIT_WARN) == (i.op != SHUNT_OP_EXIT) || wrong(v, "exit %u is of another kind", i.a);
    case SHUNT_OP_REQUIRE: return i.b == SHUNT_NONE || check_exit(v, i.b);
    case SHUNT_OP_INT_ADD:
    case SHUNT_OP_INT_SUB:
    case SHUNT_OP_INT_MUL:
    case SHUNT_OP_INT_NEG:
    case SHUNT_OP_INT_ABS:
    case SHUNT_OP_DATE_DIFF:
    case SHUNT_OP_POSITION:
    case SHUNT_OP_LIST_COUNT: return number(t[i.a]) || wrong(v, "an enum can not be computed");
    case SHUNT_OP_OCCURRENCE:
        if (!number(t[i.a])) return wrong(v, "an enum can not be computed");
        return (i.c <= TEXTS_AT_ONCE && all_texts(v, i.b, i.c)) || wrong(v, "texts");
    case SHUNT_OP_CORRELATE: return (i.b <= TEXTS_AT_ONCE && all_texts(v, i.a, i.b)) || wrong(v, "texts");
    case SHUNT_OP_DEC_MUL:
        return t[i.a].scale == t[i.b].scale + t[i.c].scale || wrong(v, "the scale of a product is the sum of both");
    case SHUNT_OP_DEC_DIV: return (!last && code_of(v)[v->pc + 1].op == SHUNT_OP_EXTRA) || wrong(v, "an EXTRA must follow");
    case SHUNT_OP_EXTRA: return (v->pc && code_of(v)[v->pc - 1].op == SHUNT_OP_DEC_DIV) || wrong(v, "belongs to nothing");
    case SHUNT_OP_DEC_EQ:
    case SHUNT_OP_DEC_LT:
    case SHUNT_OP_DEC_LE: return t[i.b].scale == t[i.c].scale || wrong(v, "scales differ");
    case SHUNT_OP_TEXT_JOIN: return all_texts(v, i.b, i.c) || wrong(v, "texts");
    case SHUNT_OP_TEXT_OF: return scalar(t[i.b].kind) || wrong(v, "has no text");
    case SHUNT_OP_TEXT_OF_ENUM: return t[i.b].extra || wrong(v, "no enum");
    case SHUNT_OP_GET:
    case SHUNT_OP_GET_OPTIONAL:
        return (slot_in(v, i.c, t[i.b].record) && slot_gives(v, i.c, t[i.a])) || wrong(v, "slot of another frame or type");
    case SHUNT_OP_GET_TEXT: return slot_in(v, i.c, t[i.b].record) || wrong(v, "slot of another frame");
    case SHUNT_OP_CHILD_FIRST:
        return t[i.a].record == child_frame(v, t[i.b].record, i.c) || wrong(v, "child list of another frame");
    case SHUNT_OP_CHILDREN:
        return (t[i.a].element == SHUNT_KIND_NODE && t[i.a].record == child_frame(v, t[i.b].record, i.c)) ||
               wrong(v, "child list of another frame");
    case SHUNT_OP_COLLECT:
        return (t[i.a].element == SHUNT_KIND_ROW && t[i.a].record == p->collects[i.c].record &&
                t[i.b].record == p->collects[i.c].frame) ||
               wrong(v, "collector of another frame or record");
    case SHUNT_OP_SUM: {
        const shunt_collect *k = &p->collects[i.c];
        shunt_type           needed = p->fields[p->records[k->record].field_first + k->needed].type;
        return (t[i.b].record == k->frame && needed.kind == SHUNT_KIND_DECIMAL && needed.scale == t[i.a].scale) ||
               wrong(v, "collector of another frame, or of no such amounts");
    }
    case SHUNT_OP_EARLIEST: return t[i.b].record == p->earliests[i.c].frame || wrong(v, "dates of another frame");
    case SHUNT_OP_LIST_FIRST: return shunt_type_same(t[i.a], shunt_type_item(t[i.b])) || wrong(v, "items have another type");
    case SHUNT_OP_LIST_PUSH: return shunt_type_same(t[i.b], shunt_type_item(t[i.a])) || wrong(v, "items have another type");
    case SHUNT_OP_ALLOCATE:
        if (!shunt_type_same(t[i.b], shunt_type_item(t[i.a]))) return wrong(v, "items have another type");
        return shunt_type_item(t[i.c]).kind == SHUNT_KIND_DECIMAL || wrong(v, "weights are decimals");
    case SHUNT_OP_RECALL:
    case SHUNT_OP_KEEP:
        if (!number(t[i.c])) return wrong(v, "an enum can not be computed");
        return shunt_type_same(t[i.a], shunt_type_item(t[i.b])) || wrong(v, "items have another type");
    case SHUNT_OP_NEXT:
        if (v->pc + 2 >= f->code_count || code_of(v)[v->pc + 1].op != SHUNT_OP_JUMP)
            return wrong(v, "a JUMP and more must follow");
        return number(t[i.c]) || wrong(v, "an enum can not be computed");
    case SHUNT_OP_ROW_NEW:
        if (i.c > 1) return wrong(v, "neither a row nor a record");
        return as_fields(v, i.b, t[i.a].record) || wrong(v, "registers are not as the record");
    case SHUNT_OP_FIELD: {
        const shunt_record_type *r = &p->records[t[i.b].record];
        return (i.c < r->field_count && shunt_type_same(t[i.a], p->fields[r->field_first + i.c].type)) ||
               wrong(v, "no such field, or of another type");
    }
    case SHUNT_OP_LOOKUP: return check_lookup(v, i);
    case SHUNT_OP_DECIDE: return check_decide(v, i);
    case SHUNT_OP_EXTERN: return check_extern_call(v, i);
    case SHUNT_OP_TALLY_ADD:
    case SHUNT_OP_TALLY_GET: return check_tally_use(v, i);
    case SHUNT_OP_BUILTIN: return check_builtin(v, i);
    case SHUNT_OP_EMIT:
        if (f->result.kind != SHUNT_KIND_NONE) return wrong(v, "records leave from handlers alone");
        if (p->targets[i.a].flags & SHUNT_TARGET_JOURNAL) return wrong(v, "target %u is a journal", i.a);
        if (!as_fields(v, i.b, p->targets[i.a].record)) return wrong(v, "registers are not as the target");
        return p->targets[i.a].message == SHUNT_NONE ||
               as_fields(v, i.b + p->records[p->targets[i.a].record].field_count, p->targets[i.a].message) ||
               wrong(v, "registers are not as the message of the target");
    case SHUNT_OP_JOURNAL:
        if (f->result.kind != SHUNT_KIND_NONE) return wrong(v, "records leave from handlers alone");
        if (i.b > 3) return wrong(v, "flags");
        if (!(p->targets[i.a].flags & SHUNT_TARGET_JOURNAL)) return wrong(v, "target %u is no journal", i.a);
        return !(i.b & SHUNT_JOURNAL_COLUMNS) ||
               (p->targets[i.a].line != SHUNT_NONE && as_fields(v, i.c, p->targets[i.a].line)) ||
               wrong(v, "columns are not as the target says");
    case SHUNT_OP_LINE:
    case SHUNT_OP_POST: return f->result.kind == SHUNT_KIND_NONE || wrong(v, "records leave from handlers alone");
    default: return true;
    }
}

static bool ends(uint16_t op)
{
    return op == SHUNT_OP_JUMP || op == SHUNT_OP_RETURN || op == SHUNT_OP_FINISH || op == SHUNT_OP_EXIT ||
           op == SHUNT_OP_UNMATCHED;
}

static bool flows_to(struct verifier *v, uint32_t to, uint16_t open)
{
    if (v->flow[to] == FLOW_UNSEEN && to > v->pc) v->flow[to] = open;
    return v->flow[to] == open || wrong(v, "a journal is open on one way to instruction %u and not on another", to);
}

/* Which journal is open where. Jumps go forwards but for those to a NEXT that was passed before, so one pass sees every way. */
static bool check_flow(struct verifier *v)
{
    const shunt_instruction *code = code_of(v);
    for (uint32_t k = 0; k < v->function->code_count; k++) v->flow[k] = FLOW_UNSEEN;
    v->flow[0] = FLOW_CLOSED;
    for (v->pc = 0; v->pc < v->function->code_count; v->pc++) {
        shunt_instruction i = code[v->pc];
        uint16_t          open = v->flow[v->pc];
        if (open == FLOW_UNSEEN) continue; /* nothing leads here */
        if ((i.op == SHUNT_OP_JOURNAL || i.op == SHUNT_OP_FINISH) && open != FLOW_CLOSED) return wrong(v, "a journal is open");
        if (i.op == SHUNT_OP_LINE || i.op == SHUNT_OP_POST) {
            if (open == FLOW_CLOSED) return wrong(v, "no journal is open");
            if (!check_journal_part(v, i, open)) return false;
        }
        if (i.op == SHUNT_OP_JOURNAL) open = i.a;
        if (i.op == SHUNT_OP_POST) open = FLOW_CLOSED;
        if (shunt_op_info[i.op].b == SHUNT_OPERAND_JUMP && !flows_to(v, jump_target(i), open)) return false;
        if (!ends(i.op) && !flows_to(v, v->pc + 1, open)) return false;
        if (i.op == SHUNT_OP_NEXT && !flows_to(v, v->pc + 2, open)) return false;
    }
    return true;
}

static bool check_function(struct verifier *v, uint32_t index)
{
    const shunt_program  *p = v->p;
    const shunt_function *f = &p->functions[index];
    v->function = f;
    v->function_index = index;
    v->types = p->register_types + f->type_first;
    for (v->pc = 0; v->pc < f->code_count; v->pc++) {
        shunt_instruction i = code_of(v)[v->pc];
        if (i.op >= SHUNT_OP_COUNT) return wrong(v, "no such instruction");
        const struct shunt_op_info *info = &shunt_op_info[i.op];
        if (!check_operand(v, i, info->a, i.a, SHUNT_OPERAND_NONE) || !check_operand(v, i, info->b, i.b, info->a) ||
            !check_operand(v, i, info->c, i.c, info->b))
            return false;
        if (!check_instruction(v, i)) return false;
    }
    v->pc = f->code_count - 1;
    return ends(code_of(v)[v->pc].op) || wrong(v, "the function runs off its end");
}

/* What can be said before any code is read: calls refer to these. */
static bool check_function_heads(struct verifier *v, uint32_t *longest)
{
    const shunt_program *p = v->p;
    uint64_t             next = 0;
    if (p->functions_count >= SHUNT_NONE) return bad(v, "too many functions");
    for (uint32_t i = 0; i < p->functions_count; i++) {
        const shunt_function *f = &p->functions[i];
        if (!text_ok(v, f->name) || f->pure > 1 || f->registers > SHUNT_FUNCTION_REGISTERS || f->params > f->registers)
            return bad(v, "function %u", i);
        if (!slice_ok(v, f->type_first, f->registers, p->register_types_count)) return bad(v, "function %u: registers", i);
        if (f->result.kind == SHUNT_KIND_NONE ? f->pure : !type_ok(v, f->result)) return bad(v, "function %u: result", i);
        /* One after the other, so that all of them together are no longer than the section. */
        if (f->code_first < next || f->code_count == 0 || !slice_ok(v, f->code_first, f->code_count, p->instructions_count))
            return bad(v, "function %u: code", i);
        next = (uint64_t)f->code_first + f->code_count;
        if (f->code_count > *longest) *longest = f->code_count;
    }
    return true;
}

static bool check_bounds(struct verifier *v, uint32_t *registers, uint16_t *depth, shunt_bounds *bounds)
{
    const shunt_program *p = v->p;
    *bounds = (shunt_bounds){ .depth = 1 };
    for (uint32_t i = 0; i < p->functions_count; i++) {
        const shunt_function *f = &p->functions[i];
        uint32_t              below = 0, levels = 0;
        for (uint32_t k = 0; k < f->code_count; k++) {
            shunt_instruction at = p->instructions[f->code_first + k];
            if (at.op != SHUNT_OP_CALL) continue;
            if (registers[at.b] > below) below = registers[at.b];
            if (depth[at.b] > levels) levels = depth[at.b];
        }
        registers[i] = f->registers + below;
        depth[i] = (uint16_t)(levels + 1);
        if (registers[i] > SHUNT_STACK_REGISTERS)
            return bad(v, "function %u: calls need more than %d registers", i, SHUNT_STACK_REGISTERS);
        if (registers[i] > bounds->registers) bounds->registers = registers[i];
        if (depth[i] > bounds->depth) bounds->depth = depth[i];
    }
    return true;
}

/* ---- what runs when ---- */

/* A function with at most one parameter, a node of a frame of this kind and source (frame NONE: the set's, whichever guide). */
static bool entry_ok(const struct verifier *v, uint16_t index, uint16_t source, uint16_t frame, bool node_allowed)
{
    const shunt_program *p = v->p;
    if (index == SHUNT_NONE) return true;
    if (index >= p->functions_count || p->functions[index].result.kind != SHUNT_KIND_NONE) return false;
    if (p->functions[index].params == 0) return true;
    shunt_type type = p->register_types[p->functions[index].type_first];
    if (!node_allowed || p->functions[index].params != 1 || type.kind != SHUNT_KIND_NODE) return false;
    if (frame != SHUNT_NONE) return type.record == frame;
    return p->frames[type.record].kind == SHUNT_FRAME_SET && p->frames[type.record].source == source;
}

static bool is_total(const shunt_tally *t, const shunt_field *field) { return shunt_type_same(field->type, t->type); }

/* Rows of a grouped tally: a text for each key, the total, and where members are kept their list, each with its key and total. */
static bool group_ok(const struct verifier *v, const shunt_tally *t)
{
    const shunt_program *p = v->p;
    if (t->record >= p->records_count || t->declared == 1 || t->keys == 0 || t->keys + 1u > TEXTS_AT_ONCE || t->members > 1)
        return false;
    const shunt_record_type *r = &p->records[t->record];
    const shunt_field       *fields = p->fields + r->field_first;
    if (r->field_count != t->keys + 1u + t->members) return false;
    for (uint32_t k = 0; k < t->keys; k++)
        if (fields[k].type.kind != SHUNT_KIND_TEXT) return false;
    if (!is_total(t, &fields[t->keys])) return false;
    if (!t->members) return true;
    shunt_type list = fields[t->keys + 1].type;
    if (list.kind != SHUNT_KIND_LIST || list.element != SHUNT_KIND_ROW || list.record >= p->records_count) return false;
    const shunt_record_type *member = &p->records[list.record];
    const shunt_field       *of_member = p->fields + member->field_first;
    return member->field_count == 2 && of_member[0].type.kind == SHUNT_KIND_TEXT && is_total(t, &of_member[1]);
}

static bool check_tallies(struct verifier *v)
{
    const shunt_program *p = v->p;
    for (uint32_t i = 0; i < p->tallies_count; i++) {
        const shunt_tally *t = &p->tallies[i];
        if (!text_ok(v, t->name) || t->scope > SHUNT_SCOPE_FILE || t->declared > 2 || t->source >= p->sources_count ||
            !type_ok(v, t->type))
            return bad(v, "tally %u", i);
        if (t->type.kind != SHUNT_KIND_DECIMAL && !number(t->type)) return bad(v, "tally %u adds no numbers", i);
        if (t->record != SHUNT_NONE) {
            if (!group_ok(v, t)) return bad(v, "tally %u: groups", i);
        }
        if (t->declared == 2) {
            const shunt_tally *sum = i ? &p->tallies[i - 1] : t;
            if (sum->declared != 1 || sum->scope != t->scope || !shunt_type_same(sum->type, t->type) || t->record == SHUNT_NONE)
                return bad(v, "tally %u: groups of no tally", i);
            continue;
        }
        if (!t->declared) continue;
        if (t->frame >= p->frames_count || t->function >= p->functions_count) return bad(v, "tally %u: frame or function", i);
        const shunt_function *f = &p->functions[t->function];
        shunt_type            node = { .kind = SHUNT_KIND_NODE, .record = t->frame };
        if (f->params != 1 || !shunt_type_same(p->register_types[f->type_first], node) || !shunt_type_same(f->result, t->type))
            return bad(v, "tally %u: function", i);
    }
    return true;
}

static bool check_entries(struct verifier *v)
{
    const shunt_program *p = v->p;
    for (uint32_t i = 0; i < p->frames_count; i++)
        if (p->frames[i].source >= p->sources_count) return bad(v, "frame %u: source", i);
    for (uint32_t i = 0; i < p->sources_count; i++) {
        if (!text_ok(v, p->sources[i].name) || !text_ok(v, p->sources[i].standard) || !text_or_none(v, p->sources[i].currency) ||
            !text_or_none(v, p->sources[i].currency_path) || !index_or_none(p->sources[i].zone, p->zones_count))
            return bad(v, "source %u", i);
    }
    for (uint32_t i = 0; i < p->maps_count; i++) {
        const shunt_map_entry *m = &p->maps[i];
        if (!text_ok(v, m->name) || m->source >= p->sources_count || m->widest > SHUNT_SCOPE_FILE) return bad(v, "map %u", i);
        if (!entry_ok(v, m->at_start, m->source, SHUNT_NONE, true) || !entry_ok(v, m->early, m->source, SHUNT_NONE, true) ||
            !entry_ok(v, m->late, m->source, SHUNT_NONE, true) || !entry_ok(v, m->at_end, m->source, SHUNT_NONE, true) ||
            !entry_ok(v, m->at_end_batch, m->source, SHUNT_NONE, false) ||
            !entry_ok(v, m->at_end_file, m->source, SHUNT_NONE, false))
            return bad(v, "map %u: function", i);
        if (!index_or_none(m->on_error, p->exits_count) || !index_or_none(m->source_error, p->exits_count))
            return bad(v, "map %u: exit", i);
        if ((m->on_error != SHUNT_NONE && p->exits[m->on_error].kind == SHUNT_EXIT_SKIP) ||
            (m->source_error != SHUNT_NONE && p->exits[m->source_error].kind == SHUNT_EXIT_SKIP))
            return bad(v, "map %u: a failure can not be skipped", i);
    }
    for (uint32_t i = 0; i < p->handlers_count; i++) {
        const shunt_handler *h = &p->handlers[i];
        if (h->source >= p->sources_count || h->frame >= p->frames_count || p->frames[h->frame].source != h->source ||
            !p->frames[h->frame].unit)
            return bad(v, "handler %u", i);
        if (h->function == SHUNT_NONE || !entry_ok(v, h->function, h->source, h->frame, true))
            return bad(v, "handler %u: function", i);
    }
    return true;
}

static bool check_sections(struct verifier *v)
{
    return check_texts(v) && check_plan(v) && check_zones(v) && check_enums(v) && check_records(v) && check_constants(v) &&
           check_tables(v) && check_decisions(v) && check_externs(v) && check_places(v) && check_targets(v) &&
           check_collectors(v);
}

/* After check_function_heads. `heights`: of the record types too. */
static shunt_status check_code(struct verifier *v, const shunt_memory *memory, uint32_t longest, bool heights,
                               shunt_bounds *bounds)
{
    const shunt_program *program = v->p;
    /* Scratch: flow of the longest function, need of each function, height of each record type. */
    size_t               functions = program->functions_count;
    uint32_t            *scratch = (uint32_t *)shunt_memory_zeroed(
                   memory, 1, sizeof(uint32_t) * functions + sizeof(uint16_t) * (functions + longest + program->records_count + 1));
    if (!scratch) return SHUNT_NO_MEMORY;
    uint16_t *depth = (uint16_t *)(scratch + functions), *height = depth + functions;
    v->flow = height + program->records_count;
    bool good = !heights || check_record_heights(v, height);
    for (uint32_t i = 0; i < functions && good; i++) { good = check_function(v, i) && check_flow(v); }
    good = good && check_bounds(v, scratch, depth, bounds);
    shunt_memory_free(memory, scratch);
    return good ? SHUNT_OK : SHUNT_PROGRAM_BAD;
}

shunt_status shunt_verify(const shunt_memory *memory, const shunt_program *program, shunt_bounds *bounds, char why[static 200])
{
    struct verifier v = { .p = program, .why = why };
    uint32_t        longest = 1;
    why[0] = 0;
    if (!check_sections(&v) || !check_function_heads(&v, &longest) || !check_tallies(&v) || !check_entries(&v))
        return SHUNT_PROGRAM_BAD;
    return check_code(&v, memory, longest, true, bounds);
}

shunt_status shunt_verify_code(const shunt_memory *memory, const shunt_program *program, shunt_bounds *bounds,
                               char why[static 200])
{
    struct verifier v = { .p = program, .why = why };
    uint32_t        longest = 1;
    why[0] = 0;
    if (!check_function_heads(&v, &longest)) return SHUNT_PROGRAM_BAD;
    return check_code(&v, memory, longest, false, bounds);
}

shunt_status shunt_program_verify(const shunt_memory *memory, const shunt_program *program, char why[static 200])
{
    shunt_bounds bounds;
    return shunt_verify(memory, program, &bounds, why);
}
