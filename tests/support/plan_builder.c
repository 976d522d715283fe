#include "tests/support/plan_builder.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/walk.h"

enum { MOST = 512, MOST_CHOICES = 8192, WORD = 64 };

struct plan_builder {
    shunt_plan        plan;
    shunt_plan_guide  guides[8];
    shunt_plan_loop   loops[MOST];
    shunt_plan_node   nodes[MOST];
    uint64_t          keys[MOST], ids[MOST];
    uint32_t          dispatch[MOST_CHOICES];
    shunt_plan_choice choices[MOST_CHOICES];
    shunt_plan_frame  frames[MOST];
    uint16_t          children[MOST];
    shunt_plan_slot   slots[MOST];
    shunt_plan_demand demands[MOST];
    shunt_text        texts[MOST];
    char              words[MOST][WORD];
    uint16_t          frame_parent[MOST]; /* frame in whose list it stands, SHUNT_NONE */
    uint16_t          demand_frame[MOST]; /* frame that each demand fills */
    uint16_t          open[SHUNT_WALK_DEPTH], depth, position[SHUNT_WALK_DEPTH];
    bool              trigger_next;
};

static void stop(const char *why, const char *word)
{
    fprintf(stderr, "plan builder: %s: %s\n", why, word);
    abort();
}

static uint16_t add_text(struct plan_builder *b, const char *word)
{
    uint32_t i = b->plan.text_count++;
    if (i >= MOST || strlen(word) >= WORD) stop("text", word);
    strcpy(b->words[i], word);
    b->texts[i] = shunt_text_of(b->words[i]);
    return (uint16_t)i;
}

static bool has(char **words, int count, const char *flag)
{
    for (int i = 0; i < count; i++)
        if (strcmp(words[i], flag) == 0) return true;
    return false;
}

static const char *value(char **words, int count, const char *name)
{
    size_t length = strlen(name);
    for (int i = 0; i < count; i++)
        if (strncmp(words[i], name, length) == 0 && words[i][length] == '=') return words[i] + length + 1;
    return NULL;
}

static uint16_t number(char **words, int count, const char *name)
{
    const char *v = value(words, count, name);
    return v ? (uint16_t)strtoul(v, NULL, 10) : 0;
}

static uint16_t framed_around(const struct plan_builder *b)
{
    for (unsigned d = b->depth; d > 0; d--)
        if (b->loops[b->open[d - 1]].frame != SHUNT_NONE) return b->loops[b->open[d - 1]].frame;
    return SHUNT_NONE;
}

static uint16_t add_frame(struct plan_builder *b, const char *id, shunt_frame_kind kind, bool unit, bool loose)
{
    uint32_t i = b->plan.frame_count++;
    b->frames[i] = (shunt_plan_frame){ .id = add_text(b, id), .kind = (uint8_t)kind, .unit = unit };
    b->frame_parent[i] = loose ? SHUNT_NONE : framed_around(b);
    return (uint16_t)i;
}

static void add_loop(struct plan_builder *b, const char *id, uint16_t max, uint16_t frame)
{
    uint32_t i = b->plan.loop_count++;
    b->loops[i] = (shunt_plan_loop){ .id = add_text(b, id),
                                     .parent = b->depth ? b->open[b->depth - 1] : SHUNT_NONE,
                                     .depth = b->depth,
                                     .max = max,
                                     .frame = frame,
                                     .trigger = SHUNT_NONE,
                                     .name = SHUNT_NONE,
                                     .type = SHUNT_NONE };
    b->loops[i].position = b->depth ? ++b->position[b->depth - 1] : 0;
    b->open[b->depth] = (uint16_t)i;
    b->position[b->depth++] = 0;
    b->trigger_next = b->depth > 1;
}

static void add_keys(struct plan_builder *b, shunt_plan_node *node, const char *key)
{
    char *end;
    node->key_element = (uint8_t)strtoul(key, &end, 10);
    if (*end == '.') node->key_component = (uint8_t)strtoul(end + 1, &end, 10);
    node->key_first = (uint16_t)b->plan.key_count;
    while (*end == ':' || *end == '|') {
        const char *from = end + 1;
        size_t      length = strcspn(from, "|");
        b->keys[b->plan.key_count++] = shunt_pack((const uint8_t *)from, length);
        node->key_count++;
        end += 1 + length;
    }
}

static void add_demands(struct plan_builder *b, shunt_plan_node *node, const char *get)
{
    uint16_t frame = node->frame != SHUNT_NONE ? node->frame : b->loops[node->loop].frame;
    if (frame == SHUNT_NONE) stop("demand without frame", get);
    node->demand_first = (uint16_t)b->plan.demand_count;
    while (*get) {
        shunt_plan_demand d = { .relative = *get == '+' };
        char             *end;
        d.element = (uint16_t)strtoul(get + d.relative, &end, 10);
        if (*end == '.') d.component = (uint8_t)strtoul(end + 1, &end, 10);
        d.slot = b->frames[frame].slot_count++;
        b->demand_frame[b->plan.demand_count] = frame;
        b->demands[b->plan.demand_count++] = d;
        node->demand_count++;
        get = *end == ',' ? end + 1 : end;
        if (*end && *end != ',') stop("demand", end);
    }
}

static void add_segment(struct plan_builder *b, char **words, int count)
{
    uint16_t         index = (uint16_t)b->plan.node_count++;
    shunt_plan_node *n = &b->nodes[index];
    unsigned         body = b->trigger_next ? b->depth - 2 : b->depth - 1;
    *n = (shunt_plan_node){ .of = SHUNT_NONE,
                            .id = shunt_pack((const uint8_t *)words[0], strlen(words[0])),
                            .loop = b->open[b->depth - 1],
                            .trigger = b->trigger_next,
                            .frame = SHUNT_NONE,
                            .name = SHUNT_NONE,
                            .max = number(words, count, "max"),
                            .elements = number(words, count, "elements"),
                            .binary = number(words, count, "binary") };
    if (!b->trigger_next && !has(words, count, "same")) b->position[body]++;
    n->position = b->position[body];
    if (b->trigger_next) b->loops[n->loop].trigger = index;
    b->trigger_next = false;
    const char *v = value(words, count, "key");
    if (v) add_keys(b, n, v);
    for (v = value(words, count, "comp"); v && *v; v += strcspn(v, "|"), v += *v == '|')
        n->composites |= UINT64_C(1) << strtoul(v, NULL, 10);
    v = value(words, count, "group");
    if (v) {
        unsigned first, stride, groups;
        if (sscanf(v, "%u/%u/%u", &first, &stride, &groups) != 3) stop("group", v);
        n->group_first = (uint16_t)first;
        n->group_stride = (uint16_t)stride;
        n->group_count = (uint16_t)groups;
        n->frame = add_frame(b, words[0], SHUNT_FRAME_GROUP, false, has(words, count, "loose"));
    }
    v = value(words, count, "get");
    if (v) add_demands(b, n, v);
}

static void add_line(struct plan_builder *b, char *line)
{
    char *words[32];
    int   count = 0;
    for (char *w = strtok(line, " "); w && count < 32; w = strtok(NULL, " ")) words[count++] = w;
    if (count == 0) return;
    if (strcmp(words[0], "guide") == 0) {
        shunt_plan_guide *g = &b->guides[b->plan.guide_count++];
        if (count < 5) stop("guide", words[0]);
        b->depth = 0;
        *g = (shunt_plan_guide){ .set = add_text(b, words[1]),
                                 .version = add_text(b, words[2]),
                                 .family = add_text(b, words[3]),
                                 .functional_id = add_text(b, words[4]),
                                 .loop_first = (uint16_t)b->plan.loop_count };
        add_loop(b, "", 0, has(words, count, "framed") ? add_frame(b, "", SHUNT_FRAME_SET, false, true) : SHUNT_NONE);
    } else if (strcmp(words[0], "loop") == 0) {
        bool unit = has(words, count, "unit"), framed = unit || has(words, count, "frame");
        add_loop(b, words[1], number(words, count, "max"),
                 framed ? add_frame(b, words[1], SHUNT_FRAME_LOOP, unit, has(words, count, "loose")) : SHUNT_NONE);
    } else if (strcmp(words[0], "end") == 0) {
        b->depth--;
    } else {
        add_segment(b, words, count);
    }
}

static bool within(const struct plan_builder *b, uint16_t outer, uint16_t loop)
{
    while (loop != SHUNT_NONE && loop != outer) loop = b->loops[loop].parent;
    return loop == outer;
}

static uint16_t body_of(const struct plan_builder *b, const shunt_plan_node *n)
{
    return n->trigger ? b->loops[n->loop].parent : n->loop;
}

/* Innermost body first, nodes in their order; then what starts a loop whose parent is not open. */
static void write_cell(struct plan_builder *b, const shunt_plan_guide *g, uint16_t loop, uint64_t id)
{
    b->dispatch[b->plan.dispatch_count++] = b->plan.choice_count;
    for (uint16_t body = loop; body != SHUNT_NONE; body = b->loops[body].parent)
        for (uint32_t n = 0; n < b->plan.node_count; n++)
            if (b->nodes[n].id == id && body_of(b, &b->nodes[n]) == body)
                b->choices[b->plan.choice_count++] = (shunt_plan_choice){ (uint16_t)n, 0 };
    for (uint32_t n = 0; n < b->plan.node_count; n++) {
        const shunt_plan_node *node = &b->nodes[n];
        if (node->id != id || !node->trigger || node->loop < g->loop_first || node->loop >= g->loop_first + g->loop_count)
            continue;
        if (!within(b, body_of(b, node), loop)) b->choices[b->plan.choice_count++] = (shunt_plan_choice){ (uint16_t)n, 1 };
    }
}

static void write_guide(struct plan_builder *b, shunt_plan_guide *g, uint32_t loop_end)
{
    g->loop_count = (uint16_t)(loop_end - g->loop_first);
    g->id_first = b->plan.id_count;
    for (uint32_t n = 0; n < b->plan.node_count; n++) {
        uint32_t at = g->id_first;
        if (b->nodes[n].loop < g->loop_first || b->nodes[n].loop >= loop_end) continue;
        while (at < b->plan.id_count && b->ids[at] < b->nodes[n].id) at++;
        if (at < b->plan.id_count && b->ids[at] == b->nodes[n].id) continue;
        memmove(b->ids + at + 1, b->ids + at, (b->plan.id_count - at) * sizeof *b->ids);
        b->ids[at] = b->nodes[n].id;
        b->plan.id_count++;
    }
    g->id_count = (uint16_t)(b->plan.id_count - g->id_first);
    g->dispatch_first = b->plan.dispatch_count;
    for (uint16_t l = 0; l < g->loop_count; l++)
        for (uint16_t i = 0; i < g->id_count; i++) write_cell(b, g, (uint16_t)(g->loop_first + l), b->ids[g->id_first + i]);
    b->dispatch[b->plan.dispatch_count++] = b->plan.choice_count;
    if (b->plan.choice_count >= MOST_CHOICES || b->plan.dispatch_count >= MOST_CHOICES) stop("too large", "guide");
}

static void write_frames(struct plan_builder *b)
{
    for (uint32_t f = 0; f < b->plan.frame_count; f++) {
        shunt_plan_frame *frame = &b->frames[f];
        frame->slot_first = (uint16_t)b->plan.slot_count;
        frame->child_first = (uint16_t)b->plan.child_count;
        for (uint32_t d = 0; d < b->plan.demand_count; d++)
            if (b->demand_frame[d] == f)
                b->slots[b->plan.slot_count++] = (shunt_plan_slot){ .frame = (uint16_t)f,
                                                                    .codes = SHUNT_NONE,
                                                                    .path = SHUNT_NONE,
                                                                    .mask = SHUNT_NONE,
                                                                    .format = SHUNT_NONE,
                                                                    .currency = SHUNT_NONE,
                                                                    .element = b->demands[d].element,
                                                                    .component = b->demands[d].component };
        for (uint32_t c = 0; c < b->plan.frame_count; c++)
            if (b->frame_parent[c] == f) {
                b->children[b->plan.child_count++] = (uint16_t)c;
                frame->child_count++;
            }
    }
}

struct plan_builder *plan_build(const char *description)
{
    struct plan_builder *b = calloc(1, sizeof *b);
    char                *copy = strdup(description), *next = copy;
    if (!b || !copy) stop("no memory", "");
    while (next) {
        char *line = next, *end = strchr(line, '\n');
        next = end ? end + 1 : NULL;
        if (end) *end = 0;
        add_line(b, line);
    }
    free(copy);
    write_frames(b);
    for (uint32_t g = 0; g < b->plan.guide_count; g++)
        write_guide(b, &b->guides[g], g + 1 < b->plan.guide_count ? b->guides[g + 1].loop_first : b->plan.loop_count);
    shunt_plan                    *p = &b->plan;
    static const shunt_plan_source source;
    p->sources = &source;
    p->source_count = 1;
    p->guides = b->guides;
    p->loops = b->loops;
    p->nodes = b->nodes;
    p->keys = b->keys;
    p->ids = b->ids;
    p->dispatch = b->dispatch;
    p->choices = b->choices;
    p->frames = b->frames;
    p->children = b->children;
    p->slots = b->slots;
    p->demands = b->demands;
    p->texts = b->texts;
    const char *why;
    if (!shunt_plan_valid(p, &why)) stop("not valid", why);
    return b;
}

const shunt_plan *plan_of(const struct plan_builder *builder) { return &builder->plan; }

shunt_plan *plan_damage(struct plan_builder *builder) { return &builder->plan; }

void plan_free(struct plan_builder *builder) { free(builder); }
