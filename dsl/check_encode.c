/* Messages as encodings of a target: `encode x12 ...`. Every segment has to have its place in the guide, in the order of the guide, every
 * element its type and length; what the guide requires has to be there. The values become members of shapes, as if they were fields that
 * nobody else can name, and the rest becomes the table that the encoder follows. */
#include "dsl/check_message.h"
#include "standards/definition.h"

/* ---- what the encoder will follow ---- */

uint32_t message_open(writing *w, shunt_message_item item)
{
    shunt_message_item *made = PUSH(w->k, &w->items);
    *made = item;
    return w->items.count - 1;
}

void message_close(writing *w, uint32_t at) { w->items.items[at].count = w->items.count - at - 1; }

void message_tell(writing *w, const char *name, shunt_text value)
{
    shunt_message *m = w->message;
    if (m->setting_count == SHUNT_COUNT(m->settings)) return;
    m->settings[m->setting_count][0] = shunt_text_of(name);
    m->settings[m->setting_count++][1] = value;
}

/* The value becomes a member; its number. */
uint16_t message_value(writing *w, member_list *members, shunt_ast *node, shunt_ty type, shunt_ast *each)
{
    shunt_member *made = PUSH(w->k, members);
    type.optional = type.kind != SHUNT_TY_LIST;
    type.clearable = type.literal = false;
    *made = (shunt_member){ .name = check_format(w->k, "%u", members->count), .type = type, .decl = each, .value = node };
    if (++w->values == VALUES_AT_MOST) too_large(w->k, node->span, "this message", VALUES_AT_MOST);
    return (uint16_t)(members->count - 1);
}

static shunt_shape *shape_of(writing *w, const member_list *members)
{
    shunt_shape *shape = NEW(w->k, shunt_shape);
    *shape = (shunt_shape){ .kind = SHUNT_SHAPE_TARGET,
                            .name = check_format(w->k, "%.*s message", SHUNT_TEXT_ARGS(w->target->name)),
                            .members = members->items,
                            .count = members->count,
                            .symbol = w->target };
    return shape;
}

/* ---- `for each` ---- */

void message_pass_begin(writing *w, shunt_ast *each, pass *p)
{
    memset(p, 0, sizeof *p);
    p->lost = w->k->lost;
    enter_block(w->k);
    w->k->lost = !check_each(w->k, each, &p->inner) || p->lost;
    p->item = message_open(w, (shunt_message_item){ .kind = SHUNT_MESSAGE_EACH });
    w->each_depth++;
}

void message_pass_end(writing *w, shunt_ast *each, pass *p, member_list *outer)
{
    shunt_ty *row = NEW(w->k, shunt_ty);
    leave_each(w->k, &p->inner);
    leave_block(w->k);
    w->k->lost = p->lost;
    w->each_depth--;
    message_close(w, p->item);
    *row = row_of(shape_of(w, &p->members));
    shunt_ty list = { .kind = SHUNT_TY_LIST, .item = row };
    w->items.items[p->item].field = message_value(w, outer, each, list, each);
}

/* ---- the way through the guide ---- */

static uint16_t position_of(const shunt_entry *entry) { return entry->loop ? entry->loop->position : entry->segment->position; }

static void step_in(writing *w, const shunt_loop *loop)
{
    if (w->depth == WAY_DEPTH) return;
    w->way[w->depth++] = (spot){ loop, 0, NEW_N(w->k, bool, loop->body_count) };
}

/* Exactly one of the two is set. */
static uint8_t usage_of(const shunt_entry *entry)
{
    if (entry->loop) return entry->loop->usage;
    return entry->segment ? entry->segment->usage : SHUNT_SITUATIONAL;
}

static bool made_by_writer(const char *id)
{
    static const char *const ids[] = { "ISA", "GS", "ST", "SE", "GE", "IEA", "FHS", "BHS", "MSH", "BTS", "FTS" };
    for (size_t i = 0; i < SHUNT_COUNT(ids); i++)
        if (strcmp(id, ids[i]) == 0) return true;
    return false;
}

/* What the guide requires of a loop that is over and was not written. */
static void report_required(writing *w, const spot *s, const shunt_ast *at)
{
    check     *k = w->k;
    shunt_text missing = { 0 };
    for (uint32_t i = 0; i < s->loop->body_count; i++) {
        const shunt_entry *entry = &s->loop->body[i];
        uint8_t            usage = usage_of(entry);
        if (usage != SHUNT_REQUIRED || s->seen[i] || (entry->segment && made_by_writer(entry->segment->id))) continue;
        missing = check_format(k, "%.*s%s`%s%s`", SHUNT_TEXT_ARGS(missing), missing.length ? ", " : "",
                               entry->loop ? "loop " : "", entry->loop ? entry->loop->id : entry->segment->id);
    }
    if (!missing.length || w->lost) return;
    shunt_diag *d = s->loop->id[0] ? shunt_diag_add(k->diags, SHUNT_E0305, at->span, "loop %s of %s %s lacks %.*s", s->loop->id,
                                                    w->guide->set, w->guide->version, SHUNT_TEXT_ARGS(missing))
                                   : shunt_diag_add(k->diags, SHUNT_E0305, at->span, "%s %s lacks %.*s", w->guide->set,
                                                    w->guide->version, SHUNT_TEXT_ARGS(missing));
    shunt_diag_note(k->diags, d, "the guide requires it");
    shunt_diag_help(k->diags, d, "`shunt dict %s` lists what stands in which order", w->guide->set);
}

static void step_out(writing *w, uint32_t depth, const shunt_ast *at)
{
    while (w->depth > depth) report_required(w, &w->way[--w->depth], at);
}

static shunt_ast *value_at(const shunt_ast *positions, uint32_t element, uint32_t component);

/* The segment may stand at this node: the id is its, and the qualifier, where it is written out, one of its. */
static bool takes(const shunt_segment_node *node, const shunt_ast *segment)
{
    shunt_text literal;
    if (!shunt_text_is(kid(segment, SHUNT_ENCODE_SEGMENT_name)->text, node->id)) return false;
    if (!node->key_element || !node->key) return true;
    const shunt_ast *value = value_at(kid(segment, SHUNT_ENCODE_SEGMENT_positions), node->key_element, node->key_component);
    return !value || !shunt_fold_text(value, &literal) || shunt_segment_takes(node, literal);
}

/* How the segment may begin the loop: `chain` gets the entries that lead to it, a loop in a loop in HL7; their number, 0 = it can not. */
static uint32_t begins(const writing *w, const shunt_loop *loop, const shunt_ast *segment, uint32_t chain[static WAY_DEPTH],
                       uint32_t depth)
{
    for (uint32_t i = 0; depth < WAY_DEPTH && i < loop->body_count; i++) {
        const shunt_entry *entry = &loop->body[i];
        uint32_t           deeper = 0;
        chain[depth] = i;
        if (entry->segment && takes(entry->segment, segment)) return depth + 1;
        if (entry->loop && w->hl7) deeper = begins(w, entry->loop, segment, chain, depth + 1);
        if (deeper) return deeper;
        /* X12: the first segment alone; HL7: each that may come first. */
        if (!w->hl7 || usage_of(entry) == SHUNT_REQUIRED) return 0;
    }
    return 0;
}

static uint32_t first_alike(const spot *s)
{
    uint32_t from = s->at;
    while (from > 0 && position_of(&s->loop->body[from - 1]) == position_of(&s->loop->body[s->at])) from--;
    return from;
}

/* The place of the segment, from where the one before it stands; NULL = none. `once`: it can not stand there again. */
static const shunt_segment_node *find_place(writing *w, const shunt_ast *segment, bool *once, shunt_message_item *item)
{
    uint32_t chain[WAY_DEPTH];
    for (uint32_t depth = w->depth; depth-- > 0;) {
        spot *s = &w->way[depth];
        for (uint32_t i = first_alike(s); i < s->loop->body_count; i++) {
            const shunt_entry *entry = &s->loop->body[i];
            uint16_t           most = entry->loop ? entry->loop->max : entry->segment->max;
            uint32_t           levels = entry->loop ? begins(w, entry->loop, segment, chain, 0) : 0;
            if ((s->seen[i] && most == 1) || !(entry->loop ? levels > 0 : takes(entry->segment, segment))) continue;
            step_out(w, depth + 1, segment);
            s->at = i;
            s->seen[i] = true;
            *once = most == 1;
            bool required = usage_of(entry) == SHUNT_REQUIRED;
            for (uint32_t l = 0; l < levels; l++) {
                step_in(w, entry->loop);
                spot *inner = &w->way[w->depth - 1];
                inner->at = chain[l];
                inner->seen[chain[l]] = true;
                entry = &inner->loop->body[chain[l]];
                *once = *once && (entry->loop ? entry->loop->max : entry->segment->max) == 1;
                item->flags |= SHUNT_MESSAGE_STARTS;
                item->decimals++;
            }
            if (required) item->flags |= SHUNT_MESSAGE_REQUIRED;
            item->number = (uint16_t)(w->depth - 1);
            return entry->segment;
        }
    }
    return NULL;
}

static bool stands_in(const shunt_loop *loop, shunt_text id, unsigned depth)
{
    for (uint32_t i = 0; depth < WAY_DEPTH && i < loop->body_count; i++) {
        const shunt_entry *entry = &loop->body[i];
        if (entry->loop ? stands_in(entry->loop, id, depth + 1) : shunt_text_is(id, entry->segment->id)) return true;
    }
    return false;
}

static void report_no_place(writing *w, const shunt_ast *segment)
{
    check           *k = w->k;
    const shunt_ast *name = kid(segment, SHUNT_ENCODE_SEGMENT_name);
    shunt_diag      *d;
    w->lost = true;
    if (made_by_writer(shunt_text_z(k->arena, name->text) ? shunt_text_z(k->arena, name->text) : "")) {
        d = shunt_diag_add(k->diags, SHUNT_E0202, name->span, "`%.*s` is made by the writer", SHUNT_TEXT_ARGS(name->text));
        shunt_diag_help(k->diags, d, "leave it out; settings say what it holds: `%s: ...`",
                        w->hl7 ? "sending_application" : "sender");
        return;
    }
    if (!stands_in(w->guide->body, name->text, 0)) {
        d = shunt_diag_add(k->diags, SHUNT_E0202, name->span, "%s %s has no segment `%.*s`", w->guide->set, w->guide->version,
                           SHUNT_TEXT_ARGS(name->text));
        shunt_diag_help(k->diags, d, "`shunt dict %s` lists its segments", w->guide->set);
        return;
    }
    d = shunt_diag_add(k->diags, SHUNT_E0202, name->span, "`%.*s` has no place here in %s %s", SHUNT_TEXT_ARGS(name->text),
                       w->guide->set, w->guide->version);
    shunt_diag_note(k->diags, d, "segments are written in the order of the guide, and no more often than it allows");
    shunt_diag_help(k->diags, d, "`shunt dict %s` lists what stands in which order", w->guide->set);
}

/* ---- elements ---- */

/* `2`, `2.1`. */
static bool read_place(const shunt_ast *place, uint32_t *element, uint32_t *component)
{
    uint32_t numbers[2] = { 0, 0 }, at = 0;
    for (uint32_t i = 0; i < place->text.length; i++) {
        char c = place->text.bytes[i];
        if (c == '.')
            at++;
        else if (c >= '0' && c <= '9' && numbers[at] <= PLACES_AT_MOST)
            numbers[at] = numbers[at] * 10 + (uint32_t)(c - '0');
        if (at > 1) return false;
    }
    *element = numbers[0];
    *component = numbers[1];
    return numbers[0] > 0 && numbers[0] <= PLACES_AT_MOST && (at == 0 || (numbers[1] > 0 && numbers[1] <= PLACES_AT_MOST));
}

static shunt_ast *place_of(const shunt_ast *entry) { return kid(entry, 0); /* of ENCODE_POSITION as of ENCODE_PARTS */ }

/* What is written at element and component (0 = the whole element, or its first component), NULL = nothing, or parts. */
static shunt_ast *value_at(const shunt_ast *positions, uint32_t element, uint32_t component)
{
    uint32_t e, c;
    for (uint32_t i = 0; positions && i < positions->kid_count; i++) {
        const shunt_ast *entry = positions->kids[i];
        if ((entry->kind != SHUNT_AST_ENCODE_POSITION && entry->kind != SHUNT_AST_ENCODE_PARTS) ||
            !read_place(place_of(entry), &e, &c) || e != element)
            continue;
        if (entry->kind == SHUNT_AST_ENCODE_PARTS)
            return component ? value_at(kid(entry, SHUNT_ENCODE_PARTS_parts), component, 0) : NULL;
        if (c == component || (c <= 1 && component <= 1)) return kid(entry, SHUNT_ENCODE_POSITION_value);
    }
    return NULL;
}

bool message_numeric(const shunt_ty *type)
{
    return type->kind == SHUNT_TY_INT || type->kind == SHUNT_TY_DECIMAL || type->kind == SHUNT_TY_MONEY ||
           type->kind == SHUNT_TY_PERCENT || type->kind == SHUNT_TY_QUANTITY;
}

bool message_textual(const shunt_ty *type) { return shunt_ty_is_textual(type) || type->kind == SHUNT_TY_ENUM; }

/* HL7: lengths are those of what is longest, and numbers and codes are texts. */
static bool format_for_hl7(const shunt_element *e, const shunt_ty *type, shunt_message_item *item, const char **wanted)
{
    item->format = SHUNT_FORMAT_TEXT;
    item->min = 0;
    item->max = e->max_length;
    switch ((shunt_value_type)e->type) {
    case SHUNT_VALUE_AMOUNT:
    case SHUNT_VALUE_DECIMAL:
    case SHUNT_VALUE_IMPLIED: *wanted = "a number"; return message_numeric(type);
    case SHUNT_VALUE_INT:
        *wanted = "a whole number";
        return type->kind == SHUNT_TY_INT || (message_numeric(type) && type->scale == 0);
    case SHUNT_VALUE_DATE:
    case SHUNT_VALUE_MOMENT:
        item->max = 0;
        item->format = type->kind == SHUNT_TY_MOMENT ? SHUNT_FORMAT_MOMENT : SHUNT_FORMAT_DATE;
        *wanted = e->type == SHUNT_VALUE_DATE ? "a date" : "a date or datetime";
        return type->kind == SHUNT_TY_DATE || (type->kind == SHUNT_TY_MOMENT && e->type == SHUNT_VALUE_MOMENT);
    case SHUNT_VALUE_TIME: *wanted = "a text as HHMM"; return type->kind == SHUNT_TY_TIME || message_textual(type);
    default: *wanted = "a text"; return message_textual(type) || message_numeric(type);
    }
}

/* How a value of this type is written at an element of that one. False: it can not be. */
static bool format_for(const shunt_element *e, const shunt_ty *type, shunt_message_item *item, const char **wanted)
{
    item->min = e->min_length;
    item->max = e->max_length;
    switch ((shunt_value_type)e->type) {
    case SHUNT_VALUE_CODE:
        item->format = SHUNT_FORMAT_CODE;
        *wanted = "a code";
        return message_textual(type) || type->kind == SHUNT_TY_INT;
    case SHUNT_VALUE_AMOUNT:
    case SHUNT_VALUE_DECIMAL:
    case SHUNT_VALUE_IMPLIED:
        item->format = e->implied || e->type == SHUNT_VALUE_IMPLIED ? SHUNT_FORMAT_IMPLIED : SHUNT_FORMAT_NUMBER;
        item->decimals = e->implied ? e->implied : e->decimals;
        *wanted = "a number";
        return message_numeric(type);
    case SHUNT_VALUE_INT:
        item->format = SHUNT_FORMAT_IMPLIED;
        item->decimals = 0;
        *wanted = "a whole number";
        return type->kind == SHUNT_TY_INT || (message_numeric(type) && type->scale == 0);
    case SHUNT_VALUE_DATE:
        item->format = SHUNT_FORMAT_DATE;
        *wanted = "a date";
        return type->kind == SHUNT_TY_DATE;
    case SHUNT_VALUE_DATE_BY_QUALIFIER:
        item->format = type->kind == SHUNT_TY_DATE ? SHUNT_FORMAT_DATE : SHUNT_FORMAT_TEXT;
        *wanted = "a date, or a text as the qualifier says";
        return type->kind == SHUNT_TY_DATE || message_textual(type);
    case SHUNT_VALUE_TIME:
        item->format = type->kind == SHUNT_TY_MOMENT ? SHUNT_FORMAT_TIME : SHUNT_FORMAT_TEXT;
        *wanted = "a datetime, or a text as HHMM";
        return type->kind == SHUNT_TY_MOMENT || type->kind == SHUNT_TY_TIME || message_textual(type);
    default:
        item->format = SHUNT_FORMAT_TEXT;
        *wanted = "a text";
        return message_textual(type) || message_numeric(type);
    }
}

static void check_length(writing *w, const shunt_ast *node, const shunt_ty *type, const shunt_message_item *item,
                         shunt_text shown)
{
    check      *k = w->k;
    shunt_text  literal;
    shunt_diag *d;
    bool        known = shunt_fold_text(node, &literal);
    uint32_t    length = known ? shunt_utf8_count(literal) : shunt_ty_is_textual(type) ? type->length : 0;
    if (item->format != SHUNT_FORMAT_TEXT && item->format != SHUNT_FORMAT_CODE) return;
    if (item->max && length > item->max) {
        d = shunt_diag_add(k->diags, SHUNT_E0311, node->span, "%.*s holds %u characters, and this %s %u", SHUNT_TEXT_ARGS(shown),
                           item->max, known ? "has" : "may have", length);
        if (!known) shunt_diag_help(k->diags, d, "cut it: `part(%.*s, 1, %u)`", SHUNT_TEXT_ARGS(short_text(k, node)), item->max);
        if (!known) shunt_diag_help(k->diags, d, "or declare the field no longer: `text(%u)`", item->max);
        return;
    }
    if (!known || item->format != SHUNT_FORMAT_CODE || !length || length >= item->min) return;
    d = shunt_diag_add(k->diags, SHUNT_E0210, node->span, "%.*s is a code of at least %u characters", SHUNT_TEXT_ARGS(shown),
                       item->min);
    shunt_diag_here(k->diags, d, "this has %u", length);
}

static bool check_code(writing *w, const shunt_ast *node, const shunt_element *e, shunt_text shown)
{
    check     *k = w->k;
    shunt_text literal;
    if (!e->codes || !e->codes->complete || !shunt_fold_text(node, &literal) || shunt_codeset_has(e->codes, literal)) return true;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0210, node->span, "\"%.*s\" is no code of %.*s", SHUNT_TEXT_ARGS(literal),
                                   SHUNT_TEXT_ARGS(shown));
    shunt_text  some = { 0 };
    for (uint32_t i = 0; i < e->codes->count && i < 6; i++)
        some = check_format(k, "%.*s%s\"%s\"", SHUNT_TEXT_ARGS(some), i ? ", " : "", e->codes->values[i]);
    shunt_diag_help(k->diags, d, "the guide has %.*s%s", SHUNT_TEXT_ARGS(some), e->codes->count > 6 ? " and more" : "");
    return false;
}

/* What is known of the values of a segment, to tell whether it is written at all. */
typedef struct content {
    bool sure;  /* one of them is always there and says something of the record */
    bool maybe; /* one of them may be absent */
} content;

/* One value: type, length, codes. `e` NULL: its place is not known. */
static void take_value(writing *w, member_list *members, shunt_ast *node, const shunt_element *e, shunt_text shown,
                       shunt_message_item *item, content *c)
{
    check      *k = w->k;
    shunt_ty    type = check_expr(k, node, NULL);
    const char *wanted = "";
    __int128    number;
    shunt_text  text;
    item->field = NO_FIELD;
    if (shunt_ty_is_error(&type)) return;
    while (e && e->component_count && e->components) e = &e->components[0];
    if (!shunt_ty_is_scalar(&type) ||
        (e && !(w->hl7 ? format_for_hl7(e, &type, item, &wanted) : format_for(e, &type, item, &wanted)))) {
        shunt_text  name = shunt_ty_name(k->arena, &type);
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0303, node->span, "%.*s is %s, and this is %.*s", SHUNT_TEXT_ARGS(shown),
                                       *wanted ? wanted : "one value", SHUNT_TEXT_ARGS(name));
        if (type.kind == SHUNT_TY_LIST)
            shunt_diag_help(k->diags, d, "repetitions are written by `for each x in ...  { 1: x }` in the place of a value");
        else if (type.kind == SHUNT_TY_BOOL)
            shunt_diag_help(k->diags, d, "say what stands for it: `if ... then \"Y\" else \"N\"`");
        return;
    }
    if (e && check_code(w, node, e, shown)) check_length(w, node, &type, item, shown);
    bool constant = shunt_fold_text(node, &text) || shunt_fold(node, &number);
    if (constant) item->flags |= SHUNT_MESSAGE_CONSTANT;
    c->sure = c->sure || (!constant && !type.optional);
    c->maybe = c->maybe || type.optional;
    item->field = message_value(w, members, node, type, NULL);
}

/* ---- what is written at the places of a segment or composite ---- */

typedef struct entry {
    uint32_t   element, component; /* component 0: the whole */
    shunt_ast *node;
} entry;
typedef SHUNT_LIST(entry) entry_list;

/* In order of their places. */
static void list_entries(writing *w, const shunt_ast *positions, entry_list *list)
{
    check *k = w->k;
    memset(list, 0, sizeof *list);
    for (uint32_t i = 0; positions && i < positions->kid_count; i++) {
        shunt_ast *node = positions->kids[i];
        entry      one = { .node = node };
        if (node->kind != SHUNT_AST_ENCODE_POSITION && node->kind != SHUNT_AST_ENCODE_PARTS) continue;
        if (!read_place(place_of(node), &one.element, &one.component)) {
            shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0203, place_of(node)->span, "this is no place of an element");
            shunt_diag_help(k->diags, d, "count from 1: `2: ...`, or `2.1: ...` for its first component");
            continue;
        }
        (void)PUSH(k, list);
        uint32_t at = list->count - 1;
        for (; at > 0; at--) {
            const entry *before = &list->items[at - 1];
            if (before->element < one.element || (before->element == one.element && before->component <= one.component)) break;
            list->items[at] = *before;
        }
        list->items[at] = one;
        const entry *before = at ? &list->items[at - 1] : NULL;
        if (before && before->element == one.element && (before->component == one.component || !before->component)) {
            shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0208, place_of(node)->span, "`%.*s` is written twice",
                                           SHUNT_TEXT_ARGS(place_of(node)->text));
            shunt_diag_also(k->diags, d, place_of(before->node)->span, "first here");
            shunt_diag_help(k->diags, d, "remove one of them");
        }
    }
}

/* The elements of what is written: of a segment, or of a composite. */
typedef struct frame {
    const shunt_element *elements;
    uint32_t             count;
    shunt_text           shown;     /* "NM1", "SVC01" */
    bool                 component; /* it is a composite */
    bool                 known;     /* the guide says what it holds */
} frame;

static shunt_text shown_of(const writing *w, const frame *f, uint32_t number)
{
    if (w->hl7) return check_format(w->k, f->component ? "%.*s.%u" : "%.*s-%u", SHUNT_TEXT_ARGS(f->shown), number);
    return f->component ? check_format(w->k, "%.*s-%u", SHUNT_TEXT_ARGS(f->shown), number)
                        : check_format(w->k, "%.*s%02u", SHUNT_TEXT_ARGS(f->shown), number);
}

static const shunt_element *element_of(writing *w, const frame *f, uint32_t number, const shunt_ast *at)
{
    check *k = w->k;
    if (!f->known) return NULL;
    for (uint32_t i = 0; i < f->count; i++) {
        const shunt_element *e = &f->elements[i];
        if (e->position != number) continue;
        if (e->usage != SHUNT_NOT_USED) return e;
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0205, at->span, "%.*s is not used in %s %s",
                                       SHUNT_TEXT_ARGS(shown_of(w, f, number)), w->guide->set, w->guide->version);
        shunt_diag_help(k->diags, d, "leave it out");
        return NULL;
    }
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0203, at->span, "there is no %.*s in %s %s",
                                   SHUNT_TEXT_ARGS(shown_of(w, f, number)), w->guide->set, w->guide->version);
    if (f->count)
        shunt_diag_here(k->diags, d, "the last one is %.*s", SHUNT_TEXT_ARGS(shown_of(w, f, f->elements[f->count - 1].position)));
    return NULL;
}

static void write_places(writing *w, member_list *members, const shunt_ast *positions, const frame *f, const shunt_ast *at,
                         content *c);

static frame inside(const writing *w, const frame *f, uint32_t number, const shunt_element *e)
{
    return (frame){ e ? e->components : NULL, e ? e->component_count : 0, shown_of(w, f, number), true, e && e->components };
}

/* `5: { 1: ... }`, and with `for each` its repetitions. */
static void write_parts(writing *w, member_list *members, shunt_ast *node, const frame *f, uint32_t number,
                        const shunt_element *e, content *c)
{
    shunt_ast *each = kid(node, SHUNT_ENCODE_PARTS_each), *parts = kid(node, SHUNT_ENCODE_PARTS_parts);
    frame      inner = inside(w, f, number, e);
    /* A simple element that repeats has no components: its value is written as if it had one. */
    if (e && !e->components) inner = (frame){ e, 1, inner.shown, true, false };
    if (!each) {
        if (e && !e->components) {
            shunt_diag *d =
                shunt_diag_add(w->k->diags, SHUNT_E0203, node->span, "%.*s has no components", SHUNT_TEXT_ARGS(inner.shown));
            shunt_diag_help(w->k->diags, d, "write its value: `%u: ...`", number);
        }
        write_places(w, members, parts, &inner, node, c);
        return;
    }
    if (e && e->repeats == 1) {
        shunt_diag *d = shunt_diag_add(w->k->diags, SHUNT_E0212, node->span, "%.*s does not repeat in %s %s",
                                       SHUNT_TEXT_ARGS(inner.shown), w->guide->set, w->guide->version);
        shunt_diag_help(w->k->diags, d, "write one value");
    }
    pass    p;
    content own = { 0 };
    message_pass_begin(w, each, &p);
    write_places(w, &p.members, parts, &inner, node, &own);
    message_pass_end(w, each, &p, members);
    c->maybe = true;
}

static void report_missing_elements(writing *w, const frame *f, const entry_list *list, const shunt_ast *at)
{
    check     *k = w->k;
    shunt_text missing = { 0 };
    for (uint32_t i = 0; f->known && i < f->count; i++) {
        if (f->elements[i].usage != SHUNT_REQUIRED) continue;
        bool there = false;
        for (uint32_t n = 0; n < list->count; n++) there = there || list->items[n].element == f->elements[i].position;
        if (there) continue;
        missing = check_format(k, "%.*s%s%.*s (%s)", SHUNT_TEXT_ARGS(missing), missing.length ? ", " : "",
                               SHUNT_TEXT_ARGS(shown_of(w, f, f->elements[i].position)), f->elements[i].name);
    }
    if (!missing.length) return;
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_E0305, at->span, "%.*s lacks %.*s", SHUNT_TEXT_ARGS(f->shown), SHUNT_TEXT_ARGS(missing));
    shunt_diag_note(k->diags, d, "%s %s requires it", w->guide->set, w->guide->version);
}

shunt_ast *message_node(writing *w, shunt_ast_kind kind, shunt_span span, uint32_t kids)
{
    shunt_ast *node = NEW(w->k, shunt_ast);
    *node = (shunt_ast){ .kind = (uint16_t)kind, .span = span };
    node->kids = NEW_N(w->k, shunt_ast *, kids);
    return node;
}

/* `1: value` at a place that is made up. */
static shunt_ast *made_place(writing *w, uint32_t number, shunt_ast *value)
{
    bool       parts = value->kind == SHUNT_AST_LIST;
    shunt_ast *node = message_node(w, parts ? SHUNT_AST_ENCODE_PARTS : SHUNT_AST_ENCODE_POSITION, value->span, 3);
    node->kids[0] = message_node(w, SHUNT_AST_INT, value->span, 0);
    node->kids[0]->text = check_format(w->k, "%u", number);
    node->kids[parts ? 2 : 1] = value;
    node->kid_count = parts ? 3 : 2;
    return node;
}

/* HL7: money at a field that has a place for its currency (MO, CP) is written with it: the parts that say both, else NULL. */
static shunt_ast *with_currency(writing *w, const shunt_element *e, shunt_ast *value)
{
    check     *k = w->k;
    shunt_part amount, currency;
    if (!w->hl7 || !e || !e->components || !shunt_element_money(e, &amount, &currency) || !currency.component) return NULL;
    shunt_ty type = check_expr(k, value, NULL);
    if (type.kind != SHUNT_TY_MONEY || !type.currency[0]) return NULL;
    shunt_ast *code = message_node(w, SHUNT_AST_STRING, value->span, 0), *parts = message_node(w, SHUNT_AST_LIST, value->span, 2);
    code->text = check_format(k, "%s", type.currency);
    bool deep = amount.subcomponent && currency.component == amount.component;
    parts->kids[parts->kid_count++] = made_place(w, deep ? amount.subcomponent : amount.component, value);
    parts->kids[parts->kid_count++] = made_place(w, deep ? currency.subcomponent : currency.component, code);
    if (!deep) return parts;
    shunt_ast *outer = message_node(w, SHUNT_AST_LIST, value->span, 1);
    outer->kids[outer->kid_count++] = made_place(w, amount.component, parts);
    return outer;
}

static void write_places(writing *w, member_list *members, const shunt_ast *positions, const frame *f, const shunt_ast *at,
                         content *c)
{
    entry_list list;
    list_entries(w, positions, &list);
    for (uint32_t i = 0; i < list.count;) {
        const entry         *first = &list.items[i];
        uint32_t             number = first->element;
        const shunt_element *e = element_of(w, f, number, place_of(first->node));
        shunt_message_item   item = { .kind = SHUNT_MESSAGE_ELEMENT, .number = (uint16_t)number, .field = NO_FIELD };
        if (e && e->usage == SHUNT_REQUIRED) item.flags |= SHUNT_MESSAGE_REQUIRED;
        /* Of a simple element that repeats: the value itself. */
        if (!f->known && f->component && f->elements && number == 1) e = f->elements;
        uint32_t made = message_open(w, item);
        if (first->node->kind == SHUNT_AST_ENCODE_PARTS && !first->component) {
            write_parts(w, members, first->node, f, number, e, c);
            i++;
        } else if (!first->component && with_currency(w, e, kid(first->node, SHUNT_ENCODE_POSITION_value))) {
            frame inner = inside(w, f, number, e);
            write_places(w, members, with_currency(w, e, kid(first->node, SHUNT_ENCODE_POSITION_value)), &inner, first->node, c);
            i++;
        } else if (!first->component) {
            take_value(w, members, kid(first->node, SHUNT_ENCODE_POSITION_value), e, shown_of(w, f, number), &item, c);
            w->items.items[made] = item;
            i++;
        } else {
            /* `5.1: ... 5.2: ...`: as a list of the components alone. */
            frame      inner = inside(w, f, number, e);
            shunt_ast *parts = NEW(w->k, shunt_ast);
            *parts = (shunt_ast){ .kind = SHUNT_AST_LIST, .span = first->node->span };
            parts->kids = NEW_N(w->k, shunt_ast *, list.count);
            for (; i < list.count && list.items[i].element == number; i++) {
                shunt_ast *copy = NEW(w->k, shunt_ast), *place = NEW(w->k, shunt_ast), *was = list.items[i].node;
                *copy = *was;
                copy->kids = NEW_N(w->k, shunt_ast *, was->kid_count);
                memcpy(copy->kids, was->kids, was->kid_count * sizeof *was->kids);
                *place = *place_of(was);
                place->text = check_format(w->k, "%u", list.items[i].component);
                copy->kids[0] = place;
                parts->kids[parts->kid_count++] = copy;
            }
            if (e && !e->components && f->known) {
                shunt_diag *d = shunt_diag_add(w->k->diags, SHUNT_E0203, place_of(first->node)->span, "%.*s has no components",
                                               SHUNT_TEXT_ARGS(inner.shown));
                shunt_diag_help(w->k->diags, d, "write its value: `%u: ...`", number);
            }
            write_places(w, members, parts, &inner, first->node, c);
        }
        message_close(w, made);
    }
    report_missing_elements(w, f, &list, at);
}

/* May what an expression gives be absent? False as well where its type is not known. */
static bool may_be_absent(shunt_ast *value)
{
    const shunt_fact *fact = shunt_fact_of(value);
    return fact && fact->type.optional;
}

static bool is_constant(shunt_ast *value)
{
    shunt_text text;
    __int128   number;
    return shunt_fold_text(value, &text) || shunt_fold(value, &number);
}

static void report_absent(writing *w, const shunt_ast *at, const char *what, shunt_text shown, shunt_text around)
{
    check      *k = w->k;
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_E0301, at->span, "%s may be absent, and %.*s is required", what, SHUNT_TEXT_ARGS(shown));
    shunt_diag_note(k->diags, d, "%s %s requires it where %.*s stands", w->guide->set, w->guide->version,
                    SHUNT_TEXT_ARGS(around));
    shunt_diag_help(k->diags, d, "say what to do: `%.*s otherwise ...`", SHUNT_TEXT_ARGS(short_text(k, at)));
}

/* `5: for each x in list { ... }`: how many there are is known when it runs. */
static bool is_repeated(const shunt_ast *positions, uint32_t element)
{
    uint32_t e, c;
    for (uint32_t i = 0; positions && i < positions->kid_count; i++) {
        const shunt_ast *at = positions->kids[i];
        if (at->kind == SHUNT_AST_ENCODE_PARTS && read_place(place_of(at), &e, &c) && e == element)
            return kid(at, SHUNT_ENCODE_PARTS_each) != NULL;
    }
    return false;
}

/* Of a composite: is one of its values there for sure, and are those that it requires? */
static void check_composite(writing *w, const shunt_segment_node *node, const shunt_ast *positions, const shunt_element *e)
{
    shunt_ast *absent = NULL;
    bool       sure = false;
    shunt_text shown = check_format(w->k, "%s%02u", node->id, e->position);
    for (uint32_t n = 0; n < e->component_count; n++) {
        shunt_ast *value = value_at(positions, e->position, e->components[n].position);
        if (!value || is_constant(value)) continue;
        if (!absent && may_be_absent(value)) absent = value;
        sure = sure || !may_be_absent(value);
    }
    if (absent && !sure && e->usage == SHUNT_REQUIRED && !is_repeated(positions, e->position)) {
        report_absent(w, absent, "all that it says", shown, shunt_text_of(node->id));
        return;
    }
    for (uint32_t n = 0; sure && n < e->component_count; n++) {
        const shunt_element *part = &e->components[n];
        shunt_ast           *value = value_at(positions, e->position, part->position);
        if (part->usage == SHUNT_REQUIRED && value && may_be_absent(value))
            report_absent(w, value, "this", check_format(w->k, "%.*s-%u", SHUNT_TEXT_ARGS(shown), part->position), shown);
    }
}

/* A required element may be absent although the segment is there: absence would reach what the guide requires. */
static void check_required_values(writing *w, const shunt_segment_node *node, const shunt_ast *segment, const content *c,
                                  bool required)
{
    const shunt_ast *positions = kid(segment, SHUNT_ENCODE_SEGMENT_positions);
    if (!c->maybe || (!c->sure && !required)) return;
    for (uint32_t i = 0; i < node->element_count; i++) {
        const shunt_element *e = &node->elements[i];
        if (e->components && !w->hl7) check_composite(w, node, positions, e);
        shunt_ast *value = e->usage == SHUNT_REQUIRED && !e->components ? value_at(positions, e->position, 0) : NULL;
        if (value && may_be_absent(value))
            report_absent(w, value, "this", check_format(w->k, "%s%02u", node->id, e->position), shunt_text_of(node->id));
    }
}

/* ---- segments ---- */

static void check_items(writing *w, member_list *members, shunt_ast *items, bool top);

static shunt_message_item *item_of(writing *w, uint32_t segment, uint32_t number)
{
    for (uint32_t i = segment + 1; i < w->items.count; i += 1 + w->items.items[i].count)
        if (w->items.items[i].number == number) return &w->items.items[i];
    return NULL;
}

static uint32_t two_digits(const char *z) { return (uint32_t)(z[0] - '0') * 10 + (uint32_t)(z[1] - '0'); }

/* A qualifier that is written out is nothing without its value: where the standard pairs them (P0809: both or none; C0809: 08 needs 09), it
 * stands only with that. */
static void pair_constants(writing *w, uint32_t segment, const char *syntax)
{
    for (const char *at = syntax; at && *at;) {
        char kind = *at++;
        for (const char *one = at; (kind == 'P' || kind == 'C') && one[0] >= '0' && one[0] <= '9'; one += 2) {
            shunt_message_item *item = item_of(w, segment, two_digits(one));
            if (!item || item->with || !(item->flags & SHUNT_MESSAGE_CONSTANT) || item->flags & SHUNT_MESSAGE_REQUIRED) continue;
            for (const char *other = at; other[0] >= '0' && other[0] <= '9' && !item->with; other += 2) {
                const shunt_message_item *value = item_of(w, segment, two_digits(other));
                if (value && !(value->flags & SHUNT_MESSAGE_CONSTANT)) item->with = value->number;
            }
            if (kind == 'C') break; /* the first one needs the others */
        }
        while (*at && *at != ' ') at++;
        while (*at == ' ') at++;
    }
}

static const shunt_segment_node *write_segment(writing *w, member_list *members, shunt_ast *segment, bool *once)
{
    shunt_ast *name = kid(segment, SHUNT_ENCODE_SEGMENT_name), *positions = kid(segment, SHUNT_ENCODE_SEGMENT_positions);
    content    c = { 0 };
    for (uint32_t i = 0; positions && i < positions->kid_count; i++) /* types first: qualifiers decide the place */
        if (positions->kids[i]->kind == SHUNT_AST_ENCODE_POSITION)
            (void)check_expr(w->k, kid(positions->kids[i], SHUNT_ENCODE_POSITION_value), NULL);
    shunt_message_item        item = { .kind = SHUNT_MESSAGE_SEGMENT, .name = name->text, .field = NO_FIELD };
    const shunt_segment_node *node = find_place(w, segment, once, &item);
    bool                      own = w->hl7 && name->text.length && name->text.bytes[0] == 'Z';
    if (own && !node) item.number = (uint16_t)(w->depth - 1);
    if (!node && !own) report_no_place(w, segment);
    uint32_t made = message_open(w, item);
    frame    f = { node ? node->elements : NULL, node ? node->element_count : 0, name->text, false, node != NULL };
    write_places(w, members, positions, &f, name, &c);
    message_close(w, made);
    if (node) pair_constants(w, made, node->syntax);
    if (node) check_required_values(w, node, segment, &c, item.flags & SHUNT_MESSAGE_REQUIRED && item.number == 0);
    return node;
}

static void report_once(writing *w, const shunt_ast *segment)
{
    const shunt_ast *name = kid(segment, SHUNT_ENCODE_SEGMENT_name);
    shunt_diag      *d = shunt_diag_add(w->k->diags, SHUNT_E0212, name->span, "`%.*s` stands once here in %s %s",
                                        SHUNT_TEXT_ARGS(name->text), w->guide->set, w->guide->version);
    shunt_diag_here(w->k->diags, d, "and `for each` writes several");
    shunt_diag_help(w->k->diags, d, "`shunt dict %s` tells what repeats", w->guide->set);
}

static void check_segment(writing *w, member_list *members, shunt_ast *segment, bool several)
{
    shunt_ast *each = kid(segment, SHUNT_ENCODE_SEGMENT_each);
    bool       once = false;
    if (!each) {
        if (write_segment(w, members, segment, &once) && several && once) report_once(w, segment);
        return;
    }
    pass p;
    message_pass_begin(w, each, &p);
    if (write_segment(w, &p.members, segment, &once) && once) report_once(w, segment);
    message_pass_end(w, each, &p, members);
}

static shunt_ast *first_segment(const shunt_ast *items)
{
    for (uint32_t i = 0; items && i < items->kid_count; i++)
        if (items->kids[i]->kind == SHUNT_AST_ENCODE_SEGMENT) return i ? NULL : items->kids[i];
    return NULL;
}

static uint32_t segments_in(const shunt_ast *items)
{
    uint32_t count = 0;
    for (uint32_t i = 0; items && i < items->kid_count; i++)
        count += items->kids[i]->kind == SHUNT_AST_ENCODE_SEGMENT || items->kids[i]->kind == SHUNT_AST_ENCODE_EACH;
    return count;
}

/* Several segments that repeat together are a loop of the guide, and its first segment begins it. */
static void check_repeats(writing *w, const shunt_ast *items, uint32_t depth_before)
{
    const shunt_ast *first = first_segment(items);
    if (!first || segments_in(items) < 2 || w->lost) return;
    for (uint32_t i = 0; i < w->depth; i++) {
        const shunt_loop *loop = w->way[i].loop;
        if (loop->id[0] && loop->max != 1 && loop->body[0].segment && takes(loop->body[0].segment, first) &&
            i + 1 >= depth_before)
            return;
    }
    const shunt_ast *name = kid(first, SHUNT_ENCODE_SEGMENT_name);
    shunt_diag      *d = shunt_diag_add(w->k->diags, SHUNT_E0212, name->span, "`%.*s` begins no loop of %s %s that repeats here",
                                        SHUNT_TEXT_ARGS(name->text), w->guide->set, w->guide->version);
    shunt_diag_note(w->k->diags, d, "segments that repeat together are a loop, and its first segment begins it");
    shunt_diag_help(w->k->diags, d, "`shunt dict %s` lists the loops", w->guide->set);
}

static void check_each_item(writing *w, member_list *members, shunt_ast *item, bool top)
{
    shunt_ast *each = kid(item, SHUNT_ENCODE_EACH_each), *items = kid(item, SHUNT_ENCODE_EACH_items);
    uint32_t   depth = w->depth;
    if (each) {
        pass p;
        message_pass_begin(w, each, &p);
        check_items(w, &p.members, items, false);
        check_repeats(w, items, depth);
        message_pass_end(w, each, &p, members);
        return;
    }
    if (!top || w->records || w->hl7) {
        shunt_diag *d = shunt_diag_add(w->k->diags, SHUNT_E0306, item->span,
                                       w->hl7 ? "a message of HL7 is written for each record"
                                       : top  ? "`for each record` stands once"
                                              : "`for each record` stands outside of every loop");
        shunt_diag_help(w->k->diags, d, "what repeats within a record is a list: `for each x in lines { ... }`");
    }
    w->records = true;
    uint32_t made = message_open(w, (shunt_message_item){ .kind = SHUNT_MESSAGE_RECORD, .field = NO_FIELD });
    check_items(w, members, items, false);
    check_repeats(w, items, depth);
    message_close(w, made);
}

static void check_items(writing *w, member_list *members, shunt_ast *items, bool top)
{
    bool alone = !top && segments_in(items) == 1;
    for (uint32_t i = 0; items && i < items->kid_count; i++) {
        shunt_ast *item = items->kids[i];
        if (item->kind == SHUNT_AST_ENCODE_SEGMENT) {
            check_segment(w, members, item, alone);
        } else if (item->kind == SHUNT_AST_ENCODE_EACH) {
            check_each_item(w, members, item, top);
        } else if (item->kind != SHUNT_AST_ERROR && !(item->kind == SHUNT_AST_SETTING && top)) {
            shunt_diag *d = shunt_diag_add(w->k->diags, SHUNT_E0209, item->span, "this has no place in `encode %s`%s", w->kind,
                                           top ? "" : " here");
            shunt_diag_help(w->k->diags, d, "write `segment NAME { 1: ... }`");
        }
    }
}

/* ---- settings ---- */

static const setting_kind x12_settings[] = {
    { "sender", SHUNT_X12_SENDER, 1, 15, true },
    { "receiver", SHUNT_X12_RECEIVER, 1, 15, true },
    { "sender_qualifier", SHUNT_X12_SENDER_QUALIFIER, 2, 2, false },
    { "receiver_qualifier", SHUNT_X12_RECEIVER_QUALIFIER, 2, 2, false },
    { "group_sender", SHUNT_X12_GROUP_SENDER, 2, 15, false },
    { "group_receiver", SHUNT_X12_GROUP_RECEIVER, 2, 15, false },
    { "usage", SHUNT_X12_USAGE, 1, 1, false },
    { "control", 0, 0, 0, false },
    { "acknowledge", 0, 0, 0, false },
    { "separators", 0, 0, 0, false },
    { "line", 0, 0, 0, false },
    { "encoding", 0, 0, 0, false },
    { "delimiters", 0, 0, 0, false },
    { "interchange", 0, 0, 0, false },
    { NULL, 0, 0, 0, false },
};

static const setting_kind hl7_settings[] = {
    { "sending_application", SHUNT_HL7_SENDING_APPLICATION, 1, 180, true },
    { "sending_facility", SHUNT_HL7_SENDING_FACILITY, 1, 180, false },
    { "receiving_application", SHUNT_HL7_RECEIVING_APPLICATION, 1, 180, true },
    { "receiving_facility", SHUNT_HL7_RECEIVING_FACILITY, 1, 180, false },
    { "processing", SHUNT_HL7_PROCESSING, 1, 1, false },
    { "accept_ack", SHUNT_HL7_ACCEPT_ACK, 2, 2, false },
    { "application_ack", SHUNT_HL7_APPLICATION_ACK, 2, 2, false },
    { "control", 0, 0, 0, false },
    { "separators", 0, 0, 0, false },
    { "line", 0, 0, 0, false },
    { "encoding", 0, 0, 0, false },
    { "frame", 0, 0, 0, false },
    { NULL, 0, 0, 0, false },
};

static const setting_kind *find_setting(const setting_kind *known, shunt_text name)
{
    for (; known->name; known++)
        if (shunt_text_is(name, known->name)) return known;
    return NULL;
}

static void unknown_setting(writing *w, const setting_kind *known, const shunt_ast *name)
{
    check        *k = w->k;
    shunt_text    list = { 0 };
    shunt_suggest s;
    shunt_diag   *d = shunt_diag_add(k->diags, SHUNT_E0209, name->span, "`encode %s` has no setting `%.*s`", w->kind,
                                     SHUNT_TEXT_ARGS(name->text));
    shunt_suggest_init(&s, name->text, 1);
    for (; known->name; known++) {
        shunt_suggest_offer(&s, shunt_text_of(known->name), (shunt_text){ 0 }, true, 0);
        list = check_format(k, "%.*s%s`%s`", SHUNT_TEXT_ARGS(list), list.length ? ", " : "", known->name);
    }
    shunt_text near = shunt_suggest_text(&s, k->arena);
    if (near.length)
        shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
    else
        shunt_diag_help(k->diags, d, "it has %.*s", SHUNT_TEXT_ARGS(list));
}

/* A value of the envelope: an expression over the fields, as those of segments are. */
static void check_setting_value(writing *w, member_list *members, const setting_kind *kind, shunt_ast *value)
{
    check             *k = w->k;
    shunt_message_item item = { .kind = SHUNT_MESSAGE_SETTING,
                                .format = SHUNT_FORMAT_CODE,
                                .number = kind->number,
                                .min = kind->min,
                                .max = kind->max,
                                .flags = kind->required ? SHUNT_MESSAGE_REQUIRED : 0 };
    shunt_ty           type = check_expr(k, value, NULL);
    if (shunt_ty_is_error(&type)) return;
    if (!message_textual(&type)) {
        shunt_diag_add(k->diags, SHUNT_E0303, value->span, "`%s` is a text", kind->name);
        return;
    }
    if (type.optional && kind->required) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0301, value->span, "this may be absent, and `%s` is needed", kind->name);
        shunt_diag_help(k->diags, d, "say what to do: `%.*s otherwise ...`", SHUNT_TEXT_ARGS(short_text(k, value)));
    }
    check_length(w, value, &type, &item, check_format(k, "`%s`", kind->name));
    item.field = message_value(w, members, value, type, NULL);
    (void)message_open(w, item);
}

void message_settings(writing *w, member_list *members, const setting_kind *known, const shunt_ast *items,
                      const shunt_ast *encode)
{
    check *k = w->k;
    for (uint32_t i = 0; items && i < items->kid_count; i++) {
        shunt_ast *item = items->kids[i], *name = kid(item, SHUNT_SETTING_name), *value = kid(item, SHUNT_SETTING_value);
        if (item->kind != SHUNT_AST_SETTING || !name || !value) continue;
        const setting_kind *kind = find_setting(known, name->text);
        if (!kind) {
            unknown_setting(w, known, name);
            continue;
        }
        if (kind->number) {
            check_setting_value(w, members, kind, value);
            continue;
        }
        if (value->kind != SHUNT_AST_STRING && value->kind != SHUNT_AST_ERROR) {
            shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0303, value->span, "`%s` must be written out", kind->name);
            shunt_diag_help(k->diags, d, "write a text in quotes");
            continue;
        }
        message_tell(w, kind->name, value->text);
    }
    for (; known->name; known++) {
        if (!known->required) continue;
        bool there = false;
        for (uint32_t i = 0; items && i < items->kid_count; i++)
            there = there || (items->kids[i]->kind == SHUNT_AST_SETTING && kid(items->kids[i], 0) &&
                              shunt_text_is(kid(items->kids[i], 0)->text, known->name));
        if (there) continue;
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0305, encode->span, "`encode %s` does not say `%s`", w->kind, known->name);
        shunt_diag_help(k->diags, d, "add it: `%s: \"...\"`, or a field of the target", known->name);
    }
}

/* ---- the whole ---- */

void message_finish(writing *w, const member_list *members)
{
    check             *k = w->k;
    shunt_target_info *info = w->target->as.target;
    shunt_shape       *values = shape_of(w, members), *whole = NEW(k, shunt_shape);
    *whole = *values;
    whole->count = info->shape->count + values->count;
    whole->members = NEW_N(k, shunt_member, whole->count);
    memcpy(whole->members, info->shape->members, info->shape->count * sizeof *whole->members);
    if (values->count) memcpy(whole->members + info->shape->count, values->members, values->count * sizeof *whole->members);
    w->message->values = values;
    w->message->whole = whole;
    w->message->items = w->items.items;
    w->message->item_count = w->items.count;
    info->message = w->message;
}

static const shunt_guide *x12_guide(check *k, shunt_ast *encode)
{
    shunt_ast *args = kid(encode, SHUNT_ENCODE_args), *set = kid(args, 1), *version = kid(args, 2);
    if (!set || !version || args->kid_count != 3 || version->kind != SHUNT_AST_STRING) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0306, kid(args, 0)->span, "`encode x12` names a set and its guide");
        shunt_diag_help(k->diags, d, "write `encode x12 820 \"005010X218\" { ... }`");
        return NULL;
    }
    const shunt_guide *guide = shunt_definition_find(k->c->definitions, SHUNT_STANDARD_X12, set->text, version->text);
    if (guide) return guide;
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0201, version->span, "there is no guide \"%.*s\" for set %.*s",
                                   SHUNT_TEXT_ARGS(version->text), SHUNT_TEXT_ARGS(set->text));
    shunt_diag_help(k->diags, d, "`shunt dict` lists sets and guides");
    return NULL;
}

static const shunt_guide *hl7_message(check *k, shunt_ast *encode)
{
    shunt_ast *args = kid(encode, SHUNT_ENCODE_args), *set = kid(args, 1), *version = kid(args, 2);
    if (set && version && args->kid_count == 3 && set->kind == SHUNT_AST_STRING && version->kind == SHUNT_AST_STRING &&
        memchr(set->text.bytes, '^', set->text.length))
        return hl7_guide(k, set, version);
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0306, kid(args, 0)->span, "`encode hl7` names a message and its version");
    shunt_diag_help(k->diags, d, "write type and event: `encode hl7 \"DFT^P03\" \"2.5.1\" { ... }`");
    return NULL;
}

/* MSH-9.3 is there since 2.3.1. */
static void tell_guide(writing *w)
{
    shunt_text version = shunt_text_of(w->guide->version);
    message_tell(w, "set", shunt_text_of(w->guide->set));
    message_tell(w, "guide", version);
    if (!w->hl7)
        message_tell(w, "functional_id", shunt_text_of(w->guide->functional_id));
    else if (shunt_hl7_version_compare(version, SHUNT_TEXT("2.3.1")) >= 0)
        message_tell(w, "structure", shunt_text_of(w->guide->functional_id));
}

bool check_message(check *k, shunt_symbol *target, shunt_ast *encode)
{
    shunt_ast *args = kid(encode, SHUNT_ENCODE_args), *items = kid(encode, SHUNT_ENCODE_items), *kind = kid(args, 0);
    bool       hl7 = kind && shunt_text_is(kind->text, "hl7");
    bool       fhir = kind && shunt_text_is(kind->text, "fhir");
    if (!kind || (!hl7 && !fhir && !shunt_text_is(kind->text, "x12"))) return false;
    if (target->as.target->journal) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0306, kind->span, "a journal is not written as a message");
        shunt_diag_help(k->diags, d, "emit a record for it: `target ... { ... encode %.*s ... }`", SHUNT_TEXT_ARGS(kind->text));
        return true;
    }
    member_list members = { 0 };
    writing     w = { .k = k, .target = target, .kind = hl7 ? "hl7" : "x12", .hl7 = hl7, .message = NEW(k, shunt_message) };
    if (fhir) {
        w.kind = "fhir";
        message_fhir(&w, encode);
        return true;
    }
    w.guide = hl7 ? hl7_message(k, encode) : x12_guide(k, encode);
    if (!w.guide) {
        use_names(k, encode);
        return true;
    }
    tell_guide(&w);
    message_settings(&w, &members, hl7 ? hl7_settings : x12_settings, items, encode);
    step_in(&w, w.guide->body);
    check_items(&w, &members, items, true);
    step_out(&w, 0, kind);
    message_finish(&w, &members);
    return true;
}
