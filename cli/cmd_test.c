/* cmd_test.c - `shunt test`: the test blocks of files and of all .map files below folders. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

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

/* ---- what was read ---- */

/* Files that the last run read, with what tells that they have changed. */
typedef struct seen_file {
    char           *path;
    struct timespec changed;
    off_t           size;
} seen_file;
typedef struct seen_files {
    seen_file *items;
    size_t     count, capacity;
} seen_files;

static seen_file look_at(const char *path)
{
    struct stat known;
    seen_file   seen = { 0 };
    if (stat(path, &known) == 0) seen.changed = known.st_mtim, seen.size = known.st_size;
    return seen;
}

static void remember(seen_files *files, const char *path)
{
    for (size_t i = 0; i < files->count; i++)
        if (strcmp(files->items[i].path, path) == 0) return;
    if (files->count == files->capacity) {
        size_t     capacity = files->capacity ? files->capacity * 2 : 16;
        seen_file *items = realloc(files->items, capacity * sizeof *items);
        if (!items) return; /* it is not watched */
        files->items = items;
        files->capacity = capacity;
    }
    seen_file seen = look_at(path);
    seen.path = strdup(path);
    if (seen.path) files->items[files->count++] = seen;
}

static void forget(seen_files *files)
{
    for (size_t i = 0; i < files->count; i++) free(files->items[i].path);
    free(files->items);
    *files = (seen_files){ 0 };
}

/* The first file that is not as it was; NULL where all are. */
static const char *changed_file(const seen_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        const seen_file *was = &files->items[i];
        seen_file        is = look_at(was->path);
        if (is.size != was->size || is.changed.tv_sec != was->changed.tv_sec || is.changed.tv_nsec != was->changed.tv_nsec)
            return was->path;
    }
    return NULL;
}

/* shunt_read_file that remembers what it read: rules, imports, rows of decisions. */
static int read_and_remember(void *context, const shunt_allocator *allocator, const char *path, unsigned char **bytes,
                             size_t *size)
{
    enum { FIRST = 1 << 14, MOST = 64 << 20 };
    FILE *in = fopen(path, "rb");
    int   error = in ? 0 : errno ? errno : EIO;
    remember(context, path);
    if (!in) return error;
    size_t         room = FIRST, used = 0;
    unsigned char *block = allocator->allocate(allocator->context, room);
    while (block) {
        used += fread(block + used, 1, room - used, in);
        if (used < room) break;
        unsigned char *more = room < MOST ? allocator->resize(allocator->context, block, room * 2) : NULL;
        if (!more) {
            error = room < MOST ? ENOMEM : EFBIG;
            break;
        }
        block = more;
        room *= 2;
    }
    if (!block) error = ENOMEM;
    if (!error && ferror(in)) error = errno ? errno : EIO;
    fclose(in);
    if (error) {
        if (block) allocator->release(allocator->context, block);
        return error;
    }
    *bytes = block;
    *size = used;
    return 0;
}

/* ---- stored answers ---- */

/* The folders of a path, those that are not there yet. */
static int make_folders(const char *path)
{
    char *copy = strdup(path);
    int   error = copy ? 0 : ENOMEM;
    for (char *at = copy; error == 0 && at && (at = strchr(at + 1, '/')) != NULL; *at = '/') {
        *at = 0;
        if (mkdir(copy, 0777) != 0 && errno != EEXIST) error = errno;
    }
    free(copy);
    return error;
}

static int store_answer(void *context, const char *path, const void *bytes, size_t size)
{
    bool      junit = *(const bool *)context;
    int       error = make_folders(path);
    safe_file out = { 0 };
    if (error) return error;
    errno = 0;
    bool fine = safe_open(&out, path) == 0 && fwrite(bytes, 1, size, out.file) == size;
    error = errno;
    if (safe_close(&out, fine) != 0 || !fine) return error ? error : errno ? errno : EIO;
    if (!junit) printf("# stored %s\n", path);
    return 0;
}

/* ---- a run of all tests ---- */

typedef struct test_run {
    const arguments   *arguments;
    shunt_definitions *definitions;
    shunt_test_format  format;
    seen_files         read;
} test_run;

/* Each line behind "# ", as TAP has comments. */
static bool write_comment(void *context, const void *bytes, size_t size)
{
    bool *inside = context; /* of a line */
    for (const char *at = bytes, *end = at + size; at < end; at++) {
        if (!*inside && fputs("# ", stdout) == EOF) return false;
        *inside = *at != '\n';
        if (putchar(*at) == EOF) return false;
    }
    return true;
}

static int write_coverage(const arguments *a, const shunt_coverage *coverage)
{
    const char           *name = a->value[OPTION_COVERAGE], *to = a->value[OPTION_OUTPUT];
    shunt_coverage_format format = strcmp(name, "json") == 0   ? SHUNT_COVERAGE_JSON
                                   : strcmp(name, "lcov") == 0 ? SHUNT_COVERAGE_LCOV
                                                               : SHUNT_COVERAGE_TEXT;
    bool                  inside = false;
    safe_file             out = { 0 };
    if (!to) return (int)shunt_coverage_write(coverage, format, write_comment, &inside);
    int status = safe_open(&out, to);
    if (status == 0 && shunt_coverage_write(coverage, format, write_file, out.file) != SHUNT_DONE)
        status = fail(SHUNT_SYSTEM_FAULT, "%s: %s", to, strerror(errno));
    int closed = safe_close(&out, status == 0);
    return status ? status : closed;
}

static int run_files(test_run *run, const map_files *list)
{
    bool                  junit = run->format == SHUNT_TEST_JUNIT;
    shunt_compile_options options = { .size = sizeof options,
                                      .definitions = run->definitions,
                                      .extern_folder = run->arguments->value[OPTION_ALLOW_EXTERN],
                                      .read_file = read_and_remember,
                                      .read_context = &run->read,
                                      .find_project = true,
                                      .store = run->arguments->value[OPTION_UPDATE] ? store_answer : NULL,
                                      .store_context = &junit };
    shunt_coverage       *coverage = NULL;
    uint64_t              number = 1;
    int                   status = 0;
    if (run->arguments->value[OPTION_COVERAGE] && shunt_coverage_new(NULL, &coverage) != SHUNT_DONE)
        return fail(SHUNT_SYSTEM_FAULT, "no memory");
    fputs(junit ? "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n" : "TAP version 13\n", stdout);
    for (size_t i = 0; i < list->count; i++) {
        shunt_test_totals totals = { 0 };
        shunt_messages   *messages = NULL;
        shunt_result      result =
            shunt_test_covered(list->items[i], &options, run->format, number, write_file, stdout, &totals, coverage, &messages);
        if (messages) (void)shunt_messages_print(messages, false, write_file, stderr);
        shunt_messages_free(messages);
        if (result >= SHUNT_RULES_FAULT) {
            put_broken(junit, number, list->items[i]);
            totals.failed = 1, totals.passed = 0;
        }
        number += totals.passed + totals.failed;
        if ((int)result > status) status = (int)result;
    }
    if (junit)
        fputs("</testsuites>\n", stdout);
    else
        printf("1..%llu\n", (unsigned long long)number - 1);
    if (coverage) {
        int written = write_coverage(run->arguments, coverage);
        if (written > status) status = written;
    }
    shunt_coverage_free(coverage);
    return status;
}

static int run_once(test_run *run)
{
    map_files list = { 0 };
    int       status = find_maps(run->arguments, &list);
    forget(&run->read);
    for (size_t i = 0; i < list.count; i++) remember(&run->read, list.items[i]);
    if (status == 0) status = run_files(run, &list);
    free_maps(&list);
    return status;
}

/* Files that came or went. */
static bool other_files(const test_run *run)
{
    map_files list = { 0 };
    bool      other = find_maps(run->arguments, &list) != 0;
    for (size_t i = 0; i < list.count && !other; i++) {
        bool known = false;
        for (size_t k = 0; k < run->read.count && !known; k++) known = strcmp(run->read.items[k].path, list.items[i]) == 0;
        other = !known;
    }
    free_maps(&list);
    return other;
}

/* Until it is interrupted: runs when anything that the last run read has changed, and has stopped changing. */
static int watch(test_run *run)
{
    const struct timespec pause = { .tv_nsec = 200 * 1000 * 1000 };
    for (;;) {
        (void)run_once(run);
        printf("# waiting for a change; interrupt to stop\n");
        if (fflush(stdout) != 0) return SHUNT_SYSTEM_FAULT;
        const char *changed = NULL;
        while (!changed && !other_files(run)) {
            nanosleep(&pause, NULL);
            changed = changed_file(&run->read);
        }
        nanosleep(&pause, NULL); /* an editor writes more than once */
        if (isatty(STDOUT_FILENO)) fputs("\033[H\033[2J", stdout);
        printf("# again: %s changed\n", changed ? changed : "the list of files");
    }
}

int cmd_test(const arguments *a)
{
    const char *name = a->value[OPTION_FORMAT] ? a->value[OPTION_FORMAT] : "tap", *coverage = a->value[OPTION_COVERAGE];
    int         status = 0;
    test_run    run = { .arguments = a, .format = strcmp(name, "junit") == 0 ? SHUNT_TEST_JUNIT : SHUNT_TEST_TAP };
    if (run.format == SHUNT_TEST_TAP && strcmp(name, "tap") != 0)
        return fail(SHUNT_RULES_FAULT, "--format is tap or junit, not `%s`", name);
    if (coverage && strcmp(coverage, "text") != 0 && strcmp(coverage, "json") != 0 && strcmp(coverage, "lcov") != 0)
        return fail(SHUNT_RULES_FAULT, "--coverage is text, json or lcov, not `%s`", coverage);
    if (a->value[OPTION_OUTPUT] && !coverage)
        return fail(SHUNT_RULES_FAULT, "--output takes what --coverage finds; give that too");
    if (coverage && !a->value[OPTION_OUTPUT] && (strcmp(coverage, "text") != 0 || run.format == SHUNT_TEST_JUNIT))
        return fail(SHUNT_RULES_FAULT, "results stand on standard output; give --output FILE for coverage as %s", coverage);
    run.definitions = read_definitions(a, &status);
    if (status == 0) status = a->value[OPTION_WATCH] ? watch(&run) : run_once(&run);
    forget(&run.read);
    shunt_definitions_free(run.definitions);
    return status;
}
