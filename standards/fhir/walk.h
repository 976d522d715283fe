/* walk.h - follows the tokens of a resource through the names of a plan and notes what is demanded as events.
 * Where a resource must say what it is before it is known which loop it belongs to, its tokens are kept on a tape until then, and
 * taken from there. A walk over a tape is the same walk.
 * Owns: nothing but its state.   Fails: false without memory (or out of references: `limit`). */
#ifndef SHUNT_FHIR_WALK_H
#define SHUNT_FHIR_WALK_H

#include "engine/base/walk.h"
#include "standards/fhir/events.h"
#include "standards/fhir/names.h"
#include "standards/fhir/token.h"

typedef struct shunt_fhir_frame {
    const shunt_fhir_name *name;      /* of the property at hand; NULL: nothing is wanted of it */
    uint16_t               loop;      /* whose names count */
    uint16_t               leave;     /* loop that ends with the object; SHUNT_NONE */
    uint16_t               beside;    /* loop that begins with the first content; SHUNT_NONE */
    uint16_t               arrays;    /* open in the object */
    uint64_t               met;       /* bit n: the n-th name of the loop, an object that stands once, has come */
    bool                   reference; /* the property at hand is the `reference` that something is resolved by */
    uint64_t               at;
    uint64_t               text; /* of that reference, into `references` */
    uint32_t               text_length;
} shunt_fhir_frame;

typedef struct shunt_fhir_walk shunt_fhir_walk;

/* What is asked of the reader around it. Any may be NULL. */
typedef struct shunt_fhir_walk_hooks {
    /* The outermost object says its type, or (`presumed`) must be taken for a Bundle. Gives the loop to walk in, SHUNT_NONE = pass it
     * over; `*entry`: it stands for a Bundle with this one entry; `*whole`: it is held to its end. */
    bool (*root)(void *context, shunt_text type, uint64_t at, bool presumed, uint16_t *loop, bool *entry, bool *whole);
    /* A property of the root with units below it begins. */
    bool (*branch)(void *context, const shunt_fhir_name *name);
    /* An entry, or the whole outermost object, is held on the tape. */
    bool (*held)(void *context, uint64_t from, uint64_t to);
    /* The object with a reference ends. */
    bool (*resolve)(void *context, shunt_fhir_walk *walk, const shunt_fhir_under *under, shunt_text reference);
    /* What was presumed of the root: is it so? */
    bool (*presumed)(void *context, bool right);
    void *context;
} shunt_fhir_walk_hooks;

struct shunt_fhir_walk {
    shunt_token_sink        sink; /* first: the walk is one */
    const shunt_fhir_names *names;
    shunt_fhir_walk_hooks   hooks;
    shunt_fhir_events      *out, *early; /* `early`: faults met before it is known whose they are */
    shunt_tape             *tape;        /* for what must be held */
    size_t                  most;        /* bytes held on it, and of a value */
    uint32_t                entry;
    bool                    branch;   /* inside of one */
    bool                    hold;     /* entries are held whole */
    bool                    as_entry; /* the resource stands for a Bundle */
    bool                    trim;     /* XML: white space around values that are no texts counts for nothing */
    bool                    presumed; /* that the root is a Bundle */
    bool                    type_key; /* the property at hand of the root is resourceType, which is to prove it */
    bool                    seen_entry_key, null_told, reference_told;
    bool     other_told, inner_told; /* that resources of types nobody knows, or Bundles in Bundles, are passed over */
    bool    *seen;                   /* by name, of the root's */
    uint32_t seen_count;
    uint16_t root;
    /* what is held */
    enum { SHUNT_HOLD_NONE, SHUNT_HOLD_ROOT, SHUNT_HOLD_OBJECT, SHUNT_HOLD_ALL, SHUNT_HOLD_ENTRY, SHUNT_HOLD_WHOLE } holding;
    bool             hold_type; /* the property at hand is resourceType */
    uint32_t         hold_depth;
    uint64_t         hold_from, hold_at;
    char             type[72];
    uint32_t         type_length;
    /* a walk over a tape: where it is, and where that ends; NULL: tokens come from elsewhere */
    uint64_t        *cursor;
    uint64_t         cursor_end, current; /* the token at hand */
    shunt_buffer     references;          /* texts of those that are open */
    uint32_t         depth;               /* frames */
    shunt_fhir_frame frames[SHUNT_WALK_DEPTH + 2];
};

void       shunt_fhir_walk_init(shunt_fhir_walk *walk, const shunt_memory *memory, const shunt_fhir_names *names,
                                shunt_fhir_events *out, shunt_fhir_events *early, shunt_tape *tape, size_t most);
void       shunt_fhir_walk_done(shunt_fhir_walk *walk);
/* A document begins: its outermost object is the next token. */
void       shunt_fhir_walk_begin(shunt_fhir_walk *walk);
/* It is over: ends what stood around a resource that is a Bundle of one entry. */
bool       shunt_fhir_walk_end(shunt_fhir_walk *walk, uint64_t at) SHUNT_MUST_USE;
/* Walks over tokens of the tape as they come. */
bool       shunt_fhir_walk_play(shunt_fhir_walk *walk, uint64_t from, uint64_t to) SHUNT_MUST_USE;
/* In a walk over the tape: the object that begins at `from` as an instance of the loop. */
bool       shunt_fhir_walk_object(shunt_fhir_walk *walk, uint16_t loop, uint64_t from, uint64_t to) SHUNT_MUST_USE;
/* In a walk over the tape: the outermost object, in the root `loop`. */
bool       shunt_fhir_walk_whole(shunt_fhir_walk *walk, uint16_t loop, uint64_t from, uint64_t to) SHUNT_MUST_USE;
/* In a walk over the tape: an entry of the root `loop`. */
bool       shunt_fhir_walk_entry(shunt_fhir_walk *walk, uint16_t loop, const shunt_fhir_name *name, uint64_t from,
                                 uint64_t to) SHUNT_MUST_USE;
bool       shunt_fhir_walk_emit(shunt_fhir_walk *walk, const shunt_fhir_item *item, shunt_text text) SHUNT_MUST_USE;
/* The end of the object whose first token was just taken. */
uint64_t   shunt_tape_object_end(const shunt_tape *tape, uint64_t after_first, uint64_t end);
/* What the object at `from` says that it is; empty: nothing. Borrowed until the tape changes. */
shunt_text shunt_fhir_type_of(const shunt_tape *tape, uint64_t from, uint64_t to);
bool       shunt_fhir_type_fits(const shunt_plan *plan, uint16_t loop, shunt_text type);

#endif
