#include "engine/vm/parcel.h"

struct head {
    uint32_t length, tag;
};
_Static_assert(sizeof(struct head) == SHUNT_PARCEL_HEAD, "as parcel.h says");

size_t shunt_parcel_open(shunt_buffer *out)
{
    struct head head = { 0, 0 };
    size_t      at = out->length;
    shunt_buffer_add(out, &head, sizeof head);
    return at;
}

void shunt_parcel_seal(shunt_buffer *out, size_t at, uint32_t tag)
{
    if (out->failed) return;
    struct head head = { (uint32_t)(out->length - at - sizeof head), tag };
    memcpy(out->bytes + at, &head, sizeof head);
}

struct replay {
    shunt_buffer       *carry; /* the beginning of an item whose end comes with the next piece */
    shunt_parcel_taker *take;
    void               *context;
};

/* Hands over the whole items at the beginning of `bytes`; `*used` is their length. */
static shunt_status take_whole(const struct replay *r, const char *bytes, size_t length, size_t *used)
{
    struct head head;
    *used = 0;
    while (length - *used >= sizeof head) {
        memcpy(&head, bytes + *used, sizeof head);
        if (length - *used - sizeof head < head.length) break;
        SHUNT_TRY(r->take(r->context, head.tag, bytes + *used + sizeof head, head.length));
        *used += sizeof head + head.length;
    }
    return SHUNT_OK;
}

/* How many bytes the item in `carry` lacks; at least that of its head. */
static size_t lacking(const shunt_buffer *carry)
{
    struct head head;
    if (carry->length < sizeof head) return sizeof head - carry->length;
    memcpy(&head, carry->bytes, sizeof head);
    return sizeof head + head.length - carry->length;
}

static shunt_status take_piece(void *context, const char *bytes, size_t length)
{
    struct replay *r = context;
    size_t         used;
    while (r->carry->length && length) {
        size_t lack = lacking(r->carry), more = lack < length ? lack : length;
        shunt_buffer_add(r->carry, bytes, more);
        if (r->carry->failed) return SHUNT_NO_MEMORY;
        bytes += more;
        length -= more;
        SHUNT_TRY(take_whole(r, r->carry->bytes, r->carry->length, &used));
        if (used) r->carry->length = 0;
    }
    SHUNT_TRY(take_whole(r, bytes, length, &used));
    shunt_buffer_add(r->carry, bytes + used, length - used);
    return r->carry->failed ? SHUNT_NO_MEMORY : SHUNT_OK;
}

shunt_status shunt_parcel_replay(const shunt_spool *spool, uint64_t from, uint64_t to, shunt_buffer *carry,
                                 shunt_parcel_taker *take, void *context)
{
    struct replay r = { carry, take, context };
    carry->length = 0;
    if (from == to) return SHUNT_OK;
    SHUNT_TRY(spool->replay(spool->context, from, to, take_piece, &r));
    return carry->length ? SHUNT_IO : SHUNT_OK;
}
