#include "standards/dict/image.h"

#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { EMPTY, FILLING, FILLED };

/* All pages of the room at once, which costs less than one after the other. A hint. */
static void ask_for(void *room, size_t size)
{
#ifdef MADV_POPULATE_WRITE
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = ((uintptr_t)room + page - 1) & ~(page - 1);
    uintptr_t end = ((uintptr_t)room + size) & ~(page - 1);
    if (begin < end) (void)madvise((char *)room + (begin - (uintptr_t)room), end - begin, MADV_POPULATE_WRITE);
#else
    (void)room, (void)size;
#endif
}

static void fill(const shunt_dict_image *image)
{
    size_t    size = image->count * sizeof *image->room;
    /* Texts stay where they are: `texts` + offset is where one stands, as `room` + offset is for all else. */
    uintptr_t room = (uintptr_t)image->room, texts = (uintptr_t)image->words;
    ask_for(image->room, size);
    memcpy(image->room, image->words, size);
    for (size_t i = 0; i < image->count; i += 64)
        for (uint64_t left = image->pointers[i / 64]; left; left &= left - 1) {
            uintptr_t *word = &image->room[i + (size_t)__builtin_ctzll(left)];
            *word += *word < size ? room : texts;
        }
}

static const void *filled(const shunt_dict_image *image)
{
    int state = atomic_load_explicit(image->state, memory_order_acquire);
    if (SHUNT_LIKELY(state == FILLED)) return image->room;
    state = EMPTY;
    if (atomic_compare_exchange_strong(image->state, &state, FILLING)) {
        fill(image);
        atomic_store_explicit(image->state, FILLED, memory_order_release);
    }
    while (atomic_load_explicit(image->state, memory_order_acquire) != FILLED) sched_yield();
    return image->room;
}

/* The roots stand at the beginning. */
const shunt_dict_x12  *shunt_dict_of_x12(void) { return filled(&shunt_dict_image_x12); }
const shunt_dict_hl7  *shunt_dict_of_hl7(void) { return filled(&shunt_dict_image_hl7); }
const shunt_dict_fhir *shunt_dict_of_fhir(void) { return filled(&shunt_dict_image_fhir); }
