/* Whether the lines of a journal come to nothing. Conditions that they depend on are decided one way and the other; in each case the
 * lines, and the equalities that hold there, are sums of values, and of values over the items of a list that a condition
 * parts into cells. The lines come to nothing where they are a combination of the equalities. */
#include "dsl/prove.h"

enum { LITERALS = 300, FACTS = 400, ROWS = 64, COLUMNS = 600, CONSTANTS = 8, LOOKS = 8 };
enum { UNKNOWN, TRUTH, UNTRUTH };

typedef struct part { /* so many times a value, for all items where `guard` is true */
    ratio       times;
    const term *binders, *guard, *value;
} part;
typedef SHUNT_LIST(part) part_list;

typedef struct equation { /* for all items of `binders` where `guard` is true: a = b */
    const holding *from;
    const term    *binders, *guard, *a, *b;
} equation;

typedef struct column {
    const term *binders, *value;
    literal    *cell;
    uint32_t    cell_count;
} column;

typedef struct solver {
    prover           *p;
    const leg *const *legs;
    uint32_t          leg_count;
    bool              plain;
    literal           literals[LITERALS];
    uint32_t          literal_count, given, outer; /* what always holds here, what the case adds; behind them those of a cell */
    equation          facts[FACTS];
    uint32_t          fact_count;
    part_list         lines;
    part_list         rows[ROWS];
    const equation   *row_of[ROWS];
    uint32_t          row_count;
    part_list         looks[LOOKS]; /* `let`s that what is left may be told by: they part items further */
    uint32_t          look_count;
    bool              too_many; /* cells */
    bool              keep;     /* cells in which nothing stands as well: what is told must not be about their items */
    column            columns[COLUMNS];
    uint32_t          column_count;
    ratio            *cells;     /* COLUMNS for the lines, for each row, and for what is only looked at */
    uint32_t          cell_rows; /* as many of them there is room for */
    uint32_t          pivots[ROWS];
    uint64_t          used[ROWS];
    proof            *result;
} solver;

/* ---- numbers ---- */

static void overflow(prover *p) { longjmp(p->out, OUT_OF_STEPS); }

static ratio reduced(prover *p, __int128 n, __int128 d)
{
    if (d < 0) {
        n = -n;
        d = -d;
    }
    __int128 a = n < 0 ? -n : n, b = d;
    if (a < 0) overflow(p);
    while (b) {
        __int128 rest = a % b;
        a = b;
        b = rest;
    }
    if (!a) return (ratio){ 0, 1 };
    return (ratio){ n / a, d / a };
}

static __int128 product(prover *p, __int128 a, __int128 b)
{
    __int128 c;
    if (__builtin_mul_overflow(a, b, &c)) overflow(p);
    return c;
}

static ratio times(prover *p, ratio a, ratio b) { return reduced(p, product(p, a.n, b.n), product(p, a.d, b.d)); }
static ratio over(prover *p, ratio a, ratio b) { return reduced(p, product(p, a.n, b.d), product(p, a.d, b.n)); }
static ratio negative(ratio a) { return (ratio){ -a.n, a.d }; }
static ratio plus(prover *p, ratio a, ratio b)
{
    __int128 n;
    if (__builtin_add_overflow(product(p, a.n, b.d), product(p, b.n, a.d), &n)) overflow(p);
    return reduced(p, n, product(p, a.d, b.d));
}

static ratio number_of(prover *p, const term *t)
{
    __int128 d = 1;
    for (unsigned i = 0; i < t->scale; i++) d = product(p, d, 10);
    return reduced(p, t->number, d);
}

/* ---- conditions ---- */

static bool is_absence_of(const term *condition, const term *of)
{
    if (condition->op != TERM_ABSENT) return false;
    while (of != condition->kids[0] && of->op == TERM_OPAQUE && of->with_base) of = of->kids[0];
    return of == condition->kids[0];
}

static bool never_absent(const solver *s, const term *t)
{
    for (uint32_t i = 0; i < s->literal_count; i++)
        if (!s->literals[i].truth && is_absence_of(s->literals[i].atom, t)) return true;
    while (t->op == TERM_OPAQUE && t->with_base) t = t->kids[0];
    return t->op == TERM_OPAQUE && t->present;
}

/* Of `x = constant`, from what is known of x. */
static int truth_of_equal(const solver *s, const term *t)
{
    uint32_t excluded = 0;
    for (uint32_t i = 0; i < s->literal_count; i++) {
        const literal *l = &s->literals[i];
        if (l->truth && is_absence_of(l->atom, t->kids[0])) return UNTRUTH;
        if (l->atom->op != TERM_EQUAL || l->atom->kids[0] != t->kids[0] || !term_is_constant(l->atom->kids[1])) continue;
        if (l->truth) return l->atom == t ? TRUTH : UNTRUTH;
        if (l->atom == t) return UNTRUTH;
        excluded += l->atom->kids[1]->of == t->kids[1]->of;
    }
    const term *constant = t->kids[1];
    if (constant->op != TERM_MEMBER || !constant->of) return UNKNOWN;
    bool last = excluded + 1 == ((const shunt_shape *)constant->of)->count;
    return last && never_absent(s, t->kids[0]) ? TRUTH : UNKNOWN;
}

/* `a = b`, or `b > a`, of `a > b`. */
static bool tells_order(const term *known, const term *greater)
{
    bool turned = known->count == 2 && known->kids[0] == greater->kids[1] && known->kids[1] == greater->kids[0],
         same = known->count == 2 && known->kids[0] == greater->kids[0] && known->kids[1] == greater->kids[1];
    return known->op == TERM_EQUAL ? turned || same : known->op == TERM_GREATER && turned;
}

static int truth_of_atom(const solver *s, const term *t)
{
    if (t->op == TERM_EQUAL && term_is_constant(t->kids[1])) return truth_of_equal(s, t);
    for (uint32_t i = 0; i < s->literal_count; i++) {
        const literal *l = &s->literals[i];
        if (l->atom == t) return l->truth ? TRUTH : UNTRUTH;
        if (t->op == TERM_EQUAL && l->truth && l->atom->op == TERM_GREATER && tells_order(t, l->atom)) return UNTRUTH;
        if (t->op == TERM_GREATER && l->truth && tells_order(l->atom, t)) return UNTRUTH;
        if (t->op == TERM_ABSENT && l->truth && l->atom->op == TERM_EQUAL && is_absence_of(t, l->atom->kids[0])) return UNTRUTH;
    }
    return UNKNOWN;
}

static int truth(solver *s, const term *t)
{
    if (t->op == TERM_TRUE) return TRUTH;
    if (t->op == TERM_FALSE) return UNTRUTH;
    if (t->stamp == s->p->stamp) return t->truth;
    prove_step(s->p);
    int found;
    if (t->op == TERM_NOT) {
        int of = truth(s, t->kids[0]);
        found = of == TRUTH ? UNTRUTH : of == UNTRUTH ? TRUTH : UNKNOWN;
    } else if (t->op == TERM_AND || t->op == TERM_OR || t->op == TERM_ALL) {
        int decides = t->op == TERM_OR ? TRUTH : UNTRUTH;
        found = t->op == TERM_OR ? UNTRUTH : TRUTH;
        for (uint32_t i = 0; i < t->count && found != decides; i++) {
            int of = truth(s, t->kids[i]);
            if (of == decides || of == UNKNOWN) found = of;
        }
        for (uint32_t i = 0; found == UNKNOWN && i < t->count; i++)
            if (truth(s, t->kids[i]) == decides) found = decides;
    } else {
        found = truth_of_atom(s, t);
    }
    ((term *)(uintptr_t)t)->stamp = s->p->stamp;
    ((term *)(uintptr_t)t)->truth = (uint8_t)found;
    return found;
}

/* Something else is known: what was found out before does not count. */
static void know(solver *s, const term *condition, bool is)
{
    if (s->literal_count == LITERALS) overflow(s->p);
    s->literals[s->literal_count++] = (literal){ condition, is };
    s->p->stamp++;
}
static void forget(solver *s, uint32_t count)
{
    s->literal_count = count;
    s->p->stamp++;
}

static variables bound_in(const term *binders)
{
    variables bound = 0;
    for (uint32_t i = 0; i < binders->count; i++) bound |= (variables)1 << binders->kids[i]->variable;
    return bound;
}

/* A condition in `t` that is not decided and holds nothing of `bound`; NULL = none. */
static const term *open_atom(solver *s, const term *t, variables bound)
{
    if (truth(s, t) != UNKNOWN) return NULL;
    if (t->op != TERM_NOT && t->op != TERM_AND && t->op != TERM_OR && t->op != TERM_ALL) return t->free & bound ? NULL : t;
    prove_step(s->p);
    for (uint32_t i = 0; i < t->count; i++) {
        const term *found = open_atom(s, t->kids[i], bound);
        if (found) return found;
    }
    return NULL;
}

/* ---- sums ---- */

static void add_part(solver *s, part_list *list, ratio n, const term *binders, const term *guard, const term *value)
{
    const term *left = term_new(s->p, TERM_ALL, NULL, 0);
    if (!n.n) return;
    for (uint32_t i = 0; i < guard->count; i++) {
        int of = truth(s, guard->kids[i]);
        if (of == UNTRUTH) return;
        if (of == UNKNOWN) left = guard_with(s->p, left, guard->kids[i]);
    }
    if (list->count >= 4000) overflow(s->p);
    part *new = prove_need(s->p, SHUNT_PUSH(s->p->arena, list));
    *new = (part){ .times = n, .binders = binders, .guard = left, .value = value };
}

typedef struct constants {
    ratio       times[CONSTANTS];
    const term *guards[CONSTANTS];
    uint32_t    count;
} constants;

/* A number that conditions may choose; false: it is none. */
static bool constants_of(solver *s, const term *t, ratio n, const term *guard, constants *c)
{
    prove_step(s->p);
    switch (t->op) {
    case TERM_NUMBER:
        if (c->count == CONSTANTS) return false;
        c->times[c->count] = times(s->p, n, number_of(s->p, t));
        c->guards[c->count++] = guard;
        return true;
    case TERM_NEGATE: return constants_of(s, t->kids[0], negative(n), guard, c);
    case TERM_IF:
        return constants_of(s, t->kids[1], n, guard_with(s->p, guard, t->kids[0]), c) &&
               constants_of(s, t->kids[2], n, guard_with(s->p, guard, term_not(s->p, t->kids[0])), c);
    default: return false;
    }
}

static void sum_of(solver *s, const term *t, ratio n, const term *binders, const term *guard, part_list *list)
{
    prover *p = s->p;
    prove_step(p);
    switch (t->op) {
    case TERM_NUMBER: add_part(s, list, times(p, n, number_of(p, t)), binders, guard, p->one); return;
    case TERM_NEVER: return;
    case TERM_ADD:
        sum_of(s, t->kids[0], n, binders, guard, list);
        sum_of(s, t->kids[1], n, binders, guard, list);
        return;
    case TERM_NEGATE: sum_of(s, t->kids[0], negative(n), binders, guard, list); return;
    case TERM_IF: {
        int of = truth(s, t->kids[0]);
        if (of != UNTRUTH) sum_of(s, t->kids[1], n, binders, guard_with(p, guard, t->kids[0]), list);
        if (of != TRUTH) sum_of(s, t->kids[2], n, binders, guard_with(p, guard, term_not(p, t->kids[0])), list);
        return;
    }
    case TERM_SUM:
        if (bound_in(binders) >> t->kids[0]->variable & 1) break;
        sum_of(s, t->kids[2], n, binders_with(p, binders, term_new(p, TERM_ALL, &t->kids[0], 1)),
               guard_with(p, guard, t->kids[1]), list);
        return;
    case TERM_MULTIPLY:
        for (int i = 0; i < 2; i++) {
            constants c = { .count = 0 };
            if (!constants_of(s, t->kids[i], n, guard, &c)) continue;
            for (uint32_t k = 0; k < c.count; k++) sum_of(s, t->kids[1 - i], c.times[k], binders, c.guards[k], list);
            return;
        }
        break;
    default: break;
    }
    add_part(s, list, n, binders, guard, t);
}

static bool alike(const part *a, const part *b)
{
    return a->binders == b->binders && a->value == b->value && a->guard == b->guard;
}

static void merge(solver *s, part_list *list)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        uint32_t at = 0;
        while (at < kept && !alike(&list->items[at], &list->items[i])) at++;
        s->p->steps += at;
        prove_step(s->p);
        if (at < kept)
            list->items[at].times = plus(s->p, list->items[at].times, list->items[i].times);
        else
            list->items[kept++] = list->items[i];
    }
    list->count = 0;
    for (uint32_t i = 0; i < kept; i++)
        if (list->items[i].times.n) list->items[list->count++] = list->items[i];
}

static const term *open_outside(solver *s, const part_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const term *found = open_atom(s, list->items[i].guard, bound_in(list->items[i].binders));
        if (found) return found;
    }
    return NULL;
}

/* ---- what holds ---- */

static void expand(solver *s, const holding *from, const term *body, const term *guard)
{
    prover *p = s->p;
    prove_step(p);
    switch (body->op) {
    case TERM_EQUAL:
        if (!body->numeric || s->fact_count == FACTS) return;
        s->facts[s->fact_count++] = (equation){ from, from->binders, guard, body->kids[0], body->kids[1] };
        return;
    case TERM_AND:
        expand(s, from, body->kids[0], guard);
        expand(s, from, body->kids[1], guard);
        return;
    case TERM_OR:
        expand(s, from, body->kids[0], guard_with(p, guard, term_not(p, body->kids[1])));
        expand(s, from, body->kids[1], guard_with(p, guard, term_not(p, body->kids[0])));
        return;
    default: return;
    }
}

static bool contradicts(solver *s, const holding *h) { return truth(s, h->guard) == TRUTH && truth(s, h->body) == UNTRUTH; }

static bool is_impossible(solver *s)
{
    for (uint32_t i = 0; i < s->p->holdings.count; i++)
        if (!s->p->holdings.items[i].binders->count && contradicts(s, &s->p->holdings.items[i])) return true;
    return false;
}

/* There are no such items. */
static bool is_empty(solver *s, const term *binders)
{
    variables bound = bound_in(binders);
    for (uint32_t i = 0; i < s->p->holdings.count; i++) {
        const holding *h = &s->p->holdings.items[i];
        if (h->binders->count && !(bound_in(h->binders) & ~bound) && contradicts(s, h)) return true;
    }
    return false;
}

/* ---- columns ---- */

static bool shares(const part_list *a, const part_list *b)
{
    for (uint32_t i = 0; i < a->count; i++)
        for (uint32_t k = 0; k < b->count; k++)
            if (a->items[i].binders == b->items[k].binders && a->items[i].value == b->items[k].value) return true;
    return false;
}

static ratio *cell(const solver *s, uint32_t row, uint32_t at) { return &s->cells[(size_t)row * COLUMNS + at]; }

static const part_list *list_of(const solver *s, uint32_t row) { return row ? &s->rows[row - 1] : &s->lines; }

/* How often the value stands in a list of parts here; false: a condition is open. */
static bool amount_here(solver *s, const part_list *list, const term *binders, const term *value, ratio *sum)
{
    *sum = (ratio){ 0, 1 };
    for (uint32_t i = 0; i < list->count; i++) {
        const part *x = &list->items[i];
        if (x->binders != binders || x->value != value) continue;
        int of = truth(s, x->guard);
        if (of == UNKNOWN) return false;
        if (of == TRUTH) *sum = plus(s->p, *sum, x->times);
    }
    return true;
}

static void make_cells(solver *s, const term *binders, const term *value)
{
    const term *condition = NULL;
    prove_step(s->p);
    if (binders->count && is_empty(s, binders)) return;
    for (uint32_t row = 0; row <= s->row_count && !condition; row++) {
        const part_list *list = list_of(s, row);
        for (uint32_t i = 0; i < list->count && !condition; i++)
            if (list->items[i].binders == binders && list->items[i].value == value)
                condition = open_atom(s, list->items[i].guard, 0);
    }
    for (uint32_t l = 0; l < s->look_count && !condition; l++) {
        const part_list *list = &s->looks[l];
        for (uint32_t i = 0; i < list->count && !condition; i++)
            if (list->items[i].binders == binders && list->items[i].value == value)
                condition = open_atom(s, list->items[i].guard, 0);
    }
    if (condition) {
        uint32_t known = s->literal_count;
        know(s, condition, true);
        make_cells(s, binders, value);
        forget(s, known);
        know(s, condition, false);
        make_cells(s, binders, value);
        forget(s, known);
        return;
    }
    if (s->column_count == COLUMNS || s->too_many) {
        s->too_many = true;
        return;
    }
    bool any = false;
    for (uint32_t row = 0; row <= s->row_count; row++) {
        ratio *at = cell(s, row, s->column_count);
        (void)amount_here(s, list_of(s, row), binders, value, at);
        any = any || at->n;
    }
    if (!any && !s->keep) return;
    column *c = &s->columns[s->column_count++];
    *c = (column){ .binders = binders, .value = value, .cell_count = s->literal_count - s->outer };
    if (!c->cell_count) return;
    c->cell = prove_need(s->p, SHUNT_NEW_N(s->p->arena, literal, c->cell_count));
    memcpy(c->cell, s->literals + s->outer, c->cell_count * sizeof *c->cell);
}

static void make_columns(solver *s)
{
    s->column_count = 0;
    s->too_many = false;
    s->outer = s->literal_count;
    if (s->cell_rows < s->row_count + 2) {
        s->cell_rows = 2 * s->row_count + 2;
        s->cells = prove_need(s->p, SHUNT_NEW_N(s->p->arena, ratio, (size_t)s->cell_rows * COLUMNS));
    }
    for (uint32_t row = 0; row <= s->row_count; row++) {
        const part_list *list = list_of(s, row);
        for (uint32_t i = 0; i < list->count; i++) {
            const part *x = &list->items[i];
            bool        done = false;
            for (uint32_t c = 0; c < s->column_count && !done; c++)
                done = s->columns[c].binders == x->binders && s->columns[c].value == x->value;
            if (!done) make_cells(s, x->binders, x->value);
        }
    }
}

/* Row `at` without what row `by` accounts for in its pivot. */
static void subtract(solver *s, uint32_t at, uint32_t by, uint32_t pivot)
{
    if (!cell(s, at, pivot)->n) return;
    ratio factor = negative(over(s->p, *cell(s, at, pivot), *cell(s, by, pivot)));
    for (uint32_t c = 0; c < s->column_count; c++) {
        if (!cell(s, by, c)->n) continue;
        *cell(s, at, c) = plus(s->p, *cell(s, at, c), times(s->p, factor, *cell(s, by, c)));
        prove_step(s->p);
    }
}

static void reduce(solver *s, uint32_t row, uint32_t rows, uint64_t *used)
{
    for (uint32_t by = 1; by <= rows; by++) {
        uint32_t pivot = s->pivots[by - 1];
        if (pivot == UINT32_MAX || !cell(s, row, pivot)->n) continue;
        subtract(s, row, by, pivot);
        *used |= s->used[by - 1];
    }
}

/* The lines, less what the rows account for. */
static uint64_t eliminate(solver *s)
{
    uint64_t used = 0;
    for (uint32_t row = 1; row <= s->row_count; row++) {
        uint32_t at = 0;
        s->used[row - 1] = (uint64_t)1 << (row - 1);
        reduce(s, row, row - 1, &s->used[row - 1]);
        while (at < s->column_count && !cell(s, row, at)->n) at++;
        s->pivots[row - 1] = at < s->column_count ? at : UINT32_MAX;
    }
    reduce(s, 0, s->row_count, &used);
    return used;
}

/* ---- what is left ---- */

/* A row for what is only looked at. */
static uint32_t spare(const solver *s) { return s->row_count + 1; }

/* What a `let` is in the columns at hand, in the spare row; false: not of these values alone. */
static bool row_of_name(solver *s, const named *name)
{
    part_list   list = { 0 };
    uint32_t    known = s->literal_count;
    const term *none = term_new(s->p, TERM_ALL, NULL, 0);
    bool        fits = true;
    sum_of(s, name->value, (ratio){ 1, 1 }, none, none, &list);
    merge(s, &list);
    for (uint32_t i = 0; i < list.count && fits; i++) {
        fits = false;
        for (uint32_t c = 0; c < s->column_count && !fits; c++)
            fits = s->columns[c].binders == list.items[i].binders && s->columns[c].value == list.items[i].value;
    }
    for (uint32_t c = 0; c < s->column_count && fits; c++) {
        for (uint32_t i = 0; i < s->columns[c].cell_count; i++) know(s, s->columns[c].cell[i].atom, s->columns[c].cell[i].truth);
        fits = amount_here(s, &list, s->columns[c].binders, s->columns[c].value, cell(s, spare(s), c));
        forget(s, known);
    }
    return fits && list.count;
}

/* A `let` that is what is left, or its opposite. */
static bool is_rest(solver *s, const named *name, bool *opposite)
{
    uint64_t used = 0;
    bool     same = true, turned = true;
    if (!row_of_name(s, name)) return false;
    reduce(s, spare(s), s->row_count, &used);
    for (uint32_t c = 0; c < s->column_count; c++) {
        ratio a = *cell(s, 0, c), b = *cell(s, spare(s), c);
        same = same && a.n == b.n && a.d == b.d;
        turned = turned && a.n == -b.n && a.d == b.d;
    }
    *opposite = turned;
    return same || turned;
}

/* A `let` that is the value of this column, in all cells where as many of it are left. */
static const named *name_of_column(solver *s, uint32_t at)
{
    const column *x = &s->columns[at];
    ratio         n = *cell(s, 0, at);
    for (uint32_t i = s->p->names.count; i-- > 0;) {
        if (!row_of_name(s, &s->p->names.items[i])) continue;
        bool is = true;
        for (uint32_t c = 0; c < s->column_count && is; c++) {
            const column *y = &s->columns[c];
            ratio         left = *cell(s, 0, c), has = *cell(s, spare(s), c);
            bool          wanted = y->binders == x->binders && y->value == x->value && left.n == n.n && left.d == n.d;
            is = wanted ? has.n == 1 && has.d == 1 : has.n == 0;
        }
        if (is) return &s->p->names.items[i];
    }
    return NULL;
}

/* Parts items as the `let`s of the amounts at hand part them, so that what is left may be one of them. */
static void look_at_names(solver *s)
{
    const term *none = term_new(s->p, TERM_ALL, NULL, 0);
    s->look_count = 0;
    for (uint32_t i = s->p->names.count; i-- > 0 && s->look_count < LOOKS;) {
        part_list list = { 0 };
        sum_of(s, s->p->names.items[i].value, (ratio){ 1, 1 }, none, none, &list);
        merge(s, &list);
        if (list.count && shares(&list, &s->lines) && !open_outside(s, &list)) s->looks[s->look_count++] = list;
    }
    s->keep = true;
    make_columns(s);
    if (s->too_many) {
        s->look_count = 0;
        s->keep = false;
        make_columns(s);
    }
    (void)eliminate(s);
    s->look_count = 0;
}

static void tell_rest(solver *s, proof *r)
{
    uint32_t        count = 0;
    remainder_part *parts = prove_need(s->p, SHUNT_NEW_N(s->p->arena, remainder_part, s->column_count + (size_t)1));
    literal        *conditions = prove_need(s->p, SHUNT_NEW_N(s->p->arena, literal, s->literal_count + (size_t)1));
    for (uint32_t c = 0; c < s->column_count; c++) {
        const column *x = &s->columns[c];
        if (!cell(s, 0, c)->n) continue;
        parts[count] = (remainder_part){ .times = *cell(s, 0, c),
                                         .binders = x->binders,
                                         .value = x->value,
                                         .cell = x->cell,
                                         .cell_count = x->cell_count,
                                         .cells = !s->keep && x->cell_count, /* there may be more of them */
                                         .name = s->keep ? name_of_column(s, c) : NULL };
        for (uint32_t k = 0; k < s->column_count; k++)
            parts[count].cells += s->columns[k].binders == x->binders && s->columns[k].value == x->value;
        count++;
    }
    memcpy(conditions, s->literals + s->given, (s->literal_count - s->given) * sizeof *conditions);
    r->parts = parts;
    r->part_count = count;
    r->conditions = conditions;
    r->condition_count = s->literal_count - s->given;
    r->name = NULL;
    for (uint32_t i = s->keep ? s->p->names.count : 0; i-- > 0 && !r->name;)
        if (is_rest(s, &s->p->names.items[i], &r->name_negative)) r->name = &s->p->names.items[i];
}

static bool names_any(const proof *r)
{
    for (uint32_t i = 0; i < r->part_count; i++)
        if (r->parts[i].name) return true;
    return r->name != NULL;
}

static void note_used(solver *s, uint64_t used)
{
    proof *r = s->result;
    for (uint32_t i = 0; i < s->row_count; i++) {
        if (!(used >> i & 1) || !s->row_of[i]->from) continue;
        uint32_t at = 0;
        while (at < r->fact_count && r->facts[at]->node != s->row_of[i]->from->node) at++;
        if (at == r->fact_count && at < SHUNT_COUNT(r->facts)) r->facts[r->fact_count++] = s->row_of[i]->from;
    }
}

/* ---- whether it differs ---- */

/* An amount that the message holds, and nothing else. */
static bool is_of_message(const term *value)
{
    if (value->op != TERM_OPAQUE) return false;
    if (value->path) return true;
    return value->count == 1 && value->kids[0]->op == TERM_VARIABLE && value->kids[0]->kids[0]->op == TERM_OPAQUE; /* a.amount */
}

/* Values that a code list leaves for an `else` are not looked for: such a case may not be. */
static bool is_closed(const term *of)
{
    const shunt_fact *fact = shunt_fact_of(of->node);
    return !fact || (fact->type.kind == SHUNT_TY_CODE && fact->type.codes && fact->type.codes->complete);
}

static bool gives_member(const shunt_symbol *decision, const term *member)
{
    const shunt_ast *rows = decision->as.function.rows;
    for (const shunt_replacement *r = decision->replaced; r; r = r->next)
        if (!r->exceptions) return false;
    for (uint32_t i = 0; rows && i < rows->kid_count; i++) {
        const shunt_fact *result = shunt_fact_of(kid(rows->kids[i], SHUNT_ROW_result));
        if (result && result->symbol && result->symbol->kind == SHUNT_SYMBOL_MEMBER &&
            result->symbol->as.field.member == (uint32_t)member->number)
            return true;
    }
    return false;
}

typedef struct asked { /* what conditions of a case ask for */
    const term *of;
    bool        is; /* one of them gives its value */
} asked;

static bool ask(const literal *l, asked *list, uint32_t *count)
{
    const term *of = l->atom->op == TERM_EQUAL ? l->atom->kids[0] : NULL;
    if (!of) return false;
    if (l->atom->numeric) return !l->truth; /* amounts are as they like */
    if (!term_is_constant(l->atom->kids[1]) || of->op != TERM_OPAQUE) return false;
    const shunt_fact *fact = shunt_fact_of(of->node);
    if (l->truth && l->atom->kids[1]->op == TERM_MEMBER && fact && fact->kind == SHUNT_FACT_FUNCTION &&
        (fact->symbol->decl->kind != SHUNT_AST_DECIDE || !gives_member(fact->symbol, l->atom->kids[1])))
        return false;
    uint32_t at = 0;
    while (at < *count && list[at].of != of) at++;
    if (at == *count) list[(*count)++] = (asked){ .of = of };
    list[at].is = list[at].is || l->truth;
    return true;
}

/* Some message is like this: what the conditions ask for are values that it holds, or that a table or a decision gives for one of its
 * items, and no two of them can be about the same. */
static bool may_happen(const solver *s, const literal *cell, uint32_t count)
{
    asked    list[2 * LITERALS];
    uint32_t known = 0, of_case;
    for (uint32_t i = s->given; i < s->outer; i++)
        if (!ask(&s->literals[i], list, &known)) return false;
    of_case = known;
    for (uint32_t i = 0; i < count; i++)
        if (!ask(&cell[i], list, &known)) return false;
    if (known > of_case + 1) return false;
    for (uint32_t i = 0; i < known; i++) {
        if (!list[i].is && is_closed(list[i].of)) return false;
        if (i >= of_case) continue;
        const shunt_path *a = list[i].of->path;
        if (!a) return false;
        for (uint32_t k = 0; k < i; k++) {
            const shunt_path *b = list[k].of->path;
            if (a->loop == b->loop && a->element == b->element && shunt_text_equal(a->name, b->name)) return false;
        }
    }
    return true;
}

/* What holds says nothing against amounts that are as they like. `alone`: an equality was taken into account. */
static bool is_free(solver *s, const term *body, bool alone)
{
    if (truth(s, body) == TRUTH) return true;
    switch (body->op) {
    case TERM_EQUAL: return !body->numeric || alone;
    case TERM_ABSENT: return true;
    case TERM_NOT: return body->kids[0]->op == TERM_EQUAL || body->kids[0]->op == TERM_ABSENT;
    case TERM_AND: return is_free(s, body->kids[0], alone) && is_free(s, body->kids[1], alone);
    case TERM_OR: return is_free(s, body->kids[0], false) || is_free(s, body->kids[1], false);
    default: return false;
    }
}

/* Only what can be true of some message is an error: one amount, or amounts that all add to the same side. */
static bool differs(solver *s)
{
    const column *first = NULL;
    bool          constant = true, more = false, less = false;
    for (uint32_t c = 0; c < s->column_count; c++) {
        const column *x = &s->columns[c];
        if (!cell(s, 0, c)->n) continue;
        more = more || cell(s, 0, c)->n > 0;
        less = less || cell(s, 0, c)->n < 0;
        if (x->value == s->p->one && !x->binders->count) continue;
        constant = false;
        if (!is_of_message(x->value) || (first && (first->binders != x->binders || first->value != x->value))) return false;
        if (!first && !may_happen(s, x->cell, x->cell_count)) return false;
        first = x;
    }
    if (more && less) return false;
    if (constant && !may_happen(s, NULL, 0)) return false;
    for (uint32_t i = 0; i < s->p->holdings.count; i++) {
        const holding *h = &s->p->holdings.items[i];
        bool           free = truth(s, h->guard) == UNTRUTH || is_free(s, h->body, true);
        for (uint32_t g = 0; g < h->guard->count && !free; g++) free = is_free(s, term_not(s->p, h->guard->kids[g]), false);
        if (!free) return false;
    }
    return true;
}

/* ---- cases ---- */

static proof_end solve(solver *s);

static proof_end split(solver *s, const term *condition)
{
    uint32_t known = s->literal_count;
    bool     first = condition->op != TERM_EQUAL || !condition->numeric; /* amounts are rather not equal by chance */
    know(s, condition, first);
    proof_end end = solve(s);
    forget(s, known);
    if (end != PROOF_EQUAL) return end;
    know(s, condition, !first);
    end = solve(s);
    forget(s, known);
    return end;
}

/* Equalities that hold in this case and have to do with the lines. `open`: a condition on which more would hold. */
static void gather(solver *s, const term **open)
{
    part_list       lists[FACTS];
    bool            taken[FACTS] = { false }, more = true;
    equation        assumed[LITERALS];
    const term     *none = term_new(s->p, TERM_ALL, NULL, 0);
    uint32_t        count = s->fact_count;
    const equation *facts[FACTS];
    for (uint32_t i = 0; i < count; i++) facts[i] = &s->facts[i];
    for (uint32_t i = s->given; i < s->literal_count && count < FACTS; i++) {
        const term *condition = s->literals[i].atom;
        if (!s->literals[i].truth || condition->op != TERM_EQUAL || !condition->numeric) continue;
        assumed[i] = (equation){ NULL, none, none, condition->kids[0], condition->kids[1] };
        facts[count++] = &assumed[i];
    }
    for (uint32_t i = 0; i < count; i++) {
        lists[i] = (part_list){ 0 };
        if (truth(s, facts[i]->guard) == UNTRUTH) continue;
        sum_of(s, facts[i]->a, (ratio){ 1, 1 }, facts[i]->binders, facts[i]->guard, &lists[i]);
        sum_of(s, facts[i]->b, (ratio){ -1, 1 }, facts[i]->binders, facts[i]->guard, &lists[i]);
        merge(s, &lists[i]);
    }
    s->row_count = 0;
    *open = NULL;
    static const equation no_fact = { 0 };
    while (more) {
        more = false;
        for (uint32_t i = 0; i < count; i++) {
            if (taken[i] || !lists[i].count) continue;
            bool near = shares(&lists[i], &s->lines);
            for (uint32_t r = 0; r < s->row_count && !near; r++) near = shares(&lists[i], &s->rows[r]);
            if (!near) continue;
            taken[i] = more = true;
            const term *condition = open_outside(s, &lists[i]);
            if (condition && !*open) *open = condition;
            if (condition || s->row_count == ROWS) continue;
            s->row_of[s->row_count] = facts[i]->from ? facts[i] : &no_fact;
            s->rows[s->row_count++] = lists[i];
        }
    }
}

static proof_end solve(solver *s)
{
    const term *condition, *open = NULL;
    if (!s->plain && is_impossible(s)) return PROOF_EQUAL;
    s->lines.count = 0;
    for (uint32_t i = 0; i < s->leg_count; i++)
        sum_of(s, s->legs[i]->amount, (ratio){ s->legs[i]->debit ? 1 : -1, 1 }, s->legs[i]->binders, s->legs[i]->guard,
               &s->lines);
    merge(s, &s->lines);
    if (!s->lines.count) return PROOF_EQUAL;
    if ((condition = open_outside(s, &s->lines))) return split(s, condition);
    s->row_count = 0;
    s->keep = false;
    if (!s->plain) gather(s, &open);
    make_columns(s);
    if (s->too_many) overflow(s->p);
    uint64_t used = eliminate(s);
    bool     left = false;
    for (uint32_t c = 0; c < s->column_count; c++) left = left || cell(s, 0, c)->n;
    note_used(s, used);
    if (!left) return PROOF_EQUAL;
    bool  sure = !open && differs(s);
    proof here = *s->result;
    look_at_names(s);
    tell_rest(s, &here);
    if (!names_any(&here)) {
        make_columns(s);
        (void)eliminate(s);
        tell_rest(s, &here);
    }
    proof_end end = open ? split(s, open) : sure ? PROOF_DIFFERS : PROOF_OPEN;
    if (end == PROOF_OPEN || (end == PROOF_DIFFERS && !open)) { /* of what is open, the case with the fewest conditions is told */
        here.end = end;
        *s->result = here;
    }
    return end;
}

void prove_legs(prover *p, const leg *const *legs, uint32_t count, bool plain, proof *result)
{
    solver *s = p->solver ? p->solver : prove_need(p, SHUNT_NEW(p->arena, solver));
    p->solver = s;
    s->literal_count = s->fact_count = 0;
    s->p = p;
    s->legs = legs;
    s->leg_count = count;
    s->plain = plain;
    s->result = result;
    *result = (proof){ 0 };
    p->stamp++;
    for (uint32_t i = 0; i < p->holdings.count && !plain && s->literal_count < LITERALS / 2; i++) {
        const holding *h = &p->holdings.items[i];
        bool           is = h->body->op != TERM_NOT;
        const term    *of = is ? h->body : h->body->kids[0];
        if (!h->binders->count && !h->guard->count && truth(s, of) == UNKNOWN && of->op != TERM_OR) know(s, of, is);
    }
    s->given = s->literal_count;
    for (uint32_t i = 0; i < p->holdings.count && !plain; i++)
        expand(s, &p->holdings.items[i], p->holdings.items[i].body, p->holdings.items[i].guard);
    result->end = solve(s);
}
