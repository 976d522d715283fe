/* schema.c - look-ups in the tables that dict/gen.c writes. */
#include "standards/schema.h"

#include "standards/dict/image.h"

static const char *const phi_names[SHUNT_PHI_INDEX_COUNT] = {
#define X(symbol, name) name,
    SHUNT_PHI_CLASSES(X)
#undef X
};

const char *shunt_phi_name(shunt_phi_index index) { return phi_names[index]; }

bool shunt_phi_find(shunt_text name, uint32_t *bit)
{
    for (uint32_t i = 0; i < SHUNT_PHI_INDEX_COUNT; i++) {
        if (!shunt_text_is(name, phi_names[i])) continue;
        *bit = 1u << i;
        return true;
    }
    return false;
}

static int compare(shunt_text a, const char *z)
{
    size_t length = strlen(z), common = a.length < length ? a.length : length;
    int    order = common ? memcmp(a.bytes, z, common) : 0;
    return order ? order : (a.length > length) - (a.length < length);
}

/* Index of `wanted` among sorted strings, `count` if it is not there. */
static uint32_t search(const char *const *sorted, uint32_t count, shunt_text wanted)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int      order = compare(wanted, sorted[middle]);
        if (order == 0) return middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return count;
}

bool shunt_codeset_has(const shunt_codeset *set, shunt_text value) { return search(set->values, set->count, value) < set->count; }

const char *shunt_codeset_name(const shunt_codeset *set, shunt_text value)
{
    uint32_t at = search(set->values, set->count, value);
    return at < set->count && set->names ? set->names[at] : "";
}

const shunt_codeset *shunt_codeset_find(shunt_text name)
{
    const shunt_dict_x12 *x12 = shunt_dict_of_x12();
    for (uint32_t i = 0; i < x12->list_count; i++)
        if (shunt_text_is(name, x12->lists[i]->name)) return x12->lists[i];
    const shunt_dict_hl7 *hl7 = shunt_dict_of_hl7();
    for (uint32_t i = 0; i < hl7->list_count; i++)
        if (shunt_text_is(name, hl7->lists[i]->name)) return hl7->lists[i];
    return NULL;
}

const shunt_guide *shunt_guide_at(uint32_t index)
{
    const shunt_dict_x12 *x12 = shunt_dict_of_x12();
    return index < x12->guide_count ? x12->guides[index] : NULL;
}

/* 005010X222A1 without its addenda is 005010X222; A, a letter and a digit, is how X12 numbers them (E: errata). */
static shunt_text family_of(shunt_text version)
{
    enum { FAMILY = 10 };
    if (version.length != FAMILY + 2 || version.bytes[6] != 'X') return version;
    char letter = version.bytes[FAMILY], digit = version.bytes[FAMILY + 1];
    return letter >= 'A' && letter <= 'Z' && digit >= '0' && digit <= '9' ? (shunt_text){ version.bytes, FAMILY } : version;
}

bool shunt_guide_fits(const shunt_guide *guide, shunt_text version)
{
    if (guide->standard == SHUNT_STANDARD_HL7) return shunt_hl7_fits(guide, version);
    return shunt_text_is(version, guide->version) || shunt_text_is(family_of(version), guide->family);
}

const shunt_guide *shunt_guide_find(shunt_standard standard, shunt_text set, shunt_text version)
{
    const shunt_guide *family = NULL;
    if (standard == SHUNT_STANDARD_HL7) return shunt_hl7_find(set, version);
    const shunt_dict_x12 *x12 = shunt_dict_of_x12();
    for (uint32_t i = 0; i < x12->guide_count; i++) {
        const shunt_guide *guide = x12->guides[i];
        if (guide->standard != standard || !shunt_text_is(set, guide->set)) continue;
        if (shunt_text_is(version, guide->version)) return guide;
        if (!family && shunt_guide_fits(guide, version)) family = guide;
    }
    return family;
}

static uint32_t collect_loops(const shunt_loop *loop, shunt_text id, const shunt_loop **loops, uint32_t max, uint32_t found)
{
    if (shunt_text_is(id, loop->id)) {
        if (found < max) loops[found] = loop;
        found++;
    }
    for (uint32_t i = 0; i < loop->body_count; i++)
        if (loop->body[i].loop) found = collect_loops(loop->body[i].loop, id, loops, max, found);
    return found;
}

uint32_t shunt_guide_loops(const shunt_guide *guide, shunt_text id, const shunt_loop **loops, uint32_t max)
{
    return collect_loops(guide->body, id, loops, max, 0);
}

uint32_t shunt_loop_segments(const shunt_loop *loop, shunt_text id, const shunt_segment_node **segments, uint32_t max)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < loop->body_count; i++) {
        const shunt_segment_node *segment = loop->body[i].segment;
        if (!segment || !shunt_text_is(id, segment->id)) continue;
        if (found < max) segments[found] = segment;
        found++;
    }
    return found;
}

bool shunt_segment_takes(const shunt_segment_node *segment, shunt_text qualifier)
{
    return !segment->key || shunt_codeset_has(segment->key, qualifier);
}

const shunt_element *shunt_node_element(const shunt_segment_node *segment, uint32_t position, uint32_t component)
{
    if (position == 0 || position > segment->element_count) return NULL;
    const shunt_element *element = &segment->elements[position - 1];
    if (component == 0) return element;
    return component <= element->component_count ? &element->components[component - 1] : NULL;
}

bool shunt_currency_find(shunt_text code, uint8_t *scale)
{
    const shunt_dict_x12 *x12 = shunt_dict_of_x12();
    uint32_t              low = 0, high = x12->currency_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int      order = compare(code, x12->currencies[middle].code);
        if (order == 0) {
            *scale = x12->currencies[middle].scale;
            return true;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

const shunt_segment_node *shunt_segment_find(shunt_text release, shunt_text id)
{
    bool                      hl7 = release.length > 1 && release.bytes[1] == '.';
    const shunt_dict_release *r = hl7 ? shunt_dict_of_hl7()->releases : shunt_dict_of_x12()->releases;
    for (uint32_t left = hl7 ? shunt_dict_of_hl7()->release_count : shunt_dict_of_x12()->release_count; left; left--, r++) {
        if (!shunt_text_is(release, r->name)) continue;
        uint32_t low = 0, high = r->count;
        while (low < high) {
            uint32_t middle = low + (high - low) / 2;
            int      order = compare(id, r->segments[middle]->id);
            if (order == 0) return r->segments[middle];
            if (order < 0)
                high = middle;
            else
                low = middle + 1;
        }
        return NULL;
    }
    return NULL;
}
