/* emit_path.c - what the rules read of the message: loops become frames, elements become slots, and paths become walks over
 * nodes. */
#include "dsl/emit_state.h"

/* ---- loops ---- */

/* All loops with this id below `loop`, itself included. */
static void find_loops(shunt_emitter *e, const shunt_loop *loop, uint32_t guide, shunt_text id, shunt_loop_ref *ref)
{
    if (shunt_text_is(id, loop->id)) {
        shunt_loop_match *more = SHUNT_NEW_N(e->arena, shunt_loop_match, ref->match_count + 1);
        if (!more) {
            e->no_memory = true;
            return;
        }
        if (ref->match_count) memcpy(more, ref->matches, ref->match_count * sizeof *more);
        more[ref->match_count++] = (shunt_loop_match){ guide, loop, NULL };
        ref->matches = more;
    }
    for (uint16_t i = 0; i < loop->body_count; i++)
        if (loop->body[i].loop) find_loops(e, loop->body[i].loop, guide, id, ref);
}

/* The loop that the rules may name or not; NULL where no guide of the source has it. */
static const shunt_loop_ref *loop_by_id(shunt_emitter *e, const shunt_symbol *source, shunt_text id)
{
    const shunt_compilation *c = e->c;
    for (uint32_t i = 0; i < c->loop_count; i++)
        if (c->loops[i]->source == source && c->loops[i]->segment.length == 0 && shunt_text_equal(c->loops[i]->id, id))
            return c->loops[i];
    for (uint32_t i = 0; i < e->own_loops.count; i++)
        if (e->own_loops.items[i]->source == source && shunt_text_equal(e->own_loops.items[i]->id, id))
            return e->own_loops.items[i];
    shunt_loop_ref *ref = SHUNT_NEW(e->arena, shunt_loop_ref);
    if (!ref) {
        e->no_memory = true;
        return NULL;
    }
    ref->source = (shunt_symbol *)(uintptr_t)source;
    ref->id = id;
    for (uint32_t i = 0; i < source->as.source->guide_count; i++) find_loops(e, source->as.source->guides[i]->body, i, id, ref);
    if (ref->match_count == 0) return NULL;
    shunt_loop_ref **slot = SHUNT_EMIT_NEW(e, &e->own_loops);
    *slot = ref;
    return ref;
}

static bool holds(const shunt_loop_ref *ref, const shunt_symbol *source, const shunt_loop *loop)
{
    if (ref->source != source || ref->segment.length) return false;
    for (uint32_t m = 0; m < ref->match_count; m++)
        if (ref->matches[m].loop == loop) return true;
    return false;
}

/* The loop that rules may name together with others or not at all. */
static const shunt_loop_ref *loop_that_is(shunt_emitter *e, const shunt_symbol *source, uint32_t guide, const shunt_loop *loop)
{
    for (uint32_t i = 0; i < e->c->loop_count; i++)
        if (holds(e->c->loops[i], source, loop)) return e->c->loops[i];
    for (uint32_t i = 0; i < e->own_loops.count; i++)
        if (holds(e->own_loops.items[i], source, loop)) return e->own_loops.items[i];
    shunt_loop_ref   *ref = SHUNT_NEW(e->arena, shunt_loop_ref), **slot = ref ? SHUNT_EMIT_NEW(e, &e->own_loops) : NULL;
    shunt_loop_match *match = SHUNT_NEW(e->arena, shunt_loop_match);
    if (!slot || !match) {
        e->no_memory = true;
        return NULL;
    }
    *match = (shunt_loop_match){ guide, loop, NULL };
    *ref = (shunt_loop_ref){
        .source = (shunt_symbol *)(uintptr_t)source, .id = shunt_text_of(loop->id), .matches = match, .match_count = 1
    };
    *slot = ref;
    return ref;
}

static shunt_plan_spot spot_of(shunt_emitter *e, const shunt_symbol *source, const shunt_loop_match *match)
{
    uint16_t guide = shunt_plan_maker_guide(e->plan, source->as.source->guides[match->guide], (uint16_t)source->number);
    return (shunt_plan_spot){ guide, match->loop, match->segment };
}

/* The same segments as a list of all and by a qualifier, or as groups and whole: an instance is kept in one list only. */
static void two_ways(shunt_emitter *e, shunt_span span, shunt_text what)
{
    if (shunt_emit_failed(e)) return;
    e->wrong = true;
    shunt_diag *d = shunt_diag_add(e->c->diags, SHUNT_E0001, span, "reading `%.*s` in two ways is not in this version",
                                   SHUNT_TEXT_ARGS(what));
    shunt_diag_note(e->c->diags, d, "elsewhere in these rules the same segments are read as another list");
}

/* True where a transaction holds at most one instance of the loop. */
static bool stands_once(const shunt_loop_ref *loop)
{
    if (loop->segment.length || loop->match_count == 0) return false;
    for (uint32_t i = 0; i < loop->match_count; i++) {
        for (const shunt_loop *at = loop->matches[i].loop; at->parent; at = at->parent)
            if (at->max != 1) return false;
        for (uint32_t k = 0; k < i; k++)
            if (loop->matches[k].guide == loop->matches[i].guide) return false;
    }
    return true;
}

uint16_t shunt_emit_new_frame(shunt_emitter *e, shunt_frame_kind kind, shunt_text id, const shunt_symbol *source, bool once)
{
    uint16_t frame = shunt_plan_maker_frame(e->plan, kind, id, (uint16_t)source->number);
    if (frame == SHUNT_NONE) {
        e->no_memory = true;
        return 0;
    }
    bool *flag = SHUNT_EMIT_NEW(e, &e->once_of), *aside = SHUNT_EMIT_NEW(e, &e->aside_of);
    *flag = once;
    *aside = false;
    return frame;
}

uint16_t shunt_emit_frame(shunt_emitter *e, const shunt_loop_ref *loop)
{
    if (loop->tree) return shunt_emit_tree_frame(e, loop);
    if (loop->number) return (uint16_t)(loop->number - 1);
    bool             repeated = loop->segment.length != 0;
    shunt_frame_kind kind = loop->field       ? SHUNT_FRAME_LOOP
                            : repeated        ? SHUNT_FRAME_GROUP
                            : loop->id.length ? SHUNT_FRAME_LOOP
                                              : SHUNT_FRAME_SET;
    shunt_text       id = repeated ? loop->segment : loop->id;
    if (loop->field) id = shunt_emit_made_text(e, shunt_text_format(e->arena, "%.*s-%u", SHUNT_TEXT_ARGS(id), loop->field));
    uint16_t frame = shunt_emit_new_frame(e, kind, id, loop->source, stands_once(loop));
    ((shunt_loop_ref *)(uintptr_t)loop)->number = (uint32_t)frame + 1;
    for (uint32_t i = 0; i < loop->match_count; i++) {
        shunt_plan_spot spot = spot_of(e, loop->source, &loop->matches[i]);
        if (loop->field)
            (void)shunt_plan_maker_repeat(e->plan, frame, spot, loop->field);
        else if (!shunt_plan_maker_bind(e->plan, frame, spot, loop->qualifier, (shunt_plan_group){ 0 }))
            two_ways(e, loop->source->span, loop->segment);
    }
    return frame;
}

const shunt_loop_ref *shunt_emit_set_loop(shunt_emitter *e, const shunt_symbol *source)
{
    return loop_by_id(e, source, (shunt_text){ "", 0 });
}

uint16_t shunt_emit_set_frame(shunt_emitter *e, const shunt_symbol *source)
{
    const shunt_loop_ref *set = shunt_emit_set_loop(e, source);
    return set ? shunt_emit_frame(e, set) : 0;
}

/* ---- slots ---- */

static void key_bytes(shunt_buffer *key, const void *bytes, size_t length) { shunt_buffer_add(key, bytes, length); }

/* What fills a slot beside its element: the same for all spots, but for the parts of HL7. */
typedef struct filling {
    shunt_text             qualifier;
    bool                   relative;
    uint8_t                repetition;
    uint16_t               field; /* repetitions of this one are the instances of the frame */
    const shunt_path_part *parts; /* one a spot, or NULL */
    bool                   currencies;
} filling;

static shunt_plan_demand demand_of(const shunt_plan_slot *like, const filling *how, uint32_t spot)
{
    shunt_plan_demand demand = {
        .element = like->element, .component = (uint8_t)like->component, .repetition = how->repetition, .relative = how->relative
    };
    if (!how->parts) return demand;
    const shunt_path_part *part = &how->parts[spot];
    demand.component = how->currencies ? part->currency_component : part->component;
    demand.subcomponent = how->currencies ? part->currency_subcomponent : part->subcomponent;
    return demand;
}

/* Finds or makes the slot that these demands fill. Two paths that mean the same place in the same way share a slot. */
static shunt_emit_slot slot_for(shunt_emitter *e, uint16_t frame, const shunt_plan_slot *like, const shunt_plan_spot *spots,
                                uint32_t spot_count, const filling *how)
{
    shunt_buffer key;
    uint32_t     number;
    shunt_buffer_init(&key, e->c->memory);
    uint16_t head[] = { frame,           like->convert, like->scale,    like->implied,   like->required,
                        like->codes,     like->mask,    like->element,  like->component, how->relative,
                        how->repetition, how->field,    like->currency, like->format };
    key_bytes(&key, head, sizeof head);
    for (uint32_t i = 0; i < spot_count; i++) {
        if (how->parts) key_bytes(&key, &how->parts[i], sizeof how->parts[i]);
        if (how->parts) key_bytes(&key, &how->currencies, sizeof how->currencies);
        key_bytes(&key, &spots[i].guide, sizeof spots[i].guide);
        key_bytes(&key, &spots[i].loop, sizeof spots[i].loop);
        key_bytes(&key, &spots[i].segment, sizeof spots[i].segment);
    }
    shunt_buffer_text(&key, how->qualifier);
    bool added = !key.failed && shunt_intern_add(e->slot_keys, (shunt_text){ key.bytes, (uint32_t)key.length }, &number);
    shunt_buffer_done(&key);
    if (!added) {
        e->no_memory = true;
        return (shunt_emit_slot){ 0, 0 };
    }
    if (number < e->slots_of.count) return e->slots_of.items[number];
    uint16_t         slot = shunt_plan_maker_slot(e->plan, frame, like);
    shunt_emit_slot *made = SHUNT_EMIT_NEW(e, &e->slots_of);
    *made = (shunt_emit_slot){ frame, slot };
    for (uint32_t i = 0; i < spot_count; i++) {
        shunt_plan_demand demand = demand_of(like, how, i);
        if (how->currencies && !demand.component && !demand.subcomponent) continue;
        shunt_plan_maker_want(e->plan, frame, slot, spots[i], how->qualifier, how->field, &demand);
    }
    return *made;
}

/* How the text of an element becomes a value of this type, and what may be said of it. */
shunt_plan_slot shunt_emit_slot_like(shunt_emitter *e, shunt_standard standard, const shunt_ty *type, shunt_value_type from,
                                     uint8_t implied, shunt_text shown)
{
    shunt_plan_slot like = {
        .codes = SHUNT_NONE, .mask = SHUNT_NONE, .format = SHUNT_NONE, .currency = SHUNT_NONE, .path = shunt_emit_text(e, shown)
    };
    switch (type->kind) {
    case SHUNT_TY_MONEY:
    case SHUNT_TY_DECIMAL:
    case SHUNT_TY_PERCENT:
    case SHUNT_TY_QUANTITY:
        like.convert = from == SHUNT_VALUE_IMPLIED || implied ? SHUNT_CONVERT_IMPLIED : SHUNT_CONVERT_DECIMAL;
        like.scale = type->scale;
        like.implied = like.convert == SHUNT_CONVERT_IMPLIED ? implied : 0;
        if (like.convert == SHUNT_CONVERT_DECIMAL && standard == SHUNT_STANDARD_FHIR) like.convert = SHUNT_CONVERT_EXPONENT;
        break;
    case SHUNT_TY_INT: like.convert = SHUNT_CONVERT_INT; break;
    case SHUNT_TY_BOOL: like.convert = SHUNT_CONVERT_BOOL; break;
    case SHUNT_TY_DATE:
        like.convert = standard == SHUNT_STANDARD_HL7    ? SHUNT_CONVERT_DATE_HL7
                       : standard == SHUNT_STANDARD_FHIR ? SHUNT_CONVERT_DATE_ISO
                                                         : SHUNT_CONVERT_DATE;
        break;
    case SHUNT_TY_MOMENT:
        like.convert = standard == SHUNT_STANDARD_HL7 ? SHUNT_CONVERT_MOMENT_HL7 : SHUNT_CONVERT_MOMENT_ISO;
        break;
    default: like.convert = SHUNT_CONVERT_TEXT; break;
    }
    if (type->kind == SHUNT_TY_CODE && type->codes && type->codes->complete) like.codes = shunt_emit_code_list(e, type->codes);
    if (type->phi) {
        like.masked = 1;
        like.mask = shunt_emit_text(e, shunt_emit_made_text(e, shunt_phi_mask(e->arena, type->phi)));
    }
    return like;
}

static shunt_plan_spot *spots_of(shunt_emitter *e, const shunt_symbol *source, const shunt_loop_match *matches, uint32_t count)
{
    shunt_plan_spot *spots = SHUNT_NEW_N(e->arena, shunt_plan_spot, count + 1);
    if (!spots) {
        e->no_memory = true;
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) spots[i] = spot_of(e, source, &matches[i]);
    return spots;
}

/* The frame whose instances are repeats of the segment, where the rules or a collector read it as a list elsewhere. */
static uint16_t group_of(shunt_emitter *e, const shunt_path *path, shunt_span span)
{
    bool exact;
    if (!path->loop || path->loop->segment.length || path->node_count == 0 || path->parts) return SHUNT_NONE;
    uint16_t group = shunt_plan_maker_group(e->plan, spot_of(e, path->loop->source, &path->nodes[0]), path->qualifier, &exact);
    if (group != SHUNT_NONE && !exact) two_ways(e, span, path->shown);
    return group;
}

/* The slot of the frame that holds the currency of an amount; SHUNT_NONE where no guide has a place for it. */
static uint16_t currency_of(shunt_emitter *e, const shunt_path *path, uint16_t frame, const shunt_plan_spot *spots, filling how)
{
    bool has = false;
    for (uint32_t i = 0; path->parts && i < path->node_count; i++)
        has = has || path->parts[i].currency_component || path->parts[i].currency_subcomponent;
    if (!has) return SHUNT_NONE;
    static const shunt_ty text = { .kind = SHUNT_TY_TEXT };
    shunt_text            shown = shunt_text_format(e->arena, "currency of %.*s", SHUNT_TEXT_ARGS(path->shown));
    shunt_plan_slot       like = shunt_emit_slot_like(e, path->loop->source->as.source->standard, &text, SHUNT_VALUE_TEXT, 0,
                                                      shunt_emit_made_text(e, shown));
    like.element = path->element;
    how.currencies = true;
    return slot_for(e, frame, &like, spots, path->node_count, &how).slot;
}

shunt_emit_slot shunt_emit_slot_of(shunt_emitter *e, const shunt_path *path, const shunt_ty *type, shunt_span span)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): the way to a value ends in a loop */
    if (path->loop->tree) return shunt_emit_tree_slot(e, path, type);
    uint16_t        group = group_of(e, path, span);
    uint16_t        frame = group != SHUNT_NONE ? group : shunt_emit_frame(e, path->loop);
    shunt_plan_slot like =
        shunt_emit_slot_like(e, path->loop->source->as.source->standard, type, path->value_type, path->implied, path->shown);
    shunt_plan_spot *spots = spots_of(e, path->loop->source, path->nodes, path->node_count);
    if (!spots) return (shunt_emit_slot){ 0, 0 };
    if (path->range_end && like.convert == SHUNT_CONVERT_DATE) like.convert = SHUNT_CONVERT_DATE_END;
    if (path->format.length) {
        like.format = shunt_emit_text(e, path->format);
        if (like.convert == SHUNT_CONVERT_DATE) like.convert = SHUNT_CONVERT_DATE_FORMAT;
    }
    like.required = path->required;
    like.element = path->element;
    like.component = path->component;
    filling how = { .qualifier = path->loop->segment.length ? path->loop->qualifier : path->qualifier,
                    .repetition = path->repetition,
                    .field = path->loop->field,
                    .parts = path->parts };
    like.currency = currency_of(e, path, frame, spots, how);
    return slot_for(e, frame, &like, spots, path->node_count, &how);
}

/* ---- walking ---- */

uint16_t shunt_emit_set_node(shunt_emit_fn *f, const shunt_symbol *source)
{
    uint16_t   frame = shunt_emit_set_frame(f->e, source);
    shunt_type type = { .kind = SHUNT_KIND_NODE, .record = frame };
    if (f->node == SHUNT_NONE) return shunt_emit_once(f, SHUNT_OP_ABSENT, type, 0, 0);
    if (shunt_emit_type_of(f, f->node).record == frame) return f->node;
    return shunt_emit_once(f, SHUNT_OP_ANCESTOR, type, f->node, 0);
}

uint16_t shunt_emit_child(shunt_emit_fn *f, uint16_t node, uint16_t frame, shunt_op op)
{
    uint16_t   child = shunt_plan_maker_child(f->e->plan, shunt_emit_type_of(f, node).record, frame);
    shunt_type type = op == SHUNT_OP_CHILDREN
                          ? (shunt_type){ .kind = SHUNT_KIND_LIST, .element = SHUNT_KIND_NODE, .record = frame }
                          : (shunt_type){ .kind = SHUNT_KIND_NODE, .record = frame };
    return shunt_emit_once(f, op, type, node, child);
}

static bool before_end(const shunt_emit_fn *f)
{
    return f->phase == SHUNT_PHASE_START || f->phase == SHUNT_PHASE_EARLY || f->phase == SHUNT_PHASE_UNIT ||
           f->phase == SHUNT_PHASE_TALLY;
}

/* In a message of HL7 what repeats beside the units is read as a list. It has to be there when they are handled: what comes later is
 * late, and not just one less. */
static void mark_aside(shunt_emit_fn *f, const shunt_loop_ref *loop, uint16_t from, uint16_t frame)
{
    shunt_emitter *e = f->e;
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): every loop is of a source */
    if (loop->source->as.source->standard != SHUNT_STANDARD_HL7 || !before_end(f)) return;
    uint16_t around = shunt_emit_type_of(f, from).record;
    if (frame >= e->aside_of.count || around >= e->aside_of.count) return;
    if (around == shunt_emit_set_frame(e, loop->source) || e->aside_of.items[around]) e->aside_of.items[frame] = true;
}

void shunt_emit_aside_is_early(shunt_emitter *e)
{
    for (uint32_t i = 0; i < e->slots_of.count; i++) {
        shunt_emit_slot  at = e->slots_of.items[i];
        shunt_plan_slot *slot = shunt_plan_maker_slot_at(e->plan, at.frame, at.slot);
        if (slot && at.frame < e->aside_of.count && e->aside_of.items[at.frame]) slot->early = 1;
    }
}

/* The node, or the list, at the end of the way. */
static uint16_t walk(shunt_emit_fn *f, const shunt_path *path)
{
    const shunt_symbol *source = path->loop         ? path->loop->source
                                 : path->down_count ? path->down[0]->source
                                 : path->up         ? path->up->source
                                                    : NULL;
    uint16_t            node;
    if (path->base)
        node = shunt_emit_expr(f, path->base);
    else if (path->start)
        node = (uint16_t)path->start->number;
    else
        node = source ? shunt_emit_set_node(f, source) : f->node;
    if (path->up) {
        uint16_t frame = shunt_emit_frame(f->e, path->up);
        if (shunt_emit_type_of(f, node).record != frame)
            node = shunt_emit_once(f, SHUNT_OP_ANCESTOR, (shunt_type){ .kind = SHUNT_KIND_NODE, .record = frame }, node, 0);
    }
    for (uint32_t i = 0; i < path->down_count; i++) {
        bool     list = path->kind == SHUNT_PATH_LIST && i + 1 == path->down_count;
        uint16_t frame = shunt_emit_frame(f->e, path->down[i]);
        mark_aside(f, path->down[i], node, frame);
        node = shunt_emit_child(f, node, frame, list ? SHUNT_OP_CHILDREN : SHUNT_OP_CHILD_FIRST);
    }
    return node;
}

/* The loop is the unit, or stands in it. */
static bool is_of_unit(const shunt_emit_fn *f, const shunt_loop_ref *loop)
{
    const shunt_loop_ref *unit = f->unit && f->unit->type.kind == SHUNT_TY_NODE ? f->unit->type.loop : NULL;
    for (uint32_t m = 0; unit && loop && m < loop->match_count; m++)
        for (const shunt_loop *at = loop->matches[m].loop; at && at->parent; at = at->parent)
            for (uint32_t u = 0; u < unit->match_count; u++)
                if (unit->matches[u].loop == at) return true;
    return false;
}

/* A value of the header has to be there when the first unit begins. What a unit reads of itself has not, also where the guide has one of
 * it at most. */
static void mark_early(shunt_emit_fn *f, const shunt_path *path, shunt_emit_slot at)
{
    shunt_plan_slot *slot = shunt_plan_maker_slot_at(f->e->plan, at.frame, at.slot);
    if (!slot || !before_end(f) || at.frame >= f->e->once_of.count || !f->e->once_of.items[at.frame]) return;
    if (!is_of_unit(f, path->loop)) slot->early = 1;
}

uint16_t shunt_emit_path(shunt_emit_fn *f, const shunt_path *path, const shunt_ty *type, bool optional)
{
    bool     tree = path->loop && path->loop->tree;
    uint16_t node = tree ? shunt_emit_tree_walk(f, path) : walk(f, path);
    if (path->kind != SHUNT_PATH_VALUE) return node;
    uint16_t group = tree ? SHUNT_NONE : group_of(f->e, path, f->span);
    if (group != SHUNT_NONE) node = shunt_emit_child(f, node, group, SHUNT_OP_CHILD_FIRST);
    shunt_emit_slot at = shunt_emit_slot_of(f->e, path, type, f->span);
    mark_early(f, path, at);
    if (f->read_slot == SHUNT_NONE) {
        f->read_frame = at.frame;
        f->read_slot = at.slot;
        f->read_node = node;
    }
    /* The slot is counted over all frames when the plan is flat: shunt_emit adds the first of its frame. */
    return shunt_emit_once(f, optional && path->required ? SHUNT_OP_GET_OPTIONAL : SHUNT_OP_GET, shunt_emit_type(f->e, type),
                           node, at.slot);
}

/* The set and the loops around a unit are looked up where its handler begins, not in each branch and pass that reads from
 * them. */
typedef struct surroundings {
    shunt_emit_fn      *f;
    const shunt_symbol *unit;
} surroundings;

static bool look_around(shunt_ast *node, void *context)
{
    const surroundings *s = context;
    const shunt_fact   *fact = shunt_fact_of(node);
    const shunt_path   *path = fact && (fact->kind == SHUNT_FACT_PATH || fact->kind == SHUNT_FACT_RANGE_PART) ? fact->path : NULL;
    if (!path || path->base || (path->start && path->start != s->unit)) return true;
    if (!path->start && path->loop) shunt_emit_set_node(s->f, path->loop->source);
    if (!path->start || !path->up) return true;
    uint16_t frame = shunt_emit_frame(s->f->e, path->up);
    if (shunt_emit_type_of(s->f, s->f->node).record != frame)
        shunt_emit_once(s->f, SHUNT_OP_ANCESTOR, (shunt_type){ .kind = SHUNT_KIND_NODE, .record = frame }, s->f->node, 0);
    return true;
}

void shunt_emit_look_around(shunt_emit_fn *f, shunt_ast *block, const shunt_symbol *unit)
{
    surroundings s = { f, unit };
    shunt_ast_walk(block, look_around, &s);
}

/* ---- rows made of groups: CAS triplets, PLB pairs ---- */

/* Segment nodes with this id in the bodies of a loop. */
static uint32_t segments_of(const shunt_loop_ref *loop, const char *id, shunt_loop_match *out, uint32_t room)
{
    uint32_t count = 0;
    for (uint32_t m = 0; loop && m < loop->match_count; m++)
        for (uint16_t i = 0; i < loop->matches[m].loop->body_count; i++) {
            const shunt_segment_node *segment = loop->matches[m].loop->body[i].segment;
            if (segment && strcmp(segment->id, id) == 0 && count < room)
                out[count++] = (shunt_loop_match){ loop->matches[m].guide, loop->matches[m].loop, segment };
        }
    return count;
}

/* Classes of an element over all the places it is read from. */
static uint32_t phi_of(const shunt_loop_match *places, uint32_t count, uint16_t element, uint16_t component)
{
    uint32_t phi = 0;
    for (uint32_t i = 0; i < count; i++) {
        const shunt_segment_node *s = places[i].segment;
        for (uint16_t k = 0; k < s->element_count; k++) {
            const shunt_element *one = &s->elements[k];
            if (one->position != element) continue;
            if (!component || !one->components)
                phi |= one->phi;
            else
                for (uint16_t n = 0; n < one->component_count; n++)
                    phi |= one->components[n].position == component ? one->components[n].phi : 0;
        }
    }
    return phi;
}

enum { PLACES = 64 };

typedef struct group_source {
    const shunt_symbol *source;
    shunt_loop_match    places[PLACES];
    uint32_t            place_count;
    uint16_t            frame;
} group_source;

/* The frame of element groups of a segment in these loops; they all share it. */
static bool bind_group(shunt_emitter *e, group_source *g, const char *segment, const shunt_loop_ref *const *loops,
                       uint32_t loop_count, shunt_plan_group group, shunt_span span)
{
    g->place_count = 0;
    for (uint32_t i = 0; i < loop_count; i++) {
        g->place_count += segments_of(loops[i], segment, g->places + g->place_count, PLACES - g->place_count);
        if (loops[i]) g->source = loops[i]->source;
    }
    if (g->place_count == 0) return false;
    bool exact;
    g->frame = shunt_plan_maker_group(e->plan, spot_of(e, g->source, &g->places[0]), (shunt_text){ 0 }, &exact);
    if (g->frame == SHUNT_NONE) g->frame = shunt_emit_new_frame(e, SHUNT_FRAME_GROUP, shunt_text_of(segment), g->source, false);
    for (uint32_t i = 0; i < g->place_count; i++) {
        if (shunt_plan_maker_bind(e->plan, g->frame, spot_of(e, g->source, &g->places[i]), (shunt_text){ 0 }, group)) continue;
        two_ways(e, span, shunt_text_of(segment));
        return false;
    }
    return true;
}

static shunt_emit_slot group_slot(shunt_emitter *e, const group_source *g, uint16_t element, uint16_t component, bool relative,
                                  uint16_t first, const shunt_ty *type, const char *shown)
{
    shunt_ty held = *type;
    held.phi = phi_of(g->places, g->place_count, (uint16_t)(relative ? first + element : element), component);
    held.codes = NULL;
    shunt_plan_slot  like = shunt_emit_slot_like(e, SHUNT_STANDARD_X12, &held, SHUNT_VALUE_TEXT, 0, shunt_text_of(shown));
    shunt_plan_spot *spots = spots_of(e, g->source, g->places, g->place_count);
    like.element = element;
    like.component = component;
    filling how = { .relative = relative };
    return spots ? slot_for(e, g->frame, &like, spots, g->place_count, &how) : (shunt_emit_slot){ 0, 0 };
}

/* A value of a loop's own segment, as a collector reads it; `count` 0 in the result means the guides have no such segment. */
static bool loop_slot(shunt_emitter *e, const shunt_loop_ref *loop, const char *segment, const char *qualifier, uint16_t element,
                      uint16_t component, const shunt_ty *type, const char *shown, shunt_emit_slot *slot)
{
    shunt_loop_match places[PLACES], kept[PLACES];
    uint32_t         found = segments_of(loop, segment, places, PLACES), count = 0;
    for (uint32_t i = 0; i < found; i++)
        if (!qualifier || (places[i].segment->key && shunt_codeset_has(places[i].segment->key, shunt_text_of(qualifier))))
            kept[count++] = places[i];
    if (count == 0) return false;
    shunt_ty held = *type;
    held.phi = phi_of(kept, count, element, component);
    held.codes = NULL;
    shunt_plan_slot  like = shunt_emit_slot_like(e, SHUNT_STANDARD_X12, &held, SHUNT_VALUE_TEXT, 0, shunt_text_of(shown));
    shunt_plan_spot *spots = spots_of(e, loop->source, kept, count);
    like.element = element;
    like.component = component;
    if (!spots) return false;
    filling how = { .qualifier = qualifier ? shunt_text_of(qualifier) : (shunt_text){ 0 } };
    *slot = slot_for(e, shunt_emit_frame(e, loop), &like, spots, count, &how);
    return true;
}

static const shunt_emit_made *find_made(const shunt_emitter *e, shunt_lang_builtin builtin, const shunt_loop_ref *loop)
{
    for (uint32_t i = 0; i < e->made.count; i++)
        if (e->made.items[i].builtin == builtin && e->made.items[i].loop == loop) return &e->made.items[i];
    return NULL;
}

static void add_read(shunt_emitter *e, shunt_emit_made *made, uint32_t field, shunt_emit_slot at)
{
    shunt_emit_read *read = SHUNT_EMIT_NEW(e, &made->reads);
    *read = (shunt_emit_read){ (uint16_t)field, at };
}

static void add_field(shunt_emitter *e, shunt_emit_made *made, uint32_t number, shunt_collect_from from, shunt_emit_slot slot,
                      uint16_t child)
{
    shunt_collect_field *field = SHUNT_EMIT_NEW(e, &e->collect_fields);
    bool                 is_slot = from == SHUNT_COLLECT_GROUP || from == SHUNT_COLLECT_LINE;
    *field = (shunt_collect_field){ .from = (uint16_t)from, .slot = is_slot ? 0 : slot.slot, .child = child };
    shunt_emit_slot *at = SHUNT_EMIT_NEW(e, &e->collect_slots);
    *at = is_slot ? slot : (shunt_emit_slot){ SHUNT_NONE, SHUNT_NONE };
    if (is_slot) add_read(e, made, number, slot);
}

static void add_alternative(shunt_emitter *e, bool line, shunt_emit_slot slot)
{
    shunt_alternative *alternative = SHUNT_EMIT_NEW(e, &e->alternatives);
    *alternative = (shunt_alternative){ .line = line, .child = SHUNT_NONE };
    shunt_emit_slot *at = SHUNT_EMIT_NEW(e, &e->alternative_slots);
    *at = slot;
}

/* The first remark code: of the line's LQ*HE, else of the claim's MOA or MIA. */
static void add_remark(shunt_emitter *e, shunt_emit_made *made, uint32_t number, const shunt_loop_ref *outer,
                       const shunt_loop_ref *line, const shunt_ty *type)
{
    static const struct {
        const char *segment;
        uint16_t    element;
        const char *shown;
    } claims[] = {
        { "MOA", 3, "MOA03" }, { "MOA", 4, "MOA04" },  { "MOA", 5, "MOA05" },  { "MOA", 6, "MOA06" },  { "MOA", 7, "MOA07" },
        { "MIA", 5, "MIA05" }, { "MIA", 20, "MIA20" }, { "MIA", 21, "MIA21" }, { "MIA", 22, "MIA22" }, { "MIA", 23, "MIA23" },
    };
    uint32_t        first = e->alternatives.count;
    shunt_emit_slot slot;
    if (line && loop_slot(e, line, "LQ", "HE", 2, 0, type, "LQ[\"HE\"].LQ02", &slot)) add_alternative(e, true, slot);
    if (loop_slot(e, outer, "LQ", "HE", 2, 0, type, "LQ[\"HE\"].LQ02", &slot)) add_alternative(e, false, slot);
    for (uint32_t i = 0; i < SHUNT_COUNT(claims); i++)
        if (loop_slot(e, outer, claims[i].segment, NULL, claims[i].element, 0, type, claims[i].shown, &slot))
            add_alternative(e, false, slot);
    uint32_t count = e->alternatives.count - first;
    add_field(e, made, number, SHUNT_COLLECT_FIRST, (shunt_emit_slot){ 0, shunt_emit_number(e, first) },
              shunt_emit_number(e, count));
    for (uint32_t i = 0; i < count && !e->no_memory; i++) add_read(e, made, number, e->alternative_slots.items[first + i]);
}

/* Which elements the procedure of a line stands in. */
static bool procedure_slot(shunt_emitter *e, const shunt_loop_ref *line, const shunt_ty *type, shunt_emit_slot *slot)
{
    return line && (loop_slot(e, line, "SVC", NULL, 1, 2, type, "SVC01-2", slot) ||
                    loop_slot(e, line, "SVD", NULL, 3, 2, type, "SVD03-2", slot));
}

/* Rows of `adjustment`: the CAS triplets of `outer` and of its lines. `outer` may itself be a line. */
static void adjustment_fields(shunt_emitter *e, shunt_emit_made *made, const group_source *cas, const shunt_loop_ref *outer,
                              const shunt_loop_ref *line, bool at_line, const shunt_shape *shape, shunt_collect *collect)
{
    const char     *outer_level = at_line ? "line" : "claim";
    shunt_emit_slot none = { 0, 0 }, slot;
    for (uint32_t i = 0; i < shape->count; i++) {
        const shunt_member *m = &shape->members[i];
        if (shunt_text_is(m->name, "group"))
            add_field(e, made, i, SHUNT_COLLECT_GROUP, group_slot(e, cas, 1, 0, false, 2, &m->type, "CAS01"), 0);
        else if (shunt_text_is(m->name, "reason"))
            add_field(e, made, i, SHUNT_COLLECT_GROUP, group_slot(e, cas, 0, 0, true, 2, &m->type, "CAS reason"), 0);
        else if (shunt_text_is(m->name, "amount")) {
            collect->needed = shunt_emit_number(e, i);
            add_field(e, made, i, SHUNT_COLLECT_GROUP, group_slot(e, cas, 1, 0, true, 2, &m->type, "CAS amount"), 0);
        } else if (shunt_text_is(m->name, "quantity"))
            add_field(e, made, i, SHUNT_COLLECT_GROUP, group_slot(e, cas, 2, 0, true, 2, &m->type, "CAS quantity"), 0);
        else if (shunt_text_is(m->name, "level"))
            add_field(e, made, i, SHUNT_COLLECT_LEVEL, (shunt_emit_slot){ 0, shunt_emit_text(e, shunt_text_of(outer_level)) },
                      shunt_emit_text(e, SHUNT_TEXT("line")));
        else if (shunt_text_is(m->name, "line"))
            add_field(e, made, i, SHUNT_COLLECT_POSITION, (shunt_emit_slot){ 0, at_line }, 0);
        else if (shunt_text_is(m->name, "ordinal"))
            add_field(e, made, i, SHUNT_COLLECT_ORDINAL, none, 0);
        else if (shunt_text_is(m->name, "remark"))
            add_remark(e, made, i, outer, line, &m->type);
        else if (shunt_text_is(m->name, "procedure") && procedure_slot(e, line, &m->type, &slot))
            add_field(e, made, i, SHUNT_COLLECT_LINE, slot, 0);
        else if (shunt_text_is(m->name, "procedure") && procedure_slot(e, outer, &m->type, &slot)) {
            uint32_t first = e->alternatives.count;
            add_alternative(e, false, slot);
            add_read(e, made, i, slot);
            add_field(e, made, i, SHUNT_COLLECT_FIRST, (shunt_emit_slot){ 0, shunt_emit_number(e, first) }, 1);
        } else
            add_field(e, made, i, SHUNT_COLLECT_FIRST, none, 0); /* no guide of the source has it: absent */
    }
}

static void make_adjustments(shunt_emitter *e, shunt_emit_made *made, const shunt_loop_ref *loop, const shunt_shape *shape,
                             shunt_collect *collect, shunt_span span)
{
    static const shunt_text claims[] = { { "2100", 4 }, { "2110", 4 } };
    const shunt_loop_ref   *both[] = { loop_by_id(e, loop->source, claims[0]), loop_by_id(e, loop->source, claims[1]) };
    bool                    at_line = shunt_text_equal(loop->id, claims[1]);
    group_source            cas = { 0 };
    if (!bind_group(e, &cas, "CAS", both, 2, (shunt_plan_group){ 2, 3, 6 }, span)) return;
    collect->group = shunt_plan_maker_child(e->plan, made->frame, cas.frame);
    if (!at_line && both[1]) {
        uint16_t line = shunt_emit_frame(e, both[1]);
        collect->line = shunt_plan_maker_child(e->plan, made->frame, line);
        collect->line_group = shunt_plan_maker_child(e->plan, line, cas.frame);
    }
    adjustment_fields(e, made, &cas, loop, at_line ? NULL : both[1], at_line, shape, collect);
}

/* CAS of 2320 hang in a list of the claim itself: 2320 keeps none of its own. Those of 2430 hang in 2430, below the lines
 * 2400. */
static void make_prior(shunt_emitter *e, shunt_emit_made *made, const shunt_loop_ref *loop, const shunt_shape *shape,
                       shunt_collect *collect, shunt_span span)
{
    const shunt_loop_ref *both[] = { loop_by_id(e, loop->source, SHUNT_TEXT("2320")),
                                     loop_by_id(e, loop->source, SHUNT_TEXT("2430")) };
    const shunt_loop_ref *line = loop_by_id(e, loop->source, SHUNT_TEXT("2400"));
    group_source          cas = { 0 };
    if (!bind_group(e, &cas, "CAS", both, 2, (shunt_plan_group){ 2, 3, 6 }, span)) return;
    collect->group = shunt_plan_maker_child(e->plan, made->frame, cas.frame);
    collect->twice = 1;
    if (line && both[1]) {
        uint16_t line_frame = shunt_emit_frame(e, line), inner = shunt_emit_frame(e, both[1]);
        collect->line = shunt_plan_maker_child(e->plan, made->frame, line_frame);
        collect->inner_line = shunt_plan_maker_child(e->plan, line_frame, inner);
        collect->inner_group = shunt_plan_maker_child(e->plan, inner, cas.frame);
    }
    adjustment_fields(e, made, &cas, loop, both[1], false, shape, collect);
}

static void make_provider(shunt_emitter *e, shunt_emit_made *made, const shunt_loop_ref *set, const shunt_shape *shape,
                          shunt_collect *collect, shunt_span span)
{
    group_source    plb = { 0 };
    shunt_emit_slot none = { 0, 0 };
    if (!bind_group(e, &plb, "PLB", &set, 1, (shunt_plan_group){ 3, 2, 6 }, span)) return;
    collect->group = shunt_plan_maker_child(e->plan, made->frame, plb.frame);
    for (uint32_t i = 0; i < shape->count; i++) {
        const shunt_member *m = &shape->members[i];
        if (shunt_text_is(m->name, "provider"))
            add_field(e, made, i, SHUNT_COLLECT_GROUP, group_slot(e, &plb, 1, 0, false, 3, &m->type, "PLB01"), 0);
        else if (shunt_text_is(m->name, "fiscal_date"))
            add_field(e, made, i, SHUNT_COLLECT_GROUP, group_slot(e, &plb, 2, 0, false, 3, &m->type, "PLB02"), 0);
        else if (shunt_text_is(m->name, "code"))
            add_field(e, made, i, SHUNT_COLLECT_GROUP, group_slot(e, &plb, 0, 1, true, 3, &m->type, "PLB code"), 0);
        else if (shunt_text_is(m->name, "reference"))
            add_field(e, made, i, SHUNT_COLLECT_GROUP, group_slot(e, &plb, 0, 2, true, 3, &m->type, "PLB reference"), 0);
        else if (shunt_text_is(m->name, "amount")) {
            collect->needed = shunt_emit_number(e, i);
            add_field(e, made, i, SHUNT_COLLECT_GROUP, group_slot(e, &plb, 1, 0, true, 3, &m->type, "PLB amount"), 0);
        } else
            add_field(e, made, i, SHUNT_COLLECT_ORDINAL, none, 0);
    }
}

const shunt_emit_made *shunt_emit_collect(shunt_emitter *e, shunt_lang_builtin builtin, const shunt_loop_ref *loop,
                                          const shunt_shape *shape, shunt_span span)
{
    const shunt_emit_made *found = find_made(e, builtin, loop);
    if (found) return found;
    shunt_emit_made made = { .builtin = builtin, .loop = loop, .frame = shunt_emit_frame(e, loop) };
    shunt_collect   collect = {
          .frame = made.frame,
          .record = shunt_emit_record(e, shape),
          .group = SHUNT_NONE,
          .line = SHUNT_NONE,
          .line_group = SHUNT_NONE,
          .max = 10000,
          .inner_line = SHUNT_NONE,
          .inner_group = SHUNT_NONE,
          .field_first = e->collect_fields.count,
    };
    if (builtin == SHUNT_LANG_ADJUSTMENTS)
        make_adjustments(e, &made, loop, shape, &collect, span);
    else if (builtin == SHUNT_LANG_PRIOR_ADJUSTMENTS)
        make_prior(e, &made, loop, shape, &collect, span);
    else
        make_provider(e, &made, loop, shape, &collect, span);
    shunt_collect *out = SHUNT_EMIT_NEW(e, &e->collects);
    *out = collect;
    made.number = shunt_emit_number(e, e->collects.count - 1);
    shunt_emit_made *kept = SHUNT_EMIT_NEW(e, &e->made);
    *kept = made;
    return kept;
}

/* ---- the first day of service ---- */

static void add_dates(shunt_emitter *e, shunt_emit_made *made, const shunt_loop_ref *loop, uint16_t child)
{
    static const struct {
        const char *segment, *qualifier;
        uint16_t    element;
        const char *shown;
    } dates[] = {
        { "DTM", "150", 2, "DTM[\"150\"].DTM02" },
        { "DTM", "232", 2, "DTM[\"232\"].DTM02" },
        { "DTM", "472", 2, "DTM[\"472\"].DTM02" },
        { "DTP", "472", 3, "DTP[\"472\"].DTP03" },
    };
    const shunt_ty type = { .kind = SHUNT_TY_DATE };
    for (uint32_t i = 0; i < SHUNT_COUNT(dates); i++) {
        shunt_emit_slot slot;
        if (!loop_slot(e, loop, dates[i].segment, dates[i].qualifier, dates[i].element, 0, &type, dates[i].shown, &slot))
            continue;
        shunt_date_path *path = SHUNT_EMIT_NEW(e, &e->date_paths);
        *path = (shunt_date_path){ .child = child, .grandchild = SHUNT_NONE };
        shunt_emit_slot *at = SHUNT_EMIT_NEW(e, &e->date_slots);
        *at = slot;
        add_read(e, made, 0, slot);
    }
}

const shunt_emit_made *shunt_emit_earliest(shunt_emitter *e, const shunt_loop_ref *loop)
{
    static const char *const lines[] = { "2110", "2400" };
    const shunt_emit_made   *found = find_made(e, SHUNT_LANG_FIRST_SERVICE_DATE, loop);
    if (found) return found;
    shunt_emit_made made = { .builtin = SHUNT_LANG_FIRST_SERVICE_DATE, .loop = loop, .frame = shunt_emit_frame(e, loop) };
    shunt_earliest  earliest = { .frame = made.frame, .path_first = e->date_paths.count };
    add_dates(e, &made, loop, SHUNT_NONE);
    for (uint32_t i = 0; i < SHUNT_COUNT(lines); i++) {
        const shunt_loop_ref *line =
            shunt_text_is(loop->id, lines[i]) ? NULL : loop_by_id(e, loop->source, shunt_text_of(lines[i]));
        if (line) add_dates(e, &made, line, shunt_plan_maker_child(e->plan, made.frame, shunt_emit_frame(e, line)));
    }
    earliest.path_count = e->date_paths.count - earliest.path_first;
    shunt_earliest *out = SHUNT_EMIT_NEW(e, &e->earliests);
    *out = earliest;
    made.number = shunt_emit_number(e, e->earliests.count - 1);
    shunt_emit_made *kept = SHUNT_EMIT_NEW(e, &e->made);
    *kept = made;
    return kept;
}

/* ---- segments that are lists somewhere are lists everywhere, so they are bound before anything is read ---- */

static bool bind_call(shunt_ast *node, void *context)
{
    shunt_emitter    *e = context;
    const shunt_fact *fact = shunt_fact_of(node);
    if (node->kind != SHUNT_AST_CALL || !fact || fact->kind != SHUNT_FACT_BUILTIN) return true;
    shunt_lang_builtin builtin = fact->builtin;
    if (builtin != SHUNT_LANG_ADJUSTMENTS && builtin != SHUNT_LANG_PROVIDER_ADJUSTMENTS &&
        builtin != SHUNT_LANG_PRIOR_ADJUSTMENTS)
        return true;
    const shunt_ast *args = node->kids[SHUNT_CALL_args];
    if (!args || args->kid_count == 0 || !fact->type.item || !fact->type.item->shape) return true;
    const shunt_fact     *arg = shunt_fact_of(args->kids[0]);
    const shunt_loop_ref *loop =
        builtin == SHUNT_LANG_PROVIDER_ADJUSTMENTS ? shunt_emit_set_loop(e, arg->symbol) : arg->type.loop;
    if (loop) shunt_emit_collect(e, builtin, loop, fact->type.item->shape, node->span);
    return true;
}

/* CUR02 of every loop that has a CUR: the session holds it against the currency of the source. */
static void demand_currency(shunt_emitter *e, const shunt_symbol *source, uint32_t guide, const shunt_loop *loop)
{
    static const shunt_ty text = { .kind = SHUNT_TY_TEXT, .optional = true };
    bool                  here = false;
    for (uint16_t i = 0; i < loop->body_count; i++) {
        if (loop->body[i].loop)
            demand_currency(e, source, guide, loop->body[i].loop);
        else
            here = here || strcmp(loop->body[i].segment->id, "CUR") == 0;
    }
    const shunt_loop_ref *ref = here ? loop_that_is(e, source, guide, loop) : NULL;
    shunt_emit_slot       slot;
    if (ref) (void)loop_slot(e, ref, "CUR", NULL, 2, 0, &text, SHUNT_EMIT_CURRENCY_PATH, &slot);
}

void shunt_emit_demand_currency(shunt_emitter *e)
{
    for (uint32_t i = 0; i < e->c->symbol_count && !shunt_emit_failed(e); i++) {
        const shunt_symbol *source = e->c->symbols[i];
        if (source->kind != SHUNT_SYMBOL_SOURCE || !source->as.source->currency[0]) continue;
        for (uint32_t g = 0; g < source->as.source->guide_count; g++)
            demand_currency(e, source, g, source->as.source->guides[g]->body);
    }
}

void shunt_emit_bind_groups(shunt_emitter *e)
{
    for (uint32_t i = 0; i < e->c->module_count; i++) shunt_ast_walk(e->c->modules[i].tree, bind_call, e);
    for (uint32_t i = 0; i < e->c->loop_count; i++)
        if (e->c->loops[i]->segment.length) shunt_emit_frame(e, e->c->loops[i]);
}
