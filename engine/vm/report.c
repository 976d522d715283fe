#include "engine/vm/report.h"

#include "engine/base/decimal.h"
#include "engine/base/hash.h"
#include "engine/vm/record.h"

/* Objects and lists, two blanks a level; `first` is the state between the members of the open one. */
struct writer {
    shunt_buffer *out;
    unsigned      depth;
    bool          first;
};

static void item(struct writer *w)
{
    if (!w->first) shunt_buffer_char(w->out, ',');
    shunt_buffer_char(w->out, '\n');
    for (unsigned i = 0; i < w->depth; i++) shunt_buffer_z(w->out, "  ");
    w->first = false;
}

static void name(struct writer *w, shunt_text text)
{
    item(w);
    shunt_buffer_json(w->out, text);
    shunt_buffer_z(w->out, ": ");
}

static void open_with(struct writer *w, char bracket)
{
    shunt_buffer_char(w->out, bracket);
    w->depth++;
    w->first = true;
}

static void close_with(struct writer *w, char bracket)
{
    bool empty = w->first;
    w->depth--;
    w->first = true;
    if (!empty) item(w);
    shunt_buffer_char(w->out, bracket);
    w->first = false;
}

static void put_text(struct writer *w, const char *member, shunt_text value)
{
    name(w, shunt_text_of(member));
    shunt_buffer_json(w->out, value);
}

static void put_number(struct writer *w, const char *member, uint64_t value)
{
    name(w, shunt_text_of(member));
    shunt_json_number(w->out, value);
}

static void put_hash(struct writer *w, const char *member, const uint8_t hash[static 32])
{
    char hex[SHUNT_SHA256_HEX];
    shunt_hex(hash, 32, hex);
    put_text(w, member, (shunt_text){ hex, sizeof hex });
}

static void open_member(struct writer *w, const char *member, char bracket)
{
    name(w, shunt_text_of(member));
    open_with(w, bracket);
}

static void put_program(struct writer *w, const shunt_program *p)
{
    open_member(w, "program", '{');
    put_hash(w, "hash", p->hash);
    put_hash(w, "code_hash", p->code_hash);
    if (p->modules_count) {
        put_text(w, "module", shunt_program_text(p, p->modules[0].name));
        put_text(w, "version", shunt_program_text(p, p->modules[0].version));
    }
    open_member(w, "modules", '[');
    for (uint32_t i = 0; i < p->modules_count; i++) {
        item(w);
        open_with(w, '{');
        put_text(w, "module", shunt_program_text(p, p->modules[i].name));
        put_text(w, "version", shunt_program_text(p, p->modules[i].version));
        put_text(w, "file", shunt_program_text(p, p->modules[i].file));
        put_hash(w, "sha256", p->modules[i].hash);
        close_with(w, '}');
    }
    close_with(w, ']');
    open_member(w, "tables", '[');
    for (uint32_t i = 0; i < p->tables_count; i++) {
        item(w);
        open_with(w, '{');
        put_text(w, "name", shunt_program_text(p, p->tables[i].name));
        put_number(w, "rows", p->tables[i].row_count);
        put_hash(w, "sha256", p->tables[i].hash);
        close_with(w, '}');
    }
    close_with(w, ']');
    close_with(w, '}');
}

static void put_inputs(struct writer *w, const shunt_session *s)
{
    open_member(w, "inputs", '[');
    for (size_t i = 0; i < shunt_session_inputs(s); i++) {
        const shunt_input_info *input = shunt_session_input(s, i);
        item(w);
        open_with(w, '{');
        put_text(w, "id", input->id);
        put_text(w, "name", input->name);
        put_number(w, "bytes", input->bytes);
        put_hash(w, "sha256", input->sha256);
        close_with(w, '}');
    }
    close_with(w, ']');
}

static void put_units(struct writer *w, const shunt_ledger *ledger)
{
    open_member(w, "units", '{');
    put_number(w, "in", shunt_ledger_in(ledger));
    for (int fate = 0; fate < SHUNT_FATE_COUNT; fate++)
        put_number(w, shunt_fate_name((shunt_fate)fate), shunt_ledger_units(ledger, SHUNT_LEVEL_RUN, (shunt_fate)fate));
    close_with(w, '}');
}

static void put_records(struct writer *w, const shunt_session *s)
{
    const shunt_program *p = shunt_session_program(s);
    open_member(w, "records", '{');
    for (uint32_t i = 0; i < p->targets_count; i++) {
        name(w, shunt_program_text(p, p->targets[i].name));
        shunt_json_number(w->out, shunt_session_records(s, (uint16_t)i));
    }
    close_with(w, '}');
}

static void put_sum(struct writer *w, const char *member, shunt_type type, shunt_sum sum)
{
    char text[SHUNT_DECIMAL_TEXT];
    put_text(w, member,
             (shunt_text){ text, (uint32_t)shunt_decimal_print(sum.amount, type.kind == SHUNT_KIND_INT ? 0 : type.scale, text) });
}

static void put_tally(struct writer *w, const shunt_session *s, uint16_t number)
{
    const shunt_program *p = shunt_session_program(s);
    const shunt_ledger  *ledger = shunt_session_ledger(s);
    const shunt_tally   *tally = &p->tallies[number];
    shunt_sum            all = shunt_ledger_arrived(ledger, number);
    item(w);
    open_with(w, '{');
    put_text(w, "name", shunt_program_text(p, tally->name));
    if (tally->type.kind == SHUNT_KIND_DECIMAL && tally->type.extra)
        put_text(w, "currency", shunt_program_text(p, tally->type.extra));
    put_sum(w, "in", tally->type, all);
    for (int fate = 0; fate < SHUNT_FATE_COUNT; fate++)
        put_sum(w, shunt_fate_name((shunt_fate)fate), tally->type,
                shunt_ledger_sum(ledger, SHUNT_LEVEL_RUN, number, (shunt_fate)fate));
    if (all.unknown) put_number(w, "unknown", all.unknown);
    close_with(w, '}');
}

static void put_tallies(struct writer *w, const shunt_session *s)
{
    const shunt_program *p = shunt_session_program(s);
    open_member(w, "tallies", '[');
    for (uint32_t i = 0; i < p->tallies_count; i++)
        if (p->tallies[i].declared == 1) put_tally(w, s, (uint16_t)i);
    close_with(w, ']');
}

static void put_exceptions(struct writer *w, const shunt_session *s)
{
    const shunt_program *p = shunt_session_program(s);
    open_member(w, "exceptions", '{');
    for (uint32_t i = 0; i < p->codes_count; i++) {
        uint64_t count = shunt_session_code(s, (uint16_t)i);
        if (!count) continue;
        name(w, shunt_program_text(p, p->codes[i].name));
        shunt_json_number(w->out, count);
    }
    for (int i = 0; i < SHUNT_STATUS_COUNT; i++)
        if (shunt_session_status(s, (shunt_status)i))
            put_number(w, shunt_status_info[i].code, shunt_session_status(s, (shunt_status)i));
    close_with(w, '}');
    open_member(w, "severities", '{');
    for (int grade = 0; grade <= SHUNT_GRADE_ERROR; grade++)
        put_number(w, shunt_grade_name((shunt_grade)grade), shunt_session_raised(s, (shunt_grade)grade));
    close_with(w, '}');
}

/* What needs a look although nothing failed: money that rules skipped, tallies that are not known. */
static void put_warnings(struct writer *w, const shunt_session *s)
{
    const shunt_program *p = shunt_session_program(s);
    open_member(w, "warnings", '[');
    for (uint32_t i = 0; i < p->tallies_count; i++) {
        shunt_sum skipped = shunt_ledger_sum(shunt_session_ledger(s), SHUNT_LEVEL_RUN, (uint16_t)i, SHUNT_SKIPPED);
        shunt_sum all = shunt_ledger_arrived(shunt_session_ledger(s), (uint16_t)i);
        if (p->tallies[i].declared != 1 || (skipped.amount == 0 && all.unknown == 0)) continue;
        item(w);
        open_with(w, '{');
        put_text(w, "tally", shunt_program_text(p, p->tallies[i].name));
        put_text(w, "warning",
                 all.unknown ? SHUNT_TEXT("values of this tally could not be read")
                             : SHUNT_TEXT("units that were skipped hold an amount that is not zero"));
        close_with(w, '}');
    }
    close_with(w, ']');
}

void shunt_report(const shunt_session *s, shunt_buffer *out)
{
    struct writer w = { .out = out };
    uint64_t      mapped, unmapped;
    shunt_session_sets(s, &mapped, &unmapped);
    open_with(&w, '{');
    put_program(&w, shunt_session_program(s));
    put_inputs(&w, s);
    put_units(&w, shunt_session_ledger(s));
    open_member(&w, "sets", '{');
    put_number(&w, "mapped", mapped);
    put_number(&w, "unmapped", unmapped);
    close_with(&w, '}');
    put_records(&w, s);
    if (shunt_session_control(s)) put_number(&w, "control_next", shunt_session_control(s));
    put_tallies(&w, s);
    put_exceptions(&w, s);
    put_warnings(&w, s);
    name(&w, SHUNT_TEXT("balanced"));
    shunt_buffer_z(out, shunt_ledger_balanced(shunt_session_ledger(s)) ? "true" : "false");
    close_with(&w, '}');
    shunt_buffer_char(out, '\n');
}
