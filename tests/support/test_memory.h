/* test_memory.h - an allocator for tests: fails the n-th call, and counts what is outstanding.
 * Owns:    nothing; the struct is the caller's and outlives every block. Blocks are checked for overwritten edges on release. */
#ifndef SHUNT_TEST_MEMORY_H
#define SHUNT_TEST_MEMORY_H

#include "engine/base/memory.h"

struct test_memory {
    shunt_memory memory;  /* hand out &it->memory */
    size_t       calls;   /* allocations and resizes so far, failed ones too */
    size_t       fail_at; /* the call (from 1) that gives NULL; 0 = none */
    bool         fail_on; /* all later calls fail too */
    size_t       blocks;  /* outstanding */
    size_t       bytes;   /* outstanding, as asked for */
    size_t       peak_bytes;
};

void test_memory_init(struct test_memory *m, size_t fail_at);

#endif
