/* Any number of runs in threads over one program: each gives the same bytes. Meant for ThreadSanitizer (preset tsan, label threads).
 * Usage: test_threads RULES INPUT */
#include <pthread.h>
#include <shunt/shunt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, ROUNDS = 3 };

typedef struct job {
    const shunt_program *program;
    const char          *input;
    size_t               size, piece;
    char                *out;
    size_t               length, capacity;
    int                  result;
} job;

static bool add(void *context, const void *bytes, size_t size)
{
    job *j = context;
    if (j->length + size > j->capacity) {
        j->capacity = (j->length + size) * 2;
        j->out = realloc(j->out, j->capacity);
        if (!j->out) abort();
    }
    memcpy(j->out + j->length, bytes, size);
    j->length += size;
    return true;
}
static bool on_mark(void *context) { return add(context, "|", 1); }
static bool on_record(void *context, const shunt_out *record) { return add(context, record->json, record->length); }
static bool on_exception(void *context, const shunt_exception *exception)
{
    return add(context, exception->json, exception->length);
}

static void *work(void *context)
{
    job            *j = context;
    shunt_callbacks callbacks = {
        .context = j, .begin = on_mark, .record = on_record, .commit = on_mark, .exception = on_exception
    };
    shunt_run_options options = { .size = sizeof options };
    shunt_run        *run = NULL;
    j->result = (int)shunt_run_new(j->program, &callbacks, &options, &run, NULL);
    for (int round = 0; round < ROUNDS && j->result <= SHUNT_INPUT_FAULT; round++) {
        j->result = (int)shunt_run_begin(run, "1", "file");
        for (size_t at = 0; at < j->size && j->result <= SHUNT_INPUT_FAULT; at += j->piece)
            j->result = (int)shunt_run_feed(run, j->input + at, j->size - at < j->piece ? j->size - at : j->piece);
        if (j->result <= SHUNT_INPUT_FAULT) j->result = (int)shunt_run_end(run);
    }
    if (j->result <= SHUNT_INPUT_FAULT) j->result = (int)shunt_run_finish(run);
    if (j->result <= SHUNT_INPUT_FAULT) shunt_run_report(run, add, j);
    shunt_run_free(run);
    return NULL;
}

int main(int argc, char **argv)
{
    shunt_program *program = NULL;
    static char    input[1 << 16];
    if (argc != 3 || shunt_compile(argv[1], NULL, &program, NULL) != SHUNT_DONE) return 2;
    FILE *in = fopen(argv[2], "rb");
    if (!in) return 2;
    size_t size = fread(input, 1, sizeof input, in);
    fclose(in);
    job       jobs[THREADS];
    pthread_t threads[THREADS];
    for (size_t t = 0; t < THREADS; t++) {
        jobs[t] = (job){ .program = program, .input = input, .size = size, .piece = 1 + t * 37 };
        if (pthread_create(&threads[t], NULL, work, &jobs[t]) != 0) return 2;
    }
    int failed = 0;
    for (size_t t = 0; t < THREADS; t++) pthread_join(threads[t], NULL);
    for (size_t t = 0; t < THREADS; t++) {
        if (jobs[t].result != jobs[0].result || jobs[t].result > SHUNT_INPUT_FAULT || jobs[t].length == 0 ||
            jobs[t].length != jobs[0].length || memcmp(jobs[t].out, jobs[0].out, jobs[0].length) != 0) {
            printf("thread %zu differs (result %d)\n", t, jobs[t].result);
            failed++;
        }
    }
    for (size_t t = 0; t < THREADS; t++) free(jobs[t].out);
    shunt_release(program);
    printf("%d threads over one program: %d differ\n", THREADS, failed);
    return failed != 0;
}
