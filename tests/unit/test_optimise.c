/* What a VM runs in place of what was written: each thing that is left out or moved, and each that has to stay. That both do the same
 * over any input is held by fuzz/alike.h and asm_run_all. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/vm/owner.h"
#include "tests/support/asm.h"

#define FRAMES "frame L loop C:text\nframe U loop unit D:text E!:text F:dec2 > L\nframe S set H:int > U\n"
#define H(registers, code)                                                                                                       \
    FRAMES "record r a:text b?:int\nglobal text\ncode ODD\nexit warn unit ODD\nexit quarantine unit ODD\n"                       \
           "function pick 1 text pure : text\nRETURN 0\nfunction seen 0 text : text\nGLOBAL_GET 0 0\nRETURN 0\n"                 \
           "function f 1 none : node:U " registers "\n" code "FINISH\n"

static const struct {
    const char *name, *source, *better; /* instructions of f without FINISH, as the disassembler shows them; NULL: as written */
} cases[] = {
    /* ---- what stands there already ---- */
    { "the same twice", H("text", "ABSENT 1\nWARN 0 1\nABSENT 1\nWARN 0 1\n"),
      "ABSENT r1;WARN exit0:ODD, r1;WARN exit0:ODD, r1" },
    { "a value twice", H("text text", "GET 1 0 D\nGET 2 0 D\nWARN 0 1\nWARN 0 2\n"),
      "GET r1, r0, D;WARN exit0:ODD, r1;WARN exit0:ODD, r1" },
    { "a value that is written over", H("text text", "GET 1 0 D\nMOVE 2 1\nLOADK 1 \"a\"\nWARN 0 2\nWARN 0 1\n"), NULL },
    { "a copy of a copy", H("text text text", "GET 1 0 D\nMOVE 2 1\nMOVE 3 2\nWARN 0 3\n"), "GET r1, r0, D;WARN exit0:ODD, r1" },
    { "a value that may fail stays though nobody reads it", H("text", "GET 1 0 E\n"), "GET r1, r0, E" },
    { "what was read on one way alone",
      H("text bool", "GET 1 0 D\nTEXT_IS 2 1 \"x\"\nJUMP_FALSE 2 @no\nGET 1 0 E\nno:\nGET 1 0 E\nWARN 0 1\n"),
      "GET r1, r0, D;TEXT_IS r2, r1, \"x\";JUMP_FALSE r2, -> 4;GET r1, r0, E;GET r1, r0, E;WARN exit0:ODD, r1" },
    { "a global that was set", H("text text", "GLOBAL_GET 1 0\nWARN 0 1\nGET 2 0 D\nGLOBAL_SET 2 0\nGLOBAL_GET 1 0\nWARN 0 1\n"),
      NULL },
    { "a global behind a call that may set it",
      H("text text text", "GLOBAL_GET 1 0\nWARN 0 1\nCALL 3 seen\nGLOBAL_GET 1 0\nWARN 0 1\nWARN 0 3\n"), NULL },
    { "arguments that stay", H("text text", "GET 1 0 D\nCALL 1 pick\nWARN 0 2\nGET 1 0 D\nCALL 1 pick\nWARN 0 2\n"),
      "GET r1, r0, D;CALL r1, f0:pick;WARN exit0:ODD, r2;CALL r1, f0:pick;WARN exit0:ODD, r2" },
    { "what reads what it writes", H("int int text", "LOADK 1 int:1\nINT_ADD 2 2 1\nINT_ADD 2 2 1\nTEXT_OF 3 2\nWARN 0 3\n"),
      NULL },
    { "lists are not shared",
      H("list:text list:text text text",
        "LIST_NEW 1\nLOADK 3 \"a\"\nLIST_PUSH 1 3 0\nMOVE 2 1\nLIST_PUSH 1 3 0\nLIST_FIRST 4 2\nWARN 0 4\n"),
      NULL },
    { "a list has grown",
      H("list:text text int int text",
        "LIST_NEW 1\nLIST_COUNT 3 1\nTEXT_OF 5 3\nWARN 0 5\nGET 2 0 D\nLIST_PUSH 1 2 0\nLIST_COUNT 3 1\nTEXT_OF 5 3\nWARN 0 5\n"),
      NULL },
    /* ---- what is kept for another pass ---- */
    { "what was just kept is not recalled",
      H("list:text int text",
        "LOADK 2 int:1\nGET 3 0 D\nJUMP_PRESENT 3 @keep\nEXIT 1 3\nkeep:\nKEEP 3 1 2\nRECALL 3 1 2\nWARN 0 3\n"),
      "LOADK r2, 1;GET r3, r0, D;JUMP_PRESENT r3, -> 4;EXIT exit1:ODD, r3;KEEP r3, r1, r2;WARN exit0:ODD, r3" },
    { "what may not have been kept", H("list:text int text", "LOADK 2 int:1\nGET 3 0 D\nKEEP 3 1 2\nRECALL 3 1 2\nWARN 0 3\n"),
      NULL },
    /* ---- what registers may be ---- */
    { "a constant is there", H("text", "LOADK 1 \"a\"\nREQUIRE 1 1\nJUMP_ABSENT 1 @end\nWARN 0 1\nend:\n"),
      "LOADK r1, \"a\";WARN exit0:ODD, r1" },
    { "asked twice", H("text", "GET 1 0 D\nREQUIRE 1 1\nREQUIRE 1 1\nWARN 0 1\n"),
      "GET r1, r0, D;REQUIRE r1, exit1:ODD;WARN exit0:ODD, r1" },
    { "known on the way there",
      H("text bool", "GET 1 0 D\nJUMP_PRESENT 1 @yes\nLOADK 2 bool:0\nJUMP @on\nyes:\nLOADK 2 bool:1\non:\nJUMP_FALSE 2 "
                     "@end\nWARN 0 1\nend:\n"),
      "GET r1, r0, D;JUMP_PRESENT r1, -> 3;JUMP -> 4;WARN exit0:ODD, r1" },
    /* ---- jumps ---- */
    { "a jump over a jump", H("bool text", "GET 2 0 D\nTEXT_IS 1 2 \"x\"\nJUMP_TRUE 1 @yes\nJUMP @end\nyes:\nWARN 0 2\nend:\n"),
      "GET r2, r0, D;TEXT_IS r1, r2, \"x\";JUMP_FALSE r1, -> 4;WARN exit0:ODD, r2" },
    { "NOT before a jump, of what may be missing",
      H("bool text", "GET 2 0 D\nTEXT_IS 1 2 \"x\"\nNOT 1 1\nJUMP_FALSE 1 @end\nWARN 0 2\nend:\n"), NULL },
    { "NOT before a jump",
      H("bool text", "GET 2 0 D\nREQUIRE 2 1\nTEXT_IS 1 2 \"x\"\nNOT 1 1\nJUMP_FALSE 1 @end\nWARN 0 2\nend:\n"),
      "GET r2, r0, D;REQUIRE r2, exit1:ODD;TEXT_IS r1, r2, \"x\";JUMP_TRUE r1, -> 5;WARN exit0:ODD, r2" },
    { "a state before a jump", H("bool text", "GET 2 0 D\nIS_STATE 1 2 1\nJUMP_TRUE 1 @end\nWARN 0 2\nend:\n"),
      "GET r2, r0, D;JUMP_ABSENT r2, -> 3;WARN exit0:ODD, r2" },
    { "another state before a jump", H("bool text", "GET 2 0 D\nIS_STATE 1 2 1\nJUMP_FALSE 1 @end\nWARN 0 2\nend:\n"),
      "GET r2, r0, D;JUMP_PRESENT r2, -> 4;JUMP_CLEARED r2, -> 4;WARN exit0:ODD, r2" },
    { "a state that is read later",
      H("bool text text", "GET 2 0 D\nIS_STATE 1 2 1\nJUMP_TRUE 1 @end\nWARN 0 2\nend:\nTEXT_OF 3 1\nWARN 0 3\n"), NULL },
    { "what nothing leads to", H("text", "JUMP @end\nGET 1 0 E\nend:\n"), "" },
    /* ---- passes ---- */
    { "the same in each round, before it",
      H("list:text text int text text text",
        "GET 4 0 D\nLIST_NEW 1\nagain:\nNEXT 1 2 3\nJUMP @end\nMOVE 5 4\nCALL 5 pick\nWARN 0 6\nJUMP @again\nend:\n"),
      "GET r4, r0, D;LIST_NEW r1;MOVE r5, r4;NEXT r1, r2, r3;JUMP -> 8;CALL r5, f0:pick;WARN exit0:ODD, r6;JUMP -> 3" },
    { "what may fail stays in its round",
      H("list:text text int text text",
        "LIST_NEW 1\nagain:\nNEXT 1 2 3\nJUMP @end\nGET 4 0 E\nCALL 4 pick\nWARN 0 5\nJUMP @again\nend:\n"),
      NULL },
    { "what not every round does",
      H("list:text text int bool text text", "LIST_NEW 1\nagain:\nNEXT 1 2 3\nJUMP @end\nTEXT_IS 4 2 \"x\"\nJUMP_FALSE 4 "
                                             "@again\nLOADK 5 \"a\"\nCALL 5 pick\nWARN 0 6\nJUMP @again\nend:\n"),
      NULL },
    { "what is read before it",
      H("list:text text int text",
        "LIST_NEW 1\nLOADK 4 \"b\"\nagain:\nNEXT 1 2 3\nJUMP @end\nWARN 0 4\nLOADK 4 \"a\"\nJUMP @again\nend:\n"),
      NULL },
    { "what is read behind the pass as it was",
      H("list:text text int text",
        "LIST_NEW 1\nLOADK 4 \"b\"\nagain:\nNEXT 1 2 3\nJUMP @end\nLOADK 4 \"a\"\nWARN 0 4\nJUMP @again\nend:\nWARN 0 4\n"),
      NULL },
};

/* The instructions of function f, the last one aside, with a semicolon between. */
static void show(const shunt_program *p, shunt_buffer *out)
{
    shunt_buffer listing;
    shunt_buffer_init(&listing, &shunt_memory_libc);
    shunt_buffer_init(out, &shunt_memory_libc);
    shunt_program_disassemble(p, false, &listing);
    shunt_buffer_char(&listing, 0);
    ck_assert(!listing.failed);
    char *at = strstr(listing.bytes, " f params");
    ck_assert_ptr_nonnull(at);
    for (char *line = strtok(at, "\n"), *before = NULL; line && strncmp(line, "function", 8) != 0; line = strtok(NULL, "\n")) {
        char *end;
        strtoul(line, &end, 10);
        if (line[0] != ' ' || end == line || *end != ' ') continue;
        if (before) shunt_buffer_format(out, "%s%s", out->length ? ";" : "", before);
        before = end + 1;
    }
    shunt_buffer_char(out, 0);
    ck_assert(!out->failed);
    shunt_buffer_done(&listing);
}

START_TEST(code)
{
    shunt_program *p = asm_load(cases[_i].source);
    shunt_buffer   written, runs;
    show(p, &written);
    show(shunt_program_owner_of(p)->runs, &runs);
    ck_assert_msg(strcmp(runs.bytes, cases[_i].better ? cases[_i].better : written.bytes) == 0, "%s:\n  %s", cases[_i].name,
                  runs.bytes);
    asm_run_all(p, 1, 1000);
    shunt_buffer_done(&written);
    shunt_buffer_done(&runs);
    shunt_program_free(p);
}
END_TEST

/* A function that is too large is left alone, and its neighbour is not. */
START_TEST(large)
{
    shunt_buffer source;
    shunt_buffer_init(&source, &shunt_memory_libc);
    shunt_buffer_z(&source, "function large 0 none : int\n");
    for (int i = 0; i < 9000; i++) shunt_buffer_z(&source, "LOADK 0 int:1\n");
    shunt_buffer_z(&source, "FINISH\nfunction small 0 none : int\nLOADK 0 int:1\nLOADK 0 int:2\nLOADK 0 int:3\nFINISH\n");
    shunt_buffer_char(&source, 0);
    ck_assert(!source.failed);
    shunt_program       *p = asm_load(source.bytes);
    const shunt_program *runs = shunt_program_owner_of(p)->runs;
    ck_assert_uint_eq(runs->functions[0].code_count, 9001);
    ck_assert_uint_eq(runs->functions[1].code_first, 9001);
    ck_assert_uint_eq(runs->functions[1].code_count, 1);
    ck_assert_uint_eq(runs->instructions_count, 9002);
    shunt_program_free(p);
    shunt_buffer_done(&source);
}
END_TEST

/* A program with another table runs the same code, over its own table. */
START_TEST(copies)
{
    shunt_program *p = asm_load("record r k:text v:text\ntable t r keys=1\n| a b\nfunction f 0 text : text row:r text text\n"
                                "LOADK 0 \"a\"\nLOADK 3 \"a\"\nLOOKUP 1 0 t\nFIELD 2 1 1\nRETURN 2\n");
    shunt_program *copy;
    char           why[200];
    shunt_text     texts[] = { SHUNT_TEXT("a"), SHUNT_TEXT("c") };
    shunt_cell     cells[] = { { .text = 0 }, { .text = 1 } };
    uint8_t        hash[32] = { 1 };
    ck_assert_int_eq(shunt_program_with_table(&shunt_memory_libc, p, 0, cells, 1, texts, 2, hash, &copy, why), SHUNT_OK);
    const shunt_program *runs = shunt_program_owner_of(copy)->runs;
    ck_assert_ptr_eq(runs->instructions, shunt_program_owner_of(p)->runs->instructions);
    ck_assert_uint_eq(runs->instructions_count, 4);
    char *log = asm_run_program(copy, "f", NULL, 100, 1000);
    ck_assert_str_eq(log, "result c\n");
    free(log);
    shunt_program_free(copy);
    shunt_program_free(p);
}
END_TEST

/* What fails tells the place that it had. */
START_TEST(places)
{
    shunt_program  *p = asm_load("places m -\nfunction f 0 none : int int int\nLOADK 0 int:9223372036854775807\nMOVE 1 0\n"
                                  "LOADK 2 int:1\nINT_ADD 2 1 2\nFINISH\n");
    struct asm_host h;
    shunt_outcome   outcome;
    asm_host_init(&h, p);
    shunt_vm *vm = shunt_vm_new(&shunt_memory_libc, p, &h.host, 100, 1000);
    ck_assert_int_eq(shunt_vm_run(vm, 0, NULL, false, &outcome), SHUNT_OK);
    ck_assert_uint_lt(shunt_program_owner_of(p)->runs->instructions_count, p->instructions_count);
    ck_assert_int_eq(outcome.status, SHUNT_OVERFLOW);
    ck_assert_uint_eq(p->sites[outcome.site].line, 6);
    shunt_vm_free(vm);
    asm_host_done(&h);
    shunt_program_free(p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("optimise");
    TCase *tc = tcase_create("optimise");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, code, 0, SHUNT_COUNT(cases));
    tcase_add_test(tc, large);
    tcase_add_test(tc, copies);
    tcase_add_test(tc, places);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
