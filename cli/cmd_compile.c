/* cmd_compile.c - `shunt compile`: rules to a program file. */
#include <errno.h>
#include <string.h>

#include "cli/cli.h"

int cmd_compile(const arguments *a)
{
    const char *output = a->value[OPTION_OUTPUT];
    if (!output) return fail(SHUNT_RULES_FAULT, "compile needs -o FILE; `-o -` is standard output");
    if (strcmp(output, "-") != 0 && same_file(output, a->operands[0]))
        return fail(SHUNT_RULES_FAULT, "%s: is read, and --output would replace it", output);
    int            status;
    shunt_program *program = open_program(a, a->operands[0], &status);
    safe_file      out = { 0 };
    if (status == 0) status = safe_open(&out, output);
    if (status == 0 && shunt_save(program, write_file, out.file) != SHUNT_DONE)
        status = fail(SHUNT_SYSTEM_FAULT, "%s: %s", output, strerror(errno));
    int closed = safe_close(&out, status == 0);
    shunt_release(program);
    return status ? status : closed;
}
