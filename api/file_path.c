/* file_path.c - paths by their letters. */
#include "api/file_path.h"

#include <limits.h>
#include <unistd.h>

shunt_text shunt_path_folder(shunt_text path)
{
    while (path.length && path.bytes[path.length - 1] != '/') path.length--;
    return path;
}

shunt_text shunt_path_name(shunt_text path)
{
    shunt_text folder = shunt_path_folder(path);
    return (shunt_text){ path.bytes + folder.length, path.length - folder.length };
}

shunt_text shunt_path_tidy(shunt_arena *arena, shunt_text path)
{
    char    *out = shunt_arena_bytes(arena, path.length + 1);
    uint32_t used = 0, floor = 0;
    if (!out) return (shunt_text){ 0 };
    if (path.length && path.bytes[0] == '/') out[used++] = '/', floor = 1;
    for (uint32_t i = 0; i < path.length;) {
        uint32_t end = i;
        while (end < path.length && path.bytes[end] != '/') end++;
        shunt_text part = { path.bytes + i, end - i };
        i = end + 1;
        if (part.length == 0 || shunt_text_is(part, ".")) continue;
        if (shunt_text_is(part, "..") && used > floor) {
            used--;
            while (used > floor && out[used - 1] != '/') used--;
            continue;
        }
        memcpy(out + used, part.bytes, part.length);
        used += part.length;
        if (end < path.length) out[used++] = '/';
        if (shunt_text_is(part, "..")) floor = used;
    }
    return (shunt_text){ out, used };
}

shunt_text shunt_path_beside(shunt_arena *arena, shunt_text from, shunt_text path)
{
    if (path.length && path.bytes[0] == '/') return shunt_path_tidy(arena, path);
    shunt_text joined = shunt_text_format(arena, "%.*s%.*s", SHUNT_TEXT_ARGS(shunt_path_folder(from)), SHUNT_TEXT_ARGS(path));
    return joined.bytes ? shunt_path_tidy(arena, joined) : joined;
}

shunt_text shunt_path_absolute(shunt_arena *arena, shunt_text path)
{
    char here[PATH_MAX];
    if (path.length && path.bytes[0] == '/') return shunt_path_tidy(arena, path);
    if (!getcwd(here, sizeof here)) here[0] = 0; /* the folder is gone: names are as good as any from the root */
    shunt_text joined = shunt_text_format(arena, "%s/%.*s", here, SHUNT_TEXT_ARGS(path));
    if (joined.bytes) joined = shunt_path_tidy(arena, joined);
    /* Above the root there is nothing. */
    while (shunt_text_starts(joined, SHUNT_TEXT("/../"))) joined = (shunt_text){ joined.bytes + 3, joined.length - 3 };
    return joined;
}

shunt_text shunt_path_relative(shunt_arena *arena, shunt_text from, shunt_text path)
{
    uint32_t common = 0, ups = 0;
    for (uint32_t i = 0; i < from.length && i < path.length && from.bytes[i] == path.bytes[i]; i++)
        if (from.bytes[i] == '/') common = i + 1;
    for (uint32_t i = common; i < from.length; i++) ups += from.bytes[i] == '/';
    char *out = shunt_arena_bytes(arena, (size_t)ups * 3 + path.length - common + 1);
    if (!out) return (shunt_text){ 0 };
    for (uint32_t i = 0; i < ups * 3; i++) out[i] = i % 3 == 2 ? '/' : '.';
    memcpy(out + (size_t)ups * 3, path.bytes + common, path.length - common);
    return (shunt_text){ out, ups * 3 + path.length - common };
}
