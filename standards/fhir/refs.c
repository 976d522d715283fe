#include "standards/fhir/refs.h"

#include "engine/base/index.h"

enum { SLOTS = 1 << 15, CONTAINED = 1024 /* looked through for `#id` */ };

struct shunt_fhir_refs {
    const shunt_memory *memory;
    shunt_index        *index; /* names to the numbers of the first and second entry that have it */
    shunt_hash_key      key;
    uint64_t            window, count;
    shunt_fhir_entry   *entries; /* a ring is not worth it: the front is moved over when half of it is idle */
    size_t              first, size, capacity;
    shunt_buffer        name;
};

shunt_fhir_refs *shunt_fhir_refs_new(const shunt_memory *memory, const char *directory, uint64_t window)
{
    shunt_fhir_refs *r = shunt_memory_zeroed(memory, 1, sizeof *r);
    if (!r) return NULL;
    r->memory = memory;
    r->window = window;
    shunt_buffer_init(&r->name, memory);
    shunt_hash_key_random(&r->key); /* no output depends on it */
    r->index = shunt_index_new(memory, directory, SLOTS);
    if (r->index) return r;
    shunt_fhir_refs_free(r);
    return NULL;
}

void shunt_fhir_refs_free(shunt_fhir_refs *r)
{
    if (!r) return;
    shunt_index_free(r->index);
    shunt_buffer_done(&r->name);
    shunt_memory_free(r->memory, r->entries);
    shunt_memory_free(r->memory, r);
}

void shunt_fhir_refs_clear(shunt_fhir_refs *r)
{
    if (shunt_index_count(r->index)) shunt_index_clear(r->index);
    r->first = r->size = 0;
}

static bool opens(const shunt_token *token)
{
    return token->op == SHUNT_TOKEN_OBJECT || token->op == SHUNT_TOKEN_ARRAY || token->op == SHUNT_TOKEN_ELEMENT;
}

static bool closes(const shunt_token *token) { return token->op == SHUNT_TOKEN_OBJECT_END || token->op == SHUNT_TOKEN_ARRAY_END; }

static bool has_text(const shunt_token *token)
{
    return (token->op == SHUNT_TOKEN_VALUE || token->op == SHUNT_TOKEN_ELEMENT) && token->kind == SHUNT_TOKEN_STRING;
}

/* Type and id of the resource that begins with the token before `at`. The offset behind its end. */
static uint64_t look_into(const shunt_tape *tape, uint64_t at, uint64_t end, uint64_t *type, uint64_t *id)
{
    enum { OTHER, TYPE, ID } key = OTHER;
    shunt_token token;
    unsigned    depth = 1;
    for (uint64_t before = at; depth && shunt_tape_next(tape, &at, end, &token); before = at) {
        if (depth == 1 && token.op == SHUNT_TOKEN_KEY)
            key = shunt_text_is(token.text, "resourceType") ? TYPE : shunt_text_is(token.text, "id") ? ID : OTHER;
        else if (depth == 1 && key != OTHER && has_text(&token))
            *(key == TYPE ? type : id) = before + 1;
        if (opens(&token)) depth++;
        if (closes(&token)) depth--;
    }
    return at;
}

static shunt_text text_at(const shunt_tape *tape, uint64_t offset)
{
    shunt_token token = { .text = { "", 0 } };
    uint64_t    at = offset - 1;
    if (offset) shunt_tape_next(tape, &at, UINT64_MAX, &token);
    return token.text;
}

static void read_entry(const shunt_tape *tape, uint64_t to, shunt_fhir_entry *e)
{
    enum { OTHER, FULL_URL, RESOURCE } key = OTHER;
    shunt_token token;
    unsigned    depth = 0;
    uint64_t    at = e->from;
    for (uint64_t before = at; shunt_tape_next(tape, &at, to, &token); before = at) {
        if (depth == 1 && token.op == SHUNT_TOKEN_KEY) {
            key = shunt_text_is(token.text, "fullUrl") ? FULL_URL : shunt_text_is(token.text, "resource") ? RESOURCE : OTHER;
        } else if (depth == 1 && key == FULL_URL && has_text(&token)) {
            e->full_url = before + 1;
        } else if (depth == 1 && key == RESOURCE && (token.op == SHUNT_TOKEN_OBJECT || token.op == SHUNT_TOKEN_ELEMENT)) {
            e->resource = before;
            e->resource_end = at = look_into(tape, at, to, &e->type, &e->id);
            continue;
        }
        if (opens(&token)) depth++;
        if (closes(&token)) depth--;
    }
}

/* A name is what stands in fullUrl, or the type and id of an entry without one, the two apart by their first byte. */
static shunt_status note(shunt_fhir_refs *r, uint64_t number)
{
    shunt_payload payload = { { 0 } };
    bool          found = false;
    if (r->name.failed) return SHUNT_NO_MEMORY;
    shunt_hash hash = shunt_hash128(&r->key, r->name.bytes, r->name.length);
    SHUNT_TRY(shunt_index_get(r->index, hash, &payload, &found));
    if (found && payload.words[1]) return SHUNT_OK;
    payload.words[found ? 1 : 0] = number;
    return shunt_index_put(r->index, hash, payload);
}

shunt_status shunt_fhir_refs_add(shunt_fhir_refs *r, const shunt_tape *tape, uint64_t from, uint64_t to, uint64_t at, bool bare)
{
    if (r->first > r->capacity / 2) {
        memmove(r->entries, r->entries + r->first, (r->size - r->first) * sizeof *r->entries);
        r->size -= r->first;
        r->first = 0;
    }
    if (r->size == r->capacity) {
        size_t capacity = r->capacity ? r->capacity + r->capacity / 2 : 64;
        void  *entries = shunt_memory_resize(r->memory, r->entries, capacity * sizeof *r->entries);
        if (!entries) return SHUNT_NO_MEMORY;
        r->entries = entries;
        r->capacity = capacity;
    }
    shunt_fhir_entry *e = &r->entries[r->size++];
    *e = (shunt_fhir_entry){ .number = ++r->count, .at = at, .from = from };
    if (bare) {
        shunt_token token;
        uint64_t    behind = from;
        e->resource = from;
        if (shunt_tape_next(tape, &behind, to, &token)) e->resource_end = look_into(tape, behind, to, &e->type, &e->id);
    } else {
        read_entry(tape, to, e);
    }
    r->name.length = 0;
    if (e->full_url) {
        shunt_buffer_char(&r->name, 'U');
        shunt_buffer_text(&r->name, text_at(tape, e->full_url));
        return note(r, e->number);
    }
    if (!e->type || !e->id) return SHUNT_OK;
    shunt_buffer_char(&r->name, 'T');
    shunt_buffer_text(&r->name, text_at(tape, e->type));
    shunt_buffer_char(&r->name, '/');
    shunt_buffer_text(&r->name, text_at(tape, e->id));
    return note(r, e->number);
}

uint64_t shunt_fhir_refs_drop(shunt_fhir_refs *r, uint64_t at, uint64_t end)
{
    while (r->first < r->size && r->entries[r->first].at + r->window < at) r->first++;
    return r->first < r->size ? r->entries[r->first].from : end;
}

const shunt_fhir_entry *shunt_fhir_refs_at(const shunt_fhir_refs *r, uint64_t from)
{
    size_t low = r->first, high = r->size;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (r->entries[middle].from == from) return &r->entries[middle];
        if (r->entries[middle].from < from)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* `#id`: in `contained` of the resource that holds the reference, and nowhere else; `#` is that resource. */
static shunt_fhir_found find_contained(const shunt_tape *tape, const shunt_fhir_entry *holder, shunt_text id, uint64_t *from,
                                       uint64_t *to)
{
    shunt_token token;
    uint64_t    at = holder->resource;
    unsigned    depth = 0, looked = 0, level = 1;
    bool        contained = false;
    *from = holder->resource;
    *to = holder->resource_end;
    if (!id.length) return SHUNT_REF_FOUND;
    shunt_fhir_found found = SHUNT_REF_NONE;
    for (uint64_t before = at; shunt_tape_next(tape, &at, holder->resource_end, &token); before = at) {
        if (depth == 1 && token.op == SHUNT_TOKEN_KEY) contained = shunt_text_is(token.text, "contained");
        if (depth == 1 && contained) level = token.op == SHUNT_TOKEN_ARRAY ? 2 : 1;
        bool object = token.op == SHUNT_TOKEN_OBJECT || token.op == SHUNT_TOKEN_ELEMENT;
        if (contained && depth == level && object) {
            uint64_t type = 0, own = 0;
            if (++looked > CONTAINED) return SHUNT_REF_NONE;
            at = look_into(tape, at, holder->resource_end, &type, &own);
            if (!own || !shunt_text_equal(text_at(tape, own), id)) continue;
            if (found == SHUNT_REF_FOUND) return SHUNT_REF_TWICE;
            found = SHUNT_REF_FOUND;
            *from = before;
            *to = at;
            continue;
        }
        if (opens(&token)) depth++;
        if (closes(&token)) depth--;
    }
    return found;
}

static bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

/* Type/id, and nothing more. */
static bool is_relative(shunt_text text)
{
    uint32_t i = 0;
    while (i < text.length && is_letter(text.bytes[i])) i++;
    if (i == 0 || text.bytes[0] < 'A' || text.bytes[0] > 'Z' || i == text.length || text.bytes[i] != '/') return false;
    uint32_t id = ++i;
    while (i < text.length && (is_letter(text.bytes[i]) || (text.bytes[i] >= '0' && text.bytes[i] <= '9') ||
                               text.bytes[i] == '-' || text.bytes[i] == '.'))
        i++;
    return i == text.length && i > id;
}

static bool has_version(shunt_text text)
{
    static const char version[] = "/_history/";
    for (uint32_t i = 0; i + sizeof version - 1 <= text.length; i++)
        if (memcmp(text.bytes + i, version, sizeof version - 1) == 0) return true;
    return false;
}

static bool is_absolute(shunt_text text)
{
    uint32_t i = 0;
    while (i < text.length && (is_letter(text.bytes[i]) || (i && text.bytes[i] >= '0' && text.bytes[i] <= '9') ||
                               (i && (text.bytes[i] == '+' || text.bytes[i] == '-' || text.bytes[i] == '.'))))
        i++;
    return i > 0 && i < text.length && text.bytes[i] == ':';
}

/* The part of the holder's fullUrl before its own Type/id. */
static bool base_of(const shunt_tape *tape, const shunt_fhir_entry *holder, shunt_text *base)
{
    shunt_text url = text_at(tape, holder->full_url);
    uint32_t   cut = url.length, slashes = 0;
    while (cut && slashes < 2) slashes += url.bytes[--cut] == '/';
    if (slashes < 2 || !is_relative((shunt_text){ url.bytes + cut + 1, url.length - cut - 1 })) return false;
    *base = (shunt_text){ url.bytes, cut + 1 };
    return true;
}

shunt_status shunt_fhir_refs_find(shunt_fhir_refs *r, const shunt_tape *tape, const shunt_fhir_entry *reader,
                                  const shunt_fhir_entry *holder, shunt_text text, shunt_fhir_found *found, uint64_t *from,
                                  uint64_t *to, const shunt_fhir_entry **target)
{
    shunt_payload payload = { { 0 } };
    shunt_text    base = { 0 };
    bool          known = false;
    *found = SHUNT_REF_NONE;
    *target = holder;
    if (text.length && text.bytes[0] == '#') {
        *found = find_contained(tape, holder, (shunt_text){ text.bytes + 1, text.length - 1 }, from, to);
        return SHUNT_OK;
    }
    if (has_version(text)) return SHUNT_OK;
    bool absolute = is_absolute(text);
    if (!absolute && (!is_relative(text) || (holder->full_url && !base_of(tape, holder, &base)))) return SHUNT_OK;
    r->name.length = 0;
    shunt_buffer_char(&r->name, absolute || holder->full_url ? 'U' : 'T');
    shunt_buffer_text(&r->name, base);
    shunt_buffer_text(&r->name, text);
    if (r->name.failed) return SHUNT_NO_MEMORY;
    SHUNT_TRY(shunt_index_get(r->index, shunt_hash128(&r->key, r->name.bytes, r->name.length), &payload, &known));
    if (!known || payload.words[0] > reader->number) return SHUNT_OK;
    if (payload.words[1] && payload.words[1] <= reader->number) {
        *found = SHUNT_REF_TWICE;
        return SHUNT_OK;
    }
    uint64_t oldest = r->first < r->size ? r->entries[r->first].number : UINT64_MAX;
    if (payload.words[0] < oldest) return SHUNT_OK;
    const shunt_fhir_entry *e = &r->entries[r->first + (size_t)(payload.words[0] - oldest)];
    if (!e->resource_end || reader->at - e->at > r->window) return SHUNT_OK;
    *target = e;
    *from = e->resource;
    *to = e->resource_end;
    *found = SHUNT_REF_FOUND;
    return SHUNT_OK;
}
