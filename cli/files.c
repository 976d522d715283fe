/* files.c - files in and out, for all verbs. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

enum {
    PIECE = 256 * 1024,    /* read at once */
    OUT_BUFFER = 64 * 1024 /* records come in large pieces, of which only what is beside whole buffers is copied */
};

bool write_file(void *file, const void *bytes, size_t size) { return fwrite(bytes, 1, size, file) == size; }

unsigned char *read_whole(const char *path, size_t *size)
{
    FILE *in = fopen(path, "rb");
    if (!in) {
        fail(SHUNT_SYSTEM_FAULT, "%s: %s", path, strerror(errno));
        return NULL;
    }
    size_t         capacity = PIECE, length = 0;
    unsigned char *bytes = malloc(capacity);
    while (bytes) {
        length += fread(bytes + length, 1, capacity - length, in);
        if (length < capacity) break;
        unsigned char *more = realloc(bytes, capacity *= 2);
        if (!more) free(bytes);
        bytes = more;
    }
    if (!bytes)
        fail(SHUNT_SYSTEM_FAULT, "%s: no memory", path);
    else if (ferror(in)) {
        fail(SHUNT_SYSTEM_FAULT, "%s: %s", path, strerror(errno));
        free(bytes);
        bytes = NULL;
    }
    fclose(in);
    *size = length;
    return bytes;
}

/* True where the file begins as a saved program does; `exists` false where it can not be read. */
static bool is_program(const char *path, bool *exists)
{
    char  magic[8] = { 0 };
    FILE *in = fopen(path, "rb");
    *exists = in != NULL;
    if (!in) return false;
    size_t length = fread(magic, 1, sizeof magic, in);
    fclose(in);
    return length == sizeof magic && memcmp(magic, "SHUNTMAP", sizeof magic) == 0;
}

shunt_definitions *read_definitions(const arguments *a, int *status)
{
    shunt_definitions *definitions = NULL;
    *status = 0;
    for (int i = 0; i < a->dictionary_count && *status == 0; i++) {
        size_t          size;
        shunt_messages *messages = NULL;
        unsigned char  *bytes = read_whole(a->dictionaries[i], &size);
        if (!bytes)
            *status = SHUNT_SYSTEM_FAULT;
        else if (!definitions)
            *status = (int)shunt_definitions_new(NULL, &definitions);
        if (*status == 0) *status = (int)shunt_definitions_add(definitions, a->dictionaries[i], bytes, size, &messages);
        if (messages) (void)shunt_messages_print(messages, false, write_file, stderr);
        shunt_messages_free(messages);
        free(bytes);
    }
    if (*status == 0) return definitions;
    shunt_definitions_free(definitions);
    return NULL;
}

shunt_definitions *find_definitions(const arguments *a, const char *rules, int *status)
{
    shunt_definitions *definitions = NULL;
    shunt_messages    *messages = NULL;
    bool               exists;
    if (a->dictionary_count || is_program(rules, &exists)) return read_definitions(a, status);
    *status = (int)shunt_project_definitions(rules, NULL, &definitions, &messages);
    if (messages) (void)shunt_messages_print(messages, false, write_file, stderr);
    shunt_messages_free(messages);
    return definitions;
}

shunt_program *open_program(const arguments *a, const char *path, int *status)
{
    shunt_program  *program = NULL;
    shunt_messages *messages = NULL;
    bool            exists;
    shunt_result    result;
    if (is_program(path, &exists)) {
        size_t         size;
        unsigned char *bytes = read_whole(path, &size);
        if (!bytes) {
            *status = SHUNT_SYSTEM_FAULT;
            return NULL;
        }
        result = shunt_load(bytes, size, NULL, &program, &messages);
        free(bytes);
    } else if (!exists) {
        *status = fail(SHUNT_RULES_FAULT, "%s: %s", path, strerror(errno));
        return NULL;
    } else {
        shunt_definitions    *definitions = read_definitions(a, status);
        shunt_compile_options options = { .size = sizeof options,
                                          .definitions = definitions,
                                          .extern_folder = a->value[OPTION_ALLOW_EXTERN] };
        if (*status != 0) return NULL;
        result = shunt_compile(path, &options, &program, &messages);
        shunt_definitions_free(definitions);
    }
    if (messages)
        (void)shunt_messages_print(messages, false, write_file, stderr);
    else if (result != SHUNT_DONE)
        fail(result, "%s: no memory", path);
    shunt_messages_free(messages);
    *status = (int)result;
    return program;
}

int feed_file(const char *path, feed_piece feed, void *context)
{
    bool standard = strcmp(path, "-") == 0;
    int  in = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (in < 0) return fail(SHUNT_SYSTEM_FAULT, "%s: %s", path, strerror(errno));
    unsigned char *piece = malloc(PIECE);
    int            status = piece ? 0 : fail(SHUNT_SYSTEM_FAULT, "no memory");
    while (status == 0) {
        ssize_t length = read(in, piece, PIECE);
        if (length < 0 && errno == EINTR) continue;
        if (length < 0) status = fail(SHUNT_SYSTEM_FAULT, "%s: %s", path, strerror(errno));
        if (length <= 0) break;
        status = (int)feed(context, piece, (size_t)length);
    }
    free(piece);
    if (!standard) close(in);
    return status;
}

/* The folder of a path, and where its last name begins in it. */
static char *folder_of(const char *path, const char **name)
{
    const char *slash = strrchr(path, '/');
    *name = slash ? slash + 1 : path;
    return slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
}

/* A file without a name in the folder of `path`: whatever stops the command leaves nothing behind. -1 where the system has none. */
static int open_unnamed(const char *path)
{
    int out = -1;
#ifdef O_TMPFILE
    const char *name;
    char       *folder = access("/proc/self/fd", X_OK) == 0 ? folder_of(path, &name) : NULL;
    if (folder) out = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    free(folder);
#else
    (void)path;
#endif
    return out;
}

/* Gives an unnamed file a name nobody has yet, from which it can be renamed over the old one. */
static bool give_name(const safe_file *file)
{
    char from[40], *tail = file->temporary + strlen(file->temporary) - 6;
    snprintf(from, sizeof from, "/proc/self/fd/%d", fileno(file->file));
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(tail, 7, "%06x", ((unsigned)getpid() + i) & 0xffffff);
        if (linkat(AT_FDCWD, from, AT_FDCWD, file->temporary, AT_SYMLINK_FOLLOW) == 0) return true;
        if (errno != EEXIST) return false;
    }
    return false;
}

bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    const char *name_a, *name_b;
    bool        same = strcmp(a, b) == 0, known_a = stat(a, &x) == 0, known_b = stat(b, &y) == 0;
    if (known_a && !S_ISREG(x.st_mode)) return false; /* a device or pipe takes more than one */
    if (known_a && known_b) return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
    if (same || known_a || known_b) return same;
    char *at = folder_of(a, &name_a), *by = folder_of(b, &name_b);
    same = at && by && strcmp(name_a, name_b) == 0 && stat(at, &x) == 0 && stat(by, &y) == 0 && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino;
    free(at);
    free(by);
    return same;
}

/* Fewer calls of the system; without memory the buffer stays as it is. */
static void widen(safe_file *file)
{
    file->buffer = file->file ? malloc(OUT_BUFFER) : NULL;
    if (file->buffer) setvbuf(file->file, file->buffer, _IOFBF, OUT_BUFFER);
}

int safe_open(safe_file *file, const char *path)
{
    *file = (safe_file){ .file = stdout };
    if (!path || strcmp(path, "-") == 0) return 0;
    struct stat known;
    if (stat(path, &known) == 0 && !S_ISREG(known.st_mode)) { /* a device or pipe is written to, never replaced */
        file->file = fopen(path, "wb");
        widen(file);
        return file->file ? 0 : fail(SHUNT_SYSTEM_FAULT, "%s: %s", path, strerror(errno));
    }
    file->path = strdup(path);
    size_t size = strlen(path) + sizeof ".XXXXXX";
    file->temporary = file->path ? malloc(size) : NULL;
    if (!file->temporary) return fail(SHUNT_SYSTEM_FAULT, "no memory");
    int out = open_unnamed(path);
    file->unnamed = out >= 0;
    snprintf(file->temporary, size, "%s.XXXXXX", path);
    if (out < 0) out = mkstemp(file->temporary);
    file->file = out < 0 ? NULL : fdopen(out, "wb");
    widen(file);
    if (file->file) return 0;
    int status = fail(SHUNT_SYSTEM_FAULT, "%s: %s", path, strerror(errno));
    if (out >= 0) {
        close(out);
        if (!file->unnamed) unlink(file->temporary);
    }
    free(file->temporary);
    free(file->path);
    *file = (safe_file){ 0 };
    return status;
}

int safe_close(safe_file *file, bool keep)
{
    int status = 0;
    if (!file->file) return 0;
    bool written = fflush(file->file) == 0 && !ferror(file->file);
    if (!file->temporary) {
        if (file->file != stdout) written = fclose(file->file) == 0 && written;
        if (keep && !written) status = fail(SHUNT_SYSTEM_FAULT, "output: %s", strerror(errno));
        free(file->buffer);
        *file = (safe_file){ 0 };
        return status;
    }
    /* A new file has the permissions that umask leaves, as any program's output has; mkstemp made it private. */
    mode_t mask = umask(0);
    umask(mask);
    written = written && fchmod(fileno(file->file), 0666 & ~mask) == 0 && fsync(fileno(file->file)) == 0;
    bool named = !file->unnamed;
    if (keep && written && !named) written = named = give_name(file);
    written = fclose(file->file) == 0 && written;
    if (keep && written && rename(file->temporary, file->path) != 0) written = false;
    if (keep && !written) status = fail(SHUNT_SYSTEM_FAULT, "%s: %s", file->path, strerror(errno));
    if (named && (!keep || !written)) unlink(file->temporary);
    free(file->buffer);
    free(file->temporary);
    free(file->path);
    *file = (safe_file){ 0 };
    return status;
}
