/* journal.c - records on their way out: fields, keys, lines of a journal, and the check that it balances.
 * Lines wait in the arena until POST, since a remainder needs all the others. */
#include "engine/base/decimal.h"
#include "engine/vm/state.h"

enum { ROOM = 64, KEYS_AT_ONCE = 16 };

#define SELDOM __attribute__((noinline, cold))

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

/* Values of columns with their states behind them, which are copied in steps. */
typedef struct columns {
    shunt_value *values;
    uint8_t     *states;
} columns;
enum { STEP = 2 * sizeof(shunt_value) };

static size_t columns_bytes(uint32_t count) { return (count * (sizeof(shunt_value) + 1) + STEP - 1) / STEP * STEP; }

static inline columns columns_at(char *at, uint32_t count)
{
    shunt_value *values = (shunt_value *)(void *)at;
    return (columns){ values, (uint8_t *)(values + count) };
}

/* Lines and their columns, in one block, as it comes. */
static bool more_lines(shunt_vm *vm, shunt_journal *journal)
{
    size_t count = (size_t)(journal->next - journal->lines), capacity = count ? count * 2 : 16, each = journal->columns_bytes;
    char  *block = capacity <= UINT32_MAX ? shunt_vm_room(vm, (sizeof(shunt_line) + each) * capacity, 0) : NULL;
    if (!block) return false;
    shunt_line *lines = (shunt_line *)(void *)block;
    char       *kept = (char *)(lines + capacity);
    for (size_t i = 0; i < count; i++) {
        lines[i] = journal->lines[i];
        if ((const char *)lines[i].columns == journal->common) continue;
        memcpy(kept + each * i, lines[i].columns, each);
        columns c = columns_at(kept + each * i, journal->column_count);
        lines[i].columns = c.values;
        lines[i].states = c.states;
    }
    journal->lines = lines;
    journal->next = lines + count;
    journal->end = lines + capacity;
    journal->kept = kept + each * count;
    return true;
}

shunt_status shunt_vm_journal(shunt_vm *vm, shunt_instruction i, const shunt_value *values, const uint8_t *states, uint32_t site)
{
    const shunt_program     *p = vm->program;
    uint16_t                 line = p->targets[i.a].line;
    const shunt_record_type *record = line == SHUNT_NONE ? NULL : &p->records[line];
    uint32_t                 count = record ? record->field_count : 0;
    size_t                   bytes = columns_bytes(count), values_bytes = count * sizeof *values;
    char                    *common = shunt_vm_room(vm, bytes, 0);
    if (!common) return shunt_vm_full(vm);
    columns c = columns_at(common, count);
    bool    given = i.b & SHUNT_JOURNAL_COLUMNS;
    memset(c.states, SHUNT_ABSENT, bytes - values_bytes);
    if (!given) memset(common, 0, values_bytes);
    for (uint32_t k = 0; given && k < count; k++) c.values[k] = values[k], c.states[k] = states[k];
    const shunt_field *fields = record ? p->fields + record->field_first : NULL;
    uint32_t           unchecked = count; /* one that no line takes may be anything */
    while (unchecked && check_field(&fields[unchecked - 1], &c.values[unchecked - 1], c.states[unchecked - 1]) == SHUNT_OK)
        unchecked--;
    vm->journal = (shunt_journal){ .target = i.a,
                                   .flip = i.b & SHUNT_JOURNAL_FLIPS,
                                   .site = site,
                                   .column_count = count,
                                   .unchecked = unchecked,
                                   .columns = fields,
                                   .columns_bytes = bytes,
                                   .common = common };
    return more_lines(vm, &vm->journal) ? SHUNT_OK : shunt_vm_full(vm);
}

/* What is there and short needs no second look. */
static inline bool is_simple(const shunt_field *field, const shunt_value *value, uint8_t state)
{
    return (state == SHUNT_PRESENT) & (value->text.length - 1u <= field->max_length - 1u);
}

static inline shunt_status add_line(shunt_journal *journal, shunt_instruction i, const shunt_value *values, const uint8_t *states,
                                    shunt_type type, uint32_t site)
{
    shunt_line *line = journal->next;
    uint32_t    count = journal->column_count, own = count - i.c;
    size_t      bytes = journal->columns_bytes;
    const char *common = journal->common;
    columns     c = columns_at(own ? journal->kept : journal->common, count);
    if (own) {
        char *kept = journal->kept;
        for (size_t at = 0; at < bytes; at += STEP) memcpy(kept + at, common + at, STEP);
        for (uint32_t k = 0; k < own; k++) {
            c.values[k] = values[2 + k];
            c.states[k] = states[2 + k];
        }
        journal->kept = kept + bytes;
    }
    line->credit = i.b & SHUNT_LINE_CREDIT;
    line->remainder = i.b & SHUNT_LINE_REMAINDER;
    line->alike = i.c;
    line->site = site;
    line->account = values[0].text;
    line->amount = values[1].coefficient;
    line->type = type;
    line->columns = c.values;
    line->states = c.states;
    journal->remainders |= line->remainder;
    journal->next = line + 1;
    return SHUNT_OK;
}

static SELDOM shunt_status look_and_add(shunt_vm *vm, shunt_instruction i, const shunt_value *values, const uint8_t *states,
                                        shunt_type type, uint32_t site)
{
    shunt_journal *journal = &vm->journal;
    uint32_t       own = journal->column_count - i.c;
    columns        c = columns_at(journal->common, journal->column_count);
    if (states[0] != SHUNT_PRESENT || (!(i.b & SHUNT_LINE_REMAINDER) && states[1] != SHUNT_PRESENT))
        return SHUNT_REQUIRED_MISSING;
    for (uint32_t k = 0; k < own; k++) SHUNT_TRY(check_field(&journal->columns[k], &values[2 + k], states[2 + k]));
    for (uint32_t k = own; k < journal->unchecked; k++) SHUNT_TRY(check_field(&journal->columns[k], &c.values[k], c.states[k]));
    if (journal->next == journal->end && !more_lines(vm, journal)) return shunt_vm_full(vm);
    return add_line(journal, i, values, states, type, site);
}

shunt_status shunt_vm_line(shunt_vm *vm, shunt_instruction i, const shunt_value *values, const uint8_t *states, shunt_type type,
                           uint32_t site)
{
    shunt_journal     *journal = &vm->journal;
    uint32_t           own = journal->column_count - i.c;
    const shunt_field *field = journal->columns;
    bool               simple = (states[0] == SHUNT_PRESENT) & (states[1] == SHUNT_PRESENT);
    for (uint32_t k = 0; k < own; k++) simple &= is_simple(&field[k], &values[2 + k], states[2 + k]);
    if (SHUNT_UNLIKELY(!simple || own < journal->unchecked || journal->next == journal->end))
        return look_and_add(vm, i, values, states, type, site);
    return add_line(journal, i, values, states, type, site);
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

/* The signed sum of the other lines of its currency, on the side that it stands. */
static shunt_status fill_remainder(shunt_vm *vm, shunt_line *line)
{
    const shunt_journal *journal = &vm->journal;
    shunt_decimal        sum = 0;
    uint8_t              scale = line->type.scale;
    SHUNT_TRY(shunt_vm_charge(vm, (uint64_t)(journal->next - journal->lines)));
    for (const shunt_line *other = journal->lines; other < journal->next; other++) {
        if (other->remainder || !same_currency(vm->program, other->type, line->type)) continue;
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

static shunt_status sum_line(struct sums *sums, const shunt_line *line)
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
        for (uint32_t i = 0; i < count; i++) SHUNT_TRY(sum_line(&sums, &lines[i]));
        return count ? check_sums(vm, &sums, lines[0].type) : SHUNT_OK;
    }
    if (order.column != SHUNT_NONE) order.type = p->fields[p->records[target->line].field_first + order.column].type;
    const shunt_line **sorted = SHUNT_NEW_N(vm->arena, const shunt_line *, count),
                     **spare = SHUNT_NEW_N(vm->arena, const shunt_line *, count);
    if (!sorted || !spare) return shunt_vm_full(vm);
    for (uint32_t i = 0; i < count; i++) sorted[i] = &lines[i];
    sorted = sort_lines(&order, sorted, spare, count);
    for (uint32_t i = 0; i < count; i++) {
        SHUNT_TRY(sum_line(&sums, sorted[i]));
        if (i + 1 < count && compare_lines(&order, sorted[i], sorted[i + 1]) == 0) continue;
        SHUNT_TRY(check_sums(vm, &sums, sorted[i]->type));
        sums = (struct sums){ 0 };
    }
    return SHUNT_OK;
}

/* Remainders, flips and zeros, in that order; what is left moves up, and is `*count` lines. `*even`: they balance, as is seen of amounts
 * of one type that are not large; else it takes check_balance to tell. */
static shunt_status settle_lines(shunt_vm *vm, uint32_t *count, bool *even)
{
    shunt_journal      *journal = &vm->journal;
    const shunt_target *target = &vm->program->targets[journal->target];
    shunt_line         *kept = journal->lines, *end = journal->next;
    __int128            sum = 0;
    bool                simple = target->balance_by == SHUNT_NONE;
    for (shunt_line *line = kept; journal->remainders && line < end; line++)
        if (line->remainder) SHUNT_TRY(fill_remainder(vm, line));
    for (shunt_line *line = kept; line < end; line++) {
        if (line->amount == 0) continue;
        if (SHUNT_UNLIKELY(line->amount < 0)) {
            vm->fail_site = line->site;
            if (!journal->flip) return SHUNT_JOURNAL_NEGATIVE;
            line->amount = -line->amount;
            line->credit = !line->credit;
        }
        if (target->accounts != SHUNT_NONE && !shunt_lookup_has(vm->program->lookups[target->accounts], line->account)) {
            vm->fail_site = line->site;
            return SHUNT_ACCOUNT_UNKNOWN;
        }
        if (kept != line) *kept = *line;
        simple &= shunt_decimal_small(kept->amount) & (memcmp(&kept->type, &journal->lines->type, sizeof kept->type) == 0);
        int64_t amount = (int64_t)kept->amount, sign = -(int64_t)kept->credit;
        sum += (amount ^ sign) - sign;
        kept++;
    }
    vm->fail_site = journal->site;
    *count = (uint32_t)(kept - journal->lines);
    *even = simple && sum == 0;
    return SHUNT_OK;
}

shunt_status shunt_vm_post(shunt_vm *vm, const shunt_value *header, const uint8_t *states, const shunt_value *keys,
                           const uint8_t *key_states, uint32_t key_count)
{
    shunt_journal      *journal = &vm->journal;
    const shunt_target *target = &vm->program->targets[journal->target];
    uint32_t            count = 0;
    bool                even = false;
    vm->fail_site = journal->site;
    SHUNT_TRY(shunt_vm_check_fields(vm, target->record, header, states));
    for (uint32_t k = 0; k < key_count; k++) {
        if (key_states[k] != SHUNT_PRESENT) return SHUNT_REQUIRED_MISSING;
    }
    SHUNT_TRY(shunt_vm_charge(vm, (uint64_t)(journal->next - journal->lines)));
    SHUNT_TRY(settle_lines(vm, &count, &even));
    if (SHUNT_UNLIKELY(!even)) SHUNT_TRY(check_balance(vm, journal->lines, count));
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
