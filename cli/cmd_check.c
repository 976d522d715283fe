/* cmd_check.c - `shunt check`: all diagnostics of rules. */
#include "cli/cli.h"

int cmd_check(const arguments *a)
{
    int                   status = 0;
    bool                  json = a->value[OPTION_JSON] != NULL;
    shunt_definitions    *definitions = read_definitions(a, &status);
    shunt_compile_options options = {
        .size = sizeof options, .check_only = true, .lints = a->value[OPTION_LINTS] != NULL, .definitions = definitions
    };
    if (status != 0) return status;
    for (int i = 0; i < a->operand_count; i++) {
        shunt_program  *program = NULL;
        shunt_messages *messages = NULL;
        shunt_result    result = shunt_compile(a->operands[i], &options, &program, &messages);
        if (messages) {
            if (shunt_messages_print(messages, json, write_file, stdout) != SHUNT_DONE) result = SHUNT_SYSTEM_FAULT;
            if (!json && result == SHUNT_DONE && shunt_messages_warnings(messages) == 0) printf("%s: fine\n", a->operands[i]);
        } else if (result != SHUNT_DONE) {
            fail(result, "%s: no memory", a->operands[i]);
        }
        shunt_messages_free(messages);
        shunt_release(program);
        if ((int)result > status) status = (int)result;
    }
    shunt_definitions_free(definitions);
    return status;
}
