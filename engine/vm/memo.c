/* memo.c - remembers results of pure functions: rules ask the same routing question several times for one adjustment, and the
 * same few questions all day.
 * A direct-mapped cache per function. Arguments are copied into the entry as words, so nothing in it points into a unit and looking
 * costs neither calls nor branches on lengths; a result is kept only where it outlives the unit by itself: numbers, dates, absence,
 * rows of tables, texts of the program. */
#include "engine/vm/state.h"

enum { ENTRIES = 256, PARAMS = 8, WORDS = 24, WORTH = 16 /* instructions without a look-up or a call */ };

struct shunt_memo_entry {
    uint64_t    hash;
    bool        valid;
    uint8_t     result_state, word_count;
    uint64_t    words[WORDS]; /* the arguments, see `spell` */
    shunt_value result;
};

struct plan {
    bool                     worth;
    bool                     unable; /* no memory for the entries: goes on without */
    uint8_t                  params;
    uint8_t                  kinds[PARAMS];
    uint8_t                  result;
    struct shunt_memo_entry *entries;
};

struct shunt_memo {
    const shunt_memory  *memory;
    const shunt_program *program;
    struct plan          plans[]; /* one per function */
};

static bool plain(uint8_t kind)
{
    return kind == SHUNT_KIND_BOOL || kind == SHUNT_KIND_INT || kind == SHUNT_KIND_DECIMAL || kind == SHUNT_KIND_DATE ||
           kind == SHUNT_KIND_MOMENT;
}

static struct plan plan_of(const shunt_program *p, const shunt_function *f)
{
    struct plan plan = { .params = (uint8_t)f->params, .result = f->result.kind };
    if (!f->pure || f->params == 0 || f->params > PARAMS) return plan;
    if (!plain(plan.result) && plan.result != SHUNT_KIND_TEXT && plan.result != SHUNT_KIND_ROW) return plan;
    for (uint32_t i = 0; i < f->params; i++) {
        plan.kinds[i] = p->register_types[f->type_first + i].kind;
        if (!plain(plan.kinds[i]) && plan.kinds[i] != SHUNT_KIND_TEXT) return plan;
    }
    plan.worth = f->code_count >= WORTH;
    for (uint32_t i = 0; i < f->code_count && !plan.worth; i++) {
        uint16_t op = p->instructions[f->code_first + i].op;
        plan.worth = op == SHUNT_OP_LOOKUP || op == SHUNT_OP_CALL;
    }
    return plan;
}

struct shunt_memo *shunt_memo_new(const shunt_memory *memory, const shunt_program *program)
{
    struct shunt_memo *memo =
        (struct shunt_memo *)shunt_memory_zeroed(memory, 1, sizeof *memo + sizeof(struct plan) * program->functions_count);
    if (!memo) return NULL;
    memo->memory = memory;
    memo->program = program;
    for (uint32_t f = 0; f < program->functions_count; f++) memo->plans[f] = plan_of(program, &program->functions[f]);
    return memo;
}

void shunt_memo_free(struct shunt_memo *memo)
{
    if (!memo) return;
    for (uint32_t f = 0; f < memo->program->functions_count; f++) shunt_memory_free(memo->memory, memo->plans[f].entries);
    shunt_memory_free(memo->memory, memo);
}

/* Up to eight bytes in a word, zeros above them. */
static inline uint64_t load(const char *at, uint32_t count)
{
    uint64_t word = 0;
    uint32_t low, high;
    if (count >= 8) {
        memcpy(&word, at, 8);
    } else if (count >= 4) {
        memcpy(&low, at, 4);
        memcpy(&high, at + count - 4, 4);
        word = low | (uint64_t)high << (8 * count - 32);
    } else if (count) {
        word = (uint64_t)(unsigned char)at[0] | (uint64_t)(unsigned char)at[count / 2] << (count / 2 * 8) |
               (uint64_t)(unsigned char)at[count - 1] << (count * 8 - 8);
    }
    return word;
}

/* The arguments as words that no others have: a byte for each state, then for each that is there its number, or the length of its
 * text with the first four bytes and the rest of them. 0 = they are too long. */
static inline uint32_t spell(const struct plan *plan, const shunt_value *arguments, const uint8_t *states,
                             uint64_t words[static WORDS])
{
    uint32_t count = 1;
    words[0] = 0;
    for (uint32_t i = 0; i < plan->params; i++) {
        words[0] |= (uint64_t)states[i] << (8 * i);
        if (states[i] != SHUNT_PRESENT) continue;
        if (plan->kinds[i] == SHUNT_KIND_TEXT) {
            shunt_text text = arguments[i].text;
            if (text.length > 8 * (WORDS - 2 - count)) return 0;
            words[count++] = text.length | load(text.bytes, text.length < 4 ? text.length : 4) << 32;
            for (uint32_t at = 4; at < text.length; at += 8) words[count++] = load(text.bytes + at, text.length - at);
        } else {
            words[count++] = (uint64_t)arguments[i].integer;
            if (plan->kinds[i] == SHUNT_KIND_DECIMAL || plan->kinds[i] == SHUNT_KIND_MOMENT)
                words[count++] = (uint64_t)(arguments[i].coefficient >> 64);
        }
        if (count > WORDS - 2) return 0;
    }
    return count;
}

static inline bool equal(const struct shunt_memo_entry *entry, const uint64_t *words, uint32_t count)
{
    uint64_t differ = entry->word_count ^ count;
    for (uint32_t i = 0; i < count; i++) differ |= entry->words[i] ^ words[i];
    return differ == 0;
}

struct shunt_memo_entry *shunt_memo_find(struct shunt_memo *memo, uint16_t function, const shunt_value *arguments,
                                         const uint8_t *states, bool *hit)
{
    struct plan *plan = &memo->plans[function];
    *hit = false;
    if (!plan->worth || plan->unable) return NULL;
    if (SHUNT_UNLIKELY(!plan->entries)) {
        plan->entries = (struct shunt_memo_entry *)shunt_memory_zeroed(memo->memory, ENTRIES, sizeof *plan->entries);
        plan->unable = !plan->entries;
        if (plan->unable) return NULL;
    }
    uint64_t words[WORDS], hash = 0;
    uint32_t count = spell(plan, arguments, states, words);
    if (count == 0) return NULL;
    for (uint32_t i = 0; i < count; i++) hash = shunt_mix(hash, words[i]);
    struct shunt_memo_entry *entry = &plan->entries[(hash ^ hash >> 32) % ENTRIES];
    if (entry->valid && entry->hash == hash && equal(entry, words, count)) {
        *hit = true;
        return entry;
    }
    entry->valid = false; /* until the function has come to its end */
    entry->hash = hash;
    entry->word_count = (uint8_t)count;
    memcpy(entry->words, words, sizeof *words * count);
    return entry;
}

void shunt_memo_result(const struct shunt_memo_entry *entry, shunt_value *value, uint8_t *state)
{
    *value = entry->result;
    *state = entry->result_state;
}

void shunt_memo_store(struct shunt_memo *memo, struct shunt_memo_entry *entry, uint16_t function, shunt_value value,
                      uint8_t state)
{
    if (state == SHUNT_PRESENT) {
        uint8_t kind = memo->plans[function].result;
        if (kind == SHUNT_KIND_TEXT && !shunt_program_holds_text(memo->program, value.text)) return;
        if (kind == SHUNT_KIND_ROW && !shunt_program_holds_row(memo->program, value.row)) return;
    } else {
        memset(&value, 0, sizeof value);
    }
    entry->result = value;
    entry->result_state = state;
    entry->valid = true;
}
