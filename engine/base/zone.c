#include "engine/base/zone.h"

enum { DAY_SECONDS = 86400, TURN_SECONDS = 168 * 3600 /* RFC 9636 allows a turn within a week of its day */ };

static bool offset_valid(int offset) { return offset > -SHUNT_OFFSET_MINUTES && offset < SHUNT_OFFSET_MINUTES; }

static bool turn_valid(const shunt_zone_turn *turn)
{
    if (turn->reserved || turn->seconds < -TURN_SECONDS || turn->seconds > TURN_SECONDS) return false;
    switch ((shunt_turn_kind)turn->kind) {
    case SHUNT_TURN_NEVER: return true;
    case SHUNT_TURN_WEEKDAY:
        return turn->month >= 1 && turn->month <= 12 && turn->week >= 1 && turn->week <= 5 && turn->weekday <= 6;
    case SHUNT_TURN_JULIAN: return turn->day >= 1 && turn->day <= 365;
    case SHUNT_TURN_DAY: return turn->day <= 365;
    }
    return false;
}

bool shunt_zone_valid(const shunt_zone *zone, const shunt_zone_change *changes)
{
    if (!offset_valid(zone->offset) || !offset_valid(zone->standard) || !offset_valid(zone->summer)) return false;
    if (!turn_valid(&zone->to_summer) || !turn_valid(&zone->to_standard)) return false;
    if ((zone->to_summer.kind == SHUNT_TURN_NEVER) != (zone->to_standard.kind == SHUNT_TURN_NEVER)) return false;
    for (uint32_t i = 0; i < zone->change_count; i++) {
        if (!offset_valid(changes[i].offset) || (i && changes[i].at <= changes[i - 1].at)) return false;
    }
    return true;
}

static int64_t floor_day(int64_t seconds) { return seconds / DAY_SECONDS - (seconds % DAY_SECONDS < 0); }

/* Seconds since 1970-01-01 on the clock before it is turned. */
static int64_t turn_at(const shunt_zone_turn *turn, int year)
{
    int64_t day;
    if (turn->kind == SHUNT_TURN_WEEKDAY) {
        int64_t first = shunt_date_days(year, turn->month, 1);
        int     weekday = (int)((first % 7 + 11) % 7); /* 1970-01-01 was a Thursday */
        day = first + (turn->weekday - weekday + 7) % 7 + (turn->week - 1) * 7;
        while (day > first && !shunt_date_valid(year, turn->month, (int)(day - first) + 1)) day -= 7;
    } else {
        int64_t first = shunt_date_days(year, 1, 1);
        bool    leap = shunt_date_valid(year, 2, 29);
        day = first + turn->day;
        if (turn->kind == SHUNT_TURN_JULIAN && !(leap && turn->day >= 60)) day--;
    }
    return day * DAY_SECONDS + turn->seconds;
}

static int by_turns(const shunt_zone *zone, int64_t seconds)
{
    if (zone->to_summer.kind == SHUNT_TURN_NEVER) return zone->standard;
    int     year, month, day;
    int64_t days = floor_day(seconds + zone->standard * 60), first = shunt_date_days(1, 1, 1),
            last = shunt_date_days(9999, 12, 31);
    shunt_date_split(days < first ? first : days > last ? last : days, &year, &month, &day);
    int64_t summer = turn_at(&zone->to_summer, year) - zone->standard * 60;
    int64_t standard = turn_at(&zone->to_standard, year) - zone->summer * 60;
    /* South of the equator summer goes over the end of the year. */
    bool    is_summer = summer < standard ? seconds >= summer && seconds < standard : seconds >= summer || seconds < standard;
    return is_summer ? zone->summer : zone->standard;
}

int shunt_zone_offset(const shunt_zone *zone, const shunt_zone_change *changes, int64_t seconds)
{
    uint32_t low = 0, high = zone->change_count; /* changes before `low` are not after the instant */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (changes[middle].at <= seconds)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == zone->change_count) return by_turns(zone, seconds);
    return low ? changes[low - 1].offset : zone->offset;
}

int shunt_zone_offset_local(const shunt_zone *zone, const shunt_zone_change *changes, int64_t seconds)
{
    /* No offset is a day long, and no zone is turned twice within two days of any time that matters. */
    int before = shunt_zone_offset(zone, changes, seconds - DAY_SECONDS);
    int after = shunt_zone_offset(zone, changes, seconds + DAY_SECONDS);
    if (before == after || shunt_zone_offset(zone, changes, seconds - before * 60) == before) return before;
    return shunt_zone_offset(zone, changes, seconds - after * 60) == after ? after : before;
}
