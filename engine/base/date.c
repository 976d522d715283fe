#include "engine/base/date.h"

#include "engine/base/decimal.h"

static const int64_t day_microseconds = (int64_t)86400 * 1000000;

enum { FIRST_DAY = -719162, LAST_DAY = 2932896 }; /* 0001-01-01 and 9999-12-31 */

static bool is_leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

static int days_in(int year, int month)
{
    static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    return days[month - 1] + (month == 2 && is_leap(year));
}

bool shunt_date_valid(int year, int month, int day)
{
    return year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 && day <= days_in(year, month);
}

/* Years are counted from March, so that the leap day is the last one: then the days before a month are linear in it. */
int64_t shunt_date_days(int year, int month, int day)
{
    unsigned y = (unsigned)(month <= 2 ? year - 1 : year), m = (unsigned)(month <= 2 ? month + 9 : month - 3);
    unsigned before_month = (153 * m + 2) / 5;
    return (int64_t)y * 365 + y / 4 - y / 100 + y / 400 + before_month + day - 1 - 719468;
}

/* By the products and shifts of C. Neri and L. Schneider (2022, "Euclidean affine functions and their application to calendar
 * algorithms"), exact for all days of the years 1 to 9999: no step divides by more than a constant. */
static inline void split(int64_t days, uint32_t *year, uint32_t *month, uint32_t *day)
{
    uint32_t in_four = 4 * (uint32_t)(days + 719468) + 3; /* since 0000-03-01; not negative from year 1 on */
    uint32_t century = in_four / 146097, in_century = in_four % 146097 / 4;
    uint64_t years = (uint64_t)2939745 * (4 * in_century + 3);
    uint32_t in_year = (uint32_t)years / 2939745 / 4, months = 2141 * in_year + 197913;
    bool     next = in_year >= 306; /* January and February */
    *year = 100 * century + (uint32_t)(years >> 32) + next;
    *month = (months >> 16) - (next ? 12 : 0);
    *day = (months & 0xffff) / 2141 + 1;
}

void shunt_date_split(int64_t days, int *year, int *month, int *day)
{
    uint32_t y, m, d;
    split(days, &y, &m, &d);
    *year = (int)y;
    *month = (int)m;
    *day = (int)d;
}

/* `count` digits at `at`, or -1. */
static int number(const char *at, unsigned count)
{
    int value = 0;
    for (unsigned i = 0; i < count; i++) {
        unsigned digit = (unsigned char)(at[i] - '0');
        if (digit > 9) return -1;
        value = value * 10 + (int)digit;
    }
    return value;
}

static int windowed(int two_digits) { return two_digits < 0 ? -1 : two_digits + (two_digits < 70 ? 2000 : 1900); }

static shunt_status take(int year, int month, int day, int64_t *days)
{
    if (!shunt_date_valid(year, month, day)) return SHUNT_VALUE_INVALID;
    *days = shunt_date_days(year, month, day);
    return SHUNT_OK;
}

shunt_status shunt_date_parse_x12(shunt_text text, int64_t *days)
{
    const char *at = text.bytes;
    if (text.length == 8) return take(number(at, 4), number(at + 4, 2), number(at + 6, 2), days);
    if (text.length == 6) return take(windowed(number(at, 2)), number(at + 2, 2), number(at + 4, 2), days);
    return SHUNT_VALUE_INVALID;
}

shunt_status shunt_date_parse_iso(shunt_text text, int64_t *days)
{
    const char *at = text.bytes;
    if (text.length != 10 || at[4] != '-' || at[7] != '-') return SHUNT_VALUE_INVALID;
    return take(number(at, 4), number(at + 5, 2), number(at + 8, 2), days);
}

/* The field that begins at `i` of a pattern: its letter and width; '\0' for a literal character. */
static char field_at(shunt_text pattern, uint32_t i, uint32_t *width)
{
    shunt_text rest = { pattern.bytes + i, pattern.length - i };
    *width = 4;
    if (shunt_text_starts(rest, SHUNT_TEXT("YYYY"))) return 'Y';
    *width = 2;
    if (shunt_text_starts(rest, SHUNT_TEXT("YY"))) return 'Y';
    if (shunt_text_starts(rest, SHUNT_TEXT("MM"))) return 'M';
    if (shunt_text_starts(rest, SHUNT_TEXT("DD"))) return 'D';
    *width = 1;
    return '\0';
}

bool shunt_date_pattern_valid(shunt_text pattern)
{
    unsigned years = 0, months = 0, days = 0;
    for (uint32_t i = 0, width; i < pattern.length; i += width) {
        char field = field_at(pattern, i, &width);
        years += field == 'Y', months += field == 'M', days += field == 'D';
        char c = pattern.bytes[i];
        if (!field && (c == 'Y' || c == 'M' || c == 'D' || (c >= '0' && c <= '9'))) return false;
    }
    return years == 1 && months == 1 && days == 1;
}

shunt_status shunt_date_parse_pattern(shunt_text text, shunt_text pattern, int64_t *days)
{
    int year = 0, month = 0, day = 0;
    if (text.length != pattern.length) return SHUNT_VALUE_INVALID;
    for (uint32_t i = 0, width; i < pattern.length; i += width) {
        const char *at = text.bytes + i;
        switch (field_at(pattern, i, &width)) {
        case 'Y': year = width == 4 ? number(at, 4) : windowed(number(at, 2)); break;
        case 'M': month = number(at, 2); break;
        case 'D': day = number(at, 2); break;
        default:
            if (*at != pattern.bytes[i]) return SHUNT_VALUE_INVALID;
        }
    }
    return take(year, month, day, days);
}

shunt_status shunt_date_parse_range(shunt_text text, int64_t *start, int64_t *end)
{
    uint32_t half = text.length / 2;
    if (text.length != 17 && text.length != 13) return SHUNT_VALUE_INVALID;
    if (text.bytes[half] != '-') return SHUNT_VALUE_INVALID;
    int64_t from, to;
    SHUNT_TRY(shunt_date_parse_x12((shunt_text){ text.bytes, half }, &from));
    SHUNT_TRY(shunt_date_parse_x12((shunt_text){ text.bytes + half + 1, half }, &to));
    *start = from;
    *end = to;
    return SHUNT_OK;
}

shunt_status shunt_date_parse_qualified(shunt_text text, int64_t *start, int64_t *end)
{
    if (text.length > 12) return shunt_date_parse_range(text, start, end);
    if (text.length == 12) {
        int hour = number(text.bytes + 8, 2), minute = number(text.bytes + 10, 2);
        if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return SHUNT_VALUE_INVALID;
        text.length = 8;
    }
    SHUNT_TRY(shunt_date_parse_x12(text, start));
    *end = *start;
    return SHUNT_OK;
}

static char *put(char *out, int value, unsigned width)
{
    for (unsigned i = width; i-- > 0; value /= 10) out[i] = (char)('0' + value % 10);
    return out + width;
}

void shunt_date_print(int64_t days, char out[static SHUNT_DATE_TEXT])
{
    uint32_t year, month, day;
    split(days, &year, &month, &day);
    uint64_t digits = shunt_decimal_spread((year * 100 + month) * 100 + day) | UINT64_C(0x3030303030303030);
    uint32_t first = (uint32_t)digits;
    uint16_t second = (uint16_t)(digits >> 32), third = (uint16_t)(digits >> 48);
    memcpy(out, &first, sizeof first);
    out[4] = '-';
    memcpy(out + 5, &second, sizeof second);
    out[7] = '-';
    memcpy(out + 8, &third, sizeof third);
}

shunt_status shunt_date_add_months(int64_t days, int64_t months, bool clamp, int64_t *result)
{
    int year, month, day;
    shunt_date_split(days, &year, &month, &day);
    enum { MOST = 9999 * 12 };
    if (months > MOST || months < -MOST) return SHUNT_VALUE_INVALID;
    int64_t at = (int64_t)year * 12 + month - 1 + months;
    if (at < 12) return SHUNT_VALUE_INVALID;
    int to_year = (int)(at / 12), to_month = (int)(at % 12) + 1;
    if (to_year > 9999) return SHUNT_VALUE_INVALID;
    int last = days_in(to_year, to_month);
    if (day <= last) return take(to_year, to_month, day, result);
    /* No month after December is needed: it has 31 days. */
    return clamp ? take(to_year, to_month, last, result) : take(to_year, to_month + 1, 1, result);
}

shunt_status shunt_date_add_days(int64_t days, int64_t more, int64_t *result)
{
    int64_t sum;
    if (__builtin_add_overflow(days, more, &sum) || sum < FIRST_DAY || sum > LAST_DAY) return SHUNT_OVERFLOW;
    *result = sum;
    return SHUNT_OK;
}

/* ---- moments ---- */

static int64_t day_of(int64_t microseconds) { return microseconds / day_microseconds - (microseconds % day_microseconds < 0); }

static int64_t local_of(shunt_moment moment) { return moment.microseconds + (int64_t)moment.offset * 60000000; }

static bool in_years(int64_t microseconds)
{
    return microseconds >= FIRST_DAY * day_microseconds && microseconds < (LAST_DAY + 1) * day_microseconds;
}

bool shunt_moment_valid(shunt_moment moment)
{
    return moment.precision <= SHUNT_PRECISION_YEAR && moment.zoned <= SHUNT_ZONED_NOT && moment.reserved == 0 &&
           moment.offset > -SHUNT_OFFSET_MINUTES && moment.offset < SHUNT_OFFSET_MINUTES &&
           (moment.zoned != SHUNT_ZONED_NOT || moment.offset == 0) && in_years(moment.microseconds) && in_years(local_of(moment));
}

/* What was read of a text so far. Parts that are not written stay as they are set here. */
struct written {
    int     year, month, day, hour, minute, second;
    int64_t fraction; /* microseconds */
    int     offset;   /* minutes */
    uint8_t precision, zoned;
};
static const struct written nothing_written = {
    .month = 1, .day = 1, .precision = SHUNT_PRECISION_YEAR, .zoned = SHUNT_ZONED_NOT
};

/* `most_seconds` is 60 where a leap second may be written; it is the first of the next minute, as in POSIX. */
static shunt_status settle(const struct written *w, int most_seconds, shunt_moment *moment)
{
    if (!shunt_date_valid(w->year, w->month, w->day)) return SHUNT_VALUE_INVALID;
    if (w->hour < 0 || w->hour > 23 || w->minute < 0 || w->minute > 59 || w->second < 0 || w->second > most_seconds)
        return SHUNT_VALUE_INVALID;
    int64_t      seconds = ((int64_t)w->hour * 60 + w->minute - w->offset) * 60 + w->second;
    int64_t      days = shunt_date_days(w->year, w->month, w->day);
    shunt_moment made = { .microseconds = days * day_microseconds + seconds * 1000000 + w->fraction,
                          .offset = (int16_t)w->offset,
                          .precision = w->precision,
                          .zoned = w->zoned };
    if (!shunt_moment_valid(made)) return SHUNT_VALUE_INVALID;
    *moment = made;
    return SHUNT_OK;
}

/* ".123": digits beyond microseconds are cut off. NULL without a digit, or with more than `most`. */
static const char *read_fraction(const char *at, const char *end, long most, int64_t *fraction)
{
    const char *first = ++at;
    *fraction = 0;
    for (int64_t unit = 100000; at < end && *at >= '0' && *at <= '9'; at++, unit /= 10) *fraction += (*at - '0') * unit;
    return at == first || at - first > most ? NULL : at;
}

static bool take_offset(const char *sign, int hours, int minutes, int most_hours, struct written *w)
{
    if (hours < 0 || hours > most_hours || minutes < 0 || minutes > 59) return false;
    w->offset = (hours * 60 + minutes) * (*sign == '-' ? -1 : 1);
    w->zoned = SHUNT_ZONED_WRITTEN;
    return true;
}

/* "Z" or "+hh:mm" that fills [at, end). */
static bool read_iso_zone(const char *at, const char *end, struct written *w)
{
    w->zoned = SHUNT_ZONED_WRITTEN;
    if (end - at == 1) return *at == 'Z';
    if (end - at != 6 || (*at != '+' && *at != '-') || at[3] != ':') return false;
    return take_offset(at, number(at + 1, 2), number(at + 4, 2), 14, w);
}

shunt_status shunt_moment_parse_iso(shunt_text text, shunt_moment *moment)
{
    enum { YEAR = 4, MONTH = 7, DAY = 10, TIME = 19 };
    struct written w = nothing_written;
    const char    *at = text.bytes, *end = at + text.length;
    if (text.length != YEAR && text.length != MONTH && text.length != DAY && text.length < TIME) return SHUNT_VALUE_INVALID;
    w.year = number(at, 4);
    if (text.length >= MONTH) {
        if (at[4] != '-') return SHUNT_VALUE_INVALID;
        w.month = number(at + 5, 2);
        w.precision = SHUNT_PRECISION_MONTH;
    }
    if (text.length >= DAY) {
        if (at[7] != '-') return SHUNT_VALUE_INVALID;
        w.day = number(at + 8, 2);
        w.precision = SHUNT_PRECISION_DAY;
    }
    if (text.length >= TIME) {
        if (at[10] != 'T' || at[13] != ':' || at[16] != ':') return SHUNT_VALUE_INVALID;
        w.hour = number(at + 11, 2), w.minute = number(at + 14, 2), w.second = number(at + 17, 2);
        w.precision = SHUNT_PRECISION_TIME;
        at += TIME;
        if (at < end && *at == '.' && !(at = read_fraction(at, end, end - at, &w.fraction))) return SHUNT_VALUE_INVALID;
        if (at < end && !read_iso_zone(at, end, &w)) return SHUNT_VALUE_INVALID;
    }
    return settle(&w, 60, moment);
}

shunt_status shunt_moment_parse(shunt_text text, shunt_moment *moment)
{
    shunt_moment made;
    SHUNT_TRY(shunt_moment_parse_iso(text, &made));
    if (made.precision != SHUNT_PRECISION_TIME || made.zoned != SHUNT_ZONED_WRITTEN) return SHUNT_VALUE_INVALID;
    *moment = made;
    return SHUNT_OK;
}

shunt_status shunt_moment_parse_hl7(shunt_text text, shunt_moment *moment)
{
    struct written w = nothing_written;
    uint32_t       count = 0;
    while (count < text.length && text.bytes[count] >= '0' && text.bytes[count] <= '9') count++;
    if (count < 4 || count > 14 || count % 2) return SHUNT_VALUE_INVALID;
    const char *at = text.bytes, *end = at + text.length, *digits = at + count;
    w.year = number(at, 4);
    if (count >= 6) w.month = number(at + 4, 2), w.precision = SHUNT_PRECISION_MONTH;
    if (count >= 8) w.day = number(at + 6, 2), w.precision = SHUNT_PRECISION_DAY;
    if (count >= 10) w.hour = number(at + 8, 2), w.precision = SHUNT_PRECISION_TIME;
    if (count >= 12) w.minute = number(at + 10, 2);
    if (count >= 14) w.second = number(at + 12, 2);
    if (digits < end && *digits == '.') {
        if (count != 14 || !(digits = read_fraction(digits, end, 4, &w.fraction))) return SHUNT_VALUE_INVALID;
    }
    if (digits < end) {
        if (end - digits != 5 || (*digits != '+' && *digits != '-')) return SHUNT_VALUE_INVALID;
        if (!take_offset(digits, number(digits + 1, 2), number(digits + 3, 2), 14, &w)) return SHUNT_VALUE_INVALID;
    }
    return settle(&w, 59, moment);
}

shunt_status shunt_moment_assume(shunt_moment *moment, int offset)
{
    shunt_moment made = *moment;
    if (made.zoned != SHUNT_ZONED_NOT) return SHUNT_OK;
    made.microseconds -= (int64_t)offset * 60000000;
    made.offset = (int16_t)offset;
    made.zoned = SHUNT_ZONED_ASSUMED;
    if (!shunt_moment_valid(made)) return SHUNT_VALUE_INVALID;
    *moment = made;
    return SHUNT_OK;
}

int64_t shunt_moment_local_seconds(shunt_moment moment)
{
    int64_t local = local_of(moment);
    return local / 1000000 - (local % 1000000 < 0);
}

shunt_status shunt_moment_date(shunt_moment moment, int64_t *days)
{
    if (moment.precision > SHUNT_PRECISION_DAY) return SHUNT_VALUE_INVALID;
    *days = day_of(local_of(moment));
    return SHUNT_OK;
}

size_t shunt_moment_print(shunt_moment moment, char out[static SHUNT_MOMENT_TEXT])
{
    int64_t local = local_of(moment), days = day_of(local), within = local - days * day_microseconds;
    shunt_date_print(days, out);
    if (moment.precision == SHUNT_PRECISION_YEAR) return 4;
    if (moment.precision == SHUNT_PRECISION_MONTH) return 7;
    if (moment.precision == SHUNT_PRECISION_DAY) return SHUNT_DATE_TEXT;
    int   seconds = (int)(within / 1000000), fraction = (int)(within % 1000000);
    char *at = out + SHUNT_DATE_TEXT;
    *at++ = 'T';
    at = put(at, seconds / 3600, 2);
    *at++ = ':';
    at = put(at, seconds / 60 % 60, 2);
    *at++ = ':';
    at = put(at, seconds % 60, 2);
    if (fraction) {
        *at++ = '.';
        at = put(at, fraction, 6);
        while (at[-1] == '0') at--;
    }
    if (moment.zoned == SHUNT_ZONED_NOT) return (size_t)(at - out);
    if (moment.offset == 0) {
        *at++ = 'Z';
        return (size_t)(at - out);
    }
    int minutes = moment.offset < 0 ? -moment.offset : moment.offset;
    *at++ = moment.offset < 0 ? '-' : '+';
    at = put(at, minutes / 60, 2);
    *at++ = ':';
    at = put(at, minutes % 60, 2);
    return (size_t)(at - out);
}
