/* exception.h - an exception as data, and its two written forms: a line of JSON for machines, a few lines of text for people.
 * Pure functions over the program and the exception; a missing byte of memory shows in `out->failed`.
 * No value of the input passes through here but those that a message of the rules shows; classed ones are masked in it. */
#ifndef SHUNT_EXCEPTION_H
#define SHUNT_EXCEPTION_H

#include "engine/base/event.h"
#include "engine/vm/ledger.h"

typedef enum shunt_grade { SHUNT_GRADE_WARNING, SHUNT_GRADE_REJECT, SHUNT_GRADE_QUARANTINE, SHUNT_GRADE_ERROR } shunt_grade;
const char *shunt_grade_name(shunt_grade grade); /* "warning", "reject", "quarantine", "error" */

typedef struct shunt_raised {
    uint16_t     code;  /* of the author, into the codes of the program; SHUNT_NONE: `cause` is the code */
    shunt_status cause; /* the engine's; OK = none */
    shunt_grade  grade;
    shunt_scope  scope;       /* what it undoes */
    shunt_text   message;     /* of the exit, or what the engine has to say; may be empty */
    shunt_text   input;       /* id */
    uint64_t     transaction; /* ordinal in the input, 0 = outside of one */
    shunt_text   control;     /* control number of the transaction, may be empty */
    uint64_t     unit;        /* ordinal in the transaction, 0 = outside of units */
    shunt_place  place;
    shunt_text   loop;      /* id, empty = none */
    uint32_t     instance;  /* of the loop in the one around it */
    shunt_text   path;      /* as authors write it: CLP03; may be empty */
    uint32_t     site;      /* in the rules, 0 = none */
    shunt_text   key;       /* of the record it is about: a JSON array, encoded; empty = unknown */
    shunt_text   correlate; /* a JSON array, encoded; empty = none */
    shunt_text   letter;    /* name of the dead letter that will hold its transaction; empty = none */
    shunt_text   ending;    /* of its file */
    bool         extra;     /* a fault of the input that decides nothing any more: left out where there are too many like it */
} shunt_raised;

/* For routing, without looking into the JSON. */
shunt_class shunt_raised_class(const shunt_raised *raised);
bool        shunt_raised_transient(const shunt_raised *raised); /* other reference data may let it pass */
shunt_text  shunt_raised_code(const shunt_program *program, const shunt_raised *raised);
shunt_text  shunt_raised_queue(const shunt_program *program, const shunt_raised *raised);

/* All but what became of its unit, which `shunt_raised_json_end` adds. */
void shunt_raised_json(const shunt_program *program, const shunt_raised *raised, shunt_buffer *out);
void shunt_raised_json_end(bool known, shunt_fate fate, shunt_buffer *out);
void shunt_raised_text(const shunt_program *program, const shunt_raised *raised, shunt_buffer *out);

#endif
