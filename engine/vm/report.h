/* report.h - the report of a run as one JSON object, as docs/report.md says.
 * Pure over the session; a missing byte of memory shows in `out->failed`. */
#ifndef SHUNT_REPORT_H
#define SHUNT_REPORT_H

#include "engine/vm/session.h"

void shunt_report(const shunt_session *session, shunt_buffer *out);

#endif
