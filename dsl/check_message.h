/* check_message.h - what the checkers of messages share: x12 and hl7 (check_encode.c), fhir (check_encode_fhir.c). Private to dsl/check*.c. */
#ifndef SHUNT_CHECK_MESSAGE_H
#define SHUNT_CHECK_MESSAGE_H

#include "dsl/check.h"
#include "dsl/fold.h"
#include "engine/vm/node.h"

typedef SHUNT_LIST(shunt_member) member_list;
typedef SHUNT_LIST(shunt_message_item) item_list;

enum { WAY_DEPTH = SHUNT_MESSAGE_LOOPS, VALUES_AT_MOST = 1000, PLACES_AT_MOST = 999, NO_FIELD = 0xffff };

/* One loop on the way through the guide. */
typedef struct spot {
    const shunt_loop *loop;
    uint32_t          at;   /* entry that was reached last */
    bool             *seen; /* entries that are written */
} spot;

typedef struct writing {
    check             *k;
    shunt_symbol      *target;
    const char        *kind; /* "x12" */
    bool               hl7;
    shunt_message     *message;
    item_list          items;
    const shunt_guide *guide;
    spot               way[WAY_DEPTH];
    uint32_t           depth;
    bool               lost;       /* a segment had no place: what is missing is not asked */
    bool               records;    /* `for each record` was met */
    uint32_t           values;     /* made so far */
    unsigned           each_depth; /* of `for each` around */
} writing;

typedef struct pass { /* a `for each` */
    level       inner;
    member_list members; /* of its rows */
    uint32_t    item;
    bool        lost;
} pass;

typedef struct setting_kind {
    const char *name;
    uint16_t    number;   /* a value: what it is; 0: a text that is written out */
    uint16_t    min, max; /* characters of a value */
    bool        required;
} setting_kind;

uint32_t   message_open(writing           *w,
                        shunt_message_item item); /* number of the item; what is opened until it is closed is its body */
void       message_close(writing *w, uint32_t at);
void       message_tell(writing *w, const char *name, shunt_text value); /* a setting of the encoder's */
/* The value becomes a member; its number. */
uint16_t   message_value(writing *w, member_list *members, shunt_ast *node, shunt_ty type, shunt_ast *each);
void       message_pass_begin(writing *w, shunt_ast *each, pass *p);
void       message_pass_end(writing *w, shunt_ast *each, pass *p, member_list *outer);
void       message_settings(writing *w, member_list *members, const setting_kind *known, const shunt_ast *items,
                            const shunt_ast *encode);
void       message_finish(writing *w, const member_list *members);
bool       message_numeric(const shunt_ty *type);
bool       message_textual(const shunt_ty *type);
shunt_ast *message_node(writing *w, shunt_ast_kind kind, shunt_span span, uint32_t kids); /* made up */
void       message_fhir(writing *w, shunt_ast *encode);                                   /* check_encode_fhir.c */

#endif
