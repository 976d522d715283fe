#include "dsl/excerpt.h"

enum { LONGEST_LINE = 160, BEFORE_MARK = 60 /* characters kept in front of the first mark of a line that is cut */ };

/* ---- characters and lines ---- */

/* Bytes of the character at `at`; one where they are no UTF-8, so that columns stay defined on any input. */
static uint32_t character_size(shunt_text text, uint32_t at)
{
    unsigned char lead = (unsigned char)text.bytes[at];
    uint32_t      size = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (size > text.length - at) return 1;
    return shunt_utf8_bad(text.bytes + at, size) == size ? size : 1;
}

static uint32_t count_characters(shunt_text text, uint32_t begin, uint32_t end)
{
    uint32_t count = 0;
    for (uint32_t at = begin; at < end; at += character_size(text, at)) count++;
    return count;
}

static uint32_t line_begin(shunt_text text, uint32_t offset)
{
    while (offset > 0 && text.bytes[offset - 1] != '\n') offset--;
    return offset;
}

static uint32_t line_end(shunt_text text, uint32_t offset)
{
    while (offset < text.length && text.bytes[offset] != '\n') offset++;
    if (offset > 0 && offset <= text.length && text.bytes[offset - 1] == '\r' && line_begin(text, offset) < offset) offset--;
    return offset;
}

void shunt_excerpt_place(shunt_text text, uint32_t offset, uint32_t *line, uint32_t *column)
{
    if (offset > text.length) offset = text.length;
    uint32_t ends = 0; /* a local, which the compiler counts many bytes at a time into */
    for (uint32_t i = 0; i < offset; i++) ends += text.bytes[i] == '\n';
    *line = 1 + ends;
    *column = 1 + count_characters(text, line_begin(text, offset), offset);
}

/* Characters that a terminal obeys instead of showing them: controls, marks without width, changes of direction. */
static bool is_hidden(const char *bytes, uint32_t size)
{
    const unsigned char *c = (const unsigned char *)bytes;
    if (size == 2) return c[0] == 0xC2 && c[1] < 0xA0;
    if (size != 3) return false;
    unsigned character = (c[0] & 0x0Fu) << 12 | (c[1] & 0x3Fu) << 6 | (c[2] & 0x3Fu);
    return (character >= 0x200B && character <= 0x200F) || (character >= 0x2028 && character <= 0x202E) ||
           (character >= 0x2066 && character <= 0x2069) || character == 0xFEFF;
}

/* Text on one line: what would break the line is a blank, what would hide in it a question mark. */
static void write_plain(shunt_buffer *out, shunt_text text)
{
    for (uint32_t at = 0, size; at < text.length; at += size) {
        size = character_size(text, at);
        unsigned char c = (unsigned char)text.bytes[at];
        if (size > 1 && is_hidden(text.bytes + at, size))
            shunt_buffer_char(out, '?');
        else if (size > 1)
            shunt_buffer_add(out, text.bytes + at, size);
        else
            shunt_buffer_char(out, c < 0x20 || c == 0x7F ? ' ' : c >= 0x80 ? '?' : (char)c);
    }
}

static void write_repeated(shunt_buffer *out, char c, uint32_t count)
{
    while (count--) shunt_buffer_char(out, c);
}

/* ---- the marks of one line ---- */

struct mark {
    uint32_t   from, to; /* columns from 0, on the line as it is shown */
    bool       here;     /* the place itself */
    shunt_text text;
};

struct view {
    shunt_text  source;
    uint32_t    begin, end; /* the line in the source */
    uint32_t    number;
    struct mark marks[SHUNT_DIAG_LABELS];
    uint32_t    mark_count;
};

static void write_gutter(shunt_buffer *out, uint32_t width) { shunt_buffer_format(out, "%*s|", (int)width + 1, ""); }

/* The line, cut around its marks where it is long; the marks are moved along. */
static void write_line(shunt_buffer *out, struct view *v)
{
    uint32_t length = count_characters(v->source, v->begin, v->end);
    uint32_t first = UINT32_MAX, from = 0, to = length;
    for (uint32_t i = 0; i < v->mark_count; i++)
        if (v->marks[i].from < first) first = v->marks[i].from;
    if (length > LONGEST_LINE) {
        if (first > BEFORE_MARK) from = first - BEFORE_MARK;
        if (from + LONGEST_LINE < length) to = from + LONGEST_LINE;
    }
    uint32_t shift = from ? 3 : 0;
    if (from) shunt_buffer_z(out, "...");
    uint32_t at = v->begin;
    for (uint32_t i = 0; i < to; i++) {
        uint32_t size = character_size(v->source, at);
        if (i >= from) write_plain(out, (shunt_text){ v->source.bytes + at, size });
        at += size;
    }
    if (to < length) shunt_buffer_z(out, "...");
    for (uint32_t i = 0; i < v->mark_count; i++) {
        struct mark *m = &v->marks[i];
        m->from = (m->from > to ? to : m->from) - from + shift;
        m->to = (m->to > to ? to : m->to) - from + shift;
        if (m->to <= m->from) m->to = m->from + 1;
    }
}

static int by_column(const struct mark *a, const struct mark *b) { return a->from < b->from ? -1 : a->from > b->from; }

static void sort_marks(struct view *v)
{
    for (uint32_t i = 1; i < v->mark_count; i++)
        for (uint32_t k = i; k > 0 && by_column(&v->marks[k - 1], &v->marks[k]) > 0; k--) {
            struct mark m = v->marks[k];
            v->marks[k] = v->marks[k - 1];
            v->marks[k - 1] = m;
        }
}

static char mark_at(const struct view *v, uint32_t column)
{
    char c = ' ';
    for (uint32_t i = 0; i < v->mark_count; i++) {
        const struct mark *m = &v->marks[i];
        if (column >= m->from && column < m->to && c != '^') c = m->here ? '^' : '-';
    }
    return c;
}

/* `count` bars, one under each of the marks from the left that still wait for their text. */
static uint32_t write_bars(shunt_buffer *out, const struct view *v, uint32_t count)
{
    uint32_t column = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct mark *m = &v->marks[i];
        if (!m->text.length || m->from < column) continue;
        write_repeated(out, ' ', m->from - column);
        shunt_buffer_char(out, '|');
        column = m->from + 1;
    }
    return column;
}

/* Under the line its marks, the text of the last one beside it, those of the others below, from the right to the left. */
static void write_marks(shunt_buffer *out, struct view *v, uint32_t width)
{
    uint32_t end = 0;
    sort_marks(v);
    for (uint32_t i = 0; i < v->mark_count; i++)
        if (v->marks[i].to > end) end = v->marks[i].to;
    write_gutter(out, width);
    shunt_buffer_char(out, ' ');
    for (uint32_t column = 0; column < end; column++) shunt_buffer_char(out, mark_at(v, column));
    const struct mark *last = &v->marks[v->mark_count - 1];
    if (last->text.length) {
        shunt_buffer_char(out, ' ');
        write_plain(out, last->text);
    }
    shunt_buffer_char(out, '\n');
    for (uint32_t i = v->mark_count - 1; i-- > 0;) {
        const struct mark *m = &v->marks[i];
        if (!m->text.length) continue;
        if (i + 2 == v->mark_count || m->from != v->marks[i + 1].from) {
            write_gutter(out, width);
            shunt_buffer_char(out, ' ');
            write_bars(out, v, i + 1);
            shunt_buffer_char(out, '\n');
        }
        write_gutter(out, width);
        shunt_buffer_char(out, ' ');
        uint32_t column = write_bars(out, v, i);
        if (m->from > column) write_repeated(out, ' ', m->from - column);
        write_plain(out, m->text);
        shunt_buffer_char(out, '\n');
    }
}

/* ---- a diagnostic ---- */

static const shunt_excerpt_source *source_of(const shunt_excerpt_sources *sources, shunt_span at)
{
    return at.file < sources->count ? &sources->items[at.file] : NULL;
}

/* A mark for the label, on the view of its line among `views`. What goes on to further lines is marked to the end of its
 * first. */
static uint32_t add_label(struct view *views, uint32_t count, const shunt_excerpt_source *source, const shunt_label *label,
                          bool here)
{
    shunt_text text = source->text;
    uint32_t   begin = label->span.begin < text.length ? label->span.begin : text.length;
    uint32_t   from = line_begin(text, begin), to = line_end(text, begin), i = 0;
    if (to < from) to = from;
    if (begin > to) begin = to;
    uint32_t end = label->span.end < to ? label->span.end : to;
    while (i < count && views[i].begin != from) i++;
    struct view *v = &views[i];
    if (i == count) {
        uint32_t column;
        *v = (struct view){ .source = text, .begin = from, .end = to };
        shunt_excerpt_place(text, from, &v->number, &column);
        count++;
    }
    struct mark *m = &v->marks[v->mark_count++];
    *m = (struct mark){ .here = here, .text = label->text };
    m->from = count_characters(text, from, begin);
    m->to = m->from + (end > begin ? count_characters(text, begin, end) : 1);
    return count;
}

static void sort_views(struct view *views, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t k = i; k > 0 && views[k - 1].number > views[k].number; k--) {
            struct view v = views[k];
            views[k] = views[k - 1];
            views[k - 1] = v;
        }
}

static uint32_t digits(uint32_t number)
{
    uint32_t count = 1;
    for (; number >= 10; number /= 10) count++;
    return count;
}

/* Room for the largest line number that is shown. */
static uint32_t gutter_width(const shunt_excerpt_sources *sources, const shunt_diag *diag)
{
    uint32_t width = 1, line, column;
    for (uint32_t i = 0; i < diag->label_count; i++) {
        const shunt_excerpt_source *source = source_of(sources, diag->labels[i].span);
        if (!source) continue;
        shunt_excerpt_place(source->text, diag->labels[i].span.begin, &line, &column);
        if (digits(line) > width) width = digits(line);
    }
    return width;
}

/* The lines of one file. */
static void write_file(const shunt_excerpt_sources *sources, const shunt_diag *diag, uint32_t first, uint32_t width,
                       shunt_buffer *out)
{
    const shunt_excerpt_source *source = source_of(sources, diag->labels[first].span);
    struct view                 views[SHUNT_DIAG_LABELS];
    uint32_t                    count = 0, line, column;
    shunt_excerpt_place(source->text, diag->labels[first].span.begin, &line, &column);
    shunt_buffer_z(out, first == 0 ? "  --> " : "  ::: ");
    write_plain(out, source->name);
    shunt_buffer_format(out, ":%u:%u\n", (unsigned)line, (unsigned)column);
    for (uint32_t i = first; i < diag->label_count; i++)
        if (diag->labels[i].span.file == diag->labels[first].span.file)
            count = add_label(views, count, source, &diag->labels[i], i == 0);
    sort_views(views, count);
    write_gutter(out, width);
    shunt_buffer_char(out, '\n');
    for (uint32_t i = 0; i < count; i++) {
        shunt_buffer_format(out, "%*u |%s", (int)width, (unsigned)views[i].number, views[i].end > views[i].begin ? " " : "");
        write_line(out, &views[i]);
        shunt_buffer_char(out, '\n');
        write_marks(out, &views[i], width);
    }
}

void shunt_excerpt(const shunt_excerpt_sources *sources, const shunt_diag *diag, shunt_buffer *out)
{
    uint32_t width = gutter_width(sources, diag);
    bool     shown = false;
    shunt_buffer_format(out, "%s[%s]: ", shunt_severity_name(diag->severity), shunt_status_info[diag->code].code);
    write_plain(out, diag->message);
    shunt_buffer_char(out, '\n');
    for (uint32_t i = 0; i < diag->label_count; i++) {
        uint32_t earlier = 0;
        while (earlier < i && diag->labels[earlier].span.file != diag->labels[i].span.file) earlier++;
        if (earlier < i || !source_of(sources, diag->labels[i].span)) continue;
        write_file(sources, diag, i, width, out);
        shown = true;
    }
    for (uint32_t i = 0; i < diag->hint_count; i++) {
        if (i == 0 && shown) {
            write_gutter(out, width);
            shunt_buffer_char(out, '\n');
        }
        shunt_buffer_format(out, "%*s= %s: ", (int)width + 1, "", diag->hints[i].help ? "help" : "note");
        write_plain(out, diag->hints[i].text);
        shunt_buffer_char(out, '\n');
    }
}

/* ---- JSON ---- */

static void write_place(const shunt_excerpt_source *source, shunt_span at, shunt_buffer *out)
{
    uint32_t line, column, end_line, end_column;
    shunt_excerpt_place(source->text, at.begin, &line, &column);
    shunt_excerpt_place(source->text, at.end > at.begin ? at.end : at.begin, &end_line, &end_column);
    shunt_buffer_z(out, "\"file\":");
    shunt_buffer_json(out, source->name);
    shunt_buffer_format(out, ",\"line\":%u,\"column\":%u,\"end_line\":%u,\"end_column\":%u", (unsigned)line, (unsigned)column,
                        (unsigned)end_line, (unsigned)end_column);
}

static void write_hints(const shunt_diag *diag, bool help, shunt_buffer *out)
{
    bool first = true;
    for (uint32_t i = 0; i < diag->hint_count; i++) {
        if (diag->hints[i].help != help) continue;
        if (!first) shunt_buffer_char(out, ',');
        shunt_buffer_json(out, diag->hints[i].text);
        first = false;
    }
}

void shunt_excerpt_json(const shunt_excerpt_sources *sources, const shunt_diag *diag, shunt_buffer *out)
{
    const shunt_excerpt_source *source = diag->label_count ? source_of(sources, diag->labels[0].span) : NULL;
    shunt_buffer_format(out, "{\"code\":\"%s\",\"severity\":\"%s\",\"message\":", shunt_status_info[diag->code].code,
                        shunt_severity_name(diag->severity));
    shunt_buffer_json(out, diag->message);
    if (source) {
        shunt_buffer_char(out, ',');
        write_place(source, diag->labels[0].span, out);
    }
    shunt_buffer_z(out, ",\"labels\":[");
    bool first = true;
    for (uint32_t i = 0; i < diag->label_count; i++) {
        source = source_of(sources, diag->labels[i].span);
        if (!source) continue;
        shunt_buffer_z(out, first ? "{" : ",{");
        write_place(source, diag->labels[i].span, out);
        shunt_buffer_z(out, ",\"text\":");
        shunt_buffer_json(out, diag->labels[i].text);
        shunt_buffer_char(out, '}');
        first = false;
    }
    shunt_buffer_z(out, "],\"notes\":[");
    write_hints(diag, false, out);
    shunt_buffer_z(out, "],\"helps\":[");
    write_hints(diag, true, out);
    shunt_buffer_z(out, "]}");
}
