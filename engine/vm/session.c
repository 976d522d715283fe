#include <stdio.h>

#include "engine/vm/session_state.h"

enum {
    RAISED_BUFFER = 64 * 1024,
    RECORDS_BUFFER = 64 * 1024,
    KEY_ID = 16,
    OUT_FACTOR = 4 /* records of a unit may take so many times its bytes */
};

/* ---- life ---- */

static uint32_t some(uint32_t count) { return count ? count : 1; }

/* Does any instruction call this built-in? */
static bool calls(const shunt_program *p, shunt_builtin builtin)
{
    for (uint32_t i = 0; i < p->instructions_count; i++)
        if (p->instructions[i].op == SHUNT_OP_BUILTIN && p->instructions[i].b == builtin) return true;
    return false;
}

/* Envelopes of these say when they were made. */
static bool stamped(uint16_t encoding) { return encoding == SHUNT_ENCODE_X12 || encoding == SHUNT_ENCODE_HL7; }

static shunt_status check_options(const shunt_session_options *o, char why[static 200])
{
    if (calls(o->program, SHUNT_BUILTIN_TOKENIZE) && o->token_key_length == 0) {
        snprintf(why, 200, "the rules use `tokenize`, so the run needs a token key");
        return SHUNT_USAGE;
    }
    if (calls(o->program, SHUNT_BUILTIN_RECEIVED_AT) && !o->received_at_known) {
        snprintf(why, 200, "the rules read `received_at`, so the run needs the time of arrival");
        return SHUNT_USAGE;
    }
    bool messages = false;
    for (uint32_t i = 0; i < o->program->encodings_count; i++) messages = messages || stamped(o->program->encodings[i].kind);
    if (messages && !o->received_at_known) {
        snprintf(why, 200, "the messages that the rules write carry the time of arrival of their input, so the run needs it");
        return SHUNT_USAGE;
    }
    if (o->control_number > 999999999) {
        snprintf(why, 200, "the first control number is one of 1 to 999999999");
        return SHUNT_USAGE;
    }
    return SHUNT_OK;
}

static size_t unit_bytes(const shunt_session_options *o)
{
    uint32_t most = 0;
    if (o->unit_bytes) return o->unit_bytes;
    for (uint32_t i = 0; i < o->program->sources_count; i++)
        if (o->program->sources[i].max_unit_bytes > most) most = o->program->sources[i].max_unit_bytes;
    return most ? most : SHUNT_UNIT_BYTES;
}

/* What loops, nodes and sources mean, looked up once. */
static bool prepare_tables(shunt_session *s)
{
    const shunt_program *p = s->program;
    const shunt_plan    *plan = s->plan;
    s->loops = shunt_memory_zeroed(s->memory, some(plan->loop_count), sizeof *s->loops);
    s->nodes = shunt_memory_zeroed(s->memory, some(plan->node_count), sizeof *s->nodes);
    s->plain = shunt_memory_zeroed(s->memory, some(plan->loop_count + 2 * plan->node_count), sizeof *s->plain);
    s->maps = shunt_memory_zeroed(s->memory, some(p->sources_count), sizeof *s->maps);
    s->tallied_of = shunt_memory_zeroed(s->memory, some(plan->frame_count), sizeof *s->tallied_of);
    s->tallied = shunt_memory_zeroed(s->memory, some(p->tallies_count), sizeof *s->tallied);
    if (!s->loops || !s->nodes || !s->plain || !s->maps || !s->tallied_of || !s->tallied) return false;
    uint16_t tallied = 0;
    for (uint32_t i = 0; i < plan->frame_count; i++) {
        s->tallied_of[i].first = tallied;
        for (uint32_t t = 0; t < p->tallies_count; t++)
            if (p->tallies[t].declared == 1 && p->tallies[t].frame == i) s->tallied[tallied++] = (uint16_t)t;
        s->tallied_of[i].count = (uint16_t)(tallied - s->tallied_of[i].first);
    }
    for (uint32_t i = 0; i < plan->loop_count; i++) {
        uint16_t frame = plan->loops[i].frame;
        s->loops[i].handler = SHUNT_NONE;
        if (frame == SHUNT_NONE) continue;
        for (uint32_t h = 0; h < p->handlers_count; h++)
            if (p->handlers[h].frame == frame) s->loops[i].handler = p->handlers[h].function;
        s->loops[i].unit = plan->frames[frame].unit && s->loops[i].handler != SHUNT_NONE;
        s->loops[i].tallied = s->tallied_of[frame].count > 0;
    }
    for (uint32_t i = 0; i < plan->node_count; i++) {
        const shunt_plan_node *node = &plan->nodes[i];
        uint16_t               frame = node->frame == SHUNT_NONE ? plan->loops[node->loop].frame : node->frame;
        if (node->frame != SHUNT_NONE || node->demand_count) s->nodes[i] |= NODE_CAPTURED;
        if (frame == SHUNT_NONE) continue;
        uint16_t currency = p->sources[plan->frames[frame].source].currency_path;
        for (uint32_t d = 0; node->frame == SHUNT_NONE && d < node->demand_count; d++) {
            const shunt_plan_slot *slot =
                &plan->slots[plan->frames[frame].slot_first + plan->demands[node->demand_first + d].slot];
            if (slot->early) s->nodes[i] |= NODE_EARLY;
            if (currency != SHUNT_NONE && slot->path == currency) s->nodes[i] |= NODE_CURRENCY;
        }
        if (node->frame != SHUNT_NONE && s->tallied_of[frame].count) s->nodes[i] |= NODE_TALLIED;
    }
    for (uint32_t i = 0; i < plan->loop_count; i++) s->plain[i] = !s->loops[i].unit && !s->loops[i].tallied;
    bool *nodes = s->plain + plan->loop_count, *first = nodes + plan->node_count;
    for (uint32_t i = 0; i < plan->node_count; i++) nodes[i] = !(s->nodes[i] & ~NODE_CAPTURED);
    for (uint32_t i = 0; i < plan->node_count; i++) first[i] = !(s->nodes[i] & ~(NODE_CAPTURED | NODE_EARLY));
    s->direct = (shunt_direct){ .capture = s->capture, .loops = s->plain, .nodes = nodes, .first = first };
    for (uint32_t i = 0; i < p->sources_count; i++) s->maps[i] = SHUNT_NONE;
    s->widest = SHUNT_SCOPE_TRANSACTION;
    for (uint32_t i = 0; i < p->maps_count; i++) {
        shunt_scope widest = (shunt_scope)p->maps[i].widest;
        if (widest == SHUNT_SCOPE_INTERCHANGE) widest = SHUNT_SCOPE_FILE;
        s->maps[p->maps[i].source] = (uint16_t)i;
        if (widest > s->widest) s->widest = widest;
    }
    return true;
}

static shunt_status prepare_parts(shunt_session *s, const shunt_session_options *o, char why[static 200])
{
    const shunt_program *p = o->program;
    uint8_t              digest[SHUNT_SHA256_BYTES];
    char                 key_id[KEY_ID];
    if (o->token_key_length) shunt_sha256_of(o->token_key, o->token_key_length, digest), shunt_hex(digest, KEY_ID / 2, key_id);
    SHUNT_TRY(shunt_encoders_new(s->memory, p, (shunt_text){ key_id, o->token_key_length ? KEY_ID : 0 }, &s->encoders, why));
    SHUNT_TRY(shunt_spool_file_new(s->memory, o->directory, RAISED_BUFFER, &s->raised));
    s->own_raised = true;
    if (o->spool) {
        s->records = *o->spool;
    } else {
        SHUNT_TRY(shunt_spool_file_new(s->memory, o->directory, RECORDS_BUFFER, &s->records));
        s->own_records = true;
    }
    if (!shunt_pending_init(&s->pending, s->memory, &s->records, o->spool ? 0 : SHUNT_SPOOL_BUFFER)) return SHUNT_NO_MEMORY;
    s->plain_records = !o->lineage_sink;
    for (uint32_t i = 0; i < p->targets_count; i++) s->plain_records &= !shunt_encoders_dressed(s->encoders, (uint16_t)i);
    s->host.call_extern = o->call_extern;
    s->host.extern_context = o->extern_context;
    s->host.token_key = o->token_key;
    s->host.token_key_length = o->token_key_length;
    s->host.received_at = o->received_at;
    s->host.received_at_known = o->received_at_known;
    shunt_encoders_run(s->encoders, o->received_at, o->control_number);
    shunt_session_host(s);
    size_t bytes = unit_bytes(o);
    s->out_limit = bytes > SIZE_MAX / OUT_FACTOR ? SIZE_MAX : bytes * OUT_FACTOR;
    s->vm = shunt_vm_new(s->memory, p, &s->host, o->steps ? o->steps : SHUNT_STEPS, bytes);
    if (s->vm) shunt_vm_cover(s->vm, o->covered, o->covered_count);
    if (s->vm && o->interpret) SHUNT_TRY(shunt_vm_interpret(s->vm));
    if (s->vm && s->lineage_sink) SHUNT_TRY(shunt_vm_trace(s->vm));
    s->capture = shunt_capture_new(s->memory, s->plan, bytes);
    s->ledger = shunt_ledger_new(s->memory, p);
    s->keys = shunt_index_new(s->memory, o->directory, 0);
    s->undone = shunt_index_new(s->memory, o->directory, 0);
    s->occurrences = shunt_index_new(s->memory, o->directory, 0);
    s->code_count = shunt_memory_zeroed(s->memory, some(p->codes_count), sizeof *s->code_count);
    s->record_count = shunt_memory_zeroed(s->memory, some(p->targets_count), sizeof *s->record_count);
    if (!s->vm || !s->capture || !s->ledger || !s->keys || !s->undone || !s->occurrences || !s->code_count || !s->record_count ||
        !prepare_tables(s))
        return SHUNT_NO_MEMORY;
    return SHUNT_OK;
}

static shunt_status prepare_letters(shunt_session *s, const shunt_session_options *o)
{
    if (!o->sinks.letter) return SHUNT_OK;
    s->letters = shunt_letters_new(s->memory, o->directory, s->program->hash, o->sinks.letter, o->sinks.context);
    return s->letters ? SHUNT_OK : SHUNT_NO_MEMORY;
}

shunt_status shunt_session_new(const shunt_session_options *o, shunt_session **session, char why[static 200])
{
    SHUNT_TRY(check_options(o, why));
    shunt_session *s = shunt_memory_zeroed(o->memory, 1, sizeof *s);
    if (!s) return SHUNT_NO_MEMORY;
    s->memory = o->memory;
    s->program = o->program;
    s->plan = &o->program->plan;
    s->sinks = o->sinks;
    s->only = o->only;
    s->only_count = o->only_count;
    s->only_whole = o->only_whole;
    s->only_control = o->only_control;
    s->lineage = o->lineage;
    s->lineage_sink = o->lineage_sink;
    s->no_hash = o->no_hash;
    if (o->observer) s->observer = *o->observer;
    shunt_hash_key_init(&s->hash_key, o->seed);
    shunt_buffer *buffers[] = { &s->control, &s->correlate, &s->aside, &s->scratch,
                                &s->carry,   &s->json,      &s->text,  &s->waiting_lineage };
    for (size_t i = 0; i < SHUNT_COUNT(buffers); i++) shunt_buffer_init(buffers[i], s->memory);
    shunt_status status = prepare_parts(s, o, why);
    if (status == SHUNT_OK) status = prepare_letters(s, o);
    if (status == SHUNT_OK)
        *session = s;
    else
        shunt_session_free(s);
    return status;
}

static void drop_reader(shunt_session *s)
{
    if (s->reader) s->reader->ops->free(s->reader);
    s->reader = NULL;
}

void shunt_session_free(shunt_session *s)
{
    if (!s) return;
    drop_reader(s);
    shunt_vm_free(s->vm);
    shunt_capture_free(s->capture);
    shunt_encoders_free(s->encoders);
    shunt_ledger_free(s->ledger);
    shunt_letters_free(s->letters);
    shunt_pending_done(&s->pending);
    if (s->own_records) s->records.free(s->records.context);
    if (s->own_raised) s->raised.free(s->raised.context);
    shunt_index_free(s->keys);
    shunt_index_free(s->undone);
    shunt_index_free(s->occurrences);
    for (size_t i = 0; i < s->input_count; i++) {
        shunt_memory_free(s->memory, (void *)(uintptr_t)s->inputs[i].id.bytes);
        shunt_memory_free(s->memory, (void *)(uintptr_t)s->inputs[i].name.bytes);
    }
    void *blocks[] = { s->inputs,     s->loops,   s->nodes,      s->plain,        s->maps,
                       s->tallied_of, s->tallied, s->code_count, s->record_count, s->made };
    for (size_t i = 0; i < SHUNT_COUNT(blocks); i++) shunt_memory_free(s->memory, blocks[i]);
    shunt_buffer *buffers[] = { &s->control, &s->correlate, &s->aside, &s->scratch,
                                &s->carry,   &s->json,      &s->text,  &s->waiting_lineage };
    for (size_t i = 0; i < SHUNT_COUNT(buffers); i++) shunt_buffer_done(buffers[i]);
    shunt_memory_free(s->memory, s);
}

/* ---- scopes ---- */

const struct doom *shunt_session_doom(const shunt_session *s)
{
    for (int level = SHUNT_LEVEL_FILE; level >= SHUNT_LEVEL_TRANSACTION; level--)
        if (s->doom[level].on) return &s->doom[level];
    return NULL;
}

shunt_text shunt_session_code_text(const shunt_session *s, uint16_t code, shunt_status cause)
{
    if (code != SHUNT_NONE) return shunt_program_text(s->program, s->program->codes[code].name);
    return cause == SHUNT_OK ? (shunt_text){ 0 } : shunt_text_of(shunt_status_info[cause].code);
}

static shunt_letter_whole whole_of(const shunt_session *s, const struct doom *doom)
{
    if (!doom || !doom->on) return (shunt_letter_whole){ .whole = false };
    return (shunt_letter_whole){ true, doom->fate, shunt_session_code_text(s, doom->code, doom->cause) };
}

static struct scope_mark mark_scope(const shunt_session *s, uint64_t begin)
{
    return (struct scope_mark){ s->serial + 1, shunt_pending_mark(&s->pending), s->letters ? shunt_letters_mark(s->letters) : 0,
                                begin };
}

/* What transactions from `first` on posted never was: their keys are free again. */
static shunt_status undo_transactions(shunt_session *s, uint64_t first)
{
    for (uint64_t serial = first; serial <= s->serial; serial++) {
        shunt_hash hash = shunt_hash128(&s->hash_key, &serial, sizeof serial);
        SHUNT_TRY(shunt_index_put(s->undone, hash, (shunt_payload){ { 0 } }));
    }
    return SHUNT_OK;
}

static shunt_status take_lineage(shunt_session *s, uint16_t target, const char *bytes, size_t length)
{
    uint32_t json;
    memcpy(&json, bytes, sizeof json);
    const char *text = bytes + sizeof json + json;
    s->json.length = s->text.length = 0;
    shunt_buffer_format(&s->json, "{\"record\":%llu", (unsigned long long)s->handed_out);
    shunt_buffer_add(&s->json, bytes + sizeof json, json);
    shunt_buffer_format(&s->text, "record %llu  ", (unsigned long long)s->handed_out);
    shunt_buffer_add(&s->text, text, (size_t)(bytes + length - text));
    if (s->json.failed || s->text.failed) return SHUNT_NO_MEMORY;
    shunt_lineage_out out = { s->handed_out, target, shunt_buffer_as_text(&s->json), shunt_buffer_as_text(&s->text) };
    return s->lineage_sink(s->sinks.context, &out);
}

static shunt_status give(const shunt_session *s, shunt_text text)
{
    return text.length ? s->sinks.records(s->sinks.context, text.bytes, text.length) : SHUNT_OK;
}

/* The record is in `around`. */
static shunt_status hand_out(shunt_session *s)
{
    const shunt_piece *piece = &s->around;
    s->record_count[piece->target]++;
    s->handed_out++;
    if (s->sinks.records) {
        SHUNT_TRY(give(s, piece->head));
        SHUNT_TRY(give(s, piece->body));
        return give(s, piece->end);
    }
    return s->sinks.record
               ? s->sinks.record(s->sinks.context, piece->target, piece->body.bytes ? piece->body.bytes : "", piece->body.length)
               : SHUNT_OK;
}

/* Gives out the message that waits for what follows it (this record, or nothing), and what that was made of. */
static shunt_status hand_out_dressed(shunt_session *s, uint32_t target, const char *bytes, size_t length)
{
    shunt_piece piece;
    bool        ready;
    SHUNT_TRY(shunt_encoders_dress(s->encoders, (uint16_t)target, bytes, length, &piece, &ready));
    if (!ready) return SHUNT_OK;
    s->around = piece;
    SHUNT_TRY(hand_out(s));
    if (!s->waiting_lineage.length) return SHUNT_OK;
    shunt_status status = take_lineage(s, piece.target, s->waiting_lineage.bytes, s->waiting_lineage.length);
    s->waiting_lineage.length = 0;
    return status;
}

static shunt_status take_record(void *context, uint32_t target, const char *bytes, size_t length)
{
    shunt_session *s = context;
    if (target & SHUNT_LINEAGE_TAG) {
        if (!shunt_encoders_dressed(s->encoders, (uint16_t)target)) return take_lineage(s, (uint16_t)target, bytes, length);
        shunt_buffer_add(&s->waiting_lineage, bytes, length);
        return s->waiting_lineage.failed ? SHUNT_NO_MEMORY : SHUNT_OK;
    }
    if (shunt_encoders_dressed(s->encoders, (uint16_t)target)) return hand_out_dressed(s, target, bytes, length);
    SHUNT_TRY(hand_out_dressed(s, target, NULL, 0));
    bool         first = s->record_count[target] == 0;
    shunt_piece *piece = &s->around;
    piece->target = (uint16_t)target;
    piece->head = first ? shunt_encoders_head(s->encoders, (uint16_t)target) : (shunt_text){ 0 };
    piece->end = shunt_encoders_end(s->encoders, (uint16_t)target);
    piece->body = (shunt_text){ bytes, (uint32_t)length - piece->end.length };
    return hand_out(s);
}

/* What is in memory, record by record. */
static shunt_status hand_out_each(shunt_session *s)
{
    const shunt_pending *p = &s->pending;
    const char          *at = p->out.bytes;
    for (uint32_t i = 0; i < p->count; at += p->pieces[i++].length)
        SHUNT_TRY(take_record(s, p->pieces[i].tag, at, p->pieces[i].length));
    return SHUNT_OK;
}

/* The same for a program none of whose records needs a look at those around it: all as it stands, but for what comes before the first
 * record of a target. */
static shunt_status hand_out_row(shunt_session *s)
{
    const shunt_pending *p = &s->pending;
    size_t               given = 0, at = 0;
    for (uint32_t i = 0; i < p->count; at += p->pieces[i++].length) {
        uint32_t target = p->pieces[i].tag;
        if (SHUNT_LIKELY(s->record_count[target]++)) continue;
        shunt_text head = shunt_encoders_head(s->encoders, (uint16_t)target);
        if (!head.length) continue;
        if (at > given) SHUNT_TRY(s->sinks.records(s->sinks.context, p->out.bytes + given, at - given));
        given = at;
        SHUNT_TRY(give(s, head));
    }
    s->handed_out += p->count;
    return at > given ? s->sinks.records(s->sinks.context, p->out.bytes + given, at - given) : SHUNT_OK;
}

/* Hands out all that waits, between one begin and one commit. */
static shunt_status deliver(shunt_session *s)
{
    if (s->sinks.begin) SHUNT_TRY(s->sinks.begin(s->sinks.context));
    SHUNT_TRY(shunt_parcel_replay(&s->records, 0, s->records.mark(s->records.context), &s->carry, take_record, s));
    SHUNT_TRY(s->sinks.records && s->plain_records ? hand_out_row(s) : hand_out_each(s));
    SHUNT_TRY(hand_out_dressed(s, 0, NULL, 0));
    if (s->sinks.commit) SHUNT_TRY(s->sinks.commit(s->sinks.context));
    return shunt_pending_reset(&s->pending);
}

/* The transaction at hand is the one that the list of `only` was made for. */
static bool is_letter(const shunt_session *s)
{
    return s->transactions == 1 &&
           (!s->only_control.length ||
            shunt_text_equal(s->only_control, (shunt_text){ s->control.bytes, (uint32_t)s->control.length }));
}

bool shunt_session_wants_all(const shunt_session *s) { return !s->only || (s->only_whole && is_letter(s)); }

static bool find_listed(shunt_session *s, uint64_t ordinal)
{
    size_t low = 0, high = s->only_count;
    if (s->only_whole || !is_letter(s)) return false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->only[middle] == ordinal) {
            s->only_met++;
            return true;
        }
        if (s->only[middle] < ordinal)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static inline bool is_listed(shunt_session *s, uint64_t ordinal)
{
    if (!shunt_session_wants_all(s)) return find_listed(s, ordinal);
    s->only_met++;
    return true;
}

static shunt_status capture_status(shunt_session *s, shunt_status status, const shunt_event *event)
{
    if (SHUNT_LIKELY(status == SHUNT_OK) || status != SHUNT_LIMIT_UNIT_BYTES) return status;
    shunt_raised raised = { .place = event->place };
    return shunt_session_fail(s, s->map->on_error, status, SHUNT_SCOPE_UNIT, &raised);
}

static shunt_status run_tally(shunt_session *s, uint16_t tally, const shunt_node *node)
{
    shunt_fate    outside = shunt_session_wants_all(s) ? SHUNT_POSTED : SHUNT_SKIPPED;
    uint16_t      function = s->program->tallies[tally].function;
    shunt_outcome outcome;
    shunt_value   value;
    if (SHUNT_LIKELY(shunt_vm_peek(s->vm, function, node, &value))) {
        shunt_ledger_arrive(s->ledger, tally, true, value, outside);
        return SHUNT_OK;
    }
    outcome.status = SHUNT_FAILURE;
    outcome.result.coefficient = 0;
    if (node) {
        shunt_vm_unit(s->vm);
        SHUNT_TRY(shunt_vm_run(s->vm, function, node, false, &outcome));
    }
    bool known = node && outcome.status == SHUNT_OK && outcome.has_result && outcome.state == SHUNT_PRESENT;
    if (tally + 1u < s->program->tallies_count && s->program->tallies[tally + 1].declared == 2)
        (known ? shunt_ledger_keep : shunt_ledger_undo)(s->ledger); /* whatever becomes of the unit */
    if (node) shunt_vm_trace_tally(s->vm, tally);
    shunt_ledger_arrive(s->ledger, tally, known, outcome.result, outside);
    return SHUNT_OK;
}

static shunt_status run_tallies(shunt_session *s, uint16_t frame, const shunt_node *node)
{
    struct tallied of = s->tallied_of[frame];
    for (uint16_t i = 0; i < of.count; i++) SHUNT_TRY(run_tally(s, s->tallied[of.first + i], node));
    return SHUNT_OK;
}

/* The list that instances of a repeated segment hang in. */
static const shunt_children *list_of(const shunt_session *s, const shunt_node *node, uint16_t frame)
{
    for (; node; node = node->parent) {
        const shunt_plan_frame *f = &s->plan->frames[node->frame];
        for (uint32_t i = 0; i < f->child_count; i++)
            if (s->plan->children[f->child_first + i] == frame) return &node->children[i];
    }
    return NULL;
}

static shunt_status begin_transaction(shunt_session *s, const shunt_event *event)
{
    uint64_t at = event->segment ? event->segment->at : event->place.byte;
    uint16_t map = event->guide < s->plan->guide_count ? s->maps[s->plan->guides[event->guide].source] : SHUNT_NONE;
    s->serial++;
    s->transactions++;
    s->open = s->batch_used = true;
    s->mapped_set = s->direct.active = s->direct.early = map != SHUNT_NONE;
    s->map = s->mapped_set ? &s->program->maps[map] : NULL;
    s->set_loop = s->mapped_set ? s->plan->guides[event->guide].loop_first : SHUNT_NONE;
    s->begin = at;
    s->early_done = false;
    s->unit_ordinal = 0;
    s->last_error = SHUNT_OK;
    s->control.length = s->correlate.length = 0;
    shunt_buffer_text(&s->control, event->control);
    if (s->control.failed) return SHUNT_NO_MEMORY;
    if (s->letters) shunt_letters_ending(s->letters, s->reader->ops->ending);
    if (s->letters) SHUNT_TRY(shunt_letters_begin(s->letters, s->transactions, at, event->set, event->control, s->mapped_set));
    *(s->mapped_set ? &s->mapped : &s->unmapped) += 1;
    if (!s->mapped_set) return SHUNT_OK;
    s->spool_begin = shunt_pending_mark(&s->pending);
    if (shunt_index_count(s->occurrences)) shunt_index_clear(s->occurrences);
    shunt_vm_begin(s->vm);
    return capture_status(s, shunt_capture_begin(s->capture, event->guide, at), event);
}

/* What runs once the header is there: before the first unit, or at the trailer where no unit comes. */
static shunt_status run_early(shunt_session *s, uint64_t end)
{
    if (s->early_done) return SHUNT_OK;
    s->early_done = true;
    s->direct.early = false;
    const shunt_node *root = shunt_capture_root(s->capture);
    SHUNT_TRY(shunt_session_outside(s, s->map->early, root, true, SHUNT_SCOPE_TRANSACTION, s->begin, end));
    return shunt_session_outside(s, s->map->at_start, root, false, SHUNT_SCOPE_TRANSACTION, s->begin, end);
}

/* Loops that a transaction without trailer leaves open: what was read of them counts, their units are not handled. */
static shunt_status close_loops(shunt_session *s, uint64_t end)
{
    for (uint16_t loop; (loop = shunt_capture_open(s->capture)) != SHUNT_NONE;) {
        const struct loop_info *info = &s->loops[loop];
        if (info->tallied) SHUNT_TRY(run_tallies(s, s->plan->loops[loop].frame, shunt_capture_top(s->capture, loop)));
        if (info->unit && s->unit_depth) {
            shunt_session_unit(s)->end = end;
            SHUNT_TRY(shunt_session_drop(s, SHUNT_QUARANTINED));
        }
        shunt_capture_leave(s->capture, loop, end);
    }
    return SHUNT_OK;
}

/* A unit that is the whole transaction: it is complete when the transaction is. */
static shunt_status set_unit(shunt_session *s, const shunt_event *event, const shunt_node *root)
{
    SHUNT_TRY(shunt_session_release(s, false, SHUNT_POSTED));
    struct unit *unit = &s->units[s->unit_depth++];
    *unit = (struct unit){
        .ordinal = ++s->unit_ordinal, .begin = s->begin, .end = event->end, .instance = 1, .loop = s->set_loop, .code = SHUNT_NONE
    };
    unit->listed = is_listed(s, unit->ordinal);
    shunt_ledger_enter(s->ledger);
    return event->step == SHUNT_STEP_ABANDON ? shunt_session_drop(s, SHUNT_QUARANTINED) : shunt_session_settle(s, root);
}

static shunt_status last_rules(shunt_session *s, const shunt_event *event)
{
    const shunt_node *root = shunt_capture_root(s->capture);
    if (event->step == SHUNT_STEP_ABANDON && !shunt_session_doom(s))
        s->doom[SHUNT_LEVEL_TRANSACTION] = (struct doom){ true, SHUNT_QUARANTINED, SHUNT_NONE, s->last_error };
    SHUNT_TRY(close_loops(s, event->end));
    if (s->loops[s->set_loop].tallied) SHUNT_TRY(run_tallies(s, s->plan->loops[s->set_loop].frame, root));
    SHUNT_TRY(run_early(s, event->end));
    if (s->loops[s->set_loop].unit) SHUNT_TRY(set_unit(s, event, root));
    SHUNT_TRY(shunt_session_outside(s, s->map->late, root, true, SHUNT_SCOPE_TRANSACTION, s->begin, event->end));
    return shunt_session_outside(s, s->map->at_end, root, false, SHUNT_SCOPE_TRANSACTION, s->begin, event->end);
}

static shunt_status end_transaction(shunt_session *s, const shunt_event *event)
{
    bool hold = s->widest > SHUNT_SCOPE_TRANSACTION;
    if (!s->open) return SHUNT_OK;
    if (s->mapped_set) SHUNT_TRY(last_rules(s, event));
    const struct doom *doom = s->mapped_set ? shunt_session_doom(s) : NULL;
    if (s->mapped_set) {
        if (doom) SHUNT_TRY(shunt_pending_truncate(&s->pending, s->spool_begin));
        if (doom) SHUNT_TRY(undo_transactions(s, s->serial));
        SHUNT_TRY(shunt_ledger_close(s->ledger, SHUNT_LEVEL_TRANSACTION, doom != NULL, doom ? doom->fate : SHUNT_POSTED));
        shunt_vm_trace_close(s->vm, SHUNT_SCOPE_TRANSACTION, doom != NULL);
        if (s->observer.transaction) SHUNT_TRY(s->observer.transaction(s->observer.context, !doom));
    }
    if (s->letters) SHUNT_TRY(shunt_letters_end(s->letters, event->end, whole_of(s, doom), hold));
    s->open = s->direct.active = false;
    s->doom[SHUNT_LEVEL_TRANSACTION].on = false;
    return s->mapped_set && !hold && !doom ? deliver(s) : SHUNT_OK;
}

/* Rules at the end of a batch or file, one map after the other; a transaction of their own for keys and totals. */
static shunt_status closing_rules(shunt_session *s, shunt_scope scope, uint64_t begin, uint64_t end)
{
    bool any = false;
    for (uint32_t i = 0; i < s->program->maps_count; i++) {
        uint16_t function = scope == SHUNT_SCOPE_BATCH ? s->program->maps[i].at_end_batch : s->program->maps[i].at_end_file;
        if (function == SHUNT_NONE) continue;
        s->map = &s->program->maps[i];
        s->serial++;
        s->correlate.length = 0;
        shunt_vm_begin(s->vm);
        SHUNT_TRY(shunt_session_outside(s, function, NULL, false, scope, begin, end));
        any = true;
    }
    if (any && s->observer.transaction) SHUNT_TRY(s->observer.transaction(s->observer.context, !shunt_session_doom(s)));
    return shunt_ledger_close(s->ledger, SHUNT_LEVEL_TRANSACTION, false, SHUNT_POSTED);
}

static shunt_status end_batch(shunt_session *s, uint64_t end)
{
    struct doom *own = &s->doom[SHUNT_LEVEL_BATCH];
    s->batch_used = false;
    SHUNT_TRY(closing_rules(s, SHUNT_SCOPE_BATCH, s->batch.begin, end));
    const struct doom *doom = shunt_session_doom(s);
    if (doom) SHUNT_TRY(shunt_pending_truncate(&s->pending, s->batch.records));
    if (doom) SHUNT_TRY(undo_transactions(s, s->batch.serial));
    SHUNT_TRY(shunt_ledger_close(s->ledger, SHUNT_LEVEL_BATCH, doom != NULL, doom ? doom->fate : SHUNT_POSTED));
    shunt_vm_trace_close(s->vm, SHUNT_SCOPE_BATCH, doom != NULL);
    if (s->letters && (own->on || s->widest == SHUNT_SCOPE_BATCH))
        SHUNT_TRY(shunt_letters_release(s->letters, s->batch.letters, whole_of(s, own)));
    own->on = false;
    if (s->widest == SHUNT_SCOPE_BATCH && !doom) SHUNT_TRY(deliver(s));
    s->batch = mark_scope(s, end);
    return SHUNT_OK;
}

static shunt_status end_file(shunt_session *s, uint64_t end)
{
    struct doom *doom = &s->doom[SHUNT_LEVEL_FILE];
    if (s->batch_used) SHUNT_TRY(end_batch(s, end));
    SHUNT_TRY(closing_rules(s, SHUNT_SCOPE_FILE, 0, end));
    SHUNT_TRY(shunt_ledger_close(s->ledger, SHUNT_LEVEL_BATCH, false, SHUNT_POSTED));
    SHUNT_TRY(shunt_ledger_close(s->ledger, SHUNT_LEVEL_FILE, doom->on, doom->fate));
    shunt_vm_trace_close(s->vm, SHUNT_SCOPE_FILE, doom->on);
    if (doom->on) SHUNT_TRY(undo_transactions(s, s->file.serial));
    if (s->letters) SHUNT_TRY(shunt_letters_release(s->letters, 0, whole_of(s, doom)));
    if (doom->on) return shunt_pending_reset(&s->pending);
    return s->widest == SHUNT_SCOPE_FILE || shunt_pending_mark(&s->pending) ? deliver(s) : SHUNT_OK;
}

/* ---- events ---- */

static shunt_status enter_loop(shunt_session *s, const shunt_event *event)
{
    const struct loop_info *info = &s->loops[event->loop];
    if (info->unit) {
        SHUNT_TRY(run_early(s, event->place.byte));
        SHUNT_TRY(shunt_session_release(s, false, SHUNT_POSTED));
        struct unit *unit = &s->units[s->unit_depth++];
        *unit =
            (struct unit){ .ordinal = ++s->unit_ordinal, .begin = event->place.byte, .loop = event->loop, .code = SHUNT_NONE };
        unit->listed = is_listed(s, unit->ordinal);
        shunt_ledger_enter(s->ledger);
    }
    SHUNT_TRY(capture_status(s, shunt_capture_enter(s->capture, event->loop, event->place.byte, event->place.segment), event));
    const shunt_node *node = info->unit ? shunt_capture_top(s->capture, event->loop) : NULL;
    if (node) shunt_session_unit(s)->instance = node->ordinal;
    return SHUNT_OK;
}

static shunt_status leave_loop(shunt_session *s, const shunt_event *event)
{
    const struct loop_info *info = &s->loops[event->loop];
    const shunt_node       *node = info->unit || info->tallied ? shunt_capture_top(s->capture, event->loop) : NULL;
    if (info->tallied) SHUNT_TRY(run_tallies(s, s->plan->loops[event->loop].frame, node));
    if (info->unit && s->unit_depth) {
        shunt_session_unit(s)->end = event->end;
        SHUNT_TRY(shunt_session_settle(s, node));
    }
    shunt_capture_leave(s->capture, event->loop, event->end);
    return SHUNT_OK;
}

/* How many of the values that early rules read are there. */
static unsigned early_values(const shunt_session *s, const shunt_plan_node *node)
{
    const shunt_node *at = shunt_capture_top(s->capture, node->loop);
    unsigned          count = 0;
    for (uint32_t d = 0; at && d < node->demand_count; d++) {
        uint16_t slot = s->plan->demands[node->demand_first + d].slot;
        count += s->plan->slots[s->plan->frames[at->frame].slot_first + slot].early && at->slots[slot].bytes;
    }
    return count;
}

/* A message in another currency than the rules were written for is no message for them. */
static shunt_status hold_currency(shunt_session *s, const shunt_event *event, const shunt_plan_node *node)
{
    const shunt_node *top = shunt_capture_top(s->capture, node->loop);
    if (!top) return SHUNT_OK;
    const shunt_plan_frame *frame = &s->plan->frames[top->frame];
    const shunt_source     *source = &s->program->sources[frame->source];
    shunt_text              wanted = shunt_program_text(s->program, source->currency);
    for (uint32_t d = 0; d < node->demand_count; d++) {
        uint16_t              slot = s->plan->demands[node->demand_first + d].slot;
        const shunt_captured *value = &top->slots[slot];
        if (s->plan->slots[frame->slot_first + slot].path != source->currency_path || !value->bytes) continue;
        if (shunt_text_equal((shunt_text){ value->bytes, value->length }, wanted)) continue;
        shunt_raised raised = { .place = event->place, .path = shunt_program_text(s->program, source->currency_path) };
        uint16_t     exit = s->map->source_error;
        return shunt_session_fail(s, exit, SHUNT_CURRENCY_OTHER, exit == SHUNT_NONE ? SHUNT_SCOPE_TRANSACTION : SHUNT_SCOPE_UNIT,
                                  &raised);
    }
    return SHUNT_OK;
}

static shunt_status take_special(shunt_session *s, const shunt_event *event, uint8_t flags)
{
    const shunt_plan_node *node = &s->plan->nodes[event->node];
    const shunt_children *list = flags & NODE_TALLIED ? list_of(s, shunt_capture_top(s->capture, node->loop), node->frame) : NULL;
    const shunt_node     *last = list ? list->last : NULL;
    bool                  early = flags & NODE_EARLY && s->early_done;
    unsigned              before = early ? early_values(s, node) : 0;
    SHUNT_TRY(capture_status(s, shunt_capture_segment(s->capture, event->node, event->segment, &event->delims), event));
    if (early && early_values(s, node) > before) {
        shunt_raised raised = { .place = event->place };
        SHUNT_TRY(shunt_session_fail(s, SHUNT_NONE, s->reader->ops->late, SHUNT_SCOPE_TRANSACTION, &raised));
    }
    if (flags & NODE_CURRENCY) SHUNT_TRY(hold_currency(s, event, node));
    if (!(flags & NODE_TALLIED)) return SHUNT_OK;
    if (!list) return run_tallies(s, node->frame, NULL); /* its unit was dropped */
    for (const shunt_node *made = last ? last->next : list->first; made; made = made->next)
        SHUNT_TRY(run_tallies(s, node->frame, made));
    return SHUNT_OK;
}

static shunt_status take_segment(shunt_session *s, const shunt_event *event)
{
    uint8_t flags = event->node < s->plan->node_count ? s->nodes[event->node] : 0;
    if (SHUNT_UNLIKELY(event->code != SHUNT_OK)) return capture_status(s, event->code, event);
    if (s->reader->ops->values || !flags) return SHUNT_OK;
    if (SHUNT_UNLIKELY(flags & (NODE_EARLY | NODE_TALLIED | NODE_CURRENCY))) return take_special(s, event, flags);
    return capture_status(s, shunt_capture_segment(s->capture, event->node, event->segment, &event->delims), event);
}

/* The exit that answers a fault outside of transactions: only one that undoes more than a transaction has anything to undo. */
static uint16_t outer_exit(const shunt_session *s)
{
    for (uint32_t i = 0; i < s->program->maps_count; i++) {
        uint16_t exit = s->program->maps[i].source_error;
        if (exit != SHUNT_NONE && s->program->exits[exit].kind <= SHUNT_EXIT_QUARANTINE &&
            s->program->exits[exit].scope > SHUNT_SCOPE_TRANSACTION)
            return exit;
    }
    return SHUNT_NONE;
}

static shunt_status take_fault(shunt_session *s, const shunt_event *event)
{
    shunt_raised raised = { .code = SHUNT_NONE,
                            .cause = event->code,
                            .grade = SHUNT_GRADE_WARNING,
                            .message = event->detail,
                            .place = event->place,
                            .extra = true };
    bool         inside = s->open && s->mapped_set;
    if (shunt_status_info[event->code].severity != SHUNT_ERROR) return shunt_session_raise(s, &raised);
    s->last_error = event->code;
    if (inside) {
        uint16_t exit = s->map->source_error;
        bool     whole = event->wide || (exit == SHUNT_NONE && !(event->local && s->unit_depth));
        return shunt_session_fail(s, exit, event->code, whole ? SHUNT_SCOPE_TRANSACTION : SHUNT_SCOPE_UNIT, &raised);
    }
    uint16_t exit = outer_exit(s);
    if (exit != SHUNT_NONE) return shunt_session_fail(s, exit, event->code, SHUNT_SCOPE_BATCH, &raised);
    raised.grade = SHUNT_GRADE_ERROR;
    return shunt_session_raise(s, &raised);
}

/* The slot has a value already, or nothing is captured here. */
static shunt_status second_value(shunt_session *s, const shunt_event *event, const shunt_node *node)
{
    if (s->reader->ops->twice == SHUNT_OK || !node || event->slot >= s->plan->frames[node->frame].slot_count) return SHUNT_OK;
    if (!node->slots[event->slot].bytes || (!event->value.length && !event->cleared)) return SHUNT_OK;
    const struct unit *unit = shunt_session_unit(s);
    if (unit ? unit->failed : shunt_session_doom(s) != NULL) return SHUNT_OK; /* lost already, and something has said why */
    shunt_event fault = { .code = s->reader->ops->twice, .place = event->place, .local = true };
    return take_fault(s, &fault);
}

static shunt_status take_value(shunt_session *s, const shunt_event *event)
{
    const shunt_node *node = shunt_capture_innermost(s->capture);
    bool              taken;
    SHUNT_TRY(capture_status(s, shunt_capture_value(s->capture, event->slot, event->value, event->cleared, &event->place, &taken),
                             event));
    if (!taken) return second_value(s, event, node);
    if (!s->early_done || !node) return SHUNT_OK;
    if (!s->plan->slots[s->plan->frames[node->frame].slot_first + event->slot].early) return SHUNT_OK;
    if (shunt_session_doom(s)) return SHUNT_OK; /* the transaction is lost, and the first value that was late has said why */
    shunt_raised raised = { .place = event->place };
    return shunt_session_fail(s, SHUNT_NONE, s->reader->ops->late, SHUNT_SCOPE_TRANSACTION, &raised);
}

static shunt_status begin_scope(shunt_session *s, const shunt_event *event)
{
    if (event->scope == SHUNT_SCOPE_TRANSACTION) return begin_transaction(s, event);
    uint64_t at = event->segment ? event->segment->at : event->place.byte;
    if (event->scope == SHUNT_SCOPE_BATCH) {
        if (s->batch_used) SHUNT_TRY(end_batch(s, at));
        s->batch = mark_scope(s, at);
        s->batch_used = true;
    }
    if (s->letters && (event->scope == SHUNT_SCOPE_BATCH || event->scope == SHUNT_SCOPE_INTERCHANGE))
        return shunt_letters_scope(s->letters, event->scope, event->segment, &event->delims, event->control);
    return SHUNT_OK;
}

static shunt_status end_scope(shunt_session *s, const shunt_event *event)
{
    if (event->scope == SHUNT_SCOPE_TRANSACTION) return end_transaction(s, event);
    if (event->scope == SHUNT_SCOPE_BATCH && s->batch_used) SHUNT_TRY(end_batch(s, event->end));
    if (s->letters && (event->scope == SHUNT_SCOPE_BATCH || event->scope == SHUNT_SCOPE_INTERCHANGE))
        shunt_letters_scope_over(s->letters, event->scope, event->end);
    return SHUNT_OK;
}

/* Takes events until the reader wants input; `*over`: it has come to the end. */
static shunt_status pump(shunt_session *s, bool *over)
{
    shunt_event event = { .local = false, .wide = false };
    for (*over = false;;) {
        shunt_step step = s->reader->ops->next(s->reader, &event);
        switch (step) {
        case SHUNT_STEP_SEGMENT:
            if (s->open && s->mapped_set) SHUNT_TRY(take_segment(s, &event));
            break;
        case SHUNT_STEP_ENTER:
            if (s->open && s->mapped_set) SHUNT_TRY(enter_loop(s, &event));
            break;
        case SHUNT_STEP_LEAVE:
            if (s->open && s->mapped_set) SHUNT_TRY(leave_loop(s, &event));
            break;
        case SHUNT_STEP_BEGIN: SHUNT_TRY(begin_scope(s, &event)); break;
        case SHUNT_STEP_FINISH:
        case SHUNT_STEP_ABANDON:
            event.step = step;
            SHUNT_TRY(end_scope(s, &event));
            break;
        case SHUNT_STEP_FAULT: SHUNT_TRY(take_fault(s, &event)); break;
        case SHUNT_STEP_NEED_INPUT: return SHUNT_OK;
        case SHUNT_STEP_END: *over = true; return SHUNT_OK;
        case SHUNT_STEP_FAILED: return event.code == SHUNT_OK ? SHUNT_INPUT_BAD : event.code;
        case SHUNT_STEP_VALUE:
            if (s->open && s->mapped_set) SHUNT_TRY(take_value(s, &event));
            break;
        }
    }
}

/* ---- inputs ---- */

static shunt_status stop(shunt_session *s, shunt_status status)
{
    if (status != SHUNT_OK && s->dead == SHUNT_OK) s->dead = status;
    return status;
}

static bool copy_text(const shunt_memory *memory, shunt_text text, shunt_text *copy)
{
    char *bytes = shunt_memory_get(memory, text.length ? text.length : 1);
    if (!bytes) return false;
    if (text.length) memcpy(bytes, text.bytes, text.length);
    *copy = (shunt_text){ bytes, text.length };
    return true;
}

static shunt_status note_input(shunt_session *s, shunt_text id, shunt_text name)
{
    char ordinal[24];
    if (s->input_count == s->input_capacity) {
        size_t            capacity = s->input_capacity ? s->input_capacity * 2 : 4;
        shunt_input_info *inputs = shunt_memory_resize(s->memory, s->inputs, capacity * sizeof *inputs);
        if (!inputs) return SHUNT_NO_MEMORY;
        s->inputs = inputs;
        s->input_capacity = capacity;
    }
    if (!id.length) id = (shunt_text){ ordinal, (uint32_t)snprintf(ordinal, sizeof ordinal, "%zu", s->input_count + 1) };
    shunt_input_info *info = &s->inputs[s->input_count];
    *info = (shunt_input_info){ .bytes = 0 };
    if (!copy_text(s->memory, id, &info->id)) return SHUNT_NO_MEMORY;
    if (!copy_text(s->memory, name, &info->name)) {
        shunt_memory_free(s->memory, (void *)(uintptr_t)info->id.bytes);
        return SHUNT_NO_MEMORY;
    }
    s->input_count++;
    return SHUNT_OK;
}

static shunt_status begin_input(shunt_session *s, shunt_text id, shunt_text name)
{
    SHUNT_TRY(note_input(s, id, name));
    const shunt_input_info *info = &s->inputs[s->input_count - 1];
    s->in_input = true;
    s->host.file_id = info->id;
    s->transactions = s->only_met = 0;
    s->open = s->batch_used = s->direct.active = false;
    s->control.length = s->correlate.length = 0;
    shunt_sha256_init(&s->sha);
    for (int level = 0; level < SHUNT_LEVEL_RUN; level++) s->doom[level].on = false;
    SHUNT_TRY(shunt_encoders_input(s->encoders, info->id));
    if (s->letters) SHUNT_TRY(shunt_letters_input(s->letters, s->input_count, info->id, s->reader->ops->trailer));
    SHUNT_TRY(shunt_pending_reset(&s->pending));
    s->file = s->batch = mark_scope(s, 0);
    return SHUNT_OK;
}

shunt_status shunt_session_begin(shunt_session *s, shunt_reader *reader, shunt_text id, shunt_text name)
{
    if (s->dead != SHUNT_OK || s->in_input) {
        if (reader) reader->ops->free(reader);
        return s->dead != SHUNT_OK ? s->dead : SHUNT_USAGE;
    }
    if (!reader) return stop(s, SHUNT_NO_MEMORY);
    drop_reader(s);
    s->reader = reader;
    if (reader->ops->demanded_only) reader->ops->demanded_only(reader, &s->direct);
    return stop(s, begin_input(s, id, name));
}

static shunt_status take_piece(shunt_session *s, const void *bytes, size_t size, bool last)
{
    shunt_input_info *info = &s->inputs[s->input_count - 1];
    bool              over;
    if (!s->no_hash) shunt_sha256_add(&s->sha, bytes, size);
    info->bytes += size;
    if (s->letters) shunt_letters_piece(s->letters, bytes, size);
    s->reader->ops->feed(s->reader, bytes, size, last);
    SHUNT_TRY(pump(s, &over));
    if (last && over) SHUNT_TRY(shunt_session_extras(s));
    if (last && over && s->only && (s->only_whole ? s->only_met == 0 : s->only_met < s->only_count)) {
        shunt_raised raised = { .code = SHUNT_NONE, .cause = SHUNT_ONLY_UNMET, .grade = SHUNT_GRADE_ERROR };
        SHUNT_TRY(shunt_session_raise(s, &raised));
    }
    if (last && over) SHUNT_TRY(end_file(s, info->bytes));
    if (last && !over) return SHUNT_INPUT_BAD;
    return s->letters ? shunt_letters_piece_over(s->letters) : SHUNT_OK;
}

shunt_status shunt_session_feed(shunt_session *s, const void *bytes, size_t size)
{
    if (s->dead != SHUNT_OK) return s->dead;
    if (!s->in_input) return SHUNT_USAGE;
    return size ? stop(s, take_piece(s, bytes, size, false)) : SHUNT_OK;
}

shunt_status shunt_session_end(shunt_session *s)
{
    if (s->dead != SHUNT_OK) return s->dead;
    if (!s->in_input) return SHUNT_USAGE;
    SHUNT_TRY(stop(s, take_piece(s, "", 0, true)));
    if (!s->no_hash) shunt_sha256_finish(&s->sha, s->inputs[s->input_count - 1].sha256);
    drop_reader(s);
    s->in_input = false;
    return SHUNT_OK;
}

shunt_status shunt_session_finish(shunt_session *s)
{
    if (s->dead != SHUNT_OK) return s->dead;
    if (s->in_input) return SHUNT_USAGE;
    return shunt_ledger_balanced(s->ledger) ? SHUNT_OK : stop(s, SHUNT_FAILURE);
}

/* ---- what the report is made of ---- */

const shunt_program *shunt_session_program(const shunt_session *s) { return s->program; }
const shunt_ledger  *shunt_session_ledger(const shunt_session *s) { return s->ledger; }
uint64_t             shunt_session_records(const shunt_session *s, uint16_t target) { return s->record_count[target]; }
shunt_text           shunt_session_record_head(const shunt_session *s) { return s->around.head; }
shunt_text           shunt_session_record_end(const shunt_session *s) { return s->around.end; }
uint64_t             shunt_session_control(const shunt_session *s) { return shunt_encoders_control(s->encoders); }
uint64_t             shunt_session_raised(const shunt_session *s, shunt_grade grade) { return s->raised_count[grade]; }
uint64_t             shunt_session_code(const shunt_session *s, uint16_t code) { return s->code_count[code]; }
uint64_t             shunt_session_status(const shunt_session *s, shunt_status code) { return s->status_count[code]; }
size_t               shunt_session_inputs(const shunt_session *s) { return s->input_count; }
bool                 shunt_session_open(const shunt_session *s) { return s->in_input; }
bool                 shunt_session_at_fault(const shunt_session *s) { return s->at_fault; }

const shunt_input_info *shunt_session_input(const shunt_session *s, size_t index) { return &s->inputs[index]; }

void shunt_session_sets(const shunt_session *s, uint64_t *mapped, uint64_t *unmapped)
{
    *mapped = s->mapped;
    *unmapped = s->unmapped;
}
