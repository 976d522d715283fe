/* cmd_check.c - `shunt check` and `shunt compile`. */
#include <errno.h>
#include <string.h>

#include "cli/cli.h"

int cmd_check(const arguments *a)
{
    int                   status = 0;
    bool                  json = a->value[OPTION_JSON] != NULL;
    shunt_compile_options options = { .size = sizeof options, .check_only = true, .lints = a->value[OPTION_LINTS] != NULL };
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
    return status;
}

int cmd_compile(const arguments *a)
{
    const char *output = a->value[OPTION_OUTPUT];
    if (!output) return fail(SHUNT_RULES_FAULT, "compile needs -o FILE");
    int            status;
    shunt_program *program = open_program(a->operands[0], &status);
    safe_file      out = { 0 };
    if (status == 0) status = safe_open(&out, output);
    if (status == 0 && shunt_save(program, write_file, out.file) != SHUNT_DONE) status = fail(SHUNT_SYSTEM_FAULT, "%s: %s", output, strerror(errno));
    int closed = safe_close(&out, status == 0);
    shunt_release(program);
    return status ? status : closed;
}

int cmd_disasm(const arguments *a)
{
    int            status;
    shunt_program *program = open_program(a->operands[0], &status);
    if (program) status = (int)shunt_disassemble(program, a->value[OPTION_SITES] != NULL, write_file, stdout);
    shunt_release(program);
    return status;
}

int cmd_explain(const arguments *a)
{
    int status = 0;
    for (int i = 0; i < a->operand_count && status == 0; i++) {
        status = (int)shunt_explain(a->operands[i], write_file, stdout);
        if (status == SHUNT_RULES_FAULT) fail(SHUNT_RULES_FAULT, "no code `%s`", a->operands[i]);
    }
    return status;
}

int cmd_dict(const arguments *a)
{
    const char *set = a->operand_count > 0 ? a->operands[0] : NULL;
    const char *part = a->operand_count > 1 ? a->operands[1] : NULL;
    int         status = (int)shunt_dictionary(set, a->value[OPTION_GUIDE], part, write_file, stdout);
    if (status == SHUNT_RULES_FAULT)
        fail(SHUNT_RULES_FAULT, "the dictionary has no %s%s%s; `shunt dict` lists what it has", set ? set : "", part ? " " : "", part ? part : "");
    return status;
}
