#include "dsl/scope.h"

enum { FIRST_BUCKETS = 64 };

void shunt_scope_enter(shunt_scope *scope) { scope->depth++; }

void shunt_scope_leave(shunt_scope *scope)
{
    for (; scope->last && scope->last->depth == scope->depth; scope->last = scope->last->before) {
        shunt_binding *gone = scope->last;
        scope->buckets[gone->hash & (scope->bucket_count - 1)] = gone->next; /* innermost stands first in its bucket */
        scope->count--;
    }
    scope->depth--;
}

/* Into the front of its bucket. From the oldest on, so that the order within a bucket stays. */
static void rehash(shunt_scope *scope, shunt_binding *binding)
{
    shunt_binding *reversed = NULL;
    for (shunt_binding *b = binding; b; b = b->before) {
        b->next = reversed;
        reversed = b;
    }
    while (reversed) {
        shunt_binding *next = reversed->next, **bucket = &scope->buckets[reversed->hash & (scope->bucket_count - 1)];
        reversed->next = *bucket;
        *bucket = reversed;
        reversed = next;
    }
}

static bool grow(shunt_scope *scope)
{
    uint32_t        count = scope->bucket_count ? scope->bucket_count * 2 : FIRST_BUCKETS;
    shunt_binding **buckets = SHUNT_NEW_N(scope->arena, shunt_binding *, count);
    if (!buckets) return false;
    scope->buckets = buckets;
    scope->bucket_count = count;
    rehash(scope, scope->last);
    return true;
}

bool shunt_scope_add(shunt_scope *scope, shunt_text name, shunt_symbol *symbol)
{
    if (scope->count >= scope->bucket_count && !grow(scope)) return false;
    shunt_binding *binding = SHUNT_NEW(scope->arena, shunt_binding);
    if (!binding) return false;
    uint32_t        hash = (uint32_t)shunt_text_hash(name);
    shunt_binding **bucket = &scope->buckets[hash & (scope->bucket_count - 1)];
    *binding = (shunt_binding){ name, symbol, *bucket, scope->last, hash, scope->depth };
    *bucket = binding;
    scope->last = binding;
    scope->count++;
    return true;
}

shunt_symbol *shunt_scope_find(const shunt_scope *scope, shunt_text name)
{
    if (!scope->bucket_count) return NULL;
    uint32_t hash = (uint32_t)shunt_text_hash(name);
    for (const shunt_binding *b = scope->buckets[hash & (scope->bucket_count - 1)]; b; b = b->next)
        if (b->hash == hash && shunt_text_equal(b->name, name)) return b->symbol;
    return NULL;
}
