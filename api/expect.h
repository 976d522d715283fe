/* expect.h - what a test saw, what it expects, and whether they are the same (language.md section 15).
 * Everything is text in the canonical form that records have, so nothing is compared twice in two ways.
 * Owns: nothing; all lives in the arena of the test. */
#ifndef SHUNT_EXPECT_H
#define SHUNT_EXPECT_H

#include "dsl/fact.h"
#include "engine/vm/vm.h"

struct expect_row;

typedef struct expect_field {
    shunt_text         name;
    bool               present;
    bool               absent;   /* neither is it cleared; of what is expected: it is said to be */
    shunt_text         text;     /* of a scalar */
    bool               quoted;   /* a text: an author writes it in quotes */
    shunt_text         currency; /* of money, behind the number */
    struct expect_row *rows;     /* of a list field */
    uint32_t           row_count;
    bool               list;
} expect_field;

typedef struct expect_row {
    expect_field *fields;
    uint32_t      count;
} expect_row;

typedef struct expect_line {
    bool       credit;
    shunt_text account, amount; /* "80.00 USD" */
    expect_row columns;
} expect_line;

/* A record or an exception; seen or expected. */
typedef struct expect_item {
    bool         exit;
    bool         journal;
    shunt_text   name;        /* target or code */
    shunt_text   kind, scope; /* exit: "quarantine", "transaction" (empty: the unit) */
    bool         widened; /* seen: the rule does not say the scope, it follows from where it stands; it need not be expected */
    expect_row   row;
    expect_line *lines;
    uint32_t     line_count;
    shunt_text   detail; /* seen exceptions: what was said, for the report */
} expect_item;

/* From a record of the VM. False: no memory. */
bool                 expect_seen(shunt_arena *arena, const shunt_program *program, const shunt_record *record, expect_item *item);
/* From an `expect` of the tree (JOURNAL, EMIT or EXIT). False: no memory. */
bool                 expect_wanted(shunt_arena *arena, const shunt_ast *what, expect_item *item);
/* The key that tests make tokens with, so that `tokenize("PCN1")` in an `expect` is what the rules make of it. */
extern const uint8_t expect_token_key[12];

/* The value of a literal as canonical text of the type; false where the node is none. A `tokenize` of a literal is one. */
bool expect_literal(shunt_arena *arena, const shunt_ast *node, const shunt_ty *type, shunt_text *text);

/* Pairs every item seen with one expected, whatever their order. The pairs fail where one is left over: then `seen_left` and
 * `wanted_left` (arrays of the counts, set to true) say which. */
bool expect_match(shunt_arena *arena, const expect_item *seen, uint32_t seen_count, const expect_item *wanted,
                  uint32_t wanted_count, bool *seen_left, bool *wanted_left);
/* Several lines as an author would write it; each begins with `indent`. Of what was seen, fields that are absent are left out. */
void expect_print(const expect_item *item, bool wanted, const char *indent, shunt_buffer *out);

/* How much of a record that is expected is not as in the one that was seen, each difference a line; UINT32_MAX where they are no
 * records of one target. `out` may be NULL: they are only counted. */
uint32_t expect_differences(const expect_item *wanted, const expect_item *seen, const char *indent, shunt_buffer *out);

#endif
