/* journal.c - records on their way out: fields, keys, lines of a journal, and the check that it balances.
 * Lines wait in the arena until POST, since a remainder needs all the others. */
#include "engine/base/decimal.h"
#include "engine/vm/state.h"

enum { ROOM = 64, KEYS_AT_ONCE = 16 };

/* A field that is there and may not be so long, or is not there and must. */
static inline shunt_status check_field(const shunt_field *field, const shunt_value *value, uint8_t state)
{
    if (state != SHUNT_PRESENT) return field->flags & SHUNT_FIELD_OPTIONAL ? SHUNT_OK : SHUNT_REQUIRED_MISSING;
    if (SHUNT_LIKELY(!field->max_length || value->text.length <= field->max_length)) return SHUNT_OK;
    return shunt_utf8_count(value->text) > field->max_length ? SHUNT_TEXT_TOO_LONG : SHUNT_OK;
}

shunt_status shunt_vm_check_fields(const shunt_vm *vm, uint32_t record, const shunt_value *values, const uint8_t *states)
{
    const shunt_record_type *type = &vm->program->records[record];
    const shunt_field       *fields = vm->program->fields + type->field_first;
    for (uint32_t f = 0; f < type->field_count; f++) SHUNT_TRY(check_field(&fields[f], &values[f], states[f]));
    return SHUNT_OK;
}

static shunt_status hand_over(shunt_vm *vm, const shunt_record *record)
{
    vm->records++;
    return vm->host->record ? vm->host->record(vm->host->context, record) : SHUNT_OK;
}

/* ---- emit ---- */

shunt_status shunt_vm_emit(shunt_vm *vm, uint16_t index, uint32_t site, const shunt_value *values, const uint8_t *states)
{
    const shunt_program *p = vm->program;
    const shunt_target  *target = &p->targets[index];
    const shunt_field   *fields = p->fields + p->records[target->record].field_first;
    SHUNT_TRY(shunt_vm_check_fields(vm, target->record, values, states));

    shunt_text  few[KEYS_AT_ONCE];
    char        few_rooms[KEYS_AT_ONCE][ROOM];
    shunt_text *key = few;
    char       *rooms = few_rooms[0];
    if (target->key_count > KEYS_AT_ONCE) {
        key = SHUNT_NEW_N(vm->arena, shunt_text, target->key_count);
        rooms = SHUNT_NEW_N(vm->arena, char, (size_t)target->key_count *ROOM);
        if (!key || !rooms) return shunt_vm_full(vm);
    }
    for (uint32_t k = 0; k < target->key_count; k++) {
        uint16_t field = p->numbers[target->key_first + k];
        if (states[field] != SHUNT_PRESENT) return SHUNT_REQUIRED_MISSING;
        key[k] = shunt_value_text(p, fields[field].type, values[field], rooms + (size_t)k * ROOM);
    }
    shunt_record record = {
        .target = index, .site = site, .fields = values, .states = states, .key = key, .key_count = target->key_count
    };
    return hand_over(vm, &record);
}

/* ---- journal ---- */

void shunt_vm_journal(shunt_vm *vm, uint16_t target, bool flip, uint32_t site)
{
    const shunt_program *p = vm->program;
    uint16_t             line = p->targets[target].line;
    vm->journal = (shunt_journal){ .target = target, .flip = flip, .site = site };
    if (line == SHUNT_NONE) return;
    vm->journal.columns = p->fields + p->records[line].field_first;
    vm->journal.column_count = p->records[line].field_count;
}

/* Lines, their legs, columns and the states of those, each so many in a row: in one block, as it comes. */
static bool more_lines(shunt_vm *vm, shunt_journal *journal)
{
    size_t capacity = journal->capacity ? (size_t)journal->capacity * 2 : 16, columns = journal->column_count;
    size_t line_bytes = sizeof(shunt_line) + sizeof(shunt_leg) + (sizeof(shunt_value) + 1) * columns;
    char  *block = capacity <= UINT32_MAX ? shunt_vm_room(vm, line_bytes * capacity, 0) : NULL;
    if (!block) return false;
    shunt_line  *lines = (shunt_line *)(void *)block;
    shunt_value *values = (shunt_value *)(void *)(lines + capacity);
    shunt_leg   *legs = (shunt_leg *)(void *)(values + columns * capacity);
    uint8_t     *states = (uint8_t *)(legs + capacity);
    if (journal->count) {
        memcpy(lines, journal->lines, sizeof *lines * journal->count);
        memcpy(legs, journal->legs, sizeof *legs * journal->count);
    }
    if (journal->count && columns) {
        memcpy(values, journal->values, sizeof *values * columns * journal->count);
        memcpy(states, journal->states, columns * journal->count);
        for (uint32_t i = 0; i < journal->count; i++) {
            lines[i].columns = values + columns * i;
            lines[i].states = states + columns * i;
        }
    }
    journal->lines = lines;
    journal->legs = legs;
    journal->values = values;
    journal->states = states;
    journal->capacity = (uint32_t)capacity;
    return true;
}

static inline bool same_value(const shunt_value *a, const shunt_value *b)
{
    uint64_t x[2], y[2];
    memcpy(x, a, sizeof x);
    memcpy(y, b, sizeof y);
    return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}

/* Most columns are alike for all lines of a journal and stand last; those of the first line were checked when it came. */
static inline shunt_status keep_columns(const shunt_journal *journal, const shunt_value *values, const uint8_t *states,
                                        shunt_line *line)
{
    uint32_t     count = journal->column_count, left = count;
    shunt_value *kept = journal->values + (size_t)count * journal->count;
    uint8_t     *kept_states = journal->states + (size_t)count * journal->count;
    line->columns = kept;
    line->states = kept_states;
    if (journal->count)
        for (; left && states[left - 1] == journal->states[left - 1] && same_value(&values[left - 1], &journal->values[left - 1]);
             left--) {
            kept[left - 1] = values[left - 1];
            kept_states[left - 1] = states[left - 1];
        }
    line->alike = journal->count ? count - left : count;
    for (uint32_t i = 0; i < left; i++) {
        SHUNT_TRY(check_field(&journal->columns[i], &values[i], states[i]));
        kept[i] = values[i];
        kept_states[i] = states[i];
    }
    return SHUNT_OK;
}

shunt_status shunt_vm_line(shunt_vm *vm, const shunt_value *values, const uint8_t *states, shunt_type type, bool credit,
                           bool remainder, uint32_t site)
{
    shunt_journal *journal = &vm->journal;
    if (states[0] != SHUNT_PRESENT || (!remainder && states[1] != SHUNT_PRESENT)) return SHUNT_REQUIRED_MISSING;
    if (SHUNT_UNLIKELY(journal->count == journal->capacity) && !more_lines(vm, journal)) return shunt_vm_full(vm);
    shunt_line *line = &journal->lines[journal->count];
    line->credit = credit;
    line->account = values[0].text;
    line->amount = remainder ? 0 : values[1].coefficient;
    line->type = type;
    SHUNT_TRY(keep_columns(journal, values + 2, states + 2, line));
    journal->legs[journal->count++] = (shunt_leg){ site, remainder };
    journal->remainders |= remainder;
    return SHUNT_OK;
}

static bool same_currency(const shunt_program *p, shunt_type a, shunt_type b)
{
    return a.extra == b.extra || shunt_text_equal(p->texts[a.extra], p->texts[b.extra]);
}

/* Adds an amount of one scale to a sum of another; the wider scale stays. */
static inline shunt_status add_scaled(shunt_decimal *sum, uint8_t *scale, shunt_decimal amount, uint8_t amount_scale)
{
    if (amount_scale > *scale) {
        SHUNT_TRY(shunt_decimal_rescale(*sum, *scale, amount_scale, SHUNT_EXACT, sum));
        *scale = amount_scale;
    } else if (amount_scale < *scale) {
        SHUNT_TRY(shunt_decimal_rescale(amount, amount_scale, *scale, SHUNT_EXACT, &amount));
    }
    return shunt_decimal_add(*sum, amount, sum);
}

/* The signed sum of the other legs of its currency, on the side that it stands. */
static shunt_status fill_remainder(shunt_vm *vm, shunt_line *line)
{
    const shunt_journal *journal = &vm->journal;
    shunt_decimal        sum = 0;
    uint8_t              scale = line->type.scale;
    SHUNT_TRY(shunt_vm_charge(vm, journal->count));
    for (uint32_t i = 0; i < journal->count; i++) {
        const shunt_line *other = &journal->lines[i];
        if (journal->legs[i].remainder || !same_currency(vm->program, other->type, line->type)) continue;
        SHUNT_TRY(add_scaled(&sum, &scale, other->credit == line->credit ? -other->amount : other->amount, other->type.scale));
    }
    return shunt_decimal_rescale(sum, scale, line->type.scale, SHUNT_EXACT, &line->amount);
}

/* What a line must balance within: its currency, and the column of `balance by`. */
struct sums {
    shunt_decimal debits, credits;
    uint8_t       debit_scale, credit_scale;
};

struct order {
    const shunt_program *program;
    uint16_t             column; /* SHUNT_NONE: only by currency */
    shunt_type           type;   /* of the column */
};

static int compare_lines(const struct order *order, const shunt_line *a, const shunt_line *b)
{
    if (a->type.extra != b->type.extra) {
        int by_currency = shunt_text_compare(order->program->texts[a->type.extra], order->program->texts[b->type.extra]);
        if (by_currency) return by_currency;
    }
    if (order->column == SHUNT_NONE) return 0;
    if (a->states[order->column] != b->states[order->column]) return a->states[order->column] < b->states[order->column] ? -1 : 1;
    if (a->states[order->column] != SHUNT_PRESENT) return 0;
    shunt_value x = a->columns[order->column], y = b->columns[order->column];
    switch (order->type.kind) {
    case SHUNT_KIND_TEXT: return shunt_text_compare(x.text, y.text);
    case SHUNT_KIND_DECIMAL: return (x.coefficient > y.coefficient) - (x.coefficient < y.coefficient);
    default: return (x.integer > y.integer) - (x.integer < y.integer);
    }
}

static shunt_status add_line(struct sums *sums, const shunt_line *line)
{
    return line->credit ? add_scaled(&sums->credits, &sums->credit_scale, line->amount, line->type.scale)
                        : add_scaled(&sums->debits, &sums->debit_scale, line->amount, line->type.scale);
}

static shunt_status check_sums(shunt_vm *vm, struct sums *sums, shunt_type type)
{
    uint8_t scale = sums->debit_scale > sums->credit_scale ? sums->debit_scale : sums->credit_scale;
    SHUNT_TRY(shunt_decimal_rescale(sums->debits, sums->debit_scale, scale, SHUNT_EXACT, &sums->debits));
    SHUNT_TRY(shunt_decimal_rescale(sums->credits, sums->credit_scale, scale, SHUNT_EXACT, &sums->credits));
    if (sums->debits == sums->credits) return SHUNT_OK;
    char   debits[SHUNT_DECIMAL_TEXT], credits[SHUNT_DECIMAL_TEXT];
    size_t debit_length = shunt_decimal_print(sums->debits, scale, debits),
           credit_length = shunt_decimal_print(sums->credits, scale, credits);
    shunt_text  currency = vm->program->texts[type.extra];
    const char *blank = currency.length ? " " : "";
    vm->message = shunt_text_format(vm->arena, "debits %.*s%s%.*s, credits %.*s%s%.*s", (int)debit_length, debits, blank,
                                    SHUNT_TEXT_ARGS(currency), (int)credit_length, credits, blank, SHUNT_TEXT_ARGS(currency));
    return vm->message.bytes ? SHUNT_JOURNAL_UNBALANCED : shunt_vm_full(vm);
}

/* Bottom-up merge sort of pointers; the result is in one of the two arrays. */
static const shunt_line **sort_lines(const struct order *order, const shunt_line **from, const shunt_line **to, uint32_t count)
{
    for (uint64_t width = 1; width < count; width *= 2) {
        for (uint64_t left = 0; left < count; left += 2 * width) {
            uint64_t middle = left + width < count ? left + width : count,
                     right = left + 2 * width < count ? left + 2 * width : count;
            for (uint64_t a = left, b = middle, at = left; at < right; at++) {
                bool from_a = a < middle && (b >= right || compare_lines(order, from[a], from[b]) <= 0);
                to[at] = from_a ? from[a++] : from[b++];
            }
        }
        const shunt_line **swap = from;
        from = to;
        to = swap;
    }
    return from;
}

static shunt_status check_balance(shunt_vm *vm, const shunt_line *lines, uint32_t count)
{
    const shunt_program *p = vm->program;
    const shunt_target  *target = &p->targets[vm->journal.target];
    struct order         order = { .program = p, .column = target->balance_by };
    bool                 one = target->balance_by == SHUNT_NONE;
    struct sums          sums = { 0 };
    for (uint32_t i = 1; i < count && one; i++) one = lines[i].type.extra == lines[0].type.extra;
    if (one) {
        for (uint32_t i = 0; i < count; i++) SHUNT_TRY(add_line(&sums, &lines[i]));
        return count ? check_sums(vm, &sums, lines[0].type) : SHUNT_OK;
    }
    if (order.column != SHUNT_NONE) order.type = p->fields[p->records[target->line].field_first + order.column].type;
    const shunt_line **sorted = SHUNT_NEW_N(vm->arena, const shunt_line *, count),
                     **spare = SHUNT_NEW_N(vm->arena, const shunt_line *, count);
    if (!sorted || !spare) return shunt_vm_full(vm);
    for (uint32_t i = 0; i < count; i++) sorted[i] = &lines[i];
    sorted = sort_lines(&order, sorted, spare, count);
    for (uint32_t i = 0; i < count; i++) {
        SHUNT_TRY(add_line(&sums, sorted[i]));
        if (i + 1 < count && compare_lines(&order, sorted[i], sorted[i + 1]) == 0) continue;
        SHUNT_TRY(check_sums(vm, &sums, sorted[i]->type));
        sums = (struct sums){ 0 };
    }
    return SHUNT_OK;
}

/* Remainders, flips and zeros, in that order; what is left moves up. */
static shunt_status settle_lines(shunt_vm *vm, uint32_t *count)
{
    shunt_journal      *journal = &vm->journal;
    const shunt_target *target = &vm->program->targets[journal->target];
    for (uint32_t i = 0; journal->remainders && i < journal->count; i++) {
        if (journal->legs[i].remainder) SHUNT_TRY(fill_remainder(vm, &journal->lines[i]));
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < journal->count; i++) {
        shunt_line *line = &journal->lines[i];
        vm->fail_site = journal->legs[i].site;
        if (line->amount == 0) continue;
        if (line->amount < 0) {
            if (!journal->flip) return SHUNT_JOURNAL_NEGATIVE;
            line->amount = -line->amount;
            line->credit = !line->credit;
        }
        if (target->accounts != SHUNT_NONE && !shunt_lookup_has(vm->program->lookups[target->accounts], line->account))
            return SHUNT_ACCOUNT_UNKNOWN;
        if (kept != i) journal->lines[kept] = *line;
        kept++;
    }
    vm->fail_site = journal->site;
    *count = kept;
    return SHUNT_OK;
}

shunt_status shunt_vm_post(shunt_vm *vm, const shunt_value *header, const uint8_t *states, const shunt_value *keys,
                           const uint8_t *key_states, uint32_t key_count)
{
    shunt_journal      *journal = &vm->journal;
    const shunt_target *target = &vm->program->targets[journal->target];
    vm->fail_site = journal->site;
    SHUNT_TRY(shunt_vm_check_fields(vm, target->record, header, states));
    for (uint32_t k = 0; k < key_count; k++) {
        if (key_states[k] != SHUNT_PRESENT) return SHUNT_REQUIRED_MISSING;
    }
    uint32_t count = 0;
    SHUNT_TRY(shunt_vm_charge(vm, journal->count));
    SHUNT_TRY(settle_lines(vm, &count));
    SHUNT_TRY(check_balance(vm, journal->lines, count));
    vm->fail_site = 0;
    shunt_record record = { .target = journal->target,
                            .site = journal->site,
                            .fields = header,
                            .states = states,
                            .lines = journal->lines,
                            .line_count = count,
                            .journal = true,
                            .key = shunt_texts_of(keys),
                            .key_count = key_count };
    return hand_over(vm, &record);
}
