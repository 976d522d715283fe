/* temp.h - unnamed temporary files: readable by nobody else, gone when closed or when the process dies.
 * Fails: IO for everything the system refuses; a short read is IO too, since only what was written is read. */
#ifndef SHUNT_TEMP_H
#define SHUNT_TEMP_H

#include "engine/base/status.h"

/* `directory` NULL: TMPDIR, or /tmp. The caller closes `*file` with `shunt_temp_close`. */
shunt_status shunt_temp_open(const char *directory, int *file);
void         shunt_temp_close(int file); /* a negative one is fine */
shunt_status shunt_temp_write(int file, uint64_t offset, const void *bytes, size_t length);
shunt_status shunt_temp_read(int file, uint64_t offset, void *bytes, size_t length);
shunt_status shunt_temp_shrink(int file); /* to nothing */

#endif
