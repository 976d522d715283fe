/* program.c - saving and loading of programs.
 * File, little endian: magic, format version, number of sections, size of the file, SHA-256 of all else (64 bytes in all); the
 * section table, element size and count of each; the sections in that order, each at a multiple of 16, zeros between. The texts
 * are four sections at the end: lengths and bytes, of the program's texts and of its tables' texts. */
#include "engine/vm/program.h"

#include <assert.h>
#include <stdio.h>

#include "engine/base/hash.h"
#include "engine/vm/optimise.h"
#include "engine/vm/owner.h"
#include "engine/vm/table.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "sections are saved as they stand");
/* The format: a struct that changes its size is another format version. */
_Static_assert(sizeof(shunt_plan_source) == 12 && sizeof(shunt_plan_guide) == 24 && sizeof(shunt_plan_loop) == 18 &&
                   sizeof(shunt_plan_node) == 64,
               "format");
_Static_assert(sizeof(shunt_plan_choice) == 4 && sizeof(shunt_plan_frame) == 14 && sizeof(shunt_plan_slot) == 22, "format");
_Static_assert(sizeof(shunt_plan_layout) == 28 && sizeof(shunt_plan_row) == 18 && sizeof(shunt_plan_column) == 20, "format");
_Static_assert(sizeof(shunt_plan_demand) == 8 && sizeof(shunt_source) == 16 && sizeof(shunt_map_entry) == 24, "format");
_Static_assert(sizeof(shunt_handler) == 8 && sizeof(shunt_tally) == 32 && sizeof(shunt_constant) == 32, "format");
_Static_assert(sizeof(shunt_function) == 28 && sizeof(shunt_type) == 8 && sizeof(shunt_instruction) == 8, "format");
_Static_assert(sizeof(shunt_site) == 12 && sizeof(shunt_enum) == 12 && sizeof(shunt_code_list) == 12, "format");
_Static_assert(sizeof(shunt_record_type) == 12 && sizeof(shunt_field) == 16 && sizeof(shunt_table) == 52, "format");
_Static_assert(sizeof(shunt_cell) == 32 && sizeof(shunt_code) == 8 && sizeof(shunt_exit) == 16, "format");
_Static_assert(sizeof(shunt_target) == 24 && sizeof(shunt_encoding) == 28 && sizeof(shunt_encoding_column) == 16, "format");
_Static_assert(sizeof(shunt_message_node) == 20, "format");
_Static_assert(sizeof(shunt_collect) == 24 && sizeof(shunt_collect_field) == 8 && sizeof(shunt_alternative) == 8, "format");
_Static_assert(sizeof(shunt_earliest) == 12 && sizeof(shunt_date_path) == 8 && sizeof(shunt_lineage) == 16, "format");
_Static_assert(sizeof(shunt_module) == 40 && sizeof(shunt_zone) == 40 && sizeof(shunt_zone_change) == 16, "format");

const struct shunt_op_info shunt_op_info[SHUNT_OP_COUNT] = {
#define SHUNT_OP(name, a, b, c, effect) { #name, SHUNT_OPERAND_##a, SHUNT_OPERAND_##b, SHUNT_OPERAND_##c, effect },
#include "engine/vm/opcodes.def"
};

const struct shunt_builtin_info shunt_builtin_info[SHUNT_BUILTIN_COUNT] = {
#define SHUNT_BUILTIN(name, arguments, result, effect) { #name, arguments, result, effect },
#include "engine/vm/builtin.def"
};

enum { FORMAT_VERSION = 5, ALIGNMENT = 16 };

enum section {
#define X(type, member) SECTION_##member,
    SHUNT_PROGRAM_SECTIONS(X)
#undef X
        SECTION_TEXT_LENGTHS,
    SECTION_TEXT_BYTES,
    SECTION_TABLE_TEXT_LENGTHS,
    SECTION_TABLE_TEXT_BYTES,
    SECTION_COUNT
};

static const struct section_info {
    const char *name;
    uint32_t    element_bytes;
} section_info[SECTION_COUNT] = {
#define X(type, member) { #member, sizeof(type) },
    SHUNT_PROGRAM_SECTIONS(X)
#undef X
        { "lengths of texts", 4 },
    { "texts", 1 },
    { "lengths of table texts", 4 },
    { "table texts", 1 },
};

struct header {
    char     magic[8];
    uint32_t version, sections;
    uint64_t size;
    uint64_t reserved;
    uint8_t  hash[32];
};
_Static_assert(sizeof(struct header) == 64, "format");

struct section_entry {
    uint32_t element_bytes, count;
};

static const char magic[8] = { 'S', 'H', 'U', 'N', 'T', 'M', 'A', 'P' };

enum {
    SECTIONS_AT = (sizeof(struct header) + SECTION_COUNT * sizeof(struct section_entry) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT
};

/* Bytes that mean nothing: written as zeros, so that equal programs give equal bytes. */
static const struct unused {
    uint16_t section, offset, length;
} unused_bytes[] = {
#define UNUSED(section, type, member) { SECTION_##section, offsetof(type, member), sizeof(((type *)0)->member) },
    { SECTION_nodes, offsetof(shunt_plan_node, group_count) + 2,
      offsetof(shunt_plan_node, composites) - offsetof(shunt_plan_node, group_count) - 2 },
    UNUSED(layouts, shunt_plan_layout, reserved) UNUSED(columns, shunt_plan_column, reserved) UNUSED(
        constants, shunt_constant, reserved) UNUSED(enums, shunt_enum, reserved) UNUSED(code_lists, shunt_code_list, reserved)
        UNUSED(records, shunt_record_type, reserved) UNUSED(cells, shunt_cell, reserved) UNUSED(tables, shunt_table, reserved)
            UNUSED(exits, shunt_exit, reserved) UNUSED(encoding_columns, shunt_encoding_column, reserved)
                UNUSED(collect_fields, shunt_collect_field, reserved) UNUSED(alternatives, shunt_alternative, reserved)
                    UNUSED(date_paths, shunt_date_path, reserved) UNUSED(earliests, shunt_earliest, reserved)
                        UNUSED(handlers, shunt_handler, reserved) UNUSED(maps, shunt_map_entry, reserved)
                            UNUSED(lineage, shunt_lineage, reserved) UNUSED(lineage, shunt_lineage, reserved2)
                                UNUSED(modules, shunt_module, reserved) UNUSED(sources, shunt_source, reserved)
                                    UNUSED(zone_changes, shunt_zone_change, reserved) UNUSED(tallies, shunt_tally, reserved)
#undef UNUSED
};

static uint64_t aligned(uint64_t offset) { return (offset + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

/* ---- saving ---- */

static uint64_t bytes_of_texts(const shunt_text *texts, uint32_t count)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < count; i++) bytes += texts[i].length;
    return bytes;
}

/* A union holds what its kind says and zeros elsewhere. */
static shunt_value plain_value(uint8_t kind, shunt_value value)
{
    shunt_value plain;
    memset(&plain, 0, sizeof plain);
    if (kind == SHUNT_KIND_DECIMAL)
        plain.coefficient = value.coefficient;
    else if (kind == SHUNT_KIND_MOMENT)
        plain.moment = value.moment;
    else
        plain.integer = value.integer;
    return plain;
}

static void plain_cells(const shunt_program *p, shunt_cell *cells)
{
    for (uint32_t t = 0; t < p->tables_count; t++) {
        const shunt_table *table = &p->tables[t];
        if (table->record >= p->records_count) continue;
        const shunt_record_type *record = &p->records[table->record];
        if (record->field_first > p->fields_count || record->field_count > p->fields_count - record->field_first) continue;
        uint64_t count = (uint64_t)table->row_count * record->field_count;
        if (record->field_count == 0 || table->cell_first > p->cells_count || count > p->cells_count - table->cell_first)
            continue;
        const shunt_field *fields = p->fields + record->field_first;
        shunt_cell        *cell = cells + table->cell_first;
        for (uint32_t row = 0; row < table->row_count; row++) {
            for (uint32_t f = 0; f < record->field_count; f++, cell++) {
                uint8_t kind = fields[f].type.kind;
                if (cell->state != SHUNT_PRESENT || kind != SHUNT_KIND_TEXT) cell->text = 0;
                if (cell->state != SHUNT_PRESENT || kind == SHUNT_KIND_TEXT)
                    memset(&cell->value, 0, sizeof cell->value);
                else
                    cell->value = plain_value(kind, cell->value);
            }
        }
    }
}

static void write_section(const shunt_program *p, enum section section, const void *from, uint32_t count, char *to)
{
    size_t size = section_info[section].element_bytes;
    if (count) memcpy(to, from, size * count);
    for (size_t u = 0; u < SHUNT_COUNT(unused_bytes); u++) {
        if (unused_bytes[u].section != section) continue;
        for (uint32_t i = 0; i < count; i++) memset(to + size * i + unused_bytes[u].offset, 0, unused_bytes[u].length);
    }
    if (section == SECTION_constants) {
        shunt_constant *constants = (shunt_constant *)(void *)to;
        for (uint32_t i = 0; i < count; i++) constants[i].value = plain_value(constants[i].type.kind, constants[i].value);
    }
    if (section == SECTION_cells && count) plain_cells(p, (shunt_cell *)(void *)to);
}

static void write_texts(const shunt_text *texts, uint32_t count, char *lengths, char *bytes)
{
    for (uint32_t i = 0; i < count; i++) {
        memcpy(lengths + (size_t)i * 4, &texts[i].length, 4);
        if (texts[i].length) memcpy(bytes, texts[i].bytes, texts[i].length);
        bytes += texts[i].length;
    }
}

static void hash_file(const uint8_t *bytes, size_t size, uint8_t hash[static 32])
{
    shunt_sha256 sha;
    shunt_sha256_init(&sha);
    shunt_sha256_add(&sha, bytes, offsetof(struct header, hash));
    shunt_sha256_add(&sha, bytes + sizeof(struct header), size - sizeof(struct header));
    shunt_sha256_finish(&sha, hash);
}

shunt_status shunt_program_save(const shunt_program *p, shunt_buffer *out)
{
    const void *data[SECTION_COUNT] = {
#define X(type, member) p->member,
        SHUNT_PROGRAM_SECTIONS(X)
#undef X
            NULL
    };
    uint64_t text_bytes = bytes_of_texts(p->texts, p->texts_count),
             table_text_bytes = bytes_of_texts(p->table_texts, p->table_texts_count);
    if (text_bytes > UINT32_MAX || table_text_bytes > UINT32_MAX) return SHUNT_NO_MEMORY;
    uint32_t counts[SECTION_COUNT] = {
#define X(type, member) p->member##_count,
        SHUNT_PROGRAM_SECTIONS(X)
#undef X
            p->texts_count,
        (uint32_t)text_bytes, p->table_texts_count, (uint32_t)table_text_bytes
    };
    uint64_t size = SECTIONS_AT, offsets[SECTION_COUNT];
    for (int s = 0; s < SECTION_COUNT; s++) {
        offsets[s] = size;
        size = aligned(size + (uint64_t)section_info[s].element_bytes * counts[s]);
    }
    /* Sections are written through their own types, so the file is put together where alignment is certain. */
    char *file = (char *)shunt_memory_zeroed(out->memory, 1, size);
    if (!file) {
        out->failed = true;
        return SHUNT_NO_MEMORY;
    }
    struct header *header = (struct header *)(void *)file;
    memcpy(header->magic, magic, sizeof magic);
    header->version = FORMAT_VERSION;
    header->sections = SECTION_COUNT;
    header->size = size;
    struct section_entry *entries = (struct section_entry *)(void *)(file + sizeof *header);
    for (int s = 0; s < SECTION_COUNT; s++) entries[s] = (struct section_entry){ section_info[s].element_bytes, counts[s] };
    for (int s = 0; s < SECTION_TEXT_LENGTHS; s++) write_section(p, (enum section)s, data[s], counts[s], file + offsets[s]);
    write_texts(p->texts, p->texts_count, file + offsets[SECTION_TEXT_LENGTHS], file + offsets[SECTION_TEXT_BYTES]);
    write_texts(p->table_texts, p->table_texts_count, file + offsets[SECTION_TABLE_TEXT_LENGTHS],
                file + offsets[SECTION_TABLE_TEXT_BYTES]);
    hash_file((const uint8_t *)file, size, header->hash);
    shunt_buffer_add(out, file, size);
    shunt_memory_free(out->memory, file);
    return out->failed ? SHUNT_NO_MEMORY : SHUNT_OK;
}

/* ---- loading ---- */

/* One block: this, then the sections, the texts, the constants. */
struct loaded {
    _Alignas(ALIGNMENT) shunt_program program;
    shunt_program              runs;
    struct shunt_program_owner owner;
};

static shunt_status refuse(char why[static 200], const char *reason, const char *name)
{
    snprintf(why, 200, "%s%s", reason, name);
    return SHUNT_PROGRAM_BAD;
}

/* Reads header and section table; offsets count from the first byte of the file. */
static shunt_status read_layout(const uint8_t *bytes, size_t size, uint32_t counts[static SECTION_COUNT],
                                uint64_t offsets[static SECTION_COUNT], char why[static 200])
{
    struct header header;
    if (size < sizeof header) return refuse(why, "too short to be a program", "");
    memcpy(&header, bytes, sizeof header);
    if (memcmp(header.magic, magic, sizeof magic) != 0) return refuse(why, "not a program: no SHUNTMAP at its start", "");
    if (header.version != FORMAT_VERSION) return refuse(why, "made by another version: compile it again", "");
    if (header.sections != SECTION_COUNT || header.reserved != 0) return refuse(why, "header is damaged", "");
    if (header.size != size || size < SECTIONS_AT) return refuse(why, "cut off, or longer than it says", "");
    uint8_t hash[32];
    hash_file(bytes, size, hash);
    if (memcmp(hash, header.hash, sizeof hash) != 0) return refuse(why, "damaged: its content does not fit its hash", "");

    uint64_t at = SECTIONS_AT;
    for (int s = 0; s < SECTION_COUNT; s++) {
        struct section_entry entry;
        memcpy(&entry, bytes + sizeof header + (size_t)s * sizeof entry, sizeof entry);
        if (entry.element_bytes != section_info[s].element_bytes)
            return refuse(why, "element size of section ", section_info[s].name);
        uint64_t length = (uint64_t)entry.element_bytes * entry.count;
        if (at > size || length > size - at || aligned(at + length) > size)
            return refuse(why, "beyond the end: section ", section_info[s].name);
        counts[s] = entry.count;
        offsets[s] = at;
        at = aligned(at + length);
        for (uint64_t i = offsets[s] + length; i < at; i++) {
            if (bytes[i] != 0) return refuse(why, "padding after section ", section_info[s].name);
        }
    }
    for (size_t i = sizeof header + SECTION_COUNT * sizeof(struct section_entry); i < SECTIONS_AT; i++) {
        if (bytes[i] != 0) return refuse(why, "padding after the section table", "");
    }
    return at == size ? SHUNT_OK : refuse(why, "bytes after the last section", "");
}

static bool read_texts(const uint8_t *lengths, uint32_t count, const char *bytes, uint32_t byte_count, shunt_text *texts)
{
    uint64_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t length;
        memcpy(&length, lengths + (size_t)i * 4, 4);
        if (length > byte_count - at) return false;
        texts[i] = (shunt_text){ bytes + at, length };
        at += length;
    }
    return at == byte_count;
}

/* All sections but those that say only where things stand in the rules. */
static void hash_code(const shunt_program *p, uint8_t hash[static 32])
{
    shunt_sha256 sha;
    shunt_sha256_init(&sha);
#define X(type, member)                                                                                                          \
    if (SECTION_##member != SECTION_sites && SECTION_##member != SECTION_instruction_sites &&                                    \
        SECTION_##member != SECTION_modules && SECTION_##member != SECTION_lineage && SECTION_##member != SECTION_exits) {       \
        shunt_sha256_add(&sha, &p->member##_count, sizeof p->member##_count);                                                    \
        shunt_sha256_add(&sha, p->member, sizeof(type) * p->member##_count);                                                     \
    }
    SHUNT_PROGRAM_SECTIONS(X)
#undef X
    for (uint32_t i = 0; i < p->exits_count; i++) {
        shunt_exit exit = p->exits[i];
        exit.site = 0;
        shunt_sha256_add(&sha, &exit, sizeof exit);
    }
    for (uint32_t i = 0; i < p->texts_count; i++) {
        shunt_sha256_add(&sha, &p->texts[i].length, 4);
        shunt_sha256_add(&sha, p->texts[i].bytes, p->texts[i].length);
    }
    for (uint32_t i = 0; i < p->table_texts_count; i++) {
        shunt_sha256_add(&sha, &p->table_texts[i].length, 4);
        shunt_sha256_add(&sha, p->table_texts[i].bytes, p->table_texts[i].length);
    }
    shunt_sha256_finish(&sha, hash);
}

static void fill_plan(shunt_program *p)
{
    p->plan = (shunt_plan){
        .sources = p->plan_sources,
        .source_count = p->plan_sources_count,
        .guides = p->guides,
        .guide_count = p->guides_count,
        .loops = p->loops,
        .loop_count = p->loops_count,
        .nodes = p->nodes,
        .node_count = p->nodes_count,
        .keys = p->keys,
        .key_count = p->keys_count,
        .ids = p->ids,
        .id_count = p->ids_count,
        .dispatch = p->dispatch,
        .dispatch_count = p->dispatch_count,
        .layouts = p->layouts,
        .layout_count = p->layouts_count,
        .rows = p->rows,
        .row_count = p->rows_count,
        .columns = p->columns,
        .column_count = p->columns_count,
        .row_keys = p->row_keys,
        .row_key_count = p->row_keys_count,
        .choices = p->choices,
        .choice_count = p->choices_count,
        .frames = p->frames,
        .frame_count = p->frames_count,
        .children = p->children,
        .child_count = p->children_count,
        .slots = p->slots,
        .slot_count = p->slots_count,
        .demands = p->demands,
        .demand_count = p->demands_count,
        .texts = p->texts,
        .text_count = p->texts_count,
    };
}

static void fill_constants(const shunt_program *p, shunt_value *values)
{
    for (uint32_t i = 0; i < p->constants_count; i++) {
        values[i] = p->constants[i].value;
        if (p->constants[i].type.kind == SHUNT_KIND_TEXT)
            values[i] = (shunt_value){ .text = p->texts[p->constants[i].value.integer] };
    }
}

static shunt_status make_lookups(const shunt_memory *memory, shunt_program *p, char why[static 200])
{
    if (p->tables_count == 0) return SHUNT_OK;
    p->lookups = (struct shunt_lookup **)shunt_memory_zeroed(memory, p->tables_count, sizeof *p->lookups);
    if (!p->lookups) return SHUNT_NO_MEMORY;
    for (uint32_t t = 0; t < p->tables_count; t++) SHUNT_TRY(shunt_lookup_new(memory, p, t, &p->lookups[t], why));
    return SHUNT_OK;
}

/* What VMs run. It passes the verifier as what came from a file did, so a fault of ours makes no run unsafe. */
static shunt_status make_code(const shunt_memory *memory, struct loaded *loaded)
{
    shunt_optimised code;
    shunt_bounds    bounds;
    char            why[200];
    SHUNT_TRY(shunt_optimise(memory, &loaded->program, &code));
    loaded->owner.code = code.block;
    loaded->runs = loaded->program;
    loaded->runs.functions = code.functions;
    loaded->runs.instructions = code.instructions;
    loaded->runs.instructions_count = code.count;
    if (loaded->program.instruction_sites_count) {
        loaded->runs.instruction_sites = code.sites;
        loaded->runs.instruction_sites_count = code.count;
    }
    shunt_status status = shunt_verify_code(memory, &loaded->runs, &bounds, why);
    assert(status != SHUNT_PROGRAM_BAD);
    if (status == SHUNT_PROGRAM_BAD) loaded->runs = loaded->program;
    return status == SHUNT_NO_MEMORY ? status : SHUNT_OK;
}

shunt_status shunt_program_load(const shunt_memory *memory, const uint8_t *bytes, size_t size, shunt_program **program,
                                char why[static 200])
{
    uint32_t counts[SECTION_COUNT];
    uint64_t offsets[SECTION_COUNT];
    why[0] = 0;
    SHUNT_TRY(read_layout(bytes, size, counts, offsets, why));

    uint64_t       sections = size - SECTIONS_AT;
    uint64_t       texts = (uint64_t)counts[SECTION_TEXT_LENGTHS] * sizeof(shunt_text);
    uint64_t       cells = (uint64_t)counts[SECTION_TABLE_TEXT_LENGTHS] * sizeof(shunt_text);
    uint64_t       values = (uint64_t)counts[SECTION_constants] * sizeof(shunt_value);
    struct loaded *loaded = (struct loaded *)shunt_memory_get(memory, sizeof *loaded + sections + texts + cells + values);
    if (!loaded) return SHUNT_NO_MEMORY;
    *loaded = (struct loaded){ .owner = { .memory = *memory, .written = &loaded->program, .runs = &loaded->runs } };

    char *base = (char *)(loaded + 1);
    memcpy(base, bytes + SECTIONS_AT, sections);
    shunt_program *p = &loaded->program;
    p->owner = &loaded->owner;
#define X(type, member)                                                                                                          \
    p->member = (const type *)(void *)(base + (offsets[SECTION_##member] - SECTIONS_AT));                                        \
    p->member##_count = counts[SECTION_##member];
    SHUNT_PROGRAM_SECTIONS(X)
#undef X
    memcpy(p->hash, bytes + offsetof(struct header, hash), 32);

    shunt_text *text_array = (shunt_text *)(void *)(base + sections),
               *table_text_array = (shunt_text *)(void *)(base + sections + texts);
    shunt_value *constants = (shunt_value *)(void *)(base + sections + texts + cells);
    const char  *text_bytes = base + (offsets[SECTION_TEXT_BYTES] - SECTIONS_AT),
               *table_text_bytes = base + (offsets[SECTION_TABLE_TEXT_BYTES] - SECTIONS_AT);
    p->texts = text_array;
    p->texts_count = counts[SECTION_TEXT_LENGTHS];
    p->table_texts = table_text_array;
    p->table_texts_count = counts[SECTION_TABLE_TEXT_LENGTHS];
    loaded->owner.texts_begin = text_bytes;
    loaded->owner.texts_end = text_bytes + counts[SECTION_TEXT_BYTES];
    loaded->owner.table_texts_begin = table_text_bytes;
    loaded->owner.table_texts_end = table_text_bytes + counts[SECTION_TABLE_TEXT_BYTES];

    shunt_status status = SHUNT_OK;
    if (!read_texts(bytes + offsets[SECTION_TEXT_LENGTHS], p->texts_count, text_bytes, counts[SECTION_TEXT_BYTES], text_array) ||
        !read_texts(bytes + offsets[SECTION_TABLE_TEXT_LENGTHS], p->table_texts_count, table_text_bytes,
                    counts[SECTION_TABLE_TEXT_BYTES], table_text_array))
        status = refuse(why, "lengths of texts do not fit their bytes", "");
    if (status == SHUNT_OK) {
        fill_plan(p);
        status = shunt_verify(memory, p, &loaded->owner.bounds, why);
    }
    if (status == SHUNT_OK) {
        fill_constants(p, constants);
        loaded->owner.constants = constants;
        hash_code(p, p->code_hash);
        status = make_lookups(memory, p, why);
    }
    if (status == SHUNT_OK) status = make_code(memory, loaded);
    if (status != SHUNT_OK) {
        shunt_program_free(p);
        return status;
    }
    *program = p;
    return SHUNT_OK;
}

void shunt_program_free(shunt_program *program)
{
    if (!program) return;
    struct shunt_program_owner *owner = (struct shunt_program_owner *)program->owner;
    const shunt_memory          memory = owner->memory;
    for (uint32_t t = 0; program->lookups && t < program->tables_count; t++) {
        if (!owner->base || t == owner->own_table) shunt_lookup_free(&memory, program->lookups[t]);
    }
    shunt_memory_free(&memory, program->lookups);
    shunt_memory_free(&memory, owner->code);
    shunt_memory_free(&memory, program); /* first member of its block */
}

/* ---- another table ---- */

static void hash_copy(const uint8_t base[static 32], uint16_t table, const uint8_t content[static 32], uint8_t hash[static 32])
{
    shunt_sha256 sha;
    shunt_sha256_init(&sha);
    shunt_sha256_add(&sha, base, 32);
    shunt_sha256_add(&sha, &table, sizeof table);
    shunt_sha256_add(&sha, content, 32);
    shunt_sha256_finish(&sha, hash);
}

shunt_status shunt_program_with_table(const shunt_memory *memory, const shunt_program *base, uint16_t table,
                                      const shunt_cell *cells, uint32_t rows, const shunt_text *texts, uint32_t text_count,
                                      const uint8_t hash[static 32], shunt_program **copy, char why[static 200])
{
    why[0] = 0;
    if (table >= base->tables_count) return SHUNT_USAGE;
    /* The cells of the other tables move as they are; those of this one stand where the old ones stood. */
    const shunt_table *old = &base->tables[table];
    uint32_t           fields = base->records[old->record].field_count;
    uint64_t           old_cells = (uint64_t)old->row_count * fields, new_cells = (uint64_t)rows * fields;
    uint64_t all_cells = base->cells_count - old_cells + new_cells, all_texts = (uint64_t)base->table_texts_count + text_count;
    uint64_t bytes = bytes_of_texts(texts, text_count);
    if (all_cells > UINT32_MAX || all_texts > UINT32_MAX || bytes > UINT32_MAX) return refuse(why, "too many cells", "");

    uint64_t tables_at = sizeof(struct loaded),
             cells_at = tables_at + aligned(sizeof(shunt_table) * (uint64_t)base->tables_count);
    uint64_t       texts_at = cells_at + sizeof(shunt_cell) * all_cells, bytes_at = texts_at + sizeof(shunt_text) * all_texts;
    struct loaded *loaded = (struct loaded *)shunt_memory_get(memory, bytes_at + bytes + 1);
    if (!loaded) return SHUNT_NO_MEMORY;
    const struct shunt_program_owner *base_owner = shunt_program_owner_of(base);
    *loaded = (struct loaded){ .program = *base,
                               .owner = { .memory = *memory,
                                          .base = base,
                                          .written = &loaded->program,
                                          .runs = &loaded->runs,
                                          .own_table = table,
                                          .constants = base_owner->constants,
                                          .texts_begin = base_owner->texts_begin,
                                          .texts_end = base_owner->texts_end } };
    shunt_program *p = &loaded->program;
    char          *block = (char *)loaded;
    shunt_table   *tables = (shunt_table *)(void *)(block + tables_at);
    shunt_cell    *copied = (shunt_cell *)(void *)(block + cells_at);
    shunt_text    *strings = (shunt_text *)(void *)(block + texts_at);
    char          *at = block + bytes_at;
    p->owner = &loaded->owner;
    p->lookups = NULL;
    loaded->owner.table_texts_begin = at;
    loaded->owner.table_texts_end = at + bytes;

    memcpy(tables, base->tables, sizeof(shunt_table) * base->tables_count);
    tables[table].row_count = rows;
    memcpy(tables[table].hash, hash, 32);
    for (uint32_t t = table + 1u; t < base->tables_count; t++)
        tables[t].cell_first = (uint32_t)(tables[t].cell_first - old_cells + new_cells);
    uint32_t before = old->cell_first, after = (uint32_t)(base->cells_count - old_cells - before);
    if (before) memcpy(copied, base->cells, sizeof(shunt_cell) * before);
    if (after) memcpy(copied + before + new_cells, base->cells + before + old_cells, sizeof(shunt_cell) * after);
    const shunt_field *types = base->fields + base->records[old->record].field_first;
    for (uint64_t i = 0; i < new_cells; i++) {
        shunt_cell cell = { .state = cells[i].state };
        uint8_t    kind = types[i % fields].type.kind;
        if (cell.state == SHUNT_PRESENT && kind == SHUNT_KIND_TEXT) {
            if (cells[i].text >= text_count) {
                shunt_memory_free(memory, loaded);
                return refuse(why, "a cell names a text that is not there", "");
            }
            cell.text = base->table_texts_count + cells[i].text;
        } else if (cell.state == SHUNT_PRESENT) {
            cell.value = plain_value(kind, cells[i].value);
        }
        copied[before + i] = cell;
    }
    if (base->table_texts_count) memcpy(strings, base->table_texts, sizeof(shunt_text) * base->table_texts_count);
    for (uint32_t i = 0; i < text_count; i++) {
        if (texts[i].length) memcpy(at, texts[i].bytes, texts[i].length);
        strings[base->table_texts_count + i] = (shunt_text){ at, texts[i].length };
        at += texts[i].length;
    }
    p->tables = tables;
    p->cells = copied;
    p->cells_count = (uint32_t)all_cells;
    p->table_texts = strings;
    p->table_texts_count = (uint32_t)all_texts;
    hash_copy(base->hash, table, hash, p->hash);
    hash_copy(base->code_hash, table, hash, p->code_hash);

    shunt_status status = shunt_verify(memory, p, &loaded->owner.bounds, why);
    if (status == SHUNT_OK) {
        p->lookups = (struct shunt_lookup **)shunt_memory_zeroed(memory, p->tables_count, sizeof *p->lookups);
        if (!p->lookups) status = SHUNT_NO_MEMORY;
    }
    if (status == SHUNT_OK) {
        memcpy(p->lookups, base->lookups, sizeof *p->lookups * p->tables_count);
        p->lookups[table] = NULL;
        status = shunt_lookup_new(memory, p, table, &p->lookups[table], why);
    }
    if (status != SHUNT_OK) {
        shunt_program_free(p);
        return status;
    }
    loaded->runs = *p;
    loaded->runs.functions = base_owner->runs->functions;
    loaded->runs.instructions = base_owner->runs->instructions;
    loaded->runs.instructions_count = base_owner->runs->instructions_count;
    loaded->runs.instruction_sites = base_owner->runs->instruction_sites;
    loaded->runs.instruction_sites_count = base_owner->runs->instruction_sites_count;
    *copy = p;
    return SHUNT_OK;
}

/* ---- what belongs to a program ---- */

static bool within(const char *begin, const char *end, shunt_text text)
{
    uintptr_t at = (uintptr_t)text.bytes;
    return at >= (uintptr_t)begin && at <= (uintptr_t)end && text.length <= (uintptr_t)end - at;
}

bool shunt_program_holds_text(const shunt_program *program, shunt_text text)
{
    for (const shunt_program *p = program; p; p = shunt_program_owner_of(p)->base) {
        const struct shunt_program_owner *owner = shunt_program_owner_of(p);
        if (within(owner->texts_begin, owner->texts_end, text) || within(owner->table_texts_begin, owner->table_texts_end, text))
            return true;
    }
    return false;
}

bool shunt_program_holds_row(const shunt_program *program, const struct shunt_row *row)
{
    for (uint32_t t = 0; t < program->tables_count; t++) {
        if (shunt_lookup_holds(program->lookups[t], row)) return true;
    }
    return false;
}
