#include "engine/base/memory.h"

#include <stdlib.h>
#include <string.h>

static void *libc_allocate(void *context, size_t size_bytes)
{
    (void)context;
    return malloc(size_bytes ? size_bytes : 1);
}

static void *libc_resize(void *context, void *block, size_t size_bytes)
{
    (void)context;
    return realloc(block, size_bytes ? size_bytes : 1);
}

static void libc_release(void *context, void *block)
{
    (void)context;
    free(block);
}

const shunt_memory shunt_memory_libc = { libc_allocate, libc_resize, libc_release, NULL };

void *shunt_memory_zeroed(const shunt_memory *m, size_t count, size_t size_bytes)
{
    size_t total;
    if (__builtin_mul_overflow(count, size_bytes, &total)) return NULL;
    void *block = shunt_memory_get(m, total);
    if (block) memset(block, 0, total);
    return block;
}
