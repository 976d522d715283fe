/* plan.h - flat tables made by the compiler: how the loops of each guide are recognised, and which values are captured.
 * Two halves that meet in one number:
 *   guides/loops/nodes   the automaton of each guide, as the dictionary has it (one per guide that a source lists)
 *   frames/slots         the shapes of captured loop instances that the bytecode knows, shared by all guides of a source;
 *                        a loop of the automaton names its frame, a node its demands.
 * All arrays are flat and hold indexes, so that a plan is saved and loaded as it stands. Texts are indexes into the program's
 * text table (or the maker's). No VM types in here. */
#ifndef SHUNT_PLAN_H
#define SHUNT_PLAN_H

#include "engine/base/event.h"

/* Up to 8 bytes of an id or a qualifier in one number: first byte highest, zero padded below. */
static inline uint64_t shunt_pack(const uint8_t *bytes, size_t length)
{
    uint64_t packed = 0;
    for (size_t i = 0; i < length && i < 8; i++) packed |= (uint64_t)bytes[i] << (56 - 8 * i);
    return packed;
}

/* What a source says about the reading of its messages. `standard` is a shunt_standard of standards/schema.h; guides of sources of
 * other standards are not for the reader at hand. */
typedef struct shunt_plan_source {
    uint8_t  standard;
    uint8_t  snips;          /* bit n: findings of SNIP type n (X12), or of level n (HL7, FHIR), are faults */
    uint8_t  strict;         /* 1: what the lenient reading forgives is an error (HL7) */
    uint8_t  cleared_absent; /* 1: `cleared: absent`, a cleared value is an absent one (HL7) */
    uint32_t window;         /* bytes of earlier entries that references are resolved in (FHIR); 0 = none */
    uint32_t max_unit_bytes; /* 0 = the engine's own limit */
} shunt_plan_source;

/* How the text of a slot becomes a value when it is read. */
typedef enum shunt_convert {
    SHUNT_CONVERT_TEXT,
    SHUNT_CONVERT_DECIMAL, /* `scale` */
    SHUNT_CONVERT_IMPLIED, /* `implied` decimals in the text, `scale` in the value */
    SHUNT_CONVERT_INT,
    SHUNT_CONVERT_DATE,     /* CCYYMMDD, YYMMDD, or the first half of a range */
    SHUNT_CONVERT_DATE_END, /* the same, of a range its second half */
    SHUNT_CONVERT_DATE_HL7, /* the date as written of a DT, DTM or TS; less than a day is a failure */
    SHUNT_CONVERT_MOMENT_HL7,
    SHUNT_CONVERT_DATE_ISO, /* the same of a FHIR date, dateTime or instant */
    SHUNT_CONVERT_MOMENT_ISO,
    SHUNT_CONVERT_DATE_FORMAT, /* `format`: "MM/DD/YYYY", a pattern of date.h */
    SHUNT_CONVERT_BOOL,        /* `format`: "yes/no", the words for true and false; SHUNT_NONE = "true/false" */
    SHUNT_CONVERT_EXPONENT,    /* as DECIMAL, "1.5e3" too */
    SHUNT_CONVERT_COUNT
} shunt_convert;

/* One demanded value of a frame. */
typedef struct shunt_plan_slot {
    uint16_t frame;
    uint8_t  convert; /* shunt_convert */
    uint8_t  scale, implied;
    uint8_t  required; /* the guide requires it: reading it when missing is REQUIRED_MISSING */
    uint8_t  masked;   /* carries a PHI class: its text never reaches a message */
    uint8_t  early; /* read before the units are handled, and filled once per transaction: a value that comes later is X12_LATE */
    uint16_t codes; /* code set of the program for CODE_UNKNOWN, SHUNT_NONE = none */
    uint16_t path;  /* text: "CLP04", `NM1["82"].NM109` */
    uint16_t mask;  /* text that stands in its place: "[account_number]"; SHUNT_NONE */
    uint16_t element, component; /* for messages */
    uint16_t format;             /* text: how the value is written (`as "MM/DD/YYYY"`, `as "yes/no"`); SHUNT_NONE */
    uint16_t currency; /* slot of the same frame, relative to it, that holds the currency of this amount: another one than the
                        * source's is CURRENCY_OTHER when the amount is read; SHUNT_NONE */
} shunt_plan_slot;

typedef enum shunt_frame_kind { SHUNT_FRAME_SET, SHUNT_FRAME_LOOP, SHUNT_FRAME_GROUP } shunt_frame_kind;

/* The shape of a captured loop instance. A GROUP is an instance per repeat of a segment (or of a group of its elements) inside
 * a loop: CAS triplets, PLB pairs, repeated REF. */
typedef struct shunt_plan_frame {
    uint16_t id;                       /* text: "2100", "CAS" */
    uint8_t  kind;                     /* shunt_frame_kind */
    uint8_t  unit;                     /* 1 = an instance is a unit; it is complete when its loop is left */
    uint16_t source;                   /* which source of the program */
    uint16_t slot_first, slot_count;   /* into slots */
    uint16_t child_first, child_count; /* into children: frames whose instances are kept in a list here */
} shunt_plan_frame;

/* One value copied out of a segment. */
typedef struct shunt_plan_demand {
    uint16_t element;                 /* 1-based */
    uint16_t slot;                    /* relative to the frame */
    uint8_t  component, subcomponent; /* 1-based; component 0 = the whole element (its first repetition), subcomponent 0 = the
                                       * whole component */
    uint8_t  repetition;              /* 1-based; 0 = the first */
    uint8_t  relative; /* 1 = counted from the start of each element group of the node, `element` 0 being its first */
} shunt_plan_demand;

/* A segment at its place in a guide. In guides of trees (FHIR) a node is a named value of its loop: `name` is the name, `id` its first
 * eight bytes, and its demands have no element; where the loop has no frame they fill the frame of the nearest loop around it that has
 * one. "resourceType" is such a value. In a loop of primitive values (`given`) the value itself is the node "value", and `required`: an
 * item without it is no instance. */
typedef struct shunt_plan_node {
    uint64_t id;       /* packed */
    uint16_t loop;     /* index into the loops of the plan: the loop it belongs to; for a trigger the loop it starts */
    uint16_t position; /* order in the body of `loop`; for a trigger in the body around the outermost loop it starts */
    uint16_t max;      /* repeats, 0 = no limit */
    uint8_t
        trigger; /* 1 = starts an instance of `loop`; more: of so many loops, each the one around the next, `loop` the innermost */
    uint8_t  key_element, key_component;
    uint8_t  required;
    uint16_t key_first, key_count; /* into keys; 0 = any */
    uint16_t elements;             /* as the guide defines; more is X12_TOO_MANY_ELEMENTS; 0 = not checked */
    uint16_t frame; /* GROUP frame that a repeat makes an instance of; SHUNT_NONE: demands fill the frame of the loop */
    uint16_t demand_first, demand_count;
    uint16_t group_first, group_stride,
        group_count;     /* element groups of a GROUP: first element, distance, how many; stride 0 = one instance a segment */
    uint64_t composites; /* bit k: element k is a composite (k < 64) */
    uint16_t name;       /* text: friendly name, SHUNT_NONE in programs; of a named value its name */
    uint16_t binary;     /* element that holds the length of the binary element after it (BIN01, BDS02), 0 = none */
    uint16_t of;         /* trigger of a loop of repetitions: node of the segment whose element `field` repeats; SHUNT_NONE */
    uint16_t field;      /* 1-based; 0: every repeat of the segment itself is an instance (readers that hand over values) */
    uint16_t start; /* of a trigger: how far the body of `loop` has come with it; 0 where a loop begins with its first segment */
    uint16_t back;  /* so many nodes before it is the first one of the same segment at the same place: a segment of HL7 that may
                          * start its group has a node within it and one for each loop it starts with it; `of` names the first */
} shunt_plan_node;

/* A loop that segments begin; or of the repetitions of an element (HL7 `PID-3`): its trigger is a node with `of`, which no choice
 * leads to; or of the objects that stand under a name (FHIR "item"), without trigger: its id is that name
 * as in JSON ("valueMoney", "_birthDate"). The loop "resolve()" inside the loop of a Reference is the resource referred to. */
typedef struct shunt_plan_loop {
    uint16_t id;       /* text "2100"; empty for the body of the set */
    uint16_t parent;   /* SHUNT_NONE for the body of the set */
    uint16_t depth;    /* 0 for the body of the set */
    uint16_t position; /* in the parent's body */
    uint16_t max;      /* 0 = no limit */
    uint16_t frame;    /* SHUNT_NONE: nothing is captured for it */
    uint16_t trigger;  /* node that starts it; SHUNT_NONE for the set */
    uint16_t name;     /* text, SHUNT_NONE in programs */
    uint16_t type;     /* text: resource type of the objects that are meant (FHIR), others are no instances; SHUNT_NONE = any */
} shunt_plan_loop;

/* What may come next, for one open loop and one segment id: nodes in the order they are tried. */
typedef struct shunt_plan_choice {
    uint16_t node;
    uint16_t orphan; /* 1 = the parent of its loop is missing when it is taken from here */
} shunt_plan_choice;

typedef struct shunt_plan_guide {
    uint16_t source;                 /* which source of the program lists it */
    uint16_t set, version;           /* texts "835", "005010X221A1" */
    uint16_t family;                 /* text "005010X221": versions that begin with it belong to the guide */
    uint16_t functional_id;          /* text "HP" */
    uint16_t loop_first, loop_count; /* loops[loop_first] is the body of the set */
    uint16_t id_count;               /* distinct segment ids */
    uint32_t id_first;               /* into ids, sorted ascending */
    uint32_t
        dispatch_first; /* into dispatch: (loop - loop_first) * id_count + id -> first choice; one more entry ends the last */
} shunt_plan_guide;

/* How the rows of a source are cut (CSV, FIXED): one layout for each of its guides. A type of row is a loop of the guide whose
 * trigger's elements are the columns by number; a layout without types of rows has one. */
typedef struct shunt_plan_layout {
    uint16_t guide;
    uint16_t encoding;     /* text: name of the character set; SHUNT_NONE = UTF-8 */
    uint16_t continuation; /* text: rows with this key add their cells to the row before; SHUNT_NONE */
    uint16_t
        transaction; /* row type whose instances are the transactions, relative to row_first; SHUNT_NONE = the input is one */
    uint16_t row_first, row_count; /* into rows */
    uint16_t key_from, key_to;     /* where the key stands: cell, or columns from..to (FIXED); 0 = there is one type only */
    uint32_t length;               /* FIXED: bytes of a record; 0 = cells are separated */
    uint8_t  separator, quote;     /* quote 0 = none */
    uint8_t  terminator;           /* 0 = the line end alone */
    uint8_t  lines;                /* 1: a line end ends a row, too */
    uint8_t  header;               /* 1: the first row names the columns */
    uint8_t  reserved[3];
} shunt_plan_layout;

typedef struct shunt_plan_row {
    uint16_t name; /* text */
    uint16_t
        loop; /* of the guide; its body for the type that is the transaction; SHUNT_NONE: outside of the transactions, it is only
                    * checked */
    uint16_t node;                       /* whose demands are its columns, by number; SHUNT_NONE where there is no loop */
    uint16_t parent;                     /* row type around it, relative to row_first, below its own number; SHUNT_NONE */
    uint16_t key_first, key_count;       /* into row_keys */
    uint16_t column_first, column_count; /* into columns */
    uint8_t  once;                       /* 1: at most once in its parent (or in the input) */
    uint8_t  trailer; /* 1: the input ends with this type, or with another that is one; never inside a parent */
} shunt_plan_row;

typedef struct shunt_plan_column {
    uint16_t heading;  /* text: as the header names it */
    uint16_t from, to; /* cell (to = 0), or bytes from..to of a record; 0 = where the header says */
    uint16_t rest;     /* loop of the remaining cells from here on, each its one element; SHUNT_NONE */
    uint32_t length;   /* most characters, 0 = no limit */
    uint32_t max;      /* of `rest`: most cells */
    uint8_t  trim;     /* 1: blanks at both ends are no part of the value */
    uint8_t  reserved[3];
} shunt_plan_column;

typedef struct shunt_plan {
    const shunt_plan_source *sources; /* by number of the source */
    uint32_t                 source_count;
    const shunt_plan_guide  *guides;
    uint32_t                 guide_count;
    const shunt_plan_loop   *loops;
    uint32_t                 loop_count;
    const shunt_plan_node   *nodes;
    uint32_t                 node_count;
    const uint64_t          *keys;
    uint32_t                 key_count; /* packed qualifier values */
    const uint64_t          *ids;
    uint32_t                 id_count;
    const uint32_t          *dispatch;
    uint32_t                 dispatch_count;
    const shunt_plan_choice *choices;
    uint32_t                 choice_count;
    const shunt_plan_frame  *frames;
    uint32_t                 frame_count;
    const uint16_t          *children;
    uint32_t                 child_count;
    const shunt_plan_slot   *slots;
    uint32_t                 slot_count;
    const shunt_plan_demand *demands;
    uint32_t                 demand_count;
    const shunt_plan_layout *layouts;
    uint32_t                 layout_count;
    const shunt_plan_row    *rows;
    uint32_t                 row_count;
    const shunt_plan_column *columns;
    uint32_t                 column_count;
    const uint16_t          *row_keys; /* texts */
    uint32_t                 row_key_count;
    const shunt_text        *texts;
    uint32_t                 text_count; /* borrowed from the owner */
} shunt_plan;

/* Bounds on what is searched for one segment or checked for one entry, so that a plan costs bounded time. */
enum {
    SHUNT_PLAN_GUIDES = 256,
    SHUNT_PLAN_CHOICES = 1024,   /* of one open loop and id */
    SHUNT_PLAN_KEYS = 4096,      /* of a node */
    SHUNT_PLAN_DEMANDS = 1024,   /* of a node */
    SHUNT_PLAN_CHILDREN = 1024,  /* of a frame */
    SHUNT_PLAN_ROWS = 256,       /* of a layout */
    SHUNT_PLAN_COLUMNS = 4096,   /* of a row type */
    SHUNT_PLAN_RECORD = 1 << 20, /* bytes of a record of fixed width */
};

/* Every index in range, every order as said above. A reader or a capture runs only over a plan that passed.
 * False: `why` says what. */
bool shunt_plan_valid(const shunt_plan *plan, const char **why);

#endif
