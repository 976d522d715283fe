/* reader.c - cuts rows out of pieces of input, and tells each as events.
 * Read first: next (what is told of a row, in order), take_row (one row, wherever pieces end), classify (which type it is). */
#include "standards/csv/reader.h"

#include <stdio.h>

#include "engine/base/walk.h"
#include "standards/csv/charset.h"
#include "standards/csv/heading.h"

enum {
    ROW_BYTES = 1 << 20,
    CELLS = 16384,
    FEW_CELLS = 64,
    STAGE_STEP = 4096, /* bytes of a piece that are added to a row begun in an earlier one, at a time */
    CONTROL_Z = 0x1a,  /* end of file of old systems */
};

/* A cell of the row at hand. */
struct cell {
    uint64_t at;         /* byte in the input */
    uint32_t begin, end; /* in the bytes of the row, without its quotes */
    bool     quoted;
    bool     doubled; /* quotes stand twice inside */
};

enum cell_mode { CELL_START, CELL_PLAIN, CELL_QUOTED, CELL_QUOTE /* behind a quote that may close */, CELL_AFTER };

/* What a fault spoils: what the exit that answers it says, if that is more. */
enum reach { UNIT, TRANSACTION };

enum row_fault { ROW_LONG, ROW_UNCLOSED, ROW_ENCODING, ROW_QUOTE, ROW_STRAY, ROW_MANY, ROW_WIDTH, ROW_FAULTS };
static const struct {
    shunt_status code;
    enum reach   reach;
} row_faults[ROW_FAULTS] = {
    [ROW_LONG] = { SHUNT_CSV_ROW_LONG, TRANSACTION }, [ROW_UNCLOSED] = { SHUNT_CSV_UNCLOSED, TRANSACTION },
    [ROW_ENCODING] = { SHUNT_CSV_ENCODING, UNIT },    [ROW_QUOTE] = { SHUNT_CSV_QUOTE, UNIT },
    [ROW_STRAY] = { SHUNT_CSV_STRAY_QUOTE, UNIT },    [ROW_MANY] = { SHUNT_CSV_CELLS_LIMIT, UNIT },
    [ROW_WIDTH] = { SHUNT_CSV_LENGTH, UNIT },
};

/* A row that is complete: its bytes, its cells, what is wrong with it. */
struct row {
    const uint8_t *bytes;
    struct cell   *cells;
    uint32_t       cell_count, cell_capacity;
    uint32_t       length; /* without its end */
    uint64_t       at, end;
    uint32_t       number; /* from 1, the header and blank lines included */
    uint32_t       faults; /* bits of row_fault, the first place of each below */
    struct {
        uint64_t at;
        uint32_t length;
        uint16_t cell;
    } fault_at[ROW_FAULTS];
};

/* What is told of a row, in this order. */
enum stage {
    TELL_NOTHING,
    TELL_LEAVE,  /* rows that it closes */
    TELL_FINISH, /* the transaction that it ends */
    TELL_BEGIN,  /* the one that it begins */
    TELL_ENTER,
    TELL_SEGMENT, /* for display */
    TELL_FAULTS,
    TELL_VALUES,
    TELL_REST,
    TELL_REST_VALUE,
    TELL_REST_LEAVE,
    TELL_CLOSE, /* of a row that nothing can stand in, or that has no parent */
};

enum cut { CUT_UNKNOWN, CUT_LINES, CUT_LENGTH }; /* how records of fixed width end */

struct csv {
    shunt_reader             base;
    const shunt_memory      *memory;
    const shunt_plan        *plan;
    const shunt_plan_layout *layout;
    const shunt_plan_row    *rows;
    shunt_csv_options        options;
    shunt_charset           *charset; /* NULL: UTF-8 */
    bool                     charset_missing;
    bool                     display;
    uint8_t                  special[256];                    /* 1: ends a run of plain bytes in a cell */
    uint8_t                  quote_mark, end_mark, other_end; /* the same; the separator where there is no such */
    /* input */
    const uint8_t           *fed;
    size_t                   fed_size, fed_used;
    uint64_t                 fed_at; /* of fed[0] */
    bool                     last;
    /* the row that is being cut */
    shunt_buffer             stage; /* its bytes where it began in an earlier piece */
    bool                     staged;
    uint32_t                 scanned; /* bytes of it looked at */
    enum cell_mode           mode;
    bool                     skipping; /* the rest of a row that is too long */
    bool                     started, blind /* nothing of the input can be read */;
    bool                     any; /* a row came that is not blank */
    enum cut                 cut;
    uint32_t                 number;
    struct row               row;
    /* a record that continuations may follow */
    struct row               held;
    shunt_buffer             held_bytes;
    bool                     holding, waiting;
    /* what is told */
    struct row              *told;
    enum stage               stage_of;
    uint16_t                 type;   /* row type, SHUNT_NONE = unknown or header */
    uint16_t                 keep;   /* rows that stay open around it */
    bool                     orphan; /* no parent is open */
    bool                     inside; /* a loop is entered for it */
    bool                     wanted; /* its cells go to a frame */
    uint32_t                 step;   /* within the stage */
    uint64_t                 leave_end;
    bool                     open;  /* a transaction is */
    uint16_t                 depth; /* of the rows that are open */
    uint16_t                 stack[SHUNT_PLAN_ROWS];
    bool                     parent[SHUNT_PLAN_ROWS];        /* types that others stand in */
    uint32_t                 seen[SHUNT_PLAN_ROWS / 32 + 1]; /* types that stand once and have come, in the open parent */
    bool                     awaits_trailer, trailed;        /* the source names trailers; the last row was one */
    bool                     over;
    bool                     failed;
    /* header and width */
    bool                     headed;
    uint32_t                 width;   /* cells of a row, 0 = not known */
    uint16_t                *cell_of; /* of each column of a layout with a header: cell from 1, 0 = missing */
    shunt_place              blank;   /* first blank line, not told yet */
    bool                     blank_known, blank_told, trailing_told;
    shunt_buffer             value, shown; /* scratch */
    uint32_t                *offsets;      /* of the segment for display */
    uint32_t                 offset_capacity;
    shunt_segment            segment;
    char                     detail[512];
};

/* ---- small things ---- */

static bool delimited(const struct csv *c) { return c->layout->length == 0; }

static const shunt_plan_row *type_of(const struct csv *c, uint16_t type) { return &c->rows[type]; }

static bool is_blank(uint8_t byte) { return byte == ' ' || byte == '\t'; }

static shunt_text text_at(const struct csv *c, uint16_t text)
{
    return text == SHUNT_NONE ? (shunt_text){ 0 } : c->plan->texts[text];
}

static void note_fault(struct row *row, enum row_fault fault, uint64_t at, uint32_t length, uint32_t cell)
{
    if (row->faults & 1u << fault) return;
    row->faults |= 1u << fault;
    row->fault_at[fault].at = at;
    row->fault_at[fault].length = length;
    row->fault_at[fault].cell = (uint16_t)(cell > UINT16_MAX ? UINT16_MAX : cell);
}

/* ---- cutting ---- */

static bool push_cell(struct csv *c, struct row *row, struct cell cell)
{
    if (row->cell_count == row->cell_capacity) {
        uint32_t     capacity = row->cell_capacity ? row->cell_capacity * 2 : FEW_CELLS;
        struct cell *cells = shunt_memory_resize(c->memory, row->cells, capacity * sizeof *cells);
        if (!cells) return false;
        row->cells = cells;
        row->cell_capacity = capacity;
    }
    row->cells[row->cell_count++] = cell;
    return true;
}

/* Begins the cell at `from`, of the row that is being cut. */
static bool begin_cell(struct csv *c, uint32_t from)
{
    struct row *row = &c->row;
    c->mode = CELL_START;
    if (SHUNT_LIKELY(row->cell_count < row->cell_capacity && row->cell_count < c->options.max_cells)) {
        row->cells[row->cell_count++] = (struct cell){ .at = row->at + from, .begin = from, .end = from };
        return true;
    }
    if (row->cell_count >= c->options.max_cells) {
        note_fault(row, ROW_MANY, row->at + from, 0, row->cell_count);
        row->cells[row->cell_count - 1].end = from; /* the last one takes what follows, and nobody reads it */
        c->mode = CELL_PLAIN;
        return true;
    }
    return push_cell(c, row, (struct cell){ .at = row->at + from, .begin = from, .end = from });
}

static void begin_row(struct csv *c, uint64_t at)
{
    c->row.cell_count = 0;
    c->row.faults = 0;
    c->row.at = at;
    c->row.number = ++c->number;
    c->scanned = 0;
    c->mode = CELL_START;
    c->skipping = false;
}

enum scan { SCAN_ROW, SCAN_MORE, SCAN_LONG, SCAN_FAILED };

/* Is this the end of a row? `*end`: the byte after it. More bytes may be needed to know. */
static enum scan row_end(const struct csv *c, const uint8_t *bytes, uint32_t at, uint32_t size, bool last, uint32_t *end)
{
    uint8_t byte = bytes[at];
    *end = at + 1;
    if (byte == '\r' && (c->layout->lines || !delimited(c))) {
        if (at + 1 == size && !last) return SCAN_MORE;
        if (at + 1 < size && bytes[at + 1] == '\n') *end = at + 2;
    }
    return SCAN_ROW;
}

static bool ends_row(const struct csv *c, uint8_t byte)
{
    if (c->layout->lines) return byte == '\n' || byte == '\r';
    return byte == c->layout->terminator;
}

/* Which of the 64 bytes from `at` on are marks, as bits. */
struct block {
    uint64_t marks;
    uint32_t at;
};

enum { BLOCK = 64 };

#ifdef __SSE2__
#include <emmintrin.h>
static inline uint64_t find_marks(const struct csv *c, const uint8_t *bytes)
{
    const __m128i separator = _mm_set1_epi8((char)c->layout->separator), quote = _mm_set1_epi8((char)c->quote_mark);
    const __m128i end = _mm_set1_epi8((char)c->end_mark), other = _mm_set1_epi8((char)c->other_end);
    uint64_t      marks = 0;
    for (int i = 0; i < BLOCK / 16; i++) {
        __m128i some = _mm_loadu_si128((const __m128i *)(const void *)(bytes + 16 * i));
        __m128i hit = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(some, separator), _mm_cmpeq_epi8(some, quote)),
                                   _mm_or_si128(_mm_cmpeq_epi8(some, end), _mm_cmpeq_epi8(some, other)));
        marks |= (uint64_t)(uint32_t)_mm_movemask_epi8(hit) << 16 * i;
    }
    return marks;
}
#else
static inline uint64_t find_marks(const struct csv *c, const uint8_t *bytes)
{
    uint64_t marks = 0;
    for (int i = 0; i < BLOCK; i++) marks |= (uint64_t)c->special[bytes[i]] << i;
    return marks;
}
#endif

/* The first separator, quote or end of a row from `at` on, `size` where there is none. */
static inline uint32_t next_mark(const struct csv *c, const uint8_t *bytes, uint32_t at, uint32_t size, struct block *block)
{
    while (at < size) {
        if (at - block->at >= BLOCK) {
            if (size - at < BLOCK) {
                while (at < size && !c->special[bytes[at]]) at++;
                return at;
            }
            *block = (struct block){ find_marks(c, bytes + at), at };
        }
        uint64_t left = block->marks >> (at - block->at);
        if (left) return at + (uint32_t)__builtin_ctzll(left);
        at = block->at + BLOCK;
    }
    return size;
}

/* Looks at the bytes of the row at hand up to `size`; `*length`: of the row, `*end`: after what ends it. */
static enum scan scan_cells(struct csv *c, const uint8_t *bytes, uint32_t size, bool last, uint32_t *length, uint32_t *end)
{
    const shunt_plan_layout *l = c->layout;
    struct row              *row = &c->row;
    uint32_t                 at = c->scanned;
    struct block             block = { 0, at - BLOCK };
    if (at == 0 && row->cell_count == 0 && !begin_cell(c, 0)) return SCAN_FAILED;
    while (at < size) {
        uint8_t      byte = bytes[at];
        struct cell *cell = &row->cells[row->cell_count - 1];
        switch (c->mode) {
        case CELL_START:
            if (byte == l->quote && l->quote) {
                c->mode = CELL_QUOTED;
                cell->quoted = true;
                cell->begin = ++at;
                cell->at = row->at + at;
                continue;
            }
            c->mode = CELL_PLAIN;
            /* fall through */
        case CELL_PLAIN:
            at = next_mark(c, bytes, at, size, &block);
            if (at == size) continue;
            byte = bytes[at];
            if (byte == l->separator) {
                cell->end = at++;
                if (!begin_cell(c, at)) return SCAN_FAILED;
                continue;
            }
            if (ends_row(c, byte)) break;
            if (byte == l->quote && l->quote) note_fault(row, ROW_STRAY, row->at + at, 1, row->cell_count);
            at++;
            continue;
        case CELL_QUOTED: {
            const uint8_t *quote = memchr(bytes + at, l->quote, size - at);
            at = quote ? (uint32_t)(quote - bytes) : size;
            if (!quote) continue;
            c->mode = CELL_QUOTE;
            cell->end = at++;
            continue;
        }
        case CELL_QUOTE:
            if (byte == l->quote) {
                cell->doubled = true;
                c->mode = CELL_QUOTED;
                at++;
                continue;
            }
            c->mode = CELL_AFTER;
            /* fall through */
        case CELL_AFTER:
            if (byte == l->separator) {
                if (!begin_cell(c, ++at)) return SCAN_FAILED;
                continue;
            }
            if (ends_row(c, byte)) break;
            /* Before the end of a line the terminator is none of the text. */
            if (!is_blank(byte) && !(l->lines && byte == l->terminator && l->terminator))
                note_fault(row, ROW_QUOTE, row->at + at, 1, row->cell_count);
            at++;
            continue;
        }
        c->scanned = at;
        if (at > c->options.max_row_bytes) return SCAN_LONG;
        if (row_end(c, bytes, at, size, last, end) == SCAN_MORE) return SCAN_MORE;
        if (c->mode != CELL_AFTER) row->cells[row->cell_count - 1].end = at;
        *length = at;
        return SCAN_ROW;
    }
    c->scanned = at;
    if (at > c->options.max_row_bytes) return SCAN_LONG;
    if (!last) return SCAN_MORE;
    if (c->mode == CELL_QUOTED) note_fault(row, ROW_UNCLOSED, row->cells[row->cell_count - 1].at, 0, row->cell_count);
    if (c->mode != CELL_AFTER && c->mode != CELL_QUOTE) row->cells[row->cell_count - 1].end = at;
    *length = *end = at;
    return SCAN_ROW;
}

/* A record of fixed width: how records end is told by the first one. */
static enum scan scan_record(struct csv *c, const uint8_t *bytes, uint32_t size, bool last, uint32_t *length, uint32_t *end)
{
    uint32_t wanted = c->layout->length, at = c->scanned;
    if (c->cut == CUT_UNKNOWN) {
        uint32_t head = size < wanted + 1 ? size : wanted + 1;
        while (at < head && bytes[at] != '\n' && bytes[at] != '\r') at++;
        if (at == head && head < wanted + 1 && !last) {
            c->scanned = at;
            return SCAN_MORE;
        }
        c->cut = at < head || head < wanted + 1 ? CUT_LINES : CUT_LENGTH;
        at = c->scanned;
    }
    if (c->cut == CUT_LENGTH) {
        if (size < wanted && !last) return SCAN_MORE;
        *length = *end = size < wanted ? size : wanted;
        return SCAN_ROW;
    }
    while (at < size && bytes[at] != '\n' && bytes[at] != '\r') at++;
    c->scanned = at;
    if (at > c->options.max_row_bytes) return SCAN_LONG;
    if (at == size) {
        *length = *end = at;
        return last ? SCAN_ROW : SCAN_MORE;
    }
    *length = at;
    return row_end(c, bytes, at, size, last, end);
}

/* The rest of a row that is too long, up to the next end of a row. Quotes mean nothing in it. */
static enum scan scan_away(struct csv *c, const uint8_t *bytes, uint32_t size, bool last, uint32_t *end)
{
    for (uint32_t at = 0; at < size; at++) {
        if (!(delimited(c) ? ends_row(c, bytes[at]) : bytes[at] == '\n' || bytes[at] == '\r')) continue;
        if (row_end(c, bytes, at, size, last, end) == SCAN_MORE) {
            *end = at; /* come back to it */
            return SCAN_MORE;
        }
        return SCAN_ROW;
    }
    *end = size;
    return last ? SCAN_ROW : SCAN_MORE;
}

enum got { GOT_ROW, GOT_NOTHING /* ask again */, GOT_NEED, GOT_END, GOT_FAILED };

/* All that is left of the input is line ends, blanks and what old systems end a file with. */
static bool only_padding(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!is_blank(bytes[i]) && bytes[i] != '\n' && bytes[i] != '\r' && bytes[i] != CONTROL_Z) return false;
    return true;
}

static uint64_t here(const struct csv *c) { return c->fed_at + c->fed_used - (c->staged ? c->stage.length : 0); }

/* The row ends `end` bytes after its begin, `staged_before` of which had been taken from earlier pieces or this one. */
static void finish_row(struct csv *c, const uint8_t *bytes, uint32_t length, uint32_t end, size_t had)
{
    struct row *row = &c->row;
    if (!c->staged)
        c->fed_used += end;
    else
        c->fed_used -= had - end; /* what was staged beyond the row stands in the piece */
    row->bytes = bytes;
    row->length = length;
    row->end = row->at + end;
    c->staged = false;
}

static enum got away(struct csv *c)
{
    uint32_t    end;
    size_t      left = c->fed_size - c->fed_used;
    enum scan   scan = scan_away(c, c->fed + c->fed_used, (uint32_t)left, c->last, &end);
    struct row *row = &c->row;
    c->fed_used += end;
    if (scan == SCAN_MORE && c->fed_used < c->fed_size && !c->last) {
        /* One CR stands at the end of the piece: it is part of the end whatever comes. */
        c->fed_used = c->fed_size;
        c->mode = CELL_AFTER;
        return GOT_NEED;
    }
    if (scan == SCAN_MORE) return GOT_NEED;
    row->end = c->fed_at + c->fed_used;
    row->bytes = c->fed;
    row->length = 0;
    row->cell_count = 0;
    c->skipping = false;
    row->fault_at[ROW_LONG].length = row->end - row->at > UINT32_MAX ? UINT32_MAX : (uint32_t)(row->end - row->at);
    return GOT_ROW;
}

/* Goes over to throwing the row away. Its length is known when it ends. */
static enum got too_long(struct csv *c)
{
    struct row *row = &c->row;
    /* From the byte after the limit on, so that every cut of the input does the same. */
    uint32_t    from = c->options.max_row_bytes;
    if (c->staged)
        c->fed_used -= c->stage.length - from;
    else
        c->fed_used += from;
    c->staged = false;
    row->faults = 0;
    note_fault(row, ROW_LONG, row->at, 0, 0);
    c->skipping = true;
    c->mode = CELL_START;
    return GOT_NOTHING;
}

/* The next row of the input into c->row. Where a piece ends inside it, its bytes go to the stage. */
static enum got take_row(struct csv *c)
{
    if (c->skipping) {
        /* A CR ended the piece before: its LF belongs to it. */
        if (c->mode == CELL_AFTER) {
            if (c->fed_used == c->fed_size && !c->last) return GOT_NEED;
            if (c->fed_used < c->fed_size && c->fed[c->fed_used] == '\n') c->fed_used++;
            c->mode = CELL_START;
            c->row.end = c->fed_at + c->fed_used;
            c->row.bytes = c->fed;
            c->row.length = 0;
            c->row.cell_count = 0;
            c->skipping = false;
            uint64_t length = c->row.end - c->row.at;
            c->row.fault_at[ROW_LONG].length = length > UINT32_MAX ? UINT32_MAX : (uint32_t)length;
            return GOT_ROW;
        }
        return away(c);
    }
    if (!c->staged) {
        if (delimited(c) && !c->layout->lines) /* line ends between rows are there for people */
            while (c->fed_used < c->fed_size && (c->fed[c->fed_used] == '\r' || c->fed[c->fed_used] == '\n')) c->fed_used++;
        if (c->fed_used == c->fed_size) return c->last ? GOT_END : GOT_NEED;
        begin_row(c, here(c));
    }
    for (;;) {
        size_t         left = c->fed_size - c->fed_used, had = 0;
        const uint8_t *bytes = c->fed + c->fed_used;
        size_t         size = left;
        bool           all = true; /* everything that there is is looked at */
        if (c->staged) {
            size_t more = left < STAGE_STEP ? left : STAGE_STEP;
            shunt_buffer_add(&c->stage, bytes, more);
            if (c->stage.failed) return GOT_FAILED;
            c->fed_used += more;
            bytes = (const uint8_t *)c->stage.bytes;
            size = had = c->stage.length;
            all = more == left;
        }
        /* A row of more bytes than the limit is too long; no more of it is looked at. */
        bool clipped = size > (size_t)c->options.max_row_bytes + 2;
        if (clipped) size = (size_t)c->options.max_row_bytes + 2;
        uint32_t  length, end;
        bool      last = c->last && all && !clipped;
        enum scan scan = delimited(c) ? scan_cells(c, bytes, (uint32_t)size, last, &length, &end)
                                      : scan_record(c, bytes, (uint32_t)size, last, &length, &end);
        if (scan == SCAN_FAILED) return GOT_FAILED;
        if (scan == SCAN_LONG || (scan == SCAN_MORE && clipped)) return too_long(c);
        if (scan == SCAN_ROW) {
            finish_row(c, bytes, length, end, had);
            return GOT_ROW;
        }
        if (!all) continue;
        if (!c->staged) {
            c->stage.length = 0;
            shunt_buffer_add(&c->stage, bytes, left);
            if (c->stage.failed) return GOT_FAILED;
            c->staged = true;
            c->fed_used = c->fed_size;
        }
        return GOT_NEED;
    }
}

/* ---- what a row is ---- */

/* The terminator before a line end, and blanks behind it, are no part of the last cell. */
static void strip_terminator(const struct csv *c, struct row *row)
{
    if (!c->layout->terminator || !c->layout->lines || row->cell_count == 0) return;
    struct cell *cell = &row->cells[row->cell_count - 1];
    uint32_t     end = cell->end;
    if (cell->quoted) return;
    while (end > cell->begin && is_blank(row->bytes[end - 1])) end--;
    if (end > cell->begin && row->bytes[end - 1] == c->layout->terminator) cell->end = end - 1;
}

static bool is_ascii(const uint8_t *bytes, size_t length)
{
    size_t i = 0;
    for (; i + 8 <= length; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, 8);
        if (word & UINT64_C(0x8080808080808080)) return false;
    }
    for (; i < length; i++)
        if (bytes[i] & 0x80) return false;
    return true;
}

/* The first byte of `bytes` that the character set has not, or `length`. */
static size_t bad_byte(const struct csv *c, const uint8_t *bytes, size_t length)
{
    if (!c->charset) return is_ascii(bytes, length) ? length : shunt_utf8_bad((const char *)bytes, length);
    size_t i = 0;
    while (i < length && c->charset->of[bytes[i]].length) i++;
    return i;
}

static uint16_t cell_at(const struct row *row, uint32_t offset)
{
    uint32_t n = 0;
    while (n < row->cell_count && row->cells[n].begin <= offset) n++;
    return (uint16_t)(n > UINT16_MAX ? UINT16_MAX : n);
}

static void check_encoding(const struct csv *c, struct row *row)
{
    size_t bad = bad_byte(c, row->bytes, row->length);
    if (bad < row->length) note_fault(row, ROW_ENCODING, row->at + bad, 1, cell_at(row, (uint32_t)bad));
}

/* The value of a cell: without doubled quotes, as UTF-8. Valid until the next one is asked for. False: no memory. */
static bool decode(struct csv *c, const uint8_t *bytes, uint32_t length, bool doubled, shunt_text *text)
{
    *text = (shunt_text){ (const char *)bytes, length };
    if (!doubled && (!c->charset || is_ascii(bytes, length))) return true;
    c->value.length = 0;
    for (uint32_t i = 0; i < length; i++) {
        if (doubled && bytes[i] == c->layout->quote && i + 1 < length && bytes[i + 1] == c->layout->quote) i++;
        if (c->charset)
            shunt_buffer_add(&c->value, c->charset->of[bytes[i]].bytes, c->charset->of[bytes[i]].length);
        else
            shunt_buffer_char(&c->value, (char)bytes[i]);
    }
    *text = (shunt_text){ c->value.bytes ? c->value.bytes : "", (uint32_t)c->value.length };
    return !c->value.failed;
}

static bool decode_cell(struct csv *c, const struct row *row, const struct cell *cell, shunt_text *text)
{
    return decode(c, row->bytes + cell->begin, cell->end - cell->begin, cell->doubled, text);
}

static bool blank_row(const struct row *row)
{
    for (uint32_t i = 0; i < row->length; i++)
        if (!is_blank(row->bytes[i])) return row->length == 1 && row->bytes[0] == CONTROL_Z;
    return true;
}

/* A key with its blanks at both ends left away. */
static shunt_text key_of(const struct csv *c, const struct row *row)
{
    const shunt_plan_layout *l = c->layout;
    uint32_t                 begin, end;
    if (l->length) {
        begin = (uint32_t)l->key_from - 1;
        end = l->key_to;
        if (begin > row->length) begin = row->length;
        if (end > row->length) end = row->length;
    } else {
        if (l->key_from > row->cell_count) return (shunt_text){ 0 };
        begin = row->cells[l->key_from - 1].begin;
        end = row->cells[l->key_from - 1].end;
    }
    while (begin < end && is_blank(row->bytes[begin])) begin++;
    while (end > begin && is_blank(row->bytes[end - 1])) end--;
    return (shunt_text){ (const char *)row->bytes + begin, end - begin };
}

static uint16_t find_type(const struct csv *c, const struct row *row)
{
    if (!c->layout->key_from) return 0;
    shunt_text key = key_of(c, row);
    for (uint16_t t = 0; t < c->layout->row_count; t++)
        for (uint16_t k = 0; k < c->rows[t].key_count; k++)
            if (shunt_text_equal(key, c->plan->texts[c->plan->row_keys[c->rows[t].key_first + k]])) return t;
    return SHUNT_NONE;
}

static bool is_continuation(const struct csv *c, const struct row *row)
{
    return c->layout->continuation != SHUNT_NONE && !(row->faults & 1u << ROW_LONG) &&
           shunt_text_equal(key_of(c, row), c->plan->texts[c->layout->continuation]);
}

/* ---- continuations ---- */

static bool hold(struct csv *c)
{
    struct row  *row = &c->row, *held = &c->held;
    struct cell *cells = held->cells;
    uint32_t     capacity = held->cell_capacity;
    c->held_bytes.length = 0;
    shunt_buffer_add(&c->held_bytes, row->bytes, row->length);
    if (c->held_bytes.failed) return false;
    *held = *row;
    row->cells = cells; /* the two arrays change hands */
    row->cell_capacity = capacity;
    row->cell_count = 0;
    c->holding = true;
    return true;
}

static bool join(struct csv *c)
{
    struct row *row = &c->row, *held = &c->held;
    uint32_t    base = (uint32_t)c->held_bytes.length;
    held->end = row->end;
    for (int f = 0; f < ROW_FAULTS; f++)
        if (row->faults & 1u << f)
            note_fault(held, (enum row_fault)f, row->fault_at[f].at, row->fault_at[f].length, row->fault_at[f].cell);
    if (base + row->length > c->options.max_row_bytes) {
        note_fault(held, ROW_LONG, held->at, (uint32_t)(row->end - held->at), 0);
        return true;
    }
    shunt_buffer_add(&c->held_bytes, row->bytes, row->length);
    if (c->held_bytes.failed) return false;
    held->length = (uint32_t)c->held_bytes.length;
    for (uint32_t i = c->layout->key_from; i < row->cell_count; i++) {
        struct cell cell = row->cells[i];
        if (held->cell_count >= c->options.max_cells) {
            note_fault(held, ROW_MANY, cell.at, 0, held->cell_count);
            break;
        }
        cell.begin += base;
        cell.end += base;
        if (!push_cell(c, held, cell)) return false;
    }
    return true;
}

/* ---- telling ---- */

static shunt_step event_of(struct csv *c, shunt_event *event, shunt_step step)
{
    *event = (shunt_event){ .step = step,
                            .scope = SHUNT_SCOPE_TRANSACTION,
                            .guide = c->layout->guide,
                            .loop = SHUNT_NONE,
                            .node = SHUNT_NONE,
                            .slot = SHUNT_NONE,
                            .delims = { .element = delimited(c) ? c->layout->separator : 0 } };
    const struct row *row = c->told;
    if (row) {
        uint64_t size = row->end - row->at;
        event->place =
            (shunt_place){ .byte = row->at, .length = size > UINT32_MAX ? UINT32_MAX : (uint32_t)size, .segment = row->number };
        event->end = row->end;
    } else {
        event->place.byte = event->end = c->fed_at + c->fed_used;
    }
    return step;
}

static shunt_step fault(struct csv *c, shunt_event *event, shunt_status code, enum reach reach)
{
    event_of(c, event, SHUNT_STEP_FAULT);
    event->code = code;
    event->local = reach == UNIT;
    event->wide = reach == TRANSACTION;
    return SHUNT_STEP_FAULT;
}

static bool framed(const struct csv *c, uint16_t type)
{
    uint16_t loop = type_of(c, type)->loop;
    return type != c->layout->transaction && loop != SHUNT_NONE && c->plan->loops[loop].frame != SHUNT_NONE;
}

static void forget_seen(struct csv *c, uint16_t parent)
{
    for (uint16_t t = 0; t < c->layout->row_count; t++)
        if (c->rows[t].parent == parent) c->seen[t / 32] &= ~(1u << t % 32);
}

/* Which rows stay open around the one at hand, and whether its parent is among them. */
static void place_row(struct csv *c)
{
    uint16_t parent = type_of(c, c->type)->parent;
    c->orphan = false;
    c->keep = 0;
    if (parent == SHUNT_NONE) return;
    for (uint16_t d = c->depth; d > 0; d--)
        if (c->stack[d - 1] == parent) {
            c->keep = d;
            return;
        }
    c->orphan = true;
    /* What stands around its parent may stay open. */
    uint16_t up = parent;
    while (up != SHUNT_NONE && c->keep == 0) {
        up = type_of(c, up)->parent;
        for (uint16_t d = c->depth; d > 0 && up != SHUNT_NONE && !c->keep; d--)
            if (c->stack[d - 1] == up) c->keep = d;
    }
}

/* A row is there: which type it is, and what is told of it first. */
static void tell(struct csv *c, struct row *row)
{
    c->told = row;
    c->step = 0;
    c->type = find_type(c, row);
    c->orphan = c->inside = c->wanted = false;
    c->stage_of = TELL_FAULTS;
    if (row->faults & 1u << ROW_LONG) c->type = SHUNT_NONE;
    if (c->layout->header && !c->headed) c->type = SHUNT_NONE;
    if (c->type == SHUNT_NONE) return;
    c->trailed = type_of(c, c->type)->trailer;
    place_row(c);
    c->leave_end = row->at;
    c->stage_of = TELL_LEAVE;
}

/* One LEAVE a call while rows are to be closed. */
static bool leave_one(struct csv *c, shunt_event *event, uint16_t keep)
{
    while (c->depth > keep) {
        uint16_t type = c->stack[--c->depth];
        if (!framed(c, type) || !c->open) continue;
        event_of(c, event, SHUNT_STEP_LEAVE);
        event->loop = type_of(c, type)->loop;
        event->end = c->leave_end;
        return true;
    }
    return false;
}

static shunt_step begin_transaction(struct csv *c, shunt_event *event)
{
    event_of(c, event, SHUNT_STEP_BEGIN);
    if (c->layout->transaction != SHUNT_NONE) event->set = text_at(c, type_of(c, c->layout->transaction)->name);
    event->place.element = 0;
    c->open = true;
    return SHUNT_STEP_BEGIN;
}

/* ---- the header ---- */

static void add_name(struct csv *c, size_t *length, shunt_text name)
{
    int wrote = snprintf(c->detail + *length, sizeof c->detail - *length, "%s%.*s", *length ? ", " : "", SHUNT_TEXT_ARGS(name));
    if (wrote > 0) *length += (size_t)wrote;
    if (*length >= sizeof c->detail) *length = sizeof c->detail - 1;
}

/* Where each column stands. What is missing or stands twice goes to `detail`. False: no memory. */
static bool read_header(struct csv *c, bool *fine)
{
    const shunt_plan_row *type = type_of(c, 0);
    const struct row     *row = c->told;
    size_t                length = 0;
    c->headed = true;
    c->width = row->cell_count;
    for (uint16_t i = 0; i < type->column_count; i++) {
        const shunt_plan_column *column = &c->plan->columns[type->column_first + i];
        shunt_text               wanted = c->plan->texts[column->heading], heading;
        uint32_t                 exact = 0, like = 0, exact_at = 0, like_at = 0;
        if (column->from) {
            c->cell_of[i] = column->from;
            continue;
        }
        for (uint32_t k = 0; k < row->cell_count; k++) {
            if (!decode_cell(c, row, &row->cells[k], &heading)) return false;
            bool same = shunt_text_equal(heading, wanted);
            if (same && exact++ == 0) exact_at = k + 1;
            if (!same && shunt_csv_heading_like(heading, wanted) && like++ == 0) like_at = k + 1;
        }
        uint32_t found = exact ? exact : like;
        c->cell_of[i] = found == 1 ? (uint16_t)(exact ? exact_at : like_at) : 0;
        if (found != 1) add_name(c, &length, wanted);
        if (found > 1) length += (size_t)snprintf(c->detail + length, sizeof c->detail - length, " (twice)");
        if (length >= sizeof c->detail) length = sizeof c->detail - 1;
    }
    *fine = length == 0;
    return true;
}

/* ---- values ---- */

/* The raw bytes of column `number` of the row at hand. False: it has none. */
static bool column_cell(const struct csv *c, uint16_t number, struct cell *cell)
{
    const shunt_plan_column *column = &c->plan->columns[type_of(c, c->type)->column_first + number];
    const struct row        *row = c->told;
    if (c->layout->length) {
        if (column->from > row->length) return false;
        uint32_t end = column->to < row->length ? column->to : row->length;
        *cell = (struct cell){ .at = row->at + column->from - 1, .begin = (uint32_t)column->from - 1, .end = end };
        return true;
    }
    uint16_t at = c->layout->header ? c->cell_of[number] : column->from;
    if (at == 0 || at > row->cell_count) return false;
    *cell = row->cells[at - 1];
    return true;
}

static shunt_step no_memory(struct csv *c, shunt_event *event)
{
    c->failed = true;
    event_of(c, event, SHUNT_STEP_FAILED);
    event->code = SHUNT_NO_MEMORY;
    return SHUNT_STEP_FAILED;
}

/* Values are most of the events: what nobody reads of one is not written. */
static void value_of(const struct csv *c, shunt_event *event, shunt_text value, uint16_t slot)
{
    event->step = SHUNT_STEP_VALUE;
    event->scope = SHUNT_SCOPE_TRANSACTION;
    event->guide = c->layout->guide;
    event->loop = event->node = SHUNT_NONE;
    event->slot = slot;
    event->segment = NULL;
    event->value = value;
    event->cleared = event->local = event->wide = false;
    event->code = SHUNT_OK;
    event->detail = (shunt_text){ 0 };
    event->place.segment = c->told->number;
    event->place.component = 0;
    event->end = c->told->end;
}

static void place_cell(shunt_event *event, const struct cell *cell, uint32_t number)
{
    event->place.byte = cell->at;
    event->place.length = cell->end - cell->begin;
    event->place.element = (uint16_t)(number > UINT16_MAX ? UINT16_MAX : number);
}

/* One cell as a value, or as the fault that keeps it from being one; false: it is empty. */
static bool tell_cell(struct csv *c, shunt_event *event, struct cell cell, const shunt_plan_column *column, uint16_t slot,
                      uint32_t number)
{
    const struct row *row = c->told;
    shunt_text        text;
    if (column->trim) {
        while (cell.begin < cell.end && is_blank(row->bytes[cell.begin])) cell.begin++, cell.at++;
        while (cell.end > cell.begin && is_blank(row->bytes[cell.end - 1])) cell.end--;
    }
    uint32_t length = cell.end - cell.begin;
    if (length == 0) return false;
    bool wrong = row->faults & 1u << ROW_ENCODING; /* it was told; but columns of fixed width may cut a character, too */
    if ((wrong || c->layout->length) && bad_byte(c, row->bytes + cell.begin, length) < length) {
        if (wrong) return false;
        fault(c, event, SHUNT_CSV_ENCODING, UNIT);
        place_cell(event, &cell, number);
        return true;
    }
    if (!decode_cell(c, row, &cell, &text)) {
        (void)no_memory(c, event);
        return true;
    }
    if (SHUNT_LIKELY(!column->length || text.length <= column->length || shunt_utf8_count(text) <= column->length)) {
        value_of(c, event, text, slot);
        place_cell(event, &cell, number);
        return true;
    }
    fault(c, event, SHUNT_CSV_TEXT_LONG, UNIT);
    place_cell(event, &cell, number);
    int wrote = snprintf(c->detail, sizeof c->detail, "%u characters, at most %u", shunt_utf8_count(text), column->length);
    event->detail = (shunt_text){ c->detail, (uint32_t)wrote };
    return true;
}

/* The next value that the plan wants of the row. */
static bool tell_values(struct csv *c, shunt_event *event)
{
    const shunt_plan_row  *type = type_of(c, c->type);
    const shunt_plan_node *node = &c->plan->nodes[type->node];
    while (c->step < node->demand_count) {
        const shunt_plan_demand *demand = &c->plan->demands[node->demand_first + c->step++];
        uint16_t                 number = (uint16_t)(demand->element - 1);
        struct cell              cell;
        const shunt_plan_column *column = &c->plan->columns[type->column_first + number];
        if (column->rest != SHUNT_NONE || !column_cell(c, number, &cell)) continue;
        uint32_t shown = c->layout->length ? number + 1u : c->layout->header ? c->cell_of[number] : column->from;
        if (tell_cell(c, event, cell, column, demand->slot, shown)) return true;
    }
    return false;
}

static const shunt_plan_column *rest_of(const struct csv *c)
{
    const shunt_plan_row *type = type_of(c, c->type);
    if (!type->column_count) return NULL;
    const shunt_plan_column *column = &c->plan->columns[type->column_first + type->column_count - 1];
    return column->rest != SHUNT_NONE && c->plan->loops[column->rest].frame != SHUNT_NONE ? column : NULL;
}

/* ---- the row as a segment, for display ---- */

static bool add_shown(struct csv *c, uint32_t *count, shunt_text text)
{
    if (*count + 2 > c->offset_capacity) {
        uint32_t  capacity = c->offset_capacity ? c->offset_capacity * 2 : FEW_CELLS;
        uint32_t *offsets = shunt_memory_resize(c->memory, c->offsets, capacity * sizeof *offsets);
        if (!offsets) return false;
        c->offsets = offsets;
        c->offset_capacity = capacity;
    }
    c->offsets[(*count)++] = (uint32_t)c->shown.length;
    shunt_buffer_text(&c->shown, text);
    shunt_buffer_char(&c->shown, '\x1f');
    c->offsets[*count] = (uint32_t)c->shown.length;
    return !c->shown.failed;
}

/* The name of the type as its id, and the cells (of fixed width: the columns), decoded. */
static bool show_row(struct csv *c)
{
    const struct row *row = c->told;
    uint32_t          count = 0;
    c->shown.length = 0;
    if (!add_shown(c, &count, c->type == SHUNT_NONE ? (shunt_text){ 0 } : text_at(c, type_of(c, c->type)->name))) return false;
    uint32_t columns = c->layout->length ? (c->type == SHUNT_NONE ? 0 : type_of(c, c->type)->column_count) : row->cell_count;
    for (uint32_t i = 0; i < columns; i++) {
        struct cell cell = { 0 };
        shunt_text  text;
        if (c->layout->length ? column_cell(c, (uint16_t)i, &cell) : true) {
            if (!c->layout->length) cell = row->cells[i];
            if (bad_byte(c, row->bytes + cell.begin, cell.end - cell.begin) < cell.end - cell.begin) cell.end = cell.begin;
        }
        if (!decode_cell(c, row, &cell, &text) || !add_shown(c, &count, text)) return false;
    }
    c->segment = (shunt_segment){ .bytes = (const uint8_t *)c->shown.bytes,
                                  .offsets = c->offsets,
                                  .elements = count - 1,
                                  .length = (uint32_t)c->shown.length - 1,
                                  .at = row->at,
                                  .number = row->number };
    return true;
}

/* ---- faults of a row ---- */

static bool all_empty(const struct row *row, uint32_t from)
{
    for (uint32_t i = from; i < row->cell_count; i++)
        if (row->cells[i].end > row->cells[i].begin) return false;
    return true;
}

static bool has_rest(const struct csv *c)
{
    const shunt_plan_row *type = type_of(c, 0);
    return type->column_count && c->plan->columns[type->column_first + type->column_count - 1].rest != SHUNT_NONE;
}

/* Rows of one type have the cells of the header, or as many as the first row. */
static bool tell_width(struct csv *c, shunt_event *event)
{
    const struct row *row = c->told;
    if (!delimited(c) || c->layout->key_from || c->type == SHUNT_NONE || has_rest(c)) return false;
    if (!c->width) c->width = row->cell_count;
    if (row->cell_count == c->width) return false;
    if (row->cell_count > c->width && all_empty(row, c->width)) {
        if (c->trailing_told) return false;
        c->trailing_told = true;
        fault(c, event, SHUNT_CSV_TRAILING, UNIT);
    } else {
        fault(c, event, SHUNT_CSV_CELLS, UNIT);
        event->place.element = (uint16_t)(row->cell_count > UINT16_MAX ? UINT16_MAX : row->cell_count);
    }
    int wrote = snprintf(c->detail, sizeof c->detail, "%u cells, %u expected", row->cell_count, c->width);
    event->detail = (shunt_text){ c->detail, (uint32_t)wrote };
    return true;
}

enum { FAULT_BLANK = ROW_FAULTS, FAULT_HEADER, FAULT_CELLS, FAULT_ORPHAN, FAULT_ONCE, FAULT_UNKNOWN, FAULT_DONE };

static bool tell_row_fault(struct csv *c, shunt_event *event, enum row_fault which)
{
    const struct row *row = c->told;
    if (!(row->faults & 1u << which)) return false;
    bool header = c->layout->header && !c->headed;
    fault(c, event, row_faults[which].code, header ? TRANSACTION : row_faults[which].reach);
    event->place.byte = row->fault_at[which].at;
    event->place.length = row->fault_at[which].length;
    event->place.element = row->fault_at[which].cell;
    if (which == ROW_WIDTH) {
        int wrote = snprintf(c->detail, sizeof c->detail, "%u bytes, %u expected", row->length, c->layout->length);
        event->detail = (shunt_text){ c->detail, (uint32_t)wrote };
    }
    return true;
}

/* The next thing that is wrong with the row. */
static bool tell_faults(struct csv *c, shunt_event *event)
{
    bool fine = true;
    while (c->step < FAULT_DONE) {
        uint32_t step = c->step++;
        if (step < ROW_FAULTS && tell_row_fault(c, event, (enum row_fault)step)) return true;
        if (step == FAULT_BLANK && c->blank_known && !c->blank_told) {
            c->blank_told = true;
            fault(c, event, SHUNT_CSV_BLANK_LINE, UNIT);
            event->place = c->blank;
            return true;
        }
        if (step == FAULT_HEADER && c->layout->header && !c->headed && !(c->told->faults & 1u << ROW_LONG)) {
            if (!read_header(c, &fine)) return no_memory(c, event) == SHUNT_STEP_FAILED;
            if (fine) continue;
            fault(c, event, SHUNT_CSV_HEADER, TRANSACTION);
            event->detail = shunt_text_of(c->detail);
            return true;
        }
        if (step == FAULT_CELLS && tell_width(c, event)) return true;
        if (step == FAULT_ORPHAN && c->orphan) {
            fault(c, event, SHUNT_CSV_RECORD, c->inside ? UNIT : TRANSACTION);
            return true;
        }
        if (step == FAULT_ONCE && c->type != SHUNT_NONE && type_of(c, c->type)->once && !c->orphan) {
            bool again = c->seen[c->type / 32] & 1u << c->type % 32;
            c->seen[c->type / 32] |= 1u << c->type % 32;
            if (!again) continue;
            fault(c, event, SHUNT_CSV_REPEATED, UNIT);
            return true;
        }
        if (step == FAULT_UNKNOWN && c->type == SHUNT_NONE && c->layout->key_from && !(c->told->faults & 1u << ROW_LONG)) {
            bool stray = is_continuation(c, c->told);
            fault(c, event, stray ? SHUNT_CSV_CONTINUATION : SHUNT_CSV_UNKNOWN, stray ? TRANSACTION : UNIT);
            return true;
        }
    }
    return false;
}

/* ---- one row after the other ---- */

/* The next event of the row that is told, or false: all of it was. */
static bool tell_on(struct csv *c, shunt_event *event)
{
    for (;;) {
        switch (c->stage_of) {
        case TELL_NOTHING: return false;
        case TELL_LEAVE:
            if (leave_one(c, event, c->keep)) return true;
            c->stage_of = TELL_FINISH;
            break;
        case TELL_FINISH:
            c->stage_of = TELL_BEGIN;
            if (!c->open || c->layout->transaction == SHUNT_NONE || c->keep || type_of(c, c->type)->parent != SHUNT_NONE) break;
            c->open = false;
            event_of(c, event, SHUNT_STEP_FINISH);
            event->place.byte = event->end = c->told->at;
            event->place.length = 0;
            return true;
        case TELL_BEGIN:
            c->stage_of = TELL_ENTER;
            if (type_of(c, c->type)->parent == SHUNT_NONE && !c->orphan) {
                if (c->layout->transaction == c->type) {
                    (void)begin_transaction(c, event);
                    return true;
                }
            }
            break;
        case TELL_ENTER: {
            bool enter = c->open && framed(c, c->type);
            c->inside = enter;
            c->wanted = enter || (c->open && c->type == c->layout->transaction);
            c->stage_of = TELL_SEGMENT;
            if (!c->orphan && c->parent[c->type]) {
                if (c->depth < SHUNT_PLAN_ROWS) c->stack[c->depth++] = c->type;
                forget_seen(c, c->type);
            }
            if (!enter) break;
            event_of(c, event, SHUNT_STEP_ENTER);
            event->loop = type_of(c, c->type)->loop;
            return true;
        }
        case TELL_SEGMENT:
            c->stage_of = TELL_FAULTS;
            c->step = 0;
            if (!c->display || !c->open) break;
            if (!show_row(c)) return no_memory(c, event) == SHUNT_STEP_FAILED;
            event_of(c, event, SHUNT_STEP_SEGMENT);
            event->segment = &c->segment;
            event->node = type_of(c, c->type)->node;
            return true;
        case TELL_FAULTS:
            if (tell_faults(c, event)) return true;
            c->step = 0;
            c->stage_of = c->type != SHUNT_NONE && c->wanted ? TELL_VALUES : TELL_NOTHING;
            break;
        case TELL_VALUES:
            if (tell_values(c, event)) return true;
            c->step = 0;
            c->stage_of = TELL_REST;
            break;
        case TELL_REST: {
            const shunt_plan_column *rest = rest_of(c);
            uint32_t                 count = !rest || rest->from > c->told->cell_count ? 0 : c->told->cell_count - rest->from + 1;
            if (rest && c->step == rest->max && count > rest->max) {
                fault(c, event, SHUNT_CSV_CELLS_LIMIT, UNIT);
                int wrote = snprintf(c->detail, sizeof c->detail, "%u cells in a list of %u", count, rest->max);
                event->detail = (shunt_text){ c->detail, (uint32_t)wrote };
                event->place.element = rest->from;
                c->stage_of = TELL_CLOSE;
                return true;
            }
            if (c->step >= count) {
                c->stage_of = TELL_CLOSE;
                break;
            }
            event_of(c, event, SHUNT_STEP_ENTER);
            event->loop = rest->rest;
            event->place.byte = c->told->cells[rest->from - 1 + c->step].at;
            c->stage_of = TELL_REST_VALUE;
            return true;
        }
        case TELL_REST_VALUE: {
            const shunt_plan_column *rest = rest_of(c);
            const shunt_plan_node   *node = &c->plan->nodes[c->plan->loops[rest->rest].trigger];
            uint32_t                 at = rest->from - 1u + c->step;
            c->stage_of = TELL_REST_LEAVE;
            if (node->demand_count &&
                tell_cell(c, event, c->told->cells[at], rest, c->plan->demands[node->demand_first].slot, at + 1))
                return true;
            break;
        }
        case TELL_REST_LEAVE:
            event_of(c, event, SHUNT_STEP_LEAVE);
            event->loop = rest_of(c)->rest;
            c->step++;
            c->stage_of = TELL_REST;
            return true;
        case TELL_CLOSE:
            c->stage_of = TELL_NOTHING;
            if (!c->inside || (!c->orphan && c->parent[c->type])) break;
            event_of(c, event, SHUNT_STEP_LEAVE);
            event->loop = type_of(c, c->type)->loop;
            return true;
        }
    }
}

static void note_blank(struct csv *c, const struct row *row)
{
    if (c->blank_known) return;
    c->blank_known = true;
    c->blank = (shunt_place){ .byte = row->at, .length = (uint32_t)(row->end - row->at), .segment = row->number };
}

static void check_row(struct csv *c, struct row *row)
{
    if (!(row->faults & 1u << ROW_LONG)) check_encoding(c, row);
    if (c->layout->length && row->length != c->layout->length && !(row->faults & 1u << ROW_LONG))
        note_fault(row, ROW_WIDTH, row->at, row->length, 0);
    strip_terminator(c, row);
}

/* A row was cut: it is told, held, joined or passed over. False: no memory. */
static bool take(struct csv *c)
{
    struct row *row = &c->row;
    bool        long_one = row->faults & 1u << ROW_LONG;
    if (c->cut == CUT_LENGTH && row->length < c->layout->length && only_padding(row->bytes, row->length)) return true;
    if (!long_one && row->cell_count < 2 && !(row->cell_count && row->cells[0].quoted) && blank_row(row)) {
        note_blank(c, row);
        return true;
    }
    c->any = true;
    check_row(c, row);
    if (c->layout->continuation == SHUNT_NONE) {
        tell(c, row);
        return true;
    }
    if (c->holding && is_continuation(c, row)) return join(c);
    if (c->holding) {
        c->holding = false;
        c->held.bytes = (const uint8_t *)c->held_bytes.bytes;
        tell(c, &c->held);
        c->waiting = true; /* the row at hand is held when all of that was told */
        return true;
    }
    return hold(c);
}

/* ---- begin and end of the input ---- */

static const struct mark {
    const char *bytes;
    uint8_t     length;
    const char *name; /* NULL: UTF-8 */
} marks[] = { { "\xef\xbb\xbf", 3, NULL }, { "\xff\xfe", 2, "UTF-16" }, { "\xfe\xff", 2, "UTF-16" } };

enum { MARK_BYTES = 3 };

/* Bytes of a byte order mark. False: more are needed to know. `*wide`: the input is of two bytes a character. */
static bool find_mark(const struct csv *c, size_t *mark, const char **wide)
{
    const uint8_t *bytes = c->staged ? (const uint8_t *)c->stage.bytes : c->fed + c->fed_used;
    size_t         size = c->staged ? c->stage.length : c->fed_size - c->fed_used;
    *wide = NULL;
    *mark = 0;
    for (size_t i = 0; i < SHUNT_COUNT(marks); i++) {
        size_t shared = size < marks[i].length ? size : marks[i].length;
        if (shared && memcmp(bytes, marks[i].bytes, shared) != 0) continue;
        if (shared < marks[i].length && !c->last) return false;
        if (shared < marks[i].length) continue;
        *wide = marks[i].name;
        *mark = marks[i].length;
        return true;
    }
    return true;
}

/* The end of the input: what is open ends, innermost first. */
static shunt_step finish_input(struct csv *c, shunt_event *event)
{
    c->told = NULL;
    c->leave_end = c->fed_at + c->fed_used;
    if (!c->any && !c->blind) {
        c->any = c->trailed = true;
        fault(c, event, SHUNT_CSV_EMPTY, TRANSACTION);
        return SHUNT_STEP_FAULT;
    }
    if (c->awaits_trailer && !c->trailed && !c->blind) {
        c->trailed = true; /* told once */
        fault(c, event, SHUNT_CSV_TRUNCATED, TRANSACTION);
        event->place.byte = event->end = c->leave_end;
        event->place.length = 0;
        return SHUNT_STEP_FAULT;
    }
    if (leave_one(c, event, 0)) return SHUNT_STEP_LEAVE;
    if (c->open) {
        c->open = false;
        return event_of(c, event, SHUNT_STEP_FINISH);
    }
    c->over = true;
    event_of(c, event, SHUNT_STEP_END);
    event->scope = SHUNT_SCOPE_FILE;
    return SHUNT_STEP_END;
}

/* Too few bytes to know whether a mark begins the input: they are kept, and looked at with those of the next piece. */
static bool keep_few(struct csv *c)
{
    size_t left = c->fed_size - c->fed_used, most = c->staged ? MARK_BYTES - c->stage.length : left;
    if (!c->staged) c->stage.length = 0;
    if (most > left) most = left;
    if (most) shunt_buffer_add(&c->stage, c->fed + c->fed_used, most);
    c->fed_used += most;
    c->staged = c->stage.length > 0;
    return !c->stage.failed;
}

/* Before the first row: the transaction that the input is, marks of encodings. END: go on with the rows. */
static shunt_step start(struct csv *c, shunt_event *event)
{
    size_t      mark;
    const char *wide;
    if (c->layout->transaction == SHUNT_NONE && !c->open) {
        begin_transaction(c, event);
        event->place.byte = event->end = 0;
        return SHUNT_STEP_BEGIN;
    }
    if (c->charset_missing) {
        c->charset_missing = false;
        c->blind = c->started = true;
        fault(c, event, SHUNT_CSV_ENCODING, TRANSACTION);
        event->detail = SHUNT_TEXT("this machine has not the character set of the source");
        return SHUNT_STEP_FAULT;
    }
    if (c->staged && !keep_few(c)) return no_memory(c, event);
    if (!find_mark(c, &mark, &wide)) {
        if (!c->staged && !keep_few(c)) return no_memory(c, event);
        return event_of(c, event, SHUNT_STEP_NEED_INPUT);
    }
    c->started = true;
    if (!c->staged) {
        c->fed_used += mark;
    } else if (!wide) { /* what stays in the stage is the begin of the first row */
        if (mark) memmove(c->stage.bytes, c->stage.bytes + mark, c->stage.length - mark);
        c->stage.length -= mark;
        c->staged = c->stage.length > 0;
        if (c->staged) begin_row(c, c->fed_at + c->fed_used - c->stage.length);
    }
    if (!wide) return SHUNT_STEP_END;
    c->blind = true;
    c->staged = false;
    fault(c, event, SHUNT_CSV_ENCODING, TRANSACTION);
    event->place.byte = event->end = 0;
    event->detail = shunt_text_of(wide);
    return SHUNT_STEP_FAULT;
}

static shunt_step failed(struct csv *c, shunt_event *event)
{
    c->told = NULL;
    event_of(c, event, SHUNT_STEP_FAILED);
    event->code = SHUNT_NO_MEMORY;
    return SHUNT_STEP_FAILED;
}

static shunt_step next(shunt_reader *reader, shunt_event *event)
{
    struct csv *c = (struct csv *)reader;
    for (;;) {
        if (c->failed) return failed(c, event);
        if (c->stage_of != TELL_NOTHING && tell_on(c, event)) return event->step;
        c->told = NULL;
        if (c->waiting) { /* the row that showed the held one to be complete */
            c->waiting = false;
            if (!hold(c)) c->failed = true;
            continue;
        }
        if (c->over) {
            event_of(c, event, SHUNT_STEP_END);
            event->scope = SHUNT_SCOPE_FILE;
            return SHUNT_STEP_END;
        }
        if (!c->started) {
            shunt_step step = start(c, event);
            if (step != SHUNT_STEP_END) return step;
            continue;
        }
        if (c->blind) c->fed_used = c->fed_size;
        enum got got = take_row(c);
        if (got == GOT_ROW && !take(c)) c->failed = true;
        if (got == GOT_FAILED) c->failed = true;
        if (got == GOT_NEED) return event_of(c, event, SHUNT_STEP_NEED_INPUT);
        if (got != GOT_END) continue;
        if (c->holding) {
            c->holding = false;
            c->held.bytes = (const uint8_t *)c->held_bytes.bytes;
            tell(c, &c->held);
            continue;
        }
        return finish_input(c, event);
    }
}

static void feed(shunt_reader *reader, const uint8_t *bytes, size_t size, bool last)
{
    struct csv *c = (struct csv *)reader;
    if (c->last) return; /* nothing follows the last piece */
    c->fed_at += c->fed_size;
    c->fed = size ? bytes : (const uint8_t *)"";
    c->fed_size = size;
    c->fed_used = 0;
    c->last = last;
}

static void csv_free(shunt_reader *reader)
{
    struct csv *c = (struct csv *)reader;
    if (!c) return;
    shunt_buffer_done(&c->stage);
    shunt_buffer_done(&c->held_bytes);
    shunt_buffer_done(&c->value);
    shunt_buffer_done(&c->shown);
    shunt_memory_free(c->memory, c->row.cells);
    shunt_memory_free(c->memory, c->held.cells);
    shunt_memory_free(c->memory, c->charset);
    shunt_memory_free(c->memory, c->cell_of);
    shunt_memory_free(c->memory, c->offsets);
    shunt_memory_free(c->memory, c);
}

static const shunt_reader_ops csv_ops = {
    .name = "csv", .ending = "csv", .values = true, .late = SHUNT_CSV_LATE, .feed = feed, .next = next, .free = csv_free
};
static const shunt_reader_ops fixed_ops = {
    .name = "fixed", .ending = "txt", .values = true, .late = SHUNT_CSV_LATE, .feed = feed, .next = next, .free = csv_free
};

static const shunt_plan_layout *find_layout(const shunt_plan *plan, uint16_t standard)
{
    for (uint32_t i = 0; i < plan->layout_count; i++)
        if (plan->sources[plan->guides[plan->layouts[i].guide].source].standard == standard) return &plan->layouts[i];
    return NULL;
}

static bool prepare(struct csv *c)
{
    const shunt_plan_layout *l = c->layout;
    for (uint16_t t = 0; t < l->row_count; t++) {
        if (c->rows[t].parent != SHUNT_NONE) c->parent[c->rows[t].parent] = true;
        c->awaits_trailer |= c->rows[t].trailer;
    }
    c->special[l->separator] = 1;
    if (l->quote) c->special[l->quote] = 1;
    if (l->lines)
        c->special['\n'] = c->special['\r'] = 1;
    else
        c->special[l->terminator] = 1;
    c->quote_mark = l->quote ? l->quote : l->separator;
    c->end_mark = l->lines ? '\n' : l->terminator;
    c->other_end = l->lines ? '\r' : l->terminator;
    c->display = c->plan->loops[c->plan->guides[l->guide].loop_first].name != SHUNT_NONE;
    if (l->header && !(c->cell_of = shunt_memory_zeroed(c->memory, c->rows[0].column_count + 1u, sizeof *c->cell_of)))
        return false;
    if (l->encoding == SHUNT_NONE) return true;
    if (!(c->charset = shunt_memory_zeroed(c->memory, 1, sizeof *c->charset))) return false;
    c->charset_missing = !shunt_charset_load(text_at(c, l->encoding), c->charset);
    return true;
}

shunt_reader *shunt_csv_reader_new(const shunt_memory *memory, const shunt_plan *plan, uint16_t standard,
                                   const shunt_csv_options *options)
{
    const shunt_plan_layout *layout = find_layout(plan, standard);
    struct csv              *c = layout ? shunt_memory_zeroed(memory, 1, sizeof *c) : NULL;
    if (!c) return NULL;
    c->base.ops = layout->length ? &fixed_ops : &csv_ops;
    c->memory = memory;
    c->fed = (const uint8_t *)"";
    c->plan = plan;
    c->layout = layout;
    c->rows = plan->rows + layout->row_first;
    if (options) c->options = *options;
    if (!c->options.max_row_bytes || c->options.max_row_bytes > ROW_BYTES) c->options.max_row_bytes = ROW_BYTES;
    if (c->options.max_row_bytes < layout->length) c->options.max_row_bytes = layout->length;
    if (!c->options.max_cells || c->options.max_cells > CELLS) c->options.max_cells = CELLS;
    shunt_buffer *buffers[] = { &c->stage, &c->held_bytes, &c->value, &c->shown };
    for (size_t i = 0; i < SHUNT_COUNT(buffers); i++) shunt_buffer_init(buffers[i], memory);
    if (prepare(c)) return &c->base;
    csv_free(&c->base);
    return NULL;
}
