/* `encode x12 SET "GUIDE"`: interchanges. Parcels hold sets without ST and SE; what goes around them is made when they are handed out: all sets
 * of a transaction for one receiver stand in one interchange. */
#include <stdio.h>

#include "engine/base/date.h"
#include "engine/vm/encode_message.h"

enum { HEADER, GROUP, VERSION, HEAD, BODY, TAIL }; /* parts: ISA with an empty control number; GS up to GS05; from GS07 on */

struct x12_form {
    uint32_t      first, end; /* of the program */
    uint16_t      offset;     /* fields of the target before those of its message */
    shunt_text    set, guide, functional_id;
    shunt_delims  delims;
    shunt_in_data in_data;
    shunt_charset charset;
    shunt_text    line;
    char          release[6]; /* "00501" */
    bool          acknowledge, records, each_alone;
    uint64_t      control; /* the first one, 0 = the rules do not say */
};

/* ---- a record ---- */

struct envelope {
    shunt_text values[SHUNT_X12_SETTINGS];
    char       rooms[SHUNT_X12_SETTINGS][SHUNT_VALUE_ROOM];
};

static shunt_status read_envelope(const shunt_program *p, const struct x12_form *f, const shunt_message_fields *fields,
                                  struct envelope *e)
{
    memset(e->values, 0, sizeof e->values);
    for (uint32_t i = f->first; i < f->end; i += 1 + p->message_nodes[i].count) {
        const shunt_message_node *n = &p->message_nodes[i];
        if (n->kind != SHUNT_MESSAGE_SETTING || n->number >= SHUNT_X12_SETTINGS) continue;
        SHUNT_TRY(shunt_message_setting(p, n, fields, e->rooms[n->number], &e->values[n->number]));
        for (uint32_t b = 0; b < e->values[n->number].length; b++)
            if ((uint8_t)e->values[n->number].bytes[b] >= 0x80) return SHUNT_NOT_WRITABLE;
    }
    shunt_text *v = e->values;
    if (!v[SHUNT_X12_SENDER_QUALIFIER].length) v[SHUNT_X12_SENDER_QUALIFIER] = SHUNT_TEXT("ZZ");
    if (!v[SHUNT_X12_RECEIVER_QUALIFIER].length) v[SHUNT_X12_RECEIVER_QUALIFIER] = SHUNT_TEXT("ZZ");
    if (!v[SHUNT_X12_GROUP_SENDER].length) v[SHUNT_X12_GROUP_SENDER] = v[SHUNT_X12_SENDER];
    if (!v[SHUNT_X12_GROUP_RECEIVER].length) v[SHUNT_X12_GROUP_RECEIVER] = v[SHUNT_X12_RECEIVER];
    if (!v[SHUNT_X12_USAGE].length) v[SHUNT_X12_USAGE] = SHUNT_TEXT("P");
    return SHUNT_OK;
}

static shunt_status put_element(shunt_segment_writer *w, shunt_text value)
{
    shunt_write_element(w);
    return shunt_write_text(w, value);
}

/* CCYYMMDDHHMM of the arrival of the input, on the clock that it was read from. */
static void arrival(const shunt_encoders *e, char text[static 13])
{
    int     year, month, day;
    int64_t seconds = shunt_moment_local_seconds(e->received_at), days = seconds / 86400;
    if (seconds % 86400 < 0) days--;
    shunt_date_split(days, &year, &month, &day);
    int minutes = (int)((seconds - days * 86400) / 60);
    snprintf(text, 13, "%04u%02u%02u%02u%02u", (unsigned)year % 10000, (unsigned)month % 100, (unsigned)day % 100,
             (unsigned)minutes / 60 % 100, (unsigned)minutes % 60);
}

static shunt_status put_envelope(const shunt_encoders *e, const struct x12_form *f, const struct envelope *v,
                                 shunt_message_writer *m, size_t parcel)
{
    char      at[13], date[7] = "", time[5] = "", day[9] = "";
    shunt_isa isa = { .sender_qualifier = v->values[SHUNT_X12_SENDER_QUALIFIER],
                      .sender = v->values[SHUNT_X12_SENDER],
                      .receiver_qualifier = v->values[SHUNT_X12_RECEIVER_QUALIFIER],
                      .receiver = v->values[SHUNT_X12_RECEIVER],
                      .date = date,
                      .time = time,
                      .version = f->release,
                      .acknowledge = f->acknowledge ? '1' : '0',
                      .usage = v->values[SHUNT_X12_USAGE].bytes[0] };
    arrival(e, at);
    memcpy(day, at, 8);
    memcpy(date, at + 2, 6);
    memcpy(time, at + 8, 4);
    shunt_segment_writer *w = &m->segments;
    shunt_buffer         *out = w->out;
    SHUNT_TRY(shunt_write_isa(w, &isa));
    shunt_message_part_end(out, parcel, HEADER, 0);
    shunt_write_segment(w, SHUNT_TEXT("GS"));
    SHUNT_TRY(put_element(w, f->functional_id));
    SHUNT_TRY(put_element(w, v->values[SHUNT_X12_GROUP_SENDER]));
    SHUNT_TRY(put_element(w, v->values[SHUNT_X12_GROUP_RECEIVER]));
    SHUNT_TRY(put_element(w, shunt_text_of(day)));
    SHUNT_TRY(put_element(w, shunt_text_of(time)));
    shunt_buffer_char(out, (char)f->delims.element);
    shunt_message_part_end(out, parcel, GROUP, 0);
    SHUNT_TRY(put_element(w, SHUNT_TEXT("X")));
    SHUNT_TRY(put_element(w, f->guide));
    shunt_write_end(w);
    shunt_message_part_end(out, parcel, VERSION, 0);
    return SHUNT_OK;
}

static shunt_status put_part(shunt_message_writer *m, size_t parcel, uint32_t part, uint32_t first, uint32_t end,
                             const shunt_message_fields *fields)
{
    m->segments.segments = 0;
    SHUNT_TRY(shunt_message_write(m, first, end, fields));
    shunt_message_part_end(m->segments.out, parcel, part, m->segments.segments);
    return SHUNT_OK;
}

static shunt_status write_x12(const shunt_encoders *e, const shunt_record *record, const shunt_stamp *stamp, shunt_buffer *out,
                              shunt_written *written)
{
    const shunt_program   *p = e->program;
    const struct x12_form *f = e->forms[record->target].own;
    struct envelope        envelope;
    shunt_message_fields fields = { record->fields + f->offset, record->states + f->offset, p->targets[record->target].message };
    shunt_message_writer m = {
        .program = p,
        .segments = { .out = out, .delims = f->delims, .in_data = (uint8_t)f->in_data, .line = f->line },
        .charset = f->charset,
        .scratch = e->scratch,
    };
    (void)stamp;
    (void)written;
    SHUNT_TRY(read_envelope(p, f, &fields, &envelope));
    size_t parcel = shunt_message_parcel(out);
    SHUNT_TRY(put_envelope(e, f, &envelope, &m, parcel));
    uint32_t each = f->first;
    while (each < f->end && p->message_nodes[each].kind != SHUNT_MESSAGE_RECORD) each += 1 + p->message_nodes[each].count;
    uint32_t after = each < f->end ? each + 1 + p->message_nodes[each].count : f->end;
    if (!f->records) {
        shunt_message_part_end(out, parcel, HEAD, 0);
        SHUNT_TRY(put_part(&m, parcel, BODY, f->first, f->end, &fields));
        shunt_message_part_end(out, parcel, TAIL, 0);
        return SHUNT_OK;
    }
    SHUNT_TRY(put_part(&m, parcel, HEAD, f->first, each, &fields));
    SHUNT_TRY(put_part(&m, parcel, BODY, each + 1, after, &fields));
    return put_part(&m, parcel, TAIL, after, f->end, &fields);
}

/* ---- what goes around ---- */

static bool same(const shunt_message_parts *a, const shunt_message_parts *b, int part)
{
    return shunt_text_equal(a->items[part], b->items[part]);
}

/* How far the record stands in what the one before it stood in. */
enum { APART, IN_INTERCHANGE, IN_GROUP, IN_SET };

static int together(const struct x12_form *f, const shunt_message_parts *before, const shunt_message_parts *now)
{
    if (!before || !now || f->each_alone || !same(before, now, HEADER)) return APART;
    if (!same(before, now, GROUP) || !same(before, now, VERSION)) return IN_INTERCHANGE;
    return f->records && same(before, now, HEAD) && same(before, now, TAIL) ? IN_SET : IN_GROUP;
}

static void put_digits(shunt_segment_writer *w, const char *format, unsigned long long number)
{
    char digits[24];
    int  length = snprintf(digits, sizeof digits, format, number);
    shunt_write_element(w);
    (void)shunt_write_text(w, (shunt_text){ digits, (uint32_t)length });
}

static void open_around(const struct x12_form *f, shunt_dress *d, shunt_segment_writer *w, const shunt_message_parts *now,
                        int joined)
{
    char digits[SHUNT_ISA_CONTROL_DIGITS + 1];
    if (joined < IN_INTERCHANGE) {
        size_t at = w->out->length;
        d->interchange = shunt_message_next(d, f->control);
        d->group = d->interchange;
        d->groups = 0;
        shunt_buffer_text(w->out, now->items[HEADER]);
        snprintf(digits, sizeof digits, "%09llu", (unsigned long long)d->interchange);
        if (!w->out->failed) memcpy(w->out->bytes + at + SHUNT_ISA_CONTROL, digits, SHUNT_ISA_CONTROL_DIGITS);
    }
    if (joined < IN_GROUP) {
        if (joined == IN_INTERCHANGE) d->group = shunt_message_next(d, f->control);
        d->groups++;
        d->sets = 0;
        shunt_buffer_text(w->out, now->items[GROUP]);
        shunt_buffer_format(w->out, "%llu", (unsigned long long)d->group);
        shunt_buffer_text(w->out, now->items[VERSION]);
    }
    if (joined == IN_SET) return;
    d->sets++;
    shunt_write_segment(w, SHUNT_TEXT("ST"));
    shunt_write_element(w);
    (void)shunt_write_text(w, f->set);
    put_digits(w, "%04llu", d->sets);
    if (strcmp(f->release, "00500") > 0) {
        shunt_write_element(w);
        (void)shunt_write_text(w, f->guide);
    }
    shunt_write_end(w);
    shunt_buffer_text(w->out, now->items[HEAD]);
    d->segments = 2 + now->segments[HEAD] + now->segments[TAIL];
}

static void close_around(const shunt_dress *d, shunt_segment_writer *w, const shunt_message_parts *now, int joined)
{
    if (joined == IN_SET) return;
    shunt_buffer_text(w->out, now->items[TAIL]);
    shunt_write_segment(w, SHUNT_TEXT("SE"));
    put_digits(w, "%llu", d->segments);
    put_digits(w, "%04llu", d->sets);
    shunt_write_end(w);
    if (joined == IN_GROUP) return;
    shunt_write_segment(w, SHUNT_TEXT("GE"));
    put_digits(w, "%llu", d->sets);
    put_digits(w, "%llu", d->group);
    shunt_write_end(w);
    if (joined == IN_INTERCHANGE) return;
    shunt_write_segment(w, SHUNT_TEXT("IEA"));
    put_digits(w, "%llu", d->groups);
    put_digits(w, "%09llu", d->interchange);
    shunt_write_end(w);
}

static shunt_status dress_x12(const shunt_form *form, shunt_dress *d, const shunt_message_parts *before,
                              const shunt_message_parts *now, const shunt_message_parts *after, shunt_piece *piece)
{
    const struct x12_form *f = form->own;
    shunt_segment_writer   w = { .out = &d->head, .delims = f->delims, .in_data = SHUNT_DATA_REFUSE, .line = f->line };
    open_around(f, d, &w, now, together(f, before, now));
    d->segments += now->segments[BODY];
    piece->body = now->items[BODY];
    w.out = &d->end;
    close_around(d, &w, now, together(f, now, after));
    return SHUNT_OK;
}

/* ---- preparing ---- */

enum { SET, GUIDE, FUNCTIONAL, CONTROL, ACKNOWLEDGE, SEPARATORS, LINE, ENCODING, DELIMITERS, INTERCHANGE };

static bool is_separator(char c)
{
    return c > ' ' && c < 0x7f && !(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') && c != '.' &&
           c != '-';
}

/* Element, component, repetition, terminator. A line feed may end segments. */
static shunt_status take_separators(const shunt_former *f, const shunt_setting *s, struct x12_form *form)
{
    static const char must[] = "four different marks: of elements, components, repetitions and the end of a segment: `*:^~`";
    shunt_text        marks = s->value;
    if (marks.length != 4) return shunt_setting_fault(f, s, must);
    for (uint32_t i = 0; i < 4; i++) {
        if (!is_separator(marks.bytes[i]) && !(i == 3 && marks.bytes[i] == '\n')) return shunt_setting_fault(f, s, must);
        for (uint32_t k = 0; k < i; k++)
            if (marks.bytes[k] == marks.bytes[i]) return shunt_setting_fault(f, s, must);
    }
    form->delims = (shunt_delims){ .element = (uint8_t)marks.bytes[0],
                                   .component = (uint8_t)marks.bytes[1],
                                   .repetition = strcmp(form->release, "00402") >= 0 ? (uint8_t)marks.bytes[2] : 0,
                                   .terminator = (uint8_t)marks.bytes[3] };
    return SHUNT_OK;
}

static shunt_status take_choice(const shunt_former *f, const shunt_setting *s, const char *no, const char *yes, const char *must,
                                bool *chosen)
{
    *chosen = shunt_text_is(s->value, yes);
    return *chosen || shunt_text_is(s->value, no) ? SHUNT_OK : shunt_setting_fault(f, s, must);
}

static shunt_status take_settings(const shunt_former *f, struct x12_form *form)
{
    shunt_setting s[] = { [SET] = { .name = "set" },
                          [GUIDE] = { .name = "guide" },
                          [FUNCTIONAL] = { .name = "functional_id" },
                          [CONTROL] = { .name = "control" },
                          [ACKNOWLEDGE] = { .name = "acknowledge", .value = SHUNT_TEXT("0") },
                          [SEPARATORS] = { .name = "separators", .value = SHUNT_TEXT("*:^~") },
                          [LINE] = { .name = "line", .value = SHUNT_TEXT("\n") },
                          [ENCODING] = { .name = "encoding", .value = SHUNT_TEXT("US-ASCII") },
                          [DELIMITERS] = { .name = "delimiters", .value = SHUNT_TEXT("refuse") },
                          [INTERCHANGE] = { .name = "interchange", .value = SHUNT_TEXT("transaction") } };
    bool          blank;
    SHUNT_TRY(shunt_form_settings(f, s, SHUNT_COUNT(s)));
    form->set = s[SET].value;
    form->guide = s[GUIDE].value;
    form->functional_id = s[FUNCTIONAL].value;
    if (form->guide.length < 6 || !form->set.length) return shunt_form_fault(f, "the guide is not named");
    /* GS08 005010X218 is release 00501 in ISA12. */
    memcpy(form->release, form->guide.bytes, 5);
    if (!shunt_message_control(&s[CONTROL], &form->control))
        return shunt_setting_fault(f, &s[CONTROL], "a number from 1 to 999999999, in quotes");
    SHUNT_TRY(take_choice(f, &s[ACKNOWLEDGE], "0", "1", "\"0\" or \"1\"", &form->acknowledge));
    SHUNT_TRY(take_separators(f, &s[SEPARATORS], form));
    if (s[LINE].value.length && !shunt_text_is(s[LINE].value, "\n") && !shunt_text_is(s[LINE].value, "\r\n"))
        return shunt_setting_fault(f, &s[LINE], "a line end, as `\\n` or `\\r\\n`, or empty");
    form->line = form->delims.terminator == '\n' ? (shunt_text){ "", 0 } : s[LINE].value;
    if (!shunt_charset_find(s[ENCODING].value, &form->charset))
        return shunt_setting_fault(f, &s[ENCODING], "\"UTF-8\", \"US-ASCII\" or \"ISO-8859-1\"");
    SHUNT_TRY(take_choice(f, &s[DELIMITERS], "refuse", "blank", "\"refuse\" or \"blank\"", &blank));
    form->in_data = blank ? SHUNT_DATA_BLANK : SHUNT_DATA_REFUSE;
    return take_choice(f, &s[INTERCHANGE], "transaction", "record", "\"transaction\" or \"record\"", &form->each_alone);
}

shunt_status shunt_form_x12(const shunt_former *f)
{
    const shunt_program *p = f->e->program;
    struct x12_form     *form = SHUNT_NEW(f->e->arena, struct x12_form);
    if (!form) return SHUNT_NO_MEMORY;
    SHUNT_TRY(take_settings(f, form));
    form->first = f->encoding->node_first;
    form->end = form->first + f->encoding->node_count;
    form->offset = (uint16_t)p->records[f->target->record].field_count;
    for (uint32_t i = form->first; i < form->end; i += 1 + p->message_nodes[i].count)
        form->records = form->records || p->message_nodes[i].kind == SHUNT_MESSAGE_RECORD;
    f->form->write = write_x12;
    f->form->dress = dress_x12;
    f->form->own = form;
    return SHUNT_OK;
}
