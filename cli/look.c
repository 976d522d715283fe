/* look.c - feeds a file to an inspector; `inspect` and `get` share it. */
#include "cli/cli.h"

typedef struct looking {
    shunt_inspector *inspector;
} looking;

static shunt_result feed_inspector(void *context, const void *bytes, size_t size)
{
    return shunt_inspector_feed(((looking *)context)->inspector, bytes, size, false);
}

int look(const arguments *a, const char *path, const char *file)
{
    shunt_inspect_options options = { .size = sizeof options,
                                      .show_phi = a->value[OPTION_PHI] != NULL,
                                      .with_offset = a->value[OPTION_WITH_OFFSET] != NULL,
                                      .raw = a->value[OPTION_RAW] != NULL,
                                      .json = a->value[OPTION_JSON] != NULL };
    int                   read;
    shunt_definitions    *definitions = read_definitions(a, &read);
    if (read != 0) return read;
    options.definitions = definitions;
    looking         state = { 0 };
    shunt_messages *messages = NULL;
    int             status = (int)shunt_inspector_new(&options, path, write_file, stdout, &state.inspector, &messages);
    if (messages) (void)shunt_messages_print(messages, false, write_file, stderr);
    shunt_messages_free(messages);
    if (status == 0) {
        status = feed_file(file, feed_inspector, &state);
        int last = status <= SHUNT_INPUT_FAULT ? (int)shunt_inspector_feed(state.inspector, NULL, 0, true) : status;
        if (last > status) status = last;
        if (status == SHUNT_RULES_FAULT && shunt_inspector_why(state.inspector))
            fail(SHUNT_RULES_FAULT, "%s", shunt_inspector_why(state.inspector));
    }
    shunt_inspector_free(state.inspector);
    shunt_definitions_free(definitions);
    return status;
}
