/* HL7 v2: what a source of it reads (messages, versions, segments of the site), and paths as analysts write them: `PID-3.1`,
 * `FT1-11.1.2`, `ft.FT1-6`, `OBX[3].5`, `PID-3[where it.5 = "MR"].first.1`.
 * The rules see a message through copies of its guides, in which a segment that may repeat is a loop of its own: its instances are
 * then gone over, counted and picked like those of a segment group. */
#include "dsl/check_way.h"

#include <stdlib.h>

enum { ID_LENGTH = 3, REPETITIONS = 255, STEP = 4 /* between the places of a guide, so that segments of the site fit in */ };

static bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_segment_id(shunt_text t)
{
    if (t.length != ID_LENGTH || !t.bytes || !is_capital(t.bytes[0])) return false;
    for (uint32_t i = 1; i < t.length; i++)
        if (!is_capital(t.bytes[i]) && !is_digit(t.bytes[i])) return false;
    return true;
}

/* ---- guides as the rules see them ---- */

static const char *kept(check *k, shunt_text text) { return check_format(k, "%.*s", SHUNT_TEXT_ARGS(text)).bytes; }

/* A loop that a repeated segment makes: its id is that of the segment, behind that of the loop around it. */
static bool is_segment_loop(const shunt_loop *loop)
{
    const shunt_segment_node *first = loop->parent && loop->body_count ? loop->body[0].segment : NULL;
    if (!first) return false;
    size_t whole = strlen(loop->id), own = strlen(first->id);
    return whole >= own && strcmp(loop->id + whole - own, first->id) == 0 && (whole == own || loop->id[whole - own - 1] == '.');
}

static const shunt_segment_node *copy_segment(check *k, const shunt_segment_node *from, uint16_t position)
{
    shunt_segment_node *to = NEW(k, shunt_segment_node);
    *to = *from;
    to->position = position;
    return to;
}

static const shunt_loop *segment_loop(check *k, const shunt_segment_node *from, const shunt_loop *parent, uint16_t position)
{
    shunt_loop         *loop = NEW(k, shunt_loop);
    shunt_entry        *body = NEW_N(k, shunt_entry, 1);
    shunt_segment_node *segment = NEW(k, shunt_segment_node);
    *segment = *from;
    segment->usage = SHUNT_REQUIRED;
    segment->max = 1;
    segment->position = STEP;
    body[0].segment = segment;
    *loop = (shunt_loop){ .id = parent->id[0] ? kept(k, check_format(k, "%s.%s", parent->id, from->id)) : from->id,
                          .name = from->name,
                          .usage = from->usage,
                          .max = from->max,
                          .position = position,
                          .parent = parent,
                          .body = body,
                          .body_count = 1 };
    return loop;
}

static const shunt_loop *copy_loop(check *k, const shunt_loop *from, const shunt_loop *parent, uint16_t position)
{
    shunt_loop  *to = NEW(k, shunt_loop);
    shunt_entry *body = NEW_N(k, shunt_entry, from->body_count);
    *to = *from;
    to->parent = parent;
    to->position = position;
    to->body = body;
    for (uint16_t i = 0; i < from->body_count; i++) {
        const shunt_segment_node *segment = from->body[i].segment;
        bool                      trigger = i == 0 && parent;
        uint16_t                  place = (uint16_t)(STEP * (segment ? segment->position : from->body[i].loop->position));
        if (!segment)
            body[i].loop = copy_loop(k, from->body[i].loop, to, place);
        else if (segment->max != 1 && !trigger)
            body[i].loop = segment_loop(k, segment, to, place);
        else
            body[i].segment = copy_segment(k, segment, place);
    }
    return to;
}

static const shunt_guide *copy_guide(check *k, const shunt_guide *from)
{
    shunt_guide *to = NEW(k, shunt_guide);
    *to = *from;
    to->body = copy_loop(k, from->body, NULL, 0);
    return to;
}

/* ---- sources ---- */

static shunt_ast *strings_at(shunt_ast *args, uint32_t at, uint32_t *count)
{
    shunt_ast *list = kid(args, at);
    *count = 0;
    if (!list || (list->kind != SHUNT_AST_LIST && list->kind != SHUNT_AST_STRING)) return NULL;
    *count = list->kind == SHUNT_AST_LIST ? list->kid_count : 1;
    return *count ? list : NULL;
}

static shunt_ast *string_of(shunt_ast *list, uint32_t at) { return list->kind == SHUNT_AST_LIST ? list->kids[at] : list; }

static shunt_text versions_of(check *k, shunt_text message)
{
    shunt_text versions = { 0 };
    for (uint32_t i = 0; shunt_hl7_guide_at(i); i++) {
        const shunt_guide *guide = shunt_hl7_guide_at(i);
        if (shunt_text_is(message, guide->set))
            versions = check_format(k, "%.*s%s\"%s\"", SHUNT_TEXT_ARGS(versions), versions.length ? ", " : "", guide->version);
    }
    return versions;
}

static void unknown_message(check *k, const shunt_ast *message)
{
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_E0201, message->span, "there is no HL7 message \"%.*s\"", SHUNT_TEXT_ARGS(message->text));
    shunt_suggest s;
    shunt_text    last = { 0 }, events = { 0 }, type = check_format(k, "%.*s^", SHUNT_TEXT_ARGS(message->text));
    uint32_t      given = 0;
    shunt_suggest_init(&s, message->text, 2);
    for (uint32_t i = 0; shunt_hl7_guide_at(i); i++) {
        const shunt_guide *guide = shunt_hl7_guide_at(i);
        if (shunt_text_is(last, guide->set)) continue;
        last = shunt_text_of(guide->set);
        if (shunt_text_starts(last, type) && given < HELPS_SHOWN)
            events = check_format(k, "%.*s%s\"%s\" (%s)", SHUNT_TEXT_ARGS(events), given++ ? ", " : "", guide->set, guide->name);
        shunt_suggest_offer(&s, last, shunt_text_of(guide->name), true, 0);
    }
    shunt_text near = shunt_suggest_text(&s, k->arena);
    if (events.length)
        shunt_diag_help(k->diags, d, "say which event: %.*s", SHUNT_TEXT_ARGS(events));
    else if (near.length)
        shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
    shunt_diag_help(k->diags, d, "a message is named by its type and its event, as in MSH-9: \"DFT^P03\"");
}

const shunt_guide *hl7_guide(check *k, const shunt_ast *message, const shunt_ast *version)
{
    const shunt_guide *guide = shunt_guide_find(SHUNT_STANDARD_HL7, message->text, version->text);
    if (guide && shunt_text_is(version->text, guide->version)) return guide;
    shunt_text  versions = versions_of(k, message->text);
    shunt_diag *d;
    if (!versions.length) {
        unknown_message(k, message);
        return NULL;
    }
    d = shunt_diag_add(k->diags, SHUNT_E0201, version->span, "HL7 \"%.*s\" has no message %.*s", SHUNT_TEXT_ARGS(version->text),
                       SHUNT_TEXT_ARGS(message->text));
    shunt_diag_help(k->diags, d, "versions that have it: %.*s", SHUNT_TEXT_ARGS(versions));
    return NULL;
}

bool hl7_guides(check *k, shunt_ast *node, shunt_source_info *info)
{
    shunt_ast *args = kid(node, SHUNT_SOURCE_args);
    uint32_t   message_count, version_count;
    shunt_ast *messages = strings_at(args, 0, &message_count), *versions = strings_at(args, 1, &version_count);
    if (!messages) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0201, kid(node, SHUNT_SOURCE_kind)->span,
                                       "the source does not say which message it reads");
        shunt_diag_help(k->diags, d, "write message and version: `HL7 \"DFT^P03\" \"2.5.1\"`");
        return false;
    }
    if (!versions) {
        const shunt_ast *first = string_of(messages, 0);
        shunt_text       known = versions_of(k, first->text);
        if (!known.length) {
            unknown_message(k, first);
            return false;
        }
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0201, first->span,
                                       "the source does not say which version of %.*s it reads", SHUNT_TEXT_ARGS(first->text));
        shunt_diag_help(k->diags, d, "known versions: %.*s", SHUNT_TEXT_ARGS(known));
        return false;
    }
    if (args->kid_count > 2) {
        shunt_diag *d =
            shunt_diag_add(k->diags, SHUNT_E0201, args->kids[2]->span, "a source names its messages and their versions");
        shunt_diag_help(k->diags, d, "join several by `or`: `HL7 \"ADT^A03\" or \"ADT^A08\" \"2.5.1\" or \"2.3\"`");
        return false;
    }
    info->guides = NEW_N(k, const shunt_guide *, message_count *version_count);
    for (uint32_t m = 0; m < message_count; m++)
        for (uint32_t v = 0; v < version_count; v++) {
            const shunt_ast   *version = string_of(versions, v);
            const shunt_guide *guide = hl7_guide(k, string_of(messages, m), version);
            if (!guide) return false;
            for (uint32_t j = 0; j < info->guide_count; j++) {
                if (strcmp(info->guides[j]->set, guide->set) != 0 || strcmp(info->guides[j]->version, guide->version) != 0)
                    continue;
                const shunt_ast *twice = v ? version : string_of(messages, m);
                shunt_diag      *d =
                    shunt_diag_add(k->diags, SHUNT_E0208, twice->span, "\"%.*s\" is listed twice", SHUNT_TEXT_ARGS(twice->text));
                shunt_diag_help(k->diags, d, "remove one of them");
                return false;
            }
            info->guides[info->guide_count++] = copy_guide(k, guide);
        }
    return true;
}

/* ---- segments of the site ---- */

static bool segment_somewhere(const shunt_loop *loop, shunt_text id)
{
    for (uint16_t i = 0; i < loop->body_count; i++)
        if (loop->body[i].segment ? shunt_text_is(id, loop->body[i].segment->id) : segment_somewhere(loop->body[i].loop, id))
            return true;
    return false;
}

static void offer_segments(const shunt_loop *loop, shunt_suggest *s)
{
    for (uint16_t i = 0; i < loop->body_count; i++)
        if (loop->body[i].segment)
            shunt_suggest_offer(s, shunt_text_of(loop->body[i].segment->id), shunt_text_of(loop->body[i].segment->name), true, 0);
        else
            offer_segments(loop->body[i].loop, s);
}

static bool custom_type(check *k, shunt_ast *node, const shunt_source_info *info, shunt_element *e)
{
    shunt_ty    type = check_type(k, node);
    uint8_t     scale = 2;
    shunt_diag *d;
    if (shunt_ty_is_error(&type)) return false;
    *e = (shunt_element){ .usage = type.optional ? SHUNT_SITUATIONAL : SHUNT_REQUIRED, .repeats = 1, .phi = type.phi };
    switch (type.kind) {
    case SHUNT_TY_TEXT: e->type = SHUNT_VALUE_TEXT; break;
    case SHUNT_TY_CODE: e->type = SHUNT_VALUE_CODE; break;
    case SHUNT_TY_INT: e->type = SHUNT_VALUE_INT; break;
    case SHUNT_TY_DECIMAL:
        e->type = SHUNT_VALUE_DECIMAL;
        e->decimals = type.scale;
        break;
    case SHUNT_TY_DATE: e->type = SHUNT_VALUE_DATE; break;
    case SHUNT_TY_TIME: e->type = SHUNT_VALUE_TIME; break;
    case SHUNT_TY_MOMENT: e->type = SHUNT_VALUE_MOMENT; break;
    case SHUNT_TY_MONEY:
        e->type = SHUNT_VALUE_AMOUNT;
        (void)shunt_currency_find(shunt_text_of(type.currency), &scale);
        e->decimals = type.scale > scale ? type.scale : 0;
        if (!info->currency[0] || memcmp(info->currency, type.currency, 3) == 0) return true;
        d = shunt_diag_add(k->diags, SHUNT_E0801, node->span, "this is %s, and the amounts of the source are %s", type.currency,
                           info->currency);
        shunt_diag_help(k->diags, d, "a source has one currency: `currency: %s`", info->currency);
        return false;
    default: {
        shunt_text name = shunt_ty_name(k->arena, &type);
        d = shunt_diag_add(k->diags, SHUNT_E0303, node->span, "a field of a segment is no %.*s", SHUNT_TEXT_ARGS(name));
        shunt_diag_help(k->diags, d, "one of text(n), code, int, decimal(p, s), money(CUR), date, time, datetime");
        return false;
    }
    }
    return true;
}

/* `phi none` or a class: the author has looked at what the segment holds. */
static bool says_phi(const shunt_ast *type)
{
    const shunt_ast *phi = type && type->kind == SHUNT_AST_TYPE ? kid(type, SHUNT_TYPE_phi) : NULL;
    return phi && phi->kid_count > 0;
}

static shunt_segment_node *custom_node(check *k, shunt_ast *item, const shunt_source_info *info)
{
    shunt_ast          *name = kid(item, SHUNT_CUSTOM_SEGMENT_name), *fields = kid(item, SHUNT_CUSTOM_SEGMENT_fields);
    shunt_segment_node *segment = NEW(k, shunt_segment_node);
    uint32_t            last = 0;
    bool                classed = false;
    for (uint32_t i = 0; fields && i < fields->kid_count; i++) {
        const shunt_ast *field = fields->kids[i], *position = field->kind == SHUNT_AST_ERROR ? NULL : kid(field, 0);
        if (!position) continue;
        unsigned long at = strtoul(kept(k, position->text), NULL, 10);
        classed = classed || says_phi(kid(field, SHUNT_CUSTOM_FIELD_type));
        if (at >= 1 && at <= REPETITIONS) {
            if (at > last) last = (uint32_t)at;
            continue;
        }
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0306, position->span, "fields are numbered from 1 to %d", REPETITIONS);
        shunt_diag_help(k->diags, d, "%.*s-1 is the first: `1: text(12)?`", SHUNT_TEXT_ARGS(name->text));
    }
    shunt_element *elements = NEW_N(k, shunt_element, last);
    for (uint32_t i = 0; i < last; i++)
        elements[i] = (shunt_element){ .position = (uint16_t)(i + 1), .name = "", .usage = SHUNT_NOT_USED, .repeats = 1 };
    for (uint32_t i = 0; fields && i < fields->kid_count; i++) {
        const shunt_ast *field = fields->kids[i], *position = field->kind == SHUNT_AST_ERROR ? NULL : kid(field, 0);
        const shunt_ast *doc = position ? kid(field, SHUNT_CUSTOM_FIELD_doc) : NULL;
        unsigned long    at = position ? strtoul(kept(k, position->text), NULL, 10) : 0;
        shunt_element    e;
        if (at < 1 || at > last) continue;
        if (elements[at - 1].usage != SHUNT_NOT_USED) {
            shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0208, position->span, "field %lu is declared twice", at);
            shunt_diag_help(k->diags, d, "remove one of them");
            continue;
        }
        if (!custom_type(k, kid(field, SHUNT_CUSTOM_FIELD_type), info, &e)) continue;
        e.position = (uint16_t)at;
        e.name = doc ? kept(k, doc->text) : "";
        /* A segment in which nothing is said about PHI may hold anything. */
        if (!classed) e.phi |= SHUNT_PHI_FREE_TEXT;
        elements[at - 1] = e;
    }
    *segment = (shunt_segment_node){ .id = kept(k, name->text),
                                     .name = "segment of the site",
                                     .usage = SHUNT_SITUATIONAL,
                                     .max = 1,
                                     .elements = elements,
                                     .element_count = (uint16_t)last,
                                     .syntax = "" };
    return segment;
}

/* Puts the segment behind each `after`, in whatever loop that stands. */
static void insert_after(check *k, shunt_loop *loop, shunt_text after, const shunt_segment_node *segment)
{
    for (uint16_t i = 0; i < loop->body_count; i++) {
        if (loop->body[i].loop) {
            insert_after(k, (shunt_loop *)(uintptr_t)loop->body[i].loop, after, segment);
            continue;
        }
        if (!shunt_text_is(after, loop->body[i].segment->id)) continue;
        shunt_entry *body = NEW_N(k, shunt_entry, loop->body_count + 1);
        memcpy(body, loop->body, (i + 1u) * sizeof *body);
        body[i + 1].segment = copy_segment(k, segment, (uint16_t)(loop->body[i].segment->position + 1));
        memcpy(body + i + 2, loop->body + i + 1, (loop->body_count - i - 1u) * sizeof *body);
        loop->body = body;
        loop->body_count++;
        i++;
    }
}

static void custom_segment(check *k, shunt_ast *item, shunt_source_info *info)
{
    shunt_ast  *name = kid(item, SHUNT_CUSTOM_SEGMENT_name), *after = kid(item, SHUNT_CUSTOM_SEGMENT_after);
    shunt_diag *d;
    if (!name || !after || name->kind == SHUNT_AST_ERROR || after->kind == SHUNT_AST_ERROR) return;
    if (!is_segment_id(name->text) || name->text.bytes[0] != 'Z') {
        d = shunt_diag_add(k->diags, SHUNT_E0202, name->span, "`%.*s` is no segment that a site may add",
                           SHUNT_TEXT_ARGS(name->text));
        shunt_diag_here(k->diags, d, "those of a site have three capitals or digits, of which the first is Z");
        return;
    }
    shunt_segment_node *segment = custom_node(k, item, info);
    for (uint32_t g = 0; g < info->guide_count; g++) {
        const shunt_guide *guide = info->guides[g];
        if (segment_somewhere(guide->body, name->text)) {
            d = shunt_diag_add(k->diags, SHUNT_E0208, name->span, "segment %.*s is there already", SHUNT_TEXT_ARGS(name->text));
            shunt_diag_help(k->diags, d, "declare it once, with all of its fields");
            return;
        }
        if (!segment_somewhere(guide->body, after->text)) {
            shunt_suggest s;
            d = shunt_diag_add(k->diags, SHUNT_E0202, after->span, "%s %s has no segment %.*s", guide->set, guide->version,
                               SHUNT_TEXT_ARGS(after->text));
            shunt_suggest_init(&s, after->text, 2);
            offer_segments(guide->body, &s);
            shunt_text near = shunt_suggest_text(&s, k->arena);
            if (near.length) shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
            shunt_diag_help(k->diags, d, "`shunt dict %s` lists the segments", guide->set);
            return;
        }
        insert_after(k, (shunt_loop *)(uintptr_t)guide->body, after->text, segment);
    }
}

bool hl7_item(check *k, shunt_ast *item, shunt_source_info *info)
{
    if (item->kind != SHUNT_AST_CUSTOM_SEGMENT) return false;
    custom_segment(k, item, info);
    return true;
}

/* ---- names ---- */

/* `PID-3.1`: segment, field, component, subcomponent (0 = none). */
static bool split_field(shunt_text t, way *w)
{
    unsigned numbers[3] = { 0 }, count = 0;
    if (t.length < ID_LENGTH + 2 || t.bytes[ID_LENGTH] != '-') return false;
    shunt_text segment = { t.bytes, ID_LENGTH };
    if (!is_segment_id(segment)) return false;
    for (uint32_t i = ID_LENGTH + 1; i < t.length; i++) {
        if (t.bytes[i] == '.' && count < 2 && is_digit(t.bytes[i - 1])) {
            count++;
            continue;
        }
        if (!is_digit(t.bytes[i])) return false;
        numbers[count] = numbers[count] > 999 ? numbers[count] : numbers[count] * 10 + (unsigned)(t.bytes[i] - '0');
    }
    for (unsigned i = 0; i <= count; i++)
        if (numbers[i] == 0) return false;
    w->segment = segment;
    w->element = (uint16_t)numbers[0];
    w->component = (uint16_t)numbers[1];
    w->subcomponent = (uint8_t)(numbers[2] > UINT8_MAX ? UINT8_MAX : numbers[2]);
    return true;
}

bool hl7_names_field(shunt_text name)
{
    way w = { 0 };
    return split_field(name, &w);
}

static const shunt_guide *first_guide(const check *k) { return source_of(k)->guides[0]; }

static bool knows_segment(const check *k, shunt_text id)
{
    for (uint32_t g = 0; g < source_of(k)->guide_count; g++)
        if (segment_somewhere(source_of(k)->guides[g]->body, id)) return true;
    return false;
}

/* What an author calls the instances of a loop: "FINANCIAL", "DG1". */
static shunt_text called(const shunt_loop_ref *ref)
{
    shunt_text id = ref->id;
    if (ref->match_count && is_segment_loop(ref->matches[0].loop)) id = shunt_text_of(ref->matches[0].loop->body[0].segment->id);
    return id.length ? id : SHUNT_TEXT("message");
}

static shunt_text friendly(check *k, const shunt_loop_ref *ref)
{
    const char *name = ref->match_count ? ref->matches[0].loop->name : "";
    shunt_text  id = called(ref);
    if (!name || !name[0] || shunt_text_is(id, name)) return id;
    return check_format(k, "%.*s (%s)", SHUNT_TEXT_ARGS(id), name);
}

/* `PID-5[2].1.1`, `DG1[1].3`: as an author writes it. */
static shunt_text shown_field(check *k, const way *w)
{
    shunt_text text = check_format(k, "%.*s-%u", SHUNT_TEXT_ARGS(w->segment), w->element);
    if (w->repetition) text = check_format(k, "%.*s[%u]", SHUNT_TEXT_ARGS(text), w->repetition);
    if (w->component) text = check_format(k, "%.*s.%u", SHUNT_TEXT_ARGS(text), w->component);
    if (w->subcomponent) text = check_format(k, "%.*s.%u", SHUNT_TEXT_ARGS(text), w->subcomponent);
    return text;
}

/* ---- messages about names ---- */

static void offer_groups(const shunt_loop *loop, shunt_suggest *s)
{
    for (uint16_t i = 0; i < loop->body_count; i++) {
        const shunt_loop *inner = loop->body[i].loop;
        if (!inner || is_segment_loop(inner)) continue;
        shunt_suggest_offer(s, shunt_text_of(inner->id), shunt_text_of(inner->name), true, 0);
        offer_groups(inner, s);
    }
}

/* A group that is nearly the name; empty: none is. */
static shunt_text near_group(check *k, shunt_text name)
{
    shunt_suggest s;
    shunt_suggest_init(&s, name, 2);
    offer_groups(first_guide(k)->body, &s);
    return shunt_suggest_text(&s, k->arena);
}

static void no_such_group(check *k, const shunt_ast *node, shunt_text name)
{
    shunt_text  near = near_group(k, name), guide = guide_words(k);
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0202, node->span, "%.*s has no group %.*s", SHUNT_TEXT_ARGS(guide),
                                   SHUNT_TEXT_ARGS(name));
    if (near.length) shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
    shunt_diag_help(k->diags, d, "`shunt dict %s` lists the groups", first_guide(k)->set);
}

static void no_such_segment(check *k, const shunt_ast *node, shunt_text segment)
{
    shunt_text    guide = guide_words(k);
    shunt_suggest s;
    shunt_diag   *d = shunt_diag_add(k->diags, SHUNT_E0202, node->span, "%.*s has no segment %.*s", SHUNT_TEXT_ARGS(guide),
                                     SHUNT_TEXT_ARGS(segment));
    shunt_suggest_init(&s, segment, 2);
    if (segment.bytes[0] != 'Z') offer_segments(first_guide(k)->body, &s);
    /* As it was written, with what stands behind the segment: `FY1-6`, `FT1-6`. */
    bool whole = node->kind == SHUNT_AST_ELEMENT && shunt_text_starts(node->text, segment);
    for (uint32_t i = 0; whole && i < s.count; i++)
        s.best[i].name = check_format(k, "%.*s%.*s", SHUNT_TEXT_ARGS(s.best[i].name), (int)(node->text.length - segment.length),
                                      node->text.bytes + segment.length);
    shunt_text near = shunt_suggest_text(&s, k->arena);
    if (near.length) shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
    if (segment.bytes[0] == 'Z')
        shunt_diag_help(k->diags, d, "a segment of the site is declared in the source: `segment %.*s after PID { 1: text(20)? }`",
                        SHUNT_TEXT_ARGS(segment));
    shunt_diag_help(k->diags, d, "`shunt dict %s` lists the segments", first_guide(k)->set);
}

/* Groups that hold the segment, for help. */
static void where_it_stands(check *k, shunt_diag *d, const shunt_loop *loop, shunt_text segment, shunt_text shown,
                            uint32_t *given)
{
    for (uint16_t i = 0; i < loop->body_count && *given < HELPS_SHOWN; i++) {
        const shunt_loop *inner = loop->body[i].loop;
        if (inner && !is_segment_loop(inner)) where_it_stands(k, d, inner, segment, shown, given);
        bool repeated = inner && is_segment_loop(inner) && shunt_text_is(segment, inner->body[0].segment->id);
        if (!repeated && (inner || !shunt_text_is(segment, loop->body[i].segment->id))) continue;
        if (!loop->parent) continue;
        (*given)++;
        if (loop->max == 1)
            shunt_diag_help(k->diags, d, "name the group: `%s.%.*s` (%s)", loop->id, SHUNT_TEXT_ARGS(shown), loop->name);
        else
            shunt_diag_help(k->diags, d, "loop over it: `for each x in %s { ... x.%.*s ... }` (%s)", loop->id,
                            SHUNT_TEXT_ARGS(shown), loop->name);
    }
}

/* A unit whose instances hold the segment; NULL where none does. */
static const shunt_loop_ref *unit_with(const check *k, shunt_text segment)
{
    for (uint32_t u = 0; u < k->units.count; u++)
        for (uint32_t m = 0; m < k->units.items[u]->match_count; m++)
            if (k->units.items[u]->matches[m].loop->parent && segment_somewhere(k->units.items[u]->matches[m].loop, segment))
                return k->units.items[u];
    return NULL;
}

static void not_at_hand(check *k, const shunt_ast *node, shunt_text segment, shunt_text shown)
{
    uint32_t              given = 0;
    const shunt_loop_ref *unit = k->phase != PHASE_UNIT && k->phase != PHASE_TALLY ? unit_with(k, segment) : NULL;
    if (!knows_segment(k, segment)) {
        no_such_segment(k, node, segment);
        return;
    }
    if (unit) {
        (void)gone(k, node, unit);
        return;
    }
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0202, node->span, "`%.*s` is not at hand here", SHUNT_TEXT_ARGS(shown));
    shunt_diag_here(k->diags, d, "no group around this holds %.*s", SHUNT_TEXT_ARGS(segment));
    where_it_stands(k, d, first_guide(k)->body, segment, shown, &given);
}

static void several(check *k, const shunt_ast *node, const shunt_loop_ref *ref, shunt_text rest)
{
    shunt_text  id = called(ref);
    bool        segment = ref->match_count && is_segment_loop(ref->matches[0].loop);
    shunt_diag *d =
        shunt_diag_add(k->diags, SHUNT_E0212, node->span, "there may be several %.*s, and one is wanted", SHUNT_TEXT_ARGS(id));
    shunt_text part = rest;
    shunt_diag_here(k->diags, d, "%.*s repeats", SHUNT_TEXT_ARGS(friendly(k, ref)));
    if (segment && rest.length > ID_LENGTH) part = (shunt_text){ rest.bytes + ID_LENGTH + 1, rest.length - ID_LENGTH - 1 };
    shunt_diag_help(k->diags, d, "loop over them: `for each x in %.*s { ... x.%.*s ... }`", SHUNT_TEXT_ARGS(id),
                    SHUNT_TEXT_ARGS(rest));
    shunt_diag_help(k->diags, d, "or take one by its number: `%.*s[1].%.*s`, which may be absent", SHUNT_TEXT_ARGS(id),
                    SHUNT_TEXT_ARGS(part));
}

/* ---- going along ---- */

/* The group right below that begins with the segment and repeats; NULL where there is none, or several. */
static const char *group_begun_by(const shunt_loop_ref *ref, shunt_text segment)
{
    const char *found = NULL;
    for (uint32_t m = 0; m < ref->match_count; m++)
        for (uint16_t i = 0; i < ref->matches[m].loop->body_count; i++) {
            const shunt_loop         *inner = ref->matches[m].loop->body[i].loop;
            const shunt_segment_node *first = inner && inner->max != 1 ? inner->body[0].segment : NULL;
            if (!first || first->usage != SHUNT_REQUIRED || !shunt_text_is(segment, first->id)) continue;
            if (found && strcmp(found, inner->id) != 0) return NULL;
            found = inner->id;
        }
    return found;
}

/* Down into the loop that repeats of the segment make in the body of where the way stands. `groups`: the segment is named as such, so
 * those at the head of a group that repeats are meant as well (`OBX[3]` where each OBX begins an OBSERVATION). */
static walked into_segment(check *k, const shunt_ast *node, shunt_text segment, way *w, bool groups)
{
    const char *repeated = NULL;
    uint32_t    missing;
    if (w->loop->segment.length) { /* a segment, or a repetition of one of its fields: nothing stands in it */
        w->segment = segment;
        return !w->loop->field && shunt_text_equal(w->loop->segment, segment) ? WALK_SEGMENT : WALK_OTHER;
    }
    for (uint32_t m = 0; m < w->loop->match_count; m++)
        for (uint16_t i = 0; i < w->loop->matches[m].loop->body_count; i++) {
            const shunt_loop *inner = w->loop->matches[m].loop->body[i].loop;
            if (inner && is_segment_loop(inner) && shunt_text_is(segment, inner->body[0].segment->id)) repeated = inner->id;
        }
    if (!repeated && has_segment(w->loop, segment)) {
        w->segment = segment;
        return WALK_SEGMENT;
    }
    if (!repeated && groups) repeated = group_begun_by(w->loop, segment);
    if (!repeated || w->down_count == DOWN_AT_MOST) return WALK_OTHER;
    const shunt_loop_ref *to = plain_ref(k, repeated);
    if (!in_every_guide(k, to, &missing)) {
        missing_in_guide(k, node, segment, missing, has_segment(w->loop, segment) ? "not repeated" : "missing");
        return WALK_REPORTED;
    }
    take_down(k, w, to);
    w->segment = segment;
    return WALK_LOOP;
}

/* A segment without a prefix: of the innermost group around this that has one. */
static walked head_segment(check *k, const shunt_ast *node, shunt_text segment, shunt_text shown, bool groups, way *w)
{
    const level *at = k->level;
    walked       found;
    for (; nearest_loop_variable(&at); at = at->outer) {
        ancestor around[ANCESTORS];
        *w = (way){ .start = at->variable, .loop = at->loop };
        if (!at->loop->field && (found = into_segment(k, node, segment, w, groups)) != WALK_OTHER) return found;
        uint32_t count = ancestors_of(k, at->loop, around);
        for (uint32_t i = 0; i < count; i++) {
            if (!around[i].ref->id.length) continue;
            go_up(k, w, at, &around[i]);
            if ((found = into_segment(k, node, segment, w, groups)) != WALK_OTHER) return found;
        }
    }
    *w = (way){ .loop = body_ref(k) };
    if ((found = into_segment(k, node, segment, w, groups)) != WALK_OTHER) return found;
    not_at_hand(k, node, segment, shown);
    return WALK_REPORTED;
}

/* Down to a group somewhere below. */
static walked into_group(check *k, const shunt_ast *node, shunt_text id, way *w)
{
    const shunt_loop *chain[DOWN_AT_MOST];
    uint32_t          length = w->loop->segment.length ? 0 : shortest_down(w->loop, id, chain), missing;
    if (!length || w->down_count + length > DOWN_AT_MOST) return WALK_OTHER;
    for (uint32_t i = 0; i < length; i++) {
        const shunt_loop_ref *to = plain_ref(k, chain[i]->id);
        if (w->list) {
            several(k, node, w->loop, id);
            return WALK_REPORTED;
        }
        if (!in_every_guide(k, to, &missing)) {
            missing_in_guide(k, node, to->id, missing, "missing");
            return WALK_REPORTED;
        }
        take_down(k, w, to);
    }
    w->segment = (shunt_text){ 0 };
    return WALK_LOOP;
}

static walked head_group(check *k, const shunt_ast *node, shunt_text id, way *w)
{
    const level *at = k->level;
    walked       found;
    for (; nearest_loop_variable(&at); at = at->outer) {
        ancestor around[ANCESTORS];
        *w = (way){ .start = at->variable, .loop = at->loop };
        if (shunt_text_equal(at->loop->id, id) && !at->loop->field) return WALK_LOOP;
        if ((found = into_group(k, node, id, w)) != WALK_OTHER) return found;
        uint32_t count = ancestors_of(k, at->loop, around);
        for (uint32_t i = 0; i < count; i++) {
            if (!around[i].ref->id.length) continue;
            go_up(k, w, at, &around[i]);
            if (shunt_text_equal(around[i].ref->id, id)) return WALK_LOOP;
            if ((found = into_group(k, node, id, w)) != WALK_OTHER) return found;
        }
    }
    *w = (way){ .loop = body_ref(k) };
    return into_group(k, node, id, w);
}

static bool is_group(check *k, shunt_text id)
{
    if (!loop_has_id(k, id)) return false;
    return !is_segment_loop(plain_ref(k, kept(k, id))->matches[0].loop);
}

/* ---- fields: what stands where, and its type ---- */

typedef enum leaf_fault { LEAF_FOUND, LEAF_SIMPLE, LEAF_BEYOND, LEAF_UNUSED, LEAF_WHOLE } leaf_fault;
typedef struct leaf {
    const shunt_element *value; /* what is read, or what the fault is about */
    shunt_path_part      part;
    bool                 optional; /* it, or what it is a part of, may be left out */
} leaf;

static bool is_varying(const shunt_element *e) { return e->data_type && strcmp(e->data_type, "ANY") == 0; }

/* One step inwards. `number` 0: stays. A part 1 of what has no parts is the whole: versions turn simple fields into composites. */
static leaf_fault step_in(const shunt_element **at, unsigned number, leaf *l)
{
    if (!number || is_varying(*at)) return LEAF_FOUND;
    if (!(*at)->component_count) return number == 1 ? LEAF_FOUND : LEAF_SIMPLE;
    if (number > (*at)->component_count) return LEAF_BEYOND;
    *at = &(*at)->components[number - 1];
    l->value = *at;
    l->optional = l->optional || (*at)->usage != SHUNT_REQUIRED;
    return (*at)->usage == SHUNT_NOT_USED ? LEAF_UNUSED : LEAF_FOUND;
}

static bool is_money_pair(const shunt_element *e)
{
    return e && e->data_type && strcmp(e->data_type, "MO") == 0 && e->component_count > 1;
}

/* An amount or a point in time that is a composite is read by its first part. */
static void first_part(const shunt_element *around, const shunt_element *at, leaf *l)
{
    shunt_path_part *part = &l->part;
    while (at->component_count && !part->subcomponent) {
        around = at;
        at = &at->components[0];
        if (part->component)
            part->subcomponent = 1;
        else
            part->component = 1;
    }
    if (!is_money_pair(around)) return;
    part->currency_component = part->subcomponent ? part->component : 2;
    part->currency_subcomponent = part->subcomponent ? 2 : 0;
}

static leaf_fault find_leaf(const shunt_element *field, const way *w, leaf *l)
{
    const shunt_element *at = field, *around = NULL;
    *l = (leaf){ .value = field,
                 .part = { .component = (uint8_t)w->component, .subcomponent = w->subcomponent },
                 .optional = field->usage != SHUNT_REQUIRED };
    if (field->usage == SHUNT_NOT_USED) return LEAF_UNUSED;
    leaf_fault fault = step_in(&at, w->component, l);
    if (fault == LEAF_FOUND && at != field) around = field;
    const shunt_element *component = at;
    if (fault == LEAF_FOUND) fault = step_in(&at, w->subcomponent, l);
    if (fault == LEAF_FOUND && at != component) around = component;
    if (fault != LEAF_FOUND) return fault;
    l->value = at;
    if (at->type == SHUNT_VALUE_AMOUNT || at->type == SHUNT_VALUE_MOMENT) {
        first_part(around, at, l);
    } else if (at->component_count && !is_varying(at)) {
        return LEAF_WHOLE;
    }
    bool whole = at->type == SHUNT_VALUE_TEXT || at->type == SHUNT_VALUE_AMOUNT || at->type == SHUNT_VALUE_DECIMAL ||
                 at->type == SHUNT_VALUE_INT;
    if (whole) return LEAF_FOUND;
    /* Codes and dates of a version that has more to them (`CG^Charge`) are read by what they were. Numbers are not: what stands
     * behind one may be its currency. */
    if (!l->part.component) l->part.component = 1;
    if (!l->part.subcomponent) l->part.subcomponent = 1;
    return LEAF_FOUND;
}

/* The same with what it is read from, where that is an expression: `NK1[2].2[1].1`. */
static shunt_text written_field(check *k, const way *w)
{
    shunt_text text = shown_field(k, w);
    if (!w->base) return text;
    return check_format(k, "%.*s.%.*s", SHUNT_TEXT_ARGS(short_text(k, w->base)), (int)(text.length - ID_LENGTH - 1),
                        text.bytes + ID_LENGTH + 1);
}

static shunt_text plain_field(check *k, const way *w)
{
    way whole = { .segment = w->segment, .element = w->element };
    return shown_field(k, &whole);
}

static void no_such_field(check *k, const shunt_ast *node, const way *w, const shunt_segment_node *segment, const shunt_ty *want)
{
    shunt_text    guide = guide_words(k), shown = plain_field(k, w);
    shunt_suggest s;
    uint16_t      last = segment->element_count;
    shunt_diag   *d = shunt_diag_add(k->diags, SHUNT_E0203, node->span, "`%.*s` is not a field of %s in %.*s",
                                     SHUNT_TEXT_ARGS(shown), segment->id, SHUNT_TEXT_ARGS(guide));
    /* NOLINTBEGIN(clang-analyzer-core.NullDereference): a segment that has a count has elements */
    while (last > 1 && segment->elements[last - 1].usage == SHUNT_NOT_USED) last--;
    if (last) shunt_diag_here(k->diags, d, "the last field of %s is %s-%u", segment->id, segment->id, last);
    shunt_suggest_init(&s, shown, 2);
    for (uint16_t e = 1; e <= last; e++) {
        const shunt_element *element = &segment->elements[e - 1];
        shunt_ty             type = ty_error();
        if (element->usage == SHUNT_NOT_USED) continue;
        bool fits =
            !want || want->kind == SHUNT_TY_ERROR || (element->type == SHUNT_VALUE_AMOUNT && want->kind == SHUNT_TY_MONEY);
        if (!fits && element->type != SHUNT_VALUE_AMOUNT && element->type != SHUNT_VALUE_COMPOSITE)
            fits = element_type(k, node, (shunt_text){ 0 }, element, &type) && shunt_ty_compare(&type, want) == SHUNT_FITS;
        if (!fits) continue;
        shunt_suggest_offer(&s, check_format(k, "%s-%u", segment->id, e), shunt_text_of(element->name), true,
                            (uint32_t)abs((int)e - (int)w->element));
    }
    /* NOLINTEND(clang-analyzer-core.NullDereference) */
    shunt_text near = shunt_suggest_text(&s, k->arena);
    if (near.length) shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
    if (segment->id[0] == 'Z')
        shunt_diag_help(k->diags, d, "or declare it in the source: `segment %s after ... { %u: TYPE }`", segment->id, w->element);
    else
        shunt_diag_help(k->diags, d, "`shunt dict %s %s` lists the segment", first_guide(k)->set, segment->id);
}

static shunt_text part_names(check *k, shunt_text shown, const shunt_element *e)
{
    shunt_text names = { 0 };
    uint32_t   given = 0;
    for (uint16_t c = 0; c < e->component_count && given < HELPS_SHOWN; c++) {
        if (e->components[c].usage == SHUNT_NOT_USED) continue;
        names = check_format(k, "%.*s%s`%.*s.%u` (%s)", SHUNT_TEXT_ARGS(names), given ? ", " : "", SHUNT_TEXT_ARGS(shown), c + 1u,
                             e->components[c].name);
        given++;
    }
    return names;
}

static void leaf_is_wrong(check *k, const shunt_ast *node, const way *w, const leaf *l, leaf_fault fault)
{
    static const char *const kinds[] = {
        [SHUNT_VALUE_TEXT] = "a text",      [SHUNT_VALUE_CODE] = "a code",           [SHUNT_VALUE_AMOUNT] = "an amount",
        [SHUNT_VALUE_DECIMAL] = "a number", [SHUNT_VALUE_INT] = "a number",          [SHUNT_VALUE_DATE] = "a date",
        [SHUNT_VALUE_TIME] = "a time",      [SHUNT_VALUE_MOMENT] = "a date and time"
    };
    way         outer = *w;
    shunt_text  shown = shown_field(k, w), guide = guide_words(k);
    shunt_diag *d;
    /* The part that the fault is about: what is around the one asked for. */
    if (outer.subcomponent)
        outer.subcomponent = 0;
    else
        outer.component = 0;
    if (w->subcomponent && l->value->component_count == 0 && fault == LEAF_SIMPLE && w->component > 1) outer.subcomponent = 0;
    shunt_text  around = shown_field(k, &outer);
    const char *kind = l->value->type < SHUNT_COUNT(kinds) && kinds[l->value->type] ? kinds[l->value->type] : "one value";
    switch (fault) {
    case LEAF_SIMPLE:
        d = shunt_diag_add(k->diags, SHUNT_E0203, node->span, "`%.*s` is not a part of %.*s in %.*s", SHUNT_TEXT_ARGS(shown),
                           SHUNT_TEXT_ARGS(around), SHUNT_TEXT_ARGS(guide));
        shunt_diag_here(k->diags, d, "%s is %s, it has no parts", l->value->name, kind);
        shunt_diag_help(k->diags, d, "write `%.*s`", SHUNT_TEXT_ARGS(around));
        return;
    case LEAF_BEYOND: {
        shunt_suggest s;
        d = shunt_diag_add(k->diags, SHUNT_E0203, node->span, "`%.*s` is not a part of %.*s in %.*s", SHUNT_TEXT_ARGS(shown),
                           SHUNT_TEXT_ARGS(around), SHUNT_TEXT_ARGS(guide));
        shunt_diag_here(k->diags, d, "the last part of %.*s is %.*s.%u", SHUNT_TEXT_ARGS(around), SHUNT_TEXT_ARGS(around),
                        l->value->component_count);
        shunt_suggest_init(&s, shown, 2);
        for (uint16_t c = 1; c <= l->value->component_count; c++)
            if (l->value->components[c - 1].usage != SHUNT_NOT_USED)
                shunt_suggest_offer(&s, check_format(k, "%.*s.%u", SHUNT_TEXT_ARGS(around), c),
                                    shunt_text_of(l->value->components[c - 1].name), true, 0);
        shunt_text near = shunt_suggest_text(&s, k->arena);
        if (near.length) shunt_diag_help(k->diags, d, "did you mean %.*s?", SHUNT_TEXT_ARGS(near));
        shunt_diag_help(k->diags, d, "`shunt dict %s %.*s` lists the segment", first_guide(k)->set, SHUNT_TEXT_ARGS(w->segment));
        return;
    }
    case LEAF_UNUSED:
        d = shunt_diag_add(k->diags, SHUNT_E0205, node->span, "`%.*s` is not used in %.*s", SHUNT_TEXT_ARGS(shown),
                           SHUNT_TEXT_ARGS(guide));
        shunt_diag_here(k->diags, d, "senders that follow this version leave it out");
        shunt_diag_help(k->diags, d, "`shunt dict %s %.*s` lists what is used", first_guide(k)->set, SHUNT_TEXT_ARGS(w->segment));
        return;
    case LEAF_WHOLE:
        d = shunt_diag_add(k->diags, SHUNT_E0212, node->span, "`%.*s` has several parts, and one is wanted",
                           SHUNT_TEXT_ARGS(shown));
        shunt_diag_here(k->diags, d, "%s", l->value->name);
        shunt_diag_help(k->diags, d, "name one: %.*s", SHUNT_TEXT_ARGS(part_names(k, shown, l->value)));
        return;
    case LEAF_FOUND: return;
    }
}

static const shunt_element *field_of(const shunt_segment_node *segment, uint16_t number)
{
    return number && number <= segment->element_count ? &segment->elements[number - 1] : NULL;
}

/* The nodes that the segment of the way can be, in every guide. False: reported. */
static bool pick_nodes(check *k, const shunt_ast *node, const way *w, match_list *nodes)
{
    for (uint32_t m = 0; m < w->loop->match_count; m++) {
        shunt_loop_match match = w->loop->matches[m];
        if (match.segment) {
            *PUSH(k, nodes) = match;
            continue;
        }
        for (uint16_t i = 0; i < match.loop->body_count; i++)
            if (match.loop->body[i].segment && shunt_text_is(w->segment, match.loop->body[i].segment->id))
                *PUSH(k, nodes) = (shunt_loop_match){ match.guide, match.loop, match.loop->body[i].segment };
    }
    for (uint32_t g = 0; g < source_of(k)->guide_count; g++) {
        bool has = false;
        for (uint32_t m = 0; m < nodes->count; m++) has = has || nodes->items[m].guide == g;
        if (has) continue;
        missing_in_guide(k, node, w->segment, g, "missing");
        return false;
    }
    return nodes->count > 0;
}

/* True where some guide lets the field repeat; `e` is one of its definitions. False also where no guide has it. */
static bool repeats(const match_list *nodes, uint16_t number, const shunt_element **e)
{
    for (uint32_t m = 0; m < nodes->count; m++) {
        const shunt_element *field = field_of(nodes->items[m].segment, number);
        if (field) *e = field;
        if (field && field->repeats != 1) return true;
    }
    return false;
}

static void repeated_field(check *k, const shunt_ast *node, const way *w, const shunt_element *field)
{
    way         first = *w;
    way         bare = { .base = w->base, .segment = w->segment, .element = w->element };
    shunt_text  whole = written_field(k, &bare), rest = { 0 }, shown = written_field(k, w);
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0212, node->span, "there may be several `%.*s`, and one value is wanted",
                                   SHUNT_TEXT_ARGS(plain_field(k, w)));
    first.repetition = 1;
    if (shown.length > whole.length) rest = (shunt_text){ shown.bytes + whole.length, shown.length - whole.length };
    shunt_diag_here(k->diags, d, "%s repeats", field->name);
    shunt_diag_help(k->diags, d, "take one by its number: `%.*s`", SHUNT_TEXT_ARGS(written_field(k, &first)));
    shunt_diag_help(k->diags, d, "or by what it holds: `%.*s[where it.1 = \"...\"].first%.*s`, which may be absent",
                    SHUNT_TEXT_ARGS(whole), SHUNT_TEXT_ARGS(rest));
    shunt_diag_help(k->diags, d, "or loop over them: `for each x in %.*s { ... x%.*s ... }`", SHUNT_TEXT_ARGS(whole),
                    SHUNT_TEXT_ARGS(rest.length ? rest : SHUNT_TEXT(".1")));
}

/* The repetitions of a field as instances of a loop. */
static const shunt_loop_ref *field_ref(check *k, const shunt_loop_ref *loop, const way *w, const match_list *nodes)
{
    shunt_text name =
        check_format(k, "%p %.*s %.*s-%u", (void *)k->source, SHUNT_TEXT_ARGS(loop->id), SHUNT_TEXT_ARGS(w->segment), w->element);
    bool            fresh;
    shunt_loop_ref *ref = named_loop(k, name, &fresh);
    if (!fresh) return ref;
    *ref = (shunt_loop_ref){ .source = k->source,
                             .id = loop->id,
                             .segment = w->segment,
                             .field = w->element,
                             .matches = nodes->items,
                             .match_count = nodes->count };
    return ref;
}

/* ---- finished paths ---- */

static shunt_text origin_of(check *k, const way *w, const shunt_element *field)
{
    shunt_text whole = plain_field(k, w);
    return field->name && field->name[0] ? check_format(k, "%.*s (%s)", SHUNT_TEXT_ARGS(whole), field->name) : whole;
}

/* Every definition of the field, taken together. False: reported. */
static bool take_fields(check *k, const shunt_ast *node, way *w, const match_list *nodes, const shunt_ty *want, shunt_path *path,
                        shunt_ty *type, bool *clearable)
{
    shunt_text shown = shown_field(k, w);
    path->parts = NEW_N(k, shunt_path_part, nodes->count);
    for (uint32_t m = 0; m < nodes->count; m++) {
        const shunt_segment_node *segment = nodes->items[m].segment;
        const shunt_element      *field = field_of(segment, w->element);
        leaf                      l = { 0 };
        shunt_ty                  one;
        if (!field) {
            if (nodes->items[m].guide)
                missing_in_guide(k, node, plain_field(k, w), nodes->items[m].guide, "missing");
            else
                no_such_field(k, node, w, segment, want);
            return false;
        }
        leaf_fault fault = find_leaf(field, w, &l);
        if (fault == LEAF_UNUSED && segment->id[0] == 'Z') {
            no_such_field(k, node, w, segment, want);
            return false;
        }
        if (fault != LEAF_FOUND) {
            if (nodes->items[m].guide && fault != LEAF_WHOLE)
                missing_in_guide(k, node, shown, nodes->items[m].guide, fault == LEAF_UNUSED ? "not used" : "missing");
            else
                leaf_is_wrong(k, node, w, &l, fault);
            return false;
        }
        if (!element_type(k, node, shown, l.value, &one)) return false;
        /* Lengths of HL7 are advice that senders do not follow: texts are held against what takes them when they are there. */
        one.length = 0;
        path->parts[m] = l.part;
        if (l.optional) {
            *clearable = !source_of(k)->cleared_absent;
            maybe_missing(w, check_format(k, "%.*s is optional", SHUNT_TEXT_ARGS(shown)));
        }
        shunt_value_type value = (shunt_value_type)l.value->type;
        if (m == 0) {
            *type = one;
            path->value_type = value;
            continue;
        }
        if (!join_value_types(&path->value_type, value)) {
            shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0211, node->span, "`%.*s` is of another type in each version",
                                           SHUNT_TEXT_ARGS(shown));
            shunt_diag_help(k->diags, d, "write a source and a map for each version");
            return false;
        }
        (void)shunt_ty_join(k->arena, type, &one, type);
        if (path->value_type == SHUNT_VALUE_MOMENT) type->kind = SHUNT_TY_MOMENT;
    }
    return true;
}

static bool finish_value(check *k, shunt_ast *node, way *w, const shunt_ty *want, shunt_ty *type)
{
    match_list           nodes = { 0 };
    const shunt_element *field = NULL;
    bool                 clearable = false;
    if (!pick_nodes(k, node, w, &nodes)) return false;
    if (w->list) {
        several(k, node, w->loop, shown_field(k, w));
        return false;
    }
    bool many = repeats(&nodes, w->element, &field);
    if (many && !w->repetition && !w->loop->field) {
        repeated_field(k, node, w, field);
        return false;
    }
    if (w->repetition > 1) maybe_missing(w, check_format(k, "there may be fewer of %.*s", SHUNT_TEXT_ARGS(plain_field(k, w))));
    for (uint32_t m = 0; m < nodes.count; m++)
        if (nodes.items[m].segment->usage != SHUNT_REQUIRED)
            maybe_missing(
                w, check_format(k, "not every %.*s has %.*s", SHUNT_TEXT_ARGS(called(w->loop)), SHUNT_TEXT_ARGS(w->segment)));
    shunt_path made = { 0 };
    if (!take_fields(k, node, w, &nodes, want, &made, type, &clearable) || !arrived(k, node, w)) return false;
    described_path *p = new_path(k, w, SHUNT_PATH_VALUE);
    p->path.nodes = nodes.items;
    p->path.node_count = nodes.count;
    p->path.parts = made.parts;
    p->path.value_type = made.value_type;
    p->path.element = w->element;
    p->path.component = w->component;
    p->path.repetition = w->repetition;
    p->path.required = !w->optional;
    p->path.shown = shown_field(k, w);
    p->origin = origin_of(k, w, field);
    type->optional = w->optional;
    type->clearable = clearable;
    *type = path_fact(k, node, p, *type);
    return true;
}

static shunt_ty list_of(check *k, const shunt_loop_ref *loop)
{
    shunt_ty *item = NEW(k, shunt_ty);
    *item = (shunt_ty){ .kind = SHUNT_TY_NODE, .loop = loop };
    return (shunt_ty){ .kind = SHUNT_TY_LIST, .item = item, .loop = loop };
}

/* The repetitions of a field. WALK_OTHER: it does not repeat, nothing was reported. */
static walked finish_repetitions(check *k, shunt_ast *node, way *w, shunt_ty *type)
{
    match_list           nodes = { 0 };
    const shunt_element *field = NULL;
    if (w->list || !pick_nodes(k, node, w, &nodes) || !arrived(k, node, w)) {
        if (w->list) several(k, node, w->loop, shown_field(k, w));
        return WALK_REPORTED;
    }
    if (!repeats(&nodes, w->element, &field)) return WALK_OTHER;
    for (uint32_t m = 0; m < nodes.count; m++)
        if (!field_of(nodes.items[m].segment, w->element)) {
            missing_in_guide(k, node, plain_field(k, w), nodes.items[m].guide, "missing");
            return WALK_REPORTED;
        }
    if (w->down_count == DOWN_AT_MOST) return WALK_OTHER;
    const shunt_loop_ref *ref = field_ref(k, w->loop, w, &nodes);
    w->down[w->down_count++] = ref;
    w->loop = ref;
    described_path *p = new_path(k, w, SHUNT_PATH_LIST);
    p->path.shown = plain_field(k, w);
    *type = path_fact(k, node, p, list_of(k, ref));
    return WALK_LOOP;
}

/* A group or a segment as such: `FINANCIAL`, `DG1`, `PV1`. */
static bool finish_node(check *k, shunt_ast *node, way *w, bool list, shunt_ty *type)
{
    if (!arrived(k, node, w)) return false;
    bool            many = w->list && w->down_count;
    described_path *p = new_path(k, w, many ? SHUNT_PATH_LIST : SHUNT_PATH_ONE);
    p->path.shown = called(w->loop);
    if (many) {
        *type = path_fact(k, node, p, list_of(k, w->loop));
        return true;
    }
    (void)list;
    shunt_ty one = { .kind = SHUNT_TY_NODE, .loop = w->loop, .optional = w->optional };
    *type = path_fact(k, node, p, one);
    return true;
}

/* A segment that stands once, as such: `PV2 is present`. */
static bool finish_segment(check *k, shunt_ast *node, way *w, shunt_ty *type)
{
    match_list nodes = { 0 };
    if (!pick_nodes(k, node, w, &nodes) || !arrived(k, node, w) || w->down_count == DOWN_AT_MOST) return false;
    for (uint32_t m = 0; m < nodes.count; m++)
        if (nodes.items[m].segment->usage != SHUNT_REQUIRED)
            maybe_missing(
                w, check_format(k, "not every %.*s has %.*s", SHUNT_TEXT_ARGS(called(w->loop)), SHUNT_TEXT_ARGS(w->segment)));
    w->loop = loop_ref(k, w->loop->id, w->segment, (shunt_text){ 0 });
    w->down[w->down_count++] = w->loop;
    described_path *p = new_path(k, w, SHUNT_PATH_ONE);
    p->path.shown = w->segment;
    *type = path_fact(k, node, p, (shunt_ty){ .kind = SHUNT_TY_NODE, .loop = w->loop, .optional = w->optional });
    return true;
}

/* ---- walking what is written ---- */

static walked walk(check *k, shunt_ast *node, way *w);

static bool reads_nothing(check *k, const shunt_ast *node, shunt_text shown)
{
    return k->unread || k->lost || !outside_of_the_map(k, node, shown);
}

/* `PID3`, `PID03`: X12 writes its elements so. */
static bool looks_like_x12(check *k, const shunt_ast *node)
{
    shunt_text t = node->text, segment = { t.bytes, ID_LENGTH };
    if (t.length < ID_LENGTH + 1 || t.length > ID_LENGTH + 2 || !is_segment_id(segment) || !knows_segment(k, segment))
        return false;
    unsigned number = 0;
    for (uint32_t i = ID_LENGTH; i < t.length; i++) {
        if (!is_digit(t.bytes[i])) return false;
        number = number * 10 + (unsigned)(t.bytes[i] - '0');
    }
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0203, node->span, "`%.*s` is not how HL7 writes a field", SHUNT_TEXT_ARGS(t));
    shunt_diag_help(k->diags, d, "write it with a hyphen: `%.*s-%u`", SHUNT_TEXT_ARGS(segment), number ? number : 1);
    return true;
}

static walked walk_name(check *k, shunt_ast *node, way *w)
{
    shunt_symbol *symbol = find_value(k, node->text);
    if (symbol) {
        if (!begin_way(k, node, symbol, w)) return WALK_OTHER;
        if (w->start) return WALK_LOOP;
        w->base = node;
        (void)check_expr(k, node, NULL);
        return WALK_LOOP;
    }
    if (is_group(k, node->text)) {
        if (reads_nothing(k, node, node->text)) return WALK_REPORTED;
        walked found = head_group(k, node, node->text, w);
        if (found == WALK_OTHER) no_such_group(k, node, node->text);
        return found == WALK_OTHER ? WALK_REPORTED : found;
    }
    if (is_segment_id(node->text) && knows_segment(k, node->text)) {
        if (reads_nothing(k, node, node->text)) return WALK_REPORTED;
        return head_segment(k, node, node->text, node->text, true, w);
    }
    if (looks_like_x12(k, node)) return WALK_REPORTED;
    if (is_capital(node->text.bytes[0]) && near_group(k, node->text).length) {
        if (!reads_nothing(k, node, node->text)) no_such_group(k, node, node->text);
        return WALK_REPORTED;
    }
    return WALK_OTHER;
}

static walked walk_element(check *k, shunt_ast *node, way *w)
{
    way field = { 0 };
    if (reads_nothing(k, node, node->text)) return WALK_REPORTED;
    if (!split_field(node->text, &field)) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0203, node->span, "`%.*s` is not how HL7 writes a field",
                                       SHUNT_TEXT_ARGS(node->text));
        shunt_diag_help(k->diags, d, "write segment, field, component and subcomponent: `PID-3`, `PID-3.1`, `FT1-11.1.2`");
        return WALK_REPORTED;
    }
    walked found = head_segment(k, node, field.segment, node->text, false, w);
    w->element = field.element;
    w->component = field.component;
    w->subcomponent = field.subcomponent;
    return found == WALK_SEGMENT || found == WALK_LOOP ? WALK_VALUE : found;
}

/* "4" or "4.1": component and subcomponent of a field, or field and component of a segment. */
static bool numbers_of(shunt_text t, unsigned *first, unsigned *second)
{
    unsigned numbers[2] = { 0 }, count = 0;
    for (uint32_t i = 0; i < t.length; i++) {
        if (t.bytes[i] == '.' && count == 0 && i) {
            count = 1;
            continue;
        }
        if (!is_digit(t.bytes[i])) return false;
        numbers[count] = numbers[count] > 999 ? numbers[count] : numbers[count] * 10 + (unsigned)(t.bytes[i] - '0');
    }
    *first = numbers[0];
    *second = numbers[1];
    return numbers[0] > 0 && (count == 0 || numbers[1] > 0);
}

/* Where a number goes: the next of field, component and subcomponent that is not said yet. */
static bool add_number(way *w, unsigned number)
{
    if (!number) return true;
    if (!w->element)
        w->element = (uint16_t)number;
    else if (!w->component)
        w->component = (uint16_t)(number > UINT8_MAX ? UINT8_MAX : number);
    else if (!w->subcomponent)
        w->subcomponent = (uint8_t)(number > UINT8_MAX ? UINT8_MAX : number);
    else
        return false;
    return true;
}

static walked by_number(check *k, const shunt_ast *name, walked found, way *w)
{
    unsigned    first, second;
    shunt_diag *d;
    if (!numbers_of(name->text, &first, &second)) {
        d = shunt_diag_add(k->diags, SHUNT_E0203, name->span, "`%.*s` is no part of a field", SHUNT_TEXT_ARGS(name->text));
        shunt_diag_help(k->diags, d, "parts are counted from 1: `PID-3[1].4.1`");
        return WALK_REPORTED;
    }
    if (found == WALK_SEGMENT) {
        d = shunt_diag_add(k->diags, SHUNT_E0203, name->span, "a field is written with a hyphen");
        shunt_diag_help(k->diags, d, "write `%.*s-%.*s`", SHUNT_TEXT_ARGS(w->segment), SHUNT_TEXT_ARGS(name->text));
        return WALK_REPORTED;
    }
    if (found == WALK_LOOP && w->loop->segment.length) {
        w->segment = w->loop->segment;
        w->element = w->loop->field;
    } else if (found == WALK_LOOP && !w->segment.length) {
        if (!w->loop->match_count || !is_segment_loop(w->loop->matches[0].loop)) {
            shunt_text id = called(w->loop);
            d = shunt_diag_add(k->diags, SHUNT_E0203, name->span, "%.*s is a group of segments, and `%.*s` names no field of one",
                               SHUNT_TEXT_ARGS(id), SHUNT_TEXT_ARGS(name->text));
            shunt_diag_help(k->diags, d, "name the segment: `%s-%.*s`",
                            w->loop->match_count ? w->loop->matches[0].loop->body[0].segment
                                                       ? w->loop->matches[0].loop->body[0].segment->id
                                                       : "PID"
                                                 : "PID",
                            SHUNT_TEXT_ARGS(name->text));
            return WALK_REPORTED;
        }
        w->segment = shunt_text_of(w->loop->matches[0].loop->body[0].segment->id);
    }
    if (add_number(w, first) && add_number(w, second)) return WALK_VALUE;
    d = shunt_diag_add(k->diags, SHUNT_E0203, name->span, "a subcomponent has no parts");
    shunt_diag_help(k->diags, d, "leave out `.%.*s`", SHUNT_TEXT_ARGS(name->text));
    return WALK_REPORTED;
}

static walked below_loop(check *k, shunt_ast *node, const shunt_ast *name, way *w)
{
    way        field = { 0 };
    bool       is_field = split_field(name->text, &field);
    shunt_text segment = is_field ? field.segment : name->text;
    walked     found = WALK_OTHER;
    if (w->list) {
        several(k, node, w->loop, name->text);
        return WALK_REPORTED;
    }
    if (!is_field && is_group(k, name->text)) found = into_group(k, node, name->text, w);
    if (found == WALK_OTHER && !w->loop->field && is_segment_id(segment)) found = into_segment(k, node, segment, w, !is_field);
    if (found == WALK_OTHER) {
        uint32_t   given = 0;
        shunt_text id =
            w->loop->field ? plain_field(k, &(way){ .segment = w->loop->segment, .element = w->loop->field }) : called(w->loop);
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0202, name->span, "%.*s has no %.*s", SHUNT_TEXT_ARGS(id),
                                       SHUNT_TEXT_ARGS(name->text));
        if (w->loop->field) {
            shunt_diag_help(k->diags, d, "name a component by its number: `.1`");
            return WALK_REPORTED;
        }
        shunt_suggest s;
        shunt_suggest_init(&s, segment, 2);
        for (uint32_t m = 0; m < w->loop->match_count; m++) offer_segments(w->loop->matches[m].loop, &s);
        shunt_text near = shunt_suggest_text(&s, k->arena);
        if (near.length) shunt_diag_help(k->diags, d, "did you mean segment %.*s?", SHUNT_TEXT_ARGS(near));
        if (is_segment_id(segment) && knows_segment(k, segment))
            where_it_stands(k, d, first_guide(k)->body, segment, name->text, &given);
        return WALK_REPORTED;
    }
    if (!is_field || found == WALK_REPORTED) return found;
    w->element = field.element;
    w->component = field.component;
    w->subcomponent = field.subcomponent;
    return WALK_VALUE;
}

static walked walk_member(check *k, shunt_ast *node, way *w)
{
    shunt_ast *name = kid(node, SHUNT_MEMBER_name);
    walked     found = walk(k, kid(node, SHUNT_MEMBER_of), w);
    if (!name) return WALK_REPORTED;
    if (found == WALK_OTHER || found == WALK_REPORTED) return found;
    if (name->kind == SHUNT_AST_INT || name->kind == SHUNT_AST_DECIMAL) {
        if (found != WALK_LOOP || !w->list) return by_number(k, name, found, w);
        several(k, node, w->loop, check_format(k, "%.*s-%.*s", SHUNT_TEXT_ARGS(called(w->loop)), SHUNT_TEXT_ARGS(name->text)));
        return WALK_REPORTED;
    }
    if (found == WALK_LOOP) return below_loop(k, node, name, w);
    way field = { 0 };
    if (found == WALK_SEGMENT && split_field(name->text, &field) && shunt_text_equal(field.segment, w->segment)) {
        w->element = field.element;
        w->component = field.component;
        w->subcomponent = field.subcomponent;
        return WALK_VALUE;
    }
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0203, name->span, "%s has no part `%.*s`",
                                   found == WALK_SEGMENT ? "a segment" : "a field", SHUNT_TEXT_ARGS(name->text));
    if (found == WALK_SEGMENT)
        shunt_diag_help(k->diags, d, "write the field with its segment: `%.*s-1`", SHUNT_TEXT_ARGS(w->segment));
    else
        shunt_diag_help(k->diags, d, "components are counted: `%.*s.1`", SHUNT_TEXT_ARGS(shown_field(k, w)));
    return WALK_REPORTED;
}

static walked wrong_index(check *k, const shunt_ast *node, const char *why, shunt_text example)
{
    shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0306, node->span, "%s", why);
    shunt_diag_help(k->diags, d, "write `%.*s`", SHUNT_TEXT_ARGS(example));
    return WALK_REPORTED;
}

/* `PID-3[2]`, `OBX[3]`, `INSURANCE[1]`. */
static walked walk_index(check *k, shunt_ast *node, way *w)
{
    shunt_ast *keys = kid(node, SHUNT_INDEX_keys), *of = kid(node, SHUNT_INDEX_of), *key = kid(keys, 0);
    walked     found = walk(k, of, w);
    if (found == WALK_OTHER || found == WALK_REPORTED) return found;
    shunt_text shown = found == WALK_VALUE ? plain_field(k, w) : found == WALK_SEGMENT ? w->segment : called(w->loop);
    unsigned   number = 0, none = 0;
    bool       plain = keys->kid_count == 1 && key && key->kind == SHUNT_AST_INT && !kid(node, SHUNT_INDEX_at) &&
                 numbers_of(key->text, &number, &none) && number <= UINT16_MAX;
    if (!plain)
        return wrong_index(
            k, node, "a repetition is picked by its number from 1, or by what it holds",
            check_format(k, "%.*s[1]` or `%.*s[where it.1 = \"...\"].first", SHUNT_TEXT_ARGS(shown), SHUNT_TEXT_ARGS(shown)));
    if (found == WALK_VALUE) {
        match_list           nodes = { 0 };
        const shunt_element *field = NULL;
        if (w->component || w->repetition)
            return wrong_index(k, node, "a repetition is picked before the component",
                               check_format(k, "%.*s[%u].%u", SHUNT_TEXT_ARGS(shown), number, w->component ? w->component : 1u));
        if (!pick_nodes(k, node, w, &nodes)) return WALK_REPORTED;
        if (number > REPETITIONS || (number > 1 && !repeats(&nodes, w->element, &field) && field)) {
            shunt_diag *d =
                shunt_diag_add(k->diags, SHUNT_E0212, node->span, "there is at most one `%.*s`", SHUNT_TEXT_ARGS(shown));
            if (field) shunt_diag_here(k->diags, d, "%s does not repeat", field->name);
            shunt_diag_help(k->diags, d, "write `%.*s`", SHUNT_TEXT_ARGS(shown));
            return WALK_REPORTED;
        }
        w->repetition = (uint8_t)number;
        return WALK_VALUE;
    }
    if (!w->list || !w->down_count) {
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0212, node->span, "there is one %.*s here", SHUNT_TEXT_ARGS(shown));
        shunt_diag_here(k->diags, d, "it is not a list");
        shunt_diag_help(k->diags, d, "leave out `[%u]`", number);
        return WALK_REPORTED;
    }
    shunt_ty   type;
    shunt_text segment = w->segment;
    if (!finish_node(k, of, w, true, &type)) return WALK_REPORTED;
    of->flags |= NODE_CHECKED;
    shunt_fact *fact = check_fact(k, node);
    fact->kind = SHUNT_FACT_FIRST;
    fact->member = number;
    shunt_ty one = *type.item;
    one.optional = true;
    (void)check_typed(k, node, one);
    node->flags |= NODE_CHECKED;
    *w = (way){ .base = node, .loop = one.loop, .optional = true, .segment = segment };
    w->why = check_format(k, "there may be fewer of %.*s", SHUNT_TEXT_ARGS(shown));
    return WALK_LOOP;
}

static walked walk(check *k, shunt_ast *node, way *w)
{
    *w = (way){ 0 };
    if (!node) return WALK_REPORTED;
    switch (node->kind) {
    case SHUNT_AST_LOOP:
        if (!reads_nothing(k, node, node->text)) no_such_group(k, node, node->text);
        return WALK_REPORTED;
    case SHUNT_AST_NAME:
        if (k->level && k->level->is_it && shunt_text_is(node->text, "it")) break;
        return walk_name(k, node, w);
    case SHUNT_AST_ELEMENT: return walk_element(k, node, w);
    case SHUNT_AST_MEMBER:
        if (kid(node, SHUNT_MEMBER_name) && shunt_text_is(kid(node, SHUNT_MEMBER_name)->text, "first")) break;
        return walk_member(k, node, w);
    case SHUNT_AST_INDEX:
        if (node->flags & NODE_CHECKED) break;
        return walk_index(k, node, w);
    default: break;
    }
    return walk_value(k, node, w);
}

bool hl7_path(check *k, shunt_ast *node, const shunt_ty *want, bool list, shunt_ty *type)
{
    way    w;
    walked found = walk(k, node, &w);
    bool   fine = false;
    if (found == WALK_OTHER) return false;
    if (found == WALK_LOOP && w.base == node) {
        *type = shunt_fact_of(node)->type;
        return (node->flags & NODE_CHECKED) !=
               0; /* picked by its number; else a value that happens to be an instance of a loop */
    }
    if (found == WALK_LOOP && node->kind == SHUNT_AST_NAME && w.start && !w.down_count && !w.up) return false;
    if (found == WALK_VALUE && list && !w.component && !w.repetition && !w.loop->field) {
        walked repeated = finish_repetitions(k, node, &w, type);
        if (repeated == WALK_LOOP) return true;
        if (repeated == WALK_REPORTED) found = WALK_REPORTED;
    }
    if (found == WALK_VALUE)
        fine = finish_value(k, node, &w, want, type);
    else if (found == WALK_SEGMENT)
        fine = finish_segment(k, node, &w, type);
    else if (found == WALK_LOOP)
        fine = finish_node(k, node, &w, list, type);
    if (!fine) *type = check_typed(k, node, ty_error());
    return true;
}

const shunt_loop_ref *hl7_unit_loop(check *k, shunt_ast *list, bool *reported)
{
    uint32_t missing;
    *reported = false;
    if (list->kind != SHUNT_AST_NAME || find_value(k, list->text)) return NULL;
    bool segment = is_segment_id(list->text) && knows_segment(k, list->text) && !loop_has_id(k, list->text);
    *reported = true;
    if (segment) {
        uint32_t    given = 0;
        shunt_diag *d = shunt_diag_add(k->diags, SHUNT_E0606, list->span, "a map goes over a group or a segment that repeats");
        shunt_diag_here(k->diags, d, "%.*s stands once, or inside a group", SHUNT_TEXT_ARGS(list->text));
        where_it_stands(k, d, first_guide(k)->body, list->text, check_format(k, "%.*s-1", SHUNT_TEXT_ARGS(list->text)), &given);
        shunt_diag_help(k->diags, d, "or go over the messages: `for each m in %.*s { ... }`", SHUNT_TEXT_ARGS(k->source->name));
        return NULL;
    }
    if (!loop_has_id(k, list->text)) {
        no_such_group(k, list, list->text);
        return NULL;
    }
    const shunt_loop_ref *ref = plain_ref(k, kept(k, list->text));
    if (!in_every_guide(k, ref, &missing)) {
        missing_in_guide(k, list, list->text, missing, "missing");
        return NULL;
    }
    list_of_loop(k, list, ref);
    *reported = false;
    return ref;
}
