/* gen.c - writes valid messages of any size, the same bytes for the same options; for the standards beside X12 (gen835.c).
 *
 *   gen KIND [-b BYTES] [-s SEED] [-o FILE]
 *     dft      HL7 v2.5.1 DFT^P03 messages in a batch (FHS to FTS): PID, PV1, three transactions each
 *     ndjson   FHIR R4 ExplanationOfBenefit, one a line: three items, each foots to what was submitted
 *     bundle   the same resources as one Bundle
 *     xml      the same Bundle as XML
 *     csv      deposits of a bank with a header row, quoted cells among them
 *   -b  stop after so many bytes (1m); k, m or g may follow      -s  seed (1)     -o  file (standard output)
 *
 * What rules/hl7/dft_charges.map, rules/fhir/eob_adjudication.map and bench/deposits.map make of them is a record for each unit and no
 * exception. The totals go to standard error. Memory does not grow with the size. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS = 3 };

/* ---- random numbers: splitmix64, so that the bytes are the same on every machine ---- */

static uint64_t roll(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static unsigned below(uint64_t *state, unsigned n) { return (unsigned)((roll(state) >> 32) * n >> 32); }

#define PICK(state, list) ((list)[below((state), sizeof(list) / sizeof *(list))])

typedef struct maker {
    FILE    *out;
    uint64_t random, bytes, units;
    uint64_t number; /* of the message, resource or row, from 1 */
    int64_t  cents;
    bool     xml;
} maker;

__attribute__((format(printf, 2, 3))) static void put(maker *m, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int wrote = vfprintf(m->out, format, args);
    va_end(args);
    if (wrote < 0) {
        perror("gen");
        exit(1);
    }
    m->bytes += (uint64_t)wrote;
}

#define MONEY(cents) (cents) / 100, (int)((cents) % 100)
#define PRImoney     PRId64 ".%02d"

/* ---- HL7 ---- */

static void dft(maker *m)
{
    static const char *const departments[] = { "LAB", "ED01", "RX", "RAD", "CARD" };
    static const char *const codes[][2] = { { "99283", "ED visit" },
                                            { "85025", "Blood count" },
                                            { "70450", "CT head \\T\\ neck" },
                                            { "J1885", "Ketorolac" },
                                            { "36415", "Venipuncture" } };
    static const char *const classes[] = { "COM", "MCR", "MCD", "SELF" };
    static const char *const names[] = { "RIVERA", "OKAFOR", "LIND", "O'HARA", "TANAKA" };
    uint64_t                *r = &m->random;
    unsigned                 day = 1 + below(r, 28), hour = below(r, 24), minute = below(r, 60);
    put(m, "MSH|^~\\&|HIS|EXAMPLE|ERP|EXAMPLE|202603%02u%02u%02u00-0600||DFT^P03^DFT_P03|M%08" PRIu64 "|P|2.5.1\r", day, hour,
        minute, m->number);
    put(m, "EVN|P03|202603%02u%02u%02u00-0600\r", day, hour, minute);
    put(m,
        "PID|1||%08u^^^EXAMPLE^MR~%09u^^^SSA^SS||%s^SAMPLE^%c||19%02u%02u%02u|%s|||%u FIRST "
        "STREET^^AUSTIN^TX^78701||^PRN^PH^^^512^5550%03u|||||A%08" PRIu64 "\r",
        below(r, 100000000), below(r, 1000000000), PICK(r, names), 'A' + (int)below(r, 26), below(r, 100), 1 + below(r, 12),
        1 + below(r, 28), below(r, 2) ? "F" : "M", 1 + below(r, 9999), below(r, 1000), m->number % 1000000);
    put(m, "PV1|1|O|%s^%u^1^EXAMPLE||||1234567893^DOE^JO|||MED||||1|||1234567893^DOE^JO|OUT|V%08" PRIu64 "|%s\r",
        PICK(r, departments), 100 + below(r, 900), m->number, PICK(r, classes));
    for (unsigned line = 1; line <= ITEMS; line++) {
        const char *const *code = PICK(r, codes);
        unsigned           quantity = 1 + below(r, 4), kind = below(r, 100);
        int64_t            price = 500 + below(r, 40000), amount = price * quantity;
        const char        *type = kind < 90 ? "CG" : kind < 95 ? "CD" : "PY";
        const char        *department = PICK(r, departments);
        m->units++;
        m->cents += amount;
        put(m,
            "FT1|%u|T%09" PRIu64 "|B%04u|202603%02u%02u%02u00-0600|202603%02u|%s|%s^%s^C4|%s||%u|%" PRImoney "&USD|%" PRImoney
            "&USD|%s^%s DEPARTMENT|||%s^%u|||R07.9^Chest pain^I10|1234567893^DOE^JO\r",
            line, m->units, below(r, 10000), day, hour, minute, day, type, kind < 95 ? code[0] : "CASH",
            kind < 95 ? code[1] : "Cash", code[1], quantity, MONEY(amount), MONEY(price), department, department, department,
            100 + below(r, 900));
    }
}

/* ---- FHIR ---- */

static const char adjudication_system[] = "http://terminology.hl7.org/CodeSystem/adjudication";

static void category(maker *m, const char *word, const char *code)
{
    if (m->xml)
        put(m, "<%s><coding><system value=\"%s\"/><code value=\"%s\"/></coding></%s>", word, adjudication_system, code, word);
    else
        put(m, "\"%s\":{\"coding\":[{\"system\":\"%s\",\"code\":\"%s\"}]}", word, adjudication_system, code);
}

static void amount(maker *m, const char *word, int64_t cents)
{
    if (m->xml)
        put(m, "<%s><value value=\"%" PRImoney "\"/><currency value=\"USD\"/></%s>", word, MONEY(cents), word);
    else
        put(m, "\"%s\":{\"value\":%" PRImoney ",\"currency\":\"USD\"}", word, MONEY(cents));
}

static void priced(maker *m, const char *word, const char *code, int64_t cents, bool first)
{
    put(m, m->xml ? "<%s>" : first ? "{" : ",{", word);
    category(m, "category", code);
    if (!m->xml) put(m, ",");
    amount(m, "amount", cents);
    if (m->xml)
        put(m, "</%s>", word);
    else
        put(m, "}");
}

/* What was submitted is what is paid, given up and owed. */
static int64_t item(maker *m, unsigned sequence, unsigned day, int64_t *paid)
{
    static const char *const procedures[] = { "99213", "99214", "80053", "93000", "71046", "97110" };
    static const char *const shares[] = { "copay", "deductible", "coinsurance" };
    uint64_t                *r = &m->random;
    int64_t     submitted = 2500 + below(r, 60000), cut = submitted * (10 + below(r, 50)) / 100, rest = submitted - cut;
    int64_t     share = below(r, 100) < 60 ? rest / 5 : 0;
    const char *procedure = PICK(r, procedures);
    if (m->xml)
        put(m,
            "<item><sequence value=\"%u\"/><diagnosisSequence value=\"1\"/><productOrService><coding><system "
            "value=\"http://www.ama-assn.org/go/cpt\"/><code value=\"%s\"/></coding></productOrService><servicedPeriod><start "
            "value=\"2026-02-%02u\"/><end value=\"2026-02-%02u\"/></servicedPeriod><quantity><value value=\"%u\"/></quantity>",
            sequence, procedure, day, day, 1 + sequence);
    else
        put(m,
            "%s{\"sequence\":%u,\"diagnosisSequence\":[1],\"productOrService\":{\"coding\":[{\"system\":\"http://"
            "www.ama-assn.org/go/"
            "cpt\",\"code\":\"%s\"}]},\"servicedPeriod\":{\"start\":\"2026-02-%02u\",\"end\":\"2026-02-%02u\"},"
            "\"quantity\":{\"value\":%u},",
            sequence > 1 ? "," : "", sequence, procedure, day, day, 1 + sequence);
    amount(m, "net", submitted);
    if (!m->xml) put(m, ",\"adjudication\":[");
    priced(m, "adjudication", "submitted", submitted, true);
    priced(m, "adjudication", "eligible", rest, false);
    priced(m, "adjudication", "discount", cut, false);
    if (share) priced(m, "adjudication", PICK(r, shares), share, false);
    priced(m, "adjudication", "benefit", rest - share, false);
    put(m, m->xml ? "</item>" : "]}");
    *paid += rest - share;
    return submitted;
}

static void eob(maker *m)
{
    uint64_t *r = &m->random;
    unsigned  day = 1 + below(r, 28), patient = below(r, 1000000);
    int64_t   submitted = 0, paid = 0;
    if (m->xml)
        put(m,
            "<ExplanationOfBenefit><id value=\"eob-%08" PRIu64
            "\"/><meta><lastUpdated value=\"2026-03-%02uT10:15:30-06:00\"/></meta>"
            "<identifier><system value=\"https://payer.example/eob\"/><value value=\"E%09" PRIu64 "\"/></identifier><status "
            "value=\"active\"/><type><coding><system value=\"http://terminology.hl7.org/CodeSystem/claim-type\"/><code "
            "value=\"professional\"/></coding><text value=\"Professional &#8211; &quot;EOB&quot;\"/></type><use value=\"claim\"/>"
            "<patient><reference value=\"Patient/p%06u\"/></patient><created value=\"2026-03-%02uT00:00:00-06:00\"/><insurer>"
            "<reference value=\"Organization/payer\"/></insurer><provider><reference value=\"Organization/clinic\"/></provider>"
            "<outcome value=\"complete\"/><diagnosis><sequence value=\"1\"/><diagnosisCodeableConcept><coding><system "
            "value=\"http://hl7.org/fhir/sid/icd-10-cm\"/><code value=\"R07.9\"/></coding></diagnosisCodeableConcept></diagnosis>"
            "<insurance><focal value=\"true\"/><coverage><reference value=\"Coverage/c%06u\"/></coverage></insurance>",
            m->number, day, m->number, patient, day, patient);
    else
        put(m,
            "{\"resourceType\":\"ExplanationOfBenefit\",\"id\":\"eob-%08" PRIu64
            "\",\"meta\":{\"lastUpdated\":\"2026-03-%02uT10:15:30-06:00\"},\"identifier\":[{\"system\":\"https://payer.example/"
            "eob\",\"value\":\"E%09" PRIu64 "\"}],\"status\":\"active\",\"type\":{\"coding\":[{\"system\":\"http://"
            "terminology.hl7.org/CodeSystem/claim-type\",\"code\":\"professional\"}],\"text\":\"Professional \\u2013 "
            "\\\"EOB\\\"\"},\"use\":\"claim\",\"patient\":{\"reference\":\"Patient/"
            "p%06u\"},\"created\":\"2026-03-%02uT00:00:00-06:00\","
            "\"insurer\":{\"reference\":\"Organization/payer\"},\"provider\":{\"reference\":\"Organization/clinic\"},\"outcome\":"
            "\"complete\",\"diagnosis\":[{\"sequence\":1,\"diagnosisCodeableConcept\":{\"coding\":[{\"system\":\"http://hl7.org/"
            "fhir/"
            "sid/icd-10-cm\",\"code\":\"R07.9\"}]}}],\"insurance\":[{\"focal\":true,\"coverage\":{\"reference\":\"Coverage/"
            "c%06u\"}}],\"item\":[",
            m->number, day, m->number, patient, day, patient);
    for (unsigned sequence = 1; sequence <= ITEMS; sequence++) submitted += item(m, sequence, day, &paid);
    if (!m->xml) put(m, "],\"total\":[");
    priced(m, "total", "submitted", submitted, true);
    priced(m, "total", "benefit", paid, false);
    if (m->xml)
        put(m, "<payment><date value=\"2026-03-%02u\"/>", day);
    else
        put(m, "],\"payment\":{\"date\":\"2026-03-%02u\",", day);
    amount(m, "amount", paid);
    put(m, m->xml ? "</payment></ExplanationOfBenefit>" : "}}");
    m->units++;
    m->cents += submitted;
}

static void line_of_eob(maker *m)
{
    eob(m);
    put(m, "\n");
}

static void entry_of_eob(maker *m)
{
    if (m->xml)
        put(m, "<entry><fullUrl value=\"https://payer.example/fhir/ExplanationOfBenefit/eob-%08" PRIu64 "\"/><resource>",
            m->number);
    else
        put(m, "%s{\"fullUrl\":\"https://payer.example/fhir/ExplanationOfBenefit/eob-%08" PRIu64 "\",\"resource\":",
            m->number > 1 ? ",\n" : "", m->number);
    eob(m);
    put(m, m->xml ? "</resource></entry>\n" : "}");
}

/* ---- rows ---- */

static void row(maker *m)
{
    static const char *const payers[] = { "Example Health Plan", "\"Acme Benefit, Inc.\"", "\"The \"\"Union\"\" Fund\"",
                                          "Prairie County" };
    static const char *const kinds[] = { "CHECK", "ACH", "CARD" };
    uint64_t                *r = &m->random;
    int64_t                  cents = 100 + below(r, 900000);
    put(m, "%08" PRIu64 ",%02u/%02u/2026,%s,%" PRImoney ",%s,%010u,%s\n", m->number, 1 + below(r, 12), 1 + below(r, 28),
        PICK(r, kinds), MONEY(cents), PICK(r, payers), below(r, 1000000000), below(r, 10) ? "" : "second deposit of the day");
    m->units++;
    m->cents += cents;
}

/* ---- all of them ---- */

static const struct kind {
    const char *name, *head, *tail;
    void (*one)(maker *m);
    bool xml;
} kinds[] = {
    { "dft", "FHS|^~\\&|HIS|EXAMPLE\rBHS|^~\\&|HIS|EXAMPLE\r", "BTS|\rFTS|1\r", dft, false },
    { "ndjson", "", "", line_of_eob, false },
    { "bundle", "{\"resourceType\":\"Bundle\",\"id\":\"bench\",\"type\":\"collection\",\"entry\":[\n", "\n]}\n", entry_of_eob,
      false },
    { "xml",
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Bundle xmlns=\"http://hl7.org/fhir\"><id value=\"bench\"/><type "
      "value=\"collection\"/>\n",
      "</Bundle>\n", entry_of_eob, true },
    { "csv", "Number,Deposited On,Kind,Amount,Payer,Trace,Note\n", "", row, false },
};

static uint64_t size_of(const char *text)
{
    char    *end;
    uint64_t size = strtoull(text, &end, 10);
    return *end == 'k' ? size << 10 : *end == 'm' ? size << 20 : *end == 'g' ? size << 30 : size;
}

int main(int argc, char **argv)
{
    static char        buffer[1 << 16];
    const struct kind *kind = NULL;
    maker              m = { .out = stdout, .random = 1 };
    uint64_t           size = 1 << 20;
    for (size_t i = 0; argc > 1 && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(argv[1], kinds[i].name) == 0) kind = &kinds[i];
    for (int i = 2; kind && i < argc; i += 2) {
        bool more = i + 1 < argc;
        if (more && strcmp(argv[i], "-b") == 0)
            size = size_of(argv[i + 1]);
        else if (more && strcmp(argv[i], "-s") == 0)
            m.random = size_of(argv[i + 1]);
        else if (!more || strcmp(argv[i], "-o") != 0)
            kind = NULL;
        else if (!(m.out = fopen(argv[i + 1], "wb"))) {
            perror(argv[i + 1]);
            return 1;
        }
    }
    if (!kind) {
        fputs("usage: gen dft|ndjson|bundle|xml|csv [-b BYTES] [-s SEED] [-o FILE]\n", stderr);
        return 2;
    }
    (void)setvbuf(m.out, buffer, _IOFBF, sizeof buffer);
    m.xml = kind->xml;
    put(&m, "%s", kind->head);
    while (m.bytes < size) {
        m.number++;
        kind->one(&m);
    }
    put(&m, "%s", kind->tail);
    if (fclose(m.out) != 0) {
        perror("gen");
        return 1;
    }
    fprintf(stderr, "bytes=%" PRIu64 " messages=%" PRIu64 " units=%" PRIu64 " cents=%" PRId64 "\n", m.bytes, m.number, m.units,
            m.cents);
    return 0;
}
