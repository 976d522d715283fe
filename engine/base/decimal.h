/* decimal.h - exact base-10 arithmetic on 128-bit coefficients with explicit scales. At most 38 digits; more is OVERFLOW.
 * Pure functions, no state. Results are written only on success. Money is a decimal whose currency the compiler knows. */
#ifndef SHUNT_DECIMAL_H
#define SHUNT_DECIMAL_H

#include "engine/base/status.h"
#include "engine/base/text.h"

typedef __int128 shunt_decimal; /* coefficient; value = coefficient / 10^scale, scale kept beside it by the caller */

enum { SHUNT_DECIMAL_DIGITS = 38, SHUNT_DECIMAL_TEXT = 48 /* bytes that any coefficient with sign and point fits in */ };

typedef enum shunt_rounding { SHUNT_HALF_UP, SHUNT_HALF_EVEN, SHUNT_DOWN, SHUNT_UP, SHUNT_EXACT } shunt_rounding;
/* "half_up" (away from zero at the half), "half_even", "down" (towards zero), "up" (away from zero), "exact" */
bool shunt_rounding_find(shunt_text name, shunt_rounding *mode);

/* Nearly all coefficients fit 64 bits, and sums of two such ones can not be too large. */
static inline bool shunt_decimal_small(shunt_decimal a) { return a == (int64_t)a; }

shunt_status               shunt_decimal_add_large(shunt_decimal a, shunt_decimal b, shunt_decimal *sum);
shunt_status               shunt_decimal_subtract_large(shunt_decimal a, shunt_decimal b, shunt_decimal *difference);
static inline shunt_status shunt_decimal_add(shunt_decimal a, shunt_decimal b, shunt_decimal *sum)
{
    if (SHUNT_UNLIKELY(!shunt_decimal_small(a) || !shunt_decimal_small(b))) return shunt_decimal_add_large(a, b, sum);
    *sum = a + b;
    return SHUNT_OK;
}
static inline shunt_status shunt_decimal_subtract(shunt_decimal a, shunt_decimal b, shunt_decimal *difference)
{
    if (SHUNT_UNLIKELY(!shunt_decimal_small(a) || !shunt_decimal_small(b))) return shunt_decimal_subtract_large(a, b, difference);
    *difference = a - b;
    return SHUNT_OK;
}
shunt_status shunt_decimal_multiply(shunt_decimal a, shunt_decimal b, shunt_decimal *product); /* scale: sum of both */
/* a (scale as) / b (scale bs), rounded to `places`; DIVISION where b is zero. Exact over a 256-bit intermediate. */
shunt_status shunt_decimal_divide(shunt_decimal a, unsigned as, shunt_decimal b, unsigned bs, unsigned places,
                                  shunt_rounding mode, shunt_decimal *quotient);
/* The part of `amount` that goes to each of `count` weights, all of one sign: amount times weight over their sum, towards zero, and what
 * is left a unit each to those that lost most, of equals to the earlier. The parts add up to the amount; those of its opposite are
 * theirs. Nothing of nothing whatever the weights. ALLOCATE_WEIGHTS where the weights have two signs, or none; OVERFLOW. `rests` is
 * room for `count` more. */
shunt_status shunt_decimal_allocate(shunt_decimal amount, const shunt_decimal *weights, uint32_t count, shunt_decimal *parts,
                                    shunt_decimal *rests);
/* From scale `from` to `to`; narrowing rounds by mode, DIGITS_LOST with SHUNT_EXACT where digits would go. */
shunt_status shunt_decimal_rescale(shunt_decimal a, unsigned from, unsigned to, shunt_rounding mode, shunt_decimal *result);

/* What an input may hold: [-] digits [. digits], a digit on at least one side of the point; ".5", "-.06", "5.", "0005.00".
 * No plus, no grouping, no currency sign, no blanks. Trailing zeros beyond `scale` are fine, other digits beyond it are
 * VALUE_INVALID, more than 38 digits OVERFLOW. `exponent` allows the FHIR form 1.5e3. */
shunt_status shunt_decimal_parse(const char *bytes, size_t length, unsigned scale, bool exponent, shunt_decimal *result);
/* The same where it is short, of at most 16 digits and point and within 10^18: the coefficient as a word, doubled and with a one below.
 * 0: it is longer, or none at all, which `shunt_decimal_parse` tells apart. Eight bytes can be read at `bytes`, whatever the length: it
 * stands in an arena, which has room behind all that it hands out. */
uint64_t     shunt_decimal_parse_word(const char *bytes, size_t length, unsigned scale);
static inline shunt_decimal shunt_decimal_of_word(uint64_t word) { return (int64_t)word >> 1; }
/* N-types: digits with `implied` decimals, optional leading minus. */
shunt_status                shunt_decimal_parse_implied(const char *bytes, size_t length, unsigned implied, unsigned scale,
                                                        shunt_decimal *result);
/* Eight decimal digits as bytes, the first one lowest: halves, then pairs, then digits, all at once. `value` < 10^8. */
static inline uint64_t      shunt_decimal_spread(uint32_t value)
{
    uint64_t halves = value / 10000 | (uint64_t)(value % 10000) << 32;
    uint64_t hundreds = (halves * 10486 >> 20) & UINT64_C(0x0000007f0000007f);
    uint64_t pairs = hundreds | (halves - 100 * hundreds) << 16;
    uint64_t tens = (pairs * 103 >> 10) & UINT64_C(0x000f000f000f000f);
    return tens | (pairs - 10 * tens) << 8;
}

/* Always `scale` decimals (at most 38, which the caller has proved), at least one digit before the point: "-0.06",
 * "1000.00", "7". Returns the length; no NUL is written, but bytes of `out` behind the text may be.
 * Nearly all are amounts with two decimals or counts, of at most eight digits: their leading zeros are shifted out, without a loop. */
size_t               shunt_decimal_print_any(shunt_decimal a, unsigned scale, char out[static SHUNT_DECIMAL_TEXT]);
static inline size_t shunt_decimal_print(shunt_decimal a, unsigned scale, char out[static SHUNT_DECIMAL_TEXT])
{
    const uint64_t zeros = UINT64_C(0x3030303030303030);
    if (SHUNT_UNLIKELY((unsigned __int128)a >= 100000000 || (scale != 2 && scale != 0)))
        return shunt_decimal_print_any(a, scale, out);
    uint64_t digits = shunt_decimal_spread((uint32_t)a);
    unsigned last = scale ? 5 : 7; /* before the point, written even where it is zero */
    unsigned leading = (unsigned)__builtin_ctzll(digits | UINT64_C(1) << 8 * last) / 8;
    uint64_t text = (digits | zeros) >> 8 * leading;
    uint16_t cents = (uint16_t)((digits | zeros) >> 48);
    memcpy(out, &text, sizeof text);
    if (!scale) return 8 - leading;
    out[6 - leading] = '.';
    memcpy(out + 7 - leading, &cents, sizeof cents);
    return 9 - leading;
}
unsigned shunt_decimal_digits(shunt_decimal a); /* 1 for zero */

#endif
