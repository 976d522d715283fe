/* letter.h - dead letters: transactions with a rejected or quarantined unit, as received, with the list of those units.
 * Keeps the raw bytes of what is open (a transaction; a batch or the input where rules can undo one) in a spool, and the list of
 * failed units in another: memory does not grow with either.
 * Owns:    its spools. Pieces of input are borrowed until `shunt_letters_piece_over`.
 * Threads: one, one.   Fails: NO_MEMORY, IO, and what the sink returns. */
#ifndef SHUNT_LETTER_H
#define SHUNT_LETTER_H

#include "engine/base/event.h"
#include "engine/vm/ledger.h"

/* A piece of a letter, or of its list of units, which comes after it. */
typedef struct shunt_letter_piece {
    const char *name;   /* "1-3": input and transaction */
    const char *ending; /* "edi": of the name of a file with such a message */
    const char *bytes;
    size_t      size;
    const char *units;
    size_t      units_size;
    bool        first, last;
} shunt_letter_piece;
typedef shunt_status shunt_letter_sink(void *context, const shunt_letter_piece *piece);

enum { SHUNT_LETTER_NAME = 48, SHUNT_LETTER_ENDING = 7, SHUNT_LETTER_UNITS = 1 << 20 /* a longer list comes in pieces */ };

/* Why a whole transaction is in its letter. */
typedef struct shunt_letter_whole {
    bool       whole;
    shunt_fate fate;
    shunt_text code;
} shunt_letter_whole;

typedef struct shunt_letters shunt_letters;
shunt_letters *shunt_letters_new(const shunt_memory *memory, const char *directory, const uint8_t program_hash[static 32],
                                 shunt_letter_sink *sink, void *context) SHUNT_MUST_USE;
void           shunt_letters_free(shunt_letters *letters); /* NULL is fine */

/* `trailer`: of its reader, NULL = scopes stay open. */
shunt_status shunt_letters_input(shunt_letters *letters, uint64_t ordinal, shunt_text id, shunt_trailer *trailer);
/* Of the transactions that begin from now on; at most SHUNT_LETTER_ENDING bytes of it are kept. */
void         shunt_letters_ending(shunt_letters *letters, const char *ending);
void shunt_letters_piece(shunt_letters *letters, const void *bytes, size_t size); /* a piece of input, before its events */
shunt_status shunt_letters_piece_over(shunt_letters *letters);

/* An interchange or batch begins: `segment` is its header. */
shunt_status shunt_letters_scope(shunt_letters *letters, shunt_scope scope, const shunt_segment *segment,
                                 const shunt_delims *delims, shunt_text control);
void         shunt_letters_scope_over(shunt_letters *letters, shunt_scope scope, uint64_t end);
/* A transaction; `mapped` false: nothing of it is kept. */
shunt_status shunt_letters_begin(shunt_letters *letters, uint64_t ordinal, uint64_t at, shunt_text set, shunt_text control,
                                 bool mapped);
shunt_status shunt_letters_unit(shunt_letters *letters, uint64_t ordinal, uint64_t begin, uint64_t end, shunt_fate fate,
                                shunt_text code);
/* `hold`: until shunt_letters_release, whether it has a failed unit or not. */
shunt_status shunt_letters_end(shunt_letters *letters, uint64_t end, shunt_letter_whole whole, bool hold);
/* The scope that letters were held for since `mark` is over; `whole`: it was undone. */
shunt_status shunt_letters_release(shunt_letters *letters, uint64_t mark, shunt_letter_whole whole);
uint64_t     shunt_letters_mark(const shunt_letters *letters);
/* Name of the letter of the open transaction. */
shunt_text   shunt_letters_name(const shunt_letters *letters);
shunt_text   shunt_letters_end_of_name(const shunt_letters *letters);

#endif
