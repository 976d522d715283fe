/* heading.h - whether a heading of a file means a column of a source. */
#ifndef SHUNT_CSV_HEADING_H
#define SHUNT_CSV_HEADING_H

#include "engine/base/text.h"

/* True when both are the same but for the case of ASCII letters, and for what stands between letters and digits: "Check Number",
 * " check-number " and `check_number` mean one column. Bytes beyond ASCII count as letters. */
bool shunt_csv_heading_like(shunt_text a, shunt_text b);

#endif
