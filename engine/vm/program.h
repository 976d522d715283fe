/* program.h - a compiled map: everything a run needs, in flat tables. Made by dsl/emit, saved as .mapc, loaded, verified, run.
 * The compiler fills a `shunt_program` with arrays of its own and saves it; what runs is always what was loaded from those bytes
 * and passed shunt_program_verify, so a .map and the .mapc made of it can not differ.
 * File: little endian; magic "SHUNTMAP", format version, sections; content hash SHA-256 over all but the hash itself. */
#ifndef SHUNT_PROGRAM_H
#define SHUNT_PROGRAM_H

#include "engine/base/plan.h"
#include "engine/base/value.h"
#include "engine/base/zone.h"
#include "engine/vm/node.h"

typedef enum shunt_op {
#define SHUNT_OP(name, a, b, c, effect) SHUNT_OP_##name,
#include "engine/vm/opcodes.def"
    SHUNT_OP_COUNT
} shunt_op;

typedef enum shunt_builtin {
#define SHUNT_BUILTIN(name, arguments, result, effect) SHUNT_BUILTIN_##name,
#include "engine/vm/builtin.def"
    SHUNT_BUILTIN_COUNT
} shunt_builtin;

typedef struct shunt_instruction {
    uint16_t op, a, b, c;
} shunt_instruction;

/* Flags of JOURNAL and LINE. */
enum { SHUNT_JOURNAL_FLIPS = 1, SHUNT_JOURNAL_COLUMNS = 2, SHUNT_LINE_CREDIT = 1, SHUNT_LINE_REMAINDER = 2 };

/* A constant. Text constants hold the index of a text in `value.integer`. */
typedef struct shunt_constant {
    shunt_type  type;
    uint32_t    reserved[2];
    shunt_value value;
} shunt_constant;

/* A run of instructions with typed registers; parameters are registers 0 to params - 1. Functions call only functions of a
 * lower index, so no call can recurse. Zero registers are safe for every kind; the VM clears a frame at entry. */
typedef struct shunt_function {
    uint16_t   name; /* text */
    uint16_t   params;
    uint16_t   registers;  /* at most 4096 */
    uint16_t   pure;       /* 1 = depends on its arguments, constants and tables alone: the VM may remember results */
    uint32_t   type_first; /* into register_types */
    uint32_t   code_first, code_count;
    shunt_type result; /* kind NONE: a handler, ends with FINISH */
} shunt_function;

typedef struct shunt_enum {
    uint16_t name;
    uint16_t reserved;
    uint32_t member_first, member_count;
} shunt_enum; /* members: text indexes in `numbers` */
typedef struct shunt_code_list {
    uint16_t name;
    uint16_t reserved;
    uint32_t value_first, value_count;
} shunt_code_list; /* values: text indexes in `numbers`, sorted by bytes */

enum { SHUNT_FIELD_OPTIONAL = 1, SHUNT_FIELD_ENUM = 2, SHUNT_FIELD_MONEY = 4, SHUNT_FIELD_MASKED = 8, SHUNT_FIELD_BOOL = 16 };
typedef struct shunt_field {
    uint16_t   name; /* text */
    uint16_t   flags;
    uint32_t   max_length; /* of text in characters, 0 = none */
    shunt_type type;
} shunt_field;
typedef struct shunt_record_type {
    uint16_t name;
    uint16_t reserved;
    uint32_t field_first, field_count;
} shunt_record_type;

/* Reference data, as read from its CSV or set by a test. Cells stand row by row, in the order of the record type's fields;
 * key columns come first, then the two effective columns if any (dates), then the others. */
enum {
    SHUNT_TABLE_PREFIX = 1, /* the last key matches by longest prefix */
    SHUNT_TABLE_EFFECTIVE = 2,
    SHUNT_TABLE_RANGE = 4 /* the last key matches the greatest that is not above it */
};
typedef struct shunt_cell {
    uint32_t    state;
    uint32_t    text;
    uint64_t    reserved;
    shunt_value value;
} shunt_cell; /* text kinds: index into table_texts */
typedef struct shunt_table {
    uint16_t name, record; /* text; record type */
    uint16_t key_count, flags;
    uint16_t path; /* text: as written after `from`; SHUNT_NONE */
    uint16_t reserved;
    uint32_t cell_first, row_count;
    uint8_t  hash[32]; /* SHA-256 of the file's bytes */
} shunt_table;

/* A decision table: rows 0 to row_count - 1, as sets of bits. See decision.h. */
typedef struct shunt_decision {
    uint16_t name, column_count;
    uint32_t column_first, row_count;
} shunt_decision;
typedef struct shunt_decision_column {
    shunt_type type;
    uint32_t   point_first, point_count; /* into decision_points, rising; a text as its index in the texts */
    uint32_t   set_first;                /* into decision_sets, which count words of decision_bits */
    uint32_t   ordered;                  /* 1 = what lies between two points has a set of its own */
} shunt_decision_column;

/* A function of a shared library: parameters and result stand in extern_types, in this order. */
typedef struct shunt_extern {
    uint16_t name, library; /* texts: of its symbol, of the file without folder and ending */
    uint16_t param_count, optional;
    uint32_t type_first, cost; /* cost: steps that a call counts as */
} shunt_extern;

typedef enum shunt_exit_kind { SHUNT_EXIT_REJECT, SHUNT_EXIT_QUARANTINE, SHUNT_EXIT_WARN, SHUNT_EXIT_SKIP } shunt_exit_kind;
typedef struct shunt_code {
    uint16_t name, meaning, queue, ack;
} shunt_code; /* texts; SHUNT_NONE */
typedef struct shunt_exit {
    uint8_t  kind, scope; /* shunt_exit_kind, shunt_scope */
    uint16_t code;        /* into codes; SHUNT_NONE for skip */
    uint32_t site;
    uint16_t slot; /* plan slot (absolute) that its condition reads first, SHUNT_NONE */
    uint16_t node; /* register that holds the node of that slot */
    uint32_t reserved;
} shunt_exit;

/* A place in the rules. Site 0 is "none". */
typedef struct shunt_site {
    uint16_t file;         /* text: name of the module's file without folders */
    uint16_t step;         /* text, SHUNT_NONE */
    uint32_t line, column; /* from 1 */
} shunt_site;

enum { SHUNT_TARGET_JOURNAL = 1 };
typedef struct shunt_target {
    uint16_t name, flags;
    uint16_t record;               /* fields of an emit, header fields of a journal */
    uint16_t line;                 /* journal: columns of a line; SHUNT_NONE */
    uint32_t key_first, key_count; /* field indexes in `numbers`; journals carry keys of their own */
    uint16_t balance_by;           /* column index, SHUNT_NONE */
    uint16_t accounts;             /* table with one exact key of text, SHUNT_NONE */
    uint16_t encoding;             /* into encodings, SHUNT_NONE = one line of JSON */
    uint16_t message; /* record type whose fields stand behind those of `record`: what an encoding writes; SHUNT_NONE */
} shunt_target;

/* How records of a target are written other than by default. */
typedef enum shunt_encoding_kind {
    SHUNT_ENCODE_JSON,
    SHUNT_ENCODE_CSV,
    SHUNT_ENCODE_FIXED,
    SHUNT_ENCODE_XML,
    SHUNT_ENCODE_X12, /* from here on they write messages: what stands in them say nodes */
    SHUNT_ENCODE_HL7,
    SHUNT_ENCODE_FHIR,
    SHUNT_ENCODE_COUNT
} shunt_encoding_kind;
enum {                             /* what a column holds, where it is no field of the record; the last four are of the line */
       SHUNT_COLUMN_LINE = 0x8000, /* + n: column n of a line */
       SHUNT_COLUMN_CURRENCY = 0xfffa,
       SHUNT_COLUMN_AMOUNT = 0xfffb,
       SHUNT_COLUMN_SIDE = 0xfffc,
       SHUNT_COLUMN_ACCOUNT = 0xfffd
};
typedef struct shunt_encoding_column {
    uint16_t field;
    uint16_t name;     /* text, SHUNT_NONE = that of the field */
    uint16_t format;   /* of a value in `fixed`: text, SHUNT_NONE */
    uint16_t from, to; /* characters of a line in `fixed`, place among the columns in `csv`; from 1, 0 = none is said */
    uint16_t reserved[3];
} shunt_encoding_column;
typedef struct shunt_encoding {
    uint16_t kind;
    uint16_t width;
    uint32_t column_first, column_count;
    uint32_t setting_first, setting_count;
    uint32_t node_first, node_count; /* of a message */
} shunt_encoding;                    /* settings: pairs of texts in `numbers` */

typedef struct shunt_tally {
    uint16_t name;
    uint8_t  scope; /* shunt_scope */
    uint8_t
             declared; /* 1 = the engine adds it, by `function`, when `frame` is left; 2 = groups that the function of the tally before it adds to */
    uint16_t frame, function; /* declared: frame and function (param: node; result: the amount) */
    uint16_t record;          /* grouped: record type of its rows (key, total); SHUNT_NONE */
    uint16_t source;          /* which source it belongs to */
    uint32_t limit;           /* groups, or members where these are kept */
    uint16_t keys,
        members; /* grouped: texts that a row begins with, `total` behind them; 1 = and a list of members: key, total */
    uint32_t   reserved;
    shunt_type type;
} shunt_tally;

/* Rows made from captured nodes: the adjustments of a claim, provider adjustments. Standard-neutral: the compiler fills it.
 * Slots are plan slots counted over all frames, child lists numbers within the frame they start from. All groups of a collector
 * are of one frame. A slot of a line belongs to the frame of `line` or of `inner_line`: that decides which node is meant. */
typedef enum shunt_collect_from {
    SHUNT_COLLECT_GROUP,    /* slot `slot` of the group instance */
    SHUNT_COLLECT_LINE,     /* slot `slot` of the line node; absent at the outer level */
    SHUNT_COLLECT_LEVEL,    /* text `slot` at the outer level, text `child` at line level */
    SHUNT_COLLECT_POSITION, /* ordinal of the line node; at the outer level absent, or with `slot` 1 that of the outer node */
    SHUNT_COLLECT_ORDINAL,  /* number of the row, from 1 */
    SHUNT_COLLECT_FIRST,    /* first present of the alternatives slot .. slot + child - 1 in `alternatives` */
    SHUNT_COLLECT_UNREAD,   /* absent: nothing reads this field of these rows */
} shunt_collect_from;
typedef struct shunt_collect_field {
    uint16_t from, slot, child, reserved;
} shunt_collect_field;
typedef struct shunt_alternative {
    uint16_t line;  /* 1 = of the line node, 0 = of the outer node */
    uint16_t child; /* child list to look in (first instance), SHUNT_NONE = the node itself */
    uint16_t slot;
    uint16_t reserved;
} shunt_alternative;
typedef struct shunt_collect {
    uint16_t frame;      /* of the node it starts at */
    uint16_t record;     /* record type of its rows: one shunt_collect_field per field */
    uint16_t group;      /* child list of group instances directly in the node; SHUNT_NONE */
    uint16_t line;       /* child list of line nodes; SHUNT_NONE */
    uint16_t line_group; /* child list of group instances in a line */
    uint16_t needed;     /* field that must be present, else the instance gives no row */
    /* 1 = outer rows whose group (field 0), reason (field 1) and amount (`needed`) repeat the sum of the lines are left out, X12_TWICE */
    uint16_t twice;
    uint16_t max;         /* rows, LIMIT_LIST beyond */
    uint32_t field_first; /* into collect_fields */
    /* A second way down: child list of `line` nodes' children that hold groups (2400 > 2430); SHUNT_NONE. */
    uint16_t inner_line, inner_group;
} shunt_collect;
/* The dates that EARLIEST looks at: node itself (child NONE), its children, their children. Numbers as in a collector. */
typedef struct shunt_date_path {
    uint16_t child, grandchild, slot, reserved;
} shunt_date_path;
typedef struct shunt_earliest {
    uint16_t frame, reserved;
    uint32_t path_first, path_count;
} shunt_earliest;

/* What runs when. Functions are SHUNT_NONE where there is nothing to run. */
typedef struct shunt_handler {
    uint16_t source, frame, function, reserved;
} shunt_handler; /* a unit: param 0 is its node */
typedef struct shunt_map_entry {
    uint16_t name, source;
    uint16_t at_start, early, late,
        at_end; /* param 0: node of the set. early: correlate and lets before the first unit; late: lets that need the trailer */
    uint16_t at_end_batch, at_end_file; /* no parameters */
    uint16_t on_error;                  /* exit for failures of rules, SHUNT_NONE = quarantine of the unit by the engine's code */
    uint16_t source_error;              /* exit for faults of the reader, SHUNT_NONE */
    uint16_t widest;                    /* shunt_scope: records wait until this scope has passed its end */
    uint16_t reserved;
} shunt_map_entry;
typedef struct shunt_source {
    uint16_t name, standard; /* text; "X12" */
    uint16_t currency;
    uint16_t currency_path; /* text: slots of this path name the currency of the message, which is to be `currency`; SHUNT_NONE */
    uint32_t max_unit_bytes;
    uint16_t zone; /* into zones: of moments that are written without one; SHUNT_NONE */
    uint16_t reserved;
} shunt_source;

/* Static lineage: output field <- captured slot. `field` as in shunt_encoding_column. */
typedef struct shunt_lineage {
    uint16_t target, field;
    uint16_t slot;
    uint16_t reserved;
    uint32_t site;
    uint32_t reserved2;
} shunt_lineage;
typedef struct shunt_module {
    uint16_t name, version, file;
    uint16_t reserved;
    uint8_t  hash[32];
} shunt_module; /* SHA-256 of the source text */

/* X(type, member): every section of a program, in file order. One list: load, save, verify and disassembler walk it. */
/* clang-format off */
#define SHUNT_PROGRAM_SECTIONS(X)                                                                                               \
    X(shunt_plan_source, plan_sources) X(shunt_plan_guide, guides) X(shunt_plan_loop, loops) X(shunt_plan_node, nodes) X(uint64_t, keys) X(uint64_t, ids)          \
    X(uint32_t, dispatch) X(shunt_plan_choice, choices) X(shunt_plan_frame, frames) X(uint16_t, children)                       \
    X(shunt_plan_slot, slots) X(shunt_plan_demand, demands)                                                                     \
    X(shunt_plan_layout, layouts) X(shunt_plan_row, rows) X(shunt_plan_column, columns) X(uint16_t, row_keys)                   \
    X(shunt_source, sources) X(shunt_map_entry, maps) X(shunt_handler, handlers) X(shunt_tally, tallies)                        \
    X(shunt_constant, constants) X(shunt_function, functions) X(shunt_type, register_types) X(shunt_instruction, instructions)  \
    X(uint32_t, instruction_sites) X(shunt_site, sites) X(shunt_type, globals)                                                  \
    X(shunt_enum, enums) X(shunt_code_list, code_lists) X(uint16_t, numbers)                                                    \
    X(shunt_record_type, records) X(shunt_field, fields) X(shunt_table, tables) X(shunt_cell, cells)                            \
    X(shunt_code, codes) X(shunt_exit, exits) X(shunt_target, targets)                                                          \
    X(shunt_encoding, encodings) X(shunt_encoding_column, encoding_columns) X(shunt_message_node, message_nodes)                \
    X(shunt_collect, collects) X(shunt_collect_field, collect_fields) X(shunt_alternative, alternatives)                        \
    X(shunt_earliest, earliests) X(shunt_date_path, date_paths) X(shunt_lineage, lineage) X(shunt_module, modules)    \
    X(shunt_zone, zones) X(shunt_zone_change, zone_changes)                                                                     \
    X(shunt_decision, decisions) X(shunt_decision_column, decision_columns) X(shunt_value, decision_points)                     \
    X(uint32_t, decision_sets) X(uint64_t, decision_bits)                                                                       \
    X(shunt_extern, externs) X(shunt_type, extern_types)
/* clang-format on */

typedef struct shunt_program {
#define X(type, member)                                                                                                          \
    const type *member;                                                                                                          \
    uint32_t    member##_count;
    SHUNT_PROGRAM_SECTIONS(X)
#undef X
    const shunt_text     *texts;
    uint32_t              texts_count; /* names, constants, messages; at most 65535 */
    const shunt_text     *table_texts;
    uint32_t              table_texts_count; /* cells of tables */
    shunt_plan            plan;              /* the first sections again, as the readers want them; filled by load */
    uint8_t               hash[32];          /* content; of a loaded program */
    uint8_t               code_hash[32];     /* without sites, modules and lineage */
    struct shunt_lookup **lookups;           /* one per table, made by load */
    void                 *owner;             /* what load allocated */
} shunt_program;

/* Appends the bytes of a .mapc. NO_MEMORY. */
shunt_status shunt_program_save(const shunt_program *program, shunt_buffer *out);
/* Reads, checks the hash, verifies, indexes the tables. `bytes` may be freed afterwards. PROGRAM_BAD: `why` (static text or in the
 * caller's 200 bytes) says what. The program is immutable: any number of VMs in any threads may share it. */
shunt_status shunt_program_load(const shunt_memory *memory, const uint8_t *bytes, size_t size, shunt_program **program,
                                char why[static 200]);
void         shunt_program_free(shunt_program *program); /* NULL is fine */
/* Everything that keeps a run safe: see verify.c. Called by load. PROGRAM_BAD with `why`, NO_MEMORY. */
shunt_status shunt_program_verify(const shunt_memory *memory, const shunt_program *program, char why[static 200]);
static inline shunt_text shunt_program_text(const shunt_program *p, uint16_t index)
{
    return index == SHUNT_NONE ? (shunt_text){ 0 } : p->texts[index];
}

/* A copy of a program with the rows of one table replaced (the command's --table, a test's `with table`, a host's table).
 * Cells as in the program, their texts in `texts`. The copy shares the rest with `base`, which outlives it. */
shunt_status shunt_program_with_table(const shunt_memory *memory, const shunt_program *base, uint16_t table,
                                      const shunt_cell *cells, uint32_t rows, const shunt_text *texts, uint32_t text_count,
                                      const uint8_t hash[static 32], shunt_program **copy, char why[static 200]);

struct shunt_op_info {
    const char *name;
    uint8_t     a, b, c;
    const char *effect;
};
extern const struct shunt_op_info shunt_op_info[SHUNT_OP_COUNT];
typedef enum shunt_operand {
    SHUNT_OPERAND_NONE,
    SHUNT_OPERAND_BOOL,
    SHUNT_OPERAND_INT,
    SHUNT_OPERAND_DEC,
    SHUNT_OPERAND_TEXT,
    SHUNT_OPERAND_DATE,
    SHUNT_OPERAND_LIST,
    SHUNT_OPERAND_ROW,
    SHUNT_OPERAND_NODE,
    SHUNT_OPERAND_ANY,
    SHUNT_OPERAND_SAME,
    SHUNT_OPERAND_ITEM,
    SHUNT_OPERAND_CONST,
    SHUNT_OPERAND_TEXTK,
    SHUNT_OPERAND_JUMP,
    SHUNT_OPERAND_SLOT,
    SHUNT_OPERAND_CHILD,
    SHUNT_OPERAND_FIELD,
    SHUNT_OPERAND_FRAME,
    SHUNT_OPERAND_TABLE,
    SHUNT_OPERAND_TALLY,
    SHUNT_OPERAND_GLOBAL,
    SHUNT_OPERAND_EXIT,
    SHUNT_OPERAND_TARGET,
    SHUNT_OPERAND_FUNCTION,
    SHUNT_OPERAND_BUILTIN,
    SHUNT_OPERAND_COLLECT,
    SHUNT_OPERAND_EARLIEST,
    SHUNT_OPERAND_DECISION,
    SHUNT_OPERAND_EXTERN,
    SHUNT_OPERAND_BASE,
    SHUNT_OPERAND_COUNT,
    SHUNT_OPERAND_MODE,
} shunt_operand;
struct shunt_builtin_info {
    const char *name, *arguments, *result, *effect;
};
extern const struct shunt_builtin_info shunt_builtin_info[SHUNT_BUILTIN_COUNT];

/* disasm.c: the whole program as text, stable and complete; `with_sites` adds places of the rules. */
void shunt_program_disassemble(const shunt_program *program, bool with_sites, shunt_buffer *out);

#endif
