/* cmd_lineage.c - `shunt lineage`: what each field of each record was made of. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

typedef struct asking {
    const arguments *arguments;
    FILE            *out;
    shunt_run       *run;
    uint64_t         told;
} asking;

static bool on_lineage(void *context, const shunt_origins *l)
{
    asking *q = context;
    q->told++;
    if (q->arguments->value[OPTION_JSON]) return fwrite(l->json, 1, l->length, q->out) == l->length && putc('\n', q->out) != EOF;
    return (q->told == 1 || putc('\n', q->out) != EOF) && fwrite(l->text, 1, l->text_length, q->out) == l->text_length;
}

static bool on_exception(void *context, const shunt_exception *e)
{
    const asking *q = context;
    if (q->arguments->value[OPTION_QUIET]) return true;
    return fwrite(e->text, 1, e->text_length, stderr) == e->text_length && putc('\n', stderr) != EOF;
}

static shunt_result feed_run(void *context, const void *bytes, size_t size) { return shunt_run_feed(context, bytes, size); }

static int worse(int a, int b) { return a > b ? a : b; }

static int ask(asking *q, const shunt_program *program, const shunt_definitions *definitions)
{
    const arguments  *a = q->arguments;
    shunt_run_options options = { .size = sizeof options,
                                  .received_at = a->value[OPTION_RECEIVED_AT],
                                  .no_report = true,
                                  .definitions = definitions,
                                  .lineage = on_lineage,
                                  .lineage_key = a->value[OPTION_KEY],
                                  .lineage_field = a->value[OPTION_FIELD] };
    shunt_callbacks   callbacks = { .context = q, .exception = on_exception };
    unsigned char    *key = NULL;
    shunt_messages   *messages = NULL;
    const char       *input = a->operands[1];
    int               status = 0;
    if (a->value[OPTION_TOKEN_KEY]) options.token_key = key = token_key(a, &options.token_key_size, &status);
    if (status == 0) status = (int)shunt_run_new(program, &callbacks, &options, &q->run, &messages);
    if (messages) (void)shunt_messages_print(messages, false, write_file, stderr);
    shunt_messages_free(messages);
    if (status == 0) status = (int)shunt_run_begin(q->run, a->value[OPTION_INPUT_ID], input);
    if (status == 0) status = feed_file(input, feed_run, q->run);
    if (status <= SHUNT_INPUT_FAULT && q->run) status = worse(status, (int)shunt_run_end(q->run));
    if (status <= SHUNT_INPUT_FAULT && q->run) status = worse(status, (int)shunt_run_finish(q->run));
    if (status == SHUNT_SYSTEM_FAULT && q->run && ferror(q->out)) fail(SHUNT_SYSTEM_FAULT, "output: %s", strerror(errno));
    if (status <= SHUNT_INPUT_FAULT && !q->told && !a->value[OPTION_QUIET])
        fail(SHUNT_DONE, "no record%s",
             a->value[OPTION_KEY] || a->value[OPTION_FIELD] ? " of that key and field" : " was committed");
    shunt_run_free(q->run);
    free(key);
    return status;
}

int cmd_lineage(const arguments *a)
{
    asking             q = { .arguments = a };
    safe_file          out = { 0 };
    int                status = 0, count = 0;
    const char        *to = a->value[OPTION_OUTPUT];
    shunt_definitions *definitions = NULL;
    for (int i = 0; to && strcmp(to, "-") != 0 && i < a->operand_count; i++)
        if (same_file(to, a->operands[i])) return fail(SHUNT_RULES_FAULT, "%s: is read, and --output would replace it", to);
    shunt_program **chain = calloc((size_t)a->table_count + 1, sizeof *chain);
    if (!chain) return fail(SHUNT_SYSTEM_FAULT, "no memory");
    chain[0] = open_program(a, a->operands[0], &status);
    if (chain[0]) {
        count = 1;
        status = take_tables(a, chain, &count);
    }
    if (status == 0) definitions = find_definitions(a, a->operands[0], &status);
    if (status == 0) status = safe_open(&out, to);
    q.out = out.file;
    if (status == 0) status = ask(&q, chain[count - 1], definitions);
    shunt_definitions_free(definitions);
    status = worse(status, safe_close(&out, status <= SHUNT_INPUT_FAULT));
    while (count) shunt_release(chain[--count]);
    free(chain);
    return status;
}
