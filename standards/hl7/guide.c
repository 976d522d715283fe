#include "standards/hl7/guide.h"

#include "standards/schema.h"

enum { SET = 64 };

/* Structure of the event in the version, by the dictionary; empty where it does not know the event. */
static shunt_text structure_of(shunt_text set, shunt_text version)
{
    bool               exact;
    const shunt_guide *guide = shunt_hl7_guide_nearest(set, version, &exact);
    return guide ? shunt_text_of(guide->functional_id) : (shunt_text){ 0 };
}

/* Is guide b a better reading of the version than a? */
static bool nearer(const shunt_plan *plan, shunt_text version, uint16_t a, uint16_t b)
{
    shunt_text x = plan->texts[plan->guides[a].version], y = plan->texts[plan->guides[b].version];
    int        order = shunt_hl7_version_compare(x, y);
    if (!version.length) return order < 0;
    bool x_above = shunt_hl7_version_compare(x, version) > 0, y_above = shunt_hl7_version_compare(y, version) > 0;
    if (x_above != y_above) return x_above;
    return x_above ? order > 0 : order < 0;
}

/* The best of those whose set is this one. */
static uint16_t best_of(const shunt_plan *plan, shunt_text set, shunt_text version)
{
    uint16_t best = SHUNT_NONE;
    for (uint32_t i = 0; set.length && i < plan->guide_count; i++) {
        const shunt_plan_guide *g = &plan->guides[i];
        if (plan->sources[g->source].standard != SHUNT_STANDARD_HL7 || !shunt_text_equal(plan->texts[g->set], set)) continue;
        if (best == SHUNT_NONE || nearer(plan, version, best, (uint16_t)i)) best = (uint16_t)i;
    }
    return best;
}

uint16_t shunt_hl7_guide(const shunt_plan *plan, shunt_text type, shunt_text event, shunt_text structure, shunt_text version,
                         bool *exact)
{
    char       bytes[SET];
    shunt_text set = type;
    uint16_t   guide;
    if (event.length && type.length + event.length + 1 <= SET) {
        memcpy(bytes, type.bytes, type.length);
        bytes[type.length] = '^';
        memcpy(bytes + type.length + 1, event.bytes, event.length);
        set = (shunt_text){ bytes, type.length + event.length + 1 };
    }
    guide = best_of(plan, set, version);
    if (guide == SHUNT_NONE) guide = best_of(plan, structure, version);
    if (guide == SHUNT_NONE) guide = best_of(plan, structure_of(set, version), version);
    *exact = guide != SHUNT_NONE && shunt_text_equal(plan->texts[plan->guides[guide].version], version);
    return guide;
}

bool shunt_hl7_all_strict(const shunt_plan *plan)
{
    uint32_t sources = 0, strict = 0;
    for (uint32_t i = 0; i < plan->source_count; i++) {
        if (plan->sources[i].standard != SHUNT_STANDARD_HL7) continue;
        sources++;
        strict += plan->sources[i].strict;
    }
    return sources && sources == strict;
}
