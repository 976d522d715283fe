/* cmd_test.c - `shunt test`: the test blocks of files and of all .map files below folders. */
#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

typedef struct paths {
    char **items;
    size_t count, capacity;
} paths;

static bool add(paths *list, const char *path)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 16;
        char **items = realloc(list->items, capacity * sizeof *items);
        if (!items) return false;
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count] = strdup(path);
    return list->items[list->count++] != NULL;
}

static int by_name(const FTSENT **a, const FTSENT **b) { return strcmp((*a)->fts_name, (*b)->fts_name); }

/* Files as named, folders by name, their .map files in order. */
static int collect(const arguments *a, paths *list)
{
    for (int i = 0; i < a->operand_count; i++) {
        char *const roots[] = { a->operands[i], NULL };
        FTS        *walk = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
        if (!walk) return fail(SHUNT_SYSTEM_FAULT, "%s: %s", a->operands[i], strerror(errno));
        for (FTSENT *entry; (entry = fts_read(walk)) != NULL;) {
            size_t length = entry->fts_pathlen;
            bool   map = length > 4 && strcmp(entry->fts_path + length - 4, ".map") == 0;
            int    status = 0;
            if (entry->fts_info == FTS_F && (map || entry->fts_level == FTS_ROOTLEVEL)) {
                if (!add(list, entry->fts_path)) status = fail(SHUNT_SYSTEM_FAULT, "no memory");
            } else if (entry->fts_info == FTS_NS || entry->fts_info == FTS_ERR || entry->fts_info == FTS_DNR) {
                status = fail(SHUNT_SYSTEM_FAULT, "%s: %s", entry->fts_path, strerror(entry->fts_errno));
            }
            if (status) {
                fts_close(walk);
                return status;
            }
        }
        fts_close(walk);
    }
    return list->count ? 0 : fail(SHUNT_RULES_FAULT, "no .map file there");
}

static void put_xml(const char *text)
{
    for (; *text; text++) {
        if (*text == '&')
            fputs("&amp;", stdout);
        else if (*text == '<')
            fputs("&lt;", stdout);
        else if (*text == '"')
            fputs("&quot;", stdout);
        else
            putchar(*text);
    }
}

/* A file whose tests could not run is a failed test of its own: who reads the results alone must not take it for an empty one. */
static void put_broken(bool junit, uint64_t number, const char *path)
{
    if (!junit) {
        printf("not ok %llu - %s: its tests could not run\n", (unsigned long long)number, path);
        return;
    }
    fputs("  <testsuite name=\"", stdout);
    put_xml(path);
    fputs("\" tests=\"1\" failures=\"1\">\n    <testcase classname=\"", stdout);
    put_xml(path);
    fputs("\" name=\"rules\">\n      <failure>its tests could not run</failure>\n    </testcase>\n  </testsuite>\n", stdout);
}

int cmd_test(const arguments *a)
{
    const char       *name = a->value[OPTION_FORMAT] ? a->value[OPTION_FORMAT] : "tap";
    bool              junit = strcmp(name, "junit") == 0;
    shunt_test_format format = junit ? SHUNT_TEST_JUNIT : SHUNT_TEST_TAP;
    if (!junit && strcmp(name, "tap") != 0) return fail(SHUNT_RULES_FAULT, "--format is tap or junit, not `%s`", name);
    paths                 list = { 0 };
    int                   status = collect(a, &list), read = 0;
    shunt_definitions    *definitions = read_definitions(a, &read);
    shunt_compile_options options = { .size = sizeof options, .definitions = definitions };
    if (read > status) status = read;
    if (status == 0) {
        uint64_t number = 1;
        fputs(junit ? "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n" : "TAP version 13\n", stdout);
        for (size_t i = 0; i < list.count; i++) {
            shunt_test_totals totals = { 0 };
            shunt_messages   *messages = NULL;
            shunt_result result = shunt_test(list.items[i], &options, format, number, write_file, stdout, &totals, &messages);
            if (messages) (void)shunt_messages_print(messages, false, write_file, stderr);
            shunt_messages_free(messages);
            if (result >= SHUNT_RULES_FAULT) {
                put_broken(junit, number, list.items[i]);
                totals.failed = 1, totals.passed = 0;
            }
            number += totals.passed + totals.failed;
            if ((int)result > status) status = (int)result;
        }
        if (junit)
            fputs("</testsuites>\n", stdout);
        else
            printf("1..%llu\n", (unsigned long long)number - 1);
    }
    for (size_t i = 0; i < list.count; i++) free(list.items[i]);
    free(list.items);
    shunt_definitions_free(definitions);
    return status;
}
