/* zone_file.h - a time zone by its IANA name, read from the system's time zone database (TZif, RFC 9636) into the tables of zone.h,
 * so that a program carries what it needs and runs without the database.
 * Owns: nothing; the changes lie in the arena. */
#ifndef SHUNT_ZONE_FILE_H
#define SHUNT_ZONE_FILE_H

#include "dsl/suggest.h"
#include "engine/base/arena.h"
#include "engine/base/zone.h"

typedef struct shunt_zone_file {
    shunt_text               name;
    shunt_zone               zone; /* without `name` and `change_first` */
    const shunt_zone_change *changes;
} shunt_zone_file;

/* NOT_FOUND: no such zone; IO: the database is not installed; INPUT_BAD: its file is damaged; NO_MEMORY. "UTC" needs no database.
 * Offsets of local mean time, before there were zones, are cut to whole minutes. */
shunt_status shunt_zone_read(shunt_arena *arena, shunt_text name, shunt_zone_file *file);
/* The bytes of a TZif file: INPUT_BAD, NO_MEMORY. */
shunt_status shunt_zone_parse(shunt_arena *arena, const uint8_t *bytes, size_t size, shunt_zone_file *file);
/* The names of the database that are near to the one wanted. */
void         shunt_zone_suggest(shunt_arena *arena, shunt_suggest *suggest);

#endif
