#include "grammar/recover.h"

#include "map.tab.h"

static const shunt_token *
token_at(const shunt_parse *p, uint32_t index)
{
    const shunt_token_list *list = &p->scan->tokens;
    return &list->items[index < list->count ? index : list->count - 1];
}

static shunt_span
span_at(const shunt_parse *p, uint32_t index)
{
    const shunt_token *t = token_at(p, index);
    return (shunt_span){ t->begin, t->end, p->file };
}

void
shunt_recover_run(shunt_parse *p)
{
    struct shunt_map_pstate *ps = shunt_map_begin(p->scratch);
    int more = YYPUSH_MORE;
    if (!ps) p->failed = true;
    while (!p->failed && more == YYPUSH_MORE) {
        const shunt_token *t = token_at(p, p->next);
        uint16_t kinds[1] = { t->kind };
        shunt_span at = span_at(p, p->next);
        if (!shunt_map_accepts(ps, kinds, 1)) {
            shunt_diag_add(p->diags, SHUNT_E0101, at, "unexpected `%.*s`", SHUNT_TEXT_ARGS(shunt_tree_source(p, at)));
            return;
        }
        shunt_ast *leaf = shunt_tree_token(p, t);
        if (p->failed) return;
        more = shunt_map_push_parse(ps, t->kind, &leaf, &at, p);
        p->next++;
    }
}
