/* letter.c - whether an input is the dead letter that a list of units comes with. Units are listed by their ordinals, so a list run over
 * another file, the whole one most likely, would post what was posted before. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

enum { CONTROL = 250 }; /* no standard has longer ones */

typedef struct sets {
    shunt_inspector *inspector;
    char   text[4 * (CONTROL + 1)]; /* the first control numbers, a line each; what is longer is another message already */
    size_t length;
    bool   more;
} sets;

static bool keep(void *context, const void *bytes, size_t size)
{
    sets  *s = context;
    size_t room = sizeof s->text - s->length, taken = size < room ? size : room;
    memcpy(s->text + s->length, bytes, taken);
    s->length += taken;
    s->more = s->more || taken < size;
    return true;
}

static shunt_result feed(void *context, const void *bytes, size_t size)
{
    return shunt_inspector_feed(((sets *)context)->inspector, bytes, size, false);
}

int letter_fits(const char *list_path, const char *list, size_t list_length, const char *input)
{
    static const char     member[] = "\"control\":\"";
    shunt_inspect_options options = { .size = sizeof options, .controls = true };
    sets                  s = { 0 };
    const char           *control = memmem(list, list_length, member, sizeof member - 1);
    if (!control || strcmp(input, "-") == 0) return 0; /* a list without it is refused elsewhere; standard input is read once */
    control += sizeof member - 1;
    const char *end = memchr(control, '"', list_length - (size_t)(control - list));
    if (!end || end == control || memchr(control, '\\', (size_t)(end - control)))
        return 0; /* none, or none that is easily told */
    int status = (int)shunt_inspector_new(&options, NULL, keep, &s, &s.inspector, NULL);
    if (status == 0) status = feed_file(input, feed, &s);
    if (status <= SHUNT_INPUT_FAULT) status = (int)shunt_inspector_feed(s.inspector, NULL, 0, true);
    shunt_inspector_free(s.inspector);
    if (status > SHUNT_INPUT_FAULT) return status;
    size_t length = (size_t)(end - control);
    if (!s.more && s.length == length + 1 && memcmp(s.text, control, length) == 0) return 0;
    return fail(SHUNT_RULES_FAULT, "%s is not the letter that %s comes with: that one holds transaction %.*s and no other", input,
                list_path, (int)length, control);
}
