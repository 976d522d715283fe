/* plan_maker.h - from guides of the dictionary and the values that are wanted to the flat tables of a plan (engine/base/plan.h).
 * The compiler adds the guides of its sources, frames and slots as it meets paths, and writes the plan at the end; the commands
 * that look at messages without rules use shunt_plan_make.
 * Owns:    nothing; the maker, its texts and the plan live in the arena it was made in.
 * Threads: one maker, one thread.
 * Fails:   what hands out numbers gives SHUNT_NONE when memory or 16-bit numbers run out; `finish` then says NO_MEMORY or
 * LIMIT. */
#ifndef SHUNT_PLAN_MAKER_H
#define SHUNT_PLAN_MAKER_H

#include "engine/base/plan.h"
#include "standards/schema.h"

typedef struct shunt_plan_maker shunt_plan_maker;

/* A place in a guide: a loop (`segment` NULL), or a segment in the body of a loop. `guide` is a number of the maker. */
typedef struct shunt_plan_spot {
    uint16_t                  guide;
    const shunt_loop         *loop;
    const shunt_segment_node *segment;
} shunt_plan_spot;

/* Element groups inside a segment: CAS triplets begin at 2, every 3, at most 6. Stride 0: the whole segment is one instance. */
typedef struct shunt_plan_group {
    uint16_t first, stride, count;
} shunt_plan_group;

/* `texts` gets ids, versions and paths; its number 0 is the empty text. `names`: friendly names as well. */
shunt_plan_maker *shunt_plan_maker_new(shunt_arena *arena, shunt_intern *texts, bool names) SHUNT_MUST_USE;
/* Adds what the next source (0, 1, ...) says of the reading. False: no memory. */
bool              shunt_plan_maker_source(shunt_plan_maker *maker, const shunt_plan_source *source);
/* The same guide of the same source is added once. */
uint16_t          shunt_plan_maker_guide(shunt_plan_maker *maker, const shunt_guide *guide, uint16_t source);
uint16_t          shunt_plan_maker_frame(shunt_plan_maker *maker, shunt_frame_kind kind, shunt_text id, uint16_t source);
void              shunt_plan_maker_unit(shunt_plan_maker *maker, uint16_t frame);
/* Instances of the frame are those of this loop, or the repeats of this segment (with this qualifier, empty = any).
 * False: the place makes instances of another frame already, or does not exist. */
bool              shunt_plan_maker_bind(shunt_plan_maker *maker, uint16_t frame, shunt_plan_spot spot, shunt_text qualifier,
                                        shunt_plan_group group);
/* The GROUP frame that repeats of this segment make instances of, SHUNT_NONE = they fill the frame of the loop. `exact`: all
 * of its
 * instances have this qualifier, and each is a whole segment. */
uint16_t          shunt_plan_maker_group(const shunt_plan_maker *maker, shunt_plan_spot spot, shunt_text qualifier, bool *exact);
/* Number of a new slot within the frame, of a child list within the frame (the same for the same child). */
uint16_t          shunt_plan_maker_slot(shunt_plan_maker *maker, uint16_t frame, const shunt_plan_slot *like);
uint16_t          shunt_plan_maker_child(shunt_plan_maker *maker, uint16_t frame, uint16_t child);
shunt_plan_slot  *shunt_plan_maker_slot_at(shunt_plan_maker *maker, uint16_t frame, uint16_t slot);
/* The slot is filled from this element of the segment. `relative`: counted from the start of each element group, 0 = its
 * first. */
void shunt_plan_maker_demand(shunt_plan_maker *maker, uint16_t frame, uint16_t slot, shunt_plan_spot spot, shunt_text qualifier,
                             uint16_t element, uint16_t component, bool relative);
/* The same, all of a demand but its slot as given. `field`: the value is of a repetition of that field, see below. */
void shunt_plan_maker_want(shunt_plan_maker *maker, uint16_t frame, uint16_t slot, shunt_plan_spot spot, shunt_text qualifier,
                           uint16_t field, const shunt_plan_demand *demand);
/* Instances of the frame (of kind LOOP) are the repetitions of this field of the segment (HL7). False: it does not exist. */
bool shunt_plan_maker_repeat(shunt_plan_maker *maker, uint16_t frame, shunt_plan_spot spot, uint16_t field);
/* Trees of names (FHIR): an object under a name, or a list of them, below another one; `parent` SHUNT_NONE: the body of the guide,
 * once, before all else in it. All branches of a guide are added one after the other, parents first, when the loops of all other
 * guides are known. `only`: the type of resource, empty = any; `max` 0 = a list; `frame` SHUNT_NONE: it leads inwards only. */
uint16_t     shunt_plan_maker_branch(shunt_plan_maker *maker, uint16_t guide, uint16_t parent, shunt_text name, shunt_text only,
                                     uint16_t max, uint16_t frame);
/* The slot of the nearest frame around is filled from the value of this name. `item`: it is the value of an item of a list of primitives. */
void         shunt_plan_maker_leaf(shunt_plan_maker *maker, uint16_t branch, shunt_text name, uint16_t slot, bool item);
/* OK, or what `finish` will say already: NO_MEMORY, LIMIT. */
shunt_status shunt_plan_maker_status(const shunt_plan_maker *maker);
/* Writes the plan. The maker is used up. After it the absolute number of a slot is known. */
shunt_status shunt_plan_maker_finish(shunt_plan_maker *maker, shunt_plan *plan);
uint16_t     shunt_plan_maker_absolute(const shunt_plan_maker *maker, uint16_t frame, uint16_t slot);

/* A value that a command wants: its slot gets `shown` as path, frames are the loops. */
typedef struct shunt_plan_want {
    shunt_plan_spot spot; /* `guide`: index into the guides given */
    shunt_text      qualifier;
    uint16_t        element, component;
    uint32_t        phi; /* classes: the slot is masked */
    shunt_text      shown;
} shunt_plan_want;
/* Whole guides with friendly names, and demands for the values wanted. `plan` borrows from the arena. NO_MEMORY, LIMIT. */
shunt_status shunt_plan_make(shunt_arena *arena, const shunt_guide *const *guides, uint32_t guide_count,
                             const shunt_plan_want *wants, uint32_t want_count, shunt_plan *plan);
/* "[account_number]": the first of the classes, in brackets; empty for none. */
shunt_text   shunt_phi_mask(shunt_arena *arena, uint32_t phi);

#endif
