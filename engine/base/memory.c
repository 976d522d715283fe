#include "engine/base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20, FIRST_ROOM = 16 };

/* Large blocks are indexes that are read all over, and buffers that are filled again and again: pages of two megabytes save them most
 * of the faults, and of the looks through page tables. A hint: where the system has none, nothing is lost. */
static void *allocate_huge(size_t size_bytes)
{
    void *block = NULL;
    if (posix_memalign(&block, HUGE_PAGE, size_bytes) != 0) return NULL;
#ifdef MADV_HUGEPAGE
    (void)madvise(block, size_bytes & ~(size_t)(HUGE_PAGE - 1), MADV_HUGEPAGE);
#endif
    return block;
}

static void *libc_allocate(void *context, size_t size_bytes)
{
    (void)context;
    if (size_bytes >= HUGE_PAGE) return allocate_huge(size_bytes);
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

void *shunt_memory_more(const shunt_memory *m, void *items, uint32_t count, uint32_t *room, size_t size_bytes)
{
    if (count < *room) return items;
    if (*room > UINT32_MAX / 2 || size_bytes > SIZE_MAX / ((size_t)*room * 2 + FIRST_ROOM)) return NULL;
    uint32_t more = *room ? *room * 2 : FIRST_ROOM;
    void    *grown = shunt_memory_resize(m, items, more * size_bytes);
    if (grown) *room = more;
    return grown;
}

void *shunt_memory_zeroed(const shunt_memory *m, size_t count, size_t size_bytes)
{
    size_t total;
    if (__builtin_mul_overflow(count, size_bytes, &total)) return NULL;
    void *block = shunt_memory_get(m, total);
    if (block) memset(block, 0, total);
    return block;
}
