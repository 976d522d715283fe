/* memo.c - remembers results of pure functions: rules ask the same routing question several times for one adjustment, and the
 * same few questions all day.
 * A direct-mapped cache per function. Arguments are copied into the entry, so nothing in it points into a unit; a result is
 * kept only where it outlives the unit by itself: numbers, dates, absence, rows of tables, texts of the program. */
#include "engine/vm/state.h"

enum { ENTRIES = 256, PARAMS = 8, TEXT_BYTES = 96, WORTH = 16 /* instructions without a look-up or a call */ };

struct shunt_memo_entry {
    uint64_t    hash;
    bool        valid;
    uint8_t     result_state;
    uint8_t     states[PARAMS];
    shunt_value arguments[PARAMS]; /* texts: bytes in `text`, one after the other */
    shunt_value result;
    char        text[TEXT_BYTES];
};

struct plan {
    bool     worth;
    bool     unable; /* no memory for the entries: goes on without */
    uint8_t  params;
    uint8_t  kinds[PARAMS];
    uint8_t  result;
    struct shunt_memo_entry *entries;
};

struct shunt_memo {
    const shunt_memory  *memory;
    const shunt_program *program;
    struct plan          plans[]; /* one per function */
};

static bool
plain(uint8_t kind)
{
    return kind == SHUNT_KIND_BOOL || kind == SHUNT_KIND_INT || kind == SHUNT_KIND_DECIMAL || kind == SHUNT_KIND_DATE || kind == SHUNT_KIND_MOMENT;
}

static struct plan
plan_of(const shunt_program *p, const shunt_function *f)
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
        plan.worth  = op == SHUNT_OP_LOOKUP || op == SHUNT_OP_CALL;
    }
    return plan;
}

struct shunt_memo *
shunt_memo_new(const shunt_memory *memory, const shunt_program *program)
{
    struct shunt_memo *memo = (struct shunt_memo *)shunt_memory_zeroed(memory, 1, sizeof *memo + sizeof(struct plan) * program->functions_count);
    if (!memo) return NULL;
    memo->memory  = memory;
    memo->program = program;
    for (uint32_t f = 0; f < program->functions_count; f++) memo->plans[f] = plan_of(program, &program->functions[f]);
    return memo;
}

void
shunt_memo_free(struct shunt_memo *memo)
{
    if (!memo) return;
    for (uint32_t f = 0; f < memo->program->functions_count; f++) shunt_memory_free(memo->memory, memo->plans[f].entries);
    shunt_memory_free(memo->memory, memo);
}

static bool
equal(const struct plan *plan, const struct shunt_memo_entry *entry, const shunt_value *arguments, const uint8_t *states)
{
    for (uint32_t i = 0; i < plan->params; i++) {
        if (entry->states[i] != states[i]) return false;
        if (states[i] != SHUNT_PRESENT) continue;
        switch (plan->kinds[i]) {
        case SHUNT_KIND_TEXT:
            if (!shunt_text_equal(entry->arguments[i].text, arguments[i].text)) return false;
            break;
        case SHUNT_KIND_DECIMAL:
            if (entry->arguments[i].coefficient != arguments[i].coefficient) return false;
            break;
        default:
            if (entry->arguments[i].integer != arguments[i].integer) return false;
        }
    }
    return true;
}

static void
fill(const struct plan *plan, struct shunt_memo_entry *entry, const shunt_value *arguments, const uint8_t *states)
{
    char *at = entry->text;
    for (uint32_t i = 0; i < plan->params; i++) {
        entry->states[i] = states[i];
        if (states[i] != SHUNT_PRESENT) continue;
        entry->arguments[i] = arguments[i];
        if (plan->kinds[i] != SHUNT_KIND_TEXT) continue;
        uint32_t length = arguments[i].text.length;
        if (length) memcpy(at, arguments[i].text.bytes, length);
        entry->arguments[i].text.bytes = at;
        at += length;
    }
}

struct shunt_memo_entry *
shunt_memo_find(struct shunt_memo *memo, uint16_t function, const shunt_value *arguments, const uint8_t *states, bool *hit)
{
    struct plan *plan = &memo->plans[function];
    *hit              = false;
    if (!plan->worth || plan->unable) return NULL;
    if (SHUNT_UNLIKELY(!plan->entries)) {
        plan->entries = (struct shunt_memo_entry *)shunt_memory_zeroed(memo->memory, ENTRIES, sizeof *plan->entries);
        plan->unable  = !plan->entries;
        if (plan->unable) return NULL;
    }
    uint64_t hash = 0;
    size_t   room = TEXT_BYTES;
    for (uint32_t i = 0; i < plan->params; i++) {
        hash = shunt_mix(hash, states[i]);
        if (states[i] != SHUNT_PRESENT) continue;
        if (plan->kinds[i] == SHUNT_KIND_TEXT) {
            if (arguments[i].text.length > room) return NULL;
            room -= arguments[i].text.length;
            hash = shunt_mix_text(hash, arguments[i].text);
        } else {
            hash = shunt_mix(hash, (uint64_t)arguments[i].integer);
        }
    }
    struct shunt_memo_entry *entry = &plan->entries[(hash ^ hash >> 32) % ENTRIES];
    if (entry->valid && entry->hash == hash && equal(plan, entry, arguments, states)) {
        *hit = true;
        return entry;
    }
    entry->valid = false; /* until the function has come to its end */
    entry->hash  = hash;
    fill(plan, entry, arguments, states);
    return entry;
}

void
shunt_memo_result(const struct shunt_memo_entry *entry, shunt_value *value, uint8_t *state)
{
    *value = entry->result;
    *state = entry->result_state;
}

void
shunt_memo_store(struct shunt_memo *memo, struct shunt_memo_entry *entry, uint16_t function, shunt_value value, uint8_t state)
{
    if (state == SHUNT_PRESENT) {
        uint8_t kind = memo->plans[function].result;
        if (kind == SHUNT_KIND_TEXT && !shunt_program_holds_text(memo->program, value.text)) return;
        if (kind == SHUNT_KIND_ROW && !shunt_program_holds_row(memo->program, value.row)) return;
    } else {
        memset(&value, 0, sizeof value);
    }
    entry->result       = value;
    entry->result_state = state;
    entry->valid        = true;
}
