/* Terms of the proof of balance: how they are made, and what expressions of the rules are as terms. */
#include "dsl/prove.h"
#include "dsl/tree.h"

#include "engine/base/hash.h"

/* ---- memory ---- */

void *prove_need(prover *p, void *block)
{
    if (!block) longjmp(p->out, shunt_arena_failed(p->arena) == SHUNT_ARENA_LIMIT ? OUT_OF_STEPS : OUT_OF_MEMORY);
    return block;
}

void prove_step(prover *p)
{
    if (++p->steps > STEPS_AT_MOST) longjmp(p->out, OUT_OF_STEPS);
}

/* ---- interning ---- */

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 29;
}

static uint64_t hash_of(const term *t)
{
    uint64_t hash = mix(t->op | (uint64_t)t->scale << 8 | (uint64_t)t->numeric << 16, (uintptr_t)t->of);
    hash = mix(mix(hash, (uint64_t)t->number), (uint64_t)(t->number >> 64));
    if (t->key.length) hash = mix(hash, shunt_text_hash(t->key));
    for (uint32_t i = 0; i < t->count; i++) hash = mix(hash, t->kids[i]->id);
    return hash;
}

static bool same(const term *a, const term *b)
{
    if (a->hash != b->hash || a->op != b->op || a->scale != b->scale || a->numeric != b->numeric || a->of != b->of ||
        a->number != b->number || a->count != b->count || !shunt_text_equal(a->key, b->key))
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (a->kids[i] != b->kids[i]) return false;
    return true;
}

static void make_room(prover *p)
{
    uint32_t count = p->bucket_count ? p->bucket_count * 4 : 1024;
    term   **buckets = prove_need(p, SHUNT_NEW_N(p->arena, term *, count));
    for (uint32_t i = 0; i < p->bucket_count; i++) {
        for (term *t = p->buckets[i], *next; t; t = next) {
            next = t->next;
            t->next = buckets[t->hash % count];
            buckets[t->hash % count] = t;
        }
    }
    p->buckets = buckets;
    p->bucket_count = count;
}

/* The one term like this; what it borrows is copied when it is new. */
static term *intern(prover *p, term *t)
{
    uint32_t depth = 0;
    prove_step(p);
    t->hash = hash_of(t);
    for (term *known = p->bucket_count ? p->buckets[t->hash % p->bucket_count] : NULL; known; known = known->next)
        if (same(known, t)) return known;
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->kids[i]->depth > depth) depth = t->kids[i]->depth;
        t->free |= t->kids[i]->free;
    }
    if (p->term_count >= TERMS_AT_MOST || depth >= DEPTH_AT_MOST) longjmp(p->out, OUT_OF_STEPS);
    if (p->term_count >= p->bucket_count) make_room(p);
    term *made = prove_need(p, SHUNT_NEW(p->arena, term));
    *made = *t;
    made->depth = (uint16_t)(depth + 1);
    made->id = p->term_count++;
    if (t->count) {
        const term **kids = prove_need(p, SHUNT_NEW_N(p->arena, const term *, t->count));
        memcpy(kids, t->kids, t->count * sizeof *kids);
        made->kids = kids;
    }
    if (t->key.length) {
        made->key = shunt_text_copy(p->arena, t->key);
        (void)prove_need(p, (void *)(uintptr_t)made->key.bytes);
    }
    made->next = p->buckets[made->hash % p->bucket_count];
    p->buckets[made->hash % p->bucket_count] = made;
    return made;
}

const term *term_new(prover *p, term_op op, const term *const *kids, uint32_t count)
{
    term t = { .op = (uint8_t)op, .kids = kids, .count = count };
    return intern(p, &t);
}

static const term *pair(prover *p, term_op op, const term *a, const term *b)
{
    const term *const kids[] = { a, b };
    return term_new(p, op, kids, 2);
}

void term_start(prover *p)
{
    p->one = term_new(p, TERM_ONE, NULL, 0);
    p->yes = term_new(p, TERM_TRUE, NULL, 0);
    p->no = term_new(p, TERM_FALSE, NULL, 0);
    p->never = term_new(p, TERM_NEVER, NULL, 0);
}

const term *term_number(prover *p, __int128 number, unsigned scale)
{
    while (scale && number % 10 == 0) {
        number /= 10;
        scale--;
    }
    term t = { .op = TERM_NUMBER, .number = number, .scale = (uint8_t)scale };
    return intern(p, &t);
}

static const term *fresh(prover *p, const shunt_ast *node)
{
    term t = { .op = TERM_OPAQUE, .of = &p->fresh, .number = p->fresh++, .node = node };
    return intern(p, &t);
}

bool term_is_constant(const term *t) { return t->op >= TERM_NUMBER && t->op <= TERM_FALSE; }

/* ---- conditions ---- */

const term *term_and(prover *p, const term *a, const term *b)
{
    if (a == p->no || b == p->no) return p->no;
    if (a == p->yes || a == b) return b;
    if (b == p->yes) return a;
    return a->id < b->id ? pair(p, TERM_AND, a, b) : pair(p, TERM_AND, b, a);
}

const term *term_or(prover *p, const term *a, const term *b)
{
    if (a == p->yes || b == p->yes) return p->yes;
    if (a == p->no || a == b) return b;
    if (b == p->no) return a;
    return a->id < b->id ? pair(p, TERM_OR, a, b) : pair(p, TERM_OR, b, a);
}

const term *term_not(prover *p, const term *a)
{
    const term *made;
    if (a == p->yes) return p->no;
    if (a == p->no) return p->yes;
    if (a->op == TERM_NOT) return a->kids[0];
    if (a->opposite) return a->opposite;
    if (a->op == TERM_AND)
        made = term_or(p, term_not(p, a->kids[0]), term_not(p, a->kids[1]));
    else if (a->op == TERM_OR)
        made = term_and(p, term_not(p, a->kids[0]), term_not(p, a->kids[1]));
    else
        made = term_new(p, TERM_NOT, &a, 1);
    ((term *)(uintptr_t)a)->opposite = made;
    return made;
}

static const term *choice(prover *p, const term *c, const term *x, const term *y)
{
    return term_or(p, term_and(p, c, x), term_and(p, term_not(p, c), y));
}

static const term *if_term(prover *p, const term *c, const term *x, const term *y)
{
    const term *const kids[] = { c, x, y };
    if (c == p->yes || x == y || y == p->never) return x;
    if (c == p->no || x == p->never) return y;
    return term_new(p, TERM_IF, kids, 3);
}

static const term *equal(prover *p, const term *a, const term *b, bool numeric)
{
    if (term_is_constant(a) && !term_is_constant(b)) {
        const term *other = a;
        a = b;
        b = other;
    }
    if (b == p->yes) return a;
    if (b == p->no) return term_not(p, a);
    if (a == p->never || b == p->never) return p->no;
    if (term_is_constant(b)) {
        if (a == b) return p->yes;
        if (a->op == b->op) return p->no;
        if (a->op == TERM_IF) return choice(p, a->kids[0], equal(p, a->kids[1], b, numeric), equal(p, a->kids[2], b, numeric));
    } else if (a->id > b->id) {
        const term *other = a;
        a = b;
        b = other;
    }
    const term *const kids[] = { a, b };
    term              t = { .op = TERM_EQUAL, .numeric = numeric, .kids = kids, .count = 2 };
    return intern(p, &t);
}

const term *term_equal_zero(prover *p, const term *a) { return equal(p, a, term_number(p, 0, 0), true); }

static const term *absent(prover *p, const term *a)
{
    switch (a->op) {
    case TERM_IF: return choice(p, a->kids[0], absent(p, a->kids[1]), absent(p, a->kids[2]));
    case TERM_OPAQUE: return a->with_base ? absent(p, a->kids[0]) : term_new(p, TERM_ABSENT, &a, 1);
    default: return p->no;
    }
}

/* ---- lists of conditions and of variables ---- */

enum { ALL_AT_MOST = 64 };

static void add_condition(prover *p, const term *condition, const term **all, uint32_t *count)
{
    uint32_t at = 0;
    prove_step(p);
    if (condition == p->yes) return;
    if (condition->op == TERM_AND) {
        add_condition(p, condition->kids[0], all, count);
        add_condition(p, condition->kids[1], all, count);
        return;
    }
    while (at < *count && all[at]->id < condition->id) at++;
    if (at < *count && all[at] == condition) return;
    if (*count == ALL_AT_MOST) longjmp(p->out, OUT_OF_STEPS);
    memmove(all + at + 1, all + at, (*count - at) * sizeof *all);
    all[at] = condition;
    ++*count;
}

const term *guard_with(prover *p, const term *guard, const term *condition)
{
    const term *all[ALL_AT_MOST + 1];
    uint32_t    count = guard->count;
    if (condition == p->yes) return guard;
    for (uint32_t i = 0; i < count; i++) all[i] = guard->kids[i];
    add_condition(p, condition, all, &count);
    for (uint32_t i = 0; i < count; i++)
        if (all[i] == p->no) return term_new(p, TERM_ALL, &p->no, 1);
    return term_new(p, TERM_ALL, all, count);
}

const term *binders_with(prover *p, const term *outer, const term *binders)
{
    const term *all[ALL_AT_MOST];
    uint32_t    count = 0;
    if (outer->op == TERM_VARIABLE) all[count++] = outer;
    for (uint32_t i = 0; outer->op == TERM_ALL && i < outer->count; i++) all[count++] = outer->kids[i];
    if (count + binders->count > ALL_AT_MOST) longjmp(p->out, OUT_OF_STEPS);
    for (uint32_t i = 0; i < binders->count; i++) all[count++] = binders->kids[i];
    return term_new(p, TERM_ALL, all, count);
}

/* ---- what stands around ---- */

void bind_symbol(prover *p, const shunt_symbol *symbol, const term *value)
{
    if (!symbol) return;
    decl_of(symbol)->term = value;
    decl_of(symbol)->term_run = p->run;
}

static const term *bound_to(const prover *p, const shunt_symbol *symbol)
{
    return decl_of(symbol)->term_run == p->run ? (const term *)decl_of(symbol)->term : NULL;
}

static void push_around(prover *p, const term *variable, const term *guard)
{
    around *a = prove_need(p, SHUNT_PUSH(p->arena, &p->around));
    a->variable = variable;
    a->guard = guard;
}

void enter_guard(prover *p, const term *guard) { push_around(p, NULL, guard); }

void leave_around(prover *p, uint32_t depth, uint32_t holdings)
{
    while (p->around.count > depth) {
        const around *a = &p->around.items[--p->around.count];
        for (uint32_t i = holdings; i < p->holdings.count; i++) {
            holding *h = &p->holdings.items[i];
            if (a->variable)
                h->binders = binders_with(p, a->variable, h->binders);
            else
                h->guard = guard_with(p, h->guard, a->guard);
        }
    }
}

void note_holding(prover *p, const term *condition)
{
    const term *none = term_new(p, TERM_ALL, NULL, 0);
    if (condition == p->yes) return;
    if (condition->op == TERM_AND) {
        note_holding(p, condition->kids[0]);
        note_holding(p, condition->kids[1]);
        return;
    }
    for (uint32_t i = p->holdings.count; i-- > 0 && p->holdings.count - i < 16;) {
        const holding *h = &p->holdings.items[i];
        if (h->body == condition && h->guard == none && h->binders == none && h->node == p->place) return;
    }
    holding *h = prove_need(p, SHUNT_PUSH(p->arena, &p->holdings));
    *h = (holding){ .binders = none, .guard = none, .body = condition, .node = p->place, .step = p->step };
}

static const term *variable_over(prover *p, const term *list, const shunt_ast *node)
{
    uint32_t nested = 0;
    for (uint32_t i = 0; i < p->around.count; i++)
        nested += p->around.items[i].variable && p->around.items[i].variable->kids[0] == list;
    if (nested > UINT8_MAX) longjmp(p->out, OUT_OF_STEPS);
    term  t = { .op = TERM_VARIABLE, .scale = (uint8_t)nested, .kids = &list, .count = 1, .node = node };
    term *made = intern(p, &t);
    if (made->variable) return made;
    if (p->variable_count >= VARIABLES_AT_MOST) longjmp(p->out, OUT_OF_STEPS);
    made->variable = (uint8_t)++p->variable_count;
    made->free |= (variables)1 << p->variable_count;
    return made;
}

enum { FILTERS = 8 };

void enter_items(prover *p, shunt_ast *each)
{
    shunt_ast        *list = kid(each, SHUNT_EACH_list), *where = kid(each, SHUNT_EACH_where), *filters[FILTERS];
    const shunt_fact *fact = shunt_fact_of(each);
    uint32_t          count = 0;
    while (list && list->kind == SHUNT_AST_FILTER && count < FILTERS &&
           !(shunt_fact_of(list) && shunt_fact_of(list)->kind == SHUNT_FACT_PATH)) {
        filters[count++] = list;
        list = kid(list, SHUNT_FILTER_of);
    }
    const term *of = term_of(p, list), *under = p->yes, *variable = NULL;
    if (of->op == TERM_FILTER) {
        variable = variable_over(p, of->kids[0], each);
        if (variable == of->kids[1])
            under = of->kids[2];
        else
            variable = NULL;
    }
    if (!variable) variable = variable_over(p, of, each);
    push_around(p, variable, NULL);
    if (fact) bind_symbol(p, fact->symbol, variable);
    for (uint32_t i = count; i-- > 0;) {
        const shunt_fact *it = shunt_fact_of(filters[i]);
        if (it) bind_symbol(p, it->symbol, variable);
        enter_guard(p, under);
        under = term_and(p, under, term_of(p, kid(filters[i], SHUNT_FILTER_where)));
        leave_around(p, p->around.count - 1, p->holdings.count);
    }
    if (where) under = term_and(p, under, term_of(p, where));
    push_around(p, NULL, under);
}

static bool is_amount(const shunt_ast *node)
{
    const shunt_fact *fact = shunt_fact_of(node);
    return fact && (fact->type.kind == SHUNT_TY_INT || fact->type.kind == SHUNT_TY_DECIMAL || fact->type.kind == SHUNT_TY_MONEY);
}

static bool may_be_absent(const shunt_ast *node)
{
    const shunt_fact *fact = shunt_fact_of(node);
    return !fact || fact->type.optional || fact->type.clearable;
}

/* ---- paths ---- */

static void blob_add(blob *b, const void *bytes, size_t length)
{
    if (length > sizeof b->bytes - b->length) {
        b->full = true;
        return;
    }
    if (length) memcpy(b->bytes + b->length, bytes, length);
    b->length += (uint32_t)length;
}
static void blob_number(blob *b, uint64_t number) { blob_add(b, &number, sizeof number); }
static void blob_text(blob *b, shunt_text text)
{
    blob_number(b, text.length);
    blob_add(b, text.bytes, text.length);
}

static const shunt_loop_ref *loop_of(const term *t)
{
    if (t->op == TERM_VARIABLE) return t->kids[0]->path ? t->kids[0]->path->loop : NULL;
    const shunt_symbol *symbol = t->op == TERM_OPAQUE && !t->count && !t->key.length ? (const shunt_symbol *)t->of : NULL;
    return symbol && symbol->kind == SHUNT_SYMBOL_VARIABLE && symbol->type.kind == SHUNT_TY_NODE ? symbol->type.loop : NULL;
}

/* Where a path goes outwards from an item to a loop that is around it, that one is the start. */
static const term *climb(const term *start, const shunt_loop_ref **up)
{
    const term *at = start;
    while (*up && at->op == TERM_VARIABLE) {
        const term       *list = at->kids[0];
        const shunt_path *path = list->path;
        if (!path || path->up || path->kind != SHUNT_PATH_LIST || list->count != 1) break;
        for (uint32_t i = 0; i < path->down_count; i++)
            if (path->down[i] == *up) return start;
        at = list->kids[0];
        if (loop_of(at) != *up) continue;
        *up = NULL;
        return at;
    }
    return start;
}

/* The names from an object of FHIR up to the one that the path starts at: in a function they hang in a tree of its own. */
static void blob_tree(blob *b, const shunt_tree *tree, const shunt_tree *start)
{
    for (; tree && tree != start; tree = tree->up) {
        blob_text(b, tree->name);
        blob_text(b, tree->only);
        blob_number(b, (uint64_t)tree->list << 1 | tree->leaf);
    }
}

static const shunt_tree *tree_of_start(const shunt_path *path)
{
    const shunt_fact *base = shunt_fact_of(path->base);
    if (base) return shunt_tree_of(&base->type);
    return path->start ? shunt_tree_of(&path->start->type) : NULL;
}

static const term *symbol_term(prover *p, const shunt_symbol *symbol, const shunt_ast *node);

static const term *path_term(prover *p, const shunt_ast *node, const shunt_path *path)
{
    blob                 *b = &p->blob;
    const term           *start = path->base ? term_of(p, path->base) : path->start ? symbol_term(p, path->start, NULL) : NULL;
    const shunt_loop_ref *up = path->up;
    b->length = 0;
    b->full = false;
    if (start && !path->base) start = climb(start, &up);
    blob_number(b, path->kind);
    blob_number(b, (uintptr_t)up);
    if (path->loop && path->loop->tree) {
        blob_tree(b, path->loop->tree, start ? tree_of_start(path) : NULL);
        blob_text(b, path->name);
        blob_number(b, path->currency);
    } else {
        blob_number(b, (uintptr_t)path->loop);
        for (uint32_t i = 0; i < path->down_count; i++) blob_number(b, (uintptr_t)path->down[i]);
    }
    for (uint32_t i = 0; i < path->node_count; i++) {
        blob_number(b, (uintptr_t)path->nodes[i].loop);
        blob_number(b, (uintptr_t)path->nodes[i].segment);
        if (path->parts) blob_add(b, &path->parts[i], sizeof path->parts[i]);
    }
    blob_text(b, path->qualifier);
    blob_number(b, (uint64_t)path->element << 32 | (uint64_t)path->component << 16 | path->repetition);
    blob_number(b, (uint64_t)path->range_start << 1 | path->range_end);
    blob_text(b, path->format);
    blob_number(b, (uint64_t)path->value_type << 8 | path->implied);
    if (b->full) return fresh(p, node);
    term t = { .op = TERM_OPAQUE,
               .key = { b->bytes, b->length },
               .kids = &start,
               .count = start != NULL,
               .node = node,
               .path = path,
               .present = !may_be_absent(node) };
    return intern(p, &t);
}

/* ---- expressions ---- */

static const term *opaque(prover *p, const shunt_ast *node, const void *of, shunt_text key, const term *const *kids,
                          uint32_t count)
{
    term t = { .op = TERM_OPAQUE, .of = of, .key = key, .kids = kids, .count = count, .node = node };
    t.present = node && !may_be_absent(node);
    return intern(p, &t);
}

/* A construct that is equal to another one where its words and parts are. */
static const term *other(prover *p, shunt_ast *node)
{
    const shunt_fact *fact = shunt_fact_of(node);
    const term      **kids = prove_need(p, SHUNT_NEW_N(p->arena, const term *, node->kid_count + (size_t)1));
    blob             *b = &p->blob;
    for (uint32_t i = 0; i < node->kid_count; i++) kids[i] = node->kids[i] ? term_of(p, node->kids[i]) : p->one;
    b->length = 0;
    b->full = false;
    blob_number(b, node->kind);
    blob_text(b, node->text);
    if (fact) {
        blob_number(b, (uint64_t)fact->kind << 32 | fact->builtin);
        blob_number(b, (uintptr_t)fact->symbol);
        blob_number(b, fact->member);
    }
    if (b->full) return fresh(p, node);
    term t = { .op = TERM_OPAQUE,
               .key = { b->bytes, b->length },
               .kids = kids,
               .count = node->kid_count,
               .node = node,
               .present = !may_be_absent(node) };
    return intern(p, &t);
}

static const term *literal_of(prover *p, const shunt_ast *node)
{
    const shunt_fact *fact = shunt_fact_of(node);
    term              t = { .node = node };
    if (!fact) return fresh(p, node);
    switch ((shunt_ast_kind)node->kind) {
    case SHUNT_AST_STRING:
        t.op = TERM_TEXT;
        t.key = node->text;
        break;
    case SHUNT_AST_DATE:
        t.op = TERM_DAY;
        t.number = fact->number;
        break;
    case SHUNT_AST_PERCENT:
    case SHUNT_AST_DURATION:
        t.op = TERM_OPAQUE;
        t.number = fact->number;
        t.of = &fact->type;
        break;
    default: return term_number(p, fact->number, fact->type.kind == SHUNT_TY_INT ? 0 : fact->type.scale);
    }
    if (t.op == TERM_OPAQUE) t.of = shunt_ast_info[node->kind].name;
    return intern(p, &t);
}

static const term *symbol_term(prover *p, const shunt_symbol *symbol, const shunt_ast *node)
{
    const term *bound = bound_to(p, symbol);
    shunt_ast  *written_at = symbol->decl;
    if (bound) return bound;
    if (symbol->kind == SHUNT_SYMBOL_MEMBER) {
        term t = { .op = TERM_MEMBER, .of = symbol->type.shape, .number = symbol->as.field.member, .node = node };
        return intern(p, &t);
    }
    bool written = symbol->kind == SHUNT_SYMBOL_GLOBAL || (symbol->kind == SHUNT_SYMBOL_CONSTANT && !symbol->replaced);
    if (written && written_at && written_at->kind == SHUNT_AST_LET && kid(written_at, SHUNT_LET_value)) {
        bind_symbol(p, symbol, opaque(p, node, symbol, (shunt_text){ 0 }, NULL, 0)); /* should it name itself */
        const term *value = term_of(p, kid(written_at, SHUNT_LET_value));
        bind_symbol(p, symbol, value);
        return value;
    }
    return opaque(p, node, symbol, (shunt_text){ 0 }, NULL, 0);
}

static const term *under(prover *p, const term *guard, shunt_ast *node)
{
    uint32_t depth = p->around.count, holdings = p->holdings.count;
    enter_guard(p, guard);
    const term *value = term_of(p, node);
    leave_around(p, depth, holdings);
    return value;
}

/* An expression that stands on `each`, and the same as a sum. */
static const term *each_term(prover *p, shunt_ast *node, term_op op)
{
    uint32_t depth = p->around.count, holdings = p->holdings.count;
    enter_items(p, kid(node, SHUNT_EACH_EXPR_each));
    const term *const kids[] = { p->around.items[depth].variable, p->around.items[depth + 1].guard,
                                 term_of(p, kid(node, SHUNT_EACH_EXPR_value)) };
    leave_around(p, depth, holdings);
    term  t = { .op = (uint8_t)op, .kids = kids, .count = 3, .node = node };
    term *made = intern(p, &t);
    made->free &= ~((variables)1 << kids[0]->variable) | kids[0]->kids[0]->free;
    return made;
}

static const term *filter_term(prover *p, shunt_ast *node)
{
    const shunt_fact *fact = shunt_fact_of(node);
    const term       *list = term_of(p, kid(node, SHUNT_FILTER_of)), *variable = variable_over(p, list, node);
    uint32_t          depth = p->around.count, holdings = p->holdings.count;
    push_around(p, variable, NULL);
    if (fact) bind_symbol(p, fact->symbol, variable);
    const term *const kids[] = { list, variable, term_of(p, kid(node, SHUNT_FILTER_where)) };
    leave_around(p, depth, holdings);
    term  t = { .op = TERM_FILTER, .kids = kids, .count = 3, .node = node };
    term *made = intern(p, &t);
    made->free &= ~((variables)1 << variable->variable) | list->free;
    return made;
}

static shunt_ast *argument(const shunt_ast *args, uint32_t at, shunt_text name)
{
    for (uint32_t i = 0; args && i < args->kid_count; i++) {
        shunt_ast *arg = args->kids[i];
        if (!arg) continue;
        if (arg->kind != SHUNT_AST_FIELD && i == at) return arg;
        if (arg->kind == SHUNT_AST_FIELD && kid(arg, SHUNT_FIELD_name) &&
            shunt_text_equal(kid(arg, SHUNT_FIELD_name)->text, name))
            return kid(arg, SHUNT_FIELD_value);
    }
    return NULL;
}

enum { CALLS_AT_MOST = 24 };

static const term *call_of(prover *p, shunt_ast *node, const shunt_symbol *function)
{
    const shunt_ast *args = kid(node, SHUNT_CALL_args), *body = function->decl;
    uint32_t         count = function->as.function.count;
    const term     **values = prove_need(p, SHUNT_NEW_N(p->arena, const term *, count + (size_t)1));
    for (uint32_t i = 0; i < count; i++) {
        shunt_ast *value = argument(args, i, function->as.function.params[i]->name);
        if (!value) return other(p, node);
        values[i] = term_of(p, value);
    }
    uint8_t kind = function->type.kind;
    if (!body || body->kind != SHUNT_AST_FUNCTION || kind == SHUNT_TY_ROW || kind == SHUNT_TY_LIST || kind == SHUNT_TY_NODE ||
        p->calls >= CALLS_AT_MOST)
        return opaque(p, node, function, SHUNT_TEXT("call"), values, count);
    p->calls++;
    for (uint32_t i = 0; i < count; i++) bind_symbol(p, function->as.function.params[i], values[i]);
    const shunt_ast *lets = kid(body, SHUNT_FUNCTION_lets);
    for (uint32_t i = 0; lets && i < lets->kid_count; i++) {
        const shunt_fact *fact = shunt_fact_of(lets->kids[i]);
        if (fact && fact->symbol) bind_symbol(p, fact->symbol, term_of(p, kid(lets->kids[i], SHUNT_LET_value)));
    }
    const term *value = term_of(p, kid(body, SHUNT_FUNCTION_result));
    p->calls--;
    return value;
}

/* An item of a list by its number. */
static const term *item_term(prover *p, const shunt_ast *node, const term *list, const term *number)
{
    const term *const kids[] = { list, number };
    return opaque(p, node, shunt_ast_info[SHUNT_AST_INDEX].name, (shunt_text){ 0 }, kids, 2);
}

static const term *position_term(prover *p, const shunt_ast *node, const term *of)
{
    return opaque(p, node, "position", (shunt_text){ 0 }, &of, 1);
}

/* The parts add up to the amount: those that are written out, and those of all items of a loop. */
static const term *allocate_term(prover *p, shunt_ast *node)
{
    shunt_ast  *args = kid(node, SHUNT_CALL_args), *weights = kid(args, 1);
    const term *made = other(p, node), *amount = term_of(p, kid(args, 0)), *sum = NULL;
    if (!weights) return made;
    for (uint32_t i = 0; weights->kind == SHUNT_AST_ARRAY && i < weights->kid_count; i++) {
        const term       *part = item_term(p, node, made, term_number(p, i + 1, 0));
        const term *const kids[] = { sum, part };
        sum = sum ? term_new(p, TERM_ADD, kids, 2) : part;
    }
    const term *each = weights->kind == SHUNT_AST_EACH_EXPR ? term_of(p, weights) : NULL;
    if (each && each->op == TERM_EACH && each->kids[1] == p->yes && each->kids[0]->kids[0]->path &&
        !each->kids[0]->kids[0]->path->loop->qualifier.length) {
        uint32_t    depth = p->around.count, holdings = p->holdings.count;
        const term *variable = each->kids[0];
        push_around(p, variable, NULL);
        const term *part = item_term(p, node, made, position_term(p, node, variable));
        note_holding(p, term_not(p, absent(p, part)));
        leave_around(p, depth, holdings);
        const term *const kids[] = { variable, p->yes, part };
        term              t = { .op = TERM_SUM, .kids = kids, .count = 3, .node = node };
        term             *all = intern(p, &t);
        all->free &= ~((variables)1 << variable->variable) | variable->kids[0]->free;
        sum = all;
    }
    if (sum) note_holding(p, equal(p, sum, amount, true));
    return made;
}

static const char size_without_sign[] = "abs";

static bool is_zero(const term *t) { return t->op == TERM_NUMBER && !t->number; }

/* `abs(x)` is nothing where `x` is: x, if it is compared with `zero`. */
static const term *without_abs(const term *x, const term *zero)
{
    while (is_zero(zero) && x->op == TERM_OPAQUE && x->of == size_without_sign) x = x->kids[0];
    return x;
}

static const term *call_term(prover *p, shunt_ast *node, const shunt_fact *fact)
{
    shunt_ast *args = kid(node, SHUNT_CALL_args), *first = kid(args, 0);
    if (fact->kind == SHUNT_FACT_FUNCTION && fact->symbol) return call_of(p, node, fact->symbol);
    if (fact->kind == SHUNT_FACT_BUILTIN && fact->builtin == SHUNT_LANG_OCCURRENCE) return fresh(p, node);
    if (fact->kind == SHUNT_FACT_BUILTIN && fact->builtin == SHUNT_LANG_SUM && first && first->kind == SHUNT_AST_EACH_EXPR)
        return each_term(p, first, TERM_SUM);
    if (fact->kind == SHUNT_FACT_BUILTIN && fact->builtin == SHUNT_LANG_ALLOCATE) return allocate_term(p, node);
    if (fact->kind == SHUNT_FACT_BUILTIN && fact->builtin == SHUNT_LANG_POSITION && first)
        return position_term(p, node, term_of(p, first));
    if (fact->kind == SHUNT_FACT_BUILTIN && fact->builtin == SHUNT_LANG_ABS && first && is_amount(first)) {
        const term *of = term_of(p, first);
        return opaque(p, node, size_without_sign, (shunt_text){ 0 }, &of, 1);
    }
    return other(p, node);
}

static const term *compare(prover *p, const shunt_ast *node, const term *a, const term *b)
{
    const shunt_ast  *left = kid(node, SHUNT_BINARY_left), *right = kid(node, SHUNT_BINARY_right);
    const term *const in_order[] = { a, b }, *const turned[] = { b, a };
    bool numeric = is_amount(left) && is_amount(right);
    if (shunt_text_is(node->text, "=")) return equal(p, without_abs(a, b), without_abs(b, a), numeric);
    if (shunt_text_is(node->text, "!=")) return term_not(p, equal(p, without_abs(a, b), without_abs(b, a), numeric));
    bool               turn = shunt_text_is(node->text, "<") || shunt_text_is(node->text, ">=");
    bool               negate = node->text.length == 2;
    const term *const *of = turn ? turned : in_order, *size = without_abs(of[0], of[1]);
    const term        *greater = size != of[0] ? term_not(p, equal(p, size, of[1], numeric)) : term_new(p, TERM_GREATER, of, 2);
    return negate ? term_not(p, greater) : greater;
}

static const term *binary(prover *p, shunt_ast *node)
{
    shunt_ast *left = kid(node, SHUNT_BINARY_left), *right = kid(node, SHUNT_BINARY_right);
    char       op = node->text.length ? node->text.bytes[0] : 0;
    if (shunt_text_is(node->text, "and") || shunt_text_is(node->text, "or")) {
        bool        both = shunt_text_is(node->text, "and");
        const term *a = term_of(p, left), *b = under(p, both ? a : term_not(p, a), right);
        return both ? term_and(p, a, b) : term_or(p, a, b);
    }
    if (op == '=' || op == '!' || op == '<' || op == '>') {
        const term *a = term_of(p, left);
        return compare(p, node, a, term_of(p, right));
    }
    if (!is_amount(node) || !is_amount(left) || !is_amount(right) || op == '/') return other(p, node);
    const term *a = term_of(p, left), *b = term_of(p, right);
    if (op == '-') b = term_new(p, TERM_NEGATE, &b, 1);
    if (op == '*' && a->id > b->id) {
        const term *first = a;
        a = b;
        b = first;
    }
    const term *const kids[] = { a, b };
    term              t = { .op = op == '*' ? TERM_MULTIPLY : TERM_ADD, .kids = kids, .count = 2, .node = node };
    return intern(p, &t);
}

/* One alternative of a pattern, or an item of `in (...)`. */
static const term *alternative(prover *p, const term *subject, const shunt_ast *subject_node, shunt_ast *value)
{
    switch ((shunt_ast_kind)value->kind) {
    case SHUNT_AST_ANY: return p->yes;
    case SHUNT_AST_ABSENT_PATTERN: return may_be_absent(subject_node) ? absent(p, subject) : p->no;
    case SHUNT_AST_CLEARED_PATTERN: return opaque(p, value, shunt_ast_info[value->kind].name, (shunt_text){ 0 }, &subject, 1);
    case SHUNT_AST_RANGE:
    case SHUNT_AST_BOUND: {
        const term *const kids[] = { subject, other(p, value) };
        return opaque(p, value, shunt_ast_info[value->kind].name, (shunt_text){ 0 }, kids, 2);
    }
    default: return equal(p, subject, term_of(p, value), is_amount(subject_node) && is_amount(value));
    }
}

const term *term_of_patterns(prover *p, const term *subject, const shunt_ast *subject_node, shunt_ast *patterns)
{
    const term *all = p->yes;
    for (uint32_t i = 0; patterns && i < patterns->kid_count; i++) {
        const term *column = p->no;
        for (uint32_t n = 0; n < patterns->kids[i]->kid_count; n++)
            column = term_or(p, column, alternative(p, subject, subject_node, patterns->kids[i]->kids[n]));
        all = term_and(p, all, column);
    }
    return all;
}

static bool gives_truth(const shunt_ast *node)
{
    const shunt_fact *fact = shunt_fact_of(node);
    return fact && fact->type.kind == SHUNT_TY_BOOL;
}

static const term *choose(prover *p, shunt_ast *node)
{
    shunt_ast   *subject_node = kid(node, SHUNT_CHOOSE_subject), *rows = kid(node, SHUNT_CHOOSE_rows);
    uint32_t     count = rows ? rows->kid_count : 0, depth = p->around.count, holdings = p->holdings.count;
    const term  *subject = term_of(p, subject_node), *rest = p->never;
    const term **tests = prove_need(p, SHUNT_NEW_N(p->arena, const term *, count + (size_t)1)),
               **values = prove_need(p, SHUNT_NEW_N(p->arena, const term *, count + (size_t)1));
    bool       truth = gives_truth(node), complete = false;
    shunt_ast *otherwise = NULL;
    for (uint32_t i = 0; i < count; i++) {
        shunt_ast *patterns = kid(rows->kids[i], SHUNT_ROW_patterns);
        tests[i] = NULL;
        if (!patterns || !patterns->kid_count) {
            otherwise = kid(rows->kids[i], SHUNT_ROW_result);
            complete = true;
            continue;
        }
        tests[i] = term_of_patterns(p, subject, subject_node, patterns);
        values[i] = under(p, tests[i], kid(rows->kids[i], SHUNT_ROW_result));
        enter_guard(p, term_not(p, tests[i]));
    }
    if (complete)
        rest = term_of(p, otherwise);
    else
        note_holding(p, p->no);
    leave_around(p, depth, holdings);
    for (uint32_t i = count; i-- > 0;) {
        if (!tests[i]) continue;
        if (!truth)
            rest = if_term(p, tests[i], values[i], rest);
        else if (rest == p->never)
            rest = values[i];
        else if (values[i] != p->never)
            rest = choice(p, tests[i], values[i], rest);
    }
    return rest;
}

static const term *if_expression(prover *p, shunt_ast *node)
{
    const term *test = term_of(p, kid(node, SHUNT_IF_EXPR_test)), *x = under(p, test, kid(node, SHUNT_IF_EXPR_then)),
               *y = under(p, term_not(p, test), kid(node, SHUNT_IF_EXPR_otherwise));
    if (!gives_truth(node) || x == p->never || y == p->never) return if_term(p, test, x, y);
    return choice(p, test, x, y);
}

static const term *otherwise(prover *p, shunt_ast *node)
{
    shunt_ast  *value = kid(node, SHUNT_OTHERWISE_value), *answer = kid(node, SHUNT_OTHERWISE_answer);
    const term *of = term_of(p, value), *missing = may_be_absent(value) ? absent(p, of) : p->no;
    const term *instead = under(p, missing, answer);
    if (!gives_truth(node) || instead == p->never) return if_term(p, missing, instead, of);
    return choice(p, missing, instead, of);
}

static const term *state(prover *p, shunt_ast *node)
{
    shunt_ast        *value = kid(node, SHUNT_IS_value);
    const shunt_fact *fact = shunt_fact_of(value);
    bool              negate = shunt_text_starts(node->text, SHUNT_TEXT("not "));
    shunt_text        what = node->text;
    const term       *of = term_of(p, value), *made;
    if (negate) what = (shunt_text){ what.bytes + 4, what.length - 4 };
    if (shunt_text_is(what, "absent"))
        made = may_be_absent(value) ? absent(p, of) : p->no;
    else if (shunt_text_is(what, "present") && fact && !fact->type.clearable)
        made = fact->type.optional ? term_not(p, absent(p, of)) : p->yes;
    else
        made = opaque(p, node, shunt_ast_info[SHUNT_AST_IS].name, what, &of, 1);
    return negate ? term_not(p, made) : made;
}

static const term *member_term(prover *p, shunt_ast *node, const shunt_fact *fact)
{
    shunt_ast          *of = kid(node, SHUNT_MEMBER_of);
    const shunt_fact   *base = shunt_fact_of(of);
    const shunt_shape  *shape = base && base->type.kind == SHUNT_TY_ROW ? base->type.shape : NULL;
    const shunt_member *m = shape && fact->member < shape->count ? &shape->members[fact->member] : NULL;
    const term         *row = term_of(p, of);
    term                t = { .op = TERM_OPAQUE,
                              .of = shunt_ast_info[SHUNT_AST_MEMBER].name,
                              .number = fact->member,
                              .kids = &row,
                              .count = 1,
                              .with_base = m && !m->type.optional && !m->type.clearable,
                              .node = node };
    return intern(p, &t);
}

static const term *in_list(prover *p, shunt_ast *node)
{
    shunt_ast  *value = kid(node, SHUNT_IN_value), *list = kid(node, SHUNT_IN_list);
    const term *of = term_of(p, value), *made = p->no;
    for (uint32_t i = 0; list && i < list->kid_count; i++) made = term_or(p, made, alternative(p, of, value, list->kids[i]));
    return shunt_text_starts(node->text, SHUNT_TEXT("not")) ? term_not(p, made) : made;
}

static const term *expression(prover *p, shunt_ast *node)
{
    const shunt_fact *fact = shunt_fact_of(node);
    if (node->kind == SHUNT_AST_EXIT) {
        note_holding(p, p->no);
        return p->never;
    }
    if (fact && fact->kind == SHUNT_FACT_PATH && fact->path) return path_term(p, node, fact->path);
    switch ((shunt_ast_kind)node->kind) {
    case SHUNT_AST_INT:
    case SHUNT_AST_DECIMAL:
    case SHUNT_AST_MONEY:
    case SHUNT_AST_PERCENT:
    case SHUNT_AST_DURATION:
    case SHUNT_AST_DATE:
    case SHUNT_AST_STRING: return literal_of(p, node);
    case SHUNT_AST_TRUE: return p->yes;
    case SHUNT_AST_FALSE: return p->no;
    case SHUNT_AST_NAME:
        if (fact && (fact->kind == SHUNT_FACT_SYMBOL || fact->kind == SHUNT_FACT_ITEM) && fact->symbol)
            return symbol_term(p, fact->symbol, node);
        return other(p, node);
    case SHUNT_AST_MEMBER:
        if (fact && fact->kind == SHUNT_FACT_SYMBOL && fact->symbol) return symbol_term(p, fact->symbol, node);
        return fact && fact->kind == SHUNT_FACT_FIELD ? member_term(p, node, fact) : other(p, node);
    case SHUNT_AST_INDEX:
        if (fact && fact->kind == SHUNT_FACT_FIRST) {
            const term *list = term_of(p, kid(node, SHUNT_INDEX_of));
            return item_term(p, node, list,
                             fact->member == UINT32_MAX ? term_of(p, kid(kid(node, SHUNT_INDEX_keys), 0))
                                                        : term_number(p, fact->member, 0));
        }
        return other(p, node);
    case SHUNT_AST_FILTER: return filter_term(p, node);
    case SHUNT_AST_EACH_EXPR: return each_term(p, node, TERM_EACH);
    case SHUNT_AST_CALL: return fact ? call_term(p, node, fact) : other(p, node);
    case SHUNT_AST_OTHERWISE: return otherwise(p, node);
    case SHUNT_AST_NOTING: return term_of(p, kid(node, SHUNT_NOTING_value));
    case SHUNT_AST_CLEARED: {
        shunt_ast *answer = kid(node, SHUNT_CLEARED_answer);
        if (!answer || answer->kind != SHUNT_AST_EXIT) return other(p, node);
        return term_of(p, kid(node, SHUNT_CLEARED_value));
    }
    case SHUNT_AST_IF_EXPR: return if_expression(p, node);
    case SHUNT_AST_CHOOSE: return choose(p, node);
    case SHUNT_AST_BINARY: return binary(p, node);
    case SHUNT_AST_NOT: return term_not(p, term_of(p, kid(node, SHUNT_NOT_value)));
    case SHUNT_AST_MINUS: {
        const term *of = term_of(p, kid(node, SHUNT_MINUS_value));
        return is_amount(node) ? term_new(p, TERM_NEGATE, &of, 1) : other(p, node);
    }
    case SHUNT_AST_IN: return in_list(p, node);
    case SHUNT_AST_IS: return state(p, node);
    default: return other(p, node);
    }
}

const term *term_of(prover *p, shunt_ast *node)
{
    prove_step(p);
    if (!node) return p->one;
    if (p->depth >= LEVELS_AT_MOST) longjmp(p->out, OUT_OF_STEPS);
    p->depth++;
    const term *made = expression(p, node);
    p->depth--;
    return made;
}
