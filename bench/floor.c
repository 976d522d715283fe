/* How far the reader is from the structural floor: the position of every delimiter of a file in memory written to an array.
 *   bench_floor [FILE [ROUNDS [SET VERSION [STAGE]]]]     without a file: an 835 of 32 MiB made here, the same on every run
 * A line a stage: gigabytes a second (median of the rounds) and its part of the floor. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dsl/plan_maker.h"
#include "engine/base/capture.h"
#include "standards/scan.h"
#include "standards/x12/reader.h"
#include "standards/x12/validate.h"

enum { PIECE = 64 * 1024, WINDOW = 32 * 1024, MADE = 32 << 20, MOST_ROUNDS = 31, RING = 1 << 20 };

struct input {
    uint8_t     *bytes; /* 64 zero bytes behind them */
    size_t       size;
    shunt_delims delims;
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

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

/* ---- input ---- */

static bool make_835(struct input *in, size_t size)
{
    shunt_buffer b;
    uint64_t     random = 835;
    uint32_t     sets = 0;
    shunt_buffer_init(&b, &shunt_memory_libc);
    shunt_buffer_z(&b,
                   "ISA*00*          *00*          *ZZ*PAYER          *ZZ*PROVIDER       *250101*1200*^*00501*000000001*0*P*:~\n"
                   "GS*HP*PAYER*PROVIDER*20250101*1200*1*X*005010X221A1~\n");
    while (b.length < size && !b.failed) {
        uint32_t segments = 9;
        shunt_buffer_format(
            &b,
            "ST*835*%04u~\nBPR*I*1000*C*ACH*CCP*01*999999992*DA*123456*1512345678**01*999988880*DA*98765*20250101~\n"
            "TRN*1*71700666555*1935665544~\nDTM*405*20250101~\nN1*PR*SAMPLE PAYER~\nN3*1 FIRST STREET~\nN4*CITY*GA*30303~\n"
            "N1*PE*SAMPLE CLINIC*XX*1234567893~\nLX*1~\n",
            ++sets);
        for (unsigned claim = 0; claim < 200; claim++) {
            uint32_t lines = 1 + next_random(&random) % 4, charge = 100 + next_random(&random) % 9000;
            shunt_buffer_format(
                &b, "CLP*C%u-%u*1*%u.%02u*%u**12*P%010u*11*1~\nNM1*QC*1*SAMPLE*PERSON****MI*M%07u~\nDTM*232*20241203~\n", sets,
                claim, charge, next_random(&random) % 100, charge / 2, next_random(&random), next_random(&random) % 10000000);
            segments += 3;
            for (uint32_t line = 0; line < lines; line++) {
                shunt_buffer_format(
                    &b, "SVC*HC:9921%u*%u*%u**1~\nDTM*472*20241203~\nCAS*CO*45*%u.%02u*1*253*%u~\nREF*6R*%u~\nAMT*B6*%u~\n", line,
                    charge / lines, charge / 2 / lines, charge / 2, next_random(&random) % 100, next_random(&random) % 30,
                    line + 1, charge);
                segments += 5;
            }
        }
        shunt_buffer_format(&b, "SE*%u*%04u~\n", segments + 1, sets);
    }
    shunt_buffer_format(&b, "GE*%u*1~\nIEA*1*000000001~\n", sets);
    in->size = b.length;
    shunt_buffer_add(&b, (uint8_t[64]){ 0 }, 64);
    in->bytes = (uint8_t *)b.bytes;
    return !b.failed;
}

static bool read_file(struct input *in, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) return false;
    shunt_buffer b;
    shunt_buffer_init(&b, &shunt_memory_libc);
    char   piece[4096];
    size_t got;
    while ((got = fread(piece, 1, sizeof piece, file)) > 0) shunt_buffer_add(&b, piece, got);
    bool fine = !ferror(file) && !b.failed;
    fclose(file);
    in->size = b.length;
    shunt_buffer_add(&b, (uint8_t[64]){ 0 }, 64);
    in->bytes = (uint8_t *)b.bytes;
    return fine && !b.failed;
}

/* ---- stages: each gives the number of things it saw, so that nothing is optimised away ---- */

typedef uint64_t (*stage)(const struct input *in, const shunt_plan *plan);

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx2,bmi,popcnt"))) static inline uint64_t match(__m256i low, __m256i high, __m256i byte)
{
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, byte)) |
           (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, byte)) << 32;
}

/* The floor: positions of element separators, component separators and terminators, nothing else. */
__attribute__((target("avx2,bmi,popcnt"))) static uint64_t floor_scan(const struct input *in, const shunt_plan *plan)
{
    (void)plan;
    static uint32_t ring[RING + 128];
    const __m256i   e = _mm256_set1_epi8((char)in->delims.element), c = _mm256_set1_epi8((char)in->delims.component);
    const __m256i   t = _mm256_set1_epi8((char)in->delims.terminator);
    uint64_t        total = 0;
    uint32_t       *out = ring;
    for (size_t at = 0; at < in->size; at += 64) {
        __m256i low = _mm256_loadu_si256((const void *)(in->bytes + at)),
                high = _mm256_loadu_si256((const void *)(in->bytes + at + 32));
        uint64_t mask = match(low, high, e) | match(low, high, c) | match(low, high, t);
        unsigned count = (unsigned)_mm_popcnt_u64(mask);
        for (unsigned i = 0; i < 8; i++, mask = _blsr_u64(mask)) out[i] = (uint32_t)at + (uint32_t)_tzcnt_u64(mask);
        if (count > 8)
            for (unsigned i = 8; i < 16; i++, mask = _blsr_u64(mask)) out[i] = (uint32_t)at + (uint32_t)_tzcnt_u64(mask);
        for (unsigned i = 16; __builtin_expect(i < count, 0); i++, mask = _blsr_u64(mask))
            out[i] = (uint32_t)at + (uint32_t)_tzcnt_u64(mask);
        out += count;
        total += count;
        if (out > ring + RING) out = ring;
    }
    __asm__ volatile("" : : "r"(ring) : "memory");
    return total;
}
#else
static uint64_t floor_scan(const struct input *in, const shunt_plan *plan)
{
    (void)plan;
    uint64_t total = 0;
    for (size_t at = 0; at < in->size; at++) {
        uint8_t b = in->bytes[at];
        total += b == in->delims.element || b == in->delims.component || b == in->delims.terminator;
    }
    return total;
}
#endif

static uint64_t our_scan(const struct input *in, const shunt_plan *plan)
{
    (void)plan;
    static shunt_scan_word map[SHUNT_SCAN_WORDS(WINDOW)];
    static uint32_t        ends[WINDOW + SHUNT_SCAN_SLACK];
    shunt_scan             scan = shunt_scan_best()->scan;
    uint64_t               total = 0;
    for (size_t at = 0; at < in->size; at += WINDOW) {
        shunt_index index = { .map = map, .ends = ends };
        scan(in->bytes + at, in->size - at < WINDOW ? in->size - at : WINDOW, &in->delims, &index);
        total += index.end_count;
    }
    return total;
}

static uint64_t run_reader(const struct input *in, const shunt_plan *plan, size_t piece, shunt_capture *capture)
{
    shunt_reader *reader = shunt_x12_reader_new(&shunt_memory_libc, plan, NULL);
    uint64_t      segments = 0;
    size_t        at = 0;
    shunt_event   e;
    if (!reader) return 0;
    for (;;) {
        shunt_status status = SHUNT_OK;
        switch (reader->ops->next(reader, &e)) {
        case SHUNT_STEP_SEGMENT:
            segments++;
            if (capture) status = shunt_capture_segment(capture, e.node, e.segment, &e.delims);
            break;
        case SHUNT_STEP_BEGIN:
            if (capture && e.scope == SHUNT_SCOPE_TRANSACTION) status = shunt_capture_begin(capture, e.guide, e.place.byte);
            break;
        case SHUNT_STEP_ENTER:
            if (capture) status = shunt_capture_enter(capture, e.loop, e.place.byte, e.place.segment);
            break;
        case SHUNT_STEP_LEAVE:
            if (capture) shunt_capture_leave(capture, e.loop, e.end);
            break;
        case SHUNT_STEP_NEED_INPUT: {
            size_t size = in->size - at < piece ? in->size - at : piece;
            at += size;
            reader->ops->feed(reader, in->bytes + at - size, size, at == in->size);
            break;
        }
        case SHUNT_STEP_END:
        case SHUNT_STEP_FAILED: reader->ops->free(reader); return segments;
        default: break;
        }
        if (status != SHUNT_OK) {
            fprintf(stderr, "capture: %s\n", shunt_status_info[status].symbol);
            exit(1);
        }
    }
}

static uint64_t read_unmapped(const struct input *in, const shunt_plan *plan)
{
    (void)plan;
    static const shunt_plan none = { 0 };
    return run_reader(in, &none, PIECE, NULL);
}

static uint64_t read_mapped(const struct input *in, const shunt_plan *plan) { return run_reader(in, plan, PIECE, NULL); }

static uint64_t read_mapped_whole(const struct input *in, const shunt_plan *plan) { return run_reader(in, plan, in->size, NULL); }

static uint64_t read_and_capture(const struct input *in, const shunt_plan *plan)
{
    shunt_capture *capture = shunt_capture_new(&shunt_memory_libc, plan, 4 << 20);
    uint64_t       segments = capture ? run_reader(in, plan, PIECE, capture) : 0;
    shunt_capture_free(capture);
    return segments;
}

/* Every segment held against the guide at SNIP types 1 and 2; the number of findings counts as seen. */
static uint64_t read_and_validate(const struct input *in, const shunt_plan *plan)
{
    shunt_text                 set = plan->texts[plan->guides[0].set], version = plan->texts[plan->guides[0].version];
    const shunt_guide         *guide = shunt_guide_find(SHUNT_STANDARD_X12, set, version);
    shunt_x12_validate_options options = { .snips = X12_SNIP(X12_SNIP_SYNTAX) | X12_SNIP(X12_SNIP_GUIDE) };
    shunt_reader              *reader = shunt_x12_reader_new(&shunt_memory_libc, plan, NULL);
    shunt_x12_validator       *v = shunt_x12_validator_new(&shunt_memory_libc, plan, &guide, &options);
    uint64_t                   seen = 0;
    size_t                     at = 0;
    for (shunt_step step = SHUNT_STEP_NEED_INPUT; reader && v && step != SHUNT_STEP_END && step != SHUNT_STEP_FAILED;) {
        shunt_event e;
        uint32_t    count;
        step = reader->ops->next(reader, &e);
        if (step == SHUNT_STEP_NEED_INPUT) {
            size_t size = in->size - at < PIECE ? in->size - at : PIECE;
            at += size;
            reader->ops->feed(reader, in->bytes + at - size, size, at == in->size);
            continue;
        }
        if (shunt_x12_validator_see(v, &e) != SHUNT_OK) exit(1);
        (void)shunt_x12_findings(v, &count);
        seen += count + (step == SHUNT_STEP_SEGMENT);
    }
    shunt_x12_validator_free(v);
    if (reader) reader->ops->free(reader);
    return seen;
}

/* ---- a plan that wants what a remittance map wants ---- */

static const struct {
    const char *loop, *segment, *key;
    uint16_t    element, component;
} wanted[] = {
    { "", "TRN", "", 2, 0 },     { "", "BPR", "", 2, 0 },     { "", "BPR", "", 16, 0 },    { "2100", "CLP", "", 1, 0 },
    { "2100", "CLP", "", 2, 0 }, { "2100", "CLP", "", 3, 0 }, { "2100", "CLP", "", 4, 0 }, { "2100", "CLP", "", 7, 0 },
    { "2110", "SVC", "", 1, 2 }, { "2110", "SVC", "", 2, 0 }, { "2110", "SVC", "", 3, 0 }, { "2110", "CAS", "", 1, 0 },
    { "2110", "CAS", "", 2, 0 }, { "2110", "CAS", "", 3, 0 },
};

static const shunt_loop *find_loop(const shunt_loop *loop, const char *id)
{
    if (strcmp(loop->id, id) == 0) return loop;
    for (uint16_t i = 0; i < loop->body_count; i++) {
        const shunt_loop *found = loop->body[i].loop ? find_loop(loop->body[i].loop, id) : NULL;
        if (found) return found;
    }
    return NULL;
}

static bool make_plan(shunt_arena *arena, const char *set, const char *version, shunt_plan *plan)
{
    const shunt_guide *guide = shunt_guide_find(SHUNT_STANDARD_X12, shunt_text_of(set), shunt_text_of(version));
    shunt_plan_want    wants[SHUNT_COUNT(wanted)] = { 0 };
    uint32_t           count = strcmp(set, "835") == 0 ? SHUNT_COUNT(wanted) : 0;
    if (!guide) return false;
    for (size_t i = 0; i < count; i++) {
        const shunt_loop *loop = find_loop(guide->body, wanted[i].loop);
        if (!loop) return false;
        wants[i] = (shunt_plan_want){ .spot = { .loop = loop }, .element = wanted[i].element, .component = wanted[i].component };
        for (uint16_t b = 0; b < loop->body_count; b++)
            if (loop->body[b].segment && strcmp(loop->body[b].segment->id, wanted[i].segment) == 0)
                wants[i].spot.segment = loop->body[b].segment;
    }
    const char *why = NULL;
    if (shunt_plan_make(arena, &guide, 1, wants, count, plan) != SHUNT_OK) return false;
    if (!shunt_plan_valid(plan, &why)) fprintf(stderr, "plan: %s\n", why);
    return !why;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        stage       run;
    } stages[] = {
        { "floor", floor_scan },
        { "scan", our_scan },
        { "read, set not mapped", read_unmapped },
        { "read, loops recognised", read_mapped },
        { "the same in one piece", read_mapped_whole },
        { "read and capture", read_and_capture },
        { "validate, SNIP 1 and 2", read_and_validate },
    };
    struct input in = { 0 };
    int          rounds = argc > 2 ? atoi(argv[2]) : 7;
    if (rounds < 1 || rounds > MOST_ROUNDS) rounds = MOST_ROUNDS;
    if (!(argc > 1 && strcmp(argv[1], "-") != 0 ? read_file(&in, argv[1]) : make_835(&in, MADE)) || in.size < 106) {
        fprintf(stderr, "no input\n");
        return 1;
    }
    in.delims = (shunt_delims){ .element = in.bytes[3], .component = in.bytes[104], .terminator = in.bytes[105] };
    shunt_arena *arena = shunt_arena_new(&shunt_memory_libc, 0);
    shunt_plan   plan;
    bool         remittance = argc < 5; /* FILE ROUNDS SET VERSION */
    if (!arena || !make_plan(arena, remittance ? "835" : argv[3], remittance ? "005010X221A1" : argv[4], &plan)) {
        fprintf(stderr, "no plan\n");
        return 1;
    }
    double floor = 0;
    printf("%zu bytes\n", in.size);
    for (size_t s = 0; s < SHUNT_COUNT(stages); s++) {
        double seconds[MOST_ROUNDS];
        if (!remittance && stages[s].run == read_and_capture) continue;
        if (argc > 5 && strncmp(stages[s].name, argv[5], strlen(argv[5])) != 0) continue;
        uint64_t count = stages[s].run(&in, &plan);
        for (int i = 0; i < rounds; i++) {
            double begin = now();
            if (stages[s].run(&in, &plan) != count) return 1;
            seconds[i] = now() - begin;
        }
        qsort(seconds, (size_t)rounds, sizeof *seconds, by_size);
        double speed = (double)in.size / seconds[rounds / 2] / 1e9;
        if (s == 0) floor = speed;
        printf("%-24s %10llu  %7.3f GB/s  %6.3f of the floor\n", stages[s].name, (unsigned long long)count, speed, speed / floor);
    }
    shunt_arena_free(arena);
    shunt_memory_free(&shunt_memory_libc, in.bytes);
    return 0;
}
