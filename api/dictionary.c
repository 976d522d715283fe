/* dictionary.c - what the dictionaries know, as text. */
#include <stdio.h>

#include "api/definitions.h"
#include "api/dict.h"
#include "api/dictionary_fhir.h"
#include "api/path.h"

static const char *const usage_names[] = { "required", "situational", "not used" };
static const char *const type_names[] = { "text",          "code", "amount", "decimal",   "implied", "int", "date",
                                          "date or range", "time", "binary", "composite", "moment",  "bool" };

void dict_repeats(shunt_buffer *out, unsigned max)
{
    if (max == 0)
        shunt_buffer_z(out, "any number");
    else if (max > 1)
        shunt_buffer_format(out, "up to %u", max);
    else
        shunt_buffer_z(out, "once");
}

enum { QUALIFIERS_SHOWN = 6, CODES_SHOWN = 12, ALL_SHOWN = UINT16_MAX };

/* The values that tell a node from others of its id: ["82"], ["82" or "QC"]. */
static void qualifier(shunt_buffer *out, const shunt_segment_node *node, uint32_t shown)
{
    if (!node->key) return;
    shunt_buffer_char(out, '[');
    for (uint32_t i = 0; i < node->key->count && i < shown; i++)
        shunt_buffer_format(out, "%s\"%s\"", i ? " or " : "", node->key->values[i]);
    shunt_buffer_z(out, node->key->count > shown ? " ...]" : "]");
}

void dict_pad(shunt_buffer *out, size_t from, size_t width)
{
    while (out->length < from + width && !out->failed) shunt_buffer_char(out, ' ');
}

static void guide_line(shunt_buffer *out, const shunt_guide *guide)
{
    shunt_buffer_format(out, "%s %s  %s\n", guide->set, guide->version, guide->name);
}

static void segment_line(shunt_buffer *out, const shunt_segment_node *node, unsigned depth)
{
    size_t from = out->length;
    shunt_buffer_format(out, "%*s%s", (int)depth * 2, "", node->id);
    qualifier(out, node, QUALIFIERS_SHOWN);
    dict_pad(out, from, 30);
    shunt_buffer_format(out, " %-12s ", usage_names[node->usage]);
    dict_repeats(out, node->max);
    dict_pad(out, from, 56);
    shunt_buffer_format(out, " %s\n", node->name);
}

void dict_loop_tree(shunt_buffer *out, const shunt_loop *loop, unsigned depth)
{
    if (loop->id[0]) {
        size_t from = out->length;
        shunt_buffer_format(out, "%*sloop %s", (int)(depth - 1) * 2, "", loop->id);
        dict_pad(out, from, 30);
        shunt_buffer_format(out, " %-12s ", usage_names[loop->usage]);
        dict_repeats(out, loop->max);
        dict_pad(out, from, 56);
        shunt_buffer_format(out, " %s\n", loop->name);
    }
    for (uint16_t i = 0; i < loop->body_count; i++) {
        if (loop->body[i].segment)
            segment_line(out, loop->body[i].segment, depth);
        else
            dict_loop_tree(out, loop->body[i].loop, depth + 1);
    }
}

void dict_phi(shunt_buffer *out, uint32_t classes)
{
    const char *before = "  phi ";
    for (int i = 0; i < SHUNT_PHI_INDEX_COUNT; i++) {
        if (!(classes & 1u << i)) continue;
        shunt_buffer_format(out, "%s%s", before, shunt_phi_name((shunt_phi_index)i));
        before = ", ";
    }
}

void dict_codes(shunt_buffer *out, const shunt_codeset *set, uint32_t shown)
{
    if (!set) return;
    if (set->name[0] && !set->complete) {
        shunt_buffer_format(out, "  codes %s", set->name);
        return;
    }
    shunt_buffer_z(out, "  one of");
    for (uint32_t i = 0; i < set->count && i < shown; i++) shunt_buffer_format(out, " %s", set->values[i]);
    if (set->count > shown) shunt_buffer_format(out, " ... (%u)", set->count);
}

static void element_line(shunt_buffer *out, const char *segment, const shunt_element *element, unsigned component,
                         uint32_t codes_shown)
{
    size_t from = out->length;
    shunt_buffer_format(out, component ? "    %s%02u-%u" : "  %s%02u", segment, component ? component >> 8 : element->position,
                        component & 255);
    dict_pad(out, from, 14);
    shunt_buffer_format(out, " %-12s %-10s", usage_names[element->usage], type_names[element->type]);
    if (element->max_length) shunt_buffer_format(out, " %u-%u", element->min_length, element->max_length);
    dict_pad(out, from, 46);
    shunt_buffer_format(out, " %s", element->name);
    if (element->repeats != 1) {
        shunt_buffer_z(out, ", repeats ");
        dict_repeats(out, element->repeats == 255 ? 0 : element->repeats);
    }
    dict_codes(out, element->codes, codes_shown);
    dict_phi(out, element->phi);
    shunt_buffer_char(out, '\n');
}

/* Elements of a node, those not used last in one line; of a path that names one, that one with its components. */
static void elements(shunt_buffer *out, const shunt_segment_node *node, const shunt_path *path)
{
    const char *unused = "  not used:";
    uint32_t    shown = path->element ? ALL_SHOWN : CODES_SHOWN;
    for (uint16_t e = 0; e < node->element_count; e++) {
        const shunt_element *element = &node->elements[e];
        if (element->usage == SHUNT_NOT_USED || (path->element && path->element != element->position)) continue;
        element_line(out, node->id, element, 0, shown);
        for (uint16_t c = 0; c < element->component_count; c++) {
            const shunt_element *component = &element->components[c];
            if (component->usage != SHUNT_NOT_USED && (!path->component || path->component == component->position))
                element_line(out, node->id, component, (unsigned)element->position << 8 | component->position, shown);
        }
    }
    for (uint16_t e = 0; e < node->element_count; e++) {
        if (node->elements[e].usage != SHUNT_NOT_USED || (path->element && path->element != node->elements[e].position)) continue;
        shunt_buffer_format(out, "%s %s%02u", unused, node->id, node->elements[e].position);
        unused = "";
    }
    if (!unused[0]) shunt_buffer_char(out, '\n');
}

static bool element_known(const shunt_segment_node *node, const shunt_path *path)
{
    if (!path->element) return true;
    for (uint16_t e = 0; e < node->element_count; e++)
        if (node->elements[e].position == path->element)
            return !path->component || shunt_node_element(node, path->element, path->component) != NULL;
    return false;
}

/* Every segment node of the path in the loop and below, with its elements. */
static bool segments(shunt_buffer *out, const shunt_loop *loop, const shunt_path *wanted, const char *path)
{
    bool found = false;
    char here[64];
    snprintf(here, sizeof here, "%s%s%s", path, path[0] && loop->id[0] ? " > " : "", loop->id);
    for (uint16_t i = 0; i < loop->body_count; i++) {
        const shunt_segment_node *node = loop->body[i].segment;
        if (!node) {
            found = segments(out, loop->body[i].loop, wanted, here) || found;
            continue;
        }
        if (!shunt_text_is(wanted->segment, node->id) || (wanted->loop.length && !shunt_text_is(wanted->loop, loop->id)))
            continue;
        if (wanted->qualifier.length && !shunt_segment_takes(node, wanted->qualifier)) continue;
        if (!element_known(node, wanted)) continue;
        found = true;
        shunt_buffer_format(out, "%s", node->id);
        qualifier(out, node, ALL_SHOWN);
        shunt_buffer_format(out, "  %s, %s, ", node->name, usage_names[node->usage]);
        dict_repeats(out, node->max);
        shunt_buffer_format(out, ", %s%s\n", here[0] ? "in loop " : "in the set itself", here);
        elements(out, node, wanted);
    }
    return found;
}

shunt_result shunt_dictionary_with(const shunt_definitions *definitions, const char *set, const char *version, const char *part,
                                   shunt_write write, void *context)
{
    shunt_buffer out;
    bool         found = false;
    shunt_path   path;
    bool         is_path = part && !shunt_path_parse(part, &path);
    shunt_buffer_init(&out, &shunt_memory_libc);
    const shunt_guide *guide;
    if (set && dict_hl7(&out, set, version, part)) found = true;
    for (uint32_t g = 0; (guide = shunt_definition_guide_at(shunt_definitions_set(definitions), g)) != NULL; g++) {
        if (set && strcmp(guide->set, set) != 0) continue;
        if (version && strcmp(guide->version, version) != 0 && !shunt_guide_fits(guide, shunt_text_of(version))) continue;
        size_t start = out.length;
        guide_line(&out, guide);
        bool here = true;
        if (set && !part) {
            dict_loop_tree(&out, guide->body, 1);
        } else if (part) {
            const shunt_loop *loops[16];
            uint32_t          count = shunt_guide_loops(guide, shunt_text_of(part), loops, SHUNT_COUNT(loops));
            for (uint32_t i = 0; i < count && i < SHUNT_COUNT(loops); i++) dict_loop_tree(&out, loops[i], 1);
            here = is_path && segments(&out, guide->body, &path, ""); /* in base sets loops are called by their segments */
            here = here || count > 0;
        }
        if (!here) out.length = start;
        found = found || here;
    }
    if (!set && !version) shunt_buffer_z(&out, "HL7 2.1 to 2.9  messages; `shunt dict HL7` lists them\n");
    found = shunt_dictionary_fhir(&out, set, version, part) || found;
    shunt_result result = !found                                                 ? SHUNT_RULES_FAULT
                          : out.failed || !write(context, out.bytes, out.length) ? SHUNT_SYSTEM_FAULT
                                                                                 : SHUNT_DONE;
    shunt_buffer_done(&out);
    return result;
}

shunt_result shunt_dictionary(const char *set, const char *version, const char *part, shunt_write write, void *context)
{
    return shunt_dictionary_with(NULL, set, version, part, write, context);
}
