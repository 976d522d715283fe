/* shunt.h - Shunt: healthcare messages to balanced finance postings, by rules. The public interface and only installed header.
 *
 * Lifetimes: what a function named `_new`, `shunt_compile` or `shunt_load` gives is the caller's and goes back by the matching
 *   `_free` (NULL is fine). What a callback receives is borrowed until it returns. Texts are UTF-8; those with a length have no NUL.
 * Threads: a program is immutable and may be shared by any number of runs in any threads. A run belongs to one thread.
 * Errors: every fallible call returns a shunt_result; nothing is printed, nothing exits, no global state exists. Where a call gives
 *   `messages`, the pointer may be NULL for a host that does not want them.
 * Units: bytes for sizes and places (places count from 0), decimal text for money. No floating point crosses this interface. */
#ifndef SHUNT_SHUNT_H
#define SHUNT_SHUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SHUNT_API __attribute__((visibility("default")))
#else
#define SHUNT_API
#endif

#define SHUNT_VERSION "0.1.0"
SHUNT_API const char *shunt_version(void);

typedef enum shunt_result {
    SHUNT_DONE,        /* all went well; also with warnings and duplicates */
    SHUNT_INPUT_FAULT, /* something in the input was rejected, quarantined or malformed; the exceptions say what. Or a test failed */
    SHUNT_RULES_FAULT, /* rules, tables, keys or options are wrong; the messages say why; nothing was read */
    SHUNT_SYSTEM_FAULT /* memory, disk, a limit of the machine, or a callback that returned false */
} shunt_result;        /* the numbers are the exit statuses of the command */

/* An allocator, with the contract of malloc, realloc and free. */
typedef struct shunt_allocator {
    void *(*allocate)(void *context, size_t size);
    void *(*resize)(void *context, void *block, size_t size);
    void (*release)(void *context, void *block);
    void *context;
} shunt_allocator;

/* Receives a piece of output. False = failure: the call that writes ends with SHUNT_SYSTEM_FAULT. */
typedef bool (*shunt_write)(void *context, const void *bytes, size_t size);

/* ---- rules ---------------------------------------------------------------------------------------------------------- */

typedef struct shunt_program  shunt_program;
typedef struct shunt_messages shunt_messages; /* diagnostics of a compilation, and other texts for people */

/* Guides that a site brings along: sets or guides that this build does not know, companion guides that narrow those it knows
 * (docs/validate.md). What is given one in its options looks there first; it must outlive what it was given to. */
typedef struct shunt_definitions shunt_definitions;
SHUNT_API shunt_result           shunt_definitions_new(const shunt_allocator *allocator, shunt_definitions **definitions);
/* Adds the text of one definition file. SHUNT_RULES_FAULT: the messages say which line of `name` is wrong; nothing was added. */
SHUNT_API shunt_result shunt_definitions_add(shunt_definitions *definitions, const char *name, const void *bytes, size_t size,
                                             shunt_messages **messages);
SHUNT_API void         shunt_definitions_free(shunt_definitions *definitions);

/* Reads a whole file for the compiler: rules, imports, tables. Gives bytes allocated by `allocator` (the compiler releases them).
 * Return 0, or an errno. */
typedef int (*shunt_read_file)(void *context, const shunt_allocator *allocator, const char *path, unsigned char **bytes,
                               size_t *size);

typedef struct shunt_compile_options {
    size_t                   size;      /* sizeof(shunt_compile_options); zero everything else for the defaults */
    const shunt_allocator   *allocator; /* NULL = the C library's */
    shunt_read_file          read_file; /* NULL = from the file system */
    void                    *read_context;
    bool                     lints;       /* the lints that are off by default (W0301, W0402) as well */
    bool                     check_only;  /* all diagnostics, no program; `program` becomes NULL */
    const shunt_definitions *definitions; /* NULL = those of the project */
    /* Where the libraries of extern functions lie (NAME.so): tests call them there, and what a lock pins is looked for there. NULL = tests call none */
    const char              *extern_folder;
    /* The project that the rules belong to (docs/projects.md): path of its file; "" = none. NULL = the nearest `shunt.project` in the folder of the rules or above
     * it, if files are read from the file system, or `find_project` is set. What its lock pins must be as it was, else SHUNT_RULES_FAULT. */
    const char              *project;
    bool                     find_project;
    /* shunt_test: takes each stored answer of `golden` that is not what came, to write it to `path` (docs/testing.md). 0, or an errno. NULL = such a test fails. */
    int (*store)(void *context, const char *path, const void *bytes, size_t size);
    void *store_context;
} shunt_compile_options;

/* Compiles the module at `path` with all that it imports. `*program` is NULL unless the result is SHUNT_DONE; `*messages` is set
 * unless memory is lacking, also on success (warnings). SHUNT_RULES_FAULT: it has errors. */
SHUNT_API shunt_result shunt_compile(const char *path, const shunt_compile_options *options, shunt_program **program,
                                     shunt_messages **messages);
/* Writes what the lock of a project is to hold (`shunt.lock` beside the file at `project`): the hashes of all that `rules` of it import by name, and of
 * tables, dictionaries and extern libraries. SHUNT_RULES_FAULT: some of the rules, or the project, have errors; nothing was written. */
SHUNT_API shunt_result shunt_lock(const char *project, const char *const *rules, size_t count,
                                  const shunt_compile_options *options, shunt_write write, void *context,
                                  shunt_messages **messages);
/* The guides that the project of the rules at `path` names, for runs that need them (`validate`); `*definitions` is NULL where there are none. */
SHUNT_API shunt_result shunt_project_definitions(const char *path, const shunt_compile_options *options,
                                                 shunt_definitions **definitions, shunt_messages **messages);
/* Loads a program that shunt_save wrote (.mapc). It is verified in full: a hostile file costs bounded time and is refused. */
SHUNT_API shunt_result shunt_load(const void *bytes, size_t size, const shunt_allocator *allocator, shunt_program **program,
                                  shunt_messages **messages);
SHUNT_API shunt_result shunt_save(const shunt_program *program, shunt_write write, void *context);
SHUNT_API void         shunt_release(shunt_program *program);
/* The content hash, 64 hex digits and a NUL. */
SHUNT_API void         shunt_program_id(const shunt_program *program, char hex[65]);
/* The program as readable text. */
SHUNT_API shunt_result shunt_disassemble(const shunt_program *program, bool with_places, shunt_write write, void *context);

/* Writes the rules in `bytes` in their one layout (docs/language.md, "Layout"): the words stay as they are, so does what they mean. `name` is
 * that of the file, for messages. SHUNT_RULES_FAULT: they can not be read, the messages say where; nothing was written. */
SHUNT_API shunt_result shunt_format(const char *name, const void *bytes, size_t size, const shunt_allocator *allocator,
                                    shunt_write write, void *context, shunt_messages **messages);

/* Where protected health information goes: each classed element that reaches a target, through which line, what was done to it on the way, and why it was declassified; as
 * text, or as JSON, an object a line. SHUNT_RULES_FAULT: the rules have errors. */
SHUNT_API shunt_result shunt_phi(const char *path, const shunt_compile_options *options, bool json, shunt_write write,
                                 void *context, shunt_messages **messages);

/* The rules at `path` and what they import as a page of Markdown for those who do not write them, from the declarations and their `##` comments. */
SHUNT_API shunt_result shunt_docs(const char *path, const shunt_compile_options *options, shunt_write write, void *context,
                                  shunt_messages **messages);
/* What a program may cost: steps of each rule at the bounds of its standard, and what is held of a unit, a transaction and a file; as text. */
SHUNT_API shunt_result shunt_cost(const shunt_program *program, shunt_write write, void *context);

SHUNT_API size_t       shunt_messages_errors(const shunt_messages *messages);
SHUNT_API size_t       shunt_messages_warnings(const shunt_messages *messages);
/* All of them as people read them (at most 20 errors, then their number), or as JSON, an object a line. No messages (NULL): nothing. */
SHUNT_API shunt_result shunt_messages_print(const shunt_messages *messages, bool json, shunt_write write, void *context);
SHUNT_API void         shunt_messages_free(shunt_messages *messages);

/* ---- runs ----------------------------------------------------------------------------------------------------------- */

typedef struct shunt_run shunt_run;

/* A record that was committed. */
typedef struct shunt_out {
    const char *target; /* name of the target */
    const char *json;
    size_t      length; /* the whole record, one line of JSON without its line end, or as the target's `encode` says */
    /* What a file has around it: `head` before the first record of a target (the headings of a CSV, with their line end; else empty),
     * `end` behind each record (a line end; what `encode` says). Of messages (docs/writers.md) they are the envelopes, which records of one
     * transaction share: all three of each, one after the other, make what the receiver reads. Neither is NULL. */
    const char *head;
    size_t      head_length;
    const char *end;
    size_t      end_length;
} shunt_out;

/* An exception: a fault of the input or an exit of the rules. The JSON holds every member; the others are for routing. */
typedef struct shunt_exception {
    const char *code;     /* "ERA_CLAIM", "X12_SE01" */
    const char *severity; /* "warning", "reject", "quarantine", "error" */
    const char *
        class_name; /* "syntax", "structure", "code set", "balance", "reference data", "duplicate", "business", "limit", "internal" */
    const char *queue;     /* NULL = none */
    bool        transient; /* true: the same input may pass later */
    uint64_t    offset;    /* byte of the input */
    const char *json;
    size_t      length; /* one line without its line end */
    const char *text;
    size_t      text_length; /* as people read it, several lines */
} shunt_exception;

/* A transaction that has a rejected or quarantined unit, as received; of X12 and HL7 in the interchange and batch that it came in. `units` is the JSON that
 * shunt_run_options.only takes. The message comes in one or more pieces: first call with `first`, last one with `last`. */
typedef struct shunt_dead_letter {
    const char *name;   /* a file name without folder and ending, unique in the run: input ordinal and transaction ordinal */
    const char *ending; /* of a file with such a message: "edi", "hl7", "json", "xml", "csv", "txt" */
    const void *bytes;
    size_t      size;
    bool        first, last;
    const char *units;
    size_t
        units_length; /* after the message: in the last call; what a list has beyond a mebibyte comes in calls before it, in pieces */
} shunt_dead_letter;

/* What a record that was committed is made of: for each field its value, the place in the rules, the elements of the input with their places in
 * it, and what decided (docs/lineage.md). */
typedef struct shunt_origins {
    uint64_t    record; /* ordinal of the record in the run, from 1 */
    const char *target;
    const char *json;
    size_t      length; /* one line without its line end */
    const char *text;
    size_t      text_length; /* as people read it, several lines */
} shunt_origins;

typedef struct shunt_callbacks {
    void *context;
    /* Between one begin and one commit come the records of one transaction (or of the file, where the rules can undo a file). False stops the run. */
    bool (*begin)(void *context);
    bool (*record)(void *context, const shunt_out *record);
    bool (*commit)(void *context);
    bool (*exception)(void *context, const shunt_exception *exception);
    bool (*dead_letter)(void *context, const shunt_dead_letter *letter); /* NULL: raw input is not kept */
} shunt_callbacks;

/* Where records wait for their commit, if not in a temporary file of the library. Offsets count what was appended. */
typedef struct shunt_spool_interface {
    void *context;
    bool (*append)(void *context, const void *bytes, size_t size);
    bool (*truncate)(void *context, uint64_t size); /* forget all after `size` */
    bool (*replay)(void *context, uint64_t from, uint64_t to, shunt_write write, void *write_context);
} shunt_spool_interface;

typedef struct shunt_run_options {
    size_t                       size; /* sizeof(shunt_run_options) */
    const shunt_allocator       *allocator;
    const shunt_spool_interface *spool;
    const void                  *token_key;
    size_t                       token_key_size;     /* for tokenize; a program that uses it needs it */
    const char                  *received_at;        /* ISO date and time with zone; a program that reads it needs it */
    uint64_t                     max_steps_per_unit; /* 0 = 10 million */
    uint64_t                     max_unit_bytes;     /* 0 = as the source says, else 4 MiB */
    const char                  *only;
    size_t                       only_length; /* units of an earlier dead letter: only these are committed */
    bool                         no_report;   /* shunt_run_report will not be called: inputs are not hashed for it */
    const shunt_definitions     *definitions; /* guides of the site that a source with `validate` needs; NULL = none */
    /* Gets what a record is made of, after the record, with the context of the callbacks. NULL: nothing is followed, and the run is as fast as it is. */
    bool (*lineage)(void *context, const shunt_origins *origins);
    const char *lineage_key;   /* lineage of records that have this part in their key; NULL = of all */
    const char *lineage_field; /* and of the fields of this name: "amount", "lines.amount", "lines[2].amount"; NULL = of all */
    uint64_t
        control_number; /* the first one of messages that are written (ISA13, MSH-10), to 999999999; 0 = as the rules say, else 1 */
    /* Gets, at the end of each input of X12, the 277CA that answer its claims (docs/validate.md); NULL = none are made. False stops the run. */
    shunt_write acknowledge;
    void       *acknowledge_context;
    const char *made_at; /* of the answers, "2025-03-01T12:00:00Z"; NULL = 2000-01-01T00:00Z */
    /* Where the libraries of extern functions lie (NAME.so, shunt/extern.h); NULL: rules that call any are refused. */
    const char *extern_folder;
    /* Gets, instead of the callback `record`, what a file of all records holds, in order, in pieces of any size; NULL: records come one by one. False
     * stops the run. */
    shunt_write records;
    void       *records_context;
} shunt_run_options;

/* NULL result pointer unless SHUNT_DONE. `program` and all options are borrowed until shunt_run_free; no program is SHUNT_RULES_FAULT. */
SHUNT_API shunt_result shunt_run_new(const shunt_program *program, const shunt_callbacks *callbacks,
                                     const shunt_run_options *options, shunt_run **run, shunt_messages **messages);
/* Inputs come one after the other: begin, feed pieces of any size, end. `id` NULL = its ordinal; `name` is for the report. */
SHUNT_API shunt_result shunt_run_begin(shunt_run *run, const char *id, const char *name);
SHUNT_API shunt_result shunt_run_feed(shunt_run *run, const void *bytes, size_t size);
SHUNT_API shunt_result shunt_run_end(shunt_run *run);
/* After the last input. SHUNT_INPUT_FAULT if anything was at fault in any of them. The control total is checked here. */
SHUNT_API shunt_result shunt_run_finish(shunt_run *run);

typedef struct shunt_totals {
    uint64_t in, posted, duplicate, skipped, rejected, quarantined; /* units; in = sum of the others */
    uint64_t records, exceptions, warnings;
    uint64_t sets_mapped, sets_unmapped;
    uint64_t bytes;
} shunt_totals;
SHUNT_API void         shunt_run_totals(const shunt_run *run, shunt_totals *totals);
/* The report: JSON, as docs/report.md says. SHUNT_RULES_FAULT after `no_report`. */
SHUNT_API shunt_result shunt_run_report(const shunt_run *run, shunt_write write, void *context);
SHUNT_API void         shunt_run_free(shunt_run *run);

/* A program with the rows of one table taken from a CSV, or from NDJSON where `csv_name` ends with `.ndjson` or `.jsonl` (as the command's --table). The result shares `program`, which outlives it. */
SHUNT_API shunt_result shunt_with_table(const shunt_program *program, const char *table, const char *csv_name, const void *csv,
                                        size_t csv_size, const shunt_allocator *allocator, shunt_program **with,
                                        shunt_messages **messages);

/* The row of a table that these keys find, in order, and behind them the day (YYYY-MM-DD) where the table has effective dates: a line a
 * column. SHUNT_INPUT_FAULT: there is none; SHUNT_RULES_FAULT: no such table or keys, as the messages say. */
SHUNT_API shunt_result shunt_look_up(const shunt_program *program, const char *table, const char *const *keys, size_t count,
                                     shunt_write write, void *context, shunt_messages **messages);

/* ---- looking at messages, dictionaries, tests ------------------------------------------------------------------------ */

typedef struct shunt_inspect_options {
    size_t                   size;
    const shunt_allocator   *allocator;
    bool                     show_phi;    /* inspect: values that carry PHI are shown, not masked */
    bool                     with_offset; /* get: "offset+length<TAB>" before each value */
    bool                     raw;         /* get: as it stands in the input */
    bool                     json;        /* get: an object a line */
    const shunt_definitions *definitions; /* NULL = none */
    bool                     controls;    /* nothing but the control number of each transaction, a line each */
} shunt_inspect_options;
/* A message as a tree of loops and segments with friendly names. Feed pieces; `last` with the last one. */
typedef struct shunt_inspector shunt_inspector;
SHUNT_API shunt_result         shunt_inspector_new(const shunt_inspect_options *options,
                                                   const char *path /* NULL = the whole tree, else `2110.SVC01-2` */, shunt_write write,
                                                   void *context, shunt_inspector **inspector, shunt_messages **messages);
SHUNT_API shunt_result         shunt_inspector_feed(shunt_inspector *inspector, const void *bytes, size_t size, bool last);
/* After SHUNT_RULES_FAULT: why the input can not be looked at, in one line (the path is of another standard); else NULL. */
SHUNT_API const char          *shunt_inspector_why(const shunt_inspector *inspector);
SHUNT_API void                 shunt_inspector_free(shunt_inspector *inspector);

typedef struct shunt_validate_options {
    size_t                 size;
    const shunt_allocator *allocator;
    const char            *snip; /* "2": SNIP types, or levels, 1 to 2; "1,2,5": these; NULL = 1, 2, 4 and 5 */
    const char            *name; /* of the input, in findings; NULL = "-" */
    bool                   json; /* findings and summary as objects of JSON, one a line */
    bool        show_phi; /* values that carry PHI are shown, not masked; an acknowledgement always repeats what it is about */
    const char *sender, *receiver; /* ISA06 and ISA08 that are expected; NULL = any */
    shunt_write acknowledge;       /* gets TA1, 997, 999, ACK, OperationOutcome; NULL = none are made */
    void       *acknowledge_context;
    const char *made_at;                  /* of the acknowledgements, "2025-03-01T12:00:00Z"; NULL = 2000-01-01T00:00Z */
    const shunt_definitions *definitions; /* NULL = none */
    const char              *fhir;        /* version of FHIR that resources are held against: "R4" (NULL as well) or "R5" */
    uint32_t
        max_findings; /* most that are listed of a set, message or document, besides the first of each code, and a hundred times as many of the input; all are counted. 0 = 1,000 */
} shunt_validate_options;
/* X12, HL7 v2 and FHIR, known by their first bytes, held against their standard (docs/validate.md): `write` gets findings and a summary. Feed pieces; the result of the last one is
 * SHUNT_INPUT_FAULT where a finding of severity error was made. */
typedef struct shunt_validator shunt_validator;
SHUNT_API shunt_result         shunt_validator_new(const shunt_validate_options *options, shunt_write write, void *context,
                                                   shunt_validator **validator, shunt_messages **messages);
SHUNT_API shunt_result         shunt_validator_feed(shunt_validator *validator, const void *bytes, size_t size, bool last);
SHUNT_API void                 shunt_validator_free(shunt_validator *validator);

/* What the dictionary knows: of all (set NULL), of a set, of one of its segments or loops. `version` NULL = every guide of the set. SHUNT_RULES_FAULT: no such thing. */
SHUNT_API shunt_result shunt_dictionary(const char *set, const char *version, const char *part, shunt_write write, void *context);
/* The same with the guides of a site. */
SHUNT_API shunt_result shunt_dictionary_with(const shunt_definitions *definitions, const char *set, const char *version,
                                             const char *part, shunt_write write, void *context);

typedef enum shunt_test_format { SHUNT_TEST_TAP, SHUNT_TEST_JUNIT } shunt_test_format;
typedef struct shunt_test_totals {
    uint64_t passed, failed;
} shunt_test_totals;
/* Runs the `test` blocks of one module. SHUNT_INPUT_FAULT: one failed. `number` is that of the first test in TAP output; `suite` names the module in JUnit. */
SHUNT_API shunt_result shunt_test(const char *path, const shunt_compile_options *options, shunt_test_format format,
                                  uint64_t number, shunt_write write, void *context, shunt_test_totals *totals,
                                  shunt_messages **messages);
/* What the decisions of rules leave to their `else`: of all of them, or of one (`decision`). SHUNT_RULES_FAULT: the messages say why. */
SHUNT_API shunt_result shunt_gaps(const char *path, const shunt_compile_options *options, const char *decision, shunt_write write,
                                  void *context, shunt_messages **messages);
/* What tests reach of the rules: statements, exits behind conditions, rows of decisions and of `match` as a value, arms, answers behind `otherwise`. Over any
 * number of modules; a module that several import is one. */
typedef struct shunt_coverage shunt_coverage;
typedef enum shunt_coverage_format { SHUNT_COVERAGE_TEXT, SHUNT_COVERAGE_JSON, SHUNT_COVERAGE_LCOV } shunt_coverage_format;
SHUNT_API shunt_result shunt_coverage_new(const shunt_allocator *allocator, shunt_coverage **coverage);
SHUNT_API shunt_result shunt_coverage_write(const shunt_coverage *coverage, shunt_coverage_format format, shunt_write write,
                                            void *context);
SHUNT_API void         shunt_coverage_free(shunt_coverage *coverage);
/* shunt_test, and takes note of what the tests reach. `coverage` NULL: of nothing. */
SHUNT_API shunt_result shunt_test_covered(const char *path, const shunt_compile_options *options, shunt_test_format format,
                                          uint64_t number, shunt_write write, void *context, shunt_test_totals *totals,
                                          shunt_coverage *coverage, shunt_messages **messages);
/* Mutants: the rules with one thing changed (an operator, a sign, a side, a row, a check left out). */
typedef struct shunt_mutants {
    uint64_t noticed, survived; /* by a test, by none */
    uint64_t equivalent;        /* by none, and a comment in the rules says why none can */
    uint64_t stillborn;         /* what came out is no program */
} shunt_mutants;
/* Makes each mutant of one module, or `limit` of them spread evenly (0 = all), runs its tests until one notices, and writes a line for each that survives (an object of JSON for each
 * mutant). SHUNT_INPUT_FAULT: some survived. SHUNT_RULES_FAULT: the rules are wrong, or their tests fail as they are. */
SHUNT_API shunt_result shunt_mutate(const char *path, const shunt_compile_options *options, uint64_t limit, bool json,
                                    shunt_write write, void *context, shunt_mutants *mutants, shunt_messages **messages);
/* The page of a diagnostic or exception code, or a card of the language: "syntax", "types", "operators", "functions". An empty text lists
 * what there is. SHUNT_RULES_FAULT: unknown code. */
SHUNT_API shunt_result shunt_explain(const char *code, shunt_write write, void *context);

#ifdef __cplusplus
}
#endif
#endif
