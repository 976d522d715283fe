#include "standards/fhir/forms.h"

#include "engine/base/date.h"

static const struct {
    const char     *type;
    shunt_fhir_form form;
} types[] = {
    { "base64Binary", FHIR_FORM_BASE64 },
    { "boolean", FHIR_FORM_BOOLEAN },
    { "canonical", FHIR_FORM_URI },
    { "code", FHIR_FORM_CODE },
    { "date", FHIR_FORM_DATE },
    { "dateTime", FHIR_FORM_DATE_TIME },
    { "decimal", FHIR_FORM_DECIMAL },
    { "id", FHIR_FORM_ID },
    { "instant", FHIR_FORM_INSTANT },
    { "integer", FHIR_FORM_INTEGER },
    { "integer64", FHIR_FORM_INTEGER64 },
    { "markdown", FHIR_FORM_STRING },
    { "oid", FHIR_FORM_OID },
    { "positiveInt", FHIR_FORM_POSITIVE },
    { "string", FHIR_FORM_STRING },
    { "time", FHIR_FORM_TIME },
    { "unsignedInt", FHIR_FORM_UNSIGNED },
    { "uri", FHIR_FORM_URI },
    { "url", FHIR_FORM_URI },
    { "uuid", FHIR_FORM_UUID },
    { "xhtml", FHIR_FORM_XHTML },
};

shunt_fhir_form shunt_fhir_form_of(const char *type)
{
    for (size_t i = 0; i < SHUNT_COUNT(types); i++)
        if (strcmp(types[i].type, type) == 0) return types[i].form;
    return FHIR_FORM_NONE;
}

const char *shunt_fhir_form_words(shunt_fhir_form form)
{
    static const char *const words[] = {
        [FHIR_FORM_NONE] = "",
        [FHIR_FORM_BASE64] = "base64, four characters at a time",
        [FHIR_FORM_BOOLEAN] = "true or false",
        [FHIR_FORM_CODE] = "a code: no blanks at its ends, single ones inside",
        [FHIR_FORM_DATE] = "a date, YYYY, YYYY-MM or YYYY-MM-DD",
        [FHIR_FORM_DATE_TIME] = "a date, or a date and time with seconds and zone: YYYY-MM-DDThh:mm:ss+zz:zz",
        [FHIR_FORM_DECIMAL] = "a number: digits with a point, minus in front",
        [FHIR_FORM_ID] = "1 to 64 letters, digits, - and .",
        [FHIR_FORM_INSTANT] = "a date and time with seconds and zone: YYYY-MM-DDThh:mm:ss+zz:zz",
        [FHIR_FORM_INTEGER] = "a whole number of 32 bits",
        [FHIR_FORM_INTEGER64] = "a whole number of 64 bits",
        [FHIR_FORM_OID] = "urn:oid: and numbers apart by points",
        [FHIR_FORM_POSITIVE] = "a whole number, 1 or more",
        [FHIR_FORM_STRING] = "a text without control characters",
        [FHIR_FORM_TIME] = "a time, hh:mm:ss",
        [FHIR_FORM_UNSIGNED] = "a whole number, 0 or more",
        [FHIR_FORM_URI] = "a URI without blanks",
        [FHIR_FORM_UUID] = "urn:uuid: and a UUID in lower case",
        [FHIR_FORM_XHTML] = "an XHTML `div`",
    };
    return words[form];
}

/* ---- numbers ---- */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static uint32_t digits(shunt_text t, uint32_t at)
{
    uint32_t count = 0;
    while (at + count < t.length && is_digit(t.bytes[at + count])) count++;
    return count;
}

/* Digits without leading zeros, in front of them a sign where `negative`; at most `most`, below zero one more. */
static bool is_whole(shunt_text t, bool negative, uint64_t least, uint64_t most)
{
    uint32_t at = negative && t.length && t.bytes[0] == '-', count = digits(t, at);
    uint64_t value = 0;
    if (!count || at + count != t.length || count > 19 || (count > 1 && t.bytes[at] == '0')) return false;
    for (; at < t.length; at++) value = value * 10 + (uint64_t)(t.bytes[at] - '0');
    return value >= least && value <= most + (t.bytes[0] == '-');
}

static bool is_decimal(shunt_text t)
{
    uint32_t at = t.length && t.bytes[0] == '-', count = digits(t, at);
    if (!count || (count > 1 && t.bytes[at] == '0')) return false;
    at += count;
    if (at < t.length && t.bytes[at] == '.') {
        count = digits(t, at + 1);
        if (!count) return false;
        at += 1 + count;
    }
    if (at < t.length && (t.bytes[at] == 'e' || t.bytes[at] == 'E')) {
        at++;
        if (at < t.length && (t.bytes[at] == '+' || t.bytes[at] == '-')) at++;
        count = digits(t, at);
        if (!count) return false;
        at += count;
    }
    return at == t.length;
}

/* ---- dates ---- */

static int number(const char *bytes, unsigned count)
{
    int value = 0;
    while (count--) value = value * 10 + (*bytes++ - '0');
    return value;
}

/* YYYY[-MM[-DD]] from the beginning; its length, 0 = none. */
static uint32_t date_length(shunt_text t)
{
    if (digits(t, 0) != 4) return 0;
    int year = number(t.bytes, 4);
    if (t.length == 4 || t.bytes[4] != '-') return shunt_date_valid(year, 1, 1) ? 4 : 0;
    if (digits(t, 5) != 2) return 0;
    int month = number(t.bytes + 5, 2);
    if (t.length == 7 || t.bytes[7] != '-') return shunt_date_valid(year, month, 1) ? 7 : 0;
    if (digits(t, 8) != 2) return 0;
    return shunt_date_valid(year, month, number(t.bytes + 8, 2)) ? 10 : 0;
}

/* hh:mm:ss[.s...] at `at`; its length, 0 = none. Second 60 is one of those that are put in. */
static uint32_t time_length(shunt_text t, uint32_t at)
{
    uint32_t part = 0;
    if (digits(t, at) != 2 || at + 8 > t.length || t.bytes[at + 2] != ':' || digits(t, at + 3) != 2 || t.bytes[at + 5] != ':' ||
        digits(t, at + 6) != 2)
        return 0;
    if (number(t.bytes + at, 2) > 23 || number(t.bytes + at + 3, 2) > 59 || number(t.bytes + at + 6, 2) > 60) return 0;
    if (at + 8 < t.length && t.bytes[at + 8] == '.') {
        part = digits(t, at + 9);
        if (!part) return 0;
        part++;
    }
    return 8 + part;
}

static bool is_zone(shunt_text t, uint32_t at)
{
    if (at + 1 == t.length && t.bytes[at] == 'Z') return true;
    if (at + 6 != t.length || (t.bytes[at] != '+' && t.bytes[at] != '-') || digits(t, at + 1) != 2 || t.bytes[at + 3] != ':' ||
        digits(t, at + 4) != 2)
        return false;
    return number(t.bytes + at + 1, 2) <= 14 && number(t.bytes + at + 4, 2) <= 59;
}

static bool is_moment(shunt_text t)
{
    if (date_length(t) != 10 || t.length == 10 || t.bytes[10] != 'T') return false;
    uint32_t time = time_length(t, 11);
    return time && is_zone(t, 11 + time);
}

/* ---- texts ---- */

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static bool is_string(shunt_text t)
{
    for (uint32_t i = 0; i < t.length; i++)
        if ((uint8_t)t.bytes[i] < ' ' && !is_space(t.bytes[i])) return false;
    return t.length > 0;
}

static bool is_code(shunt_text t)
{
    for (uint32_t i = 0; i < t.length; i++) {
        if ((uint8_t)t.bytes[i] < ' ') return false;
        if (t.bytes[i] == ' ' && (i == 0 || i + 1 == t.length || t.bytes[i + 1] == ' ')) return false;
    }
    return t.length > 0;
}

static bool is_alnum(char c) { return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

static bool is_id(shunt_text t)
{
    for (uint32_t i = 0; i < t.length; i++)
        if (!is_alnum(t.bytes[i]) && t.bytes[i] != '-' && t.bytes[i] != '.') return false;
    return t.length > 0 && t.length <= 64;
}

static bool no_blanks(shunt_text t)
{
    for (uint32_t i = 0; i < t.length; i++)
        if ((uint8_t)t.bytes[i] <= ' ') return false;
    return t.length > 0;
}

static bool is_oid(shunt_text t)
{
    const shunt_text prefix = SHUNT_TEXT("urn:oid:");
    uint32_t         at = prefix.length, parts = 0;
    if (!shunt_text_starts(t, prefix)) return false;
    for (;; at++, parts++) {
        uint32_t count = digits(t, at);
        if (!count || (count > 1 && t.bytes[at] == '0') || (parts == 0 && (count > 1 || t.bytes[at] > '2'))) return false;
        at += count;
        if (at == t.length) return parts > 0;
        if (t.bytes[at] != '.') return false;
    }
}

static bool is_uuid(shunt_text t)
{
    const shunt_text prefix = SHUNT_TEXT("urn:uuid:");
    if (!shunt_text_starts(t, prefix) || t.length != prefix.length + 36) return false;
    for (uint32_t i = 0; i < 36; i++) {
        char c = t.bytes[prefix.length + i];
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (c != '-') return false;
        } else if (!is_digit(c) && !(c >= 'a' && c <= 'f')) {
            return false;
        }
    }
    return true;
}

/* URNs that say that they are a UUID or an OID are one. */
static bool is_uri(shunt_text t)
{
    if (shunt_text_starts(t, SHUNT_TEXT("urn:uuid:"))) {
        const char *fragment = memchr(t.bytes, '#', t.length);
        return is_uuid((shunt_text){ t.bytes, fragment ? (uint32_t)(fragment - t.bytes) : t.length });
    }
    return shunt_text_starts(t, SHUNT_TEXT("urn:oid:")) ? is_oid(t) : no_blanks(t);
}

static bool is_base64(shunt_text t)
{
    uint32_t count = 0, fill = 0;
    for (uint32_t i = 0; i < t.length; i++) {
        char c = t.bytes[i];
        if (is_space(c)) continue;
        if (c == '=') {
            fill++;
        } else if (fill || (!is_alnum(c) && c != '+' && c != '/')) {
            return false;
        }
        count++;
    }
    return count > 0 && count % 4 == 0 && fill <= 2;
}

static bool is_xhtml(shunt_text t)
{
    uint32_t at = 0;
    while (at < t.length && is_space(t.bytes[at])) at++;
    shunt_text rest = { t.bytes + at, t.length - at };
    return shunt_text_starts(rest, SHUNT_TEXT("<div")) || shunt_text_starts(rest, SHUNT_TEXT("<?xml")) ||
           shunt_text_starts(rest, SHUNT_TEXT("<!--"));
}

bool shunt_fhir_form_fits(shunt_fhir_form form, shunt_text t)
{
    switch (form) {
    case FHIR_FORM_BASE64: return is_base64(t);
    case FHIR_FORM_BOOLEAN: return shunt_text_is(t, "true") || shunt_text_is(t, "false");
    case FHIR_FORM_CODE: return is_code(t);
    case FHIR_FORM_DATE: return date_length(t) == t.length && t.length > 0;
    case FHIR_FORM_DATE_TIME: return (date_length(t) == t.length && t.length > 0) || is_moment(t);
    case FHIR_FORM_DECIMAL: return is_decimal(t);
    case FHIR_FORM_ID: return is_id(t);
    case FHIR_FORM_INSTANT: return is_moment(t);
    case FHIR_FORM_INTEGER: return is_whole(t, true, 0, INT32_MAX);
    case FHIR_FORM_INTEGER64: return is_whole(t, true, 0, INT64_MAX);
    case FHIR_FORM_OID: return is_oid(t);
    case FHIR_FORM_POSITIVE: return is_whole(t, false, 1, INT32_MAX);
    case FHIR_FORM_TIME: return time_length(t, 0) == t.length && t.length > 0;
    case FHIR_FORM_UNSIGNED: return is_whole(t, false, 0, INT32_MAX);
    case FHIR_FORM_URI: return is_uri(t);
    case FHIR_FORM_UUID: return is_uuid(t);
    case FHIR_FORM_XHTML: return is_xhtml(t);
    default: return is_string(t);
    }
}

/* ---- references ---- */

static bool is_type_name(shunt_text t)
{
    if (!t.length || t.bytes[0] < 'A' || t.bytes[0] > 'Z') return false;
    for (uint32_t i = 0; i < t.length; i++)
        if (!is_alnum(t.bytes[i])) return false;
    return true;
}

static shunt_text until(shunt_text t, char c)
{
    const char *found = t.length ? memchr(t.bytes, c, t.length) : NULL;
    return found ? (shunt_text){ t.bytes, (uint32_t)(found - t.bytes) } : t;
}

/* letters, then `:` and something. */
static bool has_scheme(shunt_text t)
{
    uint32_t at = 0;
    while (at < t.length && (is_alnum(t.bytes[at]) || t.bytes[at] == '+' || t.bytes[at] == '-' || t.bytes[at] == '.')) at++;
    return at > 1 && at + 1 < t.length && t.bytes[at] == ':' && !is_digit(t.bytes[0]);
}

bool shunt_fhir_is_reference(shunt_text value, shunt_text *type)
{
    *type = (shunt_text){ 0 };
    if (!no_blanks(value)) return false;
    if (value.bytes[0] == '#' || has_scheme(value)) return true;
    shunt_text search = until(value, '?'), name = until(value, '/');
    if (search.length < value.length) return is_type_name(search);
    if (name.length == value.length || !is_type_name(name)) return false;
    shunt_text rest = { value.bytes + name.length + 1, value.length - name.length - 1 }, id = until(rest, '/');
    *type = name;
    if (!is_id(until(id, '#'))) return false;
    if (id.length == rest.length) return true;
    rest = (shunt_text){ rest.bytes + id.length + 1, rest.length - id.length - 1 };
    const shunt_text history = SHUNT_TEXT("_history/");
    return shunt_text_starts(rest, history) && is_id((shunt_text){ rest.bytes + history.length, rest.length - history.length });
}
