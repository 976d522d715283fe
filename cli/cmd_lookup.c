/* cmd_lookup.c - `shunt lookup`: the row of a table in force. */
#include "cli/cli.h"

int cmd_lookup(const arguments *a)
{
    int             status;
    shunt_messages *messages = NULL;
    shunt_program  *program = open_program(a, a->operands[0], &status);
    if (!program) return status;
    status = (int)shunt_look_up(program, a->operands[1], (const char *const *)(a->operands + 2), (size_t)a->operand_count - 2,
                                write_file, stdout, &messages);
    if (messages && shunt_messages_print(messages, false, write_file, stderr) != SHUNT_DONE) status = SHUNT_SYSTEM_FAULT;
    shunt_messages_free(messages);
    shunt_release(program);
    return status;
}
