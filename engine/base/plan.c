#include "engine/base/plan.h"

#include "engine/base/decimal.h"
#include "engine/base/walk.h"

/* Everything here is linear in the size of the plan. A check that fails answers with its own words. */
#define CHECK(condition, words)                                                                                                  \
    do {                                                                                                                         \
        if (!(condition)) return (words);                                                                                        \
    } while (0)

static bool within(uint32_t first, uint32_t count, uint32_t total) { return first <= total && count <= total - first; }

static bool text_ok(const shunt_plan *p, uint16_t text, bool required)
{
    return text < p->text_count || (!required && text == SHUNT_NONE);
}

static const char *check_arrays(const shunt_plan *p)
{
    CHECK(p->sources || !p->source_count, "sources are missing");
    CHECK(p->guides || !p->guide_count, "guides are missing");
    CHECK(p->loops || !p->loop_count, "loops are missing");
    CHECK(p->nodes || !p->node_count, "nodes are missing");
    CHECK(p->keys || !p->key_count, "keys are missing");
    CHECK(p->ids || !p->id_count, "ids are missing");
    CHECK(p->dispatch || !p->dispatch_count, "dispatch is missing");
    CHECK(p->choices || !p->choice_count, "choices are missing");
    CHECK(p->frames || !p->frame_count, "frames are missing");
    CHECK(p->children || !p->child_count, "children are missing");
    CHECK(p->slots || !p->slot_count, "slots are missing");
    CHECK(p->demands || !p->demand_count, "demands are missing");
    CHECK(p->texts || !p->text_count, "texts are missing");
    CHECK(p->guide_count <= SHUNT_PLAN_GUIDES && p->loop_count < SHUNT_NONE && p->node_count < SHUNT_NONE &&
              p->frame_count < SHUNT_NONE,
          "too many guides, loops, nodes or frames");
    for (uint32_t i = 0; i < p->text_count; i++) CHECK(p->texts[i].bytes || !p->texts[i].length, "a text is missing");
    return NULL;
}

static const char *check_frames(const shunt_plan *p)
{
    for (uint32_t i = 0; i < p->frame_count; i++) {
        const shunt_plan_frame *f = &p->frames[i];
        CHECK(f->kind <= SHUNT_FRAME_GROUP, "kind of a frame");
        CHECK(f->unit <= 1, "unit of a frame");
        CHECK(text_ok(p, f->id, false), "text of a frame");
        CHECK(within(f->slot_first, f->slot_count, p->slot_count), "slots of a frame");
        CHECK(within(f->child_first, f->child_count, p->child_count), "children of a frame");
        CHECK(f->child_count <= SHUNT_PLAN_CHILDREN, "too many children of a frame");
        for (uint32_t s = 0; s < f->slot_count; s++) CHECK(p->slots[f->slot_first + s].frame == i, "slot of another frame");
        for (uint32_t c = 0; c < f->child_count; c++) {
            uint16_t child = p->children[f->child_first + c];
            CHECK(child < p->frame_count && p->frames[child].kind != SHUNT_FRAME_SET, "child of a frame");
        }
    }
    for (uint32_t i = 0; i < p->slot_count; i++) {
        const shunt_plan_slot *s = &p->slots[i];
        CHECK(s->frame < p->frame_count, "frame of a slot");
        CHECK(i >= p->frames[s->frame].slot_first && i - p->frames[s->frame].slot_first < p->frames[s->frame].slot_count,
              "slot outside its frame");
        CHECK(s->convert < SHUNT_CONVERT_COUNT, "conversion of a slot");
        CHECK(s->scale <= SHUNT_DECIMAL_DIGITS && s->implied <= SHUNT_DECIMAL_DIGITS, "scale of a slot");
        CHECK(s->required <= 1 && s->masked <= 1, "flags of a slot");
        CHECK(text_ok(p, s->path, false) && text_ok(p, s->mask, false) && text_ok(p, s->format, false), "text of a slot");
        CHECK(s->currency == SHUNT_NONE || s->currency < p->frames[s->frame].slot_count, "currency of a slot");
    }
    return NULL;
}

static const char *check_loops(const shunt_plan *p)
{
    for (uint32_t i = 0; i < p->loop_count; i++) {
        const shunt_plan_loop *l = &p->loops[i];
        CHECK(text_ok(p, l->id, false) && text_ok(p, l->name, false) && text_ok(p, l->type, false), "text of a loop");
        CHECK(l->depth < SHUNT_WALK_DEPTH, "a loop is nested too deeply");
        CHECK((l->parent == SHUNT_NONE) == (l->depth == 0), "depth of a loop");
        CHECK(l->parent == SHUNT_NONE || (l->parent < p->loop_count && p->loops[l->parent].depth + 1 == l->depth),
              "parent of a loop");
        CHECK(l->frame == SHUNT_NONE ||
                  (l->frame < p->frame_count && p->frames[l->frame].kind == (l->depth ? SHUNT_FRAME_LOOP : SHUNT_FRAME_SET)),
              "frame of a loop");
        CHECK(l->trigger == SHUNT_NONE ||
                  (l->trigger < p->node_count && p->nodes[l->trigger].trigger && p->nodes[l->trigger].loop == i),
              "trigger of a loop");
    }
    return NULL;
}

static const char *check_nodes(const shunt_plan *p)
{
    for (uint32_t i = 0; i < p->node_count; i++) {
        const shunt_plan_node *n = &p->nodes[i];
        CHECK(n->id != 0, "id of a node");
        CHECK(n->loop < p->loop_count, "loop of a node");
        CHECK(n->trigger <= p->loops[n->loop].depth, "the body of a set has a trigger");
        CHECK(n->trigger || n->start == 0, "start of a node");
        CHECK(n->back <= i && n[-n->back].back == 0 && n[-n->back].loop == n->loop && n[-n->back].id == n->id, "twin of a node");
        CHECK(within(n->key_first, n->key_count, p->key_count), "keys of a node");
        CHECK(n->key_count == 0 || n->key_element > 0, "key element of a node");
        CHECK(n->key_count <= SHUNT_PLAN_KEYS && n->demand_count <= SHUNT_PLAN_DEMANDS, "too many keys or demands of a node");
        CHECK(within(n->demand_first, n->demand_count, p->demand_count), "demands of a node");
        CHECK(text_ok(p, n->name, false), "text of a node");
        CHECK(n->of == SHUNT_NONE ? n->field == 0
                                  : n->of < p->node_count && n->trigger && p->nodes[n->of].of == SHUNT_NONE &&
                                        p->nodes[n->of].loop == p->loops[n->loop].parent,
              "repetitions of a node");
        uint16_t frame = n->frame;
        CHECK(frame == SHUNT_NONE || (frame < p->frame_count && p->frames[frame].kind == SHUNT_FRAME_GROUP), "frame of a node");
        for (uint16_t loop = n->loop; frame == SHUNT_NONE && loop != SHUNT_NONE; loop = p->loops[loop].parent)
            frame = p->loops[loop].frame; /* a loop without frame leads inwards only (FHIR) */
        CHECK(frame != SHUNT_NONE || n->demand_count == 0, "demands without a frame");
        for (uint32_t d = 0; d < n->demand_count; d++) {
            const shunt_plan_demand *demand = &p->demands[n->demand_first + d];
            CHECK(demand->slot < p->frames[frame].slot_count, "slot of a demand");
            CHECK(demand->relative <= 1 && (demand->relative || demand->element > 0 || n->name != SHUNT_NONE),
                  "element of a demand");
            CHECK(!demand->relative || n->frame != SHUNT_NONE, "relative demand without groups");
        }
    }
    return NULL;
}

static bool encloses(const shunt_plan *p, uint16_t outer, uint16_t loop)
{
    while (loop != SHUNT_NONE && loop != outer) loop = p->loops[loop].parent;
    return loop == outer;
}

/* The choices of one open loop and one id. */
static const char *check_cell(const shunt_plan *p, const shunt_plan_guide *g, uint16_t loop, uint64_t id, uint32_t first,
                              uint32_t end)
{
    CHECK(end - first <= SHUNT_PLAN_CHOICES, "too many choices of a segment");
    for (uint32_t c = first; c < end; c++) {
        const shunt_plan_choice *choice = &p->choices[c];
        CHECK(choice->node < p->node_count && choice->orphan <= 1, "node of a choice");
        const shunt_plan_node *n = &p->nodes[choice->node];
        CHECK(n->id == id, "choice of another segment");
        CHECK(n->loop >= g->loop_first && n->loop - g->loop_first < g->loop_count, "choice of another guide");
        uint16_t body = n->loop;
        for (unsigned started = n->trigger; started > 0; started--) body = p->loops[body].parent;
        CHECK(choice->orphan || encloses(p, body, loop), "choice in a loop that is not open");
    }
    return NULL;
}

static const char *check_guide(const shunt_plan *p, const shunt_plan_guide *g)
{
    CHECK(g->source < p->source_count, "source of a guide");
    CHECK(text_ok(p, g->set, true) && text_ok(p, g->version, true) && text_ok(p, g->family, true) &&
              text_ok(p, g->functional_id, true),
          "text of a guide");
    CHECK(g->loop_count > 0 && within(g->loop_first, g->loop_count, p->loop_count), "loops of a guide");
    CHECK(p->loops[g->loop_first].parent == SHUNT_NONE, "a guide does not begin with the body of its set");
    for (uint32_t i = 1; i < g->loop_count; i++) {
        uint16_t parent = p->loops[g->loop_first + i].parent;
        CHECK(parent != SHUNT_NONE && parent >= g->loop_first && parent - g->loop_first < g->loop_count, "loop outside the set");
    }
    CHECK(within(g->id_first, g->id_count, p->id_count), "ids of a guide");
    for (uint32_t i = 0; i < g->id_count; i++)
        CHECK(p->ids[g->id_first + i] != 0 && (i == 0 || p->ids[g->id_first + i - 1] < p->ids[g->id_first + i]), "order of ids");
    uint32_t cells = (uint32_t)g->loop_count * g->id_count; /* both below 2^16 */
    CHECK(cells < UINT32_MAX && within(g->dispatch_first, cells + 1, p->dispatch_count), "dispatch of a guide");
    const uint32_t *dispatch = p->dispatch + g->dispatch_first;
    CHECK(dispatch[cells] <= p->choice_count, "choices of a guide");
    for (uint32_t cell = 0; cell < cells; cell++) {
        CHECK(dispatch[cell] <= dispatch[cell + 1], "order of dispatch");
        const char *why = check_cell(p, g, (uint16_t)(g->loop_first + cell / g->id_count),
                                     p->ids[g->id_first + cell % g->id_count], dispatch[cell], dispatch[cell + 1]);
        if (why) return why;
    }
    return NULL;
}

bool shunt_plan_valid(const shunt_plan *plan, const char **why)
{
    const char *fault = check_arrays(plan);
    if (!fault) fault = check_frames(plan);
    if (!fault) fault = check_loops(plan);
    if (!fault) fault = check_nodes(plan);
    for (uint32_t i = 0; !fault && i < plan->guide_count; i++) fault = check_guide(plan, &plan->guides[i]);
    if (why) *why = fault;
    return fault == NULL;
}
