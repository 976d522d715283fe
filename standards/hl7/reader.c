#include "standards/hl7/reader.h"

#include <assert.h>
#include <stdio.h>

#include "engine/base/capture.h"
#include "engine/base/segment.h"
#include "engine/base/walk_step.h"
#include "standards/hl7/delims.h"
#include "standards/hl7/guide.h"
#include "standards/hl7/line.h"
#include "standards/hl7/text.h"
#include "standards/hl7/wants.h"
#include "standards/input.h"

enum {
    QUEUE = 64, /* most events one segment gives before its values: 16 loops left, 16 entered, a dozen others */
    FIELD = 64, /* bytes kept of what a header says */
    DETAIL = 95,
    DETAILS = 16,
    HEADER_FIELDS = 24, /* fields of a header that are looked at */
    KNOWN = 256,        /* bytes kept of a header that is compared with the next one */
    PART = 512,         /* bytes of a segment up to which all that lies between its values is copied with them */
    FRAME_BEGIN = 0x0b,
    FRAME_END = 0x1c,
};

#define ID(a, b, c) ((uint64_t)(a) << 56 | (uint64_t)(b) << 48 | (uint64_t)(c) << 40)

/* What happens next. */
enum state {
    SEEK,  /* looking for the first header */
    LINES, /* cutting segments */
    SKIP,  /* passing over the rest of an oversized segment */
    OVER,
    FAILED,
};

/* When the values of a segment are captured by the reader itself. */
enum fill { NEVER, FIRST /* before the first unit */, ALWAYS };

/* Answer of the functions that read on. */
enum got { GOT, AGAIN /* the state has changed, or events wait */, NEED /* a piece must be fed */, AT_END, BROKEN };

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

/* What was said by a header without faults: the next one that says the same is not read again. */
struct known {
    uint8_t           bytes[KNOWN];              /* up to MSH-3, then MSH-3 to -6, MSH-9, MSH-12 and all behind it */
    uint16_t          head, parties, type, rest; /* their lengths; head 0 = nothing is known */
    uint16_t          guide;
    shunt_delims      delims;
    shunt_hl7_charset charset;
    struct field      set, version, sender, receiver;
    bool              strict, cleared_absent;
};

/* Joined bytes from `from` on stand at `at` of the input. */
struct joint {
    uint32_t from;
    uint64_t at;
};

struct hl7 {
    shunt_reader        base; /* first */
    const shunt_memory *memory;
    const shunt_plan   *plan;
    shunt_hl7_options   options;
    shunt_hl7_wants     wants;
    bool                all_strict; /* every source of HL7 is read strictly */

    shunt_input in;
    size_t      searched; /* bytes from `at` on that hold no end of a segment */

    enum state   state;
    shunt_status failure;
    shunt_delims delims;

    const shunt_hl7_line_kernel *kernel;
    shunt_hl7_signs              signs; /* what separates, for the kernel */

    /* The line at hand: a segment without its terminator, and the ADD segments behind it. */
    const uint8_t *bytes;
    uint32_t       size;
    uint64_t       line_at;
    uint8_t        ended_by; /* its terminator; 0 = the end of a frame or of the input */
    shunt_segment  segment;
    uint32_t      *offsets;
    uint32_t       offset_limit;                 /* elements that offsets have room for */
    uint32_t       marked;                       /* first bytes of the line whose marks are known */
    bool           repeated;                     /* a repetition separator stands among them, or not all is known */
    uint64_t       odd[SHUNT_HL7_LINE / 64 + 2]; /* bit k: byte k separates parts of a field, or escapes, or is not ASCII */
    bool           header;                       /* MSH, FHS, BHS: element k is field k + 1 */
    bool           joining;                      /* the next line is an ADD segment that belongs to this one */
    shunt_buffer   joined;
    struct joint  *joints;
    uint32_t       joint_count, joint_capacity;

    /* Between lines. */
    bool     after_cr;    /* the byte before was the CR of a terminator: a LF here belongs to it */
    bool     after_frame; /* the byte before ended a frame: line ends here are the frame's */
    bool     in_frame, frame_told;
    uint64_t blanks;   /* blanks before the segment of this line */
    uint64_t blank_at; /* of a blank line that has not been told, UINT64_MAX = none */
    uint64_t text_at;  /* first byte of text met while looking for a header */
    bool     text_met, any_header;
    bool     text_segments; /* from `text_at` on it has segments: a header was lost */
    uint8_t  before;        /* byte before `at` in SEEK */

    /* Scopes. */
    bool              in_file, in_batch, in_message;
    bool              quiet;        /* behind a header that can not be read */
    bool              stray, noise; /* the last lines were stray segments, or text: a run of them is told once */
    bool              strict, cleared_absent;
    bool              charset_told, blank_told, length_told;
    uint64_t          repetitions_told; /* of which segment and field */
    shunt_hl7_charset charset;
    uint64_t          batch_count, message_count;
    uint16_t          guide;
    uint32_t          number;       /* lines of the message so far */
    uint64_t          previous_end; /* byte behind its last one */
    struct field      set, version, control, sender, receiver;
    struct known      known;
    bool              known_told; /* set, version, sender and receiver are those of `known` */
    shunt_walk        walk;

    /* Values of the segment at hand that are still to be handed over. */
    uint32_t     take, take_end, want;
    bool         each_begun, each_open;
    shunt_range  each; /* the repetition at hand */
    uint32_t     each_end;
    bool         value_waits; /* behind faults about it */
    shunt_text   value;
    bool         cleared;
    uint16_t     slot;
    shunt_place  value_place;
    shunt_buffer decoded;

    /* What is captured here instead of being handed over. */
    const shunt_direct *direct;  /* NULL: nothing */
    uint8_t            *fills;   /* by node: when its values, and nothing else, fill the frame of its loop */
    uint8_t             fill;    /* of the segment at hand */
    shunt_status        refused; /* what a capture has failed by; its value waits */

    /* A segment that took a remembered step: what is still to be told of it. */
    bool     steps; /* segments of the message at hand may do so */
    uint16_t step_leave, step_leave_loop, step_enter;
    uint64_t step_leave_end;

    uint32_t       queue_first, queue_count;
    struct pending queue[QUEUE];
    uint32_t       detail_count;
    struct detail  details[DETAILS];
};

/* ---- input ---- */

static const uint8_t *view(struct hl7 *x, size_t *size) { return shunt_input_view(&x->in, size); }

static bool is_all(const struct hl7 *x) { return shunt_input_is_all(&x->in); }

static enum got broken(struct hl7 *x)
{
    x->state = FAILED;
    x->failure = SHUNT_NO_MEMORY;
    return BROKEN;
}

static enum got more(struct hl7 *x)
{
    switch (shunt_input_more(&x->in)) {
    case SHUNT_INPUT_MORE: return GOT;
    case SHUNT_INPUT_NEED: return NEED;
    case SHUNT_INPUT_END: return AT_END;
    case SHUNT_INPUT_BROKEN: break;
    }
    return broken(x);
}

/* ---- events ---- */

static struct pending *push(struct hl7 *x, shunt_step step)
{
    assert(x->queue_count < QUEUE);
    struct pending *p = &x->queue[x->queue_count++];
    *p = (struct pending){ .step = (uint8_t)step,
                           .scope = SHUNT_SCOPE_TRANSACTION,
                           .index = SHUNT_NONE,
                           .code = SHUNT_OK,
                           .end = x->in.at,
                           .place = { .byte = x->line_at, .length = x->size, .segment = x->in_message ? x->number : 0 } };
    return p;
}

static struct pending *fault(struct hl7 *x, shunt_status code)
{
    struct pending *p = push(x, SHUNT_STEP_FAULT);
    p->code = code;
    return p;
}

static struct pending *fault_at(struct hl7 *x, shunt_status code, uint64_t at, uint64_t length)
{
    struct pending *p = fault(x, code);
    p->place.byte = at;
    p->place.length = length > UINT32_MAX ? UINT32_MAX : (uint32_t)length;
    return p;
}

SHUNT_PRINTF(3, 4)
static void detail(struct hl7 *x, struct pending *p, const char *format, ...)
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

/* What the lenient reading forgives: a warning, or in a message of a strict source an error that names it. `words` may be "". */
static struct pending *forgive(struct hl7 *x, bool strict, shunt_status code, const char *words)
{
    struct pending *p = fault(x, strict ? SHUNT_HL7_STRICT : code);
    if (strict)
        detail(x, p, "%s%s%s", shunt_status_info[code].code, *words ? ": " : "", words);
    else if (*words)
        detail(x, p, "%s", words);
    return p;
}

static struct pending *warn(struct hl7 *x, shunt_status code) { return forgive(x, x->strict, code, ""); }

static void push_scope(struct hl7 *x, shunt_step step, shunt_scope scope, bool segment)
{
    struct pending *p = push(x, step);
    p->scope = (uint8_t)scope;
    p->segment = segment;
}

/* ---- parts of a segment ---- */

static bool is_alnum(uint8_t c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

/* Byte of the input where this one of the line stands. */
static uint64_t raw_of(const struct hl7 *x, uint32_t offset)
{
    if (x->joint_count == 0) return x->line_at + offset;
    uint32_t low = 0, high = x->joint_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (x->joints[middle].from <= offset)
            low = middle;
        else
            high = middle;
    }
    return x->joints[low].at + (offset - x->joints[low].from);
}

static shunt_place place_of(const struct hl7 *x, shunt_range range, uint16_t field, uint8_t component)
{
    uint64_t at = raw_of(x, range.begin), end = range.end > range.begin ? raw_of(x, range.end - 1) + 1 : at;
    return (shunt_place){ .byte = at,
                          .length = end - at > UINT32_MAX ? UINT32_MAX : (uint32_t)(end - at),
                          .segment = x->in_message ? x->number : 0,
                          .element = field,
                          .component = component };
}

/* The separators in force, for the kernel: where a message has none of a kind nothing is looked for twice. */
static void set_signs(struct hl7 *x)
{
    const shunt_delims *d = &x->delims;
    x->signs = (shunt_hl7_signs){ .field = d->element,
                                  .component = d->component ? d->component : d->element,
                                  .repetition = d->repetition ? d->repetition : d->element,
                                  .escape = d->escape ? d->escape : d->element,
                                  .subcomponent = d->subcomponent ? d->subcomponent : d->element,
                                  .stop = ' ' };
}

/* Where the first `limit` elements of the line stand: positions of the field separator, as far as they are asked for, and the
 * marks of its first bytes. */
static void index_fields(struct hl7 *x, uint32_t limit)
{
    uint64_t        far[SHUNT_HL7_LINE / 64];
    uint32_t        count = 0;
    shunt_hl7_signs all = x->signs;
    shunt_hl7_marks marks = { .odd = x->odd, .end = 0 };
    all.stop = 0;
    if (limit > x->offset_limit) limit = x->offset_limit;
    x->offsets[0] = 0;
    x->marked = 0;
    while (marks.end < x->size && count <= limit) {
        uint32_t left = x->size - marks.end;
        marks.offsets = x->offsets + 1 + count;
        x->kernel->mark(x->bytes, marks.end, marks.end + (left < SHUNT_HL7_LINE ? left : SHUNT_HL7_LINE), &all, &marks);
        count += marks.count;
        if (!x->marked) x->marked = marks.end;
        marks.odd = far;
    }
    if (count <= limit) x->offsets[count + 1] = x->size + 1;
    x->segment.elements = count <= limit ? count : limit;
    x->repeated = marks.repeated || x->marked < x->size;
}

/* First bit from `from` on, `end` where there is none before it. */
static inline uint32_t next_bit(const uint64_t *words, uint32_t from, uint32_t end)
{
    uint32_t word = from / 64;
    uint64_t bits = words[word] & ~UINT64_C(0) << from % 64;
    while (!bits) {
        if (++word * 64 >= end) return end;
        bits = words[word];
    }
    uint32_t at = word * 64 + (unsigned)__builtin_ctzll(bits);
    return at < end ? at : end;
}

/* The same for the marks of odd bytes; most ranges are short. */
static inline uint32_t next_odd(const struct hl7 *x, uint32_t from, uint32_t end)
{
    uint32_t word = from / 64, shift = from % 64;
    uint64_t bits = x->odd[word] >> shift | x->odd[word + 1] << 1 << (63 - shift);
    if (SHUNT_UNLIKELY(!bits && end - from > 64)) return next_bit(x->odd, from + 64, end);
    uint32_t at = from + (bits ? (uint32_t)__builtin_ctzll(bits) : 64);
    return at < end ? at : end;
}

/* Holds the range nothing but ASCII that neither separates nor escapes? False also where nobody has looked. */
static inline bool is_plain(const struct hl7 *x, shunt_range range)
{
    return range.end <= x->marked && range.begin < range.end && next_odd(x, range.begin, range.end) == range.end;
}

/* The field as it stands, with its repetitions; empty where the segment is shorter. */
static inline shunt_range field_range(const struct hl7 *x, uint32_t field)
{
    if (x->header && field <= 1) return (shunt_range){ 3, field && x->size > 3 ? 4u : 3u };
    return shunt_segment_element(&x->segment, x->header ? field - 1 : field);
}

/* The same as part_of where the marks of the range are not known. */
static __attribute__((noinline)) shunt_range far_part_of(const struct hl7 *x, shunt_range range, uint8_t separator, uint32_t n)
{
    for (; n > 1; n--) {
        const uint8_t *found = memchr(x->bytes + range.begin, separator, range.end - range.begin);
        if (!found) return (shunt_range){ 0, 0 };
        range.begin = (uint32_t)(found - x->bytes) + 1;
    }
    const uint8_t *end = memchr(x->bytes + range.begin, separator, range.end - range.begin);
    if (end) range.end = (uint32_t)(end - x->bytes);
    return range;
}

/* Part n of the range, 1-based; all of it is part 1 where nothing separates. */
static inline shunt_range part_of(const struct hl7 *x, shunt_range range, uint8_t separator, uint32_t n)
{
    if (range.begin >= range.end || !separator) return n == 1 ? range : (shunt_range){ 0, 0 };
    if (SHUNT_UNLIKELY(range.end > x->marked)) return far_part_of(x, range, separator, n);
    for (uint32_t at = range.begin;;) {
        at = at < range.end ? next_odd(x, at, range.end) : range.end;
        if (at == range.end) return n == 1 ? range : (shunt_range){ 0, 0 };
        if (x->bytes[at++] != separator) continue;
        if (n-- == 1) return (shunt_range){ range.begin, at - 1 };
        range.begin = at;
    }
}

static bool is_null(const struct hl7 *x, shunt_range range)
{
    return range.end - range.begin == 2 && x->bytes[range.begin] == '"' && x->bytes[range.begin + 1] == '"';
}

/* A part of a header field, decoded, as far as a field keeps it. `component` 0: the whole first repetition. */
static void read_field(struct hl7 *x, uint32_t number, uint32_t component, struct field *field)
{
    shunt_range range = part_of(x, field_range(x, number), x->delims.repetition, 1);
    shunt_text  value = { 0 };
    if (component) range = part_of(x, part_of(x, range, x->delims.component, component), x->delims.subcomponent, 1);
    field->length = 0;
    if (range.end <= range.begin || is_null(x, range)) return;
    if (is_plain(x, range))
        value = (shunt_text){ (const char *)x->bytes + range.begin, range.end - range.begin };
    else if (shunt_hl7_decode(x->bytes + range.begin, range.end - range.begin, &x->delims, x->charset, &x->decoded, &value) ==
                 HL7_DECODED_BAD ||
             x->decoded.failed)
        return;
    uint32_t length = value.length < FIELD ? value.length : FIELD;
    while (length && length < value.length && (value.bytes[length] & 0xc0) == 0x80) length--;
    while (length && value.bytes[length - 1] == ' ') length--;
    memcpy(field->bytes, value.bytes, length);
    field->length = (uint8_t)length;
}

static shunt_text text_of(const struct field *field) { return (shunt_text){ field->bytes, field->length }; }

/* "A" or "A^B": namespace and universal id of an HD, as one text. */
static void read_party(struct hl7 *x, uint32_t first, struct field *field)
{
    struct field facility;
    read_field(x, first, 1, field);
    read_field(x, first + 1, 1, &facility);
    if (!facility.length || field->length + 1u + facility.length > FIELD) return;
    if (field->length) field->bytes[field->length++] = '/';
    memcpy(field->bytes + field->length, facility.bytes, facility.length);
    field->length = (uint8_t)(field->length + facility.length);
}

/* What a header says about itself, safe to print: letters, digits and a few signs only. */
static const char *shown(const struct field *field, char out[static 32])
{
    bool plain = field->length > 0 && field->length < 24;
    for (unsigned i = 0; i < field->length && plain; i++)
        plain = is_alnum((uint8_t)field->bytes[i]) || strchr(" ./-_^", field->bytes[i]) != NULL;
    snprintf(out, 32, "%.*s", plain ? (int)field->length : 1, plain ? field->bytes : "?");
    return out;
}

/* ---- lines ---- */

static bool ends_line(uint8_t c) { return c == '\r' || c == '\n'; }

/* Is the line behind this one, which ends at bytes[end], an ADD segment that continues it? GOT: `*add` says so; AGAIN: more
 * is in view. */
static enum got look_ahead(struct hl7 *x, const uint8_t *bytes, size_t end, size_t size, bool *add)
{
    static const char id[3] = { 'A', 'D', 'D' };
    size_t            at = end + 1;
    *add = false;
    if (bytes[end] == '\r' && at < size && bytes[at] == '\n') at++;
    for (unsigned i = 0; i < 4; i++, at++) {
        if (at >= size) {
            enum got got = more(x);
            return got == AT_END ? GOT : got == GOT ? AGAIN : got;
        }
        if (bytes[at] != (i < 3 ? (uint8_t)id[i] : x->delims.element)) return GOT;
    }
    *add = true;
    return GOT;
}

static bool note_joint(struct hl7 *x, uint32_t from, uint64_t at)
{
    if (x->joint_count == x->joint_capacity) {
        uint32_t      capacity = x->joint_capacity ? 2 * x->joint_capacity : 8;
        struct joint *grown = shunt_memory_resize(x->memory, x->joints, capacity * sizeof *grown);
        if (!grown) return false;
        x->joints = grown;
        x->joint_capacity = capacity;
    }
    x->joints[x->joint_count++] = (struct joint){ from, at };
    return true;
}

/* Appends a line to those that make up one segment; of an ADD segment what stands behind its id. */
static bool join(struct hl7 *x, const uint8_t *bytes, size_t size, uint64_t at)
{
    size_t skip = x->joining ? 4 : 0;
    if (!x->joining) {
        x->joined.length = 0;
        x->joint_count = 0;
        x->line_at = at;
    }
    if (!note_joint(x, (uint32_t)x->joined.length, at + skip)) return false;
    shunt_buffer_add(&x->joined, bytes + skip, size - skip);
    return !x->joined.failed;
}

static void set_line(struct hl7 *x, const uint8_t *bytes, size_t size, uint64_t at)
{
    x->bytes = bytes;
    x->size = (uint32_t)size;
    x->line_at = at;
    x->header = false;
    x->marked = 0;
    x->segment = (shunt_segment){ .bytes = bytes, .offsets = x->offsets, .length = (uint32_t)size, .at = at };
}

/* No line is at hand: events tell the place `at`. */
static void set_nothing(struct hl7 *x)
{
    x->joint_count = 0;
    set_line(x, (const uint8_t *)"", 0, x->in.at);
}

static enum got begin_frame(struct hl7 *x);
static enum got end_frame(struct hl7 *x);
static enum got pass_over(struct hl7 *x, const uint8_t *bytes, size_t size);

/* What stands before the segment of a line. GOT: a segment begins at `at`; AGAIN: look again. */
static enum got take_edge(struct hl7 *x, uint8_t c)
{
    if ((c == '\n' && x->after_cr) || (x->after_frame && ends_line(c))) {
        x->after_cr = c == '\r';
        x->in.at++;
        return AGAIN;
    }
    x->after_cr = false;
    if (ends_line(c)) {
        if (x->blank_at == UINT64_MAX) x->blank_at = x->in.at - x->blanks;
        x->blanks = 0;
        x->after_cr = c == '\r';
        x->in.at++;
        return AGAIN;
    }
    x->after_frame = false;
    if (c == FRAME_BEGIN) return begin_frame(x);
    if (c == FRAME_END) return end_frame(x);
    if (c != ' ' && c != '\t') return GOT;
    x->blanks++;
    x->in.at++;
    return AGAIN;
}

/* The line that begins at `at` and ends behind `length` bytes, with its ADD segments, becomes the one at hand. */
static enum got take_line(struct hl7 *x, const uint8_t *bytes, size_t length, size_t size)
{
    bool ended = length < size && ends_line(bytes[length]), add = false;
    if (ended && x->in_message) {
        enum got got = look_ahead(x, bytes, length, size, &add);
        if (got != GOT) {
            x->searched = length;
            return got;
        }
    }
    if (x->joining || add) {
        if (!join(x, bytes, length, x->in.at)) return broken(x);
    }
    uint64_t at = x->joining || add ? x->line_at : x->in.at;
    if (!x->joining && !add) x->joint_count = 0;
    x->in.at += length + ended;
    x->after_cr = ended && bytes[length] == '\r';
    x->ended_by = ended ? bytes[length] : 0;
    x->searched = 0;
    if (add) {
        x->joining = true;
        return AGAIN;
    }
    if (x->joining)
        set_line(x, (const uint8_t *)x->joined.bytes, x->joined.length, at);
    else
        set_line(x, bytes, length, at);
    x->joining = false;
    return GOT;
}

/* The next line. GOT: it is at hand. */
static enum got next_line(struct hl7 *x)
{
    for (;;) {
        size_t         size;
        const uint8_t *bytes = view(x, &size);
        if (size == 0) {
            enum got got = more(x);
            if (got != GOT) return got;
            continue;
        }
        if (x->searched == 0) {
            enum got got = take_edge(x, bytes[0]);
            if (got == AGAIN && x->queue_count == 0) continue;
            if (got != GOT) return got;
        }
        size_t end = x->kernel->control(bytes, x->searched, size);
        while (end < size && !ends_line(bytes[end])) {
            if (bytes[end] == FRAME_END) {
                if (x->in_frame || (end + 1 < size && ends_line(bytes[end + 1])) || (end + 1 == size && is_all(x))) break;
                if (end + 1 == size) goto wider;
            }
            if (bytes[end] == FRAME_BEGIN && !x->in_message) break; /* behind noise */
            end = x->kernel->control(bytes, end + 1, size);
        }
        if (end + (x->joining ? x->joined.length : 0) > x->options.max_segment_bytes)
            return x->joining ? pass_over(x, (const uint8_t *)x->joined.bytes, x->joined.length) : pass_over(x, bytes, end);
        if (end < size || is_all(x)) {
            enum got got = take_line(x, bytes, end, size);
            if (got == AGAIN) continue;
            return got;
        }
    wider:
        x->searched = end < size ? end : size;
        enum got got = more(x);
        if (got != GOT && got != AT_END) return got;
    }
}

/* ---- messages ---- */

static void push_loop(struct hl7 *x, shunt_step step, uint16_t loop, uint64_t end)
{
    struct pending *p = push(x, step);
    p->index = loop;
    p->end = end;
}

/* Are segments shown? */
static bool shows(const struct hl7 *x) { return x->options.display || x->options.segments; }

/* Puts the segment at its place in the message and makes its values ready. */
static uint16_t land(struct hl7 *x, bool learn)
{
    uint16_t      open[SHUNT_WALK_DEPTH], depth = x->walk.depth, from = x->walk.last_node;
    shunt_landing landing;
    memcpy(open, x->walk.loops, sizeof open);
    shunt_walk_segment(&x->walk, &x->segment, &x->delims, &landing);
    if (learn) { /* steps of HL7 have no qualifier but the id */
        x->offsets[0] = 0;
        x->offsets[1] = 4;
        shunt_walk_learn(&x->walk, from, &x->segment, &x->delims, &landing);
    }
    for (uint16_t i = 0; i < landing.leave; i++) push_loop(x, SHUNT_STEP_LEAVE, open[depth - 1 - i], x->previous_end);
    for (uint16_t i = 0; i < landing.enter_count; i++) push_loop(x, SHUNT_STEP_ENTER, landing.enter[i], x->in.at);
    if (landing.node == SHUNT_NONE && x->segment.id >> 56 != 'Z') warn(x, SHUNT_HL7_UNKNOWN_SEGMENT);
    /* Sites put their own segments anywhere behind the one that they belong to. */
    if (landing.out_of_order && x->segment.id >> 56 != 'Z') warn(x, SHUNT_HL7_ORDER);
    if (landing.orphan) warn(x, SHUNT_HL7_MISSING_PARENT);
    if (landing.too_many) warn(x, SHUNT_HL7_REPEATS);
    return landing.node;
}

static void show_segment(struct hl7 *x, uint16_t node)
{
    if (!shows(x)) return;
    struct pending *p = push(x, SHUNT_STEP_SEGMENT);
    p->index = node;
    p->segment = true;
}

/* The segment is complete: its values come next. */
static void take_values(struct hl7 *x, uint16_t node)
{
    if (shows(x)) {
        index_fields(x, SHUNT_HL7_FIELDS);
        x->offsets[x->segment.elements + 1] = x->size + 1;
    }
    show_segment(x, node);
    x->take = x->take_end = x->want = 0;
    x->each_begun = x->each_open = false;
    x->fill = NEVER;
    if (node == SHUNT_NONE) return;
    const shunt_hl7_node *n = &x->wants.nodes[node];
    if (n->take_count == 0) return;
    if (!shows(x)) index_fields(x, n->last);
    if (x->fills) x->fill = x->fills[node];
    x->take = n->take_first;
    x->take_end = n->take_first + n->take_count;
}

static void end_message(struct hl7 *x, shunt_step step)
{
    if (!x->in_message) return;
    uint64_t end = x->previous_end;
    if (x->guide != SHUNT_NONE && step == SHUNT_STEP_FINISH)
        for (; x->walk.depth > 1; x->walk.depth--) push_loop(x, SHUNT_STEP_LEAVE, x->walk.loops[x->walk.depth - 1], end);
    struct pending *p = push(x, step);
    p->end = end;
    p->place.byte = end;
    p->place.length = 0;
    x->in_message = x->steps = false;
    x->guide = SHUNT_NONE;
    x->strict = x->all_strict;
    x->blank_at = UINT64_MAX;
}

static void end_batch(struct hl7 *x)
{
    if (!x->in_batch) return;
    warn(x, SHUNT_HL7_NO_BTS);
    push_scope(x, SHUNT_STEP_ABANDON, SHUNT_SCOPE_BATCH, false);
    x->in_batch = false;
}

static void end_file(struct hl7 *x)
{
    if (!x->in_file) return;
    warn(x, SHUNT_HL7_NO_FTS);
    push_scope(x, SHUNT_STEP_ABANDON, SHUNT_SCOPE_INTERCHANGE, false);
    x->in_file = false;
}

static enum got begin_frame(struct hl7 *x)
{
    set_nothing(x);
    end_message(x, SHUNT_STEP_FINISH);
    if (x->in_frame && !x->frame_told) {
        warn(x, SHUNT_HL7_FRAME);
        x->frame_told = true;
    }
    x->in_frame = true;
    x->in.at++;
    return AGAIN;
}

static enum got end_frame(struct hl7 *x)
{
    set_nothing(x);
    end_message(x, SHUNT_STEP_FINISH);
    if (!x->in_frame && !x->frame_told) {
        warn(x, SHUNT_HL7_FRAME);
        x->frame_told = true;
    }
    x->in_frame = false;
    x->after_frame = true;
    x->in.at++;
    return AGAIN;
}

/* The separators of the header at hand. False: they can not be read. */
static bool read_delims(struct hl7 *x, bool *broken_msh2)
{
    shunt_delims delims = x->known.delims;
    *broken_msh2 = false;
    if (!x->known.head || x->size <= x->known.head || memcmp(x->bytes, x->known.bytes, x->known.head) != 0) {
        delims = (shunt_delims){ 0 };
        x->known.head = 0;
    }
    if (!x->known.head && !shunt_hl7_delims_read(x->bytes, x->size, &delims, broken_msh2)) {
        fault_at(x, SHUNT_HL7_DELIMITERS, x->line_at, x->size < 4 ? x->size : 4);
        x->quiet = true;
        return false;
    }
    delims.terminator = x->ended_by ? x->ended_by : '\r';
    if (delims.element != x->delims.element) shunt_walk_separators(&x->walk); /* it ends the bytes that a step is guessed by */
    x->delims = delims;
    set_signs(x);
    x->header = true;
    x->quiet = x->stray = x->noise = false;
    index_fields(x, shows(x) ? SHUNT_HL7_FIELDS : HEADER_FIELDS);
    if (shows(x)) x->offsets[x->segment.elements + 1] = x->size + 1;
    x->segment.id = ID(x->bytes[0], x->bytes[1], x->bytes[2]);
    return true;
}

static enum got open_scope(struct hl7 *x, shunt_scope scope)
{
    bool broken_msh2;
    end_message(x, SHUNT_STEP_FINISH);
    end_batch(x);
    if (scope == SHUNT_SCOPE_INTERCHANGE) end_file(x);
    x->charset = (shunt_hl7_charset){ 0 };
    if (!read_delims(x, &broken_msh2)) return AGAIN;
    x->set.length = x->version.length = 0;
    x->known_told = false;
    read_field(x, 11, 0, &x->control);
    read_party(x, 3, &x->sender);
    read_party(x, 5, &x->receiver);
    if (scope == SHUNT_SCOPE_INTERCHANGE) {
        x->in_file = true;
        x->batch_count = 0;
    } else {
        x->in_batch = true;
        x->batch_count++;
        x->message_count = 0;
    }
    push_scope(x, SHUNT_STEP_BEGIN, scope, true);
    if (broken_msh2) warn(x, SHUNT_HL7_MSH2);
    show_segment(x, SHUNT_NONE);
    return x->decoded.failed ? broken(x) : AGAIN;
}

/* BTS-1 and FTS-1. */
static void compare_count(struct hl7 *x, uint64_t counted, shunt_status code, const char *name)
{
    struct field declared;
    uint64_t     number = 0;
    read_field(x, 1, 0, &declared);
    if (!declared.length) return;
    bool is_number = declared.length < 18;
    for (unsigned i = 0; i < declared.length && is_number; i++) {
        is_number = declared.bytes[i] >= '0' && declared.bytes[i] <= '9';
        number = number * 10 + (uint64_t)(declared.bytes[i] - '0');
    }
    if (is_number && number == counted) return;
    char words[DETAIL];
    if (is_number)
        snprintf(words, sizeof words, "%s is %llu, read %llu", name, (unsigned long long)number, (unsigned long long)counted);
    else
        snprintf(words, sizeof words, "%s is no number, read %llu", name, (unsigned long long)counted);
    struct pending *p = forgive(x, x->strict, code, words);
    p->place = place_of(x, field_range(x, 1), 1, 0);
}

static enum got close_scope(struct hl7 *x, shunt_scope scope)
{
    end_message(x, SHUNT_STEP_FINISH);
    bool *open = scope == SHUNT_SCOPE_BATCH ? &x->in_batch : &x->in_file;
    if (scope == SHUNT_SCOPE_INTERCHANGE && *open) end_batch(x);
    x->stray = x->noise = x->quiet = false;
    if (x->size > 3) x->delims.element = x->bytes[3];
    set_signs(x);
    index_fields(x, shows(x) ? SHUNT_HL7_FIELDS : HEADER_FIELDS);
    if (shows(x)) x->offsets[x->segment.elements + 1] = x->size + 1;
    if (!*open) {
        warn(x, SHUNT_HL7_MISPLACED);
        show_segment(x, SHUNT_NONE);
        return AGAIN;
    }
    compare_count(x, scope == SHUNT_SCOPE_BATCH ? x->message_count : x->batch_count,
                  scope == SHUNT_SCOPE_BATCH ? SHUNT_HL7_BTS01 : SHUNT_HL7_FTS01, scope == SHUNT_SCOPE_BATCH ? "BTS-1" : "FTS-1");
    show_segment(x, SHUNT_NONE);
    push_scope(x, SHUNT_STEP_FINISH, scope, true);
    *open = false;
    return x->decoded.failed ? broken(x) : AGAIN;
}

enum { MSH_3 = 2, MSH_7 = 6, MSH_9 = 8, MSH_10 = 9, MSH_12 = 11 /* as elements of the line */ };

/* The parts of the header at hand that are compared. False: it is too long or too short for that. */
static bool known_ranges(const struct hl7 *x, shunt_range ranges[3])
{
    const uint32_t *o = x->offsets;
    if (x->segment.elements < MSH_12 || x->size > KNOWN) return false;
    ranges[0] = (shunt_range){ o[MSH_3], o[MSH_7] };
    ranges[1] = (shunt_range){ o[MSH_9], o[MSH_10] };
    ranges[2] = (shunt_range){ o[MSH_12], x->size };
    return true;
}

/* Does the header say the same as the last one without faults, but for its time and numbers? */
static bool is_known(const struct hl7 *x)
{
    const struct known *k = &x->known;
    const uint8_t      *at = k->bytes + k->head;
    const uint16_t      lengths[3] = { k->parties, k->type, k->rest };
    shunt_range         ranges[3];
    if (!k->head || !known_ranges(x, ranges)) return false;
    for (unsigned i = 0; i < 3; at += lengths[i++])
        if (ranges[i].end - ranges[i].begin != lengths[i] || memcmp(x->bytes + ranges[i].begin, at, lengths[i]) != 0)
            return false;
    return true;
}

/* Keeps what the header at hand said. */
static void note_known(struct hl7 *x)
{
    struct known *k = &x->known;
    shunt_range   ranges[3];
    uint16_t     *lengths[3] = { &k->parties, &k->type, &k->rest };
    k->head = 0;
    if (!known_ranges(x, ranges)) return;
    uint16_t used = (uint16_t)x->offsets[MSH_3];
    memcpy(k->bytes, x->bytes, used);
    for (unsigned i = 0; i < 3; i++) {
        *lengths[i] = (uint16_t)(ranges[i].end - ranges[i].begin);
        memcpy(k->bytes + used, x->bytes + ranges[i].begin, *lengths[i]);
        used = (uint16_t)(used + *lengths[i]);
    }
    k->head = (uint16_t)x->offsets[MSH_3];
    k->guide = x->guide;
    k->delims = x->delims;
    k->charset = x->charset;
    k->set = x->set;
    k->version = x->version;
    k->sender = x->sender;
    k->receiver = x->receiver;
    k->strict = x->strict;
    k->cleared_absent = x->cleared_absent;
}

/* The same header again. */
static void take_known(struct hl7 *x)
{
    const struct known *k = &x->known;
    x->guide = k->guide;
    x->charset = k->charset;
    if (!x->known_told) {
        x->set = k->set;
        x->version = k->version;
        x->sender = k->sender;
        x->receiver = k->receiver;
        x->known_told = true;
    }
    x->strict = k->strict;
    x->cleared_absent = k->cleared_absent;
    push_scope(x, SHUNT_STEP_BEGIN, SHUNT_SCOPE_TRANSACTION, true);
    if (x->guide == SHUNT_NONE)
        fault(x, SHUNT_HL7_UNMAPPED);
    else if (!x->control.length)
        warn(x, SHUNT_HL7_NO_CONTROL);
}

/* Which guide the message follows, and what is wrong with its header. */
static void choose_guide(struct hl7 *x, bool broken_msh2)
{
    struct field type, event, structure, charset;
    char         words[DETAIL], out[32];
    bool         exact;
    read_field(x, 9, 1, &type);
    read_field(x, 9, 2, &event);
    read_field(x, 9, 3, &structure);
    read_field(x, 12, 1, &x->version);
    read_party(x, 3, &x->sender);
    read_party(x, 5, &x->receiver);
    x->set = type;
    if (event.length && type.length + 1u + event.length <= FIELD) {
        x->set.bytes[x->set.length++] = '^';
        memcpy(x->set.bytes + x->set.length, event.bytes, event.length);
        x->set.length = (uint8_t)(x->set.length + event.length);
    }
    x->guide = shunt_hl7_guide(x->plan, text_of(&type), text_of(&event), text_of(&structure), text_of(&x->version), &exact);
    const shunt_plan_source *source =
        x->guide != SHUNT_NONE ? &x->plan->sources[x->plan->guides[x->guide].source] : &(shunt_plan_source){ 0 };
    x->strict = source->strict;
    x->cleared_absent = source->cleared_absent;
    push_scope(x, SHUNT_STEP_BEGIN, SHUNT_SCOPE_TRANSACTION, true);
    if (broken_msh2) warn(x, SHUNT_HL7_MSH2);
    if (!x->set.length)
        fault(x, SHUNT_HL7_NO_TYPE)->place = place_of(x, field_range(x, 9), 9, 0);
    else if (x->guide == SHUNT_NONE)
        fault(x, SHUNT_HL7_UNMAPPED);
    if (x->guide != SHUNT_NONE && !exact) {
        snprintf(words, sizeof words, "%s, read as %.*s", x->version.length ? shown(&x->version, out) : "none",
                 SHUNT_TEXT_ARGS(x->plan->texts[x->plan->guides[x->guide].version]));
        forgive(x, x->strict, SHUNT_HL7_VERSION, words)->place = place_of(x, field_range(x, 12), 12, 0);
    }
    if (x->guide != SHUNT_NONE && !x->control.length) warn(x, SHUNT_HL7_NO_CONTROL);
    x->charset = (shunt_hl7_charset){ 0 };
    read_field(x, 18, 0, &charset);
    x->charset = shunt_hl7_charset_find(text_of(&charset));
    if (x->guide == SHUNT_NONE || (x->charset.set != HL7_SET_REFUSED && !x->charset.loose)) return;
    bool            refused = x->charset.set == HL7_SET_REFUSED;
    struct pending *p =
        forgive(x, x->strict && !refused, refused ? SHUNT_HL7_CHARSET : SHUNT_HL7_CHARSET_NAME, shown(&charset, out));
    p->place = place_of(x, field_range(x, 18), 18, 0);
}

/* The first step of a message, remembered if it was taken before. */
static uint16_t land_header(struct hl7 *x)
{
    const shunt_walk_place place = { .id = x->segment.id };
    const shunt_walk_step *step = shunt_walk_find(&x->walk, &place, place.id);
    if (!step || step->moves) return land(x, true);
    uint32_t repeat = shunt_walk_repeat(&x->walk, step, x->walk.last_repeats);
    if (repeat > step->most) return land(x, true);
    shunt_walk_take(&x->walk, step, repeat);
    return step->node;
}

static enum got open_message(struct hl7 *x)
{
    bool broken_msh2;
    end_message(x, SHUNT_STEP_FINISH);
    x->charset = (shunt_hl7_charset){ 0 };
    if (!read_delims(x, &broken_msh2)) return AGAIN;
    x->in_message = true;
    x->message_count++;
    x->number = x->segment.number = 1;
    x->charset_told = x->blank_told = x->length_told = false;
    x->repetitions_told = 0;
    x->blank_at = UINT64_MAX;
    x->previous_end = x->in.at;
    read_field(x, 10, 0, &x->control);
    if (is_known(x)) {
        take_known(x);
    } else {
        uint32_t before = x->queue_count;
        choose_guide(x, broken_msh2);
        bool clean = x->queue_count - before == (x->guide == SHUNT_NONE ? 2u : 1u) && x->set.length && !broken_msh2;
        x->known.head = 0;
        x->known_told = false;
        if (clean) note_known(x);
    }
    if (x->decoded.failed) return broken(x);
    uint16_t node = SHUNT_NONE;
    if (x->guide != SHUNT_NONE) {
        shunt_walk_again(&x->walk, x->plan, x->guide);
        node = land_header(x);
    }
    x->steps = x->guide != SHUNT_NONE && !shows(x) && x->charset.set != HL7_SET_REFUSED;
    take_values(x, x->charset.set == HL7_SET_REFUSED && !x->options.display ? SHUNT_NONE : node);
    return AGAIN;
}

/* The id of the line, upper case; 0 where it is none. */
static uint64_t read_id(struct hl7 *x, bool *lower)
{
    uint8_t id[3];
    *lower = false;
    if (x->size < 3 || (x->size > 3 && x->bytes[3] != x->delims.element)) return 0;
    for (unsigned i = 0; i < 3; i++) {
        uint8_t c = x->bytes[i];
        if (!is_alnum(c) || (i == 0 && c <= '9')) return 0;
        *lower = *lower || c >= 'a';
        id[i] = c >= 'a' ? (uint8_t)(c - 32) : c;
    }
    return ID(id[0], id[1], id[2]);
}

/* Warnings about how a segment stands in its message. */
static void check_line(struct hl7 *x, bool lower)
{
    if (x->blank_at != UINT64_MAX && !x->blank_told) {
        struct pending *p = warn(x, SHUNT_HL7_BLANK_LINE);
        p->place.byte = x->blank_at;
        p->place.length = 0;
        x->blank_told = true;
    }
    x->blank_at = UINT64_MAX;
    if (x->blanks) {
        struct pending *p = warn(x, SHUNT_HL7_LEADING_BLANKS);
        p->place.byte = x->line_at - x->blanks;
        p->place.length = x->blanks > UINT32_MAX ? UINT32_MAX : (uint32_t)x->blanks;
    }
    if (lower) warn(x, SHUNT_HL7_SEGMENT_CASE);
}

/* Sites give their Z-segments longer names than the standard lets them: nothing of others can be behind such an id. */
static bool is_site_id(const struct hl7 *x)
{
    enum { LONGEST = 8 };
    uint32_t length = 0;
    while (length < x->size && length <= LONGEST && is_alnum(x->bytes[length])) length++;
    return length > 3 && length <= LONGEST && x->bytes[0] == 'Z' && length < x->size && x->bytes[length] == x->delims.element;
}

static enum got inside_message(struct hl7 *x)
{
    bool     lower;
    uint64_t id = read_id(x, &lower);
    uint16_t node = SHUNT_NONE;
    x->segment.number = ++x->number;
    x->segment.id = id;
    if (!id && is_site_id(x)) {
        warn(x, SHUNT_HL7_UNKNOWN_SEGMENT);
        x->previous_end = x->in.at;
        take_values(x, SHUNT_NONE);
        return AGAIN;
    }
    if (!id) {
        fault(x, SHUNT_HL7_SEGMENT_ID);
        x->previous_end = x->in.at;
        take_values(x, SHUNT_NONE);
        return AGAIN;
    }
    check_line(x, lower);
    if (x->guide != SHUNT_NONE) {
        bool dsc = id == ID('D', 'S', 'C');
        if (dsc && x->size > 4 && x->bytes[4] != x->delims.element) warn(x, SHUNT_HL7_CONTINUED);
        node = land(x, !lower && !dsc && x->size > 3);
    }
    if (x->charset.set == HL7_SET_REFUSED && !x->options.display) node = SHUNT_NONE;
    x->previous_end = x->in.at;
    take_values(x, node);
    return AGAIN;
}

/* Three signs of an id, and one that can separate. */
static bool looks_like_segment(const uint8_t *bytes, size_t size)
{
    return size >= 4 && is_alnum(bytes[0]) && bytes[0] >= 'A' && is_alnum(bytes[1]) && is_alnum(bytes[2]) &&
           shunt_hl7_delimiter(bytes[3]);
}

/* A line outside of any message. */
static enum got outside(struct hl7 *x)
{
    bool lower, segment = looks_like_segment(x->bytes, x->size) || read_id(x, &lower);
    if (segment && !x->stray && !x->quiet) fault(x, SHUNT_HL7_STRAY);
    if (!segment && !x->stray && !x->noise && !x->quiet) warn(x, SHUNT_HL7_TEXT);
    x->stray |= segment;
    x->noise |= !segment;
    take_values(x, SHUNT_NONE);
    return AGAIN;
}

/* MSH, FHS or BHS: an id and a byte that can separate, or nothing. */
static bool is_header(const uint8_t *bytes, size_t size)
{
    if (size < 3 || (size > 3 && is_alnum(bytes[3]))) return false;
    return memcmp(bytes, "MSH", 3) == 0 || memcmp(bytes, "FHS", 3) == 0 || memcmp(bytes, "BHS", 3) == 0;
}

static enum got process(struct hl7 *x)
{
    const uint8_t *b = x->bytes;
    enum got       got;
    if (is_header(b, x->size)) {
        got = b[0] == 'M' ? open_message(x) : open_scope(x, b[0] == 'B' ? SHUNT_SCOPE_BATCH : SHUNT_SCOPE_INTERCHANGE);
    } else if (x->size >= 3 && b[1] == 'T' && b[2] == 'S' && (b[0] == 'B' || b[0] == 'F') &&
               (x->size == 3 || shunt_hl7_delimiter(b[3]))) {
        got = close_scope(x, b[0] == 'B' ? SHUNT_SCOPE_BATCH : SHUNT_SCOPE_INTERCHANGE);
    } else {
        got = x->in_message ? inside_message(x) : outside(x);
    }
    x->blanks = 0;
    return got;
}

/* A segment that is longer than the limit: no loss where nothing of it is demanded. */
static enum got pass_over(struct hl7 *x, const uint8_t *bytes, size_t size)
{
    bool lower, demanded = false;
    if (!x->joining) x->joint_count = 0;
    set_line(x, bytes, size < 4 ? size : 4, x->joining ? x->line_at : x->in.at);
    uint64_t id = read_id(x, &lower);
    bool     header = is_header(bytes, x->size);
    if (header) end_message(x, SHUNT_STEP_FINISH);
    if (x->in_message) {
        x->segment.number = ++x->number;
        x->segment.id = id;
        if (x->guide != SHUNT_NONE && id) {
            uint16_t node = land(x, false);
            demanded = node != SHUNT_NONE && x->wants.nodes[node].take_count > 0;
        }
    }
    x->size = 0;
    if (header || demanded || shows(x)) {
        char words[DETAIL];
        snprintf(words, sizeof words, "the limit is %zu bytes", x->options.max_segment_bytes);
        detail(x, fault(x, SHUNT_HL7_SEGMENT_LENGTH), "%s", words);
        x->quiet = x->quiet || header;
    }
    x->blanks = 0;
    x->joining = false;
    x->searched = 0;
    x->state = SKIP;
    return AGAIN;
}

static enum got skip(struct hl7 *x)
{
    for (;;) {
        size_t         size;
        const uint8_t *bytes = view(x, &size);
        size_t         end = x->kernel->control(bytes, 0, size);
        while (end < size && !ends_line(bytes[end]) && !(bytes[end] == FRAME_END && x->in_frame) &&
               !(bytes[end] == FRAME_BEGIN && !x->in_message))
            end = x->kernel->control(bytes, end + 1, size);
        x->in.at += end;
        if (end < size) {
            if (ends_line(bytes[end])) x->in.at++;
            x->after_cr = bytes[end] == '\r';
            x->previous_end = x->in.at;
            x->state = LINES;
            return AGAIN;
        }
        enum got got = more(x);
        if (got != GOT) return got;
    }
}

/* ---- values ---- */

/* A value of the repetition, ready to be shown. False: it is absent, or a fault is told instead of it. */
static __attribute__((noinline)) bool make_value(struct hl7 *x, const shunt_hl7_want *want, shunt_range range)
{
    const shunt_delims *d = &x->delims;
    bool                raw = x->header && want->field <= 2, cleared = is_null(x, range);
    if (!cleared && !raw && want->component) {
        range = part_of(x, range, d->component, want->component);
        cleared = is_null(x, range);
        if (!cleared && want->subcomponent) {
            range = part_of(x, range, d->subcomponent, want->subcomponent);
            cleared = is_null(x, range);
        }
    }
    if (!raw && !want->subcomponent) /* separators at the end separate nothing */
        while (range.end > range.begin && ((d->subcomponent && x->bytes[range.end - 1] == d->subcomponent) ||
                                           (!want->component && d->component && x->bytes[range.end - 1] == d->component)))
            range.end--;
    if (range.end <= range.begin || (cleared && x->cleared_absent)) return false;
    x->slot = want->slot;
    x->cleared = cleared;
    x->value = (shunt_text){ 0 };
    x->value_place = place_of(x, range, want->field, want->component);
    if (cleared) return true;
    if (!raw && !d->truncation && is_plain(x, range)) {
        x->value = (shunt_text){ (const char *)x->bytes + range.begin, range.end - range.begin };
        return true;
    }
    shunt_delims unescaped = *d;
    if (raw) unescaped.escape = unescaped.truncation = 0;
    shunt_hl7_decoded decoded =
        shunt_hl7_decode(x->bytes + range.begin, range.end - range.begin, &unescaped, x->charset, &x->decoded, &x->value);
    if (x->decoded.failed) {
        broken(x);
        return false;
    }
    if (decoded == HL7_DECODED_BAD) {
        fault(x, SHUNT_HL7_BYTES)->place = x->value_place;
        return false;
    }
    if (decoded == HL7_DECODED_ASSUMED && !x->charset_told) {
        warn(x, SHUNT_HL7_CHARSET_ASSUMED)->place = x->value_place;
        x->charset_told = true;
    }
    if (unescaped.truncation && x->bytes[range.end - 1] == unescaped.truncation)
        warn(x, SHUNT_HL7_TRUNCATION)->place = x->value_place;
    return x->value.length > 0;
}

static shunt_step show_value(struct hl7 *x, shunt_event *event);

/* The usual value: bytes that stand for themselves, all of their field or repetition. */
static inline void show_plain(const struct hl7 *x, const shunt_hl7_want *want, shunt_range range, shunt_event *event)
{
    uint32_t length = range.end - range.begin;
    event->step = SHUNT_STEP_VALUE;
    event->scope = SHUNT_SCOPE_TRANSACTION;
    event->guide = x->guide;
    event->loop = event->node = SHUNT_NONE;
    event->slot = want->slot;
    event->segment = NULL;
    event->value = (shunt_text){ (const char *)x->bytes + range.begin, length };
    event->cleared = false;
    event->code = SHUNT_OK;
    event->place = (shunt_place){ .byte = x->line_at + range.begin,
                                  .length = length,
                                  .segment = x->number,
                                  .element = want->field,
                                  .component = want->component };
    event->detail = (shunt_text){ 0 };
    event->end = x->in.at;
}

/* Does more than one repetition of a field hold something? */
static bool repeats(const struct hl7 *x, shunt_range field)
{
    uint8_t        separator = x->delims.repetition;
    const uint8_t *at = separator ? memchr(x->bytes + field.begin, separator, field.end - field.begin) : NULL;
    while (at && at < x->bytes + field.end && *at == separator) at++;
    return at && at < x->bytes + field.end;
}

enum found { FOUND, NOTHING, HARD /* there is more to it than the bytes, or nobody has looked for its marks */ };

/* The part of a field that is wanted, where something in it separates or escapes: one look at each of these bytes. `each`: the range is a
 * repetition. */
static enum found find_part(const struct hl7 *x, const shunt_hl7_want *want, bool each, shunt_range *range, uint32_t odd)
{
    const shunt_delims *d = &x->delims;
    uint32_t            end = range->end;
    unsigned            repetition = each ? want->repetition : 1, component = 1, subcomponent = 1;
    if (!want->component) return HARD;
    for (; odd < end; odd = odd + 1 < end ? next_odd(x, odd + 1, end) : end) {
        uint8_t c = x->bytes[odd];
        bool    here = repetition == want->repetition && component == want->component;
        if (c == d->subcomponent) {
            if (here && (!want->subcomponent || subcomponent == want->subcomponent)) break;
            subcomponent++;
        } else if (c == d->component) {
            if (here) break;
            component++;
            subcomponent = 1;
        } else if (c == d->repetition && !each) {
            if (here || repetition == want->repetition) break;
            repetition++;
            component = subcomponent = 1;
        } else {
            if (here && (!want->subcomponent || subcomponent == want->subcomponent)) return HARD;
            continue;
        }
        range->begin = odd + 1;
    }
    if (repetition != want->repetition || component != want->component) return NOTHING;
    if (!want->subcomponent) {
        if (odd < end && x->bytes[odd] == d->subcomponent) return HARD; /* it is the whole component */
    } else if (subcomponent != want->subcomponent) {
        return NOTHING;
    }
    range->end = odd;
    return odd == range->begin ? NOTHING : x->bytes[range->begin] == '"' ? HARD : FOUND;
}

/* Finds what is wanted in a field or repetition that holds something without looking at what it says. */
static inline enum found find_plain(const struct hl7 *x, const shunt_hl7_want *want, bool each, shunt_range *range)
{
    if (SHUNT_UNLIKELY(range->end > x->marked || x->bytes[range->begin] == '"')) return HARD;
    uint32_t odd = next_odd(x, range->begin, range->end);
    if (SHUNT_LIKELY(odd == range->end))
        return want->first || (each && want->component <= 1 && want->subcomponent <= 1) ? FOUND : NOTHING;
    if (SHUNT_UNLIKELY(x->repeated && want->only && !each && repeats(x, *range))) return HARD;
    return find_part(x, want, each, range, odd);
}

/* Of a field that stands once the first repetition is read; that there are others is said once. */
static void tell_repetitions(struct hl7 *x, const shunt_hl7_want *want, shunt_range field)
{
    uint64_t here = (uint64_t)x->number << 16 | want->field;
    if (x->repetitions_told == here || !repeats(x, field)) return;
    x->repetitions_told = here;
    warn(x, SHUNT_HL7_REPETITIONS)->place = place_of(x, field, want->field, 0);
}

/* The value of a want that is more than the bytes of its field, or faults in its place or about it, which wait. False: it is absent. */
static __attribute__((noinline)) bool make_hard(struct hl7 *x, const shunt_hl7_want *want, shunt_range range, bool each)
{
    bool raw = x->header && want->field <= 2;
    if (want->only && !each && !raw) tell_repetitions(x, want, range);
    if (!each && !raw) range = part_of(x, range, x->delims.repetition, want->repetition);
    if (make_value(x, want, range)) return true;
    x->slot = SHUNT_NONE; /* a fault in its place */
    return false;
}

/* Is there more to all values of the segment than their bytes? */
static inline bool is_told(const struct hl7 *x) { return x->header || x->delims.truncation || x->joint_count; }

/* The next value of the wants from `x->want` on, or a fault in its place. `each`: all are of this repetition. False: there is
 * no more. */
static bool next_want(struct hl7 *x, const shunt_hl7_take *take, const shunt_range *each, shunt_event *event)
{
    const bool told = is_told(x);
    while (x->want < take->want_count) {
        const shunt_hl7_want *want = &x->wants.wants[take->want_first + x->want++];
        shunt_range           range = each ? *each : field_range(x, want->field), plain = range;
        if (range.begin >= range.end) continue;
        enum found found = told ? HARD : find_plain(x, want, each != NULL, &plain);
        if (found == NOTHING) continue;
        if (found == FOUND) {
            show_plain(x, want, plain, event);
            return true;
        }
        if (!make_hard(x, want, range, each != NULL) && !x->queue_count && x->state != FAILED) continue;
        show_value(x, event);
        return true;
    }
    return false;
}

/* The next repetition of the field that holds anything. */
static bool next_repetition(struct hl7 *x, const shunt_hl7_take *take)
{
    if (!x->each_begun) {
        shunt_range field = field_range(x, take->field);
        x->each = (shunt_range){ field.begin, field.begin };
        x->each_end = field.end;
        x->each_begun = true;
    } else {
        x->each.begin = x->each.end + 1;
    }
    while (x->each.begin < x->each_end) {
        x->each = part_of(x, (shunt_range){ x->each.begin, x->each_end }, x->delims.repetition, 1);
        if (x->each.end > x->each.begin) return true;
        x->each.begin = x->each.end + 1;
    }
    return false;
}

static shunt_step show_loop(struct hl7 *x, shunt_step step, uint16_t loop, shunt_range range, shunt_event *event);

/* The next event of the values of the segment at hand. False: there is none. */
static bool next_value(struct hl7 *x, shunt_event *event)
{
    for (; x->take < x->take_end; x->take++, x->want = 0) {
        const shunt_hl7_take *take = &x->wants.takes[x->take];
        shunt_range           whole = { 0, x->size };
        switch (take->kind) {
        case HL7_TAKE_ENTER:
        case HL7_TAKE_LEAVE:
            show_loop(x, take->kind == HL7_TAKE_ENTER ? SHUNT_STEP_ENTER : SHUNT_STEP_LEAVE, take->loop, whole, event);
            x->take++;
            x->want = 0;
            return true;
        case HL7_TAKE_VALUES:
            if (!next_want(x, take, NULL, event)) break;
            return true;
        default:
            if (x->each_open) {
                if (next_want(x, take, &x->each, event)) return true;
                x->each_open = false;
                show_loop(x, SHUNT_STEP_LEAVE, take->loop, x->each, event);
                return true;
            }
            x->each_open = next_repetition(x, take);
            if (x->each_open) {
                x->want = 0;
                show_loop(x, SHUNT_STEP_ENTER, take->loop, x->each, event);
                return true;
            }
            x->each_begun = false;
            break;
        }
    }
    return false;
}

/* ---- the ends of the input ---- */

static void note_text(struct hl7 *x, const uint8_t *bytes, size_t size)
{
    bool line = x->before == 0 || ends_line(x->before) || x->before == FRAME_BEGIN || x->before == FRAME_END;
    if (line && !x->text_segments && size > 3 && bytes[3] == '|' && looks_like_segment(bytes, size)) {
        x->text_segments = x->text_met = true;
        x->text_at = x->in.at;
    }
    uint8_t c = bytes[0];
    if (x->text_met || c <= ' ') return;
    x->text_met = true;
    x->text_at = x->in.at;
}

static enum got no_header(struct hl7 *x)
{
    fault_at(x, SHUNT_HL7_NO_MSH, x->text_met ? x->text_at : x->in.at, 0);
    x->state = OVER;
    return AGAIN;
}

static enum got found_header(struct hl7 *x)
{
    set_nothing(x);
    x->any_header = true;
    x->state = LINES;
    x->strict = x->all_strict;
    if (!x->text_met) return AGAIN;
    struct pending *p = x->text_segments ? fault(x, SHUNT_HL7_STRAY) : warn(x, SHUNT_HL7_LEADING_TEXT);
    p->place.byte = x->text_at;
    p->place.length = (uint32_t)(x->in.at - x->text_at);
    return AGAIN;
}

/* Does a message begin with these bytes? At the head of a line an id and the usual separator say so; else no word may follow. */
static bool begins_here(const uint8_t *bytes, size_t size, uint8_t before)
{
    bool line = before == 0 || ends_line(before) || before == FRAME_BEGIN;
    if (!is_header(bytes, size) || is_alnum(before)) return false;
    if (size < 4 || ends_line(bytes[3])) return true;
    if (!shunt_hl7_delimiter(bytes[3])) return false;
    return size == 4 || (bytes[4] != ' ' && ((line && bytes[3] == '|') || !is_alnum(bytes[4])));
}

/* Looks for the first header. */
static enum got seek(struct hl7 *x)
{
    static const uint8_t mark[3] = { 0xef, 0xbb, 0xbf };
    enum { LOOK = 5 };
    for (;;) {
        size_t         size;
        const uint8_t *bytes = view(x, &size);
        if (size < LOOK && !is_all(x)) {
            enum got got = more(x);
            if (got != GOT) return got;
            continue;
        }
        if (size == 0) return AT_END;
        if (x->in.at > x->options.max_leading_bytes) return no_header(x);
        if (x->in.at == 0 && size >= 3 && memcmp(bytes, mark, 3) == 0) {
            set_nothing(x);
            struct pending *p = forgive(x, x->all_strict, SHUNT_HL7_LEADING_TEXT, "byte order mark");
            p->place.length = 3;
            x->in.at = 3;
            return AGAIN;
        }
        if (begins_here(bytes, size, x->before)) return found_header(x);
        if (bytes[0] == FRAME_BEGIN)
            x->in_frame = true;
        else if (bytes[0] == FRAME_END)
            x->in_frame = false;
        else
            note_text(x, bytes, size);
        x->before = bytes[0];
        x->in.at++;
    }
}

/* A message has no trailer. That something of it is missing shows a frame that is not closed; or its last line has no end, and its batch or
 * file none either: one of them alone is met in whole files. */
static bool is_cut(const struct hl7 *x)
{
    bool line_open = x->state == SKIP || !x->ended_by;
    return x->in_message && (x->in_frame || (line_open && (x->in_batch || x->in_file)));
}

/* No byte is left. */
static enum got finish_input(struct hl7 *x)
{
    if (x->state == SEEK) return no_header(x);
    set_nothing(x);
    if (x->state == SKIP) x->previous_end = x->in.at;
    if (is_cut(x)) {
        fault(x, SHUNT_HL7_TRUNCATED);
        end_message(x, SHUNT_STEP_ABANDON);
    }
    end_message(x, SHUNT_STEP_FINISH);
    end_batch(x);
    end_file(x);
    x->state = OVER;
    return AGAIN;
}

/* ---- the interface ---- */

static void set_event(const struct hl7 *x, shunt_step step, shunt_event *event)
{
    event->step = step;
    event->scope = SHUNT_SCOPE_TRANSACTION;
    event->guide = x->guide;
    event->loop = SHUNT_NONE;
    event->node = SHUNT_NONE;
    event->slot = SHUNT_NONE;
    event->segment = NULL;
    event->delims = x->delims;
    event->value = (shunt_text){ 0 };
    event->cleared = false;
    event->code = SHUNT_OK;
    event->detail = (shunt_text){ 0 };
    event->end = x->in.at;
}

static void show(const struct hl7 *x, const struct pending *p, shunt_event *event)
{
    set_event(x, (shunt_step)p->step, event);
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
    event->set = text_of(&x->set);
    event->version = text_of(&x->version);
    event->control = text_of(&x->control);
    event->sender = text_of(&x->sender);
    event->receiver = text_of(&x->receiver);
}

static shunt_step show_end(const struct hl7 *x, shunt_step step, shunt_event *event)
{
    set_event(x, step, event);
    event->scope = SHUNT_SCOPE_FILE;
    event->place = (shunt_place){ .byte = x->in.at };
    if (step == SHUNT_STEP_FAILED) event->code = x->failure;
    return step;
}

static shunt_step show_loop(struct hl7 *x, shunt_step step, uint16_t loop, shunt_range range, shunt_event *event)
{
    set_event(x, step, event);
    event->loop = loop;
    event->place = place_of(x, range, x->wants.takes[x->take].field, 0);
    event->end = raw_of(x, range.end);
    return step;
}

static shunt_step show_made(struct hl7 *x, shunt_event *event)
{
    set_event(x, SHUNT_STEP_VALUE, event);
    event->slot = x->slot;
    event->value = x->value;
    event->cleared = x->cleared;
    event->place = x->value_place;
    return SHUNT_STEP_VALUE;
}

/* The value that was made; faults about it come first. */
static shunt_step show_value(struct hl7 *x, shunt_event *event)
{
    if (x->state == FAILED) return show_end(x, SHUNT_STEP_FAILED, event);
    if (x->queue_count == 0) return show_made(x, event);
    x->value_waits = x->slot != SHUNT_NONE;
    show(x, &x->queue[x->queue_first++], event);
    return event->step;
}

/* The value that waits could not be captured. */
static shunt_step show_refused(struct hl7 *x, shunt_event *event)
{
    set_event(x, SHUNT_STEP_SEGMENT, event);
    event->code = x->refused;
    event->place = x->value_place;
    x->refused = SHUNT_OK;
    return SHUNT_STEP_SEGMENT;
}

/* A value that is not copied with its neighbours, or faults about it. False: something is to be told. */
static __attribute__((noinline)) bool fill_one(struct hl7 *x, const shunt_hl7_want *want, shunt_range range, bool hard)
{
    bool taken;
    if (!hard) {
        x->slot = want->slot;
        x->cleared = false;
        x->value = (shunt_text){ (const char *)x->bytes + range.begin, range.end - range.begin };
        x->value_place = place_of(x, range, want->field, want->component);
    } else if (!make_hard(x, want, range, false)) {
        return x->state != FAILED && !x->queue_count;
    }
    x->refused = shunt_capture_value(x->direct->capture, x->slot, x->value, x->cleared, &x->value_place, &taken);
    return x->refused == SHUNT_OK && !x->queue_count;
}

/* Sixteen bytes at a time, or eight, or four; those in the middle twice. */
static inline void copy_bytes(char *to, const uint8_t *from, uint32_t length)
{
    if (SHUNT_LIKELY(length >= 16)) {
        for (uint32_t at = 0; at + 16 < length; at += 16) memcpy(to + at, from + at, 16);
        memcpy(to + length - 16, from + length - 16, 16);
    } else if (length >= 8) {
        memcpy(to, from, 8);
        memcpy(to + length - 8, from + length - 8, 8);
    } else if (length >= 4) {
        memcpy(to, from, 4);
        memcpy(to + length - 4, from + length - 4, 4);
    } else {
        for (uint32_t i = 0; i < length; i++) to[i] = (char)from[i];
    }
}

/* The bytes from the first value that is wanted to the last one, copied; NULL: values are copied one by one, for what lies between them may
 * be long, or there is no room. */
static inline char *copy_part(struct hl7 *x, const shunt_hl7_take *take, uint32_t *begin)
{
    const shunt_hl7_want *wants = x->wants.wants + take->want_first;
    uint32_t              first = wants[0].field, last = wants[take->want_count - 1].field, elements = x->segment.elements;
    *begin = x->offsets[first <= elements ? first : elements + 1];
    uint32_t end = x->offsets[(last <= elements ? last : elements) + 1] - 1;
    if (is_told(x) || end <= *begin || end - *begin > PART) return NULL;
    char *copy = shunt_capture_room(x->direct->capture, end - *begin);
    if (copy) copy_bytes(copy, x->bytes + *begin, end - *begin);
    return copy;
}

/* Are the values of the segment at hand captured here? */
static inline bool fills_here(const struct hl7 *x)
{
    return x->fill != NEVER && x->direct->active && (x->fill == ALWAYS || x->direct->early) && x->state != FAILED;
}

/* What fill_values needs of the line at hand. */
struct source {
    const uint8_t *bytes;
    const char    *copy; /* of bytes[begin..] */
    uint32_t       begin;
    uint64_t       at;
};

static inline void set_slot(shunt_captured *slot, const struct source *from, uint32_t begin, uint32_t length)
{
    if (slot->bytes) return; /* the first one stands */
    slot->bytes = from->copy + (begin - from->begin);
    slot->length = slot->size = length;
    slot->at = from->at + begin;
}

/* Does the first part of a field that is wanted end with this separator, whatever stands behind it? */
static inline bool ends_first(const struct hl7 *x, const shunt_hl7_want *want, uint8_t c)
{
    if (!want->first || (x->repeated && want->only)) return false;
    return (c == x->delims.component && want->component) || (c == x->delims.subcomponent && want->subcomponent);
}

/* One by one, from `want` on, with all that may be about them. False: something is to be told, then it goes on. */
static __attribute__((noinline)) bool fill_rest(struct hl7 *x, const shunt_hl7_take *take)
{
    const shunt_hl7_want *first = x->wants.wants + take->want_first;
    while (x->want < take->want_count) {
        const shunt_hl7_want *want = first + x->want++;
        shunt_range           whole = field_range(x, want->field), part = whole;
        if (whole.begin >= whole.end) continue;
        enum found found = is_told(x) ? HARD : find_plain(x, want, false, &part);
        if (found == NOTHING) continue;
        if (!fill_one(x, want, found == HARD ? whole : part, found == HARD)) return false;
    }
    x->take = x->take_end;
    return true;
}

/* Captures the values of the segment at hand, from `x->want` on. False: something is to be told, then it goes on. The usual value is all of a
 * short field without anything odd in it, or the first part of one; what else can be is left to find_plain and fill_rest. */
static bool fill_values(struct hl7 *x)
{
    const shunt_hl7_take *take = &x->wants.takes[x->take];
    const shunt_hl7_want *first = x->wants.wants + take->want_first, *end = first + take->want_count;
    const uint32_t *const offsets = x->offsets;
    const uint64_t *const odd = x->odd;
    const uint32_t        elements = x->segment.elements;
    shunt_node           *node = x->want ? NULL : shunt_capture_target(x->direct->capture);
    struct source         from = { .bytes = x->bytes, .at = x->line_at };
    if (!node || x->size > x->marked || !(from.copy = copy_part(x, take, &from.begin))) return fill_rest(x, take);
    shunt_captured *const slots = node->slots;
    for (const shunt_hl7_want *want = first; want < end && want->field <= elements; want++) {
        uint32_t begin = offsets[want->field], length = offsets[want->field + 1] - 1 - begin, word = begin / 64,
                 shift = begin % 64;
        uint64_t bits = odd[word] >> shift | odd[word + 1] << 1 << (63 - shift);
        uint32_t plain = bits ? (uint32_t)__builtin_ctzll(bits) : 64;
        if (!length) continue;
        if (SHUNT_LIKELY(from.bytes[begin] != '"' && length <= 64)) {
            if (plain >= length) {
                if (want->first) set_slot(&slots[want->slot], &from, begin, length);
                continue;
            }
            if (ends_first(x, want, from.bytes[begin + plain])) {
                if (plain) set_slot(&slots[want->slot], &from, begin, plain);
                continue;
            }
        }
        shunt_range part = { begin, begin + length };
        enum found  found = find_plain(x, want, false, &part);
        if (found == FOUND) set_slot(&slots[want->slot], &from, part.begin, part.end - part.begin);
        if (found != HARD) continue;
        x->want = (uint32_t)(want - first);
        if (!fill_rest(x, take)) return false;
    }
    x->take = x->take_end;
    return true;
}

/* Is the line that follows one more part of this one? */
static inline bool is_add(const struct hl7 *x, const uint8_t *bytes)
{
    return bytes[0] == 'A' && bytes[1] == 'D' && bytes[2] == 'D' && bytes[3] == x->delims.element;
}

/* The remembered step that the line takes from here, not guessed; NULL: none is. */
static __attribute__((noinline)) const shunt_walk_step *find_step(struct hl7 *x, const uint8_t *bytes, uint64_t head)
{
    if (bytes[3] != x->delims.element) return NULL;
    uint64_t                id = ID(bytes[0], bytes[1], bytes[2]);
    const shunt_walk_place *place = &x->walk.places[shunt_walk_place_slot(id)];
    if (place->id != id || place->element) return NULL;
    const shunt_walk_step *step = shunt_walk_find(&x->walk, place, id);
    if (step) shunt_walk_note(&x->walk, step, head, 4);
    return step;
}

/* Enters and leaves loops here. False: one of them is to be told, and nothing has happened. */
static inline bool cross_here(struct hl7 *x, const shunt_walk_step *step, uint16_t leave_loop)
{
    const shunt_direct    *direct = x->direct;
    const shunt_plan_loop *loops = x->plan->loops;
    if (!direct || !direct->active || (step->enter != SHUNT_NONE && !direct->loops[step->enter])) return false;
    uint16_t loop = leave_loop;
    for (unsigned left = step->leave; left > 0; left--, loop = loops[loop].parent)
        if (!direct->loops[loop]) return false;
    for (unsigned left = step->leave; left > 0; left--, leave_loop = loops[leave_loop].parent)
        shunt_capture_leave(direct->capture, leave_loop, x->previous_end);
    if (step->enter == SHUNT_NONE) return true;
    x->refused = shunt_capture_enter(direct->capture, step->enter, x->line_at, x->number);
    x->value_place = (shunt_place){ .byte = x->line_at, .length = x->size, .segment = x->number };
    return true;
}

/* The line at hand took a remembered step. False: something is to be told of it, or its values come next. */
static inline bool land_again(struct hl7 *x, const shunt_walk_step *step, uint32_t repeat)
{
    uint16_t leave_loop = x->walk.loops[x->walk.depth - 1];
    shunt_walk_take(&x->walk, step, repeat);
    if ((step->leave || step->enter != SHUNT_NONE) && !cross_here(x, step, leave_loop)) {
        x->step_leave = step->leave;
        x->step_leave_loop = leave_loop;
        x->step_leave_end = x->previous_end;
        x->step_enter = step->enter;
    }
    const shunt_hl7_node *n = &x->wants.nodes[step->node];
    x->take = n->take_first;
    x->take_end = n->take_first + n->take_count;
    x->want = 0;
    x->each_begun = x->each_open = false;
    x->fill = x->fills ? x->fills[step->node] : NEVER;
    x->previous_end = x->in.at;
    if (x->step_leave || x->step_enter != SHUNT_NONE || x->refused != SHUNT_OK) return false;
    return x->take == x->take_end || (fills_here(x) && fill_values(x));
}

/* Takes lines for as long as they are plain ones of a message that take remembered steps without any fault and of which nothing is to be
 * told: the same as next_line, process and land. False: the next line is none. */
static bool take_steps(struct hl7 *x)
{
    enum { BEHIND = 6 /* a line end of two bytes, and the id that an ADD segment has */ };
    size_t         size;
    const uint8_t *bytes = view(x, &size);
    if (x->searched || x->joining || x->blank_at != UINT64_MAX || x->blanks) return false;
    x->joint_count = 0;
    x->header = false;
    for (;;) {
        unsigned feed = x->after_cr && size && bytes[0] == '\n';
        if (size < feed + 8) return false;
        bytes += feed;
        size -= feed;
        uint64_t               head = shunt_first_eight(bytes);
        const shunt_walk_step *step = shunt_walk_guessed(&x->walk, &x->walk.steps[x->walk.last], head);
        if (SHUNT_UNLIKELY(!step) && !(step = find_step(x, bytes, head))) return false;
        uint32_t repeat = shunt_walk_repeat(&x->walk, step, x->walk.last_repeats);
        if (SHUNT_UNLIKELY(repeat > step->most)) return false;
        shunt_hl7_marks marks = { .offsets = x->offsets + 1, .odd = x->odd };
        size_t          end;
        bool            wanted = x->wants.nodes[step->node].take_count;
        if (wanted) {
            x->kernel->mark(bytes, 0, size < SHUNT_HL7_LINE ? (uint32_t)size : SHUNT_HL7_LINE, &x->signs, &marks);
            end = marks.end;
        } else {
            end = x->kernel->control(bytes, 4, size);
        }
        if (end + BEHIND > size || !ends_line(bytes[end]) || end > x->options.max_segment_bytes) return false;
        bool crlf = bytes[end] == '\r' && bytes[end + 1] == '\n';
        if (SHUNT_UNLIKELY(is_add(x, bytes + end + 1 + crlf))) return false;
        x->bytes = bytes;
        x->size = (uint32_t)end;
        x->line_at = x->in.at + feed;
        x->in.at = x->line_at + end + 1;
        x->after_cr = bytes[end] == '\r';
        x->after_frame = false;
        x->ended_by = bytes[end];
        x->number++;
        bytes += end + 1;
        size -= end + 1;
        if (wanted) {
            x->segment = (shunt_segment){ .bytes = x->bytes,
                                          .offsets = x->offsets,
                                          .elements = marks.count,
                                          .length = x->size,
                                          .at = x->line_at,
                                          .number = x->number,
                                          .id = step->id };
            x->offsets[marks.count + 1] = x->size + 1;
            x->marked = x->size;
            x->repeated = marks.repeated;
        } else {
            x->marked = 0;
        }
        if (!land_again(x, step, repeat)) return true;
    }
}

/* The next event of a line that took a remembered step. */
static shunt_step tell_step(struct hl7 *x, shunt_event *event)
{
    bool     leaves = x->step_leave > 0;
    uint16_t loop = leaves ? x->step_leave_loop : x->step_enter;
    set_event(x, leaves ? SHUNT_STEP_LEAVE : SHUNT_STEP_ENTER, event);
    event->loop = loop;
    event->place = (shunt_place){ .byte = x->line_at, .length = x->size, .segment = x->number };
    event->end = leaves ? x->step_leave_end : x->in.at;
    if (leaves) {
        x->step_leave--;
        x->step_leave_loop = x->plan->loops[loop].parent;
    } else {
        x->step_enter = SHUNT_NONE;
    }
    return event->step;
}

/* Everything but remembered steps and what is captured here. False: there is no event, something has been read. */
static __attribute__((noinline)) bool next_other(struct hl7 *x, shunt_event *event)
{
    if (x->queue_first < x->queue_count) {
        show(x, &x->queue[x->queue_first++], event);
        return true;
    }
    if (x->value_waits) {
        x->value_waits = false;
        show_made(x, event);
        return true;
    }
    if (x->refused != SHUNT_OK) {
        show_refused(x, event);
        return true;
    }
    if (x->state != FAILED && x->take < x->take_end) return next_value(x, event);
    enum got got = AGAIN;
    switch (x->state) {
    case LINES:
        do { /* on to what is to be told, through lines of messages that take no steps */
            got = next_line(x);
            if (got == GOT) got = process(x);
        } while (got == AGAIN && x->state == LINES && !x->queue_count && x->take == x->take_end && !x->steps);
        break;
    case SEEK: got = seek(x); break;
    case SKIP: got = skip(x); break;
    case OVER: show_end(x, SHUNT_STEP_END, event); return true;
    default: show_end(x, SHUNT_STEP_FAILED, event); return true;
    }
    if (got == AT_END) got = finish_input(x);
    if (got != NEED || x->queue_count) return false;
    show_end(x, SHUNT_STEP_NEED_INPUT, event);
    return true;
}

/* Is an event, or a value behind it, ready to be told? */
static inline bool waits(const struct hl7 *x)
{
    return x->queue_first < x->queue_count || x->value_waits || x->refused != SHUNT_OK;
}

static shunt_step next(shunt_reader *reader, shunt_event *event)
{
    struct hl7 *x = (struct hl7 *)reader;
    for (;;) {
        if (x->step_leave || x->step_enter != SHUNT_NONE) return tell_step(x, event);
        if (!waits(x)) {
            x->queue_first = x->queue_count = x->detail_count = 0;
            if (x->take < x->take_end && fills_here(x)) fill_values(x);
            if (x->take == x->take_end && x->steps && x->state == LINES && !waits(x) && take_steps(x)) continue;
        }
        if (next_other(x, event)) return event->step;
    }
}

static void feed(shunt_reader *reader, const uint8_t *bytes, size_t size, bool last)
{
    shunt_input_feed(&((struct hl7 *)reader)->in, bytes, size, last);
}

static void demanded_only(shunt_reader *reader, const shunt_direct *direct)
{
    struct hl7 *x = (struct hl7 *)reader;
    shunt_memory_free(x->memory, x->fills);
    x->direct = direct;
    x->fills = direct && !shows(x) ? shunt_memory_zeroed(x->memory, x->plan->node_count + 1, sizeof *x->fills) : NULL;
    if (!x->fills) return; /* without memory values are handed over as ever */
    for (uint32_t i = 0; i < x->plan->node_count; i++) {
        const shunt_plan_node *node = &x->plan->nodes[i];
        const shunt_hl7_node  *n = &x->wants.nodes[i];
        uint32_t               first = i - node->back;
        if (n->take_count != 1 || x->wants.takes[n->take_first].kind != HL7_TAKE_VALUES) continue;
        if (x->plan->loops[node->loop].frame == SHUNT_NONE || x->plan->nodes[first].frame != SHUNT_NONE) continue;
        if (direct->first[i] && direct->first[first]) x->fills[i] = FIRST;
        if (direct->nodes[i] && direct->nodes[first]) x->fills[i] = ALWAYS;
    }
}

static void hl7_free(shunt_reader *reader)
{
    struct hl7 *x = (struct hl7 *)reader;
    if (!x) return;
    shunt_buffer_done(&x->joined);
    shunt_buffer_done(&x->decoded);
    shunt_hl7_wants_done(&x->wants, x->memory);
    shunt_memory_free(x->memory, x->joints);
    shunt_input_done(&x->in);
    shunt_memory_free(x->memory, x->offsets);
    shunt_memory_free(x->memory, x->fills);
    shunt_memory_free(x->memory, x);
}

/* Of a batch or file that holds one message. */
static void trailer(shunt_buffer *out, shunt_scope scope, const shunt_delims *delims, shunt_text control)
{
    (void)control;
    shunt_buffer_z(out, scope == SHUNT_SCOPE_BATCH ? "BTS" : "FTS");
    shunt_buffer_char(out, (char)delims->element);
    shunt_buffer_char(out, '1');
    shunt_buffer_char(out, (char)delims->terminator);
}

static const shunt_reader_ops ops = { .name = "hl7",
                                      .values = true,
                                      .late = SHUNT_HL7_LATE,
                                      .feed = feed,
                                      .next = next,
                                      .free = hl7_free,
                                      .demanded_only = demanded_only,
                                      .trailer = trailer,
                                      .ending = "hl7" };

shunt_reader *shunt_hl7_reader_new(const shunt_memory *memory, const shunt_plan *plan, const shunt_hl7_options *options)
{
    struct hl7 *x = shunt_memory_zeroed(memory, 1, sizeof *x);
    if (!x) return NULL;
    x->base.ops = &ops;
    x->memory = x->in.memory = memory;
    x->plan = plan;
    if (options) x->options = *options;
    if (!x->options.max_segment_bytes) x->options.max_segment_bytes = 8 << 20;
    if (!x->options.max_leading_bytes) x->options.max_leading_bytes = 64 << 10;
    if (x->options.max_segment_bytes < 8) x->options.max_segment_bytes = 8;
    if (x->options.max_segment_bytes > UINT32_MAX / 4) x->options.max_segment_bytes = UINT32_MAX / 4;
    shunt_buffer_init(&x->joined, memory);
    shunt_buffer_init(&x->decoded, memory);
    x->guide = x->step_enter = SHUNT_NONE;
    x->blank_at = UINT64_MAX;
    x->delims.element = '|';
    x->kernel = shunt_hl7_line_best();
    set_signs(x);
    x->all_strict = shunt_hl7_all_strict(plan);
    bool made = shunt_hl7_wants_init(&x->wants, memory, plan);
    x->offset_limit = shows(x) ? SHUNT_HL7_FIELDS : x->wants.last > HEADER_FIELDS ? x->wants.last : HEADER_FIELDS;
    x->offsets = shunt_memory_zeroed(memory, x->offset_limit + SHUNT_HL7_LINE + SHUNT_HL7_LINE_SLACK + 2, sizeof *x->offsets);
    if (made && x->offsets) return &x->base;
    hl7_free(&x->base);
    return NULL;
}
