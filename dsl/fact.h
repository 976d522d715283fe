/* fact.h - what check finds out and emit relies on: types of the language, declarations, resolved paths, the fact of each node.
 * check writes it, emit and the test runner read it. Everything lives in the arena of the compilation.
 * Where a tree has an error anywhere, emit is not called; until then every fact is complete, so emit checks nothing again. */
#ifndef SHUNT_FACT_H
#define SHUNT_FACT_H

#include "dsl/ast.h"
#include "standards/schema.h"

struct shunt_symbol;
struct shunt_shape;
struct shunt_loop_ref;

/* ---- types of the language ---- */
typedef enum shunt_ty_kind {
    SHUNT_TY_ERROR, /* an error was reported; fits everything, silently */
    SHUNT_TY_BOOL,
    SHUNT_TY_INT,
    SHUNT_TY_TEXT,
    SHUNT_TY_CODE,
    SHUNT_TY_TOKEN,
    SHUNT_TY_UNIT,
    SHUNT_TY_ACCOUNT,
    SHUNT_TY_DECIMAL,
    SHUNT_TY_MONEY,
    SHUNT_TY_PERCENT,
    SHUNT_TY_QUANTITY,
    SHUNT_TY_DATE,
    SHUNT_TY_TIME,
    SHUNT_TY_MOMENT,
    SHUNT_TY_DURATION,
    SHUNT_TY_ENUM,   /* `shape` is its members */
    SHUNT_TY_ROW,    /* `shape` is its record */
    SHUNT_TY_NODE,   /* an instance of `loop` */
    SHUNT_TY_LIST,   /* of `item` */
    SHUNT_TY_SOURCE, /* the name of a source as a value: `provider_adjustments(era)` */
    SHUNT_TY_NEVER,  /* an exit stands here */
} shunt_ty_kind;

typedef struct shunt_ty {
    uint8_t                      kind;
    bool                         optional;    /* may be absent */
    bool                         clearable;   /* may be cleared */
    bool                         literal;     /* text written in the rules: fits account and unit */
    bool                         zoneless;    /* datetime that may have no zone, for its source names none */
    uint8_t                      digits;      /* decimals: most digits, 0 = 38 */
    uint8_t                      scale;       /* decimals, money, percent (4) */
    char                         currency[4]; /* money: "USD" */
    uint32_t                     length;      /* text: most characters, 0 = not known */
    uint32_t                     phi;         /* classes */
    uint32_t                     max;         /* list: most items, 0 = not known */
    const shunt_codeset         *codes;       /* code: its list, NULL = none */
    const struct shunt_shape    *shape;
    const struct shunt_loop_ref *loop;
    const struct shunt_ty       *item;
} shunt_ty;

/* ---- declarations ---- */
typedef struct shunt_member { /* field of a shape, or member of an enum */
    shunt_text name;
    shunt_ty   type;
    shunt_ast *decl;  /* FIELD_DECL, TABLE_KEY, COLUMN, NAME; NULL for built-in records */
    shunt_ast *value; /* default expression, NULL = none; it may name the fields before it */
    uint32_t   given; /* of a target: PHI classes of all that the maps fill it with */
} shunt_member;

typedef enum shunt_shape_kind {
    SHUNT_SHAPE_ENUM,
    SHUNT_SHAPE_TABLE,
    SHUNT_SHAPE_TARGET,
    SHUNT_SHAPE_LINE /* columns of a journal target */,
    SHUNT_SHAPE_ADJUSTMENT,
    SHUNT_SHAPE_PROVIDER_ADJUSTMENT,
    SHUNT_SHAPE_PRIOR_ADJUSTMENT,
    SHUNT_SHAPE_GROUP /* rows of a grouped tally: its keys, total, members; and of these members */
} shunt_shape_kind;
typedef struct shunt_shape {
    const struct shunt_shape *stands_for; /* of a table that replaces another: its shape; else NULL */
    shunt_shape_kind          kind;
    shunt_text                name;
    shunt_member             *members;
    uint32_t                  count;
    struct shunt_symbol      *symbol; /* NULL for built-in records */
    uint32_t                  number; /* free for emit: record type, enum index */
} shunt_shape;

typedef enum shunt_symbol_kind {
    SHUNT_SYMBOL_SOURCE,
    SHUNT_SYMBOL_TARGET,
    SHUNT_SYMBOL_TABLE,
    SHUNT_SYMBOL_ENUM,
    SHUNT_SYMBOL_MEMBER /* of an enum */,
    SHUNT_SYMBOL_CODE,
    SHUNT_SYMBOL_CONSTANT /* `let` of a module */,
    SHUNT_SYMBOL_FUNCTION,
    SHUNT_SYMBOL_MAP,
    SHUNT_SYMBOL_TALLY,
    SHUNT_SYMBOL_GLOBAL /* `let` of a map */,
    SHUNT_SYMBOL_LOCAL /* `let` of a block, function or journal */,
    SHUNT_SYMBOL_PARAM,
    SHUNT_SYMBOL_VARIABLE /* of `for each` */,
    SHUNT_SYMBOL_FIELD /* of a target, in its own checks and defaults */
} shunt_symbol_kind;

/* Guides of a source, in the order written. */
typedef struct shunt_source_info {
    shunt_standard      standard;
    const shunt_guide **guides;
    uint32_t            guide_count;
    char                currency[4];
    shunt_ast          *on_error; /* EXIT, NULL = none */
    uint32_t            max_unit_bytes;
    struct shunt_tree  *tree;           /* FHIR: the body of its messages */
    uint32_t            window;         /* FHIR: bytes of earlier entries that references are resolved in */
    uint8_t             snips;          /* X12: bit n = findings of SNIP type n are faults */
    bool                strict;         /* HL7: what the lenient reading forgives is an error */
    bool                cleared_absent; /* HL7: `cleared: absent` */
    shunt_text          zone;           /* of moments that are written without one; empty = none */
} shunt_source_info;

typedef struct shunt_table_info {
    shunt_shape *shape; /* keys first, then effective from and through, then columns */
    uint32_t     key_count;
    bool         prefix; /* last key by prefix */
    bool         range;  /* last key by range */
    bool         effective;
    bool         host; /* its rows come from the host, which `from` says by `host:` */
    shunt_ast   *from; /* STRING, NULL = none */
} shunt_table_info;

/* What an `encode` writes as a message. The values in it are members of shapes, as fields are: those of the record stand behind the fields
 * of the target, those of a `for each` are rows of their own. A member that is a list has its EACH in `decl`. */
typedef struct shunt_message_item { /* as shunt_message_node */
    uint8_t    kind, format, decimals, flags;
    uint16_t   field, number, min, max, with;
    shunt_text name; /* empty = none */
    uint32_t   count;
} shunt_message_item;
typedef struct shunt_message {
    shunt_message_item *items;
    uint32_t            item_count;
    shunt_shape        *values;          /* of the record */
    shunt_shape        *whole;           /* fields of the target, then the values */
    shunt_text          settings[24][2]; /* what the encoder has to know besides what the rules set */
    uint32_t            setting_count;
} shunt_message;

typedef struct shunt_target_info {
    bool                  journal;
    shunt_shape          *shape; /* fields, header fields */
    shunt_shape          *line;  /* columns, NULL for an emit */
    uint32_t             *keys;  /* members of shape, key_count of them */
    uint32_t              key_count;
    uint32_t              accepts; /* PHI classes */
    shunt_ast           **checks;  /* CONSTRAINT */
    uint32_t              check_count;
    uint32_t              balance_by; /* member of line, UINT32_MAX = none */
    struct shunt_symbol  *accounts;   /* table, NULL */
    shunt_ast            *encode;     /* ENCODE, NULL */
    shunt_message        *message;    /* of that, NULL = it writes fields as they are */
    struct shunt_symbol **readers;    /* maps whose source are its records, in the order they get them; reader_count of them */
    uint32_t              reader_count;
    bool                  handed; /* to these maps, and written nowhere: it has no key */
} shunt_target_info;

typedef enum shunt_lang_scope { SHUNT_LANG_UNIT, SHUNT_LANG_TRANSACTION, SHUNT_LANG_BATCH, SHUNT_LANG_FILE } shunt_lang_scope;

/* A companion guide of a payer or a site: what it changes of a module while its `when` holds, which is read once a transaction. */
typedef struct shunt_overlay {
    shunt_text           name;
    shunt_ast           *decl;         /* OVERLAY */
    shunt_span           span;         /* of the name */
    uint32_t             module, base; /* that it stands in, and that it changes */
    struct shunt_symbol *active;       /* GLOBAL, a bool; its number is free for emit */
} shunt_overlay;

/* What stands for an open declaration while an overlay is active; of two at most one is. */
typedef struct shunt_replacement {
    shunt_overlay            *overlay;
    shunt_ast                *value;      /* of a `let` */
    struct shunt_symbol      *table;      /* of a table, of the same shape */
    shunt_ast                *rows;       /* of a decision: LIST of ROW, */
    struct shunt_decide      *decide;     /* and their sets */
    bool                      exceptions; /* rows before those of the decision, which answer for all else */
    struct shunt_replacement *next;
} shunt_replacement;

typedef struct shunt_symbol {
    shunt_symbol_kind  kind;
    shunt_text         name;
    shunt_ast         *decl; /* the whole declaration */
    shunt_span         span; /* of the name */
    uint32_t           module;
    bool               used;
    shunt_ty           type;     /* of values; of a table the row's; of a function the result's */
    shunt_replacement *replaced; /* of a CONSTANT, a TABLE or a decision that is `open`, in the order of the overlays */
    union {
        shunt_source_info *source;
        shunt_target_info *target;
        shunt_table_info  *table;
        shunt_shape       *enumeration;
        struct {
            shunt_text name, meaning, ack, queue;
            bool       has_ack, has_queue;
        } code;
        struct {
            struct shunt_symbol **params;
            uint32_t              count;
            struct shunt_decide  *decide;       /* of a DECIDE, see decide.h; else NULL */
            shunt_ast            *rows;         /* of a DECIDE: LIST of ROW, also where they stand in a file */
            uint32_t              cost;         /* of an EXTERN: steps */
            bool                  exits;        /* a row leaves */
            uint16_t              row_function; /* of these, for emit: gives the number of the row */
        } function;                             /* bodies in the tree */
        struct {
            struct shunt_symbol **sources;
            uint32_t              source_count;
            struct shunt_symbol **targets;
            uint32_t              target_count;
            struct shunt_symbol  *record; /* target whose records it reads; NULL: messages of its sources */
            uint32_t              order;  /* maps that hand records to others come before them */
            bool                  fed;    /* a message comes to it, or records made of one */
            uint32_t              walk;   /* the last search that came by, see map_walks */
            bool                  copy;   /* of a map of several sources, for one of them; its tree is its own */
            shunt_ast           **whens; /* of the overlays of the modules it runs, checked for this map; overlay_count of them */
            shunt_overlay       **overlays;
            uint32_t              overlay_count;
        } map;
        struct {
            shunt_lang_scope             scope;
            bool                         declared;
            bool                         grouped;
            uint32_t                     limit;
            uint32_t                     key_count; /* grouped: those of `by` */
            bool                         members;   /* one more key, of what a group is made of */
            shunt_ty                     key;
            const struct shunt_loop_ref *loop;
            struct shunt_symbol         *map;
            struct shunt_symbol         *variable;
        } tally;
        struct {
            bool     late;
            uint32_t order;
        } global; /* late: reads what arrives after the units */
        struct {
            const shunt_shape *shape;
            uint32_t           member;
        } field; /* MEMBER, FIELD */
    } as;
    uint32_t number; /* free for emit */
    void    *place;  /* free for emit */
} shunt_symbol;

/* ---- the message ---- */
/* A loop by its id, as the rules see it: wherever it stands in each guide of its source (2300 stands under 2000B and 2000C).
 * `segment` is set for a repeated segment read as a list: an instance per repeat. */
typedef struct shunt_loop_match {
    uint32_t                  guide;
    const shunt_loop         *loop;
    const shunt_segment_node *segment;
} shunt_loop_match;
typedef struct shunt_loop_ref {
    shunt_symbol      *source;
    shunt_text         id;        /* "2100"; empty: the body of the set */
    shunt_text         segment;   /* empty, or "REF" */
    shunt_text         qualifier; /* of `segment`, empty = any */
    uint16_t           field;     /* HL7: the repetitions of this field of `segment`; 0 = its repeats */
    shunt_loop_match  *matches;
    uint32_t           match_count;
    struct shunt_tree *tree;   /* FHIR: the objects that these are; `matches` is empty then, see tree.h */
    uint32_t           number; /* free for emit: frame */
} shunt_loop_ref;              /* one object per distinct (source, id, segment, qualifier) in a compilation: compare by pointer */

typedef enum shunt_path_kind {
    SHUNT_PATH_VALUE, /* one element */
    SHUNT_PATH_ONE,   /* one loop instance (its maximum is 1), may be absent */
    SHUNT_PATH_LIST,  /* loop instances or repeats of a segment, children of the start */
} shunt_path_kind;

/* Where in an element of HL7 a value stands: it is a part of the path where the guides define the element differently. */
typedef struct shunt_path_part {
    uint8_t component, subcomponent;                   /* 0 = the whole of what is around it */
    uint8_t currency_component, currency_subcomponent; /* of an amount: where its currency stands; 0, 0 = nowhere */
} shunt_path_part;

/* How to get there: from `base` (an expression that gives a node), or from `start` (variable of an enclosing `for each`), or from the
 * set when both are NULL; then outwards to the nearest instance of `up` (NULL = stay); then inwards along `down`, each the
 * first instance (their maximum is 1), the last of them being the list itself for SHUNT_PATH_LIST. */
typedef struct shunt_path {
    shunt_path_kind        kind;
    shunt_ast             *base;
    shunt_symbol          *start;
    const shunt_loop_ref  *up;
    const shunt_loop_ref **down;
    uint32_t               down_count;
    const shunt_loop_ref  *loop;  /* VALUE: the loop (or repeat) that the element is read from = the end of the way */
    shunt_loop_match      *nodes; /* VALUE: the segment nodes that can hold it, `segment` set; node_count of them */
    uint32_t               node_count;
    shunt_text             qualifier; /* VALUE: the one asked for, where a node allows several (`REF["2U"]`); empty = any */
    shunt_text             name;      /* FHIR, VALUE: of the value in the object `loop`; `up` and `down` are not used */
    bool                   currency;  /* FHIR: `currency` beside the value is that of the amount */
    uint16_t               element, component;
    uint8_t                repetition;             /* HL7: the one asked for, 0 = the only one */
    shunt_path_part       *parts;                  /* HL7: one a node; NULL: `component` of each */
    bool                   range_start, range_end; /* `.start`, `.end` of an RD8 */
    shunt_value_type       value_type;
    shunt_text             format;   /* how it is written, as in `as "MM/DD/YYYY"`; empty = as the standard writes it */
    uint8_t                implied;  /* decimals of IMPLIED */
    bool                   required; /* required all the way in every guide: missing is REQUIRED_MISSING */
    shunt_text             shown;    /* as an author writes it: `NM1["82"].NM109` */
} shunt_path;

/* ---- facts of nodes ---- */
typedef enum shunt_fact_kind {
    SHUNT_FACT_NONE,       /* literal, operator: the kind of node says it */
    SHUNT_FACT_SYMBOL,     /* NAME: `symbol` (local, param, variable, global, constant, tally, enum member, field, source) */
    SHUNT_FACT_PATH,       /* any node that reads the message: `path` */
    SHUNT_FACT_FIELD,      /* MEMBER of a row: `member` of the shape of the left side */
    SHUNT_FACT_LOOKUP,     /* INDEX of a table: `symbol` */
    SHUNT_FACT_FUNCTION,   /* CALL of a declared function: `symbol` */
    SHUNT_FACT_BUILTIN,    /* CALL or METHOD: `builtin` */
    SHUNT_FACT_FIRST,      /* `list.first`; INDEX: item number `member` of the list before it, from 1; UINT32_MAX: the key */
    SHUNT_FACT_RANGE_PART, /* `.start`, `.end` */
    SHUNT_FACT_EXIT,       /* EXIT: `symbol` its code (NULL for skip), `scope` */
    SHUNT_FACT_TARGET,     /* EMIT, JOURNAL: `symbol` */
    SHUNT_FACT_TABLE,      /* WITH_TABLE: `symbol` */
    SHUNT_FACT_ITEM,       /* NAME `it` inside x[where ...] */
} shunt_fact_kind;

/* Built-ins of the language. */
typedef enum shunt_lang_builtin {
#define SHUNT_LANG_BUILTIN(symbol, name, usage, signature, result, meaning) SHUNT_LANG_##symbol,
#include "dsl/builtin.def"
    SHUNT_LANG_COUNT_
} shunt_lang_builtin;

typedef struct shunt_fact {
    shunt_fact_kind    kind;
    shunt_ty           type;   /* of an expression: after this node */
    shunt_symbol      *symbol; /* also of LET, EACH (its variable), FUNCTION, TALLY, MAP ...: the symbol that the node declares */
    shunt_path        *path;
    uint32_t           member;
    shunt_lang_builtin builtin;
    shunt_lang_scope   scope;
    bool               unit;   /* FOR_EACH: the outermost over an input loop: its body is a unit's handler */
    __int128           number; /* literals: coefficient at type.scale; int; days; bool */
    uint32_t           step;   /* free */
} shunt_fact;
static inline shunt_fact *shunt_fact_of(const shunt_ast *node) { return node ? (shunt_fact *)node->fact : NULL; }

/* A place of the rules that tests are to reach. */
typedef enum shunt_cover_kind {
    SHUNT_COVER_STATEMENT,
    SHUNT_COVER_EXIT,
    SHUNT_COVER_ROW,
    SHUNT_COVER_ARM,
    SHUNT_COVER_OTHERWISE,
    SHUNT_COVER_KINDS
} shunt_cover_kind;
typedef struct shunt_cover {
    shunt_cover_kind kind;
    const shunt_ast *node; /* statement, exit behind `else`, row, arm, answer */
} shunt_cover;
/* Filled by emission: place n is what COVER n stands at. */
typedef struct shunt_covers {
    shunt_cover *items;
    uint32_t     count, capacity;
} shunt_covers;

/* ---- a compilation ---- */
/* In place of the number of an imported module: there is none, and a diagnostic has said why. */
#define SHUNT_IMPORT_REPORTED (UINT32_MAX - 1)

typedef struct shunt_module_info {
    shunt_text      name; /* of the file, as given: shown in diagnostics */
    shunt_text      file; /* without folders: stands in programs */
    shunt_text      source;
    shunt_ast      *tree; /* MODULE; NULL: no rules, but the rows of a decision */
    /* imports resolved by the api: for the n-th IMPORT of the tree, the number of its module; UINT32_MAX = not found (reported) */
    const uint32_t *imports;
    /* of the decisions with rows in a file, in the order of the tree, the number of its module, which has no tree */
    const uint32_t *decisions;
} shunt_module_info;

typedef struct shunt_compilation {
    const shunt_memory                *memory;
    shunt_arena                       *arena;
    shunt_diags                       *diags;
    shunt_module_info                 *modules; /* 0 = the main file; imports come after */
    uint32_t                           module_count;
    /* filled by check, in order of declaration: */
    shunt_symbol                     **symbols;
    uint32_t                           symbol_count;
    shunt_loop_ref                   **loops;
    uint32_t                           loop_count;
    const struct shunt_zone_file      *zones; /* that the rules name, each once */
    uint32_t                           zone_count;
    shunt_overlay                    **overlays; /* in the order of their modules, and as written */
    uint32_t                           overlay_count;
    const struct shunt_definition_set *definitions; /* guides of the site, NULL = none */
    uint32_t                           map_walks;   /* searches through maps and those behind them */
    shunt_covers                      *covers;      /* NULL: the program is made to run, not to be covered */
    struct {
        bool guide_requires;
        bool phi_branches;
        bool decision_gaps;
    } lints; /* W0301, W0402, W0702: off by default */
} shunt_compilation;

/* check.c: reports everything wrong in `diags`. NO_MEMORY, or OK (look at diags->errors). */
shunt_status shunt_check(shunt_compilation *compilation);

#endif
