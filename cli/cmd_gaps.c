/* cmd_gaps.c - `shunt gaps`: what decisions leave to their `else`. */
#include "cli/cli.h"

int cmd_gaps(const arguments *a)
{
    int                   status = 0;
    shunt_definitions    *definitions = read_definitions(a, &status);
    shunt_compile_options options = { .size = sizeof options, .definitions = definitions };
    shunt_messages       *messages = NULL;
    if (status != 0) return status;
    shunt_result result =
        shunt_gaps(a->operands[0], &options, a->operand_count > 1 ? a->operands[1] : NULL, write_file, stdout, &messages);
    if (messages && shunt_messages_print(messages, false, write_file, stderr) != SHUNT_DONE) result = SHUNT_SYSTEM_FAULT;
    if (!messages) result = (shunt_result)fail(result, "%s: no memory", a->operands[0]);
    shunt_messages_free(messages);
    shunt_definitions_free(definitions);
    return (int)result;
}
