#include "standards/fhir/reader.h"

#include "engine/base/spool.h"
#include "standards/fhir/json.h"
#include "standards/fhir/refs.h"
#include "standards/fhir/walk.h"
#include "standards/fhir/xml.h"
#include "standards/schema.h"

enum {
    SPOOL_BYTES = 1 << 20,
    REPLAY_BYTES = 64 * 1024,
    FOLLOWED = 4,  /* units whose bytes the references of one entry may lead to */
    SEARCHED = 64, /* units whose bytes may be searched for what `#id` names, for one entry */
    HEAD = 4,      /* bytes by which the kind of input is told */
};

enum format { UNKNOWN, BLANK, JSON, XML, REFUSED };

/* Hands tokens to one who watches, and to the walk as if the maker of tokens passed over what it passes over. */
struct tee {
    shunt_token_sink  sink;
    shunt_token_sink *watch, *walk;
    bool (*found)(shunt_token_sink *watch, shunt_fhir_watched *fault);
};

struct fhir_reader {
    shunt_reader            base;
    const shunt_memory     *memory;
    const shunt_plan       *plan;
    shunt_fhir_names       *names;
    size_t                  most;
    shunt_status            failed;
    /* the piece at hand */
    const uint8_t          *bytes;
    size_t                  size, pos;
    bool                    last, told_last, over;
    uint64_t                offset; /* of bytes[pos] in the input */
    enum format             format;
    uint8_t                 head[HEAD];
    unsigned                head_size;
    uint64_t                blanks;
    /* documents */
    shunt_json             *json;
    shunt_xml              *xml;
    uint64_t                documents, document_end;
    bool                    complete;   /* the document has ended, but it is not certain yet that nothing is wrong behind it */
    bool                    begun;      /* its BEGIN is on its way */
    bool                    lines;      /* one resource a line */
    bool                    one_line;   /* the complete document stands on one line */
    bool                    recovering; /* behind a broken line */
    bool                    breaking;   /* `broken` waits for its end */
    shunt_fhir_item         broken;
    uint16_t                guide;
    /* the walk, and the walk over what is held */
    shunt_tape              tape;
    shunt_fhir_walk         walk, again;
    struct tee              tee;
    shunt_token_sink       *sink; /* of what is read: the walk, or the tee before it */
    shunt_fhir_events       queue, early, expanded, kept;
    bool                    seen_all;
    bool                   *seen;
    uint32_t                seen_count;
    bool                    spool_on; /* asked for */
    /* references */
    shunt_fhir_refs        *refs;
    const shunt_fhir_entry *holder, *reading;
    uint64_t                follow, search;
    bool                    told_window, told_twice, told_limit;
    /* what waits for the end of the Bundle */
    shunt_spool             spool;
    bool                    has_spool, spooling, presuming, releasing;
    uint64_t                replay_at, replay_end;
    shunt_buffer            replay;
    size_t                  replay_pos;
    shunt_fhir_item         replayed;
    const char             *directory;
    size_t                  spool_bytes;
};

static struct fhir_reader *of(shunt_reader *reader) { return (struct fhir_reader *)reader; }

/* ---- what the walk asks ---- */

static bool add(struct fhir_reader *r, const shunt_fhir_item *item, shunt_text text)
{
    return shunt_fhir_events_add(&r->queue, item, text);
}

static bool mark(struct fhir_reader *r, uint8_t step) { return add(r, &(shunt_fhir_item){ .step = step }, (shunt_text){ 0 }); }

static bool add_early(struct fhir_reader *r)
{
    const shunt_fhir_item *item;
    shunt_text             text;
    while ((item = shunt_fhir_events_take(&r->early, &text)))
        if (!add(r, item, text)) return false;
    return true;
}

static uint16_t find_guide(const struct fhir_reader *r, shunt_text set)
{
    for (uint32_t g = 0; g < r->plan->guide_count; g++) {
        const shunt_plan_guide *guide = &r->plan->guides[g];
        if (r->plan->sources[guide->source].standard == SHUNT_STANDARD_FHIR && shunt_text_equal(r->plan->texts[guide->set], set))
            return (uint16_t)g;
    }
    return SHUNT_NONE;
}

/* The outermost object says what it is. */
static bool on_root(void *context, shunt_text type, uint64_t at, bool presumed, uint16_t *loop, bool *entry, bool *whole)
{
    struct fhir_reader *r = context;
    *entry = false;
    r->guide = find_guide(r, type);
    if (r->guide == SHUNT_NONE && presumed) return true;
    if (r->guide == SHUNT_NONE && !shunt_text_is(type, "Bundle")) {
        r->guide = find_guide(r, SHUNT_TEXT("Bundle"));
        *entry = r->guide != SHUNT_NONE;
    }
    if (r->refs && shunt_text_is(type, "Bundle")) shunt_fhir_refs_clear(r->refs);
    *whole = r->refs && r->guide != SHUNT_NONE && !*entry && !shunt_text_is(type, "Bundle");
    r->begun = true;
    if (presumed && !mark(r, SHUNT_ITEM_PRESUME)) return false;
    shunt_fhir_item begin = { .step = SHUNT_STEP_BEGIN, .loop = r->guide, .at = at, .end = at };
    if (!add(r, &begin, type) || !add_early(r)) return false;
    if (r->guide == SHUNT_NONE) {
        shunt_fhir_item fault = { .step = SHUNT_STEP_FAULT, .code = SHUNT_FHIR_UNMAPPED, .at = at, .end = at };
        return add(r, &fault, (shunt_text){ 0 });
    }
    *loop = r->plan->guides[r->guide].loop_first;
    const shunt_fhir_under *under = &r->names->under[*loop];
    memset(r->seen, 0, r->seen_count * sizeof *r->seen);
    r->walk.seen = r->seen;
    r->walk.seen_count = under->name_count;
    r->spool_on = presumed || *entry; /* a resource alone has no Bundle around it: nothing to wait for */
    return true;
}

/* Entries begin: is something that they may read still to come? */
static bool on_branch(void *context, const shunt_fhir_name *name)
{
    struct fhir_reader     *r = context;
    const shunt_fhir_under *under = &r->names->under[r->walk.root];
    (void)name;
    if (r->spool_on || !under->awaited) return true;
    for (uint32_t i = 0; i < under->name_count; i++) {
        if (!r->names->names[under->names + i].awaited || r->seen[i]) continue;
        r->spool_on = true;
        return mark(r, SHUNT_ITEM_SPOOL);
    }
    return true;
}

static bool on_presumed(void *context, bool right)
{
    struct fhir_reader *r = context;
    if (right) return mark(r, SHUNT_ITEM_CONFIRM);
    r->begun = false;
    shunt_fhir_item fault = {
        .step = SHUNT_STEP_FAULT, .code = SHUNT_FHIR_TYPE_LATE, .at = r->walk.hold_at, .end = r->walk.hold_at
    };
    return mark(r, SHUNT_ITEM_DENY) && add(r, &fault, (shunt_text){ 0 });
}

static bool on_held(void *context, uint64_t from, uint64_t to)
{
    struct fhir_reader *r = context;
    bool                whole = r->walk.holding == SHUNT_HOLD_WHOLE;
    shunt_fhir_item     item = { .step = SHUNT_ITEM_ENTRY, .at = from, .end = to, .entry = r->walk.entry, .loop = r->walk.root };
    shunt_status        status = shunt_fhir_refs_add(r->refs, &r->tape, from, to, r->walk.hold_at, whole);
    item.branch = !whole;
    if (status != SHUNT_OK) r->failed = status;
    return status == SHUNT_OK && add(r, &item, (shunt_text){ 0 });
}

static bool warn_once(struct fhir_reader *r, bool *told, shunt_status code, uint64_t at, const char *detail)
{
    if (*told) return true;
    *told = true;
    return r->again.sink.fault(&r->again.sink, code, at, 0, detail);
}

/* In a Bundle inside an entry references mean its own entries, which are not indexed. */
static bool is_inner(const shunt_plan *plan, uint16_t loop)
{
    unsigned resources = 0;
    for (; loop != SHUNT_NONE; loop = plan->loops[loop].parent) {
        if (shunt_text_is(plan->texts[plan->loops[loop].id], "resolve()")) break;
        resources += shunt_text_is(plan->texts[plan->loops[loop].id], "resource");
    }
    return resources > 1;
}

/* An object with a reference ends: the resource that it leads to, as if it stood there. */
static bool on_resolve(void *context, shunt_fhir_walk *w, const shunt_fhir_under *under, shunt_text text)
{
    struct fhir_reader     *r = context;
    uint64_t                at = w->frames[w->depth - 1].at, from = 0, to = 0;
    const shunt_fhir_entry *holder = r->holder, *target = NULL;
    shunt_fhir_found        found = SHUNT_REF_NONE;
    uint64_t                cost = text.bytes[0] == '#' ? holder->resource_end - holder->resource : 0;
    if (cost > r->search) return warn_once(r, &r->told_limit, SHUNT_FHIR_REF_LIMIT, at, "");
    r->search -= cost;
    if (!is_inner(r->plan, w->frames[w->depth - 1].loop)) {
        shunt_status status = shunt_fhir_refs_find(r->refs, &r->tape, r->reading, holder, text, &found, &from, &to, &target);
        if (status != SHUNT_OK) r->failed = status;
        if (status != SHUNT_OK) return false;
    }
    if (found == SHUNT_REF_NONE) return warn_once(r, &r->told_window, SHUNT_FHIR_REF_WINDOW, at, "");
    if (found == SHUNT_REF_TWICE) return warn_once(r, &r->told_twice, SHUNT_FHIR_REF_TWICE, at, "");
    shunt_text type = shunt_fhir_type_of(&r->tape, from, to); /* nothing is added to the tape while it is walked over */
    for (uint32_t i = 0; i < under->resolve_count; i++) {
        uint16_t loop = r->names->lists[under->resolves + i];
        if (!shunt_fhir_type_fits(r->plan, loop, type)) continue;
        if (to - from > r->follow) return warn_once(r, &r->told_limit, SHUNT_FHIR_REF_LIMIT, at, "");
        r->follow -= to - from;
        r->holder = target;
        bool good = shunt_fhir_walk_object(w, loop, from, to);
        r->holder = holder;
        if (!good) return false;
    }
    return true;
}

/* What an entry that was held says, walked over once more. */
static bool expand(struct fhir_reader *r, const shunt_fhir_item *item)
{
    r->reading = r->holder = shunt_fhir_refs_at(r->refs, item->at);
    if (!r->reading) return true;
    r->follow = (uint64_t)r->most * FOLLOWED;
    r->search = (uint64_t)r->most * SEARCHED;
    r->told_window = r->told_twice = r->told_limit = false;
    r->again.entry = item->entry;
    r->again.branch = item->branch;
    r->again.null_told = false;
    if (!item->branch) return shunt_fhir_walk_whole(&r->again, item->loop, item->at, item->end);
    const shunt_fhir_name *name = shunt_fhir_name_find(r->names, item->loop, SHUNT_TEXT("entry"));
    return !name || shunt_fhir_walk_entry(&r->again, item->loop, name, item->at, item->end);
}

/* ---- documents ---- */

static bool begin_document(struct fhir_reader *r)
{
    r->documents++;
    r->complete = r->begun = r->spool_on = false;
    r->guide = SHUNT_NONE;
    if (!r->refs) shunt_tape_cut(&r->tape, r->tape.first);
    shunt_fhir_walk_begin(&r->walk);
    r->again.other_told = r->again.inner_told = false;
    return !r->tee.watch || r->tee.watch->take(r->tee.watch, &(shunt_token){ .op = SHUNT_TOKEN_DOCUMENT });
}

static bool add_unspool(struct fhir_reader *r) { return !r->spool_on || mark(r, SHUNT_ITEM_UNSPOOL); }

static bool finish_document(struct fhir_reader *r)
{
    shunt_fhir_item item = { .step = SHUNT_STEP_FINISH, .at = r->document_end, .end = r->document_end };
    r->complete = false;
    if (!add_early(r)) return false;
    if (!r->begun) return true;
    r->begun = false;
    if (r->walk.presumed) {
        shunt_fhir_item fault = {
            .step = SHUNT_STEP_FAULT, .code = SHUNT_FHIR_NO_TYPE, .at = r->walk.hold_at, .end = r->document_end
        };
        return mark(r, SHUNT_ITEM_DENY) && add(r, &fault, (shunt_text){ 0 });
    }
    return add_unspool(r) && add(r, &item, (shunt_text){ 0 });
}

static bool break_document(struct fhir_reader *r, shunt_status code, uint64_t at, uint32_t length, const char *detail)
{
    shunt_fhir_item fault = { .step = SHUNT_STEP_FAULT, .code = code, .at = at, .length = length, .end = at + length };
    shunt_fhir_item abandon = { .step = SHUNT_STEP_ABANDON, .at = at, .end = at + length };
    r->complete = false;
    if (!add_early(r)) return false;
    if (r->begun && r->walk.presumed && !mark(r, SHUNT_ITEM_DENY)) return false;
    if (r->begun && r->walk.presumed) r->begun = false;
    if (!add(r, &fault, shunt_text_of(detail))) return false;
    if (!r->begun) return true;
    r->begun = false;
    if (r->lines) return add(r, &abandon, (shunt_text){ 0 });
    r->broken = abandon;
    r->breaking = true;
    return true;
}

/* A broken document that is no line of its own ends where another begins, or with the input: what could not be told apart from it
 * stays with it, so that a dead letter holds it. */
static bool end_broken(struct fhir_reader *r, uint64_t end)
{
    if (!r->breaking) return true;
    r->breaking = false;
    if (end > r->broken.end) r->broken.end = end;
    return add(r, &r->broken, (shunt_text){ 0 });
}

static bool refuse(struct fhir_reader *r, shunt_status code, uint64_t at, uint32_t length, const char *detail)
{
    r->format = REFUSED;
    return break_document(r, code, at, length, detail);
}

/* ---- JSON ---- */

enum stepped { WORKED, WANTS, FAILED };

static enum stepped worked(struct fhir_reader *r, bool good)
{
    if (!good && r->failed == SHUNT_OK) r->failed = SHUNT_NO_MEMORY;
    return good ? WORKED : FAILED;
}

/* A line is broken: the next one can be found again where resources stand one a line. */
static enum stepped recover(struct fhir_reader *r, bool can)
{
    if (!can) {
        r->format = REFUSED;
        return WORKED;
    }
    r->recovering = true;
    shunt_json_skip_line(r->json);
    return WORKED;
}

static enum stepped json_begin(struct fhir_reader *r, const shunt_json_state *state)
{
    bool first = r->documents == 0;
    if (state->first == '{') {
        if (r->complete && !finish_document(r)) return worked(r, false);
        r->recovering = false;
        if (!end_broken(r, 0) || !begin_document(r)) return worked(r, false);
        shunt_json_open(r->json, r->lines);
        return WORKED;
    }
    bool behind = r->complete;
    if (r->recovering && !r->lines) { /* what follows the broken first line is no line of its own */
        r->format = REFUSED;
        return WORKED;
    }
    if (!break_document(r, first ? SHUNT_FHIR_ROOT : SHUNT_FHIR_TRAILING, state->at, 1, "")) return worked(r, false);
    return recover(r, r->lines || (behind && r->one_line));
}

static enum stepped json_line(struct fhir_reader *r, const shunt_json_state *state)
{
    if (r->complete) {
        r->lines |= r->one_line;
        return worked(r, finish_document(r));
    }
    if (r->recovering && !r->lines && state->ending != '}') r->format = REFUSED;
    return WORKED;
}

static enum stepped json_more(struct fhir_reader *r)
{
    size_t left = r->size - r->pos, piece = left < SHUNT_JSON_PIECE ? left : SHUNT_JSON_PIECE;
    if (!left && (!r->last || r->told_last)) {
        if (!r->last) return WANTS;
        r->over = true;
        return worked(r, !r->complete || finish_document(r));
    }
    r->told_last = r->last && piece == left;
    if (!shunt_json_feed(r->json, r->bytes + r->pos, piece, r->told_last)) return worked(r, false);
    r->pos += piece;
    r->offset += piece;
    return WORKED;
}

static enum stepped step_json(struct fhir_reader *r)
{
    shunt_json_step         step = shunt_json_next(r->json);
    const shunt_json_state *state = shunt_json_state_of(r->json);
    switch (step) {
    case SHUNT_JSON_MORE: /* texts of events may stand in the buffer that `feed` changes */
        return r->queue.count ? WORKED : json_more(r);
    case SHUNT_JSON_BEGIN: return json_begin(r, state);
    case SHUNT_JSON_LINE: return json_line(r, state);
    case SHUNT_JSON_END:
        r->complete = true;
        r->one_line = state->one_line;
        r->document_end = state->at;
        return worked(r, shunt_fhir_walk_end(&r->walk, state->at));
    case SHUNT_JSON_FAULT: {
        bool can = r->lines || (r->documents == 1 && state->one_line);
        if (!break_document(r, state->code, state->at, state->length, state->detail)) return worked(r, false);
        return recover(r, can);
    }
    default: return worked(r, false);
    }
}

/* ---- XML ---- */

static enum stepped step_xml(struct fhir_reader *r)
{
    size_t left = r->size - r->pos;
    if (!left && (!r->last || r->told_last)) {
        if (!r->last) return WANTS;
        r->over = true;
        return WORKED;
    }
    size_t          used = 0;
    shunt_xml_step  step = shunt_xml_feed(r->xml, r->bytes + r->pos, left, r->last, &used);
    shunt_xml_state state = shunt_xml_state_of(r->xml);
    r->pos += used;
    r->offset += used;
    r->told_last = r->last && r->pos == r->size;
    switch (step) {
    case SHUNT_XML_MORE: return WORKED;
    case SHUNT_XML_END: {
        r->document_end = state.at;
        r->over = true;
        return worked(r, shunt_fhir_walk_end(&r->walk, state.at) && finish_document(r));
    }
    case SHUNT_XML_FAULT: return worked(r, refuse(r, state.code, state.at, state.length, state.detail));
    default: return worked(r, false);
    }
}

/* ---- what kind of input it is ---- */

static const shunt_reader_ops xml_ops;

static bool is_space(uint8_t c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static const char *foreign(const uint8_t *head, unsigned size)
{
    if (size >= 2 && head[0] == 0x1f && head[1] == 0x8b) return "gzip";
    if (size >= 2 && ((head[0] == 0xfe && head[1] == 0xff) || (head[0] == 0xff && head[1] == 0xfe))) return "UTF-16";
    if (size >= 2 && (head[0] == 0) != (head[1] == 0)) return "UTF-16 without byte order mark";
    if (memchr(head, 0, size)) return "binary";
    return NULL;
}

static enum stepped start(struct fhir_reader *r, uint8_t first, uint64_t at)
{
    if (first == '{' || first == '[' || first == '"' || first == '-' || (first >= '0' && first <= '9')) {
        r->format = JSON;
        r->json = shunt_json_new(r->memory, r->sink, r->most);
        if (!r->json) return worked(r, false);
        shunt_json_begin(r->json, at);
        return WORKED;
    }
    if (first != '<') return worked(r, refuse(r, SHUNT_FHIR_NOT_FHIR, at, 1, foreign(&first, 1) ? "binary" : "text"));
    r->format = XML;
    r->base.ops = &xml_ops;
    r->walk.trim = r->again.trim = true;
    if (!begin_document(r)) return worked(r, false);
    r->xml = shunt_xml_new(r->memory, r->sink, r->most, at, r->blanks);
    return worked(r, r->xml != NULL);
}

/* Bytes that were taken away to look at them come before those of the piece. */
static enum stepped give_head(struct fhir_reader *r, unsigned from)
{
    if (r->format == JSON && !shunt_json_feed(r->json, r->head + from, r->head_size - from, false)) return worked(r, false);
    if (r->format == XML) {
        size_t used;
        if (shunt_xml_feed(r->xml, r->head + from, r->head_size - from, false, &used) == SHUNT_XML_NO_MEMORY)
            return worked(r, false);
    }
    return WORKED;
}

static enum stepped step_unknown(struct fhir_reader *r)
{
    while (r->head_size < HEAD && r->pos < r->size) {
        r->head[r->head_size++] = r->bytes[r->pos++];
        r->offset++;
    }
    if (r->head_size < HEAD && !r->last) return WANTS;
    const char *what = foreign(r->head, r->head_size);
    if (what) return worked(r, refuse(r, SHUNT_FHIR_NOT_FHIR, 0, 0, what));
    unsigned from = r->head_size >= 3 && memcmp(r->head, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    for (; from < r->head_size && is_space(r->head[from]); from++) r->blanks++;
    if (from < r->head_size) {
        enum stepped stepped = start(r, r->head[from], r->offset - r->head_size + from);
        return stepped == WORKED ? give_head(r, from) : stepped;
    }
    r->format = BLANK;
    return WORKED;
}

static enum stepped step_blank(struct fhir_reader *r)
{
    while (r->pos < r->size && is_space(r->bytes[r->pos])) {
        r->blanks++;
        r->offset++;
        r->pos++;
    }
    if (r->pos < r->size) return start(r, r->bytes[r->pos], r->offset);
    return r->last ? worked(r, refuse(r, SHUNT_FHIR_NOT_FHIR, r->offset, 0, "empty")) : WANTS;
}

static enum stepped step_refused(struct fhir_reader *r)
{
    r->offset += r->size - r->pos;
    r->pos = r->size;
    r->over = r->last;
    return r->last ? WORKED : WANTS;
}

static enum stepped step(struct fhir_reader *r)
{
    switch (r->format) {
    case UNKNOWN: return step_unknown(r);
    case BLANK: return step_blank(r);
    case JSON: return step_json(r);
    case XML: return step_xml(r);
    default: return step_refused(r);
    }
}

/* ---- what waits ---- */

static shunt_status spool_item(struct fhir_reader *r, const shunt_fhir_item *item, shunt_text text)
{
    if (!r->has_spool) {
        SHUNT_TRY(shunt_spool_file_new(r->memory, r->directory, r->spool_bytes, &r->spool));
        r->has_spool = true;
    }
    uint64_t before = r->spool.mark(r->spool.context);
    SHUNT_TRY(r->spool.append(r->spool.context, item, sizeof *item));
    shunt_status status = text.length ? r->spool.append(r->spool.context, text.bytes, text.length) : SHUNT_OK;
    if (status != SHUNT_OK) r->spool.truncate(r->spool.context, before);
    return status;
}

static void forget_spool(struct fhir_reader *r)
{
    r->spooling = r->presuming = r->releasing = false;
    r->replay_at = r->replay_end = r->replay_pos = r->replay.length = 0;
    shunt_fhir_events_clear(&r->kept);
    if (r->has_spool) r->spool.reset(r->spool.context);
}

static shunt_status take_replayed(void *context, const char *bytes, size_t length)
{
    struct fhir_reader *r = context;
    shunt_buffer_add(&r->replay, bytes, length);
    return r->replay.failed ? SHUNT_NO_MEMORY : SHUNT_OK;
}

/* Has so many bytes of the spool at hand. */
static shunt_status have(struct fhir_reader *r, size_t size)
{
    size_t left = r->replay.length - r->replay_pos;
    if (left >= size) return SHUNT_OK;
    if (left) memmove(r->replay.bytes, r->replay.bytes + r->replay_pos, left);
    r->replay.length = left;
    r->replay_pos = 0;
    uint64_t wanted = size - left > REPLAY_BYTES ? size - left : REPLAY_BYTES, until = r->replay_at + wanted;
    if (until > r->replay_end) until = r->replay_end;
    uint64_t from = r->replay_at;
    r->replay_at = until;
    return r->spool.replay(r->spool.context, from, until, take_replayed, r);
}

/* False: what waited has all been handed over. */
static bool next_replayed(struct fhir_reader *r, shunt_fhir_item *item, shunt_text *text)
{
    if (r->replay_at == r->replay_end && r->replay_pos == r->replay.length) return false;
    shunt_status status = have(r, sizeof *item);
    if (status == SHUNT_OK) {
        memcpy(item, r->replay.bytes + r->replay_pos, sizeof *item);
        status = have(r, sizeof *item + item->text_length);
    }
    if (status != SHUNT_OK) {
        r->failed = status;
        return false;
    }
    *text = (shunt_text){ r->replay.bytes + r->replay_pos + sizeof *item, item->text_length };
    r->replay_pos += sizeof *item + item->text_length;
    return true;
}

/* ---- events ---- */

/* Values and loops come by the million: of an event only what its step has is set. */
static void fill(const struct fhir_reader *r, const shunt_fhir_item *item, shunt_text text, shunt_event *e)
{
    switch (item->step) {
    case SHUNT_STEP_VALUE:
        e->slot = item->loop;
        e->value = text;
        e->cleared = false;
        break;
    case SHUNT_STEP_ENTER:
    case SHUNT_STEP_LEAVE: e->loop = item->loop; break;
    case SHUNT_STEP_BEGIN:
        *e = (shunt_event){ .scope = SHUNT_SCOPE_TRANSACTION, .guide = item->loop, .set = text };
        if (item->loop != SHUNT_NONE) e->version = r->plan->texts[r->plan->guides[item->loop].version];
        break;
    case SHUNT_STEP_FINISH:
    case SHUNT_STEP_ABANDON: *e = (shunt_event){ .scope = SHUNT_SCOPE_TRANSACTION }; break;
    default: *e = (shunt_event){ .code = item->code, .detail = text, .local = item->branch }; break;
    }
    e->step = (shunt_step)item->step;
    e->place = (shunt_place){ .byte = item->at, .length = item->length, .segment = item->entry };
    e->end = item->end;
}

/* What the reader itself does at a mark, or with an event that waits. `*out`: the event is to be handed over. */
static shunt_status handle(struct fhir_reader *r, const shunt_fhir_item *item, shunt_text text, bool *out)
{
    *out = false;
    switch (item->step) {
    case SHUNT_ITEM_ENTRY:
        if (expand(r, item)) return SHUNT_OK;
        return r->failed != SHUNT_OK ? r->failed : SHUNT_NO_MEMORY;
    case SHUNT_ITEM_SPOOL: r->spooling = true; return SHUNT_OK;
    case SHUNT_ITEM_PRESUME: r->spooling = r->presuming = true; return SHUNT_OK;
    case SHUNT_ITEM_CONFIRM:
        r->presuming = false;
        r->releasing = true;
        return SHUNT_OK;
    case SHUNT_ITEM_DENY: forget_spool(r); return SHUNT_OK;
    case SHUNT_ITEM_UNSPOOL:
        r->spooling = false;
        r->replay_end = r->has_spool ? r->spool.mark(r->spool.context) : 0;
        return SHUNT_OK;
    case SHUNT_STEP_ABANDON: forget_spool(r); break;
    default: break;
    }
    if (r->spooling && item->branch) return spool_item(r, item, text);
    if (r->presuming) {
        shunt_fhir_item own = *item;
        own.borrowed = false;
        return shunt_fhir_events_add(&r->kept, &own, text) ? SHUNT_OK : SHUNT_NO_MEMORY;
    }
    *out = true;
    return SHUNT_OK;
}

/* The next of what is ready, in the order of the sources; NULL: nothing is. */
static const shunt_fhir_item *next_item(struct fhir_reader *r, shunt_text *text)
{
    const shunt_fhir_item *item;
    while (r->failed == SHUNT_OK) {
        if (SHUNT_UNLIKELY(r->releasing)) {
            if ((item = shunt_fhir_events_take(&r->kept, text))) return item;
            r->releasing = false;
        }
        if (SHUNT_UNLIKELY(r->replay_end)) {
            if (next_replayed(r, &r->replayed, text)) return &r->replayed;
            if (r->failed != SHUNT_OK) break;
            forget_spool(r);
        }
        if (!(item = shunt_fhir_events_take(&r->expanded, text)) && !(item = shunt_fhir_events_take(&r->queue, text))) break;
        if (SHUNT_LIKELY(!r->spooling && !r->presuming && item->step < SHUNT_ITEM_ENTRY && item->step != SHUNT_STEP_ABANDON))
            return item;
        bool         out;
        shunt_status status = handle(r, item, *text, &out);
        if (status != SHUNT_OK) r->failed = status;
        if (out) return item;
    }
    return NULL;
}

/* Nothing is left that points into the tape: its front may go, but for what an entry that begins behind here can refer to. What the
 * parsers still have in hand began LAG bytes ago at most. */
static void drop_tape(struct fhir_reader *r)
{
    enum { LAG = 2 << 20 };
    bool     held = r->walk.holding != SHUNT_HOLD_NONE;
    uint64_t end = held ? r->walk.hold_from : shunt_tape_end(&r->tape), here = r->offset > LAG ? r->offset - LAG : 0;
    uint64_t wanted = shunt_fhir_refs_drop(r->refs, held && r->walk.hold_at < here ? r->walk.hold_at : here, end);
    shunt_tape_drop(&r->tape, wanted < end ? wanted : end);
}

static shunt_step fhir_next(shunt_reader *reader, shunt_event *event)
{
    struct fhir_reader *r = of(reader);
    shunt_text          text;
    while (r->failed == SHUNT_OK) {
        const shunt_fhir_item *item = next_item(r, &text);
        if (item) {
            fill(r, item, text, event);
            return event->step;
        }
        if (r->failed != SHUNT_OK) break;
        if (r->over && r->breaking) {
            if (!end_broken(r, r->offset)) r->failed = SHUNT_NO_MEMORY;
            continue;
        }
        if (r->over) {
            *event = (shunt_event){ .step = SHUNT_STEP_END, .place = { .byte = r->offset }, .end = r->offset };
            return event->step;
        }
        if (r->refs) drop_tape(r);
        if (step(r) == WANTS) {
            *event = (shunt_event){ .step = SHUNT_STEP_NEED_INPUT };
            return event->step;
        }
    }
    *event = (shunt_event){ .step = SHUNT_STEP_FAILED, .code = r->failed, .place = { .byte = r->offset }, .end = r->offset };
    return event->step;
}

static void fhir_feed(shunt_reader *reader, const uint8_t *bytes, size_t size, bool last)
{
    struct fhir_reader  *r = of(reader);
    static const uint8_t none[1];
    r->bytes = bytes ? bytes : none; /* the end of an input may come without bytes */
    r->size = size;
    r->pos = 0;
    r->last = last;
}

/* ---- life ---- */

static void fhir_free(shunt_reader *reader)
{
    struct fhir_reader *r = of(reader);
    shunt_json_free(r->json);
    shunt_xml_free(r->xml);
    shunt_fhir_refs_free(r->refs);
    if (r->has_spool) r->spool.free(r->spool.context);
    shunt_fhir_walk_done(&r->walk);
    shunt_fhir_walk_done(&r->again);
    shunt_fhir_events *events[] = { &r->queue, &r->early, &r->expanded, &r->kept };
    for (size_t i = 0; i < SHUNT_COUNT(events); i++) shunt_fhir_events_done(events[i]);
    shunt_tape_done(&r->tape);
    shunt_buffer_done(&r->replay);
    shunt_memory_free(r->memory, r->seen);
    shunt_fhir_names_free(r->names);
    shunt_memory_free(r->memory, r);
}

static const shunt_reader_ops fhir_ops = { .name = "fhir",
                                           .values = true,
                                           .late = SHUNT_FHIR_LATE,
                                           .twice = SHUNT_FHIR_TWICE,
                                           .feed = fhir_feed,
                                           .next = fhir_next,
                                           .free = fhir_free,
                                           .ending = "json" };
static const shunt_reader_ops xml_ops = { .name = "fhir",
                                          .values = true,
                                          .late = SHUNT_FHIR_LATE,
                                          .twice = SHUNT_FHIR_TWICE,
                                          .feed = fhir_feed,
                                          .next = fhir_next,
                                          .free = fhir_free,
                                          .ending = "xml" };

static bool tee_take(shunt_token_sink *sink, const shunt_token *token)
{
    struct tee *t = (struct tee *)(void *)sink;
    if (!t->watch->take(t->watch, token)) return false;
    shunt_fhir_watched fault;
    while (t->found && t->found(t->watch, &fault))
        if (!t->walk->fault(t->walk, fault.code, fault.at, fault.length, fault.detail)) return false;
    if (!t->walk->skip) return t->walk->take(t->walk, token);
    if (token->op == SHUNT_TOKEN_OBJECT || token->op == SHUNT_TOKEN_ELEMENT || token->op == SHUNT_TOKEN_ARRAY) t->walk->skip++;
    if (token->op == SHUNT_TOKEN_OBJECT_END || token->op == SHUNT_TOKEN_ARRAY_END) t->walk->skip--;
    return true;
}

static bool tee_fault(shunt_token_sink *sink, shunt_status code, uint64_t at, uint32_t length, const char *detail)
{
    struct tee *t = (struct tee *)(void *)sink;
    return t->walk->fault(t->walk, code, at, length, detail);
}

static bool prepare(struct fhir_reader *r, const shunt_fhir_options *o)
{
    uint32_t window = o->window;
    for (uint32_t g = 0; g < r->plan->guide_count; g++) {
        const shunt_plan_source *source = &r->plan->sources[r->plan->guides[g].source];
        if (source->standard != SHUNT_STANDARD_FHIR) continue;
        if (!o->max_unit_bytes && source->max_unit_bytes > r->most) r->most = source->max_unit_bytes;
        if (!o->window && source->window > window) window = source->window;
    }
    if (o->max_unit_bytes) r->most = o->max_unit_bytes;
    if (!r->most) r->most = SHUNT_FHIR_UNIT_BYTES;
    r->names = shunt_fhir_names_new(r->memory, r->plan);
    if (!r->names) return false;
    for (uint32_t i = 0; i < r->plan->loop_count; i++)
        if (r->names->under[i].name_count > r->seen_count) r->seen_count = r->names->under[i].name_count;
    r->seen = shunt_memory_zeroed(r->memory, r->seen_count + (size_t)1, sizeof *r->seen);
    if (!r->seen) return false;
    r->tee = (struct tee){ { .wants = true, .take = tee_take, .fault = tee_fault }, o->watch, &r->walk.sink, o->found };
    r->sink = o->watch ? &r->tee.sink : &r->walk.sink;
    r->walk.names = r->again.names = r->names;
    r->walk.most = r->again.most = r->most;
    if (!r->names->references) return true;
    r->walk.hold = true;
    r->refs = shunt_fhir_refs_new(r->memory, o->directory, window ? window : SHUNT_FHIR_WINDOW);
    return r->refs != NULL;
}

shunt_reader *shunt_fhir_reader_new(const shunt_memory *memory, const shunt_plan *plan, const shunt_fhir_options *options)
{
    static const shunt_fhir_options defaults = { 0 };
    const shunt_fhir_options       *o = options ? options : &defaults;
    struct fhir_reader             *r = shunt_memory_zeroed(memory, 1, sizeof *r);
    if (!r) return NULL;
    r->base.ops = &fhir_ops;
    r->memory = memory;
    r->plan = plan;
    r->directory = o->directory;
    r->spool_bytes = o->spool_bytes ? o->spool_bytes : SPOOL_BYTES;
    shunt_tape_init(&r->tape, memory);
    shunt_buffer_init(&r->replay, memory);
    shunt_fhir_events *events[] = { &r->queue, &r->early, &r->expanded, &r->kept };
    for (size_t i = 0; i < SHUNT_COUNT(events); i++) shunt_fhir_events_init(events[i], memory);
    shunt_fhir_walk_init(&r->walk, memory, NULL, &r->queue, &r->early, &r->tape, 0);
    shunt_fhir_walk_init(&r->again, memory, NULL, &r->expanded, &r->early, &r->tape, 0);
    r->walk.hooks =
        (shunt_fhir_walk_hooks){ .root = on_root, .branch = on_branch, .held = on_held, .presumed = on_presumed, .context = r };
    r->again.hooks = (shunt_fhir_walk_hooks){ .resolve = on_resolve, .context = r };
    if (prepare(r, o)) return &r->base;
    fhir_free(&r->base);
    return NULL;
}
