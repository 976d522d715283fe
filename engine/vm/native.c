#include "engine/vm/native.h"

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
    SHORT = 8,  /* texts up to here are compared in place */
    MADE = 1,   /* marks of instructions: it was its turn */
    NATIVE = 2, /* there is machine code for it */
    SLOW = 4,   /* and some that calls its step, where its operands are not the usual ones */
};

/* What stays in registers that a called function leaves alone. RAX, R10 and R11 are free. */
static const shunt_x64_register REGISTERS = RBX, STATES = RBP, VM = R13, CONSTANTS = R14, GLOBALS = R15, GLOBAL_STATES = R12;

/* The code begins with the way in and out, and a stub for each instruction of the program, by number. */
struct maker {
    shunt_x64                x;
    const shunt_program     *program;
    const shunt_value       *constants;
    const shunt_vm_slot     *slots;
    uint32_t                *entries;
    uint32_t                *slow; /* one an instruction: where its SLOW code begins */
    uint32_t                *back; /* and where that leads back to */
    uint32_t                 out;  /* the way out */
    uint32_t                 stubs;
    const shunt_type        *types; /* of the registers of the function */
    uint8_t                 *marks;
    const shunt_instruction *at;         /* the one at hand */
    uint32_t                 number;     /* its own */
    uint32_t                 first, end; /* of the function */
    uint32_t                 next;       /* number of the first one behind what the machine code at hand does */
};

/* ---- pieces ---- */

static uint32_t place(uint32_t reg) { return reg * (uint32_t)sizeof(shunt_value); }
static uint32_t high(uint32_t reg) { return place(reg) + 8; }
static uint32_t stub_of(const struct maker *m, uint32_t number) { return m->stubs + number * STUB; }

/* Not the usual operands: its step does it, or the loop. */
static void stop_if(struct maker *m, shunt_x64_condition condition)
{
    bool step = shunt_vm_steps[m->at->op];
    if (step) m->marks[m->number] |= SLOW;
    shunt_x64_jump_if(&m->x, condition, step ? m->slow[m->number] : stub_of(m, m->number));
}

static void compare_state(struct maker *m, uint32_t reg, uint8_t state)
{
    shunt_x64_memory(&m->x, X64_GROUP8, false, X64_CMP_N, STATES, reg);
    shunt_x64_number(&m->x, state, 1);
}

/* Stops unless the register is present. */
static void need(struct maker *m, uint32_t reg)
{
    compare_state(m, reg, SHUNT_PRESENT);
    stop_if(m, X64_UNEQUAL);
}

static void set_state(struct maker *m, uint32_t reg, uint8_t state)
{
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

static void store(struct maker *m, shunt_x64_register from, uint32_t displacement)
{
    shunt_x64_memory(&m->x, X64_STORE, true, from, REGISTERS, displacement);
}

/* In two halves: what was stored in halves just now can not be loaded at once without a wait. */
static void copy_value(struct maker *m, uint32_t to, shunt_x64_register base, uint32_t displacement)
{
    shunt_x64_register low = base == RAX ? R11 : RAX;
    load(m, low, base, displacement);
    load(m, R10, base, displacement + 8);
    store(m, low, place(to));
    store(m, R10, high(to));
}

static void copy_state(struct maker *m, uint32_t to, shunt_x64_register base, uint32_t displacement)
{
    shunt_x64_memory(&m->x, X64_LOAD8, false, RAX, base, displacement);
    shunt_x64_memory(&m->x, X64_STORE8, false, RAX, STATES, to);
}

static void with(struct maker *m, uint32_t opcode, shunt_x64_register reg, uint32_t displacement)
{
    shunt_x64_memory(&m->x, opcode, true, reg, REGISTERS, displacement);
}

static void compare_zero(struct maker *m, uint32_t displacement)
{
    shunt_x64_memory(&m->x, X64_GROUP_SHORT, true, X64_CMP_N, REGISTERS, displacement);
    shunt_x64_number(&m->x, 0, 1);
}

static uint32_t target_of(const struct maker *m, shunt_instruction i) { return m->first + (i.b | (uint32_t)i.c << 16); }

/* What a jump back costs is taken from the steps that are left. */
static void charge(struct maker *m, uint32_t number, uint32_t target)
{
    uint32_t steps = number + 1 - target;
    shunt_x64_memory(&m->x, X64_GROUP, true, X64_CMP_N, VM, (uint32_t)offsetof(shunt_vm, left));
    shunt_x64_number(&m->x, steps, 4);
    shunt_x64_jump_if(&m->x, X64_BELOW, stub_of(m, number));
    shunt_x64_memory(&m->x, X64_GROUP, true, X64_SUB_N, VM, (uint32_t)offsetof(shunt_vm, left));
    shunt_x64_number(&m->x, steps, 4);
}

/* The jump with this number is taken where the condition holds. */
static void branch(struct maker *m, shunt_x64_condition condition, uint32_t number)
{
    uint32_t target = target_of(m, m->program->instructions[number]);
    if (target > number) {
        shunt_x64_jump_if(&m->x, condition, m->entries[target]);
        return;
    }
    uint32_t over = shunt_x64_skip_if(&m->x, condition ^ 1);
    charge(m, number, target);
    shunt_x64_jump(&m->x, m->entries[target]);
    shunt_x64_land(&m->x, over);
}

/* The register becomes whether the condition holds. What is often done with it next, NOT and a jump by it, uses the flags at hand. */
static void give_flag(struct maker *m, shunt_x64_condition condition)
{
    const shunt_instruction *next = m->at + 1, *end = m->program->instructions + m->end;
    uint16_t                 reg = m->at->a;
    if (next < end && next->op == SHUNT_OP_NOT && next->a == reg && next->b == reg) {
        condition ^= 1;
        next++;
    }
    shunt_x64_flag(&m->x, condition);
    store(m, RAX, place(reg));
    set_state(m, reg, SHUNT_PRESENT);
    if (next < end && (next->op == SHUNT_OP_JUMP_TRUE || next->op == SHUNT_OP_JUMP_FALSE) && next->a == reg) {
        branch(m, next->op == SHUNT_OP_JUMP_TRUE ? condition : condition ^ 1, (uint32_t)(next - m->program->instructions));
        next++;
    }
    m->next = (uint32_t)(next - m->program->instructions);
}

static void set_register(struct maker *m, shunt_x64_register to, shunt_x64_register from)
{
    shunt_x64_registers(&m->x, X64_LOAD, true, to, from);
}

static void call(struct maker *m, uintptr_t function)
{
    shunt_x64_set(&m->x, RAX, function);
    shunt_x64_registers(&m->x, X64_INDIRECT, false, X64_CALL_N, RAX);
}

/* What every function that does an instruction is told first: VM, registers, states, instruction. */
static void pass_instruction(struct maker *m, uint32_t number)
{
    set_register(m, RDI, VM);
    set_register(m, RSI, REGISTERS);
    set_register(m, RDX, STATES);
    shunt_x64_set(&m->x, RCX, (uintptr_t)(m->program->instructions + number));
}

/* Does an instruction by its step. */
static void call_step(struct maker *m, uint32_t number)
{
    const shunt_program *p = m->program;
    pass_instruction(m, number);
    shunt_x64_set(&m->x, R8, (uintptr_t)m->types);
    shunt_x64_set(&m->x, R9, p->instruction_sites_count ? p->instruction_sites[number] : 0);
    call(m, (uintptr_t)shunt_vm_steps[p->instructions[number].op]);
    shunt_x64_registers(&m->x, X64_TEST, false, RAX, RAX);
    shunt_x64_jump_if(&m->x, X64_UNEQUAL, stub_of(m, number) + STUB_FAILS);
}

static void shift(struct maker *m, unsigned how, shunt_x64_register reg, unsigned bits)
{
    shunt_x64_registers(&m->x, X64_SHIFT, true, how, reg);
    shunt_x64_number(&m->x, bits, 1);
}

/* ---- instructions ----
 * Each writes the machine code of the instruction, which goes on with the one behind it. False: it has none. */

static bool make_nothing(struct maker *m, shunt_instruction i)
{
    (void)m;
    (void)i;
    return true;
}

static bool make_move(struct maker *m, shunt_instruction i)
{
    copy_value(m, i.a, REGISTERS, place(i.b));
    copy_state(m, i.a, STATES, i.b);
    return true;
}

static bool make_loadk(struct maker *m, shunt_instruction i)
{
    copy_value(m, i.a, CONSTANTS, place(i.b));
    set_state(m, i.a, SHUNT_PRESENT);
    return true;
}

static bool make_absent(struct maker *m, shunt_instruction i)
{
    set_state(m, i.a, SHUNT_ABSENT);
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
    if (!m->program->functions[i.b].pure) return false;
    pass_instruction(m, m->number);
    call(m, (uintptr_t)shunt_vm_remembered);
    shunt_x64_registers(&m->x, X64_TEST8, false, RAX, RAX);
    shunt_x64_jump_if(&m->x, X64_EQUAL, stub_of(m, m->number));
    return true;
}

static bool make_jump(struct maker *m, shunt_instruction i)
{
    uint32_t target = target_of(m, i);
    if (target <= m->number) charge(m, m->number, target);
    shunt_x64_jump(&m->x, m->entries[target]);
    return true;
}

static bool make_jump_true(struct maker *m, shunt_instruction i)
{
    compare_state(m, i.a, SHUNT_PRESENT);
    uint32_t over = shunt_x64_skip_if(&m->x, X64_UNEQUAL);
    compare_zero(m, place(i.a));
    branch(m, X64_UNEQUAL, m->number);
    shunt_x64_land(&m->x, over);
    return true;
}

static bool make_jump_false(struct maker *m, shunt_instruction i)
{
    compare_state(m, i.a, SHUNT_PRESENT);
    branch(m, X64_UNEQUAL, m->number);
    compare_zero(m, place(i.a));
    branch(m, X64_EQUAL, m->number);
    return true;
}

static bool make_jump_state(struct maker *m, shunt_instruction i)
{
    compare_state(m, i.a,
                  i.op == SHUNT_OP_JUMP_PRESENT  ? SHUNT_PRESENT
                  : i.op == SHUNT_OP_JUMP_ABSENT ? SHUNT_ABSENT
                                                 : SHUNT_CLEARED);
    branch(m, X64_EQUAL, m->number);
    return true;
}

static bool make_is_state(struct maker *m, shunt_instruction i)
{
    if (i.c > SHUNT_CLEARED) return false;
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
    compare_zero(m, place(i.b));
    give_flag(m, X64_EQUAL);
    return true;
}

static bool make_int_sum(struct maker *m, shunt_instruction i)
{
    need(m, i.b);
    need(m, i.c);
    load(m, RAX, REGISTERS, place(i.b));
    with(m, i.op == SHUNT_OP_INT_ADD ? X64_ADD : X64_SUB, RAX, place(i.c));
    stop_if(m, X64_OVERFLOW);
    store(m, RAX, place(i.a));
    set_state(m, i.a, SHUNT_PRESENT);
    return true;
}

/* Of ints and dates. */
static bool make_int_compare(struct maker *m, shunt_instruction i)
{
    need(m, i.b);
    need(m, i.c);
    load(m, RAX, REGISTERS, place(i.b));
    with(m, X64_CMP, RAX, place(i.c));
    give_flag(m, i.op == SHUNT_OP_INT_EQ || i.op == SHUNT_OP_DATE_EQ   ? X64_EQUAL
                 : i.op == SHUNT_OP_INT_LT || i.op == SHUNT_OP_DATE_LT ? X64_LESS
                                                                       : X64_NOT_GREATER);
    return true;
}

/* A sum within 2^126 has no more than 38 digits, so a bound far below the one that holds is enough. */
static bool make_dec_sum(struct maker *m, shunt_instruction i)
{
    bool add = i.op == SHUNT_OP_DEC_ADD;
    need(m, i.b);
    need(m, i.c);
    load(m, RAX, REGISTERS, place(i.b));
    load(m, R10, REGISTERS, high(i.b));
    with(m, add ? X64_ADD : X64_SUB, RAX, place(i.c));
    with(m, add ? X64_ADC : X64_SBB, R10, high(i.c));
    stop_if(m, X64_OVERFLOW);
    shunt_x64_registers(&m->x, X64_LOAD, true, R11, R10);
    shunt_x64_registers(&m->x, X64_ADD, true, R11, R11);
    stop_if(m, X64_OVERFLOW);
    store(m, RAX, place(i.a));
    store(m, R10, high(i.a));
    set_state(m, i.a, SHUNT_PRESENT);
    return true;
}

static bool make_dec_eq(struct maker *m, shunt_instruction i)
{
    need(m, i.b);
    need(m, i.c);
    load(m, RAX, REGISTERS, place(i.b));
    load(m, R10, REGISTERS, high(i.b));
    with(m, X64_XOR, RAX, place(i.c));
    with(m, X64_XOR, R10, high(i.c));
    shunt_x64_registers(&m->x, X64_OR, true, RAX, R10);
    give_flag(m, X64_EQUAL);
    return true;
}

static bool make_dec_order(struct maker *m, shunt_instruction i)
{
    uint16_t left = i.op == SHUNT_OP_DEC_LT ? i.b : i.c, right = i.op == SHUNT_OP_DEC_LT ? i.c : i.b;
    need(m, i.b);
    need(m, i.c);
    load(m, RAX, REGISTERS, place(left));
    load(m, R10, REGISTERS, high(left));
    with(m, X64_CMP, RAX, place(right));
    with(m, X64_SBB, R10, high(right));
    give_flag(m, i.op == SHUNT_OP_DEC_LT ? X64_LESS : X64_NOT_LESS);
    return true;
}

/* `length` bytes behind RAX with as many of a constant, as a number. */
static void compare_bytes(struct maker *m, const char *with_bytes, uint32_t length, uint32_t displacement)
{
    uint32_t number = 0;
    memcpy(&number, with_bytes + displacement, length);
    shunt_x64_memory(&m->x, length == 1 ? X64_GROUP8 : length == 2 ? X64_GROUP2 : X64_GROUP, false, X64_CMP_N, RAX, displacement);
    shunt_x64_number(&m->x, number, length);
}

/* Of the lengths in between, two steps overlap. */
static bool make_text_is(struct maker *m, shunt_instruction i)
{
    shunt_text text = m->constants[i.c].text;
    uint32_t   step = text.length >= 4 ? 4 : text.length >= 2 ? 2 : 1;
    if (text.length == 0 || text.length > SHORT) return false;
    need(m, i.b);
    shunt_x64_memory(&m->x, X64_GROUP_SHORT, false, X64_CMP_N, REGISTERS, high(i.b));
    shunt_x64_number(&m->x, text.length, 1);
    uint32_t other_length = shunt_x64_skip_if(&m->x, X64_UNEQUAL);
    load(m, RAX, REGISTERS, place(i.b));
    compare_bytes(m, text.bytes, step, 0);
    if (text.length > step) {
        uint32_t other_bytes = shunt_x64_skip_if(&m->x, X64_UNEQUAL);
        compare_bytes(m, text.bytes, step, text.length - step);
        shunt_x64_land(&m->x, other_bytes);
    }
    shunt_x64_land(&m->x, other_length);
    give_flag(m, X64_EQUAL);
    return true;
}

static bool make_text_limit(struct maker *m, shunt_instruction i)
{
    need(m, i.b);
    shunt_x64_memory(&m->x, X64_GROUP, false, X64_CMP_N, REGISTERS, high(i.b));
    shunt_x64_number(&m->x, i.c, 4);
    stop_if(m, X64_ABOVE);
    copy_value(m, i.a, REGISTERS, place(i.b));
    set_state(m, i.a, SHUNT_PRESENT);
    return true;
}

/* RAX: the captured values of the node in the register. */
static void load_slots(struct maker *m, uint32_t reg)
{
    need(m, reg);
    load(m, RAX, REGISTERS, place(reg));
    load(m, RAX, RAX, offsetof(shunt_node, slots));
}

/* The text of a slot as it stands. */
static bool make_get_text(struct maker *m, shunt_instruction i)
{
    uint32_t captured = m->slots[i.c].place * (uint32_t)sizeof(shunt_captured);
    load_slots(m, i.b);
    load_half(m, R10, RAX, captured + (uint32_t)offsetof(shunt_captured, length));
    shunt_x64_registers(&m->x, X64_TEST, false, R10, R10);
    stop_if(m, X64_EQUAL);
    load(m, RAX, RAX, captured + (uint32_t)offsetof(shunt_captured, bytes));
    store(m, RAX, place(i.a));
    store(m, R10, high(i.a));
    set_state(m, i.a, SHUNT_PRESENT);
    return true;
}

/* A number that was read before. */
static bool make_get(struct maker *m, shunt_instruction i)
{
    shunt_vm_slot slot = m->slots[i.c];
    if (slot.way == SHUNT_WAY_TEXT) return make_get_text(m, i);
    if (slot.way == SHUNT_WAY_OTHER) return false;
    load_slots(m, i.b);
    load(m, RAX, RAX, slot.place * (uint32_t)sizeof(shunt_captured) + (uint32_t)offsetof(shunt_captured, kept));
    shunt_x64_registers(&m->x, X64_TEST, true, RAX, RAX);
    stop_if(m, X64_EQUAL);
    shift(m, X64_SHIFT_RIGHT_N, RAX, 1);
    store(m, RAX, place(i.a));
    if (slot.way == SHUNT_WAY_DECIMAL) {
        shift(m, X64_SHIFT_RIGHT_N, RAX, 63);
        store(m, RAX, high(i.a));
    }
    set_state(m, i.a, SHUNT_PRESENT);
    return true;
}

static bool make_child_first(struct maker *m, shunt_instruction i)
{
    need(m, i.b);
    load(m, RAX, REGISTERS, place(i.b));
    load(m, RAX, RAX, offsetof(shunt_node, children));
    load(m, RAX, RAX, i.c * (uint32_t)sizeof(shunt_children) + (uint32_t)offsetof(shunt_children, first));
    shunt_x64_registers(&m->x, X64_TEST, true, RAX, RAX);
    stop_if(m, X64_EQUAL);
    store(m, RAX, place(i.a));
    set_state(m, i.a, SHUNT_PRESENT);
    return true;
}

static bool make_position(struct maker *m, shunt_instruction i)
{
    need(m, i.b);
    load(m, RAX, REGISTERS, place(i.b));
    load_half(m, RAX, RAX, offsetof(shunt_node, ordinal));
    store(m, RAX, place(i.a));
    set_state(m, i.a, SHUNT_PRESENT);
    return true;
}

static bool make_field(struct maker *m, shunt_instruction i)
{
    need(m, i.b);
    load(m, R11, REGISTERS, place(i.b));
    load(m, R10, R11, offsetof(shunt_row, fields));
    load(m, R11, R11, offsetof(shunt_row, states));
    copy_value(m, i.a, R10, place(i.c));
    copy_state(m, i.a, R11, i.c);
    return true;
}

static void load_count(struct maker *m, uint32_t list)
{
    load_half(m, R10, REGISTERS, place(list) + (uint32_t)offsetof(shunt_value, list.count));
}

static bool make_list_count(struct maker *m, shunt_instruction i)
{
    need(m, i.b);
    load_count(m, i.b);
    store(m, R10, place(i.a));
    set_state(m, i.a, SHUNT_PRESENT);
    return true;
}

static bool make_list_first(struct maker *m, shunt_instruction i)
{
    need(m, i.b);
    load_count(m, i.b);
    shunt_x64_registers(&m->x, X64_TEST, false, R10, R10);
    stop_if(m, X64_EQUAL);
    load(m, RAX, REGISTERS, place(i.b));
    copy_value(m, i.a, RAX, 0);
    set_state(m, i.a, SHUNT_PRESENT);
    return true;
}

/* RAX: where item number R10 of the list stands. */
static void find_item(struct maker *m, uint32_t list)
{
    load(m, RAX, REGISTERS, place(list));
    shift(m, X64_SHIFT_LEFT_N, R10, 4);
    shunt_x64_registers(&m->x, X64_ADD, true, RAX, R10);
}

/* The end of the list leads to the jump behind, which is no part of this. */
static bool make_next(struct maker *m, shunt_instruction i)
{
    uint32_t end = m->number + 1;
    need(m, i.c);
    compare_state(m, i.a, SHUNT_PRESENT);
    shunt_x64_jump_if(&m->x, X64_UNEQUAL, m->entries[end]);
    load(m, R11, REGISTERS, place(i.c));
    load_count(m, i.a);
    shunt_x64_registers(&m->x, X64_CMP, true, R11, R10);
    shunt_x64_jump_if(&m->x, X64_NOT_BELOW, m->entries[end]);
    shunt_x64_registers(&m->x, X64_LOAD, true, R10, R11);
    shunt_x64_memory(&m->x, X64_LEA, true, R11, R11, 1);
    store(m, R11, place(i.c));
    find_item(m, i.a);
    copy_value(m, i.b, RAX, 0);
    set_state(m, i.b, SHUNT_PRESENT);
    m->next = end + 1;
    return true;
}

/* R10: the number of an item that is there, counted from 0. R11: what its list keeps of states, or NULL. */
static void find_kept(struct maker *m, uint32_t list, uint32_t number)
{
    need(m, number);
    need(m, list);
    load_count(m, list);
    load(m, R11, REGISTERS, place(number));
    shunt_x64_memory(&m->x, X64_LEA, true, R11, R11, UINT32_MAX); /* - 1 */
    shunt_x64_registers(&m->x, X64_CMP, true, R11, R10);
    stop_if(m, X64_NOT_BELOW);
    shunt_x64_registers(&m->x, X64_LOAD, true, R10, R11);
    load(m, RAX, REGISTERS, place(list));
    load(m, R11, RAX, (uint32_t)offsetof(shunt_list_head, kept) - (uint32_t)sizeof(shunt_list_head));
    shunt_x64_registers(&m->x, X64_TEST, true, R11, R11);
    stop_if(m, X64_EQUAL);
}

static bool make_recall(struct maker *m, shunt_instruction i)
{
    find_kept(m, i.b, i.c);
    shunt_x64_indexed(&m->x, X64_LOAD8, false, RAX, R11, R10);
    shunt_x64_memory(&m->x, X64_STORE8, false, RAX, STATES, i.a);
    find_item(m, i.b);
    copy_value(m, i.a, RAX, 0);
    return true;
}

/* Where the list has room; the loop makes some. */
static bool make_keep(struct maker *m, shunt_instruction i)
{
    need(m, i.a);
    find_kept(m, i.b, i.c);
    shunt_x64_registers(&m->x, X64_XOR, false, RAX, RAX);
    shunt_x64_indexed(&m->x, X64_STORE8, false, RAX, R11, R10);
    find_item(m, i.b);
    load(m, R10, REGISTERS, place(i.a));
    load(m, R11, REGISTERS, high(i.a));
    shunt_x64_memory(&m->x, X64_STORE, true, R10, RAX, 0);
    shunt_x64_memory(&m->x, X64_STORE, true, R11, RAX, 8);
    return true;
}
_Static_assert(SHUNT_PRESENT == 0, "`make_keep` stores it as the zero at hand");

static bool (*const makers[SHUNT_OP_COUNT])(struct maker *, shunt_instruction) = {
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

/* Where there is no machine code for it, the entry is the stub. */
static void make_one(struct maker *m, uint32_t number)
{
    m->at = &m->program->instructions[number];
    m->number = number;
    m->next = number + 1;
    m->entries[number] = m->x.length;
    m->marks[number] |= MADE | NATIVE;
    if (makers[m->at->op] && makers[m->at->op](m, *m->at)) {
        m->back[number] = m->x.length;
        return;
    }
    if (shunt_vm_steps[m->at->op]) {
        call_step(m, number);
        return;
    }
    m->marks[number] &= (uint8_t)~NATIVE;
    m->entries[number] = stub_of(m, number);
    shunt_x64_jump(&m->x, stub_of(m, number));
}

/* What is done together with an instruction before it stands at the end, for those who jump to it. */
static void make_function(struct maker *m, const shunt_function *function)
{
    m->first = function->code_first;
    m->end = m->first + function->code_count;
    m->types = m->program->register_types + function->type_first;
    for (uint32_t number = m->first; number < m->end; number = m->next) make_one(m, number);
    for (uint32_t number = m->first; number < m->end; number++) {
        if (m->marks[number] & MADE) continue;
        make_one(m, number);
        if (m->next < m->end) shunt_x64_jump(&m->x, m->entries[m->next]);
    }
    for (uint32_t number = m->first; number < m->end; number++) {
        if (!(m->marks[number] & SLOW)) continue;
        m->slow[number] = m->x.length;
        call_step(m, number);
        shunt_x64_jump(&m->x, m->back[number]);
    }
}

/* A called function finds the stack as the calling convention wants it. */
static void make_way_in(struct maker *m)
{
    static const shunt_x64_register saved[] = { RBX, RBP, R12, R13, R14, R15 };
    enum { COUNT = sizeof saved / sizeof *saved, ALIGN = 8 };
    for (uint32_t i = 0; i < COUNT; i++) shunt_x64_push(&m->x, saved[i]);
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
    for (uint32_t i = COUNT; i-- > 0;) shunt_x64_pop(&m->x, saved[i]);
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
    for (uint32_t f = 0; f < p->functions_count; f++) make_function(m, &p->functions[f]);
}

/* One instruction alone is not worth the way there and back. */
static bool worth(const struct maker *m, uint32_t number, uint32_t end)
{
    shunt_instruction i = m->program->instructions[number];
    uint32_t          next = number + 1;
    if (!(m->marks[number] & NATIVE)) return false;
    if (i.op == SHUNT_OP_JUMP) next = target_of(m, i);
    return i.op == SHUNT_OP_NEXT || (next < end && m->marks[next] & NATIVE);
}

static void name_runs(struct maker *m, shunt_instruction *code)
{
    const shunt_program *p = m->program;
    for (uint32_t f = 0; f < p->functions_count; f++) {
        m->first = p->functions[f].code_first;
        uint32_t end = m->first + p->functions[f].code_count;
        for (uint32_t number = m->first; number < end; number++)
            if (worth(m, number, end)) code[number].op = SHUNT_OP_NATIVE;
    }
}

/* The first pass counts, so that the second one knows where all jumps lead. */
static bool make_code(struct maker *m, shunt_native *native)
{
    make_all(m);
    native->size = m->x.length;
    void *code = mmap(NULL, native->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED) return false;
    native->code = (uint8_t *)code;
    m->x.code = native->code;
    make_all(m);
    return mprotect(code, native->size, PROT_READ | PROT_EXEC) == 0;
}

bool shunt_native_new(const shunt_memory *memory, const shunt_program *p, const shunt_vm_slot *slots, shunt_instruction *code,
                      shunt_native **native)
{
    uint32_t count = p->instructions_count;
    *native = NULL;
    if (count == 0 || count > INSTRUCTIONS_AT_MOST) return true;
    struct maker  m = { .program = p, .constants = shunt_program_owner_of(p)->constants, .slots = slots };
    shunt_native *made = (shunt_native *)shunt_memory_zeroed(memory, 1, sizeof *made + sizeof *made->entries * count);
    m.marks = (uint8_t *)shunt_memory_zeroed(memory, count, 1);
    m.slow = (uint32_t *)shunt_memory_zeroed(memory, count, 2 * sizeof *m.slow);
    m.back = m.slow + count;
    bool fine = made && m.marks && m.slow;
    if (made) made->memory = memory;
    if (fine) {
        m.entries = made->entries;
        if (make_code(&m, made)) {
            name_runs(&m, code);
            *native = made;
            made = NULL;
        }
    }
    shunt_native_free(made);
    shunt_memory_free(memory, m.marks);
    shunt_memory_free(memory, m.slow);
    return fine;
}

void shunt_native_free(shunt_native *native)
{
    if (!native) return;
    if (native->code) munmap(native->code, native->size);
    shunt_memory_free(native->memory, native);
}

#else

bool shunt_native_new(const shunt_memory *memory, const shunt_program *program, const shunt_vm_slot *slots,
                      shunt_instruction *code, shunt_native **native)
{
    (void)memory;
    (void)program;
    (void)slots;
    (void)code;
    *native = NULL;
    return true;
}

void shunt_native_free(shunt_native *native) { (void)native; }

#endif
