/* status.h - every status, diagnostic and exception code, drawn from status.def. */
#ifndef SHUNT_STATUS_H
#define SHUNT_STATUS_H

#include "engine/base/memory.h"

typedef enum shunt_severity { SHUNT_INFORMATION, SHUNT_WARNING, SHUNT_ERROR } shunt_severity;

/* What kind of fault it is, for routing. */
typedef enum shunt_class {
    SHUNT_CLASS_NONE,
    SHUNT_CLASS_RULES,     /* the map file: E and W codes */
    SHUNT_CLASS_SYNTAX,    /* bytes, delimiters, envelopes */
    SHUNT_CLASS_STRUCTURE, /* loops, segments, repeats, usage */
    SHUNT_CLASS_CODESET,
    SHUNT_CLASS_BALANCE,
    SHUNT_CLASS_REFERENCE, /* reference data: tables */
    SHUNT_CLASS_DUPLICATE,
    SHUNT_CLASS_BUSINESS, /* the author's own codes */
    SHUNT_CLASS_LIMIT,
    SHUNT_CLASS_INTERNAL, /* memory, disk, callbacks */
} shunt_class;

typedef enum shunt_status {
#define SHUNT_STATUS(symbol, code, severity, class, meaning) SHUNT_##symbol,
#include "engine/base/status.def"
    SHUNT_STATUS_COUNT
} shunt_status;

struct shunt_status_info {
    const char    *symbol; /* "X12_SE01" */
    const char    *code;   /* as printed: "E0203", "X12_SE01" */
    shunt_severity severity;
    shunt_class class;
    const char *meaning; /* one line */
};
extern const struct shunt_status_info shunt_status_info[SHUNT_STATUS_COUNT];

const char *shunt_severity_name(shunt_severity severity); /* "information", "warning", "error" */
const char *shunt_class_name(shunt_class class);          /* "syntax", "code set", ... */
/* Finds a printed code; false where there is none. */
bool        shunt_status_find(const char *code, shunt_status *status);

#define SHUNT_TRY(call)                                                                                                          \
    do {                                                                                                                         \
        shunt_status try_ = (call);                                                                                              \
        if (SHUNT_UNLIKELY(try_ != SHUNT_OK)) return try_;                                                                       \
    } while (0)

#endif
