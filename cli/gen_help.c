/* gen_help.c - writes man page and completions when the project is built: gen_help man|bash|zsh|fish FILE */
#include <string.h>

#include "cli/help.h"

const struct verb_info verb_info[VERB_COUNT] = {
#define SHUNT_VERB(name, operands, fewest, most, summary, description)                                                           \
    [VERB_##name] = { #name, operands, summary, description, fewest, most, NULL },
#include "cli/verbs.def"
};
#define ON(verb) (1u << VERB_##verb)
const struct option_info option_info[OPTION_COUNT] = {
#define SHUNT_OPTION(name, verbs, letter, word, argument, help) [OPTION_##name] = { word, argument, help, verbs, letter },
#include "cli/options.def"
};

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*write)(FILE *out);
    } kinds[] = { { "man", help_man }, { "bash", help_bash }, { "zsh", help_zsh }, { "fish", help_fish } };
    if (argc != 3) return 2;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(argv[1], kinds[i].name) != 0) continue;
        FILE *out = fopen(argv[2], "w");
        if (!out) return 3;
        kinds[i].write(out);
        return fclose(out) == 0 ? 0 : 3;
    }
    return 2;
}
