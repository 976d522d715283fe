/* Walk and the check of plans, over small hand-made plans. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/walk_step.h"
#include "tests/support/plan_builder.h"

static const shunt_delims delims = { .element = '*', .component = ':', .repetition = '^', .terminator = '~' };

/* A remittance in small: header, claims with lines, trailer. */
static const char remit[] =
    "guide 835 005010X221A1 005010X221 HP\n"
    "ST max=1\n"
    "BPR max=1\n"
    "REF key=1:EV max=1\n"
    "REF key=1:F2 max=1 same\n"
    "loop 1000A max=1\n N1 key=1:PR\n N3 max=1\n REF key=1:2U|EO max=2\nend\n"
    "loop 1000B max=1\n N1 key=1:PE\n N3 max=1\nend\n"
    "loop 2000\n LX\n TS3 max=1\n"
    " loop 2100\n  CLP\n  CAS max=3\n  NM1 key=1:QC max=1\n  NM1 key=1:82 max=1 same\n  DTM key=1:232|233 max=2\n"
    "  loop 2110 max=3\n   SVC\n   DTM max=1\n   CAS max=3\n   REF key=2.2:X max=1\n  end\n"
    " end\n"
    "end\n"
    "PLB\n"
    "SE max=1\n";

/* Cuts a message at its terminators; tells of line ends inside. */
static bool next_segment(const char **at, shunt_segment *segment, uint32_t offsets[64])
{
    if (!**at) return false;
    const char *end = strchr(*at, '~');
    uint32_t    count = 0, length = (uint32_t)(end - *at);
    offsets[count++] = 0;
    for (uint32_t i = 0; i < length; i++)
        if ((*at)[i] == '*') offsets[count++] = i + 1;
    offsets[count] = length + 1;
    *segment = (shunt_segment){ .bytes = (const uint8_t *)*at,
                                .offsets = offsets,
                                .elements = count - 1,
                                .length = length,
                                .line_ends = memchr(*at, '\n', length) != NULL };
    *at = end + 1;
    return true;
}

/* "(2100 " enters, ")" leaves; "?" unknown, "!" out of order, "^" orphan, "+" too many. */
static void walk_log(const shunt_plan *plan, uint16_t guide, const char *message, char log[static 2048])
{
    shunt_walk    walk;
    shunt_segment segment;
    uint32_t      offsets[64];
    size_t        used = 0;
    log[0] = 0;
    shunt_walk_begin(&walk, plan, guide);
    while (next_segment(&message, &segment, offsets)) {
        shunt_landing l;
        uint16_t      before = walk.depth;
        shunt_walk_segment(&walk, &segment, &delims, &l);
        ck_assert_uint_eq(walk.depth, before - l.leave + l.enter_count);
        for (unsigned i = 0; i < l.leave; i++) used += (size_t)snprintf(log + used, 2048 - used, ")");
        for (unsigned i = 0; i < l.enter_count; i++)
            used += (size_t)snprintf(log + used, 2048 - used, "(%s ", plan->texts[plan->loops[l.enter[i]].id].bytes);
        used += (size_t)snprintf(log + used, 2048 - used, "%.*s%s%s%s%s ", (int)(offsets[1] - 1), (const char *)segment.bytes,
                                 l.node == SHUNT_NONE ? "?" : "", l.out_of_order ? "!" : "", l.orphan ? "^" : "",
                                 l.too_many ? "+" : "");
        if (l.node != SHUNT_NONE)
            ck_assert(plan->nodes[l.node].id == shunt_pack(segment.bytes, offsets[1] - 1) || segment.line_ends);
        ck_assert_uint_lt(used, 2048);
    }
}

static const struct {
    const char *name, *message, *log;
} cases[] = {
    { "in order",
      "ST*835~BPR*I~REF*EV~REF*F2~N1*PR~N3*A~REF*2U~N1*PE~LX*1~CLP*A~NM1*QC~SVC*1~CAS*CO~CLP*B~LX*2~CLP*C~PLB*1~SE*1~",
      "ST BPR REF REF (1000A N1 N3 REF )(1000B N1 )(2000 LX (2100 CLP NM1 (2110 SVC CAS ))(2100 CLP ))(2000 LX (2100 CLP ))PLB "
      "SE " },
    { "equal positions in any order", "ST~REF*F2~REF*EV~LX~CLP~NM1*82~NM1*QC~", "ST REF REF (2000 LX (2100 CLP NM1 NM1 " },
    { "qualifier of a component, then one that no node has", "ST~LX~CLP~SVC~REF*1*A:X~REF*1*X~REF*1*A:Y:X~",
      "ST (2000 LX (2100 CLP (2110 SVC REF REF? REF? " },
    { "first repetition is the qualifier", "ST~REF*EV^F2~REF*^EV~", "ST REF REF? " },
    { "segment of no guide, and with a qualifier that is not listed", "ST~XYZ*1~N1*ZZ~BPR~", "ST XYZ? N1? BPR " },
    { "the deepest body that takes it", "ST~LX~CLP~CAS*CO~SVC~CAS*CO~DTM*472~DTM*232~",
      "ST (2000 LX (2100 CLP CAS (2110 SVC CAS DTM! DTM+ " },
    { "out of order inside a body goes on from there", "ST~LX~CLP~DTM*232~NM1*QC~CAS*CO~NM1*82~",
      "ST (2000 LX (2100 CLP DTM NM1! CAS! NM1 " },
    { "header after the detail", "ST~LX~CLP~BPR~LX~", "ST (2000 LX (2100 CLP ))BPR! (2000 LX " },
    { "a loop whose parent is missing", "ST~LX~SVC~SVC~CLP~", "ST (2000 LX (2100 (2110 SVC^ )(2110 SVC ))(2100 CLP " },
    { "all parents missing", "ST~SVC~CAS~SE~", "ST (2000 (2100 (2110 SVC^ CAS )))SE " },
    { "orphan inside an open loop of the same kind is none", "ST~CLP~CLP~", "ST (2000 (2100 CLP^ )(2100 CLP " },
    { "repeats of a segment", "ST~LX~CLP~CAS~CAS~CAS~CAS~CAS~NM1*QC~", "ST (2000 LX (2100 CLP CAS CAS CAS CAS+ CAS+ NM1 " },
    { "repeats count in a row", "ST~REF*EV~REF*F2~REF*EV~REF*EV~", "ST REF REF REF REF+ " },
    { "repeats of a loop", "ST~LX~CLP~SVC~SVC~SVC~SVC~CLP~SVC~",
      "ST (2000 LX (2100 CLP (2110 SVC )(2110 SVC )(2110 SVC )(2110 SVC+ ))(2100 CLP (2110 SVC " },
    { "a loop again where it may stand once", "ST~N1*PR~N1*PR~N1*PE~", "ST (1000A N1 )(1000A N1+ )(1000B N1 " },
    { "going back to an earlier loop", "ST~N1*PE~N1*PR~LX~", "ST (1000B N1 )(1000A N1! )(2000 LX " },
    { "line ends of a wrapped file are no part of id or qualifier", "ST~R\nEF*E\nV~LX~CLP~NM1*Q\nC~",
      "ST R\nEF (2000 LX (2100 CLP NM1 " },
    { "empty and short segments", "ST~REF~REF*~LX~CLP~NM1~", "ST REF? REF? (2000 LX (2100 CLP NM1? " },
    { "ids of eight bytes and more do not meet", "ST~STSTSTST~STSTSTSTX~ST~", "ST STSTSTST? STSTSTSTX? ST+ " },
};

START_TEST(landings)
{
    struct plan_builder *b = plan_build(remit);
    char                 log[2048];
    walk_log(plan_of(b), 0, cases[_i].message, log);
    ck_assert_msg(strcmp(log, cases[_i].log) == 0, "%s:\n%s\n%s", cases[_i].name, log, cases[_i].log);
    plan_free(b);
}
END_TEST

/* Segments more or less in order: a walk that remembers stands after each one where a walk that does not remember stands. */
START_TEST(remembered_steps_land_the_same)
{
    static const char *const some[] = {
        "ST*835~",  "BPR*I~",     "REF*EV~",  "REF*F2~", "N1*PR~",     "N3*A~",   "REF*2U~",   "REF*A*B:X^C~", "N1*PR:A~",
        "N1*PR^A~", "N1*PE~",     "LX*1~",    "TS3*1~",  "CLP*A~",     "CAS*CO~", "CAS*PR~",   "NM1*QC~",      "NM1*82~",
        "NM1*ZZZ~", "DTM*232*A~", "DTM*233~", "SVC*1~",  "DTM~",       "REF~",    "REF**A:X~", "CAS*CO~",      "REF**A:Y~",
        "SVC*2~",   "SVC~",       "CLP*B~",   "XYZ*1~",  "REF*1*A:X~", "LX~",     "CLP*C~",    "PLB*1~",       "SE*1~",
    };
    struct plan_builder *b = plan_build(remit);
    const shunt_plan    *plan = plan_of(b);
    shunt_walk           plain, quick = { 0 };
    uint64_t             random = 7;
    unsigned             found = 0, pick = 0;
    for (unsigned round = 0; round < 400; round++) {
        shunt_walk_begin(&plain, plan, 0);
        shunt_walk_again(&quick, plan, 0);
        for (unsigned i = 0; i < 60; i++) {
            shunt_segment segment;
            shunt_landing expected, l;
            uint32_t      offsets[64];
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
            pick = (pick + (unsigned)(random >> 33) % 6) % SHUNT_COUNT(some);
            char        padded[32] = { 0 };
            const char *at = strcpy(padded, some[pick]);
            uint32_t    repeat = 0;
            ck_assert(next_segment(&at, &segment, offsets));
            segment.id = shunt_pack(segment.bytes, offsets[1] - 1);
            shunt_walk_segment(&plain, &segment, &delims, &expected);
            uint16_t                from = quick.last_node, depth = quick.depth;
            const shunt_walk_place *place = &quick.places[shunt_walk_place_slot(segment.id)];
            uint64_t                key = shunt_segment_pack_value(&segment, &delims, place->element, place->component);
            const shunt_walk_step  *step = place->id == segment.id ? shunt_walk_find(&quick, place, key) : NULL;
            if (step) repeat = shunt_walk_repeat(&quick, step, quick.last_repeats);
            if (step && repeat <= step->most) {
                found++;
                shunt_walk_take(&quick, step, repeat);
                ck_assert(!expected.out_of_order && !expected.orphan && !expected.too_many);
                ck_assert_uint_eq(step->node, expected.node);
                ck_assert_uint_eq(step->leave, expected.leave);
                ck_assert_uint_eq(step->enter != SHUNT_NONE, expected.enter_count);
                ck_assert_uint_eq(quick.depth, depth - step->leave + expected.enter_count);
                if (expected.enter_count) ck_assert_uint_eq(step->enter, expected.enter[0]);
            } else {
                shunt_walk_segment(&quick, &segment, &delims, &l);
                shunt_walk_learn(&quick, from, &segment, &delims, &l);
                ck_assert_uint_eq(l.node, expected.node);
            }
            ck_assert_uint_eq(quick.depth, plain.depth);
            ck_assert_uint_eq(quick.last_repeats, plain.last_repeats);
            ck_assert_int_eq(memcmp(quick.loops, plain.loops, sizeof plain.loops[0] * plain.depth), 0);
            ck_assert_int_eq(memcmp(quick.positions, plain.positions, sizeof plain.positions[0] * plain.depth), 0);
        }
    }
    ck_assert_uint_gt(found, 400 * 5);
    plan_free(b);
}
END_TEST

/* Nodes of one id in one body without qualifiers: each takes its repeats, then the next. */
START_TEST(repeats_used_up_go_to_the_next_node)
{
    struct plan_builder *b =
        plan_build("guide 850 004010 004010 PO\nST max=1\nN1 max=1\nN1 max=2\nloop A max=1\n N1 max=1\nend\nSE max=1\n");
    char log[2048];
    walk_log(plan_of(b), 0, "ST~N1~N1~N1~N1~N1~SE~", log);
    ck_assert_str_eq(log, "ST N1 N1 N1 (A N1 )(A N1+ )SE ");
    plan_free(b);
}
END_TEST

START_TEST(guides_of_one_plan_do_not_mix)
{
    struct plan_builder *b =
        plan_build("guide 1 A A X\nST\nAAA\nloop L\n BBB\n CCC\nend\nguide 2 B B Y\nST\nBBB\nloop M\n AAA\n DDD\nend\n");
    char log[2048];
    walk_log(plan_of(b), 0, "ST~BBB~CCC~AAA~DDD~", log);
    ck_assert_str_eq(log, "ST (L BBB CCC )AAA! DDD? ");
    walk_log(plan_of(b), 1, "ST~BBB~CCC~AAA~DDD~", log);
    ck_assert_str_eq(log, "ST BBB CCC? (M AAA DDD ");
    plan_free(b);
}
END_TEST

START_TEST(loops_as_deep_as_they_may_be)
{
    char   text[2048] = "guide 1 A A X\nST\n", message[256] = "ST~", log[2048], want[2048] = "ST ";
    size_t used = strlen(text), sent = 3, wanted = 3;
    for (int d = 1; d < SHUNT_WALK_DEPTH; d++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "loop L%d\n A%d\n", d, d);
        sent += (size_t)snprintf(message + sent, sizeof message - sent, "A%d~", d);
        wanted += (size_t)snprintf(want + wanted, sizeof want - wanted, "(L%d A%d ", d, d);
    }
    struct plan_builder *b = plan_build(text);
    walk_log(plan_of(b), 0, message, log);
    ck_assert_str_eq(log, want);
    walk_log(plan_of(b), 0, "ST~A15~ST~", log);
    ck_assert_str_eq(log, "ST (L1 (L2 (L3 (L4 (L5 (L6 (L7 (L8 (L9 (L10 (L11 (L12 (L13 (L14 (L15 A15^ )))))))))))))))ST! ");
    plan_free(b);
}
END_TEST

/* ---- plans ---- */

static const char captured[] =
    "guide 835 005010X221A1 005010X221 HP framed\nST\nREF key=1:EV get=2\nloop 2000\n LX\n loop 2100 unit\n  CLP get=1,3,5.2\n"
    "  CAS group=2/3/6 get=+0,+1,1\n  loop 2110 frame\n   SVC get=2\n  end\n end\nend\nSE\n";

START_TEST(built_plans_are_valid)
{
    struct plan_builder *b = plan_build(captured);
    const char          *why = "x";
    ck_assert(shunt_plan_valid(plan_of(b), &why));
    ck_assert_ptr_null(why);
    ck_assert(shunt_plan_valid(plan_of(b), NULL));
    plan_free(b);
    ck_assert(shunt_plan_valid(&(shunt_plan){ 0 }, &why));
}
END_TEST

/* Every array of the plan, byte by byte, set to some other values: where the plan still passes, walking over it stays in bounds
 * (the sanitizers look). */
START_TEST(damaged_plans)
{
    struct plan_builder *b = plan_build(captured);
    shunt_plan          *p = plan_damage(b);
#define ARRAY(name, count)                                                                                                       \
    {                                                                                                                            \
        (void *)(uintptr_t)p->name, p->count * sizeof *p->name                                                                   \
    }
    struct {
        void  *at;
        size_t size;
    } arrays[] = {
        ARRAY(guides, guide_count),      ARRAY(loops, loop_count),     ARRAY(nodes, node_count),   ARRAY(ids, id_count),
        ARRAY(dispatch, dispatch_count), ARRAY(choices, choice_count), ARRAY(frames, frame_count), ARRAY(children, child_count),
        ARRAY(slots, slot_count),        ARRAY(demands, demand_count),
    };
#undef ARRAY
    static const uint8_t values[] = { 0, 1, 2, 0x7f, 0xfe, 0xff };
    size_t               refused = 0, passed = 0;
    for (size_t a = 0; a < SHUNT_COUNT(arrays); a++) {
        uint8_t *bytes = arrays[a].at;
        for (size_t i = 0; i < arrays[a].size; i++) {
            uint8_t kept = bytes[i];
            for (size_t v = 0; v < SHUNT_COUNT(values); v++) {
                const char *why;
                char        log[2048];
                bytes[i] = values[v];
                if (!shunt_plan_valid(p, &why)) {
                    ck_assert_ptr_nonnull(why);
                    refused++;
                    continue;
                }
                passed++;
                walk_log(p, 0, "ST~REF*EV*1~LX~CLP*A~CAS*1~SVC*1~CLP*B~SVC~LX~SE~", log);
            }
            bytes[i] = kept;
        }
    }
    ck_assert_uint_gt(refused, 1000);
    ck_assert_uint_gt(passed, 100);
    ck_assert(shunt_plan_valid(p, NULL));
    plan_free(b);
}
END_TEST

#define BREAK(what, change)                                                                                                      \
    do {                                                                                                                         \
        struct plan_builder *b = plan_build(captured);                                                                           \
        shunt_plan          *p = plan_damage(b);                                                                                 \
        const char          *why = NULL;                                                                                         \
        ck_assert(shunt_plan_valid(p, &why));                                                                                    \
        change;                                                                                                                  \
        ck_assert_msg(!shunt_plan_valid(p, &why) && why, "accepted: %s", what);                                                  \
        plan_free(b);                                                                                                            \
    } while (0)
#define AT(array, i)  (((TYPE_##array *)(uintptr_t)p->array)[i])
#define TYPE_guides   shunt_plan_guide
#define TYPE_loops    shunt_plan_loop
#define TYPE_nodes    shunt_plan_node
#define TYPE_ids      uint64_t
#define TYPE_dispatch uint32_t
#define TYPE_choices  shunt_plan_choice
#define TYPE_frames   shunt_plan_frame
#define TYPE_children uint16_t
#define TYPE_slots    shunt_plan_slot
#define TYPE_demands  shunt_plan_demand

START_TEST(broken_plans_are_refused)
{
    BREAK("missing array", p->nodes = NULL);
    BREAK("missing texts", p->texts = NULL);
    BREAK("loop of a guide", AT(guides, 0).loop_count++);
    BREAK("ids not ascending", AT(ids, 1) = AT(ids, 0));
    BREAK("id zero", AT(ids, 0) = 0);
    BREAK("dispatch goes back", AT(dispatch, 3) = p->choice_count);
    BREAK("dispatch beyond the choices", AT(dispatch, p->dispatch_count - 1) = p->choice_count + 1);
    BREAK("dispatch too short", p->dispatch_count--);
    BREAK("choice of no node", AT(choices, 0).node = (uint16_t)p->node_count);
    BREAK("choice of another id", AT(choices, 0).node = (uint16_t)(AT(choices, 0).node + 1));
    BREAK("text of a set", AT(guides, 0).set = (uint16_t)p->text_count);
    BREAK("loop is its own parent", AT(loops, 1).parent = 1);
    BREAK("depth", AT(loops, 2).depth = 3);
    BREAK("deep", AT(loops, 3).depth = SHUNT_WALK_DEPTH);
    BREAK("two bodies of sets", (AT(loops, 1).parent = SHUNT_NONE, AT(loops, 1).depth = 0));
    BREAK("frame of a loop", AT(loops, 2).frame = (uint16_t)p->frame_count);
    BREAK("group frame of a loop", AT(loops, 2).frame = 2);
    BREAK("slot beyond the frame", AT(demands, 0).slot = AT(frames, 0).slot_count);
    BREAK("element 0 that is not relative", AT(demands, 0).element = 0);
    BREAK("slot of another frame", AT(slots, 0).frame = 1);
    BREAK("scale", AT(slots, 0).scale = 39);
    BREAK("conversion", AT(slots, 0).convert = SHUNT_CONVERT_COUNT);
    BREAK("child", AT(children, 0) = (uint16_t)p->frame_count);
    BREAK("the set as a child", AT(children, 0) = 0);
    BREAK("keys", AT(nodes, 1).key_first = (uint16_t)p->key_count);
    BREAK("trigger of the set", AT(nodes, 0).trigger = 1);
    BREAK("demands without frame", AT(loops, 0).frame = SHUNT_NONE);
    BREAK("too many guides", p->guide_count = SHUNT_PLAN_GUIDES + 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("walk");
    TCase *tc = tcase_create("walk");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, landings, 0, SHUNT_COUNT(cases));
    tcase_add_test(tc, remembered_steps_land_the_same);
    tcase_add_test(tc, repeats_used_up_go_to_the_next_node);
    tcase_add_test(tc, guides_of_one_plan_do_not_mix);
    tcase_add_test(tc, loops_as_deep_as_they_may_be);
    tcase_add_test(tc, built_plans_are_valid);
    tcase_add_test(tc, damaged_plans);
    tcase_add_test(tc, broken_plans_are_refused);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
