#include "standards/x12/reader.h"

#include <assert.h>
#include <stdio.h>

#include "engine/base/capture.h"
#include "engine/base/hash.h"
#include "engine/base/segment.h"
#include "engine/base/walk_step.h"
#include "standards/input.h"
#include "standards/scan.h"
#include "standards/x12/delims.h"
#include "standards/x12/envelope.h"

enum {
    WINDOW = 32 * 1024, /* bytes indexed at a time; the index of a dense window still fits the second-level cache */
    SHORT = 62,         /* bytes of a segment whose bits one word of the map holds, that of its terminator included */
    QUEUE = 64,         /* most events one segment gives: 15 loops left, 16 entered, and less than 16 others */
    FIELD = 64,         /* bytes kept of a control number or an id of a header */
    DETAIL = 71,
    DETAILS = 16,        /* most details of the faults of one segment */
    BINARY_HEADER = 512, /* bytes in which the length of a binary segment must stand */
    BINARY_IDS = 8,
};

#define ID2(a, b)    ((uint64_t)(a) << 56 | (uint64_t)(b) << 48)
#define ID3(a, b, c) (ID2(a, b) | (uint64_t)(c) << 40)

/* Where the envelope stands. */
enum level { OUTSIDE, IN_INTERCHANGE, IN_GROUP, IN_SET };

/* What happens next. */
enum state {
    SEEK,    /* looking for an ISA */
    SEGMENT, /* cutting segments */
    SKIP,    /* passing over an oversized segment: `skip_bytes`, then up to its terminator */
    OVER,    /* the input was read to its end */
    FAILED,
};

/* Answer of the functions that read on. */
enum got {
    GOT,
    FILLED, /* a window is indexed */
    AGAIN,  /* the state has changed, or events wait */
    NEED,   /* a piece must be fed */
    AT_END,
    BROKEN,
};

/* What is done with a segment that takes a remembered step: nothing, or it is shown; it is captured where that is asked for. */
enum use { PASS, SHOW, CAPTURE };

struct field {
    uint8_t length;
    char    bytes[FIELD];
};

/* An event that waits. */
struct pending {
    uint8_t      step, scope;
    bool         segment; /* shows the segment at hand */
    uint8_t      detail;  /* of a fault: which of the details, from 1 */
    uint16_t     index;   /* loop of ENTER and LEAVE, node of SEGMENT */
    shunt_status code;
    uint64_t     end;
    shunt_place  place;
};

struct detail {
    uint8_t length;
    char    bytes[DETAIL];
};

struct binary_id {
    uint64_t id;
    uint16_t element; /* that holds the length */
};

struct x12 {
    shunt_reader             base; /* first */
    const shunt_memory      *memory;
    const shunt_plan        *plan;
    const shunt_scan_kernel *kernel;
    shunt_x12_options        options;

    shunt_input in;
    size_t      searched; /* bytes from `at` on that hold no terminator */

    /* Map of the window in work. */
    shunt_index    index;
    const uint8_t *window;
    uint64_t       window_at;
    uint32_t       window_next, window_end; /* next segment: its first byte, its terminator */
    uint32_t       roomy_end;               /* of the terminators: those before it have SHUNT_SEGMENT_ROOM */

    /* The segment at hand. */
    shunt_segment segment;
    bool          offsets_made; /* false: of a segment out of the window */
    bool          components;   /* it may hold some */
    bool          isa_again;    /* it is an ISA; nothing but its place is known */
    uint64_t      plain_at;     /* a segment here is no binary one although its id says so */
    uint32_t     *offsets;

    enum state   state;
    enum level   level;
    shunt_status failure;
    shunt_delims delims;
    uint64_t     skip_bytes;

    /* Looking for the ISA. */
    uint64_t text_at;                  /* first byte of text met */
    unsigned bom;                      /* bytes of a byte order mark at the head of the input */
    bool     text_met, any_isa, quiet; /* quiet: behind an interchange that can not be read */
    uint8_t  before;                   /* byte before `at` */

    /* Envelope. */
    struct field   isa_control, gs_control, gs_functional, gs_version, st_control;
    struct field   shown_set, shown_version, shown_control, shown_sender, shown_receiver; /* of the scope that begins */
    shunt_x12_seen interchanges, groups, sets;
    shunt_hash_key key; /* of what is seen */
    uint64_t       group_count, set_count;
    uint32_t       number;   /* segments of the set so far */
    bool           in_group; /* the set stands in a group */
    bool           stray;    /* the last segment was a stray one: a run of them is one fault */
    uint16_t       guide;
    uint16_t       ta1;          /* guide of TA1, SHUNT_NONE: no source reads it */
    bool           alone;        /* a TA1 is being told */
    uint64_t       previous_end; /* byte after the last segment of the set */
    shunt_walk     walk;

    bool                tight;         /* a segment of a window may be too long, or a short one have too many elements */
    bool                demanded_only; /* segments that the plan demands nothing of are counted and checked, but not shown */
    const shunt_direct *direct;        /* what is captured here; NULL: nothing */
    const shunt_walk_step *(*take_steps)(struct x12 *x);
    shunt_status refused; /* what the capture of the segment at hand has failed by, told with it */

    /* Separators for keys: of repetitions, and of components or repetitions; that of elements, which no value holds, for none. */
    uint8_t repeats, parts;

    /* A segment that leaves or enters loops by a remembered step waits: what is left to tell of it. */
    const shunt_walk_step *step; /* NULL: nothing */
    uint16_t               leave, leave_loop, enter;
    uint64_t               leave_end;

    struct binary_id binaries[BINARY_IDS];
    uint32_t         binary_count;

    uint32_t       queue_first, queue_count;
    struct pending queue[QUEUE];
    uint32_t       detail_count;
    struct detail  details[DETAILS];
};

/* ---- input ---- */

static const uint8_t *view(struct x12 *x, size_t *size) { return shunt_input_view(&x->in, size); }

static bool is_all(const struct x12 *x) { return shunt_input_is_all(&x->in); }

static void drop_window(struct x12 *x) { x->index.end_count = x->roomy_end = x->window_end = 0; }

static enum got broken(struct x12 *x)
{
    x->state = FAILED;
    x->failure = SHUNT_NO_MEMORY;
    return BROKEN;
}

static enum got more(struct x12 *x)
{
    drop_window(x);
    switch (shunt_input_more(&x->in)) {
    case SHUNT_INPUT_MORE: return GOT;
    case SHUNT_INPUT_NEED: return NEED;
    case SHUNT_INPUT_END: return AT_END;
    case SHUNT_INPUT_BROKEN: break;
    }
    return broken(x);
}

/* ---- events ---- */

static struct pending *push(struct x12 *x, shunt_step step)
{
    assert(x->queue_count < QUEUE);
    struct pending *p = &x->queue[x->queue_count++];
    p->step = (uint8_t)step;
    p->scope = SHUNT_SCOPE_TRANSACTION;
    p->index = SHUNT_NONE;
    p->segment = false;
    p->detail = 0;
    p->code = SHUNT_OK;
    p->end = x->in.at;
    p->place = (shunt_place){ .byte = x->segment.at, .length = x->segment.length, .segment = x->level == IN_SET ? x->number : 0 };
    return p;
}

static struct pending *fault(struct x12 *x, shunt_status code)
{
    struct pending *p = push(x, SHUNT_STEP_FAULT);
    p->code = code;
    return p;
}

static struct pending *fault_at(struct x12 *x, shunt_status code, uint64_t at, uint64_t length)
{
    struct pending *p = fault(x, code);
    p->place.byte = at;
    p->place.length = length > UINT32_MAX ? UINT32_MAX : (uint32_t)length;
    return p;
}

SHUNT_PRINTF(3, 4)
static void detail(struct x12 *x, struct pending *p, const char *format, ...)
{
    assert(x->detail_count < DETAILS);
    struct detail *d = &x->details[x->detail_count++];
    va_list        args;
    va_start(args, format);
    int length = vsnprintf(d->bytes, DETAIL, format, args);
    va_end(args);
    d->length = (uint8_t)(length < 0 ? 0 : length < DETAIL ? length : DETAIL - 1);
    p->detail = (uint8_t)x->detail_count;
}

/* Marks an element as the place of the fault. */
static void point_at(struct x12 *x, struct pending *p, uint32_t element)
{
    shunt_range range = shunt_segment_element(&x->segment, element);
    if (element > x->segment.elements) return;
    p->place.byte = x->segment.at + range.begin;
    p->place.length = range.end - range.begin;
    p->place.element = element < SHUNT_NONE ? (uint16_t)element : SHUNT_NONE;
}

static void push_scope(struct x12 *x, shunt_step step, shunt_scope scope, bool segment)
{
    struct pending *p = push(x, step);
    p->scope = (uint8_t)scope;
    p->segment = segment;
}

/* ---- elements of headers and trailers ---- */

static shunt_text text_of(const struct field *field) { return (shunt_text){ field->bytes, field->length }; }

/* The element without blanks at its ends and without line ends, cut at what a field holds. */
static void read_field(const struct x12 *x, uint32_t element, struct field *field)
{
    shunt_range range = shunt_segment_element(&x->segment, element);
    field->length = 0;
    for (uint32_t i = range.begin; i < range.end && field->length < FIELD; i++) {
        uint8_t c = x->segment.bytes[i];
        if (c == '\r' || c == '\n' || (field->length == 0 && shunt_x12_blank(c))) continue;
        field->bytes[field->length++] = (char)c;
    }
    while (field->length && shunt_x12_blank((uint8_t)field->bytes[field->length - 1])) field->length--;
}

/* A control number or count as it may stand in a message: anything but short letters and digits could be a value gone astray. */
static const char *shown(const struct field *field, char out[static 16])
{
    bool plain = field->length > 0 && field->length <= 14;
    for (unsigned i = 0; i < field->length && plain; i++)
        plain = !shunt_x12_delimiter((uint8_t)field->bytes[i]) && field->bytes[i];
    snprintf(out, 16, "%.*s", plain ? (int)field->length : 1, plain ? field->bytes : field->length ? "?" : "-");
    return out;
}

static void compare_count(struct x12 *x, uint32_t element, uint64_t counted, shunt_status code, const char *name)
{
    struct field declared;
    uint64_t     number;
    char         out[16];
    read_field(x, element, &declared);
    if (shunt_x12_number(text_of(&declared), &number) && number == counted) return;
    struct pending *p = fault(x, code);
    point_at(x, p, element);
    bool is_count = !declared.length || shunt_x12_number(text_of(&declared), &number);
    detail(x, p, "%s is %s, read %llu", name, is_count ? shown(&declared, out) : "?", (unsigned long long)counted);
}

/* GE02 and IEA02 are numbers, SE02 repeats ST02 as text. */
static void compare_control(struct x12 *x, uint32_t element, const struct field *opened, shunt_status code, const char *name,
                            const char *of)
{
    struct field closing;
    char         a[16], b[16];
    bool         exact = code == SHUNT_X12_SE02;
    read_field(x, element, &closing);
    if (exact ? shunt_text_equal(text_of(&closing), text_of(opened)) : shunt_x12_same_control(text_of(&closing), text_of(opened)))
        return;
    struct pending *p = fault(x, code);
    point_at(x, p, element);
    detail(x, p, "%s is %s, %s is %s", name, shown(&closing, a), of, shown(opened, b));
}

static uint64_t hash_of(const struct x12 *x, const struct field *f) { return shunt_hash64(&x->key, f->bytes, f->length); }

/* False: no memory. */
static bool note_control(struct x12 *x, shunt_x12_seen *seen, uint64_t hash, uint32_t element, const struct field *control,
                         const char *name)
{
    bool again = false;
    char out[16];
    /* An ISA13 counts for its sender and receiver. */
    if ((element == 13 || !shunt_x12_seen_counting(seen, text_of(control), &again)) &&
        shunt_x12_seen_add(seen, x->memory, hash, &again) != SHUNT_OK)
        return false;
    if (!again) return true;
    struct pending *p = fault(x, SHUNT_X12_CONTROL_TWICE);
    point_at(x, p, element);
    detail(x, p, "%s is %s again", name, shown(control, out));
    return true;
}

/* ---- cutting segments ---- */

/* The id as a number, 0 where it is not two or three letters and digits. Line ends of a wrapped file do not count. */
static uint64_t read_id(const uint8_t *bytes, uint32_t length, bool line_ends)
{
    uint64_t id = 0;
    unsigned count = 0;
    for (uint32_t i = 0; i < length; i++) {
        if (line_ends && (bytes[i] == '\r' || bytes[i] == '\n')) continue;
        if (count == 3 || !shunt_x12_alnum(bytes[i])) return 0;
        id |= (uint64_t)bytes[i] << (56 - 8 * count++);
    }
    return count >= 2 ? id : 0;
}

static const bool of_id[256] = { ['0' ... '9'] = true, ['A' ... 'Z'] = true };

/* The same for bytes[0..length) with the element separator or the terminator behind the id: no byte is looked at beyond it. */
static inline uint64_t head_id(const struct x12 *x, const uint8_t *bytes, uint32_t length)
{
    if (length < 2 || !of_id[bytes[0]] || !of_id[bytes[1]]) return 0;
    uint64_t two = ID2(bytes[0], bytes[1]);
    if (bytes[2] == x->delims.element || bytes[2] == x->delims.terminator) return two;
    if (!of_id[bytes[2]] || (bytes[3] != x->delims.element && bytes[3] != x->delims.terminator)) return 0;
    return two | (uint64_t)bytes[2] << 40;
}

/* Element that holds the length of the binary element behind it, 0 = an ordinary segment. */
static uint32_t binary_element(const struct x12 *x, uint64_t id)
{
    if (x->guide != SHUNT_NONE)
        for (uint32_t i = 0; i < x->binary_count; i++)
            if (x->binaries[i].id == id) return x->binaries[i].element;
    return id == ID3('B', 'I', 'N') ? 1 : id == ID3('B', 'D', 'S') ? 2 : 0;
}

static void set_segment(struct x12 *x, const uint8_t *bytes, uint32_t length, uint64_t at, uint32_t elements, bool line_ends)
{
    x->segment.bytes = bytes;
    x->segment.offsets = x->offsets;
    x->segment.elements = elements;
    x->segment.length = length;
    x->segment.at = at;
    x->segment.number = 0;
    x->segment.id = 0;
    x->segment.line_ends = line_ends;
    x->segment.plain = false;
}

/* ---- the map of the window ---- */

/* Bits of bytes [begin, end), 64 at a time. */
static inline shunt_scan_word bits_of(const struct x12 *x, uint32_t begin, uint32_t end)
{
    shunt_scan_word bits = shunt_scan_from(x->index.map, begin);
    if (end - begin >= 64) return bits;
    return (shunt_scan_word){ shunt_scan_lowest(bits.marks, end - begin), shunt_scan_lowest(bits.odds, end - begin) };
}

static uint32_t count_marks(const struct x12 *x, uint32_t begin, uint32_t end)
{
    uint32_t count = 0;
    for (; begin < end; begin += 64) count += (uint32_t)__builtin_popcountll(bits_of(x, begin, end).marks);
    return count;
}

/* `end` = there is none. */
static uint32_t first_mark(const struct x12 *x, uint32_t begin, uint32_t end)
{
    for (; begin < end; begin += 64) {
        uint64_t marks = bits_of(x, begin, end).marks;
        if (marks) return begin + (uint32_t)__builtin_ctzll(marks);
    }
    return end;
}

static bool has_odds(const struct x12 *x, uint32_t begin, uint32_t end)
{
    uint64_t odds = 0;
    for (; begin < end; begin += 64) odds |= bits_of(x, begin, end).odds;
    return odds;
}

static void make_offsets(struct x12 *x)
{
    if (x->offsets_made) return;
    uint32_t  first = (uint32_t)(x->segment.bytes - x->window), end = first + x->segment.length + 1;
    uint32_t *to = x->offsets;
    *to++ = 0;
    for (uint32_t begin = first; begin < end; begin += 64)
        for (uint64_t marks = bits_of(x, begin, end).marks; marks; marks &= marks - 1)
            *to++ = begin - first + (uint32_t)__builtin_ctzll(marks) + 1;
    x->offsets_made = true;
}

static bool has_line_end(const uint8_t *bytes, size_t length)
{
    return memchr(bytes, '\n', length) || memchr(bytes, '\r', length);
}

/* An oversized segment is counted, reported and passed over. `skip_bytes` of it are not looked at. */
static enum got pass_over(struct x12 *x, uint64_t skip_bytes, shunt_status code)
{
    set_segment(x, (const uint8_t *)"", 0, x->in.at, 0, false);
    if (x->level == IN_SET) x->number++;
    if (code != SHUNT_OK) detail(x, fault(x, code), "the limit is %zu bytes", x->options.max_segment_bytes);
    x->skip_bytes = skip_bytes;
    x->state = SKIP;
    x->searched = 0;
    drop_window(x);
    return AGAIN;
}

static enum got skip(struct x12 *x)
{
    for (;;) {
        size_t         size;
        const uint8_t *bytes = view(x, &size);
        size_t         blind = x->skip_bytes < size ? (size_t)x->skip_bytes : size;
        x->skip_bytes -= blind;
        x->in.at += blind;
        const uint8_t *end = size > blind ? memchr(bytes + blind, x->delims.terminator, size - blind) : NULL;
        if (end) {
            x->in.at += (uint64_t)(end - (bytes + blind)) + 1;
            x->previous_end = x->in.at;
            x->state = SEGMENT;
            return AGAIN;
        }
        x->in.at += size - blind;
        enum got got = more(x);
        if (got != GOT) return got;
    }
}

/* A segment that is longer than the window, or a binary one: separators count in its first `plain` bytes, the rest is one
 * element. */
static enum got take_alone(struct x12 *x, const uint8_t *bytes, size_t length, size_t plain, uint32_t most_separators)
{
    uint32_t count = 0, most = x->options.max_elements;
    x->offsets[0] = 0;
    for (const uint8_t *p = bytes, *end = bytes + plain;
         count < most_separators && (p = memchr(p, x->delims.element, (size_t)(end - p))); p++) {
        if (count < most) x->offsets[count + 1] = (uint32_t)(p - bytes) + 1;
        count++;
    }
    set_segment(x, bytes, (uint32_t)length, x->in.at, count, plain == length && has_line_end(bytes, length));
    x->offsets[(count < most ? count : most) + 1] = (uint32_t)length + 1;
    x->offsets_made = true;
    x->components = plain == length && x->delims.component && memchr(bytes, x->delims.component, length);
    x->segment.id = read_id(bytes, count ? x->offsets[1] - 1 : (uint32_t)length, x->segment.line_ends);
    x->in.at += length + 1;
    x->searched = 0;
    drop_window(x);
    return GOT;
}

static struct pending *binary_fault(struct x12 *x)
{
    struct pending *p = fault(x, SHUNT_X12_BIN);
    p->place.segment = x->level == IN_SET ? x->number + 1 : 0; /* it is counted later */
    return p;
}

/* A binary segment stands at `at`: its length element says where it ends, whatever bytes lie between. */
static enum got take_binary(struct x12 *x, uint32_t length_element)
{
    size_t         size, header = 0;
    const uint8_t *bytes = view(x, &size);
    uint32_t       separators = 0, digits = 0;
    uint64_t       length = 0;
    bool           read = false;
    for (;; header++) {
        if (header >= size) {
            enum got got = more(x);
            if (got != GOT) return got;
            bytes = view(x, &size);
        }
        uint8_t c = bytes[header];
        if (c == x->delims.element) {
            read = ++separators > length_element && digits > 0;
            if (separators > length_element) break;
        } else if (separators == length_element) {
            if (c < '0' || c > '9' || ++digits > 18) break;
            length = length * 10 + (uint64_t)(c - '0');
        } else if (c == x->delims.terminator || header >= BINARY_HEADER) {
            break;
        }
    }
    if (!read || length > x->options.max_binary_bytes) {
        set_segment(x, bytes, (uint32_t)header, x->in.at, 0, false);
        detail(x, binary_fault(x), "element %u is no length within the limit", length_element);
        x->plain_at = x->in.at;
        return AGAIN;
    }
    uint64_t total = header + 1 + length;
    if (total > x->options.max_segment_bytes)
        return pass_over(x, total, x->level == IN_SET && x->guide == SHUNT_NONE ? SHUNT_OK : SHUNT_X12_SEGMENT_LENGTH);
    const uint8_t *found;
    for (size_t from = (size_t)total; !(found = from < size ? memchr(bytes + from, x->delims.terminator, size - from) : NULL);) {
        if (size > x->options.max_segment_bytes) return pass_over(x, total, SHUNT_X12_SEGMENT_LENGTH);
        if (size > from) from = size;
        enum got got = more(x);
        if (got != GOT) return got;
        bytes = view(x, &size);
    }
    size_t end = (size_t)(found - bytes);
    if (end > x->options.max_segment_bytes) return pass_over(x, total, SHUNT_X12_SEGMENT_LENGTH);
    take_alone(x, bytes, end, header + 1, length_element + 1);
    if (end != total) {
        struct pending *p = binary_fault(x);
        point_at(x, p, length_element);
        detail(x, p, "element %u is %llu, the data has %zu bytes", length_element, (unsigned long long)length, end - header - 1);
    }
    return GOT;
}

/* Bytes of the id that stands at the head of these; `size` where no delimiter is among the first of them. */
static uint32_t id_length(const struct x12 *x, const uint8_t *bytes, size_t size)
{
    uint32_t length = 0;
    while (length < 4 && length < size && bytes[length] != x->delims.element && bytes[length] != x->delims.terminator) length++;
    return length;
}

/* An ISA, whose own delimiters may be others than those in force. */
static bool is_isa(const uint8_t *bytes, size_t size)
{
    return size > 3 && memcmp(bytes, "ISA", 3) == 0 && shunt_x12_delimiter(bytes[3]) && !shunt_x12_blank(bytes[3]);
}

static enum got take_isa(struct x12 *x, const uint8_t *bytes)
{
    set_segment(x, bytes, 3, x->in.at, 0, false);
    x->isa_again = true;
    x->searched = 0;
    return GOT;
}

/* Reads on to the next terminator. FILLED: a window with at least one. GOT: a segment that no window holds. */
static enum got fill_window(struct x12 *x)
{
    for (;;) {
        size_t         size;
        const uint8_t *bytes = view(x, &size);
        if (x->searched == 0) {
            size_t blanks = 0;
            while (blanks < size && shunt_x12_blank(bytes[blanks]) && bytes[blanks] != x->delims.terminator) blanks++;
            x->in.at += blanks;
            bytes += blanks;
            size -= blanks;
            uint32_t length = id_length(x, bytes, size);
            if (length < 4 && length == size && !is_all(x)) {
                enum got got = more(x);
                if (got != GOT) return got;
                continue;
            }
            /* "ISA" that the terminator in force ends is a segment like others, as it is within a window. */
            if (is_isa(bytes, size) && bytes[3] != x->delims.terminator) return take_isa(x, bytes);
            uint32_t element = x->plain_at != x->in.at ? binary_element(x, read_id(bytes, length, false)) : 0;
            if (element) return take_binary(x, element);
        }
        const uint8_t *found = size > x->searched ? memchr(bytes + x->searched, x->delims.terminator, size - x->searched) : NULL;
        size_t         length = found ? (size_t)(found - bytes) : size;
        if (length > x->options.max_segment_bytes) return pass_over(x, 0, SHUNT_X12_SEGMENT_LENGTH);
        if (found && length >= WINDOW) return take_alone(x, bytes, length, length, UINT32_MAX);
        if (found) {
            x->window = bytes;
            x->window_at = x->in.at;
            x->window_next = x->window_end = 0;
            x->searched = 0;
            x->kernel->scan(bytes, size < WINDOW ? size : WINDOW, &x->delims, &x->index);
            x->roomy_end = x->index.end_count;
            while (x->roomy_end && x->index.ends[x->roomy_end - 1] + SHUNT_SEGMENT_ROOM > size) x->roomy_end--;
            return FILLED;
        }
        x->searched = size;
        enum got got = more(x);
        if (got != GOT) return got;
    }
}

static bool is_envelope(uint64_t id)
{
    return id == ID2('S', 'T') || id == ID2('S', 'E') || id == ID2('G', 'S') || id == ID2('G', 'E') || id == ID3('I', 'E', 'A') ||
           id == ID3('I', 'S', 'A');
}

/* The next segment becomes the one at hand; `at` is the byte behind its terminator. In a set without a guide all that say nothing
 * about the envelope are counted here and passed over. */
static enum got next_segment(struct x12 *x)
{
    for (;;) {
        const uint8_t *bytes = x->window;
        bool           passing = x->level == IN_SET && x->guide == SHUNT_NONE;
        while (x->window_end < x->index.end_count) {
            uint32_t begin = x->window_next, end = x->index.ends[x->window_end++];
            x->window_next = end + 1;
            while (begin < end && shunt_x12_blank(bytes[begin])) begin++;
            x->in.at = x->window_at + begin;
            if (SHUNT_UNLIKELY(begin == end)) {
                x->in.at++;
                continue;
            }
            uint32_t length = end - begin;
            uint64_t id = head_id(x, bytes + begin, length);
            if ((id >> 56 == 'B' || x->binary_count) && binary_element(x, id) && x->plain_at != x->in.at) {
                drop_window(x);
                break;
            }
            /* A segment has fewer elements than bytes. */
            if (passing && id && length <= x->options.max_segment_bytes && length <= x->options.max_elements &&
                !is_envelope(id)) {
                x->number++;
                x->in.at = x->window_at + end + 1;
                continue;
            }
            if ((id == 0 || id == ID3('I', 'S', 'A')) && is_isa(bytes + begin, length)) return take_isa(x, bytes + begin);
            if (length > x->options.max_segment_bytes) return pass_over(x, 0, SHUNT_X12_SEGMENT_LENGTH);
            x->components = has_odds(x, begin, end);
            bool line_ends = x->components && has_line_end(bytes + begin, length);
            set_segment(x, bytes + begin, length, x->in.at, count_marks(x, begin, end), line_ends);
            x->segment.id = line_ends ? read_id(bytes + begin, first_mark(x, begin, end) - begin, true) : id;
            x->offsets_made = false;
            x->in.at = x->window_at + end + 1;
            return GOT;
        }
        enum got got = fill_window(x);
        if (got != FILLED) return got;
    }
}

/* ---- the set ---- */

/* Does no element that the guide has as a simple one hold components? Looks at runs of them, not at each. */
static inline bool simple_ones_fit(const struct x12 *x, uint32_t elements, uint64_t composites)
{
    const shunt_segment *s = &x->segment;
    uint32_t             most = s->elements < elements ? s->elements : elements;
    if (most > 63) most = 63;
    for (uint32_t k = 1; k <= most; k++) {
        if (composites >> k & 1) continue;
        uint64_t    rest = composites >> k;
        uint32_t    next = rest ? k + (uint32_t)__builtin_ctzll(rest) : most + 1;
        shunt_range run = { s->offsets[k], s->offsets[next > most ? most + 1 : next] - 1 };
        if (shunt_range_until(s, run, x->delims.component).end != run.end) return false;
        k = next;
    }
    return true;
}

/* What the guide says about the elements of a segment. */
static void check_elements(struct x12 *x, const shunt_plan_node *node)
{
    const shunt_segment *s = &x->segment;
    if (node->elements == 0) return;
    for (uint32_t k = node->elements + 1u; k <= s->elements; k++) {
        if (s->offsets[k + 1] - s->offsets[k] <= 1) continue; /* empty ones say nothing */
        struct pending *p = fault(x, SHUNT_X12_TOO_MANY_ELEMENTS);
        point_at(x, p, k);
        detail(x, p, "%u elements, the guide has %u", s->elements, node->elements);
        break;
    }
    if (!x->components || simple_ones_fit(x, node->elements, node->composites)) return;
    for (uint32_t k = 1; k < 64; k++) {
        if (node->composites >> k & 1) continue;
        shunt_range range = shunt_segment_element(s, k);
        if (shunt_range_until(s, range, x->delims.component).end == range.end) continue;
        point_at(x, fault(x, SHUNT_X12_COMPOSITE), k);
        break;
    }
}

static void push_loop(struct x12 *x, shunt_step step, uint16_t loop, uint64_t end)
{
    struct pending *p = push(x, step);
    p->index = loop;
    p->end = end;
}

static void push_open_loops(struct x12 *x, uint64_t end)
{
    for (; x->walk.depth > 1; x->walk.depth--) push_loop(x, SHUNT_STEP_LEAVE, x->walk.loops[x->walk.depth - 1], end);
}

/* What is done with the segments of a step; worked out once, since it follows from the plan and from where the step begins. */
static enum use use_of(const struct x12 *x, const shunt_walk_step *step)
{
    const shunt_direct *direct = x->direct;
    if (!x->demanded_only) return SHOW;
    if (!step->wanted) return PASS;
    if (!direct || !direct->nodes[step->node] || (step->enter != SHUNT_NONE && !direct->loops[step->enter])) return SHOW;
    uint16_t loop = step->from == SHUNT_NONE ? SHUNT_NONE : x->plan->nodes[step->from].loop;
    for (unsigned left = step->leave; left > 0; left--, loop = x->plan->loops[loop].parent)
        if (!direct->loops[loop]) return SHOW;
    return CAPTURE;
}

/* Puts the segment at its place in the guide. GOT: it is all there is to tell; AGAIN: events wait, the segment last. */
static enum got land(struct x12 *x, bool trailer, uint16_t *node)
{
    uint16_t      open[SHUNT_WALK_DEPTH], depth = x->walk.depth, from = x->walk.last_node;
    shunt_landing landing;
    memcpy(open, x->walk.loops, sizeof open);
    shunt_walk_segment(&x->walk, &x->segment, &x->delims, &landing);
    for (uint16_t i = 0; i < landing.leave; i++) push_loop(x, SHUNT_STEP_LEAVE, open[depth - 1 - i], x->previous_end);
    for (uint16_t i = 0; i < landing.enter_count; i++) push_loop(x, SHUNT_STEP_ENTER, landing.enter[i], x->in.at);
    if (trailer && landing.node == SHUNT_NONE) push_open_loops(x, x->previous_end);
    if (landing.node == SHUNT_NONE)
        fault(x, SHUNT_X12_UNKNOWN_SEGMENT);
    else
        check_elements(x, &x->plan->nodes[landing.node]);
    if (landing.out_of_order) fault(x, SHUNT_X12_ORDER);
    if (landing.orphan) fault(x, SHUNT_X12_MISSING_PARENT);
    if (landing.too_many) fault(x, SHUNT_X12_REPEATS);
    x->previous_end = x->in.at;
    *node = landing.node;
    if (!is_envelope(x->segment.id) && !binary_element(x, x->segment.id)) {
        shunt_walk_step *step = shunt_walk_learn(&x->walk, from, &x->segment, &x->delims, &landing);
        if (step) step->use = use_of(x, step);
    }
    if (x->queue_count == 0 && !trailer) return GOT;
    struct pending *p = push(x, SHUNT_STEP_SEGMENT);
    p->index = landing.node;
    p->segment = true;
    return AGAIN;
}

/* ---- the envelope ---- */

static void abandon_set(struct x12 *x)
{
    if (x->level != IN_SET) return;
    fault(x, SHUNT_X12_NO_SE);
    push_scope(x, SHUNT_STEP_ABANDON, SHUNT_SCOPE_TRANSACTION, false);
    x->level = x->in_group ? IN_GROUP : IN_INTERCHANGE;
    x->guide = SHUNT_NONE;
}

static void abandon_group(struct x12 *x)
{
    abandon_set(x);
    if (x->level != IN_GROUP) return;
    fault(x, SHUNT_X12_NO_GE);
    push_scope(x, SHUNT_STEP_ABANDON, SHUNT_SCOPE_BATCH, false);
    x->level = IN_INTERCHANGE;
}

static void clear_group(struct x12 *x)
{
    x->gs_control.length = x->gs_functional.length = x->gs_version.length = 0;
    x->set_count = 0;
    shunt_x12_seen_clear(&x->sets, x->memory);
}

static void begin_seek(struct x12 *x)
{
    x->level = OUTSIDE;
    x->state = SEEK;
    x->isa_again = false;
    x->text_met = false;
    x->before = 0;
    x->searched = 0;
    drop_window(x);
}

static enum got open_interchange(struct x12 *x, const shunt_x12_isa *isa, const uint8_t *bytes, size_t size)
{
    if (x->bom && x->bom < 3 && !x->any_isa) x->text_met = true; /* a part of a byte order mark */
    if (x->text_met && !x->quiet)
        fault_at(x, x->any_isa ? SHUNT_X12_TRAILING_TEXT : SHUNT_X12_LEADING_TEXT, x->text_at, x->in.at - x->text_at);
    else if (x->bom == 3 && !x->any_isa)
        detail(x, fault_at(x, SHUNT_X12_LEADING_TEXT, 0, 3), "byte order mark");
    if (memcmp(&x->delims, &isa->delims, sizeof x->delims) != 0) shunt_walk_separators(&x->walk);
    x->delims = isa->delims;
    x->repeats = x->delims.repetition ? x->delims.repetition : x->delims.element;
    x->parts = x->delims.component ? x->delims.component : x->repeats;
    memcpy(x->offsets, isa->offsets, sizeof isa->offsets);
    set_segment(x, bytes, isa->length, x->in.at, isa->elements, isa->line_ends);
    x->offsets_made = true;
    x->in.at += isa->length < size ? isa->length + 1u : size;
    x->state = SEGMENT;
    x->level = IN_INTERCHANGE;
    x->any_isa = true;
    x->quiet = x->stray = false;
    x->group_count = 0;
    x->plain_at = UINT64_MAX;
    clear_group(x);
    shunt_x12_seen_clear(&x->groups, x->memory);

    read_field(x, 12, &x->shown_version);
    read_field(x, 13, &x->isa_control);
    read_field(x, 6, &x->shown_sender);
    read_field(x, 8, &x->shown_receiver);
    x->shown_control = x->isa_control;
    x->shown_set.length = 0;
    push_scope(x, SHUNT_STEP_BEGIN, SHUNT_SCOPE_INTERCHANGE, true);
    if (!isa->fixed) detail(x, fault(x, SHUNT_X12_ISA_LENGTH), "%u bytes", isa->length + 1);
    if (isa->no_component) fault(x, SHUNT_X12_ISA16);
    if (isa->repetition_twice) {
        struct pending *p = fault(x, SHUNT_X12_DELIMITERS);
        point_at(x, p, 11);
        detail(x, p, "repetition separator is used twice; repetitions are not told apart");
    }
    uint64_t hash = hash_of(x, &x->isa_control) * 3 + hash_of(x, &x->shown_sender) * 5 + hash_of(x, &x->shown_receiver) * 7;
    return note_control(x, &x->interchanges, hash, 13, &x->isa_control, "ISA13") ? AGAIN : broken(x);
}

static enum got open_group(struct x12 *x)
{
    abandon_group(x);
    clear_group(x);
    x->level = IN_GROUP;
    x->stray = false;
    x->group_count++;
    read_field(x, 1, &x->gs_functional);
    read_field(x, 2, &x->shown_sender);
    read_field(x, 3, &x->shown_receiver);
    read_field(x, 6, &x->gs_control);
    read_field(x, 8, &x->gs_version);
    x->shown_control = x->gs_control;
    x->shown_version = x->gs_version;
    x->shown_set.length = 0;
    push_scope(x, SHUNT_STEP_BEGIN, SHUNT_SCOPE_BATCH, true);
    return note_control(x, &x->groups, hash_of(x, &x->gs_control), 6, &x->gs_control, "GS06") ? AGAIN : broken(x);
}

static enum got open_set(struct x12 *x)
{
    struct field st03;
    bool         assumed;
    uint16_t     node;
    abandon_set(x);
    x->in_group = x->level == IN_GROUP;
    x->level = IN_SET;
    x->stray = false;
    x->number = x->segment.number = 1;
    x->set_count++;
    read_field(x, 1, &x->shown_set);
    read_field(x, 2, &x->st_control);
    read_field(x, 3, &st03);
    x->shown_control = x->st_control;
    x->shown_version = st03.length ? st03 : x->gs_version;
    x->shown_sender.length = x->shown_receiver.length = 0;
    x->previous_end = x->in.at;
    x->guide = shunt_x12_guide(x->plan, text_of(&x->shown_set), text_of(&st03), text_of(&x->gs_version),
                               text_of(&x->gs_functional), &assumed);
    push_scope(x, SHUNT_STEP_BEGIN, SHUNT_SCOPE_TRANSACTION, true);
    if (!x->in_group) fault(x, SHUNT_X12_NO_GS);
    if (!note_control(x, &x->sets, hash_of(x, &x->st_control), 2, &x->st_control, "ST02")) return broken(x);
    if (x->guide == SHUNT_NONE) {
        fault(x, SHUNT_X12_UNMAPPED_SET);
        return AGAIN;
    }
    if (assumed) {
        shunt_text version = x->plan->texts[x->plan->guides[x->guide].version];
        detail(x, fault(x, SHUNT_X12_GUIDE_ASSUMED), "read as %.*s", SHUNT_TEXT_ARGS(version));
    }
    shunt_walk_again(&x->walk, x->plan, x->guide);
    return land(x, false, &node);
}

static enum got close_set(struct x12 *x)
{
    uint16_t node;
    if (x->guide != SHUNT_NONE) {
        land(x, true, &node);
        push_open_loops(x, x->in.at);
    }
    compare_count(x, 1, x->number, SHUNT_X12_SE01, "SE01");
    compare_control(x, 2, &x->st_control, SHUNT_X12_SE02, "SE02", "ST02");
    push_scope(x, SHUNT_STEP_FINISH, SHUNT_SCOPE_TRANSACTION, true);
    x->level = x->in_group ? IN_GROUP : IN_INTERCHANGE;
    x->guide = SHUNT_NONE;
    return AGAIN;
}

static enum got close_group(struct x12 *x)
{
    compare_count(x, 1, x->set_count, SHUNT_X12_GE01, "GE01");
    compare_control(x, 2, &x->gs_control, SHUNT_X12_GE02, "GE02", "GS06");
    push_scope(x, SHUNT_STEP_FINISH, SHUNT_SCOPE_BATCH, true);
    x->level = IN_INTERCHANGE;
    x->stray = false;
    clear_group(x);
    return AGAIN;
}

static enum got close_interchange(struct x12 *x)
{
    abandon_group(x);
    compare_count(x, 1, x->group_count, SHUNT_X12_IEA01, "IEA01");
    compare_control(x, 2, &x->isa_control, SHUNT_X12_IEA02, "IEA02", "ISA13");
    push_scope(x, SHUNT_STEP_FINISH, SHUNT_SCOPE_INTERCHANGE, true);
    begin_seek(x);
    return AGAIN;
}

/* Segments that stand between ISA and GS by right: acknowledgements and services of an interconnect. */
static bool is_service(uint64_t id)
{
    return id == ID3('T', 'A', '1') || id == ID3('T', 'A', '3') || id == ID3('I', 'S', 'B') || id == ID3('I', 'S', 'E');
}

/* A TA1 that a source reads is a transaction of one segment. */
static enum got interchange_ack(struct x12 *x)
{
    uint16_t node;
    make_offsets(x);
    x->number = x->segment.number = 1;
    x->shown_set = (struct field){ 3, "TA1" };
    read_field(x, 1, &x->st_control);
    x->shown_control = x->st_control;
    x->shown_version.length = x->shown_sender.length = x->shown_receiver.length = 0;
    x->previous_end = x->segment.at;
    x->guide = x->ta1;
    push_scope(x, SHUNT_STEP_BEGIN, SHUNT_SCOPE_TRANSACTION, true);
    shunt_walk_again(&x->walk, x->plan, x->guide);
    (void)land(x, false, &node);
    push_open_loops(x, x->in.at);
    push_scope(x, SHUNT_STEP_FINISH, SHUNT_SCOPE_TRANSACTION, true);
    x->guide = SHUNT_NONE;
    x->alone = true;
    return AGAIN;
}

/* A run of segments that stand nowhere is one fault. */
static enum got stray(struct x12 *x)
{
    if (!x->stray) fault(x, SHUNT_X12_STRAY);
    x->stray = true;
    return AGAIN;
}

/* A segment of the envelope or of the interconnect where it has no meaning: nothing is lost with it. */
static enum got misplaced(struct x12 *x)
{
    char id[4] = { 0 };
    for (unsigned i = 0; i < 3; i++) id[i] = (char)(x->segment.id >> (56 - 8 * i) & 0xff);
    detail(x, fault(x, SHUNT_X12_MISPLACED), "%s", id);
    return AGAIN;
}

/* The interchange before this ISA is not over. */
static enum got reopen(struct x12 *x)
{
    abandon_group(x);
    fault(x, SHUNT_X12_NO_IEA);
    push_scope(x, SHUNT_STEP_ABANDON, SHUNT_SCOPE_INTERCHANGE, false);
    x->in.at = x->segment.at;
    begin_seek(x);
    return AGAIN;
}

/* What the segment at hand means. GOT: a segment of a known set and nothing else, `node` its place. */
static enum got process(struct x12 *x, uint16_t *node)
{
    x->alone = false;
    if (x->level == IN_SET) x->segment.number = ++x->number;
    if (SHUNT_UNLIKELY(x->isa_again)) return reopen(x);
    if (SHUNT_UNLIKELY(x->segment.id == 0)) {
        fault(x, SHUNT_X12_SEGMENT_ID);
        return AGAIN;
    }
    if (SHUNT_UNLIKELY(x->segment.elements > x->options.max_elements)) {
        detail(x, fault(x, SHUNT_X12_ELEMENTS), "%u, the limit is %u", x->segment.elements, x->options.max_elements);
        return AGAIN;
    }
    switch (x->segment.id) {
    case ID2('S', 'T'): make_offsets(x); return open_set(x);
    case ID2('S', 'E'): make_offsets(x); return x->level == IN_SET ? close_set(x) : misplaced(x);
    case ID2('G', 'S'): make_offsets(x); return open_group(x);
    case ID2('G', 'E'):
        make_offsets(x);
        abandon_set(x);
        return x->level == IN_GROUP ? close_group(x) : misplaced(x);
    case ID3('I', 'E', 'A'): make_offsets(x); return close_interchange(x);
    default: break;
    }
    if (x->level != IN_SET && is_service(x->segment.id)) {
        if (x->level != IN_INTERCHANGE) return misplaced(x);
        return x->ta1 != SHUNT_NONE && x->segment.id == ID3('T', 'A', '1') ? interchange_ack(x) : AGAIN;
    }
    if (x->level != IN_SET) return stray(x);
    if (x->guide == SHUNT_NONE) return AGAIN;
    make_offsets(x);
    return land(x, false, node);
}

/* ---- the ends of the input ---- */

static enum got over(struct x12 *x)
{
    x->state = OVER;
    return AGAIN;
}

static const uint8_t byte_order_mark[3] = { 0xef, 0xbb, 0xbf };

/* The byte at `at` is text, or space between interchanges. */
static void note_text(struct x12 *x, uint8_t c)
{
    if (x->text_met || shunt_x12_blank(c) || (x->any_isa && c == x->delims.terminator)) return;
    if (x->in.at == x->bom && x->bom < 3 && c == byte_order_mark[x->bom]) {
        x->bom++;
        return;
    }
    x->text_met = true;
    x->text_at = x->bom < 3 ? x->in.at - x->bom : x->in.at;
}

static enum got no_isa(struct x12 *x)
{
    fault_at(x, SHUNT_X12_NO_ISA, x->text_met ? x->text_at : x->in.at, 0);
    return over(x);
}

static enum got unreadable_isa(struct x12 *x, const shunt_x12_isa *isa)
{
    struct pending *p = fault_at(x, isa->fault, x->in.at, 3);
    p->place.element = isa->fault_element;
    x->quiet = x->any_isa = true;
    x->delims = (shunt_delims){ 0 };
    x->text_met = true;
    x->text_at = x->in.at;
    x->before = 'A';
    x->in.at += 3;
    return AGAIN;
}

static enum got seek(struct x12 *x)
{
    for (;;) {
        size_t         size;
        const uint8_t *bytes = view(x, &size);
        if (!x->any_isa && x->in.at > x->options.max_leading_bytes) return no_isa(x);
        if (size == 0) {
            enum got got = more(x);
            if (got == GOT) continue;
            return got;
        }
        if (bytes[0] == 'I' && !shunt_x12_alnum(x->before)) {
            shunt_x12_isa       isa;
            shunt_x12_isa_state state = shunt_x12_isa_read(bytes, size, is_all(x), &isa);
            if (state == X12_ISA_MORE) {
                enum got got = more(x);
                if (got != GOT) return got;
                continue;
            }
            bool sure = isa.fixed && isa.elements == X12_ISA_ELEMENTS;
            if (state == X12_ISA_READ && (!x->quiet || sure)) return open_interchange(x, &isa, bytes, size);
            if (state == X12_ISA_BAD && !x->quiet && (!x->text_met || sure)) return unreadable_isa(x, &isa);
        }
        note_text(x, bytes[0]);
        size_t step = 1;
        if (x->text_met) {
            const uint8_t *found = memchr(bytes + 1, 'I', size - 1);
            step = found ? (size_t)(found - bytes) : size;
            if (!x->any_isa && step > x->options.max_leading_bytes + 1 - x->in.at)
                step = (size_t)(x->options.max_leading_bytes + 1 - x->in.at);
        }
        x->before = bytes[step - 1];
        x->in.at += step;
    }
}

static void set_end_of_input(struct x12 *x) { set_segment(x, (const uint8_t *)"", 0, x->in.at, 0, false); }

/* No byte is left. What is open ends without its trailer; an IEA without terminator is taken as it is. */
static enum got finish_input(struct x12 *x, uint16_t *node)
{
    size_t         size;
    const uint8_t *bytes = view(x, &size);
    if (x->state == SEEK) {
        if (!x->any_isa) return no_isa(x);
        if (x->text_met && !x->quiet) fault_at(x, SHUNT_X12_TRAILING_TEXT, x->text_at, x->in.at - x->text_at);
        return over(x);
    }
    if (x->state == SEGMENT && size >= 3 && memcmp(bytes, "IEA", 3) == 0 && id_length(x, bytes, size) == 3) {
        take_alone(x, bytes, size, size, UINT32_MAX);
        x->in.at--; /* there is no terminator behind it */
        fault(x, SHUNT_X12_NO_TERMINATOR);
        return process(x, node);
    }
    bool cut = x->state == SKIP || size > 0;
    x->in.at += size;
    set_end_of_input(x);
    if (x->level == IN_SET || cut) {
        fault(x, SHUNT_X12_TRUNCATED);
        if (x->level == IN_SET) {
            push_scope(x, SHUNT_STEP_ABANDON, SHUNT_SCOPE_TRANSACTION, false);
            x->level = x->in_group ? IN_GROUP : IN_INTERCHANGE;
        }
        if (x->level == IN_GROUP) push_scope(x, SHUNT_STEP_ABANDON, SHUNT_SCOPE_BATCH, false);
    } else {
        abandon_group(x);
        fault(x, SHUNT_X12_NO_IEA);
    }
    push_scope(x, SHUNT_STEP_ABANDON, SHUNT_SCOPE_INTERCHANGE, false);
    return over(x);
}

/* ---- the interface ---- */

/* Sets what is valid in every step; the rest of the event is left as it is. */
static void set_event(const struct x12 *x, shunt_step step, shunt_event *event)
{
    event->step = step;
    event->guide = x->guide;
    event->loop = SHUNT_NONE;
    event->node = SHUNT_NONE;
    event->slot = SHUNT_NONE;
    event->segment = NULL;
    event->delims = x->delims;
    event->code = SHUNT_OK;
    event->detail = (shunt_text){ 0 };
    event->value = (shunt_text){ 0 };
    event->local = event->wide = false;
}

static void show(const struct x12 *x, const struct pending *p, shunt_event *event)
{
    set_event(x, (shunt_step)p->step, event);
    if (SHUNT_UNLIKELY(x->alone)) event->guide = x->ta1;
    event->scope = (shunt_scope)p->scope;
    event->code = p->code;
    event->place = p->place;
    event->end = p->end;
    if (p->segment) event->segment = &x->segment;
    if (p->step == SHUNT_STEP_SEGMENT)
        event->node = p->index;
    else
        event->loop = p->index;
    if (p->detail) event->detail = (shunt_text){ x->details[p->detail - 1].bytes, x->details[p->detail - 1].length };
    if (p->step != SHUNT_STEP_BEGIN) return;
    event->set = text_of(&x->shown_set);
    event->version = text_of(&x->shown_version);
    event->control = text_of(&x->shown_control);
    event->sender = text_of(&x->shown_sender);
    event->receiver = text_of(&x->shown_receiver);
}

/* What is valid in the steps of a segment, and nothing else. */
static inline shunt_step show_segment(const struct x12 *x, shunt_step step, uint16_t loop, uint16_t node, uint64_t end,
                                      shunt_event *event)
{
    event->step = step;
    event->scope = SHUNT_SCOPE_TRANSACTION;
    event->guide = x->guide;
    event->loop = loop;
    event->node = node;
    event->slot = SHUNT_NONE;
    event->segment = step == SHUNT_STEP_SEGMENT ? &x->segment : NULL;
    event->delims = x->delims;
    event->code = SHUNT_OK;
    event->place.byte = x->segment.at;
    event->place.length = x->segment.length;
    event->place.segment = x->number;
    event->place.element = event->place.component = 0;
    event->end = end;
    return step;
}

static shunt_step show_end(const struct x12 *x, shunt_step step, shunt_event *event)
{
    set_event(x, step, event);
    event->scope = SHUNT_SCOPE_FILE;
    event->place = (shunt_place){ .byte = x->in.at };
    event->end = x->in.at;
    if (step == SHUNT_STEP_FAILED) event->code = x->failure;
    return step;
}

static inline bool separates(const struct x12 *x, uint8_t byte)
{
    return byte == x->delims.element || byte == x->delims.terminator || byte == x->repeats || byte == x->parts;
}

/* How many bytes at the head of a segment settle what step it takes: its id, its key at the head of element 1, and what separates both. 0 =
 * it takes more than eight, or the key stands elsewhere. */
static inline unsigned head_bytes(const struct x12 *x, const shunt_walk_place *place, const uint8_t *bytes, uint32_t id_bytes,
                                  uint64_t key)
{
    unsigned count = id_bytes + 1;
    if (place->element > 1 || place->component > 1) return 0;
    if (place->element) count += (key ? 8 - (unsigned)__builtin_ctzll(key) / 8 : 0) + 1;
    /* A key with NULs at its end looks shorter than it is. */
    return count <= 8 && separates(x, bytes[id_bytes]) && separates(x, bytes[count - 1]) ? count : 0;
}

/* Looks for the step that a segment takes from where the walk stands. The eight bytes behind the segment can be read. */
static __attribute__((noinline)) const shunt_walk_step *find_step(struct x12 *x, uint32_t begin, uint32_t end)
{
    const uint8_t *bytes = x->window + begin;
    uint32_t       elements = count_marks(x, begin, end), id_bytes = first_mark(x, begin, end) - begin;
    if (SHUNT_UNLIKELY(id_bytes - 2 > 1 || elements > x->options.max_elements)) return NULL;
    /* Whatever these bytes are: a step is remembered for what is an id only. */
    uint64_t                id = ID2(bytes[0], bytes[1]) | (id_bytes == 3 ? (uint64_t)bytes[2] << 40 : 0), key = id;
    const shunt_walk_place *place = &x->walk.places[shunt_walk_place_slot(id)];
    if (SHUNT_UNLIKELY(place->id != id)) return NULL;
    if (place->element) {
        set_segment(x, bytes, end - begin, x->window_at + begin, elements, false);
        x->offsets_made = false;
        make_offsets(x);
        key = shunt_segment_pack_value(&x->segment, &x->delims, place->element, place->component);
    }
    const shunt_walk_step *step = shunt_walk_find(&x->walk, place, key);
    unsigned               count = step ? head_bytes(x, place, bytes, id_bytes, key) : 0;
    if (count) shunt_walk_note(&x->walk, step, shunt_first_eight(bytes), count);
    return step;
}

/* ---- many segments at once ---- */

/* Are all odd bytes of a short segment component separators within composites, or separators of repetitions? */
static SHUNT_INLINE bool odds_fit(struct x12 *x, const shunt_walk_step *step, const uint8_t *bytes, shunt_scan_word bits)
{
    do {
        uint64_t below = (bits.odds & -bits.odds) - 1;
        uint8_t  byte = bytes[__builtin_ctzll(bits.odds)];
        if (SHUNT_LIKELY(byte == x->delims.component)) {
            if (!(step->composites >> __builtin_popcountll(bits.marks & below) & 1)) return false;
        } else {
            if (byte != x->delims.repetition) return false;
            x->segment.plain = false;
        }
        bits.odds &= bits.odds - 1;
    } while (bits.odds);
    return true;
}

/* What take_steps must know of a segment that is not short: the same, with offsets made. False: it is for the others to look at. */
static __attribute__((noinline)) bool fits_long(struct x12 *x, const shunt_walk_step *step, uint32_t begin, uint32_t end)
{
    uint32_t elements = count_marks(x, begin, end);
    bool     odd = has_odds(x, begin, end);
    if (elements > x->options.max_elements || elements > step->elements) return false;
    if (!odd && step->use == PASS) return true;
    set_segment(x, x->window + begin, end - begin, x->window_at + begin, elements, false);
    x->offsets_made = false;
    make_offsets(x);
    x->segment.plain = !odd || !memchr(x->segment.bytes, x->delims.repetition, x->segment.length);
    return !odd || (!has_line_end(x->segment.bytes, x->segment.length) && simple_ones_fit(x, step->elements, step->composites));
}

/* Captures the segment at hand, and the loops that it leaves and enters. */
static inline shunt_status capture_here(struct x12 *x, const shunt_walk_step *step, uint16_t leave_loop, uint64_t leave_end)
{
    shunt_capture *capture = x->direct->capture;
    if (step->moves) {
        for (unsigned left = step->leave; left > 0; left--, leave_loop = x->plan->loops[leave_loop].parent)
            shunt_capture_leave(capture, leave_loop, leave_end);
        if (step->enter != SHUNT_NONE) SHUNT_TRY(shunt_capture_enter(capture, step->enter, x->segment.at, x->segment.number));
    }
    return shunt_capture_segment(capture, step->node, &x->segment, &x->delims);
}

/* Takes segments for as long as they are plain ones of a set with a guide that take remembered steps without any fault: the same as
 * next_segment, process and land. Those that nobody wants are counted and passed over, and so are those that are captured here; it
 * ends behind the first one that is to be shown. NULL: the others must look at the next one, of which nothing has happened.
 * For most segments this is all that runs: the terminator is listed, the first bytes are those that came after the same step
 * before, and the bits of the segment say how many elements it has and that no byte is odd. */
static SHUNT_INLINE const shunt_walk_step *take_steps(struct x12 *x)
{
    if (x->guide == SHUNT_NONE || x->tight || x->state != SEGMENT) return NULL;
    shunt_walk                  *walk = &x->walk;
    const shunt_walk_step       *last = &walk->steps[walk->last], *found = NULL;
    const shunt_scan_word *const map = x->index.map;
    const uint32_t *const first = x->index.ends + x->window_end, *const stop = x->index.ends + x->roomy_end;
    const uint32_t      *at = first;
    const uint8_t *const bytes = x->window;
    const bool           capture = x->direct && x->direct->active;
    uint32_t             repeats = walk->last_repeats, next = x->window_next;
    x->segment.offsets = x->offsets;
    x->segment.line_ends = false;
    while (at < stop) {
        uint32_t begin = next, end = *at;
        uint64_t head = shunt_first_eight(bytes + begin);
        if (SHUNT_UNLIKELY((uint8_t)head <= ' ')) {
            while (begin < end && shunt_x12_blank(bytes[begin])) begin++;
            head = shunt_first_eight(bytes + begin);
        }
        const shunt_walk_step *step = shunt_walk_guessed(walk, last, head);
        if (SHUNT_UNLIKELY(!step)) {
            shunt_walk_rest(walk, last, repeats);
            step = find_step(x, begin, end);
            if (!step) break;
        }
        x->segment.plain = true;
        uint32_t        length = end - begin, elements = 0, repeat = shunt_walk_repeat(walk, step, repeats);
        shunt_scan_word bits = shunt_scan_from(map, begin);
        if (SHUNT_UNLIKELY(repeat > step->most)) break;
        if (SHUNT_LIKELY(length <= SHORT)) {
            bits.odds = shunt_scan_lowest(bits.odds, length);
            elements = (uint32_t)__builtin_popcountll(shunt_scan_lowest(bits.marks, length));
            if (SHUNT_UNLIKELY(elements > step->elements) || (bits.odds && !odds_fit(x, step, bytes + begin, bits))) break;
        } else if (!fits_long(x, step, begin, end)) {
            break;
        }
        last = step;
        repeats = repeat;
        at++;
        uint32_t before = next;
        next = end + 1;
        if (step->use == PASS) continue;

        uint16_t leave_loop = SHUNT_NONE;
        uint64_t leave_end = 0;
        if (step->moves) {
            leave_loop = walk->loops[walk->depth - 1];
            leave_end = at - 1 > first ? x->window_at + before : x->previous_end;
            shunt_walk_move(walk, step, repeat);
        }
        if (SHUNT_LIKELY(length <= SHORT)) {
            x->segment.bytes = bytes + begin;
            x->segment.elements = elements;
            x->segment.length = length;
            x->segment.at = x->window_at + begin;
            x->offsets[0] = 0;
            x->kernel->spread(bits.marks << 1, elements + 1, x->offsets + 1); /* an element begins behind its mark */
        }
        x->segment.number = x->number + (uint32_t)(at - first);
        x->segment.id = step->id;
        if (SHUNT_LIKELY(capture && step->use == CAPTURE)) {
            x->refused = capture_here(x, step, leave_loop, leave_end);
            if (SHUNT_LIKELY(x->refused == SHUNT_OK)) continue;
            found = step;
            break;
        }
        found = step;
        if (!step->moves) break;
        x->step = step;
        x->leave = step->leave;
        x->enter = step->enter;
        x->leave_loop = leave_loop;
        x->leave_end = leave_end;
        break;
    }
    uint32_t taken = (uint32_t)(at - first);
    if (!taken) return NULL;
    shunt_walk_rest(walk, last, repeats);
    x->window_end += taken;
    x->window_next = next;
    x->number += taken;
    x->previous_end = x->in.at = x->window_at + next;
    return found;
}

static const shunt_walk_step *take_steps_anywhere(struct x12 *x) { return take_steps(x); }

#if defined(__x86_64__) && defined(__SSE2__)
/* The same, where bits are counted and shifted by one instruction each. */
__attribute__((target("bmi,bmi2,popcnt"))) static const shunt_walk_step *take_steps_bmi(struct x12 *x) { return take_steps(x); }

static bool has_bmi(void)
{
    return __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}
#else
#define take_steps_bmi take_steps_anywhere
static bool has_bmi(void) { return false; }
#endif

/* The next event of the segment that waits. */
static inline shunt_step tell_step(struct x12 *x, shunt_event *event)
{
    if (x->leave) {
        uint16_t loop = x->leave_loop;
        x->leave--;
        x->leave_loop = x->plan->loops[loop].parent;
        return show_segment(x, SHUNT_STEP_LEAVE, loop, SHUNT_NONE, x->leave_end, event);
    }
    if (x->enter != SHUNT_NONE) {
        uint16_t loop = x->enter;
        x->enter = SHUNT_NONE;
        return show_segment(x, SHUNT_STEP_ENTER, loop, SHUNT_NONE, x->in.at, event);
    }
    uint16_t node = x->step->node;
    x->step = NULL;
    return show_segment(x, SHUNT_STEP_SEGMENT, SHUNT_NONE, node, x->in.at, event);
}

/* Everything that is no remembered step. */
static __attribute__((noinline)) shunt_step next_other(struct x12 *x, shunt_event *event)
{
    for (;;) {
        if (x->queue_first < x->queue_count) {
            show(x, &x->queue[x->queue_first++], event);
            return event->step;
        }
        x->queue_first = x->queue_count = x->detail_count = 0;
        uint16_t node = SHUNT_NONE;
        enum got got;
        switch (x->state) {
        case SEGMENT:
            got = next_segment(x);
            if (got == GOT) got = process(x, &node);
            if (got == GOT) return show_segment(x, SHUNT_STEP_SEGMENT, SHUNT_NONE, node, x->in.at, event);
            break;
        case SEEK: got = seek(x); break;
        case SKIP: got = skip(x); break;
        case OVER: return show_end(x, SHUNT_STEP_END, event);
        default: return show_end(x, SHUNT_STEP_FAILED, event);
        }
        if (got == AT_END) got = finish_input(x, &node);
        if (got == NEED && x->queue_count == 0) return show_end(x, SHUNT_STEP_NEED_INPUT, event);
    }
}

static shunt_step next(shunt_reader *reader, shunt_event *event)
{
    struct x12 *x = (struct x12 *)reader;
    if (x->step) return tell_step(x, event);
    const shunt_walk_step *step = x->queue_first == x->queue_count ? x->take_steps(x) : NULL;
    if (!step) return next_other(x, event);
    if (SHUNT_UNLIKELY(x->refused != SHUNT_OK)) {
        show_segment(x, SHUNT_STEP_SEGMENT, SHUNT_NONE, step->node, x->in.at, event);
        event->code = x->refused;
        x->refused = SHUNT_OK;
        return event->step;
    }
    return x->step ? tell_step(x, event) : show_segment(x, SHUNT_STEP_SEGMENT, SHUNT_NONE, step->node, x->in.at, event);
}

static void feed(shunt_reader *reader, const uint8_t *bytes, size_t size, bool last)
{
    shunt_input_feed(&((struct x12 *)reader)->in, bytes, size, last);
}

static void x12_free(shunt_reader *reader)
{
    struct x12 *x = (struct x12 *)reader;
    if (!x) return;
    shunt_x12_seen_done(&x->interchanges, x->memory);
    shunt_x12_seen_done(&x->groups, x->memory);
    shunt_x12_seen_done(&x->sets, x->memory);
    shunt_input_done(&x->in);
    shunt_memory_free(x->memory, x->offsets);
    shunt_memory_free(x->memory, x->index.map);
    shunt_memory_free(x->memory, x->index.ends);
    shunt_memory_free(x->memory, x);
}

static void demanded_only(shunt_reader *reader, const shunt_direct *direct)
{
    struct x12 *x = (struct x12 *)reader;
    x->demanded_only = true;
    x->direct = direct;
}

static void trailer(shunt_buffer *out, shunt_scope scope, const shunt_delims *delims, shunt_text control)
{
    shunt_buffer_z(out, scope == SHUNT_SCOPE_BATCH ? "GE" : "IEA");
    shunt_buffer_char(out, (char)delims->element);
    shunt_buffer_char(out, '1');
    shunt_buffer_char(out, (char)delims->element);
    shunt_buffer_text(out, control);
    shunt_buffer_char(out, (char)delims->terminator);
}

static const shunt_reader_ops ops = { .name = "x12",
                                      .late = SHUNT_X12_LATE,
                                      .feed = feed,
                                      .next = next,
                                      .free = x12_free,
                                      .demanded_only = demanded_only,
                                      .trailer = trailer,
                                      .ending = "edi" };

/* Ids whose length element a guide names. */
static void note_binaries(struct x12 *x)
{
    for (uint32_t i = 0; i < x->plan->node_count && x->binary_count < BINARY_IDS; i++) {
        const shunt_plan_node *node = &x->plan->nodes[i];
        bool                   known = node->binary == 0;
        for (uint32_t b = 0; b < x->binary_count && !known; b++) known = x->binaries[b].id == node->id;
        if (!known) x->binaries[x->binary_count++] = (struct binary_id){ node->id, node->binary };
    }
}

shunt_reader *shunt_x12_reader_new(const shunt_memory *memory, const shunt_plan *plan, const shunt_x12_options *options)
{
    struct x12 *x = shunt_memory_zeroed(memory, 1, sizeof *x);
    if (!x) return NULL;
    x->base.ops = &ops;
    x->memory = x->in.memory = memory;
    shunt_hash_key_random(&x->key);
    x->plan = plan;
    x->kernel = shunt_scan_best();
    if (options) x->options = *options;
    if (!x->options.max_segment_bytes) x->options.max_segment_bytes = 1 << 20;
    if (!x->options.max_elements) x->options.max_elements = 10000;
    if (!x->options.max_binary_bytes) x->options.max_binary_bytes = 64 << 20;
    if (!x->options.max_leading_bytes) x->options.max_leading_bytes = 64 << 10;
    if (x->options.max_segment_bytes > UINT32_MAX / 4) x->options.max_segment_bytes = UINT32_MAX / 4;
    if (x->options.max_elements > UINT32_MAX / 16) x->options.max_elements = UINT32_MAX / 16;
    x->tight = x->options.max_segment_bytes < WINDOW || x->options.max_elements < SHORT;
    x->take_steps = has_bmi() ? take_steps_bmi : take_steps_anywhere;
    x->state = SEEK;
    x->level = OUTSIDE;
    x->guide = x->ta1 = SHUNT_NONE;
    for (uint16_t i = 0; i < plan->guide_count; i++)
        if (shunt_text_is(plan->texts[plan->guides[i].set], "TA1")) x->ta1 = i;
    x->plain_at = UINT64_MAX;
    note_binaries(x);
    size_t offsets =
        (x->options.max_elements < X12_ISA_ELEMENTS ? X12_ISA_ELEMENTS : x->options.max_elements) + 2 + SHUNT_SCAN_SPREAD;
    x->offsets = shunt_memory_zeroed(memory, offsets, sizeof *x->offsets);
    x->index.map = shunt_memory_zeroed(memory, SHUNT_SCAN_WORDS(WINDOW), sizeof *x->index.map);
    x->index.ends = shunt_memory_zeroed(memory, WINDOW + SHUNT_SCAN_SLACK, sizeof *x->index.ends);
    if (x->offsets && x->index.map && x->index.ends) return &x->base;
    x12_free(&x->base);
    return NULL;
}
