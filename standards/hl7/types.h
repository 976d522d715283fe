/* types.h - may these bytes be a value of a data type of HL7? Pure functions; blanks at the end do not count. */
#ifndef SHUNT_HL7_TYPES_H
#define SHUNT_HL7_TYPES_H

#include <stdbool.h>
#include <stdint.h>

bool shunt_hl7_is_number(const uint8_t *bytes, uint32_t length);   /* NM: sign, digits, point */
bool shunt_hl7_is_sequence(const uint8_t *bytes, uint32_t length); /* SI: digits */
bool shunt_hl7_is_date(const uint8_t *bytes, uint32_t length);     /* DT: YYYY[MM[DD]] */
bool shunt_hl7_is_time(const uint8_t *bytes, uint32_t length);     /* TM: HH[MM[SS[.S...]]][+-ZZZZ] */
bool shunt_hl7_is_moment(const uint8_t *bytes, uint32_t length);   /* TS, DTM: both, with nothing between */

#endif
