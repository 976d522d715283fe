#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/hash.h"

static const char *hex_of(const uint8_t digest[static SHUNT_SHA256_BYTES])
{
    static char out[SHUNT_SHA256_HEX + 1];
    shunt_hex(digest, SHUNT_SHA256_BYTES, out);
    return out;
}

/* FIPS 180-4 examples */
static const struct {
    const char *text, *digest;
} digests[] = {
    { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

START_TEST(sha256_of_known_texts)
{
    uint8_t      digest[SHUNT_SHA256_BYTES];
    const char  *text = digests[_i].text;
    shunt_sha256 sha;
    shunt_sha256_of(text, strlen(text), digest);
    ck_assert_str_eq(hex_of(digest), digests[_i].digest);
    shunt_sha256_init(&sha);
    for (int round = 0; round < 2; round++) { /* the second one shows that finish begins anew */
        for (size_t i = 0; i < strlen(text); i++) shunt_sha256_add(&sha, text + i, 1);
        shunt_sha256_finish(&sha, digest);
        ck_assert_str_eq(hex_of(digest), digests[_i].digest);
    }
}
END_TEST

/* RFC 4231, cases 2 and 6 */
START_TEST(hmac_of_known_texts)
{
    uint8_t    digest[SHUNT_SHA256_BYTES], long_key[131];
    shunt_hmac hmac;
    shunt_hmac_init(&hmac, "Jefe", 4);
    shunt_hmac_of(&hmac, "what do ya want for nothing?", 28, digest);
    ck_assert_str_eq(hex_of(digest), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(long_key, 0xaa, sizeof long_key);
    shunt_hmac_init(&hmac, long_key, sizeof long_key);
    shunt_hmac_of(&hmac, "Test Using Larger Than Block-Size Key - Hash Key First", 54, digest);
    ck_assert_str_eq(hex_of(digest), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}
END_TEST

/* H(K ^ opad, H(K ^ ipad, text)), by the hash itself: at every length around the ends of blocks, of key and text. */
START_TEST(hmac_is_what_it_is_said_to_be)
{
    enum { MOST = 200 };
    uint8_t key[MOST], text[MOST];
    for (unsigned i = 0; i < MOST; i++) key[i] = (uint8_t)(i * 7 + 1), text[i] = (uint8_t)(i * 13 + 5);
    for (size_t k = 0; k <= 130; k++) {
        uint8_t    block[64] = { 0 }, pad[64], inner[SHUNT_SHA256_BYTES], wanted[SHUNT_SHA256_BYTES], got[SHUNT_SHA256_BYTES];
        shunt_hmac hmac;
        if (k > sizeof block)
            shunt_sha256_of(key, k, block);
        else
            memcpy(block, key, k);
        shunt_hmac_init(&hmac, key, k);
        for (size_t length = 0; length <= MOST; length++) {
            shunt_sha256 sha;
            shunt_sha256_init(&sha);
            for (unsigned i = 0; i < 64; i++) pad[i] = block[i] ^ 0x36;
            shunt_sha256_add(&sha, pad, 64);
            shunt_sha256_add(&sha, text, length);
            shunt_sha256_finish(&sha, inner);
            for (unsigned i = 0; i < 64; i++) pad[i] = block[i] ^ 0x5c;
            shunt_sha256_add(&sha, pad, 64);
            shunt_sha256_add(&sha, inner, sizeof inner);
            shunt_sha256_finish(&sha, wanted);
            shunt_hmac_of(&hmac, text, length, got);
            if (memcmp(got, wanted, sizeof got) != 0) ck_abort_msg("a key of %zu bytes, a text of %zu", k, length);
        }
    }
}
END_TEST

static shunt_hash_key key_of(uint8_t seed)
{
    uint8_t        bytes[16] = { seed };
    shunt_hash_key key;
    shunt_hash_key_init(&key, bytes);
    return key;
}

static unsigned bits_apart(shunt_hash a, shunt_hash b)
{
    return (unsigned)(__builtin_popcountll(a.high ^ b.high) + __builtin_popcountll(a.low ^ b.low));
}

START_TEST(hash128_sees_every_byte_and_bit)
{
    shunt_hash_key key = key_of(1);
    uint8_t        text[100];
    for (size_t length = 0; length <= sizeof text; length++) {
        uint64_t apart = 0, flips = 0;
        for (size_t i = 0; i < length; i++) text[i] = (uint8_t)(i * 37 + length);
        shunt_hash hash = shunt_hash128(&key, text, length);
        ck_assert(shunt_hash_equal(hash, shunt_hash128(&key, text, length)));
        for (size_t bit = 0; bit < length * 8; bit++, flips++) {
            text[bit / 8] ^= (uint8_t)(1 << bit % 8);
            unsigned far = bits_apart(hash, shunt_hash128(&key, text, length));
            ck_assert_uint_gt(far, 28); /* 64 +- 5.7 expected */
            apart += far;
            text[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        if (flips < 64) continue; /* too few for a mean */
        ck_assert_uint_gt(apart / flips, 61);
        ck_assert_uint_lt(apart / flips, 67);
    }
}
END_TEST

START_TEST(hash128_depends_on_key_and_length)
{
    static const uint8_t zeros[64];
    shunt_hash           seen[SHUNT_COUNT(zeros) * 4];
    size_t               count = 0;
    for (uint8_t seed = 0; seed < 4; seed++) {
        shunt_hash_key key = key_of(seed);
        for (size_t length = 0; length < sizeof zeros; length++) {
            shunt_hash hash = shunt_hash128(&key, zeros, length);
            for (size_t i = 0; i < count; i++) ck_assert(hash.high != seen[i].high && hash.low != seen[i].low);
            seen[count++] = hash;
        }
    }
}
END_TEST

/* However a text is cut into three, and wherever empty ones stand, the hash is another one. */
START_TEST(hash128_keeps_texts_apart)
{
    enum { LENGTH = 20, CUTS = (LENGTH + 1) * (LENGTH + 2) / 2 };
    static const char text[LENGTH + 1] = "aaaaaaaaaaaaaaaaaaaa";
    shunt_hash_key    key = key_of(1);
    shunt_hash        seen[2 * CUTS + 2];
    size_t            count = 0;
    for (uint32_t space = 0; space < 2; space++) {
        for (uint32_t i = 0; i <= LENGTH; i++) {
            for (uint32_t k = i; k <= LENGTH; k++) {
                shunt_text texts[] = { { text, i }, { text + i, k - i }, { text + k, LENGTH - k } };
                seen[count++] = shunt_hash128_texts(&key, space, texts, 3);
            }
        }
        seen[count++] = shunt_hash128_texts(&key, space, NULL, 0);
    }
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++) ck_assert(seen[i].high != seen[k].high && seen[i].low != seen[k].low);
    shunt_text again[] = { { "aaaa", 4 }, { "aaaaaaaa", 8 }, { "aaaaaaaa", 8 } };
    size_t     same = 0;
    shunt_hash hash = shunt_hash128_texts(&key, 1, again, 3);
    for (size_t i = 0; i < count; i++) same += shunt_hash_equal(hash, seen[i]);
    ck_assert_uint_eq(same, 1);
}
END_TEST

START_TEST(hash64_sees_every_byte_and_bit)
{
    shunt_hash_key key = key_of(1), other = key_of(2);
    uint8_t        text[300];
    for (size_t length = 0; length <= sizeof text; length++) {
        uint64_t apart = 0, flips = 0;
        for (size_t i = 0; i < length; i++) text[i] = (uint8_t)(i * 37 + length);
        uint64_t hash = shunt_hash64(&key, text, length);
        ck_assert(hash == shunt_hash64(&key, text, length));
        ck_assert(hash != shunt_hash64(&other, text, length));
        ck_assert(length == 0 || hash != shunt_hash64(&key, text, length - 1));
        for (size_t bit = 0; bit < length * 8; bit++, flips++) {
            text[bit / 8] ^= (uint8_t)(1 << bit % 8);
            unsigned far = (unsigned)__builtin_popcountll(hash ^ shunt_hash64(&key, text, length));
            ck_assert_uint_gt(far, 8); /* 32 +- 4 expected */
            apart += far;
            text[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        if (flips < 256) continue; /* too few for a mean */
        ck_assert_uint_ge(apart / flips, 30);
        ck_assert_uint_le(apart / flips, 33);
    }
}
END_TEST

static int by_word(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* 32 bits of each quarter over numbered keys: n^2 / 2^33 collisions are expected, about 117 of a million. */
START_TEST(hash128_spreads_numbered_keys)
{
    enum { COUNT = 1000000 };
    shunt_hash_key key = key_of(9);
    uint64_t      *words = malloc(COUNT * sizeof *words);
    ck_assert_ptr_nonnull(words);
    for (unsigned quarter = 0; quarter < 4; quarter++) {
        for (uint64_t i = 0; i < COUNT; i++) {
            char text[24] = "CLAIM-0000000";
            for (uint64_t n = i, at = 12; n; n /= 10) text[at--] = (char)('0' + n % 10);
            shunt_hash hash = shunt_hash128(&key, text, 13);
            words[i] = (quarter & 2 ? hash.high : hash.low) >> (quarter & 1 ? 32 : 0) & UINT32_MAX;
        }
        qsort(words, COUNT, sizeof *words, by_word);
        unsigned equal = 0;
        for (size_t i = 1; i < COUNT; i++) equal += words[i] == words[i - 1];
        ck_assert_uint_gt(equal, 60);
        ck_assert_uint_lt(equal, 180);
    }
    free(words);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hash");
    TCase *tc = tcase_create("hash");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, sha256_of_known_texts, 0, SHUNT_COUNT(digests));
    tcase_add_test(tc, hmac_of_known_texts);
    tcase_add_test(tc, hmac_is_what_it_is_said_to_be);
    tcase_add_test(tc, hash128_sees_every_byte_and_bit);
    tcase_add_test(tc, hash128_depends_on_key_and_length);
    tcase_add_test(tc, hash128_keeps_texts_apart);
    tcase_add_test(tc, hash64_sees_every_byte_and_bit);
    tcase_add_test(tc, hash128_spreads_numbered_keys);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
