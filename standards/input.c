#include "standards/input.h"

#include <string.h>

enum {
    STAGE_FIRST = 1024,
    STAGE_MORE = 512, /* bytes taken from a piece to finish a line that began in the piece before */
};

void shunt_input_feed(shunt_input *in, const uint8_t *bytes, size_t size, bool last)
{
    if (in->last) return;
    in->fed_at += in->fed_size;
    in->fed = bytes;
    in->fed_size = size;
    in->last = last;
}

static bool stage(shunt_input *in, const uint8_t *bytes, size_t size)
{
    if (in->stage_capacity - in->stage_size < size) {
        size_t capacity = in->stage_capacity ? in->stage_capacity : STAGE_FIRST;
        while (capacity - in->stage_size < size) capacity *= 2;
        uint8_t *grown = shunt_memory_resize(in->memory, in->stage, capacity);
        if (!grown) return false;
        in->stage = grown;
        in->stage_capacity = capacity;
    }
    if (size) memcpy(in->stage + in->stage_size, bytes, size);
    in->stage_size += size;
    return true;
}

shunt_input_got shunt_input_more(shunt_input *in)
{
    if (shunt_input_is_all(in)) return SHUNT_INPUT_END;
    if (in->stage_size && in->at < in->fed_at) {
        size_t done = (size_t)(in->at - in->stage_at);
        if (done) {
            memmove(in->stage, in->stage + done, in->stage_size - done);
            in->stage_size -= done;
            in->stage_at = in->at;
        }
        uint64_t end = in->stage_at + in->stage_size;
        size_t left = (size_t)(in->fed_at + in->fed_size - end), want = in->stage_size > STAGE_MORE ? in->stage_size : STAGE_MORE;
        if (left == 0) return SHUNT_INPUT_NEED;
        return stage(in, in->fed + (end - in->fed_at), left < want ? left : want) ? SHUNT_INPUT_MORE : SHUNT_INPUT_BROKEN;
    }
    size_t         size;
    const uint8_t *bytes = shunt_input_view(in, &size);
    in->stage_at = in->at;
    return stage(in, bytes, size) ? SHUNT_INPUT_NEED : SHUNT_INPUT_BROKEN;
}

void shunt_input_done(shunt_input *in) { shunt_memory_free(in->memory, in->stage); }
