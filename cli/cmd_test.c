/* cmd_test.c - `shunt test`: the test blocks of files and of all .map files below folders. */
#include <string.h>

#include "cli/cli.h"

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
    map_files             list = { 0 };
    int                   status = find_maps(a, &list), read = 0;
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
    free_maps(&list);
    shunt_definitions_free(definitions);
    return status;
}
