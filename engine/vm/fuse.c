#include "engine/vm/fuse.h"

/* The instruction after NEXT and the JUMP that belongs to it. */
enum { AFTER_NEXT = 2 };

/* How many instructions from `at` on have this op. */
static uint32_t run_of(const shunt_instruction *at, const shunt_instruction *end, uint16_t op)
{
    uint32_t count = 0;
    while (at + count < end && at[count].op == op && count < UINT16_MAX) count++;
    return count;
}

/* What stands at `at` and the instructions behind it run as; the op itself where they are nothing in common. */
static uint16_t fused(const shunt_instruction *at, const shunt_instruction *end)
{
    const shunt_instruction *next = at + 1;
    if (next >= end) return at->op;
    bool own = next->a == at->a; /* the second one looks at what the first one gave */
    switch ((shunt_op)at->op) {
    case SHUNT_OP_MOVE: return next->op == SHUNT_OP_MOVE ? SHUNT_OP_MOVES : at->op;
    case SHUNT_OP_LOADK: return next->op == SHUNT_OP_LOADK ? SHUNT_OP_LOADS : at->op;
    case SHUNT_OP_NEXT:
        return at + AFTER_NEXT < end && at[AFTER_NEXT].op == SHUNT_OP_FIELD && at[AFTER_NEXT].b == at->b ? SHUNT_OP_NEXT_FIELD
                                                                                                         : at->op;
    case SHUNT_OP_FIELD:
        if (next->op == SHUNT_OP_DEC_ADD && next->c == at->a) return SHUNT_OP_FIELD_ADD;
        return own && next->op == SHUNT_OP_REQUIRE        ? SHUNT_OP_FIELD_REQUIRE
               : own && next->op == SHUNT_OP_JUMP_PRESENT ? SHUNT_OP_FIELD_PRESENT
                                                          : at->op;
    case SHUNT_OP_RECALL: return own && next->op == SHUNT_OP_JUMP_PRESENT ? SHUNT_OP_RECALL_PRESENT : at->op;
    case SHUNT_OP_TEXT_IS:
        return own && next->op == SHUNT_OP_JUMP_TRUE    ? SHUNT_OP_TEXT_IS_TRUE
               : own && next->op == SHUNT_OP_JUMP_FALSE ? SHUNT_OP_TEXT_IS_FALSE
                                                        : at->op;
    case SHUNT_OP_INT_EQ:
        return own && next->op == SHUNT_OP_JUMP_TRUE    ? SHUNT_OP_INT_EQ_TRUE
               : own && next->op == SHUNT_OP_JUMP_FALSE ? SHUNT_OP_INT_EQ_FALSE
                                                        : at->op;
    case SHUNT_OP_DEC_EQ:
        if (own && next->op == SHUNT_OP_NOT && next->b == at->a && next + 1 < end && next[1].op == SHUNT_OP_JUMP_FALSE &&
            next[1].a == at->a)
            return SHUNT_OP_DEC_NE_FALSE;
        return own && next->op == SHUNT_OP_JUMP_TRUE ? SHUNT_OP_DEC_EQ_TRUE : at->op;
    case SHUNT_OP_DEC_LT: return own && next->op == SHUNT_OP_JUMP_FALSE ? SHUNT_OP_DEC_LT_FALSE : at->op;
    default: return at->op;
    }
}

shunt_instruction *shunt_fuse(const shunt_memory *memory, const shunt_program *p)
{
    shunt_instruction *code = (shunt_instruction *)shunt_memory_zeroed(memory, p->instructions_count + 1u, sizeof *code);
    if (!code) return NULL;
    if (p->instructions_count) memcpy(code, p->instructions, sizeof *code * p->instructions_count);
    for (uint32_t f = 0; f < p->functions_count; f++) {
        const shunt_instruction *first = p->instructions + p->functions[f].code_first, *end = first + p->functions[f].code_count;
        for (const shunt_instruction *at = first; at < end; at++) {
            shunt_instruction *to = &code[at - p->instructions];
            to->op = fused(at, end);
            if (to->op == SHUNT_OP_MOVES || to->op == SHUNT_OP_LOADS) to->c = (uint16_t)run_of(at, end, at->op);
        }
    }
    return code;
}
