/* The 277CA that answers claims: what each way of leaving a rule says of a claim, and that the answer holds against its own guide. */
#include <check.h>
#include <shunt/shunt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/findings.h"

#define ISA "ISA*00*          *00*          *ZZ*CLINIC         *ZZ*HEALTH         *250301*1200*^*00501*000000031*0*T*:~"
#define GS  "GS*HC*CLINIC*HEALTH*20250301*1200*31*X*005010X222A1~"
#define ST                                                                                                                       \
    "ST*837*0001*005010X222A1~BHT*0019*00*B31*20250301*1200*CH~NM1*41*2*CLINIC*****46*EX1~PER*IC*DESK*TE*5555550100~"            \
    "NM1*40*2*HEALTH*****46*EX2~HL*1**20*1~NM1*85*2*CLINIC*****XX*1234567893~N3*1 ROAD~N4*TOWN*OH*45011~REF*EI*999999992~"
#define SUBSCRIBER(hl, name, id)                                                                                                 \
    "HL*" hl "*1*22*0~SBR*P*18*******CI~NM1*IL*1*" name "*ANN****MI*" id                                                         \
    "~N3*2 ROAD~N4*TOWN*OH*45011~DMG*D8*19700228*F~NM1*PR*2*HEALTH*****PI*P1~"
#define BILL(id, amount, day)                                                                                                    \
    "CLM*" id "*" amount "***11:B:1*Y*A*Y*Y~REF*D9*CH" id "~HI*ABK:J109~LX*1~SV1*HC:99213*" amount "*UN*1***1~DTP*472*D8*" day "~"
#define MESSAGE                                                                                                                  \
    ISA GS ST SUBSCRIBER("2", "DOE", "M1") BILL("A1", "100", "20250301") BILL("A2", "50.5", "20250302")                          \
        SUBSCRIBER("3", "ROE", "M2") BILL("A3", "20", "20250303") "SE*45*0001~GE*1*31~IEA*1*000000031~"

/* CLM01 says how the claim leaves. */
#define RULES                                                                                                                    \
    "module t.claims version \"1.0.0\" edition 1\n"                                                                              \
    "source c837 is X12 837 \"005010X222A1\" { currency: USD on error reject whole transaction SYNTAX }\n"                       \
    "codes {\n  SYNTAX \"s\" ack \"999:R\" queue \"q\"\n  RULE \"r\" queue \"q\"\n  REFUSED \"r\" ack \"277CA:A7:562:85\"\n"     \
    "  AGAIN \"r\" ack \"277CA:A3:21\"\n  BARE \"r\" ack \"277CA:A7\"\n  HELD \"h\" queue \"q\"\n"                               \
    "  LOOKED \"h\" queue \"q\" ack \"277CA:A7:478\"\n  ODD \"o\" ack \"telephone\"\n  SEEN \"w\"\n}\n"                          \
    "target t { id: text(38) key id accepts phi account_number, identifier }\n"                                                  \
    "map m from c837 into t {\n  on error quarantine RULE\n  for each claim in 2300 {\n"                                         \
    "    reject REFUSED when CLM01 = \"R1\"\n    reject BARE when CLM01 = \"R2\"\n    reject ODD when CLM01 = \"R3\"\n"          \
    "    reject whole transaction AGAIN when CLM01 = \"R4\"\n    reject whole transaction SYNTAX when CLM01 = \"R5\"\n"          \
    "    quarantine HELD when CLM01 = \"Q1\"\n    quarantine LOOKED when CLM01 = \"Q2\"\n    warn SEEN when CLM01 = \"W1\"\n"    \
    "    skip when CLM01 = \"S1\"\n    emit t { id: CLM01 }\n  }\n}\n"

static int give_rules(void *context, const shunt_allocator *allocator, const char *path, unsigned char **bytes, size_t *size)
{
    (void)path;
    *size = strlen(context);
    *bytes = allocator->allocate(allocator->context, *size);
    if (!*bytes) return -1;
    memcpy(*bytes, context, *size);
    return 0;
}

static shunt_result answer(const char *message, const shunt_allocator *allocator, size_t step, test_text *out)
{
    static char            rules[] = RULES;
    shunt_compile_options  compile = { .size = sizeof compile, .read_file = give_rules, .read_context = rules };
    shunt_callbacks        callbacks = { 0 };
    shunt_run_options      options = { .size = sizeof options,
                                       .allocator = allocator,
                                       .no_report = true,
                                       .acknowledge = test_append,
                                       .acknowledge_context = out,
                                       .made_at = "2025-03-04T05:06:07Z" };
    static shunt_program  *program;
    static shunt_messages *messages;
    shunt_run             *run;
    if (!program) ck_assert_int_eq(shunt_compile("claims.map", &compile, &program, &messages), SHUNT_DONE);
    shunt_result result = shunt_run_new(program, &callbacks, &options, &run, NULL);
    if (result != SHUNT_DONE) return result;
    result = shunt_run_begin(run, NULL, "claims.edi");
    size_t length = strlen(message);
    for (size_t at = 0; at < length && result <= SHUNT_INPUT_FAULT; at += step)
        result = shunt_run_feed(run, message + at, length - at < step ? length - at : step);
    if (result <= SHUNT_INPUT_FAULT) result = shunt_run_end(run);
    if (result <= SHUNT_INPUT_FAULT) {
        shunt_result last = shunt_run_finish(run);
        if (last > result) result = last;
    }
    shunt_run_free(run);
    return result;
}

/* "A1 A2:20 WQ 100.00; A2 ..." */
static char *statuses(const char *text)
{
    test_text found = { 0 };
    char      claim[40] = "";
    ck_assert(test_append(&found, "", 0));
    for (const char *at = text; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL) {
        char code[40], verdict[4], amount[20], line[140];
        if (sscanf(at, "TRN*2*%39[^~]~", claim) == 1) continue;
        if (sscanf(at, "STC*%39[^*]*%*8[0-9]*%3[A-Z]*%19[^~]~", code, verdict, amount) != 3) continue;
        int length = snprintf(line, sizeof line, "%s%s %s %s %s", found.length ? "; " : "", claim, code, verdict, amount);
        ck_assert(test_append(&found, line, (size_t)length));
    }
    return found.bytes;
}

static const struct {
    const char *changes, *said; /* "" = no answer */
} cases[] = {
    { "", "B31 A1:19:PR WQ 170.50; A1 A2:20 WQ 100.00; A2 A2:20 WQ 50.50; A3 A2:20 WQ 20.00" },
    { "CLM*A1*>CLM*R1*", "B31 A1:19:PR WQ 170.50; R1 A7:562:85 U 100.00; A2 A2:20 WQ 50.50; A3 A2:20 WQ 20.00" },
    { "CLM*A2*>CLM*R2*", "B31 A1:19:PR WQ 170.50; A1 A2:20 WQ 100.00; R2 A7:21 U 50.50; A3 A2:20 WQ 20.00" },
    /* an `ack` that is no status of a claim */
    { "CLM*A3*>CLM*R3*", "B31 A1:19:PR WQ 170.50; A1 A2:20 WQ 100.00; A2 A2:20 WQ 50.50; R3 A7:21 U 20.00" },
    { "CLM*A2*>CLM*R4*", "B31 A1:19:PR WQ 170.50; A1 A3:21 U 100.00; R4 A3:21 U 50.50; A3 A3:21 U 20.00" },
    /* a 999 says it */
    { "CLM*A2*>CLM*R5*", "" },
    /* set aside: received, neither accepted nor refused; or what its code says */
    { "CLM*A2*>CLM*Q1*", "B31 A1:19:PR WQ 170.50; A1 A2:20 WQ 100.00; Q1 A1:19 WQ 50.50; A3 A2:20 WQ 20.00" },
    { "CLM*A2*>CLM*Q2*", "B31 A1:19:PR WQ 170.50; A1 A2:20 WQ 100.00; Q2 A7:478 U 50.50; A3 A2:20 WQ 20.00" },
    { "CLM*A1*>CLM*W1*\nCLM*A2*>CLM*S1*", "B31 A1:19:PR WQ 170.50; W1 A2:20 WQ 100.00; S1 A2:20 WQ 50.50; A3 A2:20 WQ 20.00" },
    { "CLM*A1*>CLM*R1*\nCLM*A2*>CLM*R1*",
      "B31 A1:19:PR WQ 170.50; R1 A7:562:85 U 100.00; R1 A7:562:85 U 50.50; A3 A2:20 WQ 20.00" },
    /* broken off: nobody was sent anything */
    { "SE*45*0001~GE*1*31~IEA*1*000000031~>", "" },
    /* values of the message end nothing */
    { "NM1*IL*1*ROE*>NM1*IL*1*R:E^*", NULL },
};

START_TEST(says_of_each_claim)
{
    char *message = test_changed(MESSAGE, cases[_i].changes);
    for (size_t step = 1; step <= 4096; step += 4095) {
        test_text out = { 0 };
        ck_assert_int_le(answer(message, NULL, step, &out), SHUNT_INPUT_FAULT);
        char *said = statuses(out.bytes ? out.bytes : "");
        if (cases[_i].said) ck_assert_str_eq(said, cases[_i].said);
        if (out.length) { /* it holds against its guide */
            test_text findings = { 0 }, none = { 0 };
            ck_assert_msg(test_validate(out.bytes, "1,2,5", NULL, NULL, 64, &findings, &none) == SHUNT_DONE, "%s\n%s",
                          findings.bytes, out.bytes);
            free(findings.bytes), free(none.bytes);
        }
        free(said), free(out.bytes);
    }
    free(message);
}
END_TEST

START_TEST(writes_it)
{
    static const char wanted[] =
        "ISA*00*          *00*          *ZZ*HEALTH         *ZZ*CLINIC         *250304*0506*^*00501*000000031*0*T*:~\n"
        "GS*HN*HEALTH*CLINIC*20250304*0506*1*X*005010X214~\nST*277*0001*005010X214~\n"
        "BHT*0085*08*000000031-31-0001*20250304*0506*TH~\nHL*1**20*1~\nNM1*PR*2*HEALTH*****46*EX2~\nTRN*1*000000031-31-0001~\n"
        "DTP*050*D8*20250304~\nDTP*009*D8*20250304~\nHL*2*1*21*1~\nNM1*41*2*CLINIC*****46*EX1~\nTRN*2*B31~\n"
        "STC*A1:19:PR*20250304*WQ*170.50~\nQTY*90*2~\nQTY*AA*1~\nAMT*YU*120.00~\nAMT*YY*50.50~\nHL*3*2*19*1~\n"
        "NM1*85*2*CLINIC*****XX*1234567893~\nTRN*1*0~\nSTC*A1:19:PR**WQ*170.50~\nQTY*QA*2~\nQTY*QC*1~\nAMT*YU*120.00~\n"
        "AMT*YY*50.50~\nHL*4*3*PT~\nNM1*QC*1*DOE*ANN****MI*M1~\nTRN*2*A1~\nSTC*A2:20*20250304*WQ*100.00~\nREF*D9*CHA1~\n"
        "DTP*472*D8*20250301~\nTRN*2*R1~\nSTC*A7:562:85*20250304*U*50.50~\nREF*D9*CHA2~\nDTP*472*D8*20250302~\nHL*5*3*PT~\n"
        "NM1*QC*1*ROE*ANN****MI*M2~\nTRN*2*A3~\nSTC*A2:20*20250304*WQ*20.00~\nREF*D9*CHA3~\nDTP*472*D8*20250303~\nSE*40*0001~\n"
        "GE*1*1~\nIEA*1*000000031~\n";
    char     *message = test_changed(MESSAGE, "CLM*A2*>CLM*R1*");
    test_text out = { 0 };
    ck_assert_int_eq(answer(message, NULL, 100, &out), SHUNT_INPUT_FAULT);
    ck_assert_str_eq(out.bytes, wanted);
    free(out.bytes), free(message);
}
END_TEST

START_TEST(survives_lack_of_memory)
{
    char *message = test_changed(MESSAGE, "CLM*A2*>CLM*R1*");
    for (size_t n = 1;; n += n < 12 ? 1 : 17) {
        struct test_memory memory;
        test_text          out = { 0 };
        test_memory_init(&memory, n);
        shunt_allocator allocator = test_allocator(&memory);
        shunt_result    result = answer(message, &allocator, 100, &out);
        ck_assert_uint_eq(memory.blocks, 0);
        free(out.bytes);
        if (memory.calls < n) {
            ck_assert_int_eq(result, SHUNT_INPUT_FAULT);
            break;
        }
        ck_assert_int_eq(result, SHUNT_SYSTEM_FAULT);
    }
    free(message);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("claim_ack");
    TCase *tcase = tcase_create("claim_ack");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, says_of_each_claim, 0, (int)(sizeof cases / sizeof *cases));
    tcase_add_test(tcase, writes_it);
    tcase_add_test(tcase, survives_lack_of_memory);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
