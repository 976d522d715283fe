/* tree_text.h - what a capture makes of an input, as text without places: units as they are complete, then the rest of the transaction,
 * then how often each fault was met. Two inputs that say the same in another order of properties, or in another format, give the same text. */
#ifndef SHUNT_TREE_TEXT_H
#define SHUNT_TREE_TEXT_H

#include "engine/base/plan.h"

/* Takes the reader (not NULL) to the end and frees it. The caller frees the text. */
char *tree_text(shunt_reader *reader, const shunt_plan *plan, const void *bytes, size_t size);

#endif
