#include "engine/vm/units.h"

/* So many of its base (pieces, grams, millilitres, millimetres, minutes), as a fraction. */
static const struct unit {
    const char *code;
    char        base;
    int64_t     over, under;
} units[] = {
    { "EA", 'p', 1, 1 },
    { "PC", 'p', 1, 1 },
    { "UN", 'p', 1, 1 },
    { "PR", 'p', 2, 1 },
    { "DZ", 'p', 12, 1 },
    { "HU", 'p', 100, 1 },
    { "GS", 'p', 144, 1 },
    { "TH", 'p', 1000, 1 },
    { "ME", 'g', 1, 1000 },
    { "GR", 'g', 1, 1 },
    { "KG", 'g', 1000, 1 },
    { "OZ", 'g', 28349523125, 1000000000 },
    { "LB", 'g', 45359237, 100000 },
    { "ML", 'l', 1, 1 },
    { "LT", 'l', 1000, 1 },
    { "FO", 'l', 295735295625, 10000000000 },
    { "PT", 'l', 473176473, 1000000 },
    { "QT", 'l', 946352946, 1000000 },
    { "GA", 'l', 3785411784, 1000000 },
    { "MM", 'm', 1, 1 },
    { "CM", 'm', 10, 1 },
    { "MR", 'm', 1000, 1 },
    { "IN", 'm', 254, 10 },
    { "FT", 'm', 3048, 10 },
    { "YD", 'm', 9144, 10 },
    { "MJ", 't', 1, 1 },
    { "HR", 't', 60, 1 },
    { "DA", 't', 1440, 1 },
    { "WK", 't', 10080, 1 },
};

static const struct unit *find(shunt_text code)
{
    for (size_t i = 0; i < SHUNT_COUNT(units); i++)
        if (shunt_text_is(code, units[i].code)) return &units[i];
    return NULL;
}

shunt_status shunt_units_convert(shunt_decimal quantity, unsigned from_scale, shunt_text from, shunt_text to, unsigned to_scale,
                                 shunt_decimal *result)
{
    if (shunt_text_equal(from, to)) return shunt_decimal_rescale(quantity, from_scale, to_scale, SHUNT_HALF_UP, result);
    const struct unit *a = find(from), *b = find(to);
    shunt_decimal      over;
    if (!a || !b || a->base != b->base) return SHUNT_NOT_FOUND;
    SHUNT_TRY(shunt_decimal_multiply(quantity, (shunt_decimal)a->over * b->under, &over));
    return shunt_decimal_divide(over, from_scale, (shunt_decimal)a->under * b->over, 0, to_scale, SHUNT_HALF_UP, result);
}
