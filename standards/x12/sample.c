/* sample.c - see sample.h. Element separator `*`, components `:`, segments end with `~`, as tests write them. */
#include "standards/x12/sample.h"

#include <stdio.h>

#include "engine/base/decimal.h"

struct part {
    const char *loop, *segments; /* BPR alone is made from the fragment */
};

/* What guides before 005010 do not know. */
static const char newer_part[] = "PER*BL**TE*5125550100~";

static const struct part remittance[] = {
    { "", "BPR" },
    { "", "TRN*1*T1*1999999999~" },
    { "1000A", "N1*PR*EXAMPLE PAYER~N3*1 EXAMPLE STREET~N4*AUSTIN*TX*787010000~" },
    { "1000A", newer_part },
    { "1000B", "N1*PE*EXAMPLE CLINIC*XX*1234567893~" },
    { "2000", "LX*1~" },
    { "2100", "" },
};
static const struct part claim[] = {
    { "", "BHT*0019*00*B1*20250301*1200*CH~" },
    { "1000A", "NM1*41*2*EXAMPLE CLINIC*****46*SENDER1~PER*IC*EXAMPLE*TE*5125550100~" },
    { "1000B", "NM1*40*2*EXAMPLE PAYER*****46*RECEIVER1~" },
    { "2000A", "HL*1**20*1~" },
    { "2010AA", "NM1*85*2*EXAMPLE CLINIC*****XX*1234567893~N3*1 EXAMPLE STREET~N4*AUSTIN*TX*787010000~REF*EI*123456789~" },
    { "2000B", "HL*2*1*22*0~SBR*P*18*******CI~" },
    { "2010BA", "NM1*IL*1*EXAMPLE*ONLY****MI*MEMBER1~N3*1 EXAMPLE STREET~N4*AUSTIN*TX*787010000~DMG*D8*19700101*F~" },
    { "2010BB", "NM1*PR*2*EXAMPLE PAYER*****PI*PAYER1~" },
    { "2300", "" },
};
static const struct {
    const char        *set;
    const struct part *parts;
    size_t             count;
} skeletons[] = {
    { "835", remittance, SHUNT_COUNT(remittance) },
    { "837", claim, SHUNT_COUNT(claim) },
};

/* Next segment of the text, without blanks and line ends around it; false at the end. */
static bool next_segment(shunt_text *rest, shunt_text *segment)
{
    while (rest->length && (unsigned char)rest->bytes[0] <= ' ') *rest = (shunt_text){ rest->bytes + 1, rest->length - 1 };
    if (!rest->length) return false;
    const char *end = memchr(rest->bytes, '~', rest->length);
    uint32_t    length = end ? (uint32_t)(end - rest->bytes) : rest->length;
    *segment = (shunt_text){ rest->bytes, length };
    uint32_t taken = end ? length + 1 : length;
    *rest = (shunt_text){ rest->bytes + taken, rest->length - taken };
    return true;
}

/* Element k of a segment, 0 = its id; empty where it has none. */
static shunt_text element(shunt_text segment, unsigned k)
{
    const char *at = segment.bytes, *end = segment.bytes + segment.length;
    for (; k && at < end; k--) {
        const char *star = memchr(at, '*', (size_t)(end - at));
        at = star ? star + 1 : end;
    }
    const char *stop = at < end ? memchr(at, '*', (size_t)(end - at)) : NULL;
    return (shunt_text){ at, (uint32_t)((stop ? stop : end) - at) };
}

static shunt_status add_amount(shunt_text amount, bool minus, shunt_decimal *sum)
{
    shunt_decimal value;
    if (!amount.length) return SHUNT_OK;
    SHUNT_TRY(shunt_decimal_parse(amount.bytes, amount.length, 2, false, &value));
    return minus ? shunt_decimal_subtract(*sum, value, sum) : shunt_decimal_add(*sum, value, sum);
}

enum { PAYMENT = 200 };
_Static_assert(SHUNT_DECIMAL_TEXT < 80, "a payment has room");
static shunt_status payment(shunt_text fragment, char out[static PAYMENT])
{
    shunt_decimal sum = 0;
    shunt_text    segment;
    while (next_segment(&fragment, &segment)) {
        shunt_text id = element(segment, 0);
        if (shunt_text_is(id, "CLP")) SHUNT_TRY(add_amount(element(segment, 4), false, &sum));
        if (!shunt_text_is(id, "PLB")) continue;
        for (unsigned k = 4; k <= 14; k += 2) SHUNT_TRY(add_amount(element(segment, k), true, &sum));
    }
    char     text[SHUNT_DECIMAL_TEXT];
    uint32_t length = (uint32_t)shunt_decimal_print(sum, 2, text);
    if (sum == 0)
        snprintf(out, PAYMENT, "BPR*H*0*C*NON************20250301~");
    else
        snprintf(out, PAYMENT, "BPR*I*%.*s*C*ACH*CCP*01*999999992*DA*123456*1999999999**01*999999984*DA*987654*20250301~",
                 (int)length, text);
    return SHUNT_OK;
}

/* Segment id and number of an element such as BPR16; 0: it is none. */
static unsigned number_of(shunt_text name, shunt_text *id)
{
    if (name.length < 4 || name.length > 5) return 0;
    char tens = name.bytes[name.length - 2], ones = name.bytes[name.length - 1];
    *id = (shunt_text){ name.bytes, name.length - 2 };
    return tens < '0' || tens > '9' || ones < '0' || ones > '9' ? 0 : (unsigned)(tens - '0') * 10 + (unsigned)(ones - '0');
}

/* The segment with its element replaced, or added behind empty ones. */
static void put_made(shunt_text segment, unsigned number, shunt_text value, shunt_buffer *out)
{
    shunt_text old = element(segment, number);
    uint32_t   before = (uint32_t)(old.bytes - segment.bytes), after = before + old.length;
    unsigned   elements = 0;
    for (uint32_t i = 0; i < segment.length; i++) elements += segment.bytes[i] == '*';
    shunt_buffer_add(out, segment.bytes, before);
    for (; elements < number; elements++) shunt_buffer_char(out, '*');
    shunt_buffer_text(out, value);
    shunt_buffer_add(out, segment.bytes + after, segment.length - after);
}

/* Segments of a part of the skeleton, with the elements that are made otherwise. */
static void put_part(const char *segments, shunt_text loop, shunt_x12_made *made, size_t count, shunt_buffer *out)
{
    shunt_text   rest = shunt_text_of(segments), segment, id;
    shunt_buffer changed;
    shunt_buffer_init(&changed, out->memory);
    while (next_segment(&rest, &segment)) {
        size_t begin = out->length;
        shunt_buffer_text(out, segment);
        for (size_t m = 0; m < count && !out->failed; m++) {
            unsigned number = number_of(made[m].element, &id);
            if (made[m].placed || !number || !shunt_text_equal(made[m].loop, loop) || !shunt_text_equal(id, element(segment, 0)))
                continue;
            made[m].placed = true;
            changed.length = 0;
            put_made((shunt_text){ out->bytes + begin, (uint32_t)(out->length - begin) }, number, made[m].value, &changed);
            out->length = begin;
            shunt_buffer_add(out, changed.bytes, changed.length);
        }
        shunt_buffer_char(out, '~');
    }
    out->failed |= changed.failed;
    shunt_buffer_done(&changed);
}

bool shunt_x12_sample_has(const shunt_guide *guide, shunt_text loop, shunt_text name)
{
    shunt_text id, segment;
    if (!number_of(name, &id)) return false;
    for (size_t s = 0; s < SHUNT_COUNT(skeletons); s++) {
        if (strcmp(skeletons[s].set, guide->set) != 0) continue;
        for (size_t p = 0; p < skeletons[s].count; p++) {
            shunt_text rest = shunt_text_of(skeletons[s].parts[p].segments);
            if (!shunt_text_is(loop, skeletons[s].parts[p].loop)) continue;
            while (next_segment(&rest, &segment))
                if (shunt_text_equal(element(segment, 0), id)) return true;
        }
    }
    return false;
}

static unsigned count_segments(const char *bytes, size_t length)
{
    shunt_text rest = { bytes, (uint32_t)length }, segment;
    unsigned   count = 0;
    while (next_segment(&rest, &segment)) count++;
    return count;
}

shunt_status shunt_x12_sample(const shunt_guide *guide, shunt_text piece, shunt_x12_made *made, size_t made_count,
                              shunt_text fragment, shunt_buffer *out)
{
    for (size_t m = 0; m < made_count; m++) made[m].placed = false;
    bool newer = strncmp(guide->version, "005", 3) == 0;
    shunt_buffer_format(
        out, "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *250301*1200*%s*%.5s*000000001*0*T*:~",
        newer ? "^" : "U", newer ? "00501" : "00401");
    if (strcmp(guide->set, "TA1") == 0) { /* segments between ISA and IEA */
        if (piece.length) return SHUNT_NOT_FOUND;
        shunt_buffer_text(out, fragment);
        shunt_buffer_z(out, "\nIEA*0*000000001~\n");
        return out->failed ? SHUNT_NO_MEMORY : SHUNT_OK;
    }
    shunt_buffer_format(out, "GS*%s*SENDER*RECEIVER*20250301*1200*1*X*%s~", guide->functional_id, guide->version);
    size_t start = out->length;
    shunt_buffer_format(out, "ST*%s*0001%s%s~", guide->set, newer && strcmp(guide->set, "837") == 0 ? "*" : "",
                        newer && strcmp(guide->set, "837") == 0 ? guide->version : "");
    bool found = piece.length == 0;
    for (size_t s = 0; s < SHUNT_COUNT(skeletons) && !found; s++) {
        if (strcmp(skeletons[s].set, guide->set) != 0) continue;
        for (size_t p = 0; p < skeletons[s].count && !found; p++) {
            const struct part *part = &skeletons[s].parts[p];
            found = shunt_text_is(piece, part->loop);
            if (found) break;
            if (part->segments == newer_part && !newer) continue;
            const char *segments = part->segments;
            char        paid[PAYMENT];
            if (strcmp(segments, "BPR") == 0) {
                SHUNT_TRY(payment(fragment, paid));
                segments = paid;
            }
            put_part(segments, shunt_text_of(part->loop), made, made_count, out);
        }
    }
    for (size_t m = 0; m < made_count; m++) found = found && (made[m].placed || out->failed);
    if (!found) return SHUNT_NOT_FOUND;
    shunt_buffer_text(out, fragment);
    if (out->failed) return SHUNT_NO_MEMORY;
    shunt_buffer_format(out, "\nSE*%u*0001~GE*1*1~IEA*1*000000001~\n",
                        count_segments(out->bytes + start, out->length - start) + 1);
    return out->failed ? SHUNT_NO_MEMORY : SHUNT_OK;
}
