/* state.h - the inside of a VM, for the files that make it up: vm.c (loop), message.c (captured values), collect.c (rows of groups),
 * journal.c (lines and balance), builtin.c, memo.c. Functions here return OK, or a failure of the rules with its place in the VM, or NO_MEMORY, IO
 * or CALLBACK, which end the run. */
#ifndef SHUNT_STATE_H
#define SHUNT_STATE_H

#include "engine/base/decimal.h"
#include "engine/base/hash.h"
#include "engine/vm/native.h"
#include "engine/vm/owner.h"
#include "engine/vm/table.h"
#include "engine/vm/vm.h"

struct shunt_memo;
struct shunt_memo_entry;

/* A function that waits for the one it called. */
typedef struct shunt_vm_frame {
    const shunt_instruction *pc;
    shunt_value             *registers;
    uint8_t                 *states;
    uint32_t                 result; /* register of the caller */
    uint16_t                 function;
    struct shunt_memo_entry *memo; /* of the called function: where its result is remembered; NULL = nowhere */
} shunt_vm_frame;

/* Values that were found outside their code list, so that each is told once. Keys: byte position and slot. */
typedef struct shunt_seen {
    uint64_t *keys; /* 0 = free */
    uint32_t  count, capacity;
} shunt_seen;

typedef struct shunt_journal {
    uint16_t           target;
    bool               flip, remainders; /* some line is one */
    uint32_t           site;
    uint32_t           column_count;
    uint32_t           unchecked; /* columns of the journal from this one on may stand in lines; those before it are looked at */
    const shunt_field *columns;   /* of a line */
    size_t             columns_bytes;
    char              *common;             /* columns that lines leave to the journal, in the arena */
    shunt_line        *lines, *next, *end; /* there too, with their columns behind them */
    char              *kept;               /* columns of the next line */
} shunt_journal;

/* Where the value of a slot stands in a node of its frame. */
typedef struct shunt_vm_slot {
    uint16_t place;
    uint8_t  way; /* shunt_vm_way */
    uint8_t  scale;
} shunt_vm_slot;

/* A moment that was converted, and of what. */
typedef struct shunt_vm_moment {
    const shunt_plan_slot *slot; /* NULL: none */
    uint32_t               length;
    char                   text[28]; /* as HL7 writes them, to fractions and offset */
    shunt_moment           moment;
} shunt_vm_moment;

/* How most slots are read; the others need a look at the plan. */
typedef enum shunt_vm_way {
    SHUNT_WAY_OTHER,
    SHUNT_WAY_TEXT,    /* as it stands: nothing converts or checks it */
    SHUNT_WAY_DECIMAL, /* nothing checks it */
    SHUNT_WAY_NUMBER,  /* an int or a day that nothing checks */
} shunt_vm_way;

typedef struct shunt_vm_collectors shunt_vm_collectors; /* of collect.c */

struct shunt_vm {
    const shunt_memory  *memory;
    const shunt_program *program;
    const shunt_vm_host *host;
    const shunt_value   *constants;
    shunt_instruction   *code;   /* of all functions, see fuse.h */
    shunt_native        *native; /* NULL: none */
    shunt_vm_slot       *slots;  /* one a slot of the plan */
    shunt_vm_collectors *collectors;
    shunt_arena         *unit, *kept; /* kept: until the next begin */
    shunt_arena         *arena;       /* of this run: one of the two */
    bool                 keep;
    uint64_t             steps, left;
    shunt_value         *stack;
    uint8_t             *states;
    shunt_vm_frame      *frames;
    shunt_value         *globals;
    uint8_t             *global_states, *global_unit; /* global_unit: set without keep */
    uint8_t             *notes;                       /* a byte per exit */
    shunt_seen           seen_unit, seen_set;
    shunt_journal        journal;
    struct shunt_memo   *memo;
    uint8_t             *covered; /* a byte per place of a program made to be covered; NULL = nobody asks */
    uint32_t             covered_count;
    struct shunt_trace  *trace; /* NULL: values are not followed */
    shunt_hmac           token; /* keyed, for tokenize */
    shunt_vm_moment      moments[4];
    uint32_t             records;
    /* of a failure */
    shunt_vm_place       place;
    shunt_text           message;
    uint32_t             fail_site; /* 0 = of the instruction */
};

/* Every list that the VM makes stands behind one of these, so that appending needs no copy while there is room.
 * A list that KEEP made has a state for each item: those that were not kept are absent for RECALL, and like any kept one else. */
typedef struct shunt_list_head {
    uint32_t used, capacity;
    union {
        uint8_t *kept; /* NULL: all are there */
        uint64_t size;
    };
} shunt_list_head;
_Static_assert(sizeof(shunt_list_head) == sizeof(shunt_value), "items stay aligned");

/* A list of items that `shunt_list_new` made room for; of none, NULL. */
static inline void shunt_list_give(shunt_value *items, uint32_t count, shunt_value *list)
{
    if (count) ((shunt_list_head *)(void *)items - 1)->used = count;
    list->list.items = count ? items : NULL;
    list->list.count = count;
}

static inline uint8_t shunt_state_of(unsigned states)
{
    return states & SHUNT_CLEARED ? SHUNT_CLEARED : (uint8_t)states;
} /* of operands or-ed together */
static inline bool shunt_ends_run(shunt_status status)
{
    return status == SHUNT_NO_MEMORY || status == SHUNT_IO || status == SHUNT_CALLBACK;
}

/* What to return when the arena gave nothing. */
static inline shunt_status shunt_vm_full(const shunt_vm *vm)
{
    return shunt_arena_failed(vm->arena) == SHUNT_ARENA_LIMIT ? SHUNT_LIMIT_UNIT_BYTES : SHUNT_NO_MEMORY;
}

static inline shunt_status shunt_vm_charge(shunt_vm *vm, uint64_t steps)
{
    if (SHUNT_UNLIKELY(steps > vm->left)) return SHUNT_LIMIT_STEPS;
    vm->left -= steps;
    return SHUNT_OK;
}

/* A head, values and a state for each of them, one behind the other: aligned, not zeroed; NULL without memory. */
static inline char *shunt_vm_room(shunt_vm *vm, size_t head_bytes, size_t values)
{
    enum { ALIGN = sizeof(shunt_value) };
    char *at = shunt_arena_bytes(vm->arena, ALIGN - 1 + head_bytes + (sizeof(shunt_value) + 1) * values);
    return at ? at + (-(uintptr_t)at & (ALIGN - 1)) : NULL;
}

/* Texts in a row of registers are an array of texts: a value is as long as a text. */
_Static_assert(sizeof(shunt_text) == sizeof(shunt_value), "see shunt_texts_of");
static inline const shunt_text *shunt_texts_of(const shunt_value *values) { return &values->text; }

/* Room for so many items, none used; NULL without memory. */
shunt_value *shunt_list_new(shunt_vm *vm, uint32_t capacity);
/* A field must be there unless it is optional, and be no longer than it may. */
shunt_status shunt_vm_check_fields(const shunt_vm *vm, uint32_t record, const shunt_value *values, const uint8_t *states);

/* Decimals, ints and days are converted when they are read first and stand beside their text from then on, as words of decimal.h, unless
 * they are too large for that. */
static inline void shunt_vm_keep(shunt_captured *captured, __int128 number)
{
    int64_t most = INT64_MAX / 2;
    if (SHUNT_LIKELY(number <= most && number >= -most)) captured->kept = (uint64_t)number << 1 | 1;
}

/* The number that a captured value is; false: it is missing, or takes a longer look. */
static inline bool shunt_vm_number(shunt_captured *captured, shunt_vm_slot slot, shunt_value *value)
{
    uint64_t kept = captured->kept;
    if (!kept) {
        if (slot.way != SHUNT_WAY_DECIMAL) return false;
        kept = shunt_decimal_parse_word(captured->bytes, captured->length, slot.scale);
        if (SHUNT_UNLIKELY(!kept)) return false;
        captured->kept = kept;
    }
    value->coefficient = shunt_decimal_of_word(kept);
    return true;
}

/* Reads the value of a slot the usual ways; false: it is missing, or takes a longer look. */
static inline bool shunt_vm_read(const shunt_vm *vm, const shunt_node *node, uint16_t index, shunt_value *value)
{
    shunt_vm_slot   slot = vm->slots[index];
    shunt_captured *captured = &node->slots[slot.place];
    if (slot.way != SHUNT_WAY_TEXT) return shunt_vm_number(captured, slot, value);
    value->text = (shunt_text){ captured->bytes, captured->length };
    return captured->length;
}

/* message.c */
shunt_vm_place shunt_vm_place_of(const shunt_vm *vm, uint16_t slot, const shunt_node *node); /* node NULL is fine */
shunt_status   shunt_vm_get(shunt_vm *vm, const shunt_node *node, uint16_t slot, bool required, uint32_t site, shunt_value *value,
                            uint8_t *state);
shunt_status   shunt_vm_children(shunt_vm *vm, const shunt_node *node, uint16_t child, shunt_value *list);
shunt_status   shunt_vm_earliest(shunt_vm *vm, const shunt_node *node, uint16_t earliest, shunt_value *date, uint8_t *state);
/* Tells the host of a fault in the value at this byte of the input, unless it was told already. */
shunt_status   shunt_vm_fault_once(shunt_vm *vm, shunt_status code, uint64_t at, uint16_t slot, uint32_t site,
                                   shunt_vm_place place);
void           shunt_seen_forget(const shunt_memory *memory, shunt_seen *seen);
void           shunt_seen_done(const shunt_memory *memory, shunt_seen *seen);

/* collect.c */
shunt_vm_collectors *shunt_vm_collectors_new(const shunt_vm *vm) SHUNT_MUST_USE; /* freed as one block */
shunt_status         shunt_vm_collect(shunt_vm *vm, const shunt_node *node, uint16_t collect, uint32_t site, shunt_value *list);
/* Of the needed field of those rows. */
shunt_status         shunt_vm_sum(shunt_vm *vm, const shunt_node *node, uint16_t collect, uint32_t site, shunt_decimal *sum);

/* journal.c */
shunt_status shunt_vm_emit(shunt_vm *vm, uint16_t target, uint32_t site, const shunt_value *values, const uint8_t *states);
/* `values`: the registers at c. */
shunt_status shunt_vm_journal(shunt_vm *vm, shunt_instruction i, const shunt_value *values, const uint8_t *states, uint32_t site);
/* `values`: the registers at a; `type`: that of the amount. */
shunt_status shunt_vm_line(shunt_vm *vm, shunt_instruction i, const shunt_value *values, const uint8_t *states, shunt_type type,
                           uint32_t site);
shunt_status shunt_vm_post(shunt_vm *vm, const shunt_value *header, const uint8_t *states, const shunt_value *keys,
                           const uint8_t *key_states, uint32_t key_count);

/* builtin.c: all arguments are present. */
shunt_status shunt_vm_builtin(shunt_vm *vm, uint16_t builtin, const shunt_value *arguments, shunt_type first, shunt_type type,
                              shunt_value *result, uint8_t *state);

/* vm.c: the loop that tells a trace; `execute` of vm_traced.c. */
shunt_status shunt_vm_execute_traced(shunt_vm *vm, uint16_t function, const shunt_node *node, shunt_outcome *outcome);

/* memo.c: results of pure functions. */
struct shunt_memo *shunt_memo_new(const shunt_memory *memory, const shunt_program *program) SHUNT_MUST_USE;
void               shunt_memo_free(struct shunt_memo *memo);
/* For machine code: what looks for the result for these arguments, and puts it behind them where it is remembered; false where it is not.
 * NULL: results of the function are not. */
struct shunt_memo_plan;
typedef bool    shunt_memo_ask(const struct shunt_memo_plan *plan, shunt_value *arguments, uint8_t *states);
shunt_memo_ask *shunt_memo_asks(const struct shunt_memo *memo, uint16_t function, const struct shunt_memo_plan **plan);
/* True: the result for these arguments is remembered, and given. Else what it turns out to be is to be given to shunt_memo_store, with
 * `*entry`, unless that is NULL. */
bool            shunt_memo_find(struct shunt_memo *memo, uint16_t function, const shunt_value *arguments, const uint8_t *states,
                                shunt_value *result, uint8_t *state, struct shunt_memo_entry **entry);
void            shunt_memo_store(struct shunt_memo *memo, struct shunt_memo_entry *entry, uint16_t function, shunt_value value,
                                 uint8_t state);

#endif
