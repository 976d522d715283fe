/* `encode hl7 "TYPE^EVENT" "VERSION"`: a message a record. Its MSH is made here; the control number comes when it is handed out. */
#include <stdio.h>

#include "engine/base/date.h"
#include "engine/vm/encode_message.h"

enum { HEADER, BEHIND, BODY }; /* parts: MSH up to MSH-9; from MSH-11 on; the other segments */

struct hl7_form {
    uint32_t      first, end; /* nodes of the program */
    uint16_t      offset;     /* fields of the target before those of its message */
    shunt_text    type, event, structure, version;
    shunt_delims  delims;
    shunt_text    marks; /* MSH-2 */
    shunt_charset charset;
    shunt_text    charset_name; /* MSH-18, empty = none */
    shunt_text    line;
    bool          framed;
    uint64_t      control;
};

/* ---- a record ---- */

static shunt_status put_field(shunt_message_writer *m, shunt_text value)
{
    shunt_write_element(&m->segments);
    return shunt_message_text(m, value);
}

static shunt_status put_name(shunt_message_writer *m, const struct hl7_form *f)
{
    shunt_write_element(&m->segments);
    SHUNT_TRY(shunt_write_text(&m->segments, f->type));
    shunt_write_component(&m->segments);
    SHUNT_TRY(shunt_write_text(&m->segments, f->event));
    shunt_write_component(&m->segments);
    return shunt_write_text(&m->segments, f->structure);
}

static shunt_status put_header(const shunt_encoders *e, const struct hl7_form *f, const shunt_text values[SHUNT_HL7_SETTINGS],
                               shunt_message_writer *m, size_t parcel)
{
    char       room[SHUNT_VALUE_ROOM];
    shunt_text arrival;
    SHUNT_TRY(shunt_message_moment(e->received_at, room, &arrival));
    shunt_write_segment(&m->segments, SHUNT_TEXT("MSH"));
    shunt_buffer_char(m->segments.out, (char)f->delims.element); /* MSH-1 is the separator, MSH-2 the others */
    shunt_buffer_text(m->segments.out, f->marks);
    for (uint32_t k = SHUNT_HL7_SENDING_APPLICATION; k <= SHUNT_HL7_RECEIVING_FACILITY; k++) SHUNT_TRY(put_field(m, values[k]));
    SHUNT_TRY(put_field(m, arrival));
    shunt_write_element(&m->segments); /* MSH-8 */
    SHUNT_TRY(put_name(m, f));
    shunt_buffer_char(m->segments.out, (char)f->delims.element);
    shunt_message_part_end(m->segments.out, parcel, HEADER, 0);
    shunt_write_segment(&m->segments, (shunt_text){ 0 });
    SHUNT_TRY(put_field(m, values[SHUNT_HL7_PROCESSING].length ? values[SHUNT_HL7_PROCESSING] : SHUNT_TEXT("P")));
    SHUNT_TRY(put_field(m, f->version));
    shunt_write_element(&m->segments); /* MSH-13 */
    shunt_write_element(&m->segments);
    SHUNT_TRY(put_field(m, values[SHUNT_HL7_ACCEPT_ACK]));
    SHUNT_TRY(put_field(m, values[SHUNT_HL7_APPLICATION_ACK]));
    shunt_write_element(&m->segments); /* MSH-17 */
    SHUNT_TRY(put_field(m, f->charset_name));
    shunt_write_end(&m->segments);
    shunt_message_part_end(m->segments.out, parcel, BEHIND, 0);
    return SHUNT_OK;
}

static shunt_status write_hl7(const shunt_encoders *e, const shunt_record *record, const shunt_stamp *stamp, shunt_buffer *out,
                              shunt_written *written)
{
    const shunt_program   *p = e->program;
    const struct hl7_form *f = e->forms[record->target].own;
    shunt_text             values[SHUNT_HL7_SETTINGS] = { { 0 } };
    char                   rooms[SHUNT_HL7_SETTINGS][SHUNT_VALUE_ROOM];
    shunt_message_fields fields = { record->fields + f->offset, record->states + f->offset, p->targets[record->target].message };
    shunt_message_writer m = {
        .program = p,
        .segments = { .out = out, .delims = f->delims, .in_data = SHUNT_DATA_ESCAPE, .line = f->line },
        .charset = f->charset,
        .scratch = e->scratch,
    };
    (void)stamp;
    (void)written;
    for (uint32_t i = f->first; i < f->end; i += 1 + p->message_nodes[i].count) {
        const shunt_message_node *n = &p->message_nodes[i];
        if (n->kind != SHUNT_MESSAGE_SETTING || n->number >= SHUNT_HL7_SETTINGS) continue;
        SHUNT_TRY(shunt_message_setting(p, n, &fields, rooms[n->number], &values[n->number]));
    }
    size_t parcel = shunt_message_parcel(out);
    SHUNT_TRY(put_header(e, f, values, &m, parcel));
    SHUNT_TRY(shunt_message_write(&m, f->first, f->end, &fields));
    shunt_message_part_end(out, parcel, BODY, 0);
    return SHUNT_OK;
}

static shunt_status dress_hl7(const shunt_form *form, shunt_dress *d, const shunt_message_parts *before,
                              const shunt_message_parts *now, const shunt_message_parts *after, shunt_piece *piece)
{
    const struct hl7_form *f = form->own;
    (void)before;
    (void)after;
    if (f->framed) shunt_buffer_char(&d->head, '\x0b');
    shunt_buffer_text(&d->head, now->items[HEADER]);
    shunt_buffer_format(&d->head, "%llu", (unsigned long long)shunt_message_next(d, f->control));
    shunt_buffer_text(&d->head, now->items[BEHIND]);
    piece->body = now->items[BODY];
    if (f->framed) shunt_buffer_z(&d->end, "\x1c\r");
    return SHUNT_OK;
}

/* ---- preparing ---- */

enum { SET, STRUCTURE, VERSION, CONTROL, SEPARATORS, LINE, ENCODING, FRAME };

static bool is_mark(char c)
{
    return c > ' ' && c < 0x7f && c != '"' && c != '.' && c != '-' && c != '+' && !(c >= '0' && c <= '9') &&
           !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z');
}

/* Fields, components, repetitions, escape, subcomponents. */
static shunt_status take_separators(const shunt_former *f, const shunt_setting *s, struct hl7_form *form)
{
    static const char must[] = "five different marks, of fields, components, repetitions, escapes and subcomponents: `|^~\\\\&`";
    shunt_text        marks = s->value;
    if (marks.length != 5) return shunt_setting_fault(f, s, must);
    for (uint32_t i = 0; i < 5; i++) {
        if (!is_mark(marks.bytes[i])) return shunt_setting_fault(f, s, must);
        for (uint32_t k = 0; k < i; k++)
            if (marks.bytes[k] == marks.bytes[i]) return shunt_setting_fault(f, s, must);
    }
    form->marks = (shunt_text){ marks.bytes + 1, 4 };
    form->delims = (shunt_delims){ .element = (uint8_t)marks.bytes[0],
                                   .component = (uint8_t)marks.bytes[1],
                                   .repetition = (uint8_t)marks.bytes[2],
                                   .escape = (uint8_t)marks.bytes[3],
                                   .subcomponent = (uint8_t)marks.bytes[4],
                                   .terminator = '\r' };
    return SHUNT_OK;
}

static shunt_status take_name(const shunt_former *f, shunt_text set, struct hl7_form *form)
{
    const char *caret = set.length ? memchr(set.bytes, '^', set.length) : NULL;
    if (!caret) return shunt_form_fault(f, "the message is not named by type and event");
    form->type = (shunt_text){ set.bytes, (uint32_t)(caret - set.bytes) };
    form->event = (shunt_text){ caret + 1, set.length - form->type.length - 1 };
    return SHUNT_OK;
}

shunt_status shunt_form_hl7(const shunt_former *f)
{
    static const char *const names[] = { [SHUNT_UTF8] = "UNICODE UTF-8", [SHUNT_ASCII] = "", [SHUNT_LATIN1] = "8859/1" };
    struct hl7_form         *form = SHUNT_NEW(f->e->arena, struct hl7_form);
    shunt_setting            s[] = { [SET] = { .name = "set" },
                                     [STRUCTURE] = { .name = "structure" },
                                     [VERSION] = { .name = "guide" },
                                     [CONTROL] = { .name = "control" },
                                     [SEPARATORS] = { .name = "separators", .value = SHUNT_TEXT("|^~\\&") },
                                     [LINE] = { .name = "line", .value = SHUNT_TEXT("\r") },
                                     [ENCODING] = { .name = "encoding", .value = SHUNT_TEXT("US-ASCII") },
                                     [FRAME] = { .name = "frame", .value = SHUNT_TEXT("none") } };
    if (!form) return SHUNT_NO_MEMORY;
    SHUNT_TRY(shunt_form_settings(f, s, SHUNT_COUNT(s)));
    SHUNT_TRY(take_name(f, s[SET].value, form));
    form->structure = s[STRUCTURE].value;
    form->version = s[VERSION].value;
    if (!shunt_message_control(&s[CONTROL], &form->control))
        return shunt_setting_fault(f, &s[CONTROL], "a number from 1 to 999999999, in quotes");
    SHUNT_TRY(take_separators(f, &s[SEPARATORS], form));
    if (shunt_text_is(s[LINE].value, "\n"))
        form->delims.terminator = '\n';
    else if (shunt_text_is(s[LINE].value, "\r\n"))
        form->line = SHUNT_TEXT("\n");
    else if (!shunt_text_is(s[LINE].value, "\r"))
        return shunt_setting_fault(f, &s[LINE], "`\\r`, `\\n` or `\\r\\n`");
    if (!shunt_charset_find(s[ENCODING].value, &form->charset))
        return shunt_setting_fault(f, &s[ENCODING], "\"UTF-8\", \"US-ASCII\" or \"ISO-8859-1\"");
    form->charset_name = shunt_text_of(names[form->charset]);
    form->framed = shunt_text_is(s[FRAME].value, "mllp");
    if (!form->framed && !shunt_text_is(s[FRAME].value, "none")) return shunt_setting_fault(f, &s[FRAME], "\"none\" or \"mllp\"");
    form->first = f->encoding->node_first;
    form->end = form->first + f->encoding->node_count;
    form->offset = (uint16_t)f->e->program->records[f->target->record].field_count;
    f->form->write = write_hl7;
    f->form->dress = dress_hl7;
    f->form->own = form;
    return SHUNT_OK;
}
