/* compile.c - from the file of a module to a program: reads the closure of its imports, parses, checks, reads the tables,
 * emits, and loads what was emitted from its own bytes, so that what runs is always what was loaded. */
#include "api/compile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/definitions.h"
#include "api/file_path.h"
#include "api/project.h"
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

int shunt_compiling_read(shunt_arena *arena, const shunt_compile_options *options, shunt_text path, shunt_text *text)
{
    const shunt_allocator *allocator = options && options->allocator ? options->allocator : &libc_allocator;
    shunt_read_file        read = options && options->read_file ? options->read_file : read_from_disk;
    const char            *z = shunt_text_z(arena, path);
    unsigned char         *bytes = NULL;
    size_t                 size = 0;
    if (!z) return ENOMEM;
    int error = read(options ? options->read_context : NULL, allocator, z, &bytes, &size);
    if (error) return error;
    if (size > UINT32_MAX / 2)
        error = EFBIG;
    else
        *text = shunt_text_copy(arena, (shunt_text){ (const char *)bytes, (uint32_t)size });
    allocator->release(allocator->context, bytes);
    return error ? error : text->bytes ? 0 : ENOMEM;
}

/* ---- modules ---- */

typedef struct loading {
    shunt_compiling             *c;
    const shunt_compile_options *options;
    SHUNT_LIST(shunt_module_info) modules;
    SHUNT_LIST(bool) foreign; /* of each module: it is a package, or a part of one */
} loading;

static shunt_status add_module(loading *l, shunt_text path, shunt_text source, bool foreign)
{
    shunt_compiling   *c = l->c;
    shunt_module_info *module = SHUNT_PUSH(c->arena, &l->modules);
    bool              *mark = SHUNT_PUSH(c->arena, &l->foreign);
    if (!module || !mark) return SHUNT_NO_MEMORY;
    *mark = foreign;
    *module = (shunt_module_info){ .name = path, .file = shunt_path_name(path), .source = source };
    return shunt_parse_module(&c->memory, c->arena, &c->diags, l->modules.count - 1, source, &module->tree);
}

/* A file that a compilation reads, held against the lock of its project. */
static shunt_status meet(shunt_compiling *c, shunt_pin_kind kind, shunt_text path, shunt_text bytes, bool needed, shunt_span span)
{
    return shunt_project_meet(&c->project, c->arena, &c->diags, (shunt_pin){ .kind = kind }, path, bytes, needed, span);
}

static bool too_many_modules(loading *l, shunt_span span)
{
    if (l->modules.count < MODULES_AT_MOST) return false;
    shunt_diag_add(&l->c->diags, SHUNT_E0912, span, "a program has at most %d modules", MODULES_AT_MOST);
    return true;
}

static bool is_loaded(const loading *l, shunt_text name, uint32_t *number)
{
    for (uint32_t i = 0; i < l->modules.count; i++) {
        if (!l->modules.items[i].tree || !shunt_text_equal(l->modules.items[i].name, name)) continue;
        *number = i;
        return true;
    }
    return false;
}

static shunt_status resolve(loading *l, uint32_t from, shunt_ast *path, uint32_t *number)
{
    shunt_compiling *c = l->c;
    shunt_text       name = shunt_path_beside(c->arena, l->modules.items[from].name, path->text), source;
    *number = UINT32_MAX;
    if (!name.bytes) return SHUNT_NO_MEMORY;
    if (is_loaded(l, name, number) || too_many_modules(l, path->span)) return SHUNT_OK;
    int error = shunt_compiling_read(c->arena, l->options, name, &source);
    if (error == ENOMEM) return SHUNT_NO_MEMORY;
    if (error) {
        shunt_diag *d = shunt_diag_add(&c->diags, SHUNT_E0213, path->span, "`%.*s` can not be read: %s", SHUNT_TEXT_ARGS(name),
                                       strerror(error));
        shunt_diag_note(&c->diags, d, "the path of an import counts from the folder of its module");
        return SHUNT_OK;
    }
    *number = l->modules.count;
    bool foreign = l->foreign.items[from];
    if (foreign) SHUNT_TRY(meet(c, SHUNT_PIN_MODULE, name, source, true, path->span));
    return add_module(l, name, source, foreign);
}

/* ---- packages ---- */

/* `std.erp.gl` lies in a folder of modules as `std/erp/gl.map`. */
static shunt_text package_path(shunt_compiling *c, shunt_text folder, shunt_text package)
{
    char *part = shunt_arena_bytes(c->arena, package.length + 1);
    if (!part) return (shunt_text){ 0 };
    for (uint32_t i = 0; i < package.length; i++) part[i] = package.bytes[i];
    for (uint32_t i = 0; i < package.length; i++)
        if (part[i] == '.') part[i] = '/';
    shunt_text path = shunt_text_format(c->arena, "%.*s/%.*s.map", SHUNT_TEXT_ARGS(folder), (int)package.length, part);
    return path.bytes ? shunt_path_beside(c->arena, c->project.path, path) : path;
}

static shunt_text module_word(const shunt_ast *tree, uint32_t role)
{
    const shunt_ast *word = tree ? tree->kids[role] : NULL;
    return word ? word->text : (shunt_text){ 0 };
}

/* Whether the module that was read is what the import wants; else says why, and where it is only the version, in `other`, goes on looking. */
static bool is_wanted(loading *l, const shunt_ast *import, const shunt_module_info *module, bool *other)
{
    const shunt_ast *path = import->kids[SHUNT_IMPORT_path], *wanted = import->kids[SHUNT_IMPORT_version];
    shunt_text name = module_word(module->tree, SHUNT_MODULE_name), version = module_word(module->tree, SHUNT_MODULE_version);
    uint32_t   parts[3];
    bool       fine;
    *other = false;
    if (!shunt_text_equal(name, path->text)) {
        shunt_diag *d = shunt_diag_add(&l->c->diags, SHUNT_E0213, path->span, "`%.*s` is not module `%.*s`",
                                       SHUNT_TEXT_ARGS(module->name), SHUNT_TEXT_ARGS(path->text));
        shunt_diag_note(&l->c->diags, d, "it begins with `module %.*s`", SHUNT_TEXT_ARGS(name));
        return false;
    }
    if (!shunt_version_read(version, parts)) {
        shunt_diag *d = shunt_diag_add(&l->c->diags, SHUNT_E0215, path->span, "`%.*s` has version \"%.*s\", which is none",
                                       SHUNT_TEXT_ARGS(path->text), SHUNT_TEXT_ARGS(version));
        shunt_diag_help(&l->c->diags, d, "a package says it in numbers: `module %.*s version \"2.1.0\"`",
                        SHUNT_TEXT_ARGS(path->text));
        return false;
    }
    *other = !shunt_version_fits(wanted->text, parts, &fine);
    return !*other;
}

static void no_package(loading *l, const shunt_ast *path)
{
    shunt_compiling *c = l->c;
    shunt_text       text = path->text;
    shunt_diag      *d = shunt_diag_add(&c->diags, SHUNT_E0213, path->span, "there is no module `%.*s`", SHUNT_TEXT_ARGS(text));
    if (!c->project.found) {
        shunt_diag_note(
            &c->diags, d,
            "a module is found by its name in the folders that `shunt.project` names, and there is none here or above");
        shunt_diag_help(
            &c->diags, d,
            "write a file `shunt.project` with a line `modules \"modules\"`; or import by path: `import \"lib/gl.map\"`");
    } else if (!c->project.modules.count) {
        shunt_diag_note(&c->diags, d, "`%.*s` names no folder with modules", SHUNT_TEXT_ARGS(c->project.path));
        shunt_diag_help(&c->diags, d, "add a line to it: `modules \"modules\"`");
    } else {
        shunt_text path_there = package_path(c, c->project.modules.items[0].text, text);
        shunt_diag_note(&c->diags, d, "it was looked for as `%.*s`%s", SHUNT_TEXT_ARGS(path_there),
                        c->project.modules.count > 1 ? " and in the other folders of the project" : "");
        shunt_diag_help(&c->diags, d, "put it there, or correct its name");
    }
}

static void other_version(loading *l, const shunt_ast *import, const shunt_module_info *module)
{
    const shunt_ast *path = import->kids[SHUNT_IMPORT_path], *wanted = import->kids[SHUNT_IMPORT_version];
    shunt_diag      *d =
        shunt_diag_add(&l->c->diags, SHUNT_E0215, wanted->span, "`%.*s` is here in version %.*s, and \"%.*s\" is wanted",
                       SHUNT_TEXT_ARGS(path->text), SHUNT_TEXT_ARGS(module_word(module->tree, SHUNT_MODULE_version)),
                       SHUNT_TEXT_ARGS(wanted->text));
    shunt_diag_note(&l->c->diags, d, "found as `%.*s`", SHUNT_TEXT_ARGS(module->name));
    shunt_diag_help(&l->c->diags, d, "ask for what is here, or put the other version into a folder of modules");
}

/* The package is a part of the program already. */
static shunt_status take_loaded(loading *l, const shunt_ast *import, uint32_t known, uint32_t *number)
{
    const shunt_module_info *module = &l->modules.items[known];
    bool                     other;
    *number = known;
    if (!is_wanted(l, import, module, &other)) {
        *number = SHUNT_IMPORT_REPORTED;
        if (other) other_version(l, import, module);
    }
    return SHUNT_OK;
}

static shunt_status pin_package(loading *l, const shunt_ast *import, const shunt_module_info *module)
{
    shunt_compiling *c = l->c;
    shunt_pin        pin = { .kind = SHUNT_PIN_PACKAGE,
                             .package = import->kids[SHUNT_IMPORT_path]->text,
                             .version = module_word(module->tree, SHUNT_MODULE_version) };
    return shunt_project_meet(&c->project, c->arena, &c->diags, pin, module->name, module->source, true,
                              import->kids[SHUNT_IMPORT_path]->span);
}

/* Tries one folder of the project. `*number` stays UINT32_MAX where the next one is to be tried. */
static shunt_status try_folder(loading *l, const shunt_ast *import, shunt_text folder, uint32_t *number,
                               shunt_module_info *passed)
{
    shunt_compiling *c = l->c;
    const shunt_ast *path = import->kids[SHUNT_IMPORT_path];
    shunt_text       name = package_path(c, folder, path->text), source;
    uint32_t         known;
    bool             other;
    if (!name.bytes) return SHUNT_NO_MEMORY;
    if (is_loaded(l, name, &known)) {
        SHUNT_TRY(take_loaded(l, import, known, number));
        return *number == known ? pin_package(l, import, &l->modules.items[known]) : SHUNT_OK;
    }
    int error = shunt_compiling_read(c->arena, l->options, name, &source);
    if (error == ENOMEM) return SHUNT_NO_MEMORY;
    if (error == ENOENT || error == ENOTDIR) return SHUNT_OK;
    if (error) {
        shunt_diag_add(&c->diags, SHUNT_E0213, path->span, "`%.*s` can not be read: %s", SHUNT_TEXT_ARGS(name), strerror(error));
        *number = SHUNT_IMPORT_REPORTED;
        return SHUNT_OK;
    }
    shunt_diags before = c->diags;
    uint32_t    at = l->modules.count;
    SHUNT_TRY(add_module(l, name, source, true));
    if (is_wanted(l, import, &l->modules.items[at], &other)) {
        *number = at;
        return pin_package(l, import, &l->modules.items[at]);
    }
    *passed = l->modules.items[at];
    l->modules.count = l->foreign.count = at;
    if (other) {
        before.failed = before.failed || c->diags.failed;
        c->diags = before; /* a module that is not used is not reported on */
    } else {
        *number = SHUNT_IMPORT_REPORTED;
    }
    return SHUNT_OK;
}

static shunt_status resolve_package(loading *l, const shunt_ast *import, uint32_t *number)
{
    shunt_compiling  *c = l->c;
    const shunt_ast  *path = import->kids[SHUNT_IMPORT_path], *wanted = import->kids[SHUNT_IMPORT_version];
    const uint32_t    none[3] = { 0, 0, 0 };
    shunt_module_info passed = { 0 };
    bool              fine = false;
    *number = UINT32_MAX;
    if (wanted) (void)shunt_version_fits(wanted->text, none, &fine);
    if (!fine) {
        shunt_diag *d = shunt_diag_add(&c->diags, SHUNT_E0215, wanted ? wanted->span : path->span, "no version is asked for so");
        shunt_diag_help(&c->diags, d, "write `version \"^2.0\"` for any 2.x from 2.0, or `version \"2.1.0\"` for that one");
        *number = SHUNT_IMPORT_REPORTED;
        return SHUNT_OK;
    }
    for (uint32_t i = 0; i < l->modules.count; i++)
        if (l->foreign.items[i] && l->modules.items[i].tree &&
            shunt_text_equal(module_word(l->modules.items[i].tree, SHUNT_MODULE_name), path->text))
            return take_loaded(l, import, i, number);
    if (too_many_modules(l, path->span)) {
        *number = SHUNT_IMPORT_REPORTED;
        return SHUNT_OK;
    }
    for (uint32_t i = 0; i < c->project.modules.count && *number == UINT32_MAX; i++)
        SHUNT_TRY(try_folder(l, import, c->project.modules.items[i].text, number, &passed));
    if (*number != UINT32_MAX) return SHUNT_OK;
    if (passed.tree)
        other_version(l, import, &passed);
    else
        no_package(l, path);
    *number = SHUNT_IMPORT_REPORTED;
    return SHUNT_OK;
}

/* The rows of a decision in a file: a module without a tree, so that whatever points into it finds its place. */
static shunt_status load_rows(loading *l, uint32_t from, const shunt_ast *path, uint32_t *number)
{
    shunt_compiling *c = l->c;
    shunt_text       name = shunt_path_beside(c->arena, l->modules.items[from].name, path->text), source;
    *number = UINT32_MAX;
    if (!name.bytes) return SHUNT_NO_MEMORY;
    if (too_many_modules(l, path->span)) return SHUNT_OK;
    int error = shunt_compiling_read(c->arena, l->options, name, &source);
    if (error == ENOMEM) return SHUNT_NO_MEMORY;
    if (error) {
        shunt_diag *d = shunt_diag_add(&c->diags, SHUNT_E0903, path->span, "`%.*s` can not be read: %s", SHUNT_TEXT_ARGS(name),
                                       strerror(error));
        shunt_diag_note(&c->diags, d, "the path of a decision counts from the folder of its module");
        return SHUNT_OK;
    }
    *number = l->modules.count;
    bool foreign = l->foreign.items[from];
    SHUNT_TRY(meet(c, SHUNT_PIN_TABLE, name, source, foreign, path->span));
    shunt_module_info *module = SHUNT_PUSH(c->arena, &l->modules);
    bool              *mark = SHUNT_PUSH(c->arena, &l->foreign);
    if (!module || !mark) return SHUNT_NO_MEMORY;
    *module = (shunt_module_info){ .name = name, .file = shunt_path_name(name), .source = source };
    *mark = foreign;
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

/* Imports of a module in the order written. */
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
        if (path && path->kind == SHUNT_AST_NAME) SHUNT_TRY(resolve_package(l, decls->kids[i], &imports[at]));
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
    shunt_text       name = shunt_path_tidy(c->arena, shunt_text_of(path)), source;
    if (!name.bytes) return SHUNT_NO_MEMORY;
    if (!name.length && path[0]) name = SHUNT_TEXT("."); /* a folder; reading it says so */
    int error = shunt_compiling_read(c->arena, l->options, name, &source);
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
    SHUNT_TRY(add_module(l, name, source, false));
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

static int read_for_project(void *context, shunt_text path, shunt_text *text)
{
    const loading *l = context;
    return shunt_compiling_read(l->c->arena, l->options, path, text);
}

/* The guides of the project, unless the host gives its own. */
static shunt_status read_dictionaries(shunt_compiling *c, const shunt_compile_options *options)
{
    const shunt_project *p = &c->project;
    if (p->dictionaries.count && shunt_definitions_new(options ? options->allocator : NULL, &c->definitions) != SHUNT_DONE)
        return SHUNT_NO_MEMORY;
    for (uint32_t i = 0; i < p->dictionaries.count; i++) {
        const shunt_project_word *word = &p->dictionaries.items[i];
        shunt_text                path = shunt_path_beside(c->arena, p->path, word->text), text;
        shunt_definition_fault    fault;
        if (!path.bytes) return SHUNT_NO_MEMORY;
        int error = shunt_compiling_read(c->arena, options, path, &text);
        if (error == ENOMEM) return SHUNT_NO_MEMORY;
        if (error) {
            shunt_diag_add(&c->diags, SHUNT_E0214, word->span, "`%.*s` can not be read: %s", SHUNT_TEXT_ARGS(path),
                           strerror(error));
            continue;
        }
        SHUNT_TRY(meet(c, SHUNT_PIN_DICTIONARY, path, text, false, word->span));
        shunt_status status = shunt_definition_read(c->definitions->arena, text, &c->definitions->set, &fault);
        if (status == SHUNT_RULES_WRONG)
            shunt_diag_add(&c->diags, SHUNT_E0201, word->span, "`%.*s`, line %u: %s", SHUNT_TEXT_ARGS(path), fault.line,
                           fault.text);
        else if (status != SHUNT_OK)
            return status;
    }
    return SHUNT_OK;
}

static shunt_status begin(shunt_compiling *c, const char *path, const shunt_compile_options *options, bool locking)
{
    loading       l = { .c = c, .options = options };
    shunt_reading reading = { read_for_project, &l };
    const char   *project = options ? options->project : NULL;
    *c = (shunt_compiling){ .memory = shunt_api_memory(options ? options->allocator : NULL),
                            .extern_folder = options ? options->extern_folder : NULL };
    c->arena = shunt_arena_new(&c->memory, 0);
    if (!c->arena) return SHUNT_NO_MEMORY;
    shunt_diags_init(&c->diags, c->arena);
    if ((project && !project[0]) || (!project && options && options->read_file && !options->find_project)) return SHUNT_OK;
    SHUNT_TRY(shunt_project_open(&c->project, c->arena, &c->diags, reading, project, shunt_text_of(path), locking));
    return read_dictionaries(c, options);
}

/* Diagnostics may point into the files of the project, too. */
static shunt_status end_sources(shunt_compiling *c)
{
    shunt_project_place(&c->project, &c->diags, c->source_count);
    if (!c->project.found) return SHUNT_OK;
    SHUNT_TRY(add_source(c, c->project.path, c->project.source));
    return add_source(c, c->project.lock_path, c->project.lock_source);
}

shunt_status shunt_compiling_project(shunt_compiling *c, const char *path, const shunt_compile_options *options, bool locking)
{
    SHUNT_TRY(begin(c, path, options, locking));
    SHUNT_TRY(end_sources(c));
    return c->diags.failed ? SHUNT_NO_MEMORY : SHUNT_OK;
}

/* The file of a table, beside the module that declares it; empty where it has none. */
static shunt_status table_path(shunt_compiling *c, const shunt_symbol *symbol, shunt_text *path)
{
    *path = (shunt_text){ 0 };
    if (symbol->kind != SHUNT_SYMBOL_TABLE || !symbol->as.table || !symbol->as.table->from || symbol->as.table->host)
        return SHUNT_OK;
    *path = shunt_path_beside(c->arena, c->compilation.modules[symbol->module].name, symbol->as.table->from->text);
    return path->bytes ? SHUNT_OK : SHUNT_NO_MEMORY;
}

static shunt_status meet_table(shunt_compiling *c, const shunt_symbol *symbol, shunt_text path, shunt_text text)
{
    return meet(c, SHUNT_PIN_TABLE, path, text, c->foreign[symbol->module], symbol->as.table->from->span);
}

static void no_table(shunt_compiling *c, const shunt_symbol *symbol, shunt_text path, int error)
{
    shunt_diag *d = shunt_diag_add(&c->diags, SHUNT_E0903, symbol->as.table->from->span, "`%.*s` can not be read: %s",
                                   SHUNT_TEXT_ARGS(path), strerror(error));
    shunt_diag_note(&c->diags, d, "the path of a table counts from the folder of its module");
}

/* Tables are not read for all that is asked of rules, yet what is pinned must be as it was. A file that nobody has pinned need not
 * be there: without it the rules do not run, and tests do without. */
static shunt_status check_table(shunt_compiling *c, const shunt_compile_options *options, const shunt_symbol *symbol)
{
    shunt_text path, text;
    SHUNT_TRY(table_path(c, symbol, &path));
    if (!path.length) return SHUNT_OK;
    bool is_pinned = shunt_project_has(&c->project, c->arena, SHUNT_PIN_TABLE, path);
    if (!is_pinned && !c->project.locking && !c->foreign[symbol->module]) return SHUNT_OK;
    int error = shunt_compiling_read(c->arena, options, path, &text);
    if (error == ENOMEM) return SHUNT_NO_MEMORY;
    if (!error) return meet_table(c, symbol, path, text);
    if (is_pinned || (error != ENOENT && error != ENOTDIR)) no_table(c, symbol, path, error);
    return SHUNT_OK;
}

/* The library that would be called: that of the host, else that of the project. */
static shunt_status check_library(shunt_compiling *c, const shunt_compile_options *options, const shunt_ast *library)
{
    const shunt_project *p = &c->project;
    const char          *given = options ? options->extern_folder : NULL;
    uint32_t             count = given ? 1 : p->externs.count;
    for (uint32_t i = 0; i < count; i++) {
        shunt_text file = given ? shunt_text_format(c->arena, "%s/%.*s.so", given, SHUNT_TEXT_ARGS(library->text))
                                : shunt_text_format(c->arena, "%.*s/%.*s.so", SHUNT_TEXT_ARGS(p->externs.items[i].text),
                                                    SHUNT_TEXT_ARGS(library->text));
        shunt_text text;
        if (file.bytes && !given) file = shunt_path_beside(c->arena, p->path, file);
        if (!file.bytes) return SHUNT_NO_MEMORY;
        int error = shunt_compiling_read(c->arena, options, file, &text);
        if (error == ENOMEM) return SHUNT_NO_MEMORY;
        if (error) continue;
        shunt_pin pin = { .kind = SHUNT_PIN_EXTERN, .name = library->text };
        return shunt_project_meet(&c->project, c->arena, &c->diags, pin, file, text, false, library->span);
    }
    if (!p->locking) return SHUNT_OK; /* it can not be called without being there, and then it is held against the lock */
    shunt_diag *d = shunt_diag_add(&c->diags, SHUNT_E0214, library->span,
                                   "library `%.*s` can not be read, so it can not be pinned", SHUNT_TEXT_ARGS(library->text));
    shunt_diag_help(&c->diags, d, "say in `%.*s` where it lies: `externs \"lib\"`", SHUNT_TEXT_ARGS(p->path));
    return SHUNT_OK;
}

static shunt_status check_pins(shunt_compiling *c, const shunt_compile_options *options)
{
    if (!c->project.found) return SHUNT_OK;
    for (uint32_t i = 0; i < c->compilation.symbol_count; i++) {
        const shunt_symbol *symbol = c->compilation.symbols[i];
        SHUNT_TRY(check_table(c, options, symbol));
        const shunt_ast *library =
            symbol->decl && symbol->decl->kind == SHUNT_AST_EXTERN ? symbol->decl->kids[SHUNT_EXTERN_library] : NULL;
        if (library) SHUNT_TRY(check_library(c, options, library));
    }
    return SHUNT_OK;
}

static shunt_status open_rules(shunt_compiling *c, const char *path, const shunt_compile_options *options, bool locking)
{
    SHUNT_TRY(begin(c, path, options, locking));
    loading      l = { .c = c, .options = options };
    shunt_status status = load_modules(&l, path);
    c->foreign = l.foreign.items;
    c->compilation = (shunt_compilation){
        .memory = &c->memory, .arena = c->arena, .diags = &c->diags, .modules = l.modules.items, .module_count = l.modules.count
    };
    c->compilation.definitions = shunt_definitions_set(options && options->definitions ? options->definitions : c->definitions);
    c->compilation.lints.guide_requires = c->compilation.lints.phi_branches = c->compilation.lints.decision_gaps =
        options && options->lints;
    for (uint32_t i = 0; i < l.modules.count; i++) SHUNT_TRY(add_source(c, l.modules.items[i].name, l.modules.items[i].source));
    SHUNT_TRY(end_sources(c));
    if (status == SHUNT_OK) status = shunt_check(&c->compilation);
    if (status == SHUNT_OK) status = check_pins(c, options);
    return status == SHUNT_OK && c->diags.failed ? SHUNT_NO_MEMORY : status;
}

shunt_status shunt_compiling_open(shunt_compiling *c, const char *path, const shunt_compile_options *options)
{
    return open_rules(c, path, options, false);
}

shunt_status shunt_compiling_lock(shunt_compiling *c, const char *path, const shunt_compile_options *options)
{
    return open_rules(c, path, options, true);
}

void shunt_compiling_free(shunt_compiling *c)
{
    shunt_definitions_free(c->definitions);
    c->definitions = NULL;
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
        shunt_text          path, text;
        SHUNT_TRY(table_path(c, symbol, &path));
        if (!path.length) continue;
        int error = shunt_compiling_read(c->arena, options, path, &text);
        if (error == ENOMEM) return SHUNT_NO_MEMORY;
        if (error) {
            no_table(c, symbol, path, error);
            continue;
        }
        SHUNT_TRY(meet_table(c, symbol, path, text)); /* what is compiled in is what was held against the lock */
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
