/* date.h - calendar dates as days since 1970-01-01 (proleptic Gregorian), moments as microseconds since then in UTC.
 * Years 1 to 9999. Pure functions. */
#ifndef SHUNT_DATE_H
#define SHUNT_DATE_H

#include "engine/base/status.h"
#include "engine/base/text.h"

bool    shunt_date_valid(int year, int month, int day);
int64_t shunt_date_days(int year, int month, int day); /* caller has checked */
void    shunt_date_split(int64_t days, int *year, int *month, int *day);

/* "CCYYMMDD" or "YYMMDD" (window 1970 to 2069); VALUE_INVALID for anything else or no such day. */
shunt_status shunt_date_parse_x12(shunt_text text, int64_t *days);
shunt_status shunt_date_parse_iso(shunt_text text, int64_t *days); /* "2025-03-31" */
/* A pattern of YYYY or YY, MM, DD, each once, and literal characters (no digits), as in column formats and
 * `date(text, format)`. */
shunt_status shunt_date_parse_pattern(shunt_text text, shunt_text pattern, int64_t *days);
bool         shunt_date_pattern_valid(shunt_text pattern);
/* "20250101-20250131", also with YYMMDD -> both ends, in whatever order they are written. */
shunt_status shunt_date_parse_range(shunt_text text, int64_t *start, int64_t *end);
enum { SHUNT_DATE_TEXT = 10, SHUNT_MOMENT_TEXT = 32 };
void         shunt_date_print(int64_t days, char out[static SHUNT_DATE_TEXT]); /* ISO, no NUL */
/* mode "clamp" gives the last day of the month, "next" the first of the next; VALUE_INVALID out of range. */
shunt_status shunt_date_add_months(int64_t days, int64_t months, bool clamp, int64_t *result);
shunt_status shunt_date_add_days(int64_t days, int64_t more, int64_t *result); /* OVERFLOW outside years 1 to 9999 */
/* "2025-03-31T12:00:00Z", "...+01:00", a zone is required. Fractions are cut to microseconds; second 60 is the next minute. */
shunt_status shunt_moment_parse(shunt_text text, int64_t *microseconds);
/* In Z; a fraction only where it is not zero, without trailing zeros. */
size_t       shunt_moment_print(int64_t microseconds, char out[static SHUNT_MOMENT_TEXT]);

#endif
