#include "dsl/emit_state.h"
#include "dsl/zone_file.h"

#include "engine/base/hash.h"

/* ---- types ---- */

shunt_type shunt_emit_type(shunt_emitter *e, const shunt_ty *type)
{
    switch ((shunt_ty_kind)type->kind) {
    case SHUNT_TY_BOOL: return (shunt_type){ .kind = SHUNT_KIND_BOOL };
    case SHUNT_TY_INT:
    case SHUNT_TY_DURATION: return (shunt_type){ .kind = SHUNT_KIND_INT };
    case SHUNT_TY_ENUM: return (shunt_type){ .kind = SHUNT_KIND_INT, .extra = (uint16_t)(shunt_emit_enum(e, type->shape) + 1) };
    case SHUNT_TY_DECIMAL:
    case SHUNT_TY_PERCENT:
    case SHUNT_TY_QUANTITY: return (shunt_type){ .kind = SHUNT_KIND_DECIMAL, .scale = type->scale };
    case SHUNT_TY_MONEY:
        return (shunt_type){ .kind = SHUNT_KIND_DECIMAL,
                             .scale = type->scale,
                             .extra = shunt_emit_text(e, shunt_text_of(type->currency)) };
    case SHUNT_TY_DATE: return (shunt_type){ .kind = SHUNT_KIND_DATE };
    case SHUNT_TY_MOMENT: return (shunt_type){ .kind = SHUNT_KIND_MOMENT };
    case SHUNT_TY_ROW: return (shunt_type){ .kind = SHUNT_KIND_ROW, .record = shunt_emit_record(e, type->shape) };
    case SHUNT_TY_NODE: return (shunt_type){ .kind = SHUNT_KIND_NODE, .record = shunt_emit_frame(e, type->loop) };
    case SHUNT_TY_LIST: {
        shunt_type item = shunt_emit_type(e, type->item);
        return (shunt_type){
            .kind = SHUNT_KIND_LIST, .element = item.kind, .scale = item.scale, .record = item.record, .extra = item.extra
        };
    }
    case SHUNT_TY_SOURCE: return (shunt_type){ .kind = SHUNT_KIND_NODE, .record = 0 };
    case SHUNT_TY_ERROR:
    case SHUNT_TY_NEVER:
    case SHUNT_TY_TEXT:
    case SHUNT_TY_CODE:
    case SHUNT_TY_TOKEN:
    case SHUNT_TY_UNIT:
    case SHUNT_TY_ACCOUNT:
    case SHUNT_TY_TIME: break;
    }
    return (shunt_type){ .kind = SHUNT_KIND_TEXT };
}

uint16_t shunt_emit_enum(shunt_emitter *e, const shunt_shape *shape)
{
    for (uint32_t i = 0; i < e->enums_of.count; i++)
        if (e->enums_of.items[i] == shape) return (uint16_t)i;
    const shunt_shape **slot = SHUNT_EMIT_NEW(e, &e->enums_of);
    *slot = shape;
    shunt_enum enumeration = { .name = shunt_emit_text(e, shape->name),
                               .member_first = e->numbers.count,
                               .member_count = shape->count };
    for (uint32_t i = 0; i < shape->count; i++) {
        uint16_t *name = SHUNT_EMIT_NEW(e, &e->numbers);
        *name = shunt_emit_text(e, shape->members[i].name);
    }
    shunt_enum *out = SHUNT_EMIT_NEW(e, &e->enums);
    *out = enumeration;
    return shunt_emit_number(e, e->enums.count - 1);
}

uint16_t shunt_emit_code_list(shunt_emitter *e, const shunt_codeset *codes)
{
    for (uint32_t i = 0; i < e->lists_of.count; i++)
        if (e->lists_of.items[i] == codes) return (uint16_t)i;
    const shunt_codeset **slot = SHUNT_EMIT_NEW(e, &e->lists_of);
    *slot = codes;
    shunt_code_list list = { .name = shunt_emit_text(e, shunt_text_of(codes->name)),
                             .value_first = e->numbers.count,
                             .value_count = codes->count };
    for (uint32_t i = 0; i < codes->count; i++) {
        uint16_t *value = SHUNT_EMIT_NEW(e, &e->numbers);
        *value = shunt_emit_text(e, shunt_text_of(codes->values[i]));
    }
    shunt_code_list *out = SHUNT_EMIT_NEW(e, &e->code_lists);
    *out = list;
    return shunt_emit_number(e, e->code_lists.count - 1);
}

/* ---- record types ---- */

static shunt_field field_of(shunt_emitter *e, const shunt_member *member)
{
    shunt_field field = { .name = shunt_emit_text(e, member->name), .type = shunt_emit_type(e, &member->type) };
    if (field.type.kind == SHUNT_KIND_TEXT) field.max_length = member->type.length;
    if (member->type.optional) field.flags |= SHUNT_FIELD_OPTIONAL;
    if (member->type.kind == SHUNT_TY_ENUM) field.flags |= SHUNT_FIELD_ENUM;
    if (member->type.kind == SHUNT_TY_MONEY) field.flags |= SHUNT_FIELD_MONEY;
    if (member->type.kind == SHUNT_TY_BOOL) field.flags |= SHUNT_FIELD_BOOL;
    if (member->type.phi) field.flags |= SHUNT_FIELD_MASKED;
    return field;
}

/* A record may hold lists of other records, so its fields are made before they are written in a row. */
uint16_t shunt_emit_record(shunt_emitter *e, const shunt_shape *shape)
{
    if (shape->stands_for) shape = shape->stands_for;
    for (uint32_t i = 0; i < e->records_of.count; i++)
        if (e->records_of.items[i] == shape) return (uint16_t)i;
    const shunt_shape **slot = SHUNT_EMIT_NEW(e, &e->records_of);
    *slot = shape;
    uint32_t           number = e->records.count;
    shunt_record_type *record = SHUNT_EMIT_NEW(e, &e->records);
    record->name = shunt_emit_text(e, shape->name);
    shunt_field *fields = SHUNT_NEW_N(e->arena, shunt_field, shape->count + 1);
    if (!fields) {
        e->no_memory = true;
        return 0;
    }
    for (uint32_t i = 0; i < shape->count; i++) fields[i] = field_of(e, &shape->members[i]);
    uint32_t first = e->fields.count;
    for (uint32_t i = 0; i < shape->count; i++) {
        shunt_field *out = SHUNT_EMIT_NEW(e, &e->fields);
        *out = fields[i];
    }
    if (number < e->records.count) {
        e->records.items[number].field_first = first;
        e->records.items[number].field_count = shape->count;
    }
    return shunt_emit_number(e, number);
}

/* ---- tables ---- */

static void add_rows(shunt_emitter *e, shunt_table *table, const shunt_table_rows *rows, const shunt_shape *shape)
{
    uint32_t texts = e->table_texts.count;
    table->cell_first = e->cells.count;
    table->row_count = rows->row_count;
    memcpy(table->hash, rows->hash, sizeof table->hash);
    for (uint32_t i = 0; i < rows->text_count; i++) {
        shunt_text *text = SHUNT_EMIT_NEW(e, &e->table_texts);
        *text = rows->texts[i];
    }
    for (uint32_t i = 0; i < rows->row_count * shape->count && !e->no_memory; i++) {
        shunt_cell *cell = SHUNT_EMIT_NEW(e, &e->cells);
        *cell = rows->cells[i];
        bool text = e->fields.items[e->records.items[table->record].field_first + i % shape->count].type.kind == SHUNT_KIND_TEXT;
        if (text && cell->state == SHUNT_PRESENT) cell->text += texts;
    }
}

static void add_table(shunt_emitter *e, shunt_symbol *symbol, const shunt_table_rows *rows, uint32_t row_sets)
{
    const shunt_table_info *info = symbol->as.table;
    shunt_table             table = {
                    .name = shunt_emit_text(e, symbol->name),
                    .record = shunt_emit_record(e, info->shape),
                    .key_count = shunt_emit_number(e, info->key_count),
                    .flags = (uint16_t)((info->prefix ? SHUNT_TABLE_PREFIX : 0) | (info->effective ? SHUNT_TABLE_EFFECTIVE : 0) |
                            (info->range ? SHUNT_TABLE_RANGE : 0)),
                    .path = info->from ? shunt_emit_text(e, info->from->text) : SHUNT_NONE,
                    .cell_first = e->cells.count,
    };
    for (uint32_t i = 0; i < row_sets; i++)
        if (rows[i].table == symbol) add_rows(e, &table, &rows[i], info->shape);
    shunt_table *out = SHUNT_EMIT_NEW(e, &e->tables);
    *out = table;
    symbol->number = shunt_emit_number(e, e->tables.count - 1);
}

/* ---- targets ---- */

static uint16_t encoding_field(shunt_emitter *e, const shunt_target_info *info, shunt_text name)
{
    for (uint32_t i = 0; i < info->shape->count; i++)
        if (shunt_text_equal(info->shape->members[i].name, name)) return shunt_emit_number(e, i);
    for (uint32_t i = 0; info->line && i < info->line->count; i++)
        if (shunt_text_equal(info->line->members[i].name, name)) return (uint16_t)(SHUNT_COLUMN_LINE + i);
    if (shunt_text_is(name, "account")) return SHUNT_COLUMN_ACCOUNT;
    if (shunt_text_is(name, "side")) return SHUNT_COLUMN_SIDE;
    if (shunt_text_is(name, "currency")) return SHUNT_COLUMN_CURRENCY;
    return SHUNT_COLUMN_AMOUNT;
}

static uint16_t place_number(shunt_emitter *e, const shunt_ast *literal)
{
    const shunt_fact *fact = shunt_fact_of(literal);
    if (fact) return shunt_emit_number(e, (uint32_t)fact->number);
    uint32_t number = 0;
    for (uint32_t i = 0; literal && i < literal->text.length && number < 100000; i++)
        if (literal->text.bytes[i] >= '0' && literal->text.bytes[i] <= '9')
            number = number * 10 + (uint32_t)(literal->text.bytes[i] - '0');
    return shunt_emit_number(e, number);
}

static void add_encoding_column(shunt_emitter *e, const shunt_target_info *info, bool fixed, const shunt_ast *column)
{
    const shunt_ast *name = column->kids[SHUNT_COLUMN_name], *place = column->kids[SHUNT_COLUMN_place],
                    *format = column->kids[SHUNT_COLUMN_format];
    shunt_encoding_column made = { .field = encoding_field(e, info, name->text), .name = SHUNT_NONE, .format = SHUNT_NONE };
    /* In `fixed` the text after `as` is how a value is written, elsewhere it is what the column is called. */
    if (format) *(fixed ? &made.format : &made.name) = shunt_emit_text(e, format->text);
    if (place) {
        made.from = place_number(e, place->kids[SHUNT_PLACE_from]);
        made.to = place->kids[SHUNT_PLACE_to] ? place_number(e, place->kids[SHUNT_PLACE_to]) : made.from;
    }
    shunt_encoding_column *out = SHUNT_EMIT_NEW(e, &e->encoding_columns);
    *out = made;
}

static void add_message(shunt_emitter *e, const shunt_message *message, shunt_encoding *made)
{
    for (uint32_t i = 0; i < message->setting_count; i++)
        for (unsigned k = 0; k < 2; k++) {
            uint16_t number = shunt_emit_text(e, message->settings[i][k]), *out = SHUNT_EMIT_NEW(e, &e->numbers);
            *out = number;
        }
    made->setting_count = message->setting_count;
    made->node_first = e->message_nodes.count;
    made->node_count = message->item_count;
    for (uint32_t i = 0; i < message->item_count; i++) {
        const shunt_message_item *item = &message->items[i];
        uint16_t                  name = item->name.length ? shunt_emit_text(e, item->name) : SHUNT_NONE;
        shunt_message_node       *node = SHUNT_EMIT_NEW(e, &e->message_nodes);
        *node = (shunt_message_node){ .kind = item->kind,
                                      .format = item->format,
                                      .decimals = item->decimals,
                                      .flags = item->flags,
                                      .name = name,
                                      .field = item->field,
                                      .number = item->number,
                                      .min = item->min,
                                      .max = item->max,
                                      .with = item->with,
                                      .count = item->count };
    }
}

static uint16_t add_encoding(shunt_emitter *e, const shunt_target_info *info)
{
    static const struct {
        const char         *name;
        shunt_encoding_kind kind;
    } kinds[] = {
        { "json", SHUNT_ENCODE_JSON },   { "ndjson", SHUNT_ENCODE_JSON }, { "csv", SHUNT_ENCODE_CSV },
        { "fixed", SHUNT_ENCODE_FIXED }, { "xml", SHUNT_ENCODE_XML },     { "x12", SHUNT_ENCODE_X12 },
        { "hl7", SHUNT_ENCODE_HL7 },     { "fhir", SHUNT_ENCODE_FHIR },
    };
    const shunt_ast *ast = info->encode;
    if (!ast) return SHUNT_NONE;
    const shunt_ast *args = ast->kids[SHUNT_ENCODE_args], *items = ast->kids[SHUNT_ENCODE_items];
    shunt_encoding   made = { .kind = UINT16_MAX, .column_first = e->encoding_columns.count };
    for (uint32_t k = 0; args->kid_count && k < SHUNT_COUNT(kinds); k++)
        if (shunt_text_is(args->kids[0]->text, kinds[k].name)) made.kind = (uint16_t)kinds[k].kind;
    if (made.kind == UINT16_MAX) {
        shunt_emit_unsupported(e, ast->span, "this encoding");
        return SHUNT_NONE;
    }
    if (made.kind == SHUNT_ENCODE_FIXED && args->kid_count > 1) made.width = place_number(e, args->kids[1]);
    for (uint32_t i = 0; i < items->kid_count; i++)
        if (items->kids[i]->kind == SHUNT_AST_COLUMN)
            add_encoding_column(e, info, made.kind == SHUNT_ENCODE_FIXED, items->kids[i]);
        else if (items->kids[i]->kind != SHUNT_AST_SETTING && !info->message)
            shunt_emit_unsupported(e, items->kids[i]->span, "this part of an encoding");
    made.column_count = e->encoding_columns.count - made.column_first;
    made.setting_first = e->numbers.count;
    for (uint32_t i = 0; i < items->kid_count; i++) {
        const shunt_ast *item = items->kids[i];
        if (item->kind != SHUNT_AST_SETTING || info->message) continue;
        const shunt_ast *value = item->kids[SHUNT_SETTING_value];
        uint16_t        *name = SHUNT_EMIT_NEW(e, &e->numbers);
        *name = shunt_emit_text(e, item->kids[SHUNT_SETTING_name]->text);
        uint16_t *text = SHUNT_EMIT_NEW(e, &e->numbers);
        *text = shunt_emit_text(e, value->kind == SHUNT_AST_TRUE    ? SHUNT_TEXT("true")
                                   : value->kind == SHUNT_AST_FALSE ? SHUNT_TEXT("false")
                                                                    : value->text);
        made.setting_count++;
    }
    if (info->message) add_message(e, info->message, &made);
    shunt_encoding *out = SHUNT_EMIT_NEW(e, &e->encodings);
    *out = made;
    return shunt_emit_number(e, e->encodings.count - 1);
}

static void add_target(shunt_emitter *e, shunt_symbol *symbol)
{
    const shunt_target_info *info = symbol->as.target;
    shunt_target             target = {
                    .name = shunt_emit_text(e, symbol->name),
                    .flags = info->journal ? SHUNT_TARGET_JOURNAL : 0,
                    .record = shunt_emit_record(e, info->shape),
                    .line = info->line ? shunt_emit_record(e, info->line) : SHUNT_NONE,
                    .balance_by = info->balance_by == UINT32_MAX ? SHUNT_NONE : shunt_emit_number(e, info->balance_by),
                    .accounts = info->accounts ? (uint16_t)info->accounts->number : SHUNT_NONE,
                    .encoding = add_encoding(e, info),
                    .message = info->message ? shunt_emit_record(e, info->message->values) : SHUNT_NONE,
    };
    target.key_first = e->numbers.count;
    target.key_count = info->key_count;
    for (uint32_t i = 0; i < info->key_count; i++) {
        uint16_t *key = SHUNT_EMIT_NEW(e, &e->numbers);
        *key = shunt_emit_number(e, info->keys[i]);
    }
    shunt_target *out = SHUNT_EMIT_NEW(e, &e->targets);
    *out = target;
    symbol->number = shunt_emit_number(e, e->targets.count - 1);
}

/* ---- the rest ---- */

static void add_code(shunt_emitter *e, shunt_symbol *symbol)
{
    shunt_code *code = SHUNT_EMIT_NEW(e, &e->codes);
    *code = (shunt_code){
        .name = shunt_emit_text(e, symbol->as.code.name),
        .meaning = shunt_emit_text(e, symbol->as.code.meaning),
        .queue = symbol->as.code.has_queue ? shunt_emit_text(e, symbol->as.code.queue) : SHUNT_NONE,
        .ack = symbol->as.code.has_ack ? shunt_emit_text(e, symbol->as.code.ack) : SHUNT_NONE,
    };
    symbol->number = shunt_emit_number(e, e->codes.count - 1);
}

/* The zones that the rules name, in the order in which check met them. */
static void add_zones(shunt_emitter *e)
{
    for (uint32_t i = 0; i < e->c->zone_count; i++) {
        const shunt_zone_file *file = &e->c->zones[i];
        shunt_zone            *zone = SHUNT_EMIT_NEW(e, &e->zones);
        *zone = file->zone;
        zone->name = shunt_emit_text(e, file->name);
        zone->change_first = e->zone_changes.count;
        for (uint32_t c = 0; c < zone->change_count; c++) *SHUNT_EMIT_NEW(e, &e->zone_changes) = file->changes[c];
    }
}

static uint16_t zone_number(shunt_emitter *e, shunt_text name)
{
    for (uint32_t i = 0; i < e->c->zone_count; i++)
        if (shunt_text_equal(e->c->zones[i].name, name)) return shunt_emit_number(e, i);
    return SHUNT_NONE;
}

static void add_source(shunt_emitter *e, shunt_symbol *symbol)
{
    static const char *const names[SHUNT_STANDARD_COUNT] = {
        [SHUNT_STANDARD_X12] = "X12", [SHUNT_STANDARD_HL7] = "HL7",     [SHUNT_STANDARD_FHIR] = "FHIR",
        [SHUNT_STANDARD_CSV] = "CSV", [SHUNT_STANDARD_FIXED] = "FIXED",
    };
    const shunt_source_info *info = symbol->as.source;
    shunt_source            *source = SHUNT_EMIT_NEW(e, &e->sources);
    *source = (shunt_source){
        .name = shunt_emit_text(e, symbol->name),
        .standard = shunt_emit_text(e, shunt_text_of(names[info->standard])),
        .currency = info->currency[0] ? shunt_emit_text(e, shunt_text_of(info->currency)) : SHUNT_NONE,
        .currency_path = info->currency[0] && info->standard == SHUNT_STANDARD_X12
                             ? shunt_emit_text(e, shunt_text_of(SHUNT_EMIT_CURRENCY_PATH))
                             : SHUNT_NONE,
        .max_unit_bytes = info->max_unit_bytes,
        .zone = zone_number(e, info->zone),
    };
    symbol->number = shunt_emit_number(e, e->sources.count - 1);
    (void)shunt_plan_maker_source(e->plan, &(shunt_plan_source){ .standard = (uint8_t)info->standard,
                                                                 .snips = info->snips,
                                                                 .strict = info->strict,
                                                                 .cleared_absent = info->cleared_absent,
                                                                 .window = info->window,
                                                                 .max_unit_bytes = info->max_unit_bytes });
    for (uint32_t i = 0; i < info->guide_count; i++)
        (void)shunt_plan_maker_guide(e->plan, info->guides[i], (uint16_t)symbol->number);
}

static void add_modules(shunt_emitter *e)
{
    for (uint32_t i = 0; i < e->c->module_count; i++) {
        const shunt_module_info *module = &e->c->modules[i];
        const shunt_ast         *tree = module->tree;
        shunt_module            *out = SHUNT_EMIT_NEW(e, &e->modules);
        const shunt_ast         *name = tree ? tree->kids[SHUNT_MODULE_name] : NULL;
        const shunt_ast         *version = tree ? tree->kids[SHUNT_MODULE_version] : NULL;
        out->name = shunt_emit_text(e, name ? name->text : module->file); /* rows of a decision go by their file */
        out->version = shunt_emit_text(e, version ? version->text : (shunt_text){ "", 0 });
        out->file = shunt_emit_text(e, module->file);
        shunt_sha256_of(module->source.bytes, module->source.length, out->hash);
    }
}

void shunt_emit_declarations(shunt_emitter *e, const shunt_table_rows *rows, uint32_t row_sets)
{
    const shunt_compilation *c = e->c;
    add_modules(e);
    add_zones(e);
    for (uint32_t i = 0; i < c->symbol_count; i++)
        if (c->symbols[i]->kind == SHUNT_SYMBOL_SOURCE)
            add_source(e, c->symbols[i]);
        else if (c->symbols[i]->kind == SHUNT_SYMBOL_CODE)
            add_code(e, c->symbols[i]);
        else if (c->symbols[i]->kind == SHUNT_SYMBOL_TABLE)
            add_table(e, c->symbols[i], rows, row_sets);
    for (uint32_t i = 0; i < c->symbol_count; i++)
        if (c->symbols[i]->kind == SHUNT_SYMBOL_TARGET) add_target(e, c->symbols[i]);
}
