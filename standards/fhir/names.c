#include "standards/fhir/names.h"

#include "standards/fhir/bytes.h"
#include "standards/schema.h"

void shunt_fhir_names_free(shunt_fhir_names *n)
{
    if (!n) return;
    shunt_memory_free(n->memory, n->under);
    shunt_memory_free(n->memory, n->names);
    shunt_memory_free(n->memory, n->lists);
    shunt_memory_free(n->memory, n);
}

static shunt_text plan_text(const shunt_plan *plan, uint16_t text)
{
    return text < plan->text_count ? plan->texts[text] : (shunt_text){ 0 };
}

/* What a loop or node of the plan is to the loop around it. */
enum role { OF_NODE, OF_LOOP, OF_BESIDE, ROLES };

static bool is_ours(const shunt_plan *plan, uint16_t loop)
{
    while (plan->loops[loop].parent != SHUNT_NONE) loop = plan->loops[loop].parent;
    for (uint32_t g = 0; g < plan->guide_count; g++)
        if (plan->guides[g].loop_first == loop) return plan->sources[plan->guides[g].source].standard == SHUNT_STANDARD_FHIR;
    return false;
}

/* The name that a loop or node (`index`) has in a role; empty: none. */
static shunt_text name_in(const shunt_plan *plan, enum role role, uint16_t index)
{
    if (role == OF_NODE) return plan_text(plan, plan->nodes[index].name);
    shunt_text id = plan_text(plan, plan->loops[index].id);
    if (role == OF_LOOP) return shunt_text_is(id, "resolve()") ? (shunt_text){ 0 } : id;
    return id.length > 1 && id.bytes[0] == '_' ? (shunt_text){ id.bytes + 1, id.length - 1 } : (shunt_text){ 0 };
}

static uint16_t around(const shunt_plan *plan, enum role role, uint16_t index)
{
    return role == OF_NODE ? plan->nodes[index].loop : plan->loops[index].parent;
}

static uint32_t total(const shunt_plan *plan, enum role role) { return role == OF_NODE ? plan->node_count : plan->loop_count; }

/* Loops and nodes in chains by the loop around them, so that each is met once. */
struct maker {
    shunt_fhir_names *out;
    uint32_t         *first[2]; /* by loop: first node, first loop of it; index + 1, 0 = none */
    uint32_t         *next[2];  /* by node, by loop */
    bool             *units;    /* by loop: units stand in it */
    uint32_t          name_count, list_count;
};

static void chain(struct maker *m, unsigned which, enum role role)
{
    const shunt_plan *plan = m->out->plan;
    for (uint32_t i = total(plan, role); i > 0; i--) {
        uint16_t loop = around(plan, role, (uint16_t)(i - 1));
        if (loop == SHUNT_NONE) continue;
        m->next[which][i - 1] = m->first[which][loop];
        m->first[which][loop] = i;
    }
}

static void find_units(struct maker *m)
{
    const shunt_plan *plan = m->out->plan;
    for (uint32_t i = 0; i < plan->loop_count; i++) {
        if (plan->loops[i].frame == SHUNT_NONE || !plan->frames[plan->loops[i].frame].unit) continue;
        for (uint16_t at = (uint16_t)i; at != SHUNT_NONE; at = plan->loops[at].parent) m->units[at] = true;
    }
}

/* Everything in `role` under the loop that has the name goes into the list. */
static uint32_t list_of(struct maker *m, uint16_t loop, enum role role, shunt_text text)
{
    uint32_t first = m->list_count;
    unsigned which = role != OF_NODE;
    for (uint32_t i = m->first[which][loop]; i; i = m->next[which][i - 1]) {
        shunt_text other = name_in(m->out->plan, role, (uint16_t)(i - 1));
        if (other.length && shunt_text_equal(other, text)) m->out->lists[m->list_count++] = (uint16_t)(i - 1);
    }
    return m->list_count - first;
}

/* The loop of a list of primitives: its value is required of each item. */
static bool is_of_values(const struct maker *m, uint16_t loop)
{
    const shunt_plan *plan = m->out->plan;
    for (uint32_t i = m->first[0][loop]; i; i = m->next[0][i - 1])
        if (plan->nodes[i - 1].required && shunt_text_is(name_in(plan, OF_NODE, (uint16_t)(i - 1)), "value")) return true;
    return false;
}

/* Values below the loop, through others without a frame, go to the frame around it. A plan is not so deep that this matters. */
static bool is_single(const struct maker *m, uint16_t loop)
{
    const shunt_plan *plan = m->out->plan;
    if (plan->loops[loop].frame != SHUNT_NONE) return false;
    if (m->first[0][loop]) return true;
    for (uint32_t i = m->first[1][loop]; i; i = m->next[1][i - 1])
        if (is_single(m, (uint16_t)(i - 1))) return true;
    return false;
}

static void add_name(struct maker *m, uint16_t loop, shunt_text text)
{
    const shunt_plan *plan = m->out->plan;
    shunt_fhir_under *under = &m->out->under[loop];
    bool              root = plan->loops[loop].parent == SHUNT_NONE;
    bool              whole = root && plan->loops[loop].frame != SHUNT_NONE && plan->frames[plan->loops[loop].frame].unit;
    shunt_fhir_name  *name = &m->out->names[m->name_count++];
    under->name_count++;
    *name = (shunt_fhir_name){ .text = text, .hash = shunt_bytes_hash((const uint8_t *)text.bytes, text.length) };
    name->nodes = m->list_count;
    name->node_count = list_of(m, loop, OF_NODE, text);
    name->loops = m->list_count;
    name->loop_count = list_of(m, loop, OF_LOOP, text);
    name->besides = m->list_count;
    name->beside_count = list_of(m, loop, OF_BESIDE, text);
    for (uint32_t l = 0; l < name->loop_count; l++) name->values |= is_of_values(m, m->out->lists[name->loops + l]);
    for (uint32_t l = 0; l < name->loop_count; l++) name->branch |= m->units[m->out->lists[name->loops + l]];
    name->single = name->loop_count == 1 && !name->values && !name->branch && is_single(m, m->out->lists[name->loops]);
    name->awaited = root && !whole && !name->branch;
    under->awaited = (uint16_t)(under->awaited + name->awaited);
}

static void fill_loop(struct maker *m, uint16_t loop)
{
    shunt_fhir_names *n = m->out;
    shunt_fhir_under *under = &n->under[loop];
    under->names = m->name_count;
    for (enum role role = OF_NODE; role < ROLES; role++) {
        unsigned which = role != OF_NODE;
        for (uint32_t i = m->first[which][loop]; i; i = m->next[which][i - 1]) {
            shunt_text text = name_in(n->plan, role, (uint16_t)(i - 1));
            if (text.length && !shunt_fhir_name_find(n, loop, text)) add_name(m, loop, text);
        }
    }
    under->resolves = m->list_count;
    for (uint32_t i = m->first[1][loop]; i; i = m->next[1][i - 1]) {
        if (!shunt_text_is(plan_text(n->plan, n->plan->loops[i - 1].id), "resolve()")) continue;
        n->lists[m->list_count++] = (uint16_t)(i - 1);
        under->resolve_count++;
        n->references = true;
    }
}

static bool fill(struct maker *m)
{
    shunt_fhir_names *n = m->out;
    const shunt_plan *plan = n->plan;
    size_t            loops = plan->loop_count + (size_t)1, nodes = plan->node_count + (size_t)1;
    /* each node and loop has one name at most, each `_name` gives another; a node stands in one list, a loop in three */
    n->under = shunt_memory_zeroed(n->memory, loops, sizeof *n->under);
    n->names = shunt_memory_zeroed(n->memory, nodes + 2 * loops, sizeof *n->names);
    n->lists = shunt_memory_zeroed(n->memory, nodes + 3 * loops, sizeof *n->lists);
    m->first[0] = shunt_memory_zeroed(n->memory, loops, sizeof(uint32_t));
    m->first[1] = shunt_memory_zeroed(n->memory, loops, sizeof(uint32_t));
    m->next[0] = shunt_memory_zeroed(n->memory, nodes, sizeof(uint32_t));
    m->next[1] = shunt_memory_zeroed(n->memory, loops, sizeof(uint32_t));
    m->units = shunt_memory_zeroed(n->memory, loops, sizeof *m->units);
    if (!n->under || !n->names || !n->lists || !m->first[0] || !m->first[1] || !m->next[0] || !m->next[1] || !m->units)
        return false;
    chain(m, 0, OF_NODE);
    chain(m, 1, OF_LOOP);
    find_units(m);
    for (uint32_t i = 0; i < plan->loop_count; i++)
        if (is_ours(plan, (uint16_t)i)) fill_loop(m, (uint16_t)i);
    return true;
}

shunt_fhir_names *shunt_fhir_names_new(const shunt_memory *memory, const shunt_plan *plan)
{
    shunt_fhir_names *n = shunt_memory_zeroed(memory, 1, sizeof *n);
    if (!n) return NULL;
    n->memory = memory;
    n->plan = plan;
    struct maker m = { .out = n };
    bool         good = fill(&m);
    for (unsigned i = 0; i < 2; i++) shunt_memory_free(memory, m.first[i]), shunt_memory_free(memory, m.next[i]);
    shunt_memory_free(memory, m.units);
    if (good) return n;
    shunt_fhir_names_free(n);
    return NULL;
}

const shunt_fhir_name *shunt_fhir_name_find(const shunt_fhir_names *n, uint16_t loop, shunt_text text)
{
    return shunt_fhir_name_hashed(n, loop, shunt_bytes_hash((const uint8_t *)text.bytes, text.length));
}
