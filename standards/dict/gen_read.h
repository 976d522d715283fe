/* gen_read.h - what the build-time generators of this folder share: faults, memory, lines and fields of a text dictionary.
 * They run on the build machine and need libc alone. A fault is printed as FILE:LINE: text and ends the run; nothing is freed. */
#ifndef SHUNT_DICT_GEN_READ_H
#define SHUNT_DICT_GEN_READ_H

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 4000 };

/* -- faults and memory ---------------------------------------------------------------------------------------------- */

typedef struct place {
    const char *file;
    int         line;
} place;

static inline _Noreturn void fail(place at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s:%d: ", at.file, at.line);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static inline void *need(void *memory)
{
    if (!memory) {
        fputs("gen: out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

static inline void *grown(void *array, size_t count, size_t size)
{
    if (count & (count - 1)) return array; /* grows at powers of two, and from nothing */
    return need(realloc(array, (count ? 2 * count : 1) * size));
}

#define PUSH(array, count)                                                                                                       \
    (((array) = grown((array), (count), sizeof *(array))), memset(&(array)[count], 0, sizeof *(array)), &(array)[(count)++])

/* -- lines and fields ----------------------------------------------------------------------------------------------- */

typedef struct line {
    place  at;
    int    depth; /* leading tabs */
    int    count;
    char **fields;
} line;

typedef struct document {
    line  *lines;
    size_t count;
} document;

static inline char *read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) fail((place){ path, 0 }, "%s", strerror(errno));
    char  *text = NULL;
    size_t length = 0, capacity = 0;
    for (;;) {
        if (length + 1 >= capacity) text = need(realloc(text, capacity = capacity ? 2 * capacity : 65536));
        size_t got = fread(text + length, 1, capacity - length - 1, f);
        if (got == 0) break;
        length += got;
    }
    if (ferror(f)) fail((place){ path, 0 }, "cannot be read");
    fclose(f);
    if (memchr(text, 0, length)) fail((place){ path, 0 }, "holds a zero byte");
    text[length] = 0;
    return text;
}

/* Splits at tabs. Lines that are empty or start with # are passed over; a last field that starts with # is a remark. */
static inline document read_document(const char *path)
{
    document d = { 0 };
    int      number = 0;
    for (char *text = read_file(path), *next; *text; text = next) {
        char *end = strchr(text, '\n');
        if (!end) fail((place){ path, number + 1 }, "no line end at the end of the file");
        next = end + 1;
        *end = 0;
        number++;
        if (!*text || *text == '#') continue;
        line l = { .at = { path, number } };
        while (*text == '\t') text++, l.depth++;
        for (char *field = text; field;) {
            char *tab = strchr(field, '\t');
            if (tab) *tab = 0;
            if (l.count == FIELDS_MAX) fail(l.at, "too many fields");
            if (field[0] == '#' && !tab) break;
            if (!*field || *field == ' ' || field[strlen(field) - 1] == ' ') fail(l.at, "empty field, or a blank at its edge");
            l.fields = grown(l.fields, (size_t)l.count, sizeof *l.fields);
            l.fields[l.count++] = field;
            field = tab ? tab + 1 : NULL;
        }
        *PUSH(d.lines, d.count) = l;
    }
    if (!d.count) fail((place){ path, 1 }, "nothing in it");
    return d;
}

static inline void need_fields(const line *l, int least, int most)
{
    if (l->count < least || l->count > most) fail(l->at, "%s has %d fields, not %d to %d", l->fields[0], l->count, least, most);
}

static inline int read_number(place at, const char *text, int least, int most)
{
    char *end;
    long  n = strtol(text, &end, 10);
    if (!isdigit((unsigned char)*text) || *end || n < least || n > most)
        fail(at, "`%s` is no number from %d to %d", text, least, most);
    return (int)n;
}

static inline const char *read_name(place at, const char *text)
{
    for (const char *p = text; *p; p++)
        if (*p < ' ' || *p > '~' || *p == '"' || *p == '\\') fail(at, "a name holds printable ASCII without \" and \\");
    return text;
}

/* "A,B,C" as sorted values. */
typedef struct values {
    const char **items;
    size_t       count;
} values;

static inline int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static inline values read_values(place at, const char *text)
{
    values v = { 0 };
    for (char *copy = need(strdup(text)), *item; (item = strsep(&copy, ","));) {
        if (!*item) fail(at, "empty value in `%s`", text);
        *PUSH(v.items, v.count) = item;
    }
    qsort(v.items, v.count, sizeof *v.items, compare_strings);
    for (size_t i = 1; i < v.count; i++)
        if (!strcmp(v.items[i - 1], v.items[i])) fail(at, "`%s` stands twice", v.items[i]);
    return v;
}

static inline bool holds(values v, const char *item)
{
    for (size_t i = 0; i < v.count; i++)
        if (!strcmp(v.items[i], item)) return true;
    return false;
}

#endif
