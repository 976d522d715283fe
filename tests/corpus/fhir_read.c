/* fhir_read.c - reads files as FHIR with a plan that demands something of every part, and says what is met: fhir_read [--cuts N] FILE...
 * One line a file: `FILE<tab>units<tab>values<tab>hash<tab>codes`, the codes as SEVERITY:CODE@BYTE. With --cuts each file is read N more
 * times, cut at places drawn from its name, and must give the same events; exit status 1 where it does not. */
#include <stdio.h>
#include <stdlib.h>

#include "standards/fhir/reader.h"
#include "tests/support/event_log.h"
#include "tests/support/tree_plan.h"

/* Resources of any type, Bundles in Bundles, contained resources, lists of primitives, extensions, references. */
static const char description[] =
    "guide Bundle framed window=100000\nid\ntype\nloop identifier\nsystem\nvalue\nend\n"
    "loop entry\nfullUrl\nloop resource unit\nresourceType\nid\nstatus\n_status\nloop meta\nlastUpdated\nloop profile "
    "frame\nvalue item\nend\nend\n"
    "loop identifier frame\nsystem\nvalue\nend\nloop name frame\nfamily\nloop given frame\nvalue item\nend\nloop _given "
    "frame\nloop "
    "extension frame\n"
    "url\nvalueCode\nend\nend\nend\n"
    "birthDate\nloop _birthDate frame\nid\nloop extension frame\nurl\nvalueDateTime\nend\nend\n"
    "loop contained frame\nresourceType\nid\nend\nloop extension frame\nurl\nvalueString\nloop valueMoney\nvalue "
    "decimal\ncurrency\nend\nend\n"
    "loop patient frame\nreference\ndisplay\nloop resolve() frame type=Patient\nid\ngender\nend\nend\n"
    "loop item frame\nsequence decimal\nloop net\nvalue decimal\ncurrency\nend\nloop adjudication frame\nloop amount\nvalue "
    "decimal\nend\nend\nend\n"
    "loop total frame\nloop amount\nvalue decimal\ncurrency\nend\nend\n"
    "loop entry frame\nloop resource frame\nresourceType\nid\nend\nend\n"
    "end\nend\n";

struct cut {
    uint64_t state;
};

static size_t cut_random(void *context, size_t left)
{
    struct cut *c = context;
    (void)left;
    c->state = c->state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    uint32_t r = (uint32_t)(c->state >> 33);
    return 1 + (r & 7 ? r % 5000 : r % 5);
}

static uint64_t seed_of(const char *name)
{
    uint64_t    hash = UINT64_C(0xcbf29ce484222325);
    const char *base = strrchr(name, '/');
    for (const char *p = base ? base : name; *p; p++) hash = (hash ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
    return hash;
}

static uint64_t hash_of(const shunt_plan *plan, const uint8_t *bytes, size_t size, event_log_cut cut, void *context)
{
    struct event_log log;
    event_log_run(&log, shunt_fhir_reader_new(&shunt_memory_libc, plan, NULL), plan, bytes, size, cut, context, EVENT_LOG_PLACES,
                  false);
    return log.hash;
}

static void tell(const shunt_plan *plan, const char *name, const uint8_t *bytes, size_t size, uint64_t hash)
{
    shunt_reader *reader = shunt_fhir_reader_new(&shunt_memory_libc, plan, NULL);
    unsigned long units = 0, values = 0;
    char          codes[2000] = "";
    if (!reader) abort();
    reader->ops->feed(reader, bytes, size, true);
    for (bool over = false; !over;) {
        shunt_event e;
        switch (reader->ops->next(reader, &e)) {
        case SHUNT_STEP_ENTER:
            units += plan->loops[e.loop].frame != SHUNT_NONE && plan->frames[plan->loops[e.loop].frame].unit;
            break;
        case SHUNT_STEP_VALUE: values++; break;
        case SHUNT_STEP_FAULT: {
            size_t at = strlen(codes);
            snprintf(codes + at, sizeof codes - at, " %c:%s@%llu", shunt_status_info[e.code].severity == SHUNT_ERROR ? 'E' : 'W',
                     shunt_status_info[e.code].symbol, (unsigned long long)e.place.byte);
            break;
        }
        case SHUNT_STEP_END: over = true; break;
        case SHUNT_STEP_NEED_INPUT:
        case SHUNT_STEP_FAILED: abort();
        default: break;
        }
    }
    reader->ops->free(reader);
    printf("%s\t%lu\t%lu\t%016llx\t%s\n", name, units, values, (unsigned long long)hash, codes[0] ? codes + 1 : "-");
}

int main(int argc, char **argv)
{
    struct tree_plan *plan = tree_plan_build(description);
    bool              good = true;
    int               cuts = 0, i = 1;
    if (argc > 2 && strcmp(argv[1], "--cuts") == 0) cuts = atoi(argv[2]), i = 3;
    for (; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (!file || fseek(file, 0, SEEK_END) != 0) return 3;
        size_t   size = (size_t)ftell(file), whole = size + 1;
        uint8_t *bytes = malloc(size ? size : 1);
        rewind(file);
        if (!bytes || fread(bytes, 1, size, file) != size) return 3;
        fclose(file);
        uint64_t   hash = hash_of(tree_plan_of(plan), bytes, size, event_log_cut_fixed, &whole);
        struct cut cut = { seed_of(argv[i]) };
        for (int c = 0; c < cuts; c++) {
            if (hash_of(tree_plan_of(plan), bytes, size, cut_random, &cut) == hash) continue;
            printf("DIFFERS\t%s\n", argv[i]);
            good = false;
        }
        tell(tree_plan_of(plan), argv[i], bytes, size, hash);
        free(bytes);
    }
    tree_plan_free(plan);
    return good ? 0 : 1;
}
