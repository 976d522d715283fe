/* gaps.c - what the decisions of rules leave to their `else`, all of it. */
#include "api/compile.h"
#include "dsl/decide.h"

enum { GAPS_AT_MOST = 1000 };

static shunt_status list_gaps(shunt_compiling *c, const shunt_decide *d, shunt_buffer *out)
{
    shunt_decide_covered covered;
    shunt_decide_gaps    gaps;
    SHUNT_TRY(shunt_decide_find_gaps(&c->memory, c->arena, d, UINT32_MAX, GAPS_AT_MOST, &covered, &gaps));
    shunt_buffer_text(out, d->function->name);
    if (covered == SHUNT_DECIDE_COVERED) {
        shunt_buffer_z(out, ": every value has a row\n");
        return SHUNT_OK;
    }
    shunt_buffer_format(out, ": %u row%s, and `else` for\n", d->row_count, d->row_count == 1 ? "" : "s");
    for (uint32_t i = 0; i < gaps.count; i++) {
        shunt_buffer_z(out, "  ");
        shunt_decide_show(d, &gaps.items[i], out);
        shunt_buffer_char(out, '\n');
    }
    if (gaps.more) shunt_buffer_z(out, "  and more than can be listed\n");
    if (!gaps.count) shunt_buffer_z(out, "  more than can be found out in a short time\n");
    return SHUNT_OK;
}

static shunt_status list_all(shunt_compiling *c, const char *decision, shunt_buffer *out, bool *found)
{
    for (uint32_t i = 0; i < c->compilation.symbol_count; i++) {
        const shunt_symbol *symbol = c->compilation.symbols[i];
        if (symbol->kind != SHUNT_SYMBOL_FUNCTION || !symbol->as.function.decide) continue;
        if (decision && !shunt_text_is(symbol->name, decision)) continue;
        *found = true;
        SHUNT_TRY(list_gaps(c, symbol->as.function.decide, out));
    }
    return SHUNT_OK;
}

shunt_result shunt_gaps(const char *path, const shunt_compile_options *options, const char *decision, shunt_write write,
                        void *context, shunt_messages **messages)
{
    shunt_compiling c = { 0 };
    shunt_buffer    out;
    bool            found = false;
    *messages = NULL;
    shunt_status status = shunt_compiling_open(&c, path, options);
    shunt_buffer_init(&out, &c.memory);
    if (status == SHUNT_OK && c.diags.errors) status = SHUNT_RULES_WRONG;
    if (status == SHUNT_OK) status = list_all(&c, decision, &out, &found);
    if (status != SHUNT_NO_MEMORY && (*messages = shunt_messages_new(&c.memory)) == NULL) status = SHUNT_NO_MEMORY;
    if (*messages) shunt_compiling_render(&c, *messages);
    if (*messages && status == SHUNT_OK && !found) {
        if (decision) {
            shunt_messages_say(*messages, SHUNT_ERROR, "NOT_FOUND", "there is no decision `%s` in these rules", decision);
            status = SHUNT_RULES_WRONG;
        } else {
            shunt_messages_say(*messages, SHUNT_INFORMATION, "NOT_FOUND", "these rules have no decisions");
        }
    }
    shunt_result result = shunt_result_of(out.failed ? SHUNT_NO_MEMORY : status);
    if (result == SHUNT_DONE && out.length && !write(context, out.bytes, out.length)) result = SHUNT_SYSTEM_FAULT;
    shunt_buffer_done(&out);
    shunt_compiling_free(&c);
    return result;
}
