/* cmd_validate.c - `shunt validate`: messages held against their standard. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"

enum { MOST_FINDINGS = 1000000000 };

static shunt_result feed_validator(void *context, const void *bytes, size_t size)
{
    return shunt_validator_feed(context, bytes, size, false);
}

static bool drop(void *context, const void *bytes, size_t size)
{
    (void)context, (void)bytes, (void)size;
    return true;
}

static int validate_one(const char *file, shunt_validate_options *options, bool silent)
{
    shunt_validator *validator;
    shunt_messages  *messages = NULL;
    options->name = file;
    int status = (int)shunt_validator_new(options, silent ? drop : write_file, stdout, &validator, &messages);
    if (messages) (void)shunt_messages_print(messages, false, write_file, stderr);
    shunt_messages_free(messages);
    if (status != 0) return status;
    status = feed_file(file, feed_validator, validator);
    int last = status <= SHUNT_INPUT_FAULT ? (int)shunt_validator_feed(validator, NULL, 0, true) : status;
    if (last > status) status = last;
    shunt_validator_free(validator);

    return status;
}

/* A whole number within the limit; no text leaves what is there. */
static bool read_most(const char *text, uint32_t *most)
{
    char *end;
    if (!text) return true;
    if (*text < '0' || *text > '9') return false;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno || *end || number < 1 || number > MOST_FINDINGS) return false;
    *most = (uint32_t)number;
    return true;
}

int cmd_validate(const arguments *a)
{
    const char *ack = a->value[OPTION_ACK];
    char        now[32];
    time_t      clock = time(NULL);
    struct tm   split;
    safe_file   answers = { 0 };
    int         status = 0;
    bool        on_output = ack && strcmp(ack, "-") == 0;
    if (!gmtime_r(&clock, &split) || !strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", &split)) now[0] = 0;
    shunt_validate_options options = { .size = sizeof options,
                                       .snip = a->value[OPTION_SNIP],
                                       .json = a->value[OPTION_JSON] != NULL,
                                       .show_phi = a->value[OPTION_PHI] != NULL,
                                       .fhir = a->value[OPTION_FHIR],
                                       .sender = a->value[OPTION_SENDER],
                                       .receiver = a->value[OPTION_RECEIVER],
                                       .made_at = a->value[OPTION_RECEIVED_AT] ? a->value[OPTION_RECEIVED_AT] : now };
    if (!read_most(a->value[OPTION_MAX_FINDINGS], &options.max_findings))
        return fail(SHUNT_RULES_FAULT, "--max-findings is a number from 1 to %u, not `%s`", MOST_FINDINGS,
                    a->value[OPTION_MAX_FINDINGS]);
    shunt_definitions *definitions = read_definitions(a, &status);
    if (status != 0) return status;
    options.definitions = definitions;
    if (ack) {
        status = safe_open(&answers, on_output ? NULL : ack);
        if (status != 0) {
            shunt_definitions_free(definitions);
            return status;
        }
        options.acknowledge = write_file;
        options.acknowledge_context = answers.file;
    }
    for (int i = 0; i < a->operand_count && status <= SHUNT_INPUT_FAULT; i++) {
        int one = validate_one(a->operands[i], &options, on_output);
        if (one > status) status = one;
    }
    if (ack) {
        int closed = safe_close(&answers, status <= SHUNT_INPUT_FAULT);
        if (closed > status) status = closed;
    }
    shunt_definitions_free(definitions);
    return status;
}
