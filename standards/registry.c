#include "standards/registry.h"

#include "standards/x12/reader.h"

bool shunt_reader_known(shunt_text name, shunt_standard *standard)
{
    if (!shunt_text_is(name, "X12")) return false;
    *standard = SHUNT_STANDARD_X12;
    return true;
}

shunt_reader *shunt_reader_for(shunt_standard standard, const shunt_memory *memory, const shunt_plan *plan)
{
    return standard == SHUNT_STANDARD_X12 ? shunt_x12_reader_new(memory, plan, NULL) : NULL;
}

void shunt_write_trailer(shunt_buffer *out, shunt_scope scope, const shunt_delims *delims, shunt_text control)
{
    shunt_buffer_z(out, scope == SHUNT_SCOPE_BATCH ? "GE" : "IEA");
    shunt_buffer_char(out, (char)delims->element);
    shunt_buffer_char(out, '1');
    shunt_buffer_char(out, (char)delims->element);
    shunt_buffer_text(out, control);
    shunt_buffer_char(out, (char)delims->terminator);
}
