/* x64.h - writes the few machine instructions of x86-64 that native.c is made of, as the processor's manual spells them.
 * A writer without `code` only counts, so that a first pass tells where everything will stand. `code` has room for eight bytes more. */
#ifndef SHUNT_X64_H
#define SHUNT_X64_H

#include "engine/base/text.h"

typedef struct shunt_x64 {
    uint8_t *code; /* NULL: nothing is written */
    uint32_t length;
} shunt_x64;

typedef enum shunt_x64_register {
    RAX,
    RCX,
    RDX,
    RBX,
    RSP,
    RBP,
    RSI,
    RDI,
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15
} shunt_x64_register;

/* Conditions by their number; two that differ in the lowest bit are opposites. */
typedef enum shunt_x64_condition {
    X64_OVERFLOW = 0x0,
    X64_BELOW = 0x2,
    X64_NOT_BELOW = 0x3,
    X64_EQUAL = 0x4,
    X64_UNEQUAL = 0x5,
    X64_ABOVE = 0x7,
    X64_LESS = 0xc,
    X64_NOT_LESS = 0xd,
    X64_NOT_GREATER = 0xe,
} shunt_x64_condition;

/* Opcodes; those of two bytes begin with 0x0f, `0x66` in the third place is the prefix for 16 bits. */
enum {
    X64_ADD = 0x03, /* register += memory, as the next ones up to XOR */
    X64_OR = 0x0b,
    X64_ADC = 0x13,
    X64_SBB = 0x1b,
    X64_SUB = 0x2b,
    X64_XOR = 0x33,
    X64_CMP = 0x3b, /* register with memory */
    X64_LOAD = 0x8b,
    X64_STORE = 0x89,
    X64_STORE8 = 0x88,
    X64_LOAD8 = 0x0fb6, /* zeros above */
    X64_TEST = 0x85,
    X64_TEST8 = 0x84,
    X64_LEA = 0x8d,
    X64_LOAD16 = 0x0f10, /* all of XMM0, which stands for register 0 */
    X64_STORE16 = 0x0f11,
    X64_CLEAR16 = 0x0f57, /* of itself */
    /* With a number for a register, and an immediate of the last operand's size behind. */
    X64_SET8 = 0xc6,   /* 0: mov */
    X64_SET = 0xc7,    /* 0: mov; of eight bytes the sign is spread */
    X64_GROUP8 = 0x80, /* 7: cmp */
    X64_GROUP = 0x81,  /* 5: sub, 7: cmp */
    X64_GROUP2 = 0x660081,
    X64_GROUP_SHORT = 0x83, /* one byte, its sign spread */
    X64_SHIFT = 0xc1,       /* by an immediate of one byte */
    X64_SHIFT_LEFT_N = 4,
    X64_SHIFT_RIGHT_N = 7, /* with its sign */
    X64_ADD_N = 0,
    X64_SUB_N = 5,
    X64_CMP_N = 7,
    X64_INDIRECT = 0xff, /* 2: call, 4: jmp, to where a register says */
    X64_CALL_N = 2,
    X64_JUMP_N = 4,
};

static inline void shunt_x64_number(shunt_x64 *x, uint64_t number, unsigned bytes)
{
    if (x->code) memcpy(x->code + x->length, &number, sizeof number); /* the next ones go over what is too much */
    x->length += bytes;
}

static inline void shunt_x64_opcode(shunt_x64 *x, uint32_t opcode, bool wide, unsigned reg, unsigned base)
{
    unsigned rex = (wide ? 8u : 0u) | (reg >> 3) << 2 | base >> 3;
    if (opcode >> 16) shunt_x64_number(x, opcode >> 16, 1);
    if (rex) shunt_x64_number(x, 0x40 | rex, 1);
    if (opcode >> 8 & 0xff) shunt_x64_number(x, opcode >> 8 & 0xff, 1);
    shunt_x64_number(x, opcode & 0xff, 1);
}

/* With a register and the memory at base + displacement. */
static inline void shunt_x64_memory(shunt_x64 *x, uint32_t opcode, bool wide, unsigned reg, shunt_x64_register base,
                                    uint32_t displacement)
{
    bool one = displacement < 128;
    shunt_x64_opcode(x, opcode, wide, reg, base);
    shunt_x64_number(x, (one ? 0x40u : 0x80u) | (reg & 7) << 3 | (base & 7), 1);
    if ((base & 7) == RSP) shunt_x64_number(x, 0x24, 1);
    shunt_x64_number(x, displacement, one ? 1 : 4);
}

/* The same where the memory is another register. */
static inline void shunt_x64_registers(shunt_x64 *x, uint32_t opcode, bool wide, unsigned reg, unsigned other)
{
    shunt_x64_opcode(x, opcode, wide, reg, other);
    shunt_x64_number(x, 0xc0u | (reg & 7) << 3 | (other & 7), 1);
}

/* With the memory at base + index. */
static inline void shunt_x64_indexed(shunt_x64 *x, uint32_t opcode, bool wide, unsigned reg, shunt_x64_register base,
                                     shunt_x64_register index)
{
    unsigned rex = (wide ? 8u : 0u) | (reg >> 3) << 2 | (unsigned)(index >> 3) << 1 | base >> 3;
    if (rex) shunt_x64_number(x, 0x40 | rex, 1);
    if (opcode >> 8) shunt_x64_number(x, opcode >> 8, 1);
    shunt_x64_number(x, opcode & 0xff, 1);
    shunt_x64_number(x, 0x44u | (reg & 7) << 3, 1);
    shunt_x64_number(x, (unsigned)(index & 7) << 3 | (base & 7), 1);
    shunt_x64_number(x, 0, 1);
}

static inline void shunt_x64_push(shunt_x64 *x, shunt_x64_register reg) { shunt_x64_opcode(x, 0x50u | (reg & 7), false, 0, reg); }
static inline void shunt_x64_pop(shunt_x64 *x, shunt_x64_register reg) { shunt_x64_opcode(x, 0x58u | (reg & 7), false, 0, reg); }

/* The register becomes a number, in as few bytes as hold it. */
static inline void shunt_x64_set(shunt_x64 *x, shunt_x64_register reg, uint64_t number)
{
    bool wide = number > UINT32_MAX;
    shunt_x64_opcode(x, 0xb8u | (reg & 7), wide, 0, reg);
    shunt_x64_number(x, number, wide ? 8 : 4);
}

static inline void shunt_x64_jump(shunt_x64 *x, uint32_t target)
{
    shunt_x64_number(x, 0xe9, 1);
    shunt_x64_number(x, target - (x->length + 4), 4);
}

static inline void shunt_x64_jump_if(shunt_x64 *x, shunt_x64_condition condition, uint32_t target)
{
    shunt_x64_number(x, 0x0f, 1);
    shunt_x64_number(x, 0x80u | condition, 1);
    shunt_x64_number(x, target - (x->length + 4), 4);
}

/* A jump over what comes next, up to the matching `land`: at most 127 bytes. */
static inline uint32_t shunt_x64_skip_if(shunt_x64 *x, shunt_x64_condition condition)
{
    shunt_x64_number(x, 0x70u | condition, 1);
    shunt_x64_number(x, 0, 1);
    return x->length;
}

static inline uint32_t shunt_x64_skip(shunt_x64 *x)
{
    shunt_x64_number(x, 0xeb, 1);
    shunt_x64_number(x, 0, 1);
    return x->length;
}

static inline void shunt_x64_land(shunt_x64 *x, uint32_t from)
{
    if (x->code) x->code[from - 1] = (uint8_t)(x->length - from);
}

/* The lowest byte of RAX: 1 where the condition holds, and zeros above. Leaves the flags. */
static inline void shunt_x64_flag(shunt_x64 *x, shunt_x64_condition condition)
{
    shunt_x64_number(x, 0x0f, 1);
    shunt_x64_number(x, 0x90u | condition, 1);
    shunt_x64_number(x, 0xc0, 1);
    shunt_x64_registers(x, X64_LOAD8, false, RAX, RAX);
}

#endif
