/* memo.c - remembers results of pure functions: rules ask the same routing question several times for one adjustment, and the
 * same few questions all day.
 * A direct-mapped cache per function. Arguments are spelt into words, as many for each call of a function, so nothing in an entry points
 * into a unit and looking costs neither calls nor loops over bytes. A result is kept only where it outlives the unit by itself: numbers,
 * dates, absence, rows of tables, texts of the program. */
#include "engine/vm/state.h"

enum {
    ENTRIES_BITS = 8,
    PARAMS = 8,
    TEXT_BYTES = 16, /* calls with a longer text are not remembered */
    STATE_BIT = 5,   /* above such a length */
    WORTH = 16       /* instructions without a look-up or a call */
};

/* Arguments as words that no others have: a byte each of the length of a text and the state, in which the highest bit of all is set; then
 * two words for each. */
struct question {
    uint64_t marks;
    uint64_t words[PARAMS][2];
};

struct shunt_memo_entry {
    struct question question; /* no marks: none */
    uint64_t        asked;    /* the marks it will have when the result is known */
    shunt_value     result;
    uint8_t         result_state;
};

/* How an argument is: by its bytes, as eight bytes, as sixteen. */
enum { SPELLED_TEXT, SPELLED_SHORT, SPELLED_WIDE };

struct shunt_memo_plan {
    bool                     worth;
    bool                     unable; /* no memory for the entries: goes on without */
    uint8_t                  params;
    uint8_t                  spelled[PARAMS];
    uint8_t                  result;
    struct shunt_memo_entry *entries;
};

struct shunt_memo {
    const shunt_memory    *memory;
    const shunt_program   *program;
    struct shunt_memo_plan plans[]; /* one per function */
};

static bool plain(uint8_t kind)
{
    return kind == SHUNT_KIND_BOOL || kind == SHUNT_KIND_INT || kind == SHUNT_KIND_DECIMAL || kind == SHUNT_KIND_DATE ||
           kind == SHUNT_KIND_MOMENT;
}

static struct shunt_memo_plan plan_of(const shunt_program *p, const shunt_function *f)
{
    struct shunt_memo_plan plan = { .params = (uint8_t)f->params, .result = f->result.kind };
    if (!f->pure || f->params == 0 || f->params > PARAMS) return plan;
    if (!plain(plan.result) && plan.result != SHUNT_KIND_TEXT && plan.result != SHUNT_KIND_ROW) return plan;
    for (uint32_t i = 0; i < f->params; i++) {
        uint8_t kind = p->register_types[f->type_first + i].kind;
        if (!plain(kind) && kind != SHUNT_KIND_TEXT) return plan;
        plan.spelled[i] = kind == SHUNT_KIND_TEXT                                   ? SPELLED_TEXT
                          : kind == SHUNT_KIND_DECIMAL || kind == SHUNT_KIND_MOMENT ? SPELLED_WIDE
                                                                                    : SPELLED_SHORT;
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
    struct shunt_memo *memo = (struct shunt_memo *)shunt_memory_zeroed(
        memory, 1, sizeof *memo + sizeof(struct shunt_memo_plan) * program->functions_count);
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

/* A text of at most TEXT_BYTES in two words. Those of different texts of one length differ: what is loaded of shorter ones overlaps. */
static inline void spell_text(shunt_text text, uint64_t words[static 2])
{
    uint32_t length = text.length, low, high;
    uint16_t first, last;
    words[1] = 0;
    if (length >= 8) {
        memcpy(&words[0], text.bytes, 8);
        memcpy(&words[1], text.bytes + length - 8, 8);
    } else if (length >= 4) {
        memcpy(&low, text.bytes, 4);
        memcpy(&high, text.bytes + length - 4, 4);
        words[0] = low | (uint64_t)high << 32;
    } else if (length >= 2) {
        memcpy(&first, text.bytes, 2);
        memcpy(&last, text.bytes + length - 2, 2);
        words[0] = first | (uint64_t)last << 32;
    } else {
        words[0] = length ? (uint8_t)text.bytes[0] : 0;
    }
}

/* A product takes each bit to the highest ones, which is where an entry is chosen by. */
static inline uint64_t hash_of(const uint64_t words[static 2], uint32_t parameter)
{
    return words[0] * (UINT64_C(0x9fb21c651e98df25) + 2 * parameter) + words[1] * (UINT64_C(0xd6e8feb86659fd93) + 2 * parameter);
}

/* What was spelled a moment ago is loaded as it was stored. */
static inline uint64_t difference(const uint64_t kept[static 2], const uint64_t asked[static 2])
{
    uint64_t low = asked[0], high = asked[1];
    SHUNT_ONE_BY_ONE(low);
    SHUNT_ONE_BY_ONE(high);
    return (kept[0] ^ low) | (kept[1] ^ high);
}

#define STRAIGHT static inline __attribute__((always_inline))

/* Spells one argument. False: it is too long. */
STRAIGHT bool spell(const struct shunt_memo_plan *plan, uint32_t i, const shunt_value *argument, uint8_t state,
                    struct question *asked, uint64_t *marks, uint64_t *hash)
{
    uint64_t *words = asked->words[i];
    if (SHUNT_UNLIKELY(state != SHUNT_PRESENT)) {
        *marks |= (uint64_t)state << (8 * i + STATE_BIT);
        words[0] = words[1] = 0;
        return true;
    }
    if (plan->spelled[i] == SPELLED_TEXT) {
        if (SHUNT_UNLIKELY(argument->text.length > TEXT_BYTES)) return false;
        *marks |= (uint64_t)argument->text.length << 8 * i;
        spell_text(argument->text, words);
    } else {
        words[0] = (uint64_t)argument->integer;
        words[1] = plan->spelled[i] == SPELLED_WIDE ? (uint64_t)(argument->coefficient >> 64) : 0;
    }
    *hash += hash_of(words, i);
    return true;
}

/* The entry for these arguments; NULL: one of them is too long. `*differ` is 0 where it holds the result. With a constant for their number
 * there are no loops. */
STRAIGHT struct shunt_memo_entry *look(const struct shunt_memo_plan *plan, uint32_t params, const shunt_value *arguments,
                                       const uint8_t *states, struct question *asked, uint64_t *differ)
{
    uint64_t hash = 0, marks = UINT64_C(1) << 63;
#define SPELL(i)                                                                                                                 \
    if ((i) < params && !spell(plan, i, arguments + (i), states[i], asked, &marks, &hash)) return NULL
    SPELL(0);
    SPELL(1);
    SPELL(2);
    SPELL(3);
    SPELL(4);
    SPELL(5);
    SPELL(6);
    SPELL(7);
#undef SPELL
    asked->marks = marks;
    hash += marks * UINT64_C(0x9fb21c651e98df25);
    struct shunt_memo_entry *entry = &plan->entries[hash >> (64 - ENTRIES_BITS)];
    uint64_t                 more = entry->question.marks ^ marks;
    for (uint32_t i = 0; i < params; i++) more |= difference(entry->question.words[i], asked->words[i]);
    *differ = more;
    return entry;
}
_Static_assert(PARAMS == 8, "so many are spelled");

/* For machine code, one for each number of parameters. */
#define ASK(params)                                                                                                              \
    static bool ask_##params(const struct shunt_memo_plan *plan, shunt_value *arguments, uint8_t *states)                        \
    {                                                                                                                            \
        struct question asked;                                                                                                   \
        uint64_t        differ;                                                                                                  \
        if (SHUNT_UNLIKELY(!plan->entries)) return false;                                                                        \
        const struct shunt_memo_entry *entry = look(plan, params, arguments, states, &asked, &differ);                           \
        if (SHUNT_UNLIKELY(!entry || differ)) return false;                                                                      \
        arguments[params] = entry->result;                                                                                       \
        states[params] = entry->result_state;                                                                                    \
        return true;                                                                                                             \
    }
ASK(1)
ASK(2)
ASK(3)
ASK(4)
ASK(5)
ASK(6)
ASK(7)
ASK(8)
#undef ASK

shunt_memo_ask *shunt_memo_asks(const struct shunt_memo *memo, uint16_t function, const struct shunt_memo_plan **plan)
{
    static shunt_memo_ask *const asks[PARAMS + 1] = { NULL, ask_1, ask_2, ask_3, ask_4, ask_5, ask_6, ask_7, ask_8 };
    *plan = &memo->plans[function];
    return (*plan)->worth ? asks[(*plan)->params] : NULL;
}

/* False: no memory. */
static bool make_entries(struct shunt_memo *memo, struct shunt_memo_plan *plan)
{
    plan->entries = (struct shunt_memo_entry *)shunt_memory_zeroed(memo->memory, 1u << ENTRIES_BITS, sizeof *plan->entries);
    plan->unable = !plan->entries;
    return plan->entries;
}

bool shunt_memo_find(struct shunt_memo *memo, uint16_t function, const shunt_value *arguments, const uint8_t *states,
                     shunt_value *result, uint8_t *state, struct shunt_memo_entry **entry)
{
    struct shunt_memo_plan *plan = &memo->plans[function];
    struct question         asked;
    uint64_t                differ;
    *entry = NULL;
    if (SHUNT_UNLIKELY(!plan->entries) && (!plan->worth || plan->unable || !make_entries(memo, plan))) return false;
    struct shunt_memo_entry *kept = look(plan, plan->params, arguments, states, &asked, &differ);
    if (SHUNT_UNLIKELY(!kept)) return false;
    if (SHUNT_LIKELY(differ == 0)) {
        *result = kept->result;
        *state = kept->result_state;
        return true;
    }
    kept->question.marks = 0; /* until the function has come to its end */
    memcpy(kept->question.words, asked.words, sizeof *asked.words * plan->params);
    kept->asked = asked.marks;
    *entry = kept;
    return false;
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
    entry->question.marks = entry->asked;
}
