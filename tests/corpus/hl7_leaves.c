/* hl7_leaves.c - what the HL7 reader sees in files, for tests/corpus/hl7.py.
 *   hl7_leaves FILE...        for each: `file NAME`, `fault CODE SEVERITY BYTE`, `message SET VERSION GUIDE`, and a leaf a line,
 *                             `= ORDINAL|SEGMENT|FIELD|REPETITION|COMPONENT|SUBCOMPONENT|raw bytes`, as the oracle writes them
 *   hl7_leaves --escapes      lines of standard input `SEPARATORS VALUE` in hexadecimal; gives the decoded values in hexadecimal
 *   hl7_leaves --moments      lines of standard input; gives the moment as it is written by the engine, or `invalid`
 *   hl7_leaves --sets         lines of standard input; gives none, ascii, utf-8, 8859/N or refused
 * Every file is read whole and cut at many places, with what is demanded and for display: other events abort. */
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/date.h"
#include "standards/hl7/delims.h"
#include "standards/hl7/reader.h"
#include "standards/hl7/text.h"
#include "tests/support/event_log.h"
#include "tests/support/hl7_plan.h"

enum { GUIDES = 64, LINE = 1 << 16 };

static uint64_t random_state = 7;

static size_t random_cut(void *most, size_t left)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    size_t size = 1 + (size_t)(random_state >> 33) % *(size_t *)most;
    return size < left ? size : left;
}

static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        exit(2);
    }
    uint8_t *bytes = NULL;
    size_t   capacity = 0;
    *size = 0;
    for (size_t got = 1; got; *size += got) {
        if (*size + LINE > capacity) bytes = realloc(bytes, capacity = 2 * capacity + LINE);
        if (!bytes) abort();
        got = fread(bytes + *size, 1, capacity - *size, f);
    }
    fclose(f);
    return bytes;
}

/* Guides for the messages of the file: those of their events and versions, or the nearest ones. */
static unsigned find_guides(const uint8_t *bytes, size_t size, const shunt_guide *guides[GUIDES])
{
    shunt_plan        none = { 0 };
    shunt_hl7_options options = { .display = true };
    shunt_reader     *reader = shunt_hl7_reader_new(&shunt_memory_libc, &none, &options);
    shunt_event       event;
    unsigned          count = 0;
    if (!reader) abort();
    reader->ops->feed(reader, bytes, size, true);
    while (reader->ops->next(reader, &event) != SHUNT_STEP_END) {
        bool exact;
        if (event.step != SHUNT_STEP_BEGIN || event.scope != SHUNT_SCOPE_TRANSACTION || count == GUIDES) continue;
        const shunt_guide *guide = shunt_hl7_guide_nearest(event.set, event.version, &exact);
        for (unsigned i = 0; i < count && guide; i++)
            if (guides[i] == guide) guide = NULL;
        if (guide) guides[count++] = guide;
    }
    reader->ops->free(reader);
    return count;
}

/* The parts of a range apart by a separator: the next one. False: there is no more. */
static bool next_part(const uint8_t **at, const uint8_t *end, uint8_t separator, const uint8_t **begin, const uint8_t **stop)
{
    if (!*at) return false;
    const uint8_t *found = separator ? memchr(*at, separator, (size_t)(end - *at)) : NULL;
    *begin = *at;
    *stop = found ? found : end;
    *at = found ? found + 1 : NULL;
    return true;
}

static void print_leaves(const shunt_event *e, unsigned ordinal)
{
    const shunt_segment *s = e->segment;
    const uint8_t       *b = s->bytes;
    bool header = s->length >= 4 && (memcmp(b, "MSH", 3) == 0 || memcmp(b, "FHS", 3) == 0 || memcmp(b, "BHS", 3) == 0);
    for (uint32_t k = header ? 2 : 1; k <= s->elements; k++) {
        const uint8_t *field = b + s->offsets[k], *end = b + s->offsets[k + 1] - 1, *r = field, *rb, *re;
        for (unsigned rep = 1; next_part(&r, end, e->delims.repetition, &rb, &re); rep++) {
            const uint8_t *c = rb, *cb, *ce;
            for (unsigned comp = 1; next_part(&c, re, e->delims.component, &cb, &ce); comp++) {
                const uint8_t *sub = cb, *sb, *se;
                for (unsigned n = 1; next_part(&sub, ce, e->delims.subcomponent, &sb, &se); n++) {
                    if (se == sb) continue;
                    printf("= %u|%.*s|%u|%u|%u|%u|", ordinal, (int)(s->offsets[1] - 1), (const char *)b, k + header, rep, comp,
                           n);
                    fwrite(sb, 1, (size_t)(se - sb), stdout);
                    putchar('\n');
                }
            }
        }
    }
}

static void show(const uint8_t *bytes, size_t size, const shunt_plan *plan)
{
    shunt_hl7_options options = { .display = true };
    shunt_reader     *reader = shunt_hl7_reader_new(&shunt_memory_libc, plan, &options);
    shunt_event       event;
    unsigned          ordinal = 0;
    if (!reader) abort();
    reader->ops->feed(reader, bytes, size, true);
    while (reader->ops->next(reader, &event) != SHUNT_STEP_END) {
        const struct shunt_status_info *info = &shunt_status_info[event.code];
        switch (event.step) {
        case SHUNT_STEP_SEGMENT: print_leaves(&event, ++ordinal); break;
        case SHUNT_STEP_FAULT:
            printf("fault %s %s %llu\n", info->code, shunt_severity_name(info->severity), (unsigned long long)event.place.byte);
            break;
        case SHUNT_STEP_BEGIN:
            if (event.scope == SHUNT_SCOPE_TRANSACTION) {
                shunt_text set = event.guide == SHUNT_NONE ? SHUNT_TEXT("-") : plan->texts[plan->guides[event.guide].set];
                printf("message %.*s %.*s %.*s\n", SHUNT_TEXT_ARGS(event.set), SHUNT_TEXT_ARGS(event.version),
                       SHUNT_TEXT_ARGS(set));
            }
            break;
        case SHUNT_STEP_FAILED:
        case SHUNT_STEP_NEED_INPUT: abort();
        default: break;
        }
    }
    reader->ops->free(reader);
}

static uint64_t hash_of(const uint8_t *bytes, size_t size, const shunt_plan *plan, bool display, size_t most)
{
    struct event_log  log;
    shunt_hl7_options options = { .display = display };
    event_log_run(&log, shunt_hl7_reader_new(&shunt_memory_libc, plan, &options), plan, bytes, size, random_cut, &most,
                  EVENT_LOG_PLACES | (display ? EVENT_LOG_ELEMENTS : 0), false);
    return log.hash;
}

static void cut(const char *path, const uint8_t *bytes, size_t size, const shunt_plan *plan)
{
    static const size_t most[] = { 3, 40, 700, 70000 };
    for (unsigned display = 0; display < 2; display++) {
        uint64_t whole = hash_of(bytes, size, plan, display, SIZE_MAX / 2);
        for (size_t i = size > 200000 ? 2 : 0; i < SHUNT_COUNT(most); i++) {
            if (hash_of(bytes, size, plan, display, most[i]) == whole) continue;
            fprintf(stderr, "%s: other events in pieces of up to %zu bytes\n", path, most[i]);
            abort();
        }
    }
}

/* Demands a few parts of the first segments of every guide, so that values are decoded, too. */
static shunt_plan make_plan(shunt_arena *arena, const shunt_guide *const *guides, unsigned count)
{
    shunt_plan_want wants[256];
    unsigned        want_count = 0;
    shunt_plan      plan = { 0 };
    for (unsigned g = 0; g < count; g++)
        for (uint16_t e = 0; e < guides[g]->body->body_count; e++) {
            const shunt_segment_node *s = guides[g]->body->body[e].segment;
            for (uint16_t f = 0; s && f < s->element_count && f < 12 && want_count < SHUNT_COUNT(wants); f++)
                wants[want_count++] = (shunt_plan_want){ .spot = { (uint16_t)g, guides[g]->body, s },
                                                         .element = (uint16_t)(f + 1),
                                                         .component = f % 3,
                                                         .shown = shunt_text_of(s->id) };
        }
    if (count && shunt_plan_make(arena, guides, count, wants, want_count, &plan) != SHUNT_OK) abort();
    return plan;
}

static void look_at(const char *path)
{
    const shunt_guide *guides[GUIDES];
    size_t             size;
    uint8_t           *bytes = read_file(path, &size);
    shunt_arena       *arena = shunt_arena_new(&shunt_memory_libc, 0);
    unsigned           count = find_guides(bytes, size, guides);
    shunt_plan         plan = make_plan(arena, guides, count);
    printf("file %s\n", path);
    show(bytes, size, &plan);
    cut(path, bytes, size, &plan);
    shunt_arena_free(arena);
    free(bytes);
}

static size_t from_hex(const char *text, uint8_t *out)
{
    size_t   count = 0;
    unsigned byte;
    for (; sscanf(text, "%2x", &byte) == 1; text += 2) out[count++] = (uint8_t)byte;
    return count;
}

static void decode_line(char *line)
{
    static uint8_t raw[LINE], separators[8];
    char          *space = strchr(line, ' ');
    shunt_buffer   buffer;
    shunt_text     value = { 0 };
    if (!space) return;
    *space = 0;
    from_hex(line, separators);
    uint32_t     size = (uint32_t)from_hex(space + 1, raw);
    shunt_delims d = { .element = separators[0],
                       .component = separators[1],
                       .repetition = separators[2],
                       .escape = separators[3],
                       .subcomponent = separators[4] };
    shunt_buffer_init(&buffer, &shunt_memory_libc);
    shunt_hl7_decode(raw, size, &d, (shunt_hl7_charset){ 0 }, &buffer, &value);
    for (uint32_t i = 0; i < value.length; i++) printf("%02x", (uint8_t)value.bytes[i]);
    putchar('\n');
    shunt_buffer_done(&buffer);
}

static void moment_line(char *line)
{
    shunt_moment moment;
    char         text[SHUNT_MOMENT_TEXT];
    if (shunt_moment_parse_hl7(shunt_text_of(line), &moment) != SHUNT_OK)
        puts("invalid");
    else
        printf("%.*s\n", (int)shunt_moment_print(moment, text), text);
}

static void set_line(char *line)
{
    shunt_hl7_charset        found = shunt_hl7_charset_find(shunt_text_of(line));
    static const char *const names[] = { "none", "ascii", "utf-8", "8859", "refused" };
    if (found.set == HL7_SET_LATIN)
        printf("8859/%u\n", found.part);
    else
        puts(names[found.set]);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *option;
        void (*take)(char *line);
    } filters[] = { { "--escapes", decode_line }, { "--moments", moment_line }, { "--sets", set_line } };
    for (size_t i = 0; argc == 2 && i < SHUNT_COUNT(filters); i++) {
        static char line[LINE];
        if (strcmp(argv[1], filters[i].option) != 0) continue;
        while (fgets(line, sizeof line, stdin)) {
            line[strcspn(line, "\n")] = 0;
            filters[i].take(line);
        }
        return 0;
    }
    for (int i = 1; i < argc; i++) look_at(argv[i]);
    return 0;
}
