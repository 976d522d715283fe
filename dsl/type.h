/* type.h - the types of the language: made, compared, joined, and printed in the author's words.
 * Values are passed by pointer and copied; what they point to (code lists, shapes, loops) outlives the compilation.
 * Fails: joining and printing need the arena; NULL or an empty text without memory. */
#ifndef SHUNT_TYPE_H
#define SHUNT_TYPE_H

#include "dsl/fact.h"

static inline shunt_ty shunt_ty_plain(shunt_ty_kind kind) { return (shunt_ty){ .kind = (uint8_t)kind }; }
shunt_ty               shunt_ty_text(uint32_t length, bool literal);
shunt_ty               shunt_ty_decimal(unsigned digits, unsigned scale);
shunt_ty               shunt_ty_money(const char currency[static 4], unsigned scale);
static inline shunt_ty shunt_ty_present(shunt_ty type)
{
    type.optional = type.clearable = false;
    return type;
}
static inline shunt_ty shunt_ty_optional(shunt_ty type)
{
    type.optional = true;
    return type;
}

static inline bool shunt_ty_is_error(const shunt_ty *t) { return t->kind == SHUNT_TY_ERROR || t->kind == SHUNT_TY_NEVER; }
bool               shunt_ty_is_textual(const shunt_ty *type); /* text, code, unit, account, token */
bool               shunt_ty_has_length(const shunt_ty *type); /* how long a text is at most is known; of `""` it is 0 */
bool               shunt_ty_is_number(const shunt_ty *type);  /* int, decimal, percent */
bool               shunt_ty_is_scalar(const shunt_ty *type);  /* what a template, a key or a field can hold as text */
bool               shunt_ty_is_ordered(const shunt_ty *type); /* `<` makes sense */

/* The first reason why a value of `from` cannot stand where `to` is wanted, in the order in which they are reported. */
typedef enum shunt_fit {
    SHUNT_FITS,
    SHUNT_FIT_KIND, /* other kinds of value */
    SHUNT_FIT_CURRENCY,
    SHUNT_FIT_ABSENT, /* may be absent, must not */
    SHUNT_FIT_CLEARED,
    SHUNT_FIT_SCALE,  /* more decimals */
    SHUNT_FIT_LENGTH, /* longer text */
} shunt_fit;
shunt_fit shunt_ty_fit(const shunt_ty *from, const shunt_ty *to);

/* What holds values of both. KIND or CURRENCY where nothing does, FITS otherwise. */
shunt_fit            shunt_ty_join(shunt_arena *arena, const shunt_ty *a, const shunt_ty *b, shunt_ty *joined);
/* FITS where `=` (and `<`, for ordered kinds) can compare them; KIND, CURRENCY. */
shunt_fit            shunt_ty_compare(const shunt_ty *a, const shunt_ty *b);
/* The values of both lists, sorted; complete where both are. NULL without memory. */
const shunt_codeset *shunt_codeset_union(shunt_arena *arena, const shunt_codeset *a, const shunt_codeset *b);

/* "money(USD)", "text(12)?", "a row of routes". Classes are left out. */
shunt_text shunt_ty_name(shunt_arena *arena, const shunt_ty *type);
/* "account_number, identifier"; "none" for 0. */
shunt_text shunt_phi_names(shunt_arena *arena, uint32_t classes);

#endif
