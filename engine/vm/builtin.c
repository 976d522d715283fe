/* builtin.c - the built-in functions of builtin.def, and the canonical text of values. */
#include "engine/base/date.h"
#include "engine/base/decimal.h"
#include "engine/base/hash.h"
#include "engine/vm/state.h"
#include "engine/vm/units.h"

_Static_assert(SHUNT_DECIMAL_TEXT <= 64 && SHUNT_MOMENT_TEXT <= 64, "rooms of 64 bytes are enough");

shunt_text shunt_value_text(const shunt_program *p, shunt_type type, shunt_value value, char *room)
{
    switch ((shunt_kind)type.kind) {
    case SHUNT_KIND_BOOL: return value.integer ? SHUNT_TEXT("true") : SHUNT_TEXT("false");
    case SHUNT_KIND_INT:
        if (type.extra && type.extra <= p->enums_count) {
            const shunt_enum *e = &p->enums[type.extra - 1];
            if (value.integer >= 0 && value.integer < e->member_count)
                return p->texts[p->numbers[e->member_first + (uint32_t)value.integer]];
        }
        return (shunt_text){ room, (uint32_t)shunt_decimal_print(value.integer, 0, room) };
    case SHUNT_KIND_DECIMAL: return (shunt_text){ room, (uint32_t)shunt_decimal_print(value.coefficient, type.scale, room) };
    case SHUNT_KIND_TEXT: return value.text;
    case SHUNT_KIND_DATE: shunt_date_print(value.integer, room); return (shunt_text){ room, SHUNT_DATE_TEXT };
    case SHUNT_KIND_MOMENT: return (shunt_text){ room, (uint32_t)shunt_moment_print(value.moment, room) };
    case SHUNT_KIND_LIST:
    case SHUNT_KIND_ROW:
    case SHUNT_KIND_NODE:
    case SHUNT_KIND_NONE:
    case SHUNT_KIND_COUNT: break;
    }
    return (shunt_text){ 0 };
}

static shunt_status give_text(shunt_text text, shunt_value *result)
{
    *result = (shunt_value){ .text = text };
    return SHUNT_OK;
}

static shunt_status give_int(int64_t integer, shunt_value *result)
{
    *result = (shunt_value){ .integer = integer };
    return SHUNT_OK;
}

static shunt_status absent(uint8_t *state)
{
    *state = SHUNT_ABSENT;
    return SHUNT_OK;
}

static shunt_status add_months(const shunt_value *a, shunt_value *result)
{
    bool    clamp = shunt_text_is(a[2].text, "clamp");
    int64_t days;
    if (!clamp && !shunt_text_is(a[2].text, "next")) return SHUNT_VALUE_INVALID;
    SHUNT_TRY(shunt_date_add_months(a[0].integer, a[1].integer, clamp, &days));
    return give_int(days, result);
}

static shunt_status date_by_pattern(const shunt_value *a, shunt_value *result)
{
    int64_t days;
    if (!shunt_date_pattern_valid(a[1].text)) return SHUNT_VALUE_INVALID;
    SHUNT_TRY(shunt_date_parse_pattern(a[0].text, a[1].text, &days));
    return give_int(days, result);
}

static shunt_status try_date(shunt_text text, shunt_value *result, uint8_t *state)
{
    int64_t days, end;
    return shunt_date_parse_qualified(text, &days, &end) == SHUNT_OK ? give_int(days, result) : absent(state);
}

static shunt_status try_int(shunt_text text, shunt_value *result, uint8_t *state)
{
    shunt_decimal value;
    if (shunt_decimal_parse(text.bytes, text.length, 0, false, &value) != SHUNT_OK || value < INT64_MIN || value > INT64_MAX)
        return absent(state);
    return give_int((int64_t)value, result);
}

static shunt_status try_decimal(shunt_text text, uint8_t scale, shunt_value *result, uint8_t *state)
{
    shunt_decimal value;
    if (shunt_decimal_parse(text.bytes, text.length, scale, false, &value) != SHUNT_OK) return absent(state);
    *result = (shunt_value){ .coefficient = value };
    return SHUNT_OK;
}

static shunt_status change_case(shunt_vm *vm, shunt_text text, char first, char last, char by, shunt_value *result)
{
    uint32_t at = 0;
    while (at < text.length && (text.bytes[at] < first || text.bytes[at] > last)) at++;
    if (at == text.length) return give_text(text, result); /* nothing changes */
    char *bytes = shunt_arena_bytes(vm->arena, text.length);
    if (!bytes) return shunt_vm_full(vm);
    for (uint32_t i = 0; i < text.length; i++) {
        char c = text.bytes[i];
        bytes[i] = c >= first && c <= last ? (char)(c + by) : c;
    }
    return give_text((shunt_text){ bytes, text.length }, result);
}

static shunt_status give_some(shunt_text text, shunt_value *result, uint8_t *state)
{
    return text.length ? give_text(text, result) : absent(state);
}

static shunt_text trimmed(shunt_text text)
{
    while (text.length && text.bytes[0] == ' ') text.bytes++, text.length--;
    while (text.length && text.bytes[text.length - 1] == ' ') text.length--;
    return text;
}

/* Characters count from 1; what lies before the first or after the last is not there. */
static shunt_text part(shunt_text text, int64_t from, int64_t count)
{
    if (from < 1) { /* the part of the window before the text is lost */
        if (count <= 0 || from < -(int64_t)UINT32_MAX) return (shunt_text){ 0 };
        count += from - 1;
        from = 1;
    }
    if (count <= 0 || from > UINT32_MAX) return (shunt_text){ 0 };
    uint32_t   begin = shunt_utf8_offset(text, (uint32_t)(from - 1));
    shunt_text rest = { text.bytes + begin, text.length - begin };
    rest.length = shunt_utf8_offset(rest, count > UINT32_MAX ? UINT32_MAX : (uint32_t)count);
    return rest;
}

static shunt_text last4(shunt_text text)
{
    uint32_t characters = shunt_utf8_count(text);
    if (characters <= 4) return text;
    uint32_t begin = shunt_utf8_offset(text, characters - 4);
    return (shunt_text){ text.bytes + begin, text.length - begin };
}

static shunt_status tokenize(shunt_vm *vm, shunt_text text, shunt_value *result)
{
    if (!vm->host->token_key || vm->host->token_key_length == 0) return SHUNT_USAGE;
    uint8_t mac[SHUNT_SHA256_BYTES];
    char   *hex = shunt_arena_bytes(vm->arena, SHUNT_SHA256_HEX);
    if (!hex) return shunt_vm_full(vm);
    shunt_hmac_of(&vm->token, text.bytes, text.length, mac);
    shunt_hex(mac, sizeof mac, hex);
    return give_text((shunt_text){ hex, SHUNT_SHA256_HEX }, result);
}

/* (new - old) / old, as the fraction that a percent is, rounded to `places` decimals of it. */
static shunt_status percent_change(const shunt_value *a, uint8_t scale, uint8_t result_scale, shunt_value *result)
{
    shunt_rounding mode;
    shunt_decimal  difference, quotient;
    if (!shunt_rounding_find(a[3].text, &mode) || a[2].integer < 0 || a[2].integer > result_scale) return SHUNT_VALUE_INVALID;
    SHUNT_TRY(shunt_decimal_subtract(a[1].coefficient, a[0].coefficient, &difference));
    SHUNT_TRY(shunt_decimal_divide(difference, scale, a[0].coefficient, scale, (unsigned)a[2].integer, mode, &quotient));
    SHUNT_TRY(shunt_decimal_rescale(quotient, (unsigned)a[2].integer, result_scale, SHUNT_EXACT, &quotient));
    *result = (shunt_value){ .coefficient = quotient };
    return SHUNT_OK;
}

static int64_t year_of(int64_t days)
{
    int year, month, day;
    shunt_date_split(days, &year, &month, &day);
    return year;
}

static shunt_status date_of(shunt_moment moment, shunt_value *result)
{
    int64_t days;
    SHUNT_TRY(shunt_moment_date(moment, &days));
    return give_int(days, result);
}

/* Where less than a day is written nobody knows which day or instant is meant. */
static shunt_status instant(shunt_moment moment, shunt_value *result)
{
    if (moment.precision > SHUNT_PRECISION_DAY) return SHUNT_VALUE_INVALID;
    return moment.zoned == SHUNT_ZONED_NOT ? SHUNT_ZONE_MISSING : give_int(moment.microseconds, result);
}

static shunt_status local_date(const shunt_program *p, shunt_moment moment, shunt_text name, shunt_value *result)
{
    if (moment.precision != SHUNT_PRECISION_TIME) return date_of(moment, result);
    if (moment.zoned == SHUNT_ZONED_NOT) return SHUNT_ZONE_MISSING;
    for (uint32_t i = 0; i < p->zones_count; i++) {
        const shunt_zone *zone = &p->zones[i];
        if (!shunt_text_equal(p->texts[zone->name], name)) continue;
        moment.offset = 0;
        moment.offset =
            (int16_t)shunt_zone_offset(zone, p->zone_changes + zone->change_first, shunt_moment_local_seconds(moment));
        return shunt_moment_valid(moment) ? date_of(moment, result) : SHUNT_VALUE_INVALID;
    }
    return SHUNT_VALUE_INVALID;
}

/* A clock of the host is not ours to trust: what no date can hold is not known. */
static shunt_status received_at(const shunt_vm_host *host, shunt_value *result, uint8_t *state)
{
    if (!host->received_at_known || !shunt_moment_valid(host->received_at)) return absent(state);
    *result = (shunt_value){ .moment = host->received_at };
    return SHUNT_OK;
}

static shunt_status convert(const shunt_value *a, unsigned from_scale, unsigned to_scale, shunt_value *result, uint8_t *state)
{
    shunt_status status = shunt_units_convert(a[0].coefficient, from_scale, a[1].text, a[2].text, to_scale, &result->coefficient);
    return status == SHUNT_NOT_FOUND ? absent(state) : status;
}

shunt_status shunt_vm_builtin(shunt_vm *vm, uint16_t builtin, const shunt_value *a, shunt_type first, shunt_type type,
                              shunt_value *result, uint8_t *state)
{
    *state = SHUNT_PRESENT;
    switch ((shunt_builtin)builtin) {
    case SHUNT_BUILTIN_ADD_MONTHS: return add_months(a, result);
    case SHUNT_BUILTIN_YEAR_OF: return give_int(year_of(a[0].integer), result);
    case SHUNT_BUILTIN_DATE_FORMAT: return date_by_pattern(a, result);
    case SHUNT_BUILTIN_TRY_DATE: return try_date(a[0].text, result, state);
    case SHUNT_BUILTIN_TRY_INT: return try_int(a[0].text, result, state);
    case SHUNT_BUILTIN_TRY_DECIMAL: return try_decimal(a[0].text, type.scale, result, state);
    case SHUNT_BUILTIN_UPPER: return change_case(vm, a[0].text, 'a', 'z', 'A' - 'a', result);
    case SHUNT_BUILTIN_LOWER: return change_case(vm, a[0].text, 'A', 'Z', 'a' - 'A', result);
    case SHUNT_BUILTIN_TRIM: return give_some(trimmed(a[0].text), result, state);
    case SHUNT_BUILTIN_LENGTH: return give_int(shunt_utf8_count(a[0].text), result);
    case SHUNT_BUILTIN_PART: return give_some(part(a[0].text, a[1].integer, a[2].integer), result, state);
    case SHUNT_BUILTIN_STARTS: return give_int(shunt_text_starts(a[0].text, a[1].text), result);
    case SHUNT_BUILTIN_LAST4: return give_text(last4(a[0].text), result);
    case SHUNT_BUILTIN_TOKENIZE: return tokenize(vm, a[0].text, result);
    case SHUNT_BUILTIN_PERCENT_CHANGE: return percent_change(a, first.scale, type.scale, result);
    case SHUNT_BUILTIN_FILE_ID: return give_some(vm->host->file_id, result, state);
    case SHUNT_BUILTIN_RECEIVED_AT: return received_at(vm->host, result, state);
    case SHUNT_BUILTIN_DATE_OF: return date_of(a[0].moment, result);
    case SHUNT_BUILTIN_LOCAL_DATE: return local_date(vm->program, a[0].moment, a[1].text, result);
    case SHUNT_BUILTIN_INSTANT: return instant(a[0].moment, result);
    case SHUNT_BUILTIN_CONVERT: return convert(a, first.scale, type.scale, result, state);
    case SHUNT_BUILTIN_COUNT: break;
    }
    return SHUNT_USAGE;
}
