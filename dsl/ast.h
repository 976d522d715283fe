/* ast.h - the tree of one module, as written.
 * Owns:    nothing; nodes live in the arena they were made in, texts in it or in the source bytes (which outlive the tree).
 * The parser makes it, check annotates it through `fact`, emit reads it, dump and format print it. */
#ifndef SHUNT_AST_H
#define SHUNT_AST_H

#include "engine/base/diag.h"

typedef enum shunt_ast_kind {
#define R(kind, role)
#define SHUNT_NODE(kind, name, roles) SHUNT_AST_##kind,
#include "dsl/ast.def"
    SHUNT_AST_COUNT
} shunt_ast_kind;

/* Positions of the children: SHUNT_LET_value and so on. */
#define R(kind, role)                 SHUNT_##kind##_##role,
#define SHUNT_NODE(kind, name, roles) enum { roles SHUNT_##kind##_roles };
#include "dsl/ast.def"

enum { SHUNT_AST_HEIGHT = 1000 };

typedef struct shunt_ast {
    uint16_t           kind;  /* shunt_ast_kind */
    uint16_t           flags; /* free for check */
    uint32_t           kid_count;
    struct shunt_ast **kids;
    shunt_text         text;
    shunt_text         doc;    /* `##` lines before a declaration, joined by line ends; else empty */
    shunt_span         span;   /* of the whole construct, without comments around it */
    uint32_t           height; /* levels below it; the parser keeps trees within SHUNT_AST_HEIGHT, so walkers may recurse */
    void              *fact;   /* what check found out; NULL until then */
} shunt_ast;

struct shunt_ast_info {
    const char *name;  /* printed name */
    const char *roles; /* "name type value ", in order */
    uint32_t    role_count;
};
extern const struct shunt_ast_info shunt_ast_info[SHUNT_AST_COUNT];

/* A node with `role_count` NULL children (or none), text empty. NULL without memory. */
shunt_ast *shunt_ast_new(shunt_arena *arena, shunt_ast_kind kind, shunt_span span) SHUNT_MUST_USE;
shunt_ast *shunt_ast_leaf(shunt_arena *arena, shunt_ast_kind kind, shunt_span span, shunt_text text) SHUNT_MUST_USE;
/* Children in order of the roles; the count is that of the roles. NULL without memory. */
shunt_ast *shunt_ast_make(shunt_arena *arena, shunt_ast_kind kind, shunt_span span, shunt_ast *const *kids,
                          uint32_t count) SHUNT_MUST_USE;
/* Appends to a LIST, BLOCK, TEMPLATE, ARRAY or PATTERN; NULL item is passed over. Returns the list, NULL without memory. */
shunt_ast *shunt_ast_append(shunt_arena *arena, shunt_ast *list, shunt_ast *item) SHUNT_MUST_USE;

/* The same tree without facts and flags, as the parser made it; it is no place to append to. NULL without memory. */
shunt_ast *shunt_ast_copy(shunt_arena *arena, const shunt_ast *node) SHUNT_MUST_USE;

/* Visits the node and all below it, parents first; `visit` returning false leaves out what is below. NULL is fine. */
void shunt_ast_walk(shunt_ast *node, bool (*visit)(shunt_ast *node, void *context), void *context);

/* dump.c: the tree as an S-expression, for tests. `(let a () (+ ...))`: printed name, text where the node has one, children in
 * the order of the roles, `()` for one that is missing. A leaf that holds text is written bare; a construct that does not
 * fit in a line has each child on a line of its own. Ends without a line end. */
void shunt_ast_dump(const shunt_ast *node, shunt_buffer *out);

#endif
