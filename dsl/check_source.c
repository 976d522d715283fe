/* Declarations of sources: which standard, which guides of the dictionary, how its messages are read. One table says what each
 * kind of source may hold. */
#include "dsl/check_way.h"
#include "standards/definition.h"

enum { UNIT_BYTES = 4 * 1024 * 1024, UNIT_BYTES_LEAST = 4096, WINDOW = 8 * 1024 * 1024 };

static void unknown_guide(check *k, shunt_span span, shunt_text set, shunt_text version)
{
    shunt_text sets = { 0 }, versions = { 0 }, last = { 0 };
    for (uint32_t i = 0; shunt_definition_guide_at(k->c->definitions, i); i++) {
        const shunt_guide *guide = shunt_definition_guide_at(k->c->definitions, i);
        if (guide->standard != SHUNT_STANDARD_X12) continue;
        if (!shunt_text_is(last, guide->set))
            sets = check_format(k, "%.*s%s%s", SHUNT_TEXT_ARGS(sets), sets.length ? ", " : "", guide->set);
        last = shunt_text_of(guide->set);
        if (shunt_text_is(set, guide->set))
            versions = check_format(k, "%.*s%s\"%s\"", SHUNT_TEXT_ARGS(versions), versions.length ? ", " : "", guide->version);
    }
    if (!versions.length) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0201, span, "there is no dictionary for set %.*s", SHUNT_TEXT_ARGS(set));
        shunt_diag_help(k->diags, d, "known sets: %.*s", SHUNT_TEXT_ARGS(sets));
        return;
    }
    shunt_diag *d = version.length
                        ? shunt_diag_add(k->diags, SHUNT_E0201, span, "there is no guide \"%.*s\" for set %.*s",
                                         SHUNT_TEXT_ARGS(version), SHUNT_TEXT_ARGS(set))
                        : shunt_diag_add(k->diags, SHUNT_E0201, span, "the source does not say which guide of %.*s it follows",
                                         SHUNT_TEXT_ARGS(set));
    shunt_diag_help(k->diags, d, "known guides: %.*s", SHUNT_TEXT_ARGS(versions));
}

static bool x12_guides(check *k, shunt_ast *node, shunt_source_info *info)
{
    shunt_ast *args = kid(node, SHUNT_SOURCE_args), *set = kid(args, 0), *list = kid(args, 1);
    if (!set || (set->kind != SHUNT_AST_INT && set->kind != SHUNT_AST_NAME)) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0201, kid(node, SHUNT_SOURCE_kind)->span,
                                       "the source does not say which set it reads");
        shunt_diag_help(k->diags, d, "write set and guide: `X12 835 \"005010X221A1\"`");
        return false;
    }
    if (!list || list->kind != SHUNT_AST_LIST || !list->kid_count) {
        unknown_guide(k, set->span, set->text, (shunt_text){ 0 });
        return false;
    }
    if (args->kid_count > 2) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0201, args->kids[2]->span, "a source reads one set");
        shunt_diag_help(k->diags, d, "write a source for each set; several guides of one are joined by `or`");
        return false;
    }
    info->guides = NEW_N(k, const shunt_guide *, list->kid_count);
    for (uint32_t i = 0; i < list->kid_count; i++) {
        const shunt_guide *guide = shunt_definition_find(k->c->definitions, SHUNT_STANDARD_X12, set->text, list->kids[i]->text);
        if (!guide) {
            unknown_guide(k, list->kids[i]->span, set->text, list->kids[i]->text);
            return false;
        }
        for (uint32_t j = 0; j < info->guide_count; j++)
            if (info->guides[j] == guide) {
                shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0208, list->kids[i]->span, "this guide is listed twice");
                shunt_diag_also(k->diags, d, list->kids[j]->span, "first here");
                shunt_diag_help(k->diags, d, "remove one of them; versions that differ in their addenda are one");
                return false;
            }
        info->guides[info->guide_count++] = guide;
    }
    return true;
}

static void source_currency(check *k, const shunt_ast *value, shunt_source_info *info)
{
    uint8_t scale;
    if (value->kind != SHUNT_AST_ERROR && value->text.length == 3 && shunt_currency_find(value->text, &scale)) {
        memcpy(info->currency, value->text.bytes, 3);
        return;
    }
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0109, value->span, "this is no currency");
    shunt_diag_help(k->diags, d, "write its ISO 4217 code: `currency: USD`");
    memcpy(info->currency, "USD", 4); /* so that amounts can be checked further */
}

/* A number of bytes, or "8 MiB". */
static void source_bytes(check *k, const shunt_ast *value, const char *name, uint32_t least, uint32_t *bytes)
{
    uint64_t number = 0, unit = 1;
    uint32_t i = 0;
    while (i < value->text.length &&
           ((value->text.bytes[i] >= '0' && value->text.bytes[i] <= '9') || value->text.bytes[i] == '_')) {
        if (value->text.bytes[i] != '_' && number < UINT32_MAX) number = number * 10 + (uint64_t)(value->text.bytes[i] - '0');
        i++;
    }
    shunt_text rest = { value->text.bytes + i, value->text.length - i };
    if (shunt_text_is(rest, " KiB"))
        unit = 1024;
    else if (shunt_text_is(rest, " MiB"))
        unit = 1024 * 1024;
    else if (rest.length)
        unit = 0;
    bool written = value->kind == SHUNT_AST_INT || value->kind == SHUNT_AST_STRING;
    if (written && i && unit && number * unit >= least && number * unit <= UINT32_MAX) {
        *bytes = (uint32_t)(number * unit);
        return;
    }
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0303, value->span, "this is no number of bytes from %u to 4294967295", least);
    shunt_diag_help(k->diags, d, "write `%s: \"8 MiB\"`", name);
}

bool check_zone(check *k, const shunt_ast *value)
{
    shunt_zone_file file;
    if (value->kind == SHUNT_AST_ERROR) return false;
    for (uint32_t i = 0; i < k->zones.count; i++)
        if (value->kind == SHUNT_AST_STRING && shunt_text_equal(k->zones.items[i].name, value->text)) return true;
    shunt_status status = value->kind == SHUNT_AST_STRING ? shunt_zone_read(k->arena, value->text, &file) : SHUNT_NOT_FOUND;
    if (status == SHUNT_OK) {
        shunt_zone_file *added = SHUNT_PUSH(k->arena, &k->zones);
        if (!added) longjmp(k->no_memory, 1);
        *added = file;
        return true;
    }
    if (status == SHUNT_NO_MEMORY) longjmp(k->no_memory, 1);
    if (status == SHUNT_IO) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0109, value->span, "there is no time zone database here to look this up");
        shunt_diag_help(k->diags, d, "install it: the package is called tzdata; or write `\"UTC\"`");
        return false;
    }
    shunt_diag   *d = shunt_diag_add(k->diags, SHUNT_E0109, value->span,
                                   status == SHUNT_INPUT_BAD ? "the time zone database here is damaged" : "this is no time zone");
    shunt_suggest s;
    shunt_suggest_init(&s, value->text, 2);
    if (value->kind == SHUNT_AST_STRING) shunt_zone_suggest(k->arena, &s);
    shunt_text near = shunt_suggest_text(&s, k->arena);
    if (near.length)
        shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
    else
        shunt_diag_help(k->diags, d, "write a name of the time zone database: `\"America/Chicago\"`, `\"UTC\"`");
    return false;
}

/* ---- settings ---- */

enum {
    X12 = 1u << SHUNT_STANDARD_X12,
    HL7 = 1u << SHUNT_STANDARD_HL7,
    FHIR = 1u << SHUNT_STANDARD_FHIR,
    CSV = 1u << SHUNT_STANDARD_CSV,
    FIXED = 1u << SHUNT_STANDARD_FIXED
};

static void set_currency(check *k, const shunt_ast *value, shunt_source_info *info) { source_currency(k, value, info); }

static void set_unit_bytes(check *k, const shunt_ast *value, shunt_source_info *info)
{
    source_bytes(k, value, "max_unit_bytes", UNIT_BYTES_LEAST, &info->max_unit_bytes);
}

static void set_zone(check *k, const shunt_ast *value, shunt_source_info *info)
{
    if (check_zone(k, value)) info->zone = value->text;
}

static void set_window(check *k, const shunt_ast *value, shunt_source_info *info)
{
    source_bytes(k, value, "window", 0, &info->window);
}

/* "snip 2" of X12, "level 2" of HL7 and FHIR: that type, or level, and those below it. */
static void set_validate(check *k, const shunt_ast *value, shunt_source_info *info)
{
    bool        x12 = info->standard == SHUNT_STANDARD_X12;
    shunt_text  word = x12 ? SHUNT_TEXT("snip ") : SHUNT_TEXT("level "), text = value->text;
    const char *name = x12 ? "snip" : "level";
    char        type = text.length == word.length + 1 && shunt_text_starts(text, word) ? text.bytes[word.length] : 0;
    if (value->kind == SHUNT_AST_STRING && type >= '1' && type <= '5') {
        info->snips = (uint8_t)((1u << (type - '0' + 1)) - 2);
        return;
    }
    if (value->kind == SHUNT_AST_ERROR) return;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0209, value->span, "`validate` is `\"%s 1\"` to `\"%s 5\"`", name, name);
    shunt_diag_help(k->diags, d, "write `validate: \"%s 2\"`: syntax and what the %s requires; `docs/validate.md` has the others",
                    name, x12 ? "guide" : "version");
}

static bool is_word(const shunt_ast *value, const char *word)
{
    if (value->kind == SHUNT_AST_ABSENT_PATTERN) return strcmp(word, "absent") == 0;
    return (value->kind == SHUNT_AST_NAME || value->kind == SHUNT_AST_STRING) && shunt_text_is(value->text, word);
}

/* `cleared: absent`: the sender's `""` is no more than a field that was not sent. */
static void set_cleared(check *k, const shunt_ast *value, shunt_source_info *info)
{
    info->cleared_absent = is_word(value, "absent");
    if (info->cleared_absent || value->kind == SHUNT_AST_ERROR) return;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0209, value->span, "`cleared` has one value: `absent`");
    shunt_diag_help(k->diags, d, "write `cleared: absent`, or leave it out: a cleared field is then a state of its own");
}

/* `reading: strict`: what the lenient reading forgives with a warning is an error. */
static void set_reading(check *k, const shunt_ast *value, shunt_source_info *info)
{
    info->strict = is_word(value, "strict");
    if (info->strict || is_word(value, "lenient") || value->kind == SHUNT_AST_ERROR) return;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0209, value->span, "`reading` is `lenient` or `strict`");
    shunt_diag_help(k->diags, d, "write `reading: strict`, or leave it out: `lenient` forgives with a warning");
}

/* How rows are cut: csv_guides has read it together with the columns. */
static void set_rows(check *k, const shunt_ast *value, shunt_source_info *info) { (void)k, (void)value, (void)info; }

/* What may stand in the braces of a source, and of which kinds. */
static const struct setting {
    const char *name;
    unsigned    standards;
    void (*set)(check *k, const shunt_ast *value, shunt_source_info *info);
} settings[] = {
    { "currency", X12 | HL7 | FHIR | CSV | FIXED, set_currency },
    { "max_unit_bytes", X12 | HL7 | FHIR | CSV | FIXED, set_unit_bytes },
    { "zone", HL7 | FHIR | CSV | FIXED, set_zone },
    { "separator", CSV, set_rows },
    { "quote", CSV, set_rows },
    { "header", CSV, set_rows },
    { "terminator", CSV, set_rows },
    { "continuation", CSV, set_rows },
    { "encoding", CSV | FIXED, set_rows },
    { "transaction", CSV | FIXED, set_rows },
    { "once", CSV | FIXED, set_rows },
    { "trailer", CSV | FIXED, set_rows },
    { "cleared", HL7, set_cleared },
    { "reading", HL7, set_reading },
    { "window", FHIR, set_window },
    { "validate", X12 | HL7 | FHIR, set_validate },
};

/* The kinds of sources. `guides` finds what the arguments name; `item` takes an item that is neither a setting nor `on error`, false:
 * it has no place here. NULL `guides`: this version cannot read it. */
static const struct kind {
    const char    *name;
    const char    *article; /* "an X12 source" */
    shunt_standard standard;
    bool (*guides)(check *k, shunt_ast *node, shunt_source_info *info);
    bool (*item)(check *k, shunt_ast *item, shunt_source_info *info);
} kinds[] = {
    { "X12", "an X12 source", SHUNT_STANDARD_X12, x12_guides, NULL },
    { "HL7", "an HL7 source", SHUNT_STANDARD_HL7, hl7_guides, hl7_item },
    { "FHIR", "a FHIR source", SHUNT_STANDARD_FHIR, fhir_guides, NULL },
    { "CSV", "a CSV source", SHUNT_STANDARD_CSV, csv_guides, csv_item },
    { "FIXED", "a FIXED source", SHUNT_STANDARD_FIXED, csv_guides, csv_item },
};

static shunt_text settings_of(check *k, unsigned standard)
{
    shunt_text names = { 0 };
    for (size_t i = 0; i < SHUNT_COUNT(settings); i++)
        if (settings[i].standards & 1u << standard && (settings[i].set != set_validate || standard == SHUNT_STANDARD_X12))
            names = check_format(k, "%.*s%s`%s`", SHUNT_TEXT_ARGS(names), names.length ? ", " : "", settings[i].name);
    return names;
}

static void source_setting(check *k, shunt_ast *setting, const struct kind *of, shunt_source_info *info)
{
    shunt_ast *name = kid(setting, SHUNT_SETTING_name), *value = kid(setting, SHUNT_SETTING_value);
    if (!name || !value) return;
    for (size_t i = 0; i < SHUNT_COUNT(settings); i++) {
        if (!shunt_text_is(name->text, settings[i].name) || !(settings[i].standards & 1u << of->standard)) continue;
        settings[i].set(k, value, info);
        return;
    }
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_E0209, name->span, "%s has no setting `%.*s`", of->article, SHUNT_TEXT_ARGS(name->text));
    shunt_suggest s;
    shunt_suggest_init(&s, name->text, 1);
    for (size_t i = 0; i < SHUNT_COUNT(settings); i++)
        if (settings[i].standards & 1u << of->standard && (settings[i].set != set_validate || of->standard == SHUNT_STANDARD_X12))
            shunt_suggest_offer(&s, shunt_text_of(settings[i].name), (shunt_text){ 0 }, true, 0);
    shunt_text near = shunt_suggest_text(&s, k->arena);
    if (near.length)
        shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
    else
        shunt_diag_help(k->diags, d, "it has %.*s", SHUNT_TEXT_ARGS(settings_of(k, of->standard)));
}

static void source_on_error(check *k, shunt_ast *node, shunt_source_info *info)
{
    shunt_ast *exit = kid(node, SHUNT_ON_ERROR_exit);
    if (!exit || exit->kind != SHUNT_AST_EXIT) return;
    info->on_error = exit;
    k->phase = PHASE_NONE;
    shunt_ast *message = kid(exit, SHUNT_EXIT_message);
    if (message && message->kind == SHUNT_AST_TEMPLATE) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0601, message->span, "`on error` cannot read the message");
        shunt_diag_here(k->diags, d, "what could be read when it answers is not known");
        shunt_diag_help(k->diags, d, "leave out the holes; the exception names the fault and its place");
    } else {
        check_exit(k, exit, false);
    }
    k->phase = PHASE_NONE;
    if (!shunt_text_is(exit->text, "skip") && !shunt_text_is(exit->text, "warn")) return;
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_E0307, exit->span, "`%.*s` cannot answer a failure", SHUNT_TEXT_ARGS(exit->text));
    shunt_diag_here(k->diags, d, "what cannot be read cannot go on");
    shunt_diag_help(k->diags, d,
                    "write `on error quarantine whole transaction CODE` or `on error reject whole transaction CODE`");
}

static const struct kind *kind_of(check *k, const shunt_ast *name, shunt_text source)
{
    shunt_suggest s;
    for (size_t i = 0; i < SHUNT_COUNT(kinds); i++)
        if (shunt_text_is(name->text, kinds[i].name)) return &kinds[i];
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0002, name->span, "`%.*s` is no kind of source", SHUNT_TEXT_ARGS(name->text));
    shunt_suggest_init(&s, name->text, 1);
    for (size_t i = 0; i < SHUNT_COUNT(kinds); i++)
        shunt_suggest_offer(&s, shunt_text_of(kinds[i].name), (shunt_text){ 0 }, true, 0);
    shunt_text near = shunt_suggest_text(&s, k->arena);
    if (near.length)
        shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
    else
        shunt_diag_help(k->diags, d, "write `source %.*s is X12 835 \"005010X221A1\"`", SHUNT_TEXT_ARGS(source));
    return NULL;
}

void check_source(check *k, shunt_symbol *symbol)
{
    shunt_ast         *node = symbol->decl, *name = kid(node, SHUNT_SOURCE_kind), *items = kid(node, SHUNT_SOURCE_items);
    shunt_source_info *info = NEW(k, shunt_source_info);
    symbol->as.source = info;
    symbol->type = shunt_ty_plain(SHUNT_TY_SOURCE);
    info->max_unit_bytes = UNIT_BYTES;
    const struct kind *kind = name ? kind_of(k, name, symbol->name) : NULL;
    if (kind && kind->standard == SHUNT_STANDARD_FHIR) info->window = WINDOW;
    bool unread = kind && !kind->guides, readable = false;
    if (unread) not_in_version(k, name->span, "`%.*s`", SHUNT_TEXT_ARGS(name->text));
    if (kind) info->standard = kind->standard;
    if (kind && kind->guides) readable = kind->guides(k, node, info);
    for (uint32_t i = 0; items && i < items->kid_count; i++)
        if (items->kids[i]->kind == SHUNT_AST_SETTING && !unread)
            source_setting(k, items->kids[i], kind ? kind : &kinds[0], info);
    for (uint32_t i = 0; items && i < items->kid_count; i++) {
        shunt_ast *item = items->kids[i];
        if (item->kind == SHUNT_AST_ON_ERROR)
            source_on_error(k, item, info);
        else if (item->kind == SHUNT_AST_ERROR || item->kind == SHUNT_AST_SETTING || unread)
            continue;
        else if (readable && !(kind->item && kind->item(k, item, info))) {
            shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0209, item->span, "this has no place in %s", kind->article);
            shunt_diag_help(k->diags, d, "the guide says what its segments are; a source has %.*s and `on error`",
                            SHUNT_TEXT_ARGS(settings_of(k, kind->standard)));
        }
    }
    if (readable && info->standard == SHUNT_STANDARD_FHIR) fhir_root(k, symbol);
    if (!readable) decl_of(symbol)->unread = k->module->unread = true;
}
