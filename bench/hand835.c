/* hand835.c - the posting of rules/x12/remit_gl.map for generated files, written by hand: what a program costs that can do this one
 * thing. It is the yardstick for the engine, so it leaves out all that makes the engine safe: it trusts its input, knows one payer,
 * keeps the routes as code, and has no places, lineage, spool, exceptions or duplicates. What it posts it writes at once.
 *
 *   hand835 FILE                              a journal for each claim and provider adjustment, a short line of JSON each
 *   hand835 -r HASH:CLAIM:DENIAL:PLB FILE     the records of the map, denials too, byte for byte; after -r what `meta` names: the hash of
 *                                             the program, and the lines of its rules for claims, denials and provider adjustments
 *
 * Counts go to standard error. What it does check: each line, claim and transaction foots. Status 1 if one does not. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
    OUT = 1 << 18,
    SPARE = 1 << 16 /* a claim writes less */,
    SLACK = 1 << 16,
    MOST = 64,
    PAIRS = 64,
    PIECE = 1024,
    SHORT = 128
};

typedef struct text {
    const char *at;
    size_t      length;
} text;

/* Bytes that stand in many records, put together once. */
typedef struct piece {
    size_t length;
    char   bytes[PIECE];
} piece;

typedef struct entry {
    const char *account;
    int64_t     debit;
    text        reason;
} entry;

/* An adjustment that a clerk shall work. */
typedef struct denial {
    text        group, reason, procedure;
    const char *work;
    int64_t     cents;
    unsigned    item, line; /* line 0: of the claim */
} denial;

typedef struct pair {
    text    code, reference, provider, date;
    int64_t cents;
} pair;

typedef struct seen {
    uint64_t hash; /* 0: free */
    uint32_t times;
} seen;

typedef struct program {
    char        element, component, terminator;
    int         status;
    const char *begin; /* of the file */
    uint64_t    claims, journals, bad;
    /* the records of the map */
    bool        records;
    piece       meta, claim_rule, denial_rule, plb_rule;
    /* the transaction */
    const char *set;
    text        trace, payer, payee, date;
    char        iso[10];
    int64_t     pay, paid, taken;
    piece       gl, work, denied; /* heads: {"target":"gl","key":[..., and the fields of a denial that all share */
    bool        heads;
    pair        pairs[PAIRS];
    unsigned    pair_count;
    seen       *occurrences;
    size_t      seen_slots, seen_count;
    /* the claim */
    bool        open, in_line;
    const char *claim;
    text        account, control, claim_status, rendering, first_date;
    int64_t     charge, claim_paid, adjusted, held, line_rest;
    bool        second; /* an earlier payer answered, or a later one will */
    entry       entries[MOST];
    denial      denials[MOST];
    text        remarks[MOST]; /* of the lines */
    text        procedure;
    unsigned    entry_count, denial_count, item, line;
    size_t      used;
    char        out[OUT];
} program;

static inline bool is(text t, const char *z) { return t.length == strlen(z) && memcmp(t.at, z, t.length) == 0; }

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

static inline void put_text(program *p, text t) { put(p, t.at, t.length < SHORT ? t.length : SHORT); }
static inline void put_piece(program *p, const piece *part) { put(p, part->bytes, part->length); }

static inline void put_number(program *p, uint64_t number)
{
    char     digits[24];
    unsigned at = sizeof digits;
    do digits[--at] = (char)('0' + number % 10);
    while (number /= 10);
    put(p, digits + at, sizeof digits - at);
}

static inline void put_cents(program *p, int64_t cents)
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

/* 20250301 -> 2025-03-01 */
static inline void put_date(program *p, text date)
{
    put(p, date.at, 4);
    PUT(p, "-");
    put(p, date.at + 4, 2);
    PUT(p, "-");
    put(p, date.at + 6, 2);
}

/* What was written since `from` becomes a piece, and is taken back. */
static void keep(program *p, size_t from, piece *part)
{
    part->length = p->used - from < PIECE ? p->used - from : PIECE;
    memcpy(part->bytes, p->out + from, part->length);
    p->used = from;
}

static inline void end_record(program *p)
{
    p->journals++;
    if (p->used > OUT - SPARE) flush(p);
}

/* ---- short journals ---- */

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
    if (e->reason.length) {
        PUT(p, "\",\"reason\":\"");
        put_text(p, e->reason);
    }
    PUT(p, "\"},");
}

static void put_journal(program *p, const entry *entries, unsigned count)
{
    PUT(p, "{\"date\":\"");
    put_date(p, p->date);
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
    end_record(p);
}

/* ---- the records of the map ---- */

static void make_rule(program *p, const char *line, size_t length, piece *part)
{
    PUT(p, ",\"rule\":\"remit_gl.map:");
    put(p, line, length);
    PUT(p, "\"}}\n");
    keep(p, 0, part);
}

/* HASH:CLAIM:DENIAL:PLB */
static bool make_meta(program *p, const char *what)
{
    const char *at[3], *end = what + strlen(what);
    for (unsigned i = 0; i < 3; i++) {
        at[i] = strchr(i ? at[i - 1] + 1 : what, ':');
        if (!at[i]) return false;
    }
    PUT(p, "},\"meta\":{\"module\":\"shunt.x12.remit_gl\",\"version\":\"1.0.0\",\"program\":\"");
    put(p, what, (size_t)(at[0] - what));
    PUT(p, "\",\"input\":\"1\",\"begin\":");
    keep(p, 0, &p->meta);
    make_rule(p, at[0] + 1, (size_t)(at[1] - at[0] - 1), &p->claim_rule);
    make_rule(p, at[1] + 1, (size_t)(at[2] - at[1] - 1), &p->denial_rule);
    make_rule(p, at[2] + 1, (size_t)(end - at[2] - 1), &p->plb_rule);
    return true;
}

static void put_key_head(program *p)
{
    put_text(p, p->payer);
    PUT(p, "\",\"");
    put_text(p, p->trace);
    PUT(p, "\",\"");
    put_date(p, p->date);
    PUT(p, "\",\"");
    put_text(p, p->payee);
    PUT(p, "\",\"");
}

static void put_correlate(program *p)
{
    PUT(p, "\"],\"correlate\":[\"");
    put_text(p, p->trace);
    PUT(p, "\"],\"record\":{");
}

/* What all records of a transaction begin with. */
static void make_heads(program *p)
{
    size_t from = p->used;
    PUT(p, "{\"target\":\"gl\",\"key\":[\"");
    put_key_head(p);
    keep(p, from, &p->gl);
    PUT(p, "{\"target\":\"denial_work\",\"key\":[\"");
    put_key_head(p);
    keep(p, from, &p->work);
    put_correlate(p);
    PUT(p, "\"payer\":\"");
    put_text(p, p->payer);
    PUT(p, "\",\"trace\":\"");
    put_text(p, p->trace);
    PUT(p, "\",\"paid_on\":\"");
    put_date(p, p->date);
    PUT(p, "\",\"payee\":\"");
    put_text(p, p->payee);
    PUT(p, "\",\"claim\":\"");
    keep(p, from, &p->denied);
    p->heads = true;
}

static void put_tail(program *p, const char *begin, const char *end, const piece *rule)
{
    put_piece(p, &p->meta);
    put_number(p, (uint64_t)(begin - p->begin));
    PUT(p, ",\"end\":");
    put_number(p, (uint64_t)(end - p->begin));
    put_piece(p, rule);
    end_record(p);
}

static void put_lines(program *p, const entry *entries, unsigned count, const piece *columns)
{
    PUT(p, "\",\"lines\":[");
    size_t before = p->used;
    for (unsigned i = 0; i < count; i++) {
        const entry *e = &entries[i];
        if (e->debit == 0) continue;
        if (e->debit > 0)
            PUT(p, "{\"side\":\"debit\",\"account\":\"");
        else
            PUT(p, "{\"side\":\"credit\",\"account\":\"");
        put(p, e->account, 4);
        PUT(p, "\",\"amount\":\"");
        put_cents(p, e->debit > 0 ? e->debit : -e->debit);
        PUT(p, "\",\"currency\":\"USD");
        if (e->reason.length) {
            PUT(p, "\",\"reason\":\"");
            put_text(p, e->reason);
        }
        put_piece(p, columns);
    }
    if (p->used > before) p->used--; /* the last comma */
    PUT(p, "]");
}

static void put_claim(program *p, const char *end, unsigned nth)
{
    piece  columns;
    size_t from = p->used;
    bool   any = false;
    for (unsigned i = 0; i < p->entry_count && !any; i++) any = p->entries[i].debit != 0;
    if (!any) return;
    PUT(p, "\",\"claim\":\"");
    put_text(p, p->account);
    PUT(p, "\",\"payer_claim\":\"");
    put_text(p, p->control);
    if (p->rendering.length) PUT(p, "\",\"rendering\":\"");
    put_text(p, p->rendering);
    PUT(p, "\"},");
    keep(p, from, &columns);
    put_piece(p, &p->gl);
    put_text(p, p->account);
    PUT(p, "\",\"");
    put_text(p, p->control);
    PUT(p, "\",\"");
    put_text(p, p->claim_status);
    PUT(p, "\",\"");
    put_number(p, nth);
    put_correlate(p);
    PUT(p, "\"date\":\"");
    put_date(p, p->date);
    PUT(p, "\",\"origin\":\"835 claim");
    put_lines(p, p->entries, p->entry_count, &columns);
    put_tail(p, p->claim, end, &p->claim_rule);
}

static void put_denial(program *p, const denial *d, const char *end, unsigned nth)
{
    put_piece(p, &p->work);
    put_text(p, p->account);
    PUT(p, "\",\"");
    put_text(p, p->control);
    PUT(p, "\",\"");
    put_text(p, p->claim_status);
    PUT(p, "\",\"");
    put_number(p, nth);
    PUT(p, "\",\"");
    put_number(p, d->item);
    put_piece(p, &p->denied);
    put_text(p, p->account);
    PUT(p, "\",\"payer_claim\":\"");
    put_text(p, p->control);
    PUT(p, "\",\"status\":\"");
    put_text(p, p->claim_status);
    PUT(p, "\",\"nth\":");
    put_number(p, nth);
    PUT(p, ",\"item\":");
    put_number(p, d->item);
    PUT(p, ",\"group\":\"");
    put_text(p, d->group);
    PUT(p, "\",\"reason\":\"");
    put_text(p, d->reason);
    PUT(p, "\"");
    if (d->line) {
        text remark = p->remarks[d->line % MOST];
        if (remark.length) {
            PUT(p, ",\"remark\":\"");
            put_text(p, remark);
            PUT(p, "\"");
        }
        PUT(p, ",\"line\":");
        put_number(p, d->line);
        PUT(p, ",\"procedure\":\"");
        put_text(p, d->procedure);
        PUT(p, "\"");
    }
    if (p->first_date.length) {
        PUT(p, ",\"service_date\":\"");
        put_date(p, p->first_date);
        PUT(p, "\"");
    }
    PUT(p, ",\"amount\":\"");
    put_cents(p, d->cents);
    PUT(p, "\",\"currency\":\"USD\",\"work\":\"");
    put(p, d->work, strlen(d->work));
    PUT(p, "\"");
    put_tail(p, p->claim, end, &p->denial_rule);
}

static void put_pair(program *p, const pair *one, unsigned ordinal, const entry *entries, const char *end)
{
    piece  columns;
    size_t from = p->used;
    if (one->reference.length) PUT(p, "\",\"reference\":\"");
    put_text(p, one->reference);
    PUT(p, "\"},");
    keep(p, from, &columns);
    put_piece(p, &p->gl);
    PUT(p, "PLB\",\"");
    put_text(p, one->provider);
    PUT(p, "\",\"");
    put_date(p, one->date);
    PUT(p, "\",\"");
    put_text(p, one->code);
    PUT(p, "\",\"");
    put_text(p, one->reference.length ? one->reference : (text){ "-", 1 });
    PUT(p, "\",\"");
    put_number(p, ordinal);
    put_correlate(p);
    PUT(p, "\"date\":\"");
    put_date(p, p->date);
    PUT(p, "\",\"origin\":\"835 PLB");
    put_lines(p, entries, 2, &columns);
    put_tail(p, p->set, end, &p->plb_rule);
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

/* ---- how often a claim came in the transaction ---- */

static inline uint64_t mix(uint64_t hash, text t)
{
    uint64_t word = 0;
    for (; t.length >= 8; t.at += 8, t.length -= 8) {
        memcpy(&word, t.at, 8);
        hash = (hash ^ word) * UINT64_C(0x9fb21c651e98df25);
        hash ^= hash >> 29;
    }
    word = t.length;
    memcpy(&word, t.at, t.length); /* there are bytes behind every element */
    hash = (hash ^ word ^ (uint64_t)t.length << 56) * UINT64_C(0x9fb21c651e98df25);
    return hash ^ hash >> 29;
}

static bool more_slots(program *p)
{
    size_t slots = p->seen_slots ? p->seen_slots * 2 : 4096;
    seen  *table = calloc(slots, sizeof *table);
    if (!table) return false;
    for (size_t i = 0; i < p->seen_slots; i++) {
        size_t at = p->occurrences[i].hash & (slots - 1);
        if (!p->occurrences[i].hash) continue;
        while (table[at].hash) at = (at + 1) & (slots - 1);
        table[at] = p->occurrences[i];
    }
    free(p->occurrences);
    p->occurrences = table;
    p->seen_slots = slots;
    return true;
}

static unsigned occurrence(program *p)
{
    uint64_t hash = mix(mix(mix(1, p->account), p->control), p->claim_status) | 1;
    if (p->seen_count * 2 >= p->seen_slots && !more_slots(p)) {
        p->status = 3;
        return 0;
    }
    size_t at = hash & (p->seen_slots - 1);
    while (p->occurrences[at].hash && p->occurrences[at].hash != hash) at = (at + 1) & (p->seen_slots - 1);
    p->seen_count += !p->occurrences[at].hash;
    p->occurrences[at].hash = hash;
    return ++p->occurrences[at].times;
}

/* ---- the posting ---- */

static void add_entry(program *p, const char *account, int64_t debit, text reason)
{
    if (p->entry_count < MOST)
        p->entries[p->entry_count++] = (entry){ account, debit, reason };
    else
        p->bad++;
}

static void close_line(program *p)
{
    if (p->in_line && p->line_rest != 0) p->bad++;
    p->in_line = false;
}

/* `end`: the byte behind the claim. */
static void close_claim(program *p, const char *end)
{
    if (!p->open) return;
    close_line(p);
    p->open = false;
    p->claims++;
    if (p->charge != p->claim_paid + p->adjusted) {
        p->bad++;
        return;
    }
    bool later = p->second || is(p->claim_status, "2") || is(p->claim_status, "3") || is(p->claim_status, "20") ||
                 is(p->claim_status, "21");
    add_entry(p, later ? "1205" : "1200", p->held - p->charge, (text){ "", 0 });
    if (!p->records) {
        put_journal(p, p->entries, p->entry_count);
        return;
    }
    unsigned nth = occurrence(p);
    put_claim(p, end, nth);
    for (unsigned i = 0; i < p->denial_count; i++) put_denial(p, &p->denials[i], end, nth);
}

static void read_claim(program *p, const char *at, const char *end)
{
    if (p->records && !p->heads) make_heads(p);
    p->claim = at - 4;
    p->account = element(p, &at, end);
    p->claim_status = element(p, &at, end);
    p->charge = cents(element(p, &at, end));
    p->claim_paid = cents(element(p, &at, end));
    element(p, &at, end);
    element(p, &at, end);
    p->control = element(p, &at, end);
    p->paid += p->claim_paid;
    p->open = true;
    p->in_line = p->second = false;
    p->adjusted = p->held = 0;
    p->entry_count = p->denial_count = p->item = p->line = 0;
    p->rendering = p->first_date = (text){ "", 0 };
    add_entry(p, "1015", p->claim_paid, (text){ "", 0 });
}

static void read_line(program *p, const char *at, const char *end)
{
    close_line(p);
    text    code = element(p, &at, end);
    int64_t charge = cents(element(p, &at, end));
    p->line_rest = charge - cents(element(p, &at, end));
    p->in_line = true;
    p->line++;
    p->remarks[p->line % MOST] = (text){ "", 0 };
    const char *begin = memchr(code.at, p->component, code.length);
    if (!begin) begin = code.at + code.length - 1;
    size_t      left = (size_t)(code.at + code.length - begin - 1);
    const char *stop = memchr(begin + 1, p->component, left);
    p->procedure = (text){ begin + 1, stop ? (size_t)(stop - begin - 1) : left };
}

static void add_denial(program *p, text group, text reason, int64_t amount, const char *work)
{
    p->held += amount;
    if (amount <= 0) return;
    if (p->denial_count < MOST)
        p->denials[p->denial_count++] = (denial){ group, reason, p->procedure, work, amount, p->item, p->in_line ? p->line : 0 };
    else
        p->bad++;
}

static const char *work_of(text reason)
{
    static const struct {
        const char *reason, *work;
    } routes[] = { { "50", "appeal" },      { "97", "bundled" }, { "16", "missing_info" },   { "18", "duplicate" },
                   { "22", "other_payer" }, { "29", "timely" },  { "197", "authorization" }, { "252", "missing_info" } };
    for (unsigned i = 0; i < sizeof routes / sizeof *routes; i++)
        if (is(reason, routes[i].reason)) return routes[i].work;
    return "review";
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
        p->item++;
        if (p->in_line) p->line_rest -= amount;
        if (contractual && is(reason, "45")) {
            add_entry(p, "4500", amount, reason);
        } else if (contractual && is(reason, "253")) {
            add_entry(p, "4501", amount, reason);
        } else if (patient) {
            bool forwarded = is(p->claim_status, "19") || is(p->claim_status, "20") || is(p->claim_status, "21");
            add_entry(p, forwarded ? "1205" : "1210", amount, reason);
        } else if (group.at[0] == 'O' && is(reason, "23")) { /* booked when the earlier payer answered */
            p->held += amount;
            p->second = true;
        } else {
            add_denial(p, group, reason, amount, work_of(reason));
        }
    }
}

static void read_name(program *p, const char *at, const char *end)
{
    text code = element(p, &at, end);
    if (!is(code, "82") || p->rendering.length) return;
    for (unsigned i = 2; i < 9; i++) element(p, &at, end);
    p->rendering = at <= end ? element(p, &at, end) : (text){ "", 0 };
}

static void read_date(program *p, const char *at, const char *end)
{
    text code = element(p, &at, end), date = element(p, &at, end);
    if (!p->open || !(is(code, "232") || is(code, "472") || is(code, "150")) || date.length != 8) return;
    if (!p->first_date.length || memcmp(date.at, p->first_date.at, 8) < 0) p->first_date = date;
}

static void read_remark(program *p, const char *at, const char *end)
{
    text code = element(p, &at, end);
    if (p->in_line && is(code, "HE") && !p->remarks[p->line % MOST].length) p->remarks[p->line % MOST] = element(p, &at, end);
}

static void read_party(program *p, const char *at, const char *end)
{
    text code = element(p, &at, end);
    if (!is(code, "PE")) return;
    element(p, &at, end);
    element(p, &at, end);
    p->payee = element(p, &at, end);
}

static void read_provider_adjustments(program *p, const char *at, const char *end)
{
    text provider = element(p, &at, end), date = element(p, &at, end);
    while (at < end) {
        text        code = element(p, &at, end);
        const char *stop = memchr(code.at, p->component, code.length);
        int64_t     amount = at <= end ? cents(element(p, &at, end)) : 0;
        text        reason = { code.at, stop ? (size_t)(stop - code.at) : code.length };
        text        reference = stop ? (text){ stop + 1, code.length - reason.length - 1 } : (text){ "", 0 };
        p->taken += amount;
        if (p->pair_count < PAIRS)
            p->pairs[p->pair_count++] = (pair){ reason, reference, provider, date, amount };
        else
            p->bad++;
    }
}

/* `end`: the byte behind the transaction. */
static void close_set(program *p, const char *end)
{
    if (p->records && !p->heads) make_heads(p);
    for (unsigned i = 0; i < p->pair_count; i++) {
        const pair *one = &p->pairs[i];
        p->entry_count = 0;
        add_entry(p, is(one->code, "L6") ? "4700" : "2070", one->cents, one->code);
        add_entry(p, "1015", -one->cents, p->records ? one->code : (text){ "", 0 });
        p->account = one->reference;
        p->control = (text){ "", 0 };
        if (p->records)
            put_pair(p, one, i + 1, p->entries, end);
        else
            put_journal(p, p->entries, p->entry_count);
    }
    if (p->pay != p->paid - p->taken) p->bad++;
    p->pair_count = 0;
    p->heads = false;
    if (p->seen_count) memset(p->occurrences, 0, p->seen_slots * sizeof *p->occurrences);
    p->seen_count = 0;
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
        case ID('D', 'T', 'M'):
            if (p->records) read_date(p, at + 4, stop);
            break;
        case ID('N', 'M', '1'):
            if (p->records) read_name(p, at + 4, stop);
            break;
        case ID('L', 'Q', '*'):
            if (p->records) read_remark(p, at + 3, stop);
            break;
        case ID('C', 'L', 'P'):
            close_claim(p, at);
            read_claim(p, at + 4, stop);
            break;
        case ID('P', 'L', 'B'):
            close_claim(p, at);
            read_provider_adjustments(p, at + 4, stop);
            break;
        case ID('S', 'T', '*'): p->set = at; break;
        case ID('N', '1', '*'): read_party(p, at + 3, stop); break;
        case ID('B', 'P', 'R'): read_payment(p, at + 4, stop); break;
        case ID('T', 'R', 'N'): {
            const char *from = at + 4;
            element(p, &from, stop);
            p->trace = element(p, &from, stop);
            p->payer = element(p, &from, stop);
            break;
        }
        case ID('S', 'E', '*'):
            close_claim(p, at);
            close_set(p, stop + 1);
            break;
        default: break;
        }
        at = stop + 1;
    }
}

int main(int argc, char **argv)
{
    static program p;
    struct stat    known;
    bool           records = argc == 4 && strcmp(argv[1], "-r") == 0;
    const char    *path = argc == 2 ? argv[1] : records ? argv[3] : NULL;
    int            file = path ? open(path, O_RDONLY) : -1;
    p.records = records;
    if (file < 0 || fstat(file, &known) != 0 || known.st_size < 106 || (records && !make_meta(&p, argv[2]))) {
        fputs("usage: hand835 [-r HASH:CLAIM:DENIAL:PLB] FILE\n", stderr);
        return 2;
    }
    /* The file over the head of a larger mapping of zeros, so that vectors may be read beyond its end. */
    size_t size = (size_t)known.st_size;
    char  *bytes = mmap(NULL, size + SLACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED || mmap(bytes, size, PROT_READ, MAP_PRIVATE | MAP_FIXED | MAP_POPULATE, file, 0) == MAP_FAILED) {
        perror(path);
        return 3;
    }
    p.begin = bytes;
    p.element = bytes[3];
    p.component = bytes[104];
    p.terminator = bytes[105];
    p.date = (text){ "00000000", 8 };
    p.set = bytes;
    p.trace = p.payer = p.payee = p.rendering = p.first_date = p.procedure = (text){ "", 0 };
    run(&p, bytes + 106, bytes + size);
    flush(&p);
    free(p.occurrences);
    fprintf(stderr, "claims=%" PRIu64 " records=%" PRIu64 " bad=%" PRIu64 "\n", p.claims, p.journals, p.bad);
    return p.status ? p.status : p.bad != 0;
}
