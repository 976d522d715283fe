/* optimise_flow.c - which registers are read later, and what each of them may be: present, absent, cleared, true or false. */
#include "engine/vm/optimise_state.h"

/* ---- what is read later ---- */

static void add_run(uint64_t *set, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) shunt_set_add(set, first + i);
}

static void add_read(const shunt_uses *u, shunt_instruction i, uint64_t *set)
{
    if (u->read & SHUNT_USE_A) shunt_set_add(set, i.a);
    if (u->read & SHUNT_USE_B) shunt_set_add(set, i.b);
    if (u->read & SHUNT_USE_C) shunt_set_add(set, i.c);
    for (unsigned k = 0; k < u->run_count; k++) add_run(set, u->runs[k].first, u->runs[k].count);
    if (u->node != SHUNT_NONE) shunt_set_add(set, u->node);
}

void shunt_live_before(const shunt_uses *u, shunt_instruction i, uint64_t *live)
{
    if (u->write != SHUNT_NONE && !u->partly) shunt_set_remove(live, u->write);
    add_read(u, i, live);
}

void shunt_live_behind(const shunt_body *b, const shunt_block *block, uint64_t *live)
{
    memset(live, 0, b->words * sizeof *live);
    for (unsigned way = 0; way < block->ways; way++)
        for (uint32_t w = 0; w < b->words; w++) live[w] |= b->live[(size_t)block->next[way] * b->words + w];
}

bool shunt_body_live(shunt_body *b)
{
    uint64_t *now = shunt_body_new(b, b->words, sizeof *now);
    b->live = shunt_body_new(b, (size_t)b->block_count * b->words, sizeof *b->live);
    if (b->full) return false;
    for (unsigned round = 0, changed = 1; changed; round++) {
        changed = 0;
        if (round == SHUNT_ROUNDS) return !(b->full = true);
        for (uint32_t k = b->block_count; k > 0; k--) {
            const shunt_block *block = &b->blocks[k - 1];
            uint64_t          *before = b->live + (size_t)(k - 1) * b->words;
            if (!shunt_body_work(b, 2 * b->words + block->end - block->first)) return false;
            shunt_live_behind(b, block, now);
            for (uint32_t i = block->end; i > block->first; i--) shunt_live_before(&b->uses[i - 1], b->code[i - 1], now);
            if (memcmp(before, now, b->words * sizeof *now) == 0) continue;
            memcpy(before, now, b->words * sizeof *now);
            changed = 1;
        }
    }
    return true;
}

/* ---- what registers may be ---- */

/* What an instruction gives that computes nothing unless its operands are there. */
static uint8_t strict(const shunt_body *b, uint32_t at, const uint8_t *states, uint8_t there)
{
    const shunt_uses *u = &b->uses[at];
    shunt_instruction i = b->code[at];
    uint8_t           any = 0, all = SHUNT_MAY_BE_THERE;
    for (unsigned bit = SHUNT_USE_A; bit <= SHUNT_USE_C; bit <<= 1) {
        if (!(u->read & bit)) continue;
        uint8_t state = states[*shunt_operand_at(&i, bit)];
        any |= state;
        if (!(state & SHUNT_MAY_BE_THERE)) all = 0;
    }
    for (unsigned k = 0; k < u->run_count; k++) {
        for (uint32_t n = 0; n < u->runs[k].count; n++) {
            uint8_t state = states[u->runs[k].first + n];
            any |= state;
            if (!(state & SHUNT_MAY_BE_THERE)) all = 0;
        }
    }
    return (uint8_t)((any & SHUNT_MAY_NOT) | (all ? there : 0));
}

static uint8_t constant_state(const shunt_body *b, shunt_instruction i)
{
    if (b->types[i.a].kind != SHUNT_KIND_BOOL) return SHUNT_MAY_BE_THERE;
    return b->p->constants[i.b].value.integer ? SHUNT_MAY_TRUE : SHUNT_MAY_FALSE;
}

static uint8_t is_state(uint8_t state, uint16_t which)
{
    static const uint8_t bits[] = { SHUNT_MAY_BE_THERE, SHUNT_MAY_ABSENT, SHUNT_MAY_CLEARED };
    uint8_t              bit = which < SHUNT_COUNT(bits) ? bits[which] : 0;
    return (uint8_t)((state & bit ? SHUNT_MAY_TRUE : 0) | (state & ~bit ? SHUNT_MAY_FALSE : 0));
}

static uint8_t negated(uint8_t state)
{
    return (uint8_t)((state & SHUNT_MAY_NOT) | (state & SHUNT_MAY_TRUE ? SHUNT_MAY_FALSE : 0) |
                     (state & SHUNT_MAY_FALSE ? SHUNT_MAY_TRUE : 0));
}

static uint8_t result_of(const shunt_body *b, uint32_t at, const uint8_t *states)
{
    shunt_instruction i = b->code[at];
    switch ((shunt_op)i.op) {
    case SHUNT_OP_MOVE:
    case SHUNT_OP_RETYPE: return states[i.b];
    case SHUNT_OP_LOADK: return constant_state(b, i);
    case SHUNT_OP_ABSENT: return SHUNT_MAY_ABSENT;
    case SHUNT_OP_IS_STATE: return is_state(states[i.b], i.c);
    case SHUNT_OP_NOT: return negated(states[i.b]);
    case SHUNT_OP_LIST_NEW:
    case SHUNT_OP_CHILDREN:
    case SHUNT_OP_ROW_NEW: return SHUNT_MAY_BE_THERE;
    case SHUNT_OP_LIST_COUNT: return (uint8_t)(SHUNT_MAY_BE_THERE | (states[i.b] & SHUNT_MAY_CLEARED));
    case SHUNT_OP_LIST_PUSH:
    case SHUNT_OP_KEEP: return (uint8_t)(states[i.op == SHUNT_OP_KEEP ? i.b : i.a] | SHUNT_MAY_BE_THERE);
    case SHUNT_OP_DECIDE:
    case SHUNT_OP_RECALL: return SHUNT_MAY_BE_THERE | SHUNT_MAY_ABSENT;
    case SHUNT_OP_LIST_FIRST:
    case SHUNT_OP_CHILD_FIRST:
    case SHUNT_OP_ANCESTOR:
    case SHUNT_OP_LOOKUP: return strict(b, at, states, SHUNT_MAY_BE_THERE | SHUNT_MAY_ABSENT);
    case SHUNT_OP_BOOL_EQ:
    case SHUNT_OP_INT_ADD:
    case SHUNT_OP_INT_SUB:
    case SHUNT_OP_INT_MUL:
    case SHUNT_OP_INT_NEG:
    case SHUNT_OP_INT_ABS:
    case SHUNT_OP_INT_EQ:
    case SHUNT_OP_INT_LT:
    case SHUNT_OP_INT_LE:
    case SHUNT_OP_INT_TO_DEC:
    case SHUNT_OP_DEC_ADD:
    case SHUNT_OP_DEC_SUB:
    case SHUNT_OP_DEC_MUL:
    case SHUNT_OP_DEC_DIV:
    case SHUNT_OP_DEC_NEG:
    case SHUNT_OP_DEC_ABS:
    case SHUNT_OP_DEC_RESCALE:
    case SHUNT_OP_DEC_EQ:
    case SHUNT_OP_DEC_LT:
    case SHUNT_OP_DEC_LE:
    case SHUNT_OP_TEXT_EQ:
    case SHUNT_OP_TEXT_LT:
    case SHUNT_OP_TEXT_LE:
    case SHUNT_OP_TEXT_IS:
    case SHUNT_OP_TEXT_JOIN:
    case SHUNT_OP_TEXT_OF:
    case SHUNT_OP_TEXT_OF_ENUM:
    case SHUNT_OP_TEXT_LIMIT:
    case SHUNT_OP_DATE_ADD:
    case SHUNT_OP_DATE_DIFF:
    case SHUNT_OP_DATE_EQ:
    case SHUNT_OP_DATE_LT:
    case SHUNT_OP_DATE_LE:
    case SHUNT_OP_POSITION:
    case SHUNT_OP_COLLECT:
    case SHUNT_OP_OCCURRENCE: return strict(b, at, states, SHUNT_MAY_BE_THERE);
    default: return SHUNT_MAY_ALL;
    }
}

void shunt_states_behind(const shunt_body *b, uint32_t at, uint8_t *states)
{
    const shunt_uses *u = &b->uses[at];
    shunt_instruction i = b->code[at];
    if (i.op == SHUNT_OP_NEXT) return; /* see shunt_states_way */
    if (i.op == SHUNT_OP_REQUIRE) states[i.a] &= SHUNT_MAY_BE_THERE;
    if (u->write != SHUNT_NONE) states[u->write] = result_of(b, at, states);
}

bool shunt_states_way(const shunt_body *b, const shunt_block *block, unsigned way, uint8_t *states)
{
    shunt_instruction i = b->code[block->end - 1];
    uint8_t           taken;
    if (i.op == SHUNT_OP_NEXT && way == 0) states[i.b] = states[i.c] = SHUNT_MAY_BE_THERE;
    switch ((shunt_op)i.op) {
    case SHUNT_OP_JUMP_TRUE: taken = SHUNT_MAY_TRUE; break;
    case SHUNT_OP_JUMP_FALSE: taken = SHUNT_MAY_FALSE | SHUNT_MAY_NOT; break;
    case SHUNT_OP_JUMP_PRESENT: taken = SHUNT_MAY_BE_THERE; break;
    case SHUNT_OP_JUMP_ABSENT: taken = SHUNT_MAY_ABSENT; break;
    case SHUNT_OP_JUMP_CLEARED: taken = SHUNT_MAY_CLEARED; break;
    default: return true;
    }
    states[i.a] &= way ? taken : (uint8_t)~taken;
    return states[i.a] != 0;
}

int shunt_states_decide(shunt_instruction jump, const uint8_t *states)
{
    static const uint8_t taken[] = {
        [SHUNT_OP_JUMP_TRUE] = SHUNT_MAY_TRUE,        [SHUNT_OP_JUMP_FALSE] = SHUNT_MAY_FALSE | SHUNT_MAY_NOT,
        [SHUNT_OP_JUMP_PRESENT] = SHUNT_MAY_BE_THERE, [SHUNT_OP_JUMP_ABSENT] = SHUNT_MAY_ABSENT,
        [SHUNT_OP_JUMP_CLEARED] = SHUNT_MAY_CLEARED,
    };
    if (jump.op == SHUNT_OP_JUMP) return 1;
    uint8_t state = states[jump.a];
    if (!(state & taken[jump.op])) return 0;
    return state & ~taken[jump.op] ? -1 : 1;
}

/* True: a register may be something more there. Rows of states are whole words. */
static bool join(const shunt_body *b, uint8_t *there, const uint8_t *states)
{
    uint64_t more = 0;
    for (uint32_t at = 0; at < b->row; at += sizeof more) {
        uint64_t old, add;
        memcpy(&old, there + at, sizeof old);
        memcpy(&add, states + at, sizeof add);
        more |= add & ~old;
        old |= add;
        memcpy(there + at, &old, sizeof old);
    }
    return more != 0;
}

/* What is marked in `reached`: all that is not zero was come to, these have come to be more since they were looked at. */
enum { LOOK_AT = 2 };

/* True: something more may be behind the block. */
static bool go_on(const shunt_body *b, const shunt_block *block, uint8_t *states)
{
    shunt_instruction last = b->code[block->end - 1];
    bool              asks = shunt_is_jump(last.op) && last.op != SHUNT_OP_JUMP, more = false;
    for (unsigned way = 0; way < block->ways; way++) {
        uint32_t to = block->next[way];
        uint8_t  item = last.op == SHUNT_OP_NEXT ? states[last.b] : 0, index = last.op == SHUNT_OP_NEXT ? states[last.c] : 0;
        uint8_t  asked = asks ? states[last.a] : 0;
        if (shunt_states_way(b, block, way, states)) {
            bool fresh = join(b, b->states + (size_t)to * b->row, states) || !b->reached[to];
            if (fresh) b->reached[to] = LOOK_AT;
            more |= fresh;
        }
        if (last.op == SHUNT_OP_NEXT) states[last.b] = item, states[last.c] = index;
        if (asks) states[last.a] = asked;
    }
    return more;
}

bool shunt_body_states(shunt_body *b)
{
    b->row = (b->registers / (uint32_t)sizeof(uint64_t) + 1) * (uint32_t)sizeof(uint64_t);
    uint8_t *now = shunt_body_new(b, b->row, 1);
    b->states = shunt_body_new(b, (size_t)b->block_count * b->row, 1);
    b->reached = shunt_body_new(b, b->block_count, 1);
    if (b->full) return false;
    /* Registers begin absent, parameters as they were given. */
    for (uint32_t r = 0; r < b->registers; r++) b->states[r] = r < b->function->params ? SHUNT_MAY_ALL : SHUNT_MAY_ABSENT;
    b->reached[0] = LOOK_AT;
    for (unsigned round = 0, changed = 1; changed; round++) {
        changed = 0;
        if (round == SHUNT_ROUNDS) return !(b->full = true);
        for (uint32_t k = 0; k < b->block_count; k++) {
            const shunt_block *block = &b->blocks[k];
            if (b->reached[k] != LOOK_AT) continue;
            b->reached[k] = 1;
            if (!shunt_body_work(b, 3 * b->row / sizeof(uint64_t) + block->end - block->first)) return false;
            memcpy(now, b->states + (size_t)k * b->row, b->row);
            for (uint32_t i = block->first; i < block->end; i++) shunt_states_behind(b, i, now);
            changed |= go_on(b, block, now);
        }
    }
    return true;
}
