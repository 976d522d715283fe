/* `encode xml`: each record is one element on one line, a document of its own (XML 1.0, UTF-8). Whatever a message holds, elements and
 * attributes are those of the rules. */
#include "engine/vm/encode.h"
#include "engine/vm/object.h"

/* An element that is written, with its tags; an attribute: ` name="` and `"`. */
struct xml_part {
    shunt_part part;
    shunt_text open, close;
    bool       attribute;
};

/* A field of rows: `<name` and `</name>`, or ` name="` and nothing. Bytes NULL: no row of this form has it. */
struct xml_field {
    shunt_text open, close;
    bool       attribute;
};

struct xml_form {
    struct xml_part  *parts; /* attributes and elements of the record, then of its lines */
    uint32_t          attributes, elements, line_attributes, line_elements;
    bool              currencies;            /* amounts have the attribute `currency` */
    shunt_text        open, close;           /* of the record; the opening one without its `>` */
    shunt_text        item_open, item_close; /* of an item, likewise */
    shunt_text        prefixes;              /* as the rules declare them: `PREFIX=NAMESPACE ...` */
    struct xml_field *fields;                /* by the number of the field in the program */
};

/* XML 1.0, 2.2: the characters that a document can hold, also as a reference. */
static bool is_character(uint32_t c) { return c >= 0x20 ? c != 0xfffe && c != 0xffff : c == '\t' || c == '\n' || c == '\r'; }

static bool is_plain(uint8_t byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '<' && byte != '>' && byte != '&' && byte != '"';
}

/* Tabs and line ends as references: an attribute would lose them, and a record stays on one line. */
shunt_status shunt_xml_text(shunt_buffer *out, shunt_text text)
{
    for (size_t i = 0; i < text.length;) {
        size_t run = 0, length;
        while (i + run < text.length && is_plain((uint8_t)text.bytes[i + run])) run++;
        shunt_buffer_add(out, text.bytes + i, run);
        if ((i += run) == text.length) break;
        uint32_t c = shunt_character(text.bytes + i, text.length - i, &length);
        i += length;
        if (!is_character(c)) return SHUNT_NOT_WRITABLE;
        if (c == '<')
            shunt_buffer_z(out, "&lt;");
        else if (c == '>')
            shunt_buffer_z(out, "&gt;");
        else if (c == '&')
            shunt_buffer_z(out, "&amp;");
        else if (c == '"')
            shunt_buffer_z(out, "&quot;");
        else if (shunt_is_control(c))
            shunt_buffer_format(out, "&#%u;", (unsigned)c);
        else
            SHUNT_TRY(shunt_put_character(out, SHUNT_UTF8, c));
    }
    return SHUNT_OK;
}

static shunt_status put_scalar(const shunt_program *p, shunt_type type, shunt_value value, shunt_buffer *out)
{
    char room[SHUNT_VALUE_ROOM];
    return shunt_xml_text(out, shunt_value_text(p, type, value, room));
}

static void put_currency(const shunt_program *p, const struct xml_form *f, shunt_type type, shunt_buffer *out)
{
    if (!f->currencies || !shunt_is_money(type)) return;
    shunt_buffer_z(out, " currency=\"");
    (void)shunt_xml_text(out, shunt_program_text(p, type.extra));
    shunt_buffer_char(out, '"');
}

/* What stands between the tags of an element; the opening one still lacks its `>`. */
static shunt_status put_content(const shunt_program *p, const struct xml_form *f, shunt_type type, shunt_value value,
                                unsigned depth, shunt_buffer *out);

/* The attributes of a row, which stand in the tag around it, or its elements. */
static shunt_status put_row(const shunt_program *p, const struct xml_form *f, uint16_t record, const shunt_row *row,
                            bool attributes, unsigned depth, shunt_buffer *out)
{
    const shunt_record_type *r = &p->records[record];
    for (uint32_t i = 0; row && i < r->field_count; i++) {
        const struct xml_field *name = &f->fields[r->field_first + i];
        shunt_type              type = p->fields[r->field_first + i].type;
        if (row->states[i] != SHUNT_PRESENT || name->attribute != attributes) continue;
        shunt_put(out, name->open);
        SHUNT_TRY(attributes ? put_scalar(p, type, row->fields[i], out) : put_content(p, f, type, row->fields[i], depth, out));
        shunt_put(out, name->close);
    }
    return SHUNT_OK;
}

static shunt_status put_content(const shunt_program *p, const struct xml_form *f, shunt_type type, shunt_value value,
                                unsigned depth, shunt_buffer *out)
{
    if (depth > SHUNT_ROW_DEPTH) return SHUNT_LIMIT;
    put_currency(p, f, type.kind == SHUNT_KIND_LIST ? (shunt_type){ 0 } : type, out);
    if (type.kind == SHUNT_KIND_ROW) SHUNT_TRY(put_row(p, f, type.record, value.row, true, depth + 1, out));
    shunt_buffer_char(out, '>');
    if (type.kind == SHUNT_KIND_ROW) return put_row(p, f, type.record, value.row, false, depth + 1, out);
    if (type.kind != SHUNT_KIND_LIST) return put_scalar(p, type, value, out);
    type.kind = type.element;
    for (uint32_t i = 0; i < value.list.count; i++) {
        shunt_put(out, f->item_open);
        SHUNT_TRY(put_content(p, f, type, value.list.items[i], depth + 1, out));
        shunt_put(out, f->item_close);
    }
    return SHUNT_OK;
}

/* Attributes, the end of the opening tag, elements. */
static shunt_status put_parts(const shunt_program *p, const struct xml_form *f, const struct xml_part *parts, uint32_t attributes,
                              uint32_t elements, const shunt_record *record, const shunt_line *line, shunt_buffer *out)
{
    for (uint32_t i = 0; i < attributes + elements; i++) {
        shunt_type  type;
        shunt_value value;
        if (i == attributes) shunt_buffer_char(out, '>');
        if (!shunt_part_get(p, &parts[i].part, record, line, &type, &value)) continue;
        shunt_put(out, parts[i].open);
        SHUNT_TRY(parts[i].attribute ? put_scalar(p, type, value, out) : put_content(p, f, type, value, 0, out));
        shunt_put(out, parts[i].close);
    }
    if (!elements) shunt_buffer_char(out, '>');
    return SHUNT_OK;
}

static shunt_status write_xml(const shunt_encoders *e, const shunt_record *record, const shunt_stamp *stamp, shunt_buffer *out,
                              shunt_written *written)
{
    const struct xml_form *f = e->forms[record->target].own;
    const struct xml_part *of_lines = f->parts + f->attributes + f->elements;
    (void)stamp;
    (void)written;
    shunt_put(out, f->open);
    SHUNT_TRY(put_parts(e->program, f, f->parts, f->attributes, f->elements, record, NULL, out));
    if (f->line_attributes + f->line_elements) {
        shunt_buffer_z(out, "<lines>");
        for (uint32_t i = 0; i < record->line_count; i++) {
            shunt_put(out, f->item_open);
            SHUNT_TRY(put_parts(e->program, f, of_lines, f->line_attributes, f->line_elements, record, &record->lines[i], out));
            shunt_put(out, f->item_close);
        }
        shunt_buffer_z(out, "</lines>");
    }
    shunt_put(out, f->close);
    return SHUNT_OK;
}

/* ---- preparing ---- */

enum { ROOT, NAMESPACE, ITEM, PREFIXES, FIELDS };

/* A name without colon, of ASCII, not one of those that XML keeps for itself. */
static bool is_name(shunt_text name)
{
    if (name.length == 0) return false;
    for (uint32_t i = 0; i < name.length; i++) {
        char c = name.bytes[i];
        bool first = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!first && (i == 0 || !((c >= '0' && c <= '9') || c == '-' || c == '.'))) return false;
    }
    return !(name.length >= 3 && (name.bytes[0] | 0x20) == 'x' && (name.bytes[1] | 0x20) == 'm' && (name.bytes[2] | 0x20) == 'l');
}

/* `KEY=VALUE` of a setting that holds several, apart by blanks. False: there is no further one; what is no pair has an empty value. */
static bool next_pair(shunt_text *rest, shunt_text *key, shunt_text *value)
{
    uint32_t begin = 0, end, equals;
    while (begin < rest->length && rest->bytes[begin] == ' ') begin++;
    for (end = begin; end < rest->length && rest->bytes[end] != ' ';) end++;
    for (equals = begin; equals < end && rest->bytes[equals] != '=';) equals++;
    *key = (shunt_text){ rest->bytes + begin, equals - begin };
    *value = equals < end ? (shunt_text){ rest->bytes + equals + 1, end - equals - 1 } : (shunt_text){ 0 };
    *rest = (shunt_text){ rest->bytes + end, rest->length - end };
    return end > begin;
}

/* The part of a name in front of `sign`, which is taken off; empty where there is none. */
static shunt_text cut_front(shunt_text *name, char sign)
{
    for (uint32_t i = 0; i < name->length; i++) {
        if (name->bytes[i] != sign) continue;
        shunt_text front = { name->bytes, i };
        *name = (shunt_text){ name->bytes + i + 1, name->length - i - 1 };
        return front;
    }
    return (shunt_text){ 0 };
}

/* A name, alone or behind one of the declared prefixes. */
static bool is_qualified(const struct xml_form *form, shunt_text name)
{
    shunt_text local = name, prefix = cut_front(&local, ':'), rest = form->prefixes, key, value;
    if (!is_name(local)) return false;
    if (local.length == name.length) return true;
    while (next_pair(&rest, &key, &value))
        if (shunt_text_equal(key, prefix)) return true;
    return false;
}

static shunt_text make_text(const shunt_former *f, const char *before, shunt_text name, const char *after)
{
    shunt_buffer_z(f->scratch, before);
    shunt_put(f->scratch, name);
    shunt_buffer_z(f->scratch, after);
    return shunt_form_keep(f);
}

/* Into the opening tag of the record. Two prefixes of one namespace could give two attributes of one name. */
static shunt_status put_prefixes(const shunt_former *f, const struct xml_form *form, const shunt_setting *setting)
{
    static const char must[] = "prefixes and their namespaces, `PREFIX=NAMESPACE ...`, each once";
    shunt_text        rest = form->prefixes, key, value, other, space;
    while (next_pair(&rest, &key, &value)) {
        shunt_text before = { form->prefixes.bytes, (uint32_t)(key.bytes - form->prefixes.bytes) };
        bool       fine = is_name(key) && value.length > 0;
        while (fine && next_pair(&before, &other, &space))
            fine = !shunt_text_equal(other, key) && !shunt_text_equal(space, value);
        if (fine) {
            shunt_buffer_z(f->scratch, " xmlns:");
            shunt_put(f->scratch, key);
            shunt_buffer_z(f->scratch, "=\"");
            fine = shunt_xml_text(f->scratch, value) == SHUNT_OK;
            shunt_buffer_char(f->scratch, '"');
        }
        if (fine) continue;
        f->scratch->length = 0;
        return shunt_setting_fault(f, setting, must);
    }
    return SHUNT_OK;
}

static shunt_status make_field(const shunt_former *f, struct xml_field *made, shunt_text name)
{
    made->attribute = name.length && name.bytes[0] == '@';
    if (made->attribute) name.bytes++, name.length--;
    made->open = make_text(f, made->attribute ? " " : "<", name, made->attribute ? "=\"" : "");
    made->close = made->attribute ? SHUNT_TEXT("\"") : make_text(f, "</", name, ">");
    return made->open.bytes && made->close.bytes ? SHUNT_OK : SHUNT_NO_MEMORY;
}

/* `TARGET.FIELD=NAME ...`: what fields of rows are called. */
static shunt_status take_fields(const shunt_former *f, struct xml_form *form, const shunt_setting *setting)
{
    static const char    must[] = "fields of rows and their names, `TARGET.FIELD=NAME` or `TARGET.FIELD=@NAME`, each once";
    const shunt_program *p = f->e->program;
    shunt_text           rest = setting->value, field, name;
    while (next_pair(&rest, &field, &name)) {
        shunt_text        target = cut_front(&field, '.'), bare = name;
        struct xml_field *made = NULL;
        if (bare.length && bare.bytes[0] == '@') bare.bytes++, bare.length--;
        bool attribute = bare.length < name.length;
        for (uint32_t r = 0; target.length && r < p->records_count && !made; r++) {
            const shunt_record_type *record = &p->records[r];
            if (record->name == SHUNT_NONE || !shunt_text_equal(shunt_program_text(p, record->name), target)) continue;
            for (uint32_t i = record->field_first; i < record->field_first + record->field_count; i++)
                if (shunt_text_equal(shunt_program_text(p, p->fields[i].name), field) &&
                    (!attribute || shunt_is_scalar(p->fields[i].type)))
                    made = &form->fields[i];
        }
        if (!made || made->open.bytes || !is_qualified(form, bare)) return shunt_setting_fault(f, setting, must);
        SHUNT_TRY(make_field(f, made, name));
    }
    return SHUNT_OK;
}

static shunt_status take_settings(const shunt_former *f, struct xml_form *form)
{
    static const char must[] = "a name: letters, digits, `_`, `-`, `.`, not beginning with a digit, `-`, `.` or `xml`";
    shunt_setting     s[] = { [ROOT] = { .name = "root", .value = shunt_program_text(f->e->program, f->target->name) },
                              [NAMESPACE] = { .name = "namespace" },
                              [ITEM] = { .name = "item", .value = SHUNT_TEXT("item") },
                              [PREFIXES] = { .name = "prefixes" },
                              [FIELDS] = { .name = "fields" } };
    SHUNT_TRY(shunt_form_settings(f, s, SHUNT_COUNT(s)));
    form->prefixes = s[PREFIXES].value;
    if (!is_qualified(form, s[ROOT].value)) return shunt_setting_fault(f, &s[ROOT], must);
    if (!is_qualified(form, s[ITEM].value)) return shunt_setting_fault(f, &s[ITEM], must);
    shunt_buffer_char(f->scratch, '<');
    shunt_put(f->scratch, s[ROOT].value);
    if (s[NAMESPACE].value.length) {
        shunt_buffer_z(f->scratch, " xmlns=\"");
        if (shunt_xml_text(f->scratch, s[NAMESPACE].value) != SHUNT_OK) {
            f->scratch->length = 0;
            return shunt_setting_fault(f, &s[NAMESPACE], "text that XML can hold");
        }
        shunt_buffer_char(f->scratch, '"');
    }
    SHUNT_TRY(put_prefixes(f, form, &s[PREFIXES]));
    form->open = shunt_form_keep(f);
    form->close = make_text(f, "</", s[ROOT].value, ">");
    form->item_open = make_text(f, "<", s[ITEM].value, "");
    form->item_close = make_text(f, "</", s[ITEM].value, ">");
    if (!form->open.bytes || !form->close.bytes || !form->item_open.bytes || !form->item_close.bytes) return SHUNT_NO_MEMORY;
    return take_fields(f, form, &s[FIELDS]);
}

/* Record types whose rows a value may hold: `seen` once their names are known to be fine, `open` until their fields were looked at. */
struct reached {
    bool     *seen;
    uint16_t *open;
    uint32_t  count;
};

static shunt_status reach(const shunt_former *f, struct xml_form *form, const shunt_part *part, shunt_type type,
                          struct reached *r)
{
    const shunt_program *p = f->e->program;
    bool                 rows = type.kind == SHUNT_KIND_ROW || (type.kind == SHUNT_KIND_LIST && type.element == SHUNT_KIND_ROW);
    if (!rows || r->seen[type.record]) return SHUNT_OK;
    const shunt_record_type *record = &p->records[type.record];
    struct xml_field        *fields = form->fields + record->field_first;
    r->seen[type.record] = true;
    r->open[r->count++] = type.record;
    for (uint32_t i = 0; i < record->field_count; i++) {
        shunt_text name = shunt_program_text(p, p->fields[record->field_first + i].name);
        if (!fields[i].open.bytes && !is_name(name))
            return shunt_part_fault(f, part, "a field of its rows has a name that XML does not take");
        if (!fields[i].open.bytes) SHUNT_TRY(make_field(f, &fields[i], name));
        for (uint32_t n = 0; n < i && fields[i].attribute; n++)
            if (fields[n].attribute && shunt_text_equal(fields[n].open, fields[i].open))
                return shunt_part_fault(f, part, "two fields of its rows are attributes of one name");
    }
    return SHUNT_OK;
}

/* Rows write their fields by their own names, where the setting `fields` has no other ones. */
static shunt_status check_rows(const shunt_former *f, struct xml_form *form, const shunt_part *part, struct reached *r)
{
    const shunt_program *p = f->e->program;
    SHUNT_TRY(reach(f, form, part, part->type, r));
    while (r->count) {
        const shunt_record_type *record = &p->records[r->open[--r->count]];
        for (uint32_t i = 0; i < record->field_count; i++)
            SHUNT_TRY(reach(f, form, part, p->fields[record->field_first + i].type, r));
    }
    return SHUNT_OK;
}

static shunt_status make_part(const shunt_former *f, const struct xml_form *form, const shunt_part *part, struct xml_part *made)
{
    shunt_text name = part->name;
    made->part = *part;
    made->attribute = name.length && name.bytes[0] == '@';
    if (made->attribute) name.bytes++, name.length--;
    if (!is_qualified(form, name))
        return shunt_part_fault(f, part, "`%.*s` is no name of XML", (int)(part->name.length < 60 ? part->name.length : 60),
                                part->name.bytes);
    if (made->attribute && !shunt_is_scalar(part->type)) return shunt_part_fault(f, part, "an attribute holds one value");
    made->open = make_text(f, made->attribute ? " " : "<", name, made->attribute ? "=\"" : "");
    made->close = made->attribute ? SHUNT_TEXT("\"") : make_text(f, "</", name, ">");
    return made->open.bytes && made->close.bytes ? SHUNT_OK : SHUNT_NO_MEMORY;
}

/* Attributes stand before elements, and what is of the record before what is of its lines. */
static shunt_status sort_parts(const shunt_former *f, const shunt_parts *parts, struct xml_form *form)
{
    uint32_t      *counts[] = { &form->attributes, &form->elements, &form->line_attributes, &form->line_elements }, count = 0;
    uint32_t       records = f->e->program->records_count;
    struct reached reached = { SHUNT_NEW_N(f->e->arena, bool, records), SHUNT_NEW_N(f->e->arena, uint16_t, records), 0 };
    form->parts = SHUNT_NEW_N(f->e->arena, struct xml_part, parts->count + 1);
    if (!form->parts || !reached.seen || !reached.open) return SHUNT_NO_MEMORY;
    for (unsigned group = 0; group < SHUNT_COUNT(counts); group++)
        for (uint32_t i = 0; i < parts->count; i++) {
            const shunt_part *part = &parts->items[i];
            bool              attribute = part->name.length && part->name.bytes[0] == '@';
            if (group != 2u * shunt_part_of_line(part) + !attribute) continue;
            SHUNT_TRY(make_part(f, form, part, &form->parts[count++]));
            SHUNT_TRY(check_rows(f, form, part, &reached));
            ++*counts[group];
        }
    return SHUNT_OK;
}

shunt_status shunt_form_xml(const shunt_former *f)
{
    shunt_parts      parts;
    struct xml_form *form = SHUNT_NEW(f->e->arena, struct xml_form);
    if (form) form->fields = SHUNT_NEW_N(f->e->arena, struct xml_field, f->e->program->fields_count + 1);
    if (!form || !form->fields) return SHUNT_NO_MEMORY;
    SHUNT_TRY(take_settings(f, form));
    SHUNT_TRY(shunt_form_parts(f, false, false, &parts));
    SHUNT_TRY(shunt_form_nested(f, &parts));
    SHUNT_TRY(sort_parts(f, &parts, form));
    form->currencies = !parts.listed;
    f->form->write = write_xml;
    f->form->own = form;
    f->form->end = SHUNT_TEXT("\n");
    return SHUNT_OK;
}
