#include "engine/vm/decision.h"

static int compare(const shunt_program *p, const shunt_decision_column *c, shunt_value point, shunt_value value)
{
    switch (c->type.kind) {
    case SHUNT_KIND_TEXT: return shunt_text_compare(p->texts[point.integer], value.text);
    case SHUNT_KIND_DECIMAL: return (point.coefficient > value.coefficient) - (point.coefficient < value.coefficient);
    default: return (point.integer > value.integer) - (point.integer < value.integer);
    }
}

/* Number of the set that the value takes. */
static uint32_t set_of(const shunt_program *p, const shunt_decision_column *c, shunt_value value, uint8_t state)
{
    if (state != SHUNT_PRESENT) return state == SHUNT_ABSENT ? 0 : 1;
    const shunt_value *points = p->decision_points + c->point_first;
    uint32_t           low = 0, high = c->point_count; /* points below `low` are less than the value */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int      order = compare(p, c, points[middle], value);
        if (order == 0) return c->ordered ? 2 * middle + 3 : middle + 3;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return c->ordered ? 2 * low + 2 : 2;
}

uint32_t shunt_decision_row(const shunt_program *p, uint16_t decision, const shunt_value *values, const uint8_t *states,
                            uint64_t *steps)
{
    const shunt_decision *d = &p->decisions[decision];
    uint32_t              words = shunt_decision_words(d->row_count);
    uint64_t              rows[SHUNT_DECISION_WORDS];
    *steps += (uint64_t)d->column_count * (1 + words / 4);
    memset(rows, 0xff, words * sizeof *rows);
    for (uint32_t i = 0; i < d->column_count; i++) {
        const shunt_decision_column *c = &p->decision_columns[d->column_first + i];
        const uint64_t              *set = p->decision_bits + p->decision_sets[c->set_first + set_of(p, c, values[i], states[i])];
        if (c->type.kind == SHUNT_KIND_TEXT && states[i] == SHUNT_PRESENT) *steps += values[i].text.length / 64;
        for (uint32_t w = 0; w < words; w++) rows[w] &= set[w];
    }
    for (uint32_t w = 0; w < words; w++)
        if (rows[w]) return w * 64 + (uint32_t)__builtin_ctzll(rows[w]);
    return UINT32_MAX;
}
