/* program.c - loading, saving and showing programs. */
#include "api/api.h"
#include "engine/base/hash.h"

shunt_result shunt_load(const void *bytes, size_t size, const shunt_allocator *allocator, shunt_program **program,
                        shunt_messages **messages)
{
    shunt_memory memory = shunt_api_memory(allocator);
    char         why[200] = "";
    *program = NULL;
    if (messages) *messages = NULL;
    shunt_status status = shunt_program_load(&memory, bytes, size, program, why);
    if (status == SHUNT_OK) return SHUNT_DONE;
    if (messages && status != SHUNT_NO_MEMORY && (*messages = shunt_messages_new(&memory)) != NULL)
        shunt_messages_say(*messages, SHUNT_ERROR, shunt_status_info[status].code, "this program can not be run: %s", why);
    return shunt_result_of(status);
}

shunt_result shunt_save(const shunt_program *program, shunt_write write, void *context)
{
    shunt_buffer out;
    shunt_buffer_init(&out, &shunt_memory_libc);
    shunt_status status = shunt_program_save(program, &out);
    shunt_result result = shunt_result_of(status);
    if (result == SHUNT_DONE && !write(context, out.bytes, out.length)) result = SHUNT_SYSTEM_FAULT;
    shunt_buffer_done(&out);
    return result;
}

void shunt_release(shunt_program *program) { shunt_program_free(program); }

void shunt_program_id(const shunt_program *program, char hex[65])
{
    shunt_hex(program->hash, sizeof program->hash, hex);
    hex[64] = 0;
}

shunt_result shunt_disassemble(const shunt_program *program, bool with_places, shunt_write write, void *context)
{
    shunt_buffer out;
    shunt_buffer_init(&out, &shunt_memory_libc);
    shunt_program_disassemble(program, with_places, &out);
    shunt_result result = !out.failed && write(context, out.bytes, out.length) ? SHUNT_DONE : SHUNT_SYSTEM_FAULT;
    shunt_buffer_done(&out);
    return result;
}
