#include "api/hl7_path.h"

enum { MOST = 65535 };

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static unsigned number(const char **at)
{
    unsigned value = 0;
    while (is_digit(**at) && value <= MOST) value = value * 10 + (unsigned)(*(*at)++ - '0');
    return value <= MOST ? value : 0;
}

/* "." or "-", and a number. */
static bool part(const char **at, unsigned *value)
{
    if (**at != '.' && **at != '-') return false;
    ++*at;
    *value = number(at);
    return *value != 0;
}

static const char where_wrong[] = "a filter is written `PID-3[where it.5 = \"MR\"]`";

static const char *parse_where(const char **text, shunt_hl7_path *p)
{
    const char *at = *text;
    if (strncmp(at, "where ", 6) != 0)
        return "in the brackets stands a number or a filter: `PID-3[2]`, `PID-3[where it.5 = \"MR\"]`";
    for (at += 6; *at == ' ';) at++;
    if (at[0] != 'i' || at[1] != 't') return where_wrong;
    at += 2;
    if (!part(&at, &p->where_component)) return where_wrong;
    if (*at == '.' && !part(&at, &p->where_subcomponent)) return where_wrong;
    while (*at == ' ') at++;
    if (*at++ != '=') return where_wrong;
    while (*at == ' ') at++;
    char quote = *at++;
    if (quote != '"' && quote != '\'') return where_wrong;
    const char *end = strchr(at, quote);
    if (!end) return where_wrong;
    p->where = (shunt_text){ at, (uint32_t)(end - at) };
    p->filtered = true;
    *text = end + 1;
    return NULL;
}

const char *shunt_hl7_path_parse(const char *text, shunt_hl7_path *p)
{
    *p = (shunt_hl7_path){ 0 };
    const char *at = text;
    for (int i = 0; i < SHUNT_HL7_PATH_ID; i++, at++) {
        if (!(*at >= 'A' && *at <= 'Z') && !(i && is_digit(*at)))
            return "a path begins with a segment of three letters: `PID-3.1`";
        p->segment[i] = *at;
    }
    if (*at == '[') {
        at++;
        p->nth = number(&at);
        if (!p->nth || *at++ != ']') return "which of the segments is a number from 1 in brackets: `OBX[3]-5`";
    }
    if (!*at) return NULL;
    p->name = at[1] == '0' && (at[0] == '-' || at[0] == '.') && (!at[2] || strcmp(at + 2, "[1]") == 0);
    if (p->name) return NULL;
    if (!part(&at, &p->field)) return "behind the segment come `-` and a field: `PID-3`, `OBX[3]-5`";
    if (*at == '[') {
        at++;
        const char *wrong = is_digit(*at) ? NULL : parse_where(&at, p);
        if (wrong) return wrong;
        if (!p->filtered) p->repetition = number(&at);
        if ((!p->filtered && !p->repetition) || *at++ != ']')
            return "which of the repetitions is a number from 1 in brackets: `PID-5[2].1`";
    }
    if (*at && !part(&at, &p->component)) return "behind a field come a point and a component: `PID-3.1`";
    if (*at && !part(&at, &p->subcomponent)) return "behind a component come a point and a subcomponent: `PID-3.4.2`";
    return *at ? "nothing follows a subcomponent" : NULL;
}
