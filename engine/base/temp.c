#include "engine/base/temp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where O_TMPFILE is not known to the file system: a name for the shortest moment. */
static int open_named(const char *directory)
{
    char path[4096];
    int  length = snprintf(path, sizeof path, "%s/shunt-XXXXXX", directory);
    if (length < 0 || (size_t)length >= sizeof path) return -1;
    int file = mkostemp(path, O_CLOEXEC); /* 0600 */
    if (file >= 0) unlink(path);
    return file;
}

shunt_status shunt_temp_open(const char *directory, int *file)
{
    if (!directory) directory = secure_getenv("TMPDIR");
    if (!directory || !*directory) directory = "/tmp";
    int opened = open(directory, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (opened < 0) opened = open_named(directory);
    if (opened < 0) return SHUNT_IO;
    *file = opened;
    return SHUNT_OK;
}

void shunt_temp_close(int file)
{
    if (file >= 0) close(file);
}

shunt_status shunt_temp_write(int file, uint64_t offset, const void *bytes, size_t length)
{
    const char *at = bytes;
    while (length > 0) {
        ssize_t written = pwrite(file, at, length, (off_t)offset);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return SHUNT_IO;
        at += written, offset += (uint64_t)written, length -= (size_t)written;
    }
    return SHUNT_OK;
}

shunt_status shunt_temp_read(int file, uint64_t offset, void *bytes, size_t length)
{
    char *at = bytes;
    while (length > 0) {
        ssize_t got = pread(file, at, length, (off_t)offset);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return SHUNT_IO;
        at += got, offset += (uint64_t)got, length -= (size_t)got;
    }
    return SHUNT_OK;
}

shunt_status shunt_temp_shrink(int file)
{
    while (ftruncate(file, 0) != 0)
        if (errno != EINTR) return SHUNT_IO;
    return SHUNT_OK;
}
