#include "engine/vm/object.h"

#include <string.h>

static const char name_space[] = " xmlns=\"http://hl7.org/fhir\"";

static shunt_object_level *top(shunt_object_writer *w) { return w->depth ? &w->levels[w->depth - 1] : NULL; }

/* What stands before the next member or item: a comma, the name; in XML the end of the tag around it. */
static void next(shunt_object_writer *w, shunt_text name)
{
    shunt_object_level *around = top(w);
    if (!around) return;
    if (w->xml) {
        if (!around->filled && !around->array) shunt_buffer_char(w->out, '>');
    } else {
        if (around->filled) shunt_buffer_char(w->out, ',');
        if (!around->array) {
            shunt_buffer_json(w->out, name);
            shunt_buffer_char(w->out, ':');
        }
    }
    around->filled = true;
}

static shunt_status push(shunt_object_writer *w, shunt_object_level level)
{
    if (w->depth == SHUNT_OBJECT_DEPTH) return SHUNT_LIMIT;
    w->levels[w->depth++] = level;
    return SHUNT_OK;
}

/* In an array the element has the name of the array. */
static shunt_text name_of(const shunt_object_writer *w, shunt_text name)
{
    return w->depth && w->levels[w->depth - 1].array ? w->levels[w->depth - 1].name : name;
}

static void put_tag(shunt_object_writer *w, const char *before, shunt_text name, const char *after)
{
    shunt_buffer_z(w->out, before);
    shunt_buffer_text(w->out, name);
    shunt_buffer_z(w->out, after);
}

/* The element around an array is closed by the first item, once. */
static void close_around(shunt_object_writer *w)
{
    if (w->depth < 2 || !w->levels[w->depth - 1].array) return;
    shunt_object_level *outer = &w->levels[w->depth - 2];
    if (!outer->filled) shunt_buffer_char(w->out, '>');
    outer->filled = true;
}

shunt_status shunt_object_begin(shunt_object_writer *w, shunt_text name, shunt_text resource)
{
    shunt_text called = name_of(w, name);
    bool       inner = w->depth > 0;
    if (w->xml) close_around(w);
    next(w, name);
    if (!w->xml) {
        shunt_buffer_char(w->out, '{');
        if (resource.length) {
            shunt_buffer_z(w->out, "\"resourceType\":");
            shunt_buffer_json(w->out, resource);
        }
    } else {
        if (inner) put_tag(w, "<", called, resource.length ? ">" : "");
        if (resource.length) put_tag(w, "<", resource, name_space);
    }
    return push(w, (shunt_object_level){
                       .name = inner ? called : (shunt_text){ 0 }, .resource = resource, .filled = !w->xml && resource.length });
}

void shunt_object_end(shunt_object_writer *w)
{
    const shunt_object_level level = w->levels[--w->depth];
    if (!w->xml) {
        shunt_buffer_char(w->out, '}');
        return;
    }
    shunt_text inner = level.resource.length ? level.resource : level.name;
    if (level.filled)
        put_tag(w, "</", inner, ">");
    else
        shunt_buffer_z(w->out, "/>");
    if (level.resource.length && level.name.length) put_tag(w, "</", level.name, ">");
}

shunt_status shunt_object_array(shunt_object_writer *w, shunt_text name)
{
    if (!w->xml) {
        next(w, name);
        shunt_buffer_char(w->out, '[');
    }
    return push(w, (shunt_object_level){ .name = name, .array = true });
}

void shunt_object_array_end(shunt_object_writer *w)
{
    w->depth--;
    if (!w->xml) shunt_buffer_char(w->out, ']');
}

shunt_status shunt_object_value(shunt_object_writer *w, shunt_text name, shunt_object_kind kind, shunt_text text, bool attribute)
{
    shunt_text called = name_of(w, name);
    if (!w->xml) {
        next(w, name);
        if (kind == SHUNT_OBJECT_STRING)
            shunt_buffer_json(w->out, text);
        else
            shunt_buffer_text(w->out, text);
        return SHUNT_OK;
    }
    if (attribute && !top(w)->filled) {
        put_tag(w, " ", called, "=\"");
        SHUNT_TRY(shunt_xml_text(w->out, text));
        shunt_buffer_char(w->out, '"');
        return SHUNT_OK;
    }
    close_around(w);
    next(w, name);
    put_tag(w, "<", called, " value=\"");
    SHUNT_TRY(shunt_xml_text(w->out, text));
    shunt_buffer_z(w->out, "\"/>");
    return SHUNT_OK;
}

shunt_status shunt_object_narrative(shunt_object_writer *w, shunt_text name, shunt_text text)
{
    close_around(w);
    next(w, name);
    if (w->xml) {
        shunt_buffer_z(w->out, "<div xmlns=\"http://www.w3.org/1999/xhtml\">");
        SHUNT_TRY(shunt_xml_text(w->out, text));
        shunt_buffer_z(w->out, "</div>");
        return SHUNT_OK;
    }
    shunt_buffer_z(w->out, "\"<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">");
    /* Of what JSON escapes, a text of XML still has backslashes. */
    while (text.length) {
        const char *slash = memchr(text.bytes, '\\', text.length);
        uint32_t    run = slash ? (uint32_t)(slash - text.bytes) : text.length;
        SHUNT_TRY(shunt_xml_text(w->out, (shunt_text){ text.bytes, run }));
        if (slash) shunt_buffer_z(w->out, "\\\\");
        run += slash != NULL;
        text = (shunt_text){ text.bytes + run, text.length - run };
    }
    shunt_buffer_z(w->out, "</div>\"");
    return SHUNT_OK;
}
