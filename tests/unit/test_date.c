#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/date.h"

static const char *iso(int64_t days)
{
    static char out[SHUNT_DATE_TEXT + 1];
    shunt_date_print(days, out);
    return out;
}

START_TEST(every_day_round_trips)
{
    static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int64_t          days = -719162;
    for (int year = 1; year <= 9999; year++)
        for (int month = 1; month <= 12; month++) {
            bool leap = month == 2 && ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0);
            int  length = lengths[month - 1] + leap;
            if (shunt_date_valid(year, month, 0) || shunt_date_valid(year, month, length + 1)) ck_abort_msg("%d-%d", year, month);
            for (int day = 1; day <= length; day++, days++) {
                int y, m, d;
                shunt_date_split(days, &y, &m, &d);
                if (!shunt_date_valid(year, month, day) || shunt_date_days(year, month, day) != days || y != year || m != month ||
                    d != day)
                    ck_abort_msg("%d-%d-%d", year, month, day);
                const int   numbers[] = { year / 100, year % 100, month, day };
                const int   places[] = { 0, 2, 5, 8 };
                char        wanted[] = "....-..-..";
                const char *out = iso(days);
                for (int i = 0; i < 4; i++) {
                    wanted[places[i]] = (char)('0' + numbers[i] / 10);
                    wanted[places[i] + 1] = (char)('0' + numbers[i] % 10);
                }
                if (strcmp(out, wanted) != 0) ck_abort_msg("%s is printed as %s", wanted, out);
            }
        }
    ck_assert_int_eq(days - 1, 2932896);
    ck_assert_int_eq(shunt_date_days(1970, 1, 1), 0);
    ck_assert_int_eq(shunt_date_days(2000, 3, 1), 11017);
}
END_TEST

enum form { X12, ISO, PATTERN };
static const struct {
    enum form   form;
    const char *text, *pattern, *expected; /* NULL: VALUE_INVALID */
} dates[] = {
    { X12, "20250331", NULL, "2025-03-31" },
    { X12, "250331", NULL, "2025-03-31" },
    { X12, "690101", NULL, "2069-01-01" },
    { X12, "700101", NULL, "1970-01-01" },
    { X12, "20240229", NULL, "2024-02-29" },
    { X12, "00010101", NULL, "0001-01-01" },
    { X12, "20250229", NULL, NULL },
    { X12, "20250431", NULL, NULL },
    { X12, "20251301", NULL, NULL },
    { X12, "20250100", NULL, NULL },
    { X12, "00000101", NULL, NULL },
    { X12, "2025033", NULL, NULL },
    { X12, "202503311", NULL, NULL },
    { X12, "2025-331", NULL, NULL },
    { X12, "2025 331", NULL, NULL },
    { X12, "-5033100", NULL, NULL },
    { X12, "", NULL, NULL },
    { ISO, "2025-03-31", NULL, "2025-03-31" },
    { ISO, "2025-3-31", NULL, NULL },
    { ISO, "2025/03/31", NULL, NULL },
    { ISO, "2025-02-30", NULL, NULL },
    { ISO, "20250331", NULL, NULL },
    { ISO, "2025-03-31T", NULL, NULL },
    { PATTERN, "03/31/2025", "MM/DD/YYYY", "2025-03-31" },
    { PATTERN, "31.03.25", "DD.MM.YY", "2025-03-31" },
    { PATTERN, "d 20250331", "d YYYYMMDD", "2025-03-31" },
    { PATTERN, "03-31-2025", "MM/DD/YYYY", NULL },
    { PATTERN, "3/31/2025", "MM/DD/YYYY", NULL },
    { PATTERN, "13/31/2025", "MM/DD/YYYY", NULL },
    { PATTERN, "", "MM/DD/YYYY", NULL },
};

START_TEST(parses_dates)
{
    int64_t      days = 4711;
    shunt_text   text = shunt_text_of(dates[_i].text);
    shunt_text   pattern = shunt_text_of(dates[_i].pattern);
    shunt_status status = dates[_i].form == X12   ? shunt_date_parse_x12(text, &days)
                          : dates[_i].form == ISO ? shunt_date_parse_iso(text, &days)
                                                  : shunt_date_parse_pattern(text, pattern, &days);
    if (dates[_i].expected) {
        ck_assert_msg(status == SHUNT_OK, "%s", dates[_i].text);
        ck_assert_str_eq(iso(days), dates[_i].expected);
    } else {
        ck_assert_msg(status == SHUNT_VALUE_INVALID, "%s", dates[_i].text);
        ck_assert_int_eq(days, 4711);
    }
}
END_TEST

START_TEST(knows_patterns)
{
    static const char *const good[] = { "YYYYMMDD", "DD.MM.YY", "MM/DD/YYYY", "on YYYY-MM-DD" };
    static const char *const bad[] = { "", "YYYYMM", "YYYYMMDDDD", "YYYMMDD", "YYYYMMMDD", "YYYYMMDD1", "MMDD" };
    for (size_t i = 0; i < SHUNT_COUNT(good); i++) ck_assert_msg(shunt_date_pattern_valid(shunt_text_of(good[i])), "%s", good[i]);
    for (size_t i = 0; i < SHUNT_COUNT(bad); i++) ck_assert_msg(!shunt_date_pattern_valid(shunt_text_of(bad[i])), "%s", bad[i]);
}
END_TEST

START_TEST(parses_ranges)
{
    int64_t start = 1, end = 2;
    ck_assert_int_eq(shunt_date_parse_range(SHUNT_TEXT("20250101-20250131"), &start, &end), SHUNT_OK);
    ck_assert_str_eq(iso(start), "2025-01-01");
    ck_assert_str_eq(iso(end), "2025-01-31");
    ck_assert_int_eq(shunt_date_parse_range(SHUNT_TEXT("250201-250131"), &start, &end), SHUNT_OK);
    ck_assert_str_eq(iso(start), "2025-02-01");
    ck_assert_str_eq(iso(end), "2025-01-31");
    static const char *const bad[] = { "",
                                       "20250101",
                                       "20250101 20250131",
                                       "20250101-20250132",
                                       "20251301-20250131",
                                       "20250101-2025013",
                                       "20250101--20250131",
                                       "250101-20250131" };
    for (size_t i = 0; i < SHUNT_COUNT(bad); i++) {
        start = 1, end = 2;
        ck_assert_msg(shunt_date_parse_range(shunt_text_of(bad[i]), &start, &end) == SHUNT_VALUE_INVALID, "%s", bad[i]);
        ck_assert(start == 1 && end == 2);
    }
}
END_TEST

START_TEST(parses_what_a_qualifier_describes)
{
    static const struct {
        const char *text, *start, *end;
    } good[] = { { "20250101", "2025-01-01", "2025-01-01" },
                 { "250101", "2025-01-01", "2025-01-01" },
                 { "202501012359", "2025-01-01", "2025-01-01" },
                 { "20250101-20250131", "2025-01-01", "2025-01-31" } };
    static const char *const bad[] = { "",
                                       "2025010",
                                       "202501012400",
                                       "202501012360",
                                       "2025010112",
                                       "20250101123",
                                       "202501321200",
                                       "20250101x200",
                                       "20250101120000",
                                       "20250101-2025013" };
    int64_t                  start, end;
    for (size_t i = 0; i < SHUNT_COUNT(good); i++) {
        ck_assert_int_eq(shunt_date_parse_qualified(shunt_text_of(good[i].text), &start, &end), SHUNT_OK);
        ck_assert_str_eq(iso(start), good[i].start);
        ck_assert_str_eq(iso(end), good[i].end);
    }
    for (size_t i = 0; i < SHUNT_COUNT(bad); i++)
        ck_assert_msg(shunt_date_parse_qualified(shunt_text_of(bad[i]), &start, &end) == SHUNT_VALUE_INVALID, "%s", bad[i]);
}
END_TEST

static const struct {
    const char *from;
    int64_t     months;
    const char *clamped, *next;
} additions[] = {
    { "2025-01-31", 1, "2025-02-28", "2025-03-01" },
    { "2024-01-31", 1, "2024-02-29", "2024-03-01" },
    { "2025-03-15", -3, "2024-12-15", "2024-12-15" },
    { "2025-03-31", -1, "2025-02-28", "2025-03-01" },
    { "2025-12-31", 1, "2026-01-31", "2026-01-31" },
    { "2024-02-29", 12, "2025-02-28", "2025-03-01" },
    { "2025-10-31", 1, "2025-11-30", "2025-12-01" },
    { "2025-05-05", 0, "2025-05-05", "2025-05-05" },
    { "0001-01-01", -1, NULL, NULL },
    { "9999-12-31", 1, NULL, NULL },
    { "2025-01-01", INT64_MAX, NULL, NULL },
    { "2025-01-01", INT64_MIN, NULL, NULL },
    { "0001-01-31", 9998 * 12 + 11, "9999-12-31", "9999-12-31" },
};

START_TEST(adds_months)
{
    int64_t from, result;
    ck_assert_int_eq(shunt_date_parse_iso(shunt_text_of(additions[_i].from), &from), SHUNT_OK);
    for (int clamp = 0; clamp < 2; clamp++) {
        const char  *expected = clamp ? additions[_i].clamped : additions[_i].next;
        shunt_status status = shunt_date_add_months(from, additions[_i].months, clamp, &result);
        ck_assert_int_eq(status, expected ? SHUNT_OK : SHUNT_VALUE_INVALID);
        if (expected) ck_assert_str_eq(iso(result), expected);
    }
}
END_TEST

START_TEST(adds_days)
{
    int64_t result = 1, last = shunt_date_days(9999, 12, 31), first = shunt_date_days(1, 1, 1);
    ck_assert_int_eq(shunt_date_add_days(0, 31, &result), SHUNT_OK);
    ck_assert_str_eq(iso(result), "1970-02-01");
    ck_assert_int_eq(shunt_date_add_days(first, last - first, &result), SHUNT_OK);
    ck_assert_int_eq(result, last);
    ck_assert_int_eq(shunt_date_add_days(last, 1, &result), SHUNT_OVERFLOW);
    ck_assert_int_eq(shunt_date_add_days(first, -1, &result), SHUNT_OVERFLOW);
    ck_assert_int_eq(shunt_date_add_days(last, INT64_MAX, &result), SHUNT_OVERFLOW);
    ck_assert_int_eq(shunt_date_add_days(first, INT64_MIN, &result), SHUNT_OVERFLOW);
    ck_assert_int_eq(result, last);
}
END_TEST

static const struct {
    const char *text, *expected, *utc;
} moments[] = {
    { "2025-03-31T12:00:00Z", "2025-03-31T12:00:00Z", "2025-03-31T12:00:00Z" },
    { "2025-03-31T12:00:00+01:00", "2025-03-31T12:00:00+01:00", "2025-03-31T11:00:00Z" },
    { "2025-01-01T00:30:00+05:30", "2025-01-01T00:30:00+05:30", "2024-12-31T19:00:00Z" },
    { "2025-12-31T23:30:00-08:00", "2025-12-31T23:30:00-08:00", "2026-01-01T07:30:00Z" },
    { "2025-03-31T12:00:00+00:00", "2025-03-31T12:00:00Z", "2025-03-31T12:00:00Z" },
    { "2025-03-31T12:00:00.5Z", "2025-03-31T12:00:00.5Z", "2025-03-31T12:00:00.5Z" },
    { "2025-03-31T12:00:00.000001Z", "2025-03-31T12:00:00.000001Z", "2025-03-31T12:00:00.000001Z" },
    { "2025-03-31T12:00:00.1234569999Z", "2025-03-31T12:00:00.123456Z", "2025-03-31T12:00:00.123456Z" },
    { "1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z" },
    { "1969-12-31T23:59:59.5+00:30", "1969-12-31T23:59:59.5+00:30", "1969-12-31T23:29:59.5Z" },
    { "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z" },
    { "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z" },
    { "2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z", "2017-01-01T00:00:00Z" },
    { "0001-01-01T00:00:00+01:00", NULL, NULL }, /* the instant is in the year 0 */
    { "9999-12-31T23:59:59-01:00", NULL, NULL },
    { "2025-03-31T12:00:00", NULL, NULL },
    { "2025-03-31", NULL, NULL },
    { "2025-03-31T12:00:00.Z", NULL, NULL },
    { "2025-03-31T12:00:00.5", NULL, NULL },
    { "2025-03-31T12:00Z", NULL, NULL },
    { "2025-03-31 12:00:00Z", NULL, NULL },
    { "2025-03-31T24:00:00Z", NULL, NULL },
    { "2025-03-31T12:60:00Z", NULL, NULL },
    { "2025-03-31T12:00:61Z", NULL, NULL },
    { "2025-02-31T12:00:00Z", NULL, NULL },
    { "2025-03-31T12:00:00+1:00", NULL, NULL },
    { "2025-03-31T12:00:00+15:00", NULL, NULL },
    { "2025-03-31T12:00:00+01:60", NULL, NULL },
    { "2025-03-31T12:00:00+0100", NULL, NULL },
    { "2025-03-31T12:00:00ZZ", NULL, NULL },
    { "", NULL, NULL },
};

static const char *printed(shunt_moment moment)
{
    static char out[SHUNT_MOMENT_TEXT + 1];
    size_t      length = shunt_moment_print(moment, out);
    ck_assert_uint_le(length, SHUNT_MOMENT_TEXT);
    out[length] = '\0';
    return out;
}

START_TEST(moments_round_trip)
{
    shunt_moment moment = { .microseconds = 4711 };
    shunt_status status = shunt_moment_parse(shunt_text_of(moments[_i].text), &moment);
    if (!moments[_i].expected) {
        ck_assert_msg(status == SHUNT_VALUE_INVALID, "%s", moments[_i].text);
        ck_assert_int_eq(moment.microseconds, 4711);
        return;
    }
    ck_assert_msg(status == SHUNT_OK, "%s", moments[_i].text);
    ck_assert(shunt_moment_valid(moment));
    ck_assert_str_eq(printed(moment), moments[_i].expected);
    moment.offset = 0;
    ck_assert_str_eq(printed(moment), moments[_i].utc);
}
END_TEST

/* What a text means, printed; "date" is the date as written, NULL = none. */
static const struct {
    const char *text, *expected, *date;
} hl7[] = {
    { "2025", "2025", NULL },
    { "202503", "2025-03", NULL },
    { "20250331", "2025-03-31", "2025-03-31" },
    { "20240229", "2024-02-29", "2024-02-29" },
    { "20250229", NULL, NULL },
    { "19000229", NULL, NULL },
    { "20000229", "2000-02-29", "2000-02-29" },
    { "2025033112", "2025-03-31T12:00:00", "2025-03-31" },
    { "202503311230", "2025-03-31T12:30:00", "2025-03-31" },
    { "20250331123045", "2025-03-31T12:30:45", "2025-03-31" },
    { "20250331123045.1", "2025-03-31T12:30:45.1", "2025-03-31" },
    { "20250331123045.1234", "2025-03-31T12:30:45.1234", "2025-03-31" },
    { "20250331123045.0500", "2025-03-31T12:30:45.05", "2025-03-31" },
    { "20250331233045-0600", "2025-03-31T23:30:45-06:00", "2025-03-31" },
    { "20250331003045+0530", "2025-03-31T00:30:45+05:30", "2025-03-31" },
    { "20250331123045.5+0000", "2025-03-31T12:30:45.5Z", "2025-03-31" },
    { "20250331123045-0000", "2025-03-31T12:30:45Z", "2025-03-31" },
    { "20250331-0600", "2025-03-31", "2025-03-31" },
    { "2025-0600", "2025", NULL },
    { "20250331000000", "2025-03-31T00:00:00", "2025-03-31" },
    { "20250331235959", "2025-03-31T23:59:59", "2025-03-31" },
    { "202503312400", NULL, NULL },
    { "202503311260", NULL, NULL },
    { "20250331123060", NULL, NULL },
    { "202513", NULL, NULL },
    { "202500", NULL, NULL },
    { "20250300", NULL, NULL },
    { "20250432", NULL, NULL },
    { "00000101", NULL, NULL },
    { "20250331123045.", NULL, NULL },
    { "20250331123045.12345", NULL, NULL },
    { "202503311230.5", NULL, NULL },
    { "20250331123045-06", NULL, NULL },
    { "20250331123045-600", NULL, NULL },
    { "20250331123045-06000", NULL, NULL },
    { "20250331123045-0060", NULL, NULL },
    { "20250331123045-1500", NULL, NULL },
    { "20250331123045- 600", NULL, NULL },
    { "20250331123045Z", NULL, NULL },
    { "2025-03-31", NULL, NULL },
    { "202", NULL, NULL },
    { "20251", NULL, NULL },
    { "2025033", NULL, NULL },
    { "20250331123", NULL, NULL },
    { "20110613122406637", NULL, NULL },
    { " 20250331", NULL, NULL },
    { "DOB", NULL, NULL },
    { "-0600", NULL, NULL },
    { "", NULL, NULL },
}, fhir[] = {
    { "2025", "2025", NULL },
    { "2025-03", "2025-03", NULL },
    { "2025-03-31", "2025-03-31", "2025-03-31" },
    { "2024-02-29", "2024-02-29", "2024-02-29" },
    { "2025-02-29", NULL, NULL },
    { "2025-13", NULL, NULL },
    { "2025-00", NULL, NULL },
    { "0000", NULL, NULL },
    { "2025-03-31T23:30:00-06:00", "2025-03-31T23:30:00-06:00", "2025-03-31" },
    { "2025-03-31T00:30:00.123456789012+14:00", "2025-03-31T00:30:00.123456+14:00", "2025-03-31" },
    { "2025-03-31T12:00:00Z", "2025-03-31T12:00:00Z", "2025-03-31" },
    { "2025-03-31T12:00:00", "2025-03-31T12:00:00", "2025-03-31" },
    { "2025-03-31T12:00:60Z", "2025-03-31T12:01:00Z", "2025-03-31" },
    { "2025-03-31T24:00:00Z", NULL, NULL },
    { "2025-03-31T12:00Z", NULL, NULL },
    { "2025-03-31T12:00:00z", NULL, NULL },
    { "2025-03-31T12:00:00.Z", NULL, NULL },
    { "2025-3-31", NULL, NULL },
    { "2025/03/31", NULL, NULL },
    { "2025-03-31T", NULL, NULL },
    { "20250331", NULL, NULL },
    { "2025-", NULL, NULL },
    { "+025", NULL, NULL },
    { "", NULL, NULL },
};

static void reads(shunt_status (*parse)(shunt_text, shunt_moment *), const char *text, const char *expected, const char *date)
{
    shunt_moment moment = { .microseconds = 4711 };
    int64_t      days;
    /* Without a byte behind it, so that reading too far is found. */
    char        *exact = malloc(strlen(text) + 1);
    ck_assert_ptr_nonnull(exact);
    memcpy(exact, text, strlen(text));
    shunt_status status = parse((shunt_text){ exact, (uint32_t)strlen(text) }, &moment);
    free(exact);
    if (!expected) {
        ck_assert_msg(status == SHUNT_VALUE_INVALID && moment.microseconds == 4711, "%s", text);
        return;
    }
    ck_assert_msg(status == SHUNT_OK && shunt_moment_valid(moment), "%s", text);
    ck_assert_str_eq(printed(moment), expected);
    ck_assert_int_eq(shunt_moment_date(moment, &days), date ? SHUNT_OK : SHUNT_VALUE_INVALID);
    if (date) ck_assert_str_eq(iso(days), date);
}

START_TEST(reads_hl7) { reads(shunt_moment_parse_hl7, hl7[_i].text, hl7[_i].expected, hl7[_i].date); }
END_TEST

START_TEST(reads_fhir) { reads(shunt_moment_parse_iso, fhir[_i].text, fhir[_i].expected, fhir[_i].date); }
END_TEST

START_TEST(assumes_an_offset)
{
    shunt_moment moment, before;
    ck_assert_int_eq(shunt_moment_parse_hl7(SHUNT_TEXT("20250301233000"), &moment), SHUNT_OK);
    ck_assert_int_eq(moment.zoned, SHUNT_ZONED_NOT);
    ck_assert_int_eq(shunt_moment_local_seconds(moment), shunt_date_days(2025, 3, 1) * 86400 + 84600);
    ck_assert_int_eq(shunt_moment_assume(&moment, -360), SHUNT_OK);
    ck_assert_int_eq(moment.zoned, SHUNT_ZONED_ASSUMED);
    ck_assert_str_eq(printed(moment), "2025-03-01T23:30:00-06:00");
    ck_assert_int_eq(moment.microseconds, (shunt_date_days(2025, 3, 2) * 86400 + 5 * 3600 + 1800) * 1000000);
    before = moment;
    ck_assert_int_eq(shunt_moment_assume(&moment, 60), SHUNT_OK); /* it has one */
    ck_assert_int_eq(memcmp(&before, &moment, sizeof before), 0);
    ck_assert_int_eq(shunt_moment_parse_hl7(SHUNT_TEXT("0001"), &moment), SHUNT_OK);
    before = moment;
    ck_assert_int_eq(shunt_moment_assume(&moment, 60), SHUNT_VALUE_INVALID);
    ck_assert_int_eq(memcmp(&before, &moment, sizeof before), 0);
}
END_TEST

START_TEST(knows_what_is_no_moment)
{
    shunt_moment good = { .microseconds = 0 }, bad;
    ck_assert(shunt_moment_valid(good));
#define BAD(member, value)                                                                                                       \
    bad = good, bad.member = (value);                                                                                            \
    ck_assert_msg(!shunt_moment_valid(bad), #member)
    BAD(microseconds, INT64_MAX);
    BAD(microseconds, INT64_MIN);
    BAD(offset, 24 * 60);
    BAD(offset, -24 * 60);
    BAD(precision, SHUNT_PRECISION_YEAR + 1);
    BAD(zoned, SHUNT_ZONED_NOT + 1);
    BAD(reserved, 1);
#undef BAD
    bad = good, bad.zoned = SHUNT_ZONED_NOT, bad.offset = 1;
    ck_assert(!shunt_moment_valid(bad));
}
END_TEST

/* The table of another implementation: what it takes and what it refuses. */
START_TEST(agrees_with_the_corpus)
{
    const char *shared = getenv("SHUNT_SHARED");
    char        path[1024], line[512];
    unsigned    rows = 0;
    snprintf(path, sizeof path, "%s/corpus/hl7/_unit/datetime-hapi-setget.tsv", shared ? shared : "");
    FILE *file = shared ? fopen(path, "r") : NULL;
    if (!file) {
        fprintf(stderr, "SKIPPED: no corpus with datetime-hapi-setget.tsv\n");
        return;
    }
    while (fgets(line, sizeof line, file)) {
        char *text = strchr(line, '\t'), *expected = text ? strchr(text + 1, '\t') : NULL, *end;
        if (!expected || (memcmp(line, "TS\t", 3) != 0 && memcmp(line, "DT\t", 3) != 0)) continue;
        *expected++ = '\0', text++;
        if ((end = strchr(expected, '\t'))) *end = '\0';
        if (*text == '"' || *text == '\0') continue; /* cleared, absent: not ours to read */
        shunt_moment moment;
        shunt_status status = shunt_moment_parse_hl7(shunt_text_of(text), &moment);
        ck_assert_msg((status == SHUNT_OK) == (strcmp(expected, "!error") != 0), "%s: %s", text, expected);
        rows++;
    }
    fclose(file);
    ck_assert_uint_gt(rows, 50);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("date");
    TCase *tc = tcase_create("date");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, every_day_round_trips);
    tcase_add_loop_test(tc, parses_dates, 0, SHUNT_COUNT(dates));
    tcase_add_test(tc, knows_patterns);
    tcase_add_test(tc, parses_ranges);
    tcase_add_test(tc, parses_what_a_qualifier_describes);
    tcase_add_loop_test(tc, adds_months, 0, SHUNT_COUNT(additions));
    tcase_add_test(tc, adds_days);
    tcase_add_loop_test(tc, moments_round_trip, 0, SHUNT_COUNT(moments));
    tcase_add_loop_test(tc, reads_hl7, 0, SHUNT_COUNT(hl7));
    tcase_add_loop_test(tc, reads_fhir, 0, SHUNT_COUNT(fhir));
    tcase_add_test(tc, assumes_an_offset);
    tcase_add_test(tc, knows_what_is_no_moment);
    tcase_add_test(tc, agrees_with_the_corpus);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
