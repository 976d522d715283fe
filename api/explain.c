/* explain.c - the page of a code: its section of docs/diagnostics.md or docs/exceptions.md; and cards of the language, which are sections of
 * docs/language.md. All of them are part of the library. */
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

/* Cards of the language, by the headings of their sections. */
static const struct {
    const char *topic, *heading, *about;
} topics[] = {
    { "syntax", "## 4 Grammar", "how rules are written" },
    { "types", "## 5 Types, absence, failure", "what values there are, and what may be absent" },
    { "operators", "### Operators", "what joins and compares values" },
    { "functions", "## 16 Built-ins", "what is built in" },
};

/* Where the section ends that begins at `at`: at the next heading of its depth or above. */
static size_t end_of_section(size_t at, bool sub)
{
    for (size_t i = at + 3; i + 4 < shunt_pages_size; i++)
        if (shunt_pages[i] == '\n' &&
            (memcmp(shunt_pages + i + 1, "## ", 3) == 0 || (sub && memcmp(shunt_pages + i + 1, "### ", 4) == 0)))
            return i + 1;
    return shunt_pages_size;
}

static shunt_result explain_topic(size_t topic, shunt_write write, void *context)
{
    const char *heading = topics[topic].heading;
    size_t      length = strlen(heading);
    for (size_t at = 1; at + length < shunt_pages_size; at++) {
        if (shunt_pages[at - 1] != '\n' || memcmp(shunt_pages + at, heading, length) != 0) continue;
        size_t end = end_of_section(at, heading[2] == '#');
        while (end > at && shunt_pages[end - 1] == '\n') end--;
        bool fine = write(context, shunt_pages + at, end - at) && write(context, "\n", 1);
        return fine ? SHUNT_DONE : SHUNT_SYSTEM_FAULT;
    }
    return SHUNT_RULES_FAULT;
}

static bool is_code(const char *title) /* "E0301 may be absent", "X12_LATE ..." */
{
    return title[0] >= 'A' && title[0] <= 'Z' && ((title[1] >= 'A' && title[1] <= 'Z') || (title[1] >= '0' && title[1] <= '9'));
}

static shunt_result list_all(shunt_write write, void *context)
{
    bool fine = true;
    char line[200];
    for (size_t i = 0; i < sizeof topics / sizeof *topics && fine; i++) {
        int size = snprintf(line, sizeof line, "%-9s  %s\n", topics[i].topic, topics[i].about);
        fine = write(context, line, (size_t)size);
    }
    for (size_t at = next_heading(0); at < shunt_pages_size && fine; at = next_heading(at + 3)) {
        const char *title = shunt_pages + at + 3, *end = memchr(title, '\n', shunt_pages_size - at - 3);
        if (end && is_code(title)) fine = write(context, title, (size_t)(end - title) + 1);
    }
    return fine ? SHUNT_DONE : SHUNT_SYSTEM_FAULT;
}

shunt_result shunt_explain(const char *code, shunt_write write, void *context)
{
    size_t length = strlen(code);
    if (length == 0) return list_all(write, context);
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
        if (strcasecmp(code, topics[i].topic) == 0) return explain_topic(i, write, context);
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
