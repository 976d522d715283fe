/* explain.c - the page of a code: its section of docs/diagnostics.md or docs/exceptions.md, which are part of the library. */
#include <stdio.h>
#include <strings.h>

#include "api/api.h"

extern const char   shunt_pages[]; /* made by cmake/embed.cmake */
extern const size_t shunt_pages_size;

/* The next heading "## CODE ..." at or after `at`, or the end. */
static size_t next_heading(size_t at)
{
    while (at < shunt_pages_size) {
        if ((at == 0 || shunt_pages[at - 1] == '\n') && shunt_pages_size - at > 3 && memcmp(shunt_pages + at, "## ", 3) == 0)
            return at;
        at++;
    }
    return shunt_pages_size;
}

shunt_result shunt_explain(const char *code, shunt_write write, void *context)
{
    size_t length = strlen(code);
    for (size_t at = next_heading(0), end; at < shunt_pages_size; at = end) {
        end = next_heading(at + 3);
        const char *title = shunt_pages + at + 3;
        size_t      left = shunt_pages_size - at - 3;
        if (left <= length || strncasecmp(title, code, length) != 0 || (title[length] != ' ' && title[length] != '\n')) continue;
        while (end > at && shunt_pages[end - 1] == '\n') end--;
        bool fine = write(context, title, end - at - 3) && write(context, "\n", 1);
        return fine ? SHUNT_DONE : SHUNT_SYSTEM_FAULT;
    }
    shunt_status status;
    if (!shunt_status_find(code, &status)) return SHUNT_RULES_FAULT;
    const struct shunt_status_info *info = &shunt_status_info[status];
    char                            line[300];
    int size = snprintf(line, sizeof line, "%s  %s (%s, %s)\n", info->code, info->meaning, shunt_severity_name(info->severity),
                        shunt_class_name(info->class));
    return write(context, line, (size_t)size) ? SHUNT_DONE : SHUNT_SYSTEM_FAULT;
}
