/* scan.h - the words of a map file, as the parser meets them. Private to grammar/.
 * Owns:    nothing; the list lives in the scratch arena of the parse.
 * Fails:   scanning stops without memory; everything else is reported and passed over, so that a list always comes back. */
#ifndef SHUNT_SCAN_H
#define SHUNT_SCAN_H

#include <setjmp.h>

#include "engine/base/diag.h"

enum {
    SHUNT_SCAN_DEPTH = 200, /* brackets and holes inside each other */
    SHUNT_SCAN_NAME_BYTES = 255,
    SHUNT_SCAN_FILE_BYTES = 4 * 1024 * 1024,
    SHUNT_SCAN_FAULTS = 500, /* syntax errors of one file, after which the rest of it is left unread */
};

typedef struct shunt_token {
    uint16_t kind;        /* T_... of map.y */
    uint16_t indent;      /* blanks before the first word of its line, at most UINT16_MAX */
    bool     leads : 1;   /* first of its line */
    bool     tainted : 1; /* something before it on the line was reported and passed over: what follows from that is not */
    uint32_t begin, end;  /* bytes of the source; of the parts of a template only the text between quotes and braces */
} shunt_token;

typedef struct shunt_token_list {
    shunt_token *items;
    uint32_t     count, capacity;
} shunt_token_list;

/* A `##` comment in front of the word that begins at `before`. */
typedef struct shunt_doc {
    uint32_t   before;
    shunt_text text;
} shunt_doc;

struct shunt_hole { /* an open `{` of a template */
    uint32_t begin;
    uint32_t start; /* number of the token that starts the template */
    uint32_t depth; /* brackets open when it began */
};

typedef struct shunt_scan {
    shunt_arena      *scratch; /* of the parse: tokens, scanner state */
    shunt_arena      *arena;   /* of the tree: texts of documentation */
    shunt_diags      *diags;
    shunt_text        source;
    char             *copy; /* of the source; the scanner writes into it */
    uint32_t          file;
    uint32_t          position;       /* bytes taken by the scanner */
    uint32_t          line;           /* where the current line begins */
    uint32_t          piece;          /* where the string, text block or piece of a template that is being read begins */
    uint32_t          piece_line;     /* the line of its first quote */
    uint32_t          semicolons;     /* said once, with their number */
    uint32_t          semicolon_diag; /* 1 + place in `diags`, 0 = none */
    uint32_t          junk_end;       /* where the last character that stands nowhere ended */
    uint32_t          errors_before;
    uint32_t          depth;
    struct shunt_hole holes[SHUNT_SCAN_DEPTH];
    uint32_t          hole_count;
    shunt_token_list  tokens;
    shunt_doc        *docs;
    uint32_t          doc_count, doc_capacity;
    uint32_t          doc_begin, doc_end; /* the `##` lines met since the last word; equal: none */
    bool              tainted;
    bool              blocks_known, blocks_odd; /* whether the file holds an odd number of `"""`, once it is known */
    bool              cut; /* the end of the file was not reached in good order; its missing brackets are no news */
    bool              no_memory;
    jmp_buf           out_of_memory;
} shunt_scan;

/* Fills `tokens` (the last one is the end of the file) and `docs`. False: no memory. */
bool shunt_scan_run(shunt_scan *scan);

/* The token of a word: that of the keyword, or of a name. */
int         shunt_word_token(shunt_text word);
const char *shunt_token_word(int token); /* of a keyword, else NULL */

#endif
