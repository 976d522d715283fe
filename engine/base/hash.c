#include "engine/base/hash.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <nettle/sha2.h>

_Static_assert(sizeof(struct sha256_ctx) <= sizeof(shunt_sha256), "the state fits");

enum { SHA_BLOCK = 64, SHA_LENGTH_AT = SHA_BLOCK - 8 /* where a last block has the number of bits */ };

static struct sha256_ctx *sha_of(shunt_sha256 *sha) { return (struct sha256_ctx *)(void *)sha->state; }

void shunt_sha256_init(shunt_sha256 *sha) { sha256_init(sha_of(sha)); }

void shunt_sha256_add(shunt_sha256 *sha, const void *bytes, size_t length)
{
    if (length) sha256_update(sha_of(sha), length, bytes);
}

void shunt_sha256_finish(shunt_sha256 *sha, uint8_t out[static SHUNT_SHA256_BYTES])
{
    sha256_digest(sha_of(sha), SHUNT_SHA256_BYTES, out);
}

void shunt_sha256_of(const void *bytes, size_t length, uint8_t out[static SHUNT_SHA256_BYTES])
{
    shunt_sha256 sha;
    shunt_sha256_init(&sha);
    shunt_sha256_add(&sha, bytes, length);
    shunt_sha256_finish(&sha, out);
}

/* ---- HMAC, RFC 2104 ---- */

/* The state behind the first block: the key with every byte of `pad` in it. */
static void begin_with(const uint8_t key[static SHA_BLOCK], uint8_t pad, uint32_t state[static 8])
{
    struct sha256_ctx sha;
    uint8_t           block[SHA_BLOCK];
    for (unsigned i = 0; i < SHA_BLOCK; i++) block[i] = key[i] ^ pad;
    sha256_init(&sha);
    sha256_update(&sha, SHA_BLOCK, block);
    memcpy(state, sha.state, sizeof sha.state);
}

void shunt_hmac_init(shunt_hmac *hmac, const void *key, size_t key_length)
{
    uint8_t block[SHA_BLOCK] = { 0 };
    if (key_length > SHA_BLOCK)
        shunt_sha256_of(key, key_length, block);
    else if (key_length)
        memcpy(block, key, key_length);
    begin_with(block, 0x36, hmac->inner);
    begin_with(block, 0x5c, hmac->outer);
}

/* One whole block behind the first one: no byte of it is buffered. */
static inline void add_block(struct sha256_ctx *sha, const uint32_t state[static 8], const uint8_t block[static SHA_BLOCK])
{
    memcpy(sha->state, state, sizeof sha->state);
    sha->count = 1;
    sha->index = 0;
    sha256_update(sha, SHA_BLOCK, block);
}

static inline void write_big(uint8_t *out, uint32_t word)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap32(word);
#endif
    memcpy(out, &word, sizeof word);
}

static inline void write_state(const struct sha256_ctx *sha, uint8_t out[static SHUNT_SHA256_BYTES])
{
    for (unsigned i = 0; i < 8; i++) write_big(out + 4 * i, sha->state[i]);
}

/* What a last block holds behind its text, of which so many bytes stand in it; a block went before. */
static inline void end_block(uint8_t block[static SHA_BLOCK], uint32_t length)
{
    block[length] = 0x80;
    write_big(block + SHA_LENGTH_AT + 4, 8 * (SHA_BLOCK + length));
}

/* Texts of up to 55 bytes, as nearly all are, take a block for each hash. */
void shunt_hmac_of(const shunt_hmac *hmac, const void *bytes, size_t length, uint8_t out[static SHUNT_SHA256_BYTES])
{
    struct sha256_ctx sha;
    uint8_t           block[SHA_BLOCK] = { 0 }, last[SHA_BLOCK] = { 0 };
    if (SHUNT_LIKELY(length < SHA_LENGTH_AT)) {
        if (length) memcpy(block, bytes, length);
        end_block(block, (uint32_t)length);
        add_block(&sha, hmac->inner, block);
        write_state(&sha, last);
    } else {
        memcpy(sha.state, hmac->inner, sizeof sha.state);
        sha.count = 1;
        sha.index = 0;
        sha256_update(&sha, length, bytes);
        sha256_digest(&sha, SHUNT_SHA256_BYTES, last);
    }
    end_block(last, SHUNT_SHA256_BYTES);
    add_block(&sha, hmac->outer, last);
    write_state(&sha, out);
}

/* ---- texts ---- */

void shunt_hex(const void *bytes, size_t length, char *out)
{
    /* Without a table, so that compilers take many at once. */
    enum { LETTERS = 'a' - 10 - '0' };
    const uint8_t *at = bytes;
    for (size_t i = 0; i < length; i++) {
        uint8_t high = at[i] >> 4, low = at[i] & 15;
        out[2 * i] = (char)('0' + high + (high > 9 ? LETTERS : 0));
        out[2 * i + 1] = (char)('0' + low + (low > 9 ? LETTERS : 0));
    }
}

void shunt_hash_key_init(shunt_hash_key *key, const uint8_t seed[static 16])
{
    uint8_t material[17], digest[2][SHUNT_SHA256_BYTES];
    memcpy(material, seed, 16);
    for (uint8_t half = 0; half < 2; half++) {
        material[16] = half;
        shunt_sha256_of(material, sizeof material, digest[half]);
    }
    memcpy(key->words, digest, sizeof key->words);
}

void shunt_hash_key_random(shunt_hash_key *key)
{
    uint8_t seed[16] = { 0 };
    if (getrandom(seed, sizeof seed, 0) != (ssize_t)sizeof seed) {
        struct timespec now = { 0 };
        clock_gettime(CLOCK_REALTIME, &now);
        memcpy(seed, &now.tv_nsec, sizeof now.tv_nsec < sizeof seed ? sizeof now.tv_nsec : sizeof seed);
    }
    shunt_hash_key_init(key, seed);
}

/* The two halves of the product folded together. */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t read8(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
}

static inline uint64_t read4(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, 4);
    return word;
}

/* Folded multiplication, as in the wyhash family, in two lanes that take the words of a block crosswise. Every factor is
 * masked with a secret word: with a public constant there, one chosen word would make its product zero for every key. */
static inline void take_block(const uint64_t k[static 8], uint64_t *x, uint64_t *y, uint64_t a, uint64_t b)
{
    *x = mix(a ^ k[2], b ^ *x);
    *y = mix(b ^ k[3], a ^ *y);
}

/* The last 0 to 16 bytes. Where the lanes know the length, overlapping reads still tell all inputs apart. */
static inline void read_rest(const uint8_t *at, size_t left, uint64_t *a, uint64_t *b)
{
    *a = *b = 0;
    if (left >= 8) {
        *a = read8(at);
        *b = read8(at + left - 8);
    } else if (left >= 4) {
        *a = read4(at);
        *b = read4(at + left - 4);
    } else if (left > 0) {
        *a = (uint64_t)at[0] << 16 | (uint64_t)at[left / 2] << 8 | at[left - 1];
    }
}

static inline shunt_hash take_in(const uint64_t k[static 8], uint64_t x, uint64_t y, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    size_t         left = length;
    uint64_t       a, b;
    for (; left > 16; at += 16, left -= 16) take_block(k, &x, &y, read8(at), read8(at + 8));
    read_rest(at, left, &a, &b);
    take_block(k, &x, &y, a, b);
    return (shunt_hash){ x, y };
}

/* A Feistel network loses nothing and makes each half depend on both. */
static inline shunt_hash settle(const uint64_t k[static 8], shunt_hash lanes)
{
    uint64_t x = lanes.high, y = lanes.low;
    x ^= mix(y ^ k[4], k[5]);
    y ^= mix(x ^ k[6], k[7]);
    x ^= mix(y ^ k[5], k[4]);
    return (shunt_hash){ x, y };
}

shunt_hash shunt_hash128(const shunt_hash_key *key, const void *bytes, size_t length)
{
    const uint64_t *k = key->words;
    return settle(k, take_in(k, k[0] ^ length, k[1] + length, bytes, length));
}

/* The lengths of all texts first: then each text is as many blocks as its length says, and no two lists make the same blocks. */
shunt_hash shunt_hash128_texts(const shunt_hash_key *key, uint32_t space, const shunt_text *texts, uint32_t count)
{
    const uint64_t *k = key->words;
    uint64_t        x = k[0] ^ space, y = k[1] + count;
    for (uint32_t i = 0; i < count; i += 4) {
        uint64_t a = texts[i].length, b = 0;
        if (i + 1 < count) a |= (uint64_t)texts[i + 1].length << 32;
        if (i + 2 < count) b = texts[i + 2].length;
        if (i + 3 < count) b |= (uint64_t)texts[i + 3].length << 32;
        take_block(k, &x, &y, a, b);
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *at = (const uint8_t *)texts[i].bytes;
        size_t         left = texts[i].length;
        uint64_t       a, b;
        for (; left > 16; at += 16, left -= 16) take_block(k, &x, &y, read8(at), read8(at + 8));
        read_rest(at, left, &a, &b);
        if (left) take_block(k, &x, &y, a, b);
    }
    return settle(k, (shunt_hash){ x, y });
}

/* Four lanes take the words of a block in turn, one product for two words, and none waits for another. Keyed as above. */
uint64_t shunt_hash64(const shunt_hash_key *key, const void *bytes, size_t length)
{
    enum { LANES = 4, BLOCK = 16 * LANES };
    const uint64_t *k = key->words;
    const uint8_t  *at = bytes;
    size_t          left = length;
    uint64_t        lanes[LANES] = { k[0] ^ length, k[1], k[2], k[3] };
    for (; left > BLOCK; at += BLOCK, left -= BLOCK)
        for (unsigned i = 0; i < LANES; i++) lanes[i] = mix(read8(at + 16 * i) ^ k[4 + i], read8(at + 16 * i + 8) ^ lanes[i]);
    uint64_t rest = mix(lanes[0] ^ k[5], lanes[1] ^ k[6]) ^ mix(lanes[2] ^ k[7], lanes[3] ^ k[4]);
    return shunt_hash128(key, at, left).low ^ mix(rest ^ k[1], k[2] ^ length);
}
