/* fhir.h - what both harnesses of FHIR hold against any bytes: the same events whole and in pieces, the same for every limit; values within
 * what was fed; a bounded number of events. Byte 0: size of the pieces; byte 1: limits and plan; the rest is the input. */
#ifndef SHUNT_FUZZ_FHIR_H
#define SHUNT_FUZZ_FHIR_H

#include <stdlib.h>

#include "standards/fhir/reader.h"
#include "tests/support/event_log.h"
#include "tests/support/tree_plan.h"

static const char fuzz_plain[] = "guide Bundle framed\nid\ntype\nloop identifier\nvalue\nend\nloop link frame\nurl\nend\nloop "
                                 "entry\nfullUrl\nloop resource unit type=Claim\n"
                                 "resourceType\nid\nstatus\n_status\nloop _status frame\nid\nloop extension "
                                 "frame\nurl\nvalueString\nend\nend\nloop item frame\nsequence decimal\nloop net\n"
                                 "value decimal\ncurrency\nend\nend\nloop given frame\nvalue\nend\nloop contained frame "
                                 "type=Patient\nid\nend\nend\nloop resource unit\nid\nend\nend\n";
static const char fuzz_references[] =
    "guide Bundle framed\nid\nloop entry\nloop resource unit type=Claim\nid\nloop patient frame\nreference\nloop resolve() frame "
    "type=Patient\nid\ngender\n"
    "loop link frame\nloop other frame\nloop resolve() frame\nid\nend\nend\nend\nend\nend\nend\nend\nguide Patient framed\nid\n";

static uint64_t fuzz_hash(const shunt_plan *plan, const shunt_fhir_options *o, const uint8_t *data, size_t size, size_t step)
{
    struct event_log log;
    event_log_run(&log, shunt_fhir_reader_new(&shunt_memory_libc, plan, o), plan, data, size, event_log_cut_fixed, &step,
                  EVENT_LOG_PLACES, false);
    if (log.events > 64 * size + 64) abort();
    return log.hash;
}

static int fuzz_fhir(const uint8_t *data, size_t size)
{
    static struct tree_plan        *plain, *references;
    static const shunt_fhir_options limits[] = { { 0 }, { .max_unit_bytes = 300, .window = 200, .spool_bytes = 64 } };
    if (size < 2) return 0;
    if (!plain) plain = tree_plan_build(fuzz_plain), references = tree_plan_build(fuzz_references);
    const shunt_plan         *plan = tree_plan_of(data[1] & 1 ? references : plain);
    const shunt_fhir_options *o = &limits[data[1] >> 1 & 1];
    size_t                    step = 1 + data[0] % 64;
    if (fuzz_hash(plan, o, data + 2, size - 2, size) != fuzz_hash(plan, o, data + 2, size - 2, step)) abort();
    return 0;
}

#endif
