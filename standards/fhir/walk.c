#include "standards/fhir/walk.h"

#include "standards/fhir/bytes.h"
#include "standards/fhir/types.h"

static bool take(shunt_token_sink *sink, const shunt_token *token);
static bool take_name(shunt_token_sink *sink, shunt_text text, uint64_t hash);
static bool note_fault(shunt_token_sink *sink, shunt_status code, uint64_t at, uint32_t length, const char *detail);
static bool record(shunt_fhir_walk *w, const shunt_token *token);

/* ---- life ---- */

static bool opens(const shunt_token *token)
{
    return token->op == SHUNT_TOKEN_OBJECT || token->op == SHUNT_TOKEN_ARRAY || token->op == SHUNT_TOKEN_ELEMENT;
}

static bool closes(const shunt_token *token) { return token->op == SHUNT_TOKEN_OBJECT_END || token->op == SHUNT_TOKEN_ARRAY_END; }

void shunt_fhir_walk_init(shunt_fhir_walk *w, const shunt_memory *memory, const shunt_fhir_names *names, shunt_fhir_events *out,
                          shunt_fhir_events *early, shunt_tape *tape, size_t most)
{
    *w = (shunt_fhir_walk){ .sink = { .take = take, .key = take_name, .fault = note_fault },
                            .names = names,
                            .out = out,
                            .early = early,
                            .tape = tape,
                            .most = most };
    shunt_buffer_init(&w->references, memory);
}

void shunt_fhir_walk_done(shunt_fhir_walk *w) { shunt_buffer_done(&w->references); }

void shunt_fhir_walk_begin(shunt_fhir_walk *w)
{
    w->sink.skip = 0;
    w->sink.wants = true;
    w->depth = w->entry = 0;
    w->other_told = w->inner_told = w->as_entry = w->branch = w->presumed = w->type_key = w->seen_entry_key = w->null_told =
        w->reference_told = w->hold_type = false;
    w->holding = SHUNT_HOLD_ROOT;
    w->hold_depth = 0;
    w->hold_from = shunt_tape_end(w->tape);
    w->references.length = 0;
}

/* ---- events ---- */

bool shunt_fhir_walk_emit(shunt_fhir_walk *w, const shunt_fhir_item *item, shunt_text text)
{
    shunt_fhir_item copy = *item;
    copy.branch = w->branch;
    copy.entry = w->entry;
    return shunt_fhir_events_add(w->out, &copy, text);
}

static bool note_fault(shunt_token_sink *sink, shunt_status code, uint64_t at, uint32_t length, const char *detail)
{
    shunt_fhir_walk *w = (shunt_fhir_walk *)sink;
    shunt_fhir_item  item = { .step = SHUNT_STEP_FAULT, .code = code, .at = at, .length = length, .end = at + length };
    if (w->holding == SHUNT_HOLD_ROOT) return shunt_fhir_events_add(w->early, &item, shunt_text_of(detail));
    return shunt_fhir_walk_emit(w, &item, shunt_text_of(detail));
}

static shunt_fhir_frame *top(shunt_fhir_walk *w) { return &w->frames[w->depth - 1]; }

static uint16_t innermost_frame(const shunt_plan *plan, uint16_t loop)
{
    while (loop != SHUNT_NONE && plan->loops[loop].frame == SHUNT_NONE) loop = plan->loops[loop].parent;
    return loop == SHUNT_NONE ? SHUNT_NONE : plan->loops[loop].frame;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static bool is_text(const shunt_plan *plan, const shunt_plan_node *node, uint16_t slot)
{
    uint16_t frame = innermost_frame(plan, node->loop);
    return plan->slots[plan->frames[frame].slot_first + slot].convert == SHUNT_CONVERT_TEXT;
}

/* The value of a node goes to each slot that it is demanded for. */
static bool emit_node(shunt_fhir_walk *w, const shunt_plan_node *node, const shunt_token *token)
{
    const shunt_plan *plan = w->names->plan;
    for (uint32_t d = 0; d < node->demand_count; d++) {
        uint16_t   slot = plan->demands[node->demand_first + d].slot;
        shunt_text text = token->text;
        if (w->trim && !is_text(plan, node, slot)) {
            while (text.length && is_blank(text.bytes[0])) text.bytes++, text.length--;
            while (text.length && is_blank(text.bytes[text.length - 1])) text.length--;
            if (!text.length) continue;
        }
        shunt_fhir_item *item = shunt_fhir_events_new(w->out);
        if (!item) return false;
        item->step = SHUNT_STEP_VALUE;
        item->branch = w->branch;
        item->loop = slot;
        item->entry = w->entry;
        item->code = SHUNT_OK;
        item->length = token->length;
        item->at = token->at;
        item->end = token->at + token->length;
        if (token->stays) {
            item->borrowed = true;
            item->text_length = text.length;
            item->of.bytes = text.bytes;
        } else if (!shunt_fhir_events_text(w->out, item, text)) {
            return false;
        }
    }
    return true;
}

static bool emit_loop(shunt_fhir_walk *w, shunt_step step, uint16_t loop, uint64_t at)
{
    shunt_fhir_item *item = shunt_fhir_events_new(w->out);
    if (!item) return false;
    item->step = (uint8_t)step;
    item->branch = w->branch;
    item->borrowed = false;
    item->loop = loop;
    item->entry = w->entry;
    item->code = SHUNT_OK;
    item->length = item->text_length = 0;
    item->at = item->end = at;
    return true;
}

/* ---- values ---- */

static bool note_reference(shunt_fhir_walk *w, shunt_fhir_frame *f, shunt_text text)
{
    f->text = w->references.length;
    f->text_length = text.length;
    shunt_buffer_text(&w->references, text);
    return !w->references.failed;
}

/* A primitive value as an item of a list: an instance of its own. */
static bool list_item(shunt_fhir_walk *w, uint16_t loop, const shunt_token *token)
{
    bool                   framed = w->names->plan->loops[loop].frame != SHUNT_NONE;
    const shunt_fhir_name *value = shunt_fhir_name_find(w->names, loop, SHUNT_TEXT("value"));
    if (framed && !emit_loop(w, SHUNT_STEP_ENTER, loop, token->at)) return false;
    for (uint32_t i = 0; value && i < value->node_count; i++)
        if (!emit_node(w, &w->names->plan->nodes[w->names->lists[value->nodes + i]], token)) return false;
    return !framed || emit_loop(w, SHUNT_STEP_LEAVE, loop, token->at + token->length);
}

/* Parts of an object are read there, of a single one or of each of a list. Items of lists may be resources of several types, one of which has a text under the name. */
static bool wants_object(const shunt_fhir_walk *w, const shunt_fhir_name *name)
{
    if (name->values || name->node_count) return false;
    for (uint32_t i = 0; i < name->loop_count; i++) {
        uint16_t loop = w->names->lists[name->loops + i];
        if (w->names->plan->loops[loop].frame == SHUNT_NONE || w->names->under[loop].name_count) return true;
    }
    return false;
}

static bool take_value(shunt_fhir_walk *w, const shunt_token *token)
{
    shunt_fhir_frame      *f = top(w);
    const shunt_fhir_name *name = f->name;
    if (w->type_key) {
        bool right = shunt_text_is(token->text, "Bundle");
        w->type_key = w->presumed = false;
        if (!w->hooks.presumed(w->hooks.context, right)) return false;
        if (!right) {
            w->sink.skip = token->op == SHUNT_TOKEN_ELEMENT ? 2 : 1;
            return true;
        }
    }
    if (f->reference && token->kind == SHUNT_TOKEN_STRING && !note_reference(w, f, token->text)) return false;
    if (!name) return true;
    if (token->kind == SHUNT_TOKEN_NULL) {
        if (f->arrays || w->null_told) return true;
        w->null_told = true;
        return note_fault(&w->sink, SHUNT_FHIR_NULL, token->at, token->length, "");
    }
    if (token->length > w->most) return note_fault(&w->sink, SHUNT_FHIR_VALUE_BYTES, token->at, token->length, "");
    if (!token->text.length) return note_fault(&w->sink, SHUNT_FHIR_EMPTY, token->at, token->length, "");
    if (wants_object(w, name)) return note_fault(&w->sink, SHUNT_FHIR_SHAPE, token->at, token->length, "");
    for (uint32_t i = 0; i < name->node_count; i++)
        if (!emit_node(w, &w->names->plan->nodes[w->names->lists[name->nodes + i]], token)) return false;
    for (uint32_t i = 0; i < name->loop_count; i++)
        if (!list_item(w, w->names->lists[name->loops + i], token)) return false;
    return true;
}

/* ---- objects ---- */

bool shunt_fhir_type_fits(const shunt_plan *plan, uint16_t loop, shunt_text type)
{
    uint16_t wanted = plan->loops[loop].type;
    return wanted == SHUNT_NONE || shunt_text_equal(plan->texts[wanted], type);
}

static bool push(shunt_fhir_walk *w, uint16_t loop, uint16_t leave, uint64_t at)
{
    if (w->depth == SHUNT_COUNT(w->frames)) return false; /* a plan is not so deep */
    shunt_fhir_frame *f = &w->frames[w->depth++];
    f->name = NULL;
    f->loop = loop;
    f->leave = leave;
    f->beside = SHUNT_NONE;
    f->arrays = 0;
    f->met = 0;
    f->reference = false;
    f->at = at;
    f->text = 0;
    f->text_length = 0;
    return true;
}

static bool enter(shunt_fhir_walk *w, uint16_t loop, uint64_t at)
{
    bool framed = w->names->plan->loops[loop].frame != SHUNT_NONE;
    if (framed && !emit_loop(w, SHUNT_STEP_ENTER, loop, at)) return false;
    return push(w, loop, framed ? loop : SHUNT_NONE, at);
}

static void hold(shunt_fhir_walk *w, int what)
{
    w->holding = what;
    w->hold_depth = 0;
    w->hold_from = shunt_tape_end(w->tape);
    w->hold_type = false;
    w->sink.wants = true;
}

/* How many of the loops of the name are for the type; `*only` is one of them. */
static uint32_t matches(const shunt_fhir_walk *w, const shunt_fhir_name *name, shunt_text type, uint16_t *only)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < name->loop_count; i++) {
        uint16_t loop = w->names->lists[name->loops + i];
        if (!shunt_fhir_type_fits(w->names->plan, loop, type)) continue;
        *only = loop;
        count++;
    }
    return count;
}

static bool wants_type(const shunt_fhir_walk *w, const shunt_fhir_name *name)
{
    for (uint32_t i = 0; i < name->loop_count; i++)
        if (w->names->plan->loops[w->names->lists[name->loops + i]].type != SHUNT_NONE) return true;
    return false;
}

/* The object that begins at `from` once for each loop that it is an instance of. */
static bool play_each(shunt_fhir_walk *w, const shunt_fhir_name *name, shunt_text type, uint64_t from, uint64_t to)
{
    char       copy[sizeof w->type];
    shunt_text own = { copy, type.length < sizeof copy ? type.length : (uint32_t)sizeof copy };
    if (own.length) memcpy(copy, type.bytes, own.length);
    for (uint32_t i = 0; i < name->loop_count; i++) {
        uint16_t loop = w->names->lists[name->loops + i];
        if (shunt_fhir_type_fits(w->names->plan, loop, own) && !shunt_fhir_walk_object(w, loop, from, to)) return false;
    }
    return true;
}

/* What the object whose first token was taken says that it is; false: it does not, or the tape ends before. */
static bool look_ahead(const shunt_tape *tape, uint64_t at, uint64_t end, shunt_text *type)
{
    shunt_token token;
    unsigned    depth = 1;
    bool        key = false;
    while (depth && shunt_tape_next(tape, &at, end, &token)) {
        if (opens(&token)) {
            depth++;
        } else if (closes(&token)) {
            depth--;
        } else if (depth == 1 && token.op == SHUNT_TOKEN_KEY) {
            key = shunt_text_is(token.text, "resourceType");
        } else if (depth == 1 && key && token.kind == SHUNT_TOKEN_STRING) {
            *type = token.text;
            return true;
        }
    }
    return false;
}

uint64_t shunt_tape_object_end(const shunt_tape *tape, uint64_t after_first, uint64_t end)
{
    shunt_token token;
    unsigned    depth = 1;
    while (depth && shunt_tape_next(tape, &after_first, end, &token)) {
        if (opens(&token))
            depth++;
        else if (closes(&token))
            depth--;
    }
    return after_first;
}

shunt_text shunt_fhir_type_of(const shunt_tape *tape, uint64_t from, uint64_t to)
{
    shunt_text  type = { 0 };
    shunt_token token;
    if (shunt_tape_next(tape, &from, to, &token)) look_ahead(tape, from, to, &type);
    return type;
}

/* A resource of a Bundle is wanted by no rule. That is fine for those of the standard; what the version does not know, and a whole Bundle, is
 * not lost without a word. */
static bool note_unwanted(shunt_fhir_walk *w, const shunt_fhir_name *name, shunt_text type, uint64_t at)
{
    const shunt_plan *plan = w->names->plan;
    bool              bundle = shunt_text_is(type, "Bundle"), *told = bundle ? &w->inner_told : &w->other_told;
    if (*told || !type.length || !shunt_text_is(name->text, "resource")) return true;
    for (uint32_t g = 0; g < plan->guide_count && !bundle; g++) {
        const char *version = shunt_fhir_version(plan->texts[plan->guides[g].version]);
        if (plan->guides[g].loop_first != w->root || !version) continue;
        if (shunt_fhir_is_resource(shunt_fhir_type_find(version, type))) return true;
    }
    *told = true;
    return note_fault(&w->sink, bundle ? SHUNT_FHIR_INNER_BUNDLE : SHUNT_FHIR_OTHER_TYPE, at, 0, "");
}

/* On a tape nothing need be held: it is all there. */
static bool decide_ahead(shunt_fhir_walk *w, const shunt_fhir_name *name, const shunt_token *token)
{
    shunt_text type = { 0 };
    uint16_t   only = SHUNT_NONE;
    if (!look_ahead(w->tape, *w->cursor, w->cursor_end, &type) && wants_type(w, name) &&
        !note_fault(&w->sink, SHUNT_FHIR_NO_TYPE, token->at, 0, ""))
        return false;
    switch (matches(w, name, type, &only)) {
    case 0: w->sink.skip = 1; return note_unwanted(w, name, type, token->at);
    case 1: return enter(w, only, token->at);
    default: break;
    }
    uint64_t end = shunt_tape_object_end(w->tape, *w->cursor, w->cursor_end), *cursor = w->cursor;
    if (!play_each(w, name, type, w->current, end)) return false;
    *cursor = end;
    return true;
}

/* An object that stands once came again, as an array of several or as several elements: two halves are no whole. */
static bool came_before(const shunt_fhir_walk *w, shunt_fhir_frame *f, const shunt_fhir_name *name)
{
    uint64_t index = (uint64_t)(name - w->names->names) - w->names->under[f->loop].names, bit = index < 64 ? 1ull << index : 0;
    bool     again = (f->met & bit) != 0;
    f->met |= bit;
    return again;
}

static bool take_object(shunt_fhir_walk *w, const shunt_token *token)
{
    shunt_fhir_frame      *f = top(w);
    const shunt_fhir_name *name = f->name;
    if (token->op == SHUNT_TOKEN_ELEMENT && name && (name->beside_count || token->kind != SHUNT_TOKEN_NULL)) {
        if (token->kind != SHUNT_TOKEN_NULL && !take_value(w, token)) return false;
        if (!name->beside_count) {
            w->sink.skip = 1;
            return true;
        }
        uint16_t beside = w->names->lists[name->besides];
        if (!push(w, beside, SHUNT_NONE, token->begin)) return false;
        top(w)->beside = beside;
        w->sink.wants = false;
        return true;
    }
    if (token->op == SHUNT_TOKEN_ELEMENT && f->reference && token->kind != SHUNT_TOKEN_NULL && !take_value(w, token))
        return false;
    if (w->type_key && token->op == SHUNT_TOKEN_ELEMENT && !take_value(w, token)) return false;
    if (!name || !name->loop_count || name->values) {
        w->sink.skip = 1;
        if (!name || token->op == SHUNT_TOKEN_ELEMENT || !(name->node_count || name->values)) return true;
        return note_fault(&w->sink, SHUNT_FHIR_SHAPE, token->at, 1, "");
    }
    uint64_t at = token->op == SHUNT_TOKEN_ELEMENT ? token->begin : token->at;
    if (name->single && came_before(w, f, name)) {
        w->sink.skip = 1;
        return note_fault(&w->sink, SHUNT_FHIR_TWICE, at, 1, "");
    }
    if (w->depth == 1 && name->branch) {
        w->branch = true;
        w->entry++;
        if (w->hold) {
            hold(w, SHUNT_HOLD_ENTRY);
            return record(w, token);
        }
    }
    if (name->loop_count == 1 && !wants_type(w, name)) return enter(w, w->names->lists[name->loops], at);
    if (w->cursor) return decide_ahead(w, name, token);
    hold(w, SHUNT_HOLD_OBJECT);
    return record(w, token);
}

static bool take_end(shunt_fhir_walk *w, const shunt_token *token)
{
    shunt_fhir_frame       *f = top(w);
    const shunt_fhir_under *under = &w->names->under[f->loop];
    if (under->resolve_count && f->text_length && !w->hooks.resolve && !w->reference_told) { /* of the Bundle itself */
        w->reference_told = true;
        if (!note_fault(&w->sink, SHUNT_FHIR_REF_WINDOW, f->at, 0, "")) return false;
    }
    if (under->resolve_count && f->text_length && w->hooks.resolve) {
        shunt_text text = { w->references.bytes + f->text, f->text_length };
        if (!w->hooks.resolve(w->hooks.context, w, under, text)) return false;
    }
    if (f->text_length) w->references.length = f->text;
    if (f->leave != SHUNT_NONE && !emit_loop(w, SHUNT_STEP_LEAVE, f->leave, token->at)) return false;
    w->depth--;
    if (w->depth <= 1) w->branch = false;
    if (w->depth) w->sink.wants = top(w)->name != NULL;
    return true;
}

/* ---- names ---- */

static bool take_key_of_root(shunt_fhir_walk *w, const shunt_fhir_name *name, shunt_text text)
{
    if (w->presumed && shunt_text_is(text, "resourceType")) {
        w->type_key = true;
        w->sink.wants = true;
    }
    if (!name) return true;
    if (name->branch) return !w->hooks.branch || w->hooks.branch(w->hooks.context, name);
    uint32_t index = (uint32_t)(name - w->names->names) - w->names->under[w->root].names;
    if (name->awaited && index < w->seen_count && !w->seen[index]) w->seen[index] = true;
    return true;
}

static bool take_key(shunt_fhir_walk *w, shunt_text text, uint64_t hash)
{
    shunt_fhir_frame *f = top(w);
    if (f->beside != SHUNT_NONE) { /* an XML element with content: now it is certain that there is something beside the value */
        uint16_t loop = f->beside;
        f->beside = SHUNT_NONE;
        if (w->names->plan->loops[loop].frame != SHUNT_NONE) {
            if (!emit_loop(w, SHUNT_STEP_ENTER, loop, f->at)) return false;
            f->leave = loop;
        }
    }
    f->name = shunt_fhir_name_hashed(w->names, f->loop, hash);
    f->arrays = 0;
    f->reference = w->names->under[f->loop].resolve_count && !f->text_length && shunt_text_is(text, "reference");
    w->sink.wants = f->name != NULL || f->reference;
    if (w->depth == 1) w->branch = false;
    return w->depth != 1 || take_key_of_root(w, f->name, text);
}

static bool take_name(shunt_token_sink *sink, shunt_text text, uint64_t hash)
{
    shunt_fhir_walk *w = (shunt_fhir_walk *)sink;
    if (SHUNT_UNLIKELY(w->holding)) return record(w, &(shunt_token){ .op = SHUNT_TOKEN_KEY, .text = text });
    return take_key(w, text, hash);
}

static bool take(shunt_token_sink *sink, const shunt_token *token)
{
    shunt_fhir_walk *w = (shunt_fhir_walk *)sink;
    if (SHUNT_UNLIKELY(w->holding)) return record(w, token);
    switch (token->op) {
    case SHUNT_TOKEN_KEY:
        return take_key(w, token->text, shunt_bytes_hash((const uint8_t *)token->text.bytes, token->text.length));
    case SHUNT_TOKEN_VALUE: return take_value(w, token);
    case SHUNT_TOKEN_OBJECT:
    case SHUNT_TOKEN_ELEMENT: return take_object(w, token);
    case SHUNT_TOKEN_OBJECT_END: return take_end(w, token);
    case SHUNT_TOKEN_ARRAY:
        if (!sink->wants)
            sink->skip = 1;
        else
            top(w)->arrays++;
        return true;
    default: top(w)->arrays--; return true;
    }
}

/* ---- what is held ---- */

/* As a maker of tokens hands them over. */
static bool give(shunt_fhir_walk *w, const shunt_token *token)
{
    if (!w->sink.skip) return take(&w->sink, token);
    if (opens(token))
        w->sink.skip++;
    else if (closes(token))
        w->sink.skip--;
    return true;
}

static bool play(shunt_fhir_walk *w, uint64_t *from, uint64_t to)
{
    shunt_token token;
    for (;;) {
        uint64_t current = *from;
        if (!shunt_tape_next(w->tape, from, to, &token)) return true;
        w->current = current;
        if (!give(w, &token)) return false;
    }
}

bool shunt_fhir_walk_play(shunt_fhir_walk *w, uint64_t from, uint64_t to)
{
    uint64_t *before = w->cursor, end = w->cursor_end;
    w->cursor = &from;
    w->cursor_end = to;
    bool good = play(w, &from, to);
    w->cursor = before;
    w->cursor_end = end;
    return good;
}

bool shunt_fhir_walk_object(shunt_fhir_walk *w, uint16_t loop, uint64_t from, uint64_t to)
{
    shunt_token token;
    if (!shunt_tape_next(w->tape, &from, to, &token)) return true;
    uint64_t at = token.op == SHUNT_TOKEN_ELEMENT ? token.begin : token.at;
    return enter(w, loop, at) && shunt_fhir_walk_play(w, from, to);
}

bool shunt_fhir_walk_whole(shunt_fhir_walk *w, uint16_t loop, uint64_t from, uint64_t to)
{
    shunt_token token;
    w->depth = 0;
    w->sink.skip = 0;
    w->holding = SHUNT_HOLD_NONE;
    w->references.length = 0;
    if (!shunt_tape_next(w->tape, &from, to, &token)) return true;
    return push(w, loop, SHUNT_NONE, token.at) && shunt_fhir_walk_play(w, from, to);
}

bool shunt_fhir_walk_entry(shunt_fhir_walk *w, uint16_t loop, const shunt_fhir_name *name, uint64_t from, uint64_t to)
{
    w->depth = 0;
    w->sink.skip = 0;
    w->holding = SHUNT_HOLD_NONE;
    w->references.length = 0;
    if (!push(w, loop, SHUNT_NONE, 0)) return false;
    top(w)->name = name;
    return shunt_fhir_walk_play(w, from, to);
}

/* ---- holding ---- */

/* Tokens that were walked over are given back, unless something behind them is held in its turn, or entries are kept for references. */
static void give_back(shunt_fhir_walk *w, uint64_t from)
{
    if (!w->hold && w->holding == SHUNT_HOLD_NONE) shunt_tape_cut(w->tape, from);
}

static uint64_t behind_first(const shunt_fhir_walk *w, uint64_t from)
{
    shunt_token token;
    shunt_tape_next(w->tape, &from, shunt_tape_end(w->tape), &token);
    return from;
}

static bool pass_over(shunt_fhir_walk *w)
{
    uint64_t from = w->hold_from;
    w->holding = SHUNT_HOLD_NONE;
    w->sink.skip = w->hold_depth;
    w->sink.wants = w->depth && top(w)->name;
    if (w->hold_depth == 0 && w->depth == 1) w->branch = false;
    give_back(w, from);
    return true;
}

static bool begin_root(shunt_fhir_walk *w, shunt_text type, bool presumed)
{
    uint64_t begin = w->hold_from, from = begin, to = shunt_tape_end(w->tape);
    uint16_t loop = SHUNT_NONE;
    bool     whole = false;
    if (!w->hooks.root(w->hooks.context, type, w->hold_at, presumed, &loop, &w->as_entry, &whole)) return false;
    if (loop == SHUNT_NONE && presumed && !note_fault(&w->sink, SHUNT_FHIR_TYPE_LATE, w->hold_at, 0, "")) return false;
    if (loop == SHUNT_NONE) return pass_over(w);
    w->root = loop;
    if (whole) {
        w->holding = SHUNT_HOLD_WHOLE;
        return true;
    }
    w->holding = SHUNT_HOLD_NONE;
    w->presumed = presumed;
    if (!push(w, loop, SHUNT_NONE, w->hold_at)) return false;
    if (w->as_entry) {
        if (!give(w, &(shunt_token){ .op = SHUNT_TOKEN_KEY, .text = SHUNT_TEXT("entry") }) ||
            !give(w, &(shunt_token){ .op = SHUNT_TOKEN_OBJECT, .at = w->hold_at }) ||
            !give(w, &(shunt_token){ .op = SHUNT_TOKEN_KEY, .text = SHUNT_TEXT("resource") }))
            return false;
    } else {
        from = behind_first(w, from);
    }
    if (!play(w, &from, to)) return false;
    give_back(w, begin);
    return true;
}

/* The object says what it is, or has come to its end without. */
static bool decide(shunt_fhir_walk *w)
{
    const shunt_fhir_name *name = top(w)->name;
    shunt_text             type = { w->type, w->type_length };
    uint64_t               from = w->hold_from, to = shunt_tape_end(w->tape);
    uint16_t               only = SHUNT_NONE;
    if (!type.length && wants_type(w, name) && !note_fault(&w->sink, SHUNT_FHIR_NO_TYPE, w->hold_at, 0, "")) return false;
    switch (matches(w, name, type, &only)) {
    case 0: return note_unwanted(w, name, type, w->hold_at) && pass_over(w);
    case 1: break;
    default:
        if (w->hold_depth) {
            w->holding = SHUNT_HOLD_ALL;
            return true;
        }
        w->holding = SHUNT_HOLD_NONE;
        if (!play_each(w, name, type, from, to)) return false;
        give_back(w, from);
        return true;
    }
    uint64_t at = behind_first(w, from);
    w->holding = SHUNT_HOLD_NONE;
    if (!enter(w, only, w->hold_at) || !play(w, &at, to)) return false;
    give_back(w, from);
    return true;
}

static bool ended(shunt_fhir_walk *w)
{
    switch (w->holding) {
    case SHUNT_HOLD_ROOT:
        if (!note_fault(&w->sink, SHUNT_FHIR_NO_TYPE, w->hold_at, 0, "")) return false;
        return pass_over(w);
    case SHUNT_HOLD_WHOLE:
    case SHUNT_HOLD_ENTRY:
        if (!w->hooks.held(w->hooks.context, w->hold_from, shunt_tape_end(w->tape))) return false;
        return pass_over(w);
    default: return decide(w);
    }
}

static bool overflow(shunt_fhir_walk *w)
{
    if (w->holding == SHUNT_HOLD_ROOT && w->seen_entry_key) return begin_root(w, SHUNT_TEXT("Bundle"), true);
    bool late = w->holding == SHUNT_HOLD_ROOT || w->holding == SHUNT_HOLD_OBJECT;
    if (!note_fault(&w->sink, late ? SHUNT_FHIR_TYPE_LATE : SHUNT_FHIR_ENTRY_BYTES, w->hold_at, 0, "")) return false;
    return pass_over(w);
}

static bool is_type(const shunt_fhir_walk *w, const shunt_token *token)
{
    return w->hold_depth == 1 && w->hold_type && token->op == SHUNT_TOKEN_VALUE && token->kind == SHUNT_TOKEN_STRING &&
           token->text.length && (w->holding == SHUNT_HOLD_ROOT || w->holding == SHUNT_HOLD_OBJECT);
}

static bool record(shunt_fhir_walk *w, const shunt_token *token)
{
    bool type = is_type(w, token);
    if (type) {
        w->type_length = token->text.length < sizeof w->type ? token->text.length : (uint32_t)sizeof w->type;
        memcpy(w->type, token->text.bytes, w->type_length);
    }
    if (w->hold_depth == 0) {
        w->hold_at = token->op == SHUNT_TOKEN_ELEMENT ? token->begin : token->at;
        w->type_length = 0;
    }
    if (w->hold_depth == 1 && token->op == SHUNT_TOKEN_KEY) {
        w->hold_type = shunt_text_is(token->text, "resourceType");
        w->seen_entry_key = shunt_text_is(token->text, "entry");
    }
    if (!shunt_tape_add(w->tape, token)) return false;
    if (opens(token)) w->hold_depth++;
    if (closes(token) && --w->hold_depth == 0) return ended(w);
    if (type) return w->holding == SHUNT_HOLD_ROOT ? begin_root(w, (shunt_text){ w->type, w->type_length }, false) : decide(w);
    return shunt_tape_end(w->tape) - w->hold_from <= w->most || overflow(w);
}

bool shunt_fhir_walk_end(shunt_fhir_walk *w, uint64_t at)
{
    const shunt_token end = { .op = SHUNT_TOKEN_OBJECT_END, .at = at };
    for (unsigned i = 0; w->as_entry && i < 2; i++) /* the entry, the Bundle */
        if (!give(w, &end)) return false;
    return true;
}
