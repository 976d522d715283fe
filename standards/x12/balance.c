#include "standards/x12/balance.h"

#include <stdio.h>

#include "engine/base/segment.h"

/* ---- amounts ---- */

static void add(shunt_x12_sum *to, shunt_x12_sum amount)
{
    if (amount.unknown || shunt_decimal_add(to->value, amount.value, &to->value) != SHUNT_OK) to->unknown = true;
}

static shunt_x12_sum minus(shunt_x12_sum a, shunt_x12_sum b)
{
    shunt_x12_sum result = { .unknown = a.unknown || b.unknown };
    if (!result.unknown) result.unknown = shunt_decimal_subtract(a.value, b.value, &result.value) != SHUNT_OK;
    return result;
}

static bool differ(shunt_x12_sum a, shunt_x12_sum b) { return !a.unknown && !b.unknown && a.value != b.value; }

/* An element that is not there counts as nothing. */
static shunt_x12_sum amount_at(const shunt_segment *s, const shunt_delims *d, uint32_t element)
{
    shunt_x12_sum amount = { 0 };
    shunt_range   range = shunt_segment_value(s, d, element, 0);
    if (range.begin == range.end) return amount;
    amount.unknown = s->line_ends || shunt_decimal_parse((const char *)s->bytes + range.begin, range.end - range.begin,
                                                         X12_BALANCE_SCALE, false, &amount.value) != SHUNT_OK;
    return amount;
}

/* Reasons come in groups of three: reason, amount, quantity. */
static shunt_x12_sum adjusted_by(const shunt_segment *s, const shunt_delims *d)
{
    shunt_x12_sum sum = { 0 };
    for (uint32_t k = 3; k <= 18; k += 3) add(&sum, amount_at(s, d, k));
    return sum;
}

static const char *shown(shunt_x12_sum sum, char out[static SHUNT_DECIMAL_TEXT + 1])
{
    shunt_decimal cents;
    bool          plain = shunt_decimal_rescale(sum.value, X12_BALANCE_SCALE, 2, SHUNT_EXACT, &cents) == SHUNT_OK;
    size_t        length = plain ? shunt_decimal_print(cents, 2, out) : shunt_decimal_print(sum.value, X12_BALANCE_SCALE, out);
    out[length] = 0;
    return out;
}

/* ---- what does not balance ---- */

static void say(shunt_x12_balance *b, shunt_status code, const shunt_x12_spot *at, const char *left_name, shunt_x12_sum left,
                const char *right_name, shunt_x12_sum right)
{
    char one[SHUNT_DECIMAL_TEXT + 1], two[SHUNT_DECIMAL_TEXT + 1];
    if (b->found_count == X12_UNBALANCED) return;
    shunt_x12_unbalanced *u = &b->found[b->found_count++];
    u->code = code;
    u->spot = *at;
    snprintf(u->detail, sizeof u->detail, "%s %s, %s %s", left_name, shown(left, one), right_name, shown(right, two));
}

static shunt_x12_spot spot_of(const shunt_segment *s, uint16_t element)
{
    shunt_x12_spot spot = { .place = { .byte = s->at, .length = s->length, .segment = s->number, .element = element } };
    uint32_t       length = s->offsets[1] - 1;
    memcpy(spot.id, s->bytes, length < 3 ? length : 3);
    return spot;
}

/* ---- 835 ---- */

static void end_remit_line(shunt_x12_balance *b)
{
    if (!b->in_line) return;
    b->in_line = false;
    shunt_x12_sum due = minus(b->line_charge, b->line_adjusted);
    if (differ(b->line_paid, due))
        say(b, SHUNT_X12_BALANCE_LINE, &b->line_at, "SVC03 is", b->line_paid, "SVC02 less CAS is", due);
    add(&b->adjusted, b->line_adjusted);
    add(&b->lines, b->line_charge);
    b->line_count++;
}

static void end_remit_claim(shunt_x12_balance *b)
{
    end_remit_line(b);
    if (!b->in_claim) return;
    b->in_claim = false;
    shunt_x12_sum all = b->claim_adjusted;
    add(&all, b->adjusted);
    shunt_x12_sum due = minus(b->charge, all);
    if (differ(b->paid, due)) say(b, SHUNT_X12_BALANCE_CLAIM, &b->claim_at, "CLP04 is", b->paid, "CLP03 less all CAS is", due);
    if (b->line_count && differ(b->lines, b->charge))
        say(b, SHUNT_X12_BALANCE_TIE, &b->claim_at, "CLP03 is", b->charge, "the sum of SVC02 is", b->lines);
}

static void remittance(shunt_x12_balance *b, const shunt_segment *s, const shunt_delims *d, const char *id)
{
    if (!strcmp(id, "BPR")) {
        b->payment = amount_at(s, d, 2);
        b->has_payment = true;
        b->payment_at = spot_of(s, 2);
    } else if (!strcmp(id, "CLP")) {
        end_remit_claim(b);
        b->in_claim = true;
        b->charge = amount_at(s, d, 3);
        b->paid = amount_at(s, d, 4);
        b->claim_adjusted = b->adjusted = b->lines = (shunt_x12_sum){ 0 };
        b->line_count = 0;
        b->claim_at = spot_of(s, 4);
        add(&b->claims, b->paid);
    } else if (!strcmp(id, "SVC") && b->in_claim) {
        end_remit_line(b);
        b->in_line = true;
        b->line_charge = amount_at(s, d, 2);
        b->line_paid = amount_at(s, d, 3);
        b->line_adjusted = (shunt_x12_sum){ 0 };
        b->line_at = spot_of(s, 3);
    } else if (!strcmp(id, "CAS") && b->in_claim) {
        add(b->in_line ? &b->line_adjusted : &b->claim_adjusted, adjusted_by(s, d));
    } else if (!strcmp(id, "PLB")) {
        end_remit_claim(b);
        for (uint32_t k = 4; k <= 14; k += 2) add(&b->provider, amount_at(s, d, k));
    }
}

/* ---- 837 ---- */

static void end_judged(shunt_x12_balance *b)
{
    if (!b->judged) return;
    b->judged = false;
    shunt_x12_sum due = b->svd_paid;
    add(&due, b->svd_adjusted);
    if (differ(b->line_charge, due))
        say(b, SHUNT_X12_BALANCE_PAYER, &b->svd_at, "the line's charge is", b->line_charge, "SVD02 and CAS are", due);
    if (b->line_payer < 0) return;
    shunt_x12_payer *p = &b->payers[b->line_payer];
    p->has_lines = true;
    add(&p->line_paid, b->svd_paid);
    add(&p->line_adjusted, b->svd_adjusted);
}

static void end_claim_line(shunt_x12_balance *b)
{
    end_judged(b);
    if (!b->in_line) return;
    b->in_line = false;
    add(&b->lines, b->line_charge);
    b->line_count++;
}

static void check_payer(shunt_x12_balance *b, const shunt_x12_payer *p)
{
    if (!p->has_paid) return;
    shunt_x12_sum all = p->paid;
    add(&all, p->claim_adjusted);
    add(&all, p->line_adjusted);
    if (!differ(b->charge, all)) return;
    /* Senders that repeat the adjustments of the lines at the claim count them twice. */
    bool twice = p->claim_adjusted.value != 0 && !differ(p->claim_adjusted, p->line_adjusted);
    say(b, SHUNT_X12_BALANCE_PAYER, &p->spot, "CLM02 is", b->charge,
        twice ? "adjusted twice, at the claim and its lines: AMT*D and all CAS are" : "AMT*D and all CAS are", all);
}

static void end_claim(shunt_x12_balance *b)
{
    end_claim_line(b);
    if (!b->in_claim) return;
    b->in_claim = b->in_payer = false;
    if (b->line_count && differ(b->charge, b->lines))
        say(b, SHUNT_X12_BALANCE_CHARGE, &b->claim_at, "CLM02 is", b->charge, "the sum of its lines is", b->lines);
    for (uint32_t i = 0; i < b->payer_count && !b->many_payers; i++) check_payer(b, &b->payers[i]);
    b->payer_count = 0;
}

static int32_t payer_of(const shunt_x12_balance *b, const shunt_segment *s, const shunt_delims *d, uint32_t element)
{
    shunt_range range = shunt_segment_value(s, d, element, 0);
    uint32_t    length = range.end - range.begin;
    for (uint32_t i = 0; i < b->payer_count && length; i++)
        if (b->payers[i].id_length == length && !memcmp(b->payers[i].id, s->bytes + range.begin, length)) return (int32_t)i;
    return -1;
}

static void name_payer(shunt_x12_payer *p, const shunt_segment *s, const shunt_delims *d)
{
    shunt_range range = shunt_segment_value(s, d, 9, 0);
    uint32_t    length = range.end - range.begin;
    if (length == 0 || length > sizeof p->id) return;
    memcpy(p->id, s->bytes + range.begin, length);
    p->id_length = length;
}

static void claim(shunt_x12_balance *b, const shunt_segment *s, const shunt_delims *d, const char *id, const char *loop)
{
    bool payer = b->in_payer && b->payer_count > 0;
    if (!strcmp(id, "CLM")) {
        end_claim(b);
        b->in_claim = true;
        b->charge = amount_at(s, d, 2);
        b->lines = (shunt_x12_sum){ 0 };
        b->line_count = b->payer_count = 0;
        b->many_payers = b->in_payer = false;
        b->claim_at = spot_of(s, 2);
    } else if (!strcmp(id, "HL")) {
        end_claim(b);
    } else if (!b->in_claim) {
        return;
    } else if (!strcmp(id, "SBR") && !strcmp(loop, "2320")) {
        b->in_payer = true;
        if (b->payer_count == X12_PAYERS) {
            b->many_payers = true;
            return;
        }
        shunt_x12_payer *p = &b->payers[b->payer_count++];
        memset(p, 0, sizeof *p);
        p->spot = spot_of(s, 0);
    } else if (!strcmp(id, "CAS") && b->judged) {
        add(&b->svd_adjusted, adjusted_by(s, d));
    } else if (!strcmp(id, "CAS") && payer && !strcmp(loop, "2320")) {
        add(&b->payers[b->payer_count - 1].claim_adjusted, adjusted_by(s, d));
    } else if (!strcmp(id, "AMT") && payer && !strcmp(loop, "2320") &&
               shunt_segment_pack_value(s, d, 1, 0) == (uint64_t)'D' << 56) {
        b->payers[b->payer_count - 1].paid = amount_at(s, d, 2);
        b->payers[b->payer_count - 1].has_paid = true;
    } else if (!strcmp(id, "NM1") && payer && !strcmp(loop, "2330B")) {
        name_payer(&b->payers[b->payer_count - 1], s, d);
    } else if (!strcmp(id, "LX")) {
        end_claim_line(b);
        b->in_payer = false;
    } else if (!strcmp(id, "SV1") || !strcmp(id, "SV2") || !strcmp(id, "SV3")) {
        end_claim_line(b);
        b->in_line = true;
        b->line_charge = amount_at(s, d, id[2] == '2' ? 3 : 2);
        b->line_at = spot_of(s, id[2] == '2' ? 3 : 2);
    } else if (!strcmp(id, "SVD") && b->in_line) {
        end_judged(b);
        b->judged = true;
        b->svd_paid = amount_at(s, d, 2);
        b->svd_adjusted = (shunt_x12_sum){ 0 };
        b->line_payer = payer_of(b, s, d, 1);
        b->svd_at = spot_of(s, 2);
    }
}

/* ---- the interface ---- */

void shunt_x12_balance_begin(shunt_x12_balance *b, shunt_text set)
{
    memset(b, 0, sizeof *b);
    b->remittance = shunt_text_is(set, "835");
    b->claim_set = shunt_text_is(set, "837");
}

void shunt_x12_balance_segment(shunt_x12_balance *b, const shunt_segment *s, const shunt_delims *d, const char *loop)
{
    char     id[4] = "";
    uint32_t length = s->offsets[1] - 1;
    b->found_count = 0;
    if (length < 4) memcpy(id, s->bytes, length);
    if (b->remittance) remittance(b, s, d, id);
    if (b->claim_set) claim(b, s, d, id, loop);
}

void shunt_x12_balance_end(shunt_x12_balance *b)
{
    b->found_count = 0;
    if (b->claim_set) end_claim(b);
    if (!b->remittance) return;
    end_remit_claim(b);
    shunt_x12_sum due = minus(b->claims, b->provider);
    if (b->has_payment && differ(b->payment, due))
        say(b, SHUNT_X12_BALANCE_PAYMENT, &b->payment_at, "BPR02 is", b->payment, "all CLP04 less PLB are", due);
    memset(b, 0, offsetof(shunt_x12_balance, found));
}
