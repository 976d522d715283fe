/* Paths into the message: from what an author writes (`CLP04`, `claim.CLP04`, `1000A.REF["2U"].REF02`, `2110`) to the nodes of
 * every guide of the source, the type they give together, and whether they have arrived where they are read. */
#include "dsl/check_way.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- names ---- */

static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool looks_like_segment(shunt_text t)
{
    if (t.length < 2 || t.length > 3 || !is_upper(t.bytes[0])) return false;
    for (uint32_t i = 1; i < t.length; i++)
        if (!is_upper(t.bytes[i]) && !is_digit(t.bytes[i])) return false;
    return true;
}

/* `CLP04`, `SVC01-2`: segment, element, component (0 = none). */
static bool split_element(shunt_text t, shunt_text *segment, uint16_t *element, uint16_t *component)
{
    uint32_t dash = 0;
    while (dash < t.length && t.bytes[dash] != '-') dash++;
    if (dash < 4 || dash > 5 || !is_digit(t.bytes[dash - 1]) || !is_digit(t.bytes[dash - 2])) return false;
    *segment = (shunt_text){ t.bytes, dash - 2 };
    if (!looks_like_segment(*segment)) return false;
    *element = (uint16_t)((t.bytes[dash - 2] - '0') * 10 + t.bytes[dash - 1] - '0');
    *component = 0;
    if (dash == t.length) return true;
    unsigned number = 0;
    for (uint32_t i = dash + 1; i < t.length; i++) {
        if (!is_digit(t.bytes[i])) return false;
        number = number > 999 ? number : number * 10 + (unsigned)(t.bytes[i] - '0');
    }
    *component = (uint16_t)number;
    return dash + 1 < t.length && number > 0;
}

static bool segment_exists(shunt_text id)
{
    return shunt_segment_find(SHUNT_TEXT("005010"), id) || shunt_segment_find(SHUNT_TEXT("004010"), id);
}

bool names_message(shunt_text name)
{
    shunt_text segment;
    uint16_t   element, component;
    return split_element(name, &segment, &element, &component) || hl7_names_field(name) ||
           (looks_like_segment(name) && segment_exists(name));
}

static bool looks_like_loop(shunt_text t)
{
    if (t.length < 4 || t.length > 6) return false;
    for (uint32_t i = 0; i < t.length; i++)
        if (i < 4 ? !is_digit(t.bytes[i]) : !is_upper(t.bytes[i])) return false;
    return true;
}

shunt_text guide_words(check *k)
{
    const shunt_guide *guide = source_of(k)->guides[0];
    return check_format(k, "%s %s", guide->set, guide->version);
}

static shunt_text words_of_guide(check *k, uint32_t number)
{
    const shunt_guide *guide = source_of(k)->guides[number];
    return check_format(k, "%s %s", guide->set, guide->version);
}

/* ---- loops of the guides ---- */

static bool is_loop(const shunt_loop *loop, shunt_text id) { return shunt_text_is(id, loop->id); }

static bool key_has(const shunt_segment_node *node, shunt_text qualifier)
{
    return node->key && shunt_codeset_has(node->key, qualifier);
}

static void gather_segments(check *k, uint32_t guide, const shunt_loop *loop, shunt_text segment, shunt_text qualifier,
                            match_list *list)
{
    for (uint16_t i = 0; i < loop->body_count; i++) {
        const shunt_segment_node *node = loop->body[i].segment;
        if (!node || !shunt_text_is(segment, node->id) || (qualifier.length && !key_has(node, qualifier))) continue;
        *PUSH(k, list) = (shunt_loop_match){ guide, loop, node };
    }
}

/* What a loop stands in, where its id alone does not say which loop is meant: in base sets a loop is called by its first segment, and
 * N1 of an order is another one than N1 of its lines. The way goes up to a loop that has a name of its own, such as the levels of a
 * ship notice. Empty: all loops of this id are one (2300 below 2000B and below 2000C). */
static shunt_text around_of(check *k, const shunt_loop *loop)
{
    if (!loop->parent || source_of(k)->standard != SHUNT_STANDARD_X12 || !looks_like_segment(shunt_text_of(loop->id)))
        return (shunt_text){ 0 };
    return check_format(k, "%.*s/%s", SHUNT_TEXT_ARGS(around_of(k, loop->parent)), loop->parent->id);
}

/* `around` NULL: wherever it stands. */
static void gather_loops(check *k, uint32_t guide, const shunt_loop *loop, const shunt_loop_ref *ref, const shunt_text *around,
                         match_list *list)
{
    if (is_loop(loop, ref->id) && (!around || shunt_text_equal(around_of(k, loop), *around))) {
        if (ref->segment.length)
            gather_segments(k, guide, loop, ref->segment, ref->qualifier, list);
        else
            *PUSH(k, list) = (shunt_loop_match){ guide, loop, NULL };
    }
    for (uint16_t i = 0; i < loop->body_count; i++)
        if (loop->body[i].loop) gather_loops(k, guide, loop->body[i].loop, ref, around, list);
}

shunt_loop_ref *named_loop(check *k, shunt_text name, bool *fresh)
{
    uint32_t number, known = shunt_intern_count(k->loop_names);
    if (!shunt_intern_add(k->loop_names, name, &number)) longjmp(k->no_memory, 1);
    *fresh = number == known;
    if (!*fresh) return k->named_loops.items[number];
    shunt_loop_ref *ref = NEW(k, shunt_loop_ref);
    *PUSH(k, &k->named_loops) = ref;
    *PUSH(k, &k->loops) = ref;
    return ref;
}

static const shunt_loop_ref *ref_around(check *k, shunt_text id, const shunt_text *around, shunt_text segment,
                                        shunt_text qualifier)
{
    shunt_text empty = { 0 }, where = around ? *around : empty;
    shunt_text name = check_format(k, "%p %.*s %.*s %.*s%.*s", (void *)k->source, SHUNT_TEXT_ARGS(id), SHUNT_TEXT_ARGS(segment),
                                   SHUNT_TEXT_ARGS(qualifier), SHUNT_TEXT_ARGS(where));
    bool       fresh;
    shunt_loop_ref *ref = named_loop(k, name, &fresh);
    match_list      list = { 0 };
    if (!fresh) return ref;
    *ref = (shunt_loop_ref){ .source = k->source, .id = id, .segment = segment, .qualifier = qualifier };
    const shunt_source_info *source = source_of(k);
    for (uint32_t g = 0; g < source->guide_count; g++)
        gather_loops(k, g, source->guides[g]->body, ref, where.length ? &where : NULL, &list);
    ref->matches = list.items;
    ref->match_count = list.count;
    /* A name of several loops is none that a program reads by. */
    if (!where.length && list.count && around_of(k, list.items[0].loop).length) k->loops.count--;
    return ref;
}

const shunt_loop_ref *loop_ref(check *k, shunt_text id, shunt_text segment, shunt_text qualifier)
{
    return ref_around(k, id, NULL, segment, qualifier);
}

/* The loop of a guide and those that mean the same in this and in other guides. */
static const shunt_loop_ref *ref_of(check *k, const shunt_loop *loop)
{
    shunt_text around = around_of(k, loop);
    return ref_around(k, shunt_text_of(loop->id), &around, (shunt_text){ 0 }, (shunt_text){ 0 });
}

/* The segments of a loop, as a list. */
static const shunt_loop_ref *segments_of(check *k, const shunt_loop_ref *loop, shunt_text segment, shunt_text qualifier)
{
    shunt_text around = loop->match_count ? around_of(k, loop->matches[0].loop) : (shunt_text){ 0 };
    return ref_around(k, loop->id, &around, segment, qualifier);
}

const shunt_loop_ref *body_ref(check *k) { return loop_ref(k, (shunt_text){ 0 }, (shunt_text){ 0 }, (shunt_text){ 0 }); }

const shunt_loop_ref *plain_ref(check *k, const char *id)
{
    return loop_ref(k, shunt_text_of(id), (shunt_text){ 0 }, (shunt_text){ 0 });
}

bool loop_has_id(check *k, shunt_text id)
{
    return id.length && loop_ref(k, id, (shunt_text){ 0 }, (shunt_text){ 0 })->match_count > 0;
}

static uint32_t depth_of(const shunt_loop *loop)
{
    uint32_t depth = 0;
    for (; loop->parent; loop = loop->parent) depth++;
    return depth;
}

static bool stands_under(const shunt_loop *loop, shunt_text id)
{
    for (loop = loop->parent; loop; loop = loop->parent)
        if (is_loop(loop, id)) return true;
    return false;
}

uint32_t ancestors_of(check *k, const shunt_loop_ref *ref, ancestor found[static ANCESTORS])
{
    uint32_t count = 0;
    for (uint32_t m = 0; m < ref->match_count; m++) {
        const shunt_loop *loop = ref->matches[m].loop;
        if (!ref->segment.length) loop = loop->parent;
        for (; loop; loop = loop->parent) {
            const shunt_loop_ref *up = ref_of(k, loop);
            uint32_t              at = 0, depth = depth_of(loop);
            while (at < count && found[at].ref != up) at++;
            if (at < count || count == ANCESTORS) continue;
            for (at = count++; at > 0 && found[at - 1].depth < depth; at--) found[at] = found[at - 1];
            found[at] = (ancestor){ up, depth, true };
        }
    }
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t m = 0; m < ref->match_count && !ref->segment.length; m++)
            if (!stands_under(ref->matches[m].loop, found[i].ref->id)) found[i].always = false;
    return count;
}

bool has_segment(const shunt_loop_ref *ref, shunt_text segment)
{
    if (ref->segment.length) return shunt_text_equal(ref->segment, segment);
    for (uint32_t m = 0; m < ref->match_count; m++)
        for (uint16_t i = 0; i < ref->matches[m].loop->body_count; i++)
            if (ref->matches[m].loop->body[i].segment && shunt_text_is(segment, ref->matches[m].loop->body[i].segment->id))
                return true;
    return false;
}

/* The shortest way down from a loop to one with that id: loops into `chain`, their number, or 0. */
static uint32_t find_down(const shunt_loop *from, shunt_text id, uint32_t limit, uint32_t depth,
                          const shunt_loop *chain[static DOWN_AT_MOST])
{
    for (uint16_t i = 0; i < from->body_count; i++) {
        const shunt_loop *loop = from->body[i].loop;
        if (!loop) continue;
        chain[depth] = loop;
        if (depth + 1 == limit) {
            if (is_loop(loop, id)) return limit;
        } else {
            uint32_t found = find_down(loop, id, limit, depth + 1, chain);
            if (found) return found;
        }
    }
    return 0;
}

uint32_t shortest_down(const shunt_loop_ref *from, shunt_text id, const shunt_loop *chain[static DOWN_AT_MOST])
{
    if (from->segment.length) return 0;
    for (uint32_t limit = 1; limit <= DOWN_AT_MOST; limit++)
        for (uint32_t m = 0; m < from->match_count; m++)
            if (find_down(from->matches[m].loop, id, limit, 0, chain)) return limit;
    return 0;
}

bool in_every_guide(const check *k, const shunt_loop_ref *ref, uint32_t *missing)
{
    for (uint32_t g = 0; g < source_of(k)->guide_count; g++) {
        bool has = false;
        for (uint32_t m = 0; m < ref->match_count; m++) has = has || ref->matches[m].guide == g;
        if (!has) {
            *missing = g;
            return false;
        }
    }
    return true;
}

/* ---- messages about names of the guide ---- */

typedef struct offer {
    check        *k;
    shunt_suggest s;
} offer;

static void offer_loops(offer *o, const shunt_loop *loop)
{
    if (loop->parent) shunt_suggest_offer(&o->s, shunt_text_of(loop->id), shunt_text_of(loop->name), true, 0);
    for (uint16_t i = 0; i < loop->body_count; i++)
        if (loop->body[i].loop) offer_loops(o, loop->body[i].loop);
}

static void no_such_loop(check *k, const shunt_ast *node, shunt_text id)
{
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0202, node->span, "%.*s has no loop %.*s", SHUNT_TEXT_ARGS(guide_words(k)),
                                   SHUNT_TEXT_ARGS(id));
    offer       o = { .k = k };
    shunt_suggest_init(&o.s, id, 2);
    offer_loops(&o, source_of(k)->guides[0]->body);
    shunt_text near = shunt_suggest_text(&o.s, k->arena);
    if (near.length) shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
    shunt_diag_help(k->diags, d, "`shunt dict %s` lists the loops", source_of(k)->guides[0]->set);
}

void missing_in_guide(check *k, const shunt_ast *node, shunt_text shown, uint32_t guide, const char *what)
{
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0211, node->span, "`%.*s` is %s in %.*s", SHUNT_TEXT_ARGS(shown), what,
                                   SHUNT_TEXT_ARGS(words_of_guide(k, guide)));
    shunt_diag_here(k->diags, d, "not in every guide of `%.*s`", SHUNT_TEXT_ARGS(k->source->name));
    shunt_diag_also(k->diags, d, k->source->span, "this source lists several guides");
    shunt_diag_help(k->diags, d, "read only what all of them have, or write a source and a map for each guide");
}

/* Loops that hold the segment, for help: how each is reached from here. */
static void where_segment_stands(check *k, shunt_diag *d, const shunt_loop *loop, shunt_text segment, shunt_text shown,
                                 uint32_t *given)
{
    for (uint16_t i = 0; i < loop->body_count && *given < HELPS_SHOWN; i++) {
        if (loop->body[i].loop) where_segment_stands(k, d, loop->body[i].loop, segment, shown, given);
        const shunt_segment_node *node = loop->body[i].segment;
        if (!node || !shunt_text_is(segment, node->id) || !loop->parent) continue;
        (*given)++;
        if (loop->max == 1)
            shunt_diag_help(k->diags, d, "name the loop: `%s.%.*s` (%s)", loop->id, SHUNT_TEXT_ARGS(shown), loop->name);
        else
            shunt_diag_help(k->diags, d, "loop over it: `for each x in %s { ... x.%.*s ... }` (%s)", loop->id,
                            SHUNT_TEXT_ARGS(shown), loop->name);
        return;
    }
}

static void offer_segments(offer *o, const shunt_loop *loop)
{
    for (uint16_t i = 0; i < loop->body_count; i++) {
        if (loop->body[i].loop)
            offer_segments(o, loop->body[i].loop);
        else
            shunt_suggest_offer(&o->s, shunt_text_of(loop->body[i].segment->id), (shunt_text){ 0 }, true, 0);
    }
}

static bool type_fits_hint(check *k, const shunt_ast *node, const shunt_element *e, const shunt_ty *want);

/* Elements of a node whose name is nearly what is written. */
static void offer_elements_of(check *k, shunt_suggest *s, const shunt_segment_node *node, const shunt_ast *at,
                              const shunt_ty *want)
{
    for (uint16_t e = 1; e <= node->element_count; e++) {
        const shunt_element *element = &node->elements[e - 1];
        char                 name[16];
        if (element->usage == SHUNT_NOT_USED) continue;
        snprintf(name, sizeof name, "%s%02u", node->id, e);
        if (!shunt_suggest_is_slip(s->wanted, shunt_text_of(name))) continue;
        shunt_suggest_offer(s, check_format(k, "%s", name), shunt_text_of(element->name), type_fits_hint(k, at, element, want),
                            0);
    }
}

static void offer_elements_in(check *k, shunt_suggest *s, const shunt_loop *loop, const shunt_ast *at, const shunt_ty *want)
{
    for (uint16_t i = 0; i < loop->body_count; i++) {
        if (loop->body[i].loop)
            offer_elements_in(k, s, loop->body[i].loop, at, want);
        else
            offer_elements_of(k, s, loop->body[i].segment, at, want);
    }
}

void offer_near_elements(check *k, shunt_suggest *s, const shunt_ast *at, const shunt_ty *want)
{
    const shunt_symbol *source = k->source;
    if (!source || source->as.source->standard != SHUNT_STANDARD_X12 || source->as.source->guide_count == 0) return;
    offer_elements_in(k, s, source->as.source->guides[0]->body, at, want);
}

static void segment_not_at_hand(check *k, const shunt_ast *node, shunt_text segment, shunt_text shown)
{
    const shunt_guide *guide = source_of(k)->guides[0];
    offer              o = { .k = k };
    uint32_t           given = 0;
    shunt_diag        *d;
    bool               known = false;
    match_list         list = { 0 };
    shunt_loop_ref     any = { .segment = segment };
    for (uint32_t g = 0; g < source_of(k)->guide_count && !known; g++) {
        SHUNT_LIST(const shunt_loop *) open = { 0 };
        *PUSH(k, &open) = source_of(k)->guides[g]->body;
        while (open.count && !known) {
            const shunt_loop *loop = open.items[--open.count];
            gather_segments(k, g, loop, any.segment, any.qualifier, &list);
            known = list.count > 0;
            for (uint16_t i = 0; i < loop->body_count; i++)
                if (loop->body[i].loop) *PUSH(k, &open) = loop->body[i].loop;
        }
    }
    if (known && k->phase != PHASE_UNIT && k->phase != PHASE_TALLY) {
        const shunt_loop_ref *holder = list.items[0].loop->parent ? ref_of(k, list.items[0].loop) : NULL;
        if (holder && is_streamed(k, holder)) {
            (void)gone(k, node, holder);
            return;
        }
    }
    if (known) {
        d = shunt_diag_add(k->diags, SHUNT_E0202, node->span, "`%.*s` is not at hand here", SHUNT_TEXT_ARGS(shown));
        shunt_diag_here(k->diags, d, "no loop around this holds %.*s", SHUNT_TEXT_ARGS(segment));
        where_segment_stands(k, d, guide->body, segment, shown, &given);
        return;
    }
    d = shunt_diag_add(k->diags, SHUNT_E0202, node->span, "%.*s has no segment %.*s", SHUNT_TEXT_ARGS(guide_words(k)),
                       SHUNT_TEXT_ARGS(segment));
    shunt_suggest_init(&o.s, shown, 3);
    offer_near_elements(k, &o.s, node, NULL);
    if (!o.s.count) {
        shunt_suggest_init(&o.s, segment, 3);
        offer_segments(&o, guide->body);
    }
    shunt_text near = shunt_suggest_text(&o.s, k->arena);
    if (near.length) shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
    shunt_diag_help(k->diags, d, "`shunt dict %s` lists the segments", guide->set);
}

/* ---- going along ---- */

void maybe_missing(way *w, shunt_text why)
{
    w->optional = true;
    if (!w->why.length) w->why = why;
}

/* Attributes of a loop below what the way has come to: several of it, missing. */
void take_down(check *k, way *w, const shunt_loop_ref *to)
{
    const char *what = is_rows(k) ? "record" : "loop";
    for (uint32_t m = 0; m < to->match_count; m++) {
        const shunt_loop *loop = to->matches[m].loop;
        bool              below = false;
        for (uint32_t p = 0; p < w->loop->match_count; p++) below = below || w->loop->matches[p].loop == loop->parent;
        if (!below) continue;
        if (loop->max != 1) w->list = true;
        if (loop->usage != SHUNT_REQUIRED && loop->parent->parent)
            maybe_missing(w, check_format(k, "not every %s has a %s %s", loop->parent->id, what, loop->id));
        else if (loop->usage != SHUNT_REQUIRED)
            maybe_missing(w, check_format(k, "%s %s may be missing", what, loop->id));
    }
    w->loop = to;
    w->down[w->down_count++] = to;
}

static bool is_loop_name(check *k, shunt_text name) { return is_rows(k) ? loop_has_id(k, name) : looks_like_loop(name); }

bool several_on_the_way(check *k, const shunt_ast *node, const shunt_loop_ref *several, shunt_text wanted)
{
    if (k->phase != PHASE_UNIT && k->phase != PHASE_TALLY && is_streamed(k, several))
        return gone(k, node, is_loop_name(k, wanted) ? loop_ref(k, wanted, (shunt_text){ 0 }, (shunt_text){ 0 }) : several);
    const char *inner = is_loop_name(k, wanted) ? "" : "x.";
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0212, node->span, "there are several %.*s, and one is wanted",
                                   SHUNT_TEXT_ARGS(several->id));
    shunt_diag_here(k->diags, d, "loop %s repeats", several->matches[0].loop->id);
    shunt_diag_help(k->diags, d, "loop over it: `for each x in %.*s { ... %s%.*s ... }`", SHUNT_TEXT_ARGS(several->id), inner,
                    SHUNT_TEXT_ARGS(wanted));
    return false;
}

walked go_down(check *k, way *w, const shunt_ast *node, shunt_text id)
{
    const shunt_loop *chain[DOWN_AT_MOST];
    uint32_t          length = shortest_down(w->loop, id, chain), missing;
    if (!length || w->down_count + length > DOWN_AT_MOST) return WALK_OTHER;
    for (uint32_t i = 0; i < length; i++) {
        const shunt_loop_ref *to = ref_of(k, chain[i]);
        if (w->list) {
            several_on_the_way(k, node, w->loop, id);
            return WALK_REPORTED;
        }
        if (!in_every_guide(k, to, &missing)) {
            missing_in_guide(k, node, to->id, missing, "missing");
            return WALK_REPORTED;
        }
        take_down(k, w, to);
    }
    return WALK_LOOP;
}

bool nearest_loop_variable(const level **at)
{
    while (*at && (!(*at)->loop || (*at)->is_it)) *at = (*at)->outer;
    return *at != NULL;
}

void go_up(check *k, way *w, const level *from, const ancestor *to)
{
    *w = (way){ .start = from->variable, .up = to->ref, .loop = to->ref };
    if (!to->ref->id.length) *w = (way){ .loop = to->ref };
    if (!to->always)
        maybe_missing(
            w, check_format(k, "not every %.*s stands in a %.*s", SHUNT_TEXT_ARGS(from->loop->id), SHUNT_TEXT_ARGS(to->ref->id)));
}

walked head_loop(check *k, const shunt_ast *node, shunt_text id, way *w)
{
    const level *at = k->level;
    if (!loop_has_id(k, id)) {
        no_such_loop(k, node, id);
        return WALK_REPORTED;
    }
    for (; nearest_loop_variable(&at); at = at->outer) {
        ancestor around[ANCESTORS];
        if (shunt_text_equal(at->loop->id, id) && !at->loop->segment.length) {
            *w = (way){ .start = at->variable, .loop = at->loop };
            return WALK_LOOP;
        }
        *w = (way){ .start = at->variable, .loop = at->loop };
        walked found = go_down(k, w, node, id);
        if (found != WALK_OTHER) return found;
        uint32_t count = ancestors_of(k, at->loop, around);
        /* What stands around this is meant before anything below a nearer one: levels of a ship notice stand in several orders. */
        for (uint32_t i = 0; i < count; i++) {
            if (!around[i].ref->id.length || !shunt_text_equal(around[i].ref->id, id)) continue;
            go_up(k, w, at, &around[i]);
            return WALK_LOOP;
        }
        for (uint32_t i = 0; i < count; i++) {
            if (!around[i].ref->id.length) continue;
            go_up(k, w, at, &around[i]);
            found = go_down(k, w, node, id);
            if (found != WALK_OTHER) return found;
        }
    }
    *w = (way){ .loop = body_ref(k) };
    walked found = go_down(k, w, node, id);
    if (found == WALK_OTHER) no_such_loop(k, node, id);
    return found == WALK_OTHER ? WALK_REPORTED : found;
}

/* Two loops around this could be meant, depending on where the unit stands (2300 under 2000B or under 2000C). */
static bool ambiguous(check *k, const shunt_ast *node, const ancestor *around, uint32_t count, uint32_t at, shunt_text segment,
                      shunt_text shown)
{
    if (around[at].always) return false;
    for (uint32_t i = at + 1; i < count; i++) {
        if (!around[i].ref->id.length || !has_segment(around[i].ref, segment)) continue;
        shunt_text  a = around[at].ref->id, b = around[i].ref->id;
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0212, node->span, "`%.*s` may be that of %.*s or of %.*s",
                                       SHUNT_TEXT_ARGS(shown), SHUNT_TEXT_ARGS(a), SHUNT_TEXT_ARGS(b));
        shunt_diag_here(k->diags, d, "both stand around this");
        shunt_diag_help(k->diags, d, "name the loop: `%.*s.%.*s` or `%.*s.%.*s`", SHUNT_TEXT_ARGS(a), SHUNT_TEXT_ARGS(shown),
                        SHUNT_TEXT_ARGS(b), SHUNT_TEXT_ARGS(shown));
        return true;
    }
    return false;
}

/* A segment without a prefix: of the innermost loop around this that has one. */
static walked head_segment(check *k, const shunt_ast *node, shunt_text segment, shunt_text shown, way *w)
{
    const level *at = k->level;
    for (; nearest_loop_variable(&at); at = at->outer) {
        ancestor around[ANCESTORS];
        *w = (way){ .start = at->variable, .loop = at->loop, .segment = segment };
        if (has_segment(at->loop, segment)) return WALK_SEGMENT;
        uint32_t count = ancestors_of(k, at->loop, around);
        for (uint32_t i = 0; i < count; i++) {
            if (!around[i].ref->id.length || !has_segment(around[i].ref, segment)) continue;
            if (ambiguous(k, node, around, count, i, segment, shown)) return WALK_REPORTED;
            go_up(k, w, at, &around[i]);
            w->segment = segment;
            return WALK_SEGMENT;
        }
    }
    *w = (way){ .loop = body_ref(k), .segment = segment };
    if (has_segment(w->loop, segment)) return WALK_SEGMENT;
    segment_not_at_hand(k, node, segment, shown);
    return WALK_REPORTED;
}

/* ---- the nodes that a segment of a way can be ---- */

static void gather_nodes(check *k, const way *w, shunt_text qualifier, match_list *list)
{
    for (uint32_t m = 0; m < w->loop->match_count; m++) {
        shunt_loop_match match = w->loop->matches[m];
        if (!match.segment)
            gather_segments(k, match.guide, match.loop, w->segment, qualifier, list);
        else if (!qualifier.length || key_has(match.segment, qualifier))
            *PUSH(k, list) = match;
    }
}

static bool contains_ignoring_case(shunt_text whole, shunt_text part)
{
    for (uint32_t i = 0; part.length && i + part.length <= whole.length; i++) {
        uint32_t j = 0;
        while (j < part.length && (whole.bytes[i + j] | 32) == (part.bytes[j] | 32)) j++;
        if (j == part.length) return true;
    }
    return false;
}

static bool node_uses(const shunt_segment_node *node, uint16_t element)
{
    if (!element) return true;
    return element <= node->element_count && node->elements[element - 1].usage != SHUNT_NOT_USED;
}

/* The loop that an author writes before the segment: "1000A.", or nothing where it is around this. */
static shunt_text prefix_of(check *k, const way *w)
{
    uint32_t steps = w->down_count; /* the last one may be the segment itself */
    if (steps && w->down[steps - 1]->segment.length) steps--;
    if (steps) return check_format(k, "%.*s.", SHUNT_TEXT_ARGS(w->down[steps - 1]->id));
    return w->up ? check_format(k, "%.*s.", SHUNT_TEXT_ARGS(w->up->id)) : (shunt_text){ 0 };
}

/* "`NM1["82"].NM109` (rendering provider), ...": what is being filled first, then the order of the guide. */
static shunt_text qualified_forms(check *k, const way *w, const match_list *nodes, shunt_text shown)
{
    shunt_text text = { 0 };
    bool       ranked = false;
    for (uint32_t m = 0; m < nodes->count; m++)
        ranked = ranked || contains_ignoring_case(shunt_text_of(nodes->items[m].segment->name), k->filling);
    uint32_t shown_at_most = ranked ? 2 : HELPS_SHOWN, given = 0, left = 0;
    for (int pass = ranked ? 0 : 1; pass < 2; pass++)
        for (uint32_t m = 0; m < nodes->count; m++) {
            const shunt_segment_node *node = nodes->items[m].segment;
            bool                      first = ranked && contains_ignoring_case(shunt_text_of(node->name), k->filling);
            if (nodes->items[m].guide || nodes->items[m].loop != nodes->items[0].loop || !node->key ||
                !node_uses(node, w->element))
                continue;
            if (first != (pass == 0)) continue;
            for (uint32_t v = 0; v < node->key->count; v++) {
                if (given == shown_at_most) {
                    left++;
                    continue;
                }
                const char *name = node->key->names && node->key->names[v] && node->key->count > 1 ? node->key->names[v]
                                   : node->key->count > 1                                          ? ""
                                                                                                   : node->name;
                text = check_format(k, "%.*s%s`%.*s%.*s[\"%s\"]%s%.*s`%s%s%s", SHUNT_TEXT_ARGS(text), given ? ", " : "",
                                    SHUNT_TEXT_ARGS(prefix_of(k, w)), SHUNT_TEXT_ARGS(w->segment), node->key->values[v],
                                    w->element ? "." : "", SHUNT_TEXT_ARGS(shown), *name ? " (" : "", name, *name ? ")" : "");
                given++;
            }
        }
    if (left && !ranked) text = check_format(k, "%.*s and %u more", SHUNT_TEXT_ARGS(text), left);
    return text;
}

static shunt_text loop_words(check *k, const shunt_loop_ref *ref)
{
    if (!ref->id.length) return SHUNT_TEXT("the header");
    return check_format(k, "loop %.*s", SHUNT_TEXT_ARGS(ref->id));
}

static bool needs_qualifier(check *k, const shunt_ast *node, const way *w, const match_list *nodes, shunt_text shown)
{
    bool several = false;
    for (uint32_t m = 0; m < nodes->count; m++) {
        const shunt_segment_node *s = nodes->items[m].segment;
        if (m && nodes->items[m].loop == nodes->items[m - 1].loop) several = true;
        if (s->key && s->key->count > 1 && s->max != 1) several = true;
    }
    if (!several || w->loop->segment.length) return false;
    shunt_text  forms = qualified_forms(k, w, nodes, shown), where = loop_words(k, w->loop);
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0204, node->span, "%.*s holds several %.*s segments", SHUNT_TEXT_ARGS(where),
                                   SHUNT_TEXT_ARGS(w->segment));
    shunt_diag_here(k->diags, d, "which %.*s?", SHUNT_TEXT_ARGS(w->segment));
    if (forms.length)
        shunt_diag_help(k->diags, d, "name it by its qualifier: %.*s", SHUNT_TEXT_ARGS(forms));
    else
        shunt_diag_help(k->diags, d, "loop over them: `for each x in %.*s { ... x.%.*s ... }`", SHUNT_TEXT_ARGS(w->segment),
                        SHUNT_TEXT_ARGS(shown));
    return true;
}

static void wrong_qualifier(check *k, const shunt_ast *node, const way *w, const match_list *all, shunt_text shown)
{
    const shunt_ast *written = node;
    while (written->kind == SHUNT_AST_MEMBER) written = kid(written, SHUNT_MEMBER_of);
    if (written->kind == SHUNT_AST_INDEX) written = kid(kid(written, SHUNT_INDEX_keys), 0);
    shunt_text  where = loop_words(k, w->loop);
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0206, written->span, "\"%.*s\" is no qualifier of %.*s in %.*s",
                                   SHUNT_TEXT_ARGS(w->qualifier), SHUNT_TEXT_ARGS(w->segment), SHUNT_TEXT_ARGS(where));
    shunt_text  forms = qualified_forms(k, w, all, shown);
    if (forms.length)
        shunt_diag_help(k->diags, d, "this guide has %.*s", SHUNT_TEXT_ARGS(forms));
    else
        shunt_diag_help(k->diags, d, "%.*s stands here without qualifiers", SHUNT_TEXT_ARGS(w->segment));
    ancestor around[ANCESTORS];
    uint32_t count = w->loop->segment.length ? 0 : ancestors_of(k, w->loop, around);
    for (uint32_t i = 0; i < count; i++) {
        match_list further = { 0 };
        way        outer = { .loop = around[i].ref, .segment = w->segment };
        gather_nodes(k, &outer, w->qualifier, &further);
        if (!further.count || !around[i].ref->id.length) continue;
        shunt_diag_help(k->diags, d, "loop %.*s around it has one: `%.*s.%.*s[\"%.*s\"]%s%.*s`", SHUNT_TEXT_ARGS(outer.loop->id),
                        SHUNT_TEXT_ARGS(outer.loop->id), SHUNT_TEXT_ARGS(w->segment), SHUNT_TEXT_ARGS(w->qualifier),
                        w->element ? "." : "", SHUNT_TEXT_ARGS(shown));
        return;
    }
}

/* Nodes of the segment, picked by its qualifier, in every guide. False: reported. */
static bool pick_nodes(check *k, const shunt_ast *node, const way *w, shunt_text shown, match_list *nodes)
{
    match_list all = { 0 };
    gather_nodes(k, w, (shunt_text){ 0 }, &all);
    if (!w->qualifier.length) {
        if (needs_qualifier(k, node, w, &all, shown)) return false;
        *nodes = all;
    } else {
        gather_nodes(k, w, w->qualifier, nodes);
        if (!nodes->count) {
            wrong_qualifier(k, node, w, &all, shown);
            return false;
        }
    }
    for (uint32_t g = 0; g < source_of(k)->guide_count; g++) {
        bool has = false;
        for (uint32_t m = 0; m < nodes->count; m++) has = has || nodes->items[m].guide == g;
        if (has) continue;
        shunt_text what = w->qualifier.length
                              ? check_format(k, "%.*s[\"%.*s\"]", SHUNT_TEXT_ARGS(w->segment), SHUNT_TEXT_ARGS(w->qualifier))
                              : w->segment;
        missing_in_guide(k, node, what, g, "missing");
        return false;
    }
    return true;
}

/* One instance at most? A node that allows several qualifiers and no more repeats than those has one of each. */
static bool stands_once(const shunt_segment_node *node, bool qualified)
{
    if (node->max == 1) return true;
    return qualified && node->max && node->key && node->key->count > 1 && node->max <= node->key->count;
}

/* ---- types of elements ---- */

static bool amount_type(check *k, const shunt_ast *node, shunt_text shown, const shunt_element *e, shunt_ty *type)
{
    uint8_t scale = 2;
    if (!source_of(k)->currency[0]) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0305, k->source->span, "source `%.*s` does not say its `currency`",
                                       SHUNT_TEXT_ARGS(k->source->name));
        shunt_diag_also(k->diags, d, node->span, "`%.*s` is an amount", SHUNT_TEXT_ARGS(shown));
        shunt_diag_help(k->diags, d, "add a setting to the source: `{ currency: USD }`");
        return false;
    }
    (void)shunt_currency_find(shunt_text_of(source_of(k)->currency), &scale);
    *type = shunt_ty_money(source_of(k)->currency, e->decimals > scale ? e->decimals : scale);
    return true;
}

bool element_type(check *k, const shunt_ast *node, shunt_text shown, const shunt_element *e, shunt_ty *type)
{
    switch ((shunt_value_type)e->type) {
    case SHUNT_VALUE_AMOUNT:
        if (!amount_type(k, node, shown, e, type)) return false;
        break;
    case SHUNT_VALUE_CODE:
        *type = (shunt_ty){ .kind = SHUNT_TY_CODE, .length = e->max_length };
        type->codes = e->codes;
        break;
    case SHUNT_VALUE_DECIMAL:
    case SHUNT_VALUE_IMPLIED: *type = shunt_ty_decimal(0, e->decimals); break;
    case SHUNT_VALUE_INT: *type = shunt_ty_plain(SHUNT_TY_INT); break;
    case SHUNT_VALUE_DATE:
    case SHUNT_VALUE_DATE_BY_QUALIFIER: *type = shunt_ty_plain(SHUNT_TY_DATE); break;
    case SHUNT_VALUE_TIME: *type = shunt_ty_plain(SHUNT_TY_TIME); break;
    case SHUNT_VALUE_MOMENT: *type = shunt_ty_plain(SHUNT_TY_MOMENT); break;
    case SHUNT_VALUE_BOOL: *type = shunt_ty_plain(SHUNT_TY_BOOL); break;
    default: *type = shunt_ty_text(e->max_length, false); break;
    }
    type->phi = k->phase == PHASE_FUNCTION ? 0 : e->phi;
    return true;
}

/* What the elements of two guides or places are together. */
bool join_value_types(shunt_value_type *joined, shunt_value_type other)
{
    shunt_value_type a = *joined;
    if (a == other) return true;
    bool text = (a == SHUNT_VALUE_TEXT || a == SHUNT_VALUE_CODE) && (other == SHUNT_VALUE_TEXT || other == SHUNT_VALUE_CODE);
    bool date = (a == SHUNT_VALUE_DATE || a == SHUNT_VALUE_DATE_BY_QUALIFIER) &&
                (other == SHUNT_VALUE_DATE || other == SHUNT_VALUE_DATE_BY_QUALIFIER);
    if (text) *joined = SHUNT_VALUE_TEXT;
    if (date) *joined = SHUNT_VALUE_DATE_BY_QUALIFIER;
    return text || date;
}

static bool type_fits_hint(check *k, const shunt_ast *node, const shunt_element *e, const shunt_ty *want)
{
    if (!want || want->kind == SHUNT_TY_ERROR) return true;
    shunt_ty type = ty_error();
    if (e->type == SHUNT_VALUE_AMOUNT) return want->kind == SHUNT_TY_MONEY;
    if (!element_type(k, node, (shunt_text){ 0 }, e, &type)) return true;
    return shunt_ty_compare(&type, want) == SHUNT_FITS;
}

static void no_such_component(check *k, const shunt_ast *node, const way *w, const shunt_element *e, shunt_text shown)
{
    shunt_text    whole = check_format(k, "%.*s%02u", SHUNT_TEXT_ARGS(w->segment), w->element), guide = guide_words(k);
    shunt_diag   *d = shunt_diag_add(k->diags, SHUNT_E0203, node->span, "`%.*s` is not a component of %.*s in %.*s",
                                     SHUNT_TEXT_ARGS(shown), SHUNT_TEXT_ARGS(whole), SHUNT_TEXT_ARGS(guide));
    shunt_suggest s;
    uint16_t      last = e->component_count;
    while (last > 1 && e->components[last - 1].usage == SHUNT_NOT_USED) last--;
    shunt_diag_here(k->diags, d, "the last component of %.*s in this guide is %.*s-%u", SHUNT_TEXT_ARGS(whole),
                    SHUNT_TEXT_ARGS(whole), last);
    shunt_suggest_init(&s, shown, 2);
    for (uint16_t c = 1; c <= last; c++)
        if (e->components[c - 1].usage != SHUNT_NOT_USED)
            shunt_suggest_offer(&s, check_format(k, "%.*s-%u", SHUNT_TEXT_ARGS(whole), c),
                                shunt_text_of(e->components[c - 1].name), true, (uint32_t)abs(w->component - c));
    shunt_text near = shunt_suggest_in_order(&s, k->arena);
    if (near.length) shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
    shunt_diag_help(k->diags, d, "`shunt dict %s %.*s` lists the segment", source_of(k)->guides[0]->set,
                    SHUNT_TEXT_ARGS(w->segment));
}

static void no_such_element(check *k, const shunt_ast *node, const way *w, const shunt_segment_node *segment, shunt_text shown,
                            const shunt_ty *want)
{
    shunt_text guide = guide_words(k);
    if (w->component && w->element && w->element <= segment->element_count && segment->elements[w->element - 1].component_count) {
        no_such_component(k, node, w, &segment->elements[w->element - 1], shown);
        return;
    }
    shunt_diag   *d = shunt_diag_add(k->diags, SHUNT_E0203, node->span, "`%.*s` is not an element of %s in %.*s",
                                     SHUNT_TEXT_ARGS(shown), segment->id, SHUNT_TEXT_ARGS(guide));
    shunt_suggest s;
    uint16_t      last = segment->element_count;
    while (last > 1 && segment->elements[last - 1].usage == SHUNT_NOT_USED) last--;
    if (last) shunt_diag_here(k->diags, d, "the last element of %s in this guide is %s%02u", segment->id, segment->id, last);
    shunt_suggest_init(&s, check_format(k, "%s%02u", segment->id, w->element), 2);
    for (uint16_t e = 1; e <= last; e++) {
        const shunt_element *element = &segment->elements[e - 1];
        if (element->usage == SHUNT_NOT_USED || !type_fits_hint(k, node, element, want)) continue;
        shunt_suggest_offer(&s, check_format(k, "%s%02u", segment->id, e), shunt_text_of(element->name), true,
                            (uint32_t)(e > w->element ? e - w->element : w->element - e));
    }
    shunt_text near = shunt_suggest_in_order(&s, k->arena);
    if (near.length) shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
    shunt_diag_help(k->diags, d, "`shunt dict %s %s` lists the segment", source_of(k)->guides[0]->set, segment->id);
}

static void no_components(check *k, const shunt_ast *node, const way *w, const shunt_element *e, shunt_text shown)
{
    static const char *const kinds[] = { [SHUNT_VALUE_TEXT] = "a text",      [SHUNT_VALUE_CODE] = "a code",
                                         [SHUNT_VALUE_AMOUNT] = "an amount", [SHUNT_VALUE_DECIMAL] = "a number",
                                         [SHUNT_VALUE_IMPLIED] = "a number", [SHUNT_VALUE_INT] = "a number",
                                         [SHUNT_VALUE_DATE] = "a date",      [SHUNT_VALUE_DATE_BY_QUALIFIER] = "a date",
                                         [SHUNT_VALUE_TIME] = "a time",      [SHUNT_VALUE_BINARY] = "binary",
                                         [SHUNT_VALUE_COMPOSITE] = "" };
    shunt_text               whole = check_format(k, "%.*s%02u", SHUNT_TEXT_ARGS(w->segment), w->element);
    shunt_diag              *d = shunt_diag_add(k->diags, SHUNT_E0105, node->span, "`%.*s` reads as component %u of %.*s",
                                                SHUNT_TEXT_ARGS(shown), w->component, SHUNT_TEXT_ARGS(whole));
    shunt_diag_here(k->diags, d, "%.*s is %s, it has no components", SHUNT_TEXT_ARGS(whole), kinds[e->type]);
    shunt_diag_help(k->diags, d, "to subtract, put spaces: `%.*s - %u`", SHUNT_TEXT_ARGS(whole), w->component);
}

static void whole_composite(check *k, const shunt_ast *node, const shunt_element *e, shunt_text shown)
{
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0212, node->span, "`%.*s` holds several components, and one is wanted",
                                   SHUNT_TEXT_ARGS(shown));
    shunt_text  names = { 0 };
    uint32_t    given = 0;
    shunt_diag_here(k->diags, d, "%s", e->name);
    for (uint16_t c = 0; c < e->component_count && given < HELPS_SHOWN; c++) {
        if (e->components[c].usage == SHUNT_NOT_USED) continue;
        names = check_format(k, "%.*s%s`%.*s-%u` (%s)", SHUNT_TEXT_ARGS(names), given++ ? ", " : "", SHUNT_TEXT_ARGS(shown),
                             c + 1u, e->components[c].name);
    }
    if (names.length) shunt_diag_help(k->diags, d, "name one: %.*s", SHUNT_TEXT_ARGS(names));
}

typedef struct element_facts {
    shunt_value_type value;
    uint8_t          implied;
    shunt_ty         type;
    bool             optional;
    shunt_text       why;
} element_facts;

/* The classes of the element where its segment was picked by this qualifier; empty: by none. */
static uint32_t classes_of_key(const shunt_element *e, shunt_text qualifier)
{
    for (const shunt_key_phi *one = e->phi_by_key; one && one->value && qualifier.length; one++)
        if (shunt_text_is(qualifier, one->value)) return one->phi;
    return e->phi;
}

/* Takes one node's element into what is known of the others. False: reported. */
static bool take_element(check *k, const shunt_ast *node, shunt_text shown, const shunt_element *e, shunt_text qualifier,
                         bool first, element_facts *f)
{
    shunt_ty         type;
    shunt_value_type value = (shunt_value_type)e->type;
    if (!element_type(k, node, shown, e, &type)) return false;
    if (k->phase != PHASE_FUNCTION) type.phi = classes_of_key(e, qualifier);
    if (e->usage != SHUNT_REQUIRED && !f->optional) {
        f->optional = true;
        f->why = check_format(k, "the guide does not require %.*s", SHUNT_TEXT_ARGS(shown));
    }
    if (first) {
        f->value = value;
        f->type = type;
        f->implied = e->implied;
        return true;
    }
    if (!join_value_types(&f->value, value) || f->implied != e->implied) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0211, node->span, "`%.*s` is of another type in each guide", SHUNT_TEXT_ARGS(shown));
        shunt_diag_help(k->diags, d, "write a source and a map for each guide");
        return false;
    }
    (void)shunt_ty_join(k->arena, &f->type, &type, &f->type);
    return true;
}

/* The element in every node; those without it are left out of `nodes` where others of the same guide have it. */
static bool take_elements(check *k, const shunt_ast *node, const way *w, shunt_text shown, const shunt_ty *want,
                          match_list *nodes, element_facts *f)
{
    uint32_t             kept = 0, used_guides = 0, unused = 0;
    const shunt_element *simple = NULL, *whole = NULL;
    if (!nodes->count) return false;
    const shunt_segment_node *sample = nodes->items[0].segment;
    for (uint32_t m = 0; m < nodes->count; m++) {
        shunt_loop_match     match = nodes->items[m];
        const shunt_element *e =
            w->element && w->element <= match.segment->element_count ? &match.segment->elements[w->element - 1] : NULL;
        const shunt_element *outer = e;
        if (e && w->component) {
            if (!e->component_count) simple = e;
            e = e->component_count ? (w->component <= e->component_count ? &e->components[w->component - 1] : NULL) : NULL;
        } else if (e && e->component_count) {
            whole = e;
        }
        if (!e) continue;
        if (e->usage == SHUNT_NOT_USED || outer->usage == SHUNT_NOT_USED)
            unused |= 1u << (match.guide & 31);
        else if (!whole) {
            if (!take_element(k, node, shown, e, w->qualifier, kept == 0, f)) return false;
            if (outer != e && outer->usage != SHUNT_REQUIRED && !f->optional) {
                f->optional = true;
                f->why = check_format(k, "the guide does not require %.*s%02u", SHUNT_TEXT_ARGS(w->segment), w->element);
            }
            used_guides |= 1u << (match.guide & 31);
            nodes->items[kept++] = match;
        }
    }
    nodes->count = kept;
    if (simple && !kept) {
        no_components(k, node, w, simple, shown);
        return false;
    }
    if (whole) {
        whole_composite(k, node, whole, shown);
        return false;
    }
    if (!kept && !unused) {
        no_such_element(k, node, w, sample, shown, want);
        return false;
    }
    if (!kept) {
        shunt_text  guide = guide_words(k);
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0205, node->span, "`%.*s` is not used in %.*s", SHUNT_TEXT_ARGS(shown),
                                       SHUNT_TEXT_ARGS(guide));
        shunt_diag_here(k->diags, d, "senders that follow the guide leave it out");
        shunt_diag_help(k->diags, d, "`shunt dict %s %s` lists what is used", source_of(k)->guides[0]->set, sample->id);
        return false;
    }
    for (uint32_t g = 0; g < source_of(k)->guide_count && g < 32; g++) {
        if (used_guides & 1u << g) continue;
        missing_in_guide(k, node, shown, g, unused & 1u << g ? "not used" : "missing");
        return false;
    }
    return true;
}

/* ---- order of arrival ---- */

/* The entry of `loop` that leads to the units of the map, or NULL. */
static const shunt_loop *towards(const shunt_loop *loop, const shunt_loop_ref *unit)
{
    for (uint32_t m = 0; m < unit->match_count; m++)
        for (const shunt_loop *at = unit->matches[m].loop; at && at->parent; at = at->parent)
            if (at->parent == loop) return at;
    return NULL;
}

static shunt_text unit_words(check *k)
{
    if (!k->unit_each) return (shunt_text){ 0 };
    shunt_text each = source_text(k, k->unit_each->span);
    return check_format(k, "this is inside `%.*s` (line %u)", SHUNT_TEXT_ARGS(each), line_of(k, k->unit_each->span));
}

static bool not_arrived(check *k, const shunt_ast *node, shunt_text what, shunt_text label)
{
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_E0601, node->span, "`%.*s` has not arrived when this runs", SHUNT_TEXT_ARGS(what));
    shunt_text inside = unit_words(k);
    shunt_diag_here(k->diags, d, "%.*s", SHUNT_TEXT_ARGS(label));
    if (inside.length && k->phase == PHASE_UNIT) shunt_diag_note(k->diags, d, "%.*s", SHUNT_TEXT_ARGS(inside));
    if (is_hl7(k))
        shunt_diag_help(k->diags, d, "make the message the unit: `for each m in %.*s { ... }`; all of it is at hand there",
                        SHUNT_TEXT_ARGS(k->source->name));
    else
        shunt_diag_help(k->diags, d, "move it to `at end { ... }`, and keep what you need from the claims in a `tally`");
    return false;
}

bool gone(check *k, const shunt_ast *node, const shunt_loop_ref *loop)
{
    bool        ends = k->phase == PHASE_END || k->phase == PHASE_WIDE_END;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0601, node->span,
                                   ends ? "loop %.*s is gone when this runs" : "loop %.*s has not arrived when this runs",
                                   SHUNT_TEXT_ARGS(loop->id));
    if (k->phase == PHASE_UNIT)
        shunt_diag_here(k->diags, d, "one unit at a time is at hand");
    else
        shunt_diag_here(k->diags, d, ends ? "each one was let go when it was done" : "they come one by one, after this");
    shunt_diag_help(
        k->diags, d,
        "keep what you need in a `tally`: `tally NAME: TYPE of EXPRESSION for each x in %.*s`, and read it in `at end`",
        SHUNT_TEXT_ARGS(loop->id));
    if (is_hl7(k))
        shunt_diag_help(k->diags, d, "or make the message the unit: `for each m in %.*s { ... }`; all of it is at hand there",
                        SHUNT_TEXT_ARGS(k->source->name));
    return false;
}

/* The place where the units of the map begin, in each guide: what comes behind it in the set's own body is late. */
static bool is_late(check *k, const shunt_loop *root, uint16_t position, const shunt_loop *step)
{
    bool inside = k->phase == PHASE_UNIT || k->phase == PHASE_TALLY;
    if (inside && k->unit_loop) {
        const shunt_loop *unit = towards(root, k->unit_loop);
        return unit && unit != step && position >= unit->position;
    }
    for (uint32_t u = 0; u < k->units.count; u++) {
        const shunt_loop *unit = towards(root, k->units.items[u]);
        if (unit && unit != step && position >= unit->position) return true;
    }
    return false;
}

static const char *last_unit_id(check *k)
{
    const shunt_loop_ref *unit = k->unit_loop;
    if (!unit && k->units.count) unit = k->units.items[0];
    return unit && unit->match_count ? unit->matches[0].loop->id : "";
}

static bool is_above(const shunt_loop *upper, const shunt_loop *lower)
{
    while (lower && lower != upper) lower = lower->parent;
    return lower != NULL;
}

/* What stands in a document of trade is bounded by `max_unit_bytes` alone: its base set has no limits. The same holds for answers to a
 * group (999). */
static bool is_document(check *k)
{
    const shunt_source_info *source = source_of(k);
    if (source->standard != SHUNT_STANDARD_X12) return false;
    return !source->guides[0]->health_care || strcmp(source->guides[0]->functional_id, "FA") == 0;
}

bool is_streamed(check *k, const shunt_loop_ref *ref)
{
    for (uint32_t u = 0; u < k->units.count; u++) {
        const shunt_loop_ref *unit = k->units.items[u];
        for (uint32_t m = 0; m < ref->match_count; m++)
            for (uint32_t n = 0; n < unit->match_count; n++) {
                const shunt_loop *a = ref->matches[m].loop, *b = unit->matches[n].loop;
                if (is_above(a, b) || is_above(b, a)) return true;
            }
    }
    for (uint32_t m = 0; m < ref->match_count && !is_hl7(k) && !is_document(k); m++)
        if (ref->matches[m].loop->max == 0) return true;
    return false;
}

bool outside_of_the_map(check *k, const shunt_ast *node, shunt_text shown)
{
    shunt_diag *d;
    if (reads_records(k, node, shown)) return false;
    switch (k->phase) {
    case PHASE_FUNCTION:
        d = shunt_diag_add(k->diags, SHUNT_E0911, node->span, "function `%.*s` reads the message",
                           SHUNT_TEXT_ARGS(k->function->symbol.name));
        shunt_diag_here(k->diags, d, "a function knows its parameters only");
        shunt_diag_help(k->diags, d, "add a parameter to `%.*s`, and pass `%.*s` where it is called",
                        SHUNT_TEXT_ARGS(k->function->symbol.name), SHUNT_TEXT_ARGS(shown));
        return false;
    case PHASE_TARGET:
        d = shunt_diag_add(k->diags, SHUNT_E0911, node->span, "a target reads the message");
        shunt_diag_here(k->diags, d, "a target knows its own fields only");
        shunt_diag_help(k->diags, d, "give the target a field for it, and fill the field in the map");
        return false;
    case PHASE_NONE:
        d = shunt_diag_add(k->diags, SHUNT_E0911, node->span, "`%.*s` is read outside of a map", SHUNT_TEXT_ARGS(shown));
        shunt_diag_here(k->diags, d, "there is no message here");
        shunt_diag_help(k->diags, d, "move it into a `map`");
        return false;
    case PHASE_WIDE_END:
        d = shunt_diag_add(k->diags, SHUNT_E0601, node->span, "`%.*s` is gone when this runs", SHUNT_TEXT_ARGS(shown));
        shunt_diag_here(k->diags, d, "the transaction that held it has ended");
        shunt_diag_help(k->diags, d, "keep what you need in a tally of this scope: `tally NAME: TYPE per %s`",
                        k->end_scope == SHUNT_LANG_BATCH ? "batch" : "file");
        return false;
    default: return true;
    }
}

bool arrived(check *k, const shunt_ast *node, const way *w)
{
    if (w->base || (w->start && !w->up)) return true;
    const shunt_loop_ref *root = w->up ? w->up : body_ref(k);
    const shunt_loop_ref *step = w->down_count ? w->down[0] : NULL;
    for (uint32_t i = 0; i < w->down_count; i++)
        if (is_streamed(k, w->down[i]) && (k->phase != PHASE_UNIT || w->list || i + 1 < w->down_count))
            return gone(k, node, w->down[i]);
    for (uint32_t m = 0; m < root->match_count; m++) {
        const shunt_loop *body = root->matches[m].loop;
        for (uint16_t i = 0; i < body->body_count; i++) {
            const shunt_entry *entry = &body->body[i];
            bool               match = step ? entry->loop && is_loop(entry->loop, step->id)
                                            : entry->segment && shunt_text_is(w->segment, entry->segment->id);
            if (match && !step && w->qualifier.length && !key_has(entry->segment, w->qualifier)) match = false;
            uint16_t position = entry->loop ? entry->loop->position : entry->segment ? entry->segment->position : 0;
            if (!match || !is_late(k, body, position, entry->loop)) continue;
            shunt_text what = step ? check_format(k, "%.*s", SHUNT_TEXT_ARGS(step->id)) : w->segment;
            if (k->phase == PHASE_GLOBAL || k->phase == PHASE_END) {
                if (!k->late.length) k->late = what;
                return true;
            }
            return not_arrived(k, node, what,
                               check_format(k, "%.*s comes after the last %s loop", SHUNT_TEXT_ARGS(what), last_unit_id(k)));
        }
    }
    return true;
}

bool check_arrival_of_segment(check *k, const shunt_ast *node, const char *segment)
{
    way w = { .loop = body_ref(k), .segment = shunt_text_of(segment) };
    return outside_of_the_map(k, node, w.segment) && arrived(k, node, &w);
}

/* ---- a finished path ---- */

static shunt_text shown_path(check *k, const way *w, shunt_text element)
{
    shunt_text prefix = prefix_of(k, w);
    if (!w->segment.length) return prefix.length ? (shunt_text){ prefix.bytes, prefix.length - 1 } : w->loop->id;
    if (w->qualifier.length)
        return check_format(k, "%.*s%.*s[\"%.*s\"]%s%.*s", SHUNT_TEXT_ARGS(prefix), SHUNT_TEXT_ARGS(w->segment),
                            SHUNT_TEXT_ARGS(w->qualifier), element.length ? "." : "", SHUNT_TEXT_ARGS(element));
    return check_format(k, "%.*s%.*s", SHUNT_TEXT_ARGS(prefix), SHUNT_TEXT_ARGS(element.length ? element : w->segment));
}

described_path *new_path(check *k, const way *w, shunt_path_kind kind)
{
    described_path *p = NEW(k, described_path);
    p->path = (shunt_path){ .kind = kind,
                            .base = w->base,
                            .start = w->start,
                            .up = w->up,
                            .down_count = w->down_count,
                            .loop = w->loop,
                            .qualifier = w->qualifier };
    if (w->down_count) {
        p->path.down = NEW_N(k, const shunt_loop_ref *, w->down_count);
        memcpy(p->path.down, w->down, w->down_count * sizeof *w->down);
    }
    p->why = w->why;
    if (w->start && !w->up) k->levels |= decl_of(w->start)->levels;
    if (!w->start && !w->base) k->levels |= SET_LEVEL;
    return p;
}

shunt_ty path_fact(check *k, shunt_ast *node, described_path *p, shunt_ty type)
{
    if (type.kind == SHUNT_TY_MOMENT && p->path.loop) {
        const shunt_source_info *source = p->path.loop->source->as.source;
        /* A dateTime of FHIR that has a time has a zone. */
        type.zoneless = !source->zone.length && source->standard != SHUNT_STANDARD_FHIR;
    }
    shunt_fact *fact = check_fact(k, node);
    fact->kind = SHUNT_FACT_PATH;
    fact->path = &p->path;
    return check_typed(k, node, type);
}

static bool finish_value(check *k, shunt_ast *node, way *w, shunt_text element, const shunt_ty *want, shunt_ty *type)
{
    match_list    nodes = { 0 };
    element_facts f = { 0 };
    if (!pick_nodes(k, node, w, element, &nodes)) return false;
    bool several = w->list;
    for (uint32_t m = 0; m < nodes.count && !w->loop->segment.length; m++)
        several = several || !stands_once(nodes.items[m].segment, w->qualifier.length > 0);
    if (!take_elements(k, node, w, element, want, &nodes, &f) || !arrived(k, node, w)) return false;
    if (several) {
        shunt_text which = shown_path(k, w, (shunt_text){ 0 });
        if (w->list) {
            several_on_the_way(k, node, w->loop, element);
            return false;
        }
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0212, node->span, "there may be several `%.*s`, and one value is wanted",
                                       SHUNT_TEXT_ARGS(which));
        shunt_diag_here(k->diags, d, "%s repeats", nodes.items[0].segment->name);
        shunt_diag_help(k->diags, d, "take the first: `%.*s.first.%.*s`, which may be absent", SHUNT_TEXT_ARGS(which),
                        SHUNT_TEXT_ARGS(element));
        shunt_diag_help(k->diags, d, "or loop over them: `for each x in %.*s { ... x.%.*s ... }`", SHUNT_TEXT_ARGS(which),
                        SHUNT_TEXT_ARGS(element));
        return false;
    }
    for (uint32_t m = 0; m < nodes.count && !w->loop->segment.length; m++)
        if (nodes.items[m].segment->usage != SHUNT_REQUIRED) {
            shunt_text which = w->qualifier.length
                                   ? check_format(k, "%.*s*%.*s", SHUNT_TEXT_ARGS(w->segment), SHUNT_TEXT_ARGS(w->qualifier))
                                   : w->segment;
            if (w->loop->id.length)
                maybe_missing(w,
                              check_format(k, "not every %.*s has %.*s", SHUNT_TEXT_ARGS(w->loop->id), SHUNT_TEXT_ARGS(which)));
            else
                maybe_missing(w, check_format(k, "not every message has %.*s", SHUNT_TEXT_ARGS(which)));
        } else if (w->qualifier.length && nodes.items[m].segment->key && nodes.items[m].segment->key->count > 1)
            maybe_missing(w, check_format(k, "another qualifier may stand there"));
    if (f.optional) maybe_missing(w, f.why);
    if (w->part_start || w->part_end) {
        if (f.type.kind != SHUNT_TY_DATE) {
            shunt_text  name = shunt_ty_name(k->arena, &f.type);
            shunt_diag *d =
                shunt_diag_add(k->diags, SHUNT_E0303, node->span, "`%.*s` is %.*s, only a range of dates has a start and an end",
                               SHUNT_TEXT_ARGS(element), SHUNT_TEXT_ARGS(name));
            shunt_diag_help(k->diags, d, "leave out `.%s`", w->part_start ? "start" : "end");
            return false;
        }
        f.value = SHUNT_VALUE_DATE_BY_QUALIFIER;
    }
    described_path *p = new_path(k, w, SHUNT_PATH_VALUE);
    p->path.nodes = nodes.items;
    p->path.node_count = nodes.count;
    p->path.element = w->element;
    p->path.component = w->component;
    p->path.range_start = w->part_start;
    p->path.range_end = w->part_end;
    p->path.value_type = f.value;
    p->path.implied = f.implied;
    p->path.required = !w->optional;
    p->path.shown = shown_path(k, w, element);
    p->origin = check_format(k, "%.*s%s%.*s of %.*s", SHUNT_TEXT_ARGS(w->segment), w->qualifier.length ? "*" : "",
                             SHUNT_TEXT_ARGS(w->qualifier), SHUNT_TEXT_ARGS(loop_words(k, w->loop)));
    f.type.optional = w->optional;
    *type = path_fact(k, node, p, f.type);
    return true;
}

/* A loop or a segment as such: `2110`, `REF["0K"]`, `NM1["82"]`. */
static bool finish_node(check *k, shunt_ast *node, way *w, bool list, shunt_ty *type)
{
    if (w->segment.length && !w->loop->segment.length) {
        match_list nodes = { 0 };
        if (!pick_nodes(k, node, w, (shunt_text){ 0 }, &nodes)) return false;
        if (w->list) return several_on_the_way(k, node, w->loop, w->segment);
        for (uint32_t m = 0; m < nodes.count; m++) {
            w->list = w->list || !stands_once(nodes.items[m].segment, w->qualifier.length > 0);
            if (nodes.items[m].segment->usage != SHUNT_REQUIRED || w->qualifier.length)
                maybe_missing(w, check_format(k, "not every %.*s has one",
                                              SHUNT_TEXT_ARGS(w->loop->id.length ? w->loop->id : SHUNT_TEXT("message"))));
        }
        if (!arrived(k, node, w)) return false;
        const shunt_loop_ref *to = segments_of(k, w->loop, w->segment, w->qualifier);
        if (w->down_count == DOWN_AT_MOST) return false;
        w->down[w->down_count++] = to;
        w->loop = to;
    } else if (!arrived(k, node, w)) {
        return false;
    }
    bool            several = w->list || list;
    shunt_ty        item = { .kind = SHUNT_TY_NODE, .loop = w->loop };
    described_path *p = new_path(k, w, several && w->down_count ? SHUNT_PATH_LIST : SHUNT_PATH_ONE);
    p->path.shown = shown_path(k, w, (shunt_text){ 0 });
    if (p->path.kind == SHUNT_PATH_LIST) {
        shunt_ty *of = NEW(k, shunt_ty);
        *of = item;
        *type = (shunt_ty){ .kind = SHUNT_TY_LIST, .item = of, .loop = w->loop };
    } else {
        *type = item;
        type->optional = w->optional;
    }
    *type = path_fact(k, node, p, *type);
    return true;
}

/* ---- walking what is written ---- */

static walked walk(check *k, shunt_ast *node, way *w, bool loop_wanted);

bool begin_way(check *k, const shunt_ast *node, shunt_symbol *symbol, way *w)
{
    if (symbol->type.kind != SHUNT_TY_NODE) return false;
    bool variable = symbol->kind == SHUNT_SYMBOL_VARIABLE;
    for (const level *l = k->level; l && variable; l = l->outer)
        if (l->variable == symbol && l->is_it) variable = false;
    *w = (way){ .loop = symbol->type.loop, .optional = symbol->type.optional, .start = variable ? symbol : NULL };
    if (symbol->type.optional) w->why = check_format(k, "`%.*s` may be absent", SHUNT_TEXT_ARGS(node->text));
    return true;
}

walked walk_value(check *k, shunt_ast *node, way *w)
{
    shunt_ty type = check_expr(k, node, NULL);
    if (type.kind == SHUNT_TY_ERROR) return WALK_REPORTED;
    if (type.kind != SHUNT_TY_NODE) return WALK_OTHER;
    *w = (way){ .base = node, .loop = type.loop, .optional = type.optional };
    if (type.optional) w->why = SHUNT_TEXT("it may be absent");
    return WALK_LOOP;
}

static walked walk_name(check *k, shunt_ast *node, way *w)
{
    shunt_symbol *symbol = node->kind == SHUNT_AST_NAME ? find_value(k, node->text) : NULL;
    if (symbol) {
        if (!begin_way(k, node, symbol, w)) return WALK_OTHER;
        if (w->start) return WALK_LOOP;
        w->base = node;
        (void)check_expr(k, node, NULL);
        return WALK_LOOP;
    }
    if (!split_element(node->text, &w->segment, &w->element, &w->component)) {
        if (!k->source && node->kind == SHUNT_AST_ELEMENT && hl7_names_field(node->text)) {
            if (!k->unread && !k->lost) (void)outside_of_the_map(k, node, node->text);
            return WALK_REPORTED;
        }
        if (!looks_like_segment(node->text) || !segment_exists(node->text)) return WALK_OTHER;
        if (k->unread || k->lost) return WALK_REPORTED;
        if (!outside_of_the_map(k, node, node->text)) return WALK_REPORTED;
        return head_segment(k, node, node->text, node->text, w);
    }
    if (k->unread || k->lost || !outside_of_the_map(k, node, node->text)) return WALK_REPORTED;
    uint16_t   element = w->element, component = w->component;
    shunt_text segment = w->segment;
    walked     found = head_segment(k, node, segment, node->text, w);
    w->element = element;
    w->component = component;
    return found == WALK_SEGMENT ? WALK_VALUE : found;
}

/* A loop of a base set of X12, called by the segment that starts it (`PO1`) or, of a ship notice, by its level (`item`). */
static bool is_named_loop(check *k, shunt_text name)
{
    return k->source && source_of(k)->standard == SHUNT_STANDARD_X12 && name.length && !is_digit(name.bytes[0]) &&
           loop_has_id(k, name);
}

static walked walk_loop_id(check *k, shunt_ast *node, way *w)
{
    if (k->unread || k->lost || !outside_of_the_map(k, node, node->text)) return WALK_REPORTED;
    return head_loop(k, node, node->text, w);
}

/* A name that a base set has for a segment and for a loop: the loop is meant, but for a segment of a loop around this and loops that
 * stand deeper than it. */
typedef enum nearer { NEAR_NOTHING, NEAR_LOOP, NEAR_SEGMENT } nearer;

static nearer nearer_in(const shunt_loop_ref *loop, shunt_text id)
{
    const shunt_loop *chain[DOWN_AT_MOST];
    uint32_t          length = shortest_down(loop, id, chain);
    if (length == 1 || (loop->id.length && shunt_text_equal(loop->id, id))) return NEAR_LOOP;
    if (!loop->segment.length && has_segment(loop, id)) return NEAR_SEGMENT;
    return length ? NEAR_LOOP : NEAR_NOTHING;
}

static walked below_loop(check *k, shunt_ast *node, const shunt_ast *name, way *w)
{
    shunt_text segment;
    uint16_t   element, component;
    if (!w->loop->segment.length && is_named_loop(k, name->text) && nearer_in(w->loop, name->text) != NEAR_SEGMENT) {
        walked found = go_down(k, w, node, name->text);
        if (found != WALK_OTHER) return found;
    }
    if (looks_like_loop(name->text)) {
        walked found = w->loop->segment.length ? WALK_OTHER : go_down(k, w, node, name->text);
        if (found != WALK_OTHER) return found;
        if (loop_has_id(k, name->text)) {
            shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0202, name->span, "loop %.*s does not stand in %.*s",
                                           SHUNT_TEXT_ARGS(name->text), SHUNT_TEXT_ARGS(loop_words(k, w->loop)));
            shunt_diag_help(k->diags, d, "`shunt dict %s` lists the loops", source_of(k)->guides[0]->set);
        } else {
            no_such_loop(k, name, name->text);
        }
        return WALK_REPORTED;
    }
    bool is_element = split_element(name->text, &segment, &element, &component);
    if (!is_element) segment = name->text;
    if (!has_segment(w->loop, segment)) {
        shunt_text where =
            w->loop->segment.length ? check_format(k, "segment %.*s", SHUNT_TEXT_ARGS(w->loop->segment)) : loop_words(k, w->loop);
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0202, name->span, "%.*s has no %.*s", SHUNT_TEXT_ARGS(where),
                                       SHUNT_TEXT_ARGS(name->text));
        offer       o = { .k = k };
        shunt_suggest_init(&o.s, segment, 3);
        for (uint32_t m = 0; m < w->loop->match_count && !w->loop->segment.length; m++)
            for (uint16_t i = 0; i < w->loop->matches[m].loop->body_count; i++)
                if (w->loop->matches[m].loop->body[i].segment)
                    shunt_suggest_offer(&o.s, shunt_text_of(w->loop->matches[m].loop->body[i].segment->id), (shunt_text){ 0 },
                                        true, 0);
        shunt_text near = shunt_suggest_text(&o.s, k->arena);
        if (near.length) shunt_diag_help(k->diags, d, "did you mean segment %.*s?", SHUNT_TEXT_ARGS(near));
        uint32_t given = 0;
        if (segment_exists(segment)) where_segment_stands(k, d, source_of(k)->guides[0]->body, segment, name->text, &given);
        return WALK_REPORTED;
    }
    w->segment = segment;
    if (!is_element) return WALK_SEGMENT;
    w->element = element;
    w->component = component;
    return WALK_VALUE;
}

static walked below_segment(check *k, const shunt_ast *name, way *w)
{
    shunt_text segment;
    uint16_t   element, component;
    if (!split_element(name->text, &segment, &element, &component) || !shunt_text_equal(segment, w->segment)) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0203, name->span, "`%.*s` is not an element of %.*s",
                                       SHUNT_TEXT_ARGS(name->text), SHUNT_TEXT_ARGS(w->segment));
        if (split_element(name->text, &segment, &element, &component))
            shunt_diag_help(k->diags, d, "did you mean `%.*s%02u`?", SHUNT_TEXT_ARGS(w->segment), element);
        else
            shunt_diag_help(k->diags, d, "write the element with its segment: `%.*s02`", SHUNT_TEXT_ARGS(w->segment));
        return WALK_REPORTED;
    }
    w->element = element;
    w->component = component;
    return WALK_VALUE;
}

static walked walk_member(check *k, shunt_ast *node, way *w)
{
    shunt_ast *name = kid(node, SHUNT_MEMBER_name);
    walked     found = walk(k, kid(node, SHUNT_MEMBER_of), w, true);
    if (!name) return WALK_REPORTED;
    bool part_start = shunt_text_is(name->text, "start"), part_end = shunt_text_is(name->text, "end");
    switch (found) {
    case WALK_LOOP:
        if (w->list && !shunt_text_is(name->text, "first")) {
            (void)several_on_the_way(k, node, w->loop, name->text);
            return WALK_REPORTED;
        }
        return below_loop(k, node, name, w);
    case WALK_SEGMENT: return below_segment(k, name, w);
    case WALK_VALUE:
        if (!part_start && !part_end) {
            shunt_diag *d =
                shunt_diag_add(k->diags, SHUNT_E0203, name->span, "an element has no part `%.*s`", SHUNT_TEXT_ARGS(name->text));
            shunt_diag_help(k->diags, d,
                            "a component is written with a hyphen: `SVC01-2`; a range of dates has `.start` and `.end`");
            return WALK_REPORTED;
        }
        w->part_start = part_start;
        w->part_end = part_end;
        return WALK_VALUE;
    default: return found;
    }
}

static walked walk_index(check *k, shunt_ast *node, way *w)
{
    shunt_ast *keys = kid(node, SHUNT_INDEX_keys);
    walked     found = walk(k, kid(node, SHUNT_INDEX_of), w, false);
    if (found == WALK_OTHER || found == WALK_REPORTED) return found;
    shunt_ast *key = kid(keys, 0);
    if (found != WALK_SEGMENT || keys->kid_count != 1 || !key || key->kind != SHUNT_AST_STRING || kid(node, SHUNT_INDEX_at)) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0306, node->span, "only a segment is picked by a qualifier, and by one text");
        shunt_diag_help(k->diags, d, "write it like `NM1[\"82\"]`, or filter a list: `2110[where it.SVC02 > 0.00 USD]`");
        return WALK_REPORTED;
    }
    w->qualifier = key->text;
    return WALK_SEGMENT;
}

static bool segment_is_nearer(check *k, shunt_text id)
{
    if (!looks_like_segment(id)) return false;
    const level *at = k->level;
    for (; nearest_loop_variable(&at); at = at->outer) {
        ancestor around[ANCESTORS];
        nearer   found = nearer_in(at->loop, id);
        uint32_t count = found ? 0 : ancestors_of(k, at->loop, around);
        for (uint32_t i = 0; i < count && !found; i++)
            if (around[i].ref->id.length) found = nearer_in(around[i].ref, id);
        if (found) return found == NEAR_SEGMENT;
    }
    return nearer_in(body_ref(k), id) == NEAR_SEGMENT;
}

static walked walk(check *k, shunt_ast *node, way *w, bool loop_wanted)
{
    *w = (way){ 0 };
    if (!node) return WALK_REPORTED;
    switch (node->kind) {
    case SHUNT_AST_LOOP: return walk_loop_id(k, node, w);
    case SHUNT_AST_INT: return loop_wanted && looks_like_loop(node->text) ? walk_loop_id(k, node, w) : WALK_OTHER;
    case SHUNT_AST_NAME:
    case SHUNT_AST_ELEMENT:
        if (k->level && k->level->is_it && shunt_text_is(node->text, "it")) break;
        if (loop_wanted && is_named_loop(k, node->text) && !find_value(k, node->text) && !segment_is_nearer(k, node->text))
            return walk_loop_id(k, node, w);
        return walk_name(k, node, w);
    case SHUNT_AST_MEMBER:
        if (kid(node, SHUNT_MEMBER_name) && shunt_text_is(kid(node, SHUNT_MEMBER_name)->text, "first")) break;
        return walk_member(k, node, w);
    case SHUNT_AST_INDEX: return walk_index(k, node, w);
    default: break;
    }
    return walk_value(k, node, w);
}

bool check_path(check *k, shunt_ast *node, const shunt_ty *want, bool list, shunt_ty *type)
{
    way w;
    if (tree_path(k, node, list, type)) return true;
    if (is_hl7(k)) return hl7_path(k, node, want, list, type);
    if (is_rows(k)) return csv_path(k, node, list, type);
    walked found = walk(k, node, &w, list);
    bool   fine = false;
    if (found == WALK_OTHER) return false;
    if (found == WALK_LOOP && w.base == node) return false; /* a value that happens to be an instance of a loop */
    if (found == WALK_LOOP && node->kind == SHUNT_AST_NAME && w.start && !w.down_count && !w.up) return false;
    if (found == WALK_VALUE) {
        const shunt_ast *name = node;
        if (w.part_start || w.part_end) name = kid(name, SHUNT_MEMBER_of);
        if (name->kind == SHUNT_AST_MEMBER) name = kid(name, SHUNT_MEMBER_name);
        fine = finish_value(k, node, &w, name->text, want, type);
    } else if (found != WALK_REPORTED) {
        fine = finish_node(k, node, &w, list, type);
    }
    if (!fine) *type = check_typed(k, node, ty_error());
    return true;
}

/* ---- units ---- */

/* The list node becomes a list of instances of the loop. */
void list_of_loop(check *k, shunt_ast *list, const shunt_loop_ref *ref)
{
    way             w = { .loop = ref, .down_count = 1, .down = { ref } };
    described_path *p = new_path(k, &w, SHUNT_PATH_LIST);
    shunt_ty       *of = NEW(k, shunt_ty);
    *of = (shunt_ty){ .kind = SHUNT_TY_NODE, .loop = ref };
    p->path.shown = ref->id;
    (void)path_fact(k, list, p, (shunt_ty){ .kind = SHUNT_TY_LIST, .item = of, .loop = ref });
}

const shunt_loop_ref *set_named(check *k, shunt_ast *list)
{
    if (!k->source || !list || list->kind != SHUNT_AST_NAME || !shunt_text_equal(list->text, k->source->name)) return NULL;
    if (source_of(k)->tree) return NULL; /* tree_unit_loop knows it */
    const shunt_loop_ref *ref = loop_ref(k, (shunt_text){ 0 }, (shunt_text){ 0 }, (shunt_text){ 0 });
    list_of_loop(k, list, ref);
    return ref;
}

/* `ENT.ADX`: names of loops, one inside the other. */
static bool is_loop_inside(check *k, const shunt_ast *list)
{
    for (; list && list->kind == SHUNT_AST_MEMBER; list = kid(list, SHUNT_MEMBER_of)) {
        const shunt_ast *name = kid(list, SHUNT_MEMBER_name);
        if (!name || !is_named_loop(k, name->text)) return false;
    }
    return list && (list->kind == SHUNT_AST_NAME || list->kind == SHUNT_AST_ELEMENT) && is_named_loop(k, list->text) &&
           !find_value(k, list->text);
}

/* Loops of one name that stand in different loops of a base set: the one of the set itself, else it must be said. */
static const shunt_loop_ref *which_loop(check *k, const shunt_ast *node, const shunt_loop_ref *all)
{
    const shunt_loop_ref *first = ref_of(k, all->matches[0].loop);
    bool                  several = false;
    for (uint32_t m = 0; m < all->match_count; m++) {
        const shunt_loop *loop = all->matches[m].loop;
        if (!loop->parent->parent) return ref_of(k, loop);
        several = several || ref_of(k, loop) != first;
    }
    if (!several) return first;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0212, node->span, "several loops are called %.*s", SHUNT_TEXT_ARGS(all->id));
    shunt_diag_here(k->diags, d, "which one?");
    for (uint32_t m = 0, given = 0; m < all->match_count && given < HELPS_SHOWN; m++) {
        const shunt_loop *loop = all->matches[m].loop;
        if (all->matches[m].guide) break;
        shunt_diag_help(k->diags, d, "say what it stands in: `for each x in %s.%s`", loop->parent->id, loop->id);
        given++;
    }
    return NULL;
}

/* The loop that a unit or a tally goes over; NULL where it was reported. */
static const shunt_loop_ref *loop_named_by(check *k, const shunt_ast *list)
{
    if (list->kind != SHUNT_AST_MEMBER) {
        if (loop_has_id(k, list->text)) return which_loop(k, list, loop_ref(k, list->text, (shunt_text){ 0 }, (shunt_text){ 0 }));
        no_such_loop(k, list, list->text);
        return NULL;
    }
    const shunt_loop_ref *outer = loop_named_by(k, kid(list, SHUNT_MEMBER_of));
    const shunt_ast      *name = kid(list, SHUNT_MEMBER_name);
    for (uint32_t m = 0; outer && m < outer->match_count; m++) {
        const shunt_loop *loop = outer->matches[m].loop;
        for (uint16_t i = 0; i < loop->body_count; i++)
            if (loop->body[i].loop && is_loop(loop->body[i].loop, name->text)) return ref_of(k, loop->body[i].loop);
    }
    if (outer) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0202, name->span, "loop %.*s does not stand in %.*s",
                                       SHUNT_TEXT_ARGS(name->text), SHUNT_TEXT_ARGS(loop_words(k, outer)));
        shunt_diag_help(k->diags, d, "`shunt dict %s` lists the loops", source_of(k)->guides[0]->set);
    }
    return NULL;
}

const shunt_loop_ref *unit_loop_of(check *k, shunt_ast *list, bool *reported)
{
    *reported = false;
    if (k->source && source_of(k)->tree) return tree_unit_loop(k, list, reported);
    if (is_hl7(k) && list) return hl7_unit_loop(k, list, reported);
    if (is_rows(k) && list) return csv_unit_loop(k, list, reported);
    if (!k->source || !list) return NULL;
    bool named = (list->kind == SHUNT_AST_NAME || list->kind == SHUNT_AST_ELEMENT) && is_named_loop(k, list->text);
    bool inside = list->kind == SHUNT_AST_MEMBER && is_loop_inside(k, list);
    if (!named && !inside && ((list->kind != SHUNT_AST_INT && list->kind != SHUNT_AST_LOOP) || !looks_like_loop(list->text)))
        return NULL;
    uint32_t missing;
    *reported = true;
    const shunt_loop_ref *ref = loop_named_by(k, list);
    if (!ref) return NULL;
    if (!in_every_guide(k, ref, &missing)) {
        missing_in_guide(k, list, ref->id, missing, "missing");
        return NULL;
    }
    list_of_loop(k, list, ref);
    *reported = false;
    return ref;
}

/* A loop without limit that has loops of its own which repeat is a level of the message, and may hold the rest of the file. */
static const shunt_loop *endless_below(const shunt_loop *loop)
{
    for (uint16_t i = 0; i < loop->body_count; i++) {
        const shunt_loop *inner = loop->body[i].loop;
        if (!inner) continue;
        bool holds = false;
        for (uint16_t j = 0; j < inner->body_count; j++) holds = holds || (inner->body[j].loop && inner->body[j].loop->max != 1);
        if (inner->max == 0 && holds) return inner;
        const shunt_loop *deeper = endless_below(inner);
        if (deeper) return deeper;
    }
    return NULL;
}

void check_unit_size(check *k, const shunt_ast *list, const shunt_loop_ref *loop)
{
    if (is_document(k)) return;
    if (is_hl7(k)) return; /* a message is what systems exchange in one piece, and `max_unit_bytes` bounds it */
    for (uint32_t m = 0; m < loop->match_count; m++) {
        const shunt_loop *endless = endless_below(loop->matches[m].loop);
        if (!endless) continue;
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0603, list->span, "a unit of %.*s may hold any number of %s",
                                       SHUNT_TEXT_ARGS(list->text), endless->id);
        shunt_diag_here(k->diags, d, "loop %s (%s) has no limit", endless->id, endless->name);
        shunt_diag_note(k->diags, d, "a unit is kept in memory until it is done");
        shunt_diag_help(k->diags, d,
                        "make the inner loop the unit: `for each x in %s { ... }`; what stands around it is at hand there",
                        endless->id);
        return;
    }
}

/* ---- for diagnostics of others ---- */

static const described_path *described(const shunt_ast *node)
{
    const shunt_fact *fact = shunt_fact_of(node);
    return fact && fact->kind == SHUNT_FACT_PATH ? (const described_path *)(const void *)fact->path : NULL;
}

void explain_absence(check *k, shunt_diag *diag, const shunt_ast *node)
{
    const described_path *p = described(node);
    if (p && p->why.length) shunt_diag_here(k->diags, diag, "%.*s", SHUNT_TEXT_ARGS(p->why));
}

shunt_text phi_origin(const shunt_ast *node)
{
    const described_path *p = described(node);
    return p ? p->origin : (shunt_text){ 0 };
}
