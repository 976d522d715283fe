/* Facts that the dictionary of HL7 must hold, and what every message of it must be: compiler and reader lean on both. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "standards/schema.h"

static const struct {
    const char *set, *version, *found_set, *found_version, *structure;
    bool        nearest_only;
} guides[] = {
    { "DFT^P03", "2.5.1", "DFT^P03", "2.5.1", "DFT_P03", false },
    { "DFT^P03^DFT_P03", "2.3", "DFT^P03", "2.3", "DFT_P03", false },
    { "DFT_P03", "2.9", "DFT_P03", "2.9", "DFT_P03", false },
    { "ADT^A04", "2.4", "ADT^A04", "2.4", "ADT_A01", false },
    { "ADT^A04^ADT_A04", "2.4", "ADT^A04", "2.4", "ADT_A01", false },
    { "ADT^Z99^ADT_A01", "2.4", "ADT_A01", "2.4", "ADT_A01", false },
    { "ACK", "2.1", "ACK", "2.1", "ACK", false },
    { "ACK^A01^ACK", "2.8", "ACK", "2.8", "ACK", false },
    { "ACK^A01", "2.3", "ACK", "2.3", "ACK", false },
    { "BAR^P01", "2.2", "BAR^P01", "2.2", "BAR_P01", false },
    { "ORU^R01", "2.1", "ORU^R01", "2.1", "ORU_R01", false },
    { "DFT^P11", "2.3", "DFT^P11", "2.4", "DFT_P11", true },
    { "DFT^P03", "2.5.2", "DFT^P03", "2.5.1", "DFT_P03", false },
    { "DFT^P03", "2.6.1", "DFT^P03", "2.6", "DFT_P03", false },
    { "DFT^P03", "2.9.1", "DFT^P03", "2.9", "DFT_P03", false },
    { "DFT^P03", "2.10", "DFT^P03", "2.9", "DFT_P03", true },
    { "DFT^P03", "2.999", "DFT^P03", "2.9", "DFT_P03", true },
    { "DFT^P03", "2.0", "DFT^P03", "2.1", "DFT_P03", true },
    { "DFT^P03", "3.1", "DFT^P03", "2.9", "DFT_P03", true },
    { "DFT^P03", "", "DFT^P03", "2.9", "DFT_P03", true },
    { "DFT", "2.5", NULL, NULL, NULL, false },
    { "DFT^P99", "2.5", NULL, NULL, NULL, false },
    { "", "2.5", NULL, NULL, NULL, false },
};

START_TEST(finds_guides)
{
    bool               exact;
    shunt_text         set = shunt_text_of(guides[_i].set), version = shunt_text_of(guides[_i].version);
    const shunt_guide *near = shunt_hl7_guide_nearest(set, version, &exact);
    const shunt_guide *found = shunt_guide_find(SHUNT_STANDARD_HL7, set, version);
    if (!guides[_i].found_set) {
        ck_assert_ptr_null(near);
        ck_assert_ptr_null(found);
        return;
    }
    ck_assert_ptr_nonnull(near);
    ck_assert_str_eq(near->set, guides[_i].found_set);
    ck_assert_str_eq(near->version, guides[_i].found_version);
    ck_assert_str_eq(near->functional_id, guides[_i].structure);
    ck_assert_int_eq(exact, strcmp(near->version, guides[_i].version) == 0);
    if (guides[_i].nearest_only)
        ck_assert_ptr_null(found);
    else
        ck_assert_ptr_eq(found, near);
    ck_assert(found == NULL || shunt_guide_fits(found, version));
}
END_TEST

static void write_loop(const shunt_loop *loop, FILE *out)
{
    static const char *const limits[] = { "", "?", "+", "*" };
    for (uint32_t i = 0; i < loop->body_count; i++) {
        const shunt_segment_node *s = loop->body[i].segment;
        const shunt_loop         *l = loop->body[i].loop;
        unsigned                  usage = s ? s->usage : l->usage, max = s ? s->max : l->max;
        fprintf(out, "%s%s%s%s", i ? " " : "", s ? s->id : l->id, limits[(usage != SHUNT_REQUIRED) + 2 * (max != 1)],
                s ? "" : "(");
        if (l) write_loop(l, out), fputc(')', out);
    }
}

static const struct {
    const char *set, *version, *text;
} structures[] = {
    { "DFT^P03", "2.3",
      "MSH EVN PID PD1? PV1? PV2? DB1* OBX* FINANCIAL+(FT1 FINANCIAL_PROCEDURE*(PR1 ROL*)) DG1* DRG? GT1* INSURANCE*(IN1 IN2? "
      "IN3?) "
      "ACC?" },
    { "ORU^R01", "2.5.1",
      "MSH SFT* PATIENT_RESULT+(PATIENT?(PID PD1? NTE* NK1* VISIT?(PV1 PV2?)) ORDER_OBSERVATION+(ORC? OBR NTE* TIMING_QTY*(TQ1 "
      "TQ2*) "
      "CTD? OBSERVATION*(OBX NTE*) FT1* CTI* SPECIMEN*(SPM OBX*))) DSC?" },
    { "ACK", "2.5", "MSH SFT* MSA ERR*" },
};

START_TEST(knows_structures)
{
    char              *text = NULL;
    size_t             size;
    FILE              *out = open_memstream(&text, &size);
    const shunt_guide *guide =
        shunt_guide_find(SHUNT_STANDARD_HL7, shunt_text_of(structures[_i].set), shunt_text_of(structures[_i].version));
    ck_assert_ptr_nonnull(guide);
    write_loop(guide->body, out);
    fclose(out);
    ck_assert_str_eq(text, structures[_i].text);
    free(text);
}
END_TEST

enum { NONE = 0, MONEY = SHUNT_VALUE_AMOUNT };
static const struct {
    const char *version, *segment;
    unsigned    field, component, subcomponent;
    const char *name, *data_type;
    int         type;
    unsigned    decimals, repeats;
    uint32_t    phi;
} parts[] = {
    { "2.5.1", "PID", 3, 0, 0, "patient id list", "CX", SHUNT_VALUE_COMPOSITE, 0, 255,
      SHUNT_PHI_RECORD_NUMBER | SHUNT_PHI_SSN | SHUNT_PHI_LICENCE | SHUNT_PHI_MEMBER_ID | SHUNT_PHI_IDENTIFIER },
    { "2.5.1", "PID", 3, 4, 2, "universal id", "ST", SHUNT_VALUE_TEXT, 0, 1,
      SHUNT_PHI_RECORD_NUMBER | SHUNT_PHI_SSN | SHUNT_PHI_LICENCE | SHUNT_PHI_MEMBER_ID | SHUNT_PHI_IDENTIFIER },
    { "2.5.1", "PID", 5, 1, 1, "surname", "ST", SHUNT_VALUE_TEXT, 0, 1, SHUNT_PHI_NAME },
    { "2.5.1", "PID", 7, 0, 0, "date and time of birth", "TS", SHUNT_VALUE_MOMENT, 0, 1, SHUNT_PHI_DATE },
    { "2.3", "PID", 7, 1, 0, "time of an event", "DTM", SHUNT_VALUE_MOMENT, 0, 1, SHUNT_PHI_DATE },
    { "2.5.1", "FT1", 1, 0, 0, "set id", "SI", SHUNT_VALUE_INT, 0, 1, NONE },
    { "2.5.1", "FT1", 4, 1, 0, "range start date and time", "TS", SHUNT_VALUE_MOMENT, 0, 1, SHUNT_PHI_DATE },
    { "2.3", "FT1", 4, 0, 0, "transaction date", "TS", SHUNT_VALUE_MOMENT, 0, 1, SHUNT_PHI_DATE },
    { "2.5.1", "FT1", 6, 0, 0, "transaction type", "IS", SHUNT_VALUE_CODE, 0, 1, NONE },
    { "2.5.1", "FT1", 10, 0, 0, "transaction quantity", "NM", SHUNT_VALUE_DECIMAL, 6, 1, NONE },
    { "2.5.1", "FT1", 11, 0, 0, "transaction amount - extended", "CP", MONEY, 0, 1, NONE },
    { "2.5.1", "FT1", 11, 1, 1, "quantity", "NM", MONEY, 0, 1, NONE },
    { "2.5.1", "FT1", 11, 1, 2, "denomination", "ID", SHUNT_VALUE_CODE, 0, 1, NONE },
    { "2.5.1", "FT1", 12, 1, 1, "quantity", "NM", MONEY, 4, 1, NONE },
    { "2.2", "FT1", 11, 0, 0, "transaction amount - extended", "NM", MONEY, 0, 1, NONE },
    { "2.9", "FT1", 51, 1, 0, "quantity", "NM", MONEY, 4, 1, NONE },
    { "2.5.1", "PV1", 47, 0, 0, "total charges", "NM", MONEY, 0, 1, NONE },
    { "2.6", "EVN", 2, 0, 0, "recorded date and time", "DTM", SHUNT_VALUE_MOMENT, 0, 1, SHUNT_PHI_DATE },
    { "2.5", "OBX", 5, 0, 0, "observation value", "ANY", SHUNT_VALUE_TEXT, 0, 255, SHUNT_PHI_CLINICAL | SHUNT_PHI_FREE_TEXT },
    { "2.5", "ARQ", 11, 1, 0, "range start date and time", "TS", SHUNT_VALUE_MOMENT, 0, 1, SHUNT_PHI_DATE },
    { "2.1", "FAC", 1, 0, 0, NULL, NULL, 0, 0, 0, NONE },
    { "2.5", "INV", 1, 0, 0, "substance id", "CE", SHUNT_VALUE_COMPOSITE, 0, 1, SHUNT_PHI_FREE_TEXT },
};

START_TEST(knows_parts)
{
    const shunt_segment_node *s = shunt_segment_find(shunt_text_of(parts[_i].version), shunt_text_of(parts[_i].segment));
    if (!parts[_i].name) {
        ck_assert_ptr_null(s);
        return;
    }
    ck_assert_ptr_nonnull(s);
    const shunt_element *e = shunt_node_element(s, parts[_i].field, parts[_i].component);
    ck_assert_ptr_nonnull(e);
    if (parts[_i].subcomponent) {
        ck_assert_uint_le(parts[_i].subcomponent, e->component_count);
        e = &e->components[parts[_i].subcomponent - 1];
    }
    ck_assert_str_eq(e->name, parts[_i].name);
    ck_assert_str_eq(e->data_type, parts[_i].data_type);
    ck_assert_int_eq(e->type, parts[_i].type);
    ck_assert_uint_eq(e->decimals, parts[_i].decimals);
    ck_assert_uint_eq(e->repeats, parts[_i].repeats);
    ck_assert_uint_eq(e->phi, parts[_i].phi);
}
END_TEST

static const struct {
    const char *version, *segment;
    unsigned    field;
    bool        money;
    shunt_part  amount, currency;
} amounts[] = {
    { "2.5.1", "FT1", 11, true, { 1, 1 }, { 1, 2 } }, { "2.9", "FT1", 51, true, { 1, 0 }, { 2, 0 } },
    { "2.2", "FT1", 11, true, { 0, 0 }, { 0, 0 } },   { "2.5", "PV1", 47, true, { 0, 0 }, { 0, 0 } },
    { "2.5", "FT1", 10, false, { 0, 0 }, { 0, 0 } },
};

START_TEST(knows_money)
{
    const shunt_segment_node *s = shunt_segment_find(shunt_text_of(amounts[_i].version), shunt_text_of(amounts[_i].segment));
    shunt_part                amount, currency;
    ck_assert_int_eq(shunt_element_money(shunt_node_element(s, amounts[_i].field, 0), &amount, &currency), amounts[_i].money);
    ck_assert_int_eq(amount.component, amounts[_i].amount.component);
    ck_assert_int_eq(amount.subcomponent, amounts[_i].amount.subcomponent);
    ck_assert_int_eq(currency.component, amounts[_i].currency.component);
    ck_assert_int_eq(currency.subcomponent, amounts[_i].currency.subcomponent);
}
END_TEST

START_TEST(knows_codes)
{
    const shunt_codeset *yes_no = shunt_codeset_find(SHUNT_TEXT("HL70136")), *types = shunt_codeset_find(SHUNT_TEXT("HL70017"));
    ck_assert(yes_no && yes_no->complete && yes_no->count == 2 && shunt_codeset_has(yes_no, SHUNT_TEXT("Y")));
    ck_assert(types && !types->complete && shunt_codeset_has(types, SHUNT_TEXT("CG")));
    ck_assert_str_eq(shunt_codeset_name(types, SHUNT_TEXT("CG")), "charge");
    const shunt_element *ft1_6 = shunt_node_element(shunt_segment_find(SHUNT_TEXT("2.7"), SHUNT_TEXT("FT1")), 6, 0);
    ck_assert_str_eq(ft1_6->data_type, "CWE");
    ck_assert(ft1_6->codes && !ft1_6->codes->complete && shunt_codeset_has(ft1_6->codes, SHUNT_TEXT("PY")));
    ck_assert_ptr_null(shunt_codeset_find(SHUNT_TEXT("HL79999")));
}
END_TEST

static const struct {
    const char *a, *b;
    int         order;
} versions[] = {
    { "2.5", "2.5.1", -1 }, { "2.10", "2.9", 1 },         { "2.5.1", "2.5.1", 0 },
    { "", "2.1", -1 },      { "2.5.1^USA", "2.5.2", -1 }, { "2.3.z", "2.3", 0 },
};

START_TEST(compares_versions)
{
    ck_assert_int_eq(shunt_hl7_version_compare(shunt_text_of(versions[_i].a), shunt_text_of(versions[_i].b)), versions[_i].order);
    ck_assert_int_eq(shunt_hl7_version_compare(shunt_text_of(versions[_i].b), shunt_text_of(versions[_i].a)),
                     -versions[_i].order);
}
END_TEST

static void check_elements(const char *where, const shunt_element *elements, unsigned count, unsigned depth)
{
    ck_assert_msg(count == 0 || depth < 3, "%s", where);
    for (unsigned i = 0; i < count; i++) {
        const shunt_element *e = &elements[i];
        ck_assert_msg(e->position == i + 1 && *e->name && *e->data_type, "%s %u", where, i + 1);
        ck_assert_msg((e->type == SHUNT_VALUE_COMPOSITE) <= (e->component_count > 0), "%s %s", where, e->name);
        ck_assert_msg((e->components != NULL) == (e->component_count > 0), "%s %s", where, e->name);
        for (unsigned c = 0; c < e->component_count; c++) ck_assert_uint_eq(e->components[c].phi, e->phi);
        check_elements(where, e->components, e->component_count, depth + 1);
    }
}

static void check_loop(const shunt_guide *guide, const shunt_loop *loop, unsigned depth, bool deep)
{
    unsigned position = 0;
    ck_assert_uint_lt(depth, 9);
    ck_assert_uint_gt(loop->body_count, 0);
    for (unsigned i = 0; i < loop->body_count; i++) {
        const shunt_segment_node *s = loop->body[i].segment;
        const shunt_loop         *l = loop->body[i].loop;
        ck_assert_msg((s == NULL) != (l == NULL), "%s %s", guide->set, guide->version);
        unsigned at = s ? s->position : l->position;
        ck_assert_msg(at >= position && at > 0, "%s %s %s", guide->set, guide->version, s ? s->id : l->id);
        position = at;
        if (s) {
            ck_assert_uint_eq(strlen(s->id), 3);
            if (deep) check_elements(s->id, s->elements, s->element_count, 0);
            continue;
        }
        const shunt_loop *same[2];
        ck_assert_msg(*l->id && l->parent == loop, "%s %s %s", guide->set, guide->version, l->id);
        ck_assert_msg(shunt_guide_loops(guide, shunt_text_of(l->id), same, 2) == 1, "%s %s: %s twice", guide->set, guide->version,
                      l->id);
        check_loop(guide, l, depth + 1, deep);
    }
}

START_TEST(every_message_is_well_formed)
{
    uint32_t           count = 0;
    const shunt_guide *before = NULL;
    for (const shunt_guide *g; (g = shunt_hl7_guide_at(count)); before = g, count++) {
        ck_assert(g->standard == SHUNT_STANDARD_HL7 && *g->family && *g->name && *g->functional_id && g->body->parent == NULL);
        ck_assert_str_eq(g->body->id, "");
        int order = before ? strcmp(before->set, g->set) : -1;
        ck_assert(order < 0 ||
                  (order == 0 && shunt_hl7_version_compare(shunt_text_of(before->version), shunt_text_of(g->version)) < 0));
        ck_assert_ptr_eq(shunt_guide_find(SHUNT_STANDARD_HL7, shunt_text_of(g->set), shunt_text_of(g->version)), g);
        check_loop(g, g->body, 0, count % 64 == 0); /* segments are shared by many: some of each kind are enough */
    }
    ck_assert_uint_gt(count, 5000);
    ck_assert_ptr_null(shunt_hl7_guide_at(UINT32_MAX));
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof *(array))

int main(void)
{
    Suite *suite = suite_create("hl7_schema");
    TCase *tc = tcase_create("dictionary");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, finds_guides, 0, COUNT(guides));
    tcase_add_loop_test(tc, knows_structures, 0, COUNT(structures));
    tcase_add_loop_test(tc, knows_parts, 0, COUNT(parts));
    tcase_add_loop_test(tc, knows_money, 0, COUNT(amounts));
    tcase_add_test(tc, knows_codes);
    tcase_add_loop_test(tc, compares_versions, 0, COUNT(versions));
    tcase_add_test(tc, every_message_is_well_formed);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
