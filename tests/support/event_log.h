/* event_log.h - what a reader hands over, as text for comparison in tests, or as one number for long inputs.
 * The input is copied piece by piece into blocks of exactly their size, and scribbled over afterwards: a reader that reads
 * beyond a piece or keeps a pointer into one is found out by the sanitizers or by a changed log. */
#ifndef SHUNT_EVENT_LOG_H
#define SHUNT_EVENT_LOG_H

#include "engine/base/plan.h"

enum {
    EVENT_LOG_PLACES = 1,   /* byte, length, segment number and end of each event */
    EVENT_LOG_ELEMENTS = 2, /* all elements of a segment, not its id alone */
};

/* Size of the next piece, 1 or more; `context` is the caller's. */
typedef size_t (*event_log_cut)(void *context, size_t left);
size_t event_log_cut_fixed(void *size, size_t left); /* `size` points at a size_t */

struct event_log {
    char    *text; /* malloc'ed, NUL-terminated; NULL where only the hash is wanted */
    size_t   length, capacity;
    uint64_t hash;
    size_t   events;
};

/* Feeds bytes[0..size) to the reader until END or FAILED and frees it. `log->text` is filled where `with_text`. */
void event_log_run(struct event_log *log, shunt_reader *reader, const shunt_plan *plan, const void *bytes, size_t size,
                   event_log_cut cut, void *context, unsigned flags, bool with_text);
void event_log_done(struct event_log *log);

#endif
