/* Projects of a host that keeps its files elsewhere: a project file, packages, a lock, and what is said where one of them is not as it should be. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shunt/shunt.h"
#include "tests/support/test_memory.h"

enum { FILES = 10 };

struct file {
    const char *path, *text;
};

struct host {
    const struct file *files; /* FILES at most */
    const char        *lock;  /* what stands in `shunt.lock` of the project; NULL = what `files` says */
    const char        *lock_path;
};

static int read_file(void *context, const shunt_allocator *allocator, const char *path, unsigned char **bytes, size_t *size)
{
    const struct host *h = context;
    const char        *text = h->lock && strcmp(path, h->lock_path) == 0 ? h->lock : NULL;
    for (int i = 0; i < FILES && !text; i++)
        if (h->files[i].path && strcmp(path, h->files[i].path) == 0) text = h->files[i].text;
    if (!text) return ENOENT;
    *size = strlen(text);
    *bytes = allocator->allocate(allocator->context, *size + 1);
    if (!*bytes) return ENOMEM;
    memcpy(*bytes, text, *size);
    return 0;
}

struct text {
    char   bytes[8000];
    size_t size;
};

static bool keep(void *context, const void *bytes, size_t size)
{
    struct text *t = context;
    if (t->size + size >= sizeof t->bytes) return false;
    memcpy(t->bytes + t->size, bytes, size);
    t->size += size;
    t->bytes[t->size] = 0;
    return true;
}

static shunt_result compile(struct host *h, const char *path, const shunt_allocator *allocator, struct text *said)
{
    shunt_compile_options options = { .size = sizeof options,
                                      .allocator = allocator,
                                      .read_file = read_file,
                                      .read_context = h,
                                      .find_project = true,
                                      .check_only = true };
    shunt_program        *program = NULL;
    shunt_messages       *messages = NULL;
    shunt_result          result = shunt_compile(path, &options, &program, &messages);
    if (said && messages && result == SHUNT_RULES_FAULT)
        ck_assert_int_eq(shunt_messages_print(messages, false, keep, said), SHUNT_DONE);
    shunt_messages_free(messages);
    shunt_release(program);
    return result;
}

static shunt_result lock(struct host *h, const char *project, const char *path, const shunt_allocator *allocator,
                         struct text *written, struct text *said)
{
    shunt_compile_options options = { .size = sizeof options, .allocator = allocator, .read_file = read_file, .read_context = h };
    shunt_messages       *messages = NULL;
    shunt_result          result = shunt_lock(project, &path, 1, &options, keep, written, &messages);
    if (said && messages) ck_assert_int_eq(shunt_messages_print(messages, false, keep, said), SHUNT_DONE);
    shunt_messages_free(messages);
    return result;
}

#define PROJECT "# what it is made of\nmodules \"lib\"  # here\r\n\nmodules \"more folders\"\n"
#define MAIN                                                                                                                     \
    "module a.main version \"1.0.0\"\nimport std.gl version \"^2.1\"\nimport std.deep.rates version \"1.0.0\" as r\n"            \
    "let top = most\nlet low = r.floor\n"
#define GL         "module std.gl version \"2.4.1\"\nimport \"parts.map\"\nlet most = least\n"
#define PARTS      "module std.parts version \"0.1\"\nlet least = 2.50\n"
#define RATES      "module std.deep.rates version \"1.0\"\nlet floor = 1.00\n"
/* What sha256sum says of these texts. */
#define GL_HASH    "f0bacf07bfd5233b5f93db7f804b265599596668487bc07d42bfc937fa365fd1"
#define PARTS_HASH "e4b42ae120db87e90b2dcf88f3b63a3bbe402ef5a3a73bfaa497ee1b9e54839f"
#define RATES_HASH "77deec5a8c55a50654b910a5ea5df8eca23de278b0d7c9fe81390cc30064872b"
#define WHOLE                                                                                                                    \
    { "p/shunt.project", PROJECT }, { "p/rules/main.map", MAIN }, { "p/lib/std/gl.map", GL }, { "p/lib/std/parts.map", PARTS },  \
    {                                                                                                                            \
        "p/more folders/std/deep/rates.map", RATES                                                                               \
    }

static const struct file whole[FILES] = { WHOLE };

static const char expected[] =
    "# What the rules of this project were last seen with. Written by `shunt lock`; docs/projects.md explains it.\nlock 1\n"
    "module \"lib/std/parts.map\" sha256:%s\npackage \"lib/std/gl.map\" sha256:%s std.gl 2.4.1\n"
    "package \"more folders/std/deep/rates.map\" sha256:%s std.deep.rates 1.0\n";

START_TEST(a_lock_holds_what_is_imported)
{
    struct host h = { .files = whole, .lock_path = "p/shunt.lock" };
    struct text written = { 0 }, said = { 0 };
    char        wanted[1000];
    ck_assert_int_eq(lock(&h, "p/shunt.project", "p/rules/main.map", NULL, &written, &said), SHUNT_DONE);
    snprintf(wanted, sizeof wanted, expected, PARTS_HASH, GL_HASH, RATES_HASH);
    ck_assert_str_eq(written.bytes, wanted);
    h.lock = written.bytes;
    ck_assert_int_eq(compile(&h, "p/rules/main.map", NULL, &said), SHUNT_DONE);
    ck_assert_str_eq(said.bytes, "");
    /* What a lock holds is no part of what the lock holds. */
    struct text again = { 0 };
    ck_assert_int_eq(lock(&h, "p/shunt.project", "p/rules/main.map", NULL, &again, &said), SHUNT_DONE);
    ck_assert_str_eq(again.bytes, written.bytes);
}
END_TEST

/* ---- what is refused ---- */

static const struct refusal {
    const char *name;
    struct file change; /* a file that is another one, or none (text NULL), after the lock was made */
    const char *lock;   /* in place of the lock that was made; "" = none */
    const char *said;   /* what the messages begin with, and hold */
    const char *also;
} refusals[] = {
    { "changed",
      { "p/lib/std/gl.map", GL "# x\n" },
      NULL,
      "error[E0217]: `lib/std/gl.map` has changed since it was locked\n  --> p/rules/main.map:2:8\n",
      "run `shunt lock p`" },
    { "part of a package",
      { "p/lib/std/parts.map", PARTS "let more = 1\n" },
      NULL,
      "error[E0217]: `lib/std/parts.map` has changed since it was locked\n  --> p/lib/std/gl.map:2:8\n",
      NULL },
    { "another version",
      { "p/lib/std/gl.map", "module std.gl version \"2.5\"\nlet most = 2.50\n" },
      NULL,
      "error[E0217]: `lib/std/gl.map` has",
      "its version is 2.5 now, and was 2.4.1" },
    { "no lock",
      { NULL, NULL },
      "",
      "error[E0216]: `std.gl` is not pinned: there is no `p/shunt.lock`\n  --> p/rules/main.map:2:8\n",
      "version 2.4.1" },
    { "not in the lock",
      { NULL, NULL },
      "lock 1\n",
      "error[E0216]: `std.gl` is not in `p/shunt.lock`\n",
      "error[E0216]: `lib/std/parts.map` is not in" },
    { "elsewhere",
      { "p/lib/std/deep/rates.map", RATES },
      NULL,
      "error[E0217]: `std.deep.rates` is found as `lib/std/deep/rates.map` now, and was `more folders/std/deep/rates.map`",
      NULL },
    { "too old",
      { "p/lib/std/gl.map", "module std.gl version \"2.0.9\"\nlet most = 2.50\n" },
      NULL,
      "error[E0215]: `std.gl` is here in version 2.0.9, and \"^2.1\" is wanted\n  --> p/rules/main.map:2:23\n",
      "found as `p/lib/std/gl.map`" },
    { "too new",
      { "p/lib/std/gl.map", "module std.gl version \"3.0\"\nlet most = 2.50\n" },
      NULL,
      "error[E0215]: `std.gl` is here in version 3.0,",
      NULL },
    { "no version",
      { "p/lib/std/gl.map", "module std.gl version \"two\"\nlet most = 2.50\n" },
      NULL,
      "error[E0215]: `std.gl` has version \"two\", which is none",
      NULL },
    { "another name",
      { "p/lib/std/gl.map", "module std.lg version \"2.2\"\nlet most = 2.50\n" },
      NULL,
      "error[E0213]: `p/lib/std/gl.map` is not module `std.gl`",
      "it begins with `module std.lg`" },
    { "nowhere",
      { "p/lib/std/gl.map", NULL },
      NULL,
      "error[E0213]: there is no module `std.gl`\n",
      "it was looked for as `p/lib/std/gl.map` and in the other folders" },
    { "wanted so",
      { "p/rules/main.map", "module a.main version \"1\"\nimport std.gl version \"~2\"\nlet top = most\n" },
      NULL,
      "error[E0215]: no version is asked for so\n  --> p/rules/main.map:2:23\n",
      "`version \"^2.0\"`" },
    { "no folders",
      { "p/shunt.project", "# nothing\n" },
      NULL,
      "error[E0213]: there is no module `std.gl`\n",
      "names no folder with modules" },
    { "word",
      { "p/shunt.project", PROJECT "module \"x\"\n" },
      NULL,
      "error[E0214]: `module` is no word of a project file\n  --> p/shunt.project:5:1\n",
      NULL },
    { "no quotes",
      { "p/shunt.project", "modules lib\n" },
      NULL,
      "error[E0213]",
      "error[E0214]: `modules` is followed by one path in quotes\n  --> p/shunt.project:1:1\n" },
    { "two paths",
      { "p/shunt.project", PROJECT "modules \"a\" \"b\"\n" },
      NULL,
      "error[E0214]: `modules` is followed by one path in quotes\n  --> p/shunt.project:5:13\n",
      NULL },
    { "open quote",
      { "p/shunt.project", PROJECT "modules \"a\n" },
      NULL,
      "error[E0214]: the quote is not closed\n  --> p/shunt.project:5:9\n",
      NULL },
    { "control", { "p/shunt.project", PROJECT "modules \x01\n" }, NULL, "error[E0214]: a control character stands here\n", NULL },
    { "not UTF-8",
      { "p/shunt.project", "modules \"\xff\"\n" },
      NULL,
      "error[E0213]",
      "error[E0214]: the file is not UTF-8 here\n" },
    { "no guide there",
      { "p/shunt.project", PROJECT "dictionary \"x.tsv\"\n" },
      NULL,
      "error[E0214]: `p/x.tsv` can not be read: No such file or directory\n  --> p/shunt.project:5:12\n",
      NULL },
    { "a guide that is none",
      { "p/shunt.project", PROJECT "dictionary \"lib/std/gl.map\"\n" },
      NULL,
      "error[E0201]: `p/lib/std/gl.map`, line 1: ",
      "p/shunt.project:5:12" },
    { "empty lock", { NULL, NULL }, "# nothing\n", "error[E0216]", "error[E0214]: the lock is empty\n" },
    { "other lock",
      { NULL, NULL },
      "lock 2\n",
      "error[E0216]",
      "error[E0214]: a lock that this version reads begins with `lock 1`\n  --> p/shunt.lock:1:1\n" },
    { "no hash",
      { NULL, NULL },
      "lock 1\nmodule \"a\" sha256:00\n",
      "error[E0216]",
      "error[E0214]: this is no entry of a lock\n  --> p/shunt.lock:2:1\n" },
    { "no kind",
      { NULL, NULL },
      "lock 1\nfolder \"a\" sha256:" GL_HASH "\n",
      "error[E0216]",
      "error[E0214]: this is no entry of a lock\n" },
    { "no package",
      { NULL, NULL },
      "lock 1\npackage \"a\" sha256:" GL_HASH " std.gl two\n",
      "error[E0216]",
      "error[E0214]: this is no entry of a lock\n" },
    { "twice",
      { NULL, NULL },
      "lock 1\ntable \"a\" sha256:" GL_HASH "\ntable \"a\" sha256:" RATES_HASH "\n",
      "error[E0216]",
      "error[E0214]: this stands in the lock twice\n  --> p/shunt.lock:3:1\n" },
    { "too much",
      { NULL, NULL },
      "lock 1\ntable \"a\" sha256:" GL_HASH " 1 2 3 4\n",
      "error[E0216]",
      "error[E0214]: a line has no more than its entry\n" },
};

START_TEST(what_is_not_as_it_was_is_refused)
{
    const struct refusal *r = &refusals[_i];
    struct file           files[FILES] = { WHOLE };
    struct host           h = { .files = whole, .lock_path = "p/shunt.lock" };
    struct text           made = { 0 }, said = { 0 };
    ck_assert_int_eq(lock(&h, "p/shunt.project", "p/rules/main.map", NULL, &made, NULL), SHUNT_DONE);
    int at = 0;
    while (r->change.path && files[at].path && strcmp(files[at].path, r->change.path) != 0) at++;
    if (r->change.path) files[at] = r->change;
    h.files = files;
    h.lock = r->lock ? (*r->lock ? r->lock : NULL) : made.bytes;
    ck_assert_int_eq(compile(&h, "p/rules/main.map", NULL, &said), SHUNT_RULES_FAULT);
    ck_assert_msg(strncmp(said.bytes, r->said, strlen(r->said)) == 0, "%s:\n%s", r->name, said.bytes);
    ck_assert_msg(!r->also || strstr(said.bytes, r->also), "%s:\n%s", r->name, said.bytes);
}
END_TEST

/* One package, two wishes; and no project at all. */
START_TEST(a_program_holds_a_package_once)
{
    static const struct file files[FILES] = {
        { "shunt.project", "modules \"lib\"\n" },
        { "a.map",
          "module a version \"1\"\nimport x version \"^1.2\"\nimport y version \"^1.0\" as y\nlet z = one\nlet w = y.two\n" },
        { "lib/x.map", "module x version \"1.3\"\nlet one = 1\n" },
        { "lib/y.map", "module y version \"1.0\"\nimport x version \"2.0\" as x\nlet two = x.one\n" },
    };
    struct host h = { .files = files, .lock_path = "shunt.lock" };
    struct text written = { 0 }, said = { 0 };
    ck_assert_int_eq(lock(&h, "shunt.project", "a.map", NULL, &written, &said), SHUNT_RULES_FAULT);
    ck_assert_str_eq(written.bytes, "");
    ck_assert_ptr_nonnull(
        strstr(said.bytes, "error[E0215]: `x` is here in version 1.3, and \"2.0\" is wanted\n  --> lib/y.map:2:18\n"));

    static const struct file alone[FILES] = { { "a.map", "module a version \"1\"\nimport x version \"1\"\nlet z = one\n" } };
    h = (struct host){ .files = alone };
    said = (struct text){ 0 };
    ck_assert_int_eq(compile(&h, "a.map", NULL, &said), SHUNT_RULES_FAULT);
    ck_assert_msg(strncmp(said.bytes, "error[E0213]: there is no module `x`\n  --> a.map:2:8\n", 52) == 0, "%s", said.bytes);
    ck_assert_ptr_nonnull(strstr(said.bytes, "`shunt.project`"));
}
END_TEST

START_TEST(a_circle_of_packages_is_said)
{
    static const struct file files[FILES] = {
        { "shunt.project", "modules \".\"\n" },
        { "x.map", "module x version \"1.3\"\nimport y version \"1.0\" as y\nlet one = y.two\n" },
        { "y.map", "module y version \"1.0\"\nimport x version \"^1\" as x\nlet two = x.one\n" },
    };
    struct host h = { .files = files, .lock_path = "shunt.lock" };
    struct text written = { 0 }, said = { 0 };
    ck_assert_int_eq(lock(&h, "shunt.project", "x.map", NULL, &written, &said), SHUNT_RULES_FAULT);
    ck_assert_ptr_nonnull(
        strstr(said.bytes, "error[E0213]: this import comes back to the module that it stands in\n  --> y.map:2:8\n"));
}
END_TEST

/* ---- no memory ---- */

/* _i: 0 = one call fails, 1 = that call and all later ones. */
START_TEST(every_failure_of_memory_is_survived)
{
    struct host h = { .files = whole, .lock_path = "p/shunt.lock" };
    struct text made = { 0 };
    ck_assert_int_eq(lock(&h, "p/shunt.project", "p/rules/main.map", NULL, &made, NULL), SHUNT_DONE);
    for (int what = 0; what < 2; what++) {
        for (size_t n = 1;; n++) {
            struct test_memory m;
            struct text        written = { 0 };
            test_memory_init(&m, n);
            m.fail_on = _i;
            shunt_allocator allocator = { m.memory.allocate, m.memory.resize, m.memory.release, m.memory.context };
            h.lock = what ? made.bytes : NULL;
            shunt_result result = what ? compile(&h, "p/rules/main.map", &allocator, NULL)
                                       : lock(&h, "p/shunt.project", "p/rules/main.map", &allocator, &written, NULL);
            ck_assert_uint_eq(m.blocks, 0);
            if (m.calls < n) {
                ck_assert_int_eq(result, SHUNT_DONE);
                break;
            }
            ck_assert_msg(result == SHUNT_SYSTEM_FAULT || result == SHUNT_DONE, "call %zu: %d", n, (int)result);
            ck_assert_msg(what || result == SHUNT_DONE ? true : written.size == 0, "call %zu: half a lock", n);
        }
    }
}
END_TEST

/* ---- stored answers ---- */

static const char bank[] = "module a.bank version \"1\"\n"
                           "source bank is CSV { currency: USD  column id: text(5)  column amount: money }\n"
                           "codes { C \"c\" queue \"q\" }\n"
                           "target row { id: text(5)  amount: money(USD)  key id }\n"
                           "target line { id: text(5)  key id  encode csv { separator: \";\" } }\n"
                           "map m from bank into row, line {\n  on error quarantine C\n"
                           "  for each r in rows { emit row { id: r.id  amount: r.amount } emit line { id: r.id } }\n}\n"
                           "golden \"*.csv\" into \"out\"\n";

struct folder {
    char        path[40], rules[60], input[60];
    struct text stored; /* what `store` was given last, its path before it */
};

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

static void make_folder(struct folder *f)
{
    *f = (struct folder){ .path = "/tmp/shunt-golden-XXXXXX" };
    ck_assert_ptr_nonnull(mkdtemp(f->path));
    snprintf(f->rules, sizeof f->rules, "%s/a.map", f->path);
    snprintf(f->input, sizeof f->input, "%s/in.csv", f->path);
    put(f->rules, bank);
    put(f->input, "id,amount\nA,1.00\nB,x\n");
}

static void remove_folder(const struct folder *f)
{
    remove(f->rules);
    remove(f->input);
    remove(f->path);
}

static int store(void *context, const char *path, const void *bytes, size_t size)
{
    struct folder *f = context;
    f->stored = (struct text){ 0 };
    return keep(&f->stored, path, strlen(path)) && keep(&f->stored, "\n", 1) && keep(&f->stored, bytes, size) ? 0 : ENOSPC;
}

static int refuse(void *context, const char *path, const void *bytes, size_t size)
{
    (void)context, (void)path, (void)bytes, (void)size;
    return EROFS;
}

static shunt_result run_tests(struct folder *f, const shunt_allocator                              *allocator,
                              int (*with)(void *, const char *, const void *, size_t), struct text *said)
{
    shunt_compile_options options = {
        .size = sizeof options, .allocator = allocator, .project = "", .store = with, .store_context = f
    };
    shunt_messages   *messages = NULL;
    shunt_test_totals totals;
    *said = (struct text){ 0 };
    shunt_result result = shunt_test(f->rules, &options, SHUNT_TEST_TAP, 1, keep, said, &totals, &messages);
    shunt_messages_free(messages);
    return result;
}

START_TEST(an_answer_goes_to_the_host)
{
    struct folder f;
    struct text   said;
    make_folder(&f);
    ck_assert_int_eq(run_tests(&f, NULL, NULL, &said), SHUNT_INPUT_FAULT);
    ck_assert_ptr_nonnull(strstr(said.bytes, "there is no `out/in.csv.ndjson`"));
    ck_assert_int_eq(run_tests(&f, NULL, refuse, &said), SHUNT_INPUT_FAULT);
    ck_assert_ptr_nonnull(strstr(said.bytes, "`out/in.csv.ndjson` can not be written: Read-only file system"));
    ck_assert_int_eq(run_tests(&f, NULL, store, &said), SHUNT_DONE);
    ck_assert_int_eq(strncmp(f.stored.bytes, f.path, strlen(f.path)), 0);
    static const char answer[] =
        "/out/in.csv.ndjson\n"
        "{\"target\":\"row\",\"key\":[\"A\"],\"record\":{\"id\":\"A\",\"amount\":\"1.00\",\"currency\":\"USD\"}}\n"
        "{\"target\":\"line\",\"written\":\"id\\nA\\n\"}\n"
        "{\"code\":\"C\",\"cause\":\"VALUE_INVALID\",";
    ck_assert_msg(strncmp(f.stored.bytes + strlen(f.path), answer, sizeof answer - 1) == 0, "%s", f.stored.bytes);
    remove_folder(&f);
}
END_TEST

START_TEST(answers_survive_every_failure_of_memory)
{
    struct folder f;
    struct text   said;
    make_folder(&f);
    for (size_t n = 1;; n++) {
        struct test_memory m;
        test_memory_init(&m, n);
        m.fail_on = _i;
        shunt_allocator allocator = { m.memory.allocate, m.memory.resize, m.memory.release, m.memory.context };
        f.stored = (struct text){ 0 };
        shunt_result result = run_tests(&f, &allocator, store, &said);
        ck_assert_uint_eq(m.blocks, 0);
        if (m.calls < n) {
            ck_assert_int_eq(result, SHUNT_DONE);
            break;
        }
        ck_assert_msg(result == SHUNT_SYSTEM_FAULT || (result == SHUNT_DONE && f.stored.size > 100), "call %zu: %d, %s", n,
                      (int)result, said.bytes);
    }
    remove_folder(&f);
}
END_TEST

int main(void)
{
    Suite   *suite = suite_create("project");
    TCase   *tests = tcase_create("project");
    SRunner *runner = srunner_create(suite);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_lock_holds_what_is_imported);
    tcase_add_loop_test(tests, what_is_not_as_it_was_is_refused, 0, sizeof refusals / sizeof *refusals);
    tcase_add_test(tests, a_program_holds_a_package_once);
    tcase_add_test(tests, a_circle_of_packages_is_said);
    tcase_add_loop_test(tests, every_failure_of_memory_is_survived, 0, 2);
    tcase_add_test(tests, an_answer_goes_to_the_host);
    tcase_add_loop_test(tests, answers_survive_every_failure_of_memory, 0, 2);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
