/* spool.h - bytes that wait until their scope is decided: appended, cut back to an offset, or replayed in pieces.
 * A host may give its own; the default keeps a buffer in memory and puts what does not fit into an unnamed temporary file.
 * Owns:    copies of all that is appended.
 * Threads: one spool, one thread.
 * Fails:   IO when the disk gives out. An append that fails leaves the spool as it was: nothing of it is kept, nothing
 *          before it is lost, and the failure is always reported. */
#ifndef SHUNT_SPOOL_H
#define SHUNT_SPOOL_H

#include "engine/base/status.h"

/* Takes one piece of a replay; what it returns other than OK ends the replay and is handed on. */
typedef shunt_status shunt_spool_sink(void *context, const char *bytes, size_t length);

typedef struct shunt_spool {
    shunt_status (*append)(void *context, const void *bytes, size_t length);
    uint64_t (*mark)(void *context);                          /* the offset that the next append begins at */
    shunt_status (*truncate)(void *context, uint64_t offset); /* forgets all from `offset` on; USAGE beyond the end */
    /* Bytes [from, to) in order; USAGE where they are not all there. The sink must not touch this spool. */
    shunt_status (*replay)(void *context, uint64_t from, uint64_t to, shunt_spool_sink *sink, void *sink_context);
    shunt_status (*reset)(void *context); /* forgets all and gives the disk space back */
    void (*free)(void *context);
    void *context;
} shunt_spool;

enum { SHUNT_SPOOL_BUFFER = 4 << 20 }; /* the records of some thousand claims */

/* The default. `memory` and `directory` (NULL: TMPDIR or /tmp) are borrowed; `buffer_bytes` 0 = SHUNT_SPOOL_BUFFER. No file
 * is made before the buffer overflows. The caller ends it with `spool->free(spool->context)`. */
shunt_status shunt_spool_file_new(const shunt_memory *memory, const char *directory, size_t buffer_bytes, shunt_spool *spool);

#endif
