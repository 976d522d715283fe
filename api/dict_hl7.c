/* dict_hl7.c - what the dictionary knows of HL7 v2: messages, groups, segments, fields, parts. */
#include <stdio.h>

#include "api/dict.h"
#include "api/hl7_path.h"

enum { CODES_SHOWN = 12, ALL_SHOWN = UINT16_MAX, GROUPS = 16 };

static const char newest[] = "2.9";

/* ---- parts ---- */

static void element_line(shunt_buffer *out, const char *label, const shunt_element *element, unsigned depth, uint32_t codes)
{
    static const char *const usage[] = { "required", "optional", "not used" };
    size_t                   from = out->length;
    shunt_buffer_format(out, "%*s%s", (int)depth * 2, "", label);
    dict_pad(out, from, 18);
    shunt_buffer_format(out, " %-9s %-4s", usage[element->usage], element->data_type ? element->data_type : "");
    if (element->max_length) shunt_buffer_format(out, " %u", element->max_length);
    dict_pad(out, from, 42);
    shunt_buffer_format(out, " %s", element->name);
    if (element->repeats != 1) {
        shunt_buffer_z(out, ", repeats ");
        dict_repeats(out, element->repeats == 255 ? 0 : element->repeats);
    }
    dict_codes(out, element->codes, codes);
    dict_phi(out, element->phi);
    shunt_buffer_char(out, '\n');
}

/* An element and what it is made of, as far down as the path says. */
static void element_tree(shunt_buffer *out, const char *label, const shunt_element *element, unsigned depth, unsigned most,
                         uint32_t codes)
{
    element_line(out, label, element, depth, codes);
    for (uint16_t c = 0; c < element->component_count && depth < most; c++) {
        char name[64];
        snprintf(name, sizeof name, "%.40s.%u", label, element->components[c].position);
        element_tree(out, name, &element->components[c], depth + 1, most, codes);
    }
}

static bool put_segment(shunt_buffer *out, const shunt_segment_node *node, const char *where, const shunt_hl7_path *path)
{
    const shunt_element *field = path->field ? shunt_node_element(node, path->field, 0) : NULL, *part = field;
    char                 label[48];
    if (path->field && !field) return false;
    if (field && path->component)
        part = path->component <= field->component_count ? &field->components[path->component - 1] : NULL;
    if (part && path->subcomponent)
        part = path->subcomponent <= part->component_count ? &part->components[path->subcomponent - 1] : NULL;
    if (path->field && !part) return false;
    shunt_buffer_format(out, "%s  %s%s%s\n", node->id, node->name, where[0] ? ", in group " : "", where);
    if (part) {
        int length = snprintf(label, sizeof label, "%s-%u", node->id, path->field);
        if (path->component) length += snprintf(label + length, sizeof label - (size_t)length, ".%u", path->component);
        if (path->subcomponent) snprintf(label + length, sizeof label - (size_t)length, ".%u", path->subcomponent);
        element_tree(out, label, part, 1, 3, ALL_SHOWN);
        return true;
    }
    for (uint16_t e = 0; e < node->element_count; e++) {
        if (node->elements[e].usage == SHUNT_NOT_USED) continue;
        snprintf(label, sizeof label, "%s-%u", node->id, node->elements[e].position);
        element_tree(out, label, &node->elements[e], 1, 1, CODES_SHOWN);
    }
    return true;
}

/* Every place of the segment in the message. */
static bool put_places(shunt_buffer *out, const shunt_loop *loop, const shunt_hl7_path *path)
{
    bool found = false;
    for (uint16_t i = 0; i < loop->body_count; i++) {
        const shunt_segment_node *node = loop->body[i].segment;
        if (!node)
            found = put_places(out, loop->body[i].loop, path) || found;
        else if (strcmp(node->id, path->segment) == 0)
            found = put_segment(out, node, loop->id, path) || found;
    }
    return found;
}

/* ---- messages ---- */

static void message_line(shunt_buffer *out, const shunt_guide *guide, const char *oldest)
{
    size_t from = out->length;
    shunt_buffer_format(out, "%s", guide->set);
    dict_pad(out, from, 18);
    shunt_buffer_format(out, " %s%s%s", oldest, strcmp(oldest, guide->version) ? " to " : "",
                        strcmp(oldest, guide->version) ? guide->version : "");
    dict_pad(out, from, 34);
    shunt_buffer_format(out, " %s\n", guide->name);
}

/* A line for each message, with the versions that have it; of one version where it is named. */
static bool list_messages(shunt_buffer *out, const char *version)
{
    const shunt_guide *guide, *next;
    const char        *oldest = NULL;
    bool               found = false;
    for (uint32_t i = 0; (guide = shunt_hl7_guide_at(i)) != NULL; i++) {
        if (version) {
            if (strcmp(guide->version, version) == 0) message_line(out, guide, guide->version), found = true;
            continue;
        }
        if (!oldest) oldest = guide->version;
        next = shunt_hl7_guide_at(i + 1);
        if (next && strcmp(next->set, guide->set) == 0) continue;
        message_line(out, guide, oldest);
        oldest = NULL;
        found = true;
    }
    return found;
}

static bool known_version(const char *version) { return shunt_segment_find(shunt_text_of(version), SHUNT_TEXT("MSH")) != NULL; }

bool dict_hl7(shunt_buffer *out, const char *set, const char *version, const char *part)
{
    shunt_hl7_path path;
    bool           is_path = part && !shunt_hl7_path_parse(part, &path) && !path.filtered && !path.name;
    if (version && !known_version(version)) return false;
    if (strcmp(set, "HL7") == 0) {
        if (!part) return list_messages(out, version);
        const char               *release = version ? version : newest;
        const shunt_segment_node *node = is_path ? shunt_segment_find(shunt_text_of(release), shunt_text_of(path.segment)) : NULL;
        size_t                    from = out->length;
        shunt_buffer_format(out, "HL7 %s\n", release);
        if (node && put_segment(out, node, "", &path)) return true;
        out->length = from;
        return false;
    }
    bool               exact;
    const shunt_guide *guide = version ? shunt_guide_find(SHUNT_STANDARD_HL7, shunt_text_of(set), shunt_text_of(version))
                                       : shunt_hl7_guide_nearest(shunt_text_of(set), (shunt_text){ 0 }, &exact);
    if (!guide || !guide->body) return false;
    size_t from = out->length;
    shunt_buffer_format(out, "%s %s  %s\n", guide->set, guide->version, guide->name);
    if (!part) {
        dict_loop_tree(out, guide->body, 1);
        return true;
    }
    const shunt_loop *loops[GROUPS];
    uint32_t          count = shunt_guide_loops(guide, shunt_text_of(part), loops, SHUNT_COUNT(loops));
    for (uint32_t i = 0; i < count && i < SHUNT_COUNT(loops); i++) dict_loop_tree(out, loops[i], 1);
    if (count || (is_path && put_places(out, guide->body, &path))) return true;
    out->length = from;
    return false;
}
