/* Facts that the dictionaries must hold, and what every guide must be: the compiler leans on both. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "standards/schema.h"

static const shunt_guide *guide(const char *set, const char *version)
{
    return shunt_guide_find(SHUNT_STANDARD_X12, shunt_text_of(set), shunt_text_of(version));
}

static void count_nodes(const shunt_loop *loop, uint32_t *loops, uint32_t *segments)
{
    for (uint32_t i = 0; i < loop->body_count; i++) {
        if (loop->body[i].segment) {
            ++*segments;
            continue;
        }
        ++*loops;
        count_nodes(loop->body[i].loop, loops, segments);
    }
}

/* The node of the n-th loop with this id that takes the qualifier ("" = the first of that segment id). */
static const shunt_segment_node *node(const shunt_guide *g, const char *loop, uint32_t nth, const char *id, const char *qualifier)
{
    const shunt_loop         *loops[8];
    const shunt_segment_node *segments[40];
    uint32_t                  count = shunt_guide_loops(g, shunt_text_of(loop), loops, 8);
    ck_assert_msg(nth < count && count <= 8, "%s %s has %u loops %s", g->set, g->version, count, loop);
    count = shunt_loop_segments(loops[nth], shunt_text_of(id), segments, 40);
    ck_assert_uint_le(count, 40);
    for (uint32_t i = 0; i < count; i++)
        if (!*qualifier || shunt_segment_takes(segments[i], shunt_text_of(qualifier))) return segments[i];
    ck_abort_msg("no %s*%s in loop %s of %s", id, qualifier, loop, g->version);
}

static const struct {
    const char *set, *version, *found, *functional_id;
    uint32_t    loops, segments;
} guides[] = {
    { "835", "005010X221A1", "005010X221A1", "HP", 5, 53 },
    { "837", "005010X222A1", "005010X222A1", "HC", 65, 381 },
    { "837", "005010X223A2", "005010X223A2", "HC", 59, 273 },
    { "837", "005010X224A2", "005010X224A2", "HC", 53, 254 },
    { "835", "004010X091A1", "004010X091A1", "HP", 5, 45 },
    { "837", "004010X098A1", "004010X098A1", "HC", 66, 390 },
    { "837", "004010X096A1", "004010X096A1", "HC", 52, 278 },
    { "837", "004010X097A1", "004010X097A1", "HC", 43, 203 },
    { "270", "005010X279A1", "005010X279A1", "HS", 0, 0 },
    { "277", "005010X214", "005010X214", "HN", 0, 0 },
    { "834", "005010X220", "005010X220A1", "BE", 0, 0 },
    { "278", "004010X094A1", "004010X094A1", "HI", 0, 0 },
    { "999", "005010X231", "005010X231A1", "FA", 0, 0 },
    /* by family */
    { "835", "005010X221", "005010X221A1", "HP", 0, 0 },
    { "837", "005010X222", "005010X222A1", "HC", 0, 0 },
    { "837", "005010X222A2", "005010X222A1", "HC", 0, 0 },
    { "837", "005010X223A3", "005010X223A2", "HC", 0, 0 },
    { "835", "004010X091", "004010X091A1", "HP", 0, 0 },
    /* not there */
    { "835", "005010X222A1", NULL, NULL, 0, 0 },
    { "835", "005010", NULL, NULL, 0, 0 },
    { "835", "005010X221A", NULL, NULL, 0, 0 },
    { "835", "005010X221AA", NULL, NULL, 0, 0 },
    { "835", "", NULL, NULL, 0, 0 },
    { "999", "005010X221A1", NULL, NULL, 0, 0 },
    { "850", "004010VICS", NULL, NULL, 0, 0 },
};

START_TEST(finds_guides)
{
    const shunt_guide *g = guide(guides[_i].set, guides[_i].version);
    if (!guides[_i].found) {
        ck_assert_ptr_null(g);
        return;
    }
    ck_assert_ptr_nonnull(g);
    ck_assert_str_eq(g->version, guides[_i].found);
    ck_assert_str_eq(g->functional_id, guides[_i].functional_id);
    ck_assert(g->health_care);
    ck_assert(shunt_guide_fits(g, shunt_text_of(guides[_i].version)));
    ck_assert(!shunt_guide_fits(g, SHUNT_TEXT("005010X999A1")));
    uint32_t loops = 0, segments = 0;
    count_nodes(g->body, &loops, &segments);
    if (!guides[_i].loops) return;
    ck_assert_uint_eq(loops, guides[_i].loops);
    ck_assert_uint_eq(segments, guides[_i].segments);
}
END_TEST

START_TEST(guides_belong_to_their_standard)
{
    ck_assert_ptr_null(shunt_guide_find(SHUNT_STANDARD_HL7, SHUNT_TEXT("835"), SHUNT_TEXT("005010X221A1")));
    ck_assert_ptr_null(shunt_guide_find(SHUNT_STANDARD_X12, SHUNT_TEXT("DFT^P03"), SHUNT_TEXT("2.5.1")));
    ck_assert_ptr_null(shunt_guide_find(SHUNT_STANDARD_FHIR, SHUNT_TEXT("DFT^P03"), SHUNT_TEXT("2.5.1")));
}
END_TEST

#define ERA           "835", "005010X221A1"
#define OLD_ERA       "835", "004010X091A1"
#define PROFESSIONAL  "837", "005010X222A1"
#define INSTITUTIONAL "837", "005010X223A2"
#define DENTAL        "837", "005010X224A2"
enum { NONE = 0, MONEY = SHUNT_VALUE_AMOUNT };

static const struct {
    const char *set, *version, *loop, *segment, *qualifier;
    uint32_t    position, component;
    const char *name;
    uint8_t     usage, type, decimals;
    uint16_t    max_length;
    uint32_t    phi;
} elements[] = {
    { ERA, "", "BPR", "", 2, 0, "payment amount", SHUNT_REQUIRED, MONEY, 0, 18, NONE },
    { ERA, "", "BPR", "", 15, 0, "payee account number", SHUNT_SITUATIONAL, SHUNT_VALUE_TEXT, 0, 35, SHUNT_PHI_ACCOUNT_NUMBER },
    { ERA, "", "BPR", "", 16, 0, "payment date", SHUNT_REQUIRED, SHUNT_VALUE_DATE, 0, 8, NONE },
    { ERA, "", "BPR", "", 17, 0, "business function", SHUNT_NOT_USED, SHUNT_VALUE_CODE, 0, 3, NONE },
    { ERA, "", "TRN", "", 2, 0, "trace number", SHUNT_REQUIRED, SHUNT_VALUE_TEXT, 0, 50, NONE },
    { ERA, "", "TRN", "", 3, 0, "payer identifier", SHUNT_REQUIRED, SHUNT_VALUE_TEXT, 0, 10, NONE },
    { ERA, "", "DTM", "405", 2, 0, "production date", SHUNT_REQUIRED, SHUNT_VALUE_DATE, 0, 8, NONE },
    { ERA, "1000A", "N1", "PR", 2, 0, "name", SHUNT_REQUIRED, SHUNT_VALUE_TEXT, 0, 60, NONE },
    { ERA, "1000A", "N3", "", 1, 0, "address line 1", SHUNT_REQUIRED, SHUNT_VALUE_TEXT, 0, 55, NONE },
    { ERA, "1000A", "PER", "BL", 4, 0, "contact number 1", SHUNT_SITUATIONAL, SHUNT_VALUE_TEXT, 0, 256, NONE },
    { ERA, "1000B", "N1", "PE", 4, 0, "id", SHUNT_REQUIRED, SHUNT_VALUE_TEXT, 0, 80, NONE },
    { ERA, "2000", "TS3", "", 5, 0, "total claim charge amount", SHUNT_REQUIRED, MONEY, 0, 18, NONE },
    { ERA, "2100", "CLP", "", 1, 0, "patient control number", SHUNT_REQUIRED, SHUNT_VALUE_TEXT, 0, 38,
      SHUNT_PHI_ACCOUNT_NUMBER | SHUNT_PHI_IDENTIFIER },
    { ERA, "2100", "CLP", "", 2, 0, "claim status", SHUNT_REQUIRED, SHUNT_VALUE_CODE, 0, 2, NONE },
    { ERA, "2100", "CLP", "", 4, 0, "claim payment amount", SHUNT_REQUIRED, MONEY, 0, 18, NONE },
    { ERA, "2100", "CLP", "", 5, 0, "patient responsibility amount", SHUNT_SITUATIONAL, MONEY, 0, 18, NONE },
    { ERA, "2100", "CLP", "", 7, 0, "payer claim control number", SHUNT_REQUIRED, SHUNT_VALUE_TEXT, 0, 50,
      SHUNT_PHI_ACCOUNT_NUMBER | SHUNT_PHI_IDENTIFIER },
    { ERA, "2100", "CLP", "", 12, 0, "diagnosis related group weight", SHUNT_SITUATIONAL, SHUNT_VALUE_DECIMAL, 3, 15,
      SHUNT_PHI_CLINICAL },
    { ERA, "2100", "CLP", "", 13, 0, "discharge fraction", SHUNT_SITUATIONAL, SHUNT_VALUE_DECIMAL, 6, 10, NONE },
    { ERA, "2100", "CAS", "", 3, 0, "adjustment amount 1", SHUNT_REQUIRED, MONEY, 0, 18, NONE },
    { ERA, "2100", "NM1", "QC", 3, 0, "last name or organization name", SHUNT_SITUATIONAL, SHUNT_VALUE_TEXT, 0, 60,
      SHUNT_PHI_NAME },
    { ERA, "2100", "NM1", "QC", 9, 0, "id", SHUNT_SITUATIONAL, SHUNT_VALUE_TEXT, 0, 80,
      SHUNT_PHI_MEMBER_ID | SHUNT_PHI_SSN | SHUNT_PHI_IDENTIFIER },
    { ERA, "2100", "NM1", "82", 3, 0, "last name or organization name", SHUNT_SITUATIONAL, SHUNT_VALUE_TEXT, 0, 60, NONE },
    { ERA, "2100", "NM1", "82", 9, 0, "id", SHUNT_REQUIRED, SHUNT_VALUE_TEXT, 0, 80, NONE },
    { ERA, "2100", "NM1", "TT", 9, 0, "id", SHUNT_REQUIRED, SHUNT_VALUE_TEXT, 0, 80, NONE },
    { ERA, "2100", "REF", "0B", 2, 0, "reference number", SHUNT_REQUIRED, SHUNT_VALUE_TEXT, 0, 50, NONE },
    { ERA, "2100", "DTM", "232", 2, 0, "date", SHUNT_REQUIRED, SHUNT_VALUE_DATE, 0, 8, SHUNT_PHI_DATE },
    { ERA, "2110", "SVC", "", 1, 2, "procedure code", SHUNT_REQUIRED, SHUNT_VALUE_TEXT, 0, 48, SHUNT_PHI_CLINICAL },
    { ERA, "2110", "SVC", "", 1, 7, "procedure description", SHUNT_NOT_USED, SHUNT_VALUE_TEXT, 0, 80, SHUNT_PHI_CLINICAL },
    { ERA, "2110", "SVC", "", 3, 0, "line payment amount", SHUNT_REQUIRED, MONEY, 0, 18, NONE },
    { ERA, "2110", "SVC", "", 5, 0, "paid service units", SHUNT_SITUATIONAL, SHUNT_VALUE_DECIMAL, 3, 15, NONE },
    { ERA, "2110", "REF", "6R", 2, 0, "line item control number", SHUNT_REQUIRED, SHUNT_VALUE_TEXT, 0, 50, SHUNT_PHI_IDENTIFIER },
    { ERA, "2110", "LQ", "HE", 2, 0, "remark or form code", SHUNT_REQUIRED, SHUNT_VALUE_TEXT, 0, 30, NONE },
    { ERA, "", "PLB", "", 3, 0, "provider adjustment 1", SHUNT_REQUIRED, SHUNT_VALUE_COMPOSITE, 0, 0, SHUNT_PHI_ACCOUNT_NUMBER },
    { ERA, "", "PLB", "", 3, 1, "provider adjustment reason", SHUNT_REQUIRED, SHUNT_VALUE_CODE, 0, 2, NONE },
    { ERA, "", "PLB", "", 3, 2, "provider adjustment reference", SHUNT_SITUATIONAL, SHUNT_VALUE_TEXT, 0, 50,
      SHUNT_PHI_ACCOUNT_NUMBER },
    { ERA, "", "PLB", "", 14, 0, "provider adjustment amount 6", SHUNT_SITUATIONAL, MONEY, 0, 18, NONE },
    { ERA, "", "SE", "", 1, 0, "segment count", SHUNT_REQUIRED, SHUNT_VALUE_INT, 0, 10, NONE },
    { OLD_ERA, "2100", "CLP", "", 7, 0, "payer claim control number", SHUNT_REQUIRED, SHUNT_VALUE_TEXT, 0, 30,
      SHUNT_PHI_ACCOUNT_NUMBER | SHUNT_PHI_IDENTIFIER },
    { PROFESSIONAL, "2010AA", "NM1", "85", 9, 0, "id", SHUNT_SITUATIONAL, SHUNT_VALUE_TEXT, 0, 80, NONE },
    { PROFESSIONAL, "2010AA", "N3", "", 1, 0, "address line 1", SHUNT_REQUIRED, SHUNT_VALUE_TEXT, 0, 55, NONE },
    { PROFESSIONAL, "2330A", "REF", "SY", 2, 0, "other subscriber's social security number", SHUNT_REQUIRED, SHUNT_VALUE_TEXT, 0,
      50, SHUNT_PHI_SSN },
    { PROFESSIONAL, "2010AA", "REF", "SY", 2, 0, "reference number", SHUNT_REQUIRED, SHUNT_VALUE_TEXT, 0, 50, SHUNT_PHI_SSN },
    { PROFESSIONAL, "2010BA", "N3", "", 1, 0, "address line 1", SHUNT_REQUIRED, SHUNT_VALUE_TEXT, 0, 55, SHUNT_PHI_ADDRESS },
    { PROFESSIONAL, "2010BA", "N4", "", 2, 0, "state or province", SHUNT_SITUATIONAL, SHUNT_VALUE_CODE, 0, 2, NONE },
    { PROFESSIONAL, "2010BA", "DMG", "", 2, 0, "birth date", SHUNT_REQUIRED, SHUNT_VALUE_DATE_BY_QUALIFIER, 0, 35,
      SHUNT_PHI_DATE },
    { PROFESSIONAL, "2010BA", "PER", "IC", 4, 0, "contact number 1", SHUNT_REQUIRED, SHUNT_VALUE_TEXT, 0, 256,
      SHUNT_PHI_CONTACT },
    { PROFESSIONAL, "2000B", "SBR", "", 3, 0, "group or policy number", SHUNT_SITUATIONAL, SHUNT_VALUE_TEXT, 0, 50,
      SHUNT_PHI_MEMBER_ID },
    { PROFESSIONAL, "2300", "CLM", "", 1, 0, "patient control number", SHUNT_REQUIRED, SHUNT_VALUE_TEXT, 0, 38,
      SHUNT_PHI_ACCOUNT_NUMBER | SHUNT_PHI_IDENTIFIER },
    { PROFESSIONAL, "2300", "CLM", "", 2, 0, "claim charge amount", SHUNT_REQUIRED, MONEY, 0, 18, NONE },
    { PROFESSIONAL, "2300", "CLM", "", 5, 3, "claim frequency", SHUNT_REQUIRED, SHUNT_VALUE_CODE, 0, 1, NONE },
    { PROFESSIONAL, "2300", "REF", "EA", 2, 0, "medical record number", SHUNT_REQUIRED, SHUNT_VALUE_TEXT, 0, 50,
      SHUNT_PHI_RECORD_NUMBER },
    { PROFESSIONAL, "2300", "HI", "ABK", 1, 2, "code", SHUNT_REQUIRED, SHUNT_VALUE_TEXT, 0, 30, SHUNT_PHI_CLINICAL },
    { PROFESSIONAL, "2300", "NTE", "ADD", 2, 0, "note text", SHUNT_REQUIRED, SHUNT_VALUE_TEXT, 0, 80, SHUNT_PHI_FREE_TEXT },
    { PROFESSIONAL, "2400", "SV1", "", 2, 0, "line charge amount", SHUNT_REQUIRED, MONEY, 0, 18, NONE },
    { PROFESSIONAL, "2400", "DTP", "472", 3, 0, "service date", SHUNT_REQUIRED, SHUNT_VALUE_DATE_BY_QUALIFIER, 0, 35,
      SHUNT_PHI_DATE },
    { INSTITUTIONAL, "2400", "SV2", "", 3, 0, "line charge amount", SHUNT_REQUIRED, MONEY, 0, 18, SHUNT_PHI_CLINICAL },
    { DENTAL, "2300", "CLM", "", 1, 0, "patient control number", SHUNT_REQUIRED, SHUNT_VALUE_TEXT, 0, 20,
      SHUNT_PHI_ACCOUNT_NUMBER | SHUNT_PHI_IDENTIFIER },
};

START_TEST(knows_elements)
{
    const shunt_guide        *g = guide(elements[_i].set, elements[_i].version);
    const shunt_segment_node *s = node(g, elements[_i].loop, 0, elements[_i].segment, elements[_i].qualifier);
    const shunt_element      *e = shunt_node_element(s, elements[_i].position, elements[_i].component);
    char                      place[80];
    snprintf(place, sizeof place, "%s %s %s*%s %u-%u", elements[_i].version, elements[_i].loop, elements[_i].segment,
             elements[_i].qualifier, elements[_i].position, elements[_i].component);
    ck_assert_msg(e != NULL, "%s", place);
    ck_assert_msg(!strcmp(e->name, elements[_i].name), "%s is %s", place, e->name);
    ck_assert_msg(e->usage == elements[_i].usage, "%s usage %d", place, e->usage);
    ck_assert_msg(e->type == elements[_i].type, "%s type %d", place, e->type);
    ck_assert_msg(e->decimals == elements[_i].decimals, "%s decimals %d", place, e->decimals);
    ck_assert_msg(e->max_length == elements[_i].max_length, "%s length %d", place, e->max_length);
    ck_assert_msg(e->phi == elements[_i].phi, "%s phi %x", place, e->phi);
}
END_TEST

static const struct {
    const char *set, *version, *loop, *segment, *qualifier;
    uint32_t    position, component;
    const char *list;
    bool        complete;
    const char *in, *name, *out;
} codes[] = {
    { ERA, "2100", "CLP", "", 2, 0, "", true, "22", "takes back an earlier payment (all amounts with opposite sign)", "5" },
    { ERA, "2100", "CAS", "", 1, 0, "", true, "PR", NULL, "CR" },
    { ERA, "2100", "CAS", "", 2, 0, "carc", false, "45", NULL, "XXX" },
    { ERA, "2110", "CAS", "", 17, 0, "carc", false, "1", "deductible", "" },
    { ERA, "2110", "LQ", "", 2, 0, "rarc", false, "N130", NULL, "N9999" },
    { ERA, "2100", "MOA", "", 3, 0, "rarc", false, "MA01", NULL, "MA" },
    { ERA, "", "PLB", "", 3, 1, "", true, "WO", NULL, "ZZ" },
    { ERA, "", "PLB", "", 13, 1, "", true, "L6", NULL, "ZZ" },
    { ERA, "", "BPR", "", 4, 0, "", true, "NON", NULL, "XYZ" },
    { ERA, "", "CUR", "", 2, 0, "currency", false, "USD", NULL, "US" },
    { PROFESSIONAL, "2300", "CLM", "", 5, 1, "place_of_service", true, "11", "office", "1" },
    { INSTITUTIONAL, "2300", "CLM", "", 5, 1, "type_of_bill", false, "11", "hospital inpatient", "1" },
    { ERA, "2100", "REF", "EA", 1, 0, "", true, "EA", "medical record number", "0B" },
    { PROFESSIONAL, "2300", "CLM", "", 5, 3, "claim_frequency", false, "7", NULL, "77" },
};

START_TEST(knows_codes)
{
    const shunt_segment_node *s =
        node(guide(codes[_i].set, codes[_i].version), codes[_i].loop, 0, codes[_i].segment, codes[_i].qualifier);
    const shunt_element *e = shunt_node_element(s, codes[_i].position, codes[_i].component);
    ck_assert_ptr_nonnull(e);
    ck_assert_ptr_nonnull(e->codes);
    ck_assert_str_eq(e->codes->name, codes[_i].list);
    ck_assert_int_eq(e->codes->complete, codes[_i].complete);
    ck_assert(shunt_codeset_has(e->codes, shunt_text_of(codes[_i].in)));
    ck_assert(!shunt_codeset_has(e->codes, shunt_text_of(codes[_i].out)));
    const char *name = shunt_codeset_name(e->codes, shunt_text_of(codes[_i].in));
    if (codes[_i].name) ck_assert_str_eq(name, codes[_i].name);
    if (*codes[_i].list) ck_assert_ptr_eq(shunt_codeset_find(shunt_text_of(codes[_i].list)), e->codes);
}
END_TEST

START_TEST(tells_nodes_by_qualifier)
{
    const shunt_guide *era = guide(ERA);
    ck_assert_str_eq(node(era, "2100", 0, "NM1", "82")->name, "rendering provider");
    ck_assert_str_eq(node(era, "2100", 0, "NM1", "QC")->name, "patient");
    ck_assert_ptr_eq(node(era, "2100", 0, "REF", "EA"), node(era, "2100", 0, "REF", "SY"));
    ck_assert_ptr_ne(node(era, "2100", 0, "REF", "EA"), node(era, "2100", 0, "REF", "0B"));
    ck_assert_ptr_null(node(era, "2100", 0, "CAS", "")->key);

    const shunt_guide        *claim = guide(PROFESSIONAL);
    const shunt_segment_node *diagnosis = node(claim, "2300", 0, "HI", "ABK");
    ck_assert_uint_eq(diagnosis->key_element, 1);
    ck_assert_uint_eq(diagnosis->key_component, 1);
    /* Told apart by the second element, because the first overlaps. */
    ck_assert_uint_eq(node(claim, "2400", 0, "PWK", "EL")->key_element, 2);
    ck_assert_ptr_ne(node(claim, "2400", 0, "PWK", "EL"), node(claim, "2400", 0, "PWK", "AB"));
}
END_TEST

START_TEST(nests_loops)
{
    const shunt_guide *claim = guide(PROFESSIONAL);
    const shunt_loop  *loops[4] = { 0 };
    ck_assert_uint_eq(shunt_guide_loops(claim, SHUNT_TEXT("2300"), loops, 4), 2);
    ck_assert_str_eq(loops[0]->parent->id, "2000B");
    ck_assert_str_eq(loops[1]->parent->id, "2000C");
    ck_assert_str_eq(loops[1]->parent->parent->id, "2000B");
    ck_assert_str_eq(loops[1]->parent->parent->parent->id, "2000A");
    ck_assert_ptr_eq(loops[1]->parent->parent->parent->parent, claim->body);
    ck_assert_ptr_null(claim->body->parent);
    ck_assert_uint_eq(shunt_guide_loops(claim, SHUNT_TEXT("2300"), loops, 0), 2);
    ck_assert_uint_eq(shunt_guide_loops(claim, SHUNT_TEXT("9999"), loops, 4), 0);
    ck_assert_uint_eq(shunt_guide_loops(claim, SHUNT_TEXT(""), loops, 4), 1);

    ck_assert_uint_eq(shunt_guide_loops(guide(ERA), SHUNT_TEXT("2100"), loops, 4), 1);
    ck_assert_str_eq(loops[0]->name, "claim payment");
    ck_assert_uint_eq(loops[0]->max, 0);
    ck_assert_uint_eq(shunt_guide_loops(guide(ERA), SHUNT_TEXT("2110"), loops, 4), 1);
    ck_assert_uint_eq(loops[0]->max, 999);
    ck_assert_uint_eq(loops[0]->usage, SHUNT_SITUATIONAL);
}
END_TEST

/* Tables are shared by the guides: each is looked at once. */
static bool seen_before(const void *table)
{
    static const void *seen[1 << 17];
    size_t             at = ((uintptr_t)table >> 3) * 2654435761u % SHUNT_COUNT(seen);
    for (size_t tries = 0; tries < 64; tries++, at = (at + 1) % SHUNT_COUNT(seen)) {
        if (seen[at] == table) return true;
        if (seen[at]) continue;
        seen[at] = table;
        return false;
    }
    return false;
}

static void check_codeset(const shunt_codeset *set)
{
    if (seen_before(set)) return;
    ck_assert_uint_gt(set->count, 0);
    for (uint32_t i = 0; i < set->count; i++) {
        ck_assert(shunt_codeset_has(set, shunt_text_of(set->values[i])));
        ck_assert_msg(i == 0 || strcmp(set->values[i - 1], set->values[i]) < 0, "%s: %s", set->name, set->values[i]);
    }
}

static void check_elements(const char *place, const shunt_element *list, uint32_t count, bool composite)
{
    ck_assert_uint_gt(count, 0);
    if (seen_before(list)) return;
    for (uint32_t i = 0; i < count; i++) {
        const shunt_element *e = &list[i];
        ck_assert_uint_eq(e->position, i + 1);
        ck_assert_msg(e->name && *e->name, "%s %u has no name", place, i + 1);
        ck_assert_uint_le(e->usage, SHUNT_NOT_USED);
        ck_assert_uint_ge(e->repeats, 1);
        ck_assert_uint_eq(e->phi >> SHUNT_PHI_INDEX_COUNT, 0);
        if (e->codes) check_codeset(e->codes);
        if (e->type == SHUNT_VALUE_COMPOSITE) {
            ck_assert(!composite);
            check_elements(place, e->components, e->component_count, true);
            for (uint32_t c = 0; c < e->component_count; c++) ck_assert_uint_eq(e->components[c].phi & ~e->phi, 0);
        } else {
            ck_assert_msg(e->max_length >= e->min_length && e->max_length > 0, "%s %u length", place, i + 1);
            ck_assert_uint_eq(e->component_count, 0);
        }
    }
}

static void check_loop(const shunt_loop *loop)
{
    ck_assert_uint_gt(loop->body_count, 0);
    ck_assert(*loop->name);
    if (loop->parent) ck_assert(*loop->id && loop->body[0].segment);
    for (uint32_t i = 0; i < loop->body_count; i++) {
        const shunt_segment_node *s = loop->body[i].segment;
        const shunt_loop         *inner = loop->body[i].loop;
        ck_assert((s == NULL) != (inner == NULL));
        uint16_t position = s ? s->position : inner->position;
        if (i > 0) {
            const shunt_entry *before = &loop->body[i - 1];
            ck_assert_msg((before->segment ? before->segment->position : before->loop->position) <= position, "%s: entry %u",
                          loop->id, i);
        }
        if (inner) {
            ck_assert_ptr_eq(inner->parent, loop);
            check_loop(inner);
            continue;
        }
        ck_assert(*s->id && *s->name);
        ck_assert((s->key == NULL) == (s->key_element == 0));
        if (s->key) {
            check_codeset(s->key);
            ck_assert(s->key->complete);
            const shunt_element *e = shunt_node_element(s, s->key_element, s->key_component);
            ck_assert_ptr_nonnull(e);
            ck_assert_uint_ne(e->usage, SHUNT_NOT_USED);
        }
        check_elements(s->id, s->elements, s->element_count, false);
    }
}

START_TEST(every_guide_is_well_formed)
{
    uint32_t count = 0;
    for (const shunt_guide *g; (g = shunt_guide_at(count)); count++) {
        ck_assert(*g->set && *g->version && *g->family && *g->name);
        ck_assert_ptr_null(g->body->parent);
        ck_assert_str_eq(g->body->id, "");
        bool set = strcmp(g->set, "TA1") != 0; /* a segment between ISA and GS */
        if (set) {
            ck_assert_str_eq(g->body->body[0].segment->id, "ST");
            ck_assert_str_eq(g->body->body[g->body->body_count - 1].segment->id, "SE");
        }
        ck_assert_ptr_eq(guide(g->set, g->version), g);
        check_loop(g->body);
    }
    ck_assert_uint_ge(count, 61);
    ck_assert_ptr_null(shunt_guide_at(count));
    ck_assert_ptr_null(shunt_guide_at(UINT32_MAX));
}
END_TEST

START_TEST(every_qualifier_of_a_loop_meets_one_node)
{
    /* A segment that two nodes of one loop take cannot be told by its qualifier. */
    const shunt_loop         *loops[1];
    const shunt_segment_node *segments[40];
    ck_assert_uint_eq(shunt_guide_loops(guide(ERA), SHUNT_TEXT("2100"), loops, 1), 1);
    uint32_t count = shunt_loop_segments(loops[0], SHUNT_TEXT("NM1"), segments, 40);
    ck_assert_uint_eq(count, 7);
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t v = 0; v < segments[i]->key->count; v++)
            for (uint32_t k = 0; k < count; k++)
                ck_assert_int_eq(shunt_segment_takes(segments[k], shunt_text_of(segments[i]->key->values[v])), k == i);
}
END_TEST

START_TEST(finds_layouts)
{
    const shunt_segment_node *isa = shunt_segment_find(SHUNT_TEXT("005010"), SHUNT_TEXT("ISA"));
    ck_assert_ptr_nonnull(isa);
    ck_assert_uint_eq(isa->element_count, 16);
    ck_assert_uint_eq(isa->elements[5].min_length, 15);
    ck_assert_str_eq(isa->elements[5].name, "interchange sender id");
    const shunt_segment_node *bpr = shunt_segment_find(SHUNT_TEXT("004010"), SHUNT_TEXT("BPR"));
    ck_assert_ptr_nonnull(bpr);
    ck_assert_uint_eq(bpr->elements[1].usage, SHUNT_REQUIRED);
    ck_assert_str_eq(bpr->syntax, "P0607 C0809 P1213 C1415 P1819 C2021");
    /* Implied decimals: an amount without a written point. */
    const shunt_segment_node *tds = shunt_segment_find(SHUNT_TEXT("005010"), SHUNT_TEXT("TDS"));
    ck_assert_ptr_nonnull(tds);
    ck_assert_uint_eq(tds->elements[0].type, SHUNT_VALUE_AMOUNT);
    ck_assert_uint_eq(tds->elements[0].implied, 2);
    /* A unit price is finer than its currency. */
    const shunt_segment_node *ctp = shunt_segment_find(SHUNT_TEXT("005010"), SHUNT_TEXT("CTP"));
    ck_assert_uint_eq(shunt_node_element(ctp, 3, 0)->decimals, 4);
    ck_assert_uint_eq(shunt_node_element(ctp, 3, 0)->type, SHUNT_VALUE_AMOUNT);
    /* Not classified: anything may stand there. */
    const shunt_segment_node *po1 = shunt_segment_find(SHUNT_TEXT("005010"), SHUNT_TEXT("PO1"));
    ck_assert_uint_eq(po1->elements[0].phi, SHUNT_PHI_FREE_TEXT);
    ck_assert_ptr_null(shunt_segment_find(SHUNT_TEXT("005010"), SHUNT_TEXT("QQQ")));
    ck_assert_ptr_null(shunt_segment_find(SHUNT_TEXT("005010"), SHUNT_TEXT("")));
    ck_assert_ptr_null(shunt_segment_find(SHUNT_TEXT("003020"), SHUNT_TEXT("BPR")));
    ck_assert_ptr_null(shunt_node_element(bpr, 0, 0));
    ck_assert_ptr_null(shunt_node_element(bpr, 22, 0));
    ck_assert_ptr_null(shunt_node_element(bpr, 2, 1));
}
END_TEST

START_TEST(every_layout_is_well_formed)
{
    static const char *const ids[] = { "ISA", "GS",  "ST",  "SE",  "GE",  "IEA", "TA1", "AK1",
                                       "AK9", "BPR", "CLP", "CLM", "PO1", "IT1", "HI",  "FRM" };
    static const char *const releases[] = { "005010", "004010" };
    for (size_t r = 0; r < 2; r++) {
        for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
            const shunt_segment_node *s = shunt_segment_find(shunt_text_of(releases[r]), shunt_text_of(ids[i]));
            ck_assert_msg(s != NULL, "%s in %s", ids[i], releases[r]);
            ck_assert_str_eq(s->id, ids[i]);
            check_elements(ids[i], s->elements, s->element_count, false);
        }
    }
}
END_TEST

static const struct {
    const char *code;
    int         scale;
} currencies[] = {
    { "USD", 2 }, { "EUR", 2 },   { "JPY", 0 },  { "KWD", 3 }, { "CLF", 4 },  { "AED", 2 },  { "ZWG", 2 },
    { "US", -1 }, { "USDX", -1 }, { "usd", -1 }, { "", -1 },   { "AAA", -1 }, { "ZZZ", -1 },
};

START_TEST(knows_currencies)
{
    uint8_t scale = 99;
    bool    found = shunt_currency_find(shunt_text_of(currencies[_i].code), &scale);
    ck_assert_int_eq(found, currencies[_i].scale >= 0);
    ck_assert_int_eq(scale, found ? currencies[_i].scale : 99);
}
END_TEST

START_TEST(names_phi_classes)
{
    for (uint32_t i = 0; i < SHUNT_PHI_INDEX_COUNT; i++) {
        uint32_t bit = 0;
        ck_assert(shunt_phi_find(shunt_text_of(shunt_phi_name((shunt_phi_index)i)), &bit));
        ck_assert_uint_eq(bit, 1u << i);
    }
    uint32_t bit = 7;
    ck_assert(!shunt_phi_find(SHUNT_TEXT("none"), &bit));
    ck_assert(!shunt_phi_find(SHUNT_TEXT(""), &bit));
    ck_assert(!shunt_phi_find(SHUNT_TEXT("nam"), &bit));
    ck_assert_uint_eq(bit, 7);
    ck_assert_uint_eq(SHUNT_PHI_FREE_TEXT, 1u << 17);
}
END_TEST

/* The generator refuses a dictionary that is wrong, and says where. A small one that is right, and one file of it replaced. */
enum { ELEMENTS, LAYOUT, PHI, LIST, CURRENCIES, GUIDE, FILES };
static const char *const file_names[FILES] = { "elements", "layout", "phi", "list", "currencies", "guide" };
static const char *const right[FILES] = {
    [ELEMENTS] = "elements\tR1\n98\tID\t-\t2-3\t-\tentity\n1035\tAN\t-\t1-60\tx\tlast name\n782\tR\tamount\t1-18\t-\tamount\n",
    [LAYOUT] = ("layout\tR1\nsegment\tNM1\tname\n\t01\t98\tM\t-\n\t02\t1035\tO\t-"
                "\n\tsyntax\tP0102\nsegment\tAMT\tamount\n\t01\tC1\tM\t-\n"
                "composite\tC1\tpair\n\t01\t782\tM\t-\n"),
    [PHI] = "phi\t835\nparty\tperson\tQC\nclass\tNM1\t02\tname,ssn\tparty=person\t# remark\nunknown\tNM1\t02\tidentifier\t01\n",
    [LIST] = "# remark\nlist\tx\tworking\tabout\nA\t-\nB\tbee\n",
    [CURRENCIES] = "currencies\tISO\nEUR\t2\teuro\nUSD\t2\tdollar\n",
    [GUIDE] = ("guide\tX12\t835\tV1\tV1\tR1\tHP\thealth\tname\nsegment\tAMT\tR\t1\t1\t-\tamount\n\t01\tR\n\t01-1\tR\n"
               "loop\tL\tR\t>1\t2\tperson\n\tsegment\tNM1\tR\t1\t2\t01=QC\tperson\n\t\t01\tR\tin=QC\n\t\t02\tS\n"),
};
#define GUIDE_LINE "guide\tX12\t835\tV1\tV1\tR1\tHP\thealth\tname\n"
#define AMT_LINE   "segment\tAMT\tR\t1\t1\t-\tamount\n"
#define NM1_LINE   "segment\tNM1\tR\t1\t2\t01=QC\tperson\n"

static const struct {
    int         file;
    const char *text, *message;
} faults[] = {
    { FILES, NULL, NULL },
    { ELEMENTS, "elements\tR1\n98\tXX\t-\t2-3\t-\tentity\n", ":2: unknown type `XX`" },
    { ELEMENTS, "elements\tR1\n98\tID\t-\t2-3\t-\tentity\n98\tID\t-\t2-3\t-\tentity\n", ":3: element 98 stands twice" },
    { ELEMENTS, "elements\tR1\n98\tID\tamount\t2-3\t-\tentity\n", ":2: kind `amount` does not fit type ID" },
    { ELEMENTS, "elements\tR1\n98\tID\t-\t3-2\t-\tentity\n", ":2: `2` is no number from 3 to 65535" },
    { ELEMENTS, "elements\tR1\n98\tID\t-\t2\t-\tentity\n", ":2: length `2` is not LEAST-MOST" },
    { ELEMENTS, "elements\tR1\n98\tID\t-\t2-3\tentity\n", ":2: 98 has 5 fields, not 6 to 6" },
    { ELEMENTS, "elements\tR1\n98\tID\t-\t2-3\t-\ta \"b\"\n", ":2: a name holds printable ASCII without \" and \\" },
    { ELEMENTS, "elements\tR1\n98\tID\t-\t2-3\t-\t\n", ":2: empty field, or a blank at its edge" },
    { ELEMENTS, "elements\tR1", ":1: no line end at the end of the file" },
    { ELEMENTS, "", ":1: nothing in it" },
    { ELEMENTS, "words\tR1\n", ":1: unknown kind of file `words`" },
    { ELEMENTS, "elements\tR2\n98\tID\t-\t2-3\t-\tentity\n", "layout.tsv:9: no element 782" },
    { LAYOUT, "layout\tR1\nsegment\tNM1\tname\n\t02\t98\tM\t-\n", ":3: position 2 where 1 is due" },
    { LAYOUT, "layout\tR1\nsegment\tNM1\tname\n\t01\t98\tQ\t-\n", ":3: usage `Q` is none of MOX" },
    { LAYOUT, "layout\tR1\nsegment\tNM1\tname\n\t01\t98\tM\t-\n\tsyntax\tP0102\n", ":4: `02` is no number from 1 to 1" },
    { LAYOUT, "layout\tR1\nsegment\tNM1\tname\nsegment\tNM1\tname\n", ":3: NM1 stands twice" },
    { LAYOUT,
      "layout\tR1\nsegment\tNM1\tname\n\t01\t77\tM\t-\n\t02\t1035\tO\t-\nsegment\tAMT\tamount\n\t01\tC1\tM\t-"
      "\ncomposite\tC1\tpair\n"
      "\t01\t782\tM\t-\n",
      ":3: no element 77" },
    { LAYOUT, "layout\tR2\nsegment\tNM1\tname\n\t01\t98\tM\t-\n", "guide.tsv:1: no layouts of release R1" },
    { PHI, "phi\t835\nclass\tNM1\t02\tnickname\n", ":2: unknown class `nickname`" },
    { PHI, "phi\t835\nclass\tNM1\t02\tname\tparty=dog\n", ":2: unknown party `dog`" },
    { PHI, "phi\t835\nparty\ta\tQC\nparty\tb\tQC\n", ":3: QC has two parties" },
    { LIST, "list\tx\tworking\tabout\nB\t-\nA\t-\n", ":3: `A` is out of order, or stands twice" },
    { LIST, "list\tx\tbroken\tabout\nB\t-\n", ":1: a list is complete or working" },
    { LIST, "list\ty\tworking\tabout\nB\t-\n", "elements.tsv:3: no list `x`" },
    { CURRENCIES, "currencies\tISO\nUSD\t12\tdollar\n", ":2: `12` is no number from 0 to 9" },
    { GUIDE, GUIDE_LINE "segment\tQQQ\tR\t1\t1\t-\tx\n", ":2: no segment QQQ in R1" },
    { GUIDE, GUIDE_LINE "loop\tL\tR\t1\t1\tx\n", ":2: an empty body" },
    { GUIDE, GUIDE_LINE "loop\tL\tR\t1\t1\tx\n\tloop\tM\tR\t1\t1\ty\n", ":3: a loop starts with a segment" },
    { GUIDE, GUIDE_LINE NM1_LINE AMT_LINE, ":3: position 1 after 2" },
    { GUIDE, GUIDE_LINE AMT_LINE "\t\t01\tR\n", ":3: element lines stand one deeper than their segment" },
    { GUIDE, GUIDE_LINE AMT_LINE "\t02\tR\n", ":3: AMT ends at 01 in R1" },
    { GUIDE, GUIDE_LINE AMT_LINE "\t01-1\tR\n", ":3: the composite's own line is missing" },
    { GUIDE, GUIDE_LINE AMT_LINE "\t01\tR\tin=A\n", ":3: a composite has no codes and no length" },
    { GUIDE, GUIDE_LINE NM1_LINE "\t02\tS\n\t01\tR\n", ":4: out of order" },
    { GUIDE, GUIDE_LINE NM1_LINE "\t01\tR\tin=IL\n", ":2: key value `QC` is not in the list of the element" },
    { GUIDE, GUIDE_LINE NM1_LINE "\t01\tN\n", ":2: the key is an element that is not used" },
    { GUIDE, GUIDE_LINE NM1_LINE "\t01\tR\tin=QC,QC\n", ":3: `QC` stands twice" },
    { GUIDE, GUIDE_LINE NM1_LINE "\t01\tR\tlist=nolist\n", ":3: no list `nolist`" },
    { GUIDE, GUIDE_LINE NM1_LINE "\t02\tR\tmax=61\n", ":3: max=61 is not within the 1 to 60 of element 1035" },
    { GUIDE, GUIDE_LINE NM1_LINE "\t01\tR\tmin=1\n", ":3: `min=1` is none of in=, list=, max=, repeat=, name=" },
    { GUIDE, GUIDE_LINE "segment\tAMT\tR\t1\t1\t01=A\tamount\n", ":2: the key does not point at a simple element" },
    { GUIDE, GUIDE_LINE "segment\tAMT\tX\t1\t1\t-\tamount\n", ":2: usage `X` is none of RSN" },
    { GUIDE, "guide\tHL7\t835\tV1\tV1\tR1\tHP\thealth\tname\n" AMT_LINE, ":1: unknown standard `HL7`" },
};

START_TEST(generator_names_file_and_line)
{
    char folder[] = "/tmp/shunt-dict-XXXXXX", path[64], command[1024], answer[512] = "";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    int length = snprintf(command, sizeof command, "'%s' %s/out.c", SHUNT_DICT_GEN, folder);
    for (int f = 0; f < FILES; f++) {
        snprintf(path, sizeof path, "%s/%s.tsv", folder, file_names[f]);
        FILE *out = fopen(path, "wb");
        ck_assert_ptr_nonnull(out);
        fputs(faults[_i].file == f ? faults[_i].text : right[f], out);
        ck_assert_int_eq(fclose(out), 0);
        length += snprintf(command + length, sizeof command - (size_t)length, " %s", path);
    }
    snprintf(command + length, sizeof command - (size_t)length, " 2>&1");
    FILE *run = popen(command, "r");
    ck_assert_ptr_nonnull(run);
    size_t got = fread(answer, 1, sizeof answer - 1, run);
    int    status = pclose(run);
    for (int f = 0; f < FILES; f++) {
        snprintf(path, sizeof path, "%s/%s.tsv", folder, file_names[f]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/out.c", folder);
    unlink(path);
    rmdir(folder);
    ck_assert(WIFEXITED(status));
    if (!faults[_i].message) {
        ck_assert_msg(WEXITSTATUS(status) == 0 && got == 0, "%s", answer);
        return;
    }
    ck_assert_int_eq(WEXITSTATUS(status), 1);
    char wanted[160];
    snprintf(wanted, sizeof wanted, "%s%s\n", faults[_i].message[0] == ':' ? ".tsv" : "", faults[_i].message);
    ck_assert_msg(got > strlen(wanted) && !strcmp(answer + got - strlen(wanted), wanted), "wanted %s, got %s", wanted, answer);
    if (faults[_i].message[0] == ':') ck_assert_msg(strstr(answer, file_names[faults[_i].file]) != NULL, "%s", answer);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof *(array))

int main(void)
{
    Suite *suite = suite_create("schema");
    TCase *tc = tcase_create("dictionaries");
    tcase_add_loop_test(tc, finds_guides, 0, COUNT(guides));
    tcase_add_test(tc, guides_belong_to_their_standard);
    tcase_add_loop_test(tc, knows_elements, 0, COUNT(elements));
    tcase_add_loop_test(tc, knows_codes, 0, COUNT(codes));
    tcase_add_test(tc, tells_nodes_by_qualifier);
    tcase_add_test(tc, nests_loops);
    tcase_add_test(tc, every_guide_is_well_formed);
    tcase_add_test(tc, every_qualifier_of_a_loop_meets_one_node);
    tcase_add_test(tc, finds_layouts);
    tcase_add_test(tc, every_layout_is_well_formed);
    tcase_add_loop_test(tc, knows_currencies, 0, COUNT(currencies));
    tcase_add_test(tc, names_phi_classes);
    tcase_add_loop_test(tc, generator_names_file_and_line, 0, COUNT(faults));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
