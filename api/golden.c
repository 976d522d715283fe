/* golden.c - stored answers: what whole files give, against what they gave when somebody looked at it (docs/testing.md).
 * An answer is a line of JSON for each record, each exception, and the totals of the report, without what changes when only the text of the rules does:
 * hashes, lines, versions; and without the id of the input. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "api/expect.h"
#include "api/file_path.h"
#include "api/test_run.h"

enum { SHOWN_AT_MOST = 20, LOOK_AHEAD = 64, LINE_SHOWN = 400, SAME_SHOWN = 80 };

/* ---- which files ---- */

/* `*` is any characters, `?` one; neither is a dot at the beginning. */
static bool is_called(const char *name, shunt_text pattern)
{
    const char *star_name = NULL;
    uint32_t    at = 0, star = UINT32_MAX;
    if (name[0] == '.' && (!pattern.length || pattern.bytes[0] != '.')) return false;
    while (*name) {
        if (at < pattern.length && pattern.bytes[at] == '*') {
            star = at++;
            star_name = name;
        } else if (at < pattern.length && (pattern.bytes[at] == '?' || pattern.bytes[at] == *name)) {
            at++;
            name++;
        } else if (star_name) {
            at = star + 1;
            name = ++star_name;
        } else {
            return false;
        }
    }
    while (at < pattern.length && pattern.bytes[at] == '*') at++;
    return at == pattern.length;
}

static int by_name(const void *a, const void *b)
{
    return shunt_text_compare(((const shunt_golden_file *)a)->name, ((const shunt_golden_file *)b)->name);
}

typedef struct listing {
    SHUNT_LIST(shunt_golden_file) files;
} listing;

static shunt_status add_file(shunt_compiling *c, const shunt_ast *golden, listing *l, const char *name)
{
    shunt_text         inputs = golden->kids[SHUNT_GOLDEN_inputs]->text, outputs = golden->kids[SHUNT_GOLDEN_outputs]->text;
    shunt_text         from = c->compilation.modules[0].name;
    struct stat        known;
    shunt_golden_file *file = SHUNT_PUSH(c->arena, &l->files);
    if (!file) return SHUNT_NO_MEMORY;
    if (outputs.bytes[outputs.length - 1] == '/') outputs.length--;
    file->name = shunt_text_format(c->arena, "%.*s%s", SHUNT_TEXT_ARGS(shunt_path_folder(inputs)), name);
    file->answer_name = shunt_text_format(c->arena, "%.*s/%s.ndjson", SHUNT_TEXT_ARGS(outputs), name);
    if (!file->name.bytes || !file->answer_name.bytes) return SHUNT_NO_MEMORY;
    file->path = shunt_path_beside(c->arena, from, file->name);
    file->answer_path = shunt_path_beside(c->arena, from, file->answer_name);
    const char *z = file->path.bytes ? shunt_text_z(c->arena, file->path) : NULL;
    if (!z || !file->answer_path.bytes) return SHUNT_NO_MEMORY;
    if (stat(z, &known) == 0 && S_ISDIR(known.st_mode)) l->files.count--;
    return SHUNT_OK;
}

shunt_status shunt_golden_list(shunt_compiling *c, const shunt_ast *golden, shunt_golden_file **files, uint32_t *count,
                               int *error)
{
    shunt_text inputs = golden->kids[SHUNT_GOLDEN_inputs]->text;
    shunt_text folder = shunt_path_beside(c->arena, c->compilation.modules[0].name, shunt_path_folder(inputs));
    listing    l = { 0 };
    *files = NULL;
    *count = 0;
    *error = 0;
    const char *z = folder.bytes ? shunt_text_z(c->arena, folder.length ? folder : SHUNT_TEXT(".")) : NULL;
    if (!z) return SHUNT_NO_MEMORY;
    DIR *open = opendir(z);
    if (!open) {
        *error = errno;
        return errno == ENOMEM ? SHUNT_NO_MEMORY : SHUNT_OK;
    }
    shunt_status status = SHUNT_OK;
    for (struct dirent *entry; status == SHUNT_OK && (errno = 0, entry = readdir(open)) != NULL;)
        if (is_called(entry->d_name, shunt_path_name(inputs))) status = add_file(c, golden, &l, entry->d_name);
    if (status == SHUNT_OK) *error = errno;
    closedir(open);
    if (l.files.count) qsort(l.files.items, l.files.count, sizeof *l.files.items, by_name);
    *files = l.files.items;
    *count = *error ? 0 : l.files.count;
    return status;
}

/* ---- what comes ---- */

typedef struct coming {
    const shunt_program *program;
    shunt_buffer         records, exceptions, report, errors;
} coming;

/* The end of the value or the name at `at`. */
static size_t skip_value(const char *json, size_t length, size_t at)
{
    uint32_t depth = 0;
    bool     quoted = false;
    for (; at < length; at++) {
        char c = json[at];
        if (quoted) {
            if (c == '\\')
                at++;
            else if (c == '"')
                quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            if (depth == 0) return at;
            depth--;
        } else if ((c == ',' || c == ':') && depth == 0) {
            return at;
        }
    }
    return length;
}

/* Without the blanks between what is written. */
static void add_tight(shunt_buffer *out, const char *json, size_t length)
{
    bool quoted = false;
    for (size_t i = 0; i < length; i++) {
        if (quoted && json[i] == '\\' && i + 1 < length) {
            shunt_buffer_add(out, json + i++, 2);
            continue;
        }
        if (json[i] == '"') quoted = !quoted;
        if (quoted || (unsigned char)json[i] > ' ') shunt_buffer_char(out, json[i]);
    }
}

/* An object that this library wrote, without some of its members. */
static void add_without(shunt_buffer *out, const char *json, size_t length, const char *const *dropped, size_t dropped_count)
{
    bool first = true;
    shunt_buffer_char(out, '{');
    for (size_t at = 1, end; at < length; at = end + 1) {
        while (at < length && (unsigned char)json[at] <= ' ') at++;
        if (at >= length || json[at] == '}') break;
        size_t colon = skip_value(json, length, at), name = colon - at;
        bool   drop = false;
        end = skip_value(json, length, colon + 1);
        for (size_t i = 0; i < dropped_count; i++)
            drop = drop || (name == strlen(dropped[i]) + 2 && memcmp(json + at + 1, dropped[i], name - 2) == 0);
        if (drop) continue;
        if (!first) shunt_buffer_char(out, ',');
        first = false;
        add_tight(out, json + at, end - at);
    }
    shunt_buffer_char(out, '}');
}

/* What an `encode` writes, as text; bytes that are no UTF-8 one character each. */
static void add_written(shunt_buffer *out, const shunt_out *record)
{
    shunt_buffer whole;
    shunt_buffer_init(&whole, out->memory);
    shunt_buffer_add(&whole, record->head, record->head_length);
    shunt_buffer_add(&whole, record->json, record->length);
    shunt_buffer_add(&whole, record->end, record->end_length);
    bool utf8 = shunt_utf8_bad(whole.bytes, whole.length) == whole.length;
    shunt_buffer_z(out, "{\"target\":");
    shunt_buffer_json(out, shunt_text_of(record->target));
    shunt_buffer_z(out, utf8 ? ",\"written\":" : ",\"written_latin1\":");
    if (utf8) {
        shunt_buffer_json(out, (shunt_text){ whole.bytes, (uint32_t)whole.length });
    } else {
        shunt_buffer wide;
        shunt_buffer_init(&wide, out->memory);
        for (size_t i = 0; i < whole.length; i++) {
            unsigned char c = (unsigned char)whole.bytes[i];
            if (c >= 0x80) shunt_buffer_char(&wide, (char)(0xc0 | c >> 6));
            shunt_buffer_char(&wide, (char)(c < 0x80 ? c : 0x80 | (c & 0x3f)));
        }
        shunt_buffer_json(out, (shunt_text){ wide.bytes, (uint32_t)wide.length });
        out->failed = out->failed || wide.failed;
        shunt_buffer_done(&wide);
    }
    shunt_buffer_z(out, "}\n");
    out->failed = out->failed || whole.failed;
    shunt_buffer_done(&whole);
}

static bool is_encoded(const shunt_program *program, const char *target)
{
    for (uint32_t i = 0; i < program->targets_count; i++)
        if (shunt_text_is(shunt_program_text(program, program->targets[i].name), target))
            return program->targets[i].encoding != SHUNT_NONE;
    return false;
}

static bool on_record(void *context, const shunt_out *record)
{
    static const char *const dropped[] = { "meta" };
    coming                  *c = context;
    if (is_encoded(c->program, record->target)) {
        add_written(&c->records, record);
    } else {
        add_without(&c->records, record->json, record->length, dropped, SHUNT_COUNT(dropped));
        shunt_buffer_char(&c->records, '\n');
    }
    return !c->records.failed;
}

static bool on_exception(void *context, const shunt_exception *exception)
{
    static const char *const dropped[] = { "input", "rule", "program" };
    coming                  *c = context;
    add_without(&c->exceptions, exception->json, exception->length, dropped, SHUNT_COUNT(dropped));
    shunt_buffer_char(&c->exceptions, '\n');
    return !c->exceptions.failed;
}

static void add_report(coming *c)
{
    static const char *const dropped[] = { "program", "inputs" };
    shunt_buffer_z(&c->records, "{\"report\":");
    add_without(&c->records, c->report.bytes, c->report.length, dropped, SHUNT_COUNT(dropped));
    shunt_buffer_z(&c->records, "}\n");
}

/* All that comes of the bytes is in `records`, or in `errors` why nothing does. */
static shunt_status run_bytes(coming *c, shunt_compiling *compiling, const shunt_compile_options *options, shunt_text bytes,
                              uint8_t *covered, uint32_t covered_count)
{
    shunt_callbacks   callbacks = { .context = c, .record = on_record, .exception = on_exception };
    shunt_run_options run_options = { .size = sizeof run_options,
                                      .allocator = options ? options->allocator : NULL,
                                      .token_key = expect_token_key,
                                      .token_key_size = sizeof expect_token_key,
                                      .received_at = "2025-03-01T12:00:00Z",
                                      .definitions =
                                          options && options->definitions ? options->definitions : compiling->definitions,
                                      .extern_folder = compiling->extern_folder };
    shunt_run        *run = NULL;
    shunt_messages   *messages = NULL;
    shunt_result      result = shunt_run_covered(c->program, &callbacks, &run_options, covered, covered_count, &run, &messages);
    if (messages) {
        shunt_buffer_add(&c->errors, messages->text.bytes, messages->text.length);
        shunt_messages_free(messages);
    }
    if (!run) return result == SHUNT_RULES_FAULT && c->errors.length ? SHUNT_OK : SHUNT_NO_MEMORY;
    result = shunt_run_begin(run, NULL, NULL);
    if (result == SHUNT_DONE) result = shunt_run_feed(run, bytes.bytes, bytes.length);
    if (result == SHUNT_DONE) result = shunt_run_end(run);
    if (result <= SHUNT_INPUT_FAULT) result = shunt_run_finish(run);
    if (result <= SHUNT_INPUT_FAULT && shunt_run_report(run, shunt_buffer_write, &c->report) != SHUNT_DONE)
        result = SHUNT_SYSTEM_FAULT;
    shunt_run_free(run);
    if (result > SHUNT_INPUT_FAULT) return SHUNT_IO;
    shunt_buffer_add(&c->records, c->exceptions.bytes, c->exceptions.length);
    add_report(c);
    return SHUNT_OK;
}

/* ---- the difference ---- */

typedef struct line_list {
    shunt_text *items;
    uint32_t    count;
} line_list;

static bool split(shunt_arena *arena, shunt_text text, line_list *lines)
{
    uint32_t count = 1;
    for (uint32_t i = 0; i < text.length; i++) count += text.bytes[i] == '\n';
    lines->items = SHUNT_NEW_N(arena, shunt_text, count);
    lines->count = 0;
    if (!lines->items) return false;
    for (uint32_t at = 0; at < text.length;) {
        const char *end = memchr(text.bytes + at, '\n', text.length - at);
        uint32_t    length = end ? (uint32_t)(end - text.bytes) - at : text.length - at;
        lines->items[lines->count++] = (shunt_text){ text.bytes + at, length };
        at += length + 1;
    }
    return true;
}

/* `from`: what stands before is the same in both. */
static void show(shunt_buffer *why, char sign, shunt_text line, uint32_t from, uint32_t *shown)
{
    if ((*shown)++ >= SHOWN_AT_MOST) return;
    uint32_t begin = from > SAME_SHOWN && line.length > LINE_SHOWN ? from - SAME_SHOWN : 0;
    while (begin && begin < line.length && ((unsigned char)line.bytes[begin] & 0xc0) == 0x80) begin--;
    shunt_text part = { line.bytes + begin, line.length - begin };
    if (part.length > LINE_SHOWN) part.length = shunt_utf8_offset(part, LINE_SHOWN);
    shunt_buffer_format(why, "%c %s%.*s%s\n", sign, begin ? "... " : "", SHUNT_TEXT_ARGS(part),
                        begin + part.length < line.length ? " ..." : "");
}

static uint32_t same_part(shunt_text a, shunt_text b)
{
    uint32_t same = 0;
    while (same < a.length && same < b.length && a.bytes[same] == b.bytes[same]) same++;
    return same;
}

/* The nearest pair of equal lines behind `i` and `j`; the ends of both where there is none near. */
static void next_equal(const line_list *a, const line_list *b, uint32_t i, uint32_t j, uint32_t *to_i, uint32_t *to_j)
{
    *to_i = a->count;
    *to_j = b->count;
    for (uint32_t far = 1; far < LOOK_AHEAD; far++)
        for (uint32_t di = 0; di <= far; di++) {
            if (di >= a->count - i || far - di >= b->count - j) continue;
            if (!shunt_text_equal(a->items[i + di], b->items[j + far - di])) continue;
            *to_i = i + di;
            *to_j = j + far - di;
            return;
        }
}

static shunt_status say_difference(shunt_arena *arena, shunt_text stored, shunt_text came, shunt_buffer *why)
{
    line_list a, b;
    uint32_t  shown = 0, i = 0, j = 0;
    if (!split(arena, stored, &a) || !split(arena, came, &b)) return SHUNT_NO_MEMORY;
    while (i < a.count || j < b.count) {
        if (i < a.count && j < b.count && shunt_text_equal(a.items[i], b.items[j])) {
            i++, j++;
            continue;
        }
        uint32_t to_i, to_j;
        next_equal(&a, &b, i, j, &to_i, &to_j);
        while (i < to_i || j < to_j) {
            uint32_t same = i < to_i && j < to_j ? same_part(a.items[i], b.items[j]) : 0;
            if (i < to_i) show(why, '-', a.items[i++], same, &shown);
            if (j < to_j) show(why, '+', b.items[j++], same, &shown);
        }
    }
    if (shown == 0) shunt_buffer_z(why, "only line ends differ\n");
    if (shown > SHOWN_AT_MOST) shunt_buffer_format(why, "and %u more lines\n", shown - SHOWN_AT_MOST);
    return SHUNT_OK;
}

/* ---- one file ---- */

static shunt_status compare(const shunt_compile_options *options, const shunt_golden_file *file, shunt_text came,
                            shunt_arena *arena, shunt_buffer *why)
{
    shunt_text stored = { 0 };
    int        error = shunt_compiling_read(arena, options, file->answer_path, &stored);
    if (error == ENOMEM) return SHUNT_NO_MEMORY;
    if (error == 0 && shunt_text_equal(stored, came)) return SHUNT_OK;
    if (options && options->store) {
        const char *path = shunt_text_z(arena, file->answer_path);
        if (!path) return SHUNT_NO_MEMORY;
        error = options->store(options->store_context, path, came.bytes, came.length);
        if (error)
            shunt_buffer_format(why, "`%.*s` can not be written: %s\n", SHUNT_TEXT_ARGS(file->answer_name), strerror(error));
        return SHUNT_OK;
    }
    if (error == ENOENT || error == ENOTDIR) {
        shunt_buffer_format(why, "there is no `%.*s`; look at what comes, `shunt test --update` stores it\n",
                            SHUNT_TEXT_ARGS(file->answer_name));
        return SHUNT_OK;
    }
    if (error) {
        shunt_buffer_format(why, "`%.*s` can not be read: %s\n", SHUNT_TEXT_ARGS(file->answer_name), strerror(error));
        return SHUNT_OK;
    }
    shunt_buffer_format(why, "not what `%.*s` holds (- stored, + came); `shunt test --update` stores what came\n",
                        SHUNT_TEXT_ARGS(file->answer_name));
    return say_difference(arena, stored, came, why);
}

static shunt_status answer(shunt_compiling *c, const shunt_compile_options *options, const shunt_golden_file *file, coming *all,
                           uint8_t *covered, uint32_t covered_count, shunt_arena *arena, shunt_buffer *why)
{
    shunt_text input;
    int        error = shunt_compiling_read(arena, options, file->path, &input);
    if (error == ENOMEM) return SHUNT_NO_MEMORY;
    if (error) {
        shunt_buffer_format(why, "it can not be read: %s\n", strerror(error));
        return SHUNT_OK;
    }
    SHUNT_TRY(run_bytes(all, c, options, input, covered, covered_count));
    shunt_buffer_add(why, all->errors.bytes, all->errors.length);
    if (all->records.failed || all->report.failed || all->errors.failed || all->records.length > UINT32_MAX / 2)
        return SHUNT_NO_MEMORY;
    if (why->length) return SHUNT_OK;
    return compare(options, file, (shunt_text){ all->records.bytes, (uint32_t)all->records.length }, arena, why);
}

shunt_status shunt_golden_run(shunt_compiling *c, const shunt_compile_options *options, const shunt_program *program,
                              const shunt_golden_file *file, uint8_t *covered, uint32_t covered_count, shunt_buffer *why)
{
    coming       all = { .program = program };
    shunt_arena *arena = shunt_arena_new(&c->memory, 0);
    shunt_buffer_init(&all.records, &c->memory);
    shunt_buffer_init(&all.exceptions, &c->memory);
    shunt_buffer_init(&all.report, &c->memory);
    shunt_buffer_init(&all.errors, &c->memory);
    shunt_status status = arena ? answer(c, options, file, &all, covered, covered_count, arena, why) : SHUNT_NO_MEMORY;
    shunt_buffer_done(&all.records);
    shunt_buffer_done(&all.exceptions);
    shunt_buffer_done(&all.report);
    shunt_buffer_done(&all.errors);
    shunt_arena_free(arena);
    return status;
}
