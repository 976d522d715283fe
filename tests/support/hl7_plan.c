#include "tests/support/hl7_plan.h"

#include <stdio.h>
#include <stdlib.h>

enum { FRAMES = 4096, WORD = 64 };

struct made {
    const shunt_loop *loop; /* its frame is `number` */
    uint16_t          guide, number;
};

struct builder {
    shunt_plan_maker  *maker;
    shunt_intern      *texts;
    const shunt_guide *guides[64];
    uint16_t           guide_count, source;
    struct made        made[FRAMES];
    unsigned           made_count;
};

static uint16_t frame_of(struct builder *b, uint16_t guide, const shunt_loop *loop)
{
    for (unsigned i = 0; i < b->made_count; i++)
        if (b->made[i].loop == loop && b->made[i].guide == guide) return b->made[i].number;
    uint16_t number =
        shunt_plan_maker_frame(b->maker, loop->parent ? SHUNT_FRAME_LOOP : SHUNT_FRAME_SET, shunt_text_of(loop->id), 0);
    if (b->made_count == FRAMES || !shunt_plan_maker_bind(b->maker, number, (shunt_plan_spot){ guide, loop, NULL },
                                                          (shunt_text){ 0 }, (shunt_plan_group){ 0 }))
        abort();
    b->made[b->made_count++] = (struct made){ loop, guide, number };
    return number;
}

/* "3[2].1.4" behind the segment: the demand. */
static shunt_plan_demand read_part(const char *text)
{
    unsigned          field = 0, repetition = 0, component = 0, subcomponent = 0;
    char             *at;
    shunt_plan_demand demand = { 0 };
    field = (unsigned)strtoul(text, &at, 10);
    if (*at == '[') {
        repetition = (unsigned)strtoul(at + 1, &at, 10);
        at++;
    }
    if (*at == '.') component = (unsigned)strtoul(at + 1, &at, 10);
    if (*at == '.') subcomponent = (unsigned)strtoul(at + 1, &at, 10);
    if (*at) abort();
    demand.element = (uint16_t)field;
    demand.repetition = (uint8_t)repetition;
    demand.component = (uint8_t)component;
    demand.subcomponent = (uint8_t)subcomponent;
    return demand;
}

static void want(struct builder *b, uint16_t frame, shunt_plan_spot spot, uint16_t repeated, const char *shown,
                 shunt_plan_demand demand)
{
    uint32_t text;
    if (!shunt_intern_add(b->texts, shunt_text_of(shown), &text)) abort();
    shunt_plan_slot like = { .codes = SHUNT_NONE,
                             .mask = SHUNT_NONE,
                             .format = SHUNT_NONE,
                             .currency = SHUNT_NONE,
                             .path = (uint16_t)text,
                             .element = demand.element,
                             .component = demand.component };
    uint16_t        slot = shunt_plan_maker_slot(b->maker, frame, &like);
    shunt_plan_maker_want(b->maker, frame, slot, spot, (shunt_text){ 0 }, repeated, &demand);
}

/* Does the line at every place of the segment. `field` 0: its repeats, where `loops`. */
static void at_places(struct builder *b, uint16_t guide, const shunt_loop *loop, const char *id, bool loops, uint16_t field,
                      char *parts[], unsigned part_count)
{
    for (uint16_t i = 0; i < loop->body_count; i++) {
        const shunt_entry *e = &loop->body[i];
        if (e->loop) at_places(b, guide, e->loop, id, loops, field, parts, part_count);
        if (!e->segment || strcmp(e->segment->id, id) != 0) continue;
        shunt_plan_spot spot = { guide, loop, e->segment };
        uint16_t        frame = frame_of(b, guide, loop);
        if (loops) {
            uint16_t own = shunt_plan_maker_frame(b->maker, SHUNT_FRAME_LOOP, shunt_text_of(id), 0);
            shunt_plan_maker_child(b->maker, frame, own);
            if (!shunt_plan_maker_repeat(b->maker, own, spot, field)) abort();
            frame = own;
        }
        for (unsigned p = 0; p < part_count; p++) {
            char              part[WORD];
            shunt_plan_demand demand;
            if (field) {
                snprintf(part, sizeof part, "%u%s", field, parts[p]);
                demand = read_part(part);
            } else {
                demand = read_part(parts[p]);
            }
            want(b, frame, spot, field, parts[p], demand);
        }
    }
}

static void add_guide(struct builder *b, const char *set, const char *version)
{
    const shunt_guide *guide = shunt_guide_find(SHUNT_STANDARD_HL7, shunt_text_of(set), shunt_text_of(version));
    if (!guide || b->guide_count == 64) abort();
    uint16_t number = shunt_plan_maker_guide(b->maker, guide, b->source);
    if (number != b->guide_count) abort();
    b->guides[b->guide_count++] = guide;
    frame_of(b, number, guide->body);
}

static void read_line(struct builder *b, char *line)
{
    char    *words[32], *rest = line;
    unsigned count = 0;
    for (char *word; count < 32 && (word = strtok_r(rest, " ", &rest));) words[count++] = word;
    if (count == 0) return;
    if (!strcmp(words[0], "source")) {
        shunt_plan_source source = { .standard = SHUNT_STANDARD_HL7 };
        for (unsigned i = 1; i < count; i++) {
            source.strict |= !strcmp(words[i], "strict");
            source.cleared_absent |= !strcmp(words[i], "absent");
        }
        if (!shunt_plan_maker_source(b->maker, &source)) abort();
        b->source++;
    } else if (!strcmp(words[0], "guide") && count == 3) {
        if (b->source == UINT16_MAX) {
            char first[] = "source";
            read_line(b, first);
        }
        add_guide(b, words[1], words[2]);
    } else if (count >= 2 && strlen(words[1]) >= 3) {
        bool  loops = strcmp(words[0], "want") != 0;
        char  id[4] = { words[1][0], words[1][1], words[1][2], 0 };
        char *field = words[1] + 3 + (words[1][3] == '-');
        for (uint16_t g = 0; g < b->guide_count; g++) {
            if (!loops)
                at_places(b, g, b->guides[g]->body, id, false, 0, &field, 1);
            else
                at_places(b, g, b->guides[g]->body, id, true, (uint16_t)strtoul(field, NULL, 10), words + 2, count - 2);
        }
    } else {
        abort();
    }
}

shunt_plan hl7_plan(shunt_arena *arena, const char *words)
{
    struct builder *b = calloc(1, sizeof *b);
    char           *copy = strdup(words), *rest = copy;
    shunt_plan      plan;
    const char     *why;
    uint32_t        empty;
    if (!b || !copy) abort();
    b->source = UINT16_MAX;
    b->texts = shunt_intern_new(arena);
    if (!b->texts || !shunt_intern_add(b->texts, (shunt_text){ "", 0 }, &empty)) abort();
    b->maker = shunt_plan_maker_new(arena, b->texts, false);
    if (!b->maker) abort();
    for (char *line; (line = strtok_r(rest, "\n", &rest));) read_line(b, line);
    if (shunt_plan_maker_finish(b->maker, &plan) != SHUNT_OK || !shunt_plan_valid(&plan, &why)) abort();
    free(copy);
    free(b);
    return plan;
}
