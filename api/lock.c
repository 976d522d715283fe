/* lock.c - what a lock is to hold, and the guides of a project. */
#include "api/compile.h"
#include "api/definitions.h"

typedef struct gathered {
    shunt_memory memory;
    shunt_arena *arena;
    SHUNT_LIST(shunt_pin) pins;
    shunt_messages *messages;
} gathered;

static shunt_status copy(gathered *g, shunt_text *text)
{
    *text = shunt_text_copy(g->arena, *text);
    return text->bytes ? SHUNT_OK : SHUNT_NO_MEMORY;
}

static shunt_status take_pins(gathered *g, const shunt_project *project)
{
    for (uint32_t i = 0; i < project->met.count; i++) {
        shunt_pin *pin = SHUNT_PUSH(g->arena, &g->pins);
        if (!pin) return SHUNT_NO_MEMORY;
        *pin = project->met.items[i];
        SHUNT_TRY(copy(g, &pin->name));
        SHUNT_TRY(copy(g, &pin->package));
        SHUNT_TRY(copy(g, &pin->version));
        SHUNT_TRY(copy(g, &pin->hash));
    }
    return SHUNT_OK;
}

/* One of the rules, or the project alone (`path` NULL). */
static shunt_status gather(gathered *g, const char *project, const char *path, const shunt_compile_options *options)
{
    shunt_compiling c = { 0 };
    shunt_status    status = path ? shunt_compiling_lock(&c, path, options) : shunt_compiling_project(&c, project, options, true);
    if (status == SHUNT_OK && c.diags.errors) status = SHUNT_RULES_WRONG;
    if (status == SHUNT_OK) status = take_pins(g, &c.project);
    if (status == SHUNT_RULES_WRONG || status == SHUNT_LIMIT) {
        shunt_compiling_render(&c, g->messages);
        status = SHUNT_RULES_WRONG;
    }
    shunt_compiling_free(&c);
    return status;
}

static shunt_status gather_all(gathered *g, const char *project, const char *const *rules, size_t count,
                               const shunt_compile_options *options)
{
    shunt_status worst = SHUNT_OK;
    SHUNT_TRY(gather(g, project, NULL, options));
    for (size_t i = 0; i < count; i++) {
        shunt_status status = gather(g, project, rules[i], options);
        if (status != SHUNT_OK && status != SHUNT_RULES_WRONG) return status;
        if (status != SHUNT_OK) worst = status;
    }
    return worst;
}

shunt_result shunt_lock(const char *project, const char *const *rules, size_t count, const shunt_compile_options *options,
                        shunt_write write, void *context, shunt_messages **messages)
{
    shunt_compile_options own = { .size = sizeof own };
    gathered              g = { .memory = shunt_api_memory(options ? options->allocator : NULL) };
    shunt_buffer          out;
    if (options) own = *options;
    own.project = project;
    if (messages) *messages = NULL;
    shunt_buffer_init(&out, &g.memory);
    g.arena = shunt_arena_new(&g.memory, 0);
    g.messages = shunt_messages_new(&g.memory);
    shunt_status status = g.arena && g.messages ? gather_all(&g, project, rules, count, &own) : SHUNT_NO_MEMORY;
    if (status == SHUNT_OK) shunt_pins_write(g.pins.items, shunt_pins_sort(g.pins.items, g.pins.count), &out);
    if (out.failed || (g.messages && (g.messages->text.failed || g.messages->json.failed))) status = SHUNT_NO_MEMORY;
    if (status == SHUNT_OK && !write(context, out.bytes, out.length)) status = SHUNT_CALLBACK;
    if (messages && status == SHUNT_RULES_WRONG) {
        *messages = g.messages;
        g.messages = NULL;
    }
    shunt_messages_free(g.messages);
    shunt_arena_free(g.arena);
    shunt_buffer_done(&out);
    return shunt_result_of(status);
}

shunt_result shunt_project_definitions(const char *path, const shunt_compile_options *options, shunt_definitions **definitions,
                                       shunt_messages **messages)
{
    shunt_compiling c = { 0 };
    *definitions = NULL;
    if (messages) *messages = NULL;
    shunt_status status = shunt_compiling_project(&c, path, options, false);
    if (status == SHUNT_OK && c.diags.errors) status = SHUNT_RULES_WRONG;
    if (status == SHUNT_RULES_WRONG && messages && (*messages = shunt_messages_new(&c.memory)) != NULL)
        shunt_compiling_render(&c, *messages);
    if (status == SHUNT_OK) {
        *definitions = c.definitions;
        c.definitions = NULL;
    }
    shunt_compiling_free(&c);
    return shunt_result_of(status);
}
