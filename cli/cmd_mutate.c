/* cmd_mutate.c - `shunt mutate`: changes that the tests of rules do not notice. */
#include <errno.h>
#include <stdlib.h>

#include "cli/cli.h"

static bool write_now(void *context, const void *bytes, size_t size)
{
    (void)context;
    return fwrite(bytes, 1, size, stdout) == size && fflush(stdout) == 0;
}

int cmd_mutate(const arguments *a)
{
    int                   status = 0;
    uint64_t              limit = 0;
    bool                  json = a->value[OPTION_JSON] != NULL;
    shunt_mutants         all = { 0 };
    shunt_definitions    *definitions = read_definitions(a, &status);
    shunt_compile_options options = { .size = sizeof options, .definitions = definitions };
    if (status == 0 && a->value[OPTION_LIMIT]) {
        char *end = NULL;
        errno = 0;
        limit = strtoull(a->value[OPTION_LIMIT], &end, 10);
        if (errno || *end || limit == 0 || a->value[OPTION_LIMIT][0] == '-')
            status = fail(SHUNT_RULES_FAULT, "--limit is a number of mutants, not `%s`", a->value[OPTION_LIMIT]);
    }
    for (int i = 0; i < a->operand_count && status <= SHUNT_INPUT_FAULT; i++) {
        shunt_messages *messages = NULL;
        shunt_mutants   some = { 0 };
        shunt_result    result = shunt_mutate(a->operands[i], &options, limit, json, write_now, NULL, &some, &messages);
        if (messages) (void)shunt_messages_print(messages, false, write_file, stderr);
        if (!messages && result >= SHUNT_RULES_FAULT) fail(result, "%s: no memory, or standard output is closed", a->operands[i]);
        shunt_messages_free(messages);
        all.noticed += some.noticed;
        all.survived += some.survived;
        all.equivalent += some.equivalent;
        all.stillborn += some.stillborn;
        if ((int)result > status) status = (int)result;
    }
    uint64_t count = all.noticed + all.survived + all.equivalent;
    if (status <= SHUNT_INPUT_FAULT && !json)
        printf("%llu mutants: %llu noticed, %llu survived, %llu equivalent; %llu more are no rules\n", (unsigned long long)count,
               (unsigned long long)all.noticed, (unsigned long long)all.survived, (unsigned long long)all.equivalent,
               (unsigned long long)all.stillborn);
    shunt_definitions_free(definitions);
    return status;
}
