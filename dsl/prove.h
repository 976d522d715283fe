/* prove.h - what the files of the proof of balance share. Private to dsl/prove*.c; check.c calls shunt_prove.
 * Values of the rules become terms: pure expressions of what a message holds, with `let`s and functions written out, each made once,
 * so that two that are the same pointer are always the same value. What a `check`, an exit or an arm says before a journal is kept as
 * what holds; the sum of its lines must then be nothing, case by case (prove_solve.c).
 * Owns:    an arena of its own, for one handler at a time.
 * Fails:   without memory, or where the rules are too large to look through, by a jump back to shunt_prove. */
#ifndef SHUNT_PROVE_H
#define SHUNT_PROVE_H

#include "dsl/check.h"

typedef enum term_op {
    TERM_ONE,    /* what a constant is a multiple of */
    TERM_NUMBER, /* int, decimal, money: `number` of `scale` decimals, without zeros at its end */
    TERM_TEXT,
    TERM_MEMBER, /* of the enum `of` */
    TERM_DAY,
    TERM_TRUE,
    TERM_FALSE,
    TERM_NEVER,    /* an exit stands there */
    TERM_VARIABLE, /* an item of the list below it */
    TERM_OPAQUE,   /* equal where `of`, `key` and what is below it are */
    TERM_ABSENT,
    TERM_FILTER, /* list, variable, condition */
    TERM_EACH,   /* variable, condition, value: an opaque way to make one value of a list */
    TERM_SUM,    /* variable, condition, value */
    TERM_ADD,
    TERM_NEGATE,
    TERM_MULTIPLY,
    TERM_IF,      /* condition, value, other value */
    TERM_EQUAL,   /* a constant stands on the right */
    TERM_GREATER, /* of numbers */
    TERM_NOT,     /* of one that is none of these */
    TERM_AND,
    TERM_OR,
    TERM_ALL, /* conditions that all hold; variables from the outer to the inner */
} term_op;

typedef unsigned __int128 variables;
enum {
    VARIABLES_AT_MOST = 127,
    TERMS_AT_MOST = 200000,
    DEPTH_AT_MOST = 1500,     /* of a term */
    STEPS_AT_MOST = 4000000,  /* of all proofs of a handler */
    TOTAL_AT_MOST = 20000000, /* of a compilation: what comes then is not looked through */
    LEVELS_AT_MOST = 2000,    /* of an expression, with what it calls */
};

typedef struct term {
    uint8_t                   op, scale;
    bool                      numeric;   /* EQUAL: of numbers or amounts */
    bool                      with_base; /* OPAQUE: absent only where the row that it is a field of is */
    bool                      present;   /* OPAQUE: never absent; of one `with_base` it is its base that says so */
    uint8_t                   variable;  /* VARIABLE: its number, from 1; no part of what it is */
    uint16_t                  depth;
    uint32_t                  id, count;
    const struct term *const *kids;
    const void               *of;
    shunt_text                key;
    __int128                  number;
    variables                 free;
    const shunt_ast          *node;     /* where it was met first */
    const shunt_path         *path;     /* OPAQUE: that of a path */
    const struct term        *opposite; /* of a condition, once it was asked for */
    struct term              *next;     /* in its bucket */
    uint64_t                  hash;
    uint32_t                  stamp; /* of the case in which it was last looked at */
    uint8_t                   truth;
} term;

/* What holds where a journal is written: for all items of `binders`, where `guard` is true. */
typedef struct holding {
    const term      *binders, *guard, *body;
    const shunt_ast *node; /* CHECK, EXIT ..., for the explanation */
    const shunt_ast *step; /* around it, NULL = none */
} holding;

typedef struct around { /* what stands around the place at hand */
    const term *variable, *guard;
} around;

typedef struct leg { /* a line of the journal at hand */
    const shunt_ast *line;
    const term      *binders, *guard, *amount;
    const term      *within; /* value of the column that it must balance within */
    char             currency[4];
    bool             debit;
} leg;

typedef struct named { /* a `let` that holds an amount */
    shunt_text  name;
    const term *value;
    uint32_t    depth; /* of `around` where it was made */
} named;

typedef struct blob { /* what an opaque term is told by */
    char     bytes[1500];
    uint32_t length;
    bool     full;
} blob;

typedef struct prover {
    check       *k;
    blob         blob; /* at work: nothing below is made meanwhile */
    shunt_arena *arena;
    jmp_buf      out;
    term       **buckets;
    uint32_t     bucket_count, term_count, variable_count, fresh, run, calls, depth, stamp;
    uint64_t     steps, total;
    const term  *one, *yes, *no, *never;
    SHUNT_LIST(around) around;
    SHUNT_LIST(holding) holdings;
    SHUNT_LIST(leg) legs;
    SHUNT_LIST(named) names;
    const shunt_ast *place, *step; /* of what is noted as holding */
    struct solver   *solver;       /* made once */
} prover;

enum { OUT_OF_MEMORY = 1, OUT_OF_STEPS = 2 }; /* what prover.out is told */

/* ---- terms (prove_term.c) ---- */
void        term_start(prover *p);
void        prove_step(prover *p); /* jumps out after too many */
void       *prove_need(prover *p, void *block) __attribute__((returns_nonnull));
const term *term_new(prover *p, term_op op, const term *const *kids, uint32_t count);
const term *term_number(prover *p, __int128 number, unsigned scale);
const term *term_not(prover *p, const term *a);
const term *term_and(prover *p, const term *a, const term *b);
const term *term_or(prover *p, const term *a, const term *b);
/* The conditions of `guard`, an ALL, and one more, taken apart; sorted, each once. */
const term *guard_with(prover *p, const term *guard, const term *condition);
const term *binders_with(prover *p, const term *outer, const term *binders); /* `outer`: one variable, or ALL of them */
bool        term_is_constant(const term *t);
const term *term_equal_zero(prover *p, const term *a);
/* The value of an expression at the place at hand. */
const term *term_of(prover *p, shunt_ast *node);
/* What a pattern says of the subject. */
const term *term_of_patterns(prover *p, const term *subject, const shunt_ast *subject_node, shunt_ast *patterns);
void        bind_symbol(prover *p, const shunt_symbol *symbol, const term *value);
/* Into `for each x in list where ...`, and out again: what was found to hold inside holds for each item. */
void        enter_items(prover *p, shunt_ast *each);
void        enter_guard(prover *p, const term *guard);
void        leave_around(prover *p, uint32_t depth, uint32_t holdings);
void        note_holding(prover *p, const term *condition);

/* ---- cases (prove_solve.c) ---- */
typedef struct ratio {
    __int128 n, d;
} ratio;
typedef struct literal { /* a condition of a case */
    const term *atom;
    bool        truth;
} literal;
typedef struct remainder_part { /* so many times a value, summed over items of which the conditions hold */
    ratio          times;
    const term    *binders, *value;
    const literal *cell;
    const named   *name;              /* a `let` that is just this */
    uint32_t       cell_count, cells; /* `cells`: how many the value has in all */
} remainder_part;

typedef enum proof_end { PROOF_EQUAL, PROOF_DIFFERS, PROOF_OPEN, PROOF_TOO_LARGE } proof_end;
typedef struct proof {
    proof_end             end;
    uint64_t              used; /* of `facts`, as bits */
    const holding        *facts[64];
    uint32_t              fact_count;
    const remainder_part *parts; /* debits less credits, what holds taken into account */
    uint32_t              part_count;
    const literal        *conditions; /* in this case */
    uint32_t              condition_count;
    const named          *name; /* a `let` that is what is left, */
    bool                  name_negative;
} proof;
/* Whether the sum of these lines is nothing. `plain`: by itself, whatever holds. */
void prove_legs(prover *p, const leg *const *legs, uint32_t count, bool plain, proof *result);

/* ---- what is said of it (prove_tell.c) ---- */
void tell_proof(prover *p, shunt_ast *journal, const leg *const *legs, uint32_t count, const proof *result, shunt_text within);
/* W0502, where what is left of the other lines is more than roundings. */
void tell_remainder(prover *p, const shunt_ast *line, const char *currency, const proof *result);

#endif
