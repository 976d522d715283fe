/* cost.c - what a program may cost: steps of a unit at the bounds of its standard, and what is held of a unit, a transaction and a file.
 * Steps are those that the engine counts: each instruction of every function that is called, as often as the passes around it may run. */
#include "api/compile.h"
#include "engine/vm/flow.h"

#include <stdio.h>

enum { STEPS = 10 * 1000 * 1000, UNIT_BYTES = 4 << 20, HOPS = 16, LONGEST = 65535 };

typedef struct costing {
    const shunt_program *p;
    shunt_arena         *arena;
    uint64_t            *steps;  /* of each function, by number */
    bool                *open;   /* frames whose number has no limit in the standard */
    uint64_t            *bounds; /* of each frame: instances in what they hang in; of an open one what is assumed now */
    bool                *met;    /* open frames that a pass goes over */
    bool                 no_memory;
} costing;

static uint64_t times(uint64_t a, uint64_t b) { return a && b > UINT64_MAX / a ? UINT64_MAX : a * b; }
static uint64_t plus(uint64_t a, uint64_t b) { return a > UINT64_MAX - b ? UINT64_MAX : a + b; }

/* ---- how many there may be ---- */

/* Instances of a frame in an instance of the frame around it; 0 = no limit. */
static uint64_t limit_of(const shunt_program *p, uint16_t frame)
{
    uint64_t most = 1;
    bool     any = false;
    for (uint32_t i = 0; i < p->nodes_count; i++) {
        if (p->nodes[i].frame != frame) continue;
        uint64_t groups = p->nodes[i].group_stride && p->nodes[i].group_count ? p->nodes[i].group_count : 1;
        any = true;
        if (p->nodes[i].max == 0) return 0;
        if (p->nodes[i].max * groups > most) most = p->nodes[i].max * groups;
    }
    for (uint32_t i = 0; i < p->loops_count; i++) {
        if (p->loops[i].frame != frame) continue;
        uint64_t count = p->loops[i].max;
        any = true;
        if (count == 0) return 0;
        for (uint16_t up = p->loops[i].parent, hops = 0; up != SHUNT_NONE && hops < HOPS && p->loops[up].frame == SHUNT_NONE;
             hops++) {
            if (p->loops[up].max == 0) return 0;
            count = times(count, p->loops[up].max);
            up = p->loops[up].parent;
        }
        if (count > most) most = count;
    }
    return any ? most : 0;
}

static uint64_t instances(costing *c, uint16_t frame)
{
    if (frame >= c->p->frames_count) return 1;
    if (c->open[frame]) c->met[frame] = true;
    return c->bounds[frame];
}

static uint64_t children(costing *c, uint16_t frame, uint16_t child)
{
    if (child == SHUNT_NONE || frame >= c->p->frames_count || child >= c->p->frames[frame].child_count) return 0;
    return instances(c, c->p->children[c->p->frames[frame].child_first + child]);
}

static uint16_t child_frame(const shunt_program *p, uint16_t frame, uint16_t child)
{
    return child == SHUNT_NONE || child >= p->frames[frame].child_count ? SHUNT_NONE
                                                                        : p->children[p->frames[frame].child_first + child];
}

static uint64_t collected(costing *c, uint16_t number)
{
    const shunt_program *p = c->p;
    const shunt_collect *k = &p->collects[number];
    uint64_t             count = children(c, k->frame, k->group);
    uint16_t             line = child_frame(p, k->frame, k->line);
    if (line != SHUNT_NONE) {
        uint64_t each = children(c, line, k->line_group);
        uint16_t inner = child_frame(p, line, k->inner_line);
        if (inner != SHUNT_NONE) each = plus(each, times(instances(c, inner), children(c, inner, k->inner_group)));
        count = plus(count, times(instances(c, line), each));
    }
    return count < k->max ? count : k->max;
}

/* ---- steps ---- */

typedef struct body {
    const shunt_function    *function;
    const shunt_instruction *code;
    const shunt_type        *types;
    uint32_t                 count;
    uint64_t                *passes; /* how often each instruction may run */
} body;

/* Items of the list in a register, by what was written to it. */
static uint64_t items_of(costing *c, const body *b, uint16_t reg, unsigned hops)
{
    uint64_t most = 0;
    bool     known = false;
    for (uint32_t i = 0; i < b->count && hops < HOPS; i++) {
        shunt_instruction at = b->code[i];
        uint64_t          count;
        if (at.op == SHUNT_OP_LIST_PUSH && at.a == reg) {
            most = plus(most, b->passes[i]);
            known = true;
            continue;
        }
        if (shunt_flow_result(c->p, at) != reg) continue;
        switch ((shunt_op)at.op) {
        case SHUNT_OP_LIST_NEW: count = 0; break;
        case SHUNT_OP_CHILDREN: count = children(c, b->types[at.b].record, at.c); break;
        case SHUNT_OP_COLLECT: count = collected(c, at.c); break;
        case SHUNT_OP_TALLY_GET: count = c->p->tallies[at.b].limit; break;
        case SHUNT_OP_MOVE:
        case SHUNT_OP_RETYPE: count = items_of(c, b, at.b, hops + 1); break;
        default: count = LONGEST; break;
        }
        known = true;
        if (count > most) most = count;
    }
    return known ? most : LONGEST;
}

static uint64_t steps_of(costing *c, uint32_t number)
{
    const shunt_program *p = c->p;
    body                 b = { .function = &p->functions[number] };
    b.code = p->instructions + b.function->code_first;
    b.types = p->register_types + b.function->type_first;
    b.count = b.function->code_count;
    b.passes = SHUNT_NEW_N(c->arena, uint64_t, b.count + 1);
    if (!b.passes) {
        c->no_memory = true;
        return 0;
    }
    for (uint32_t i = 0; i < b.count; i++) b.passes[i] = 1;
    /* Passes nest, and begin with their NEXT: those outside come first. */
    for (uint32_t head = 0; head < b.count; head++) {
        uint32_t end = 0;
        if (b.code[head].op != SHUNT_OP_NEXT) continue;
        for (uint32_t i = head; i < b.count; i++)
            if (b.code[i].op >= SHUNT_OP_JUMP && b.code[i].op <= SHUNT_OP_JUMP_CLEARED &&
                (b.code[i].b | (uint32_t)b.code[i].c << 16) == head)
                end = i;
        uint64_t items = end ? items_of(c, &b, b.code[head].a, 0) : 1;
        for (uint32_t i = head; i <= end && end; i++) b.passes[i] = times(b.passes[i], items ? items : 1);
    }
    uint64_t steps = 0;
    for (uint32_t i = 0; i < b.count; i++) {
        uint64_t each = 1;
        if (b.code[i].op == SHUNT_OP_CALL && b.code[i].b < number) each = plus(each, c->steps[b.code[i].b]);
        steps = plus(steps, times(b.passes[i], each));
    }
    return steps;
}

/* Functions call only those before them. */
static void all_steps(costing *c)
{
    for (uint32_t f = 0; f < c->p->functions_count && !c->no_memory; f++) c->steps[f] = steps_of(c, f);
}

/* ---- as it is shown ---- */

static void number(shunt_buffer *out, uint64_t n)
{
    char   digits[32], grouped[48];
    size_t length = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)n), at = 0;
    for (size_t i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0) grouped[at++] = ',';
        grouped[at++] = digits[i];
    }
    shunt_buffer_add(out, grouped, at);
}

static shunt_text frame_name(const shunt_program *p, uint32_t frame)
{
    shunt_text id = p->plan.texts[p->frames[frame].id];
    return id.length ? id : SHUNT_TEXT("the message");
}

static void rule_steps(costing *c, shunt_buffer *out, const char *what, shunt_text name, uint16_t function)
{
    uint64_t base;
    if (function == SHUNT_NONE) return;
    for (uint32_t f = 0; f < c->p->frames_count; f++) c->met[f] = false;
    all_steps(c);
    base = c->steps[function];
    shunt_buffer_format(out, "  %-12s %-16.*s ", what, SHUNT_TEXT_ARGS(name));
    if (base > STEPS)
        shunt_buffer_z(out, "more than the limit of 10,000,000 steps, where a message holds all that the standard allows");
    else
        number(out, base);
    if (base <= STEPS) shunt_buffer_z(out, " steps");
    shunt_buffer_char(out, '\n');
    if (base > STEPS) return;
    for (uint32_t f = 0; f < c->p->frames_count && !c->no_memory; f++) {
        if (!c->open[f]) continue;
        uint64_t before = c->bounds[f];
        c->bounds[f] = before + 1;
        all_steps(c);
        uint64_t more = c->steps[function] - base;
        c->bounds[f] = before;
        if (!more) continue;
        shunt_buffer_format(out, "  %-12s %-16s + ", "", "");
        number(out, more);
        shunt_buffer_format(out, " for each further %.*s, which the standard does not limit\n",
                            SHUNT_TEXT_ARGS(frame_name(c->p, f)));
    }
}

static const char *const scope_names[] = { "unit", "transaction", "batch", "interchange", "file" };

static bool uses(const shunt_program *p, uint16_t op)
{
    for (uint32_t i = 0; i < p->instructions_count; i++)
        if (p->instructions[i].op == op) return true;
    return false;
}

static void held(costing *c, shunt_buffer *out)
{
    const shunt_program *p = c->p;
    shunt_scope          widest = SHUNT_SCOPE_TRANSACTION;
    shunt_buffer_z(out, "held of a unit\n");
    for (uint32_t f = 0; f < p->frames_count; f++) {
        if (p->frames[f].slot_count == 0) continue;
        uint64_t most = c->open[f] ? 0 : c->bounds[f];
        shunt_buffer_format(out, "  %-29.*s %u values", SHUNT_TEXT_ARGS(frame_name(p, f)), p->frames[f].slot_count);
        if (c->open[f])
            shunt_buffer_z(out, ", any number of instances");
        else if (most > 1) {
            shunt_buffer_z(out, ", at most ");
            number(out, most);
            shunt_buffer_z(out, " instances in what is around");
        }
        shunt_buffer_char(out, '\n');
    }
    for (uint32_t s = 0; s < p->sources_count; s++) {
        shunt_buffer_format(out, "  %-29.*s at most ", SHUNT_TEXT_ARGS(shunt_program_text(p, p->sources[s].name)));
        number(out, p->sources[s].max_unit_bytes ? p->sources[s].max_unit_bytes : UNIT_BYTES);
        shunt_buffer_z(out, " bytes a unit; beyond them it leaves as LIMIT_UNIT_BYTES\n");
    }
    for (uint32_t m = 0; m < p->maps_count; m++)
        if (p->maps[m].widest > widest) widest = (shunt_scope)p->maps[m].widest;
    shunt_buffer_z(out, "held of a transaction\n");
    shunt_buffer_format(out, "  %-29s %u values of the map's `let`s\n", "lets", p->globals_count);
    if (uses(p, SHUNT_OP_OCCURRENCE))
        shunt_buffer_format(out, "  %-29s 32 bytes for each combination of arguments that came\n", "occurrence");
    for (uint32_t t = 0; t < p->tallies_count; t++) {
        if (t + 1 < p->tallies_count && p->tallies[t + 1].declared == 2) continue; /* told with its groups */
        shunt_buffer_format(out, "  %-29.*s a tally of the %s", SHUNT_TEXT_ARGS(shunt_program_text(p, p->tallies[t].name)),
                            scope_names[p->tallies[t].scope]);
        if (p->tallies[t].record != SHUNT_NONE) {
            shunt_buffer_z(out, ", at most ");
            number(out, p->tallies[t].limit);
            shunt_buffer_z(out, " groups");
        }
        shunt_buffer_char(out, '\n');
    }
    shunt_buffer_z(out, "held of a file\n");
    shunt_buffer_format(out, "  %-29s wait on disk until their %s is complete\n", "records", scope_names[widest]);
    shunt_buffer_format(out, "  %-29s 32 bytes for each record, on disk beyond what fits in memory\n", "keys");
}

static shunt_status estimate(costing *c, shunt_buffer *out)
{
    const shunt_program *p = c->p;
    c->steps = SHUNT_NEW_N(c->arena, uint64_t, p->functions_count + 1);
    c->bounds = SHUNT_NEW_N(c->arena, uint64_t, p->frames_count + 1);
    c->open = SHUNT_NEW_N(c->arena, bool, p->frames_count + 1);
    c->met = SHUNT_NEW_N(c->arena, bool, p->frames_count + 1);
    if (!c->steps || !c->bounds || !c->open || !c->met) return SHUNT_NO_MEMORY;
    for (uint32_t f = 0; f < p->frames_count; f++) {
        uint64_t limit = p->frames[f].kind == SHUNT_FRAME_SET || p->frames[f].unit ? 1 : limit_of(p, (uint16_t)f);
        c->open[f] = limit == 0;
        c->bounds[f] = limit ? limit : 1;
    }
    shunt_buffer_z(out, "steps, at most\n");
    for (uint32_t h = 0; h < p->handlers_count; h++)
        rule_steps(c, out, "unit", frame_name(p, p->handlers[h].frame), p->handlers[h].function);
    for (uint32_t m = 0; m < p->maps_count; m++) {
        shunt_text name = shunt_program_text(p, p->maps[m].name);
        rule_steps(c, out, "lets", name, p->maps[m].early);
        rule_steps(c, out, "late lets", name, p->maps[m].late);
        rule_steps(c, out, "at start", name, p->maps[m].at_start);
        rule_steps(c, out, "at end", name, p->maps[m].at_end);
        rule_steps(c, out, "end of batch", name, p->maps[m].at_end_batch);
        rule_steps(c, out, "end of file", name, p->maps[m].at_end_file);
    }
    held(c, out);
    return c->no_memory || out->failed ? SHUNT_NO_MEMORY : SHUNT_OK;
}

shunt_result shunt_cost(const shunt_program *program, shunt_write write, void *context)
{
    shunt_memory memory = shunt_api_memory(NULL);
    costing      c = { .p = program, .arena = shunt_arena_new(&memory, 0) };
    shunt_buffer out;
    shunt_buffer_init(&out, &memory);
    shunt_status status = c.arena ? estimate(&c, &out) : SHUNT_NO_MEMORY;
    if (status == SHUNT_OK && !write(context, out.bytes, out.length)) status = SHUNT_CALLBACK;
    shunt_buffer_done(&out);
    shunt_arena_free(c.arena);
    return shunt_result_of(status);
}
