/* expect.c - see expect.h. */
#include "api/expect.h"

#include <stdio.h>

#include "engine/base/date.h"
#include "engine/base/decimal.h"
#include "engine/base/hash.h"

/* ---- what was seen ---- */

static bool seen_row(shunt_arena *arena, const shunt_program *program, uint16_t type, const shunt_value *values,
                     const uint8_t *states, expect_row *row);

static bool seen_field(shunt_arena *arena, const shunt_program *program, const shunt_field *field, shunt_value value,
                       uint8_t state, expect_field *out)
{
    char room[64];
    out->name = shunt_program_text(program, field->name);
    out->present = state == SHUNT_PRESENT;
    out->absent = state == SHUNT_ABSENT;
    if (!out->present) return true;
    out->quoted = field->type.kind == SHUNT_KIND_TEXT || field->type.kind == SHUNT_KIND_MOMENT;
    if (field->type.kind == SHUNT_KIND_DECIMAL) out->currency = shunt_program_text(program, field->type.extra);
    if (field->type.kind != SHUNT_KIND_LIST) {
        out->text = shunt_text_copy(arena, shunt_value_text(program, field->type, value, room));
        return out->text.bytes || !out->text.length;
    }
    out->list = true;
    out->row_count = value.list.count;
    out->rows = SHUNT_NEW_N(arena, expect_row, value.list.count + 1);
    if (!out->rows) return false;
    for (uint32_t i = 0; i < value.list.count && field->type.element == SHUNT_KIND_ROW; i++) {
        const shunt_row *item = value.list.items[i].row;
        if (!seen_row(arena, program, field->type.record, item->fields, item->states, &out->rows[i])) return false;
    }
    return true;
}

static bool seen_row(shunt_arena *arena, const shunt_program *program, uint16_t type, const shunt_value *values,
                     const uint8_t *states, expect_row *row)
{
    const shunt_record_type *record = &program->records[type];
    row->count = record->field_count;
    row->fields = SHUNT_NEW_N(arena, expect_field, record->field_count + 1);
    if (!row->fields) return false;
    for (uint32_t i = 0; i < record->field_count; i++)
        if (!seen_field(arena, program, &program->fields[record->field_first + i], values[i], states[i], &row->fields[i]))
            return false;
    return true;
}

static shunt_text money_text(shunt_arena *arena, __int128 amount, unsigned scale, shunt_text currency)
{
    char     digits[SHUNT_DECIMAL_TEXT];
    uint32_t length = (uint32_t)shunt_decimal_print(amount, scale, digits);
    return shunt_text_format(arena, "%.*s%s%.*s", (int)length, digits, currency.length ? " " : "", SHUNT_TEXT_ARGS(currency));
}

bool expect_seen(shunt_arena *arena, const shunt_program *program, const shunt_record *record, expect_item *item)
{
    const shunt_target *target = &program->targets[record->target];
    *item = (expect_item){ .journal = record->journal,
                           .name = shunt_program_text(program, target->name),
                           .line_count = record->line_count };
    if (!seen_row(arena, program, target->record, record->fields, record->states, &item->row)) return false;
    item->lines = SHUNT_NEW_N(arena, expect_line, record->line_count + 1);
    if (!item->lines) return false;
    for (uint32_t i = 0; i < record->line_count; i++) {
        const shunt_line *from = &record->lines[i];
        expect_line      *line = &item->lines[i];
        line->credit = from->credit;
        line->account = shunt_text_copy(arena, from->account);
        line->amount = money_text(arena, from->amount, from->type.scale, shunt_program_text(program, from->type.extra));
        if (!line->account.bytes || !line->amount.bytes) return false;
        if (target->line != SHUNT_NONE && !seen_row(arena, program, target->line, from->columns, from->states, &line->columns))
            return false;
    }
    return true;
}

/* ---- what is expected ---- */

const uint8_t expect_token_key[12] = "key of tests";

static bool token_text(shunt_arena *arena, const shunt_ast *call, shunt_text *text)
{
    const shunt_ast *args = call->kids[SHUNT_CALL_args];
    const shunt_ast *arg = args && args->kid_count == 1 ? args->kids[0] : NULL;
    shunt_text       plain;
    uint8_t          mac[SHUNT_SHA256_BYTES];
    shunt_hmac       hmac;
    if (!shunt_text_is(call->kids[SHUNT_CALL_name]->text, "tokenize") || !arg || arg->kind == SHUNT_AST_CALL) return false;
    const shunt_fact *fact = shunt_fact_of(arg);
    if (!fact || !expect_literal(arena, arg, &fact->type, &plain)) return false;
    char *hex = shunt_arena_bytes(arena, SHUNT_SHA256_HEX);
    if (!hex) return false;
    shunt_hmac_init(&hmac, expect_token_key, sizeof expect_token_key);
    shunt_hmac_of(&hmac, plain.bytes, plain.length, mac);
    shunt_hex(mac, sizeof mac, hex);
    *text = (shunt_text){ hex, SHUNT_SHA256_HEX };
    return true;
}

bool expect_literal(shunt_arena *arena, const shunt_ast *node, const shunt_ty *type, shunt_text *text)
{
    const shunt_fact *fact = shunt_fact_of(node);
    bool              minus = node->kind == SHUNT_AST_MINUS;
    if (minus) {
        node = node->kids[SHUNT_MINUS_value];
        fact = shunt_fact_of(node);
    }
    char room[SHUNT_DECIMAL_TEXT];
    switch (node->kind) {
    case SHUNT_AST_STRING: *text = node->text; return true;
    case SHUNT_AST_CALL: return token_text(arena, node, text);
    case SHUNT_AST_TRUE: *text = SHUNT_TEXT("true"); return true;
    case SHUNT_AST_FALSE: *text = SHUNT_TEXT("false"); return true;
    case SHUNT_AST_NAME:
        if (!fact || !fact->symbol || fact->symbol->kind != SHUNT_SYMBOL_MEMBER) return false;
        *text = fact->symbol->name;
        return true;
    case SHUNT_AST_DATE: {
        int64_t days;
        if (shunt_date_parse_iso(node->text, &days) != SHUNT_OK) return false;
        *text = node->text;
        return true;
    }
    case SHUNT_AST_INT:
    case SHUNT_AST_DECIMAL:
    case SHUNT_AST_MONEY:
    case SHUNT_AST_PERCENT: {
        if (!fact) return false;
        bool     whole = type->kind == SHUNT_TY_INT;
        __int128 number = minus ? -fact->number : fact->number;
        unsigned scale = whole ? 0 : type->scale;
        if (shunt_decimal_rescale(number, fact->type.scale, scale, SHUNT_EXACT, &number) != SHUNT_OK) return false;
        uint32_t length = (uint32_t)shunt_decimal_print(number, scale, room);
        *text = shunt_text_copy(arena, (shunt_text){ room, length });
        return text->bytes != NULL;
    }
    default: return false;
    }
}

static const shunt_ty *member_type(const shunt_shape *shape, shunt_text name)
{
    static const shunt_ty plain = { .kind = SHUNT_TY_TEXT };
    for (uint32_t i = 0; shape && i < shape->count; i++)
        if (shunt_text_equal(shape->members[i].name, name)) return &shape->members[i].type;
    return &plain;
}

/* Fields of an `emit`, columns of a line: only those written. List fields are written once per row. */
static bool wanted_row(shunt_arena *arena, shunt_ast *const *kids, uint32_t count, const shunt_shape *shape, expect_row *row)
{
    row->fields = SHUNT_NEW_N(arena, expect_field, count + 1);
    if (!row->fields) return false;
    for (uint32_t i = 0; i < count; i++) {
        const shunt_ast *kid = kids[i];
        bool             list = kid->kind == SHUNT_AST_FIELD_LIST;
        if (!list && kid->kind != SHUNT_AST_FIELD && kid->kind != SHUNT_AST_SETTING) continue;
        shunt_text      name = kid->kids[0]->text;
        const shunt_ty *type = member_type(shape, name);
        if (!list) {
            expect_field *field = &row->fields[row->count++];
            *field = (expect_field){ .name = name, .present = true };
            const shunt_ast *value = kid->kids[SHUNT_FIELD_value];
            if (value->kind == SHUNT_AST_ABSENT_PATTERN) {
                field->present = false;
                field->absent = true;
                continue;
            }
            field->quoted = value->kind == SHUNT_AST_STRING || value->kind == SHUNT_AST_CALL;
            if (type->kind == SHUNT_TY_MONEY) field->currency = shunt_text_of(type->currency);
            if (!expect_literal(arena, value, type, &field->text)) field->text = SHUNT_TEXT("?");
            continue;
        }
        expect_field *field = NULL;
        for (uint32_t f = 0; f < row->count; f++)
            if (row->fields[f].list && shunt_text_equal(row->fields[f].name, name)) field = &row->fields[f];
        if (!field) {
            field = &row->fields[row->count++];
            *field =
                (expect_field){ .name = name, .present = true, .list = true, .rows = SHUNT_NEW_N(arena, expect_row, count + 1) };
            if (!field->rows) return false;
        }
        const shunt_ast *fields = kid->kids[SHUNT_FIELD_LIST_fields];
        if (!wanted_row(arena, fields->kids, fields->kid_count, type->item ? type->item->shape : NULL,
                        &field->rows[field->row_count++]))
            return false;
    }
    return true;
}

static bool wanted_line(shunt_arena *arena, const shunt_ast *node, const shunt_shape *columns, expect_line *line)
{
    line->credit = shunt_text_is(node->text, "credit");
    line->account = node->kids[SHUNT_LINE_account]->text;
    const shunt_ast  *amount = node->kids[SHUNT_LINE_amount];
    const shunt_fact *fact = shunt_fact_of(amount);
    shunt_text        digits = { 0 };
    if (!amount || !fact || !expect_literal(arena, amount, &fact->type, &digits)) digits = SHUNT_TEXT("?");
    line->amount = fact && fact->type.kind == SHUNT_TY_MONEY
                       ? shunt_text_format(arena, "%.*s %s", SHUNT_TEXT_ARGS(digits), fact->type.currency)
                       : digits;
    if (!line->amount.bytes) return false;
    const shunt_ast *with = node->kids[SHUNT_LINE_with];
    return !with || wanted_row(arena, with->kids, with->kid_count, columns, &line->columns);
}

bool expect_wanted(shunt_arena *arena, const shunt_ast *what, expect_item *item)
{
    const shunt_fact *fact = shunt_fact_of(what);
    *item = (expect_item){ 0 };
    if (what->kind == SHUNT_AST_EXIT) {
        item->exit = true;
        item->kind = what->text;
        if (what->kids[SHUNT_EXIT_code]) item->name = what->kids[SHUNT_EXIT_code]->text;
        if (what->kids[SHUNT_EXIT_scope]) item->scope = what->kids[SHUNT_EXIT_scope]->text;
        return true;
    }
    const shunt_target_info *target = fact->symbol->as.target;
    item->name = fact->symbol->name;
    if (what->kind == SHUNT_AST_EMIT) {
        const shunt_ast *fields = what->kids[SHUNT_EMIT_fields];
        return wanted_row(arena, fields->kids, fields->kid_count, target->shape, &item->row);
    }
    const shunt_ast *block = what->kids[SHUNT_JOURNAL_block];
    item->journal = true;
    item->lines = SHUNT_NEW_N(arena, expect_line, block->kid_count + 1);
    if (!item->lines || !wanted_row(arena, block->kids, block->kid_count, target->shape, &item->row)) return false;
    for (uint32_t i = 0; i < block->kid_count; i++)
        if (block->kids[i]->kind == SHUNT_AST_LINE &&
            !wanted_line(arena, block->kids[i], target->line, &item->lines[item->line_count++]))
            return false;
    return true;
}

/* ---- comparing ---- */

/* A pairing of all left with right items: augmenting paths over the relation `fits`. Every left one must find a partner. */
typedef bool (*fits_test)(const void *left, uint32_t l, const void *right, uint32_t r);
typedef struct pairing {
    fits_test   fits;
    const void *left, *right;
    uint32_t    left_count, right_count;
    uint32_t   *partner; /* of each right item: left + 1, 0 = free */
    bool       *tried;
} pairing;

static bool pair(pairing *p, uint32_t l)
{
    for (uint32_t r = 0; r < p->right_count; r++) {
        if (p->tried[r] || !p->fits(p->left, l, p->right, r)) continue;
        p->tried[r] = true;
        if (p->partner[r] == 0 || pair(p, p->partner[r] - 1)) {
            p->partner[r] = l + 1;
            return true;
        }
    }
    return false;
}

enum { FEW = 64 }; /* items compared without an arena: lines of a journal, rows of a list in a test */

/* Equal numbers, and each left one has a right one of its own. */
static bool pair_all(fits_test fits, const void *left, uint32_t left_count, const void *right, uint32_t right_count)
{
    uint32_t partner[FEW] = { 0 };
    bool     tried[FEW];
    if (left_count != right_count || right_count > FEW) return false;
    pairing p = { fits, left, right, left_count, right_count, partner, tried };
    for (uint32_t l = 0; l < left_count; l++) {
        memset(tried, 0, sizeof tried);
        if (!pair(&p, l)) return false;
    }
    return true;
}

static bool row_fits(const expect_row *wanted, const expect_row *seen);

static bool rows_fit(const void *left, uint32_t l, const void *right, uint32_t r)
{
    return row_fits(&((const expect_row *)left)[l], &((const expect_row *)right)[r]);
}

/* Every field that is written is there and the same. */
static bool row_fits(const expect_row *wanted, const expect_row *seen)
{
    for (uint32_t w = 0; w < wanted->count; w++) {
        const expect_field *want = &wanted->fields[w], *have = NULL;
        for (uint32_t s = 0; s < seen->count; s++)
            if (shunt_text_equal(seen->fields[s].name, want->name)) have = &seen->fields[s];
        if (!have || (want->absent && !have->absent)) return false;
        if (want->absent) continue;
        if (!have->present || have->list != want->list) return false;
        if (want->list ? !pair_all(rows_fit, want->rows, want->row_count, have->rows, have->row_count)
                       : !shunt_text_equal(want->text, have->text))
            return false;
    }
    return true;
}

static bool lines_fit(const void *left, uint32_t l, const void *right, uint32_t r)
{
    const expect_line *want = &((const expect_line *)left)[l], *have = &((const expect_line *)right)[r];
    return want->credit == have->credit && shunt_text_equal(want->account, have->account) &&
           shunt_text_equal(want->amount, have->amount) && row_fits(&want->columns, &have->columns);
}

static bool items_fit(const void *left, uint32_t l, const void *right, uint32_t r)
{
    const expect_item *want = &((const expect_item *)left)[l], *have = &((const expect_item *)right)[r];
    if (want->exit != have->exit || want->journal != have->journal || !shunt_text_equal(want->name, have->name)) return false;
    if (want->exit)
        return shunt_text_equal(want->kind, have->kind) &&
               (shunt_text_equal(want->scope, have->scope) || (have->widened && !want->scope.length));
    return row_fits(&want->row, &have->row) &&
           (!want->journal || pair_all(lines_fit, want->lines, want->line_count, have->lines, have->line_count));
}

bool expect_match(shunt_arena *arena, const expect_item *seen, uint32_t seen_count, const expect_item *wanted,
                  uint32_t wanted_count, bool *seen_left, bool *wanted_left)
{
    pairing p = { items_fit,
                  wanted,
                  seen,
                  wanted_count,
                  seen_count,
                  SHUNT_NEW_N(arena, uint32_t, seen_count + 1),
                  SHUNT_NEW_N(arena, bool, seen_count + 1) };
    bool    all = p.partner && p.tried;
    for (uint32_t w = 0; w < wanted_count && p.partner && p.tried; w++) {
        memset(p.tried, 0, seen_count);
        wanted_left[w] = !pair(&p, w);
        all = all && !wanted_left[w];
    }
    for (uint32_t s = 0; s < seen_count && p.partner; s++) {
        seen_left[s] = p.partner[s] == 0;
        all = all && !seen_left[s];
    }
    return all;
}

/* ---- showing ---- */

/* As an author writes it, so that it can be pasted into an `expect`. */
static void print_value(const expect_field *field, shunt_buffer *out)
{
    const char *quote = field->quoted ? "\"" : "";
    if (!field->present) {
        shunt_buffer_format(out, "%.*s: absent", SHUNT_TEXT_ARGS(field->name));
        return;
    }
    shunt_buffer_format(out, "%.*s%s%s", SHUNT_TEXT_ARGS(field->name), field->name.length ? ": " : "", quote);
    for (uint32_t i = 0; i < field->text.length; i++) {
        if (field->quoted && strchr("\"\\{", field->text.bytes[i])) shunt_buffer_char(out, '\\');
        shunt_buffer_char(out, field->text.bytes[i]);
    }
    shunt_buffer_format(out, "%s%s%.*s", quote, field->currency.length ? " " : "", SHUNT_TEXT_ARGS(field->currency));
}

static void print_row(const expect_row *row, const char *before, bool wanted, shunt_buffer *out)
{
    for (uint32_t i = 0; i < row->count; i++) {
        const expect_field *field = &row->fields[i];
        if (!field->present && !wanted) continue;
        if (!field->list) {
            shunt_buffer_z(out, before);
            print_value(field, out);
            before = "  ";
            continue;
        }
        for (uint32_t r = 0; r < field->row_count; r++) {
            shunt_buffer_format(out, "%s%.*s: { ", before, SHUNT_TEXT_ARGS(field->name));
            print_row(&field->rows[r], "", wanted, out);
            shunt_buffer_z(out, " }");
            before = "  ";
        }
    }
}

static void print_line(const expect_line *line, bool wanted, shunt_buffer *out)
{
    uint32_t shown = 0;
    shunt_buffer_format(out, "%-6s \"%.*s\" %.*s", line->credit ? "credit" : "debit", SHUNT_TEXT_ARGS(line->account),
                        SHUNT_TEXT_ARGS(line->amount));
    for (uint32_t f = 0; f < line->columns.count; f++) {
        const expect_field *field = &line->columns.fields[f];
        if (!field->present && !wanted) continue;
        shunt_buffer_z(out, shown++ ? ", " : " with (");
        print_value(field, out);
    }
    shunt_buffer_z(out, shown ? ")\n" : "\n");
}

void expect_print(const expect_item *item, bool wanted, const char *indent, shunt_buffer *out)
{
    if (item->exit) {
        shunt_buffer_format(out, "%s%.*s %s%.*s%s%.*s%s%.*s\n", indent, SHUNT_TEXT_ARGS(item->kind),
                            item->scope.length ? "whole " : "", SHUNT_TEXT_ARGS(item->scope), item->scope.length ? " " : "",
                            SHUNT_TEXT_ARGS(item->name), item->detail.length ? "  " : "", SHUNT_TEXT_ARGS(item->detail));
        return;
    }
    shunt_buffer_format(out, "%s%s %.*s {", indent, item->journal ? "journal" : "emit", SHUNT_TEXT_ARGS(item->name));
    print_row(&item->row, " ", wanted, out);
    if (!item->journal) {
        shunt_buffer_z(out, " }\n");
        return;
    }
    shunt_buffer_char(out, '\n');
    for (uint32_t i = 0; i < item->line_count; i++) {
        shunt_buffer_format(out, "%s  ", indent);
        print_line(&item->lines[i], wanted, out);
    }
    shunt_buffer_format(out, "%s}\n", indent);
}

/* ---- differences ---- */

static const expect_field *field_named(const expect_row *row, shunt_text name)
{
    for (uint32_t i = 0; i < row->count; i++)
        if (shunt_text_equal(row->fields[i].name, name)) return &row->fields[i];
    return NULL;
}

/* Which lines of both have none like it on the other side. */
static void lone_lines(const expect_item *wanted, const expect_item *seen, bool lone_wanted[FEW], bool lone_seen[FEW])
{
    for (uint32_t i = 0; i < seen->line_count; i++) lone_seen[i] = true;
    for (uint32_t w = 0; w < wanted->line_count; w++) {
        lone_wanted[w] = true;
        for (uint32_t i = 0; i < seen->line_count && lone_wanted[w]; i++)
            if (lone_seen[i] && lines_fit(wanted->lines, w, seen->lines, i)) lone_wanted[w] = lone_seen[i] = false;
    }
}

uint32_t expect_differences(const expect_item *wanted, const expect_item *seen, const char *indent, shunt_buffer *out)
{
    uint32_t count = 0;
    bool     lone_wanted[FEW] = { false }, lone_seen[FEW] = { false };
    if (wanted->exit || wanted->journal != seen->journal || !shunt_text_equal(wanted->name, seen->name)) return UINT32_MAX;
    if (wanted->line_count > FEW || seen->line_count > FEW) return UINT32_MAX;
    for (uint32_t w = 0; w < wanted->row.count; w++) {
        const expect_field *field = &wanted->row.fields[w], *came = field_named(&seen->row, field->name);
        expect_row          one = { &wanted->row.fields[w], 1 };
        if (row_fits(&one, &seen->row)) continue;
        count++;
        if (!out) continue;
        shunt_buffer_format(out, "%sexpected ", indent);
        if (field->list)
            shunt_buffer_format(out, "other rows of %.*s\n", SHUNT_TEXT_ARGS(field->name));
        else {
            print_value(field, out);
            shunt_buffer_format(out, ", and it is %s",
                                came && came->present   ? ""
                                : came && !came->absent ? "cleared\n"
                                                        : "absent\n");
        }
        if (field->list || !came || !came->present) continue;
        expect_field value = *came;
        value.name = (shunt_text){ 0 };
        print_value(&value, out);
        shunt_buffer_char(out, '\n');
    }
    if (!wanted->journal) return count;
    lone_lines(wanted, seen, lone_wanted, lone_seen);
    for (uint32_t i = 0; i < wanted->line_count; i++) {
        count += lone_wanted[i];
        if (!lone_wanted[i] || !out) continue;
        shunt_buffer_format(out, "%sexpected and not among its lines: ", indent);
        print_line(&wanted->lines[i], true, out);
    }
    for (uint32_t i = 0; i < seen->line_count; i++) {
        count += lone_seen[i];
        if (!lone_seen[i] || !out) continue;
        shunt_buffer_format(out, "%samong its lines and not expected: ", indent);
        print_line(&seen->lines[i], false, out);
    }
    return count;
}
