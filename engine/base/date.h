/* date.h - calendar dates as days since 1970-01-01 (proleptic Gregorian), and moments: an instant with what was written of it.
 * Years 1 to 9999. Pure functions. Results are written only on success. */
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
/* What the format qualifiers D8, RD8 and DT of an X12 date describe: a day, a range, or "CCYYMMDDHHMM", of which the day is taken. A day
 * alone is both ends. */
shunt_status shunt_date_parse_qualified(shunt_text text, int64_t *start, int64_t *end);
enum { SHUNT_DATE_TEXT = 10, SHUNT_MOMENT_TEXT = 40 };
void         shunt_date_print(int64_t days, char out[static SHUNT_DATE_TEXT]); /* ISO, no NUL */
/* mode "clamp" gives the last day of the month, "next" the first of the next; VALUE_INVALID out of range. */
shunt_status shunt_date_add_months(int64_t days, int64_t months, bool clamp, int64_t *result);
shunt_status shunt_date_add_days(int64_t days, int64_t more, int64_t *result); /* OVERFLOW outside years 1 to 9999 */

/* How far a moment was written. */
typedef enum shunt_precision {
    SHUNT_PRECISION_TIME, /* at least the hour; what is not written below it is zero */
    SHUNT_PRECISION_DAY,
    SHUNT_PRECISION_MONTH,
    SHUNT_PRECISION_YEAR
} shunt_precision;

typedef enum shunt_zoned {
    SHUNT_ZONED_WRITTEN, /* the offset stands in the text */
    SHUNT_ZONED_ASSUMED, /* it is that of the source's zone */
    SHUNT_ZONED_NOT      /* no offset: the instant is not known, `microseconds` are those of the clock on the wall */
} shunt_zoned;

/* A point in time: the instant, and the offset that it was written with. Of less than a time of day the instant is the beginning. */
typedef struct shunt_moment {
    int64_t  microseconds; /* UTC, since 1970-01-01 */
    int16_t  offset;       /* minutes east of UTC */
    uint8_t  precision;    /* shunt_precision */
    uint8_t  zoned;        /* shunt_zoned */
    uint32_t reserved;     /* 0 */
} shunt_moment;

enum { SHUNT_OFFSET_MINUTES = 24 * 60 }; /* every offset is less than this */

/* Instant and date as written within the years 1 to 9999, no other values than these. */
bool         shunt_moment_valid(shunt_moment moment);
/* "2025-03-31T12:00:00Z", "...+01:00", a time and a zone are required. Fractions are cut to microseconds; second 60 is the next
 * minute. */
shunt_status shunt_moment_parse(shunt_text text, shunt_moment *moment);
/* FHIR date, dateTime, instant: "2025", "2025-03", "2025-03-31", and as above; a missing zone is SHUNT_ZONED_NOT. */
shunt_status shunt_moment_parse_iso(shunt_text text, shunt_moment *moment);
/* HL7 DT, DTM and TS.1: YYYY[MM[DD[HH[MM[SS[.S{1,4}]]]]]][+-ZZZZ]. Hour 24, minute and second 60 are VALUE_INVALID. */
shunt_status shunt_moment_parse_hl7(shunt_text text, shunt_moment *moment);
/* A moment without offset gets one; VALUE_INVALID where the instant leaves the years 1 to 9999. Any other stays. */
shunt_status shunt_moment_assume(shunt_moment *moment, int offset);
/* Seconds since 1970-01-01 on the clock that it was read from. */
int64_t      shunt_moment_local_seconds(shunt_moment moment);
/* The date as written; VALUE_INVALID for less than a day. */
shunt_status shunt_moment_date(shunt_moment moment, int64_t *days);
/* ISO with the offset, "Z" for none east or west of UTC, no zone where there is none; a fraction only where it is not zero, without
 * trailing zeros; "2025", "2025-03", "2025-03-31" for less than a time of day. */
size_t       shunt_moment_print(shunt_moment moment, char out[static SHUNT_MOMENT_TEXT]);

#endif
