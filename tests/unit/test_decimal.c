#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/decimal.h"

/* Independent arithmetic: non-negative numbers as arrays of decimal digits, least significant first. */
enum { WIDE = 256 };
struct wide {
    unsigned char digit[WIDE];
};

static struct wide wide_of(shunt_decimal a)
{
    struct wide       w = { { 0 } };
    unsigned __int128 m = a < 0 ? -(unsigned __int128)a : (unsigned __int128)a;
    for (int i = 0; m; m /= 10) w.digit[i++] = (unsigned char)(m % 10);
    return w;
}

static int wide_compare(const struct wide *a, const struct wide *b)
{
    for (int i = WIDE; i-- > 0;)
        if (a->digit[i] != b->digit[i]) return a->digit[i] < b->digit[i] ? -1 : 1;
    return 0;
}

static struct wide wide_add(struct wide a, const struct wide *b)
{
    int carry = 0;
    for (int i = 0; i < WIDE; i++) {
        carry += a.digit[i] + b->digit[i];
        a.digit[i] = (unsigned char)(carry % 10);
        carry /= 10;
    }
    return a;
}

static struct wide wide_subtract(struct wide a, const struct wide *b)
{
    int borrow = 0;
    for (int i = 0; i < WIDE; i++) {
        int digit = a.digit[i] - b->digit[i] - borrow;
        borrow = digit < 0;
        a.digit[i] = (unsigned char)(digit + 10 * borrow);
    }
    return a;
}

static struct wide wide_shift(const struct wide *a, unsigned by)
{
    struct wide w = { { 0 } };
    for (unsigned i = by; i < WIDE; i++) w.digit[i] = a->digit[i - by];
    return w;
}

static struct wide wide_multiply(const struct wide *a, const struct wide *b)
{
    struct wide w = { { 0 } };
    for (unsigned i = 0; i < WIDE / 2; i++)
        for (int n = 0; n < b->digit[i]; n++) {
            struct wide part = wide_shift(a, i);
            w = wide_add(w, &part);
        }
    return w;
}

static struct wide wide_divide(struct wide a, const struct wide *b, struct wide *rest)
{
    struct wide quotient = { { 0 } };
    for (int i = WIDE / 2; i-- > 0;) {
        struct wide part = wide_shift(b, (unsigned)i);
        while (wide_compare(&a, &part) >= 0) {
            a = wide_subtract(a, &part);
            quotient.digit[i]++;
        }
    }
    *rest = a;
    return quotient;
}

static unsigned wide_digits(const struct wide *a)
{
    unsigned n = WIDE;
    while (n > 1 && a->digit[n - 1] == 0) n--;
    return n;
}

static shunt_decimal wide_value(const struct wide *a, bool negative)
{
    shunt_decimal value = 0;
    for (unsigned i = wide_digits(a); i-- > 0;) value = value * 10 + a->digit[i];
    return negative ? -value : value;
}

/* numerator / denominator by the rules of the header, from the digits alone. */
static shunt_status expected_division(struct wide numerator, struct wide denominator, bool negative, shunt_rounding mode,
                                      shunt_decimal *result)
{
    static const struct wide one = { { 1 } };
    struct wide              rest, quotient = wide_divide(numerator, &denominator, &rest), twice = wide_add(rest, &rest);
    int                      half = wide_compare(&twice, &denominator);
    bool                     some = wide_digits(&rest) > 1 || rest.digit[0] != 0, up = false;
    if (wide_digits(&quotient) > SHUNT_DECIMAL_DIGITS) return SHUNT_OVERFLOW;
    if (mode == SHUNT_EXACT && some) return SHUNT_DIGITS_LOST;
    if (mode == SHUNT_UP) up = some;
    if (mode == SHUNT_HALF_UP) up = half >= 0;
    if (mode == SHUNT_HALF_EVEN) up = half > 0 || (half == 0 && quotient.digit[0] % 2 == 1);
    if (up) quotient = wide_add(quotient, &one);
    if (wide_digits(&quotient) > SHUNT_DECIMAL_DIGITS) return SHUNT_OVERFLOW;
    *result = wide_value(&quotient, negative);
    return SHUNT_OK;
}

static uint64_t state = 88172645463325252u;
static uint64_t roll(void)
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state;
}

/* Of any number of digits, with a liking for powers of ten, nines and halves. */
static shunt_decimal some_decimal(void)
{
    unsigned      digits = (unsigned)(roll() % SHUNT_DECIMAL_DIGITS) + 1;
    shunt_decimal value = 0;
    unsigned      kind = roll() % 5;
    for (unsigned i = 0; i < digits; i++) {
        unsigned digit = (unsigned)(roll() % 10);
        if (kind == 0) digit = 9;
        if (kind == 1) digit = i == 0;
        if (kind == 2) digit = i == 0 ? 5 : 0;
        value = value * 10 + digit;
    }
    return roll() & 1 ? -value : value;
}

static const char *shown(shunt_decimal a, unsigned scale, char out[static SHUNT_DECIMAL_TEXT + 1])
{
    out[shunt_decimal_print(a, scale, out)] = '\0';
    return out;
}

static bool same(shunt_decimal a, shunt_decimal b)
{
    char x[SHUNT_DECIMAL_TEXT + 1], y[SHUNT_DECIMAL_TEXT + 1];
    if (a != b) fprintf(stderr, "%s is not %s\n", shown(a, 0, x), shown(b, 0, y));
    return a == b;
}

static const shunt_decimal untouched = 4711;

static bool same_outcome(shunt_status status, shunt_decimal got, shunt_status expected_status, shunt_decimal expected)
{
    return status == expected_status && same(got, status == SHUNT_OK ? expected : untouched);
}

#define NINES38 "99999999999999999999999999999999999999"
static const struct {
    const char  *text;
    unsigned     scale;
    bool         exponent;
    shunt_status status;
    const char  *printed; /* at the same scale */
} parses[] = {
    { "0", 2, false, SHUNT_OK, "0.00" },
    { "-0", 2, false, SHUNT_OK, "0.00" },
    { "-0.00", 2, false, SHUNT_OK, "0.00" },
    { ".5", 2, false, SHUNT_OK, "0.50" },
    { "-.06", 2, false, SHUNT_OK, "-0.06" },
    { "5.", 2, false, SHUNT_OK, "5.00" },
    { "-5.", 0, false, SHUNT_OK, "-5" },
    { "0005.00", 2, false, SHUNT_OK, "5.00" },
    { "125.50", 2, false, SHUNT_OK, "125.50" },
    { "125.5", 2, false, SHUNT_OK, "125.50" },
    { "125", 2, false, SHUNT_OK, "125.00" },
    { "125.5000", 2, false, SHUNT_OK, "125.50" },
    { "125.500000000000000000000000000000000000000000000000000", 2, false, SHUNT_OK, "125.50" },
    { "00000000000000000000000000000000000000000000000000001.5", 2, false, SHUNT_OK, "1.50" },
    { "1.005", 2, false, SHUNT_VALUE_INVALID, NULL },
    { "1.5", 0, false, SHUNT_VALUE_INVALID, NULL },
    { "1.0", 0, false, SHUNT_OK, "1" },
    { "0.000000000000000000000000000000000001", 2, false, SHUNT_VALUE_INVALID, NULL },
    { "0.00000000000000000000000000000000000001", 38, false, SHUNT_OK, "0.00000000000000000000000000000000000001" },
    { "", 2, false, SHUNT_VALUE_INVALID, NULL },
    { "-", 2, false, SHUNT_VALUE_INVALID, NULL },
    { ".", 2, false, SHUNT_VALUE_INVALID, NULL },
    { "-.", 2, false, SHUNT_VALUE_INVALID, NULL },
    { "1.2.3", 2, false, SHUNT_VALUE_INVALID, NULL },
    { "1,000.00", 2, false, SHUNT_VALUE_INVALID, NULL },
    { "+5", 2, false, SHUNT_VALUE_INVALID, NULL },
    { "5-", 2, false, SHUNT_VALUE_INVALID, NULL },
    { "--5", 2, false, SHUNT_VALUE_INVALID, NULL },
    { "$5", 2, false, SHUNT_VALUE_INVALID, NULL },
    { " 5", 2, false, SHUNT_VALUE_INVALID, NULL },
    { "5 ", 2, false, SHUNT_VALUE_INVALID, NULL },
    { "0x10", 2, false, SHUNT_VALUE_INVALID, NULL },
    { "1e3", 2, false, SHUNT_VALUE_INVALID, NULL },
    { "\xff", 2, false, SHUNT_VALUE_INVALID, NULL },
    { "12345678901234567890123456789012345678x", 0, false, SHUNT_VALUE_INVALID, NULL },
    { "9999999999999999999", 0, false, SHUNT_OK, "9999999999999999999" },
    { "18446744073709551615", 0, false, SHUNT_OK, "18446744073709551615" },
    { "18446744073709551616", 0, false, SHUNT_OK, "18446744073709551616" },
    { "-18446744073709551616.5", 1, false, SHUNT_OK, "-18446744073709551616.5" },
    { NINES38, 0, false, SHUNT_OK, NINES38 },
    { "-" NINES38, 0, false, SHUNT_OK, "-" NINES38 },
    { "." NINES38, 38, false, SHUNT_OK, "0." NINES38 },
    { NINES38 ".000", 0, false, SHUNT_OK, NINES38 },
    { NINES38, 1, false, SHUNT_OVERFLOW, NULL },
    { "1" NINES38, 0, false, SHUNT_OVERFLOW, NULL },
    { "100000000000000000000000000000000000000", 0, false, SHUNT_OVERFLOW, NULL },
    { "1", 38, false, SHUNT_OVERFLOW, NULL },
    { "1.5e3", 2, true, SHUNT_OK, "1500.00" },
    { "1.5E+3", 2, true, SHUNT_OK, "1500.00" },
    { "-15e-1", 2, true, SHUNT_OK, "-1.50" },
    { "15e-4", 2, true, SHUNT_VALUE_INVALID, NULL },
    { "1500e-4", 2, true, SHUNT_OK, "0.15" },
    { "0e999999999999999999999999", 2, true, SHUNT_OK, "0.00" },
    { "1e999999999999999999999999", 2, true, SHUNT_OVERFLOW, NULL },
    { "1e-999999999999999999999999", 2, true, SHUNT_VALUE_INVALID, NULL },
    { "1e37", 0, true, SHUNT_OK, "10000000000000000000000000000000000000" },
    { "1e38", 0, true, SHUNT_OVERFLOW, NULL },
    { "1e", 2, true, SHUNT_VALUE_INVALID, NULL },
    { "1e+", 2, true, SHUNT_VALUE_INVALID, NULL },
    { "e1", 2, true, SHUNT_VALUE_INVALID, NULL },
    { "1e1.5", 2, true, SHUNT_VALUE_INVALID, NULL },
    { "12.5", 2, true, SHUNT_OK, "12.50" },
};

START_TEST(parses_what_an_input_may_hold)
{
    char          out[SHUNT_DECIMAL_TEXT + 1];
    shunt_decimal value = untouched;
    size_t        length = strlen(parses[_i].text);
    shunt_status  status = shunt_decimal_parse(parses[_i].text, length, parses[_i].scale, parses[_i].exponent, &value);
    ck_assert_msg(status == parses[_i].status, "\"%s\" gave %s", parses[_i].text, shunt_status_info[status].symbol);
    if (status == SHUNT_OK)
        ck_assert_str_eq(shown(value, parses[_i].scale, out), parses[_i].printed);
    else
        ck_assert(same(value, untouched));
}
END_TEST

/* Digit by digit, for at most 30 of them at a scale of at most 8. */
static shunt_status parse_slowly(const char *text, size_t length, unsigned scale, shunt_decimal *value)
{
    shunt_decimal sum = 0;
    size_t        at = length && *text == '-', digits = 0;
    bool          point = false;
    unsigned      places = 0;
    for (; at < length; at++) {
        char c = text[at];
        if (c == '.' && !point) {
            point = true;
        } else if (c < '0' || c > '9') {
            return SHUNT_VALUE_INVALID;
        } else {
            digits++;
            if (point && places == scale && c != '0') return SHUNT_VALUE_INVALID;
            if (!point || places < scale) sum = sum * 10 + (c - '0');
            if (point && places < scale) places++;
        }
    }
    if (digits == 0) return SHUNT_VALUE_INVALID;
    for (; places < scale; places++) sum *= 10;
    *value = *text == '-' ? -sum : sum;
    return SHUNT_OK;
}

/* In a block of its own length, so that a byte read beside it is found where memory is watched. Assertions are only made where they fail:
 * each takes longer than what it asserts. */
static void parse_both_ways(const char *text, size_t length, unsigned scale)
{
    shunt_decimal expected = untouched, value = untouched;
    char         *block = malloc(length ? length : 1), padded[32 + 8];
    if (!block) ck_abort_msg("no memory");
    memcpy(block, text, length);
    for (size_t i = 0; i < sizeof padded; i++) padded[i] = "5."[i % 2]; /* what stands behind does not count */
    memcpy(padded, text, length);
    shunt_status wanted = parse_slowly(text, length, scale, &expected),
                 status = shunt_decimal_parse(block, length, scale, false, &value);
    uint64_t brief = shunt_decimal_parse_word(padded, length, scale);
    bool     plain = status == SHUNT_OK && length <= 8 && scale <= 2 && !memchr(text, '.', length);
    free(block);
    if (status != wanted || !same(value, expected))
        ck_abort_msg("\"%.*s\" at scale %u gave %s", (int)length, text, scale, shunt_status_info[status].symbol);
    if (brief && (status != SHUNT_OK || !same(shunt_decimal_of_word(brief), value)))
        ck_abort_msg("\"%.*s\" at scale %u, short", (int)length, text, scale);
    if (plain && !brief) ck_abort_msg("\"%.*s\" at scale %u, not short", (int)length, text, scale);
}

/* Every length, sign and place of the point, and what is no digit at every place. */
START_TEST(parses_every_length)
{
    static const char digits[] = "0123456789", wrong[] = " +-.,:/;eE\x7f\x80\x8a\xb0\xff\x1e\x0e\x2e\x00";
    for (unsigned length = 0; length <= 20; length++) {
        for (unsigned variant = 0; variant < 2 * (length + 2); variant++) {
            char     text[24], *to = text;
            unsigned point = variant / 2; /* `length`: behind all; above: none */
            if (variant & 1) *to++ = '-';
            for (unsigned i = 0; i < length; i++) {
                if (i == point) *to++ = '.';
                *to++ = digits[(i * 7 + length + variant / 5) % 10];
            }
            if (point == length) *to++ = '.';
            size_t size = (size_t)(to - text);
            for (unsigned scale = 0; scale <= 8; scale++) parse_both_ways(text, size, scale);
            for (size_t i = 0; i < size; i++) {
                for (size_t w = variant % 3; w < sizeof wrong; w += 3) {
                    char before = text[i];
                    text[i] = wrong[w];
                    parse_both_ways(text, size, 2);
                    text[i] = before;
                }
            }
        }
    }
}
END_TEST

START_TEST(parses_as_digit_by_digit)
{
    static const char often[] = "00000123456789999.-x";
    for (int i = 0; i < 100000; i++) {
        char     text[24];
        size_t   length = (size_t)(roll() % 20), point = (size_t)(roll() % 20);
        unsigned scale = (unsigned)(roll() % 9), letters = (unsigned)(roll() % 4) ? 17 : (unsigned)sizeof often - 1;
        for (size_t k = 0; k < length; k++) text[k] = often[roll() % letters];
        if (point < length && text[point] != '.') text[point] = '.';
        if (roll() % 4 == 0 && length) text[0] = '-';
        parse_both_ways(text, length, scale);
    }
}
END_TEST

static const struct {
    const char  *text;
    unsigned     implied, scale;
    shunt_status status;
    const char  *printed;
} implied[] = {
    { "12345", 2, 2, SHUNT_OK, "123.45" },
    { "-5", 2, 2, SHUNT_OK, "-0.05" },
    { "0", 2, 2, SHUNT_OK, "0.00" },
    { "12345", 0, 2, SHUNT_OK, "12345.00" },
    { "12340", 3, 2, SHUNT_OK, "12.34" },
    { "12345", 3, 2, SHUNT_VALUE_INVALID, NULL },
    { "123.45", 2, 2, SHUNT_VALUE_INVALID, NULL },
    { "", 2, 2, SHUNT_VALUE_INVALID, NULL },
    { "-", 2, 2, SHUNT_VALUE_INVALID, NULL },
    { "+1", 2, 2, SHUNT_VALUE_INVALID, NULL },
    { "1" NINES38, 2, 2, SHUNT_OVERFLOW, NULL },
    { NINES38, 2, 2, SHUNT_OK, "999999999999999999999999999999999999.99" },
};

START_TEST(parses_implied_decimals)
{
    char          out[SHUNT_DECIMAL_TEXT + 1];
    shunt_decimal value = untouched;
    shunt_status  status =
        shunt_decimal_parse_implied(implied[_i].text, strlen(implied[_i].text), implied[_i].implied, implied[_i].scale, &value);
    ck_assert_int_eq(status, implied[_i].status);
    if (status == SHUNT_OK)
        ck_assert_str_eq(shown(value, implied[_i].scale, out), implied[_i].printed);
    else
        ck_assert(same(value, untouched));
}
END_TEST

START_TEST(prints_what_it_parses)
{
    for (int i = 0; i < 100000; i++) {
        shunt_decimal a = some_decimal(), back;
        unsigned      scale = (unsigned)(roll() % (SHUNT_DECIMAL_DIGITS + 1));
        char          out[SHUNT_DECIMAL_TEXT], expected[SHUNT_DECIMAL_TEXT + 8], *to = expected;
        size_t        length = shunt_decimal_print(a, scale, out);
        struct wide   w = wide_of(a);
        if (a < 0) *to++ = '-';
        for (unsigned d = wide_digits(&w) > scale ? wide_digits(&w) : scale + 1; d-- > 0;) {
            *to++ = (char)('0' + w.digit[d]);
            if (d == scale && scale > 0) *to++ = '.';
        }
        ck_assert_uint_eq(length, (size_t)(to - expected));
        ck_assert_mem_eq(out, expected, length);
        ck_assert_int_eq(shunt_decimal_parse(out, length, scale, false, &back), SHUNT_OK);
        ck_assert(same(back, a));
        ck_assert_uint_eq(shunt_decimal_digits(a), wide_digits(&w));
    }
}
END_TEST

/* Around every power of ten, with every scale and sign, against digits taken one by one; and all that has four digits. */
static void expect_print(shunt_decimal a, unsigned scale)
{
    char              out[SHUNT_DECIMAL_TEXT], expected[SHUNT_DECIMAL_TEXT], *to = expected + sizeof expected;
    unsigned __int128 left = a < 0 ? -(unsigned __int128)a : (unsigned __int128)a;
    for (unsigned d = 0; d <= scale || left; d++, left /= 10) {
        if (d == scale && scale) *--to = '.';
        *--to = (char)('0' + (int)(left % 10));
    }
    if (a < 0) *--to = '-';
    size_t length = (size_t)(expected + sizeof expected - to);
    ck_assert_uint_eq(shunt_decimal_print(a, scale, out), length);
    ck_assert_mem_eq(out, to, length);
    ck_assert_uint_eq(shunt_decimal_print_any(a, scale, out), length);
    ck_assert_mem_eq(out, to, length);
}

START_TEST(prints_every_length)
{
    shunt_decimal power = 1;
    for (unsigned digits = 1; digits <= SHUNT_DECIMAL_DIGITS; digits++, power *= 10)
        for (int off = -2; off <= 2; off++)
            for (unsigned scale = 0; scale <= SHUNT_DECIMAL_DIGITS; scale++) {
                expect_print(power + off, scale);
                expect_print(-(power + off), scale);
                expect_print((power + off) * 7, scale); /* below 10^38 too: 7 * 10^37 */
            }
    for (int i = 0; i < 10000; i++)
        for (unsigned scale = 0; scale <= 4; scale++) expect_print(i, scale);
}
END_TEST

START_TEST(adds_and_subtracts)
{
    for (int i = 0; i < 100000; i++) {
        shunt_decimal a = some_decimal(), b = some_decimal(), expected = untouched;
        struct wide   x = wide_of(a), y = wide_of(b), sum;
        bool          negative = a < 0;
        if ((a < 0) == (b < 0))
            sum = wide_add(x, &y);
        else if (wide_compare(&x, &y) >= 0)
            sum = wide_subtract(x, &y);
        else
            sum = wide_subtract(y, &x), negative = b < 0;
        bool fits = wide_digits(&sum) <= SHUNT_DECIMAL_DIGITS;
        if (fits) expected = wide_value(&sum, negative);
        shunt_decimal got = untouched;
        ck_assert_int_eq(shunt_decimal_add(a, b, &got), fits ? SHUNT_OK : SHUNT_OVERFLOW);
        ck_assert(same(got, expected));
        got = untouched;
        ck_assert_int_eq(shunt_decimal_subtract(a, -b, &got), fits ? SHUNT_OK : SHUNT_OVERFLOW);
        ck_assert(same(got, expected));
    }
}
END_TEST

START_TEST(multiplies)
{
    for (int i = 0; i < 3000; i++) {
        shunt_decimal a = some_decimal(), b = some_decimal(), expected = untouched, got = untouched;
        if (i % 2) a /= (shunt_decimal)(roll() | 1), b /= (shunt_decimal)(roll() | 1);
        struct wide x = wide_of(a), y = wide_of(b), product = wide_multiply(&x, &y);
        bool        fits = wide_digits(&product) <= SHUNT_DECIMAL_DIGITS;
        if (fits) expected = wide_value(&product, (a < 0) != (b < 0));
        ck_assert_int_eq(shunt_decimal_multiply(a, b, &got), fits ? SHUNT_OK : SHUNT_OVERFLOW);
        ck_assert(same(got, expected));
    }
}
END_TEST

START_TEST(divides)
{
    for (int i = 0; i < 6000; i++) {
        shunt_decimal  a = some_decimal(), b = some_decimal();
        unsigned       as = (unsigned)(roll() % 39), bs = (unsigned)(roll() % 39), places = (unsigned)(roll() % 39);
        shunt_rounding mode = (shunt_rounding)(roll() % 5);
        if (i % 3 == 0) as = roll() % 5, bs = roll() % 5, places = roll() % 5;
        if (i % 4 == 0) b = (shunt_decimal)1 << roll() % 100;
        if (b == 0) continue;
        struct wide   x = wide_of(a), y = wide_of(b), numerator = wide_shift(&x, places + bs), denominator = wide_shift(&y, as);
        shunt_decimal expected = untouched, got = untouched;
        shunt_status  expected_status = expected_division(numerator, denominator, (a < 0) != (b < 0), mode, &expected);
        shunt_status  status = shunt_decimal_divide(a, as, b, bs, places, mode, &got);
        ck_assert(same_outcome(status, got, expected_status, expected));
    }
}
END_TEST

START_TEST(rescales)
{
    for (int i = 0; i < 20000; i++) {
        shunt_decimal            a = some_decimal();
        unsigned                 from = (unsigned)(roll() % 60), to = (unsigned)(roll() % 60);
        shunt_rounding           mode = (shunt_rounding)(roll() % 5);
        static const struct wide one = { { 1 } };
        struct wide              x = wide_of(a), numerator = wide_shift(&x, to), denominator = wide_shift(&one, from);
        shunt_decimal            expected = untouched, got = untouched;
        shunt_status             expected_status = expected_division(numerator, denominator, a < 0, mode, &expected);
        shunt_status             status = shunt_decimal_rescale(a, from, to, mode, &got);
        ck_assert(same_outcome(status, got, expected_status, expected));
    }
}
END_TEST

static const struct {
    int            coefficient; /* of scale 1 */
    shunt_rounding mode;
    int            expected;
} ties[] = {
    { 25, SHUNT_HALF_EVEN, 2 }, { 35, SHUNT_HALF_EVEN, 4 }, { -25, SHUNT_HALF_EVEN, -2 }, { -35, SHUNT_HALF_EVEN, -4 },
    { 5, SHUNT_HALF_EVEN, 0 },  { 26, SHUNT_HALF_EVEN, 3 }, { 25, SHUNT_HALF_UP, 3 },     { -25, SHUNT_HALF_UP, -3 },
    { 24, SHUNT_HALF_UP, 2 },   { -24, SHUNT_HALF_UP, -2 }, { 29, SHUNT_DOWN, 2 },        { -29, SHUNT_DOWN, -2 },
    { 21, SHUNT_UP, 3 },        { -21, SHUNT_UP, -3 },      { 20, SHUNT_UP, 2 },          { 20, SHUNT_EXACT, 2 },
    { -4, SHUNT_HALF_UP, 0 },   { -5, SHUNT_HALF_EVEN, 0 },
};

START_TEST(rounds_ties_and_negatives)
{
    shunt_decimal got;
    ck_assert_int_eq(shunt_decimal_rescale(ties[_i].coefficient, 1, 0, ties[_i].mode, &got), SHUNT_OK);
    ck_assert(same(got, ties[_i].expected));
    ck_assert_int_eq(shunt_decimal_divide(ties[_i].coefficient, 0, 10, 0, 0, ties[_i].mode, &got), SHUNT_OK);
    ck_assert(same(got, ties[_i].expected));
    ck_assert_int_eq(shunt_decimal_divide(-ties[_i].coefficient, 0, -10, 0, 0, ties[_i].mode, &got), SHUNT_OK);
    ck_assert(same(got, ties[_i].expected));
}
END_TEST

START_TEST(refuses)
{
    shunt_decimal got = untouched, most = 0;
    for (int i = 0; i < SHUNT_DECIMAL_DIGITS; i++) most = most * 10 + 9;
    ck_assert_int_eq(shunt_decimal_divide(1, 0, 0, 0, 2, SHUNT_HALF_UP, &got), SHUNT_DIVISION);
    ck_assert_int_eq(shunt_decimal_divide(0, 0, 0, 0, 2, SHUNT_HALF_UP, &got), SHUNT_DIVISION);
    ck_assert_int_eq(shunt_decimal_divide(1, 0, 3, 0, 2, SHUNT_EXACT, &got), SHUNT_DIGITS_LOST);
    ck_assert_int_eq(shunt_decimal_rescale(21, 1, 0, SHUNT_EXACT, &got), SHUNT_DIGITS_LOST);
    ck_assert_int_eq(shunt_decimal_rescale(1, 0, 200, SHUNT_DOWN, &got), SHUNT_OVERFLOW);
    ck_assert_int_eq(shunt_decimal_add(most, 1, &got), SHUNT_OVERFLOW);
    ck_assert_int_eq(shunt_decimal_subtract(-most, 1, &got), SHUNT_OVERFLOW);
    ck_assert_int_eq(shunt_decimal_divide(most, 0, 1, 1, 0, SHUNT_DOWN, &got), SHUNT_OVERFLOW);
    ck_assert(same(got, untouched));
    ck_assert_int_eq(shunt_decimal_rescale(most, 1, 0, SHUNT_HALF_UP, &got), SHUNT_OK);
    ck_assert(same(got, (most + 1) / 10));
}
END_TEST

/* 2^256 begins with these digits: a numerator that wraps there would leave a small quotient. */
START_TEST(does_not_wrap_at_256_bits)
{
    static const char above[] = "11579208923731619542357098500868790786";
    shunt_decimal     a, b = 1, got = untouched;
    for (int i = 0; i < 37; i++) b *= 10;
    ck_assert_int_eq(shunt_decimal_parse(above, sizeof above - 1, 0, false, &a), SHUNT_OK);
    ck_assert_int_eq(shunt_decimal_divide(a, 0, b, 2, 38, SHUNT_DOWN, &got), SHUNT_OVERFLOW);
    ck_assert_int_eq(shunt_decimal_divide(a, 0, b, 38, 38, SHUNT_DOWN, &got), SHUNT_OVERFLOW);
    ck_assert_int_eq(shunt_decimal_divide(a, 38, b, 38, 38, SHUNT_DOWN, &got), SHUNT_OVERFLOW);
    ck_assert(same(got, untouched));
}
END_TEST

START_TEST(finds_rounding_modes)
{
    static const char *const names[] = { "half_up", "half_even", "down", "up", "exact" };
    shunt_rounding           mode;
    for (size_t i = 0; i < SHUNT_COUNT(names); i++) {
        ck_assert(shunt_rounding_find(shunt_text_of(names[i]), &mode));
        ck_assert_uint_eq(mode, i);
    }
    ck_assert(!shunt_rounding_find(SHUNT_TEXT("half"), &mode));
    ck_assert(!shunt_rounding_find(SHUNT_TEXT(""), &mode));
}
END_TEST

/* ---- parts that add up ---- */

enum { PARTS = 12 };

static const struct {
    const char   *name;
    shunt_decimal amount;
    uint32_t      count;
    shunt_decimal weights[PARTS];
    shunt_status  status;
    shunt_decimal parts[PARTS];
} splits[] = {
    { "equal weights: the first takes the cent", 100, 3, { 1, 1, 1 }, SHUNT_OK, { 34, 33, 33 } },
    { "two cents", 101, 3, { 1, 1, 1 }, SHUNT_OK, { 34, 34, 33 } },
    { "a negative amount is the mirror", -101, 3, { 1, 1, 1 }, SHUNT_OK, { -34, -34, -33 } },
    { "the largest remainder, not the first", 10, 3, { 1, 1, 8 }, SHUNT_OK, { 1, 1, 8 } },
    { "the largest remainder is the last", 100, 3, { 333, 333, 334 }, SHUNT_OK, { 33, 33, 34 } },
    { "a tie behind one that lost more", 7, 4, { 10, 24, 10, 10 }, SHUNT_OK, { 2, 3, 1, 1 } },
    { "negative weights are the same as positive ones", 100, 3, { -1, -1, -1 }, SHUNT_OK, { 34, 33, 33 } },
    { "a weight of zero gets nothing", 5, 3, { 0, 1, 0 }, SHUNT_OK, { 0, 5, 0 } },
    { "less than a unit each", 2, 5, { 1, 1, 1, 1, 1 }, SHUNT_OK, { 1, 1, 0, 0, 0 } },
    { "nothing of nothing", 0, 2, { 0, 0 }, SHUNT_OK, { 0, 0 } },
    { "nothing by weights of two signs", 0, 2, { 1, -1 }, SHUNT_OK, { 0, 0 } },
    { "weights of zero", 1, 2, { 0, 0 }, SHUNT_ALLOCATE_WEIGHTS, { 0 } },
    { "weights of two signs", 1, 2, { 2, -1 }, SHUNT_ALLOCATE_WEIGHTS, { 0 } },
    { "no weights", 1, 0, { 0 }, SHUNT_ALLOCATE_WEIGHTS, { 0 } },
};

START_TEST(allocates)
{
    shunt_decimal parts[PARTS] = { 0 }, rests[PARTS];
    shunt_status  status = shunt_decimal_allocate(splits[_i].amount, splits[_i].weights, splits[_i].count, parts, rests);
    ck_assert_msg(status == splits[_i].status, "%s", splits[_i].name);
    for (uint32_t i = 0; i < splits[_i].count && status == SHUNT_OK; i++)
        ck_assert_msg(parts[i] == splits[_i].parts[i], "%s: part %u is %lld", splits[_i].name, i, (long long)parts[i]);
}
END_TEST

/* Any amount by any weights: the parts add up, none is a unit or more off its share, a larger weight never gets less, and the opposite
 * amount has the opposite parts. */
START_TEST(parts_always_add_up)
{
    uint64_t seed = 42;
    for (int round = 0; round < 4000; round++) {
        shunt_decimal weights[PARTS], parts[PARTS], mirror[PARTS], rests[PARTS], total = 0, sum = 0;
        uint32_t      count = 1 + (uint32_t)(round % PARTS);
        int64_t       spread = round % 3 == 0 ? 4 : round % 3 == 1 ? 1000 : INT64_C(1000000000000);
        for (uint32_t i = 0; i < count; i++) {
            seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            weights[i] = (int64_t)((seed >> 16) % (uint64_t)spread);
            sum += weights[i];
        }
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        shunt_decimal amount = (int64_t)(seed >> 24) - (INT64_C(1) << 39);
        if (round % 2) amount %= 100;
        shunt_status status = shunt_decimal_allocate(amount, weights, count, parts, rests);
        if (sum == 0 && amount != 0) {
            ck_assert_int_eq(status, SHUNT_ALLOCATE_WEIGHTS);
            continue;
        }
        ck_assert_int_eq(status, SHUNT_OK);
        ck_assert_int_eq(shunt_decimal_allocate(-amount, weights, count, mirror, rests), SHUNT_OK);
        for (uint32_t i = 0; i < count; i++) {
            shunt_decimal off = parts[i] * sum - amount * weights[i];
            total += parts[i];
            ck_assert(amount == 0 || (off < sum && off > -sum));
            ck_assert(mirror[i] == -parts[i]);
            for (uint32_t k = 0; k < i; k++)
                if (weights[k] > weights[i]) ck_assert(amount >= 0 ? parts[k] >= parts[i] : parts[k] <= parts[i]);
        }
        ck_assert(total == amount);
    }
}
END_TEST

START_TEST(allocates_no_more_than_fits)
{
    shunt_decimal large = 1, weights[2], parts[2], rests[2];
    for (int i = 0; i < 37; i++) large *= 10;
    weights[0] = weights[1] = 100;
    ck_assert_int_eq(shunt_decimal_allocate(large, weights, 2, parts, rests), SHUNT_OVERFLOW);
    weights[0] = weights[1] = 9 * large;
    ck_assert_int_eq(shunt_decimal_allocate(1, weights, 2, parts, rests), SHUNT_OVERFLOW);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decimal");
    TCase *tc = tcase_create("decimal");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, parses_what_an_input_may_hold, 0, SHUNT_COUNT(parses));
    tcase_add_loop_test(tc, parses_implied_decimals, 0, SHUNT_COUNT(implied));
    tcase_add_test(tc, parses_every_length);
    tcase_add_test(tc, parses_as_digit_by_digit);
    tcase_add_test(tc, prints_what_it_parses);
    tcase_add_test(tc, prints_every_length);
    tcase_add_test(tc, adds_and_subtracts);
    tcase_add_test(tc, multiplies);
    tcase_add_test(tc, divides);
    tcase_add_test(tc, rescales);
    tcase_add_loop_test(tc, rounds_ties_and_negatives, 0, SHUNT_COUNT(ties));
    tcase_add_test(tc, refuses);
    tcase_add_test(tc, does_not_wrap_at_256_bits);
    tcase_add_test(tc, finds_rounding_modes);
    tcase_add_loop_test(tc, allocates, 0, SHUNT_COUNT(splits));
    tcase_add_test(tc, parts_always_add_up);
    tcase_add_test(tc, allocates_no_more_than_fits);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
