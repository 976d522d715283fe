#include "tests/support/tree_plan.h"

#include <stdio.h>
#include <stdlib.h>

#include "standards/schema.h"

enum { MOST = 256 };

struct tree_plan {
    shunt_plan        plan;
    shunt_plan_source sources[8];
    shunt_plan_guide  guides[8];
    shunt_plan_loop   loops[MOST];
    shunt_plan_node   nodes[MOST];
    shunt_plan_demand demands[MOST];
    shunt_plan_frame  frames[MOST];
    shunt_plan_slot   slots[MOST];
    uint16_t          children[MOST];
    uint32_t          dispatch[8];
    shunt_text        texts[MOST * 2];
    uint16_t          slot_frame[MOST]; /* as met: the frame that a slot belongs to */
    bool              slot_decimal[MOST], slot_early[MOST];
    uint16_t          open[16];
    unsigned          depth;
};

static uint16_t text(struct tree_plan *t, const char *bytes, size_t length)
{
    char *copy = malloc(length + 1);
    if (!copy || t->plan.text_count == MOST * 2) abort();
    memcpy(copy, bytes, length);
    copy[length] = 0;
    t->texts[t->plan.text_count] = (shunt_text){ copy, (uint32_t)length };
    return (uint16_t)t->plan.text_count++;
}

static uint16_t frame(struct tree_plan *t, uint8_t kind, bool unit, uint16_t id)
{
    t->frames[t->plan.frame_count] = (shunt_plan_frame){ .id = id, .kind = kind, .unit = unit };
    return (uint16_t)t->plan.frame_count++;
}

static void loop(struct tree_plan *t, const char *name, bool framed, bool unit, const char *type)
{
    shunt_plan_loop *l = &t->loops[t->plan.loop_count];
    bool             root = t->depth == 0;
    *l = (shunt_plan_loop){ .id = text(t, root ? "" : name, root ? 0 : strlen(name)),
                            .parent = SHUNT_NONE,
                            .frame = SHUNT_NONE,
                            .trigger = SHUNT_NONE,
                            .name = SHUNT_NONE,
                            .type = SHUNT_NONE };
    if (!root) l->parent = t->open[t->depth - 1], l->depth = (uint16_t)t->depth;
    if (type) l->type = text(t, type, strlen(type));
    if (framed) l->frame = frame(t, root ? SHUNT_FRAME_SET : SHUNT_FRAME_LOOP, unit, l->id);
    t->open[t->depth++] = (uint16_t)t->plan.loop_count++;
}

static uint16_t frame_around(const struct tree_plan *t, uint16_t at)
{
    while (at != SHUNT_NONE && t->loops[at].frame == SHUNT_NONE) at = t->loops[at].parent;
    return at == SHUNT_NONE ? SHUNT_NONE : t->loops[at].frame;
}

static void value(struct tree_plan *t, const char *name, bool decimal, bool early, bool item)
{
    uint16_t at = t->open[t->depth - 1], own = frame_around(t, at), slot = 0;
    if (own == SHUNT_NONE) abort();
    for (uint32_t i = 0; i < t->plan.slot_count; i++) slot = (uint16_t)(slot + (t->slot_frame[i] == own));
    t->slot_frame[t->plan.slot_count] = own;
    t->slot_decimal[t->plan.slot_count] = decimal;
    t->slot_early[t->plan.slot_count++] = early;
    t->demands[t->plan.demand_count] = (shunt_plan_demand){ .slot = slot };
    uint16_t         id = text(t, name, strlen(name));
    shunt_plan_node *n = &t->nodes[t->plan.node_count++];
    *n = (shunt_plan_node){ .loop = at,
                            .name = id,
                            .frame = SHUNT_NONE,
                            .of = SHUNT_NONE,
                            .demand_first = (uint16_t)t->plan.demand_count++,
                            .demand_count = 1,
                            .required = item };
    n->id = shunt_pack((const uint8_t *)name, strlen(name));
}

static bool option(const char *rest, const char *name)
{
    const char *at = strstr(rest, name);
    return at && (at[strlen(name)] == 0 || at[strlen(name)] == ' ');
}

static void line(struct tree_plan *t, char *words)
{
    char *rest = strchr(words, ' '), *type = NULL, name[64];
    if (rest) *rest++ = 0;
    if (!rest) rest = words + strlen(words);
    if (strcmp(words, "end") == 0) {
        t->depth--;
        return;
    }
    if (strcmp(words, "guide") != 0 && strcmp(words, "loop") != 0) {
        value(t, words, option(rest, "decimal"), option(rest, "early"), option(rest, "item"));
        return;
    }
    sscanf(rest, "%63s", name);
    char found[64];
    if (strstr(rest, "type=") && sscanf(strstr(rest, "type="), "type=%63s", found) == 1) type = found;
    if (strcmp(words, "loop") == 0) {
        loop(t, name, option(rest, "frame") || option(rest, "unit"), option(rest, "unit"), type);
        return;
    }
    t->depth = 0;
    uint32_t           number = t->plan.guide_count++;
    shunt_plan_source *source = &t->sources[t->plan.source_count++];
    unsigned           window = 0;
    if (strstr(rest, "window=")) sscanf(strstr(rest, "window="), "window=%u", &window);
    *source = (shunt_plan_source){ .standard = SHUNT_STANDARD_FHIR, .window = window };
    shunt_plan_guide *g = &t->guides[number];
    *g = (shunt_plan_guide){ .source = (uint16_t)number, .set = text(t, name, strlen(name)), .version = text(t, "4.0.1", 5) };
    g->family = g->version;
    g->functional_id = text(t, "", 0);
    g->loop_first = (uint16_t)t->plan.loop_count;
    g->dispatch_first = number;
    loop(t, "", option(rest, "framed") || option(rest, "unit"), option(rest, "unit"), NULL);
}

/* Slots of a frame stand side by side; frames are children of the frame around them. */
static void settle(struct tree_plan *t)
{
    uint32_t slots = 0, children = 0;
    for (uint32_t f = 0; f < t->plan.frame_count; f++) {
        t->frames[f].slot_first = (uint16_t)slots;
        for (uint32_t i = 0; i < t->plan.slot_count; i++) {
            if (t->slot_frame[i] != f) continue;
            t->slots[slots++] = (shunt_plan_slot){ .frame = (uint16_t)f,
                                                   .convert = t->slot_decimal[i] ? SHUNT_CONVERT_DECIMAL : SHUNT_CONVERT_TEXT,
                                                   .early = t->slot_early[i],
                                                   .scale = 2,
                                                   .codes = SHUNT_NONE,
                                                   .path = SHUNT_NONE,
                                                   .mask = SHUNT_NONE,
                                                   .format = SHUNT_NONE,
                                                   .currency = SHUNT_NONE };
            t->frames[f].slot_count++;
        }
        t->frames[f].child_first = (uint16_t)children;
        for (uint32_t l = 0; l < t->plan.loop_count; l++) {
            if (t->loops[l].frame == SHUNT_NONE || t->loops[l].parent == SHUNT_NONE || t->frames[t->loops[l].frame].unit)
                continue;
            if (frame_around(t, t->loops[l].parent) != f) continue;
            t->children[children++] = t->loops[l].frame;
            t->frames[f].child_count++;
        }
    }
    for (uint32_t g = 0; g < t->plan.guide_count; g++) {
        uint32_t end = g + 1 < t->plan.guide_count ? t->guides[g + 1].loop_first : t->plan.loop_count;
        t->guides[g].loop_count = (uint16_t)(end - t->guides[g].loop_first);
        for (uint32_t l = t->guides[g].loop_first; l < end; l++)
            if (t->loops[l].frame != SHUNT_NONE) t->frames[t->loops[l].frame].source = (uint16_t)g;
    }
    t->plan.child_count = children;
    t->plan.dispatch_count = t->plan.guide_count;
}

struct tree_plan *tree_plan_build(const char *description)
{
    struct tree_plan *t = calloc(1, sizeof *t);
    char             *copy = strdup(description), *save = NULL;
    const char       *why = NULL;
    if (!t || !copy) abort();
    for (char *at = strtok_r(copy, "\n", &save); at; at = strtok_r(NULL, "\n", &save)) {
        while (*at == ' ') at++;
        if (*at) line(t, at);
    }
    free(copy);
    settle(t);
    t->plan.sources = t->sources;
    t->plan.guides = t->guides;
    t->plan.loops = t->loops;
    t->plan.nodes = t->nodes;
    t->plan.demands = t->demands;
    t->plan.frames = t->frames;
    t->plan.slots = t->slots;
    t->plan.children = t->children;
    t->plan.dispatch = t->dispatch;
    t->plan.texts = t->texts;
    if (!shunt_plan_valid(&t->plan, &why)) {
        fprintf(stderr, "plan: %s\n", why);
        abort();
    }
    return t;
}

const shunt_plan *tree_plan_of(const struct tree_plan *plan) { return &plan->plan; }

void tree_plan_free(struct tree_plan *t)
{
    for (uint32_t i = 0; t && i < t->plan.text_count; i++) free((void *)(uintptr_t)t->texts[i].bytes);
    free(t);
}
