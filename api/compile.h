/* compile.h - parsing, importing and checking: what shunt_compile and shunt_test share. Implemented in compile.c. */
#ifndef SHUNT_API_COMPILE_H
#define SHUNT_API_COMPILE_H

#include "api/api.h"
#include "api/project.h"
#include "dsl/excerpt.h"
#include "dsl/fact.h"

typedef struct shunt_compiling {
    shunt_memory          memory;
    shunt_arena          *arena;
    shunt_diags           diags;
    shunt_compilation     compilation; /* modules[0] is the main one */
    shunt_excerpt_source *sources;     /* what spans point into: the modules, then the files of tables */
    uint32_t              source_count;
    const char           *extern_folder; /* of the options */
    shunt_project         project;
    shunt_definitions    *definitions; /* guides of the project; NULL = none */
    const bool           *foreign;     /* of each module: it is a package, or a part of one */
} shunt_compiling;

/* A file as text in the arena, by the reader of the options; 0 or an errno. */
int shunt_compiling_read(shunt_arena *arena, const shunt_compile_options *options, shunt_text path, shunt_text *text);

/* Reads the module at `path` and all that it imports, parses and checks them, and holds what it reads against the lock of its project. OK also where `diags` has
 * errors; RULES_WRONG where the main file can not be read (a diagnostic says so), NO_MEMORY. `options` may be NULL. Free it in every case. */
shunt_status shunt_compiling_open(shunt_compiling *compiling, const char *path, const shunt_compile_options *options);
/* The same for a lock that is made: `project.met` has what is to be pinned, whatever is pinned now. */
shunt_status shunt_compiling_lock(shunt_compiling *compiling, const char *path, const shunt_compile_options *options);
/* Only the project that rules at `path` belong to, with its dictionaries. */
shunt_status shunt_compiling_project(shunt_compiling *compiling, const char *path, const shunt_compile_options *options,
                                     bool locking);
void         shunt_compiling_free(shunt_compiling *compiling);
/* Renders the diagnostics, sorted, as text and JSON: at most 20 errors, then their number. */
void         shunt_compiling_render(shunt_compiling *compiling, shunt_messages *messages);
/* Emits without any table rows, saves, loads. */
shunt_status shunt_compiling_program(shunt_compiling *compiling, shunt_program **program);

#endif
