/* decide_overlap.c - which rows of a decision meet, and which values fit none.
 * Both are found on sets of rows, exactly. Overlaps cost rows times sets. Gaps are a search column by column that leaves off where
 * one row takes all the rest, and remembers what it has found covered; it gives up after a number of steps, and of a `unique`
 * table, whose rows can be counted together, still knows then whether there are any. */
#include "dsl/decide.h"

#include "dsl/grow.h"
#include "engine/base/date.h"
#include "engine/base/decimal.h"

enum { STEPS_AT_MOST = 1 << 24, ROW_STEPS_AT_MOST = 1 << 18, SEEN_AT_MOST = 1 << 16, SHOWN = 4 };

/* ---- overlaps ---- */

uint32_t shunt_decide_overlap(const shunt_decide *d, uint32_t row, uint64_t *both, uint32_t *sets)
{
    uint64_t *one = both + d->words;
    uint32_t  found = UINT32_MAX;
    memset(both, 0xff, d->words * sizeof *both);
    for (uint32_t c = 0; c < d->column_count; c++) {
        memset(one, 0, d->words * sizeof *one);
        for (uint32_t s = 0; s < d->columns[c].set_count; s++) {
            const uint64_t *set = shunt_decide_set(d, c, s);
            if (!d->columns[c].possible[s] || !shunt_decide_has(set, row)) continue;
            for (uint32_t w = 0; w < d->words; w++) one[w] |= set[w];
        }
        for (uint32_t w = 0; w < d->words; w++) both[w] &= one[w];
    }
    for (uint32_t other = 0; other < row && found == UINT32_MAX; other++)
        if (shunt_decide_has(both, other)) found = other;
    for (uint32_t c = 0; found != UINT32_MAX && c < d->column_count; c++) {
        uint32_t s = d->columns[c].set_count;
        /* A point says more than what is around it. */
        for (uint32_t k = s; k-- > 0;) {
            const uint64_t *set = shunt_decide_set(d, c, k);
            if (!d->columns[c].possible[k] || !shunt_decide_has(set, row) || !shunt_decide_has(set, found)) continue;
            bool point = k >= SHUNT_DECIDE_POINTS && (!d->columns[c].ordered || k % 2 == 1);
            if (s == d->columns[c].set_count || point) s = k;
        }
        sets[c] = s;
    }
    return found;
}

/* ---- gaps ---- */

typedef struct search {
    shunt_arena        *arena;
    const shunt_decide *d;
    uint32_t            within, most;
    uint64_t           *whole;  /* for each column: rows that take all that is looked for in it and the columns after it */
    uint32_t           *chosen; /* for each column before the one at hand: first set of the group */
    uint64_t          **alive;  /* for each column: the rows left before it */
    bool              **groups; /* for each column: the sets of the group that is being looked at */
    uint64_t            steps;
    shunt_intern       *seen; /* column and rows that were found covered */
    shunt_buffer        key;
    SHUNT_LIST(shunt_decide_gap) gaps;
    bool more, stopped, no_memory;
} search;

static bool wanted(const search *s, uint32_t column, uint32_t set)
{
    if (!s->d->columns[column].possible[set]) return false;
    return s->within == UINT32_MAX || shunt_decide_has(shunt_decide_set(s->d, column, set), s->within);
}

static void *need(search *s, void *block)
{
    if (!block) s->no_memory = true;
    return block;
}

static bool prepare(search *s)
{
    const shunt_decide *d = s->d;
    size_t              columns = d->column_count + (size_t)1;
    s->whole = need(s, SHUNT_NEW_N(s->arena, uint64_t, columns * d->words + 1));
    s->alive = need(s, SHUNT_NEW_N(s->arena, uint64_t *, columns));
    s->groups = need(s, SHUNT_NEW_N(s->arena, bool *, columns));
    s->seen = need(s, shunt_intern_new(s->arena));
    if (s->no_memory) return false;
    for (uint32_t c = 0; c <= d->column_count; c++) {
        s->alive[c] = need(s, SHUNT_NEW_N(s->arena, uint64_t, d->words + 1));
        if (c < d->column_count) s->groups[c] = need(s, SHUNT_NEW_N(s->arena, bool, d->columns[c].set_count + 1));
    }
    if (s->no_memory) return false;
    uint64_t *last = s->whole + (size_t)d->column_count * d->words;
    uint32_t  rows = s->within == UINT32_MAX ? d->row_count : s->within;
    for (uint32_t row = 0; row < rows; row++) last[row / 64] |= UINT64_C(1) << (row % 64);
    if (d->words) memcpy(s->alive[0], last, d->words * sizeof *last);
    for (uint32_t c = d->column_count; c-- > 0;) {
        uint64_t *whole = s->whole + (size_t)c * d->words;
        if (d->words) memcpy(whole, whole + d->words, d->words * sizeof *whole);
        for (uint32_t set = 0; set < d->columns[c].set_count; set++) {
            if (!wanted(s, c, set)) continue;
            const uint64_t *bits = shunt_decide_set(d, c, set);
            for (uint32_t w = 0; w < d->words; w++) whole[w] &= bits[w];
            s->steps += d->words;
        }
    }
    return true;
}

static bool meet(const uint64_t *a, const uint64_t *b, uint32_t words)
{
    for (uint32_t w = 0; w < words; w++)
        if (a[w] & b[w]) return true;
    return false;
}

static bool empty(const uint64_t *a, uint32_t words)
{
    for (uint32_t w = 0; w < words; w++)
        if (a[w]) return false;
    return true;
}

static void add_gap(search *s, uint32_t column)
{
    const shunt_decide *d = s->d;
    if (s->gaps.count == s->most) {
        s->more = true;
        return;
    }
    shunt_decide_gap *gap = need(s, SHUNT_PUSH(s->arena, &s->gaps));
    if (!gap) return;
    gap->sets = need(s, SHUNT_NEW_N(s->arena, bool *, d->column_count + 1));
    for (uint32_t c = 0; gap->sets && c < d->column_count; c++) {
        gap->sets[c] = need(s, SHUNT_NEW_N(s->arena, bool, d->columns[c].set_count + 1));
        for (uint32_t set = 0; gap->sets[c] && set < d->columns[c].set_count; set++)
            gap->sets[c][set] = c < column ? s->groups[c][set] : wanted(s, c, set);
    }
}

/* Whether the rows that are left in this column were found to cover the rest; `add`: they have been now. */
static bool remembered(search *s, uint32_t column, bool add)
{
    uint32_t number, known = shunt_intern_count(s->seen);
    if (!add && !known) return false;
    s->key.length = 0;
    shunt_buffer_add(&s->key, &column, sizeof column);
    shunt_buffer_add(&s->key, s->alive[column], s->d->words * sizeof(uint64_t));
    shunt_text text = { s->key.bytes, (uint32_t)s->key.length };
    if (s->key.failed) {
        s->no_memory = true;
        return false;
    }
    if (!add) return shunt_intern_find(s->seen, text, &number);
    if (known < SEEN_AT_MOST && !shunt_intern_add(s->seen, text, &number)) s->no_memory = true;
    return true;
}

/* Whether the values of this column and those after it are all taken by the rows that are left. Depth: columns. */
static bool covered(search *s, uint32_t column)
{
    const shunt_decide *d = s->d;
    const uint64_t     *alive = s->alive[column];
    if (s->no_memory || s->stopped) return true;
    if (empty(alive, d->words)) {
        add_gap(s, column);
        return false;
    }
    if (meet(alive, s->whole + (size_t)column * d->words, d->words)) return true;
    if (column == d->column_count) return true;
    if (remembered(s, column, false)) return true;
    const shunt_decide_column *c = &d->columns[column];
    bool                      *done = need(s, SHUNT_NEW_N(s->arena, bool, c->set_count + 1)), all = true;
    uint64_t                  *next = s->alive[column + 1];
    for (uint32_t set = 0; done && set < c->set_count && !s->no_memory && !s->stopped; set++) {
        if (done[set] || !wanted(s, column, set)) continue;
        /* All sets that leave the same rows are looked at together. */
        const uint64_t *bits = shunt_decide_set(d, column, set);
        memset(s->groups[column], 0, c->set_count * sizeof(bool));
        for (uint32_t other = set; other < c->set_count; other++) {
            if (done[other] || !wanted(s, column, other)) continue;
            const uint64_t *others = shunt_decide_set(d, column, other);
            bool            same = true;
            for (uint32_t w = 0; w < d->words && same; w++) same = (alive[w] & bits[w]) == (alive[w] & others[w]);
            s->groups[column][other] = same;
            done[other] = done[other] || same;
            s->steps += d->words;
        }
        for (uint32_t w = 0; w < d->words; w++) next[w] = alive[w] & bits[w];
        s->stopped = s->stopped || s->more || s->steps > (s->within == UINT32_MAX ? STEPS_AT_MOST : ROW_STEPS_AT_MOST);
        all = covered(s, column + 1) && all;
    }
    if (all && !s->stopped && !s->no_memory) (void)remembered(s, column, true);
    return all;
}

/* Of a table whose rows never meet: as many values as the type has? False where that can not be counted. */
static bool counted(const shunt_decide *d, bool *all)
{
    unsigned __int128 total = 1, taken = 0;
    if (d->first) return false;
    for (uint32_t c = 0; c < d->column_count; c++) {
        uint32_t sets = 0;
        for (uint32_t set = 0; set < d->columns[c].set_count; set++) sets += d->columns[c].possible[set];
        if (__builtin_mul_overflow(total, (unsigned __int128)sets, &total)) return false;
    }
    for (uint32_t row = 0; row < d->row_count; row++) {
        unsigned __int128 of_row = 1;
        for (uint32_t c = 0; c < d->column_count; c++) {
            uint32_t sets = 0;
            for (uint32_t set = 0; set < d->columns[c].set_count; set++)
                sets += d->columns[c].possible[set] && shunt_decide_has(shunt_decide_set(d, c, set), row);
            of_row *= sets;
        }
        taken += of_row;
    }
    *all = taken == total;
    return true;
}

shunt_status shunt_decide_find_gaps(const shunt_memory *memory, shunt_arena *arena, const shunt_decide *d, uint32_t within,
                                    uint32_t most, shunt_decide_covered *result, shunt_decide_gaps *gaps)
{
    search s = { .arena = arena, .d = d, .within = within, .most = most };
    *gaps = (shunt_decide_gaps){ 0 };
    shunt_buffer_init(&s.key, memory);
    bool all = prepare(&s) && covered(&s, 0);
    shunt_buffer_done(&s.key);
    if (s.no_memory) return SHUNT_NO_MEMORY;
    *result = s.gaps.count ? SHUNT_DECIDE_GAPS : s.stopped ? SHUNT_DECIDE_UNKNOWN : SHUNT_DECIDE_COVERED;
    if (*result == SHUNT_DECIDE_UNKNOWN && within == UINT32_MAX && counted(d, &all))
        *result = all ? SHUNT_DECIDE_COVERED : SHUNT_DECIDE_GAPS;
    *gaps = (shunt_decide_gaps){ s.gaps.items, s.gaps.count, s.more || (s.stopped && s.gaps.count) };
    return SHUNT_OK;
}

/* ---- in words ---- */

static void show_number(const shunt_decide_column *c, __int128 number, shunt_buffer *out)
{
    const shunt_ty *type = &c->param->type;
    unsigned        scale = type->kind == SHUNT_TY_INT ? 0 : type->kind == SHUNT_TY_PERCENT ? type->scale - 2u : type->scale;
    char            room[SHUNT_DECIMAL_TEXT];
    switch (type->kind) {
    case SHUNT_TY_BOOL: shunt_buffer_z(out, number ? "true" : "false"); return;
    case SHUNT_TY_ENUM: shunt_buffer_text(out, type->shape->members[number].name); return;
    case SHUNT_TY_DATE:
        shunt_date_print((int64_t)number, room);
        shunt_buffer_add(out, room, SHUNT_DATE_TEXT);
        return;
    default: break;
    }
    shunt_buffer_add(out, room, shunt_decimal_print(number, scale, room));
    if (type->kind == SHUNT_TY_PERCENT) shunt_buffer_char(out, '%');
    if (type->kind == SHUNT_TY_MONEY) shunt_buffer_format(out, " %s", type->currency);
}

static void show_point(const shunt_decide_column *c, uint32_t point, shunt_buffer *out)
{
    if (c->textual)
        shunt_buffer_text(out, c->points[point].text);
    else
        show_number(c, c->points[point].number, out);
}

/* From set `from` to `to` of an ordered column. */
static void show_range(const shunt_decide_column *c, uint32_t from, uint32_t to, shunt_buffer *out)
{
    bool from_point = from % 2 == 1, to_point = to % 2 == 1, no_floor = from == SHUNT_DECIDE_OTHERS,
         no_top = to == c->set_count - 1 && !to_point;
    if (no_floor && no_top) {
        shunt_buffer_z(out, "any value");
    } else if (no_floor) {
        shunt_buffer_z(out, to_point ? "<= " : "< ");
        show_point(c, to_point ? (to - 3) / 2 : (to - 2) / 2, out);
    } else if (no_top) {
        shunt_buffer_z(out, from_point ? ">= " : "> ");
        show_point(c, from_point ? (from - 3) / 2 : (from - 4) / 2, out);
    } else if (from == to && from_point) {
        show_point(c, (from - 3) / 2, out);
    } else if (c->textual) {
        shunt_buffer_z(out, from_point ? ">= " : "> ");
        show_point(c, from_point ? (from - 3) / 2 : (from - 4) / 2, out);
        shunt_buffer_z(out, to_point ? " and <= " : " and < ");
        show_point(c, to_point ? (to - 3) / 2 : (to - 2) / 2, out);
    } else {
        show_number(c, from_point ? c->points[(from - 3) / 2].number : c->points[(from - 4) / 2].number + 1, out);
        shunt_buffer_z(out, " .. ");
        show_number(c, to_point ? c->points[(to - 3) / 2].number : c->points[(to - 2) / 2].number - 1, out);
    }
}

void shunt_decide_value(const shunt_decide_column *c, uint32_t set, shunt_buffer *out)
{
    if (set == SHUNT_DECIDE_ABSENT)
        shunt_buffer_z(out, "absent");
    else if (set == SHUNT_DECIDE_CLEARED)
        shunt_buffer_z(out, "cleared");
    else if (!c->ordered && set == SHUNT_DECIDE_OTHERS)
        shunt_buffer_z(out, "any other");
    else if (!c->ordered)
        show_point(c, set - SHUNT_DECIDE_POINTS, out);
    else if (set % 2 == 1)
        show_point(c, (set - SHUNT_DECIDE_POINTS) / 2, out);
    else if (c->textual)
        show_range(c, set, set, out);
    else if (set == SHUNT_DECIDE_OTHERS)
        show_number(c, c->point_count ? c->points[0].number - 1 : 0, out);
    else
        show_number(c, c->points[(set - 4) / 2].number + 1, out);
}

static void separate(shunt_buffer *out, uint32_t *shown)
{
    if ((*shown)++) shunt_buffer_z(out, " or ");
}

static void show_points(const shunt_decide_column *c, const bool *sets, bool which, shunt_buffer *out)
{
    uint32_t shown = 0, left = 0;
    for (uint32_t i = 0; i < c->point_count; i++) {
        if (sets[SHUNT_DECIDE_POINTS + i] != which || !c->possible[SHUNT_DECIDE_POINTS + i]) continue;
        if (shown == SHOWN) {
            left++;
            continue;
        }
        separate(out, &shown);
        show_point(c, i, out);
    }
    if (left) shunt_buffer_format(out, " or %u more", left);
}

static void show_column(const shunt_decide_column *c, const bool *sets, shunt_buffer *out)
{
    uint32_t shown = 0, points = 0, left_out = 0;
    if (sets[SHUNT_DECIDE_ABSENT]) separate(out, &shown), shunt_buffer_z(out, "absent");
    if (sets[SHUNT_DECIDE_CLEARED]) separate(out, &shown), shunt_buffer_z(out, "cleared");
    if (!c->ordered) {
        for (uint32_t i = SHUNT_DECIDE_POINTS; i < c->set_count; i++) points += sets[i], left_out += !sets[i] && c->possible[i];
        if (sets[SHUNT_DECIDE_OTHERS]) {
            separate(out, &shown);
            shunt_buffer_z(out, left_out ? "any but " : "any value");
            show_points(c, sets, false, out);
        } else if (points) {
            separate(out, &shown);
            show_points(c, sets, true, out);
        }
        return;
    }
    for (uint32_t from = SHUNT_DECIDE_OTHERS; from < c->set_count; from++) {
        if (!sets[from]) continue;
        uint32_t to = from;
        while (to + 1 < c->set_count && (sets[to + 1] || (!c->possible[to + 1] && to + 2 < c->set_count && sets[to + 2]))) to++;
        separate(out, &shown);
        show_range(c, from, to, out);
        from = to;
    }
}

void shunt_decide_show(const shunt_decide *d, const shunt_decide_gap *gap, shunt_buffer *out)
{
    bool some = false;
    for (uint32_t c = 0; c < d->column_count; c++) {
        const shunt_decide_column *column = &d->columns[c];
        bool                       any = true;
        for (uint32_t set = 0; set < column->set_count && any; set++) any = gap->sets[c][set] || !column->possible[set];
        if (any) continue;
        if (some) shunt_buffer_z(out, ", ");
        some = true;
        shunt_buffer_text(out, column->param->name);
        shunt_buffer_z(out, " = ");
        show_column(column, gap->sets[c], out);
    }
    if (!some) shunt_buffer_z(out, "any value");
}
