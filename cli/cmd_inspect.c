/* cmd_inspect.c - `shunt inspect` and `shunt get`. */
#include "cli/cli.h"

typedef struct looking {
    shunt_inspector *inspector;
} looking;

static shunt_result feed_inspector(void *context, const void *bytes, size_t size)
{
    return shunt_inspector_feed(((looking *)context)->inspector, bytes, size, false);
}

/* One file through an inspector of its own. */
static int look(const arguments *a, const char *path, const char *file)
{
    shunt_inspect_options options = { .size = sizeof options,
                                      .show_phi = a->value[OPTION_PHI] != NULL,
                                      .with_offset = a->value[OPTION_WITH_OFFSET] != NULL,
                                      .raw = a->value[OPTION_RAW] != NULL,
                                      .json = a->value[OPTION_JSON] != NULL };
    looking               state = { 0 };
    shunt_messages       *messages = NULL;
    int                   status = (int)shunt_inspector_new(&options, path, write_file, stdout, &state.inspector, &messages);
    if (messages) (void)shunt_messages_print(messages, false, write_file, stderr);
    shunt_messages_free(messages);
    if (status == 0) {
        status = feed_file(file, feed_inspector, &state);
        int last = status <= SHUNT_INPUT_FAULT ? (int)shunt_inspector_feed(state.inspector, NULL, 0, true) : status;
        if (last > status) status = last;
    }
    shunt_inspector_free(state.inspector);
    return status;
}

int cmd_inspect(const arguments *a) { return look(a, NULL, a->operands[0]); }

int cmd_get(const arguments *a)
{
    int status = 0;
    for (int i = 1; i < a->operand_count && status <= SHUNT_INPUT_FAULT; i++) {
        int one = look(a, a->operands[0], a->operands[i]);
        if (one > status) status = one;
    }
    return status;
}
