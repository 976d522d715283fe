/* `encode fhir json|xml "VERSION"`: a resource a record, or Bundles of them. Members stand in the order of the standard, as the compiler sorted them. */
#include "engine/vm/encode_message.h"
#include "engine/vm/object.h"

enum { RESOURCE }; /* parts */

struct fhir_form {
    uint32_t   first, end;
    uint16_t   offset;
    shunt_text resource;
    bool       xml;
    shunt_text bundle; /* type of the Bundle, empty = none */
    bool       requests;
};

/* ---- a record ---- */

typedef struct fhir_writer {
    const shunt_program *program;
    shunt_object_writer  objects;
} fhir_writer;

static bool is_attribute(const shunt_message_node *n) { return n->flags & SHUNT_MESSAGE_ATTRIBUTE; }

static shunt_status put_value(fhir_writer *w, const shunt_message_node *n, const shunt_message_fields *f)
{
    const shunt_program *p = w->program;
    char                 room[SHUNT_VALUE_ROOM];
    shunt_type           type;
    shunt_value          value;
    if (!shunt_message_read(p, n, f, &type, &value)) return n->flags & SHUNT_MESSAGE_REQUIRED ? SHUNT_REQUIRED_MISSING : SHUNT_OK;
    shunt_text text = shunt_value_text(p, type, value, room);
    if (n->max && shunt_utf8_count(text) > n->max) return SHUNT_TEXT_TOO_LONG;
    if (n->format == SHUNT_FORMAT_XHTML) return shunt_object_narrative(&w->objects, shunt_program_text(p, n->name), text);
    return shunt_object_value(&w->objects, shunt_program_text(p, n->name),
                              n->format == SHUNT_FORMAT_BARE ? SHUNT_OBJECT_BARE : SHUNT_OBJECT_STRING, text, is_attribute(n));
}

static shunt_status put_members(fhir_writer *w, uint32_t first, uint32_t end, const shunt_message_fields *f);

static shunt_status put_object(fhir_writer *w, uint32_t node, const shunt_message_fields *f)
{
    const shunt_message_node *n = &w->program->message_nodes[node], *inner = n + 1;
    shunt_text                name = shunt_program_text(w->program, n->name), resource = { 0 };
    if (n->count && inner->flags & SHUNT_MESSAGE_RESOURCE && inner->count) {
        resource = shunt_program_text(w->program, inner->name);
        n = inner;
        node++;
    }
    SHUNT_TRY(shunt_object_begin(&w->objects, name, resource));
    SHUNT_TRY(put_members(w, node + 1, node + 1 + n->count, f));
    shunt_object_end(&w->objects);
    return SHUNT_OK;
}

/* What is inside of an EACH: a value, or members of an object. */
static shunt_status put_row(fhir_writer *w, uint32_t each, const shunt_message_fields *row)
{
    const shunt_message_node *n = &w->program->message_nodes[each], *inner = n + 1;
    if (inner->kind == SHUNT_MESSAGE_ITEM) return inner->count ? put_object(w, each + 1, row) : put_value(w, inner, row);
    return SHUNT_OK;
}

static shunt_status put_array(fhir_writer *w, uint32_t node, const shunt_message_fields *f)
{
    const shunt_program      *p = w->program;
    const shunt_message_node *n = &p->message_nodes[node];
    SHUNT_TRY(shunt_object_array(&w->objects, shunt_program_text(p, n->name)));
    for (uint32_t i = node + 1; i < node + 1 + n->count; i += 1 + p->message_nodes[i].count) {
        const shunt_message_node *item = &p->message_nodes[i];
        shunt_message_fields      row;
        if (item->kind == SHUNT_MESSAGE_EACH) {
            for (uint32_t r = 0; r < shunt_message_rows(item, f); r++)
                if (shunt_message_row(p, item, f, r, &row) && shunt_message_says(p, i + 1, i + 1 + item->count, &row))
                    SHUNT_TRY(put_row(w, i, &row));
        } else if (shunt_message_says(p, i, i + 1 + item->count, f)) {
            SHUNT_TRY(item->count ? put_object(w, i, f) : put_value(w, item, f));
        }
    }
    shunt_object_array_end(&w->objects);
    return SHUNT_OK;
}

static shunt_status put_member(fhir_writer *w, uint32_t i, const shunt_message_fields *f)
{
    const shunt_message_node *n = &w->program->message_nodes[i];
    if (!n->count) return put_value(w, n, f);
    if (!shunt_message_says(w->program, i + 1, i + 1 + n->count, f))
        return n->flags & SHUNT_MESSAGE_REQUIRED ? SHUNT_REQUIRED_MISSING : SHUNT_OK;
    return n->flags & SHUNT_MESSAGE_ARRAY ? put_array(w, i, f) : put_object(w, i, f);
}

/* Attributes of XML first; the others as they stand. */
static shunt_status put_members(fhir_writer *w, uint32_t first, uint32_t end, const shunt_message_fields *f)
{
    const shunt_program *p = w->program;
    for (int attributes = w->objects.xml; attributes >= 0; attributes--)
        for (uint32_t i = first; i < end; i += 1 + p->message_nodes[i].count)
            if (!w->objects.xml || is_attribute(&p->message_nodes[i]) == (attributes == 1)) SHUNT_TRY(put_member(w, i, f));
    return SHUNT_OK;
}

static shunt_status write_fhir(const shunt_encoders *e, const shunt_record *record, const shunt_stamp *stamp, shunt_buffer *out,
                               shunt_written *written)
{
    const struct fhir_form *f = e->forms[record->target].own;
    shunt_message_fields    fields = { record->fields + f->offset, record->states + f->offset,
                                       e->program->targets[record->target].message };
    fhir_writer             w = { .program = e->program, .objects = { .out = out, .xml = f->xml } };
    (void)stamp;
    (void)written;
    size_t parcel = shunt_message_parcel(out);
    SHUNT_TRY(shunt_object_begin(&w.objects, (shunt_text){ 0 }, f->resource));
    SHUNT_TRY(put_members(&w, f->first, f->end, &fields));
    shunt_object_end(&w.objects);
    shunt_message_part_end(out, parcel, RESOURCE, 0);
    return SHUNT_OK;
}

/* ---- Bundles ---- */

static void put_request(const struct fhir_form *f, shunt_buffer *out)
{
    if (!f->requests) return;
    shunt_buffer_z(out,
                   f->xml ? "<request><method value=\"POST\"/><url value=\"" : ",\"request\":{\"method\":\"POST\",\"url\":\"");
    shunt_buffer_text(out, f->resource);
    shunt_buffer_z(out, f->xml ? "\"/></request>" : "\"}");
}

static shunt_status dress_fhir(const shunt_form *form, shunt_dress *d, const shunt_message_parts *before,
                               const shunt_message_parts *now, const shunt_message_parts *after, shunt_piece *piece)
{
    const struct fhir_form *f = form->own;
    piece->body = now->items[RESOURCE];
    if (!f->bundle.length) {
        shunt_buffer_char(&d->end, '\n');
        return SHUNT_OK;
    }
    if (!before) {
        shunt_buffer_z(&d->head, f->xml ? "<Bundle xmlns=\"http://hl7.org/fhir\"><type value=\""
                                        : "{\"resourceType\":\"Bundle\",\"type\":\"");
        shunt_buffer_text(&d->head, f->bundle);
        shunt_buffer_z(&d->head, f->xml ? "\"/>" : "\",\"entry\":[");
    }
    shunt_buffer_z(&d->head, f->xml ? "<entry><resource>" : "{\"resource\":");
    if (f->xml) shunt_buffer_z(&d->end, "</resource>");
    put_request(f, &d->end);
    shunt_buffer_z(&d->end, f->xml ? "</entry>" : "}");
    if (after && !f->xml) shunt_buffer_char(&d->end, ',');
    if (!after) shunt_buffer_z(&d->end, f->xml ? "</Bundle>\n" : "]}\n");
    return SHUNT_OK;
}

/* ---- preparing ---- */

enum { FORM, NAME, VERSION, BUNDLE };

shunt_status shunt_form_fhir(const shunt_former *f)
{
    static const char *const types[] = { "collection", "batch", "transaction" };
    struct fhir_form        *form = SHUNT_NEW(f->e->arena, struct fhir_form);
    shunt_setting            s[] = { [FORM] = { .name = "form" },
                                     [NAME] = { .name = "resource" },
                                     [VERSION] = { .name = "guide" },
                                     [BUNDLE] = { .name = "bundle", .value = SHUNT_TEXT("none") } };
    if (!form) return SHUNT_NO_MEMORY;
    SHUNT_TRY(shunt_form_settings(f, s, SHUNT_COUNT(s)));
    form->xml = shunt_text_is(s[FORM].value, "xml");
    form->resource = s[NAME].value;
    if (!form->resource.length) return shunt_form_fault(f, "the resource is not named");
    for (size_t i = 0; i < SHUNT_COUNT(types); i++)
        if (shunt_text_is(s[BUNDLE].value, types[i])) form->bundle = s[BUNDLE].value;
    if (!form->bundle.length && !shunt_text_is(s[BUNDLE].value, "none"))
        return shunt_setting_fault(f, &s[BUNDLE], "\"none\", \"collection\", \"batch\" or \"transaction\"");
    form->requests = form->bundle.length && !shunt_text_is(form->bundle, "collection");
    form->first = f->encoding->node_first;
    form->end = form->first + f->encoding->node_count;
    form->offset = (uint16_t)f->e->program->records[f->target->record].field_count;
    f->form->write = write_fhir;
    f->form->dress = dress_fhir;
    f->form->own = form;
    return SHUNT_OK;
}
