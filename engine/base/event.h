/* event.h - what readers hand over, whatever the standard: scopes, loops, segments, values, faults.
 * A reader is fed pieces of any size and asked for the next step until it wants input. Everything in an event is borrowed until
 * the next call of `next` or `feed`. The session (engine/vm) knows readers through this page alone. */
#ifndef SHUNT_EVENT_H
#define SHUNT_EVENT_H

#include "engine/base/status.h"
#include "engine/base/text.h"

/* A place in the input. */
typedef struct shunt_place {
    uint64_t byte;               /* from the first byte of the input */
    uint32_t length;             /* bytes, 0 = unknown */
    uint32_t segment;            /* 1-based within the transaction (ST = 1); 0 = outside */
    uint16_t element, component; /* 1-based, 0 = the whole segment */
} shunt_place;

/* One segment and where its elements begin. Element 0 is the id; element k (1..elements) stands at
 * bytes[offsets[k]] .. bytes[offsets[k + 1] - 2], the byte before offsets[k + 1] being its separator (or the terminator). */
typedef struct shunt_segment {
    const uint8_t  *bytes;     /* the segment, without its terminator */
    const uint32_t *offsets;   /* elements + 2 of them */
    uint32_t        elements;  /* elements after the id */
    uint32_t        length;    /* bytes of the segment, without its terminator */
    uint64_t        at;        /* byte position of the id in the input */
    uint32_t        number;    /* 1-based within the transaction */
    uint64_t        id;        /* the id packed as in a plan, 0 = not worked out */
    bool            line_ends; /* CR or LF stand inside (wrapped files); they are no part of any value */
    bool            plain; /* no line ends and no separator of repetitions in it, and SHUNT_SEGMENT_ROOM bytes behind it can be
                                * read; false says nothing */
} shunt_segment;

enum { SHUNT_SEGMENT_ROOM = 16 };

/* What separates; 0 = none. */
typedef struct shunt_delims {
    uint8_t element, component, repetition, terminator, escape, subcomponent, truncation;
} shunt_delims;

typedef enum shunt_scope {
    SHUNT_SCOPE_UNIT,
    SHUNT_SCOPE_TRANSACTION,
    SHUNT_SCOPE_BATCH,
    SHUNT_SCOPE_INTERCHANGE,
    SHUNT_SCOPE_FILE
} shunt_scope;

enum { SHUNT_NONE = 0xffff }; /* "no such" for 16-bit indexes */

typedef enum shunt_step {
    SHUNT_STEP_BEGIN, /* a scope begins: `scope`, and for a transaction `guide`, `set`, `version`, `control`; `segment` is ISA, GS or ST */
    SHUNT_STEP_FINISH, /* a scope ends regularly; `segment` is SE, GE or IEA; `end` is the byte after its terminator */
    SHUNT_STEP_ABANDON, /* a scope ends without its trailer (truncated, new ST, IEA): `scope`; a fault was handed over before. No LEAVE
                              comes for its open loops. Every BEGIN is answered by a FINISH or an ABANDON, innermost scope first */
    SHUNT_STEP_ENTER,   /* a loop of the plan begins: `loop`; its first segment comes next */
    SHUNT_STEP_LEAVE,   /* the innermost open loop ends: `loop` */
    SHUNT_STEP_SEGMENT, /* `segment` at `node` of the plan (SHUNT_NONE: not recognised, a fault came before) */
    SHUNT_STEP_VALUE, /* one demanded value, decoded: `slot` of the frame of the innermost open loop that has one, `value`, `cleared`, `place` */
    SHUNT_STEP_FAULT,      /* something is wrong: `code`, `place`, `detail` (safe to print: counts, ids; never element values) */
    SHUNT_STEP_NEED_INPUT, /* feed more, or feed 0 bytes with `last` */
    SHUNT_STEP_END,        /* the input is over */
    SHUNT_STEP_FAILED, /* the reader can not go on (memory, limit): `code`; a fault was handed over where the input is to blame */
} shunt_step;

typedef struct shunt_event {
    shunt_step           step;
    shunt_scope          scope;
    uint16_t             guide; /* index into the guides of the plan; SHUNT_NONE = no source lists this set */
    uint16_t             loop;  /* index into the loops of the plan */
    uint16_t             node;  /* index into the nodes of the plan */
    uint16_t             slot;
    const shunt_segment *segment;                                 /* NULL where there is none */
    shunt_delims         delims;                                  /* in force; valid in BEGIN and SEGMENT */
    shunt_text           set, version, control, sender, receiver; /* of a scope that begins; empty where unknown */
    shunt_text           value;                                   /* UTF-8 without escapes; never empty unless cleared */
    bool                 cleared;                                 /* the sender wants the value deleted (HL7 `""`) */
    shunt_status         code; /* of a fault; of a segment: what a capture of the reader's own has failed by */
    shunt_place          place;
    shunt_text           detail;
    bool                 local; /* of a fault: it spoils the unit at hand only, its neighbours can be read */
    bool                 wide;  /* of a fault: it spoils the transaction, whatever the exit that answers it says */
    uint64_t             end;   /* byte after the event */
} shunt_event;

struct shunt_plan;
struct shunt_direct;
typedef struct shunt_reader shunt_reader;

/* The interface. Each standard has a maker of its own, chosen in standards/registry.c. */
/* Appends what ends an interchange or a batch that holds one transaction: IEA, GE; FTS, BTS. */
typedef void shunt_trailer(shunt_buffer *out, shunt_scope scope, const shunt_delims *delims, shunt_text control);

typedef struct shunt_reader_ops {
    const char  *name;   /* "x12" */
    bool         values; /* demanded values come as VALUE, segments are for display; false: they are cut out of the segments */
    shunt_status late;   /* a value that comes after its reader ran: X12_LATE */
    shunt_status twice;  /* a second value for what stands once: FHIR_TWICE; SHUNT_OK = the first stands */
    void (*feed)(shunt_reader *reader, const uint8_t *bytes, size_t size,
                 bool last); /* borrowed until NEED_INPUT or END is returned */
    shunt_step (*next)(shunt_reader *reader, shunt_event *event);
    void (*free)(shunt_reader *reader);
    /* Before anything is fed: segments that the plan demands nothing of need not be shown; faults in them are. Where `direct` says so,
     * loops and segments are captured instead of shown, while it is active; it is borrowed for the life of the reader. NULL: they all are shown. */
    void (*demanded_only)(shunt_reader *reader, const struct shunt_direct *direct);
    shunt_trailer *trailer; /* NULL: scopes around transactions have none */
    const char    *ending;  /* of the names of files that hold such messages: "edi"; NULL = "txt" */
} shunt_reader_ops;
struct shunt_reader {
    const shunt_reader_ops *ops; /* first member of every reader */
};

#endif
