/* optimise_facts.c - what stands in a register already.
 * A fact is an instruction that would change nothing if it ran now: its register holds what it gives. Running it makes the fact, writing to
 * one of its registers ends it. Where a fact holds on all ways to an instruction that is that fact, the instruction is left out; one that
 * computes the same for another register becomes a MOVE, and who reads a copy reads what it is a copy of. A jump that leads to what
 * changes nothing on this way, or to a condition that is known on this way, leads behind it.
 * A fact RECALL holds only where its register is present: KEEP makes it, and keeps nothing else. */
#include "engine/vm/optimise_state.h"

enum { NO_FACT = UINT32_MAX, HOPS = 32, LOOKED_AT = 32 };

typedef struct fact {
    shunt_instruction is;
    uint32_t          of_register; /* the next one with the same result register */
    uint32_t          of_value;    /* the next one that computes the same */
} fact;

typedef struct facts {
    shunt_body *b;
    fact       *all;
    uint32_t    count, words;
    uint32_t   *table, mask; /* by the whole instruction; number + 1 */
    uint32_t   *values;      /* by what it computes: the last one that was added; number + 1 */
    uint32_t   *of;          /* of instructions; NO_FACT */
    uint32_t   *of_register; /* of registers: the last one; NO_FACT */
    uint64_t   *named;       /* of registers: facts that name it */
    uint64_t   *globals;     /* facts that read a global */
    uint64_t   *in;          /* of blocks */
} facts;

static uint64_t hash_of(shunt_instruction i)
{
    uint64_t word = (uint64_t)i.op << 48 | (uint64_t)i.a << 32 | (uint64_t)i.b << 16 | i.c;
    word *= UINT64_C(0x9fb21c651e98df25);
    return word ^ word >> 32;
}

static bool same(shunt_instruction a, shunt_instruction b) { return a.op == b.op && a.a == b.a && a.b == b.b && a.c == b.c; }

static uint32_t find(const facts *f, shunt_instruction i)
{
    uint32_t at = (uint32_t)hash_of(i) & f->mask;
    while (f->table[at] && !same(f->all[f->table[at] - 1].is, i)) at = (at + 1) & f->mask;
    return at;
}

static void name(facts *f, uint32_t reg, uint32_t number) { shunt_set_add(f->named + (size_t)reg * f->words, number); }

static void name_all(facts *f, const shunt_uses *u, shunt_instruction i, uint32_t number)
{
    name(f, i.a, number);
    if (u->read & SHUNT_USE_B) name(f, i.b, number);
    if (u->read & SHUNT_USE_C) name(f, i.c, number);
    for (unsigned k = 0; k < u->run_count; k++)
        for (uint32_t n = 0; n < u->runs[k].count; n++) name(f, u->runs[k].first + n, number);
}

/* One that reads what it writes is no fact. */
static bool reads_own(const shunt_uses *u, shunt_instruction i)
{
    if ((u->read & SHUNT_USE_B && i.b == i.a) || (u->read & SHUNT_USE_C && i.c == i.a)) return true;
    for (unsigned k = 0; k < u->run_count; k++)
        if (i.a >= u->runs[k].first && i.a - u->runs[k].first < u->runs[k].count) return true;
    return false;
}

static uint32_t add(facts *f, shunt_instruction i)
{
    uint32_t at = find(f, i);
    if (f->table[at]) return f->table[at] - 1;
    shunt_uses        u = shunt_uses_of(f->b->p, f->b->types, i, SHUNT_NONE);
    shunt_instruction value = { i.op, 0, i.b, i.c };
    if (reads_own(&u, i)) return NO_FACT;
    uint32_t number = f->count++;
    f->table[at] = number + 1;
    uint32_t slot = (uint32_t)hash_of(value) & f->mask; /* values that meet in one place are told apart when they are looked at */
    f->all[number] = (fact){ i, f->of_register[i.a], f->values[slot] ? f->values[slot] - 1 : NO_FACT };
    f->values[slot] = number + 1;
    f->of_register[i.a] = number;
    name_all(f, &u, i, number);
    if (i.op == SHUNT_OP_GLOBAL_GET) shunt_set_add(f->globals, number);
    return number;
}

static bool make_facts(facts *f)
{
    shunt_body *b = f->b;
    uint32_t    size = 16;
    while (size < 2 * b->count) size *= 2;
    f->mask = size - 1;
    f->words = b->count / SHUNT_WORD + 1;
    f->all = shunt_body_new(b, b->count, sizeof *f->all);
    f->table = shunt_body_new(b, size, sizeof *f->table);
    f->values = shunt_body_new(b, size, sizeof *f->values);
    f->of = shunt_body_new(b, b->count, sizeof *f->of);
    f->of_register = shunt_body_new(b, b->registers + 1u, sizeof *f->of_register);
    f->named = shunt_body_new(b, (size_t)b->registers * f->words + 1, sizeof *f->named);
    f->globals = shunt_body_new(b, f->words, sizeof *f->globals);
    if (b->full) return false;
    memset(f->of_register, 0xff, b->registers * sizeof *f->of_register);
    for (uint32_t i = 0; i < b->count; i++) {
        shunt_instruction at = b->code[i];
        f->of[i] = NO_FACT;
        if (shunt_nature_of(at.op) & SHUNT_NATURE_AGAIN) f->of[i] = add(f, at);
        if (at.op == SHUNT_OP_KEEP) f->of[i] = add(f, (shunt_instruction){ SHUNT_OP_RECALL, at.a, at.b, at.c });
    }
    return true;
}

static void end_facts(const facts *f, uint64_t *now, const uint64_t *set)
{
    for (uint32_t w = 0; w < f->words; w++) now[w] &= ~set[w];
}

static void behind(const facts *f, uint32_t at, uint64_t *now)
{
    const shunt_body *b = f->b;
    const shunt_uses *u = &b->uses[at];
    shunt_instruction i = b->code[at];
    if (u->write != SHUNT_NONE) end_facts(f, now, f->named + (size_t)u->write * f->words);
    if (u->also != SHUNT_NONE) end_facts(f, now, f->named + (size_t)u->also * f->words);
    if (i.op == SHUNT_OP_GLOBAL_SET || (i.op == SHUNT_OP_CALL && !b->p->functions[i.b].pure)) end_facts(f, now, f->globals);
    if (f->of[at] != NO_FACT) shunt_set_add(now, f->of[at]);
}

/* What holds on all ways: everything at first, less with each way that does not bring it. */
static bool follow(facts *f)
{
    shunt_body *b = f->b;
    uint64_t   *now = shunt_body_new(b, f->words, sizeof *now);
    uint8_t    *seen = shunt_body_new(b, b->block_count, 1); /* since less holds there */
    f->in = shunt_body_new(b, (size_t)b->block_count * f->words, sizeof *f->in);
    if (b->full) return false;
    memset(f->in + f->words, 0xff, (size_t)(b->block_count - 1) * f->words * sizeof *f->in);
    for (unsigned round = 0, changed = 1; changed; round++) {
        changed = 0;
        if (round == SHUNT_ROUNDS) return !(b->full = true);
        for (uint32_t k = 0; k < b->block_count; k++) {
            const shunt_block *block = &b->blocks[k];
            if (seen[k]) continue;
            seen[k] = 1;
            if (!shunt_body_work(b, (uint64_t)f->words * (block->end - block->first + 3))) return false;
            memcpy(now, f->in + (size_t)k * f->words, f->words * sizeof *now);
            for (uint32_t i = block->first; i < block->end; i++) behind(f, i, now);
            for (unsigned way = 0; way < block->ways; way++) {
                uint64_t *to = f->in + (size_t)block->next[way] * f->words, less = 0;
                for (uint32_t w = 0; w < f->words; w++) {
                    less |= to[w] & ~now[w];
                    to[w] &= now[w];
                }
                if (!less) continue;
                seen[block->next[way]] = 0;
                changed = 1;
            }
        }
    }
    return true;
}

/* ---- what follows from them ---- */

/* Would running it change nothing? */
static bool idle(const facts *f, uint32_t at, const uint64_t *now, const uint8_t *states)
{
    shunt_instruction i = f->b->code[at];
    if (i.op == SHUNT_OP_NOP) return true;
    if (i.op == SHUNT_OP_MOVE && i.a == i.b) return true;
    if (i.op == SHUNT_OP_REQUIRE) return !(states[i.a] & SHUNT_MAY_NOT);
    if (f->of[at] == NO_FACT || i.op == SHUNT_OP_KEEP || !shunt_set_has(now, f->of[at])) return false;
    return f->all[f->of[at]].is.op != SHUNT_OP_RECALL || !(states[i.a] & SHUNT_MAY_NOT);
}

/* Lists grow where they stand, so no second register gets to hold one. */
static bool may_be_shared(const facts *f, uint16_t reg) { return f->b->types[reg].kind != SHUNT_KIND_LIST; }

static bool same_type(const facts *f, uint16_t a, uint16_t b)
{
    shunt_type x = f->b->types[a], y = f->b->types[b];
    return x.kind == y.kind && x.element == y.element && x.scale == y.scale && x.record == y.record && x.extra == y.extra;
}

/* A register that holds what `op b, c` gives: the lowest; SHUNT_NONE = none but `reg`. */
static uint16_t holder(const facts *f, shunt_instruction i, uint16_t reg, const uint64_t *now)
{
    shunt_instruction value = { i.op, 0, i.b, i.c };
    uint32_t          at = f->values[(uint32_t)hash_of(value) & f->mask];
    uint16_t          best = SHUNT_NONE;
    for (uint32_t n = at ? at - 1 : NO_FACT, looked = 0; n != NO_FACT && looked < LOOKED_AT; n = f->all[n].of_value, looked++) {
        shunt_instruction is = f->all[n].is;
        if (is.op != i.op || is.b != i.b || is.c != i.c || is.a == reg || is.a >= best) continue;
        if (shunt_set_has(now, n) && same_type(f, is.a, reg)) best = is.a;
    }
    return best;
}

/* The register to read instead of this one. */
static uint16_t better_one(const facts *f, uint16_t reg, const uint64_t *now)
{
    uint16_t best = reg;
    uint32_t looked = 0;
    if (!may_be_shared(f, reg)) return reg;
    for (uint32_t n = f->of_register[reg]; n != NO_FACT && looked < LOOKED_AT; n = f->all[n].of_register, looked++) {
        shunt_instruction is = f->all[n].is;
        if (!shunt_set_has(now, n) || is.op == SHUNT_OP_RECALL) continue;
        if (is.op == SHUNT_OP_MOVE) return same_type(f, is.b, reg) ? is.b : reg;
        uint16_t other = holder(f, is, reg, now);
        if (other < best) best = other;
    }
    return best;
}

static void read_better(const facts *f, uint32_t at, const uint64_t *now)
{
    shunt_body *b = f->b;
    for (unsigned bit = SHUNT_USE_A; bit <= SHUNT_USE_C; bit <<= 1) {
        if (!(b->uses[at].read & ~b->uses[at].fixed & bit)) continue;
        uint16_t *operand = shunt_operand_at(&b->code[at], bit), better = better_one(f, *operand, now);
        if (better == *operand) continue;
        *operand = better;
        b->changed = true;
    }
}

/* Cheaper by itself than a MOVE, or as cheap. */
static bool is_light(uint16_t op)
{
    return op == SHUNT_OP_MOVE || op == SHUNT_OP_LOADK || op == SHUNT_OP_ABSENT || op == SHUNT_OP_GLOBAL_GET ||
           op == SHUNT_OP_RECALL;
}

static void take_from(const facts *f, uint32_t at, const uint64_t *now)
{
    shunt_body       *b = f->b;
    shunt_instruction i = b->code[at];
    if (f->of[at] == NO_FACT || i.op == SHUNT_OP_KEEP || is_light(i.op) || !may_be_shared(f, i.a)) return;
    uint16_t from = holder(f, f->all[f->of[at]].is, i.a, now);
    if (from == SHUNT_NONE) return;
    b->code[at] = (shunt_instruction){ SHUNT_OP_MOVE, i.a, from, 0 };
    b->uses[at] = shunt_uses_of(b->p, b->types, b->code[at], SHUNT_NONE);
    b->changed = true;
}

static void leave_out(shunt_body *b, uint32_t at)
{
    b->changed |= b->code[at].op != SHUNT_OP_NOP;
    b->code[at] = (shunt_instruction){ SHUNT_OP_NOP, 0, 0, 0 };
    b->uses[at] = shunt_uses_of(b->p, b->types, b->code[at], SHUNT_NONE);
}

/* The last instruction of a block is a jump; `states` are those of the way on which it is taken. */
static void lead_on(const facts *f, uint32_t jump, const uint64_t *now, const uint8_t *states)
{
    shunt_body *b = f->b;
    uint32_t    from = shunt_jump_target(b->code[jump]), to = from, at = from;
    for (unsigned hops = 0; hops < HOPS && at < b->count; hops++) {
        shunt_instruction i = b->code[at];
        if (idle(f, at, now, states)) {
            at++;
        } else if (shunt_is_jump(i.op)) {
            int taken = shunt_states_decide(i, states);
            if (taken < 0) break;
            at = taken ? shunt_jump_target(i) : at + 1;
        } else {
            break;
        }
        if (at > jump || b->code[at].op == SHUNT_OP_NEXT) to = at; /* back to a NEXT alone */
    }
    if (to == from || to >= b->count) return;
    shunt_body_aim(b, jump, to);
    b->changed = true;
}

static void improve_block(const facts *f, uint32_t number, uint64_t *now, uint8_t *states, uint8_t *way_states)
{
    shunt_body        *b = f->b;
    const shunt_block *block = &b->blocks[number];
    uint32_t           last = block->end - 1;
    memcpy(now, f->in + (size_t)number * f->words, f->words * sizeof *now);
    memcpy(states, b->states + (size_t)number * b->row, b->row);
    for (uint32_t i = block->first; i < block->end; i++) {
        if (idle(f, i, now, states)) {
            leave_out(b, i);
            continue;
        }
        read_better(f, i, now);
        take_from(f, i, now);
        if (shunt_is_jump(b->code[i].op) && b->code[i].op != SHUNT_OP_JUMP) {
            int taken = shunt_states_decide(b->code[i], states);
            if (taken == 0) leave_out(b, i);
            if (taken == 1) b->code[i].op = SHUNT_OP_JUMP, b->code[i].a = 0;
            b->changed |= taken >= 0;
        }
        shunt_states_behind(b, i, states);
        behind(f, i, now);
    }
    if (!shunt_is_jump(b->code[last].op)) return;
    memcpy(way_states, states, b->row);
    if (b->code[last].op == SHUNT_OP_JUMP || shunt_states_way(b, block, 1, way_states)) lead_on(f, last, now, way_states);
}

bool shunt_body_facts(shunt_body *b)
{
    facts f = { .b = b };
    if (!make_facts(&f) || !follow(&f)) return false;
    uint64_t *now = shunt_body_new(b, f.words, sizeof *now);
    uint8_t  *states = shunt_body_new(b, b->row, 1), *way = shunt_body_new(b, b->row, 1);
    if (b->full) return false;
    for (uint32_t k = 0; k < b->block_count; k++)
        if (b->reached[k]) improve_block(&f, k, now, states, way);
    return true;
}
