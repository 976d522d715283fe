/* disasm.c - a program as text: the same program gives the same text on every machine. Names stand beside every index, so that a
 * reader needs no second table; what has no name is told by its number. */
#include "engine/base/hash.h"
#include "engine/vm/decision.h"
#include "engine/vm/vm.h"

struct printer {
    const shunt_program *p;
    shunt_buffer        *out;
    bool                 sites;
};

static const char *const scope_names[] = { "unit", "transaction", "batch", "interchange", "file" };
static const char *const exit_names[] = { "reject", "quarantine", "warn", "skip" };
static const char *const mode_names[] = { "half_up", "half_even", "down", "up", "exact" };
static const char *const state_names[] = { "present", "absent", "cleared" };
static const char *const encode_names[] = { "json", "csv", "fixed", "xml", "x12", "hl7", "fhir" };
static const char *const frame_names[] = { "set", "loop", "group" };
static const char *const convert_names[] = { "text",        "decimal",  "implied",    "int",      "date",
                                             "date_end",    "date_hl7", "moment_hl7", "date_iso", "moment_iso",
                                             "date_format", "bool",     "exponent" };

#define NAME_OF(names, index) ((size_t)(index) < SHUNT_COUNT(names) ? (names)[index] : "?")

static void quoted(struct printer *d, shunt_text text) { shunt_buffer_json(d->out, text); }

/* A name as it stands; "-" for none. */
static void name(struct printer *d, uint16_t index)
{
    if (index == SHUNT_NONE)
        shunt_buffer_z(d->out, "-");
    else
        shunt_buffer_text(d->out, d->p->texts[index]);
}

static void label(struct printer *d, const char *word, uint16_t index)
{
    if (index == SHUNT_NONE) return;
    shunt_buffer_format(d->out, " %s ", word);
    quoted(d, d->p->texts[index]);
}

static void type_name(struct printer *d, shunt_type type)
{
    const shunt_program *p = d->p;
    switch ((shunt_kind)type.kind) {
    case SHUNT_KIND_NONE: shunt_buffer_z(d->out, "nothing"); break;
    case SHUNT_KIND_BOOL: shunt_buffer_z(d->out, "bool"); break;
    case SHUNT_KIND_INT:
        if (type.extra)
            name(d, p->enums[type.extra - 1].name);
        else
            shunt_buffer_z(d->out, "int");
        break;
    case SHUNT_KIND_DECIMAL:
        if (type.extra) {
            shunt_buffer_z(d->out, "money(");
            name(d, type.extra);
            shunt_buffer_format(d->out, ", %u)", type.scale);
        } else {
            shunt_buffer_format(d->out, "decimal(%u)", type.scale);
        }
        break;
    case SHUNT_KIND_TEXT: shunt_buffer_z(d->out, "text"); break;
    case SHUNT_KIND_DATE: shunt_buffer_z(d->out, "date"); break;
    case SHUNT_KIND_MOMENT: shunt_buffer_z(d->out, "moment"); break;
    case SHUNT_KIND_LIST:
        shunt_buffer_z(d->out, "list of ");
        type_name(d, (shunt_type){ .kind = type.element, .scale = type.scale, .record = type.record, .extra = type.extra });
        break;
    case SHUNT_KIND_ROW:
        shunt_buffer_z(d->out, "row ");
        name(d, p->records[type.record].name);
        break;
    case SHUNT_KIND_NODE:
        shunt_buffer_z(d->out, "node ");
        name(d, p->frames[type.record].id);
        break;
    case SHUNT_KIND_COUNT: break;
    }
}

static void hex(struct printer *d, const uint8_t hash[static 32])
{
    char digits[SHUNT_SHA256_HEX];
    shunt_hex(hash, 32, digits);
    shunt_buffer_add(d->out, digits, sizeof digits);
}

static void line(struct printer *d, const char *word, uint32_t index) { shunt_buffer_format(d->out, "%s %u ", word, index); }

static void end_line(struct printer *d) { shunt_buffer_char(d->out, '\n'); }

static void place(struct printer *d, uint32_t site)
{
    if (!d->sites || site == 0 || site >= d->p->sites_count) return;
    const shunt_site *s = &d->p->sites[site];
    shunt_buffer_z(d->out, "  ; ");
    name(d, s->file);
    shunt_buffer_format(d->out, ":%u:%u", s->line, s->column);
    label(d, "step", s->step);
}

/* ---- what runs when ---- */

static void entry(struct printer *d, const char *word, uint16_t function)
{
    if (function == SHUNT_NONE) return;
    shunt_buffer_format(d->out, " %s f%u", word, function);
}

static void print_head(struct printer *d)
{
    const shunt_program *p = d->p;
    shunt_buffer_z(d->out, "program ");
    hex(d, p->hash);
    shunt_buffer_z(d->out, "\ncode    ");
    hex(d, p->code_hash);
    end_line(d);
    for (uint32_t i = 0; i < p->modules_count; i++) {
        line(d, "module", i);
        name(d, p->modules[i].name);
        label(d, "version", p->modules[i].version);
        label(d, "file", p->modules[i].file);
        shunt_buffer_z(d->out, " hash ");
        hex(d, p->modules[i].hash);
        end_line(d);
    }
    for (uint32_t i = 0; i < p->sources_count; i++) {
        line(d, "source", i);
        name(d, p->sources[i].name);
        label(d, "is", p->sources[i].standard);
        label(d, "currency", p->sources[i].currency);
        if (p->sources[i].zone != SHUNT_NONE) label(d, "zone", p->zones[p->sources[i].zone].name);
        shunt_buffer_format(d->out, " max_unit_bytes %u\n", p->sources[i].max_unit_bytes);
    }
    for (uint32_t i = 0; i < p->maps_count; i++) {
        const shunt_map_entry *m = &p->maps[i];
        line(d, "map", i);
        name(d, m->name);
        shunt_buffer_z(d->out, " from ");
        name(d, p->sources[m->source].name);
        entry(d, "at_start", m->at_start);
        entry(d, "early", m->early);
        entry(d, "late", m->late);
        entry(d, "at_end", m->at_end);
        entry(d, "at_end_batch", m->at_end_batch);
        entry(d, "at_end_file", m->at_end_file);
        if (m->on_error != SHUNT_NONE) shunt_buffer_format(d->out, " on_error exit %u", m->on_error);
        if (m->source_error != SHUNT_NONE) shunt_buffer_format(d->out, " source_error exit %u", m->source_error);
        shunt_buffer_format(d->out, " widest %s\n", NAME_OF(scope_names, m->widest));
    }
    for (uint32_t i = 0; i < p->handlers_count; i++) {
        line(d, "handler", i);
        name(d, p->sources[p->handlers[i].source].name);
        shunt_buffer_char(d->out, ' ');
        name(d, p->frames[p->handlers[i].frame].id);
        entry(d, "runs", p->handlers[i].function);
        end_line(d);
    }
    for (uint32_t i = 0; i < p->tallies_count; i++) {
        const shunt_tally *t = &p->tallies[i];
        line(d, "tally", i);
        name(d, t->name);
        shunt_buffer_z(d->out, ": ");
        type_name(d, t->type);
        shunt_buffer_format(d->out, " per %s of source ", NAME_OF(scope_names, t->scope));
        name(d, p->sources[t->source].name);
        if (t->record != SHUNT_NONE) {
            shunt_buffer_z(d->out, " by ");
            name(d, p->records[t->record].name);
            shunt_buffer_format(d->out, " limit %u", t->limit);
        }
        if (t->declared == 2) shunt_buffer_z(d->out, " groups of the one before");
        if (t->declared == 1) {
            shunt_buffer_z(d->out, " each ");
            name(d, p->frames[t->frame].id);
            entry(d, "adds", t->function);
        }
        end_line(d);
    }
}

/* ---- input ---- */

static void print_frames(struct printer *d)
{
    const shunt_program *p = d->p;
    for (uint32_t i = 0; i < p->guides_count; i++) {
        line(d, "guide", i);
        name(d, p->guides[i].set);
        shunt_buffer_char(d->out, ' ');
        name(d, p->guides[i].version);
        shunt_buffer_format(d->out, " loops %u ids %u\n", p->guides[i].loop_count, p->guides[i].id_count);
    }
    shunt_buffer_format(d->out, "plan nodes %u loops %u choices %u demands %u\n", p->nodes_count, p->loops_count,
                        p->choices_count, p->demands_count);
    for (uint32_t i = 0; i < p->frames_count; i++) {
        const shunt_plan_frame *f = &p->frames[i];
        line(d, "frame", i);
        name(d, f->id);
        shunt_buffer_format(d->out, " %s%s\n", NAME_OF(frame_names, f->kind), f->unit ? " unit" : "");
        for (uint32_t k = 0; k < f->slot_count; k++) {
            const shunt_plan_slot *s = &p->slots[f->slot_first + k];
            shunt_buffer_format(d->out, "  slot %u ", f->slot_first + k);
            name(d, s->path);
            shunt_buffer_format(d->out, " %s", NAME_OF(convert_names, s->convert));
            if (s->convert == SHUNT_CONVERT_DECIMAL || s->convert == SHUNT_CONVERT_IMPLIED ||
                s->convert == SHUNT_CONVERT_EXPONENT)
                shunt_buffer_format(d->out, " scale %u", s->scale);
            if (s->convert == SHUNT_CONVERT_IMPLIED) shunt_buffer_format(d->out, " implied %u", s->implied);
            shunt_buffer_format(d->out, "%s%s%s", s->required ? " required" : "", s->masked ? " masked" : "",
                                s->early ? " early" : "");
            if (s->codes != SHUNT_NONE) {
                shunt_buffer_z(d->out, " codes ");
                name(d, p->code_lists[s->codes].name);
            }
            label(d, "mask", s->mask);
            label(d, "format", s->format);
            if (s->currency != SHUNT_NONE) shunt_buffer_format(d->out, " currency slot %u", f->slot_first + s->currency);
            end_line(d);
        }
        for (uint32_t k = 0; k < f->child_count; k++) {
            shunt_buffer_format(d->out, "  child %u ", k);
            name(d, p->frames[p->children[f->child_first + k]].id);
            end_line(d);
        }
    }
    for (uint32_t i = 0; i < p->code_lists_count; i++) {
        line(d, "codes", i);
        name(d, p->code_lists[i].name);
        shunt_buffer_format(d->out, " values %u\n", p->code_lists[i].value_count);
    }
}

static void child_name(struct printer *d, uint16_t frame, uint16_t child)
{
    name(d, d->p->frames[d->p->children[d->p->frames[frame].child_first + child]].id);
}

static void print_collectors(struct printer *d)
{
    static const char *const from_names[] = { "group", "line", "level", "position", "ordinal", "first", "unread" };
    const shunt_program     *p = d->p;
    for (uint32_t i = 0; i < p->collects_count; i++) {
        const shunt_collect *c = &p->collects[i];
        line(d, "collector", i);
        name(d, p->records[c->record].name);
        shunt_buffer_z(d->out, " from ");
        name(d, p->frames[c->frame].id);
        if (c->group != SHUNT_NONE) shunt_buffer_format(d->out, " group %u", c->group);
        if (c->line != SHUNT_NONE) shunt_buffer_format(d->out, " line %u", c->line);
        if (c->line_group != SHUNT_NONE) shunt_buffer_format(d->out, " line_group %u", c->line_group);
        if (c->inner_line != SHUNT_NONE) shunt_buffer_format(d->out, " inner_line %u", c->inner_line);
        if (c->inner_group != SHUNT_NONE) shunt_buffer_format(d->out, " inner_group %u", c->inner_group);
        shunt_buffer_format(d->out, " needed %u max %u%s\n", c->needed, c->max, c->twice ? " twice" : "");
        const shunt_record_type *r = &p->records[c->record];
        for (uint32_t f = 0; f < r->field_count; f++) {
            const shunt_collect_field *from = &p->collect_fields[c->field_first + f];
            shunt_buffer_z(d->out, "  ");
            name(d, p->fields[r->field_first + f].name);
            shunt_buffer_format(d->out, " %s", NAME_OF(from_names, from->from));
            if (from->from == SHUNT_COLLECT_GROUP || from->from == SHUNT_COLLECT_LINE) {
                shunt_buffer_char(d->out, ' ');
                name(d, p->slots[from->slot].path);
            } else if (from->from == SHUNT_COLLECT_POSITION && from->slot) {
                shunt_buffer_z(d->out, " or of the outer node");
            } else if (from->from == SHUNT_COLLECT_LEVEL) {
                label(d, "outer", from->slot);
                label(d, "line", from->child);
            }
            for (uint32_t k = 0; from->from == SHUNT_COLLECT_FIRST && k < from->child; k++) {
                const shunt_alternative *a = &p->alternatives[from->slot + k];
                shunt_buffer_z(d->out, a->line ? " line." : " outer.");
                if (a->child != SHUNT_NONE) shunt_buffer_format(d->out, "%u.", a->child);
                name(d, p->slots[a->slot].path);
            }
            end_line(d);
        }
    }
    for (uint32_t i = 0; i < p->earliests_count; i++) {
        const shunt_earliest *e = &p->earliests[i];
        line(d, "dates", i);
        name(d, p->frames[e->frame].id);
        for (uint32_t k = 0; k < e->path_count; k++) {
            const shunt_date_path *path = &p->date_paths[e->path_first + k];
            shunt_buffer_char(d->out, ' ');
            if (path->child != SHUNT_NONE) {
                child_name(d, e->frame, path->child);
                shunt_buffer_char(d->out, '.');
            }
            if (path->grandchild != SHUNT_NONE) {
                child_name(d, p->children[p->frames[e->frame].child_first + path->child], path->grandchild);
                shunt_buffer_char(d->out, '.');
            }
            name(d, p->slots[path->slot].path);
        }
        end_line(d);
    }
}

/* ---- types and output ---- */

/* A text stands as its index. */
static void constant_value(struct printer *d, shunt_type type, shunt_value value)
{
    char room[64];
    if (type.kind == SHUNT_KIND_TEXT) {
        quoted(d, d->p->texts[value.integer]);
        return;
    }
    shunt_buffer_text(d->out, shunt_value_text(d->p, type, value, room));
    if (type.kind == SHUNT_KIND_DECIMAL && type.extra) {
        shunt_buffer_char(d->out, ' ');
        name(d, type.extra);
    }
}

static void print_rows(struct printer *d, const shunt_decision *decision, const char *word, uint32_t set)
{
    const uint64_t *bits = d->p->decision_bits + d->p->decision_sets[set];
    shunt_buffer_format(d->out, "    %s:", word);
    for (uint32_t row = 0; row < decision->row_count; row++)
        if (bits[row / 64] >> (row % 64) & 1) shunt_buffer_format(d->out, " %u", row);
    end_line(d);
}

static void print_point(struct printer *d, const shunt_decision_column *c, uint32_t point)
{
    shunt_buffer_z(d->out, "    point ");
    constant_value(d, c->type, d->p->decision_points[c->point_first + point]);
    end_line(d);
}

static void print_decision(struct printer *d, uint32_t index)
{
    const shunt_decision *decision = &d->p->decisions[index];
    line(d, "decision", index);
    name(d, decision->name);
    shunt_buffer_format(d->out, " rows %u\n", decision->row_count);
    for (uint32_t i = 0; i < decision->column_count; i++) {
        const shunt_decision_column *c = &d->p->decision_columns[decision->column_first + i];
        shunt_buffer_z(d->out, "  column ");
        type_name(d, c->type);
        end_line(d);
        print_rows(d, decision, "absent", c->set_first);
        print_rows(d, decision, "cleared", c->set_first + 1);
        print_rows(d, decision, c->ordered ? "below" : "others", c->set_first + 2);
        for (uint32_t k = 0; k < c->point_count; k++) {
            print_point(d, c, k);
            print_rows(d, decision, "rows", c->set_first + (c->ordered ? 2 * k + 3 : k + 3));
            if (c->ordered) print_rows(d, decision, "above", c->set_first + 2 * k + 4);
        }
    }
}

static void print_types(struct printer *d)
{
    const shunt_program *p = d->p;
    for (uint32_t i = 0; i < p->enums_count; i++) {
        line(d, "enum", i);
        name(d, p->enums[i].name);
        for (uint32_t m = 0; m < p->enums[i].member_count; m++) {
            shunt_buffer_char(d->out, ' ');
            name(d, p->numbers[p->enums[i].member_first + m]);
        }
        end_line(d);
    }
    for (uint32_t i = 0; i < p->records_count; i++) {
        const shunt_record_type *r = &p->records[i];
        line(d, "record", i);
        name(d, r->name);
        end_line(d);
        for (uint32_t k = 0; k < r->field_count; k++) {
            const shunt_field *f = &p->fields[r->field_first + k];
            shunt_buffer_format(d->out, "  %u ", k);
            name(d, f->name);
            shunt_buffer_z(d->out, ": ");
            type_name(d, f->type);
            if (f->max_length) shunt_buffer_format(d->out, "(%u)", f->max_length);
            shunt_buffer_format(d->out, "%s%s\n", f->flags & SHUNT_FIELD_OPTIONAL ? "?" : "",
                                f->flags & SHUNT_FIELD_MASKED ? " masked" : "");
        }
    }
    for (uint32_t i = 0; i < p->tables_count; i++) {
        const shunt_table *t = &p->tables[i];
        line(d, "table", i);
        name(d, t->name);
        label(d, "from", t->path);
        shunt_buffer_format(d->out, " keys %u%s%s rows %u hash ", t->key_count,
                            t->flags & SHUNT_TABLE_PREFIX  ? " prefix"
                            : t->flags & SHUNT_TABLE_RANGE ? " range"
                                                           : "",
                            t->flags & SHUNT_TABLE_EFFECTIVE ? " effective" : "", t->row_count);
        hex(d, t->hash);
        end_line(d);
    }
    for (uint32_t i = 0; i < p->externs_count; i++) {
        const shunt_extern *x = &p->externs[i];
        line(d, "extern", i);
        name(d, x->name);
        label(d, "from", x->library);
        shunt_buffer_format(d->out, " cost %u%s :", x->cost, x->optional ? " optional" : "");
        for (uint32_t k = 0; k <= x->param_count; k++) {
            shunt_buffer_z(d->out, k == x->param_count ? " -> " : " ");
            type_name(d, p->extern_types[x->type_first + k]);
        }
        end_line(d);
    }
    for (uint32_t i = 0; i < p->decisions_count; i++) print_decision(d, i);
    for (uint32_t i = 0; i < p->globals_count; i++) {
        line(d, "global", i);
        type_name(d, p->globals[i]);
        end_line(d);
    }
}

static void column_name(struct printer *d, const shunt_target *t, uint16_t field)
{
    const shunt_program *p = d->p;
    if (field == SHUNT_COLUMN_ACCOUNT)
        shunt_buffer_z(d->out, "account");
    else if (field == SHUNT_COLUMN_SIDE)
        shunt_buffer_z(d->out, "side");
    else if (field == SHUNT_COLUMN_AMOUNT)
        shunt_buffer_z(d->out, "amount");
    else if (field == SHUNT_COLUMN_CURRENCY)
        shunt_buffer_z(d->out, "currency");
    else if (field >= SHUNT_COLUMN_LINE)
        name(d, p->fields[p->records[t->line].field_first + (field - SHUNT_COLUMN_LINE)].name);
    else
        name(d, p->fields[p->records[t->record].field_first + field].name);
}

static void print_encoding(struct printer *d, const shunt_target *t)
{
    const shunt_encoding *e = &d->p->encodings[t->encoding];
    shunt_buffer_format(d->out, "  encode %s", NAME_OF(encode_names, e->kind));
    if (e->width) shunt_buffer_format(d->out, " %u", e->width);
    for (uint32_t k = 0; k < e->setting_count; k++) {
        const uint16_t *pair = d->p->numbers + e->setting_first + 2 * k;
        shunt_buffer_char(d->out, ' ');
        name(d, pair[0]);
        shunt_buffer_char(d->out, '=');
        quoted(d, d->p->texts[pair[1]]);
    }
    end_line(d);
    for (uint32_t k = 0; k < e->column_count; k++) {
        const shunt_encoding_column *c = &d->p->encoding_columns[e->column_first + k];
        shunt_buffer_z(d->out, "    column ");
        column_name(d, t, c->field);
        label(d, "as", c->name);
        label(d, "format", c->format);
        if (c->from || c->to) shunt_buffer_format(d->out, " at %u..%u", c->from, c->to);
        end_line(d);
    }
}

static void print_message(struct printer *d, const shunt_encoding *e)
{
    static const char *const kinds[] = { "setting", "record", "each", "segment", "element", "member", "item" };
    static const char *const formats[] = { "text", "code", "number", "implied", "date", "time", "moment", "bare" };
    uint32_t                 ends[SHUNT_MESSAGE_DEPTH + 2], depth = 0;
    for (uint32_t k = 0; k < e->node_count; k++) {
        const shunt_message_node *n = &d->p->message_nodes[e->node_first + k];
        while (depth && ends[depth - 1] <= k) depth--;
        shunt_buffer_format(d->out, "%*s%s", (int)(4 + 2 * depth), "", NAME_OF(kinds, n->kind));
        if (n->number) shunt_buffer_format(d->out, " %u", n->number);
        label(d, "name", n->name);
        if (n->field != SHUNT_NONE) shunt_buffer_format(d->out, " field %u", n->field);
        if (n->kind >= SHUNT_MESSAGE_ELEMENT && !n->count) {
            shunt_buffer_format(d->out, " %s %u..%u", NAME_OF(formats, n->format), n->min, n->max);
            if (n->format == SHUNT_FORMAT_IMPLIED) shunt_buffer_format(d->out, " N%u", n->decimals);
        }
        if (n->flags & SHUNT_MESSAGE_REQUIRED) shunt_buffer_z(d->out, " required");
        if (n->flags & SHUNT_MESSAGE_CONSTANT) shunt_buffer_z(d->out, " constant");
        if (n->flags & SHUNT_MESSAGE_STARTS) shunt_buffer_z(d->out, " starts");
        if (n->flags & SHUNT_MESSAGE_ARRAY) shunt_buffer_z(d->out, " array");
        if (n->flags & SHUNT_MESSAGE_ATTRIBUTE) shunt_buffer_z(d->out, " attribute");
        if (n->with) shunt_buffer_format(d->out, " with %u", n->with);
        end_line(d);
        if (n->count && depth <= SHUNT_MESSAGE_DEPTH) ends[depth++] = k + 1 + n->count;
    }
}

static void print_output(struct printer *d)
{
    const shunt_program *p = d->p;
    for (uint32_t i = 0; i < p->codes_count; i++) {
        line(d, "code", i);
        name(d, p->codes[i].name);
        label(d, "meaning", p->codes[i].meaning);
        label(d, "queue", p->codes[i].queue);
        label(d, "ack", p->codes[i].ack);
        end_line(d);
    }
    for (uint32_t i = 0; i < p->exits_count; i++) {
        const shunt_exit *e = &p->exits[i];
        line(d, "exit", i);
        shunt_buffer_format(d->out, "%s %s ", NAME_OF(exit_names, e->kind), NAME_OF(scope_names, e->scope));
        name(d, e->code == SHUNT_NONE ? SHUNT_NONE : p->codes[e->code].name);
        if (e->slot != SHUNT_NONE) {
            shunt_buffer_z(d->out, " at ");
            name(d, p->slots[e->slot].path);
            shunt_buffer_format(d->out, " of r%u", e->node);
        }
        place(d, e->site);
        end_line(d);
    }
    for (uint32_t i = 0; i < p->targets_count; i++) {
        const shunt_target *t = &p->targets[i];
        line(d, "target", i);
        name(d, t->name);
        shunt_buffer_z(d->out, t->flags & SHUNT_TARGET_JOURNAL ? " journal " : " record ");
        name(d, p->records[t->record].name);
        if (t->line != SHUNT_NONE) {
            shunt_buffer_z(d->out, " line ");
            name(d, p->records[t->line].name);
        }
        if (t->message != SHUNT_NONE) {
            shunt_buffer_z(d->out, " message ");
            name(d, p->records[t->message].name);
        }
        for (uint32_t k = 0; k < t->key_count; k++) {
            shunt_buffer_z(d->out, k ? ", " : " key ");
            column_name(d, t, p->numbers[t->key_first + k]);
        }
        if (t->balance_by != SHUNT_NONE) {
            shunt_buffer_z(d->out, " balance by ");
            column_name(d, t, (uint16_t)(0x8000u + t->balance_by));
        }
        if (t->accounts != SHUNT_NONE) {
            shunt_buffer_z(d->out, " accounts from ");
            name(d, p->tables[t->accounts].name);
        }
        end_line(d);
        if (t->encoding != SHUNT_NONE) print_encoding(d, t);
        if (t->encoding != SHUNT_NONE) print_message(d, &p->encodings[t->encoding]);
    }
    for (uint32_t i = 0; i < p->lineage_count; i++) {
        const shunt_lineage *l = &p->lineage[i];
        line(d, "lineage", i);
        name(d, p->targets[l->target].name);
        shunt_buffer_char(d->out, '.');
        column_name(d, &p->targets[l->target], l->field);
        shunt_buffer_z(d->out, " from ");
        name(d, l->slot == SHUNT_NONE ? SHUNT_NONE : p->slots[l->slot].path);
        place(d, l->site);
        end_line(d);
    }
}

/* ---- code ---- */

static void constant(struct printer *d, uint16_t index)
{
    constant_value(d, d->p->constants[index].type, d->p->constants[index].value);
}

static void numbered(struct printer *d, const char *word, uint16_t n, uint16_t text)
{
    shunt_buffer_format(d->out, "%s%u:", word, n);
    name(d, text);
}

static void operand(struct printer *d, const shunt_function *f, shunt_instruction i, uint8_t kind, uint16_t n)
{
    const shunt_program *p = d->p;
    const shunt_type    *types = p->register_types + f->type_first;
    switch ((shunt_operand)kind) {
    case SHUNT_OPERAND_NONE: break;
    case SHUNT_OPERAND_BOOL:
    case SHUNT_OPERAND_INT:
    case SHUNT_OPERAND_DEC:
    case SHUNT_OPERAND_TEXT:
    case SHUNT_OPERAND_DATE:
    case SHUNT_OPERAND_LIST:
    case SHUNT_OPERAND_ROW:
    case SHUNT_OPERAND_NODE:
    case SHUNT_OPERAND_ANY:
    case SHUNT_OPERAND_SAME:
    case SHUNT_OPERAND_ITEM:
    case SHUNT_OPERAND_BASE: shunt_buffer_format(d->out, "r%u", n); break;
    case SHUNT_OPERAND_CONST:
    case SHUNT_OPERAND_TEXTK: constant(d, n); break;
    case SHUNT_OPERAND_JUMP: shunt_buffer_format(d->out, "-> %u", i.b | (uint32_t)i.c << 16); break;
    case SHUNT_OPERAND_SLOT: name(d, p->slots[n].path); break;
    case SHUNT_OPERAND_CHILD: child_name(d, types[i.b].record, n); break;
    case SHUNT_OPERAND_FIELD: name(d, p->fields[p->records[types[i.b].record].field_first + n].name); break;
    case SHUNT_OPERAND_FRAME: name(d, p->frames[n].id); break;
    case SHUNT_OPERAND_TABLE: name(d, p->tables[n].name); break;
    case SHUNT_OPERAND_TALLY: name(d, p->tallies[n].name); break;
    case SHUNT_OPERAND_GLOBAL: shunt_buffer_format(d->out, "g%u", n); break;
    case SHUNT_OPERAND_EXIT: {
        if (n == SHUNT_NONE)
            shunt_buffer_z(d->out, "-");
        else
            numbered(d, "exit", n, p->exits[n].code == SHUNT_NONE ? SHUNT_NONE : p->codes[p->exits[n].code].name);
        break;
    }
    case SHUNT_OPERAND_TARGET: name(d, p->targets[n].name); break;
    case SHUNT_OPERAND_FUNCTION: numbered(d, "f", n, p->functions[n].name); break;
    case SHUNT_OPERAND_BUILTIN: shunt_buffer_z(d->out, shunt_builtin_info[n].name); break;
    case SHUNT_OPERAND_COLLECT: numbered(d, "collector", n, p->records[p->collects[n].record].name); break;
    case SHUNT_OPERAND_EXTERN: name(d, p->externs[n].name); break;
    case SHUNT_OPERAND_DECISION: name(d, p->decisions[n].name); break;
    case SHUNT_OPERAND_EARLIEST: shunt_buffer_format(d->out, "dates%u", n); break;
    case SHUNT_OPERAND_COUNT:
        if (i.op == SHUNT_OP_IS_STATE)
            shunt_buffer_z(d->out, NAME_OF(state_names, n));
        else
            shunt_buffer_format(d->out, "%u", n);
        break;
    case SHUNT_OPERAND_MODE: shunt_buffer_z(d->out, NAME_OF(mode_names, n)); break;
    }
}

static void print_instruction(struct printer *d, const shunt_function *f, uint32_t at)
{
    shunt_instruction           i = d->p->instructions[f->code_first + at];
    const struct shunt_op_info *info = &shunt_op_info[i.op];
    const uint8_t               kinds[] = { info->a, info->b, info->c };
    const uint16_t              words[] = { i.a, i.b, i.c };
    bool                        first = true;
    shunt_buffer_format(d->out, "  %4u %s", at, info->name);
    for (int k = 0; k < 3; k++) {
        if (kinds[k] == SHUNT_OPERAND_NONE || (k == 2 && kinds[k] == SHUNT_OPERAND_JUMP)) continue;
        shunt_buffer_z(d->out, first ? " " : ", ");
        operand(d, f, i, kinds[k], words[k]);
        first = false;
    }
    if (d->p->instruction_sites_count) place(d, d->p->instruction_sites[f->code_first + at]);
    end_line(d);
}

static void print_functions(struct printer *d)
{
    const shunt_program *p = d->p;
    for (uint32_t n = 0; n < p->functions_count; n++) {
        const shunt_function *f = &p->functions[n];
        shunt_buffer_format(d->out, "\nfunction f%u ", n);
        name(d, f->name);
        shunt_buffer_format(d->out, " params %u -> ", f->params);
        type_name(d, f->result);
        shunt_buffer_z(d->out, f->pure ? " pure\n" : "\n");
        for (uint32_t k = 0; k < f->registers; k++) {
            shunt_buffer_format(d->out, "  r%u: ", k);
            type_name(d, p->register_types[f->type_first + k]);
            end_line(d);
        }
        for (uint32_t k = 0; k < f->code_count; k++) print_instruction(d, f, k);
    }
}

void shunt_program_disassemble(const shunt_program *program, bool with_sites, shunt_buffer *out)
{
    struct printer d = { program, out, with_sites };
    print_head(&d);
    print_frames(&d);
    print_collectors(&d);
    print_types(&d);
    print_output(&d);
    print_functions(&d);
}
