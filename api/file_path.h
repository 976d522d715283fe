/* file_path.h - paths of modules, tables and projects, by their letters alone: nothing here looks at a disk but shunt_path_absolute, which asks for the
 * folder that relative paths count from.
 * Owns:    nothing; what is given lives in the arena, or in the path it was cut from.
 * Fails:   `bytes` NULL without memory. */
#ifndef SHUNT_API_FILE_PATH_H
#define SHUNT_API_FILE_PATH_H

#include "engine/base/text.h"

/* Up to the last `/`, with it; empty where there is none. */
shunt_text shunt_path_folder(shunt_text path);
shunt_text shunt_path_name(shunt_text path);
/* Without `.` and without the folders that a `..` behind them leaves, so that a file has one name however it is reached. */
shunt_text shunt_path_tidy(shunt_arena *arena, shunt_text path);
/* `path` as a file at `from` means it. */
shunt_text shunt_path_beside(shunt_arena *arena, shunt_text from, shunt_text path);
/* From the root, tidy. */
shunt_text shunt_path_absolute(shunt_arena *arena, shunt_text path);
/* An absolute path as one counts it from the absolute folder `from`, which ends with `/`: "lib/gl.map", "../gl.map". */
shunt_text shunt_path_relative(shunt_arena *arena, shunt_text from, shunt_text path);

#endif
