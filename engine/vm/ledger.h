/* ledger.h - what became of every unit, in count and in each declared tally; and the totals that rules add to.
 * Totals stand at four levels, transaction to run. A level that is closed goes into the next one, as it is or, when it was
 * undone, under the one fate that undid it: so nothing is kept per unit.
 * Owns:    all it holds; the program is borrowed.
 * Threads: one ledger, one thread.
 * Fails:   NO_MEMORY; OVERFLOW and LIMIT_GROUPS of an `add`; TALLY_UNKNOWN of a read. */
#ifndef SHUNT_LEDGER_H
#define SHUNT_LEDGER_H

#include "engine/base/event.h"
#include "engine/vm/program.h"

/* What becomes of a unit. */
typedef enum shunt_fate {
    SHUNT_POSTED,
    SHUNT_DUPLICATE,
    SHUNT_SKIPPED,
    SHUNT_REJECTED,
    SHUNT_QUARANTINED,
    SHUNT_FATE_COUNT
} shunt_fate;
const char *shunt_fate_name(shunt_fate fate); /* "posted", "duplicate", "skipped", "rejected", "quarantined" */

typedef enum shunt_level {
    SHUNT_LEVEL_TRANSACTION,
    SHUNT_LEVEL_BATCH,
    SHUNT_LEVEL_FILE,
    SHUNT_LEVEL_RUN,
    SHUNT_LEVEL_COUNT
} shunt_level;

/* A declared tally under one fate. */
typedef struct shunt_sum {
    __int128 amount;
    uint64_t unknown; /* values that were absent, could not be read, or did not fit into 38 digits any more */
} shunt_sum;

typedef struct shunt_ledger shunt_ledger;

shunt_ledger *shunt_ledger_new(const shunt_memory *memory, const shunt_program *program) SHUNT_MUST_USE;
void          shunt_ledger_free(shunt_ledger *ledger); /* NULL is fine */

/* A unit arrives; later `shunt_ledger_unit` says what became of it. Units may nest; the declared tallies of each are its own. */
void         shunt_ledger_enter(shunt_ledger *ledger);
void         shunt_ledger_unit(shunt_ledger *ledger, shunt_fate fate);
unsigned     shunt_ledger_open_units(const shunt_ledger *ledger);
/* A value of a declared tally, of the innermost open unit; outside of units it counts under `outside`. */
void         shunt_ledger_arrive(shunt_ledger *ledger, uint16_t tally, bool known, shunt_value value, shunt_fate outside);
/* Ends a level; `undone`: all of it goes under `fate`, and what rules added in it is forgotten. */
shunt_status shunt_ledger_close(shunt_ledger *ledger, shunt_level level, bool undone, shunt_fate fate);

/* Writes one of several keys: at most twice its length and 2. A zero byte becomes 0 255, its end is 0 1, so that joined keys sort by their
 * parts. Gives the number of bytes. */
static inline uint32_t shunt_ledger_put_key(char *out, shunt_text key)
{
    uint32_t length = 0;
    for (uint32_t i = 0; i < key.length; i++) {
        out[length++] = key.bytes[i];
        if (key.bytes[i] == 0) out[length++] = (char)0xff;
    }
    out[length++] = 0;
    out[length++] = 1;
    return length;
}

/* `add` of a rule; undone or kept with what runs at present. Several keys are joined by shunt_ledger_put_key. */
shunt_status shunt_ledger_add(shunt_ledger *ledger, uint16_t tally, shunt_value value, shunt_text key);
/* Whether what runs at present has added to a group: it will be seen in a sum. */
bool         shunt_ledger_summed(const shunt_ledger *ledger);
void         shunt_ledger_keep(shunt_ledger *ledger);
void         shunt_ledger_undo(shunt_ledger *ledger);
/* Of the scope that is at its end. A grouped one gives a list of rows in the arena. */
shunt_status shunt_ledger_read(const shunt_ledger *ledger, uint16_t tally, shunt_arena *arena, shunt_value *value);

/* Of a level and all that is open below it. */
uint64_t  shunt_ledger_units(const shunt_ledger *ledger, shunt_level level, shunt_fate fate);
uint64_t  shunt_ledger_in(const shunt_ledger *ledger);
shunt_sum shunt_ledger_sum(const shunt_ledger *ledger, shunt_level level, uint16_t tally, shunt_fate fate);
shunt_sum shunt_ledger_arrived(const shunt_ledger *ledger, uint16_t tally);
/* The control total of the run: units and tallies that came in are those that were accounted for. */
bool      shunt_ledger_balanced(const shunt_ledger *ledger);

#endif
