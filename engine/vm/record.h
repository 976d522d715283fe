/* record.h - records as bytes: one encoder per target, prepared once, so that a record costs copies and digits only.
 * Owns:    the prepared member names. The program is borrowed and outlives it.
 * Threads: one set of encoders, one thread.
 * Fails:   NO_MEMORY; LIMIT where a row stands deeper than SHUNT_ROW_DEPTH in a record. With an `encode` also TEXT_TOO_LONG, OVERFLOW,
 *          DIGITS_LOST, NOT_WRITABLE: the record can not be written as the rules want it, and nothing of it is.
 * A further form of output is a further file encode_*.c, see encode.h. */
#ifndef SHUNT_RECORD_H
#define SHUNT_RECORD_H

#include "engine/vm/vm.h"

enum { SHUNT_ROW_DEPTH = 16 };

/* What a record carries beyond its fields. */
typedef struct shunt_stamp {
    shunt_text correlate;  /* a JSON array, encoded; empty = none */
    uint64_t   begin, end; /* bytes of the unit in the input */
} shunt_stamp;

typedef struct shunt_extent {
    size_t begin, end;
} shunt_extent;

/* Where parts of a record stand. Equal content under one key is a duplicate, so content is all of the record, also what an `encode`
 * leaves out. */
typedef struct shunt_written {
    const shunt_buffer *in;      /* `out`, or `aside` for records that an `encode` shapes */
    shunt_extent        key;     /* the JSON array */
    shunt_extent        content; /* the record itself, without key and meta */
} shunt_written;

typedef struct shunt_encoders shunt_encoders;

/* Appends one record to `out`, without the end of its last line. `out->failed` tells of missing memory. */
typedef shunt_status shunt_encoder(const shunt_encoders *encoders, const shunt_record *record, const shunt_stamp *stamp,
                                   shunt_buffer *out, shunt_written *written);

/* What is wrong with the `encode` of a target. */
typedef struct shunt_encoding_fault {
    uint32_t column, setting; /* which of the encoding is to blame; UINT32_MAX = none of them */
    char     text[160];       /* empty: nothing is wrong */
} shunt_encoding_fault;

/* `key_id`: of the token key, empty = none. USAGE: the `encode` of a target can not be followed; `why` says where. */
shunt_status shunt_encoders_new(const shunt_memory *memory, const shunt_program *program, shunt_text key_id,
                                shunt_encoders **encoders, char why[static 200]);
void         shunt_encoders_free(shunt_encoders *encoders); /* NULL is fine */
/* Looks at every `encode` without writing anything. USAGE: `faults`, one a target, say what is wrong. */
shunt_status shunt_encoders_check(const shunt_memory *memory, const shunt_program *program, shunt_encoding_fault *faults);
/* What stands in an output before the first record of a target (the headings of a CSV with their line end; empty = nothing), and behind
 * each of its records. */
shunt_text   shunt_encoders_head(const shunt_encoders *encoders, uint16_t target);
shunt_text   shunt_encoders_end(const shunt_encoders *encoders, uint16_t target);
/* The input that records come from now on; its id is copied. NO_MEMORY. */
shunt_status shunt_encoders_input(shunt_encoders *encoders, shunt_text id);
/* `aside`: grows by key and content of a record that an `encode` shapes. */
shunt_status shunt_encode(const shunt_encoders *encoders, const shunt_record *record, const shunt_stamp *stamp, shunt_buffer *out,
                          shunt_buffer *aside, shunt_written *written);

/* A record as it is handed out, with what a file has around it. Borrowed until the next call. */
typedef struct shunt_piece {
    uint16_t   target;
    shunt_text head, body, end;
} shunt_piece;
/* True for a target whose records are messages: what was encoded is no message yet, its envelope comes when it is handed out, together
 * with that of the records around it. */
bool         shunt_encoders_dressed(const shunt_encoders *encoders, uint16_t target);
/* A dressed record is kept until it is known what follows it: one that was kept before comes back as `piece`. `bytes` NULL: nothing follows.
 * `ready` false: nothing comes back. INPUT_BAD for what no encoder wrote. */
shunt_status shunt_encoders_dress(shunt_encoders *encoders, uint16_t target, const char *bytes, size_t length, shunt_piece *piece,
                                  bool *ready);
/* What messages say of the run: when its input arrived, and the first control number, 0 = as the rules say. */
void         shunt_encoders_run(shunt_encoders *encoders, shunt_moment received_at, uint64_t control);
uint64_t     shunt_encoders_control(const shunt_encoders *encoders); /* the next one, 0 = none was used */

/* A JSON array of texts. */
void shunt_json_texts(shunt_buffer *out, const shunt_text *texts, uint32_t count);
void shunt_json_number(shunt_buffer *out, uint64_t number);

#endif
