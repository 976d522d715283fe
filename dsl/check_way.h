/* check_way.h - how the checker follows a path through the loops of a guide: shared by check_path.c, which knows the paths of X12,
 * and by the files that know those of another standard. Private to dsl/check*.c.
 * Owns and fails as check.h says. */
#ifndef SHUNT_CHECK_WAY_H
#define SHUNT_CHECK_WAY_H

#include "dsl/check.h"

enum { DOWN_AT_MOST = 8, HELPS_SHOWN = 4, ANCESTORS = 16 };

/* What a part of a path denotes, while it is walked from the left. */
typedef enum walked { WALK_OTHER, WALK_REPORTED, WALK_LOOP, WALK_SEGMENT, WALK_VALUE } walked;

typedef struct way {
    shunt_ast            *base;
    shunt_symbol         *start;
    const shunt_loop_ref *up;
    const shunt_loop_ref *down[DOWN_AT_MOST];
    uint32_t              down_count;
    const shunt_loop_ref *loop; /* where it ends */
    bool                  list; /* there may be several */
    bool                  optional;
    shunt_text            why; /* the first part that may be missing, in words */
    shunt_text            segment, qualifier;
    uint16_t              element, component;
    uint8_t               subcomponent, repetition; /* HL7 */
    bool                  part_start, part_end;
} way;

/* A path and what only diagnostics want of it. */
typedef struct described_path {
    shunt_path path; /* first */
    shunt_text why, origin;
} described_path;

typedef SHUNT_LIST(shunt_loop_match) match_list;

/* A loop around another one. */
typedef struct ancestor {
    const shunt_loop_ref *ref;
    uint32_t              depth;
    bool                  always;
} ancestor;

/* ---- loops of the guides (check_path.c) ---- */
const shunt_loop_ref *body_ref(check *k);
/* The loop that goes by this name, of which one exists; `*fresh`: it is new and empty, and the caller fills it. */
shunt_loop_ref       *named_loop(check *k, shunt_text name, bool *fresh);
const shunt_loop_ref *plain_ref(check *k, const char *id);
/* What stands around a loop in any guide, nearest first, the body of the set last. */
uint32_t              ancestors_of(check *k, const shunt_loop_ref *ref, ancestor found[static ANCESTORS]);
bool                  has_segment(const shunt_loop_ref *ref, shunt_text segment);
/* Whether every guide has the loop; `missing` is the first that has not. */
bool                  in_every_guide(const check *k, const shunt_loop_ref *ref, uint32_t *missing);
/* E0211: what is shown is `what` ("missing") in that guide. */
void                  missing_in_guide(check *k, const shunt_ast *node, shunt_text shown, uint32_t guide, const char *what);
/* The shortest way down from a loop to one with that id: loops into `chain`, their number, or 0. */
uint32_t              shortest_down(const shunt_loop_ref *from, shunt_text id, const shunt_loop *chain[static DOWN_AT_MOST]);
bool                  is_streamed(check *k, const shunt_loop_ref *ref); /* its instances come and go while the units do */
bool                  gone(check *k, const shunt_ast *node, const shunt_loop_ref *loop); /* E0601; gives false */

/* ---- going along (check_path.c) ---- */
bool   nearest_loop_variable(const level **at);
/* The way begins at a name that stands for a part of the message. The variable of a `for each` is its `start`; from another value the
 * caller sets `base`. False: the name is no part of the message. */
bool   begin_way(check *k, const shunt_ast *node, shunt_symbol *symbol, way *w);
/* The way begins at any other expression that gives a part of the message. */
walked walk_value(check *k, shunt_ast *node, way *w);
void   maybe_missing(way *w, shunt_text why);
void   take_down(check *k, way *w, const shunt_loop_ref *to);
void   go_up(check *k, way *w, const level *from, const ancestor *to);
/* Down to the loop `id` somewhere below where the way is. WALK_OTHER: there is none below. */
walked go_down(check *k, way *w, const shunt_ast *node, shunt_text id);
/* A loop named outright: the one around this, one below a loop around this, or one of the set. */
walked head_loop(check *k, const shunt_ast *node, shunt_text id, way *w);
/* E0212: there are several, and one is wanted; gives false. */
bool   several_on_the_way(check *k, const shunt_ast *node, const shunt_loop_ref *several, shunt_text wanted);
bool   outside_of_the_map(check *k, const shunt_ast *node, shunt_text shown); /* false: reported, there is no message here */
bool   arrived(check *k, const shunt_ast *node, const way *w);                /* false: E0601 was reported */

/* ---- a finished path (check_path.c) ---- */
described_path *new_path(check *k, const way *w, shunt_path_kind kind);
shunt_ty        path_fact(check *k, shunt_ast *node, described_path *p, shunt_ty type);
bool            element_type(check *k, const shunt_ast *node, shunt_text shown, const shunt_element *e, shunt_ty *type);
bool            join_value_types(shunt_value_type *joined, shunt_value_type other);
/* The list node of a `for each` becomes a list of instances of the loop. */
void            list_of_loop(check *k, shunt_ast *list, const shunt_loop_ref *ref);

/* ---- HL7 v2 (check_hl7.c) ---- */
/* As check_path, unit_loop_of and names_message say of them, for a source of HL7. */
bool                  hl7_path(check *k, shunt_ast *node, const shunt_ty *want, bool list, shunt_ty *type);
const shunt_loop_ref *hl7_unit_loop(check *k, shunt_ast *list, bool *reported);
bool                  hl7_names_field(shunt_text name); /* `PID-3`, `FT1-11.1.2` by its looks */
/* What the arguments of the source name, and an item of its braces: see the table of kinds in check_source.c. */
bool                  hl7_guides(check *k, shunt_ast *node, shunt_source_info *info);
bool                  hl7_item(check *k, shunt_ast *item, shunt_source_info *info);

/* ---- rows (check_csv.c) ---- */
/* As above, for sources of CSV and FIXED. */
bool                  csv_path(check *k, shunt_ast *node, bool list, shunt_ty *type);
const shunt_loop_ref *csv_unit_loop(check *k, shunt_ast *list, bool *reported);
bool                  csv_guides(check *k, shunt_ast *node, shunt_source_info *info);
bool                  csv_item(check *k, shunt_ast *item, shunt_source_info *info);

static inline const shunt_source_info *source_of(const check *k) { return k->source->as.source; }
static inline bool is_hl7(const check *k) { return k->source && source_of(k)->standard == SHUNT_STANDARD_HL7; }
static inline bool is_rows(const check *k)
{
    return k->source && source_of(k)->guide_count &&
           (source_of(k)->standard == SHUNT_STANDARD_CSV || source_of(k)->standard == SHUNT_STANDARD_FIXED);
}

#endif
