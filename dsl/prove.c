/* Proof of balance: goes through the handlers of each map as they run, notes what holds after each statement, and proves of each
 * journal that its debits and credits are equal. Runs over trees without errors. */
#include "dsl/prove.h"

static bool walk_block(prover *p, shunt_ast *block);

static bool leaves(const shunt_ast *exit) { return !shunt_text_is(exit->text, "warn"); }

/* ---- journals ---- */

static void walk_journal_items(prover *p, const shunt_ast *journal, shunt_ast *block, uint32_t depth);

/* The value of the column that the journal must balance within; NULL where there is none. */
static const term *within_of(prover *p, const shunt_ast *journal, const shunt_ast *line)
{
    const shunt_symbol      *target = shunt_fact_of(journal)->symbol;
    const shunt_target_info *info = target->as.target;
    if (info->balance_by == UINT32_MAX) return NULL;
    bool                header = !info->line || info->balance_by >= info->line->count;
    const shunt_member *column = header ? NULL : &info->line->members[info->balance_by];
    const shunt_ast    *lists[] = { kid(line, SHUNT_LINE_with), kid(journal, SHUNT_JOURNAL_with) };
    for (int n = 0; column && n < 2; n++) {
        for (uint32_t i = 0; lists[n] && i < lists[n]->kid_count; i++) {
            const shunt_ast *field = lists[n]->kids[i], *name = kid(field, SHUNT_FIELD_name);
            if (field->kind == SHUNT_AST_FIELD && name && shunt_text_equal(name->text, column->name))
                return term_of(p, kid(field, SHUNT_FIELD_value));
        }
    }
    return p->one;
}

static void walk_line(prover *p, const shunt_ast *journal, const shunt_ast *line, uint32_t depth)
{
    shunt_ast        *amount = kid(line, SHUNT_LINE_amount), *when = kid(line, SHUNT_LINE_when);
    const shunt_fact *fact = shunt_fact_of(amount);
    uint32_t          outside = p->around.count, holdings = p->holdings.count;
    if (when) enter_guard(p, term_of(p, when));
    (void)term_of(p, kid(line, SHUNT_LINE_account)); /* it may leave */
    leg l = { .line = line, .debit = shunt_text_is(line->text, "debit") };
    l.amount = amount ? term_of(p, amount) : NULL;
    l.within = within_of(p, journal, line);
    l.binders = l.guard = term_new(p, TERM_ALL, NULL, 0);
    if (fact) memcpy(l.currency, fact->type.currency, sizeof l.currency);
    for (uint32_t i = p->around.count; i-- > depth;) {
        if (p->around.items[i].variable)
            l.binders = binders_with(p, p->around.items[i].variable, l.binders);
        else
            l.guard = guard_with(p, l.guard, p->around.items[i].guard);
    }
    leave_around(p, outside, holdings);
    *(leg *)prove_need(p, SHUNT_PUSH(p->arena, &p->legs)) = l;
}

/* Lines of one currency, and of one value of the column that they balance within. */
static void prove_lines(prover *p, shunt_ast *journal, const char *currency)
{
    const leg **all = prove_need(p, SHUNT_NEW_N(p->arena, const leg *, p->legs.count + (size_t)1)),
              **some = prove_need(p, SHUNT_NEW_N(p->arena, const leg *, p->legs.count + (size_t)1));
    uint32_t count = 0;
    for (uint32_t i = 0; i < p->legs.count; i++)
        if (p->legs.items[i].amount && memcmp(p->legs.items[i].currency, currency, 4) == 0) all[count++] = &p->legs.items[i];
    for (uint32_t i = 0; i < count; i++) {
        uint32_t chosen = 0, first = 0;
        while (first < i && all[first]->within != all[i]->within) first++;
        if (first < i) continue;
        for (uint32_t n = i; n < count; n++)
            if (all[n]->within == all[i]->within) some[chosen++] = all[n];
        bool       plain = all[i]->within && all[i]->within->free; /* an item's own value: sums of several say nothing of it */
        proof      result;
        shunt_text within = { 0 };
        const shunt_target_info *info = shunt_fact_of(journal)->symbol->as.target;
        if (chosen < count) within = info->line->members[info->balance_by].name;
        prove_legs(p, some, chosen, plain, &result);
        bool known = true; /* values that are written out are different; others may be the same */
        for (uint32_t n = 0; n < count; n++) known = known && (chosen == count || term_is_constant(all[n]->within));
        if (result.end == PROOF_DIFFERS && !known) result.end = PROOF_OPEN;
        tell_proof(p, journal, some, chosen, &result, within);
        if (result.end != PROOF_EQUAL) return;
    }
}

/* ---- what ends in a remainder ---- */

static bool is_rounding(const term *t)
{
    const shunt_fact *fact = t->op == TERM_OPAQUE && !t->path && t->node ? shunt_fact_of(t->node) : NULL;
    return fact && t->node->kind == SHUNT_AST_CALL && fact->kind == SHUNT_FACT_BUILTIN && fact->builtin == SHUNT_LANG_ROUND;
}

/* Each term is looked at once for a stamp. */
static bool has_rounding(prover *p, const term *t)
{
    if (t->stamp == p->stamp) return t->truth;
    prove_step(p);
    bool found = is_rounding(t);
    for (uint32_t i = 0; i < t->count && !found; i++) found = has_rounding(p, t->kids[i]);
    ((term *)(uintptr_t)t)->stamp = p->stamp;
    ((term *)(uintptr_t)t)->truth = found;
    return found;
}

typedef struct rounded { /* where something is rounded */
    const term *binders, *guard;
    uint32_t    from; /* the first holding that is assumed */
    bool        inside;
} rounded;

static void assume_nothing(prover *p, const term *t, const rounded *in)
{
    const term *body = term_equal_zero(p, t);
    for (uint32_t i = p->holdings.count; i-- > in->from;) {
        const holding *h = &p->holdings.items[i];
        if (h->body == body && h->binders == in->binders && h->guard == in->guard) return;
    }
    holding *h = prove_need(p, SHUNT_PUSH(p->arena, &p->holdings));
    *h = (holding){ .binders = in->binders, .guard = in->guard, .body = body };
}

/* What is rounded, and the amounts that it is made from, are taken as nothing. */
static void leave_out_rounded(prover *p, const term *t, rounded in)
{
    prove_step(p);
    in.inside = in.inside || is_rounding(t);
    switch (t->op) {
    case TERM_OPAQUE:
        if (!in.inside) return;
        assume_nothing(p, t, &in);
        if (t->path || t->with_base) return;
        break;
    case TERM_SUM:
        if (in.inside) {
            assume_nothing(p, t, &in);
            return;
        }
        in.binders = binders_with(p, in.binders, term_new(p, TERM_ALL, &t->kids[0], 1));
        in.guard = guard_with(p, in.guard, t->kids[1]);
        leave_out_rounded(p, t->kids[2], in);
        return;
    case TERM_ADD:
    case TERM_NEGATE:
    case TERM_MULTIPLY:
    case TERM_IF: break;
    default: return;
    }
    for (uint32_t i = t->op == TERM_IF; i < t->count; i++) leave_out_rounded(p, t->kids[i], in);
}

/* Of a journal with a rounded line: what is left beside the roundings, and beside what they are made from, ends in the remainder. */
static void prove_remainder(prover *p, const char *currency)
{
    const leg      **some = prove_need(p, SHUNT_NEW_N(p->arena, const leg *, p->legs.count + (size_t)1));
    const shunt_ast *line = NULL;
    uint32_t         count = 0, holdings = p->holdings.count;
    proof            result;
    p->stamp++;
    for (uint32_t i = 0; i < p->legs.count; i++) {
        const leg *l = &p->legs.items[i];
        if (!l->amount && !line) line = l->line;
        if (!l->amount || memcmp(l->currency, currency, 4) != 0) continue;
        some[count++] = l;
        if (has_rounding(p, l->amount))
            leave_out_rounded(p, l->amount, (rounded){ .binders = l->binders, .guard = l->guard, .from = holdings });
    }
    if (line && p->holdings.count > holdings) {
        prove_legs(p, some, count, false, &result);
        tell_remainder(p, line, currency, &result);
    }
    p->holdings.count = holdings;
}

static void walk_journal(prover *p, shunt_ast *journal)
{
    const shunt_fact *fact = shunt_fact_of(journal);
    uint32_t          depth = p->around.count;
    const char       *taken = NULL;
    uint32_t          holdings;
    if (!fact || !fact->symbol || !fact->symbol->as.target) return;
    p->legs.count = 0;
    walk_journal_items(p, journal, kid(journal, SHUNT_JOURNAL_block), depth);
    holdings = p->holdings.count;
    p->place = NULL;
    for (uint32_t i = 0; i < depth; i++) /* where the journal stands, the conditions around it are true */
        if (p->around.items[i].guard) note_holding(p, p->around.items[i].guard);
    /* `remainder` is of the currency of the first line that is written. */
    for (uint32_t i = 0; i < p->legs.count && !taken; i++)
        if (!p->legs.items[i].amount)
            for (uint32_t n = 0; n < p->legs.count && !taken; n++)
                if (p->legs.items[n].amount) taken = p->legs.items[n].currency;
    for (uint32_t i = 0; i < p->legs.count; i++) {
        const char *currency = p->legs.items[i].currency;
        bool        known = !p->legs.items[i].amount || (taken && memcmp(taken, currency, 4) == 0);
        for (uint32_t n = 0; n < i && !known; n++)
            known = p->legs.items[n].amount && memcmp(p->legs.items[n].currency, currency, 4) == 0;
        if (!known) prove_lines(p, journal, currency);
    }
    if (taken) prove_remainder(p, taken);
    p->holdings.count = holdings;
}

/* ---- statements ---- */

static void walk_let(prover *p, shunt_ast *let)
{
    const shunt_fact *fact = shunt_fact_of(let);
    shunt_ast        *value = kid(let, SHUNT_LET_value);
    if (!fact || !fact->symbol) return;
    const term *made = term_of(p, value);
    bind_symbol(p, fact->symbol, made);
    if (fact->symbol->type.kind != SHUNT_TY_MONEY) return;
    named *n = prove_need(p, SHUNT_PUSH(p->arena, &p->names));
    *n = (named){ .name = fact->symbol->name, .value = made };
}

static void walk_exit(prover *p, shunt_ast *exit)
{
    shunt_ast *when = kid(exit, SHUNT_EXIT_when);
    if (when && leaves(exit)) note_holding(p, term_not(p, term_of(p, when)));
}

/* A statement of a block, or an item of a journal that is like one. True: nothing after it runs. */
typedef struct inside { /* of which journal the items are; NULL: statements */
    const shunt_ast *journal;
    uint32_t         depth;
} inside;

static bool walk_inside(prover *p, shunt_ast *block, const inside *in)
{
    if (!in->journal) return walk_block(p, block);
    walk_journal_items(p, in->journal, block, in->depth);
    return false;
}

static bool walk_if(prover *p, shunt_ast *node, const inside *in)
{
    const term *test = term_of(p, kid(node, SHUNT_IF_test));
    shunt_ast  *other = kid(node, SHUNT_IF_otherwise);
    uint32_t    depth = p->around.count, holdings = p->holdings.count;
    enter_guard(p, test);
    bool first = walk_inside(p, kid(node, SHUNT_IF_then), in), second = false;
    leave_around(p, depth, holdings);
    uint32_t later = p->holdings.count;
    enter_guard(p, term_not(p, test));
    if (other && other->kind == SHUNT_AST_IF)
        second = walk_if(p, other, in);
    else if (other)
        second = walk_inside(p, other, in);
    leave_around(p, depth, later);
    if (first) note_holding(p, term_not(p, test));
    if (second) note_holding(p, test);
    return first && second;
}

static bool walk_match(prover *p, shunt_ast *node, const inside *in)
{
    shunt_ast  *subject_node = kid(node, SHUNT_MATCH_subject), *arms = kid(node, SHUNT_MATCH_arms), *otherwise = NULL;
    const term *subject = term_of(p, subject_node);
    uint32_t    outside = p->around.count, first = p->holdings.count;
    bool        all = true, has_else = false;
    for (uint32_t i = 0; arms && i < arms->kid_count; i++) {
        shunt_ast *arm = arms->kids[i], *patterns = kid(arm, SHUNT_ARM_patterns);
        uint32_t   depth = p->around.count, holdings = p->holdings.count;
        if (arm->kind != SHUNT_AST_ARM) continue;
        if (!patterns || !patterns->kid_count) {
            otherwise = kid(arm, SHUNT_ARM_block);
            has_else = true;
            continue;
        }
        const term *test = term_of_patterns(p, subject, subject_node, patterns);
        enter_guard(p, test);
        bool left = walk_inside(p, kid(arm, SHUNT_ARM_block), in);
        leave_around(p, depth, holdings);
        if (left) note_holding(p, term_not(p, test));
        all = all && left;
        enter_guard(p, term_not(p, test));
    }
    bool left = has_else ? walk_inside(p, otherwise, in) : true; /* what no arm takes leaves */
    if (left) note_holding(p, p->no);
    leave_around(p, outside, first);
    return all && left;
}

static bool walk_each(prover *p, shunt_ast *node, const inside *in)
{
    uint32_t depth = p->around.count, holdings = p->holdings.count;
    enter_items(p, kid(node, SHUNT_FOR_EACH_each));
    if (walk_inside(p, kid(node, SHUNT_FOR_EACH_block), in)) note_holding(p, p->no); /* there were no items */
    leave_around(p, depth, holdings);
    return false;
}

static bool walk_statement(prover *p, shunt_ast *node, const inside *in)
{
    const shunt_ast *outer = p->step;
    shunt_ast       *exit;
    bool             left;
    p->place = node;
    switch ((shunt_ast_kind)node->kind) {
    case SHUNT_AST_LET: walk_let(p, node); return false;
    case SHUNT_AST_CHECK:
        exit = kid(node, SHUNT_CHECK_exit);
        if (!exit || leaves(exit)) note_holding(p, term_of(p, kid(node, SHUNT_CHECK_test)));
        return false;
    case SHUNT_AST_EXIT: walk_exit(p, node); return leaves(node) && !kid(node, SHUNT_EXIT_when);
    case SHUNT_AST_IF: return walk_if(p, node, in);
    case SHUNT_AST_MATCH: return walk_match(p, node, in);
    case SHUNT_AST_FOR_EACH: return walk_each(p, node, in);
    case SHUNT_AST_BLOCK: return walk_block(p, node);
    case SHUNT_AST_STEP:
        p->step = node;
        left = walk_block(p, kid(node, SHUNT_STEP_block));
        p->step = outer;
        return left;
    case SHUNT_AST_JOURNAL: walk_journal(p, node); return false;
    default: return false;
    }
}

static void walk_journal_items(prover *p, const shunt_ast *journal, shunt_ast *block, uint32_t depth)
{
    const inside in = { journal, depth };
    uint32_t     names = p->names.count;
    for (uint32_t i = 0; block && i < block->kid_count; i++) {
        shunt_ast *item = block->kids[i];
        if (!item) continue;
        p->place = item;
        if (item->kind == SHUNT_AST_LINE)
            walk_line(p, journal, item, depth);
        else if (walk_statement(p, item, &in))
            note_holding(p, p->no); /* this arm leaves: its lines are never posted */
    }
    /* What is named in the journal itself may be told; in an arm of it, it may not. */
    if (p->around.count > depth) p->names.count = names;
}

static bool walk_block(prover *p, shunt_ast *block)
{
    const inside none = { 0 };
    uint32_t     names = p->names.count;
    bool         left = false;
    for (uint32_t i = 0; block && i < block->kid_count && !left; i++)
        if (block->kids[i]) left = walk_statement(p, block->kids[i], &none);
    p->names.count = names;
    return left;
}

/* ---- maps ---- */

static bool holds_journal(const shunt_ast *node)
{
    if (!node) return false;
    if (node->kind == SHUNT_AST_JOURNAL) return true;
    for (uint32_t i = 0; i < node->kid_count; i++)
        if (holds_journal(node->kids[i])) return true;
    return false;
}

static bool tell_unproved(shunt_ast *node, void *context)
{
    prover *p = context;
    proof   result = { .end = PROOF_TOO_LARGE };
    if (node->kind == SHUNT_AST_JOURNAL && shunt_fact_of(node)) tell_proof(p, node, NULL, 0, &result, (shunt_text){ 0 });
    return true;
}

static void walk_item(prover *p, shunt_ast *items, shunt_ast *item)
{
    term_start(p);
    for (uint32_t i = 0; i < items->kid_count; i++) {
        p->place = items->kids[i];
        if (items->kids[i]->kind == SHUNT_AST_LET) walk_let(p, items->kids[i]);
    }
    shunt_ast *each = item->kind == SHUNT_AST_FOR_EACH ? kid(item, SHUNT_FOR_EACH_each) : NULL;
    shunt_ast *block = kid(item, item->kind == SHUNT_AST_FOR_EACH ? SHUNT_FOR_EACH_block
                                 : item->kind == SHUNT_AST_AT_END ? SHUNT_AT_END_block
                                                                  : SHUNT_AT_START_block);
    if (each && kid(each, SHUNT_EACH_where)) note_holding(p, term_of(p, kid(each, SHUNT_EACH_where)));
    (void)walk_block(p, block);
}

enum { ARENA_AT_MOST = 96 << 20 };

/* False: no memory. */
static bool prove_item(prover *p, shunt_ast *items, shunt_ast *item)
{
    check   *k = p->k;
    uint32_t run = p->run + 1;
    uint64_t before = p->total;
    k->proving = shunt_arena_new(k->c->memory, ARENA_AT_MOST);
    *p = (prover){ .k = k, .run = run, .total = before, .arena = k->proving };
    if (!p->arena) return false;
    int out = setjmp(p->out);
    if (!out && p->total < TOTAL_AT_MOST)
        walk_item(p, items, item);
    else if (!out)
        out = OUT_OF_STEPS;
    p->total += p->steps;
    /* Said outside of the arena that is gone then. */
    if (out == OUT_OF_STEPS) shunt_ast_walk(item, tell_unproved, p);
    shunt_arena_free(k->proving);
    k->proving = NULL;
    return out != OUT_OF_MEMORY;
}

void shunt_prove(check *k)
{
    prover *p = NEW(k, prover);
    p->k = k;
    for (uint32_t m = 0; m < k->maps.count; m++) {
        const shunt_symbol *map = k->maps.items[m];
        k->map = k->maps.items[m]; /* whose words are offered */
        k->source = map->as.map.source_count ? map->as.map.sources[0] : NULL;
        k->module = &k->modules[map->module];
        shunt_ast *items = kid(k->maps.items[m]->decl, SHUNT_MAP_items);
        for (uint32_t i = 0; items && i < items->kid_count; i++) {
            shunt_ast *item = items->kids[i];
            bool handler = item->kind == SHUNT_AST_FOR_EACH || item->kind == SHUNT_AST_AT_END || item->kind == SHUNT_AST_AT_START;
            if (handler && holds_journal(item) && !prove_item(p, items, item)) longjmp(k->no_memory, 1);
        }
    }
    k->map = k->source = NULL;
}
