/* cmd_docs.c - `shunt docs`: rules as a page for those who do not write them. */
#include <errno.h>
#include <string.h>

#include "cli/cli.h"

int cmd_docs(const arguments *a)
{
    int         status = 0;
    safe_file   out = { 0 };
    const char *to = a->value[OPTION_OUTPUT];
    if (to && strcmp(to, "-") != 0 && same_file(to, a->operands[0]))
        return fail(SHUNT_RULES_FAULT, "%s: is read, and --output would replace it", to);
    shunt_definitions    *definitions = read_definitions(a, &status);
    shunt_compile_options options = { .size = sizeof options, .definitions = definitions };
    if (status == 0) status = safe_open(&out, to);
    if (status == 0) {
        shunt_messages *messages = NULL;
        shunt_result    result = shunt_docs(a->operands[0], &options, write_file, out.file, &messages);
        if (messages) (void)shunt_messages_print(messages, false, write_file, stderr);
        if (!messages && result != SHUNT_DONE) fail(result, "%s: no memory, or the page could not be written", a->operands[0]);
        shunt_messages_free(messages);
        status = (int)result;
    }
    int closed = safe_close(&out, status == 0);
    shunt_definitions_free(definitions);
    return status ? status : closed;
}
