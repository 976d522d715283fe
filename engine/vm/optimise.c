#include "engine/vm/optimise.h"

#include "engine/vm/optimise_state.h"

enum {
    TIMES = 2,                   /* what is lifted out of passes the facts take away the second time */
    INSTRUCTIONS_AT_MOST = 8192, /* of a function */
    SCRATCH_AT_MOST = 16 << 20,  /* bytes, for a function */
    WORDS_AT_MOST = 1 << 25,     /* of sets and states that are looked at, for a program */
    PASSES_AT_MOST = 64,         /* that are looked through for what never changes */
    SEARCHES_AT_MOST = 256,      /* for ways past a block */
};

void *shunt_body_new(shunt_body *b, size_t count, size_t size_bytes)
{
    void *made = shunt_arena_alloc(b->arena, count * size_bytes);
    if (!made) b->full = true;
    return made;
}

bool shunt_body_work(shunt_body *b, uint64_t words)
{
    b->full = b->full || words > *b->left;
    if (!b->full) *b->left -= words;
    return !b->full;
}

void shunt_body_aim(shunt_body *b, uint32_t jump, uint32_t target)
{
    b->code[jump].b = (uint16_t)(target & 0xffff);
    b->code[jump].c = (uint16_t)(target >> 16);
}

static void leave_out(shunt_body *b, uint32_t at)
{
    b->code[at] = (shunt_instruction){ SHUNT_OP_NOP, 0, 0, 0 };
    b->changed = true;
}

/* ---- blocks ---- */

bool shunt_body_look(shunt_body *b)
{
    uint32_t next[2];
    uint8_t *begins = shunt_body_new(b, b->count + 2u, 1);
    b->block_of = shunt_body_new(b, b->count + 1u, sizeof *b->block_of);
    b->uses = shunt_body_new(b, b->count, sizeof *b->uses);
    if (b->full) return false;
    begins[0] = 1;
    for (uint32_t i = 0; i < b->count; i++) {
        unsigned ways = shunt_ways_on(b->code, i, next);
        b->uses[i] = shunt_uses_of(b->p, b->types, b->code[i], b->open[i]);
        if (ways == 1 && next[0] == i + 1) continue;
        begins[i + 1] = 1;
        for (unsigned way = 0; way < ways; way++) begins[next[way]] = 1;
    }
    b->block_count = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        b->block_count += begins[i];
        b->block_of[i] = b->block_count - 1;
    }
    b->blocks = shunt_body_new(b, b->block_count, sizeof *b->blocks);
    b->words = b->registers / SHUNT_WORD + 1;
    if (b->full) return false;
    for (uint32_t i = 0; i < b->count; i++) {
        shunt_block *block = &b->blocks[b->block_of[i]];
        if (begins[i]) block->first = i;
        block->end = i + 1;
        if (i + 1 < b->count && !begins[i + 1]) continue;
        block->ways = shunt_ways_on(b->code, i, next);
        for (unsigned way = 0; way < block->ways; way++) block->next[way] = b->block_of[next[way]];
    }
    return true;
}

/* ---- drawing together ---- */

/* Instructions that are put in, each before another one: whoever jumps there passes it by. */
typedef struct insertion {
    uint32_t          before;
    shunt_instruction what;
} insertion;

/* Without what nothing leads to and what does nothing; with what is put in, in the order of its places. */
static bool draw_together(shunt_body *b, const insertion *insertions, uint32_t count)
{
    uint32_t  next[2], depth = 0, kept = 0, put = 0;
    uint8_t  *reached = shunt_body_new(b, b->count + 1u, 1);
    uint32_t *place = shunt_body_new(b, b->count + 1u, sizeof *place),
             *stack = shunt_body_new(b, 2u * b->count + 1, sizeof *stack);
    shunt_instruction *code = shunt_body_new(b, b->count + count, sizeof *code);
    uint32_t          *sites = shunt_body_new(b, b->count + count, sizeof *sites);
    uint16_t          *open = shunt_body_new(b, b->count + count, sizeof *open);
    if (b->full || b->count + count > b->room) return !(b->full = true);
    stack[depth++] = 0;
    while (depth) {
        uint32_t at = stack[--depth];
        if (reached[at]) continue;
        reached[at] = 1;
        for (unsigned ways = shunt_ways_on(b->code, at, next); ways; ways--) stack[depth++] = next[ways - 1];
    }
    for (uint32_t i = 0; i < b->count; i++) {
        for (; put < count && insertions[put].before == i; put++) {
            code[kept] = insertions[put].what;
            sites[kept] = b->sites[i];
            open[kept++] = b->open[i];
        }
        place[i] = kept;
        if (!reached[i] || b->code[i].op == SHUNT_OP_NOP) continue;
        code[kept] = b->code[i];
        sites[kept] = b->sites[i];
        open[kept++] = b->open[i];
    }
    memcpy(b->code, code, kept * sizeof *code);
    memcpy(b->sites, sites, kept * sizeof *sites);
    memcpy(b->open, open, kept * sizeof *open);
    b->count = kept;
    for (uint32_t i = 0; i < kept; i++)
        if (shunt_is_jump(code[i].op)) shunt_body_aim(b, i, place[shunt_jump_target(code[i])]);
    return true;
}

/* ---- jumps ---- */

static uint16_t opposite(uint16_t op) { return op == SHUNT_OP_JUMP_TRUE ? SHUNT_OP_JUMP_FALSE : SHUNT_OP_JUMP_TRUE; }

/* A condition that only jumps over a JUMP jumps itself; a jump to what comes next is none. */
static bool straighten(shunt_body *b)
{
    uint8_t *aimed_at = shunt_body_new(b, b->count + 1u, 1);
    if (b->full) return false;
    for (uint32_t i = 0; i < b->count; i++)
        if (shunt_is_jump(b->code[i].op)) aimed_at[shunt_jump_target(b->code[i])] = 1;
    for (uint32_t i = 0; i + 1 < b->count; i++) {
        shunt_instruction *at = &b->code[i];
        if (!shunt_is_jump(at->op) || (i > 0 && b->code[i - 1].op == SHUNT_OP_NEXT)) continue;
        uint32_t to = shunt_jump_target(*at), over = shunt_jump_target(at[1]);
        bool     truth = at->op == SHUNT_OP_JUMP_TRUE || at->op == SHUNT_OP_JUMP_FALSE;
        if (truth && to == i + 2 && at[1].op == SHUNT_OP_JUMP && !aimed_at[i + 1] &&
            (over > i || b->code[over].op == SHUNT_OP_NEXT)) {
            at->op = opposite(at->op);
            shunt_body_aim(b, i, over);
            leave_out(b, i + 1);
        } else if (to == i + 1) {
            leave_out(b, i);
        }
    }
    return true;
}

/* Whether a register is read behind this instruction, which ends a block. */
static bool read_behind(shunt_body *b, uint32_t at, uint16_t reg, uint64_t *live)
{
    shunt_live_behind(b, &b->blocks[b->block_of[at]], live);
    return shunt_set_has(live, reg);
}

/* IS_STATE and a jump by it: the jump asks for the state itself. */
static void ask_for_state(shunt_body *b, uint32_t at)
{
    static const uint16_t jumps[] = { SHUNT_OP_JUMP_PRESENT, SHUNT_OP_JUMP_ABSENT, SHUNT_OP_JUMP_CLEARED };
    shunt_instruction     is = b->code[at], jump = b->code[at + 1];
    uint32_t              to = shunt_jump_target(jump);
    unsigned first = is.c == 0, second = is.c == 2 ? 1 : 2; /* what it is when it is not that, present before all else */
    if (jump.op == SHUNT_OP_JUMP_TRUE) {
        leave_out(b, at);
        second = is.c;
    } else {
        b->code[at] = (shunt_instruction){ jumps[first], is.b, 0, 0 };
        shunt_body_aim(b, at, to);
    }
    b->code[at + 1] = (shunt_instruction){ jumps[second], is.b, 0, 0 };
    shunt_body_aim(b, at + 1, to);
    b->changed = true;
}

/* A result that a jump alone reads, made so that the jump needs less. */
static bool ask_outright(shunt_body *b)
{
    uint64_t *live = shunt_body_new(b, b->words, sizeof *live);
    uint8_t  *states = shunt_body_new(b, b->row, 1);
    if (b->full) return false;
    for (uint32_t k = 0; k < b->block_count; k++) {
        uint32_t last = b->blocks[k].end - 1;
        if (last == b->blocks[k].first || !b->reached[k]) continue;
        shunt_instruction jump = b->code[last], before = b->code[last - 1];
        if ((jump.op != SHUNT_OP_JUMP_TRUE && jump.op != SHUNT_OP_JUMP_FALSE) || before.a != jump.a) continue;
        if (before.op != SHUNT_OP_IS_STATE && before.op != SHUNT_OP_NOT) continue;
        if (read_behind(b, last, jump.a, live)) continue;
        if (before.op == SHUNT_OP_IS_STATE && before.b != before.a) {
            ask_for_state(b, last - 1);
            continue;
        }
        if (before.op != SHUNT_OP_NOT) continue;
        memcpy(states, b->states + (size_t)k * b->row, b->row);
        for (uint32_t i = b->blocks[k].first; i < last; i++) shunt_states_behind(b, i, states);
        if (states[jump.a] & SHUNT_MAY_NOT) continue; /* what is not there is not false either */
        b->code[last].op = opposite(jump.op);
        b->code[last].a = before.b;
        leave_out(b, last - 1);
    }
    return true;
}

/* ---- what nobody reads ---- */

static bool drop_unread(shunt_body *b)
{
    uint64_t *live = shunt_body_new(b, b->words, sizeof *live);
    if (b->full) return false;
    for (uint32_t k = 0; k < b->block_count; k++) {
        shunt_live_behind(b, &b->blocks[k], live);
        for (uint32_t i = b->blocks[k].end; i > b->blocks[k].first; i--) {
            const shunt_uses *u = &b->uses[i - 1];
            bool              plain = shunt_nature_of(b->code[i - 1].op) & SHUNT_NATURE_PLAIN;
            if (plain && !shunt_set_has(live, u->write))
                leave_out(b, i - 1);
            else
                shunt_live_before(u, b->code[i - 1], live);
        }
    }
    return true;
}

/* ---- what is the same in every round ---- */

/* A pass, and what is known of it. */
typedef struct pass {
    uint32_t  head, last; /* NEXT, and the jump back that stands last */
    uint32_t *writer;     /* of registers: number + 1 of the instruction that writes it here; SEVERAL */
    uint8_t  *passed;     /* of blocks: ALWAYS, SOMETIMES; 0 = not looked at */
    uint8_t  *seen;
    uint32_t *stack;
    bool      sets_globals;
} pass;
enum { SEVERAL = UINT32_MAX, SOMETIMES = 1, ALWAYS = 2 };

static bool same(shunt_instruction a, shunt_instruction b) { return a.op == b.op && a.a == b.a && a.b == b.b && a.c == b.c; }

/* A pass that is entered from above at its head alone. */
static bool find_pass(const shunt_body *b, uint32_t head, pass *p)
{
    p->head = p->last = head;
    if (head == 0 || shunt_op_ends(b->code[head - 1].op)) return false;
    for (uint32_t i = head; i < b->count; i++)
        if (shunt_is_jump(b->code[i].op) && shunt_jump_target(b->code[i]) == head) p->last = i;
    if (p->last == head) return false;
    for (uint32_t i = 0; i < b->count; i++) {
        uint32_t to = shunt_is_jump(b->code[i].op) ? shunt_jump_target(b->code[i]) : 0;
        if ((i < head || i > p->last) && to >= head && to <= p->last && shunt_is_jump(b->code[i].op)) return false;
    }
    return true;
}

static void note_writer(const shunt_body *b, pass *p, uint16_t reg, uint32_t at)
{
    if (reg == SHUNT_NONE) return;
    uint32_t before = p->writer[reg];
    if (before == 0)
        p->writer[reg] = at + 1;
    else if (before == SEVERAL || !same(b->code[before - 1], b->code[at]))
        p->writer[reg] = SEVERAL;
}

static void look_at_pass(const shunt_body *b, pass *p)
{
    memset(p->writer, 0, b->registers * sizeof *p->writer);
    memset(p->passed, 0, b->block_count);
    p->sets_globals = false;
    for (uint32_t i = p->head; i <= p->last; i++) {
        shunt_instruction at = b->code[i];
        note_writer(b, p, b->uses[i].write, i);
        note_writer(b, p, b->uses[i].also, i);
        p->sets_globals |= at.op == SHUNT_OP_GLOBAL_SET || (at.op == SHUNT_OP_CALL && !b->p->functions[at.b].pure);
    }
}

/* Does every round come through this block? */
static bool always_passed(const shunt_body *b, const pass *p, uint32_t block, uint32_t *searches)
{
    uint32_t head = b->block_of[p->head], depth = 0;
    if (p->passed[block]) return p->passed[block] == ALWAYS;
    p->passed[block] = SOMETIMES;
    if ((*searches)++ >= SEARCHES_AT_MOST) return false;
    memset(p->seen, 0, b->block_count);
    p->stack[depth++] = b->blocks[head].next[0];
    while (depth) {
        uint32_t at = p->stack[--depth];
        if (at == head) return false;
        if (at == block || p->seen[at] || b->blocks[at].first < p->head || b->blocks[at].first > p->last) continue;
        p->seen[at] = 1;
        for (unsigned way = 0; way < b->blocks[at].ways; way++) p->stack[depth++] = b->blocks[at].next[way];
    }
    p->passed[block] = ALWAYS;
    return true;
}

/* Can not fail, reads nothing that is written in the pass, and nothing else there writes what it gives. */
static bool never_changes(const shunt_body *b, const pass *p, uint32_t at)
{
    shunt_instruction what = b->code[at];
    const shunt_uses *u = &b->uses[at];
    if (shunt_nature_of(what.op) != (SHUNT_NATURE_PLAIN | SHUNT_NATURE_AGAIN) || what.op == SHUNT_OP_RECALL) return false;
    if (what.op == SHUNT_OP_GLOBAL_GET && p->sets_globals) return false;
    if (u->read & SHUNT_USE_B && p->writer[what.b]) return false;
    if (u->read & SHUNT_USE_C && p->writer[what.c]) return false;
    return p->writer[what.a] != SEVERAL;
}

/* Puts before the pass what each of its rounds does alike; the facts then show that it does nothing within. A register that is read
 * before the instruction, or behind the pass as it was before, is not written early. */
static uint32_t lift(shunt_body *b, const pass *p, insertion *insertions, uint32_t count, uint32_t *searches)
{
    const uint64_t *live = b->live + (size_t)b->block_of[p->head] * b->words;
    for (uint32_t i = p->head + 2; i <= p->last && b->count + count < b->room; i++) {
        shunt_instruction what = b->code[i];
        if (!never_changes(b, p, i) || p->writer[what.a] != i + 1 || shunt_set_has(live, what.a)) continue;
        if (always_passed(b, p, b->block_of[i], searches)) insertions[count++] = (insertion){ p->head, what };
    }
    return count;
}

static bool lift_all(shunt_body *b)
{
    uint32_t   count = 0, passes = 0, searches = 0;
    insertion *insertions = shunt_body_new(b, b->room, sizeof *insertions);
    pass       p = { .writer = shunt_body_new(b, b->registers + 1u, sizeof *p.writer),
                     .passed = shunt_body_new(b, b->block_count, 1),
                     .seen = shunt_body_new(b, b->block_count, 1),
                     .stack = shunt_body_new(b, 2u * b->block_count + 2, sizeof *p.stack) };
    if (b->full) return false;
    for (uint32_t i = 0; i < b->count && passes < PASSES_AT_MOST; i++) {
        if (b->code[i].op != SHUNT_OP_NEXT) continue;
        passes++;
        if (!find_pass(b, i, &p)) continue;
        look_at_pass(b, &p);
        count = lift(b, &p, insertions, count, &searches);
    }
    b->changed |= count > 0;
    return count == 0 || draw_together(b, insertions, count);
}

/* ---- a function ---- */

/* Each step begins with an empty arena and the code as it stands; what it needs to know is found out first. */
static bool step(shunt_body *b, bool (*know)(shunt_body *), bool (*know_too)(shunt_body *), bool (*what)(shunt_body *))
{
    shunt_arena_reset(b->arena);
    return shunt_body_look(b) && know(b) && (!know_too || know_too(b)) && what(b);
}

static bool draw(shunt_body *b)
{
    shunt_arena_reset(b->arena);
    return draw_together(b, NULL, 0);
}

static bool straighten_all(shunt_body *b)
{
    shunt_arena_reset(b->arena);
    return straighten(b) && draw(b);
}

static bool improve(shunt_body *b)
{
    if (!draw(b)) return false;
    for (int time = 0; time < TIMES; time++) {
        b->changed = false;
        if (!step(b, shunt_body_states, NULL, shunt_body_facts) || !draw(b)) return false;
        if (!step(b, shunt_body_states, shunt_body_live, ask_outright)) return false;
        if (!step(b, shunt_body_live, NULL, drop_unread) || !draw(b)) return false;
        if (time + 1 < TIMES && !step(b, shunt_body_live, NULL, lift_all)) return false;
        if (!straighten_all(b)) return false;
        if (!b->changed) break;
    }
    return true;
}

/* The journal that is open before each instruction; the verifier has seen that it is the same on every way. */
static void find_open(shunt_body *b)
{
    uint32_t next[2];
    memset(b->open, 0xff, b->count * sizeof *b->open);
    for (uint32_t i = 0; i < b->count; i++) {
        uint16_t open = b->open[i];
        if (b->code[i].op == SHUNT_OP_JOURNAL) open = b->code[i].a;
        for (unsigned ways = shunt_ways_on(b->code, i, next); ways; ways--)
            if (next[ways - 1] > i && open != SHUNT_NONE) b->open[next[ways - 1]] = open;
    }
}

/* ---- all of it ---- */

static size_t block_bytes(const shunt_program *p)
{
    return p->functions_count * sizeof(shunt_function) + p->instructions_count * (sizeof(shunt_instruction) + sizeof(uint32_t)) +
           64;
}

static void copy_sites(const shunt_program *p, uint32_t first, uint32_t count, uint32_t *sites)
{
    if (p->instruction_sites_count && count) memcpy(sites, p->instruction_sites + first, count * sizeof *sites);
}

/* Into `made`, behind what is there: better where it is not longer, else as it is. NO_MEMORY. */
static shunt_status improve_function(shunt_arena *arena, const shunt_memory *memory, const shunt_program *p, uint32_t number,
                                     uint64_t *left, shunt_optimised *made)
{
    const shunt_function *function = &p->functions[number];
    uint32_t              count = function->code_count, room = count + count / 4 + 16;
    shunt_instruction    *to = made->instructions + made->count;
    uint32_t             *sites = made->sites + made->count;
    shunt_status          status = SHUNT_OK;
    memcpy(to, p->instructions + function->code_first, count * sizeof *to);
    copy_sites(p, function->code_first, count, sites);
    if (count > 2 && count <= INSTRUCTIONS_AT_MOST) {
        shunt_body b = { .p = p, .function = function, .types = p->register_types + function->type_first };
        b.registers = function->registers;
        b.arena = arena;
        b.left = left;
        b.count = count;
        b.room = room;
        char *work = (char *)shunt_memory_zeroed(memory, room, sizeof *b.code + sizeof *b.sites + sizeof *b.open);
        if (!work) return SHUNT_NO_MEMORY;
        b.code = (shunt_instruction *)(void *)work;
        b.sites = (uint32_t *)(void *)(b.code + room);
        b.open = (uint16_t *)(void *)(b.sites + room);
        memcpy(b.code, to, count * sizeof *to);
        copy_sites(p, function->code_first, count, b.sites);
        find_open(&b);
        if (improve(&b) && b.count <= count) {
            count = b.count;
            memcpy(to, b.code, count * sizeof *to);
            memcpy(sites, b.sites, count * sizeof *sites);
        } else if (shunt_arena_failed(arena) == SHUNT_ARENA_NO_MEMORY) {
            status = SHUNT_NO_MEMORY;
        }
        shunt_memory_free(memory, work);
    }
    made->functions[number].code_first = made->count;
    made->functions[number].code_count = count;
    made->count += count;
    return status;
}

shunt_status shunt_optimise(const shunt_memory *memory, const shunt_program *p, shunt_optimised *made)
{
    *made = (shunt_optimised){ .block = shunt_memory_zeroed(memory, 1, block_bytes(p)) };
    shunt_arena *arena = made->block ? shunt_arena_new(memory, SCRATCH_AT_MOST) : NULL;
    shunt_status status = arena ? SHUNT_OK : SHUNT_NO_MEMORY;
    uint64_t     left = WORDS_AT_MOST;
    if (arena) {
        made->instructions = (shunt_instruction *)made->block;
        made->functions = (shunt_function *)(void *)(made->instructions + p->instructions_count);
        made->sites = (uint32_t *)(void *)(made->functions + p->functions_count);
        if (p->functions_count) memcpy(made->functions, p->functions, p->functions_count * sizeof *made->functions);
        for (uint32_t f = 0; f < p->functions_count && status == SHUNT_OK; f++)
            status = improve_function(arena, memory, p, f, &left, made);
        shunt_arena_free(arena);
    }
    if (status != SHUNT_OK) shunt_memory_free(memory, made->block);
    return status;
}
