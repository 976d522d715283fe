/* trace_write.c - lineage of one record: for each field its value, the line of the rules that gave it, what it was computed from, and what it is
 * so because of. Values of the input are not repeated: their places are. */
#include "engine/vm/record.h"
#include "engine/vm/trace_state.h"

enum { ROOM = 64, NAME_COLUMN = 28 };

/* A set laid flat. */
struct members {
    shunt_origin *const *items;
    uint32_t             count;
};

struct writing {
    shunt_vm                 *vm;
    shunt_trace              *t;
    const shunt_program      *p;
    const shunt_trace_filter *filter;
    shunt_buffer             *json, *text;
    uint32_t                  fields;       /* written so far */
    struct members            record, line; /* what is told of them need not be told of each of their fields */
};

static struct members members_of(const struct writing *w, shunt_origin *set)
{
    struct members m = { NULL, 0 };
    if (!set || !shunt_origin_flatten(w->t, set) || !w->t->list_count) return m;
    shunt_origin **items = SHUNT_NEW_N(w->t->arena, shunt_origin *, w->t->list_count);
    if (!items) {
        w->t->no_memory = true;
        return m;
    }
    memcpy(items, w->t->list, sizeof *items * w->t->list_count);
    return (struct members){ items, w->t->list_count };
}

static bool is_member(const struct members *m, const shunt_origin *origin)
{
    uint32_t low = 0, high = m->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int      order = shunt_origin_compare(origin, m->items[middle]);
        if (order == 0) return true;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

/* ---- places ---- */

static void json_site(const struct writing *w, uint32_t site)
{
    const shunt_site *at = &w->p->sites[site];
    shunt_buffer_z(w->json, "{\"file\":");
    shunt_buffer_json(w->json, shunt_program_text(w->p, at->file));
    shunt_buffer_format(w->json, ",\"line\":%u,\"column\":%u", at->line, at->column);
    if (at->step != SHUNT_NONE) {
        shunt_buffer_z(w->json, ",\"step\":");
        shunt_buffer_json(w->json, shunt_program_text(w->p, at->step));
    }
    shunt_buffer_char(w->json, '}');
}

static void text_site(const struct writing *w, uint32_t site)
{
    const shunt_site *at = &w->p->sites[site];
    shunt_buffer_format(w->text, "%.*s:%u", SHUNT_TEXT_ARGS(shunt_program_text(w->p, at->file)), at->line);
    if (at->step != SHUNT_NONE)
        shunt_buffer_format(w->text, "  step \"%.*s\"", SHUNT_TEXT_ARGS(shunt_program_text(w->p, at->step)));
}

/* Outermost first; the frame of the set has no name. */
static void put_where(const struct writing *w, const shunt_where *where, bool *any)
{
    if (!where) return;
    put_where(w, where->outer, any);
    shunt_text id = w->p->plan.texts[w->p->plan.frames[where->frame].id];
    if (!id.length) return;
    shunt_buffer_z(w->json, *any ? ",{\"id\":" : "{\"id\":");
    shunt_buffer_json(w->json, id);
    shunt_buffer_format(w->json, ",\"instance\":%u}", where->ordinal);
    shunt_buffer_format(w->text, "%s%.*s #%u", *any ? ", " : "  in ", SHUNT_TEXT_ARGS(id), where->ordinal);
    *any = true;
}

static void put_cell(const struct writing *w, const shunt_field *column, const shunt_row *row, uint32_t field, bool masked)
{
    char       room[ROOM];
    shunt_text text = { 0 };
    bool       comma = field > 0;
    if (masked || column->flags & SHUNT_FIELD_MASKED)
        text = SHUNT_TEXT("[masked]");
    else if (row->states[field] == SHUNT_PRESENT)
        text = shunt_value_text(w->p, column->type, row->fields[field], room);
    if (comma) shunt_buffer_char(w->json, ',');
    shunt_buffer_json(w->json, text);
    shunt_buffer_format(w->text, "%s%.*s", comma ? ", " : "", SHUNT_TEXT_ARGS(text));
}

static void put_row(const struct writing *w, const shunt_origin *o)
{
    const shunt_table *table = &w->p->tables[o->index];
    const shunt_field *fields = w->p->fields + w->p->records[table->record].field_first;
    uint32_t           keys = table->key_count + (table->flags & SHUNT_TABLE_EFFECTIVE ? 1u : 0u);
    shunt_buffer_z(w->json, "{\"table\":");
    shunt_buffer_json(w->json, shunt_program_text(w->p, table->name));
    shunt_buffer_z(w->json, ",\"key\":[");
    shunt_buffer_format(w->text, "table %.*s: row ", SHUNT_TEXT_ARGS(shunt_program_text(w->p, table->name)));
    for (uint32_t k = 0; k < keys; k++) put_cell(w, &fields[k], o->row, k, o->size >> k & 1);
    shunt_buffer_z(w->json, "]}");
}

/* The target whose records have this type. */
static shunt_text name_of_record(const struct writing *w, uint64_t record)
{
    for (uint32_t i = 0; i < w->p->targets_count; i++)
        if (w->p->targets[i].record == record) return shunt_program_text(w->p, w->p->targets[i].name);
    return (shunt_text){ 0 };
}

static void put_handed(const struct writing *w, const shunt_origin *o)
{
    shunt_text name = name_of_record(w, o->record),
               field = shunt_program_text(w->p, w->p->fields[w->p->records[o->record].field_first + o->index].name);
    shunt_buffer_z(w->json, "{\"record\":");
    shunt_buffer_json(w->json, name);
    shunt_buffer_z(w->json, ",\"field\":");
    shunt_buffer_json(w->json, field);
    shunt_buffer_z(w->json, ",\"rule\":");
    json_site(w, o->size);
    shunt_buffer_char(w->json, '}');
    const shunt_site *at = &w->p->sites[o->size];
    shunt_buffer_format(w->text, "%.*s.%.*s  (%.*s:%u)", SHUNT_TEXT_ARGS(name), SHUNT_TEXT_ARGS(field),
                        SHUNT_TEXT_ARGS(shunt_program_text(w->p, at->file)), at->line);
}

static void put_origin(const struct writing *w, const shunt_origin *o)
{
    bool any = false;
    switch ((shunt_origin_kind)o->kind) {
    case SHUNT_ORIGIN_VALUE:
    case SHUNT_ORIGIN_MISSING: {
        shunt_text path = w->p->plan.texts[w->p->plan.slots[o->index].path];
        shunt_buffer_z(w->json, "{\"path\":");
        shunt_buffer_json(w->json, path);
        shunt_buffer_z(w->json, ",\"loops\":[");
        shunt_buffer_text(w->text, path);
        put_where(w, o->where, &any);
        if (o->kind == SHUNT_ORIGIN_VALUE) {
            shunt_buffer_format(w->json, "],\"offset\":%llu,\"length\":%u}", (unsigned long long)o->at, o->size);
            shunt_buffer_format(w->text, "  @%llu+%u", (unsigned long long)o->at, o->size);
        } else {
            shunt_buffer_z(w->json, "],\"missing\":true}");
            shunt_buffer_z(w->text, "  not sent");
        }
        break;
    }
    case SHUNT_ORIGIN_POSITION:
        shunt_buffer_z(w->json, "{\"position\":true,\"loops\":[");
        shunt_buffer_z(w->text, "position");
        put_where(w, o->where, &any);
        shunt_buffer_format(w->json, "],\"offset\":%llu}", (unsigned long long)o->at);
        shunt_buffer_format(w->text, "  @%llu", (unsigned long long)o->at);
        break;
    case SHUNT_ORIGIN_ROW: put_row(w, o); break;
    case SHUNT_ORIGIN_GIVEN: {
        const char *name = o->index == SHUNT_BUILTIN_FILE_ID ? "file_id" : "received_at";
        shunt_buffer_format(w->json, "{\"given\":\"%s\"}", name);
        shunt_buffer_format(w->text, "%s, given by the host", name);
        break;
    }
    case SHUNT_ORIGIN_FIELD: put_handed(w, o); break;
    case SHUNT_ORIGIN_BOTH: break;
    }
}

/* `member` with its comma, without what stands in one of the others; nothing but an empty list where nothing is left. */
static void put_members(const struct writing *w, const char *member, const char *word, unsigned indent, const struct members *set,
                        const struct members *const others[3])
{
    uint32_t put = 0;
    shunt_buffer_format(w->json, ",\"%s\":[", member);
    for (uint32_t i = 0; i < set->count; i++) {
        bool told = false;
        for (int k = 0; k < 3 && !told; k++) told = others[k] && is_member(others[k], set->items[i]);
        if (told) continue;
        if (put) shunt_buffer_char(w->json, ',');
        shunt_buffer_format(w->text, "%*s%-8s", (int)indent, "", put++ ? "" : word);
        put_origin(w, set->items[i]);
        shunt_buffer_char(w->text, '\n');
    }
    shunt_buffer_char(w->json, ']');
}

/* ---- fields ---- */

/* A name in the arena of the trace; empty without memory. */
#define NAMED(w, ...) named((w), shunt_text_format((w)->t->arena, __VA_ARGS__))
static shunt_text named(const struct writing *w, shunt_text name)
{
    if (!name.bytes) w->t->no_memory = true;
    return name;
}

/* The name without places in lists ends with what is asked for: `lines[2].amount` is also `lines.amount` and `amount`. */
static bool wanted(const struct writing *w, shunt_text name)
{
    shunt_text field = w->filter->field;
    uint32_t   left = field.length, at = name.length;
    if (!field.length || shunt_text_equal(field, name)) return true;
    while (left) {
        if (at && name.bytes[at - 1] == ']')
            while (at && name.bytes[at - 1] != '[') at--;
        if (at && name.bytes[at - 1] == '[') at--;
        if (!at || name.bytes[at - 1] != field.bytes[left - 1]) return false;
        at--;
        left--;
    }
    return at == 0 || name.bytes[at - 1] == '.';
}

static void put_field(struct writing *w, shunt_text name, shunt_text value, bool present, shunt_known known, uint32_t site)
{
    if (!wanted(w, name)) return;
    if (w->fields++) shunt_buffer_char(w->json, ',');
    shunt_buffer_z(w->json, "{\"field\":");
    shunt_buffer_json(w->json, name);
    shunt_buffer_z(w->json, ",\"value\":");
    if (present)
        shunt_buffer_json(w->json, value);
    else
        shunt_buffer_z(w->json, "null");
    struct members              from = members_of(w, known.from), because = members_of(w, known.because), none = { NULL, 0 };
    const struct members *const told[] = { &from, &w->record, &w->line }, *const nothing[] = { &none, NULL, NULL };
    size_t before = w->text->length, shown;
    shunt_buffer_format(w->text, "  %.*s%*s %.*s", SHUNT_TEXT_ARGS(name),
                        name.length < NAME_COLUMN ? (int)(NAME_COLUMN - name.length) : 0, "",
                        SHUNT_TEXT_ARGS(present ? value : SHUNT_TEXT("(absent)")));
    if (site) {
        shunt_buffer_z(w->json, ",\"rule\":");
        json_site(w, site);
        const shunt_site *at = &w->p->sites[site];
        shunt_buffer_format(w->text, "  (%.*s:%u)", SHUNT_TEXT_ARGS(shunt_program_text(w->p, at->file)), at->line);
    }
    shunt_buffer_char(w->text, '\n');
    shown = w->text->length;
    put_members(w, "from", "from", 4, &from, nothing);
    put_members(w, "because", "because", 4, &because, told);
    if (!present && w->text->length == shown)
        w->text->length = before; /* what is not there, for no reason, is left out for people */
    shunt_buffer_char(w->json, '}');
}

static void put_value(struct writing *w, shunt_text name, shunt_type type, shunt_value value, uint8_t state, shunt_known known,
                      uint32_t site, unsigned depth);

static void put_fields(struct writing *w, shunt_text name, const shunt_row *row, uint16_t record, shunt_known around,
                       uint32_t site, unsigned depth)
{
    const shunt_record_type *type = &w->p->records[record];
    const shunt_field       *fields = w->p->fields + type->field_first;
    for (uint32_t f = 0; f < type->field_count; f++) {
        shunt_known known = shunt_known_cell(w->t, &row->fields[f]);
        shunt_text  inner =
            NAMED(w, "%.*s.%.*s", SHUNT_TEXT_ARGS(name), SHUNT_TEXT_ARGS(shunt_program_text(w->p, fields[f].name)));
        known.from = shunt_origin_join(w->t, known.from, around.from);
        known.because = shunt_origin_join(w->t, known.because, around.because);
        put_value(w, inner, fields[f].type, row->fields[f], row->states[f], known, known.site ? known.site : site, depth + 1);
    }
}

static void put_value(struct writing *w, shunt_text name, shunt_type type, shunt_value value, uint8_t state, shunt_known known,
                      uint32_t site, unsigned depth)
{
    char room[ROOM];
    if (depth > SHUNT_ROW_DEPTH) return;
    if (state == SHUNT_PRESENT && type.kind == SHUNT_KIND_ROW) {
        put_fields(w, name, value.row, type.record, known, site, depth);
    } else if (state == SHUNT_PRESENT && type.kind == SHUNT_KIND_LIST) {
        shunt_type item = shunt_type_item(type);
        for (uint32_t i = 0; i < value.list.count; i++) {
            shunt_text  inner = NAMED(w, "%.*s[%u]", SHUNT_TEXT_ARGS(name), i);
            shunt_known of = shunt_known_cell(w->t, &value.list.items[i]);
            of.from = shunt_origin_join(w->t, of.from, known.from);
            of.because = shunt_origin_join(w->t, of.because, known.because);
            put_value(w, inner, item, value.list.items[i], SHUNT_PRESENT, of, of.site ? of.site : site, depth + 1);
        }
    } else {
        bool       present = state == SHUNT_PRESENT;
        shunt_text text = present ? shunt_value_text(w->p, type, value, room) : (shunt_text){ 0 };
        put_field(w, name, text, present, known, site);
    }
}

/* ---- lines of a journal ---- */

/* Lines without an amount were left out, so the legs that are left belong to the lines in order. */
static void put_lines(struct writing *w, const shunt_record *record)
{
    const shunt_target *target = &w->p->targets[record->target];
    const shunt_field  *columns = target->line == SHUNT_NONE ? NULL : w->p->fields + w->p->records[target->line].field_first;
    uint32_t            count = columns ? w->p->records[target->line].field_count : 0, plain = 0;
    shunt_origin       *all =
        w->t->journal_because; /* what a remainder is made of: all other amounts, and whether their lines stand here */
    for (uint32_t i = 0; i < w->t->leg_count; i++) {
        plain += !w->t->legs[i].remainder && !w->t->legs[i].zero;
        if (w->t->legs[i].remainder) continue;
        all = shunt_origin_join(w->t, all, w->t->legs[i].amount.because);
        all = shunt_origin_join(w->t, all, w->t->legs[i].because);
    }
    uint32_t remainders = record->line_count > plain ? record->line_count - plain : 0, at = 0;
    for (uint32_t i = 0; i < w->t->leg_count && at < record->line_count; i++) {
        const shunt_trace_leg *leg = &w->t->legs[i];
        const shunt_line      *line = &record->lines[at];
        shunt_known            amount = leg->amount;
        char                   room[ROOM];
        if (leg->zero || (leg->remainder && !remainders)) continue;
        if (leg->remainder) {
            remainders--;
            amount.from = NULL;
            amount.because = shunt_origin_join(w->t, amount.because, all);
            for (uint32_t k = 0; k < w->t->leg_count; k++)
                if (!w->t->legs[k].remainder) amount.from = shunt_origin_join(w->t, amount.from, w->t->legs[k].amount.from);
        }
        shunt_text money = shunt_value_text(w->p, line->type, (shunt_value){ .coefficient = line->amount }, room);
        shunt_text whole =
            NAMED(w, "%s %.*s %.*s", line->credit ? "credit" : "debit", SHUNT_TEXT_ARGS(line->account), SHUNT_TEXT_ARGS(money));
        put_field(w, NAMED(w, "lines[%u]", at), whole, true, (shunt_known){ .because = leg->because }, leg->site);
        w->line = members_of(w, leg->because);
        put_field(w, NAMED(w, "lines[%u].account", at), line->account, true, leg->account, leg->site);
        shunt_known side = { NULL, shunt_origin_join(w->t, amount.from, amount.because), 0 };
        put_field(w, NAMED(w, "lines[%u].side", at), line->credit ? SHUNT_TEXT("credit") : SHUNT_TEXT("debit"), true, side,
                  leg->site);
        put_field(w, NAMED(w, "lines[%u].amount", at), money, true, amount, leg->site);
        for (uint32_t c = 0; c < count && leg->columns; c++) {
            shunt_text name = NAMED(w, "lines[%u].%.*s", at, SHUNT_TEXT_ARGS(shunt_program_text(w->p, columns[c].name)));
            put_value(w, name, columns[c].type, line->columns[c], line->states[c], leg->columns[c], leg->columns[c].site, 0);
        }
        w->line = (struct members){ NULL, 0 };
        at++;
    }
}

/* ---- the record ---- */

static bool has_key(const shunt_record *record, shunt_text key)
{
    for (uint32_t k = 0; k < record->key_count; k++)
        if (shunt_text_equal(record->key[k], key)) return true;
    return !key.length;
}

static void put_key(struct writing *w, const shunt_record *record)
{
    shunt_buffer_z(w->json, ",\"key\":");
    shunt_json_texts(w->json, record->key, record->key_count);
    shunt_buffer_z(w->text, "  key ");
    for (uint32_t k = 0; k < record->key_count; k++)
        shunt_buffer_format(w->text, "%s%.*s", k ? ", " : "", SHUNT_TEXT_ARGS(record->key[k]));
    shunt_buffer_char(w->text, '\n');
}

static void put_key_parts(struct writing *w, const shunt_record *record)
{
    for (uint32_t k = 0; w->t->keys && k < record->key_count; k++) {
        put_field(w, NAMED(w, "key[%u]", k), record->key[k], true, w->t->keys[k], w->t->keys[k].site);
    }
}

bool shunt_vm_trace_write(shunt_vm *vm, const shunt_record *record, const shunt_trace_filter *filter, shunt_buffer *json,
                          shunt_buffer *text)
{
    shunt_trace             *t = vm->trace;
    struct writing           w = { .vm = vm, .t = t, .p = vm->program, .filter = filter, .json = json, .text = text };
    const shunt_target      *target = &w.p->targets[record->target];
    const shunt_record_type *type = &w.p->records[target->record];
    if (!has_key(record, filter->key)) return false;
    shunt_buffer_z(json, "\"target\":");
    shunt_buffer_json(json, shunt_program_text(w.p, target->name));
    shunt_buffer_text(text, shunt_program_text(w.p, target->name));
    put_key(&w, record);
    shunt_buffer_z(text, "  by       ");
    if (record->site) {
        shunt_buffer_z(json, ",\"rule\":");
        json_site(&w, record->site);
        text_site(&w, record->site);
    }
    shunt_buffer_char(text, '\n');
    w.record = members_of(&w, t->record_because);
    shunt_buffer_z(json, ",\"fields\":[");
    for (uint32_t f = 0; f < type->field_count; f++) {
        const shunt_field *field = &w.p->fields[type->field_first + f];
        put_value(&w, shunt_program_text(w.p, field->name), field->type, record->fields[f], record->states[f], t->fields[f],
                  t->fields[f].site, 0);
    }
    if (record->journal) put_lines(&w, record);
    put_key_parts(&w, record);
    shunt_buffer_char(json, ']');
    const struct members        none = { NULL, 0 };
    const struct members *const nothing[] = { &none, NULL, NULL };
    shunt_buffer_z(text, w.record.count ? "  is there because of\n" : "");
    put_members(&w, "because", "", 4, &w.record, nothing);
    if (t->incomplete) shunt_buffer_z(text, "  incomplete: the unit has more origins than memory was set aside for\n");
    shunt_buffer_z(json, t->incomplete ? ",\"complete\":false}" : ",\"complete\":true}");
    if (t->no_memory) json->failed = true;
    return w.fields > 0 || !filter->field.length;
}
