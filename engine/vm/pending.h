/* pending.h - records that wait until their scope is decided.
 * They stand in one buffer, one behind the other, each with what ends it, as a file of them would hold them; beside it is written what each
 * piece of the buffer is. A unit writes its records where they will stay, so a record is not copied before it is handed out, and a row of them
 * is handed out as one. What does not fit into memory goes into the spool, as parcels: it comes back piece by piece.
 * Owns:    buffer and list; the spool is borrowed.
 * Threads: one, as the spool.
 * Fails:   NO_MEMORY, and what the spool gives. */
#ifndef SHUNT_PENDING_H
#define SHUNT_PENDING_H

#include "engine/vm/parcel.h"

typedef struct shunt_pending_piece {
    uint32_t length, tag;
} shunt_pending_piece;

typedef struct shunt_pending {
    const shunt_memory  *memory;
    const shunt_spool   *spool;
    size_t               most; /* bytes that stay in memory when a unit is kept */
    shunt_buffer         out;
    shunt_pending_piece *pieces;
    uint32_t             count, room;
    shunt_buffer         parcels; /* on their way into the spool */
} shunt_pending;

/* A place in memory to go back to: where the unit at hand began. */
typedef struct shunt_pending_place {
    size_t   length;
    uint32_t count;
} shunt_pending_place;

/* `bytes` of memory are used; 0: every unit goes into the spool when it is kept. False without memory. */
bool         shunt_pending_init(shunt_pending *pending, const shunt_memory *memory, const shunt_spool *spool,
                                size_t bytes) SHUNT_MUST_USE;
void         shunt_pending_done(shunt_pending *pending); /* fine where init never was */
bool         shunt_pending_more(shunt_pending *pending); /* for shunt_pending_seal: room for a piece */
/* All since the last seal or keep stays until its scope is decided. */
shunt_status shunt_pending_keep(shunt_pending *pending);

/* What was appended to `out` since `begin` is a piece. False: no memory, and it is none. */
SHUNT_MUST_USE static inline bool shunt_pending_seal(shunt_pending *p, size_t begin, uint32_t tag)
{
    if (SHUNT_UNLIKELY(p->out.failed || (p->count == p->room && !shunt_pending_more(p)))) return false;
    p->pieces[p->count++] = (shunt_pending_piece){ (uint32_t)(p->out.length - begin), tag };
    return true;
}

static inline shunt_pending_place shunt_pending_here(const shunt_pending *p)
{
    return (shunt_pending_place){ p->out.length, p->count };
}
static inline void shunt_pending_back(shunt_pending *p, shunt_pending_place place)
{
    p->out.length = place.length;
    p->count = place.count;
}

/* An offset over spool and memory, and the way back to it: USAGE beyond the end. */
uint64_t     shunt_pending_mark(const shunt_pending *pending);
shunt_status shunt_pending_truncate(shunt_pending *pending, uint64_t mark);
shunt_status shunt_pending_reset(shunt_pending *pending);

#endif
