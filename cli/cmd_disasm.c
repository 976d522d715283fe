/* cmd_disasm.c - `shunt disasm`: a program as text. */
#include "cli/cli.h"

int cmd_disasm(const arguments *a)
{
    int            status;
    shunt_program *program = open_program(a, a->operands[0], &status);
    if (program) status = (int)shunt_disassemble(program, a->value[OPTION_SITES] != NULL, write_file, stdout);
    shunt_release(program);
    return status;
}
