/* The plan of the real dictionaries recognises the loops of synthetic messages. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "dsl/plan_maker.h"
#include "engine/base/walk.h"
#include "tests/support/test_memory.h"

static const shunt_delims delims = { .element = '*', .component = ':', .repetition = '^', .terminator = '~' };

/* Cuts the next segment off a message with one terminator a segment; line ends between segments are passed over. */
static bool next_segment(const char **at, shunt_segment *segment, uint32_t offsets[64])
{
    while (**at == '\n') (*at)++;
    if (!**at) return false;
    const char *end = strchr(*at, '~');
    uint32_t    length = (uint32_t)(end - *at), count = 0;
    offsets[count++] = 0;
    for (uint32_t i = 0; i < length && count < 62; i++)
        if ((*at)[i] == '*') offsets[count++] = i + 1;
    offsets[count] = length + 1;
    *segment = (shunt_segment){ .bytes = (const uint8_t *)*at, .offsets = offsets, .elements = count - 1, .length = length };
    *at = end + 1;
    return true;
}

/* "(2100 " for a loop that begins, ")" for one that ends, the friendly id of each segment, "?" for one that is not in the guide,
 * "!" after one out of order, "^" after an orphan. */
static char *walk_log(const shunt_plan *plan, const char *message)
{
    static char   log[8192];
    size_t        used = 0;
    shunt_walk    walk;
    shunt_segment segment;
    uint32_t      offsets[64];
    shunt_walk_begin(&walk, plan, 0);
    while (next_segment(&message, &segment, offsets)) {
        shunt_landing landing;
        shunt_walk_segment(&walk, &segment, &delims, &landing);
        if (landing.node == SHUNT_NONE) {
            used += (size_t)snprintf(log + used, sizeof log - used, "%.*s? ", (int)(offsets[1] - 1), (const char *)segment.bytes);
            continue;
        }
        for (uint16_t i = 0; i < landing.leave; i++) used += (size_t)snprintf(log + used, sizeof log - used, ") ");
        for (uint16_t i = 0; i < landing.enter_count; i++)
            used += (size_t)snprintf(log + used, sizeof log - used, "(%.*s ",
                                     SHUNT_TEXT_ARGS(plan->texts[plan->loops[landing.enter[i]].id]));
        used += (size_t)snprintf(log + used, sizeof log - used, "%.*s%s%s ", (int)(offsets[1] - 1), (const char *)segment.bytes,
                                 landing.out_of_order ? "!" : "", landing.orphan ? "^" : "");
    }
    return log;
}

static const struct {
    const char *name, *set, *version, *message, *log;
} walks[] = {
    { "835 with two claims, lines and provider adjustments", "835", "005010X221A1",
      "BPR*I*80~TRN*1*T1*1999999999~REF*EV*X~DTM*405*20250101~N1*PR*PAYER~N3*STREET~N4*TOWN~PER*BL*NAME~N1*PE*PAYEE*XX*1~REF*TJ*"
      "1~"
      "LX*1~CLP*A*1*100*80~CAS*CO*45*20~NM1*QC*1~NM1*82*1~MOA***MA01~REF*EA*1~DTM*232*20250101~AMT*AU*1~QTY*CA*1~"
      "SVC*HC:99213*100*80~DTM*472*20250101~CAS*CO*45*20~REF*6R*1~AMT*B6*1~LQ*HE*N1~SVC*HC:99214*1*1~CLP*B*1*1*1~LX*2~CLP*C*1*1*"
      "1~"
      "PLB*1*20251231*FB:1*2~",
      "BPR TRN REF DTM (1000A N1 N3 N4 PER ) (1000B N1 REF ) (2000 LX (2100 CLP CAS NM1 NM1 MOA REF DTM AMT QTY (2110 SVC DTM "
      "CAS REF AMT LQ "
      ") (2110 SVC ) ) (2100 CLP ) ) (2000 LX (2100 CLP ) ) PLB " },
    { "a line without its claim, a claim without LX", "835", "005010X221A1",
      "BPR*I*80~TRN*1*T1*1~CLP*A*1*1*1~SVC*HC:1*1*1~ZZZ*1~", "BPR TRN (2000 (2100 CLP^ (2110 SVC ZZZ? " },
    { "004010", "835", "004010X091A1",
      "BPR*I*80~TRN*1*T1*1~N1*PR*P~N1*PE*P*XX*1~LX*1~CLP*A*1*1*1~CAS*CO*45*1~SVC*HC:1*1*1~CLP*B*1*1*1~",
      "BPR TRN (1000A N1 ) (1000B N1 ) (2000 LX (2100 CLP CAS (2110 SVC ) ) (2100 CLP " },
    { "837P: claims under a subscriber and under a patient", "837", "005010X222A1",
      "BHT*0019*00*B1*20250101*1200*CH~NM1*41*2*S~PER*IC*N~NM1*40*2*R~HL*1**20*1~PRV*BI*PXC*1~NM1*85*2*CLINIC~N3*S~N4*T~REF*EI*1~"
      "HL*2*1*22*0~SBR*P*18~NM1*IL*1*X~NM1*PR*2*PAYER~CLM*A*100***11:B:1~DTP*431*D8*20250101~REF*F8*1~HI*ABK:1~NM1*82*1*D~"
      "SBR*S*18~NM1*IL*1*X~NM1*PR*2*Q~LX*1~SV1*HC:1*100*UN*1~DTP*472*D8*20250101~SVD*Q*1~CAS*CO*1*1~DTP*573*D8*20250101~LX*2~SV1*"
      "HC:2*1*UN*1~"
      "HL*3*1*22*1~SBR*P~NM1*IL*1*X~NM1*PR*2*P~HL*4*3*23*0~PAT*19~NM1*QC*1*K~CLM*B*1***11:B:1~LX*1~SV1*HC:1*1*UN*1~",
      "BHT (1000A NM1 PER ) (1000B NM1 ) (2000A HL PRV (2010AA NM1 N3 N4 REF ) (2000B HL SBR (2010BA NM1 ) (2010BB NM1 ) (2300 "
      "CLM DTP REF HI "
      "(2310B NM1 ) (2320 SBR (2330A NM1 ) (2330B NM1 ) ) (2400 LX SV1 DTP (2430 SVD CAS DTP ) ) (2400 LX SV1 ) ) ) (2000B HL "
      "SBR (2010BA NM1 ) "
      "(2010BB NM1 ) (2000C HL PAT (2010CA NM1 ) (2300 CLM (2400 LX SV1 " },
};

START_TEST(loops_are_recognised)
{
    shunt_arena       *arena = shunt_arena_new(&shunt_memory_libc, 0);
    const shunt_guide *guide =
        shunt_guide_find(SHUNT_STANDARD_X12, shunt_text_of(walks[_i].set), shunt_text_of(walks[_i].version));
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

START_TEST(every_guide_gives_a_valid_plan)
{
    for (uint32_t i = 0; shunt_guide_at(i); i++) {
        shunt_arena       *arena = shunt_arena_new(&shunt_memory_libc, 0);
        const shunt_guide *guide = shunt_guide_at(i);
        shunt_plan         plan;
        const char        *why = "";
        ck_assert_int_eq(shunt_plan_make(arena, &guide, 1, NULL, 0, &plan), SHUNT_OK);
        ck_assert_msg(shunt_plan_valid(&plan, &why), "%s %s: %s", guide->set, guide->version, why);
        ck_assert(shunt_text_is(plan.texts[plan.guides[0].version], guide->version));
        shunt_arena_free(arena);
    }
}
END_TEST

static const shunt_segment_node *find_segment(const shunt_loop *loop, const char *id, const char *key)
{
    for (uint16_t i = 0; i < loop->body_count; i++) {
        const shunt_segment_node *s = loop->body[i].segment;
        if (s && strcmp(s->id, id) == 0 && (!key || (s->key && shunt_codeset_has(s->key, shunt_text_of(key))))) return s;
    }
    return NULL;
}

static const shunt_loop *find_loop(const shunt_loop *loop, const char *id)
{
    if (strcmp(loop->id, id) == 0) return loop;
    for (uint16_t i = 0; i < loop->body_count; i++) {
        const shunt_loop *found = loop->body[i].loop ? find_loop(loop->body[i].loop, id) : NULL;
        if (found) return found;
    }
    return NULL;
}

static uint32_t count_nodes(const shunt_plan *plan, const char *loop, const char *id)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < plan->node_count; i++)
        count += shunt_text_is(plan->texts[plan->loops[plan->nodes[i].loop].id], loop) &&
                 plan->nodes[i].id == shunt_pack((const uint8_t *)id, strlen(id));
    return count;
}

/* REF*2U, EO, HI, NF of loop 1000A are one node of the guide; asking for REF*2U alone makes a node of its own. */
START_TEST(a_qualifier_asked_for_gets_a_node_of_its_own)
{
    shunt_arena       *arena = shunt_arena_new(&shunt_memory_libc, 0);
    const shunt_guide *guide = shunt_guide_find(SHUNT_STANDARD_X12, SHUNT_TEXT("835"), SHUNT_TEXT("005010X221A1"));
    const shunt_loop  *payer = find_loop(guide->body, "1000A");
    shunt_plan_want    want = { { 0, payer, find_segment(payer, "REF", "2U") }, SHUNT_TEXT("2U"), 2, 0, 0,
                                SHUNT_TEXT("1000A.REF[\"2U\"].REF02") };
    shunt_plan         plain, plan;
    const char        *why = "";
    ck_assert_ptr_nonnull(want.spot.segment);
    ck_assert_int_eq(shunt_plan_make(arena, &guide, 1, NULL, 0, &plain), SHUNT_OK);
    ck_assert_int_eq(shunt_plan_make(arena, &guide, 1, &want, 1, &plan), SHUNT_OK);
    ck_assert_msg(shunt_plan_valid(&plan, &why), "%s", why);
    ck_assert_uint_eq(count_nodes(&plain, "1000A", "REF"), 1);
    ck_assert_uint_eq(count_nodes(&plan, "1000A", "REF"), 2);
    ck_assert_uint_eq(plan.slot_count, 1);
    ck_assert(shunt_text_is(plan.texts[plan.slots[0].path], "1000A.REF[\"2U\"].REF02"));
    for (uint32_t i = 0; i < plan.node_count; i++) {
        const shunt_plan_node *n = &plan.nodes[i];
        if (n->id != shunt_pack((const uint8_t *)"REF", 3) || plan.loops[n->loop].frame == SHUNT_NONE) continue;
        bool alone = plan.keys[n->key_first] == shunt_pack((const uint8_t *)"2U", 2);
        ck_assert_uint_eq(n->key_count, alone ? 1 : 3);
        ck_assert_uint_eq(n->demand_count, alone ? 1 : 0);
    }
    shunt_arena_free(arena);
}
END_TEST

START_TEST(groups_and_loops_do_not_share_a_segment)
{
    shunt_arena       *arena = shunt_arena_new(&shunt_memory_libc, 0);
    shunt_intern      *texts = shunt_intern_new(arena);
    uint32_t           empty;
    const shunt_guide *guide = shunt_guide_find(SHUNT_STANDARD_X12, SHUNT_TEXT("835"), SHUNT_TEXT("005010X221A1"));
    const shunt_loop  *claim = find_loop(guide->body, "2100");
    ck_assert(shunt_intern_add(texts, SHUNT_TEXT(""), &empty));
    shunt_plan_maker *m = shunt_plan_maker_new(arena, texts, false);
    ck_assert(m && shunt_plan_maker_source(m, &(shunt_plan_source){ .standard = SHUNT_STANDARD_X12 }));
    shunt_plan_spot cas = { shunt_plan_maker_guide(m, guide, 0), claim, find_segment(claim, "CAS", NULL) };
    uint16_t        loop = shunt_plan_maker_frame(m, SHUNT_FRAME_LOOP, SHUNT_TEXT("2100"), 0);
    uint16_t        triplet = shunt_plan_maker_frame(m, SHUNT_FRAME_GROUP, SHUNT_TEXT("CAS"), 0);
    uint16_t        whole = shunt_plan_maker_frame(m, SHUNT_FRAME_GROUP, SHUNT_TEXT("CAS"), 0);
    ck_assert(shunt_plan_maker_bind(m, loop, (shunt_plan_spot){ 0, claim, NULL }, (shunt_text){ 0 }, (shunt_plan_group){ 0 }));
    ck_assert(shunt_plan_maker_bind(m, triplet, cas, (shunt_text){ 0 }, (shunt_plan_group){ 2, 3, 6 }));
    ck_assert(shunt_plan_maker_bind(m, triplet, cas, (shunt_text){ 0 }, (shunt_plan_group){ 2, 3, 6 }));
    ck_assert(!shunt_plan_maker_bind(m, whole, cas, (shunt_text){ 0 }, (shunt_plan_group){ 0 }));
    bool exact;
    ck_assert_uint_eq(shunt_plan_maker_group(m, cas, (shunt_text){ 0 }, &exact), triplet);
    ck_assert(!exact);
    ck_assert_uint_eq(shunt_plan_maker_child(m, loop, triplet), 0);
    ck_assert_uint_eq(shunt_plan_maker_child(m, loop, triplet), 0);
    shunt_plan_slot like = { .codes = SHUNT_NONE, .mask = SHUNT_NONE, .format = SHUNT_NONE, .currency = SHUNT_NONE };
    shunt_plan_maker_demand(m, triplet, shunt_plan_maker_slot(m, triplet, &like), cas, (shunt_text){ 0 }, 1, 0, true);
    shunt_plan  plan;
    const char *why = "";
    ck_assert_int_eq(shunt_plan_maker_finish(m, &plan), SHUNT_OK);
    ck_assert_msg(shunt_plan_valid(&plan, &why), "%s", why);
    ck_assert_uint_eq(plan.demand_count, 1);
    for (uint32_t i = 0; i < plan.node_count; i++)
        if (plan.nodes[i].frame == triplet) ck_assert_uint_eq(plan.nodes[i].group_stride, 3);
    shunt_arena_free(arena);
}
END_TEST

/* The repetitions of a field are a loop below that of its segment, behind all loops of the guide; its trigger names the segment's node. */
START_TEST(a_repeated_field_is_a_loop)
{
    shunt_arena       *arena = shunt_arena_new(&shunt_memory_libc, 0);
    shunt_intern      *texts = shunt_intern_new(arena);
    uint32_t           empty;
    const shunt_guide *guide = shunt_guide_find(SHUNT_STANDARD_X12, SHUNT_TEXT("835"), SHUNT_TEXT("005010X221A1"));
    const shunt_loop  *claim = find_loop(guide->body, "2100");
    ck_assert(shunt_intern_add(texts, SHUNT_TEXT(""), &empty));
    shunt_plan_maker *m = shunt_plan_maker_new(arena, texts, false);
    ck_assert(m && shunt_plan_maker_source(m, &(shunt_plan_source){ .standard = SHUNT_STANDARD_X12 }));
    shunt_plan_spot         clp = { shunt_plan_maker_guide(m, guide, 0), claim, find_segment(claim, "CLP", NULL) };
    uint16_t                frame = shunt_plan_maker_frame(m, SHUNT_FRAME_LOOP, SHUNT_TEXT("CLP-3"), 0);
    shunt_plan_slot         like = { .codes = SHUNT_NONE, .mask = SHUNT_NONE, .format = SHUNT_NONE, .currency = SHUNT_NONE };
    uint16_t                slot = shunt_plan_maker_slot(m, frame, &like);
    const shunt_plan_demand demand = { .element = 3, .component = 1, .subcomponent = 2 };
    ck_assert(!shunt_plan_maker_repeat(m, frame, (shunt_plan_spot){ 0, claim, NULL }, 3));
    ck_assert(shunt_plan_maker_repeat(m, frame, clp, 3));
    ck_assert(shunt_plan_maker_repeat(m, frame, clp, 3));
    shunt_plan_maker_want(m, frame, slot, clp, (shunt_text){ 0 }, 3, &demand);
    shunt_plan  plan;
    const char *why = "";
    ck_assert_int_eq(shunt_plan_maker_finish(m, &plan), SHUNT_OK);
    ck_assert_msg(shunt_plan_valid(&plan, &why), "%s", why);
    ck_assert_uint_eq(plan.loop_count, plan.guides[0].loop_count + 1u);
    const shunt_plan_loop *loop = &plan.loops[plan.loop_count - 1];
    const shunt_plan_node *trigger = &plan.nodes[loop->trigger];
    ck_assert(shunt_text_is(plan.texts[loop->id], "CLP-3"));
    ck_assert(shunt_text_is(plan.texts[plan.loops[loop->parent].id], "2100"));
    ck_assert_uint_eq(loop->frame, frame);
    ck_assert_uint_eq(trigger->field, 3);
    ck_assert_uint_eq(plan.nodes[trigger->of].id, shunt_pack((const uint8_t *)"CLP", 3));
    ck_assert_uint_eq(trigger->demand_count, 1);
    ck_assert_uint_eq(plan.demands[trigger->demand_first].subcomponent, 2);
    shunt_arena_free(arena);
}
END_TEST

/* Every n-th allocation fails: an error, never a crash, never a half-made plan. */
START_TEST(no_memory)
{
    const shunt_guide *guide = shunt_guide_find(SHUNT_STANDARD_X12, SHUNT_TEXT("835"), SHUNT_TEXT("005010X221A1"));
    for (size_t n = 1; n < 1000; n++) {
        struct test_memory memory;
        test_memory_init(&memory, n);
        shunt_arena *arena = shunt_arena_new(&memory.memory, 0);
        shunt_plan   plan;
        if (!arena) continue;
        shunt_status status = shunt_plan_make(arena, &guide, 1, NULL, 0, &plan);
        shunt_arena_free(arena);
        ck_assert_uint_eq(memory.blocks, 0);
        if (memory.calls < n) {
            ck_assert_int_eq(status, SHUNT_OK);
            return;
        }
        ck_assert_int_eq(status, SHUNT_NO_MEMORY);
    }
    ck_abort_msg("never enough memory");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plan_maker");
    TCase *tests = tcase_create("plan_maker");
    tcase_add_loop_test(tests, loops_are_recognised, 0, (int)SHUNT_COUNT(walks));
    tcase_add_test(tests, every_guide_gives_a_valid_plan);
    tcase_add_test(tests, a_qualifier_asked_for_gets_a_node_of_its_own);
    tcase_add_test(tests, groups_and_loops_do_not_share_a_segment);
    tcase_add_test(tests, a_repeated_field_is_a_loop);
    tcase_add_test(tests, no_memory);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
