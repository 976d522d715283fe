/* remit.h - a small remittance program assembled by hand, and messages for it, for tests of sessions and runs.
 * Claims (loop 2100, the unit) do what CLP02 says:
 *   S skip   R reject R_CODE   Q quarantine Q_CODE   T quarantine whole transaction T_CODE   B whole batch B_CODE   F whole file F_CODE
 *   N nothing at all   W warn W_CODE and go on   X warn W_CODE and quarantine Q_CODE   O a record whose key counts CLP01
 *   A a second record, of the first CAS   K two records of one key   J a journal (target gl)   Z a journal whose lines are zero
 *   any other: a record (target work)
 * Failures go to quarantine E_RULE, faults of the reader to quarantine whole transaction E_SYNTAX. The transaction is correlated by TRN02,
 * early; BPR02 must be the tally paid_total (CLP04), else quarantine whole transaction TOTAL. The journal's key is CLP01, the record's CLP01 and the
 * occurrence. payment is BPR02 of each transaction. by_status is a total that rules add to, by CLP02, with at most 100 groups. */
#ifndef SHUNT_TEST_REMIT_H
#define SHUNT_TEST_REMIT_H

#include "engine/vm/program.h"

enum {
    REMIT_BATCH = 1,        /* exits may undo a batch */
    REMIT_FILE = 2,         /* or the file */
    REMIT_NO_EXITS = 4,     /* neither `on error` of the map nor of the source */
    REMIT_UNIT_SYNTAX = 8,  /* `on error` of the source is `reject R_CODE`, of a unit */
    REMIT_FILE_SYNTAX = 16, /* ... is `quarantine whole file F_CODE` */
};

/* Loaded; the caller frees it. */
shunt_program *remit_program(unsigned flags);
/* The same as bytes of a .mapc. */
void           remit_save(unsigned flags, shunt_buffer *out);

/* A whole interchange: ISA, GS, one ST per text of `sets` (body between ST and SE, segments end with ~, "" ends the list), trailers.
 * In a body a line `claim ID STATUS AMOUNT` stands for a CLP and its BPR, TRN and LX stand before the first by themselves, with
 * the sum of the claims in BPR02; other lines are taken as they are. Allocated. */
char *remit_message(const char *const *sets);

#endif
