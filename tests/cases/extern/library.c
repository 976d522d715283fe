/* The library of extern.map: a function for each type that crosses, some that fail, one that keeps a memory. */
#include <string.h>

#include <shunt/extern.h>

int npi_valid(bool *result, shunt_extern_text npi);
int part_of(shunt_extern_decimal *result, shunt_extern_decimal amount, shunt_extern_decimal share, int64_t times);
int quarter_end(int64_t *result, int64_t day);
int reversed(shunt_extern_text *result, shunt_extern_text text, bool twice);
int forgetful(int64_t *result);
int no_text(shunt_extern_text *result);

/* A number of ten digits whose check digit is right (the algorithm of Luhn with the prefix 80840). */
int npi_valid(bool *result, shunt_extern_text npi)
{
    int sum = 24;
    *result = false;
    if (npi.length != 10) return 2;
    for (size_t i = 0; i < 10; i++) {
        int digit = npi.bytes[i] - '0';
        if (digit < 0 || digit > 9) return SHUNT_EXTERN_DONE;
        if (i % 2 == 0) digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
        sum += digit;
    }
    *result = sum % 10 == 0;
    return SHUNT_EXTERN_DONE;
}

/* So many parts of an amount, whose currency must be the one that is expected. */
int part_of(shunt_extern_decimal *result, shunt_extern_decimal amount, shunt_extern_decimal share, int64_t times)
{
    if (strcmp(amount.currency, "USD") != 0 || strcmp(result->currency, "USD") != 0 || share.currency[0]) return 7;
    __int128 value = (__int128)((unsigned __int128)amount.high << 64 | amount.low);
    __int128 part = (__int128)((unsigned __int128)share.high << 64 | share.low);
    value = value * part * times;
    for (uint32_t i = amount.scale + share.scale; i > result->scale; i--) value /= 10;
    result->high = (int64_t)(value >> 64);
    result->low = (uint64_t)value;
    return SHUNT_EXTERN_DONE;
}

/* The last day of the quarter, in days since 1970; none before 1970. */
int quarter_end(int64_t *result, int64_t day)
{
    static const int days[] = { 90, 91, 92, 92 };
    int64_t          at = -1, year = 1970;
    if (day < 0) return SHUNT_EXTERN_ABSENT;
    for (;; year++) {
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        for (int q = 0; q < 4; q++) {
            at += days[q] + (q == 0 && leap);
            if (at >= day) {
                *result = at;
                return SHUNT_EXTERN_DONE;
            }
        }
    }
}

int reversed(shunt_extern_text *result, shunt_extern_text text, bool twice)
{
    static _Thread_local char room[64];
    if (text.length * (twice ? 2 : 1) > sizeof room) return 3;
    for (size_t i = 0; i < text.length; i++) room[i] = text.bytes[text.length - 1 - i];
    if (twice) memcpy(room + text.length, room, text.length);
    *result = (shunt_extern_text){ room, text.length * (twice ? 2 : 1) };
    return SHUNT_EXTERN_DONE;
}

int forgetful(int64_t *result)
{
    static int64_t calls;
    *result = ++calls;
    return SHUNT_EXTERN_DONE;
}

int no_text(shunt_extern_text *result)
{
    *result = (shunt_extern_text){ "\xff", 1 };
    return SHUNT_EXTERN_DONE;
}
