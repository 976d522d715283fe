/* definitions.h - what shunt_definitions is behind the public interface. */
#ifndef SHUNT_API_DEFINITIONS_H
#define SHUNT_API_DEFINITIONS_H

#include "api/api.h"
#include "standards/definition.h"

struct shunt_definitions {
    shunt_memory         memory;
    shunt_arena         *arena;
    shunt_definition_set set;
};

/* NULL for none. */
const shunt_definition_set *shunt_definitions_set(const shunt_definitions *definitions);

#endif
