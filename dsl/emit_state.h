/* emit_state.h - what the files of emit share: the program being made, the function being made, registers, labels, constants.
 * Private to dsl/emit*.c.
 * Errors are sticky: without memory or room the helpers go on with harmless numbers, and shunt_emit looks at the flags at
 * the end.
 *
 * Registers. A register has one type in its function. Three lives:
 *   temporary   until the statement ends        (shunt_emit_temp, marked by `temps.count`)
 *   kept        until the region ends: `let`s, and values that are read once and used again (shunt_emit_kept)
 *   run         several in a row, of given types; temporary
 * A region is a stretch of code that runs as a whole or not at all: a block, an arm, a right side of `otherwise`. What was read
 * in a region may be used again in the regions inside it, which it dominates, and is forgotten when it ends. */
#ifndef SHUNT_EMIT_STATE_H
#define SHUNT_EMIT_STATE_H

#include "dsl/emit.h"
#include "dsl/grow.h"
#include "dsl/plan_maker.h"

typedef struct shunt_emit_reg {
    shunt_type type;
    bool       busy;
    bool       in_run;
} shunt_emit_reg;

typedef struct shunt_emit_run {
    uint16_t first, count;
} shunt_emit_run;

/* A value that stands in a register already: the instruction that made it, without its result. */
typedef struct shunt_emit_known {
    uint16_t op, b, c, reg;
} shunt_emit_known;

typedef struct shunt_emit_region {
    uint32_t known, kept;
} shunt_emit_region;

typedef struct shunt_emit_label {
    bool     bound;
    uint32_t at;
    SHUNT_LIST(uint32_t) jumps;
} shunt_emit_label;

/* What may be read where: decides early slots and least scopes of exits. */
typedef enum shunt_emit_phase {
    SHUNT_PHASE_PURE,
    SHUNT_PHASE_START,
    SHUNT_PHASE_EARLY,
    SHUNT_PHASE_UNIT,
    SHUNT_PHASE_TALLY,
    SHUNT_PHASE_LATE,
    SHUNT_PHASE_END
} shunt_emit_phase;

/* A pass over a list that runs now. */
typedef struct shunt_emit_pass {
    const shunt_symbol *item;
    const shunt_symbol *list;  /* that the list is bound to, for all of the handler; NULL = none */
    uint16_t            index; /* register: number of the item, from 1 */
} shunt_emit_pass;

/* A call that several passes over one list make for each item, see emit_recall.c. */
typedef struct shunt_emit_recall {
    uint32_t   uses;
    bool       begun; /* a pass before this one has kept what it gave */
    uint16_t   reg;   /* list of what was kept; SHUNT_NONE = none */
    shunt_type type;  /* of the result */
} shunt_emit_recall;

/* The value that an expression reads first, counted within its frame; slot SHUNT_NONE = none. */
typedef struct shunt_emit_place {
    uint16_t frame, slot, node;
} shunt_emit_place;

/* A record whose fields are known while the handler of a map that reads it is emitted. */
typedef struct shunt_emit_handed {
    const shunt_symbol *variable; /* of the handler */
    const shunt_ast    *emit;     /* that made it */
    shunt_emit_place   *places;   /* of its fields */
} shunt_emit_handed;

/* A parameter of a function whose body is being emitted in the place of a call. */
typedef struct shunt_emit_given {
    const shunt_symbol *param;
    shunt_ast          *value;
} shunt_emit_given;

typedef struct shunt_emitter shunt_emitter;
typedef struct shunt_emit_fn {
    shunt_emitter   *e;
    shunt_emit_phase phase;
    shunt_scope      least; /* exits leave at least this */
    uint16_t         params;
    uint16_t         node;   /* register of the node that it was called with, SHUNT_NONE */
    bool             impure; /* reads more than arguments, constants and tables */
    shunt_span       span;   /* of what is being made now: the site of the next instruction */
    uint16_t         step;   /* text, SHUNT_NONE */
    SHUNT_LIST(shunt_instruction) code;
    SHUNT_LIST(uint32_t) sites;
    SHUNT_LIST(shunt_emit_reg) regs;
    SHUNT_LIST(shunt_emit_run) temps;
    SHUNT_LIST(shunt_emit_run) kept;
    SHUNT_LIST(shunt_emit_run) runs; /* all */
    SHUNT_LIST(shunt_emit_run) free_runs;
    SHUNT_LIST(shunt_emit_known) known;
    SHUNT_LIST(shunt_emit_known) first;      /* what passes need and never changes: done when the function begins */
    uint32_t                   exits_before; /* exits of the functions before it */
    uint32_t                   depth;        /* passes around what is being made */
    uint16_t                   item;         /* register of `it`, SHUNT_NONE */
    const shunt_shape         *record;       /* target whose fields are named by SYMBOL_FIELD */
    uint16_t                   record_base;
    struct shunt_emit_journal *journal; /* open, or NULL */
    shunt_emit_label          *skip;    /* where `skip` goes on, while others stand behind it; NULL: it leaves the function */
    const shunt_symbol        *unit;    /* the unit's variable, NULL = none */
    shunt_intern              *recall_keys;
    SHUNT_LIST(const shunt_symbol *) outer_lets; /* made outside of every pass */
    SHUNT_LIST(shunt_emit_pass) passes;
    SHUNT_LIST(shunt_emit_given) given;
    SHUNT_LIST(shunt_emit_recall) recalls; /* by number of its key */
    /* The first value that the statement reads: where its exits point. */
    uint16_t read_frame, read_slot, read_node;
} shunt_emit_fn;

typedef struct shunt_emit_journal {
    const shunt_symbol *target;
    shunt_ast          *block;
    uint16_t            header;          /* first of the header fields */
    uint16_t            keys, key_count; /* first of the key texts */
    uint16_t            with;            /* first of the columns that every line has; SHUNT_NONE = target without columns */
} shunt_emit_journal;

typedef struct shunt_emit_slot {
    uint16_t frame, slot;
} shunt_emit_slot;
typedef struct shunt_emit_read {
    uint16_t        field;
    shunt_emit_slot at;
} shunt_emit_read;

/* A collector or a list of dates already made for this place. */
typedef struct shunt_emit_made {
    shunt_lang_builtin    builtin;
    const shunt_loop_ref *loop;
    uint16_t              number;
    uint16_t              frame;
    SHUNT_LIST(shunt_emit_read) reads; /* what each field of its rows is made of, for lineage */
} shunt_emit_made;

/* A table of lineage before the plan is flat. */
typedef struct shunt_emit_lineage {
    shunt_lineage   line;
    shunt_emit_slot slot;
} shunt_emit_lineage;

struct shunt_emitter {
    shunt_compilation *c;
    shunt_arena       *arena;
    shunt_intern      *texts;
    shunt_intern      *cover_keys;
    shunt_intern      *constant_keys, *site_keys, *slot_keys, *lineage_keys;
    void              *search, *stamp; /* the last search through lets, and what it marks them with */
    shunt_plan_maker  *plan;
    bool               no_memory, too_large, wrong;
    _Alignas(16) char spare[256];               /* written to when there is no memory */
    SHUNT_LIST(uint32_t) * line_starts_of;      /* one a module */
    SHUNT_LIST(const shunt_shape *) records_of; /* record type n is of this shape */
    SHUNT_LIST(const shunt_shape *) enums_of;
    SHUNT_LIST(const shunt_codeset *) lists_of;
    SHUNT_LIST(shunt_loop_ref *) own_loops; /* that the rules do not name, made for collectors */
    SHUNT_LIST(shunt_emit_made) made;
    SHUNT_LIST(shunt_emit_slot) slots_of;   /* slot key n */
    struct shunt_emit_instances *instances; /* of functions that take a part of the message */
    SHUNT_LIST(bool) once_of;               /* frame n: at most one instance a transaction */
    SHUNT_LIST(bool) aside_of;              /* frame n: HL7, read while units come, and stands in none of them nor around them */
    SHUNT_LIST(shunt_emit_lineage) lineage_of;
    SHUNT_LIST(shunt_emit_handed) handed;    /* outermost first */
    SHUNT_LIST(const shunt_symbol *) placed; /* maps of records whose `let`s and totals have their places */
    uint32_t    handlers_inside;             /* handlers of records that stand in the function being made */
    shunt_scope widest;
    /* sections of the program that grow */
    SHUNT_LIST(shunt_source) sources;
    SHUNT_LIST(shunt_zone) zones;
    SHUNT_LIST(shunt_zone_change) zone_changes;
    SHUNT_LIST(shunt_map_entry) maps;
    SHUNT_LIST(shunt_handler) handlers;
    SHUNT_LIST(shunt_tally) tallies;
    SHUNT_LIST(shunt_constant) constants;
    SHUNT_LIST(shunt_function) functions;
    SHUNT_LIST(shunt_type) register_types;
    SHUNT_LIST(shunt_instruction) instructions;
    SHUNT_LIST(uint32_t) instruction_sites;
    SHUNT_LIST(shunt_site) sites;
    SHUNT_LIST(shunt_type) globals;
    SHUNT_LIST(shunt_enum) enums;
    SHUNT_LIST(shunt_code_list) code_lists;
    SHUNT_LIST(uint16_t) numbers;
    SHUNT_LIST(shunt_record_type) records;
    SHUNT_LIST(shunt_field) fields;
    SHUNT_LIST(shunt_table) tables;
    SHUNT_LIST(shunt_cell) cells;
    SHUNT_LIST(shunt_text) table_texts;
    SHUNT_LIST(shunt_code) codes;
    SHUNT_LIST(shunt_exit) exits;
    SHUNT_LIST(shunt_emit_slot) exit_slots; /* one an exit: its place before the plan is flat */
    SHUNT_LIST(shunt_target) targets;
    SHUNT_LIST(shunt_encoding) encodings;
    SHUNT_LIST(shunt_encoding_column) encoding_columns;
    SHUNT_LIST(shunt_message_node) message_nodes;
    SHUNT_LIST(shunt_collect) collects;
    SHUNT_LIST(shunt_collect_field) collect_fields;
    SHUNT_LIST(shunt_emit_slot) collect_slots; /* one a collect field */
    SHUNT_LIST(shunt_alternative) alternatives;
    SHUNT_LIST(shunt_emit_slot) alternative_slots;
    SHUNT_LIST(shunt_earliest) earliests;
    SHUNT_LIST(shunt_date_path) date_paths;
    SHUNT_LIST(shunt_emit_slot) date_slots;
    SHUNT_LIST(shunt_module) modules;
    SHUNT_LIST(shunt_decision) decisions;
    SHUNT_LIST(shunt_decision_column) decision_columns;
    SHUNT_LIST(shunt_value) decision_points;
    SHUNT_LIST(uint32_t) decision_sets;
    SHUNT_LIST(uint64_t) decision_bits;
    SHUNT_LIST(shunt_extern) externs;
    SHUNT_LIST(shunt_type) extern_types;
};

/* ---- emit_build.c: texts, constants, sites, instructions, registers, labels ---- */
uint16_t   shunt_emit_text(shunt_emitter *e, shunt_text text);
/* A text that was just made: without memory it has no bytes. */
shunt_text shunt_emit_made_text(shunt_emitter *e, shunt_text text);
uint16_t   shunt_emit_constant(shunt_emitter *e, shunt_type type, shunt_value value);
uint16_t   shunt_emit_text_constant(shunt_emitter *e, shunt_text text);
uint32_t   shunt_emit_site(shunt_emitter *e, shunt_span span, uint16_t step);
uint16_t   shunt_emit_number(shunt_emitter *e, uint32_t number); /* LIMIT over 16 bits */
#define SHUNT_EMIT_NEW(e, list)                                                                                                  \
    ((__typeof__((list)->items))shunt_emit_more((e), SHUNT_PUSH((e)->arena, (list)), sizeof *(list)->items))
void *shunt_emit_more(shunt_emitter *e, void *item, size_t size); /* the item, or a throw-away one without memory */
bool  shunt_emit_failed(const shunt_emitter *e);
/* A construct that parses and checks but has no lowering: E0001 at its place. */
void  shunt_emit_unsupported(shunt_emitter *e, shunt_span span, const char *what);

shunt_emit_fn *shunt_emit_fn_new(shunt_emitter *e, shunt_emit_phase phase);
uint16_t       shunt_emit_param(shunt_emit_fn *f, shunt_type type);
uint16_t       shunt_emit_fn_done(shunt_emit_fn *f, shunt_text name, shunt_type result, bool pure); /* number of the function */
uint32_t       shunt_emit_op(shunt_emit_fn *f, shunt_op op, uint16_t a, uint16_t b, uint16_t c);
uint16_t       shunt_emit_temp(shunt_emit_fn *f, shunt_type type);
uint16_t       shunt_emit_kept(shunt_emit_fn *f, shunt_type type);
uint16_t       shunt_emit_run_of(shunt_emit_fn *f, const shunt_type *types, uint32_t count);
void           shunt_emit_release(shunt_emit_fn *f, uint32_t mark); /* temporaries above the mark */
bool           shunt_emit_is_temp(const shunt_emit_fn *f, uint16_t reg);
shunt_emit_region shunt_emit_enter(shunt_emit_fn *f);
void              shunt_emit_leave(shunt_emit_fn *f, shunt_emit_region region);
/* The register that holds what `op b, c` gives: a known one, or a kept one after emitting it. */
uint16_t          shunt_emit_once(shunt_emit_fn *f, shunt_op op, shunt_type type, uint16_t b, uint16_t c);
shunt_type        shunt_emit_type_of(const shunt_emit_fn *f, uint16_t reg);
void              shunt_emit_jump(shunt_emit_fn *f, shunt_op op, uint16_t a, shunt_emit_label *label);
void              shunt_emit_bind(shunt_emit_fn *f, shunt_emit_label *label);
bool              shunt_emit_same(shunt_type a, shunt_type b);

/* ---- emit_decl.c: records, enums, tables, targets ---- */
shunt_type shunt_emit_type(shunt_emitter *e, const shunt_ty *type);
uint16_t   shunt_emit_record(shunt_emitter *e, const shunt_shape *shape);
uint16_t   shunt_emit_enum(shunt_emitter *e, const shunt_shape *shape);
uint16_t   shunt_emit_code_list(shunt_emitter *e, const shunt_codeset *codes);
void       shunt_emit_declarations(shunt_emitter *e, const shunt_table_rows *rows, uint32_t row_sets);

/* ---- emit_path.c: frames, slots, collectors ---- */
uint16_t shunt_emit_frame(shunt_emitter *e, const shunt_loop_ref *loop);
uint16_t shunt_emit_set_frame(shunt_emitter *e, const shunt_symbol *source);
uint16_t shunt_emit_set_node(shunt_emit_fn *f, const shunt_symbol *source); /* register of the node of the set */
void     shunt_emit_bind_groups(shunt_emitter *e);
void     shunt_emit_aside_is_early(shunt_emitter *e); /* once all is emitted */
/* The segments that name the currency of a message are captured, so that the session can hold it against the source's. */
void     shunt_emit_demand_currency(shunt_emitter *e);
#define SHUNT_EMIT_CURRENCY_PATH "CUR02"
void                   shunt_emit_look_around(shunt_emit_fn *f, shunt_ast *block,
                                              const shunt_symbol *unit); /* nodes around the unit, once for all */
shunt_emit_slot        shunt_emit_slot_of(shunt_emitter *e, const shunt_path *path, const shunt_ty *type, shunt_span span);
uint16_t               shunt_emit_path(shunt_emit_fn *f, const shunt_path *path, const shunt_ty *type, bool optional);
const shunt_loop_ref  *shunt_emit_set_loop(shunt_emitter *e, const shunt_symbol *source);
const shunt_emit_made *shunt_emit_collect(shunt_emitter *e, shunt_lang_builtin builtin, const shunt_loop_ref *loop,
                                          const shunt_shape *shape, shunt_span span);
const shunt_emit_made *shunt_emit_earliest(shunt_emitter *e, const shunt_loop_ref *loop);

uint16_t shunt_emit_new_frame(shunt_emitter *e, shunt_frame_kind kind, shunt_text id, const shunt_symbol *source, bool once);
shunt_plan_slot shunt_emit_slot_like(shunt_emitter *e, shunt_standard standard, const shunt_ty *type, shunt_value_type from,
                                     uint8_t implied, shunt_text shown);
uint16_t        shunt_emit_child(shunt_emit_fn *f, uint16_t node, uint16_t frame, shunt_op op);

/* ---- emit_tree.c: objects of FHIR ---- */
uint16_t        shunt_emit_tree_frame(shunt_emitter *e, const shunt_loop_ref *loop);
/* No slot (SHUNT_NONE) in the body of a function that no call is being made of. */
shunt_emit_slot shunt_emit_tree_slot(shunt_emitter *e, const shunt_path *path, const shunt_ty *type);
uint16_t        shunt_emit_tree_walk(shunt_emit_fn *f, const shunt_path *path);
bool            shunt_emit_takes_part(const shunt_symbol *function); /* a parameter is a part of the message */
/* All that the maps call, with each place that they call it with; before the maps. */
void            shunt_emit_make_instances(shunt_emitter *e);
/* The function that this call calls, and the types of its parameters. */
bool            shunt_emit_instance(shunt_emitter *e, const shunt_ast *call, const shunt_symbol *function, shunt_type *types,
                                    uint16_t *number);
/* Looks at the function with its parameters at the places of this call, once in a search for each of them. */
void            shunt_emit_in_places(shunt_emitter *e, const shunt_ast *call, const shunt_symbol *function,
                                     void (*look)(void *context, const shunt_symbol *function), void *context);
void            shunt_emit_forget_trees(const shunt_compilation *c); /* what an earlier emission has noted */
void            shunt_emit_trees(shunt_emitter *e);                  /* into the plan, when all is demanded */

/* ---- emit_expr.c ---- */
shunt_ast *shunt_emit_argument(const shunt_ast *call, uint32_t n, shunt_text name); /* NULL = left out */
uint16_t   shunt_emit_expr(shunt_emit_fn *f, shunt_ast *node);
void       shunt_emit_into(shunt_emit_fn *f, shunt_ast *node, uint16_t into);  /* converts */
uint16_t   shunt_emit_value(shunt_emit_fn *f, shunt_ast *node, uint16_t into); /* in `into` if that is easy, else elsewhere */
void       shunt_emit_convert(shunt_emit_fn *f, uint16_t from, uint16_t into);
void       shunt_emit_text_into(shunt_emit_fn *f, shunt_ast *node, uint16_t into); /* canonical text */
void       shunt_emit_answered_into(shunt_emit_fn *f, shunt_ast *node,
                                    uint16_t into);               /* a missing required element is absence, not failure */
uint16_t   shunt_emit_message(shunt_emit_fn *f, shunt_ast *text); /* of an exit; PHI masked */
void       shunt_emit_condition(shunt_emit_fn *f, shunt_ast *node, bool when, shunt_emit_label *label);
/* Jumps to `label` when a value in `subject` fits one of the alternatives. */
void shunt_emit_pattern(shunt_emit_fn *f, uint16_t subject, const shunt_ty *type, shunt_ast *pattern, shunt_emit_label *label);

/* One pass over a list: between begin and end stands the body, in a region of its own. */
typedef struct shunt_emit_loop {
    shunt_emit_label  next, end;
    shunt_emit_region region;
    uint32_t          mark;
    uint16_t          item, index;
    bool              pass; /* stands in `passes` */
} shunt_emit_loop;
void shunt_emit_loop_begin(shunt_emit_fn *f, shunt_ast *each, shunt_emit_loop *loop);
void shunt_emit_loop_end(shunt_emit_fn *f, shunt_emit_loop *loop);
void shunt_emit_bind_local(shunt_emit_fn *f, shunt_symbol *symbol, uint16_t reg);

/* ---- emit_decide.c ---- */
uint16_t shunt_emit_decide(shunt_emitter *e, shunt_symbol *symbol);                             /* number of its function */
uint16_t shunt_emit_decide_call(shunt_emit_fn *f, shunt_ast *node, const shunt_symbol *symbol); /* of one with rows that leave */

/* ---- emit_recall.c ---- */
/* Before a block is emitted: finds what its passes have in common. */
void               shunt_emit_find_recalls(shunt_emit_fn *f, shunt_ast *block, const shunt_symbol *unit);
void               shunt_emit_pass_begin(shunt_emit_fn *f, const shunt_ast *each, uint16_t index);
void               shunt_emit_pass_end(shunt_emit_fn *f);
/* The result of a function that is so short that it is emitted where it is called; NULL = it is called. The values of its
 * parameters stand in `given` until the end. */
shunt_ast         *shunt_emit_short_begin(shunt_emit_fn *f, const shunt_ast *call, const shunt_symbol *function);
void               shunt_emit_short_end(shunt_emit_fn *f, const shunt_symbol *function);
/* What is kept of this call in the pass that runs; NULL = nothing. */
shunt_emit_recall *shunt_emit_recall_of(shunt_emit_fn *f, const shunt_ast *call, uint16_t *index);

/* ---- emit_tidy.c ---- */
void shunt_emit_tidy(shunt_emit_fn *f);

/* ---- emit_cover.c ---- */
/* What is emitted next is this place of the rules; nothing unless the compilation asks for it. */
void shunt_emit_cover(shunt_emit_fn *f, shunt_cover_kind kind, const shunt_ast *node);

/* ---- emit_stmt.c ---- */
void     shunt_emit_block(shunt_emit_fn *f, shunt_ast *block);
void     shunt_emit_statement(shunt_emit_fn *f, shunt_ast *node);
void     shunt_emit_exit(shunt_emit_fn *f, shunt_ast *exit); /* without its `when` */
uint16_t shunt_emit_exit_number(shunt_emit_fn *f, shunt_ast *exit);

/* ---- emit_map.c ---- */
uint16_t   shunt_emit_function(shunt_emitter *e, shunt_symbol *symbol); /* its number */
void       shunt_emit_functions(shunt_emitter *e);
void       shunt_emit_maps(shunt_emitter *e);
shunt_type shunt_emit_tally_type(shunt_emitter *e, const shunt_symbol *tally); /* of what is added */

/* ---- emit_extern.c ---- */
uint16_t shunt_emit_extern(shunt_emitter *e, shunt_symbol *symbol); /* number of the function that calls it */

/* ---- emit_chain.c: maps that read the records of others ---- */
typedef SHUNT_LIST(shunt_symbol *) shunt_emit_maps_list;
/* The map, and all that its records come to, those that hand records on first. */
void                     shunt_emit_maps_behind(shunt_emitter *e, shunt_symbol *map, shunt_emit_maps_list *maps);
/* The handlers of all maps that read this target, for the record whose fields stand from `base` on. */
void                     shunt_emit_hand_on(shunt_emit_fn *f, const shunt_ast *emit, const shunt_symbol *target, uint16_t base,
                                            shunt_emit_place *places);
const shunt_emit_handed *shunt_emit_handed_to(const shunt_emitter *e, const shunt_ast *name); /* NULL: it is no such record */
/* What fills a field of the record: an expression, rows, or NULL = nothing. */
shunt_ast               *shunt_emit_handed_field(const shunt_emit_handed *handed, uint32_t member);

/* ---- emit_overlay.c ---- */
void     shunt_emit_overlays(shunt_emitter *e); /* their globals, first of all */
/* Register of whether the overlay is active; what reads it is not pure. */
uint16_t shunt_emit_active(shunt_emit_fn *f, const shunt_overlay *overlay);
/* Returns the value of an active overlay; goes on where none is. */
void     shunt_emit_replaced(shunt_emit_fn *f, const shunt_symbol *let, shunt_type result);
void     shunt_emit_choose_overlays(shunt_emit_fn *f, const shunt_symbol *map); /* for the transaction */
void     shunt_emit_forget_overlays(shunt_emit_fn *f);

/* ---- lineage.c: which slots a field is made of ---- */
void shunt_emit_depends(shunt_emitter *e, uint16_t target, uint16_t field, uint32_t site, shunt_ast *value);

#endif
