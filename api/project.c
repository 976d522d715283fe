/* project.c - project files and locks: reading them, holding what was read against them, writing a lock. */
#include "api/project.h"

#include <errno.h>
#include <stdlib.h>

#include "api/file_path.h"

enum { CLIMB_AT_MOST = 64, ENTRIES_AT_MOST = 4096, TOKENS = 6 };

static const char *const kind_words[SHUNT_PIN_KINDS] = { "dictionary", "extern", "module", "package", "table" };

/* ---- lines ---- */

typedef struct token {
    shunt_text text;
    bool       quoted;
    shunt_span span;
} token;

/* A file of lines of words and quoted texts; `#` begins a comment. */
typedef struct line_reader {
    shunt_arena *arena;
    shunt_diags *diags;
    shunt_text   source;
    uint32_t     file, at;
    token        tokens[TOKENS];
    uint32_t     count;
} line_reader;

static shunt_diag *fault(line_reader *r, shunt_span span, const char *what)
{
    return shunt_diag_add(r->diags, SHUNT_E0214, span, "%s", what);
}

static bool take_quoted(line_reader *r, token *t)
{
    uint32_t begin = r->at++;
    while (r->at < r->source.length && r->source.bytes[r->at] != '"' && (unsigned char)r->source.bytes[r->at] >= ' ') r->at++;
    *t = (token){ { r->source.bytes + begin + 1, r->at - begin - 1 }, true, { begin, r->at, r->file } };
    if (r->at == r->source.length || r->source.bytes[r->at] != '"') {
        fault(r, t->span, "the quote is not closed");
        return false;
    }
    t->span.end = ++r->at;
    return true;
}

static void take_word(line_reader *r, token *t)
{
    uint32_t begin = r->at;
    while (r->at < r->source.length && (unsigned char)r->source.bytes[r->at] > ' ' && r->source.bytes[r->at] != '"' &&
           r->source.bytes[r->at] != '#')
        r->at++;
    *t = (token){ { r->source.bytes + begin, r->at - begin }, false, { begin, r->at, r->file } };
}

/* The next line that says something; false at the end. `*fine` false: it can not be read, which was reported. */
static bool next_line(line_reader *r, bool *fine)
{
    r->count = 0;
    *fine = true;
    while (r->at < r->source.length) {
        char c = r->source.bytes[r->at];
        if (c == '\n') {
            r->at++;
            if (r->count || !*fine) return true;
        } else if (c == ' ' || c == '\t' || c == '\r') {
            r->at++;
        } else if (c == '#' || !*fine) {
            while (r->at < r->source.length && r->source.bytes[r->at] != '\n') r->at++;
        } else if ((unsigned char)c < ' ') {
            fault(r, (shunt_span){ r->at, r->at + 1, r->file }, "a control character stands here");
            *fine = false;
        } else if (r->count == TOKENS) {
            fault(r, (shunt_span){ r->at, r->at + 1, r->file }, "a line has no more than its entry");
            *fine = false;
        } else if (c == '"') {
            *fine = take_quoted(r, &r->tokens[r->count]);
            r->count += *fine;
        } else {
            take_word(r, &r->tokens[r->count++]);
        }
    }
    return r->count || !*fine;
}

static bool is_utf8(line_reader *r)
{
    size_t bad = shunt_utf8_bad(r->source.bytes, r->source.length);
    if (bad == r->source.length) return true;
    uint32_t at = (uint32_t)bad;
    fault(r, (shunt_span){ at, at + 1, r->file }, "the file is not UTF-8 here");
    return false;
}

/* ---- the project file ---- */

static shunt_status take_setting(shunt_project *p, line_reader *r)
{
    const token *word = &r->tokens[0], *value = &r->tokens[1];
    bool         modules = shunt_text_is(word->text, "modules"), dictionary = shunt_text_is(word->text, "dictionary"),
         externs = shunt_text_is(word->text, "externs");
    if (word->quoted || (!modules && !dictionary && !externs)) {
        shunt_diag *d =
            shunt_diag_add(r->diags, SHUNT_E0214, word->span, "`%.*s` is no word of a project file", SHUNT_TEXT_ARGS(word->text));
        shunt_diag_help(r->diags, d, "write `modules \"FOLDER\"`, `dictionary \"FILE\"` or `externs \"FOLDER\"`, each on a line");
        return SHUNT_OK;
    }
    if (r->count != 2 || !value->quoted || value->text.length == 0) {
        shunt_diag *d = shunt_diag_add(r->diags, SHUNT_E0214, r->count > 2 ? r->tokens[2].span : word->span,
                                       "`%.*s` is followed by one path in quotes", SHUNT_TEXT_ARGS(word->text));
        shunt_diag_help(r->diags, d, "write `%.*s \"%s\"`", SHUNT_TEXT_ARGS(word->text),
                        modules      ? "modules"
                        : dictionary ? "guides/companion.tsv"
                                     : "lib");
        return SHUNT_OK;
    }
    shunt_project_word *item = modules      ? SHUNT_PUSH(r->arena, &p->modules)
                               : dictionary ? SHUNT_PUSH(r->arena, &p->dictionaries)
                                            : SHUNT_PUSH(r->arena, &p->externs);
    if (!item) return SHUNT_NO_MEMORY;
    *item = (shunt_project_word){ value->text, value->span };
    return SHUNT_OK;
}

static shunt_status read_settings(shunt_project *p, shunt_arena *arena, shunt_diags *diags)
{
    line_reader r = { .arena = arena, .diags = diags, .source = p->source, .file = SHUNT_FILE_PROJECT };
    if (!is_utf8(&r)) return SHUNT_OK;
    for (bool fine; next_line(&r, &fine);)
        if (fine) SHUNT_TRY(take_setting(p, &r));
    return SHUNT_OK;
}

/* ---- the lock ---- */

static bool is_hash(shunt_text text)
{
    if (text.length != 7 + SHUNT_SHA256_HEX || !shunt_text_starts(text, SHUNT_TEXT("sha256:"))) return false;
    for (uint32_t i = 7; i < text.length; i++)
        if (!((text.bytes[i] >= '0' && text.bytes[i] <= '9') || (text.bytes[i] >= 'a' && text.bytes[i] <= 'f'))) return false;
    return true;
}

static bool same_entry(const shunt_pin *a, shunt_pin_kind kind, shunt_text name)
{
    return a->kind == kind && shunt_text_equal(a->name, name);
}

/* KIND "NAME" sha256:HASH, behind it of a package its name and version. */
static bool read_entry(const line_reader *r, shunt_pin *pin)
{
    uint32_t ignored[3];
    if (r->count < 3 || r->tokens[0].quoted || !r->tokens[1].quoted || r->tokens[2].quoted || !is_hash(r->tokens[2].text))
        return false;
    uint32_t kind = 0;
    while (kind < SHUNT_PIN_KINDS && !shunt_text_is(r->tokens[0].text, kind_words[kind])) kind++;
    if (kind == SHUNT_PIN_KINDS || r->tokens[1].text.length == 0) return false;
    *pin = (shunt_pin){ .kind = (shunt_pin_kind)kind,
                        .name = r->tokens[1].text,
                        .hash = { r->tokens[2].text.bytes + 7, SHUNT_SHA256_HEX } };
    if (kind != SHUNT_PIN_PACKAGE) return r->count == 3;
    if (r->count != 5 || r->tokens[3].quoted || r->tokens[4].quoted) return false;
    pin->package = r->tokens[3].text;
    pin->version = r->tokens[4].text;
    return shunt_version_read(pin->version, ignored);
}

static void not_a_lock(line_reader *r, shunt_span span, const char *what)
{
    shunt_diag *d = fault(r, span, what);
    shunt_diag_note(r->diags, d, "`shunt lock` writes this file; nobody else needs to");
    shunt_diag_help(r->diags, d, "take the file from where your project is kept, or delete it and run `shunt lock`");
}

static shunt_status read_pins(shunt_project *p, shunt_arena *arena, shunt_diags *diags)
{
    line_reader r = { .arena = arena, .diags = diags, .source = p->lock_source, .file = SHUNT_FILE_LOCK };
    bool        fine, headed = false;
    if (!is_utf8(&r)) return SHUNT_OK;
    while (next_line(&r, &fine)) {
        if (!fine) continue;
        if (!headed) {
            headed = true;
            if (r.count == 2 && shunt_text_is(r.tokens[0].text, "lock") && shunt_text_is(r.tokens[1].text, "1")) continue;
            not_a_lock(&r, r.tokens[0].span, "a lock that this version reads begins with `lock 1`");
            return SHUNT_OK;
        }
        shunt_pin pin, *item;
        bool      entry = read_entry(&r, &pin), twice = false;
        for (uint32_t i = 0; entry && i < p->pins.count && !twice; i++) twice = same_entry(&p->pins.items[i], pin.kind, pin.name);
        if (!entry || twice || p->pins.count == ENTRIES_AT_MOST) {
            not_a_lock(&r, (shunt_span){ r.tokens[0].span.begin, r.tokens[r.count - 1].span.end, r.file },
                       twice   ? "this stands in the lock twice"
                       : entry ? "a lock has at most 4096 entries"
                               : "this is no entry of a lock");
            if (entry && !twice) return SHUNT_OK;
            continue;
        }
        item = SHUNT_PUSH(arena, &p->pins);
        if (!item) return SHUNT_NO_MEMORY;
        *item = pin;
    }
    if (!headed) not_a_lock(&r, (shunt_span){ 0, 0, r.file }, "the lock is empty");
    return SHUNT_OK;
}

/* ---- where they are ---- */

static bool not_there(int error) { return error == ENOENT || error == ENOTDIR; }

/* The folder above one that ends with `/` or is empty. */
static shunt_text folder_above(shunt_arena *arena, shunt_text folder)
{
    shunt_text inner = { folder.bytes, folder.length ? folder.length - 1 : 0 };
    if (!folder.length || shunt_text_is(shunt_path_name(inner), ".."))
        return shunt_text_format(arena, "%.*s../", SHUNT_TEXT_ARGS(folder));
    return shunt_path_folder(inner);
}

static shunt_status unreadable(shunt_diags *diags, shunt_text path, int error)
{
    if (error == ENOMEM) return SHUNT_NO_MEMORY;
    shunt_diag_add(diags, SHUNT_E0214, (shunt_span){ 0, 0, UINT32_MAX }, "`%.*s` can not be read: %s", SHUNT_TEXT_ARGS(path),
                   strerror(error));
    return SHUNT_OK;
}

static shunt_status find_project(shunt_project *p, shunt_arena *arena, shunt_diags *diags, shunt_reading reading,
                                 shunt_text rules)
{
    shunt_text folder = shunt_path_folder(rules), absolute = shunt_path_absolute(arena, folder);
    uint32_t   above = 0;
    if (!absolute.bytes) return SHUNT_NO_MEMORY;
    for (uint32_t i = 1; i < absolute.length; i++) above += absolute.bytes[i] == '/';
    for (uint32_t i = 0; i <= above && i < CLIMB_AT_MOST; i++) {
        shunt_text path = shunt_text_format(arena, "%.*sshunt.project", SHUNT_TEXT_ARGS(folder));
        if (!path.bytes) return SHUNT_NO_MEMORY;
        int error = reading.read(reading.context, path, &p->source);
        if (error == 0) {
            p->found = true;
            p->path = path;
        }
        if (error == 0 || !not_there(error)) return error ? unreadable(diags, path, error) : SHUNT_OK;
        folder = folder_above(arena, folder);
        if (!folder.bytes) return SHUNT_NO_MEMORY;
    }
    return SHUNT_OK;
}

shunt_status shunt_project_open(shunt_project *p, shunt_arena *arena, shunt_diags *diags, shunt_reading reading, const char *path,
                                shunt_text rules, bool locking)
{
    *p = (shunt_project){ .locking = locking };
    if (path) {
        p->path = shunt_path_tidy(arena, shunt_text_of(path));
        if (!p->path.bytes) return SHUNT_NO_MEMORY;
        int error = reading.read(reading.context, p->path, &p->source);
        if (error) return unreadable(diags, p->path, error);
        p->found = true;
    } else {
        SHUNT_TRY(find_project(p, arena, diags, reading, rules));
    }
    if (!p->found) return SHUNT_OK;
    p->absolute = shunt_path_absolute(arena, shunt_path_folder(p->path));
    p->lock_path = shunt_path_beside(arena, p->path, SHUNT_TEXT("shunt.lock"));
    if (!p->absolute.bytes || !p->lock_path.bytes) return SHUNT_NO_MEMORY;
    SHUNT_TRY(read_settings(p, arena, diags));
    if (locking) return SHUNT_OK;
    int error = reading.read(reading.context, p->lock_path, &p->lock_source);
    if (error) return not_there(error) ? SHUNT_OK : unreadable(diags, p->lock_path, error);
    p->locked = true;
    return read_pins(p, arena, diags);
}

void shunt_project_place(const shunt_project *p, shunt_diags *diags, uint32_t first)
{
    for (uint32_t i = 0; i < diags->count; i++) {
        shunt_diag *d = &diags->items[i];
        for (uint32_t j = 0; j < d->label_count; j++) {
            uint32_t *file = &d->labels[j].span.file;
            if (*file == SHUNT_FILE_PROJECT || *file == SHUNT_FILE_LOCK)
                *file = p->found ? first + (*file - SHUNT_FILE_PROJECT) : UINT32_MAX;
        }
    }
}

/* ---- what is read ---- */

static const shunt_pin *pinned(const shunt_project *p, shunt_pin_kind kind, shunt_text name, shunt_text package)
{
    for (uint32_t i = 0; i < p->pins.count; i++) {
        const shunt_pin *pin = &p->pins.items[i];
        if (pin->kind == kind &&
            (kind == SHUNT_PIN_PACKAGE ? shunt_text_equal(pin->package, package) : shunt_text_equal(pin->name, name)))
            return pin;
    }
    return NULL;
}

/* The folder of the project as one gives it to the command. */
static shunt_text lock_folder(const shunt_project *p)
{
    shunt_text folder = shunt_path_folder(p->path);
    if (folder.length > 1) folder.length--;
    return folder.length ? folder : SHUNT_TEXT(".");
}

static void say_missing(const shunt_project *p, shunt_diags *diags, const shunt_pin *pin, shunt_span span)
{
    shunt_text  what = pin->kind == SHUNT_PIN_PACKAGE ? pin->package : pin->name;
    shunt_diag *d = p->locked ? shunt_diag_add(diags, SHUNT_E0216, span, "`%.*s` is not in `%.*s`", SHUNT_TEXT_ARGS(what),
                                               SHUNT_TEXT_ARGS(p->lock_path))
                              : shunt_diag_add(diags, SHUNT_E0216, span, "`%.*s` is not pinned: there is no `%.*s`",
                                               SHUNT_TEXT_ARGS(what), SHUNT_TEXT_ARGS(p->lock_path));
    if (pin->kind == SHUNT_PIN_PACKAGE)
        shunt_diag_note(diags, d, "it was found as `%.*s`, version %.*s", SHUNT_TEXT_ARGS(pin->name),
                        SHUNT_TEXT_ARGS(pin->version));
    shunt_diag_note(diags, d, "what is imported by its name, and what that needs, is pinned by hash before it is used");
    shunt_diag_help(diags, d, "look at it, then run `shunt lock %.*s`", SHUNT_TEXT_ARGS(lock_folder(p)));
}

static void say_changed(const shunt_project *p, shunt_diags *diags, const shunt_pin *pin, const shunt_pin *was, shunt_span span)
{
    shunt_diag *d;
    if (!shunt_text_equal(pin->name, was->name))
        d = shunt_diag_add(diags, SHUNT_E0217, span, "`%.*s` is found as `%.*s` now, and was `%.*s` when it was locked",
                           SHUNT_TEXT_ARGS(pin->package), SHUNT_TEXT_ARGS(pin->name), SHUNT_TEXT_ARGS(was->name));
    else if (pin->kind == SHUNT_PIN_EXTERN)
        d = shunt_diag_add(diags, SHUNT_E0217, span, "library `%.*s` has changed since it was locked",
                           SHUNT_TEXT_ARGS(pin->name));
    else
        d = shunt_diag_add(diags, SHUNT_E0217, span, "`%.*s` has changed since it was locked", SHUNT_TEXT_ARGS(pin->name));
    if (pin->kind == SHUNT_PIN_PACKAGE && !shunt_text_equal(pin->version, was->version))
        shunt_diag_note(diags, d, "its version is %.*s now, and was %.*s", SHUNT_TEXT_ARGS(pin->version),
                        SHUNT_TEXT_ARGS(was->version));
    if (!shunt_text_equal(pin->hash, was->hash))
        shunt_diag_note(diags, d, "its SHA-256 begins with %.8s, and `%.*s` has %.8s", pin->hash.bytes,
                        SHUNT_TEXT_ARGS(p->lock_path), was->hash.bytes);
    shunt_diag_help(diags, d, "put back what it was; or, if the change is meant, look at it and run `shunt lock %.*s`",
                    SHUNT_TEXT_ARGS(lock_folder(p)));
}

static shunt_text name_of(const shunt_project *p, shunt_arena *arena, shunt_text path)
{
    shunt_text absolute = shunt_path_absolute(arena, path);
    return absolute.bytes ? shunt_path_relative(arena, p->absolute, absolute) : absolute;
}

bool shunt_project_has(const shunt_project *p, shunt_arena *arena, shunt_pin_kind kind, shunt_text path)
{
    shunt_text name = p->found && p->pins.count ? name_of(p, arena, path) : (shunt_text){ 0 };
    return name.bytes && pinned(p, kind, name, (shunt_text){ 0 });
}

shunt_status shunt_project_meet(shunt_project *p, shunt_arena *arena, shunt_diags *diags, shunt_pin pin, shunt_text path,
                                shunt_text bytes, bool needed, shunt_span span)
{
    uint8_t hash[SHUNT_SHA256_BYTES];
    if (!p->found) return SHUNT_OK;
    if (pin.kind != SHUNT_PIN_EXTERN) pin.name = name_of(p, arena, path);
    char *hex = shunt_arena_bytes(arena, SHUNT_SHA256_HEX);
    if (!hex || !pin.name.bytes) return SHUNT_NO_MEMORY;
    shunt_sha256_of(bytes.bytes, bytes.length, hash);
    shunt_hex(hash, sizeof hash, hex);
    pin.hash = (shunt_text){ hex, SHUNT_SHA256_HEX };
    for (uint32_t i = 0; p->locking && i < pin.name.length; i++)
        if (pin.name.bytes[i] == '"' || (unsigned char)pin.name.bytes[i] < ' ')
            shunt_diag_add(diags, SHUNT_E0214, span, "a path with a quote in it can not be pinned");
    bool known = false;
    for (uint32_t i = 0; i < p->met.count && !known; i++)
        known = same_entry(&p->met.items[i], pin.kind, pin.name) && shunt_text_equal(p->met.items[i].hash, pin.hash);
    if (!known) {
        shunt_pin *item = SHUNT_PUSH(arena, &p->met);
        if (!item) return SHUNT_NO_MEMORY;
        *item = pin;
    }
    if (p->locking) return SHUNT_OK;
    const shunt_pin *was = pinned(p, pin.kind, pin.name, pin.package);
    if (!was && needed) say_missing(p, diags, &pin, span);
    if (was && (!shunt_text_equal(was->hash, pin.hash) || !shunt_text_equal(was->name, pin.name)))
        say_changed(p, diags, &pin, was, span);
    return SHUNT_OK;
}

/* ---- writing ---- */

static int by_place(const void *a, const void *b)
{
    const shunt_pin *x = a, *y = b;
    return x->kind != y->kind ? (x->kind < y->kind ? -1 : 1) : shunt_text_compare(x->name, y->name);
}

uint32_t shunt_pins_sort(shunt_pin *pins, uint32_t count)
{
    uint32_t kept = 0;
    if (count) qsort(pins, count, sizeof *pins, by_place);
    for (uint32_t i = 0; i < count; i++)
        if (!kept || !same_entry(&pins[kept - 1], pins[i].kind, pins[i].name)) pins[kept++] = pins[i];
    return kept;
}

void shunt_pins_write(const shunt_pin *pins, uint32_t count, shunt_buffer *out)
{
    shunt_buffer_z(
        out,
        "# What the rules of this project were last seen with. Written by `shunt lock`; docs/projects.md explains it.\nlock 1\n");
    for (uint32_t i = 0; i < count; i++) {
        shunt_buffer_format(out, "%s \"%.*s\" sha256:%.*s", kind_words[pins[i].kind], SHUNT_TEXT_ARGS(pins[i].name),
                            SHUNT_TEXT_ARGS(pins[i].hash));
        if (pins[i].kind == SHUNT_PIN_PACKAGE)
            shunt_buffer_format(out, " %.*s %.*s", SHUNT_TEXT_ARGS(pins[i].package), SHUNT_TEXT_ARGS(pins[i].version));
        shunt_buffer_char(out, '\n');
    }
}

/* ---- versions ---- */

bool shunt_version_read(shunt_text text, uint32_t version[static 3])
{
    uint32_t part = 0, digits = 0;
    version[0] = version[1] = version[2] = 0;
    for (uint32_t i = 0; i < text.length; i++) {
        char c = text.bytes[i];
        if (c == '.' && digits && part < 2) {
            part++;
            digits = 0;
        } else if (c >= '0' && c <= '9' && digits < 9) {
            version[part] = version[part] * 10 + (uint32_t)(c - '0');
            digits++;
        } else {
            return false;
        }
    }
    return digits > 0;
}

bool shunt_version_fits(shunt_text wanted, const uint32_t version[static 3], bool *fine)
{
    bool     from = wanted.length && wanted.bytes[0] == '^';
    uint32_t least[3];
    if (from) wanted = (shunt_text){ wanted.bytes + 1, wanted.length - 1 };
    *fine = shunt_version_read(wanted, least);
    if (!*fine) return false;
    if (!from) return version[0] == least[0] && version[1] == least[1] && version[2] == least[2];
    if (version[0] != least[0]) return false;
    return version[1] != least[1] ? version[1] > least[1] : version[2] >= least[2];
}
