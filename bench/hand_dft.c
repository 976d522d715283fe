/* hand_dft.c - the posting of rules/hl7/dft_charges.map for generated messages (gen dft), written by hand: what a program costs that can
 * do this one thing. It trusts its input, keeps the tables as code, and has no places, lineage, spool, exceptions or duplicates.
 *
 *   hand_dft FILE KEY     a journal for each transaction of a message, a line of JSON each; counts on standard error
 *
 * Accounts and numbers become tokens as in the rules (HMAC-SHA-256). What it does check: price times quantity is the amount. Status 1 if
 * one is not. */
#include <fcntl.h>
#include <inttypes.h>
#include <nettle/hmac.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OUT = 1 << 18, SPARE = 4096, FIELDS = 32, TOKEN = 64, PID_ACCOUNT = 18, CLASS = 20 };
enum { NUMBER = 2, SERVED = 4, POSTED = 5, TYPE = 6, CODE = 7, QUANTITY = 10, AMOUNT = 11, PRICE = 12, DEPARTMENT = 13 };

typedef struct text {
    const char *at;
    size_t      length;
} text;

typedef struct program {
    struct hmac_sha256_ctx key;
    int                    status;
    uint64_t               messages, journals, bad;
    char                   visit[TOKEN]; /* of the message */
    const char            *receivable;
    text                   fields[FIELDS];
    size_t                 used;
    char                   out[OUT];
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

static inline void put_text(program *p, text t) { put(p, t.at, t.length < 64 ? t.length : 64); }

static void put_cents(program *p, int64_t cents)
{
    char     digits[24];
    unsigned at = sizeof digits;
    uint64_t left = (uint64_t)cents;
    for (unsigned n = 0; n < 3 || left; n++) {
        if (n == 2) digits[--at] = '.';
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    }
    put(p, digits + at, sizeof digits - at);
}

static void put_date(program *p, text t) { put(p, t.at, 4), PUT(p, "-"), put(p, t.at + 4, 2), PUT(p, "-"), put(p, t.at + 6, 2); }

/* ---- values ---- */

static inline text first_part(text field)
{
    for (size_t i = 0; i < field.length; i++)
        if (field.at[i] == '^' || field.at[i] == '&') return (text){ field.at, i };
    return field;
}

static int64_t cents_of(text t)
{
    int64_t value = 0;
    int     decimals = -1;
    for (size_t i = 0; i < t.length; i++) {
        if (t.at[i] == '.')
            decimals = 0;
        else {
            value = value * 10 + (t.at[i] - '0');
            if (decimals >= 0) decimals++;
        }
    }
    for (decimals = decimals < 0 ? 0 : decimals; decimals < 2; decimals++) value *= 10;
    return value;
}

static inline bool is(text t, const char *word)
{
    size_t length = strlen(word);
    return t.length == length && memcmp(t.at, word, length) == 0;
}

static void tokenize(const program *p, text t, char token[static TOKEN])
{
    static const char      hex[] = "0123456789abcdef";
    struct hmac_sha256_ctx mac = p->key;
    uint8_t                digest[SHA256_DIGEST_SIZE];
    hmac_sha256_update(&mac, t.length, (const uint8_t *)t.at);
    hmac_sha256_digest(&mac, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) token[2 * i] = hex[digest[i] >> 4], token[2 * i + 1] = hex[digest[i] & 15];
}

static const char *receivable_of(text class)
{
    return is(class, "MCR") ? "1201" : is(class, "MCD") ? "1202" : is(class, "SELF") ? "1210" : "1200";
}

static const char *revenue_of(text department, text code, text served)
{
    if (is(department, "ED01")) return code.length >= 3 && memcmp(code.at, "992", 3) == 0 ? "4011" : "4010";
    if (is(department, "LAB")) return "4020";
    if (is(department, "RX")) return memcmp(served.at, "2025", 4) < 0 ? "4030" : "4031";
    return "4000";
}

/* ---- messages ---- */

static unsigned cut(program *p, const char *at, const char *end, unsigned most)
{
    unsigned count = 0;
    while (count <= most && count < FIELDS) {
        const char *bar = memchr(at, '|', (size_t)(end - at));
        if (!bar) bar = end;
        p->fields[count++] = (text){ at, (size_t)(bar - at) };
        if (bar == end) break;
        at = bar + 1;
    }
    for (unsigned i = count; i <= most && i < FIELDS; i++) p->fields[i] = (text){ "", 0 };
    return count;
}

static void line(program *p, const char *side, const char *account, int64_t cents, text department)
{
    PUT(p, "{\"side\":\""), put(p, side, strlen(side)), PUT(p, "\",\"account\":\""), put(p, account, 4);
    PUT(p, "\",\"amount\":\""), put_cents(p, cents), PUT(p, "\",\"currency\":\"USD\",\"visit\":\""), put(p, p->visit, TOKEN);
    PUT(p, "\",\"dept\":\""), put_text(p, department), PUT(p, "\"}");
}

static void transaction(program *p, const char *at, const char *end)
{
    char token[TOKEN];
    cut(p, at, end, DEPARTMENT);
    const text *f = p->fields;
    text        type = f[TYPE], code = first_part(f[CODE]), department = first_part(f[DEPARTMENT]);
    int64_t     amount = cents_of(first_part(f[AMOUNT]));
    if (cents_of(first_part(f[PRICE])) * (cents_of(f[QUANTITY]) / 100) != amount) {
        p->bad++;
        return;
    }
    tokenize(p, f[NUMBER], token);
    bool        back = is(type, "CD"), desk = is(type, "PY");
    const char *debit = desk ? "1010" : p->receivable, *credit = desk ? "1210" : revenue_of(department, code, f[SERVED]);
    PUT(p, "{\"key\":[\""), put(p, token, TOKEN), PUT(p, "\",\""), put_text(p, type), PUT(p, "\",\""), put_date(p, f[SERVED]);
    PUT(p, "\"],\"record\":{\"date\":\""), put_date(p, f[POSTED]), PUT(p, "\",\"origin\":\"");
    if (desk)
        PUT(p, "desk");
    else
        PUT(p, "charge");
    PUT(p, "\",\"lines\":[");
    line(p, back ? "credit" : "debit", debit, amount, department);
    PUT(p, ",");
    line(p, back ? "debit" : "credit", credit, amount, department);
    PUT(p, "]}}\n");
    p->journals++;
    if (p->used > OUT - SPARE) flush(p);
}

static void segment(program *p, const char *at, const char *end)
{
    if (end - at < 4) return;
    if (memcmp(at, "FT1|", 4) == 0)
        transaction(p, at, end);
    else if (memcmp(at, "PID|", 4) == 0) {
        cut(p, at, end, PID_ACCOUNT);
        tokenize(p, first_part(p->fields[PID_ACCOUNT]), p->visit);
    } else if (memcmp(at, "PV1|", 4) == 0) {
        cut(p, at, end, CLASS);
        p->receivable = receivable_of(first_part(p->fields[CLASS]));
    } else if (memcmp(at, "MSH|", 4) == 0) {
        p->messages++;
    }
}

int main(int argc, char **argv)
{
    static program p;
    struct stat    facts;
    int            file = argc == 3 ? open(argv[1], O_RDONLY) : -1;
    if (file < 0 || fstat(file, &facts) != 0 || facts.st_size == 0) {
        fputs("usage: hand_dft FILE KEY\n", stderr);
        return 2;
    }
    const char *bytes = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    if (bytes == MAP_FAILED) {
        perror(argv[1]);
        return 1;
    }
    hmac_sha256_set_key(&p.key, strlen(argv[2]), (const uint8_t *)argv[2]);
    p.receivable = "1200";
    for (const char *at = bytes, *end = bytes + facts.st_size; at < end;) {
        const char *stop = memchr(at, '\r', (size_t)(end - at));
        if (!stop) stop = end;
        segment(&p, at, stop);
        at = stop + 1;
        while (at < end && *at == '\n') at++;
    }
    flush(&p);
    fprintf(stderr, "messages=%" PRIu64 " journals=%" PRIu64 " bad=%" PRIu64 "\n", p.messages, p.journals, p.bad);
    return p.status ? p.status : p.bad ? 1 : 0;
}
