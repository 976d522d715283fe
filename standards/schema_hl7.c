/* schema_hl7.c - look-ups in the dictionary of HL7 v2: messages by event or structure and version. */
#include "standards/dict/image.h"
#include "standards/schema.h"

const shunt_guide *shunt_hl7_guide_at(uint32_t index)
{
    return index < shunt_dict_of_hl7()->guide_count ? &shunt_dict_of_hl7()->guides[index] : NULL;
}

/* The next number of a version, 0 at its end. */
static unsigned next_number(shunt_text *rest)
{
    unsigned number = 0;
    uint32_t i = 0;
    if (!rest->length) return 0;
    for (; i < rest->length && rest->bytes[i] != '.'; i++)
        if (rest->bytes[i] >= '0' && rest->bytes[i] <= '9' && number < 100000)
            number = 10 * number + (unsigned)(rest->bytes[i] - '0');
    if (i < rest->length) i++;
    *rest = (shunt_text){ rest->bytes + i, rest->length - i };
    return number;
}

int shunt_hl7_version_compare(shunt_text a, shunt_text b)
{
    while (a.length || b.length) {
        unsigned x = next_number(&a), y = next_number(&b);
        if (x != y) return x < y ? -1 : 1;
    }
    return 0;
}

static int compare(shunt_text a, shunt_text b)
{
    uint32_t common = a.length < b.length ? a.length : b.length;
    int      order = common ? memcmp(a.bytes, b.bytes, common) : 0;
    return order ? order : (a.length > b.length) - (a.length < b.length);
}

/* The first guide whose set is not before this one. */
static uint32_t lower_bound(shunt_text set)
{
    uint32_t low = 0, high = shunt_dict_of_hl7()->guide_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare(shunt_text_of(shunt_dict_of_hl7()->guides[middle].set), set) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Guides of the set, from the oldest version to the newest; gives their number. */
static uint32_t versions_of(shunt_text set, const shunt_guide **first)
{
    uint32_t low = lower_bound(set), high = low;
    *first = &shunt_dict_of_hl7()->guides[low];
    while (high < shunt_dict_of_hl7()->guide_count && shunt_text_is(set, shunt_dict_of_hl7()->guides[high].set)) high++;
    return high - low;
}

bool shunt_hl7_type_known(shunt_text type)
{
    enum { LONGEST = 8 };
    const shunt_guide *first;
    char               set[LONGEST + 1];
    if (!type.length || type.length > LONGEST) return false;
    if (versions_of(type, &first)) return true;
    memcpy(set, type.bytes, type.length);
    for (const char *next = "^_"; *next; next++) {
        set[type.length] = *next;
        shunt_text prefix = { set, type.length + 1 };
        uint32_t   at = lower_bound(prefix);
        if (at < shunt_dict_of_hl7()->guide_count &&
            shunt_text_starts(shunt_text_of(shunt_dict_of_hl7()->guides[at].set), prefix))
            return true;
    }
    return false;
}

/* The components of a message type: "ADT^A04^ADT_A01" is ADT^A04, else ADT_A01. An acknowledgement is one whatever its event. */
static uint32_t find_set(shunt_text set, const shunt_guide **first)
{
    uint32_t ends[3] = { set.length, set.length, set.length }, parts = 0;
    for (uint32_t i = 0; i < set.length && parts < 2; i++)
        if (set.bytes[i] == '^') ends[parts++] = i;
    shunt_text type = { set.bytes, ends[0] };
    uint32_t   count = versions_of((shunt_text){ set.bytes, ends[1] }, first);
    if (!count && parts == 2) {
        shunt_text structure = { set.bytes + ends[1] + 1, set.length - ends[1] - 1 };
        for (uint32_t i = 0; i < structure.length; i++)
            if (structure.bytes[i] == '^') structure.length = i;
        count = versions_of(structure, first);
    }
    if (!count && shunt_text_is(type, "ACK")) count = versions_of(type, first);
    return count;
}

static shunt_text family_of(shunt_text version)
{
    unsigned points = 0;
    for (uint32_t i = 0; i < version.length; i++)
        if (version.bytes[i] == '.' && ++points == 2) return (shunt_text){ version.bytes, i };
    return version;
}

bool shunt_hl7_fits(const shunt_guide *guide, shunt_text version) { return shunt_text_is(family_of(version), guide->family); }

/* The newest that is not above the version; the oldest if all are. */
static const shunt_guide *nearest(const shunt_guide *first, uint32_t count, shunt_text version)
{
    uint32_t at = version.length ? 0 : count - 1;
    while (version.length && at + 1 < count && shunt_hl7_version_compare(shunt_text_of(first[at + 1].version), version) <= 0)
        at++;
    return &first[at];
}

const shunt_guide *shunt_hl7_guide_nearest(shunt_text set, shunt_text version, bool *exact)
{
    const shunt_guide *first;
    uint32_t           count = find_set(set, &first);
    *exact = false;
    if (!count) return NULL;
    const shunt_guide *guide = nearest(first, count, version);
    *exact = shunt_text_is(version, guide->version);
    return guide;
}

const shunt_guide *shunt_hl7_find(shunt_text set, shunt_text version)
{
    bool               exact;
    const shunt_guide *guide = shunt_hl7_guide_nearest(set, version, &exact), *first;
    if (!guide || exact) return guide;
    if (shunt_hl7_fits(guide, version)) return guide;
    uint32_t count = find_set(set, &first);
    for (uint32_t i = 0; i < count; i++)
        if (shunt_hl7_fits(&first[i], version)) return &first[i];
    return NULL;
}

/* The currency beside an amount: a component of money. */
static bool is_money(const shunt_element *element) { return element->data_type && strcmp(element->data_type, "MO") == 0; }

bool shunt_element_money(const shunt_element *element, shunt_part *amount, shunt_part *currency)
{
    *amount = *currency = (shunt_part){ 0, 0 };
    if (element->type != SHUNT_VALUE_AMOUNT) return false;
    if (element->component_count == 0) return true;
    amount->component = 1;
    if (is_money(element) && element->component_count > 1) {
        currency->component = 2;
    } else if (element->components[0].component_count > 1) {
        *currency = (shunt_part){ 1, 2 };
        amount->subcomponent = 1;
    }
    return true;
}
