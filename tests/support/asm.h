/* asm.h - programs written by hand, for tests: an assembler for a small text form, captured trees from text, and a host that
 * writes down what a run does.
 *
 *   text "a b"                      a text of the table, so that it has a number (names are added by themselves)
 *   enum NAME member ...            codes NAME value ...                (sorted)
 *   record NAME field:type ...      field?:type = optional; field:text/5 = at most five characters
 *   table NAME RECORD keys=2 [prefix] [range] [effective]        then a line `| cell cell` per row, `-` = absent
 *   extern NAME LIBRARY type ...    parameters, then the result; the host's functions give twice the first int, nothing for 0, and fail for 13
 *   decision NAME ROWS              then a line `| type [ordered] absent cleared others point=ROWS ...` per column; sets are rows
 *                                   `0,2` or `-`; of ordered columns the set above it follows each point
 *   frame ID kind [unit] slot:convert ... [> CHILD ...]
 *                                   kind: set loop group; convert: text int date end (of a range) dec2 n2:2 (two implied, scale
 *                                   two) hl7date hl7moment isodate isomoment format/PATTERN bool bool/yes/no exp2; slot! =
 *                                   required, slot=CODES = has a code list; slot:dec2@SLOT = with its currency there, of the same
 *                                   frame and before it; children stand before
 *   zone NAME STANDARD [SUMMER]     minutes east; with SUMMER the turns of the United States; the first is that of the source
 *   collect NAME FRAME RECORD [group=n] [line=n] [line_group=n] [inner_line=n] [inner_group=n] needed=n [twice] [max=n]
 *                                   then a line, a way per field: `| group:SLOT line:SLOT level:outer:line position
 *                                   position:outer ordinal first:N.SLOT,..`, N a child list of the line, none = itself, ^ = outer
 *   dates NAME FRAME path ...       path: SLOT, or child.SLOT, or child.child.SLOT, children by number
 *   code NAME                       exit KIND SCOPE CODE [SLOT rN]
 *   target NAME RECORD [journal] [line=RECORD] [key=f,f] [balance=n] [accounts=TABLE]
 *   tally NAME TYPE [by=RECORD [keys=n] [members]]     global TYPE
 *   places FILE STEP                every instruction behind it has a place: its line in the text
 *   plan SETFRAME LOOPFRAME         an automaton of one guide with one loop
 *   encode TARGET KIND [width=n] [name=value ...]        then a line `| field name format` per column
 *   map NAME [at_start=FUNCTION] ... [on_error=n]        handler FRAME FUNCTION       declared NAME TYPE FRAME FUNCTION (a tally)
 *   module NAME VERSION FILE        lineage TARGET field SLOT           (these four after the functions that they name)
 *   function NAME PARAMS RESULT [pure] : type type ...   registers; RESULT `none` = handler; then instructions
 *   label:                          OP operand ...
 *
 * Types: bool int text date moment decN usdN eurN enum:NAME row:NAME node:ID list:TYPE. Operands are numbers, or names where the
 * instruction wants an index, @label for jumps, and for constants int:5 dec2:1.50 usd2:1.50 "text" date:2025-01-31 bool:1
 * enum:NAME:1. Anything wrong in the text ends the test with its line. */
#ifndef SHUNT_TEST_ASM_H
#define SHUNT_TEST_ASM_H

#include "engine/vm/vm.h"

/* The bytes of a .mapc in `out`, whose memory is used. */
void           asm_save(const char *source, shunt_buffer *out);
/* Assembled, saved and loaded; ends the test where load refuses. */
shunt_program *asm_load(const char *source);
/* Whether load takes it; what it says else stands in `why`. */
shunt_status   asm_try(const char *source, char why[static 200]);

uint16_t asm_function(const shunt_program *program, const char *name);

/* A captured tree: a line per node, indented by a blank per level: `ID SLOT=value ...` (values without blanks, or in quotes).
 * Lives in the arena. */
const shunt_node *asm_tree(const shunt_program *program, shunt_arena *arena, const char *text);

/* What a run gave, and what the host heard on the way, a line each; see asm_log in asm.c for the forms. */
struct asm_host {
    shunt_vm_host        host;
    const shunt_program *program;
    shunt_buffer         log;
    shunt_status         answer; /* of every callback */
    int64_t              times;  /* of the last OCCURRENCE */
    shunt_value          tally;  /* TALLY_GET */
    shunt_status         tally_status;
};
void  asm_host_init(struct asm_host *host, const shunt_program *program);
void  asm_host_done(struct asm_host *host);
/* Appends how it ended: `result VALUE`, `done`, `exit CODE "message"`, `fail STATUS "message"`, `stop STATUS`. */
void  asm_outcome(struct asm_host *host, uint16_t function, shunt_status status, const shunt_outcome *outcome);
/* Loads, builds the tree (NULL = none), runs the function, gives all lines; the caller frees. */
char *asm_run(const char *source, const char *function, const char *tree);
/* The same over a program that is there. */
char *asm_run_program(const shunt_program *program, const char *function, const char *tree, uint64_t steps, size_t unit_bytes);

/* Runs each function that takes no more than a node, without a node and over a made-up tree, whose shape and values come from
 * `seed`, with machine code of what the optimiser made and in the loop as it is written: what comes of it does not matter, but aborts where
 * the two differ, unless a limit was met. Prints the program, too. */
void asm_run_all(const shunt_program *program, uint32_t seed, uint64_t steps);

/* Programs for tests of files and for fuzzing; together they hold something of every section. */
extern const char *const asm_samples[];
extern const size_t      asm_sample_count;

#endif
