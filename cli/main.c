/* main.c - reads the command line by the tables verbs.def and options.def and calls the verb. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/help.h"

const struct verb_info verb_info[VERB_COUNT] = {
#define SHUNT_VERB(name, operands, fewest, most, summary, description)                                                           \
    [VERB_##name] = { #name, operands, summary, description, fewest, most, cmd_##name },
#include "cli/verbs.def"
};

#define ON(verb) (1u << VERB_##verb)
const struct option_info option_info[OPTION_COUNT] = {
#define SHUNT_OPTION(name, verbs, letter, word, argument, help) [OPTION_##name] = { word, argument, help, verbs, letter },
#include "cli/options.def"
};

int fail(shunt_result status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("shunt: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return (int)status;
}

/* The option of the verb with this long name or letter, or OPTION_COUNT. */
static option_id find_option(verb_id verb, const char *word, size_t length, char letter)
{
    for (int o = 0; o < OPTION_COUNT; o++) {
        if (!(option_info[o].verbs & 1u << verb)) continue;
        if (word ? strlen(option_info[o].word) == length && memcmp(option_info[o].word, word, length) == 0
                 : option_info[o].letter != 0 && option_info[o].letter == letter)
            return (option_id)o;
    }
    return OPTION_COUNT;
}

static void keep(arguments *a, option_id o, const char *value)
{
    a->value[o] = value;
    if (o == OPTION_TABLE) a->tables[a->table_count++] = value;
    if (o == OPTION_DICTIONARY) a->dictionaries[a->dictionary_count++] = value;
}

/* Reads one option at argv[*i]. A status, 0 = fine. */
static int read_option(arguments *a, int argc, char **argv, int *i)
{
    const char *word = argv[*i];
    const char *name = verb_info[a->verb].name;
    if (word[1] == '-') {
        const char *equals = strchr(word, '=');
        size_t      length = equals ? (size_t)(equals - word - 2) : strlen(word + 2);
        option_id   o = find_option(a->verb, word + 2, length, 0);
        if (o == OPTION_COUNT)
            return fail(SHUNT_RULES_FAULT, "%s takes no option `%.*s`; see `shunt %s --help`", name, (int)length + 2, word, name);
        if (!option_info[o].argument) {
            if (equals) return fail(SHUNT_RULES_FAULT, "`--%s` takes no value", option_info[o].word);
            keep(a, o, "");
            return 0;
        }
        if (!equals && *i + 1 >= argc) return fail(SHUNT_RULES_FAULT, "`%s` needs a value: %s", word, option_info[o].argument);
        keep(a, o, equals ? equals + 1 : argv[++*i]);
        return 0;
    }
    for (const char *letter = word + 1; *letter; letter++) {
        option_id o = find_option(a->verb, NULL, 0, *letter);
        if (o == OPTION_COUNT)
            return fail(SHUNT_RULES_FAULT, "%s takes no option `-%c`; see `shunt %s --help`", name, *letter, name);
        if (!option_info[o].argument) {
            keep(a, o, "");
            continue;
        }
        if (letter[1] == 0 && *i + 1 >= argc)
            return fail(SHUNT_RULES_FAULT, "`-%c` needs a value: %s", *letter, option_info[o].argument);
        keep(a, o, letter[1] ? letter + 1 : argv[++*i]);
        return 0;
    }
    return 0;
}

static int run_verb(verb_id verb, int argc, char **argv)
{
    arguments a = { .verb = verb };
    a.operands = calloc((size_t)argc + 1, sizeof *a.operands);
    a.tables = calloc((size_t)argc + 1, sizeof *a.tables);
    a.dictionaries = calloc((size_t)argc + 1, sizeof *a.dictionaries);
    if (!a.operands || !a.tables || !a.dictionaries) {
        free(a.operands);
        free(a.tables);
        free(a.dictionaries);
        return fail(SHUNT_SYSTEM_FAULT, "no memory");
    }
    int status = 0;
    for (int i = 2; i < argc && status == 0; i++) {
        if (strcmp(argv[i], "--") == 0) {
            while (++i < argc) a.operands[a.operand_count++] = argv[i];
        } else if (argv[i][0] == '-' && argv[i][1] != 0 && (argv[i][1] < '0' || argv[i][1] > '9')) { /* a negative key is none */
            status = read_option(&a, argc, argv, &i);
        } else {
            a.operands[a.operand_count++] = argv[i];
        }
    }
    const struct verb_info *info = &verb_info[verb];
    if (status == 0) {
        if (a.value[OPTION_HELP])
            help_verb(stdout, verb);
        else if (a.operand_count < info->fewest || (info->most >= 0 && a.operand_count > info->most))
            status = fail(SHUNT_RULES_FAULT, "usage: shunt %s [OPTION...] %s", info->name, info->operands);
        else
            status = info->run(&a);
    }
    errno = 0;
    if (status == 0 && (fflush(stdout) != 0 || ferror(stdout))) {
        /* Who closed the pipe (`shunt dict 835 | head`) has seen enough; `run` and `compile` have said so themselves. */
        status =
            errno == EPIPE || errno == 0 ? SHUNT_SYSTEM_FAULT : fail(SHUNT_SYSTEM_FAULT, "standard output: %s", strerror(errno));
    }
    free(a.operands);
    free(a.tables);
    free(a.dictionaries);
    return status;
}

/* Where a standard stream is closed, the first file opened would take its number, and messages would end up among records. What takes its
 * place fails as a closed one does; only messages, which nobody wants then, go nowhere. */
static void hold_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) (void)open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_WRONLY);
}

int main(int argc, char **argv)
{
    hold_standard_streams();
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is an output fault with its status, not a death in the midst of a run */
    if (argc < 2) {
        help_all(stderr);
        return SHUNT_RULES_FAULT;
    }
    for (int v = 0; v < VERB_COUNT; v++)
        if (strcmp(argv[1], verb_info[v].name) == 0) return run_verb((verb_id)v, argc, argv);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        help_all(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("shunt %s\n", shunt_version());
        return 0;
    }
    return fail(SHUNT_RULES_FAULT, "no verb `%s`; see `shunt --help`", argv[1]);
}
