#include "engine/base/decimal.h"

#include <assert.h>

typedef unsigned __int128 u128;

#define E19            ((u128)10000000000000000000u)
#define TEN(high, low) (E19 * (u128)(high##u) * (u128)(low##u))

/* 10^0 to 10^38 */
static const u128 powers[SHUNT_DECIMAL_DIGITS + 1] = {
    1u,
    10u,
    100u,
    1000u,
    10000u,
    100000u,
    1000000u,
    10000000u,
    100000000u,
    1000000000u,
    10000000000u,
    100000000000u,
    1000000000000u,
    10000000000000u,
    100000000000000u,
    1000000000000000u,
    10000000000000000u,
    100000000000000000u,
    1000000000000000000u,
    E19,
    TEN(10, 1),
    TEN(100, 1),
    TEN(1000, 1),
    TEN(10000, 1),
    TEN(100000, 1),
    TEN(1000000, 1),
    TEN(10000000, 1),
    TEN(100000000, 1),
    TEN(1000000000, 1),
    TEN(1000000000, 10),
    TEN(1000000000, 100),
    TEN(1000000000, 1000),
    TEN(1000000000, 10000),
    TEN(1000000000, 100000),
    TEN(1000000000, 1000000),
    TEN(1000000000, 10000000),
    TEN(1000000000, 100000000),
    TEN(1000000000, 1000000000),
    TEN(1000000000, 10000000000),
};

static bool          fits64(u128 magnitude) { return magnitude >> 64 == 0; }
static bool          too_large(u128 magnitude) { return magnitude >= powers[SHUNT_DECIMAL_DIGITS]; }
static u128          magnitude_of(shunt_decimal a) { return a < 0 ? -(u128)a : (u128)a; }
static shunt_decimal with_sign(u128 magnitude, bool negative) { return (shunt_decimal)(negative ? -magnitude : magnitude); }
static bool          is_digit(char c) { return (unsigned char)(c - '0') <= 9; }

bool shunt_rounding_find(shunt_text name, shunt_rounding *mode)
{
    static const char *const names[] = { [SHUNT_HALF_UP] = "half_up",
                                         [SHUNT_HALF_EVEN] = "half_even",
                                         [SHUNT_DOWN] = "down",
                                         [SHUNT_UP] = "up",
                                         [SHUNT_EXACT] = "exact" };
    for (size_t i = 0; i < SHUNT_COUNT(names); i++) {
        if (!shunt_text_is(name, names[i])) continue;
        *mode = (shunt_rounding)i;
        return true;
    }
    return false;
}

shunt_status shunt_decimal_add_large(shunt_decimal a, shunt_decimal b, shunt_decimal *sum)
{
    shunt_decimal result;
    if (__builtin_add_overflow(a, b, &result) || too_large(magnitude_of(result))) return SHUNT_OVERFLOW;
    *sum = result;
    return SHUNT_OK;
}

shunt_status shunt_decimal_subtract_large(shunt_decimal a, shunt_decimal b, shunt_decimal *difference)
{
    shunt_decimal result;
    if (__builtin_sub_overflow(a, b, &result) || too_large(magnitude_of(result))) return SHUNT_OVERFLOW;
    *difference = result;
    return SHUNT_OK;
}

/* Unsigned, because the signed 128-bit check would need a compiler runtime that not every linker brings along. */
static bool times(u128 a, u128 b, u128 *product)
{
    if (fits64(a) && fits64(b))
        *product = (u128)(uint64_t)a * (uint64_t)b;
    else if (__builtin_mul_overflow(a, b, product))
        return false;
    return !too_large(*product);
}

shunt_status shunt_decimal_multiply(shunt_decimal a, shunt_decimal b, shunt_decimal *product)
{
    u128 result;
    if (!times(magnitude_of(a), magnitude_of(b), &result)) return SHUNT_OVERFLOW;
    *product = with_sign(result, (a < 0) != (b < 0));
    return SHUNT_OK;
}

/* How the part cut off compares with one half of the last digit kept. */
typedef enum cut { CUT_NOTHING, CUT_LESS, CUT_HALF, CUT_MORE } cut;

static cut cut_of(u128 remainder, u128 divisor)
{
    if (remainder == 0) return CUT_NOTHING;
    u128 missing = divisor - remainder;
    return remainder < missing ? CUT_LESS : remainder == missing ? CUT_HALF : CUT_MORE;
}

static shunt_status round_by(u128 quotient, cut what, bool negative, shunt_rounding mode, shunt_decimal *result)
{
    bool away = false;
    if (too_large(quotient)) return SHUNT_OVERFLOW;
    switch (mode) {
    case SHUNT_HALF_UP: away = what >= CUT_HALF; break;
    case SHUNT_HALF_EVEN: away = what == CUT_MORE || (what == CUT_HALF && (quotient & 1)); break;
    case SHUNT_DOWN: break;
    case SHUNT_UP: away = what != CUT_NOTHING; break;
    case SHUNT_EXACT:
        if (what != CUT_NOTHING) return SHUNT_DIGITS_LOST;
        break;
    }
    quotient += away;
    if (too_large(quotient)) return SHUNT_OVERFLOW;
    *result = with_sign(quotient, negative);
    return SHUNT_OK;
}

static void divide128(u128 a, u128 b, u128 *quotient, u128 *remainder)
{
    if (fits64(a) && fits64(b)) {
        *quotient = (uint64_t)a / (uint64_t)b;
        *remainder = (uint64_t)a % (uint64_t)b;
    } else {
        *quotient = a / b;
        *remainder = a - *quotient * b;
    }
}

typedef struct u256 {
    u128 high, low;
} u256;

/* a * b where the product is known to be below 2^256. */
static u256 times256(u128 a, u128 b)
{
    u128 a0 = (uint64_t)a, a1 = a >> 64, b0 = (uint64_t)b, b1 = b >> 64;
    u128 low = a0 * b0, cross = a1 * b0 + (low >> 64), other = a0 * b1 + (uint64_t)cross;
    return (u256){ a1 * b1 + (cross >> 64) + (other >> 64), other << 64 | (uint64_t)low };
}

/* One digit, base 2^64, of a long division: (*remainder * 2^64 + next) / b, where b has its top bit set and *remainder < b.
 * Knuth, The Art of Computer Programming 2, 4.3.1 D. */
static uint64_t digit(u128 *remainder, uint64_t next, u128 b)
{
    uint64_t b1 = (uint64_t)(b >> 64), b0 = (uint64_t)b;
    u128     guess = *remainder / b1, left = *remainder - guess * b1;
    /* The guess by the first digit of b is too large by two at most. */
    while (!fits64(guess) || guess * b0 > (left << 64 | next)) {
        guess--;
        left += b1;
        if (!fits64(left)) break;
    }
    *remainder = (*remainder << 64 | next) - guess * b; /* modulo 2^128; the true value is below b */
    return (uint64_t)guess;
}

/* a / b for b > 0; false where the quotient does not fit 128 bits. */
static bool divide256(u256 a, u128 b, u128 *quotient, u128 *remainder)
{
    if (a.high >= b) return false;
    if (a.high == 0) {
        divide128(a.low, b, quotient, remainder);
        return true;
    }
    int shift = fits64(b) ? 64 + __builtin_clzll((uint64_t)b) : __builtin_clzll((uint64_t)(b >> 64));
    b <<= shift;
    u128 rest = shift ? a.high << shift | a.low >> (128 - shift) : a.high, low = a.low << shift;
    u128 high_digit = digit(&rest, (uint64_t)(low >> 64), b);
    *quotient = high_digit << 64 | digit(&rest, (uint64_t)low, b);
    *remainder = rest >> shift;
    return true;
}

/* |a| * 10^shift / |b| */
static shunt_status divide_up(u128 a, unsigned shift, u128 b, bool negative, shunt_rounding mode, shunt_decimal *quotient)
{
    /* b < 10^38, so with 77 digits above it the quotient has more than 38; up to 10^77 all fits into 256 bits. */
    if (shift + shunt_decimal_digits((shunt_decimal)a) > 77) return SHUNT_OVERFLOW;
    unsigned first = shift < SHUNT_DECIMAL_DIGITS ? shift : SHUNT_DECIMAL_DIGITS, second = shift - first;
    u256     numerator = times256(a, powers[first]);
    if (second) {
        u128 above = numerator.high;
        numerator = times256(numerator.low, powers[second]);
        numerator.high += above * powers[second];
    }
    u128 whole, rest;
    if (!divide256(numerator, b, &whole, &rest)) return SHUNT_OVERFLOW;
    return round_by(whole, cut_of(rest, b), negative, mode, quotient);
}

/* |a| / (|b| * 10^shift) */
static shunt_status divide_down(u128 a, u128 b, unsigned shift, bool negative, shunt_rounding mode, shunt_decimal *quotient)
{
    u128 divisor, whole = 0, rest = a;
    /* Beyond 2^128 the divisor is more than twice as large as any a. */
    if (shift > SHUNT_DECIMAL_DIGITS || __builtin_mul_overflow(b, powers[shift], &divisor))
        return round_by(0, CUT_LESS, negative, mode, quotient);
    divide128(a, divisor, &whole, &rest);
    return round_by(whole, cut_of(rest, divisor), negative, mode, quotient);
}

shunt_status shunt_decimal_divide(shunt_decimal a, unsigned as, shunt_decimal b, unsigned bs, unsigned places,
                                  shunt_rounding mode, shunt_decimal *quotient)
{
    if (b == 0) return SHUNT_DIVISION;
    if (a == 0) {
        *quotient = 0;
        return SHUNT_OK;
    }
    bool negative = (a < 0) != (b < 0);
    u128 am = magnitude_of(a), bm = magnitude_of(b);
    if (places + bs >= as) return divide_up(am, places + bs - as, bm, negative, mode, quotient);
    return divide_down(am, bm, as - places - bs, negative, mode, quotient);
}

shunt_status shunt_decimal_rescale(shunt_decimal a, unsigned from, unsigned to, shunt_rounding mode, shunt_decimal *result)
{
    if (a == 0 || from == to) {
        *result = a;
        return SHUNT_OK;
    }
    if (from > to) return divide_down(magnitude_of(a), 1, from - to, a < 0, mode, result);
    u128 wide;
    if (to - from > SHUNT_DECIMAL_DIGITS || !times(magnitude_of(a), powers[to - from], &wide)) return SHUNT_OVERFLOW;
    *result = with_sign(wide, a < 0);
    return SHUNT_OK;
}

/* Parsing */

/* digits * 10^exponent as a coefficient of `scale`. `digits` holds no point; exact or refused. */
static shunt_status settle(u128 digits, int64_t exponent, unsigned scale, bool negative, shunt_decimal *result)
{
    int64_t shift = exponent + (int64_t)scale;
    if (digits == 0) shift = 0;
    if (shift < 0) {
        u128 whole, rest = digits;
        if (shift >= -SHUNT_DECIMAL_DIGITS) divide128(digits, powers[-shift], &whole, &rest);
        if (rest) return SHUNT_VALUE_INVALID;
        digits = whole;
    } else if (shift > 0) {
        if (shift > SHUNT_DECIMAL_DIGITS || !times(digits, powers[shift], &digits)) return SHUNT_OVERFLOW;
    }
    if (too_large(digits)) return SHUNT_OVERFLOW;
    *result = with_sign(digits, negative);
    return SHUNT_OK;
}

/* The digits of [at, end) and their exponent, trailing zeros after the point left out; false: more than 38. */
static bool collect(const char *at, const char *end, u128 *digits, int64_t *exponent)
{
    const char *point = memchr(at, '.', (size_t)(end - at));
    if (point) {
        while (end[-1] == '0') end--;
        if (end - 1 == point) end = point, point = NULL;
    }
    u128 value = 0;
    for (const char *p = at; p < end; p++) {
        if (p == point) continue;
        if (value > (powers[SHUNT_DECIMAL_DIGITS] - 1) / 10) return false;
        value = value * 10 + (unsigned)(*p - '0');
    }
    if (too_large(value)) return false;
    *digits = value;
    *exponent -= point ? end - point - 1 : 0;
    return true;
}

/* [e|E] [+|-] digits at [at, end); large ones are clamped, which no result can tell. */
static bool read_exponent(const char *at, const char *end, int64_t *exponent)
{
    bool    negative = at < end && *at == '-';
    int64_t value = 0;
    if (at < end && (*at == '-' || *at == '+')) at++;
    if (at == end) return false;
    for (; at < end; at++) {
        if (!is_digit(*at)) return false;
        if (value < (int64_t)1 << 40) value = value * 10 + (*at - '0');
    }
    *exponent = negative ? -value : value;
    return true;
}

/* Any length, any exponent. `at` stands behind the sign. */
static shunt_status parse_long(const char *at, const char *end, unsigned scale, bool exponent_allowed, bool negative,
                               shunt_decimal *result)
{
    const char *mantissa = at;
    size_t      digits = 0, points = 0;
    for (; at < end && (is_digit(*at) || *at == '.'); at++) *at == '.' ? points++ : digits++;
    if (digits == 0 || points > 1) return SHUNT_VALUE_INVALID;
    const char *mantissa_end = at;
    int64_t     exponent = 0;
    if (at < end) {
        if (!exponent_allowed || (*at != 'e' && *at != 'E')) return SHUNT_VALUE_INVALID;
        if (!read_exponent(at + 1, end, &exponent)) return SHUNT_VALUE_INVALID;
    }
    u128 value;
    if (!collect(mantissa, mantissa_end, &value, &exponent)) return SHUNT_OVERFLOW;
    return settle(value, exponent, scale, negative, result);
}

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

/* Digits that stand in eight bytes, each as its value, the first one lowest: added up pair by pair. */
static inline uint64_t eight_digits(uint64_t digits)
{
    digits = (digits * (1 + (10 << 8)) >> 8) & UINT64_C(0x00ff00ff00ff00ff);
    digits = (digits * (1 + (100 << 16)) >> 16) & UINT64_C(0x0000ffff0000ffff);
    return digits * (1 + (UINT64_C(10000) << 32)) >> 32;
}

static inline bool are_digits(uint64_t bytes) { return !(((bytes + EACH_BYTE(0x76)) | bytes) & EACH_BYTE(0x80)); }

/* A point, once '0' is taken off; it has a bit that no digit has. */
enum { POINT = '.' ^ '0', POINT_BIT = 4 };

/* A value of at most 16 digits, times ten to the power; as a word; 0 where that may be too much. */
static inline uint64_t scaled(uint64_t value, bool negative, unsigned power, unsigned most)
{
    if (SHUNT_UNLIKELY(power > most)) return 0;
    value *= (uint64_t)powers[power];
    if (negative) value = -value;
    return value << 1 | 1;
}

/* As `parse_short`, with a sign, or up to sixteen digits and point. */
static __attribute__((noinline)) uint64_t parse_double(const char *bytes, size_t length, unsigned scale)
{
    if (!length) return 0; /* there may be no bytes at all */
    uint64_t low = 0, high;
    bool     negative = *bytes == '-';
    unsigned places = 0;
    bytes += negative;
    length -= negative;
    if (length - 1 >= 16) return 0;
    unsigned unused = 8 * (-(unsigned)length & 7);
    if (length > 8) {
        memcpy(&low, bytes, 8);
        memcpy(&high, bytes + length - 8, 8);
        low = (low ^ EACH_BYTE('0')) << unused;
        high ^= EACH_BYTE('0');
    } else {
        high = (shunt_text_word(bytes, length) ^ EACH_BYTE('0')) << unused;
    }
    u128     word = (u128)high << 64 | low;
    uint64_t low_points = low & EACH_BYTE(1 << POINT_BIT), points = low_points ? low_points : high & EACH_BYTE(1 << POINT_BIT);
    if (points) {
        unsigned at = (low_points ? 0 : 64) + (unsigned)__builtin_ctzll(points) - POINT_BIT;
        u128     before = ((u128)1 << at) - 1;
        if ((uint8_t)(word >> at) != POINT || length == 1) return 0;
        word = (word & before) << 8 | (word & ~(before << 8 | 0xff));
        places = 15 - at / 8;
    }
    low = (uint64_t)word;
    high = (uint64_t)(word >> 64);
    if (!are_digits(low) || !are_digits(high)) return 0;
    return scaled(eight_digits(low) * 100000000 + eight_digits(high), negative, scale - places, 2);
}

/* Up to eight digits and point, as nearly all amounts are, without a loop: they are moved up to the last byte, what stands before the
 * point goes one further, over it. `room`: more bytes than these can be read. */
static inline uint64_t parse_short(const char *bytes, size_t length, unsigned scale, bool room)
{
    if (SHUNT_UNLIKELY(length - 1 >= 8 || *bytes == '-')) return parse_double(bytes, length, scale);
    unsigned unused = -8 * (unsigned)length & 63;
    uint64_t word;
    if (room)
        memcpy(&word, bytes, 8);
    else
        word = shunt_text_word(bytes, length);
    word = (word ^ EACH_BYTE('0')) << unused;
    uint64_t points = word & EACH_BYTE(1 << POINT_BIT);
    if (points) {
        unsigned at = (unsigned)__builtin_ctzll(points) - POINT_BIT;
        uint64_t upto = (points ^ (points - 1)) << (7 - POINT_BIT) | 0x7f;
        if (SHUNT_UNLIKELY((uint8_t)(word >> at) != POINT || length == 1)) return 0;
        word ^= (word ^ word << 8) & upto;
        scale -= 7 - at / 8;
    }
    if (SHUNT_UNLIKELY(!are_digits(word))) return 0;
    return scaled(eight_digits(word), false, scale, 10);
}

/* What is read beside the value is shifted out; AddressSanitizer does not know that. */
uint64_t shunt_decimal_parse_word(const char *bytes, size_t length, unsigned scale)
{
#ifdef SHUNT_ADDRESS_SANITIZER
    return parse_short(bytes, length, scale, false);
#else
    return parse_short(bytes, length, scale, true);
#endif
}

/* Apart, so that the usual way saves no registers for it. */
static __attribute__((noinline)) shunt_status parse_any(const char *bytes, size_t length, unsigned scale, bool exponent,
                                                        shunt_decimal *result)
{
    const char *at = bytes, *end = bytes + length;
    bool        negative = length > 0 && *at == '-';
    at += negative;
    if (SHUNT_UNLIKELY(end - at > 19)) return parse_long(at, end, scale, exponent, negative, result);

    /* At most 19 digits: everything before scaling fits 64 bits. */
    const char *start = at;
    uint64_t    value = 0;
    for (; at < end && is_digit(*at); at++) value = value * 10 + (unsigned)(*at - '0');
    const char *whole_end = at;
    unsigned    places = 0;
    if (at < end && *at == '.') {
        for (at++; at < end && is_digit(*at); at++) value = value * 10 + (unsigned)(*at - '0');
        places = (unsigned)(at - whole_end) - 1;
    }
    if (SHUNT_UNLIKELY(at < end || (whole_end == start && places == 0)))
        return parse_long(start, end, scale, exponent, negative, result);
    if (places == scale) {
        *result = negative ? -(shunt_decimal)value : (shunt_decimal)value;
        return SHUNT_OK;
    }
    return settle(value, -(int64_t)places, scale, negative, result);
}

shunt_status shunt_decimal_parse(const char *bytes, size_t length, unsigned scale, bool exponent, shunt_decimal *result)
{
    uint64_t word = parse_short(bytes, length, scale, false);
    if (SHUNT_UNLIKELY(!word)) return parse_any(bytes, length, scale, exponent, result);
    *result = shunt_decimal_of_word(word);
    return SHUNT_OK;
}

shunt_status shunt_decimal_parse_implied(const char *bytes, size_t length, unsigned implied, unsigned scale,
                                         shunt_decimal *result)
{
    const char *at = bytes, *end = bytes + length;
    bool        negative = length > 0 && *at == '-';
    at += negative;
    if (at == end) return SHUNT_VALUE_INVALID;
    for (const char *p = at; p < end; p++)
        if (!is_digit(*p)) return SHUNT_VALUE_INVALID;
    u128    value;
    int64_t exponent = -(int64_t)implied;
    if (!collect(at, end, &value, &exponent)) return SHUNT_OVERFLOW;
    return settle(value, exponent, scale, negative, result);
}

/* Printing */

static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                            "25262728293031323334353637383940414243444546474849"
                            "50515253545556575859606162636465666768697071727374"
                            "75767778798081828384858687888990919293949596979899";

/* Writes the digits of `value` so that they end before `end`; none for zero. */
static char *print64(uint64_t value, char *end)
{
    while (value >= 100) {
        end -= 2;
        memcpy(end, pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10) {
        end -= 2;
        memcpy(end, pairs + value * 2, 2);
    } else if (value) {
        *--end = (char)('0' + value);
    }
    return end;
}

/* Decimal digits of `value`, 1 for zero. */
static unsigned digits64(uint64_t value)
{
    unsigned guess = (64u - (unsigned)__builtin_clzll(value | 1)) * 1233 >> 12; /* bits * log10(2), never too large */
    return guess + (value >= (uint64_t)powers[guess] || guess == 0);
}

/* What fits 64 bits is written where it stands. */
static size_t print_small(uint64_t value, unsigned scale, char *out)
{
    unsigned digits = digits64(value), whole;
    if (digits <= scale) digits = scale + 1;
    size_t length = digits + (scale != 0);
    char  *at = out + length;
    whole = digits - scale;
    if (scale) {
        for (; scale >= 2; scale -= 2, value /= 100) memcpy(at -= 2, pairs + value % 100 * 2, 2);
        if (scale) *--at = (char)('0' + value % 10), value /= 10;
        *--at = '.';
    }
    for (; whole >= 2; whole -= 2, value /= 100) memcpy(at -= 2, pairs + value % 100 * 2, 2);
    if (whole) *--at = (char)('0' + value);
    return length;
}

/* More than 64 bits. */
static __attribute__((noinline)) size_t print_large(u128 magnitude, unsigned scale, char *out)
{
    char  text[SHUNT_DECIMAL_TEXT];
    char *end = text + sizeof text, *at = end, *to = out;
    for (; !fits64(magnitude); magnitude /= E19) {
        char *first = print64((uint64_t)(magnitude % E19), at);
        at -= 19;
        while (first > at) *--first = '0';
    }
    at = print64((uint64_t)magnitude, at);
    while (end - at <= (ptrdiff_t)scale) *--at = '0';

    size_t whole = (size_t)(end - at) - scale;
    memcpy(to, at, whole);
    to += whole;
    if (scale == 0) return (size_t)(to - out);
    *to++ = '.';
    memcpy(to, at + whole, scale);
    return (size_t)(to + scale - out);
}

size_t shunt_decimal_print_any(shunt_decimal a, unsigned scale, char out[static SHUNT_DECIMAL_TEXT])
{
    assert(scale <= SHUNT_DECIMAL_DIGITS);
    u128   magnitude = magnitude_of(a);
    size_t sign = a < 0;
    *out = '-';
    return sign + (SHUNT_LIKELY(fits64(magnitude)) ? print_small((uint64_t)magnitude, scale, out + sign)
                                                   : print_large(magnitude, scale, out + sign));
}

unsigned shunt_decimal_digits(shunt_decimal a)
{
    u128     magnitude = magnitude_of(a);
    unsigned digits = fits64(magnitude) ? 1 : 20;
    while (digits <= SHUNT_DECIMAL_DIGITS && magnitude >= powers[digits]) digits++;
    return digits;
}

/* ---- parts that add up ---- */

/* The least rest that one of the `left` largest has. */
static shunt_decimal rest_of_last(const shunt_decimal *rests, uint32_t count, uint32_t left, shunt_decimal most)
{
    shunt_decimal low = 0; /* at least `left` rests are not below it */
    while (low < most) {
        shunt_decimal middle = low + (most - low + 1) / 2;
        uint32_t      above = 0;
        for (uint32_t i = 0; i < count; i++) above += rests[i] >= middle;
        if (above >= left)
            low = middle;
        else
            most = middle - 1;
    }
    return low;
}

shunt_status shunt_decimal_allocate(shunt_decimal amount, const shunt_decimal *weights, uint32_t count, shunt_decimal *parts,
                                    shunt_decimal *rests)
{
    shunt_decimal whole, sum = 0, given = 0;
    bool          more = false, less = false;
    if (shunt_decimal_digits(amount) > SHUNT_DECIMAL_DIGITS) return SHUNT_OVERFLOW;
    whole = amount < 0 ? -amount : amount;
    for (uint32_t i = 0; i < count && amount != 0; i++) {
        more = more || weights[i] > 0;
        less = less || weights[i] < 0;
        SHUNT_TRY(shunt_decimal_add(sum, weights[i], &sum));
    }
    if (amount == 0) {
        for (uint32_t i = 0; i < count; i++) parts[i] = 0;
        return SHUNT_OK;
    }
    if (more == less) return SHUNT_ALLOCATE_WEIGHTS;
    if (less) sum = -sum;
    for (uint32_t i = 0; i < count; i++) {
        shunt_decimal product, weight = less ? -weights[i] : weights[i];
        if (__builtin_mul_overflow(whole, weight, &product)) return SHUNT_OVERFLOW;
        parts[i] = product / sum;
        rests[i] = product % sum;
        given += parts[i];
    }
    uint32_t      left = (uint32_t)(whole - given), equal = left; /* less than one a part */
    shunt_decimal least = left ? rest_of_last(rests, count, left, sum - 1) : 0;
    for (uint32_t i = 0; i < count && left; i++) equal -= rests[i] > least;
    for (uint32_t i = 0; i < count && left; i++) {
        bool one = rests[i] > least || (rests[i] == least && equal);
        if (rests[i] == least && equal) equal--;
        parts[i] += one;
    }
    for (uint32_t i = 0; i < count && amount < 0; i++) parts[i] = -parts[i];
    return SHUNT_OK;
}
