#include "engine/vm/exception.h"

#include "engine/base/hash.h"
#include "engine/vm/record.h"

const char *shunt_grade_name(shunt_grade grade)
{
    static const char *const names[] = { "warning", "reject", "quarantine", "error" };
    return names[grade];
}

static const char *scope_name(shunt_scope scope)
{
    static const char *const names[] = { "unit", "transaction", "batch", "interchange", "file" };
    return names[scope];
}

shunt_class shunt_raised_class(const shunt_raised *r)
{
    return r->cause == SHUNT_OK ? SHUNT_CLASS_BUSINESS : shunt_status_info[r->cause].class;
}

bool shunt_raised_transient(const shunt_raised *r) { return shunt_raised_class(r) == SHUNT_CLASS_REFERENCE; }

static const shunt_code *code_of(const shunt_program *p, const shunt_raised *r)
{
    return r->code == SHUNT_NONE ? NULL : &p->codes[r->code];
}

shunt_text shunt_raised_code(const shunt_program *p, const shunt_raised *r)
{
    const shunt_code *code = code_of(p, r);
    return code ? shunt_program_text(p, code->name) : shunt_text_of(shunt_status_info[r->cause].code);
}

shunt_text shunt_raised_queue(const shunt_program *p, const shunt_raised *r)
{
    const shunt_code *code = code_of(p, r);
    return code ? shunt_program_text(p, code->queue) : (shunt_text){ 0 };
}

static shunt_text meaning_of(const shunt_program *p, const shunt_raised *r)
{
    const shunt_code *code = code_of(p, r);
    return code ? shunt_program_text(p, code->meaning) : shunt_text_of(shunt_status_info[r->cause].meaning);
}

/* The module whose file the site stands in. */
static const shunt_module *module_of(const shunt_program *p, uint32_t site)
{
    for (uint32_t i = 0; i < p->modules_count; i++)
        if (p->modules[i].file == p->sites[site].file) return &p->modules[i];
    return p->modules_count ? &p->modules[0] : NULL;
}

/* ---- JSON ---- */

static void member_text(shunt_buffer *out, const char *name, shunt_text value)
{
    if (!value.length) return;
    shunt_buffer_z(out, name);
    shunt_buffer_json(out, value);
}

static void member_number(shunt_buffer *out, const char *name, uint64_t value)
{
    shunt_buffer_z(out, name);
    shunt_json_number(out, value);
}

static void json_rule(const shunt_program *p, uint32_t site, shunt_buffer *out)
{
    const shunt_site   *s = &p->sites[site];
    const shunt_module *module = module_of(p, site);
    shunt_buffer_z(out, ",\"rule\":{\"file\":");
    shunt_buffer_json(out, shunt_program_text(p, s->file));
    member_number(out, ",\"line\":", s->line);
    member_number(out, ",\"column\":", s->column);
    member_text(out, ",\"step\":", shunt_program_text(p, s->step));
    if (module) {
        member_text(out, ",\"module\":", shunt_program_text(p, module->name));
        member_text(out, ",\"version\":", shunt_program_text(p, module->version));
    }
    shunt_buffer_char(out, '}');
}

static void json_place(const shunt_raised *r, shunt_buffer *out)
{
    member_number(out, ",\"offset\":", r->place.byte);
    if (r->place.length) member_number(out, ",\"length\":", r->place.length);
    if (r->place.segment) member_number(out, ",\"segment\":", r->place.segment);
    if (r->place.element) member_number(out, ",\"element\":", r->place.element);
    if (r->place.component) member_number(out, ",\"component\":", r->place.component);
    member_text(out, ",\"loop\":", r->loop);
    if (r->loop.length && r->instance) member_number(out, ",\"instance\":", r->instance);
    member_text(out, ",\"path\":", r->path);
}

void shunt_raised_json(const shunt_program *p, const shunt_raised *r, shunt_buffer *out)
{
    const shunt_code *code = code_of(p, r);
    char              hex[SHUNT_SHA256_HEX];
    member_text(out, "{\"code\":", shunt_raised_code(p, r));
    if (code && r->cause != SHUNT_OK) member_text(out, ",\"cause\":", shunt_text_of(shunt_status_info[r->cause].code));
    shunt_buffer_format(out, ",\"severity\":\"%s\",\"scope\":\"%s\",\"class\":\"%s\",\"transient\":%s",
                        shunt_grade_name(r->grade), scope_name(r->scope), shunt_class_name(shunt_raised_class(r)),
                        shunt_raised_transient(r) ? "true" : "false");
    member_text(out, ",\"meaning\":", meaning_of(p, r));
    if (code && r->cause != SHUNT_OK) member_text(out, ",\"failure\":", shunt_text_of(shunt_status_info[r->cause].meaning));
    member_text(out, ",\"message\":", r->message);
    if (code) {
        member_text(out, ",\"queue\":", shunt_program_text(p, code->queue));
        member_text(out, ",\"ack\":", shunt_program_text(p, code->ack));
    }
    member_text(out, ",\"input\":", r->input);
    if (r->transaction) member_number(out, ",\"transaction\":", r->transaction);
    member_text(out, ",\"control\":", r->control);
    if (r->unit) member_number(out, ",\"unit\":", r->unit);
    json_place(r, out);
    if (r->site) json_rule(p, r->site, out);
    if (r->key.length) {
        shunt_buffer_z(out, ",\"key\":");
        shunt_buffer_text(out, r->key);
    }
    if (r->correlate.length) {
        shunt_buffer_z(out, ",\"correlate\":");
        shunt_buffer_text(out, r->correlate);
    }
    shunt_hex(p->hash, sizeof p->hash, hex);
    shunt_buffer_z(out, ",\"program\":\"");
    shunt_buffer_add(out, hex, sizeof hex);
    shunt_buffer_char(out, '"');
}

void shunt_raised_json_end(bool known, shunt_fate fate, shunt_buffer *out)
{
    if (known) {
        shunt_buffer_z(out, ",\"outcome\":\"");
        shunt_buffer_z(out, shunt_fate_name(fate));
        shunt_buffer_char(out, '"');
    }
    shunt_buffer_char(out, '}');
}

/* ---- text ---- */

/* Without control characters: what stands in an input must not steer the terminal that an operator reads it on. */
static void safe_text(shunt_buffer *out, shunt_text text)
{
    uint32_t plain = 0;
    for (uint32_t i = 0; i < text.length; i++) {
        uint8_t byte = (uint8_t)text.bytes[i];
        bool    c1 = byte == 0xc2 && i + 1 < text.length && (uint8_t)text.bytes[i + 1] < 0xa0;
        if (byte >= 0x20 && byte != 0x7f && !c1) continue;
        shunt_buffer_add(out, text.bytes + plain, i - plain);
        shunt_buffer_char(out, '?');
        i += c1;
        plain = i + 1;
    }
    if (text.length > plain) shunt_buffer_add(out, text.bytes + plain, text.length - plain);
}

static void text_rule(const shunt_program *p, uint32_t site, shunt_buffer *out)
{
    const shunt_site   *s = &p->sites[site];
    const shunt_module *module = module_of(p, site);
    shunt_text          step = shunt_program_text(p, s->step);
    shunt_buffer_z(out, "\n  rule     ");
    if (module) {
        shunt_buffer_text(out, shunt_program_text(p, module->name));
        shunt_buffer_char(out, ' ');
        shunt_buffer_text(out, shunt_program_text(p, module->version));
        shunt_buffer_z(out, "  ");
    }
    shunt_buffer_text(out, shunt_program_text(p, s->file));
    shunt_buffer_char(out, ':');
    shunt_json_number(out, s->line);
    if (!step.length) return;
    shunt_buffer_z(out, "  step \"");
    shunt_buffer_text(out, step);
    shunt_buffer_char(out, '"');
}

static void text_input(const shunt_raised *r, shunt_buffer *out)
{
    shunt_buffer_z(out, "\n  input    ");
    safe_text(out, r->input);
    if (r->transaction) {
        shunt_buffer_z(out, "  transaction ");
        shunt_json_number(out, r->transaction);
        if (r->control.length) {
            shunt_buffer_z(out, " (");
            safe_text(out, r->control);
            shunt_buffer_char(out, ')');
        }
    }
    if (r->loop.length) {
        shunt_buffer_z(out, "  loop ");
        shunt_buffer_text(out, r->loop);
        if (r->instance) {
            shunt_buffer_z(out, " #");
            shunt_json_number(out, r->instance);
        }
    }
    if (r->place.segment) {
        shunt_buffer_z(out, "  segment ");
        shunt_json_number(out, r->place.segment);
    }
    shunt_buffer_z(out, "\n  bytes    ");
    if (r->path.length) {
        shunt_buffer_text(out, r->path);
        shunt_buffer_char(out, ' ');
    }
    shunt_buffer_char(out, '@');
    shunt_json_number(out, r->place.byte);
    if (!r->place.length) return;
    shunt_buffer_char(out, '+');
    shunt_json_number(out, r->place.length);
}

/* File of the main module, the one a run is started with. */
static void text_queue(const shunt_program *p, const shunt_raised *r, shunt_buffer *out)
{
    shunt_text queue = shunt_raised_queue(p, r);
    bool       again = r->letter.length && p->modules_count && r->grade != SHUNT_GRADE_WARNING;
    if (queue.length) {
        shunt_buffer_z(out, "\n  queue    ");
        shunt_buffer_text(out, queue);
    }
    if (!again) return;
    shunt_text file = shunt_program_text(p, p->modules[0].file);
    shunt_buffer_format(out, "\n  again    shunt run --only %.*s.units.json %.*s %.*s.%.*s", SHUNT_TEXT_ARGS(r->letter),
                        SHUNT_TEXT_ARGS(file), SHUNT_TEXT_ARGS(r->letter), SHUNT_TEXT_ARGS(r->ending));
}

void shunt_raised_text(const shunt_program *p, const shunt_raised *r, shunt_buffer *out)
{
    shunt_buffer_text(out, shunt_raised_code(p, r));
    shunt_buffer_char(out, ' ');
    shunt_buffer_z(out, shunt_grade_name(r->grade));
    if (r->scope != SHUNT_SCOPE_UNIT && r->grade != SHUNT_GRADE_WARNING && r->grade != SHUNT_GRADE_ERROR) {
        shunt_buffer_z(out, " whole ");
        shunt_buffer_z(out, scope_name(r->scope));
    }
    shunt_buffer_z(out, "  ");
    shunt_buffer_text(out, meaning_of(p, r));
    if (r->code != SHUNT_NONE && r->cause != SHUNT_OK) {
        shunt_buffer_format(out, "\n  because  %s: %s", shunt_status_info[r->cause].code, shunt_status_info[r->cause].meaning);
    }
    if (r->message.length) {
        shunt_buffer_z(out, "\n  ");
        safe_text(out, r->message);
    }
    if (r->site) text_rule(p, r->site, out);
    text_input(r, out);
    text_queue(p, r, out);
}
