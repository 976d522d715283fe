/* run.c - runs behind the public header: options, the host's callbacks and spool, the list of units to run again. Knows no compiler. */
#include <stdio.h>
#include <sys/random.h>

#include "api/definitions.h"
#include "api/extern.h"
#include "api/only.h"
#include "engine/base/date.h"
#include "engine/vm/report.h"
#include "standards/registry.h"
#include "standards/x12/claim_ack.h"

/* A spool of the host: it counts no offsets, so they are counted here. */
struct host_spool {
    shunt_spool_interface host;
    uint64_t              size;
};

struct shunt_run {
    const shunt_definition_set *site; /* guides of the host, NULL = none */
    shunt_memory                memory;
    const shunt_program        *program;
    shunt_callbacks             callbacks;
    bool (*lineage)(void *context, const shunt_origins *origins);
    shunt_write          records;
    void                *records_context;
    shunt_session       *session;
    unsigned             standards; /* of the sources, a bit each */
    /* An input of a program that reads several standards, until its first bytes tell which one it is. */
    bool                 waiting;
    shunt_text           id, name;
    uint8_t              held[SHUNT_SNIFF_BYTES];
    size_t               held_size;
    shunt_buffer         refusal;
    struct host_spool    spool;
    shunt_arena         *names; /* texts with a NUL, as hosts want them */
    const char         **targets, **codes, **queues;
    shunt_only           only;
    bool                 no_report;
    shunt_externs       *externs; /* NULL = none are called */
    /* Answers to claims, where the host wants them. */
    shunt_x12_claim_ack *claims;        /* NULL = none */
    shunt_buffer         answers;       /* of them, until they are handed out */
    shunt_reader        *claims_reader; /* of the open input, NULL: it is not X12 */
    shunt_write          acknowledge;
    void                *acknowledge_context;
};

bool shunt_api_stamp(const char *moment, char stamp[static 15])
{
    shunt_moment at;
    int          year, month, day;
    if (shunt_moment_parse(shunt_text_of(moment), &at) != SHUNT_OK) return false;
    int64_t seconds = at.microseconds / 1000000 - (at.microseconds % 1000000 < 0), days = seconds / 86400 - (seconds % 86400 < 0);
    shunt_date_split(days, &year, &month, &day);
    unsigned rest = (unsigned)(seconds - days * 86400);
    snprintf(stamp, 15, "%04u%02u%02u%02u%02u%02u", (unsigned)year % 10000, (unsigned)month % 100, (unsigned)day % 100,
             rest / 3600 % 100, rest / 60 % 60, rest % 60);
    return true;
}

/* ---- the host's spool ---- */

static shunt_status spool_append(void *context, const void *bytes, size_t length)
{
    struct host_spool *s = context;
    if (!s->host.append(s->host.context, bytes, length)) return SHUNT_IO;
    s->size += length;
    return SHUNT_OK;
}

static uint64_t spool_mark(void *context) { return ((struct host_spool *)context)->size; }

static shunt_status spool_truncate(void *context, uint64_t offset)
{
    struct host_spool *s = context;
    if (offset > s->size) return SHUNT_USAGE;
    if (offset == s->size) return SHUNT_OK;
    if (!s->host.truncate(s->host.context, offset)) return SHUNT_IO;
    s->size = offset;
    return SHUNT_OK;
}

struct replaying {
    shunt_spool_sink *sink;
    void             *context;
    shunt_status      status;
};

static bool replay_piece(void *context, const void *bytes, size_t size)
{
    struct replaying *r = context;
    r->status = r->sink(r->context, bytes, size);
    return r->status == SHUNT_OK;
}

static shunt_status spool_replay(void *context, uint64_t from, uint64_t to, shunt_spool_sink *sink, void *sink_context)
{
    struct host_spool *s = context;
    struct replaying   r = { sink, sink_context, SHUNT_OK };
    if (from == to) return SHUNT_OK;
    bool fine = s->host.replay(s->host.context, from, to, replay_piece, &r);
    return r.status != SHUNT_OK ? r.status : fine ? SHUNT_OK : SHUNT_IO;
}

static shunt_status spool_reset(void *context) { return spool_truncate(context, 0); }

static void spool_free(void *context) { (void)context; /* the host's own */ }

/* ---- callbacks ---- */

static shunt_status answer(bool fine) { return fine ? SHUNT_OK : SHUNT_CALLBACK; }

static shunt_status on_begin(void *context)
{
    shunt_run *run = context;
    return run->callbacks.begin ? answer(run->callbacks.begin(run->callbacks.context)) : SHUNT_OK;
}

static shunt_status on_commit(void *context)
{
    shunt_run *run = context;
    return run->callbacks.commit ? answer(run->callbacks.commit(run->callbacks.context)) : SHUNT_OK;
}

static shunt_status on_record(void *context, uint16_t target, const char *bytes, size_t length)
{
    shunt_run *run = context;
    shunt_text head = shunt_session_record_head(run->session), end = shunt_session_record_end(run->session);
    shunt_out  out = { run->targets[target],       bytes,     length, head.bytes ? head.bytes : "", head.length,
                      end.bytes ? end.bytes : "", end.length };
    return run->callbacks.record ? answer(run->callbacks.record(run->callbacks.context, &out)) : SHUNT_OK;
}

static shunt_status on_records(void *context, const char *bytes, size_t length)
{
    shunt_run *run = context;
    return answer(run->records(run->records_context, bytes, length));
}

/* What the rules refuse or set aside is answered by the `ack` of its code. */
static shunt_status note_verdict(shunt_run *run, const shunt_exception_out *e)
{
    if (!run->claims || (e->grade != SHUNT_GRADE_REJECT && e->grade != SHUNT_GRADE_QUARANTINE)) return SHUNT_OK;
    uint32_t          ack = e->code == SHUNT_NONE ? SHUNT_NONE : run->program->codes[e->code].ack;
    shunt_x12_verdict verdict = { .scope = e->scope, .at = e->begin, .refused = e->grade == SHUNT_GRADE_REJECT };
    if (ack != SHUNT_NONE) verdict.answer = shunt_program_text(run->program, (uint16_t)ack);
    return shunt_x12_claim_ack_say(run->claims, &verdict);
}

static shunt_status on_exception(void *context, const shunt_exception_out *e)
{
    shunt_run *run = context;
    bool       authored = e->code != SHUNT_NONE;
    SHUNT_TRY(note_verdict(run, e));
    shunt_raised    raised = { .code = e->code, .cause = e->cause };
    shunt_exception out = { .code = authored ? run->codes[e->code] : shunt_status_info[e->cause].code,
                            .severity = shunt_grade_name(e->grade),
                            .class_name = shunt_class_name(shunt_raised_class(&raised)),
                            .queue = authored ? run->queues[e->code] : NULL,
                            .transient = shunt_raised_transient(&raised),
                            .offset = e->offset,
                            .json = e->json.bytes,
                            .length = e->json.length,
                            .text = e->text.bytes,
                            .text_length = e->text.length };
    return run->callbacks.exception ? answer(run->callbacks.exception(run->callbacks.context, &out)) : SHUNT_OK;
}

static shunt_status on_lineage(void *context, const shunt_lineage_out *l)
{
    shunt_run    *run = context;
    shunt_origins lineage = { .record = l->record,
                              .target = run->targets[l->target],
                              .json = l->json.bytes,
                              .length = l->json.length,
                              .text = l->text.bytes,
                              .text_length = l->text.length };
    return answer(run->lineage(run->callbacks.context, &lineage));
}

static shunt_status on_letter(void *context, const shunt_letter_piece *piece)
{
    shunt_run        *run = context;
    shunt_dead_letter letter = { .name = piece->name,
                                 .ending = piece->ending,
                                 .bytes = piece->bytes ? piece->bytes : "",
                                 .size = piece->size,
                                 .first = piece->first,
                                 .last = piece->last,
                                 .units = piece->units,
                                 .units_length = piece->units_size };
    return answer(run->callbacks.dead_letter(run->callbacks.context, &letter));
}

/* ---- life ---- */

static bool copy_names(shunt_run *run)
{
    const shunt_program *p = run->program;
    run->names = shunt_arena_new(&run->memory, 0);
    run->targets = run->names ? SHUNT_NEW_N(run->names, const char *, p->targets_count + 1) : NULL;
    run->codes = run->targets ? SHUNT_NEW_N(run->names, const char *, p->codes_count + 1) : NULL;
    run->queues = run->codes ? SHUNT_NEW_N(run->names, const char *, p->codes_count + 1) : NULL;
    if (!run->queues) return false;
    for (uint32_t i = 0; i < p->targets_count; i++)
        if (!(run->targets[i] = shunt_text_z(run->names, shunt_program_text(p, p->targets[i].name)))) return false;
    for (uint32_t i = 0; i < p->codes_count; i++) {
        if (!(run->codes[i] = shunt_text_z(run->names, shunt_program_text(p, p->codes[i].name)))) return false;
        if (p->codes[i].queue == SHUNT_NONE) continue;
        if (!(run->queues[i] = shunt_text_z(run->names, shunt_program_text(p, p->codes[i].queue)))) return false;
    }
    return true;
}

static shunt_status find_standards(shunt_run *run, char why[static 200])
{
    const shunt_program *p = run->program;
    for (uint32_t i = 0; i < p->sources_count; i++) {
        shunt_text     name = shunt_program_text(p, p->sources[i].standard);
        shunt_standard standard;
        if (!shunt_reader_known(name, &standard)) {
            snprintf(why, 200, "this version reads no %.*s", (int)(name.length < 40 ? name.length : 40),
                     name.bytes ? name.bytes : "");
            return SHUNT_USAGE;
        }
        run->standards |= 1u << standard;
    }
    if (p->sources_count == 0) snprintf(why, 200, "the program has no source");
    return p->sources_count ? SHUNT_OK : SHUNT_USAGE;
}

/* A guide that a source wants validated and that came from a definition must be at hand again. */
static shunt_status find_guides(const shunt_run *run, char why[static 200])
{
    const shunt_plan *plan = &run->program->plan;
    for (uint32_t i = 0; i < plan->guide_count; i++) {
        const shunt_plan_guide  *g = &plan->guides[i];
        shunt_text               set = plan->texts[g->set], version = plan->texts[g->version];
        const shunt_plan_source *source = &plan->sources[g->source];
        if (source->standard != SHUNT_STANDARD_X12 || !source->snips) continue;
        if (shunt_definition_find(run->site, SHUNT_STANDARD_X12, set, version)) continue;
        snprintf(why, 200, "a source validates guide %.*s of set %.*s, which only its definition knows: give it again",
                 (int)(version.length < 40 ? version.length : 40), version.bytes ? version.bytes : "",
                 (int)(set.length < 10 ? set.length : 10), set.bytes ? set.bytes : "");
        return SHUNT_USAGE;
    }
    return SHUNT_OK;
}

/* A part of the answers to claims. */
static shunt_status hand_out(void *context)
{
    shunt_run *run = context;
    bool       fine = !run->answers.length || run->acknowledge(run->acknowledge_context, run->answers.bytes, run->answers.length);
    run->answers.length = 0;
    return fine ? SHUNT_OK : SHUNT_CALLBACK;
}

static shunt_status want_answers(shunt_run *run, const shunt_run_options *o, char why[static 200])
{
    shunt_x12_claim_ack_options options = { .control = 0 };
    char                        stamp[15] = "20000101000000";
    if (!o->acknowledge) return SHUNT_OK;
    if (o->made_at && !shunt_api_stamp(o->made_at, stamp)) {
        snprintf(why, 200, "the time of the answers is written as 2025-03-01T12:00:00Z");
        return SHUNT_USAGE;
    }
    memcpy(options.date, stamp, sizeof options.date - 1);
    memcpy(options.time, stamp + sizeof options.date - 1, sizeof options.time - 1);
    run->acknowledge = o->acknowledge;
    run->acknowledge_context = o->acknowledge_context;
    options.full = hand_out;
    options.full_context = run;
    shunt_buffer_init(&run->answers, &run->memory);
    run->claims = shunt_x12_claim_ack_new(&run->memory, &options);
    return run->claims ? SHUNT_OK : SHUNT_NO_MEMORY;
}

static shunt_status take_options(shunt_run *run, const shunt_run_options *o, shunt_session_options *session, char why[static 200])
{
    if (o->received_at) {
        if (shunt_moment_parse(shunt_text_of(o->received_at), &session->received_at) != SHUNT_OK) {
            snprintf(why, 200, "the time of arrival is no ISO date and time with a zone");
            return SHUNT_USAGE;
        }
        session->received_at_known = true;
    }
    if (o->only) {
        SHUNT_TRY(shunt_only_read(&run->memory, o->only, o->only_length, &run->only, why));
        session->only = run->only.ordinals;
        session->only_count = run->only.count;
        session->only_whole = run->only.whole;
        session->only_control = run->only.control;
    }
    if (o->spool) { run->spool.host = *o->spool; }
    session->token_key = o->token_key;
    session->token_key_length = o->token_key ? o->token_key_size : 0;
    SHUNT_TRY(want_answers(run, o, why));
    run->records = o->records;
    run->records_context = o->records_context;
    if (o->records) session->sinks.records = on_records;
    run->lineage = o->lineage;
    session->lineage_sink = o->lineage ? on_lineage : NULL;
    if (o->lineage_key) session->lineage.key = shunt_text_of(o->lineage_key);
    if (o->lineage_field) session->lineage.field = shunt_text_of(o->lineage_field);
    session->control_number = o->control_number;
    session->no_hash = run->no_report = o->no_report;
    session->steps = o->max_steps_per_unit;
    session->unit_bytes = o->max_unit_bytes > SIZE_MAX ? SIZE_MAX : (size_t)o->max_unit_bytes;
    return SHUNT_OK;
}

/* A table that the host provides holds rows, or is empty because the host said so: then it has the hash of what was given. */
static shunt_status need_tables(const shunt_run *run, char why[static 200])
{
    static const uint8_t none[32];
    const shunt_program *p = run->program;
    for (uint32_t i = 0; i < p->tables_count; i++) {
        const shunt_table *t = &p->tables[i];
        shunt_text         path = shunt_program_text(p, t->path), name = shunt_program_text(p, t->name);
        if (!shunt_text_starts(path, SHUNT_TEXT("host:")) || memcmp(t->hash, none, sizeof none) != 0) continue;
        snprintf(why, 200, "table %.*s is provided by the host: give its rows, as with `--table %.*s=FILE`",
                 (int)(name.length < 60 ? name.length : 60), name.bytes, (int)(name.length < 60 ? name.length : 60), name.bytes);
        return SHUNT_USAGE;
    }
    return SHUNT_OK;
}

static shunt_status make_session(shunt_run *run, const shunt_run_options *o, uint8_t *covered, uint32_t covered_count,
                                 char why[static 200])
{
    shunt_spool spool = { spool_append, spool_mark, spool_truncate, spool_replay, spool_reset, spool_free, &run->spool };
    shunt_session_options options = { .memory = &run->memory,
                                      .program = run->program,
                                      .sinks = { .context = run,
                                                 .begin = on_begin,
                                                 .record = on_record,
                                                 .commit = on_commit,
                                                 .exception = on_exception,
                                                 .letter = run->callbacks.dead_letter ? on_letter : NULL },
                                      .covered = covered,
                                      .covered_count = covered_count };
    if (!run->program) {
        snprintf(why, 200, "there is no program to run: its rules were not compiled");
        return SHUNT_USAGE;
    }
    SHUNT_TRY(need_tables(run, why));
    SHUNT_TRY(shunt_externs_new(&run->memory, run->program, o ? o->extern_folder : NULL, false, &run->externs, why));
    options.call_extern = run->externs ? shunt_externs_call : NULL;
    options.extern_context = run->externs;
    SHUNT_TRY(find_standards(run, why));
    run->site = shunt_definitions_set(o ? o->definitions : NULL);
    SHUNT_TRY(find_guides(run, why));
    if (o) SHUNT_TRY(take_options(run, o, &options, why));
    if (o && o->spool) options.spool = &spool;
    if (getrandom(options.seed, sizeof options.seed, 0) != (ssize_t)sizeof options.seed) return SHUNT_IO;
    if (!copy_names(run)) return SHUNT_NO_MEMORY;
    return shunt_session_new(&options, &run->session, why);
}

shunt_result shunt_run_new(const shunt_program *program, const shunt_callbacks *callbacks, const shunt_run_options *options,
                           shunt_run **run, shunt_messages **messages)
{
    return shunt_run_covered(program, callbacks, options, NULL, 0, run, messages);
}

shunt_result shunt_run_covered(const shunt_program *program, const shunt_callbacks *callbacks, const shunt_run_options *options,
                               uint8_t *covered, uint32_t covered_count, shunt_run **run, shunt_messages **messages)
{
    shunt_memory memory = shunt_api_memory(options ? options->allocator : NULL);
    char         why[200] = "";
    *run = NULL;
    if (messages) *messages = NULL;
    shunt_run *made = shunt_memory_zeroed(&memory, 1, sizeof *made);
    if (!made) return SHUNT_SYSTEM_FAULT;
    made->memory = memory;
    made->program = program;
    shunt_buffer_init(&made->refusal, &made->memory);
    if (callbacks) made->callbacks = *callbacks;
    shunt_status status = make_session(made, options, covered, covered_count, why);
    if (status == SHUNT_OK) {
        *run = made;
        return SHUNT_DONE;
    }
    shunt_run_free(made);
    if (status != SHUNT_NO_MEMORY && messages && (*messages = shunt_messages_new(&memory)) != NULL)
        shunt_messages_say(*messages, SHUNT_ERROR, shunt_status_info[status].code, "%s",
                           why[0] ? why : shunt_status_info[status].meaning);
    return status == SHUNT_USAGE ? SHUNT_RULES_FAULT : SHUNT_SYSTEM_FAULT;
}

void shunt_run_free(shunt_run *run)
{
    if (!run) return;
    shunt_memory memory = run->memory;
    shunt_session_free(run->session);
    shunt_externs_free(run->externs);
    if (run->claims_reader) run->claims_reader->ops->free(run->claims_reader);
    shunt_x12_claim_ack_free(run->claims);
    if (run->answers.memory) shunt_buffer_done(&run->answers);
    shunt_arena_free(run->names);
    shunt_buffer_done(&run->refusal);
    shunt_memory_free(&memory, (void *)(uintptr_t)run->id.bytes);
    shunt_only_done(&memory, &run->only);
    shunt_memory_free(&memory, run);
}

/* ---- running ---- */

/* Calls out of order are faults of the host; all else that is not OK has stopped the run. */
static shunt_result outcome(const shunt_run *run, shunt_status status)
{
    if (status == SHUNT_USAGE) return SHUNT_RULES_FAULT;
    if (status != SHUNT_OK) return SHUNT_SYSTEM_FAULT;
    return shunt_session_at_fault(run->session) ? SHUNT_INPUT_FAULT : SHUNT_DONE;
}

/* ---- answers to claims ---- */

/* The claims of an input of X12 are read once more, by a reader of their own: what is kept of them is no affair of the rules. */
static shunt_status begin_claims(shunt_run *run)
{
    if (run->claims_reader) run->claims_reader->ops->free(run->claims_reader);
    run->claims_reader = NULL;
    if (!run->claims) return SHUNT_OK;
    run->claims_reader = shunt_reader_for(SHUNT_STANDARD_X12, &run->memory, &run->program->plan);
    return run->claims_reader ? SHUNT_OK : SHUNT_NO_MEMORY;
}

static shunt_status feed_claims(shunt_run *run, const void *bytes, size_t size, bool last)
{
    shunt_event event;
    if (!run->claims_reader || (!size && !last)) return SHUNT_OK;
    run->claims_reader->ops->feed(run->claims_reader, bytes, size, last);
    for (;;) {
        shunt_step step = run->claims_reader->ops->next(run->claims_reader, &event);
        if (step == SHUNT_STEP_NEED_INPUT || step == SHUNT_STEP_END) return SHUNT_OK;
        if (step == SHUNT_STEP_FAILED) return event.code;
        SHUNT_TRY(shunt_x12_claim_ack_see(run->claims, &event));
    }
}

/* The session has told all that it had to say of the input. */
static shunt_status answer_claims(shunt_run *run)
{
    if (!run->claims_reader) return SHUNT_OK;
    SHUNT_TRY(feed_claims(run, "", 0, true));
    run->claims_reader->ops->free(run->claims_reader);
    run->claims_reader = NULL;
    SHUNT_TRY(shunt_x12_claim_ack_write(run->claims, &run->answers));
    return hand_out(run);
}

/* The reader for bytes that begin so; NULL without memory. */
static shunt_reader *reader_for(shunt_run *run, shunt_sniffed sniffed, shunt_standard standard)
{
    if (sniffed == SHUNT_SNIFFED && run->standards & 1u << standard)
        return shunt_validating_reader_for(standard, &run->memory, &run->program->plan, run->site);
    const char *between = "; the rules read ";
    run->refusal.length = 0;
    if (sniffed == SHUNT_SNIFFED)
        shunt_buffer_format(&run->refusal, "the first bytes are of %s", shunt_standard_name(standard));
    else
        shunt_buffer_z(&run->refusal, "the first bytes tell none");
    for (int i = 0; i < SHUNT_STANDARD_COUNT; i++) {
        if (!(run->standards & 1u << i)) continue;
        shunt_buffer_format(&run->refusal, "%s%s", between, shunt_standard_name((shunt_standard)i));
        between = ", ";
    }
    if (run->refusal.failed) return NULL;
    return shunt_reader_refusing(&run->memory, (shunt_text){ run->refusal.bytes, (uint32_t)run->refusal.length });
}

/* Looks at what is held and at what came; once the standard is known, the session takes what was held. */
static shunt_status decide(shunt_run *run, const uint8_t *bytes, size_t size, bool last)
{
    size_t held = run->held_size, more = size < sizeof run->held - held ? size : sizeof run->held - held;
    if (more) memcpy(run->held + held, bytes, more);
    shunt_standard standard = SHUNT_STANDARD_X12;
    shunt_sniffed  sniffed = shunt_standard_sniff(run->held, held + more, last, run->standards, &standard);
    if (sniffed == SHUNT_SNIFFED_MORE) {
        run->held_size = held + more;
        return SHUNT_OK;
    }
    run->waiting = false;
    if (standard == SHUNT_STANDARD_X12 && sniffed == SHUNT_SNIFFED) SHUNT_TRY(begin_claims(run));
    SHUNT_TRY(shunt_session_begin(run->session, reader_for(run, sniffed, standard), run->id, run->name));
    SHUNT_TRY(shunt_session_feed(run->session, run->held, held));
    SHUNT_TRY(feed_claims(run, run->held, held, false));
    SHUNT_TRY(shunt_session_feed(run->session, bytes, size));
    return feed_claims(run, bytes, size, false);
}

/* Both texts in one block, as long as the input waits. */
static shunt_status wait_for_bytes(shunt_run *run, shunt_text id, shunt_text name)
{
    if (run->waiting) return SHUNT_USAGE;
    char *copy = shunt_memory_resize(&run->memory, (void *)(uintptr_t)run->id.bytes, (size_t)id.length + name.length + 1);
    if (!copy) return SHUNT_NO_MEMORY;
    if (id.length) memcpy(copy, id.bytes, id.length);
    if (name.length) memcpy(copy + id.length, name.bytes, name.length);
    run->id = (shunt_text){ copy, id.length };
    run->name = (shunt_text){ copy + id.length, name.length };
    run->held_size = 0;
    run->waiting = true;
    return SHUNT_OK;
}

shunt_result shunt_run_begin(shunt_run *run, const char *id, const char *name)
{
    shunt_status status;
    if (run->standards & (run->standards - 1)) {
        status = shunt_session_open(run->session) ? SHUNT_USAGE : wait_for_bytes(run, shunt_text_of(id), shunt_text_of(name));
    } else {
        shunt_standard standard = (shunt_standard)__builtin_ctz(run->standards);
        shunt_reader  *reader = reader_for(run, SHUNT_SNIFFED, standard);
        status = shunt_session_begin(run->session, reader, shunt_text_of(id), shunt_text_of(name));
        if (status == SHUNT_OK && standard == SHUNT_STANDARD_X12) status = begin_claims(run);
    }
    shunt_result result = outcome(run, status);
    return result == SHUNT_INPUT_FAULT ? SHUNT_DONE : result; /* that was another input */
}

shunt_result shunt_run_feed(shunt_run *run, const void *bytes, size_t size)
{
    shunt_status status = SHUNT_OK;
    if (!run->waiting) {
        status = shunt_session_feed(run->session, bytes, size);
        if (status == SHUNT_OK) status = feed_claims(run, bytes, size, false);
    } else if (size) {
        status = decide(run, bytes, size, false);
    }
    shunt_result result = outcome(run, status);
    return result == SHUNT_INPUT_FAULT ? SHUNT_DONE : result; /* the input is read on, whatever was wrong in it */
}

shunt_result shunt_run_end(shunt_run *run)
{
    shunt_status status = run->waiting ? decide(run, (const uint8_t *)"", 0, true) : SHUNT_OK;
    if (status == SHUNT_OK) status = shunt_session_end(run->session);
    return outcome(run, status == SHUNT_OK ? answer_claims(run) : status);
}

shunt_result shunt_run_finish(shunt_run *run)
{
    return outcome(run, run->waiting ? SHUNT_USAGE : shunt_session_finish(run->session));
}

void shunt_run_totals(const shunt_run *run, shunt_totals *totals)
{
    const shunt_ledger *ledger = shunt_session_ledger(run->session);
    *totals = (shunt_totals){ .in = shunt_ledger_in(ledger) };
    totals->posted = shunt_ledger_units(ledger, SHUNT_LEVEL_RUN, SHUNT_POSTED);
    totals->duplicate = shunt_ledger_units(ledger, SHUNT_LEVEL_RUN, SHUNT_DUPLICATE);
    totals->skipped = shunt_ledger_units(ledger, SHUNT_LEVEL_RUN, SHUNT_SKIPPED);
    totals->rejected = shunt_ledger_units(ledger, SHUNT_LEVEL_RUN, SHUNT_REJECTED);
    totals->quarantined = shunt_ledger_units(ledger, SHUNT_LEVEL_RUN, SHUNT_QUARANTINED);
    for (uint32_t i = 0; i < run->program->targets_count; i++)
        totals->records += shunt_session_records(run->session, (uint16_t)i);
    totals->warnings = shunt_session_raised(run->session, SHUNT_GRADE_WARNING);
    for (int grade = SHUNT_GRADE_REJECT; grade <= SHUNT_GRADE_ERROR; grade++)
        totals->exceptions += shunt_session_raised(run->session, (shunt_grade)grade);
    shunt_session_sets(run->session, &totals->sets_mapped, &totals->sets_unmapped);
    for (size_t i = 0; i < shunt_session_inputs(run->session); i++) totals->bytes += shunt_session_input(run->session, i)->bytes;
}

shunt_result shunt_run_report(const shunt_run *run, shunt_write write, void *context)
{
    shunt_buffer out;
    if (run->no_report) return SHUNT_RULES_FAULT;
    shunt_buffer_init(&out, &run->memory);
    shunt_report(run->session, &out);
    shunt_result result = !out.failed && write(context, out.bytes, out.length) ? SHUNT_DONE : SHUNT_SYSTEM_FAULT;
    shunt_buffer_done(&out);
    return result;
}
