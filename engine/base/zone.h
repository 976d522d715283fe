/* zone.h - the rules of a time zone in flat tables, as a program carries them: which offset from UTC holds at an instant, and which at
 * a time that a clock on the wall shows. Made by dsl/zone_file.c from the system's time zone database. Pure functions. */
#ifndef SHUNT_ZONE_H
#define SHUNT_ZONE_H

#include "engine/base/date.h"

/* From `at` on the offset holds. */
typedef struct shunt_zone_change {
    int64_t  at;     /* seconds since 1970-01-01 UTC */
    int16_t  offset; /* minutes east of UTC */
    uint16_t reserved[3];
} shunt_zone_change;

/* A day of every year on which the clocks are turned, as POSIX writes it (IEEE Std 1003.1, 8.3 Other Environment Variables, TZ). */
typedef enum shunt_turn_kind {
    SHUNT_TURN_NEVER,
    SHUNT_TURN_WEEKDAY, /* Mm.w.d: the w-th weekday d of month m, 5 = the last */
    SHUNT_TURN_JULIAN,  /* Jn: day 1 to 365, the leap day is never counted */
    SHUNT_TURN_DAY      /* n: day 0 to 365 */
} shunt_turn_kind;
typedef struct shunt_zone_turn {
    uint8_t  kind;    /* shunt_turn_kind */
    uint8_t  month;   /* WEEKDAY: 1 to 12 */
    uint8_t  week;    /* 1 to 5 */
    uint8_t  weekday; /* 0 = Sunday */
    uint16_t day;     /* JULIAN, DAY */
    uint16_t reserved;
    int32_t  seconds; /* after midnight on the clock before it is turned; also before it, and beyond 24 hours */
} shunt_zone_turn;

typedef struct shunt_zone {
    uint16_t        name;     /* text: "America/Chicago" */
    int16_t         offset;   /* before the first change */
    int16_t         standard; /* after the last change, by the turns of the year; without turns this one */
    int16_t         summer;
    uint32_t        change_first, change_count;
    shunt_zone_turn to_summer, to_standard; /* both or neither are NEVER */
} shunt_zone;

/* Every field within its bounds, the changes in ascending order. */
bool shunt_zone_valid(const shunt_zone *zone, const shunt_zone_change *changes);
/* Minutes east of UTC. `changes` are those of the zone. */
int  shunt_zone_offset(const shunt_zone *zone, const shunt_zone_change *changes, int64_t seconds);
/* The same for a time on the wall, in seconds since 1970-01-01 there. A time that comes twice, when summer time ends, is the first;
 * one that never comes, when it begins, is counted on from before: 02:30 is then what became 03:30. */
int  shunt_zone_offset_local(const shunt_zone *zone, const shunt_zone_change *changes, int64_t seconds);

#endif
