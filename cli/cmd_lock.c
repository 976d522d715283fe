/* cmd_lock.c - `shunt lock`: writes or checks the lock of a project. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"

typedef struct lock_text {
    char  *bytes; /* with a NUL behind them */
    size_t size;
} lock_text;

static bool keep(void *context, const void *bytes, size_t size)
{
    lock_text *t = context;
    char      *more = realloc(t->bytes, t->size + size + 1);
    if (!more) return false;
    memcpy(more + t->size, bytes, size);
    t->bytes = more;
    t->size += size;
    more[t->size] = 0;
    return true;
}

/* The folder of a project below `folder` holds the rules: they are of that one. */
static bool is_of_other(const char *folder, const char *rules)
{
    size_t      begin = strlen(folder);
    char       *path = malloc(strlen(rules) + sizeof "shunt.project");
    struct stat known;
    bool        other = false;
    if (!path) return false;
    for (const char *at = strchr(rules + begin + 1, '/'); at && !other; at = strchr(at + 1, '/')) {
        size_t length = (size_t)(at - rules) + 1;
        memcpy(path, rules, length);
        memcpy(path + length, "shunt.project", sizeof "shunt.project");
        other = stat(path, &known) == 0;
    }
    free(path);
    return other;
}

/* The next entry, without its line end; NULL at the end of the text. */
static const char *next_entry(const char **at, size_t *length)
{
    while (*at && **at) {
        const char *line = *at;
        *length = strcspn(line, "\n");
        *at = line + *length + (line[*length] == '\n');
        if (*length && *line != '#' && strncmp(line, "lock ", 5) != 0) return line;
    }
    return NULL;
}

static bool holds(const char *text, const char *entry, size_t entry_length)
{
    size_t length;
    for (const char *line; (line = next_entry(&text, &length)) != NULL;)
        if (length == entry_length && memcmp(line, entry, length) == 0) return true;
    return false;
}

static void print_entries_without(char sign, const char *text, const char *other)
{
    size_t length;
    for (const char *line; (line = next_entry(&text, &length)) != NULL;)
        if (!holds(other, line, length)) printf("%c %.*s\n", sign, (int)length, line);
}

static int make_lock(const char *project, const map_files *list, lock_text *now)
{
    shunt_messages *messages = NULL;
    shunt_result    result = shunt_lock(project, (const char *const *)list->items, list->count, NULL, keep, now, &messages);
    if (messages)
        (void)shunt_messages_print(messages, false, write_file, stderr);
    else if (result != SHUNT_DONE)
        fail(result, "%s: no memory", project);
    shunt_messages_free(messages);
    return (int)result;
}

static int write_lock(const char *path, const lock_text *now)
{
    safe_file out = { 0 };
    int       status = safe_open(&out, path);
    if (status) return status;
    if (fwrite(now->bytes, 1, now->size, out.file) != now->size)
        status = fail(SHUNT_SYSTEM_FAULT, "%s: %s", path, strerror(errno));
    int closed = safe_close(&out, status == 0);
    return status ? status : closed;
}

static int lock_project(const arguments *a, const char *folder, const char *project, const char *path)
{
    char       *roots[] = { (char *)(uintptr_t)folder };
    arguments   whole = { .operands = roots, .operand_count = 1 };
    map_files   list = { 0 };
    lock_text   now = { 0 }, was = { 0 };
    struct stat known;
    int         status = find_maps(&whole, &list);
    size_t      kept = 0;
    for (size_t i = 0; i < list.count; i++) {
        if (is_of_other(folder, list.items[i]))
            free(list.items[i]);
        else
            list.items[kept++] = list.items[i];
    }
    list.count = kept;
    if (status == 0) status = make_lock(project, &list, &now);
    if (status == 0 && stat(path, &known) == 0) {
        size_t         size;
        unsigned char *bytes = read_whole(path, &size);
        bool           fine = bytes && keep(&was, bytes, size);
        free(bytes);
        if (!fine) status = SHUNT_SYSTEM_FAULT;
    }
    bool check = a->value[OPTION_CHECK] != NULL, same = was.bytes && now.bytes && strcmp(was.bytes, now.bytes) == 0;
    if (status == 0) {
        print_entries_without('-', was.bytes, now.bytes);
        print_entries_without('+', now.bytes, was.bytes);
        if (check && !same)
            status = fail(SHUNT_INPUT_FAULT, "%s is not what the project is made of; `shunt lock %s` writes it", path, folder);
        else if (!same)
            status = write_lock(path, &now);
        if (status == 0) printf("%s: %s\n", path, same ? "fine" : "written");
    }
    free(now.bytes);
    free(was.bytes);
    free_maps(&list);
    return status;
}

int cmd_lock(const arguments *a)
{
    const char *folder = a->operand_count ? a->operands[0] : ".";
    size_t      size = strlen(folder) + sizeof "/shunt.project";
    char       *project = malloc(size), *path = malloc(size);
    struct stat known;
    int         status = project && path ? 0 : fail(SHUNT_SYSTEM_FAULT, "no memory");
    if (project && path) {
        bool here = strcmp(folder, ".") == 0, ends = folder[0] && folder[strlen(folder) - 1] == '/';
        snprintf(project, size, "%s%sshunt.project", here ? "" : folder, here || ends ? "" : "/");
        snprintf(path, size, "%s%sshunt.lock", here ? "" : folder, here || ends ? "" : "/");
        status = stat(project, &known) == 0
                     ? lock_project(a, folder, project, path)
                     : fail(SHUNT_RULES_FAULT, "%s: %s; a lock is made for the folder that has a project file", project,
                            strerror(errno));
    }
    free(project);
    free(path);
    return status;
}
