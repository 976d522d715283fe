/* fuzz_program.c - damaged programs: the loader refuses them, or whatever they hold runs safely and ends.
 * The first byte picks a program; the rest is changes of three bytes: place (as a share of its size), value. With the first byte
 * 255 the rest is a whole file. Either way the hash is made good, else nothing behind it would be reached. */
#include <stdlib.h>

#include "engine/base/hash.h"
#include "tests/support/asm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void seal(uint8_t *bytes, size_t size)
{
    uint64_t     length = size;
    shunt_sha256 sha;
    memcpy(bytes + 16, &length, sizeof length);
    shunt_sha256_init(&sha);
    shunt_sha256_add(&sha, bytes, 32);
    shunt_sha256_add(&sha, bytes + 64, size - 64);
    shunt_sha256_finish(&sha, bytes + 32);
}

static void load_and_run(const uint8_t *bytes, size_t size, uint32_t seed)
{
    shunt_program *program;
    char           why[200];
    if (shunt_program_load(&shunt_memory_libc, bytes, size, &program, why) != SHUNT_OK) return;
    asm_run_all(program, seed, 3000);
    shunt_buffer again; /* what was taken is saved as it came */
    shunt_buffer_init(&again, &shunt_memory_libc);
    if (shunt_program_save(program, &again) != SHUNT_OK) abort();
    shunt_program *second;
    if (shunt_program_load(&shunt_memory_libc, (const uint8_t *)again.bytes, again.length, &second, why) != SHUNT_OK) abort();
    if (memcmp(program->code_hash, second->code_hash, 32) != 0 && again.length == size && memcmp(again.bytes, bytes, size) == 0)
        abort();
    shunt_program_free(second);
    shunt_buffer_done(&again);
    shunt_program_free(program);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    shunt_buffer file;
    shunt_buffer_init(&file, &shunt_memory_libc);
    if (data[0] == 255) {
        if (size < 65) return 0;
        shunt_buffer_add(&file, data + 1, size - 1);
        if (file.failed) abort();
    } else {
        asm_save(asm_samples[data[0] % asm_sample_count], &file);
        for (size_t i = 1; i + 3 <= size; i += 3) {
            size_t at = 64 + ((size_t)data[i] << 8 | data[i + 1]) * (file.length - 64) / 65536;
            file.bytes[at] = (char)(file.bytes[at] ^ data[i + 2]);
        }
    }
    seal((uint8_t *)file.bytes, file.length);
    load_and_run((const uint8_t *)file.bytes, file.length, (uint32_t)size * 2654435761u + data[0]);
    shunt_buffer_done(&file);
    return 0;
}
