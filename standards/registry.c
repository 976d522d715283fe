#include "standards/registry.h"

#include "standards/csv/reader.h"
#include "standards/x12/reader.h"

bool shunt_reader_known(shunt_text name, shunt_standard *standard)
{
    static const struct {
        const char    *name;
        shunt_standard standard;
    } readers[] = { { "X12", SHUNT_STANDARD_X12 }, { "CSV", SHUNT_STANDARD_CSV }, { "FIXED", SHUNT_STANDARD_FIXED } };
    for (size_t i = 0; i < SHUNT_COUNT(readers); i++) {
        if (!shunt_text_is(name, readers[i].name)) continue;
        *standard = readers[i].standard;
        return true;
    }
    return false;
}

shunt_reader *shunt_reader_for(shunt_standard standard, const shunt_memory *memory, const shunt_plan *plan)
{
    switch (standard) {
    case SHUNT_STANDARD_X12: return shunt_x12_reader_new(memory, plan, NULL);
    case SHUNT_STANDARD_CSV:
    case SHUNT_STANDARD_FIXED: return shunt_csv_reader_new(memory, plan, (uint16_t)standard, NULL);
    default: return NULL;
    }
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
