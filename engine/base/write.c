#include "engine/base/write.h"

void shunt_write_segment(shunt_segment_writer *w, shunt_text id)
{
    shunt_buffer_text(w->out, id);
    w->elements = w->repetitions = w->components = w->subcomponents = 0;
}

static bool put_owed(shunt_buffer *out, uint8_t separator, uint32_t *owed)
{
    if (*owed && !separator) return false;
    for (; *owed; --*owed) shunt_buffer_char(out, (char)separator);
    return true;
}

static shunt_status put_separators(shunt_segment_writer *w)
{
    bool fine = put_owed(w->out, w->delims.element, &w->elements) && put_owed(w->out, w->delims.repetition, &w->repetitions) &&
                put_owed(w->out, w->delims.component, &w->components) &&
                put_owed(w->out, w->delims.subcomponent, &w->subcomponents);
    return fine ? SHUNT_OK : SHUNT_NOT_WRITABLE;
}

/* The letter that HL7 escapes it by; 'X': by its hexadecimal digits; 0: it stands for itself. */
static char escape_of(const shunt_delims *d, uint8_t byte)
{
    if (byte < ' ' || byte == 0x7f) return 'X';
    if (byte == d->element) return 'F';
    if (byte == d->component) return 'S';
    if (byte == d->subcomponent) return 'T';
    if (byte == d->repetition) return 'R';
    if (byte == d->escape) return 'E';
    return byte == d->terminator || (byte == d->truncation && d->truncation) ? 'X' : 0;
}

static void put_escaped(shunt_segment_writer *w, char letter, uint8_t byte)
{
    char mark = (char)w->delims.escape;
    shunt_buffer_char(w->out, mark);
    if (letter == 'X')
        shunt_buffer_format(w->out, "X%02X", byte);
    else
        shunt_buffer_char(w->out, letter);
    shunt_buffer_char(w->out, mark);
}

shunt_status shunt_write_text(shunt_segment_writer *w, shunt_text value)
{
    if (!value.length) return SHUNT_OK;
    if (w->in_data == SHUNT_DATA_REFUSE)
        for (uint32_t i = 0; i < value.length; i++)
            if (escape_of(&w->delims, (uint8_t)value.bytes[i])) return SHUNT_NOT_WRITABLE;
    if (put_separators(w) != SHUNT_OK) return SHUNT_NOT_WRITABLE;
    if (w->in_data == SHUNT_DATA_ESCAPE && shunt_text_is(value, "\"\"")) { /* as it stands it would delete the value */
        put_escaped(w, 'X', '"');
        put_escaped(w, 'X', '"');
        return SHUNT_OK;
    }
    for (uint32_t i = 0; i < value.length; i++) {
        uint8_t byte = (uint8_t)value.bytes[i];
        char    letter = escape_of(&w->delims, byte);
        if (!letter)
            shunt_buffer_char(w->out, value.bytes[i]);
        else if (w->in_data == SHUNT_DATA_ESCAPE)
            put_escaped(w, letter, byte);
        else
            shunt_buffer_char(w->out, ' ');
    }
    return SHUNT_OK;
}

shunt_status shunt_write_null(shunt_segment_writer *w)
{
    SHUNT_TRY(put_separators(w));
    shunt_buffer_z(w->out, "\"\"");
    return SHUNT_OK;
}

void shunt_write_end(shunt_segment_writer *w)
{
    shunt_buffer_char(w->out, (char)w->delims.terminator);
    shunt_buffer_text(w->out, w->line);
    w->segments++;
}

/* ---- ISA ---- */

static shunt_status put_padded(shunt_segment_writer *w, shunt_text value, uint32_t width)
{
    if (value.length > width) value.length = width;
    shunt_write_element(w);
    SHUNT_TRY(shunt_write_text(w, value));
    SHUNT_TRY(put_separators(w));
    for (uint32_t i = value.length; i < width; i++) shunt_buffer_char(w->out, ' ');
    return SHUNT_OK;
}

/* The separators stand in ISA11 and ISA16 as themselves. */
static void put_mark(shunt_segment_writer *w, uint8_t mark)
{
    shunt_write_element(w);
    (void)put_separators(w);
    shunt_buffer_char(w->out, (char)mark);
}

/* A separator of repetitions for one who has none: a mark that separates nothing else. */
static uint8_t unused_mark(const shunt_delims *d)
{
    for (const char *mark = "^!{|+"; *mark; mark++)
        if ((uint8_t)*mark != d->element && (uint8_t)*mark != d->component && (uint8_t)*mark != d->terminator)
            return (uint8_t)*mark;
    return '^';
}

shunt_status shunt_write_isa(shunt_segment_writer *w, const shunt_isa *isa)
{
    const shunt_text none = { 0 };
    bool             repeats = strcmp(isa->version, "00402") >= 0;
    shunt_write_segment(w, SHUNT_TEXT("ISA"));
    SHUNT_TRY(put_padded(w, SHUNT_TEXT("00"), 2));
    SHUNT_TRY(put_padded(w, none, 10));
    SHUNT_TRY(put_padded(w, SHUNT_TEXT("00"), 2));
    SHUNT_TRY(put_padded(w, none, 10));
    SHUNT_TRY(put_padded(w, isa->sender_qualifier, 2));
    SHUNT_TRY(put_padded(w, isa->sender, 15));
    SHUNT_TRY(put_padded(w, isa->receiver_qualifier, 2));
    SHUNT_TRY(put_padded(w, isa->receiver, 15));
    SHUNT_TRY(put_padded(w, shunt_text_of(isa->date), 6));
    SHUNT_TRY(put_padded(w, shunt_text_of(isa->time), 4));
    put_mark(w, !repeats ? 'U' : w->delims.repetition ? w->delims.repetition : unused_mark(&w->delims));
    SHUNT_TRY(put_padded(w, shunt_text_of(isa->version), 5));
    shunt_write_element(w);
    (void)put_separators(w);
    shunt_buffer_format(w->out, "%09u", isa->control % 1000000000u);
    SHUNT_TRY(put_padded(w, (shunt_text){ &isa->acknowledge, 1 }, 1));
    SHUNT_TRY(put_padded(w, (shunt_text){ &isa->usage, 1 }, 1));
    put_mark(w, w->delims.component);
    shunt_write_end(w);
    return SHUNT_OK;
}
