/* record.h - records as bytes: one encoder per target, prepared once, so that a record costs copies and digits only.
 * Owns:    the prepared member names. The program is borrowed and outlives it.
 * Threads: one set of encoders, one thread.
 * Fails:   NO_MEMORY; LIMIT where a row stands deeper than SHUNT_ROW_DEPTH in a record.
 * A further form of output is a further `shunt_encoder`: shunt_encoders_new picks one for each target. */
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

/* Where in the buffer parts of a record stand. Equal content under one key is a duplicate. */
typedef struct shunt_written {
    shunt_extent key;     /* the JSON array */
    shunt_extent content; /* the record itself, without key and meta */
} shunt_written;

typedef struct shunt_encoders shunt_encoders;

/* Appends one record to `out`, without a line end. `out->failed` tells of missing memory. */
typedef shunt_status shunt_encoder(const shunt_encoders *encoders, const shunt_record *record, const shunt_stamp *stamp,
                                   shunt_buffer *out, shunt_written *written);

/* `key_id`: of the token key, empty = none. USAGE: a target is written in a form that is not known here; `why` names it. */
shunt_status shunt_encoders_new(const shunt_memory *memory, const shunt_program *program, shunt_text key_id,
                                shunt_encoders **encoders, char why[static 200]);
void         shunt_encoders_free(shunt_encoders *encoders); /* NULL is fine */
/* The input that records come from now on; its id is copied. NO_MEMORY. */
shunt_status shunt_encoders_input(shunt_encoders *encoders, shunt_text id);
shunt_status shunt_encode(const shunt_encoders *encoders, const shunt_record *record, const shunt_stamp *stamp, shunt_buffer *out,
                          shunt_written *written);

/* A JSON array of texts. */
void shunt_json_texts(shunt_buffer *out, const shunt_text *texts, uint32_t count);
void shunt_json_number(shunt_buffer *out, uint64_t number);

#endif
