/* help.c - see help.h. */
#include "cli/help.h"

#include <string.h>

/* What the exit statuses mean, in help and man page. */
static const char *const statuses[] = {
    "everything posted, duplicate or skipped; warnings; no error; all tests pass",
    "something in the input was rejected, quarantined or malformed, or a test failed",
    "options, rules, tables or keys are wrong; nothing was read",
    "the run stopped: input or output fault, full disk, limit of the machine",
};

/* What a first day needs, in the man page. */
static const struct {
    const char *line, *says;
} examples[] = {
    { "shunt test claims.map", "Run the tests that stand in the rules." },
    { "shunt run claims.map in.edi -o records.ndjson -e faults.ndjson -d letters",
      "Post a file; what is set aside goes to the folder letters." },
    { "shunt run claims.map letters/1-1.edi --only letters/1-1.units.json",
      "After the repair: commit the units that were set aside, and only those." },
    { "shunt dict 835 CLP05", "What an element is: usage, type, length, class of health information." },
    { "shunt get 2100.CLP04 in.edi", "The values at a path." },
};

/* Text in lines of at most `width` columns, each behind `indent` blanks; the first one stands where the caller is. */
static void wrap(FILE *out, const char *text, int indent, int width)
{
    int column = indent;
    while (*text) {
        size_t length = strcspn(text, " ");
        if (column > indent && column + 1 + (int)length > width) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        } else if (column > indent) {
            fputc(' ', out);
            column++;
        }
        fwrite(text, 1, length, out);
        column += (int)length;
        text += length + strspn(text + length, " ");
    }
    fputc('\n', out);
}

static bool takes(verb_id verb, int index) { return option_info[index].verbs & 1u << verb; }

void help_all(FILE *out)
{
    fputs("shunt turns healthcare messages into balanced finance postings, by rules.\n\nusage: shunt VERB [OPTION...] "
          "OPERAND...\n\n",
          out);
    for (int v = 0; v < VERB_COUNT; v++) fprintf(out, "  %-9s %s\n", verb_info[v].name, verb_info[v].summary);
    fputs("\n`shunt VERB --help` says more, `shunt --version` which version this is. Exit status:\n", out);
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) fprintf(out, "  %zu  %s\n", i, statuses[i]);
}

void help_verb(FILE *out, verb_id verb)
{
    const struct verb_info *info = &verb_info[verb];
    fprintf(out, "usage: shunt %s [OPTION...] %s\n\n", info->name, info->operands);
    wrap(out, info->description, 0, 100);
    fputc('\n', out);
    for (int o = 0; o < OPTION_COUNT; o++) {
        if (!takes(verb, o)) continue;
        char        left[64];
        const char *argument = option_info[o].argument;
        char        letter[5] = "    ";
        if (option_info[o].letter) snprintf(letter, sizeof letter, "-%c, ", option_info[o].letter);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, option_info[o].word, argument ? " " : "", argument ? argument : "");
        fprintf(out, "  %-28s ", left);
        wrap(out, option_info[o].help, 31, 110);
    }
}

/* Text of a man page: hyphens and a leading point or quote are escaped. */
static void roff(FILE *out, const char *text)
{
    if (*text == '.' || *text == '\'') fputs("\\&", out);
    for (; *text; text++) {
        if (*text == '-')
            fputs("\\-", out);
        else if (*text == '\\')
            fputs("\\e", out);
        else
            fputc(*text, out);
    }
}

void help_man(FILE *out)
{
    fprintf(out,
            ".TH SHUNT 1 \"\" \"shunt %s\" \"User Commands\"\n.SH NAME\nshunt \\- healthcare messages to balanced finance "
            "postings, by rules\n",
            SHUNT_VERSION);
    fputs(".SH SYNOPSIS\n", out);
    for (int v = 0; v < VERB_COUNT; v++) {
        fprintf(out, ".B shunt %s\n[OPTION...] ", verb_info[v].name);
        roff(out, verb_info[v].operands);
        fputs("\n.br\n", out);
    }
    fputs(".SH VERBS\n", out);
    for (int v = 0; v < VERB_COUNT; v++) {
        fprintf(out, ".SS %s ", verb_info[v].name);
        roff(out, verb_info[v].operands);
        fputc('\n', out);
        roff(out, verb_info[v].description);
        fputc('\n', out);
        for (int o = 0; o < OPTION_COUNT; o++) {
            if (!takes((verb_id)v, o)) continue;
            fputs(".TP\n.B ", out);
            if (option_info[o].letter) fprintf(out, "\\-%c, ", option_info[o].letter);
            fputs("\\-\\-", out);
            roff(out, option_info[o].word);
            if (option_info[o].argument) {
                fputs(" ", out);
                roff(out, option_info[o].argument);
            }
            fputc('\n', out);
            roff(out, option_info[o].help);
            fputc('\n', out);
        }
    }
    fputs(".SH EXAMPLES\n", out);
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        fputs(".TP\n.B ", out);
        roff(out, examples[i].line);
        fputc('\n', out);
        roff(out, examples[i].says);
        fputc('\n', out);
    }
    fputs(".SH EXIT STATUS\n", out);
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        fprintf(out, ".TP\n.B %zu\n", i);
        roff(out, statuses[i]);
        fputc('\n', out);
    }
}

/* A value of a few words, such as "tap|junit". */
static bool is_choice(const char *argument) { return argument && strchr(argument, '|'); }

/* Verbs at first; options where a word begins with `-`; the words of a choice behind its option; else what bash offers: files. */
void help_bash(FILE *out)
{
    fputs("_shunt() {\n    local cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=\n    if [ "
          "\"$COMP_CWORD\" -eq 1 ]; then\n        words='",
          out);
    for (int v = 0; v < VERB_COUNT; v++) fprintf(out, "%s%s", v ? " " : "", verb_info[v].name);
    fputs(" --help --version'\n    elif [[ $cur == -* ]]; then\n        case ${COMP_WORDS[1]} in\n", out);
    for (int v = 0; v < VERB_COUNT; v++) {
        fprintf(out, "        %s) words='", verb_info[v].name);
        bool first = true;
        for (int o = 0; o < OPTION_COUNT; o++) {
            if (!takes((verb_id)v, o)) continue;
            fprintf(out, "%s--%s", first ? "" : " ", option_info[o].word);
            first = false;
        }
        fputs("' ;;\n", out);
    }
    fputs("        esac\n    else\n        case ${COMP_WORDS[1]}:$before in\n", out);
    for (int v = 0; v < VERB_COUNT; v++) {
        for (int o = 0; o < OPTION_COUNT; o++) {
            if (!takes((verb_id)v, o) || !is_choice(option_info[o].argument)) continue;
            fprintf(out, "        %s:--%s", verb_info[v].name, option_info[o].word);
            if (option_info[o].letter) fprintf(out, "|%s:-%c", verb_info[v].name, option_info[o].letter);
            fputs(") words='", out);
            for (const char *c = option_info[o].argument; *c; c++) fputc(*c == '|' ? ' ' : *c, out);
            fputs("' ;;\n", out);
        }
    }
    fputs("        esac\n    fi\n    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\ncomplete -o default -F _shunt shunt\n",
          out);
}

/* Inside single quotes of a shell, and free of what zsh's _arguments reads as syntax. */
static void quoted(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", out);
        else if (*text == '[' || *text == ']' || *text == ':')
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
    }
}

void help_zsh(FILE *out)
{
    fputs("#compdef shunt\n_shunt() {\n    if (( CURRENT == 2 )); then\n        local verbs=(\n", out);
    for (int v = 0; v < VERB_COUNT; v++) {
        fprintf(out, "            '%s:", verb_info[v].name);
        quoted(out, verb_info[v].summary);
        fputs("'\n", out);
    }
    fputs("        )\n        _describe verb_id verbs\n        return\n    fi\n    case $words[2] in\n", out);
    for (int v = 0; v < VERB_COUNT; v++) {
        fprintf(out, "    %s) _arguments", verb_info[v].name);
        for (int o = 0; o < OPTION_COUNT; o++) {
            if (!takes((verb_id)v, o)) continue;
            fprintf(out, " '--%s[", option_info[o].word);
            quoted(out, option_info[o].help);
            fputs("]", out);
            if (option_info[o].argument) {
                fputs(":", out);
                quoted(out, option_info[o].argument);
                fputs(":_files", out);
            }
            fputs("'", out);
        }
        fputs(" '*:file:_files' ;;\n", out);
    }
    fputs("    esac\n}\n_shunt \"$@\"\n", out);
}

void help_fish(FILE *out)
{
    for (int v = 0; v < VERB_COUNT; v++) {
        fprintf(out, "complete -c shunt -n __fish_use_subcommand -a %s -d '", verb_info[v].name);
        quoted(out, verb_info[v].summary);
        fputs("'\n", out);
        for (int o = 0; o < OPTION_COUNT; o++) {
            if (!takes((verb_id)v, o)) continue;
            fprintf(out, "complete -c shunt -n '__fish_seen_subcommand_from %s' -l %s", verb_info[v].name, option_info[o].word);
            if (option_info[o].letter) fprintf(out, " -s %c", option_info[o].letter);
            if (option_info[o].argument) fputs(" -r", out);
            fputs(" -d '", out);
            quoted(out, option_info[o].help);
            fputs("'\n", out);
        }
    }
}
