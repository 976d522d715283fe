/* units.h - units of measure that one can be converted into another: those of X12 element 355 that orders and invoices use.
 * Pure. A unit that is not here converts into itself alone. */
#ifndef SHUNT_UNITS_H
#define SHUNT_UNITS_H

#include "engine/base/decimal.h"
#include "engine/base/text.h"

/* `quantity` at scale `from_scale`, of unit `from`, in unit `to`, rounded half up at `to_scale`. NOT_FOUND: these do not convert into one
 * another; OVERFLOW. */
shunt_status shunt_units_convert(shunt_decimal quantity, unsigned from_scale, shunt_text from, shunt_text to, unsigned to_scale,
                                 shunt_decimal *result);

#endif
