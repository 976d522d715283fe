#include "tests/support/test_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD = 0x5a };

struct head {
    size_t size;
    _Alignas(16) unsigned char bytes[];
};

static struct head *head_of(void *block) { return (struct head *)((char *)block - offsetof(struct head, bytes)); }

static bool refused(struct test_memory *m)
{
    m->calls++;
    return m->fail_at != 0 && (m->calls == m->fail_at || (m->fail_on && m->calls > m->fail_at));
}

static void *allocate(void *context, size_t size_bytes)
{
    struct test_memory *m = context;
    if (refused(m) || size_bytes > PTRDIFF_MAX - sizeof(struct head) - 1) return NULL;
    struct head *head = malloc(sizeof *head + size_bytes + 1);
    if (!head) return NULL;
    head->size = size_bytes;
    memset(head->bytes, 0xa5, size_bytes); /* nobody may count on zeros */
    head->bytes[size_bytes] = GUARD;
    m->blocks++;
    m->bytes += size_bytes;
    if (m->bytes > m->peak_bytes) m->peak_bytes = m->bytes;
    return head->bytes;
}

static void release(void *context, void *block)
{
    struct test_memory *m = context;
    if (!block) return;
    struct head *head = head_of(block);
    if (head->bytes[head->size] != GUARD) {
        fprintf(stderr, "test_memory: a block of %zu bytes was written beyond its end\n", head->size);
        abort();
    }
    m->blocks--;
    m->bytes -= head->size;
    free(head);
}

static void *resize(void *context, void *block, size_t size_bytes)
{
    void *larger = allocate(context, size_bytes);
    if (!larger || !block) return larger;
    size_t size = head_of(block)->size;
    memcpy(larger, block, size < size_bytes ? size : size_bytes);
    release(context, block);
    return larger;
}

void test_memory_init(struct test_memory *m, size_t fail_at)
{
    *m = (struct test_memory){ .memory = { allocate, resize, release, m }, .fail_at = fail_at };
}
