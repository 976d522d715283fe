#include <check.h>
#include <shunt/shunt.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/fhirpath.h"
#include "api/hl7_path.h"
#include "tests/support/test_memory.h"

/* ---- paths of HL7 ---- */

static const struct {
    const char *text;
    bool        good;
    const char *segment;
    unsigned    nth, field, repetition, component, subcomponent;
} hl7[] = {
    { "PID-3.1", true, "PID", 0, 3, 0, 1, 0 },
    { "PID-5[2].1", true, "PID", 0, 5, 2, 1, 0 },
    { "OBX[3].5", true, "OBX", 3, 5, 0, 0, 0 },
    { "OBX[3]-5", true, "OBX", 3, 5, 0, 0, 0 },
    { "PID[1]-5[2].1.1", true, "PID", 1, 5, 2, 1, 1 },
    { "PID-5-1-2", true, "PID", 0, 5, 0, 1, 2 },
    { "PID", true, "PID", 0, 0, 0, 0, 0 },
    { "ZF1-1", true, "ZF1", 0, 1, 0, 0, 0 },
    { "PID-0", true, "PID", 0, 0, 0, 0, 0 },
    { "PID-3[where it.5 = \"MR\"].1", true, "PID", 0, 3, 0, 1, 0 },
    { "PID-3[where it.4.2='X']", true, "PID", 0, 3, 0, 0, 0 },
    { "", false, NULL, 0, 0, 0, 0, 0 },
    { "P", false, NULL, 0, 0, 0, 0, 0 },
    { "PI", false, NULL, 0, 0, 0, 0, 0 },
    { "pid-3", false, NULL, 0, 0, 0, 0, 0 },
    { "1PD-3", false, NULL, 0, 0, 0, 0, 0 },
    { "PID3", false, NULL, 0, 0, 0, 0, 0 },
    { "PID-", false, NULL, 0, 0, 0, 0, 0 },
    { "PID-3.", false, NULL, 0, 0, 0, 0, 0 },
    { "PID-3.0", false, NULL, 0, 0, 0, 0, 0 },
    { "PID-3.1.1.1", false, NULL, 0, 0, 0, 0, 0 },
    { "PID[0]-3", false, NULL, 0, 0, 0, 0, 0 },
    { "PID[", false, NULL, 0, 0, 0, 0, 0 },
    { "PID[1", false, NULL, 0, 0, 0, 0, 0 },
    { "PID[1]3", false, NULL, 0, 0, 0, 0, 0 },
    { "PID-3[", false, NULL, 0, 0, 0, 0, 0 },
    { "PID-3[0]", false, NULL, 0, 0, 0, 0, 0 },
    { "PID-3[where", false, NULL, 0, 0, 0, 0, 0 },
    { "PID-3[where it", false, NULL, 0, 0, 0, 0, 0 },
    { "PID-3[where it.5", false, NULL, 0, 0, 0, 0, 0 },
    { "PID-3[where it.5 =", false, NULL, 0, 0, 0, 0, 0 },
    { "PID-3[where it.5 = \"MR]", false, NULL, 0, 0, 0, 0, 0 },
    { "PID-3[where it.5 > \"MR\"]", false, NULL, 0, 0, 0, 0, 0 },
    { "PID-99999999999999999999", false, NULL, 0, 0, 0, 0, 0 },
};

START_TEST(reads_paths_of_hl7)
{
    shunt_hl7_path path;
    const char    *wrong = shunt_hl7_path_parse(hl7[_i].text, &path);
    ck_assert_msg((wrong == NULL) == hl7[_i].good, "%s: %s", hl7[_i].text, wrong ? wrong : "read");
    if (wrong) return;
    ck_assert_str_eq(path.segment, hl7[_i].segment);
    ck_assert_uint_eq(path.nth, hl7[_i].nth);
    ck_assert_uint_eq(path.field, hl7[_i].field);
    ck_assert_uint_eq(path.repetition, hl7[_i].repetition);
    ck_assert_uint_eq(path.component, hl7[_i].component);
    ck_assert_uint_eq(path.subcomponent, hl7[_i].subcomponent);
}
END_TEST

/* ---- paths of FHIR ---- */

static const struct {
    const char *text;
    bool        good;
} fhir[] = {
    { "Claim", true },
    { "Claim.item.net.value", true },
    { "id", true },
    { "Bundle.entry[0].resource", true },
    { "Patient.`class`", true },
    { "a.where(b = 'x' and (c != 1.5 or d.exists())).first().not()", true },
    { "a.where($this = 'x')", true },
    { "a.where('it\\'s' = b)", true },
    { "value.ofType(FHIR.Quantity)", true },
    { "a.exists().not().empty()", true },
    { "", false },
    { ".", false },
    { "a.", false },
    { "a..b", false },
    { "a[", false },
    { "a[x]", false },
    { "a[1", false },
    { "a.where(", false },
    { "a.where()", false },
    { "a.where(b", false },
    { "a.where(b =)", false },
    { "a.where(b = 'x)", false },
    { "a.where('x')", false },
    { "a.where((b = 'x')", false },
    { "a.where(b ! 'x')", false },
    { "a.where(b < 1)", false },
    { "a.last()", false },
    { "a.count", true }, /* an element may be called so */
    { "a.ofType()", false },
    { "a.extension(x)", false },
    { "a b", false },
    { "`a", false },
    { "a | b", false },
    { "1a", false },
    { "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.a.b.c.d.e.f.g", false },
    { "a.where(b.where(c.where(d.where(e.where(f.where(g.where(h.where(i.where(j = 1)))))))))", false },
    { "a.where((((((((((((((((((((b = 1))))))))))))))))))))", false },
};

START_TEST(reads_paths_of_fhir)
{
    shunt_arena *arena = shunt_arena_new(&shunt_memory_libc, 0);
    const char  *wrong = NULL;
    ck_assert_ptr_nonnull(arena);
    fhirpath *path = fhirpath_parse(arena, fhir[_i].text, &wrong);
    ck_assert_msg((path != NULL) == fhir[_i].good, "%s: %s", fhir[_i].text, wrong ? wrong : "read");
    ck_assert((path == NULL) == (wrong != NULL));
    /* Cut anywhere: read or refused. */
    char   cut[128];
    size_t length = strlen(fhir[_i].text);
    for (size_t i = 0; i < length && i < sizeof cut - 1; i++) {
        memcpy(cut, fhir[_i].text, i);
        cut[i] = '\0';
        (void)!fhirpath_parse(arena, cut, &wrong);
    }
    shunt_arena_free(arena);
}
END_TEST

/* ---- messages ---- */

#define BUNDLE                                                                                                                   \
    "{\"resourceType\":\"Bundle\",\"id\":\"b\",\"entry\":[{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\","             \
    "\"birthDate\":"                                                                                                             \
    "\"1970\",\"_birthDate\":{\"extension\":[{\"url\":\"u\",\"valueCode\":\"c\"}]},\"name\":[{\"given\":[\"A\",\"B\"]},{"        \
    "\"family\":"                                                                                                                \
    "\"F\"}]}},{\"resource\":{\"resourceType\":\"Claim\",\"item\":[{\"net\":{\"value\":1.50}}]}}],\"total\":2}"
#define XML                                                                                                                      \
    "<Bundle xmlns=\"http://hl7.org/fhir\"><id value=\"b\"/><entry><resource><Patient><id value=\"p\"/><name><given "            \
    "value=\"A\"/><given value=\"B\"/></name></Patient></resource></entry></Bundle>"
#define HL7                                                                                                                      \
    "MSH|^~\\&|A|B|||20250301||ADT^A01^ADT_A01|M1|P|2.5.1\rPID|1||4^^^X^MR~5^^^Y^SS||E\\T\\F^G\rZZZ|1\r"                         \
    "MSH|^~\\&|A|B|||20250301||ADT^A01|M2|P|2.3\rPID|1||6\r"
#define X12                                                                                                                      \
    "ISA*00*          *00*          *ZZ*S              *ZZ*R              *250301*1200*^*00501*000000001*0*T*:~"                 \
    "GS*HP*S*R*20250301*1200*1*X*005010X221A1~ST*835*0001~BPR*I*1*C*NON************20250301~SE*3*0001~GE*1*1~IEA*1*000000001~"
#define ROWS "a,b\n1,\"x, y\"\n2,z\n"

static const struct {
    const char *input, *path, *output; /* path NULL: inspect; output NULL: whatever it is */
    bool        fault;                 /* status 1 */
} looks[] = {
    { HL7, "PID-3.1", "4\n5\n6\n", false },
    { HL7, "PID-3[where it.5 = 'SS'].1", "5\n", false },
    { HL7, "PID-5.1", "E&F\n", false },
    { HL7, "MSH-1", "|\n|\n", false },
    { HL7, "MSH-10", "M1\nM2\n", false },
    { HL7, "PV1-2", "", false },
    { HL7, NULL, NULL, false },
    { BUNDLE, "Patient.name.given", "A\nB\n", false },
    { BUNDLE, "Patient.birthDate.extension('u').value", "c\n", false },
    { BUNDLE, "Bundle.entry.count()", "2\n", false },
    { BUNDLE, "Bundle.where(total = 2).id", "b\n", false },
    { BUNDLE, "Bundle.entry.resource.ofType(Claim).item.net.value", "1.50\n", false },
    { BUNDLE, "`Patient`.name.`family`", "F\n", false },
    { BUNDLE, "Patient.name", "{\"given\":[\"A\",\"B\"]}\n{\"family\":\"F\"}\n", false },
    { BUNDLE, NULL, NULL, false },
    { BUNDLE "\n" BUNDLE "\n", "Patient.id", "p\np\n", false },
    { "{\"resourceType\":\"Patient\",\"id\":\"p\"}\n{\"resourceType\":\n{\"resourceType\":\"Patient\",\"id\":\"q\"}\n",
      "Patient.id", "p\nq\n", true },
    { XML, "Patient.name.given[1]", "B\n", false },
    { XML, NULL, NULL, false },
    { X12, "BPR02", "1\n", false },
    { X12, NULL, NULL, true }, /* segments that the guide requires may be missing: it is what it is */
    { ROWS, "b", "x, y\nz\n", false },
    { ROWS, NULL, NULL, false },
    { "no standard at all", NULL, NULL, true },
};

static void *allocate(void *context, size_t size)
{
    const shunt_memory *m = context;
    return m->allocate(m->context, size);
}
static void *resize(void *context, void *block, size_t size)
{
    const shunt_memory *m = context;
    return m->resize(m->context, block, size);
}
static void release(void *context, void *block)
{
    const shunt_memory *m = context;
    m->release(m->context, block);
}

struct output {
    char   bytes[1 << 16];
    size_t length;
};

static bool keep(void *context, const void *bytes, size_t size)
{
    struct output *o = context;
    if (size > sizeof o->bytes - o->length) return false;
    memcpy(o->bytes + o->length, bytes, size);
    o->length += size;
    return true;
}

static shunt_result look(int i, size_t step, const shunt_allocator *allocator, struct output *out)
{
    shunt_inspect_options options = { .size = sizeof options, .allocator = allocator, .show_phi = true };
    shunt_inspector      *inspector = NULL;
    size_t                size = strlen(looks[i].input), at = 0;
    out->length = 0;
    shunt_result result = shunt_inspector_new(&options, looks[i].path, keep, out, &inspector, NULL);
    while (result <= SHUNT_INPUT_FAULT && at < size) {
        size_t piece = step < size - at ? step : size - at;
        result = shunt_inspector_feed(inspector, looks[i].input + at, piece, false);
        at += piece;
    }
    if (result <= SHUNT_INPUT_FAULT) result = shunt_inspector_feed(inspector, NULL, 0, true);
    shunt_inspector_free(inspector);
    return result;
}

START_TEST(the_same_for_every_cut)
{
    static struct output whole, cut;
    size_t               size = strlen(looks[_i].input);
    shunt_result         result = look(_i, size ? size : 1, NULL, &whole);
    if (looks[_i].output) {
        ck_assert_msg(whole.length == strlen(looks[_i].output) && memcmp(whole.bytes, looks[_i].output, whole.length) == 0,
                      "%s: %.*s", looks[_i].path, (int)whole.length, whole.bytes);
        ck_assert_int_eq(result, looks[_i].fault ? SHUNT_INPUT_FAULT : SHUNT_DONE);
    }
    ck_assert_int_le(result, SHUNT_INPUT_FAULT);
    for (size_t step = 1; step < size; step += step < 8 ? 1 : 37) {
        ck_assert_int_eq(look(_i, step, NULL, &cut), result);
        ck_assert_msg(cut.length == whole.length && memcmp(cut.bytes, whole.bytes, whole.length) == 0, "step %zu", step);
    }
}
END_TEST

START_TEST(survives_every_lack_of_memory)
{
    static struct output  out;
    struct test_memory    memory;
    const shunt_allocator allocator = { allocate, resize, release, &memory.memory };
    shunt_result          fine = look(_i, 64, NULL, &out);
    for (size_t n = 1; n < 5000; n++) {
        test_memory_init(&memory, n);
        shunt_result result = look(_i, 64, &allocator, &out);
        ck_assert_msg(memory.blocks == 0, "call %zu: %zu blocks", n, memory.blocks);
        if (memory.calls < n) {
            ck_assert_int_eq(result, fine);
            return;
        }
        ck_assert_msg(result == SHUNT_SYSTEM_FAULT || result == fine, "call %zu: %d", n, (int)result);
    }
    ck_abort_msg("it never comes to an end");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("look");
    TCase *tc = tcase_create("look");
    tcase_set_timeout(tc, 300);
    tcase_add_loop_test(tc, reads_paths_of_hl7, 0, SHUNT_COUNT(hl7));
    tcase_add_loop_test(tc, reads_paths_of_fhir, 0, SHUNT_COUNT(fhir));
    tcase_add_loop_test(tc, the_same_for_every_cut, 0, SHUNT_COUNT(looks));
    tcase_add_loop_test(tc, survives_every_lack_of_memory, 0, SHUNT_COUNT(looks));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
