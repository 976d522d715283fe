#include "engine/vm/uses.h"

static bool is_register(uint8_t operand) { return operand >= SHUNT_OPERAND_BOOL && operand <= SHUNT_OPERAND_ITEM; }

static uint16_t builtin_arguments(uint16_t builtin)
{
    static const uint8_t counts[SHUNT_BUILTIN_COUNT] = {
#define SHUNT_BUILTIN(name, arguments, result, effect) sizeof(arguments) - 1,
#include "engine/vm/builtin.def"
    };
    return counts[builtin];
}

static void add_run(shunt_uses *u, uint32_t first, uint32_t count)
{
    if (!count) return;
    u->runs[u->run_count].first = (uint16_t)first;
    u->runs[u->run_count++].count = (uint16_t)count;
}

/* Arguments in a row, the result behind them. */
static void add_call(shunt_uses *u, uint16_t first, uint16_t count)
{
    add_run(u, first, count);
    u->write = (uint16_t)(first + count);
}

static void add_exit(const shunt_program *p, shunt_uses *u, uint16_t exit)
{
    if (exit != SHUNT_NONE && p->exits[exit].slot != SHUNT_NONE) u->node = p->exits[exit].node;
}

static uint32_t fields_of(const shunt_program *p, uint16_t record)
{
    return record == SHUNT_NONE ? 0 : p->records[record].field_count;
}

shunt_uses shunt_uses_of(const shunt_program *p, const shunt_type *types, shunt_instruction i, uint16_t open)
{
    const struct shunt_op_info *info = &shunt_op_info[i.op];
    shunt_uses                  u = { .node = SHUNT_NONE, .write = SHUNT_NONE, .also = SHUNT_NONE };
    if (is_register(info->b)) u.read |= SHUNT_USE_B;
    if (is_register(info->c)) u.read |= SHUNT_USE_C;
    if (is_register(info->a)) u.write = i.a;
    if (shunt_op_reads_a(i.op)) {
        u.read |= SHUNT_USE_A;
        u.write = SHUNT_NONE;
    }
    switch ((shunt_op)i.op) {
    case SHUNT_OP_REQUIRE: add_exit(p, &u, i.b); break;
    case SHUNT_OP_EXIT:
    case SHUNT_OP_WARN:
    case SHUNT_OP_NOTE: add_exit(p, &u, i.a); break;
    case SHUNT_OP_NEXT:
        u.read = u.fixed = SHUNT_USE_A | SHUNT_USE_C;
        u.write = i.b;
        u.also = i.c;
        u.partly = true;
        break;
    case SHUNT_OP_LIST_PUSH:
        u.read |= SHUNT_USE_A;
        u.fixed = SHUNT_USE_A;
        break;
    case SHUNT_OP_KEEP:
        u.read |= SHUNT_USE_A;
        u.fixed = SHUNT_USE_B;
        u.write = i.b;
        break;
    case SHUNT_OP_CALL: add_call(&u, i.a, p->functions[i.b].params); break;
    case SHUNT_OP_EXTERN: add_call(&u, i.a, p->externs[i.b].param_count); break;
    case SHUNT_OP_BUILTIN: add_call(&u, i.a, builtin_arguments(i.b)); break;
    case SHUNT_OP_TEXT_JOIN:
    case SHUNT_OP_OCCURRENCE: add_run(&u, i.b, i.c); break;
    case SHUNT_OP_CORRELATE: add_run(&u, i.a, i.b); break;
    case SHUNT_OP_ROW_NEW: add_run(&u, i.b, fields_of(p, types[i.a].record)); break;
    case SHUNT_OP_LOOKUP:
        add_run(&u, i.b, p->tables[i.c].key_count + (p->tables[i.c].flags & SHUNT_TABLE_EFFECTIVE ? 1u : 0u));
        break;
    case SHUNT_OP_DECIDE: add_run(&u, i.b, p->decisions[i.c].column_count); break;
    case SHUNT_OP_TALLY_ADD:
        if (p->tallies[i.a].record != SHUNT_NONE) add_run(&u, i.c, p->tallies[i.a].keys + (uint32_t)p->tallies[i.a].members);
        break;
    case SHUNT_OP_EMIT: add_run(&u, i.b, fields_of(p, p->targets[i.a].record) + fields_of(p, p->targets[i.a].message)); break;
    case SHUNT_OP_JOURNAL:
        if (i.b & SHUNT_JOURNAL_COLUMNS) add_run(&u, i.c, fields_of(p, p->targets[i.a].line));
        break;
    case SHUNT_OP_LINE:
        if (open != SHUNT_NONE) add_run(&u, i.a, 2 + fields_of(p, p->targets[open].line) - i.c);
        break;
    case SHUNT_OP_POST:
        if (open == SHUNT_NONE) break; /* nothing leads here */
        add_run(&u, i.a, fields_of(p, p->targets[open].record));
        add_run(&u, i.b, i.c);
        break;
    default: break;
    }
    return u;
}

unsigned shunt_nature_of(uint16_t op)
{
    enum { PLAIN = SHUNT_NATURE_PLAIN | SHUNT_NATURE_AGAIN, MAY_FAIL = SHUNT_NATURE_AGAIN };
    static const uint8_t natures[SHUNT_OP_COUNT] = {
        [SHUNT_OP_MOVE] = PLAIN,
        [SHUNT_OP_RETYPE] = PLAIN,
        [SHUNT_OP_LOADK] = PLAIN,
        [SHUNT_OP_ABSENT] = PLAIN,
        [SHUNT_OP_GLOBAL_GET] = PLAIN,
        [SHUNT_OP_IS_STATE] = PLAIN,
        [SHUNT_OP_NOT] = PLAIN,
        [SHUNT_OP_BOOL_EQ] = PLAIN,
        [SHUNT_OP_INT_ADD] = MAY_FAIL,
        [SHUNT_OP_INT_SUB] = MAY_FAIL,
        [SHUNT_OP_INT_MUL] = MAY_FAIL,
        [SHUNT_OP_INT_NEG] = MAY_FAIL,
        [SHUNT_OP_INT_ABS] = MAY_FAIL,
        [SHUNT_OP_INT_EQ] = PLAIN,
        [SHUNT_OP_INT_LT] = PLAIN,
        [SHUNT_OP_INT_LE] = PLAIN,
        [SHUNT_OP_INT_TO_DEC] = MAY_FAIL,
        [SHUNT_OP_DEC_ADD] = MAY_FAIL,
        [SHUNT_OP_DEC_SUB] = MAY_FAIL,
        [SHUNT_OP_DEC_MUL] = MAY_FAIL,
        [SHUNT_OP_DEC_NEG] = PLAIN,
        [SHUNT_OP_DEC_ABS] = PLAIN,
        [SHUNT_OP_DEC_RESCALE] = MAY_FAIL,
        [SHUNT_OP_DEC_EQ] = PLAIN,
        [SHUNT_OP_DEC_LT] = PLAIN,
        [SHUNT_OP_DEC_LE] = PLAIN,
        [SHUNT_OP_TEXT_EQ] = MAY_FAIL,
        [SHUNT_OP_TEXT_LT] = MAY_FAIL,
        [SHUNT_OP_TEXT_LE] = MAY_FAIL,
        [SHUNT_OP_TEXT_IS] = PLAIN,
        [SHUNT_OP_TEXT_JOIN] = MAY_FAIL,
        [SHUNT_OP_TEXT_OF] = MAY_FAIL,
        [SHUNT_OP_TEXT_OF_ENUM] = MAY_FAIL,
        [SHUNT_OP_TEXT_LIMIT] = MAY_FAIL,
        [SHUNT_OP_DATE_ADD] = MAY_FAIL,
        [SHUNT_OP_DATE_DIFF] = PLAIN,
        [SHUNT_OP_DATE_EQ] = PLAIN,
        [SHUNT_OP_DATE_LT] = PLAIN,
        [SHUNT_OP_DATE_LE] = PLAIN,
        [SHUNT_OP_GET] = MAY_FAIL,
        [SHUNT_OP_GET_OPTIONAL] = MAY_FAIL,
        [SHUNT_OP_GET_TEXT] = PLAIN,
        [SHUNT_OP_ANCESTOR] = PLAIN,
        [SHUNT_OP_CHILD_FIRST] = PLAIN,
        [SHUNT_OP_POSITION] = PLAIN,
        [SHUNT_OP_EARLIEST] = MAY_FAIL,
        [SHUNT_OP_LIST_COUNT] = PLAIN,
        [SHUNT_OP_LIST_FIRST] = PLAIN,
        [SHUNT_OP_LIST_NEW] = SHUNT_NATURE_PLAIN,
        [SHUNT_OP_RECALL] = PLAIN,
        [SHUNT_OP_FIELD] = PLAIN,
        [SHUNT_OP_LOOKUP] = MAY_FAIL,
        [SHUNT_OP_DECIDE] = MAY_FAIL,
    };
    return natures[op];
}

unsigned shunt_ways_on(const shunt_instruction *code, uint32_t at, uint32_t next[static 2])
{
    shunt_instruction i = code[at];
    if (i.op == SHUNT_OP_NEXT) {
        next[0] = at + 2, next[1] = at + 1;
        return 2;
    }
    if (shunt_op_ends(i.op)) {
        next[0] = shunt_jump_target(i);
        return i.op == SHUNT_OP_JUMP;
    }
    next[0] = at + 1;
    if (!shunt_is_jump(i.op)) return 1;
    next[1] = shunt_jump_target(i);
    return 2;
}
