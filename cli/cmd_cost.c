/* cmd_cost.c - `shunt cost`: what rules may cost at the bounds of their standard. */
#include "cli/cli.h"

int cmd_cost(const arguments *a)
{
    int            status;
    shunt_program *program = open_program(a, a->operands[0], &status);
    if (program && shunt_cost(program, write_file, stdout) != SHUNT_DONE)
        status = fail(SHUNT_SYSTEM_FAULT, "%s: no memory, or standard output is closed", a->operands[0]);
    shunt_release(program);
    return status;
}
