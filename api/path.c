/* path.c - see path.h. */
#include "api/path.h"

#include <string.h>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_upper(char c) { return (c >= 'A' && c <= 'Z') || is_digit(c); }
static bool is_lower(char c) { return (c >= 'a' && c <= 'z') || c == '_'; }

/* The number at `*at`, moving on; 0 where there is none or it is absurd. */
static unsigned number(const char **at)
{
    unsigned value = 0;
    while (is_digit(**at) && value < 10000) value = value * 10 + (unsigned)(*(*at)++ - '0');
    return value;
}

const char *shunt_path_parse(const char *text, shunt_path *w)
{
    const char *at = text;
    *w = (shunt_path){ 0 };
    const char *loop = at;
    while (is_upper(*loop) || is_lower(*loop)) loop++;
    if (is_digit(*at) || (*loop == '.' && is_upper(loop[1]))) {
        w->loop = (shunt_text){ at, (uint32_t)(loop - at) };
        at = loop;
        if (*at++ != '.') return "after a loop comes a point and a segment: `2110.SVC01`";
    }
    const char *start = at;
    while (is_upper(*at)) at++;
    size_t length = (size_t)(at - start);
    if (*at == '[') {
        w->segment = (shunt_text){ start, (uint32_t)length };
        char quote = *++at;
        if (quote != '"' && quote != '\'') return "a qualifier stands in quotes: `NM1[\"QC\"].NM103`";
        start = ++at;
        while (*at && *at != quote) at++;
        w->qualifier = (shunt_text){ start, (uint32_t)(at - start) };
        if (*at++ != quote || *at++ != ']') return "a qualifier ends with a quote and `]`";
        if (*at == 0) return NULL;
        if (*at++ != '.') return "after a qualifier comes a point and an element: `NM1[\"QC\"].NM103`";
        start = at;
        while (is_upper(*at)) at++;
        length = (size_t)(at - start);
        if (length != w->segment.length + 2 || memcmp(start, w->segment.bytes, w->segment.length) != 0)
            return "the element belongs to another segment";
    }
    if (length < 2 || length > 5) return "a segment has two or three letters, an element two digits more: `CLP`, `CLP04`";
    bool element = length > 3 && is_digit(start[length - 1]) && is_digit(start[length - 2]);
    if (!w->segment.length) w->segment = (shunt_text){ start, (uint32_t)(element ? length - 2 : length) };
    if (element) {
        const char *digits = start + length - 2;
        w->element = number(&digits);
        if (w->element == 0) return "elements count from 01";
        if (*at == '-') {
            at++;
            w->component = number(&at);
            if (w->component == 0) return "components count from 1: `SVC01-2`";
        }
    }
    if (*at == '.' && !element)
        return "which of the segments stands in brackets behind it, `NM1[\"QC\"].NM103`; without it, the element alone: `NM103`";
    return *at ? "nothing follows an element but `-` and a component: `SVC01-2`" : NULL;
}
