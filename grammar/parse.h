/* parse.h - from the bytes of a map file to its tree. The entry that owns scanner and parser state.
 * Threads: reentrant; any number at once. Allocations of flex and bison go through `memory`. */
#ifndef SHUNT_PARSE_H
#define SHUNT_PARSE_H

#include "dsl/ast.h"

/* Parses one module. `source` outlives the tree; `file` is its number for spans. The tree lives in `arena`; parts that could
 * not be read are ERROR nodes. Returns SHUNT_OK also where `diags` has errors (the tree is then what could be read, never NULL);
 * SHUNT_NO_MEMORY otherwise. Bounded: nesting of more than 200 levels and files over 4 MiB are E0912. */
shunt_status shunt_parse_module(const shunt_memory *memory, shunt_arena *arena, shunt_diags *diags, uint32_t file,
                                shunt_text source, shunt_ast **module);

/* True where the word is a keyword of the language. */
bool shunt_is_keyword(shunt_text word);

#endif
