/* cmd_run.c - `shunt run`: rules over inputs; records, exceptions, dead letters and report to files. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"

typedef struct run_state {
    const arguments *arguments;
    safe_file        records, report, answers;
    FILE            *exceptions;     /* NULL: as text on standard error, unless quiet */
    FILE            *lineage;        /* NULL: none is made */
    FILE            *letter, *units; /* dead letter being written, and its list of units */
    char            *letter_path;
    char            *letter_given, *letter_free; /* the name that the engine gave last, and the one it has in the folder */
    shunt_run       *run;
    bool             failed; /* an output failed; it was said */
    char             now[32];
    /* progress */
    bool             progress, shown;
    uint64_t         done, total;
    time_t           started, last;
} run_state;

static void clear_progress(run_state *s)
{
    if (s->shown) fputs("\r\033[K", stderr);
    s->shown = false;
}

/* "FOLDER/NAME.ENDING", allocated. */
static char *letter_file(const char *folder, const char *name, const char *ending)
{
    size_t size = strlen(folder) + strlen(name) + strlen(ending) + 2;
    char  *path = malloc(size);
    if (path) snprintf(path, size, "%s/%s%s", folder, name, ending);
    return path;
}

static bool there(const char *folder, const char *name, const char *ending)
{
    char       *path = letter_file(folder, name, ending);
    struct stat known;
    bool        is = path && lstat(path, &known) == 0;
    free(path);
    return is;
}

/* The name of a letter in its folder. The engine's names are unique in a run only, and a letter of an earlier run, which may be the
 * last copy of what was not posted, is never written over: `1-3`, `1-3-2`, `1-3-3`. NULL without memory. */
static const char *letter_name(run_state *s, const char *given, size_t length, const char *ending)
{
    const char *folder = s->arguments->value[OPTION_DEAD_LETTER];
    if (s->letter_given && strlen(s->letter_given) == length && memcmp(s->letter_given, given, length) == 0)
        return s->letter_free;
    free(s->letter_given);
    free(s->letter_free);
    s->letter_given = strndup(given, length);
    s->letter_free = malloc(length + 24);
    if (!s->letter_given || !s->letter_free) {
        free(s->letter_given);
        s->letter_given = NULL;
        return NULL;
    }
    memcpy(s->letter_free, s->letter_given, length + 1);
    for (unsigned n = 2; there(folder, s->letter_free, ending) || there(folder, s->letter_free, ".units.json") ||
                         there(folder, s->letter_free, ".part");
         n++)
        snprintf(s->letter_free, length + 24, "%s-%u", s->letter_given, n);
    return s->letter_free;
}

/* The text ends with how to run the letter again, as if it lay here; here it is known where letters and rules lie. */
static bool say_exception(run_state *s, const char *text, size_t length)
{
    static const char again[] = "\n  again    shunt run --only ";
    const char       *folder = s->arguments->value[OPTION_DEAD_LETTER];
    const char       *at = folder ? memmem(text, length, again, sizeof again - 1) : NULL;
    const char       *name = at ? at + sizeof again - 1 : NULL;
    const char       *end = at ? memmem(name, length - (size_t)(name - text), ".units.json ", 12) : NULL;
    const char       *dot = end ? memrchr(end, '.', length - (size_t)(end - text)) : NULL;
    char              ending[16] = "";
    if (dot) snprintf(ending, sizeof ending, "%.*s", (int)(length - (size_t)(dot - text)), dot);
    const char *here = end ? letter_name(s, name, (size_t)(end - name), ending) : NULL;
    if (!here) return fwrite(text, 1, length, stderr) == length && putc('\n', stderr) != EOF;
    return fwrite(text, 1, (size_t)(at - text), stderr) == (size_t)(at - text) &&
           fprintf(stderr, "%s%s/%s.units.json %s %s/%s%s\n", again, folder, here, s->arguments->operands[0], folder, here,
                   ending) > 0;
}

static bool on_exception(void *context, const shunt_exception *exception)
{
    run_state *s = context;
    if (s->exceptions)
        return fwrite(exception->json, 1, exception->length, s->exceptions) == exception->length &&
               putc('\n', s->exceptions) != EOF;
    if (s->arguments->value[OPTION_QUIET]) return true;
    clear_progress(s);
    return say_exception(s, exception->text, exception->text_length);
}

static bool on_lineage(void *context, const shunt_origins *lineage)
{
    const run_state *s = context;
    return fwrite(lineage->json, 1, lineage->length, s->lineage) == lineage->length && putc('\n', s->lineage) != EOF;
}

static bool letter_fault(run_state *s, const char *path)
{
    clear_progress(s);
    fail(SHUNT_SYSTEM_FAULT, "%s: %s", path ? path : "dead letter", strerror(errno));
    s->failed = true;
    return false;
}

/* A letter holds what the input held: it is the owner's alone, also in a folder that others may read. */
static FILE *open_private(const char *path)
{
    int   out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = out < 0 ? NULL : fdopen(out, "wb");
    if (!file && out >= 0) close(out);
    return file;
}

/* The units are written before the message gets its name, so a message in the folder always has its list. */
static bool on_dead_letter(void *context, const shunt_dead_letter *letter)
{
    run_state  *s = context;
    const char *folder = s->arguments->value[OPTION_DEAD_LETTER];
    if (letter->first) {
        char ending[16];
        snprintf(ending, sizeof ending, ".%s", letter->ending);
        const char *name = letter_name(s, letter->name, strlen(letter->name), ending);
        char       *units = name ? letter_file(folder, name, ".units.json") : NULL;
        s->letter_path = name ? letter_file(folder, name, ".part") : NULL;
        s->letter = s->letter_path ? open_private(s->letter_path) : NULL;
        s->units = units && s->letter ? open_private(units) : NULL;
        if (!s->units) letter_fault(s, s->letter ? units : s->letter_path);
        free(units);
        if (!s->units) return false;
    }
    if (fwrite(letter->bytes, 1, letter->size, s->letter) != letter->size) return letter_fault(s, s->letter_path);
    if (letter->units_length && fwrite(letter->units, 1, letter->units_length, s->units) != letter->units_length)
        return letter_fault(s, "list of units");
    if (!letter->last) return true;
    char ending[16];
    snprintf(ending, sizeof ending, ".%s", letter->ending);
    char *final = letter_file(folder, s->letter_free, ending);
    bool  fine = fclose(s->units) == 0;
    fine = fclose(s->letter) == 0 && fine;
    s->units = s->letter = NULL;
    fine = fine && final && rename(s->letter_path, final) == 0;
    if (!fine) letter_fault(s, s->letter_path);
    free(final);
    free(s->letter_path);
    s->letter_path = NULL;
    return fine;
}

/* At most five times a second, only on a terminal and only for runs of more than a second. */
static void show_progress(run_state *s)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    time_t fifth = now.tv_sec * 5 + now.tv_nsec / 200000000;
    if (fifth == s->last || now.tv_sec <= s->started + 1) return;
    s->last = fifth;
    s->shown = true;
    double megabytes = (double)s->done / 1e6;
    if (s->total) {
        int filled = (int)(s->done * 30 / s->total);
        fprintf(stderr, "\r[%.*s%.*s] %3d %% %.0f MB", filled, "##############################", 30 - filled,
                "..............................", (int)(s->done * 100 / s->total), megabytes);
    } else {
        fprintf(stderr, "\r%.0f MB", megabytes);
    }
    fflush(stderr);
}

static shunt_result feed_run(void *context, const void *bytes, size_t size)
{
    run_state *s = context;
    s->done += size;
    if (s->progress) show_progress(s);
    return shunt_run_feed(s->run, bytes, size);
}

/* The worse of two: an input fault does not hide a system fault, nor the reverse. */
static int worse(int a, int b) { return a > b ? a : b; }

static int run_inputs(run_state *s)
{
    const arguments *a = s->arguments;
    int              inputs = a->operand_count > 1 ? a->operand_count - 1 : 1;
    const char      *id = a->value[OPTION_INPUT_ID];
    int              status = 0;
    for (int i = 0; i < inputs && status <= SHUNT_INPUT_FAULT; i++) {
        const char *path = a->operand_count > 1 ? a->operands[i + 1] : "-";
        char        numbered[300];
        if (id && inputs > 1) snprintf(numbered, sizeof numbered, "%s-%d", id, i + 1);
        status = worse(status, (int)shunt_run_begin(s->run, id && inputs > 1 ? numbered : id, path));
        if (status <= SHUNT_INPUT_FAULT) status = worse(status, feed_file(path, feed_run, s));
        if (status <= SHUNT_INPUT_FAULT) status = worse(status, (int)shunt_run_end(s->run));
    }
    if (status <= SHUNT_INPUT_FAULT) status = worse(status, (int)shunt_run_finish(s->run));
    clear_progress(s);
    if (status >= SHUNT_RULES_FAULT && !s->failed) {
        if (ferror(s->records.file))
            fail(SHUNT_SYSTEM_FAULT, "records: %s", strerror(errno));
        else if (s->exceptions && ferror(s->exceptions))
            fail(SHUNT_SYSTEM_FAULT, "exceptions: %s", strerror(errno));
        else if (s->lineage && ferror(s->lineage))
            fail(SHUNT_SYSTEM_FAULT, "lineage: %s", strerror(errno));
        else
            fail((shunt_result)status, "the run stopped; what was not committed before is not written");
    }
    return status;
}

/* On a terminal, what became of the units; in a pipeline the report says so. */
static void sum_up(const run_state *s)
{
    shunt_totals t;
    shunt_run_totals(s->run, &t);
    fprintf(stderr, "units in %llu: posted %llu", (unsigned long long)t.in, (unsigned long long)t.posted);
    const struct {
        uint64_t    count;
        const char *word;
    } others[] = {
        { t.duplicate, "duplicate" }, { t.skipped, "skipped" }, { t.rejected, "rejected" }, { t.quarantined, "quarantined" }
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i].count) fprintf(stderr, ", %s %llu", others[i].word, (unsigned long long)others[i].count);
    fprintf(stderr, "; records %llu, exceptions %llu\n", (unsigned long long)t.records, (unsigned long long)t.exceptions);
}

static uint64_t input_bytes(const arguments *a)
{
    uint64_t total = 0;
    for (int i = 1; i < a->operand_count; i++) {
        struct stat known;
        if (strcmp(a->operands[i], "-") == 0 || stat(a->operands[i], &known) != 0 || !S_ISREG(known.st_mode)) return 0;
        total += (uint64_t)known.st_size;
    }
    return total;
}

static int post(run_state *s, const shunt_program *program, const shunt_definitions *definitions)
{
    const arguments  *a = s->arguments;
    shunt_run_options options = { .size = sizeof options,
                                  .received_at = a->value[OPTION_RECEIVED_AT],
                                  .no_report = !a->value[OPTION_REPORT],
                                  .lineage = s->lineage ? on_lineage : NULL,
                                  .definitions = definitions,
                                  .extern_folder = a->value[OPTION_ALLOW_EXTERN],
                                  .records = write_file,
                                  .records_context = s->records.file,
                                  .acknowledge = a->value[OPTION_ACK] ? write_file : NULL,
                                  .acknowledge_context = s->answers.file,
                                  .made_at = a->value[OPTION_RECEIVED_AT] ? a->value[OPTION_RECEIVED_AT] : s->now };
    shunt_callbacks   callbacks = { .context = s,
                                    .exception = on_exception,
                                    .dead_letter = a->value[OPTION_DEAD_LETTER] ? on_dead_letter : NULL };
    unsigned char    *key = NULL, *only = NULL;
    shunt_messages   *messages = NULL;
    int               status = 0;
    const char       *control = a->value[OPTION_CONTROL_NUMBER];
    if (control) {
        char *end;
        options.control_number = strtoull(control, &end, 10);
        if (*control < '1' || *control > '9' || *end || options.control_number > 999999999)
            return fail(SHUNT_RULES_FAULT, "--control-number is a number from 1 to 999999999, and this is `%s`", control);
    }
    if (a->value[OPTION_TOKEN_KEY]) { options.token_key = key = token_key(a, &options.token_key_size, &status); }
    if (status == 0 && a->value[OPTION_ONLY]) {
        only = read_whole(a->value[OPTION_ONLY], &options.only_length);
        options.only = (const char *)only;
        if (!only)
            status = SHUNT_RULES_FAULT;
        else if (a->operand_count > 2)
            status = fail(SHUNT_RULES_FAULT, "--only goes with one input, the letter that %s comes with", a->value[OPTION_ONLY]);
        else if (a->operand_count == 2)
            status = letter_fits(a->value[OPTION_ONLY], options.only, options.only_length, a->operands[1]);
    }
    if (status == 0) status = (int)shunt_run_new(program, &callbacks, &options, &s->run, &messages);
    if (messages) (void)shunt_messages_print(messages, false, write_file, stderr);
    shunt_messages_free(messages);
    if (status == 0) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        s->started = now.tv_sec;
        s->total = input_bytes(a);
        s->progress = isatty(STDERR_FILENO) && !a->value[OPTION_QUIET];
        status = run_inputs(s);
        if (status <= SHUNT_INPUT_FAULT && s->progress) sum_up(s);
        if (status <= SHUNT_INPUT_FAULT && a->value[OPTION_REPORT]) {
            if (strcmp(a->value[OPTION_REPORT], "-") == 0 && s->records.file == stdout) fflush(stdout);
            if (shunt_run_report(s->run, write_file, s->report.file) != SHUNT_DONE)
                status = fail(SHUNT_SYSTEM_FAULT, "the report could not be written");
        }
    }
    shunt_run_free(s->run);
    free(key);
    free(only);
    return status;
}

/* What is written must not replace what is read, nor what else is written. */
static int apart(const arguments *a)
{
    const option_id written[] = { OPTION_OUTPUT, OPTION_EXCEPTIONS, OPTION_REPORT, OPTION_LINEAGE, OPTION_ACK },
                    read[] = { OPTION_TOKEN_KEY, OPTION_ONLY };
    const char *records = a->value[OPTION_OUTPUT], *exceptions = a->value[OPTION_EXCEPTIONS];
    if (exceptions && strcmp(exceptions, "-") == 0 && (!records || strcmp(records, "-") == 0))
        return fail(SHUNT_RULES_FAULT, "records and exceptions would mix on standard output; give --output too");
    const char *lineage = a->value[OPTION_LINEAGE];
    if (lineage && strcmp(lineage, "-") == 0 && (!records || strcmp(records, "-") == 0))
        return fail(SHUNT_RULES_FAULT, "records and lineage would mix on standard output; give --output too");
    const char *ack = a->value[OPTION_ACK];
    if (ack && strcmp(ack, "-") == 0 && (!records || strcmp(records, "-") == 0))
        return fail(SHUNT_RULES_FAULT, "records and answers would mix on standard output; give --output too");
    for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
        const char *path = a->value[written[i]];
        if (!path || strcmp(path, "-") == 0) continue;
        for (size_t j = i + 1; j < sizeof written / sizeof *written; j++)
            if (a->value[written[j]] && same_file(path, a->value[written[j]]))
                return fail(SHUNT_RULES_FAULT, "%s: both --%s and --%s", path, option_info[written[i]].word,
                            option_info[written[j]].word);
        bool taken = false;
        for (int j = 0; j < a->operand_count && !taken; j++)
            taken = strcmp(a->operands[j], "-") != 0 && same_file(path, a->operands[j]);
        for (int j = 0; j < a->table_count && !taken; j++)
            taken = strchr(a->tables[j], '=') && same_file(path, strchr(a->tables[j], '=') + 1);
        for (size_t j = 0; j < sizeof read / sizeof *read && !taken; j++)
            taken = a->value[read[j]] && same_file(path, a->value[read[j]]);
        if (taken) return fail(SHUNT_RULES_FAULT, "%s: is read, and --%s would replace it", path, option_info[written[i]].word);
    }
    return 0;
}

int cmd_run(const arguments *a)
{
    run_state s = { .arguments = a };
    int       status = 0, standard = 0;
    for (int i = 1; i < a->operand_count; i++) standard += strcmp(a->operands[i], "-") == 0;
    if (standard > 1) return fail(SHUNT_RULES_FAULT, "standard input can be read once only");
    if ((status = apart(a)) != 0) return status;
    if (a->value[OPTION_DEAD_LETTER]) {
        struct stat known;
        bool        made = mkdir(a->value[OPTION_DEAD_LETTER], 0700) == 0;
        int         why = errno;
        if (!made && (stat(a->value[OPTION_DEAD_LETTER], &known) != 0 || !S_ISDIR(known.st_mode)))
            return fail(SHUNT_SYSTEM_FAULT, "%s: can not be made a folder: %s", a->value[OPTION_DEAD_LETTER], strerror(why));
    }
    int             count = 0;
    shunt_program **chain = calloc((size_t)a->table_count + 1, sizeof *chain);
    if (!chain) return fail(SHUNT_SYSTEM_FAULT, "no memory");
    chain[0] = open_program(a, a->operands[0], &status);
    if (chain[0]) {
        count = 1;
        status = take_tables(a, chain, &count);
    }
    if (status == 0) status = safe_open(&s.records, a->value[OPTION_OUTPUT]);
    if (status == 0 && a->value[OPTION_REPORT]) status = safe_open(&s.report, a->value[OPTION_REPORT]);
    if (status == 0 && a->value[OPTION_EXCEPTIONS]) {
        s.exceptions = strcmp(a->value[OPTION_EXCEPTIONS], "-") == 0 ? stdout : fopen(a->value[OPTION_EXCEPTIONS], "wb");
        if (!s.exceptions) status = fail(SHUNT_SYSTEM_FAULT, "%s: %s", a->value[OPTION_EXCEPTIONS], strerror(errno));
    }
    safe_file lineage = { 0 };
    if (status == 0 && a->value[OPTION_LINEAGE]) status = safe_open(&lineage, a->value[OPTION_LINEAGE]);
    s.lineage = lineage.file;
    if (status == 0 && a->value[OPTION_ACK]) {
        time_t    clock = time(NULL);
        struct tm split;
        if (!gmtime_r(&clock, &split) || !strftime(s.now, sizeof s.now, "%Y-%m-%dT%H:%M:%SZ", &split)) s.now[0] = 0;
        status = safe_open(&s.answers, strcmp(a->value[OPTION_ACK], "-") == 0 ? NULL : a->value[OPTION_ACK]);
    }
    shunt_definitions *definitions = NULL;
    if (status == 0) definitions = find_definitions(a, a->operands[0], &status);
    if (status == 0) status = post(&s, chain[count - 1], definitions);
    shunt_definitions_free(definitions);
    bool keep = status <= SHUNT_INPUT_FAULT;
    status = worse(status, safe_close(&s.records, keep));
    status = worse(status, safe_close(&s.report, keep));
    status = worse(status, safe_close(&lineage, keep));
    status = worse(status, safe_close(&s.answers, keep));
    if (s.exceptions && (s.exceptions == stdout ? fflush(stdout) : fclose(s.exceptions)) != 0)
        status = worse(status, fail(SHUNT_SYSTEM_FAULT, "%s: %s", a->value[OPTION_EXCEPTIONS], strerror(errno)));
    if (s.letter) fclose(s.letter);
    if (s.units) fclose(s.units);
    free(s.letter_path);
    free(s.letter_given);
    free(s.letter_free);
    while (count) shunt_release(chain[--count]);
    free(chain);
    return status;
}
