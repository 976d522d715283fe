#include "engine/vm/letter.h"

#include <stdio.h>

#include "engine/base/hash.h"
#include "engine/base/spool.h"
#include "engine/vm/parcel.h"
#include "engine/vm/record.h"

enum { SPOOL_BUFFER = 64 * 1024, PATH = 2 /* interchange, batch */ };

/* The header of an open scope, as received. */
struct scope {
    bool         open;
    shunt_buffer header;
    shunt_buffer control;
    shunt_delims delims;
};

/* A transaction in numbers; as it waits in `held`, followed by header, trailer and ids. */
struct letter {
    uint64_t ordinal;
    uint64_t begin, end;             /* bytes of the input */
    uint64_t units_begin, units_end; /* in `units` */
    uint64_t failed;                 /* units */
    uint32_t header, trailer, ids;   /* lengths */
    char     name[SHUNT_LETTER_NAME];
    char     ending[SHUNT_LETTER_ENDING + 1];
    bool     whole;
    uint8_t  fate;
    uint8_t  terminator;
    uint32_t code_length;
};

struct shunt_letters {
    const shunt_memory *memory;
    shunt_letter_sink  *sink;
    void               *context;
    shunt_trailer      *trailer;
    const char         *ending;
    shunt_spool         raw, units, held;
    uint64_t            raw_begin, raw_end; /* bytes of the input that stand in `raw` */
    const char         *piece;
    uint64_t            piece_at;
    size_t              piece_size;
    uint64_t            passed; /* nothing before this byte of the input is needed, if nothing is open or held */
    bool                open, unmapped, holding;
    uint64_t            held_from;
    struct scope        scopes[PATH];
    struct letter       letter; /* the open transaction */
    uint64_t            input;
    char                program[SHUNT_SHA256_HEX];
    shunt_buffer        id, ids, scratch, carry, list;
};

static shunt_status new_spools(shunt_letters *l, const char *directory)
{
    SHUNT_TRY(shunt_spool_file_new(l->memory, directory, 0, &l->raw));
    SHUNT_TRY(shunt_spool_file_new(l->memory, directory, SPOOL_BUFFER, &l->units));
    return shunt_spool_file_new(l->memory, directory, SPOOL_BUFFER, &l->held);
}

shunt_letters *shunt_letters_new(const shunt_memory *memory, const char *directory, const uint8_t program_hash[static 32],
                                 shunt_letter_sink *sink, void *context)
{
    shunt_letters *l = shunt_memory_zeroed(memory, 1, sizeof *l);
    if (!l) return NULL;
    l->memory = memory;
    l->sink = sink;
    l->context = context;
    shunt_hex(program_hash, 32, l->program);
    shunt_buffer *buffers[] = { &l->id,
                                &l->ids,
                                &l->scratch,
                                &l->carry,
                                &l->list,
                                &l->scopes[0].header,
                                &l->scopes[0].control,
                                &l->scopes[1].header,
                                &l->scopes[1].control };
    for (size_t i = 0; i < SHUNT_COUNT(buffers); i++) shunt_buffer_init(buffers[i], memory);
    if (new_spools(l, directory) == SHUNT_OK) return l;
    shunt_letters_free(l);
    return NULL;
}

void shunt_letters_free(shunt_letters *l)
{
    if (!l) return;
    shunt_spool  *spools[] = { &l->raw, &l->units, &l->held };
    shunt_buffer *buffers[] = { &l->id,
                                &l->ids,
                                &l->scratch,
                                &l->carry,
                                &l->list,
                                &l->scopes[0].header,
                                &l->scopes[0].control,
                                &l->scopes[1].header,
                                &l->scopes[1].control };
    for (size_t i = 0; i < SHUNT_COUNT(spools); i++)
        if (spools[i]->free) spools[i]->free(spools[i]->context);
    for (size_t i = 0; i < SHUNT_COUNT(buffers); i++) shunt_buffer_done(buffers[i]);
    shunt_memory_free(l->memory, l);
}

static shunt_status whole_buffer(const shunt_buffer *b) { return b->failed ? SHUNT_NO_MEMORY : SHUNT_OK; }

/* ---- input ---- */

shunt_status shunt_letters_input(shunt_letters *l, uint64_t ordinal, shunt_text id, shunt_trailer *trailer)
{
    l->input = ordinal;
    l->trailer = trailer;
    l->ending = "";
    l->id.length = 0;
    shunt_buffer_json(&l->id, id);
    l->raw_begin = l->raw_end = l->piece_at = l->passed = 0;
    l->piece_size = 0;
    l->open = l->unmapped = l->holding = false;
    for (int i = 0; i < PATH; i++) l->scopes[i].open = false;
    SHUNT_TRY(l->raw.reset(l->raw.context));
    SHUNT_TRY(l->units.reset(l->units.context));
    SHUNT_TRY(l->held.reset(l->held.context));
    return whole_buffer(&l->id);
}

void shunt_letters_piece(shunt_letters *l, const void *bytes, size_t size)
{
    l->piece = bytes;
    l->piece_size = size;
}

/* First byte of the input that may still be asked for. */
static uint64_t needed_from(const shunt_letters *l)
{
    if (l->holding) return l->held_from;
    if (l->open) return l->letter.begin;
    return l->unmapped ? UINT64_MAX : l->passed;
}

shunt_status shunt_letters_piece_over(shunt_letters *l)
{
    uint64_t end = l->piece_at + l->piece_size, from = needed_from(l);
    if (l->raw_end <= from && l->raw_end != l->raw_begin) SHUNT_TRY(l->raw.reset(l->raw.context));
    if (l->raw_end <= from) l->raw_begin = l->raw_end = from > l->piece_at ? (from < end ? from : end) : l->piece_at;
    /* What stands in `raw` goes up to the piece, or begins inside it. */
    if (end > l->raw_end)
        SHUNT_TRY(l->raw.append(l->raw.context, l->piece + (l->raw_end - l->piece_at), (size_t)(end - l->raw_end)));
    l->raw_end = end;
    l->piece_at = end;
    l->piece_size = 0;
    l->piece = NULL;
    return SHUNT_OK;
}

static struct scope *scope_of(shunt_letters *l, shunt_scope scope) { return &l->scopes[scope == SHUNT_SCOPE_BATCH]; }

shunt_status shunt_letters_scope(shunt_letters *l, shunt_scope scope, const shunt_segment *segment, const shunt_delims *delims,
                                 shunt_text control)
{
    struct scope *s = scope_of(l, scope);
    s->open = segment != NULL;
    s->header.length = s->control.length = 0;
    s->delims = *delims;
    if (!segment) return SHUNT_OK;
    shunt_buffer_add(&s->header, segment->bytes, segment->length);
    shunt_buffer_char(&s->header, (char)delims->terminator);
    shunt_buffer_text(&s->control, control);
    l->passed = segment->at;
    SHUNT_TRY(whole_buffer(&s->header));
    return whole_buffer(&s->control);
}

void shunt_letters_scope_over(shunt_letters *l, shunt_scope scope, uint64_t end)
{
    scope_of(l, scope)->open = false;
    if (end > l->passed) l->passed = end;
}

/* ---- transactions ---- */

void shunt_letters_ending(shunt_letters *l, const char *ending) { l->ending = ending ? ending : "txt"; }

shunt_text shunt_letters_end_of_name(const shunt_letters *l)
{
    return l->open ? shunt_text_of(l->letter.ending) : (shunt_text){ 0 };
}

shunt_text shunt_letters_name(const shunt_letters *l) { return l->open ? shunt_text_of(l->letter.name) : (shunt_text){ 0 }; }

static uint64_t header_length(const shunt_letters *l)
{
    uint64_t length = 0;
    for (int i = 0; i < PATH; i++)
        if (l->scopes[i].open) length += l->scopes[i].header.length;
    return length;
}

shunt_status shunt_letters_begin(shunt_letters *l, uint64_t ordinal, uint64_t at, shunt_text set, shunt_text control, bool mapped)
{
    l->open = mapped;
    l->unmapped = !mapped;
    if (!mapped) return SHUNT_OK;
    l->letter = (struct letter){ .ordinal = ordinal, .begin = at, .header = (uint32_t)header_length(l) };
    snprintf(l->letter.name, sizeof l->letter.name, "%llu-%llu", (unsigned long long)l->input, (unsigned long long)ordinal);
    snprintf(l->letter.ending, sizeof l->letter.ending, "%s", l->ending);
    if (!l->holding) SHUNT_TRY(l->units.reset(l->units.context));
    l->letter.units_begin = l->units.mark(l->units.context);
    l->ids.length = 0;
    shunt_buffer_z(&l->ids, "{\"input\":");
    shunt_buffer_add(&l->ids, l->id.bytes, l->id.length);
    shunt_buffer_z(&l->ids, ",\"transaction\":");
    shunt_json_number(&l->ids, ordinal);
    shunt_buffer_z(&l->ids, ",\"set\":");
    shunt_buffer_json(&l->ids, set);
    shunt_buffer_z(&l->ids, ",\"control\":");
    shunt_buffer_json(&l->ids, control);
    shunt_buffer_z(&l->ids, ",\"program\":");
    shunt_buffer_json(&l->ids, (shunt_text){ l->program, sizeof l->program });
    return whole_buffer(&l->ids);
}

static void put_number(shunt_buffer *out, const char *name, uint64_t number)
{
    shunt_buffer_z(out, name);
    shunt_json_number(out, number);
}

shunt_status shunt_letters_unit(shunt_letters *l, uint64_t ordinal, uint64_t begin, uint64_t end, shunt_fate fate,
                                shunt_text code)
{
    shunt_buffer *b = &l->scratch;
    if (!l->open) return SHUNT_OK;
    b->length = 0;
    if (l->letter.failed++) shunt_buffer_char(b, ',');
    put_number(b, "{\"ordinal\":", ordinal);
    shunt_buffer_z(b, ",\"outcome\":\"");
    shunt_buffer_z(b, shunt_fate_name(fate));
    shunt_buffer_z(b, "\",\"code\":");
    shunt_buffer_json(b, code);
    put_number(b, ",\"begin\":", begin - l->letter.begin + l->letter.header);
    put_number(b, ",\"end\":", end - l->letter.begin + l->letter.header);
    put_number(b, ",\"input_begin\":", begin);
    put_number(b, ",\"input_end\":", end);
    shunt_buffer_char(b, '}');
    SHUNT_TRY(whole_buffer(b));
    return l->units.append(l->units.context, b->bytes, b->length);
}

/* ---- writing ---- */

struct writing {
    shunt_letters *l;
    const char    *name, *ending;
    bool           begun;
    uint8_t        last_byte; /* of the message so far, line ends left aside */
    bool           line_over; /* a line end is its last byte */
};

static shunt_status write_bytes(struct writing *w, const char *bytes, size_t size)
{
    if (size == 0) return SHUNT_OK;
    shunt_letter_piece piece = { .name = w->name, .ending = w->ending, .bytes = bytes, .size = size, .first = !w->begun };
    w->begun = true;
    w->line_over = bytes[size - 1] == '\r' || bytes[size - 1] == '\n';
    for (size_t i = size; i > 0; i--) {
        if (bytes[i - 1] == '\r' || bytes[i - 1] == '\n') continue;
        w->last_byte = (uint8_t)bytes[i - 1];
        break;
    }
    return w->l->sink(w->l->context, &piece);
}

static shunt_status write_raw(void *context, const char *bytes, size_t length) { return write_bytes(context, bytes, length); }

/* Bytes [begin, end) of the input: what is spooled, then what stands in the piece at hand. */
static shunt_status write_input(struct writing *w, uint64_t begin, uint64_t end)
{
    shunt_letters *l = w->l;
    uint64_t       middle = end < l->raw_end ? end : l->raw_end;
    if (begin < middle) SHUNT_TRY(l->raw.replay(l->raw.context, begin - l->raw_begin, middle - l->raw_begin, write_raw, w));
    if (begin < middle) begin = middle;
    if (begin >= end) return SHUNT_OK;
    return write_bytes(w, l->piece + (begin - l->piece_at), (size_t)(end - begin));
}

static shunt_status write_units(void *context, const char *bytes, size_t length)
{
    struct writing *w = context;
    shunt_buffer   *list = &w->l->list;
    if (list->length + length > SHUNT_LETTER_UNITS && list->length) {
        shunt_letter_piece piece = { .name = w->name, .ending = w->ending, .units = list->bytes, .units_size = list->length };
        SHUNT_TRY(w->l->sink(w->l->context, &piece));
        list->length = 0;
    }
    shunt_buffer_add(list, bytes, length);
    return whole_buffer(list);
}

static shunt_status write_list(struct writing *w, const struct letter *letter, shunt_text ids, const shunt_letter_whole *whole)
{
    shunt_letters *l = w->l;
    shunt_buffer  *list = &l->list;
    list->length = 0;
    shunt_buffer_text(list, ids);
    put_number(list, ",\"begin\":", letter->header);
    put_number(list, ",\"end\":", letter->header + (letter->end - letter->begin));
    put_number(list, ",\"input_begin\":", letter->begin);
    put_number(list, ",\"input_end\":", letter->end);
    if (whole->whole) {
        shunt_buffer_z(list, ",\"whole\":{\"outcome\":\"");
        shunt_buffer_z(list, shunt_fate_name(whole->fate));
        shunt_buffer_z(list, "\",\"code\":");
        shunt_buffer_json(list, whole->code);
        shunt_buffer_char(list, '}');
    }
    shunt_buffer_z(list, ",\"units\":[");
    SHUNT_TRY(whole_buffer(list));
    if (!whole->whole && letter->units_end > letter->units_begin)
        SHUNT_TRY(l->units.replay(l->units.context, letter->units_begin, letter->units_end, write_units, w));
    shunt_buffer_z(list, "]}\n");
    SHUNT_TRY(whole_buffer(list));
    shunt_letter_piece piece = {
        .name = w->name, .ending = w->ending, .units = list->bytes, .units_size = list->length, .last = true
    };
    return l->sink(l->context, &piece);
}

/* Trailers stand behind a whole segment. A line may go without its end where the input is over; any other segment that has none
 * was cut off, and trailers behind it would become part of it. */
static shunt_status write_trailers(struct writing *w, uint8_t terminator, shunt_text trailer)
{
    const char end = (char)terminator;
    if (!trailer.length) return SHUNT_OK;
    if (end != '\r' && end != '\n' && w->last_byte != terminator) return SHUNT_OK;
    if ((end == '\r' || end == '\n') && !w->line_over) SHUNT_TRY(write_bytes(w, &end, 1));
    return write_bytes(w, trailer.bytes, trailer.length);
}

static shunt_status write_letter(shunt_letters *l, const struct letter *letter, shunt_text header, shunt_text trailer,
                                 shunt_text ids, const shunt_letter_whole *whole)
{
    struct writing w = { .l = l, .name = letter->name, .ending = letter->ending };
    if (!whole->whole && !letter->failed) return SHUNT_OK;
    SHUNT_TRY(write_bytes(&w, header.bytes, header.length));
    SHUNT_TRY(write_input(&w, letter->begin, letter->end));
    SHUNT_TRY(write_trailers(&w, letter->terminator, trailer));
    return write_list(&w, letter, ids, whole);
}

/* Header, trailer, ids and code of the open transaction, one behind the other. */
static shunt_status assemble(shunt_letters *l, shunt_buffer *out, shunt_text code)
{
    size_t begin = out->length;
    for (int i = 0; i < PATH; i++)
        if (l->scopes[i].open) shunt_buffer_add(out, l->scopes[i].header.bytes, l->scopes[i].header.length);
    size_t trailer = out->length;
    for (int i = PATH; i-- > 0;) {
        struct scope *s = &l->scopes[i];
        if (!s->open) continue;
        l->letter.terminator = s->delims.terminator;
        if (l->trailer)
            l->trailer(out, i ? SHUNT_SCOPE_BATCH : SHUNT_SCOPE_INTERCHANGE, &s->delims,
                       (shunt_text){ s->control.bytes, (uint32_t)s->control.length });
    }
    size_t ids = out->length;
    shunt_buffer_add(out, l->ids.bytes, l->ids.length);
    shunt_buffer_text(out, code);
    l->letter.header = (uint32_t)(trailer - begin);
    l->letter.trailer = (uint32_t)(ids - trailer);
    l->letter.ids = (uint32_t)l->ids.length;
    l->letter.code_length = code.length;
    return whole_buffer(out);
}

static shunt_status write_assembled(shunt_letters *l, const struct letter *letter, const char *bytes,
                                    const shunt_letter_whole *over)
{
    shunt_text         header = { bytes, letter->header }, trailer = { bytes + letter->header, letter->trailer };
    shunt_text         ids = { trailer.bytes + letter->trailer, letter->ids };
    shunt_letter_whole own = { letter->whole, (shunt_fate)letter->fate, { ids.bytes + letter->ids, letter->code_length } };
    return write_letter(l, letter, header, trailer, ids, over && over->whole ? over : &own);
}

shunt_status shunt_letters_end(shunt_letters *l, uint64_t end, shunt_letter_whole whole, bool hold)
{
    if (end > l->passed) l->passed = end;
    l->unmapped = false;
    if (!l->open) return SHUNT_OK;
    shunt_buffer *b = &l->scratch;
    l->open = false;
    l->letter.end = end;
    l->letter.units_end = l->units.mark(l->units.context);
    l->letter.whole = whole.whole;
    l->letter.fate = (uint8_t)whole.fate;
    b->length = 0;
    if (!hold) {
        if (!whole.whole && !l->letter.failed) return SHUNT_OK;
        SHUNT_TRY(assemble(l, b, whole.code));
        return write_assembled(l, &l->letter, b->bytes, NULL);
    }
    size_t at = shunt_parcel_open(b), self = b->length;
    shunt_buffer_add(b, &l->letter, sizeof l->letter); /* its lengths are known below only */
    SHUNT_TRY(assemble(l, b, whole.code));
    memcpy(b->bytes + self, &l->letter, sizeof l->letter);
    shunt_parcel_seal(b, at, 0);
    if (!l->holding) l->held_from = l->letter.begin;
    l->holding = true;
    return l->held.append(l->held.context, b->bytes, b->length);
}

struct release {
    shunt_letters            *l;
    const shunt_letter_whole *whole;
};

static shunt_status release_one(void *context, uint32_t tag, const char *bytes, size_t length)
{
    struct release *r = context;
    struct letter   letter;
    (void)tag;
    (void)length;
    memcpy(&letter, bytes, sizeof letter);
    return write_assembled(r->l, &letter, bytes + sizeof letter, r->whole);
}

uint64_t shunt_letters_mark(const shunt_letters *l) { return l->held.mark(l->held.context); }

shunt_status shunt_letters_release(shunt_letters *l, uint64_t mark, shunt_letter_whole whole)
{
    struct release r = { l, &whole };
    if (!l->holding) return SHUNT_OK;
    SHUNT_TRY(shunt_parcel_replay(&l->held, mark, l->held.mark(l->held.context), &l->carry, release_one, &r));
    l->holding = mark > 0;
    return l->holding ? l->held.truncate(l->held.context, mark) : l->held.reset(l->held.context);
}
