#include "engine/vm/native.h"

#include "engine/vm/facts.h"
#include "engine/vm/fuse.h"
#include "engine/vm/step.h"

#if defined(__x86_64__) && !defined(_WIN32) && !defined(__ILP32__)
#define SHUNT_NATIVE_X64 1
#endif

#ifdef SHUNT_NATIVE_X64
#include <stddef.h>
#include <sys/mman.h>

#include "engine/vm/x64.h"

enum {
    STUB = 12, /* bytes of what stops at an instruction, and where in it that begins which fails with the status in EAX */
    STUB_FAILS = 2,
    INSTRUCTIONS_AT_MOST = 1 << 17,
    STATES_AT_MOST = 1 << 23, /* that are looked at for facts; larger functions run in the loop */
    TEXT_AT_MOST = 32,        /* texts up to here are compared in place; short jumps lead over it */
    NOTHING = UINT16_MAX,     /* no register */
    /* marks of instructions */
    NATIVE = 1, /* there is machine code for it */
    SLOW = 2,   /* and some that calls its step, where its operands are not the usual ones */
    WANTED = 4, /* something leads to it, though it is done together with another */
};

/* What stays in registers that a called function leaves alone. RAX, RCX, R10, R11 and XMM0 are free; R8, R9 and RDX are `held`. */
static const shunt_x64_register REGISTERS = RBX, STATES = RBP, VM = R13, CONSTANTS = R14, GLOBALS = R15, GLOBAL_STATES = R12;
static const shunt_x64_register NODE = R8, VALUES = R9, VALUE_STATES = RDX;

/* The row or node whose pointer NODE holds: that of this register, unless it is NOTHING. */
struct held {
    uint16_t reg;
    bool     values, states; /* VALUES and VALUE_STATES are loaded too: the slots of a node, the fields of a row */
};

/* The code begins with the way in and out, and a stub for each instruction of the program, by number. */
struct maker {
    shunt_x64                x;
    const shunt_program     *program;
    const shunt_value       *constants;
    const shunt_vm_slot     *slots;
    const struct shunt_memo *memo;
    shunt_native            *native;
    uint32_t                *labels; /* one an instruction: where its machine code begins */
    uint32_t                *slow;   /* where its SLOW code begins */
    uint32_t                *back;   /* and where that leads back to */
    struct held             *again;  /* and what is held there */
    uint8_t                 *marks;
    shunt_facts             *facts; /* one a function */
    uint32_t                 out;   /* the way out */
    uint32_t                 stubs;
    /* of the function at hand */
    const shunt_facts       *fact;
    const shunt_type        *types; /* of its registers */
    uint32_t                 first, end;
    uint8_t                 *known;  /* states of its registers, SHUNT_STATE_UNKNOWN */
    uint8_t                 *halves; /* registers that were stored in halves lately */
    /* of the machine code at hand */
    const shunt_instruction *at;
    uint32_t                 number; /* where the loop goes on that stops it */
    uint32_t                 next;   /* number of the first one behind what it does */
    struct held              held;
    uint16_t                 away;     /* the register whose value is not stored, but stands behind VALUES */
    uint32_t                 away_at;  /* where */
    uint16_t                 unstored; /* the register whose value nothing reads, so that it is not stored */
};

/* ---- pieces ---- */

static uint32_t place(uint32_t reg) { return reg * (uint32_t)sizeof(shunt_value); }
static uint32_t high(uint32_t reg) { return place(reg) + 8; }
static uint32_t stub_of(const struct maker *m, uint32_t number) { return m->stubs + number * STUB; }

/* The loop goes on with this instruction. */
static void leave_if(struct maker *m, shunt_x64_condition condition)
{
    shunt_x64_jump_if(&m->x, condition, stub_of(m, m->number));
}

/* The step of this instruction does it, and machine code goes on behind. */
static void slow_if(struct maker *m, shunt_x64_condition condition)
{
    m->marks[m->number] |= SLOW;
    shunt_x64_jump_if(&m->x, condition, m->slow[m->number]);
}

/* The instruction so many behind the one at hand, where nothing but that leads to it. */
static const shunt_instruction *behind(const struct maker *m, uint32_t count)
{
    uint32_t number = m->number + count;
    for (uint32_t n = m->number + 1; n <= number; n++)
        if (n >= m->end || m->fact->blocks[n - m->first]) return NULL;
    return m->program->instructions + number;
}

static uint32_t number_of(const struct maker *m, const shunt_instruction *i) { return (uint32_t)(i - m->program->instructions); }

static bool read_after(const struct maker *m, const shunt_instruction *i, uint16_t reg)
{
    return shunt_facts_read_after(m->fact, number_of(m, i) - m->first, reg);
}

static void compare_state(struct maker *m, uint32_t reg, uint8_t state)
{
    shunt_x64_memory(&m->x, X64_GROUP8, false, X64_CMP_N, STATES, reg);
    shunt_x64_number(&m->x, state, 1);
}

/* Leaves unless the register is present. */
static void need(struct maker *m, uint32_t reg)
{
    if (m->known[reg] == SHUNT_PRESENT) return;
    compare_state(m, reg, SHUNT_PRESENT);
    leave_if(m, X64_UNEQUAL);
    m->known[reg] = SHUNT_PRESENT;
}

/* The same, but the step does what is left. */
static void expect(struct maker *m, uint32_t reg)
{
    if (m->known[reg] == SHUNT_PRESENT) return;
    compare_state(m, reg, SHUNT_PRESENT);
    slow_if(m, X64_UNEQUAL);
}

static void set_state(struct maker *m, uint32_t reg, uint8_t state)
{
    if (m->known[reg] == state) return;
    shunt_x64_memory(&m->x, X64_SET8, false, 0, STATES, reg);
    shunt_x64_number(&m->x, state, 1);
}

static void load(struct maker *m, shunt_x64_register to, shunt_x64_register base, uint32_t displacement)
{
    shunt_x64_memory(&m->x, X64_LOAD, true, to, base, displacement);
}

static void load_half(struct maker *m, shunt_x64_register to, shunt_x64_register base, uint32_t displacement)
{
    shunt_x64_memory(&m->x, X64_LOAD, false, to, base, displacement);
}

/* Something is stored in the register. */
static void fill(struct maker *m, uint32_t reg, bool halves)
{
    if (m->held.reg == reg) m->held.reg = NOTHING;
    m->halves[reg] = halves;
}

static void store(struct maker *m, shunt_x64_register from, uint32_t reg)
{
    shunt_x64_memory(&m->x, X64_STORE, true, from, REGISTERS, place(reg));
    fill(m, reg, false);
}

static void store_both(struct maker *m, shunt_x64_register low, shunt_x64_register above, uint32_t reg)
{
    shunt_x64_memory(&m->x, X64_STORE, true, low, REGISTERS, place(reg));
    shunt_x64_memory(&m->x, X64_STORE, true, above, REGISTERS, high(reg));
    fill(m, reg, true);
}

/* Values of these kinds are no more than eight bytes. */
static bool is_short(uint8_t kind)
{
    return kind == SHUNT_KIND_BOOL || kind == SHUNT_KIND_INT || kind == SHUNT_KIND_DATE || kind == SHUNT_KIND_ROW ||
           kind == SHUNT_KIND_NODE;
}

static void copy_value(struct maker *m, uint32_t to, shunt_x64_register base, uint32_t displacement)
{
    if (is_short(m->types[to].kind)) {
        load(m, RAX, base, displacement);
        store(m, RAX, to);
        return;
    }
    shunt_x64_memory(&m->x, X64_LOAD16, false, 0, base, displacement);
    shunt_x64_memory(&m->x, X64_STORE16, false, 0, REGISTERS, place(to));
    fill(m, to, false);
}

/* What was stored in halves just now can not be loaded at once without a wait. */
static void copy_register(struct maker *m, uint32_t to, uint32_t from)
{
    if (!m->halves[from] || is_short(m->types[to].kind)) {
        copy_value(m, to, REGISTERS, place(from));
        return;
    }
    load(m, RAX, REGISTERS, place(from));
    load(m, R10, REGISTERS, high(from));
    store_both(m, RAX, R10, to);
}

static void copy_state(struct maker *m, uint32_t to, shunt_x64_register base, uint32_t displacement)
{
    shunt_x64_memory(&m->x, X64_LOAD8, false, RCX, base, displacement);
    shunt_x64_memory(&m->x, X64_STORE8, false, RCX, STATES, to);
}

/* An operand, where it stands: from `offset` on. */
static void with_operand(struct maker *m, uint32_t opcode, bool wide, unsigned with, uint32_t reg, uint32_t offset)
{
    bool away = m->away == reg;
    shunt_x64_memory(&m->x, opcode, wide, with, away ? VALUES : REGISTERS, (away ? m->away_at : place(reg)) + offset);
}

static void compare_zero(struct maker *m, uint32_t reg)
{
    with_operand(m, X64_GROUP_SHORT, true, X64_CMP_N, reg, 0);
    shunt_x64_number(&m->x, 0, 1);
}

static uint32_t target_of(const struct maker *m, shunt_instruction i) { return m->first + (i.b | (uint32_t)i.c << 16); }

static void count_left(struct maker *m, unsigned how, uint32_t steps)
{
    shunt_x64_memory(&m->x, X64_GROUP, true, how, VM, (uint32_t)offsetof(shunt_vm, left));
    shunt_x64_number(&m->x, steps, 4);
}

/* The jump with this number is taken. What one backwards costs is taken from the steps that are left; where they are too few, the loop
 * goes on at `stop`. */
static void jump(struct maker *m, uint32_t number, uint32_t stop)
{
    uint32_t target = target_of(m, m->program->instructions[number]), steps = number + 1 - target;
    if (target > number) {
        shunt_x64_jump(&m->x, m->labels[target]);
        return;
    }
    count_left(m, X64_SUB_N, steps);
    shunt_x64_jump_if(&m->x, X64_NOT_BELOW, m->labels[target]);
    count_left(m, X64_ADD_N, steps);
    shunt_x64_jump(&m->x, stub_of(m, stop));
}

/* It is taken where the condition holds. */
static void branch_or_stop(struct maker *m, shunt_x64_condition condition, uint32_t number, uint32_t stop)
{
    uint32_t target = target_of(m, m->program->instructions[number]);
    if (target > number) {
        shunt_x64_jump_if(&m->x, condition, m->labels[target]);
        return;
    }
    uint32_t over = shunt_x64_skip_if(&m->x, condition ^ 1);
    jump(m, number, stop);
    shunt_x64_land(&m->x, over);
}

static void branch(struct maker *m, shunt_x64_condition condition, uint32_t number)
{
    branch_or_stop(m, condition, number, number);
}

/* What is often done with a truth value: NOT, and a jump by it, after which it is not read again. */
struct use {
    const shunt_instruction *last; /* of the instructions that this is */
    bool                     negated, stored, jumps;
    bool                     jumps_if; /* it is true, after NOT */
};

static struct use use_of(const struct maker *m)
{
    const shunt_instruction *next = m->at + 1, *end = m->program->instructions + m->end;
    uint16_t                 reg = m->at->a;
    struct use               use = { .last = m->at };
    if (next < end && !m->fact->blocks[number_of(m, next) - m->first] && next->op == SHUNT_OP_NOT && next->a == reg &&
        next->b == reg) {
        use.negated = true;
        use.last = next++;
    }
    if (next < end && !m->fact->blocks[number_of(m, next) - m->first] &&
        (next->op == SHUNT_OP_JUMP_TRUE || next->op == SHUNT_OP_JUMP_FALSE) && next->a == reg) {
        use.jumps = true;
        use.jumps_if = next->op == SHUNT_OP_JUMP_TRUE;
        use.last = next;
    }
    use.stored = read_after(m, use.last, reg);
    return use;
}

static void done_with(struct maker *m, struct use use)
{
    m->next = number_of(m, use.last) + 1;
    if (!use.stored) m->unstored = m->at->a;
}

/* The register becomes whether the condition holds, by the flags at hand. */
static void give_flag(struct maker *m, shunt_x64_condition condition)
{
    struct use use = use_of(m);
    uint16_t   reg = m->at->a;
    if (use.negated) condition ^= 1;
    if (use.stored) {
        shunt_x64_flag(&m->x, condition);
        store(m, RAX, reg);
        set_state(m, reg, SHUNT_PRESENT);
    }
    /* What is not stored has to be computed again by the loop. */
    if (use.jumps) {
        uint32_t number = number_of(m, use.last);
        branch_or_stop(m, use.jumps_if ? condition : condition ^ 1, number, use.stored ? number : m->number);
    }
    done_with(m, use);
}

static void set_register(struct maker *m, shunt_x64_register to, shunt_x64_register from)
{
    shunt_x64_registers(&m->x, X64_LOAD, true, to, from);
}

static void shift(struct maker *m, unsigned how, shunt_x64_register reg, unsigned bits)
{
    shunt_x64_registers(&m->x, X64_SHIFT, true, how, reg);
    shunt_x64_number(&m->x, bits, 1);
}

/* ---- calls ---- */

static void call(struct maker *m, uintptr_t function)
{
    shunt_x64_set(&m->x, RAX, function);
    shunt_x64_registers(&m->x, X64_INDIRECT, false, X64_CALL_N, RAX);
}

/* What must be there, or nearly always is: machine code goes on only where it is (facts.h). */
static bool must_give(const shunt_program *p, shunt_instruction i)
{
    return (i.op == SHUNT_OP_GET && p->slots[i.c].required) || i.op == SHUNT_OP_ANCESTOR;
}

/* Does an instruction by its step. */
static void call_step(struct maker *m, uint32_t number)
{
    const shunt_program *p = m->program;
    shunt_instruction    i = p->instructions[number];
    set_register(m, RDI, VM);
    set_register(m, RSI, REGISTERS);
    set_register(m, RDX, STATES);
    shunt_x64_set(&m->x, RCX, (uintptr_t)(p->instructions + number));
    shunt_x64_set(&m->x, R8, (uintptr_t)m->types);
    shunt_x64_set(&m->x, R9, p->instruction_sites_count ? p->instruction_sites[number] : 0);
    call(m, (uintptr_t)shunt_vm_steps[i.op]);
    shunt_x64_registers(&m->x, X64_TEST, false, RAX, RAX);
    shunt_x64_jump_if(&m->x, X64_UNEQUAL, stub_of(m, number) + STUB_FAILS);
    if (must_give(p, i)) {
        compare_state(m, i.a, SHUNT_PRESENT);
        shunt_x64_jump_if(&m->x, X64_UNEQUAL, stub_of(m, number + 1));
    }
}

/* ---- rows and nodes ---- */

static void hold(struct maker *m, uint16_t reg)
{
    need(m, reg);
    if (m->held.reg == reg) return;
    load(m, NODE, REGISTERS, place(reg));
    m->held = (struct held){ .reg = reg };
}

static void hold_slots(struct maker *m, uint16_t node)
{
    hold(m, node);
    if (!m->held.values) load(m, VALUES, NODE, offsetof(shunt_node, slots));
    m->held.values = true;
}

static void hold_fields(struct maker *m, uint16_t row)
{
    hold(m, row);
    if (!m->held.values) load(m, VALUES, NODE, offsetof(shunt_row, fields));
    if (!m->held.states) load(m, VALUE_STATES, NODE, offsetof(shunt_row, states));
    m->held.values = m->held.states = true;
}

/* After a call nothing is. */
static void hold_again(struct maker *m, struct held held)
{
    m->held.reg = NOTHING;
    if (held.reg == NOTHING) return;
    load(m, NODE, REGISTERS, place(held.reg));
    bool row = m->types[held.reg].kind == SHUNT_KIND_ROW;
    if (held.values) load(m, VALUES, NODE, row ? (uint32_t)offsetof(shunt_row, fields) : (uint32_t)offsetof(shunt_node, slots));
    if (held.states) load(m, VALUE_STATES, NODE, offsetof(shunt_row, states));
}

/* ---- instructions ----
 * Each writes the machine code of the instruction, which goes on with the one behind it. False: it has none. */

typedef bool           maker_of(struct maker *, shunt_instruction);
static maker_of *const makers[SHUNT_OP_COUNT];

static bool make_nothing(struct maker *m, shunt_instruction i)
{
    (void)m;
    (void)i;
    return true;
}

static bool make_move(struct maker *m, shunt_instruction i)
{
    copy_register(m, i.a, i.b);
    if (m->known[i.b] == SHUNT_STATE_UNKNOWN)
        copy_state(m, i.a, STATES, i.b);
    else
        set_state(m, i.a, m->known[i.b]);
    return true;
}

static bool make_loadk(struct maker *m, shunt_instruction i)
{
    shunt_value constant = m->constants[i.b];
    uint8_t     kind = m->types[i.a].kind;
    if (is_short(kind) && constant.integer == (int32_t)constant.integer) {
        shunt_x64_memory(&m->x, X64_SET, true, 0, REGISTERS, place(i.a));
        shunt_x64_number(&m->x, (uint64_t)constant.integer, 4);
        fill(m, i.a, false);
    } else if (kind == SHUNT_KIND_DECIMAL && constant.coefficient == 0) {
        shunt_x64_registers(&m->x, X64_CLEAR16, false, 0, 0);
        shunt_x64_memory(&m->x, X64_STORE16, false, 0, REGISTERS, place(i.a));
        fill(m, i.a, false);
    } else {
        copy_value(m, i.a, CONSTANTS, place(i.b));
    }
    set_state(m, i.a, SHUNT_PRESENT);
    return true;
}

static bool make_absent(struct maker *m, shunt_instruction i)
{
    set_state(m, i.a, SHUNT_ABSENT);
    fill(m, i.a, false);
    return true;
}

static bool make_global_get(struct maker *m, shunt_instruction i)
{
    copy_value(m, i.a, GLOBALS, place(i.b));
    copy_state(m, i.a, GLOBAL_STATES, i.b);
    return true;
}

/* Where the result is remembered; the loop makes those that are not. */
static bool make_call(struct maker *m, shunt_instruction i)
{
    const struct shunt_memo_plan *plan;
    shunt_memo_ask               *ask = shunt_memo_asks(m->memo, i.b, &plan);
    if (!ask) return false;
    shunt_x64_set(&m->x, RDI, (uintptr_t)plan);
    shunt_x64_memory(&m->x, X64_LEA, true, RSI, REGISTERS, place(i.a));
    shunt_x64_memory(&m->x, X64_LEA, true, RDX, STATES, i.a);
    call(m, (uintptr_t)ask);
    shunt_x64_registers(&m->x, X64_TEST8, false, RAX, RAX);
    leave_if(m, X64_EQUAL);
    return true;
}

static bool make_jump(struct maker *m, shunt_instruction i)
{
    (void)i;
    jump(m, m->number, m->number);
    return true;
}

static bool make_jump_true(struct maker *m, shunt_instruction i)
{
    bool     unknown = m->known[i.a] == SHUNT_STATE_UNKNOWN;
    uint32_t over = 0;
    if (!unknown && m->known[i.a] != SHUNT_PRESENT) return true;
    if (unknown) {
        compare_state(m, i.a, SHUNT_PRESENT);
        over = shunt_x64_skip_if(&m->x, X64_UNEQUAL);
    }
    compare_zero(m, i.a);
    branch(m, X64_UNEQUAL, m->number);
    if (unknown) shunt_x64_land(&m->x, over);
    return true;
}

static bool make_jump_false(struct maker *m, shunt_instruction i)
{
    uint8_t known = m->known[i.a];
    if (known != SHUNT_PRESENT && known != SHUNT_STATE_UNKNOWN) return make_jump(m, i);
    if (known == SHUNT_STATE_UNKNOWN) {
        compare_state(m, i.a, SHUNT_PRESENT);
        branch(m, X64_UNEQUAL, m->number);
    }
    compare_zero(m, i.a);
    branch(m, X64_EQUAL, m->number);
    return true;
}

static bool make_jump_state(struct maker *m, shunt_instruction i)
{
    uint8_t state = i.op == SHUNT_OP_JUMP_PRESENT ? SHUNT_PRESENT : i.op == SHUNT_OP_JUMP_ABSENT ? SHUNT_ABSENT : SHUNT_CLEARED;
    if (m->known[i.a] == state) return make_jump(m, i);
    if (m->known[i.a] != SHUNT_STATE_UNKNOWN) return true;
    compare_state(m, i.a, state);
    branch(m, X64_EQUAL, m->number);
    return true;
}

static bool make_is_state(struct maker *m, shunt_instruction i)
{
    compare_state(m, i.b, (uint8_t)i.c);
    give_flag(m, X64_EQUAL);
    return true;
}

static bool make_require(struct maker *m, shunt_instruction i)
{
    need(m, i.a);
    return true;
}

static bool make_not(struct maker *m, shunt_instruction i)
{
    need(m, i.b);
    compare_zero(m, i.b);
    give_flag(m, X64_EQUAL);
    return true;
}

static bool make_bool_eq(struct maker *m, shunt_instruction i)
{
    need(m, i.b);
    need(m, i.c);
    compare_zero(m, i.b);
    shunt_x64_flag(&m->x, X64_EQUAL);
    set_register(m, R10, RAX);
    compare_zero(m, i.c);
    shunt_x64_flag(&m->x, X64_EQUAL);
    shunt_x64_registers(&m->x, X64_CMP, true, RAX, R10);
    give_flag(m, X64_EQUAL);
    return true;
}

static bool make_int_sum(struct maker *m, shunt_instruction i)
{
    need(m, i.b);
    need(m, i.c);
    with_operand(m, X64_LOAD, true, RAX, i.b, 0);
    with_operand(m, i.op == SHUNT_OP_INT_ADD ? X64_ADD : X64_SUB, true, RAX, i.c, 0);
    leave_if(m, X64_OVERFLOW);
    store(m, RAX, i.a);
    set_state(m, i.a, SHUNT_PRESENT);
    return true;
}

/* Of ints and dates. */
static bool make_int_compare(struct maker *m, shunt_instruction i)
{
    need(m, i.b);
    need(m, i.c);
    with_operand(m, X64_LOAD, true, RAX, i.b, 0);
    with_operand(m, X64_CMP, true, RAX, i.c, 0);
    give_flag(m, i.op == SHUNT_OP_INT_EQ || i.op == SHUNT_OP_DATE_EQ   ? X64_EQUAL
                 : i.op == SHUNT_OP_INT_LT || i.op == SHUNT_OP_DATE_LT ? X64_LESS
                                                                       : X64_NOT_GREATER);
    return true;
}

/* RAX and R10 become, or are compared with, a decimal. */
static void with_decimal(struct maker *m, uint32_t low, uint32_t above, uint32_t reg)
{
    with_operand(m, low, true, RAX, reg, 0);
    with_operand(m, above, true, R10, reg, 8);
}

/* A sum within 2^126 has no more than 38 digits, so a bound far below the one that holds is enough. */
static bool make_dec_sum(struct maker *m, shunt_instruction i)
{
    bool add = i.op == SHUNT_OP_DEC_ADD;
    need(m, i.b);
    need(m, i.c);
    with_decimal(m, X64_LOAD, X64_LOAD, i.b);
    with_decimal(m, add ? X64_ADD : X64_SUB, add ? X64_ADC : X64_SBB, i.c);
    leave_if(m, X64_OVERFLOW);
    set_register(m, R11, R10);
    shunt_x64_registers(&m->x, X64_ADD, true, R11, R11);
    leave_if(m, X64_OVERFLOW);
    store_both(m, RAX, R10, i.a);
    set_state(m, i.a, SHUNT_PRESENT);
    return true;
}

static bool make_dec_eq(struct maker *m, shunt_instruction i)
{
    need(m, i.b);
    need(m, i.c);
    with_decimal(m, X64_LOAD, X64_LOAD, i.b);
    with_decimal(m, X64_XOR, X64_XOR, i.c);
    shunt_x64_registers(&m->x, X64_OR, true, RAX, R10);
    give_flag(m, X64_EQUAL);
    return true;
}

static bool make_dec_order(struct maker *m, shunt_instruction i)
{
    bool less = i.op == SHUNT_OP_DEC_LT;
    need(m, i.b);
    need(m, i.c);
    with_decimal(m, X64_LOAD, X64_LOAD, less ? i.b : i.c);
    with_decimal(m, X64_CMP, X64_SBB, less ? i.c : i.b);
    give_flag(m, less ? X64_LESS : X64_NOT_LESS);
    return true;
}

/* `length` bytes behind RAX with as many of a constant, as a number. */
static void compare_bytes(struct maker *m, const char *with_bytes, uint32_t length, uint32_t displacement)
{
    uint64_t number = 0;
    memcpy(&number, with_bytes + displacement, length);
    if (length == 8) {
        shunt_x64_set(&m->x, R10, number);
        shunt_x64_memory(&m->x, X64_CMP, true, R10, RAX, displacement);
        return;
    }
    shunt_x64_memory(&m->x, length == 1 ? X64_GROUP8 : length == 2 ? X64_GROUP2 : X64_GROUP, false, X64_CMP_N, RAX, displacement);
    shunt_x64_number(&m->x, number, length);
}

/* Length and bytes, one comparison after the other; of the lengths in between, two overlap. Where nothing but a jump forwards reads the
 * result, each of them jumps. */
static bool make_text_is(struct maker *m, shunt_instruction i)
{
    shunt_text text = m->constants[i.c].text;
    uint32_t   step = text.length >= 8 ? 8 : text.length >= 4 ? 4 : text.length >= 2 ? 2 : 1;
    uint32_t   over[2 + TEXT_AT_MOST / 8], overs = 0;
    struct use use = use_of(m);
    uint32_t   jump_number = number_of(m, use.last), target = use.jumps ? target_of(m, *use.last) : 0;
    bool       direct = use.jumps && !use.stored && target > jump_number, jumps_if = use.jumps_if != use.negated;
    if (text.length > TEXT_AT_MOST) return false;
    need(m, i.b);
    with_operand(m, X64_GROUP_SHORT, false, X64_CMP_N, i.b, 8);
    shunt_x64_number(&m->x, text.length, 1);
    for (uint32_t at = 0; at < text.length; at += step) {
        if (direct && !jumps_if)
            shunt_x64_jump_if(&m->x, X64_UNEQUAL, m->labels[target]);
        else
            over[overs++] = shunt_x64_skip_if(&m->x, X64_UNEQUAL);
        if (at == 0) with_operand(m, X64_LOAD, true, RAX, i.b, 0);
        compare_bytes(m, text.bytes, step, at + step <= text.length ? at : text.length - step);
    }
    if (!direct || jumps_if) {
        if (direct) shunt_x64_jump_if(&m->x, X64_EQUAL, m->labels[target]);
        while (overs) shunt_x64_land(&m->x, over[--overs]);
        if (!direct) give_flag(m, X64_EQUAL);
    } else {
        shunt_x64_jump_if(&m->x, X64_UNEQUAL, m->labels[target]);
    }
    if (direct) done_with(m, use);
    return true;
}

static bool make_text_limit(struct maker *m, shunt_instruction i)
{
    need(m, i.b);
    shunt_x64_memory(&m->x, X64_GROUP, false, X64_CMP_N, REGISTERS, high(i.b));
    shunt_x64_number(&m->x, i.c, 4);
    slow_if(m, X64_ABOVE);
    copy_register(m, i.a, i.b);
    set_state(m, i.a, SHUNT_PRESENT);
    return true;
}

/* The text of a slot as it stands. */
static bool make_get_text(struct maker *m, shunt_instruction i)
{
    uint32_t captured = m->slots[i.c].place * (uint32_t)sizeof(shunt_captured);
    hold_slots(m, i.b);
    shunt_x64_memory(&m->x, X64_GROUP_SHORT, false, X64_CMP_N, VALUES, captured + (uint32_t)offsetof(shunt_captured, length));
    shunt_x64_number(&m->x, 0, 1);
    slow_if(m, X64_EQUAL);
    copy_value(m, i.a, VALUES, captured);
    set_state(m, i.a, SHUNT_PRESENT);
    return true;
}
_Static_assert(offsetof(shunt_captured, bytes) == offsetof(shunt_text, bytes) &&
                   offsetof(shunt_captured, length) == offsetof(shunt_text, length),
               "what is captured begins with a text");

/* A number that was read before. */
static bool make_get(struct maker *m, shunt_instruction i)
{
    shunt_vm_slot slot = m->slots[i.c];
    if (slot.way == SHUNT_WAY_TEXT) return make_get_text(m, i);
    if (slot.way == SHUNT_WAY_OTHER) {
        need(m, i.b);
        return false;
    }
    hold_slots(m, i.b);
    load(m, RAX, VALUES, slot.place * (uint32_t)sizeof(shunt_captured) + (uint32_t)offsetof(shunt_captured, kept));
    shunt_x64_registers(&m->x, X64_TEST, true, RAX, RAX);
    slow_if(m, X64_EQUAL);
    shift(m, X64_SHIFT_RIGHT_N, RAX, 1);
    if (slot.way == SHUNT_WAY_DECIMAL) {
        set_register(m, R10, RAX);
        shift(m, X64_SHIFT_RIGHT_N, R10, 63);
        store_both(m, RAX, R10, i.a);
    } else {
        store(m, RAX, i.a);
    }
    set_state(m, i.a, SHUNT_PRESENT);
    return true;
}

static bool make_child_first(struct maker *m, shunt_instruction i)
{
    hold(m, i.b);
    load(m, RAX, NODE, offsetof(shunt_node, children));
    load(m, RAX, RAX, i.c * (uint32_t)sizeof(shunt_children) + (uint32_t)offsetof(shunt_children, first));
    shunt_x64_registers(&m->x, X64_TEST, true, RAX, RAX);
    leave_if(m, X64_EQUAL);
    store(m, RAX, i.a);
    set_state(m, i.a, SHUNT_PRESENT);
    return true;
}

static bool make_position(struct maker *m, shunt_instruction i)
{
    hold(m, i.b);
    load_half(m, RAX, NODE, offsetof(shunt_node, ordinal));
    store(m, RAX, i.a);
    set_state(m, i.a, SHUNT_PRESENT);
    return true;
}

/* Instructions that can take an operand from where it stands in a row. */
static bool takes_away(const struct maker *m, const shunt_instruction *i, uint16_t reg)
{
    switch ((shunt_op)i->op) {
    case SHUNT_OP_TEXT_IS: return i->b == reg && m->constants[i->c].text.length <= TEXT_AT_MOST;
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
    case SHUNT_OP_DEC_LE: return i->b == reg || i->c == reg;
    default: return false;
    }
}

static void compare_field_state(struct maker *m, uint16_t field)
{
    shunt_x64_memory(&m->x, X64_GROUP8, false, X64_CMP_N, VALUE_STATES, field);
    shunt_x64_number(&m->x, SHUNT_PRESENT, 1);
}

/* With what is often done with it: REQUIRE; one computation, after which it is not read again; a jump where it is there. */
static bool make_field(struct maker *m, shunt_instruction i)
{
    const shunt_instruction *next = behind(m, 1);
    bool                     required = next && next->op == SHUNT_OP_REQUIRE && next->a == i.a;
    const shunt_instruction *user = required ? behind(m, 2) : next;
    hold_fields(m, i.b);
    if (user && takes_away(m, user, i.a) && !read_after(m, user, i.a)) {
        compare_field_state(m, i.c);
        leave_if(m, X64_UNEQUAL);
        m->away = i.a;
        m->away_at = place(i.c);
        m->known[i.a] = SHUNT_PRESENT;
        m->at = user;
        m->next = number_of(m, user) + 1;
        return makers[user->op](m, *user);
    }
    if (required) {
        compare_field_state(m, i.c);
        leave_if(m, X64_UNEQUAL);
        set_state(m, i.a, SHUNT_PRESENT);
        m->next++;
    } else {
        copy_state(m, i.a, VALUE_STATES, i.c);
    }
    copy_value(m, i.a, VALUES, place(i.c));
    if (!required && next && next->op == SHUNT_OP_JUMP_PRESENT && next->a == i.a) {
        shunt_x64_registers(&m->x, X64_TEST, false, RCX, RCX);
        branch(m, X64_EQUAL, m->next++);
    }
    return true;
}
_Static_assert(SHUNT_PRESENT == 0, "`make_field` and `make_recall` test for zero");

static void load_count(struct maker *m, uint32_t list)
{
    load_half(m, R10, REGISTERS, place(list) + (uint32_t)offsetof(shunt_value, list.count));
}

static bool make_list_count(struct maker *m, shunt_instruction i)
{
    need(m, i.b);
    load_count(m, i.b);
    store(m, R10, i.a);
    set_state(m, i.a, SHUNT_PRESENT);
    return true;
}

static bool make_list_first(struct maker *m, shunt_instruction i)
{
    need(m, i.b);
    load_count(m, i.b);
    shunt_x64_registers(&m->x, X64_TEST, false, R10, R10);
    leave_if(m, X64_EQUAL);
    load(m, R11, REGISTERS, place(i.b));
    copy_value(m, i.a, R11, 0);
    set_state(m, i.a, SHUNT_PRESENT);
    return true;
}

/* R11, the number of an item from 0, becomes where it stands. */
static void find_item(struct maker *m, uint32_t list)
{
    shift(m, X64_SHIFT_LEFT_N, R11, 4);
    with_operand(m, X64_ADD, true, R11, list, 0);
}

/* The end of the list leads to the jump behind, or where that leads. The item is stored first: it may be a number, and the count as well. */
static bool make_next(struct maker *m, shunt_instruction i)
{
    uint32_t end = m->number + 1, target = target_of(m, m->program->instructions[end]);
    uint8_t  kind = m->types[i.b].kind;
    if (target <= end) target = end;
    if (target == end || m->fact->joined[end - m->first]) m->marks[end] |= WANTED;
    need(m, i.c);
    if (m->known[i.a] != SHUNT_PRESENT) {
        compare_state(m, i.a, SHUNT_PRESENT);
        shunt_x64_jump_if(&m->x, X64_UNEQUAL, m->labels[target]);
    }
    load(m, R11, REGISTERS, place(i.c));
    load_count(m, i.a);
    shunt_x64_registers(&m->x, X64_CMP, true, R11, R10);
    shunt_x64_jump_if(&m->x, X64_NOT_BELOW, m->labels[target]);
    shunt_x64_memory(&m->x, X64_LEA, true, RCX, R11, 1);
    find_item(m, i.a);
    if (kind == SHUNT_KIND_ROW || kind == SHUNT_KIND_NODE) {
        load(m, NODE, R11, 0);
        store(m, NODE, i.b);
        m->held = (struct held){ .reg = i.b };
    } else {
        copy_value(m, i.b, R11, 0);
    }
    set_state(m, i.b, SHUNT_PRESENT);
    store(m, RCX, i.c);
    m->next = end + 1;
    return true;
}

/* R11: the number of an item, counted from 0, of those that `load_count` gave. */
static void load_number(struct maker *m, uint32_t number)
{
    load(m, R11, REGISTERS, place(number));
    shunt_x64_memory(&m->x, X64_LEA, true, R11, R11, UINT32_MAX); /* - 1 */
    shunt_x64_registers(&m->x, X64_CMP, true, R11, R10);
}

/* RAX: what the list keeps of states, or NULL. */
static void load_kept(struct maker *m, uint32_t list)
{
    load(m, RAX, REGISTERS, place(list));
    load(m, RAX, RAX, (uint32_t)offsetof(shunt_list_head, kept) - (uint32_t)sizeof(shunt_list_head));
    shunt_x64_registers(&m->x, X64_TEST, true, RAX, RAX);
}

/* With the jump behind, where it is taken if there is something. */
static bool make_recall(struct maker *m, shunt_instruction i)
{
    const shunt_instruction *next = behind(m, 1);
    bool     jumps = next && next->op == SHUNT_OP_JUMP_PRESENT && next->a == i.a && target_of(m, *next) > m->number + 1;
    bool     listed = m->known[i.b] == SHUNT_PRESENT;
    uint32_t none = 0;
    need(m, i.c);
    if (!listed) {
        compare_state(m, i.b, SHUNT_PRESENT);
        none = shunt_x64_skip_if(&m->x, X64_UNEQUAL);
    }
    load_count(m, i.b);
    load_number(m, i.c);
    uint32_t beyond = shunt_x64_skip_if(&m->x, X64_NOT_BELOW);
    load_kept(m, i.b);
    leave_if(m, X64_EQUAL);
    shunt_x64_indexed(&m->x, X64_LOAD8, false, RCX, RAX, R11);
    shunt_x64_memory(&m->x, X64_STORE8, false, RCX, STATES, i.a);
    find_item(m, i.b);
    copy_value(m, i.a, R11, 0);
    if (jumps) {
        shunt_x64_registers(&m->x, X64_TEST, false, RCX, RCX);
        branch(m, X64_EQUAL, m->next++);
    }
    uint32_t over = shunt_x64_skip(&m->x);
    if (!listed) shunt_x64_land(&m->x, none);
    shunt_x64_land(&m->x, beyond);
    shunt_x64_memory(&m->x, X64_SET8, false, 0, STATES, i.a);
    shunt_x64_number(&m->x, SHUNT_ABSENT, 1);
    shunt_x64_land(&m->x, over);
    return true;
}

/* Where the list has room; its step makes some. */
static bool make_keep(struct maker *m, shunt_instruction i)
{
    expect(m, i.a);
    expect(m, i.b);
    expect(m, i.c);
    load_count(m, i.b);
    load_number(m, i.c);
    slow_if(m, X64_NOT_BELOW);
    load_kept(m, i.b);
    slow_if(m, X64_EQUAL);
    shunt_x64_registers(&m->x, X64_XOR, false, RCX, RCX);
    shunt_x64_indexed(&m->x, X64_STORE8, false, RCX, RAX, R11);
    find_item(m, i.b);
    load(m, RAX, REGISTERS, place(i.a));
    shunt_x64_memory(&m->x, X64_STORE, true, RAX, R11, 0);
    if (is_short(m->types[i.a].kind)) return true;
    load(m, RAX, REGISTERS, high(i.a));
    shunt_x64_memory(&m->x, X64_STORE, true, RAX, R11, 8);
    return true;
}

static maker_of *const makers[SHUNT_OP_COUNT] = {
    [SHUNT_OP_NOP] = make_nothing,
    [SHUNT_OP_EXTRA] = make_nothing,
    [SHUNT_OP_MOVE] = make_move,
    [SHUNT_OP_RETYPE] = make_move,
    [SHUNT_OP_LOADK] = make_loadk,
    [SHUNT_OP_ABSENT] = make_absent,
    [SHUNT_OP_GLOBAL_GET] = make_global_get,
    [SHUNT_OP_CALL] = make_call,
    [SHUNT_OP_JUMP] = make_jump,
    [SHUNT_OP_JUMP_TRUE] = make_jump_true,
    [SHUNT_OP_JUMP_FALSE] = make_jump_false,
    [SHUNT_OP_JUMP_PRESENT] = make_jump_state,
    [SHUNT_OP_JUMP_ABSENT] = make_jump_state,
    [SHUNT_OP_JUMP_CLEARED] = make_jump_state,
    [SHUNT_OP_IS_STATE] = make_is_state,
    [SHUNT_OP_REQUIRE] = make_require,
    [SHUNT_OP_NOT] = make_not,
    [SHUNT_OP_BOOL_EQ] = make_bool_eq,
    [SHUNT_OP_INT_ADD] = make_int_sum,
    [SHUNT_OP_INT_SUB] = make_int_sum,
    [SHUNT_OP_INT_EQ] = make_int_compare,
    [SHUNT_OP_INT_LT] = make_int_compare,
    [SHUNT_OP_INT_LE] = make_int_compare,
    [SHUNT_OP_DATE_EQ] = make_int_compare,
    [SHUNT_OP_DATE_LT] = make_int_compare,
    [SHUNT_OP_DATE_LE] = make_int_compare,
    [SHUNT_OP_DEC_ADD] = make_dec_sum,
    [SHUNT_OP_DEC_SUB] = make_dec_sum,
    [SHUNT_OP_DEC_EQ] = make_dec_eq,
    [SHUNT_OP_DEC_LT] = make_dec_order,
    [SHUNT_OP_DEC_LE] = make_dec_order,
    [SHUNT_OP_TEXT_IS] = make_text_is,
    [SHUNT_OP_TEXT_LIMIT] = make_text_limit,
    [SHUNT_OP_GET] = make_get,
    [SHUNT_OP_GET_OPTIONAL] = make_get,
    [SHUNT_OP_GET_TEXT] = make_get_text,
    [SHUNT_OP_CHILD_FIRST] = make_child_first,
    [SHUNT_OP_POSITION] = make_position,
    [SHUNT_OP_FIELD] = make_field,
    [SHUNT_OP_LIST_COUNT] = make_list_count,
    [SHUNT_OP_LIST_FIRST] = make_list_first,
    [SHUNT_OP_NEXT] = make_next,
    [SHUNT_OP_RECALL] = make_recall,
    [SHUNT_OP_KEEP] = make_keep,
};

/* ---- the whole ---- */

/* The beginning of a block, and what is known there. */
static void begin_block(struct maker *m, uint32_t number, bool joined)
{
    uint32_t at = number - m->first;
    if (m->fact->blocks[at]) shunt_facts_begin(m->fact, at, m->known);
    if (!joined) return;
    m->held.reg = NOTHING;
    memset(m->halves, 0, m->fact->function->registers);
}

/* Its step, or nothing: the loop. */
static void make_other(struct maker *m)
{
    uint16_t op = m->at->op;
    if (op == SHUNT_OP_COLLECT || op == SHUNT_OP_ANCESTOR || op == SHUNT_OP_TEXT_OF || op == SHUNT_OP_TEXT_OF_ENUM)
        need(m, m->at->b); /* so that the result is there */
    if (shunt_vm_steps[op]) {
        call_step(m, m->number);
        m->held.reg = NOTHING;
        return;
    }
    m->marks[m->number] &= (uint8_t)~NATIVE;
    shunt_x64_jump(&m->x, stub_of(m, m->number));
}

static void make_one(struct maker *m, uint32_t number)
{
    m->at = &m->program->instructions[number];
    m->number = number;
    m->next = number + 1;
    m->away = m->unstored = NOTHING;
    m->labels[number] = m->x.length;
    m->marks[number] |= NATIVE;
    if (!makers[m->at->op] || !makers[m->at->op](m, *m->at)) make_other(m);
    m->back[number] = m->x.length;
    m->again[number] = m->held;
    for (uint32_t n = number; n < m->next; n++) shunt_facts_after(m->program, m->program->instructions[n], m->known);
    if (m->away != NOTHING) m->known[m->away] = SHUNT_STATE_UNKNOWN;
    if (m->unstored != NOTHING) m->known[m->unstored] = SHUNT_STATE_UNKNOWN;
}

/* Jumps behind a NEXT and what is SLOW stand at the end. */
static void make_function(struct maker *m, uint32_t function)
{
    const shunt_function *f = &m->program->functions[function];
    m->fact = &m->facts[function];
    if (!m->fact->known) return;
    m->types = m->program->register_types + f->type_first;
    m->first = f->code_first;
    m->end = f->code_first + f->code_count;
    for (uint32_t number = m->first; number < m->end; number = m->next) {
        begin_block(m, number, m->fact->joined[number - m->first]);
        make_one(m, number);
    }
    for (uint32_t number = m->first; number < m->end; number++) {
        if (!(m->marks[number] & WANTED)) continue;
        begin_block(m, number, true);
        make_one(m, number);
    }
    for (uint32_t number = m->first; number < m->end; number++) {
        if (!(m->marks[number] & SLOW)) continue;
        m->slow[number] = m->x.length;
        call_step(m, number);
        hold_again(m, m->again[number]);
        shunt_x64_jump(&m->x, m->back[number]);
    }
}

/* A called function finds the stack as the calling convention wants it. */
static void make_way_in(struct maker *m)
{
    static const shunt_x64_register saved[] = { RBX, RBP, R12, R13, R14, R15 };
    enum { ALIGN = 8 };
    for (uint32_t i = 0; i < SHUNT_COUNT(saved); i++) shunt_x64_push(&m->x, saved[i]);
    shunt_x64_registers(&m->x, X64_GROUP_SHORT, true, X64_SUB_N, RSP);
    shunt_x64_number(&m->x, ALIGN, 1);
    set_register(m, VM, RDI);
    set_register(m, REGISTERS, RSI);
    set_register(m, STATES, RDX);
    load(m, CONSTANTS, VM, offsetof(shunt_vm, constants));
    load(m, GLOBALS, VM, offsetof(shunt_vm, globals));
    load(m, GLOBAL_STATES, VM, offsetof(shunt_vm, global_states));
    shunt_x64_registers(&m->x, X64_INDIRECT, false, X64_JUMP_N, RCX);

    m->out = m->x.length; /* the status in EAX, the number in ECX */
    shift(m, X64_SHIFT_LEFT_N, RAX, 32);
    shunt_x64_registers(&m->x, X64_OR, true, RAX, RCX);
    shunt_x64_registers(&m->x, X64_GROUP_SHORT, true, X64_ADD_N, RSP);
    shunt_x64_number(&m->x, ALIGN, 1);
    for (uint32_t i = SHUNT_COUNT(saved); i-- > 0;) shunt_x64_pop(&m->x, saved[i]);
    shunt_x64_number(&m->x, 0xc3, 1); /* ret */
}

static void make_all(struct maker *m)
{
    const shunt_program *p = m->program;
    m->x.length = 0;
    memset(m->marks, 0, p->instructions_count);
    make_way_in(m);
    m->stubs = m->x.length;
    for (uint32_t number = 0; number < p->instructions_count; number++) {
        shunt_x64_registers(&m->x, X64_XOR, false, RAX, RAX);
        shunt_x64_set(&m->x, RCX, number);
        shunt_x64_jump(&m->x, m->out);
    }
    for (uint32_t f = 0; f < p->functions_count; f++) make_function(m, f);
}

/* The first pass counts, so that the second one knows where all jumps lead. */
static bool make_code(struct maker *m)
{
    shunt_native *native = m->native;
    make_all(m);
    native->size = m->x.length + sizeof(uint64_t);
    void *code = mmap(NULL, native->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED) return false;
    native->code = (uint8_t *)code;
    m->x.code = native->code;
    make_all(m);
    return mprotect(code, native->size, PROT_READ | PROT_EXEC) == 0;
}

/* ---- entries ---- */

/* Where something joins, nothing but states is taken for granted. One instruction alone is not worth the way there and back. */
static bool is_entry(const struct maker *m, const shunt_facts *f, uint32_t at)
{
    uint32_t                 number = f->function->code_first + at;
    const shunt_instruction *i = m->program->instructions + number;
    if (!f->joined[at] || !(m->marks[number] & NATIVE)) return false;
    return i->op == SHUNT_OP_NEXT || i->op == SHUNT_OP_JUMP ||
           (at + 1 < f->function->code_count && m->marks[number + 1] & NATIVE);
}

/* Fills `taken`, or only counts. */
static uint32_t name_entries(struct maker *m, shunt_native_taken *taken, shunt_instruction *code)
{
    const shunt_program *p = m->program;
    uint32_t             count = 0;
    for (uint32_t f = 0; f < p->functions_count; f++) {
        const shunt_facts *fact = &m->facts[f];
        for (uint32_t at = 0; at < fact->function->code_count; at++) {
            if (!is_entry(m, fact, at)) continue;
            uint32_t number = fact->function->code_first + at, first = count;
            shunt_facts_begin(fact, at, m->known);
            for (uint16_t reg = 0; reg < fact->function->registers; reg++) {
                if (m->known[reg] == SHUNT_STATE_UNKNOWN) continue;
                if (taken) taken[count] = (shunt_native_taken){ reg, m->known[reg] };
                count++;
            }
            if (!taken) continue;
            m->native->entries[number] = (shunt_native_entry){ m->labels[number], first, count - first };
            code[number].op = SHUNT_OP_NATIVE;
        }
    }
    return count;
}

/* ---- life ---- */

/* False: no memory. */
static bool prepare(struct maker *m, const shunt_memory *memory)
{
    const shunt_program *p = m->program;
    uint32_t             count = p->instructions_count, registers = 1;
    shunt_facts_shared   shared;
    for (uint32_t f = 0; f < p->functions_count; f++)
        if (p->functions[f].registers >= registers) registers = p->functions[f].registers + 1u;
    m->native = (shunt_native *)shunt_memory_zeroed(memory, 1, sizeof *m->native + sizeof *m->native->entries * count);
    if (m->native) m->native->memory = memory;
    m->labels = (uint32_t *)shunt_memory_zeroed(memory, count, 3 * sizeof *m->labels);
    m->slow = m->labels + count;
    m->back = m->slow + count;
    m->again = (struct held *)shunt_memory_zeroed(memory, count, sizeof *m->again);
    m->marks = (uint8_t *)shunt_memory_zeroed(memory, count, 1);
    m->known = (uint8_t *)shunt_memory_zeroed(memory, registers, 2);
    m->halves = m->known + registers;
    m->facts = (shunt_facts *)shunt_memory_zeroed(memory, p->functions_count + 1u, sizeof *m->facts);
    bool fine = m->native && m->labels && m->again && m->marks && m->known && m->facts;
    shunt_facts_start(p, STATES_AT_MOST, &shared);
    for (uint32_t f = 0; fine && f < p->functions_count; f++)
        fine = shunt_facts_new(memory, p, &p->functions[f], &shared, &m->facts[f]);
    return fine;
}

static void clean_up(struct maker *m, const shunt_memory *memory)
{
    for (uint32_t f = 0; m->facts && f < m->program->functions_count; f++) shunt_facts_free(&m->facts[f]);
    shunt_memory_free(memory, m->facts);
    shunt_memory_free(memory, m->labels);
    shunt_memory_free(memory, m->again);
    shunt_memory_free(memory, m->marks);
    shunt_memory_free(memory, m->known);
    shunt_native_free(m->native);
}

bool shunt_native_new(const shunt_memory *memory, const shunt_program *p, const shunt_vm_slot *slots,
                      const struct shunt_memo *memo, shunt_instruction *code, shunt_native **native)
{
    *native = NULL;
    if (p->instructions_count == 0 || p->instructions_count > INSTRUCTIONS_AT_MOST) return true;
    struct maker m = { .program = p, .constants = shunt_program_owner_of(p)->constants, .slots = slots, .memo = memo };
    bool         fine = prepare(&m, memory);
    if (fine && make_code(&m)) {
        m.native->taken =
            (shunt_native_taken *)shunt_memory_zeroed(memory, name_entries(&m, NULL, NULL) + 1u, sizeof *m.native->taken);
        fine = m.native->taken;
        if (fine) {
            name_entries(&m, m.native->taken, code);
            *native = m.native;
            m.native = NULL;
        }
    }
    clean_up(&m, memory);
    return fine;
}

void shunt_native_free(shunt_native *native)
{
    if (!native) return;
    if (native->code) munmap(native->code, native->size);
    shunt_memory_free(native->memory, native->taken);
    shunt_memory_free(native->memory, native);
}

#else

bool shunt_native_new(const shunt_memory *memory, const shunt_program *program, const shunt_vm_slot *slots,
                      const struct shunt_memo *memo, shunt_instruction *code, shunt_native **native)
{
    (void)memory;
    (void)program;
    (void)slots;
    (void)memo;
    (void)code;
    *native = NULL;
    return true;
}

void shunt_native_free(shunt_native *native) { (void)native; }

#endif
