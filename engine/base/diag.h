/* diag.h - a diagnostic about rules as data, and a bounded list of them.
 * Owns:    nothing; messages, spans and notes live in the arena of the list.
 * Threads: one list, one thread.
 * Fails:   never to the caller: without memory, `failed` of the list is set and a throw-away diagnostic is handed out. */
#ifndef SHUNT_DIAG_H
#define SHUNT_DIAG_H

#include "engine/base/status.h"
#include "engine/base/text.h"

/* Bytes of one map source, half open. `file` is the number of the module in its compilation, 0 = the main file. */
typedef struct shunt_span {
    uint32_t begin, end;
    uint32_t file;
} shunt_span;

typedef struct shunt_label {
    shunt_span span;
    shunt_text text; /* may be empty: only marked */
} shunt_label;

typedef struct shunt_hint {
    bool       help; /* "help" says what to type, else "note" says why */
    shunt_text text;
} shunt_hint;

/* Labels and hints beyond these are left out; diagnostics beyond SHUNT_DIAGS_AT_MOST are counted, not kept. */
enum { SHUNT_DIAG_LABELS = 6, SHUNT_DIAG_HINTS = 6, SHUNT_DIAGS_AT_MOST = 1000 };

typedef struct shunt_diag {
    shunt_status   code;
    shunt_severity severity;
    shunt_text     message;                   /* one sentence, no full stop */
    shunt_label    labels[SHUNT_DIAG_LABELS]; /* labels[0] is the place */
    uint32_t       label_count;
    shunt_hint     hints[SHUNT_DIAG_HINTS];
    uint32_t       hint_count;
} shunt_diag;

typedef struct shunt_diags {
    shunt_arena *arena;
    shunt_diag  *items; /* in the order found; sort with shunt_diags_sort before showing */
    uint32_t     count, capacity;
    uint32_t     errors, warnings;
    bool         failed;
    shunt_diag   spare;
} shunt_diags;

void shunt_diags_init(shunt_diags *list, shunt_arena *arena);

/* Adds a diagnostic; severity comes from status.def. Never NULL. Two with the same code and span are kept once:
 * the second call then hands out the throw-away one. The result is good until the next one is added. */
shunt_diag *shunt_diag_add(shunt_diags *list, shunt_status code, shunt_span span, const char *format, ...) SHUNT_PRINTF(4, 5);
/* Text beside the marks of the place itself. */
void        shunt_diag_here(shunt_diags *list, shunt_diag *diag, const char *format, ...) SHUNT_PRINTF(3, 4);
/* A further place of the same message. */
void        shunt_diag_also(shunt_diags *list, shunt_diag *diag, shunt_span span, const char *format, ...) SHUNT_PRINTF(4, 5);
void        shunt_diag_note(shunt_diags *list, shunt_diag *diag, const char *format, ...) SHUNT_PRINTF(3, 4);
void        shunt_diag_help(shunt_diags *list, shunt_diag *diag, const char *format, ...) SHUNT_PRINTF(3, 4);
void        shunt_diags_sort(shunt_diags *list); /* by file, place, then order found */

#endif
