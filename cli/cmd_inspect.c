/* cmd_inspect.c - `shunt inspect`: a message as a tree. */
#include "cli/cli.h"

int cmd_inspect(const arguments *a) { return look(a, NULL, a->operands[0]); }
