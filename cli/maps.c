/* maps.c - the .map files that a command line names: files as they are, folders with all that is below them. */
#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static bool add(map_files *list, const char *path)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 16;
        char **items = realloc(list->items, capacity * sizeof *items);
        if (!items) return false;
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count] = strdup(path);
    return list->items[list->count++] != NULL;
}

static int by_name(const FTSENT **a, const FTSENT **b) { return strcmp((*a)->fts_name, (*b)->fts_name); }

int find_maps(const arguments *a, map_files *list)
{
    for (int i = 0; i < a->operand_count; i++) {
        char *const roots[] = { a->operands[i], NULL };
        FTS        *walk = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
        if (!walk) return fail(SHUNT_SYSTEM_FAULT, "%s: %s", a->operands[i], strerror(errno));
        for (FTSENT *entry; (entry = fts_read(walk)) != NULL;) {
            size_t length = entry->fts_pathlen;
            bool   map = length > 4 && strcmp(entry->fts_path + length - 4, ".map") == 0;
            int    status = 0;
            if (entry->fts_info == FTS_F && (map || entry->fts_level == FTS_ROOTLEVEL)) {
                if (!add(list, entry->fts_path)) status = fail(SHUNT_SYSTEM_FAULT, "no memory");
            } else if (entry->fts_info == FTS_NS || entry->fts_info == FTS_ERR || entry->fts_info == FTS_DNR) {
                status = fail(SHUNT_SYSTEM_FAULT, "%s: %s", entry->fts_path, strerror(entry->fts_errno));
            }
            if (status) {
                fts_close(walk);
                return status;
            }
        }
        fts_close(walk);
    }
    return list->count ? 0 : fail(SHUNT_RULES_FAULT, "no .map file there");
}

void free_maps(map_files *list)
{
    for (size_t i = 0; i < list->count; i++) free(list->items[i]);
    free(list->items);
    *list = (map_files){ 0 };
}
