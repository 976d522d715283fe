#include "standards/csv/heading.h"

/* The next letter or digit from `*at` on, lower case; `*gap`: something else stood before it. 0 = the end. */
static unsigned next_letter(shunt_text text, uint32_t *at, bool *gap)
{
    *gap = false;
    for (; *at < text.length; ++*at) {
        unsigned char c = (unsigned char)text.bytes[*at];
        bool          upper = c >= 'A' && c <= 'Z';
        if (upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c >= 0x80) {
            ++*at;
            return upper ? c + 32u : c;
        }
        *gap = true;
    }
    return 0;
}

bool shunt_csv_heading_like(shunt_text a, shunt_text b)
{
    uint32_t i = 0, j = 0;
    bool     first = true;
    for (;;) {
        bool     gap_a, gap_b;
        unsigned x = next_letter(a, &i, &gap_a), y = next_letter(b, &j, &gap_b);
        if (x != y) return false;
        if (x == 0) return !first; /* of no letters at all none is like another */
        if (!first && gap_a != gap_b) return false;
        first = false;
    }
}
