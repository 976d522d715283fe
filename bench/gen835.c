/* gen835.c - writes one valid and balanced 835 interchange (005010X221A1) of any size: the same bytes for the same options.
 *
 *   gen835 [-n CLAIMS] [-b BYTES] [-t CLAIMS] [-s SEED] [-o FILE]
 *     -n  claims in all (1,000,000 where -b is given, else 1,000)     -b  stop after so many bytes; k, m or g may follow
 *     -t  claims per transaction (1,000; 0 = all in one)              -s  seed (835)     -o  file (standard output)
 *
 * Amounts are whole cents. What holds in every message, per line, claim and transaction:
 *   SVC03 = SVC02 - CAS of the line     CLP03 = sum of SVC02     CLP04 = CLP03 - CAS of claim and lines     CLP05 = CAS of group PR
 *   BPR02 = sum of CLP04 - sum of PLB, and is never negative: a forward balance (PLB FB) takes what is below zero
 * Claims have three lines with one to four adjustments. Per 100: 5 denied, 1 reversed and then corrected, 8 answered as second
 * payer, 10 adjusted at claim level, 10 with one denied line. The totals go to standard error.
 * Memory does not grow with the size: a transaction is made twice, first to add it up, then to write it. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINES = 3, ADJUSTMENTS = 6, PAIRS = 6, BUFFER = 1 << 20, SPARE = 1 << 10 };

/* ---- random numbers: splitmix64, so that the bytes are the same on every machine ---- */

typedef struct dice {
    uint64_t state;
} dice;

static uint64_t roll(dice *d)
{
    uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static unsigned below(dice *d, unsigned n) { return (unsigned)((roll(d) >> 32) * n >> 32); }
static int64_t  between(dice *d, unsigned least, unsigned most) { return least + below(d, most - least + 1); }
static bool     percent(dice *d, unsigned n) { return below(d, 100) < n; }

/* ---- claims ---- */

typedef struct adjustment {
    const char *group, *reason;
    int64_t     cents;
} adjustment;

typedef struct adjustments {
    adjustment items[ADJUSTMENTS];
    unsigned   count;
} adjustments;

typedef struct line {
    int64_t     charge, paid;
    unsigned    units, procedure, day;
    bool        modifier, denied;
    adjustments cut;
} line;

typedef struct claim {
    uint64_t    number; /* of the account: a reversal and its correction share it */
    const char *status;
    int64_t     charge, paid, patient;
    int         sign; /* -1: a reversal */
    line        lines[LINES];
    adjustments cut;
    unsigned    family, given, day;
    uint64_t    control, member, record;
} claim;

typedef struct maker {
    dice     random;
    uint64_t accounts; /* given out so far */
    bool     correct;  /* the claim before was a reversal: its correction comes next */
} maker;

static const char *const procedures[] = { "99213", "99214", "99203", "80053", "85025", "93000",
                                          "71046", "36415", "97110", "20610", "99283", "81001" };
static const char *const families[] = { "DOE", "ROE", "POE", "LOE", "MOE", "NOE", "SOE", "COE", "HOE", "FOE" };
static const char *const givens[] = { "JANE", "RICHARD", "PAUL", "LINDA", "MARTIN", "NORA", "SAM", "ALICE" };

enum {
    PROCEDURES = sizeof procedures / sizeof *procedures,
    FAMILIES = sizeof families / sizeof *families,
    GIVENS = sizeof givens / sizeof *givens
};

/* Takes `cents` off what is left to pay. An adjustment of nothing is not sent. */
static void cut(adjustments *list, const char *group, const char *reason, int64_t cents, int64_t *left)
{
    if (cents <= 0) return;
    list->items[list->count++] = (adjustment){ group, reason, cents };
    *left -= cents;
}

static void cut_patient_share(dice *d, line *l)
{
    unsigned kind = below(d, 100);
    if (kind < 30) {
        cut(&l->cut, "PR", "2", l->paid / 5, &l->paid);
    } else if (kind < 45) {
        int64_t copay = between(d, 1000, 5000);
        cut(&l->cut, "PR", "3", copay < l->paid ? copay : l->paid, &l->paid);
    } else if (kind < 55) {
        int64_t allowed = l->paid;
        cut(&l->cut, "PR", "1", allowed / 2, &l->paid);
        cut(&l->cut, "PR", "2", allowed / 10, &l->paid);
    }
}

static void make_line(dice *d, line *l, bool denied, bool second)
{
    *l = (line){ .units = 1 + below(d, 3),
                 .procedure = below(d, PROCEDURES),
                 .day = 1 + below(d, 28),
                 .modifier = percent(d, 10),
                 .denied = denied };
    l->charge = l->paid = between(d, 2500, 60000);
    if (denied) {
        cut(&l->cut, "CO", percent(d, 50) ? "50" : "97", l->paid, &l->paid);
        return;
    }
    if (second) {
        cut(&l->cut, "OA", "23", l->paid * between(d, 60, 90) / 100, &l->paid);
    } else {
        cut(&l->cut, "CO", "45", l->paid * between(d, 20, 60) / 100, &l->paid);
        if (percent(d, 15)) cut(&l->cut, "CO", "253", l->paid / 50, &l->paid);
    }
    cut_patient_share(d, l);
    if (percent(d, 2)) cut(&l->cut, "PI", "45", l->paid / 8, &l->paid);
}

static int64_t patient_share(const adjustments *list)
{
    int64_t cents = 0;
    for (unsigned i = 0; i < list->count; i++)
        if (list->items[i].group[0] == 'P' && list->items[i].group[1] == 'R') cents += list->items[i].cents;
    return cents;
}

static void make_claim(maker *m, claim *c)
{
    static const char *const paid_statuses[] = { "1", "1", "1", "19", "3" };
    dice                    *d = &m->random;
    unsigned                 kind = below(d, 100);
    bool denied = kind < 5 && !m->correct, reversal = kind == 5 && !m->correct, second = kind >= 6 && kind < 14;
    bool one_denied = !denied && percent(d, 10);

    *c = (claim){ .sign = reversal ? -1 : 1, .family = below(d, FAMILIES), .given = below(d, GIVENS), .day = 1 + below(d, 28) };
    c->control = roll(d) % UINT64_C(10000000000);
    c->member = below(d, 1000000000);
    c->record = below(d, 10000000);
    c->number = m->correct ? m->accounts : ++m->accounts;
    c->status = reversal ? "22" : denied ? percent(d, 20) ? "4" : "1" : second ? "2" : paid_statuses[below(d, 5)];
    m->correct = reversal;
    for (unsigned i = 0; i < LINES; i++) {
        line *l = &c->lines[i];
        make_line(d, l, denied || (one_denied && i == 1), second);
        c->charge += l->charge;
        c->paid += l->paid;
        c->patient += patient_share(&l->cut);
    }
    if (!denied && percent(d, 10)) cut(&c->cut, "CO", "253", c->paid / 50, &c->paid);
}

/* ---- writing ---- */

typedef struct sink {
    FILE    *file; /* NULL: only counts */
    uint64_t bytes, segments;
    size_t   used;
    char    *buffer;
    bool     failed;
} sink;

static void flush(sink *s)
{
    if (s->file && fwrite(s->buffer, 1, s->used, s->file) != s->used) s->failed = true;
    s->used = 0;
}

static void put_text(sink *s, const char *text)
{
    size_t length = strlen(text);
    memcpy(s->buffer + s->used, text, length);
    s->used += length;
    s->bytes += length;
}

static void put_number(sink *s, uint64_t number, unsigned digits)
{
    char     text[24];
    unsigned at = sizeof text - 1;
    text[at] = 0;
    do text[--at] = (char)('0' + number % 10);
    while ((number /= 10) || sizeof text - 1 - at < digits);
    put_text(s, text + at);
}

/* As X12 writes an R: no zeros at the end, no point at the end. */
static void put_cents(sink *s, int64_t cents)
{
    if (cents < 0) put_text(s, "-");
    uint64_t left = cents < 0 ? -(uint64_t)cents : (uint64_t)cents;
    put_number(s, left / 100, 1);
    left %= 100;
    if (left == 0) return;
    put_text(s, ".");
    put_number(s, left % 10 ? left : left / 10, left % 10 ? 2 : 1);
}

static void end_segment(sink *s)
{
    put_text(s, "~");
    s->segments++;
    if (s->used > BUFFER - SPARE) flush(s);
}

static void put_segment(sink *s, const char *text)
{
    put_text(s, text);
    end_segment(s);
}

/* One CAS for each run of adjustments of one group. */
static void put_adjustments(sink *s, const adjustments *list, int sign)
{
    for (unsigned i = 0; i < list->count; i++) {
        const adjustment *a = &list->items[i];
        bool              goes_on = i > 0 && strcmp(a[-1].group, a->group) == 0;
        if (!goes_on) {
            if (i > 0) end_segment(s);
            put_text(s, "CAS*");
            put_text(s, a->group);
        }
        put_text(s, goes_on ? "**" : "*");
        put_text(s, a->reason);
        put_text(s, "*");
        put_cents(s, sign * a->cents);
    }
    if (list->count) end_segment(s);
}

static void put_line(sink *s, const claim *c, unsigned index)
{
    const line *l = &c->lines[index];
    put_text(s, "SVC*HC:");
    put_text(s, procedures[l->procedure]);
    if (l->modifier) put_text(s, ":25");
    put_text(s, "*");
    put_cents(s, c->sign * l->charge);
    put_text(s, "*");
    put_cents(s, c->sign * l->paid);
    put_text(s, "**");
    put_number(s, l->units, 1);
    end_segment(s);
    put_text(s, "DTM*472*202502");
    put_number(s, l->day, 2);
    end_segment(s);
    put_adjustments(s, &l->cut, c->sign);
    put_text(s, "REF*6R*");
    put_number(s, c->number, 1);
    put_number(s, index + 1, 2);
    end_segment(s);
    if (l->denied) {
        put_segment(s, "LQ*HE*N115");
    } else {
        put_text(s, "AMT*B6*");
        put_cents(s, c->sign * (l->paid + patient_share(&l->cut)));
        end_segment(s);
    }
}

static void put_claim(sink *s, const claim *c)
{
    put_text(s, "CLP*PCN");
    put_number(s, c->number, 8);
    put_text(s, "*");
    put_text(s, c->status);
    put_text(s, "*");
    put_cents(s, c->sign * c->charge);
    put_text(s, "*");
    put_cents(s, c->sign * c->paid);
    put_text(s, "*");
    if (c->patient && c->sign > 0) put_cents(s, c->patient);
    put_text(s, "*12*ICN");
    put_number(s, c->control, 10);
    put_segment(s, "*11*1");
    put_adjustments(s, &c->cut, c->sign);
    put_text(s, "NM1*QC*1*");
    put_text(s, families[c->family]);
    put_text(s, "*");
    put_text(s, givens[c->given]);
    put_text(s, "****MI*");
    put_number(s, c->member, 9);
    end_segment(s);
    put_segment(s, "NM1*82*1*EXAMPLE*CLINICIAN****XX*1234567893");
    put_text(s, "REF*EA*MRN");
    put_number(s, c->record, 7);
    end_segment(s);
    put_text(s, "DTM*232*202502");
    put_number(s, c->day, 2);
    end_segment(s);
    put_segment(s, "DTM*050*20250220");
    put_text(s, "AMT*AU*");
    put_cents(s, c->sign * (c->paid + c->patient));
    end_segment(s);
    for (unsigned i = 0; i < LINES; i++) put_line(s, c, i);
}

/* ---- transactions ---- */

typedef struct pair {
    const char *code;
    uint64_t    reference;
    int64_t     cents;
} pair;

typedef struct payment {
    uint64_t number; /* of the transaction, from 1 */
    uint64_t claims;
    int64_t  paid, pay;
    pair     pairs[PAIRS];
    unsigned pair_count;
} payment;

static void adjust(payment *p, dice *d, const char *code, int64_t cents)
{
    if (cents == 0) return; /* balancing: a PLB amount of nothing is not allowed */
    p->pairs[p->pair_count++] = (pair){ code, below(d, 1000000000), cents };
    p->pay -= cents;
}

/* Overpayments taken back, interest, a refund by cheque; below zero the payer carries the rest forward. */
static void make_adjustments(payment *p, dice *d)
{
    p->pay = p->paid;
    if (p->paid > 1000) adjust(p, d, "WO", between(d, 100, p->paid / 10 < 50000 ? (unsigned)(p->paid / 10) : 50000));
    adjust(p, d, "L6", -between(d, 100, 20000));
    if (percent(d, 50)) adjust(p, d, "72", -between(d, 100, 9000));
    if (p->pay < 0) adjust(p, d, "FB", p->pay);
}

static void put_pairs(sink *s, const payment *p)
{
    for (unsigned i = 0; i < p->pair_count; i++) {
        const pair *one = &p->pairs[i];
        if (i % 2 == 0) put_text(s, "PLB*1234567893*20251231");
        put_text(s, "*");
        put_text(s, one->code);
        put_text(s, ":");
        put_number(s, one->reference, 9);
        put_text(s, "*");
        put_cents(s, one->cents);
        if (i % 2 == 1 || i + 1 == p->pair_count) end_segment(s);
    }
}

static void put_head(sink *s, const payment *p)
{
    put_text(s, "ST*835*");
    put_number(s, p->number, 4);
    end_segment(s);
    put_text(s, p->pay > 0 ? "BPR*I*" : "BPR*H*");
    put_cents(s, p->pay);
    put_segment(s, p->pay > 0 ? "*C*ACH*CCP*01*999999992*DA*123456*1999999999**01*999999984*DA*987654*20250301"
                              : "*C*NON************20250301");
    put_text(s, "TRN*1*EFT");
    put_number(s, p->number, 9);
    put_segment(s, "*1999999999");
    put_segment(s, "REF*EV*EXAMPLECLINIC");
    put_segment(s, "DTM*405*20250228");
    put_segment(s, "N1*PR*EXAMPLE HEALTH");
    put_segment(s, "N3*1 EXAMPLE STREET");
    put_segment(s, "N4*AUSTIN*TX*787010000");
    put_segment(s, "PER*BL*EDI DESK*TE*5125550100");
    put_segment(s, "N1*PE*EXAMPLE CLINIC*XX*1234567893");
    put_segment(s, "N3*2 EXAMPLE STREET");
    put_segment(s, "N4*AUSTIN*TX*787010000");
    put_segment(s, "REF*TJ*999999984");
    put_segment(s, "LX*1");
}

typedef struct totals {
    uint64_t claims, transactions;
    int64_t  charge, paid, pay;
} totals;

/* Claims up to `most`, or to `bytes_left`. With `add_up` the payment is made of them, else they are written. */
static void put_claims(sink *s, maker *m, payment *p, uint64_t most, uint64_t bytes_left, totals *add_up)
{
    claim c;
    for (p->claims = 0; p->claims < most && (s->bytes < bytes_left || m->correct); p->claims++) {
        make_claim(m, &c);
        put_claim(s, &c);
        if (!add_up) continue;
        add_up->charge += c.sign * c.charge;
        p->paid += c.sign * c.paid;
    }
}

static void put_transaction(sink *s, maker *m, uint64_t most, uint64_t target, totals *t)
{
    payment p = { .number = ++t->transactions };
    maker   again = *m;
    flush(s);
    sink counter = { .buffer = s->buffer };
    put_claims(&counter, m, &p, most, target > s->bytes ? target - s->bytes : 1, t);
    make_adjustments(&p, &m->random);

    uint64_t before = s->segments;
    put_head(s, &p);
    put_claims(s, &again, &p, p.claims, UINT64_MAX, NULL);
    put_pairs(s, &p);
    put_text(s, "SE*");
    put_number(s, s->segments - before + 1, 1);
    put_text(s, "*");
    put_number(s, p.number, 4);
    end_segment(s);
    t->claims += p.claims;
    t->paid += p.paid;
    t->pay += p.pay;
}

/* ---- the command ---- */

static uint64_t read_number(const char *text)
{
    char    *end;
    uint64_t number = strtoull(text, &end, 10);
    unsigned shift = *end == 'k' ? 10 : *end == 'm' ? 20 : *end == 'g' ? 30 : 0;
    if (end == text || *(shift ? end + 1 : end) || number > UINT64_MAX >> shift) {
        fprintf(stderr, "gen835: not a number: %s\n", text);
        exit(2);
    }
    return number << shift;
}

int main(int argc, char **argv)
{
    uint64_t    claims = 0, target = 0, per_transaction = 1000, seed = 835;
    const char *path = NULL;
    for (int option; (option = getopt(argc, argv, "n:b:t:s:o:")) != -1;) {
        switch (option) {
        case 'n': claims = read_number(optarg); break;
        case 'b': target = read_number(optarg); break;
        case 't': per_transaction = read_number(optarg); break;
        case 's': seed = read_number(optarg); break;
        case 'o': path = optarg; break;
        default: fputs("usage: gen835 [-n CLAIMS] [-b BYTES] [-t CLAIMS] [-s SEED] [-o FILE]\n", stderr); return 2;
        }
    }
    if (!claims) claims = target ? UINT64_MAX : 1000;
    if (!target) target = UINT64_MAX;
    if (!per_transaction) per_transaction = UINT64_MAX;

    static char buffer[BUFFER];
    sink        s = { .file = path ? fopen(path, "wb") : stdout, .buffer = buffer };
    maker       m = { .random = { seed } };
    totals      t = { 0 };
    if (!s.file) {
        perror(path);
        return 3;
    }
    put_segment(&s, "ISA*00*          *00*          *ZZ*EXAMPLEHEALTH  *ZZ*EXAMPLECLINIC  *250301*1200*^*00501*000000001*0*T*:");
    put_segment(&s, "GS*HP*EXAMPLEHEALTH*EXAMPLECLINIC*20250301*1200*1*X*005010X221A1");
    while (t.claims < claims && s.bytes < target)
        put_transaction(&s, &m, claims - t.claims < per_transaction ? claims - t.claims : per_transaction, target, &t);
    put_text(&s, "GE*");
    put_number(&s, t.transactions, 1);
    put_segment(&s, "*1");
    put_segment(&s, "IEA*1*000000001");
    flush(&s);
    if (s.failed || fclose(s.file) != 0) {
        perror(path ? path : "standard output");
        return 3;
    }
    fprintf(stderr,
            "bytes=%" PRIu64 " segments=%" PRIu64 " transactions=%" PRIu64 " claims=%" PRIu64 " lines=%" PRIu64
            " charge_cents=%" PRId64 " paid_cents=%" PRId64 " payment_cents=%" PRId64 "\n",
            s.bytes, s.segments, t.transactions, t.claims, t.claims * LINES, t.charge, t.paid, t.pay);
    return 0;
}
