#include "engine/vm/encode.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- characters ---- */

bool shunt_charset_find(shunt_text name, shunt_charset *charset)
{
    static const char *const names[] = { [SHUNT_UTF8] = "UTF-8", [SHUNT_ASCII] = "US-ASCII", [SHUNT_LATIN1] = "ISO-8859-1" };
    for (size_t i = 0; i < SHUNT_COUNT(names); i++)
        if (shunt_text_is(name, names[i])) {
            *charset = (shunt_charset)i;
            return true;
        }
    return false;
}

uint32_t shunt_character(const char *at, size_t size, size_t *length)
{
    const uint8_t *b = (const uint8_t *)at;
    size_t         wanted = b[0] < 0x80 ? 1 : b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : 4;
    *length = 1;
    if (wanted == 1) return b[0];
    if (wanted > size || shunt_utf8_bad(at, wanted) < wanted) return 0xfffd;
    *length = wanted;
    uint32_t character = b[0] & (0x7fu >> wanted);
    for (size_t i = 1; i < wanted; i++) character = character << 6 | (b[i] & 0x3f);
    return character;
}

shunt_status shunt_put_character(shunt_buffer *out, shunt_charset charset, uint32_t c)
{
    static const uint32_t beyond[] = { [SHUNT_UTF8] = 0x110000, [SHUNT_ASCII] = 0x80, [SHUNT_LATIN1] = 0x100 };
    if (c >= beyond[charset]) return SHUNT_NOT_WRITABLE;
    if (c < 0x80 || charset == SHUNT_LATIN1) {
        shunt_buffer_char(out, (char)(uint8_t)c);
        return SHUNT_OK;
    }
    static const uint8_t leads[] = { 0, 0xc0, 0xe0, 0xf0 };
    char                 bytes[4];
    unsigned             more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    for (unsigned i = more; i > 0; i--, c >>= 6) bytes[i] = (char)(uint8_t)(0x80 | (c & 0x3f));
    bytes[0] = (char)(uint8_t)(leads[more] | c);
    shunt_buffer_add(out, bytes, more + 1);
    return SHUNT_OK;
}

bool shunt_is_control(uint32_t c) { return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029; }

/* ---- parts ---- */

static bool give_text(shunt_text text, shunt_type *type, shunt_value *value)
{
    *type = (shunt_type){ .kind = SHUNT_KIND_TEXT };
    value->text = text;
    return true;
}

bool shunt_part_get(const shunt_program *p, const shunt_part *part, const shunt_record *r, const shunt_line *line,
                    shunt_type *type, shunt_value *value)
{
    uint16_t field = part->field;
    if (field < SHUNT_COLUMN_LINE) {
        if (r->states[field] != SHUNT_PRESENT) return false;
        *value = r->fields[field];
    } else if (field < SHUNT_COLUMN_CURRENCY) {
        field -= SHUNT_COLUMN_LINE;
        if (line->states[field] != SHUNT_PRESENT) return false;
        *value = line->columns[field];
    } else if (field == SHUNT_COLUMN_AMOUNT) {
        *type = line->type;
        value->coefficient = line->amount;
        return true;
    } else {
        return give_text(field == SHUNT_COLUMN_ACCOUNT ? line->account
                         : field == SHUNT_COLUMN_SIDE  ? (line->credit ? SHUNT_TEXT("credit") : SHUNT_TEXT("debit"))
                                                       : shunt_program_text(p, line->type.extra),
                         type, value);
    }
    if (part->currency) return give_text(shunt_program_text(p, part->currency), type, value);
    *type = part->type;
    return true;
}

/* ---- faults ---- */

static void say(const shunt_former *f, uint32_t column, uint32_t setting, const char *format, va_list args)
{
    f->fault->column = column;
    f->fault->setting = setting;
    vsnprintf(f->fault->text, sizeof f->fault->text, format, args);
}

shunt_status shunt_form_fault(const shunt_former *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(f, UINT32_MAX, UINT32_MAX, format, args);
    va_end(args);
    return SHUNT_USAGE;
}

static void say_setting(const shunt_former *f, uint32_t number, const char *format, ...) SHUNT_PRINTF(3, 4);
static void say_setting(const shunt_former *f, uint32_t number, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(f, UINT32_MAX, number, format, args);
    va_end(args);
}

shunt_status shunt_setting_fault(const shunt_former *f, const shunt_setting *setting, const char *must)
{
    say_setting(f, setting->number, "`%s` must be %s", setting->name, must);
    return SHUNT_USAGE;
}

shunt_status shunt_part_fault(const shunt_former *f, const shunt_part *part, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(f, part->number, UINT32_MAX, format, args);
    va_end(args);
    return SHUNT_USAGE;
}

/* ---- settings ---- */

shunt_status shunt_form_settings(const shunt_former *f, shunt_setting *settings, size_t count)
{
    const shunt_program  *p = f->e->program;
    const shunt_encoding *encoding = f->encoding;
    for (size_t s = 0; s < count; s++) settings[s].number = UINT32_MAX;
    for (uint32_t i = 0; i < encoding->setting_count; i++) {
        shunt_text     name = shunt_program_text(p, p->numbers[encoding->setting_first + 2 * i]);
        shunt_setting *found = NULL;
        for (size_t s = 0; s < count && !found; s++)
            if (shunt_text_is(name, settings[s].name)) found = &settings[s];
        if (!found || found->number != UINT32_MAX) {
            say_setting(f, i, found ? "`%.*s` is set twice" : "there is no setting `%.*s`",
                        (int)(name.length < 40 ? name.length : 40), name.bytes);
            return SHUNT_USAGE;
        }
        found->value = shunt_program_text(p, p->numbers[encoding->setting_first + 2 * i + 1]);
        found->number = i;
    }
    return SHUNT_OK;
}

/* ---- which parts ---- */

static shunt_type type_of(const shunt_former *f, uint16_t field)
{
    const shunt_program *p = f->e->program;
    if (field >= SHUNT_COLUMN_CURRENCY)
        return (shunt_type){ .kind = field == SHUNT_COLUMN_AMOUNT ? SHUNT_KIND_DECIMAL : SHUNT_KIND_TEXT };
    if (field < SHUNT_COLUMN_LINE) return p->fields[p->records[f->target->record].field_first + field].type;
    return p->fields[p->records[f->target->line].field_first + (field - SHUNT_COLUMN_LINE)].type;
}

static shunt_text name_of(const shunt_former *f, uint16_t field)
{
    const shunt_program *p = f->e->program;
    switch (field) {
    case SHUNT_COLUMN_ACCOUNT: return SHUNT_TEXT("account");
    case SHUNT_COLUMN_SIDE: return SHUNT_TEXT("side");
    case SHUNT_COLUMN_AMOUNT: return SHUNT_TEXT("amount");
    case SHUNT_COLUMN_CURRENCY: return SHUNT_TEXT("currency");
    default: break;
    }
    uint32_t first = field < SHUNT_COLUMN_LINE ? p->records[f->target->record].field_first
                                               : p->records[f->target->line].field_first - SHUNT_COLUMN_LINE;
    return shunt_program_text(p, p->fields[first + field].name);
}

static void add(const shunt_former *f, shunt_parts *parts, uint16_t field, uint32_t number, shunt_text name)
{
    parts->items[parts->count++] = (shunt_part){ .field = field, .number = number, .type = type_of(f, field), .name = name };
}

static shunt_status listed_parts(const shunt_former *f, shunt_parts *parts)
{
    const shunt_program *p = f->e->program;
    if (f->encoding->column_count > SHUNT_FORM_COLUMNS)
        return shunt_form_fault(f, "an encoding has at most %d columns", SHUNT_FORM_COLUMNS);
    parts->items = SHUNT_NEW_N(f->e->arena, shunt_part, f->encoding->column_count);
    if (!parts->items) return SHUNT_NO_MEMORY;
    parts->listed = true;
    for (uint32_t i = 0; i < f->encoding->column_count; i++) {
        const shunt_encoding_column *c = &p->encoding_columns[f->encoding->column_first + i];
        add(f, parts, c->field, i, c->name == SHUNT_NONE ? name_of(f, c->field) : shunt_program_text(p, c->name));
    }
    return SHUNT_OK;
}

/* The currency of all money among the fields; 0 = there is none, SHUNT_NONE = several. */
static uint16_t one_currency(const shunt_program *p, uint16_t record)
{
    uint16_t one = 0;
    for (uint32_t i = 0; i < p->records[record].field_count; i++) {
        shunt_type type = p->fields[p->records[record].field_first + i].type;
        if (shunt_is_money(type)) one = !one || one == type.extra ? type.extra : SHUNT_NONE;
    }
    return one;
}

/* A field, and where it is money and currencies are wanted, its currency behind it. */
static bool add_field(const shunt_former *f, shunt_parts *parts, uint16_t field, bool currencies, bool *said)
{
    shunt_text name = name_of(f, field);
    add(f, parts, field, UINT32_MAX, name);
    const shunt_part *value = &parts->items[parts->count - 1];
    if (!currencies || !shunt_is_money(value->type) || (said && *said)) return true;
    shunt_text beside = SHUNT_TEXT("currency");
    if (said) {
        *said = true;
    } else {
        shunt_put(f->scratch, name);
        shunt_buffer_z(f->scratch, "_currency");
        beside = shunt_form_keep(f);
    }
    uint16_t currency = value->type.extra;
    add(f, parts, field, UINT32_MAX, beside);
    parts->items[parts->count - 1].currency = currency;
    return beside.bytes != NULL;
}

static shunt_status all_parts(const shunt_former *f, bool currencies, shunt_parts *parts)
{
    static const uint16_t of_lines[] = { SHUNT_COLUMN_ACCOUNT, SHUNT_COLUMN_SIDE, SHUNT_COLUMN_AMOUNT, SHUNT_COLUMN_CURRENCY };
    const shunt_program  *p = f->e->program;
    bool                  journal = f->target->flags & SHUNT_TARGET_JOURNAL, fine = true, said = false;
    uint32_t              header = p->records[f->target->record].field_count;
    uint32_t              lines = f->target->line == SHUNT_NONE ? 0 : p->records[f->target->line].field_count;
    if (header + lines > SHUNT_FORM_COLUMNS) return shunt_form_fault(f, "a record has at most %d columns", SHUNT_FORM_COLUMNS);
    parts->items = SHUNT_NEW_N(f->e->arena, shunt_part, 2 * (header + lines) + SHUNT_COUNT(of_lines));
    if (!parts->items) return SHUNT_NO_MEMORY;
    /* In a journal `currency` is that of the amount. */
    bool one = !journal && one_currency(p, f->target->record) != SHUNT_NONE;
    for (uint32_t i = 0; i < header && fine; i++) fine = add_field(f, parts, (uint16_t)i, currencies, one ? &said : NULL);
    for (size_t i = 0; journal && i < SHUNT_COUNT(of_lines); i++)
        if (currencies || of_lines[i] != SHUNT_COLUMN_CURRENCY) add(f, parts, of_lines[i], UINT32_MAX, name_of(f, of_lines[i]));
    for (uint32_t i = 0; i < lines && fine; i++) fine = add_field(f, parts, (uint16_t)(SHUNT_COLUMN_LINE + i), currencies, NULL);
    return fine ? SHUNT_OK : SHUNT_NO_MEMORY;
}

static shunt_status distinct(const shunt_former *f, const shunt_parts *parts, bool flat)
{
    shunt_intern *seen[2] = { shunt_intern_new(f->e->arena), flat ? NULL : shunt_intern_new(f->e->arena) };
    if (!seen[0] || (!flat && !seen[1])) return SHUNT_NO_MEMORY;
    for (uint32_t i = 0; i < parts->count; i++) {
        const shunt_part *part = &parts->items[i];
        shunt_intern     *among = seen[!flat && shunt_part_of_line(part)];
        uint32_t          before = shunt_intern_count(among), number;
        if (!shunt_intern_add(among, part->name, &number)) return SHUNT_NO_MEMORY;
        if (shunt_intern_count(among) == before)
            return shunt_part_fault(f, part, "two columns are called `%.*s`",
                                    (int)(part->name.length < 60 ? part->name.length : 60), part->name.bytes);
    }
    return SHUNT_OK;
}

shunt_status shunt_form_nested(const shunt_former *f, const shunt_parts *parts)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        const shunt_part            *part = &parts->items[i];
        bool                         journal = f->target->flags & SHUNT_TARGET_JOURNAL;
        const shunt_encoding_column *column = shunt_part_column(f->e->program, f->encoding, part);
        if (column && (column->from || column->format != SHUNT_NONE))
            return shunt_part_fault(f, part, "columns stand in the order in which they are listed; `at` is for csv and fixed");
        if (journal && !shunt_part_of_line(part) && shunt_text_is(part->name, "lines"))
            return shunt_part_fault(f, part, "`lines` is what the lines of a journal are called");
    }
    return SHUNT_OK;
}

shunt_status shunt_form_flat(const shunt_former *f, const shunt_parts *parts)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        const shunt_part *part = &parts->items[i];
        if (!shunt_is_scalar(part->type))
            return shunt_part_fault(f, part, "`%.*s` holds several values; %s",
                                    (int)(part->name.length < 60 ? part->name.length : 60), part->name.bytes,
                                    parts->listed ? "it does not fit a column" : "list the columns without it");
    }
    return SHUNT_OK;
}

shunt_status shunt_form_parts(const shunt_former *f, bool currencies, bool flat, shunt_parts *parts)
{
    *parts = (shunt_parts){ 0 };
    SHUNT_TRY(f->encoding->column_count ? listed_parts(f, parts) : all_parts(f, currencies, parts));
    return distinct(f, parts, flat);
}

shunt_text shunt_form_keep(const shunt_former *f) { return shunt_encoders_keep(f->e, f->scratch); }
