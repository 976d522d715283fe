#include "grammar/words.h"

#include <stdio.h>

#include "dsl/grow.h"

bool shunt_shift(shunt_parse *p, stack *ps, int kind, shunt_span at, shunt_ast *leaf)
{
    int state = shunt_map_push_parse(ps, kind, &leaf, &at, p);
    if (state == YYPUSH_MORE) return true;
    p->over = true;
    if (state != 0) { /* the stack is full: the only way to fail for a word that was tried before */
        shunt_diag *d = shunt_diag_add(p->diags, SHUNT_E0912, at, "too many parts stand inside each other");
        shunt_diag_help(p->diags, d, "give parts of it a name with `let`, or move them to a function");
    }
    return false;
}

bool shunt_insert(shunt_parse *p, stack *ps, int kind, uint32_t index)
{
    shunt_span at = span_at(p, index);
    at.end = at.begin;
    shunt_ast *leaf = kind == T_IDENT ? LEAF(ERROR, at) : NULL;
    return shunt_shift(p, ps, kind, at, leaf);
}

bool shunt_put_word(shunt_parse *p, int kind, uint32_t index)
{
    shunt_token_list *list = &p->scan->tokens;
    if (index == 0 || index >= list->count) return false;
    if (!SHUNT_PUSH(p->scratch, list)) return false;
    memmove(list->items + index + 1, list->items + index, (list->count - 1 - index) * sizeof *list->items);
    shunt_token word = list->items[index - 1];
    word.kind = (uint16_t)kind;
    word.leads = word.tainted = false;
    word.begin = word.end;
    list->items[index] = word;
    p->moved++;
    if (p->quiet > index && p->quiet < UINT32_MAX) p->quiet++;
    return true;
}

void shunt_drop_word(shunt_parse *p, uint32_t index)
{
    shunt_token_list *list = &p->scan->tokens;
    if (index + 1 >= list->count) return; /* the end of the file stays */
    list->items[index + 1].leads = list->items[index + 1].leads || list->items[index].leads;
    memmove(list->items + index, list->items + index + 1, (list->count - index - 1) * sizeof *list->items);
    list->count--;
    p->moved++;
    if (p->quiet > index && p->quiet < UINT32_MAX) p->quiet--;
}

shunt_diag *shunt_complain(shunt_parse *p, shunt_status code, uint32_t index, const char *format, ...)
{
    if (is_quiet(p, index)) return NULL;
    char    text[2 * SHUNT_PHRASE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return shunt_diag_add(p->diags, code, span_at(p, index), "%s", text);
}

shunt_diag *shunt_unexpected(shunt_parse *p, uint32_t index)
{
    char word[SHUNT_PHRASE];
    shunt_explain_word(p, token_at(p, index), word);
    return shunt_complain(p, SHUNT_E0101, index, "unexpected %s", word);
}
