/* gensets.c - writes one valid interchange of claims (837P, 005010X222A1) or orders (850, 004010) of any size: the same bytes for the same options.
 *
 *   gensets 837|850 [-n UNITS] [-b BYTES] [-t UNITS] [-s SEED] [-o FILE]
 *     -n  claims or orders in all (1,000,000 where -b is given, else 1,000)     -b  stop after so many bytes; k, m or g may follow
 *     -t  claims per transaction (1,000)     -s  seed (837)     -o  file (standard output)
 *
 * Claims have one to four lines that add up to CLM02, one to four diagnoses, a third of them a rendering provider, a tenth a note and a prior
 * authorization. Orders are a transaction each, of one to twenty lines, with two parties and a description for each line.
 * The totals go to standard error. Memory does not grow with the size. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINES = 4, ITEMS = 20 };

/* splitmix64, so that the bytes are the same on every machine */
static uint64_t roll(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

struct output {
    FILE    *file;
    uint64_t bytes, dice;
    unsigned segments; /* of the open transaction */
};

static unsigned below(struct output *o, unsigned n) { return (unsigned)((roll(&o->dice) >> 32) * n >> 32); }

__attribute__((format(printf, 2, 3))) static void put(struct output *o, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vfprintf(o->file, format, args);
    va_end(args);
    o->bytes += length > 0 ? (uint64_t)length : 0;
    o->segments++;
}

static void put_money(struct output *o, const char *before, unsigned cents, const char *behind)
{
    if (cents % 100)
        put(o, "%s%u.%02u%s~", before, cents / 100, cents % 100, behind);
    else
        put(o, "%s%u%s~", before, cents / 100, behind);
}

/* ---- 837 ---- */

static void begin_claims(struct output *o, uint64_t set)
{
    o->segments = 0;
    put(o, "ST*837*%04" PRIu64 "*005010X222A1~", set);
    put(o, "BHT*0019*00*B%06" PRIu64 "*20250301*1200*CH~", set);
    put(o, "NM1*41*2*EXAMPLE CLINIC*****46*EX1~");
    put(o, "PER*IC*BILLING DESK*TE*5555550100~");
    put(o, "NM1*40*2*EXAMPLE HEALTH*****46*EX2~");
    put(o, "HL*1**20*1~");
    put(o, "PRV*BI*PXC*207Q00000X~");
    put(o, "NM1*85*2*EXAMPLE CLINIC*****XX*1234567893~");
    put(o, "N3*1 MAIN STREET~");
    put(o, "N4*ANYTOWN*OH*450110001~");
    put(o, "REF*EI*999999992~");
}

static void put_claim(struct output *o, unsigned level, uint64_t number)
{
    static const char *const last[] = { "SAMPLE", "EXAMPLE", "PATIENT", "TESTER", "MEMBER" };
    static const char *const first[] = { "ANN", "BOB", "RUTH", "OTTO", "UNA", "TIM" };
    static const char *const codes[] = { "99213", "99214", "36415", "80053", "93000", "71046" };
    static const char *const diagnoses[] = { "J109", "E119", "I10", "M545", "Z0000", "K219" };
    unsigned lines = 1 + below(o, LINES), charge[LINES], total = 0, day = 1 + below(o, 28), diagnosis = 1 + below(o, 4);
    char     before[80];
    for (unsigned i = 0; i < lines; i++) total += charge[i] = 2500 + below(o, 40000);
    put(o, "HL*%u*1*22*0~", level);
    put(o, "SBR*P*18*GRP%04u******CI~", below(o, 10000));
    put(o, "NM1*IL*1*%s*%s****MI*M%09u~", last[below(o, 5)], first[below(o, 6)], below(o, 1000000000));
    put(o, "N3*%u OAK AVENUE~", 1 + below(o, 9999));
    put(o, "N4*ANYTOWN*OH*45011~");
    put(o, "DMG*D8*19%02u%02u%02u*%c~", 30 + below(o, 70), 1 + below(o, 12), 1 + below(o, 28), below(o, 2) ? 'F' : 'M');
    put(o, "NM1*PR*2*EXAMPLE HEALTH*****PI*PAYER%u~", 1 + below(o, 9));
    snprintf(before, sizeof before, "CLM*P%09" PRIu64 "*", number);
    put_money(o, before, total, "***11:B:1*Y*A*Y*Y");
    if (below(o, 10) == 0) put(o, "REF*G1*PA%08u~", below(o, 100000000));
    put(o, "REF*D9*CH%010" PRIu64 "~", number);
    if (below(o, 10) == 0) put(o, "NTE*ADD*SEEN AGAIN WITHIN THE WEEK~");
    unsigned at = below(o, 6);
    switch (diagnosis) {
    case 1: put(o, "HI*ABK:%s~", diagnoses[at]); break;
    case 2: put(o, "HI*ABK:%s*ABF:%s~", diagnoses[at], diagnoses[(at + 1) % 6]); break;
    case 3: put(o, "HI*ABK:%s*ABF:%s*ABF:%s~", diagnoses[at], diagnoses[(at + 1) % 6], diagnoses[(at + 2) % 6]); break;
    default:
        put(o, "HI*ABK:%s*ABF:%s*ABF:%s*ABF:%s~", diagnoses[at], diagnoses[(at + 1) % 6], diagnoses[(at + 2) % 6],
            diagnoses[(at + 3) % 6]);
        break;
    }
    if (below(o, 3) == 0) put(o, "NM1*82*1*SMITH*PAT****XX*1234567893~");
    for (unsigned i = 0; i < lines; i++) {
        put(o, "LX*%u~", i + 1);
        snprintf(before, sizeof before, "SV1*HC:%s%s*", codes[below(o, 6)], below(o, 4) == 0 ? ":25" : "");
        put_money(o, before, charge[i], diagnosis > 1 ? "*UN*1***1:2" : "*UN*1***1");
        put(o, "DTP*472*D8*202502%02u~", day);
        put(o, "REF*6R*L%09" PRIu64 "%u~", number, i + 1);
    }
}

/* ---- 850 ---- */

static void put_order(struct output *o, uint64_t number)
{
    unsigned lines = 1 + below(o, ITEMS), day = 1 + below(o, 28);
    o->segments = 0;
    put(o, "ST*850*%09" PRIu64 "~", number % 1000000000);
    put(o, "BEG*00*SA*PO%08" PRIu64 "**202503%02u~", number, day);
    put(o, "REF*DP*%03u~", below(o, 1000));
    put(o, "PER*BD*BUYING DESK*TE*5555550199~");
    put(o, "ITD*01*3*2**10**30~");
    put(o, "DTM*002*202504%02u~", day);
    put(o, "TD5*O*2*UPSN*M*GROUND~");
    put(o, "N1*ST*EXAMPLE STORE %u*92*%04u~", 1 + below(o, 999), below(o, 10000));
    put(o, "N3*%u HIGH STREET~", 1 + below(o, 9999));
    put(o, "N4*ANYTOWN*OH*45011*US~");
    put(o, "N1*BT*EXAMPLE STORES*92*0001~");
    for (unsigned i = 0; i < lines; i++) {
        unsigned price = 99 + below(o, 50000);
        put(o, "PO1*%u*%u*EA*%u.%02u*PE*UP*%012u*VN*V%06u~", i + 1, 1 + below(o, 144), price / 100, price % 100,
            100000000 + below(o, 900000000), below(o, 1000000));
        put(o, "PID*F****ARTICLE NUMBER %u~", i + 1);
    }
    put(o, "CTT*%u~", lines);
    put(o, "SE*%u*%09" PRIu64 "~", o->segments + 1, number % 1000000000);
}

/* ---- the file ---- */

static uint64_t size_of(const char *text)
{
    char    *end;
    uint64_t n = strtoull(text, &end, 10);
    return *end == 'k' ? n << 10 : *end == 'm' ? n << 20 : *end == 'g' ? n << 30 : n;
}

int main(int argc, char **argv)
{
    struct output o = { .file = stdout, .dice = 837 };
    uint64_t      units = 0, most_bytes = 0, per_set = 1000, written = 0, sets = 0;
    bool          orders = argc > 1 && strcmp(argv[1], "850") == 0;
    if (argc < 2 || (!orders && strcmp(argv[1], "837") != 0)) {
        fprintf(stderr, "usage: gensets 837|850 [-n UNITS] [-b BYTES] [-t UNITS] [-s SEED] [-o FILE]\n");
        return 2;
    }
    optind = 2;
    for (int option; (option = getopt(argc, argv, "n:b:t:s:o:")) != -1;) {
        if (option == 'n') units = strtoull(optarg, NULL, 10);
        if (option == 'b') most_bytes = size_of(optarg);
        if (option == 't') per_set = strtoull(optarg, NULL, 10);
        if (option == 's') o.dice = strtoull(optarg, NULL, 10);
        if (option == 'o' && !(o.file = fopen(optarg, "wb"))) return 1;
        if (option == '?') return 2;
    }
    if (!units) units = most_bytes ? 1000000 : 1000;
    if (!per_set) per_set = 1000;
    put(&o, "ISA*00*          *00*          *ZZ*EXAMPLECLINIC  *ZZ*EXAMPLEHEALTH  *250301*1200*%s*000000001*0*T*:~",
        orders ? "U*00401" : "^*00501");
    put(&o, "GS*%s*EXAMPLECLINIC*EXAMPLEHEALTH*20250301*1200*1*X*%s~", orders ? "PO" : "HC", orders ? "004010" : "005010X222A1");
    while (written < units && (!most_bytes || o.bytes < most_bytes)) {
        sets++;
        if (orders) {
            put_order(&o, ++written);
            continue;
        }
        begin_claims(&o, sets);
        for (unsigned i = 0; i < per_set && written < units && (!most_bytes || o.bytes < most_bytes); i++)
            put_claim(&o, i + 2, ++written);
        put(&o, "SE*%u*%04" PRIu64 "~", o.segments + 1, sets);
    }
    put(&o, "GE*%" PRIu64 "*1~", sets);
    put(&o, "IEA*1*000000001~");
    fprintf(stderr, "units=%" PRIu64 " transactions=%" PRIu64 " bytes=%" PRIu64 "\n", written, sets, o.bytes);
    return fclose(o.file) == 0 ? 0 : 1;
}
