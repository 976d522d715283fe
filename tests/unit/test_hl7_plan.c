/* Groups of HL7 messages as loops of a plan: what starts them, what ends them, repeats of segments and fields. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "dsl/plan_maker.h"
#include "engine/base/walk.h"

static const shunt_delims delims = { .element = '|', .component = '^', .repetition = '~', .terminator = '\r', .escape = '\\' };

/* "(PATIENT " for a group that begins, ")" for one that ends, ids of segments, "?" behind one that the message does not have
 * here, "!" behind one out of order, "^" behind a group without the one around it, "+" behind what repeats too often. */
static char *walk_log(const shunt_plan *plan, const char *message)
{
    static char log[8192];
    size_t      used = 0;
    shunt_walk  walk;
    log[0] = 0;
    shunt_walk_begin(&walk, plan, 0);
    for (; *message; message += strcspn(message, " "), message += *message == ' ') {
        uint32_t      offsets[] = { 0, 4 };
        shunt_segment segment = { .bytes = (const uint8_t *)message, .offsets = offsets, .elements = 0, .length = 3 };
        shunt_landing landing;
        shunt_walk_segment(&walk, &segment, &delims, &landing);
        for (uint16_t i = 0; i < landing.leave; i++) used += (size_t)snprintf(log + used, sizeof log - used, ") ");
        for (uint16_t i = 0; i < landing.enter_count; i++)
            used += (size_t)snprintf(log + used, sizeof log - used, "(%.*s ",
                                     SHUNT_TEXT_ARGS(plan->texts[plan->loops[landing.enter[i]].id]));
        used += (size_t)snprintf(log + used, sizeof log - used, "%.3s%s%s%s%s ", message, landing.node == SHUNT_NONE ? "?" : "",
                                 landing.out_of_order ? "!" : "", landing.orphan ? "^" : "", landing.too_many ? "+" : "");
        uint16_t innermost = walk.loops[walk.depth - 1];
        if (landing.node != SHUNT_NONE) ck_assert_uint_eq(plan->nodes[landing.node].loop, innermost);
    }
    return log;
}

static const struct {
    const char *name, *set, *version, *message, *log;
} walks[] = {
    { "a group begins with its required segment", "DFT^P03", "2.3", "MSH EVN PID PV1 FT1 PR1 ROL PR1 FT1 DG1 IN1 IN2 IN1",
      "MSH EVN PID PV1 (FINANCIAL FT1 (FINANCIAL_PROCEDURE PR1 ROL ) (FINANCIAL_PROCEDURE PR1 ) ) (FINANCIAL FT1 ) DG1 "
      "(INSURANCE IN1 "
      "IN2 ) (INSURANCE IN1 " },
    { "nested groups begin together", "ORU^R01", "2.5.1", "MSH PID PV1 OBR OBX NTE OBX",
      "MSH (PATIENT_RESULT (PATIENT PID (VISIT PV1 ) ) (ORDER_OBSERVATION OBR (OBSERVATION OBX NTE ) (OBSERVATION OBX " },
    { "an optional first group is missing", "ORU^R01", "2.5.1", "MSH OBR OBX",
      "MSH (PATIENT_RESULT (ORDER_OBSERVATION OBR (OBSERVATION OBX " },
    { "an optional first segment, there or not", "ORU^R01", "2.5.1", "MSH PID ORC OBR OBR ORC OBR",
      "MSH (PATIENT_RESULT (PATIENT PID ) (ORDER_OBSERVATION ORC OBR ) (ORDER_OBSERVATION OBR ) (ORDER_OBSERVATION ORC OBR " },
    { "a second patient is a second result", "ORU^R01", "2.5.1", "MSH PID PID OBR PID OBR",
      "MSH (PATIENT_RESULT (PATIENT PID ) ) (PATIENT_RESULT (PATIENT PID ) (ORDER_OBSERVATION OBR ) ) (PATIENT_RESULT (PATIENT "
      "PID ) "
      "(ORDER_OBSERVATION OBR " },
    { "all of a group is optional", "DFT^P03", "2.5.1", "MSH EVN PID OBX OBX ORC OBR OBX FT1 TQ1 OBR ORC",
      "MSH EVN PID (COMMON_ORDER (OBSERVATION OBX ) (OBSERVATION OBX ) ) (COMMON_ORDER ORC (ORDER OBR ) (OBSERVATION OBX ) ) "
      "(FINANCIAL "
      "FT1 (FINANCIAL_COMMON_ORDER (FINANCIAL_TIMING_QUANTITY TQ1 ) (FINANCIAL_ORDER OBR ) ) (FINANCIAL_COMMON_ORDER ORC " },
    { "a group without the one around it", "ORU^R01", "2.5.1", "MSH PID OBX NTE",
      "MSH (PATIENT_RESULT (PATIENT PID ) (ORDER_OBSERVATION (OBSERVATION OBX^ NTE " },
    { "out of order", "DFT^P03", "2.3", "MSH PID EVN FT1 PV1 FT1", "MSH PID EVN! (FINANCIAL FT1 ) PV1! (FINANCIAL FT1 " },
    { "not in the message, and not here", "DFT^P03", "2.3", "MSH EVN PID ZFT IN2 FT1 OBR",
      "MSH EVN PID ZFT? IN2? (FINANCIAL FT1 OBR? " },
    { "too many", "ADT^A01", "2.3", "MSH EVN PID PID PV1 PV1", "MSH EVN PID PID+ PV1 PV1+ " },
    { "one of several segments", "ORM^O01", "2.3", "MSH PID ORC OBR NTE ORC RXO ORC RXO RXO",
      "MSH (PATIENT PID ) (ORDER ORC (ORDER_DETAIL OBR NTE ) ) (ORDER ORC (ORDER_DETAIL RXO ) ) (ORDER ORC (ORDER_DETAIL RXO ) "
      "(ORDER_DETAIL RXO+ " },
    { "segments that stand twice in a body", "ADT^A01", "2.4", "MSH EVN PID ROL PV1 ROL IN1 ROL ACC",
      "MSH EVN PID ROL PV1 ROL (INSURANCE IN1 ROL ) ACC " },
};

START_TEST(groups_are_loops)
{
    shunt_arena       *arena = shunt_arena_new(&shunt_memory_libc, 0);
    const shunt_guide *guide =
        shunt_guide_find(SHUNT_STANDARD_HL7, shunt_text_of(walks[_i].set), shunt_text_of(walks[_i].version));
    shunt_plan  plan;
    const char *why = "";
    ck_assert_ptr_nonnull(guide);
    ck_assert_int_eq(shunt_plan_make(arena, &guide, 1, NULL, 0, &plan), SHUNT_OK);
    ck_assert_msg(shunt_plan_valid(&plan, &why), "%s: %s", walks[_i].name, why);
    const char *log = walk_log(&plan, walks[_i].message);
    ck_assert_msg(strcmp(log, walks[_i].log) == 0, "%s:\n%s\n%s", walks[_i].name, log, walks[_i].log);
    shunt_arena_free(arena);
}
END_TEST

START_TEST(every_message_gives_a_valid_plan)
{
    /* A prime apart: all versions and most structures come by in a second. */
    for (uint32_t i = 0; shunt_hl7_guide_at(i); i += 7) {
        shunt_arena       *arena = shunt_arena_new(&shunt_memory_libc, 0);
        const shunt_guide *guide = shunt_hl7_guide_at(i);
        shunt_plan         plan;
        const char        *why = "";
        ck_assert_int_eq(shunt_plan_make(arena, &guide, 1, NULL, 0, &plan), SHUNT_OK);
        ck_assert_msg(shunt_plan_valid(&plan, &why), "%s %s: %s", guide->set, guide->version, why);
        /* In every message the segments of a body, one of each, come without a fault. */
        shunt_walk walk;
        shunt_walk_begin(&walk, &plan, 0);
        for (uint16_t e = 0; e < guide->body->body_count; e++) {
            const shunt_segment_node *s = guide->body->body[e].segment;
            if (!s) continue;
            uint32_t      offsets[] = { 0, 4 };
            shunt_segment segment = { .bytes = (const uint8_t *)s->id, .offsets = offsets, .length = 3 };
            shunt_landing landing;
            shunt_walk_segment(&walk, &segment, &delims, &landing);
            ck_assert_msg(landing.node != SHUNT_NONE && !landing.out_of_order && !landing.orphan, "%s %s %s", guide->set,
                          guide->version, s->id);
        }
        shunt_arena_free(arena);
    }
}
END_TEST

/* Repeats of a segment are a loop below that of the segment: no segment leads to it, its trigger names the segment's first
 * node. */
START_TEST(a_repeated_segment_is_a_loop)
{
    shunt_arena       *arena = shunt_arena_new(&shunt_memory_libc, 0);
    shunt_intern      *texts = shunt_intern_new(arena);
    uint32_t           empty;
    const shunt_guide *guide = shunt_guide_find(SHUNT_STANDARD_HL7, SHUNT_TEXT("DFT^P03"), SHUNT_TEXT("2.5.1"));
    const shunt_loop  *orders[1];
    ck_assert_uint_eq(shunt_guide_loops(guide, SHUNT_TEXT("COMMON_ORDER"), orders, 1), 1);
    const shunt_segment_node *orc = orders[0]->body[0].segment;
    ck_assert(shunt_intern_add(texts, SHUNT_TEXT(""), &empty));
    shunt_plan_maker *m = shunt_plan_maker_new(arena, texts, false);
    ck_assert(m && shunt_plan_maker_source(m, &(shunt_plan_source){ .standard = SHUNT_STANDARD_HL7 }));
    shunt_plan_spot         spot = { shunt_plan_maker_guide(m, guide, 0), orders[0], orc };
    uint16_t                repeats = shunt_plan_maker_frame(m, SHUNT_FRAME_GROUP, SHUNT_TEXT("ORC"), 0);
    shunt_plan_slot         like = { .codes = SHUNT_NONE, .mask = SHUNT_NONE, .format = SHUNT_NONE, .currency = SHUNT_NONE };
    uint16_t                slot = shunt_plan_maker_slot(m, repeats, &like);
    const shunt_plan_demand demand = { .element = 2, .component = 1 };
    ck_assert(shunt_plan_maker_bind(m, repeats, spot, (shunt_text){ 0 }, (shunt_plan_group){ 0 }));
    shunt_plan_maker_want(m, repeats, slot, spot, (shunt_text){ 0 }, 0, &demand);
    shunt_plan  plan;
    const char *why = "";
    ck_assert_int_eq(shunt_plan_maker_finish(m, &plan), SHUNT_OK);
    ck_assert_msg(shunt_plan_valid(&plan, &why), "%s", why);
    const shunt_plan_loop *loop = &plan.loops[plan.loop_count - 1];
    const shunt_plan_node *trigger = &plan.nodes[loop->trigger], *node = &plan.nodes[trigger->of];
    ck_assert(shunt_text_is(plan.texts[loop->id], "ORC"));
    ck_assert_uint_eq(plan.frames[repeats].kind, SHUNT_FRAME_LOOP);
    ck_assert_uint_eq(loop->frame, repeats);
    ck_assert_uint_eq(trigger->field, 0);
    ck_assert_uint_eq(trigger->demand_count, 1);
    ck_assert(node->id == trigger->id && node->frame == SHUNT_NONE && node->demand_count == 0 && node->back == 0);
    shunt_arena_free(arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hl7_plan");
    TCase *tests = tcase_create("plan");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, groups_are_loops, 0, (int)(sizeof walks / sizeof *walks));
    tcase_add_test(tests, every_message_gives_a_valid_plan);
    tcase_add_test(tests, a_repeated_segment_is_a_loop);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
