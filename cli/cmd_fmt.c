/* cmd_fmt.c - `shunt fmt`: rules in their one layout, in place. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

typedef struct text {
    char  *bytes;
    size_t length, capacity;
} text;

static bool append(void *context, const void *bytes, size_t size)
{
    text *t = context;
    if (t->capacity - t->length < size) {
        size_t capacity = t->capacity * 2 > t->length + size ? t->capacity * 2 : t->length + size;
        char  *more = realloc(t->bytes, capacity);
        if (!more) return false;
        t->bytes = more;
        t->capacity = capacity;
    }
    if (size) memcpy(t->bytes + t->length, bytes, size);
    t->length += size;
    return true;
}

static shunt_result keep_piece(void *context, const void *bytes, size_t size)
{
    return append(context, bytes, size) ? SHUNT_DONE : SHUNT_SYSTEM_FAULT;
}

/* The layout of `in`. A status, after having printed what is wrong. */
static int lay_out(const char *name, const text *in, text *out)
{
    shunt_messages *messages = NULL;
    shunt_result    result = shunt_format(name, in->bytes ? in->bytes : "", in->length, NULL, append, out, &messages);
    if (messages) (void)shunt_messages_print(messages, false, write_file, stderr);
    if (!messages && result != SHUNT_DONE) fail(result, "%s: no memory", name);
    shunt_messages_free(messages);
    return (int)result;
}

/* The permissions of the file stay, and a link stays one: what it names is replaced. */
static int replace(const char *path, const text *out)
{
    struct stat known;
    safe_file   file = { 0 };
    char       *real = realpath(path, NULL);
    if (!real || stat(real, &known) != 0) {
        free(real);
        return fail(SHUNT_SYSTEM_FAULT, "%s: %s", path, strerror(errno));
    }
    int status = access(real, W_OK) == 0 ? safe_open(&file, real) : fail(SHUNT_SYSTEM_FAULT, "%s: %s", path, strerror(errno));
    if (status == 0 && !write_file(file.file, out->bytes, out->length))
        status = fail(SHUNT_SYSTEM_FAULT, "%s: %s", path, strerror(errno));
    int closed = safe_close(&file, status == 0);
    if (status == 0) status = closed;
    if (status == 0 && S_ISREG(known.st_mode) && chmod(real, known.st_mode & 07777) != 0)
        status = fail(SHUNT_SYSTEM_FAULT, "%s: %s", path, strerror(errno));
    free(real);
    return status;
}

static int format_one(const arguments *a, const char *path)
{
    text        in = { 0 }, out = { 0 };
    bool        standard = strcmp(path, "-") == 0;
    const char *to = a->value[OPTION_OUTPUT] ? a->value[OPTION_OUTPUT] : standard ? "-" : NULL;
    int         status = feed_file(path, keep_piece, &in);
    if (status == 0) status = lay_out(standard ? "standard input" : path, &in, &out);
    bool same = status == 0 && in.length == out.length && (in.length == 0 || memcmp(in.bytes, out.bytes, in.length) == 0);
    if (status == 0 && a->value[OPTION_CHECK]) {
        if (!same) printf("%s\n", standard ? "standard input" : path);
        status = same ? 0 : SHUNT_INPUT_FAULT;
    } else if (status == 0 && to) {
        safe_file file = { 0 };
        status = safe_open(&file, to);
        if (status == 0 && out.length && !write_file(file.file, out.bytes, out.length))
            status = fail(SHUNT_SYSTEM_FAULT, "%s: %s", to, strerror(errno));
        int closed = safe_close(&file, status == 0);
        if (status == 0) status = closed;
    } else if (status == 0 && !same) {
        status = replace(path, &out);
    }
    free(in.bytes);
    free(out.bytes);
    return status;
}

int cmd_fmt(const arguments *a)
{
    map_files list = { 0 };
    bool      standard = a->operand_count == 1 && strcmp(a->operands[0], "-") == 0;
    if (a->value[OPTION_CHECK] && a->value[OPTION_OUTPUT])
        return fail(SHUNT_RULES_FAULT, "--check writes nothing, so --output has nothing to take");
    if (standard) return format_one(a, "-");
    int status = find_maps(a, &list);
    if (status == 0 && a->value[OPTION_OUTPUT] && list.count != 1)
        status = fail(SHUNT_RULES_FAULT, "--output takes one file, and %zu are named", list.count);
    for (size_t i = 0; status <= SHUNT_RULES_FAULT && i < list.count; i++) {
        int one = format_one(a, list.items[i]);
        if (one > status) status = one;
    }
    free_maps(&list);
    return status;
}
