/* gen_image.c - writes the dictionaries, which are tables of pointers here, as images without any (image.h).
 * Runs on the build machine, over the tables that it is linked with. What a pointer leads to is found by its type: the list below says where
 * the pointers of a type are and how many things they lead to. What stands together stays together, so that parts of a table may be shared. */
#include <stddef.h>

#include "standards/dict/gen_read.h"
#include "standards/dict/tables.h"

enum { POINTERS_MOST = 6 };
enum { ONE = -1, UP_TO_NULL = -2 }; /* how many: one; all up to the one whose first pointer is NULL, and that one */

/* Where a pointer stands in a thing. */
typedef struct pointer {
    size_t             offset;
    const struct type *to;    /* NULL: a text that ends with a NUL */
    long               count; /* offset of the count in the thing, or as above */
    size_t             count_size;
} pointer;

typedef struct type {
    size_t  size;
    pointer pointers[POINTERS_MOST];
    size_t  pointer_count;
} type;

#define TEXT_AT(T, member)                                                                                                       \
    {                                                                                                                            \
        offsetof(T, member), NULL, ONE, 0                                                                                        \
    }
#define ONE_AT(T, member, to)                                                                                                    \
    {                                                                                                                            \
        offsetof(T, member), to, ONE, 0                                                                                          \
    }
#define LIST_AT(T, member, to)                                                                                                   \
    {                                                                                                                            \
        offsetof(T, member), to, UP_TO_NULL, 0                                                                                   \
    }
#define MANY_AT(T, member, to, number)                                                                                           \
    {                                                                                                                            \
        offsetof(T, member), to, (long)offsetof(T, number), sizeof(((T *)0)->number)                                             \
    }

typedef const char               *text_slot;
typedef const shunt_segment_node *node_slot;
typedef const shunt_guide        *guide_slot;
typedef const shunt_codeset      *codeset_slot;

static const type text_type = { sizeof(text_slot), { { 0, NULL, ONE, 0 } }, 1 };
static const type codeset_type = { sizeof(shunt_codeset),
                                   { TEXT_AT(shunt_codeset, name), MANY_AT(shunt_codeset, values, &text_type, count),
                                     MANY_AT(shunt_codeset, names, &text_type, count) },
                                   3 };
static const type key_phi_type = { sizeof(shunt_key_phi), { TEXT_AT(shunt_key_phi, value) }, 1 };
static const type element_type = { sizeof(shunt_element),
                                   { TEXT_AT(shunt_element, name), ONE_AT(shunt_element, codes, &codeset_type),
                                     MANY_AT(shunt_element, components, &element_type, component_count),
                                     TEXT_AT(shunt_element, data_type), LIST_AT(shunt_element, phi_by_key, &key_phi_type) },
                                   5 };
static const type node_type = {
    sizeof(shunt_segment_node),
    { TEXT_AT(shunt_segment_node, id), TEXT_AT(shunt_segment_node, name), ONE_AT(shunt_segment_node, key, &codeset_type),
      MANY_AT(shunt_segment_node, elements, &element_type, element_count), TEXT_AT(shunt_segment_node, syntax) },
    5
};
static const type loop_type;
static const type entry_type = { sizeof(shunt_entry),
                                 { ONE_AT(shunt_entry, segment, &node_type), ONE_AT(shunt_entry, loop, &loop_type) },
                                 2 };
static const type loop_type = { sizeof(shunt_loop),
                                { TEXT_AT(shunt_loop, id), TEXT_AT(shunt_loop, name), ONE_AT(shunt_loop, parent, &loop_type),
                                  MANY_AT(shunt_loop, body, &entry_type, body_count) },
                                4 };
static const type guide_type = { sizeof(shunt_guide),
                                 { TEXT_AT(shunt_guide, set), TEXT_AT(shunt_guide, version), TEXT_AT(shunt_guide, family),
                                   TEXT_AT(shunt_guide, functional_id), TEXT_AT(shunt_guide, name),
                                   ONE_AT(shunt_guide, body, &loop_type) },
                                 6 };
static const type node_slot_type = { sizeof(node_slot), { { 0, &node_type, ONE, 0 } }, 1 };
static const type guide_slot_type = { sizeof(guide_slot), { { 0, &guide_type, ONE, 0 } }, 1 };
static const type codeset_slot_type = { sizeof(codeset_slot), { { 0, &codeset_type, ONE, 0 } }, 1 };
static const type currency_type = { .size = sizeof(shunt_dict_currency) };
static const type release_type = { sizeof(shunt_dict_release),
                                   { TEXT_AT(shunt_dict_release, name),
                                     MANY_AT(shunt_dict_release, segments, &node_slot_type, count) },
                                   2 };
static const type fhir_element_type = { sizeof(shunt_fhir_element),
                                        { TEXT_AT(shunt_fhir_element, name), TEXT_AT(shunt_fhir_element, type),
                                          TEXT_AT(shunt_fhir_element, choice), ONE_AT(shunt_fhir_element, codes, &codeset_type),
                                          TEXT_AT(shunt_fhir_element, targets), TEXT_AT(shunt_fhir_element, words) },
                                        6 };
static const type fhir_type_type = { sizeof(shunt_fhir_type),
                                     { TEXT_AT(shunt_fhir_type, name), TEXT_AT(shunt_fhir_type, words),
                                       MANY_AT(shunt_fhir_type, elements, &fhir_element_type, element_count) },
                                     3 };
static const type x12_type = { sizeof(shunt_dict_x12),
                               { MANY_AT(shunt_dict_x12, guides, &guide_slot_type, guide_count),
                                 MANY_AT(shunt_dict_x12, releases, &release_type, release_count),
                                 MANY_AT(shunt_dict_x12, lists, &codeset_slot_type, list_count),
                                 MANY_AT(shunt_dict_x12, currencies, &currency_type, currency_count) },
                               4 };
static const type hl7_type = { sizeof(shunt_dict_hl7),
                               { MANY_AT(shunt_dict_hl7, guides, &guide_type, guide_count),
                                 MANY_AT(shunt_dict_hl7, releases, &release_type, release_count),
                                 MANY_AT(shunt_dict_hl7, lists, &codeset_slot_type, list_count) },
                               3 };
static const type fhir_type = { sizeof(shunt_dict_fhir),
                                { MANY_AT(shunt_dict_fhir, versions[0].types, &fhir_type_type, versions[0].count),
                                  MANY_AT(shunt_dict_fhir, versions[1].types, &fhir_type_type, versions[1].count) },
                                2 };

/* ---- what there is ---- */

typedef struct thing {
    const char *at;
    const type *type;
} thing;

/* Things that stand side by side in memory, and where they stand in the image. */
typedef struct block {
    const char *begin, *end;
    size_t      offset;
} block;

static struct {
    thing       *things; /* in order of discovery */
    size_t       thing_count, thing_room;
    size_t      *seen; /* hash table of things, number + 1 */
    size_t       seen_room;
    block       *blocks;
    size_t       block_count;
    const char **texts; /* sorted, each once */
    size_t      *text_offsets;
    size_t       text_count, text_room;
} all;

static size_t slot_of(thing t)
{
    size_t hash = ((uintptr_t)t.at * 31 + (uintptr_t)t.type) * (size_t)UINT64_C(0x9e3779b97f4a7c15),
           slot = hash >> 20 & (all.seen_room - 1);
    while (all.seen[slot] && (all.things[all.seen[slot] - 1].at != t.at || all.things[all.seen[slot] - 1].type != t.type))
        slot = (slot + 1) & (all.seen_room - 1);
    return slot;
}

static void add_thing(thing t)
{
    if (all.thing_count * 2 >= all.seen_room) {
        all.seen_room = all.seen_room ? all.seen_room * 2 : 1 << 16;
        free(all.seen);
        all.seen = need(calloc(all.seen_room, sizeof *all.seen));
        for (size_t i = 0; i < all.thing_count; i++) all.seen[slot_of(all.things[i])] = i + 1;
    }
    size_t slot = slot_of(t);
    if (all.seen[slot]) return;
    if (all.thing_count == all.thing_room)
        all.things = need(realloc(all.things, (all.thing_room = all.thing_room * 2 + 1000) * sizeof *all.things));
    all.things[all.thing_count++] = t;
    all.seen[slot] = all.thing_count;
}

static const char *load(const char *at)
{
    const char *to;
    memcpy(&to, at, sizeof to);
    return to;
}

static size_t count_of(const char *at, const pointer *p)
{
    if (p->count == ONE) return 1;
    if (p->count == UP_TO_NULL) {
        size_t count = 1;
        while (load(load(at + p->offset) + (count - 1) * p->to->size + p->to->pointers[0].offset)) count++;
        return count;
    }
    uint16_t half;
    uint32_t whole;
    memcpy(&half, at + p->count, sizeof half);
    if (p->count_size == sizeof half) return half;
    memcpy(&whole, at + p->count, sizeof whole);
    return whole;
}

static void add_text(const char *text)
{
    if (all.text_count == all.text_room)
        all.texts = need(realloc(all.texts, (all.text_room = all.text_room * 2 + 1000) * sizeof *all.texts));
    all.texts[all.text_count++] = text;
}

static void find_all(thing root)
{
    add_thing(root);
    for (size_t i = 0; i < all.thing_count; i++) {
        const thing t = all.things[i];
        for (size_t k = 0; k < t.type->pointer_count; k++) {
            const pointer *p = &t.type->pointers[k];
            const char    *to = load(t.at + p->offset);
            if (!to) continue;
            if (!p->to) add_text(to);
            for (size_t n = 0, count = p->to ? count_of(t.at, p) : 0; n < count; n++)
                add_thing((thing){ to + n * p->to->size, p->to });
        }
    }
}

/* ---- where it stands ---- */

static int by_place(const void *a, const void *b)
{
    const block *x = a, *y = b;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* The root first; gives the size. */
static size_t place_things(void)
{
    all.blocks = need(calloc(all.thing_count, sizeof *all.blocks));
    for (size_t i = 0; i < all.thing_count; i++)
        all.blocks[i] = (block){ all.things[i].at, all.things[i].at + all.things[i].type->size, 0 };
    qsort(all.blocks + 1, all.thing_count - 1, sizeof *all.blocks, by_place);
    size_t last = 0, size = 0;
    for (size_t i = 1; i < all.thing_count; i++) {
        if (last && all.blocks[i].begin <= all.blocks[last].end) {
            if (all.blocks[i].end > all.blocks[last].end) all.blocks[last].end = all.blocks[i].end;
        } else {
            all.blocks[++last] = all.blocks[i];
        }
    }
    all.block_count = last + 1;
    for (size_t i = 0; i < all.block_count; i++) {
        /* Aligned as it was; the root stands at 0, wherever it was. */
        if (i) size = (size + 15) / 16 * 16 + (uintptr_t)all.blocks[i].begin % 16;
        all.blocks[i].offset = size;
        size += (size_t)(all.blocks[i].end - all.blocks[i].begin);
    }
    return (size + sizeof(void *) - 1) / sizeof(void *) * sizeof(void *);
}

static size_t place_texts(size_t size)
{
    size_t count = 0;
    qsort(all.texts, all.text_count, sizeof *all.texts, by_text);
    for (size_t i = 0; i < all.text_count; i++)
        if (!count || strcmp(all.texts[count - 1], all.texts[i]) != 0) all.texts[count++] = all.texts[i];
    all.text_count = count;
    all.text_offsets = need(calloc(count + 1, sizeof *all.text_offsets));
    for (size_t i = 0; i < count; i++) {
        all.text_offsets[i] = size;
        size += strlen(all.texts[i]) + 1;
    }
    return (size + sizeof(void *) - 1) / sizeof(void *) * sizeof(void *);
}

static size_t offset_of(const char *at)
{
    if (at == all.blocks[0].begin) return all.blocks[0].offset;
    size_t low = 1, high = all.block_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (all.blocks[middle].begin <= at)
            low = middle;
        else
            high = middle;
    }
    return all.blocks[low].offset + (size_t)(at - all.blocks[low].begin);
}

static size_t offset_of_text(const char *text)
{
    const char **found = bsearch(&text, all.texts, all.text_count, sizeof *all.texts, by_text);
    return all.text_offsets[found - all.texts];
}

/* ---- writing ---- */

static void write_image(FILE *out, const char *name, thing root)
{
    all.thing_count = all.text_count = 0;
    if (all.seen) memset(all.seen, 0, all.seen_room * sizeof *all.seen);
    find_all(root);
    size_t    things = place_things(), size = place_texts(things), count = things / sizeof(void *);
    char     *image = need(calloc(size, 1));
    uint64_t *bits = need(calloc(count / 64 + 1, sizeof *bits));
    for (size_t i = 0; i < all.block_count; i++)
        memcpy(image + all.blocks[i].offset, all.blocks[i].begin, (size_t)(all.blocks[i].end - all.blocks[i].begin));
    for (size_t i = 0; i < all.text_count; i++) memcpy(image + all.text_offsets[i], all.texts[i], strlen(all.texts[i]) + 1);
    for (size_t i = 0; i < all.thing_count; i++)
        for (size_t k = 0; k < all.things[i].type->pointer_count; k++) {
            const pointer *p = &all.things[i].type->pointers[k];
            const char    *to = load(all.things[i].at + p->offset);
            size_t         at = offset_of(all.things[i].at) + p->offset;
            if (!to) continue;
            uintptr_t offset = p->to ? offset_of(to) : offset_of_text(to);
            memcpy(image + at, &offset, sizeof offset);
            bits[at / sizeof(void *) / 64] |= UINT64_C(1) << at / sizeof(void *) % 64;
        }
    fprintf(out, "\nstatic const uintptr_t words_%s[] = {", name);
    for (size_t i = 0; i < size / sizeof(void *); i++) {
        uintptr_t word;
        memcpy(&word, image + i * sizeof word, sizeof word);
        fprintf(out, "%s%#jx,", i % 16 ? "" : "\n", (uintmax_t)word);
    }
    fprintf(out, "\n};\nstatic const uint64_t pointers_%s[] = {", name);
    for (size_t i = 0; i < count / 64 + 1; i++) fprintf(out, "%s%#jx,", i % 16 ? "" : "\n", (uintmax_t)bits[i]);
    fprintf(out, "\n};\nstatic uintptr_t room_%s[%zu];\nstatic atomic_int state_%s;\n", name, count, name);
    fprintf(out, "const shunt_dict_image shunt_dict_image_%s = { words_%s, pointers_%s, %zu, room_%s, &state_%s };\n", name, name,
            name, count, name, name);
    free(image);
    free(bits);
    free(all.blocks);
    free(all.text_offsets);
}

/* The image is of things as this machine has them. */
static void write_layouts(FILE *out)
{
    uint16_t order = 1;
    uint8_t  first;
    memcpy(&first, &order, 1);
    fprintf(out, "_Static_assert(__BYTE_ORDER__ == %s, \"made for another machine\");\n",
            first ? "__ORDER_LITTLE_ENDIAN__" : "__ORDER_BIG_ENDIAN__");
#define SAME(T, member)                                                                                                          \
    fprintf(out,                                                                                                                 \
            "_Static_assert(sizeof(" #T ") == %zu && offsetof(" #T ", " #member ") == %zu, \"made for another machine\");\n",    \
            sizeof(T), offsetof(T, member))
    SAME(shunt_codeset, complete);
    SAME(shunt_key_phi, phi);
    SAME(shunt_element, phi_by_key);
    SAME(shunt_segment_node, syntax);
    SAME(shunt_entry, loop);
    SAME(shunt_loop, body_count);
    SAME(shunt_guide, body);
    SAME(shunt_dict_release, count);
    SAME(shunt_dict_currency, scale);
    SAME(shunt_fhir_element, words);
    SAME(shunt_fhir_type, element_count);
    SAME(shunt_dict_x12, currency_count);
    SAME(shunt_dict_hl7, list_count);
    SAME(shunt_dict_fhir, versions[1].count);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: gen_image OUTPUT.c\n", stderr);
        return 2;
    }
    FILE *out = fopen(argv[1], "wb");
    if (!out) fail((place){ argv[1], 0 }, "%s", strerror(errno));
    fputs("/* Made by standards/dict/gen_image.c from the tables of the other generators. */\n#include <stddef.h>\n\n"
          "#include \"standards/dict/image.h\"\n\n",
          out);
    write_layouts(out);
    write_image(out, "x12", (thing){ (const char *)&shunt_dict_tables_x12, &x12_type });
    write_image(out, "hl7", (thing){ (const char *)&shunt_dict_tables_hl7, &hl7_type });
    write_image(out, "fhir", (thing){ (const char *)&shunt_dict_tables_fhir, &fhir_type });
    if (ferror(out) || fclose(out) != 0) fail((place){ argv[1], 0 }, "cannot be written");
    return 0;
}
