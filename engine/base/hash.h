/* hash.h - SHA-256 and HMAC-SHA-256 for what leaves the engine; a fast keyed 128-bit hash for what stays inside a run.
 * Owns:    nothing; the states are the caller's and need no release.
 * Fails:   never. */
#ifndef SHUNT_HASH_H
#define SHUNT_HASH_H

#include "engine/base/memory.h"
#include "engine/base/text.h"

enum { SHUNT_SHA256_BYTES = 32, SHUNT_SHA256_HEX = 64 };

typedef struct shunt_sha256 {
    _Alignas(8) unsigned char state[128];
} shunt_sha256;

void shunt_sha256_init(shunt_sha256 *sha);
void shunt_sha256_add(shunt_sha256 *sha, const void *bytes, size_t length);
void shunt_sha256_finish(shunt_sha256 *sha, uint8_t out[static SHUNT_SHA256_BYTES]); /* afterwards as after init */
void shunt_sha256_of(const void *bytes, size_t length, uint8_t out[static SHUNT_SHA256_BYTES]);

/* A key made ready: the state of SHA-256 behind the block that it gives for the inner hash, and for the outer one. */
typedef struct shunt_hmac {
    uint32_t inner[8], outer[8];
} shunt_hmac;

void shunt_hmac_init(shunt_hmac *hmac, const void *key, size_t key_length);
void shunt_hmac_of(const shunt_hmac *hmac, const void *bytes, size_t length, uint8_t out[static SHUNT_SHA256_BYTES]);

/* Lower-case, two characters a byte, no NUL. */
void shunt_hex(const void *bytes, size_t length, char *out);

/* The 128-bit hash. Two inputs are taken for equal where their hashes are, so the key must be random in each run and never
 * leave it: an attacker who knows neither the key nor any hash cannot aim at collisions. With a known key it is no
 * protection at all. Values differ between runs and machines; nothing that is written may depend on them. */
typedef struct shunt_hash {
    uint64_t high, low;
} shunt_hash;

typedef struct shunt_hash_key {
    uint64_t words[8];
} shunt_hash_key;

void       shunt_hash_key_init(shunt_hash_key *key, const uint8_t seed[static 16]);
/* From the system's random numbers, or the clock where it gives none: for tables that a sender could aim at. */
void       shunt_hash_key_random(shunt_hash_key *key);
shunt_hash shunt_hash128(const shunt_hash_key *key, const void *bytes, size_t length);
/* Of several texts, none of which runs into the next; `space` tells apart what they are. */
shunt_hash shunt_hash128_texts(const shunt_hash_key *key, uint32_t space, const shunt_text *texts, uint32_t count);
/* Half as long, and faster over long texts. */
uint64_t   shunt_hash64(const shunt_hash_key *key, const void *bytes, size_t length);

static inline bool shunt_hash_equal(shunt_hash a, shunt_hash b) { return a.high == b.high && a.low == b.low; }
static inline bool shunt_hash_less(shunt_hash a, shunt_hash b) { return a.high != b.high ? a.high < b.high : a.low < b.low; }

#endif
