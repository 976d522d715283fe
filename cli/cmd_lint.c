/* cmd_lint.c - `shunt lint`: rules that are right, and what may not be meant in them. */
#include "cli/cli.h"

int cmd_lint(const arguments *a)
{
    int                   status = 0, read = 0;
    bool                  json = a->value[OPTION_JSON] != NULL;
    map_files             list = { 0 };
    shunt_definitions    *definitions = read_definitions(a, &read);
    shunt_compile_options options = { .size = sizeof options, .check_only = true, .lints = true, .definitions = definitions };
    status = read ? read : find_maps(a, &list);
    for (size_t i = 0; i < list.count && status <= SHUNT_RULES_FAULT; i++) {
        shunt_program  *program = NULL;
        shunt_messages *messages = NULL;
        shunt_result    result = shunt_compile(list.items[i], &options, &program, &messages);
        if (messages) {
            if (result == SHUNT_DONE && shunt_messages_warnings(messages)) result = SHUNT_INPUT_FAULT;
            if (shunt_messages_print(messages, json, write_file, stdout) != SHUNT_DONE) result = SHUNT_SYSTEM_FAULT;
            if (!json && result == SHUNT_DONE) printf("%s: fine\n", list.items[i]);
        } else if (result != SHUNT_DONE) {
            fail(result, "%s: no memory", list.items[i]);
        }
        shunt_messages_free(messages);
        shunt_release(program);
        if ((int)result > status) status = (int)result;
    }
    free_maps(&list);
    shunt_definitions_free(definitions);
    return status;
}
