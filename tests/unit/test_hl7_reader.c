/* Events of small HL7 inputs, the same at every cut; real files where they are at hand are the work of tests/corpus. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/capture.h"
#include "standards/hl7/reader.h"
#include "tests/support/event_log.h"
#include "tests/support/hl7_plan.h"
#include "tests/support/test_memory.h"

static const char usual[] = "guide DFT^P03 2.5.1\nguide DFT^P03 2.3\nguide ADT_A01 2.4\nguide ORU^R01 2.5.1\nguide ACK 2.4\n"
                            "want PID-5.1\nwant FT1-6\nwant FT1-11.1.1\nwant PV1-3\nwant ZZZ-1";
static const char repeated[] =
    "guide DFT^P03 2.5.1\nwant PID-18\neach PID-3 .1 .4.2\nrepeat DG1 3.1 6\nwant PID-5[2].1\nwant MSH-1\nwant MSH-2\nwant MSH-3";

#define MSH    "MSH|^~\\&|S|F|R||20250101||DFT^P03^DFT_P03|C1|P|2.5.1"
#define BEGIN_ "begin transaction DFT^P03 guide 0 2.5.1 #C1 S/F>R\n"
#define FIN    "finish transaction\n"
#define END    "end\n"

static const struct {
    const char *name, *words, *input, *log;
} cases[] = {
    { "a message", usual, MSH "\rEVN||2025\rPID|||1||DOE^J\rFT1|1|||||CG|||||100.00&USD^UP\rFT1|2|||||PY\r",
      BEGIN_ "value 0 DOE\nenter FINANCIAL\nvalue 0 CG\nvalue 1 100.00\nleave FINANCIAL\nenter FINANCIAL\nvalue 0 PY\nleave "
             "FINANCIAL\n" FIN END },
    { "no terminator at the end", usual, MSH "\rPID|||||DOE", BEGIN_ "value 0 DOE\n" FIN END },
    { "MLLP", usual, "\x0b" MSH "\rPID|||||DOE\r\x1c\r\x0b" MSH "\rPID|||||ROE\r\x1c\r",
      BEGIN_ "value 0 DOE\n" FIN BEGIN_ "value 0 ROE\n" FIN END },
    { "MLLP without CR at the end of the message and of the frame", usual, "\x0b" MSH "\rPID|||||DOE\x1c\x0b" MSH "\x1c",
      BEGIN_ "value 0 DOE\n" FIN BEGIN_ FIN END },
    { "a frame that is not ended", usual, "\x0b" MSH "\rPID|||||DOE\r",
      BEGIN_ "value 0 DOE\nfault HL7_TRUNCATED\nabandon transaction\n" END },
    { "a frame in a frame", usual, "\x0b" MSH "\r\x0b" MSH "\r\x1c\r", BEGIN_ FIN "fault HL7_FRAME\n" BEGIN_ FIN END },
    { "an end of a frame alone", usual, MSH "\r\x1c\r" MSH "\r", BEGIN_ FIN "fault HL7_FRAME\n" BEGIN_ FIN END },
    { "frame characters inside values", usual,
      MSH "\rPID|||||D\x0b"
          "O\x1c"
          "E\r",
      BEGIN_ "value 0 D\x0b"
             "O\x1c"
             "E\n" FIN END },
    { "several messages", usual, MSH "\r" MSH "\r\r" MSH "\r", BEGIN_ FIN BEGIN_ FIN BEGIN_ FIN END },
    { "batch", usual, "FHS|^~\\&|A||||||||9\rBHS|^~\\&|B||||||||8\r" MSH "\r" MSH "\rBTS|2\rFTS|1\r",
      "begin interchange  #9 A> 7c 5e 7e 0d\nbegin batch  #8 B>\n" BEGIN_ FIN BEGIN_ FIN
      "finish batch\nfinish interchange\n" END },
    { "batch counts", usual, "BHS|^~\\&\r" MSH "\rBTS|2\rBTS\rFHS|^~\\&\rFTS|x\r",
      "begin batch  #\n" BEGIN_ FIN
      "fault HL7_BTS01 1 (BTS-1 is 2, read 1)\nfinish batch\nfault HL7_MISPLACED\nbegin interchange  # 7c 5e 7e 0d\n"
      "fault HL7_FTS01 1 (FTS-1 is no number, read 0)\nfinish interchange\n" END },
    { "batches without trailers", usual, "FHS|^~\\&\rBHS|^~\\&\r" MSH "\rBHS|^~\\&\rFHS|^~\\&\r",
      "begin interchange  # 7c 5e 7e 0d\nbegin batch  #\n" BEGIN_ FIN
      "fault HL7_NO_BTS\nabandon batch\nbegin batch  #\nfault HL7_NO_BTS\nabandon batch\nfault "
      "HL7_NO_FTS\nabandon interchange\nbegin interchange  # 7c 5e 7e 0d\nfault HL7_NO_FTS\nabandon interchange\n" END },
    { "a batch that is cut in a line", usual, "BHS|^~\\&\r" MSH "\r" MSH "\rPID|||||DOE",
      "begin batch  #\n" BEGIN_ FIN BEGIN_
      "value 0 DOE\nfault HL7_TRUNCATED\nabandon transaction\nfault HL7_NO_BTS\nabandon batch\n" END },
    { "a file that is cut in a line that nobody reads", usual, "FHS|^~\\&\r" MSH "\rPV1|1",
      "begin interchange  # 7c 5e 7e 0d\n" BEGIN_
      "fault HL7_TRUNCATED\nabandon transaction\nfault HL7_NO_FTS\nabandon interchange\n" END },
    { "a last line without end where the batch has one", usual, "BHS|^~\\&\r" MSH "\rPID|||||DOE\rBTS|1",
      "begin batch  #\n" BEGIN_ "value 0 DOE\n" FIN "finish batch\n" END },
    { "an empty batch", usual, "FHS|^~\\&\rBHS|^~\\&\rBTS|0\rFTS|1\r",
      "begin interchange  # 7c 5e 7e 0d\nbegin batch  #\nfinish batch\nfinish interchange\n" END },
    { "no message in a batch", usual, "BHS|^~\\&\rPID|1\rPV1|1\rBTS|0\r", "begin batch  #\nfault HL7_STRAY\nfinish batch\n" END },
    { "text before", usual, "some text\n[x]" MSH "\r", "fault HL7_LEADING_TEXT\n" BEGIN_ FIN END },
    { "text that mentions MSH", usual, "the MSH, or MSHA| or XMSH|^\n" MSH "\r", "fault HL7_LEADING_TEXT\n" BEGIN_ FIN END },
    { "byte order mark", usual, "\xef\xbb\xbf" MSH "\r", "fault HL7_LEADING_TEXT (byte order mark)\n" BEGIN_ FIN END },
    { "blanks and blank lines before", usual, " \r\n\t" MSH "\r", BEGIN_ FIN END },
    { "text between messages", usual, "\x0b" MSH "\r\x1c\rnoise here\r\x0b" MSH "\r\x1c\r",
      BEGIN_ FIN "fault HL7_TEXT\n" BEGIN_ FIN END },
    { "a frame begins behind noise that has no end of line", usual, "\x0b" MSH "\r\x1c\rnoise\x0b" MSH "\r\x1c\r",
      BEGIN_ FIN "fault HL7_TEXT\n" BEGIN_ FIN END },
    { "segments behind text between messages", usual, "\x0b" MSH "\r\x1c\rnoise\rPV1|1\rPV1|1\r\x0b" MSH "\r\x1c\r",
      BEGIN_ FIN "fault HL7_TEXT\nfault HL7_STRAY\n" BEGIN_ FIN END },
    { "segments before the first header", usual, "some text\rMSG|^~\\&|A\rPID|1\r" MSH "\r", "fault HL7_STRAY\n" BEGIN_ FIN END },
    { "no message", usual, "PID|1\r", "fault HL7_NO_MSH\n" END },
    { "nothing", usual, "", "fault HL7_NO_MSH\n" END },
    { "an MSH that can not be read", usual, "MSH\rPID|1\r" MSH "\r", "fault HL7_DELIMITERS\n" BEGIN_ FIN END },
    { "leading blanks, blank lines, lower case", usual, MSH "\r\r \r PID|||||DOE\r\rpv1||I|W\r\r",
      BEGIN_ "fault HL7_BLANK_LINE\nfault HL7_LEADING_BLANKS\nvalue 0 DOE\nfault HL7_SEGMENT_CASE\nvalue 1 W\n" FIN END },
    { "a line that is no segment", usual, MSH "\rPID|||||DOE\rjunk line\r12A|1\rPV1|||W\r",
      BEGIN_ "value 0 DOE\nfault HL7_SEGMENT_ID\nfault HL7_SEGMENT_ID\nvalue 1 W\n" FIN END },
    { "unknown segments, and those of the site", usual, MSH "\rZAB|1\rXYZ|1\rPID|||||DOE\r",
      BEGIN_ "fault HL7_UNKNOWN_SEGMENT\nvalue 0 DOE\n" FIN END },
    { "order", usual, MSH "\rPID|||||DOE\rEVN\rPID|||||ROE\r", BEGIN_ "value 0 DOE\nfault HL7_ORDER\nvalue 0 ROE\n" FIN END },
    { "parents, repeats", usual, "MSH|^~\\&|||||||ORU^R01|C1|P|2.5.1\rPID|1\rOBX|1\rPD1\r" MSH "\rPID|||||DOE\rPID|||||ROE\r",
      "begin transaction ORU^R01 guide 3 2.5.1 #C1\nenter PATIENT_RESULT\nenter PATIENT\nleave PATIENT\nenter "
      "ORDER_OBSERVATION\nenter OBSERVATION\nfault "
      "HL7_MISSING_PARENT\nfault HL7_UNKNOWN_SEGMENT\nleave OBSERVATION\nleave ORDER_OBSERVATION\nleave PATIENT_RESULT\n" FIN
          BEGIN_ "value 0 DOE\nfault HL7_REPEATS\nvalue 0 ROE\n" FIN END },
    { "other separators", usual, "MSH*:@!>*S*F*R**20250101**DFT:P03*C1*P*2.5.1\rPID*****DOE:J\rFT1*1*****CG*****5>USD:UP\r",
      "begin transaction DFT^P03 guide 0 2.5.1 #C1 S/F>R\nvalue 0 DOE\nenter FINANCIAL\nvalue 0 CG\nvalue 1 5\nleave "
      "FINANCIAL\n" FIN END },
    { "other separators in each message", usual,
      MSH "\rPID|||||DOE^J\rMSH*:@!>*S*F*R**20250101**DFT:P03*C1*P*2.5.1\rPID*****ROE:J\r",
      BEGIN_ "value 0 DOE\n" FIN BEGIN_ "value 0 ROE\n" FIN END },
    { "broken MSH-2", usual, "MSH|^~&|S|F|R||20250101||DFT^P03|C1|P|2.5.1\rPID|||||D\\T\\E\r",
      BEGIN_ "fault HL7_MSH2\nvalue 0 D&E\n" FIN END },
    { "an older version, read by the guide of it", usual, "MSH|^~\\&|S|F|R||||DFT^P03|C1|P|2.3\rPID|||||DOE\r",
      "begin transaction DFT^P03 guide 1 2.3 #C1 S/F>R\nvalue 0 DOE\n" FIN END },
    { "versions nobody lists", usual,
      "MSH|^~\\&|||||||DFT^P03|C1|P|2.4\rMSH|^~\\&|||||||DFT^P03|C1|P|2.7\rMSH|^~\\&|||||||DFT^P03|C1|P|2.2\rMSH|^~\\&|||||||DFT^"
      "P03|C1|P\r",
      "begin transaction DFT^P03 guide 1 2.4 #C1\nfault HL7_VERSION 12 (2.4, read as 2.3)\n" FIN
      "begin transaction DFT^P03 guide 0 2.7 #C1\nfault HL7_VERSION 12 (2.7, read as 2.5.1)\n" FIN
      "begin transaction DFT^P03 guide 1 2.2 #C1\nfault HL7_VERSION 12 (2.2, read as 2.3)\n" FIN
      "begin transaction DFT^P03 guide 0  #C1\nfault HL7_VERSION 12 (none, read as 2.5.1)\n" FIN END },
    { "by structure", usual,
      "MSH|^~\\&|||||||ADT^A04^ADT_A01|C1|P|2.4\rMSH|^~\\&|||||||ADT^A08|C1|P|2.4\rMSH|^~\\&|||||||ADT^A04^ADT_A04|C1|P|2.4\r",
      "begin transaction ADT^A04 guide 2 2.4 #C1\n" FIN "begin transaction ADT^A08 guide 2 2.4 #C1\n" FIN
      "begin transaction ADT^A04 guide 2 2.4 #C1\n" FIN END },
    { "an acknowledgement", usual, "MSH|^~\\&|||||||ACK|C1|P|2.4\rMSA|AA|1\rMSH|^~\\&|||||||ACK^P03^ACK|C1|P|2.4\r",
      "begin transaction ACK guide 4 2.4 #C1\n" FIN "begin transaction ACK^P03 guide 4 2.4 #C1\n" FIN END },
    { "unmapped, without type, without control id", usual,
      "MSH|^~\\&|||||||SIU^S12|C1|P|2.4\rPID|1\rMSH|^~\\&|||||||||P|2.4\rMSH|^~\\&|||||||DFT^P03||P|2.5.1\r",
      "begin transaction SIU^S12 guide -1 2.4 #C1\nfault HL7_UNMAPPED\n" FIN
      "begin transaction  guide -1 2.4 #\nfault HL7_NO_TYPE 9\n" FIN
      "begin transaction DFT^P03 guide 0 2.5.1 #\nfault HL7_NO_CONTROL\n" FIN END },
    { "escapes, sets of the message", usual,
      MSH "\rPID|||||D\\S\\\\X41\\E\\H\\\rMSH|^~\\&|S|F|R||20250101||DFT^P03|C1|P|2.5.1||||||8859/15\rPID|||||\xa4\r",
      BEGIN_ "value 0 D^AE\\H\\\n" FIN BEGIN_ "value 0 \xe2\x82\xac\n" FIN END },
    { "sets that are wrong", usual,
      MSH "\rPID|||||\xe4\rPV1|||\xe4\rMSH|^~\\&|S|F|R||20250101||DFT^P03|C1|P|2.5.1||||||utf-8\rPID|||||\xe4\r"
          "MSH|^~\\&|S|F|R||20250101||DFT^P03|C1|P|2.5.1||||||BIG-5\rPID|||||X\r",
      BEGIN_ "fault HL7_CHARSET_ASSUMED 5\nvalue 0 \xc3\xa4\nvalue 1 \xc3\xa4\n" FIN BEGIN_
             "fault HL7_CHARSET_NAME 18 (utf-8)\nfault HL7_BYTES 5\n" FIN BEGIN_ "fault HL7_CHARSET 18 (BIG-5)\n" FIN END },
    { "null and absent", usual, MSH "\rPID|||||\"\"\rFT1|1|||||\"\"|||||\"\"&USD\rFT1|1|||||\"\"X|||||\"\"\rFT1|1|||||&^\r",
      BEGIN_ "value 0 cleared\nenter FINANCIAL\nvalue 0 cleared\nvalue 1 cleared\nleave FINANCIAL\nenter FINANCIAL\nvalue 0 "
             "\"\"X\nvalue "
             "1 cleared\nleave FINANCIAL\nenter FINANCIAL\nleave FINANCIAL\n" FIN END },
    { "null is absent where the source says so", "source absent\nguide DFT^P03 2.5.1\nwant PID-5.1\nwant PID-8",
      MSH "\rPID|||||\"\"|||M\r", BEGIN_ "value 1 M\n" FIN END },
    { "whole fields: separators at the end do not count", usual, MSH "\rPV1|||A^B&C^^\rFT1||||||CG^&\r",
      BEGIN_ "value 1 A^B&C\nenter FINANCIAL\nvalue 0 CG\nleave FINANCIAL\n" FIN END },
    { "the truncation character", usual, "MSH|^~\\&#|S|F|R||20250101||DFT^P03|C1|P|2.5.1\rPID|||||DO#\r" MSH "\rPID|||||DO#\r",
      BEGIN_ "fault HL7_TRUNCATION 5\nvalue 0 DO#\n" FIN BEGIN_ "value 0 DO#\n" FIN END },
    { "ADD segments", usual, MSH "\rPID|||||D\rADD|OE^J\rADD|A\rFT1|1||||\rADD||PY\rADD\r",
      BEGIN_ "value 0 DOE\nenter FINANCIAL\nvalue 0 PY\nfault HL7_UNKNOWN_SEGMENT\nleave FINANCIAL\n" FIN END },
    { "a message that goes on", usual, MSH "\rDSC|x\rDSC\r",
      BEGIN_ "fault HL7_CONTINUED\nfault HL7_UNKNOWN_SEGMENT\nfault HL7_UNKNOWN_SEGMENT\n" FIN END },
    { "repetitions and repeats", repeated,
      MSH "\rPID|||A^^^X&1~~B^^^&2~\"\"||N1^X~N2|||||||||||||ACC\rFT1|1\rDG1|1||I10^T|||F\rDG1|2||Z00\r",
      BEGIN_
      "value 2 |\nvalue 3 ^~\\&\nvalue 4 S\n"
      "value 1 N2\nvalue 0 ACC\nenter PID-3\nvalue 0 A\nvalue 1 1\nleave PID-3\nenter PID-3\nvalue 0 B\nvalue 1 2\nleave "
      "PID-3\nenter PID-3\nvalue 0 cleared\nvalue 1 cleared\nleave PID-3\n"
      "enter FINANCIAL\nleave FINANCIAL\nenter DG1\nvalue 0 I10\nvalue 1 F\nleave DG1\nenter DG1\nvalue 0 Z00\nleave DG1\n" FIN
          END },
    { "strict: what is forgiven is an error", "source strict\nguide DFT^P03 2.5.1\nwant PID-5",
      "x\r" MSH "\r\rPID|||||DOE\rEVN\r",
      "fault HL7_STRICT (HL7_LEADING_TEXT)\n" BEGIN_
      "fault HL7_STRICT (HL7_BLANK_LINE)\nvalue 0 DOE\nfault HL7_STRICT (HL7_ORDER)\n" FIN END },
    { "strict: a clean message", "source strict\nguide DFT^P03 2.5.1\nwant PID-5", MSH "\rEVN\rPID|||||DOE\rFT1|1\r",
      BEGIN_ "value 0 DOE\n"
             "enter FINANCIAL\nleave FINANCIAL\n" FIN END },
};

static shunt_arena *arena;
static shunt_plan   plan;

static void make_plan(const char *words)
{
    arena = shunt_arena_new(&shunt_memory_libc, 0);
    plan = hl7_plan(arena, words);
}

static struct event_log run(const void *bytes, size_t size, size_t step, const shunt_hl7_options *options, unsigned flags)
{
    struct event_log log;
    event_log_run(&log, shunt_hl7_reader_new(&shunt_memory_libc, &plan, options), &plan, bytes, size, event_log_cut_fixed, &step,
                  flags, true);
    return log;
}

START_TEST(gives_events)
{
    make_plan(cases[_i].words);
    size_t size = strlen(cases[_i].input);
    for (size_t step = size ? size : 1; step > 0; step--) {
        struct event_log log = run(cases[_i].input, size, step, NULL, 0);
        ck_assert_msg(strcmp(log.text, cases[_i].log) == 0, "%s, pieces of %zu:\n%s\nwanted:\n%s", cases[_i].name, step, log.text,
                      cases[_i].log);
        event_log_done(&log);
    }
    shunt_arena_free(arena);
}
END_TEST

/* Places, and what is shown of segments: the same at every cut. */
START_TEST(places_at_every_cut)
{
    static const shunt_hl7_options shown = { .display = true }, narrow = { .max_segment_bytes = 40, .max_leading_bytes = 12 };
    static const shunt_hl7_options *const options[] = { NULL, &shown, &narrow };
    make_plan(cases[_i].words);
    size_t size = strlen(cases[_i].input);
    for (unsigned o = 0; o < 3; o++) {
        unsigned         flags = EVENT_LOG_PLACES | (o == 1 ? EVENT_LOG_ELEMENTS : 0);
        struct event_log whole = run(cases[_i].input, size, size ? size : 1, options[o], flags);
        for (size_t step = 1; step < size; step++) {
            struct event_log log = run(cases[_i].input, size, step, options[o], flags);
            ck_assert_msg(strcmp(log.text, whole.text) == 0, "%s, pieces of %zu:\n%s\nwhole:\n%s", cases[_i].name, step, log.text,
                          whole.text);
            event_log_done(&log);
        }
        event_log_done(&whole);
    }
    shunt_arena_free(arena);
}
END_TEST

/* The same message ends its segments by CR, LF, CRLF, or stands in a frame: the same events but for their places. */
START_TEST(terminators_are_equal)
{
    static const char *const ends[] = { "\n", "\r\n" };
    make_plan(cases[_i].words);
    struct event_log plain = run(cases[_i].input, strlen(cases[_i].input), SIZE_MAX, NULL, 0);
    if (!strchr(cases[_i].input, '\n') && !strchr(cases[_i].input, 0x1c) && !strchr(cases[_i].input, 0x0b)) {
        for (unsigned e = 0; e < 2; e++) {
            char   other[4096];
            size_t length = 0;
            for (const char *p = cases[_i].input; *p; p++)
                length +=
                    (size_t)snprintf(other + length, sizeof other - length, "%.*s", *p == '\r' ? 2 : 1, *p == '\r' ? ends[e] : p);
            struct event_log log = run(other, length, SIZE_MAX, NULL, 0);
            char             wanted[8192], got[8192];
            /* The terminator is said of a header. */
            snprintf(wanted, sizeof wanted, "%s", plain.text);
            snprintf(got, sizeof got, "%s", log.text);
            for (char *p; (p = strstr(got, "7e 0a"));) memcpy(p, "7e 0d", 5);
            ck_assert_msg(strcmp(got, wanted) == 0, "%s:\n%s\nwith CR:\n%s", cases[_i].name, got, wanted);
            event_log_done(&log);
        }
    }
    event_log_done(&plain);
    shunt_arena_free(arena);
}
END_TEST

/* ---- what is captured by the reader, and what by events ---- */

/* A session in small: captures what is handed over, and writes down what it has when a loop is told to end, and in the end. */
struct taker {
    shunt_capture *capture;
    shunt_direct   direct;
    shunt_buffer   out;
    bool           open;
};

static void dump_node(struct taker *t, const shunt_node *node)
{
    const shunt_plan_frame *frame = &plan.frames[node->frame];
    shunt_buffer_format(&t->out, "(%u #%u at %llu line %u:", node->frame, node->ordinal, (unsigned long long)node->at,
                        node->segment);
    for (unsigned i = 0; i < frame->slot_count; i++) {
        const shunt_captured *c = &node->slots[i];
        if (!c->bytes) continue;
        shunt_buffer_format(&t->out, " %u=", i);
        shunt_buffer_add(&t->out, c->bytes, c->length);
        shunt_buffer_format(&t->out, "@%llu+%u", (unsigned long long)c->at, c->size);
    }
    for (unsigned i = 0; i < frame->child_count; i++)
        for (const shunt_node *n = node->children[i].first; n; n = n->next) dump_node(t, n);
    shunt_buffer_z(&t->out, ")");
}

static void take_event(struct taker *t, const shunt_event *e)
{
    bool         taken;
    shunt_status status = SHUNT_OK;
    switch (e->step) {
    case SHUNT_STEP_BEGIN:
        if (e->scope != SHUNT_SCOPE_TRANSACTION) break;
        t->open = t->direct.active = t->direct.early = e->guide != SHUNT_NONE;
        if (t->open) status = shunt_capture_begin(t->capture, e->guide, e->place.byte);
        break;
    case SHUNT_STEP_ENTER: status = shunt_capture_enter(t->capture, e->loop, e->place.byte, e->place.segment); break;
    case SHUNT_STEP_LEAVE: {
        const shunt_node *top = shunt_capture_top(t->capture, e->loop);
        if (top && !t->direct.loops[e->loop]) {
            shunt_buffer_format(&t->out, "leave at %llu ", (unsigned long long)e->end);
            dump_node(t, top);
        }
        t->direct.early = false;
        shunt_capture_leave(t->capture, e->loop, e->end);
        break;
    }
    case SHUNT_STEP_VALUE:
        if (t->open) status = shunt_capture_value(t->capture, e->slot, e->value, e->cleared, &e->place, &taken);
        break;
    case SHUNT_STEP_SEGMENT: status = e->code; break;
    case SHUNT_STEP_FAULT:
        shunt_buffer_format(&t->out, "fault %s at %llu+%u %.*s\n", shunt_status_info[e->code].code,
                            (unsigned long long)e->place.byte, e->place.length, SHUNT_TEXT_ARGS(e->detail));
        break;
    case SHUNT_STEP_FINISH:
    case SHUNT_STEP_ABANDON:
        if (e->scope != SHUNT_SCOPE_TRANSACTION) break;
        if (t->open && shunt_capture_root(t->capture)) dump_node(t, shunt_capture_root(t->capture));
        shunt_buffer_z(&t->out, "\n");
        t->open = t->direct.active = false;
        break;
    default: break;
    }
    if (status != SHUNT_OK)
        shunt_buffer_format(&t->out, "%s at %llu\n", shunt_status_info[status].code, (unsigned long long)e->place.byte);
}

enum { BY_EVENTS, HERE, FIRST_ONLY, WITHOUT_LOOPS, WAYS };

/* Loops whose instances hang in lists, or that have no frame, may be captured by the reader; of the others it tells. */
static shunt_buffer capture_of(const char *input, size_t length, size_t cut, unsigned way, size_t limit)
{
    struct taker t = { .capture = shunt_capture_new(&shunt_memory_libc, &plan, limit) };
    bool        *flags = calloc(plan.loop_count + 2 * plan.node_count + 1, sizeof *flags), *nodes = flags + plan.loop_count;
    shunt_buffer_init(&t.out, &shunt_memory_libc);
    for (unsigned i = 0; i < plan.loop_count; i++) {
        flags[i] = plan.loops[i].frame == SHUNT_NONE;
        for (unsigned c = 0; c < plan.child_count; c++) flags[i] |= plan.children[c] == plan.loops[i].frame;
    }
    for (unsigned i = 0; i < plan.node_count; i++) {
        nodes[i] = way != FIRST_ONLY;
        nodes[plan.node_count + i] = true;
    }
    t.direct = (shunt_direct){ .capture = t.capture, .loops = flags, .nodes = nodes, .first = nodes + plan.node_count };
    shunt_reader *reader = shunt_hl7_reader_new(&shunt_memory_libc, &plan, NULL);
    if (way != BY_EVENTS) reader->ops->demanded_only(reader, &t.direct);
    bool *none = calloc(plan.loop_count + 1, sizeof *none), *told = flags;
    for (unsigned half = 0; half < 2; half++) {
        size_t      at = half ? cut : 0, end = half ? length : cut;
        uint8_t    *piece = malloc(end > at ? end - at : 1); /* of exactly its size */
        shunt_event event = { .local = false };
        memcpy(piece, input + at, end - at);
        reader->ops->feed(reader, piece, end - at, half);
        for (;;) {
            t.direct.loops = way == WITHOUT_LOOPS ? none : told;
            shunt_step step = reader->ops->next(reader, &event);
            t.direct.loops = told; /* what is written down is the same */
            if (step == SHUNT_STEP_NEED_INPUT || step == SHUNT_STEP_END || step == SHUNT_STEP_FAILED) break;
            take_event(&t, &event);
        }
        free(piece);
    }
    reader->ops->free(reader);
    shunt_capture_free(t.capture);
    free(flags);
    free(none);
    return t.out;
}

static void compare_captures(const char *name, const char *input, size_t length, size_t limit, size_t step)
{
    shunt_buffer wanted = capture_of(input, length, length, BY_EVENTS, limit);
    for (unsigned way = 0; way < WAYS; way++) {
        for (size_t cut = length % step; cut <= length; cut += step) {
            shunt_buffer got = capture_of(input, length, cut, way, limit);
            ck_assert_msg(got.length == wanted.length &&
                              memcmp(got.bytes ? got.bytes : "", wanted.bytes ? wanted.bytes : "", got.length) == 0,
                          "%s, way %u, cut at %zu:\n%.*s\nby events:\n%.*s", name, way, cut, (int)got.length, got.bytes,
                          (int)wanted.length, wanted.bytes);
            shunt_buffer_done(&got);
        }
    }
    shunt_buffer_done(&wanted);
}

/* Each case three times in a row, so that steps are remembered: whoever captures, the same is captured, and the same faults are told. */
START_TEST(captures_are_equal)
{
    size_t length = strlen(cases[_i].input);
    char  *input = malloc(3 * length + 1);
    for (unsigned i = 0; i < 3; i++) memcpy(input + i * length, cases[_i].input, length);
    make_plan(cases[_i].words);
    compare_captures(cases[_i].name, input, 3 * length, 0, 7);
    free(input);
    shunt_arena_free(arena);
}
END_TEST

/* Parts of fields in every order, absent, cleared, escaped, repeated, beyond ASCII; fields and segments that are longer than what is looked
 * at or copied at once. */
START_TEST(captures_of_all_kinds_of_fields)
{
    static const char wants[] =
        "guide DFT^P03 2.5.1\nwant FT1-1\nwant FT1-2.1\nwant FT1-2.2\nwant FT1-2.2.2\nwant FT1-3\nwant FT1-3[2].1\nwant "
        "FT1-3[2].2\nwant FT1-5\nwant FT1-7.1.1\nwant FT1-7.1.2\nwant FT1-7.2\nwant FT1-9\nwant FT1-13.1\nwant PID-3.1\nwant "
        "MSH-10";
    static const char *const fields[] = { "",       "1",       "A^B",       "A^B&C^D",   "&",       "^", "^^X", "\"\"",
                                          "\"\"^B", "A^\"\"",  "A\\T\\B^C", "A^B\\T\\C", "A~B^C~D", "~", "~B",  "\xc3\xa4^\xe4",
                                          "A&\"\"", "\"X\"^Y", "A&B~C&D^E" };
    enum { MOST = 40000 };
    uint64_t random = 7u + (unsigned)_i;
    char    *input = malloc(MOST + 20000);
    size_t   length = 0;
    make_plan(wants);
    while (length < (_i % 2 ? 1500u : MOST)) {
        length += (size_t)sprintf(input + length, MSH "\rEVN|1\rPID|||7~8\r");
        for (unsigned line = 0; line < 4; line++) {
            length += (size_t)sprintf(input + length, line == 3 ? "NTE|1||text\rFT1" : "FT1");
            for (unsigned f = 1; f <= 14; f++) {
                random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
                unsigned roll = (unsigned)(random >> 33) % 64;
                input[length++] = '|';
                if (_i % 4 > 1 && roll == 63) { /* beyond a word of marks, a part, a line that is marked */
                    size_t many = (size_t[]){ 70, 600, 5000 }[(random >> 40) % 3];
                    memset(input + length, 'x', many);
                    length += many;
                } else {
                    length += (size_t)sprintf(input + length, "%s", fields[roll % (_i % 4 > 2 ? 3 : SHUNT_COUNT(fields))]);
                }
            }
            length += (size_t)sprintf(input + length, _i % 3 ? "\r" : "\r\n");
        }
    }
    compare_captures("fields", input, length, 0, _i % 2 ? 11 : 3571);
    compare_captures("fields, a limit", input, length, 4000, _i % 2 ? 97 : 3571);
    free(input);
    shunt_arena_free(arena);
}
END_TEST

/* A plan that was not made by the compiler may demand values for groups, which HL7 has none of: they fill no frame of a loop. */
START_TEST(groups_fill_no_loop)
{
    static const char input[] = MSH "\rPID|||||DOE\rPV1|1|I|W\r" MSH "\rPID|||||ROE\rPV1|1|O|E\r";
    make_plan("guide DFT^P03 2.5.1\nwant PID-5.1\nrepeat PV1 3.1");
    shunt_plan_frame *frames = calloc(plan.frame_count + 1, sizeof *frames);
    shunt_plan_node  *nodes = calloc(plan.node_count, sizeof *nodes);
    shunt_plan_slot  *slots = calloc(plan.slot_count, sizeof *slots);
    memcpy(frames, plan.frames, plan.frame_count * sizeof *frames);
    memcpy(nodes, plan.nodes, plan.node_count * sizeof *nodes);
    memcpy(slots, plan.slots, plan.slot_count * sizeof *slots);
    uint16_t          group = (uint16_t)plan.frame_count++;
    shunt_plan_frame *message = &frames[plan.loops[plan.guides[0].loop_first].frame];
    ck_assert(message->slot_count == 1 && message->child_count > 0);
    frames[group] = *message;
    frames[group].kind = SHUNT_FRAME_GROUP;
    frames[group].child_count = 0;
    slots[message->slot_first].frame = group;
    message->slot_count = 0;
    for (uint32_t i = 0; i < plan.node_count; i++)
        if (nodes[i].demand_count && &frames[plan.loops[nodes[i].loop].frame] == message) nodes[i].frame = group;
    plan.frames = frames;
    plan.nodes = nodes;
    plan.slots = slots;
    const char *why = NULL;
    ck_assert_msg(shunt_plan_valid(&plan, &why), "%s", why);
    compare_captures("groups", input, sizeof input - 1, 0, 7);
    free(frames);
    free(nodes);
    free(slots);
    shunt_arena_free(arena);
}
END_TEST

START_TEST(values_know_their_bytes)
{
    static const char input[] = "\n" MSH "\rPID|||1||D\\T\\E^J\rADD|X|\rFT1|||||||||||7&USD\r";
    make_plan("guide DFT^P03 2.5.1\nwant PID-5.1\nwant PID-5.2\nwant FT1-11.1.1");
    static const struct {
        const char *raw;
        unsigned    segment, element, component;
    } wanted[] = { { "D\\T\\E", 2, 5, 1 }, { "J\rADD|X", 2, 5, 2 }, { "7", 3, 11, 1 } };
    shunt_reader *reader = shunt_hl7_reader_new(&shunt_memory_libc, &plan, NULL);
    shunt_event   event;
    unsigned      count = 0;
    reader->ops->feed(reader, (const uint8_t *)input, sizeof input - 1, true);
    while (reader->ops->next(reader, &event) != SHUNT_STEP_END) {
        if (event.step != SHUNT_STEP_VALUE) continue;
        ck_assert_uint_lt(count, 3);
        ck_assert_uint_eq(event.place.length, strlen(wanted[count].raw));
        ck_assert_int_eq(memcmp(input + event.place.byte, wanted[count].raw, event.place.length), 0);
        ck_assert_uint_eq(event.place.segment, wanted[count].segment);
        ck_assert_uint_eq(event.place.element, wanted[count].element);
        ck_assert_uint_eq(event.place.component, wanted[count].component);
        count++;
    }
    ck_assert_uint_eq(count, 3);
    reader->ops->free(reader);
    shunt_arena_free(arena);
}
END_TEST

START_TEST(long_segments)
{
    /* 2 MiB of one segment: too long where it is demanded or shown, passed over where nobody asks. */
    static const shunt_hl7_options narrow = { .max_segment_bytes = 1 << 20 };
    static const char *const       words[] = { "guide ORU^R01 2.5.1\nwant OBX-5\nwant PV1-2", "guide ORU^R01 2.5.1\nwant PV1-2" };
    enum { LONG = 2 << 20 };
    char  *input = malloc(LONG + 400);
    size_t length = (size_t)sprintf(input, "MSH|^~\\&|||||||ORU^R01|C|P|2.5.1\rPID|1\rOBR|1\rOBX|1|||1|");
    memset(input + length, 'x', LONG);
    length += LONG;
    length += (size_t)sprintf(input + length, "\rPID|2\rPV1||I\r");
    for (unsigned i = 0; i < 2; i++) {
        make_plan(words[i]);
        struct event_log log = run(input, length, 70000, &narrow, 0);
        ck_assert_msg((strstr(log.text, "HL7_SEGMENT_LENGTH (the limit is 1048576 bytes)") != NULL) == (i == 0), "%s", log.text);
        ck_assert_ptr_nonnull(strstr(log.text, "enter PATIENT_RESULT\nenter PATIENT\nenter VISIT\nvalue 0 I\n")
                                  ? log.text
                                  : strstr(log.text, "value 0 I\n"));
        event_log_done(&log);
        shunt_arena_free(arena);
    }
    free(input);
}
END_TEST

/* A million repetitions, components, fields, lines: memory and time stay in proportion. */
START_TEST(a_million_of_each)
{
    static const char *const parts[] = {
        "~", "^", "&", "|", "\r", "\rZZZ|", "\rADD|x", "\rFT1|1", "~A", "\\", "\r\n", " ", "\x1c"
    };
    enum { SIZE = 3000000 };
    make_plan(repeated);
    char  *input = malloc(SIZE + 200);
    size_t head = (size_t)sprintf(input, "%s\rFT1|1\rPID|||", MSH), part = strlen(parts[_i]);
    for (size_t i = 0; i < SIZE; i++) input[head + i] = parts[_i][i % part];
    struct test_memory m;
    test_memory_init(&m, 0);
    struct event_log log;
    size_t           step = 65536;
    event_log_run(&log, shunt_hl7_reader_new(&m.memory, &plan, NULL), &plan, input, head + SIZE, event_log_cut_fixed, &step, 0,
                  false);
    ck_assert_uint_eq(m.blocks, 0);
    ck_assert_uint_lt(m.peak_bytes, 40000000);
    free(input);
    shunt_arena_free(arena);
}
END_TEST

/* Every n-th allocation fails: FAILED or all events, nothing leaks. */
START_TEST(no_memory)
{
    static const char input[] = MSH "\rPID|||A~B||D\\T\\E\xe4\rADD|X~N\rFT1|1\rDG1|1||I\r";
    make_plan(repeated);
    for (size_t fail_at = 1;; fail_at++) {
        struct test_memory m;
        test_memory_init(&m, fail_at);
        shunt_reader *reader = shunt_hl7_reader_new(&m.memory, &plan, NULL);
        bool          failed = !reader;
        if (reader) {
            struct event_log log;
            size_t           step = 7;
            event_log_run(&log, reader, &plan, input, sizeof input - 1, event_log_cut_fixed, &step, 0, true);
            failed = strstr(log.text, "failed NO_MEMORY") != NULL;
            event_log_done(&log);
        }
        ck_assert_uint_eq(m.blocks, 0);
        if (m.calls < fail_at) {
            ck_assert(!failed);
            break;
        }
        ck_assert(failed);
    }
    shunt_arena_free(arena);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof *(array))

int main(void)
{
    Suite *suite = suite_create("hl7_reader");
    TCase *tc = tcase_create("reader");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, gives_events, 0, COUNT(cases));
    tcase_add_loop_test(tc, places_at_every_cut, 0, COUNT(cases));
    tcase_add_loop_test(tc, terminators_are_equal, 0, COUNT(cases));
    tcase_add_loop_test(tc, captures_are_equal, 0, COUNT(cases));
    tcase_add_loop_test(tc, captures_of_all_kinds_of_fields, 0, 12);
    tcase_add_test(tc, groups_fill_no_loop);
    tcase_add_test(tc, values_know_their_bytes);
    tcase_add_test(tc, long_segments);
    tcase_add_loop_test(tc, a_million_of_each, 0, 13);
    tcase_add_test(tc, no_memory);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
