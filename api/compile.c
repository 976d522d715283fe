/* compile.c - from the file of a module to a program: reads the closure of its imports, parses, checks, reads the tables,
 * emits, and loads what was emitted from its own bytes, so that what runs is always what was loaded. */
#include "api/compile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/definitions.h"
#include "dsl/emit.h"
#include "dsl/grow.h"
#include "dsl/table_csv.h"
#include "grammar/parse.h"

enum { MODULES_AT_MOST = 1000, FILE_AT_MOST = 64 << 20, SHOWN_AT_MOST = 20 };

/* ---- files ---- */

static void *libc_allocate(void *context, size_t size) { return (void)context, malloc(size ? size : 1); }
static void *libc_resize(void *context, void *block, size_t size) { return (void)context, realloc(block, size ? size : 1); }
static void  libc_release(void *context, void *block) { (void)context, free(block); }
static const shunt_allocator libc_allocator = { libc_allocate, libc_resize, libc_release, NULL };

static int read_stream(FILE *file, const shunt_allocator *allocator, unsigned char **bytes, size_t *size)
{
    size_t         used = 0, room = 1 << 14;
    unsigned char *block = allocator->allocate(allocator->context, room);
    if (!block) return ENOMEM;
    for (;;) {
        used += fread(block + used, 1, room - used, file);
        if (used < room) break;
        unsigned char *more = room < FILE_AT_MOST ? allocator->resize(allocator->context, block, room * 2) : NULL;
        if (!more) {
            allocator->release(allocator->context, block);
            return room < FILE_AT_MOST ? ENOMEM : EFBIG;
        }
        block = more;
        room *= 2;
    }
    if (ferror(file)) {
        int error = errno ? errno : EIO;
        allocator->release(allocator->context, block);
        return error;
    }
    *bytes = block;
    *size = used;
    return 0;
}

static int read_from_disk(void *context, const shunt_allocator *allocator, const char *path, unsigned char **bytes, size_t *size)
{
    (void)context;
    FILE *file = fopen(path, "rb");
    if (!file) return errno ? errno : EIO;
    int error = read_stream(file, allocator, bytes, size);
    fclose(file);
    return error;
}

/* A file as text in the arena; 0 or an errno. */
static int read_file(shunt_compiling *c, const shunt_compile_options *options, shunt_text path, shunt_text *text)
{
    const shunt_allocator *allocator = options && options->allocator ? options->allocator : &libc_allocator;
    shunt_read_file        read = options && options->read_file ? options->read_file : read_from_disk;
    const char            *z = shunt_text_z(c->arena, path);
    unsigned char         *bytes = NULL;
    size_t                 size = 0;
    if (!z) return ENOMEM;
    int error = read(options ? options->read_context : NULL, allocator, z, &bytes, &size);
    if (error) return error;
    if (size > UINT32_MAX / 2)
        error = EFBIG;
    else
        *text = shunt_text_copy(c->arena, (shunt_text){ (const char *)bytes, (uint32_t)size });
    allocator->release(allocator->context, bytes);
    return error ? error : text->bytes ? 0 : ENOMEM;
}

/* ---- paths ---- */

static shunt_text folder_of(shunt_text path)
{
    while (path.length && path.bytes[path.length - 1] != '/') path.length--;
    return path;
}

static shunt_text base_name(shunt_text path)
{
    shunt_text folder = folder_of(path);
    return (shunt_text){ path.bytes + folder.length, path.length - folder.length };
}

/* Without `.` and without the folders that a `..` behind them leaves, so that a file has one name however it is reached. */
static shunt_text tidy_path(shunt_arena *arena, shunt_text path)
{
    char    *out = shunt_arena_bytes(arena, path.length + 1);
    uint32_t used = 0, floor = 0;
    if (!out) return (shunt_text){ 0 };
    if (path.length && path.bytes[0] == '/') out[used++] = '/', floor = 1;
    for (uint32_t i = 0; i < path.length;) {
        uint32_t end = i;
        while (end < path.length && path.bytes[end] != '/') end++;
        shunt_text part = { path.bytes + i, end - i };
        i = end + 1;
        if (part.length == 0 || shunt_text_is(part, ".")) continue;
        if (shunt_text_is(part, "..") && used > floor) {
            used--;
            while (used > floor && out[used - 1] != '/') used--;
            continue;
        }
        memcpy(out + used, part.bytes, part.length);
        used += part.length;
        if (end < path.length) out[used++] = '/';
        if (shunt_text_is(part, "..")) floor = used;
    }
    return (shunt_text){ out, used };
}

/* `path` as a module at `from` means it. */
static shunt_text path_beside(shunt_arena *arena, shunt_text from, shunt_text path)
{
    if (path.length && path.bytes[0] == '/') return tidy_path(arena, path);
    shunt_text joined = shunt_text_format(arena, "%.*s%.*s", SHUNT_TEXT_ARGS(folder_of(from)), SHUNT_TEXT_ARGS(path));
    return joined.bytes ? tidy_path(arena, joined) : joined;
}

/* ---- modules ---- */

typedef struct loading {
    shunt_compiling             *c;
    const shunt_compile_options *options;
    SHUNT_LIST(shunt_module_info) modules;
} loading;

static shunt_status add_module(loading *l, shunt_text path, shunt_text source)
{
    shunt_compiling   *c = l->c;
    shunt_module_info *module = SHUNT_PUSH(c->arena, &l->modules);
    if (!module) return SHUNT_NO_MEMORY;
    *module = (shunt_module_info){ .name = path, .file = base_name(path), .source = source };
    return shunt_parse_module(&c->memory, c->arena, &c->diags, l->modules.count - 1, source, &module->tree);
}

static shunt_status resolve(loading *l, uint32_t from, shunt_ast *path, uint32_t *number)
{
    shunt_compiling *c = l->c;
    shunt_text       name = path_beside(c->arena, l->modules.items[from].name, path->text), source;
    *number = UINT32_MAX;
    if (!name.bytes) return SHUNT_NO_MEMORY;
    for (uint32_t i = 0; i < l->modules.count; i++) {
        if (!l->modules.items[i].tree || !shunt_text_equal(l->modules.items[i].name, name)) continue;
        *number = i;
        return SHUNT_OK;
    }
    if (l->modules.count == MODULES_AT_MOST) {
        shunt_diag_add(&c->diags, SHUNT_E0912, path->span, "a program has at most %d modules", MODULES_AT_MOST);
        return SHUNT_OK;
    }
    int error = read_file(c, l->options, name, &source);
    if (error == ENOMEM) return SHUNT_NO_MEMORY;
    if (error) {
        shunt_diag *d = shunt_diag_add(&c->diags, SHUNT_E0213, path->span, "`%.*s` can not be read: %s", SHUNT_TEXT_ARGS(name),
                                       strerror(error));
        shunt_diag_note(&c->diags, d, "the path of an import counts from the folder of its module");
        return SHUNT_OK;
    }
    *number = l->modules.count;
    return add_module(l, name, source);
}

/* The rows of a decision in a file: a module without a tree, so that whatever points into it finds its place. */
static shunt_status load_rows(loading *l, uint32_t from, const shunt_ast *path, uint32_t *number)
{
    shunt_compiling *c = l->c;
    shunt_text       name = path_beside(c->arena, l->modules.items[from].name, path->text), source;
    *number = UINT32_MAX;
    if (!name.bytes) return SHUNT_NO_MEMORY;
    if (l->modules.count == MODULES_AT_MOST) {
        shunt_diag_add(&c->diags, SHUNT_E0912, path->span, "a program has at most %d modules", MODULES_AT_MOST);
        return SHUNT_OK;
    }
    int error = read_file(c, l->options, name, &source);
    if (error == ENOMEM) return SHUNT_NO_MEMORY;
    if (error) {
        shunt_diag *d = shunt_diag_add(&c->diags, SHUNT_E0903, path->span, "`%.*s` can not be read: %s", SHUNT_TEXT_ARGS(name),
                                       strerror(error));
        shunt_diag_note(&c->diags, d, "the path of a decision counts from the folder of its module");
        return SHUNT_OK;
    }
    *number = l->modules.count;
    shunt_module_info *module = SHUNT_PUSH(c->arena, &l->modules);
    if (!module) return SHUNT_NO_MEMORY;
    *module = (shunt_module_info){ .name = name, .file = base_name(name), .source = source };
    return SHUNT_OK;
}

static shunt_status load_decisions(loading *l, uint32_t from)
{
    const shunt_ast *decls = l->modules.items[from].tree->kids[SHUNT_MODULE_decls];
    uint32_t        *decisions = SHUNT_NEW_N(l->c->arena, uint32_t, decls->kid_count + 1), count = 0;
    if (!decisions) return SHUNT_NO_MEMORY;
    for (uint32_t i = 0; i < decls->kid_count; i++) {
        const shunt_ast *rows = decls->kids[i]->kind == SHUNT_AST_DECIDE ? decls->kids[i]->kids[SHUNT_DECIDE_rows] : NULL;
        if (rows && rows->kind == SHUNT_AST_STRING) SHUNT_TRY(load_rows(l, from, rows, &decisions[count++]));
    }
    l->modules.items[from].decisions = decisions;
    return SHUNT_OK;
}

/* Imports of a module in the order written; a package (by name, layer 2) is left to the check. */
static shunt_status load_imports(loading *l, uint32_t number)
{
    const shunt_ast *decls = l->modules.items[number].tree->kids[SHUNT_MODULE_decls];
    uint32_t         count = 0, at = 0;
    for (uint32_t i = 0; i < decls->kid_count; i++) count += decls->kids[i]->kind == SHUNT_AST_IMPORT;
    uint32_t *imports = SHUNT_NEW_N(l->c->arena, uint32_t, count + 1);
    if (!imports) return SHUNT_NO_MEMORY;
    for (uint32_t i = 0; i < decls->kid_count; i++) {
        if (decls->kids[i]->kind != SHUNT_AST_IMPORT) continue;
        shunt_ast *path = decls->kids[i]->kids[SHUNT_IMPORT_path];
        imports[at] = UINT32_MAX;
        if (path && path->kind == SHUNT_AST_STRING) SHUNT_TRY(resolve(l, number, path, &imports[at]));
        at++;
    }
    l->modules.items[number].imports = imports;
    return SHUNT_OK;
}

/* What a file is that is no rules at all: told once, where the scanner would stumble at every line. NULL: rules, as far as is seen. */
static const char *other_than_rules(shunt_text text)
{
    static const struct {
        const char *begins, *is;
    } known[] = {
        { "SHUNTMAP", "is a compiled program; its rules stand in the .map it was made of" },
        { "ISA*", "is an X12 message, no rules; `shunt run RULES INPUT` takes the rules first" },
        { "MSH|", "is an HL7 message, no rules; `shunt run RULES INPUT` takes the rules first" },
    };
    for (size_t i = 0; i < SHUNT_COUNT(known); i++) {
        size_t length = strlen(known[i].begins);
        if (text.length > length && memcmp(text.bytes, known[i].begins, length) == 0) return known[i].is;
    }
    return NULL;
}

static shunt_status load_modules(loading *l, const char *path)
{
    shunt_compiling *c = l->c;
    shunt_text       name = tidy_path(c->arena, shunt_text_of(path)), source;
    if (!name.bytes) return SHUNT_NO_MEMORY;
    if (!name.length && path[0]) name = SHUNT_TEXT("."); /* a folder; reading it says so */
    int error = read_file(c, l->options, name, &source);
    if (error == ENOMEM) return SHUNT_NO_MEMORY;
    if (error) {
        shunt_diag_add(&c->diags, SHUNT_IO, (shunt_span){ 0, 0, UINT32_MAX }, "`%s` can not be read: %s", path, strerror(error));
        return SHUNT_RULES_WRONG;
    }
    const char *other = other_than_rules(source);
    if (other) {
        shunt_diag_add(&c->diags, SHUNT_E0101, (shunt_span){ 0, 0, UINT32_MAX }, "`%s` %s", path, other);
        return SHUNT_RULES_WRONG;
    }
    SHUNT_TRY(add_module(l, name, source));
    for (uint32_t i = 0; i < l->modules.count; i++) {
        if (!l->modules.items[i].tree) continue;
        SHUNT_TRY(load_imports(l, i));
        SHUNT_TRY(load_decisions(l, i));
    }
    return SHUNT_OK;
}

/* What diagnostics may point into. */
static shunt_status add_source(shunt_compiling *c, shunt_text name, shunt_text text)
{
    shunt_excerpt_source *more = SHUNT_NEW_N(c->arena, shunt_excerpt_source, c->source_count + 1);
    if (!more) return SHUNT_NO_MEMORY;
    if (c->source_count) memcpy(more, c->sources, c->source_count * sizeof *more);
    more[c->source_count++] = (shunt_excerpt_source){ name, text };
    c->sources = more;
    return SHUNT_OK;
}

shunt_status shunt_compiling_open(shunt_compiling *c, const char *path, const shunt_compile_options *options)
{
    *c = (shunt_compiling){ .memory = shunt_api_memory(options ? options->allocator : NULL),
                            .extern_folder = options ? options->extern_folder : NULL };
    c->arena = shunt_arena_new(&c->memory, 0);
    if (!c->arena) return SHUNT_NO_MEMORY;
    shunt_diags_init(&c->diags, c->arena);
    loading      l = { .c = c, .options = options };
    shunt_status status = load_modules(&l, path);
    c->compilation = (shunt_compilation){
        .memory = &c->memory, .arena = c->arena, .diags = &c->diags, .modules = l.modules.items, .module_count = l.modules.count
    };
    c->compilation.definitions = shunt_definitions_set(options ? options->definitions : NULL);
    c->compilation.lints.guide_requires = c->compilation.lints.phi_branches = c->compilation.lints.decision_gaps =
        options && options->lints;
    for (uint32_t i = 0; i < l.modules.count; i++) SHUNT_TRY(add_source(c, l.modules.items[i].name, l.modules.items[i].source));
    if (status == SHUNT_OK) status = shunt_check(&c->compilation);
    return status == SHUNT_OK && c->diags.failed ? SHUNT_NO_MEMORY : status;
}

void shunt_compiling_free(shunt_compiling *c)
{
    shunt_arena_free(c->arena);
    c->arena = NULL;
}

/* ---- diagnostics ---- */

void shunt_compiling_render(shunt_compiling *c, shunt_messages *messages)
{
    shunt_excerpt_sources sources = { c->sources, c->source_count };
    size_t                shown[2] = { 0, 0 };
    if (!c->arena) return;
    shunt_diags_sort(&c->diags);
    for (uint32_t i = 0; i < c->diags.count; i++) {
        const shunt_diag *d = &c->diags.items[i];
        shunt_excerpt_json(&sources, d, &messages->json);
        shunt_buffer_char(&messages->json, '\n');
        if (shown[d->severity == SHUNT_ERROR]++ >= SHOWN_AT_MOST) continue;
        if (messages->text.length) shunt_buffer_char(&messages->text, '\n');
        shunt_excerpt(&sources, d, &messages->text);
    }
    messages->errors += c->diags.errors;
    messages->warnings += c->diags.warnings;
    if (c->diags.errors > SHOWN_AT_MOST)
        shunt_buffer_format(&messages->text, "\n%u errors in all; the first %d are shown\n", c->diags.errors, SHOWN_AT_MOST);
    if (c->diags.warnings > SHOWN_AT_MOST)
        shunt_buffer_format(&messages->text, "\n%u warnings in all; the first %d are shown\n", c->diags.warnings, SHOWN_AT_MOST);
}

/* ---- programs ---- */

static shunt_status make_program(shunt_compiling *c, const shunt_table_rows *rows, uint32_t row_sets, shunt_program **program,
                                 char why[static 200])
{
    shunt_program flat;
    shunt_buffer  bytes;
    *program = NULL;
    SHUNT_TRY(shunt_emit(&c->compilation, rows, row_sets, &flat));
    shunt_buffer_init(&bytes, &c->memory);
    shunt_status status = shunt_program_save(&flat, &bytes);
    if (status == SHUNT_OK) status = shunt_program_load(&c->memory, (const uint8_t *)bytes.bytes, bytes.length, program, why);
    shunt_buffer_done(&bytes);
    return status;
}

shunt_status shunt_compiling_program(shunt_compiling *c, shunt_program **program)
{
    char why[200] = "";
    return make_program(c, NULL, 0, program, why);
}

/* The rows of each table that names a file, which lies beside the module that declares the table. */
static shunt_status read_tables(shunt_compiling *c, const shunt_compile_options *options, shunt_table_rows **rows,
                                uint32_t *row_sets)
{
    const shunt_compilation *compilation = &c->compilation;
    *row_sets = 0;
    *rows = SHUNT_NEW_N(c->arena, shunt_table_rows, compilation->symbol_count + 1);
    if (!*rows) return SHUNT_NO_MEMORY;
    for (uint32_t i = 0; i < compilation->symbol_count; i++) {
        const shunt_symbol *symbol = compilation->symbols[i];
        if (symbol->kind != SHUNT_SYMBOL_TABLE || !symbol->as.table->from || symbol->as.table->host) continue;
        const shunt_ast *from = symbol->as.table->from;
        shunt_text       path = path_beside(c->arena, compilation->modules[symbol->module].name, from->text), text;
        if (!path.bytes) return SHUNT_NO_MEMORY;
        int error = read_file(c, options, path, &text);
        if (error == ENOMEM) return SHUNT_NO_MEMORY;
        if (error) {
            shunt_diag *d = shunt_diag_add(&c->diags, SHUNT_E0903, from->span, "`%.*s` can not be read: %s",
                                           SHUNT_TEXT_ARGS(path), strerror(error));
            shunt_diag_note(&c->diags, d, "the path of a table counts from the folder of its module");
            continue;
        }
        shunt_csv_table   table;
        shunt_table_rows *one = &(*rows)[*row_sets];
        SHUNT_TRY(shunt_csv_table_of_symbol(c->arena, symbol, &table));
        table.json = shunt_table_is_json(path);
        SHUNT_TRY(add_source(c, path, text));
        SHUNT_TRY(
            shunt_table_csv(c->arena, &c->diags, &table, c->source_count - 1, (const uint8_t *)text.bytes, text.length, one));
        one->table = symbol;
        ++*row_sets;
    }
    return SHUNT_OK;
}

static shunt_status compile(shunt_compiling *c, const char *path, const shunt_compile_options *options, shunt_program **program,
                            char why[static 200])
{
    shunt_table_rows *rows;
    uint32_t          row_sets;
    SHUNT_TRY(shunt_compiling_open(c, path, options));
    if (c->diags.errors) return SHUNT_RULES_WRONG;
    SHUNT_TRY(read_tables(c, options, &rows, &row_sets));
    if (c->diags.failed) return SHUNT_NO_MEMORY;
    if (c->diags.errors) return SHUNT_RULES_WRONG;
    return make_program(c, rows, row_sets, program, why);
}

shunt_result shunt_compile(const char *path, const shunt_compile_options *options, shunt_program **program,
                           shunt_messages **messages)
{
    shunt_compiling c = { 0 };
    shunt_messages *unseen = NULL;
    char            why[200] = "";
    if (!messages) messages = &unseen;
    *program = NULL;
    *messages = NULL;
    shunt_status status = compile(&c, path, options, program, why);
    if (status != SHUNT_NO_MEMORY && (*messages = shunt_messages_new(&c.memory)) == NULL) status = SHUNT_NO_MEMORY;
    if (*messages) {
        shunt_compiling_render(&c, *messages);
        if (status == SHUNT_PROGRAM_BAD)
            shunt_messages_say(*messages, SHUNT_ERROR, shunt_status_info[status].code,
                               "the program made of these rules is refused: %s", why);
        if ((*messages)->text.failed || (*messages)->json.failed) status = SHUNT_NO_MEMORY;
    }
    if (status == SHUNT_LIMIT) status = SHUNT_RULES_WRONG; /* E0912 has said so */
    if (status != SHUNT_OK || (options && options->check_only)) {
        shunt_program_free(*program);
        *program = NULL;
    }
    if (status == SHUNT_NO_MEMORY) {
        shunt_messages_free(*messages);
        *messages = NULL;
    }
    shunt_messages_free(unseen);
    shunt_compiling_free(&c);
    return shunt_result_of(status);
}
