/* excerpt.h - one diagnostic as text for people, with the lines it speaks of, and as JSON for tools.
 * Owns:    nothing; writes to the buffer of the caller. Sources are borrowed for the call.
 * Units:   lines and columns count from 1, columns in characters, a tab is one.
 * Fails:   as the buffer does. Places outside the sources are left out, never read. */
#ifndef SHUNT_EXCERPT_H
#define SHUNT_EXCERPT_H

#include "engine/base/diag.h"

typedef struct shunt_excerpt_source {
    shunt_text name; /* as the author knows it */
    shunt_text text;
} shunt_excerpt_source;

typedef struct shunt_excerpt_sources { /* index = `file` of a span */
    const shunt_excerpt_source *items;
    uint32_t                    count;
} shunt_excerpt_sources;

/* Severity, code and sentence; the place; the lines with their marks; notes and helps. Ends with a line end. */
void shunt_excerpt(const shunt_excerpt_sources *sources, const shunt_diag *diag, shunt_buffer *out);

/* An object on one line, without a line end: code, severity, message, file, line, column, end_line, end_column (the first place;
 * left out where there is none), labels (of every place: the same and its text), notes, helps. */
void shunt_excerpt_json(const shunt_excerpt_sources *sources, const shunt_diag *diag, shunt_buffer *out);

/* Line and column of a byte; one past the end is the place behind the last character. */
void shunt_excerpt_place(shunt_text text, uint32_t offset, uint32_t *line, uint32_t *column);

#endif
