/* cmd_explain.c - `shunt explain`: the pages of codes. */
#include "cli/cli.h"

int cmd_explain(const arguments *a)
{
    int status = 0;
    for (int i = 0; i < a->operand_count && status == 0; i++) {
        status = (int)shunt_explain(a->operands[i], write_file, stdout);
        if (status == SHUNT_RULES_FAULT)
            fail(SHUNT_RULES_FAULT, "no code `%s`; what a code of rules means stands in their `codes`", a->operands[i]);
    }
    return status;
}
