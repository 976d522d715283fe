/* vm_traced.c - the interpreter once more, for runs whose values are followed: see trace.h. */
#define SHUNT_VM_TRACED 1
#include "engine/vm/vm.c" /* NOLINT(bugprone-suspicious-include) */
