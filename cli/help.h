/* help.h - texts drawn from verbs.def and options.def: --help, man page, shell completions. */
#ifndef SHUNT_CLI_HELP_H
#define SHUNT_CLI_HELP_H

#include "cli/cli.h"

void help_all(FILE *out);
void help_verb(FILE *out, verb_id verb);
void help_man(FILE *out);  /* man page, section 1 */
void help_bash(FILE *out); /* completion for bash */
void help_zsh(FILE *out);
void help_fish(FILE *out);

#endif
