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
    CHECK(p->layouts || !p->layout_count, "layouts are missing");
    CHECK(p->rows || !p->row_count, "rows are missing");
    CHECK(p->columns || !p->column_count, "columns are missing");
    CHECK(p->row_keys || !p->row_key_count, "keys of rows are missing");
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
    CHECK((p->sources[g->source].snips & ~0x3e) == 0, "SNIP types of a source");
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

static bool in_guide(const shunt_plan_guide *g, uint16_t loop)
{
    return loop > g->loop_first && loop - g->loop_first < g->loop_count;
}

/* A column stands within the record, or its cell is numbered; what it demands goes to the frame of its row's loop. */
static const char *check_column(const shunt_plan *p, const shunt_plan_layout *l, const shunt_plan_row *r,
                                const shunt_plan_column *c)
{
    CHECK(text_ok(p, c->heading, true), "text of a column");
    CHECK(c->trim <= 1, "flags of a column");
    if (l->length)
        CHECK(c->from > 0 && c->from <= c->to && c->to <= l->length && c->rest == SHUNT_NONE, "place of a column");
    else
        CHECK(c->to == 0 && (c->from > 0 || l->header), "place of a column");
    if (c->rest == SHUNT_NONE) return NULL;
    CHECK(c->from > 0 && c + 1 == p->columns + r->column_first + r->column_count, "a rest of cells is not the last column");
    CHECK(in_guide(&p->guides[l->guide], c->rest) && r->loop != SHUNT_NONE && p->loops[c->rest].parent == r->loop &&
              p->loops[c->rest].trigger != SHUNT_NONE && p->nodes[p->loops[c->rest].trigger].frame == SHUNT_NONE,
          "loop of the rest of a row");
    return NULL;
}

static const char *check_row(const shunt_plan *p, const shunt_plan_layout *l, uint16_t number)
{
    const shunt_plan_row *r = &p->rows[l->row_first + number];
    CHECK(text_ok(p, r->name, true) && r->once <= 1, "text of a row");
    CHECK(r->trailer <= (r->parent == SHUNT_NONE), "a trailer stands in a record");
    CHECK(r->parent == SHUNT_NONE || r->parent < number, "parent of a row");
    CHECK(within(r->key_first, r->key_count, p->row_key_count), "keys of a row");
    CHECK((r->key_count > 0) == (l->key_from > 0), "keys of a row");
    CHECK(within(r->column_first, r->column_count, p->column_count) && r->column_count <= SHUNT_PLAN_COLUMNS, "columns of a row");
    for (uint32_t i = 0; i < r->key_count; i++) CHECK(text_ok(p, p->row_keys[r->key_first + i], true), "text of a key of a row");
    CHECK((r->loop == SHUNT_NONE) == (r->node == SHUNT_NONE), "node of a row");
    if (r->loop != SHUNT_NONE) {
        uint16_t body = p->guides[l->guide].loop_first;
        CHECK(number == l->transaction ? r->loop == body : in_guide(&p->guides[l->guide], r->loop), "loop of a row");
        const shunt_plan_row *parent = r->parent == SHUNT_NONE ? NULL : &p->rows[l->row_first + r->parent];
        CHECK(number == l->transaction || p->loops[r->loop].parent == (parent ? parent->loop : body),
              "a row is not in the loop of its parent");
        CHECK(r->node < p->node_count && p->nodes[r->node].loop == r->loop && p->nodes[r->node].frame == SHUNT_NONE,
              "node of a row");
        const shunt_plan_node *node = &p->nodes[r->node];
        for (uint32_t d = 0; d < node->demand_count; d++)
            CHECK(p->demands[node->demand_first + d].element <= r->column_count, "demand of no column");
    }
    for (uint32_t i = 0; i < r->column_count; i++) {
        const char *why = check_column(p, l, r, &p->columns[r->column_first + i]);
        if (why) return why;
    }
    return NULL;
}

static const char *check_layout(const shunt_plan *p, const shunt_plan_layout *l)
{
    CHECK(l->guide < p->guide_count, "guide of a layout");
    CHECK(text_ok(p, l->encoding, false) && text_ok(p, l->continuation, false), "text of a layout");
    CHECK(l->row_count > 0 && l->row_count <= SHUNT_PLAN_ROWS && within(l->row_first, l->row_count, p->row_count),
          "rows of a layout");
    CHECK(l->header <= 1 && l->lines <= 1, "flags of a layout");
    CHECK(l->length <= SHUNT_PLAN_RECORD, "length of a record");
    if (l->length)
        CHECK(!l->header && !l->terminator && l->continuation == SHUNT_NONE && l->key_from <= l->key_to && l->key_to <= l->length,
              "layout of fixed width");
    else
        CHECK(l->separator && l->separator != l->quote && l->separator != l->terminator && l->key_to == 0 &&
                  (l->terminator || l->lines) && (!l->quote || l->quote != l->terminator),
              "separators of a layout");
    CHECK(l->key_from > 0 || (l->row_count == 1 && l->continuation == SHUNT_NONE), "rows without keys");
    CHECK(!l->header || l->row_count == 1, "a header of several types of rows");
    CHECK(l->transaction == SHUNT_NONE ||
              (l->transaction < l->row_count && p->rows[l->row_first + l->transaction].parent == SHUNT_NONE &&
               p->rows[l->row_first + l->transaction].loop != SHUNT_NONE),
          "transaction of a layout");
    for (uint16_t i = 0; i < l->row_count; i++) {
        const char *why = check_row(p, l, i);
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
    for (uint32_t i = 0; !fault && i < plan->layout_count; i++) fault = check_layout(plan, &plan->layouts[i]);
    if (why) *why = fault;
    return fault == NULL;
}
