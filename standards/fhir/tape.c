#include "standards/fhir/token.h"

void shunt_tape_init(shunt_tape *tape, const shunt_memory *memory) { *tape = (shunt_tape){ .memory = memory }; }

void shunt_tape_done(shunt_tape *tape)
{
    if (tape->memory) shunt_memory_free(tape->memory, tape->bytes);
    *tape = (shunt_tape){ .memory = tape->memory };
}

/* Op and kind in one byte, then as the op needs: numbers at the width they have, the text behind its length. */
struct head {
    uint8_t  op;
    uint8_t  kind;
    uint16_t beside;
    uint32_t text;
    uint32_t length;
    uint64_t at;
    uint64_t begin;
};

/* How many bytes of the head an op needs. */
static size_t head_size(uint8_t op)
{
    switch (op) {
    case SHUNT_TOKEN_KEY: return offsetof(struct head, length);
    case SHUNT_TOKEN_VALUE: return offsetof(struct head, begin);
    case SHUNT_TOKEN_OBJECT:
    case SHUNT_TOKEN_OBJECT_END: return offsetof(struct head, begin);
    case SHUNT_TOKEN_ELEMENT: return sizeof(struct head);
    default: return offsetof(struct head, text);
    }
}

bool shunt_tape_add(shunt_tape *tape, const shunt_token *token)
{
    size_t      head = head_size(token->op), more = head + token->text.length;
    const char *text = token->text.bytes;
    if (more > tape->capacity - tape->size) {
        uintptr_t within = (uintptr_t)text - (uintptr_t)tape->bytes; /* a token of the tape itself moves with it */
        size_t    capacity = tape->capacity + tape->capacity / 2 + more + 1024;
        void     *bytes = shunt_memory_resize(tape->memory, tape->bytes, capacity);
        if (!bytes) return false;
        tape->bytes = bytes;
        tape->capacity = capacity;
        if (text && within < tape->size) text = (const char *)tape->bytes + within;
    }
    struct head h = { .op = token->op,
                      .kind = token->kind,
                      .text = token->text.length,
                      .length = token->length,
                      .at = token->at,
                      .begin = token->begin };
    memcpy(tape->bytes + tape->size, &h, head);
    if (text && token->text.length) memcpy(tape->bytes + tape->size + head, text, token->text.length);
    tape->size += more;
    return true;
}

uint64_t shunt_tape_end(const shunt_tape *tape) { return tape->first + tape->size; }

void shunt_tape_drop(shunt_tape *tape, uint64_t until)
{
    enum { SMALL = 256 * 1024 }; /* what lies idle at the front before it is worth a move */
    size_t idle = (size_t)(until - tape->first);
    if (idle == tape->size || idle >= SMALL + (tape->size - idle) / 4) {
        if (idle < tape->size) memmove(tape->bytes, tape->bytes + idle, tape->size - idle);
        tape->size -= idle;
        tape->first = until;
    }
}

void shunt_tape_cut(shunt_tape *tape, uint64_t from) { tape->size = (size_t)(from - tape->first); }

bool shunt_tape_next(const shunt_tape *tape, uint64_t *offset, uint64_t end, shunt_token *token)
{
    if (*offset >= end || *offset >= tape->first + tape->size) return false;
    const uint8_t *at = tape->bytes + (*offset - tape->first);
    struct head    h = { 0 };
    size_t         head = head_size(at[0]);
    memcpy(&h, at, head);
    *token = (shunt_token){
        .op = h.op, .kind = h.kind, .length = h.length, .at = h.at, .begin = h.begin, .text = { (const char *)at + head, h.text }
    };
    *offset += head + h.text;
    return true;
}
