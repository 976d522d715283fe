/* cli.h - what the verbs share: options, files, exit statuses. The command includes nothing of the project but shunt.h. */
#ifndef SHUNT_CLI_H
#define SHUNT_CLI_H

#include <shunt/shunt.h>
#include <stdio.h>

typedef enum verb_id {
#define SHUNT_VERB(name, operands, fewest, most, summary, description) VERB_##name,
#include "cli/verbs.def"
    VERB_COUNT
} verb_id;

typedef enum option_id {
#define SHUNT_OPTION(name, verbs, letter, word, argument, help) OPTION_##name,
#include "cli/options.def"
    OPTION_COUNT
} option_id;

struct arguments;
struct verb_info {
    const char *name, *operands, *summary, *description;
    int         fewest, most;
    int (*run)(const struct arguments *arguments);
};
struct option_info {
    const char *word, *argument, *help;
    unsigned    verbs; /* bit v = taken by verb v */
    char        letter;
};
extern const struct verb_info   verb_info[VERB_COUNT];
extern const struct option_info option_info[OPTION_COUNT];

/* A command line that was read. */
typedef struct arguments {
    verb_id      verb;
    const char  *value[OPTION_COUNT]; /* argument, or "" for an option without one; NULL = not given. The last one counts */
    char       **operands;
    int          operand_count;
    const char **tables; /* each --table, in order */
    int          table_count;
    const char **dictionaries; /* each --dictionary, in order */
    int          dictionary_count;
} arguments;

/* Every handler returns an exit status: a shunt_result. */
#define SHUNT_VERB(name, operands, fewest, most, summary, description) int cmd_##name(const arguments *arguments);
#include "cli/verbs.def"

/* Prints "shunt: ..." to standard error and returns the status. */
int fail(shunt_result status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* shunt_write over a FILE. */
bool write_file(void *file, const void *bytes, size_t size);

/* Reads a file whole. NULL after having said why. The caller frees. */
unsigned char *read_whole(const char *path, size_t *size);

/* Compiles or loads, as the file's first bytes say, and prints messages to standard error. NULL: `*status` is what to return. */
shunt_program *open_program(const arguments *arguments, const char *path, int *status);

/* Replaces tables as --table says, one program on top of the other. Each `chain` entry is to be released. A status. */
int            take_tables(const arguments *arguments, shunt_program **chain, int *count);
/* The key in the file of --token-key; NULL, or a status that is not 0, after having said why. The caller frees. */
unsigned char *token_key(const arguments *arguments, size_t *size, int *status);

/* What every --dictionary holds; NULL where there is none, or after having said what is wrong: `*status`. The caller frees. */
shunt_definitions *read_definitions(const arguments *arguments, int *status);

/* The same for a run of these rules: without --dictionary, those of their project. */
shunt_definitions *find_definitions(const arguments *arguments, const char *rules, int *status);

/* Feeds a file or standard input ("-") piece by piece. Returns a status. */
typedef shunt_result (*feed_piece)(void *context, const void *bytes, size_t size);
int feed_file(const char *path, feed_piece feed, void *context);

/* One file through an inspector of its own: the whole tree (path NULL), or the values at a path. A status. */
int look(const arguments *arguments, const char *path, const char *file);

/* Whether `input` is the letter of the list in `list_path`: one transaction, with its control number. A status, after having said why. */
int letter_fits(const char *list_path, const char *list, size_t list_length, const char *input);

/* Files as named, and the .map files below folders, in order. A status; free them in every case. */
typedef struct map_files {
    char **items;
    size_t count, capacity;
} map_files;
int  find_maps(const arguments *arguments, map_files *list);
void free_maps(map_files *list);

/* A file that appears under its name only when it is complete. */
typedef struct safe_file {
    FILE *file;
    char *path, *temporary; /* NULL: standard output */
    char *buffer;           /* of `file`; NULL: that of the C library */
    bool  unnamed;          /* `temporary` is not there yet */
} safe_file;
int safe_open(safe_file *file, const char *path); /* path NULL = standard output; a status */
int safe_close(safe_file *file, bool keep);       /* writes out, renames into place or removes; a status */

/* True where two paths, which need not exist yet, name one regular file. */
bool same_file(const char *a, const char *b);

#endif
