/* cuts.c - the same input in pieces of any size gives the same bytes: records, exceptions, dead letters, report. Also a program that was
 * saved and loaded gives what the rules themselves give. Usage: cuts RULES FILE...; prints a line for each file that differs. */
#include <shunt/shunt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EACH_BYTE_UP_TO = 4000, RANDOM_RUNS = 3 };

typedef struct bytes {
    char  *at;
    size_t length, capacity;
} bytes;

static void add(bytes *b, const void *more, size_t size)
{
    if (b->length + size > b->capacity) {
        b->capacity = (b->length + size) * 2;
        b->at = realloc(b->at, b->capacity);
        if (!b->at) abort();
    }
    if (size) memcpy(b->at + b->length, more, size);
    b->length += size;
}

static bool write_bytes(void *context, const void *more, size_t size)
{
    add(context, more, size);
    return true;
}
static bool mark(bytes *b, const char *word)
{
    add(b, word, strlen(word));
    return true;
}
static bool on_begin(void *context) { return mark(context, "<begin>\n"); }
static bool on_commit(void *context) { return mark(context, "<commit>\n"); }
static bool on_record(void *context, const shunt_out *record)
{
    add(context, record->json, record->length);
    return mark(context, "\n");
}
static bool on_exception(void *context, const shunt_exception *exception)
{
    add(context, exception->json, exception->length);
    mark(context, "\n");
    add(context, exception->text, exception->text_length);
    return mark(context, "\n");
}
static bool on_letter(void *context, const shunt_dead_letter *letter)
{
    /* Pieces of a letter may be cut anywhere; their sum and their name count. */
    if (letter->first) mark(context, letter->name);
    add(context, letter->bytes, letter->size);
    if (letter->last) add(context, letter->units, letter->units_length);
    return true;
}

/* How to cut: 0 = whole, 1 = every byte, else a seed for random pieces, some of them empty. */
static int run(const shunt_program *program, const char *data, size_t size, unsigned cut, bytes *out)
{
    shunt_callbacks   callbacks = { out, on_begin, on_record, on_commit, on_exception, on_letter };
    shunt_run_options options = {
        .size = sizeof options, .received_at = "2025-03-01T12:00:00Z", .token_key = "key", .token_key_size = 3
    };
    shunt_run *r = NULL;
    unsigned   random = cut;
    out->length = 0;
    if (shunt_run_new(program, &callbacks, &options, &r, NULL) != SHUNT_DONE || shunt_run_begin(r, "1", "file") != SHUNT_DONE)
        return -1;
    int status = 0;
    for (size_t at = 0; at < size && status <= SHUNT_INPUT_FAULT;) {
        random = random * 1103515245u + 12345u;
        size_t piece = cut == 0 ? size : cut == 1 ? 1 : (random >> 16) % ((random >> 8) % 7 ? 97 : 5000);
        if (piece > size - at) piece = size - at;
        /* A copy of its own, so that reading past the piece is seen by the sanitizers. */
        char *copy = malloc(piece ? piece : 1);
        memcpy(copy, data + at, piece);
        int fed = (int)shunt_run_feed(r, copy, piece);
        free(copy);
        if (fed > status) status = fed;
        at += piece;
    }
    if (status <= SHUNT_INPUT_FAULT) {
        int end = (int)shunt_run_end(r);
        int finish = (int)shunt_run_finish(r);
        status = status > end ? status : end;
        status = status > finish ? status : finish;
        shunt_run_report(r, write_bytes, out);
    }
    shunt_run_free(r);
    return status;
}

static char *read_file(const char *path, size_t *size)
{
    FILE *in = fopen(path, "rb");
    if (!in) return NULL;
    bytes b = { 0 };
    char  room[65536];
    for (size_t n; (n = fread(room, 1, sizeof room, in)) > 0;) add(&b, room, n);
    fclose(in);
    *size = b.length;
    if (!b.at) b.at = calloc(1, 1);
    return b.at;
}

int main(int argc, char **argv)
{
    if (argc < 3) return 2;
    shunt_program *program = NULL, *loaded = NULL;
    bytes          saved = { 0 }, whole = { 0 }, other = { 0 };
    if (shunt_compile(argv[1], NULL, &program, NULL) != SHUNT_DONE) return 2;
    if (shunt_save(program, write_bytes, &saved) != SHUNT_DONE ||
        shunt_load(saved.at, saved.length, NULL, &loaded, NULL) != SHUNT_DONE)
        return 2;
    unsigned differ = 0, runs = 0;
    for (int i = 2; i < argc; i++) {
        size_t size;
        char  *data = read_file(argv[i], &size);
        if (!data) {
            printf("%s: can not be read\n", argv[i]);
            differ++;
            continue;
        }
        int status = run(program, data, size, 0, &whole);
        for (unsigned cut = 0; cut < 2 + RANDOM_RUNS; cut++) {
            if (cut == 1 && size > EACH_BYTE_UP_TO) continue;
            int again = run(loaded, data, size, cut < 2 ? cut : cut * 7919u + (unsigned)i, &other);
            runs++;
            if (again == status && whole.length == other.length && memcmp(whole.at, other.at, whole.length) == 0) continue;
            printf("%s: cut %u differs (status %d, %d)\n", argv[i], cut, status, again);
            differ++;
        }
        if (status > SHUNT_INPUT_FAULT || status < 0) {
            printf("%s: status %d\n", argv[i], status);
            differ++;
        }
        free(data);
    }
    printf("cuts: %d files, %u runs, %u differ\n", argc - 2, runs, differ);
    shunt_release(loaded);
    shunt_release(program);
    free(saved.at);
    free(whole.at);
    free(other.at);
    return differ != 0;
}
