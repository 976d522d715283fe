/* project.h - the project that rules belong to: its file `shunt.project`, its lock `shunt.lock`, and what of all that a compilation reads is pinned
 * by hash. docs/projects.md says what both files hold.
 * Owns:    nothing; all lives in the arena of the compilation.
 * Fails:   NO_MEMORY. What is wrong in the files, or not as it was pinned, is a diagnostic (E0214 to E0217). */
#ifndef SHUNT_API_PROJECT_H
#define SHUNT_API_PROJECT_H

#include "dsl/excerpt.h"
#include "dsl/grow.h"
#include "engine/base/hash.h"

/* The first words of the entries of a lock, in the order that they stand in. */
typedef enum shunt_pin_kind {
    SHUNT_PIN_DICTIONARY, /* a definition file of the project */
    SHUNT_PIN_EXTERN,     /* a library of extern functions */
    SHUNT_PIN_MODULE,     /* what a package imports by its path */
    SHUNT_PIN_PACKAGE,    /* a module that is imported by its name */
    SHUNT_PIN_TABLE,      /* rows of a table or of a decision */
    SHUNT_PIN_KINDS
} shunt_pin_kind;

typedef struct shunt_pin {
    shunt_pin_kind kind;
    shunt_text     name;             /* path from the folder of the project; of a library what rules call it */
    shunt_text     package, version; /* of a package */
    shunt_text     hash;             /* SHA-256 of the file, 64 digits */
} shunt_pin;

typedef struct shunt_project_word {
    shunt_text text;
    shunt_span span;
} shunt_project_word;

/* Numbers of the two files in spans, until shunt_project_place gives them others. */
enum { SHUNT_FILE_PROJECT = 0x7ffffff0, SHUNT_FILE_LOCK };

typedef struct shunt_project {
    bool       found;    /* else all that follows is empty */
    bool       locking;  /* a lock is made: nothing is held against the one that is there */
    shunt_text path;     /* of the project file, as it is read; what it names counts from its folder */
    shunt_text absolute; /* its folder from the root */
    shunt_text source;
    bool       locked; /* there is a lock */
    shunt_text lock_path, lock_source;
    SHUNT_LIST(shunt_project_word) modules, dictionaries, externs; /* as the file names them */
    SHUNT_LIST(shunt_pin) pins;                                    /* of the lock */
    SHUNT_LIST(shunt_pin) met;                                     /* what this compilation reads, each once */
} shunt_project;

typedef struct shunt_reading { /* what a file is read by: as shunt_compiling_read */
    int (*read)(void *context, shunt_text path, shunt_text *text);
    void *context;
} shunt_reading;

/* Reads the project file at `path`, or, where that is NULL, the nearest one in the folder of `rules` or above it, and its lock. */
shunt_status shunt_project_open(shunt_project *project, shunt_arena *arena, shunt_diags *diags, shunt_reading reading,
                                const char *path, shunt_text rules, bool locking);
/* Adds the two files to what spans of diagnostics point into: `first` is the number of the next source. */
void         shunt_project_place(const shunt_project *project, shunt_diags *diags, uint32_t first);

/* A file was read: remembers it, and holds it against the lock. `pin` has all but the hash and, of files, the name, for which `path` is given.
 * `needed`: where the lock does not have it, it is not to be used. `span` is what named it. */
shunt_status shunt_project_meet(shunt_project *project, shunt_arena *arena, shunt_diags *diags, shunt_pin pin, shunt_text path,
                                shunt_text bytes, bool needed, shunt_span span);
/* The lock has an entry of that kind and path. */
bool         shunt_project_has(const shunt_project *project, shunt_arena *arena, shunt_pin_kind kind, shunt_text path);

/* Entries in the order of a lock, each once. */
uint32_t shunt_pins_sort(shunt_pin *pins, uint32_t count);
void     shunt_pins_write(const shunt_pin *pins, uint32_t count, shunt_buffer *out);

/* "2.1.0", "2.1", "2". False: it is no version. */
bool shunt_version_read(shunt_text text, uint32_t version[static 3]);
/* Whether a version fits what an import wants: "^2.1" any 2.x from 2.1, "2.1.0" that one. False in `fine`: `wanted` is neither. */
bool shunt_version_fits(shunt_text wanted, const uint32_t version[static 3], bool *fine);

#endif
