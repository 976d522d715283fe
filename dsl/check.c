/* The checker's entry: modules and what they declare, in the order in which names must be known; then the code in them. */
#include "dsl/check.h"

#include <stdio.h>

#include "engine/base/date.h"
#include "engine/base/decimal.h"

enum { LINE_TEXT = 400, LIST_AT_MOST = 65535, DEPTH_AT_MOST = 2000 };

/* ---- memory, facts, words ---- */

void *check_need(check *k, void *block)
{
    if (!block) longjmp(k->no_memory, 1);
    return block;
}

shunt_fact *check_fact(check *k, shunt_ast *node)
{
    if (!node->fact) node->fact = NEW(k, shunt_fact);
    return shunt_fact_of(node);
}

shunt_ty check_typed(check *k, shunt_ast *node, shunt_ty type)
{
    check_fact(k, node)->type = type;
    return type;
}

shunt_text check_format(check *k, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    shunt_text text = shunt_text_vformat(k->arena, format, args);
    va_end(args);
    if (!text.bytes) longjmp(k->no_memory, 1);
    return text;
}

/* As written: comments and line ends become one blank. */
shunt_text source_text(check *k, shunt_span span)
{
    shunt_text source = k->c->modules[span.file].source;
    char       line[LINE_TEXT];
    uint32_t   length = 0;
    bool       blank = false, quoted = false;
    for (uint32_t i = span.begin; i < span.end && i < source.length && length < LINE_TEXT - 4; i++) {
        char c = source.bytes[i];
        if (c == '"' && (i == 0 || source.bytes[i - 1] != '\\')) quoted = !quoted;
        if (c == '#' && !quoted)
            while (i < span.end && i < source.length && source.bytes[i] != '\n') i++;
        if (i >= span.end || i >= source.length) break;
        c = source.bytes[i];
        if (!quoted && (c == ' ' || c == '\n' || c == '\r' || c == '\t')) {
            blank = length > 0;
            continue;
        }
        if (blank) line[length++] = ' ';
        blank = false;
        line[length++] = c;
    }
    return check_format(k, "%.*s", (int)length, line);
}

uint32_t line_of(check *k, shunt_span span)
{
    shunt_text source = k->c->modules[span.file].source;
    module    *m = &k->modules[span.file];
    if (!m->lines.count) {
        *PUSH(k, &m->lines) = 0;
        for (uint32_t at = 0; at < source.length; at++)
            if (source.bytes[at] == '\n') *PUSH(k, &m->lines) = at + 1;
    }
    uint32_t low = 0, high = m->lines.count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (m->lines.items[middle] <= span.begin)
            low = middle;
        else
            high = middle;
    }
    return low + 1;
}

bool said_enough(const check *k)
{
    enum { READ_AT_MOST = 100 };
    return k->diags->errors > READ_AT_MOST;
}

void too_large(check *k, shunt_span span, const char *what, uint32_t most)
{
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0912, span, "%s has more than %u entries", what, most);
    shunt_diag_help(k->diags, d, "take it apart, or keep what grows in a table");
}

shunt_diag *warn_never_used(check *k, shunt_status code, shunt_span span, shunt_text message)
{
    uint32_t    before = k->diags->warnings;
    shunt_diag *d = shunt_diag_add(k->diags, code, span, "%.*s", SHUNT_TEXT_ARGS(message));
    k->unused += k->diags->warnings - before;
    return d;
}

shunt_ty row_of(const shunt_shape *shape) { return (shunt_ty){ .kind = SHUNT_TY_ROW, .shape = shape }; }

void not_in_version(check *k, shunt_span span, const char *format, ...)
{
    char    name[120];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(name, sizeof name, format, args);
    va_end(args);
    (void)shunt_diag_add(k->diags, SHUNT_E0001, span, "%s is not in this version", name);
}

/* ---- names ---- */

shunt_symbol *new_symbol(check *k, shunt_symbol_kind kind, shunt_text name, shunt_ast *declaration, shunt_span span)
{
    decl *d = NEW(k, decl);
    d->symbol.kind = kind;
    d->symbol.name = name;
    d->symbol.decl = declaration;
    d->symbol.span = span;
    d->symbol.module = k->module->number;
    *PUSH(k, &k->symbols) = &d->symbol;
    return &d->symbol;
}

static shunt_scope *scope_of(module *m, shunt_symbol_kind kind)
{
    switch (kind) {
    case SHUNT_SYMBOL_CODE: return &m->codes;
    case SHUNT_SYMBOL_MAP: return &m->maps;
    case SHUNT_SYMBOL_ENUM:
    case SHUNT_SYMBOL_TARGET: return &m->types;
    default: return &m->values;
    }
}

static void add_name(check *k, shunt_scope *scope, shunt_text name, shunt_symbol *symbol)
{
    if (!shunt_scope_add(scope, name, symbol)) longjmp(k->no_memory, 1);
}

static const char *kind_words(const shunt_symbol *symbol)
{
    static const char *const words[] = {
        [SHUNT_SYMBOL_SOURCE] = "source",
        [SHUNT_SYMBOL_TARGET] = "target",
        [SHUNT_SYMBOL_TABLE] = "table",
        [SHUNT_SYMBOL_ENUM] = "enum",
        [SHUNT_SYMBOL_MEMBER] = "member of an enum",
        [SHUNT_SYMBOL_CODE] = "code",
        [SHUNT_SYMBOL_CONSTANT] = "`let`",
        [SHUNT_SYMBOL_FUNCTION] = "function",
        [SHUNT_SYMBOL_MAP] = "map",
        [SHUNT_SYMBOL_TALLY] = "tally",
        [SHUNT_SYMBOL_GLOBAL] = "`let` of the map",
        [SHUNT_SYMBOL_LOCAL] = "`let`",
        [SHUNT_SYMBOL_PARAM] = "parameter",
        [SHUNT_SYMBOL_VARIABLE] = "variable of a `for each`",
        [SHUNT_SYMBOL_FIELD] = "field",
    };
    return words[symbol->kind];
}

static void report_twice(check *k, const shunt_symbol *new, const shunt_symbol *known, bool shadows)
{
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0208, new->span,
                                   shadows ? "`%.*s` would hide another `%.*s`" : "`%.*s` is declared twice",
                                   SHUNT_TEXT_ARGS(new->name), SHUNT_TEXT_ARGS(new->name));
    shunt_diag_also(k->diags, d, known->span, "%s", kind_words(known));
    if (shadows) shunt_diag_note(k->diags, d, "a name stands for one thing wherever it can be read");
    if (known->module != k->module->number)
        shunt_diag_help(k->diags, d, "give the import an alias: `import \"...\" as lib`, and write `lib.%.*s`",
                        SHUNT_TEXT_ARGS(new->name));
    else
        shunt_diag_help(k->diags, d, "give one of them another name");
}

void declare_local(check *k, shunt_symbol *symbol)
{
    const shunt_scope *scope = &k->module->values;
    shunt_symbol      *known = symbol->name.length ? shunt_scope_find(scope, symbol->name) : NULL;
    bool               same_block = false;
    for (const shunt_binding *b = scope->last; known && b && b->depth == scope->depth; b = b->before)
        same_block = same_block || b->symbol == known;
    if (known) report_twice(k, symbol, known, !same_block);
    add_name(k, &k->module->values, symbol->name, symbol);
}

/* The module that stands before the dot, and what is behind it. */
static module *aliased(check *k, shunt_text name, shunt_text *rest)
{
    uint32_t dot = 0;
    while (dot < name.length && name.bytes[dot] != '.') dot++;
    if (dot == name.length) return NULL;
    *rest = (shunt_text){ name.bytes + dot + 1, name.length - dot - 1 };
    for (uint32_t i = 0; i < k->module->aliases.count; i++) {
        if (!shunt_text_equal(k->module->aliases.items[i].name, (shunt_text){ name.bytes, dot })) continue;
        k->module->aliases.items[i].used = true;
        return &k->modules[k->module->aliases.items[i].module];
    }
    return NULL;
}

static shunt_symbol *find_in(check *k, shunt_text name, size_t scope_at)
{
    shunt_text    rest;
    shunt_symbol *symbol = shunt_scope_find((shunt_scope *)(void *)((char *)k->module + scope_at), name);
    if (!symbol) {
        module *other = aliased(k, name, &rest);
        if (other) symbol = shunt_scope_find((shunt_scope *)(void *)((char *)other + scope_at), rest);
        if (symbol && symbol->module != other->number) symbol = NULL; /* what a module imports it does not hand on */
    }
    if (symbol) symbol->used = true;
    return symbol;
}

shunt_symbol *find_value(check *k, shunt_text name) { return find_in(k, name, offsetof(module, values)); }
shunt_symbol *find_type(check *k, shunt_text name) { return find_in(k, name, offsetof(module, types)); }
shunt_symbol *find_code(check *k, shunt_text name) { return find_in(k, name, offsetof(module, codes)); }

bool find_member(const shunt_shape *shape, shunt_text name, uint32_t *at)
{
    for (uint32_t i = 0; i < shape->count; i++)
        if (shunt_text_equal(shape->members[i].name, name)) {
            *at = i;
            return true;
        }
    return false;
}

shunt_text nearest_field(check *k, const shunt_shape *shape, shunt_text name, const shunt_ty *want)
{
    shunt_suggest s;
    shunt_suggest_init(&s, name, 2);
    for (uint32_t i = 0; i < shape->count; i++)
        shunt_suggest_offer(&s, shape->members[i].name, (shunt_text){ 0 },
                            !want || shunt_ty_compare(&shape->members[i].type, want) == SHUNT_FITS, 0);
    return shunt_suggest_text(&s, k->arena);
}

/* The name of an enum or a target where a value is wanted. */
static bool help_of_type(check *k, shunt_diag *d, shunt_text name)
{
    const shunt_symbol *symbol = shunt_scope_find(&k->module->types, name);
    if (!symbol || symbol->kind != SHUNT_SYMBOL_ENUM) return false;
    const shunt_shape *shape = symbol->as.enumeration;
    shunt_text         names = { 0 };
    for (uint32_t i = 0; i < shape->count && i < 6; i++)
        names = check_format(k, "%.*s%s`%.*s`", SHUNT_TEXT_ARGS(names), i ? ", " : "", SHUNT_TEXT_ARGS(shape->members[i].name));
    shunt_diag_help(k->diags, d, "it is an enum; name one of its members: %.*s", SHUNT_TEXT_ARGS(names));
    return true;
}

/* A `let` of the module that stands further down. */
static bool said_below(check *k, shunt_diag *d, const shunt_ast *node)
{
    const shunt_ast *decls = kid(k->module->info->tree, SHUNT_MODULE_decls);
    for (uint32_t i = 0; decls && i < decls->kid_count && !said_enough(k); i++) {
        const shunt_ast *name = decls->kids[i]->kind == SHUNT_AST_LET ? kid(decls->kids[i], SHUNT_LET_name) : NULL;
        if (!name || !shunt_text_equal(name->text, node->text) || decls->kids[i]->span.begin < node->span.begin) continue;
        shunt_diag_here(k->diags, d, "not yet");
        shunt_diag_also(k->diags, d, name->span, "it comes here");
        shunt_diag_help(k->diags, d, "move its `let` above this");
        return true;
    }
    return false;
}

void offer_of_alias(check *k, shunt_text name, shunt_suggest *s)
{
    shunt_text    rest;
    const module *other = aliased(k, name, &rest);
    for (const shunt_binding *b = other ? other->values.last : NULL; b; b = b->before)
        if (b->symbol->module == other->number)
            shunt_suggest_offer(
                s, check_format(k, "%.*s.%.*s", (int)(name.length - rest.length - 1), name.bytes, SHUNT_TEXT_ARGS(b->name)),
                (shunt_text){ 0 }, true, 0);
}

/* As names of elements are: `CLP04`. */
static bool is_capital(shunt_text name)
{
    bool digit = false;
    for (uint32_t i = 0; i < name.length; i++) {
        bool number = name.bytes[i] >= '0' && name.bytes[i] <= '9';
        if (!number && (name.bytes[i] < 'A' || name.bytes[i] > 'Z')) return false;
        digit |= number;
    }
    return digit;
}

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

/* The word of the source at `*at`, behind blanks; empty where there is none. */
static shunt_text word_at(shunt_text source, uint32_t *at)
{
    while (*at < source.length && (source.bytes[*at] == ' ' || source.bytes[*at] == '\t')) ++*at;
    uint32_t begin = *at;
    while (*at < source.length && is_letter(source.bytes[*at])) ++*at;
    return (shunt_text){ source.bytes + begin, *at - begin };
}

/* A part that was skipped: the name that its line declares. */
static bool note_broken(shunt_ast *node, void *context)
{
    enum { LINE_LOOKED_AT = 500 };
    static const char *const words[] = { "let", "tally", "table", "function", "decide", "target", "enum", "source" };
    check                   *k = context;
    if (node->kind != SHUNT_AST_ERROR) return true;
    shunt_text source = k->module->info->source;
    uint32_t   at = node->span.begin < source.length ? node->span.begin : source.length;
    for (int i = 0; at > 0 && source.bytes[at - 1] != '\n' && i < LINE_LOOKED_AT; i++) at--;
    shunt_text word = word_at(source, &at);
    if (shunt_text_is(word, "open")) word = word_at(source, &at);
    for (size_t i = 0; i < SHUNT_COUNT(words); i++)
        if (shunt_text_is(word, words[i])) *PUSH(k, &k->module->broken) = word_at(source, &at);
    return true;
}

bool is_broken(check *k, shunt_text name)
{
    if (!k->module->broken_known && k->module->info->tree) shunt_ast_walk(k->module->info->tree, note_broken, k);
    k->module->broken_known = true;
    for (uint32_t i = 0; i < k->module->broken.count; i++)
        if (shunt_text_equal(k->module->broken.items[i], name)) return true;
    return false;
}

void unknown_name(check *k, const shunt_ast *node, const char *what, const shunt_ty *want)
{
    if (k->module->incomplete || is_broken(k, node->text)) return;
    bool code = strcmp(what, "code") == 0, target = strcmp(what, "target") == 0, tally = strcmp(what, "tally") == 0,
         table = strcmp(what, "table") == 0;
    shunt_scope  *scope = code ? &k->module->codes : target ? &k->module->types : &k->module->values;
    shunt_suggest s;
    shunt_suggest_init(&s, node->text, 2);
    for (const shunt_binding *b = said_enough(k) ? NULL : scope->last; b; b = b->before) {
        const shunt_symbol *symbol = b->symbol;
        if (target && symbol->kind != SHUNT_SYMBOL_TARGET) continue;
        if (tally && symbol->kind != SHUNT_SYMBOL_TALLY) continue;
        if (table && symbol->kind != SHUNT_SYMBOL_TABLE) continue;
        if (!code && !target && !tally && !table &&
            (symbol->kind == SHUNT_SYMBOL_TABLE || symbol->kind == SHUNT_SYMBOL_FUNCTION || symbol->kind == SHUNT_SYMBOL_SOURCE))
            continue;
        bool fits = !want || shunt_ty_compare(&symbol->type, want) == SHUNT_FITS;
        shunt_suggest_offer(&s, b->name, (shunt_text){ 0 }, fits, 0);
    }
    if (!said_enough(k)) offer_of_alias(k, node->text, &s);
    if (!said_enough(k) && !code && !target && !tally && !table && is_capital(node->text)) offer_near_elements(k, &s, node, want);
    shunt_text  near = shunt_suggest_text(&s, k->arena);
    shunt_text  said = strcmp(what, "name") == 0 ? check_format(k, "`%.*s` is not declared", SHUNT_TEXT_ARGS(node->text))
                                                 : check_format(k, "there is no %s `%.*s`", what, SHUNT_TEXT_ARGS(node->text));
    shunt_diag *d = shunt_diag_add(k->diags, code ? SHUNT_E0901 : SHUNT_E0207, node->span, "%.*s", SHUNT_TEXT_ARGS(said));
    if (!code && !target && said_below(k, d, node)) return;
    if (near.length) shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
    if (code)
        shunt_diag_help(k->diags, d, "%sdeclare it: `codes { %.*s \"what went wrong\" queue \"who looks at it\" }`",
                        near.length ? "or " : "", SHUNT_TEXT_ARGS(node->text));
    else if (!target && !tally && !table && help_of_type(k, d, node->text))
        return;
    else if (!near.length && !target && !tally && !table && k->source)
        shunt_diag_help(k->diags, d, "a name is a `let`, a parameter, or an element of the message like `CLP04`");
    else if (!near.length && !target && !tally && !table && want && shunt_ty_is_textual(want))
        shunt_diag_help(k->diags, d, "write it as a text: `\"%.*s\"`", SHUNT_TEXT_ARGS(node->text));
}

static bool speaks_of(shunt_text text, shunt_text word)
{
    for (uint32_t i = 0; word.length > 2 && i + word.length <= text.length; i++)
        if (memcmp(text.bytes + i, word.bytes, word.length) == 0) return true;
    return false;
}

static bool answers_failures(const shunt_ast *items, shunt_text code)
{
    for (uint32_t i = 0; items && i < items->kid_count; i++) {
        const shunt_ast *name =
            items->kids[i]->kind == SHUNT_AST_ON_ERROR ? kid(kid(items->kids[i], SHUNT_ON_ERROR_exit), SHUNT_EXIT_code) : NULL;
        if (name && shunt_text_equal(name->text, code)) return true;
    }
    return false;
}

/* A code for values that are not there, whatever they are. */
static bool speaks_of_absence(shunt_text meaning)
{
    static const char *const words[] = {
        "value", "missing", "absent", "without", "not there", "not given", "not sent", "unknown"
    };
    for (size_t i = 0; i < SHUNT_COUNT(words); i++)
        if (speaks_of(meaning, shunt_text_of(words[i]))) return true;
    return false;
}

/* Of the codes that could stand there: one whose meaning speaks of the field, of its type, of what is missing. Else, of exits, the one
 * that answers failures: one that means something else would mislead. */
shunt_text code_for_help(check *k, bool queue, const need *n)
{
    const shunt_symbol *found = NULL;
    int                 best = -1;
    shunt_text          type = n->type.kind == SHUNT_TY_ERROR ? (shunt_text){ 0 } : shunt_ty_name(k->arena, &n->type);
    for (const shunt_binding *b = said_enough(k) ? NULL : k->module->codes.last; b; b = b->before) {
        const shunt_symbol *code = b->symbol;
        bool                fits = queue ? code->as.code.has_queue : !code->as.code.has_queue && !code->as.code.has_ack;
        if (!fits) continue;
        bool failures = (k->source && answers_failures(kid(k->source->decl, SHUNT_SOURCE_items), code->name)) ||
                        (k->map && answers_failures(kid(k->map->decl, SHUNT_MAP_items), code->name));
        shunt_text meaning = code->as.code.meaning;
        int        score = 8 * speaks_of(meaning, n->name) + 4 * speaks_of(meaning, type) + 2 * speaks_of_absence(meaning);
        if (score == 0 && failures) score = 1;
        if (score < best || (queue && score == 0)) continue; /* of equals the first that is declared */
        best = score;
        found = code;
    }
    if (!found && queue && k->module->codes.last && !said_enough(k)) return SHUNT_TEXT("CODE");
    return found ? found->name : (shunt_text){ 0 };
}

void enter_block(check *k) { shunt_scope_enter(&k->module->values); }

void leave_block(check *k)
{
    shunt_scope *scope = &k->module->values;
    for (const shunt_binding *b = scope->last; b && b->depth == scope->depth; b = b->before) {
        const shunt_symbol *symbol = b->symbol;
        bool                let = symbol->kind == SHUNT_SYMBOL_LOCAL || symbol->kind == SHUNT_SYMBOL_GLOBAL;
        if (symbol->used || (!let && symbol->kind != SHUNT_SYMBOL_TALLY)) continue;
        shunt_diag *d =
            warn_never_used(k, SHUNT_W0201, symbol->span, check_format(k, "`%.*s` is never used", SHUNT_TEXT_ARGS(symbol->name)));
        shunt_diag_help(k->diags, d, "remove it, or use it");
    }
    shunt_scope_leave(scope);
}

shunt_lang_scope check_scope(check *k, const shunt_ast *name, shunt_lang_scope missing)
{
    if (!name) return missing;
    if (shunt_text_is(name->text, "transaction")) return SHUNT_LANG_TRANSACTION;
    if (shunt_text_is(name->text, "batch")) return SHUNT_LANG_BATCH;
    if (shunt_text_is(name->text, "file")) return SHUNT_LANG_FILE;
    shunt_diag   *d = shunt_diag_add(k->diags, SHUNT_E0605, name->span, "`%.*s` is no scope", SHUNT_TEXT_ARGS(name->text));
    shunt_suggest s;
    shunt_suggest_init(&s, name->text, 1);
    shunt_suggest_offer(&s, SHUNT_TEXT("transaction"), (shunt_text){ 0 }, true, 0);
    shunt_suggest_offer(&s, SHUNT_TEXT("batch"), (shunt_text){ 0 }, true, 0);
    shunt_suggest_offer(&s, SHUNT_TEXT("file"), (shunt_text){ 0 }, true, 0);
    shunt_text near = shunt_suggest_text(&s, k->arena);
    if (near.length)
        shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
    else
        shunt_diag_help(k->diags, d, "one of `transaction`, `batch`, `file`");
    return missing == SHUNT_LANG_UNIT ? SHUNT_LANG_TRANSACTION : missing;
}

bool check_qname_split(check *k, shunt_ast **place)
{
    shunt_ast *name = *place;
    uint32_t   dot = 0;
    while (dot < name->text.length && name->text.bytes[dot] != '.') dot++;
    if (dot == name->text.length) return false;
    shunt_ast *left = NULL;
    uint32_t   begin = 0, at = name->span.begin;
    while (begin <= name->text.length) {
        uint32_t end = begin;
        while (end < name->text.length && name->text.bytes[end] != '.') end++;
        shunt_text part = { name->text.bytes + begin, end - begin };
        shunt_text source = k->c->modules[name->span.file].source;
        while (at < name->span.end && at < source.length && part.length && source.bytes[at] != part.bytes[0]) at++;
        shunt_span span = { at, at + part.length, name->span.file };
        at += part.length;
        shunt_ast *leaf = check_need(k, shunt_ast_leaf(k->arena, SHUNT_AST_NAME, span, part));
        if (!left)
            left = leaf;
        else {
            shunt_ast *kids[] = { left, leaf };
            shunt_span whole = { name->span.begin, span.end, span.file };
            left = check_need(k, shunt_ast_make(k->arena, SHUNT_AST_MEMBER, whole, kids, 2));
        }
        begin = end + 1;
    }
    *place = left;
    return true;
}

/* ---- types as written ---- */

static uint32_t phi_of_names(check *k, const shunt_ast *names)
{
    uint32_t classes = 0, bit;
    for (uint32_t i = 0; names && i < names->kid_count; i++) {
        const shunt_ast *name = names->kids[i];
        if (shunt_text_is(name->text, "none")) continue;
        if (shunt_phi_find(name->text, &bit)) {
            classes |= bit;
            continue;
        }
        shunt_diag   *d = shunt_diag_add(k->diags, SHUNT_E0403, name->span, "`%.*s` is no class of protected health information",
                                         SHUNT_TEXT_ARGS(name->text));
        shunt_suggest s;
        shunt_suggest_init(&s, name->text, 2);
        for (unsigned c = 0; c < SHUNT_PHI_INDEX_COUNT; c++)
            shunt_suggest_offer(&s, shunt_text_of(shunt_phi_name((shunt_phi_index)c)), (shunt_text){ 0 }, true, 0);
        shunt_text near = shunt_suggest_text(&s, k->arena);
        if (near.length)
            shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
        else
            shunt_diag_help(k->diags, d, "the classes: %.*s",
                            SHUNT_TEXT_ARGS(shunt_phi_names(k->arena, (1u << SHUNT_PHI_INDEX_COUNT) - 1)));
    }
    return classes;
}

static shunt_ty wrong_type(check *k, const shunt_ast *type, const char *usage)
{
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0306, type->span, "this type is written otherwise");
    shunt_diag_help(k->diags, d, "write `%s`", usage);
    return ty_error();
}

static bool type_number(const shunt_ast *arg, uint32_t least, uint32_t most, uint32_t *number)
{
    uint64_t value = 0;
    if (!arg || arg->kind != SHUNT_AST_INT) return false;
    for (uint32_t i = 0; i < arg->text.length && value <= most; i++)
        if (arg->text.bytes[i] != '_') value = value * 10 + (uint64_t)(arg->text.bytes[i] - '0');
    *number = (uint32_t)value;
    return value >= least && value <= most;
}

static shunt_ty money_type(check *k, const shunt_ast *type, const shunt_ast *args)
{
    uint8_t          scale;
    uint32_t         wider = 0;
    const shunt_ast *currency = kid(args, 0);
    if (!args || !currency || currency->kind != SHUNT_AST_NAME || args->kid_count > 2) return wrong_type(k, type, "money(USD)");
    if (!shunt_currency_find(currency->text, &scale)) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0109, currency->span, "%.*s is no currency", SHUNT_TEXT_ARGS(currency->text));
        shunt_diag_help(k->diags, d, "write its ISO 4217 code: `money(USD)`");
        return ty_error();
    }
    if (args->kid_count == 2 && !type_number(kid(args, 1), scale, 18, &wider)) return wrong_type(k, type, "money(USD, 4)");
    char code[4] = { currency->text.bytes[0], currency->text.bytes[1], currency->text.bytes[2], 0 };
    return shunt_ty_money(code, wider ? wider : scale);
}

/* The types that have names of their own. */
static const struct {
    const char   *name;
    shunt_ty_kind kind;
} named_types[] = {
#define SHUNT_LANG_TYPE(name, kind, notation, meaning) { name, SHUNT_TY_##kind },
#include "dsl/type.def"
};

static shunt_ty unknown_type(check *k, const shunt_ast *name)
{
    if (k->module->incomplete || (k->module->unread && shunt_text_starts(name->text, SHUNT_TEXT("FHIR_")))) return ty_error();
    shunt_diag   *d = shunt_diag_add(k->diags, SHUNT_E0207, name->span, "there is no type `%.*s`", SHUNT_TEXT_ARGS(name->text));
    shunt_suggest s;
    shunt_suggest_init(&s, name->text, 2);
    for (size_t i = 0; i < SHUNT_COUNT(named_types); i++)
        shunt_suggest_offer(&s, shunt_text_of(named_types[i].name), (shunt_text){ 0 }, true, 0);
    shunt_suggest_offer(&s, SHUNT_TEXT("list"), (shunt_text){ 0 }, true, 0);
    for (const shunt_binding *b = said_enough(k) ? NULL : k->module->types.last; b; b = b->before)
        shunt_suggest_offer(&s, b->name, (shunt_text){ 0 }, true, 0);
    shunt_text near = shunt_suggest_text(&s, k->arena);
    if (near.length) shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
    return ty_error();
}

static shunt_ty named_type(check *k, shunt_ast *type, shunt_ast *name, shunt_ast *args)
{
    uint32_t count = args ? args->kid_count : 0, a = 0, b = 0;
    size_t   at = 0;
    while (at < SHUNT_COUNT(named_types) && !shunt_text_is(name->text, named_types[at].name)) at++;
    switch (at < SHUNT_COUNT(named_types) ? named_types[at].kind : SHUNT_TY_ERROR) {
    case SHUNT_TY_ERROR: break;
    case SHUNT_TY_TEXT:
        if (!count) return shunt_ty_text(0, false);
        if (count != 1 || !type_number(kid(args, 0), 1, 1000000, &a)) return wrong_type(k, type, "text(12)");
        return shunt_ty_text(a, false);
    case SHUNT_TY_DECIMAL:
        if (count != 2 || !type_number(kid(args, 0), 1, SHUNT_DECIMAL_DIGITS, &a) || !type_number(kid(args, 1), 0, a, &b))
            return wrong_type(k, type, "decimal(15, 2)");
        return shunt_ty_decimal(a, b);
    case SHUNT_TY_MONEY: return money_type(k, type, args);
    default: {
        if (count) return wrong_type(k, type, named_types[at].name);
        shunt_ty found = shunt_ty_plain(named_types[at].kind);
        if (found.kind == SHUNT_TY_PERCENT) found.scale = 4;
        return found;
    }
    }
    if (shunt_text_is(name->text, "quantity")) {
        not_in_version(k, name->span, "`quantity`");
        return ty_error();
    }
    shunt_symbol *symbol = find_type(k, name->text);
    shunt_ty      part;
    if (!symbol && fhir_type(k, name, &part)) return part;
    if (!symbol) return unknown_type(k, name);
    check_fact(k, type)->symbol = symbol;
    if (decl_of(symbol)->unread) return ty_error();
    if (symbol->kind == SHUNT_SYMBOL_TARGET && symbol->as.target->shape) return row_of(symbol->as.target->shape);
    return symbol->type;
}

shunt_ty check_type(check *k, shunt_ast *type)
{
    if (!type || type->kind == SHUNT_AST_ERROR) return ty_error();
    if (type->kind == SHUNT_AST_LIST_TYPE) {
        shunt_ty  item = check_type(k, kid(type, SHUNT_LIST_TYPE_item));
        uint32_t  max = 0;
        shunt_ty *of = NEW(k, shunt_ty);
        if (!type_number(kid(type, SHUNT_LIST_TYPE_max), 1, LIST_AT_MOST, &max))
            return wrong_type(k, type, "list of text(20) max 50");
        if (item.kind == SHUNT_TY_ERROR) return item;
        if (item.kind == SHUNT_TY_NODE) {
            not_in_version(k, type->span, "a list of parts of the message as a parameter");
            return ty_error();
        }
        if (item.optional) {
            shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0306, type->span, "a list holds no absent items");
            shunt_diag_help(k->diags, d, "leave out the `?`");
            item.optional = false;
        }
        *of = item;
        return check_typed(k, type, (shunt_ty){ .kind = SHUNT_TY_LIST, .item = of, .max = max, .phi = item.phi });
    }
    shunt_ast *name = kid(type, SHUNT_TYPE_name);
    if (!name) return ty_error();
    shunt_ty found = named_type(k, type, name, kid(type, SHUNT_TYPE_args));
    found.phi = phi_constant(k, phi_of_names(k, kid(type, SHUNT_TYPE_phi)));
    found.optional = shunt_text_is(type->text, "?");
    return check_typed(k, type, found.kind == SHUNT_TY_ERROR ? ty_error() : found);
}

/* ---- declarations: names first ---- */

static shunt_symbol *declare(check *k, shunt_symbol_kind kind, shunt_ast *node, shunt_ast *name)
{
    shunt_symbol *symbol = new_symbol(k, kind, name->text, node, name->span);
    shunt_scope  *scope = scope_of(k->module, kind);
    shunt_symbol *known = shunt_scope_find(scope, name->text);
    if (!known && kind == SHUNT_SYMBOL_TABLE) known = shunt_scope_find(&k->module->types, name->text);
    if (known) {
        report_twice(k, symbol, known, false);
        decl_of(symbol)->unread = true; /* the first one stands */
        *PUSH(k, &k->module->own) = symbol;
        check_fact(k, node)->symbol = symbol;
        return symbol;
    }
    if (kind == SHUNT_SYMBOL_FUNCTION && is_builtin(name->text)) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0208, name->span, "`%.*s` is built in", SHUNT_TEXT_ARGS(name->text));
        shunt_diag_help(k->diags, d, "give your function another name");
    }
    add_name(k, scope, name->text, symbol);
    if (kind == SHUNT_SYMBOL_TABLE) add_name(k, &k->module->types, name->text, symbol);
    *PUSH(k, &k->module->own) = symbol;
    if (!node->fact || kind != SHUNT_SYMBOL_MEMBER) check_fact(k, node)->symbol = symbol;
    return symbol;
}

static void declare_enum(check *k, shunt_ast *node)
{
    shunt_ast *name = kid(node, SHUNT_ENUM_name), *members = kid(node, SHUNT_ENUM_members);
    if (!name || !members) return;
    shunt_symbol *symbol = declare(k, SHUNT_SYMBOL_ENUM, node, name);
    shunt_shape  *shape = NEW(k, shunt_shape);
    shape->kind = SHUNT_SHAPE_ENUM;
    shape->name = name->text;
    shape->symbol = symbol;
    shape->members = NEW_N(k, shunt_member, members->kid_count);
    symbol->as.enumeration = shape;
    symbol->type = (shunt_ty){ .kind = SHUNT_TY_ENUM, .shape = shape };
    if (members->kid_count > MEMBERS_AT_MOST) too_large(k, name->span, "this enum", MEMBERS_AT_MOST);
    for (uint32_t i = 0; i < members->kid_count && i < MEMBERS_AT_MOST; i++) {
        shunt_ast    *member = members->kids[i];
        shunt_symbol *one = declare(k, SHUNT_SYMBOL_MEMBER, member, member);
        one->type = symbol->type;
        one->used = true;
        one->as.field.shape = shape;
        one->as.field.member = shape->count;
        shape->members[shape->count++] = (shunt_member){ .name = member->text, .type = symbol->type, .decl = member };
    }
}

static void declare_codes(check *k, shunt_ast *node)
{
    shunt_ast *items = kid(node, SHUNT_CODES_items);
    for (uint32_t i = 0; items && i < items->kid_count; i++) {
        shunt_ast *item = items->kids[i], *name = item->kind == SHUNT_AST_CODE ? kid(item, SHUNT_CODE_name) : NULL;
        if (!name) continue;
        shunt_symbol *symbol = declare(k, SHUNT_SYMBOL_CODE, item, name);
        shunt_ast    *meaning = kid(item, SHUNT_CODE_meaning), *ack = kid(item, SHUNT_CODE_ack),
                  *queue = kid(item, SHUNT_CODE_queue);
        symbol->as.code.name = name->text;
        symbol->as.code.meaning = meaning ? meaning->text : (shunt_text){ 0 };
        symbol->as.code.ack = ack ? ack->text : (shunt_text){ 0 };
        symbol->as.code.queue = queue ? queue->text : (shunt_text){ 0 };
        symbol->as.code.has_ack = ack != NULL;
        symbol->as.code.has_queue = queue != NULL;
    }
}

static void declare_node(check *k, shunt_ast *node)
{
    static const struct {
        shunt_ast_kind    node;
        shunt_symbol_kind kind;
        uint32_t          name;
    } plain[] = {
        { SHUNT_AST_SOURCE, SHUNT_SYMBOL_SOURCE, SHUNT_SOURCE_name },
        { SHUNT_AST_TARGET, SHUNT_SYMBOL_TARGET, SHUNT_TARGET_name },
        { SHUNT_AST_TABLE, SHUNT_SYMBOL_TABLE, SHUNT_TABLE_name },
        { SHUNT_AST_FUNCTION, SHUNT_SYMBOL_FUNCTION, SHUNT_FUNCTION_name },
        { SHUNT_AST_DECIDE, SHUNT_SYMBOL_FUNCTION, SHUNT_DECIDE_name },
        { SHUNT_AST_EXTERN, SHUNT_SYMBOL_FUNCTION, SHUNT_EXTERN_name },
        { SHUNT_AST_MAP, SHUNT_SYMBOL_MAP, SHUNT_MAP_name },
    };
    for (size_t i = 0; i < SHUNT_COUNT(plain); i++) {
        shunt_ast *name = (shunt_ast_kind)node->kind == plain[i].node ? kid(node, plain[i].name) : NULL;
        if (!name) continue;
        if (plain[i].kind == SHUNT_SYMBOL_MAP) {
            shunt_symbol *known = shunt_scope_find(&k->module->maps, name->text);
            k->module->has_map = true;
            if (known) {
                shunt_diag *d =
                    shunt_diag_add(k->diags, SHUNT_E0902, name->span, "map `%.*s` is there already", SHUNT_TEXT_ARGS(name->text));
                shunt_diag_also(k->diags, d, known->span, "the first one");
                shunt_diag_help(k->diags, d, "give one of them another name");
                continue;
            }
        }
        (void)declare(k, plain[i].kind, node, name);
    }
    switch (node->kind) {
    case SHUNT_AST_ENUM: declare_enum(k, node); break;
    case SHUNT_AST_CODES: declare_codes(k, node); break;
    default: break;
    }
}

static bool visit_name(shunt_ast *node, void *context)
{
    check *k = context;
    if (node->kind != SHUNT_AST_NAME) return true;
    (void)find_value(k, node->text);
    (void)find_type(k, node->text);
    (void)find_code(k, node->text);
    return true;
}

void use_names(check *k, shunt_ast *node) { shunt_ast_walk(node, visit_name, k); }

/* ---- imports ---- */

static void check_module(check *k, uint32_t number);

static void take_names(check *k, const module *from, const shunt_ast *import)
{
    for (uint32_t i = 0; i < from->own.count; i++) {
        shunt_symbol *symbol = from->own.items[i];
        if (decl_of(symbol)->unread && symbol->kind != SHUNT_SYMBOL_SOURCE && symbol->kind != SHUNT_SYMBOL_FUNCTION) continue;
        shunt_scope  *scope = scope_of(k->module, symbol->kind);
        shunt_symbol *known = shunt_scope_find(scope, symbol->name);
        if (known == symbol) continue;
        if (known) {
            shunt_diag *d =
                shunt_diag_add(k->diags, SHUNT_E0208, import->span, "two imports declare `%.*s`", SHUNT_TEXT_ARGS(symbol->name));
            shunt_diag_also(k->diags, d, symbol->span, "one");
            shunt_diag_also(k->diags, d, known->span, "the other");
            shunt_diag_help(k->diags, d, "give one import an alias: `import \"...\" as lib`");
            continue;
        }
        add_name(k, scope, symbol->name, symbol);
        if (symbol->kind == SHUNT_SYMBOL_TABLE) add_name(k, &k->module->types, symbol->name, symbol);
    }
}

static void import_module(check *k, shunt_ast *import, uint32_t number)
{
    shunt_ast *path = kid(import, SHUNT_IMPORT_path), *name = kid(import, SHUNT_IMPORT_alias);
    module    *self = k->module;
    if (!path || number == SHUNT_IMPORT_REPORTED) {
        self->incomplete = true;
        return;
    }
    if (path->kind != SHUNT_AST_STRING && number >= k->c->module_count) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0213, path->span, "there is no module `%.*s`", SHUNT_TEXT_ARGS(path->text));
        shunt_diag_help(k->diags, d, "name a folder that it is in: `modules \"modules\"` in `shunt.project`");
        self->incomplete = true;
        return;
    }
    if (number == UINT32_MAX || number >= k->c->module_count) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0213, path->span, "there is no module \"%.*s\"", SHUNT_TEXT_ARGS(path->text));
        shunt_diag_note(k->diags, d, "the path is relative to this file");
        shunt_diag_help(k->diags, d, "correct the path: `import \"lib/gl.map\"`");
        self->incomplete = true;
        return;
    }
    if (k->modules[number].walk == 1) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0213, path->span, "this import comes back to the module that it stands in");
        shunt_diag_help(k->diags, d, "move what both need to a third module, and import that");
        self->incomplete = true;
        return;
    }
    check_module(k, number);
    k->module = self;
    if (!name) {
        take_names(k, &k->modules[number], import);
        return;
    }
    for (uint32_t i = 0; i < self->aliases.count; i++)
        if (shunt_text_equal(self->aliases.items[i].name, name->text)) {
            shunt_diag *d =
                shunt_diag_add(k->diags, SHUNT_E0208, name->span, "`%.*s` is declared twice", SHUNT_TEXT_ARGS(name->text));
            shunt_diag_also(k->diags, d, self->aliases.items[i].span, "another import");
            shunt_diag_help(k->diags, d, "give one of them another alias");
            return;
        }
    *PUSH(k, &self->aliases) = (alias){ name->text, number, name->span, false };
}

/* ---- tables, targets, functions: what they hold ---- */

static bool has_name(check *k, const shunt_shape *shape, const shunt_ast *name)
{
    uint32_t at;
    if (!find_member(shape, name->text, &at)) return false;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0208, name->span, "`%.*s` is declared twice", SHUNT_TEXT_ARGS(name->text));
    if (shape->members[at].decl) shunt_diag_also(k->diags, d, shape->members[at].decl->span, "first here");
    shunt_diag_help(k->diags, d, "give one of them another name");
    return true;
}

static void table_key(check *k, shunt_ast *item, shunt_table_info *info)
{
    shunt_ast *name = kid(item, SHUNT_TABLE_KEY_name), *by = kid(item, SHUNT_TABLE_KEY_by);
    shunt_ty   type = check_type(k, kid(item, SHUNT_TABLE_KEY_type));
    if (!name || has_name(k, info->shape, name)) return;
    if (type.optional || !shunt_ty_is_scalar(&type)) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0303, item->span, type.optional ? "a key is never absent" : "a key is one value");
        shunt_diag_help(k->diags, d,
                        type.optional ? "leave out the `?`; a row for every value has `*` in the table"
                                      : "write a text, a number or a date: `key %.*s: text(20)`",
                        SHUNT_TEXT_ARGS(name->text));
        type = ty_error();
    }
    info->shape->members[info->shape->count++] = (shunt_member){ .name = name->text, .type = type, .decl = item };
    info->key_count++;
    if (by && shunt_text_is(by->text, "prefix")) {
        info->prefix = true;
        if (!shunt_ty_is_error(&type) && !shunt_ty_is_textual(&type)) {
            shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0303, item->span, "only a text has a prefix");
            shunt_diag_help(k->diags, d, "write `key %.*s: text(20) by prefix`", SHUNT_TEXT_ARGS(name->text));
        }
    } else if (by && shunt_text_is(by->text, "range")) {
        info->range = true;
        if (!shunt_ty_is_error(&type) && !shunt_ty_is_number(&type) && type.kind != SHUNT_TY_MONEY &&
            type.kind != SHUNT_TY_DATE) {
            shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0303, item->span, "only a number, an amount or a date is in a range");
            shunt_diag_help(k->diags, d, "write `key %.*s: decimal(15, 2) by range`", SHUNT_TEXT_ARGS(name->text));
        }
    } else if (by) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0209, by->span, "a key is not matched by `%.*s`", SHUNT_TEXT_ARGS(by->text));
        shunt_diag_help(k->diags, d, "write `by prefix`, `by range`, or nothing: the whole value");
    }
}

static void prefix_is_last(check *k, const shunt_ast *items, const shunt_table_info *info)
{
    uint32_t key = 0;
    for (uint32_t i = 0; i < items->kid_count; i++) {
        const shunt_ast *item = items->kids[i], *by = item->kind == SHUNT_AST_TABLE_KEY ? kid(item, SHUNT_TABLE_KEY_by) : NULL;
        if (item->kind != SHUNT_AST_TABLE_KEY) continue;
        key++;
        if (!by || (!shunt_text_is(by->text, "prefix") && !shunt_text_is(by->text, "range")) || key >= info->key_count) continue;
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0306, by->span, "only the last key is matched by %.*s", SHUNT_TEXT_ARGS(by->text));
        shunt_diag_help(k->diags, d, "write this key last");
    }
}

static void table_column(check *k, shunt_ast *item, shunt_shape *shape)
{
    shunt_ast *name = kid(item, SHUNT_COLUMN_name);
    shunt_ty   type = check_type(k, kid(item, SHUNT_COLUMN_type));
    if (!name || has_name(k, shape, name)) return;
    if (!shunt_ty_is_error(&type) && !shunt_ty_is_scalar(&type)) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0303, item->span, "a cell of a table is one value");
        shunt_diag_help(k->diags, d, "write a text, a number, an account, a date or an enum");
        type = ty_error();
    }
    if (type.kind == SHUNT_TY_MOMENT || type.kind == SHUNT_TY_TIME) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0803, item->span, "a cell of a table has no zone");
        shunt_diag_here(k->diags, d, "which moment it is depends on where it was written");
        shunt_diag_help(k->diags, d, "write `column %.*s: date`", SHUNT_TEXT_ARGS(name->text));
        type = ty_error();
    }
    shape->members[shape->count++] = (shunt_member){ .name = name->text, .type = type, .decl = item };
}

static void table_from(check *k, shunt_symbol *symbol, shunt_ast *item, shunt_table_info *info)
{
    shunt_ast *path = kid(item, SHUNT_TABLE_FROM_path);
    if (!path) return;
    if (shunt_text_starts(path->text, SHUNT_TEXT("state:"))) {
        not_in_version(k, path->span, "`from \"state:...\"`");
        decl_of(symbol)->unread = true;
        return;
    }
    info->from = path;
    info->host = shunt_text_starts(path->text, SHUNT_TEXT("host:"));
}

static void check_table(check *k, shunt_symbol *symbol)
{
    shunt_ast        *items = kid(symbol->decl, SHUNT_TABLE_items);
    shunt_table_info *info = NEW(k, shunt_table_info);
    shunt_shape      *shape = NEW(k, shunt_shape);
    uint32_t          count = items ? items->kid_count : 0;
    if (count > MEMBERS_AT_MOST) {
        too_large(k, symbol->span, "this table", MEMBERS_AT_MOST);
        count = MEMBERS_AT_MOST;
    }
    symbol->as.table = info;
    info->shape = shape;
    *shape = (shunt_shape){
        .kind = SHUNT_SHAPE_TABLE, .name = symbol->name, .symbol = symbol, .members = NEW_N(k, shunt_member, 2 * count)
    };
    symbol->type = row_of(shape);
    for (uint32_t i = 0; i < count; i++) {
        if (items->kids[i]->kind == SHUNT_AST_TABLE_FROM) table_from(k, symbol, items->kids[i], info);
        if (items->kids[i]->kind == SHUNT_AST_TABLE_KEY) table_key(k, items->kids[i], info);
    }
    for (uint32_t i = 0; i < count; i++) {
        shunt_ast *item = items->kids[i];
        if (item->kind != SHUNT_AST_EFFECTIVE) continue;
        if (info->effective) {
            shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0208, item->span, "a table has one `effective`");
            shunt_diag_help(k->diags, d, "remove one of them");
            continue;
        }
        info->effective = true;
        for (uint32_t j = 0; j < 2; j++) {
            shunt_ast *name = kid(item, j);
            if (!name || has_name(k, shape, name)) continue;
            shape->members[shape->count++] =
                (shunt_member){ .name = name->text, .type = shunt_ty_optional(shunt_ty_plain(SHUNT_TY_DATE)), .decl = name };
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        shunt_ast *item = items->kids[i];
        if (item->kind == SHUNT_AST_COLUMN)
            table_column(k, item, shape);
        else if (item->kind == SHUNT_AST_SETTING && kid(item, SHUNT_SETTING_name) && !decl_of(symbol)->unread) {
            shunt_ast  *name = kid(item, SHUNT_SETTING_name);
            shunt_diag *d =
                shunt_diag_add(k->diags, SHUNT_E0209, name->span, "a table has no setting `%.*s`", SHUNT_TEXT_ARGS(name->text));
            shunt_diag_help(k->diags, d,
                            "a table has `from`, `key`, `effective` and `column`; a column is written `column %.*s: text(20)`",
                            SHUNT_TEXT_ARGS(name->text));
        }
    }
    if (items) prefix_is_last(k, items, info);
    if (!info->key_count && items) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0306, symbol->span, "table %.*s has no key", SHUNT_TEXT_ARGS(symbol->name));
        shunt_diag_help(k->diags, d, "say what a row is looked up by: `key code: text(10)`");
        decl_of(symbol)->unread = true;
    }
}

static shunt_shape *new_target_shape(check *k, shunt_shape_kind kind, shunt_symbol *symbol, uint32_t count)
{
    shunt_shape *shape = NEW(k, shunt_shape);
    *shape = (shunt_shape){ .kind = kind, .name = symbol->name, .symbol = symbol, .members = NEW_N(k, shunt_member, count) };
    return shape;
}

static void target_field(check *k, shunt_ast *item, shunt_target_info *info)
{
    shunt_ast   *name = kid(item, SHUNT_FIELD_DECL_name), *value = kid(item, SHUNT_FIELD_DECL_value);
    bool         column = shunt_text_is(item->text, "column");
    shunt_shape *shape = column && info->line ? info->line : info->shape;
    shunt_ty     type = check_type(k, kid(item, SHUNT_FIELD_DECL_type));
    if (!name || has_name(k, info->shape, name) || (info->line && has_name(k, info->line, name))) return;
    if (column && !info->journal) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0209, item->span, "only a journal has columns");
        shunt_diag_help(k->diags, d, "leave out `column`, or write `target ... is journal`");
    }
    if (type.kind == SHUNT_TY_ROW && type.shape == info->shape) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0303, item->span, "a record cannot hold itself");
        shunt_diag_help(k->diags, d, "declare a target of its own for the rows");
        type = ty_error();
    }
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a target has its shape before its fields are read */
    shape->members[shape->count++] = (shunt_member){ .name = name->text, .type = type, .decl = item, .value = value };
}

static void target_keys(check *k, shunt_ast *item, shunt_target_info *info)
{
    shunt_ast *names = kid(item, SHUNT_KEY_FIELDS_names);
    uint32_t   at;
    if (!names) return;
    if (info->keys) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0208, item->span, "a target has one `key`");
        shunt_diag_help(k->diags, d, "write all parts of it in one place: `key number, line`");
        return;
    }
    info->keys = NEW_N(k, uint32_t, names->kid_count);
    for (uint32_t i = 0; i < names->kid_count; i++) {
        shunt_ast *name = names->kids[i];
        if (!find_member(info->shape, name->text, &at)) {
            shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0209, name->span, "target %.*s has no field `%.*s`",
                                           SHUNT_TEXT_ARGS(info->shape->name), SHUNT_TEXT_ARGS(name->text));
            shunt_text  near = nearest_field(k, info->shape, name->text, NULL);
            if (near.length) shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
            continue;
        }
        const shunt_ty *type = &info->shape->members[at].type;
        if (type->optional) {
            shunt_diag *d =
                shunt_diag_add(k->diags, SHUNT_E0301, name->span, "`%.*s` may be absent, and every part of a key is needed",
                               SHUNT_TEXT_ARGS(name->text));
            if (info->shape->members[at].decl)
                shunt_diag_also(k->diags, d, info->shape->members[at].decl->span, "declared with `?`");
            shunt_diag_help(k->diags, d, "leave out the `?`, or take it out of the key");
        } else if (!shunt_ty_is_error(type) && !shunt_ty_is_scalar(type)) {
            shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0303, name->span, "a part of a key is one value, and `%.*s` is not",
                                           SHUNT_TEXT_ARGS(name->text));
            shunt_diag_help(k->diags, d, "take it out of the key");
        }
        info->keys[info->key_count++] = at;
    }
}

static void target_balance(check *k, shunt_ast *item, shunt_target_info *info)
{
    shunt_ast *word = kid(item, SHUNT_BALANCE_BY_word), *field = kid(item, SHUNT_BALANCE_BY_field);
    uint32_t   at;
    if (!word || !field) return;
    if (!shunt_text_is(word->text, "balance") || !info->journal) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0209, word->span,
                           info->journal ? "a journal has no `%.*s by`" : "only a journal balances", SHUNT_TEXT_ARGS(word->text));
        shunt_diag_help(k->diags, d, info->journal ? "write `balance by %.*s`" : "write `target ... is journal`",
                        SHUNT_TEXT_ARGS(field->text));
        return;
    }
    if (find_member(info->line, field->text, &at)) {
        info->balance_by = at;
        return;
    }
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0209, field->span, "a line of %.*s has no column `%.*s`",
                                   SHUNT_TEXT_ARGS(info->shape->name), SHUNT_TEXT_ARGS(field->text));
    shunt_text  near = nearest_field(k, info->line, field->text, NULL);
    if (near.length)
        shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
    else
        shunt_diag_help(k->diags, d, "add it: `column %.*s: text(20)`", SHUNT_TEXT_ARGS(field->text));
}

static void target_accounts(check *k, shunt_ast *item, shunt_target_info *info)
{
    shunt_ast *word = kid(item, SHUNT_ACCOUNTS_FROM_word), *table = kid(item, SHUNT_ACCOUNTS_FROM_table);
    if (!word || !table) return;
    if (!shunt_text_is(word->text, "accounts") || !info->journal) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0209, word->span,
                                       info->journal ? "a journal has no `%.*s from`" : "only a journal has accounts",
                                       SHUNT_TEXT_ARGS(word->text));
        shunt_diag_help(k->diags, d, info->journal ? "write `accounts from %.*s`" : "write `target ... is journal`",
                        SHUNT_TEXT_ARGS(table->text));
        return;
    }
    shunt_symbol *symbol = find_value(k, table->text);
    if (!symbol || symbol->kind != SHUNT_SYMBOL_TABLE) {
        unknown_name(k, table, "table", NULL);
        return;
    }
    const shunt_table_info *t = symbol->as.table;
    if (!decl_of(symbol)->unread &&
        (t->key_count != 1 || t->effective || t->prefix || t->range || !shunt_ty_is_textual(&t->shape->members[0].type))) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0306, table->span, "a table of accounts has one key, the account");
        shunt_diag_also(k->diags, d, symbol->span, "declared here");
        shunt_diag_help(k->diags, d, "write it as `table %.*s { from \"...\" key account: text(20) }`",
                        SHUNT_TEXT_ARGS(symbol->name));
        return;
    }
    info->accounts = symbol;
}

/* A row inside a row inside itself has no size. */
static bool holds_itself(const shunt_shape *shape, const shunt_shape *sought, uint32_t depth)
{
    for (uint32_t i = 0; i < shape->count && depth < 8; i++) {
        const shunt_ty *type = &shape->members[i].type;
        if (type->kind == SHUNT_TY_LIST && type->item) type = type->item;
        if (type->kind != SHUNT_TY_ROW || type->shape->kind != SHUNT_SHAPE_TARGET) continue;
        if (type->shape == sought || holds_itself(type->shape, sought, depth + 1)) return true;
    }
    return false;
}

static void shape_target(check *k, shunt_symbol *symbol)
{
    shunt_target_info *info = NEW(k, shunt_target_info);
    shunt_ast         *items = kid(symbol->decl, SHUNT_TARGET_items);
    uint32_t           count = items ? items->kid_count : 0;
    if (count > MEMBERS_AT_MOST) {
        too_large(k, symbol->span, "this target", MEMBERS_AT_MOST);
        items->kid_count = count = MEMBERS_AT_MOST; /* what is over is not looked at again */
        decl_of(symbol)->unread = true;
    }
    symbol->as.target = info;
    info->journal = shunt_text_is(symbol->decl->text, "journal");
    info->balance_by = UINT32_MAX;
    info->shape = new_target_shape(k, SHUNT_SHAPE_TARGET, symbol, count);
    if (info->journal) info->line = new_target_shape(k, SHUNT_SHAPE_LINE, symbol, count);
    info->checks = NEW_N(k, shunt_ast *, count);
    symbol->type = row_of(info->shape);
}

/* HL7 has a word for what is cleared, so fields of what is written as HL7 may be, those of its rows as well. */
static void hold_cleared(const shunt_shape *shape)
{
    if (decl_of(shape->symbol)->holds_cleared) return;
    decl_of(shape->symbol)->holds_cleared = true;
    for (uint32_t i = 0; i < shape->count; i++) {
        shunt_ty       *type = &shape->members[i].type;
        const shunt_ty *row = type->kind == SHUNT_TY_LIST && type->item ? type->item : type;
        type->clearable = type->clearable || (type->optional && shunt_ty_is_scalar(type));
        if (row->kind == SHUNT_TY_ROW && row->shape->kind == SHUNT_SHAPE_TARGET) hold_cleared(row->shape);
    }
}

static void fill_cleared(check *k, shunt_symbol *symbol)
{
    const shunt_target_info *info = symbol->as.target;
    const shunt_ast         *kind = info->encode ? kid(kid(info->encode, SHUNT_ENCODE_args), 0) : NULL;
    (void)k;
    if (kind && shunt_text_is(kind->text, "hl7")) hold_cleared(info->shape);
}

static void fill_target(check *k, shunt_symbol *symbol)
{
    shunt_target_info *info = symbol->as.target;
    shunt_ast         *items = kid(symbol->decl, SHUNT_TARGET_items);
    uint32_t           date;
    for (uint32_t i = 0; items && i < items->kid_count; i++)
        if (items->kids[i]->kind == SHUNT_AST_FIELD_DECL) target_field(k, items->kids[i], info);
    for (uint32_t i = 0; items && i < items->kid_count; i++) {
        shunt_ast *item = items->kids[i];
        switch (item->kind) {
        case SHUNT_AST_KEY_FIELDS: target_keys(k, item, info); break;
        case SHUNT_AST_ACCEPTS: info->accepts |= phi_of_names(k, kid(item, SHUNT_ACCEPTS_classes)); break;
        case SHUNT_AST_CONSTRAINT: info->checks[info->check_count++] = item; break;
        case SHUNT_AST_BALANCE_BY: target_balance(k, item, info); break;
        case SHUNT_AST_ACCOUNTS_FROM: target_accounts(k, item, info); break;
        case SHUNT_AST_ENCODE:
            if (info->encode) {
                shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0208, item->span, "a target has one `encode`");
                shunt_diag_also(k->diags, d, info->encode->span, "first here");
                shunt_diag_help(k->diags, d, "declare a target for each form");
            }
            info->encode = item;
            break;
        default: break;
        }
    }
    if (info->journal && items && !find_member(info->shape, SHUNT_TEXT("date"), &date)) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0503, symbol->span, "journal %.*s has no `date`", SHUNT_TEXT_ARGS(symbol->name));
        shunt_diag_help(k->diags, d, "add the day of posting to its fields: `date: date`");
    }
}

/* The module that holds the rows of this decision. */
static uint32_t file_of_rows(check *k, const shunt_ast *decision)
{
    const shunt_ast *decls = kid(k->module->info->tree, SHUNT_MODULE_decls);
    uint32_t         number = 0;
    for (uint32_t i = 0; decls && i < decls->kid_count; i++) {
        const shunt_ast *rows = decls->kids[i]->kind == SHUNT_AST_DECIDE ? kid(decls->kids[i], SHUNT_DECIDE_rows) : NULL;
        if (!rows || rows->kind != SHUNT_AST_STRING) continue;
        if (decls->kids[i] == decision) return k->module->info->decisions ? k->module->info->decisions[number] : UINT32_MAX;
        number++;
    }
    return UINT32_MAX;
}

static void shape_function(check *k, shunt_symbol *symbol)
{
    if (symbol->decl->kind == SHUNT_AST_EXTERN) {
        shape_extern(k, symbol);
        return;
    }
    shunt_ast      *params = kid(symbol->decl, SHUNT_FUNCTION_params);
    uint32_t        count = params ? params->kid_count : 0;
    function_facts *f = NEW(k, function_facts);
    decl           *d = decl_of(symbol);
    d->function = f;
    f->atoms[f->atom_count++] = (atom){ ATOM_ALL, UINT32_MAX, 0 };
    f->classes = NEW_N(k, uint32_t, count);
    symbol->as.function.params = NEW_N(k, shunt_symbol *, count);
    k->phase = PHASE_FUNCTION;
    k->function = d;
    for (uint32_t i = 0; i < count; i++) {
        shunt_ast *param = params->kids[i], *name = kid(param, SHUNT_PARAM_name);
        if (param->kind != SHUNT_AST_PARAM || !name) continue;
        shunt_symbol *one = new_symbol(k, SHUNT_SYMBOL_PARAM, name->text, param, name->span);
        one->type = check_type(k, kid(param, SHUNT_PARAM_type));
        one->used = true;
        uint32_t bit = 1u;
        if (f->atom_count < ATOMS - 8) {
            f->atoms[f->atom_count] = (atom){ ATOM_ALL, symbol->as.function.count, 0 };
            bit = 1u << f->atom_count++;
        }
        one->type.phi |= bit;
        check_fact(k, param)->symbol = one;
        symbol->as.function.params[symbol->as.function.count++] = one;
    }
    symbol->type = check_type(k, kid(symbol->decl, SHUNT_FUNCTION_type));
    if (symbol->type.kind == SHUNT_TY_NODE) {
        not_in_version(k, kid(symbol->decl, SHUNT_FUNCTION_type)->span, "a part of the message as a result");
        symbol->type = ty_error();
    }
    f->result = symbol->type.phi;
    if (symbol->decl->kind == SHUNT_AST_DECIDE) shape_decide(k, symbol, file_of_rows(k, symbol->decl));
    k->phase = PHASE_NONE;
    k->function = NULL;
}

/* ---- functions: callees before callers ---- */

typedef struct call_walk {
    check           *k;
    shunt_symbol    *caller;
    const shunt_ast *at;
} call_walk;

static void walk_function(check *k, shunt_symbol *function, const shunt_ast *called_at);

static bool visit_call(shunt_ast *node, void *context)
{
    call_walk    *w = context;
    check        *k = w->k;
    shunt_ast    *name = node->kind == SHUNT_AST_CALL ? kid(node, SHUNT_CALL_name) : NULL;
    shunt_ast    *of = node->kind == SHUNT_AST_METHOD ? kid(node, SHUNT_METHOD_of) : NULL;
    shunt_symbol *callee = name ? shunt_scope_find(&k->module->values, name->text) : NULL;
    if (of && of->kind == SHUNT_AST_NAME && kid(node, SHUNT_METHOD_name) && !shunt_scope_find(&k->module->values, of->text))
        callee = find_value(
            k, check_format(k, "%.*s.%.*s", SHUNT_TEXT_ARGS(of->text), SHUNT_TEXT_ARGS(kid(node, SHUNT_METHOD_name)->text)));
    if (callee && callee->kind == SHUNT_SYMBOL_FUNCTION && !decl_of(callee)->unread) walk_function(k, callee, node);
    return true;
}

static void walk_function(check *k, shunt_symbol *function, const shunt_ast *called_at)
{
    function_facts *f = decl_of(function)->function;
    if (!f || f->walk == 2) return;
    if (f->walk == 1) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0910, called_at->span, "`%.*s` calls itself", SHUNT_TEXT_ARGS(function->name));
        shunt_diag_also(k->diags, d, function->span, "declared here");
        shunt_diag_note(k->diags, d, "functions that call each other in a circle may never end");
        shunt_diag_help(k->diags, d, "use a list: `sum(... for each x in ...)`, or a table");
        return;
    }
    module *here = k->module;
    f->walk = 1;
    k->module = &k->modules[function->module];
    if (++k->depth < DEPTH_AT_MOST) {
        call_walk w = { k, function, NULL };
        shunt_ast_walk(kid(function->decl, SHUNT_FUNCTION_lets), visit_call, &w);
        shunt_ast_walk(kid(function->decl, SHUNT_FUNCTION_result), visit_call, &w);
        for (const shunt_replacement *r = function->replaced; r;
             r = r->next) { /* rows of an overlay call what its module knows */
            k->module = &k->modules[r->overlay->module];
            shunt_ast_walk(r->rows, visit_call, &w);
        }
    } else {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0910, called_at ? called_at->span : function->span,
                                       "functions call each other more than %d deep", DEPTH_AT_MOST);
        shunt_diag_help(k->diags, d, "put some of them together");
    }
    k->depth--;
    k->module = here;
    f->walk = 2;
    *PUSH(k, &k->functions) = function;
}

static void check_function(check *k, shunt_symbol *symbol)
{
    shunt_ast *lets = kid(symbol->decl, SHUNT_FUNCTION_lets), *result = kid(symbol->decl, SHUNT_FUNCTION_result);
    decl      *d = decl_of(symbol);
    shunt_ty   declared = symbol->type;
    k->phase = PHASE_FUNCTION;
    k->function = d;
    k->source = NULL;
    enter_block(k);
    for (uint32_t i = 0; i < symbol->as.function.count; i++) declare_local(k, symbol->as.function.params[i]);
    for (uint32_t i = 0; lets && i < lets->kid_count; i++)
        if (lets->kids[i]->kind == SHUNT_AST_LET) check_let(k, lets->kids[i], SHUNT_SYMBOL_LOCAL);
    need n = { .by = FOR_RESULT, .type = declared, .name = symbol->name };
    if (shunt_ty_is_error(&declared))
        (void)check_expr(k, result, NULL);
    else {
        shunt_ty type = check_needed(k, result, &n);
        d->function->result |= type.phi;
        symbol->type.phi = 0; /* the classes of a result are those of each call */
    }
    leave_block(k);
    k->phase = PHASE_NONE;
    k->function = NULL;
}

/* After all calls are known: the bits of `phi` inside functions become the classes that really arrive. */

typedef struct settle {
    check          *k;
    decl           *function;
    const uint32_t *classes;
} settle;

static bool settle_node(shunt_ast *node, void *context)
{
    settle     *s = context;
    shunt_fact *fact = shunt_fact_of(node);
    if (!fact) return true;
    fact->type.phi = phi_through(s->k, s->function, s->classes, s->function->symbol.as.function.count, fact->type.phi);
    bool own = node->kind == SHUNT_AST_LET || node->kind == SHUNT_AST_PARAM || node->kind == SHUNT_AST_EACH;
    if (own && fact->symbol) fact->symbol->type.phi = fact->type.phi;
    return true;
}

static void settle_functions(check *k)
{
    for (uint32_t i = k->functions.count; i-- > 0;) {
        decl           *d = decl_of(k->functions.items[i]);
        function_facts *f = d->function;
        uint32_t        count = d->symbol.as.function.count;
        for (const call_site *site = f->calls; site; site = site->next) {
            for (uint32_t p = 0; p < count; p++) {
                if (!site->caller)
                    f->classes[p] |= site->phi[p];
                else
                    f->classes[p] |= phi_through(k, site->caller, site->caller->function->classes,
                                                 site->caller->symbol.as.function.count, site->phi[p]);
            }
        }
    }
    for (uint32_t i = 0; i < k->functions.count; i++) {
        decl  *d = decl_of(k->functions.items[i]);
        settle s = { k, d, d->function->classes };
        for (uint32_t p = 0; p < d->symbol.as.function.count; p++) {
            shunt_symbol *param = d->symbol.as.function.params[p];
            check_typed(k, param->decl, param->type);
        }
        shunt_ast_walk(d->symbol.decl, settle_node, &s);
        for (const shunt_replacement *r = d->symbol.replaced; r; r = r->next) shunt_ast_walk(r->rows, settle_node, &s);
    }
}

/* ---- constants ---- */

static void check_constant(check *k, shunt_ast *node)
{
    shunt_ast *name = kid(node, SHUNT_LET_name);
    if (!name) return;
    check_let(k, node, SHUNT_SYMBOL_CONSTANT);
    const shunt_fact *fact = shunt_fact_of(node);
    if (!fact || !fact->symbol) return;
    shunt_symbol *known = shunt_scope_find(&k->module->values, name->text);
    if (known) {
        report_twice(k, fact->symbol, known, false);
        return;
    }
    add_name(k, &k->module->values, name->text, fact->symbol);
    *PUSH(k, &k->module->own) = fact->symbol;
}

/* ---- maps ---- */

static void shape_map(check *k, shunt_symbol *symbol)
{
    shunt_ast  *sources = kid(symbol->decl, SHUNT_MAP_sources), *targets = kid(symbol->decl, SHUNT_MAP_targets);
    symbol_list more = { 0 };
    bool        mixed = false;
    *PUSH(k, &k->maps) = symbol;
    symbol->as.map.sources = NEW_N(k, shunt_symbol *, sources ? sources->kid_count : 0);
    symbol->as.map.targets = NEW_N(k, shunt_symbol *, targets ? targets->kid_count : 0);
    for (uint32_t i = 0; sources && i < sources->kid_count; i++) {
        shunt_symbol *source = find_value(k, sources->kids[i]->text), *record = NULL;
        if (!source || source->kind != SHUNT_SYMBOL_SOURCE) record = find_type(k, sources->kids[i]->text);
        if (record && record->kind == SHUNT_SYMBOL_TARGET && sources->kid_count == 1 && !decl_of(record)->unread) {
            map_of_records(k, symbol, sources->kids[i], record);
            continue;
        }
        if (record && record->kind == SHUNT_SYMBOL_TARGET) {
            if (!decl_of(record)->unread) not_in_version(k, sources->kids[i]->span, "a target among several sources");
            mixed = true;
            continue;
        }
        if (!source && k->module->incomplete) continue;
        if (!source || source->kind != SHUNT_SYMBOL_SOURCE) {
            shunt_diag   *d = shunt_diag_add(k->diags, SHUNT_E0207, sources->kids[i]->span, "there is no source `%.*s`",
                                             SHUNT_TEXT_ARGS(sources->kids[i]->text));
            shunt_suggest s;
            shunt_suggest_init(&s, sources->kids[i]->text, 2);
            for (const shunt_binding *b = k->module->values.last; b; b = b->before)
                if (b->symbol->kind == SHUNT_SYMBOL_SOURCE) shunt_suggest_offer(&s, b->name, (shunt_text){ 0 }, true, 0);
            shunt_text near = shunt_suggest_text(&s, k->arena);
            if (near.length) shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
            continue;
        }
        bool again = false;
        for (uint32_t n = 0; n < i; n++) again = again || shunt_text_equal(sources->kids[n]->text, sources->kids[i]->text);
        if (again) {
            shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0208, sources->kids[i]->span, "`%.*s` is named twice",
                                           SHUNT_TEXT_ARGS(source->name));
            shunt_diag_help(k->diags, d, "remove one of them");
            continue;
        }
        if (symbol->as.map.source_count) {
            *PUSH(k, &more) = source;
            continue;
        }
        symbol->as.map.sources[symbol->as.map.source_count++] = source;
    }
    for (uint32_t i = 0; targets && i < targets->kid_count; i++) {
        shunt_symbol *target = find_type(k, targets->kids[i]->text);
        if (!target || target->kind != SHUNT_SYMBOL_TARGET || decl_of(target)->unread) {
            if (!target || (target->kind != SHUNT_SYMBOL_TARGET && !decl_of(target)->unread))
                unknown_name(k, targets->kids[i], "target", NULL);
            continue;
        }
        symbol->as.map.targets[symbol->as.map.target_count++] = target;
    }
    if (mixed) symbol->as.map.source_count = 0; /* what it reads is silent */
    if (more.count && !mixed) map_of_several(k, symbol, &more);
}

static bool same_guide(const shunt_symbol *a, const shunt_symbol *b, const shunt_guide **guide)
{
    for (uint32_t i = 0; i < a->as.map.source_count; i++)
        for (uint32_t j = 0; j < b->as.map.source_count; j++) {
            const shunt_source_info *x = a->as.map.sources[i]->as.source, *y = b->as.map.sources[j]->as.source;
            for (uint32_t g = 0; g < x->guide_count; g++)
                for (uint32_t h = 0; h < y->guide_count; h++)
                    if (x->guides[g]->standard == y->guides[h]->standard && strcmp(x->guides[g]->set, y->guides[h]->set) == 0 &&
                        strcmp(x->guides[g]->version, y->guides[h]->version) == 0) {
                        *guide = x->guides[g];
                        return true;
                    }
        }
    return false;
}

static void check_one_map_each(check *k)
{
    for (uint32_t i = 0; i < k->maps.count && !said_enough(k); i++) {
        shunt_symbol *map = k->maps.items[i];
        for (uint32_t j = 0; j < i; j++) {
            const shunt_guide *guide = NULL;
            if (!same_guide(k->maps.items[j], map, &guide)) continue;
            shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0902, map->span, "two maps read %s %s", guide->set, guide->version);
            shunt_diag_also(k->diags, d, k->maps.items[j]->span, "the other one");
            shunt_diag_note(k->diags, d, "each transaction set runs one map");
            shunt_diag_help(k->diags, d, "put them together: a map may write several targets");
            break;
        }
    }
}

/* ---- what is never used ---- */

static void warn_unused(check *k, const module *m)
{
    for (uint32_t i = 0; i < m->own.count; i++) {
        const shunt_symbol *symbol = m->own.items[i];
        if (symbol->used || decl_of(symbol)->unread || symbol->kind == SHUNT_SYMBOL_MAP || symbol->kind == SHUNT_SYMBOL_MEMBER)
            continue;
        if (symbol->kind == SHUNT_SYMBOL_CODE) {
            shunt_diag *d = warn_never_used(k, SHUNT_W0901, symbol->span,
                                            check_format(k, "code %.*s is never used", SHUNT_TEXT_ARGS(symbol->name)));
            shunt_diag_help(k->diags, d, "remove it, or leave by it: `%s %.*s`",
                            symbol->as.code.has_queue ? "quarantine"
                            : symbol->as.code.has_ack ? "reject"
                                                      : "warn",
                            SHUNT_TEXT_ARGS(symbol->name));
            continue;
        }
        bool        let = symbol->kind == SHUNT_SYMBOL_CONSTANT;
        shunt_diag *d = warn_never_used(k, SHUNT_W0201, symbol->span,
                                        check_format(k, "%s%s`%.*s` is never used", let ? "" : kind_words(symbol), let ? "" : " ",
                                                     SHUNT_TEXT_ARGS(symbol->name)));
        shunt_diag_help(k->diags, d, "remove it, or use it");
    }
    for (uint32_t i = 0; i < m->aliases.count; i++) {
        if (m->aliases.items[i].used) continue;
        shunt_diag *d =
            warn_never_used(k, SHUNT_W0201, m->aliases.items[i].span,
                            check_format(k, "import `%.*s` is never used", SHUNT_TEXT_ARGS(m->aliases.items[i].name)));
        shunt_diag_help(k->diags, d, "remove it, or use it");
    }
}

/* ---- modules ---- */

static void check_edition(check *k, const shunt_ast *tree)
{
    const shunt_ast *edition = kid(tree, SHUNT_MODULE_edition);
    if (!edition || shunt_text_is(edition->text, "1")) return;
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_E0002, edition->span, "edition %.*s is not known", SHUNT_TEXT_ARGS(edition->text));
    shunt_diag_help(k->diags, d, "write `edition 1`");
}

static void each_own(check *k, shunt_symbol_kind kind, void (*with)(check *k, shunt_symbol *symbol))
{
    module *m = k->module;
    for (uint32_t i = 0; i < m->own.count; i++)
        if (m->own.items[i]->kind == kind &&
            (!decl_of(m->own.items[i])->unread || kind == SHUNT_SYMBOL_TARGET || kind == SHUNT_SYMBOL_TABLE))
            with(k, m->own.items[i]);
}

static void walk_own_function(check *k, shunt_symbol *symbol) { walk_function(k, symbol, symbol->decl); }

static void check_rows_in_rows(check *k, shunt_symbol *symbol)
{
    if (!holds_itself(symbol->as.target->shape, symbol->as.target->shape, 0)) return;
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_E0303, symbol->span, "a record of %.*s would hold itself", SHUNT_TEXT_ARGS(symbol->name));
    shunt_diag_help(k->diags, d, "declare a target of its own for the rows");
    for (uint32_t i = 0; i < symbol->as.target->shape->count; i++) {
        shunt_ty *type = &symbol->as.target->shape->members[i].type;
        if (type->kind == SHUNT_TY_ROW || type->kind == SHUNT_TY_LIST) *type = ty_error();
    }
}

static void check_module(check *k, uint32_t number)
{
    module    *m = &k->modules[number];
    shunt_ast *tree = k->c->modules[number].tree, *decls = tree ? kid(tree, SHUNT_MODULE_decls) : NULL;
    if (m->walk) return;
    m->walk = 1;
    k->module = m;
    if (!decls) {
        m->walk = 2;
        return;
    }
    check_edition(k, tree);
    uint32_t import = 0;
    for (uint32_t i = 0; i < decls->kid_count; i++) {
        if (decls->kids[i]->kind != SHUNT_AST_IMPORT) continue;
        const uint32_t *imports = k->c->modules[number].imports;
        import_module(k, decls->kids[i], imports ? imports[import] : UINT32_MAX);
        import++;
    }
    for (uint32_t i = 0; i < decls->kid_count; i++) declare_node(k, decls->kids[i]);
    each_own(k, SHUNT_SYMBOL_SOURCE, check_source);
    each_own(k, SHUNT_SYMBOL_TARGET, shape_target);
    each_own(k, SHUNT_SYMBOL_TABLE, check_table);
    each_own(k, SHUNT_SYMBOL_TARGET, fill_target);
    each_own(k, SHUNT_SYMBOL_TARGET, fill_cleared);
    each_own(k, SHUNT_SYMBOL_TARGET, check_rows_in_rows);
    each_own(k, SHUNT_SYMBOL_FUNCTION, shape_function);
    for (uint32_t i = 0; i < decls->kid_count; i++)
        if (decls->kids[i]->kind == SHUNT_AST_LET) check_constant(k, decls->kids[i]);
    *PUSH(k, &k->order) = number;
    m->walk = 2;
}

/* Bodies of functions: when all overlays are known, because they decide what an open name may give. */
static void check_functions(check *k, module *m)
{
    uint32_t first = k->functions.count;
    k->module = m;
    each_own(k, SHUNT_SYMBOL_FUNCTION, walk_own_function);
    for (uint32_t i = first; i < k->functions.count; i++) {
        bool decision = k->functions.items[i]->decl->kind == SHUNT_AST_DECIDE;
        k->module = &k->modules[k->functions.items[i]->module]; /* what an overlay calls may stand in another one */
        (decision ? check_decide : check_function)(k, k->functions.items[i]);
    }
    k->module = m;
    each_own(k, SHUNT_SYMBOL_TARGET, check_target);
}

static void shape_maps(check *k, module *m)
{
    k->module = m;
    each_own(k, SHUNT_SYMBOL_MAP, shape_map);
}

static void check_maps(check *k)
{
    for (uint32_t i = 0; i < k->maps.count; i++) {
        const shunt_symbol *map = k->maps.items[i];
        uint32_t            before = k->diags->count;
        k->module = &k->modules[map->module];
        check_map(k, k->maps.items[i]);
        for (uint32_t d = before; map->as.map.copy && d < k->diags->count;
             d++) /* what the first source has as well is told once */
            shunt_diag_note(k->diags, &k->diags->items[d], "this is so where the map reads `%.*s`",
                            SHUNT_TEXT_ARGS(map->as.map.sources[0]->name));
    }
}

static void check_tests(check *k, module *m)
{
    shunt_ast *decls = kid(m->info->tree, SHUNT_MODULE_decls);
    k->module = m;
    for (uint32_t i = 0; i < decls->kid_count; i++) {
        if (decls->kids[i]->kind == SHUNT_AST_WITH_TABLE) check_test_table(k, decls->kids[i]);
        if (decls->kids[i]->kind == SHUNT_AST_TEST) check_test(k, decls->kids[i]);
        if (decls->kids[i]->kind == SHUNT_AST_GOLDEN) check_golden(k, decls->kids[i]);
    }
}

static void check_everything(check *k)
{
    for (uint32_t i = 0; i < k->c->module_count; i++) {
        module *m = &k->modules[i];
        m->info = &k->c->modules[i];
        m->number = i;
        shunt_scope_init(&m->values, k->arena);
        shunt_scope_init(&m->types, k->arena);
        shunt_scope_init(&m->codes, k->arena);
        shunt_scope_init(&m->maps, k->arena);
    }
    for (uint32_t i = 0; i < k->c->module_count; i++) check_module(k, i);
    link_overlays(k);
    for (uint32_t i = 0; i < k->order.count; i++) check_functions(k, &k->modules[k->order.items[i]]);
    for (uint32_t i = 0; i < k->order.count; i++) shape_maps(k, &k->modules[k->order.items[i]]);
    link_maps(k);
    check_maps(k);
    for (uint32_t i = 0; i < k->order.count; i++) check_tests(k, &k->modules[k->order.items[i]]);
    for (uint32_t i = 0; i < k->order.count; i++)
        if (k->modules[k->order.items[i]].has_map) warn_unused(k, &k->modules[k->order.items[i]]);
    check_one_map_each(k);
    settle_functions(k);
    k->c->symbols = k->symbols.items;
    k->c->symbol_count = k->symbols.count;
    k->c->loops = k->loops.items;
    k->c->loop_count = k->loops.count;
    k->c->overlays = k->overlays.items;
    k->c->overlay_count = k->overlays.count;
    k->c->zones = k->zones.items;
    k->c->zone_count = k->zones.count;
}

/* Where there are errors, what is unused may be so because of them: a name that was misspelt where it was meant. */
static void drop_unused(shunt_diags *diags, uint32_t unused)
{
    uint32_t kept = 0;
    if (diags->errors) diags->warnings -= unused;
    for (uint32_t i = 0; i < diags->count && diags->errors; i++) {
        shunt_status code = diags->items[i].code;
        bool         drop = code == SHUNT_W0201 || code == SHUNT_W0901 || code == SHUNT_W0903;
        if (!drop) diags->items[kept++] = diags->items[i];
    }
    if (diags->errors) diags->count = kept;
}

shunt_status shunt_check(shunt_compilation *c)
{
    check *k = SHUNT_NEW(c->arena, check);
    if (!k) return SHUNT_NO_MEMORY;
    k->c = c;
    k->arena = c->arena;
    k->diags = c->diags;
    k->modules = SHUNT_NEW_N(c->arena, module, c->module_count + (size_t)1);
    k->loop_names = shunt_intern_new(c->arena);
    if (!k->modules || !k->loop_names || setjmp(k->no_memory)) {
        shunt_arena_free(k->proving);
        return SHUNT_NO_MEMORY;
    }
    check_everything(k);
    if (!c->diags->errors) shunt_prove(k);
    drop_unused(c->diags, k->unused);
    return c->diags->failed || shunt_arena_failed(c->arena) != SHUNT_ARENA_FINE ? SHUNT_NO_MEMORY : SHUNT_OK;
}
