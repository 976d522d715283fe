/* owner.h - what a loaded program holds beside its sections. For the files of engine/vm that load and run programs.
 * Owns: nothing here; program.c makes and frees it. */
#ifndef SHUNT_OWNER_H
#define SHUNT_OWNER_H

#include "engine/vm/program.h"
#include "engine/vm/verify.h"

struct shunt_program_owner {
    shunt_memory         memory;                  /* a copy: the maker's may be gone long before */
    const shunt_program *base;                    /* of a copy with another table: what it shares; else NULL */
    uint32_t             own_table;               /* the table that a copy replaces */
    const shunt_value   *constants;               /* ready for a register: texts resolved */
    const char          *texts_begin, *texts_end; /* bytes that live as long as the program */
    const char          *table_texts_begin, *table_texts_end;
    shunt_bounds         bounds;
    const shunt_program *written; /* the program itself */
    const shunt_program *runs;    /* the same with better code (optimise.h), for VMs that are not traced */
    void                *code;    /* which the program owns; NULL: its base does */
};

static inline const struct shunt_program_owner *shunt_program_owner_of(const shunt_program *program)
{
    return (const struct shunt_program_owner *)program->owner;
}

/* True where the bytes belong to the program itself and so outlive every run. */
bool shunt_program_holds_text(const shunt_program *program, shunt_text text);
bool shunt_program_holds_row(const shunt_program *program, const struct shunt_row *row);

#endif
