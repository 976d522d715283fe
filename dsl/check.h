/* check.h - what the files of the checker share. Private to dsl/check*.c.
 * Owns:    nothing; everything lives in the arena of the compilation.
 * Fails:   without memory by a jump back to shunt_check (nothing is held that would need freeing); so helpers here never fail.
 * Read first: check.c (declarations), check_source.c, check_path.c (the message), check_expr.c, check_call.c, check_stmt.c, check_test.c. */
#ifndef SHUNT_CHECK_H
#define SHUNT_CHECK_H

#include <setjmp.h>

#include "dsl/grow.h"
#include "dsl/scope.h"
#include "dsl/suggest.h"
#include "dsl/type.h"
#include "dsl/zone_file.h"

typedef SHUNT_LIST(shunt_symbol *) symbol_list;
typedef SHUNT_LIST(shunt_ast *) node_list;

/* ---- protected health information inside functions ----
 * In the body of a function the bits of `phi` are no classes but atoms: what part of the classes of which argument arrives. A
 * call replaces each atom by what the argument at hand has, so a function is checked for each call without being walked again. */
typedef enum atom_way { ATOM_ALL, ATOM_NO_DATE, ATOM_IDENTIFIER /* any class becomes identifier */, ATOM_CONSTANT } atom_way;
typedef struct atom {
    atom_way way;
    uint32_t param;   /* UINT32_MAX: the union of all arguments */
    uint32_t classes; /* CONSTANT */
} atom;
enum { ATOMS = 32 };

typedef struct call_site {
    struct call_site *next;   /* of the same callee */
    struct decl      *caller; /* function, NULL = elsewhere: the bits are classes */
    const uint32_t   *phi;    /* of each argument */
} call_site;

typedef struct function_facts {
    atom       atoms[ATOMS];
    uint32_t   atom_count;
    uint32_t   result;  /* atoms */
    uint32_t  *classes; /* of each parameter, over all calls */
    call_site *calls;
    uint32_t   walk; /* 0 = not yet, 1 = on the way, 2 = done */
} function_facts;

/* What a reversal, in which all amounts of a claim are negative, makes of an amount. */
typedef enum amount_turn {
    TURN_NONE,
    TURN_SIGN,       /* negative, then */
    TURN_MOVED,      /* made of what turns, but which sign it has cannot be told: `max(CLP05, 0.00 USD)` */
    TURN_DIFFERENCE, /* its sign says which of two is larger */
} amount_turn;

/* What an answer of a condition says: that the claim is no reversal. */
enum { UNREVERSED_IF_TRUE = 1, UNREVERSED_IF_FALSE = 2 };

/* A declaration: the symbol and what only check needs of it. */
typedef struct decl {
    shunt_symbol    symbol;        /* first, so that a symbol is its decl */
    uint32_t        levels;        /* of `for each` that the value depends on, as bits */
    bool            rounded;       /* made with `round` */
    bool            unread;        /* poisoned: its kind is not in this version, what reads it is silent */
    bool            written;       /* TARGET of the map at hand */
    bool            holds_cleared; /* TARGET: its fields may be cleared, for they are written as HL7 */
    uint8_t         turn;          /* `let` of a unit: amount_turn */
    uint8_t         unreversed;    /* `let` of a unit that is a condition: UNREVERSED_IF_... */
    uint8_t         key_kind;      /* tally: of the keys that are added to, shunt_ty_kind */
    shunt_text      late;          /* global: what it reads that comes after the units */
    function_facts *function;
    const void     *term;     /* for prove.h: its value, */
    uint32_t        term_run; /* in this run */
} decl;
static inline decl *decl_of(const shunt_symbol *symbol) { return (decl *)(uintptr_t)symbol; }

typedef struct alias {
    shunt_text name;
    uint32_t   module;
    shunt_span span;
    bool       used;
} alias;

typedef struct module {
    const shunt_module_info *info;
    uint32_t                 number;
    uint32_t                 walk;          /* import cycle: 0, 1 on the way, 2 done */
    shunt_scope values, types, codes, maps; /* names that stand for values; enums, targets, tables; exit codes; maps */
    SHUNT_LIST(alias) aliases;
    symbol_list own;            /* declared in it */
    SHUNT_LIST(uint32_t) lines; /* where each begins; made when first asked for */
    bool unread;                /* has a source that is not in this version */
    bool incomplete;            /* an import is missing: a name that is not found may be one of its */
    bool has_map;
    bool broken_known;
    SHUNT_LIST(shunt_text) broken; /* names whose declarations could not be read: what comes of that is no news */
} module;

/* Where code stands decides what it may read and where its exits lead. */
typedef enum phase {
    PHASE_NONE, /* constants, tables, tests: nothing of the message */
    PHASE_FUNCTION,
    PHASE_TARGET, /* defaults and checks of a target: its fields */
    PHASE_START,
    PHASE_GLOBAL, /* `let` of a map, `correlate by` */
    PHASE_TALLY,
    PHASE_UNIT,
    PHASE_END,      /* at end of the transaction */
    PHASE_WIDE_END, /* at end of batch or file */
} phase;

/* One `for each` (or `it`) around the code at hand. */
typedef struct level {
    struct level         *outer;
    shunt_symbol         *variable;
    const shunt_loop_ref *loop; /* NULL: rows, values */
    shunt_ast            *each;
    uint32_t              bit;
    bool                  is_it;
} level;

/* What was said of a value for a place that it may fill many times, as a column of lines: it is not said again. */
typedef struct told {
    shunt_status code;
    const void  *place, *value; /* member or target; symbol or loop of a path */
    shunt_text   text;          /* as it is written */
    uint32_t     diag;          /* its number */
} told;

/* What is known of a value, which is in one of three states, or of the claim. */
typedef struct learnt {
    const shunt_ast *value; /* NULL: of the claim */
    bool             not_absent, not_cleared, unreversed;
} learnt;

typedef struct check {
    shunt_compilation *c;
    shunt_arena       *arena;
    shunt_diags       *diags;
    jmp_buf            no_memory;
    module            *modules;
    module            *module;
    SHUNT_LIST(shunt_symbol *) symbols;
    SHUNT_LIST(shunt_loop_ref *) loops;
    SHUNT_LIST(shunt_zone_file) zones;
    SHUNT_LIST(shunt_overlay *) overlays;
    shunt_intern *loop_names; /* of `named_loops`, one for one; loops of FHIR are found by their trees and have none */
    SHUNT_LIST(shunt_loop_ref *) named_loops;
    SHUNT_LIST(uint32_t) order; /* modules with a tree, imports before those that import them */
    symbol_list   functions;    /* callees before callers */
    symbol_list   maps;
    uint32_t      unused;                        /* warnings of what is never used */
    shunt_shape  *adjustment, *prior, *provider; /* built-in rows, made when first used */
    shunt_symbol *shapes_for;                    /* their currency is that of this source */
    /* the map at hand */
    shunt_symbol *map, *source;
    shunt_symbol *record;                     /* target whose records the map reads, then `source` is NULL; else NULL */
    bool          unread;                     /* its source is not in this version: whatever reads the message is silent */
    bool          lost;                       /* inside a `for each` that was reported: where paths lead is not known */
    SHUNT_LIST(const shunt_loop_ref *) units; /* the loops whose instances are units of the map */
    shunt_ast            *unit_each;          /* of the unit at hand, for diagnostics */
    const shunt_loop_ref *unit_loop;
    uint32_t              unit_bit;
    bool                  posts; /* the map writes a journal */
    shunt_scope           steps;
    /* the place at hand */
    phase                 phase;
    shunt_lang_scope      end_scope;
    level                *level;
    uint32_t              level_count;
    decl                 *function;
    shunt_text            filling;     /* name of the field or column that is being filled, for ranking */
    uint32_t              levels;      /* gathered while an expression is checked: levels it depends on, */
    shunt_text            late;        /* what it reads that comes after the units, */
    bool                  rounded;     /* and whether it rounds */
    shunt_ast            *may_divide;  /* the one `/` that stands in `round` */
    shunt_ast            *narrow_list; /* FHIR: a list of which `where` says the type of its resources, NULL = none */
    const shunt_ast      *narrow_type; /* the text that says it */
    shunt_arena          *proving;     /* while balance is proved, else NULL; held across a jump out */
    SHUNT_LIST(learnt) learnt;         /* what conditions around the place at hand say */
    SHUNT_LIST(told) told;             /* faults of a value that is written in several places */
    uint32_t depth;
    bool     kept;     /* a unit goes on where the condition at hand is true: `check` */
    bool     joined;   /* it is part of another */
    bool     deciding; /* the result of a row, which may leave */
} check;

enum { MEMBERS_AT_MOST = 1000 /* of an enum, a table, a target */ };
enum { SET_LEVEL = 1 << 30 /* bit of `levels`: the value depends on the message as a whole */ };
/* Flags of a node: its type is known; it is a list of resources of one type (FHIR). */
enum { NODE_CHECKED = 1, NODE_NARROWED = 256 };

/* ---- memory, facts, words (check.c) ---- */
void *check_need(check *k, void *block) __attribute__((returns_nonnull)); /* jumps out on NULL */
#define NEW(k, type)      ((type *)check_need((k), SHUNT_NEW((k)->arena, type)))
#define NEW_N(k, type, n) ((type *)check_need((k), SHUNT_NEW_N((k)->arena, type, (size_t)(n) + 1)))
#define PUSH(k, list)     ((__typeof__((list)->items))check_need((k), SHUNT_PUSH((k)->arena, (list))))
shunt_fact *check_fact(check *k, shunt_ast *node);
shunt_ty    check_typed(check *k, shunt_ast *node, shunt_ty type); /* notes it as the fact's type, and gives it back */
shunt_text  check_format(check *k, const char *format, ...) SHUNT_PRINTF(2, 3);
shunt_text  source_text(check *k, shunt_span span); /* as written, on one line, cut when long */
uint32_t    line_of(check *k, shunt_span span);
shunt_diag *warn_never_used(check *k, shunt_status code, shunt_span span,
                            shunt_text message); /* taken back where there are errors */
bool        said_enough(const check *k);         /* so many errors that nobody reads suggestions */
void        too_large(check *k, shunt_span span, const char *what, uint32_t most); /* E0912 */
static inline shunt_ast *kid(const shunt_ast *node, uint32_t at) { return node && at < node->kid_count ? node->kids[at] : NULL; }
static inline shunt_ty   ty_error(void) { return (shunt_ty){ 0 }; }
shunt_symbol            *new_symbol(check *k, shunt_symbol_kind kind, shunt_text name, shunt_ast *declaration, shunt_span span);
/* Into the innermost block; E0208 where the name is taken. The symbol is usable in any case. */
void                     declare_local(check *k, shunt_symbol *symbol);
shunt_symbol            *find_value(check *k, shunt_text name); /* also `alias.name`; marks it as used */
shunt_symbol            *find_type(check *k, shunt_text name);
shunt_symbol            *find_code(check *k, shunt_text name);
/* It is there, under a name that was reported. */
bool                     is_misspelled(const node_list *unknown, shunt_text name);
/* Elements of the source that the written name is nearly. */
void                     offer_near_elements(check *k, shunt_suggest *s, const shunt_ast *at, const shunt_ty *want);
bool                     is_broken(check *k, shunt_text name); /* its declaration could not be read, which was reported */
void       unknown_name(check *k, const shunt_ast *node, const char *what, const shunt_ty *want); /* E0207 with the nearest */
shunt_text nearest_field(check *k, const shunt_shape *shape, shunt_text name, const shunt_ty *want);
void       offer_of_alias(check *k, shunt_text name, shunt_suggest *s); /* "lib.nam": the names of that module */
bool       find_member(const shunt_shape *shape, shunt_text name, uint32_t *at);
shunt_ty   check_type(check *k, shunt_ast *type);
void       not_in_version(check *k, shunt_span span, const char *format, ...) SHUNT_PRINTF(3, 4);
shunt_ty   row_of(const shunt_shape *shape);
shunt_lang_scope check_scope(check *k, const shunt_ast *name, shunt_lang_scope missing);
bool             check_qname_split(check *k, shunt_ast **place); /* a NAME "a.b" becomes MEMBER nodes */
void             use_names(check *k, shunt_ast *node); /* what stands in there counts as used, though nobody looked at it */
void             enter_block(check *k);
void             leave_block(check *k);

/* ---- sources (check_source.c) ---- */
void check_source(check *k, shunt_symbol *source);
/* The name of a time zone, as a literal: it is there in k->zones, or an error is reported. */
bool check_zone(check *k, const shunt_ast *value);

/* ---- the message (check_path.c) ---- */
bool                  names_message(shunt_text name); /* `CLP04`, `CLP`, `SVC01-2` by its looks */
/* A node that reads the message gets its path and type. False: it is no path, nothing was reported. `list`: several will do. */
bool                  check_path(check *k, shunt_ast *node, const shunt_ty *want, bool list, shunt_ty *type);
/* The loop of a `for each` of a map, wherever it stands. NULL: reported, or no loop (then `reported` is false). */
const shunt_loop_ref *unit_loop_of(check *k, shunt_ast *list, bool *reported);
/* `era` in `for each t in era`: each transaction set of the source. NULL where the list is not the name of the source at hand. */
const shunt_loop_ref *set_named(check *k, shunt_ast *list);
void                  check_unit_size(check *k, const shunt_ast *list, const shunt_loop_ref *loop);
bool                  loop_has_id(check *k, shunt_text id); /* in a guide of the source at hand */
const shunt_loop_ref *loop_ref(check *k, shunt_text id, shunt_text segment, shunt_text qualifier);
bool       check_arrival_of_segment(check *k, const shunt_ast *node, const char *segment); /* of the set's own segments */
shunt_text guide_words(check *k);                                                          /* "835 005010X221A1" */
void       explain_absence(check *k, shunt_diag *diag, const shunt_ast *node); /* why a path may be absent, as its label */
/* Of a source of rows (check_csv.c): one of the remaining cells of a row is its text wherever a value is wanted. */
bool       csv_is_cell(check *k, const shunt_ty *type);
/* The node becomes the value of the cell that `base`, a node of its own, gives. */
shunt_ty   csv_cell_value(check *k, shunt_ast *node, shunt_ast *base);
shunt_text phi_origin(const shunt_ast *node); /* "NM1*QC of loop 2100" */

/* ---- HL7 v2 (check_hl7.c) ---- */
/* "DFT^P03" of "2.5.1"; NULL: reported. */
const shunt_guide *hl7_guide(check *k, const shunt_ast *message, const shunt_ast *version);

/* ---- trees of names (check_fhir.c) ---- */
typedef struct narrowing { /* what was looked for before, and the test that narrows */
    shunt_ast       *list;
    const shunt_ast *type;
    shunt_ast       *test;
} narrowing;
bool                  fhir_guides(check *k, shunt_ast *node, shunt_source_info *info);
void                  fhir_root(check *k, shunt_symbol *source); /* after fhir_guides: the tree of its messages */
bool                  fhir_type(check *k, const shunt_ast *name, shunt_ty *type); /* `FHIR_InvoiceLine`; false: no such name */
struct shunt_tree    *tree_root(const shunt_symbol *source);
/* As check_path, for paths that begin in a tree. */
bool                  tree_path(check *k, shunt_ast *node, bool list, shunt_ty *type);
/* `list[2]` of a list in a tree. False: it is none. */
bool                  tree_index(check *k, shunt_ast *node, shunt_ty *type);
/* The node gives an item of a list of primitives: it is read as its value. False: it is no such item. */
bool                  tree_item(check *k, shunt_ast *node, shunt_ty *type);
/* Around the check of a list: `where x.resourceType = "Claim"` makes it a list of claims, and is no test any more. */
void                  tree_narrow(check *k, shunt_ast *list, shunt_ast *where, shunt_text variable, narrowing *kept);
void                  tree_narrowed(check *k, narrowing *kept);
const shunt_loop_ref *tree_unit_loop(check *k, shunt_ast *list, bool *reported);
/* What a function looks at in its parameter is looked at in the argument; classes that the argument brings are added. False: reported. */
bool tree_argument(check *k, const shunt_ast *node, const shunt_symbol *param, const shunt_ty *given, uint32_t *classes);
void tree_values_help(check *k, shunt_diag *d, const shunt_ast *node, const shunt_ty *type); /* an object stands for a value */
bool tree_hint(check *k, const shunt_ast *name); /* the name of a resource where no path begins with it: reported */

/* ---- expressions (check_expr.c) ---- */
typedef enum wanted_by {
    FOR_FIELD,
    FOR_COLUMN,
    FOR_PARAM,
    FOR_LET,
    FOR_KEY,
    FOR_LOOKUP,
    FOR_COMPARISON,
    FOR_CONDITION,
    FOR_HOLE,
    FOR_SUM,
    FOR_AMOUNT,
    FOR_ACCOUNT,
    FOR_RESULT,
    FOR_TALLY,
    FOR_ARGUMENT,
    FOR_CORRELATE,
    FOR_ITEM,
    FOR_CELL
} wanted_by;
typedef struct need { /* what an expression must give, and how to say so */
    wanted_by           by;
    shunt_ty            type;  /* kind ERROR: any kind, only present */
    shunt_text          name;  /* of the field, parameter ... */
    const shunt_symbol *owner; /* target, table, function */
    const shunt_member *member;
    const shunt_ast    *whole; /* FOR_COMPARISON: the comparison */
} need;
shunt_text code_for_help(check *k, bool queue, const need *n); /* a declared code that fits best, may be empty (check.c) */
shunt_ty   check_expr(check *k, shunt_ast *node, const shunt_ty *want);
shunt_ty   check_plain_name(check *k, shunt_ast *node); /* a NAME or `it` as the symbol that it is */
/* A variable, or `it`, that stands for one of the remaining cells of a row. */
bool       names_cell(check *k, const shunt_ast *node);
shunt_ty   check_list(check *k, shunt_ast *node, const shunt_ty *want); /* as check_expr, where a loop or a list is wanted */
bool       check_fits(check *k, shunt_ast *node, const shunt_ty *type,
                      const need *need);                              /* E0301 E0302 E0303 E0310 E0311 E0801; false: reported */
shunt_ty   check_needed(check *k, shunt_ast *node, const need *need); /* both */
/* The same of what is written to a target: E0401 as well. */
shunt_ty   check_leaving(check *k, shunt_ast *node, const need *need, const shunt_symbol *target);
void       check_condition(check *k, shunt_ast *node); /* E0304, E0301 */
/* Present and of some scalar type, without naming one. */
shunt_ty   check_present(check *k, shunt_ast *node, wanted_by by, shunt_text name, const shunt_ty *want);
void       check_in_codes(check *k, const shunt_ast *literal, const shunt_ty *type, const shunt_ast *of); /* E0210 */
/* `for each x in list where ...`: declares x in the block that the caller entered. False: reported. */
bool       check_each(check *k, shunt_ast *each, level *level);
void       leave_each(check *k, level *level);
void       check_patterns(check *k, shunt_ast *subject, const shunt_ty *type, shunt_ast *rows,
                          uint32_t patterns_at);              /* of arms and rows */
void       check_exit(check *k, shunt_ast *exit, bool value); /* value: after `otherwise`, in a row */
shunt_ast *absent_part(const shunt_ast *node);                /* the operand that may be absent, deepest */
shunt_ast *phi_part(const shunt_ast *node, uint32_t classes);
void       check_phi(check *k, shunt_ast *node, const shunt_ty *type, const shunt_symbol *target); /* E0401 */
uint32_t   phi_as(check *k, uint32_t phi, atom_way way);                                           /* what is left of it */
uint32_t   phi_constant(check *k, uint32_t classes);
shunt_text short_text(check *k, const shunt_ast *node); /* for help: the expression, or `... .name` */

void check_alternative(check *k, shunt_ast *alternative, const shunt_ty *type, const shunt_ast *subject); /* of a pattern */
/* `node` stands where nothing can be raised, and `word` would be: E0307. `before` stands before it in the help. */
bool may_raise(check *k, const shunt_ast *node, const char *before, shunt_text word);

/* ---- amounts and reversals (check_turn.c) ---- */
amount_turn check_turn(const shunt_ast *node);                                                   /* of a checked expression */
void        check_turned(check *k, const shunt_ast *node, const shunt_ty *a, const shunt_ty *b); /* W0504 of a comparison */

/* ---- states (check_narrow.c) ---- */
/* What follows from a checked condition that has come out so: kept in k->learnt, until the caller sets its count back. */
void    check_learn(check *k, const shunt_ast *condition, bool holds);
void    check_learn_status(check *k, const shunt_ast *condition, bool holds); /* only whether the claim is a reversal */
/* The same of an arm of a `match`, in their order; NULL `patterns` is `else`. *met, at first false: an earlier arm is that of reversals. */
void    check_learn_arm(check *k, const shunt_ast *subject, const shunt_ast *patterns, bool *met);
bool    check_is_unreversed(const check *k); /* so conditions say */
/* UNREVERSED_IF_... of a checked condition. */
uint8_t check_unreversed(const shunt_ast *condition);
void    check_narrow(const check *k, const shunt_ast *node, shunt_ty *type); /* of a value that was just checked */

/* ---- decisions (check_decide.c) ---- */
/* Parameters and rows, before anything calls it; `file`: the module that holds its rows, UINT32_MAX = none. */
void                 shape_decide(check *k, shunt_symbol *symbol, uint32_t file);
void                 check_decide(check *k, shunt_symbol *symbol);
/* Rows of this decision, or that stand in for them: as sets; overlaps, and rows that never apply, are reported. */
struct shunt_decide *build_decide(check *k, shunt_symbol *function, shunt_ast *rows, bool first);
void                 check_row_results(check *k, shunt_symbol *function, shunt_ast *rows);

void check_gaps(check *k, const struct shunt_decide *decide); /* E0702, W0702 */

/* ---- functions of libraries (check_extern.c) ---- */
void shape_extern(check *k, shunt_symbol *symbol);
/* Argument `at` of a call: it may be passed there, and shown what it is. */
void check_extern_argument(check *k, const shunt_ast *value, const shunt_symbol *function, uint32_t at, const shunt_ty *given);
bool may_call_extern(check *k, const shunt_ast *call, const shunt_symbol *function); /* E0920 in a function */

/* ---- overlays (check_overlay.c) ---- */
/* When all modules have declared their names: what each overlay changes, before any function or map is looked at. */
void link_overlays(check *k);
/* The rows that stand in for those of a decision, among its parameters. */
void check_replaced_rows(check *k, shunt_symbol *function);
/* The `when` of the overlays of a map's module, before its items. */
void check_whens(check *k, shunt_symbol *map);
/* The blocks of overlays before and after a step become a part of it: its block becomes one of those before it, its own, those after it. */
void begin_step(check *k, const shunt_ast *step, shunt_ast **around);
void end_step(check *k, shunt_ast *step, shunt_ast *around);
/* Names of another module are seen here as well, until the end. */
typedef struct visitor {
    module  *host;
    uint32_t aliases;
} visitor;
void enter_visitor(check *k, uint32_t module, visitor *v);
void leave_visitor(check *k, const visitor *v);

/* ---- maps of records (check_chain.c) ---- */
/* `map b from TARGET`; a journal is reported. */
void     map_of_records(check *k, shunt_symbol *map, const shunt_ast *name, shunt_symbol *target);
/* The further sources of a map, which has its first one: a copy of the map for each of them. */
void     map_of_several(check *k, shunt_symbol *map, const symbol_list *sources);
/* When all maps know what they read and write: puts k->maps in an order in which those that hand records on come first. */
void     link_maps(check *k);
/* The map, and all that its records come to. */
void     maps_behind(check *k, shunt_symbol *map, symbol_list *maps);
/* These report what a map of records cannot have: an item, a value of a message (true: reported), `skip` (true: reported). */
bool     belongs_to_records(check *k, const shunt_ast *item);
bool     reads_records(check *k, const shunt_ast *node, shunt_text shown);
bool     leaves_for_another(check *k, const shunt_ast *exit);
void     find_records(check *k, shunt_ast *node);       /* the list of its `for each` */
uint32_t check_classes(check *k, const shunt_ty *type); /* of a value as a whole, with the fields of the records in it */

/* ---- calls (check_call.c) ---- */
shunt_ty check_call(check *k, shunt_ast *node, const shunt_ty *want);
shunt_ty check_method(check *k, shunt_ast *node);
bool     is_builtin(shunt_text name);
uint32_t phi_through(check *k, const decl *callee, const uint32_t *arguments, uint32_t count, uint32_t bits);

/* ---- quantities and currencies (check_convert.c) ---- */
shunt_ty check_convert(check *k, shunt_ast **values); /* of `convert(x, from, to)` */
shunt_ty check_exchange(check *k, shunt_ast *node,
                        shunt_ast **values); /* of `exchange(x, to, on, rates)`: the table is the node's symbol */

/* ---- statements (check_stmt.c) ---- */
void     check_map(check *k, shunt_symbol *map);
void     check_inserted(check *k, shunt_ast *statement); /* an IF that no author wrote */
void     check_let(check *k, shunt_ast *let, shunt_symbol_kind kind);
void     check_fields(check *k, shunt_ast *at, shunt_ast *fields, const shunt_symbol *target, const shunt_shape *shape,
                      bool expected);
/* Where an instant is wanted: E0803 for a datetime that may have none. False: reported. */
bool     check_zoned(check *k, const shunt_ast *node, const shunt_ty *type, const char *what);
/* A test says of a field or cell that it is absent (E0303 where it never is). False: it says something else. */
bool     check_expected_absent(check *k, const shunt_ast *value, const shunt_member *member);
/* What a test may write for a field of this type: a datetime, which has no literal, as the text that a record has. */
shunt_ty check_expected(const shunt_ty *type, const shunt_ast *value);
void     check_target(check *k, shunt_symbol *target); /* defaults, checks, encode */

/* ---- messages (check_encode.c) ---- */
/* The kinds of `encode` that write messages. False: it is none of them, nothing was reported. The fields of the target are in scope. */
bool check_message(check *k, shunt_symbol *target, shunt_ast *encode);

/* ---- balance (prove.c) ---- */
/* When nothing is wrong: E0501 and W0501 of all journals. */
void shunt_prove(check *k);

/* ---- tests (check_test.c) ---- */
void check_test(check *k, shunt_ast *test);
void check_test_table(check *k, shunt_ast *with_table);
void check_golden(check *k, const shunt_ast *golden);

#endif
