/* given.c - what runs are given beside rules and inputs: tables, the token key. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

/* Replaces tables as --table says, one program on top of the other. Each `chain` entry is to be released. */
int take_tables(const arguments *a, shunt_program **chain, int *count)
{
    for (int i = 0; i < a->table_count; i++) {
        const char *equals = strchr(a->tables[i], '=');
        if (!equals || equals == a->tables[i]) return fail(SHUNT_RULES_FAULT, "--table needs NAME=FILE, not `%s`", a->tables[i]);
        char *name = strndup(a->tables[i], (size_t)(equals - a->tables[i]));
        if (!name) return fail(SHUNT_SYSTEM_FAULT, "no memory");
        size_t          size;
        unsigned char  *csv = read_whole(equals + 1, &size);
        shunt_messages *messages = NULL;
        shunt_result    result = SHUNT_RULES_FAULT;
        if (csv) result = shunt_with_table(chain[*count - 1], name, equals + 1, csv, size, NULL, &chain[*count], &messages);
        if (messages) (void)shunt_messages_print(messages, false, write_file, stderr);
        shunt_messages_free(messages);
        free(csv);
        free(name);
        if (result != SHUNT_DONE) return (int)result;
        ++*count;
    }
    return 0;
}

unsigned char *token_key(const arguments *a, size_t *size, int *status)
{
    unsigned char *key = read_whole(a->value[OPTION_TOKEN_KEY], size);
    if (!key) {
        *status = SHUNT_RULES_FAULT;
        return NULL;
    }
    while (*size && (key[*size - 1] == '\n' || key[*size - 1] == '\r')) --*size;
    if (!*size) *status = fail(SHUNT_RULES_FAULT, "%s: the key is empty", a->value[OPTION_TOKEN_KEY]);
    return key;
}
