#include "engine/vm/pending.h"

#include <string.h>

enum {
    AHEAD = 2048, /* bytes: about the records of a unit */
    LINE = 64,    /* of the cache */
    PARCELS = 64 * 1024
};

bool shunt_pending_init(shunt_pending *p, const shunt_memory *memory, const shunt_spool *spool, size_t bytes)
{
    *p = (shunt_pending){ .memory = memory, .spool = spool, .most = bytes - bytes / 16 }; /* the rest is for the unit at hand */
    shunt_buffer_init(&p->out, memory);
    shunt_buffer_init(&p->parcels, memory);
    if (bytes) p->out.bytes = shunt_memory_get(memory, bytes); /* at once: large blocks stand in large pages */
    if (p->out.bytes) p->out.capacity = bytes;
    return p->out.bytes || !bytes;
}

void shunt_pending_done(shunt_pending *p)
{
    if (!p->memory) return;
    shunt_buffer_done(&p->out);
    shunt_buffer_done(&p->parcels);
    shunt_memory_free(p->memory, p->pieces);
}

bool shunt_pending_more(shunt_pending *p)
{
    shunt_pending_piece *pieces = shunt_memory_more(p->memory, p->pieces, p->count, &p->room, sizeof *pieces);
    if (pieces) p->pieces = pieces;
    return pieces != NULL;
}

static shunt_status append_parcels(shunt_pending *p)
{
    if (!p->parcels.length) return SHUNT_OK;
    SHUNT_TRY(p->spool->append(p->spool->context, p->parcels.bytes, p->parcels.length));
    p->parcels.length = 0;
    return SHUNT_OK;
}

/* All that is in memory goes into the spool. */
static shunt_status spill(shunt_pending *p)
{
    const char *at = p->out.bytes;
    p->parcels.length = 0;
    for (uint32_t i = 0; i < p->count; i++) {
        size_t begin = shunt_parcel_open(&p->parcels);
        shunt_buffer_add(&p->parcels, at, p->pieces[i].length);
        shunt_parcel_seal(&p->parcels, begin, p->pieces[i].tag);
        if (p->parcels.failed) return SHUNT_NO_MEMORY;
        at += p->pieces[i].length;
        if (p->parcels.length >= PARCELS) SHUNT_TRY(append_parcels(p));
    }
    SHUNT_TRY(append_parcels(p));
    p->out.length = p->count = 0;
    return SHUNT_OK;
}

shunt_status shunt_pending_keep(shunt_pending *p)
{
    if (SHUNT_UNLIKELY(p->out.length > p->most)) return spill(p);
    /* The next unit is about as long: what it will write over is fetched until then. */
    if (p->out.capacity - p->out.length < AHEAD) return SHUNT_OK;
    const char *next = p->out.bytes + p->out.length;
#pragma GCC unroll 8
    for (size_t at = 0; at < AHEAD; at += LINE) __builtin_prefetch(next + at, 1);
    return SHUNT_OK;
}

/* As the spool counts: a parcel is its bytes and a head. */
uint64_t shunt_pending_mark(const shunt_pending *p)
{
    return p->spool->mark(p->spool->context) + p->out.length + (uint64_t)p->count * SHUNT_PARCEL_HEAD;
}

shunt_status shunt_pending_truncate(shunt_pending *p, uint64_t mark)
{
    uint64_t spooled = p->spool->mark(p->spool->context), here = shunt_pending_mark(p);
    if (mark > here) return SHUNT_USAGE;
    while (p->count && here > mark) {
        uint32_t length = p->pieces[--p->count].length;
        p->out.length -= length;
        here -= length + SHUNT_PARCEL_HEAD;
    }
    return mark < spooled ? p->spool->truncate(p->spool->context, mark) : SHUNT_OK;
}

shunt_status shunt_pending_reset(shunt_pending *p)
{
    p->out.length = p->count = 0;
    return p->spool->reset(p->spool->context);
}
