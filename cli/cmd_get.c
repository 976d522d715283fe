/* cmd_get.c - `shunt get`: the values at a path. */
#include "cli/cli.h"

int cmd_get(const arguments *a)
{
    int status = 0;
    for (int i = 1; i < a->operand_count && status <= SHUNT_INPUT_FAULT; i++) {
        int one = look(a, a->operands[0], a->operands[i]);
        if (one > status) status = one;
    }
    return status;
}
