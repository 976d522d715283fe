#include <stdlib.h>

#include "engine/vm/session_state.h"

/* The way something leaves. */
struct leave {
    shunt_fate   fate;
    shunt_grade  grade;
    shunt_scope  scope;
    uint16_t     code; /* SHUNT_NONE with cause OK: in silence */
    shunt_status cause;
};

/* ---- what rules do ---- */

static bool reserve_made(shunt_session *s)
{
    if (s->made_count < s->made_capacity) return true;
    uint32_t     capacity = s->made_capacity ? s->made_capacity * 2 : 16;
    struct made *made = shunt_memory_resize(s->memory, s->made, capacity * sizeof *made);
    if (!made) return false;
    s->made = made;
    s->made_capacity = capacity;
    return true;
}

/* What a record comes from, behind it. */
static shunt_status put_lineage(shunt_session *s, const shunt_record *record)
{
    const struct unit *unit = shunt_session_unit(s);
    s->json.length = s->text.length = 0;
    shunt_buffer_z(&s->json, ",\"input\":");
    shunt_buffer_json(&s->json, s->in_input ? s->inputs[s->input_count - 1].id : (shunt_text){ 0 });
    shunt_buffer_format(&s->json, ",\"transaction\":%llu", (unsigned long long)s->transactions);
    if (unit) shunt_buffer_format(&s->json, ",\"unit\":%llu", (unsigned long long)unit->ordinal);
    shunt_buffer_format(&s->json, ",\"offset\":%llu,\"length\":%llu,", (unsigned long long)s->stamp_begin,
                        (unsigned long long)(s->stamp_end - s->stamp_begin));
    if (!shunt_vm_trace_write(s->vm, record, &s->lineage, &s->json, &s->text)) return SHUNT_OK;
    shunt_buffer *out = &s->pending.out;
    size_t        begin = out->length;
    uint32_t      length = (uint32_t)s->json.length;
    shunt_buffer_add(out, &length, sizeof length);
    shunt_buffer_add(out, s->json.bytes, s->json.length);
    shunt_buffer_add(out, s->text.bytes, s->text.length);
    s->lineage_bytes += out->length - begin;
    if (s->json.failed || s->text.failed) return SHUNT_NO_MEMORY;
    return shunt_pending_seal(&s->pending, begin, record->target | SHUNT_LINEAGE_TAG) ? SHUNT_OK : SHUNT_NO_MEMORY;
}

static shunt_status on_record(void *context, const shunt_record *record)
{
    shunt_session *s = context;
    if (s->observer.record) SHUNT_TRY(s->observer.record(s->observer.context, record));
    if (record->journal && record->line_count == 0) return SHUNT_OK; /* all lines were zero */
    if (!reserve_made(s)) return SHUNT_NO_MEMORY;
    struct made  *made = &s->made[s->made_count];
    shunt_buffer *out = &s->pending.out;
    shunt_text    end = shunt_encoders_end(s->encoders, record->target);
    shunt_stamp   stamp = { shunt_buffer_as_text(&s->correlate), s->stamp_begin, s->stamp_end };
    shunt_written written;
    size_t        begin = out->length;
    shunt_hash    key = shunt_hash128_texts(&s->hash_key, record->target, record->key, record->key_count);
    shunt_index_prefetch(s->keys, key);
    shunt_status status = shunt_encode(s->encoders, record, &stamp, out, &s->aside, &written);
    if (status != SHUNT_OK) return status;
    if (SHUNT_LIKELY(end.length == 1))
        shunt_buffer_char(out, end.bytes[0]);
    else
        shunt_buffer_add(out, end.bytes, end.length);
    if (!shunt_pending_seal(&s->pending, begin, record->target)) return SHUNT_NO_MEMORY;
    if (out->length - s->here.length - s->lineage_bytes > s->out_limit) return SHUNT_LIMIT_UNIT_BYTES;
    if (shunt_vm_traced(s->vm)) SHUNT_TRY(put_lineage(s, record));
    made->key.high = key.high;
    made->key.low = key.low;
    made->pieces = s->pending.count;
    made->site = record->site;
    made->target = record->target;
    made->drop = false;
    made->key_begin = written.key.begin;
    made->key_end = written.key.end;
    made->key_aside = written.in == &s->aside;
    made->content =
        shunt_hash64(&s->hash_key, written.in->bytes + written.content.begin, written.content.end - written.content.begin);
    if (made->key_aside) s->aside.length = written.key.end;
    s->made_count++;
    return SHUNT_OK;
}

static shunt_status on_warn(void *context, uint16_t exit, shunt_text message, shunt_vm_place place)
{
    shunt_session    *s = context;
    const shunt_exit *e = &s->program->exits[exit];
    shunt_raised      raised = {
             .code = e->code, .grade = SHUNT_GRADE_WARNING, .scope = SHUNT_SCOPE_UNIT, .message = message, .site = e->site
    };
    shunt_session_place(s, &place, &raised);
    return shunt_session_raise(s, &raised);
}

static shunt_status on_fault(void *context, shunt_status code, uint32_t site, shunt_vm_place place)
{
    shunt_session *s = context;
    shunt_raised   raised = {
          .code = SHUNT_NONE, .cause = code, .grade = SHUNT_GRADE_WARNING, .scope = SHUNT_SCOPE_UNIT, .site = site
    };
    shunt_session_place(s, &place, &raised);
    return shunt_session_raise(s, &raised);
}

static shunt_status on_correlate(void *context, const shunt_text *texts, uint32_t count)
{
    shunt_session *s = context;
    s->correlate.length = 0;
    shunt_json_texts(&s->correlate, texts, count);
    return s->correlate.failed ? SHUNT_NO_MEMORY : SHUNT_OK;
}

static shunt_status on_occurrence(void *context, const shunt_text *texts, uint32_t count, int64_t *times)
{
    shunt_session *s = context;
    shunt_hash     hash = shunt_hash128_texts(&s->hash_key, UINT32_MAX, texts, count);
    shunt_payload  payload = { { 0 } };
    bool           found;
    SHUNT_TRY(shunt_index_get(s->occurrences, hash, &payload, &found));
    if (!found) payload.words[0] = 0;
    payload.words[0]++;
    SHUNT_TRY(shunt_index_put(s->occurrences, hash, payload));
    *times = (int64_t)payload.words[0];
    return SHUNT_OK;
}

static shunt_status on_tally_add(void *context, uint16_t tally, shunt_value value, shunt_text key)
{
    return shunt_ledger_add(((shunt_session *)context)->ledger, tally, value, key);
}

static shunt_status on_tally_get(void *context, uint16_t tally, shunt_arena *arena, shunt_value *value)
{
    return shunt_ledger_read(((shunt_session *)context)->ledger, tally, arena, value);
}

void shunt_session_host(shunt_session *s)
{
    s->host.context = s;
    s->host.record = on_record;
    s->host.warn = on_warn;
    s->host.fault = on_fault;
    s->host.correlate = on_correlate;
    s->host.occurrence = on_occurrence;
    s->host.tally_add = on_tally_add;
    s->host.tally_get = on_tally_get;
}

/* ---- exits ---- */

static shunt_scope clamp(const shunt_session *s, shunt_scope scope, shunt_scope least)
{
    if (scope == SHUNT_SCOPE_INTERCHANGE) scope = SHUNT_SCOPE_FILE;
    if (scope < least) scope = least;
    return scope > s->widest && scope != SHUNT_SCOPE_UNIT ? s->widest : scope;
}

/* By an exit of the rules, or a failure (`cause`) that an exit answers. */
static struct leave leave_by(const shunt_session *s, uint16_t exit, shunt_status cause, shunt_scope least)
{
    struct leave leave = { SHUNT_QUARANTINED, SHUNT_GRADE_QUARANTINE, clamp(s, least, least), SHUNT_NONE, cause };
    if (exit == SHUNT_NONE) return leave;
    const shunt_exit *e = &s->program->exits[exit];
    leave.scope = clamp(s, (shunt_scope)e->scope, least);
    leave.code = e->code;
    if (e->kind == SHUNT_EXIT_REJECT) {
        leave.fate = SHUNT_REJECTED;
        leave.grade = SHUNT_GRADE_REJECT;
    } else if (e->kind == SHUNT_EXIT_SKIP && cause == SHUNT_OK) {
        leave.fate = SHUNT_SKIPPED;
    }
    return leave;
}

static bool set_doom(shunt_session *s, const struct leave *leave)
{
    shunt_level  level = leave->scope == SHUNT_SCOPE_FILE    ? SHUNT_LEVEL_FILE
                         : leave->scope == SHUNT_SCOPE_BATCH ? SHUNT_LEVEL_BATCH
                                                             : SHUNT_LEVEL_TRANSACTION;
    struct doom *doom = &s->doom[level];
    if (leave->scope == SHUNT_SCOPE_UNIT || doom->on) return false;
    *doom = (struct doom){ true, leave->fate, leave->code, leave->cause };
    return true;
}

/* Raises the exception of an exit and marks what it undoes. */
static shunt_status take_leave(shunt_session *s, const struct leave *leave, shunt_raised *raised)
{
    raised->code = leave->code;
    raised->cause = leave->cause;
    raised->grade = leave->grade;
    raised->scope = leave->scope;
    if (set_doom(s, leave)) raised->extra = false;
    if (leave->code == SHUNT_NONE && leave->cause == SHUNT_OK) return SHUNT_OK;
    return shunt_session_raise(s, raised);
}

/* How a run of a rule that did not come to its end leaves. */
static shunt_status leave_rule(shunt_session *s, const shunt_outcome *outcome, shunt_scope least, struct leave *leave)
{
    shunt_raised raised = { .message = outcome->message, .site = outcome->site };
    if (outcome->status == SHUNT_FAILURE) {
        *leave = leave_by(s, outcome->exit, SHUNT_OK, least);
        uint32_t at = s->program->exits[outcome->exit].site;
        if (at) raised.site = at;
    } else {
        *leave = leave_by(s, s->map ? s->map->on_error : SHUNT_NONE, outcome->status, least);
    }
    if (leave->fate == SHUNT_SKIPPED && least != SHUNT_SCOPE_UNIT) return SHUNT_OK; /* it ends the block only */
    shunt_session_place(s, &outcome->place, &raised);
    return take_leave(s, leave, &raised);
}

shunt_status shunt_session_fail(shunt_session *s, uint16_t exit, shunt_status cause, shunt_scope least, shunt_raised *raised)
{
    struct unit *unit = shunt_session_unit(s);
    if (exit != SHUNT_NONE && s->program->exits[exit].kind == SHUNT_EXIT_WARN) {
        raised->code = s->program->exits[exit].code;
        raised->cause = cause;
        raised->grade = SHUNT_GRADE_WARNING;
        raised->scope = SHUNT_SCOPE_UNIT;
        return shunt_session_raise(s, raised);
    }
    struct leave leave = leave_by(s, exit, cause,
                                  unit                              ? least
                                  : least > SHUNT_SCOPE_TRANSACTION ? least
                                                                    : SHUNT_SCOPE_TRANSACTION);
    if (unit && leave.scope == SHUNT_SCOPE_UNIT && !unit->failed) {
        unit->failed = true;
        unit->fate = leave.fate;
        unit->code = leave.code;
        unit->cause = leave.cause;
        raised->extra = false;
    }
    return take_leave(s, &leave, raised);
}

/* ---- keys, commit of a unit ---- */

static shunt_hash transaction_hash(const shunt_session *s, uint64_t serial)
{
    return shunt_hash128(&s->hash_key, &serial, sizeof serial);
}

static int by_key(const void *a, const void *b)
{
    const shunt_hash *x = a, *y = b;
    return shunt_hash_less(*x, *y) ? -1 : shunt_hash_less(*y, *x);
}

/* A record of the unit whose key another one of it has; NULL = none. */
static shunt_status find_twin(shunt_session *s, const struct made **twin)
{
    enum { FEW = 16 };
    *twin = NULL;
    if (s->made_count <= FEW) {
        for (uint32_t i = 1; i < s->made_count; i++)
            for (uint32_t j = 0; j < i; j++)
                if (shunt_hash_equal(s->made[i].key, s->made[j].key)) {
                    *twin = &s->made[i];
                    return SHUNT_OK;
                }
        return SHUNT_OK;
    }
    shunt_hash *keys = shunt_memory_get(s->memory, s->made_count * sizeof *keys);
    if (!keys) return SHUNT_NO_MEMORY;
    for (uint32_t i = 0; i < s->made_count; i++) keys[i] = s->made[i].key;
    qsort(keys, s->made_count, sizeof *keys, by_key);
    for (uint32_t i = 1; i < s->made_count && !*twin; i++)
        for (uint32_t j = s->made_count; shunt_hash_equal(keys[i], keys[i - 1]) && j-- > 0 && !*twin;)
            if (shunt_hash_equal(s->made[j].key, keys[i])) *twin = &s->made[j];
    shunt_memory_free(s->memory, keys);
    return SHUNT_OK;
}

/* KEY_REPEATED, KEY_CONFLICT, or OK: whether the key was used before, and with what. */
static shunt_status look_up(shunt_session *s, struct made *made, shunt_status *verdict)
{
    shunt_payload payload, undone;
    bool          found, was_undone = false;
    *verdict = SHUNT_OK;
    SHUNT_TRY(shunt_index_get(s->keys, made->key, &payload, &found));
    if (!found) return SHUNT_OK;
    if (payload.words[0] == s->serial) {
        *verdict = SHUNT_KEY_REPEATED;
        return SHUNT_OK;
    }
    SHUNT_TRY(shunt_index_get(s->undone, transaction_hash(s, payload.words[0]), &undone, &was_undone));
    if (was_undone) return SHUNT_OK;
    if (payload.words[1] == made->content)
        made->drop = true;
    else
        *verdict = SHUNT_KEY_CONFLICT;
    return SHUNT_OK;
}

/* The key of a record, where nothing in it is classed. Keys of journals are expressions whose classes the program does not hold. */
static bool key_is_open(const shunt_program *p, uint16_t target)
{
    const shunt_target *t = &p->targets[target];
    if (t->flags & SHUNT_TARGET_JOURNAL) return false;
    for (uint32_t i = 0; i < t->key_count; i++)
        if (p->fields[p->records[t->record].field_first + p->numbers[t->key_first + i]].flags & SHUNT_FIELD_MASKED) return false;
    return true;
}

static shunt_status key_fault(shunt_session *s, const struct made *made, shunt_status cause, shunt_scope least,
                              struct leave *leave)
{
    shunt_raised raised = { .site = made->site, .place = { .byte = s->stamp_begin } };
    if (key_is_open(s->program, made->target))
        raised.key = (shunt_text){ (made->key_aside ? s->aside.bytes : s->pending.out.bytes) + made->key_begin,
                                   (uint32_t)(made->key_end - made->key_begin) };
    *leave = leave_by(s, SHUNT_NONE, cause,
                      cause == SHUNT_KEY_REPEATED && least == SHUNT_SCOPE_UNIT ? SHUNT_SCOPE_TRANSACTION : least);
    return take_leave(s, leave, &raised);
}

/* Takes duplicates out of the records of what ran, with their lineage; the others move up. */
static void leave_out_drops(shunt_session *s)
{
    shunt_pending      *p = &s->pending;
    shunt_pending_place to = s->here;
    size_t              at = to.length;
    for (uint32_t i = 0, piece = to.count; i < s->made_count; i++) {
        for (; piece < s->made[i].pieces; piece++) {
            uint32_t length = p->pieces[piece].length;
            if (!s->made[i].drop) {
                memmove(p->out.bytes + to.length, p->out.bytes + at, length);
                p->pieces[to.count++] = p->pieces[piece];
                to.length += length;
            }
            at += length;
        }
    }
    shunt_pending_back(p, to);
}

static shunt_status keep_made(shunt_session *s, uint32_t dropped)
{
    for (uint32_t i = 0; i < s->made_count; i++) {
        const struct made *made = &s->made[i];
        shunt_payload      payload = { { s->serial, made->content } };
        if (!made->drop) SHUNT_TRY(shunt_index_put(s->keys, made->key, payload));
    }
    if (dropped) leave_out_drops(s);
    SHUNT_TRY(shunt_pending_keep(&s->pending));
    s->here = shunt_pending_here(&s->pending);
    return SHUNT_OK;
}

/* Keeps the records of what ran, unless a key forbids it. */
static shunt_status commit_made(shunt_session *s, shunt_scope least, struct leave *leave)
{
    const struct made *twin;
    uint32_t           dropped = 0;
    shunt_status       verdict = SHUNT_OK;
    *leave = (struct leave){ .fate = SHUNT_POSTED, .code = SHUNT_NONE };
    SHUNT_TRY(find_twin(s, &twin));
    if (twin) return key_fault(s, twin, SHUNT_KEY_REPEATED, least, leave);
    for (uint32_t i = 0; i < s->made_count; i++) {
        SHUNT_TRY(look_up(s, &s->made[i], &verdict));
        if (verdict != SHUNT_OK) return key_fault(s, &s->made[i], verdict, least, leave);
        dropped += s->made[i].drop;
    }
    if (dropped && dropped == s->made_count) leave->fate = SHUNT_DUPLICATE;
    return keep_made(s, dropped);
}

/* ---- running ---- */

/* Records of one run, and how it left. They stay only when all is well. */
static shunt_status run_rule(shunt_session *s, uint16_t function, const shunt_node *node, bool keep, bool wanted,
                             shunt_scope least, struct leave *leave)
{
    shunt_outcome outcome;
    s->aside.length = s->lineage_bytes = 0;
    s->made_count = 0;
    s->here = shunt_pending_here(&s->pending);
    shunt_vm_unit(s->vm);
    SHUNT_TRY(shunt_vm_run(s->vm, function, node, keep, &outcome));
    if (least == SHUNT_SCOPE_UNIT && outcome.status == SHUNT_OK && outcome.records == 0 && !shunt_ledger_summed(s->ledger)) {
        uint32_t at = s->program->functions[function].code_first;
        outcome.status = SHUNT_UNIT_SILENT;
        outcome.place = (shunt_vm_place){ .slot = SHUNT_NONE, .node = node };
        if (at < s->program->instruction_sites_count) outcome.site = s->program->instruction_sites[at];
    }
    *leave = (struct leave){ .fate = wanted ? SHUNT_POSTED : SHUNT_SKIPPED, .code = SHUNT_NONE };
    bool done = outcome.status == SHUNT_OK;
    if (!done) {
        SHUNT_TRY(leave_rule(s, &outcome, least, leave));
        done = least != SHUNT_SCOPE_UNIT && leave->fate == SHUNT_SKIPPED;
    }
    if (done && wanted) SHUNT_TRY(commit_made(s, least, leave));
    shunt_pending_back(&s->pending, s->here);
    if (done && leave->fate <= SHUNT_SKIPPED) {
        shunt_ledger_keep(s->ledger);
    } else {
        shunt_ledger_undo(s->ledger);
        shunt_vm_trace_undo(s->vm);
    }
    return SHUNT_OK;
}

static shunt_status close_unit(shunt_session *s, shunt_fate fate)
{
    const struct unit *unit = shunt_session_unit(s);
    const struct doom *doom = shunt_session_doom(s);
    if (doom) fate = doom->fate;
    SHUNT_TRY(shunt_session_release(s, true, fate));
    shunt_ledger_unit(s->ledger, fate);
    if (s->letters && !doom && fate >= SHUNT_REJECTED)
        SHUNT_TRY(shunt_letters_unit(s->letters, unit->ordinal, unit->begin, unit->end, fate,
                                     shunt_session_code_text(s, unit->code, unit->cause)));
    if (s->observer.settled) SHUNT_TRY(s->observer.settled(s->observer.context, unit->ordinal, fate));
    s->unit_depth--;
    return SHUNT_OK;
}

shunt_status shunt_session_settle(shunt_session *s, const shunt_node *node)
{
    struct unit *unit = shunt_session_unit(s);
    struct leave leave;
    if (shunt_session_doom(s)) return close_unit(s, SHUNT_QUARANTINED);
    if (!unit->failed && !node) {
        shunt_raised raised = { .place = { .byte = unit->begin } };
        SHUNT_TRY(shunt_session_fail(s, s->map->on_error, SHUNT_LIMIT_UNIT_BYTES, SHUNT_SCOPE_UNIT, &raised));
    }
    if (unit->failed) return close_unit(s, unit->listed ? unit->fate : SHUNT_SKIPPED);
    if (shunt_session_doom(s)) return close_unit(s, SHUNT_QUARANTINED);
    s->stamp_begin = unit->begin;
    s->stamp_end = unit->end;
    SHUNT_TRY(run_rule(s, s->loops[unit->loop].handler, node, false, unit->listed, SHUNT_SCOPE_UNIT, &leave));
    unit->code = leave.code;
    unit->cause = leave.cause;
    return close_unit(s, unit->listed ? leave.fate : SHUNT_SKIPPED);
}

shunt_status shunt_session_outside(shunt_session *s, uint16_t function, const shunt_node *node, bool keep, shunt_scope scope,
                                   uint64_t begin, uint64_t end)
{
    struct leave leave;
    if (function == SHUNT_NONE || shunt_session_doom(s)) return SHUNT_OK;
    /* The verifier proves a frame of the set and source, and a source may have several: another one is no node for this rule. */
    const shunt_function *f = &s->program->functions[function];
    if (node && f->params && node->frame != s->program->register_types[f->type_first].record) node = NULL;
    s->stamp_begin = begin;
    s->stamp_end = end;
    SHUNT_TRY(run_rule(s, function, node, keep, shunt_session_wants_all(s), scope, &leave));
    return s->observer.settled ? s->observer.settled(s->observer.context, 0, leave.fate) : SHUNT_OK;
}

shunt_status shunt_session_drop(shunt_session *s, shunt_fate fate) { return close_unit(s, fate); }
