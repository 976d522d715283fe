#include "engine/base/spool.h"

#include <string.h>

#include "engine/base/temp.h"

enum { PIECE = 64 * 1024 };

/* The last bytes of the spool are in `buffer`, all before them in the file. */
struct file_spool {
    const shunt_memory *memory;
    const char         *directory;
    char               *buffer;
    size_t              used, capacity;
    uint64_t            written; /* bytes of the spool in the file; what the file holds beyond them is void */
    char               *piece;   /* for replays; made together with the file, so that a replay needs no memory */
    int                 file;    /* -1: none yet */
};

static shunt_status need_file(struct file_spool *s)
{
    if (s->file >= 0) return SHUNT_OK;
    if (!s->piece) s->piece = shunt_memory_get(s->memory, PIECE);
    if (!s->piece) return SHUNT_NO_MEMORY;
    return shunt_temp_open(s->directory, &s->file);
}

/* Empties the buffer into the file; on failure both are as before. */
static shunt_status flush(struct file_spool *s)
{
    SHUNT_TRY(need_file(s));
    SHUNT_TRY(shunt_temp_write(s->file, s->written, s->buffer, s->used));
    s->written += s->used;
    s->used = 0;
    return SHUNT_OK;
}

static shunt_status append(void *context, const void *bytes, size_t length)
{
    struct file_spool *s = context;
    if (length == 0) return SHUNT_OK;
    if (length > s->capacity - s->used) {
        SHUNT_TRY(flush(s));
        if (length > s->capacity) {
            SHUNT_TRY(shunt_temp_write(s->file, s->written, bytes, length));
            s->written += length;
            return SHUNT_OK;
        }
    }
    memcpy(s->buffer + s->used, bytes, length);
    s->used += length;
    return SHUNT_OK;
}

static uint64_t mark(void *context)
{
    const struct file_spool *s = context;
    return s->written + s->used;
}

static shunt_status truncate_to(void *context, uint64_t offset)
{
    struct file_spool *s = context;
    if (offset > s->written + s->used) return SHUNT_USAGE;
    if (offset >= s->written) {
        s->used = (size_t)(offset - s->written);
    } else {
        s->written = offset;
        s->used = 0;
    }
    return SHUNT_OK;
}

static shunt_status replay(void *context, uint64_t from, uint64_t to, shunt_spool_sink *sink, void *sink_context)
{
    struct file_spool *s = context;
    if (from > to || to > s->written + s->used) return SHUNT_USAGE;
    while (from < to && from < s->written) {
        uint64_t end = to < s->written ? to : s->written;
        size_t   length = end - from < PIECE ? (size_t)(end - from) : PIECE;
        SHUNT_TRY(shunt_temp_read(s->file, from, s->piece, length));
        SHUNT_TRY(sink(sink_context, s->piece, length));
        from += length;
    }
    if (from == to) return SHUNT_OK;
    return sink(sink_context, s->buffer + (from - s->written), (size_t)(to - from));
}

static shunt_status reset(void *context)
{
    struct file_spool *s = context;
    bool               file = s->written > 0;
    s->written = 0;
    s->used = 0;
    return file ? shunt_temp_shrink(s->file) : SHUNT_OK;
}

static void release(void *context)
{
    struct file_spool *s = context;
    if (!s) return;
    shunt_temp_close(s->file);
    shunt_memory_free(s->memory, s->piece);
    shunt_memory_free(s->memory, s->buffer);
    shunt_memory_free(s->memory, s);
}

shunt_status shunt_spool_file_new(const shunt_memory *memory, const char *directory, size_t buffer_bytes, shunt_spool *spool)
{
    struct file_spool *s = shunt_memory_zeroed(memory, 1, sizeof *s);
    if (!s) return SHUNT_NO_MEMORY;
    s->memory = memory;
    s->directory = directory;
    s->file = -1;
    s->capacity = buffer_bytes ? buffer_bytes : SHUNT_SPOOL_BUFFER;
    s->buffer = shunt_memory_get(memory, s->capacity);
    if (!s->buffer) {
        release(s);
        return SHUNT_NO_MEMORY;
    }
    *spool = (shunt_spool){ append, mark, truncate_to, replay, reset, release, s };
    return SHUNT_OK;
}
