/* bench_read.c - how far the readers of HL7, FHIR and CSV are from their yardsticks, over one file in memory.
 *   bench_read KIND FILE PROGRAM [ROUNDS]      KIND: dft, csv, ndjson, bundle, xml; PROGRAM: a .mapc, for what its rules want
 * A line a stage: megabytes a second (median of the rounds, processor time) and its part of the first stage, which is
 *   dft, csv         the structural floor: the position of every delimiter written to an array (AVX2 where it is there)
 *   ndjson, bundle   yajl with callbacks that do nothing, and a check of the same bytes for UTF-8
 *   xml              the push parser of libxml2 with handlers that do nothing */
#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <yajl/yajl_parse.h>

#include "engine/base/capture.h"
#include "engine/vm/program.h"
#include "standards/registry.h"

enum { PIECE = 64 * 1024, MOST_ROUNDS = 31, RING = 1 << 20 };

struct input {
    uint8_t             *bytes; /* 64 zero bytes behind them */
    size_t               size;
    const shunt_plan    *plan;
    shunt_standard       standard;
    uint8_t              marks[4]; /* delimiters of the floor */
    const shunt_program *program;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* other work on the machine does not count */
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static bool read_file(const char *path, uint8_t **bytes, size_t *size)
{
    FILE        *file = fopen(path, "rb");
    shunt_buffer b;
    char         piece[1 << 16];
    size_t       got;
    if (!file) return false;
    shunt_buffer_init(&b, &shunt_memory_libc);
    while ((got = fread(piece, 1, sizeof piece, file)) > 0) shunt_buffer_add(&b, piece, got);
    bool fine = !ferror(file) && !b.failed;
    fclose(file);
    *size = b.length;
    shunt_buffer_add(&b, (uint8_t[64]){ 0 }, 64);
    *bytes = (uint8_t *)b.bytes;
    return fine && !b.failed;
}

/* ---- yardsticks: each gives the number of things it saw, so that nothing is optimised away ---- */

typedef uint64_t (*stage)(const struct input *in);

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx2,bmi,popcnt"))) static uint64_t floor_scan(const struct input *in)
{
    static uint32_t ring[RING + 128];
    __m256i         marks[4];
    uint64_t        total = 0;
    uint32_t       *out = ring;
    for (int i = 0; i < 4; i++) marks[i] = _mm256_set1_epi8((char)in->marks[i]);
    for (size_t at = 0; at < in->size; at += 64) {
        __m256i low = _mm256_loadu_si256((const void *)(in->bytes + at)),
                high = _mm256_loadu_si256((const void *)(in->bytes + at + 32));
        __m256i l = _mm256_setzero_si256(), h = l;
        for (int i = 0; i < 4; i++) {
            l = _mm256_or_si256(l, _mm256_cmpeq_epi8(low, marks[i]));
            h = _mm256_or_si256(h, _mm256_cmpeq_epi8(high, marks[i]));
        }
        uint64_t mask = (uint32_t)_mm256_movemask_epi8(l) | (uint64_t)(uint32_t)_mm256_movemask_epi8(h) << 32;
        unsigned count = (unsigned)_mm_popcnt_u64(mask);
        for (unsigned i = 0; i < 8; i++, mask = _blsr_u64(mask)) out[i] = (uint32_t)at + (uint32_t)_tzcnt_u64(mask);
        for (unsigned i = 8; __builtin_expect(i < count, 0); i++, mask = _blsr_u64(mask))
            out[i] = (uint32_t)at + (uint32_t)_tzcnt_u64(mask);
        out += count;
        total += count;
        if (out > ring + RING) out = ring;
    }
    __asm__ volatile("" : : "r"(ring) : "memory");
    return total;
}
#else
static uint64_t floor_scan(const struct input *in)
{
    uint64_t total = 0;
    for (size_t at = 0; at < in->size; at++)
        for (int i = 0; i < 4; i++) total += in->bytes[at] == in->marks[i];
    return total;
}
#endif

static int on_null(void *c) { return ++*(uint64_t *)c != 0; }
static int on_bool(void *c, int v) { return (void)v, ++*(uint64_t *)c != 0; }
static int on_number(void *c, const char *v, size_t n) { return (void)v, (void)n, ++*(uint64_t *)c != 0; }
static int on_string(void *c, const unsigned char *v, size_t n) { return (void)v, (void)n, ++*(uint64_t *)c != 0; }
static int on_mark(void *c) { return ++*(uint64_t *)c != 0; }

static uint64_t bare_yajl(const struct input *in)
{
    static const yajl_callbacks calls = { on_null, on_bool,   NULL,    NULL,    on_number, on_string,
                                          on_mark, on_string, on_mark, on_mark, on_mark };
    uint64_t                    total = 0;
    if (shunt_utf8_bad((const char *)in->bytes, in->size) != in->size) return 0;
    yajl_handle parser = yajl_alloc(&calls, NULL, &total);
    if (!parser) return 0;
    yajl_config(parser, yajl_allow_multiple_values, 1);
    yajl_config(parser, yajl_dont_validate_strings, 1); /* UTF-8 is checked above */
    for (size_t at = 0; at < in->size; at += PIECE)
        if (yajl_parse(parser, in->bytes + at, in->size - at < PIECE ? in->size - at : PIECE) != yajl_status_ok) return 0;
    if (yajl_complete_parse(parser) != yajl_status_ok) total = 0;
    yajl_free(parser);
    return total;
}

static void on_start(void *c, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int spaces, const xmlChar **s,
                     int count, int defaulted, const xmlChar **attributes)
{
    (void)name, (void)prefix, (void)uri, (void)spaces, (void)s, (void)count, (void)defaulted, (void)attributes;
    ++*(uint64_t *)c;
}
static void on_end(void *c, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    (void)name, (void)prefix, (void)uri;
    ++*(uint64_t *)c;
}
static void on_text(void *c, const xmlChar *text, int length) { (void)c, (void)text, (void)length; }

static uint64_t bare_libxml2(const struct input *in)
{
    xmlSAXHandler handler = {
        .startElementNs = on_start, .endElementNs = on_end, .characters = on_text, .initialized = XML_SAX2_MAGIC
    };
    uint64_t         total = 0;
    xmlParserCtxtPtr parser = xmlCreatePushParserCtxt(&handler, &total, NULL, 0, NULL);
    if (!parser) return 0;
    xmlCtxtUseOptions(parser, XML_PARSE_NONET);
    for (size_t at = 0; at < in->size; at += PIECE)
        if (xmlParseChunk(parser, (const char *)in->bytes + at, (int)(in->size - at < PIECE ? in->size - at : PIECE), 0) != 0)
            return 0;
    if (xmlParseChunk(parser, "", 0, 1) != 0) total = 0;
    xmlFreeParserCtxt(parser);
    return total;
}

/* ---- the readers ---- */

static uint64_t run_reader(const struct input *in, const shunt_plan *plan, shunt_capture *capture)
{
    shunt_reader *reader = shunt_reader_for(in->standard, &shunt_memory_libc, plan);
    uint64_t      events = 0;
    size_t        at = 0;
    shunt_event   e;
    if (!reader) return 0;
    for (;;) {
        shunt_status status = SHUNT_OK;
        bool         taken;
        events++;
        switch (reader->ops->next(reader, &e)) {
        case SHUNT_STEP_BEGIN:
            if (capture && e.scope == SHUNT_SCOPE_TRANSACTION) status = shunt_capture_begin(capture, e.guide, e.place.byte);
            break;
        case SHUNT_STEP_ENTER:
            if (capture) status = shunt_capture_enter(capture, e.loop, e.place.byte, e.place.segment);
            break;
        case SHUNT_STEP_VALUE:
            if (capture) status = shunt_capture_value(capture, e.slot, e.value, e.cleared, &e.place, &taken);
            break;
        case SHUNT_STEP_LEAVE:
            if (capture) shunt_capture_leave(capture, e.loop, e.end);
            break;
        case SHUNT_STEP_NEED_INPUT: {
            size_t size = in->size - at < PIECE ? in->size - at : PIECE;
            events--; /* so that pieces do not count */
            at += size;
            reader->ops->feed(reader, in->bytes + at - size, size, at == in->size);
            break;
        }
        case SHUNT_STEP_FAULT:
            if (shunt_status_info[e.code].severity == SHUNT_WARNING) break;
            fprintf(stderr, "%s at %llu\n", shunt_status_info[e.code].symbol, (unsigned long long)e.place.byte);
            exit(1);
        case SHUNT_STEP_END: reader->ops->free(reader); return events;
        case SHUNT_STEP_FAILED: fprintf(stderr, "failed: %s\n", shunt_status_info[e.code].symbol); exit(1);
        default: break;
        }
        if (status != SHUNT_OK) {
            fprintf(stderr, "capture: %s\n", shunt_status_info[status].symbol);
            exit(1);
        }
    }
}

/* Messages that no source lists: segments cut, envelopes and counts checked. */
static uint64_t read_unmapped(const struct input *in)
{
    static const shunt_plan none = { 0 };
    return run_reader(in, &none, NULL);
}

static uint64_t read_wanted(const struct input *in) { return run_reader(in, in->plan, NULL); }

static uint64_t read_and_capture(const struct input *in)
{
    shunt_capture *capture = shunt_capture_new(&shunt_memory_libc, in->plan, 4 << 20);
    uint64_t       events = capture ? run_reader(in, in->plan, capture) : 0;
    shunt_capture_free(capture);
    return events;
}

static const struct kind {
    const char    *name;
    shunt_standard standard;
    const char    *floor;
    stage          yardstick;
    uint8_t        marks[4];
} kinds[] = {
    { "dft", SHUNT_STANDARD_HL7, "floor", floor_scan, { '|', '^', '&', '\r' } },
    { "csv", SHUNT_STANDARD_CSV, "floor", floor_scan, { ',', '"', '\n', '\r' } },
    { "ndjson", SHUNT_STANDARD_FHIR, "bare yajl and UTF-8", bare_yajl, { 0 } },
    { "bundle", SHUNT_STANDARD_FHIR, "bare yajl and UTF-8", bare_yajl, { 0 } },
    { "xml", SHUNT_STANDARD_FHIR, "bare libxml2", bare_libxml2, { 0 } },
};

static bool prepare(int argc, char **argv, struct input *in, const struct kind **kind)
{
    char           why[200] = "";
    uint8_t       *saved;
    size_t         size;
    shunt_program *program;
    *kind = NULL;
    for (size_t i = 0; argc > 3 && i < SHUNT_COUNT(kinds); i++)
        if (strcmp(argv[1], kinds[i].name) == 0) *kind = &kinds[i];
    if (!*kind) {
        fputs("usage: bench_read dft|csv|ndjson|bundle|xml FILE PROGRAM [ROUNDS]\n", stderr);
        return false;
    }
    if (!read_file(argv[2], &in->bytes, &in->size) || !read_file(argv[3], &saved, &size)) {
        fprintf(stderr, "%s and %s can not be read\n", argv[2], argv[3]);
        return false;
    }
    if (shunt_program_load(&shunt_memory_libc, saved, size, &program, why) != SHUNT_OK) {
        fprintf(stderr, "%s: %s\n", argv[3], why);
        return false;
    }
    shunt_memory_free(&shunt_memory_libc, saved);
    in->program = program;
    in->plan = &program->plan;
    in->standard = (*kind)->standard;
    memcpy(in->marks, (*kind)->marks, sizeof in->marks);
    return true;
}

int main(int argc, char **argv)
{
    struct input       in = { 0 };
    const struct kind *kind;
    int                rounds = argc > 4 ? atoi(argv[4]) : 7;
    if (rounds < 1 || rounds > MOST_ROUNDS) rounds = MOST_ROUNDS;
    if (!prepare(argc, argv, &in, &kind)) return 2;
    struct {
        const char *name;
        stage       run;
    } stages[] = { { kind->floor, kind->yardstick },
                   { "read, nothing wanted", in.standard == SHUNT_STANDARD_HL7 ? read_unmapped : NULL },
                   { "read", read_wanted },
                   { "read and capture", read_and_capture } };
    double floor = 0;
    printf("%s: %zu bytes\n", kind->name, in.size);
    for (size_t s = 0; s < SHUNT_COUNT(stages); s++) {
        double seconds[MOST_ROUNDS];
        if (!stages[s].run) continue;
        uint64_t count = stages[s].run(&in);
        if (!count) {
            fprintf(stderr, "%s: nothing was read\n", stages[s].name);
            return 1;
        }
        for (int i = 0; i < rounds; i++) {
            double begin = now();
            if (stages[s].run(&in) != count) return 1;
            seconds[i] = now() - begin;
        }
        qsort(seconds, (size_t)rounds, sizeof *seconds, by_size);
        double speed = (double)in.size / seconds[rounds / 2] / 1e6;
        if (s == 0) floor = speed;
        printf("%-24s %10llu %10.0f MB/s  %6.3f of the first\n", stages[s].name, (unsigned long long)count, speed, speed / floor);
    }
    shunt_program_free((shunt_program *)(uintptr_t)in.program);
    shunt_memory_free(&shunt_memory_libc, in.bytes);
    xmlCleanupParser();
    return 0;
}
