/* parcel.h - items of any size, with a tag, that wait in a spool and come back whole.
 * Owns: nothing. An item being written grows at the end of the caller's buffer; `carry` of a replay is the caller's too. */
#ifndef SHUNT_PARCEL_H
#define SHUNT_PARCEL_H

#include "engine/base/spool.h"
#include "engine/base/text.h"

enum { SHUNT_PARCEL_HEAD = 8 }; /* bytes of the spool before those of an item */

/* Begins an item: what is appended to the buffer until `shunt_parcel_seal(out, at, tag)` belongs to it. */
size_t shunt_parcel_open(shunt_buffer *out);
void   shunt_parcel_seal(shunt_buffer *out, size_t at, uint32_t tag);

typedef shunt_status shunt_parcel_taker(void *context, uint32_t tag, const char *bytes, size_t length);
/* Hands over every item of [from, to) of the spool, in order. IO where an item is cut off: the spool lost bytes. */
shunt_status         shunt_parcel_replay(const shunt_spool *spool, uint64_t from, uint64_t to, shunt_buffer *carry,
                                         shunt_parcel_taker *take, void *context);

#endif
