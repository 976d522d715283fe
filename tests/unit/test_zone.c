#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "dsl/zone_file.h"

static shunt_arena *arena;

static void set_up(void)
{
    arena = shunt_arena_new(&shunt_memory_libc, 0);
    ck_assert_ptr_nonnull(arena);
}

static void tear_down(void) { shunt_arena_free(arena); }

static bool there_is_a_database(void)
{
    FILE *file = fopen("/usr/share/zoneinfo/America/Chicago", "rb");
    if (!file) {
        fprintf(stderr, "SKIPPED: no time zone database in /usr/share/zoneinfo\n");
        return false;
    }
    fclose(file);
    return true;
}

static shunt_zone_file zone_named(const char *name)
{
    shunt_zone_file file;
    shunt_status    status = shunt_zone_read(arena, shunt_text_of(name), &file);
    ck_assert_msg(status == SHUNT_OK, "%s", name);
    ck_assert_msg(shunt_zone_valid(&file.zone, file.changes), "%s", name);
    return file;
}

static int64_t seconds(const char *text) /* "2025-03-09T02:30:00Z" */
{
    shunt_moment moment;
    ck_assert_msg(shunt_moment_parse(shunt_text_of(text), &moment) == SHUNT_OK, "%s", text);
    return shunt_moment_local_seconds(moment);
}

static void agrees(const shunt_zone_file *file, int64_t at)
{
    struct tm out;
    time_t    t = (time_t)at;
    ck_assert_ptr_nonnull(localtime_r(&t, &out));
    int offset = shunt_zone_offset(&file->zone, file->changes, at);
    ck_assert_msg(offset == (int)(out.tm_gmtoff / 60), "%.*s at %lld: %d, not %ld", SHUNT_TEXT_ARGS(file->name), (long long)at,
                  offset, out.tm_gmtoff / 60);
    int local = shunt_zone_offset_local(&file->zone, file->changes, at + offset * 60);
    ck_assert_msg(local >= offset, "%.*s at %lld: not the first", SHUNT_TEXT_ARGS(file->name), (long long)at);
    ck_assert_msg(local == offset || shunt_zone_offset(&file->zone, file->changes, at + (offset - local) * 60) == local,
                  "%.*s at %lld on the wall", SHUNT_TEXT_ARGS(file->name), (long long)at);
}

/* The C library reads the same files: the same offsets around every change since 1920, and about every two days up to 2110. */
START_TEST(agrees_with_the_library)
{
    static const char *const names[] = {
        "America/Chicago", "America/New_York", "America/Los_Angeles", "America/Phoenix",     "America/Sao_Paulo",
        "Europe/Berlin",   "Europe/London",    "Europe/Dublin",       "Africa/Casablanca",   "Asia/Kolkata",
        "Asia/Kathmandu",  "Asia/Tehran",      "Australia/Sydney",    "Australia/Lord_Howe", "Pacific/Auckland",
        "Pacific/Apia",    "America/Nuuk",     "Asia/Gaza",           "Antarctica/Troll",    "Etc/GMT+5",
    };
    int64_t first = seconds("1920-01-01T00:00:00Z"), last = seconds("2110-01-01T00:00:00Z");
    if (!there_is_a_database()) return;
    for (size_t i = 0; i < SHUNT_COUNT(names); i++) {
        shunt_zone_file file = zone_named(names[i]);
        setenv("TZ", names[i], 1);
        tzset();
        for (int64_t at = first; at < last; at += 47 * 3600) agrees(&file, at);
        for (uint32_t c = 0; c < file.zone.change_count; c++) {
            static const int64_t around[] = { -3601, -3600, -1, 0, 1, 3599, 3600, 7200 };
            for (size_t k = 0; k < SHUNT_COUNT(around) && file.changes[c].at > first; k++)
                agrees(&file, file.changes[c].at + around[k]);
        }
        unsetenv("TZ");
        tzset();
    }
}
END_TEST

static const struct {
    const char *zone, *local;
    int         offset;
} walls[] = {
    { "America/Chicago", "2025-03-01T12:00:00Z", -360 }, { "America/Chicago", "2025-07-01T12:00:00Z", -300 },
    { "America/Chicago", "2025-03-09T01:59:59Z", -360 }, { "America/Chicago", "2025-03-09T02:30:00Z", -360 }, /* never comes */
    { "America/Chicago", "2025-03-09T03:00:00Z", -300 }, { "America/Chicago", "2025-11-02T00:59:59Z", -300 },
    { "America/Chicago", "2025-11-02T01:30:00Z", -300 }, /* comes twice: the first */
    { "America/Chicago", "2025-11-02T02:00:00Z", -360 }, { "America/Chicago", "2500-07-01T12:00:00Z", -300 },
    { "America/Chicago", "2500-01-01T12:00:00Z", -360 }, { "Australia/Sydney", "2030-01-01T00:00:00Z", 660 },
    { "Australia/Sydney", "2500-12-31T23:59:59Z", 660 }, { "Australia/Sydney", "2500-07-01T00:00:00Z", 600 },
    { "Asia/Kolkata", "2025-07-01T12:00:00Z", 330 },     { "UTC", "0001-01-01T00:00:00Z", 0 },
    { "Europe/Dublin", "2025-07-01T12:00:00Z", 60 },     { "Europe/Dublin", "2500-01-01T12:00:00Z", 0 },
    { "Asia/Gaza", "2086-07-01T12:00:00Z", 180 },
};

START_TEST(knows_the_wall)
{
    if (!there_is_a_database()) return;
    shunt_zone_file file = zone_named(walls[_i].zone);
    ck_assert_int_eq(shunt_zone_offset_local(&file.zone, file.changes, seconds(walls[_i].local)), walls[_i].offset);
}
END_TEST

START_TEST(refuses_names)
{
    static const char *const bad[] = {
        "",  "Nowhere/Land", "America", "America/", "/etc/passwd", "../zoneinfo/UTC", "America/../UTC",
        ".", "zone1970.tab", "UTC\n",   "A/B C",    "-1"
    };
    shunt_zone_file file;
    for (size_t i = 0; i < SHUNT_COUNT(bad); i++) {
        shunt_status status = shunt_zone_read(arena, shunt_text_of(bad[i]), &file);
        ck_assert_msg(status == SHUNT_NOT_FOUND || status == SHUNT_IO, "%s", bad[i]);
    }
}
END_TEST

START_TEST(suggests_what_is_near)
{
    if (!there_is_a_database()) return;
    shunt_suggest s;
    shunt_suggest_init(&s, SHUNT_TEXT("America/Chicgo"), 1);
    shunt_zone_suggest(arena, &s);
    shunt_text near = shunt_suggest_text(&s, arena);
    ck_assert_msg(shunt_text_is(near, "`America/Chicago`"), "%.*s", SHUNT_TEXT_ARGS(near));
}
END_TEST

/* A file of version 2 with one change and a footer. */
static size_t make_file(uint8_t out[static 256], const char *footer)
{
    static const uint8_t head[] = { 'T', 'Z', 'i', 'f', '2' };
    static const uint8_t data[] = {
        0,   0, 0,    0,    0x10, 0, 0, 0, /* the time of the change */
        1,                                 /* its type */
        0,   0, 0x0e, 0x10, 0,    0,       /* 3600 east */
        0,   0, 0x1c, 0x20, 1,    4,       /* 7200 east */
        'A', 0, 0,    0,    'B',  0, 0, 0  /* what they are called */
    };
    memset(out, 0, 256);
    memcpy(out, head, sizeof head);
    memcpy(out + 44, head, sizeof head);
    out[44 + 35] = 1, out[44 + 39] = 2, out[44 + 43] = 8;
    memcpy(out + 88, data, sizeof data);
    size_t size = 88 + sizeof data;
    size += (size_t)snprintf((char *)out + size, 256 - size, "\n%s\n", footer);
    return size;
}

static const struct {
    const char *footer;
    bool        good;
    int         standard, summer;
} footers[] = {
    { "", true, 120, 120 },
    { "CST6", true, -360, -360 },
    { "CST6CDT,M3.2.0,M11.1.0", true, -360, -300 },
    { "<-03>3<-02>,M3.5.0/-1,M10.5.0/-1:30:15", true, -180, -120 },
    { "AEST-10AEDT-11,M10.1.0,M4.1.0/3", true, 600, 660 },
    { "IST-1GMT0,M10.5.0,M3.5.0/1", true, 60, 0 },
    { "XXX-1:30YYY,J60/24,300/167", true, 90, 150 },
    { "XXX3YYY,J1/-167,365", true, -180, -120 },
    { "6", false, 0, 0 },
    { "CST", false, 0, 0 },
    { "CST6CDT", false, 0, 0 },
    { "CST6CDT,M3.2.0", false, 0, 0 },
    { "CST6CDT,M3.2.0,M11.1.0,", false, 0, 0 },
    { "CST6CDT,M13.2.0,M11.1.0", false, 0, 0 },
    { "CST6CDT,M0.2.0,M11.1.0", false, 0, 0 },
    { "CST6CDT,M3.6.0,M11.1.0", false, 0, 0 },
    { "CST6CDT,M3.2.7,M11.1.0", false, 0, 0 },
    { "CST6CDT,J0,J1", false, 0, 0 },
    { "CST6CDT,366,1", false, 0, 0 },
    { "CST25CDT,1,2", false, 0, 0 },
    { "CST168", false, 0, 0 },
    { "CST6:60", false, 0, 0 },
    { "<CST6", false, 0, 0 },
};

START_TEST(reads_footers)
{
    uint8_t         bytes[256];
    shunt_zone_file file = { .name = SHUNT_TEXT("untouched") };
    size_t          size = make_file(bytes, footers[_i].footer);
    shunt_status    status = shunt_zone_parse(arena, bytes, size, &file);
    if (!footers[_i].good) {
        ck_assert_int_eq(status, SHUNT_INPUT_BAD);
        ck_assert(shunt_text_is(file.name, "untouched"));
        return;
    }
    ck_assert_int_eq(status, SHUNT_OK);
    ck_assert_int_eq(file.zone.offset, 60);
    ck_assert_int_eq(file.zone.change_count, 1);
    ck_assert_int_eq(file.changes[0].at, 0x10000000);
    ck_assert_int_eq(file.changes[0].offset, 120);
    ck_assert_int_eq(file.zone.standard, footers[_i].standard);
    ck_assert_int_eq(file.zone.summer, footers[_i].summer);
    ck_assert_int_eq(shunt_zone_offset(&file.zone, file.changes, 0x0fffffff), 60);
}
END_TEST

/* Cut anywhere, changed anywhere: refused, or valid. */
START_TEST(survives_damage)
{
    uint8_t         bytes[256], exact[256];
    shunt_zone_file file;
    size_t          size = make_file(bytes, "CST6CDT,M3.2.0,M11.1.0");
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *copy = malloc(cut ? cut : 1);
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, bytes, cut);
        ck_assert_int_eq(shunt_zone_parse(arena, copy, cut, &file), SHUNT_INPUT_BAD);
        free(copy);
    }
    for (size_t at = 0; at < size; at++)
        for (int value = 0; value < 256; value++) {
            memcpy(exact, bytes, size);
            exact[at] = (uint8_t)value;
            if (shunt_zone_parse(arena, exact, size, &file) != SHUNT_OK) continue;
            ck_assert(shunt_zone_valid(&file.zone, file.changes));
            (void)shunt_zone_offset(&file.zone, file.changes, INT64_C(1) << 40);
            (void)shunt_zone_offset_local(&file.zone, file.changes, -(INT64_C(1) << 40));
            if (at % 16 == 0) shunt_arena_reset(arena);
        }
}
END_TEST

START_TEST(knows_what_is_no_zone)
{
    shunt_zone              good = { .change_count = 2 }, bad;
    const shunt_zone_change changes[] = { { .at = 1, .offset = 60 }, { .at = 2, .offset = 0 } };
    const shunt_zone_change same[] = { { .at = 1, .offset = 60 }, { .at = 1, .offset = 0 } };
    const shunt_zone_change far[] = { { .at = 1, .offset = 60 }, { .at = 2, .offset = 1440 } };
    ck_assert(shunt_zone_valid(&good, changes));
    ck_assert(!shunt_zone_valid(&good, same));
    ck_assert(!shunt_zone_valid(&good, far));
#define BAD(member, value)                                                                                                       \
    bad = good, bad.member = (value);                                                                                            \
    ck_assert_msg(!shunt_zone_valid(&bad, changes), #member)
    BAD(offset, 1440);
    BAD(standard, -1440);
    BAD(summer, 1440);
    BAD(to_summer.kind, SHUNT_TURN_DAY); /* without a way back */
    BAD(to_summer.kind, SHUNT_TURN_DAY + 1);
    BAD(to_summer.seconds, 168 * 3600 + 1);
    BAD(to_standard.reserved, 1);
#undef BAD
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("zone");
    TCase *tc = tcase_create("zone");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, agrees_with_the_library);
    tcase_add_loop_test(tc, knows_the_wall, 0, SHUNT_COUNT(walls));
    tcase_add_test(tc, refuses_names);
    tcase_add_test(tc, suggests_what_is_near);
    tcase_add_loop_test(tc, reads_footers, 0, SHUNT_COUNT(footers));
    tcase_add_test(tc, survives_damage);
    tcase_add_test(tc, knows_what_is_no_zone);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
