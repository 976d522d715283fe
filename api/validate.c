/* validate.c - holds messages against their standard, without rules. It streams: the standard is known by the first bytes, a finding is
 * written when it is made. validate_x12.c and its like look at the events. */
#include "api/validate.h"

#include <stdio.h>

#include "engine/base/date.h"
#include "standards/fhir/types.h"
#include "standards/registry.h"

enum { TYPES = 5, DRAIN = 1 << 16 };

/* ---- writing ---- */

static uint64_t most_here(const shunt_validator *v)
{
    return v->options.max_findings ? v->options.max_findings : SHUNT_FINDINGS_LISTED;
}

static uint64_t most_of_input(const shunt_validator *v) { return most_here(v) * SHUNT_PARTS_LISTED; }

/* Is it the first one of its code? */
static bool is_first(uint64_t *codes, shunt_status code)
{
    uint64_t bit = UINT64_C(1) << (code % 64), *word = &codes[code / 64];
    bool     first = !(*word & bit);
    *word |= bit;
    return first;
}

bool shunt_validate_takes(shunt_validator *v, shunt_status code, unsigned severity, const uint32_t *beyond, uint64_t byte)
{
    uint64_t more = (uint64_t)beyond[SHUNT_INFORMATION] + beyond[SHUNT_WARNING] + beyond[SHUNT_ERROR];
    v->errors += more ? beyond[SHUNT_ERROR] : severity == SHUNT_ERROR;
    v->warnings += more ? beyond[SHUNT_WARNING] : severity == SHUNT_WARNING;
    v->notes += more ? beyond[SHUNT_INFORMATION] : severity == SHUNT_INFORMATION;
    bool first = is_first(v->codes, code), first_here = is_first(v->codes_here, code);
    if (first || (v->listed < most_of_input(v) && (first_here || v->here < most_here(v)))) {
        v->here++;
        v->listed++;
        return true;
    }
    if (!v->left && !v->left_here) v->left_at = byte;
    v->left_here += more ? more : 1;
    return false;
}

static void tell_left(shunt_validator *v, uint64_t count, const char *where)
{
    char words[80];
    snprintf(words, sizeof words, "%llu more of this %s", (unsigned long long)count, where);
    if (v->options.json) {
        shunt_validate_object(v, SHUNT_FINDINGS_MORE, SHUNT_INFORMATION);
        shunt_buffer_format(&v->out, ",\"offset\":%llu", (unsigned long long)v->left_at);
        shunt_validate_member(&v->out, "found", shunt_text_of(words));
        shunt_buffer_z(&v->out, "}\n");
    } else {
        shunt_validate_heading(v, SHUNT_FINDINGS_MORE, SHUNT_INFORMATION, v->left_at);
        shunt_buffer_format(&v->out, "  found %s\n", words);
    }
}

void shunt_validate_part_over(shunt_validator *v)
{
    v->here = 0;
    memset(v->codes_here, 0, sizeof v->codes_here);
    if (v->left_here && v->listed < most_of_input(v)) {
        tell_left(v, v->left_here, v->ops->part);
        v->listed++;
    } else {
        v->left += v->left_here;
    }
    v->left_here = 0;
}

void shunt_validate_member(shunt_buffer *out, const char *name, shunt_text text)
{
    shunt_buffer_format(out, ",\"%s\":", name);
    shunt_buffer_json(out, text);
}

void shunt_validate_heading(shunt_validator *v, shunt_status code, unsigned severity, uint64_t byte)
{
    shunt_buffer_format(&v->out, "%s:%llu: %s %s: %s\n", v->name, (unsigned long long)byte,
                        shunt_severity_name((shunt_severity)severity), shunt_status_info[code].code,
                        shunt_status_info[code].meaning);
}

void shunt_validate_object(shunt_validator *v, shunt_status code, unsigned severity)
{
    shunt_buffer_z(&v->out, "{\"file\":");
    shunt_buffer_json(&v->out, shunt_text_of(v->name));
    shunt_validate_member(&v->out, "code", shunt_text_of(shunt_status_info[code].code));
    shunt_validate_member(&v->out, "severity", shunt_text_of(shunt_severity_name((shunt_severity)severity)));
}

void shunt_validate_value(const shunt_validator *v, shunt_buffer *out, const char *bytes, uint32_t length, uint32_t phi)
{
    if (v->options.show_phi || !phi) {
        for (uint32_t i = 0; i < length; i++) {
            unsigned char c = (unsigned char)bytes[i];
            shunt_buffer_char(out, c < ' ' || c == 127 ? '?' : (char)c);
        }
        return;
    }
    for (int i = 0; i < SHUNT_PHI_INDEX_COUNT; i++) {
        if (!(phi & 1u << i)) continue;
        shunt_buffer_format(out, "[%s]", shunt_phi_name((shunt_phi_index)i));
        return;
    }
}

void shunt_validate_totals(shunt_validator *v)
{
    unsigned long long errors = v->errors, warnings = v->warnings, notes = v->notes;
    if (v->options.json) {
        shunt_buffer_format(&v->out, ",\"errors\":%llu,\"warnings\":%llu,\"notes\":%llu}}\n", errors, warnings, notes);
        return;
    }
    shunt_buffer_format(&v->out, "; %llu error%s, %llu warning%s, %llu note%s\n", errors, errors == 1 ? "" : "s", warnings,
                        warnings == 1 ? "" : "s", notes, notes == 1 ? "" : "s");
}

shunt_text shunt_validate_kept(char *into, size_t room, shunt_text text)
{
    uint32_t length = text.length < room ? text.length : (uint32_t)room;
    if (length) memcpy(into, text.bytes, length);
    for (uint32_t i = 0; i < length; i++)
        if ((unsigned char)into[i] < ' ' || into[i] == 127) into[i] = '?';
    return (shunt_text){ into, length };
}

/* ---- reading ---- */

static shunt_result drain(shunt_validator *v)
{
    bool fine = !v->out.failed && !v->answer.failed;
    if (fine && v->out.length) fine = v->write(v->context, v->out.bytes, v->out.length);
    if (fine && v->answer.length)
        fine = v->options.acknowledge(v->options.acknowledge_context, v->answer.bytes, v->answer.length);
    v->out.length = v->answer.length = 0;
    return fine ? SHUNT_DONE : SHUNT_SYSTEM_FAULT;
}

static bool begins_like_xml(shunt_text head)
{
    uint32_t at = head.length >= 3 && memcmp(head.bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    while (at < head.length &&
           (head.bytes[at] == ' ' || head.bytes[at] == '\t' || head.bytes[at] == '\r' || head.bytes[at] == '\n'))
        at++;
    return at < head.length && head.bytes[at] == '<';
}

/* What is of no standard that is known by its bytes is held against X12, which says that it is none. */
static shunt_result choose(shunt_validator *v, bool last)
{
    shunt_standard standard = SHUNT_STANDARD_X12;
    shunt_sniffed  sniffed = shunt_standard_sniff((const uint8_t *)v->head.bytes, v->head.length, last, 0, &standard);
    if (sniffed == SHUNT_SNIFFED_MORE) return SHUNT_DONE;
    v->ops = &shunt_validate_x12;
    if (sniffed == SHUNT_SNIFFED && standard == SHUNT_STANDARD_HL7) v->ops = &shunt_validate_hl7;
    if (sniffed == SHUNT_SNIFFED && standard == SHUNT_STANDARD_FHIR) v->ops = &shunt_validate_fhir;
    v->xml = begins_like_xml((shunt_text){ v->head.bytes, (uint32_t)v->head.length });
    return v->ops->open(v) ? SHUNT_SYSTEM_FAULT : SHUNT_DONE;
}

static shunt_result pump(shunt_validator *v)
{
    shunt_event event;
    for (;;) {
        if (v->out.length + v->answer.length > DRAIN && drain(v) != SHUNT_DONE) return SHUNT_SYSTEM_FAULT;
        shunt_step step = v->reader->ops->next(v->reader, &event);
        bool       waits = step == SHUNT_STEP_NEED_INPUT || step == SHUNT_STEP_FAILED;
        if (waits && v->ops->wait && v->ops->wait(v) != SHUNT_OK) return SHUNT_SYSTEM_FAULT;
        if (step == SHUNT_STEP_NEED_INPUT) return drain(v);
        if (step == SHUNT_STEP_FAILED) return drain(v) != SHUNT_DONE ? SHUNT_SYSTEM_FAULT : shunt_result_of(event.code);
        if (v->ops->see(v, &event) != SHUNT_OK) return SHUNT_SYSTEM_FAULT;
        if (step != SHUNT_STEP_END) continue;
        shunt_validate_part_over(v);
        if (v->left) tell_left(v, v->left, "input");
        v->ops->summary(v);
        if (drain(v) != SHUNT_DONE) return SHUNT_SYSTEM_FAULT;
        return v->errors ? SHUNT_INPUT_FAULT : SHUNT_DONE;
    }
}

shunt_result shunt_validator_feed(shunt_validator *v, const void *bytes, size_t size, bool last)
{
    size_t taken = 0;
    if (v->ops && !v->reader) return SHUNT_SYSTEM_FAULT; /* it could not be made */
    if (!v->ops) {
        taken = size < SHUNT_SNIFF_BYTES - v->head.length ? size : SHUNT_SNIFF_BYTES - v->head.length;
        if (taken) shunt_buffer_add(&v->head, bytes, taken);
        if (v->head.failed) return SHUNT_SYSTEM_FAULT;
        shunt_result result = choose(v, last && taken == size);
        if (result != SHUNT_DONE || !v->ops) return result;
        bool all = last && taken == size;
        v->reader->ops->feed(v->reader, (const uint8_t *)v->head.bytes, v->head.length, all);
        result = pump(v);
        if (all || taken == size || result > SHUNT_INPUT_FAULT) return result;
    }
    v->reader->ops->feed(v->reader, size ? (const uint8_t *)bytes + taken : NULL, size - taken, last);
    return pump(v);
}

/* ---- making ---- */

/* "3" is 1 to 3; "1,2,5" is these. 0 where it is neither. */
static uint32_t levels_of(const char *text)
{
    uint32_t bits = 0;
    if (!text) return 1u << 1 | 1u << 2 | 1u << 4 | 1u << 5;
    for (const char *at = text;; at++) {
        if (*at < '1' || *at > '0' + TYPES) return 0;
        bits |= 1u << (*at - '0');
        at++;
        if (!*at) break;
        if (*at != ',') return 0;
    }
    if (!strchr(text, ',')) bits = (bits << 1) - 2; /* that one and those below it */
    return bits;
}

static const char *set_time(shunt_validator *v)
{
    memcpy(v->made_at, "20000101000000", sizeof v->made_at);
    if (!v->options.made_at || shunt_api_stamp(v->options.made_at, v->made_at)) return NULL;
    return "the time is written as 2025-03-01T12:00:00Z";
}

shunt_result shunt_validator_new(const shunt_validate_options *options, shunt_write write, void *context, shunt_validator **made,
                                 shunt_messages **messages)
{
    shunt_memory     memory = shunt_api_memory(options ? options->allocator : NULL);
    shunt_validator *v = shunt_memory_zeroed(&memory, 1, sizeof *v);
    *made = NULL;
    if (messages) *messages = NULL;
    if (!v) return SHUNT_SYSTEM_FAULT;
    v->memory = memory;
    if (options) v->options = *options;
    v->name = v->options.name ? v->options.name : "-";
    v->write = write;
    v->context = context;
    shunt_buffer_init(&v->out, &v->memory);
    shunt_buffer_init(&v->answer, &v->memory);
    shunt_buffer_init(&v->head, &v->memory);
    v->levels = levels_of(v->options.snip);
    v->arena = shunt_arena_new(&v->memory, 0);
    v->fhir = shunt_fhir_version(v->options.fhir ? shunt_text_of(v->options.fhir) : SHUNT_TEXT("R4"));
    const char *wrong = !v->levels ? "a SNIP type is 1 to 5, or several apart by commas"
                        : !v->fhir ? "a version of FHIR is R4 or R5"
                                   : set_time(v);
    if (!wrong && v->arena) {
        *made = v;
        return SHUNT_DONE;
    }
    if (wrong && messages && (*messages = shunt_messages_new(&memory)) != NULL)
        shunt_messages_say(*messages, SHUNT_ERROR, "USAGE", "%s", wrong);
    shunt_validator_free(v);
    return wrong ? SHUNT_RULES_FAULT : SHUNT_SYSTEM_FAULT;
}

void shunt_validator_free(shunt_validator *v)
{
    if (!v) return;
    shunt_memory memory = v->memory;
    if (v->reader) v->reader->ops->free(v->reader);
    if (v->own) v->ops->done(v);
    shunt_arena_free(v->arena);
    shunt_buffer_done(&v->out);
    shunt_buffer_done(&v->answer);
    shunt_buffer_done(&v->head);
    shunt_memory_free(&memory, v);
}
