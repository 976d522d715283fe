/* delims.h - the separators that a header segment (MSH, FHS, BHS) declares. Pure. */
#ifndef SHUNT_HL7_DELIMS_H
#define SHUNT_HL7_DELIMS_H

#include "engine/base/event.h"

enum { HL7_HEADER = 4 /* bytes that a header must have: its id and the field separator */ };

/* May the byte separate? No letter, digit, control character, blank, quote or byte of a wider character does. */
bool shunt_hl7_delimiter(uint8_t byte);

/* Reads the separators out of a header segment without its terminator: byte 4 separates fields, the text behind it up to the
 * next field separator is MSH-2: component, repetition, escape, subcomponent, truncation. What is missing, or stands twice
 * there, is taken as usual (`^ ~ \ &`). `*broken`: MSH-2 was not four or five distinct separators. False: byte 4 can not
 * separate. */
bool shunt_hl7_delims_read(const uint8_t *bytes, size_t size, shunt_delims *delims, bool *broken);

#endif
