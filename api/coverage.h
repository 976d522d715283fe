/* coverage.h - what tests have reached of the rules, gathered over modules. Implemented in coverage.c; the public part stands in shunt.h. */
#ifndef SHUNT_API_COVERAGE_H
#define SHUNT_API_COVERAGE_H

#include "api/compile.h"

/* Takes note of the places of a compilation that was emitted for coverage, and of how many tests reached each. NO_MEMORY. */
shunt_status shunt_coverage_take(shunt_coverage *coverage, const shunt_compilation *compilation, const uint32_t *reached);

#endif
