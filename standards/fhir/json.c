#include "standards/fhir/json.h"

#include <setjmp.h>
#include <stdio.h>
#include <yajl/yajl_parse.h>

#include "standards/fhir/bytes.h"

enum {
    LONG_STRING = 64 * 1024, /* a string not finished after so many bytes is taken out of yajl's hands */
    SLACK = 64,
};

enum where { IN_GAP, IN_TEXT, IN_LONG, IN_SKIP };
enum inside { ARRAY, BEFORE_NAME, BEFORE_VALUE };

/* A block given to yajl; all of them hang in a list, since a failure leaves without their being freed. */
struct block {
    struct block *before, *after;
    _Alignas(16) char bytes[];
};

struct shunt_json {
    const shunt_memory *memory;
    shunt_token_sink   *sink;
    size_t              most;
    shunt_json_state    state;
    enum where          where;
    bool                last, lines;
    /* the buffer: bytes from `base` on; all before `pos` is done with, all before `scanned` is looked at */
    uint8_t            *buffer;
    size_t              size, capacity, pos, scanned, open;
    bool                in_string;
    bool                bad; /* the byte at `scanned` can not stand there */
    const char         *why;
    bool                resync; /* what was looked at ahead was no text */
    uint64_t            base;
    /* the text that is open */
    yajl_handle         yajl;
    struct block       *blocks;
    jmp_buf             out;
    uint64_t            text_base; /* of the bytes that yajl is given at present */
    const uint8_t      *text;
    size_t              text_size;
    bool                no_memory;
    uint8_t             inside[SHUNT_FHIR_DEPTH + 1]; /* enum inside */
    shunt_status        refused;                      /* by a callback, at state.at */
    uint32_t            depth, key_first[SHUNT_FHIR_DEPTH + 1];
    uint64_t            key_bits[SHUNT_FHIR_DEPTH + 1]; /* of the names so far: most are seen to be new by them alone */
    uint64_t           *keys;
    uint32_t            key_count, key_capacity;
    /* a long string */
    uint64_t            long_at;
    uint64_t            long_length;
    shunt_buffer        long_bytes;
    bool                long_given, long_wanted;
};

/* ---- yajl's allocator ---- */

static struct block *block_of(void *bytes) { return (struct block *)((char *)bytes - offsetof(struct block, bytes)); }

static void link_block(shunt_json *j, struct block *block)
{
    block->before = NULL;
    block->after = j->blocks;
    if (j->blocks) j->blocks->before = block;
    j->blocks = block;
}

static void unlink_block(shunt_json *j, struct block *block)
{
    if (block->before)
        block->before->after = block->after;
    else
        j->blocks = block->after;
    if (block->after) block->after->before = block->before;
}

static void *take_block(void *context, size_t size)
{
    shunt_json   *j = context;
    struct block *block =
        size > SIZE_MAX - sizeof *block ? NULL : shunt_memory_get(j->memory, offsetof(struct block, bytes) + size);
    if (!block) longjmp(j->out, 1);
    link_block(j, block);
    return block->bytes;
}

static void give_block(void *context, void *bytes)
{
    shunt_json *j = context;
    if (!bytes) return;
    struct block *block = block_of(bytes);
    unlink_block(j, block);
    shunt_memory_free(j->memory, block);
}

static void *resize_block(void *context, void *bytes, size_t size)
{
    shunt_json *j = context;
    if (!bytes) return take_block(context, size);
    struct block *old = block_of(bytes);
    unlink_block(j, old);
    struct block *block =
        size > SIZE_MAX - sizeof *block ? NULL : shunt_memory_resize(j->memory, old, offsetof(struct block, bytes) + size);
    link_block(j, block ? block : old);
    if (!block) longjmp(j->out, 1);
    return block->bytes;
}

static void drop_yajl(shunt_json *j)
{
    while (j->blocks) give_block(j, j->blocks->bytes);
    j->yajl = NULL;
}

/* ---- callbacks ---- */

static uint64_t token_end(const shunt_json *j) { return j->text_base + yajl_get_bytes_consumed(j->yajl); }

/* The text is refused; yajl stops. */
static int refuse(shunt_json *j, shunt_status code, uint64_t at, uint64_t length, const char *detail)
{
    j->refused = code;
    j->state.at = at;
    j->state.length = length > UINT32_MAX ? UINT32_MAX : (uint32_t)length;
    snprintf(j->state.detail, sizeof j->state.detail, "%s", detail);
    return 0;
}

static int hand_over(shunt_json *j, const shunt_token *token)
{
    if (j->sink->take(j->sink, token)) return 1;
    j->no_memory = true;
    return 0;
}

static int open_container(shunt_json *j, shunt_token_op op)
{
    if (j->depth == SHUNT_FHIR_DEPTH) return refuse(j, SHUNT_FHIR_DEEP, token_end(j) - 1, 1, "");
    j->key_first[++j->depth] = j->key_count;
    j->key_bits[j->depth] = 0;
    j->inside[j->depth] = op == SHUNT_TOKEN_ARRAY ? ARRAY : BEFORE_NAME;
    if (j->sink->skip || !j->sink->wants) {
        j->sink->skip++;
        return 1;
    }
    return hand_over(j, &(shunt_token){ .op = (uint8_t)op, .at = token_end(j) - 1 });
}

/* A text ends with its outermost value; yajl is stopped there, since what follows is another text, or none of its business. */
static int value_over(shunt_json *j)
{
    if (j->inside[j->depth] == BEFORE_VALUE) j->inside[j->depth] = BEFORE_NAME;
    return j->depth > 0;
}

static int close_container(shunt_json *j, shunt_token_op op)
{
    j->key_count = j->key_first[j->depth--];
    if (!j->sink->skip) {
        if (!hand_over(j, &(shunt_token){ .op = (uint8_t)op, .at = token_end(j) })) return 0;
    } else {
        j->sink->skip--;
    }
    return value_over(j);
}

static int on_map(void *context) { return open_container(context, SHUNT_TOKEN_OBJECT); }
static int on_array(void *context) { return open_container(context, SHUNT_TOKEN_ARRAY); }

static int on_map_end(void *context) { return close_container(context, SHUNT_TOKEN_OBJECT_END); }
static int on_array_end(void *context) { return close_container(context, SHUNT_TOKEN_ARRAY_END); }

/* Where the string that ends at the present end of token stands in the input, without its quotes. */
static void place_string(const shunt_json *j, const uint8_t *bytes, size_t length, uint64_t *at, uint64_t *raw)
{
    if (j->long_given) {
        *at = j->long_at + 1;
        *raw = j->long_length;
        return;
    }
    size_t end = yajl_get_bytes_consumed(j->yajl) - 1; /* the closing quote */
    if (bytes >= j->text && bytes < j->text + j->text_size) {
        *at = j->text_base + (uint64_t)(bytes - j->text);
        *raw = length;
        return;
    }
    size_t begin = end; /* decoded: back to a quote that no backslash covers */
    for (;;) {
        size_t slashes = 0;
        while (begin && j->text[begin - 1] != '"') begin--;
        if (!begin) break;
        while (slashes + 1 < begin && j->text[begin - 2 - slashes] == '\\') slashes++;
        if (slashes % 2 == 0) break;
        begin--;
    }
    *at = j->text_base + begin;
    *raw = end - begin;
}

static bool note_key(shunt_json *j, uint64_t hash, bool *twice)
{
    uint64_t bit = UINT64_C(1) << (hash & 63);
    *twice = false;
    if (j->key_bits[j->depth] & bit)
        for (uint32_t i = j->key_first[j->depth]; i < j->key_count; i++) *twice |= j->keys[i] == hash;
    j->key_bits[j->depth] |= bit;
    if (j->key_count == j->key_capacity) {
        uint32_t capacity = j->key_capacity ? j->key_capacity * 2 : 256; /* SHUNT_FHIR_DEPTH * SHUNT_FHIR_PROPERTIES at most */
        void    *keys = shunt_memory_resize(j->memory, j->keys, capacity * sizeof *j->keys);
        if (!keys) return false;
        j->keys = keys;
        j->key_capacity = capacity;
    }
    j->keys[j->key_count++] = hash;
    return true;
}

static int on_key(void *context, const unsigned char *bytes, size_t length)
{
    shunt_json *j = context;
    bool        twice;
    if (SHUNT_UNLIKELY(length > SHUNT_FHIR_NAME || j->long_given)) {
        uint64_t at, raw;
        place_string(j, bytes, length, &at, &raw);
        return refuse(j, SHUNT_FHIR_LIMIT, at, raw, "a name is too long");
    }
    if (SHUNT_UNLIKELY(j->key_count - j->key_first[j->depth] >= SHUNT_FHIR_PROPERTIES))
        return refuse(j, SHUNT_FHIR_LIMIT, token_end(j), 0, "an object has too many properties");
    j->inside[j->depth] = BEFORE_VALUE;
    uint64_t hash = shunt_bytes_hash(bytes, length);
    if (!note_key(j, hash, &twice)) return j->no_memory = true, 0;
    if (SHUNT_UNLIKELY(twice)) {
        uint64_t at, raw;
        place_string(j, bytes, length, &at, &raw);
        if (!j->sink->fault(j->sink, SHUNT_FHIR_KEY_TWICE, at, (uint32_t)raw, "")) return j->no_memory = true, 0;
    }
    if (j->sink->skip) return 1;
    shunt_text name = { (const char *)bytes, (uint32_t)length };
    if (!j->sink->key) return hand_over(j, &(shunt_token){ .op = SHUNT_TOKEN_KEY, .text = name });
    if (j->sink->key(j->sink, name, hash)) return 1;
    j->no_memory = true;
    return 0;
}

static int on_value(shunt_json *j, shunt_token_kind kind, const unsigned char *bytes, size_t length, uint64_t at, uint64_t raw)
{
    shunt_token token = { .op = SHUNT_TOKEN_VALUE, .kind = (uint8_t)kind, .at = at };
    token.length = raw > UINT32_MAX ? UINT32_MAX : (uint32_t)raw;
    if (raw <= j->most) token.text = (shunt_text){ (const char *)bytes, (uint32_t)length };
    token.stays = bytes >= j->buffer && bytes < j->buffer + j->size; /* the buffer is changed by `feed` only */
    return hand_over(j, &token) ? value_over(j) : 0;
}

static bool is_wanted(const shunt_json *j) { return !j->sink->skip && j->sink->wants; }

static int on_string(void *context, const unsigned char *bytes, size_t length)
{
    shunt_json *j = context;
    uint64_t    at, raw;
    if (!is_wanted(j)) return value_over(j);
    place_string(j, bytes, length, &at, &raw);
    if (SHUNT_UNLIKELY(j->long_given)) {
        bytes = (const unsigned char *)j->long_bytes.bytes;
        length = j->long_bytes.length;
    }
    return on_value(j, SHUNT_TOKEN_STRING, bytes, length, at, raw);
}

static int on_number(void *context, const char *bytes, size_t length)
{
    shunt_json *j = context;
    uint64_t    end = token_end(j);
    if (length > SHUNT_FHIR_NUMBER) return refuse(j, SHUNT_FHIR_LIMIT, end - length, 0, "a number is too long");
    if (!is_wanted(j)) return value_over(j);
    return on_value(j, SHUNT_TOKEN_NUMBER, (const unsigned char *)bytes, length, end - length, length);
}

static int on_word(shunt_json *j, shunt_token_kind kind, const char *word)
{
    size_t length = strlen(word);
    if (!is_wanted(j)) return value_over(j);
    return on_value(j, kind, (const unsigned char *)word, length, token_end(j) - length, length);
}

static int on_boolean(void *context, int truth) { return on_word(context, SHUNT_TOKEN_BOOL, truth ? "true" : "false"); }
static int on_null(void *context) { return on_word(context, SHUNT_TOKEN_NULL, "null"); }

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_map,
    .yajl_map_key = on_key,
    .yajl_end_map = on_map_end,
    .yajl_start_array = on_array,
    .yajl_end_array = on_array_end,
};

/* ---- the pass before yajl ---- */

/* Bytes of the character or escape at `at`, no quote; 0: bad, or not complete. */
static size_t step_in_string(shunt_json *j, size_t at)
{
    uint8_t c = j->buffer[at];
    if (c >= 0x80) {
        j->why = "bytes are not UTF-8";
        return shunt_character_length(j->buffer + at, j->size - at, &j->bad);
    }
    j->why = c == '\\' ? "escape is not valid, or half of a surrogate pair" : "control character";
    if (c == '\\') return shunt_escape_length(j->buffer + at, j->size - at, &j->bad);
    j->bad = c < 0x20;
    return !j->bad;
}

/* Looks at all bytes up to the end of the buffer, or up to the first that can not stand (`bad`), or that can not be judged without
 * the bytes behind it. */
static void scan(shunt_json *j)
{
    size_t   at = j->scanned;
    uint64_t carry = j->in_string ? ~UINT64_C(0) : 0;
    while (at < j->size) {
        shunt_marks m;
        size_t      step = j->size - at;
        if (SHUNT_LIKELY(step >= 64)) {
            step = 64;
            shunt_marks_of(j->buffer + at, &m);
        } else {
            uint8_t block[64];
            memset(block, ' ', sizeof block);
            memcpy(block, j->buffer + at, step);
            shunt_marks_of(block, &m);
        }
        if (SHUNT_LIKELY(!(m.slash | m.high))) {
            uint64_t inside = shunt_prefix_xor(m.quote) ^ carry;
            uint64_t bad = (m.control & inside) | m.feed;
            if (SHUNT_UNLIKELY(bad)) {
                unsigned first = (unsigned)__builtin_ctzll(bad);
                uint64_t before = m.quote & ((UINT64_C(1) << first) - 1);
                if (before) j->open = at + 63 - (unsigned)__builtin_clzll(before);
                j->in_string = inside >> first & 1;
                j->scanned = at + first;
                j->bad = true;
                j->why = "control character";
                return;
            }
            if (m.quote) j->open = at + 63 - (unsigned)__builtin_clzll(m.quote);
            carry = inside >> 63 ? ~UINT64_C(0) : 0;
            at += step;
            continue;
        }
        for (size_t end = at + step; at < end;) {
            size_t  taken = 1;
            uint8_t c = j->buffer[at];
            if (c == '"') {
                if (!carry) j->open = at;
                carry = ~carry;
            } else if (carry || c >= 0x80 || c == '\v' ||
                       c == '\f') { /* what else stands outside of strings is yajl's business */
                taken = step_in_string(j, at);
            }
            if (!taken) {
                j->in_string = carry != 0;
                j->scanned = at;
                return;
            }
            at += taken;
        }
    }
    j->in_string = carry != 0;
    j->scanned = at;
}

/* How far what was scanned consists of whole tokens: up to a delimiter, or a string that is open. */
static size_t whole(const shunt_json *j)
{
    size_t at = j->in_string && j->open >= j->pos ? j->open : j->scanned;
    while (at > j->pos && !shunt_json_delimiter(j->buffer[at - 1])) at--;
    return at;
}

/* What stands behind the whole tokens is no token that goes on: yajl says what is wrong with it. `until`: how much of it. */
static size_t doubtful(const shunt_json *j, size_t end)
{
    if (!j->in_string) return j->scanned;
    return end < j->open ? j->open + 1 : end; /* a word and a quote directly behind it */
}

/* ---- steps ---- */

shunt_json *shunt_json_new(const shunt_memory *memory, shunt_token_sink *sink, size_t most)
{
    shunt_json *j = shunt_memory_zeroed(memory, 1, sizeof *j);
    if (!j) return NULL;
    j->memory = memory;
    j->sink = sink;
    j->most = most;
    shunt_buffer_init(&j->long_bytes, memory);
    return j;
}

void shunt_json_begin(shunt_json *j, uint64_t at) { j->base = at; }

void shunt_json_free(shunt_json *j)
{
    if (!j) return;
    drop_yajl(j);
    shunt_buffer_done(&j->long_bytes);
    shunt_memory_free(j->memory, j->keys);
    shunt_memory_free(j->memory, j->buffer);
    shunt_memory_free(j->memory, j);
}

const shunt_json_state *shunt_json_state_of(const shunt_json *j) { return &j->state; }

bool shunt_json_feed(shunt_json *j, const uint8_t *bytes, size_t size, bool last)
{
    if (j->pos) {
        memmove(j->buffer, j->buffer + j->pos, j->size - j->pos);
        j->base += j->pos;
        j->size -= j->pos;
        j->scanned -= j->scanned < j->pos ? j->scanned : j->pos;
        j->open -= j->open < j->pos ? j->open : j->pos;
        j->pos = 0;
    }
    if (size > j->capacity - j->size) {
        size_t capacity = j->size + size + SHUNT_JSON_PIECE;
        void  *buffer = shunt_memory_resize(j->memory, j->buffer, capacity);
        if (!buffer) return false;
        j->buffer = buffer;
        j->capacity = capacity;
    }
    if (size) memcpy(j->buffer + j->size, bytes, size);
    j->size += size;
    j->last = last;
    return true;
}

static shunt_json_step stop(shunt_json *j, shunt_json_step step)
{
    drop_yajl(j);
    j->where = IN_GAP;
    return step;
}

static shunt_json_step fault(shunt_json *j, shunt_status code, uint64_t at, uint32_t length, const char *detail)
{
    j->state.code = code;
    j->state.at = at;
    j->state.length = length;
    if (detail) snprintf(j->state.detail, sizeof j->state.detail, "%s", detail);
    if (at > j->base + j->pos) j->pos = at - j->base < j->size ? (size_t)(at - j->base) : j->size;
    j->resync = true;
    return stop(j, SHUNT_JSON_FAULT);
}

/* What yajl says, without its line end. It quotes nothing of the text. */
static shunt_json_step syntax(shunt_json *j)
{
    char   detail[sizeof j->state.detail];
    size_t end = j->text_size < yajl_get_bytes_consumed(j->yajl) ? j->text_size : yajl_get_bytes_consumed(j->yajl);
    size_t run = end;
    while (run && !shunt_json_delimiter(j->text[run - 1])) run--;
    if (end - run > SHUNT_FHIR_NUMBER) return fault(j, SHUNT_FHIR_LIMIT, j->text_base + run, 0, "a number is too long");
    unsigned char *words = yajl_get_error(j->yajl, 0, NULL, 0);
    snprintf(detail, sizeof detail, "%s", (const char *)words);
    detail[strcspn(detail, "\n")] = 0;
    return fault(j, SHUNT_FHIR_JSON, j->text_base + end, 1, detail);
}

/* Gives yajl a run of whole tokens. MORE: it wants more. */
static shunt_json_step parse(shunt_json *j, const uint8_t *text, size_t size, uint64_t base)
{
    j->text = text;
    j->text_size = size;
    j->text_base = base;
    if (setjmp(j->out)) return stop(j, SHUNT_JSON_NO_MEMORY);
    if (!j->yajl) {
        static const yajl_alloc_funcs functions = { take_block, resize_block, give_block, NULL };
        yajl_alloc_funcs              own = functions;
        own.ctx = j;
        j->yajl = yajl_alloc(&callbacks, &own, j);
        if (!j->yajl) return stop(j, SHUNT_JSON_NO_MEMORY);
        yajl_config(j->yajl, yajl_dont_validate_strings, 1); /* done before */
    }
    switch (yajl_parse(j->yajl, text, size)) {
    case yajl_status_ok: return SHUNT_JSON_MORE;
    case yajl_status_client_canceled:
        if (j->no_memory) return stop(j, SHUNT_JSON_NO_MEMORY);
        if (j->refused != SHUNT_OK) return fault(j, j->refused, j->state.at, j->state.length, NULL);
        j->state.at = token_end(j);
        return stop(j, SHUNT_JSON_END);
    default: return syntax(j);
    }
}

static shunt_json_step next_gap(shunt_json *j)
{
    while (j->pos < j->size) {
        uint8_t c = j->buffer[j->pos];
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
            j->state.at = j->base + j->pos;
            j->state.first = c;
            return SHUNT_JSON_BEGIN;
        }
        j->pos++;
        if (c == '\n') {
            j->state.at = j->base + j->pos;
            return SHUNT_JSON_LINE;
        }
    }
    return SHUNT_JSON_MORE;
}

static shunt_json_step next_skipped(shunt_json *j)
{
    while (j->pos < j->size) {
        uint8_t c = j->buffer[j->pos++];
        if (c == '\n') {
            j->state.at = j->base + j->pos;
            j->where = IN_GAP;
            return SHUNT_JSON_LINE;
        }
        if (c != ' ' && c != '\t' && c != '\r') j->state.ending = c;
    }
    return SHUNT_JSON_MORE;
}

/* ---- strings that are too long to be held whole ---- */

static bool keep_long(shunt_json *j, size_t from, size_t to)
{
    j->long_length += to - from;
    if (!j->long_wanted || j->long_length > j->most) return true;
    shunt_buffer_add(&j->long_bytes, j->buffer + from, to - from);
    return !j->long_bytes.failed;
}

/* The buffer holds nothing but the beginning of a string. */
static bool begin_long(shunt_json *j)
{
    j->where = IN_LONG;
    j->long_at = j->base + j->open;
    j->long_length = j->long_bytes.length = 0;
    j->long_wanted = is_wanted(j) && j->inside[j->depth] != BEFORE_NAME;
    if (!keep_long(j, j->open + 1, j->scanned)) return false;
    j->pos = j->scanned;
    return true;
}

static size_t string_run(const shunt_json *j, size_t at)
{
    shunt_marks m;
    while (j->size - at >= sizeof(uint8_t[64])) {
        shunt_marks_of(j->buffer + at, &m);
        uint64_t stops = m.quote | m.slash | m.high | m.control;
        if (stops) return at + (size_t)__builtin_ctzll(stops);
        at += 64;
    }
    return at;
}

/* The rest of such a string. At its end yajl is given an empty one in its place, and the callbacks what was kept. */
static shunt_json_step next_long(shunt_json *j)
{
    static const uint8_t nothing[] = "\"\"";
    size_t               at = j->scanned, taken = 1;
    while (at < j->size && taken) {
        at = string_run(j, at);
        if (at == j->size || j->buffer[at] == '"') break;
        at += taken = step_in_string(j, at);
    }
    j->scanned = at;
    if (!keep_long(j, j->pos, at)) return stop(j, SHUNT_JSON_NO_MEMORY);
    j->pos = at;
    if (j->bad) return fault(j, SHUNT_FHIR_JSON, j->base + at, 1, j->why);
    if (at == j->size || j->buffer[at] != '"')
        return j->last ? fault(j, SHUNT_FHIR_TRUNCATED, j->base + j->size, 0, "") : SHUNT_JSON_MORE;
    j->pos = j->scanned = at + 1;
    j->in_string = false;
    j->where = IN_TEXT;
    j->long_bytes.length = j->long_length > j->most ? 0 : shunt_unescape(j->long_bytes.bytes, j->long_bytes.length);
    j->long_given = true;
    shunt_json_step step = parse(j, nothing, 2, j->base + j->pos - 2);
    j->long_given = false;
    if (j->long_bytes.capacity > SHUNT_JSON_PIECE * 32) shunt_buffer_done(&j->long_bytes);
    return step;
}

/* ---- texts ---- */

/* Where one text a line is the rule, a line that begins with `{` ends a text that is open: `*end` is set back to the line end before it, or
 * to one that nothing is known about yet. */
static bool broken_line(const shunt_json *j, size_t *end)
{
    const uint8_t *at = j->buffer + j->pos, *stop = j->buffer + *end;
    while (j->lines && at < stop && (at = memchr(at, '\n', (size_t)(stop - at)))) {
        size_t after = (size_t)(at - j->buffer) + 1;
        if (after < j->size ? j->buffer[after] == '{' : !j->last) {
            *end = after - 1;
            return after < j->size;
        }
        at++;
    }
    return false;
}

static shunt_json_step parse_until(shunt_json *j, size_t end)
{
    size_t          from = j->pos, until = end;
    shunt_json_step step = parse(j, j->buffer + from, end - from, j->base + from);
    if (step == SHUNT_JSON_END || step == SHUNT_JSON_FAULT) {
        until = (size_t)(j->state.at - j->base);
        if (until > end) until = end;
        if (step == SHUNT_JSON_END) j->pos = until;
    } else {
        j->pos = end;
    }
    if (j->state.one_line && until > from && memchr(j->buffer + from, '\n', until - from)) j->state.one_line = false;
    return step;
}

/* The input is over, and what is left is no whole token. */
static shunt_json_step finish(shunt_json *j)
{
    if (!j->depth && !j->in_string && !j->bad && j->pos < j->size) { /* a number or word alone: a blank ends it */
        if (!shunt_json_feed(j, (const uint8_t *)" ", 1, true)) return stop(j, SHUNT_JSON_NO_MEMORY);
        shunt_json_step step = parse_until(j, j->size);
        if (step != SHUNT_JSON_MORE) return step;
    }
    return fault(j, SHUNT_FHIR_TRUNCATED, j->base + j->size, 0, "");
}

static shunt_json_step next_text(shunt_json *j)
{
    if (!j->bad && j->scanned < j->size) scan(j);
    size_t          end = whole(j);
    bool            broken = broken_line(j, &end);
    shunt_json_step step = end > j->pos ? parse_until(j, end) : SHUNT_JSON_MORE;
    if (step != SHUNT_JSON_MORE) return step;
    if (broken) return fault(j, SHUNT_FHIR_TRUNCATED, j->base + j->pos, 1, "the line ends inside the resource");
    bool too_long = j->scanned - end > (j->in_string ? LONG_STRING : SHUNT_FHIR_NUMBER);
    if ((j->bad || too_long) && doubtful(j, end) > end) {
        step = parse(j, j->buffer + end, doubtful(j, end) - end, j->base + end);
        if (step != SHUNT_JSON_MORE) return step;
    }
    if (too_long && j->in_string && !j->bad) return begin_long(j) ? next_long(j) : stop(j, SHUNT_JSON_NO_MEMORY);
    if (too_long && !j->in_string) return fault(j, SHUNT_FHIR_LIMIT, j->base + end, 0, "a number is too long");
    if (j->bad) return fault(j, SHUNT_FHIR_JSON, j->base + j->scanned, 1, j->why);
    return j->last ? finish(j) : SHUNT_JSON_MORE;
}

void shunt_json_open(shunt_json *j, bool lines)
{
    if (j->resync || j->scanned < j->pos) {
        j->scanned = j->pos;
        j->in_string = j->bad = j->resync = false;
    }
    j->where = IN_TEXT;
    j->lines = lines;
    j->depth = j->key_count = 0;
    j->inside[0] = ARRAY;
    j->refused = SHUNT_OK;
    j->state = (shunt_json_state){ .one_line = true };
}

void shunt_json_skip_line(shunt_json *j)
{
    drop_yajl(j);
    j->where = IN_SKIP;
    j->resync = true;
    j->state.ending = 0;
}

shunt_json_step shunt_json_next(shunt_json *j)
{
    switch (j->where) {
    case IN_TEXT: return next_text(j);
    case IN_LONG: {
        shunt_json_step step = next_long(j);
        return step == SHUNT_JSON_MORE && j->where == IN_TEXT ? next_text(j) : step;
    }
    case IN_SKIP: return next_skipped(j);
    default: return next_gap(j);
    }
}
