/* vm.c - the interpreter. One flat case per instruction; those that take more than a few lines are in step.c.
 * The verifier has proved registers, indexes and jumps, so nothing is tested here but states, overflow and budgets.
 * Steps: a function is paid for in full when it is entered, a jump backwards costs the instructions it repeats. So no more
 * than `steps` instructions run, and straight code counts nothing. */
#include "engine/vm/vm.h"

#include "engine/base/decimal.h"
#include "engine/vm/fuse.h"
#include "engine/vm/step.h"
#include "engine/vm/trace.h"

#ifndef SHUNT_VM_TRACED
/* ---- life ---- */

static shunt_vm_slot *slots_of(const shunt_memory *memory, const shunt_program *program)
{
    static const uint8_t ways[SHUNT_CONVERT_COUNT] = {
        [SHUNT_CONVERT_TEXT] = SHUNT_WAY_TEXT,       [SHUNT_CONVERT_DECIMAL] = SHUNT_WAY_DECIMAL,
        [SHUNT_CONVERT_INT] = SHUNT_WAY_NUMBER,      [SHUNT_CONVERT_DATE] = SHUNT_WAY_NUMBER,
        [SHUNT_CONVERT_DATE_END] = SHUNT_WAY_NUMBER, [SHUNT_CONVERT_DATE_HL7] = SHUNT_WAY_NUMBER,
        [SHUNT_CONVERT_DATE_ISO] = SHUNT_WAY_NUMBER, [SHUNT_CONVERT_DATE_FORMAT] = SHUNT_WAY_NUMBER,
    };
    shunt_vm_slot *slots = (shunt_vm_slot *)shunt_memory_zeroed(memory, program->slots_count + 1u, sizeof *slots);
    for (uint32_t i = 0; slots && i < program->slots_count; i++) {
        const shunt_plan_slot *slot = &program->slots[i];
        slots[i].place = (uint16_t)(i - program->frames[slot->frame].slot_first);
        slots[i].scale = slot->scale;
        if (slot->codes != SHUNT_NONE || slot->format != SHUNT_NONE || slot->currency != SHUNT_NONE) continue;
        slots[i].way = ways[slot->convert];
    }
    return slots;
}

/* False: no memory. */
static bool use_native(shunt_vm *vm)
{
#if defined(SHUNT_VM_SWITCH) || defined(SHUNT_VM_LOOP)
    vm->native = NULL; /* tests of the loop alone */
    return true;
#else
    return shunt_native_new(vm->memory, vm->program, vm->slots, vm->memo, vm->code, &vm->native);
#endif
}

shunt_vm *shunt_vm_new(const shunt_memory *memory, const shunt_program *program, const shunt_vm_host *host, uint64_t steps,
                       size_t unit_bytes)
{
    const struct shunt_program_owner *owner = shunt_program_owner_of(program);
    shunt_vm                         *vm = (shunt_vm *)shunt_memory_zeroed(memory, 1, sizeof *vm);
    if (!vm) return NULL;
    program = owner->runs;
    vm->memory = memory;
    vm->program = program;
    vm->host = host;
    vm->constants = owner->constants;
    vm->steps = steps;
    vm->unit = shunt_arena_new(memory, unit_bytes);
    vm->kept = shunt_arena_new(memory, unit_bytes);
    vm->stack = (shunt_value *)shunt_memory_zeroed(memory, owner->bounds.registers + 1u, sizeof *vm->stack);
    vm->states = (uint8_t *)shunt_memory_zeroed(memory, owner->bounds.registers + 1u, 1);
    vm->frames = (shunt_vm_frame *)shunt_memory_zeroed(memory, owner->bounds.depth, sizeof *vm->frames);
    vm->globals = (shunt_value *)shunt_memory_zeroed(memory, program->globals_count + 1u, sizeof *vm->globals);
    vm->global_states = (uint8_t *)shunt_memory_zeroed(memory, program->globals_count + 1u, 1);
    vm->global_unit = (uint8_t *)shunt_memory_zeroed(memory, program->globals_count + 1u, 1);
    vm->notes = (uint8_t *)shunt_memory_zeroed(memory, program->exits_count + 1u, 1);
    vm->memo = shunt_memo_new(memory, program);
    vm->slots = slots_of(memory, program);
    if (vm->slots) vm->collectors = shunt_vm_collectors_new(vm);
    vm->code = shunt_fuse(memory, program);
    if (!vm->code || !vm->slots || !vm->collectors || !vm->unit || !vm->kept || !vm->stack || !vm->states || !vm->frames ||
        !vm->globals || !vm->global_states || !vm->global_unit || !vm->notes || !vm->memo || !use_native(vm)) {
        shunt_vm_free(vm);
        return NULL;
    }
    if (host->token_key) shunt_hmac_init(&vm->token, host->token_key, host->token_key_length);
    vm->arena = vm->unit;
    shunt_vm_begin(vm);
    return vm;
}

shunt_status shunt_vm_interpret(shunt_vm *vm)
{
    const shunt_program *program = shunt_program_owner_of(vm->program)->written;
    shunt_instruction   *code = shunt_fuse(vm->memory, program);
    if (!code) return SHUNT_NO_MEMORY;
    shunt_memory_free(vm->memory, vm->code);
    vm->program = program;
    vm->code = code;
    shunt_native_free(vm->native);
    vm->native = NULL;
    return SHUNT_OK;
}

void shunt_vm_free(shunt_vm *vm)
{
    if (!vm) return;
    shunt_arena_free(vm->unit);
    shunt_arena_free(vm->kept);
    shunt_memory_free(vm->memory, vm->stack);
    shunt_memory_free(vm->memory, vm->states);
    shunt_memory_free(vm->memory, vm->frames);
    shunt_memory_free(vm->memory, vm->globals);
    shunt_memory_free(vm->memory, vm->global_states);
    shunt_memory_free(vm->memory, vm->global_unit);
    shunt_memory_free(vm->memory, vm->notes);
    shunt_memo_free(vm->memo);
    shunt_trace_free(vm->trace);
    shunt_native_free(vm->native);
    shunt_memory_free(vm->memory, vm->slots);
    shunt_memory_free(vm->memory, vm->code);
    shunt_memory_free(vm->memory, vm->collectors);
    shunt_seen_done(vm->memory, &vm->seen_unit);
    shunt_seen_done(vm->memory, &vm->seen_set);
    shunt_memory_free(vm->memory, vm);
}

void shunt_vm_begin(shunt_vm *vm)
{
    shunt_vm_unit(vm);
    shunt_arena_reset(vm->kept);
    shunt_seen_forget(vm->memory, &vm->seen_set);
    memset(vm->global_states, SHUNT_ABSENT, vm->program->globals_count);
    if (vm->trace) shunt_trace_transaction(vm->trace);
}

void shunt_vm_unit(shunt_vm *vm)
{
    shunt_arena_reset(vm->unit);
    shunt_seen_forget(vm->memory, &vm->seen_unit);
    memset(vm->notes, 0, vm->program->exits_count);
    /* What a unit left in a global points into its arena. */
    for (uint32_t g = 0; g < vm->program->globals_count; g++) {
        if (vm->global_unit[g]) vm->global_states[g] = SHUNT_ABSENT;
    }
    memset(vm->global_unit, 0, vm->program->globals_count);
    if (vm->trace) shunt_trace_unit(vm->trace);
}

void shunt_vm_cover(shunt_vm *vm, uint8_t *covered, uint32_t count)
{
    vm->covered = covered;
    vm->covered_count = covered ? count : 0;
}

shunt_arena *shunt_vm_arena(shunt_vm *vm) { return vm->unit; }

#endif

/* ---- the loop ----
 * Results are written where they stand, never handed on in one piece: a value that was stored in halves can not be loaded whole before
 * everything stored earlier has left the processor. */

#if !defined(SHUNT_VM_SWITCH) && defined(__GNUC__)
#define SHUNT_VM_GOTO 1
#endif

/* A second loop, of vm_traced.c, tells each instruction before it runs; this one knows nothing of it. */
#ifdef SHUNT_VM_TRACED
#define FOLLOW() shunt_trace_step(vm, index, (uint32_t)(pc - 1 - code), (uint32_t)(frame - vm->frames), r, s)
#else
#define FOLLOW() ((void)0)
#endif

#ifdef SHUNT_VM_GOTO
#define CASE(name)      do_##name:
#define RUN_INSTRUCTION goto *labels[i.op]
#else
#define CASE(name)      case SHUNT_OP_##name:
#define RUN_INSTRUCTION goto run_instruction
#endif
#define NEXT_INSTRUCTION                                                                                                         \
    do {                                                                                                                         \
        i = *pc++;                                                                                                               \
        FOLLOW();                                                                                                                \
        RUN_INSTRUCTION;                                                                                                         \
    } while (0)

#define FAIL(code)                                                                                                               \
    do {                                                                                                                         \
        status = (code);                                                                                                         \
        goto failed;                                                                                                             \
    } while (0)
#define DO(call)                                                                                                                 \
    do {                                                                                                                         \
        status = (call);                                                                                                         \
        if (SHUNT_UNLIKELY(status != SHUNT_OK)) goto failed;                                                                     \
    } while (0)
/* An operand that is not there decides the result. */
#define UNLESS_STATES(states)                                                                                                    \
    do {                                                                                                                         \
        unsigned states_ = (states);                                                                                             \
        if (SHUNT_UNLIKELY(states_ != SHUNT_PRESENT)) {                                                                          \
            s[i.a] = shunt_state_of(states_);                                                                                    \
            NEXT_INSTRUCTION;                                                                                                    \
        }                                                                                                                        \
    } while (0)
#define GIVE(member, expression)                                                                                                 \
    do {                                                                                                                         \
        r[i.a].member = (expression);                                                                                            \
        s[i.a] = SHUNT_PRESENT;                                                                                                  \
        NEXT_INSTRUCTION;                                                                                                        \
    } while (0)
/* Of the instruction that runs. */
#define SITE() (p->instruction_sites_count ? p->instruction_sites[pc - 1 - vm->code] : 0)
#define JUMP()                                                                                                                   \
    do {                                                                                                                         \
        const shunt_instruction *to_ = code + (i.b | (uint32_t)i.c << 16);                                                       \
        if (SHUNT_UNLIKELY(to_ < pc)) DO(shunt_vm_charge(vm, (uint64_t)(pc - to_)));                                             \
        pc = to_;                                                                                                                \
    } while (0)

/* ---- what instructions share with those that are fused of them ---- */

static inline void take_field(shunt_value *r, uint8_t *s, shunt_instruction i)
{
    if (SHUNT_UNLIKELY(s[i.b] != SHUNT_PRESENT)) {
        s[i.a] = shunt_state_of(s[i.b]);
        return;
    }
    const shunt_row *row = r[i.b].row;
    r[i.a] = row->fields[i.c];
    s[i.a] = row->states[i.c];
}

static inline const shunt_list_head *head_of(const shunt_value *items)
{
    return (const shunt_list_head *)(const void *)items - 1;
}

/* False: there is no further item. */
static inline bool take_item(shunt_value *r, uint8_t *s, shunt_instruction i)
{
    uint64_t at = s[i.c] == SHUNT_PRESENT ? (uint64_t)r[i.c].integer : 0;
    if (SHUNT_UNLIKELY(s[i.a] != SHUNT_PRESENT || at >= r[i.a].list.count)) return false;
    r[i.b] = r[i.a].list.items[at];
    r[i.c].integer = (int64_t)at + 1;
    s[i.b] = SHUNT_PRESENT;
    s[i.c] = SHUNT_PRESENT;
    return true;
}

static inline void recall(shunt_value *r, uint8_t *s, shunt_instruction i)
{
    uint64_t at = s[i.c] == SHUNT_PRESENT ? (uint64_t)r[i.c].integer - 1 : UINT64_MAX;
    if (s[i.b] != SHUNT_PRESENT || at >= r[i.b].list.count) {
        s[i.a] = SHUNT_ABSENT;
        return;
    }
    const shunt_value *items = r[i.b].list.items;
    const uint8_t     *kept = head_of(items)->kept;
    s[i.a] = kept ? kept[at] : SHUNT_PRESENT;
    r[i.a] = items[at];
}

/* A result that may be missing, as a jump sees it: true only where it is present and true. */
static inline bool give_bool(shunt_value *r, uint8_t *s, uint16_t a, unsigned states, bool value)
{
    if (SHUNT_UNLIKELY(states != SHUNT_PRESENT)) {
        s[a] = shunt_state_of(states);
        return false;
    }
    r[a].integer = value;
    s[a] = SHUNT_PRESENT;
    return value;
}

static inline bool text_is(shunt_value *r, uint8_t *s, shunt_instruction i, const shunt_value *constants)
{
    return give_bool(r, s, i.a, s[i.b], s[i.b] == SHUNT_PRESENT && shunt_text_equal_short(r[i.b].text, constants[i.c].text));
}

static inline bool int_eq(shunt_value *r, uint8_t *s, shunt_instruction i)
{
    return give_bool(r, s, i.a, s[i.b] | s[i.c], r[i.b].integer == r[i.c].integer);
}

static inline bool dec_eq(shunt_value *r, uint8_t *s, shunt_instruction i)
{
    return give_bool(r, s, i.a, s[i.b] | s[i.c], r[i.b].coefficient == r[i.c].coefficient);
}

static inline bool dec_lt(shunt_value *r, uint8_t *s, shunt_instruction i)
{
    return give_bool(r, s, i.a, s[i.b] | s[i.c], r[i.b].coefficient < r[i.c].coefficient);
}

static shunt_status execute(shunt_vm *vm, uint16_t index, const shunt_node *node, shunt_outcome *out)
{
#ifdef SHUNT_VM_GOTO
    static const void *const labels[SHUNT_RUN_COUNT] = {
#define SHUNT_OP(name, a, b, c, effect) &&do_##name,
#include "engine/vm/opcodes.def"
#define SHUNT_FUSED(name, effect) &&do_##name,
#include "engine/vm/fused.def"
    };
#endif
    const shunt_program     *p = vm->program;
    const shunt_value       *constants = vm->constants;
    const shunt_function    *function = &p->functions[index];
    const shunt_type        *types = p->register_types + function->type_first;
    const shunt_instruction *code = vm->code + function->code_first, *pc = code;
    shunt_vm_frame          *frame = vm->frames;
    shunt_value             *r = vm->stack;
    uint8_t                 *s = vm->states;
    shunt_status             status = SHUNT_OK;
    shunt_instruction        i;

    memset(s, SHUNT_ABSENT, function->registers);
    if (function->params && node) {
        r[0].node = node;
        s[0] = SHUNT_PRESENT;
    }
    DO(shunt_vm_charge(vm, function->code_count));

#ifdef SHUNT_VM_GOTO
    NEXT_INSTRUCTION;
#else
    i = *pc++;
    FOLLOW();
run_instruction:
    switch (i.op) {
    default: FAIL(SHUNT_PROGRAM_BAD);
#endif

    CASE(NOP) CASE(EXTRA) { NEXT_INSTRUCTION; }
    CASE(MOVE) CASE(RETYPE)
    {
        r[i.a] = r[i.b];
        s[i.a] = s[i.b];
        NEXT_INSTRUCTION;
    }
    CASE(LOADK)
    {
        r[i.a] = constants[i.b];
        s[i.a] = SHUNT_PRESENT;
        NEXT_INSTRUCTION;
    }
    CASE(ABSENT)
    {
        s[i.a] = SHUNT_ABSENT;
        NEXT_INSTRUCTION;
    }
    CASE(GLOBAL_GET)
    {
        r[i.a] = vm->globals[i.b];
        s[i.a] = vm->global_states[i.b];
        NEXT_INSTRUCTION;
    }

    /* ---- control ---- */
    CASE(JUMP)
    {
        JUMP();
        NEXT_INSTRUCTION;
    }
    CASE(JUMP_TRUE)
    {
        if (s[i.a] == SHUNT_PRESENT && r[i.a].integer) JUMP();
        NEXT_INSTRUCTION;
    }
    CASE(JUMP_FALSE)
    {
        if (s[i.a] != SHUNT_PRESENT || !r[i.a].integer) JUMP();
        NEXT_INSTRUCTION;
    }
    CASE(JUMP_PRESENT)
    {
        if (s[i.a] == SHUNT_PRESENT) JUMP();
        NEXT_INSTRUCTION;
    }
    CASE(JUMP_ABSENT)
    {
        if (s[i.a] == SHUNT_ABSENT) JUMP();
        NEXT_INSTRUCTION;
    }
    CASE(JUMP_CLEARED)
    {
        if (s[i.a] == SHUNT_CLEARED) JUMP();
        NEXT_INSTRUCTION;
    }
    CASE(IS_STATE) { GIVE(integer, s[i.b] == i.c); }
    CASE(CALL)
    {
        const shunt_function    *callee = &p->functions[i.b];
        struct shunt_memo_entry *memo = NULL;
        uint32_t                 result = i.a + (uint32_t)callee->params;
#ifndef SHUNT_VM_TRACED /* what is remembered has forgotten where it came from */
        if (callee->pure && shunt_memo_find(vm->memo, i.b, r + i.a, s + i.a, &r[result], &s[result], &memo)) NEXT_INSTRUCTION;
#endif
        DO(shunt_vm_charge(vm, callee->code_count));
        shunt_value *registers = r + function->registers;
        uint8_t     *states = s + function->registers;
        for (uint32_t n = 0; n < callee->params; n++) {
            registers[n] = r[i.a + n];
            states[n] = s[i.a + n];
        }
        memset(states + callee->params, SHUNT_ABSENT, callee->registers - callee->params);
        *frame++ = (shunt_vm_frame){ .pc = pc, .registers = r, .states = s, .result = result, .function = index, .memo = memo };
        index = i.b;
        function = callee;
        r = registers;
        s = states;
        types = p->register_types + callee->type_first;
        code = pc = vm->code + callee->code_first;
        NEXT_INSTRUCTION;
    }
    CASE(RETURN)
    {
        if (frame == vm->frames) {
            out->has_result = true;
            out->result = r[i.a];
            out->state = s[i.a];
            return SHUNT_OK;
        }
        frame--;
        if (frame->memo) shunt_memo_store(vm->memo, frame->memo, index, r[i.a], s[i.a]);
        frame->registers[frame->result] = r[i.a];
        frame->states[frame->result] = s[i.a];
        index = frame->function;
        function = &p->functions[index];
        types = p->register_types + function->type_first;
        code = vm->code + function->code_first;
        pc = frame->pc;
        r = frame->registers;
        s = frame->states;
        NEXT_INSTRUCTION;
    }
    CASE(FINISH) { return SHUNT_OK; }
    CASE(EXIT)
    {
        out->exit = i.a;
        out->message = s[i.b] == SHUNT_PRESENT ? r[i.b].text : (shunt_text){ 0 };
        vm->place = shunt_vm_exit_place(vm, i.a, r, s);
        if (p->exits[i.a].site) vm->fail_site = p->exits[i.a].site;
        FAIL(SHUNT_FAILURE);
    }
    CASE(REQUIRE)
    {
        if (SHUNT_LIKELY(s[i.a] == SHUNT_PRESENT)) NEXT_INSTRUCTION;
        if (i.b != SHUNT_NONE) vm->place = shunt_vm_exit_place(vm, i.b, r, s);
        FAIL(SHUNT_REQUIRED_MISSING);
    }
    CASE(UNMATCHED) { FAIL(SHUNT_CODE_UNMATCHED); }

    /* ---- bool, int ---- */
    CASE(NOT)
    {
        UNLESS_STATES(s[i.b]);
        GIVE(integer, !r[i.b].integer);
    }
    CASE(BOOL_EQ)
    {
        UNLESS_STATES(s[i.b] | s[i.c]);
        GIVE(integer, !r[i.b].integer == !r[i.c].integer);
    }
    CASE(INT_ADD)
    {
        int64_t result;
        UNLESS_STATES(s[i.b] | s[i.c]);
        if (__builtin_add_overflow(r[i.b].integer, r[i.c].integer, &result)) FAIL(SHUNT_OVERFLOW);
        GIVE(integer, result);
    }
    CASE(INT_SUB)
    {
        int64_t result;
        UNLESS_STATES(s[i.b] | s[i.c]);
        if (__builtin_sub_overflow(r[i.b].integer, r[i.c].integer, &result)) FAIL(SHUNT_OVERFLOW);
        GIVE(integer, result);
    }
    CASE(INT_EQ)
    {
        int_eq(r, s, i);
        NEXT_INSTRUCTION;
    }
    CASE(INT_LT)
    {
        UNLESS_STATES(s[i.b] | s[i.c]);
        GIVE(integer, r[i.b].integer < r[i.c].integer);
    }
    CASE(INT_LE)
    {
        UNLESS_STATES(s[i.b] | s[i.c]);
        GIVE(integer, r[i.b].integer <= r[i.c].integer);
    }

    /* ---- decimal ---- */
    CASE(DEC_ADD)
    {
        UNLESS_STATES(s[i.b] | s[i.c]);
        DO(shunt_decimal_add(r[i.b].coefficient, r[i.c].coefficient, &r[i.a].coefficient));
        s[i.a] = SHUNT_PRESENT;
        NEXT_INSTRUCTION;
    }
    CASE(DEC_SUB)
    {
        UNLESS_STATES(s[i.b] | s[i.c]);
        DO(shunt_decimal_subtract(r[i.b].coefficient, r[i.c].coefficient, &r[i.a].coefficient));
        s[i.a] = SHUNT_PRESENT;
        NEXT_INSTRUCTION;
    }
    CASE(DEC_EQ)
    {
        dec_eq(r, s, i);
        NEXT_INSTRUCTION;
    }
    CASE(DEC_LT)
    {
        dec_lt(r, s, i);
        NEXT_INSTRUCTION;
    }
    CASE(DEC_LE)
    {
        UNLESS_STATES(s[i.b] | s[i.c]);
        GIVE(integer, r[i.b].coefficient <= r[i.c].coefficient);
    }

    /* ---- text ---- */
    CASE(TEXT_IS)
    {
        text_is(r, s, i, constants);
        NEXT_INSTRUCTION;
    }

    /* ---- dates ---- */
    CASE(DATE_EQ)
    {
        UNLESS_STATES(s[i.b] | s[i.c]);
        GIVE(integer, r[i.b].integer == r[i.c].integer);
    }
    CASE(DATE_LT)
    {
        UNLESS_STATES(s[i.b] | s[i.c]);
        GIVE(integer, r[i.b].integer < r[i.c].integer);
    }
    CASE(DATE_LE)
    {
        UNLESS_STATES(s[i.b] | s[i.c]);
        GIVE(integer, r[i.b].integer <= r[i.c].integer);
    }

    /* ---- the message ---- */
    CASE(CHILD_FIRST)
    {
        UNLESS_STATES(s[i.b]);
        const shunt_node *child = r[i.b].node->children[i.c].first;
        if (child) GIVE(node, child);
        s[i.a] = SHUNT_ABSENT;
        NEXT_INSTRUCTION;
    }
    CASE(POSITION)
    {
        UNLESS_STATES(s[i.b]);
        GIVE(integer, r[i.b].node->ordinal);
    }

    /* ---- lists and rows ---- */
    CASE(LIST_COUNT)
    {
        if (s[i.b] == SHUNT_CLEARED) UNLESS_STATES(s[i.b]);
        GIVE(integer, s[i.b] == SHUNT_PRESENT ? r[i.b].list.count : 0);
    }
    CASE(LIST_FIRST)
    {
        UNLESS_STATES(s[i.b]);
        s[i.a] = SHUNT_ABSENT;
        if (r[i.b].list.count) {
            r[i.a] = r[i.b].list.items[0];
            s[i.a] = SHUNT_PRESENT;
        }
        NEXT_INSTRUCTION;
    }
    CASE(NEXT)
    {
        if (SHUNT_LIKELY(take_item(r, s, i))) {
            pc++;
            NEXT_INSTRUCTION;
        }
        i = *pc++;
        JUMP();
        NEXT_INSTRUCTION;
    }
    CASE(RECALL)
    {
        recall(r, s, i);
        NEXT_INSTRUCTION;
    }
    CASE(FIELD)
    {
        take_field(r, s, i);
        NEXT_INSTRUCTION;
    }

    /* ---- those of step.c ---- */
    /* clang-format off */
    CASE(GLOBAL_SET) CASE(WARN) CASE(NOTE) CASE(COVER)
    CASE(INT_MUL) CASE(INT_NEG) CASE(INT_ABS) CASE(INT_TO_DEC)
    CASE(DEC_MUL) CASE(DEC_DIV) CASE(DEC_NEG) CASE(DEC_ABS) CASE(DEC_RESCALE)
    CASE(TEXT_EQ) CASE(TEXT_LT) CASE(TEXT_LE) CASE(TEXT_JOIN) CASE(TEXT_OF) CASE(TEXT_OF_ENUM) CASE(TEXT_LIMIT)
    CASE(DATE_ADD) CASE(DATE_DIFF)
    CASE(GET) CASE(GET_OPTIONAL) CASE(GET_TEXT) CASE(ANCESTOR) CASE(CHILDREN) CASE(COLLECT) CASE(SUM) CASE(EARLIEST)
    CASE(LIST_NEW) CASE(LIST_PUSH) CASE(KEEP) CASE(ALLOCATE) CASE(ROW_NEW) CASE(LOOKUP)
    CASE(EXTERN) CASE(DECIDE) CASE(BUILTIN) CASE(TALLY_ADD) CASE(TALLY_GET) CASE(OCCURRENCE) CASE(CORRELATE)
    CASE(EMIT) CASE(JOURNAL) CASE(LINE) CASE(POST)
    /* clang-format on */
    {
        DO(shunt_vm_steps[i.op](vm, r, s, pc - 1, types, SITE()));
        NEXT_INSTRUCTION;
    }

    /* ---- several as one; what can fail stands last, and `pc` behind it ---- */
    CASE(NATIVE)
    {
        uint64_t end = shunt_native_go(vm->native, vm, r, s, (uint32_t)(pc - 1 - vm->code));
        uint32_t at = (uint32_t)end;
        pc = vm->code + at;
        i = *pc++;
        if (SHUNT_UNLIKELY(end >> 32)) FAIL((shunt_status)(end >> 32));
        i.op = p->instructions[at].op;
        RUN_INSTRUCTION;
    }
    CASE(MOVES)
    {
        for (uint32_t left = i.c; left; left--) {
            r[i.a] = r[i.b];
            s[i.a] = s[i.b];
            i = *pc++;
        }
        pc--;
        NEXT_INSTRUCTION;
    }
    CASE(LOADS)
    {
        for (uint32_t left = i.c; left; left--) {
            r[i.a] = constants[i.b];
            s[i.a] = SHUNT_PRESENT;
            i = *pc++;
        }
        pc--;
        NEXT_INSTRUCTION;
    }
    CASE(NEXT_FIELD)
    {
        if (SHUNT_LIKELY(take_item(r, s, i))) {
            i = pc[1];
            pc += 2;
            take_field(r, s, i);
            NEXT_INSTRUCTION;
        }
        i = *pc++;
        JUMP();
        NEXT_INSTRUCTION;
    }
    CASE(FIELD_REQUIRE)
    {
        take_field(r, s, i);
        i = *pc++;
        if (SHUNT_LIKELY(s[i.a] == SHUNT_PRESENT)) NEXT_INSTRUCTION;
        if (i.b != SHUNT_NONE) vm->place = shunt_vm_exit_place(vm, i.b, r, s);
        FAIL(SHUNT_REQUIRED_MISSING);
    }
    CASE(FIELD_PRESENT)
    {
        take_field(r, s, i);
        i = *pc++;
        if (s[i.a] == SHUNT_PRESENT) JUMP();
        NEXT_INSTRUCTION;
    }
    CASE(FIELD_ADD)
    {
        take_field(r, s, i);
        i = *pc++;
        UNLESS_STATES(s[i.b] | s[i.c]);
        DO(shunt_decimal_add(r[i.b].coefficient, r[i.c].coefficient, &r[i.a].coefficient));
        s[i.a] = SHUNT_PRESENT;
        NEXT_INSTRUCTION;
    }
    CASE(RECALL_PRESENT)
    {
        recall(r, s, i);
        i = *pc++;
        if (s[i.a] == SHUNT_PRESENT) JUMP();
        NEXT_INSTRUCTION;
    }
    CASE(TEXT_IS_TRUE)
    {
        bool is = text_is(r, s, i, constants);
        i = *pc++;
        if (is) JUMP();
        NEXT_INSTRUCTION;
    }
    CASE(TEXT_IS_FALSE)
    {
        bool is = text_is(r, s, i, constants);
        i = *pc++;
        if (!is) JUMP();
        NEXT_INSTRUCTION;
    }
    CASE(INT_EQ_TRUE)
    {
        bool is = int_eq(r, s, i);
        i = *pc++;
        if (is) JUMP();
        NEXT_INSTRUCTION;
    }
    CASE(INT_EQ_FALSE)
    {
        bool is = int_eq(r, s, i);
        i = *pc++;
        if (!is) JUMP();
        NEXT_INSTRUCTION;
    }
    CASE(DEC_EQ_TRUE)
    {
        bool is = dec_eq(r, s, i);
        i = *pc++;
        if (is) JUMP();
        NEXT_INSTRUCTION;
    }
    CASE(DEC_NE_FALSE)
    {
        bool differ = give_bool(r, s, i.a, s[i.b] | s[i.c], r[i.b].coefficient != r[i.c].coefficient);
        i = pc[1];
        pc += 2;
        if (!differ) JUMP();
        NEXT_INSTRUCTION;
    }
    CASE(DEC_LT_FALSE)
    {
        bool is = dec_lt(r, s, i);
        i = *pc++;
        if (!is) JUMP();
        NEXT_INSTRUCTION;
    }
#ifndef SHUNT_VM_GOTO
}
#endif

failed : out->status = status;
out->site = vm->fail_site                ? vm->fail_site
            : p->instruction_sites_count ? p->instruction_sites[(pc > code ? pc - 1 : pc) - vm->code]
                                         : 0;
return shunt_ends_run(status) ? status : SHUNT_OK;
}

#ifdef SHUNT_VM_TRACED
shunt_status shunt_vm_execute_traced(shunt_vm *vm, uint16_t index, const shunt_node *node, shunt_outcome *outcome)
{
    return execute(vm, index, node, outcome);
}
#else
    bool shunt_vm_peek(const shunt_vm *vm, uint16_t index, const shunt_node *node, shunt_value *result)
    {
        const shunt_program *p = vm->program;
        if (index >= p->functions_count || !node || vm->trace) return false;
        const shunt_function *f = &p->functions[index];
        const shunt_instruction *code = p->instructions + f->code_first;
        if (f->params != 1 || f->code_count != 2 || vm->steps < f->code_count) return false;
        if (code[1].op != SHUNT_OP_RETURN || code[1].a != code[0].a) return false;
        if (code[0].op == SHUNT_OP_LOADK && node->frame == p->register_types[f->type_first].record) {
            *result = vm->constants[code[0].b];
            return true;
        }
        if (code[0].op != SHUNT_OP_GET || code[0].b != 0 || node->frame != p->slots[code[0].c].frame) return false;
        return shunt_vm_read(vm, node, code[0].c, result);
    }

    shunt_status shunt_vm_run(shunt_vm * vm, uint16_t index, const shunt_node *node, bool keep, shunt_outcome *outcome)
    {
        const shunt_program *p = vm->program;
        outcome->status = SHUNT_OK;
        outcome->exit = SHUNT_NONE;
        outcome->message = (shunt_text){ 0 };
        outcome->site = outcome->records = 0;
        outcome->place = (shunt_vm_place){ .slot = SHUNT_NONE };
        outcome->has_result = false;
        outcome->state = SHUNT_ABSENT;
        outcome->result.coefficient = 0;
        if (index >= p->functions_count || p->functions[index].params > 1) return SHUNT_USAGE;
        if (p->functions[index].params == 1) {
            shunt_type type = p->register_types[p->functions[index].type_first];
            if (type.kind != SHUNT_KIND_NODE || (node && node->frame != type.record)) return SHUNT_USAGE;
        }
        vm->keep = keep;
        vm->arena = keep ? vm->kept : vm->unit;
        vm->left = vm->steps;
        vm->records = 0;
        vm->place = (shunt_vm_place){ .slot = SHUNT_NONE };
        vm->message = (shunt_text){ 0 };
        vm->fail_site = 0;

        if (vm->trace) shunt_trace_begin(vm, index, keep);
        shunt_status status = vm->trace ? shunt_vm_execute_traced(vm, index, node, outcome) : execute(vm, index, node, outcome);
        if (vm->trace && status == SHUNT_OK) status = shunt_trace_end(vm);
        outcome->records = vm->records;
        if (outcome->status != SHUNT_OK) {
            outcome->place = vm->place;
            if (outcome->status != SHUNT_FAILURE) outcome->message = vm->message;
        }
        return status;
    }
#endif
