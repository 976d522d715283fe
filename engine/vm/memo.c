/* memo.c - remembers results of pure functions: rules ask the same routing question several times for one adjustment, and the
 * same few questions all day.
 * A direct-mapped cache per function. Arguments are spelt into words, as many for each call of a function, so nothing in an entry points
 * into a unit and looking costs neither calls nor loops over bytes. A result is kept only where it outlives the unit by itself: numbers,
 * dates, absence, rows of tables, texts of the program. */
#include "engine/vm/state.h"

enum {
    ENTRIES = 256,
    PARAMS = 8,
    TEXT_BYTES = 16, /* calls with a longer text are not remembered */
    WORDS = 1 + 2 * PARAMS,
    WORTH = 16 /* instructions without a look-up or a call */
};

struct shunt_memo_entry {
    bool        valid;
    uint8_t     result_state;
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
        plan.worth = op == SHUNT_OP_LOOKUP || op == SHUNT_OP_DECIDE || op == SHUNT_OP_EXTERN || op == SHUNT_OP_CALL;
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

/* A text of at most TEXT_BYTES in two words. Those of different texts of one length differ: short ones overlap. */
static inline void spell_text(shunt_text text, uint64_t words[static 2])
{
    uint32_t length = text.length, low, high;
    words[0] = words[1] = 0;
    if (length >= 8) {
        memcpy(&words[0], text.bytes, 8);
        memcpy(&words[1], text.bytes + length - 8, 8);
    } else if (length >= 4) {
        memcpy(&low, text.bytes, 4);
        memcpy(&high, text.bytes + length - 4, 4);
        words[0] = low | (uint64_t)high << 32;
    } else if (length) {
        words[0] = (uint8_t)text.bytes[0] | (uint32_t)(uint8_t)text.bytes[length / 2] << 8 |
                   (uint32_t)(uint8_t)text.bytes[length - 1] << 16;
    }
}

/* The arguments as words that no others have: in the first one a byte each, the length of a text or the state of what is not there; then
 * two for each. False: one of them is too long. */
static inline bool spell(const struct plan *plan, const shunt_value *arguments, const uint8_t *states, uint64_t *words)
{
    uint64_t first = 0;
    for (uint32_t i = 0; i < plan->params; i++) {
        uint64_t mark = 0, *word = words + 1 + 2 * i;
        word[0] = word[1] = 0;
        if (states[i] != SHUNT_PRESENT) {
            mark = 0x80u | states[i];
        } else if (plan->kinds[i] == SHUNT_KIND_TEXT) {
            mark = arguments[i].text.length;
            if (mark > TEXT_BYTES) return false;
            spell_text(arguments[i].text, word);
        } else {
            word[0] = (uint64_t)arguments[i].integer;
            if (plan->kinds[i] == SHUNT_KIND_DECIMAL || plan->kinds[i] == SHUNT_KIND_MOMENT)
                word[1] = (uint64_t)(arguments[i].coefficient >> 64);
        }
        first |= mark << (8 * i);
    }
    words[0] = first;
    return true;
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
    uint64_t words[WORDS], differ = 0;
    if (!spell(plan, arguments, states, words)) return NULL;
    uint32_t count = 1 + 2u * plan->params;
    uint64_t hash = words[0] * UINT64_C(0x9fb21c651e98df25);
    for (uint32_t i = 1; i < count; i += 2)
        /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): two words of each parameter are spelled */
        hash = (hash ^ (words[i] + (words[i + 1] << 32 | words[i + 1] >> 32))) * UINT64_C(0x9fb21c651e98df25);
    struct shunt_memo_entry *entry = &plan->entries[(hash ^ hash >> 32) % ENTRIES];
    for (uint32_t i = 0; i < count; i++) {
        uint64_t word = words[i];
        SHUNT_ONE_BY_ONE(word); /* they were stored so a moment ago */
        differ |= entry->words[i] ^ word;
    }
    if (SHUNT_LIKELY(differ == 0 && entry->valid)) {
        *hit = true;
        return entry;
    }
    entry->valid = false; /* until the function has come to its end */
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
