/* extern.h - what a C shared library sees that gives functions to rules:
 *
 *     extern function npi_valid(npi: text(10)) -> bool may fail cost 40 from "libacme"
 *     extern function score(amount: money(USD), day: date) -> decimal(9, 4)? from "libacme"
 *
 *     int npi_valid(bool *result, shunt_extern_text npi);
 *     int score(shunt_extern_decimal *result, shunt_extern_decimal amount, int64_t day);
 *
 * The first argument is where the result goes, the others come by value in the order of the declaration. A function gives SHUNT_EXTERN_DONE,
 * SHUNT_EXTERN_ABSENT where its result is declared with `?`, or any other number where it failed: that is an exception, and `may fail` says
 * that it is to be reckoned with. The result depends on the arguments alone; the function may be called from several threads, less often than
 * the rules call it, and twice in tests. It keeps nothing that it is given. */
#ifndef SHUNT_EXTERN_H
#define SHUNT_EXTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHUNT_EXTERN_DONE = 0, SHUNT_EXTERN_ABSENT = 1 };

/* text, account, unit, code: UTF-8 without a NUL at its end. The bytes of a result are copied before anything else is called. */
typedef struct shunt_extern_text {
    const char *bytes;
    size_t      length;
} shunt_extern_text;

/* decimal, money, percent: (high * 2^64 + low) / 10^scale, at the scale of the declaration (of percent 4: 2.5% is 250). A result comes with
 * scale and currency filled in, and keeps them. */
typedef struct shunt_extern_decimal {
    int64_t  high;
    uint64_t low;
    uint32_t scale;
    char     currency[4]; /* "USD", empty where it is no amount */
} shunt_extern_decimal;

/* bool is bool, int is int64_t, a date is int64_t: days since 1970-01-01. */

#endif
