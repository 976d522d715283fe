#include "engine/base/paged.h"

#include <string.h>

#include "engine/base/temp.h"

void shunt_paged_init(shunt_paged *list, const shunt_memory *memory, const char *directory, uint32_t item_bytes)
{
    *list = (shunt_paged){
        .memory = memory, .directory = directory, .item_bytes = item_bytes, .in_page = SHUNT_PAGE / item_bytes, .file = -1
    };
}

void shunt_paged_clear(shunt_paged *list)
{
    list->count = 0;
    list->last = NULL;
    for (unsigned i = 0; i < SHUNT_PAGES; i++) list->pages[i].used = 0;
    if (list->file >= 0 && list->status == SHUNT_OK) list->status = shunt_temp_shrink(list->file);
}

void shunt_paged_done(shunt_paged *list)
{
    if (!list->memory) return;
    for (unsigned i = 0; i < SHUNT_PAGES; i++) shunt_memory_free(list->memory, list->pages[i].bytes);
    shunt_temp_close(list->file);
    *list = (shunt_paged){ 0 };
}

/* One that holds nothing, else the one that nobody has asked for the longest, written away. */
static shunt_status make_room(shunt_paged *list, shunt_page **room)
{
    shunt_page *page = &list->pages[0];
    for (unsigned i = 1; i < SHUNT_PAGES; i++)
        if (list->pages[i].used < page->used) page = &list->pages[i];
    *room = page;
    if (!page->bytes) {
        page->bytes = shunt_memory_get(list->memory, SHUNT_PAGE);
        return page->bytes ? SHUNT_OK : SHUNT_NO_MEMORY;
    }
    if (!page->used || !page->changed) return SHUNT_OK;
    if (list->file < 0) SHUNT_TRY(shunt_temp_open(list->directory, &list->file));
    return shunt_temp_write(list->file, (uint64_t)page->number * SHUNT_PAGE, page->bytes, SHUNT_PAGE);
}

/* NULL: see `status`. A page that was not there before is made of zeros. */
static shunt_page *page_at(shunt_paged *list, uint32_t number, bool fresh)
{
    shunt_page *page = list->last;
    if (SHUNT_LIKELY(page && page->number == number)) return page;
    if (list->status != SHUNT_OK) return NULL;
    page = NULL;
    for (unsigned i = 0; i < SHUNT_PAGES && !page; i++)
        if (list->pages[i].used && list->pages[i].number == number) page = &list->pages[i];
    if (!page) {
        list->last = NULL;
        list->status = make_room(list, &page);
        if (list->status != SHUNT_OK) return NULL;
        page->used = 0;
        if (fresh)
            memset(page->bytes, 0, SHUNT_PAGE);
        else
            list->status = shunt_temp_read(list->file, (uint64_t)number * SHUNT_PAGE, page->bytes, SHUNT_PAGE);
        if (list->status != SHUNT_OK) return NULL;
        page->number = number;
        page->changed = fresh;
    }
    page->used = ++list->clock;
    return list->last = page;
}

static void *nothing(shunt_paged *list) { return memset(list->nothing, 0, sizeof list->nothing); }

void *shunt_paged_add(shunt_paged *list)
{
    shunt_page *page =
        list->count < UINT32_MAX ? page_at(list, list->count / list->in_page, list->count % list->in_page == 0) : NULL;
    if (SHUNT_UNLIKELY(!page)) {
        if (list->status == SHUNT_OK) list->status = SHUNT_NO_MEMORY;
        return nothing(list);
    }
    page->changed = true;
    return page->bytes + (size_t)(list->count++ % list->in_page) * list->item_bytes;
}

void *shunt_paged_edit(shunt_paged *list, uint32_t index)
{
    shunt_page *page = page_at(list, index / list->in_page, false);
    if (SHUNT_UNLIKELY(!page)) return nothing(list);
    page->changed = true;
    return page->bytes + (size_t)(index % list->in_page) * list->item_bytes;
}

const void *shunt_paged_at(shunt_paged *list, uint32_t index)
{
    shunt_page *page = page_at(list, index / list->in_page, false);
    return SHUNT_LIKELY(page != NULL) ? page->bytes + (size_t)(index % list->in_page) * list->item_bytes : nothing(list);
}

bool shunt_paged_put(shunt_paged *list, const void *bytes, uint32_t length, uint32_t *at)
{
    uint32_t left = SHUNT_PAGE - list->count % SHUNT_PAGE;
    uint64_t begin = list->count + (uint64_t)(left < length ? left : 0);
    *at = 0;
    if (!length) return true;
    if (begin + length > UINT32_MAX && list->status == SHUNT_OK) list->status = SHUNT_NO_MEMORY;
    shunt_page *page =
        begin + length > UINT32_MAX ? NULL : page_at(list, (uint32_t)(begin / SHUNT_PAGE), begin % SHUNT_PAGE == 0);
    if (SHUNT_UNLIKELY(!page)) return false;
    page->changed = true;
    memcpy(page->bytes + begin % SHUNT_PAGE, bytes, length);
    *at = (uint32_t)begin;
    list->count = (uint32_t)(begin + length);
    return true;
}

shunt_text shunt_paged_text(shunt_paged *list, uint32_t at, uint32_t length)
{
    shunt_page *page = length ? page_at(list, at / SHUNT_PAGE, false) : NULL;
    return page ? (shunt_text){ page->bytes + at % SHUNT_PAGE, length } : (shunt_text){ 0 };
}
