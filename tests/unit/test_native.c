/* Machine code of rules against the loop, where it takes things for granted: states that are known, truth values that only a jump reads,
 * operands that stay where they are, steps that run out in between. And what is known of registers before. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/vm/facts.h"
#include "engine/vm/step.h"
#include "tests/support/asm.h"

#define RESULT(type, registers, code) "function f 0 " type " : " type " " registers "\n" code "RETURN 0\n"

static const struct {
    const char *name, *source, *tree, *log;
} cases[] = {
    { "an operand that is absent, and what is made of it behind a jump",
      RESULT("int", "int int int", "LOADK 1 int:5\nINT_ADD 3 1 2\nJUMP @next\nnext:\nINT_ADD 0 3 1\n"), NULL, "result absent\n" },
    { "the same on one of two ways",
      RESULT("int", "int int int bool",
             "LOADK 1 int:5\nLOADK 4 bool:1\nJUMP_TRUE 4 @other\nLOADK 3 int:1\nJUMP @next\nother:\nINT_ADD 3 1 2\nnext:\n"
             "INT_ADD 0 3 1\n"),
      NULL, "result absent\n" },
    { "what must be there, cleared",
      "frame U loop unit A!:dec2\nfunction f 1 dec2 : node:U dec2 dec2\nGET 1 0 A\nMOVE 2 1\nRETURN 2\n", "U A=\n",
      "result cleared\n" },
    { "what must be there, read for the first time and again",
      "frame U loop unit A!:dec2\nfunction f 1 dec2 : node:U dec2 dec2 dec2\nGET 1 0 A\nGET 2 0 A\nDEC_ADD 3 1 2\nRETURN 3\n",
      "U A=1.25\n", "result 2.50\n" },
    { "nothing around a node",
      "frame X loop A:text\nframe U loop unit A:text\nfunction f 1 node:X : node:U node:X node:X\nANCESTOR 1 0\nMOVE 2 1\nRETURN "
      "2\n",
      "U\n", "result absent\n" },
    { "a truth value that is read again after its jump",
      RESULT("bool", "int bool", "LOADK 1 int:4\nINT_EQ 2 1 1\nJUMP_TRUE 2 @end\nLOADK 2 bool:0\nend:\nMOVE 0 2\n"), NULL,
      "result true\n" },
    { "a truth value turned round, and read again",
      RESULT("bool", "int bool", "LOADK 1 int:4\nINT_EQ 2 1 1\nNOT 2 2\nJUMP_TRUE 2 @end\nNOT 2 2\nend:\nMOVE 0 2\n"), NULL,
      "result true\n" },
    { "BOOL_EQ takes any number for true",
      RESULT("bool", "bool bool bool", "LOADK 1 bool:1\nLOADK 2 bool:0\nNOT 3 2\nBOOL_EQ 0 1 3\n"), NULL, "result true\n" },
    { "BOOL_EQ of different ones", RESULT("bool", "bool bool", "LOADK 1 bool:1\nLOADK 2 bool:0\nBOOL_EQ 0 1 2\n"), NULL,
      "result false\n" },
    { "an item that is the count as well",
      RESULT("int", "list:int int int",
             "LIST_NEW 1\nLOADK 2 int:70\nLIST_PUSH 1 2 0\nLIST_PUSH 1 2 0\nLOADK 0 int:0\nLOADK 3 int:0\n"
             "again:\nNEXT 1 3 3\nJUMP @end\nINT_ADD 0 0 3\nJUMP @again\nend:\n"),
      NULL, "result 3\n" },
    { "a field too large to be added to where it stands",
      "record r c:dec0\n" RESULT(
          "dec0", "row:r dec0 dec0 dec0",
          "LOADK 2 dec0:99999999999999999999999999999999999999\nROW_NEW 1 2 0\nLOADK 3 dec0:1\nJUMP @on\non:\n"
          "FIELD 4 1 0\nDEC_ADD 0 3 4\n"),
      NULL, "fail OVERFLOW\n" },
    { "a field whose sum is large, but fits",
      "record r c:dec0\n" RESULT(
          "dec0", "row:r dec0 dec0 dec0",
          "LOADK 2 dec0:99999999999999999999999999999999999998\nROW_NEW 1 2 0\nLOADK 3 dec0:1\nJUMP @on\non:\n"
          "FIELD 4 1 0\nDEC_ADD 0 3 4\n"),
      NULL, "result 99999999999999999999999999999999999999\n" },
    { "a field that is not there, and compared",
      "record r a:int b?:text\n" RESULT("bool", "row:r int text text",
                                        "LOADK 2 int:4\nROW_NEW 1 2 0\nJUMP @on\non:\nFIELD 4 1 1\nTEXT_IS 0 4 \"x\"\n"),
      NULL, "result absent\n" },
    { "a field that is required, not there, and compared",
      "record r a:int b?:text\n" RESULT(
          "bool", "row:r int text text",
          "LOADK 2 int:4\nROW_NEW 1 2 0\nJUMP @on\non:\nFIELD 4 1 1\nREQUIRE 4 -\nTEXT_IS 0 4 \"x\"\n"),
      NULL, "fail REQUIRED_MISSING\n" },
    { "rows in turn: the fields of each are its own",
      "record r a:int\n" RESULT(
          "int", "row:r row:r int int int",
          "LOADK 3 int:1\nROW_NEW 1 3 0\nLOADK 3 int:20\nROW_NEW 2 3 0\nJUMP @on\non:\nFIELD 4 1 0\nFIELD 5 2 0\n"
          "INT_ADD 0 4 5\nMOVE 1 2\nFIELD 4 1 0\nINT_ADD 0 0 4\n"),
      NULL, "result 41\n" },
    { "a list of a number for each, kept where nothing else is",
      RESULT("int", "list:int int int int",
             "LOADK 2 int:7\nLOADK 3 int:1\nKEEP 2 1 3\nLOADK 2 int:8\nKEEP 2 1 3\nRECALL 4 1 3\nJUMP_PRESENT 4 @there\n"
             "LOADK 4 int:0\nthere:\nMOVE 0 4\n"),
      NULL, "result 8\n" },
};

START_TEST(edges)
{
    char *log = asm_run(cases[_i].source, "f", cases[_i].tree);
    ck_assert_msg(strcmp(log, cases[_i].log) == 0, "%s: %s", cases[_i].name, log);
    free(log);
}
END_TEST

/* Every length up to beyond what is compared in place, each place of it, as a value and as a jump both ways. */
START_TEST(texts_are_compared_to_the_last_byte)
{
    enum { LENGTHS = 40 };
    static const char *const forms[] = { "TEXT_IS 0 1 \"%s\"\n",
                                         "LOADK 0 bool:1\nTEXT_IS 2 1 \"%s\"\nJUMP_TRUE 2 @end\nLOADK 0 bool:0\nend:\n",
                                         "LOADK 0 bool:0\nTEXT_IS 2 1 \"%s\"\nJUMP_FALSE 2 @end\nLOADK 0 bool:1\nend:\n" };
    char                     asked[LENGTHS + 2], code[200], source[400];
    for (size_t form = 0; form < SHUNT_COUNT(forms); form++) {
        for (int length = 0; length < LENGTHS; length++) {
            for (int other = -1; other <= length; other++) { /* -1: the same; `length`: one more */
                char text[LENGTHS + 2];
                for (int i = 0; i < length; i++) text[i] = asked[i] = (char)('a' + i % 26);
                text[length] = asked[length] = 0;
                if (other == length) text[length] = 'x', text[length + 1] = 0;
                if (other >= 0 && other < length) text[other] = 'X';
                snprintf(code, sizeof code, forms[form], asked);
                snprintf(source, sizeof source, "function f 0 bool : bool text bool\nLOADK 1 \"%s\"\n%sRETURN 0\n", text, code);
                char *log = asm_run(source, "f", NULL);
                ck_assert_msg(strcmp(log, other < 0 ? "result true\n" : "result false\n") == 0, "%s: %s", source, log);
                free(log);
            }
        }
    }
}
END_TEST

/* Passes over rows with all that is done together, left at the end of each with a jump back. */
#define PASSES                                                                                                                   \
    "record r a:int b?:text c:usd2\n"                                                                                            \
    "function f 0 usd2 : list:row:r row:r int text usd2 int text bool usd2 usd2 bool list:int int\n"                             \
    "LIST_NEW 0\nLOADK 2 int:1\nLOADK 3 \"CO\"\nLOADK 4 usd2:1.50\nROW_NEW 1 2 0\nLIST_PUSH 0 1 0\n"                             \
    "LOADK 2 int:2\nABSENT 3\nLOADK 4 usd2:-2.25\nROW_NEW 1 2 0\nLIST_PUSH 0 1 0\n"                                              \
    "LOADK 2 int:3\nLOADK 3 \"PR\"\nROW_NEW 1 2 0\nLIST_PUSH 0 1 0\nLOADK 3 \"CO\"\nROW_NEW 1 2 0\nLIST_PUSH 0 1 0\n"            \
    "LOADK 8 usd2:0.00\nLOADK 5 int:0\n"                                                                                         \
    "again:\nNEXT 0 1 5\nJUMP @more\nFIELD 6 1 1\nTEXT_IS 7 6 \"CO\"\nNOT 7 7\nJUMP_TRUE 7 @again\nFIELD 9 1 2\nDEC_ADD 8 8 9\n" \
    "FIELD 2 1 0\nKEEP 2 11 5\nDEC_LT 10 9 8\nJUMP_TRUE 10 @again\nJUMP @again\n"                                                \
    "more:\nLOADK 5 int:0\n"                                                                                                     \
    "twice:\nNEXT 0 1 5\nJUMP @end\nRECALL 12 11 5\nJUMP_PRESENT 12 @twice\nFIELD 3 1 1\nJUMP_PRESENT 3 @twice\nFIELD 9 1 2\n"   \
    "DEC_SUB 8 8 9\nJUMP @twice\nend:\nRETURN 8\n"

START_TEST(steps_run_out_anywhere)
{
    shunt_program *p = asm_load(PASSES);
    for (uint64_t steps = 0; steps < 160; steps++) asm_run_all(p, 1, steps); /* aborts where the loop does otherwise */
    char *log = asm_run_program(p, "f", NULL, 10000, 0);
    ck_assert_str_eq(log, "result -3.00\n");
    free(log);
    shunt_program_free(p);
}
END_TEST

/* ---- what is known ---- */

static const struct {
    const char *name, *source, *facts; /* at each block: its instruction, then a letter a register: P A C, ? open or not read */
} known[] = {
    { "parameters are open, others absent",
      "function f 1 int : int int int\nJUMP @on\non:\nMOVE 2 1\nJUMP_PRESENT 0 @end\nend:\nRETURN 2\n", "0 ?A? 1 ?A? 3 ??A" },
    { "an operand that machine code needs is there behind",
      "function f 1 int : int int\nINT_ADD 1 0 0\nJUMP @on\non:\nINT_ADD 1 1 0\nRETURN 1\n", "0 ?? 2 PP" },
    { "two ways that differ leave it open", "function f 1 int : bool int\nJUMP_TRUE 0 @a\nLOADK 1 int:1\na:\nRETURN 1\n",
      "0 ?A 1 ?? 2 ??" },
    { "two ways that agree do not",
      "function f 1 int : bool int\nJUMP_TRUE 0 @a\nLOADK 1 int:1\nJUMP @b\na:\nLOADK 1 int:2\nb:\nRETURN 1\n",
      "0 ?? 1 ?? 3 ?? 4 ?P" },
    { "a jump by a state tells it",
      "function f 1 text : text text\nJUMP_ABSENT 0 @a\nMOVE 1 0\nRETURN 1\na:\nMOVE 1 0\nRETURN 1\n", "0 ?? 1 ?? 3 A?" },
    { "a pass takes back what was known before it",
      "function f 1 int : list:int int int int\nLOADK 2 int:0\nagain:\nNEXT 0 1 3\nJUMP @end\nMOVE 2 1\nABSENT 1\nJUMP "
      "@again\nend:\nRETURN 2\n",
      "0 ???A 1 ??P? 2 ??P? 3 PP?P 6 ??P?" },
    { "the result of a call is open",
      "function g 1 int pure : int int\nINT_ADD 1 0 0\nRETURN 1\nfunction f 0 int : int int\nLOADK 0 int:1\nCALL 0 g\nINT_ADD 1 "
      "0 1\nRETURN 1\n",
      "0 ?? 2 P?" },
};

START_TEST(what_is_known)
{
    shunt_program        *p = asm_load(known[_i].source);
    const shunt_function *f = &p->functions[asm_function(p, "f")];
    shunt_facts           facts;
    shunt_facts_shared    shared, none;
    uint8_t               states[16];
    char                  text[200] = "";
    shunt_facts_start(p, 1000, &shared);
    ck_assert(shunt_facts_new(&shunt_memory_libc, p, f, &shared, &facts));
    ck_assert(facts.known);
    ck_assert_uint_eq(shared.room, 1000 - facts.block_count * (f->registers + 1u));
    shunt_facts_start(p, 1000 - shared.room - 1, &none);
    for (uint32_t at = 0; at < f->code_count; at++) {
        if (!facts.blocks[at]) continue;
        shunt_facts_begin(&facts, at, states);
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%u ", *text ? " " : "", at);
        for (uint16_t r = 0; r < f->registers; r++)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%c", "PAC?"[states[r]]);
    }
    ck_assert_msg(strcmp(text, known[_i].facts) == 0, "%s: %s", known[_i].name, text);
    shunt_facts_free(&facts);
    ck_assert(shunt_facts_new(&shunt_memory_libc, p, f, &none, &facts));
    ck_assert(!facts.known); /* one too little */
    shunt_facts_free(&facts);
    shunt_program_free(p);
}
END_TEST

START_TEST(what_is_read_later)
{
    shunt_program *p =
        asm_load("function f 1 int : int int bool int\nINT_ADD 1 0 0\nINT_EQ 2 1 0\nJUMP_TRUE 2 @a\nLOADK 3 int:1\n"
                 "RETURN 3\na:\nMOVE 3 0\nRETURN 3\n");
    shunt_facts        facts;
    shunt_facts_shared shared;
    shunt_facts_start(p, 1000, &shared);
    ck_assert(shunt_facts_new(&shunt_memory_libc, p, &p->functions[0], &shared, &facts));
    ck_assert(shunt_facts_read_after(&facts, 0, 0)); /* by INT_EQ */
    ck_assert(shunt_facts_read_after(&facts, 0, 1));
    ck_assert(!shunt_facts_read_after(&facts, 0, 2)); /* filled before */
    ck_assert(!shunt_facts_read_after(&facts, 1, 1));
    ck_assert(shunt_facts_read_after(&facts, 1, 2)); /* by the jump */
    ck_assert(!shunt_facts_read_after(&facts, 2, 2));
    ck_assert(shunt_facts_read_after(&facts, 2, 0)); /* on one way */
    ck_assert(!shunt_facts_read_after(&facts, 2, 3));
    ck_assert(shunt_facts_read_after(&facts, 3, 3));
    shunt_facts_free(&facts);
    shunt_program_free(p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("native");
    TCase *tc = tcase_create("native");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, edges, 0, SHUNT_COUNT(cases));
    tcase_add_test(tc, texts_are_compared_to_the_last_byte);
    tcase_add_test(tc, steps_run_out_anywhere);
    tcase_add_loop_test(tc, what_is_known, 0, SHUNT_COUNT(known));
    tcase_add_test(tc, what_is_read_later);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
