#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/capture.h"
#include "standards/x12/reader.h"
#include "tests/support/plan_builder.h"
#include "tests/support/test_memory.h"

#define ENVELOPE                                                                                                                 \
    "ISA*00*          *00*          *ZZ*S              *ZZ*R              "                                                      \
    "*250101*1200*^*00501*000000001*0*P*:~GS*HP*S*R*20250101*1200*1*X*T1~"

/* ---- log ---- */

struct log {
    char   text[16384];
    size_t used;
};

SHUNT_PRINTF(2, 3)
static void put(struct log *log, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(log->text + log->used, sizeof log->text - log->used, format, args);
    va_end(args);
    log->used += (size_t)length;
    ck_assert_uint_lt(log->used, sizeof log->text);
}

/* "2100#1@seg{slot 'x' ..., child[...]}" with the parent checked on the way. */
static void put_node(struct log *log, const shunt_plan *plan, const shunt_node *node, const char *input)
{
    const shunt_plan_frame *frame = &plan->frames[node->frame];
    put(log, "%s#%u/%u{", plan->texts[frame->id].bytes, node->ordinal, node->segment);
    for (unsigned s = 0; s < frame->slot_count; s++) {
        const shunt_captured *slot = &node->slots[s];
        put(log, "%s", s ? " " : "");
        if (!slot->bytes) {
            put(log, "-");
            continue;
        }
        put(log, "%.*s", (int)slot->length, slot->bytes);
        if (slot->size != slot->length)
            put(log, "(%u)", slot->size);
        else if (input)
            ck_assert_mem_eq(slot->bytes, input + slot->at, slot->length);
    }
    for (unsigned c = 0; c < frame->child_count; c++) {
        uint32_t count = 0;
        put(log, " [");
        for (const shunt_node *n = node->children[c].first; n; n = n->next, count++) {
            put_node(log, plan, n, input);
            if (!n->next) ck_assert_ptr_eq(node->children[c].last, n);
        }
        put(log, "]");
        ck_assert_uint_eq(count, node->children[c].count);
    }
    put(log, "}");
    ck_assert(node->end == 0 || node->end > node->at); /* known once it is left */
}

/* Logs each framed loop as it is left, and the set at its end. `at_most` bytes a unit. */
static shunt_status capture_log(const shunt_memory *memory, const shunt_plan *plan, const char *input, size_t step,
                                size_t at_most, struct log *log)
{
    shunt_reader  *reader = shunt_x12_reader_new(memory, plan, NULL);
    shunt_capture *capture = shunt_capture_new(memory, plan, at_most);
    shunt_status   status = reader && capture ? SHUNT_OK : SHUNT_NO_MEMORY;
    uint8_t       *fed = NULL; /* of just its size, so that a sanitizer sees what is read behind it */
    size_t         at = 0, size = strlen(input);
    *log = (struct log){ .used = 0 };
    while (status == SHUNT_OK) {
        shunt_event e;
        shunt_step  got = reader->ops->next(reader, &e);
        if (got == SHUNT_STEP_END) break;
        if (got == SHUNT_STEP_FAILED) status = e.code;
        if (got == SHUNT_STEP_NEED_INPUT) {
            size_t piece = size - at < step ? size - at : step;
            free(fed);
            fed = (uint8_t *)malloc(piece ? piece : 1);
            ck_assert_ptr_nonnull(fed);
            memcpy(fed, input + at, piece);
            reader->ops->feed(reader, fed, piece, at + piece == size);
            at += piece;
        }
        if (got == SHUNT_STEP_BEGIN && e.scope == SHUNT_SCOPE_TRANSACTION)
            status = shunt_capture_begin(capture, e.guide, e.place.byte);
        if (got == SHUNT_STEP_ENTER) status = shunt_capture_enter(capture, e.loop, e.place.byte, e.place.segment);
        if (got == SHUNT_STEP_SEGMENT) status = shunt_capture_segment(capture, e.node, e.segment, &e.delims);
        if (got == SHUNT_STEP_LEAVE) {
            const shunt_node *node = shunt_capture_top(capture, e.loop);
            if (node) {
                put(log, "leave ");
                put_node(log, plan, node, input);
                if (node->parent) put(log, " in %s", plan->texts[plan->frames[node->parent->frame].id].bytes);
                put(log, "\n");
            } else if (shunt_capture_overflowed(capture)) {
                put(log, "full %s\n", plan->texts[plan->loops[e.loop].id].bytes);
            }
            shunt_capture_leave(capture, e.loop, e.end);
        }
        if (got == SHUNT_STEP_FINISH && e.scope == SHUNT_SCOPE_TRANSACTION) {
            put(log, "set ");
            if (shunt_capture_root(capture)) put_node(log, plan, shunt_capture_root(capture), input);
            put(log, "\n");
        }
        if (status == SHUNT_LIMIT_UNIT_BYTES) {
            put(log, "limit\n");
            status = SHUNT_OK;
        }
    }
    if (reader) reader->ops->free(reader);
    shunt_capture_free(capture);
    free(fed);
    return status;
}

/* ---- what is captured ---- */

#define HEAD "guide 1 T1 T1 HP framed\nST max=1\n"
#define TAIL "\nSE\n"

static const struct {
    const char *name, *plan, *message, *log;
} cases[] = {
    { "header elements, first value stands", HEAD "BPR get=2,16\nREF get=2" TAIL, "ST*1*1~BPR*I*5~REF*A*X~REF*B*Y~SE*1*1~",
      "set #1/1{5 - X}\n" },
    { "an empty value is none, a later one fills it", HEAD "REF get=2" TAIL, "ST*1*1~REF*A~REF*A*~REF*A*Z~SE*1*1~",
      "set #1/1{Z}\n" },
    { "components and first repetitions", HEAD "SVC get=1,1.1,1.2,1.3,1.4,2,2.1,2.2" TAIL,
      "ST*1*1~SVC*HC:99213::X*A:1^B:2~SE*1*1~", "set #1/1{HC:99213::X HC 99213 - X A:1 A 1}\n" },
    { "component of a simple element, and beyond the last", HEAD "SVC get=1.1,1.2,9,9.1" TAIL, "ST*1*1~SVC*HC~SE*1*1~",
      "set #1/1{HC - - -}\n" },
    { "components of elements around sixteen bytes", HEAD "SVC get=1.1,1.2,1.3,2.2,3.2,4.1,4.4" TAIL,
      "ST*1*1~SVC*HC:56789012345*HC:567890123456*HC:5678901234567*:::::::::::::::::A:0123456789012345~SE*1*1~",
      "set #1/1{HC 56789012345 - 567890123456 5678901234567 - -}\n" },
    { "components behind what is at hand", HEAD "SVC get=1.2,1.3,1.4,2.1,3.3" TAIL, "ST*1*1~SVC*A:B*:C:D*:~N:N*N:N:N:N~SE*1*1~",
      "set #1/1{B - - - -}\n" },
    { "components of elements that are repeated", HEAD "SVC get=1.2,2,3.1" TAIL,
      "ST*1*1~SVC*A^B:C*D^E*^F~SVC*H:I^J:K*L*M:N^O~SE*1*1~", "set #1/1{I D M}\n" },
    { "a set without frame", "guide 1 T1 T1 HP\nST\nloop A frame\n LX get=1\nend\nSE\n", "ST*1*1~LX*7~SE*1*1~",
      "leave A#1/2{7}\nset \n" },
    { "loops within loops, kept in lists", HEAD "loop A frame\n LX get=1\n loop B frame\n  CLP get=1\n end\nend" TAIL,
      "ST*1*1~LX*1~CLP*a~CLP*b~LX*2~CLP*c~SE*1*1~",
      "leave B#1/3{a} in A\nleave B#2/4{b} in A\nleave A#1/2{1 [B#1/3{a}B#2/4{b}]} in \nleave B#1/6{c} in A\nleave A#2/5{2 "
      "[B#1/6{c}]} in \n"
      "set #1/1{ [A#1/2{1 [B#1/3{a}B#2/4{b}]}A#2/5{2 [B#1/6{c}]}]}\n" },
    { "what is in no list is released, its parents are at hand",
      HEAD "loop A frame loose\n LX get=1\n loop B unit loose\n  CLP get=1\n end\nend" TAIL,
      "ST*1*1~LX*1~CLP*a~CLP*b~LX*2~CLP*c~SE*1*1~",
      "leave B#1/3{a} in A\nleave B#2/4{b} in A\nleave A#1/2{1} in \nleave B#1/6{c} in A\nleave A#2/5{2} in \nset #1/1{}\n" },
    { "a loop without frame between", HEAD "loop A\n LX\n loop B frame\n  CLP get=1\n end\nend" TAIL,
      "ST*1*1~LX*1~CLP*a~LX*2~CLP*c~CLP*d~SE*1*1~",
      "leave B#1/3{a} in \nleave B#1/5{c} in \nleave B#2/6{d} in \nset #1/1{ [B#1/3{a}B#1/5{c}B#2/6{d}]}\n" },
    { "groups: triplets with a shared element", HEAD "loop B unit\n CLP get=1\n CAS group=2/3/6 get=1,+0,+1\nend" TAIL,
      "ST*1*1~CLP*a~CAS*CO*45*10**253*2.5~CAS*PR*1*7*1**9*1*2*3~CLP*b~SE*1*1~",
      "leave B#1/2{a [CAS#1/3{CO 45 10}CAS#2/3{CO 253 2.5}CAS#3/4{PR 1 7}CAS#4/4{PR - 9}CAS#5/4{PR 2 3}]} in \nleave B#2/5{b []} "
      "in \n"
      "set #1/1{ [B#1/2{a [CAS#1/3{CO 45 10}CAS#2/3{CO 253 2.5}CAS#3/4{PR 1 7}CAS#4/4{PR - 9}CAS#5/4{PR 2 3}]}B#2/5{b []}]}\n" },
    { "groups of which the first element says nothing", HEAD "CAS group=2/3/6 get=1,+1" TAIL,
      "ST*1*1~CAS*CO*45**X*253*2.5**9**~CAS*PR*1*7~CAS*OA~SE*1*1~", "set #1/1{ [CAS#1/2{CO 2.5}CAS#2/3{PR 7}]}\n" },
    { "groups with an element between that says nothing", HEAD "CAS group=2/3/6 get=1,+0,+2" TAIL,
      "ST*1*1~CAS*CO*45*10*1*253*2.5**9*8**~CAS*PR**7~SE*1*1~",
      "set #1/1{ [CAS#1/2{CO 45 1}CAS#2/2{CO 253 -}CAS#3/2{CO 9 -}]}\n" },
    { "groups of repeated elements", HEAD "CAS group=2/3/6 get=1,+0,+1" TAIL,
      "ST*1*1~CAS*CO^X*45^Y*10**^Z*2.5*1^2~CAS*PR**^~SE*1*1~", "set #1/1{ [CAS#1/2{CO 45 10}CAS#2/2{CO - 2.5}]}\n" },
    { "groups end after their count", HEAD "PLB group=3/2/2 get=+0.1,+0.2,+1" TAIL,
      "ST*1*1~PLB*1*2*WO:x*5*72*6*L6*7~PLB*1*2**~SE*1*1~", "set #1/1{ [PLB#1/2{WO x 5}PLB#2/2{72 - 6}]}\n" },
    { "one instance a segment, also when nothing is in it", HEAD "REF group=0/0/0 get=1,2" TAIL,
      "ST*1*1~REF*A*1~REF~REF**2~SE*1*1~", "set #1/1{ [REF#1/2{A 1}REF#2/3{- -}REF#3/4{- 2}]}\n" },
    { "groups that no open loop keeps", HEAD "loop B frame\n CLP get=1\n CAS loose group=2/3/6 get=+0\nend" TAIL,
      "ST*1*1~CLP*a~CAS*CO*45*10~SE*1*1~", "leave B#1/2{a} in \nset #1/1{ [B#1/2{a}]}\n" },
    { "line ends of a wrapped file are taken out", HEAD "REF get=1,2\nN3 get=1" TAIL,
      "ST*1*1~REF*A\nB*C\r\nD~N3*\r\n~N3*x~SE*1*1~", "set #1/1{AB(3) CD(4) x}\n" },
    { "values of a group of only line ends are none", HEAD "CAS group=1/1/3 get=+0" TAIL, "ST*1*1~CAS*\n*A\n*~SE*1*1~",
      "set #1/1{ [CAS#1/2{A(2)}]}\n" },
    { "two sets do not mix", HEAD "REF get=1\nDTM get=1" TAIL, "ST*1*1~REF*A~SE*3*1~ST*1*2~DTM*B~SE*3*2~",
      "set #1/1{A -}\nset #1/1{- B}\n" },
    { "orphans enter loops that are captured", HEAD "loop A frame\n LX get=1\n loop B frame\n  CLP get=1\n end\nend" TAIL,
      "ST*1*1~CLP*a~SE*1*1~", "leave B#1/2{a} in A\nleave A#1/2{- [B#1/2{a}]} in \nset #1/1{ [A#1/2{- [B#1/2{a}]}]}\n" },
};

START_TEST(captured_values)
{
    char                 input[1024];
    struct log           log;
    struct plan_builder *b = plan_build(cases[_i].plan);
    snprintf(input, sizeof input, "%s%s", ENVELOPE, cases[_i].message);
    for (size_t step = 1; step <= strlen(input); step++) {
        ck_assert_int_eq(capture_log(&shunt_memory_libc, plan_of(b), input, step, 0, &log), SHUNT_OK);
        ck_assert_msg(strcmp(log.text, cases[_i].log) == 0, "%s, step %zu:\n%s%s", cases[_i].name, step, log.text, cases[_i].log);
    }
    plan_free(b);
}
END_TEST

/* A list further out keeps what was captured inside loops that are not kept themselves. */
START_TEST(kept_across_a_loop_that_is_not)
{
    struct plan_builder *b = plan_build(HEAD "loop A frame loose\n LX get=1\n loop B frame\n  CLP get=1\n end\nend" TAIL);
    shunt_plan          *p = plan_damage(b);
    /* The list of A is given to the set: frames are set 0, A 1, B 2. */
    ((shunt_plan_frame *)(uintptr_t)p->frames)[0].child_first = p->frames[1].child_first;
    ((shunt_plan_frame *)(uintptr_t)p->frames)[0].child_count = 1;
    ((shunt_plan_frame *)(uintptr_t)p->frames)[1].child_count = 0;
    ck_assert(shunt_plan_valid(p, NULL));
    struct log log;
    ck_assert_int_eq(capture_log(&shunt_memory_libc, p, ENVELOPE "ST*1*1~LX*1~CLP*a~CLP*b~LX*2~CLP*c~SE*1*1~", 7, 0, &log),
                     SHUNT_OK);
    ck_assert_str_eq(log.text,
                     "leave B#1/3{a} in A\nleave B#2/4{b} in A\nleave A#1/2{1} in \nleave B#1/6{c} in A\nleave A#2/5{2} in \n"
                     "set #1/1{ [B#1/3{a}B#2/4{b}B#1/6{c}]}\n");
    plan_free(b);
}
END_TEST

/* ---- limits ---- */

START_TEST(unit_over_its_limit)
{
    struct plan_builder *b = plan_build(HEAD "loop A unit loose\n CLP get=1\n loop B frame\n  SVC get=1\n end\nend" TAIL);
    char                 input[8192] = ENVELOPE "ST*1*1~CLP*small~SVC*x~CLP*large~";
    for (int i = 0; i < 50; i++) strcat(input, "SVC*0123456789~");
    strcat(input, "CLP*after~SVC*y~SE*1*1~");
    struct log log;
    ck_assert_int_eq(capture_log(&shunt_memory_libc, plan_of(b), input, 64, 2048, &log), SHUNT_OK);
    char *left = strstr(log.text, "limit\n");
    ck_assert_ptr_nonnull(left);
    ck_assert_ptr_null(strstr(left + 1, "limit\n"));
    ck_assert_ptr_nonnull(strstr(log.text, "leave A#1/2{small [B#1/3{x}]} in \n"));
    ck_assert_ptr_nonnull(strstr(left, "full A\n"));
    ck_assert_ptr_null(strstr(log.text, "large ["));
    ck_assert_ptr_nonnull(strstr(left, "leave A#3/55{after [B#1/56{y}]} in \n"));
    plan_free(b);
}
END_TEST

START_TEST(header_over_its_limit)
{
    struct plan_builder *b = plan_build(HEAD "REF group=0/0/0 get=1\nloop A unit loose\n CLP get=1\nend" TAIL);
    char                 input[8192] = ENVELOPE "ST*1*1~";
    for (int i = 0; i < 100; i++) strcat(input, "REF*0123456789~");
    strcat(input, "CLP*after~SE*1*1~ST*1*2~REF*a~CLP*b~SE*4*2~");
    struct log log;
    ck_assert_int_eq(capture_log(&shunt_memory_libc, plan_of(b), input, 64, 2048, &log), SHUNT_OK);
    char *left = strstr(log.text, "limit\n");
    ck_assert_ptr_nonnull(left);
    ck_assert_ptr_null(strstr(left + 1, "limit\n"));
    ck_assert_ptr_nonnull(strstr(left, "full A\n"));
    ck_assert_ptr_nonnull(strstr(left, "leave A#1/3{b} in \nset #1/1{ [REF#1/2{a}]}\n"));
    plan_free(b);
}
END_TEST

/* A long transaction of units that are not kept stays in the memory of one. */
START_TEST(memory_follows_the_nesting)
{
    struct plan_builder *b = plan_build(HEAD "loop A unit loose\n CLP get=1,2\n loop B frame\n  SVC get=1\n end\nend" TAIL);
    struct test_memory   memory;
    size_t               peaks[2];
    for (int round = 0; round < 2; round++) {
        test_memory_init(&memory, 0);
        shunt_capture *capture = shunt_capture_new(&memory.memory, plan_of(b), 4096);
        uint32_t       offsets[] = { 0, 4, 8 };
        shunt_segment  clp = { .bytes = (const uint8_t *)"CLP*abc", .offsets = offsets, .elements = 1, .length = 7 };
        shunt_delims   d = { .element = '*', .terminator = '~' };
        ck_assert_int_eq(shunt_capture_begin(capture, 0, 0), SHUNT_OK);
        for (int i = 0; i < (round ? 10000 : 10); i++) {
            ck_assert_int_eq(shunt_capture_enter(capture, 1, 5, 2), SHUNT_OK);
            ck_assert_int_eq(shunt_capture_segment(capture, 1, &clp, &d), SHUNT_OK);
            ck_assert_int_eq(shunt_capture_enter(capture, 2, 6, 3), SHUNT_OK);
            shunt_capture_leave(capture, 2, 9);
            ck_assert_uint_eq(shunt_capture_top(capture, 1)->ordinal, (uint32_t)i + 1);
            ck_assert_ptr_null(shunt_capture_top(capture, 2));
            shunt_capture_leave(capture, 1, 9);
        }
        peaks[round] = memory.peak_bytes;
        shunt_capture_free(capture);
        ck_assert_uint_eq(memory.blocks, 0);
    }
    ck_assert_uint_eq(peaks[0], peaks[1]);
    plan_free(b);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    struct plan_builder *b = plan_build(
        HEAD "BPR get=1\nloop A unit\n CLP get=1\n CAS group=2/3/6 get=+0,+1\n loop B frame\n  SVC get=1\n end\nend" TAIL);
    char               input[4096] = ENVELOPE "ST*1*1~BPR*I~CLP*a~CAS*CO*1*2*3*4*5~SVC*x~SVC*y~";
    struct log         log;
    struct test_memory memory;
    for (int i = 0; i < 60; i++) strcat(input, "CLP*b~SVC*0123456789~SVC*1~");
    strcat(input, "SE*1*1~");
    size_t failures = 0;
    for (size_t n = 1;; n++) {
        test_memory_init(&memory, n);
        shunt_status status = capture_log(&memory.memory, plan_of(b), input, 100, 1 << 20, &log);
        ck_assert_uint_eq(memory.blocks, 0);
        if (status == SHUNT_OK) break;
        ck_assert_int_eq(status, SHUNT_NO_MEMORY);
        failures++;
    }
    ck_assert_uint_gt(failures, 8);
    plan_free(b);
}
END_TEST

START_TEST(calls_out_of_step)
{
    struct plan_builder *b = plan_build(HEAD "loop A frame\n CLP get=1\nend" TAIL);
    shunt_capture       *c = shunt_capture_new(&shunt_memory_libc, plan_of(b), 0);
    uint32_t             offsets[] = { 0, 4, 8 };
    shunt_segment        clp = { .bytes = (const uint8_t *)"CLP*abc", .offsets = offsets, .elements = 1, .length = 7 };
    shunt_delims         d = { .element = '*', .terminator = '~' };
    ck_assert_int_eq(shunt_capture_enter(c, 1, 0, 0), SHUNT_OK); /* no transaction */
    ck_assert_ptr_null(shunt_capture_top(c, 1));
    shunt_capture_leave(c, 1, 0);
    ck_assert_int_eq(shunt_capture_begin(c, SHUNT_NONE, 0), SHUNT_OK); /* a set that no source lists */
    ck_assert_int_eq(shunt_capture_segment(c, 0, &clp, &d), SHUNT_OK);
    ck_assert_ptr_null(shunt_capture_root(c));
    ck_assert_int_eq(shunt_capture_begin(c, 0, 0), SHUNT_OK);
    ck_assert_int_eq(shunt_capture_segment(c, 1, &clp, &d), SHUNT_OK); /* its loop is not open */
    ck_assert_int_eq(shunt_capture_segment(c, SHUNT_NONE, &clp, &d), SHUNT_OK);
    for (int i = 1; i < 16; i++) ck_assert_int_eq(shunt_capture_enter(c, 1, 0, 0), SHUNT_OK);
    ck_assert_int_eq(shunt_capture_enter(c, 1, 0, 0), SHUNT_USAGE);
    ck_assert_int_eq(shunt_capture_begin(c, 0, 0), SHUNT_OK);
    ck_assert_int_eq(shunt_capture_enter(c, 99, 0, 0), SHUNT_USAGE);
    shunt_capture_free(c);
    shunt_capture_free(NULL);
    plan_free(b);
}
END_TEST

/* Reads and captures with a plan that passed, whatever it says; the sanitizers look. */
static void drive(const shunt_plan *plan, const char *input)
{
    shunt_reader  *reader = shunt_x12_reader_new(&shunt_memory_libc, plan, NULL);
    shunt_capture *c = shunt_capture_new(&shunt_memory_libc, plan, 100000);
    shunt_event    e;
    shunt_step     step = SHUNT_STEP_NEED_INPUT;
    ck_assert(reader && c);
    reader->ops->feed(reader, (const uint8_t *)input, strlen(input), true);
    while (step != SHUNT_STEP_END) {
        shunt_status status = SHUNT_OK;
        step = reader->ops->next(reader, &e);
        ck_assert_int_ne(step, SHUNT_STEP_FAILED);
        if (step == SHUNT_STEP_BEGIN && e.scope == SHUNT_SCOPE_TRANSACTION)
            status = shunt_capture_begin(c, e.guide, e.place.byte);
        if (step == SHUNT_STEP_ENTER) status = shunt_capture_enter(c, e.loop, e.place.byte, e.place.segment);
        if (step == SHUNT_STEP_SEGMENT) status = shunt_capture_segment(c, e.node, e.segment, &e.delims);
        if (step == SHUNT_STEP_LEAVE) shunt_capture_leave(c, e.loop, e.end);
        ck_assert(status == SHUNT_OK || status == SHUNT_LIMIT_UNIT_BYTES);
    }
    reader->ops->free(reader);
    shunt_capture_free(c);
}

START_TEST(damaged_plans_stay_in_bounds)
{
    static const uint8_t values[] = { 0, 1, 3, 0x7f, 0xff };
    struct plan_builder *b =
        plan_build(HEAD "BPR get=1\nloop A unit\n CLP get=1\n CAS group=2/3/6 get=+0,+1,1\n BIN binary=1 get=2\n"
                        " loop B frame\n  SVC get=1.2\n end\nend" TAIL);
    shunt_plan *p = plan_damage(b);
    const struct {
        const void *at;
        size_t      size;
    } arrays[] = {
        { p->loops, p->loop_count * sizeof *p->loops },       { p->nodes, p->node_count * sizeof *p->nodes },
        { p->frames, p->frame_count * sizeof *p->frames },    { p->children, p->child_count * sizeof *p->children },
        { p->demands, p->demand_count * sizeof *p->demands },
    };
    size_t passed = 0;
    for (size_t a = 0; a < SHUNT_COUNT(arrays); a++) {
        uint8_t *bytes = (uint8_t *)(uintptr_t)arrays[a].at;
        for (size_t i = 0; i < arrays[a].size; i++) {
            uint8_t kept = bytes[i];
            for (size_t v = 0; v < SHUNT_COUNT(values); v++) {
                bytes[i] = values[v];
                if (!shunt_plan_valid(p, NULL)) continue;
                drive(p,
                      ENVELOPE "ST*1*1~BPR*I~CLP*a~CAS*CO*1*2*3*4*5~BIN*3*~~~~SVC*x:y~SVC*y~CLP*b~CAS*1~SE*1*1~GE*1*1~IEA*1*1~");
                passed++;
            }
            bytes[i] = kept;
        }
    }
    ck_assert_uint_gt(passed, 200);
    plan_free(b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("capture");
    TCase *tc = tcase_create("capture");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, captured_values, 0, SHUNT_COUNT(cases));
    tcase_add_test(tc, kept_across_a_loop_that_is_not);
    tcase_add_test(tc, unit_over_its_limit);
    tcase_add_test(tc, header_over_its_limit);
    tcase_add_test(tc, memory_follows_the_nesting);
    tcase_add_test(tc, every_allocation_may_fail);
    tcase_add_test(tc, calls_out_of_step);
    tcase_add_test(tc, damaged_plans_stay_in_bounds);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
