#include "standards/x12/envelope.h"

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static bool digit(char c) { return c >= '0' && c <= '9'; }

shunt_text shunt_x12_trim(shunt_text text)
{
    while (text.length && blank(text.bytes[text.length - 1])) text.length--;
    while (text.length && blank(*text.bytes)) text.bytes++, text.length--;
    return text;
}

bool shunt_x12_number(shunt_text text, uint64_t *number)
{
    uint64_t n = 0;
    if (text.length == 0) return false;
    for (uint32_t i = 0; i < text.length; i++) {
        if (!digit(text.bytes[i]) || __builtin_mul_overflow(n, 10u, &n) ||
            __builtin_add_overflow(n, (unsigned)(text.bytes[i] - '0'), &n))
            return false;
    }
    *number = n;
    return true;
}

bool shunt_x12_same_control(shunt_text a, shunt_text b)
{
    uint64_t m, n;
    a = shunt_x12_trim(a);
    b = shunt_x12_trim(b);
    if (shunt_x12_number(a, &m) && shunt_x12_number(b, &n)) return m == n;
    return shunt_text_equal(a, b);
}

/* "005010X221A1": six digits of release, X, digits; then addenda. */
static bool names_guide(shunt_text version)
{
    if (version.length < 8 || version.bytes[6] != 'X') return false;
    for (uint32_t i = 0; i < 8; i++)
        if (i != 6 && !digit(version.bytes[i])) return false;
    return true;
}

/* What follows the family is nothing or addenda: a letter A or E and digits. */
static bool of_family(shunt_text version, shunt_text family)
{
    if (family.length == 0 || !shunt_text_starts(version, family)) return false;
    if (version.length == family.length) return true;
    char letter = version.bytes[family.length];
    if (letter != 'A' && letter != 'E') return false;
    for (uint32_t i = family.length + 1; i < version.length; i++)
        if (!digit(version.bytes[i])) return false;
    return true;
}

/* "004010": a set of the base standard, without a guide. */
static bool is_release(shunt_text version)
{
    if (version.length != 6) return false;
    for (uint32_t i = 0; i < 6; i++)
        if (!digit(version.bytes[i])) return false;
    return true;
}

static uint16_t by_version(const shunt_plan *plan, shunt_text set, shunt_text version)
{
    if (version.length == 0) return SHUNT_NONE;
    for (uint32_t i = 0; i < plan->guide_count; i++)
        if (shunt_text_equal(plan->texts[plan->guides[i].set], set) &&
            shunt_text_equal(plan->texts[plan->guides[i].version], version))
            return (uint16_t)i;
    for (uint32_t i = 0; i < plan->guide_count; i++)
        if (shunt_text_equal(plan->texts[plan->guides[i].set], set) && of_family(version, plan->texts[plan->guides[i].family]))
            return (uint16_t)i;
    return SHUNT_NONE;
}

uint16_t shunt_x12_guide(const shunt_plan *plan, shunt_text set, shunt_text st03, shunt_text gs08, shunt_text gs01, bool *assumed)
{
    st03 = shunt_x12_trim(st03);
    gs08 = shunt_x12_trim(gs08);
    gs01 = shunt_x12_trim(gs01);
    *assumed = false;
    uint16_t guide = by_version(plan, set, st03);
    if (guide != SHUNT_NONE || names_guide(st03)) return guide;
    guide = by_version(plan, set, gs08);
    if (guide != SHUNT_NONE || names_guide(gs08)) return guide;
    /* "005010", and the "5010" that some senders make of it. */
    uint32_t digits = 0;
    while (digits < gs08.length && digit(gs08.bytes[digits])) digits++;
    if ((digits != 4 && digits < 6) || gs01.length == 0) return SHUNT_NONE;
    char padded[6] = { '0', '0' };
    memcpy(digits == 4 ? padded + 2 : padded, gs08.bytes, digits == 4 ? 4 : 6);
    shunt_text release = { padded, sizeof padded };
    uint16_t   base = SHUNT_NONE;
    bool       several = false;
    for (uint32_t i = 0; i < plan->guide_count; i++) {
        const shunt_plan_guide *g = &plan->guides[i];
        if (!shunt_text_equal(plan->texts[g->set], set) || !shunt_text_equal(plan->texts[g->functional_id], gs01)) continue;
        if (!shunt_text_starts(plan->texts[g->version], release)) continue;
        if (is_release(plan->texts[g->version])) base = (uint16_t)i;
        several = several || guide != SHUNT_NONE;
        guide = (uint16_t)i;
    }
    /* Beside guides, a bare release means the set as the base standard has it. */
    if (base != SHUNT_NONE || several) guide = base;
    *assumed = guide != SHUNT_NONE;
    return guide;
}

void shunt_x12_seen_clear(shunt_x12_seen *seen, const shunt_memory *memory)
{
    enum { KEPT = 1 << 10 }; /* a large table, once needed, is not to be cleared for each small group that follows */
    if (seen->capacity > KEPT) shunt_x12_seen_done(seen, memory);
    if (seen->count) memset(seen->hashes, 0, seen->capacity * sizeof *seen->hashes);
    seen->count = seen->width = 0;
}

void shunt_x12_seen_done(shunt_x12_seen *seen, const shunt_memory *memory)
{
    shunt_memory_free(memory, seen->hashes);
    *seen = (shunt_x12_seen){ 0 };
}

bool shunt_x12_seen_counting(shunt_x12_seen *seen, shunt_text control, bool *again)
{
    uint64_t number;
    *again = false;
    if (control.length == 0 || control.length > 9 || !shunt_x12_number(control, &number)) return false;
    if (!seen->width && !seen->count) {
        seen->first = seen->last = number;
        seen->width = control.length;
        return true;
    }
    if (control.length != seen->width) return false;
    *again = number >= seen->first && number <= seen->last;
    if (*again) return true;
    if (number != seen->last + 1 || seen->count) return false; /* it may stand among those that came out of turn */
    seen->last = number;
    return true;
}

/* The place of the hash, or the free place where it belongs. */
static uint64_t *place_of(uint64_t *hashes, uint32_t capacity, uint64_t hash)
{
    uint32_t at = (uint32_t)(hash >> 32) & (capacity - 1);
    while (hashes[at] && hashes[at] != hash) at = (at + 1) & (capacity - 1);
    return &hashes[at];
}

static shunt_status grow(shunt_x12_seen *seen, const shunt_memory *memory)
{
    uint32_t  capacity = seen->capacity ? seen->capacity * 2 : 16;
    uint64_t *hashes = shunt_memory_zeroed(memory, capacity, sizeof *hashes);
    if (!hashes) return SHUNT_NO_MEMORY;
    for (uint32_t i = 0; i < seen->capacity; i++)
        if (seen->hashes[i]) *place_of(hashes, capacity, seen->hashes[i]) = seen->hashes[i];
    shunt_memory_free(memory, seen->hashes);
    seen->hashes = hashes;
    seen->capacity = capacity;
    return SHUNT_OK;
}

shunt_status shunt_x12_seen_add(shunt_x12_seen *seen, const shunt_memory *memory, uint64_t hash, bool *again)
{
    if (hash == 0) hash = 1;
    if (seen->count < X12_SEEN_MOST && seen->count * 2 >= seen->capacity) SHUNT_TRY(grow(seen, memory));
    uint64_t *place = place_of(seen->hashes, seen->capacity, hash);
    *again = *place == hash;
    if (*again || seen->count >= X12_SEEN_MOST) return SHUNT_OK;
    *place = hash;
    seen->count++;
    return SHUNT_OK;
}
