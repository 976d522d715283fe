#include "engine/vm/record.h"

#include <stdio.h>

#include "engine/base/hash.h"
#include "engine/vm/encode_message.h"

enum { FORMS_AT_MOST = 256 << 20 /* bytes; a program may name one long encoding for many targets */ };

/* Key and content of a record that is written by an `encode`: as JSON, whatever is written of it. */
static shunt_status put_aside(const shunt_encoders *e, const shunt_record *record, shunt_buffer *aside, shunt_written *written)
{
    written->in = aside;
    written->key.begin = aside->length;
    shunt_json_texts(aside, record->key, record->key_count);
    written->key.end = written->content.begin = aside->length;
    shunt_status status = shunt_json_record(&e->json[false], record, aside);
    written->content.end = aside->length;
    return status == SHUNT_OK && aside->failed ? SHUNT_NO_MEMORY : status;
}

shunt_status shunt_encode(const shunt_encoders *e, const shunt_record *record, const shunt_stamp *stamp, shunt_buffer *out,
                          shunt_buffer *aside, shunt_written *written)
{
    const shunt_form *form = &e->forms[record->target];
    size_t            before = out->length;
    written->in = out;
    shunt_status status = form->write(e, record, stamp, out, written);
    if (status == SHUNT_OK && form->own) status = put_aside(e, record, aside, written);
    if (status == SHUNT_OK && out->failed) status = SHUNT_NO_MEMORY;
    if (status != SHUNT_OK) out->length = before;
    return status;
}

/* ---- preparing ---- */

shunt_text shunt_encoders_keep(const shunt_encoders *e, shunt_buffer *scratch)
{
    shunt_text text = { 0 };
    char      *bytes = scratch->failed ? NULL : shunt_arena_alloc(e->arena, scratch->length + SHUNT_STEP);
    if (bytes && scratch->length) memcpy(bytes, scratch->bytes, scratch->length);
    if (bytes) text = (shunt_text){ bytes, (uint32_t)scratch->length };
    scratch->length = 0;
    return text;
}

static bool prepare_meta(shunt_encoders *e, shunt_text key_id, shunt_buffer *scratch)
{
    const shunt_program *p = e->program;
    char                 hex[SHUNT_SHA256_HEX];
    shunt_buffer_z(scratch, ",\"meta\":{");
    if (p->modules_count) {
        shunt_buffer_z(scratch, "\"module\":");
        shunt_buffer_json(scratch, shunt_program_text(p, p->modules[0].name));
        shunt_buffer_z(scratch, ",\"version\":");
        shunt_buffer_json(scratch, shunt_program_text(p, p->modules[0].version));
        shunt_buffer_char(scratch, ',');
    }
    shunt_hex(p->hash, sizeof p->hash, hex);
    shunt_buffer_z(scratch, "\"program\":\"");
    shunt_buffer_add(scratch, hex, sizeof hex);
    shunt_buffer_char(scratch, '"');
    if (key_id.length) {
        shunt_buffer_z(scratch, ",\"token_key\":");
        shunt_buffer_json(scratch, key_id);
    }
    e->meta = shunt_encoders_keep(e, scratch);
    return e->meta.bytes != NULL;
}

/* Only sites that a record can name are prepared: the instructions EMIT and POST. */
static bool prepare_sites(shunt_encoders *e, shunt_buffer *scratch)
{
    const shunt_program *p = e->program;
    shunt_buffer_z(scratch, "}}");
    e->files[0] = shunt_encoders_keep(e, scratch); /* also where the program keeps no sites */
    if (!e->files[0].bytes) return false;
    for (uint32_t i = 1; i < p->sites_count; i++) e->files[i] = e->files[0];
    for (uint32_t i = 0; i < p->instructions_count; i++) {
        uint16_t op = p->instructions[i].op;
        if (op != SHUNT_OP_EMIT && op != SHUNT_OP_POST && op != SHUNT_OP_JOURNAL) continue;
        uint32_t site = i < p->instruction_sites_count ? p->instruction_sites[i] : 0;
        if (!site || site >= p->sites_count || e->files[site].length > 2) continue;
        shunt_buffer_z(scratch, ",\"rule\":");
        shunt_buffer_json(scratch, shunt_program_text(p, p->sites[site].file));
        if (scratch->failed) return false;
        scratch->length--;
        shunt_buffer_char(scratch, ':');
        shunt_json_number(scratch, p->sites[site].line);
        shunt_buffer_z(scratch, "\"}}");
        e->files[site] = shunt_encoders_keep(e, scratch);
        if (!e->files[site].bytes) return false;
    }
    return true;
}

static shunt_status prepare_plain(shunt_encoders *e, uint32_t target, shunt_buffer *scratch)
{
    shunt_form *form = &e->forms[target];
    shunt_buffer_z(scratch, "{\"target\":");
    shunt_buffer_json(scratch, shunt_program_text(e->program, e->program->targets[target].name));
    shunt_buffer_z(scratch, ",\"key\":");
    *form = (shunt_form){ .write = shunt_encode_line, .json_head = shunt_encoders_keep(e, scratch), .end = SHUNT_TEXT("\n") };
    return form->json_head.bytes ? SHUNT_OK : SHUNT_NO_MEMORY;
}

static shunt_status prepare_form(shunt_encoders *e, uint32_t target, shunt_buffer *scratch, shunt_encoding_fault *fault)
{
    static shunt_status (*const makers[])(const shunt_former *) = {
        [SHUNT_ENCODE_JSON] = shunt_form_json, [SHUNT_ENCODE_CSV] = shunt_form_csv, [SHUNT_ENCODE_FIXED] = shunt_form_fixed,
        [SHUNT_ENCODE_XML] = shunt_form_xml,   [SHUNT_ENCODE_X12] = shunt_form_x12, [SHUNT_ENCODE_HL7] = shunt_form_hl7,
        [SHUNT_ENCODE_FHIR] = shunt_form_fhir,
    };
    const shunt_program *p = e->program;
    *fault = (shunt_encoding_fault){ .text = "" };
    if (p->targets[target].encoding == SHUNT_NONE) return prepare_plain(e, target, scratch);
    shunt_former f = { e, &p->targets[target], &p->encodings[p->targets[target].encoding], &e->forms[target], scratch, fault };
    return makers[f.encoding->kind](&f);
}

/* `faults`: one a target; NULL: the first one ends it, and `why` tells. */
static shunt_status prepare_forms(shunt_encoders *e, shunt_buffer *scratch, shunt_encoding_fault *faults, char why[static 200])
{
    shunt_encoding_fault fault;
    bool                 wrong = false;
    for (uint32_t i = 0; i < e->program->targets_count; i++) {
        shunt_status status = prepare_form(e, i, scratch, faults ? &faults[i] : &fault);
        if (status == SHUNT_OK) continue;
        if (status != SHUNT_USAGE) return status;
        wrong = true;
        if (faults) continue;
        shunt_text name = shunt_program_text(e->program, e->program->targets[i].name);
        snprintf(why, 200, "`encode` of target `%.*s`: %s", (int)(name.length < 40 ? name.length : 40), name.bytes, fault.text);
        return status;
    }
    return wrong ? SHUNT_USAGE : SHUNT_OK;
}

static shunt_status prepare(shunt_encoders *e, shunt_text key_id, shunt_encoding_fault *faults, char why[static 200])
{
    const shunt_program *p = e->program;
    shunt_buffer         scratch;
    e->arena = shunt_arena_new(e->memory, FORMS_AT_MOST);
    if (!e->arena) return SHUNT_NO_MEMORY;
    e->forms = SHUNT_NEW_N(e->arena, shunt_form, p->targets_count + 1);
    e->files = SHUNT_NEW_N(e->arena, shunt_text, p->sites_count + 1);
    if (!e->forms || !e->files) return SHUNT_NO_MEMORY;
    shunt_buffer_init(&scratch, e->memory);
    bool         fine = prepare_meta(e, key_id, &scratch) && prepare_sites(e, &scratch);
    shunt_status status = fine ? shunt_json_shapes(e, &scratch) : SHUNT_NO_MEMORY;
    if (status == SHUNT_OK) status = prepare_forms(e, &scratch, faults, why);
    if (status == SHUNT_USAGE && scratch.failed) status = SHUNT_NO_MEMORY;
    shunt_buffer_done(&scratch);
    return status == SHUNT_OK ? shunt_encoders_input(e, (shunt_text){ 0 }) : status;
}

static shunt_status make(const shunt_memory *memory, const shunt_program *program, shunt_text key_id,
                         shunt_encoding_fault *faults, shunt_encoders **encoders, char why[static 200])
{
    shunt_encoders *e = shunt_memory_zeroed(memory, 1, sizeof *e);
    if (!e) return SHUNT_NO_MEMORY;
    e->memory = memory;
    e->program = program;
    shunt_buffer_init(&e->stamp, memory);
    shunt_buffer *buffers[] = { &e->dress.held[0], &e->dress.held[1], &e->dress.head, &e->dress.end };
    for (size_t i = 0; i < SHUNT_COUNT(buffers); i++) shunt_buffer_init(buffers[i], memory);
    e->scratch = shunt_memory_zeroed(memory, 1, sizeof *e->scratch);
    if (e->scratch) shunt_buffer_init(e->scratch, memory);
    shunt_status status = e->scratch ? prepare(e, key_id, faults, why) : SHUNT_NO_MEMORY;
    if (status == SHUNT_OK)
        *encoders = e;
    else
        shunt_encoders_free(e);
    return status;
}

shunt_status shunt_encoders_new(const shunt_memory *memory, const shunt_program *program, shunt_text key_id,
                                shunt_encoders **encoders, char why[static 200])
{
    return make(memory, program, key_id, NULL, encoders, why);
}

shunt_status shunt_encoders_check(const shunt_memory *memory, const shunt_program *program, shunt_encoding_fault *faults)
{
    shunt_encoders *e = NULL;
    char            why[200];
    shunt_status    status = make(memory, program, (shunt_text){ 0 }, faults, &e, why);
    shunt_encoders_free(e);
    return status;
}

void shunt_encoders_free(shunt_encoders *e)
{
    if (!e) return;
    shunt_arena_free(e->arena);
    shunt_buffer_done(&e->stamp);
    if (e->scratch) shunt_buffer_done(e->scratch);
    shunt_buffer *buffers[] = { &e->dress.held[0], &e->dress.held[1], &e->dress.head, &e->dress.end };
    for (size_t i = 0; i < SHUNT_COUNT(buffers); i++) shunt_buffer_done(buffers[i]);
    shunt_memory_free(e->memory, e->scratch);
    shunt_memory_free(e->memory, e);
}

shunt_text shunt_encoders_head(const shunt_encoders *e, uint16_t target) { return e->forms[target].head; }
shunt_text shunt_encoders_end(const shunt_encoders *e, uint16_t target) { return e->forms[target].end; }

shunt_status shunt_encoders_input(shunt_encoders *e, shunt_text id)
{
    e->stamp.length = 0;
    shunt_buffer_text(&e->stamp, e->meta);
    shunt_buffer_z(&e->stamp, ",\"input\":");
    shunt_buffer_json(&e->stamp, id);
    shunt_buffer_z(&e->stamp, ",\"begin\":");
    shunt_buffer_reserve(&e->stamp, SHUNT_STEP); /* it is copied in steps */
    return e->stamp.failed ? SHUNT_NO_MEMORY : SHUNT_OK;
}

/* ---- messages ---- */

bool shunt_encoders_dressed(const shunt_encoders *e, uint16_t target) { return e->forms[target].dress != NULL; }

void shunt_encoders_run(shunt_encoders *e, shunt_moment received_at, uint64_t control)
{
    e->received_at = received_at;
    e->dress.control = control;
}

uint64_t shunt_encoders_control(const shunt_encoders *e) { return e->dress.control; }

static bool read_held(const shunt_buffer *held, shunt_message_parts *parts)
{
    return shunt_message_parts_read(held->bytes, held->length, parts);
}

/* The one that waits, now that `after` (NULL = nothing) is known to follow it. */
static shunt_status give_held(shunt_encoders *e, const shunt_message_parts *after, shunt_piece *piece)
{
    shunt_dress        *d = &e->dress;
    shunt_message_parts before, now;
    if (!read_held(&d->held[d->now], &now)) return SHUNT_INPUT_BAD;
    if (d->follows && !read_held(&d->held[!d->now], &before)) return SHUNT_INPUT_BAD;
    d->head.length = d->end.length = 0;
    *piece = (shunt_piece){ .target = d->target };
    SHUNT_TRY(e->forms[d->target].dress(&e->forms[d->target], d, d->follows ? &before : NULL, &now, after, piece));
    if (d->head.failed || d->end.failed) return SHUNT_NO_MEMORY;
    piece->head = (shunt_text){ d->head.bytes, (uint32_t)d->head.length };
    piece->end = (shunt_text){ d->end.bytes, (uint32_t)d->end.length };
    return SHUNT_OK;
}

shunt_status shunt_encoders_dress(shunt_encoders *e, uint16_t target, const char *bytes, size_t length, shunt_piece *piece,
                                  bool *ready)
{
    shunt_dress        *d = &e->dress;
    shunt_message_parts parts;
    bool                joins = bytes && d->waits && d->target == target;
    if (bytes && !shunt_message_parts_read(bytes, length, &parts)) return SHUNT_INPUT_BAD;
    *ready = d->waits;
    if (d->waits) SHUNT_TRY(give_held(e, joins ? &parts : NULL, piece));
    d->waits = bytes != NULL;
    d->follows = joins;
    if (!bytes) return SHUNT_OK;
    d->now = !d->now; /* what is given back stands in the other one */
    d->target = target;
    d->held[d->now].length = 0;
    shunt_buffer_add(&d->held[d->now], bytes, length);
    return d->held[d->now].failed ? SHUNT_NO_MEMORY : SHUNT_OK;
}
