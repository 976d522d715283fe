#include "engine/base/index.h"

#include <string.h>

#include "engine/base/temp.h"

enum {
    FIRST_SLOTS = 1024,
    GROWTH = 4, /* the system clears each new table */
    SLACK = 64, /* slots behind the last home, so that probing never wraps and slot order is key order */
    FAN = 16,   /* runs of one level that are merged into one of the next */
    LEVELS = 12,
    MOST_RUNS = FAN * LEVELS,
    BLOOM_BITS = 10, /* a key */
    BLOOM_MARKS = 6, /* 10 * ln 2, and one less, since marks crowd in blocks */
    BLOOM_BLOCK = 8, /* words: a line of the cache */
    BLOOM_BLOCK_BITS = 9,
    WINDOW = 256, /* entries read at once */
};

struct entry {
    shunt_hash    key;
    shunt_payload payload;
};
_Static_assert(sizeof(struct entry) == 32, "as promised in index.h");

struct run {
    int       file;
    unsigned  level;
    uint64_t  count; /* entries, ascending by key */
    uint64_t *bloom;
    uint64_t  bloom_words;
};

/* The table is open addressing in key order: the home of a key are its top bits, and the entries of a stretch are sorted. What is looked
 * for and not found is mostly put right after: its place is remembered. */
struct shunt_index {
    struct entry       *table; /* slots + SLACK */
    uint64_t           *taken; /* a bit a slot, and one behind them that stays 0: every stretch ends */
    unsigned            shift; /* home of a key: `high` >> shift */
    unsigned            run_count;
    shunt_hash          missing; /* a key that is not there, where `is_missing` */
    size_t              missing_slot;
    bool                is_missing;
    size_t              slots, most_slots, filled;
    uint64_t            count;
    const shunt_memory *memory;
    const char         *directory;
    struct run          runs[MOST_RUNS]; /* oldest first, so levels never rise */
    struct entry        window[WINDOW];
};

/* The table */

static size_t   taken_words(size_t slots) { return (slots + SLACK) / 64 + 1; }
static bool     is_taken(const uint64_t *taken, size_t slot) { return taken[slot / 64] >> (slot % 64) & 1; }
static void     take(uint64_t *taken, size_t slot) { taken[slot / 64] |= (uint64_t)1 << (slot % 64); }
static unsigned shift_of(size_t slots) { return 64 - (unsigned)__builtin_ctzll(slots); }
static size_t   home_of(shunt_hash key, unsigned shift) { return (size_t)(key.high >> shift); }

/* The slot that holds `key`, or where it belongs: the first one that is free or has a greater key. */
static inline size_t slot_of(const struct shunt_index *x, shunt_hash key)
{
    size_t slot = home_of(key, x->shift);
    while (is_taken(x->taken, slot) && shunt_hash_less(x->table[slot].key, key)) slot++;
    return slot;
}

static inline bool holds(const struct shunt_index *x, size_t slot, shunt_hash key)
{
    return is_taken(x->taken, slot) && shunt_hash_equal(x->table[slot].key, key);
}

/* The first free slot from `slot` on, perhaps the one behind the last. */
static inline size_t free_slot(const uint64_t *taken, size_t slot)
{
    size_t   word = slot / 64;
    uint64_t holes = ~taken[word] >> (slot % 64) << (slot % 64);
    while (!holes) holes = ~taken[++word];
    return word * 64 + (size_t)__builtin_ctzll(holes);
}

/* A key comes in registers; compilers would put both words on the stack, to take them from there as one. */
static inline void set_key(shunt_hash *to, shunt_hash key)
{
    SHUNT_ONE_BY_ONE(key.high);
    SHUNT_ONE_BY_ONE(key.low);
    to->high = key.high;
    to->low = key.low;
}

static inline void set_entry(struct entry *entry, shunt_hash key, shunt_payload payload)
{
    set_key(&entry->key, key);
    for (size_t i = 0; i < SHUNT_COUNT(payload.words); i++) entry->payload.words[i] = payload.words[i];
}

/* Puts a new entry at its slot, those behind it one further; false when the slack at the end is used up. */
static inline bool squeeze_in(struct shunt_index *x, size_t slot, shunt_hash key, shunt_payload payload)
{
    size_t hole = free_slot(x->taken, slot);
    if (hole >= x->slots + SLACK) return false;
    for (size_t to = hole; to > slot; to--) x->table[to] = x->table[to - 1]; /* few: no call is worth it */
    set_entry(&x->table[slot], key, payload);
    take(x->taken, hole);
    x->filled++;
    return true;
}

static bool new_table(const struct shunt_index *x, size_t slots, struct entry **table, uint64_t **taken)
{
    *table = shunt_memory_get(x->memory, (slots + SLACK) * sizeof **table);
    *taken = shunt_memory_zeroed(x->memory, taken_words(slots), sizeof **taken);
    if (*table && *taken) return true;
    shunt_memory_free(x->memory, *table);
    shunt_memory_free(x->memory, *taken);
    return false;
}

/* Makes the table larger. Where the keys crowd at its end it may not fit; then nothing changes, and the caller spills. */
static shunt_status grow(struct shunt_index *x, bool *grown)
{
    size_t        slots = x->slots * GROWTH < x->most_slots ? x->slots * GROWTH : x->most_slots, next = 0;
    struct entry *table;
    uint64_t     *taken;
    if (!new_table(x, slots, &table, &taken)) return SHUNT_NO_MEMORY;
    bool fits = true;
    for (size_t slot = 0; fits && slot < x->slots + SLACK; slot++) {
        if (!is_taken(x->taken, slot)) continue;
        size_t home = home_of(x->table[slot].key, shift_of(slots));
        if (home > next) next = home;
        fits = next < slots + SLACK;
        if (!fits) break;
        table[next] = x->table[slot];
        take(taken, next++);
    }
    shunt_memory_free(x->memory, fits ? x->table : table);
    shunt_memory_free(x->memory, fits ? x->taken : taken);
    *grown = fits;
    if (!fits) return SHUNT_OK;
    x->table = table;
    x->taken = taken;
    x->slots = slots;
    x->shift = shift_of(slots);
    return SHUNT_OK;
}

static void empty_table(struct shunt_index *x)
{
    memset(x->taken, 0, taken_words(x->slots) * sizeof *x->taken);
    x->filled = 0;
}

/* Bloom filters: the key is a hash already. All marks of a key stand in one block, so that a look costs one line of the cache: `low`
 * leads to the block (the run is ordered by `high`), pieces of `high` to the marks, but for its top bits, which are alike in a small run. */

static uint64_t *bloom_block(const struct run *run, shunt_hash key)
{
    return run->bloom + (size_t)((unsigned __int128)key.low * (run->bloom_words / BLOOM_BLOCK) >> 64) * BLOOM_BLOCK;
}

static unsigned bloom_bit(shunt_hash key, unsigned mark)
{
    return (unsigned)(key.high >> BLOOM_BLOCK_BITS * mark) % (64 * BLOOM_BLOCK);
}

static void bloom_add(struct run *run, shunt_hash key)
{
    uint64_t *block = bloom_block(run, key);
    for (unsigned mark = 0; mark < BLOOM_MARKS; mark++) {
        unsigned bit = bloom_bit(key, mark);
        block[bit / 64] |= (uint64_t)1 << (bit % 64);
    }
}

static bool bloom_may_hold(const struct run *run, shunt_hash key)
{
    const uint64_t *block = bloom_block(run, key);
    for (unsigned mark = 0; mark < BLOOM_MARKS; mark++) {
        unsigned bit = bloom_bit(key, mark);
        if (!(block[bit / 64] >> (bit % 64) & 1)) return false;
    }
    return true;
}

/* Runs */

static void run_done(const struct shunt_index *x, struct run *run)
{
    shunt_temp_close(run->file);
    shunt_memory_free(x->memory, run->bloom);
}

static shunt_status run_init(const struct shunt_index *x, struct run *run, uint64_t count, unsigned level)
{
    uint64_t words = (count / 64 * BLOOM_BITS + BLOOM_BITS + BLOOM_BLOCK - 1) / BLOOM_BLOCK * BLOOM_BLOCK;
    *run = (struct run){ .file = -1, .level = level, .bloom_words = words };
    run->bloom = shunt_memory_zeroed(x->memory, words, sizeof *run->bloom);
    if (!run->bloom) return SHUNT_NO_MEMORY;
    shunt_status status = shunt_temp_open(x->directory, &run->file);
    if (status != SHUNT_OK) run_done(x, run);
    return status;
}

/* Writes a run in ascending order, through the window. */
struct run_writer {
    struct run   *run;
    struct entry *pending;
    size_t        pending_count;
};

static shunt_status writer_flush(struct run_writer *w)
{
    uint64_t offset = (w->run->count - w->pending_count) * sizeof *w->pending;
    SHUNT_TRY(shunt_temp_write(w->run->file, offset, w->pending, w->pending_count * sizeof *w->pending));
    w->pending_count = 0;
    return SHUNT_OK;
}

static shunt_status writer_add(struct run_writer *w, const struct entry *entry)
{
    bloom_add(w->run, entry->key);
    w->pending[w->pending_count++] = *entry;
    w->run->count++;
    return w->pending_count == WINDOW ? writer_flush(w) : SHUNT_OK;
}

static shunt_status write_table(struct shunt_index *x, struct run *run)
{
    struct run_writer w = { run, x->window, 0 };
    for (size_t slot = 0; slot < x->slots + SLACK; slot++)
        if (is_taken(x->taken, slot)) SHUNT_TRY(writer_add(&w, &x->table[slot]));
    return writer_flush(&w);
}

/* A run being merged, with the entries read ahead. */
struct cursor {
    const struct run *run;
    struct entry     *ahead;
    uint64_t          next; /* entry of the run to read next */
    size_t            at, length;
};

/* The entry the cursor stands at; NULL at the end of its run. */
static shunt_status cursor_peek(struct cursor *c, const struct entry **entry)
{
    *entry = NULL;
    if (c->at == c->length) {
        uint64_t left = c->run->count - c->next;
        if (left == 0) return SHUNT_OK;
        c->length = left < WINDOW ? (size_t)left : WINDOW;
        SHUNT_TRY(shunt_temp_read(c->run->file, c->next * sizeof *c->ahead, c->ahead, c->length * sizeof *c->ahead));
        c->next += c->length;
        c->at = 0;
    }
    *entry = &c->ahead[c->at];
    return SHUNT_OK;
}

static shunt_status merge_cursors(struct shunt_index *x, struct cursor cursors[static FAN], struct run *merged)
{
    struct run_writer   w = { merged, x->window, 0 };
    const struct entry *heads[FAN];
    for (unsigned i = 0; i < FAN; i++) SHUNT_TRY(cursor_peek(&cursors[i], &heads[i]));
    for (;;) {
        int smallest = -1;
        for (int i = 0; i < FAN; i++)
            if (heads[i] && (smallest < 0 || shunt_hash_less(heads[i]->key, heads[smallest]->key))) smallest = i;
        if (smallest < 0) return writer_flush(&w);
        SHUNT_TRY(writer_add(&w, heads[smallest]));
        cursors[smallest].at++;
        SHUNT_TRY(cursor_peek(&cursors[smallest], &heads[smallest]));
    }
}

/* The newest FAN runs into one of the next level. A key is in one run only, so no entry replaces another. */
static shunt_status merge(struct shunt_index *x)
{
    struct run   *first = &x->runs[x->run_count - FAN], merged;
    struct cursor cursors[FAN];
    struct entry *ahead = shunt_memory_get(x->memory, FAN * WINDOW * sizeof *ahead);
    uint64_t      count = 0;
    if (!ahead) return SHUNT_NO_MEMORY;
    for (unsigned i = 0; i < FAN; i++) {
        cursors[i] = (struct cursor){ &first[i], ahead + i * WINDOW, 0, 0, 0 };
        count += first[i].count;
    }
    shunt_status status = run_init(x, &merged, count, first->level + 1);
    if (status == SHUNT_OK) {
        status = merge_cursors(x, cursors, &merged);
        if (status != SHUNT_OK) run_done(x, &merged);
    }
    shunt_memory_free(x->memory, ahead);
    if (status != SHUNT_OK) return status;
    for (unsigned i = 0; i < FAN; i++) run_done(x, &first[i]);
    *first = merged;
    x->run_count -= FAN - 1;
    return SHUNT_OK;
}

static bool merge_is_due(const struct shunt_index *x)
{
    return x->run_count >= FAN && x->runs[x->run_count - FAN].level == x->runs[x->run_count - 1].level;
}

static shunt_status spill(struct shunt_index *x)
{
    while (merge_is_due(x)) SHUNT_TRY(merge(x));
    if (x->run_count == MOST_RUNS) return SHUNT_LIMIT;
    struct run run;
    SHUNT_TRY(run_init(x, &run, x->filled, 0));
    shunt_status status = write_table(x, &run);
    if (status != SHUNT_OK) {
        run_done(x, &run);
        return status;
    }
    x->runs[x->run_count++] = run;
    empty_table(x);
    return SHUNT_OK;
}

/* Where `key` would stand between two known ends, as evenly spread keys do. */
static uint64_t guess(shunt_hash key, shunt_hash low_key, shunt_hash high_key, uint64_t low, uint64_t high)
{
    uint64_t span = high_key.high - low_key.high, part = key.high - low_key.high;
    if (span == 0 || part > span) return low + (high - low) / 2;
    return low + (uint64_t)((unsigned __int128)(high - low) * part / span);
}

/* The number of the entry with `key` in a run; `*entry` then points at a copy in the window. */
static shunt_status search_run(struct shunt_index *x, const struct run *run, shunt_hash key, uint64_t *number,
                               struct entry **entry)
{
    uint64_t   low = 0, high = run->count; /* where it can be: [low, high) */
    shunt_hash low_key = { 0, 0 }, high_key = { UINT64_MAX, UINT64_MAX };
    *entry = NULL;
    for (unsigned reads = 0; low < high; reads++) {
        /* Keys that are not evenly spread would mislead for long: from the fourth read on halve. */
        uint64_t middle = reads < 3 ? guess(key, low_key, high_key, low, high) : low + (high - low) / 2;
        uint64_t begin = middle - low < WINDOW / 2 ? low : middle - WINDOW / 2;
        size_t   length = high - begin < WINDOW ? (size_t)(high - begin) : WINDOW;
        SHUNT_TRY(shunt_temp_read(run->file, begin * sizeof **entry, x->window, length * sizeof **entry));
        if (shunt_hash_less(key, x->window[0].key)) {
            high = begin;
            high_key = x->window[0].key;
            continue;
        }
        if (shunt_hash_less(x->window[length - 1].key, key)) {
            low = begin + length;
            low_key = x->window[length - 1].key;
            continue;
        }
        size_t left = 0, right = length;
        while (right - left > 1) {
            size_t half = left + (right - left) / 2;
            if (shunt_hash_less(key, x->window[half].key))
                right = half;
            else
                left = half;
        }
        if (shunt_hash_equal(x->window[left].key, key)) {
            *number = begin + left;
            *entry = &x->window[left];
        }
        return SHUNT_OK;
    }
    return SHUNT_OK;
}

static shunt_status search_runs(struct shunt_index *x, shunt_hash key, const struct run **run, uint64_t *number,
                                struct entry **entry)
{
    *entry = NULL;
    for (unsigned i = x->run_count; i-- > 0 && !*entry;) {
        *run = &x->runs[i];
        if (bloom_may_hold(*run, key)) SHUNT_TRY(search_run(x, *run, key, number, entry));
    }
    return SHUNT_OK;
}

/* What callers see */

shunt_index *shunt_index_new(const shunt_memory *memory, const char *directory, size_t slots)
{
    struct shunt_index *x = shunt_memory_zeroed(memory, 1, sizeof *x);
    if (!x) return NULL;
    x->memory = memory;
    x->directory = directory;
    x->most_slots = 64;
    if (slots == 0) slots = SHUNT_INDEX_SLOTS;
    while (x->most_slots < slots && x->most_slots < (size_t)1 << 40) x->most_slots *= 2;
    x->slots = x->most_slots < FIRST_SLOTS ? x->most_slots : FIRST_SLOTS;
    x->shift = shift_of(x->slots);
    if (new_table(x, x->slots, &x->table, &x->taken)) return x;
    shunt_memory_free(memory, x);
    return NULL;
}

void shunt_index_free(shunt_index *index)
{
    if (!index) return;
    shunt_index_clear(index);
    shunt_memory_free(index->memory, index->table);
    shunt_memory_free(index->memory, index->taken);
    shunt_memory_free(index->memory, index);
}

void shunt_index_clear(shunt_index *index)
{
    while (index->run_count > 0) run_done(index, &index->runs[--index->run_count]);
    empty_table(index);
    index->is_missing = false;
    index->count = 0;
}

shunt_status shunt_index_get(shunt_index *index, shunt_hash key, shunt_payload *payload, bool *found)
{
    size_t            slot = slot_of(index, key);
    const struct run *run;
    uint64_t          number;
    struct entry     *entry = &index->table[slot];
    if (!holds(index, slot, key)) {
        entry = NULL;
        if (index->run_count) SHUNT_TRY(search_runs(index, key, &run, &number, &entry));
    }
    *found = entry != NULL;
    if (entry) {
        *payload = entry->payload;
    } else {
        set_key(&index->missing, key);
        index->missing_slot = slot;
        index->is_missing = true;
    }
    return SHUNT_OK;
}

/* Half of the slots as long as there may be more of them, so that stretches stay short; then three quarters. */
static size_t room_of(const struct shunt_index *x) { return x->slots < x->most_slots ? x->slots / 2 : x->slots / 4 * 3; }

/* `slot`: where it belongs. */
static inline shunt_status insert(struct shunt_index *x, size_t slot, shunt_hash key, shunt_payload payload)
{
    for (; x->filled >= room_of(x) || !squeeze_in(x, slot, key, payload); slot = slot_of(x, key)) {
        bool grown = false;
        if (x->slots < x->most_slots) SHUNT_TRY(grow(x, &grown));
        if (!grown) SHUNT_TRY(spill(x));
    }
    x->count++;
    return SHUNT_OK;
}

shunt_status shunt_index_put(shunt_index *index, shunt_hash key, shunt_payload payload)
{
    bool known_missing = index->is_missing && shunt_hash_equal(index->missing, key);
    index->is_missing = false; /* from now on others may stand elsewhere */
    if (SHUNT_LIKELY(known_missing)) return insert(index, index->missing_slot, key, payload);
    size_t slot = slot_of(index, key);
    if (holds(index, slot, key)) {
        set_entry(&index->table[slot], key, payload);
        return SHUNT_OK;
    }
    const struct run *run;
    uint64_t          number;
    struct entry     *entry;
    SHUNT_TRY(search_runs(index, key, &run, &number, &entry));
    if (!entry) return insert(index, slot, key, payload);
    uint64_t offset = number * sizeof(struct entry) + offsetof(struct entry, payload);
    return shunt_temp_write(run->file, offset, &payload, sizeof payload);
}

void shunt_index_prefetch(const shunt_index *index, shunt_hash key)
{
    size_t home = home_of(key, index->shift);
    __builtin_prefetch(&index->table[home], 1);
    __builtin_prefetch(&index->table[home + 2], 1); /* those behind it move up where it is taken */
    __builtin_prefetch(&index->taken[home / 64]);
    for (unsigned i = 0; i < index->run_count; i++) __builtin_prefetch(bloom_block(&index->runs[i], key));
}

uint64_t shunt_index_count(const shunt_index *index) { return index->count; }

size_t shunt_index_memory(const shunt_index *index)
{
    size_t total = sizeof *index + (index->slots + SLACK) * sizeof *index->table;
    total += taken_words(index->slots) * sizeof *index->taken;
    for (unsigned i = 0; i < index->run_count; i++) total += index->runs[i].bloom_words * sizeof *index->runs[i].bloom;
    return total;
}
