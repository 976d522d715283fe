/* paged.h - a list that may be larger than memory: items are added at its end and looked at anywhere; some pages stand in memory, the
 * others in an unnamed temporary file. No file is made before more than SHUNT_PAGES pages are needed.
 * Owns:    its pages and its file.
 * Fails:   NO_MEMORY, IO; `status` says it from then on, items that are asked for are zeros and what is written to them is lost, so
 *          whoever looks at many items asks for `status` once, at the end.
 * Items:   a pointer to one is valid until SHUNT_PAGES - 1 others of the list were asked for, or until the list is cleared. */
#ifndef SHUNT_PAGED_H
#define SHUNT_PAGED_H

#include "engine/base/status.h"
#include "engine/base/text.h"

enum { SHUNT_PAGE = 32 * 1024, SHUNT_PAGES = 8, SHUNT_PAGED_ITEM = 256 /* most bytes of an item */ };

typedef struct shunt_page {
    char    *bytes; /* NULL: none yet */
    uint64_t used;  /* when it was asked for last; 0 = it holds no page */
    uint32_t number;
    bool     changed;
} shunt_page;

typedef struct shunt_paged {
    const shunt_memory *memory;
    const char         *directory; /* NULL: TMPDIR, or /tmp */
    uint32_t            count;     /* items */
    uint32_t            item_bytes, in_page;
    shunt_status        status;
    int                 file; /* -1: none yet */
    uint64_t            clock;
    shunt_page         *last; /* asked for last; NULL = none */
    shunt_page          pages[SHUNT_PAGES];
    _Alignas(16) char nothing[SHUNT_PAGED_ITEM]; /* the item that is given where none can be */
} shunt_paged;

/* Items of so many bytes, at most SHUNT_PAGED_ITEM. `memory` and `directory` are borrowed. */
void        shunt_paged_init(shunt_paged *list, const shunt_memory *memory, const char *directory, uint32_t item_bytes);
void        shunt_paged_done(shunt_paged *list); /* of one that was never made, all zeros, too */
void        shunt_paged_clear(shunt_paged *list);
/* An item of zeros behind the others. */
void       *shunt_paged_add(shunt_paged *list);
const void *shunt_paged_at(shunt_paged *list, uint32_t index); /* below `count` */
void       *shunt_paged_edit(shunt_paged *list, uint32_t index);
/* Of a list of single bytes: puts a run of at most SHUNT_PAGE behind the others, within one page; false: see `status`. `*at`: where it stands. */
bool        shunt_paged_put(shunt_paged *list, const void *bytes, uint32_t length, uint32_t *at);
/* What shunt_paged_put has put; empty after a failure. */
shunt_text  shunt_paged_text(shunt_paged *list, uint32_t at, uint32_t length);

#endif
