/* flow.c - immediate post-dominators over instructions (Cooper, Harvey, Kennedy: "A Simple, Fast Dominance Algorithm"), with the ways that
 * leave by an exit left out: they never come to the end. */
#include "engine/vm/flow.h"

#include "engine/vm/uses.h"

#define NOWHERE UINT32_MAX

/* ---- what an instruction does ---- */

static bool is_register(uint8_t operand) { return operand >= SHUNT_OPERAND_BOOL && operand <= SHUNT_OPERAND_ITEM; }

static uint32_t builtin_arguments(uint16_t builtin)
{
    static const uint8_t counts[SHUNT_BUILTIN_COUNT] = {
#define SHUNT_BUILTIN(name, arguments, result, effect) sizeof(arguments) - 1,
#include "engine/vm/builtin.def"
    };
    return counts[builtin];
}

int shunt_flow_result(const shunt_program *p, shunt_instruction i)
{
    if (shunt_op_reads_a(i.op)) return -1;
    switch ((shunt_op)i.op) {
    case SHUNT_OP_KEEP: return -1;
    case SHUNT_OP_NEXT: return i.b;
    case SHUNT_OP_CALL: return i.a + p->functions[i.b].params;
    case SHUNT_OP_EXTERN: return i.a + p->externs[i.b].param_count;
    case SHUNT_OP_BUILTIN: return i.a + (int)builtin_arguments(i.b);
    default: return is_register(shunt_op_info[i.op].a) ? i.a : -1;
    }
}

/* The further thing that an instruction writes. */
static bool also_writes(shunt_instruction i, shunt_flow_write *what)
{
    switch ((shunt_op)i.op) {
    case SHUNT_OP_GLOBAL_SET: *what = (shunt_flow_write){ SHUNT_WRITTEN_GLOBAL, i.b }; return true;
    case SHUNT_OP_TALLY_ADD: *what = (shunt_flow_write){ SHUNT_WRITTEN_TALLY, i.a }; return true;
    case SHUNT_OP_LINE: *what = (shunt_flow_write){ SHUNT_WRITTEN_JOURNAL, 0 }; return true;
    case SHUNT_OP_NEXT: *what = (shunt_flow_write){ SHUNT_WRITTEN_REGISTER, i.c }; return true;
    default: return false;
    }
}

/* Where it may go on: at most two; `end` = the end of the function. */
static unsigned successors(const shunt_instruction *code, uint32_t at, uint32_t end, uint32_t next[static 2])
{
    shunt_instruction i = code[at];
    uint32_t          target = i.b | (uint32_t)i.c << 16;
    switch ((shunt_op)i.op) {
    case SHUNT_OP_JUMP: next[0] = target; return 1;
    case SHUNT_OP_JUMP_TRUE:
    case SHUNT_OP_JUMP_FALSE:
    case SHUNT_OP_JUMP_PRESENT:
    case SHUNT_OP_JUMP_ABSENT:
    case SHUNT_OP_JUMP_CLEARED: next[0] = at + 1, next[1] = target; return 2;
    case SHUNT_OP_NEXT: next[0] = at + 2, next[1] = at + 1; return 2;
    case SHUNT_OP_RETURN:
    case SHUNT_OP_FINISH: next[0] = end; return 1;
    case SHUNT_OP_EXIT:
    case SHUNT_OP_UNMATCHED: return 0;
    default: next[0] = at + 1; return 1;
    }
}

/* ---- post-dominators ---- */

typedef struct search {
    const shunt_instruction *code;
    uint32_t                 end;
    uint32_t                *first, *preds; /* predecessors of each, `first[n]` .. `first[n + 1]` */
    uint32_t                *order;         /* those that come to the end, behind what they depend on: the end is the last */
    uint32_t                *number;        /* place in `order`, NOWHERE = never comes to the end */
    uint32_t                *post;          /* immediate post-dominator */
    uint32_t                 count;
} search;

static bool find_preds(shunt_arena *arena, search *s)
{
    uint32_t next[2];
    s->first = SHUNT_NEW_N(arena, uint32_t, s->end + 2);
    s->preds = SHUNT_NEW_N(arena, uint32_t, (size_t)s->end * 2 + 1);
    uint32_t *fill = SHUNT_NEW_N(arena, uint32_t, s->end + 1);
    if (!s->first || !s->preds || !fill) return false;
    for (uint32_t at = 0; at < s->end; at++)
        for (unsigned n = successors(s->code, at, s->end, next); n; n--) s->first[next[n - 1] + 1]++;
    for (uint32_t at = 0; at <= s->end; at++) s->first[at + 1] += s->first[at];
    for (uint32_t at = 0; at <= s->end; at++) fill[at] = s->first[at];
    for (uint32_t at = 0; at < s->end; at++)
        for (unsigned n = successors(s->code, at, s->end, next); n; n--) s->preds[fill[next[n - 1]]++] = at;
    return true;
}

/* Backwards from the end; each is numbered when all before it are. */
static bool put_in_order(shunt_arena *arena, search *s)
{
    uint32_t *stack = SHUNT_NEW_N(arena, uint32_t, s->end + 1), *at = SHUNT_NEW_N(arena, uint32_t, s->end + 1), depth = 1;
    s->order = SHUNT_NEW_N(arena, uint32_t, s->end + 1);
    s->number = SHUNT_NEW_N(arena, uint32_t, s->end + 1);
    s->post = SHUNT_NEW_N(arena, uint32_t, s->end + 1);
    if (!stack || !at || !s->order || !s->number || !s->post) return false;
    for (uint32_t i = 0; i <= s->end; i++) s->number[i] = s->post[i] = NOWHERE;
    stack[0] = s->end;
    at[s->end] = s->first[s->end];
    s->number[s->end] = 0; /* seen */
    while (depth) {
        uint32_t node = stack[depth - 1];
        if (at[node] < s->first[node + 1]) {
            uint32_t before = s->preds[at[node]++];
            if (s->number[before] != NOWHERE) continue;
            s->number[before] = 0;
            at[before] = s->first[before];
            stack[depth++] = before;
        } else {
            s->number[node] = s->count;
            s->order[s->count++] = node;
            depth--;
        }
    }
    return true;
}

static uint32_t meet(const search *s, uint32_t a, uint32_t b)
{
    while (a != b) {
        while (s->number[a] < s->number[b]) a = s->post[a];
        while (s->number[b] < s->number[a]) b = s->post[b];
    }
    return a;
}

static void find_joins(search *s)
{
    uint32_t next[2];
    s->post[s->end] = s->end;
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t k = s->count - 1; k-- > 0;) {
            uint32_t node = s->order[k], post = NOWHERE;
            for (unsigned n = successors(s->code, node, s->end, next); n; n--) {
                if (s->post[next[n - 1]] == NOWHERE) continue;
                post = post == NOWHERE ? next[n - 1] : meet(s, post, next[n - 1]);
            }
            changed |= post != s->post[node];
            s->post[node] = post;
        }
    }
}

shunt_flow *shunt_flow_new(shunt_arena *arena, const shunt_program *program, uint16_t function)
{
    const shunt_function *f = &program->functions[function];
    search                s = { .code = program->instructions + f->code_first, .end = f->code_count };
    shunt_flow           *flow = SHUNT_NEW(arena, shunt_flow);
    if (!flow || !find_preds(arena, &s) || !put_in_order(arena, &s)) return NULL;
    *flow = (shunt_flow){ .program = program, .function = f };
    flow->branches = SHUNT_NEW_N(arena, shunt_branch, s.end + 1);
    if (!flow->branches) return NULL;
    find_joins(&s);
    for (uint32_t at = 0; at < s.end; at++) {
        uint32_t next[2];
        unsigned ways = successors(s.code, at, s.end, next), back = 0;
        for (unsigned n = 0; n < ways; n++) back += s.number[next[n]] != NOWHERE;
        if (ways < 2) continue;
        flow->branches[at].decides = back < ways;
        flow->branches[at].join = s.post[at] == NOWHERE ? s.end : s.post[at];
    }
    return flow;
}

/* ---- what the ways write ---- */

const shunt_branch *shunt_flow_branch(shunt_arena *arena, shunt_flow *flow, uint32_t at)
{
    shunt_branch            *branch = &flow->branches[at];
    const shunt_instruction *code = flow->program->instructions + flow->function->code_first;
    uint32_t                 end = flow->function->code_count, depth = 0, next[2], count = 0;
    if (branch->known) return branch;
    /* What one instruction writes stands once in the list; where two write the same, it stands twice. */
    uint8_t          *seen = SHUNT_NEW_N(arena, uint8_t, end + 1);
    uint32_t         *stack = SHUNT_NEW_N(arena, uint32_t, (size_t)end * 2 + 2);
    shunt_flow_write *all = SHUNT_NEW_N(arena, shunt_flow_write, (size_t)end * 2 + 1);
    if (!seen || !stack || !all) return NULL;
    seen[branch->join] = 1;
    for (unsigned n = successors(code, at, end, next); n; n--) stack[depth++] = next[n - 1];
    while (depth) {
        uint32_t here = stack[--depth];
        if (seen[here] || here == end) continue;
        seen[here] = 1;
        shunt_flow_write what;
        int              result = shunt_flow_result(flow->program, code[here]);
        if (result >= 0) all[count++] = (shunt_flow_write){ SHUNT_WRITTEN_REGISTER, (uint16_t)result };
        if (also_writes(code[here], &what)) all[count++] = what;
        for (unsigned n = successors(code, here, end, next); n; n--)
            if (!seen[next[n - 1]]) stack[depth++] = next[n - 1];
    }
    branch->writes = all;
    branch->write_count = count;
    branch->known = true;
    return branch;
}
