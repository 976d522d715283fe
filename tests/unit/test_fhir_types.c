/* What the dictionary of FHIR must hold: the compiler leans on it. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "standards/fhir/types.h"

static const char *const version_names[] = { "4.0.1", "5.0.0" };

static const struct {
    const char *written, *version;
} spellings[] = {
    { "4.0.1", "4.0.1" }, { "4.0", "4.0.1" }, { "R4", "4.0.1" },  { "5.0.0", "5.0.0" }, { "5.0", "5.0.0" }, { "R5", "5.0.0" },
    { "3.0.2", NULL },    { "4", NULL },      { "4.0.10", NULL }, { "", NULL },         { "r4", NULL },
};

START_TEST(knows_versions)
{
    const char *found = shunt_fhir_version(shunt_text_of(spellings[_i].written));
    ck_assert_pstr_eq(found, spellings[_i].version);
}
END_TEST

static const struct {
    const char *version, *type, *element;
    const char *of; /* NULL = there is no such element */
    unsigned    min, max;
    const char *choice, *codes, *targets;
} elements[] = {
    { "4.0.1", "Invoice", "status", "code", 1, 1, NULL, "invoice-status", NULL },
    { "4.0.1", "Invoice", "lineItem", "Invoice.lineItem", 0, 0, NULL, NULL, NULL },
    { "4.0.1", "Invoice.lineItem", "priceComponent", "Invoice.lineItem.priceComponent", 0, 0, NULL, NULL, NULL },
    { "5.0.0", "Invoice.lineItem", "priceComponent", "MonetaryComponent", 0, 0, NULL, NULL, NULL },
    { "4.0.1", "Invoice", "totalPriceComponent", "Invoice.lineItem.priceComponent", 0, 0, NULL, NULL, NULL },
    { "4.0.1", "Invoice", "subject", "Reference", 0, 1, NULL, NULL, "Patient|Group" },
    { "4.0.1", "Invoice.lineItem", "chargeItemReference", "Reference", 1, 1, "chargeItem", NULL, "ChargeItem" },
    { "4.0.1", "Invoice.lineItem", "chargeItemCodeableConcept", "CodeableConcept", 1, 1, "chargeItem", NULL, NULL },
    { "4.0.1", "Invoice.lineItem", "chargeItem", NULL, 0, 0, NULL, NULL, NULL },
    { "4.0.1", "Bundle.entry", "resource", "Resource", 0, 1, NULL, NULL, NULL },
    { "4.0.1", "Bundle.entry", "link", "Bundle.link", 0, 0, NULL, NULL, NULL },
    { "4.0.1", "Claim", "id", "id", 0, 1, NULL, NULL, NULL },
    { "4.0.1", "Claim", "contained", "Resource", 0, 0, NULL, NULL, NULL },
    { "4.0.1", "Claim", "total", "Money", 0, 1, NULL, NULL, NULL },
    { "4.0.1", "Claim.item.detail.subDetail", "net", "Money", 0, 1, NULL, NULL, NULL },
    { "4.0.1", "Claim", "patientPaid", NULL, 0, 0, NULL, NULL, NULL },
    { "5.0.0", "Claim", "patientPaid", "Money", 0, 1, NULL, NULL, NULL },
    { "4.0.1", "Extension", "valueMoney", "Money", 0, 1, "value", NULL, NULL },
    { "4.0.1", "Extension", "valueRatioRange", NULL, 0, 0, NULL, NULL, NULL },
    { "5.0.0", "Extension", "valueRatioRange", "RatioRange", 0, 1, "value", NULL, NULL },
    { "4.0.1", "Money", "currency", "code", 0, 1, NULL, "currencies", NULL },
    { "4.0.1", "HumanName", "given", "string", 0, 0, NULL, NULL, NULL },
    { "4.0.1", "Age", "value", "decimal", 0, 1, NULL, NULL, NULL },
    { "5.0.0", "PaymentReconciliation", "amount", "Money", 1, 1, NULL, NULL, NULL },
    { "4.0.1", "PaymentReconciliation", "paymentAmount", "Money", 1, 1, NULL, NULL, NULL },
    { "4.0.1", "Claim", "resourceType", NULL, 0, 0, NULL, NULL, NULL },
};

START_TEST(knows_elements)
{
    const shunt_fhir_type *type = shunt_fhir_type_find(elements[_i].version, shunt_text_of(elements[_i].type));
    ck_assert_msg(type != NULL, "%s", elements[_i].type);
    const shunt_fhir_element *e = shunt_fhir_element_find(type, shunt_text_of(elements[_i].element));
    if (!elements[_i].of) {
        ck_assert_ptr_null(e);
        return;
    }
    ck_assert_msg(e != NULL, "%s.%s", elements[_i].type, elements[_i].element);
    ck_assert_str_eq(e->type, elements[_i].of);
    ck_assert_uint_eq(e->min, elements[_i].min);
    ck_assert_uint_eq(e->max, elements[_i].max);
    ck_assert_pstr_eq(e->choice, elements[_i].choice);
    ck_assert_pstr_eq(e->codes ? e->codes->name : NULL, elements[_i].codes);
    ck_assert_pstr_eq(e->targets, elements[_i].targets);
}
END_TEST

/* Classes of what stands at the end of a way. */
static const struct {
    const char *path;
    uint32_t    phi;
} classes[] = {
    { "Invoice.identifier.value", SHUNT_PHI_IDENTIFIER },
    { "Invoice.identifier.system", SHUNT_PHI_IDENTIFIER },
    { "Invoice.status", 0 },
    { "Invoice.date", SHUNT_PHI_DATE },
    { "Invoice.totalNet.value", 0 },
    { "Invoice.account.reference", SHUNT_PHI_IDENTIFIER },
    { "Invoice.account.display", SHUNT_PHI_IDENTIFIER | SHUNT_PHI_FREE_TEXT },
    { "Invoice.issuer.display", 0 },
    { "Invoice.lineItem.priceComponent.amount.value", 0 },
    { "Invoice.note.text", SHUNT_PHI_FREE_TEXT },
    { "Bundle.identifier.value", 0 },
    { "Bundle.id", SHUNT_PHI_IDENTIFIER },
    { "Patient.name.given", SHUNT_PHI_NAME },
    { "Patient.birthDate", SHUNT_PHI_DATE },
    { "Claim.identifier.value", SHUNT_PHI_ACCOUNT_NUMBER | SHUNT_PHI_IDENTIFIER },
    { "Claim.item.productOrService.coding.code", SHUNT_PHI_CLINICAL },
    { "Claim.item.detail.net.value", 0 },
    { "Claim.item.detail.productOrService.coding.code", SHUNT_PHI_CLINICAL },
    { "Claim.type.coding.code", 0 },
    { "Claim.type.text", SHUNT_PHI_FREE_TEXT },
    { "Practitioner.name.family", 0 },
    { "Organization.identifier.value", 0 },
    { "Location.address.line", SHUNT_PHI_ADDRESS },
    { "Observation.valueQuantity.value", SHUNT_PHI_CLINICAL | SHUNT_PHI_FREE_TEXT },
    { "Account.coverage.coverage.reference", SHUNT_PHI_IDENTIFIER },
    { "Basic.identifier.value", SHUNT_PHI_SSN | SHUNT_PHI_RECORD_NUMBER | SHUNT_PHI_MEMBER_ID | SHUNT_PHI_ACCOUNT_NUMBER |
                                    SHUNT_PHI_LICENCE | SHUNT_PHI_DEVICE | SHUNT_PHI_IDENTIFIER },
    { "Basic.identifier.period.start", SHUNT_PHI_DATE },
    { "Claim.extension.valueMoney.value", SHUNT_PHI_FREE_TEXT },
    { "Claim.extension.url", 0 },
};

START_TEST(classes_values_by_their_way)
{
    char path[100], *rest = path;
    ck_assert_uint_lt(strlen(classes[_i].path), sizeof path);
    memcpy(path, classes[_i].path, strlen(classes[_i].path) + 1);
    const shunt_fhir_type *type = shunt_fhir_type_find("4.0.1", shunt_text_of(strsep(&rest, ".")));
    ck_assert_ptr_nonnull(type);
    shunt_fhir_phi phi = shunt_fhir_phi_of(type);
    for (char *name; (name = strsep(&rest, "."));) {
        const shunt_fhir_element *e = shunt_fhir_element_find(type, shunt_text_of(name));
        ck_assert_msg(e != NULL, "%s: %s", classes[_i].path, name);
        type = shunt_fhir_type_find("4.0.1", shunt_text_of(e->type));
        phi = shunt_fhir_phi_enter(phi, e, type);
    }
    ck_assert_msg(phi.classes == classes[_i].phi, "%s: 0x%x, not 0x%x", classes[_i].path, phi.classes, classes[_i].phi);
}
END_TEST

START_TEST(every_type_is_well_formed)
{
    const char            *version = version_names[_i];
    const shunt_fhir_type *before = NULL;
    uint32_t               resources = 0, count = 0;
    for (const shunt_fhir_type *t; (t = shunt_fhir_type_at(version, count)); count++) {
        ck_assert_msg(!before || strcmp(before->name, t->name) < 0, "%s: order", t->name);
        ck_assert_ptr_eq(shunt_fhir_type_find(version, shunt_text_of(t->name)), t);
        before = t;
        resources += shunt_fhir_is_resource(t);
        ck_assert_msg((t->kind == SHUNT_FHIR_PRIMITIVE) == (t->element_count == 0), "%s", t->name);
        for (uint32_t i = 0; i < t->element_count; i++) {
            const shunt_fhir_element *e = &t->elements[i];
            ck_assert_msg(shunt_fhir_type_find(version, shunt_text_of(e->type)) != NULL, "%s.%s", t->name, e->name);
            ck_assert_msg(shunt_fhir_element_find(t, shunt_text_of(e->name)) == e, "%s.%s twice", t->name, e->name);
            ck_assert_msg(!e->max || e->min <= e->max, "%s.%s", t->name, e->name);
            ck_assert_msg(!e->choice || (strncmp(e->choice, e->name, strlen(e->choice)) == 0 && e->max == 1), "%s", e->name);
        }
    }
    ck_assert_uint_eq(resources, _i ? 158 : 146);
    ck_assert_ptr_null(shunt_fhir_type_find(version, shunt_text_of("Nothing")));
    ck_assert_ptr_null(shunt_fhir_type_find("3.0.2", shunt_text_of("Claim")));
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof *(array))

int main(void)
{
    Suite *suite = suite_create("fhir_types");
    TCase *tc = tcase_create("dictionary");
    tcase_add_loop_test(tc, knows_versions, 0, COUNT(spellings));
    tcase_add_loop_test(tc, knows_elements, 0, COUNT(elements));
    tcase_add_loop_test(tc, classes_values_by_their_way, 0, COUNT(classes));
    tcase_add_loop_test(tc, every_type_is_well_formed, 0, COUNT(version_names));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
