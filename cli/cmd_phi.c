/* cmd_phi.c - `shunt phi`: where protected health information goes. */
#include "cli/cli.h"

int cmd_phi(const arguments *a)
{
    int                   status = 0;
    shunt_definitions    *definitions = read_definitions(a, &status);
    shunt_compile_options options = { .size = sizeof options, .definitions = definitions };
    if (status == 0) {
        shunt_messages *messages = NULL;
        shunt_result result = shunt_phi(a->operands[0], &options, a->value[OPTION_JSON] != NULL, write_file, stdout, &messages);
        if (messages) (void)shunt_messages_print(messages, false, write_file, stderr);
        if (!messages && result != SHUNT_DONE) fail(result, "%s: no memory, or standard output is closed", a->operands[0]);
        shunt_messages_free(messages);
        status = (int)result;
    }
    shunt_definitions_free(definitions);
    return status;
}
