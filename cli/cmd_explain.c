/* cmd_explain.c - `shunt explain`: the pages of codes, and cards of the language. */
#include "cli/cli.h"

int cmd_explain(const arguments *a)
{
    int status = a->operand_count ? 0 : (int)shunt_explain("", write_file, stdout);
    for (int i = 0; i < a->operand_count && status == 0; i++) {
        status = (int)shunt_explain(a->operands[i], write_file, stdout);
        if (status == SHUNT_RULES_FAULT)
            fail(SHUNT_RULES_FAULT, "no code `%s`; what a code of rules means stands in their `codes`", a->operands[i]);
    }
    return status;
}
