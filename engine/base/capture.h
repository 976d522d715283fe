/* capture.h - copies the demanded values of the open loops into an arena, as the plan says, and keeps them as a tree of nodes
 * until their loop is left. Memory follows the nesting: a loop that is left gives back all that was captured in it, unless its
 * frame is a child of an open one (then it is kept until that one is left).
 * Owns: the nodes, in an arena of its own. Fails: LIMIT_UNIT_BYTES when a unit (or the header) holds more than its limit. */
#ifndef SHUNT_CAPTURE_H
#define SHUNT_CAPTURE_H

#include "engine/base/plan.h"
#include "engine/base/value.h"

/* A captured value: the bytes (copied, line ends removed) and where they stood. `bytes` NULL = absent; bytes without length =
 * cleared by the sender. */
typedef struct shunt_captured {
    const char *bytes;
    uint32_t    length;
    uint32_t    size; /* bytes in the input */
    uint64_t    at;
    uint64_t    kept; /* what a reader of the value makes of it, so that it need not do so twice; 0 = nothing yet */
} shunt_captured;

typedef struct shunt_children {
    struct shunt_node *first, *last;
    uint32_t           count;
} shunt_children;

/* One instance of a frame. */
typedef struct shunt_node {
    struct shunt_node *parent;   /* nearest open framed loop; NULL for the set */
    struct shunt_node *next;     /* next of the same frame in the same parent's list */
    shunt_captured    *slots;    /* slot_count of the frame */
    shunt_children    *children; /* child_count of the frame */
    uint64_t           at, end;  /* bytes: first segment; `end` is set when the loop is left */
    uint32_t           ordinal;  /* 1-based: among the instances of this frame in the loop instance around it */
    uint32_t           segment;  /* number of its first segment */
    uint16_t           frame;
} shunt_node;

typedef struct shunt_capture shunt_capture;

shunt_capture *shunt_capture_new(const shunt_memory *memory, const shunt_plan *plan,
                                 size_t max_unit_bytes) SHUNT_MUST_USE; /* 0 = no limit */
void           shunt_capture_free(shunt_capture *capture);
/* A transaction of this guide begins: forgets everything, opens the frame of the set if it has one. */
shunt_status   shunt_capture_begin(shunt_capture *capture, uint16_t guide, uint64_t at);
shunt_status   shunt_capture_enter(shunt_capture *capture, uint16_t loop, uint64_t at, uint32_t segment);
/* Copies what the node demands of the segment. A second value for a slot that has one is passed over (the first stands). */
shunt_status   shunt_capture_segment(shunt_capture *capture, uint16_t node, const shunt_segment *segment,
                                     const shunt_delims *delims);
/* What a reader of segments captures by itself, without telling of it: loops and nodes of the plan at which nothing else happens. */
typedef struct shunt_direct {
    shunt_capture *capture;
    const bool    *loops; /* by loop: it may enter and leave it */
    const bool    *nodes; /* by node: it may capture its segments */
    const bool    *first; /* by node: the same before the first unit */
    bool           active;
    bool           early; /* no unit has come yet */
} shunt_direct;

/* For readers that find values by themselves: the node that they fill, of the innermost open loop that has a frame; NULL = nothing is
 * captured. The slots of its frame that are empty may be set, to bytes in the room that the capture gives. */
shunt_node  *shunt_capture_target(shunt_capture *capture);
/* Lives as long as that node. NULL: there is none, and the next value that is copied says why. */
char        *shunt_capture_room(shunt_capture *capture, size_t size_bytes);
/* Copies a value into a slot (relative to the frame) of the innermost open loop that has a frame; the first one stands. `*taken`: the
 * slot was empty. */
shunt_status shunt_capture_value(shunt_capture *capture, uint16_t slot, shunt_text value, bool cleared, const shunt_place *place,
                                 bool *taken);
/* The frame that the next value goes to: of the innermost open loop that has one, SHUNT_NONE = nothing is captured. */
const shunt_node *shunt_capture_innermost(const shunt_capture *capture);
/* The innermost open loop below that of the set, SHUNT_NONE = none is open. */
uint16_t          shunt_capture_open(const shunt_capture *capture);
/* The loop being left, complete: NULL where its loop has no frame. Valid until `shunt_capture_leave` or the next call. */
const shunt_node *shunt_capture_top(const shunt_capture *capture, uint16_t loop);
void              shunt_capture_leave(shunt_capture *capture, uint16_t loop, uint64_t end);
const shunt_node *shunt_capture_root(const shunt_capture *capture); /* of the set; NULL where it has no frame */
/* After a LIMIT_UNIT_BYTES inside a unit: what was captured of it is dropped and nothing more is captured until it is left. After
 * one outside of units nothing more is captured in the transaction; both are reported once. */
bool              shunt_capture_overflowed(const shunt_capture *capture);

#endif
