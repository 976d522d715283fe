/* tree.h - what the productions of map.y call: one constructor each. Private to grammar/.
 * Fails: without memory `failed` is set and NULL comes back, which every constructor takes; the parse then ends early. */
#ifndef SHUNT_TREE_H
#define SHUNT_TREE_H

#include "dsl/ast.h"
#include "grammar/scan.h"

typedef struct shunt_parse {
    shunt_arena *scratch, *arena;
    shunt_diags *diags;
    shunt_text   source;
    uint32_t     file;
    shunt_scan  *scan;
    uint32_t     next;       /* number of the token that the parser gets next */
    uint32_t     quiet;      /* mistakes before this word follow from one that was reported */
    uint32_t     commas;     /* that separate what needs none; said once, with their number */
    uint32_t     moved;      /* how often words were put in or taken out */
    uint32_t     comma_diag; /* 1 + place in `diags`, 0 = none */
    shunt_ast   *module;     /* the result */
    bool         failed;     /* no memory */
    bool         over;       /* the parser has come to its end */
    bool         too_high;   /* E0912 was said */
} shunt_parse;

/* parse.c: shunt_parse_module with a scratch arena of the caller, in which the words live on. `*scan` is NULL where the file is too large. */
shunt_status shunt_parse_words(shunt_arena *scratch, shunt_arena *arena, shunt_diags *diags, uint32_t file, shunt_text source,
                               shunt_ast **module, const shunt_scan **scan);

/* A node with children in the order of their roles; NULL where one is missing. */
#define NODE(kind, at, ...) NODE_TEXT(kind, at, ((shunt_text){ NULL, 0 }), __VA_ARGS__)
#define NODE_TEXT(kind, at, text, ...)                                                                                           \
    shunt_tree_node(p, SHUNT_AST_##kind, (at), (text), (shunt_ast *const[]){ __VA_ARGS__ },                                      \
                    (uint32_t)(sizeof((shunt_ast *const[]){ __VA_ARGS__ }) / sizeof(shunt_ast *)))
#define LEAF(kind, at)            shunt_tree_leaf(p, SHUNT_AST_##kind, (at), (shunt_text){ NULL, 0 })
#define LEAF_TEXT(kind, at, text) shunt_tree_leaf(p, SHUNT_AST_##kind, (at), (text))
#define LIST(at)                  LEAF(LIST, at)
#define ADD(list, item)           shunt_tree_add(p, (list), (item))
#define WORD(at)                  shunt_tree_source(p, (at))

shunt_ast *shunt_tree_node(shunt_parse *p, shunt_ast_kind kind, shunt_span at, shunt_text text, shunt_ast *const *kids,
                           uint32_t count);
shunt_ast *shunt_tree_leaf(shunt_parse *p, shunt_ast_kind kind, shunt_span at, shunt_text text);
/* Appends; an item that stands behind `##` lines gets them. */
shunt_ast *shunt_tree_add(shunt_parse *p, shunt_ast *list, shunt_ast *item);
shunt_ast *shunt_tree_join(shunt_parse *p, shunt_ast *list, const shunt_ast *more);             /* the items of both */
shunt_ast *shunt_tree_span(shunt_ast *node, shunt_span at);                                     /* the node, with another span */
shunt_ast *shunt_tree_open(shunt_parse *p, shunt_ast *declaration, shunt_span at);              /* marks it `open` */
shunt_ast *shunt_tree_qualify(shunt_parse *p, shunt_span at, shunt_ast *name, shunt_ast *more); /* a.b as one NAME */
/* left OP right, `value in (list)`, `value is state`: comparisons, which may not be chained (E0103). */
shunt_ast *shunt_tree_compare(shunt_parse *p, shunt_span at, shunt_text word, shunt_span sign, shunt_ast *left,
                              shunt_span left_at, shunt_ast *right, shunt_span right_at);
shunt_ast *shunt_tree_among(shunt_parse *p, shunt_span at, shunt_text word, shunt_span sign, shunt_ast *value,
                            shunt_span value_at, shunt_ast *list);
shunt_ast *shunt_tree_is(shunt_parse *p, shunt_span at, shunt_span sign, shunt_ast *value, shunt_span value_at,
                         const shunt_ast *state);
/* left + right; ERROR where the sign was put there in the place of an operator that is missing. */
shunt_ast *shunt_tree_sum(shunt_parse *p, shunt_span at, shunt_span sign, shunt_ast *left, shunt_ast *right);
/* Sets one child of a node that was made before, and widens its span. */
shunt_ast *shunt_tree_attribute(shunt_parse *p, shunt_span at, shunt_ast *node, uint32_t role, shunt_ast *kid);
shunt_ast *shunt_tree_documented(shunt_parse *p, shunt_ast *node); /* with the `##` lines before it */
shunt_span shunt_tree_between(shunt_span first, shunt_span last);
shunt_text shunt_tree_source(const shunt_parse *p, shunt_span at); /* the bytes as written */
/* The leaf of a token that carries a text; NULL for one that does not. */
shunt_ast *shunt_tree_token(shunt_parse *p, const shunt_token *token);

#endif
