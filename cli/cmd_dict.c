/* cmd_dict.c - `shunt dict`: what the dictionary knows. */
#include "cli/cli.h"

int cmd_dict(const arguments *a)
{
    const char *set = a->operand_count > 0 ? a->operands[0] : NULL;
    const char *part = a->operand_count > 1 ? a->operands[1] : NULL;
    const char *guide = a->value[OPTION_GUIDE];
    int         status;

    shunt_definitions *definitions = read_definitions(a, &status);
    if (status != 0) return status;
    status = (int)shunt_dictionary_with(definitions, set, guide, part, write_file, stdout);
    shunt_definitions_free(definitions);
    if (status == SHUNT_RULES_FAULT)
        fail(SHUNT_RULES_FAULT, "the dictionary has no %s%s%s%s%s; `shunt dict%s%s` lists what it has", set ? set : "guide",
             part ? " " : "", part ? part : "", guide ? set ? " in guide " : " " : "", guide ? guide : "", part ? " " : "",
             part ? set : "");
    return status;
}
