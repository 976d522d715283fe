/* hand835.c - the posting of rules/x12/remit_gl.map for generated files, written by hand: what a program costs that can do this one
 * thing. It is the yardstick for the engine, so it leaves out all that makes the engine safe: it trusts its input, knows one payer,
 * keeps the routes as code, and has no keys, places, lineage, spool, exceptions or duplicates.
 *
 *   hand835 FILE     a journal for each claim and provider adjustment, a line of JSON each; counts on standard error
 *
 * What it does check: each line, claim and transaction foots. Status 1 if one does not. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { OUT = 1 << 18, SPARE = 4096, SLACK = 1 << 16, JOURNAL_LINES = 64 };

typedef struct text {
    const char *at;
    size_t      length;
} text;

typedef struct entry {
    const char *account;
    int64_t     debit;
    char        reason[8];
} entry;

typedef struct program {
    char     element, component, terminator;
    int      status;
    uint64_t claims, journals, bad;
    /* the transaction */
    text     trace, date;
    int64_t  pay, paid, taken;
    /* the claim */
    bool     open, in_line;
    text     account, control, claim_status;
    int64_t  charge, claim_paid, adjusted, held, line_rest;
    entry    entries[JOURNAL_LINES];
    unsigned entry_count;
    size_t   used;
    char     out[OUT];
} program;

/* ---- output ---- */

static void flush(program *p)
{
    for (size_t done = 0; done < p->used;) {
        ssize_t wrote = write(1, p->out + done, p->used - done);
        if (wrote <= 0) {
            p->status = 3;
            break;
        }
        done += (size_t)wrote;
    }
    p->used = 0;
}

static inline void put(program *p, const char *bytes, size_t length)
{
    memcpy(p->out + p->used, bytes, length);
    p->used += length;
}
#define PUT(p, literal) put((p), (literal), sizeof(literal) - 1)

static inline void put_text(program *p, text t) { put(p, t.at, t.length < 128 ? t.length : 128); }

static void put_cents(program *p, int64_t cents)
{
    char     digits[24];
    unsigned at = sizeof digits;
    uint64_t left = (uint64_t)cents;
    digits[--at] = (char)('0' + left % 10), left /= 10;
    digits[--at] = (char)('0' + left % 10), left /= 10;
    digits[--at] = '.';
    do digits[--at] = (char)('0' + left % 10);
    while (left /= 10);
    put(p, digits + at, sizeof digits - at);
}

static void put_entry(program *p, const entry *e)
{
    if (e->debit == 0) return;
    PUT(p, "{\"account\":\"");
    put(p, e->account, 4);
    if (e->debit > 0)
        PUT(p, "\",\"debit\":\"");
    else
        PUT(p, "\",\"credit\":\"");
    put_cents(p, e->debit > 0 ? e->debit : -e->debit);
    if (*e->reason) {
        PUT(p, "\",\"reason\":\"");
        put(p, e->reason, strlen(e->reason));
    }
    PUT(p, "\"},");
}

static void put_journal(program *p, const entry *entries, unsigned count)
{
    PUT(p, "{\"date\":\"");
    put(p, p->date.at, 4);
    PUT(p, "-");
    put(p, p->date.at + 4, 2);
    PUT(p, "-");
    put(p, p->date.at + 6, 2);
    PUT(p, "\",\"trace\":\"");
    put_text(p, p->trace);
    PUT(p, "\",\"claim\":\"");
    put_text(p, p->account);
    PUT(p, "\",\"payer_claim\":\"");
    put_text(p, p->control);
    PUT(p, "\",\"lines\":[");
    size_t before = p->used;
    for (unsigned i = 0; i < count; i++) put_entry(p, &entries[i]);
    if (p->used > before) p->used--; /* the last comma */
    PUT(p, "]}\n");
    p->journals++;
    if (p->used > OUT - SPARE - JOURNAL_LINES * 64) flush(p);
}

/* ---- input ---- */

/* The next terminator; there are SLACK readable bytes behind the end. */
static inline const char *segment_end(const char *at, const char *end, char terminator)
{
#ifdef __SSE2__
    const __m128i wanted = _mm_set1_epi8(terminator);
    for (; at < end; at += 32) {
        unsigned low = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const void *)at), wanted));
        unsigned high = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const void *)(at + 16)), wanted));
        unsigned found = low | high << 16;
        if (found) return at + __builtin_ctz(found);
    }
    return end;
#else
    const char *found = memchr(at, terminator, (size_t)(end - at));
    return found ? found : end;
#endif
}

/* The element that begins at `at`; `at` moves behind its separator. */
static inline text element(const program *p, const char **at, const char *end)
{
    const char *begin = *at, *stop = begin;
    while (stop < end && *stop != p->element) stop++;
    *at = stop + 1;
    return (text){ begin, (size_t)(stop > begin ? stop - begin : 0) };
}

static inline int64_t cents(text t)
{
    const char *at = t.at, *end = t.at + t.length;
    bool        negative = at < end && *at == '-';
    int64_t     value = 0;
    at += negative;
    for (; at < end && *at != '.'; at++) value = value * 10 + (*at - '0');
    value *= 100;
    if (at + 1 < end) value += (at[1] - '0') * 10;
    if (at + 2 < end) value += at[2] - '0';
    return negative ? -value : value;
}

/* ---- the posting ---- */

static void add_entry(program *p, const char *account, int64_t debit, text reason)
{
    if (p->entry_count == JOURNAL_LINES) {
        p->bad++;
        return;
    }
    entry *e = &p->entries[p->entry_count++];
    e->account = account;
    e->debit = debit;
    size_t length = reason.length < sizeof e->reason ? reason.length : sizeof e->reason - 1;
    memcpy(e->reason, reason.at, length);
    e->reason[length] = 0;
}

static void close_line(program *p)
{
    if (p->in_line && p->line_rest != 0) p->bad++;
    p->in_line = false;
}

static void close_claim(program *p)
{
    if (!p->open) return;
    close_line(p);
    p->open = false;
    p->claims++;
    if (p->charge != p->claim_paid + p->adjusted) {
        p->bad++;
        return;
    }
    bool second = p->claim_status.at[0] == '2' && p->claim_status.length == 1;
    add_entry(p, second ? "1205" : "1200", p->held - p->charge, (text){ "", 0 });
    put_journal(p, p->entries, p->entry_count);
}

static void read_claim(program *p, const char *at, const char *end)
{
    close_claim(p);
    p->account = element(p, &at, end);
    p->claim_status = element(p, &at, end);
    p->charge = cents(element(p, &at, end));
    p->claim_paid = cents(element(p, &at, end));
    element(p, &at, end);
    element(p, &at, end);
    p->control = element(p, &at, end);
    p->paid += p->claim_paid;
    p->open = true;
    p->in_line = false;
    p->adjusted = p->held = 0;
    p->entry_count = 0;
    add_entry(p, "1015", p->claim_paid, (text){ "", 0 });
}

static void read_line(program *p, const char *at, const char *end)
{
    close_line(p);
    element(p, &at, end);
    int64_t charge = cents(element(p, &at, end));
    p->line_rest = charge - cents(element(p, &at, end));
    p->in_line = true;
}

static void read_adjustments(program *p, const char *at, const char *end)
{
    text group = element(p, &at, end);
    bool contractual = group.at[0] == 'C' || (group.at[0] == 'P' && group.at[1] == 'I'),
         patient = group.at[0] == 'P' && group.at[1] == 'R';
    while (at < end) {
        text    reason = element(p, &at, end);
        int64_t amount = at <= end ? cents(element(p, &at, end)) : 0;
        if (at <= end) element(p, &at, end);
        p->adjusted += amount;
        if (p->in_line) p->line_rest -= amount;
        if (contractual && reason.length == 2 && memcmp(reason.at, "45", 2) == 0)
            add_entry(p, "4500", amount, reason);
        else if (contractual && reason.length == 3 && memcmp(reason.at, "253", 3) == 0)
            add_entry(p, "4501", amount, reason);
        else if (patient)
            add_entry(p, "1210", amount, reason);
        else
            p->held += amount; /* booked before, or worked as a denial */
    }
}

static void read_provider_adjustments(program *p, const char *at, const char *end)
{
    close_claim(p);
    element(p, &at, end);
    element(p, &at, end);
    while (at < end) {
        text        code = element(p, &at, end);
        const char *stop = memchr(code.at, p->component, code.length);
        int64_t     amount = at <= end ? cents(element(p, &at, end)) : 0;
        text        reason = { code.at, stop ? (size_t)(stop - code.at) : code.length };
        p->taken += amount;
        p->account = stop ? (text){ stop + 1, code.length - reason.length - 1 } : (text){ "", 0 };
        p->control = (text){ "", 0 };
        p->entry_count = 0;
        add_entry(p, reason.length == 2 && memcmp(reason.at, "L6", 2) == 0 ? "4700" : "2070", amount, reason);
        add_entry(p, "1015", -amount, (text){ "", 0 });
        put_journal(p, p->entries, p->entry_count);
    }
}

static void read_payment(program *p, const char *at, const char *end)
{
    element(p, &at, end);
    p->pay = cents(element(p, &at, end));
    for (unsigned i = 3; i < 16; i++) element(p, &at, end);
    p->date = element(p, &at, end);
    p->paid = p->taken = 0;
    if (p->date.length != 8) {
        p->date = (text){ "00000000", 8 };
        p->bad++;
    }
}

#define ID(a, b, c) ((uint32_t)(uint8_t)(a) | (uint32_t)(uint8_t)(b) << 8 | (uint32_t)(uint8_t)(c) << 16)

static void run(program *p, const char *at, const char *end)
{
    while (at < end) {
        uint32_t id;
        memcpy(&id, at, sizeof id);
        const char *stop = segment_end(at, end, p->terminator);
        switch (id & 0xffffff) {
        case ID('C', 'A', 'S'): read_adjustments(p, at + 4, stop); break;
        case ID('S', 'V', 'C'): read_line(p, at + 4, stop); break;
        case ID('C', 'L', 'P'): read_claim(p, at + 4, stop); break;
        case ID('P', 'L', 'B'): read_provider_adjustments(p, at + 4, stop); break;
        case ID('B', 'P', 'R'): read_payment(p, at + 4, stop); break;
        case ID('T', 'R', 'N'):
            at += 4;
            element(p, &at, stop);
            p->trace = element(p, &at, stop);
            break;
        case ID('S', 'E', '*'):
            close_claim(p);
            if (p->pay != p->paid - p->taken) p->bad++;
            break;
        default: break;
        }
        at = stop + 1;
    }
    close_claim(p);
}

int main(int argc, char **argv)
{
    static program p;
    struct stat    known;
    int            file = argc == 2 ? open(argv[1], O_RDONLY) : -1;
    if (file < 0 || fstat(file, &known) != 0 || known.st_size < 106) {
        fputs("usage: hand835 FILE\n", stderr);
        return 2;
    }
    /* The file over the head of a larger mapping of zeros, so that vectors may be read beyond its end. */
    size_t size = (size_t)known.st_size;
    char  *bytes = mmap(NULL, size + SLACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED || mmap(bytes, size, PROT_READ, MAP_PRIVATE | MAP_FIXED | MAP_POPULATE, file, 0) == MAP_FAILED) {
        perror(argv[1]);
        return 3;
    }
    p.element = bytes[3];
    p.component = bytes[104];
    p.terminator = bytes[105];
    p.date = (text){ "00000000", 8 };
    run(&p, bytes + 106, bytes + size);
    flush(&p);
    fprintf(stderr, "claims=%" PRIu64 " journals=%" PRIu64 " bad=%" PRIu64 "\n", p.claims, p.journals, p.bad);
    return p.status ? p.status : p.bad != 0;
}
