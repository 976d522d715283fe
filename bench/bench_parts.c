/* bench_parts.c - parts of a run that do not depend on the standard, each alone over the bytes of a file:
 *   bench_parts FILE [ROUNDS]
 * SHA-256 (the input's hash stands in the report) and the spool (records wait in it for their commit): once below its buffer, with
 * replay and reset every 256 KiB as for small transactions, and once with everything in one, which goes through the temporary file.
 * A line each: megabytes a second, median of the rounds. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/base/hash.h"
#include "engine/base/spool.h"

enum { RECORD = 512, SMALL = 256 * 1024, MOST_ROUNDS = 31 };

typedef struct input {
    unsigned char *bytes;
    size_t         size;
} input;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static bool read_file(const char *path, input *in)
{
    FILE *file = fopen(path, "rb");
    long  size;
    if (!file) return false;
    bool fine = fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) > 0 && fseek(file, 0, SEEK_SET) == 0;
    if (fine) {
        in->size = (size_t)size;
        in->bytes = malloc(in->size);
        fine = in->bytes && fread(in->bytes, 1, in->size, file) == in->size;
    }
    fclose(file);
    return fine;
}

/* ---- stages: false where the part failed or gave other bytes than it should ---- */

static bool sha256(const input *in)
{
    uint8_t      digest[SHUNT_SHA256_BYTES];
    shunt_sha256 sha;
    shunt_sha256_init(&sha);
    for (size_t at = 0; at < in->size; at += 1 << 16)
        shunt_sha256_add(&sha, in->bytes + at, in->size - at < 1 << 16 ? in->size - at : 1 << 16);
    shunt_sha256_finish(&sha, digest);
    return true;
}

static shunt_status count_bytes(void *context, const char *bytes, size_t length)
{
    uint64_t *seen = context;
    *seen += length + (bytes[0] == 0); /* looks at the bytes; none of them is NUL */
    return SHUNT_OK;
}

static bool spool_in_steps(const input *in, size_t step)
{
    shunt_spool spool;
    uint64_t    seen = 0;
    bool        fine = true;
    if (shunt_spool_file_new(&shunt_memory_libc, NULL, 0, &spool) != SHUNT_OK) return false;
    for (size_t at = 0, waiting = 0; at < in->size && fine;) {
        size_t length = in->size - at < RECORD ? in->size - at : RECORD;
        fine = spool.append(spool.context, in->bytes + at, length) == SHUNT_OK;
        at += length;
        waiting += length;
        if (waiting < step && at < in->size) continue;
        uint64_t mark = spool.mark(spool.context);
        fine = fine && spool.replay(spool.context, mark - waiting, mark, count_bytes, &seen) == SHUNT_OK &&
               spool.reset(spool.context) == SHUNT_OK;
        waiting = 0;
    }
    spool.free(spool.context);
    return fine && seen == in->size;
}

static bool spool_small(const input *in) { return spool_in_steps(in, SMALL); }
static bool spool_whole(const input *in) { return spool_in_steps(in, SIZE_MAX); }

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        bool (*run)(const input *in);
    } stages[] = { { "SHA-256", sha256 }, { "spool, small commits", spool_small }, { "spool, one commit", spool_whole } };
    input in = { 0 };
    int   rounds = argc > 2 ? atoi(argv[2]) : 7;
    if (argc < 2 || rounds < 1 || rounds > MOST_ROUNDS || !read_file(argv[1], &in)) {
        fputs("usage: bench_parts FILE [ROUNDS]\n", stderr);
        return 2;
    }
    for (size_t s = 0; s < SHUNT_COUNT(stages); s++) {
        double seconds[MOST_ROUNDS];
        for (int i = 0; i < rounds; i++) {
            double begin = now();
            if (!stages[s].run(&in)) {
                fprintf(stderr, "%s failed\n", stages[s].name);
                return 1;
            }
            seconds[i] = now() - begin;
        }
        qsort(seconds, (size_t)rounds, sizeof *seconds, by_size);
        printf("%-24s %8.0f MB/s\n", stages[s].name, (double)in.size / seconds[rounds / 2] / 1e6);
    }
    free(in.bytes);
    return 0;
}
