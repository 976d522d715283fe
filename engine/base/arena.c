#include "engine/base/arena.h"

enum { BLOCK_FIRST = 16 * 1024, BLOCK_LARGEST = 256 * 1024 };

/* Blocks form one chain: those before the current one are full, those after it are free for reuse. */
struct block {
    struct block *next;
    size_t        size; /* of `bytes`, the slack behind them not counted */
    _Alignas(16) char bytes[];
};

struct arena {
    struct shunt_arena  head; /* first, so that both pointers are one */
    const shunt_memory *memory;
    struct block       *first;
    size_t              before;     /* bytes handed out from the blocks before the current one */
    size_t              limit;      /* SIZE_MAX: none */
    size_t              block_size; /* of the next block to get */
    shunt_arena_fault   fault;
};

static struct arena       *full(shunt_arena *arena) { return (struct arena *)arena; }
static const struct arena *full_const(const shunt_arena *arena) { return (const struct arena *)arena; }

static struct block *current(const struct arena *a) { return (struct block *)a->head.block; }

/* Without a block `next` and `end` meet at the arena itself: never NULL, so that zero bytes are no failure. */
static char *start_of(const struct arena *a) { return current(a) ? current(a)->bytes : (char *)(uintptr_t)a; }

static void clip(struct arena *a)
{
    size_t room = current(a) ? current(a)->size : 0;
    size_t left = a->limit > a->before ? a->limit - a->before : 0;
    char  *end = start_of(a) + (left < room ? left : room);
    a->head.end = end > a->head.next ? end : a->head.next;
}

/* Makes `block` the current one with `used` bytes of it handed out. */
static void stand_at(struct arena *a, struct block *block, size_t used, size_t before)
{
    a->head.block = block;
    a->before = before;
    a->head.next = start_of(a) + used;
    a->head.bias = before - (size_t)(uintptr_t)start_of(a);
    if (block) SHUNT_POISON(a->head.next, block->size - used);
    clip(a);
}

shunt_arena *shunt_arena_new(const shunt_memory *memory, size_t limit_bytes)
{
    struct arena *a = shunt_memory_zeroed(memory, 1, sizeof *a);
    if (!a) return NULL;
    a->memory = memory;
    a->limit = limit_bytes ? limit_bytes : SIZE_MAX;
    a->block_size = BLOCK_FIRST;
    stand_at(a, NULL, 0, 0);
    return &a->head;
}

void shunt_arena_free(shunt_arena *arena)
{
    if (!arena) return;
    struct arena *a = full(arena);
    for (struct block *block = a->first, *next; block; block = next) {
        next = block->next;
        SHUNT_UNPOISON(block->bytes, block->size + SHUNT_ARENA_SLACK);
        shunt_memory_free(a->memory, block);
    }
    shunt_memory_free(a->memory, a);
}

void shunt_arena_reset(shunt_arena *arena)
{
    struct arena *a = full(arena);
#ifdef SHUNT_ADDRESS_SANITIZER
    for (struct block *block = a->first; block; block = block->next) SHUNT_POISON(block->bytes, block->size);
#endif
    a->fault = SHUNT_ARENA_FINE;
    stand_at(a, a->first, 0, 0);
}

void shunt_arena_back(shunt_arena *arena, shunt_mark mark)
{
    struct arena *a = full(arena);
    struct block *block = mark.block ? mark.block : a->first;
    size_t        used = mark.block ? (size_t)(mark.next - ((struct block *)mark.block)->bytes) : 0;
#ifdef SHUNT_ADDRESS_SANITIZER
    for (struct block *later = block; later; later = later->next)
        if (later != block) SHUNT_POISON(later->bytes, later->size);
#endif
    stand_at(a, block, used, (size_t)(uintptr_t)mark.next + mark.bias - used);
}

void shunt_arena_set_limit(shunt_arena *arena, size_t limit_bytes)
{
    struct arena *a = full(arena);
    a->limit = limit_bytes ? limit_bytes : SIZE_MAX;
    clip(a);
}

shunt_arena_fault shunt_arena_failed(const shunt_arena *arena) { return full_const(arena)->fault; }

static void *refuse(struct arena *a, shunt_arena_fault fault)
{
    if (a->fault == SHUNT_ARENA_FINE) a->fault = fault;
    return NULL;
}

/* Takes the first free block that is large enough out of the chain; sizes are powers of two, so few are ever kept. */
static struct block *unlink_free(struct arena *a, size_t size_bytes)
{
    struct block **link = current(a) ? &current(a)->next : &a->first;
    for (; *link; link = &(*link)->next) {
        struct block *block = *link;
        if (block->size < size_bytes) continue;
        *link = block->next;
        return block;
    }
    return NULL;
}

static struct block *get_block(struct arena *a, size_t size_bytes)
{
    size_t size = a->block_size;
    if (size_bytes > SIZE_MAX / 4) return NULL;
    while (size - sizeof(struct block) - SHUNT_ARENA_SLACK < size_bytes) size *= 2;
    struct block *block = shunt_memory_get(a->memory, size);
    if (!block) return NULL;
    block->size = size - sizeof *block - SHUNT_ARENA_SLACK;
    if (a->block_size < BLOCK_LARGEST) a->block_size *= 2;
    return block;
}

void *shunt_arena_more(shunt_arena *arena, size_t size_bytes, size_t align)
{
    struct arena *a = full(arena);
    size_t        used = (size_t)(a->head.next - start_of(a));
    size_t        padding = -(uintptr_t)a->head.next & (align - 1);
    size_t        total = a->before + used;
    size_t        left = a->limit > total ? a->limit - total : 0;
    size_t        room = current(a) ? current(a)->size - used : 0;
    if (size_bytes > left && a->limit != SIZE_MAX) return refuse(a, SHUNT_ARENA_LIMIT);
    /* The block has room, only the padding crosses the limit. */
    if (padding <= room && size_bytes <= room - padding) return refuse(a, SHUNT_ARENA_LIMIT);

    struct block *block = unlink_free(a, size_bytes);
    if (!block) block = get_block(a, size_bytes);
    if (!block) return refuse(a, SHUNT_ARENA_NO_MEMORY);
    struct block **link = current(a) ? &current(a)->next : &a->first;
    block->next = *link;
    *link = block;
    stand_at(a, block, 0, total);
    a->head.next += size_bytes;
    SHUNT_UNPOISON(block->bytes, size_bytes);
    return block->bytes;
}
