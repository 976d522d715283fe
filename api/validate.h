/* validate.h - what the validators of the standards share: the interface of one of them, and how findings are written. Private to api. */
#ifndef SHUNT_API_VALIDATE_H
#define SHUNT_API_VALIDATE_H

#include "api/api.h"
#include "engine/base/event.h"

typedef struct shunt_validate_ops {
    /* Makes `reader` and what is `own`. NULL, or what is wrong. */
    const char *(*open)(shunt_validator *v);
    shunt_status (*see)(shunt_validator *v, const shunt_event *event); /* one event of the reader */
    void (*summary)(shunt_validator *v);
    void (*done)(shunt_validator *v);
    /* The reader wants more: tells what was found without an event (a Bundle of any size is one document). NULL: there is no such. */
    shunt_status (*wait)(shunt_validator *v);
    const char *part; /* "set": findings are limited for each */
} shunt_validate_ops;

enum {
    SHUNT_CODE_WORDS = (SHUNT_STATUS_COUNT + 63) / 64,
    SHUNT_FINDINGS_LISTED = 1000, /* findings of a set, a message or a document, where the options do not say */
    SHUNT_PARTS_LISTED = 100,     /* times as many of an input */
};
extern const shunt_validate_ops shunt_validate_x12, shunt_validate_hl7, shunt_validate_fhir;

struct shunt_validator {
    shunt_memory              memory;
    shunt_validate_options    options;
    uint32_t                  levels;      /* bit n: SNIP type, or level, n */
    const char               *fhir;        /* version of FHIR */
    bool                      xml;         /* the input begins like XML */
    char                      made_at[15]; /* YYYYMMDDHHMMSS of UTC */
    shunt_arena              *arena;
    const shunt_validate_ops *ops; /* NULL: it is not yet known what the input is */
    void                     *own;
    shunt_reader             *reader;
    shunt_buffer              head; /* first bytes, until then */
    shunt_buffer              answer, out;
    shunt_write               write;
    void                     *context;
    const char               *name;
    uint64_t                  errors, warnings, notes;
    uint64_t                  listed, here;             /* findings that were listed: of the input, and of the part at hand */
    uint64_t                  left, left_here, left_at; /* that were not, and where the first of them is */
    uint64_t                  codes[SHUNT_CODE_WORDS], codes_here[SHUNT_CODE_WORDS]; /* bits: codes that were listed */
};

/* Counts a finding, or those that it stands for. True: it is to be listed. The first one of each code always is. */
bool       shunt_validate_takes(shunt_validator *v, shunt_status code, unsigned severity, const uint32_t *beyond, uint64_t byte);
/* A set, a message or a document begins or is over: says how many of its findings are not listed. */
void       shunt_validate_part_over(shunt_validator *v);
/* `,"name":"text"` */
void       shunt_validate_member(shunt_buffer *out, const char *name, shunt_text text);
/* FILE:OFFSET: error CODE: meaning */
void       shunt_validate_heading(shunt_validator *v, shunt_status code, unsigned severity, uint64_t byte);
/* {"file":...,"code":...,"severity":... */
void       shunt_validate_object(shunt_validator *v, shunt_status code, unsigned severity);
/* A value, or the PHI classes that it carries in its place. */
void       shunt_validate_value(const shunt_validator *v, shunt_buffer *out, const char *bytes, uint32_t length, uint32_t phi);
/* What remains of a line of the summary: "; 1 error, 0 warnings, 0 notes". */
void       shunt_validate_totals(shunt_validator *v);
/* The text that fits, control characters as `?`. */
shunt_text shunt_validate_kept(char *into, size_t room, shunt_text text);

#endif
