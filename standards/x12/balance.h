/* balance.h - the money equations of the 835 and of the 837, followed segment by segment. Bounded state, no allocation.
 * Amounts are exact; an amount that can not be read makes the equations it belongs to unknown, and nothing is said of them. */
#ifndef SHUNT_X12_BALANCE_H
#define SHUNT_X12_BALANCE_H

#include "engine/base/decimal.h"
#include "engine/base/event.h"
#include "standards/schema.h"

enum {
    X12_PAYERS = 10, /* earlier payers of a claim that are followed; more are not balanced */
    X12_BALANCE_SCALE = 4,
    X12_UNBALANCED = 24, /* most that one segment or end can show */
    X12_BALANCE_DETAIL = 199,
};

typedef struct shunt_x12_sum {
    shunt_decimal value;
    bool          unknown;
} shunt_x12_sum;

typedef struct shunt_x12_spot {
    shunt_place place;
    char        id[4];
} shunt_x12_spot;

typedef struct shunt_x12_unbalanced {
    shunt_status   code;
    shunt_x12_spot spot;
    char           detail[X12_BALANCE_DETAIL + 1];
} shunt_x12_unbalanced;

typedef struct shunt_x12_payer {
    char           id[80];
    uint32_t       id_length;
    shunt_x12_sum  claim_adjusted, line_adjusted, line_paid, paid; /* CAS of 2320 and 2430, SVD02, AMT*D */
    bool           has_paid, has_lines;
    shunt_x12_spot spot;
} shunt_x12_payer;

typedef struct shunt_x12_balance {
    bool            remittance, claim_set; /* 835, 837 */
    /* 835 */
    shunt_x12_sum   payment, claims, provider; /* BPR02, sum of CLP04, sum of PLB */
    bool            has_payment;
    shunt_x12_spot  payment_at;
    /* a claim of either set */
    bool            in_claim, in_line;
    shunt_x12_sum   charge, paid, claim_adjusted, adjusted, lines; /* of the claim; sum of the charges of its lines */
    uint32_t        line_count;
    shunt_x12_spot  claim_at;
    shunt_x12_sum   line_charge, line_paid, line_adjusted;
    shunt_x12_spot  line_at;
    /* 837 */
    shunt_x12_payer payers[X12_PAYERS];
    uint32_t        payer_count;
    bool            in_payer, many_payers, judged; /* judged: an SVD is open */
    int32_t         line_payer;                    /* of the open SVD, -1 = none */
    shunt_x12_sum   svd_paid, svd_adjusted;
    shunt_x12_spot  svd_at;

    shunt_x12_unbalanced found[X12_UNBALANCED]; /* of the last call */
    uint32_t             found_count;
} shunt_x12_balance;

void shunt_x12_balance_begin(shunt_x12_balance *balance, shunt_text set);
/* `loop`: the innermost open loop of the guide. */
void shunt_x12_balance_segment(shunt_x12_balance *balance, const shunt_segment *segment, const shunt_delims *delims,
                               const char *loop);
/* The set is complete. */
void shunt_x12_balance_end(shunt_x12_balance *balance);

#endif
