#include "standards/hl7/types.h"

#include "engine/base/date.h"

enum { FRACTION = 4 /* digits of a second */ };

static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

static uint32_t trimmed(const uint8_t *bytes, uint32_t length)
{
    while (length && bytes[length - 1] == ' ') length--;
    return length;
}

static uint32_t digits(const uint8_t *bytes, uint32_t length)
{
    uint32_t count = 0;
    while (count < length && is_digit(bytes[count])) count++;
    return count;
}

static int two(const uint8_t *bytes) { return (bytes[0] - '0') * 10 + (bytes[1] - '0'); }

bool shunt_hl7_is_number(const uint8_t *bytes, uint32_t length)
{
    uint32_t at = 0, whole, part = 0;
    length = trimmed(bytes, length);
    if (at < length && (bytes[at] == '+' || bytes[at] == '-')) at++;
    whole = digits(bytes + at, length - at);
    at += whole;
    if (at < length && bytes[at] == '.') {
        part = digits(bytes + at + 1, length - at - 1);
        at += 1 + part;
    }
    return at == length && whole + part > 0;
}

bool shunt_hl7_is_sequence(const uint8_t *bytes, uint32_t length)
{
    length = trimmed(bytes, length);
    return length > 0 && digits(bytes, length) == length;
}

/* So many digits of a date: 4, 6 or 8. */
static bool date_digits(const uint8_t *bytes, uint32_t count)
{
    if (count != 4 && count != 6 && count != 8) return false;
    return shunt_date_valid(two(bytes) * 100 + two(bytes + 2), count > 4 ? two(bytes + 4) : 1, count > 6 ? two(bytes + 6) : 1);
}

/* HH[MM[SS]] of so many digits, then fraction and offset. */
static bool time_from(const uint8_t *bytes, uint32_t length, uint32_t count)
{
    if (count != 2 && count != 4 && count != 6) return false;
    if (two(bytes) > 23 || (count > 2 && two(bytes + 2) > 59) || (count > 4 && two(bytes + 4) > 59)) return false;
    uint32_t at = count;
    if (at < length && bytes[at] == '.') {
        uint32_t part = digits(bytes + at + 1, length - at - 1);
        if (count != 6 || part == 0 || part > FRACTION) return false;
        at += 1 + part;
    }
    return at == length || (length - at == 5 && (bytes[at] == '+' || bytes[at] == '-') && digits(bytes + at + 1, 4) == 4 &&
                            two(bytes + at + 1) < 24 && two(bytes + at + 3) < 60);
}

bool shunt_hl7_is_date(const uint8_t *bytes, uint32_t length)
{
    length = trimmed(bytes, length);
    return digits(bytes, length) == length && date_digits(bytes, length);
}

bool shunt_hl7_is_time(const uint8_t *bytes, uint32_t length)
{
    length = trimmed(bytes, length);
    return time_from(bytes, length, digits(bytes, length));
}

bool shunt_hl7_is_moment(const uint8_t *bytes, uint32_t length)
{
    length = trimmed(bytes, length);
    uint32_t count = digits(bytes, length);
    if (count > 8) return date_digits(bytes, 8) && time_from(bytes + 8, length - 8, count - 8);
    if (!date_digits(bytes, count)) return false;
    return count == length || (length - count == 5 && (bytes[count] == '+' || bytes[count] == '-') &&
                               digits(bytes + count + 1, 4) == 4 && two(bytes + count + 1) < 24 && two(bytes + count + 3) < 60);
}
