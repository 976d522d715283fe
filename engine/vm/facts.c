#include "engine/vm/facts.h"

#include "engine/vm/flow.h"
#include "engine/vm/uses.h"

enum {
    WORD = 64,
    ROUNDS = 32, /* loops in loops settle in fewer */
    SCAN = 48,   /* instructions that are looked at one by one */
    UNSEEN = SHUNT_STATE_UNKNOWN + 1
};

/* ---- what an instruction reads ---- */

void shunt_facts_start(const shunt_program *p, uint64_t room, shunt_facts_shared *shared)
{
    uint32_t line = 0, header = 0;
    *shared = (shunt_facts_shared){ .room = room, .widest_line = SHUNT_NONE, .widest_header = SHUNT_NONE };
    for (uint32_t t = 0; t < p->targets_count; t++) {
        const shunt_target *target = &p->targets[t];
        uint32_t            columns = target->line == SHUNT_NONE ? 0 : p->records[target->line].field_count;
        uint32_t            fields = p->records[target->record].field_count;
        if (!(target->flags & SHUNT_TARGET_JOURNAL)) continue;
        if (shared->widest_line == SHUNT_NONE || columns > line) shared->widest_line = (uint16_t)t, line = columns;
        if (shared->widest_header == SHUNT_NONE || fields > header) shared->widest_header = (uint16_t)t, header = fields;
    }
}

typedef struct reads {
    uint32_t first[6], end[6];
    unsigned runs;
} reads;

static void add_run(reads *all, uint32_t first, uint32_t count)
{
    all->first[all->runs] = first;
    all->end[all->runs++] = first + count;
}

static const shunt_instruction *code_of(const shunt_facts *f) { return f->program->instructions + f->function->code_first; }

/* More than it reads is fine, less is not: which journal is open is not asked, no line is longer than the longest. */
static reads reads_of(const shunt_facts *f, shunt_instruction i)
{
    const shunt_type *types = f->program->register_types + f->function->type_first;
    shunt_uses        uses = shunt_uses_of(f->program, types, i, i.op == SHUNT_OP_POST ? f->widest_header : f->widest_line);
    reads             all = { .runs = 0 };
    for (unsigned bit = SHUNT_USE_A; bit <= SHUNT_USE_C; bit <<= 1)
        if (uses.read & bit) add_run(&all, *shunt_operand_at(&i, bit), 1);
    for (unsigned n = 0; n < uses.run_count; n++) add_run(&all, uses.runs[n].first, uses.runs[n].count);
    if (uses.node != SHUNT_NONE) add_run(&all, uses.node, 1);
    return all;
}

/* The register that the instruction fills whatever happens; -1 = none. */
static int fills(const shunt_program *p, shunt_instruction i)
{
    return i.op == SHUNT_OP_NEXT || i.op == SHUNT_OP_LIST_PUSH ? -1 : shunt_flow_result(p, i);
}

/* ---- blocks ---- */

static bool ends_block(uint16_t op)
{
    return shunt_is_jump(op) || shunt_op_ends(op) || op == SHUNT_OP_NEXT || op == SHUNT_OP_CALL;
}

static void find_blocks(shunt_facts *f)
{
    const shunt_instruction *code = code_of(f);
    uint32_t                 count = f->function->code_count;
    f->blocks[0] = f->joined[0] = 1;
    for (uint32_t at = 0; at < count; at++) {
        if (!ends_block(code[at].op)) continue;
        if (at + 1 < count) f->blocks[at + 1] = 1;
        if (at + 1 < count && code[at].op == SHUNT_OP_CALL) f->joined[at + 1] = 1;
        if (at + 2 < count && code[at].op == SHUNT_OP_NEXT) f->blocks[at + 2] = 1;
        if (shunt_is_jump(code[at].op)) f->blocks[shunt_jump_target(code[at])] = f->joined[shunt_jump_target(code[at])] = 1;
    }
    for (uint32_t at = 0; at < count; at++)
        if (f->blocks[at]) f->blocks[at] = ++f->block_count;
}

/* The last instruction of the block that begins at `at`. */
static uint32_t last_of(const shunt_facts *f, uint32_t at)
{
    while (at + 1 < f->function->code_count && !f->blocks[at + 1]) at++;
    return at;
}

/* ---- what is read later ---- */

static uint64_t *live_at(const shunt_facts *f, uint32_t at) { return f->live + (size_t)(f->blocks[at] - 1) * f->words; }

static void set_live(const shunt_facts *f, uint64_t *live, uint32_t first, uint32_t end)
{
    if (end > f->function->registers) end = f->function->registers; /* where nothing leads nothing was checked */
    for (uint32_t r = first, next; r < end; r = next) {
        next = (r / WORD + 1) * WORD;
        uint64_t bits = UINT64_MAX << r % WORD;
        if (next > end) bits &= UINT64_MAX >> (next - end);
        live[r / WORD] |= bits;
    }
}

static void clear_live(uint64_t *live, uint32_t reg) { live[reg / WORD] &= ~(UINT64_C(1) << reg % WORD); }

/* What is read where the block ends, by those behind it. */
static void live_behind(const shunt_facts *f, uint32_t last, uint64_t *live)
{
    const shunt_instruction *code = code_of(f);
    uint32_t                 to[2];
    memset(live, 0, sizeof *live * f->words);
    for (unsigned way = 0, ways = shunt_ways_on(code, last, to); way < ways; way++) {
        const uint64_t *there = live_at(f, to[way]);
        for (uint32_t w = 0; w < f->words; w++) live[w] |= there[w];
        /* The item is there for those who come with one: the first way. */
        if (way == 0 && code[last].op == SHUNT_OP_NEXT) clear_live(live, code[last].b);
    }
}

/* False: it did not settle. */
static bool find_live(shunt_facts *f, uint64_t *live)
{
    const shunt_instruction *code = code_of(f);
    bool                     changed = true;
    for (uint32_t round = 0; changed && round < ROUNDS; round++) {
        changed = false;
        for (uint32_t at = f->function->code_count; at-- > 0;) {
            if (at + 1 == f->function->code_count || f->blocks[at + 1]) live_behind(f, at, live);
            int   filled = fills(f->program, code[at]);
            reads all = reads_of(f, code[at]);
            if (filled >= 0) clear_live(live, (uint32_t)filled);
            for (unsigned n = 0; n < all.runs; n++) set_live(f, live, all.first[n], all.end[n]);
            if (!f->blocks[at]) continue;
            uint64_t *old = live_at(f, at);
            changed |= memcmp(old, live, sizeof *live * f->words) != 0;
            memcpy(old, live, sizeof *live * f->words);
        }
    }
    return !changed;
}

bool shunt_facts_read_after(const shunt_facts *f, uint32_t at, uint16_t reg)
{
    const shunt_instruction *code = code_of(f);
    uint32_t                 to[2], until = at + SCAN;
    for (; !ends_block(code[at].op) && at + 1 < f->function->code_count && !f->blocks[at + 1] && at < until; at++) {
        reads all = reads_of(f, code[at + 1]);
        for (unsigned n = 0; n < all.runs; n++)
            if (reg >= all.first[n] && reg < all.end[n]) return true;
        if (fills(f->program, code[at + 1]) == reg) return false;
    }
    if (at == until) return true;
    for (unsigned way = shunt_ways_on(code, at, to); way-- > 0;)
        if (live_at(f, to[way])[reg / WORD] >> reg % WORD & 1) return true;
    return false;
}

/* ---- states ---- */

void shunt_facts_after(const shunt_program *p, shunt_instruction i, uint8_t *s)
{
    switch ((shunt_op)i.op) {
    case SHUNT_OP_MOVE:
    case SHUNT_OP_RETYPE: s[i.a] = s[i.b]; return;
    case SHUNT_OP_LOADK:
    case SHUNT_OP_IS_STATE:
    case SHUNT_OP_REQUIRE:
    case SHUNT_OP_CHILDREN:
    case SHUNT_OP_SUM:
    case SHUNT_OP_LIST_NEW:
    case SHUNT_OP_ROW_NEW: s[i.a] = SHUNT_PRESENT; return;
    case SHUNT_OP_ABSENT: s[i.a] = SHUNT_ABSENT; return;
    case SHUNT_OP_NOT:
    case SHUNT_OP_TEXT_IS:
    case SHUNT_OP_CHILD_FIRST:
    case SHUNT_OP_POSITION:
    case SHUNT_OP_LIST_COUNT:
    case SHUNT_OP_LIST_FIRST:
    case SHUNT_OP_ANCESTOR:
    case SHUNT_OP_COLLECT:
    case SHUNT_OP_TEXT_OF:
    case SHUNT_OP_TEXT_OF_ENUM:
    case SHUNT_OP_TEXT_LIMIT: s[i.a] = s[i.b] = SHUNT_PRESENT; return;
    case SHUNT_OP_INT_ADD:
    case SHUNT_OP_INT_SUB:
    case SHUNT_OP_INT_EQ:
    case SHUNT_OP_INT_LT:
    case SHUNT_OP_INT_LE:
    case SHUNT_OP_DATE_EQ:
    case SHUNT_OP_DATE_LT:
    case SHUNT_OP_DATE_LE:
    case SHUNT_OP_DEC_ADD:
    case SHUNT_OP_DEC_SUB:
    case SHUNT_OP_DEC_EQ:
    case SHUNT_OP_DEC_LT:
    case SHUNT_OP_DEC_LE: s[i.a] = s[i.b] = s[i.c] = SHUNT_PRESENT; return;
    case SHUNT_OP_GET:
    case SHUNT_OP_FIELD:
        s[i.b] = SHUNT_PRESENT;
        s[i.a] = i.op == SHUNT_OP_GET && p->slots[i.c].required ? SHUNT_PRESENT : SHUNT_STATE_UNKNOWN;
        return;
    case SHUNT_OP_GET_OPTIONAL:
    case SHUNT_OP_GET_TEXT:
        s[i.b] = SHUNT_PRESENT;
        s[i.a] = SHUNT_STATE_UNKNOWN;
        return;
    case SHUNT_OP_RECALL:
        s[i.c] = SHUNT_PRESENT;
        s[i.a] = SHUNT_STATE_UNKNOWN;
        return;
    case SHUNT_OP_NEXT: s[i.c] = SHUNT_PRESENT; return;
    case SHUNT_OP_LIST_PUSH:
        if (s[i.a] != SHUNT_PRESENT) s[i.a] = SHUNT_STATE_UNKNOWN;
        return;
    case SHUNT_OP_KEEP:
        if (s[i.b] != SHUNT_PRESENT) s[i.b] = SHUNT_STATE_UNKNOWN;
        return;
    default: break;
    }
    int result = shunt_flow_result(p, i);
    if (result >= 0) s[result] = SHUNT_STATE_UNKNOWN;
}

/* Registers whose state is known on one of the ways behind the last instruction of a block. */
typedef struct known_on_way {
    uint16_t regs[2];
    uint8_t  count, state;
} known_on_way;

static known_on_way on_way(shunt_instruction i, unsigned way)
{
    switch ((shunt_op)i.op) {
    case SHUNT_OP_NEXT: return (known_on_way){ { i.a, i.b }, way == 0 ? 2 : 0, SHUNT_PRESENT }; /* with an item */
    case SHUNT_OP_JUMP_TRUE:
    case SHUNT_OP_JUMP_PRESENT: return (known_on_way){ { i.a }, way == 1, SHUNT_PRESENT };
    case SHUNT_OP_JUMP_FALSE: return (known_on_way){ { i.a }, way == 0, SHUNT_PRESENT };
    case SHUNT_OP_JUMP_ABSENT: return (known_on_way){ { i.a }, way == 1, SHUNT_ABSENT };
    case SHUNT_OP_JUMP_CLEARED: return (known_on_way){ { i.a }, way == 1, SHUNT_CLEARED };
    default: return (known_on_way){ .count = 0 };
    }
}

/* True: less is known there than before. */
static uint8_t meet(uint8_t *there, const uint8_t *states, uint32_t count)
{
    uint8_t changed = 0;
    for (uint32_t r = 0; r < count; r++) {
        uint8_t both = there[r] == states[r] || there[r] == UNSEEN ? states[r] : SHUNT_STATE_UNKNOWN;
        changed |= both ^ there[r];
        there[r] = both;
    }
    return changed != 0;
}

static uint8_t *states_at(const shunt_facts *f, uint32_t at)
{
    return f->states + (size_t)(f->blocks[at] - 1) * f->function->registers;
}

/* The end of a block: `states` as there. Blocks of which less is known than before are `due` again. */
static void go_on(const shunt_facts *f, uint32_t last, uint8_t *states, uint8_t *due)
{
    shunt_instruction i = code_of(f)[last];
    uint32_t          to[2];
    for (unsigned way = 0, ways = shunt_ways_on(code_of(f), last, to); way < ways; way++) {
        known_on_way more = on_way(i, way);
        uint8_t      before[2];
        for (unsigned n = 0; n < more.count; n++) {
            before[n] = states[more.regs[n]];
            states[more.regs[n]] = more.state;
        }
        due[f->blocks[to[way]] - 1] |= meet(states_at(f, to[way]), states, f->function->registers);
        for (unsigned n = more.count; n-- > 0;) states[more.regs[n]] = before[n];
    }
}

/* False: it did not settle. `due` is zero, a byte a block. */
static bool find_states(shunt_facts *f, uint8_t *states, uint8_t *due)
{
    const shunt_instruction *code = code_of(f);
    uint32_t                 count = f->function->registers;
    bool                     again = true;
    memset(f->states, UNSEEN, (size_t)f->block_count * count);
    for (uint32_t r = 0; r < count; r++) f->states[r] = r < f->function->params ? SHUNT_STATE_UNKNOWN : SHUNT_ABSENT;
    due[0] = 1;
    for (uint32_t round = 0; again && round < ROUNDS; round++) {
        again = false;
        for (uint32_t at = 0, last; at < f->function->code_count; at = last + 1) {
            uint8_t *is_due = &due[f->blocks[at] - 1];
            last = last_of(f, at);
            if (!*is_due) continue;
            *is_due = 0;
            memcpy(states, states_at(f, at), count);
            for (uint32_t n = at; n <= last; n++) shunt_facts_after(f->program, code[n], states);
            go_on(f, last, states, due);
        }
        for (uint32_t b = 0; b < f->block_count; b++) again |= due[b];
    }
    return !again;
}

/* 3 in each byte whose bit is not set. */
static uint64_t spread(uint8_t bits)
{
    uint64_t each = (uint8_t)~bits * UINT64_C(0x0101010101010101) & UINT64_C(0x8040201008040201);
    uint64_t ones = (each + UINT64_C(0x7f7f7f7f7f7f7f7f)) >> 7 & UINT64_C(0x0101010101010101);
    return ones * SHUNT_STATE_UNKNOWN;
}
_Static_assert(SHUNT_STATE_UNKNOWN == 3, "whatever is or-ed to it, that is what it stays");

/* Of what nothing reads nothing need be known. */
static void forget_dead(shunt_facts *f)
{
    uint32_t count = f->function->registers, r;
    for (uint32_t b = 0; b < f->block_count; b++) {
        const uint64_t *live = f->live + (size_t)b * f->words;
        uint8_t        *states = f->states + (size_t)b * count;
        if (count && states[0] == UNSEEN) memset(states, SHUNT_STATE_UNKNOWN, count); /* all or none */
        for (r = 0; r + 8 <= count; r += 8) {
            uint64_t eight;
            memcpy(&eight, states + r, 8);
            eight |= spread((uint8_t)(live[r / WORD] >> r % WORD));
            memcpy(states + r, &eight, 8);
        }
        for (; r < count; r++)
            if (!(live[r / WORD] >> r % WORD & 1)) states[r] = SHUNT_STATE_UNKNOWN;
    }
}

/* ---- the whole ---- */

bool shunt_facts_new(const shunt_memory *memory, const shunt_program *program, const shunt_function *function,
                     shunt_facts_shared *shared, shunt_facts *f)
{
    *f = (shunt_facts){ .memory = memory,
                        .program = program,
                        .function = function,
                        .widest_line = shared->widest_line,
                        .widest_header = shared->widest_header,
                        .words = function->registers / WORD + 1u };
    f->blocks = (uint32_t *)shunt_memory_zeroed(memory, function->code_count + 1u, sizeof *f->blocks);
    f->joined = (uint8_t *)shunt_memory_zeroed(memory, function->code_count + 1u, 1);
    if (!f->blocks || !f->joined) return false;
    find_blocks(f);
    uint64_t states = (uint64_t)f->block_count * (function->registers + 1u), live = (uint64_t)f->block_count * f->words;
    if (states > shared->room) return true;
    shared->room -= states;
    f->states = (uint8_t *)shunt_memory_zeroed(memory, states + function->registers + f->block_count + 1u, 1);
    f->live = (uint64_t *)shunt_memory_zeroed(memory, live + f->words, sizeof *f->live);
    if (!f->states || !f->live) return false;
    uint8_t *room_of_states = f->states + states;
    f->known = find_live(f, f->live + live) && find_states(f, room_of_states, room_of_states + function->registers);
    if (f->known) forget_dead(f);
    return true;
}

void shunt_facts_free(shunt_facts *f)
{
    if (!f->memory) return;
    shunt_memory_free(f->memory, f->blocks);
    shunt_memory_free(f->memory, f->joined);
    shunt_memory_free(f->memory, f->states);
    shunt_memory_free(f->memory, f->live);
}

void shunt_facts_begin(const shunt_facts *f, uint32_t at, uint8_t *states)
{
    memcpy(states, states_at(f, at), f->function->registers);
}
